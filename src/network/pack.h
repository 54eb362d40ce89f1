/* The data as the kernels read them: the narrowest storage that holds every z_nj exactly.
 *
 * A pass over the data costs what its bytes cost, so z is kept as
 *   bytes   z = fl(k * factor) with k in 0..255 and one factor (of either sign) a row: pixels,
 *   floats  where every z_nj is a float: counts, raw measurements,
 *   doubles otherwise (borrowed from the data set where its rows are aligned, else copied with padded rows).
 * Features that are 0 in every example are left out, and where many groups of eight neighbouring entries are
 * 0 a row is kept as the list of the others. All of it is lossless: the kernels see the same doubles.
 */
#ifndef SF_PACK_H
#define SF_PACK_H

#include "base/base.h"
#include "data/dataset.h"

typedef enum sf_pack_type { SF_PACK_DOUBLES, SF_PACK_FLOATS, SF_PACK_BYTES } sf_pack_type;

typedef struct sf_pack {
    sf_pack_type type;
    size_t n;      // examples
    size_t width;  // features kept
    size_t stride; // entries from one row to the next (rows that are not sparse)
    const double *doubles;
    const float *floats;
    const uint8_t *bytes;
    double *factor;    // bytes: (n)
    uint32_t *columns; // (width) feature of each column kept; NULL: all are
    uint32_t *blocks;  // sparse: column / 8 of each block kept, row after row; else NULL
    size_t *starts;    // sparse: (n + 1), first block of each row; its entries begin at 8 * that
    void *memory;      // what doubles, floats or bytes point to, where it is not the data set's
} sf_pack;

/* Errors: SF_ERR_MEMORY (then *pack is empty). */
sf_status sf_pack_create(sf_context *context, const sf_dataset *dataset, sf_pack *pack);
void sf_pack_release(sf_context *context, sf_pack *pack);

#endif
