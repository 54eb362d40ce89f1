/* The reduction against 40-digit references, against a Runge-Kutta integration of the network, and scaling laws. */
#include "common.h"

#include "reference.inc"

static void test_points(void **state)
{
    (void)state;
    sf_context *context = test_context();
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        const point_case *c = &points[i];
        sf_reduction *r = reduction_of(context, c->d, c->mu, c->w1, c->w2, c->rho);
        sf_reduction_point at, back;
        double beta[MOST], log_beta[MOST];
        assert_ok(context, sf_reduction_at_tau(r, c->tau, &at));
        assert_relative(at.b, c->b, 1e-14);
        assert_absolute(at.log_n, c->log_n, 2e-14);
        assert_absolute(at.margin_perturbed, c->margin_perturbed, 1e-13 * (1.0 + fabs(c->margin_perturbed)));
        assert_relative(at.log_time, c->log_time, 1e-14);
        sf_reduction_predictor(r, &at, beta, log_beta);
        for (size_t j = 0; j < c->d; j++) {
            assert_relative(beta[j], c->beta[j], 1e-13);
            assert_absolute(log_beta[j], log(fabs(c->beta[j])), 1e-13);
        }
        assert_ok(context, sf_reduction_at_log_time(r, at.log_time, &back));
        assert_relative(back.tau, c->tau, 1e-13);
        sf_reduction_destroy(&r);
    }
    sf_context_destroy(&context);
}

static void test_changes(void **state)
{
    (void)state;
    sf_context *context = test_context();
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const change_case *c = &changes[i];
        sf_reduction *r = reduction_of(context, c->d, c->mu, c->w1, c->w2, c->rho);
        const sf_leader *leaders;
        size_t count;
        bool found = false;
        assert_ok(context, sf_reduction_dominance(r, &leaders, &count));
        for (size_t k = 1; k < count; k++)
            if (leaders[k - 1].index == c->from && leaders[k].index == c->to) {
                found = true;
                assert_relative(leaders[k].tau, c->tau, 1e-13);
                assert_relative(leaders[k].log_time, c->log_time, 1e-12);
            }
        if (!found)
            print_error("%s: no change from %zu to %zu\n", c->name, c->from, c->to);
        assert_true(found);
        sf_reduction_destroy(&r);
    }
    sf_context_destroy(&context);
}

/* Numbers of the theory page, which come from 50 digits. */
static void test_astronomical_times(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const sf_leader *leaders;
    size_t count;
    sf_reduction_point at;
    double mu[] = {1.0, 2.0}, near[] = {0.53, 0.53}, w[] = {0.6, 0.6};
    sf_reduction *r = reduction_of(context, 2, mu, near, near, 1.0);
    assert_ok(context, sf_reduction_dominance(r, &leaders, &count));
    assert_int_equal(count, 2);
    assert_absolute(leaders[1].log_time, 1077880.5169, 5e-5);
    assert_ok(context, sf_reduction_at_tau(r, leaders[1].tau, &at));
    assert_absolute(at.log_loss, -1079791.8950, 1e-4);
    assert_absolute(leaders[1].log_loss, -1079791.8950, 1e-4);
    sf_reduction_destroy(&r);
    r = reduction_of(context, 2, mu, w, w, 1.0);
    assert_ok(context, sf_reduction_dominance(r, &leaders, &count));
    assert_relative(exp(leaders[1].log_time), 1.14e23, 5e-3);
    sf_reduction_destroy(&r);
    sf_context_destroy(&context);
}

/* d theta / d tau of the network itself, from its definition. */
static void field(size_t d, const double *mu, double rho, const double *theta, double *out)
{
    double g[2 * MOST], norm = 0.0;
    for (size_t j = 0; j < d; j++) {
        g[j] = -mu[j] * theta[d + j];
        g[d + j] = -mu[j] * theta[j];
    }
    for (size_t k = 0; k < 2 * d; k++)
        norm += g[k] * g[k];
    norm = sqrt(norm);
    for (size_t j = 0; j < d; j++) {
        out[j] = mu[j] * (theta[d + j] + rho * g[d + j] / norm);
        out[d + j] = mu[j] * (theta[j] + rho * g[j] / norm);
    }
}

/* Classical Runge-Kutta of order 4 with two step sizes, extrapolated. */
static void integrate(size_t d, const double *mu, double rho, double tau, int steps, double *theta)
{
    double k[4][2 * MOST], x[2 * MOST], h = tau / steps;
    for (int s = 0; s < steps; s++) {
        for (int stage = 0; stage < 4; stage++) {
            double a = stage == 0 ? 0.0 : stage == 3 ? h : h / 2.0;
            for (size_t i = 0; i < 2 * d; i++)
                x[i] = theta[i] + (stage ? a * k[stage - 1][i] : 0.0);
            field(d, mu, rho, x, k[stage]);
        }
        for (size_t i = 0; i < 2 * d; i++)
            theta[i] += h / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]);
    }
}

static void test_against_the_network(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_random random = sf_random_make(20, 1);
    for (int trial = 0; trial < 40; trial++) {
        size_t d = 1 + (size_t)sf_random_below(&random, 5);
        double mu[MOST], theta[2 * MOST], fine[2 * MOST], beta[MOST], rho = 0.05 + sf_random_uniform(&random);
        for (size_t j = 0; j < d; j++)
            mu[j] = sf_random_normal(&random);
        for (size_t k = 0; k < 2 * d; k++)
            theta[k] = sf_random_normal(&random);
        sf_reduction *r = reduction_of(context, d, mu, theta, theta + d, rho);
        sf_reduction_point at;
        double tau = 1.0;
        assert_ok(context, sf_reduction_at_tau(r, tau, &at));
        if (at.collapsed || at.log_n < -2.0) { // Runge-Kutta needs many steps near n = 0
            sf_reduction_destroy(&r);
            continue;
        }
        sf_reduction_predictor(r, &at, beta, NULL);
        memcpy(fine, theta, sizeof fine);
        integrate(d, mu, rho, tau, 4000, theta);
        integrate(d, mu, rho, tau, 8000, fine);
        for (size_t j = 0; j < d; j++) {
            double coarse = theta[j] * theta[d + j], better = fine[j] * fine[d + j];
            double expected = better + (better - coarse) / 15.0;
            assert_absolute(beta[j], expected, 1e-9 * (1.0 + fabs(expected)));
        }
        sf_reduction_destroy(&r);
    }
    sf_context_destroy(&context);
}

static void test_scaling(void **state)
{
    (void)state;
    sf_context *context = test_context();
    double mu[] = {1.0, 2.0, -0.5}, w1[] = {0.7, 0.4, 0.3}, w2[] = {0.6, 0.5, -0.2}, c = 1e-60;
    double s1[3], s2[3], beta[3], small[3];
    for (int j = 0; j < 3; j++) {
        s1[j] = c * w1[j];
        s2[j] = c * w2[j];
    }
    sf_reduction *r = reduction_of(context, 3, mu, w1, w2, 0.8),
                 *s = reduction_of(context, 3, mu, s1, s2, 0.8 * c);
    sf_reduction_point at, scaled;
    assert_ok(context, sf_reduction_at_tau(r, 1.7, &at));
    assert_ok(context, sf_reduction_at_tau(s, 1.7, &scaled));
    assert_relative(scaled.b, at.b, 1e-13);
    sf_reduction_predictor(r, &at, NULL, beta);
    sf_reduction_predictor(s, &scaled, NULL, small);
    for (int j = 0; j < 3; j++)
        assert_absolute(small[j] - 2.0 * log(c), beta[j], 1e-12);
    sf_reduction_destroy(&r);
    sf_reduction_destroy(&s);
    sf_context_destroy(&context);
}

/* d = 1, equal layers: n - rho mu = (n_0 - rho mu) e^{mu tau} in closed form; the collapse is where n = 0. */
static void test_one_feature(void **state)
{
    (void)state;
    sf_context *context = test_context();
    double mu = 2.5, rho = 0.4;
    for (int k = 0; k < 6; k++) {
        double alpha = rho * (const double[]){1e-60, 0.1, 0.7, 0.71, 2.0, 1e3}[k];
        double n0 = sqrt(2.0) * mu * alpha, gap = n0 - rho * mu, tau, log_time;
        sf_reduction *r = reduction_of(context, 1, &mu, &alpha, &alpha, rho);
        bool collapses;
        assert_ok(context, sf_reduction_fate(r, &collapses, &tau, &log_time));
        assert_int_equal(collapses, gap < 0.0);
        double at_tau = 0.3;
        sf_reduction_point at;
        if (collapses) {
            assert_relative(tau, -log1p(-n0 / (rho * mu)) / mu, 1e-12);
            at_tau = 0.5 * tau;
        }
        assert_ok(context, sf_reduction_at_tau(r, at_tau, &at));
        // rho mu + (n_0 - rho mu) e^{mu tau}, without cancellation
        double n = n0 * exp(mu * at_tau) - rho * mu * expm1(mu * at_tau);
        assert_absolute(at.log_n, log(n), 1e-12);
        if (collapses) {
            assert_ok(context, sf_reduction_at_tau(r, 2.0 * tau, &at));
            assert_true(at.collapsed);
            assert_true(at.log_n == -INFINITY);
            // after it, t goes on with dt = 2 dtau (logistic loss at margin 0)
            assert_relative(exp(at.log_time), exp(log_time) + 2.0 * tau, 1e-10);
        }
        sf_reduction_destroy(&r);
    }
    sf_context_destroy(&context);
}

static void test_gradient_descent(void **state)
{
    (void)state;
    sf_context *context = test_context();
    double mu[] = {1.0, 2.0}, w[] = {0.1, 0.1}, beta[2];
    sf_reduction *r = reduction_of(context, 2, mu, w, w, 0.0);
    sf_reduction_point at;
    assert_ok(context, sf_reduction_at_tau(r, 1.25, &at));
    sf_reduction_predictor(r, &at, beta, NULL);
    assert_true(at.b == 0.0);
    assert_relative(beta[0], 0.01 * exp(2.5), 1e-14);
    assert_relative(beta[1], 0.01 * exp(5.0), 1e-14);
    sf_reduction_destroy(&r);
    sf_context_destroy(&context);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_reduction *r = (sf_reduction *)&context;
    double one = 1.0, bad = NAN;
    sf_reduction_point at;
    assert_status(context, sf_reduction_create(context, 1, &one, &one, &one, -1.0, SF_LOSS_LOGISTIC, &r),
                  SF_ERR_ARGUMENT);
    assert_null(r);
    assert_status(context, sf_reduction_create(context, 1, &one, &bad, &one, 1.0, SF_LOSS_LOGISTIC, &r),
                  SF_ERR_ARGUMENT);
    assert_status(context, sf_reduction_create(context, 0, &one, &one, &one, 1.0, SF_LOSS_LOGISTIC, &r),
                  SF_ERR_ARGUMENT);
    r = reduction_of(context, 1, &one, &one, &one, 1.0);
    assert_status(context, sf_reduction_at_tau(r, -1.0, &at), SF_ERR_ARGUMENT);
    assert_status(context, sf_reduction_at_log_time(r, NAN, &at), SF_ERR_ARGUMENT);
    sf_reduction_destroy(&r);
    sf_reduction_destroy(&r);
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_points),
                                       cmocka_unit_test(test_changes),
                                       cmocka_unit_test(test_astronomical_times),
                                       cmocka_unit_test(test_against_the_network),
                                       cmocka_unit_test(test_scaling),
                                       cmocka_unit_test(test_one_feature),
                                       cmocka_unit_test(test_gradient_descent),
                                       cmocka_unit_test(test_bad_arguments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
