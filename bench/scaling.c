/* samflow-scaling: how time grows with trajectories, steps, features and points, and how it falls with threads.
 *
 * Each workload is run at 1, 2 and 4 times its size along one dimension, the others held. Printed are seconds (best of
 * several runs, which take turns so that a disturbed moment meets all sizes alike) and the exponent, log2 of the ratio
 * to half the size: 1 is linear. Where the sizes at hand do not fill the lanes of a block the first exponents are lower.
 *
 * usage: samflow-scaling [--repeats N] [--threads N] [--out FOLDER]     (FOLDER/scaling.csv; default: the current one)
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <samflow/lab.h>

enum { FACTORS = 3, MOST_FEATURES = 256, PATH = 4096 };

typedef struct size {
    size_t examples, features, count; /* count: trajectories, or rows of the map */
    uint64_t steps;
} size;

typedef struct scaling {
    sf_context *context;
    const char *out;
    int repeats, threads;
    FILE *csv;
} scaling;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the workloads ----------------------------------------------------------------------------------------- */

static sf_status make_data(sf_context *context, const size *s, sf_dataset **out)
{
    double mean[MOST_FEATURES];
    for (size_t j = 0; j < s->features; j++)
        mean[j] = s->examples == 1 ? 1.0 + (double)j / (double)(s->features - 1) : 0.3;
    if (s->examples == 1)
        return sf_dataset_from_points(context, 1, s->features, mean, NULL, out);
    sf_gaussian classes = {
        .d = s->features, .mean = mean, .std = 1.0, .per_class = s->examples / 2, .seed = 1};
    return sf_dataset_gaussian(context, &classes, out);
}

static sf_status advance(sf_context *context, const size *s, const sf_network *network, int threads,
                         double *seconds)
{
    size_t weights = 2 * s->features;
    double *theta = malloc(s->count * weights * sizeof *theta);
    if (!theta)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < weights; k++)
            theta[i * weights + k] = 0.05 + 1.95 * (double)i / (double)s->count;
    sf_batch *batch = NULL;
    sf_batch_spec spec = {.size = sizeof(sf_batch_spec),
                          .count = s->count,
                          .theta = theta,
                          .perturbation = {SF_METHOD_L2, s->examples == 1 ? 1.0 : 0.1, 0.0},
                          .step = 0.01,
                          .threads = threads};
    sf_status status = sf_batch_create(context, network, &spec, &batch);
    double start = now();
    if (status == SF_OK)
        status = sf_batch_advance(batch, s->steps);
    *seconds = now() - start;
    sf_batch_destroy(&batch);
    free(theta);
    return status;
}

/* W1 and W2: l2-SAM, L = 2, batched. */
static sf_status run_batch(const scaling *b, const size *s, int threads, double *seconds)
{
    sf_dataset *dataset = NULL;
    sf_network *network = NULL;
    sf_status status = make_data(b->context, s, &dataset);
    if (status == SF_OK)
        status = sf_network_create(b->context, dataset, 2, SF_LOSS_LOGISTIC, &network);
    if (status == SF_OK)
        status = advance(b->context, s, network, threads, seconds);
    sf_network_destroy(&network);
    sf_dataset_destroy(&dataset);
    return status;
}

/* W6: regime and limit of a map of `count` rows and 1,000 columns, computed and stored. */
static sf_status run_map(const scaling *b, const size *s, int threads, double *seconds)
{
    char text[512], path[PATH + 32];
    snprintf(
        text, sizeof text,
        "data: {example: [1, 2]}\ndynamics: {mode: exact}\nsweep:\n  axes:\n"
        "    data.example[1]: {linspace: [1.01, 10, %zu]}\n    network.init: {linspace: [0.3, 1.3, 1000]}\n"
        "  observables: [regime, limit]\n",
        s->count);
    snprintf(path, sizeof path, "%s/scaling-%lld.db", b->out, (long long)getpid());
    sf_sweep *sweep = NULL;
    sf_sweep_options options = {.threads = threads};
    sf_sweep_counts counts;
    double start = now();
    sf_status status = sf_sweep_parse(b->context, "W6", text, 0, NULL, &sweep);
    if (status == SF_OK)
        status = sf_sweep_run(sweep, path, &options, &counts);
    *seconds = now() - start;
    sf_sweep_destroy(&sweep);
    unlink(path);
    return status;
}

typedef enum dimension { TRAJECTORIES, STEPS, FEATURES, POINTS, DIMENSIONS } dimension;
static const char *const dimension_name[DIMENSIONS] = {"trajectories", "steps", "features", "points"};

static size enlarged(size s, dimension along, size_t factor)
{
    s.count *= along == TRAJECTORIES || along == POINTS ? factor : 1;
    s.steps *= along == STEPS ? factor : 1;
    s.features *= along == FEATURES ? factor : 1;
    return s;
}

typedef struct workload {
    const char *name;
    sf_status (*run)(const scaling *b, const size *s, int threads, double *seconds);
    size base[DIMENSIONS]; /* that a dimension starts from; count 0: it has no such dimension */
    dimension along;       /* of the comparison of threads, at 4 times the size */
} workload;

static const workload workloads[] = {
    {"W1", run_batch, {{1, 2, 16384, 2000}, {1, 2, 65536, 500}, {1, 8, 16384, 500}, {0}}, TRAJECTORIES},
    {"W2", run_batch, {{64, 32, 512, 300}, {64, 32, 1024, 150}, {64, 32, 512, 150}, {0}}, TRAJECTORIES},
    {"W6", run_map, {{0}, {0}, {0}, {0, 0, 250, 0}}, POINTS},
};

/* ---- measuring --------------------------------------------------------------------------------------------- */

static sf_status measure(const scaling *b, const workload *w, dimension along)
{
    double best[FACTORS] = {INFINITY, INFINITY, INFINITY};
    for (int r = 0; r < b->repeats; r++)
        for (int f = 0; f < FACTORS; f++) {
            size s = enlarged(w->base[along], along, (size_t)1 << f);
            double seconds;
            sf_status status = w->run(b, &s, 1, &seconds);
            if (status != SF_OK)
                return status;
            best[f] = fmin(best[f], seconds);
        }
    printf("%-4s %-13s", w->name, dimension_name[along]);
    for (int f = 0; f < FACTORS; f++) {
        printf("  x%d %8.4f s", 1 << f, best[f]);
        if (f > 0)
            printf(" (%.2f)", log2(best[f] / best[f - 1]));
        fprintf(b->csv, "%s,%s,%d,1,%.6f\n", w->name, dimension_name[along], 1 << f, best[f]);
    }
    printf("\n");
    fflush(stdout);
    return SF_OK;
}

static sf_status compare_threads(const scaling *b, const workload *w)
{
    size s = enlarged(w->base[w->along], w->along, 4);
    double best[2] = {INFINITY, INFINITY};
    for (int r = 0; r < b->repeats; r++)
        for (int k = 0; k < 2; k++) {
            double seconds;
            sf_status status = w->run(b, &s, k ? b->threads : 1, &seconds);
            if (status != SF_OK)
                return status;
            best[k] = fmin(best[k], seconds);
        }
    printf("%-4s %-13s  1: %8.4f s  %d: %8.4f s  %.2f times as fast\n", w->name, "threads", best[0],
           b->threads, best[1], best[0] / best[1]);
    fprintf(b->csv, "%s,threads,4,%d,%.6f\n", w->name, b->threads, best[1]);
    fflush(stdout);
    return SF_OK;
}

static sf_status run_all(const scaling *b)
{
    fputs("workload,dimension,factor,threads,seconds\n", b->csv);
    printf("seconds on one thread at 1, 2 and 4 times the size; in brackets the exponent, 1: linear\n");
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
        sf_status status = SF_OK;
        for (int along = 0; along < DIMENSIONS && status == SF_OK; along++)
            if (workloads[i].base[along].count > 0)
                status = measure(b, &workloads[i], (dimension)along);
        if (status == SF_OK && b->threads > 1)
            status = compare_threads(b, &workloads[i]);
        if (status != SF_OK)
            return status;
    }
    return SF_OK;
}

int main(int argc, char **argv)
{
    scaling b = {.out = ".", .repeats = 5, .threads = 2};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--repeats") == 0)
            b.repeats = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--threads") == 0)
            b.threads = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--out") == 0)
            b.out = argv[i + 1];
    }
    char path[PATH];
    if (b.repeats < 1 || b.threads < 1 || snprintf(path, sizeof path, "%s/scaling.csv", b.out) >= PATH) {
        fprintf(stderr, "usage: samflow-scaling [--repeats N] [--threads N] [--out FOLDER]\n");
        return 2;
    }
    b.csv = fopen(path, "w");
    sf_status status = b.csv ? sf_context_create(NULL, &b.context) : SF_ERR_IO;
    if (status == SF_OK)
        status = run_all(&b);
    if (status != SF_OK)
        fprintf(stderr, "samflow-scaling: %s\n", b.context ? sf_context_message(b.context) : path);
    if (b.csv && fclose(b.csv) != 0)
        status = SF_ERR_IO;
    sf_context_destroy(&b.context);
    return sf_status_exit_code(status);
}
