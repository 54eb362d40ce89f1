/* Perturbations and the discrete update theta <- theta - eta grad F(theta + eps(theta)).
 *
 * Norms are taken of the gradient without its common factor (network/), further divided by its largest entry, so
 * that no square under- or overflows. The plain reference; batched kernels are compared with it.
 */
#include <samflow/sam.h>

#include <math.h>
#include <string.h>

#include "base/base.h"

const char *sf_method_name(sf_method method)
{
    static const char *const name[] = {"gd", "l2-sam", "linf-sam", "lp-sam", "usam"};
    return (size_t)method < sizeof name / sizeof name[0] ? name[method] : NULL;
}

static double largest(size_t n, const double *x)
{
    double high = 0.0;
    for (size_t i = 0; i < n; i++)
        if (!(fabs(x[i]) <= high))
            high = fabs(x[i]);
    return high;
}

/* theta_hat enters as the gradient without its factor and leaves as the perturbed point. */
static double perturb_l2(size_t n, double rho, const double *theta, double *theta_hat)
{
    double high = largest(n, theta_hat), sum = 0.0;
    if (high == 0.0) {
        memcpy(theta_hat, theta, n * sizeof *theta);
        return 0.0;
    }
    for (size_t i = 0; i < n; i++) {
        double g = theta_hat[i] / high;
        sum += g * g;
    }
    double norm = sqrt(sum), applied = 0.0;
    for (size_t i = 0; i < n; i++) {
        double e = rho * (theta_hat[i] / high / norm);
        applied += e * e;
        theta_hat[i] = theta[i] + e;
    }
    return sqrt(applied);
}

static double perturb_linf(size_t n, double rho, const double *theta, double *theta_hat)
{
    double applied = 0.0;
    for (size_t i = 0; i < n; i++) {
        double g = theta_hat[i];
        if (g != 0.0)
            applied = rho;
        theta_hat[i] = theta[i] + (g > 0.0 ? rho : g < 0.0 ? -rho : 0.0);
    }
    return applied;
}

static double perturb_lp(size_t n, double rho, double p, const double *theta, double *theta_hat)
{
    double q = p / (p - 1.0), high = largest(n, theta_hat), sum = 0.0;
    if (high == 0.0) {
        memcpy(theta_hat, theta, n * sizeof *theta);
        return 0.0;
    }
    for (size_t i = 0; i < n; i++)
        sum += pow(fabs(theta_hat[i]) / high, q);
    double norm = pow(sum, 1.0 / q), applied = 0.0;
    for (size_t i = 0; i < n; i++) {
        double e = rho * pow(fabs(theta_hat[i]) / high / norm, q - 1.0);
        applied += pow(e / rho, p);
        theta_hat[i] = theta[i] + copysign(e, theta_hat[i]);
    }
    return rho * pow(applied, 1.0 / p);
}

void sf_perturb(sf_network *network, const sf_perturbation *perturbation, const double *theta, double *theta_hat,
                double *norm)
{
    size_t n = sf_network_parameters(network);
    double rho = perturbation->rho, applied = 0.0, log_scale;
    if (perturbation->method == SF_METHOD_GD || rho == 0.0) {
        memcpy(theta_hat, theta, n * sizeof *theta);
        if (norm)
            *norm = 0.0;
        return;
    }
    sf_network_gradient(network, theta, theta_hat, &log_scale);
    switch (perturbation->method) {
    case SF_METHOD_L2:
        applied = perturb_l2(n, rho, theta, theta_hat);
        break;
    case SF_METHOD_LINF:
        applied = perturb_linf(n, rho, theta, theta_hat);
        break;
    case SF_METHOD_LP:
        applied = perturb_lp(n, rho, perturbation->p, theta, theta_hat);
        break;
    default: { // USAM
        double scale = rho * exp(log_scale);
        for (size_t i = 0; i < n; i++) {
            double e = scale * theta_hat[i];
            applied += e * e;
            theta_hat[i] = theta[i] + e;
        }
        applied = sqrt(applied);
    }
    }
    if (norm)
        *norm = applied;
}

/* ---- the discrete update -------------------------------------------------------------------------------- */

struct sf_descent {
    sf_context *context;
    sf_network *network;
    sf_perturbation perturbation;
    double step_size;
    size_t parameters;
    uint64_t step;
    double applied_norm;
    bool diverged;
    double *theta;     // (L, d)
    double *theta_hat; // (L, d)
    double *gradient;  // (L, d)
};

sf_status sf_descent_create(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                            double step, const double *theta, sf_descent **out)
{
    *out = NULL;
    if (!(step > 0.0) || !isfinite(step))
        return sf_fail(context, SF_ERR_ARGUMENT, "step size is %g, expected a finite number > 0", step);
    if (!(perturbation->rho >= 0.0) || !isfinite(perturbation->rho))
        return sf_fail(context, SF_ERR_ARGUMENT, "rho is %g, expected a finite number >= 0", perturbation->rho);
    if (perturbation->method == SF_METHOD_LP && !(perturbation->p > 1.0 && isfinite(perturbation->p)))
        return sf_fail(context, SF_ERR_ARGUMENT, "p is %g, expected a finite number > 1", perturbation->p);
    sf_descent *descent = SF_NEW(context, sf_descent);
    if (!descent)
        return SF_ERR_MEMORY;
    *descent = (sf_descent){.context = context,
                            .network = network,
                            .perturbation = *perturbation,
                            .step_size = step,
                            .parameters = sf_network_parameters(network),
                            .applied_norm = NAN};
    descent->theta = sf_alloc_doubles(context, descent->parameters);
    descent->theta_hat = sf_alloc_doubles(context, descent->parameters);
    descent->gradient = sf_alloc_doubles(context, descent->parameters);
    if (!descent->theta || !descent->theta_hat || !descent->gradient) {
        sf_descent_destroy(&descent);
        return SF_ERR_MEMORY;
    }
    memcpy(descent->theta, theta, descent->parameters * sizeof *theta);
    *out = descent;
    return SF_OK;
}

void sf_descent_destroy(sf_descent **descent)
{
    if (!descent || !*descent)
        return;
    sf_context *context = (*descent)->context;
    sf_free_aligned(context, (*descent)->theta);
    sf_free_aligned(context, (*descent)->theta_hat);
    sf_free_aligned(context, (*descent)->gradient);
    sf_free(context, *descent);
    *descent = NULL;
}

sf_status sf_descent_advance(sf_descent *descent, uint64_t steps)
{
    for (uint64_t i = 0; i < steps && !descent->diverged; i++) {
        if (sf_cancelled(descent->context))
            return sf_fail(descent->context, SF_ERR_CANCELLED, "interrupted after %llu steps",
                           (unsigned long long)descent->step);
        double log_scale;
        sf_perturb(descent->network, &descent->perturbation, descent->theta, descent->theta_hat,
                   &descent->applied_norm);
        sf_network_gradient(descent->network, descent->theta_hat, descent->gradient, &log_scale);
        double factor = descent->step_size * exp(log_scale);
        bool finite = true;
        for (size_t k = 0; k < descent->parameters; k++) {
            descent->gradient[k] = descent->theta[k] - factor * descent->gradient[k];
            finite &= isfinite(descent->gradient[k]) != 0;
        }
        if (!finite) {
            descent->diverged = true;
            break;
        }
        double *next = descent->gradient;
        descent->gradient = descent->theta;
        descent->theta = next;
        descent->step++;
    }
    return SF_OK;
}

bool sf_descent_diverged(const sf_descent *descent)
{
    return descent->diverged;
}

uint64_t sf_descent_step(const sf_descent *descent)
{
    return descent->step;
}

const double *sf_descent_theta(const sf_descent *descent)
{
    return descent->theta;
}

double sf_descent_applied_norm(const sf_descent *descent)
{
    return descent->applied_norm;
}
