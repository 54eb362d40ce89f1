/* Grad-CAM and shares against their definitions, computed here in double precision: activations and derivatives by the
 * plain reference, interpolation as a sum of tents. */
#include "reference.h"

enum { SIDE = 8, COUNT = 5 };

static const sf_nn_spec small = {.model = SF_MODEL_CNN,
                                 .input = {1, SIDE, SIDE},
                                 .classes = 2,
                                 .activation = SF_ACTIVATION_RELU,
                                 .bias = true,
                                 .convolutions = 2,
                                 .channels = {3, 4},
                                 .kernel = 3,
                                 .pool = 2,
                                 .pooling = SF_POOLING_MAX,
                                 .hidden_layers = 1,
                                 .hidden = {5},
                                 .init_scale = 1.5,
                                 .seed = 4};

/* ---- Grad-CAM by its definition ------------------------------------------------------------------------ */

static double tent(double u, size_t r)
{
    return fmax(0.0, 1.0 - fabs(u - (double)r));
}

static double position(size_t i, size_t coarse)
{
    double u = ((double)i + 0.5) * (double)coarse / SIDE - 0.5;
    return fmin(fmax(u, 0.0), (double)coarse - 1.0);
}

/* theta: (P) of the network. */
static void definition(const sf_nn_spec *spec, const double *theta, size_t layer, const float *image,
                       int label, double *map)
{
    reference_network net = reference_make(spec);
    reference_pass pass = reference_forward(&net, theta, image);
    double *gradient = calloc(net.parameters, sizeof *gradient), seeds[3] = {0.0}, coarse[SIDE * SIDE] = {0};
    size_t side = layer == 0 ? SIDE : SIDE / 2, pixels = side * side, at = pass.convolution[layer];
    assert_non_null(gradient);
    seeds[net.outputs == 1 ? 0 : label] = net.outputs == 1 && label == 0 ? -1.0 : 1.0;
    reference_backward(&net, theta, seeds, &pass, gradient);
    for (size_t k = 0; k < spec->channels[layer]; k++) {
        double alpha = 0.0;
        for (size_t p = 0; p < pixels; p++)
            alpha += pass.slope[at][k * pixels + p] / (double)pixels;
        for (size_t p = 0; p < pixels; p++)
            coarse[p] += alpha * pass.value[at][k * pixels + p];
    }
    for (size_t i = 0; i < SIDE; i++)
        for (size_t j = 0; j < SIDE; j++) {
            map[i * SIDE + j] = 0.0;
            for (size_t r = 0; r < side; r++)
                for (size_t c = 0; c < side; c++)
                    map[i * SIDE + j] +=
                        tent(position(i, side), r) * tent(position(j, side), c) * coarse[r * side + c];
        }
    free(gradient);
    reference_release(&pass);
}

static void draw_images(float *images, int *labels, int classes)
{
    for (size_t n = 0; n < COUNT; n++) {
        sf_random random = sf_random_make(9, n);
        labels[n] = (int)n % classes;
        for (size_t p = 0; p < (size_t)SIDE * SIDE; p++)
            images[n * SIDE * SIDE + p] = (float)sf_random_normal(&random);
    }
}

static void check_grad_cam(sf_context *context, const sf_nn_spec *spec)
{
    float images[COUNT * SIDE * SIDE], map[COUNT * SIDE * SIDE];
    double expected[SIDE * SIDE];
    int labels[COUNT];
    draw_images(images, labels, (int)spec->classes);
    sf_nn *nn;
    assert_ok(context, create_network(context, spec, 1, &nn));
    double *theta = calloc(sf_nn_parameters(nn), sizeof *theta);
    assert_non_null(theta);
    for (size_t i = 0; i < sf_nn_parameters(nn); i++)
        theta[i] = sf_nn_theta(nn)[i];
    for (size_t layer = 0; layer < 2; layer++) {
        assert_ok(context, sf_nn_grad_cam(nn, layer, COUNT, images, labels, map));
        for (size_t n = 0; n < COUNT; n++) {
            double size = 0.0;
            definition(spec, theta, layer, images + n * SIDE * SIDE, labels[n], expected);
            for (size_t p = 0; p < (size_t)SIDE * SIDE; p++)
                size = fmax(size, fabs(expected[p]));
            assert_true(size > 0.0);
            for (size_t p = 0; p < (size_t)SIDE * SIDE; p++)
                assert_absolute(map[n * SIDE * SIDE + p], expected[p], 1e-5 * size);
        }
    }
    free(theta);
    sf_nn_destroy(&nn);
}

static void test_grad_cam(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_nn_spec spec = small;
    check_grad_cam(context, &spec);
    spec.classes = 3;
    spec.activation = SF_ACTIVATION_IDENTITY;
    check_grad_cam(context, &spec);
    spec.pooling = SF_POOLING_AVERAGE;
    check_grad_cam(context, &spec);
    sf_context_destroy(&context);
}

/* ---- shares -------------------------------------------------------------------------------------------- */

static void test_shares(void **state)
{
    (void)state;
    const float map[6] = {1.0F, -2.0F, 3.0F, 0.0F, -4.0F, 6.0F}, nothing[6] = {0}, broken[6] = {NAN};
    const uint8_t regions[6] = {0, 0, 1, 1, 2, 2};
    sf_shares s = sf_map_shares(6, map, regions);
    assert_relative(s.background, 3.0 / 16.0, 1e-15);
    assert_relative(s.weak, 3.0 / 16.0, 1e-15);
    assert_relative(s.strong, 10.0 / 16.0, 1e-15);
    s = sf_map_shares(6, nothing, regions);
    assert_true(isnan(s.background) && isnan(s.weak) && isnan(s.strong));
    assert_true(isnan(sf_map_shares(6, broken, regions).strong));
}

/* The summary of a set is the mean of what single images give, whatever the chunks; maps are those of single images. */
static void check_summary(sf_context *context, sf_nn *nn, sf_attribution method, const sf_images *images)
{
    enum { PIXELS = SIDE * SIDE };
    size_t n = sf_images_count(images);
    float *maps = malloc(n * PIXELS * sizeof *maps), map[PIXELS];
    sf_attribution_summary all, alone;
    assert_non_null(maps);
    assert_ok(context, sf_nn_attribute(nn, method, 1, images, maps, &all));
    assert_ok(context, sf_nn_attribute(nn, method, 1, images, NULL, &alone));
    assert_memory_equal(&all, &alone, sizeof all);
    double sum[2][3] = {{0.0}}, count[2] = {0.0, 0.0};
    for (size_t i = 0; i < n; i++) {
        const float *x = sf_images_pixels(images) + i * PIXELS;
        const int *label = sf_images_labels(images) + i;
        const uint8_t *regions = sf_images_regions(images) + i * PIXELS;
        assert_ok(context, method == SF_ATTRIBUTION_GRAD_CAM ? sf_nn_grad_cam(nn, 1, 1, x, label, map)
                                                             : sf_nn_input_gradient(nn, 1, x, label, map));
        for (int k = 0; k < 2; k++) {
            for (size_t p = 0; p < PIXELS; p++) {
                assert_absolute(maps[i * PIXELS + p], map[p], k ? 1.0 : 1e-6 + 1e-5 * fabs((double)map[p]));
                if (k == 1 && map[p] < 0.0F)
                    map[p] = 0.0F;
            }
            sf_shares s = sf_map_shares(PIXELS, map, regions);
            if (isnan(s.strong))
                continue;
            count[k] += 1.0;
            sum[k][0] += s.background;
            sum[k][1] += s.weak;
            sum[k][2] += s.strong;
        }
    }
    assert_int_equal(all.images, n);
    assert_true((double)(n - all.zero) == count[0] && (double)(n - all.empty) == count[1]);
    assert_relative(all.shares.background, sum[0][0] / count[0], 1e-4);
    assert_relative(all.shares.strong, sum[0][2] / count[0], 1e-4);
    assert_relative(all.positive.weak, sum[1][1] / count[1], 1e-4);
    assert_absolute(all.shares.background + all.shares.weak + all.shares.strong, 1.0, 1e-12);
    free(maps);
}

static const sf_patches patches = {.height = SIDE,
                                   .width = SIDE,
                                   .patch = 2,
                                   .strong = 1.0,
                                   .faint = 0.5,
                                   .noise = 0.5,
                                   .per_class = 75,
                                   .seed = 3};

static void test_summary(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_nn *nn;
    sf_images *images;
    assert_ok(context, create_network(context, &small, 2, &nn));
    assert_ok(context, sf_images_patches(context, &patches, &images));
    check_summary(context, nn, SF_ATTRIBUTION_GRAD_CAM, images);
    check_summary(context, nn, SF_ATTRIBUTION_INPUT_GRADIENT, images);
    sf_nn_destroy(&nn);
    sf_images_destroy(&images);
    sf_context_destroy(&context);
}

/* A network of zeros has empty maps: no share, and they are counted. */
static void test_empty_maps(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_nn *nn;
    sf_images *images;
    sf_attribution_summary s;
    assert_ok(context, create_network(context, &small, 1, &nn));
    assert_ok(context, sf_images_patches(context, &patches, &images));
    memset(sf_nn_theta(nn), 0, sf_nn_parameters(nn) * sizeof(float));
    for (int method = 0; method < 2; method++) {
        assert_ok(context, sf_nn_attribute(nn, (sf_attribution)method, 0, images, NULL, &s));
        assert_true(s.images == 150 && s.zero == 150 && s.empty == 150);
        assert_true(isnan(s.shares.background) && isnan(s.positive.strong));
    }
    sf_nn_destroy(&nn);
    sf_images_destroy(&images);
    sf_context_destroy(&context);
}

static void test_refused(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_nn *nn;
    sf_images *images;
    sf_attribution_summary s;
    sf_nn_spec wide = small, flat = small;
    sf_patches moved = patches;
    moved.width = 2 * SIDE;
    flat.model = SF_MODEL_MLP;
    assert_ok(context, sf_images_patches(context, &moved, &images));
    assert_ok(context, create_network(context, &wide, 1, &nn));
    assert_status(context, sf_nn_attribute(nn, SF_ATTRIBUTION_GRAD_CAM, 0, images, NULL, &s),
                  SF_ERR_ARGUMENT);
    sf_images_destroy(&images);
    assert_ok(context, sf_images_patches(context, &patches, &images));
    assert_status(context, sf_nn_attribute(nn, SF_ATTRIBUTION_GRAD_CAM, 2, images, NULL, &s),
                  SF_ERR_ARGUMENT);
    sf_nn_destroy(&nn);
    assert_ok(context, create_network(context, &flat, 1, &nn));
    assert_status(context, sf_nn_attribute(nn, SF_ATTRIBUTION_GRAD_CAM, 0, images, NULL, &s),
                  SF_ERR_ARGUMENT);
    assert_ok(context, sf_nn_attribute(nn, SF_ATTRIBUTION_INPUT_GRADIENT, 0, images, NULL, &s));
    sf_nn_destroy(&nn);
    sf_images_destroy(&images);
    sf_context_destroy(&context);
}

static sf_status attribute_all(sf_context *context)
{
    sf_patches few = patches;
    few.per_class = 2;
    sf_nn *nn = NULL;
    sf_images *images = NULL;
    sf_attribution_summary s;
    sf_status status = create_network(context, &small, 1, &nn);
    if (status == SF_OK)
        status = sf_images_patches(context, &few, &images);
    if (status == SF_OK)
        status = sf_nn_attribute(nn, SF_ATTRIBUTION_GRAD_CAM, 1, images, NULL, &s);
    if (status == SF_OK)
        status = sf_nn_attribute(nn, SF_ATTRIBUTION_INPUT_GRADIENT, 0, images, NULL, &s);
    sf_nn_destroy(&nn);
    sf_images_destroy(&images);
    return status;
}

static void test_every_allocation_can_fail(void **state)
{
    (void)state;
    test_every_allocation(attribute_all, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grad_cam), cmocka_unit_test(test_shares),
        cmocka_unit_test(test_summary),  cmocka_unit_test(test_empty_maps),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_every_allocation_can_fail)};
    int failed = 0;
    RUN_ON_EVERY_BACKEND(tests, failed);
    return failed;
}
