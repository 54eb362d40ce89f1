/* What a worker has for itself, and the ways in which it computes points. */
#ifndef SF_SWEEP_WORKER_H
#define SF_SWEEP_WORKER_H

#include "sweep/run/measured.h"
#include "sweep/run/probe.h"
#include "sweep/run/sweep.h"
#include "sweep/store/rows.h"

struct sf_worker {
    const sf_sweep *sweep;
    sf_context *context;
    size_t number;  // from 0, among those of the run
    sf_cell *cells; // (observables)
    char *text;     // lists among the cells
    size_t room;
    sf_findings findings;
    sf_probe probe;
    double *predictor; // (d) scratch; of theory: the last example, to which `scale` belongs
    double scale;      // NaN: none
    uint64_t *sorted;  // (room_sorted, 2) frame and position of each point of a block
    size_t room_sorted;
};

/* Worker `number` of a run, with a context of its own, forked from the sweep's. */
sf_status sf_worker_create(const sf_sweep *sweep, size_t number, sf_worker **out);
void sf_worker_destroy(sf_worker **worker);

/* Appends the rows of these points. A point that fails is a row with its reason. Errors: SF_ERR_CANCELLED (the rows
 * of points finished before are there), SF_ERR_MEMORY. */
sf_status sf_worker_compute(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows);

/* One point as an experiment of its own; points of the frame that was entered, as numbers. What these cannot tell for
 * certain goes the first way. */
sf_status sf_worker_point(sf_worker *worker, uint64_t position, sf_rows *rows);
sf_status sf_worker_theory(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows);
sf_status sf_worker_batch(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows);

/* Appends a row: what it says of itself, with outcome and cells of the finding. */
sf_status sf_worker_append(sf_worker *worker, sf_row *row, const sf_finding *finding, sf_rows *rows);

/* The identity of a position, for the thread that writes. Errors: SF_ERR_MEMORY, SF_ERR_CANCELLED. */
sf_status sf_sweep_hash(sf_sweep *sweep, uint64_t position, sf_hash *hash);

#endif
