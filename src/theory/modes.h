/* The exponential modes of the reduction: n^2 as a sum of exponentials in (tau, B). */
#ifndef SF_THEORY_MODES_H
#define SF_THEORY_MODES_H

#include <samflow/sam.h>

#include "base/base.h"
#include "theory/real.h"

enum {
    SF_TAYLOR_ORDER = 24,
    SF_MOMENTS = 2 * SF_TAYLOR_ORDER + 3, // of strength to the powers -1 .. 2 K + 1
    SF_FEW_MODES = 24                     // up to here mode by mode is cheaper than moments
};

/* Units: strengths are divided by a power of two c >= max |mu|, so |lambda| <= 1; time by c^-1, B by c^-2,
 * n by rho c. The original values are tau = tau' / c, B = B' / c^2, n = rho c n', <beta, mu> = margin_unit *
 * S. */
typedef struct sf_modes {
    sf_context *context;
    size_t count;
    sf_real *lambda;       // (count) ascending, no zeros, no duplicates
    sf_real *log_strength; // (count) log |lambda|
    sf_real *log_weight;   // (count) log of lambda^2 a^2 / 2 at tau = B = 0
    size_t first_growing;  // first lambda > 0; count if there is none
    double unit;           // c
    sf_real rho;           // the radius, 1 for gradient descent
    sf_real margin_unit;   // rho^2 c
    bool descent;          // gradient descent: B = 0
    sf_real cut;           // modes below e^-cut of the largest do not count
} sf_modes;

/* The modes of a start (w1, w2) over mu, d numbers each. Many features (more than a few thousand) are
 * replaced by the Gauss quadratures of narrow bins of strength, which carry the same n^2 to rounding. */
sf_status sf_modes_create(sf_context *context, size_t d, const double *mu, const double *w1, const double *w2,
                          double rho, sf_modes *modes);
/* The same modes in wider bins, for the critical scale: by the time their differences matter, errors are
 * damped. */
sf_status sf_modes_coarsen(const sf_modes *modes, sf_modes *coarse);
void sf_modes_release(sf_modes *modes);

/* The modes that count at one (tau, B). */
typedef struct sf_snapshot {
    size_t active;
    sf_real *lambda, *weight;      // (active) weights sum to 1
    sf_real *scratch;              // (3 * count)
    sf_real log_n;                 // -infinity if there is no mode
    sf_real inverse, mean, square; // sums of weight / lambda, weight * lambda, weight * lambda^2
} sf_snapshot;

sf_status sf_snapshot_create(const sf_modes *modes, sf_snapshot *snapshot);
void sf_snapshot_release(const sf_modes *modes, sf_snapshot *snapshot);
/* log_factor: the start is multiplied by its exponential. */
void sf_snapshot_take(const sf_modes *modes, sf_real log_factor, sf_real tau, sf_real b,
                      sf_snapshot *snapshot);

/* Growth for ever is certain: for some strength L the modes with 0 < lambda <= L alone have n > L, so all of
 * them grow and n with them. */
bool sf_snapshot_grows(const sf_snapshot *snapshot);
/* Collapse is certain: n is below every growing strength, so every mode shrinks. */
bool sf_snapshot_shrinks(const sf_modes *modes, const sf_snapshot *snapshot);

#endif
