/* The workloads. Adding one is an entry in the table at the end, and a function in peers.py for its peers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static sf_status take_dataset(sf_context *context, bench_problem *problem, sf_dataset *dataset)
{
    problem->dataset = dataset;
    problem->n = sf_dataset_examples(dataset);
    problem->d = sf_dataset_features(dataset);
    problem->answer_size = problem->count * (size_t)problem->depth * problem->d;
    problem->z = malloc(problem->n * problem->d * sizeof(double));
    problem->theta = malloc(problem->answer_size * sizeof(double));
    (void)context;
    if (!problem->z || !problem->theta)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < problem->n; i++)
        sf_dataset_example(dataset, i, problem->z + i * problem->d);
    return SF_OK;
}

static void fill_start(bench_problem *problem, double value)
{
    for (size_t k = 0; k < problem->answer_size; k++)
        problem->theta[k] = value;
}

/* 256 x 256 starts over [0.05, 2]^2. unequal: the second layer is 1.1 times the first. */
static sf_status make_grid(sf_context *context, bench_problem *problem, double unequal)
{
    static const double mu[2] = {1.0, 2.0};
    enum { SIDE = 256 };
    *problem = (bench_problem){.name = problem->name,
                               .count = SIDE * SIDE,
                               .depth = 2,
                               .rho = 1.0,
                               .eta = 0.01,
                               .steps = 2000,
                               .check_steps = 20,
                               .tolerance = 1e-10};
    sf_dataset *dataset = NULL;
    sf_status status = sf_dataset_from_points(context, 1, 2, mu, NULL, &dataset);
    if (status == SF_OK)
        status = take_dataset(context, problem, dataset);
    for (size_t i = 0; status == SF_OK && i < problem->count; i++) {
        double a[2] = {0.05 + 1.95 * (double)(i % SIDE) / (SIDE - 1),
                       0.05 + 1.95 * (double)(i / SIDE) / (SIDE - 1)};
        for (size_t j = 0; j < 2; j++) {
            problem->theta[i * 4 + j] = a[j];
            problem->theta[i * 4 + 2 + j] = unequal * a[j];
        }
    }
    return status;
}

static sf_status make_w1(sf_context *context, bench_problem *problem)
{
    return make_grid(context, problem, 1.0);
}

static sf_status make_w1_unequal(sf_context *context, bench_problem *problem)
{
    return make_grid(context, problem, 1.1);
}

/* Gaussian classes, 64 examples in 32 features, 1,024 random starts. */
static sf_status make_w2(sf_context *context, bench_problem *problem)
{
    double mean[32];
    for (int j = 0; j < 32; j++)
        mean[j] = 0.1 + 0.02 * j;
    *problem = (bench_problem){.name = problem->name,
                               .count = 1024,
                               .depth = 2,
                               .rho = 0.1,
                               .eta = 0.01,
                               .steps = 300,
                               .check_steps = 300,
                               .tolerance = 1e-10};
    sf_gaussian spec = {.d = 32, .mean = mean, .std = 1.0, .per_class = 32, .seed = 1, .separable = true};
    sf_dataset *dataset = NULL;
    sf_status status = sf_dataset_gaussian(context, &spec, &dataset);
    if (status == SF_OK)
        status = take_dataset(context, problem, dataset);
    sf_random random = sf_random_make(2, 0);
    for (size_t k = 0; status == SF_OK && k < problem->answer_size; k++)
        problem->theta[k] = 0.05 + 0.5 * sf_random_uniform(&random);
    return status;
}

static const char *data_path(const char *name, char path[4096])
{
    const char *root = getenv("SAMFLOW_DATA");
    snprintf(path, 4096, "%s/%s", root ? root : "../shared/data", name);
    return path;
}

static sf_status make_golub(sf_context *context, bench_problem *problem, bool mirrored)
{
    char path[4096];
    *problem = (bench_problem){.name = problem->name,
                               .count = 1,
                               .depth = 2,
                               .rho = 0.1,
                               .eta = 1e-3,
                               .steps = 1000,
                               .check_steps = 100,
                               .tolerance = 1e-10};
    sf_data_file spec = {.path = data_path("golub/golub.csv.gz", path), .label = "labs", .transpose = true};
    sf_dataset *dataset = NULL;
    sf_status status = sf_dataset_read(context, &spec, &dataset);
    if (status == SF_OK)
        status = sf_dataset_standardize(dataset);
    if (status == SF_OK && mirrored)
        status = sf_dataset_mirror(dataset);
    if (status == SF_OK)
        status = take_dataset(context, problem, dataset);
    if (status == SF_OK)
        fill_start(problem, 0.02);
    return status;
}

static sf_status make_w3(sf_context *context, bench_problem *problem)
{
    return make_golub(context, problem, false);
}

static sf_status make_golub_mirrored(sf_context *context, bench_problem *problem)
{
    return make_golub(context, problem, true);
}

static sf_status make_w4(sf_context *context, bench_problem *problem)
{
    char images[4096], labels[4096];
    *problem = (bench_problem){.name = problem->name,
                               .count = 1,
                               .depth = 2,
                               .rho = 0.1,
                               .eta = 1e-3,
                               .steps = 500,
                               .check_steps = 100,
                               .tolerance = 1e-10};
    sf_data_file spec = {.path = data_path("mnist/t10k-images-idx3-ubyte.gz", images),
                         .labels_path = data_path("mnist/t10k-labels-idx1-ubyte.gz", labels),
                         .has_classes = true,
                         .classes = {0.0, 1.0}};
    sf_dataset *dataset = NULL;
    sf_status status = sf_dataset_read(context, &spec, &dataset);
    if (status == SF_OK)
        status = sf_dataset_scale(dataset, 0.00392156862745098);
    if (status == SF_OK)
        status = take_dataset(context, problem, dataset);
    if (status == SF_OK)
        fill_start(problem, 0.1);
    return status;
}

static sf_status make_wide(sf_context *context, bench_problem *problem)
{
    enum { WIDE = 1000000 };
    *problem = (bench_problem){.name = problem->name,
                               .count = 1,
                               .depth = 2,
                               .rho = 0.1,
                               .eta = 1e-3,
                               .steps = 50,
                               .check_steps = 10,
                               .tolerance = 1e-10};
    double *z = malloc(WIDE * sizeof *z);
    if (!z)
        return SF_ERR_MEMORY;
    sf_random random = sf_random_make(3, 0);
    for (size_t j = 0; j < WIDE; j++)
        z[j] = sf_random_uniform(&random);
    sf_dataset *dataset = NULL;
    sf_status status = sf_dataset_from_points(context, 1, WIDE, z, NULL, &dataset);
    free(z);
    if (status == SF_OK)
        status = take_dataset(context, problem, dataset);
    if (status == SF_OK)
        fill_start(problem, 1e-3);
    return status;
}

static const bench_implementation many_trajectories[] = {
    {"samflow", true, false, true, bench_run_batch},
    {"simd-c-loop", false, false, true, bench_run_loop_simd},
    {"plain-c-loop", false, false, false, bench_run_loop_plain},
};
static const bench_implementation one_trajectory[] = {
    {"samflow", true, false, true, bench_run_descent},
    {"samflow-plain", true, true, false, bench_run_descent},
    {"simd-c-loop", false, false, true, bench_run_loop_simd},
    {"plain-c-loop", false, false, false, bench_run_loop_plain},
};
#define IMPLEMENTATIONS(list) list, sizeof list / sizeof list[0]

const bench_workload bench_workloads[] = {
    {"W1", "N=1 d=2 L=2, 256 x 256 starts, l2-SAM rho=1, 2000 steps", true, make_w1, bench_run_descent,
     IMPLEMENTATIONS(many_trajectories)},
    {"W1u", "the same with unequal layers", false, make_w1_unequal, bench_run_descent,
     IMPLEMENTATIONS(many_trajectories)},
    {"W2", "N=64 d=32 L=2, 1024 starts, l2-SAM rho=0.1, 300 steps", true, make_w2, bench_run_descent,
     IMPLEMENTATIONS(many_trajectories)},
    {"W3", "Golub 72 x 7129 standardized, one trajectory, 1000 steps", true, make_w3, bench_run_descent,
     IMPLEMENTATIONS(one_trajectory)},
    {"W3m", "Golub mirrored, 14258 features, 1000 steps", false, make_golub_mirrored, bench_run_descent,
     IMPLEMENTATIONS(one_trajectory)},
    {"W4", "MNIST 0 against 1, 2115 x 784, one trajectory, 500 steps", true, make_w4, bench_run_descent,
     IMPLEMENTATIONS(one_trajectory)},
    {"wide", "N=1 d=1000000 L=2, one trajectory, 50 steps", false, make_wide, bench_run_descent,
     IMPLEMENTATIONS(one_trajectory)},
};
const size_t bench_workload_count = sizeof bench_workloads / sizeof bench_workloads[0];
