/* Small and odd problems with known answers, other directions, failing memory. */
#include "common.h"

static void expect(size_t n, size_t d, const double *z, sf_margin_options options, const double *direction,
                   double value)
{
    sf_context *context = test_context();
    sf_dataset *dataset = dataset_of(context, n, d, z);
    sf_margin *margin = solved(context, dataset, options, 1e-13);
    assert_true(sf_margin_separable(margin));
    assert_relative(sf_margin_value(margin), value, 1e-14);
    for (size_t j = 0; j < d; j++)
        assert_absolute(sf_margin_direction(margin)[j], direction[j], 1e-14);
    sf_margin_destroy(&margin);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

static const sf_margin_options l1 = {SF_NORM_L1, false}, l2 = {SF_NORM_L2, false};

static void test_one_example(void **state)
{
    (void)state;
    // l1: all on the largest coordinate; l2: along z
    expect(1, 3, (double[]){1.0, -3.0, 2.0}, l1, (double[]){0.0, -1.0, 0.0}, 3.0);
    double norm = sqrt(14.0);
    expect(1, 3, (double[]){1.0, -3.0, 2.0}, l2, (double[]){1.0 / norm, -3.0 / norm, 2.0 / norm}, norm);
    // beta >= 0: what is negative cannot be used
    expect(1, 3, (double[]){1.0, -3.0, 2.0}, (sf_margin_options){SF_NORM_L1, true}, (double[]){0.0, 0.0, 1.0},
           2.0);
    norm = sqrt(5.0);
    expect(1, 3, (double[]){1.0, -3.0, 2.0}, (sf_margin_options){SF_NORM_L2, true},
           (double[]){1.0 / norm, 0.0, 2.0 / norm}, norm);
}

static void test_one_feature(void **state)
{
    (void)state;
    expect(4, 1, (double[]){-3.0, -0.5, -0.5, -7.0}, l1, (double[]){-1.0}, 0.5);
    expect(4, 1, (double[]){-3.0, -0.5, -0.5, -7.0}, l2, (double[]){-1.0}, 0.5);
}

static void test_collinear(void **state)
{
    (void)state;
    // all on the ray through (3, 4): the nearest one decides
    double z[] = {3.0, 4.0, 6.0, 8.0, 1.5, 2.0, 30.0, 40.0};
    expect(4, 2, z, l1, (double[]){0.0, 1.0}, 2.0);
    expect(4, 2, z, l2, (double[]){0.6, 0.8}, 2.5);
}

static void test_duplicates_and_dead_features(void **state)
{
    (void)state;
    // (2, 1) and (1, 2), each three times, with features that are always 0 between them
    double z[6 * 4];
    for (size_t n = 0; n < 6; n++) {
        double row[] = {0.0, n % 2 ? 1.0 : 2.0, 0.0, n % 2 ? 2.0 : 1.0};
        memcpy(z + 4 * n, row, sizeof row);
    }
    double half = sqrt(0.5);
    expect(6, 4, z, l1, (double[]){0.0, 0.5, 0.0, 0.5}, 1.5);
    expect(6, 4, z, l2, (double[]){0.0, half, 0.0, half}, 3.0 * half);
}

static void refuse(size_t n, size_t d, const double *z, bool nonnegative)
{
    sf_context *context = test_context();
    sf_dataset *dataset = dataset_of(context, n, d, z);
    for (int norm = 1; norm <= 2; norm++) {
        sf_margin *margin = solved(context, dataset, (sf_margin_options){(sf_norm)norm, nonnegative}, 1e-13);
        assert_false(sf_margin_separable(margin));
        assert_true(isnan(sf_margin_value(margin)) && isnan(sf_margin_kkt_residual(margin)));
        assert_null(sf_margin_multipliers(margin));
        assert_int_equal(sf_margin_unique(margin), SF_ANSWER_UNKNOWN);
        sf_margin_destroy(&margin);
    }
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

static void test_touching_zero(void **state)
{
    (void)state;
    // 0 on the boundary of the hull, and nothing to separate (test_weakly_separable: something)
    refuse(2, 2, (double[]){1.0, 0.0, -1.0, 0.0}, false);
    refuse(1, 2, (double[]){0.0, 0.0}, false);
    refuse(1, 2, (double[]){-1.0, -2.0}, true); // separable, but not by beta >= 0
    refuse(2, 2, (double[]){1.0, -1.0, -1.0, 1.0}, true);
}

/* Points at height g over a circle around 0: the margin is g for every g > 0, far below the length of the points. */
static void test_small_margin(void **state)
{
    (void)state;
    for (double g = 1.0; g > 1e-13; g *= 0.1) {
        double z[7 * 3];
        for (size_t n = 0; n < 7; n++) {
            double angle = 2.0 * acos(-1.0) * (double)n / 7.0;
            z[3 * n] = cos(angle);
            z[3 * n + 1] = sin(angle);
            z[3 * n + 2] = g;
        }
        sf_context *context = test_context();
        sf_dataset *dataset = dataset_of(context, 7, 3, z);
        for (int norm = 1; norm <= 2; norm++) {
            sf_margin *margin =
                solved(context, dataset, (sf_margin_options){(sf_norm)norm, false}, 1e-12 + 1e-15 / g);
            assert_true(sf_margin_separable(margin));
            assert_relative(sf_margin_value(margin), g, 1e-12 + 1e-15 / g);
            sf_margin_destroy(&margin);
        }
        sf_dataset_destroy(&dataset);
        sf_context_destroy(&context);
    }
}

static void test_weakly_separable(void **state)
{
    (void)state;
    // the first two balance each other, so every beta is orthogonal to them; the rest is separated across
    // an example that is 0, too
    sf_context *other = test_context();
    sf_dataset *zero = dataset_of(other, 2, 1, (double[]){1.0, 0.0});
    sf_margin *found = solved(other, zero, l2, 1e-13);
    assert_int_equal(sf_margin_separability(found), SF_WEAKLY_SEPARABLE);
    sf_margin_destroy(&found);
    sf_dataset_destroy(&zero);
    sf_context_destroy(&other);
    const double z[] = {2.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.5, 0.25};
    const sf_margin_options options[] = {l1, l2, {SF_NORM_L1, true}};
    for (size_t i = 0; i < 3; i++) {
        sf_context *context = test_context();
        sf_dataset *dataset = dataset_of(context, 4, 2, z);
        sf_margin *margin = solved(context, dataset, options[i], 1e-13);
        assert_false(sf_margin_separable(margin));
        assert_int_equal(sf_margin_separability(margin), SF_WEAKLY_SEPARABLE);
        const bool *separated = sf_margin_separated(margin);
        assert_true(!separated[0] && !separated[1] && separated[2] && separated[3]);
        assert_absolute(sf_margin_direction(margin)[0], 0.0, 1e-15);
        assert_relative(sf_margin_direction(margin)[1], 1.0, 1e-15);
        assert_relative(sf_margin_value(margin), 0.25, 1e-15);
        assert_absolute(sf_margin_certificate(margin)[1], 2.0 / 3.0, 1e-15);
        sf_margin_destroy(&margin);
        sf_dataset_destroy(&dataset);
        sf_context_destroy(&context);
    }
}

static void test_features_of_other_units(void **state)
{
    (void)state;
    // 1e9 b1 + 1e-9 b2 and -1e9 b1 + 3e-9 b2 are equal at b1 = 1e-18 b2: margin 2e-9. As doubles the multipliers cannot
    // satisfy the first condition, so the general verification does not apply.
    const sf_margin_options options[] = {l1, l2};
    for (size_t i = 0; i < 2; i++) {
        sf_context *context = test_context();
        sf_dataset *dataset = dataset_of(context, 2, 2, (double[]){1e9, 1e-9, -1e9, 3e-9});
        sf_margin *margin = NULL;
        sf_status status = sf_margin_solve(context, dataset, &options[i], &margin);
        if (status != SF_ERR_UNAVAILABLE) {
            assert_ok(context, status);
            assert_true(sf_margin_separable(margin));
            assert_relative(sf_margin_value(margin), 2e-9, 1e-15);
            assert_relative(sf_margin_direction(margin)[0], 1e-18, 1e-15);
            assert_int_equal(sf_margin_unique(margin), SF_ANSWER_YES);
        }
        sf_margin_destroy(&margin);
        sf_dataset_destroy(&dataset);
        sf_context_destroy(&context);
    }
}

static void test_not_unique(void **state)
{
    (void)state;
    sf_context *context = test_context();
    // <b, (1, 1, 0.5)> >= 1: any b on the segment from e_0 to e_1
    sf_dataset *dataset = dataset_of(context, 1, 3, (double[]){1.0, 1.0, 0.5});
    sf_margin *margin = solved(context, dataset, l1, 1e-13);
    size_t count;
    const size_t *face = sf_margin_face(margin, &count);
    assert_int_equal(sf_margin_unique(margin), SF_ANSWER_NO);
    assert_int_equal(count, 2);
    assert_true(face[0] == 0 && face[1] == 1);
    sf_margin_destroy(&margin);
    sf_dataset_destroy(&dataset);
    // a difference between rounding and 1e-9 is neither a tie nor not one
    dataset = dataset_of(context, 1, 2, (double[]){1.0, 1.0 - 1e-11});
    margin = solved(context, dataset, l1, 1e-9);
    assert_int_equal(sf_margin_unique(margin), SF_ANSWER_UNKNOWN);
    sf_margin_destroy(&margin);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* Residuals of directions that are not optimal, by hand. */
static void test_residual_of(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_dataset *dataset = dataset_of(context, 1, 2, (double[]){1.0, 2.0});
    double residual;
    // l1 at e_0: b = (1, 0), q = lambda (1, 2) should be (1, [-1, 1]): min (lambda - 1)^2 + (2 lambda - 1)_+^2 at
    // lambda = 3/5, distance sqrt(1/5)
    assert_ok(context, sf_margin_residual_of(context, dataset, &l1, (double[]){3.0, 0.0}, 1e-9, &residual));
    assert_relative(residual, sqrt(0.2), 1e-14);
    assert_ok(context, sf_margin_residual_of(context, dataset, &l1, (double[]){0.0, 5.0}, 1e-9, &residual));
    assert_absolute(residual, 0.0, 1e-15);
    // l2 at (1, 1): b = (1, 1) / 3; the nearest multiple of (1, 2) is at relative distance sin of the angle
    assert_ok(context, sf_margin_residual_of(context, dataset, &l2, (double[]){1.0, 1.0}, 1e-9, &residual));
    assert_relative(residual, 1.0 / sqrt(10.0), 1e-14);
    assert_ok(context, sf_margin_residual_of(context, dataset, &l2, (double[]){-1.0, 0.0}, 1e-9, &residual));
    assert_true(isinf(residual));
    assert_status(context, sf_margin_residual_of(context, dataset, &l2, (double[]){1.0, 1.0}, NAN, &residual),
                  SF_ERR_ARGUMENT);
    sf_dataset_destroy(&dataset);
    // two examples, the second is not active: (2, 1) alone has the multipliers
    dataset = dataset_of(context, 2, 2, (double[]){2.0, 1.0, 9.0, 9.0});
    assert_ok(context, sf_margin_residual_of(context, dataset, &l2, (double[]){2.0, 1.0}, 1e-9, &residual));
    assert_absolute(residual, 0.0, 1e-15);
    // beta >= 0 with z = (1, -2): e_0 is optimal there, q_1 = -2 is allowed
    sf_dataset_destroy(&dataset);
    dataset = dataset_of(context, 1, 2, (double[]){1.0, -2.0});
    for (int norm = 1; norm <= 2; norm++) {
        sf_margin_options options = {(sf_norm)norm, true};
        assert_ok(context,
                  sf_margin_residual_of(context, dataset, &options, (double[]){1.0, 0.0}, 1e-9, &residual));
        assert_absolute(residual, 0.0, 1e-15);
    }
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

static void test_arguments(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_dataset *dataset = dataset_of(context, 1, 1, (double[]){1.0});
    sf_margin *margin = NULL;
    assert_status(context,
                  sf_margin_solve(context, dataset, &(sf_margin_options){(sf_norm)3, false}, &margin),
                  SF_ERR_ARGUMENT);
    assert_null(margin);
    assert_status(context, sf_margin_solve(context, NULL, &l2, &margin), SF_ERR_ARGUMENT);
    sf_margin_destroy(&margin);
    sf_margin_destroy(NULL);
    sf_flag cancel = 1;
    sf_context_set_cancel(context, &cancel);
    assert_status(context, sf_margin_solve(context, dataset, &l2, &margin), SF_ERR_CANCELLED);
    assert_null(margin);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* The n-th allocation fails, for every n: SF_ERR_MEMORY, nothing left behind. The data are not unique (ties), so the search
 * of the face takes part; or weakly separable; or of features of very different sizes. z: (4, 3). */
static void run_failing(sf_margin_options options, const double *z)
{
    for (long n = 0;; n++) {
        test_memory memory = {.fail_at = -1};
        sf_context *context = test_context_failing(&memory);
        sf_dataset *dataset = dataset_of(context, 4, 3, z);
        memory = (test_memory){.fail_at = n};
        sf_margin *margin = NULL;
        double residual, beta[] = {1.0, 1.0, 0.5};
        sf_status status = sf_margin_solve(context, dataset, &options, &margin);
        if (status == SF_ERR_UNAVAILABLE) {
            sf_dataset_destroy(&dataset);
            sf_context_destroy(&context);
            skip();
        }
        if (status == SF_OK)
            status = sf_margin_residual_of(context, dataset, &options, beta, 0.1, &residual);
        bool failed = memory.calls > n;
        if (failed || status != SF_ERR_NUMERIC) // l2 with beta >= 0 has no answer for features of other units
            assert_int_equal(status, failed ? SF_ERR_MEMORY : SF_OK);
        sf_margin_destroy(&margin);
        assert_int_equal(memory.live, 0);
        sf_dataset_destroy(&dataset);
        sf_context_destroy(&context);
        if (!failed)
            return;
    }
}

static void test_memory_failures(void **state)
{
    (void)state;
    static const double data[][12] = {{1.0, 1.0, 0.25, 2.0, 1.0, 1.0, 0.5, 1.0, 3.0, -0.5, 1.0, 0.0},
                                      {1.0, 1.0, 0.25, 2.0, 1.0, 1.0, 0.5, 1.0, 3.0, 1.0, 1.0, 0.0},
                                      {1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 2.0, 1.0},
                                      {1e9, 1e-9, 0.0, -1e9, 3e-9, 0.0, 1e9, 0.0, 1.0, -1e9, 0.0, 1.0}};
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
        run_failing(l2, data[i]);
        run_failing((sf_margin_options){SF_NORM_L2, true}, data[i]);
        run_failing(l1, data[i]);
        run_failing((sf_margin_options){SF_NORM_L1, true}, data[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_example),
                                       cmocka_unit_test(test_one_feature),
                                       cmocka_unit_test(test_collinear),
                                       cmocka_unit_test(test_duplicates_and_dead_features),
                                       cmocka_unit_test(test_touching_zero),
                                       cmocka_unit_test(test_small_margin),
                                       cmocka_unit_test(test_not_unique),
                                       cmocka_unit_test(test_weakly_separable),
                                       cmocka_unit_test(test_features_of_other_units),
                                       cmocka_unit_test(test_residual_of),
                                       cmocka_unit_test(test_arguments),
                                       cmocka_unit_test(test_memory_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
