/* The original time t along a step. */
#ifndef SF_THEORY_CLOCK_H
#define SF_THEORY_CLOCK_H

#include <samflow/network.h>

#include "theory/taylor.h"

/* log of the time t' spent between from and to (0 <= from <= to <= radius) of a step; -infinity if from = to.
 */
sf_real sf_clock_span(const sf_step *step, sf_loss loss, sf_real from, sf_real to);

/* log t' at x from the end point alone, where t has been growing so fast that all of it was spent just
 * before; NaN where that is not certain to rounding. */
sf_real sf_clock_tail(const sf_step *step, sf_real x);

#endif
