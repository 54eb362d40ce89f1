/* l2-SAM at L = 2 as a user would write it in C. For many trajectories the loop over trajectories is innermost, in
 * blocks that stay in cache, so that a compiler can use SIMD; for one trajectory the loops are over features. Compiled
 * twice: as plain C, and with everything the compiler can do for this machine (fast-math, vector libm).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { BLOCK = 64 };

/* Gradient of the loss for a block of trajectories. w, g: (2, d, BLOCK). */
static void block_gradient(const bench_problem *p, const double *restrict w, double *restrict g)
{
    size_t d = p->d;
    const double *w1 = w, *w2 = w + d * BLOCK;
    double *g1 = g, *g2 = g + d * BLOCK;
    memset(g, 0, 2 * d * BLOCK * sizeof *g);
    for (size_t i = 0; i < p->n; i++) {
        double s[BLOCK] = {0};
        for (size_t j = 0; j < d; j++) {
            double z = p->z[i * d + j];
            for (int k = 0; k < BLOCK; k++)
                s[k] += z * w1[j * BLOCK + (size_t)k] * w2[j * BLOCK + (size_t)k];
        }
        for (int k = 0; k < BLOCK; k++)
            s[k] = 1.0 / (1.0 + exp(s[k])) / (double)p->n;
        for (size_t j = 0; j < d; j++) {
            double z = p->z[i * d + j];
            for (int k = 0; k < BLOCK; k++) {
                g1[j * BLOCK + (size_t)k] -= s[k] * z * w2[j * BLOCK + (size_t)k];
                g2[j * BLOCK + (size_t)k] -= s[k] * z * w1[j * BLOCK + (size_t)k];
            }
        }
    }
}

static void block_step(const bench_problem *p, double *restrict w, double *restrict hat, double *restrict g)
{
    size_t rows = 2 * p->d;
    double norm[BLOCK] = {0};
    block_gradient(p, w, g);
    for (size_t r = 0; r < rows; r++)
        for (int k = 0; k < BLOCK; k++)
            norm[k] += g[r * BLOCK + (size_t)k] * g[r * BLOCK + (size_t)k];
    for (int k = 0; k < BLOCK; k++)
        norm[k] = p->rho / sqrt(norm[k]);
    for (size_t r = 0; r < rows; r++)
        for (int k = 0; k < BLOCK; k++)
            hat[r * BLOCK + (size_t)k] = w[r * BLOCK + (size_t)k] + norm[k] * g[r * BLOCK + (size_t)k];
    block_gradient(p, hat, g);
    for (size_t r = 0; r < rows; r++)
        for (int k = 0; k < BLOCK; k++)
            w[r * BLOCK + (size_t)k] -= p->eta * g[r * BLOCK + (size_t)k];
}

static void run_block(const bench_problem *p, uint64_t steps, size_t first, double *space, double *answer)
{
    size_t rows = 2 * p->d;
    double *w = space, *hat = w + rows * BLOCK, *g = hat + rows * BLOCK;
    for (size_t k = 0; k < BLOCK; k++)
        for (size_t r = 0; r < rows; r++)
            w[r * BLOCK + k] = p->theta[(first + k < p->count ? first + k : p->count - 1) * rows + r];
    for (uint64_t step = 0; step < steps; step++)
        block_step(p, w, hat, g);
    for (size_t k = 0; k < BLOCK && first + k < p->count; k++)
        for (size_t r = 0; r < rows; r++)
            answer[(first + k) * rows + r] = w[r * BLOCK + k];
}

static sf_status run_many(const bench_problem *p, uint64_t steps, int threads, double *answer)
{
    int failed = 0;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (size_t first = 0; first < p->count; first += BLOCK) {
        double *space = aligned_alloc(64, 6 * p->d * BLOCK * sizeof *space);
        if (space)
            run_block(p, steps, first, space, answer);
        else
            failed = 1;
        free(space);
    }
    return failed ? SF_ERR_MEMORY : SF_OK;
}

/* Gradient for one trajectory, row by row. */
static void gradient(const bench_problem *p, const double *restrict w, double *restrict beta,
                     double *restrict field, double *restrict g)
{
    size_t d = p->d;
    for (size_t j = 0; j < d; j++) {
        beta[j] = w[j] * w[d + j];
        field[j] = 0.0;
    }
    for (size_t i = 0; i < p->n; i++) {
        const double *z = p->z + i * d;
        double m = 0.0;
        for (size_t j = 0; j < d; j++)
            m += z[j] * beta[j];
        double s = 1.0 / (1.0 + exp(m)) / (double)p->n;
        for (size_t j = 0; j < d; j++)
            field[j] += s * z[j];
    }
    for (size_t j = 0; j < d; j++) {
        g[j] = -field[j] * w[d + j];
        g[d + j] = -field[j] * w[j];
    }
}

static sf_status run_one(const bench_problem *p, uint64_t steps, double *w)
{
    size_t d = p->d;
    double *space = malloc(6 * d * sizeof *space), *hat = space, *g = hat + 2 * d, *beta = g + 2 * d,
           *field = beta + d;
    if (!space)
        return SF_ERR_MEMORY;
    memcpy(w, p->theta, 2 * d * sizeof *w);
    for (uint64_t step = 0; step < steps; step++) {
        double norm = 0.0;
        gradient(p, w, beta, field, g);
        for (size_t k = 0; k < 2 * d; k++)
            norm += g[k] * g[k];
        norm = p->rho / sqrt(norm);
        for (size_t k = 0; k < 2 * d; k++)
            hat[k] = w[k] + norm * g[k];
        gradient(p, hat, beta, field, g);
        for (size_t k = 0; k < 2 * d; k++)
            w[k] -= p->eta * g[k];
    }
    free(space);
    return SF_OK;
}

sf_status LOOP_NAME(sf_context *context, const bench_problem *problem, uint64_t steps, int threads,
                    double *answer)
{
    (void)context;
    return problem->count == 1 ? run_one(problem, steps, answer) : run_many(problem, steps, threads, answer);
}
