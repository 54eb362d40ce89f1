/* What a worker has for itself. Shared by the ways in which points are computed. */
#ifndef SF_SWEEP_WORKER_H
#define SF_SWEEP_WORKER_H

#include "sweep/lean.h"
#include "sweep/measured.h"
#include "sweep/point.h"

struct sf_worker {
    const sf_sweep *sweep;
    sf_context *context;
    size_t number;      // from 0, among those of the run
    grid_value *values; // (axes)
    sf_hash *hashes;    // (leaves)
    sf_cell *cells;     // (observables)
    char *text;         // lists among the cells
    size_t room;
    char *times; // an override, "record.at.tau=[...]"
    size_t times_room;
    sf_findings findings;
    sf_setup setup;       // lean ways
    sf_network *network;  // batch: over the data of the first point
    double *ones;         // (d)
    double *predictor;    // (d)
    sf_worker **variants; // (variants) workers of their own; NULL where not needed yet
    uint64_t *sorted;     // (room_sorted) positions of a block, variant by variant
    size_t room_sorted;
};

/* values and setup of a position; lean ways. */
void sf_worker_set(sf_worker *worker, uint64_t position);
/* The row of a finding. */
sf_status sf_worker_append(sf_worker *worker, uint64_t position, const sf_hash *hash,
                           const sf_finding *finding, sf_rows *rows);
/* One point, the general way. */
sf_status sf_worker_point(sf_worker *worker, uint64_t position, sf_rows *rows);

/* Blocks of points of a lean sweep. What these ways cannot tell for certain goes the general way. */
sf_status sf_worker_theory(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows);
sf_status sf_worker_batch(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows);

/* The critical scales that the workers of a sweep share: one for each combination of values of the axes that set the
 * example. NULL if there are too many of them to keep. */
sf_status sf_scales_create(sf_sweep *sweep, sf_scales **out);
void sf_scales_destroy(sf_context *context, sf_scales **scales);

#endif
