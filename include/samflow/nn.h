/* samflow/nn.h - networks beyond the linear diagonal one, trained by the same perturbations.
 *
 * Models: the linear diagonal network (logit <w_1 * ... * w_L, x>), fully connected networks, and a convolutional
 * network (convolution, activation, pooling, repeated, then fully connected layers). Single precision, by oneDNN or by loops of our own.
 * Two classes have one logit f and the loss log(1 + e^{-y f}), y = -1, +1; K > 2 classes have K logits and the
 * cross-entropy of their softmax. The loss of a batch is the mean over its images.
 *
 * Same bits for any number of threads: a batch is cut into slices of a fixed size, each computed by one thread, and
 * their gradients are summed in an order that depends on the batch alone.
 */
#ifndef SAMFLOW_NN_H
#define SAMFLOW_NN_H

#include <samflow/images.h>
#include <samflow/sam.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- model ------------------------------------------------------------------------------------------------ */

typedef enum sf_model { SF_MODEL_DIAGONAL, SF_MODEL_MLP, SF_MODEL_CNN } sf_model;
typedef enum sf_activation { SF_ACTIVATION_RELU, SF_ACTIVATION_IDENTITY } sf_activation;
typedef enum sf_pooling { SF_POOLING_MAX, SF_POOLING_AVERAGE } sf_pooling;

/* What computes fully connected and convolutional networks: oneDNN, which a build may lack, or loops of our own, which are
 * always there; the same numbers but for rounding. */
typedef enum sf_nn_backend { SF_NN_AUTO, SF_NN_ONEDNN, SF_NN_PLAIN } sf_nn_backend;

enum { SF_NN_MAX_LAYERS = 16 };

typedef struct sf_nn_spec {
    sf_model model;
    sf_image_shape input;
    size_t classes; /* K >= 2 */
    sf_activation activation;
    bool bias;
    size_t depth;                                    /* diagonal: layers L */
    size_t convolutions, channels[SF_NN_MAX_LAYERS]; /* cnn: output channels of each convolution */
    size_t kernel, pool; /* cnn: side of the kernels (padding keeps the size) and of the pools */
    sf_pooling pooling;
    size_t hidden_layers,
        hidden[SF_NN_MAX_LAYERS]; /* mlp, cnn: widths of the hidden fully connected layers */
    /* Start: weights uniform in +-init_scale / sqrt(fan in), biases as well (init_scale 1 is PyTorch's default);
     * diagonal: every weight init_scale. */
    double init_scale;
    uint64_t seed;
    sf_nn_backend backend; /* auto: the fastest of this build; of no effect on diagonal networks */
} sf_nn_spec;

typedef struct sf_nn sf_nn;

/* threads: 0 for all processors that the process may use. Errors: SF_ERR_ARGUMENT (names the member and what was expected),
 * SF_ERR_MEMORY, SF_ERR_UNAVAILABLE (a backend that this build lacks). */
SF_API
sf_status sf_nn_create(sf_context *context, const sf_nn_spec *spec, int threads, sf_nn **out);
SF_API
void sf_nn_destroy(sf_nn **nn);

/* "onednn" or "plain"; static text. */
SF_API
const char *sf_nn_backend_name(const sf_nn *nn);
SF_API
bool sf_nn_backend_available(sf_nn_backend backend);

SF_API
const sf_nn_spec *sf_nn_description(const sf_nn *nn);
SF_API
size_t sf_nn_parameters(const sf_nn *nn); /* P */
SF_API
size_t sf_nn_outputs(const sf_nn *nn); /* 1 if K = 2, else K */
/* All parameters in one vector (P), owned by the network, to read and to write. Layer after layer, weights before biases; convolutions
 * (out, in, kernel, kernel), fully connected (out, in). */
SF_API
float *sf_nn_theta(sf_nn *nn);

/* The tensors of theta: name ("conv1.weight"), offset, shape. */
typedef struct sf_nn_tensor {
    const char *name;
    size_t offset, count, rank, shape[4];
} sf_nn_tensor;
SF_API
size_t sf_nn_tensors(const sf_nn *nn);
SF_API
sf_nn_tensor sf_nn_tensor_at(const sf_nn *nn, size_t index);

/* logits (n, outputs) of n images (n, C, H, W) at theta (P), NULL for the network's own. */
SF_API
sf_status sf_nn_forward(sf_nn *nn, const float *theta, size_t n, const float *images, float *logits);

/* Mean loss over n images with labels 0..K-1 and its gradient (P; NULL: not wanted) at theta. */
SF_API
sf_status sf_nn_gradient(sf_nn *nn, const float *theta, size_t n, const float *images, const int *labels,
                         float *gradient, double *loss);

/* ---- attribution ------------------------------------------------------------------------------------------ */

/* The layers whose activations Grad-CAM can weigh, in order ("conv1", "conv2": after the activation, before the pooling); their number. */
SF_API
size_t sf_nn_layers(const sf_nn *nn);
SF_API
const char *sf_nn_layer_name(const sf_nn *nn, size_t index);

/* Activations (n, channels, height, width) of a convolution and the derivative of the logit of the image's own class
 * by them (two classes: y f with y = -1, +1). shape: of one image. Both may be NULL to ask for the shape. */
SF_API
sf_status sf_nn_layer_gradient(sf_nn *nn, size_t layer, size_t n, const float *images, const int *labels,
                               sf_image_shape *shape, float *activation, float *derivative);

/* The derivative of the same logit by the pixels, (n, C, H, W). */
SF_API
sf_status sf_nn_input_gradient(sf_nn *nn, size_t n, const float *images, const int *labels,
                               float *derivative);

/* Grad-CAM (Selvaraju et al., ICCV 2017) of a convolution: alpha_k = mean over positions of the derivative by channel k, map =
 * sum_k alpha_k A_k, brought to (n, H, W) by bilinear interpolation (pixel centres aligned). Signed; the usual map is its positive part. */
SF_API
sf_status sf_nn_grad_cam(sf_nn *nn, size_t layer, size_t n, const float *images, const int *labels,
                         float *map);

/* Shares of the absolute values of a map that lie on each region; all NaN if the map is 0 everywhere. */
typedef struct sf_shares {
    double background, weak, strong;
} sf_shares;
SF_API
sf_shares sf_map_shares(size_t pixels, const float *map, const uint8_t *regions);

typedef enum sf_attribution { SF_ATTRIBUTION_GRAD_CAM, SF_ATTRIBUTION_INPUT_GRADIENT } sf_attribution;

/* The maps of a whole set. Images whose map (or its positive part) is 0 everywhere have no shares: they are counted and
 * left out of the mean, which is NaN if none is left. */
typedef struct sf_attribution_summary {
    size_t images;              /* N */
    size_t zero;                /* images whose map is 0 */
    size_t empty;               /* images whose map has no positive part */
    sf_shares shares, positive; /* of the absolute values, and of the positive part: mean over images */
} sf_attribution_summary;
/* layer: of Grad-CAM. maps: (N, H, W), NULL if not wanted; the input gradient of several channels has one map, the entry
 * of largest absolute value. Errors: SF_ERR_ARGUMENT (no such layer, images of another shape), SF_ERR_MEMORY. */
SF_API
sf_status sf_nn_attribute(sf_nn *nn, sf_attribution method, size_t layer, const sf_images *images,
                          float *maps, sf_attribution_summary *summary);

/* ---- training --------------------------------------------------------------------------------------------- */

typedef struct sf_training {
    sf_perturbation perturbation; /* gd, l2-sam, linf-sam, usam; with adaptive: ASAM */
    bool
        adaptive; /* ASAM (Kwon et al., ICML 2021): eps = rho T^2 g / ||T g||_2 with T = |theta| + 0.01 for l2-sam */
    size_t
        shard; /* m of m-SAM: the batch is cut into shards of m images, each perturbed by its own gradient; 0: the batch as a whole */
    double rate, momentum,
        weight_decay; /* eta > 0; momentum in [0, 1), as theta -= eta v, v = momentum v + g */
    size_t batch;     /* images a step, 0: all of them */
    uint64_t seed;    /* of the order of the images, drawn anew each epoch; the last, smaller batch is kept */
} sf_training;

typedef struct sf_trainer sf_trainer;

/* Borrows the network and the images. */
SF_API
sf_status sf_trainer_create(sf_context *context, sf_nn *nn, const sf_images *images, const sf_training *spec,
                            sf_trainer **out);
SF_API
void sf_trainer_destroy(sf_trainer **trainer);

/* Takes that many steps; stops early with SF_ERR_CANCELLED, or when loss or weights leave the finite numbers (then
 * sf_trainer_diverged is true, theta is the last finite one, and the context's message says what left them). */
SF_API
sf_status sf_trainer_advance(sf_trainer *trainer, uint64_t steps);
SF_API
bool sf_trainer_diverged(const sf_trainer *trainer);

typedef struct sf_training_state {
    uint64_t step, epoch, gradients; /* taken; gradient evaluations so far, counted in images */
    double loss, accuracy;           /* of the last batch, at theta before its step; NaN before */
    double applied_norm; /* ||eps|| of the last step (2-norm; infinity for linf-SAM), mean over shards */
} sf_training_state;
SF_API
sf_training_state sf_trainer_state(const sf_trainer *trainer);

/* What was measured after so many steps; the trainer keeps such records and so do its checkpoints, so that a run that was
 * taken up again has all of them. NaN: not measured. */
typedef struct sf_training_record {
    double step, epoch, loss, accuracy, test_loss, test_accuracy, applied_norm, gradients;
} sf_training_record;
/* Errors: SF_ERR_MEMORY. */
SF_API
sf_status sf_trainer_record(sf_trainer *trainer, const sf_training_record *record);
/* All records, in order; owned by the trainer, valid until the next is added. */
SF_API
const sf_training_record *sf_trainer_records(const sf_trainer *trainer, size_t *count);

/* Mean loss and accuracy over a set. */
SF_API
sf_status sf_nn_evaluate(sf_nn *nn, const sf_images *images, double *loss, double *accuracy);

/* A checkpoint: spec of the network, theta, momentum, step, place in the epoch, records, settings as text. It appears under
 * its name only when complete. Training resumed from it continues bit for bit. HDF5. */
SF_API
sf_status sf_trainer_save(const sf_trainer *trainer, const char *path, const char *settings);
/* Errors: SF_ERR_DATA (not a checkpoint, or of another network, other data or other settings: says which), SF_ERR_IO. */
SF_API
sf_status sf_trainer_load(sf_trainer *trainer, const char *path);
/* The parameters alone, into a network of the same description (the start may differ). */
SF_API
sf_status sf_nn_load(sf_nn *nn, const char *path);

#ifdef __cplusplus
}
#endif
#endif
