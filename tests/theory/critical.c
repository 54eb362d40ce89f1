/* The critical scale: values of the theory page, closed forms, symmetries, and bisection on the network itself. */
#include "common.h"

static double critical(sf_context *context, size_t d, const double *mu, double rho)
{
    double *ones = calloc(d, sizeof *ones), factor;
    for (size_t j = 0; j < d; j++)
        ones[j] = 1.0;
    assert_ok(context, sf_critical_factor(context, d, mu, ones, ones, rho, &factor));
    free(ones);
    return factor;
}

static void test_known_values(void **state)
{
    (void)state;
    sf_context *context = test_context();
    assert_absolute(critical(context, 2, (double[]){1.0, 2.0}, 1.0), 0.5213212826, 5e-11);
    assert_absolute(critical(context, 2, (double[]){1.0, 3.0}, 1.0), 0.5416033514, 5e-11);
    assert_absolute(critical(context, 2, (double[]){1.0, 10.0}, 1.0), 0.605432216, 5e-10);
    assert_absolute(critical(context, 3, (double[]){1.0, 2.0, 3.0}, 1.0), 0.436426306, 5e-10);
    assert_relative(critical(context, 3, (double[]){1.0, 1.0, 1.0}, 1.0), 1.0 / sqrt(6.0), 1e-15);
    assert_relative(critical(context, 1, (double[]){2.5}, 1.0), sqrt(0.5), 1e-15);
    assert_relative(critical(context, 2, (double[]){1.0, 1.1}, 1.0), 0.5005615889358402632, 1e-15);
    sf_context_destroy(&context);
}

static void test_symmetries(void **state)
{
    (void)state;
    sf_context *context = test_context();
    double c = critical(context, 3, (double[]){1.0, 2.0, 4.5}, 1.0);
    assert_relative(critical(context, 3, (double[]){1.0, 2.0, 4.5}, 0.37), 0.37 * c, 1e-14);
    assert_relative(critical(context, 3, (double[]){1e7, 2e7, 4.5e7}, 1.0), c, 1e-14);
    assert_relative(critical(context, 3, (double[]){4.5, 1.0, 2.0}, 1.0), c, 1e-14);
    // a coordinate with mu = 0 does not move
    assert_relative(critical(context, 4, (double[]){4.5, 0.0, 1.0, 2.0}, 1.0), c, 1e-14);
    // mu -> -mu with w_2 -> -w_2
    double factor;
    assert_ok(context, sf_critical_factor(context, 3, (double[]){-1.0, 2.0, -4.5}, (double[]){1.0, 1.0, 1.0},
                                          (double[]){-1.0, 1.0, -1.0}, 1.0, &factor));
    assert_relative(factor, c, 1e-14);
    // small starts: what log c = 276 has before the point it lacks behind it
    for (int k = 1; k < 40; k++) {
        double mu[] = {1.0, 2.0}, w[] = {1.0, 0.05 * k}, small[] = {1e-120, 1e-120 * w[1]}, at_one;
        assert_ok(context, sf_critical_factor(context, 2, mu, w, w, 1.0, &at_one));
        assert_ok(context, sf_critical_factor(context, 2, mu, small, small, 1.0, &factor));
        assert_relative(factor, 1e120 * at_one, 1e-12);
    }
    // no growing part, gradient descent: none
    assert_ok(context, sf_critical_factor(context, 1, (double[]){1.0}, (double[]){1.0}, (double[]){-1.0}, 1.0,
                                          &factor));
    assert_true(isnan(factor));
    assert_ok(context, sf_critical_factor(context, 1, (double[]){1.0}, (double[]){1.0}, (double[]){1.0}, 0.0,
                                          &factor));
    assert_true(isnan(factor));
    sf_context_destroy(&context);
}

/* Whether the network of l2-SAM grows, by plain Runge-Kutta steps of its own weights in a clock that slows down where
 * the gradient is small: dtheta/ds = n / (n + 1) * dtheta/dtau. */
static bool network_grows(size_t d, const double *mu, const double *w1, const double *w2, double factor,
                          double rho)
{
    double x[2 * MOST], k[4][2 * MOST], y[2 * MOST], weakest = INFINITY, strongest = 0.0;
    for (size_t j = 0; j < d; j++) {
        x[j] = factor * w1[j];
        x[d + j] = factor * w2[j];
        weakest = fmin(weakest, mu[j]);
        strongest = fmax(strongest, mu[j]);
    }
    double h = 0.01 / strongest;
    for (long step = 0; step < 400000; step++) {
        double n = 0.0, plus = 0.0;
        for (int stage = 0; stage < 4; stage++) {
            for (size_t i = 0; i < 2 * d; i++)
                y[i] = x[i] + (stage == 0 ? 0.0 : (stage == 3 ? h : h / 2.0) * k[stage - 1][i]);
            double norm = 0.0;
            for (size_t j = 0; j < d; j++)
                norm += mu[j] * mu[j] * (y[j] * y[j] + y[d + j] * y[d + j]);
            norm = sqrt(norm);
            for (size_t j = 0; j < d; j++) {
                double slow = norm / (norm + rho * weakest);
                k[stage][j] = slow * mu[j] * (y[d + j] - rho * mu[j] * y[j] / norm);
                k[stage][d + j] = slow * mu[j] * (y[j] - rho * mu[j] * y[d + j] / norm);
            }
            if (stage == 0)
                n = norm;
        }
        for (size_t i = 0; i < 2 * d; i++)
            x[i] += h / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]);
        for (size_t j = 0; j < d; j++)
            plus += 0.5 * mu[j] * mu[j] * (x[j] + x[d + j]) * (x[j] + x[d + j]);
        if (sqrt(plus) > rho * strongest)
            return true;
        if (n < rho * weakest)
            return false;
    }
    fail_msg("the network has not decided");
    return false;
}

/* The flow of the network at c (1 +- 1e-7) must fall on either side: its own error is about 1e-9. */
static void test_against_the_network(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_random random = sf_random_make(21, 1);
    for (int trial = 0; trial < 100; trial++) {
        size_t d = 1 + (size_t)sf_random_below(&random, 5);
        double mu[MOST], w1[MOST], w2[MOST], factor;
        for (size_t j = 0; j < d; j++) {
            mu[j] = 0.3 + 2.0 * sf_random_uniform(&random);
            w1[j] = trial % 2 ? 1.0 : 0.5 + sf_random_uniform(&random);
            w2[j] = trial % 2 ? 1.0 : sf_random_uniform(&random) - 0.3;
        }
        assert_ok(context, sf_critical_factor(context, d, mu, w1, w2, 1.0, &factor));
        assert_true(network_grows(d, mu, w1, w2, factor * (1.0 + 1e-7), 1.0));
        assert_false(network_grows(d, mu, w1, w2, factor * (1.0 - 1e-7), 1.0));
    }
    sf_context_destroy(&context);
}

/* 12 orders of magnitude: two features so far apart that each dies by itself. The strong one leaves a trace of second
 * order only, so alpha_c is that of the weak one alone, which has lost e^{-mu_1^2 B} to the strong one. */
static void test_wide(void **state)
{
    (void)state;
    sf_context *context = test_context();
    double previous = 0.0;
    for (int k = 1; k <= 12; k++) {
        double c = critical(context, 2, (double[]){1.0, pow(10.0, k)}, 1.0);
        assert_true(c > previous && c < sqrt(0.5)); // rises towards the one-feature value of the strong one
        previous = c;
    }
    assert_relative(previous, sqrt(0.5), 1e-9);
    sf_context_destroy(&context);
}

/* Many features are replaced by quadratures of bins: the same measure, each strength split in k parts of amplitude
 * 1/sqrt(k), must give the same flow. */
static void test_binned(void **state)
{
    (void)state;
    enum { FEW = 500, PARTS = 12, ALL = FEW * PARTS };
    sf_context *context = test_context();
    sf_random random = sf_random_make(22, 1);
    double *mu = calloc(ALL, sizeof *mu), *w = calloc(ALL, sizeof *w), few, all;
    for (size_t j = 0; j < FEW; j++) {
        mu[j] = exp(-4.0 * sf_random_uniform(&random));
        w[j] = 1.0;
    }
    assert_ok(context, sf_critical_factor(context, FEW, mu, w, w, 1.0, &few));
    sf_reduction *r = reduction_of(context, FEW, mu, w, w, 20.0), *s;
    sf_reduction_point at, split;
    assert_ok(context, sf_reduction_at_tau(r, 2.0, &at));
    for (size_t j = 0; j < ALL; j++) {
        mu[j] = mu[j % FEW];
        w[j] = 1.0 / sqrt(PARTS);
    }
    assert_ok(context, sf_critical_factor(context, ALL, mu, w, w, 1.0, &all));
    s = reduction_of(context, ALL, mu, w, w, 20.0);
    assert_ok(context, sf_reduction_at_tau(s, 2.0, &split));
    assert_relative(all, few, 1e-13);
    assert_relative(split.b, at.b, 1e-13);
    assert_relative(split.log_time, at.log_time, 1e-13);
    sf_reduction_destroy(&r);
    sf_reduction_destroy(&s);
    free(mu);
    free(w);
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_values), cmocka_unit_test(test_symmetries),
                                       cmocka_unit_test(test_against_the_network),
                                       cmocka_unit_test(test_wide), cmocka_unit_test(test_binned)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
