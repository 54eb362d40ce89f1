/* The data sets that can be fetched, and the download of one file. */
#ifndef SF_FILES_CATALOGUE_H
#define SF_FILES_CATALOGUE_H

#include <stdio.h>

#include <samflow/fetch.h>

enum { SF_CATALOGUE_FILES = 4, SF_CATALOGUE_MIRRORS = 3, SF_CATALOGUE_SOURCES = 2, SF_PATH_BYTES = 4096 };

typedef struct sf_catalogue_file {
    const char *name;   // NULL after the last
    const char *part;   // "train" or "test"; NULL: of the whole
    const char *sha256; // NULL: not known
    bool verified;      // the SHA-256 was computed from the file itself; false: only published by others
} sf_catalogue_file;

/* A file that no mirror has in the form that samflow reads: made here from others, whose SHA-256 need not be known,
 * because that of the product is. */
typedef struct sf_catalogue_made {
    sf_catalogue_file file;
    const char *source[SF_CATALOGUE_SOURCES];     // file names
    const char *mirror[SF_CATALOGUE_MIRRORS + 1]; // of the sources
    sf_status (*make)(sf_context *context, char *const *text,
                      FILE *out); // text: of the sources, ended by NUL
} sf_catalogue_made;

typedef struct sf_catalogue_entry {
    const char *name, *what;
    const char *mirror[SF_CATALOGUE_MIRRORS + 1]; // base URLs, in the order to try, then NULL
    sf_catalogue_file file[SF_CATALOGUE_FILES];
    const sf_catalogue_made *made; // stands for the only file where no mirror has that one, or NULL
} sf_catalogue_entry;

/* NULL if unknown. */
const sf_catalogue_entry *sf_catalogue_find(const char *name);

/* When a transfer is given up. */
typedef struct sf_fetch_limits {
    long connect_seconds;          // until the connection stands
    long slow_seconds, slow_bytes; // so long below so many bytes a second
    long total_seconds;
    uint64_t largest; // bytes of a file, counted as they arrive
} sf_fetch_limits;
extern const sf_fetch_limits sf_fetch_default_limits;

/* Brings one file into directory, from the first mirror (base URLs, ended by NULL) that has it; path: where it lies.
 * unreachable: set if no mirror could be connected to; or NULL. */
sf_status sf_fetch_file(sf_context *context, const char *const *mirrors, const sf_catalogue_file *file,
                        const sf_fetch_limits *limits, const char *directory, char path[SF_PATH_BYTES],
                        bool *cached, bool *unreachable);

/* A file of a catalogue that is made from others. */
sf_status sf_fetch_made(sf_context *context, const char *const *mirrors, const sf_catalogue_made *made,
                        const sf_fetch_limits *limits, const char *directory, char path[SF_PATH_BYTES],
                        bool *cached, bool *unreachable);

/* Golub's data as CSV from the tables that the authors published (golub.c). Errors: SF_ERR_DATA (table, line), SF_ERR_IO. */
sf_status sf_golub_make(sf_context *context, char *const *text, FILE *out);

#endif
