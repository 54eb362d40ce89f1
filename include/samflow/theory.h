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
SF_API sf_status sf_reduction_create(sf_context *context, size_t d, const double *mu, const double *w1,
                                     const double *w2, double rho, sf_loss loss, sf_reduction **out);
SF_API void sf_reduction_destroy(sf_reduction **reduction);

typedef struct sf_reduction_point {
    double tau, b, log_n;              /* log_n = -INFINITY after a collapse */
    double log_time, log_loss, margin, margin_perturbed;
    bool collapsed;
} sf_reduction_point;

/* The state at tau, or at the first moment where log t reaches log_time (relative error 1e-10 or better away
 * from alpha_c). SF_ERR_NUMERIC if the integration fails. */
SF_API sf_status sf_reduction_at_tau(sf_reduction *reduction, double tau, sf_reduction_point *point);
SF_API sf_status sf_reduction_at_log_time(sf_reduction *reduction, double log_time, sf_reduction_point *point);
/* beta, log|beta| (d each, either may be NULL) at a point. */
SF_API void sf_reduction_predictor(const sf_reduction *reduction, const sf_reduction_point *point, double *beta,
                                   double *log_abs_beta);

/* alpha_c: the start c * (w1, w2) collapses for c * |start| below it, grows above. Returned as the factor c.
 * NaN with SF_OK where the direction has none. */
SF_API sf_status sf_critical_factor(sf_context *context, size_t d, const double *mu, const double *w1,
                                    const double *w2, double rho, double *factor);

/* ---- what theory says of an experiment ------------------------------------------------------------------ */

typedef enum sf_regime { SF_REGIME_NONE, SF_REGIME_COLLAPSE, SF_REGIME_MINOR_FIRST, SF_REGIME_MAJOR_FIRST } sf_regime;

typedef enum sf_limit_kind {
    SF_LIMIT_UNKNOWN,
    SF_LIMIT_ZERO,
    SF_LIMIT_BASIS,      /* direction e_index */
    SF_LIMIT_DIRECTION,  /* a tie: direction given */
    SF_LIMIT_POINT,      /* beta itself converges, to `direction * norm` */
    SF_LIMIT_MAX_MARGIN
} sf_limit_kind;

SF_API const char *sf_regime_name(sf_regime regime);         /* "collapse", ...; NULL for none */
SF_API const char *sf_limit_kind_name(sf_limit_kind kind);   /* "zero", ... */

typedef struct sf_leader {
    size_t index; /* the coordinate of largest |beta| from this moment on */
    double tau, log_time;
} sf_leader;

typedef struct sf_prediction sf_prediction;

/* What theory says of the flow of a network from theta (L*d). */
SF_API sf_status sf_predict(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                            const double *theta, sf_prediction **out);
SF_API void sf_prediction_destroy(sf_prediction **prediction);

SF_API sf_regime sf_prediction_regime(const sf_prediction *prediction);
SF_API double sf_prediction_critical_scale(const sf_prediction *prediction);
SF_API double sf_prediction_spotlight(const sf_prediction *prediction);
SF_API const sf_leader *sf_prediction_dominance(const sf_prediction *prediction, size_t *count);
SF_API sf_limit_kind sf_prediction_limit(const sf_prediction *prediction, int64_t *index,
                                         const double **direction /* (d) or NULL */, double *norm);

#ifdef __cplusplus
}
#endif
#endif
