/* The points of a grid, one after another, as settings and, where that is enough, as numbers.
 *
 * Axes of start, example, rho, eta, steps and ends are lanes: points that differ in lanes alone share a frame, an
 * experiment that is made once, and can be computed side by side. All other axes tell frames apart. */
#ifndef SF_SWEEP_PROBE_H
#define SF_SWEEP_PROBE_H

#include "sweep/grid/point.h"
#include "sweep/run/critical.h"

typedef struct sf_frame {
    bool made;
    uint64_t number, used; // used: when it was entered last
    sf_experiment *experiment;
    sf_hash content; // of its data files
} sf_frame;

enum { SF_MOST_FRAMES = 8 };

typedef struct sf_probe {
    sf_context *context;
    const sf_grid *grid;
    sf_data_cache *cache;
    sf_point point;
    bool lane[SF_MOST_AXES]; // (groups) every axis of the group is a lane
    bool lanes, examples;    // some group is, and some lane is of the example
    sf_frame frames[SF_MOST_FRAMES];
    uint64_t clock;
    sf_frame *frame;    // entered last
    sf_numbers numbers; // of the position set last, in that frame
} sf_probe;

/* As sf_point_create. */
sf_status sf_probe_create(sf_context *context, const sf_grid *grid, const sf_settings *base,
                          sf_data_cache *cache, sf_probe *probe);
void sf_probe_release(sf_probe *probe);

/* Number of the frame that a position is in. */
uint64_t sf_probe_frame(const sf_probe *probe, uint64_t position);
/* Sets the position and enters its frame, which is made if need be; the numbers are those of the position. Errors: as
 * sf_point_set and sf_experiment_create. */
sf_status sf_probe_enter(sf_probe *probe, uint64_t position);
/* Another position of the same frame. Errors: as sf_point_set. */
sf_status sf_probe_move(sf_probe *probe, uint64_t position);
/* Whether lanes of the example are right as they stand in the settings. */
bool sf_probe_follows(const sf_probe *probe);

#endif
