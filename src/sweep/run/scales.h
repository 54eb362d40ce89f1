/* Regime and limit of l2-SAM at L = 2 on one example, by the critical scale alone. */
#ifndef SF_SWEEP_SCALES_H
#define SF_SWEEP_SCALES_H

#include "sweep/run/setup.h"
#include "sweep/run/sweep.h"

/* Whether one critical scale decides regime and limit (positive example with one strongest feature, all weights alike),
 * and which they are; false too close to a boundary. */
bool sf_setup_has_scale(const sf_setup *setup);
bool sf_setup_classify(const sf_setup *setup, double scale, sf_finding *finding);
/* alpha_c(mu, 1) of the setup, NaN if there is none. ones: (d) of 1. */
sf_status sf_setup_scale(sf_context *context, const sf_setup *setup, const double *ones, double *scale);

/* The critical scales that the workers of a sweep share: one for each combination of values of the axes that set the
 * example. NULL if there are too many of them to keep. */
sf_status sf_scales_create(sf_sweep *sweep, sf_scales **out);
void sf_scales_destroy(sf_context *context, sf_scales **scales);
/* That of a position, whose setup is given; computed if nobody has done so yet. */
sf_status sf_scales_find(const sf_sweep *sweep, uint64_t position, sf_context *context, const sf_setup *setup,
                         const double *ones, double *scale);

#endif
