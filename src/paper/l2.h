/* Starts of l2-SAM at depth 2 on one example, alpha * 1, and what the exact reduction says of them.
 *
 * Predictions come from the exact reduction (theory.h): for equal layers alpha * 1,
 *   log w_j = log alpha + mu_j tau - mu_j^2 B,  dB/d tau = rho / n,
 * so |beta_j| > |beta_i| with mu_j > mu_i exactly when tau / B > mu_i + mu_j. Measurements come from the flow of the network
 * itself, integrated without knowledge of the reduction, and from discrete updates. */
#ifndef SF_PAPER_L2_H
#define SF_PAPER_L2_H

#include "paper/claim.h"

enum { L2_FEATURES = 100 }; // at most

/* A flow from alpha * 1. The example is given twice: the same loss, but the engine then integrates the network coordinate
 * by coordinate, as it does for any data set, and not by the reduction, which it would use for a single example. */
sf_status sf_l2_flow(sf_outcome *out, size_t d, const double *mu, double rho, double alpha, sf_flow **flow);
sf_status sf_l2_reduction(sf_outcome *out, size_t d, const double *mu, double rho, double alpha,
                          sf_reduction **reduction);

/* The scale up to which the flow collapses. */
sf_status sf_l2_critical_scale(sf_outcome *out, size_t d, const double *mu, double rho, double *alpha);
/* The scale from which the major feature leads at the start: sqrt(2) alpha ||mu|| / rho = mu_{d-1} + mu_d. */
double sf_l2_major_scale(size_t d, const double *mu, double rho);

#endif
