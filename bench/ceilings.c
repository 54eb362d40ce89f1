/* The ceilings of this machine, measured, and the exact work of a run. */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/isa.h"
#include "base/pool.h"
#include "bench.h"

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Additions, multiplications and their fusions count one each; L = 2, l2-SAM.
 * Weights, a step: t 2d, squares 2d, theta_hat 2d, two predictors 2d, rate d, update 2d (theory.md, section 1).
 * Data, a gradient: margins N d, field N d; N exponentials with a sum and a reciprocal. For N = 1 the field is z and
 * the slope at theta is not needed: one margin, one exponential; theta's predictor falls away too. */
bench_work bench_count_work(const bench_problem *problem)
{
    double n = (double)problem->n, d = (double)problem->d,
           runs = (double)problem->count * (double)problem->steps;
    if (problem->n == 1)
        return (bench_work){.exponentials = runs,
                            .reciprocals = runs,
                            .roots = runs,
                            .multiply_adds = runs * (2 * d + 2 * d + 2 * d + d + d + d + 2 * d + 3),
                            .bytes = problem->count == 1 ? runs * d * 8 * 9 : 0}; // 2 + 1 read thrice
    return (bench_work){.exponentials = runs * 2 * n,
                        .reciprocals = runs * 2 * n,
                        .roots = runs,
                        .multiply_adds = runs * (4 * n * d + 11 * d + 2 * n + 3),
                        .bytes = problem->count == 1 ? runs * 2 * n * d * 8 : 0};
}

typedef struct rate_job {
    const bench_rates *rates;
    int what;
    size_t rounds, count;
    const double *array;
    double *sink; // (threads, 8)
    size_t threads;
} rate_job;

static void rate_task(void *argument, size_t task, int worker)
{
    const rate_job *job = argument;
    size_t share = job->count / job->threads / BENCH_LANES * BENCH_LANES;
    job->sink[8 * task] = job->rates->run(job->what, job->rounds, job->array + task * share, share);
    (void)worker;
}

static const bench_rates *rates_here(void)
{
    switch (sf_isa_choose()) {
#ifdef SF_HAVE_X86_KERNELS
    case SF_ISA_AVX2:
        return &bench_rates_avx2;
    case SF_ISA_AVX512:
        return &bench_rates_avx512;
#endif
#ifdef SF_HAVE_NEON_KERNELS
    case SF_ISA_NEON:
        return &bench_rates_neon;
#endif
    default:
        return NULL;
    }
}

/* Work a second: the best of several tries of some milliseconds. */
static double measure_one(sf_pool *pool, rate_job *job, double work_of_round)
{
    double best = 0.0, seconds = 0.0;
    for (job->rounds = 16; seconds < 5e-3; job->rounds *= 2) {
        double start = bench_now();
        sf_pool_run(pool, job->threads, rate_task, job);
        seconds = bench_now() - start;
    }
    job->rounds /= 2;
    for (int k = 0; k < 9; k++) {
        double start = bench_now();
        sf_pool_run(pool, job->threads, rate_task, job);
        double rate = (double)job->rounds * work_of_round / (bench_now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

sf_status bench_measure(sf_context *context, int threads, double bytes, bench_ceilings *ceilings)
{
    *ceilings = (bench_ceilings){NAN, NAN, NAN, NAN, NAN};
    sf_pool *pool = NULL;
    size_t count = (size_t)(bytes / 8.0) / BENCH_LANES * BENCH_LANES + BENCH_LANES * (size_t)threads;
    double sink[8 * 64] = {0}, *array = aligned_alloc(64, count * sizeof *array);
    rate_job job = {
        .rates = rates_here(), .count = count, .array = array, .sink = sink, .threads = (size_t)threads};
    sf_status status = !array || threads > 64 ? SF_ERR_MEMORY : sf_pool_create(context, threads, &pool);
    if (status == SF_OK && job.rates) {
        for (size_t i = 0; i < count; i++)
            array[i] = 1.0;
        double *rate[] = {&ceilings->exponentials, &ceilings->reciprocals, &ceilings->roots,
                          &ceilings->multiply_adds};
        for (job.what = BENCH_EXP; job.what <= BENCH_FMA; job.what++)
            *rate[job.what] = measure_one(pool, &job, (double)BENCH_LANES * threads);
        ceilings->bandwidth = measure_one(
            pool, &job, 8.0 * (double)(count / (size_t)threads / BENCH_LANES * BENCH_LANES) * threads);
    }
    sf_pool_destroy(&pool);
    free(array);
    return status;
}
