/* Rows of numbers whose count is not known before the last one: blocks of memory that never move, so that a
 * large file is held once. */
#ifndef SF_FILES_ROWS_H
#define SF_FILES_ROWS_H

#include "data/dataset.h"

typedef struct sf_rows {
    sf_context *context;
    size_t width;     // numbers in a row, at least 1
    size_t per_block; // rows in a block
    size_t count;     // rows
    double **block;   // (blocks)
    size_t blocks, capacity;
    size_t released; // blocks given back already, from the front
} sf_rows;

void sf_rows_init(sf_rows *rows, sf_context *context, size_t width);
void sf_rows_clear(sf_rows *rows);

/* A new row at the end, not set; NULL if there is no memory (the message says so). */
double *sf_rows_add(sf_rows *rows);
const double *sf_rows_at(const sf_rows *rows, size_t index);
/* Gives back what holds only rows before index; they must not be asked for again. */
void sf_rows_release_before(sf_rows *rows, size_t index);

/* The rows, times the labels, become the matrix of the data set (n = count, stored = width); releases them.
 */
void sf_rows_move(sf_rows *rows, sf_dataset *dataset);

#endif
