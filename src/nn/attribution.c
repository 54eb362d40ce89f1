/* What a network looks at: maps over the pixels of an image, and the shares of them on background, weak and strong
 * pixels.
 *
 * With f the logit of the image's own class (two classes: y f, y = -1, +1):
 *
 *     input gradient   map = df/dx; of several channels the entry of largest absolute value (Simonyan, Vedaldi,
 *                      Zisserman, ICLR workshop 2014), with its sign
 *     Grad-CAM         alpha_k = mean over positions of df/dA_k, map = sum_k alpha_k A_k (Selvaraju et al., ICCV 2017,
 *                      equations 1 and 2 without the ReLU), brought from (h, w) to (H, W)
 *
 * Bilinear interpolation with pixel centres aligned: pixel i of H lies at u = (i + 1/2) h / H - 1/2, kept within
 * [0, h - 1], between the rows floor(u) and floor(u) + 1 with weights 1 - (u - floor(u)) and u - floor(u); columns
 * alike. (PyTorch: mode "bilinear", align_corners false.)
 */
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "nn/network.h"

enum { CHUNK = 64 }; // images at a time, so that activations of a large set need not be held

/* ---- Grad-CAM ------------------------------------------------------------------------------------------ */

/* activation, derivative: (channels, height, width) of one image; coarse: (height, width). */
static void weigh_channels(sf_image_shape shape, const float *activation, const float *derivative,
                           double *coarse)
{
    size_t pixels = shape.height * shape.width;
    memset(coarse, 0, pixels * sizeof *coarse);
    for (size_t k = 0; k < shape.channels; k++) {
        double alpha = 0.0;
        for (size_t p = 0; p < pixels; p++)
            alpha += derivative[k * pixels + p];
        alpha /= (double)pixels;
        for (size_t p = 0; p < pixels; p++)
            coarse[p] += alpha * activation[k * pixels + p];
    }
}

typedef struct between {
    size_t low, high;
    double weight; // of high
} between;

/* Where pixel i of `fine` lies among `coarse` ones. */
static between locate(size_t i, size_t fine, size_t coarse)
{
    double u = ((double)i + 0.5) * (double)coarse / (double)fine - 0.5;
    u = fmin(fmax(u, 0.0), (double)coarse - 1.0);
    size_t low = (size_t)u;
    return (between){low, low + 1 < coarse ? low + 1 : low, u - (double)low};
}

static void enlarge(size_t h, size_t w, const double *coarse, size_t height, size_t width, float *map)
{
    for (size_t i = 0; i < height; i++) {
        between r = locate(i, height, h);
        const double *a = coarse + r.low * w, *b = coarse + r.high * w;
        for (size_t j = 0; j < width; j++) {
            between c = locate(j, width, w);
            double above = (1.0 - c.weight) * a[c.low] + c.weight * a[c.high];
            double below = (1.0 - c.weight) * b[c.low] + c.weight * b[c.high];
            map[i * width + j] = (float)((1.0 - r.weight) * above + r.weight * below);
        }
    }
}

typedef struct cam_space {
    sf_image_shape shape; // of the layer
    float *activation, *derivative;
    double *coarse;
} cam_space;

static sf_status cam_chunks(sf_nn *nn, size_t layer, size_t n, const float *images, const int *labels,
                            const cam_space *s, float *map)
{
    sf_image_shape input = nn->spec.input;
    size_t in = input.channels * input.height * input.width, pixels = input.height * input.width,
           inner = s->shape.channels * s->shape.height * s->shape.width;
    for (size_t first = 0; first < n; first += CHUNK) {
        size_t count = n - first < CHUNK ? n - first : CHUNK;
        SF_TRY(sf_nn_layer_gradient(nn, layer, count, images + first * in, labels + first, NULL,
                                    s->activation, s->derivative));
        for (size_t i = 0; i < count; i++) {
            weigh_channels(s->shape, s->activation + i * inner, s->derivative + i * inner, s->coarse);
            enlarge(s->shape.height, s->shape.width, s->coarse, input.height, input.width,
                    map + (first + i) * pixels);
        }
    }
    return SF_OK;
}

sf_status sf_nn_grad_cam(sf_nn *nn, size_t layer, size_t n, const float *images, const int *labels,
                         float *map)
{
    cam_space s = {0};
    SF_TRY(sf_nn_layer_gradient(nn, layer, 0, NULL, NULL, &s.shape, NULL, NULL));
    size_t pixels = s.shape.height * s.shape.width, room = (n < CHUNK ? n : CHUNK) * s.shape.channels;
    s.activation = SF_ARRAY(nn->context, room * pixels, float);
    s.derivative = SF_ARRAY(nn->context, room * pixels, float);
    s.coarse = SF_ARRAY(nn->context, pixels, double);
    sf_status status = SF_ERR_MEMORY;
    if (s.activation && s.derivative && s.coarse)
        status = cam_chunks(nn, layer, n, images, labels, &s, map);
    sf_free(nn->context, s.activation);
    sf_free(nn->context, s.derivative);
    sf_free(nn->context, s.coarse);
    return status;
}

/* ---- shares -------------------------------------------------------------------------------------------- */

static sf_shares shares_of(size_t pixels, const float *map, const uint8_t *regions, bool positive)
{
    double sum[3] = {0.0, 0.0, 0.0};
    for (size_t p = 0; p < pixels; p++)
        sum[regions[p]] += positive && map[p] < 0.0F ? 0.0 : fabs((double)map[p]);
    double total = sum[0] + sum[1] + sum[2];
    if (total == 0.0)
        return (sf_shares){NAN, NAN, NAN};
    return (sf_shares){sum[SF_REGION_BACKGROUND] / total, sum[SF_REGION_WEAK] / total,
                       sum[SF_REGION_STRONG] / total};
}

sf_shares sf_map_shares(size_t pixels, const float *map, const uint8_t *regions)
{
    return shares_of(pixels, map, regions, false);
}

/* Adds the shares of one map; counts it in *without if it has none. */
static void add_shares(sf_shares *sum, sf_shares one, size_t *without)
{
    if (isnan(one.background)) {
        ++*without;
        return;
    }
    sum->background += one.background;
    sum->weak += one.weak;
    sum->strong += one.strong;
}

static sf_shares divide(sf_shares sum, size_t count)
{
    double n = count ? (double)count : NAN;
    return (sf_shares){sum.background / n, sum.weak / n, sum.strong / n};
}

/* ---- a set of images ----------------------------------------------------------------------------------- */

/* gradient: (count, C, H, W), work space. */
static sf_status gradient_maps(sf_nn *nn, size_t count, const float *images, const int *labels,
                               float *gradient, float *map)
{
    size_t channels = nn->spec.input.channels, pixels = nn->spec.input.height * nn->spec.input.width;
    SF_TRY(sf_nn_input_gradient(nn, count, images, labels, gradient));
    for (size_t i = 0; i < count; i++)
        for (size_t p = 0; p < pixels; p++) {
            const float *g = gradient + i * channels * pixels + p;
            float largest = g[0];
            for (size_t c = 1; c < channels; c++)
                largest = fabsf(g[c * pixels]) > fabsf(largest) ? g[c * pixels] : largest;
            map[i * pixels + p] = largest;
        }
    return SF_OK;
}

static sf_status attribute_chunks(sf_nn *nn, sf_attribution method, size_t layer, const sf_images *images,
                                  float *work, float *own_maps, float *maps, sf_attribution_summary *s)
{
    sf_image_shape shape = nn->spec.input;
    size_t pixels = shape.height * shape.width, values = shape.channels * pixels;
    const uint8_t *regions = sf_images_regions(images);
    for (size_t first = 0; first < s->images; first += CHUNK) {
        size_t count = s->images - first < CHUNK ? s->images - first : CHUNK;
        const float *x = sf_images_pixels(images) + first * values;
        const int *labels = sf_images_labels(images) + first;
        float *map = maps ? maps + first * pixels : own_maps;
        SF_TRY(method == SF_ATTRIBUTION_GRAD_CAM ? sf_nn_grad_cam(nn, layer, count, x, labels, map)
                                                 : gradient_maps(nn, count, x, labels, work, map));
        for (size_t i = 0; i < count; i++) {
            const uint8_t *region = regions + (first + i) * pixels;
            add_shares(&s->shares, shares_of(pixels, map + i * pixels, region, false), &s->zero);
            add_shares(&s->positive, shares_of(pixels, map + i * pixels, region, true), &s->empty);
        }
    }
    s->shares = divide(s->shares, s->images - s->zero);
    s->positive = divide(s->positive, s->images - s->empty);
    return SF_OK;
}

sf_status sf_nn_attribute(sf_nn *nn, sf_attribution method, size_t layer, const sf_images *images,
                          float *maps, sf_attribution_summary *summary)
{
    sf_image_shape shape = sf_images_shape(images), expected = nn->spec.input;
    *summary = (sf_attribution_summary){.images = sf_images_count(images)};
    if (shape.channels != expected.channels || shape.height != expected.height ||
        shape.width != expected.width || sf_images_classes(images) != nn->spec.classes)
        return sf_fail(
            nn->context, SF_ERR_ARGUMENT,
            "images of %zu x %zu x %zu in %zu classes, but the network takes %zu x %zu x %zu in %zu",
            shape.channels, shape.height, shape.width, sf_images_classes(images), expected.channels,
            expected.height, expected.width, nn->spec.classes);
    size_t pixels = shape.height * shape.width;
    float *work = SF_ARRAY(nn->context, CHUNK * shape.channels * pixels, float);
    float *own_maps = SF_ARRAY(nn->context, CHUNK * pixels, float);
    sf_status status = SF_ERR_MEMORY;
    if (work && own_maps)
        status = attribute_chunks(nn, method, layer, images, work, own_maps, maps, summary);
    sf_free(nn->context, work);
    sf_free(nn->context, own_maps);
    return status;
}
