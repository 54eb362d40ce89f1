/* What a program that sees the public headers alone can get wrong, and that every entry says so in the same words. */
#include "support.h"

enum { D = 2, L = 2 };

static const double MU[D] = {1.0, 2.0}, GOOD[L * D] = {0.5, 0.5, 0.5, 0.5};
static const sf_perturbation SAM = {.method = SF_METHOD_L2, .rho = 0.1};

typedef struct fixture {
    sf_context *context;
    sf_dataset *dataset;
    sf_network *network;
} fixture;

static fixture set_up(void)
{
    fixture f = {.context = test_context()};
    assert_ok(f.context, sf_dataset_from_points(f.context, 1, D, MU, NULL, &f.dataset));
    assert_ok(f.context, sf_network_create(f.context, f.dataset, L, SF_LOSS_LOGISTIC, &f.network));
    return f;
}

static void tear_down(fixture *f)
{
    sf_network_destroy(&f->network);
    sf_dataset_destroy(&f->dataset);
    sf_context_destroy(&f->context);
}

/* ---- every entry that takes a network, a perturbation and an initialization ---- */

typedef sf_status entry(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                        const double *theta);

static sf_status by_descent(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                            const double *theta)
{
    sf_descent *descent = (sf_descent *)1;
    sf_status status = sf_descent_create(context, network, perturbation, 0.1, theta, &descent);
    assert_true((status == SF_OK) == (descent != NULL));
    sf_descent_destroy(&descent);
    return status;
}

static sf_status by_perturb(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                            const double *theta)
{
    (void)context;
    double theta_hat[L * D];
    return sf_perturb(network, perturbation, theta, theta_hat, NULL);
}

static sf_status by_flow(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                         const double *theta)
{
    sf_flow *flow = (sf_flow *)1;
    sf_status status = sf_flow_create(context, network, perturbation, theta, 0.0, &flow);
    assert_true((status == SF_OK) == (flow != NULL));
    sf_flow_destroy(&flow);
    return status;
}

static sf_status by_prediction(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                               const double *theta)
{
    sf_prediction *prediction = (sf_prediction *)1;
    sf_status status = sf_predict(context, network, perturbation, theta, &prediction);
    assert_true((status == SF_OK) == (prediction != NULL));
    sf_prediction_destroy(&prediction);
    return status;
}

static sf_status by_limit(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                          const double *theta)
{
    sf_limit *limit = (sf_limit *)1;
    sf_status status = sf_limit_find(context, network, perturbation, theta, NULL, &limit);
    assert_true((status == SF_OK) == (limit != NULL));
    sf_limit_destroy(&limit);
    return status;
}

static sf_status by_batch(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                          const double *theta)
{
    sf_batch *batch = (sf_batch *)1;
    sf_batch_spec spec = {.size = sizeof spec, .count = 1, .theta = theta, .step = 0.1, .threads = 1};
    spec.perturbation = *perturbation;
    sf_status status = sf_batch_create(context, network, &spec, &batch);
    assert_true((status == SF_OK) == (batch != NULL));
    sf_batch_destroy(&batch);
    return status;
}

static const struct {
    entry *call;
    const char *before; // what the message says first
} entries[] = {
    {by_descent, ""},    {by_perturb, ""}, {by_flow, ""},
    {by_prediction, ""}, {by_limit, ""},   {by_batch, "trajectory 0: "},
};

enum { ENTRIES = sizeof entries / sizeof entries[0] };

static void expect(const fixture *f, size_t i, sf_network *network, const sf_perturbation *perturbation,
                   const double *theta, const char *words)
{
    assert_int_equal(entries[i].call(f->context, network, perturbation, theta), SF_ERR_ARGUMENT);
    char message[256];
    snprintf(message, sizeof message, "%s%s", entries[i].before, words);
    assert_string_equal(sf_context_message(f->context), message);
}

static void test_alike(void **state)
{
    (void)state;
    static const struct {
        sf_perturbation perturbation;
        const char *words;
    } wrong[] = {
        {{(sf_method)77, 0.1, 0.0}, "unknown method 77"},
        {{(sf_method)-1, 0.1, 0.0}, "unknown method -1"},
        {{SF_METHOD_L2, -1.0, 0.0}, "rho is -1, expected a finite number >= 0"},
        {{SF_METHOD_USAM, INFINITY, 0.0}, "rho is inf, expected a finite number >= 0"},
        {{SF_METHOD_GD, -0.5, 0.0}, "rho is -0.5, expected a finite number >= 0"},
        {{SF_METHOD_LP, 0.1, 0.0}, "p is 0, expected a finite number > 1"},
        {{SF_METHOD_LP, 0.1, 1.0}, "p is 1, expected a finite number > 1"},
        {{SF_METHOD_LP, 0.1, INFINITY}, "p is inf, expected a finite number > 1"},
        {{SF_METHOD_LP, 0.0, 0.5}, "p is 0.5, expected a finite number > 1"},
    };
    fixture f = set_up();
    for (size_t i = 0; i < ENTRIES; i++) {
        assert_ok(f.context, entries[i].call(f.context, f.network, &SAM, GOOD));
        for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++)
            expect(&f, i, f.network, &wrong[k].perturbation, GOOD, wrong[k].words);
        const sf_perturbation unknown_radius = {SF_METHOD_LINF, NAN, 0.0};
        assert_int_equal(entries[i].call(f.context, f.network, &unknown_radius, GOOD), SF_ERR_ARGUMENT);
        assert_non_null(strstr(sf_context_message(f.context), "rho is "));
        for (size_t k = 0; k < L * D; k++) {
            double theta[L * D];
            memcpy(theta, GOOD, sizeof theta);
            theta[k] = -INFINITY;
            char words[128];
            snprintf(words, sizeof words,
                     "weight %zu of the initialization is -inf, expected a finite number", k);
            expect(&f, i, f.network, &SAM, theta, words);
            theta[k] = NAN;
            assert_int_equal(entries[i].call(f.context, f.network, &SAM, theta), SF_ERR_ARGUMENT);
        }
        expect(&f, i, f.network, &SAM, NULL, "the initialization is NULL");
        if (entries[i].call != by_batch)
            expect(&f, i, f.network, NULL, GOOD, "the perturbation is NULL");
        if (entries[i].call == by_perturb) // the network has the context
            assert_int_equal(sf_perturb(NULL, &SAM, GOOD, (double[L * D]){0}, NULL), SF_ERR_ARGUMENT);
        else {
            assert_int_equal(entries[i].call(f.context, NULL, &SAM, GOOD), SF_ERR_ARGUMENT);
            assert_string_equal(sf_context_message(f.context), "the network is NULL");
            assert_int_equal(entries[i].call(NULL, f.network, &SAM, GOOD), SF_ERR_ARGUMENT);
        }
    }
    tear_down(&f);
}

static void test_batch_names_the_trajectory(void **state)
{
    (void)state;
    fixture f = set_up();
    const double theta[3 * L * D] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, NAN, 1}, rho[3] = {0.1, -2.0, 0.1},
                               steps[3] = {0.1, 0.1, 0.0};
    sf_batch *batch = NULL;
    sf_batch_spec spec = {
        .size = sizeof spec, .count = 3, .theta = theta, .perturbation = SAM, .step = 0.1, .threads = 1};
    assert_int_equal(sf_batch_create(f.context, f.network, &spec, &batch), SF_ERR_ARGUMENT);
    assert_non_null(strstr(sf_context_message(f.context), "trajectory 2: weight 2 of the initialization"));
    spec.rho = rho;
    assert_int_equal(sf_batch_create(f.context, f.network, &spec, &batch), SF_ERR_ARGUMENT);
    assert_string_equal(sf_context_message(f.context),
                        "trajectory 1: rho is -2, expected a finite number >= 0");
    const double whole[3 * L * D] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    spec.theta = whole;
    spec.rho = NULL;
    spec.steps = steps;
    assert_int_equal(sf_batch_create(f.context, f.network, &spec, &batch), SF_ERR_ARGUMENT);
    assert_string_equal(sf_context_message(f.context),
                        "trajectory 2: step size is 0, expected a finite number > 0");
    spec.steps = NULL;
    assert_ok(f.context, sf_batch_create(f.context, f.network, &spec, &batch));
    double copied[L * D] = {7, 7, 7, 7};
    size_t count = 9;
    assert_int_equal(sf_batch_theta(batch, 3, copied), SF_ERR_ARGUMENT);
    assert_int_equal(sf_batch_predictor(batch, SIZE_MAX, copied), SF_ERR_ARGUMENT);
    assert_true(copied[0] == 7.0 && sf_batch_steps(batch, 3) == 0 && !sf_batch_diverged(batch, 1000));
    assert_null(sf_batch_leads(batch, 3, &count));
    assert_true(count == 0 && isnan(sf_batch_log_excess(batch, 3)));
    assert_ok(f.context, sf_batch_theta(batch, 2, copied));
    assert_true(copied[0] == 1.0);
    sf_batch_destroy(&batch);
    tear_down(&f);
}

/* ---- creation ---- */

static void test_creation(void **state)
{
    (void)state;
    fixture f = set_up();
    sf_context *c = f.context;
    sf_dataset *data = NULL;
    assert_status(c, sf_dataset_from_points(c, 1, 0, MU, NULL, &data), SF_ERR_ARGUMENT);
    assert_status(c, sf_dataset_from_points(c, 0, 2, MU, NULL, &data), SF_ERR_ARGUMENT);
    assert_status(c, sf_dataset_from_points(c, 1, 2, NULL, NULL, &data), SF_ERR_ARGUMENT);
    assert_status(c, sf_dataset_from_points(c, 1, 2, MU, NULL, NULL), SF_ERR_ARGUMENT);
    assert_int_equal(sf_dataset_from_points(NULL, 1, 2, MU, NULL, &data), SF_ERR_ARGUMENT);
    assert_status(c, sf_dataset_gaussian(c, NULL, &data), SF_ERR_ARGUMENT);
    assert_status(c, sf_dataset_gaussian(c, &(sf_gaussian){.d = 2, .std = 1.0, .per_class = 3}, &data),
                  SF_ERR_ARGUMENT);
    assert_null(data);
    sf_network *network = NULL;
    assert_status(c, sf_network_create(c, NULL, 2, SF_LOSS_LOGISTIC, &network), SF_ERR_ARGUMENT);
    assert_status(c, sf_network_create(c, f.dataset, 0, SF_LOSS_LOGISTIC, &network), SF_ERR_ARGUMENT);
    assert_status(c, sf_network_create(c, f.dataset, 2, (sf_loss)9, &network), SF_ERR_ARGUMENT);
    assert_status(c, sf_network_create(c, f.dataset, 2, SF_LOSS_LOGISTIC, NULL), SF_ERR_ARGUMENT);
    assert_null(network);
    sf_reduction *reduction = NULL;
    assert_status(c, sf_reduction_create(c, 0, MU, MU, MU, 1.0, SF_LOSS_LOGISTIC, &reduction),
                  SF_ERR_ARGUMENT);
    assert_status(c, sf_reduction_create(c, 2, MU, NULL, MU, 1.0, SF_LOSS_LOGISTIC, &reduction),
                  SF_ERR_ARGUMENT);
    assert_status(c, sf_reduction_create(c, 2, MU, MU, MU, 1.0, (sf_loss)2, &reduction), SF_ERR_ARGUMENT);
    assert_status(c, sf_reduction_create(c, 2, MU, MU, MU, -1.0, SF_LOSS_LOGISTIC, &reduction),
                  SF_ERR_ARGUMENT);
    assert_string_equal(sf_context_message(c), "rho is -1, expected a finite number >= 0");
    assert_null(reduction);
    double factor = 0.0;
    assert_status(c, sf_critical_factor(c, 2, MU, MU, MU, -1.0, &factor), SF_ERR_ARGUMENT);
    assert_status(c, sf_critical_factor(c, 2, MU, MU, MU, 1.0, NULL), SF_ERR_ARGUMENT);
    sf_margin *margin = NULL;
    assert_status(c, sf_margin_solve(c, f.dataset, NULL, &margin), SF_ERR_ARGUMENT);
    assert_status(c, sf_margin_solve(c, NULL, &(sf_margin_options){SF_NORM_L2, false}, &margin),
                  SF_ERR_ARGUMENT);
    assert_status(
        c, sf_margin_residual_of(c, f.dataset, &(sf_margin_options){SF_NORM_L2, false}, NULL, 0.1, &factor),
        SF_ERR_ARGUMENT);
    sf_descent *descent = NULL;
    assert_status(c, sf_descent_create(c, f.network, &SAM, 0.0, GOOD, &descent), SF_ERR_ARGUMENT);
    assert_status(c, sf_descent_create(c, f.network, &SAM, NAN, GOOD, &descent), SF_ERR_ARGUMENT);
    assert_status(c, sf_descent_create(c, f.network, &SAM, 0.1, GOOD, NULL), SF_ERR_ARGUMENT);
    assert_status(c, sf_perturbation_check(c, NULL), SF_ERR_ARGUMENT);
    assert_ok(c, sf_perturbation_check(c, &SAM));
    tear_down(&f);
}

/* ---- options that carry their size ---- */

static void test_sizes(void **state)
{
    (void)state;
    fixture f = set_up();
    sf_batch *batch = NULL;
    sf_batch_spec spec = {.count = 1, .theta = GOOD, .perturbation = SAM, .step = 0.1};
    assert_status(f.context, sf_batch_create(f.context, f.network, &spec, &batch), SF_ERR_ARGUMENT);
    assert_non_null(strstr(sf_context_message(f.context), "sf_batch_spec"));
    assert_status(f.context, sf_batch_create(f.context, f.network, NULL, &batch), SF_ERR_ARGUMENT);
    // an older program's struct ends before `threads`, a newer one's goes on behind it
    struct {
        sf_batch_spec spec;
        int added;
    } newer = {.spec = spec};
    newer.spec.threads = -5;
    newer.spec.size = offsetof(sf_batch_spec, threads);
    assert_ok(f.context, sf_batch_create(f.context, f.network, &newer.spec, &batch));
    sf_batch_destroy(&batch);
    newer.spec.threads = 1;
    newer.spec.size = sizeof newer;
    assert_ok(f.context, sf_batch_create(f.context, f.network, &newer.spec, &batch));
    sf_batch_destroy(&batch);
    newer.added = 1;
    assert_status(f.context, sf_batch_create(f.context, f.network, &newer.spec, &batch), SF_ERR_ARGUMENT);
    sf_limit *limit = NULL;
    assert_status(
        f.context,
        sf_limit_find(f.context, f.network, &SAM, GOOD, &(sf_limit_options){.log_time = 10.0}, &limit),
        SF_ERR_ARGUMENT);
    assert_null(limit);
    tear_down(&f);
}

/* ---- targets of a flow ---- */

static void test_targets(void **state)
{
    (void)state;
    fixture f = set_up();
    sf_flow *flow = NULL;
    assert_ok(f.context, sf_flow_create(f.context, f.network, &SAM, GOOD, 0.0, &flow));
    const sf_flow_target wrong[] = {
        {0},
        {.size = sizeof wrong[0]},
        {.size = sizeof wrong[0], .tau = 1.0},
        {.size = sizeof wrong[0], .stops = 16, .tau = 1.0},
        {.size = sizeof wrong[0], .stops = SF_STOP_TAU | SF_STOP_LOG_TIME, .tau = 1.0, .log_time = NAN},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_status(f.context, sf_flow_advance(flow, &wrong[i]), SF_ERR_ARGUMENT);
    assert_status(f.context, sf_flow_advance(flow, NULL), SF_ERR_ARGUMENT);
    assert_int_equal(sf_flow_advance(NULL, &wrong[1]), SF_ERR_ARGUMENT);
    assert_true(sf_flow_tau(flow) == 0.0);
    // log_time is 0 there and not read: t = 1 is no end
    sf_flow_target target = {.size = sizeof target, .stops = SF_STOP_TAU, .tau = 5.0};
    assert_ok(f.context, sf_flow_advance(flow, &target));
    assert_true(sf_flow_tau(flow) == 5.0 && sf_flow_log_time(flow) > 0.0);
    sf_flow_destroy(&flow);
    assert_ok(f.context, sf_flow_create(f.context, f.network, &SAM, GOOD, 0.0, &flow));
    target = (sf_flow_target){.size = sizeof target, .stops = SF_STOP_LOG_TIME, .log_time = 0.0};
    assert_ok(f.context, sf_flow_advance(flow, &target));
    assert_absolute(sf_flow_log_time(flow), 0.0, 1e-12);
    sf_flow_destroy(&flow);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alike),    cmocka_unit_test(test_batch_names_the_trajectory),
        cmocka_unit_test(test_creation), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
