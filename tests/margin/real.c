/* Golub leukaemia (72 x 7129) and MNIST digits (about 2000 x 784), where they are at hand: $SAMFLOW_DATA, else the folder
 * shared/data beside the sources. Exit status 77, skipped, where one is missing and nothing failed. */
#include "common.h"

static sf_status read_data(sf_context *context, const char *name, sf_data_file spec, sf_dataset **out)
{
    static char path[4096], labels[4096];
    const char *folder = getenv("SAMFLOW_DATA");
    const char *root = folder ? folder : SHARED_DATA;
    snprintf(path, sizeof path, "%s/%s", root, name);
    spec.path = path;
    if (spec.labels_path) {
        snprintf(labels, sizeof labels, "%s/%s", root, spec.labels_path);
        spec.labels_path = labels;
    }
    FILE *stream = fopen(path, "rb");
    if (!stream) {
        *out = NULL;
        return SF_OK;
    }
    fclose(stream);
    return sf_dataset_read(context, &spec, out);
}

static bool missing;

static void skip_without(sf_context *context, const sf_dataset *dataset, const char *name)
{
    if (dataset)
        return;
    print_message("skipped: %s is not at hand; set SAMFLOW_DATA\n", name);
    sf_context_destroy(&context);
    missing = true;
    skip();
}

static double verified(sf_context *context, const sf_dataset *dataset, sf_norm norm, bool nonnegative)
{
    sf_margin *margin = solved(context, dataset, (sf_margin_options){norm, nonnegative}, 1e-12);
    assert_true(sf_margin_separable(margin));
    double value = sf_margin_value(margin);
    sf_margin_destroy(&margin);
    return value;
}

static void test_golub(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_dataset *dataset;
    sf_data_file spec = {.label = "labs", .transpose = true};
    assert_ok(context, read_data(context, "golub/golub.csv.gz", spec, &dataset));
    skip_without(context, dataset, "golub/golub.csv.gz");
    assert_int_equal(sf_dataset_features(dataset), 7129);
    // the verifier proves optimality; the values are only the witnesses of the format read
    verified(context, dataset, SF_NORM_L1, false);
    verified(context, dataset, SF_NORM_L2, false);
    assert_ok(context, sf_dataset_standardize(dataset));
    verified(context, dataset, SF_NORM_L1, false);
    verified(context, dataset, SF_NORM_L2, false);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* l1 margins found by another solver (HiGHS, data set's note: good to about 1e-11). */
static void run_digits(double first, double second, double margin)
{
    sf_context *context = test_context();
    sf_dataset *dataset;
    sf_data_file spec = {
        .labels_path = "mnist/t10k-labels-idx1-ubyte.gz", .has_classes = true, .classes = {first, second}};
    assert_ok(context, read_data(context, "mnist/t10k-images-idx3-ubyte.gz", spec, &dataset));
    skip_without(context, dataset, "mnist/t10k-images-idx3-ubyte.gz");
    assert_ok(context, sf_dataset_scale(dataset, 1.0 / 255.0));
    assert_relative(verified(context, dataset, SF_NORM_L1, false), margin, 1e-9);
    verified(context, dataset, SF_NORM_L2, false);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

static void test_zero_against_one(void **state)
{
    (void)state;
    run_digits(0.0, 1.0, 0.1192425312707698);
}

static void test_four_against_nine(void **state)
{
    (void)state;
    run_digits(4.0, 9.0, 0.00704991552);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golub), cmocka_unit_test(test_zero_against_one),
                                       cmocka_unit_test(test_four_against_nine)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed == 0 && missing ? 77 : failed;
}
