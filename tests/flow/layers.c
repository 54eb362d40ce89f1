/* linf-SAM with layers of unequal size (src/flow/layers.c, modes.c): against Filippov flows integrated without samflow
 * (make_layers.py), conserved quantities, discrete updates, and the closed forms of equal layers.
 */
#include "rig.h"

typedef struct layers_case {
    int depth;
    size_t n, d;
    double z[16], w[16], rho, tau;
    double expected[16]; // weights at tau
    double log_time;
    size_t held; // weights that are held at 0 on the way
    double held_tau[2];
    int64_t held_feature[2];
} layers_case;

#include "layers.h"

enum { CASES = sizeof LAYERS / sizeof LAYERS[0] };

static sf_perturbation linf(double rho)
{
    return (sf_perturbation){SF_METHOD_LINF, rho, 0.0};
}

static void test_reference(void **state)
{
    (void)state;
    size_t held_in_all = 0;
    for (size_t k = 0; k < CASES; k++) {
        const layers_case *c = &LAYERS[k];
        rig r = rig_open(test_context(), c->n, c->d, c->z, c->depth, SF_LOSS_LOGISTIC, linf(c->rho), c->w);
        rig_to_tau(&r, c->tau);
        for (size_t i = 0; i < (size_t)c->depth * c->d; i++)
            assert_absolute(r.theta[i], c->expected[i], 1e-10 * (1.0 + fabs(c->expected[i])));
        assert_absolute(sf_flow_log_time(r.flow), c->log_time, 1e-10 * (1.0 + fabs(c->log_time)));
        size_t count, held = 0;
        const sf_event *events = sf_flow_events(r.flow, &count);
        for (size_t i = 0; i < count; i++)
            if (events[i].kind == SF_EVENT_SLIDING) {
                assert_true(held < c->held);
                assert_int_equal(events[i].to, c->held_feature[held]);
                assert_relative(events[i].tau, c->held_tau[held], 1e-10);
                held++;
            }
        assert_int_equal(held, c->held);
        held_in_all += held;
        rig_close(&r);
    }
    assert_true(held_in_all >= 5);
}

/* In a mode, (|w_l| - q rho)^2 - (|w_k| - q rho)^2 is conserved, q = +-1; while a third layer is held at 0, the difference of
 * |w|^3 / 3 - rho^2 |w|. */
static void test_conserved(void **state)
{
    (void)state;
    const double mu = 1.1, rho = 0.5, w[3] = {0.05, 0.45, 0.9};
    rig r = rig_open(test_context(), 1, 1, &mu, 3, SF_LOSS_LOGISTIC, linf(rho), w);
    rig_to_tau(&r, 0.7);
    for (int k = 1; k < 3; k++)
        assert_absolute((r.theta[k] - rho) * (r.theta[k] - rho) - (r.theta[0] - rho) * (r.theta[0] - rho),
                        (w[k] - rho) * (w[k] - rho) - (w[0] - rho) * (w[0] - rho), 1e-12);
    rig_to_tau(&r, 0.8);
    assert_non_null(rig_event(&r, SF_EVENT_SLIDING, 0));
    double before[2], after[2];
    for (int k = 1; k < 3; k++)
        before[k - 1] = pow(r.theta[k], 3) / 3.0 - rho * rho * r.theta[k];
    rig_to_tau(&r, 1.5);
    for (int k = 1; k < 3; k++)
        after[k - 1] = pow(r.theta[k], 3) / 3.0 - rho * rho * r.theta[k];
    assert_true(r.theta[0] == 0.0 && r.theta[1] < 0.1 && r.theta[2] > 1.0);
    assert_absolute(after[1] - after[0], before[1] - before[0], 1e-11);
    // then the second layer is at 0 too: the phases of the two decide, beta stays 0 and t does not exist
    rig_to_tau(&r, 3.0);
    assert_true(r.beta[0] == 0.0 && isnan(sf_flow_log_time(r.flow)));
    rig_close(&r);
}

/* Layers that differ by next to nothing move like equal ones, which have closed forms (gates.c). */
static void test_nearly_equal(void **state)
{
    (void)state;
    const double mu[2] = {0.9, -0.6}, rho = 0.4;
    for (int depth = 3; depth <= 5; depth++) {
        double equal[10], unequal[10];
        for (int i = 0; i < 2 * depth; i++) {
            equal[i] = i % 2 ? 0.55 : 0.9;
            unequal[i] = equal[i] * (1.0 + 1e-10 * (i / 2));
        }
        rig a = rig_open(test_context(), 1, 2, mu, depth, SF_LOSS_LOGISTIC, linf(rho), equal);
        rig b = rig_open(test_context(), 1, 2, mu, depth, SF_LOSS_LOGISTIC, linf(rho), unequal);
        for (int k = 1; k <= 3; k++) {
            rig_to_tau(&a, 0.3 * k);
            rig_to_tau(&b, 0.3 * k);
            for (int i = 0; i < 2 * depth; i++)
                assert_absolute(b.theta[i], a.theta[i], 2e-9 * (1.0 + fabs(a.theta[i])));
            assert_absolute(sf_flow_log_time(b.flow), sf_flow_log_time(a.flow), 1e-8);
        }
        rig_close(&a);
        rig_close(&b);
    }
}

/* The blow-up of unequal layers, L = 3: all of them end alike, and tau_max is int_0^inf of dz over the product of the
 * others, z = w_1 - rho the smallest. With v_l^2 = z^2 + c_l the integral is taken by the substitution z = x / (1 - x)
 *. */
static void test_blow_up(void **state)
{
    (void)state;
    const double mu = 1.3, rho = 0.25, w[3] = {0.6, 0.8, 1.1};
    double v = w[0] - rho, c[2] = {(w[1] - rho) * (w[1] - rho) - v * v, (w[2] - rho) * (w[2] - rho) - v * v};
    double sum = 0.0;
    enum { STEPS = 2000 }; // z = v e^x; Simpson's rule to x = 40, where what is left is e^{-40}
    for (int i = 0; i <= STEPS; i++) {
        double z = v * exp(40.0 * i / STEPS), weight = i == 0 || i == STEPS ? 1.0 : i % 2 ? 4.0 : 2.0;
        sum += weight * z / sqrt((z * z + c[0]) * (z * z + c[1]));
    }
    double end = sum * (40.0 / STEPS) / 3.0 / mu;
    rig r = rig_open(test_context(), 1, 1, &mu, 3, SF_LOSS_LOGISTIC, linf(rho), w);
    rig_to_tau(&r, 2.0 * end);
    assert_int_equal(sf_flow_get_state(r.flow), SF_FLOW_BLOWN_UP);
    assert_relative(rig_event(&r, SF_EVENT_BLOW_UP, 0)->tau, end, 1e-9);
    rig_close(&r);
}

/* Discrete updates tend to the flow across crossings and slides, several examples. */
static void test_updates(void **state)
{
    (void)state;
    const layers_case *c = &LAYERS[CASES - 1];
    const double steps[2] = {1e-3, 1e-4};
    rig r = rig_open(test_context(), c->n, c->d, c->z, c->depth, SF_LOSS_LOGISTIC, linf(c->rho), c->w);
    rig_to_log_time(&r, log(2.0));
    assert_non_null(rig_event(&r, SF_EVENT_SLIDING, 0));
    for (int k = 0; k < 2; k++) {
        sf_descent *descent;
        sf_perturbation perturbation = linf(c->rho);
        assert_ok(r.context,
                  sf_descent_create(r.context, r.network, &perturbation, steps[k], c->w, &descent));
        assert_ok(r.context, sf_descent_advance(descent, (uint64_t)llround(2.0 / steps[k])));
        for (size_t i = 0; i < (size_t)c->depth * c->d; i++)
            assert_absolute(sf_descent_theta(descent)[i], r.theta[i], 2.0 * steps[k]);
        sf_descent_destroy(&descent);
    }
    rig_close(&r);
}

/* Two layers at 0 have no gradient, nor has the third: nothing moves. One layer at 0 moves to one side. */
static void test_zero_start(void **state)
{
    (void)state;
    const double z[4] = {1.0, 0.7, 0.5, 1.1}, w[6] = {0.0, 0.0, 0.0, 0.7, 0.6, 0.8};
    rig r = rig_open(test_context(), 2, 2, z, 3, SF_LOSS_LOGISTIC, linf(0.3), w);
    rig_to_tau(&r, 0.5);
    assert_true(r.theta[0] == 0.0 && r.theta[2] == 0.0 && r.theta[4] == 0.6);
    assert_true(r.theta[1] > 0.05 && r.theta[3] < 0.7 && r.beta[1] > 0.0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference),    cmocka_unit_test(test_conserved),
        cmocka_unit_test(test_nearly_equal), cmocka_unit_test(test_blow_up),
        cmocka_unit_test(test_updates),      cmocka_unit_test(test_zero_start)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
