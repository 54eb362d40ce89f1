/* The batched update of one block of trajectories, one table for each instruction set.
 *
 * A block holds `lanes` trajectories; entry k of all of them is one row, row k at theta + k * lanes. */
#ifndef SF_LANES_H
#define SF_LANES_H

#include <samflow/sam.h>

#include "base/isa.h"

typedef struct sf_lanes {
    sf_method method; // all but LP
    sf_loss loss;
    int depth;
    bool equal; // N = 1, L <= 4: all layers of all trajectories are alike, and only the first is kept
    size_t d, stored, n;   // d = 2 * stored if mirrored
    double *theta;         // (L or 1, d, lanes)
    const double *rho;     // (lanes)
    const double *eta;     // (lanes)
    const double *example; // (d, lanes), N = 1
    const double *rows;    // N > 1: z in panels of `panel` rows, feature by feature; missing rows are 0
    const double *columns; // N > 1: z in panels of `panel` features, row by row; missing features are 0
    double *work;          // sf_lanes_work doubles, N > 1
} sf_lanes;

/* A bit for each lane; blocks have at most 64. */
typedef uint64_t sf_lane_mask;

typedef struct sf_lanes_kernels {
    size_t lanes_single, lanes_many; // trajectories in a block, N = 1 and N > 1
    size_t panel;
    /* Takes `steps` steps with every lane. The mask tells the lanes whose result is not to be trusted: a number that
     * is not finite, or a gradient whose square left the range of doubles; the others are right. */
    sf_lane_mask (*single)(const sf_lanes *lanes, uint64_t steps);
    sf_lane_mask (*many)(const sf_lanes *lanes, uint64_t steps);
} sf_lanes_kernels;

enum { SF_LANES_MAX_DEPTH = 8, SF_LANES_MAX_EQUAL_DEPTH = 4 };

/* Doubles of work space that `many` needs. */
static inline size_t sf_lanes_work(const sf_lanes_kernels *kernels, size_t n, size_t d, size_t stored,
                                   int depth)
{
    size_t panel = kernels->panel, padded = (stored + panel - 1) / panel * panel,
           rows = (n + panel - 1) / panel * panel;
    return kernels->lanes_many * (stored + padded + rows + d * (size_t)depth);
}

/* NULL for the plain reference or where it was not built. */
const sf_lanes_kernels *sf_lanes_kernels_of(sf_isa isa);

extern const sf_lanes_kernels sf_lanes_kernels_avx2, sf_lanes_kernels_avx512, sf_lanes_kernels_neon;

#endif
