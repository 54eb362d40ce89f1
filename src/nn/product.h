/* The one sum that forward and backward passes of the plain backend are made of:
 *
 *     out[l, m, j] += sum_s sum_r a[l, m, s, r] b[s, r, j],   j < columns,
 *
 * with a step for every index but j, which lies side by side. For every number s runs from 0, and r inside of it, so the
 * bits do not depend on how a kernel cuts the work; kernels with vectors fuse product and sum, the plain one does not.
 */
#ifndef SF_NN_PRODUCT_H
#define SF_NN_PRODUCT_H

#include <stddef.h>

#include "base/isa.h"

enum { SF_PRODUCT_LANES = 16 }; // rows of b may be read up to a multiple of this beyond `columns`

typedef struct sf_product {
    size_t lines, rows, columns; // l, m, j
    size_t outer, inner;         // s, r
    const float *a, *b;
    float *out;
    size_t a_line, a_row, a_outer, a_inner; // steps in a
    size_t b_outer, b_inner;                // in b
    size_t out_line, out_row;
} sf_product;

typedef void (*sf_product_fn)(const sf_product *product);

/* The kernel of an instruction set; the plain one where there is none. */
sf_product_fn sf_product_of(sf_isa isa);

void sf_product_plain(const sf_product *product);
void sf_product_avx2(const sf_product *product);
void sf_product_avx512(const sf_product *product);
void sf_product_neon(const sf_product *product);

#endif
