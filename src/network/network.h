/* Private face of the room network/. */
#ifndef SF_NETWORK_PRIVATE_H
#define SF_NETWORK_PRIVATE_H

#include <samflow/network.h>

#include "base/pool.h"
#include "data/dataset.h"
#include "network/kernels.h"
#include "network/pack.h"

enum { SF_GROUPS = 16 }; // most groups of rows

/* What one group of rows gives: e^{-reference} * sum = sum of its slopes; its part of the field lies beside
 * it. */
typedef struct sf_field_part {
    double reference, sum;
} sf_field_part;

/* The field of a pass: sum_g factor[g] * partial[g] = sum_n p_n z_n, and log((1/N) sum_n s_n). */
typedef struct sf_field_total {
    double factor[SF_GROUPS], log_scale;
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
    size_t groups; // of rows, 0 for one example
    sf_field_part part[SF_GROUPS];
    double *partial; // (groups, width padded to whole blocks): e^{reference} sum_n s_n z_n
    double *weights; // (width padded) row weights in the columns of the pack; NULL where they are the same
    sf_pool *pool;   // NULL: one thread
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

/* A pass over the data, N > 1, with the fast kernels. weights: (stored), the predictor, or for mirrored data
 * beta_j - beta_{stored+j}. backward: last rows first, so that a pass finds in cache what the one before read
 * last (the order of the sum, and so its last bits, differ). Leaves the margins in network->margin. */
void sf_field_pass(sf_network *network, const double *weights, bool backward, sf_field_total *total);

/* field[j] of the last pass for begin <= j < end, stored features. */
void sf_field_combine(const sf_network *network, const sf_field_total *total, size_t begin, size_t end,
                      double *field);

/* Margins alone (N), into network->margin. */
void sf_field_margins(sf_network *network, const double *weights);

/* Row weights of a predictor: itself, or network->row filled for mirrored data. */
const double *sf_network_row_weights(sf_network *network, const double *beta);

#endif
