/* The plain backend: convolutions, poolings and fully connected stages as loops of our own, for builds and machines
 * without oneDNN, and the reference that stays beside it.
 *
 * Activations lie as (image, row, column, channel), with a border of zeros where a convolution reads them. Then the
 * columns (j, c) that a row i of a kernel meets lie side by side, and with weights turned to W'[i, j, c, o]
 *
 *     forward      z[y, x, o]    = b[o] + sum_i sum_(j, c) a[y + i, x + j, c] W'[i, j, c, o]
 *     by weights   G[i, j, c, o] = sum_y sum_x a[y + i, x + j, c] s[y, x, o]
 *     by input     d[y, x, c]    = sum_i sum_(j, o) s[y + i, x + j, o] W''[i, j, o, c],
 *
 * s the derivative by z, with a border of its own, and W''[i, j, o, c] = W[o, c, k-1-i, k-1-j], are all the sum of
 * product.h, as are those of fully connected stages, whose columns are the numbers of an image. ReLU is read off the
 * activation (0 where that is 0); a maximum belongs to the first position that has it.
 */
#include <string.h>

#include "nn/network.h"
#include "nn/product.h"

enum {
    CAPACITIES = 6,
    SLACK = SF_PRODUCT_LANES
}; // slices of 1, 2, 4 ... 32 images; floats readable behind an array

/* How an image lies in an array, in numbers. */
typedef struct sf_grid {
    size_t channels, height, width;
    size_t row, inside, size; // to the next row; to the first number inside the border; of an image
} sf_grid;

/* A stage's arrays: input, derivative by the output, and which position of a pool was the largest. */
typedef struct sf_arrays {
    float *value[SF_NN_MAX_STAGES + 1], *slope[SF_NN_MAX_STAGES + 1];
    int32_t *largest[SF_NN_MAX_STAGES];
    float *layer[SF_NN_MAX_STAGES], *layer_slope[SF_NN_MAX_STAGES]; // of convolutions, (capacity, C, H, W)
    sf_slice slice;
    double *block; // holds all of them
} sf_arrays;

struct sf_plain {
    int workers;
    sf_product_fn product;
    sf_grid value[SF_NN_MAX_STAGES + 1], slope[SF_NN_MAX_STAGES + 1]; // before each stage, and after the last
    sf_arrays *arrays;                                                // (workers, CAPACITIES)
    const float *theta;
    double *weights;
    float *forward[SF_NN_MAX_STAGES], *backward[SF_NN_MAX_STAGES]; // in `weights`: W', W''
};

static size_t whole_lanes(size_t n)
{
    return (n + SF_PRODUCT_LANES - 1) / SF_PRODUCT_LANES * SF_PRODUCT_LANES;
}

/* ---- weights ---------------------------------------------------------------------------------------------- */

/* The weights of a stage: theta has (out, channels, height, width). */
typedef struct sf_kernel {
    size_t out, channels, height, width;
} sf_kernel;

static sf_kernel kernel_of(const sf_nn *nn, size_t index)
{
    const sf_stage *stage = &nn->layout.stage[index];
    if (stage->kind == SF_STAGE_CONVOLUTION)
        return (sf_kernel){stage->out.channels, stage->in.channels, nn->spec.kernel, nn->spec.kernel};
    const sf_grid *grid = &nn->plain->value[index];
    return (sf_kernel){stage->out.channels, grid->channels, grid->height, grid->width};
}

static size_t places(sf_kernel k)
{
    return k.channels * k.height * k.width;
}

/* Where W[o, c, i, j] is in theta. */
static size_t theta_index(sf_kernel k, size_t o, size_t c, size_t i, size_t j)
{
    return ((o * k.channels + c) * k.height + i) * k.width + j;
}

/* W'[i, j, c, o] and W''. */
static void turn_weights(void *argument, size_t index, int worker)
{
    const sf_nn *nn = argument;
    const sf_plain *plain = nn->plain;
    const sf_stage *stage = &nn->layout.stage[index];
    (void)worker;
    if (stage->kind == SF_STAGE_POOL)
        return;
    sf_kernel k = kernel_of(nn, index);
    const float *theta = plain->theta + nn->layout.tensor[stage->weights].offset;
    bool dense = stage->kind == SF_STAGE_DENSE;
    size_t across = whole_lanes(k.out), back = whole_lanes(dense ? places(k) : k.channels);
    for (size_t o = 0; o < k.out; o++)
        for (size_t c = 0; c < k.channels; c++)
            for (size_t i = 0; i < k.height; i++)
                for (size_t j = 0; j < k.width; j++) {
                    float weight = theta[theta_index(k, o, c, i, j)];
                    size_t place = (i * k.width + j) * k.channels + c,
                           turned = (k.height - 1 - i) * k.width + (k.width - 1 - j);
                    plain->forward[index][place * across + o] = weight;
                    plain->backward[index][dense ? o * back + place : (turned * k.out + o) * back + c] =
                        weight;
                }
}

/* The gradient of a stage from the order of W' to that of theta. */
typedef struct sf_return {
    const sf_nn *nn;
    float *gradient;
} sf_return;

static void return_gradient(void *argument, size_t index, int worker)
{
    const sf_return *task = argument;
    const sf_nn *nn = task->nn;
    const sf_stage *stage = &nn->layout.stage[index];
    (void)worker;
    if (stage->kind == SF_STAGE_POOL)
        return;
    sf_kernel k = kernel_of(nn, index);
    size_t offset = nn->layout.tensor[stage->weights].offset;
    const float *from = nn->sum[0].values + offset;
    for (size_t o = 0; o < k.out; o++)
        for (size_t c = 0; c < k.channels; c++)
            for (size_t i = 0; i < k.height; i++)
                for (size_t j = 0; j < k.width; j++)
                    task->gradient[offset + theta_index(k, o, c, i, j)] =
                        from[((i * k.width + j) * k.channels + c) * k.out + o];
    if (stage->bias >= 0) {
        const sf_nn_tensor *bias = &nn->layout.tensor[stage->bias];
        memcpy(task->gradient + bias->offset, nn->sum[0].values + bias->offset, bias->count * sizeof(float));
    }
}

static sf_status prepare(sf_nn *nn, const float *theta)
{
    nn->plain->theta = theta;
    sf_pool_run(nn->pool, nn->layout.stages, turn_weights, nn);
    return SF_OK;
}

static sf_status finish(sf_nn *nn, const float *theta, float *gradient)
{
    sf_return task = {nn, gradient};
    (void)theta;
    sf_pool_run(nn->pool, nn->layout.stages, return_gradient, &task);
    return SF_OK;
}

/* ---- creation --------------------------------------------------------------------------------------------- */

static sf_grid make_grid(size_t channels, size_t height, size_t width, size_t before, size_t after)
{
    size_t row = (before + width + after) * channels;
    return (sf_grid){
        channels, height, width, row, before * row + before * channels, (before + height + after) * row};
}

static bool is_convolution(const sf_nn *nn, size_t index)
{
    return index < nn->layout.stages && nn->layout.stage[index].kind == SF_STAGE_CONVOLUTION;
}

/* Images that a fully connected stage takes first stay as they come. */
static void lay_out(sf_nn *nn)
{
    const sf_layout *layout = &nn->layout;
    size_t around = nn->spec.model == SF_MODEL_CNN ? nn->spec.kernel - 1 : 0, before = around / 2;
    for (size_t i = 0; i <= layout->stages; i++) {
        sf_image_shape shape = i < layout->stages ? layout->stage[i].in : layout->stage[i - 1].out;
        size_t read = is_convolution(nn, i), written = i > 0 && is_convolution(nn, i - 1);
        if (i == 0 && !read)
            shape = (sf_image_shape){layout->pixels, 1, 1};
        nn->plain->value[i] =
            make_grid(shape.channels, shape.height, shape.width, read * before, read * (around - before));
        nn->plain->slope[i] = make_grid(shape.channels, shape.height, shape.width,
                                        written * (around - before), written * before);
    }
}

static sf_status place_weights(sf_nn *nn)
{
    sf_plain *plain = nn->plain;
    size_t total = 0;
    for (int pass = 0; pass < 2; pass++) {
        float *next = (float *)plain->weights;
        for (size_t i = 0; i < nn->layout.stages; i++) {
            const sf_stage *stage = &nn->layout.stage[i];
            if (stage->kind == SF_STAGE_POOL)
                continue;
            sf_kernel k = kernel_of(nn, i);
            size_t there = places(k) * whole_lanes(k.out),
                   back = stage->kind == SF_STAGE_DENSE
                              ? k.out * whole_lanes(places(k))
                              : k.height * k.width * k.out * whole_lanes(k.channels);
            if (pass == 1) {
                plain->forward[i] = next;
                plain->backward[i] = next + there;
                next += there + back;
            }
            total += pass == 0 ? there + back : 0;
        }
        if (pass == 0 && !(plain->weights = sf_alloc_doubles(nn->context, (total + SLACK) / 2)))
            return SF_ERR_MEMORY;
    }
    memset(plain->weights, 0, (total + SLACK) * sizeof(float));
    return SF_OK;
}

static sf_status create(sf_nn *nn)
{
    sf_plain *plain = nn->plain = SF_NEW(nn->context, sf_plain);
    if (!plain)
        return SF_ERR_MEMORY;
    nn->sum_size = nn->layout.parameters;
    plain->workers = sf_pool_threads(nn->pool);
    plain->product = sf_product_of(sf_isa_choose());
    lay_out(nn);
    plain->arrays =
        (sf_arrays *)sf_alloc_zero(nn->context, (size_t)plain->workers * CAPACITIES, sizeof(sf_arrays));
    return plain->arrays ? place_weights(nn) : SF_ERR_MEMORY;
}

static void destroy(sf_nn *nn)
{
    sf_plain *plain = nn->plain;
    if (!plain)
        return;
    for (size_t i = 0; i < (size_t)plain->workers * CAPACITIES && plain->arrays; i++)
        sf_free_aligned(nn->context, plain->arrays[i].block);
    sf_free_aligned(nn->context, plain->weights);
    sf_free(nn->context, plain->arrays);
    sf_free(nn->context, plain);
    nn->plain = NULL;
}

static sf_arrays *arrays_of(const sf_nn *nn, int worker, size_t capacity)
{
    int index = 0;
    while (((size_t)1 << index) < capacity)
        index++;
    return &nn->plain->arrays[worker * CAPACITIES + index];
}

/* The next `count` numbers of a block, which is only measured if there is none yet. */
static float *take(float *block, size_t *used, size_t count)
{
    float *here = block ? block + *used : NULL;
    *used += whole_lanes(count) + SLACK;
    return here;
}

static size_t place_arrays(const sf_nn *nn, size_t capacity, float *block, sf_arrays *arrays)
{
    const sf_layout *layout = &nn->layout;
    const sf_plain *plain = nn->plain;
    size_t used = 0, stages = layout->stages;
    for (size_t i = 0; i <= stages; i++) {
        arrays->value[i] = take(block, &used, capacity * plain->value[i].size);
        arrays->slope[i] = take(block, &used, capacity * plain->slope[i].size);
    }
    for (size_t i = 0; i < stages; i++) {
        sf_image_shape out = layout->stage[i].out;
        size_t count = capacity * out.channels * out.height * out.width;
        if (layout->stage[i].kind == SF_STAGE_POOL)
            arrays->largest[i] = (void *)take(block, &used, count);
        if (layout->stage[i].kind != SF_STAGE_CONVOLUTION)
            continue;
        arrays->layer[i] = take(block, &used, count);
        arrays->layer_slope[i] = take(block, &used, count);
    }
    bool first = is_convolution(nn, 0);
    arrays->slice = (sf_slice){
        .input = first ? take(block, &used, capacity * layout->pixels) : arrays->value[0],
        .by_input = first ? take(block, &used, capacity * layout->pixels) : arrays->slope[0],
        .logits = arrays->value[stages],
        .seeds = arrays->slope[stages],
    };
    return used;
}

static sf_status reserve(sf_nn *nn, size_t capacity)
{
    for (int w = 0; w < nn->plain->workers; w++) {
        sf_arrays *arrays = arrays_of(nn, w, capacity);
        if (arrays->block)
            continue;
        size_t count = place_arrays(nn, capacity, NULL, arrays);
        arrays->block = sf_alloc_doubles(nn->context, count / 2 + 1);
        if (!arrays->block)
            return SF_ERR_MEMORY;
        memset(arrays->block, 0, count * sizeof(float));
        place_arrays(nn, capacity, (float *)arrays->block, arrays);
    }
    return SF_OK;
}

static sf_status adopt_sum(sf_nn *nn, size_t sum, float *values)
{
    (void)nn;
    (void)sum;
    (void)values; // the numbers of a sum are used as they are
    return SF_OK;
}

static sf_slice *slice(sf_nn *nn, int worker, size_t capacity)
{
    return &arrays_of(nn, worker, capacity)->slice;
}

/* ---- arrays ----------------------------------------------------------------------------------------------- */

/* The inside of image n. */
static float *inside(float *array, const sf_grid *grid, size_t n)
{
    return array + n * grid->size + grid->inside;
}

/* Between (capacity, C, H, W) and an array in a grid. */
static void from_planes(size_t capacity, const float *planes, const sf_grid *g, float *array)
{
    for (size_t n = 0; n < capacity; n++)
        for (size_t c = 0; c < g->channels; c++)
            for (size_t y = 0; y < g->height; y++)
                for (size_t x = 0; x < g->width; x++)
                    inside(array, g, n)[y * g->row + x * g->channels + c] =
                        planes[((n * g->channels + c) * g->height + y) * g->width + x];
}

static void to_planes(size_t capacity, float *array, const sf_grid *g, float *planes)
{
    for (size_t n = 0; n < capacity; n++)
        for (size_t c = 0; c < g->channels; c++)
            for (size_t y = 0; y < g->height; y++)
                for (size_t x = 0; x < g->width; x++)
                    planes[((n * g->channels + c) * g->height + y) * g->width + x] =
                        inside(array, g, n)[y * g->row + x * g->channels + c];
}

static void clear(size_t capacity, const sf_grid *g, float *array)
{
    memset(array, 0, capacity * g->size * sizeof *array);
}

/* ---- forward ---------------------------------------------------------------------------------------------- */

/* What a stage works on. */
typedef struct sf_work {
    const sf_nn *nn;
    const sf_stage *stage;
    size_t index, capacity;
    const sf_arrays *arrays;
    const sf_grid *in, *out, *in_slope, *out_slope;
} sf_work;

static sf_work work_on(const sf_nn *nn, const sf_arrays *arrays, size_t capacity, size_t index)
{
    const sf_plain *plain = nn->plain;
    return (sf_work){nn,
                     &nn->layout.stage[index],
                     index,
                     capacity,
                     arrays,
                     &plain->value[index],
                     &plain->value[index + 1],
                     &plain->slope[index],
                     &plain->slope[index + 1]};
}

static void start_with_bias(const sf_work *w, float *out)
{
    const sf_stage *stage = w->stage;
    const float *bias =
        stage->bias >= 0 ? w->nn->plain->theta + w->nn->layout.tensor[stage->bias].offset : NULL;
    for (size_t y = 0; y < w->out->height; y++)
        for (size_t x = 0; x < w->out->width; x++)
            for (size_t o = 0; o < w->out->channels; o++)
                out[y * w->out->row + x * w->out->channels + o] = bias ? bias[o] : 0.0f;
}

static void relu(const sf_work *w, float *out)
{
    size_t count = w->out->width * w->out->channels;
    for (size_t y = 0; y < w->out->height; y++)
        for (size_t i = 0; i < count; i++)
            out[y * w->out->row + i] = out[y * w->out->row + i] > 0.0f ? out[y * w->out->row + i] : 0.0f;
}

static void convolve(const sf_work *w, size_t n)
{
    size_t k = w->nn->spec.kernel, in = w->in->channels, across = whole_lanes(w->out->channels);
    w->nn->plain->product(&(sf_product){.lines = w->out->height,
                                        .rows = w->out->width,
                                        .columns = w->out->channels,
                                        .outer = k,
                                        .inner = k * in,
                                        .a = w->arrays->value[w->index] + n * w->in->size,
                                        .a_line = w->in->row,
                                        .a_row = in,
                                        .a_outer = w->in->row,
                                        .a_inner = 1,
                                        .b = w->nn->plain->forward[w->index],
                                        .b_outer = k * in * across,
                                        .b_inner = across,
                                        .out = inside(w->arrays->value[w->index + 1], w->out, n),
                                        .out_line = w->out->row,
                                        .out_row = w->out->channels});
}

/* All images at once: neither array has a border. */
static void dense(const sf_work *w)
{
    size_t across = whole_lanes(w->out->channels);
    w->nn->plain->product(&(sf_product){.lines = 1,
                                        .rows = w->capacity,
                                        .columns = w->out->channels,
                                        .outer = 1,
                                        .inner = w->in->size,
                                        .a = w->arrays->value[w->index],
                                        .a_row = w->in->size,
                                        .a_inner = 1,
                                        .b = w->nn->plain->forward[w->index],
                                        .b_inner = across,
                                        .out = w->arrays->value[w->index + 1],
                                        .out_row = w->out->channels});
}

/* One position of a pool: all channels. */
static void pool_place(const sf_work *w, const float *in, float *out, int32_t *largest)
{
    size_t side = w->nn->spec.pool, channels = w->in->channels;
    bool highest = w->nn->spec.pooling == SF_POOLING_MAX;
    float area = (float)(side * side);
    memcpy(out, in, channels * sizeof *out);
    memset(largest, 0, channels * sizeof *largest);
    for (size_t i = 0; i < side; i++)
        for (size_t j = i == 0; j < side; j++) {
            const float *here = in + i * w->in->row + j * channels;
            int32_t number = (int32_t)(i * side + j);
            for (size_t c = 0; c < channels && highest; c++) {
                bool more = here[c] > out[c];
                largest[c] = more ? number : largest[c];
                out[c] = more ? here[c] : out[c];
            }
            for (size_t c = 0; c < channels && !highest; c++)
                out[c] += here[c];
        }
    for (size_t c = 0; c < channels && !highest; c++)
        out[c] /= area;
}

static void pool_place_back(const sf_work *w, const float *slope, const int32_t *largest, float *slope_in)
{
    size_t side = w->nn->spec.pool, channels = w->in->channels;
    bool highest = w->nn->spec.pooling == SF_POOLING_MAX;
    float area = (float)(side * side);
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j < side; j++) {
            float *there = slope_in + i * w->in_slope->row + j * channels;
            int32_t number = (int32_t)(i * side + j);
            for (size_t c = 0; c < channels && highest; c++)
                there[c] = largest[c] == number ? slope[c] : 0.0f;
            for (size_t c = 0; c < channels && !highest; c++)
                there[c] = slope[c] / area;
        }
}

static void pool(const sf_work *w, bool back)
{
    size_t side = w->nn->spec.pool, channels = w->in->channels;
    int32_t *largest = w->arrays->largest[w->index];
    for (size_t n = 0; n < w->capacity; n++)
        for (size_t y = 0; y < w->out->height; y++)
            for (size_t x = 0; x < w->out->width; x++, largest += channels) {
                size_t from = y * side, column = x * side * channels, to = x * channels;
                if (back)
                    pool_place_back(w,
                                    inside(w->arrays->slope[w->index + 1], w->out_slope, n) +
                                        y * w->out_slope->row + to,
                                    largest,
                                    inside(w->arrays->slope[w->index], w->in_slope, n) +
                                        from * w->in_slope->row + column);
                else
                    pool_place(w, inside(w->arrays->value[w->index], w->in, n) + from * w->in->row + column,
                               inside(w->arrays->value[w->index + 1], w->out, n) + y * w->out->row + to,
                               largest);
            }
}

static void stage_forward(const sf_work *w)
{
    if (w->stage->kind == SF_STAGE_POOL) {
        pool(w, false);
        return;
    }
    float *value = w->arrays->value[w->index + 1];
    for (size_t n = 0; n < w->capacity; n++)
        start_with_bias(w, inside(value, w->out, n));
    if (w->stage->kind == SF_STAGE_DENSE)
        dense(w);
    for (size_t n = 0; n < w->capacity; n++) {
        if (w->stage->kind == SF_STAGE_CONVOLUTION)
            convolve(w, n);
        if (w->stage->relu)
            relu(w, inside(value, w->out, n));
    }
}

static bool forward(sf_nn *nn, int worker, size_t capacity)
{
    const sf_arrays *arrays = arrays_of(nn, worker, capacity);
    if (is_convolution(nn, 0))
        from_planes(capacity, arrays->slice.input, &nn->plain->value[0], arrays->value[0]);
    for (size_t i = 0; i < nn->layout.stages; i++) {
        sf_work work = work_on(nn, arrays, capacity, i);
        stage_forward(&work);
    }
    return true;
}

/* ---- backward --------------------------------------------------------------------------------------------- */

static void relu_back(const sf_work *w)
{
    size_t count = w->out->width * w->out->channels;
    for (size_t n = 0; n < w->capacity; n++)
        for (size_t y = 0; y < w->out->height; y++) {
            const float *value = inside(w->arrays->value[w->index + 1], w->out, n) + y * w->out->row;
            float *slope = inside(w->arrays->slope[w->index + 1], w->out_slope, n) + y * w->out_slope->row;
            for (size_t i = 0; i < count; i++)
                slope[i] = value[i] > 0.0f ? slope[i] : 0.0f;
        }
}

static void by_bias(const sf_work *w, float *gradient)
{
    size_t channels = w->out->channels;
    for (size_t n = 0; n < w->capacity; n++)
        for (size_t y = 0; y < w->out->height; y++) {
            const float *slope =
                inside(w->arrays->slope[w->index + 1], w->out_slope, n) + y * w->out_slope->row;
            for (size_t x = 0; x < w->out->width; x++)
                for (size_t o = 0; o < channels; o++)
                    gradient[o] += slope[x * channels + o];
        }
}

static void by_weights(const sf_work *w, float *gradient)
{
    size_t k = w->nn->spec.kernel, in = w->in->channels, out = w->out->channels;
    const float *slope = w->arrays->slope[w->index + 1], *value = w->arrays->value[w->index];
    if (w->stage->kind == SF_STAGE_DENSE) {
        w->nn->plain->product(&(sf_product){.lines = 1,
                                            .rows = w->in->size,
                                            .columns = out,
                                            .outer = 1,
                                            .inner = w->capacity,
                                            .a = value,
                                            .a_row = 1,
                                            .a_inner = w->in->size,
                                            .b = slope,
                                            .b_inner = out,
                                            .out = gradient,
                                            .out_row = out});
        return;
    }
    for (size_t n = 0; n < w->capacity; n++)
        w->nn->plain->product(&(sf_product){.lines = k,
                                            .rows = k * in,
                                            .columns = out,
                                            .outer = w->out->height,
                                            .inner = w->out->width,
                                            .a = value + n * w->in->size,
                                            .a_line = w->in->row,
                                            .a_row = 1,
                                            .a_outer = w->in->row,
                                            .a_inner = in,
                                            .b = slope + n * w->out_slope->size + w->out_slope->inside,
                                            .b_outer = w->out_slope->row,
                                            .b_inner = out,
                                            .out = gradient,
                                            .out_line = k * in * out,
                                            .out_row = out});
}

static void by_input(const sf_work *w)
{
    size_t k = w->nn->spec.kernel, in = w->in->channels, out = w->out->channels;
    float *slope_in = w->arrays->slope[w->index];
    const float *slope = w->arrays->slope[w->index + 1];
    clear(w->capacity, w->in_slope, slope_in);
    if (w->stage->kind == SF_STAGE_DENSE) {
        size_t columns = w->in->width * in; // row by row: there is a border where a convolution is before
        for (size_t y = 0; y < w->in->height; y++)
            w->nn->plain->product(
                &(sf_product){.lines = 1,
                              .rows = w->capacity,
                              .columns = columns,
                              .outer = 1,
                              .inner = out,
                              .a = slope,
                              .a_row = out,
                              .a_inner = 1,
                              .b = w->nn->plain->backward[w->index] + y * columns,
                              .b_inner = whole_lanes(w->in->size),
                              .out = inside(slope_in, w->in_slope, 0) + y * w->in_slope->row,
                              .out_row = w->in_slope->size});
        return;
    }
    size_t across = whole_lanes(in);
    for (size_t n = 0; n < w->capacity; n++)
        w->nn->plain->product(&(sf_product){.lines = w->in->height,
                                            .rows = w->in->width,
                                            .columns = in,
                                            .outer = k,
                                            .inner = k * out,
                                            .a = slope + n * w->out_slope->size,
                                            .a_line = w->out_slope->row,
                                            .a_row = out,
                                            .a_outer = w->out_slope->row,
                                            .a_inner = 1,
                                            .b = w->nn->plain->backward[w->index],
                                            .b_outer = k * out * across,
                                            .b_inner = across,
                                            .out = inside(slope_in, w->in_slope, n),
                                            .out_line = w->in_slope->row,
                                            .out_row = in});
}

/* gradient: NULL if not wanted; input: whether the derivative by the input of the stage is. */
static void stage_backward(const sf_work *w, float *gradient, bool input)
{
    const sf_nn_tensor *tensor = w->nn->layout.tensor;
    if (w->stage->kind == SF_STAGE_POOL) {
        clear(w->capacity, w->in_slope, w->arrays->slope[w->index]);
        pool(w, true);
        return;
    }
    if (w->stage->relu)
        relu_back(w);
    if (gradient && w->stage->bias >= 0)
        by_bias(w, gradient + tensor[w->stage->bias].offset);
    if (gradient)
        by_weights(w, gradient + tensor[w->stage->weights].offset);
    if (input)
        by_input(w);
}

/* From the last stage down to `last`. */
static void backward_from_seeds(sf_nn *nn, int worker, size_t capacity, size_t last, float *gradient,
                                bool input)
{
    const sf_arrays *arrays = arrays_of(nn, worker, capacity);
    for (size_t i = nn->layout.stages; i-- > last;) {
        sf_work work = work_on(nn, arrays, capacity, i);
        stage_backward(&work, gradient, i > 0 || input);
    }
}

static bool backward(sf_nn *nn, int worker, size_t capacity, size_t sum)
{
    memset(nn->sum[sum].values, 0, nn->sum_size * sizeof(float));
    backward_from_seeds(nn, worker, capacity, 0, nn->sum[sum].values, false);
    return true;
}

static bool backward_to_input(sf_nn *nn, int worker, size_t capacity)
{
    const sf_arrays *arrays = arrays_of(nn, worker, capacity);
    backward_from_seeds(nn, worker, capacity, 0, NULL, true);
    if (is_convolution(nn, 0))
        to_planes(capacity, arrays->slope[0], &nn->plain->slope[0], arrays->slice.by_input);
    return true;
}

static bool backward_to_layer(sf_nn *nn, int worker, size_t capacity, size_t layer)
{
    sf_arrays *arrays = arrays_of(nn, worker, capacity);
    size_t index = (size_t)nn->layout.layer_stage[layer];
    backward_from_seeds(nn, worker, capacity, index + 1, NULL, false);
    to_planes(capacity, arrays->value[index + 1], &nn->plain->value[index + 1], arrays->layer[index]);
    to_planes(capacity, arrays->slope[index + 1], &nn->plain->slope[index + 1], arrays->layer_slope[index]);
    arrays->slice.layer = arrays->layer[index];
    arrays->slice.slope = arrays->layer_slope[index];
    return true;
}

const sf_backend sf_backend_plain = {"plain",           create, destroy, reserve,  adopt_sum,
                                     prepare,           slice,  forward, backward, backward_to_input,
                                     backward_to_layer, finish};
