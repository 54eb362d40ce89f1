/* The benchmark: workloads, implementations, ceilings.
 *
 * A workload is one entry of bench_workloads (workloads.c): how to make its problem, and who competes. Each
 * implementation first answers a short version of the problem; its answer must agree with the reference before it is
 * timed. Peers in Python (peers.py) read the same problem from files.
 */
#ifndef SF_BENCH_H
#define SF_BENCH_H

#include <samflow/lab.h>

typedef struct bench_problem {
    const char *name;
    sf_dataset *dataset; /* NULL where the problem has none */
    size_t n, d, count;  /* examples, features (twice the stored ones if mirrored), trajectories */
    int depth;
    double rho, eta;
    uint64_t steps, check_steps;
    double *z;          /* (n, d) signed examples in all features */
    double *theta;      /* (count, L, d) starts */
    size_t answer_size; /* numbers in an answer: count * L * d for trajectories */
    double tolerance;   /* of answers, relative to the greatest number of a trajectory */
} bench_problem;

/* Answers the problem with that many steps on that many threads. */
typedef sf_status (*bench_run_fn)(sf_context *context, const bench_problem *problem, uint64_t steps,
                                  int threads, double *answer);

typedef struct bench_implementation {
    const char *name;
    bool ours;
    bool plain;    /* run with SAMFLOW_ISA=plain */
    bool threaded; /* timed on several threads as well */
    bench_run_fn run;
} bench_implementation;

typedef struct bench_workload {
    const char *name, *title;
    bool main;                                                      /* part of a quick run */
    sf_status (*make)(sf_context *context, bench_problem *problem); /* SF_ERR_DATA: data not at hand */
    bench_run_fn reference;
    const bench_implementation *implementations;
    size_t implementation_count;
} bench_workload;

extern const bench_workload bench_workloads[];
extern const size_t bench_workload_count;

sf_status bench_run_descent(sf_context *context, const bench_problem *problem, uint64_t steps, int threads,
                            double *answer);
sf_status bench_run_batch(sf_context *context, const bench_problem *problem, uint64_t steps, int threads,
                          double *answer);
sf_status bench_run_loop_plain(sf_context *context, const bench_problem *problem, uint64_t steps, int threads,
                               double *answer);
sf_status bench_run_loop_simd(sf_context *context, const bench_problem *problem, uint64_t steps, int threads,
                              double *answer);

/* Exact work of a run of l2-SAM, from its shape. */
typedef struct bench_work {
    double exponentials, reciprocals, roots, multiply_adds; /* of doubles */
    double bytes; /* of data read from cache or memory, stored as doubles */
} bench_work;
bench_work bench_count_work(const bench_problem *problem);

/* Measured rates of this machine, on `threads` threads together. bytes: size of the array that is read. */
typedef struct bench_ceilings {
    double exponentials, reciprocals, roots, multiply_adds; /* a second */
    double bandwidth;                                       /* bytes a second */
} bench_ceilings;
sf_status bench_measure(sf_context *context, int threads, double bytes, bench_ceilings *ceilings);

typedef struct bench_rates {
    double (*run)(int what, size_t rounds, const double *array,
                  size_t count); /* returns a number that depends on all */
} bench_rates;
enum { BENCH_EXP, BENCH_RECIP, BENCH_ROOT, BENCH_FMA, BENCH_READ, BENCH_RATES };
enum { BENCH_LANES = 64 }; /* doubles that one round of run() takes, reading apart */
extern const bench_rates bench_rates_avx2, bench_rates_avx512, bench_rates_neon;

double bench_now(void); /* seconds on the wall */
double bench_cpu(void); /* seconds of processor time of this process, all threads */

#endif
