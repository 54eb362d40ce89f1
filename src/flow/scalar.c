/* One example mu, L = 2, GD, l2-SAM or USAM: the whole flow is one scalar equation (theory, section 3).
 *
 * With u = w_1 + w_2, v = w_1 - w_2 and the perturbation w_hat_1 = w_1 - kappa mu w_2, w_hat_2 = w_2 - kappa
 * mu w_1 (all methods of this kind have that form), u_j = u_j(0) e^{ mu_j tau - mu_j^2 B},  v_j = v_j(0)
 * e^{-mu_j tau - mu_j^2 B},  dB/dtau = kappa, kappa = 0 (GD), rho / n with n^2 = (1/2) sum mu_j^2 (u_j^2 +
 * v_j^2) (l2-SAM), rho s(margin) (USAM). The clock: dtau/ds = n / (n + rho c) / c for l2-SAM with c = max
 * |mu|, so that the collapse n -> 0, which is B -> infinity at a finite tau, is approached exponentially;
 * dtau/ds = 1 / c for the others.
 *
 * Sums over j leave out a common factor e^{shift}, so that amplitudes of e^{-1000} keep their full accuracy.
 * Two vectors of length d are all this keeps. Passes over them run in blocks on the threads of the network.
 */
#include <float.h>
#include <math.h>

#include "flow/model.h"
#include "network/network.h"

typedef struct scalar_model {
    flow_model base;
    const sf_dataset *data;
    sf_loss loss;
    double *u0, *v0;          // (d) at time 0
    struct scalar_sums *part; // (blocks) of the last pass
} scalar_model;

/* Coordinates that are summed up together: blocks are added in their order whichever thread made them, so results do not
 * depend on the number of threads. */
enum { BLOCK = 16384 };

enum { TAU, CLOCK, UNKNOWNS };

static double feature(const scalar_model *model, size_t j)
{
    return flow_entry(model->data, 0, j);
}

static double b_of(const flow_model *base, const double *y)
{
    double c = base->scale;
    return sf_flow_is_gd(&base->perturbation) ? 0.0 : (y[CLOCK] - c * y[TAU]) / (c * c);
}

/* Power sums at (tau, B) without the factor e^{2 shift}: odd[k] = sum mu^{2k+1} (u^2 - v^2), even[k] = sum mu^{2k+2}
 * (u^2 + v^2). All that is needed follows from them: n^2 = even[0] / 2, the margin odd[0] / 4, and with u_hat =
 * u (1 - kappa mu), v_hat = v (1 + kappa mu) the margin at the perturbed point
 * (odd[0] - 2 kappa even[0] + kappa^2 odd[1]) / 4. */
typedef struct scalar_sums {
    double shift, odd[2], even[2];
} scalar_sums;

/* One pass: what it is at, and where its parts go. */
typedef struct scalar_pass {
    const scalar_model *model;
    double tau, b, shift;
    double *beta, *log_abs_beta;
} scalar_pass;

static size_t blocks_of(const scalar_model *model)
{
    return (model->base.d + BLOCK - 1) / BLOCK;
}

static size_t end_of(const scalar_model *model, size_t block)
{
    size_t end = (block + 1) * BLOCK;
    return end < model->base.d ? end : model->base.d;
}

static void run_pass(scalar_pass *pass, sf_task_fn task)
{
    sf_pool_run(pass->model->base.network->pool, blocks_of(pass->model), task, pass);
}

/* The largest exponent of a block into the shift of its part. */
static void find_exponent(void *argument, size_t block, int worker)
{
    (void)worker;
    const scalar_pass *pass = argument;
    const scalar_model *model = pass->model;
    double high = -INFINITY;
    for (size_t j = block * BLOCK; j < end_of(model, block); j++) {
        double mu = feature(model, j), drive = mu * pass->tau, damp = mu * mu * pass->b;
        double u = model->u0[j] != 0.0 ? drive - damp : -INFINITY;
        double v = model->v0[j] != 0.0 ? -drive - damp : -INFINITY;
        high = u > high ? u : high; // comparisons, as calls of fmax take longer than all the rest
        high = v > high ? v : high;
    }
    model->part[block].shift = high;
}

static double amplitude(double start, double exponent)
{
    return start == 0.0 ? 0.0 : start * exp(exponent);
}

/* The sums of a block, one exponential for each amplitude that is not 0. */
static void sum_block(void *argument, size_t block, int worker)
{
    (void)worker;
    const scalar_pass *pass = argument;
    const scalar_model *model = pass->model;
    scalar_sums sums = {.shift = pass->shift};
    for (size_t j = block * BLOCK; j < end_of(model, block); j++) {
        double mu = feature(model, j), square = mu * mu;
        double u = amplitude(model->u0[j], mu * pass->tau - square * pass->b - sums.shift);
        double v = amplitude(model->v0[j], -mu * pass->tau - square * pass->b - sums.shift);
        double odd = mu * (u - v) * (u + v), even = square * (u * u + v * v);
        sums.odd[0] += odd;
        sums.odd[1] += square * odd;
        sums.even[0] += even;
        sums.even[1] += square * even;
    }
    model->part[block] = sums;
}

static scalar_sums sum_up(const scalar_model *model, double tau, double b)
{
    scalar_pass pass = {.model = model, .tau = tau, .b = b, .shift = -INFINITY};
    run_pass(&pass, find_exponent);
    for (size_t i = 0; i < blocks_of(model); i++)
        pass.shift = fmax(pass.shift, model->part[i].shift);
    if (isinf(pass.shift))
        pass.shift = 0.0;
    run_pass(&pass, sum_block);
    scalar_sums sums = {.shift = pass.shift};
    for (size_t i = 0; i < blocks_of(model); i++)
        for (int k = 0; k < 2; k++) {
            sums.odd[k] += model->part[i].odd[k];
            sums.even[k] += model->part[i].even[k];
        }
    return sums;
}

/* n without the factor e^{shift}. */
static double scaled_norm(const scalar_sums *sums)
{
    return sqrt(0.5 * sums->even[0]);
}

/* The margin at the perturbed point; scaled_kappa = kappa e^{shift} stays finite on collapse. */
static double margin_at(const scalar_sums *sums, double scaled_kappa)
{
    double factor = exp(sums->shift);
    return 0.25 * (factor * factor * sums->odd[0] - 2.0 * factor * scaled_kappa * sums->even[0] +
                   scaled_kappa * scaled_kappa * sums->odd[1]);
}

static void begin(const flow_model *base, double *y)
{
    (void)base;
    y[TAU] = y[CLOCK] = 0.0;
}

static bool is_l2(const scalar_model *model)
{
    return model->base.perturbation.method == SF_METHOD_L2 && model->base.perturbation.rho > 0.0;
}

static bool rates(flow_model *base, const double *y, double *dy, flow_clocks *clocks)
{
    const scalar_model *model = (const scalar_model *)base;
    double rho = base->perturbation.rho, c = base->scale;
    double scaled_kappa = 0.0, pace = 1.0 / c; // scaled_kappa = kappa e^{shift}
    scalar_sums sums = sum_up(model, y[TAU], b_of(base, y));
    if (is_l2(model)) {
        double scaled = scaled_norm(&sums), n = exp(sums.shift) * scaled;
        if (scaled > 0.0) {
            scaled_kappa = rho / scaled;
            pace = n / (n + rho * c) / c;
        }
    } else if (!sf_flow_is_gd(&base->perturbation)) {
        double kappa = rho * exp(sf_loss_log_slope(model->loss, margin_at(&sums, 0.0)));
        scaled_kappa = kappa * exp(sums.shift);
        pace = 1.0 / (c + c * c * kappa);
    }
    double margin = margin_at(&sums, scaled_kappa);
    dy[TAU] = pace;
    dy[CLOCK] = 1.0;
    *clocks = (flow_clocks){log(pace), -sf_loss_log_slope(model->loss, margin)};
    return isfinite(margin) && pace > 0.0;
}

static void allowance(const flow_model *base, const double *y, double tolerance, double *allowed)
{
    // an error dtau changes log |u_j| by mu_j dtau + mu_j^2 dB = 2 mu_j dtau at most
    allowed[TAU] = 1e-3 * tolerance / base->scale + 1.0 * DBL_EPSILON * fabs(y[TAU]);
    allowed[CLOCK] = 1.0 + fabs(y[CLOCK]); // exact
}

static void predict_block(void *argument, size_t block, int worker)
{
    (void)worker;
    const scalar_pass *pass = argument;
    const scalar_model *model = pass->model;
    for (size_t j = block * BLOCK; j < end_of(model, block); j++) {
        double mu = feature(model, j), drive = mu * pass->tau, damp = mu * mu * pass->b;
        sf_flow_from_amplitudes(log(fabs(model->u0[j])) + (drive - damp),
                                log(fabs(model->v0[j])) + (-drive - damp), pass->beta ? pass->beta + j : NULL,
                                pass->log_abs_beta ? pass->log_abs_beta + j : NULL);
    }
}

static void predictor(const flow_model *base, const double *y, double *beta, double *log_abs_beta)
{
    scalar_pass pass = {.model = (const scalar_model *)base,
                        .tau = y[TAU],
                        .b = b_of(base, y),
                        .beta = beta,
                        .log_abs_beta = log_abs_beta};
    run_pass(&pass, predict_block);
}

static void theta(const flow_model *base, const double *y, double *weights)
{
    const scalar_model *model = (const scalar_model *)base;
    double b = b_of(base, y);
    for (size_t j = 0; j < base->d; j++) {
        double mu = feature(model, j), square = mu * mu;
        double u = amplitude(model->u0[j], mu * y[TAU] - square * b);
        double v = amplitude(model->v0[j], -mu * y[TAU] - square * b);
        weights[j] = 0.5 * (u + v);
        weights[base->d + j] = 0.5 * (u - v);
    }
}

static double applied_norm(flow_model *base, const double *y)
{
    const scalar_model *model = (const scalar_model *)base;
    double tau = y[TAU], b = b_of(base, y), rho = base->perturbation.rho, sum = 0.0;
    if (sf_flow_is_gd(&base->perturbation))
        return 0.0;
    scalar_sums sums = sum_up(model, tau, b);
    double n = scaled_norm(&sums);
    if (n == 0.0)
        return 0.0;
    if (!is_l2(model))
        return rho * exp(sf_loss_log_slope(model->loss, margin_at(&sums, 0.0)) + sums.shift) * n;
    for (size_t j = 0; j < base->d; j++) {
        double mu = feature(model, j), square = mu * mu;
        double u = rho * (mu * amplitude(model->u0[j], mu * tau - square * b - sums.shift) / n);
        double v = rho * (mu * amplitude(model->v0[j], -mu * tau - square * b - sums.shift) / n);
        sum += 0.5 * (u * u + v * v);
    }
    return sqrt(sum);
}

static sf_flow_state rest(flow_model *base, const double *y, double *remaining)
{
    const scalar_model *model = (const scalar_model *)base;
    if (!is_l2(model))
        return SF_FLOW_RUNNING;
    scalar_sums sums = sum_up(model, y[TAU], b_of(base, y));
    *remaining = 0.0;
    if (sums.even[0] == 0.0)
        return SF_FLOW_RESTING; // g = 0 from the start: eps = 0 and nothing moves
    // near the end tau stands still while n falls like e^{-rate B}
    double n = exp(sums.shift) * scaled_norm(&sums), rate = sums.even[1] / sums.even[0];
    *remaining = n / (base->perturbation.rho * rate);
    return *remaining < 1e-17 * y[TAU] ? SF_FLOW_COLLAPSED : SF_FLOW_RUNNING;
}

static void destroy(flow_model *base)
{
    scalar_model *model = (scalar_model *)base;
    sf_free_aligned(base->context, model->u0);
    sf_free_aligned(base->context, model->v0);
    sf_free(base->context, model->part);
    sf_free(base->context, model);
}

static const flow_system SCALAR = {.name = "scalar",
                                   .begin = begin,
                                   .rates = rates,
                                   .allowance = allowance,
                                   .predictor = predictor,
                                   .theta = theta,
                                   .applied_norm = applied_norm,
                                   .rest = rest,
                                   .destroy = destroy};

sf_status sf_flow_scalar_create(sf_context *context, const flow_start *start, flow_model **out)
{
    *out = NULL;
    const sf_dataset *data = sf_network_dataset(start->network);
    sf_method method = start->perturbation.method;
    bool fits = data->n == 1 && sf_network_depth(start->network) == 2 &&
                (sf_flow_is_gd(&start->perturbation) || method == SF_METHOD_L2 || method == SF_METHOD_USAM);
    if (!fits)
        return SF_OK;
    scalar_model *model = SF_NEW(context, scalar_model);
    if (!model)
        return SF_ERR_MEMORY;
    sf_flow_model_init(&model->base, &SCALAR, context, start, UNKNOWNS);
    model->data = data;
    model->loss = sf_network_loss(start->network);
    size_t d = model->base.d;
    model->u0 = sf_alloc_doubles(context, d);
    model->v0 = sf_alloc_doubles(context, d);
    model->part = SF_ARRAY(context, blocks_of(model), scalar_sums);
    if (!model->u0 || !model->v0 || !model->part) {
        destroy(&model->base);
        return SF_ERR_MEMORY;
    }
    for (size_t j = 0; j < d; j++) {
        model->u0[j] = start->theta[j] + start->theta[d + j];
        model->v0[j] = start->theta[j] - start->theta[d + j];
    }
    *out = &model->base;
    return SF_OK;
}
