/* One worker's primitives: built stage by stage, first forward, then backward. */
#include "nn/plan.h"

#include <string.h>

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
/* As in <omp.h>, which compilers other than that of the OpenMP library do not see. */
int omp_get_max_threads(void);
void omp_set_num_threads(int threads);

int sf_alone(void)
{
    int before = omp_get_max_threads();
    omp_set_num_threads(1);
    return before;
}

void sf_together(int threads)
{
    omp_set_num_threads(threads);
}
#else
int sf_alone(void)
{
    return 1;
}

void sf_together(int threads)
{
    (void)threads;
}
#endif

sf_status sf_dnnl_check(sf_context *context, dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return SF_OK;
    return sf_fail(context, status == dnnl_out_of_memory ? SF_ERR_MEMORY : SF_ERR_INTERNAL,
                   "oneDNN: %s: status %d", what, (int)status);
}

/* ---- operations ------------------------------------------------------------------------------------------- */

typedef enum sf_source { SF_FROM_MEMORY, SF_FROM_WEIGHTS, SF_FROM_BACKWARD, SF_FROM_GRADIENT } sf_source;

typedef struct sf_argument {
    int name;             // DNNL_ARG_*
    sf_source source;     // where the memory is found when it runs
    int tensor;           // of weights and gradients
    dnnl_memory_t memory; // else
} sf_argument;

typedef enum sf_operation_kind {
    SF_FORWARD,
    SF_BACK_DATA,    // towards the input, down to the first stage
    SF_BACK_WEIGHTS, // the gradient
    SF_BACK_INPUT,   // of the first stage by the input
    SF_READ          // of a convolution: its activation and the slope there as (capacity, C, H, W)
} sf_operation_kind;

/* The longest stage, with a reorder wherever there can be one. */
enum { MAX_ARGUMENTS = 8, OPERATIONS_PER_STAGE = 12, MEMORIES_PER_STAGE = 28, FORMATS_PER_STAGE = 28 };

typedef struct sf_operation {
    dnnl_primitive_t primitive;
    sf_operation_kind kind;
    int stage;
    size_t scratch; // bytes
    int count;
    sf_argument argument[MAX_ARGUMENTS];
} sf_operation;

/* An array in a layout, which the memory keeps. */
typedef struct sf_block {
    sf_format format;
    dnnl_memory_t memory;
} sf_block;

typedef struct sf_stage_plan {
    dnnl_primitive_desc_t forward; // the backward primitives are chosen to fit it
    sf_block source, result;       // of the forward primitive; the result after the activation
    sf_block slope;                // derivative by the result
    dnnl_memory_t workspace;       // of max pooling
    float *layer, *slope_read;     // of a convolution, (capacity, C, H, W)
} sf_stage_plan;

struct sf_plan {
    sf_context *context;
    const sf_nn *nn;
    dnnl_engine_t engine;
    sf_formats *formats;
    size_t capacity;
    sf_slice slice;
    dnnl_primitive_attr_t plain, with_relu; // the caller gives the scratch space; and ReLU afterwards
    size_t operations, operations_forward, memories, buffers, formats_made;
    sf_operation *operation; // (OPERATIONS_PER_STAGE * (stages + 1))
    dnnl_memory_t *memory;   // (MEMORIES_PER_STAGE * (stages + 1)), to be destroyed
    double **buffer;         // the same number, to be released
    sf_format *format;       // (FORMATS_PER_STAGE * (stages + 1)), to be destroyed
    sf_stage_plan stage[SF_NN_MAX_STAGES];
};

sf_slice *sf_plan_slice(sf_plan *plan)
{
    return &plan->slice;
}

/* ---- memory ----------------------------------------------------------------------------------------------- */

/* The plan keeps the formats that it makes. */
static sf_status keep_format(sf_plan *plan, dnnl_status_t status, sf_format format)
{
    plan->format[plan->formats_made++] = format;
    return sf_dnnl_check(plan->context, status, "format");
}

static sf_status make_format(sf_plan *plan, int rank, const dnnl_dim_t *size, dnnl_format_tag_t tag,
                             sf_format *out)
{
    dnnl_dims_t dims = {0};
    memcpy(dims, size, (size_t)rank * sizeof *size);
    dnnl_status_t status = sf_format_create(plan->context, rank, dims, tag, out);
    return keep_format(plan, status, *out);
}

static sf_status copy_format(sf_plan *plan, sf_format format, sf_format *out)
{
    dnnl_status_t status = sf_format_copy(plan->context, format, out);
    return keep_format(plan, status, *out);
}

static sf_status any_layout(sf_plan *plan, sf_format format, sf_format *out)
{
    return make_format(plan, sf_format_rank(format), sf_format_size(format), dnnl_format_tag_any, out);
}

static float *new_buffer(sf_plan *plan, size_t bytes)
{
    double *buffer = sf_alloc_doubles(plan->context, bytes / sizeof(double) + 1);
    if (buffer) {
        memset(buffer, 0, bytes);
        plan->buffer[plan->buffers++] = buffer;
    }
    return (float *)buffer;
}

static sf_status wrap(sf_plan *plan, sf_format format, void *values, dnnl_memory_t *out)
{
    SF_TRY(sf_dnnl_check(plan->context, dnnl_memory_create(out, format, plan->engine, values), "memory"));
    plan->memory[plan->memories++] = *out;
    return SF_OK;
}

/* A new array; values (may be NULL) receives its numbers. */
static sf_status new_block(sf_plan *plan, sf_format format, sf_block *out, float **values)
{
    float *buffer = new_buffer(plan, dnnl_memory_desc_get_size(format));
    if (!buffer)
        return SF_ERR_MEMORY;
    if (values)
        *values = buffer;
    SF_TRY(wrap(plan, format, buffer, &out->memory));
    out->format = sf_format_of(out->memory);
    return SF_OK;
}

/* ---- building operations ---------------------------------------------------------------------------------- */

static sf_status add_operation(sf_plan *plan, const_dnnl_primitive_desc_t description, sf_operation_kind kind,
                               int stage, int count, const sf_argument *arguments)
{
    sf_operation *operation = &plan->operation[plan->operations];
    *operation = (sf_operation){.kind = kind, .stage = stage, .count = count};
    memcpy(operation->argument, arguments, (size_t)count * sizeof *arguments);
    SF_TRY(
        sf_dnnl_check(plan->context, dnnl_primitive_create(&operation->primitive, description), "primitive"));
    plan->operations++;
    sf_format scratch = sf_format_wished(description, dnnl_query_scratchpad_md);
    operation->scratch = scratch ? dnnl_memory_desc_get_size(scratch) : 0;
    if (operation->scratch == 0)
        return SF_OK;
    sf_argument *last = &operation->argument[operation->count++];
    *last = (sf_argument){.name = DNNL_ARG_SCRATCHPAD, .source = SF_FROM_MEMORY};
    return wrap(plan, scratch, DNNL_MEMORY_NONE, &last->memory); // its buffer comes last
}

static sf_argument held(int name, const sf_block *block)
{
    return (sf_argument){.name = name, .source = SF_FROM_MEMORY, .memory = block->memory};
}

static sf_argument shared(int name, sf_source source, int tensor)
{
    return (sf_argument){.name = name, .source = source, .tensor = tensor};
}

/* *out = block in the wished layout, by a reorder if it is in another. */
static sf_status bring(sf_plan *plan, const sf_block *block, sf_format wished, sf_operation_kind kind,
                       int stage, sf_block *out)
{
    if (dnnl_memory_desc_equal(block->format, wished)) {
        *out = *block;
        return SF_OK;
    }
    sf_block target;
    SF_TRY(new_block(plan, wished, &target, NULL));
    dnnl_primitive_desc_t description = NULL;
    SF_TRY(sf_dnnl_check(plan->context,
                         dnnl_reorder_primitive_desc_create(&description, block->format, plan->engine, wished,
                                                            plan->engine, plan->plain),
                         "reorder"));
    sf_status status = add_operation(plan, description, kind, stage, 2,
                                     (sf_argument[]){held(DNNL_ARG_FROM, block), held(DNNL_ARG_TO, &target)});
    dnnl_primitive_desc_destroy(description);
    *out = target;
    return status;
}

/* ---- shapes ----------------------------------------------------------------------------------------------- */

static sf_status image_format(sf_plan *plan, sf_image_shape shape, dnnl_format_tag_t tag, sf_format *out)
{
    dnnl_dim_t size[] = {(dnnl_dim_t)plan->capacity, (dnnl_dim_t)shape.channels, (dnnl_dim_t)shape.height,
                         (dnnl_dim_t)shape.width};
    return make_format(plan, 4, size, tag, out);
}

static sf_status row_format(sf_plan *plan, size_t width, sf_format *out)
{
    dnnl_dim_t size[] = {(dnnl_dim_t)plan->capacity, (dnnl_dim_t)width};
    return make_format(plan, 2, size, dnnl_nc, out);
}

/* Weights of a stage in the order of theta. */
static sf_status plain_weights(sf_plan *plan, const sf_stage *stage, sf_format *out)
{
    dnnl_dim_t kernel = (dnnl_dim_t)plan->nn->spec.kernel;
    sf_image_shape in = stage->in;
    dnnl_dim_t dense[] = {(dnnl_dim_t)stage->out.channels, (dnnl_dim_t)(in.channels * in.height * in.width)},
               convolution[] = {dense[0], (dnnl_dim_t)in.channels, kernel, kernel};
    return stage->kind == SF_STAGE_DENSE ? make_format(plan, 2, dense, dnnl_oi, out)
                                         : make_format(plan, 4, convolution, dnnl_oihw, out);
}

/* The same numbers, which lie in order, under another shape. */
static sf_status reshape(sf_plan *plan, sf_format format, sf_block *block)
{
    void *values = NULL;
    dnnl_memory_get_data_handle(block->memory, &values);
    SF_TRY(wrap(plan, format, values, &block->memory));
    block->format = sf_format_of(block->memory);
    return SF_OK;
}

/* Images to rows, as fully connected stages take them. */
static sf_status flatten(sf_plan *plan, int index, sf_block *block)
{
    sf_image_shape shape = plan->nn->layout.stage[index].in;
    sf_format images, rows;
    if (sf_format_rank(block->format) == 2)
        return SF_OK;
    SF_TRY(image_format(plan, shape, dnnl_nchw, &images));
    SF_TRY(row_format(plan, shape.channels * shape.height * shape.width, &rows));
    SF_TRY(bring(plan, block, images, SF_FORWARD, index, block));
    return reshape(plan, rows, block);
}

static sf_status described(sf_plan *plan, dnnl_status_t status)
{
    return sf_dnnl_check(plan->context, status, "description of a primitive");
}

/* The padding that keeps the size: (k-1)/2 before, the rest after. */
static sf_window window_of(const sf_plan *plan, sf_stage_kind kind)
{
    dnnl_dim_t kernel = (dnnl_dim_t)plan->nn->spec.kernel, pool = (dnnl_dim_t)plan->nn->spec.pool;
    if (kind == SF_STAGE_POOL)
        return (sf_window){.strides = {pool, pool}, .kernel = {pool, pool}};
    dnnl_dim_t before = (kernel - 1) / 2, after = kernel - 1 - before;
    return (sf_window){.strides = {1, 1}, .before = {before, before}, .after = {after, after}};
}

static dnnl_alg_kind_t pooling_of(const sf_plan *plan)
{
    return plan->nn->spec.pooling == SF_POOLING_MAX ? dnnl_pooling_max : dnnl_pooling_avg_exclude_padding;
}

/* The layout to ask for: that of the first plan, or whichever is best. */
static sf_status weights_wish(sf_plan *plan, sf_format chosen, int tensor, sf_format *out)
{
    if (!plan->formats->chosen)
        return any_layout(plan, plan->formats->plain[tensor], out);
    *out = chosen;
    return SF_OK;
}

/* ---- forward ---------------------------------------------------------------------------------------------- */

static sf_format bias_of(const sf_plan *plan, const sf_stage *stage)
{
    return stage->bias >= 0 ? plan->formats->plain[stage->bias] : NULL;
}

static sf_status describe_forward(sf_plan *plan, const sf_stage *stage, sf_format source,
                                  dnnl_primitive_desc_t *out)
{
    const sf_window window = window_of(plan, stage->kind);
    sf_setting setting = {.engine = plan->engine, .attributes = stage->relu ? plan->with_relu : plan->plain};
    sf_operands operands = {.source = source};
    if (stage->kind == SF_STAGE_DENSE)
        SF_TRY(row_format(plan, stage->out.channels, &operands.result));
    else
        SF_TRY(image_format(plan, stage->out, dnnl_format_tag_any, &operands.result));
    if (stage->kind == SF_STAGE_POOL)
        return described(plan, sf_pool_forward(out, setting, pooling_of(plan), operands, &window));
    int w = stage->weights;
    SF_TRY(any_layout(plan, source, &operands.source));
    SF_TRY(weights_wish(plan, plan->formats->forward[w], w, &operands.weights));
    operands.bias = bias_of(plan, stage);
    return described(plan, stage->kind == SF_STAGE_CONVOLUTION
                               ? sf_convolution_forward(out, setting, operands, &window)
                               : sf_dense_forward(out, setting, operands));
}

static sf_status note_plain(sf_plan *plan, const sf_stage *stage)
{
    sf_formats *formats = plan->formats;
    if (formats->chosen)
        return SF_OK;
    SF_TRY(plain_weights(plan, stage, &formats->plain[stage->weights]));
    if (stage->bias >= 0) {
        int b = stage->bias;
        dnnl_dim_t size = (dnnl_dim_t)stage->out.channels;
        SF_TRY(make_format(plan, 1, &size, dnnl_x, &formats->plain[b]));
        formats->forward[b] = formats->backward[b] = formats->gradient[b] = formats->plain[b];
    }
    return SF_OK;
}

/* Appends the forward primitive of a stage; *block is its input, then its output. */
static sf_status add_forward(sf_plan *plan, int index, sf_block *block)
{
    const sf_stage *stage = &plan->nn->layout.stage[index];
    sf_stage_plan *here = &plan->stage[index];
    bool pool = stage->kind == SF_STAGE_POOL;
    if (!pool)
        SF_TRY(note_plain(plan, stage));
    if (stage->kind == SF_STAGE_DENSE)
        SF_TRY(flatten(plan, index, block));
    SF_TRY(describe_forward(plan, stage, block->format, &here->forward));
    SF_TRY(bring(plan, block, sf_format_wished(here->forward, dnnl_query_src_md), SF_FORWARD, index,
                 &here->source));
    SF_TRY(new_block(plan, sf_format_wished(here->forward, dnnl_query_dst_md), &here->result, NULL));
    *block = here->result;
    sf_argument argument[MAX_ARGUMENTS] = {held(DNNL_ARG_SRC, &here->source),
                                           held(DNNL_ARG_DST, &here->result)};
    int count = 2;
    if (pool && plan->nn->spec.pooling == SF_POOLING_MAX) {
        sf_block workspace;
        SF_TRY(new_block(plan, sf_format_wished(here->forward, dnnl_query_workspace_md), &workspace, NULL));
        here->workspace = workspace.memory;
        argument[count++] = held(DNNL_ARG_WORKSPACE, &workspace);
    }
    if (!pool) {
        if (!plan->formats->chosen)
            SF_TRY(copy_format(plan, sf_format_wished(here->forward, dnnl_query_weights_md),
                               &plan->formats->forward[stage->weights]));
        argument[count++] = shared(DNNL_ARG_WEIGHTS, SF_FROM_WEIGHTS, stage->weights);
        if (stage->bias >= 0)
            argument[count++] = shared(DNNL_ARG_BIAS, SF_FROM_WEIGHTS, stage->bias);
    }
    return add_operation(plan, here->forward, SF_FORWARD, index, count, argument);
}

/* ---- backward --------------------------------------------------------------------------------------------- */

/* slope *= (result > 0), in place. */
static sf_status add_relu(sf_plan *plan, int index)
{
    sf_stage_plan *here = &plan->stage[index];
    sf_setting setting = {.engine = plan->engine, .attributes = plan->plain};
    dnnl_primitive_desc_t hint = NULL, description = NULL;
    sf_status status = described(plan, sf_relu_forward(&hint, setting, here->result.format));
    setting.hint = hint;
    if (status == SF_OK)
        status = described(plan, sf_relu_by_input(&description, setting, here->result.format));
    if (status == SF_OK)
        status = add_operation(plan, description, SF_BACK_DATA, index, 3,
                               (sf_argument[]){held(DNNL_ARG_DST, &here->result),
                                               held(DNNL_ARG_DIFF_DST, &here->slope),
                                               held(DNNL_ARG_DIFF_SRC, &here->slope)});
    dnnl_primitive_desc_destroy(description);
    dnnl_primitive_desc_destroy(hint);
    return status;
}

/* Any layouts for the arrays of a stage with weights; which weights: `chosen` once there is a choice. */
static sf_status backward_operands(sf_plan *plan, int index, sf_format chosen, sf_operands *out)
{
    const sf_stage_plan *here = &plan->stage[index];
    *out = (sf_operands){0};
    SF_TRY(any_layout(plan, here->source.format, &out->source));
    SF_TRY(any_layout(plan, here->slope.format, &out->result));
    return weights_wish(plan, chosen, plan->nn->layout.stage[index].weights, &out->weights);
}

static sf_status describe_weights(sf_plan *plan, int index, dnnl_primitive_desc_t *out)
{
    const sf_stage *stage = &plan->nn->layout.stage[index];
    const sf_window window = window_of(plan, stage->kind);
    sf_setting setting = {plan->engine, plan->plain, plan->stage[index].forward};
    sf_operands operands;
    SF_TRY(backward_operands(plan, index, plan->formats->gradient[stage->weights], &operands));
    operands.bias = bias_of(plan, stage);
    return described(plan, stage->kind == SF_STAGE_CONVOLUTION
                               ? sf_convolution_by_weights(out, setting, operands, &window)
                               : sf_dense_by_weights(out, setting, operands));
}

static sf_status build_weights(sf_plan *plan, int index, const_dnnl_primitive_desc_t description)
{
    const sf_stage *stage = &plan->nn->layout.stage[index];
    sf_stage_plan *here = &plan->stage[index];
    sf_block source, slope;
    SF_TRY(bring(plan, &here->source, sf_format_wished(description, dnnl_query_src_md), SF_BACK_WEIGHTS,
                 index, &source));
    SF_TRY(bring(plan, &here->slope, sf_format_wished(description, dnnl_query_diff_dst_md), SF_BACK_WEIGHTS,
                 index, &slope));
    if (!plan->formats->chosen)
        SF_TRY(copy_format(plan, sf_format_wished(description, dnnl_query_diff_weights_md),
                           &plan->formats->gradient[stage->weights]));
    sf_argument argument[MAX_ARGUMENTS] = {held(DNNL_ARG_SRC, &source), held(DNNL_ARG_DIFF_DST, &slope),
                                           shared(DNNL_ARG_DIFF_WEIGHTS, SF_FROM_GRADIENT, stage->weights)};
    int count = 3;
    if (stage->bias >= 0)
        argument[count++] = shared(DNNL_ARG_DIFF_BIAS, SF_FROM_GRADIENT, stage->bias);
    return add_operation(plan, description, SF_BACK_WEIGHTS, index, count, argument);
}

static sf_status add_weights(sf_plan *plan, int index)
{
    dnnl_primitive_desc_t description = NULL;
    sf_status status = describe_weights(plan, index, &description);
    if (status == SF_OK)
        status = build_weights(plan, index, description);
    dnnl_primitive_desc_destroy(description);
    return status;
}

static sf_status describe_data(sf_plan *plan, int index, dnnl_primitive_desc_t *out)
{
    const sf_stage *stage = &plan->nn->layout.stage[index];
    const sf_stage_plan *here = &plan->stage[index];
    const sf_window window = window_of(plan, stage->kind);
    sf_setting setting = {plan->engine, plan->plain, here->forward};
    sf_operands operands = {.source = here->source.format, .result = here->result.format};
    if (stage->kind == SF_STAGE_POOL)
        return described(plan, sf_pool_by_input(out, setting, pooling_of(plan), operands, &window));
    SF_TRY(backward_operands(plan, index, plan->formats->backward[stage->weights], &operands));
    return described(plan, stage->kind == SF_STAGE_CONVOLUTION
                               ? sf_convolution_by_input(out, setting, operands, &window)
                               : sf_dense_by_input(out, setting, operands));
}

/* *out: the derivative by the input of the stage. */
static sf_status build_data(sf_plan *plan, int index, const_dnnl_primitive_desc_t description, sf_block *out)
{
    const sf_stage *stage = &plan->nn->layout.stage[index];
    sf_stage_plan *here = &plan->stage[index];
    sf_operation_kind kind = index > 0 ? SF_BACK_DATA : SF_BACK_INPUT;
    sf_block slope;
    SF_TRY(bring(plan, &here->slope, sf_format_wished(description, dnnl_query_diff_dst_md), kind, index,
                 &slope));
    SF_TRY(new_block(plan, sf_format_wished(description, dnnl_query_diff_src_md), out, NULL));
    sf_argument argument[MAX_ARGUMENTS] = {held(DNNL_ARG_DIFF_DST, &slope), held(DNNL_ARG_DIFF_SRC, out)};
    int count = 2;
    if (stage->kind == SF_STAGE_POOL) {
        if (here->workspace)
            argument[count++] = (sf_argument){
                .name = DNNL_ARG_WORKSPACE, .source = SF_FROM_MEMORY, .memory = here->workspace};
    } else {
        if (!plan->formats->chosen)
            SF_TRY(copy_format(plan, sf_format_wished(description, dnnl_query_weights_md),
                               &plan->formats->backward[stage->weights]));
        argument[count++] = shared(DNNL_ARG_WEIGHTS, SF_FROM_BACKWARD, stage->weights);
    }
    return add_operation(plan, description, kind, index, count, argument);
}

static sf_status add_data(sf_plan *plan, int index, sf_block *out)
{
    dnnl_primitive_desc_t description = NULL;
    sf_status status = describe_data(plan, index, &description);
    if (status == SF_OK)
        status = build_data(plan, index, description, out);
    dnnl_primitive_desc_destroy(description);
    return status;
}

/* Block and its numbers as (capacity, C, H, W). */
static sf_status add_reading(sf_plan *plan, const sf_block *block, int index, sf_operation_kind kind,
                             float **values)
{
    sf_format plain;
    sf_block target;
    SF_TRY(make_format(plan, 4, sf_format_size(block->format), dnnl_nchw, &plain));
    SF_TRY(new_block(plan, plain, &target, values));
    dnnl_primitive_desc_t description = NULL;
    SF_TRY(sf_dnnl_check(plan->context,
                         dnnl_reorder_primitive_desc_create(&description, block->format, plan->engine, plain,
                                                            plan->engine, plan->plain),
                         "reorder"));
    sf_status status = add_operation(plan, description, kind, index, 2,
                                     (sf_argument[]){held(DNNL_ARG_FROM, block), held(DNNL_ARG_TO, &target)});
    dnnl_primitive_desc_destroy(description);
    return status;
}

/* The derivative by rows that a fully connected stage took, as that by the images before. */
static sf_status unflatten(sf_plan *plan, int index, sf_block *block)
{
    sf_image_shape shape = index < 0 ? plan->nn->spec.input : plan->nn->layout.stage[index].out;
    sf_format images, rows;
    bool is_image = index < 0 || plan->nn->layout.stage[index].kind != SF_STAGE_DENSE;
    if (!is_image || sf_format_rank(block->format) == 4)
        return SF_OK;
    SF_TRY(image_format(plan, shape, dnnl_nchw, &images));
    SF_TRY(row_format(plan, shape.channels * shape.height * shape.width, &rows));
    SF_TRY(bring(plan, block, rows, index < 0 ? SF_BACK_INPUT : SF_BACK_DATA, index + 1, block));
    return reshape(plan, images, block);
}

/* Appends what the stage does backward; *block is the derivative by its output, then by its input. */
static sf_status add_backward(sf_plan *plan, int index, sf_block *block)
{
    const sf_stage *stage = &plan->nn->layout.stage[index];
    sf_stage_plan *here = &plan->stage[index];
    SF_TRY(unflatten(plan, index, block));
    SF_TRY(bring(plan, block, here->result.format, SF_BACK_DATA, index + 1, &here->slope));
    if (stage->kind == SF_STAGE_CONVOLUTION) {
        SF_TRY(add_reading(plan, &here->result, index, SF_READ, &here->layer));
        SF_TRY(add_reading(plan, &here->slope, index, SF_READ, &here->slope_read));
    }
    if (stage->relu)
        SF_TRY(add_relu(plan, index));
    if (stage->kind != SF_STAGE_POOL)
        SF_TRY(add_weights(plan, index));
    return add_data(plan, index, block);
}

/* ---- the plan --------------------------------------------------------------------------------------------- */

static sf_status create_attributes(sf_plan *plan)
{
    dnnl_post_ops_t after = NULL;
    sf_context *context = plan->context;
    SF_TRY(sf_dnnl_check(context, dnnl_primitive_attr_create(&plan->plain), "attributes"));
    SF_TRY(sf_dnnl_check(context, dnnl_primitive_attr_create(&plan->with_relu), "attributes"));
    dnnl_primitive_attr_set_scratchpad_mode(plan->plain, dnnl_scratchpad_mode_user);
    dnnl_primitive_attr_set_scratchpad_mode(plan->with_relu, dnnl_scratchpad_mode_user);
    SF_TRY(sf_dnnl_check(context, dnnl_post_ops_create(&after), "post-operations"));
    dnnl_status_t status = sf_append_relu(after);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(plan->with_relu, after);
    dnnl_post_ops_destroy(after);
    return sf_dnnl_check(context, status, "post-operations");
}

/* One scratch space for all operations: they run one after another. */
static sf_status give_scratch(sf_plan *plan)
{
    size_t largest = 0;
    for (size_t i = 0; i < plan->operations; i++)
        if (plan->operation[i].scratch > largest)
            largest = plan->operation[i].scratch;
    float *scratch = largest > 0 ? new_buffer(plan, largest) : NULL;
    if (largest > 0 && !scratch)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < plan->operations; i++) {
        sf_operation *operation = &plan->operation[i];
        if (operation->scratch > 0)
            SF_TRY(sf_dnnl_check(
                plan->context,
                dnnl_memory_set_data_handle(operation->argument[operation->count - 1].memory, scratch),
                "scratch space"));
    }
    return SF_OK;
}

static sf_status build(sf_plan *plan)
{
    const sf_layout *layout = &plan->nn->layout;
    sf_block block;
    sf_format input, logits;
    SF_TRY(create_attributes(plan));
    SF_TRY(image_format(plan, plan->nn->spec.input, dnnl_nchw, &input));
    SF_TRY(row_format(plan, layout->outputs, &logits));
    SF_TRY(new_block(plan, input, &block, &plan->slice.input));
    for (size_t i = 0; i < layout->stages; i++)
        SF_TRY(add_forward(plan, (int)i, &block));
    void *values = NULL;
    dnnl_memory_get_data_handle(block.memory, &values);
    plan->slice.logits = values;
    plan->operations_forward = plan->operations;
    SF_TRY(new_block(plan, logits, &block, &plan->slice.seeds));
    for (size_t i = layout->stages; i-- > 0;)
        SF_TRY(add_backward(plan, (int)i, &block));
    SF_TRY(unflatten(plan, -1, &block));
    SF_TRY(add_reading(plan, &block, 0, SF_BACK_INPUT, &plan->slice.by_input));
    plan->formats->chosen = true;
    return give_scratch(plan);
}

sf_status sf_plan_create(const sf_nn *nn, dnnl_engine_t engine, sf_formats *formats, size_t capacity,
                         sf_plan **out)
{
    sf_context *context = nn->context;
    size_t stages = nn->layout.stages + 1; // one more for both ends
    sf_plan *plan = *out = SF_NEW(context, sf_plan);
    if (!plan)
        return SF_ERR_MEMORY;
    plan->context = context;
    plan->nn = nn;
    plan->engine = engine;
    plan->formats = formats;
    plan->capacity = capacity;
    plan->operation =
        (sf_operation *)sf_alloc_zero(context, OPERATIONS_PER_STAGE * stages, sizeof *plan->operation);
    plan->memory =
        (dnnl_memory_t *)sf_alloc_zero(context, MEMORIES_PER_STAGE * stages, sizeof(dnnl_memory_t));
    plan->buffer = (double **)sf_alloc_zero(context, MEMORIES_PER_STAGE * stages, sizeof(double *));
    plan->format = (sf_format *)sf_alloc_zero(context, FORMATS_PER_STAGE * stages, sizeof(sf_format));
    sf_status status =
        plan->operation && plan->memory && plan->buffer && plan->format ? SF_OK : SF_ERR_MEMORY;
    int threads =
        sf_alone(); // oneDNN cuts the work of a primitive into as many pieces as there are threads now
    if (status == SF_OK)
        status = build(plan);
    sf_together(threads);
    if (status != SF_OK)
        sf_plan_destroy(out);
    return status;
}

void sf_plan_destroy(sf_plan **plan)
{
    if (!plan || !*plan)
        return;
    sf_plan *dead = *plan;
    sf_context *context = dead->context;
    for (size_t i = 0; i < dead->operations; i++)
        dnnl_primitive_destroy(dead->operation[i].primitive);
    for (size_t i = 0; i < dead->nn->layout.stages; i++)
        dnnl_primitive_desc_destroy(dead->stage[i].forward);
    for (size_t i = 0; i < dead->memories; i++)
        dnnl_memory_destroy(dead->memory[i]);
    for (size_t i = 0; i < dead->buffers; i++)
        sf_free_aligned(context, dead->buffer[i]);
    for (size_t i = 0; i < dead->formats_made; i++)
        sf_format_destroy(context, dead->format[i]);
    dnnl_primitive_attr_destroy(dead->plain);
    dnnl_primitive_attr_destroy(dead->with_relu);
    sf_free(context, dead->operation);
    sf_free(context, dead->memory);
    sf_free(context, dead->buffer);
    sf_free(context, dead->format);
    sf_free(context, dead);
    *plan = NULL;
}

/* ---- runs ------------------------------------------------------------------------------------------------- */

static bool run(const sf_operation *operation, dnnl_stream_t stream, const sf_tensor_memory *forward,
                const sf_tensor_memory *backward, const sf_tensor_memory *gradient)
{
    dnnl_exec_arg_t argument[MAX_ARGUMENTS];
    for (int i = 0; i < operation->count; i++) {
        const sf_argument *from = &operation->argument[i];
        const sf_tensor_memory *tensors = from->source == SF_FROM_WEIGHTS    ? forward
                                          : from->source == SF_FROM_BACKWARD ? backward
                                                                             : gradient;
        argument[i] = (dnnl_exec_arg_t){
            from->name, from->source == SF_FROM_MEMORY ? from->memory : tensors->of[from->tensor]};
    }
    return dnnl_primitive_execute(operation->primitive, stream, operation->count, argument) == dnnl_success;
}

bool sf_plan_forward(sf_plan *plan, dnnl_stream_t stream, const sf_tensor_memory *weights)
{
    for (size_t i = 0; i < plan->operations_forward; i++)
        if (!run(&plan->operation[i], stream, weights, NULL, NULL))
            return false;
    return dnnl_stream_wait(stream) == dnnl_success;
}

bool sf_plan_backward(sf_plan *plan, dnnl_stream_t stream, const sf_tensor_memory *weights,
                      const sf_backward_goal *goal)
{
    bool good = true;
    for (size_t i = plan->operations_forward; i < plan->operations && good; i++) {
        const sf_operation *operation = &plan->operation[i];
        bool reading = operation->stage == goal->read_stage && operation->kind == SF_READ;
        if (operation->stage <= goal->read_stage && !reading)
            break;
        if (reading || operation->kind == SF_BACK_DATA ||
            (operation->kind == SF_BACK_WEIGHTS && goal->gradient) ||
            (operation->kind == SF_BACK_INPUT && goal->input))
            good = run(operation, stream, NULL, weights, goal->gradient);
    }
    if (goal->read_stage >= 0) {
        plan->slice.layer = plan->stage[goal->read_stage].layer;
        plan->slice.slope = plan->stage[goal->read_stage].slope_read;
    }
    return dnnl_stream_wait(stream) == dnnl_success && good;
}
