/* The discrete update theta <- theta - eta grad F(theta + eps(theta)).
 *
 * The plain form calls sf_perturbed_point and sf_network_gradient. The fast form takes the same step in rounds of tasks over chunks
 * of features, each of which does all that it can (network.h tells what take, pass and combine are):
 *   pass | combine: field(theta), norm of the gradient | row weights at theta_hat, take | pass |
 *   combine: field(theta_hat), new theta, its row weights, take
 * By rows a pass reads the data (the second backwards, so that it starts with what is still in cache). By columns it only
 * adds up what the tasks found, and they read the data, each its own columns. The weights are read and written once
 * in each round (step.h). For N = 1 the field is z_1, only its margin at theta_hat is needed, and the passes over the
 * data fall away. Sums over features are taken in chunks of fixed size, added in order: the bits do not depend on the
 * number of threads.
 */
#include <samflow/sam.h>

#include <math.h>
#include <string.h>

#include "base/base.h"
#include "network/network.h"
#include "sam/check.h"
#include "sam/rule.h"
#include "sam/step.h"

/* What the tasks of a pass leave, one entry a chunk. */
typedef struct chunk_sums {
    double square, largest, applied, margin;
    bool finite;
} chunk_sums;

struct sf_descent {
    sf_context *context;
    sf_network *network;
    sf_perturbation perturbation;
    double step_size;
    size_t parameters;
    uint64_t step;
    double applied_norm;
    bool diverged;
    double *theta; // (L, d)
    double *next;  // (L, d)

    double *theta_hat; // (L, d), plain form only

    const sf_step_kernels *kernels; // NULL: the plain form, and nothing below is used
    sf_step pass;
    sf_field_total total; // of the last pass over the data
    size_t chunk, unit;   // features that a task takes, and of these together (network.h)
    size_t chunks;
    bool backward;    // the next round
    chunk_sums *sums; // (chunks)
    double *weights;  // (stored) row weights of theta; NULL for N = 1
    uint64_t takes;   // network->takes when the network had taken them
    double *field;    // (stored) at theta; NULL for N = 1
    double *ascent;   // (stored) at theta_hat; NULL for N = 1
};

const sf_step_kernels *sf_step_kernels_of(sf_isa isa)
{
    switch (isa) {
#ifdef SF_HAVE_X86_KERNELS
    case SF_ISA_AVX2:
        return &sf_step_kernels_avx2;
    case SF_ISA_AVX512:
        return &sf_step_kernels_avx512;
#endif
#ifdef SF_HAVE_NEON_KERNELS
    case SF_ISA_NEON:
        return &sf_step_kernels_neon;
#endif
    default:
        return NULL;
    }
}

/* ---- passes of the fast form: one task a chunk --------------------------------------------------- */

/* Features [begin, end) of a chunk that are taken together. */
typedef struct range {
    size_t begin, end;
} range;

static range first_unit(const sf_descent *descent, size_t chunk)
{
    return (range){chunk * descent->chunk, chunk * descent->chunk};
}

/* False after the last. */
static bool next_unit(const sf_descent *descent, size_t chunk, range *r)
{
    size_t stored = descent->pass.stored, last = (chunk + 1) * descent->chunk;
    last = last < stored ? last : stored;
    r->begin = r->end;
    r->end = last - r->begin < descent->unit ? last : r->begin + descent->unit;
    return r->begin < last;
}

static void combine_and_square(void *argument, size_t chunk, int worker)
{
    (void)worker;
    sf_descent *descent = argument;
    chunk_sums *sums = &descent->sums[chunk];
    sums->square = sums->largest = 0.0;
    for (range r = first_unit(descent, chunk); next_unit(descent, chunk, &r);) {
        if (descent->field)
            sf_field_combine(descent->network, &descent->total, r.begin, r.end, descent->field);
        sums->square += descent->kernels->square(&descent->pass, r.begin, r.end, &sums->largest);
    }
}

static void combine_at_theta(void *argument, size_t chunk, int worker)
{
    (void)worker;
    sf_descent *descent = argument;
    for (range r = first_unit(descent, chunk); next_unit(descent, chunk, &r);)
        sf_field_combine(descent->network, &descent->total, r.begin, r.end, descent->field);
}

static void perturb_chunk(void *argument, size_t chunk, int worker)
{
    (void)worker;
    sf_descent *descent = argument;
    chunk_sums *sums = &descent->sums[chunk];
    sums->applied = sums->margin = 0.0;
    for (range r = first_unit(descent, chunk); next_unit(descent, chunk, &r);) {
        descent->kernels->perturb(&descent->pass, r.begin, r.end, &sums->applied, &sums->margin);
        if (descent->weights)
            sf_field_take(descent->network, r.begin, r.end, descent->weights);
    }
}

static void update_chunk(void *argument, size_t chunk, int worker)
{
    (void)worker;
    sf_descent *descent = argument;
    chunk_sums *sums = &descent->sums[chunk];
    sums->finite = true;
    for (range r = first_unit(descent, chunk); next_unit(descent, chunk, &r);) {
        if (descent->ascent)
            sf_field_combine(descent->network, &descent->total, r.begin, r.end, descent->ascent);
        sums->finite &= descent->kernels->update(&descent->pass, r.begin, r.end);
        if (descent->weights)
            sf_field_take(descent->network, r.begin, r.end, descent->weights);
    }
}

/* Up and down in turns: each round begins with what the one before left in cache. */
static void run_chunks(sf_descent *descent, sf_task_fn task)
{
    sf_pool_run_order(descent->network->pool, descent->chunks, descent->backward, task, descent);
    descent->backward = !descent->backward;
}

/* Sets prescale and scale so that eps = scale * prescale * gradient has norm rho; the gradient may be as
 * small or as large as doubles go. Method GD if it is 0. */
static void normalize(sf_descent *descent)
{
    sf_step *pass = &descent->pass;
    pass->prescale = 1.0;
    for (int attempt = 0; attempt < 2; attempt++) {
        double square = 0.0, largest = 0.0;
        run_chunks(descent, combine_and_square);
        for (size_t i = 0; i < descent->chunks; i++) {
            square += descent->sums[i].square;
            if (!(descent->sums[i].largest <= largest))
                largest = descent->sums[i].largest;
        }
        pass->scale = descent->perturbation.rho / sqrt(square);
        if (largest == 0.0) {
            pass->method = SF_METHOD_GD;
            return;
        }
        if ((square >= 1e-280 && square <= 1e280) || !isfinite(largest))
            return;
        int exponent;
        frexp(largest, &exponent);
        pass->prescale = ldexp(1.0, exponent < -1000 ? 1000 : -exponent);
    }
}

/* log((1/N) sum_n s_n) at the margin of the only example. */
static double log_scale_of_margin(const sf_descent *descent)
{
    double margin = 0.0;
    for (size_t i = 0; i < descent->chunks; i++)
        margin += descent->sums[i].margin;
    return sf_loss_log_slope(sf_network_loss(descent->network), margin);
}

/* log_scale at theta, and for N > 1 the pass that gives the field there. */
static double field_at_theta(sf_descent *descent)
{
    if (descent->field) {
        sf_field_pass(descent->network, descent->weights, false, &descent->total);
        return descent->total.log_scale;
    }
    if (descent->perturbation.method != SF_METHOD_USAM)
        return NAN; // a normalized perturbation does not depend on it
    descent->pass.method = SF_METHOD_GD;
    run_chunks(descent, perturb_chunk);
    return log_scale_of_margin(descent);
}

/* Row weights of theta_hat (N > 1) or its margin (N = 1), and the norm applied. */
static void move_to_theta_hat(sf_descent *descent)
{
    sf_step *pass = &descent->pass;
    double rho = descent->perturbation.rho;
    pass->method = rho == 0.0 ? SF_METHOD_GD : descent->perturbation.method;
    descent->applied_norm = 0.0;
    if (pass->method == SF_METHOD_GD) {
        if (!descent->field)
            run_chunks(descent, perturb_chunk);
        return;
    }
    double log_scale = field_at_theta(descent);
    pass->method = descent->perturbation.method;
    pass->prescale = 1.0;
    pass->scale = rho;
    if (pass->method == SF_METHOD_L2)
        normalize(descent);
    else if (descent->field)
        run_chunks(descent, combine_at_theta);
    if (pass->method == SF_METHOD_USAM)
        pass->scale = rho * exp(log_scale);
    run_chunks(descent, perturb_chunk);
    double applied = 0.0;
    for (size_t i = 0; i < descent->chunks; i++)
        applied += descent->sums[i].applied;
    descent->applied_norm = pass->method == SF_METHOD_LINF ? (applied > 0.0 ? rho : 0.0) : sqrt(applied);
}

/* The last step took the weights of theta already, unless somebody else used the network since. */
static void take_again(sf_descent *descent)
{
    if (!descent->weights || descent->takes == descent->network->takes)
        return;
    sf_field_take_all(descent->network, descent->weights);
    descent->takes = descent->network->takes;
}

/* False if theta would leave the finite numbers; next then holds no point. */
static bool fast_step(sf_descent *descent)
{
    take_again(descent);
    sf_step *pass = &descent->pass;
    pass->theta = descent->theta;
    pass->next = descent->next;
    move_to_theta_hat(descent);
    double log_scale;
    if (descent->field) {
        sf_field_pass(descent->network, descent->weights, true, &descent->total);
        log_scale = descent->total.log_scale;
    } else {
        log_scale = log_scale_of_margin(descent);
    }
    pass->factor = descent->step_size * exp(log_scale);
    run_chunks(descent, update_chunk);
    bool finite = true;
    for (size_t i = 0; i < descent->chunks; i++)
        finite &= descent->sums[i].finite;
    return finite;
}

/* ---- the plain form ------------------------------------------------------------------------------ */

/* Whether the predictor of theta is finite in every coordinate. */
static bool predicts(const sf_descent *descent, const double *theta)
{
    size_t d = (size_t)descent->network->d;
    for (size_t j = 0; j < d; j++) {
        double beta = theta[j];
        for (size_t k = j + d; k < descent->parameters; k += d)
            beta *= theta[k];
        if (!isfinite(beta))
            return false;
    }
    return true;
}

static bool plain_step(sf_descent *descent)
{
    double log_scale;
    sf_perturbed_point(descent->network, &descent->perturbation, descent->theta, descent->theta_hat,
                       &descent->applied_norm);
    sf_network_gradient(descent->network, descent->theta_hat, descent->next, &log_scale);
    double factor = descent->step_size * exp(log_scale);
    bool finite = true;
    for (size_t k = 0; k < descent->parameters; k++) {
        descent->next[k] = descent->theta[k] - factor * descent->next[k];
        finite &= isfinite(descent->next[k]) != 0;
    }
    return finite && predicts(descent, descent->next);
}

/* ---- the run ------------------------------------------------------------------------------------- */

static sf_status prepare_plain(sf_descent *descent)
{
    descent->theta_hat = sf_alloc_doubles(descent->context, descent->parameters);
    return descent->theta_hat ? SF_OK : SF_ERR_MEMORY;
}

static sf_status prepare_fast(sf_descent *descent)
{
    sf_context *context = descent->context;
    const sf_dataset *data = descent->network->dataset;
    descent->chunk = sf_field_chunk(descent->network);
    descent->unit = sf_field_unit(descent->network);
    descent->chunks = (data->stored + descent->chunk - 1) / descent->chunk;
    descent->sums = sf_alloc_zero(context, descent->chunks, sizeof *descent->sums);
    if (!descent->sums)
        return SF_ERR_MEMORY;
    if (data->n > 1) {
        descent->weights = sf_alloc_doubles(context, data->stored);
        descent->field = sf_alloc_doubles(context, data->stored);
        descent->ascent = sf_alloc_doubles(context, data->stored);
        if (!descent->weights || !descent->field || !descent->ascent)
            return SF_ERR_MEMORY;
    }
    descent->pass = (sf_step){.stored = data->stored,
                              .d = descent->network->d,
                              .depth = descent->network->depth,
                              .method = SF_METHOD_GD,
                              .theta = descent->theta,
                              .field = data->n > 1 ? descent->field : data->z,
                              .ascent = data->n > 1 ? descent->ascent : data->z,
                              .weights = descent->weights,
                              .example = data->n > 1 ? NULL : data->z};
    if (descent->weights) {
        run_chunks(descent, perturb_chunk); // with eps = 0: the row weights of theta
        descent->takes = ++descent->network->takes;
    }
    return SF_OK;
}

sf_status sf_descent_create(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                            double step, const double *theta, sf_descent **out)
{
    SF_OUT(context, out);
    SF_TRY(sf_check_run(context, network, perturbation, theta));
    SF_TRY(sf_check_step(context, step));
    sf_descent *descent = SF_NEW(context, sf_descent);
    if (!descent)
        return SF_ERR_MEMORY;
    *descent = (sf_descent){.context = context,
                            .network = network,
                            .perturbation = *perturbation,
                            .step_size = step,
                            .parameters = sf_network_parameters(network),
                            .applied_norm = NAN};
    descent->theta = sf_alloc_doubles(context, descent->parameters);
    descent->next = sf_alloc_doubles(context, descent->parameters);
    if (!descent->theta || !descent->next) {
        sf_descent_destroy(&descent);
        return SF_ERR_MEMORY;
    }
    memcpy(descent->theta, theta, descent->parameters * sizeof *theta);
    bool fused = network->kernels && network->depth <= SF_STEP_MAX_DEPTH &&
                 (perturbation->method != SF_METHOD_LP || perturbation->rho == 0.0);
    descent->kernels = fused ? sf_step_kernels_of(sf_isa_choose()) : NULL;
    if ((descent->kernels ? prepare_fast(descent) : prepare_plain(descent)) != SF_OK) {
        sf_descent_destroy(&descent);
        return SF_ERR_MEMORY;
    }
    *out = descent;
    return SF_OK;
}

void sf_descent_destroy(sf_descent **descent)
{
    if (!descent || !*descent)
        return;
    sf_context *context = (*descent)->context;
    sf_free_aligned(context, (*descent)->theta);
    sf_free_aligned(context, (*descent)->next);
    sf_free_aligned(context, (*descent)->theta_hat);
    sf_free_aligned(context, (*descent)->weights);
    sf_free_aligned(context, (*descent)->field);
    sf_free_aligned(context, (*descent)->ascent);
    sf_free(context, (*descent)->sums);
    sf_free(context, *descent);
    *descent = NULL;
}

sf_status sf_descent_advance(sf_descent *descent, uint64_t steps)
{
    for (uint64_t i = 0; i < steps && !descent->diverged; i++) {
        if (sf_cancelled(descent->context))
            return sf_fail(descent->context, SF_ERR_CANCELLED, "interrupted after %llu steps",
                           (unsigned long long)descent->step);
        if (!(descent->kernels ? fast_step(descent) : plain_step(descent))) {
            descent->diverged = true;
            break;
        }
        double *next = descent->next;
        descent->next = descent->theta;
        descent->theta = next;
        descent->step++;
    }
    return SF_OK;
}

bool sf_descent_diverged(const sf_descent *descent)
{
    return descent->diverged;
}

uint64_t sf_descent_step(const sf_descent *descent)
{
    return descent->step;
}

const double *sf_descent_theta(const sf_descent *descent)
{
    return descent->theta;
}

double sf_descent_applied_norm(const sf_descent *descent)
{
    return descent->applied_norm;
}
