/* Perturbations eps(theta).
 *
 * Norms are taken of the gradient without its common factor (network/), further divided by its largest entry,
 * so that no square under- or overflows. The plain reference of the fused passes (step.h) and of the batched
 * kernels.
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

void sf_perturb(sf_network *network, const sf_perturbation *perturbation, const double *theta,
                double *theta_hat, double *norm)
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
