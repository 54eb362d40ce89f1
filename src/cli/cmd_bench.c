/* samflow bench: speed on fixed workloads of this machine, as JSON. Peers and ceilings are those of script/bench. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    sf_batch_spec spec = {.count = c->trajectories,
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

static bool read_count(const char *text, long low, long high, int *value)
{
    char *end;
    if (!text)
        return true;
    long number = strtol(text, &end, 10);
    *value = (int)number;
    return *text && !*end && number >= low && number <= high;
}

int sf_cmd_bench(sf_cli *cli, int argc, char **argv)
{
    static const sf_command command = {"bench", "", "speed on fixed workloads, as JSON", sf_cmd_bench};
    const char *threads_text = NULL, *repeats_text = NULL;
    const sf_cli_option options[] = {
        {"threads", "N", "threads; 0, the default, takes every processor", &threads_text, NULL},
        {"repeats", "N", "runs of each workload, 1 to 99; the default is 3", &repeats_text, NULL},
    };
    int code = sf_cli_parse(cli, &command, argc, argv, options, sizeof options / sizeof options[0], 0, NULL);
    if (code >= 0)
        return code;
    int threads = 0, repeats = 3;
    if (!read_count(threads_text, 0, MAX_THREADS, &threads))
        return sf_cli_usage(cli, argv[0], "--threads is '%s', expected a number from 0 to %d", threads_text,
                            MAX_THREADS);
    if (!read_count(repeats_text, 1, MAX_REPEATS, &repeats))
        return sf_cli_usage(cli, argv[0], "--repeats is '%s', expected a number from 1 to %d", repeats_text,
                            MAX_REPEATS);
    bench_result results[CASES] = {0};
    for (int i = 0; i < CASES; i++) {
        sf_status status = run_case(cli->context, &cases[i], threads, repeats, &results[i]);
        if (status != SF_OK)
            return sf_cli_fail(cli, status);
    }
    FILE *stream = cli->output ? fopen(cli->output, "w") : stdout;
    if (!stream)
        return sf_cli_usage(cli, argv[0], "%s cannot be written", cli->output);
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_string(&json, "build", sf_build_info());
    sf_json_string(&json, "instruction_set", results[0].isa);
    sf_json_integer(&json, "threads", threads);
    sf_json_integer(&json, "repeats", repeats);
    sf_json_open_array(&json, "workloads");
    for (int i = 0; i < CASES; i++)
        write_case(&json, &cases[i], repeats, &results[i]);
    sf_json_close_array(&json);
    sf_json_close_object(&json);
    bool written = sf_json_finish(&json);
    if (cli->output)
        written = fclose(stream) == 0 && written;
    return written ? 0 : sf_cli_fail(cli, SF_ERR_IO);
}
