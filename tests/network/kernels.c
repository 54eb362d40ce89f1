/* The field and the gradient: every instruction set against the plain reference, the reference against finite
 * differences and closed forms. */
#include "shapes.h"

#include <float.h>

typedef struct answer {
    double *field, *margins, *gradient, log_scale, log_loss, min_margin, evaluated_loss;
    size_t d, n, parameters;
} answer;

static answer ask(const sf_dataset *dataset, int depth, sf_loss loss, const double *theta, int threads)
{
    sf_context *context = test_context();
    sf_network *network = NULL;
    assert_ok(context, sf_network_create(context, dataset, depth, loss, &network));
    assert_ok(context, sf_network_set_threads(network, threads));
    answer a = {.d = sf_network_features(network),
                .n = sf_dataset_examples(dataset),
                .parameters = sf_network_parameters(network)};
    double *beta = malloc(a.d * sizeof *beta);
    a.field = malloc(a.d * sizeof *a.field);
    a.margins = malloc(a.n * sizeof *a.margins);
    a.gradient = malloc(a.parameters * sizeof *a.gradient);
    sf_network_predictor(network, theta, beta);
    sf_network_field(network, beta, a.field, &a.log_scale, &a.log_loss, a.margins);
    double again;
    sf_network_gradient(network, theta, a.gradient, &again);
    assert_true(again == a.log_scale || (isnan(again) && isnan(a.log_scale)));
    sf_network_evaluate(network, beta, &a.evaluated_loss, &a.min_margin);
    free(beta);
    sf_network_destroy(&network);
    sf_context_destroy(&context);
    return a;
}

static void forget(answer *a)
{
    free(a->field);
    free(a->margins);
    free(a->gradient);
}

static void random_theta(size_t count, double scale, uint64_t seed, double *theta)
{
    sf_random random = sf_random_make(seed, 1);
    for (size_t k = 0; k < count; k++)
        theta[k] = scale * sf_random_normal(&random);
}

static void compare(const answer *fast, const answer *plain)
{
    double size =
        fmax(1.0, fabs(plain->log_scale)); // an absolute error of a logarithm is a relative one of s
    assert_absolute(relative_distance(plain->n, fast->margins, plain->margins), 0.0, 1e-13);
    assert_absolute(relative_distance(plain->d, fast->field, plain->field), 0.0, 2e-12);
    assert_absolute(relative_distance(plain->parameters, fast->gradient, plain->gradient), 0.0, 2e-12);
    assert_absolute(fast->log_scale, plain->log_scale, 1e-13 * size);
    assert_absolute(fast->log_loss, plain->log_loss, 1e-13 * fmax(1.0, fabs(plain->log_loss)));
    assert_absolute(fast->evaluated_loss, plain->log_loss, 1e-13 * fmax(1.0, fabs(plain->log_loss)));
    assert_absolute(fast->min_margin, plain->min_margin, 1e-13 * fmax(1.0, fabs(plain->min_margin)));
}

static void test_isa_against_plain(void **state)
{
    (void)state;
    sf_context *context = test_context();
    for (int k = 0; k < SHAPES; k++) {
        sf_dataset *dataset = shape_dataset(context, &shapes[k], (uint64_t)k);
        for (int depth = 1; depth <= 5; depth++) {
            sf_loss loss = depth % 2 ? SF_LOSS_LOGISTIC : SF_LOSS_EXPONENTIAL;
            size_t count = sf_dataset_features(dataset) * (size_t)depth;
            double *theta = malloc(count * sizeof *theta);
            random_theta(count, depth == 2 ? 0.1 : 0.9, 7, theta);
            setenv("SAMFLOW_ISA", "plain", 1);
            answer plain = ask(dataset, depth, loss, theta, 1);
            FOR_EACH_ISA(isa)
            {
                answer fast = ask(dataset, depth, loss, theta, 1);
                compare(&fast, &plain);
                forget(&fast);
            }
            forget(&plain);
            free(theta);
        }
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

/* The same bits from every instruction set, and for any number of threads. */
static void test_same_bits(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const shape large[] = {{160, 1000, SHAPE_DOUBLES, 1.0, 0},
                           {700, 400, SHAPE_SIGNED_BYTES, 0.2, MIRROR},
                           {70, 2100, SHAPE_COUNTS, 1.0, MIRROR | STANDARDIZE}};
    for (int k = 0; k < 3; k++) {
        sf_dataset *dataset = shape_dataset(context, &large[k], 11);
        size_t count = 2 * sf_dataset_features(dataset);
        double *theta = malloc(count * sizeof *theta);
        random_theta(count, 0.3, 5, theta);
        answer first = {0};
        FOR_EACH_ISA(isa)
        for (int threads = 1; threads <= 3; threads++) {
            answer next = ask(dataset, 2, SF_LOSS_LOGISTIC, theta, threads);
            if (first.field) {
                assert_memory_equal(next.field, first.field, first.d * sizeof *first.field);
                assert_memory_equal(next.margins, first.margins, first.n * sizeof *first.margins);
                assert_true(next.log_scale == first.log_scale);
                forget(&next);
            } else {
                first = next;
            }
        }
        if (first.field)
            forget(&first);
        free(theta);
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

/* The largest x for which expl(x) is finite, and a little less: musl's expl is exp where long double has 128 bits. */
static long double range(void)
{
    return 0.96L * 0.693147180559945309L * (isinf(expl(800.0L)) ? DBL_MAX_EXP : LDBL_MAX_EXP);
}

/* Margins to 1e5: log_scale and log F against sums in long double in the log domain. */
static void test_large_margins(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double x[5][2] = {{1, 2}, {3, -1}, {0.5, 0.25}, {2, 2}, {-1, 3}};
    sf_dataset *dataset = NULL;
    assert_ok(context, sf_dataset_from_points(context, 5, 2, &x[0][0], NULL, &dataset));
    const double scale[] = {1e-3, 1.0, 30.0, 300.0, 4e3, 1e5};
    setenv("SAMFLOW_ISA", "plain", 1);
    for (int with = 0; with <= 4; with++) {
        if (with > 0 && !(sf_isa_supported((sf_isa)(with - 1)) &&
                          setenv("SAMFLOW_ISA", sf_isa_name((sf_isa)(with - 1)), 1) == 0))
            continue;
        for (int k = 0; k < 6; k++) {
            double theta[2] = {scale[k], 0.7 * scale[k]};
            answer a = ask(dataset, 1, SF_LOSS_LOGISTIC, theta, 1);
            long double low = INFINITY, slopes = 0.0L, losses = 0.0L, field[2] = {0.0L, 0.0L};
            for (int i = 0; i < 5; i++)
                low = fminl(low, (long double)x[i][0] * theta[0] + (long double)x[i][1] * theta[1]);
            low = fmaxl(low, 0.0L);
            for (int i = 0; i < 5; i++) {
                long double m = (long double)x[i][0] * theta[0] + (long double)x[i][1] * theta[1];
                long double s = 1.0L / (expl(-low) + expl(m - low));
                slopes += s;
                losses += m > range() ? expl(low - m) : log1pl(expl(-m)) * expl(low);
                field[0] += s * x[i][0];
                field[1] += s * x[i][1];
            }
            if (low < range())
                assert_absolute(a.log_loss, (double)(logl(losses / 5.0L) - low), 4e-16 * (double)low + 1e-14);
            assert_absolute(a.log_scale, (double)(logl(slopes / 5.0L) - low), 4e-16 * (double)low + 1e-14);
            for (int j = 0; j < 2; j++)
                assert_absolute(a.field[j], (double)(field[j] / slopes), 4e-16 * (double)low + 1e-14);
            forget(&a);
        }
    }
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* Against central differences of the loss: error of order h^2, h = 1e-5. */
static void test_finite_differences(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const shape s = {9, 5, SHAPE_DOUBLES, 1.0, MIRROR};
    sf_dataset *dataset = shape_dataset(context, &s, 3);
    FOR_EACH_ISA(isa)
    for (int depth = 1; depth <= 4; depth++) {
        size_t count = 10 * (size_t)depth;
        double theta[40], h = 1e-5;
        random_theta(count, 0.8, 2, theta);
        answer a = ask(dataset, depth, SF_LOSS_LOGISTIC, theta, 1);
        for (size_t k = 0; k < count; k++) {
            double kept = theta[k];
            theta[k] = kept + h;
            answer up = ask(dataset, depth, SF_LOSS_LOGISTIC, theta, 1);
            theta[k] = kept - h;
            answer down = ask(dataset, depth, SF_LOSS_LOGISTIC, theta, 1);
            theta[k] = kept;
            assert_absolute(exp(a.log_scale) * a.gradient[k],
                            (exp(up.log_loss) - exp(down.log_loss)) / (2.0 * h), 1e-9);
            forget(&up);
            forget(&down);
        }
        forget(&a);
    }
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* A weight that is not a number shows in the margins that it enters and in the field. */
static void test_nan(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const shape s = {20, 12, SHAPE_DOUBLES, 1.0, 0};
    sf_dataset *dataset = shape_dataset(context, &s, 4);
    double theta[12];
    random_theta(12, 1.0, 9, theta);
    theta[7] = NAN;
    FOR_EACH_ISA(isa)
    {
        answer a = ask(dataset, 1, SF_LOSS_LOGISTIC, theta, 1);
        assert_true(isnan(a.margins[3]) && isnan(a.field[0]) && isnan(a.log_loss) && isnan(a.min_margin));
        forget(&a);
    }
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const shape all[] = {{40, 130, SHAPE_SIGNED_BYTES, 0.15, MIRROR},
                         {5, 9, SHAPE_DOUBLES, 1.0, 0},
                         {5, 1100, SHAPE_COUNTS, 1.0, STANDARDIZE}};
    for (int k = 0; k < 3; k++) {
        sf_dataset *dataset = shape_dataset(context, &all[k], 6);
        FOR_EACH_ISA(isa)
        {
            sf_status status = SF_ERR_MEMORY;
            for (long fail_at = 0; status != SF_OK; fail_at++) {
                test_memory memory = {.fail_at = fail_at};
                sf_context *failing = test_context_failing(&memory);
                sf_network *network = NULL;
                status = sf_network_create(failing, dataset, 2, SF_LOSS_LOGISTIC, &network);
                assert_true(status == SF_OK ? network != NULL : status == SF_ERR_MEMORY && !network);
                sf_network_destroy(&network);
                assert_int_equal(memory.live, 0);
                sf_context_destroy(&failing);
                assert_true(fail_at < 100);
            }
        }
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_isa_against_plain),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_large_margins),
        cmocka_unit_test(test_finite_differences),
        cmocka_unit_test(test_nan),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
