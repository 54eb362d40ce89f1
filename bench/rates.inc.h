/* What this machine can do at most, for the instruction set this is compiled for: independent chains, no memory, and
 * reading an array. */
#include "base/simd_exp.h"
#include "bench.h"

enum { CHAINS = BENCH_LANES / VD };

SF_INLINE vd one(int what, vd x)
{
    switch (what) {
    case BENCH_EXP:
        return vd_exp_bounded(x);
    case BENCH_RECIP:
        return vd_recip(x);
    case BENCH_ROOT:
        return vd_rsqrt(x);
    default:
        return vd_fma(x, vd_set(0.999), vd_set(1e-3));
    }
}

/* Inputs do not depend on results, so that only the rate counts; results are added up. FMA runs in chains. */
SF_INLINE double rounds_of(int what, size_t rounds)
{
    vd x[CHAINS], sum = vd_set(0.0), step = vd_set(1e-9);
    for (int i = 0; i < CHAINS; i++)
        x[i] = vd_set(0.5 + 0.01 * i);
    for (size_t k = 0; k < rounds; k++) {
        SF_UNROLL for (int i = 0; i < CHAINS; i++)
        {
            if (what == BENCH_FMA) {
                x[i] = one(what, x[i]);
            } else {
                sum = vd_max(sum, one(what, x[i]));
                x[i] = vd_add(x[i], step);
            }
        }
    }
    for (int i = 0; i < CHAINS; i++)
        sum = vd_add(sum, x[i]);
    return vd_sum(sum);
}

/* Sum of the array, `rounds` times. count: a multiple of BENCH_LANES. */
static double read_array(size_t rounds, const double *array, size_t count)
{
    vd sum[CHAINS];
    for (int i = 0; i < CHAINS; i++)
        sum[i] = vd_set(0.0);
    for (size_t k = 0; k < rounds; k++)
        for (size_t j = 0; j < count; j += BENCH_LANES) {
            SF_UNROLL for (int i = 0; i < CHAINS; i++)
            {
                sum[i] = vd_add(sum[i], vd_load(array + j + (size_t)i * VD));
            }
        }
    for (int i = 1; i < CHAINS; i++)
        sum[0] = vd_add(sum[0], sum[i]);
    return vd_sum(sum[0]);
}

static double run(int what, size_t rounds, const double *array, size_t count)
{
    switch (what) {
    case BENCH_EXP:
        return rounds_of(BENCH_EXP, rounds);
    case BENCH_RECIP:
        return rounds_of(BENCH_RECIP, rounds);
    case BENCH_ROOT:
        return rounds_of(BENCH_ROOT, rounds);
    case BENCH_FMA:
        return rounds_of(BENCH_FMA, rounds);
    default:
        return read_array(rounds, array, count);
    }
}

const bench_rates SF_SIMD(bench_rates) = {run};
