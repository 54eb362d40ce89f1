/* A sweep that has been read: grid, observables, the experiment of its first point, and what its points share. It is
 * filled by plan.c. */
#ifndef SF_SWEEP_SWEEP_H
#define SF_SWEEP_SWEEP_H

#include <samflow/sweep.h>

#include "sweep/grid/grid.h"
#include "sweep/grid/identity.h"
#include "sweep/grid/observables.h"

typedef struct sf_worker sf_worker;
struct sf_target;
typedef struct sf_scales sf_scales;
typedef struct sf_variants sf_variants;
typedef struct sf_contents sf_contents; // hashes of data sets on the shelf

/* How points are computed. */
typedef enum sf_way {
    SF_WAY_GENERAL, // an experiment each
    SF_WAY_THEORY,  // many at once, by the critical scale
    SF_WAY_BATCH    // many at once, as trajectories in SIMD lanes
} sf_way;

enum { SF_HOLE = 1 }; // a hole is this and the number of the axis plus 1

struct sf_sweep {
    sf_context *context;
    sf_grid *grid;
    char **overrides; // of the command line
    size_t override_count;
    char **templates; // overrides with holes: "data.example=[1, \1\2]" has the value of axis 1 at its end
    size_t template_count;
    sf_experiment *first; // the experiment of the first point
    char *settings;       // ... as JSON
    sf_leaves leaves;     // ... flattened, with version and content of the data file
    size_t *axis_leaf;    // (axes) index of the leaf that an axis sets; only if lean
    bool lean;            // a point's settings are those of the first with the numbers of the axes put in
    struct sf_target *targets; // (axes) what they set
    sf_way way;
    sf_scales *scales; // way of theory: critical scales that the workers share
    bool distinct;     // no two positions have the same settings, by construction
    sf_hash identity;  // of the grid: its axes and all that the points share
    sf_shelf *shelf;   // data files are read once
    sf_contents *contents;
    sf_variants *variants; // where some axes are no numbers; NULL: none
    sf_measure *measure;
    sf_worker *worker; // of the calling thread, made when needed
};

/* Reading large data takes its time: a check of many experiments is content with the most telling ones after this long. */
#define SF_CHECK_SECONDS 2.0

#endif
