/* The networks of nn.h once more, in double precision, as plain loops over one image at a time: the permanent reference.
 *
 * Its gradients are themselves checked against finite differences (reference_gradient is exact to double precision, so the
 * difference quotient may be). Nothing of src/nn is used but the description of the network and the order of theta.
 */
#ifndef SF_TEST_NN_REFERENCE_H
#define SF_TEST_NN_REFERENCE_H

#include "support.h"

enum { REFERENCE_STAGES = 16 };

/* One suite for all backends: its main runs the tests on one after another. */
static sf_nn_backend backend_under_test;

static inline sf_status create_network(sf_context *context, const sf_nn_spec *spec, int threads, sf_nn **out)
{
    sf_nn_spec own = *spec;
    own.backend = backend_under_test;
    return sf_nn_create(context, &own, threads, out);
}

/* The number of tests that failed; a build has at least one backend. */
#define RUN_ON_EVERY_BACKEND(tests, failed)                                                                  \
    do {                                                                                                     \
        static const char *const names[] = {"auto", "onednn", "plain"};                                      \
        for (int id = SF_NN_ONEDNN; id <= SF_NN_PLAIN; id++) {                                               \
            backend_under_test = (sf_nn_backend)id;                                                          \
            if (sf_nn_backend_available(backend_under_test))                                                 \
                (failed) += cmocka_run_group_tests_name(names[id], tests, NULL, NULL);                       \
        }                                                                                                    \
        (failed) += !sf_nn_backend_available(SF_NN_PLAIN);                                                   \
    } while (0)

/* One image on its way: the input and the output of every stage, and the derivatives by them. */
typedef struct reference_pass {
    size_t stages;
    size_t size[REFERENCE_STAGES + 1]; // numbers before stage s
    double *value[REFERENCE_STAGES + 1], *slope[REFERENCE_STAGES + 1];
    size_t convolution[REFERENCE_STAGES]; // stage whose output is the activation of the c-th convolution
    size_t convolutions;
} reference_pass;

typedef enum { DENSE, CONVOLUTION, RELU, MAX_POOL, AVERAGE_POOL } reference_kind;

typedef struct reference_stage {
    reference_kind kind;
    sf_image_shape in, out;
    size_t weights, bias, kernel; // offsets in theta; kernel also the side of a pool
    bool has_bias;
} reference_stage;

typedef struct reference_network {
    size_t count, parameters, outputs;
    reference_stage stage[REFERENCE_STAGES];
} reference_network;

static size_t reference_volume(sf_image_shape s)
{
    return s.channels * s.height * s.width;
}

static void reference_add(reference_network *net, reference_kind kind, sf_image_shape in, sf_image_shape out,
                          size_t kernel, size_t weights, bool bias)
{
    reference_stage *stage = &net->stage[net->count++];
    *stage = (reference_stage){kind, in, out, net->parameters, net->parameters + weights, kernel, bias};
    net->parameters += weights + (bias ? out.channels : 0);
}

/* mlp and cnn. */
static reference_network reference_make(const sf_nn_spec *spec)
{
    reference_network net = {.outputs = spec->classes == 2 ? 1 : spec->classes};
    sf_image_shape shape = spec->input;
    bool relu = spec->activation == SF_ACTIVATION_RELU;
    for (size_t i = 0; spec->model == SF_MODEL_CNN && i < spec->convolutions; i++) {
        sf_image_shape out = {spec->channels[i], shape.height, shape.width};
        reference_add(&net, CONVOLUTION, shape, out, spec->kernel,
                      out.channels * shape.channels * spec->kernel * spec->kernel, spec->bias);
        if (relu)
            reference_add(&net, RELU, out, out, 0, 0, false);
        shape = (sf_image_shape){out.channels, out.height / spec->pool, out.width / spec->pool};
        reference_add(&net, spec->pooling == SF_POOLING_MAX ? MAX_POOL : AVERAGE_POOL, out, shape, spec->pool,
                      0, false);
    }
    for (size_t i = 0; i <= spec->hidden_layers; i++) {
        sf_image_shape out = {i < spec->hidden_layers ? spec->hidden[i] : net.outputs, 1, 1};
        reference_add(&net, DENSE, shape, out, 0, out.channels * reference_volume(shape), spec->bias);
        if (relu && i < spec->hidden_layers)
            reference_add(&net, RELU, out, out, 0, 0, false);
        shape = out;
    }
    return net;
}

/* ---- stages: forward, and backward with slope_in and gradient added to ---------------------------------------- */

static void reference_convolution(const reference_stage *s, const double *theta, const double *in,
                                  double *out, const double *slope_out, double *slope_in, double *gradient)
{
    size_t height = s->in.height, width = s->in.width, k = s->kernel, before = (k - 1) / 2;
    for (size_t o = 0; o < s->out.channels; o++)
        for (size_t y = 0; y < height; y++)
            for (size_t x = 0; x < width; x++) {
                size_t at = (o * height + y) * width + x;
                double sum = s->has_bias ? theta[s->bias + o] : 0.0;
                if (slope_out && s->has_bias)
                    gradient[s->bias + o] += slope_out[at];
                for (size_t c = 0; c < s->in.channels; c++)
                    for (size_t i = 0; i < k; i++)
                        for (size_t j = 0; j < k; j++) {
                            size_t row = y + i - before, column = x + j - before; // wraps below 0
                            if (row >= height || column >= width)
                                continue;
                            size_t w = s->weights + ((o * s->in.channels + c) * k + i) * k + j;
                            size_t from = (c * height + row) * width + column;
                            sum += theta[w] * in[from];
                            if (slope_out) {
                                gradient[w] += slope_out[at] * in[from];
                                slope_in[from] += slope_out[at] * theta[w];
                            }
                        }
                if (!slope_out)
                    out[at] = sum;
            }
}

static void reference_dense(const reference_stage *s, const double *theta, const double *in, double *out,
                            const double *slope_out, double *slope_in, double *gradient)
{
    size_t width = reference_volume(s->in);
    for (size_t o = 0; o < s->out.channels; o++) {
        double sum = s->has_bias ? theta[s->bias + o] : 0.0;
        if (slope_out && s->has_bias)
            gradient[s->bias + o] += slope_out[o];
        for (size_t i = 0; i < width; i++) {
            size_t w = s->weights + o * width + i;
            sum += theta[w] * in[i];
            if (slope_out) {
                gradient[w] += slope_out[o] * in[i];
                slope_in[i] += slope_out[o] * theta[w];
            }
        }
        if (!slope_out)
            out[o] = sum;
    }
}

static void reference_pool(const reference_stage *s, const double *in, double *out, const double *slope_out,
                           double *slope_in)
{
    for (size_t c = 0; c < s->out.channels; c++)
        for (size_t y = 0; y < s->out.height; y++)
            for (size_t x = 0; x < s->out.width; x++) {
                size_t at = (c * s->out.height + y) * s->out.width + x, best = 0;
                double sum = 0.0, area = (double)(s->kernel * s->kernel);
                for (size_t i = 0; i < s->kernel; i++)
                    for (size_t j = 0; j < s->kernel; j++) {
                        size_t from =
                            (c * s->in.height + y * s->kernel + i) * s->in.width + x * s->kernel + j;
                        if ((i == 0 && j == 0) || in[from] > in[best])
                            best = from;
                        sum += in[from];
                        if (slope_out && s->kind == AVERAGE_POOL)
                            slope_in[from] += slope_out[at] / area;
                    }
                if (!slope_out)
                    out[at] = s->kind == MAX_POOL ? in[best] : sum / area;
                else if (s->kind == MAX_POOL)
                    slope_in[best] += slope_out[at];
            }
}

/* Forward where slope_out is NULL. */
static void reference_run(const reference_stage *s, const double *theta, const double *in, double *out,
                          const double *slope_out, double *slope_in, double *gradient)
{
    switch (s->kind) {
    case CONVOLUTION:
        reference_convolution(s, theta, in, out, slope_out, slope_in, gradient);
        break;
    case DENSE:
        reference_dense(s, theta, in, out, slope_out, slope_in, gradient);
        break;
    case RELU:
        for (size_t i = 0; i < reference_volume(s->in); i++)
            if (slope_out)
                slope_in[i] += in[i] > 0.0 ? slope_out[i] : 0.0;
            else
                out[i] = in[i] > 0.0 ? in[i] : 0.0;
        break;
    default:
        reference_pool(s, in, out, slope_out, slope_in);
    }
}

/* ---- one image ----------------------------------------------------------------------------------------------- */

static reference_pass reference_forward(const reference_network *net, const double *theta, const float *image)
{
    reference_pass pass = {.stages = net->count};
    for (size_t s = 0; s <= net->count; s++) {
        pass.size[s] = reference_volume(s < net->count ? net->stage[s].in : net->stage[s - 1].out);
        pass.value[s] = calloc(pass.size[s], sizeof(double));
        pass.slope[s] = calloc(pass.size[s], sizeof(double));
        assert_non_null(pass.value[s]);
        assert_non_null(pass.slope[s]);
    }
    for (size_t i = 0; i < pass.size[0]; i++)
        pass.value[0][i] = image[i];
    for (size_t s = 0; s < net->count; s++) {
        reference_run(&net->stage[s], theta, pass.value[s], pass.value[s + 1], NULL, NULL, NULL);
        if (net->stage[s].kind == CONVOLUTION)
            pass.convolution[pass.convolutions++] =
                s + (s + 1 < net->count && net->stage[s + 1].kind == RELU ? 2 : 1);
    }
    return pass;
}

/* From the derivative by the logits; gradient is added to. */
static void reference_backward(const reference_network *net, const double *theta, const double *seeds,
                               reference_pass *pass, double *gradient)
{
    memcpy(pass->slope[net->count], seeds, net->outputs * sizeof *seeds);
    for (size_t s = net->count; s-- > 0;)
        reference_run(&net->stage[s], theta, pass->value[s], NULL, pass->slope[s + 1], pass->slope[s],
                      gradient);
}

static void reference_release(reference_pass *pass)
{
    for (size_t s = 0; s <= pass->stages; s++) {
        free(pass->value[s]);
        free(pass->slope[s]);
    }
}

/* Loss of logits, straight from the definition (for moderate logits), and its derivatives. */
static double reference_loss(size_t outputs, const double *logits, int label, double *seeds)
{
    if (outputs == 1) {
        double y = label == 1 ? 1.0 : -1.0;
        if (seeds)
            seeds[0] = -y / (1.0 + exp(y * logits[0]));
        return log(1.0 + exp(-y * logits[0]));
    }
    double sum = 0.0;
    for (size_t k = 0; k < outputs; k++)
        sum += exp(logits[k]);
    for (size_t k = 0; k < outputs && seeds; k++)
        seeds[k] = exp(logits[k]) / sum - ((int)k == label ? 1.0 : 0.0);
    return log(sum) - logits[label];
}

/* Mean loss over n images and its gradient (P; NULL: not wanted). */
static inline double reference_gradient(const reference_network *net, const double *theta, size_t n,
                                        const float *images, const int *labels, double *gradient)
{
    double loss = 0.0, seeds[64];
    if (gradient)
        memset(gradient, 0, net->parameters * sizeof *gradient);
    for (size_t i = 0; i < n; i++) {
        reference_pass pass = reference_forward(net, theta, images + i * reference_volume(net->stage[0].in));
        loss += reference_loss(net->outputs, pass.value[net->count], labels[i], seeds) / (double)n;
        for (size_t k = 0; k < net->outputs; k++)
            seeds[k] /= (double)n;
        if (gradient)
            reference_backward(net, theta, seeds, &pass, gradient);
        reference_release(&pass);
    }
    return loss;
}

/* Share of the images whose own class has the largest logit. */
static inline double reference_accuracy(const reference_network *net, const double *theta, size_t n,
                                        const float *images, const int *labels)
{
    size_t right = 0;
    for (size_t i = 0; i < n; i++) {
        reference_pass pass = reference_forward(net, theta, images + i * reference_volume(net->stage[0].in));
        const double *logits = pass.value[net->count];
        int best = net->outputs == 1 && logits[0] > 0.0;
        for (size_t k = 1; k < net->outputs; k++)
            if (logits[k] > logits[best])
                best = (int)k;
        right += best == labels[i];
        reference_release(&pass);
    }
    return (double)right / (double)n;
}

#endif
