/* Any depth and any smooth method, with the weights themselves as unknowns: the reference for the other models.
 *
 * dw_l/dtau = G_hat * prod_{k != l} w_hat_k, w_hat = w + eps(w). The clock: dtau/ds = q / sqrt(floor^2 + r^2) with
 * r = ||dtheta/dtau|| / (||theta|| + offset), so s is the arc length of log ||theta|| where that changes quickly: the finite
 * blow-up in tau of depth >= 3 and a collapse are approached exponentially and never reached. floor is the rate
 * of a start of size max(|theta(0)|, rho). In odd depth theta = 0 is a point like others, which is passed (offset =
 * that size); in even depth the field leads back to it from all sides (offset = 0).
 * q = n / (n + c / 100), n the gradient's size without its factors, for the normalized methods: n -> 0 at a minimum
 * of the loss, a singular point that is reached at a finite tau.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "flow/model.h"

typedef struct weights_model {
    flow_model base;
    bool normalized;      // eps does not vanish with the gradient
    double floor, offset; // of the clock
    double *start;        // (L, d) theta at time 0
    double *theta_hat;    // (L, d) work
    double *beta;         // (d) work
    double *field;        // (d) work
    double *rate;         // (1 + L d) work
} weights_model;

/* A network of 1e100 is as good as infinite; log t is then beyond 1e100 too. */
static const double LOG_INFINITE = 230.0;

static double norm(size_t n, const double *x)
{
    double high = 0.0, sum = 0.0;
    for (size_t i = 0; i < n; i++)
        high = fmax(high, fabs(x[i]));
    if (!(high > 0.0 && isfinite(high)))
        return high;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] / high) * (x[i] / high);
    return high * sqrt(sum);
}

/* dw (L, d) = field * prod_{k != l} w_hat_k, by prefix products (in dw) and suffix products (in suffix, (d)).
 */
static void leave_one_out(size_t d, int depth, const double *field, const double *w_hat, double *dw,
                          double *suffix)
{
    memcpy(dw, field, d * sizeof *dw);
    for (size_t i = d; i < (size_t)depth * d; i++)
        dw[i] = dw[i - d] * w_hat[i - d];
    for (size_t j = 0; j < d; j++)
        suffix[j] = 1.0;
    for (size_t l = (size_t)depth - 1; l-- > 0;)
        for (size_t j = 0; j < d; j++) {
            suffix[j] *= w_hat[(l + 1) * d + j];
            dw[l * d + j] *= suffix[j];
        }
}

/* ||g|| over ||prod_{k != l} w_k||: the size of the field on the weights that it moves. Uses theta_hat. */
static double field_size(weights_model *model, const double *theta)
{
    flow_model *base = &model->base;
    size_t n = base->size - 1;
    double log_scale;
    sf_network_gradient(base->network, theta, model->theta_hat, &log_scale);
    double gradient = norm(n, model->theta_hat);
    for (size_t j = 0; j < base->d; j++)
        model->field[j] = 1.0;
    leave_one_out(base->d, base->depth, model->field, theta, model->theta_hat, model->beta);
    return gradient > 0.0 ? gradient / norm(n, model->theta_hat) : 0.0;
}

static bool rates(flow_model *base, const double *y, double *dy, flow_clocks *clocks)
{
    weights_model *model = (weights_model *)base;
    size_t n = base->size - 1;
    double log_scale, slow = 1.0;
    if (model->normalized) {
        double size = field_size(model, y + 1);
        slow = size > 0.0 ? size / (size + 0.01 * base->scale) : 1.0;
    }
    sf_perturb(base->network, &base->perturbation, y + 1, model->theta_hat, NULL);
    sf_network_predictor(base->network, model->theta_hat, model->beta);
    sf_network_field(base->network, model->beta, model->field, &log_scale, NULL, NULL);
    leave_one_out(base->d, base->depth, model->field, model->theta_hat, dy + 1, model->beta);
    double size = norm(n, y + 1) + model->offset, rate = size > 0.0 ? norm(n, dy + 1) / size : 0.0;
    double pace = slow / sqrt(model->floor * model->floor + rate * rate);
    for (size_t i = 1; i <= n; i++)
        dy[i] *= pace;
    dy[0] = pace;
    *clocks = (flow_clocks){log(pace), -log_scale};
    return isfinite(log_scale) && isfinite(rate) && pace > 0.0;
}

static void allowance(const flow_model *base, const double *y, double tolerance, double *allowed)
{
    double high = ((const weights_model *)base)->offset;
    for (size_t i = 1; i < base->size; i++)
        high = fmax(high, fabs(y[i]));
    allowed[0] = 0.1 * tolerance * fabs(y[0]) + 1e-3 * tolerance / base->scale;
    for (size_t i = 1; i < base->size; i++)
        allowed[i] = tolerance * (fabs(y[i]) + 1e-3 * high) + DBL_MIN;
}

static void begin(const flow_model *base, double *y)
{
    y[0] = 0.0;
    memcpy(y + 1, ((const weights_model *)base)->start, (base->size - 1) * sizeof *y);
}

static void predictor(const flow_model *base, const double *y, double *beta, double *log_abs_beta)
{
    for (size_t j = 0; j < base->d; j++) {
        double product = 1.0, sum = 0.0;
        for (int l = 0; l < base->depth; l++) {
            product *= y[1 + (size_t)l * base->d + j];
            sum += log(fabs(y[1 + (size_t)l * base->d + j]));
        }
        if (beta)
            beta[j] = product;
        if (log_abs_beta)
            log_abs_beta[j] = sum;
    }
}

static void theta(const flow_model *base, const double *y, double *weights)
{
    memcpy(weights, y + 1, (base->size - 1) * sizeof *y);
}

static double applied_norm(flow_model *base, const double *y)
{
    double applied;
    sf_perturb(base->network, &base->perturbation, y + 1, ((weights_model *)base)->theta_hat, &applied);
    return applied;
}

static sf_flow_state rest(flow_model *base, const double *y, double *remaining)
{
    weights_model *model = (weights_model *)base;
    size_t n = base->size - 1;
    double size = norm(n, y + 1);
    *remaining = 0.0;
    if (base->depth > 2 && base->depth * log(size) > LOG_INFINITE)
        return SF_FLOW_BLOWN_UP;
    if (!model->normalized)
        return SF_FLOW_RUNNING;
    if (!(field_size(model, y + 1) > 1e-12 * base->scale))
        return SF_FLOW_RESTING;
    // theta shrinks to 0 in the time size / speed
    flow_clocks clocks;
    if (size > 1e-10 * base->perturbation.rho || model->offset > 0.0 || !rates(base, y, model->rate, &clocks))
        return SF_FLOW_RUNNING;
    *remaining = size / norm(n, model->rate + 1) * model->rate[0];
    return *remaining < 1e-15 * y[0] ? SF_FLOW_COLLAPSED : SF_FLOW_RUNNING;
}

static void destroy(flow_model *base)
{
    weights_model *model = (weights_model *)base;
    sf_free_aligned(base->context, model->start);
    sf_free_aligned(base->context, model->theta_hat);
    sf_free_aligned(base->context, model->beta);
    sf_free_aligned(base->context, model->field);
    sf_free_aligned(base->context, model->rate);
    sf_free(base->context, model);
}

static const flow_system WEIGHTS = {.name = "weights",
                                    .begin = begin,
                                    .rates = rates,
                                    .allowance = allowance,
                                    .predictor = predictor,
                                    .theta = theta,
                                    .applied_norm = applied_norm,
                                    .rest = rest,
                                    .destroy = destroy};

sf_status flow_weights_create(sf_context *context, const flow_start *start, flow_model **out)
{
    *out = NULL;
    weights_model *model = SF_NEW(context, weights_model);
    if (!model)
        return SF_ERR_MEMORY;
    size_t n = sf_network_parameters(start->network), d = sf_network_features(start->network);
    flow_model_init(&model->base, &WEIGHTS, context, start, 1 + n);
    model->start = sf_alloc_doubles(context, n);
    model->theta_hat = sf_alloc_doubles(context, n);
    model->beta = sf_alloc_doubles(context, d);
    model->field = sf_alloc_doubles(context, d);
    model->rate = sf_alloc_doubles(context, 1 + n);
    if (!model->start || !model->theta_hat || !model->beta || !model->field || !model->rate) {
        destroy(&model->base);
        return SF_ERR_MEMORY;
    }
    memcpy(model->start, start->theta, n * sizeof *start->theta);
    double size = start->perturbation.rho;
    for (size_t i = 0; i < n; i++)
        size = fmax(size, fabs(start->theta[i]));
    size = size > 0.0 ? size : 1.0;
    model->floor = model->base.scale * pow(size, model->base.depth - 2);
    model->offset = model->base.depth % 2 ? size : 0.0;
    model->normalized = !flow_is_gd(&start->perturbation) && start->perturbation.method != SF_METHOD_USAM;
    *out = &model->base;
    return SF_OK;
}
