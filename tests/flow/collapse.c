/* l2-SAM, depth 3 and 4, layers of unequal size: the gradient is 0 where two layers of every coordinate are, and the flow gets
 * there at a finite tau (src/flow/weights.c).
 */
#include "rig.h"

static const sf_perturbation L2 = {SF_METHOD_L2, 1.0, 0.0};

/* From make_collapse.py: tau of the collapse and the weights that are left, 30 digits. */
typedef struct collapse_case {
    int depth;
    size_t d;
    double mu[2], w[8], tau, left[8];
} collapse_case;

static const collapse_case COLLAPSE[] = {
    {4, 1, {1.07}, {0.15, 0.6, 0.33, 0.68}, 1.308433692702045, {0.0, 0.791809724519, 0.0, 0.848697161506}},
    {3, 1, {0.55}, {0.15, 0.51, 0.49}, 4.962307612475974, {0.0, 0.729458087056, 0.0}},
    {3,
     2,
     {0.82, 1.74},
     {0.43, 0.47, 0.16, 0.2, 0.06, 0.18},
     0.8754331004329514,
     {0.551278600414, 0.683041303991, 0.0, 0.0, 0.0, 0.0}},
};

static void test_reference(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof COLLAPSE / sizeof COLLAPSE[0]; k++) {
        const collapse_case *c = &COLLAPSE[k];
        rig r = rig_open(test_context(), 1, c->d, c->mu, c->depth, SF_LOSS_LOGISTIC, L2, c->w);
        rig_to_tau(&r, c->tau + 1.0);
        assert_int_equal(sf_flow_get_state(r.flow), SF_FLOW_COLLAPSED);
        const sf_event *event = rig_event(&r, SF_EVENT_COLLAPSE, 0);
        assert_non_null(event);
        assert_relative(event->tau, c->tau, 1e-10);
        for (size_t i = 0; i < (size_t)c->depth * c->d; i++)
            assert_absolute(r.theta[i], c->left[i], 1e-10);
        for (size_t j = 0; j < c->d; j++)
            assert_true(r.beta[j] == 0.0);
        // at rest all margins are 0 and the perturbation too: dt/dtau = 1/S = 2
        assert_absolute(sf_flow_log_time(r.flow),
                        log(exp(event->log_time) + 2.0 * (c->tau + 1.0 - event->tau)), 1e-12);
        rig_close(&r);
    }
}

/* Coordinates that die at different rates, several examples: the flow ends, and discrete updates end in beta = 0 too, after a
 * path that tends to the flow's to first order. */
static void test_updates(void **state)
{
    (void)state;
    const double z[6] = {0.88, 1.74, 0.9, 1.85, 1.42, 1.34}, w[6] = {0.3, 0.61, 0.67, 0.66, 0.38, 0.13};
    rig r = rig_open(test_context(), 3, 2, z, 3, SF_LOSS_LOGISTIC, L2, w);
    double error[2];
    rig_to_log_time(&r, log(3.0));
    for (int k = 0; k < 2; k++) {
        sf_descent *descent;
        double eta = k ? 5e-4 : 1e-3, beta[2];
        assert_ok(r.context, sf_descent_create(r.context, r.network, &L2, eta, w, &descent));
        assert_ok(r.context, sf_descent_advance(descent, (uint64_t)llround(3.0 / eta)));
        sf_network_predictor(r.network, sf_descent_theta(descent), beta);
        error[k] = fmax(fabs(beta[0] - r.beta[0]), fabs(beta[1] - r.beta[1]));
        assert_true(error[k] < eta);
        sf_descent_destroy(&descent);
    }
    assert_relative(error[0] / error[1], 2.0, 0.05);
    rig_to_log_time(&r, 8.0);
    assert_int_equal(sf_flow_get_state(r.flow), SF_FLOW_COLLAPSED);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reference), cmocka_unit_test(test_updates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
