/* Flows and exact runs as experiments: ends, records evenly in progress and at the times asked for, collapse, and
 * the two against each other and against closed forms. */
#include "support.h"

static sf_trajectory *run(sf_context *context, const char *text, size_t count, const char *const *overrides,
                          sf_experiment **experiment)
{
    sf_trajectory *trajectory;
    assert_ok(context, sf_experiment_parse(context, "file.yaml", text, count, overrides, experiment));
    assert_ok(context, sf_experiment_run(*experiment, &trajectory));
    assert_non_null(trajectory);
    return trajectory;
}

static void release(sf_experiment **experiment, sf_trajectory **trajectory)
{
    sf_trajectory_destroy(trajectory);
    sf_experiment_destroy(experiment);
}

static sf_record last_of(const sf_trajectory *trajectory)
{
    return sf_trajectory_record(trajectory, sf_trajectory_records(trajectory) - 1);
}

/* The record with exactly this tau. */
static sf_record at_tau(const sf_trajectory *trajectory, double tau)
{
    for (size_t i = 0; i < sf_trajectory_records(trajectory); i++)
        if (sf_trajectory_record(trajectory, i).tau == tau)
            return sf_trajectory_record(trajectory, i);
    print_error("no record at tau = %.17g\n", tau);
    fail();
    return (sf_record){0};
}

#define EXAMPLE "data: {example: [1, 2]}\n"
static const char *const modes[] = {"dynamics.mode=flow", "dynamics.mode=exact"};

/* Records: the first at tau 0, increasing, as many as asked for, the last at the end. */
static void test_records(void **state)
{
    (void)state;
    sf_context *context = test_context();
    static const unsigned long samples[] = {1, 2, 3, 10, 200};
    for (size_t m = 0; m < 2; m++)
        for (size_t k = 0; k < sizeof samples / sizeof samples[0]; k++) {
            char count[64];
            snprintf(count, sizeof count, "record.samples=%lu", samples[k]);
            const char *set[] = {modes[m], count};
            sf_experiment *experiment;
            sf_trajectory *trajectory = run(context, EXAMPLE, 2, set, &experiment);
            size_t records = sf_trajectory_records(trajectory);
            assert_int_equal(sf_trajectory_status(trajectory), SF_RUN_COMPLETED);
            assert_int_equal(records, samples[k] < 2 ? 2 : samples[k]);
            assert_true(sf_trajectory_record(trajectory, 0).tau == 0.0);
            assert_true(sf_trajectory_record(trajectory, 0).log_time == -INFINITY);
            for (size_t i = 1; i < records; i++) {
                sf_record before = sf_trajectory_record(trajectory, i - 1),
                          now = sf_trajectory_record(trajectory, i);
                assert_true(now.tau > before.tau && now.log_time > before.log_time && isnan(now.step));
                assert_relative(now.log_abs_beta[1], log(now.beta[1]), 1e-13);
            }
            assert_relative(last_of(trajectory).log_time, 50.0, 1e-14);
            release(&experiment, &trajectory);
        }
    sf_context_destroy(&context);
}

/* Spacing of a straight flow (L = 1, N = 1: beta moves by mu tau, progress is smooth in tau): no gap is more than
 * twice another. */
static void test_evenness(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_experiment *experiment;
    const char *set[] = {"network.depth=2", "optimizer={method: linf-sam, rho: 0.1}", "record.samples=40"};
    sf_trajectory *trajectory = run(context, EXAMPLE, 3, set, &experiment);
    double least = INFINITY, most = 0.0;
    for (size_t i = 1; i < sf_trajectory_records(trajectory); i++) {
        double gap = sf_trajectory_record(trajectory, i).tau - sf_trajectory_record(trajectory, i - 1).tau;
        least = fmin(least, gap);
        most = fmax(most, gap);
    }
    assert_true(most < 2.0 * least);
    release(&experiment, &trajectory);
    sf_context_destroy(&context);
}

/* linf-SAM, L = 2, equal layers: w - rho = (alpha - rho) e^{mu tau}, at exactly the times asked for. */
static void test_times_asked_for(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_experiment *experiment;
    sf_trajectory *trajectory =
        run(context,
            EXAMPLE "network: {init: [0.5, 0.7]}\noptimizer: {method: linf-sam, rho: 0.2}\n"
                    "dynamics: {until: {tau: 2}}\n"
                    "record: {samples: 5, at: {tau: [1.25, 0, 0.1, 2, 3], log_time: [-1, 1]}}\n",
            0, NULL, &experiment);
    static const double tau[] = {0.0, 0.1, 1.25, 2.0};
    for (size_t i = 0; i < 4; i++) {
        sf_record record = at_tau(trajectory, tau[i]);
        double w0 = 0.2 + 0.3 * exp(tau[i]), w1 = 0.2 + 0.5 * exp(2.0 * tau[i]);
        assert_relative(record.beta[0], w0 * w0, 1e-9);
        assert_relative(record.beta[1], w1 * w1, 1e-9);
    }
    size_t found = 0;
    for (size_t i = 0; i < sf_trajectory_records(trajectory); i++)
        found += sf_trajectory_record(trajectory, i).log_time == -1.0 ||
                 sf_trajectory_record(trajectory, i).log_time == 1.0;
    assert_int_equal(found, 2);
    assert_true(last_of(trajectory).tau == 2.0);
    assert_int_equal(sf_trajectory_records(trajectory), 5 + 4); // 0 and 2 are there anyway, 3 lies beyond
    release(&experiment, &trajectory);
    sf_context_destroy(&context);
}

/* Integrated and exact agree, from unequal layers too. */
static void test_flow_against_exact(void **state)
{
    (void)state;
    sf_context *context = test_context();
    static const char *const start[] = {"network.init=0.6",
                                        "network.init={layers: [[0.9, 0.2], [0.4, -0.7]]}",
                                        "network.init={random: {scale: 1, seed: 3}}"};
    for (size_t k = 0; k < 3; k++) {
        const char *set[] = {"dynamics.mode=flow", start[k], "dynamics.until.tau=2.5",
                             "record.at={tau: [0.5, 1.5]}"};
        sf_experiment *experiment, *other;
        sf_trajectory *flow = run(context, EXAMPLE, 4, set, &experiment);
        set[0] = "dynamics.mode=exact";
        sf_trajectory *exact = run(context, EXAMPLE, 4, set, &other);
        static const double tau[] = {0.5, 1.5, 2.5};
        for (size_t i = 0; i < 3; i++) {
            sf_record a = at_tau(flow, tau[i]), b = at_tau(exact, tau[i]);
            for (size_t j = 0; j < 2; j++)
                assert_relative(a.beta[j], b.beta[j], 1e-9);
            assert_relative(a.log_time, b.log_time, 1e-9);
            assert_relative(a.log_loss, b.log_loss, 1e-9);
            assert_relative(a.applied_norm, 1.0, 1e-12);
        }
        for (size_t i = 0; i < 4; i++)
            assert_relative(sf_trajectory_final_layers(flow)[i], sf_trajectory_final_layers(exact)[i], 1e-8);
        release(&experiment, &flow);
        release(&other, &exact);
    }
    sf_context_destroy(&context);
}

/* Changes of leader: at the same moments in both modes, and where tau / B = mu_0 + mu_1, so |beta_0| = |beta_1|. */
static void test_dominance(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const char *set[] = {"dynamics.mode=flow", "network.init=0.6", "dynamics.until.log_time=200", NULL};
    sf_experiment *experiment, *other;
    sf_trajectory *flow = run(context, EXAMPLE, 3, set, &experiment);
    set[0] = "dynamics.mode=exact";
    sf_trajectory *exact = run(context, EXAMPLE, 3, set, &other);
    size_t flows, exacts;
    const sf_event *a = sf_trajectory_events(flow, &flows), *b = sf_trajectory_events(exact, &exacts);
    assert_int_equal(flows, 1);
    assert_int_equal(exacts, 1);
    assert_int_equal(a->kind, SF_EVENT_DOMINANCE);
    assert_int_equal(b->kind, SF_EVENT_DOMINANCE);
    assert_true(a->from == 0 && a->to == 1 && b->from == 0 && b->to == 1);
    assert_relative(b->log_time, log(1.14e23), 1e-3); // t = 1.14e23
    assert_relative(a->tau, b->tau, 1e-8);
    assert_relative(a->log_time, b->log_time, 1e-8);
    assert_relative(a->log_loss, b->log_loss, 1e-8);
    char at[64];
    snprintf(at, sizeof at, "record.at={tau: [%.17g]}", b->tau);
    release(&experiment, &flow);
    release(&other, &exact);
    set[3] = at;
    exact = run(context, EXAMPLE, 4, set, &experiment);
    bool found = false;
    for (size_t i = 0; i < sf_trajectory_records(exact); i++) {
        sf_record record = sf_trajectory_record(exact, i);
        if (fabs(record.beta[0] - record.beta[1]) <= 1e-8 * record.beta[0] && record.tau > 0.0)
            found = true;
    }
    assert_true(found);
    release(&experiment, &exact);
    sf_context_destroy(&context);
}

/* One feature collapses below 1 / sqrt 2 at tau = -ln(1 - sqrt 2 w / rho) / mu: beta is 0 from then on, and times asked for
 * after that are still records. */
static void test_collapse(void **state)
{
    (void)state;
    sf_context *context = test_context();
    for (size_t m = 0; m < 2; m++) {
        const char *set[] = {modes[m], "data.example=[1.5]", "network.init=0.4",
                             "record={samples: 7, at: {tau: [50, 60]}}"};
        sf_experiment *experiment;
        sf_trajectory *trajectory = run(context, EXAMPLE, 4, set, &experiment);
        assert_int_equal(sf_trajectory_status(trajectory), SF_RUN_COLLAPSED);
        assert_int_equal(sf_trajectory_records(trajectory), 9);
        // d = 1: w' = mu w - rho mu / sqrt 2, so w = 0 at tau = -ln(1 - sqrt 2 w_0 / rho) / mu
        double expected = -log1p(-sqrt(2.0) * 0.4) / 1.5;
        size_t count;
        const sf_event *events = sf_trajectory_events(trajectory, &count);
        assert_int_equal(count, 1);
        assert_int_equal(events[0].kind, SF_EVENT_COLLAPSE);
        assert_relative(events[0].tau, expected, 1e-9);
        sf_record collapse = sf_trajectory_record(trajectory, 6);
        assert_true(collapse.tau == events[0].tau && collapse.beta[0] == 0.0);
        assert_true(collapse.log_abs_beta[0] == -INFINITY);
        assert_true(at_tau(trajectory, 50.0).beta[0] == 0.0 && last_of(trajectory).tau == 60.0);
        assert_relative(last_of(trajectory).log_loss, log(log(2.0)), 1e-12);
        assert_true(sf_trajectory_final_layers(trajectory)[0] == 0.0);
        release(&experiment, &trajectory);
    }
    sf_context_destroy(&context);
}

static double log_norm(const sf_record *record, size_t d)
{
    double twice[8];
    for (size_t j = 0; j < d; j++)
        twice[j] = 2.0 * record->log_abs_beta[j];
    return 0.5 * sf_log_sum_exp(d, twice);
}

static void test_ends(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_experiment *experiment;
    const char *norm[] = {"dynamics.until={log_norm: 2.5}"};
    sf_trajectory *trajectory = run(context, EXAMPLE, 1, norm, &experiment);
    sf_record last = last_of(trajectory);
    assert_relative(log_norm(&last, 2), 2.5, 1e-9);
    assert_int_equal(sf_trajectory_records(trajectory), 200);
    release(&experiment, &trajectory);

    const char *already[] = {"dynamics.until={log_norm: -7}"};
    trajectory = run(context, EXAMPLE, 1, already, &experiment);
    assert_int_equal(sf_trajectory_records(trajectory), 1);
    release(&experiment, &trajectory);

    // GD on (1, 2): the share of the minor feature falls; the end is where it falls by less than half the tolerance
    const char *direction[] = {"optimizer={method: gd}", "dynamics.until={direction_tolerance: 0.01}"};
    trajectory = run(context, EXAMPLE, 2, direction, &experiment);
    last = last_of(trajectory);
    double k = 4.0 * log(last.log_time), share = last.beta[0] / (last.beta[0] + last.beta[1]);
    assert_absolute(k, round(k), 1e-9);
    assert_true(share < 0.02);
    release(&experiment, &trajectory);
    sf_context_destroy(&context);
}

/* L = 3: tau ends at the blow-up; the run is complete there, with its event. */
static void test_blow_up(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_experiment *experiment;
    const char *set[] = {"network.depth=3", "network.init=1", "optimizer={method: linf-sam, rho: 0.5}",
                         "dynamics.until={tau: 5}", "record.samples=20"};
    sf_trajectory *trajectory = run(context, EXAMPLE, 5, set, &experiment);
    size_t count;
    const sf_event *events = sf_trajectory_events(trajectory, &count);
    assert_true(count >= 1);
    assert_int_equal(events[count - 1].kind, SF_EVENT_BLOW_UP);
    assert_relative(events[count - 1].tau, 1.0, 1e-8); // 1 / (mu (alpha - rho)), mu = 2
    assert_int_equal(sf_trajectory_status(trajectory), SF_RUN_COMPLETED);
    assert_int_equal(sf_trajectory_records(trajectory), 20);
    release(&experiment, &trajectory);
    sf_context_destroy(&context);
}

/* A run that is interrupted keeps its records so far, no more than were asked for. */
typedef struct interruption {
    sf_flag flag;
    int calls;
} interruption;

static void interrupt_later(double fraction, const char *note, void *user)
{
    (void)fraction;
    (void)note;
    interruption *stop = user;
    stop->flag = ++stop->calls > 1500;
}

static void test_interruption(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const char *set[] = {"record.samples=20", "dynamics.until={log_time: 1e6}"};
    sf_experiment *experiment;
    assert_ok(context, sf_experiment_parse(context, "file.yaml", EXAMPLE, 2, set, &experiment));
    interruption stop = {0};
    sf_context_set_progress(context, interrupt_later, &stop);
    sf_context_set_cancel(context, &stop.flag);
    sf_trajectory *trajectory;
    assert_status(context, sf_experiment_run(experiment, &trajectory), SF_ERR_CANCELLED);
    assert_non_null(trajectory);
    assert_int_equal(sf_trajectory_status(trajectory), SF_RUN_INTERRUPTED);
    assert_true(sf_trajectory_records(trajectory) == 20);
    assert_true(last_of(trajectory).log_time < 1e6);
    for (size_t i = 0; i < 20; i++)
        assert_true(isfinite(sf_trajectory_record(trajectory, i).log_loss));
    release(&experiment, &trajectory);
    sf_context_destroy(&context);
}

static void test_allocation(void **state)
{
    (void)state;
    for (size_t m = 0; m < 2; m++) {
        bool refused = true;
        for (long n = 0; refused; n++) {
            test_memory memory = {.fail_at = n};
            sf_context *context = test_context_failing(&memory);
            const char *set[] = {modes[m], "record={samples: 6, at: {tau: [0.3]}}",
                                 "dynamics.until={log_time: 1}"};
            sf_experiment *experiment;
            sf_trajectory *trajectory = NULL;
            sf_status status = sf_experiment_parse(context, "file.yaml", EXAMPLE, 3, set, &experiment);
            if (status == SF_OK)
                status = sf_experiment_run(experiment, &trajectory);
            refused = memory.calls > n;
            if (status != SF_OK) {
                assert_status(context, status, SF_ERR_MEMORY);
                assert_null(trajectory);
            }
            release(&experiment, &trajectory);
            assert_int_equal(memory.live, 0);
            sf_context_destroy(&context);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_evenness),
        cmocka_unit_test(test_times_asked_for),
        cmocka_unit_test(test_flow_against_exact),
        cmocka_unit_test(test_dominance),
        cmocka_unit_test(test_collapse),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_blow_up),
        cmocka_unit_test(test_interruption),
        cmocka_unit_test(test_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
