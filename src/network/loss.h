/* The losses ell(m) of a margin, in logarithms and in double: the one home of their formulas. With s = -ell'(m) > 0:
 *
 *   logistic     ell = log(1 + e^{-m})   log s = -log(1 + e^m)   d log s / dm = s - 1
 *   exponential  ell = e^{-m}            log s = -m              d log s / dm = -1
 *
 * Other precisions follow them: the vector kernels (network/kernels.inc.h, sam/lanes.inc.h), and the clock of the
 * exact reduction in long double (theory/clock.c, theory/reduction.c).
 */
#ifndef SF_LOSS_H
#define SF_LOSS_H

#include <math.h>

#include <samflow/network.h>

static inline double sf_log_slope(sf_loss loss, double margin)
{
    return loss == SF_LOSS_EXPONENTIAL ? -margin : -sf_log1p_exp(margin);
}

static inline double sf_log_loss(sf_loss loss, double margin)
{
    if (loss == SF_LOSS_EXPONENTIAL)
        return -margin;
    // log log(1 + e^{-m}): log(e^{-m} - e^{-2m}/2) = -m - e^{-m}/2 to double precision beyond 37
    return margin > 37.0 ? -margin : log(sf_log1p_exp(-margin));
}

/* d log s / dm, from log s. */
static inline double sf_log_slope_rate(sf_loss loss, double log_slope)
{
    return loss == SF_LOSS_EXPONENTIAL ? -1.0 : expm1(log_slope);
}

/* A margin at which slopes are measured, so that they neither overflow nor all underflow; low is the smallest margin. */
static inline double sf_reference_margin(sf_loss loss, double low)
{
    return loss == SF_LOSS_LOGISTIC ? fmax(0.0, low) : low;
}

#endif
