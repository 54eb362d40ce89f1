/* What goes over the socket between the two sides of a file (hdf5.h). */
#ifndef SF_FILES_HDF5_SERVE_H
#define SF_FILES_HDF5_SERVE_H

#include "files/hdf5.h"

typedef enum sf_hdf5_question {
    SF_HDF5_ASK_OPEN,
    SF_HDF5_ASK_SHAPE,
    SF_HDF5_ASK_ROWS,
    SF_HDF5_ASK_TEXT
} sf_hdf5_question;

typedef struct sf_hdf5_request {
    sf_hdf5_question question;
    sf_hdf5_type type;
    sf_hdf5_string string;
    char name[SF_HDF5_NAME];
    uint64_t width, rank, first, rows;
    uint64_t shape[SF_HDF5_RANK];
} sf_hdf5_request;

typedef enum sf_hdf5_outcome {
    SF_HDF5_GOOD,
    SF_HDF5_ABSENT,
    SF_HDF5_WRONG,
    SF_HDF5_NO_MEMORY
} sf_hdf5_outcome;

/* Followed by `bytes` bytes where the outcome is good. */
typedef struct sf_hdf5_reply {
    sf_hdf5_outcome outcome;
    uint64_t bytes;
    uint64_t shape[SF_HDF5_RANK];
    char message[256];
} sf_hdf5_reply;

/* The life of the other process: answers requests from the socket until it closes. size: bytes of the file. */
void sf_hdf5_serve(int socket, const char *path, uint64_t size);

#endif
