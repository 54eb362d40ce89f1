/* Passes over the data with the fast kernels. */
#ifndef SF_NETWORK_FIELD_H
#define SF_NETWORK_FIELD_H

#include "network/state.h"

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

/* field (stored) = sum_n rate_n <z_n, weights> z_n, N > 1: how the field turns with the weights; returns
 * sum_n rate_n <z_n, weights>. Rows whose rate is 0 are left out where that is easy. Takes the weights itself. */
double sf_field_turn(sf_network *network, const double *weights, const double *rate, double *field);

/* Features that combine and take best have together: by columns a tile, which stays in the nearest cache between them;
 * and features of a task, a multiple of it. */
size_t sf_field_unit(const sf_network *network);
size_t sf_field_chunk(const sf_network *network);

/* take for all features, on the threads of the network. Who keeps network->takes sees when others took theirs. */
void sf_field_take_all(sf_network *network, const double *weights);

/* Margins alone (N), into network->margin; takes the weights itself. */
void sf_field_margins(sf_network *network, const double *weights);

#endif
