/* A program that wants the flow alone, and links the core: linf-SAM on mu = (1, 2), where each coordinate has the closed form
 * w_j(tau) = rho + (alpha - rho) e^{mu_j tau} (theory, Corollary 3.5), beta = w^2. */
#include <math.h>
#include <samflow/flow.h>
#include <stdio.h>

int main(void)
{
    const double mu[2] = {1.0, 2.0}, start[4] = {0.5, 0.5, 0.5, 0.5}, rho = 0.1;
    const sf_perturbation perturbation = {.method = SF_METHOD_LINF, .rho = rho};
    const sf_flow_target target = {.size = sizeof target, .stops = SF_STOP_TAU, .tau = 1.5};
    double beta[2] = {NAN, NAN}, error = 0.0;
    sf_context *context = NULL;
    sf_dataset *data = NULL;
    sf_network *network = NULL;
    sf_flow *flow = NULL;
    sf_status status = sf_context_create(NULL, &context);
    if (status == SF_OK)
        status = sf_dataset_from_points(context, 1, 2, mu, NULL, &data);
    if (status == SF_OK)
        status = sf_network_create(context, data, 2, SF_LOSS_LOGISTIC, &network);
    if (status == SF_OK)
        status = sf_flow_create(context, network, &perturbation, start, 0.0, &flow);
    if (status == SF_OK)
        status = sf_flow_advance(flow, &target);
    if (status == SF_OK)
        sf_flow_predictor(flow, beta, NULL);
    else
        fprintf(stderr, "%s\n", sf_context_message(context));
    for (int j = 0; j < 2; j++) {
        double w = rho + (0.5 - rho) * exp(mu[j] * 1.5);
        error = fmax(error, fabs(beta[j] / (w * w) - 1.0));
        if (!(fabs(beta[j] / (w * w) - 1.0) <= 1e-10))
            error = 1.0;
    }
    sf_flow_destroy(&flow);
    sf_network_destroy(&network);
    sf_dataset_destroy(&data);
    sf_context_destroy(&context);
    printf("beta = %.9f %.9f\n", beta[0], beta[1]);
    // a build without SUNDIALS has no flow
    return status == SF_ERR_UNAVAILABLE || (status == SF_OK && error <= 1e-10) ? 0 : 1;
}
