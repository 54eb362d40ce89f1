#include "paper/gate.h"

#include <math.h>

#include "paper/tools.h"

double sf_gate_weight(int depth, double mu, double rho, double alpha, double tau)
{
    double gap = alpha - rho, p = depth - 2;
    if (gap == 0.0)
        return rho;
    if (depth == 2)
        return fmax(rho + gap * exp(mu * tau), 0.0);
    double sign = gap > 0.0 ? 1.0 : depth % 2 == 0 ? 1.0 : -1.0;
    double power = pow(fabs(gap), -p) - sign * p * mu * tau;
    if (gap > 0.0)
        return rho + pow(power, -1.0 / p);
    double below = pow(power, -1.0 / p);
    return power > 0.0 && below < rho ? rho - below : 0.0;
}

double sf_gate_time_of_zero(int depth, double mu, double rho, double alpha)
{
    double gap = rho - alpha, p = depth - 2;
    return depth == 2 ? log(rho / gap) / mu : (pow(gap, -p) - pow(rho, -p)) / (p * mu);
}

double sf_gate_time_of_infinity(int depth, double mu, double rho, double alpha)
{
    double p = depth - 2;
    return depth == 2 ? INFINITY : 1.0 / (p * mu * pow(alpha - rho, p));
}

sf_status sf_gate_flow(sf_outcome *out, sf_method method, double rho, int depth, size_t d, const double *mu,
                       const double *alpha, sf_flow **flow)
{
    double theta[GATE_DEPTH * GATE_FEATURES];
    sf_network *network;
    SF_TRY(sf_claim_example(out, d, mu, depth, &network));
    sf_fill_layers(d, depth, alpha, theta);
    return sf_claim_flow(out, network, method, rho, theta, flow);
}
