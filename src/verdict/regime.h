/* What a regime is, for predictions, measurements and maps alike.
 *
 * A leader is the coordinate of largest |beta|. Coordinates that start level have one leader, the one that is ahead right
 * afterwards, without a change; of those that stay level for ever it is the first; and a change needs a coordinate that gets
 * ahead (theory/dominance.c from theory, flow/advance.c and sam/watch.h along runs: each says how close is level).
 *
 * minor_first: it grows, and a feature weaker than the strongest that can grow leads at some time; major_first: it grows, and
 * none does; collapse: it does not grow. */
#ifndef SF_VERDICT_REGIME_H
#define SF_VERDICT_REGIME_H

#include <samflow/verdict.h>

/* The regime of a flow that grows, from its leaders in any order. strength (d): |mu_j|; grows (d): which features can grow,
 * NULL: all. SF_REGIME_NONE without leaders. */
SF_LAB_API
sf_regime sf_regime_of_leaders(size_t d, const double *strength, const bool *grows, size_t count,
                               const size_t *leader);

#endif
