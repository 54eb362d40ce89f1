/* Digits: the test part of the optical recognition of handwritten digits (Alpaydin and Kaynak, UCI, 1998, CC BY 4.0), 1,797
 * images of 8 x 8 pixels from 0 to 16. Provenance and checksums: data/README.md. The bytes are those of the two IDX files in
 * data/, made into C at build time, so that the program needs no file wherever it is installed. */
#include "files/builtin.h"
#include <samflow/files.h>

#include <string.h>

#include <samflow/data.h>

#include "files/digits_images.h"
#include "files/digits_labels.h"

static const sf_builtin sets[] = {
    {"digits", SF_BUILTIN_PREFIX "digits: images", SF_BUILTIN_PREFIX "digits: labels"}};
enum { SETS = sizeof sets / sizeof *sets };

static const struct {
    const unsigned char *bytes;
    size_t size;
} files[SETS][2] = {
    {{sf_digits_images, sizeof sf_digits_images}, {sf_digits_labels, sizeof sf_digits_labels}}};

const char *sf_dataset_builtin(size_t index)
{
    return index < SETS ? sets[index].name : NULL;
}

const sf_builtin *sf_builtin_find(const char *name)
{
    for (size_t i = 0; i < SETS; i++)
        if (strcmp(sets[i].name, name) == 0)
            return &sets[i];
    return NULL;
}

const unsigned char *sf_builtin_bytes(const char *path, size_t *size)
{
    for (size_t i = 0; i < SETS; i++)
        for (int k = 0; k < 2; k++)
            if (strcmp(k == 0 ? sets[i].images : sets[i].labels, path) == 0) {
                *size = files[i][k].size;
                return files[i][k].bytes;
            }
    return NULL;
}
