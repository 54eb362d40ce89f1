/* Private face of the room network/. */
#ifndef SF_NETWORK_PRIVATE_H
#define SF_NETWORK_PRIVATE_H

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
 * and log((1/N) sum_n s_n). */
typedef struct sf_field_total {
    double factor[SF_GROUPS], signed_sum, log_scale;
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

/* A network that takes the plain reference, whatever the machine. */
sf_status sf_network_create_plain(sf_context *context, const sf_dataset *dataset, int depth, sf_loss loss,
                                  sf_network **out);

/* Fills what the fast form needs. Errors: SF_ERR_MEMORY; sf_field_release takes what is there. */
sf_status sf_field_prepare(sf_network *network, sf_isa isa);
void sf_field_release(sf_network *network);

/* A pass over the data with the fast kernels, N > 1: first take, for all features, in as many calls and threads as one
 * likes; then pass; then combine, for the features wanted. weights: (stored), the predictor, or for mirrored data
 * beta_j - beta_{stored+j}; the same array in take and pass. begin is a multiple of sf_field_unit, end too or stored.
 * backward: last rows first, so that a pass finds in cache what the one before read last (the order of the sum, and so its
 * last bits, differ; no matter by columns). pass leaves the margins in network->margin; combine gives field[j] for
 * begin <= j < end. */
void sf_field_take(sf_network *network, size_t begin, size_t end, const double *weights);
void sf_field_pass(sf_network *network, const double *weights, bool backward, sf_field_total *total);
void sf_field_combine(const sf_network *network, const sf_field_total *total, size_t begin, size_t end,
                      double *field);

/* Features that combine and take best have together: by columns a tile, which stays in the nearest cache between them;
 * and features of a task, a multiple of it. */
size_t sf_field_unit(const sf_network *network);
size_t sf_field_chunk(const sf_network *network);

/* take for all features, on the threads of the network. Who keeps network->takes sees when others took theirs. */
void sf_field_take_all(sf_network *network, const double *weights);

/* Margins alone (N), into network->margin; takes the weights itself. */
void sf_field_margins(sf_network *network, const double *weights);

/* Row weights of a predictor: itself, or network->row filled for mirrored data. */
const double *sf_network_row_weights(sf_network *network, const double *beta);

#endif
