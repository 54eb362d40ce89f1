/* The real data sets, where they are beside the repository: known counts, and entries read here by other means. Exit
 * status 77, skipped, where one is missing and nothing failed. */
#include "files.h"

#include <zlib.h>

#include <samflow/images.h>

static bool missing;

static bool there(char folder[PATH_BYTES], const char *file)
{
    char path[2 * PATH_BYTES];
    if (real_data(folder)) {
        snprintf(path, sizeof path, "%s/%s", folder, file);
        FILE *stream = fopen(path, "rb");
        if (stream) {
            fclose(stream);
            return true;
        }
    }
    print_message("skipped: %s is neither in $SAMFLOW_DATA nor in ../shared/data\n", file);
    missing = true;
    return false;
}

static void test_golub(void **state)
{
    (void)state;
    char folder[PATH_BYTES], path[2 * PATH_BYTES];
    if (!there(folder, "golub/golub.csv.gz"))
        skip();
    snprintf(path, sizeof path, "%s/golub/golub.csv.gz", folder);
    sf_context *context = test_context();
    for (int i = 0; i < 2; i++) {
        const sf_data_file spec = {.path = path, .transpose = true, .label = i ? "0" : "labs"};
        sf_dataset *dataset;
        sf_dataset_info info;
        assert_ok(context, sf_dataset_read(context, &spec, &dataset));
        assert_ok(context, sf_dataset_describe(dataset, &info));
        assert_int_equal(info.examples, 72);
        assert_int_equal(info.features, 7129);
        assert_int_equal(info.count[0], 25); // AML, label 0
        assert_int_equal(info.count[1], 47); // ALL, label 1
        assert_true(info.raw_label[0] == 0.0 && info.raw_label[1] == 1.0);
        double *z = malloc(7129 * sizeof *z);
        sf_dataset_example(dataset, 0, z); // the first patient is ALL
        assert_true(z[0] == -214.0 && z[7127] == 191.0 && z[7128] == -37.0);
        sf_dataset_example(dataset, 27, z); // the first AML
        assert_int_equal(sf_dataset_labels(dataset)[27], -1);
        assert_true(z[0] == 20.0 && z[7127] == -335.0 && z[7128] == 65.0);
        free(z);
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

static void test_mnist(void **state)
{
    (void)state;
    char folder[PATH_BYTES], images[2 * PATH_BYTES], labels[2 * PATH_BYTES];
    if (!there(folder, "mnist/t10k-images-idx3-ubyte.gz"))
        skip();
    snprintf(images, sizeof images, "%s/mnist/t10k-images-idx3-ubyte.gz", folder);
    snprintf(labels, sizeof labels, "%s/mnist/t10k-labels-idx1-ubyte.gz", folder);
    sf_context *context = test_context();
    const sf_data_file spec = {
        .path = images, .labels_path = labels, .has_classes = true, .classes = {0.0, 1.0}};
    sf_dataset *dataset;
    sf_dataset_info info;
    assert_ok(context, sf_dataset_read(context, &spec, &dataset));
    assert_ok(context, sf_dataset_describe(dataset, &info));
    assert_int_equal(info.examples, 2115);
    assert_int_equal(info.features, 784);
    assert_int_equal(info.constant, 784 - 506); // live pixels
    assert_int_equal(info.count[0], 980);
    assert_int_equal(info.count[1], 1135);
    assert_true(info.minimum == 0.0 && info.maximum == 255.0);
    // every pixel against the bytes of the file
    gzFile pixels = gzopen(images, "rb"), digits = gzopen(labels, "rb");
    assert_non_null(pixels);
    assert_non_null(digits);
    unsigned char row[784], digit[8];
    double z[784];
    assert_int_equal(gzread(pixels, row, 16), 16);
    assert_int_equal(gzread(digits, digit, 8), 8);
    for (size_t i = 0, kept = 0; i < 10000; i++) {
        assert_int_equal(gzread(pixels, row, 784), 784);
        assert_int_equal(gzread(digits, digit, 1), 1);
        if (digit[0] > 1)
            continue;
        sf_dataset_example(dataset, kept, z);
        assert_int_equal(sf_dataset_labels(dataset)[kept++], digit[0] ? 1 : -1);
        for (int j = 0; j < 784; j++)
            assert_true(z[j] == (digit[0] ? row[j] : -row[j]));
    }
    gzclose(pixels);
    gzclose(digits);
    sf_dataset_destroy(&dataset);
    const sf_data_file ten = {.path = images, .labels_path = labels};
    assert_status(context, sf_dataset_read(context, &ten, &dataset), SF_ERR_DATA);
    assert_non_null(strstr(sf_context_message(context), "third"));
    sf_context_destroy(&context);
}

/* All of MNIST's test images against the bytes of the files. */
static void test_mnist_images(void **state)
{
    (void)state;
    char folder[PATH_BYTES], images_path[2 * PATH_BYTES], labels_path[2 * PATH_BYTES];
    if (!there(folder, "mnist/t10k-images-idx3-ubyte.gz") ||
        !there(folder, "mnist/t10k-labels-idx1-ubyte.gz"))
        skip();
    snprintf(images_path, sizeof images_path, "%s/mnist/t10k-images-idx3-ubyte.gz", folder);
    snprintf(labels_path, sizeof labels_path, "%s/mnist/t10k-labels-idx1-ubyte.gz", folder);
    gzFile p = gzopen(images_path, "rb"), l = gzopen(labels_path, "rb");
    assert_non_null(p);
    assert_non_null(l);
    const sf_image_file spec = {
        .path = images_path, .labels_path = labels_path, .scale = 1.0 / 255.0, .weak = 0.1, .strong = 0.5};
    sf_context *context = test_context();
    sf_images *images;
    assert_ok(context, sf_images_read(context, &spec, &images));
    assert_int_equal(sf_images_count(images), 10000);
    assert_int_equal(sf_images_classes(images), 10);
    unsigned char row[784], digit[8];
    assert_int_equal(gzread(p, row, 16), 16);
    assert_int_equal(gzread(l, digit, 8), 8);
    for (size_t n = 0; n < 10000; n++) {
        assert_int_equal(gzread(p, row, 784), 784);
        assert_int_equal(gzread(l, digit, 1), 1);
        assert_int_equal(sf_images_labels(images)[n], digit[0]);
        for (size_t j = 0; j < 784; j++) {
            assert_absolute(sf_images_pixels(images)[n * 784 + j], row[j] / 255.0, 1e-7);
            assert_int_equal(sf_images_regions(images)[n * 784 + j], (row[j] > 25) + (row[j] > 127));
        }
    }
    gzclose(p);
    gzclose(l);
    sf_images_destroy(&images);
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golub), cmocka_unit_test(test_mnist),
                                       cmocka_unit_test(test_mnist_images)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed == 0 && missing ? 77 : failed;
}
