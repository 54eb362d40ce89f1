/* samflow/fetch.h - public data sets: downloaded, checked by SHA-256, kept in a cache folder.
 *
 * Known names: mnist and fashion-mnist (four IDX files each). A file that is there with the right SHA-256 is left alone; an
 * interrupted download goes on where it stopped; nothing appears under its final name before it is complete and checked.
 */
#ifndef SAMFLOW_FETCH_H
#define SAMFLOW_FETCH_H

#include <samflow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One file, as told to the caller when it is in place. Strings live during the call. */
typedef struct sf_fetched {
    const char *name;   /* "t10k-images-idx3-ubyte.gz" */
    const char *path;   /* where it lies */
    const char *sha256; /* 64 hexadecimal digits */
    bool cached;        /* it was there already */
} sf_fetched;
typedef void (*sf_fetched_fn)(const sf_fetched *file, void *user);

typedef struct sf_fetch_request {
    const char *name;      /* of the data set */
    const char *part;      /* "train" or "test"; NULL: both */
    const char *directory; /* made if missing; NULL: sf_fetch_directory */
    const char *mirror;    /* base URL (http, https or file) instead of the known ones, or NULL */
    sf_fetched_fn fetched; /* or NULL */
    void *user;
} sf_fetch_request;

/* Errors: SF_ERR_ARGUMENT (unknown name or part, with those known), SF_ERR_IO (no mirror answered, with what to do by hand;
 * disk), SF_ERR_DATA (SHA-256 differs), SF_ERR_CANCELLED (what was downloaded stays for the next time), SF_ERR_MEMORY,
 * SF_ERR_UNAVAILABLE (built without SAMFLOW_WITH_CURL). */
SF_API
sf_status sf_fetch(sf_context *context, const sf_fetch_request *request);

/* Name of the index-th known data set, NULL past the last. */
SF_API
const char *sf_fetch_name(size_t index);
/* $XDG_CACHE_HOME/samflow/NAME, or ~/.cache/samflow/NAME, into path (size bytes). Errors: SF_ERR_IO if neither variable
 * names a folder or the path is too long. */
SF_API
sf_status sf_fetch_directory(sf_context *context, const char *name, char *path, size_t size);

#ifdef __cplusplus
}
#endif
#endif
