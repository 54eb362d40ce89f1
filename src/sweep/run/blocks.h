/* Blocks of points: each by the way in which its points are computed. */
#ifndef SF_SWEEP_BLOCKS_H
#define SF_SWEEP_BLOCKS_H

#include "sweep/run/worker.h"

/* Appends the rows of these points. A point that fails is a row with its reason. Errors: SF_ERR_CANCELLED (the rows
 * of points finished before are there), SF_ERR_MEMORY. */
sf_status sf_worker_compute(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows);

/* The ways of lean sweeps. What these cannot tell for certain goes the general way. */
sf_status sf_worker_theory(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows);
sf_status sf_worker_batch(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows);

#endif
