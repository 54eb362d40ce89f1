/* The critical scale of the modes. */
#ifndef SF_THEORY_CRITICAL_H
#define SF_THEORY_CRITICAL_H

#include "theory/modes.h"

/* log of the factor that makes the start critical; NaN if there is none (no growing mode: every scale
 * collapses; gradient descent or nothing that moves: none does). *certain: two flows at factors that differ
 * from it by a few rounding errors collapse and grow. */
sf_status sf_critical_log_factor(const sf_modes *modes, sf_real *log_factor, bool *certain);

#endif
