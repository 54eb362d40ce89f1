/* Any depth and any smooth method, with the weights themselves as unknowns: the reference for the other models.
 *
 * dw_l/dtau = G_hat * prod_{k != l} w_hat_k, w_hat = w + eps(w). The clock: dtau/ds = 1 / sqrt((q floor)^2 + r^2) with
 * r = ||dtheta/dtau|| / (||theta|| + offset), so s is the arc length of log ||theta|| where that changes quickly: the finite
 * blow-up in tau of depth >= 3 and a collapse are approached exponentially and never reached. floor is the rate
 * of a start of size max(|theta(0)|, rho).
 *
 * The normalized methods are singular where the gradient is 0:
 *
 * at a minimum of the loss, which is reached at a finite tau: q = 1 + c / (100 n), n the gradient's size without its
 * factors;
 *
 * layers of equal size, at theta = 0. In odd depth it is a point like others, which is passed (offset = that size); in even
 * depth the field leads back to it from all sides (offset = 0);
 *
 * layers of unequal size, depth >= 3, wherever two layers of every coordinate are 0. With r the size of those that vanish,
 * r' = -rho (product of the others) + O(r): the field leads back from all sides, and r = 0 is reached at a finite tau, a
 * collapse with the other layers where they are. The coordinates die at different rates before, and all they do to eps
 * depends on the ratios of what vanishes. So with h_l = prod_{k != l} w_k of a coordinate, which is 0 iff two of its layers
 * are, the rates ||dh/dtau|| / ||h|| of all of them count in the clock beside r (s is then arc length of log ||h|| too),
 * and errors are measured by the second smallest layer of each. Coordinates below ||h|| = DEAD stop where they are.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "flow/model.h"
#include "sam/rule.h"

typedef struct weights_model {
    flow_model base;
    bool normalized;      // eps does not vanish with the gradient
    double size;          // of the start: max(|theta(0)|, rho)
    double floor, offset; // of the clock
    bool *without_data;   // (d) features that no example has
    signed char *watched; // (d) vanishing: coordinates that die without passing 0, else NULL
    double seen_field;    // size of the field on what it moves, of the last rates
    bool collapsed;       // as far as rest knows
    double *start;        // (L, d) theta at time 0
    double *theta_hat;    // (L, d) work
    double *beta;         // (d) work
    double *field;        // (d) work
    double *rate;         // (1 + L d) work
} weights_model;

/* A network of 1e100 is as good as infinite; log t is then beyond 1e100 too. */
static const double LOG_INFINITE = 230.0;
/* The norm of all L d weights says that sooner, much sooner where L is large: some beta_j must be as large too. */
static const double LOG_INFINITE_FEATURE = 200.0;
/* A coordinate with ||h|| of this, in units of the start, has no effect on anything. */
static const double DEAD = 1e-250, DEAD_STIFF = 1e-40 /* several examples: BDF pays for every decade */;

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

/* ||g|| without its factor. Uses theta_hat. */
static double gradient_size(weights_model *model, const double *theta)
{
    double log_scale;
    sf_network_gradient(model->base.network, theta, model->theta_hat, &log_scale);
    return norm(model->base.size - 1, model->theta_hat);
}

/* ||g|| over ||prod_{k != l} w_k||: the size of the field on the weights that it moves; a feature that no example has
 * moves none. Uses theta_hat. */
static double field_size(weights_model *model, const double *theta, double gradient)
{
    flow_model *base = &model->base;
    size_t n = base->size - 1;
    for (size_t j = 0; j < base->d; j++)
        model->field[j] = model->without_data[j] ? 0.0 : 1.0;
    leave_one_out(base->d, base->depth, model->field, theta, model->theta_hat, model->beta);
    return gradient > 0.0 ? gradient / norm(n, model->theta_hat) : 0.0;
}

/* The root mean square of G over the gradient: unlike field_size it is not small where a coordinate that passes 0 is the
 * only one that moves and the others, however large, have next to no data. Uses theta_hat, beta and field. */
static double driving_field(weights_model *model, const double *theta)
{
    flow_model *base = &model->base;
    double log_scale, high = 0.0, sum = 0.0, weighted = 0.0;
    sf_network_gradient(base->network, theta, model->theta_hat, &log_scale);
    sf_network_predictor(base->network, theta, model->beta);
    sf_network_field(base->network, model->beta, model->field, &log_scale, NULL, NULL);
    for (size_t i = 0; i + 1 < base->size; i++)
        high = fmax(high, fabs(model->theta_hat[i]));
    for (size_t i = 0; i + 1 < base->size && high > 0.0; i++) {
        double share = (model->theta_hat[i] / high) * (model->theta_hat[i] / high);
        sum += share;
        weighted += share * model->field[i % base->d] * model->field[i % base->d];
    }
    return sum > 0.0 ? sqrt(weighted / sum) : 0.0;
}

/* log max_j |beta_j| */
static double log_largest_beta(const weights_model *model, const double *w)
{
    double largest = -INFINITY;
    for (size_t j = 0; j < model->base.d; j++) {
        double sum = 0.0;
        for (int l = 0; l < model->base.depth; l++)
            sum += log(fabs(w[(size_t)l * model->base.d + j]));
        largest = fmax(largest, sum);
    }
    return largest;
}

/* ||h|| of coordinate j, and ||dh/dtau|| if dw is given. */
static double product_size(const weights_model *model, const double *w, const double *dw, size_t j,
                           double *speed)
{
    size_t d = model->base.d, depth = (size_t)model->base.depth;
    double size = 0.0, moved = 0.0;
    for (size_t l = 0; l < depth; l++) {
        double product = 1.0, change = 0.0;
        for (size_t k = 0; k < depth; k++) {
            if (k == l)
                continue;
            if (dw)
                change = change * w[k * d + j] + product * dw[k * d + j];
            product *= w[k * d + j];
        }
        size = hypot(size, product);
        moved = hypot(moved, change);
    }
    *speed = moved;
    return size;
}

/* What the coordinates that die add to the rate of the clock; those that are dead stop. */
static double watch(const weights_model *model, const double *y, double *dy)
{
    size_t d = model->base.d, depth = (size_t)model->base.depth;
    double limit = (model->base.stiff ? DEAD_STIFF : DEAD) * flow_power(model->size, model->base.depth - 1),
           sum = 0.0;
    for (size_t j = 0; j < d; j++) {
        double speed, size = model->watched[j] ? product_size(model, y + 1, dy + 1, j, &speed) : INFINITY;
        if (size < limit)
            for (size_t l = 0; l < depth; l++)
                dy[1 + l * d + j] = 0.0;
        else if (model->watched[j])
            sum += flow_power(speed / size, 4);
    }
    return sqrt(sqrt(sum));
}

static bool rates(flow_model *base, const double *y, double *dy, flow_clocks *clocks)
{
    weights_model *model = (weights_model *)base;
    size_t n = base->size - 1;
    double log_scale, brake = 0.0;
    if (model->normalized) {
        double gradient = gradient_size(model, y + 1), size = field_size(model, y + 1, gradient);
        model->seen_field = size;
        brake = size > 0.0 ? 0.01 * base->scale / size : 0.0;
    }
    sf_perturbed_point(base->network, &base->perturbation, y + 1, model->theta_hat, NULL);
    sf_network_predictor(base->network, model->theta_hat, model->beta);
    sf_network_field(base->network, model->beta, model->field, &log_scale, NULL, NULL);
    leave_one_out(base->d, base->depth, model->field, model->theta_hat, dy + 1, model->beta);
    double size = norm(n, y + 1) + model->offset, rate = size > 0.0 ? norm(n, dy + 1) / size : 0.0;
    if (model->watched)
        rate += watch(model, y, dy);
    double pace = 1.0 / hypot(model->floor * (1.0 + brake), rate);
    for (size_t i = 1; i <= n; i++)
        dy[i] *= pace;
    dy[0] = pace;
    *clocks = (flow_clocks){log(pace), -log_scale};
    return isfinite(log_scale) && isfinite(rate) && pace > 0.0;
}

/* What errors of coordinate j are measured by: its second smallest layer where it may die, else the largest weight. */
static double scale_of(const weights_model *model, const double *y, size_t j, double largest)
{
    double first = INFINITY, second = INFINITY;
    if (!model->watched || !model->watched[j])
        return largest;
    for (size_t l = 0; l < (size_t)model->base.depth; l++) {
        double w = fabs(y[1 + l * model->base.d + j]);
        second = fmin(second, fmax(first, w));
        first = fmin(first, w);
    }
    return second;
}

static void allowance(const flow_model *base, const double *y, double tolerance, double *allowed)
{
    const weights_model *model = (const weights_model *)base;
    double high = model->offset;
    for (size_t i = 1; i < base->size; i++)
        high = fmax(high, fabs(y[i]));
    // tau is of the size 1 / floor from small starts of deep networks
    double rate = model->floor < 1e-6 * base->scale ? model->floor : base->scale;
    allowed[0] = 0.1 * tolerance * fabs(y[0]) + 1e-3 * tolerance / rate;
    // near a minimum of the loss the field is a difference of what cancels, and eps as uncertain as that
    if (model->watched && model->seen_field > 0.0)
        tolerance = fmax(tolerance, 100.0 * DBL_EPSILON * base->scale / model->seen_field);
    for (size_t i = 1; i < base->size; i++)
        allowed[i] = tolerance * (fabs(y[i]) + 1e-3 * scale_of(model, y, (i - 1) % base->d, high)) + DBL_MIN;
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
    const weights_model *model = (const weights_model *)base;
    for (size_t i = 0; i + 1 < base->size; i++)
        weights[i] = model->collapsed && fabs(y[1 + i]) < 1e-10 * model->size ? 0.0 : y[1 + i];
}

static double applied_norm(flow_model *base, const double *y)
{
    double applied;
    sf_perturbed_point(base->network, &base->perturbation, y + 1, ((weights_model *)base)->theta_hat,
                       &applied);
    return applied;
}

/* Layers of unequal size: whether the gradient falls to 0 in next to no time, as two layers of every coordinate do. */
static sf_flow_state vanishes(weights_model *model, const double *y, double gradient, double *remaining)
{
    flow_model *base = &model->base;
    flow_clocks clocks;
    if (gradient > 1e-10 * model->floor * model->size || !rates(base, y, model->rate, &clocks))
        return SF_FLOW_RUNNING;
    double part = 1e-3; // of the clock's unit
    for (size_t i = 1; i < base->size; i++)
        model->rate[i] = y[i] + part * model->rate[i];
    double fall = (gradient - gradient_size(model, model->rate + 1)) / (part * model->rate[0]);
    *remaining = gradient / fall;
    model->collapsed = fall > 0.0 && *remaining < 1e-15 * y[0];
    return model->collapsed ? SF_FLOW_COLLAPSED : SF_FLOW_RUNNING;
}

static sf_flow_state rest(flow_model *base, const double *y, double *remaining)
{
    weights_model *model = (weights_model *)base;
    size_t n = base->size - 1;
    double size = norm(n, y + 1);
    *remaining = 0.0;
    if (base->depth > 2 && base->depth * log(size) > LOG_INFINITE &&
        log_largest_beta(model, y + 1) > LOG_INFINITE_FEATURE)
        return SF_FLOW_BLOWN_UP;
    if (!model->normalized)
        return SF_FLOW_RUNNING;
    double gradient = gradient_size(model, y + 1);
    if (!(field_size(model, y + 1, gradient) > 1e-12 * base->scale) &&
        !(driving_field(model, y + 1) > 1e-12 * base->scale))
        return SF_FLOW_RESTING;
    if (model->watched)
        return vanishes(model, y, gradient, remaining);
    // theta shrinks to 0 in the time size / speed
    flow_clocks clocks;
    if (size > 1e-10 * base->perturbation.rho || model->offset > 0.0 || !rates(base, y, model->rate, &clocks))
        return SF_FLOW_RUNNING;
    *remaining = size / norm(n, model->rate + 1) * model->rate[0];
    model->collapsed = *remaining < 1e-15 * y[0];
    return model->collapsed ? SF_FLOW_COLLAPSED : SF_FLOW_RUNNING;
}

static void destroy(flow_model *base)
{
    weights_model *model = (weights_model *)base;
    sf_free_aligned(base->context, model->start);
    sf_free_aligned(base->context, model->theta_hat);
    sf_free_aligned(base->context, model->beta);
    sf_free_aligned(base->context, model->field);
    sf_free_aligned(base->context, model->rate);
    sf_free(base->context, model->watched);
    sf_free(base->context, model->without_data);
    sf_free(base->context, model);
}

static const flow_system WEIGHTS = {.name = "weights",
                                    .collapses_elsewhere = true,
                                    .begin = begin,
                                    .rates = rates,
                                    .allowance = allowance,
                                    .predictor = predictor,
                                    .theta = theta,
                                    .applied_norm = applied_norm,
                                    .rest = rest,
                                    .destroy = destroy};

/* Whether the layers have weights of the same size in coordinate j; they then keep that. */
static bool is_equal(const flow_start *start, size_t d, size_t j)
{
    for (int l = 1; l < sf_network_depth(start->network); l++)
        if (fabs(start->theta[(size_t)l * d + j]) != fabs(start->theta[j]))
            return false;
    return true;
}

static bool all_equal(const flow_start *start, size_t d)
{
    for (size_t j = 0; j < d; j++)
        if (!is_equal(start, d, j))
            return false;
    return true;
}

static void find_empty_features(weights_model *model)
{
    const sf_dataset *data = sf_network_dataset(model->base.network);
    for (size_t j = 0; j < model->base.d; j++) {
        model->without_data[j] = true;
        for (size_t i = 0; i < data->n && model->without_data[j]; i++)
            model->without_data[j] = flow_entry(data, i, j) == 0.0;
    }
}

sf_status sf_flow_weights_create(sf_context *context, const flow_start *start, flow_model **out)
{
    *out = NULL;
    weights_model *model = SF_NEW(context, weights_model);
    if (!model)
        return SF_ERR_MEMORY;
    size_t n = sf_network_parameters(start->network), d = sf_network_features(start->network);
    sf_flow_model_init(&model->base, &WEIGHTS, context, start, 1 + n);
    model->start = sf_alloc_doubles(context, n);
    model->theta_hat = sf_alloc_doubles(context, n);
    model->beta = sf_alloc_doubles(context, d);
    model->field = sf_alloc_doubles(context, d);
    model->rate = sf_alloc_doubles(context, 1 + n);
    model->without_data = SF_ARRAY(context, d, bool);
    if (!model->without_data || !model->start || !model->theta_hat || !model->beta || !model->field ||
        !model->rate) {
        destroy(&model->base);
        return SF_ERR_MEMORY;
    }
    memcpy(model->start, start->theta, n * sizeof *start->theta);
    find_empty_features(model);
    double size = start->perturbation.rho;
    if (model->base.depth == 1) // there margins are of size 1 at weights of 1 / scale, whatever the start
        size = fmax(size, 1.0 / model->base.scale);
    for (size_t i = 0; i < n; i++)
        size = fmax(size, fabs(start->theta[i]));
    size = size > 0.0 ? size : 1.0;
    model->floor = fmax(model->base.scale * pow(size, model->base.depth - 2), DBL_MIN);
    model->offset = model->base.depth % 2 ? size : 0.0;
    model->size = size;
    model->normalized =
        !sf_flow_is_gd(&start->perturbation) && sf_method_is_bounded(start->perturbation.method);
    if (model->normalized && model->base.depth > 2 && !all_equal(start, d)) {
        model->offset = size;
        if (!(model->watched = SF_ARRAY(context, d, signed char))) {
            destroy(&model->base);
            return SF_ERR_MEMORY;
        }
        for (size_t j = 0; j < d; j++) // layers of equal size pass 0 in odd depth
            model->watched[j] = model->base.depth % 2 == 0 || !is_equal(start, d, j);
    }
    *out = &model->base;
    return SF_OK;
}
