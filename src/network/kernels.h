/* The kernels of a pass over the data, one table for each instruction set; the plain reference is network.c
 * itself. They see codes (pack.h): row, shift and scale of the pack are the business of field.c. */
#ifndef SF_NETWORK_KERNELS_H
#define SF_NETWORK_KERNELS_H

#include <samflow/network.h>

#include "base/isa.h"
#include "network/pack.h"

enum { SF_ROWS = 8, SF_LANES = 8 }; // rows that a pass takes together; partial sums of a margin

typedef struct sf_network_kernels {
    /* Of a pack that is not sparse, in the tile whose first column is `first`:
     * lanes[i] += partial sums of <code_{row+i}, weights> for i < count <= SF_ROWS. weights, field: at that column;
     * lanes: (count, SF_LANES). */
    void (*margins)(const sf_pack *pack, size_t first, size_t row, size_t count, const double *weights,
                    double *lanes);
    /* field += sum_i slope[i] code_{row+i}, row after row. */
    void (*accumulate)(const sf_pack *pack, size_t first, size_t row, size_t count, const double *slope,
                       double *field);
    /* The field of a tile from all rows, with shift and scale: out = factor * (sum_i slope[i] code_i), then less
     * total * shift, times scale. */
    void (*field)(const sf_pack *pack, size_t first, const double *slope, double factor, double total,
                  double *out);
    /* The first two of a sparse pack; weights, field: (stride). */
    void (*sparse_margins)(const sf_pack *pack, size_t row, size_t count, const double *weights,
                           double *margin);
    void (*sparse_accumulate)(const sf_pack *pack, size_t row, size_t count, const double *slope,
                              double *field);
    /* margin[i] = sum of its lanes. */
    void (*fold)(size_t count, const double *lanes, double *margin);
    /* out[j] = scale[j] * weights[j]; returns sum_j shift[j] * out[j]. */
    double (*weigh)(size_t count, const double *weights, const double *shift, const double *scale,
                    double *out);
    /* out[j] = sum_g factor[g] * partial[g * width + j] for j < count, group after group; with a scale that times
     * scale[j] after total * shift[j] was taken off. */
    void (*combine)(size_t groups, size_t width, const double *factor, const double *partial, size_t count,
                    const double *shift, const double *scale, double total, double *out);
    /* slope[i] = s(margin[i]) e^reference: logistic 1 / (e^{-reference} + e^{margin - reference}),
     * exponential e^{reference - margin}; both arrays hold SF_ROWS numbers. Returns the sum of the first
     * count. */
    double (*slopes)(sf_loss loss, size_t count, double reference, const double *margin, double *slope);
} sf_network_kernels;

/* The table of an instruction set; NULL for the plain reference or where it was not built. */
const sf_network_kernels *sf_network_kernels_of(sf_isa isa);

extern const sf_network_kernels sf_network_kernels_avx2, sf_network_kernels_avx512, sf_network_kernels_neon;

#endif
