/* Sweeps whose points need no YAML: which they are, and the way in which their points are computed. */
#ifndef SF_SWEEP_LEAN_H
#define SF_SWEEP_LEAN_H

#include "sweep/run/sweep.h"

/* Finds out whether the sweep is lean, and which way its points can be computed. values: room for one an axis. fixed: of
 * a variant, the indices of its groups (grid.h); NULL: all are free. */
sf_status sf_sweep_test_lean(sf_sweep *sweep, const uint64_t *fixed, grid_value *values);
/* The hash of a point of a lean sweep; scratch: one hash a leaf. */
sf_hash sf_sweep_lean_hash(const sf_sweep *sweep, const grid_value *values, sf_hash *scratch);

#endif
