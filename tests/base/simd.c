/* Vector exponential, reciprocal and reciprocal root: at most 2 units in the last place, and the ends of the range. */
#include "support.h"

#include "base/isa.h"
#include "simd.h"

static const simd_functions *functions_of(sf_isa isa)
{
    if (!sf_isa_supported(isa))
        return NULL;
    switch (isa) {
#ifdef SF_HAVE_X86_KERNELS
    case SF_ISA_AVX2:
        return &simd_functions_avx2;
    case SF_ISA_AVX512:
        return &simd_functions_avx512;
#endif
#ifdef SF_HAVE_NEON_KERNELS
    case SF_ISA_NEON:
        return &simd_functions_neon;
#endif
    default:
        return NULL;
    }
}

static long double exact(int function, double x)
{
    switch (function) {
    case SIMD_EXP:
    case SIMD_EXP_BOUNDED:
        return expl((long double)x);
    case SIMD_RECIP:
        return 1.0L / (long double)x;
    default:
        return 1.0L / sqrtl((long double)x);
    }
}

/* Distance in units in the last place of a double near y. */
static double error_in_ulp(double got, long double y)
{
    int exponent;
    frexp((double)y, &exponent);
    double unit = ldexp(1.0, exponent - 53 < -1074 ? -1074 : exponent - 53);
    return (double)(fabsl((long double)got - y) / (long double)unit);
}

static double worst_on(const simd_functions *f, int function, double low, double high, bool logarithmic,
                       uint64_t seed)
{
    sf_random random = sf_random_make(seed, 0);
    double worst = 0.0;
    for (int k = 0; k < 60000; k += 8) {
        double x[8], y[8];
        for (int i = 0; i < 8; i++) {
            double u = sf_random_uniform(&random);
            x[i] = logarithmic ? exp2(low + u * (high - low)) : low + u * (high - low);
        }
        f->apply(function, x, y);
        for (int i = 0; i < 8; i++) {
            double error = error_in_ulp(y[i], exact(function, x[i]));
            if (!(error <= worst))
                worst = error;
        }
    }
    return worst;
}

static void test_accuracy(void **state)
{
    (void)state;
    for (sf_isa isa = SF_ISA_NEON; isa <= SF_ISA_AVX512; isa++) {
        const simd_functions *f = functions_of(isa);
        if (!f)
            continue;
        assert_absolute(worst_on(f, SIMD_EXP, -745.0, 709.0, false, 1), 0.0, 2.0);
        assert_absolute(worst_on(f, SIMD_EXP, -1.0, 1.0, false, 2), 0.0, 2.0);
        assert_absolute(worst_on(f, SIMD_EXP_BOUNDED, -700.0, 700.0, false, 3), 0.0, 2.0);
        assert_absolute(worst_on(f, SIMD_EXP_BOUNDED, -0.1, 0.1, false, 4), 0.0, 2.0);
        assert_absolute(worst_on(f, SIMD_RECIP, -1000.0, 1000.0, true, 5), 0.0, 2.0);
        assert_absolute(worst_on(f, SIMD_RSQRT, -1000.0, 1000.0, true, 6), 0.0, 2.0);
    }
}

static void test_ends(void **state)
{
    (void)state;
    const double x[8] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e308, -1e308, 709.9};
    for (sf_isa isa = SF_ISA_NEON; isa <= SF_ISA_AVX512; isa++) {
        const simd_functions *f = functions_of(isa);
        if (!f)
            continue;
        double y[8], nan[8] = {NAN, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, NAN};
        f->apply(SIMD_EXP, x, y);
        assert_true(isnan(y[0]) && y[1] == INFINITY && y[2] == 0.0 && y[3] == 1.0 && y[4] == 1.0);
        assert_true(y[5] == INFINITY && y[6] == 0.0 && y[7] == INFINITY);
        for (int function = SIMD_EXP_BOUNDED; function <= SIMD_RSQRT; function++) {
            f->apply(function, nan, y);
            assert_true(isnan(y[0]) && isnan(y[7]) && isfinite(y[1]));
        }
    }
}

/* Where the architecture promises vectors they are used, so that the other tests do not pass over them. */
static void test_promised(void **state)
{
    (void)state;
#if defined(__aarch64__)
    assert_true(sf_isa_supported(SF_ISA_NEON));
    assert_non_null(functions_of(SF_ISA_NEON));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_accuracy), cmocka_unit_test(test_ends),
                                       cmocka_unit_test(test_promised)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
