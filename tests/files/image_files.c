/* Images from IDX files: known bytes, regions by threshold, classes, bad input with its place, and MNIST where it is. */
#include "files.h"

#include <zlib.h>

/* Four images of 2 x 3 bytes, with labels 7, 3, 5, 7. */
static const unsigned char pixels[] = {0,   0,   8,   3,   0,   0,   0,   4,   0, 0, 0, 2, 0, 0,
                                       0,   3,   0,   50,  51,  100, 101, 255, 1, 2, 3, 4, 5, 6,
                                       200, 200, 200, 200, 200, 200, 9,   8,   7, 6, 5, 4},
                           labels[] = {0, 0, 8, 1, 0, 0, 0, 4, 7, 3, 5, 7};

typedef struct pair {
    char pixels[PATH_BYTES], labels[PATH_BYTES];
} pair;

static pair write_pair(const char *folder, const void *pixel_bytes, size_t pixel_count,
                       const void *label_bytes, size_t label_count, bool gz)
{
    pair p;
    write_file(folder, "pixels.idx", pixel_bytes, pixel_count, gz, p.pixels);
    write_file(folder, "labels.idx", label_bytes, label_count, gz, p.labels);
    return p;
}

static sf_image_file file_of(const pair *p)
{
    return (sf_image_file){
        .path = p->pixels, .labels_path = p->labels, .scale = 0.5, .weak = 25.5, .strong = 50.5};
}

static void test_known_bytes(void **state)
{
    static const int class_of[4] = {2, 0, 1, 2};
    static const uint8_t region[6] = {0, 0, 1, 1, 2, 2}; // of the first image, at the thresholds 51 and 101
    sf_context *context = test_context();
    for (int gz = 0; gz < 2; gz++) {
        pair p = write_pair(*state, pixels, sizeof pixels, labels, sizeof labels, gz);
        const sf_image_file spec = file_of(&p);
        sf_images *images;
        assert_ok(context, sf_images_read(context, &spec, &images));
        sf_image_shape shape = sf_images_shape(images);
        assert_true(shape.channels == 1 && shape.height == 2 && shape.width == 3);
        assert_int_equal(sf_images_count(images), 4);
        assert_int_equal(sf_images_classes(images), 3);
        assert_true(sf_images_raw_label(images, 0) == 3.0 && sf_images_raw_label(images, 2) == 7.0);
        for (size_t i = 0; i < 24; i++)
            assert_true(sf_images_pixels(images)[i] == 0.5F * pixels[16 + i]);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(sf_images_labels(images)[i], class_of[i]);
        assert_memory_equal(sf_images_regions(images), region, 6);
        sf_images_destroy(&images);
    }
    sf_context_destroy(&context);
}

/* The classes given, in their order; other examples are left out. */
static void test_classes(void **state)
{
    const double classes[2] = {7.0, 3.0};
    sf_context *context = test_context();
    pair p = write_pair(*state, pixels, sizeof pixels, labels, sizeof labels, false);
    sf_image_file spec = file_of(&p);
    spec.classes = classes;
    spec.class_count = 2;
    sf_images *images;
    assert_ok(context, sf_images_read(context, &spec, &images));
    assert_int_equal(sf_images_count(images), 3);
    assert_int_equal(sf_images_class_count(images, 0), 2);
    const int *label = sf_images_labels(images);
    assert_true(label[0] == 0 && label[1] == 1 && label[2] == 0);
    assert_true(sf_images_pixels(images)[12] == 4.5F); // the fourth of the file is the third here
    sf_images_destroy(&images);
    sf_context_destroy(&context);
}

/* (N, C, H, W) in floats: channels stay apart, the region is that of the largest one. */
static void test_channels(void **state)
{
    static const unsigned char bytes[] = {0,    0,    0x0D, 4, 0,    0,    0, 2, 0, 0, 0,
                                          2,    0,    0,    0, 1,    0,    0, 0, 2, // 2 images of 2 x 1 x 2
                                          0x42, 0x48, 0,    0, 0,    0,    0, 0,    // 50, 0
                                          0xC2, 0x48, 0,    0, 0x42, 0xC8, 0, 0,    // -50, 100
                                          0x42, 0x4C, 0,    0, 0x42, 0xCA, 0, 0,    // 51, 101
                                          0x42, 0xCA, 0,    0, 0x42, 0x48, 0, 0},   // 101, 50
        two[] = {0, 0, 9, 1, 0, 0, 0, 2, 0xFF, 1};
    static const float x[8] = {25.0F, 0.0F, -25.0F, 50.0F, 25.5F, 50.5F, 50.5F, 25.0F};
    static const uint8_t region[4] = {0, 1, 2, 2};
    sf_context *context = test_context();
    pair p = write_pair(*state, bytes, sizeof bytes, two, sizeof two, false);
    const sf_image_file spec = file_of(&p);
    sf_images *images;
    assert_ok(context, sf_images_read(context, &spec, &images));
    sf_image_shape shape = sf_images_shape(images);
    assert_true(shape.channels == 2 && shape.height == 1 && shape.width == 2);
    assert_memory_equal(sf_images_pixels(images), x, sizeof x);
    assert_memory_equal(sf_images_regions(images), region, sizeof region);
    assert_true(sf_images_raw_label(images, 0) == -1.0 && sf_images_raw_label(images, 1) == 1.0);
    sf_images_destroy(&images);
    sf_context_destroy(&context);
}

static void refuse(const char *folder, const void *pixel_bytes, size_t pixel_count, const void *label_bytes,
                   size_t label_count, double scale, const char *says, const char *place)
{
    sf_context *context = test_context();
    pair p = write_pair(folder, pixel_bytes, pixel_count, label_bytes, label_count, false);
    sf_image_file spec = file_of(&p);
    spec.scale = scale;
    sf_images *images = (sf_images *)context; // must be overwritten
    assert_status(context, sf_images_read(context, &spec, &images), SF_ERR_DATA);
    assert_null(images);
    if (!strstr(sf_context_message(context), says) || !strstr(sf_context_message(context), place))
        fail_msg("'%s' lacks '%s' or '%s'", sf_context_message(context), says, place);
    sf_context_destroy(&context);
}

static void test_bad_files(void **state)
{
    const unsigned char flat[] = {0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 1, 3},
                        three[] = {0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3},
                        same[] = {0, 0, 8, 1, 0, 0, 0, 4, 5, 5, 5, 5},
                        square[] = {0, 0, 8, 2, 0, 0, 0, 4, 0, 0, 0, 2, 1, 2, 3, 4, 1, 2, 3, 4},
                        last[20 + 300] = {0, 0, 8, 4, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 0, 3},
                        little[16 + 16] = {0, 0, 8, 3, 4, 0, 0, 0, 2, 0, 0, 0, 2},
                        not_a_number[] = {0, 0, 0x0D, 1, 0,    0,    0, 4, 0, 0, 0, 0,
                                          0, 0, 0,    0, 0x7F, 0xC0, 0, 0, 0, 0, 0, 0},
                        infinite[] = {0, 0, 0x0D, 3, 0, 0, 0, 4, 0,    0,    0, 1, 0, 0, 0, 1,
                                      0, 0, 0,    0, 0, 0, 0, 0, 0x7F, 0x80, 0, 0, 0, 0, 0, 0};
    refuse(*state, last, sizeof last, labels, sizeof labels, 1.0, "channels last", "pixels.idx");
    refuse(*state, little, sizeof little, labels, sizeof labels, 1.0, "little-endian", "pixels.idx");
    refuse(*state, flat, sizeof flat, labels, sizeof labels, 1.0, "2 dimensions", "pixels.idx");
    refuse(*state, pixels, sizeof pixels - 1, labels, sizeof labels, 1.0, "truncated", "pixels.idx");
    refuse(*state, pixels, sizeof pixels, three, sizeof three, 1.0, "labels is 3", "labels.idx");
    refuse(*state, pixels, sizeof pixels, same, sizeof same, 1.0, "all 4 labels are 5", "labels.idx");
    refuse(*state, pixels, sizeof pixels, square, sizeof square, 1.0, "2 dimensions", "labels.idx");
    refuse(*state, pixels, sizeof pixels, not_a_number, sizeof not_a_number, 1.0, "finite",
           "labels.idx, example 2 (byte 16)");
    refuse(*state, infinite, sizeof infinite, labels, sizeof labels, 1.0, "finite",
           "example 2, feature 0 (byte 24)");
    refuse(*state, pixels, sizeof pixels, labels, sizeof labels, 1e38, "single precision",
           "example 0, feature 1");
}

static void test_bad_requests(void **state)
{
    const double pair_of[2] = {3.0, 3.0}, missing[2] = {3.0, 4.0}, no_number[2] = {3.0, NAN};
    pair p = write_pair(*state, pixels, sizeof pixels, labels, sizeof labels, false);
    sf_image_file table[9];
    for (int i = 0; i < 9; i++)
        table[i] = file_of(&p);
    table[0].path = NULL;
    table[1].labels_path = NULL;
    table[2].scale = 0.0;
    table[3].scale = INFINITY;
    table[4].weak = 0.0;
    table[5].strong = 25.0;
    table[6].weak = NAN;
    table[7].classes = pair_of;
    table[8].classes = no_number;
    table[7].class_count = table[8].class_count = 2;
    sf_context *context = test_context();
    sf_images *images;
    for (int i = 0; i < 9; i++) {
        assert_status(context, sf_images_read(context, &table[i], &images), SF_ERR_ARGUMENT);
        assert_null(images);
    }
    table[7].class_count = 1;
    assert_status(context, sf_images_read(context, &table[7], &images), SF_ERR_ARGUMENT);
    table[7].classes = missing;
    table[7].class_count = 2;
    assert_status(context, sf_images_read(context, &table[7], &images), SF_ERR_DATA);
    assert_non_null(strstr(sf_context_message(context), "has the label 4 of classes"));
    sf_context_destroy(&context);
}

static void test_every_allocation_can_fail(void **state)
{
    const double classes[2] = {7.0, 3.0};
    pair p = write_pair(*state, pixels, sizeof pixels, labels, sizeof labels, true);
    for (int given = 0; given < 2; given++) {
        sf_image_file spec = file_of(&p);
        spec.classes = given ? classes : NULL;
        spec.class_count = 2;
        sf_status status = SF_ERR_MEMORY;
        for (long n = 0; status != SF_OK; n++) {
            test_memory memory = {.fail_at = n};
            sf_context *context = test_context_failing(&memory);
            sf_images *images;
            status = sf_images_read(context, &spec, &images);
            if (status != SF_OK)
                assert_int_equal(status, SF_ERR_MEMORY);
            sf_images_destroy(&images);
            assert_int_equal(memory.live, 0);
            assert_true(n < 100);
            sf_context_destroy(&context);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_bytes),  cmocka_unit_test(test_classes),
        cmocka_unit_test(test_channels),     cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_bad_requests), cmocka_unit_test(test_every_allocation_can_fail)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
