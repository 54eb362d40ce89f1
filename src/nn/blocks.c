/* The backend on oneDNN: weights and sums of gradients in the layouts that its primitives prefer.
 *
 * The weights are brought into these layouts once for each theta, not for each slice, and gradients are summed in
 * theirs and brought back once.
 */
#include <string.h>

#include "nn/plan.h"

enum { CAPACITIES = 6, ALIGNMENT = 16 }; // slices of 1, 2, 4 ... 32 images; floats in 64 bytes

typedef struct sf_lane { // of one worker
    dnnl_stream_t stream;
    sf_plan *plan[CAPACITIES];
} sf_lane;

struct sf_blocks {
    dnnl_engine_t engine;
    sf_formats formats;
    int workers;
    sf_lane *lane;                                  // (workers)
    double *weights;                                // numbers of forward and backward
    sf_tensor_memory plain, forward, backward;      // plain: theta, wherever it is now
    dnnl_primitive_t to_forward[SF_NN_MAX_TENSORS], // from plain; to_plain: of gradients
        to_backward[SF_NN_MAX_TENSORS], to_plain[SF_NN_MAX_TENSORS];
    size_t offset[SF_NN_MAX_TENSORS]; // in a sum
    size_t sums;
    sf_tensor_memory *sum; // (sums)
};

static size_t room_for(sf_format format)
{
    size_t floats = dnnl_memory_desc_get_size(format) / sizeof(float);
    return (floats + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int capacity_index(size_t capacity)
{
    int index = 0;
    while (((size_t)1 << index) < capacity)
        index++;
    return index;
}

/* ---- creation --------------------------------------------------------------------------------------------- */

static sf_status wrap(sf_nn *nn, sf_format format, float *values, dnnl_memory_t *out)
{
    return sf_dnnl_check(
        nn->context, dnnl_memory_create(out, format, nn->blocks->engine, values ? values : DNNL_MEMORY_NONE),
        "memory");
}

static sf_status reorder_between(sf_nn *nn, sf_format from, sf_format to, dnnl_primitive_t *out)
{
    dnnl_engine_t engine = nn->blocks->engine;
    dnnl_primitive_desc_t description = NULL;
    SF_TRY(sf_dnnl_check(nn->context,
                         dnnl_reorder_primitive_desc_create(&description, from, engine, to, engine, NULL),
                         "reorder"));
    dnnl_status_t status = dnnl_primitive_create(out, description);
    dnnl_primitive_desc_destroy(description);
    return sf_dnnl_check(nn->context, status, "reorder");
}

static sf_status create_weights(sf_nn *nn)
{
    sf_blocks *blocks = nn->blocks;
    const sf_formats *formats = &blocks->formats;
    size_t tensors = nn->layout.tensors, total = 0;
    for (size_t t = 0; t < tensors; t++) {
        total += room_for(formats->forward[t]) + room_for(formats->backward[t]);
        blocks->offset[t] = nn->sum_size;
        nn->sum_size += room_for(formats->gradient[t]);
    }
    blocks->weights = sf_alloc_doubles(nn->context, total / 2);
    if (!blocks->weights)
        return SF_ERR_MEMORY;
    memset(blocks->weights, 0, total * sizeof(float));
    float *next = (float *)blocks->weights;
    for (size_t t = 0; t < tensors; t++) {
        SF_TRY(wrap(nn, formats->plain[t], NULL, &blocks->plain.of[t]));
        SF_TRY(wrap(nn, formats->forward[t], next, &blocks->forward.of[t]));
        next += room_for(formats->forward[t]);
        SF_TRY(wrap(nn, formats->backward[t], next, &blocks->backward.of[t]));
        next += room_for(formats->backward[t]);
        SF_TRY(reorder_between(nn, formats->plain[t], formats->forward[t], &blocks->to_forward[t]));
        SF_TRY(reorder_between(nn, formats->plain[t], formats->backward[t], &blocks->to_backward[t]));
        SF_TRY(reorder_between(nn, formats->gradient[t], formats->plain[t], &blocks->to_plain[t]));
    }
    return SF_OK;
}

static sf_status build(sf_nn *nn)
{
    sf_context *context = nn->context;
    sf_blocks *blocks = nn->blocks;
    blocks->workers = sf_pool_threads(nn->pool);
    blocks->sums = SF_NN_SUMS + (size_t)blocks->workers;
    blocks->lane = (sf_lane *)sf_alloc_zero(context, (size_t)blocks->workers, sizeof(sf_lane));
    blocks->sum = (sf_tensor_memory *)sf_alloc_zero(context, blocks->sums, sizeof(sf_tensor_memory));
    if (!blocks->lane || !blocks->sum)
        return SF_ERR_MEMORY;
    SF_TRY(sf_dnnl_check(context, dnnl_engine_create(&blocks->engine, dnnl_cpu, 0), "engine"));
    for (int w = 0; w < blocks->workers; w++)
        SF_TRY(sf_dnnl_check(
            context, dnnl_stream_create(&blocks->lane[w].stream, blocks->engine, dnnl_stream_default_flags),
            "stream"));
    SF_TRY(sf_plan_create(nn, blocks->engine, &blocks->formats, SF_NN_LARGEST_SLICE,
                          &blocks->lane[0].plan[CAPACITIES - 1]));
    return create_weights(nn);
}

static sf_status create(sf_nn *nn)
{
    nn->blocks = SF_NEW(nn->context, sf_blocks);
    if (!nn->blocks)
        return SF_ERR_MEMORY;
    int threads = sf_alone();
    sf_status status = build(nn);
    sf_together(threads);
    return status;
}

static void destroy_tensors(sf_tensor_memory *memory)
{
    for (size_t t = 0; t < SF_NN_MAX_TENSORS; t++)
        dnnl_memory_destroy(memory->of[t]);
}

static void destroy(sf_nn *nn)
{
    sf_blocks *blocks = nn->blocks;
    if (!blocks)
        return;
    for (int w = 0; w < blocks->workers && blocks->lane; w++) {
        for (int c = 0; c < CAPACITIES; c++)
            sf_plan_destroy(&blocks->lane[w].plan[c]);
        dnnl_stream_destroy(blocks->lane[w].stream);
    }
    for (size_t s = 0; s < blocks->sums && blocks->sum; s++)
        destroy_tensors(&blocks->sum[s]);
    for (size_t t = 0; t < SF_NN_MAX_TENSORS; t++) {
        dnnl_primitive_destroy(blocks->to_forward[t]);
        dnnl_primitive_destroy(blocks->to_backward[t]);
        dnnl_primitive_destroy(blocks->to_plain[t]);
    }
    destroy_tensors(&blocks->plain);
    destroy_tensors(&blocks->forward);
    destroy_tensors(&blocks->backward);
    if (blocks->engine)
        dnnl_engine_destroy(blocks->engine);
    sf_free_aligned(nn->context, blocks->weights);
    sf_free(nn->context, blocks->lane);
    sf_free(nn->context, blocks->sum);
    sf_free(nn->context, blocks);
    nn->blocks = NULL;
}

/* ---- what the engine asks for ----------------------------------------------------------------------------- */

static sf_status reserve(sf_nn *nn, size_t capacity)
{
    sf_blocks *blocks = nn->blocks;
    int index = capacity_index(capacity);
    for (int w = 0; w < blocks->workers; w++)
        if (!blocks->lane[w].plan[index])
            SF_TRY(
                sf_plan_create(nn, blocks->engine, &blocks->formats, capacity, &blocks->lane[w].plan[index]));
    return SF_OK;
}

/* Names the tensors of a sum whose numbers have a place by now. */
static sf_status adopt_sum(sf_nn *nn, size_t sum, float *values)
{
    sf_blocks *blocks = nn->blocks;
    for (size_t t = 0; t < nn->layout.tensors; t++)
        SF_TRY(wrap(nn, blocks->formats.gradient[t], values + blocks->offset[t], &blocks->sum[sum].of[t]));
    return SF_OK;
}

typedef struct sf_reorder_tasks {
    sf_blocks *blocks;
    size_t tensors;
    bool failed[2 * SF_NN_MAX_TENSORS];
} sf_reorder_tasks;

static bool reorder(sf_blocks *blocks, int worker, dnnl_primitive_t primitive, dnnl_memory_t from,
                    dnnl_memory_t to)
{
    dnnl_stream_t stream = blocks->lane[worker].stream;
    dnnl_exec_arg_t argument[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    int threads = sf_alone();
    bool good = dnnl_primitive_execute(primitive, stream, 2, argument) == dnnl_success &&
                dnnl_stream_wait(stream) == dnnl_success;
    sf_together(threads);
    return good;
}

static void prepare_tensor(void *argument, size_t task, int worker)
{
    sf_reorder_tasks *tasks = argument;
    sf_blocks *blocks = tasks->blocks;
    size_t t = task / 2;
    bool back = task % 2 != 0;
    tasks->failed[task] =
        !reorder(blocks, worker, back ? blocks->to_backward[t] : blocks->to_forward[t], blocks->plain.of[t],
                 back ? blocks->backward.of[t] : blocks->forward.of[t]);
}

static void finish_tensor(void *argument, size_t task, int worker)
{
    sf_reorder_tasks *tasks = argument;
    sf_blocks *blocks = tasks->blocks;
    tasks->failed[task] =
        !reorder(blocks, worker, blocks->to_plain[task], blocks->sum[0].of[task], blocks->plain.of[task]);
}

static sf_status reorder_all(sf_nn *nn, const float *values, size_t each, sf_task_fn task)
{
    sf_reorder_tasks tasks = {.blocks = nn->blocks, .tensors = nn->layout.tensors};
    for (size_t t = 0; t < tasks.tensors; t++)
        SF_TRY(sf_dnnl_check(nn->context,
                             dnnl_memory_set_data_handle(nn->blocks->plain.of[t],
                                                         (float *)values + nn->layout.tensor[t].offset),
                             "memory"));
    sf_pool_run(nn->pool, each * tasks.tensors, task, &tasks);
    for (size_t i = 0; i < each * tasks.tensors; i++)
        if (tasks.failed[i])
            return sf_fail(nn->context, SF_ERR_INTERNAL, "oneDNN: a reorder failed");
    return SF_OK;
}

static sf_status prepare(sf_nn *nn, const float *theta)
{
    return reorder_all(nn, theta, 2, prepare_tensor);
}

static sf_status finish(sf_nn *nn, const float *theta, float *gradient)
{
    (void)theta;
    return reorder_all(nn, gradient, 1, finish_tensor);
}

static sf_slice *slice(sf_nn *nn, int worker, size_t capacity)
{
    return sf_plan_slice(nn->blocks->lane[worker].plan[capacity_index(capacity)]);
}

static bool forward(sf_nn *nn, int worker, size_t capacity)
{
    sf_lane *lane = &nn->blocks->lane[worker];
    int threads = sf_alone();
    bool good = sf_plan_forward(lane->plan[capacity_index(capacity)], lane->stream, &nn->blocks->forward);
    sf_together(threads);
    return good;
}

static bool backward_for(sf_nn *nn, int worker, size_t capacity, const sf_backward_goal *goal)
{
    sf_lane *lane = &nn->blocks->lane[worker];
    int threads = sf_alone();
    bool good =
        sf_plan_backward(lane->plan[capacity_index(capacity)], lane->stream, &nn->blocks->backward, goal);
    sf_together(threads);
    return good;
}

static bool backward(sf_nn *nn, int worker, size_t capacity, size_t sum)
{
    return backward_for(nn, worker, capacity,
                        &(sf_backward_goal){.gradient = &nn->blocks->sum[sum], .read_stage = -1});
}

static bool backward_to_input(sf_nn *nn, int worker, size_t capacity)
{
    return backward_for(nn, worker, capacity, &(sf_backward_goal){.input = true, .read_stage = -1});
}

static bool backward_to_layer(sf_nn *nn, int worker, size_t capacity, size_t layer)
{
    return backward_for(nn, worker, capacity,
                        &(sf_backward_goal){.read_stage = nn->layout.layer_stage[layer]});
}

const sf_backend sf_backend_onednn = {"onednn",          create, destroy, reserve,  adopt_sum,
                                      prepare,           slice,  forward, backward, backward_to_input,
                                      backward_to_layer, finish};
