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

#endif
