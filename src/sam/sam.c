/* Perturbations eps(theta).
 *
 * Norms are taken of the gradient without its common factor (network/), further divided by its largest entry,
 * so that no square under- or overflows. The plain reference of the fused passes (step.h) and of the batched
 * kernels.
 */
#include <samflow/sam.h>

#include <string.h>

#include "base/base.h"
#include "network/network.h"
#include "sam/check.h"
#include "sam/rule.h"

static const struct {
    const char *name;
    bool radius, exponent, bounded;
} methods[] = {
#define SF_METHOD_ROW(id, name, radius, exponent, bounded) {name, radius, exponent, bounded},
    SF_METHOD_LIST(SF_METHOD_ROW)
#undef SF_METHOD_ROW
};

static bool is_method(sf_method method)
{
    return (size_t)method < sizeof methods / sizeof methods[0];
}

const char *sf_method_name(sf_method method)
{
    return is_method(method) ? methods[method].name : NULL;
}

bool sf_method_has_radius(sf_method method)
{
    return is_method(method) && methods[method].radius;
}

bool sf_method_has_exponent(sf_method method)
{
    return is_method(method) && methods[method].exponent;
}

bool sf_method_is_bounded(sf_method method)
{
    return is_method(method) && methods[method].bounded;
}

bool sf_perturbs(const sf_perturbation *perturbation)
{
    return sf_perturbation_radius(perturbation) != 0.0;
}

double sf_perturbation_radius(const sf_perturbation *perturbation)
{
    return sf_method_has_radius(perturbation->method) ? perturbation->rho : 0.0;
}

static double largest(size_t n, const double *x)
{
    double high = 0.0;
    for (size_t i = 0; i < n; i++)
        if (!(fabs(x[i]) <= high))
            high = fabs(x[i]);
    return high;
}

/* Whether the rule divides by the norm of the gradient. */
static bool normalized(sf_method method)
{
    return method == SF_METHOD_L2 || method == SF_METHOD_LP;
}

/* theta_hat enters as the gradient without its factor and leaves as the perturbed point. Returns ||eps||. */
static double apply(sf_rule *rule, size_t n, const double *theta, double *theta_hat)
{
    double sum = 0.0, applied = 0.0;
    if (normalized(rule->method)) {
        rule->high = largest(n, theta_hat);
        if (rule->high == 0.0) {
            memcpy(theta_hat, theta, n * sizeof *theta);
            return 0.0;
        }
        for (size_t i = 0; i < n; i++)
            sum += sf_rule_term(rule, theta_hat[i]);
        sf_rule_close(rule, sum);
    }
    for (size_t i = 0; i < n; i++) {
        double e = sf_rule_eps(rule, theta_hat[i]);
        applied += sf_rule_applied_term(rule, e);
        theta_hat[i] = theta[i] + e;
    }
    return sf_rule_applied(rule, applied);
}

void sf_perturbed_point(sf_network *network, const sf_perturbation *perturbation, const double *theta,
                        double *theta_hat, double *norm)
{
    size_t n = sf_network_parameters(network);
    double applied = 0.0, log_scale;
    if (!sf_perturbs(perturbation)) {
        memcpy(theta_hat, theta, n * sizeof *theta);
    } else {
        sf_network_gradient(network, theta, theta_hat, &log_scale);
        sf_rule rule = {.method = perturbation->method, .factor = perturbation->rho, .p = perturbation->p};
        if (rule.method == SF_METHOD_USAM)
            rule.factor *= exp(log_scale);
        applied = apply(&rule, n, theta, theta_hat);
    }
    if (norm)
        *norm = applied;
}

sf_status sf_perturb(sf_network *network, const sf_perturbation *perturbation, const double *theta,
                     double *theta_hat, double *norm)
{
    if (!network)
        return SF_ERR_ARGUMENT; // there is no context to tell
    sf_context *context = network->context;
    SF_TRY(sf_check_run(context, network, perturbation, theta));
    if (!theta_hat)
        return sf_fail(context, SF_ERR_ARGUMENT, "the perturbed point is NULL");
    sf_perturbed_point(network, perturbation, theta, theta_hat, norm);
    return SF_OK;
}
