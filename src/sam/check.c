/* The one check of a run's arguments (check.h). */
#include "sam/check.h"

#include <math.h>

#include "base/base.h"

sf_status sf_perturbation_check(sf_context *context, const sf_perturbation *perturbation)
{
    if (!perturbation)
        return sf_fail(context, SF_ERR_ARGUMENT, "the perturbation is NULL");
    if (!sf_method_name(perturbation->method))
        return sf_fail(context, SF_ERR_ARGUMENT, "unknown method %d", (int)perturbation->method);
    if (!(perturbation->rho >= 0.0) || !isfinite(perturbation->rho))
        return sf_fail(context, SF_ERR_ARGUMENT, "rho is %g, expected a finite number >= 0",
                       perturbation->rho);
    if (sf_method_has_exponent(perturbation->method) && !(perturbation->p > 1.0 && isfinite(perturbation->p)))
        return sf_fail(context, SF_ERR_ARGUMENT, "p is %g, expected a finite number > 1", perturbation->p);
    return SF_OK;
}

sf_status sf_check_run(sf_context *context, const sf_network *network, const sf_perturbation *perturbation,
                       const double *theta)
{
    if (!context || !network)
        return sf_fail(context, SF_ERR_ARGUMENT, "the network is NULL");
    SF_TRY(sf_perturbation_check(context, perturbation));
    if (!theta)
        return sf_fail(context, SF_ERR_ARGUMENT, "the initialization is NULL");
    for (size_t i = 0; i < sf_network_parameters(network); i++)
        if (!isfinite(theta[i]))
            return sf_fail(context, SF_ERR_ARGUMENT,
                           "weight %zu of the initialization is %g, expected a finite number", i, theta[i]);
    return SF_OK;
}

sf_status sf_check_step(sf_context *context, double step)
{
    if (!(step > 0.0) || !isfinite(step))
        return sf_fail(context, SF_ERR_ARGUMENT, "step size is %g, expected a finite number > 0", step);
    return SF_OK;
}
