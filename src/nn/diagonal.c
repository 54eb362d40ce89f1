/* The linear diagonal network: logit <beta, x>, beta = w_1 * ... * w_L.
 *
 * A slice's part of the gradient is G = sum_n c_n x_n; what layer l gets of it, G * prod_{k != l} w_k, is formed once
 * from the sum over all slices. Scalar products run over sixteen partial sums, so that compilers can use vectors without
 * changing the order.
 */
#include <string.h>

#include "nn/network.h"

enum { CAPACITIES = 6, LANES = 16 };

typedef struct sf_diagonal_worker {
    sf_slice slice[CAPACITIES];
    double *buffer[CAPACITIES]; // holds the arrays of the slice
} sf_diagonal_worker;

struct sf_diagonal {
    int workers;
    sf_diagonal_worker *worker; // (workers)
    float *beta;                // (D)
};

static int capacity_index(size_t capacity)
{
    int index = 0;
    while (((size_t)1 << index) < capacity)
        index++;
    return index;
}

static sf_status create(sf_nn *nn)
{
    sf_diagonal *diagonal = nn->diagonal = SF_NEW(nn->context, sf_diagonal);
    if (!diagonal)
        return SF_ERR_MEMORY;
    nn->sum_size = nn->layout.pixels;
    diagonal->workers = sf_pool_threads(nn->pool);
    diagonal->worker = (sf_diagonal_worker *)sf_alloc_zero(nn->context, (size_t)diagonal->workers,
                                                           sizeof(sf_diagonal_worker));
    diagonal->beta = SF_ARRAY(nn->context, nn->layout.pixels, float);
    return diagonal->worker && diagonal->beta ? SF_OK : SF_ERR_MEMORY;
}

static void destroy(sf_nn *nn)
{
    sf_diagonal *diagonal = nn->diagonal;
    if (!diagonal)
        return;
    for (int w = 0; w < diagonal->workers && diagonal->worker; w++)
        for (int c = 0; c < CAPACITIES; c++)
            sf_free_aligned(nn->context, diagonal->worker[w].buffer[c]);
    sf_free(nn->context, diagonal->worker);
    sf_free(nn->context, diagonal->beta);
    sf_free(nn->context, diagonal);
    nn->diagonal = NULL;
}

static sf_status reserve(sf_nn *nn, size_t capacity)
{
    int index = capacity_index(capacity);
    size_t pixels = nn->layout.pixels;
    for (int w = 0; w < nn->diagonal->workers; w++) {
        sf_diagonal_worker *worker = &nn->diagonal->worker[w];
        if (worker->buffer[index])
            continue;
        worker->buffer[index] = sf_alloc_doubles(nn->context, capacity * (pixels + 1));
        if (!worker->buffer[index])
            return SF_ERR_MEMORY;
        float *next = (float *)worker->buffer[index];
        worker->slice[index] = (sf_slice){.input = next,
                                          .by_input = next + capacity * pixels,
                                          .logits = next + 2 * capacity * pixels,
                                          .seeds = next + (2 * pixels + 1) * capacity};
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

static sf_status prepare(sf_nn *nn, const float *theta)
{
    size_t pixels = nn->layout.pixels;
    float *beta = nn->diagonal->beta;
    memcpy(beta, theta, pixels * sizeof *beta);
    for (size_t l = 1; l < nn->spec.depth; l++)
        for (size_t j = 0; j < pixels; j++)
            beta[j] *= theta[l * pixels + j];
    return SF_OK;
}

static sf_slice *slice(sf_nn *nn, int worker, size_t capacity)
{
    return &nn->diagonal->worker[worker].slice[capacity_index(capacity)];
}

static float product(size_t n, const float *a, const float *b)
{
    float part[LANES] = {0.0f}, sum = 0.0f;
    size_t whole = n / LANES * LANES;
    for (size_t j = 0; j < whole; j += LANES)
        for (int k = 0; k < LANES; k++)
            part[k] += a[j + (size_t)k] * b[j + (size_t)k];
    for (size_t j = whole; j < n; j++)
        part[j - whole] += a[j] * b[j];
    for (int k = 0; k < LANES; k++)
        sum += part[k];
    return sum;
}

static bool forward(sf_nn *nn, int worker, size_t capacity)
{
    const sf_slice *here = slice(nn, worker, capacity);
    size_t pixels = nn->layout.pixels;
    for (size_t i = 0; i < capacity; i++)
        here->logits[i] = product(pixels, here->input + i * pixels, nn->diagonal->beta);
    return true;
}

static bool backward(sf_nn *nn, int worker, size_t capacity, size_t sum)
{
    const sf_slice *here = slice(nn, worker, capacity);
    size_t pixels = nn->layout.pixels;
    float *values = nn->sum[sum].values;
    memset(values, 0, pixels * sizeof *values);
    for (size_t i = 0; i < capacity; i++)
        for (size_t j = 0; j < pixels; j++)
            values[j] += here->seeds[i] * here->input[i * pixels + j];
    return true;
}

static bool backward_to_input(sf_nn *nn, int worker, size_t capacity)
{
    const sf_slice *here = slice(nn, worker, capacity);
    size_t pixels = nn->layout.pixels;
    for (size_t i = 0; i < capacity; i++)
        for (size_t j = 0; j < pixels; j++)
            here->by_input[i * pixels + j] = here->seeds[i] * nn->diagonal->beta[j];
    return true;
}

static bool backward_to_layer(sf_nn *nn, int worker, size_t capacity, size_t layer)
{
    (void)nn;
    (void)worker;
    (void)capacity;
    (void)layer;
    return false; // a diagonal network has no convolutions, so nobody asks
}

static sf_status finish(sf_nn *nn, const float *theta, float *gradient)
{
    size_t pixels = nn->layout.pixels, depth = nn->spec.depth;
    const float *sum = nn->sum[0].values;
    for (size_t l = 0; l < depth; l++) {
        float *row = gradient + l * pixels;
        memcpy(row, sum, pixels * sizeof *row);
        for (size_t k = 0; k < depth; k++)
            for (size_t j = 0; k != l && j < pixels; j++)
                row[j] *= theta[k * pixels + j];
    }
    return SF_OK;
}

const sf_backend sf_backend_diagonal = {"plain",           create, destroy, reserve,  adopt_sum,
                                        prepare,           slice,  forward, backward, backward_to_input,
                                        backward_to_layer, finish};
