/* samflow/margin.h - max-margin classifiers, with proof.
 *
 * beta* = argmin ||beta||_q subject to <beta, z_n> >= 1 for all n; margin gamma = 1 / ||beta*||_q.
 *   q = 1: a linear programme, possibly non-unique.
 *   q = 2: unique; w = sum lambda_n z_n, the point of smallest norm in the convex hull of the z_n, gives both
 *          outcomes: beta* = w / ||w||^2 if w != 0; if w = 0, lambda is the certificate that the data are not
 *          separable.
 * KKT conditions of a direction scaled to smallest margin 1: there is lambda >= 0, zero off the support vectors,
 * with sum_n lambda_n z_n in the subdifferential of the norm (q = 1) or equal to beta (q = 2). The residual
 * reported is recomputed from the data, never taken from the solver.
 */
#ifndef SAMFLOW_MARGIN_H
#define SAMFLOW_MARGIN_H

#include <samflow/data.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sf_norm { SF_NORM_L1 = 1, SF_NORM_L2 = 2 } sf_norm;

typedef enum sf_answer { SF_ANSWER_NO, SF_ANSWER_YES, SF_ANSWER_UNKNOWN } sf_answer;

/* What some beta with margins >= 0 can give a positive margin: every example, some of them (the rest has margin 0 for each such
 * beta), or none. The hyperplanes go through the origin; a constant feature makes them general. */
typedef enum sf_separability { SF_INSEPARABLE, SF_WEAKLY_SEPARABLE, SF_SEPARABLE } sf_separability;

typedef struct sf_margin sf_margin;

typedef struct sf_margin_options {
    sf_norm norm;
    bool
        nonnegative; /* maximize over beta >= 0 only: what equal layers of even depth can reach (theory, signs) */
} sf_margin_options;

/* Solves. SF_OK for both outcomes (separable or not); SF_ERR_NUMERIC if neither could be certified,
 * SF_ERR_UNAVAILABLE (l1 built without an LP library), SF_ERR_MEMORY, SF_ERR_CANCELLED. */
SF_API
sf_status sf_margin_solve(sf_context *context, const sf_dataset *dataset, const sf_margin_options *options,
                          sf_margin **out);
SF_API
void sf_margin_destroy(sf_margin **margin);

SF_API
bool sf_margin_separable(const sf_margin *margin); /* every example */
SF_API
sf_separability sf_margin_separability(const sf_margin *margin);
/* (N) which examples are separated, if the data are weakly separable, else NULL. Gradient descent diverges along the direction and
 * converges across it; for nonnegative l2 problems it is not computed (NULL), the split is. */
SF_API
const bool *sf_margin_separated(const sf_margin *margin);
/* gamma, over the separated examples; NaN without a direction */
SF_API
double sf_margin_value(const sf_margin *margin);
/* (d), norm 1, owned by the margin; NULL if no example is separated */
SF_API
const double *sf_margin_direction(const sf_margin *margin);
SF_API
const double *sf_margin_multipliers(const sf_margin *margin); /* (N), of the problem with margins >= 1 */
SF_API
double sf_margin_kkt_residual(const sf_margin *margin);
SF_API
sf_answer sf_margin_unique(const sf_margin *margin);
/* Coordinates that differ from 0 in some solution and can trade with others: count numbers; none if unique. */
SF_API
const size_t *sf_margin_face(const sf_margin *margin, size_t *count);
SF_API
const double *sf_margin_certificate(const sf_margin *margin); /* (N) lambda, if not separable, else NULL */
SF_API
double sf_margin_certificate_residual(const sf_margin *margin); /* ||sum lambda_n z_n||_2 */

/* KKT residual of any direction for the norm's problem: beta (d) is scaled to smallest margin 1; the least, over
 * lambda >= 0 on the examples whose margin is within `active` (relative) of the smallest, of the distance of
 * sum lambda_n z_n to the subdifferential, plus complementary slackness. INFINITY if some margin is <= 0. */
SF_API
sf_status sf_margin_residual_of(sf_context *context, const sf_dataset *dataset,
                                const sf_margin_options *options, const double *beta, double active,
                                double *residual);

#ifdef __cplusplus
}
#endif
#endif
