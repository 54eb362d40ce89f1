/* The trajectory of the reduction, kept as Taylor steps. */
#ifndef SF_THEORY_REDUCTION_H
#define SF_THEORY_REDUCTION_H

#include <samflow/theory.h>

#include "theory/taylor.h"

/* Products of decimals on their way through doubles: sizes this close, relative, are level. */
#define SF_LEVEL 0x1p-49

typedef enum sf_reduction_end {
    SF_END_OPEN,     // more steps can be taken
    SF_END_COLLAPSE, // n = 0 at the end of the last step
    SF_END_FROZEN,   // B no longer changes and log t is beyond the range of a double
    SF_END_STILL     // nothing moves: no mode at all
} sf_reduction_end;

struct sf_reduction {
    sf_context *context;
    size_t d;
    double *mu, *w1, *w2; // (d)
    sf_loss loss;
    sf_modes modes;
    sf_snapshot snapshot; // at the end of the last step, unless it is `elsewhere`
    bool elsewhere;
    sf_series *series;
    sf_step *steps;
    size_t count, capacity;
    sf_real tau, b; // at the end of the last step
    sf_reduction_end end;
    sf_real log_end_time; // log t' at a collapse, once known; NaN before
    sf_leader *leaders;   // once asked for
    size_t leader_count;
};

/* Takes steps until tau (B, for the second) is covered or the trajectory has ended. */
sf_status sf_reduction_cover(sf_reduction *reduction, sf_real tau);
/* Takes one more step; no effect at the end. */
sf_status sf_reduction_extend(sf_reduction *reduction);

/* log t' at x of step k, in the units of the modes (log t = log t' - log unit). */
sf_real sf_reduction_step_time(sf_reduction *reduction, size_t k, sf_real x);
/* The same, summed on from log t' at `from` <= x in the step; log_from NaN: from its start. */
sf_real sf_reduction_time_from(sf_reduction *reduction, size_t k, sf_real x, sf_real from, sf_real log_from);
/* log t in the original unit at x of step k. */
double sf_reduction_log_time(sf_reduction *reduction, size_t k, sf_real x);

#endif
