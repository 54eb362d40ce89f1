/* What a network holds. */
#ifndef SF_NETWORK_STATE_H
#define SF_NETWORK_STATE_H

#include <samflow/network.h>

#include "base/pool.h"
#include "data/dataset.h"
#include "network/kernels.h"
#include "network/pack.h"

enum { SF_GROUPS = 16 }; // most groups of rows

/* What one group of rows gives: e^{-reference} * sum = sum of its slopes, the same of row_n s_n; its part of the field
 * lies beside it. */
typedef struct sf_field_part {
    double reference, sum, signed_sum;
} sf_field_part;

/* The field of a pass: sum_g factor[g] * partial[g] = sum_n p_n z_n before shift and scale, signed_sum = sum_n row_n p_n,
 * and log((1/N) sum_n s_n). Of a turn: the same with rate_n m_n in place of p_n, and their sum. */
typedef struct sf_field_total {
    double factor[SF_GROUPS], signed_sum, log_scale, sum;
} sf_field_total;

struct sf_network {
    sf_context *context;
    const sf_dataset *dataset;
    int depth;
    sf_loss loss;
    size_t d;
    double *beta;   // (d) work space: predictor
    double *row;    // (stored) work space of mirrored data, else NULL: beta_j - beta_{stored+j}
    double *margin; // (N, padded to SF_ROWS) of the last pass

    // The fast form; kernels is NULL for the plain reference, and then nothing below is used.
    const sf_network_kernels *kernels;
    sf_pack pack;
    double *
        weights; // (pack.stride) row weights times scale in the columns of the pack; NULL where they are the same
    size_t strips;  // of SF_PACK_STRIP stored features
    double *dots;   // (strips) sum of shift_j weights_j; NULL: no shift
    uint64_t takes; // changes when somebody takes weights
    // by rows
    size_t groups; // of rows, 0 for one example
    sf_field_part part[SF_GROUPS];
    double *partial; // (groups, width padded to whole blocks): e^{reference} sum_n s_n z_n
    // by columns; lanes is NULL otherwise
    double *lanes;  // (strips, N padded, SF_LANES) partial sums of margins
    double *folded; // (strips, N padded) their sums
    double *slope;  // (N padded) row_n s_n e^{reference} of the last pass
    sf_pool *pool;  // NULL: one thread
};

static inline size_t sf_padded(size_t count)
{
    return (count + SF_ROWS - 1) / SF_ROWS * SF_ROWS;
}

#endif
