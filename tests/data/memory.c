/* Data sets in memory: points, Gaussian classes, scaling, standardizing, mirroring, and what is said about them. */
#include "support.h"

#include <float.h>

#include "data/dataset.h"

/* ---- points -------------------------------------------------------------------------------------------- */

static void test_points(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double x[6] = {1.0, 2.0, 3.0, -1.0, 0.5, 0.0};
    const int labels[2] = {1, -1};
    sf_dataset *dataset;
    double z[3];
    assert_ok(context, sf_dataset_from_points(context, 2, 3, x, labels, &dataset));
    assert_int_equal(sf_dataset_examples(dataset), 2);
    assert_int_equal(sf_dataset_features(dataset), 3);
    assert_int_equal(sf_dataset_labels(dataset)[1], -1);
    sf_dataset_example(dataset, 0, z);
    assert_true(z[0] == 1.0 && z[1] == 2.0 && z[2] == 3.0);
    sf_dataset_example(dataset, 1, z);
    assert_true(z[0] == 1.0 && z[1] == -0.5 && z[2] == 0.0);
    sf_dataset_destroy(&dataset);
    assert_null(dataset);
    sf_dataset_destroy(&dataset);
    sf_dataset_destroy(NULL);
    assert_ok(context, sf_dataset_from_points(context, 2, 3, x, NULL, &dataset));
    assert_int_equal(sf_dataset_labels(dataset)[1], 1);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

static void test_points_refused(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double bad[4] = {1.0, 2.0, 3.0, NAN}, infinite[2] = {1.0, INFINITY};
    const int labels[2] = {1, 0};
    sf_dataset *dataset = (sf_dataset *)context; // must be overwritten
    assert_status(context, sf_dataset_from_points(context, 0, 3, bad, NULL, &dataset), SF_ERR_ARGUMENT);
    assert_null(dataset);
    assert_status(context, sf_dataset_from_points(context, 1, 0, bad, NULL, &dataset), SF_ERR_ARGUMENT);
    assert_status(context, sf_dataset_from_points(context, 2, 1, bad, labels, &dataset), SF_ERR_ARGUMENT);
    assert_status(context, sf_dataset_from_points(context, 2, 2, bad, NULL, &dataset), SF_ERR_DATA);
    assert_non_null(strstr(sf_context_message(context), "example 1, feature 1"));
    assert_status(context, sf_dataset_from_points(context, 1, 2, infinite, NULL, &dataset), SF_ERR_DATA);
    assert_status(context, sf_dataset_from_points(context, SIZE_MAX / 2, 3, bad, NULL, &dataset),
                  SF_ERR_MEMORY);
    assert_status(context, sf_dataset_from_points(context, SIZE_MAX / 16, 1, bad, NULL, &dataset),
                  SF_ERR_MEMORY);
    sf_context_destroy(&context);
}

/* ---- Gaussian classes ---------------------------------------------------------------------------------- */

static void test_gaussian_moments(void **state)
{
    (void)state;
    enum { D = 3, PER_CLASS = 40000 };
    sf_context *context = test_context();
    const double mean[D] = {1.0, -2.0, 0.25};
    const sf_gaussian spec = {D, mean, 0.5, PER_CLASS, 17, false};
    sf_dataset *dataset;
    assert_ok(context, sf_dataset_gaussian(context, &spec, &dataset));
    assert_int_equal(sf_dataset_examples(dataset), 2 * PER_CLASS);
    for (int class = 0; class < 2; class ++) {
        double sum[D] = {0}, square[D] = {0}, cross = 0.0, z[D];
        for (size_t n = 0; n < PER_CLASS; n++) {
            size_t row = (size_t) class * PER_CLASS + n;
            int label = sf_dataset_labels(dataset)[row];
            assert_int_equal(label, class == 0 ? 1 : -1);
            sf_dataset_example(dataset, row, z);
            for (int j = 0; j < D; j++) {
                double r = label * z[j] - label * mean[j]; // x less the mean of its class
                sum[j] += r;
                square[j] += r * r;
            }
            cross += (z[0] - mean[0]) * (z[1] - mean[1]);
        }
        double error = 5.0 / sqrt((double)PER_CLASS);
        for (int j = 0; j < D; j++) {
            assert_absolute(sum[j] / PER_CLASS, 0.0, 0.5 * error);
            assert_absolute(square[j] / PER_CLASS, 0.25, 0.25 * sqrt(2.0) * error);
        }
        assert_absolute(cross / PER_CLASS, 0.0, 0.25 * error);
    }
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* Example n is stream n of the seed: recomputed here from the generator, last example first. */
static void test_gaussian_streams(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double mean[2] = {1.0, 2.0};
    const sf_gaussian spec = {2, mean, 0.5, 6, 5, false};
    sf_dataset *dataset;
    assert_ok(context, sf_dataset_gaussian(context, &spec, &dataset));
    for (size_t n = 12; n-- > 0;) {
        sf_random random = sf_random_make(5, n);
        double z[2];
        sf_dataset_example(dataset, n, z);
        for (int j = 0; j < 2; j++) {
            double g = sf_random_normal(&random);
            assert_relative(z[j], mean[j] + (n < 6 ? 0.5 : -0.5) * g, 4.0 * DBL_EPSILON);
        }
    }
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* With separable, the mean direction separates, and what was on the right side already is unchanged. */
static void test_gaussian_separable(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double mean[2] = {0.3, -0.1};
    sf_gaussian spec = {2, mean, 1.0, 500, 9, false};
    sf_dataset *loose, *strict;
    assert_ok(context, sf_dataset_gaussian(context, &spec, &loose));
    spec.separable = true;
    assert_ok(context, sf_dataset_gaussian(context, &spec, &strict));
    size_t redrawn = 0;
    for (size_t n = 0; n < 1000; n++) {
        double a[2], b[2];
        sf_dataset_example(loose, n, a);
        sf_dataset_example(strict, n, b);
        assert_true(mean[0] * b[0] + mean[1] * b[1] > 0.0);
        if (mean[0] * a[0] + mean[1] * a[1] > 0.0)
            assert_true(a[0] == b[0] && a[1] == b[1]);
        else
            redrawn++;
    }
    // violators have probability Phi(-|mean|/std)
    double p = 0.5 * erfc(sqrt(0.1) / sqrt(2.0));
    assert_absolute((double)redrawn, 1000.0 * p, 5.0 * sqrt(1000.0 * p * (1.0 - p)));
    sf_dataset_destroy(&loose);
    sf_dataset_destroy(&strict);
    sf_context_destroy(&context);
}

static void test_gaussian_refused(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double mean[2] = {1.0, 2.0}, zero[2] = {0.0, 0.0}, bad[2] = {1.0, INFINITY},
                 large[2] = {1.0, DBL_MAX};
    const struct {
        sf_gaussian spec;
        sf_status status;
    } refused[] = {{{0, mean, 1.0, 1, 1, false}, SF_ERR_ARGUMENT},
                   {{2, mean, 0.0, 1, 1, false}, SF_ERR_ARGUMENT},
                   {{2, mean, -1.0, 1, 1, false}, SF_ERR_ARGUMENT},
                   {{2, mean, NAN, 1, 1, false}, SF_ERR_ARGUMENT},
                   {{2, mean, INFINITY, 1, 1, false}, SF_ERR_ARGUMENT},
                   {{2, mean, 1.0, 0, 1, false}, SF_ERR_ARGUMENT},
                   {{2, bad, 1.0, 1, 1, false}, SF_ERR_ARGUMENT},
                   {{2, zero, 1.0, 1, 1, true}, SF_ERR_ARGUMENT},
                   {{2, large, 1e308, 50, 1, true}, SF_ERR_ARGUMENT},
                   {{2, mean, 1.0, SIZE_MAX, 1, false}, SF_ERR_MEMORY},
                   {{2, mean, 1.0, SIZE_MAX / 8, 1, false}, SF_ERR_MEMORY}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        sf_dataset *dataset = (sf_dataset *)context;
        assert_status(context, sf_dataset_gaussian(context, &refused[i].spec, &dataset), refused[i].status);
        assert_null(dataset);
    }
    sf_context_destroy(&context);
}

/* ---- transforms ---------------------------------------------------------------------------------------- */

enum { N = 57, D = 6 };

/* Features of every trouble: plain, large offset, huge, tiny, constant, nearly constant. */
static sf_dataset *troubled(sf_context *context, double x[N * D], int labels[N])
{
    sf_random random = sf_random_make(23, 0);
    for (int n = 0; n < N; n++) {
        labels[n] = n % 3 == 0 ? -1 : 1;
        double *row = x + n * D;
        for (int j = 0; j < D; j++)
            row[j] = sf_random_normal(&random);
        row[1] = 1e9 + 1e-3 * row[1];
        row[2] *= 1e307;
        row[3] *= 1e-310;
        row[4] = 0.1;
        row[5] = n == 7 ? nextafter(0.3, 1.0) : 0.3;
    }
    sf_dataset *dataset;
    assert_ok(context, sf_dataset_from_points(context, N, D, x, labels, &dataset));
    return dataset;
}

/* Against long double, where the differences from the first example are exact and the naive formulas accurate enough. */
static void test_standardize(void **state)
{
    (void)state;
    sf_context *context = test_context();
    double x[N * D], z[D];
    int labels[N];
    sf_dataset *dataset = troubled(context, x, labels);
    assert_ok(context, sf_dataset_standardize(dataset));
    for (int j = 0; j < D; j++) {
        long double y[N], mean = 0.0L, variance = 0.0L;
        for (int n = 0; n < N; n++) {
            y[n] = (long double)x[n * D + j] - (long double)x[j];
            mean += y[n] / N;
        }
        for (int n = 0; n < N; n++)
            variance += (y[n] - mean) * (y[n] - mean) / N;
        for (int n = 0; n < N; n++) {
            sf_dataset_example(dataset, (size_t)n, z);
            double expected = j == 4 ? 0.0 : (double)((y[n] - mean) / sqrtl(variance));
            assert_absolute(labels[n] * z[j], expected, 1e-14);
        }
    }
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* One value in a hundred thousand differs by one unit in the last place: the variance must not drown in rounding. */
static void test_standardize_many(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    sf_context *context = test_context();
    double *x = malloc(MANY * sizeof *x), z;
    sf_dataset *dataset;
    for (int n = 0; n < MANY; n++)
        x[n] = n == MANY / 2 ? nextafter(0.3, 1.0) : 0.3;
    assert_ok(context, sf_dataset_from_points(context, MANY, 1, x, NULL, &dataset));
    assert_ok(context, sf_dataset_standardize(dataset));
    sf_dataset_example(dataset, MANY / 2, &z);
    assert_relative(z, sqrt((double)MANY - 1.0), 1e-2); // (1 - p) / sqrt(p (1 - p)) with p = 1 / MANY
    sf_dataset_example(dataset, 0, &z);
    assert_absolute(z, -1.0 / sqrt((double)MANY - 1.0), 1e-4);
    free(x);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* Whole numbers, pixels after a scale and decimals keep their grid through standardizing; 1/3 has none. The numbers
 * of the grid against those that went in, and what they give against the features. */
static void test_grid(void **state)
{
    (void)state;
    enum { COUNT = 5, WIDE = 4 };
    const double scale = 1.0 / 255.0, whole[COUNT][WIDE] = {{-28400, 7, 1250, 3},
                                                            {71369, 9, -1, 3},
                                                            {120, 255, 990001, 3},
                                                            {121, 0, 17, 3},
                                                            {-5, 31, 20, 3}};
    const double power[WIDE] = {1.0, 1.0, 1e3, 1.0};
    const int labels[COUNT] = {1, -1, 1, -1, -1};
    sf_context *context = test_context();
    for (int variant = 0; variant < 3; variant++) {
        double x[COUNT * WIDE], z[WIDE];
        for (int i = 0; i < COUNT * WIDE; i++)
            x[i] = whole[i / WIDE][i % WIDE] / (variant == 1 ? 1.0 : power[i % WIDE]);
        if (variant == 2)
            x[5] += 1.0 / 3.0;
        sf_dataset *dataset;
        assert_ok(context, sf_dataset_from_points(context, COUNT, WIDE, x, labels, &dataset));
        if (variant == 1)
            assert_ok(context, sf_dataset_scale(dataset, scale));
        assert_ok(context, sf_dataset_standardize(dataset));
        const sf_grid *grid = &dataset->grid;
        assert_true((grid->origin == NULL) == (variant == 2));
        if (variant < 2)
            assert_ok(context, sf_dataset_scale(dataset, -2.0));
        for (int i = 0; i < COUNT && variant < 2; i++) {
            sf_dataset_example(dataset, (size_t)i, z);
            for (int j = 0; j < WIDE; j++) {
                double k = whole[i][j] - grid->origin[j]; // exact
                assert_true(fabs(grid->shift[j]) <= 0.5);
                assert_absolute((k - grid->shift[j]) * grid->spacing[j], labels[i] * z[j], 4e-15);
            }
        }
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

static void test_scale_and_mirror(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double x[4] = {1.0, -2.0, 3.0, 4.0};
    const int labels[2] = {1, -1};
    double z[4];
    sf_dataset *dataset;
    assert_ok(context, sf_dataset_from_points(context, 2, 2, x, labels, &dataset));
    assert_ok(context, sf_dataset_scale(dataset, -0.5));
    assert_ok(context, sf_dataset_mirror(dataset));
    assert_true(sf_dataset_mirrored(dataset));
    assert_int_equal(sf_dataset_features(dataset), 4);
    sf_dataset_example(dataset, 0, z);
    assert_true(z[0] == -0.5 && z[1] == 1.0 && z[2] == 0.5 && z[3] == -1.0);
    sf_dataset_example(dataset, 1, z);
    assert_true(z[0] == 1.5 && z[1] == 2.0 && z[2] == -1.5 && z[3] == -2.0);
    assert_status(context, sf_dataset_mirror(dataset), SF_ERR_ARGUMENT);
    assert_status(context, sf_dataset_scale(dataset, 2.0), SF_ERR_ARGUMENT);
    assert_status(context, sf_dataset_standardize(dataset), SF_ERR_ARGUMENT);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

static void test_scale_refused(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double x[2] = {1.0, -1e200};
    double z[2];
    sf_dataset *dataset;
    assert_ok(context, sf_dataset_from_points(context, 1, 2, x, NULL, &dataset));
    assert_status(context, sf_dataset_scale(dataset, NAN), SF_ERR_ARGUMENT);
    assert_status(context, sf_dataset_scale(dataset, INFINITY), SF_ERR_ARGUMENT);
    assert_status(context, sf_dataset_scale(dataset, 1e200), SF_ERR_DATA);
    assert_non_null(strstr(sf_context_message(context), "feature 1"));
    sf_dataset_example(dataset, 0, z); // as it was
    assert_true(z[0] == 1.0 && z[1] == -1e200);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

static void test_describe(void **state)
{
    (void)state;
    sf_context *context = test_context();
    // 3 examples, 5 features; feature 3 is constant, feature 4 is 0
    const double x[15] = {1, -4, 0, 7, 0, 2, 5, 6, 7, 0, 3, 0, 3, 7, 0};
    const int labels[3] = {1, -1, 1};
    // mean of y x: (1-2+3)/3, (-4-5+0)/3, (0-6+3)/3, 7/3, 0
    const double strength[5] = {2.0 / 3.0, 3.0, 1.0, 7.0 / 3.0, 0.0};
    const double sorted[5] = {0.0, 2.0 / 3.0, 1.0, 7.0 / 3.0, 3.0};
    double got[10];
    sf_dataset *dataset;
    sf_dataset_info info;
    assert_ok(context, sf_dataset_from_points(context, 3, 5, x, labels, &dataset));
    sf_dataset_strengths(dataset, got);
    for (int j = 0; j < 5; j++)
        assert_absolute(got[j], strength[j], 1e-15);
    assert_ok(context, sf_dataset_describe(dataset, &info));
    assert_int_equal(info.examples, 3);
    assert_int_equal(info.features, 5);
    assert_int_equal(info.count[0], 1);
    assert_int_equal(info.count[1], 2);
    assert_true(info.raw_label[0] == -1.0 && info.raw_label[1] == 1.0);
    assert_null(info.label_name[0]);
    assert_true(info.minimum == -4.0 && info.maximum == 7.0);
    assert_int_equal(info.zeros, 5);
    assert_int_equal(info.constant, 2);
    for (int k = 0; k < 5; k++)
        assert_absolute(info.strength_quantile[k], sorted[k], 1e-15);
    assert_ok(context, sf_dataset_mirror(dataset));
    assert_ok(context, sf_dataset_describe(dataset, &info));
    assert_true(info.mirrored && info.minimum == -7.0 && info.maximum == 7.0);
    assert_int_equal(info.features, 10);
    assert_int_equal(info.zeros, 10);
    assert_int_equal(info.constant, 4);
    sf_dataset_strengths(dataset, got);
    for (int j = 0; j < 5; j++)
        assert_true(got[j] == got[5 + j]);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* ---- memory -------------------------------------------------------------------------------------------- */

static sf_status build_all(sf_context *context)
{
    const double x[2] = {1.0, 2.0};
    const sf_gaussian spec = {2, x, 1.0, 3, 1, true};
    sf_dataset *points = NULL, *classes = NULL;
    sf_dataset_info info;
    sf_status status = sf_dataset_from_points(context, 1, 2, x, NULL, &points);
    if (status == SF_OK)
        status = sf_dataset_gaussian(context, &spec, &classes);
    if (status == SF_OK)
        status = sf_dataset_standardize(classes);
    if (status == SF_OK)
        status = sf_dataset_describe(classes, &info);
    sf_dataset_destroy(&points);
    sf_dataset_destroy(&classes);
    return status;
}

static void test_every_allocation_can_fail(void **state)
{
    (void)state;
    test_every_allocation(build_all, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_points),
                                       cmocka_unit_test(test_points_refused),
                                       cmocka_unit_test(test_gaussian_moments),
                                       cmocka_unit_test(test_gaussian_streams),
                                       cmocka_unit_test(test_gaussian_separable),
                                       cmocka_unit_test(test_gaussian_refused),
                                       cmocka_unit_test(test_standardize),
                                       cmocka_unit_test(test_standardize_many),
                                       cmocka_unit_test(test_grid),
                                       cmocka_unit_test(test_scale_and_mirror),
                                       cmocka_unit_test(test_scale_refused),
                                       cmocka_unit_test(test_describe),
                                       cmocka_unit_test(test_every_allocation_can_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
