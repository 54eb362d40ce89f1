/* What the tests of theory/ share: cases with many digits, and an independent integration of the network. */
#ifndef SF_TEST_THEORY_H
#define SF_TEST_THEORY_H

#include "support.h"

#include "theory/real.h" // the rounding of what is tested

enum { MOST = 8 };

typedef struct point_case {
    const char *name;
    size_t d;
    double mu[MOST], w1[MOST], w2[MOST], rho, tau, b, log_n, margin_perturbed, log_time, beta[MOST];
} point_case;

typedef struct change_case {
    const char *name;
    size_t d;
    double mu[MOST], w1[MOST], w2[MOST], rho;
    size_t from, to;
    double tau, log_time;
} change_case;

static inline sf_reduction *reduction_of(sf_context *context, size_t d, const double *mu, const double *w1,
                                         const double *w2, double rho)
{
    sf_reduction *reduction = NULL;
    assert_ok(context, sf_reduction_create(context, d, mu, w1, w2, rho, SF_LOSS_LOGISTIC, &reduction));
    return reduction;
}

#endif
