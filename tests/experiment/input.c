/* Trajectories read back are the trajectories written, as JSON and as HDF5, and files that are none are refused. */
#include "support.h"

#include <unistd.h>

static const char text[] = "data: {example: [1, 2]}\n"
                           "network: {depth: 2, init: 0.6}\n"
                           "optimizer: {method: l2-sam, rho: 1.0}\n"
                           "dynamics: {mode: flow, until: {log_time: 60}}\n"
                           "record: {samples: 20}\n";

static void assert_same_number(double a, double b)
{
    assert_true(a == b || (isnan(a) && isnan(b)) || (!isfinite(a) && !isfinite(b)));
}

static void assert_same(const sf_trajectory *a, const sf_trajectory *b)
{
    size_t events, other;
    assert_int_equal(sf_trajectory_features(b), sf_trajectory_features(a));
    assert_int_equal(sf_trajectory_records(b), sf_trajectory_records(a));
    for (size_t i = 0; i < sf_trajectory_records(a); i++) {
        sf_record x = sf_trajectory_record(a, i), y = sf_trajectory_record(b, i);
        assert_same_number(x.tau, y.tau);
        assert_same_number(x.log_time, y.log_time);
        assert_same_number(x.log_loss, y.log_loss);
        assert_same_number(x.min_margin, y.min_margin);
        assert_memory_equal(x.beta, y.beta, sf_trajectory_features(a) * sizeof(double));
    }
    const sf_event *p = sf_trajectory_events(a, &events), *q = sf_trajectory_events(b, &other);
    assert_int_equal(other, events);
    assert_true(events >= 1);
    for (size_t i = 0; i < events; i++) {
        assert_int_equal(p[i].kind, q[i].kind);
        assert_int_equal(p[i].from, q[i].from);
        assert_int_equal(p[i].to, q[i].to);
        assert_same_number(p[i].log_time, q[i].log_time);
    }
}

/* The text reads to the same experiment: written once more, it is the same. */
static void assert_same_experiment(sf_context *context, const char *read, const sf_experiment *expected)
{
    char *texts[2];
    sf_experiment *again;
    assert_non_null(read);
    assert_ok(context, sf_experiment_parse(context, "test", read, 0, NULL, &again));
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        FILE *stream = open_memstream(&texts[i], &size);
        assert_non_null(stream);
        sf_json json = sf_json_make(stream, true);
        sf_experiment_write(i ? again : expected, &json, NULL);
        assert_true(sf_json_finish(&json));
        fclose(stream);
    }
    assert_string_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
    sf_experiment_destroy(&again);
}

static void test_round_trip(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_experiment *experiment;
    sf_trajectory *written, *read;
    assert_ok(context, sf_experiment_parse(context, "test", text, 0, NULL, &experiment));
    assert_ok(context, sf_experiment_run(experiment, &written));
    static const char *const paths[] = {"input-test.json", "input-test.h5"};
    for (size_t i = 0; i < 2; i++) {
        sf_status status = sf_trajectory_write(written, paths[i]);
        if (status == SF_ERR_UNAVAILABLE) {
            print_message("skipped: %s\n", sf_context_message(context));
            continue;
        }
        assert_ok(context, status);
        assert_ok(context, sf_trajectory_read(context, paths[i], &read));
        assert_same(written, read);
        assert_same_experiment(context, sf_trajectory_experiment(read), experiment);
        assert_status(context, sf_trajectory_write(read, "never.json"), SF_ERR_ARGUMENT);
        sf_trajectory_destroy(&read);
        remove(paths[i]);
    }
    sf_trajectory_destroy(&written);
    sf_experiment_destroy(&experiment);
    sf_context_destroy(&context);
}

/* In HDF5 a long experiment is a data set rather than an attribute. */
static void test_long_experiment(void **state)
{
    (void)state;
    enum { FEATURES = 9000 };
    sf_context *context = test_context();
    sf_experiment *experiment;
    sf_trajectory *written, *read;
    char *long_text;
    size_t size;
    FILE *stream = open_memstream(&long_text, &size);
    assert_non_null(stream);
    fputs("network: {depth: 2, init: 0.1}\noptimizer: {method: gd}\n"
          "dynamics: {mode: discrete, step: 0.001, steps: 2}\ndata: {example: [1",
          stream);
    for (int j = 1; j < FEATURES; j++)
        fprintf(stream, ", %.17g", 1.0 / j);
    fputs("]}\n", stream);
    fclose(stream);
    assert_ok(context, sf_experiment_parse(context, "test", long_text, 0, NULL, &experiment));
    assert_ok(context, sf_experiment_run(experiment, &written));
    sf_status status = sf_trajectory_write(written, "input-long.h5");
    if (status == SF_ERR_UNAVAILABLE) {
        print_message("skipped: %s\n", sf_context_message(context));
    } else {
        assert_ok(context, status);
        assert_ok(context, sf_trajectory_read(context, "input-long.h5", &read));
        assert_same_experiment(context, sf_trajectory_experiment(read), experiment);
        sf_trajectory_destroy(&read);
        remove("input-long.h5");
    }
    free(long_text);
    sf_trajectory_destroy(&written);
    sf_experiment_destroy(&experiment);
    sf_context_destroy(&context);
}

static void test_no_trajectory(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "",
        "[]",
        "{}",
        "{\"trajectory\": []}",
        "{\"trajectory\": 3}",
        "{\"trajectory\": [1, 2]}",
        "{\"trajectory\": [{\"beta\": []}]}",
        "{\"trajectory\": [{\"beta\": [1, 2]}, {\"beta\": [1]}]}",
        "{\"trajectory\": [{\"beta\": [1, null]}]}",
        "{\"trajectory\": [{\"beta\": [1]}], \"events\": [{\"kind\": \"miracle\"}]}",
        "{\"trajectory\": [{\"beta\": [1]}], \"events\": [[]]}",
        "{\"trajectory\": [{\"beta\": [1",
    };
    sf_context *context = test_context();
    sf_trajectory *trajectory;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        for (int h5 = 0; h5 < 2; h5++) {
            const char *path = h5 ? "input-none.h5" : "input-none.json";
            FILE *file = fopen(path, "w");
            assert_non_null(file);
            fputs(documents[i], file);
            fclose(file);
            sf_status status = sf_trajectory_read(context, path, &trajectory);
            assert_true(status == SF_ERR_DATA || (h5 && status == SF_ERR_UNAVAILABLE));
            assert_null(trajectory);
            assert_non_null(strstr(sf_context_message(context), path));
            remove(path);
        }
    assert_status(context, sf_trajectory_read(context, "trajectory.csv", &trajectory), SF_ERR_USAGE);
    assert_status(context, sf_trajectory_read(context, "does-not-exist.json", &trajectory), SF_ERR_DATA);
    sf_context_destroy(&context);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    FILE *file = fopen("input-memory.json", "w");
    assert_non_null(file);
    fputs("{\"experiment\": {\"a\": [{}]}, \"trajectory\": [{\"step\": 0, \"beta\": [1, 2]}, {\"step\": 1, "
          "\"beta\": [2, 3], "
          "\"log_abs_beta\": [0.7, 1.1]}],"
          " \"events\": [{\"kind\": \"dominance\", \"from\": 0, \"to\": 1, \"step\": 1}]}",
          file);
    fclose(file);
    bool failed = true;
    for (long n = 0; failed; n++) {
        test_memory memory = {.fail_at = n};
        sf_context *context = test_context_failing(&memory);
        sf_trajectory *trajectory;
        sf_status status = sf_trajectory_read(context, "input-memory.json", &trajectory);
        failed = memory.calls > n;
        if (status == SF_OK) // the parser can do without giving memory back early
            assert_string_equal(sf_trajectory_experiment(trajectory), "{\"a\": [{}]}");
        else
            assert_true(failed && status == SF_ERR_MEMORY);
        sf_trajectory_destroy(&trajectory);
        assert_int_equal(memory.live, 0);
        sf_context_destroy(&context);
    }
    remove("input-memory.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_long_experiment),
        cmocka_unit_test(test_no_trajectory), cmocka_unit_test(test_out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
