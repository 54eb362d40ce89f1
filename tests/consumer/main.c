/* A small outside program: what a user of the installed package writes. One step of l2-SAM on mu = (1, 2). */
#include <math.h>
#include <samflow/samflow.h>
#include <stdio.h>

int main(void)
{
    const double mu[2] = {1.0, 2.0}, start[4] = {0.5, 0.5, 0.5, 0.5};
    const sf_perturbation perturbation = {.method = SF_METHOD_L2, .rho = 0.1};
    sf_context *context = NULL;
    sf_dataset *data = NULL;
    sf_network *network = NULL;
    sf_descent *descent = NULL;
    sf_status status = sf_context_create(NULL, &context);
    if (status == SF_OK)
        status = sf_dataset_from_points(context, 1, 2, mu, NULL, &data);
    if (status == SF_OK)
        status = sf_network_create(context, data, 2, SF_LOSS_LOGISTIC, &network);
    if (status == SF_OK)
        status = sf_descent_create(context, network, &perturbation, 0.1, start, &descent);
    if (status == SF_OK)
        status = sf_descent_advance(descent, 1);
    if (status != SF_OK) {
        fprintf(stderr, "%s\n", sf_context_message(context));
        return 1;
    }
    printf("samflow %s: w = %.6f %.6f\n", sf_version(), sf_descent_theta(descent)[0],
           sf_descent_theta(descent)[1]);
    // by hand: eps = -rho mu / (sqrt 2 ||mu||), w_hat = w + eps, m_hat = sum mu w_hat^2, w += eta mu s(m_hat) w_hat
    double norm = sqrt(2.0 * 5.0), w1 = 0.5 - 0.1 / norm, w2 = 0.5 - 0.2 / norm;
    double slope = 1.0 / (1.0 + exp(w1 * w1 + 2.0 * w2 * w2));
    double error = fabs(sf_descent_theta(descent)[1] - (0.5 + 0.1 * 2.0 * slope * w2));
    sf_descent_destroy(&descent);
    sf_network_destroy(&network);
    sf_dataset_destroy(&data);
    sf_context_destroy(&context);
    return error <= 1e-15 ? 0 : 1;
}
