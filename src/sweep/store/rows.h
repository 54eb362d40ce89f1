/* Results of a block of points as bytes, for the store and for other processes.
 *
 * Row by row: position (8 bytes), hash (16), failed (1), then reason, outcome and the cells of the observables, each
 * as kind (1) and nothing, 8 bytes, or a length (4) with the text and its 0. In the byte order of the machine: all
 * ranks of one run are of one architecture.
 */
#ifndef SF_SWEEP_ROWS_H
#define SF_SWEEP_ROWS_H

#include <samflow/sweep.h>

#include "settings/settings.h"

typedef struct sf_row {
    uint64_t position;
    sf_hash hash;
    bool failed;
    const char *reason, *outcome; // NULL: none
    sf_cell *cells;               // observables
} sf_row;

typedef struct sf_rows {
    sf_context *context;
    unsigned char *bytes;
    size_t size, capacity;
} sf_rows;

sf_status sf_rows_append(sf_rows *rows, const sf_row *row, size_t cells);
void sf_rows_release(sf_rows *rows);

/* Reads the row at *at and moves on; texts point into bytes. False if the bytes are no row. row->cells is filled. */
bool sf_rows_read(const unsigned char *bytes, size_t size, size_t *at, sf_row *row, size_t cells);

#endif
