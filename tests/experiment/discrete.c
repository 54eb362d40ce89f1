/* Discrete runs: which steps are recorded, dominance, divergence, rho = 0, ||eps||, what is kept after an interruption. */
#include "support.h"

static sf_experiment *parse(sf_context *context, const char *text, size_t count, const char *const *overrides)
{
    sf_experiment *experiment;
    assert_ok(context, sf_experiment_parse(context, "file.yaml", text, count, overrides, &experiment));
    return experiment;
}

static sf_trajectory *run(sf_context *context, sf_experiment *experiment)
{
    sf_trajectory *trajectory;
    assert_ok(context, sf_experiment_run(experiment, &trajectory));
    assert_non_null(trajectory);
    return trajectory;
}

#define BASE                                                                                                 \
    "data: {points: [[1, 2, 0.5], [-1, -1.5, 0.3], [0.2, 3, -1]], labels: [1, -1, 1]}\n"                     \
    "network: {depth: 2, init: {layers: [[0.5, -0.2, 0.4], [0.3, 0.6, 0.1]]}}\n"

/* ---- which steps ---------------------------------------------------------------------------------------- */

/* First, last and the times asked for are there; steps increase; as many as asked for; ratios as even as rounding
 * allows. */
static void check_steps(sf_context *context, unsigned long steps, unsigned long samples)
{
    char a[64], b[64];
    snprintf(a, sizeof a, "dynamics.steps=%lu", steps);
    snprintf(b, sizeof b, "record.samples=%lu", samples);
    const char *set[] = {a, b};
    sf_experiment *experiment = parse(context, "data: {example: [1]}\ndynamics: {mode: discrete}\n", 2, set);
    sf_trajectory *trajectory = run(context, experiment);
    size_t count = sf_trajectory_records(trajectory), wanted = samples < 2 ? 2 : samples;
    assert_int_equal(count, wanted < steps + 1 ? wanted : steps + 1);
    double last = sf_trajectory_record(trajectory, 0).step;
    assert_true(last == 0.0);
    double ratio = NAN;
    for (size_t i = 1; i < count; i++) {
        double step = sf_trajectory_record(trajectory, i).step;
        assert_true(step > last);
        if (step > last + 50.0) { // rounding no longer matters
            if (!isnan(ratio))
                assert_relative(log(step / last), ratio, 0.05);
            ratio = log(step / last);
        }
        last = step;
    }
    assert_true(last == (double)steps);
    sf_trajectory_destroy(&trajectory);
    sf_experiment_destroy(&experiment);
}

static void test_steps(void **state)
{
    (void)state;
    sf_context *context = test_context();
    static const unsigned long steps[] = {1, 2, 7, 100, 12345}, samples[] = {1, 2, 3, 8, 100, 101, 200};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        for (size_t k = 0; k < sizeof samples / sizeof samples[0]; k++)
            check_steps(context, steps[i], samples[k]);
    sf_experiment *experiment = parse(context,
                                      "data: {example: [1]}\ndynamics: {mode: discrete, steps: 100}\n"
                                      "record: {samples: 2, at: {step: [100, 7, 0, 8, 7]}}\n",
                                      0, NULL);
    sf_trajectory *trajectory = run(context, experiment);
    static const double expected[] = {0, 7, 8, 100};
    assert_int_equal(sf_trajectory_records(trajectory), 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(sf_trajectory_record(trajectory, i).step == expected[i]);
    sf_trajectory_destroy(&trajectory);
    sf_experiment_destroy(&experiment);
    sf_context_destroy(&context);
}

/* ---- iterates ------------------------------------------------------------------------------------------- */

/* One coordinate, one example, GD by hand: w_l <- w_l + eta mu s(m) prod_{k != l} w_k. */
static void test_by_hand(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_experiment *experiment =
        parse(context,
              "data: {example: [1.5]}\nnetwork: {init: {layers: [[0.7], [-0.2], [0.4]]}, depth: 3}\n"
              "optimizer: {method: gd}\ndynamics: {mode: discrete, step: 0.1, steps: 50}\n",
              0, NULL);
    sf_trajectory *trajectory = run(context, experiment);
    long double w[3] = {0.7L, -0.2L, 0.4L};
    for (int t = 0; t < 50; t++) {
        long double s = 0.15L / (1.0L + expl(1.5L * w[0] * w[1] * w[2])), old[3] = {w[0], w[1], w[2]};
        for (int l = 0; l < 3; l++)
            w[l] = old[l] + s * old[(l + 1) % 3] * old[(l + 2) % 3];
    }
    const double *layers = sf_trajectory_final_layers(trajectory);
    for (int l = 0; l < 3; l++)
        assert_relative(layers[l], (double)w[l], 1e-14);
    sf_record last = sf_trajectory_record(trajectory, sf_trajectory_records(trajectory) - 1);
    assert_relative(last.beta[0], (double)(w[0] * w[1] * w[2]), 1e-13);
    assert_relative(last.log_abs_beta[0], log(fabs((double)(w[0] * w[1] * w[2]))), 1e-13);
    assert_relative(last.log_loss, log(log1p(exp(-1.5 * last.beta[0]))), 1e-13);
    assert_relative(last.min_margin, 1.5 * last.beta[0], 1e-15);
    assert_true(isnan(last.tau) && isnan(last.log_time));
    sf_trajectory_destroy(&trajectory);
    sf_experiment_destroy(&experiment);
    sf_context_destroy(&context);
}

/* Every method with rho = 0 takes the bits of GD, for every depth. */
static void test_rho_zero(void **state)
{
    (void)state;
    sf_context *context = test_context();
    static const char *const method[] = {
        "optimizer={method: l2-sam, rho: 0}", "optimizer={method: linf-sam, rho: 0}",
        "optimizer={method: lp-sam, rho: 0, p: 3}", "optimizer={method: usam, rho: 0}"};
    static const char *const depth[] = {"network.depth=1", "network.depth=2", "network.depth=3"};
    for (size_t k = 0; k < 3; k++) {
        const char *set[] = {depth[k], "network.init=[0.5, -0.2, 0.4]", "optimizer={method: gd}",
                             "dynamics={mode: discrete, step: 0.05, steps: 500}"};
        sf_experiment *experiment = parse(context, BASE, 4, set);
        sf_trajectory *expected = run(context, experiment);
        for (size_t i = 0; i < sizeof method / sizeof method[0]; i++) {
            set[2] = method[i];
            sf_experiment *other = parse(context, BASE, 4, set);
            sf_trajectory *actual = run(context, other);
            assert_memory_equal(sf_trajectory_final_layers(actual), sf_trajectory_final_layers(expected),
                                (k + 1) * 3 * sizeof(double));
            for (size_t r = 0; r < sf_trajectory_records(expected); r++)
                assert_memory_equal(sf_trajectory_record(actual, r).beta,
                                    sf_trajectory_record(expected, r).beta, 3 * sizeof(double));
            sf_trajectory_destroy(&actual);
            sf_experiment_destroy(&other);
        }
        sf_trajectory_destroy(&expected);
        sf_experiment_destroy(&experiment);
    }
    sf_context_destroy(&context);
}

/* ||eps|| = rho where the gradient is 1e-300 and smaller: margins of 700 and of 1e5, and tiny weights. */
static void test_applied_norm(void **state)
{
    (void)state;
    sf_context *context = test_context();
    static const char *const method[] = {
        "optimizer={method: l2-sam, rho: 0.3}", "optimizer={method: linf-sam, rho: 0.3}",
        "optimizer={method: lp-sam, rho: 0.3, p: 1.5}", "optimizer={method: lp-sam, rho: 0.3, p: 7}"};
    static const char *const init[] = {"network.init=13.5", "network.init=160", "network.init=1e-150",
                                       "network.init=[1e-160, 20, 1]", "network.init=0.5"};
    for (size_t i = 0; i < sizeof method / sizeof method[0]; i++)
        for (size_t k = 0; k < sizeof init / sizeof init[0]; k++) {
            const char *set[] = {method[i], init[k], "dynamics={mode: discrete, step: 0.05, steps: 3}"};
            sf_experiment *experiment = parse(context, BASE, 3, set);
            sf_trajectory *trajectory = run(context, experiment);
            assert_relative(sf_trajectory_record(trajectory, 1).applied_norm, 0.3, 1e-12);
            sf_trajectory_destroy(&trajectory);
            sf_experiment_destroy(&experiment);
        }
    sf_context_destroy(&context);
}

/* beta underflows, its logarithm does not. */
static void test_log_abs_beta(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_experiment *experiment =
        parse(context,
              "data: {example: [1, 1, 1]}\nnetwork: {depth: 3, init: [1e-200, 0, 1e-100]}\n"
              "optimizer: {method: gd}\ndynamics: {mode: discrete, steps: 1}\n",
              0, NULL);
    sf_trajectory *trajectory = run(context, experiment);
    sf_record record = sf_trajectory_record(trajectory, 0);
    assert_true(record.beta[0] == 0.0);
    assert_relative(record.log_abs_beta[0], 3.0 * log(1e-200), 1e-14);
    assert_true(record.log_abs_beta[1] == -INFINITY);
    assert_relative(record.log_abs_beta[2], 3.0 * log(1e-100), 1e-14);
    sf_trajectory_destroy(&trajectory);
    sf_experiment_destroy(&experiment);
    sf_context_destroy(&context);
}

/* ---- events and ends ------------------------------------------------------------------------------------ */

/* l2-SAM just above the critical scale: equal at the start, first the minor feature leads, then the major one; the
 * event is at the first step where |beta_1| > |beta_0|. */
static void test_dominance(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_experiment *experiment =
        parse(context,
              "data: {example: [1, 2]}\nnetwork: {init: 0.94}\noptimizer: {rho: 1}\n"
              "dynamics: {mode: discrete, step: 0.001, steps: 400}\nrecord: {samples: 1000}\n",
              0, NULL);
    sf_trajectory *trajectory = run(context, experiment);
    double first = NAN;
    for (size_t i = sf_trajectory_records(trajectory); i-- > 0;) {
        sf_record record = sf_trajectory_record(trajectory, i);
        if (record.beta[1] > record.beta[0])
            first = record.step;
    }
    size_t count;
    const sf_event *event = sf_trajectory_events(trajectory, &count);
    assert_int_equal(count, 1);
    assert_int_equal(event->kind, SF_EVENT_DOMINANCE);
    assert_int_equal(event->from, 0);
    assert_int_equal(event->to, 1);
    assert_true(event->step == first && first > 1.0);
    assert_true(isnan(event->tau) && isnan(event->log_time));
    assert_relative(event->log_loss, sf_trajectory_record(trajectory, (size_t)first).log_loss, 1e-14);
    sf_trajectory_destroy(&trajectory);
    sf_experiment_destroy(&experiment);
    sf_context_destroy(&context);
}

static void test_divergence(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_experiment *experiment =
        parse(context,
              "data: {points: [[1], [-1]], labels: [1, 1]}\nnetwork: {depth: 4, init: 2}\n"
              "optimizer: {method: gd}\nloss: exponential\n"
              "dynamics: {mode: discrete, step: 10, steps: 500}\n",
              0, NULL);
    sf_trajectory *trajectory = run(context, experiment);
    assert_int_equal(sf_trajectory_status(trajectory), SF_RUN_DIVERGED);
    size_t count = sf_trajectory_records(trajectory);
    assert_true(sf_trajectory_record(trajectory, count - 1).step < 500.0);
    for (int l = 0; l < 4; l++)
        assert_true(isfinite(sf_trajectory_final_layers(trajectory)[l]));
    sf_trajectory_destroy(&trajectory);
    sf_experiment_destroy(&experiment);
    sf_context_destroy(&context);
}

/* A run that is interrupted on its way keeps what it has. */
typedef struct interruption {
    sf_flag flag;
    double at;
} interruption;

static void interrupt_at(double fraction, const char *note, void *user)
{
    (void)note;
    interruption *stop = user;
    if (fraction >= stop->at)
        stop->flag = 1;
}

static void test_interruption(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_experiment *experiment =
        parse(context, BASE "dynamics: {mode: discrete, steps: 100000}\nrecord: {samples: 50}\n", 0, NULL);
    interruption stop = {.at = 0.5};
    sf_context_set_progress(context, interrupt_at, &stop);
    sf_context_set_cancel(context, &stop.flag);
    sf_trajectory *trajectory;
    assert_status(context, sf_experiment_run(experiment, &trajectory), SF_ERR_CANCELLED);
    assert_non_null(trajectory);
    assert_int_equal(sf_trajectory_status(trajectory), SF_RUN_INTERRUPTED);
    size_t count = sf_trajectory_records(trajectory);
    assert_true(count > 30);
    double last = sf_trajectory_record(trajectory, count - 1).step;
    assert_true(last >= 50000.0 && last < 60000.0);
    sf_trajectory_destroy(&trajectory);
    sf_experiment_destroy(&experiment);
    sf_context_destroy(&context);
}

static void test_allocation(void **state)
{
    (void)state;
    bool refused = true;
    long n = 0;
    for (; refused; n++) {
        test_memory memory = {.fail_at = n};
        sf_context *context = test_context_failing(&memory);
        sf_experiment *experiment;
        sf_trajectory *trajectory = NULL;
        sf_status status = sf_experiment_parse(
            context, "file.yaml",
            BASE "dynamics: {mode: discrete, steps: 40, step: 0.5}\nrecord: {samples: 20}\n", 0, NULL,
            &experiment);
        if (status == SF_OK)
            status = sf_experiment_run(experiment, &trajectory);
        refused = memory.calls > n;
        if (status != SF_OK) {
            assert_status(context, status, SF_ERR_MEMORY);
            assert_null(trajectory);
        }
        sf_trajectory_destroy(&trajectory);
        sf_experiment_destroy(&experiment);
        assert_int_equal(memory.live, 0);
        sf_context_destroy(&context);
    }
    assert_true(n > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_rho_zero),     cmocka_unit_test(test_applied_norm),
        cmocka_unit_test(test_log_abs_beta), cmocka_unit_test(test_dominance),
        cmocka_unit_test(test_divergence),   cmocka_unit_test(test_interruption),
        cmocka_unit_test(test_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
