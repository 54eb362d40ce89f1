/* What theory says: gates in closed form, limits, regimes, close calls, and what it does not say; failing memory. */
#include "../theory/common.h"

typedef struct world {
    sf_context *context;
    sf_dataset *dataset;
    sf_network *network;
    sf_prediction *prediction;
} world;

static world predicted(size_t n, size_t d, int depth, const double *x, sf_method method, double rho,
                       const double *theta)
{
    world w = {.context = test_context()};
    sf_perturbation perturbation = {method, rho, 3.0};
    assert_ok(w.context, sf_dataset_from_points(w.context, n, d, x, NULL, &w.dataset));
    assert_ok(w.context, sf_network_create(w.context, w.dataset, depth, SF_LOSS_LOGISTIC, &w.network));
    assert_ok(w.context, sf_predict(w.context, w.network, &perturbation, theta, &w.prediction));
    for (int f = 0; f < SF_FIELD_COUNT; f++) // every answer has a reason
        assert_true(*sf_prediction_basis(w.prediction, (sf_answer_field)f) != '\0');
    return w;
}

static void leave(world *w)
{
    sf_prediction_destroy(&w->prediction);
    sf_network_destroy(&w->network);
    sf_dataset_destroy(&w->dataset);
    sf_context_destroy(&w->context);
}

/* Equal layers from d starts. */
static world equal(size_t d, int depth, const double *mu, sf_method method, double rho, const double *alpha)
{
    double theta[MOST * MOST];
    for (int l = 0; l < depth; l++)
        memcpy(theta + (size_t)l * d, alpha, d * sizeof *alpha);
    return predicted(1, d, depth, mu, method, rho, theta);
}

static void expect_limit(world w, sf_limit_kind kind, int64_t index, size_t d, const double *direction)
{
    int64_t found;
    const double *vector;
    assert_int_equal(sf_prediction_limit(w.prediction, &found, &vector, NULL, NULL), kind);
    assert_int_equal(found, index);
    if (direction) {
        assert_non_null(vector);
        for (size_t j = 0; j < d; j++)
            assert_absolute(vector[j], direction[j], 1e-15);
    }
    leave(&w);
}

#define VECTOR(...) ((const double[]){__VA_ARGS__})

static void test_gates(void **state)
{
    (void)state;
    // L = 2: 0 at ln(rho / (rho - alpha)) / mu; at the gate; growth; mu < 0 slides from any height
    world w = equal(4, 2, VECTOR(1.0, 2.0, 0.5, -1.0), SF_METHOD_LINF, 0.5, VECTOR(0.4, 0.5, 0.6, 0.7));
    const sf_gate *gate = sf_prediction_gates(w.prediction);
    assert_int_equal(gate[0].kind, SF_GATE_ZERO);
    assert_relative(gate[0].tau, log(5.0), 1e-15);
    assert_int_equal(gate[1].kind, SF_GATE_CONSTANT);
    assert_relative(gate[1].level, 0.25, 1e-15);
    assert_int_equal(gate[2].kind, SF_GATE_GROWS);
    assert_int_equal(gate[3].kind, SF_GATE_ZERO);
    assert_relative(gate[3].tau, log(1.2 / 0.5), 1e-14);
    expect_limit(w, SF_LIMIT_BASIS, 2, 4, NULL);
    // L = 3: blow-up at 1 / (mu (alpha - rho)), the others frozen there
    w = equal(3, 3, VECTOR(2.0, 1.0, 0.8), SF_METHOD_LINF, 0.3, VECTOR(0.1, 0.3, 0.9));
    gate = sf_prediction_gates(w.prediction);
    assert_relative(sf_prediction_tau_max(w.prediction), 1.0 / (0.8 * 0.6), 1e-14);
    assert_int_equal(gate[0].kind, SF_GATE_LEVEL);
    assert_relative(gate[0].final, pow(0.3 - 1.0 / (5.0 + 2.0 / 0.48), 3.0), 1e-13);
    assert_relative(gate[0].level, 0.027, 1e-14);
    expect_limit(w, SF_LIMIT_BASIS, 2, 3, NULL);
    // L = 4: 0 at [(rho - alpha)^-2 - rho^-2] / (2 mu)
    w = equal(1, 4, VECTOR(3.0), SF_METHOD_LINF, 0.5, VECTOR(0.25));
    assert_relative(sf_prediction_gates(w.prediction)[0].tau, (16.0 - 4.0) / 6.0, 1e-14);
    expect_limit(w, SF_LIMIT_ZERO, -1, 1, NULL);
    // odd depth: mu < 0 is the mirror image
    w = equal(1, 3, VECTOR(-2.0), SF_METHOD_LINF, 0.5, VECTOR(-0.25));
    expect_limit(w, SF_LIMIT_POINT, -1, 1, VECTOR(-0.125));
}

static void test_limits(void **state)
{
    (void)state;
    // Corollary 3.5 with its ties
    expect_limit(equal(2, 2, VECTOR(2.0, 2.0), SF_METHOD_LINF, 0.5, VECTOR(1.0, 1.5)), SF_LIMIT_DIRECTION, -1,
                 2, VECTOR(0.2, 0.8)); // (alpha - rho)^2 = 1/4, 1
    expect_limit(equal(2, 3, VECTOR(1.0, 2.0), SF_METHOD_LINF, 0.5, VECTOR(2.5, 1.5)), SF_LIMIT_DIRECTION, -1,
                 2, VECTOR(8.0 / 9.0, 1.0 / 9.0)); // mu^-3
    expect_limit(equal(2, 4, VECTOR(1.0, 3.0), SF_METHOD_LINF, 0.5, VECTOR(2.5, 1.5)), SF_LIMIT_BASIS, 0, 2,
                 NULL);
    expect_limit(equal(2, 2, VECTOR(1.0, 3.0), SF_METHOD_LINF, 0.5, VECTOR(0.5, 0.25)), SF_LIMIT_POINT, -1, 2,
                 VECTOR(0.25, 0.0));
    // gradient descent: largest mu at L = 2, argmax mu alpha^(L-2) beyond
    expect_limit(equal(2, 2, VECTOR(1.0, 3.0), SF_METHOD_GD, 0.0, VECTOR(5.0, 0.01)), SF_LIMIT_BASIS, 1, 2,
                 NULL);
    expect_limit(equal(2, 3, VECTOR(1.0, 3.0), SF_METHOD_GD, 0.0, VECTOR(5.0, 0.01)), SF_LIMIT_BASIS, 0, 2,
                 NULL);
    // l2-SAM
    expect_limit(equal(2, 2, VECTOR(1.0, 2.0), SF_METHOD_L2, 1.0, VECTOR(0.6, 0.6)), SF_LIMIT_BASIS, 1, 2,
                 NULL);
    expect_limit(equal(2, 2, VECTOR(1.0, 2.0), SF_METHOD_L2, 1.0, VECTOR(0.5, 0.5)), SF_LIMIT_ZERO, -1, 2,
                 NULL);
    expect_limit(equal(2, 2, VECTOR(2.0, 2.0), SF_METHOD_L2, 1.0, VECTOR(1.0, 2.0)), SF_LIMIT_DIRECTION, -1,
                 2, VECTOR(0.2, 0.8));
    // L = 1: along mu
    expect_limit(equal(2, 1, VECTOR(3.0, -4.0), SF_METHOD_LINF, 1.0, VECTOR(0.1, 0.2)), SF_LIMIT_MAX_MARGIN,
                 -1, 2, VECTOR(0.6, -0.8));
}

/* linf-SAM, unequal layers (theory, section 2.3): growth iff u > 2 rho, or u (v + 2 rho) > 8 rho^2 from (+, -). */
static void test_unequal_layers(void **state)
{
    (void)state;
    double mu[] = {1.0};
    expect_limit(predicted(1, 1, 2, mu, SF_METHOD_LINF, 0.5, VECTOR(2.0, 0.4)), SF_LIMIT_BASIS, 0, 1, NULL);
    expect_limit(predicted(1, 1, 2, mu, SF_METHOD_LINF, 0.5, VECTOR(0.7, 0.2)), SF_LIMIT_ZERO, -1, 1, NULL);
    expect_limit(predicted(1, 1, 2, mu, SF_METHOD_LINF, 0.5, VECTOR(0.9, 0.1)), SF_LIMIT_POINT, -1, 1,
                 VECTOR(0.25));
    // u = 1, v + 2 rho = 1.8 + 1 = 2.8 > 2; u = 0.5, v + 1 = 3.5: 1.75 < 2; u = 0.5, v + 1 = 4: the boundary
    expect_limit(predicted(1, 1, 2, mu, SF_METHOD_LINF, 0.5, VECTOR(1.4, -0.4)), SF_LIMIT_BASIS, 0, 1, NULL);
    expect_limit(predicted(1, 1, 2, mu, SF_METHOD_LINF, 0.5, VECTOR(1.5, -1.0)), SF_LIMIT_ZERO, -1, 1, NULL);
    expect_limit(predicted(1, 1, 2, mu, SF_METHOD_LINF, 0.5, VECTOR(1.75, -1.25)), SF_LIMIT_UNKNOWN, -1, 1,
                 NULL);
}

static void test_regimes(void **state)
{
    (void)state;
    static const struct {
        double alpha;
        sf_regime regime;
    } known[] = {{0.1, SF_REGIME_COLLAPSE},       {0.5213, SF_REGIME_COLLAPSE},
                 {0.5214, SF_REGIME_MINOR_FIRST}, {0.9, SF_REGIME_MINOR_FIRST},
                 {0.949, SF_REGIME_MAJOR_FIRST},  {1e3, SF_REGIME_MAJOR_FIRST},
                 {1e-60, SF_REGIME_COLLAPSE}};
    double mu[] = {1.0, 2.0};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        world w = equal(2, 2, mu, SF_METHOD_L2, 1.0, VECTOR(known[i].alpha, known[i].alpha));
        assert_int_equal(sf_prediction_regime(w.prediction), known[i].regime);
        assert_relative(sf_prediction_critical_scale(w.prediction), 0.5213212825996665,
                        1e-14 + 64.0 * REAL_EPSILON);
        assert_relative(sf_prediction_spotlight(w.prediction), sqrt(10.0) * known[i].alpha, 1e-14);
        assert_relative(sf_prediction_thresholds(w.prediction).major_first_from, 3.0 / sqrt(10.0), 1e-14);
        leave(&w);
    }
}

/* Within 1e-9 of the critical scale: nothing is claimed. */
static void test_close_calls(void **state)
{
    (void)state;
    double mu[] = {1.0, 2.0}, critical = 0.5213212825996665;
    for (int side = -1; side <= 1; side += 2) {
        double alpha = critical * (1.0 + side * 5e-10), far = critical * (1.0 + side * 1e-8);
        world w = equal(2, 2, mu, SF_METHOD_L2, 1.0, VECTOR(alpha, alpha));
        assert_int_equal(sf_prediction_regime(w.prediction), SF_REGIME_NONE);
        assert_non_null(strstr(sf_prediction_basis(w.prediction, SF_FIELD_REGIME), "within 1e-9"));
        expect_limit(w, SF_LIMIT_UNKNOWN, -1, 2, NULL);
        w = equal(2, 2, mu, SF_METHOD_L2, 1.0, VECTOR(far, far));
        assert_int_equal(sf_prediction_regime(w.prediction),
                         side < 0 ? SF_REGIME_COLLAPSE : SF_REGIME_MINOR_FIRST);
        leave(&w);
    }
}

static void test_no_answer(void **state)
{
    (void)state;
    double mu[] = {1.0, 2.0}, points[] = {1.0, 2.0, 2.0, 1.0}, theta[] = {1.0, 1.0, 0.5, 0.5, 0.2, 0.2};
    expect_limit(predicted(1, 2, 3, mu, SF_METHOD_L2, 1.0, theta), SF_LIMIT_UNKNOWN, -1, 2, NULL);
    expect_limit(predicted(1, 2, 2, mu, SF_METHOD_USAM, 1.0, theta), SF_LIMIT_UNKNOWN, -1, 2, NULL);
    expect_limit(predicted(1, 2, 2, mu, SF_METHOD_LP, 1.0, theta), SF_LIMIT_UNKNOWN, -1, 2, NULL);
    expect_limit(predicted(1, 2, 3, mu, SF_METHOD_LINF, 1.0, theta), SF_LIMIT_UNKNOWN, -1, 2, NULL);
    expect_limit(predicted(2, 2, 2, points, SF_METHOD_LINF, 1.0, theta), SF_LIMIT_UNKNOWN, -1, 2, NULL);
    expect_limit(predicted(2, 2, 3, points, SF_METHOD_GD, 0.0, theta), SF_LIMIT_UNKNOWN, -1, 2, NULL);
    expect_limit(predicted(2, 2, 2, points, SF_METHOD_L2, 1.0, theta), SF_LIMIT_MAX_MARGIN, -1, 2, NULL);
    expect_limit(predicted(1, 2, 2, VECTOR(0.0, 0.0), SF_METHOD_L2, 1.0, theta), SF_LIMIT_POINT, -1, 2,
                 VECTOR(0.5, 0.5));
}

/* mu_2 < 0 with equal layers has no growing part: the other feature is the strongest that can grow. */
static void test_no_growing_part(void **state)
{
    (void)state;
    world w = equal(2, 2, VECTOR(1.0, -2.0), SF_METHOD_L2, 1.0, VECTOR(0.8, 0.8));
    assert_int_equal(sf_prediction_regime(w.prediction), SF_REGIME_MAJOR_FIRST);
    assert_null(sf_prediction_peak(w.prediction));
    expect_limit(w, SF_LIMIT_BASIS, 0, 2, VECTOR(1.0, 0.0));
    // two decaying features under GD: alpha_j^2 exp(-2 |mu_j| tau) cross once, and the search for that ends
    w = equal(2, 2, VECTOR(-0.19, -0.82), SF_METHOD_GD, 0.0, VECTOR(0.26, 0.64));
    size_t leaders;
    const sf_leader *order = sf_prediction_dominance(w.prediction, &leaders);
    assert_int_equal(leaders, 2);
    assert_int_equal(order[1].index, 0);
    assert_relative(order[1].tau, log(0.64 / 0.26) / (0.82 - 0.19), 1e-12);
    leave(&w);
    w = equal(1, 2, VECTOR(-2.0), SF_METHOD_L2, 1.0, VECTOR(100.0));
    assert_int_equal(sf_prediction_regime(w.prediction), SF_REGIME_COLLAPSE);
    assert_true(isnan(sf_prediction_critical_scale(w.prediction)));
    expect_limit(w, SF_LIMIT_ZERO, -1, 1, NULL);
    w = equal(1, 2, VECTOR(-2.0), SF_METHOD_GD, 0.0, VECTOR(100.0));
    assert_int_equal(sf_prediction_regime(w.prediction), SF_REGIME_NONE);
    expect_limit(w, SF_LIMIT_ZERO, -1, 1, NULL);
}

/* Permuting coordinates permutes the answer. */
static void test_permutation(void **state)
{
    (void)state;
    world w = equal(3, 2, VECTOR(1.0, 2.0, 3.0), SF_METHOD_L2, 1.0, VECTOR(0.45, 0.45, 0.45));
    world p = equal(3, 2, VECTOR(3.0, 1.0, 2.0), SF_METHOD_L2, 1.0, VECTOR(0.45, 0.45, 0.45));
    const size_t to[] = {1, 2, 0};
    size_t count, same;
    const sf_leader *a = sf_prediction_dominance(w.prediction, &count),
                    *b = sf_prediction_dominance(p.prediction, &same);
    assert_int_equal(count, same);
    for (size_t k = 0; k < count; k++) {
        assert_int_equal(b[k].index, to[a[k].index]);
        assert_true(b[k].tau == a[k].tau);
    }
    leave(&w);
    leave(&p);
}

/* Every allocation fails once: an error, nothing left behind, nothing handed out. */
static void test_failing_memory(void **state)
{
    (void)state;
    static const struct {
        int depth;
        sf_method method;
    } kinds[] = {{2, SF_METHOD_L2}, {3, SF_METHOD_LINF}, {2, SF_METHOD_GD}};
    for (size_t kind = 0; kind < 3; kind++) {
        bool done = false;
        for (long n = 0; !done; n++) {
            sf_context *plain = test_context();
            test_memory memory = {.fail_at = n};
            sf_context *context = test_context_failing(&memory);
            sf_dataset *dataset = NULL;
            sf_network *network = NULL;
            sf_prediction *prediction = (sf_prediction *)&memory;
            double theta[] = {0.6, 0.7, 0.6, 0.7, 0.6, 0.7};
            assert_ok(plain, sf_dataset_from_points(plain, 1, 2, VECTOR(1.0, 2.0), NULL, &dataset));
            assert_ok(plain,
                      sf_network_create(plain, dataset, kinds[kind].depth, SF_LOSS_LOGISTIC, &network));
            sf_perturbation perturbation = {kinds[kind].method, 1.0, 0.0};
            sf_status status = sf_predict(context, network, &perturbation, theta, &prediction);
            done = status == SF_OK;
            if (!done) {
                assert_int_equal(status, SF_ERR_MEMORY);
                assert_null(prediction);
            }
            sf_prediction_destroy(&prediction);
            assert_int_equal(memory.live, 0);
            sf_network_destroy(&network);
            sf_dataset_destroy(&dataset);
            sf_context_destroy(&plain);
            sf_context_destroy(&context);
        }
    }
    for (long n = 0;; n++) {
        test_memory memory = {.fail_at = n};
        sf_context *context = test_context_failing(&memory);
        sf_reduction *r = (sf_reduction *)&memory;
        sf_status status = sf_reduction_create(context, 2, VECTOR(1.0, 2.0), VECTOR(0.6, 0.6),
                                               VECTOR(0.6, 0.6), 1.0, SF_LOSS_LOGISTIC, &r);
        if (status != SF_OK)
            assert_null(r);
        const sf_leader *leaders;
        size_t count;
        if (r)
            status = sf_reduction_dominance(r, &leaders, &count);
        sf_reduction_destroy(&r);
        assert_int_equal(memory.live, 0);
        sf_context_destroy(&context);
        if (status == SF_OK)
            break;
        assert_int_equal(status, SF_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gates),           cmocka_unit_test(test_limits),
        cmocka_unit_test(test_unequal_layers),  cmocka_unit_test(test_regimes),
        cmocka_unit_test(test_close_calls),     cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_no_growing_part), cmocka_unit_test(test_permutation),
        cmocka_unit_test(test_failing_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
