/* Private face of the room network/. */
#ifndef SF_NETWORK_PRIVATE_H
#define SF_NETWORK_PRIVATE_H

#include "network/field.h"
#include "network/state.h"

/* A network that takes the plain reference, whatever the machine. */
sf_status sf_network_create_plain(sf_context *context, const sf_dataset *dataset, int depth, sf_loss loss,
                                  sf_network **out);

/* Row weights of a predictor: itself, or network->row filled for mirrored data. */
const double *sf_network_row_weights(sf_network *network, const double *beta);

/* dfield (d) = sum_n rate_n <z_n, dbeta> z_n for dbeta (d) and rates (N), N > 1; returns sum_n rate_n <z_n, dbeta>. dbeta
 * and dfield may be the same array. */
double sf_network_turn(sf_network *network, const double *dbeta, const double *rate, double *dfield);

#endif
