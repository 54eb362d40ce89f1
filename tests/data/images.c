/* Images in memory: controlled patches against their definition, splitting, erasing, and what is said about them. */
#include "support.h"

static const sf_patches plain = {.height = 9,
                                 .width = 13,
                                 .patch = 3,
                                 .strong = 2.0,
                                 .faint = 0.5,
                                 .noise = 0.25,
                                 .strong_flip = 0.1,
                                 .faint_flip = 0.3,
                                 .jitter = 1,
                                 .per_class = 40,
                                 .seed = 11};

/* ---- patches ------------------------------------------------------------------------------------------- */

/* The images by the definition in the header of patches.c, last image first, pixel by pixel. */
static void test_patches_by_definition(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_images *images;
    assert_ok(context, sf_images_patches(context, &plain, &images));
    assert_int_equal(sf_images_count(images), 80);
    assert_int_equal(sf_images_classes(images), 2);
    sf_image_shape shape = sf_images_shape(images);
    assert_true(shape.channels == 1 && shape.height == 9 && shape.width == 13);
    int flipped[2] = {0, 0};
    for (size_t n = 80; n-- > 0;) {
        sf_random random = sf_random_make(11, n);
        int y = n % 2 ? 1 : -1, sign[2], place[2][2];
        sign[0] = sf_random_uniform(&random) < 0.1 ? -y : y;
        sign[1] = sf_random_uniform(&random) < 0.3 ? -y : y;
        for (int k = 0; k < 2; k++) {
            flipped[k] += sign[k] != y;
            place[k][0] = 3 + (int)sf_random_below(&random, 3) - 1;         // rows 2..4 of 9
            place[k][1] = 1 + 7 * k + (int)sf_random_below(&random, 3) - 1; // columns 0..2, 7..9 of 13
        }
        assert_int_equal(sf_images_labels(images)[n], y > 0);
        for (int p = 0; p < 9 * 13; p++) {
            int row = p / 13, column = p % 13, region = 0;
            for (int k = 0; k < 2; k++)
                if (row >= place[k][0] && row < place[k][0] + 3 && column >= place[k][1] &&
                    column < place[k][1] + 3)
                    region = k == 0 ? SF_REGION_STRONG : SF_REGION_WEAK;
            double level = region == SF_REGION_STRONG ? 2.0 * sign[0] : region ? 0.5 * sign[1] : 0.0;
            assert_int_equal(sf_images_regions(images)[n * 117 + (size_t)p], region);
            assert_absolute(sf_images_pixels(images)[n * 117 + (size_t)p],
                            level + 0.25 * sf_random_normal(&random), 1e-6);
        }
    }
    assert_true(flipped[0] > 0 && flipped[1] > flipped[0]);
    sf_images_destroy(&images);
    assert_null(images);
    sf_images_destroy(&images);
    sf_images_destroy(NULL);
    sf_context_destroy(&context);
}

/* A larger set begins with the smaller one, and the same settings give the same bits. */
static void test_patches_begin_with_fewer(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_patches fewer = plain;
    fewer.per_class = 7;
    sf_images *few, *many, *again;
    assert_ok(context, sf_images_patches(context, &fewer, &few));
    assert_ok(context, sf_images_patches(context, &plain, &many));
    assert_ok(context, sf_images_patches(context, &plain, &again));
    assert_memory_equal(sf_images_pixels(few), sf_images_pixels(many), 14 * 117 * sizeof(float));
    assert_memory_equal(sf_images_labels(few), sf_images_labels(many), 14 * sizeof(int));
    assert_memory_equal(sf_images_regions(few), sf_images_regions(many), 14 * 117);
    assert_memory_equal(sf_images_pixels(again), sf_images_pixels(many), 80 * 117 * sizeof(float));
    sf_images_destroy(&few);
    sf_images_destroy(&many);
    sf_images_destroy(&again);
    sf_context_destroy(&context);
}

static void test_patches_refused(void **state)
{
    (void)state;
    sf_context *context = test_context();
    static const struct {
        sf_patches change; // members that are not 0 replace those of `plain`
        const char *says;
    } table[] = {{{.strong = 0.5}, "more than the faint"},
                 {{.strong = INFINITY}, "finite"},
                 {{.strong = NAN}, "finite"},
                 {{.faint = -1.0}, "above 0"},
                 {{.noise = -0.1}, "noise"},
                 {{.noise = NAN}, "noise"},
                 {{.strong_flip = 0.5}, "flipped"},
                 {{.faint_flip = -0.1}, "flipped"},
                 {{.patch = 10}, "side by side in 9 x 13"},
                 {{.patch = 7}, "side by side"},
                 {{.patch = 5}, "side by side"},
                 {{.jitter = 2}, "move by up to 2"},
                 {{.per_class = SIZE_MAX}, "number of images"},
                 {{.noise = 1e39}, "single precision"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        sf_patches s = plain, c = table[i].change;
        s.strong = c.strong != 0.0 ? c.strong : s.strong;
        s.faint = c.faint != 0.0 ? c.faint : s.faint;
        s.noise = c.noise != 0.0 ? c.noise : s.noise;
        s.strong_flip = c.strong_flip != 0.0 ? c.strong_flip : s.strong_flip;
        s.faint_flip = c.faint_flip != 0.0 ? c.faint_flip : s.faint_flip;
        s.patch = c.patch ? c.patch : s.patch;
        s.jitter = c.jitter ? c.jitter : s.jitter;
        s.per_class = c.per_class ? c.per_class : s.per_class;
        sf_images *images = (sf_images *)context; // must be overwritten
        assert_status(context, sf_images_patches(context, &s, &images), SF_ERR_ARGUMENT);
        assert_null(images);
        if (!strstr(sf_context_message(context), table[i].says))
            fail_msg("'%s' lacks '%s'", sf_context_message(context), table[i].says);
    }
    sf_patches huge = plain;
    huge.per_class = SIZE_MAX / 4;
    sf_images *images;
    assert_status(context, sf_images_patches(context, &huge, &images), SF_ERR_MEMORY);
    if (SIZE_MAX > UINT32_MAX) { // fits the address space, not the machine
        huge.per_class = SIZE_MAX >> 22;
        assert_status(context, sf_images_patches(context, &huge, &images), SF_ERR_MEMORY);
    }
    huge.height = huge.width = SIZE_MAX / 2 + 1;
    assert_status(context, sf_images_patches(context, &huge, &images), SF_ERR_MEMORY);
    sf_context_destroy(&context);
}

/* ---- splitting ----------------------------------------------------------------------------------------- */

static bool same_image(const sf_images *a, size_t i, const sf_images *b, size_t j)
{
    return memcmp(sf_images_pixels(a) + i * 117, sf_images_pixels(b) + j * 117, 117 * sizeof(float)) == 0 &&
           memcmp(sf_images_regions(a) + i * 117, sf_images_regions(b) + j * 117, 117) == 0 &&
           sf_images_labels(a)[i] == sf_images_labels(b)[j];
}

/* Both parts, in their order, are the whole; returns a sum that names the choice. */
static size_t assert_partition(const sf_images *all, const sf_images *first, const sf_images *second)
{
    size_t at[2] = {0, 0}, choice = 0;
    const sf_images *part[2] = {first, second};
    for (size_t i = 0; i < sf_images_count(all); i++) {
        bool found = false;
        for (int k = 0; k < 2 && !found; k++)
            if (at[k] < sf_images_count(part[k]) && same_image(all, i, part[k], at[k])) {
                at[k]++;
                choice += k == 1 ? i * i : 0;
                found = true;
            }
        assert_true(found);
    }
    assert_int_equal(at[0] + at[1], sf_images_count(all));
    return choice;
}

static void test_split(void **state)
{
    (void)state;
    static const struct {
        double share;
        size_t second; // of 40 images of a class
    } table[] = {{0.25, 10}, {0.26, 10}, {0.27, 11}, {1e-9, 1}, {0.999, 39}};
    sf_context *context = test_context();
    sf_images *images, *first, *second;
    size_t choice[2];
    assert_ok(context, sf_images_patches(context, &plain, &images));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_ok(context, sf_images_split(images, table[i].share, 3, &first, &second));
        assert_partition(images, first, second);
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(sf_images_class_count(second, k), table[i].second);
            assert_int_equal(sf_images_class_count(first, k), 40 - table[i].second);
        }
        sf_images_destroy(&first);
        sf_images_destroy(&second);
    }
    for (uint64_t seed = 0; seed < 2; seed++) {
        assert_ok(context, sf_images_split(images, 0.5, seed, &first, &second));
        choice[seed] = assert_partition(images, first, second);
        sf_images_destroy(&first);
        sf_images_destroy(&second);
    }
    assert_true(choice[0] != choice[1]);
    sf_images_destroy(&images);
    sf_context_destroy(&context);
}

/* Every image is as likely as every other to be in the second part. */
static void test_split_is_fair(void **state)
{
    (void)state;
    enum { SEEDS = 2000, COUNT = 5 };
    sf_context *context = test_context();
    sf_patches spec = plain;
    spec.per_class = COUNT;
    int hits[2 * COUNT] = {0};
    sf_images *images, *first, *second;
    assert_ok(context, sf_images_patches(context, &spec, &images));
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        assert_ok(context, sf_images_split(images, 0.4, seed, &first, &second));
        for (size_t j = 0; j < sf_images_count(second); j++)
            for (size_t i = 0; i < 2 * COUNT; i++)
                hits[i] += same_image(images, i, second, j);
        sf_images_destroy(&first);
        sf_images_destroy(&second);
    }
    for (size_t i = 0; i < 2 * COUNT; i++) // binomial with p = 0.4: five standard deviations
        assert_absolute(hits[i] / (double)SEEDS, 0.4, 5.0 * sqrt(0.24 / SEEDS));
    sf_images_destroy(&images);
    sf_context_destroy(&context);
}

static void test_split_refused(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_patches one = plain;
    one.per_class = 1;
    const double share[] = {0.0, 1.0, -0.5, NAN};
    sf_images *images, *first, *second;
    assert_ok(context, sf_images_patches(context, &one, &images));
    for (size_t i = 0; i < sizeof share / sizeof *share; i++)
        assert_status(context, sf_images_split(images, share[i], 1, &first, &second), SF_ERR_ARGUMENT);
    assert_status(context, sf_images_split(images, 0.5, 1, &first, &second), SF_ERR_DATA);
    assert_non_null(strstr(sf_context_message(context), "has 1 image,"));
    assert_null(first);
    assert_null(second);
    sf_images_destroy(&images);
    sf_context_destroy(&context);
}

/* ---- erasing, describing ------------------------------------------------------------------------------- */

static void test_erase(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_images *images, *erased;
    assert_ok(context, sf_images_patches(context, &plain, &images));
    assert_ok(context, sf_images_erase(images, SF_REGION_STRONG, -7.0, &erased));
    for (size_t p = 0; p < 80 * 117; p++)
        assert_true(sf_images_pixels(erased)[p] ==
                    (sf_images_regions(images)[p] == SF_REGION_STRONG ? -7.0F : sf_images_pixels(images)[p]));
    assert_memory_equal(sf_images_regions(erased), sf_images_regions(images), 80 * 117);
    assert_memory_equal(sf_images_labels(erased), sf_images_labels(images), 80 * sizeof(int));
    sf_images_destroy(&erased);
    assert_status(context, sf_images_erase(images, SF_REGION_WEAK, NAN, &erased), SF_ERR_ARGUMENT);
    assert_null(erased);
    sf_images_destroy(&images);
    sf_context_destroy(&context);
}

static void test_describe(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_patches clean = plain;
    clean.noise = clean.strong_flip = clean.faint_flip = 0.0;
    sf_images *images;
    sf_images_info info;
    assert_ok(context, sf_images_patches(context, &clean, &images));
    sf_images_describe(images, &info);
    assert_true(info.minimum == -2.0 && info.maximum == 2.0);
    assert_absolute(info.mean, 0.0, 1e-12); // as many images of either sign
    assert_absolute(info.region_share[SF_REGION_STRONG], 9.0 / 117.0, 1e-15);
    assert_absolute(info.region_share[SF_REGION_WEAK], 9.0 / 117.0, 1e-15);
    assert_absolute(info.region_share[SF_REGION_BACKGROUND], 99.0 / 117.0, 1e-15);
    assert_true(sf_images_raw_label(images, 0) == 0.0 && sf_images_raw_label(images, 1) == 1.0);
    assert_true(isnan(sf_images_raw_label(images, 2)));
    sf_images_destroy(&images);
    sf_context_destroy(&context);
}

/* ---- memory -------------------------------------------------------------------------------------------- */

static sf_status build_all(sf_context *context)
{
    sf_images *images = NULL, *first = NULL, *second = NULL, *erased = NULL;
    sf_status status = sf_images_patches(context, &plain, &images);
    if (status == SF_OK)
        status = sf_images_split(images, 0.5, 1, &first, &second);
    if (status == SF_OK)
        status = sf_images_erase(second, SF_REGION_WEAK, 0.0, &erased);
    sf_images_destroy(&images);
    sf_images_destroy(&first);
    sf_images_destroy(&second);
    sf_images_destroy(&erased);
    return status;
}

static void test_every_allocation_can_fail(void **state)
{
    (void)state;
    test_every_allocation(build_all, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_patches_by_definition),
                                       cmocka_unit_test(test_patches_begin_with_fewer),
                                       cmocka_unit_test(test_patches_refused),
                                       cmocka_unit_test(test_split),
                                       cmocka_unit_test(test_split_is_fair),
                                       cmocka_unit_test(test_split_refused),
                                       cmocka_unit_test(test_erase),
                                       cmocka_unit_test(test_describe),
                                       cmocka_unit_test(test_every_allocation_can_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
