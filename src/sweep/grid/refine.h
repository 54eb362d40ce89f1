/* Adaptive refinement: points where neighbouring cells differ. */
#ifndef SF_SWEEP_REFINE_H
#define SF_SWEEP_REFINE_H

#include "sweep/run/sweep.h"

typedef struct sf_refinement sf_refinement;

/* The cell that refinement looks at, of a position; NULL if the point failed. Texts need to stay until the next call. */
typedef sf_status (*sf_value_fn)(void *argument, uint64_t position, sf_cell *cell);

sf_status sf_refinement_create(sf_sweep *sweep, sf_refinement **out);
void sf_refinement_destroy(sf_refinement **refinement);

/* The next positions to have values, in increasing order, owned by the refinement until the next call; count 0: done.
 * The values of those given before are asked for by `value`. */
sf_status sf_refinement_next(sf_refinement *refinement, sf_value_fn value, void *argument,
                             const uint64_t **positions, size_t *count);

#endif
