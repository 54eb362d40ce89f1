/* One point, the general way, and its identity. */
#ifndef SF_SWEEP_POINT_H
#define SF_SWEEP_POINT_H

#include "sweep/run/worker.h"

/* Appends the row of a point; if it fails, with its reason. Errors: SF_ERR_CANCELLED, SF_ERR_MEMORY. */
sf_status sf_worker_point(sf_worker *worker, uint64_t position, sf_rows *rows);

/* Identity of a point, by the sweep's own worker: for the thread that writes. */
sf_status sf_point_hash(sf_sweep *sweep, uint64_t position, sf_hash *hash);

#endif
