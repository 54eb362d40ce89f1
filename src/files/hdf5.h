/* HDF5 files of strangers: everything that samflow reads from one passes here.
 *
 * A file can say anything: attributes of 32 dimensions, 9 GB in 9 kB, strings where numbers are due, objects that contain
 * themselves; and HDF5 itself ends by a signal, or never, on some that are damaged. So
 *   - what is read is asked for by name, kind, rank and shape, and anything else is an error that names the object;
 *   - numbers must lie in the file, uncompressed: a data set has no more bytes than the file, and takes no more memory;
 *   - links are hard ones, data lies in this file, no filter or plug-in is loaded;
 *   - HDF5 runs in a process of its own, with bounds on its memory and on its seconds of CPU time that grow with the
 *     size of the file. Whatever becomes of it, here it is an error.
 * The other process answers questions over a socket (hdf5_serve.c); it is gone when the file is closed.
 *
 * Messages name the object and not the file: callers put the file in front.
 */
#ifndef SF_FILES_HDF5_H
#define SF_FILES_HDF5_H

#include "base/base.h"

typedef struct sf_hdf5 sf_hdf5;

/* Errors: SF_ERR_IO (no such file, not permitted, no process), SF_ERR_DATA (not HDF5), SF_ERR_MEMORY, SF_ERR_CANCELLED. */
sf_status sf_hdf5_open(sf_context *context, const char *path, sf_hdf5 **out);
void sf_hdf5_close(sf_hdf5 **file);

/* What an object holds; TEXT: `width` bytes each, padded with zeros. */
typedef enum sf_hdf5_type {
    SF_HDF5_DOUBLE,
    SF_HDF5_FLOAT,
    SF_HDF5_INT64,
    SF_HDF5_UINT64,
    SF_HDF5_TEXT
} sf_hdf5_type;
typedef enum sf_hdf5_string { SF_HDF5_FIXED, SF_HDF5_VARIABLE } sf_hdf5_string;
enum { SF_HDF5_RANK = 4, SF_HDF5_NAME = 96 };

/* A data set: where, of what, with how many dimensions. name: "group/name", at most SF_HDF5_NAME - 1 bytes. */
typedef struct sf_hdf5_set {
    const char *name;
    sf_hdf5_type type;
    size_t width; // bytes of an element that is TEXT
    size_t rank;  // 0..SF_HDF5_RANK
} sf_hdf5_set;

/* shape: (rank). *found is false where there is no such object (found NULL: that is an error). Errors: SF_ERR_DATA. */
sf_status sf_hdf5_shape(sf_hdf5 *file, const sf_hdf5_set *set, size_t *shape, bool *found);

/* All of a data set that has this shape (rank), or its rows first..first + rows - 1, into values. */
sf_status sf_hdf5_read(sf_hdf5 *file, const sf_hdf5_set *set, const size_t *shape, void *values);
sf_status sf_hdf5_read_rows(sf_hdf5 *file, const sf_hdf5_set *set, const size_t *shape, size_t first,
                            size_t rows, void *values);

/* A text attribute of the root, released by the caller; NULL if there is none. Errors: SF_ERR_DATA, SF_ERR_MEMORY. */
sf_status sf_hdf5_text(sf_hdf5 *file, const char *name, sf_hdf5_string kind, char **text);

#endif
