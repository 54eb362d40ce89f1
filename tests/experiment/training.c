/* Training runs: what is read, run and called back, and memory that runs out anywhere. */
#include "support.h"

static const char text[] =
    "data: {patches: {strong: 1, per_class: 20, height: 8, width: 8, patch: 2}, split: {test: 0.25}}\n"
    "network: {channels: [3], kernel: 3, hidden: []}\n"
    "optimizer: {method: l2-sam, rho: 0.05, momentum: 0.5}\n"
    "training: {epochs: 2, batch: 7}\n";

typedef struct calls {
    size_t count, stop_at;
} calls;

static sf_status at_record(sf_training_run *run, const sf_training_record *record, void *user)
{
    calls *seen = user;
    size_t count;
    assert_true(sf_training_run_records(run, &count)[count - 1].step == record->step);
    assert_int_equal(count, seen->count + 1);
    return ++seen->count == seen->stop_at ? SF_ERR_CLAIM : SF_OK;
}

static void read_and_run(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_training_run *run;
    assert_ok(context, sf_training_run_parse(context, "text", text, 0, NULL, &run));
    assert_int_equal(sf_images_count(sf_training_run_images(run)), 30);
    assert_int_equal(sf_images_count(sf_training_run_test_images(run)), 10);
    const sf_nn_spec *spec = sf_nn_description(sf_training_run_network(run));
    assert_int_equal(spec->model, SF_MODEL_CNN);
    assert_int_equal(spec->convolutions, 1);
    assert_int_equal(spec->channels[0], 3);
    assert_int_equal(spec->hidden_layers, 0);
    assert_true(spec->bias);
    sf_training training = sf_training_run_spec(run);
    assert_int_equal(training.perturbation.method, SF_METHOD_L2);
    assert_true(training.perturbation.rho == 0.05 && training.momentum == 0.5 && training.rate == 0.1);
    assert_int_equal(sf_training_run_steps(run), 2 * 5); // 30 images in batches of 7
    assert_status(context, sf_training_run_write(run, "out.json"), SF_ERR_ARGUMENT);
    calls seen = {0, 0};
    sf_training_run_options options = {.at_record = at_record, .user = &seen};
    assert_ok(context, sf_training_run_execute(run, &options));
    assert_int_equal(seen.count, 3); // start and two epochs
    assert_int_equal(sf_training_run_status(run), SF_RUN_COMPLETED);
    size_t count;
    const sf_training_record *records = sf_training_run_records(run, &count);
    assert_int_equal(count, 3);
    assert_true(isnan(records[0].applied_norm));
    assert_relative(records[2].applied_norm, 0.05, 1e-12);
    assert_true(records[2].epoch == 2.0 && records[2].gradients == 2.0 * 60.0);
    double loss, accuracy;
    assert_ok(context,
              sf_nn_evaluate(sf_training_run_network(run), sf_training_run_images(run), &loss, &accuracy));
    assert_true(records[2].loss == loss && records[2].accuracy == accuracy);
    assert_status(context, sf_training_run_execute(run, NULL), SF_ERR_ARGUMENT);
    sf_training_run_destroy(&run);
    sf_context_destroy(&context);
}

static void callback_ends_the_run(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_training_run *run;
    calls seen = {0, 2};
    sf_training_run_options options = {.at_record = at_record, .user = &seen};
    assert_ok(context, sf_training_run_parse(context, "text", text, 0, NULL, &run));
    assert_status(context, sf_training_run_execute(run, &options), SF_ERR_CLAIM);
    assert_int_equal(seen.count, 2);
    sf_training_run_destroy(&run);
    sf_context_destroy(&context);
}

static sf_status everything(sf_context *context)
{
    sf_training_run *run = NULL;
    const char *overrides[] = {"training.epochs=", "training.steps=3"};
    sf_status status = sf_training_run_parse(context, "text", text, 2, overrides, &run);
    if (status == SF_OK)
        status = sf_training_run_execute(run, NULL);
    else
        assert_null(run);
    FILE *sink = fopen("/dev/null", "w");
    if (status == SF_OK && sink)
        status = sf_training_run_write_json(run, sink);
    if (sink)
        fclose(sink);
    sf_training_run_destroy(&run);
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
