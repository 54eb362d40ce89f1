/* oneDNN 2.6 and oneDNN 3, and the one file that knows in what they differ.
 *
 * To oneDNN 2 a memory descriptor is a value and a primitive is described by an operation descriptor first; to oneDNN 3 a
 * memory descriptor is a handle and primitives are described at once. Here a format is a pointer to a descriptor in both,
 * so that all calls that take one read alike; its owner releases it by sf_format_destroy. Formats that oneDNN hands out
 * (sf_format_wished, sf_format_of) belong to what they were asked of. Where a function below takes `hint`, it is the
 * description of the forward primitive that a backward one has to fit.
 */
#ifndef SF_NN_ONEDNN_H
#define SF_NN_ONEDNN_H

#include <oneapi/dnnl/dnnl.h>

#include "nn/network.h"

/* The arrays of a primitive: its input, its weights and bias (NULL: none) and its output. Of a backward primitive those by
 * which, or of which, it takes derivatives. */
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t sf_format;
#else
typedef const dnnl_memory_desc_t *sf_format;
#endif

typedef struct sf_operands {
    sf_format source, weights, bias, result;
} sf_operands;

/* Of convolutions and poolings; padding before and after. */
typedef struct sf_window {
    dnnl_dims_t strides, before, after, kernel;
} sf_window;

/* How a primitive is to be run: on what, with which attributes and, backward, beside which forward one. */
typedef struct sf_setting {
    dnnl_engine_t engine;
    const_dnnl_primitive_attr_t attributes;
    const_dnnl_primitive_desc_t hint;
} sf_setting;

static inline sf_format sf_format_wished(const_dnnl_primitive_desc_t description, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(description, what, 0);
}

static inline sf_format sf_format_of(const_dnnl_memory_t memory)
{
    sf_format format = NULL;
    dnnl_memory_get_memory_desc(memory, &format);
    return format;
}

#if DNNL_VERSION_MAJOR >= 3

static inline dnnl_status_t sf_format_create(sf_context *context, int rank, const dnnl_dims_t size,
                                             dnnl_format_tag_t tag, sf_format *out)
{
    dnnl_memory_desc_t made = NULL;
    (void)context;
    dnnl_status_t status = dnnl_memory_desc_create_with_tag(&made, rank, size, dnnl_f32, tag);
    *out = made;
    return status;
}

static inline dnnl_status_t sf_format_copy(sf_context *context, sf_format format, sf_format *out)
{
    dnnl_memory_desc_t made = NULL;
    (void)context;
    dnnl_status_t status = dnnl_memory_desc_clone(&made, format);
    *out = made;
    return status;
}

static inline void sf_format_destroy(sf_context *context, sf_format format)
{
    (void)context;
    if (format)
        dnnl_memory_desc_destroy((dnnl_memory_desc_t)format);
}

static inline int sf_format_rank(sf_format format)
{
    int rank = 0;
    dnnl_memory_desc_query(format, dnnl_query_ndims_s32, &rank);
    return rank;
}

/* The sizes (rank), kept by the format. */
static inline const dnnl_dim_t *sf_format_size(sf_format format)
{
    dnnl_dims_t *size = NULL;
    dnnl_memory_desc_query(format, dnnl_query_dims, &size);
    return *size;
}

static inline dnnl_status_t sf_append_relu(dnnl_post_ops_t after)
{
    return dnnl_post_ops_append_eltwise(after, dnnl_eltwise_relu, 0.0f, 0.0f);
}

static const dnnl_dims_t sf_dense_window; // no dilation: zeros

static inline dnnl_status_t sf_convolution_forward(dnnl_primitive_desc_t *out, sf_setting s, sf_operands o,
                                                   const sf_window *w)
{
    return dnnl_convolution_forward_primitive_desc_create(
        out, s.engine, dnnl_forward_training, dnnl_convolution_direct, o.source, o.weights, o.bias, o.result,
        w->strides, sf_dense_window, w->before, w->after, s.attributes);
}

static inline dnnl_status_t sf_convolution_by_input(dnnl_primitive_desc_t *out, sf_setting s, sf_operands o,
                                                    const sf_window *w)
{
    return dnnl_convolution_backward_data_primitive_desc_create(
        out, s.engine, dnnl_convolution_direct, o.source, o.weights, o.result, w->strides, sf_dense_window,
        w->before, w->after, s.hint, s.attributes);
}

static inline dnnl_status_t sf_convolution_by_weights(dnnl_primitive_desc_t *out, sf_setting s, sf_operands o,
                                                      const sf_window *w)
{
    return dnnl_convolution_backward_weights_primitive_desc_create(
        out, s.engine, dnnl_convolution_direct, o.source, o.weights, o.bias, o.result, w->strides,
        sf_dense_window, w->before, w->after, s.hint, s.attributes);
}

static inline dnnl_status_t sf_dense_forward(dnnl_primitive_desc_t *out, sf_setting s, sf_operands o)
{
    return dnnl_inner_product_forward_primitive_desc_create(out, s.engine, dnnl_forward_training, o.source,
                                                            o.weights, o.bias, o.result, s.attributes);
}

static inline dnnl_status_t sf_dense_by_input(dnnl_primitive_desc_t *out, sf_setting s, sf_operands o)
{
    return dnnl_inner_product_backward_data_primitive_desc_create(out, s.engine, o.source, o.weights,
                                                                  o.result, s.hint, s.attributes);
}

static inline dnnl_status_t sf_dense_by_weights(dnnl_primitive_desc_t *out, sf_setting s, sf_operands o)
{
    return dnnl_inner_product_backward_weights_primitive_desc_create(out, s.engine, o.source, o.weights,
                                                                     o.bias, o.result, s.hint, s.attributes);
}

static inline dnnl_status_t sf_pool_forward(dnnl_primitive_desc_t *out, sf_setting s, dnnl_alg_kind_t kind,
                                            sf_operands o, const sf_window *w)
{
    return dnnl_pooling_forward_primitive_desc_create(out, s.engine, dnnl_forward_training, kind, o.source,
                                                      o.result, w->strides, w->kernel, sf_dense_window,
                                                      w->before, w->after, s.attributes);
}

static inline dnnl_status_t sf_pool_by_input(dnnl_primitive_desc_t *out, sf_setting s, dnnl_alg_kind_t kind,
                                             sf_operands o, const sf_window *w)
{
    return dnnl_pooling_backward_primitive_desc_create(out, s.engine, kind, o.source, o.result, w->strides,
                                                       w->kernel, sf_dense_window, w->before, w->after,
                                                       s.hint, s.attributes);
}

/* ReLU of an array in this format, and its derivative read off its results. */
static inline dnnl_status_t sf_relu_forward(dnnl_primitive_desc_t *out, sf_setting s, sf_format format)
{
    return dnnl_eltwise_forward_primitive_desc_create(out, s.engine, dnnl_forward_training,
                                                      dnnl_eltwise_relu_use_dst_for_bwd, format, format, 0.0f,
                                                      0.0f, s.attributes);
}

static inline dnnl_status_t sf_relu_by_input(dnnl_primitive_desc_t *out, sf_setting s, sf_format format)
{
    return dnnl_eltwise_backward_primitive_desc_create(out, s.engine, dnnl_eltwise_relu_use_dst_for_bwd,
                                                       format, format, format, 0.0f, 0.0f, s.hint,
                                                       s.attributes);
}

#else

static inline dnnl_status_t sf_format_create(sf_context *context, int rank, const dnnl_dims_t size,
                                             dnnl_format_tag_t tag, sf_format *out)
{
    dnnl_memory_desc_t *made = SF_NEW(context, dnnl_memory_desc_t);
    *out = made;
    return made ? dnnl_memory_desc_init_by_tag(made, rank, size, dnnl_f32, tag) : dnnl_out_of_memory;
}

static inline dnnl_status_t sf_format_copy(sf_context *context, sf_format format, sf_format *out)
{
    dnnl_memory_desc_t *made = SF_NEW(context, dnnl_memory_desc_t);
    *out = made;
    if (!made)
        return dnnl_out_of_memory;
    *made = *format;
    return dnnl_success;
}

static inline void sf_format_destroy(sf_context *context, sf_format format)
{
    sf_free(context, (dnnl_memory_desc_t *)format);
}

static inline int sf_format_rank(sf_format format)
{
    return format->ndims;
}

/* The sizes (rank), kept by the format. */
static inline const dnnl_dim_t *sf_format_size(sf_format format)
{
    return format->dims;
}

static inline dnnl_status_t sf_append_relu(dnnl_post_ops_t after)
{
    return dnnl_post_ops_append_eltwise(after, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
}

/* From an operation descriptor, whose making returned `status`. */
static inline dnnl_status_t sf_describe(dnnl_primitive_desc_t *out, sf_setting s, dnnl_status_t status,
                                        const_dnnl_op_desc_t operation)
{
    return status == dnnl_success ? dnnl_primitive_desc_create(out, operation, s.attributes, s.engine, s.hint)
                                  : status;
}

static inline dnnl_status_t sf_convolution_forward(dnnl_primitive_desc_t *out, sf_setting s, sf_operands o,
                                                   const sf_window *w)
{
    dnnl_convolution_desc_t convolution;
    dnnl_status_t status = dnnl_convolution_forward_desc_init(
        &convolution, dnnl_forward_training, dnnl_convolution_direct, o.source, o.weights, o.bias, o.result,
        w->strides, w->before, w->after);
    return sf_describe(out, s, status, &convolution);
}

static inline dnnl_status_t sf_convolution_by_input(dnnl_primitive_desc_t *out, sf_setting s, sf_operands o,
                                                    const sf_window *w)
{
    dnnl_convolution_desc_t convolution;
    dnnl_status_t status =
        dnnl_convolution_backward_data_desc_init(&convolution, dnnl_convolution_direct, o.source, o.weights,
                                                 o.result, w->strides, w->before, w->after);
    return sf_describe(out, s, status, &convolution);
}

static inline dnnl_status_t sf_convolution_by_weights(dnnl_primitive_desc_t *out, sf_setting s, sf_operands o,
                                                      const sf_window *w)
{
    dnnl_convolution_desc_t convolution;
    dnnl_status_t status = dnnl_convolution_backward_weights_desc_init(&convolution, dnnl_convolution_direct,
                                                                       o.source, o.weights, o.bias, o.result,
                                                                       w->strides, w->before, w->after);
    return sf_describe(out, s, status, &convolution);
}

static inline dnnl_status_t sf_dense_forward(dnnl_primitive_desc_t *out, sf_setting s, sf_operands o)
{
    dnnl_inner_product_desc_t dense;
    dnnl_status_t status = dnnl_inner_product_forward_desc_init(&dense, dnnl_forward_training, o.source,
                                                                o.weights, o.bias, o.result);
    return sf_describe(out, s, status, &dense);
}

static inline dnnl_status_t sf_dense_by_input(dnnl_primitive_desc_t *out, sf_setting s, sf_operands o)
{
    dnnl_inner_product_desc_t dense;
    dnnl_status_t status = dnnl_inner_product_backward_data_desc_init(&dense, o.source, o.weights, o.result);
    return sf_describe(out, s, status, &dense);
}

static inline dnnl_status_t sf_dense_by_weights(dnnl_primitive_desc_t *out, sf_setting s, sf_operands o)
{
    dnnl_inner_product_desc_t dense;
    dnnl_status_t status =
        dnnl_inner_product_backward_weights_desc_init(&dense, o.source, o.weights, o.bias, o.result);
    return sf_describe(out, s, status, &dense);
}

static inline dnnl_status_t sf_pool_forward(dnnl_primitive_desc_t *out, sf_setting s, dnnl_alg_kind_t kind,
                                            sf_operands o, const sf_window *w)
{
    dnnl_pooling_desc_t pool;
    dnnl_status_t status = dnnl_pooling_forward_desc_init(
        &pool, dnnl_forward_training, kind, o.source, o.result, w->strides, w->kernel, w->before, w->after);
    return sf_describe(out, s, status, &pool);
}

static inline dnnl_status_t sf_pool_by_input(dnnl_primitive_desc_t *out, sf_setting s, dnnl_alg_kind_t kind,
                                             sf_operands o, const sf_window *w)
{
    dnnl_pooling_desc_t pool;
    dnnl_status_t status = dnnl_pooling_backward_desc_init(&pool, kind, o.source, o.result, w->strides,
                                                           w->kernel, w->before, w->after);
    return sf_describe(out, s, status, &pool);
}

/* ReLU of an array in this format, and its derivative read off its results. */
static inline dnnl_status_t sf_relu_forward(dnnl_primitive_desc_t *out, sf_setting s, sf_format format)
{
    dnnl_eltwise_desc_t relu;
    dnnl_status_t status = dnnl_eltwise_forward_desc_init(
        &relu, dnnl_forward_training, dnnl_eltwise_relu_use_dst_for_bwd, format, 0.0f, 0.0f);
    return sf_describe(out, s, status, &relu);
}

static inline dnnl_status_t sf_relu_by_input(dnnl_primitive_desc_t *out, sf_setting s, sf_format format)
{
    dnnl_eltwise_desc_t relu;
    dnnl_status_t status =
        dnnl_eltwise_backward_desc_init(&relu, dnnl_eltwise_relu_use_dst_for_bwd, format, format, 0.0f, 0.0f);
    return sf_describe(out, s, status, &relu);
}

#endif
#endif
