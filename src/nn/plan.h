/* The primitives of oneDNN that carry one worker's slice forward and backward.
 *
 * Activations stay in the blocked layouts that the convolutions prefer, with reorders only where two stages disagree. ReLU
 * is fused into its stage; its derivative is read off the activation (0 where that is 0). Weights and sums of gradients
 * belong to all workers and are named by tensor; where a run needs the memory of one, it looks it up.
 */
#ifndef SF_NN_PLAN_H
#define SF_NN_PLAN_H

#include "nn/onednn.h"

/* The layouts of a tensor: as in theta, and as forward pass, backward pass and gradient want it. Chosen and owned by the
 * first plan; the others, of smaller slices, take them over. */
typedef struct sf_formats {
    bool chosen;
    sf_format plain[SF_NN_MAX_TENSORS], forward[SF_NN_MAX_TENSORS], backward[SF_NN_MAX_TENSORS],
        gradient[SF_NN_MAX_TENSORS];
} sf_formats;

/* Memory of all tensors, in one of the layouts. */
typedef struct sf_tensor_memory {
    dnnl_memory_t of[SF_NN_MAX_TENSORS];
} sf_tensor_memory;

typedef struct sf_plan sf_plan;

sf_status sf_plan_create(const sf_nn *nn, dnnl_engine_t engine, sf_formats *formats, size_t capacity,
                         sf_plan **out);
void sf_plan_destroy(sf_plan **plan);
sf_slice *sf_plan_slice(sf_plan *plan);

/* All run in the calling thread, which has been told to stay alone (sf_alone). False: oneDNN failed. */
bool sf_plan_forward(sf_plan *plan, dnnl_stream_t stream, const sf_tensor_memory *weights);
/* What a backward pass is for. */
typedef struct sf_backward_goal {
    const sf_tensor_memory *gradient; // by the weights, NULL: not wanted
    bool input;                       // by the input, into the slice
    int read_stage; // -1, or the convolution to stop at, whose activation and slope go to the slice
} sf_backward_goal;

bool sf_plan_backward(sf_plan *plan, dnnl_stream_t stream, const sf_tensor_memory *weights,
                      const sf_backward_goal *goal);

/* SF_OK, SF_ERR_MEMORY or SF_ERR_INTERNAL. */
sf_status sf_dnnl_check(sf_context *context, dnnl_status_t status, const char *what);

/* oneDNN's loops run on OpenMP. Its number of threads belongs to the calling thread: alone sets it to 1 and returns what it
 * was, together puts it back. */
int sf_alone(void);
void sf_together(int threads);

#endif
