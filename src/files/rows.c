/* Rows in blocks of about a megabyte. */
#include "files/rows.h"

#include "base/base.h"

enum { BLOCK_NUMBERS = 1 << 17 };

void sf_rows_init(sf_rows *rows, sf_context *context, size_t width)
{
    *rows = (sf_rows){.context = context, .width = width};
    rows->per_block = width < BLOCK_NUMBERS ? BLOCK_NUMBERS / width : 1;
}

void sf_rows_clear(sf_rows *rows)
{
    for (size_t b = rows->released; b < rows->blocks; b++)
        sf_free(rows->context, rows->block[b]);
    sf_free(rows->context, rows->block);
    *rows = (sf_rows){.context = rows->context};
}

static bool add_block(sf_rows *rows)
{
    if (rows->blocks == rows->capacity) {
        size_t capacity = rows->capacity ? 2 * rows->capacity : 64;
        double **moved = sf_resize(rows->context, rows->block, capacity, sizeof *moved);
        if (!moved)
            return false;
        rows->block = moved;
        rows->capacity = capacity;
    }
    double *block = sf_alloc(rows->context, rows->width, rows->per_block * sizeof *block);
    if (!block)
        return false;
    rows->block[rows->blocks++] = block;
    return true;
}

double *sf_rows_add(sf_rows *rows)
{
    if (rows->count == rows->blocks * rows->per_block && !add_block(rows))
        return NULL;
    size_t index = rows->count++;
    return rows->block[index / rows->per_block] + index % rows->per_block * rows->width;
}

const double *sf_rows_at(const sf_rows *rows, size_t index)
{
    return rows->block[index / rows->per_block] + index % rows->per_block * rows->width;
}

void sf_rows_release_before(sf_rows *rows, size_t index)
{
    for (; rows->released < index / rows->per_block; rows->released++)
        sf_free(rows->context, rows->block[rows->released]);
}

void sf_rows_move(sf_rows *rows, sf_dataset *dataset)
{
    for (size_t i = 0; i < dataset->n; i++) {
        const double *x = sf_rows_at(rows, i);
        double *z = dataset->z + i * rows->width;
        if (dataset->labels[i] < 0)
            for (size_t j = 0; j < rows->width; j++)
                z[j] = -x[j];
        else
            for (size_t j = 0; j < rows->width; j++)
                z[j] = x[j];
        sf_rows_release_before(rows, i + 1);
    }
    sf_rows_clear(rows);
}
