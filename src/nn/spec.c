/* What a network is made of: the checks of its description, its stages and tensors, and its start. */
#include <math.h>
#include <string.h>

#include "nn/network.h"

/* ---- checks ----------------------------------------------------------------------------------------------- */

enum { MAX_SIDE = 1 << 14, MAX_WIDTH = 1 << 24 };

/* Fails because of a member of the description, which is named. */
#define REFUSE(name, ...) (*member = #name, sf_fail(context, SF_ERR_ARGUMENT, __VA_ARGS__))

static sf_status check_widths(sf_context *context, const char *what, size_t count, const size_t *width,
                              const char **member)
{
    *member = what;
    if (count > SF_NN_MAX_LAYERS)
        return sf_fail(context, SF_ERR_ARGUMENT, "found %zu, expected at most %d", count,
                       (int)SF_NN_MAX_LAYERS);
    for (size_t i = 0; i < count; i++)
        if (width[i] < 1 || width[i] > MAX_WIDTH)
            return sf_fail(context, SF_ERR_ARGUMENT, "found %zu at position %zu, expected 1 to %d", width[i],
                           i, (int)MAX_WIDTH);
    return SF_OK;
}

static sf_status check_convolutions(sf_context *context, const sf_nn_spec *spec, const char **member)
{
    if (spec->convolutions < 1)
        return REFUSE(channels, "no convolution, expected at least one");
    SF_TRY(check_widths(context, "channels", spec->convolutions, spec->channels, member));
    if (spec->kernel < 1 || spec->kernel > MAX_SIDE)
        return REFUSE(kernel, "found %zu, expected 1 to %d", spec->kernel, (int)MAX_SIDE);
    if (spec->pool < 1)
        return REFUSE(pool, "found 0, expected at least 1");
    size_t height = spec->input.height, width = spec->input.width;
    for (size_t i = 0; i < spec->convolutions; i++) {
        height /= spec->pool;
        width /= spec->pool;
        if (height < 1 || width < 1)
            return REFUSE(pool,
                          "images of %zu x %zu are used up after %zu poolings by %zu, expected at "
                          "least as many as there are convolutions (%zu)",
                          spec->input.height, spec->input.width, i, spec->pool, spec->convolutions);
    }
    return SF_OK;
}

sf_status sf_nn_check(sf_context *context, const sf_nn_spec *spec, const char **member)
{
    *member = NULL;
    const sf_image_shape *input = &spec->input;
    if (input->channels < 1 || input->height < 1 || input->width < 1 || input->channels > MAX_WIDTH ||
        input->height > MAX_SIDE || input->width > MAX_SIDE)
        return REFUSE(input, "found %zu channels of %zu x %zu, expected at least 1 each, sides up to %d",
                      input->channels, input->height, input->width, (int)MAX_SIDE);
    if (spec->classes < 2 || spec->classes > MAX_WIDTH)
        return REFUSE(classes, "found %zu, expected at least 2", spec->classes);
    if (!(spec->init_scale >= 0.0) || !isfinite(spec->init_scale))
        return REFUSE(init_scale, "found %g, expected a finite number >= 0", spec->init_scale);
    switch (spec->model) {
    case SF_MODEL_DIAGONAL:
        if (spec->classes != 2)
            return REFUSE(model, "a diagonal network has one output, expected 2 classes, found %zu",
                          spec->classes);
        if (spec->depth < 1 || spec->depth > SF_NN_MAX_LAYERS)
            return REFUSE(depth, "found %zu, expected 1 to %d", spec->depth, (int)SF_NN_MAX_LAYERS);
        return SF_OK;
    case SF_MODEL_CNN:
        SF_TRY(check_convolutions(context, spec, member));
        return check_widths(context, "hidden", spec->hidden_layers, spec->hidden, member);
    case SF_MODEL_MLP:
        return check_widths(context, "hidden", spec->hidden_layers, spec->hidden, member);
    }
    return REFUSE(model, "found %d, expected diagonal, mlp or cnn", (int)spec->model);
}

/* ---- layout ----------------------------------------------------------------------------------------------- */

static size_t volume(sf_image_shape shape)
{
    return shape.channels * shape.height * shape.width;
}

static int add_tensor(sf_layout *layout, const char *layer, size_t number, const char *part, size_t rank,
                      const size_t *shape)
{
    size_t index = layout->tensors++;
    sf_nn_tensor *tensor = &layout->tensor[index];
    snprintf(layout->name[index], SF_NN_NAME_SIZE, "%s%zu.%s", layer, number, part);
    *tensor =
        (sf_nn_tensor){.name = layout->name[index], .offset = layout->parameters, .count = 1, .rank = rank};
    for (size_t i = 0; i < rank; i++) {
        tensor->shape[i] = shape[i];
        tensor->count *= shape[i];
    }
    layout->parameters += tensor->count;
    return (int)index;
}

static sf_stage *add_stage(sf_layout *layout, sf_stage_kind kind, sf_image_shape in, sf_image_shape out)
{
    sf_stage *stage = &layout->stage[layout->stages++];
    *stage = (sf_stage){.kind = kind, .in = in, .out = out, .weights = -1, .bias = -1};
    return stage;
}

static sf_image_shape add_convolution(const sf_nn_spec *spec, sf_layout *layout, size_t i, sf_image_shape in)
{
    sf_image_shape out = {spec->channels[i], in.height, in.width};
    sf_stage *stage = add_stage(layout, SF_STAGE_CONVOLUTION, in, out);
    size_t shape[] = {out.channels, in.channels, spec->kernel, spec->kernel};
    stage->relu = spec->activation == SF_ACTIVATION_RELU;
    stage->weights = add_tensor(layout, "conv", i + 1, "weight", 4, shape);
    if (spec->bias)
        stage->bias = add_tensor(layout, "conv", i + 1, "bias", 1, shape);
    snprintf(layout->layer_name[i], SF_NN_NAME_SIZE, "conv%zu", i + 1);
    layout->layer_stage[i] = (int)layout->stages - 1;
    layout->layers++;
    if (spec->pool == 1)
        return out;
    sf_image_shape pooled = {out.channels, out.height / spec->pool, out.width / spec->pool};
    add_stage(layout, SF_STAGE_POOL, out, pooled);
    return pooled;
}

static sf_image_shape add_dense(const sf_nn_spec *spec, sf_layout *layout, size_t i, sf_image_shape in)
{
    bool last = i == spec->hidden_layers;
    sf_image_shape out = {last ? layout->outputs : spec->hidden[i], 1, 1};
    sf_stage *stage = add_stage(layout, SF_STAGE_DENSE, in, out);
    size_t shape[] = {out.channels, volume(in)};
    stage->relu = !last && spec->activation == SF_ACTIVATION_RELU;
    stage->weights = add_tensor(layout, "fc", i + 1, "weight", 2, shape);
    if (spec->bias)
        stage->bias = add_tensor(layout, "fc", i + 1, "bias", 1, shape);
    return out;
}

void sf_layout_fill(const sf_nn_spec *spec, sf_layout *layout)
{
    memset(layout, 0, sizeof *layout);
    layout->pixels = volume(spec->input);
    layout->outputs = spec->classes == 2 ? 1 : spec->classes;
    if (spec->model == SF_MODEL_DIAGONAL) {
        for (size_t l = 0; l < spec->depth; l++)
            add_tensor(layout, "layer", l + 1, "weight", 1, &layout->pixels);
        return;
    }
    sf_image_shape shape = spec->input;
    for (size_t i = 0; spec->model == SF_MODEL_CNN && i < spec->convolutions; i++)
        shape = add_convolution(spec, layout, i, shape);
    for (size_t i = 0; i <= spec->hidden_layers; i++)
        shape = add_dense(spec, layout, i, shape);
}

/* ---- the start -------------------------------------------------------------------------------------------- */

static void fill_uniform(const sf_nn_tensor *tensor, double bound, uint64_t seed, uint64_t stream,
                         float *theta)
{
    sf_random random = sf_random_make(seed, stream);
    for (size_t i = 0; i < tensor->count; i++)
        theta[tensor->offset + i] = (float)(bound * (2.0 * sf_random_uniform(&random) - 1.0));
}

void sf_nn_fill_initialization(const sf_nn_spec *spec, const sf_layout *layout, float *theta)
{
    if (spec->model == SF_MODEL_DIAGONAL) {
        for (size_t i = 0; i < layout->parameters; i++)
            theta[i] = (float)spec->init_scale;
        return;
    }
    for (size_t s = 0; s < layout->stages; s++) {
        const sf_stage *stage = &layout->stage[s];
        if (stage->kind == SF_STAGE_POOL)
            continue;
        const sf_nn_tensor *weights = &layout->tensor[stage->weights];
        size_t fan_in = weights->count / weights->shape[0];
        double bound = spec->init_scale / sqrt((double)fan_in);
        fill_uniform(weights, bound, spec->seed, (uint64_t)stage->weights, theta);
        if (stage->bias >= 0)
            fill_uniform(&layout->tensor[stage->bias], bound, spec->seed, (uint64_t)stage->bias, theta);
    }
}
