/* linf-SAM at depth L >= 2 on one example mu > 0 with equal layers (Theorem 3.2, Corollary 3.5). Coordinates decouple,
 *   d w_j / d tau = mu_j (w_j - rho)^{L-1},
 * so rho is a gate. With g = |alpha_j - rho| and p = L - 2:
 *   alpha_j > rho   L = 2: w_j - rho = g e^{mu_j tau};  L >= 3: (w_j - rho)^{-p} = g^{-p} - p mu_j tau, infinite at tau_j
 *   alpha_j = rho   w_j stays
 *   alpha_j < rho   even L: 0 is reached, at ln(rho/g)/mu_j (L = 2), (g^{-p} - rho^{-p})/(p mu_j) (L >= 4);
 *                   odd L: (rho - w_j)^{-p} = g^{-p} + p mu_j tau, which tends to rho */
#ifndef SF_PAPER_GATE_H
#define SF_PAPER_GATE_H

#include "paper/claim.h"

enum { GATE_DEPTH = 5, GATE_FEATURES = 3 }; // at most

/* The weight at tau, by the closed forms. */
double sf_gate_weight(int depth, double mu, double rho, double alpha, double tau);
/* When the weight from alpha < rho reaches 0, even depth; and when that from alpha > rho is infinite. */
double sf_gate_time_of_zero(int depth, double mu, double rho, double alpha);
double sf_gate_time_of_infinity(int depth, double mu, double rho, double alpha);

/* A flow from equal layers alpha (d). */
sf_status sf_gate_flow(sf_outcome *out, sf_method method, double rho, int depth, size_t d, const double *mu,
                       const double *alpha, sf_flow **flow);

#endif
