/* Perturbed parameters, by the rule of sam/ (rule.h), on float vectors in pieces. */
#ifndef SF_NN_PERTURB_H
#define SF_NN_PERTURB_H

#include "nn/network.h"

/* theta_hat (P) from theta (P) and the gradient (P) times 2^exponent; returns the applied ||eps||. adaptive: T = |theta| + 0.01
 * before and after the rule (ASAM). partial: sf_perturb_partials(P) numbers of work space. */
double sf_nn_perturb(sf_pool *pool, const sf_perturbation *perturbation, bool adaptive, size_t parameters,
                     const float *theta, const float *gradient, int exponent, double *partial,
                     float *theta_hat);
size_t sf_perturb_partials(size_t parameters);

#endif
