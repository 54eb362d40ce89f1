/* l2-SAM, L = 2, one example, against the exact reduction in 30 digits (reference.h), and its other consequences. */
#include "rig.h"

typedef struct reduction_row {
    double tau, beta[3], log_time, log_loss;
} reduction_row;

typedef struct reduction_case {
    const char *name;
    size_t d;
    double mu[3], w1[3], w2[3], rho;
    reduction_row rows[3];
} reduction_case;

typedef struct general_case {
    int depth;
    sf_method method;
    sf_loss loss;
    double rho, p;
    size_t n, d;
    double z[15], w[12], tau, beta[3], log_time;
} general_case;

#include "reference.h"

enum { CASES = sizeof REDUCTION / sizeof REDUCTION[0], GENERALS = sizeof GENERAL / sizeof GENERAL[0] };

static rig open_case(const reduction_case *c, size_t copies)
{
    double z[6], theta[6];
    memcpy(theta, c->w1, c->d * sizeof *theta);
    memcpy(theta + c->d, c->w2, c->d * sizeof *theta);
    for (size_t i = 0; i < copies; i++)
        memcpy(z + i * c->d, c->mu, c->d * sizeof *z);
    return rig_open(test_context(), copies, c->d, z, 2, SF_LOSS_LOGISTIC,
                    (sf_perturbation){SF_METHOD_L2, c->rho, 0.0}, theta);
}

/* copies = 2: the same example twice is the same flow, integrated as one of several examples. */
static void compare(const reduction_case *c, size_t copies, double tolerance)
{
    rig r = open_case(c, copies);
    for (int i = 0; i < 3; i++) {
        const reduction_row *row = &c->rows[i];
        double log_loss, margin, norm;
        rig_to_tau(&r, row->tau);
        assert_relative(sf_flow_tau(r.flow), row->tau, 1e-15);
        for (size_t j = 0; j < c->d; j++) {
            assert_relative(r.beta[j], row->beta[j], tolerance);
            assert_absolute(r.log_beta[j], log(fabs(row->beta[j])), tolerance);
        }
        assert_absolute(sf_flow_log_time(r.flow), row->log_time, tolerance * fmax(1.0, fabs(row->log_time)));
        sf_flow_evaluate(r.flow, &log_loss, &margin, &norm);
        assert_relative(log_loss, row->log_loss, tolerance);
        assert_relative(norm, c->rho, 1e-12);
    }
    rig_close(&r);
}

static void test_one_example(void **state)
{
    (void)state;
    for (size_t k = 0; k < CASES; k++)
        compare(&REDUCTION[k], 1, 1e-11);
}

static void test_the_same_example_twice(void **state)
{
    (void)state;
    for (size_t k = 0; k < CASES; k++)
        compare(&REDUCTION[k], 2, 1e-8);
}

static void test_collapse(void **state)
{
    (void)state;
    double mu[2] = {1.0, 2.0}, theta[4] = {0.4, 0.4, 0.4, 0.4};
    rig r = rig_open(test_context(), 1, 2, mu, 2, SF_LOSS_LOGISTIC, (sf_perturbation){SF_METHOD_L2, 1.0, 0.0},
                     theta);
    rig_to_tau(&r, 2.0);
    assert_int_equal(sf_flow_get_state(r.flow), SF_FLOW_COLLAPSED);
    const sf_event *event = rig_event(&r, SF_EVENT_COLLAPSE, 0);
    assert_non_null(event);
    assert_relative(event->tau, COLLAPSE_TAU, 1e-11);
    assert_relative(event->log_loss, log(log(2.0)), 1e-12);
    // theta rests, and t goes on with dt = dtau / S(0) = 2 dtau
    double expected = log(exp(event->log_time) + 2.0 * (2.0 - COLLAPSE_TAU));
    assert_relative(sf_flow_tau(r.flow), 2.0, 1e-15);
    assert_absolute(sf_flow_log_time(r.flow), expected, 1e-11);
    assert_true(r.beta[0] == 0.0 && r.log_beta[1] == -INFINITY && r.theta[3] == 0.0);
    double norm;
    sf_flow_evaluate(r.flow, NULL, NULL, &norm);
    assert_true(norm == 0.0);
    rig_to_log_time(&r, 3.0);
    assert_relative(sf_flow_tau(r.flow), 2.0 + 0.5 * (exp(3.0) - exp(expected)), 1e-11);
    rig_close(&r);
}

/* |beta_2| overtakes |beta_1| where tau / B = mu_1 + mu_2; then beta_1 = beta_2 exactly. */
static void test_dominance(void **state)
{
    (void)state;
    double mu[2] = {1.0, 2.0}, theta[4] = {0.6, 0.6, 0.6, 0.6};
    rig r = rig_open(test_context(), 1, 2, mu, 2, SF_LOSS_LOGISTIC, (sf_perturbation){SF_METHOD_L2, 1.0, 0.0},
                     theta);
    rig_to_log_time(&r, 100.0);
    const sf_event *event = rig_event(&r, SF_EVENT_DOMINANCE, 0);
    assert_non_null(event);
    assert_int_equal(event->from, 0);
    assert_int_equal(event->to, 1);
    double tau = event->tau, log_time = event->log_time;
    assert_absolute(log_time, log(1.14e23), 5e-3); // theory, section 3
    rig_close(&r);
    r = rig_open(test_context(), 1, 2, mu, 2, SF_LOSS_LOGISTIC, (sf_perturbation){SF_METHOD_L2, 1.0, 0.0},
                 theta);
    rig_to_tau(&r, tau);
    assert_relative(r.beta[0], r.beta[1], 1e-12);
    assert_relative(sf_flow_log_time(r.flow), log_time, 1e-12);
    // log u_j = log(2 alpha) + mu_j tau - mu_j^2 B: both features give the same B
    double b1 = tau - log(r.theta[0] / 0.6), b2 = (2.0 * tau - log(r.theta[1] / 0.6)) / 4.0;
    assert_relative(b1, b2, 1e-12);
    assert_relative(tau / b1, 3.0, 1e-12);
    rig_close(&r);
}

/* mu = (1, 2), alpha = 0.53: log t = 1,077,880.5169, log F = -1,079,791.8950 at the hand-over (theory, section 3). */
static void test_astronomical_time(void **state)
{
    (void)state;
    double mu[2] = {1.0, 2.0}, theta[4] = {0.53, 0.53, 0.53, 0.53};
    rig r = rig_open(test_context(), 1, 2, mu, 2, SF_LOSS_LOGISTIC, (sf_perturbation){SF_METHOD_L2, 1.0, 0.0},
                     theta);
    rig_to_log_time(&r, 1.2e6);
    const sf_event *event = rig_event(&r, SF_EVENT_DOMINANCE, 0);
    assert_non_null(event);
    assert_absolute(event->log_time, 1077880.5169, 1e-4);
    assert_absolute(event->log_loss, -1079791.8950, 1e-4);
    rig_close(&r);
}

/* Weights themselves, by another integrator, for every depth and method. */
static void test_general(void **state)
{
    (void)state;
    for (size_t k = 0; k < GENERALS; k++) {
        const general_case *c = &GENERAL[k];
        rig r = rig_open(test_context(), c->n, c->d, c->z, c->depth, c->loss,
                         (sf_perturbation){c->method, c->rho, c->p}, c->w);
        rig_to_tau(&r, c->tau);
        for (size_t j = 0; j < c->d; j++)
            assert_relative(r.beta[j], c->beta[j], 1e-9);
        assert_absolute(sf_flow_log_time(r.flow), c->log_time, 1e-9 * fmax(1.0, fabs(c->log_time)));
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_example),       cmocka_unit_test(test_the_same_example_twice),
        cmocka_unit_test(test_collapse),          cmocka_unit_test(test_dominance),
        cmocka_unit_test(test_astronomical_time), cmocka_unit_test(test_general)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
