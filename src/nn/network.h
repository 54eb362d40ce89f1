/* Private face of the room nn/: the network, how its batches are cut into slices, and what a backend does.
 *
 * The gradient of a batch (n images) is a sum over slices of a fixed number of images. A slice is computed by one
 * worker in one thread; slice i is added to sum i mod S, in the order of i, and at last the S <= SF_NN_SUMS sums are
 * added in order. All of this depends on the network and n alone, so the bits do not depend on the number of workers.
 *
 * Loss derivatives are kept as c 2^e with an exponent e common to a slice: where all margins of a slice are large, the
 * derivatives e^{-m} would leave the range of a float, and with them the direction of the gradient. So every sum has an
 * exponent, which is 0 unless all derivatives of its images are below 2^-32.
 */
#ifndef SF_NN_PRIVATE_H
#define SF_NN_PRIVATE_H

#include <samflow/nn.h>

#include "base/base.h"
#include "base/pool.h"

enum {
    SF_NN_SUMS = 16,
    SF_NN_LARGEST_SLICE = 32, // images; smaller ones are powers of two
    SF_NN_NAME_SIZE = 40,
    SF_NN_MAX_STAGES = 3 * SF_NN_MAX_LAYERS + 1,
    SF_NN_MAX_TENSORS = 4 * SF_NN_MAX_LAYERS + 2
};

typedef enum sf_stage_kind { SF_STAGE_CONVOLUTION, SF_STAGE_POOL, SF_STAGE_DENSE } sf_stage_kind;

typedef struct sf_stage {
    sf_stage_kind kind;
    bool relu; // after it
    sf_image_shape in, out;
    int weights, bias; // tensors, -1: none
} sf_stage;

/* Layout of a fully connected or convolutional network. */
typedef struct sf_layout {
    size_t stages;
    sf_stage stage[SF_NN_MAX_STAGES];
    size_t tensors;
    sf_nn_tensor tensor[SF_NN_MAX_TENSORS];
    char name[SF_NN_MAX_TENSORS][SF_NN_NAME_SIZE];
    size_t layers; // convolutions
    int layer_stage[SF_NN_MAX_LAYERS];
    char layer_name[SF_NN_MAX_LAYERS][SF_NN_NAME_SIZE];
    size_t parameters, outputs, pixels;
} sf_layout;

/* A sum of gradients of slices, in the order that the backend likes: the gradient is values * 2^exponent. */
typedef struct sf_gradient_sum {
    float *values; // (sum_size)
    int exponent;
    double loss;  // sum over its images
    size_t right; // images of the right class
} sf_gradient_sum;

/* One worker's buffers for a slice of up to `capacity` images. */
typedef struct sf_slice {
    float *input;         // (capacity, pixels)
    float *logits;        // (capacity, outputs)
    float *seeds;         // (capacity, outputs) derivative of what is differentiated by the logits
    float *by_input;      // (capacity, pixels) derivative by the input, after backward to it
    float *layer, *slope; // after backward to a convolution: its activation and the derivative by it
} sf_slice;

typedef struct sf_diagonal sf_diagonal;
typedef struct sf_blocks sf_blocks;
typedef struct sf_plain sf_plain;

/* What slices are computed by. Work space for a capacity is made by `reserve`, in the caller's thread, before slices of
 * that capacity run; what runs in workers cannot fail but by the word of a library (false). */
typedef struct sf_backend {
    const char *name;
    sf_status (*create)(sf_nn *nn); // sets nn->sum_size
    void (*destroy)(sf_nn *nn);
    sf_status (*reserve)(sf_nn *nn, size_t capacity);
    sf_status (*adopt_sum)(sf_nn *nn, size_t sum,
                           float *values);               // (sum_size) that are sum number `sum` from now on
    sf_status (*prepare)(sf_nn *nn, const float *theta); // the weights for all slices to come
    sf_slice *(*slice)(sf_nn *nn, int worker, size_t capacity);
    bool (*forward)(sf_nn *nn, int worker, size_t capacity);
    /* The gradient of the slice into sum number `sum`, whose old values are overwritten. */
    bool (*backward)(sf_nn *nn, int worker, size_t capacity, size_t sum);
    bool (*backward_to_input)(sf_nn *nn, int worker, size_t capacity);
    /* Fills the (capacity, C, H, W) arrays `layer` and `slope` of the slice. */
    bool (*backward_to_layer)(sf_nn *nn, int worker, size_t capacity, size_t layer);
    /* Sum number 0, of gradients at theta, to the order of theta. */
    sf_status (*finish)(sf_nn *nn, const float *theta, float *gradient);
} sf_backend;

extern const sf_backend sf_backend_diagonal, sf_backend_onednn, sf_backend_plain;

/* backends.c: what computes the network of this description; NULL if the one it asks for is not in this build. */
const sf_backend *sf_nn_choose_backend(const sf_nn_spec *spec);

struct sf_nn {
    sf_context *context;
    sf_nn_spec spec;
    sf_layout layout;
    float *theta; // (P)
    sf_pool *pool;
    const sf_backend *backend;
    sf_diagonal *diagonal; // of that backend
    sf_blocks *blocks;     // of oneDNN
    sf_plain *plain;       // of the plain one
    size_t sum_size, sums; // numbers of a sum; sums there can be: SF_NN_SUMS, and one for each worker
    sf_gradient_sum *sum;  // (sums); that of worker w is number SF_NN_SUMS + w
};

/* Images of a batch: image i is row order[i] of images, row i if order is NULL. */
typedef struct sf_nn_batch {
    size_t n;
    const float *images; // (., pixels)
    const int *labels;   // NULL: not needed
    const size_t *order;
} sf_nn_batch;

/* spec.c: checks and lays out; the start. */
/* *member: the name of the member that is refused, if that is the reason; the message does not name it. */
sf_status sf_nn_check(sf_context *context, const sf_nn_spec *spec, const char **member);
void sf_layout_fill(const sf_nn_spec *spec, sf_layout *layout);
void sf_nn_fill_initialization(const sf_nn_spec *spec, const sf_layout *layout, float *theta);

/* loss.c. Of `count` images: the sum of their losses, and seeds (count, outputs) = (d loss / d logits) * weight *
 * 2^-*exponent. */
double sf_nn_loss(size_t count, size_t outputs, const float *logits, const int *labels, double weight,
                  float *seeds, int *exponent);
double sf_nn_image_loss(size_t outputs, const float *logits, int label);
bool sf_nn_correct(size_t outputs, const float *logits, int label);

/* What a pass over a batch found beside the gradient. */
typedef struct sf_nn_outcome {
    int exponent;
    double loss;  // sum over the images
    size_t right; // images of the right class
} sf_nn_outcome;

/* engine.c. gradient (P) = weight * sum over the batch of the gradients of the losses, times 2^-exponent. */
sf_status sf_nn_batch_gradient(sf_nn *nn, const float *theta, const sf_nn_batch *batch, double weight,
                               float *gradient, sf_nn_outcome *outcome);

#endif
