/* The cache: data files are read once for the same settings, again when they change, and everything goes back. */
#include <unistd.h>

#include <samflow/experiment.h>

#include "support.h"

static const char data_file[] = "cache-test.csv";

static void write_data(int examples)
{
    FILE *stream = fopen(data_file, "w");
    assert_non_null(stream);
    fputs("label,a,b\n", stream);
    for (int i = 0; i < examples; i++)
        fprintf(stream, "%d,%d,%g\n", i % 2 ? 1 : -1, i + 1, 0.5 * i - 1.0);
    assert_int_equal(fclose(stream), 0);
}

static sf_status parse(sf_context *context, const char *setting, sf_data_cache *cache, sf_experiment **out)
{
    sf_settings *settings;
    *out = NULL;
    sf_status status =
        sf_settings_parse(context, SF_SETTINGS_RUN, "test", "data: {file: cache-test.csv, label: label}",
                          setting ? 1 : 0, &setting, &settings);
    if (status == SF_OK)
        status = sf_experiment_create(context, settings, cache, out);
    sf_settings_destroy(&settings);
    return status;
}

static void test_sharing(void **state)
{
    (void)state;
    sf_context *context = test_context(), *other = test_context();
    sf_data_cache *cache = NULL;
    sf_experiment *first, *second, *scaled, *own, *late;
    write_data(6);
    assert_ok(context, sf_data_cache_create(context, &cache));
    assert_ok(other, parse(other, NULL, cache, &first));
    assert_ok(context, parse(context, "network.init=0.3", cache, &second));
    assert_ok(context, parse(context, "data.scale=2", cache, &scaled));
    assert_ok(context, parse(context, NULL, NULL, &own));
    assert_ptr_equal(sf_experiment_dataset(first), sf_experiment_dataset(second));
    assert_int_equal(sf_experiment_data_number(first), sf_experiment_data_number(second));
    assert_int_not_equal(sf_experiment_data_number(first), sf_experiment_data_number(scaled));
    assert_int_equal(sf_experiment_data_number(own), 0);
    double a[2], b[2];
    for (size_t i = 0; i < 6; i++) {
        sf_dataset_example(sf_experiment_dataset(first), i, a);
        sf_dataset_example(sf_experiment_dataset(own), i, b);
        assert_memory_equal(a, b, sizeof a);
        sf_dataset_example(sf_experiment_dataset(scaled), i, b);
        assert_true(b[0] == 2.0 * a[0] && b[1] == 2.0 * a[1]);
    }
    /* The context that read the data may go; the data stay. */
    sf_experiment_destroy(&first);
    sf_context_destroy(&other);
    sf_dataset_example(sf_experiment_dataset(second), 5, a);
    assert_true(a[0] == 6.0 && a[1] == 1.5);
    write_data(8);
    assert_ok(context, parse(context, NULL, cache, &late));
    assert_int_equal(sf_dataset_examples(sf_experiment_dataset(late)), 8);
    assert_int_equal(sf_dataset_examples(sf_experiment_dataset(second)), 6);
    sf_experiment_destroy(&late);
    sf_experiment_destroy(&own);
    sf_experiment_destroy(&scaled);
    sf_experiment_destroy(&second);
    sf_data_cache_destroy(&cache);
    sf_context_destroy(&context);
    unlink(data_file);
}

/* More settings than places: those in use stay, the others make room. */
static void test_places(void **state)
{
    (void)state;
    enum { MANY = 12 };
    sf_context *context = test_context();
    sf_data_cache *cache = NULL;
    sf_experiment *held[MANY], *passing;
    write_data(4);
    assert_ok(context, sf_data_cache_create(context, &cache));
    for (int round = 0; round < 2; round++) {
        char setting[64];
        for (int i = 0; i < MANY; i++) {
            snprintf(setting, sizeof setting, "data.scale=%d", 2 + i + 100 * round);
            assert_ok(context, parse(context, setting, cache, &passing));
            sf_experiment_destroy(&passing);
        }
        int shared = 0;
        for (int i = 0; i < MANY; i++) {
            snprintf(setting, sizeof setting, "data.scale=%d", 20 + i + 100 * round);
            assert_ok(context, parse(context, setting, cache, &held[i]));
            shared += sf_experiment_data_number(held[i]) > 0;
        }
        assert_int_equal(shared, 8);
        for (int i = 0; i < MANY; i++) {
            double x[2];
            sf_dataset_example(sf_experiment_dataset(held[i]), 1, x);
            assert_true(x[0] == 2.0 * (20 + i + 100 * round));
            sf_experiment_destroy(&held[i]);
        }
    }
    sf_data_cache_destroy(&cache);
    sf_context_destroy(&context);
    unlink(data_file);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    write_data(4);
    sf_status status = SF_ERR_MEMORY;
    for (long fail_at = 0; status != SF_OK; fail_at++) {
        test_memory memory = {.fail_at = fail_at};
        sf_context *failing = test_context_failing(&memory);
        sf_data_cache *cache = NULL;
        sf_experiment *one = NULL, *two = NULL;
        status = sf_data_cache_create(failing, &cache);
        if (status == SF_OK)
            status = parse(failing, NULL, cache, &one);
        if (status == SF_OK)
            status = parse(failing, NULL, cache, &two);
        assert_true(status == SF_OK || status == SF_ERR_MEMORY);
        sf_experiment_destroy(&one);
        sf_experiment_destroy(&two);
        sf_data_cache_destroy(&cache);
        assert_int_equal(memory.live, 0);
        sf_context_destroy(&failing);
        assert_true(fail_at < 2000);
    }
    unlink(data_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sharing), cmocka_unit_test(test_places),
                                       cmocka_unit_test(test_allocation_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
