/* Computing points: one worker a thread. */
#ifndef SF_SWEEP_POINT_H
#define SF_SWEEP_POINT_H

#include "sweep/plan.h"
#include "sweep/rows.h"

/* Worker `number` of a run, with a context of its own, forked from the sweep's. */
sf_status sf_worker_create(const sf_sweep *sweep, size_t number, sf_worker **out);
void sf_worker_destroy(sf_worker **worker);
sf_context *sf_worker_context(sf_worker *worker);

/* Appends the rows of these points. A point that fails is a row with its reason. Errors: SF_ERR_CANCELLED (the rows
 * of points finished before are there), SF_ERR_MEMORY. */
sf_status sf_worker_compute(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows);

/* Identity of a point, by the sweep's own worker: for the thread that writes. */
sf_status sf_point_hash(sf_sweep *sweep, uint64_t position, sf_hash *hash);

#endif
