/* samflow through its public interface. */
#include <string.h>

#include "bench.h"

static sf_perturbation perturbation_of(const bench_problem *problem)
{
    return (sf_perturbation){.method = SF_METHOD_L2, .rho = problem->rho};
}

/* One run after another. */
sf_status bench_run_descent(sf_context *context, const bench_problem *problem, uint64_t steps, int threads,
                            double *answer)
{
    size_t size = (size_t)problem->depth * problem->d;
    sf_perturbation perturbation = perturbation_of(problem);
    sf_network *network = NULL;
    sf_status status =
        sf_network_create(context, problem->dataset, problem->depth, SF_LOSS_LOGISTIC, &network);
    if (status == SF_OK)
        status = sf_network_set_threads(network, threads);
    for (size_t i = 0; i < problem->count && status == SF_OK; i++) {
        sf_descent *descent = NULL;
        status = sf_descent_create(context, network, &perturbation, problem->eta, problem->theta + i * size,
                                   &descent);
        if (status == SF_OK)
            status = sf_descent_advance(descent, steps);
        if (status == SF_OK)
            memcpy(answer + i * size, sf_descent_theta(descent), size * sizeof *answer);
        sf_descent_destroy(&descent);
    }
    sf_network_destroy(&network);
    return status;
}

sf_status bench_run_batch(sf_context *context, const bench_problem *problem, uint64_t steps, int threads,
                          double *answer)
{
    sf_network *network = NULL;
    sf_batch *batch = NULL;
    sf_batch_spec spec = {.size = sizeof(sf_batch_spec),
                          .count = problem->count,
                          .theta = problem->theta,
                          .perturbation = perturbation_of(problem),
                          .step = problem->eta,
                          .threads = threads};
    sf_status status =
        sf_network_create(context, problem->dataset, problem->depth, SF_LOSS_LOGISTIC, &network);
    if (status == SF_OK)
        status = sf_batch_create(context, network, &spec, &batch);
    if (status == SF_OK)
        status = sf_batch_advance(batch, steps);
    for (size_t i = 0; i < problem->count && status == SF_OK; i++)
        sf_batch_theta(batch, i, answer + i * (size_t)problem->depth * problem->d);
    sf_batch_destroy(&batch);
    sf_network_destroy(&network);
    return status;
}
