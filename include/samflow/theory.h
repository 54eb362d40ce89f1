/* samflow/theory.h - what theory says, without simulation.
 *
 * Two exact results for one example z = mu, and what they imply.
 *
 * (1) linf-SAM (and GD, rho = 0), equal layers: coordinates decouple, d w_j/d tau = mu_j (w_j - rho)^{L-1}
 *     (Theorem 3.2, Corollary 3.5), so rho is a gate for every coordinate.
 * (2) l2-SAM, L = 2, any start: with u = w_1 + w_2, v = w_1 - w_2,
 *       u_j = u_j(0) exp(mu_j tau - mu_j^2 B),  v_j = v_j(0) exp(-mu_j tau - mu_j^2 B),
 *       dB/d tau = rho / n,  n^2 = (1/2) sum mu_j^2 (u_j^2 + v_j^2),  beta = (u^2 - v^2) / 4,
 *     one scalar equation for B; O(d) an evaluation (theory, section 3).
 */
#ifndef SAMFLOW_THEORY_H
#define SAMFLOW_THEORY_H

#include <samflow/sam.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- (2) the reduction --------------------------------------------------------------------------------- */

typedef struct sf_reduction sf_reduction;

/* mu, w1, w2: d numbers each, copied. rho >= 0 (0: GD, B = 0). loss fixes the clock log t.
 * Errors: SF_ERR_ARGUMENT, SF_ERR_MEMORY. */
SF_API
sf_status sf_reduction_create(sf_context *context, size_t d, const double *mu, const double *w1,
                              const double *w2, double rho, sf_loss loss, sf_reduction **out);
SF_API
void sf_reduction_destroy(sf_reduction **reduction);

typedef struct sf_reduction_point {
    double tau, b, log_n; /* log_n = -INFINITY after a collapse */
    double log_time, log_loss, margin, margin_perturbed;
    bool collapsed;
} sf_reduction_point;

/* A leader: the coordinate whose |beta| is the largest from this moment on. */
typedef struct sf_leader {
    size_t index;
    double tau;
    double log_time; /* -infinity at the start; infinity where log t itself is beyond the range of a double */
    double log_loss; /* log F at this moment; NaN where log_time is infinity or nothing moves */
} sf_leader;

/* The state at tau, or at the first moment where log t reaches log_time (relative error 1e-10 or better away
 * from alpha_c). SF_ERR_NUMERIC if the integration fails. */
SF_API
sf_status sf_reduction_at_tau(sf_reduction *reduction, double tau, sf_reduction_point *point);
SF_API
sf_status sf_reduction_at_log_time(sf_reduction *reduction, double log_time, sf_reduction_point *point);
/* beta, log|beta| (d each, either may be NULL) at a point. */
SF_API
void sf_reduction_predictor(const sf_reduction *reduction, const sf_reduction_point *point, double *beta,
                            double *log_abs_beta);

/* The whole order of features: every leader from tau = 0 on, in the order of time, until nothing changes any more.
 * Coordinates with the same |mu| and the same start are tied for ever; the smallest index stands for them. count is
 * at least 1 unless every predictor is 0 for ever. *leaders is owned by the reduction. Errors: SF_ERR_NUMERIC,
 * SF_ERR_MEMORY, SF_ERR_CANCELLED. */
SF_API
sf_status sf_reduction_dominance(sf_reduction *reduction, const sf_leader **leaders, size_t *count);

/* The end of a collapse: tau and log t where theta reaches 0. *collapses is false in growth (then tau and log_time are
 * infinite) and for gradient descent. Decided by proof: growth once the modes up to some strength keep n above it, a
 * collapse once n is below every growing strength. */
SF_API
sf_status sf_reduction_fate(sf_reduction *reduction, bool *collapses, double *tau, double *log_time);

/* The largest ratio |beta_minor| / |beta_major| over the flow, for layers that are equal in both coordinates
 * (w_1 = +-w_2 with the sign of mu, so that beta does not change sign): at n = rho (|mu_i| + |mu_j|) where n rises
 * through that, or at the start. log_ratio is infinite if the flow collapses; all NaN for other starts. */
typedef struct sf_peak {
    size_t minor, major;
    double ratio, log_ratio, tau, log_time;
} sf_peak;
SF_API
sf_status sf_reduction_peak(sf_reduction *reduction, size_t minor, size_t major, sf_peak *peak);

/* The critical factor c of a direction of start: c' (w1, w2) collapses for c' < c and grows for c' > c (relative error
 * of c: a few 1e-16 where long double is the 80-bit format, below 1e-13 elsewhere; certified by two flows on either
 * side). For w1 = w2 = 1 it is alpha_c itself. NaN with SF_OK
 * where there is none: rho = 0, no coordinate that moves, or no growing part (u_j = 0 where mu_j > 0, v_j = 0 where
 * mu_j < 0), when every scale collapses. Errors: as above. */
SF_API
sf_status sf_critical_factor(sf_context *context, size_t d, const double *mu, const double *w1,
                             const double *w2, double rho, double *factor);

/* ---- (1) gates, and what limits are called --------------------------------------------------------------- */

typedef enum sf_limit_kind {
    SF_LIMIT_UNKNOWN,
    SF_LIMIT_ZERO,
    SF_LIMIT_BASIS,     /* direction e_index (or -e_index) */
    SF_LIMIT_DIRECTION, /* a tie: direction given */
    SF_LIMIT_POINT,     /* beta itself converges */
    SF_LIMIT_MAX_MARGIN /* the max-margin direction of the data in a norm; given where it is known in closed form */
} sf_limit_kind;

SF_API
const char *sf_limit_kind_name(sf_limit_kind kind); /* "zero", ...; NULL for unknown */

/* What a coordinate does by itself (linf-SAM and GD; coordinates decouple in tau). */
typedef enum sf_gate_kind {
    SF_GATE_UNKNOWN,
    SF_GATE_ZERO,     /* reaches 0 at tau and stays (even depth, below the gate) */
    SF_GATE_LEVEL,    /* tends to a finite level (+-rho^L, or 0 for GD) without reaching it */
    SF_GATE_CONSTANT, /* at the gate, or at rest */
    SF_GATE_GROWS,    /* for ever (depth 1 and 2) */
    SF_GATE_BLOW_UP   /* infinite at tau (depth 3 and more) */
} sf_gate_kind;

typedef struct sf_gate {
    sf_gate_kind kind;
    double tau; /* of reaching 0 or infinity; NaN if there is none or it is not known in closed form */
    double
        rest; /* tau at which all layers are 0 (after beta, where layers are unequal); NaN if they never are */
    double level; /* beta at the end by itself: 0, +-rho^L, +-infinity, or where it rests */
    double
        final; /* beta when the flow ends: at tau_max, if another coordinate blows up before; else the level */
} sf_gate;
SF_API
const char *sf_gate_name(sf_gate_kind kind); /* "zero", "level", ...; NULL for unknown */

#ifdef __cplusplus
}
#endif
#endif
