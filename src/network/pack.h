/* The data as the kernels read them: the narrowest storage that holds every z_nj.
 *
 * A pass over the data costs what its bytes cost, so z is kept as codes
 *
 *     z_nj = row_n (code_nj - shift_j) scale_j,    code a byte (0..255), a float or a double,
 *
 * with row 1, shift 0 and scale 1 where there is no such array:
 *   multiples z = fl(k * factor) of one number: k as bytes, row_n = factor with the sign of the label: pixels;
 *   features on a grid (data/dataset.h): whole numbers as bytes or floats, row_n the label, shift and scale those of
 *   the feature: standardized counts and decimals;
 *   floats where every z_nj is one, doubles otherwise (borrowed from the data set where its rows are aligned, else
 *   copied).
 * row, shift and scale never meet a code: they go to the margins, to the weights before a pass and to the field after
 * it, and cost nothing in its inner loop. Without a grid z is met exactly, with one to a few units in the last place of
 * a typical entry of the feature. Features that are 0 in every example are left out, and where many groups of eight
 * neighbouring codes are 0 a row is kept as the list of the others.
 *
 * Short and wide data that fit in the caches go in tiles of columns: the codes of a tile lie together, row after row, so
 * that a pass by columns (field.c) streams through them and takes a tile twice while it is in the nearest cache.
 */
#ifndef SF_PACK_H
#define SF_PACK_H

#include "base/base.h"
#include "data/dataset.h"

typedef enum sf_pack_type { SF_PACK_DOUBLES, SF_PACK_FLOATS, SF_PACK_BYTES } sf_pack_type;

enum { SF_PACK_STRIP = 512 }; // columns that a task of a pass by columns takes; tiles divide it

typedef struct sf_pack {
    sf_pack_type type;
    size_t n;      // examples
    size_t width;  // features kept
    size_t stride; // width in whole blocks of eight (borrowed doubles: the width); missing codes are 0
    size_t tile;   // columns of a tile, a multiple of eight; the stride where all are in one
    const double *doubles;
    const float *floats;
    const uint8_t *bytes;
    double *row;           // (n) or NULL: 1
    double *shift, *scale; // (stride) each or both NULL: 0 and 1
    uint32_t *columns;     // (width) feature of each column kept; NULL: all are
    uint32_t *blocks;      // sparse: column / 8 of each block kept, row after row; else NULL
    size_t *starts;        // sparse: (n + 1), first block of each row; its codes begin at 8 * that
    void *memory;          // what doubles, floats or bytes point to, where it is not the data set's
} sf_pack;

/* Of a pack that is not sparse: where the code of (row, first column of the tile) lies; the next row is as many codes
 * further as the tile has columns. */
static inline size_t sf_pack_tile_columns(const sf_pack *pack, size_t first)
{
    return pack->stride - first < pack->tile ? pack->stride - first : pack->tile;
}
static inline size_t sf_pack_at(const sf_pack *pack, size_t row, size_t first)
{
    return first * pack->n + row * sf_pack_tile_columns(pack, first);
}

/* Errors: SF_ERR_MEMORY (then *pack is empty). */
sf_status sf_pack_create(sf_context *context, const sf_dataset *dataset, sf_pack *pack);
void sf_pack_release(sf_context *context, sf_pack *pack);

#endif
