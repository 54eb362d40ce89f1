/* Adaptive refinement: points where neighbouring cells differ. */
#ifndef SF_SWEEP_REFINE_H
#define SF_SWEEP_REFINE_H

#include "sweep/session.h"

typedef struct sf_refinement sf_refinement;

sf_status sf_refinement_create(sf_sweep *sweep, sf_refinement **out);
void sf_refinement_destroy(sf_refinement **refinement);

/* The next positions to have values, in increasing order, owned by the refinement until the next call; count 0: done.
 * The values of those given before are read from the session. */
sf_status sf_refinement_next(sf_refinement *refinement, sf_session *session, const uint64_t **positions,
                             size_t *count);

#endif
