/* Losses and derivatives of every kind of network against the plain reference, and the reference against difference
 * quotients; bits and threads. */
#include "reference.h"

#ifdef SAMFLOW_DNNL
#include <oneapi/dnnl/dnnl_config.h>
#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
#define SF_TEST_OPENMP
int omp_get_max_threads(void); // <omp.h> is there for its own compiler only
void omp_set_num_threads(int threads);
#endif
#endif

enum { IMAGES = 45, CLASSES = 4 }; // several slices, the last not full

typedef struct shape {
    const char *name;
    sf_nn_spec spec;
} shape;

#define SF_CNN(...)                                                                                          \
    {                                                                                                        \
        .model = SF_MODEL_CNN, .init_scale = 1.5, .seed = 3, .convolutions = 2, .hidden_layers = 1,          \
        .hidden = {9}, __VA_ARGS__                                                                           \
    }
static const shape shapes[] = {
    {"cnn, two classes",
     SF_CNN(.input = {1, 12, 10}, .classes = 2, .bias = true, .channels = {4, 6}, .kernel = 5, .pool = 2)},
    {"cnn, softmax, average",
     SF_CNN(.input = {3, 9, 8}, .classes = CLASSES, .bias = true, .channels = {17, 3}, .kernel = 3, .pool = 2,
            .pooling = SF_POOLING_AVERAGE)},
    {"cnn, even kernel, identity, no bias",
     SF_CNN(.input = {2, 7, 7}, .classes = CLASSES, .activation = SF_ACTIVATION_IDENTITY, .channels = {5, 16},
            .kernel = 4, .pool = 1)},
    {"cnn, no hidden layer",
     {.model = SF_MODEL_CNN,
      .init_scale = 1.0,
      .seed = 4,
      .input = {1, 8, 8},
      .classes = 2,
      .bias = true,
      .convolutions = 1,
      .channels = {7},
      .kernel = 3,
      .pool = 3}},
    {"mlp",
     {.model = SF_MODEL_MLP,
      .init_scale = 1.0,
      .seed = 5,
      .input = {1, 5, 6},
      .classes = CLASSES,
      .bias = true,
      .hidden_layers = 2,
      .hidden = {13, 8}}},
    {"mlp, identity",
     {.model = SF_MODEL_MLP,
      .init_scale = 1.0,
      .seed = 5,
      .input = {2, 3, 3},
      .classes = 2,
      .activation = SF_ACTIVATION_IDENTITY,
      .hidden_layers = 2,
      .hidden = {20, 8}}},
    {"logistic regression",
     {.model = SF_MODEL_MLP, .init_scale = 1.0, .seed = 6, .input = {1, 4, 4}, .classes = 2, .bias = true}},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* Images and labels of a shape. */
typedef struct problem {
    sf_context *context;
    sf_nn *nn;
    size_t pixels, parameters, outputs;
    float *images;
    int labels[IMAGES];
    double *theta; // of the network
    float *gradient;
    double *expected;
} problem;

static problem problem_make(const sf_nn_spec *spec, int threads)
{
    problem p = {.context = test_context()};
    sf_random random = sf_random_make(11, 0);
    assert_ok(p.context, create_network(p.context, spec, threads, &p.nn));
    p.pixels = reference_volume(spec->input);
    p.parameters = sf_nn_parameters(p.nn);
    p.outputs = sf_nn_outputs(p.nn);
    p.images = malloc(IMAGES * p.pixels * sizeof(float));
    p.theta = malloc(p.parameters * sizeof(double));
    p.gradient = malloc(p.parameters * sizeof(float));
    p.expected = malloc(p.parameters * sizeof(double));
    for (size_t i = 0; i < IMAGES * p.pixels; i++)
        p.images[i] = (float)sf_random_normal(&random);
    for (size_t i = 0; i < IMAGES; i++)
        p.labels[i] = (int)sf_random_below(&random, spec->classes);
    for (size_t i = 0; i < p.parameters; i++)
        p.theta[i] = sf_nn_theta(p.nn)[i];
    return p;
}

static void problem_release(problem *p)
{
    free(p->images);
    free(p->theta);
    free(p->gradient);
    free(p->expected);
    sf_nn_destroy(&p->nn);
    sf_context_destroy(&p->context);
}

static double largest(size_t n, const double *x)
{
    double high = 0.0;
    for (size_t i = 0; i < n; i++)
        high = fmax(high, fabs(x[i]));
    return high;
}

/* Every number to 1e-5 of the largest. */
static void assert_floats(size_t n, const float *actual, const double *expected, const char *what)
{
    double scale = largest(n, expected);
    for (size_t i = 0; i < n; i++)
        if (!(fabs(actual[i] - expected[i]) <= 1e-5 * scale))
            fail_msg("%s: number %zu is %.9g, expected %.9g", what, i, actual[i], expected[i]);
}

static void reference_is_right(void **state)
{
    (void)state;
    for (size_t s = 0; s < SHAPES; s++) {
        problem p = problem_make(&shapes[s].spec, 1);
        reference_network net = reference_make(&shapes[s].spec);
        assert_int_equal(net.parameters, p.parameters);
        reference_gradient(&net, p.theta, 3, p.images, p.labels, p.expected);
        for (size_t i = 0; i < p.parameters; i += 1 + p.parameters / 60) {
            const double h = 1e-6;
            double kept = p.theta[i], high, low;
            p.theta[i] = kept + h;
            high = reference_gradient(&net, p.theta, 3, p.images, p.labels, NULL);
            p.theta[i] = kept - h;
            low = reference_gradient(&net, p.theta, 3, p.images, p.labels, NULL);
            p.theta[i] = kept;
            assert_absolute((high - low) / (2.0 * h), p.expected[i], 2e-8);
        }
        problem_release(&p);
    }
}

static void gradient_and_loss(void **state)
{
    (void)state;
    for (size_t s = 0; s < SHAPES; s++) {
        problem p = problem_make(&shapes[s].spec, 0);
        reference_network net = reference_make(&shapes[s].spec);
        for (size_t n = 1; n <= IMAGES; n += 11) {
            double loss, alone;
            double expected = reference_gradient(&net, p.theta, n, p.images, p.labels, p.expected);
            assert_ok(p.context, sf_nn_gradient(p.nn, NULL, n, p.images, p.labels, p.gradient, &loss));
            assert_ok(p.context, sf_nn_gradient(p.nn, NULL, n, p.images, p.labels, NULL, &alone));
            assert_relative(loss, expected, 1e-5);
            assert_relative(alone, expected, 1e-5);
            assert_floats(p.parameters, p.gradient, p.expected, shapes[s].name);
        }
        problem_release(&p);
    }
}

static void logits(void **state)
{
    (void)state;
    for (size_t s = 0; s < SHAPES; s++) {
        problem p = problem_make(&shapes[s].spec, 0);
        reference_network net = reference_make(&shapes[s].spec);
        float found[IMAGES * CLASSES];
        double expected[IMAGES * CLASSES];
        for (size_t i = 0; i < IMAGES; i++) {
            reference_pass pass = reference_forward(&net, p.theta, p.images + i * p.pixels);
            memcpy(expected + i * p.outputs, pass.value[net.count], p.outputs * sizeof(double));
            reference_release(&pass);
        }
        assert_ok(p.context, sf_nn_forward(p.nn, NULL, IMAGES, p.images, found));
        assert_floats(IMAGES * p.outputs, found, expected, shapes[s].name);
        problem_release(&p);
    }
}

/* Activations of convolutions and what the logit of the class changes by them and by the pixels. */
static void derivatives_of_logits(void **state)
{
    (void)state;
    for (size_t s = 0; s < SHAPES; s++) {
        problem p = problem_make(&shapes[s].spec, 0);
        reference_network net = reference_make(&shapes[s].spec);
        float *by_input = malloc(IMAGES * p.pixels * sizeof(float));
        assert_ok(p.context, sf_nn_input_gradient(p.nn, IMAGES, p.images, p.labels, by_input));
        for (size_t i = 0; i < IMAGES; i++) {
            double seeds[CLASSES] = {0.0};
            if (p.outputs == 1)
                seeds[0] = p.labels[i] == 1 ? 1.0 : -1.0;
            else
                seeds[p.labels[i]] = 1.0;
            reference_pass pass = reference_forward(&net, p.theta, p.images + i * p.pixels);
            reference_backward(&net, p.theta, seeds, &pass, p.expected);
            assert_floats(p.pixels, by_input + i * p.pixels, pass.slope[0], shapes[s].name);
            for (size_t c = 0; c < sf_nn_layers(p.nn); c++) {
                sf_image_shape size;
                size_t stage = pass.convolution[c];
                float *activation = malloc(pass.size[stage] * sizeof(float)),
                      *slope = malloc(pass.size[stage] * sizeof(float));
                assert_ok(p.context, sf_nn_layer_gradient(p.nn, c, 1, p.images + i * p.pixels, &p.labels[i],
                                                          &size, activation, slope));
                assert_int_equal(reference_volume(size), pass.size[stage]);
                assert_floats(pass.size[stage], activation, pass.value[stage], shapes[s].name);
                assert_floats(pass.size[stage], slope, pass.slope[stage], shapes[s].name);
                free(activation);
                free(slope);
            }
            reference_release(&pass);
        }
        free(by_input);
        problem_release(&p);
    }
}

static void diagonal(void **state)
{
    (void)state;
    for (size_t depth = 1; depth <= 3; depth++) {
        sf_nn_spec spec = {
            .model = SF_MODEL_DIAGONAL, .input = {1, 5, 7}, .classes = 2, .depth = depth, .init_scale = 0.5};
        problem p = problem_make(&spec, 0);
        sf_random random = sf_random_make(12, depth);
        for (size_t i = 0; i < p.parameters; i++)
            p.theta[i] = sf_nn_theta(p.nn)[i] = (float)sf_random_normal(&random);
        double expected_loss = 0.0, loss;
        memset(p.expected, 0, p.parameters * sizeof(double));
        for (size_t i = 0; i < IMAGES; i++) {
            double margin = 0.0, y = p.labels[i] == 1 ? 1.0 : -1.0;
            for (size_t j = 0; j < p.pixels; j++) {
                double term = y * p.images[i * p.pixels + j];
                for (size_t l = 0; l < depth; l++)
                    term *= p.theta[l * p.pixels + j];
                margin += term;
            }
            expected_loss += log1p(exp(-margin)) / IMAGES;
            for (size_t l = 0; l < depth; l++)
                for (size_t j = 0; j < p.pixels; j++) {
                    double term = -y / (1.0 + exp(margin)) * p.images[i * p.pixels + j] / IMAGES;
                    for (size_t k = 0; k < depth; k++)
                        term *= k == l ? 1.0 : p.theta[k * p.pixels + j];
                    p.expected[l * p.pixels + j] += term;
                }
        }
        assert_ok(p.context, sf_nn_gradient(p.nn, NULL, IMAGES, p.images, p.labels, p.gradient, &loss));
        assert_relative(loss, expected_loss, 1e-5);
        assert_floats(p.parameters, p.gradient, p.expected, "diagonal");
        problem_release(&p);
    }
}

/* Sums over images in another order differ by rounding; over another number of threads not at all. */
static void threads(void **state)
{
    (void)state;
    for (size_t s = 0; s < SHAPES; s++) {
        problem one = problem_make(&shapes[s].spec, 1), three = problem_make(&shapes[s].spec, 3);
        enum { MANY = 16 * IMAGES };
        float *images = malloc(MANY * one.pixels * sizeof(float));
        int labels[MANY];
        double loss[2];
        for (size_t i = 0; i < MANY; i++) {
            memcpy(images + i * one.pixels, one.images + i % IMAGES * one.pixels, one.pixels * sizeof(float));
            labels[i] = one.labels[i % IMAGES];
        }
        for (size_t n = 20; n <= MANY; n += 175) {
            assert_ok(one.context, sf_nn_gradient(one.nn, NULL, n, images, labels, one.gradient, &loss[0]));
            assert_ok(three.context,
                      sf_nn_gradient(three.nn, NULL, n, images, labels, three.gradient, &loss[1]));
            assert_memory_equal(one.gradient, three.gradient, one.parameters * sizeof(float));
            assert_memory_equal(&loss[0], &loss[1], sizeof loss[0]);
        }
        // every image sixteen times: more slices than sums, and the gradient of one time
        reference_network net = reference_make(&shapes[s].spec);
        reference_gradient(&net, one.theta, IMAGES, one.images, one.labels, one.expected);
        assert_ok(one.context, sf_nn_gradient(one.nn, NULL, MANY, images, labels, one.gradient, &loss[0]));
        assert_floats(one.parameters, one.gradient, one.expected, shapes[s].name);
        free(images);
        problem_release(&one);
        problem_release(&three);
    }
}

/* Kernels with vectors agree in every bit, the plain one but for rounding; and a network says what computes it. */
static void instruction_sets(void **state)
{
    (void)state;
    static const char *const sets[] = {"plain", "avx2", "avx512", "neon"};
    if (backend_under_test != SF_NN_PLAIN) {
        problem p = problem_make(&shapes[0].spec, 1);
        assert_string_equal(sf_nn_backend_name(p.nn), "onednn");
        problem_release(&p);
        return;
    }
    for (size_t s = 0; s < SHAPES; s++) {
        problem best = problem_make(&shapes[s].spec, 1);
        double loss;
        assert_string_equal(sf_nn_backend_name(best.nn), "plain");
        assert_ok(best.context,
                  sf_nn_gradient(best.nn, NULL, IMAGES, best.images, best.labels, best.gradient, &loss));
        for (size_t i = 0; i < best.parameters; i++)
            best.expected[i] = best.gradient[i];
        for (size_t set = 0; set < sizeof sets / sizeof sets[0]; set++) {
            setenv("SAMFLOW_ISA", sets[set], 1); // one that is not there counts as none
            problem p = problem_make(&shapes[s].spec, 1);
            unsetenv("SAMFLOW_ISA");
            assert_ok(p.context, sf_nn_gradient(p.nn, NULL, IMAGES, p.images, p.labels, p.gradient, &loss));
            assert_floats(p.parameters, p.gradient, best.expected, sets[set]);
            if (set > 0)
                assert_memory_equal(p.gradient, best.gradient, p.parameters * sizeof(float));
            problem_release(&p);
        }
        problem_release(&best);
    }
}

/* What the host has told OpenMP stays, though oneDNN is kept to one thread. */
static void hosts_threads_stay(void **state)
{
    (void)state;
#ifdef SF_TEST_OPENMP
    problem p = problem_make(&shapes[0].spec, 2);
    double loss;
    omp_set_num_threads(3);
    assert_ok(p.context, sf_nn_gradient(p.nn, NULL, IMAGES, p.images, p.labels, p.gradient, &loss));
    assert_int_equal(omp_get_max_threads(), 3);
    problem_release(&p);
#else
    print_message("skipped: this oneDNN does not run on OpenMP\n");
#endif
}

/* Where margins are large the loss underflows a float's sigmoid; its logarithm and the direction of the gradient do not. */
static void large_margins(void **state)
{
    (void)state;
    sf_nn_spec spec = shapes[SHAPES - 1].spec;
    spec.bias = false;
    problem p = problem_make(&spec, 1);
    float *theta = sf_nn_theta(p.nn);
    for (size_t j = 0; j < p.pixels; j++) {
        theta[j] = 0.0f;
        p.images[j] = 1.0f;
    }
    theta[0] = 60.0f; // margin 60: a derivative of e^-60
    p.labels[0] = 1;
    double loss;
    assert_ok(p.context, sf_nn_gradient(p.nn, NULL, 1, p.images, p.labels, p.gradient, &loss));
    assert_relative(loss, exp(-60.0), 1e-6);
    assert_relative(p.gradient[3], -exp(-60.0), 1e-6);
    problem_release(&p);
}

/* Slices whose derivatives have different exponents add up. */
static void margins_of_all_sizes(void **state)
{
    (void)state;
    sf_nn_spec spec = shapes[SHAPES - 1].spec;
    spec.bias = false;
    problem p = problem_make(&spec, 2);
    reference_network net = reference_make(&spec);
    for (size_t high = 0; high < 3;
         high++) { // margins of the first 32 and of the rest: 0 and 60, 60 and 0, 60 and 75
        for (size_t j = 0; j < p.pixels; j++)
            p.theta[j] = sf_nn_theta(p.nn)[j] = j == 0 ? 15.0f : 0.0f;
        for (size_t i = 0; i < IMAGES; i++) {
            bool first = i < 32;
            p.images[i * p.pixels] = first == (high == 0) ? 0.0f : 4.0f;
            if (high == 2 && !first)
                p.images[i * p.pixels] = 5.0f;
            p.labels[i] = 1;
        }
        double loss, expected = reference_gradient(&net, p.theta, IMAGES, p.images, p.labels, p.expected);
        assert_ok(p.context, sf_nn_gradient(p.nn, NULL, IMAGES, p.images, p.labels, p.gradient, &loss));
        if (high < 2)
            assert_relative(loss, expected, 1e-6);
        assert_floats(p.parameters, p.gradient, p.expected, "margins of all sizes");
    }
    problem_release(&p);
}

static void refusals(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_nn *nn;
    sf_nn_spec bad = shapes[0].spec;
    bad.pool = 4;
    assert_status(context, create_network(context, &bad, 1, &nn), SF_ERR_ARGUMENT);
    assert_non_null(strstr(sf_context_message(context), "pool"));
    assert_null(nn);
    bad = shapes[0].spec;
    bad.classes = 1;
    assert_status(context, create_network(context, &bad, 1, &nn), SF_ERR_ARGUMENT);
    bad = shapes[0].spec;
    bad.convolutions = 0;
    assert_status(context, create_network(context, &bad, 1, &nn), SF_ERR_ARGUMENT);
    bad = shapes[0].spec;
    bad.init_scale = NAN;
    assert_status(context, create_network(context, &bad, 1, &nn), SF_ERR_ARGUMENT);
    sf_context_destroy(&context);
    problem p = problem_make(&shapes[0].spec, 1);
    p.labels[1] = 2;
    assert_status(p.context, sf_nn_gradient(p.nn, NULL, 2, p.images, p.labels, p.gradient, NULL),
                  SF_ERR_ARGUMENT);
    assert_status(p.context, sf_nn_layer_gradient(p.nn, 2, 1, p.images, p.labels, NULL, p.gradient, NULL),
                  SF_ERR_ARGUMENT);
    problem_release(&p);
}

static sf_status use(sf_context *context, const sf_nn_spec *spec)
{
    sf_nn *nn;
    static float images[40 * 120], gradient[1 << 14];
    static int labels[40];
    double loss;
    sf_status status = create_network(context, spec, 2, &nn);
    if (status == SF_OK)
        status = sf_nn_gradient(nn, NULL, 40, images, labels, gradient, &loss);
    else
        assert_null(nn);
    sf_nn_destroy(&nn);
    return status;
}

static void memory_runs_out(void **state)
{
    (void)state;
    sf_nn_spec specs[] = {shapes[0].spec,
                          {.model = SF_MODEL_DIAGONAL, .input = {1, 12, 10}, .classes = 2, .depth = 2}};
    for (size_t s = 0; s < 2; s++) {
        sf_status status = SF_ERR_MEMORY;
        for (long n = 0; status != SF_OK; n++) {
            test_memory memory = {.fail_at = n};
            sf_context *context = test_context_failing(&memory);
            status = use(context, &specs[s]);
            assert_true(status == SF_OK || status == SF_ERR_MEMORY);
            assert_int_equal(memory.live, 0);
            sf_context_destroy(&context);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_is_right),
        cmocka_unit_test(gradient_and_loss),
        cmocka_unit_test(logits),
        cmocka_unit_test(derivatives_of_logits),
        cmocka_unit_test(diagonal),
        cmocka_unit_test(threads),
        cmocka_unit_test(instruction_sets),
        cmocka_unit_test(hosts_threads_stay),
        cmocka_unit_test(large_margins),
        cmocka_unit_test(margins_of_all_sizes),
        cmocka_unit_test(refusals),
        cmocka_unit_test(memory_runs_out),
    };
    int failed = 0;
    RUN_ON_EVERY_BACKEND(tests, failed);
    return failed;
}
