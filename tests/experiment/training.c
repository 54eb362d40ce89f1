/* Courses of training: what is read, run and called back, and memory that runs out anywhere. */
#include "support.h"

static const char text[] =
    "data: {patches: {strong: 1, per_class: 20, height: 8, width: 8, patch: 2}, split: {test: 0.25}}\n"
    "network: {channels: [3], kernel: 3, hidden: []}\n"
    "optimizer: {method: l2-sam, rho: 0.05, momentum: 0.5}\n"
    "training: {epochs: 2, batch: 7}\n";

typedef struct calls {
    size_t count, stop_at;
} calls;

static sf_status at_record(sf_course *course, const sf_training_record *record, void *user)
{
    calls *seen = user;
    size_t count;
    assert_true(sf_course_records(course, &count)[count - 1].step == record->step);
    assert_int_equal(count, seen->count + 1);
    return ++seen->count == seen->stop_at ? SF_ERR_CLAIM : SF_OK;
}

static void read_and_run(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_course *course;
    assert_ok(context, sf_course_parse(context, "text", text, 0, NULL, &course));
    assert_int_equal(sf_images_count(sf_course_images(course)), 30);
    assert_int_equal(sf_images_count(sf_course_test_images(course)), 10);
    const sf_nn_spec *spec = sf_nn_description(sf_course_network(course));
    assert_int_equal(spec->model, SF_MODEL_CNN);
    assert_int_equal(spec->convolutions, 1);
    assert_int_equal(spec->channels[0], 3);
    assert_int_equal(spec->hidden_layers, 0);
    assert_true(spec->bias);
    sf_training training = sf_course_training(course);
    assert_int_equal(training.perturbation.method, SF_METHOD_L2);
    assert_true(training.perturbation.rho == 0.05 && training.momentum == 0.5 && training.rate == 0.1);
    assert_int_equal(sf_course_steps(course), 2 * 5); // 30 images in batches of 7
    assert_status(context, sf_course_write(course, "out.json"), SF_ERR_ARGUMENT);
    calls seen = {0, 0};
    sf_course_options options = {.at_record = at_record, .user = &seen};
    assert_ok(context, sf_course_run(course, &options));
    assert_int_equal(seen.count, 3); // start and two epochs
    assert_int_equal(sf_course_status(course), SF_RUN_COMPLETED);
    size_t count;
    const sf_training_record *records = sf_course_records(course, &count);
    assert_int_equal(count, 3);
    assert_true(isnan(records[0].applied_norm));
    assert_relative(records[2].applied_norm, 0.05, 1e-12);
    assert_true(records[2].epoch == 2.0 && records[2].gradients == 2.0 * 60.0);
    double loss, accuracy;
    assert_ok(context, sf_nn_evaluate(sf_course_network(course), sf_course_images(course), &loss, &accuracy));
    assert_true(records[2].loss == loss && records[2].accuracy == accuracy);
    assert_status(context, sf_course_run(course, NULL), SF_ERR_ARGUMENT);
    sf_course_destroy(&course);
    sf_context_destroy(&context);
}

static void callback_ends_the_run(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_course *course;
    calls seen = {0, 2};
    sf_course_options options = {.at_record = at_record, .user = &seen};
    assert_ok(context, sf_course_parse(context, "text", text, 0, NULL, &course));
    assert_status(context, sf_course_run(course, &options), SF_ERR_CLAIM);
    assert_int_equal(seen.count, 2);
    sf_course_destroy(&course);
    sf_context_destroy(&context);
}

static sf_status everything(sf_context *context)
{
    sf_course *course = NULL;
    const char *overrides[] = {"training.epochs=", "training.steps=3"};
    sf_status status = sf_course_parse(context, "text", text, 2, overrides, &course);
    if (status == SF_OK)
        status = sf_course_run(course, NULL);
    else
        assert_null(course);
    FILE *sink = fopen("/dev/null", "w");
    if (status == SF_OK && sink)
        status = sf_course_write_json(course, sink);
    if (sink)
        fclose(sink);
    sf_course_destroy(&course);
    return status;
}

static void memory_runs_out(void **state)
{
    (void)state;
    sf_status status = SF_ERR_MEMORY;
    for (long n = 0; status != SF_OK; n++) {
        test_memory memory = {.fail_at = n};
        sf_context *context = test_context_failing(&memory);
        status = everything(context);
        assert_true(status == SF_OK || status == SF_ERR_MEMORY);
        assert_int_equal(memory.live, 0);
        sf_context_destroy(&context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_and_run),
        cmocka_unit_test(callback_ends_the_run),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
