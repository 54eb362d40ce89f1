/* The discrete update: every instruction set against the plain reference, invariances, the norm of eps. */
#include "../network/shapes.h"

typedef struct run {
    double *theta, norm;
    uint64_t steps;
    bool diverged;
    size_t parameters;
} run;

static run descend(const sf_dataset *dataset, int depth, sf_loss loss, sf_perturbation perturbation,
                   double eta, const double *theta, uint64_t steps, int threads)
{
    sf_context *context = test_context();
    sf_network *network = NULL;
    sf_descent *descent = NULL;
    assert_ok(context, sf_network_create(context, dataset, depth, loss, &network));
    assert_ok(context, sf_network_set_threads(network, threads));
    assert_ok(context, sf_descent_create(context, network, &perturbation, eta, theta, &descent));
    assert_ok(context, sf_descent_advance(descent, steps / 2));
    assert_ok(context, sf_descent_advance(descent, steps - steps / 2));
    run r = {.norm = sf_descent_applied_norm(descent),
             .steps = sf_descent_step(descent),
             .diverged = sf_descent_diverged(descent),
             .parameters = sf_network_parameters(network)};
    r.theta = malloc(r.parameters * sizeof *r.theta);
    memcpy(r.theta, sf_descent_theta(descent), r.parameters * sizeof *r.theta);
    sf_descent_destroy(&descent);
    sf_network_destroy(&network);
    sf_context_destroy(&context);
    return r;
}

static const sf_perturbation methods[] = {{SF_METHOD_GD, 0.0, 0.0},
                                          {SF_METHOD_L2, 0.1, 0.0},
                                          {SF_METHOD_LINF, 0.02, 0.0},
                                          {SF_METHOD_USAM, 0.3, 0.0},
                                          {SF_METHOD_LP, 0.1, 3.0}};
enum { METHODS = sizeof methods / sizeof methods[0] };

static void random_theta(size_t count, double scale, uint64_t seed, double *theta)
{
    sf_random random = sf_random_make(seed, 1);
    for (size_t k = 0; k < count; k++)
        theta[k] = scale * (0.5 + fabs(sf_random_normal(&random))); // away from the sign changes of linf-SAM
}

static void test_isa_against_plain(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const uint64_t steps = test_count(20, 4);
    for (int k = 0; k < SHAPES; k++) {
        sf_dataset *dataset = shape_dataset(context, &shapes[k], (uint64_t)k);
        for (int depth = 1; depth <= 5; depth++) {
            size_t count = sf_dataset_features(dataset) * (size_t)depth;
            double *theta = malloc(count * sizeof *theta);
            random_theta(count, 0.2, 7, theta);
            for (int m = 0; m < METHODS; m++) {
                if ((k + depth + m) % (int)test_count(1, METHODS) != 0) // each method on each shape
                    continue;
                sf_loss loss = (depth + m) % 2 ? SF_LOSS_LOGISTIC : SF_LOSS_EXPONENTIAL;
                setenv("SAMFLOW_ISA", "plain", 1);
                run plain = descend(dataset, depth, loss, methods[m], 1e-3, theta, steps, 1);
                FOR_EACH_ISA(isa)
                {
                    run fast = descend(dataset, depth, loss, methods[m], 1e-3, theta, steps, 1);
                    assert_int_equal(fast.steps, plain.steps);
                    assert_int_equal(fast.diverged, plain.diverged);
                    if (!plain.diverged) {
                        assert_absolute(relative_distance(count, fast.theta, plain.theta), 0.0, 1e-12);
                        assert_relative(fast.norm, plain.norm, 1e-11);
                    }
                    free(fast.theta);
                }
                free(plain.theta);
            }
            free(theta);
        }
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

static void test_same_bits(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const shape large[] = {{160, 4200, SHAPE_DOUBLES, 1.0, MIRROR},
                           {1, 200000, SHAPE_DOUBLES, 1.0, 0},
                           {70, 2100, SHAPE_COUNTS, 1.0, MIRROR | STANDARDIZE}};
    for (int k = 0; k < 3; k++) {
        sf_dataset *dataset = shape_dataset(context, &large[k], 11);
        size_t count = 2 * sf_dataset_features(dataset);
        double *theta = malloc(count * sizeof *theta), *first = NULL;
        random_theta(count, 0.3 / sqrt((double)large[k].d), 5, theta);
        FOR_EACH_ISA(isa)
        for (int threads = 1; threads <= 3; threads++) {
            run r = descend(dataset, 2, SF_LOSS_LOGISTIC, methods[1], 1e-3, theta, 6, threads);
            if (first)
                assert_memory_equal(r.theta, first, count * sizeof *first);
            else
                first = memcpy(malloc(count * sizeof *first), r.theta, count * sizeof *first);
            free(r.theta);
        }
        free(first);
        free(theta);
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

/* Runs that share a network, and questions to it between their steps, change no bits. */
static void test_shared_network(void **state)
{
    (void)state;
    enum { STEPS = 6 };
    const shape all[] = {{40, 50, SHAPE_COUNTS, 0.5, STANDARDIZE},
                         {20, 1900, SHAPE_COUNTS, 1.0, MIRROR | STANDARDIZE},
                         {20, 1900, SHAPE_DOUBLES, 1.0, 0}};
    sf_context *context = test_context();
    for (int k = 0; k < 3; k++) {
        sf_dataset *dataset = shape_dataset(context, &all[k], 3);
        size_t count = 2 * sf_dataset_features(dataset);
        double *theta[2], loss, smallest;
        sf_network *network = NULL;
        sf_descent *descent[2] = {NULL, NULL};
        unsetenv("SAMFLOW_ISA");
        assert_ok(context, sf_network_create(context, dataset, 2, SF_LOSS_LOGISTIC, &network));
        for (int r = 0; r < 2; r++) {
            theta[r] = malloc(count * sizeof *theta[r]);
            random_theta(count, 0.05, (uint64_t)r, theta[r]);
            assert_ok(context, sf_descent_create(context, network, &methods[1], 1e-2, theta[r], &descent[r]));
        }
        for (int i = 0; i < STEPS; i++)
            for (int r = 0; r < 2; r++) {
                assert_ok(context, sf_descent_advance(descent[r], 1));
                sf_network_evaluate(network, theta[0], &loss, &smallest); // at some predictor
            }
        for (int r = 0; r < 2; r++) {
            run alone = descend(dataset, 2, SF_LOSS_LOGISTIC, methods[1], 1e-2, theta[r], STEPS, 1);
            assert_memory_equal(sf_descent_theta(descent[r]), alone.theta, count * sizeof *alone.theta);
            free(alone.theta);
            free(theta[r]);
            sf_descent_destroy(&descent[r]);
        }
        sf_network_destroy(&network);
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

/* rho = 0 takes the steps of gradient descent, bit for bit, whatever the method. */
static void test_rho_zero(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const int chosen[] = {1, 3, 9, 13};
    for (int k = 0; k < 4; k++) {
        sf_dataset *dataset = shape_dataset(context, &shapes[chosen[k]], 2);
        size_t count = 3 * sf_dataset_features(dataset);
        double *theta = malloc(count * sizeof *theta);
        random_theta(count, 0.2, 1, theta);
        for (sf_isa isa = SF_ISA_PLAIN; isa <= SF_ISA_AVX512; isa++) {
            setenv("SAMFLOW_ISA", sf_isa_name(isa), 1);
            run gd = descend(dataset, 3, SF_LOSS_LOGISTIC, methods[0], 1e-2, theta, 30, 1);
            for (int m = 1; m < METHODS; m++) {
                sf_perturbation zero = methods[m];
                zero.rho = 0.0;
                run r = descend(dataset, 3, SF_LOSS_LOGISTIC, zero, 1e-2, theta, 30, 1);
                assert_memory_equal(r.theta, gd.theta, count * sizeof *theta);
                free(r.theta);
            }
            free(gd.theta);
        }
        free(theta);
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

/* ||eps|| = rho where the gradient is 1e-300 through tiny weights, through a margin of 690, or is 1e152. */
static void test_norm_at_extremes(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double x[2] = {1.0, 2.0},
                 starts[][2] = {{1e-150, 3e-150}, {15.0, 15.1}, {1e-310, 0.0}, {1e152, -1e151}};
    sf_dataset *dataset = NULL;
    assert_ok(context, sf_dataset_from_points(context, 1, 2, x, NULL, &dataset));
    for (sf_isa isa = SF_ISA_PLAIN; isa <= SF_ISA_AVX512; isa++) {
        setenv("SAMFLOW_ISA", sf_isa_name(isa), 1);
        for (size_t k = 0; k < sizeof starts / sizeof starts[0]; k++) {
            double theta[4] = {starts[k][0], starts[k][1], starts[k][0], starts[k][1]};
            for (int m = 1; m < METHODS; m++) {
                if (methods[m].method == SF_METHOD_USAM)
                    continue;
                run r = descend(dataset, 2, SF_LOSS_EXPONENTIAL, methods[m], 1e-9, theta, 1, 1);
                assert_relative(r.norm, methods[m].rho, 1e-12);
                free(r.theta);
            }
        }
        double zero[4] = {0.0, 0.0, 0.0, 0.0};
        run r = descend(dataset, 2, SF_LOSS_LOGISTIC, methods[1], 0.1, zero, 3, 1);
        assert_true(r.norm == 0.0 && r.theta[0] == 0.0 && r.theta[3] == 0.0);
        free(r.theta);
    }
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* Permuting the features permutes the result (sums differ in order only). */
static void test_permutation(void **state)
{
    (void)state;
    sf_context *context = test_context();
    enum { N = 6, D = 11 };
    double x[N * D], turned[N * D], theta[2 * D], turned_theta[2 * D];
    sf_random random = sf_random_make(3, 3);
    random_theta(2 * D, 0.3, 8, theta);
    for (int k = 0; k < N * D; k++)
        x[k] = sf_random_normal(&random);
    for (int j = 0; j < D; j++) {
        for (int i = 0; i < N; i++)
            turned[i * D + j] = x[i * D + (j * 4) % D];
        for (int l = 0; l < 2; l++)
            turned_theta[l * D + j] = theta[l * D + (j * 4) % D];
    }
    sf_dataset *one = NULL, *other = NULL;
    assert_ok(context, sf_dataset_from_points(context, N, D, x, NULL, &one));
    assert_ok(context, sf_dataset_from_points(context, N, D, turned, NULL, &other));
    for (sf_isa isa = SF_ISA_PLAIN; isa <= SF_ISA_AVX512; isa++) {
        setenv("SAMFLOW_ISA", sf_isa_name(isa), 1);
        for (int m = 0; m < METHODS; m++) {
            run a = descend(one, 2, SF_LOSS_LOGISTIC, methods[m], 0.01, theta, 50, 1);
            run b = descend(other, 2, SF_LOSS_LOGISTIC, methods[m], 0.01, turned_theta, 50, 1);
            for (int j = 0; j < 2 * D; j++)
                assert_relative(b.theta[j], a.theta[j / D * D + (j % D * 4) % D], 1e-12);
            free(a.theta);
            free(b.theta);
        }
    }
    sf_dataset_destroy(&one);
    sf_dataset_destroy(&other);
    sf_context_destroy(&context);
}

/* L = 1 is logistic regression: written out here, in long double. */
static void test_logistic_regression(void **state)
{
    (void)state;
    sf_context *context = test_context();
    enum { N = 5, D = 3, STEPS = 200 };
    double x[N * D], start[D] = {0.1, -0.2, 0.3}, eta = 0.1, rho = 0.2;
    sf_random random = sf_random_make(12, 0);
    for (int k = 0; k < N * D; k++)
        x[k] = sf_random_normal(&random);
    long double w[D] = {start[0], start[1], start[2]};
    for (int step = 0; step < STEPS; step++) {
        long double v[D] = {w[0], w[1], w[2]}, g[D];
        for (int pass = 0; pass < 2; pass++) {
            g[0] = g[1] = g[2] = 0.0L;
            for (int i = 0; i < N; i++) {
                long double m = 0.0L;
                for (int j = 0; j < D; j++)
                    m += v[j] * x[i * D + j];
                for (int j = 0; j < D; j++)
                    g[j] -= x[i * D + j] / (1.0L + expl(m)) / N;
            }
            long double norm = sqrtl(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
            for (int j = 0; j < D && pass == 0; j++)
                v[j] = w[j] + rho * g[j] / norm;
        }
        for (int j = 0; j < D; j++)
            w[j] -= eta * g[j];
    }
    sf_dataset *dataset = NULL;
    assert_ok(context, sf_dataset_from_points(context, N, D, x, NULL, &dataset));
    for (sf_isa isa = SF_ISA_PLAIN; isa <= SF_ISA_AVX512; isa++) {
        setenv("SAMFLOW_ISA", sf_isa_name(isa), 1);
        run r = descend(dataset, 1, SF_LOSS_LOGISTIC, (sf_perturbation){SF_METHOD_L2, rho, 0.0}, eta, start,
                        STEPS, 1);
        for (int j = 0; j < D; j++)
            assert_relative(r.theta[j], (double)w[j], 1e-12);
        free(r.theta);
    }
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* A step far too large ends with the last finite point and its step. */
static void test_divergence(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double x[4] = {1.0, 2.0, -2.0, -1.0};
    sf_dataset *dataset = NULL;
    assert_ok(context, sf_dataset_from_points(context, 2, 2, x, NULL, &dataset));
    double theta[6] = {1.0, 1.1, 1.2, 1.3, 1.4, 1.5};
    setenv("SAMFLOW_ISA", "plain", 1);
    run plain = descend(dataset, 3, SF_LOSS_LOGISTIC, methods[0], 1e3, theta, 100, 1);
    assert_true(plain.diverged && plain.steps < 100);
    FOR_EACH_ISA(isa)
    {
        run fast = descend(dataset, 3, SF_LOSS_LOGISTIC, methods[0], 1e3, theta, 100, 1);
        assert_true(fast.diverged);
        assert_int_equal(fast.steps, plain.steps);
        for (int k = 0; k < 6; k++)
            assert_true(isfinite(fast.theta[k]));
        free(fast.theta);
    }
    free(plain.theta);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* Weights of 1e199 are numbers, their product is none: the step before is where the run ends, at every depth that
 * has kernels of its own and on mirrored data. */
static void test_divergence_of_the_predictor(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double x[2] = {1.0, 2.0};
    for (int variant = 0; variant < 8; variant++) {
        int depth = 2 + variant % 4;
        bool mirror = variant >= 4;
        sf_dataset *dataset = NULL;
        assert_ok(context, sf_dataset_from_points(context, 1, 2, x, NULL, &dataset));
        if (mirror)
            assert_ok(context, sf_dataset_mirror(dataset));
        double theta[20];
        for (int k = 0; k < 20; k++)
            theta[k] = 0.6;
        FOR_EACH_ISA(isa)
        {
            run r = descend(dataset, depth, SF_LOSS_LOGISTIC, methods[0], 1e200, theta, 100, 1);
            assert_true(r.diverged);
            assert_int_equal(r.steps, 0);
            assert_true(r.theta[0] == 0.6);
            free(r.theta);
        }
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const shape s = {5, 9, SHAPE_DOUBLES, 1.0, MIRROR};
    sf_dataset *dataset = shape_dataset(context, &s, 6);
    double theta[36];
    random_theta(36, 0.1, 1, theta);
    for (sf_isa isa = SF_ISA_PLAIN; isa <= SF_ISA_AVX512; isa++) {
        setenv("SAMFLOW_ISA", sf_isa_name(isa), 1);
        sf_network *network = NULL;
        assert_ok(context, sf_network_create(context, dataset, 2, SF_LOSS_LOGISTIC, &network));
        sf_status status = SF_ERR_MEMORY;
        for (long fail_at = 0; status != SF_OK; fail_at++) {
            test_memory memory = {.fail_at = fail_at};
            sf_context *failing = test_context_failing(&memory);
            sf_descent *descent = NULL;
            status = sf_descent_create(failing, network, &methods[1], 0.1, theta, &descent);
            assert_true(status == SF_OK ? descent != NULL : status == SF_ERR_MEMORY && !descent);
            sf_descent_destroy(&descent);
            assert_int_equal(memory.live, 0);
            sf_context_destroy(&failing);
            assert_true(fail_at < 100);
        }
        sf_network_destroy(&network);
    }
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_isa_against_plain),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_shared_network),
        cmocka_unit_test(test_rho_zero),
        cmocka_unit_test(test_norm_at_extremes),
        cmocka_unit_test(test_permutation),
        cmocka_unit_test(test_logistic_regression),
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_divergence_of_the_predictor),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
