/* A program that uses the laboratory: an experiment from text, run, and its last record. One step of gradient descent from
 * w = 0.5 in both layers on the single feature 1: w - eta * (-s w) with s = 1 / (1 + e^{w^2}). */
#include <math.h>
#include <samflow/lab.h>
#include <stdio.h>

int main(void)
{
    static const char text[] = "data: {example: [1]}\n"
                               "network: {depth: 2, init: 0.5}\n"
                               "optimizer: {method: gd}\n"
                               "dynamics: {mode: discrete, step: 0.1, steps: 1}\n";
    sf_context *context = NULL;
    sf_experiment *experiment = NULL;
    sf_trajectory *trajectory = NULL;
    double beta = NAN;
    sf_status status = sf_context_create(NULL, &context);
    if (status == SF_OK)
        status = sf_experiment_parse(context, "text", text, 0, NULL, &experiment);
    if (status == SF_OK)
        status = sf_experiment_run(experiment, &trajectory);
    if (status == SF_OK)
        beta = sf_trajectory_record(trajectory, sf_trajectory_records(trajectory) - 1).beta[0];
    else
        fprintf(stderr, "%s\n", sf_context_message(context));
    double w = 0.5 + 0.1 * 0.5 / (1.0 + exp(0.25));
    sf_trajectory_destroy(&trajectory);
    sf_experiment_destroy(&experiment);
    sf_context_destroy(&context);
    printf("beta = %.9f\n", beta);
    return fabs(beta - w * w) <= 1e-15 ? 0 : 1;
}
