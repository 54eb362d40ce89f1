/* Private face of the room network/. */
#ifndef SF_NETWORK_PRIVATE_H
#define SF_NETWORK_PRIVATE_H

#include <samflow/network.h>

#include "data/dataset.h"

struct sf_network {
    sf_context *context;
    const sf_dataset *dataset;
    int depth;
    sf_loss loss;
    size_t d;
    double *beta;  // (d) work space: predictor
    double *field; // (d) work space: sum_n p_n z_n
    double *row;   // (stored) work space of mirrored data, else NULL: beta_j - beta_{stored+j}
};

#endif
