/* L = 2 with GD, l2-SAM or USAM and any number of examples: amplitudes as logarithms.
 *
 * With u = w_1 + w_2, v = w_1 - w_2, G and G_hat the fields sum_n p_n z_n at the point and at the perturbed
 * point, and eps_1 = -kappa G w_2, eps_2 = -kappa G w_1 (all methods of this kind have that form), d
 * log|u_j|/dtau = G_hat_j (1 - kappa G_j),   d log|v_j|/dtau = -G_hat_j (1 + kappa G_j): u and v keep their
 * signs. The unknowns are a_j = int G_hat_j dtau and, unless kappa = 0, b_j = int kappa G_hat_j G_j dtau:
 *   log|u_j| = log|u_j(0)| + a_j - b_j,  log|v_j| = log|v_j(0)| - a_j - b_j,
 * Where one of the two is 0 in every coordinate, layers equal or opposite, one unknown a coordinate does: the growth
 * log|u_j / u_j(0)| or log|v_j / v_j(0)| of the other. Both ways log|u_j| and log|v_j| keep everything,
 * so that beta_j = (u_j^2 - v_j^2)/4 has its full accuracy also where it starts at 0, and where it decays.
 * kappa = rho / n, n^2 = (1/2) sum G_j^2 (u_j^2 + v_j^2) (l2-SAM); rho S at the unperturbed point (USAM).
 * The clock is that of scalar.c.
 */
#include <math.h>
#include <string.h>

#include "flow/model.h"
#include "flow/softmax.h"

typedef struct amplitude_model {
    flow_model base;
    bool l2, usam;
    bool damped;                      // b is kept
    bool single;                      // u_j or v_j is 0 for every j: y[1 + j] is the growth of the other
    double seen_norm, seen_shift;     // of the last rates: n without its factor, and the log of that factor
    double *log_u0, *log_v0;          // (d) log |u|, log |v| at time 0
    double *start;                    // (2, d) theta at time 0, for the signs
    double *u, *v;                    // (d) work: amplitudes without the common factor
    double *beta, *field, *field_hat; // (d) work
    // several examples: the derivative of rates at the state last linearized at
    flow_softmax *here, *there;  // of the point and of the perturbed point
    double factor, kappa, norm;  // e^{shift}; norm without it
    double *change, *field_turn; // (d) work: of beta, of field
} amplitude_model;

/* With x = y[1 + j] and b = y[1 + d + j], or the same of a direction: what log|u_j| grows by. */
static double growth_of_u(const amplitude_model *model, const double *y, size_t j)
{
    return model->damped ? y[1 + j] - y[1 + model->base.d + j] : y[1 + j];
}

static double growth_of_v(const amplitude_model *model, const double *y, size_t j)
{
    return model->single ? y[1 + j] : model->damped ? -y[1 + j] - y[1 + model->base.d + j] : -y[1 + j];
}

static double log_u(const amplitude_model *model, const double *y, size_t j)
{
    return model->log_u0[j] + growth_of_u(model, y, j);
}

static double log_v(const amplitude_model *model, const double *y, size_t j)
{
    return model->log_v0[j] + growth_of_v(model, y, j);
}

/* What is kept of the rates drive and damp of a_j and b_j. */
static void keep(const amplitude_model *model, double *dy, size_t j, double drive, double damp)
{
    dy[1 + j] = !model->single ? drive : (isinf(model->log_u0[j]) ? -drive : drive) - damp;
    if (model->damped)
        dy[1 + model->base.d + j] = damp;
}

/* Fills u, v without their common factor e^{shift}, which is returned. */
static double amplitudes(amplitude_model *model, const double *y)
{
    double shift = -INFINITY;
    for (size_t j = 0; j < model->base.d; j++) {
        model->u[j] = log_u(model, y, j);
        model->v[j] = log_v(model, y, j);
        shift = fmax(shift, fmax(model->u[j], model->v[j]));
    }
    if (isinf(shift))
        shift = 0.0;
    for (size_t j = 0; j < model->base.d; j++) {
        model->u[j] = exp(model->u[j] - shift);
        model->v[j] = exp(model->v[j] - shift);
    }
    return shift;
}

/* ||(G w_1, G w_2)||_2 without the common factor. */
static double gradient_norm(const amplitude_model *model)
{
    double sum = 0.0;
    for (size_t j = 0; j < model->base.d; j++)
        sum += model->field[j] * model->field[j] * (model->u[j] * model->u[j] + model->v[j] * model->v[j]);
    return sqrt(0.5 * sum);
}

/* field at the predictor of amplitudes u (1 - kappa G), v (1 + kappa G), with factor = e^{shift} and scaled =
 * kappa e^{shift}; returns log S there. */
static double field_at(amplitude_model *model, double factor, double scaled, double *field)
{
    double log_scale;
    for (size_t j = 0; j < model->base.d; j++) {
        double step = scaled != 0.0 ? scaled * model->field[j] : 0.0;
        double u = model->u[j] * (factor - step), v = model->v[j] * (factor + step);
        model->beta[j] = 0.25 * (u - v) * (u + v);
    }
    sf_network_field(model->base.network, model->beta, field, &log_scale, NULL, NULL);
    return log_scale;
}

static bool rates(flow_model *base, const double *y, double *dy, flow_clocks *clocks)
{
    amplitude_model *model = (amplitude_model *)base;
    size_t d = base->d;
    double rho = base->perturbation.rho, c = base->scale, shift = amplitudes(model, y), factor = exp(shift);
    double log_scale = field_at(model, factor, 0.0, model->field), pace = 1.0 / c, damp = 0.0;
    const double *field_hat = model->field;
    if (model->l2 || model->usam) {
        double norm = gradient_norm(model), scaled = 0.0; // kappa e^{shift}
        model->seen_norm = norm;
        model->seen_shift = shift;
        if (model->l2 && norm > 0.0) {
            scaled = rho / norm;
            pace = norm * factor / (norm * factor + rho * c) / c;
            damp = rho / (norm * factor + rho * c) / c; // kappa dtau/ds
        } else if (model->usam) {
            scaled = rho * exp(log_scale) * factor;
            damp = rho * exp(log_scale) * pace;
        }
        log_scale = field_at(model, factor, scaled, model->field_hat);
        field_hat = model->field_hat;
    }
    for (size_t j = 0; j < d; j++)
        keep(model, dy, j, pace * field_hat[j], damp * field_hat[j] * model->field[j]);
    dy[0] = pace;
    *clocks = (flow_clocks){log(pace), -log_scale};
    return isfinite(log_scale) && pace > 0.0 && factor < 1e150;
}

/* ---- the derivative of rates --------------------------------------------------------------------------------- */

static bool linearize(flow_model *base, const double *y)
{
    amplitude_model *model = (amplitude_model *)base;
    double rho = base->perturbation.rho, log_scale;
    model->factor = exp(amplitudes(model, y));
    log_scale = field_at(model, model->factor, 0.0, model->field);
    sf_flow_softmax_at(model->here, model->beta);
    model->norm = gradient_norm(model);
    model->kappa = model->usam                      ? rho * exp(log_scale)
                   : model->l2 && model->norm > 0.0 ? rho / (model->norm * model->factor)
                                                    : 0.0;
    field_at(model, model->factor, model->kappa * model->factor, model->field_hat);
    sf_flow_softmax_at(model->there, model->beta);
    return isfinite(log_scale) && model->factor < 1e150;
}

/* The turn of log n, of field beside it. */
static double norm_turn(const amplitude_model *model, const double *direction)
{
    double sum = 0.0;
    for (size_t j = 0; j < model->base.d; j++) {
        double g = model->field[j], u2 = model->u[j] * model->u[j], v2 = model->v[j] * model->v[j];
        double du = growth_of_u(model, direction, j), dv = growth_of_v(model, direction, j);
        sum += g * (model->field_turn[j] * (u2 + v2) + g * (u2 * du + v2 * dv));
    }
    return model->norm > 0.0 ? 0.5 * sum / (model->norm * model->norm) : 0.0;
}

/* In a direction (dtau, da, db) with du = d log|u|, dv = d log|v|: d/dtau has no part, dbeta = (u^2 du - v^2 dv) / 2 and so
 * on by the chain rule through p, G, n, kappa, u_hat, p_hat, G_hat. */
static void tangent(flow_model *base, const double *direction, double *turn)
{
    amplitude_model *model = (amplitude_model *)base;
    size_t d = base->d;
    double rho = base->perturbation.rho, c = base->scale, square = model->factor * model->factor;
    for (size_t j = 0; j < d; j++) {
        double u2 = model->u[j] * model->u[j], v2 = model->v[j] * model->v[j];
        model->change[j] =
            0.5 * square * (u2 * growth_of_u(model, direction, j) - v2 * growth_of_v(model, direction, j));
    }
    double scale_turn = sf_flow_softmax_turn(model->here, model->change, model->field_turn);
    if (!model->l2 && !model->usam) {
        turn[0] = 0.0;
        for (size_t j = 0; j < d; j++)
            keep(model, turn, j, model->field_turn[j] / c, 0.0);
        return;
    }
    double n = model->norm * model->factor, log_n = model->l2 ? norm_turn(model, direction) : 0.0;
    double kappa = model->kappa, kappa_turn = kappa * (model->l2 ? -log_n : scale_turn);
    double pace = model->l2 ? n / (n + rho * c) / c : 1.0 / c,
           damp = model->l2 ? rho / (n + rho * c) / c : kappa / c;
    double pace_turn = model->l2 ? pace * log_n * rho * c / (n + rho * c) : 0.0;
    double damp_turn = model->l2 ? -damp * log_n * n / (n + rho * c) : kappa_turn / c;
    for (size_t j = 0; j < d; j++) {
        double u = model->factor * model->u[j], v = model->factor * model->v[j], g = model->field[j];
        double u_hat = u * (1.0 - kappa * g), v_hat = v * (1.0 + kappa * g);
        double shift = kappa_turn * g + kappa * model->field_turn[j];
        double du = growth_of_u(model, direction, j), dv = growth_of_v(model, direction, j);
        model->change[j] = 0.5 * (u_hat * (u_hat * du - u * shift) - v_hat * (v_hat * dv + v * shift));
    }
    sf_flow_softmax_turn(model->there, model->change, model->change); // of field_hat
    turn[0] = pace_turn;
    for (size_t j = 0; j < d; j++) {
        double g = model->field[j], g_hat = model->field_hat[j], g_hat_turn = model->change[j];
        keep(model, turn, j, pace_turn * g_hat + pace * g_hat_turn,
             damp_turn * g_hat * g + damp * (g_hat_turn * g + g_hat * model->field_turn[j]));
    }
}

static void allowance(const flow_model *base, const double *y, double tolerance, double *allowed)
{
    if (((const amplitude_model *)base)->single)
        tolerance *= 0.25; // of the growth itself, where else its two parts share it
    allowed[0] = tolerance / base->scale + 1e-15 * fabs(y[0]);
    for (size_t i = 1; i < base->size; i++)
        allowed[i] = tolerance + 1e-15 * fabs(y[i]);
}

static void begin(const flow_model *base, double *y)
{
    memset(y, 0, base->size * sizeof *y);
}

static void predictor(const flow_model *base, const double *y, double *beta, double *log_abs_beta)
{
    const amplitude_model *model = (const amplitude_model *)base;
    for (size_t j = 0; j < base->d; j++)
        sf_flow_from_amplitudes(log_u(model, y, j), log_v(model, y, j), beta ? beta + j : NULL,
                                log_abs_beta ? log_abs_beta + j : NULL);
}

static void theta(const flow_model *base, const double *y, double *weights)
{
    const amplitude_model *model = (const amplitude_model *)base;
    size_t d = base->d;
    for (size_t j = 0; j < d; j++) {
        double u = copysign(exp(log_u(model, y, j)), model->start[j] + model->start[d + j]);
        double v = copysign(exp(log_v(model, y, j)), model->start[j] - model->start[d + j]);
        weights[j] = 0.5 * (u + v);
        weights[d + j] = 0.5 * (u - v);
    }
}

static double applied_norm(flow_model *base, const double *y)
{
    amplitude_model *model = (amplitude_model *)base;
    double rho = base->perturbation.rho, sum = 0.0;
    if (!model->l2 && !model->usam)
        return 0.0;
    double factor = exp(amplitudes(model, y)), log_scale = field_at(model, factor, 0.0, model->field);
    double norm = gradient_norm(model);
    if (norm == 0.0)
        return 0.0;
    if (model->usam)
        return rho * exp(log_scale) * norm * factor;
    for (size_t j = 0; j < base->d; j++) {
        double u = rho * (model->field[j] * model->u[j] / norm),
               v = rho * (model->field[j] * model->v[j] / norm);
        sum += 0.5 * (u * u + v * v);
    }
    return sqrt(sum);
}

/* l2-SAM: n -> 0 at a finite tau, at theta = 0 (collapse) or where the gradient vanishes on the weights that
 * are left (data that are not separable). There n falls at the rate rho sum G^3 G_hat (u^2 + v^2) / sum G^2
 * (u^2 + v^2). */
static sf_flow_state rest(flow_model *base, const double *y, double *remaining)
{
    amplitude_model *model = (amplitude_model *)base;
    if (!model->l2)
        return SF_FLOW_RUNNING;
    if (model->seen_norm > 1e-10 * base->scale && model->seen_shift > log(base->perturbation.rho) - 20.0)
        return SF_FLOW_RUNNING; // what the last rates were like: far from both ends, the usual case
    double rho = base->perturbation.rho, shift = amplitudes(model, y), second = 0.0, fourth = 0.0;
    field_at(model, exp(shift), 0.0, model->field);
    double norm = gradient_norm(model);
    if (norm == 0.0)
        return SF_FLOW_RESTING;
    field_at(model, exp(shift), rho / norm, model->field_hat);
    for (size_t j = 0; j < base->d; j++) {
        double square = model->field[j] * model->field[j];
        double term = square * (model->u[j] * model->u[j] + model->v[j] * model->v[j]);
        second += term;
        fourth += term * model->field[j] * model->field_hat[j];
    }
    *remaining = norm * exp(shift) * second / (rho * fourth);
    if (shift < log(rho) && *remaining > 0.0 && *remaining < 1e-16 * y[0])
        return SF_FLOW_COLLAPSED;
    *remaining = 0.0;
    return norm <= 1e-12 * base->scale ? SF_FLOW_RESTING : SF_FLOW_RUNNING;
}

static void destroy(flow_model *base)
{
    amplitude_model *model = (amplitude_model *)base;
    double *owned[] = {model->log_u0, model->log_v0, model->start,     model->u,      model->v,
                       model->beta,   model->field,  model->field_hat, model->change, model->field_turn};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        sf_free_aligned(base->context, owned[i]);
    sf_flow_softmax_destroy(&model->here);
    sf_flow_softmax_destroy(&model->there);
    sf_free(base->context, model);
}

static const flow_system AMPLITUDE = {.name = "amplitude",
                                      .begin = begin,
                                      .rates = rates,
                                      .linearize = linearize,
                                      .tangent = tangent,
                                      .allowance = allowance,
                                      .predictor = predictor,
                                      .theta = theta,
                                      .applied_norm = applied_norm,
                                      .rest = rest,
                                      .destroy = destroy};

/* Whether layers are equal or opposite, in each coordinate. */
static bool one_amplitude(const flow_start *start, size_t d)
{
    for (size_t j = 0; j < d; j++)
        if (fabs(start->theta[j]) != fabs(start->theta[d + j]))
            return false;
    return true;
}

static bool allocate(amplitude_model *model)
{
    sf_context *context = model->base.context;
    size_t d = model->base.d;
    double **owned[] = {&model->log_u0, &model->log_v0,    &model->u,      &model->v,         &model->beta,
                        &model->field,  &model->field_hat, &model->change, &model->field_turn};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        if (!(*owned[i] = sf_alloc_doubles(context, d)))
            return false;
    return sf_flow_softmax_create(context, model->base.network, &model->here) == SF_OK &&
           sf_flow_softmax_create(context, model->base.network, &model->there) == SF_OK &&
           (model->start = sf_alloc_doubles(context, 2 * d)) != NULL;
}

sf_status sf_flow_amplitude_create(sf_context *context, const flow_start *start, flow_model **out)
{
    *out = NULL;
    sf_method method = start->perturbation.method;
    bool gd = sf_flow_is_gd(&start->perturbation), l2 = !gd && method == SF_METHOD_L2,
         usam = !gd && method == SF_METHOD_USAM;
    if (sf_network_depth(start->network) != 2 || !(gd || l2 || usam))
        return SF_OK;
    amplitude_model *model = SF_NEW(context, amplitude_model);
    if (!model)
        return SF_ERR_MEMORY;
    size_t d = sf_network_features(start->network);
    bool single = one_amplitude(start, d);
    sf_flow_model_init(&model->base, &AMPLITUDE, context, start, 1 + (gd || single ? d : 2 * d));
    model->single = single;
    model->damped = !gd && !single;
    model->l2 = l2;
    model->usam = usam;
    if (!allocate(model)) {
        destroy(&model->base);
        return SF_ERR_MEMORY;
    }
    memcpy(model->start, start->theta, 2 * d * sizeof *start->theta);
    for (size_t j = 0; j < d; j++) {
        model->log_u0[j] = log(fabs(start->theta[j] + start->theta[d + j]));
        model->log_v0[j] = log(fabs(start->theta[j] - start->theta[d + j]));
    }
    *out = &model->base;
    return SF_OK;
}
