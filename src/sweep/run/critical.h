/* Regime and limit of l2-SAM at L = 2 on one example, by the critical scale alone. */
#ifndef SF_SWEEP_CRITICAL_H
#define SF_SWEEP_CRITICAL_H

#include "sweep/grid/observables.h"

/* A run as numbers: example (features) NULL unless N = 1, start theta (layers, features), rho, eta and steps. */
typedef struct sf_numbers {
    size_t features, layers;
    double *example, *theta;
    double rho, step;
    uint64_t steps;
} sf_numbers;

/* Critical scales that are known, each under its example; shared by threads. */
typedef struct sf_critical sf_critical;
sf_status sf_critical_create(sf_context *context, sf_critical **out);
void sf_critical_destroy(sf_critical **critical);

/* Whether one critical scale decides regime and limit: a positive example with one strongest feature, all weights alike. */
bool sf_critical_decides(const sf_numbers *numbers);
/* alpha_c(mu, 1), NaN if there is none; computed where it is not known (*fresh). Errors: SF_ERR_MEMORY, SF_ERR_CANCELLED, those of
 * sf_critical_factor. */
sf_status sf_critical_find(sf_critical *critical, sf_context *context, const sf_numbers *numbers,
                           double *scale, bool *fresh);
/* Regime and limit for that scale; false too close to a boundary. */
bool sf_critical_classify(const sf_numbers *numbers, double scale, sf_finding *finding);

#endif
