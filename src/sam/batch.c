/* Many trajectories of the discrete update in blocks of SIMD lanes (lanes.h), threads over blocks.
 *
 * The kernels take the common case: finite numbers, squares of the gradient in the range of doubles. They take a few
 * steps at a time and say afterwards which lanes left it; those steps are then taken again one by one, and in each the
 * lanes in question take the plain step of one trajectory (perturbation and gradient of sam.c and network.c), which is
 * right everywhere and tells when a trajectory diverges. So the common case pays nothing for the others, and a lane's
 * bits do not depend on its neighbours. lp-SAM, depths beyond SF_LANES_MAX_DEPTH and machines without kernels take the
 * plain step throughout.
 */
#include <samflow/batch.h>

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/base.h"
#include "base/pool.h"
#include "network/network.h"
#include "sam/check.h"
#include "sam/lanes.h"
#include "sam/rule.h"
#include "sam/watch.h"

enum {
    PIECE = 16,           // steps between looks at a block
    PLAIN_LANES = 8,      // trajectories in a block without kernels
    SLICE_WORK = 20000000 // weights times steps between looks at the cancel flag
};

/* What a thread has for itself. */
typedef struct batch_worker {
    sf_context *context; // for the message of a failure
    sf_dataset
        *example; // a data set of one example, overwritten; NULL if the examples are those of the network
    sf_network *network;                  // plain
    double *theta, *theta_hat, *gradient; // (L, d) each
    double *block, *before;               // a block's theta: at the piece's start, at the step's start
    double *work;                         // of the kernels
} batch_worker;

struct sf_batch {
    sf_context *context;
    const sf_network *network;
    const sf_dataset *dataset;
    sf_perturbation perturbation;
    const sf_lanes_kernels *kernels; // NULL: the plain step throughout
    sf_isa isa;
    size_t count, lanes, blocks, d, kept; // kept = layers in storage: L, or 1 where all are alike
    int depth;
    uint64_t step;
    double *theta;   // (blocks, kept, d, lanes)
    double *rho;     // (blocks, lanes)
    double *eta;     // (blocks, lanes)
    double *example; // (blocks, d, lanes), N = 1
    double *rows, *columns;
    uint64_t *steps;        // (blocks, lanes) taken
    sf_lane_mask *diverged; // (blocks)
    sf_pool *pool;
    batch_worker *workers;
    sf_watch *watch;             // NULL: nothing is watched
    atomic_bool short_of_memory; // for what is watched
};

const sf_lanes_kernels *sf_lanes_kernels_of(sf_isa isa)
{
    switch (isa) {
#ifdef SF_HAVE_X86_KERNELS
    case SF_ISA_AVX2:
        return &sf_lanes_kernels_avx2;
    case SF_ISA_AVX512:
        return &sf_lanes_kernels_avx512;
#endif
#ifdef SF_HAVE_NEON_KERNELS
    case SF_ISA_NEON:
        return &sf_lanes_kernels_neon;
#endif
    default:
        return NULL;
    }
}

/* ---- creation --------------------------------------------------------------------------------------------- */

static double value_of(const double *each, size_t i, double common)
{
    return each ? each[i] : common;
}

static sf_status check(sf_context *context, const sf_network *network, const sf_batch_spec *spec)
{
    if (!network)
        return sf_fail(context, SF_ERR_ARGUMENT, "the network is NULL");
    if (spec->count < 1)
        return sf_fail(context, SF_ERR_ARGUMENT, "a batch of 0 trajectories, expected at least one");
    if (spec->example && (network->dataset->n != 1 || network->dataset->mirrored))
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "examples of their own need a network with one example, not mirrored");
    size_t size = sf_network_parameters(network);
    if (size > SIZE_MAX / sizeof(double) / spec->count)
        return sf_fail(context, SF_ERR_MEMORY, "%zu trajectories of %zu weights exceed the address space",
                       spec->count, size);
    for (size_t i = 0; i < spec->count; i++) {
        sf_perturbation perturbation = spec->perturbation;
        perturbation.rho = value_of(spec->rho, i, perturbation.rho);
        sf_status status =
            sf_check_run(context, network, &perturbation, spec->theta ? spec->theta + i * size : NULL);
        if (status == SF_OK)
            status = sf_check_step(context, value_of(spec->steps, i, spec->step));
        for (size_t j = 0; status == SF_OK && spec->example && j < network->d; j++)
            if (!isfinite(spec->example[i * network->d + j]))
                status = sf_fail(context, SF_ERR_ARGUMENT,
                                 "feature %zu of the example is %g, expected a finite number", j,
                                 spec->example[i * network->d + j]);
        if (status != SF_OK)
            return sf_fail_within(context, status, "trajectory %zu", i);
    }
    return SF_OK;
}

/* All layers of all starts are alike, bit for bit; they stay so. */
static bool layers_alike(const sf_batch *batch, const double *theta)
{
    size_t d = batch->d;
    for (size_t i = 0; i < batch->count; i++)
        for (int l = 1; l < batch->depth; l++)
            if (memcmp(theta + (i * (size_t)batch->depth + (size_t)l) * d,
                       theta + i * (size_t)batch->depth * d, d * sizeof *theta) != 0)
                return false;
    return true;
}

static size_t block_size(const sf_batch *batch)
{
    return batch->kept * batch->d * batch->lanes;
}

/* Lanes beyond the count repeat the last trajectory. */
static void fill_lanes(sf_batch *batch, const sf_batch_spec *spec)
{
    size_t d = batch->d, lanes = batch->lanes, size = d * (size_t)batch->depth;
    for (size_t at = 0; at < batch->blocks * lanes; at++) {
        size_t i = at < batch->count ? at : batch->count - 1, block = at / lanes, lane = at % lanes;
        batch->rho[at] = value_of(spec->rho, i, spec->perturbation.rho);
        batch->eta[at] = value_of(spec->steps, i, spec->step);
        for (size_t k = 0; k < batch->kept * d; k++)
            batch->theta[block * block_size(batch) + k * lanes + lane] = spec->theta[i * size + k];
        for (size_t j = 0; j < d && batch->example; j++)
            batch->example[(block * d + j) * lanes + lane] =
                spec->example ? spec->example[i * d + j] : batch->dataset->z[j];
    }
}

/* Panels of the data: `panel` rows (or features) together, feature by feature (or row by row). */
static sf_status pack_panels(sf_batch *batch)
{
    const sf_dataset *data = batch->dataset;
    size_t panel = batch->kernels->panel, n = data->n, width = data->stored;
    size_t tall = (n + panel - 1) / panel * panel, wide = (width + panel - 1) / panel * panel;
    batch->rows = sf_alloc_doubles(batch->context, tall * width);
    batch->columns = sf_alloc_doubles(batch->context, wide * n);
    if (!batch->rows || !batch->columns)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < tall; i++)
        for (size_t j = 0; j < width; j++)
            batch->rows[i / panel * panel * width + j * panel + i % panel] =
                i < n ? data->z[i * width + j] : 0.0;
    for (size_t j = 0; j < wide; j++)
        for (size_t i = 0; i < n; i++)
            batch->columns[j / panel * panel * n + i * panel + j % panel] =
                j < width ? data->z[i * width + j] : 0.0;
    return SF_OK;
}

/* The plain network of a worker, on its own example if trajectories have theirs. */
static sf_status prepare_worker(const sf_batch *batch, batch_worker *worker)
{
    sf_context *context = batch->context;
    const sf_dataset *data = batch->dataset;
    size_t size = batch->d * (size_t)batch->depth;
    worker->context = context;
    if (data->n == 1 && !data->mirrored) {
        SF_TRY(sf_dataset_from_points(context, 1, data->stored, data->z, NULL, &worker->example));
        data = worker->example;
    }
    SF_TRY(sf_network_create_plain(context, data, batch->depth, sf_network_loss(batch->network),
                                   &worker->network));
    worker->theta = sf_alloc_doubles(context, size);
    worker->theta_hat = sf_alloc_doubles(context, size);
    worker->gradient = sf_alloc_doubles(context, size);
    worker->block = sf_alloc_doubles(context, block_size(batch));
    worker->before = sf_alloc_doubles(context, block_size(batch));
    size_t work = batch->kernels && !batch->example
                      ? sf_lanes_work(batch->kernels, data->n, batch->d, data->stored, batch->depth)
                      : 0;
    worker->work = sf_alloc_doubles(context, work);
    return worker->theta && worker->theta_hat && worker->gradient && worker->block && worker->before &&
                   worker->work
               ? SF_OK
               : SF_ERR_MEMORY;
}

static void release_worker(sf_context *context, batch_worker *worker)
{
    sf_network_destroy(&worker->network);
    sf_dataset_destroy(&worker->example);
    sf_free_aligned(context, worker->theta);
    sf_free_aligned(context, worker->theta_hat);
    sf_free_aligned(context, worker->gradient);
    sf_free_aligned(context, worker->block);
    sf_free_aligned(context, worker->before);
    sf_free_aligned(context, worker->work);
}

/* Kernels and sizes. */
static void plan(sf_batch *batch, const sf_batch_spec *spec)
{
    bool single = batch->dataset->n == 1 && !batch->dataset->mirrored;
    bool fits = spec->perturbation.method != SF_METHOD_LP && batch->depth <= SF_LANES_MAX_DEPTH;
    batch->isa = fits ? sf_isa_choose() : SF_ISA_PLAIN;
    batch->kernels = sf_lanes_kernels_of(batch->isa);
    batch->lanes = !batch->kernels ? PLAIN_LANES
                   : single        ? batch->kernels->lanes_single
                                   : batch->kernels->lanes_many;
    batch->blocks = (batch->count + batch->lanes - 1) / batch->lanes;
    bool alike = batch->kernels && single && batch->depth > 1 && batch->depth <= SF_LANES_MAX_EQUAL_DEPTH &&
                 layers_alike(batch, spec->theta);
    batch->kept = alike ? 1 : (size_t)batch->depth;
}

static sf_status build(sf_batch *batch, const sf_batch_spec *spec)
{
    sf_context *context = batch->context;
    plan(batch, spec);
    SF_TRY(sf_pool_create(context, spec->threads, &batch->pool));
    bool single = batch->dataset->n == 1 && !batch->dataset->mirrored;
    size_t all = batch->blocks * batch->lanes, threads = (size_t)sf_pool_threads(batch->pool);
    batch->theta = sf_alloc_doubles(context, batch->blocks * block_size(batch));
    batch->rho = sf_alloc_doubles(context, all);
    batch->eta = sf_alloc_doubles(context, all);
    batch->example = single ? sf_alloc_doubles(context, all * batch->d) : NULL;
    batch->steps = sf_alloc_zero(context, all, sizeof *batch->steps);
    batch->diverged = sf_alloc_zero(context, batch->blocks, sizeof *batch->diverged);
    batch->workers = sf_alloc_zero(context, threads, sizeof *batch->workers);
    if (!batch->theta || !batch->rho || !batch->eta || (single && !batch->example) || !batch->steps ||
        !batch->diverged || !batch->workers)
        return SF_ERR_MEMORY;
    if (batch->kernels && !single)
        SF_TRY(pack_panels(batch));
    for (size_t i = 0; i < threads; i++)
        SF_TRY(prepare_worker(batch, &batch->workers[i]));
    fill_lanes(batch, spec);
    return SF_OK;
}

sf_status sf_batch_create(sf_context *context, const sf_network *network, const sf_batch_spec *given,
                          sf_batch **out)
{
    SF_OUT(context, out);
    sf_batch_spec taken, *spec = &taken;
    SF_TRY(SF_TAKE(context, sf_batch_spec, spec, given));
    SF_TRY(check(context, network, spec));
    sf_batch *batch = SF_NEW(context, sf_batch);
    if (!batch)
        return SF_ERR_MEMORY;
    *batch = (sf_batch){.context = context,
                        .network = network,
                        .dataset = network->dataset,
                        .perturbation = spec->perturbation,
                        .count = spec->count,
                        .d = network->d,
                        .depth = network->depth};
    sf_status status = build(batch, spec);
    if (status != SF_OK) {
        sf_batch_destroy(&batch);
        return status;
    }
    *out = batch;
    return SF_OK;
}

void sf_batch_destroy(sf_batch **batch)
{
    if (!batch || !*batch)
        return;
    sf_batch *b = *batch;
    sf_context *context = b->context;
    for (int i = 0; b->workers && i < sf_pool_threads(b->pool); i++)
        release_worker(context, &b->workers[i]);
    sf_free(context, b->workers);
    sf_pool_destroy(&b->pool);
    sf_watch_destroy(&b->watch);
    sf_free_aligned(context, b->theta);
    sf_free_aligned(context, b->rho);
    sf_free_aligned(context, b->eta);
    sf_free_aligned(context, b->example);
    sf_free_aligned(context, b->rows);
    sf_free_aligned(context, b->columns);
    sf_free(context, b->steps);
    sf_free(context, b->diverged);
    sf_free(context, b);
    *batch = NULL;
}

/* ---- stepping ---------------------------------------------------------------------------------------------- */

typedef struct batch_job {
    sf_batch *batch;
    uint64_t steps;
} batch_job;

static void copy_lane(double *to, const double *from, size_t rows, size_t lanes, size_t lane)
{
    for (size_t k = 0; k < rows; k++)
        to[k * lanes + lane] = from[k * lanes + lane];
}

/* The plain step of one lane, from its theta in `from` to its theta in the block. False if it diverges: a weight or
 * the predictor would not be finite. */
static bool plain_step(sf_batch *batch, batch_worker *worker, size_t block, size_t lane, const double *from)
{
    size_t lanes = batch->lanes, d = batch->d, size = d * (size_t)batch->depth, at = block * lanes + lane;
    for (size_t k = 0; k < size; k++)
        worker->theta[k] = from[(batch->kept == 1 ? k % d : k) * lanes + lane];
    for (size_t j = 0; j < d && worker->example; j++)
        worker->example->z[j] = batch->example[(block * d + j) * lanes + lane];
    sf_perturbation perturbation = batch->perturbation;
    perturbation.rho = batch->rho[at];
    double log_scale;
    sf_perturbed_point(worker->network, &perturbation, worker->theta, worker->theta_hat, NULL);
    sf_network_gradient(worker->network, worker->theta_hat, worker->gradient, &log_scale);
    double factor = batch->eta[at] * exp(log_scale), *theta = batch->theta + block * block_size(batch);
    bool finite = true;
    for (size_t j = 0; j < d; j++) {
        double predictor = 1.0;
        for (int l = 0; l < batch->depth; l++) {
            size_t k = (size_t)l * d + j;
            double next = worker->theta[k] - factor * worker->gradient[k];
            finite &= isfinite(next) != 0;
            predictor *= next;
            if ((size_t)l < batch->kept)
                theta[k * lanes + lane] = next;
        }
        finite &= isfinite(predictor) != 0;
    }
    return finite;
}

static sf_lanes lanes_of(const sf_batch *batch, const batch_worker *worker, size_t block)
{
    return (sf_lanes){.method = batch->perturbation.method,
                      .loss = sf_network_loss(batch->network),
                      .depth = batch->depth,
                      .equal = batch->kept == 1 && batch->depth > 1,
                      .d = batch->d,
                      .stored = batch->dataset->stored,
                      .n = batch->dataset->n,
                      .theta = batch->theta + block * block_size(batch),
                      .rho = batch->rho + block * batch->lanes,
                      .eta = batch->eta + block * batch->lanes,
                      .example = batch->example ? batch->example + block * batch->d * batch->lanes : NULL,
                      .rows = batch->rows,
                      .columns = batch->columns,
                      .work = worker->work};
}

/* The lanes that the kernels cannot be trusted with after `steps` steps; all of them without kernels. */
static sf_lane_mask run_kernels(const sf_batch *batch, const sf_lanes *lanes, uint64_t steps)
{
    if (!batch->kernels)
        return ((sf_lane_mask)1 << batch->lanes) - 1;
    return batch->example ? batch->kernels->single(lanes, steps) : batch->kernels->many(lanes, steps);
}

/* One step with care for each lane: those that diverged stay, those not to be trusted take the plain step. */
static void careful_step(sf_batch *batch, batch_worker *worker, const sf_lanes *lanes, size_t block)
{
    size_t rows = batch->kept * batch->d, width = batch->lanes;
    memcpy(worker->before, lanes->theta, block_size(batch) * sizeof *worker->before);
    sf_lane_mask suspects = run_kernels(batch, lanes, 1);
    for (size_t lane = 0; lane < width; lane++) {
        sf_lane_mask bit = (sf_lane_mask)1 << lane;
        bool moved = !(batch->diverged[block] & bit);
        if (moved && (suspects & bit) && !plain_step(batch, worker, block, lane, worker->before)) {
            batch->diverged[block] |= bit;
            moved = false;
        }
        if (!moved)
            copy_lane(lanes->theta, worker->before, rows, width, lane);
        batch->steps[block * width + lane] += moved;
    }
}

/* At most PIECE steps with all lanes of a block. */
static void take_piece(sf_batch *batch, batch_worker *worker, const sf_lanes *lanes, size_t block,
                       uint64_t steps)
{
    size_t bytes = block_size(batch) * sizeof *batch->theta, width = batch->lanes;
    memcpy(worker->block, lanes->theta, bytes);
    sf_lane_mask resting = batch->diverged[block];
    if (batch->kernels && (run_kernels(batch, lanes, steps) & ~resting) == 0) {
        for (size_t lane = 0; lane < width; lane++)
            if (resting >> lane & 1)
                copy_lane(lanes->theta, worker->block, batch->kept * batch->d, width, lane);
            else
                batch->steps[block * width + lane] += steps;
        return;
    }
    memcpy(lanes->theta, worker->block, bytes);
    for (uint64_t i = 0; i < steps; i++)
        careful_step(batch, worker, lanes, block);
}

static void advance_block(void *argument, size_t block, int number)
{
    const batch_job *job = argument;
    sf_batch *batch = job->batch;
    batch_worker *worker = &batch->workers[number];
    sf_lanes lanes = lanes_of(batch, worker, block);
    uint64_t longest = batch->watch ? 1 : PIECE;
    for (uint64_t done = 0, piece; done < job->steps; done += piece) {
        piece = job->steps - done < longest ? job->steps - done : longest;
        take_piece(batch, worker, &lanes, block, piece);
        if (batch->watch && !sf_watch_look(batch->watch, block, lanes.theta, ~batch->diverged[block],
                                           batch->step + done + piece))
            atomic_store(&batch->short_of_memory, true);
    }
}

sf_status sf_batch_advance(sf_batch *batch, uint64_t steps)
{
    uint64_t weights = (uint64_t)batch->blocks * block_size(batch) * (uint64_t)batch->dataset->n;
    uint64_t slice = SLICE_WORK / (weights + 1) / PIECE * PIECE + PIECE;
    while (steps > 0) {
        if (sf_cancelled(batch->context))
            return sf_fail(batch->context, SF_ERR_CANCELLED, "interrupted after %llu steps",
                           (unsigned long long)batch->step);
        batch_job job = {batch, steps < slice ? steps : slice};
        sf_pool_run(batch->pool, batch->blocks, advance_block, &job);
        if (atomic_load(&batch->short_of_memory))
            return sf_fail(batch->context, SF_ERR_MEMORY, "out of memory: changes of the leading feature");
        batch->step += job.steps;
        steps -= job.steps;
    }
    return SF_OK;
}

sf_status sf_batch_watch(sf_batch *batch, const size_t *minor, const size_t *major)
{
    if (batch->watch || batch->step > 0 || !minor != !major)
        return sf_fail(batch->context, SF_ERR_ARGUMENT,
                       "a batch is watched once, from step 0, with both features of a ratio or none");
    for (size_t i = 0; i < batch->count && minor; i++)
        if (minor[i] >= batch->d || major[i] >= batch->d)
            return sf_fail(batch->context, SF_ERR_ARGUMENT, "trajectory %zu has %zu features", i, batch->d);
    sf_watch_shape shape = {batch->count, batch->blocks, batch->lanes,
                            batch->d,     batch->depth,  (int)batch->kept};
    SF_TRY(sf_watch_create(batch->context, &shape, batch->isa, minor, major, &batch->watch));
    for (size_t block = 0; block < batch->blocks;
         block++) // the first leader is no change: nothing is allocated
        sf_watch_look(batch->watch, block, batch->theta + block * block_size(batch), ~(sf_lane_mask)0, 0);
    return SF_OK;
}

/* ---- what it holds ------------------------------------------------------------------------------------------ */

size_t sf_batch_count(const sf_batch *batch)
{
    return batch->count;
}

uint64_t sf_batch_step(const sf_batch *batch)
{
    return batch->step;
}

bool sf_batch_diverged(const sf_batch *batch, size_t i)
{
    return i < batch->count && batch->diverged[i / batch->lanes] >> (i % batch->lanes) & 1;
}

uint64_t sf_batch_steps(const sf_batch *batch, size_t i)
{
    return i < batch->count ? batch->steps[i] : 0;
}

static double weight_of(const sf_batch *batch, size_t i, int layer, size_t j)
{
    size_t row = (batch->kept == 1 ? 0 : (size_t)layer) * batch->d + j;
    return batch->theta[i / batch->lanes * block_size(batch) + row * batch->lanes + i % batch->lanes];
}

static sf_status check_index(const sf_batch *batch, size_t i)
{
    return i < batch->count
               ? SF_OK
               : sf_fail(batch->context, SF_ERR_ARGUMENT,
                         "there is no trajectory %zu among %zu, counted from 0", i, batch->count);
}

sf_status sf_batch_theta(const sf_batch *batch, size_t i, double *theta)
{
    SF_TRY(check_index(batch, i));
    for (int l = 0; l < batch->depth; l++)
        for (size_t j = 0; j < batch->d; j++)
            theta[(size_t)l * batch->d + j] = weight_of(batch, i, l, j);
    return SF_OK;
}

sf_status sf_batch_predictor(const sf_batch *batch, size_t i, double *beta)
{
    SF_TRY(check_index(batch, i));
    for (size_t j = 0; j < batch->d; j++) {
        beta[j] = weight_of(batch, i, 0, j);
        for (int l = 1; l < batch->depth; l++)
            beta[j] *= weight_of(batch, i, l, j);
    }
    return SF_OK;
}

const sf_batch_lead *sf_batch_leads(const sf_batch *batch, size_t i, size_t *count)
{
    *count = 0;
    return batch->watch && i < batch->count ? sf_watch_leads(batch->watch, i, count) : NULL;
}

double sf_batch_log_excess(const sf_batch *batch, size_t i)
{
    return batch->watch && i < batch->count ? sf_watch_excess(batch->watch, i) : NAN;
}

const char *sf_batch_isa(const sf_batch *batch)
{
    return batch->kernels ? sf_isa_name(batch->isa) : sf_isa_name(SF_ISA_PLAIN);
}
