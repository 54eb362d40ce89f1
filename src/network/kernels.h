/* The kernels of a pass over the data, one table for each instruction set; the plain reference is network.c
 * itself. */
#ifndef SF_NETWORK_KERNELS_H
#define SF_NETWORK_KERNELS_H

#include <samflow/network.h>

#include "base/isa.h"
#include "network/pack.h"

enum { SF_ROWS = 8 }; // rows that a pass takes together

typedef struct sf_network_kernels {
    /* margin[i] = <z_{row+i}, weights> for i < count <= SF_ROWS. weights: (pack->width). */
    void (*margins)(const sf_pack *pack, size_t row, size_t count, const double *weights, double *margin);
    /* field += sum_i slope[i] z_{row+i}, row after row. field: (pack->width). */
    void (*accumulate)(const sf_pack *pack, size_t row, size_t count, const double *slope, double *field);
    /* out[j - begin] = sum_g factor[g] * partial[g * width + j] for begin <= j < end, group after group. */
    void (*combine)(size_t groups, size_t width, const double *factor, const double *partial, size_t begin,
                    size_t end, double *out);
    /* slope[i] = s(margin[i]) e^reference: logistic 1 / (e^{-reference} + e^{margin - reference}),
     * exponential e^{reference - margin}; both arrays hold SF_ROWS numbers. Returns the sum of the first
     * count. */
    double (*slopes)(sf_loss loss, size_t count, double reference, const double *margin, double *slope);
} sf_network_kernels;

/* The table of an instruction set; NULL for the plain reference or where it was not built. */
const sf_network_kernels *sf_network_kernels_of(sf_isa isa);

extern const sf_network_kernels sf_network_kernels_avx2, sf_network_kernels_avx512, sf_network_kernels_neon;

#endif
