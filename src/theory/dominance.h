/* Which feature leads when. */
#ifndef SF_THEORY_DOMINANCE_H
#define SF_THEORY_DOMINANCE_H

#include "theory/reduction.h"

/* All leaders from tau = 0 to the end of the trajectory, in order; *out is allocated from the context. */
sf_status sf_dominance(sf_reduction *reduction, sf_leader **out, size_t *count);

/* All start predictors that move are the same and the layers equal: tau / B alone orders the features. */
bool sf_dominance_uniform(const sf_reduction *reduction);

#endif
