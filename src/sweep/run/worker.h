/* What a worker has for itself. Shared by the ways in which points are computed. */
#ifndef SF_SWEEP_WORKER_H
#define SF_SWEEP_WORKER_H

#include "sweep/run/measured.h"
#include "sweep/run/setup.h"
#include "sweep/run/sweep.h"
#include "sweep/store/rows.h"

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

/* Worker `number` of a run, with a context of its own, forked from the sweep's. */
sf_status sf_worker_create(const sf_sweep *sweep, size_t number, sf_worker **out);
void sf_worker_destroy(sf_worker **worker);
sf_context *sf_worker_context(sf_worker *worker);
/* The worker that computes the points of a variant (SIZE_MAX: none): its own, or this one. */
sf_status sf_worker_of(sf_worker *worker, size_t variant, sf_worker **of);

/* values and setup of a position; lean ways. */
void sf_worker_set(sf_worker *worker, uint64_t position);
/* Appends a row: what it says of itself, with outcome and cells of the finding. */
sf_status sf_worker_append(sf_worker *worker, sf_row *row, const sf_finding *finding, sf_rows *rows);

#endif
