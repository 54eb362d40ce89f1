/* The life of a flow: arguments, targets, events, interruption, memory. */
#include "rig.h"

#include "flow/panel.h"

static const double MU[2] = {1.0, 2.0};
static const double ALPHA[6] = {0.6, 0.6, 0.6, 0.6, 0.6, 0.6};
static const sf_perturbation L2 = {SF_METHOD_L2, 1.0, 0.0};

static void test_arguments(void **state)
{
    (void)state;
    rig r = rig_open(test_context(), 1, 2, MU, 2, SF_LOSS_LOGISTIC, L2, ALPHA);
    sf_flow *flow = NULL;
    sf_perturbation negative = {SF_METHOD_L2, -1.0, 0.0}, wrong_p = {SF_METHOD_LP, 1.0, 1.0}, unknown = L2;
    unknown.method = (sf_method)99;
    double broken[4] = {0.6, NAN, 0.6, 0.6};
    assert_status(r.context, sf_flow_create(r.context, NULL, &L2, ALPHA, 0.0, &flow), SF_ERR_ARGUMENT);
    assert_status(r.context, sf_flow_create(r.context, r.network, &negative, ALPHA, 0.0, &flow),
                  SF_ERR_ARGUMENT);
    assert_status(r.context, sf_flow_create(r.context, r.network, &wrong_p, ALPHA, 0.0, &flow),
                  SF_ERR_ARGUMENT);
    assert_status(r.context, sf_flow_create(r.context, r.network, &unknown, ALPHA, 0.0, &flow),
                  SF_ERR_ARGUMENT);
    assert_status(r.context, sf_flow_create(r.context, r.network, &L2, broken, 0.0, &flow), SF_ERR_ARGUMENT);
    assert_status(r.context, sf_flow_create(r.context, r.network, &L2, ALPHA, 1.0, &flow), SF_ERR_ARGUMENT);
    assert_null(flow);
    sf_flow_destroy(&flow);
    sf_flow_destroy(NULL);
    rig_close(&r);
}

/* Each clock stops the flow exactly where the others say it is. */
static void test_targets(void **state)
{
    (void)state;
    rig r = rig_open(test_context(), 1, 2, MU, 2, SF_LOSS_LOGISTIC, L2, ALPHA);
    assert_true(sf_flow_tau(r.flow) == 0.0 && sf_flow_log_time(r.flow) == -INFINITY);
    rig_to_tau(&r, 3.0);
    double beta = r.beta[1], log_time = sf_flow_log_time(r.flow), progress = sf_flow_progress(r.flow);
    double log_norm = 0.5 * sf_log_add(2.0 * r.log_beta[0], 2.0 * r.log_beta[1]);
    const sf_flow_target targets[] = {{sizeof targets[0], SF_STOP_LOG_TIME, .log_time = log_time},
                                      {sizeof targets[0], SF_STOP_LOG_NORM, .log_norm = log_norm},
                                      {sizeof targets[0], SF_STOP_PROGRESS, .progress = progress},
                                      {sizeof targets[0], 15, 3.0, 1e9, 1e9, 1e9}};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        rig s = rig_open(test_context(), 1, 2, MU, 2, SF_LOSS_LOGISTIC, L2, ALPHA);
        assert_ok(s.context, sf_flow_advance(s.flow, &targets[i]));
        rig_read(&s);
        assert_relative(s.beta[1], beta, 1e-10);
        assert_relative(sf_flow_tau(s.flow), 3.0, 1e-11);
        assert_int_equal(sf_flow_get_state(s.flow), SF_FLOW_RUNNING);
        rig_close(&s);
    }
    // a target that lies behind changes nothing
    rig_to_tau(&r, 1.0);
    assert_true(sf_flow_tau(r.flow) == 3.0 && r.beta[1] == beta);
    rig_close(&r);
}

/* Stops on the way do not change where the flow arrives. */
static void test_stops(void **state)
{
    (void)state;
    rig a = rig_open(test_context(), 1, 2, MU, 2, SF_LOSS_LOGISTIC, L2, ALPHA);
    rig b = rig_open(test_context(), 1, 2, MU, 2, SF_LOSS_LOGISTIC, L2, ALPHA);
    rig_to_tau(&a, 4.0);
    for (int i = 1; i <= 400; i++)
        rig_to_tau(&b, 0.01 * i);
    assert_true(a.beta[0] == b.beta[0] && a.beta[1] == b.beta[1]);
    assert_relative(sf_flow_log_time(b.flow), sf_flow_log_time(a.flow), 1e-14);
    sf_flow_work work = sf_flow_get_work(b.flow);
    assert_true(work.steps > 0 && work.evaluations >= work.steps);
    rig_close(&a);
    rig_close(&b);
}

static void test_interruption(void **state)
{
    (void)state;
    sf_flag flag = 0;
    rig r = rig_open(test_context(), 1, 2, MU, 2, SF_LOSS_LOGISTIC, L2, ALPHA);
    sf_context_set_cancel(r.context, &flag);
    rig_to_tau(&r, 1.0);
    flag = 1;
    sf_flow_target far = rig_target(5.0, INFINITY);
    assert_status(r.context, sf_flow_advance(r.flow, &far), SF_ERR_CANCELLED);
    assert_true(sf_flow_tau(r.flow) >= 1.0 && sf_flow_tau(r.flow) < 5.0);
    flag = 0;
    rig_to_tau(&r, 5.0); // and it can go on
    rig_close(&r);
}

/* Growth beyond the range of a double is an error that says so, and leaves a readable state. */
static void test_range(void **state)
{
    (void)state;
    rig r = rig_open(test_context(), 1, 2, MU, 2, SF_LOSS_LOGISTIC, L2, ALPHA);
    sf_flow_target far = rig_target(1e4, INFINITY);
    assert_status(r.context, sf_flow_advance(r.flow, &far), SF_ERR_NUMERIC);
    assert_true(strlen(sf_context_message(r.context)) > 0);
    rig_read(&r);
    assert_true(isfinite(r.beta[1]) && r.log_beta[1] > 100.0);
    rig_close(&r);
}

/* The gradient of l2-SAM passes through 0 far out (s = 3e4), where the steps of the integrator fall below the spacing of
 * doubles: the flow ends with a message and does not stand still for ever. */
static void test_no_standstill(void **state)
{
    (void)state;
    const double z[2] = {2.44, 2.44}, theta[6] = {-0.19, 0.02, -0.19, 0.02, -0.19, 0.02};
    rig r = rig_open(test_context(), 1, 2, z, 3, SF_LOSS_LOGISTIC, (sf_perturbation){SF_METHOD_L2, 1.0, 0.0},
                     theta);
    sf_flow_target target = rig_target(INFINITY, 50.0);
    sf_status status = sf_flow_advance(r.flow, &target);
    assert_true(status == SF_ERR_NUMERIC || (status == SF_OK && sf_flow_log_time(r.flow) >= 50.0 - 1e-12));
    assert_true(isfinite(sf_flow_tau(r.flow)));
    rig_close(&r);
}

/* Values of psi that say nothing resolve no panel: NaN, or the same position twice (on ARM a step of one spacing of doubles at
 * the place above gave a time of NaN). */
static void test_panel_of_nothing(void **state)
{
    (void)state;
    const double s[2][3] = {{1.0, 0.0, 0.5}, {1.0, 0.0, 1.0}}, psi[2][3] = {{2.0, 1.0, NAN}, {2.0, 1.0, 2.0}};
    for (int k = 0; k < 2; k++) {
        flow_past values = {0};
        flow_panel panel;
        for (int i = 0; i < 3; i++)
            sf_flow_past_add(&values, s[k][i], psi[k][i]);
        assert_false(sf_flow_panel_through(&panel, &values, 0.0, 1.0, 1e-12) <= 1.0);
    }
}

/* Passes over many coordinates are taken in blocks, whose sums do not depend on who makes them. */
static void test_threads(void **state)
{
    (void)state;
    enum { MANY = 140000 /* enough for threads */ };
    sf_context *context = test_context();
    double *mu = malloc(MANY * sizeof *mu), *theta = malloc(2 * MANY * sizeof *theta);
    double *beta[2] = {malloc(MANY * sizeof *mu), malloc(MANY * sizeof *mu)};
    assert_true(mu && theta && beta[0] && beta[1]);
    for (int j = 0; j < MANY; j++) {
        mu[j] = 0.5 + (double)((j * 7919) % MANY) / MANY;
        theta[j] = theta[MANY + j] = 0.01;
    }
    for (int k = 0; k < 2; k++) {
        sf_dataset *dataset;
        sf_network *network;
        sf_flow *flow;
        sf_flow_target target = rig_target(1.0 / (double)test_count(100, 10000), INFINITY);
        assert_ok(context, sf_dataset_from_points(context, 1, MANY, mu, NULL, &dataset));
        assert_ok(context, sf_network_create(context, dataset, 2, SF_LOSS_LOGISTIC, &network));
        assert_ok(context, sf_network_set_threads(network, k ? 2 : 1));
        assert_ok(context, sf_flow_create(context, network, &L2, theta, 0.0, &flow));
        assert_ok(context, sf_flow_advance(flow, &target));
        sf_flow_predictor(flow, beta[k], NULL);
        sf_flow_destroy(&flow);
        sf_network_destroy(&network);
        sf_dataset_destroy(&dataset);
    }
    assert_memory_equal(beta[0], beta[1], MANY * sizeof *mu);
    free(mu), free(theta), free(beta[0]), free(beta[1]);
    sf_context_destroy(&context);
}

static void test_event_names(void **state)
{
    (void)state;
    assert_string_equal(sf_event_name(SF_EVENT_DOMINANCE), "dominance");
    assert_string_equal(sf_event_name(SF_EVENT_SLIDING), "sliding");
    assert_null(sf_event_name((sf_event_kind)17));
}

/* Level starts have no event of their own; coordinates that never part have none at all. */
static void test_level_start(void **state)
{
    (void)state;
    double mu[3] = {1.0, 1.0, 2.0};
    rig r = rig_open(test_context(), 1, 3, mu, 2, SF_LOSS_LOGISTIC, L2, ALPHA);
    rig_to_log_time(&r, 1e6);
    size_t count;
    const sf_event *events = sf_flow_events(r.flow, &count);
    assert_int_equal(count, 1);
    assert_int_equal(events[0].from, 0);
    assert_int_equal(events[0].to, 2);
    rig_close(&r);
}

/* One model of each kind, with an event on its way. */
typedef struct model_case {
    size_t n;
    int depth;
    sf_perturbation perturbation;
    double tau;
} model_case;

static const model_case MODELS[] = {
    {1, 2, {SF_METHOD_L2, 1.0, 0.0}, 1.0},   {2, 2, {SF_METHOD_L2, 0.1, 0.0}, 0.1},
    {1, 2, {SF_METHOD_LINF, 0.8, 0.0}, 3.0}, {2, 3, {SF_METHOD_LINF, 0.1, 0.0}, 0.1},
    {2, 2, {SF_METHOD_LINF, 0.7, 0.0}, 2.0}, {2, 3, {SF_METHOD_LP, 0.1, 3.0}, 0.1}};

static void test_memory_failures(void **state)
{
    (void)state;
    const double z[4] = {1.0, 2.0, 0.5, 1.5};
    for (size_t k = 0; k < sizeof MODELS / sizeof MODELS[0]; k++) {
        const model_case *c = &MODELS[k];
        bool finished = false;
        for (long n = 0; !finished; n++) {
            assert_true(n < 100);
            test_memory memory = {.fail_at = n};
            sf_context *context = test_context(), *failing = test_context_failing(&memory);
            sf_dataset *dataset;
            sf_network *network;
            sf_flow *flow;
            assert_ok(context, sf_dataset_from_points(context, c->n, 2, z, NULL, &dataset));
            assert_ok(context, sf_network_create(context, dataset, c->depth, SF_LOSS_LOGISTIC, &network));
            sf_flow_target target = rig_target(c->tau, INFINITY);
            sf_status status = sf_flow_create(failing, network, &c->perturbation, ALPHA, 0.0, &flow);
            if (status == SF_OK)
                status = sf_flow_advance(flow, &target);
            else
                assert_null(flow);
            assert_true(status == SF_OK || status == SF_ERR_MEMORY);
            finished = status == SF_OK;
            sf_flow_destroy(&flow);
            assert_int_equal(memory.live, 0);
            sf_network_destroy(&network);
            sf_dataset_destroy(&dataset);
            sf_context_destroy(&failing);
            sf_context_destroy(&context);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_arguments),
                                       cmocka_unit_test(test_targets),
                                       cmocka_unit_test(test_stops),
                                       cmocka_unit_test(test_interruption),
                                       cmocka_unit_test(test_panel_of_nothing),
                                       cmocka_unit_test(test_range),
                                       cmocka_unit_test(test_no_standstill),
                                       cmocka_unit_test(test_threads),
                                       cmocka_unit_test(test_event_names),
                                       cmocka_unit_test(test_level_start),
                                       cmocka_unit_test(test_memory_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
