#include "margin_check.h"

typedef struct rows {
    size_t n, d;
    double *z; // (n, d)
} rows;

static rows rows_of(const sf_dataset *dataset)
{
    rows r = {sf_dataset_examples(dataset), sf_dataset_features(dataset), NULL};
    r.z = malloc(r.n * r.d * sizeof *r.z);
    assert_non_null(r.z);
    for (size_t n = 0; n < r.n; n++)
        sf_dataset_example(dataset, n, r.z + n * r.d);
    return r;
}

static long double product(const rows *r, size_t n, const double *beta)
{
    long double sum = 0.0L;
    for (size_t j = 0; j < r->d; j++)
        sum += (long double)r->z[n * r->d + j] * beta[j];
    return sum;
}

/* sum_n lambda_n z_nj */
static long double combination(const rows *r, size_t j, const double *lambda)
{
    long double sum = 0.0L;
    for (size_t n = 0; n < r->n; n++)
        sum += (long double)lambda[n] * r->z[n * r->d + j];
    return sum;
}

static void verify_certificate(const rows *r, const sf_margin_options *options, const sf_margin *margin)
{
    const double *lambda = sf_margin_certificate(margin);
    long double sum = 0.0L, residual = 0.0L, scale = 0.0L;
    assert_non_null(lambda);
    assert_true(sf_margin_separability(margin) == SF_WEAKLY_SEPARABLE || !sf_margin_direction(margin));
    for (size_t n = 0; n < r->n; n++) {
        assert_true(lambda[n] >= 0.0);
        sum += lambda[n];
    }
    for (size_t j = 0; j < r->d; j++) {
        long double q = combination(r, j, lambda);
        if (options->nonnegative && q < 0.0L)
            q = 0.0L;
        residual += q * q;
    }
    for (size_t i = 0; i < r->n * r->d; i++)
        scale = fmaxl(scale, fabsl((long double)r->z[i]));
    assert_absolute((double)sum, 1.0, 1e-12);
    assert_absolute(sf_margin_certificate_residual(margin), (double)sqrtl(residual), 1e-15 * (double)scale);
    assert_true(sqrtl(residual) <= 1e-12L * (1.0L + scale) * sqrtl((long double)r->d));
}

static void verify_stationarity(const rows *r, const sf_margin_options *options, const double *beta,
                                const double *lambda, long double gamma, double tolerance)
{
    for (size_t j = 0; j < r->d; j++) {
        long double q = combination(r, j, lambda), b = beta[j] / gamma;
        if (options->norm == SF_NORM_L2) {
            // relative to ||b|| = 1 / gamma
            long double gap = options->nonnegative && b == 0.0L ? fmaxl(0.0L, q) : fabsl(q - b);
            assert_absolute((double)(gap * gamma), 0.0, tolerance);
        } else if (b != 0.0L) {
            assert_absolute((double)q, b > 0.0L ? 1.0 : -1.0, tolerance);
        } else {
            assert_true((options->nonnegative ? q : fabsl(q)) <= 1.0L + tolerance);
        }
    }
}

static void verify_solution(const rows *r, const sf_margin_options *options, const sf_margin *margin,
                            double tolerance)
{
    const double *beta = sf_margin_direction(margin), *lambda = sf_margin_multipliers(margin);
    long double norm = 0.0L, gamma = INFINITY, total = 0.0L, slack = 0.0L;
    assert_non_null(beta);
    assert_non_null(lambda);
    assert_null(sf_margin_certificate(margin));
    for (size_t j = 0; j < r->d; j++) {
        assert_true(!options->nonnegative || beta[j] >= 0.0);
        norm += options->norm == SF_NORM_L1 ? fabsl((long double)beta[j]) : (long double)beta[j] * beta[j];
    }
    for (size_t n = 0; n < r->n; n++)
        gamma = fminl(gamma, product(r, n, beta));
    assert_absolute((double)(options->norm == SF_NORM_L1 ? norm : sqrtl(norm)), 1.0, 1e-14);
    assert_true(gamma > 0.0L);
    assert_relative(sf_margin_value(margin), (double)gamma, 1e-14);
    for (size_t n = 0; n < r->n; n++) {
        assert_true(lambda[n] >= 0.0);
        total += lambda[n];
        slack += lambda[n] * (product(r, n, beta) / gamma - 1.0L);
    }
    assert_absolute((double)(slack / total), 0.0, tolerance);
    verify_stationarity(r, options, beta, lambda, gamma, tolerance);
    // dual value: sum lambda = ||b||_1, or ||b||_2^2
    long double power = options->norm == SF_NORM_L1 ? gamma : gamma * gamma;
    assert_absolute((double)(total * power), 1.0, 10.0 * tolerance);
    assert_true(sf_margin_kkt_residual(margin) <= tolerance * sqrt((double)r->d));
}

void test_verify_margin(const sf_dataset *dataset, const sf_margin_options *options, const sf_margin *margin,
                        double tolerance)
{
    rows r = rows_of(dataset);
    if (sf_margin_separable(margin))
        verify_solution(&r, options, margin, tolerance);
    else
        verify_certificate(&r, options, margin);
    free(r.z);
}
