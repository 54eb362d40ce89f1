/* Random experiments on a single example: what `limit` finds by running the flow must be what sf_predict derives without
 * running it. The two share nothing but the data set: predictions are closed forms and a one-scalar reduction, limits
 * are judged from the state that the integrator reached. l2-SAM is drawn at the depths
 * that theory covers (L = 1, 2).
 *
 * SAMFLOW_LONG_TESTS=1 runs all 1000, else the first 200 (40 under an emulator).
 */
#include "support.h"

enum { SHORT = 200, ALL = 1000, MAX_D = 5, MAX_DEPTH = 4 };

typedef struct draw {
    size_t d;
    int depth;
    sf_perturbation perturbation;
    double mu[MAX_D], theta[MAX_DEPTH * MAX_D];
} draw;

static draw draw_one(uint64_t trial)
{
    static const sf_method method[] = {SF_METHOD_GD, SF_METHOD_L2, SF_METHOD_LINF};
    sf_random random = sf_random_make(2026, trial);
    draw x = {.d = 1 + (size_t)sf_random_below(&random, MAX_D),
              .perturbation = {.method = method[sf_random_below(&random, 3)]}};
    // every method at every depth that theory covers
    x.depth = 1 + (int)sf_random_below(&random, x.perturbation.method == SF_METHOD_L2 ? 2 : 4);
    x.perturbation.rho = 0.7 * exp(0.5 * sf_random_normal(&random));
    bool signs = sf_random_uniform(&random) < 0.3, level = sf_random_uniform(&random) < 0.5;
    for (size_t j = 0; j < x.d; j++) {
        x.mu[j] = exp(sf_random_normal(&random));
        if (signs && sf_random_uniform(&random) < 0.5)
            x.mu[j] = -x.mu[j];
        double alpha = 0.8 * exp(0.7 * sf_random_normal(&random));
        for (int l = 0; l < x.depth; l++)
            x.theta[(size_t)l * x.d + j] = level ? 0.5 + x.perturbation.rho * 0.6 : alpha;
    }
    return x;
}

static void print_draw(uint64_t trial, const draw *x)
{
    print_error("trial %llu: %s, L = %d, rho = %.17g\n", (unsigned long long)trial,
                sf_method_name(x->perturbation.method), x->depth, x->perturbation.rho);
    for (size_t j = 0; j < x->d; j++)
        print_error("  mu = %.17g, alpha = %.17g\n", x->mu[j], x->theta[j]);
}

/* Returns whether theory had an answer. */
static bool compare(sf_context *context, uint64_t trial)
{
    draw x = draw_one(trial);
    sf_dataset *dataset = NULL;
    sf_network *network = NULL;
    sf_prediction *prediction = NULL;
    sf_limit *limit = NULL;
    assert_ok(context, sf_dataset_from_points(context, 1, x.d, x.mu, NULL, &dataset));
    assert_ok(context, sf_network_create(context, dataset, x.depth, SF_LOSS_LOGISTIC, &network));
    assert_ok(context, sf_predict(context, network, &x.perturbation, x.theta, &prediction));
    sf_status status = sf_limit_find(context, network, &x.perturbation, x.theta, NULL, &limit);
    if (status == SF_ERR_UNAVAILABLE) {
        print_message("skipped: built without flows\n");
        skip();
    }
    assert_ok(context, status);
    const sf_limit_report *found = sf_limit_get(limit);
    int64_t index = -1;
    const double *direction = NULL;
    sf_limit_kind kind = sf_prediction_limit(prediction, &index, &direction, NULL, NULL);
    if (found->kind != kind || found->index != (kind == SF_LIMIT_BASIS ? index : -1)) {
        print_draw(trial, &x);
        print_error("predicted kind %d index %lld, found %d index %lld: %s\n", (int)kind, (long long)index,
                    (int)found->kind, (long long)found->index, found->reason);
        fail();
    }
    for (size_t j = 0; j < x.d && direction && kind != SF_LIMIT_POINT && kind != SF_LIMIT_ZERO; j++)
        assert_absolute(found->direction[j], direction[j], 1e-12);
    sf_limit_destroy(&limit);
    sf_prediction_destroy(&prediction);
    sf_network_destroy(&network);
    sf_dataset_destroy(&dataset);
    return kind != SF_LIMIT_UNKNOWN;
}

static void test_agreement(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const char *wanted = getenv("SAMFLOW_LONG_TESTS");
    uint64_t trials = wanted && *wanted == '1' ? ALL : test_count(SHORT, 40), answered = 0;
    for (uint64_t trial = 0; trial < trials; trial++)
        answered += compare(context, trial);
    print_message("%llu experiments agree, %llu of them with an answer\n", (unsigned long long)trials,
                  (unsigned long long)answered);
    assert_true(answered * 100 >= trials * 95);
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agreement)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
