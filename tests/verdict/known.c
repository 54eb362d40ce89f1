/* Limits that are known in closed form, ties and close calls, many examples with exact margins, failing memory. */
#include "support.h"

typedef struct case_of_one {
    size_t d;
    int depth;
    sf_method method;
    double rho;
    const double *mu, *layers; // (d), (L, d)
} case_of_one;

static sf_limit *find(sf_context *context, size_t n, size_t d, const double *z, int depth, sf_method method,
                      double rho, const double *layers, const sf_limit_options *options)
{
    sf_dataset *dataset = NULL;
    sf_network *network = NULL;
    sf_limit *limit = NULL;
    sf_perturbation perturbation = {.method = method, .rho = rho};
    assert_ok(context, sf_dataset_from_points(context, n, d, z, NULL, &dataset));
    assert_ok(context, sf_network_create(context, dataset, depth, SF_LOSS_LOGISTIC, &network));
    sf_status status = sf_limit_find(context, network, &perturbation, layers, options, &limit);
    if (status == SF_ERR_UNAVAILABLE) {
        print_message("skipped: built without flows\n");
        skip();
    }
    assert_ok(context, status);
    sf_network_destroy(&network);
    sf_dataset_destroy(&dataset);
    return limit;
}

static void expect(case_of_one c, sf_limit_kind kind, int64_t index, const double *direction)
{
    sf_context *context = test_context();
    sf_limit *limit = find(context, 1, c.d, c.mu, c.depth, c.method, c.rho, c.layers, NULL);
    const sf_limit_report *r = sf_limit_get(limit);
    if (r->kind != kind || r->index != index)
        print_error("kind %d, index %lld: %s\n", (int)r->kind, (long long)r->index, r->reason);
    assert_int_equal(r->kind, kind);
    assert_int_equal(r->index, index);
    for (size_t j = 0; direction && j < c.d; j++)
        assert_absolute(r->direction[j], direction[j], 1e-9);
    if (kind == SF_LIMIT_BASIS || kind == SF_LIMIT_DIRECTION || kind == SF_LIMIT_MAX_MARGIN)
        assert_true(r->distance < 0.05); // the flow was seen to be nearly there
    sf_limit_destroy(&limit);
    sf_context_destroy(&context);
}

static const double MU[] = {1.0, 2.0};

static void test_l2(void **state)
{
    (void)state;
    // alpha_c(mu, 1) = 0.5213212826; at 0.53 the strong feature leads only from log t = 1.08e6 on
    expect((case_of_one){2, 2, SF_METHOD_L2, 1.0, MU, (double[]){0.53, 0.53, 0.53, 0.53}}, SF_LIMIT_BASIS, 1,
           (double[]){0.0, 1.0});
    expect((case_of_one){2, 2, SF_METHOD_L2, 1.0, MU, (double[]){0.8, 0.8, 0.8, 0.8}}, SF_LIMIT_BASIS, 1,
           NULL);
    expect((case_of_one){2, 2, SF_METHOD_L2, 1.0, MU, (double[]){0.52, 0.52, 0.52, 0.52}}, SF_LIMIT_ZERO, -1,
           NULL);
    // a negative feature is used by its growing mode v, which unequal layers have
    expect((case_of_one){2, 2, SF_METHOD_L2, 0.1, (double[]){1.0, -2.0}, (double[]){0.5, 0.5, 0.0, 0.0}},
           SF_LIMIT_BASIS, 1, (double[]){0.0, -1.0});
    // but equal layers have not
    expect((case_of_one){2, 2, SF_METHOD_L2, 0.1, (double[]){1.0, -2.0}, (double[]){0.5, 0.5, 0.5, 0.5}},
           SF_LIMIT_BASIS, 0, (double[]){1.0, 0.0});
}

static void test_gd(void **state)
{
    (void)state;
    expect((case_of_one){2, 1, SF_METHOD_GD, 0.0, MU, (double[]){0.3, -0.4}}, SF_LIMIT_MAX_MARGIN, -1,
           (double[]){1.0 / sqrt(5.0), 2.0 / sqrt(5.0)});
    expect((case_of_one){2, 2, SF_METHOD_GD, 0.0, MU, (double[]){1.0, 1e-3, 1.0, 1e-3}}, SF_LIMIT_BASIS, 1,
           NULL);
    // L = 3: argmax mu_j alpha_j
    expect((case_of_one){2, 3, SF_METHOD_GD, 0.0, MU, (double[]){0.5, 0.2, 0.5, 0.2, 0.5, 0.2}},
           SF_LIMIT_BASIS, 0, NULL);
    expect((case_of_one){2, 3, SF_METHOD_GD, 0.0, MU, (double[]){0.5, 0.3, 0.5, 0.3, 0.5, 0.3}},
           SF_LIMIT_BASIS, 1, NULL);
    // nothing to grow: mu < 0 and beta >= 0
    expect((case_of_one){2, 2, SF_METHOD_GD, 0.0, (double[]){-1.0, -2.0}, (double[]){0.3, 0.3, 0.3, 0.3}},
           SF_LIMIT_ZERO, -1, NULL);
}

static void test_gates(void **state)
{
    (void)state;
    // Corollary 3.5: argmax over alpha_j > rho of mu_j (alpha_j - rho)^{L - 2}
    expect((case_of_one){2, 2, SF_METHOD_LINF, 1.0, MU, (double[]){1.2, 0.5, 1.2, 0.5}}, SF_LIMIT_BASIS, 0,
           NULL);
    expect((case_of_one){2, 2, SF_METHOD_LINF, 1.0, MU, (double[]){1.2, 1.1, 1.2, 1.1}}, SF_LIMIT_BASIS, 1,
           NULL);
    expect((case_of_one){2, 2, SF_METHOD_LINF, 1.0, MU, (double[]){0.2, 0.5, 0.2, 0.5}}, SF_LIMIT_ZERO, -1,
           NULL);
    expect((case_of_one){2, 4, SF_METHOD_LINF, 0.5, MU, (double[]){1.5, 1.0, 1.5, 1.0, 1.5, 1.0, 1.5, 1.0}},
           SF_LIMIT_BASIS, 0, NULL);
    // alpha_j = rho stays where it is, whatever its strength
    expect((case_of_one){2, 2, SF_METHOD_LINF, 1.0, MU, (double[]){1.2, 1.0, 1.2, 1.0}}, SF_LIMIT_BASIS, 0,
           NULL);
    // odd depth below the gate: beta -> rho^L, a point
    expect((case_of_one){2, 3, SF_METHOD_LINF, 1.0, MU, (double[]){0.2, 0.5, 0.2, 0.5, 0.2, 0.5}},
           SF_LIMIT_POINT, -1, NULL);
}

/* theory, section 2: a tie for L = 2 shares like (alpha_j - rho)^2, for L >= 3 like mu_j^{-L/(L-2)}. */
static void test_ties(void **state)
{
    (void)state;
    expect((case_of_one){2, 2, SF_METHOD_LINF, 1.0, (double[]){2.0, 2.0}, (double[]){1.5, 1.25, 1.5, 1.25}},
           SF_LIMIT_DIRECTION, -1, (double[]){0.8, 0.2});
    expect((case_of_one){2, 2, SF_METHOD_GD, 0.0, (double[]){2.0, 2.0}, (double[]){0.3, 0.1, 0.3, 0.1}},
           SF_LIMIT_DIRECTION, -1, (double[]){0.9, 0.1});
    // mu (alpha - rho) = 0.5 for both; shares 1 : 2^-3
    expect((case_of_one){2, 3, SF_METHOD_LINF, 1.0, MU, (double[]){1.5, 1.25, 1.5, 1.25, 1.5, 1.25}},
           SF_LIMIT_DIRECTION, -1, (double[]){8.0 / 9.0, 1.0 / 9.0});
}

static void test_close_calls(void **state)
{
    (void)state;
    // within 1e-9 of alpha_c (d = 1: 1/sqrt 2)
    double critical = sqrt(0.5);
    for (int side = -1; side <= 1; side++) {
        double alpha = critical * (1.0 + 1e-11 * side);
        sf_context *context = test_context();
        sf_limit *limit =
            find(context, 1, 1, (double[]){3.0}, 2, SF_METHOD_L2, 1.0, (double[]){alpha, alpha}, NULL);
        assert_true(sf_limit_get(limit)->kind == SF_LIMIT_UNKNOWN);
        sf_limit_destroy(&limit);
        sf_context_destroy(&context);
    }
    // blow-up times 1e-10 apart: theory tells them apart at the start, long before a run could
    sf_context *context = test_context();
    sf_limit *limit = find(context, 1, 2, (double[]){1.0, 1.0 + 1e-10}, 3, SF_METHOD_GD, 0.0,
                           (double[]){0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, NULL);
    assert_int_equal(sf_limit_get(limit)->kind, SF_LIMIT_BASIS);
    assert_int_equal(sf_limit_get(limit)->index, 1);
    assert_int_equal(sf_limit_get(limit)->evidence, SF_EVIDENCE_PROVED);
    sf_limit_destroy(&limit);
    sf_context_destroy(&context);
    // an example that moves nothing
    expect((case_of_one){2, 2, SF_METHOD_GD, 0.0, (double[]){0.0, 0.0}, (double[]){0.5, 0.5, 0.5, 0.5}},
           SF_LIMIT_POINT, -1, NULL);
}

/* (0.78, 1.4) and (1.01, 0.77) support the l1-max-margin direction (63, 23) / 86: from 0.78 a + 1.4 b = 1.01 a + 0.77 b. */
static const double Z[] = {0.78, 1.40, 1.01, 0.77, 1.83, 1.28};

static void test_many_examples(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const sf_limit_options far = {.size = sizeof(sf_limit_options), .log_time = 1e6};
    static const sf_method method[] = {SF_METHOD_GD, SF_METHOD_L2};
    for (int m = 0; m < 2; m++) {
        sf_limit *limit = find(context, 3, 2, Z, 2, method[m], 0.1, (double[]){0.1, 0.1, 0.1, 0.1}, &far);
        const sf_limit_report *r = sf_limit_get(limit);
        assert_int_equal(r->kind, SF_LIMIT_MAX_MARGIN);
        assert_true(r->nonnegative);
        assert_absolute(r->direction[0], 63.0 / 86.0, 1e-14);
        assert_absolute(r->direction[1], 23.0 / 86.0, 1e-14);
        // the error is K / log t with K = 2.087566585 for both methods (reference, 40 digits)
        assert_absolute(r->rate_exponent, 1.0, 1e-3);
        assert_relative(r->distance * r->log_time, 2.087566585, 1e-3);
        assert_absolute(r->loss_rate, -1.0, 1e-3);
        assert_relative(r->norm_rate, 86.0 / (0.78 * 63.0 + 1.4 * 23.0), 1e-3); // 1 / margin
        assert_true(r->kkt_residual < 1e-5);
        assert_true(r->angle_l1 < 1e-5);
        sf_limit_destroy(&limit);
    }
    // L = 1: the l2-max-margin direction
    sf_limit *limit = find(context, 3, 2, Z, 1, SF_METHOD_LINF, 0.1, (double[]){0.1, -0.3}, &far);
    assert_int_equal(sf_limit_get(limit)->kind, SF_LIMIT_MAX_MARGIN);
    assert_int_equal(sf_limit_get(limit)->norm, SF_NORM_L2);
    assert_true(sf_limit_get(limit)->angle_l2 < 1e-5);
    sf_limit_destroy(&limit);
    sf_context_destroy(&context);
}

/* The best predictor needs a negative coordinate: equal layers go to the best one over beta >= 0, others to the best. */
static void test_signs(void **state)
{
    (void)state;
    static const double z[] = {1.0, -0.5, 1.0, 0.25, 0.5, -1.0};
    sf_context *context = test_context();
    sf_limit *limit = find(context, 3, 2, z, 2, SF_METHOD_GD, 0.0, (double[]){0.1, 0.1, 0.1, 0.1}, NULL);
    const sf_limit_report *r = sf_limit_get(limit);
    assert_int_equal(r->kind, SF_LIMIT_MAX_MARGIN);
    assert_int_equal(r->index, 0); // (1, 0): all that is left without the second feature
    assert_true(r->angle_l1 > 0.1 && r->angle_nonnegative < 1e-3);
    sf_limit_destroy(&limit);
    // 1 * a - 0.25 b = 0.5 a + b with b = -beta_1: a = 2.5 b
    limit = find(context, 3, 2, z, 2, SF_METHOD_GD, 0.0, (double[]){0.1, 0.1, 0.0, 0.0}, NULL);
    r = sf_limit_get(limit);
    assert_int_equal(r->kind, SF_LIMIT_MAX_MARGIN);
    assert_absolute(r->direction[0], 2.5 / 3.5, 1e-12);
    assert_absolute(r->direction[1], -1.0 / 3.5, 1e-12);
    sf_limit_destroy(&limit);
    // one sign each: beta_0 >= 0 (equal), beta_1 <= 0 (opposite)
    limit = find(context, 3, 2, z, 2, SF_METHOD_GD, 0.0, (double[]){0.1, 0.1, 0.1, -0.1}, NULL);
    r = sf_limit_get(limit);
    assert_int_equal(r->kind, SF_LIMIT_MAX_MARGIN);
    assert_absolute(r->direction[1], -1.0 / 3.5, 1e-12);
    sf_limit_destroy(&limit);
    sf_context_destroy(&context);
}

static void test_many_unknown(void **state)
{
    (void)state;
    sf_context *context = test_context();
    // l1 not unique: both features alike on every example
    sf_limit *limit = find(context, 2, 2, (double[]){1.0, 1.0, 2.0, 2.0}, 2, SF_METHOD_GD, 0.0,
                           (double[]){0.1, 0.2, 0.1, 0.2}, NULL);
    assert_int_equal(sf_limit_get(limit)->kind, SF_LIMIT_UNKNOWN);
    sf_limit_destroy(&limit);
    // not separable: beta converges to a finite minimizer
    limit = find(context, 2, 1, (double[]){1.0, -0.5}, 2, SF_METHOD_GD, 0.0, (double[]){0.4, 0.4},
                 &(sf_limit_options){.size = sizeof(sf_limit_options), .log_time = 40.0});
    assert_true(sf_limit_get(limit)->kind == SF_LIMIT_UNKNOWN || sf_limit_get(limit)->kind == SF_LIMIT_POINT);
    sf_limit_destroy(&limit);
    sf_context_destroy(&context);
}

static void test_arguments(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_dataset *dataset = NULL;
    sf_network *network = NULL;
    sf_limit *limit = NULL;
    sf_perturbation gd = {.method = SF_METHOD_GD};
    double theta[] = {0.1, 0.1};
    assert_ok(context, sf_dataset_from_points(context, 1, 1, (double[]){1.0}, NULL, &dataset));
    assert_ok(context, sf_network_create(context, dataset, 2, SF_LOSS_LOGISTIC, &network));
    assert_status(context,
                  sf_limit_find(context, network, &gd, theta,
                                &(sf_limit_options){.size = sizeof(sf_limit_options), .log_time = NAN},
                                &limit),
                  SF_ERR_ARGUMENT);
    assert_null(limit);
    assert_status(context,
                  sf_limit_find(context, network, &gd, theta,
                                &(sf_limit_options){.size = sizeof(sf_limit_options), .tolerance = -1.0},
                                &limit),
                  SF_ERR_ARGUMENT);
    sf_limit_destroy(&limit);
    sf_limit_destroy(NULL);
    sf_network_destroy(&network);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

static void run_failing(size_t n, sf_method method)
{
    static const double theta[] = {0.4, 0.4, 0.4, 0.4};
    for (long at = 0;; at++) {
        test_memory memory = {.fail_at = -1};
        sf_context *context = test_context_failing(&memory);
        sf_dataset *dataset = NULL;
        sf_network *network = NULL;
        sf_limit *limit = NULL;
        sf_perturbation perturbation = {.method = method, .rho = 0.1};
        sf_limit_options options = {.size = sizeof(sf_limit_options), .log_time = 100.0};
        assert_ok(context, sf_dataset_from_points(context, n, 2, Z, NULL, &dataset));
        assert_ok(context, sf_network_create(context, dataset, 2, SF_LOSS_LOGISTIC, &network));
        long before = memory.live;
        memory = (test_memory){.fail_at = at, .live = before};
        sf_status status = sf_limit_find(context, network, &perturbation, theta, &options, &limit);
        bool failed = memory.calls > at;
        if (status == SF_ERR_UNAVAILABLE)
            skip();
        assert_true(status == SF_OK || status == SF_ERR_MEMORY);
        assert_true(failed || status == SF_OK);
        assert_true((limit != NULL) == (status == SF_OK));
        sf_limit_destroy(&limit);
        assert_int_equal(memory.live, before);
        sf_network_destroy(&network);
        sf_dataset_destroy(&dataset);
        sf_context_destroy(&context);
        if (!failed)
            return;
    }
}

static void test_memory_failures(void **state)
{
    (void)state;
    run_failing(1, SF_METHOD_L2);
    run_failing(1, SF_METHOD_LINF);
    run_failing(3, SF_METHOD_GD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_l2),          cmocka_unit_test(test_gd),
        cmocka_unit_test(test_gates),       cmocka_unit_test(test_ties),
        cmocka_unit_test(test_close_calls), cmocka_unit_test(test_many_examples),
        cmocka_unit_test(test_signs),       cmocka_unit_test(test_many_unknown),
        cmocka_unit_test(test_arguments),   cmocka_unit_test(test_memory_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
