/* Sweeps with axes that are no numbers of start, example, rho, eta or steps: optimizer.method, network.depth, loss.
 *
 * For each combination of values of the groups that hold such axes there is a sweep of its own, a variant, in which they
 * are overrides; its points may then be computed many at once (lean.h), where an experiment each would take a hundred
 * times as long. Variants share grid, measure, shelf and positions with the sweep. */
#ifndef SF_SWEEP_VARIANTS_H
#define SF_SWEEP_VARIANTS_H

#include "sweep/run/sweep.h"

enum { SF_MOST_VARIANTS = 16 };

struct sf_variants {
    size_t group_count, group[SF_MOST_AXES]; // those that tell variants apart
    size_t count;
    sf_sweep *items[SF_MOST_VARIANTS]; // NULL: its points are experiments each
};

/* NULL if there are none, too many, or none that can be computed in another way. values: room for one an axis. */
sf_status sf_variants_create(sf_sweep *sweep, grid_value *values, sf_variants **out);
void sf_variants_destroy(sf_context *context, sf_variants **variants);

size_t sf_variant_of(const sf_sweep *sweep, uint64_t position);
/* Releases what a sweep does not share with its variants. */
void sf_sweep_release_own(sf_sweep *sweep);

#endif
