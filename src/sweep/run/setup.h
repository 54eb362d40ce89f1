/* A point as numbers: what an axis sets, and start, example, rho, eta and the number of steps with its values put in. */
#ifndef SF_SWEEP_SETUP_H
#define SF_SWEEP_SETUP_H

#include <samflow/sweep.h>

#include "sweep/grid/grid.h"

/* What an axis sets. */
typedef enum sf_target_kind {
    SF_TARGET_OTHER, // something that needs the general way
    SF_TARGET_END,   // dynamics.until: nothing that regime and limit depend on
    SF_TARGET_INIT,  // every weight
    SF_TARGET_INIT_AT,
    SF_TARGET_LAYER_AT,
    SF_TARGET_EXAMPLE_AT,
    SF_TARGET_RHO,
    SF_TARGET_STEP,
    SF_TARGET_STEPS
} sf_target_kind;

typedef struct sf_target {
    sf_target_kind kind;
    size_t layer, feature;
} sf_target;

sf_target sf_target_of(const char *key);

/* A point as numbers. */
typedef struct sf_setup {
    size_t features, layers;
    double *example; // (d), N = 1; NULL otherwise
    double *theta;   // (L, d)
    double rho, step;
    uint64_t steps;
} sf_setup;

/* The setup of an experiment, and of a point: the first one with the values of the axes put in. The setup is that of
 * sf_setup_create before, or of another point. */
sf_status sf_setup_create(sf_context *context, const sf_experiment *experiment, sf_setup *setup);
void sf_setup_release(sf_context *context, sf_setup *setup);
void sf_setup_put(sf_setup *setup, const sf_target *targets, size_t count, const grid_value *values);
bool sf_setup_same(const sf_setup *a, const sf_setup *b);

#endif
