/* linf-SAM, any depth, layers of any sizes, any number of examples: the weights themselves, mode by mode.
 *
 * With s_j = sign G_j and sigma_l = sign w_l, the perturbed weights of a coordinate are
 *
 *   w_hat_l = w_l - rho s prod_{k != l} sigma_k,       dw_l/dtau = G_hat_j prod_{k != l} w_hat_k.
 *
 * In a mode (all signs fixed) the offsets are constant and the field is smooth; w_hat_l^2 - w_hat_k^2 is conserved there.
 * Layers that start at the same size keep it for ever: they are one unit, w_l = +-w with multiplicity m, so that they reach
 * 0 together. With parity the product of those signs and pi = parity prod_u sign_u^{m_u},
 *
 *   w_hat_u = w_u - rho s pi sign_u,    beta = parity prod_u w_u^{m_u},
 *   dw_u/dtau = G_hat_j parity w_hat_u^{m_u - 1} prod_{v != u} w_hat_v^{m_v}.
 *
 * The field is discontinuous where w_u = 0 (the other offsets change their signs) and where G_j = 0. modes.c says what
 * happens there. Where surfaces are held, the velocity is a mean over their sides (sides.c) with
 *
 *   N^v = dw_u/dtau  for w_u = 0,        N^v = h_j . (d beta/dtau)^v  for G_j = 0,
 *
 * h_ji = sum_n p_n r_n (z_nj - G_j) z_ni at the point itself, p_n = s_n / sum s, r_n = d log s_n / d m_n. The same
 * weights average the original time: dt/dtau = sum_v W_v / S^v. Where two units of one coordinate are held at 0, the phases
 * of their chatter decide and t does not exist. What rounding leaves of G_j is drawn to 0 by a pull of -scale G_j.
 *
 * With one example the coordinates are independent but for the clock, where e^{margin} is a product over them: each
 * is a group of its own. With several, the coordinates that slide together are one group.
 *
 * Unknowns: w - offset, where offset = rho s pi sign_u is that of the mode, so w_hat near 0 keeps its relative accuracy.
 * The clock: s = c tau for L <= 2; else dtau/ds = 1 / sqrt(floor^2 + r^2), r = ||dw/dtau|| / (||w|| + size).
 */
#include "flow/layers.h"

#include <math.h>
#include <string.h>

static const double LOG_INFINITE = 230.0;

/* pi = parity prod_u sign_u^{m_u} */
static double sign_product(const layers_model *model, const layers_coordinate *c)
{
    double pi = c->parity;
    for (size_t u = c->first; u < c->first + c->count; u++)
        pi *= model->unit[u].m % 2 ? model->unit[u].sign : 1.0;
    return pi;
}

double layers_shift(const layers_model *model, size_t u)
{
    const layers_coordinate *c = &model->coordinate[model->unit[u].j];
    return model->rho * c->s * sign_product(model, c) * model->unit[u].sign;
}

/* For the values x of the units of a coordinate: gain_u = parity x_u^{m_u - 1} prod_{v != u} x_v^{m_v}; returns
 * parity prod_u x_u^{m_u}. */
static double leave_one_out(const layers_model *model, const layers_coordinate *c, const double *x,
                            double *gain)
{
    const layers_unit *unit = model->unit + c->first;
    double product = c->parity, suffix = 1.0;
    for (size_t i = 0; i < c->count; i++) {
        double less = flow_power(x[i], unit[i].m - 1);
        gain[i] = product * less;
        product *= less * x[i];
    }
    for (size_t i = c->count; i-- > 0;) {
        gain[i] *= suffix;
        suffix *= flow_power(x[i], unit[i].m);
    }
    return product;
}

/* The same at the perturbed point of the signs in force: returns beta_hat. */
static double perturbed(const layers_model *model, const double *y, size_t j, double *gain)
{
    const layers_coordinate *c = &model->coordinate[j];
    double hat[LAYERS_DEPTH], shift = model->rho * c->s * sign_product(model, c);
    for (size_t i = 0; i < c->count; i++) {
        const layers_unit *unit = &model->unit[c->first + i];
        hat[i] = y[1 + c->first + i] + (unit->offset - shift * unit->sign);
    }
    return leave_one_out(model, c, hat, gain);
}

/* The same at the point itself: returns beta. */
static double unperturbed(const layers_model *model, const double *y, size_t j, double *gain)
{
    const layers_coordinate *c = &model->coordinate[j];
    double w[LAYERS_DEPTH];
    for (size_t i = 0; i < c->count; i++)
        w[i] = layers_weight(model, y, c->first + i);
    return leave_one_out(model, c, w, gain);
}

void layers_field_here(layers_model *model, const double *y, double *margins)
{
    double gain[LAYERS_DEPTH], log_scale;
    for (size_t j = 0; j < model->base.d; j++)
        model->beta[j] = unperturbed(model, y, j, gain);
    sf_network_field(model->base.network, model->beta, model->field, &log_scale, NULL, margins);
}

/* ---- means over the sides ------------------------------------------------------------------------------------ */

void layers_gather(layers_model *model, size_t j)
{
    size_t k = 0;
    model->from = model->single ? j : 0;
    model->to = model->single ? j + 1 : model->base.d;
    for (size_t i = model->from; i < model->to && model->sliding > 0; i++) {
        const layers_coordinate *c = &model->coordinate[i];
        if (c->slides) {
            model->sides.a[k] = c->a;
            model->place[k] = (layers_place){i, NO_UNIT, k};
            k++;
        }
        for (size_t u = c->first; u < c->first + c->count; u++)
            if (model->unit[u].slides && model->unit[u].m % 2) {
                model->sides.a[k] = model->unit[u].a;
                model->place[k] = (layers_place){i, u, 0};
                k++;
            }
    }
    model->sides.k = k;
}

static size_t first_unit(const layers_model *model)
{
    return model->coordinate[model->from].first;
}

static size_t units_in_hand(const layers_model *model)
{
    const layers_coordinate *last = &model->coordinate[model->to - 1];
    return last->first + last->count - first_unit(model);
}

sf_status layers_make_room(layers_model *model, size_t k)
{
    sf_context *context = model->base.context;
    size_t sides = (size_t)1 << k, width = model->single ? (size_t)model->base.depth : model->units;
    if (sides > model->room) {
        double *speed = sf_resize(context, model->speed, sides * width, sizeof *speed);
        if (!speed)
            return SF_ERR_MEMORY;
        model->speed = speed;
        model->room = sides;
    }
    if (model->single || k == 0)
        return SF_OK;
    if (!model->slope && !(model->slope = SF_ARRAY(context, SIDES_MOST * model->units, double)))
        return SF_ERR_MEMORY;
    if (!model->margins && !(model->margins = SF_ARRAY(context, model->data->n, double)))
        return SF_ERR_MEMORY;
    return SF_OK;
}

/* The signs of side v. */
static void take_side(layers_model *model, size_t v)
{
    for (size_t i = 0; i < model->sides.k; i++) {
        const layers_place *place = &model->place[i];
        signed char sign = (signed char)sides_sign(v, i);
        if (place->unit == NO_UNIT)
            model->coordinate[place->j].s = sign;
        else
            model->unit[place->unit].sign = sign;
    }
}

static void visit(layers_model *model, const double *y)
{
    size_t first = first_unit(model), width = units_in_hand(model);
    for (size_t v = 0; v < sides_count(&model->sides); v++) {
        double *speed = model->speed + v * width, log_scale;
        take_side(model, v);
        for (size_t j = model->from; j < model->to; j++)
            model->beta[j] = perturbed(model, y, j, speed + (model->coordinate[j].first - first));
        if (model->single) {
            model->field[model->from] = flow_entry(model->data, 0, model->from);
            model->clock[v] = model->field[model->from] * model->beta[model->from];
        } else {
            sf_network_field(model->base.network, model->beta, model->field, &log_scale, NULL, NULL);
            model->clock[v] = -log_scale;
        }
        for (size_t u = 0; u < width; u++)
            speed[u] *= model->field[model->unit[first + u].j];
    }
}

/* d log s_n / d m_n */
static double slope_rate(sf_loss loss, double margin)
{
    return loss == SF_LOSS_EXPONENTIAL ? -1.0 : expm1(sf_loss_log_slope(loss, margin));
}

double layers_slope(layers_model *model, const double *y, size_t j, size_t row)
{
    double *margins = model->margins, *slope = model->slope + row * model->units, *h = model->beta;
    double reference = -INFINITY, sum = 0.0;
    layers_field_here(model, y, margins);
    double drift = model->field[j];
    for (size_t n = 0; n < model->data->n; n++)
        reference = fmax(reference, sf_loss_log_slope(model->loss, margins[n]));
    for (size_t n = 0; n < model->data->n; n++)
        sum += exp(sf_loss_log_slope(model->loss, margins[n]) - reference);
    memset(h, 0, model->base.d * sizeof *h);
    for (size_t n = 0; n < model->data->n; n++) {
        double p = exp(sf_loss_log_slope(model->loss, margins[n]) - reference) / sum;
        double q = p * slope_rate(model->loss, margins[n]) * (flow_entry(model->data, n, j) - drift);
        for (size_t i = 0; i < model->base.d; i++)
            h[i] += q * flow_entry(model->data, n, i);
    }
    for (size_t i = 0; i < model->base.d; i++)
        unperturbed(model, y, i, slope + model->coordinate[i].first);
    for (size_t u = 0; u < model->units; u++)
        slope[u] *= model->unit[u].m * h[model->unit[u].j];
    return drift;
}

double layers_speed(const layers_model *model, const layers_place *place, size_t v)
{
    const double *speed = model->speed + v * units_in_hand(model);
    if (place->unit != NO_UNIT)
        return speed[place->unit - first_unit(model)];
    const double *slope = model->slope + place->row * model->units;
    double sum = 0.0;
    for (size_t u = 0; u < model->units; u++)
        sum += slope[u] * speed[u];
    return sum;
}

void layers_keep_signs(layers_model *model)
{
    for (size_t i = 0; i < model->sides.k; i++) {
        const layers_place *place = &model->place[i];
        if (place->unit == NO_UNIT)
            model->coordinate[place->j].a = model->sides.a[i];
        else
            model->unit[place->unit].a = model->sides.a[i];
    }
}

/* Several units of one coordinate held at 0 */
static bool phases_decide(const layers_model *model)
{
    for (size_t i = 1; i < model->sides.k; i++)
        if (model->place[i].j == model->place[i - 1].j && model->place[i - 1].unit != NO_UNIT)
            return true;
    return false;
}

void layers_prepare(layers_model *model, const double *y)
{
    flow_sides *sides = &model->sides;
    for (size_t i = 0; i < sides->k; i++) {
        const layers_place *place = &model->place[i];
        sides->pull[i] = 0.0;
        if (place->unit == NO_UNIT)
            sides->pull[i] = model->base.scale * layers_slope(model, y, place->j, place->row);
    }
    visit(model, y);
    for (size_t v = 0; v < sides_count(sides); v++)
        for (size_t i = 0; i < sides->k; i++)
            sides->speed[v][i] = layers_speed(model, &model->place[i], v);
}

/* Of the group in hand: the mean velocity, and the log of the mean of the clocks, NaN where it does not exist. */
static double evaluate_group(layers_model *model, const double *y)
{
    size_t first = first_unit(model), width = units_in_hand(model);
    double high = -INFINITY, sum = 0.0, *mean = model->mean + first;
    layers_prepare(model, y);
    // where there is no solution, beyond the end of the mode, the last mean goes on
    model->kept &= sides_solve(&model->sides) && sides_largest(&model->sides, NULL) <= 1.0;
    layers_keep_signs(model);
    memset(mean, 0, width * sizeof *mean);
    for (size_t v = 0; v < sides_count(&model->sides); v++)
        high = fmax(high, model->clock[v]);
    for (size_t v = 0; v < sides_count(&model->sides); v++) {
        double weight = sides_weight(&model->sides, v);
        sum += weight * exp(model->clock[v] - high);
        for (size_t u = 0; u < width; u++)
            mean[u] += weight * model->speed[v * width + u];
    }
    return phases_decide(model) ? NAN : high + log(fmax(sum, 0.0));
}

void layers_evaluate(layers_model *model, const double *y)
{
    model->kept = true;
    model->log_dt = 0.0;
    for (size_t j = 0; j < (model->single ? model->base.d : 1); j++) {
        layers_gather(model, j);
        model->log_dt += evaluate_group(model, y);
    }
    if (model->single) // the margin at the perturbed point, or what stands for it
        model->log_dt = -sf_loss_log_slope(model->loss, model->log_dt);
}

/* ---- the table of functions ------------------------------------------------------------------------------ */

static bool rates(flow_model *base, const double *y, double *dy, flow_clocks *clocks)
{
    layers_model *model = (layers_model *)base;
    double speed = 0.0, size = 0.0, pace = 1.0 / base->scale;
    layers_evaluate(model, y);
    for (size_t u = 0; u < model->units; u++) {
        double w = layers_weight(model, y, u);
        bool stays = model->unit[u].slides || model->coordinate[model->unit[u].j].rests;
        dy[1 + u] = stays ? 0.0 : model->mean[u];
        speed += dy[1 + u] * dy[1 + u];
        size += w * w;
    }
    if (base->depth > 2) {
        double rate = sqrt(speed) / (sqrt(size) + model->size);
        pace = 1.0 / sqrt(model->floor * model->floor + rate * rate);
    }
    for (size_t u = 0; u < model->units; u++)
        dy[1 + u] *= pace;
    dy[0] = pace;
    *clocks = (flow_clocks){log(pace), model->log_dt};
    return !isinf(model->log_dt) && isfinite(speed) && pace > 0.0;
}

static void allowance(const flow_model *base, const double *y, double tolerance, double *allowed)
{
    const layers_model *model = (const layers_model *)base;
    allowed[0] = 0.1 * tolerance * fabs(y[0]) + 1e-3 * tolerance / base->scale;
    for (size_t u = 0; u < model->units; u++)
        allowed[1 + u] = 0.1 * tolerance * (fabs(y[1 + u]) + 1e-3 * model->size);
}

static void begin(const flow_model *base, double *y)
{
    const layers_model *model = (const layers_model *)base;
    y[0] = 0.0;
    memcpy(y + 1, model->start, model->units * sizeof *y);
}

static void predictor(const flow_model *base, const double *y, double *beta, double *log_abs_beta)
{
    const layers_model *model = (const layers_model *)base;
    for (size_t j = 0; j < base->d; j++) {
        const layers_coordinate *c = &model->coordinate[j];
        double product = c->parity, sum = 0.0;
        for (size_t u = c->first; u < c->first + c->count; u++) {
            double w = layers_weight(model, y, u);
            product *= flow_power(w, model->unit[u].m);
            sum += model->unit[u].m * log(fabs(w));
        }
        if (beta)
            beta[j] = product;
        if (log_abs_beta)
            log_abs_beta[j] = sum;
    }
}

static void theta(const flow_model *base, const double *y, double *weights)
{
    const layers_model *model = (const layers_model *)base;
    for (size_t u = 0; u < model->units; u++) {
        const layers_unit *unit = &model->unit[u];
        double w = layers_weight(model, y, u);
        for (int l = 0; l < base->depth; l++)
            if (unit->layers >> l & 1u)
                weights[(size_t)l * base->d + unit->j] = unit->opposite >> l & 1u ? -w : w;
    }
}

static double applied_norm(flow_model *base, const double *y)
{
    const layers_model *model = (const layers_model *)base;
    (void)y;
    for (size_t j = 0; j < base->d; j++)
        if (model->coordinate[j].s != 0 || model->coordinate[j].slides)
            return model->rho;
    return 0.0;
}

static sf_flow_state rest(flow_model *base, const double *y, double *remaining)
{
    layers_model *model = (layers_model *)base;
    bool zero = true, rests = true;
    double high = 0.0;
    *remaining = 0.0;
    layers_evaluate(model, y);
    for (size_t u = 0; u < model->units; u++) {
        double w = layers_weight(model, y, u);
        zero &= w == 0.0;
        rests &= model->unit[u].slides || model->mean[u] == 0.0;
        high = fmax(high, fabs(w));
    }
    if (rests)
        return zero ? SF_FLOW_COLLAPSED : SF_FLOW_RESTING;
    return base->depth > 2 && base->depth * log(high) > LOG_INFINITE ? SF_FLOW_BLOWN_UP : SF_FLOW_RUNNING;
}

static void destroy(flow_model *base)
{
    layers_model *model = (layers_model *)base;
    double *aligned[] = {model->start, model->beta, model->field, model->mean, model->saved};
    for (size_t i = 0; i < sizeof aligned / sizeof aligned[0]; i++)
        sf_free_aligned(base->context, aligned[i]);
    sf_free(base->context, model->speed);
    sf_free(base->context, model->slope);
    sf_free(base->context, model->margins);
    sf_free(base->context, model->unit);
    sf_free(base->context, model->coordinate);
    sf_free(base->context, model);
}

static const flow_system LAYERS = {.name = "layers",
                                   .begin = begin,
                                   .rates = rates,
                                   .allowance = allowance,
                                   .predictor = predictor,
                                   .theta = theta,
                                   .applied_norm = applied_norm,
                                   .rest = rest,
                                   .destroy = destroy,
                                   .ends_mode = layers_ends_mode,
                                   .change_mode = layers_change_mode};

/* ---- creation ------------------------------------------------------------------------------------------ */

/* The first layer of coordinate j that is as large as layer l. */
static int leader(const flow_start *start, size_t d, size_t j, int l)
{
    int k = 0;
    while (fabs(start->theta[(size_t)k * d + j]) != fabs(start->theta[(size_t)l * d + j]))
        k++;
    return k;
}

static size_t count_units(const flow_start *start, size_t d, int depth)
{
    size_t count = 0;
    for (size_t j = 0; j < d; j++)
        for (int l = 0; l < depth; l++)
            count += leader(start, d, j, l) == l;
    return count;
}

/* The units of coordinate j, with their weights at the start. */
static void make_units(layers_model *model, const flow_start *start, size_t j, size_t first)
{
    size_t d = model->base.d, unit_of[LAYERS_DEPTH];
    layers_coordinate *c = &model->coordinate[j];
    *c = (layers_coordinate){.first = first, .parity = 1.0};
    for (int l = 0; l < model->base.depth; l++) {
        double w = start->theta[(size_t)l * d + j];
        int k = leader(start, d, j, l);
        if (k == l) {
            unit_of[l] = first + c->count++;
            model->unit[unit_of[l]] = (layers_unit){.j = j, .sign = w < 0.0 ? -1 : 1};
            model->start[unit_of[l]] = w;
        }
        layers_unit *unit = &model->unit[unit_of[k]];
        unit->m++;
        unit->layers |= (uint64_t)1 << l;
        if (w * model->start[unit_of[k]] < 0.0) {
            unit->opposite |= (uint64_t)1 << l;
            c->parity = -c->parity;
        }
    }
}

static bool allocate(layers_model *model)
{
    sf_context *context = model->base.context;
    size_t d = model->base.d;
    return (model->unit = SF_ARRAY(context, model->units, layers_unit)) &&
           (model->coordinate = SF_ARRAY(context, d, layers_coordinate)) &&
           (model->start = sf_alloc_doubles(context, model->units)) &&
           (model->beta = sf_alloc_doubles(context, d)) && (model->field = sf_alloc_doubles(context, d)) &&
           (model->mean = sf_alloc_doubles(context, model->units)) &&
           (model->saved = sf_alloc_doubles(context, 2 * model->units));
}

static sf_status set_up(layers_model *model, const flow_start *start)
{
    double size = model->rho, *y = NULL;
    if (!allocate(model))
        return SF_ERR_MEMORY;
    SF_TRY(layers_make_room(model, 0));
    for (size_t j = 0, first = 0; j < model->base.d; first += model->coordinate[j++].count)
        make_units(model, start, j, first);
    for (size_t u = 0; u < model->units; u++)
        size = fmax(size, fabs(model->start[u]));
    model->size = size;
    model->floor = model->base.scale * pow(size, model->base.depth - 2);
    if (!(y = sf_alloc_doubles(model->base.context, model->base.size)))
        return SF_ERR_MEMORY;
    begin(&model->base, y);
    sf_status status = layers_open(model, y);
    memcpy(model->start, y + 1, model->units * sizeof *y);
    sf_free_aligned(model->base.context, y);
    return status;
}

sf_status flow_layers_create(sf_context *context, const flow_start *start, flow_model **out)
{
    *out = NULL;
    if (flow_is_gd(&start->perturbation) || start->perturbation.method != SF_METHOD_LINF)
        return SF_OK;
    size_t d = sf_network_features(start->network);
    int depth = sf_network_depth(start->network);
    if (depth > LAYERS_DEPTH)
        return sf_fail(context, SF_ERR_UNAVAILABLE,
                       "flows of linf-SAM need a depth of at most %d; this network has %d layers",
                       LAYERS_DEPTH, depth);
    layers_model *model = SF_NEW(context, layers_model);
    if (!model)
        return SF_ERR_MEMORY;
    model->units = count_units(start, d, depth);
    flow_model_init(&model->base, &LAYERS, context, start, 1 + model->units);
    model->data = sf_network_dataset(start->network);
    model->loss = sf_network_loss(start->network);
    model->single = model->data->n == 1;
    model->rho = start->perturbation.rho;
    sf_status status = set_up(model, start);
    if (status != SF_OK)
        destroy(&model->base);
    else
        *out = &model->base;
    return status;
}
