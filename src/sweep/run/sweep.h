/* A sweep that has been read: grid, observables, the experiment of its first point, and what its points share. It is
 * filled by plan.c. */
#ifndef SF_SWEEP_SWEEP_H
#define SF_SWEEP_SWEEP_H

#include <samflow/sweep.h>

#include "sweep/grid/grid.h"
#include "sweep/grid/observables.h"
#include "sweep/grid/point.h"
#include "sweep/run/critical.h"

typedef struct sf_worker sf_worker;

struct sf_sweep {
    sf_context *context;
    sf_grid *grid;
    sf_data_cache *cache;  // data files are read once
    sf_critical *critical; // critical scales that the workers share
    sf_point point;        // of the calling thread
    sf_experiment *first;  // the experiment of the first point
    char *settings;        // ... its settings as JSON
    sf_hash origin;        // ... its identity
    bool distinct;         // no two positions have the same settings, by construction
    sf_hash identity;      // of the grid: its axes and all that the points share
    sf_measure *measure;
    sf_worker *worker; // of the calling thread, made when needed
};

/* What the options of a run ask for. Errors: SF_ERR_USAGE. */
sf_status sf_options_check(const sf_sweep *sweep, const sf_sweep_options *options);
/* Whether the number-th point of a list is in the part that the options ask for. */
bool sf_is_mine(const sf_sweep_options *options, uint64_t number);

#endif
