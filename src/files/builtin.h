/* Data sets that are part of the program: IDX files as bytes, which sf_input_open finds under names of their own. */
#ifndef SF_FILES_BUILTIN_H
#define SF_FILES_BUILTIN_H

#include <stddef.h>

/* What stands for a path of a file that is part of the program; no path of a user begins so by chance. */
#define SF_BUILTIN_PREFIX "(built in) "

typedef struct sf_builtin {
    const char *name, *images, *labels; // of the data set; what stands for the paths of its files
} sf_builtin;

/* NULL if there is none of that name. */
const sf_builtin *sf_builtin_find(const char *name);

/* The bytes of a file by what stands for its path, NULL if there is none. */
const unsigned char *sf_builtin_bytes(const char *path, size_t *size);

#endif
