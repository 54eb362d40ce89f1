/* The order of features: against dense sampling of the exact solution, known orders, ties, many features. */
#include "common.h"

static void expect_order(sf_context *context, size_t d, const double *mu, double alpha, size_t count,
                         const size_t *order)
{
    double w[MOST];
    for (size_t j = 0; j < d; j++)
        w[j] = alpha;
    sf_reduction *r = reduction_of(context, d, mu, w, w, 1.0);
    const sf_leader *leaders;
    size_t found;
    assert_ok(context, sf_reduction_dominance(r, &leaders, &found));
    assert_int_equal(found, count);
    for (size_t k = 0; k < count; k++)
        assert_int_equal(leaders[k].index, order[k]);
    for (size_t k = 1; k < count; k++) { // tau / B crosses mu_i + mu_j
        sf_reduction_point at;
        assert_ok(context, sf_reduction_at_tau(r, leaders[k].tau, &at));
        assert_relative(at.tau / at.b, mu[order[k]] + mu[order[k - 1]], 1e-12);
        assert_true(leaders[k].tau > leaders[k - 1].tau);
    }
    sf_reduction_destroy(&r);
}

static void test_orders(void **state)
{
    (void)state;
    sf_context *context = test_context();
    expect_order(context, 2, (double[]){1.0, 2.0}, 0.6, 2, (size_t[]){0, 1});
    expect_order(context, 2, (double[]){1.0, 2.0}, 0.95, 1, (size_t[]){1}); // beyond 3 / sqrt(10)
    expect_order(context, 2, (double[]){2.0, 1.0}, 0.94, 2, (size_t[]){1, 0});
    expect_order(context, 2, (double[]){1.0, 2.0}, 0.5, 1, (size_t[]){0}); // collapse
    expect_order(context, 4, (double[]){1.0, 2.0, 1.0, 2.0}, 0.5, 2,
                 (size_t[]){0, 1}); // ties: smallest index
    expect_order(context, 1, (double[]){1.0}, 0.8, 1, (size_t[]){0});
    sf_context_destroy(&context);
}

/* Dominance goes down before it goes up: n(0) = 2.07 is just above mu_1 + mu_2 and falls at first. */
static void test_down_and_up(void **state)
{
    (void)state;
    sf_context *context = test_context();
    double mu[] = {1.0, 1.04, 2.55};
    expect_order(context, 3, mu, 0.5063, 4, (size_t[]){1, 0, 1, 2});
    sf_context_destroy(&context);
}

/* |beta| of the exact solution at (tau, B), written down again. */
static size_t largest(size_t d, const double *mu, const double *w1, const double *w2, double tau, double b)
{
    size_t best = 0;
    double high = -1.0;
    for (size_t j = 0; j < d; j++) {
        double u = (w1[j] + w2[j]) * exp(mu[j] * tau - mu[j] * mu[j] * b);
        double v = (w1[j] - w2[j]) * exp(-mu[j] * tau - mu[j] * mu[j] * b);
        double size = fabs(u * u - v * v);
        if (size > high) {
            high = size;
            best = j;
        }
    }
    return best;
}

static void test_any_start(void **state)
{
    (void)state;
    enum { SAMPLES = 2000 };
    sf_context *context = test_context();
    sf_random random = sf_random_make(23, 1);
    size_t changes = 0;
    for (int trial = 0; trial < 60; trial++) {
        size_t d = 2 + (size_t)sf_random_below(&random, 6), count, at_leader = 0;
        double mu[MOST], w1[MOST], w2[MOST], rho = trial % 3 ? 1.0 : 0.2, end = 6.0;
        for (size_t j = 0; j < d; j++) {
            mu[j] = (trial % 4 ? 1.0 : -1.0) * (0.3 + 2.5 * sf_random_uniform(&random));
            w1[j] = sf_random_normal(&random);
            w2[j] = trial % 2 ? sf_random_normal(&random) : copysign(w1[j], w1[j] * mu[j]);
        }
        sf_reduction *r = reduction_of(context, d, mu, w1, w2, rho);
        const sf_leader *leaders;
        assert_ok(context, sf_reduction_dominance(r, &leaders, &count));
        changes += count - 1;
        for (size_t k = 0; k < count && leaders[k].log_time < INFINITY; k++) {
            sf_reduction_point at; // sums the modes there, where leaders evaluate the series of a step
            assert_ok(context, sf_reduction_at_tau(r, leaders[k].tau, &at));
            assert_absolute(leaders[k].log_loss, at.log_loss, 1e-13 * (1.0 + fabs(at.log_loss)));
        }
        for (int i = 1; i <= SAMPLES; i++) {
            sf_reduction_point at;
            double tau = end * i / SAMPLES;
            assert_ok(context, sf_reduction_at_tau(r, tau, &at));
            if (at.collapsed || at.log_n < -12.0)
                break;
            while (at_leader + 1 < count && leaders[at_leader + 1].tau <= tau)
                at_leader++;
            bool at_a_change = fabs(leaders[at_leader].tau - tau) < 1e-9 ||
                               (at_leader + 1 < count && fabs(leaders[at_leader + 1].tau - tau) < 1e-9);
            if (!at_a_change)
                assert_int_equal(leaders[at_leader].index, largest(d, mu, w1, w2, tau, at.b));
        }
        sf_reduction_destroy(&r);
    }
    assert_true(changes > 60); // the trials do test something
    sf_context_destroy(&context);
}

/* Every feature above the first leader takes its turn. */
static void test_many(void **state)
{
    (void)state;
    enum { D = 100000 };
    sf_context *context = test_context();
    double *mu = calloc(D, sizeof *mu), *w = calloc(D, sizeof *w);
    for (size_t j = 0; j < D; j++) {
        mu[j] = 0.5 + (double)((j * 7919) % D) / D; // a permutation
        w[j] = 1.3 / sqrt((double)D);
    }
    sf_reduction *r = reduction_of(context, D, mu, w, w, 1.0);
    const sf_leader *leaders;
    size_t count;
    assert_ok(context, sf_reduction_dominance(r, &leaders, &count));
    assert_true(count > 1000);
    for (size_t k = 1; k < count; k++) {
        assert_true(leaders[k].tau > leaders[k - 1].tau && leaders[k].log_time > leaders[k - 1].log_time);
        assert_absolute(fabs(mu[leaders[k].index] - mu[leaders[k - 1].index]) * D, 1.0, 1e-6);
    }
    assert_relative(mu[leaders[count - 1].index], 1.5 - 1.0 / D, 1e-12);
    for (size_t k = 1; k < count; k += count / 7) { // the clock summed piece by piece is the clock
        sf_reduction_point at;
        assert_ok(context, sf_reduction_at_tau(r, leaders[k].tau, &at));
        assert_absolute(leaders[k].log_time, at.log_time, 1e-10 * (1.0 + fabs(at.log_time)));
        assert_relative(at.tau / at.b, mu[leaders[k].index] + mu[leaders[k - 1].index],
                        1e-11 + D * REAL_EPSILON);
        assert_absolute(leaders[k].log_loss, at.log_loss, 1e-13 * (1.0 + fabs(at.log_loss)));
    }
    sf_reduction_destroy(&r);
    free(mu);
    free(w);
    sf_context_destroy(&context);
}

/* Theory: the ratio of a pair is largest at n = rho (mu_i + mu_j). Ratios of the theory page, the first one from 45
 * digits (reference.py's flow). */
static void test_peak(void **state)
{
    (void)state;
    sf_context *context = test_context();
    static const double alpha[] = {0.54, 0.55, 0.6, 0.7, 0.8},
                        ratio[] = {755.942062227964, 135.7, 3.794, 1.303, 1.060};
    double mu[] = {1.0, 2.0};
    for (int k = 0; k < 5; k++) {
        double w[] = {alpha[k], alpha[k]};
        sf_reduction *r = reduction_of(context, 2, mu, w, w, 1.0);
        sf_peak peak;
        sf_reduction_point at;
        assert_ok(context, sf_reduction_peak(r, 0, 1, &peak));
        assert_absolute(peak.ratio, ratio[k], k == 0 ? 1e-9 : k == 1 ? 0.05 : 5e-4);
        assert_ok(context, sf_reduction_at_tau(r, peak.tau, &at));
        assert_absolute(at.log_n, log(3.0), 1e-13);
        sf_reduction_destroy(&r);
    }
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_orders), cmocka_unit_test(test_down_and_up),
                                       cmocka_unit_test(test_any_start), cmocka_unit_test(test_many),
                                       cmocka_unit_test(test_peak)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
