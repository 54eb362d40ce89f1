#include "paper/l2.h"

#include <math.h>

#include "paper/tools.h"

sf_status sf_l2_flow(sf_outcome *out, size_t d, const double *mu, double rho, double alpha, sf_flow **flow)
{
    double theta[2 * L2_FEATURES], twice[2 * L2_FEATURES];
    const sf_dataset *dataset;
    sf_network *network;
    for (size_t i = 0; i < 2 * d; i++) {
        theta[i] = alpha;
        twice[i] = mu[i % d];
    }
    SF_TRY(sf_claim_points(out, 2, d, twice, NULL, &dataset));
    SF_TRY(sf_claim_network(out, dataset, 2, &network));
    return sf_claim_flow(out, network, SF_METHOD_L2, rho, theta, flow);
}

sf_status sf_l2_reduction(sf_outcome *out, size_t d, const double *mu, double rho, double alpha,
                          sf_reduction **reduction)
{
    double w[L2_FEATURES];
    for (size_t j = 0; j < d; j++)
        w[j] = alpha;
    return sf_claim_reduction(out, d, mu, w, w, rho, reduction);
}

sf_status sf_l2_critical_scale(sf_outcome *out, size_t d, const double *mu, double rho, double *alpha)
{
    double ones[L2_FEATURES];
    for (size_t j = 0; j < d; j++)
        ones[j] = 1.0;
    return sf_critical_factor(sf_claim_context(out), d, mu, ones, ones, rho, alpha);
}

double sf_l2_major_scale(size_t d, const double *mu, double rho)
{
    return rho * (mu[d - 2] + mu[d - 1]) / (sqrt(2.0) * sf_vector_norm(d, mu));
}
