/* samflow/fetch.h - public data sets: downloaded, checked by SHA-256, kept in a cache folder.
 *
 * Known names: mnist and fashion-mnist (four IDX files each), golub (one CSV, made from the two tables of its authors). A file
 * that is there with the right SHA-256 is left alone; an interrupted download goes on where it stopped; nothing appears under
 * its final name before it is complete and checked. A transfer is given up that does not connect within 4 s, stays below 1 kB/s
 * for 15 s, takes longer than half an hour or brings more than 256 MiB.
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
    bool verified;      /* the SHA-256 was computed by us from the file; false: only published by others */
} sf_fetched;
typedef void (*sf_fetched_fn)(const sf_fetched *file, void *user);

typedef struct sf_fetch_request {
    const char *name;      /* of the data set */
    const char *part;      /* "train" or "test"; NULL: both */
    const char *directory; /* made if missing; NULL: sf_fetch_directory */
    const char *
        mirror; /* base URL (http, https or file) instead of the known ones; NULL: $SAMFLOW_MIRROR/NAME if set */
    sf_fetched_fn fetched; /* or NULL */
    void *user;
    bool *unreachable; /* set to whether it failed because no server could be connected to; or NULL */
} sf_fetch_request;

/* Errors: SF_ERR_ARGUMENT (unknown name or part, with those known), SF_ERR_IO (no mirror answered, with what to do by hand;
 * disk), SF_ERR_DATA (SHA-256 differs), SF_ERR_CANCELLED (what was downloaded stays for the next time), SF_ERR_MEMORY,
 * SF_ERR_UNAVAILABLE (built without SAMFLOW_WITH_CURL). */
SF_API
sf_status sf_fetch(sf_context *context, const sf_fetch_request *request);

/* Name of the index-th known data set, NULL past the last. */
SF_API
const char *sf_fetch_name(size_t index);
/* What it is, in a line; NULL past the last. */
SF_API
const char *sf_fetch_describe(size_t index);

/* One file of the index-th data set, as it is kept. */
typedef struct sf_fetch_info {
    const char *name, *part; /* part: "train", "test" or NULL */
    const char *sha256;
    const char *address; /* the folder, or that of the tables it is made from, which is tried first */
    bool verified;       /* the SHA-256 was computed by us from the file; false: only published by others */
} sf_fetch_info;
/* False past the last data set or file. */
SF_API
bool sf_fetch_file_info(size_t index, size_t file, sf_fetch_info *info);

/* The folder that holds the files of the data set (part NULL: all of them) under their names: given/NAME; without a given folder
 * $SAMFLOW_DATA/NAME, then sf_fetch_directory. Into path (size bytes). Errors: SF_ERR_UNAVAILABLE with the command that
 * fetches them, SF_ERR_ARGUMENT (unknown name). */
SF_API
sf_status sf_fetch_find(sf_context *context, const char *name, const char *part, const char *given,
                        char *path, size_t size);

/* $XDG_CACHE_HOME/samflow/NAME, or ~/.cache/samflow/NAME, into path (size bytes). Errors: SF_ERR_IO if neither variable
 * names a folder or the path is too long. */
SF_API
sf_status sf_fetch_directory(sf_context *context, const char *name, char *path, size_t size);

#ifdef __cplusplus
}
#endif
#endif
