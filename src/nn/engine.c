/* The network: creation, and the passes over a batch, slice by slice. */
#include <math.h>
#include <string.h>

#include "nn/network.h"

/* ---- creation --------------------------------------------------------------------------------------------- */

static sf_status build(sf_nn *nn, int threads)
{
    sf_context *context = nn->context;
    nn->theta = SF_ARRAY(context, nn->layout.parameters, float);
    if (!nn->theta)
        return SF_ERR_MEMORY;
    sf_nn_fill_initialization(&nn->spec, &nn->layout, nn->theta);
    SF_TRY(sf_pool_create(context, threads, &nn->pool));
    nn->sums = SF_NN_SUMS + (size_t)sf_pool_threads(nn->pool);
    nn->sum = (sf_gradient_sum *)sf_alloc_zero(context, nn->sums, sizeof *nn->sum);
    if (!nn->sum)
        return SF_ERR_MEMORY;
    return nn->backend->create(nn);
}

sf_status sf_nn_create(sf_context *context, const sf_nn_spec *spec, int threads, sf_nn **out)
{
    SF_OUT(context, out);
    const char *member;
    sf_status checked = sf_nn_check(context, spec, &member);
    if (checked != SF_OK)
        return member ? sf_fail_within(context, checked, "%s", member) : checked;
    const sf_backend *backend = sf_nn_choose_backend(spec);
    if (!backend)
        return sf_fail(context, SF_ERR_UNAVAILABLE,
                       "backend onednn: this build has none (SAMFLOW_WITH_DNNL=OFF), expected auto or plain");
    sf_nn *nn = SF_NEW(context, sf_nn);
    if (!nn)
        return SF_ERR_MEMORY;
    nn->context = context;
    nn->spec = *spec;
    nn->backend = backend;
    sf_layout_fill(spec, &nn->layout);
    sf_status status = build(nn, threads);
    if (status == SF_OK)
        *out = nn;
    else
        sf_nn_destroy(&nn);
    return status;
}

void sf_nn_destroy(sf_nn **nn)
{
    if (!nn || !*nn)
        return;
    sf_nn *dead = *nn;
    sf_context *context = dead->context;
    dead->backend->destroy(dead);
    for (size_t s = 0; s < dead->sums && dead->sum; s++)
        sf_free_aligned(context, dead->sum[s].values);
    sf_pool_destroy(&dead->pool);
    sf_free(context, dead->sum);
    sf_free(context, dead->theta);
    sf_free(context, dead);
    *nn = NULL;
}

const char *sf_nn_backend_name(const sf_nn *nn)
{
    return nn->backend->name;
}

const sf_nn_spec *sf_nn_description(const sf_nn *nn)
{
    return &nn->spec;
}

size_t sf_nn_parameters(const sf_nn *nn)
{
    return nn->layout.parameters;
}

size_t sf_nn_outputs(const sf_nn *nn)
{
    return nn->layout.outputs;
}

float *sf_nn_theta(sf_nn *nn)
{
    return nn->theta;
}

size_t sf_nn_tensors(const sf_nn *nn)
{
    return nn->layout.tensors;
}

sf_nn_tensor sf_nn_tensor_at(const sf_nn *nn, size_t index)
{
    return nn->layout.tensor[index];
}

size_t sf_nn_layers(const sf_nn *nn)
{
    return nn->layout.layers;
}

const char *sf_nn_layer_name(const sf_nn *nn, size_t index)
{
    return index < nn->layout.layers ? nn->layout.layer_name[index] : NULL;
}

/* ---- slices ----------------------------------------------------------------------------------------------- */

/* How a batch is cut: depends on its size alone. */
typedef struct sf_cut {
    size_t size, count; // images of a slice; slices
} sf_cut;

/* Large enough for the primitives to run well (slices of 8, 16 and 32 images cost 14, 5 and 1 % more than those of 64), small
 * enough for four threads to have work. */
static sf_cut cut_of(size_t n)
{
    size_t size = SF_NN_LARGEST_SLICE;
    while (size > 8 && n < 4 * size)
        size /= 2;
    return (sf_cut){size, (n + size - 1) / size};
}

static size_t capacity_for(size_t count)
{
    size_t capacity = 1;
    while (capacity < count)
        capacity *= 2;
    return capacity;
}

/* The pass over all slices: what each task needs. */
typedef struct sf_pass sf_pass;
struct sf_pass {
    sf_nn *nn;
    const sf_nn_batch *batch;
    sf_cut cut;
    size_t sums; // of gradients
    double weight;
    float *logits, *derivative, *activation; // results for each image, as far as they are wanted
    size_t layer, layer_size;
    volatile bool failed;
};

typedef struct sf_range {
    size_t first, count, capacity;
} sf_range;

static sf_range range_of(const sf_pass *pass, size_t slice)
{
    size_t first = slice * pass->cut.size, left = pass->batch->n - first;
    size_t count = left < pass->cut.size ? left : pass->cut.size;
    return (sf_range){first, count, capacity_for(count)};
}

/* Every slice has the same capacity but the last. */
static sf_status reserve(sf_nn *nn, const sf_nn_batch *batch, sf_cut cut)
{
    size_t rest = batch->n - (cut.count - 1) * cut.size;
    if (cut.count > 1)
        SF_TRY(nn->backend->reserve(nn, cut.size));
    return nn->backend->reserve(nn, capacity_for(rest));
}

static sf_status reserve_sum(sf_nn *nn, size_t index)
{
    sf_gradient_sum *sum = &nn->sum[index];
    if (sum->values)
        return SF_OK;
    sum->values = (float *)sf_alloc_doubles(nn->context, nn->sum_size / 2 + 1);
    if (!sum->values)
        return SF_ERR_MEMORY;
    memset(sum->values, 0, nn->sum_size * sizeof *sum->values);
    return nn->backend->adopt_sum(nn, index, sum->values);
}

/* Images to the slice; what is left of its room is 0. */
static const sf_slice *load(const sf_pass *pass, int worker, const sf_range *range)
{
    sf_nn *nn = pass->nn;
    const sf_slice *slice = nn->backend->slice(nn, worker, range->capacity);
    size_t pixels = nn->layout.pixels;
    for (size_t i = 0; i < range->count; i++) {
        size_t row = range->first + i;
        row = pass->batch->order ? pass->batch->order[row] : row;
        memcpy(slice->input + i * pixels, pass->batch->images + row * pixels, pixels * sizeof(float));
    }
    memset(slice->input + range->count * pixels, 0,
           (range->capacity - range->count) * pixels * sizeof(float));
    return slice;
}

static int label_of(const sf_pass *pass, size_t image)
{
    return pass->batch->labels[pass->batch->order ? pass->batch->order[image] : image];
}

/* ---- forward ---------------------------------------------------------------------------------------------- */

static void forward_slice(void *argument, size_t task, int worker)
{
    sf_pass *pass = argument;
    sf_nn *nn = pass->nn;
    size_t outputs = nn->layout.outputs;
    sf_range range = range_of(pass, task);
    const sf_slice *slice = load(pass, worker, &range);
    if (!nn->backend->forward(nn, worker, range.capacity))
        pass->failed = true;
    memcpy(pass->logits + range.first * outputs, slice->logits, range.count * outputs * sizeof(float));
}

static sf_status run(sf_pass *pass, const float *theta, size_t tasks, sf_task_fn task)
{
    sf_nn *nn = pass->nn;
    SF_TRY(reserve(nn, pass->batch, pass->cut));
    SF_TRY(nn->backend->prepare(nn, theta ? theta : nn->theta));
    sf_pool_run(nn->pool, tasks, task, pass);
    return pass->failed ? sf_fail(nn->context, SF_ERR_INTERNAL, "%s: a primitive failed", nn->backend->name)
                        : SF_OK;
}

sf_status sf_nn_forward(sf_nn *nn, const float *theta, size_t n, const float *images, float *logits)
{
    if (n == 0)
        return SF_OK;
    sf_nn_batch batch = {.n = n, .images = images};
    sf_pass pass = {.nn = nn, .batch = &batch, .cut = cut_of(n), .logits = logits};
    return run(&pass, theta, pass.cut.count, forward_slice);
}

/* ---- gradient --------------------------------------------------------------------------------------------- */

/* to = to + from, both with their exponents. */
static void add_sum(size_t n, sf_gradient_sum *to, const sf_gradient_sum *from)
{
    if (to->exponent == from->exponent) {
        for (size_t i = 0; i < n; i++)
            to->values[i] += from->values[i];
        return;
    }
    int high = to->exponent > from->exponent ? to->exponent : from->exponent;
    float ours = ldexpf(1.0f, to->exponent - high), theirs = ldexpf(1.0f, from->exponent - high);
    for (size_t i = 0; i < n; i++)
        to->values[i] = ours * to->values[i] + theirs * from->values[i];
    to->exponent = high;
}

/* Gradient of one slice into sum number `index`. */
static void gradient_slice(sf_pass *pass, size_t slice_number, int worker, size_t index)
{
    sf_nn *nn = pass->nn;
    sf_gradient_sum *sum = &nn->sum[index];
    size_t outputs = nn->layout.outputs;
    int labels[SF_NN_LARGEST_SLICE];
    sf_range range = range_of(pass, slice_number);
    const sf_slice *slice = load(pass, worker, &range);
    for (size_t i = 0; i < range.count; i++)
        labels[i] = label_of(pass, range.first + i);
    bool good = nn->backend->forward(nn, worker, range.capacity);
    sum->loss =
        sf_nn_loss(range.count, outputs, slice->logits, labels, pass->weight, slice->seeds, &sum->exponent);
    sum->right = 0;
    for (size_t i = 0; i < range.count; i++)
        sum->right += sf_nn_correct(outputs, slice->logits + i * outputs, labels[i]);
    memset(slice->seeds + range.count * outputs, 0, (range.capacity - range.count) * outputs * sizeof(float));
    if (!good || !nn->backend->backward(nn, worker, range.capacity, index))
        pass->failed = true;
}

/* Slices task, task + sums, ... into sum number `task`. */
static void gradient_sum(void *argument, size_t task, int worker)
{
    sf_pass *pass = argument;
    sf_nn *nn = pass->nn;
    size_t scratch = SF_NN_SUMS + (size_t)worker;
    gradient_slice(pass, task, worker, task);
    for (size_t slice = task + pass->sums; slice < pass->cut.count; slice += pass->sums) {
        gradient_slice(pass, slice, worker, scratch);
        add_sum(nn->sum_size, &nn->sum[task], &nn->sum[scratch]);
        nn->sum[task].loss += nn->sum[scratch].loss;
        nn->sum[task].right += nn->sum[scratch].right;
    }
}

enum { PIECE = 1 << 14 }; // numbers of a sum that one task adds up

static void add_piece(void *argument, size_t task, int worker)
{
    sf_pass *pass = argument;
    (void)worker;
    sf_nn *nn = pass->nn;
    size_t first = task * PIECE, left = nn->sum_size - first, count = left < PIECE ? left : PIECE;
    sf_gradient_sum to = nn->sum[0];
    to.values += first;
    for (size_t s = 1; s < pass->sums; s++) {
        sf_gradient_sum from = nn->sum[s];
        from.values += first;
        add_sum(count, &to, &from);
    }
}

/* All sums into the first. */
static void add_sums(sf_pass *pass)
{
    sf_nn *nn = pass->nn;
    sf_pool_run(nn->pool, pass->sums > 1 ? (nn->sum_size + PIECE - 1) / PIECE : 0, add_piece, pass);
    for (size_t s = 1; s < pass->sums; s++) {
        if (nn->sum[s].exponent > nn->sum[0].exponent)
            nn->sum[0].exponent = nn->sum[s].exponent;
        nn->sum[0].loss += nn->sum[s].loss;
        nn->sum[0].right += nn->sum[s].right;
    }
}

/* How many sums a batch has: enough for the threads of most machines, fewer for networks whose sums are large. */
static size_t sums_of(const sf_nn *nn, sf_cut cut)
{
    enum { FEWEST = 4, ROOM = 1 << 26 }; // numbers in all sums
    size_t fit = ROOM / nn->sum_size, most = fit < FEWEST ? FEWEST : fit < SF_NN_SUMS ? fit : SF_NN_SUMS;
    return cut.count < most ? cut.count : most;
}

sf_status sf_nn_batch_gradient(sf_nn *nn, const float *theta, const sf_nn_batch *batch, double weight,
                               float *gradient, sf_nn_outcome *outcome)
{
    sf_pass pass = {.nn = nn, .batch = batch, .cut = cut_of(batch->n), .weight = weight};
    pass.sums = sums_of(nn, pass.cut);
    for (size_t s = 0; s < pass.sums; s++)
        SF_TRY(reserve_sum(nn, s));
    for (size_t s = SF_NN_SUMS; s < nn->sums && pass.cut.count > pass.sums; s++)
        SF_TRY(reserve_sum(nn, s));
    SF_TRY(run(&pass, theta, pass.sums, gradient_sum));
    add_sums(&pass);
    *outcome = (sf_nn_outcome){nn->sum[0].exponent, nn->sum[0].loss, nn->sum[0].right};
    return nn->backend->finish(nn, theta ? theta : nn->theta, gradient);
}

static sf_status check_labels(sf_nn *nn, size_t n, const int *labels)
{
    for (size_t i = 0; i < n; i++)
        if (labels[i] < 0 || (size_t)labels[i] >= nn->spec.classes)
            return sf_fail(nn->context, SF_ERR_ARGUMENT, "label %d at position %zu, expected 0 to %zu",
                           labels[i], i, nn->spec.classes - 1);
    return SF_OK;
}

/* The mean loss alone. */
static sf_status mean_loss(sf_nn *nn, const float *theta, size_t n, const float *images, const int *labels,
                           double *loss)
{
    size_t outputs = nn->layout.outputs;
    float *logits = SF_ARRAY(nn->context, n * outputs, float);
    if (!logits)
        return SF_ERR_MEMORY;
    sf_status status = sf_nn_forward(nn, theta, n, images, logits);
    double sum = 0.0;
    for (size_t i = 0; i < n && status == SF_OK; i++)
        sum += sf_nn_image_loss(outputs, logits + i * outputs, labels[i]);
    *loss = sum / (double)n;
    sf_free(nn->context, logits);
    return status;
}

sf_status sf_nn_gradient(sf_nn *nn, const float *theta, size_t n, const float *images, const int *labels,
                         float *gradient, double *loss)
{
    if (n == 0)
        return sf_fail(nn->context, SF_ERR_ARGUMENT, "a batch of 0 images, expected at least one");
    SF_TRY(check_labels(nn, n, labels));
    if (!gradient)
        return mean_loss(nn, theta, n, images, labels, loss);
    sf_nn_batch batch = {.n = n, .images = images, .labels = labels};
    sf_nn_outcome found;
    SF_TRY(sf_nn_batch_gradient(nn, theta, &batch, 1.0 / (double)n, gradient, &found));
    if (loss)
        *loss = found.loss / (double)n;
    for (size_t i = 0; found.exponent != 0 && i < nn->layout.parameters; i++)
        gradient[i] = ldexpf(gradient[i], found.exponent);
    return SF_OK;
}

/* ---- derivatives of logits -------------------------------------------------------------------------------- */

/* The derivative of the logit of the image's class by the logits: 1 there (two classes: +-1 for the one logit). */
static void seed_class(const sf_pass *pass, const sf_range *range, const sf_slice *slice)
{
    size_t outputs = pass->nn->layout.outputs;
    memset(slice->seeds, 0, range->capacity * outputs * sizeof(float));
    for (size_t i = 0; i < range->count; i++) {
        int label = label_of(pass, range->first + i);
        if (outputs == 1)
            slice->seeds[i] = label == 1 ? 1.0f : -1.0f;
        else
            slice->seeds[i * outputs + (size_t)label] = 1.0f;
    }
}

static void layer_slice(void *argument, size_t task, int worker)
{
    sf_pass *pass = argument;
    sf_nn *nn = pass->nn;
    sf_range range = range_of(pass, task);
    const sf_slice *slice = load(pass, worker, &range);
    size_t at = range.first * pass->layer_size, bytes = range.count * pass->layer_size * sizeof(float);
    bool good = nn->backend->forward(nn, worker, range.capacity);
    seed_class(pass, &range, slice);
    if (!good || !nn->backend->backward_to_layer(nn, worker, range.capacity, pass->layer)) {
        pass->failed = true;
        return;
    }
    if (pass->activation)
        memcpy(pass->activation + at, slice->layer, bytes);
    if (pass->derivative)
        memcpy(pass->derivative + at, slice->slope, bytes);
}

sf_status sf_nn_layer_gradient(sf_nn *nn, size_t layer, size_t n, const float *images, const int *labels,
                               sf_image_shape *shape, float *activation, float *derivative)
{
    if (layer >= nn->layout.layers)
        return sf_fail(nn->context, SF_ERR_ARGUMENT, "layer %zu, expected less than %zu (convolutions)",
                       layer, nn->layout.layers);
    sf_image_shape size = nn->layout.stage[nn->layout.layer_stage[layer]].out;
    if (shape)
        *shape = size;
    if (n == 0 || (!activation && !derivative))
        return SF_OK;
    SF_TRY(check_labels(nn, n, labels));
    sf_nn_batch batch = {.n = n, .images = images, .labels = labels};
    sf_pass pass = {.nn = nn,
                    .batch = &batch,
                    .cut = cut_of(n),
                    .activation = activation,
                    .derivative = derivative,
                    .layer = layer,
                    .layer_size = size.channels * size.height * size.width};
    return run(&pass, NULL, pass.cut.count, layer_slice);
}

static void input_slice(void *argument, size_t task, int worker)
{
    sf_pass *pass = argument;
    sf_nn *nn = pass->nn;
    sf_range range = range_of(pass, task);
    const sf_slice *slice = load(pass, worker, &range);
    size_t pixels = nn->layout.pixels;
    bool good = nn->backend->forward(nn, worker, range.capacity);
    seed_class(pass, &range, slice);
    if (!good || !nn->backend->backward_to_input(nn, worker, range.capacity))
        pass->failed = true;
    memcpy(pass->derivative + range.first * pixels, slice->by_input, range.count * pixels * sizeof(float));
}

sf_status sf_nn_input_gradient(sf_nn *nn, size_t n, const float *images, const int *labels, float *derivative)
{
    if (n == 0)
        return SF_OK;
    SF_TRY(check_labels(nn, n, labels));
    sf_nn_batch batch = {.n = n, .images = images, .labels = labels};
    sf_pass pass = {.nn = nn, .batch = &batch, .cut = cut_of(n), .derivative = derivative};
    return run(&pass, NULL, pass.cut.count, input_slice);
}
