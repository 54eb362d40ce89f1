/* samflow/sam.h - the perturbation of sharpness-aware minimization and its discrete update.
 *
 * With g = grad F(theta) over all layers together, the perturbed point is theta_hat = theta + eps(theta):
 *   GD       eps = 0
 *   l2-SAM   eps = rho g / ||g||_2
 *   linf-SAM eps = rho sign(g), sign(0) = 0
 *   lp-SAM   eps = rho sign(g) |g|^{q-1} / ||g||_q^{q-1}, 1/p + 1/q = 1, 1 < p < infinity
 *   USAM     eps = rho g (unnormalized)
 * If g = 0 then eps = 0. The discrete update is theta <- theta - eta grad F(theta_hat).
 *
 * Normalization is free of scale: the common factor e^{log_scale} of the gradient is left out before norms are
 * taken, so ||eps|| = rho holds at gradients of 1e-300 and at margins of 1e5. With rho = 0 every method takes
 * the steps of GD, bit for bit.
 */
#ifndef SAMFLOW_SAM_H
#define SAMFLOW_SAM_H

#include <samflow/network.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The list of methods: constant, the name used in experiment files, and what the method has: a radius rho, an exponent p, a bound on
 * ||eps|| that does not depend on the size of the gradient. Adding one: a row here and its formula in src/sam/rule.h. */
#define SF_METHOD_LIST(X)                                                                                    \
    X(SF_METHOD_GD, "gd", false, false, false)                                                               \
    X(SF_METHOD_L2, "l2-sam", true, false, true)                                                             \
    X(SF_METHOD_LINF, "linf-sam", true, false, true)                                                         \
    X(SF_METHOD_LP, "lp-sam", true, true, true)                                                              \
    X(SF_METHOD_USAM, "usam", true, false, false)

typedef enum sf_method {
#define SF_METHOD_ENUM(id, name, radius, exponent, bounded) id,
    SF_METHOD_LIST(SF_METHOD_ENUM)
#undef SF_METHOD_ENUM
} sf_method;

typedef struct sf_perturbation {
    sf_method method;
    double rho; /* perturbation radius, >= 0 (for USAM the factor) */
    double p;   /* lp-SAM only: 1 < p < infinity */
} sf_perturbation;

/* The name used in experiment files; NULL for a value that is no method. */
SF_API
const char *sf_method_name(sf_method method);
/* What a method has, as the list says. */
SF_API
bool sf_method_has_radius(sf_method method);
SF_API
bool sf_method_has_exponent(sf_method method);
SF_API
bool sf_method_is_bounded(sf_method method);

/* Whether there is any perturbation: not for GD, and not for rho = 0, where every method takes the steps of GD. */
SF_API
bool sf_perturbs(const sf_perturbation *perturbation);
/* rho, 0 for a method that has none. */
SF_API
double sf_perturbation_radius(const sf_perturbation *perturbation);

/* Whether a method exists, its rho is a finite number >= 0 and its p, where it has one, a finite number > 1. What every other
 * call asks of a perturbation, with the same words. Errors: SF_ERR_ARGUMENT. */
SF_API
sf_status sf_perturbation_check(sf_context *context, const sf_perturbation *perturbation);

/* theta_hat (L*d) from theta (L*d), finite numbers; may not overlap. *norm: the applied ||eps|| in the norm that the method
 * bounds (2, infinity or p; 2 for USAM), 0 if g = 0; may be NULL. One pass over the data. Errors: SF_ERR_ARGUMENT, with
 * nothing written. */
SF_API
sf_status sf_perturb(sf_network *network, const sf_perturbation *perturbation, const double *theta,
                     double *theta_hat, double *norm);

/* A run of the discrete update. */
typedef struct sf_descent sf_descent;

/* theta (L*d, finite numbers) is copied; the network is borrowed. step > 0. Errors: SF_ERR_ARGUMENT, SF_ERR_MEMORY. */
SF_API
sf_status sf_descent_create(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                            double step, const double *theta, sf_descent **out);
SF_API
void sf_descent_destroy(sf_descent **descent);

/* Takes that many steps. Stops early when theta or its predictor leaves the finite numbers (then sf_descent_diverged
 * is true and theta is the last finite one) or with SF_ERR_CANCELLED (all steps taken so far count). */
SF_API
sf_status sf_descent_advance(sf_descent *descent, uint64_t steps);
SF_API
bool sf_descent_diverged(const sf_descent *descent);
SF_API
uint64_t sf_descent_step(const sf_descent *descent); /* steps taken */
SF_API
const double *sf_descent_theta(const sf_descent *descent); /* (L*d), owned by the run */
SF_API
double sf_descent_applied_norm(const sf_descent *descent); /* ||eps|| of the last step, NaN before */

#ifdef __cplusplus
}
#endif
#endif
