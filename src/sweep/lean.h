/* Points without YAML: numbers are put straight into the start, the example, rho, eta and the number of steps, and many
 * points are computed at once, by theory or by a batch of trajectories. */
#ifndef SF_SWEEP_LEAN_H
#define SF_SWEEP_LEAN_H

#include "sweep/plan.h"

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

/* Of l2-SAM at L = 2 on one example: whether one critical scale decides regime and limit (positive example with one
 * strongest feature, all weights alike), and which they are; false too close to a boundary. theory_points.c. */
bool sf_setup_has_scale(const sf_setup *setup);
bool sf_setup_classify(const sf_setup *setup, double scale, sf_finding *finding);

/* Finds out whether the sweep is lean, and which way its points can be computed. values: room for one an axis. fixed: of
 * a variant, the indices of its groups (variants.h); NULL: all are free. */
sf_status sf_sweep_test_lean(sf_sweep *sweep, const uint64_t *fixed, grid_value *values);
/* The hash of a point of a lean sweep; scratch: one hash a leaf. */
sf_hash sf_sweep_lean_hash(const sf_sweep *sweep, const grid_value *values, sf_hash *scratch);

#endif
