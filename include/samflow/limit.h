/* samflow/limit.h - the direction at infinity of a flow, named and certified, or "unknown".
 *
 * The flow runs to checkpoints a factor e apart in log t until its direction settles. A direction reached at a finite
 * time proves nothing by itself: an early leader may be overtaken at log t = 1e6. So a kind is named only on evidence:
 *   one example    exact facts at the state reached (which coordinates can only grow from here on, and which of them
 *                  grows fastest), or a blow-up in progress that the others no longer take part in;
 *   many examples  the max-margin direction of the problem that the network can express, unique and certified by its
 *                  own KKT conditions, which the flow approaches at the rate that theory gives: the direction error falls
 *                  like 1 / log t, or like (log t)^{zeta - 1} where a coordinate off the support does so
 *                  (theory, sections 2, 4 to 6).
 * Ties, finite limit points, non-unique margins and starts within 1e-9 of the critical scale come out as what they are.
 */
#ifndef SAMFLOW_LIMIT_H
#define SAMFLOW_LIMIT_H

#include <samflow/margin.h>
#include <samflow/theory.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_limit sf_limit;

typedef struct sf_limit_options {
    double log_time;       /* the search ends here at the latest; 0: 1e6 (lp-SAM, and l2-SAM
                          and USAM of depth >= 3: 2e4), for one example 1e12 */
    double tolerance;      /* it ends when the direction changes less over a factor e in log t; 0: 1e-6 */
    double flow_tolerance; /* of the integrator; 0: its default */
} sf_limit_options;

typedef struct sf_limit_report {
    sf_limit_kind
        kind; /* also SF_LIMIT_DIRECTION (a tie: no basis vector) and SF_LIMIT_POINT (beta itself converges) */
    int64_t index;           /* coordinate of a basis vector, else -1 */
    sf_norm norm;            /* in which directions have length 1 */
    const double *direction; /* (d) the limit if it is known, else the direction reached; NULL for zero */
    const double *reached;   /* (d) direction at log_time; NULL if beta is 0 */
    bool nonnegative;        /* the network cannot leave beta >= 0, so its margin problem is over beta >= 0 */
    double tau, log_time;    /* where the run ended */
    double change;           /* ||direction - direction a factor e in log t earlier||; NaN if there is none */
    double distance;         /* ||reached - direction||; NaN unless the limit is known */
    double angle_l1, angle_l2,
        angle_nonnegative; /* radians from `reached` to the max-margin directions: of either norm with
                                                     free signs, of l1 over beta >= 0; NaN where there is none */
    double kkt_residual;   /* of `reached`, for the margin problem of `norm` */
    double rate_exponent, rate_constant; /* distance = constant * (log t)^-exponent over the last factor e */
    double loss_rate;                    /* d log F / d log t over the last factor e */
    double norm_rate;                    /* d ||beta|| / d log t over the last factor e */
    const char *reason;                  /* what the kind rests on, or why it is unknown; static */
} sf_limit_report;

/* Finds the limit of the flow of a network from theta (L*d). options may be NULL. An integrator that gives up ends the
 * search where it stands (the answer is then rarely certain). Errors: SF_ERR_ARGUMENT, SF_ERR_MEMORY,
 * SF_ERR_CANCELLED, SF_ERR_UNAVAILABLE (built without SUNDIALS). */
SF_API
sf_status sf_limit_find(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                        const double *theta, const sf_limit_options *options, sf_limit **out);
SF_API
void sf_limit_destroy(sf_limit **limit);

/* The answer; owned by the limit. */
SF_API
const sf_limit_report *sf_limit_get(const sf_limit *limit);

#ifdef __cplusplus
}
#endif
#endif
