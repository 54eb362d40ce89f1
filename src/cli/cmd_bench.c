/* samflow bench: speed on fixed workloads of this machine, as JSON. Peers and ceilings are those of script/bench. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/cli.h"

enum { MAX_REPEATS = 99, MAX_THREADS = 1024 };

/* l2-SAM at depth 2; one trajectory runs alone (sf_descent), more as a batch. */
typedef struct bench_case {
    const char *name;
    size_t examples, features, trajectories;
    double rho, eta;
    uint64_t steps;
} bench_case;

static const bench_case cases[] = {
    {"grid", 1, 2, 65536, 1.0, 0.01, 500},
    {"starts", 64, 32, 1024, 0.1, 0.01, 100},
    {"genes", 72, 7129, 1, 0.1, 1e-3, 200},
    {"wide", 1, 1000000, 1, 0.1, 1e-3, 20},
};
enum { CASES = sizeof cases / sizeof cases[0] };

typedef struct bench_result {
    double seconds[MAX_REPEATS];
    const char *isa;
} bench_result;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Examples around the mean (0.5, ..., 0.5); for one, example_j grows from 1 to 2. */
static sf_status make_data(sf_context *context, const bench_case *c, sf_dataset **out)
{
    double *x = malloc(c->features * sizeof *x);
    *out = NULL;
    if (!x)
        return SF_ERR_MEMORY;
    for (size_t j = 0; j < c->features; j++)
        x[j] = c->examples > 1 ? 0.5 : 1.0 + (double)j / (double)(c->features - 1);
    sf_gaussian spec = {.d = c->features, .mean = x, .std = 1.0, .per_class = c->examples / 2, .seed = 1};
    sf_status status = c->examples > 1 ? sf_dataset_gaussian(context, &spec, out)
                                       : sf_dataset_from_points(context, 1, c->features, x, NULL, out);
    free(x);
    return status;
}

static sf_status time_single(sf_context *context, const bench_case *c, sf_network *network,
                             const double *theta, int threads, double *seconds)
{
    sf_perturbation perturbation = {.method = SF_METHOD_L2, .rho = c->rho};
    sf_descent *descent = NULL;
    sf_status status = sf_network_set_threads(network, threads);
    if (status == SF_OK)
        status = sf_descent_create(context, network, &perturbation, c->eta, theta, &descent);
    double start = now();
    if (status == SF_OK)
        status = sf_descent_advance(descent, c->steps);
    *seconds = now() - start;
    sf_descent_destroy(&descent);
    return status;
}

static sf_status time_batch(sf_context *context, const bench_case *c, const sf_network *network,
                            const double *theta, int threads, double *seconds, const char **isa)
{
    sf_batch_spec spec = {.size = sizeof(sf_batch_spec),
                          .count = c->trajectories,
                          .theta = theta,
                          .perturbation = {.method = SF_METHOD_L2, .rho = c->rho},
                          .step = c->eta,
                          .threads = threads};
    sf_batch *batch = NULL;
    sf_status status = sf_batch_create(context, network, &spec, &batch);
    double start = now();
    if (status == SF_OK)
        status = sf_batch_advance(batch, c->steps);
    *seconds = now() - start;
    if (status == SF_OK)
        *isa = sf_batch_isa(batch);
    sf_batch_destroy(&batch);
    return status;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static sf_status run_case(sf_context *context, const bench_case *c, int threads, int repeats,
                          bench_result *result)
{
    sf_dataset *dataset = NULL;
    sf_network *network = NULL;
    size_t size = 2 * c->features * c->trajectories;
    double *theta = malloc(size * sizeof *theta);
    sf_status status = theta ? make_data(context, c, &dataset) : SF_ERR_MEMORY;
    if (status == SF_OK)
        status = sf_network_create(context, dataset, 2, SF_LOSS_LOGISTIC, &network);
    sf_random random = sf_random_make(1, 1);
    for (size_t k = 0; k < size && theta; k++)
        theta[k] = (0.5 + sf_random_uniform(&random)) / (c->features > 100 ? 100.0 : 1.0);
    for (int i = 0; i < repeats && status == SF_OK; i++)
        status = c->trajectories == 1
                     ? time_single(context, c, network, theta, threads, &result->seconds[i])
                     : time_batch(context, c, network, theta, threads, &result->seconds[i], &result->isa);
    qsort(result->seconds, (size_t)repeats, sizeof *result->seconds, ascending);
    sf_network_destroy(&network);
    sf_dataset_destroy(&dataset);
    free(theta);
    return status;
}

static void write_case(sf_json *json, const bench_case *c, int repeats, const bench_result *result)
{
    double work = (double)c->trajectories * (double)c->steps;
    sf_json_open_object(json, NULL);
    sf_json_string(json, "name", c->name);
    sf_json_integer(json, "examples", (int64_t)c->examples);
    sf_json_integer(json, "features", (int64_t)c->features);
    sf_json_integer(json, "depth", 2);
    sf_json_string(json, "method", sf_method_name(SF_METHOD_L2));
    sf_json_integer(json, "trajectories", (int64_t)c->trajectories);
    sf_json_integer(json, "steps", (int64_t)c->steps);
    sf_json_number(json, "gradients", 2.0 * work);
    sf_json_number(json, "seconds_best", result->seconds[0]);
    sf_json_number(json, "seconds_median", result->seconds[repeats / 2]);
    sf_json_number(json, "trajectory_steps_per_second", work / result->seconds[0]);
    sf_json_close_object(json);
}

typedef struct bench_report {
    int threads, repeats;
    const bench_result *results;
} bench_report;

static bool write_json(const void *subject, FILE *stream)
{
    const bench_report *report = subject;
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_string(&json, "build", sf_build_info());
    sf_json_string(&json, "instruction_set", report->results[0].isa);
    sf_json_integer(&json, "threads", report->threads);
    sf_json_integer(&json, "repeats", report->repeats);
    sf_json_open_array(&json, "workloads");
    for (int i = 0; i < CASES; i++)
        write_case(&json, &cases[i], report->repeats, &report->results[i]);
    sf_json_close_array(&json);
    sf_json_close_object(&json);
    return sf_json_finish(&json);
}

enum { THREADS, REPEATS };

static int run(sf_cli *cli)
{
    bench_result results[CASES] = {0};
    const bench_report report = {.threads = (int)cli->value[THREADS].number,
                                 .repeats = cli->value[REPEATS].text ? (int)cli->value[REPEATS].number : 3,
                                 .results = results};
    for (int i = 0; i < CASES; i++) {
        sf_status status = run_case(cli->context, &cases[i], report.threads, report.repeats, &results[i]);
        if (status != SF_OK)
            return sf_cli_fail(cli, status);
    }
    cli->json = cli->json || !cli->output; // what it prints is JSON in any case
    return sf_cli_document(cli, write_json, &report);
}

static const sf_option options[] = {
    [THREADS] = {"threads", "N", "threads; 0, the default, takes every processor", .type = SF_OPTION_COUNT,
                 .low = 0, .high = MAX_THREADS},
    [REPEATS] = {"repeats", "N", "runs of each workload, 1 to 99; the default is 3", .type = SF_OPTION_COUNT,
                 .low = 1, .high = MAX_REPEATS},
    {0}};

const sf_command sf_command_bench = {
    .name = "bench",
    .arguments = "",
    .summary = "speed on fixed workloads, as JSON",
    .text = "Times updates of l2-SAM at depth 2: a grid of single examples, many starts on one data set, a "
            "wide data set, and "
            "one example of a million features. The peers and the ceilings of the machine are those of "
            "script/bench.",
    .example = "samflow bench --repeats 5 -o speed.json",
    .options = options,
    .uses = SF_USES_OUTPUT,
    .output = ".json",
    .run = run,
};
