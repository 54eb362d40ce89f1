/* The data sets that can be fetched, and the download of one file. */
#ifndef SF_FILES_CATALOGUE_H
#define SF_FILES_CATALOGUE_H

#include <samflow/fetch.h>

enum { SF_CATALOGUE_FILES = 4, SF_CATALOGUE_MIRRORS = 3, SF_PATH_BYTES = 4096 };

typedef struct sf_catalogue_file {
    const char *name, *part, *sha256;
} sf_catalogue_file;

typedef struct sf_catalogue_entry {
    const char *name;
    const char *mirror[SF_CATALOGUE_MIRRORS + 1]; // base URLs, in the order to try, then NULL
    sf_catalogue_file file[SF_CATALOGUE_FILES];
} sf_catalogue_entry;

/* NULL if unknown. */
const sf_catalogue_entry *sf_catalogue_find(const char *name);

/* Brings one file into directory, from the first mirror (base URLs, ended by NULL) that has it; path: where
 * it lies. */
sf_status sf_fetch_file(sf_context *context, const char *const *mirrors, const sf_catalogue_file *file,
                        const char *directory, char path[SF_PATH_BYTES], bool *cached);

#endif
