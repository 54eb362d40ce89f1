/* Settings as a typed object: set and asked by calls, they are what a file gives; what is wrong is refused with key, found
 * and expected; printed and read back they are the same; the hash tells what differs, and nothing else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <samflow/experiment.h>
#include <samflow/settings.h>

#include "support.h"

static const char yaml[] = "data: {points: [[1, 2], [-1, -1.5]], labels: [1, -1]}\n"
                           "network: {depth: 3, init: {layers: [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]}}\n"
                           "optimizer: {method: lp-sam, p: 1.5, rho: 0.25}\n"
                           "loss: exponential\n"
                           "dynamics: {mode: discrete, step: 0.1, steps: 50}\n"
                           "record: {samples: 7, at: {step: [3, 9]}}\n";

static void set_all(sf_context *context, sf_settings *s)
{
    static const double points[] = {1, 2, -1, -1.5}, labels[] = {1, -1}, at[] = {3, 9},
                        layers[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6};
    assert_ok(context, sf_settings_set_numbers(s, "data.points", 2, 2, points));
    assert_ok(context, sf_settings_set_numbers(s, "data.labels", 1, 2, labels));
    assert_ok(context, sf_settings_set_integer(s, "network.depth", 3));
    assert_ok(context, sf_settings_set_numbers(s, "network.init.layers", 3, 2, layers));
    assert_ok(context, sf_settings_set_text(s, "optimizer.method", "lp-sam"));
    assert_ok(context, sf_settings_set_number(s, "optimizer.p", 1.5));
    assert_ok(context, sf_settings_set_number(s, "optimizer.rho", 0.25));
    assert_ok(context, sf_settings_set_text(s, "loss", "exponential"));
    assert_ok(context, sf_settings_set_text(s, "dynamics.mode", "discrete"));
    assert_ok(context, sf_settings_set_number(s, "dynamics.step", 0.1));
    assert_ok(context, sf_settings_set_number(s, "dynamics.steps", 50));
    assert_ok(context, sf_settings_set_number(s, "record.samples", 7));
    assert_ok(context, sf_settings_set_numbers(s, "record.at.step", 1, 2, at));
}

static char *print(const sf_settings *settings)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    sf_json json = sf_json_make(stream, false);
    sf_settings_write(settings, &json, NULL);
    assert_true(sf_json_finish(&json));
    assert_int_equal(fclose(stream), 0);
    return text;
}

static sf_status count_path(const char *path, void *user)
{
    char *list = user;
    strcat(list, path);
    strcat(list, " ");
    return SF_OK;
}

static void test_as_a_file(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_settings *read, *set, *again;
    unsigned char hash[3][16];
    char paths[256] = "";
    assert_ok(context, sf_settings_parse(context, SF_SETTINGS_RUN, "f.yaml", yaml, 0, NULL, &read));
    assert_ok(context, sf_settings_create(context, SF_SETTINGS_RUN, NULL, &set));
    set_all(context, set);
    assert_ok(context, sf_settings_resolve(set));
    char *text = print(read), *other = print(set);
    assert_string_equal(text, other);
    assert_ok(context, sf_settings_parse(context, SF_SETTINGS_RUN, "g.yaml", text, 0, NULL, &again));
    assert_ok(context, sf_settings_hash(read, hash[0]));
    assert_ok(context, sf_settings_hash(set, hash[1]));
    assert_ok(context, sf_settings_hash(again, hash[2]));
    assert_memory_equal(hash[0], hash[1], 16);
    assert_memory_equal(hash[0], hash[2], 16);
    assert_ok(context, sf_settings_diff(read, set, count_path, paths));
    assert_string_equal(paths, "");
    assert_ok(context, sf_settings_set_number(again, "network.init.layers[1][0]", 0.35));
    assert_ok(context, sf_settings_set_number(again, "optimizer.rho", -0.0));
    assert_ok(context, sf_settings_unset(again, "record.at"));
    assert_ok(context, sf_settings_resolve(again));
    assert_ok(context, sf_settings_diff(read, again, count_path, paths));
    assert_string_equal(paths,
                        "network.init.layers[1][0] optimizer.rho record.at.step[0] record.at.step[1] ");
    assert_ok(context, sf_settings_hash(again, hash[1]));
    assert_memory_not_equal(hash[0], hash[1], 16);
    assert_ok(context, sf_settings_set_number(again, "optimizer.rho", 0.0));
    assert_ok(context, sf_settings_hash(again, hash[2]));
    assert_memory_equal(hash[1], hash[2], 16); // 0 and -0 are one setting
    /* Both make the same run. */
    sf_experiment *a, *b;
    assert_ok(context, sf_experiment_create(context, set, NULL, &a));
    assert_ok(context, sf_experiment_parse(context, "f.yaml", yaml, 0, NULL, &b));
    sf_trajectory *x, *y;
    assert_ok(context, sf_experiment_run(a, &x));
    assert_ok(context, sf_experiment_run(b, &y));
    assert_int_equal(sf_trajectory_records(x), sf_trajectory_records(y));
    assert_memory_equal(sf_trajectory_final_layers(x), sf_trajectory_final_layers(y), 6 * sizeof(double));
    sf_trajectory_destroy(&x);
    sf_trajectory_destroy(&y);
    sf_experiment_destroy(&a);
    sf_experiment_destroy(&b);
    free(text);
    free(other);
    sf_settings_destroy(&read);
    sf_settings_destroy(&set);
    sf_settings_destroy(&again);
    sf_context_destroy(&context);
}

static void test_refusals(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_settings *s;
    sf_setting_value value;
    const double bad[] = {1, NAN}, sizes[] = {4, 0.5};
    assert_ok(context, sf_settings_create(context, SF_SETTINGS_RUN, NULL, &s));
#define REFUSED(call, part)                                                                                  \
    do {                                                                                                     \
        assert_status(context, call, SF_ERR_CONFIG);                                                         \
        if (!strstr(sf_context_message(context), part))                                                      \
            fail_msg("said '%s', expected '%s'", sf_context_message(context), part);                         \
    } while (0)
    REFUSED(sf_settings_set_number(s, "optimizer.rh", 1), "did you mean 'optimizer.rho'");
    REFUSED(sf_settings_set_number(s, "optimizer", 1), "optimizer: a group of settings");
    REFUSED(sf_settings_set_number(s, "optimizer.rho", -1),
            "optimizer.rho: found -1, expected a finite number >= 0");
    REFUSED(sf_settings_set_number(s, "optimizer.rho", NAN), "expected a finite number >= 0");
    REFUSED(sf_settings_set_number(s, "network.depth", 1.5),
            "network.depth: found 1.5, expected a whole number");
    REFUSED(sf_settings_set_number(s, "data.gaussian.seed", 1e17), "expected a whole number");
    REFUSED(sf_settings_set_number(s, "data.mirror", 1), "true or false");
    REFUSED(sf_settings_set_flag(s, "optimizer.rho", true), "another type");
    REFUSED(sf_settings_set_text(s, "optimizer.method", "sgd"), "one of gd|l2-sam");
    REFUSED(sf_settings_set_text(s, "optimizer.rho", "1"), "another type");
    REFUSED(sf_settings_set_numbers(s, "data.example", 1, 2, bad), "position 1");
    REFUSED(sf_settings_set_numbers(s, "network.hidden", 1, 2, sizes), "position 1");
    REFUSED(sf_settings_set_number(s, "data.example[0]", 1), "has no list data.example");
    REFUSED(sf_settings_resolve(s), "data: missing, expected exactly one source");
    assert_false(sf_settings_get(s, "optimizer.rho", &value)); // nothing of this is left
    /* A value takes away what excludes it. */
    const double example[] = {1, 2};
    assert_ok(context, sf_settings_set_numbers(s, "data.example", 1, 2, example));
    assert_ok(context, sf_settings_set_number(s, "network.init.random.scale", 0.5));
    assert_ok(context, sf_settings_set_number(s, "network.init", 0.5));
    assert_ok(context, sf_settings_resolve(s));
    assert_false(sf_settings_get(s, "network.init.random.scale", &value));
    assert_true(sf_settings_get(s, "network.init", &value) && value.given && value.number == 0.5);
    assert_true(sf_settings_get(s, "optimizer.rho", &value) && !value.given && value.number == 1.0);
    assert_true(sf_settings_get(s, "data.example[1]", &value) && value.number == 2.0);
    REFUSED(sf_settings_set_number(s, "data.example[2]", 1), "no such item in the list data.example");
    /* Another mode has other defaults. */
    assert_ok(context, sf_settings_set_text(s, "dynamics.mode", "discrete"));
    assert_ok(context, sf_settings_resolve(s));
    assert_false(sf_settings_get(s, "dynamics.until.log_time", &value));
    assert_true(sf_settings_get(s, "dynamics.steps", &value) && value.integer == 20000);
    assert_ok(context, sf_settings_set_integer(s, "network.init.random.seed", INT64_MAX));
    assert_true(sf_settings_get(s, "network.init.random.seed", &value) && value.integer == INT64_MAX);
    REFUSED(sf_settings_set_integer(s, "network.init.random.seed", UINT64_MAX), "below 2^63");
    sf_settings_destroy(&s);
    sf_context_destroy(&context);
}

/* A copy stands by itself, and so do its places; the n-th allocation fails, for every n. */
static void test_copies(void **state)
{
    (void)state;
    bool done = false;
    for (long n = 0; !done; n++) {
        test_memory memory = {.fail_at = n};
        sf_context *context = test_context_failing(&memory);
        const char *override[] = {"optimizer.rho=0.5"};
        sf_settings *s = NULL, *copy = NULL;
        sf_status status = sf_settings_parse(context, SF_SETTINGS_RUN, "f.yaml", yaml, 1, override, &s);
        if (status == SF_OK)
            status = sf_settings_copy(context, s, &copy);
        sf_settings_destroy(&s);
        if (status == SF_OK) {
            status = sf_settings_set_number(copy, "dynamics.steps", 5); // record.at.step: 9 is beyond
            if (status == SF_OK)
                status = sf_settings_resolve(copy);
            if (status == SF_ERR_CONFIG) {
                assert_non_null(strstr(sf_context_message(context), "f.yaml:6:"));
                status = SF_OK;
                done = memory.calls <= n;
            }
        }
        assert_true(status == SF_OK || status == SF_ERR_MEMORY);
        sf_settings_destroy(&copy);
        assert_int_equal(memory.live, 0);
        sf_context_destroy(&context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_a_file), cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_copies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
