/* linf-SAM, any depth, layers of any sizes, any number of examples: the velocities of the weights within a mode.
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
 */
#include "flow/layers_state.h"
#include "network/loss.h"

#include <math.h>
#include <string.h>

/* pi = parity prod_u sign_u^{m_u} */
static double sign_product(const layers_model *model, const layers_coordinate *c)
{
    double pi = c->parity;
    for (size_t u = c->first; u < c->first + c->count; u++)
        pi *= model->unit[u].m % 2 ? model->unit[u].sign : 1.0;
    return pi;
}

double sf_layers_shift(const layers_model *model, size_t u)
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

void sf_layers_field_here(layers_model *model, const double *y, double *margins)
{
    double gain[LAYERS_DEPTH], log_scale;
    for (size_t j = 0; j < model->base.d; j++)
        model->beta[j] = unperturbed(model, y, j, gain);
    sf_network_field(model->base.network, model->beta, model->field, &log_scale, NULL, margins);
}

/* ---- means over the sides ------------------------------------------------------------------------------------ */

void sf_layers_gather(layers_model *model, size_t j)
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

sf_status sf_layers_make_room(layers_model *model, size_t k)
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
    return sf_log_slope_rate(loss, sf_loss_log_slope(loss, margin));
}

double sf_layers_slope(layers_model *model, const double *y, size_t j, size_t row)
{
    double *margins = model->margins, *slope = model->slope + row * model->units, *h = model->beta;
    double reference = -INFINITY, sum = 0.0;
    sf_layers_field_here(model, y, margins);
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

double sf_layers_speed(const layers_model *model, const layers_place *place, size_t v)
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

void sf_layers_keep_signs(layers_model *model)
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

void sf_layers_prepare(layers_model *model, const double *y)
{
    flow_sides *sides = &model->sides;
    for (size_t i = 0; i < sides->k; i++) {
        const layers_place *place = &model->place[i];
        sides->pull[i] = 0.0;
        if (place->unit == NO_UNIT)
            sides->pull[i] = model->base.scale * sf_layers_slope(model, y, place->j, place->row);
    }
    visit(model, y);
    for (size_t v = 0; v < sides_count(sides); v++)
        for (size_t i = 0; i < sides->k; i++)
            sides->speed[v][i] = sf_layers_speed(model, &model->place[i], v);
}

/* Of the group in hand: the mean velocity, and the log of the mean of the clocks, NaN where it does not exist. */
static double evaluate_group(layers_model *model, const double *y)
{
    size_t first = first_unit(model), width = units_in_hand(model);
    double high = -INFINITY, sum = 0.0, *mean = model->mean + first;
    sf_layers_prepare(model, y);
    // where there is no solution, beyond the end of the mode, the last mean goes on
    model->kept &= sf_sides_solve(&model->sides) && sf_sides_largest(&model->sides, NULL) <= 1.0;
    sf_layers_keep_signs(model);
    memset(mean, 0, width * sizeof *mean);
    for (size_t v = 0; v < sides_count(&model->sides); v++)
        high = fmax(high, model->clock[v]);
    for (size_t v = 0; v < sides_count(&model->sides); v++) {
        double weight = sf_sides_weight(&model->sides, v);
        sum += weight * exp(model->clock[v] - high);
        for (size_t u = 0; u < width; u++)
            mean[u] += weight * model->speed[v * width + u];
    }
    return phases_decide(model) ? NAN : high + log(fmax(sum, 0.0));
}

void sf_layers_evaluate(layers_model *model, const double *y)
{
    model->kept = true;
    model->log_dt = 0.0;
    for (size_t j = 0; j < (model->single ? model->base.d : 1); j++) {
        sf_layers_gather(model, j);
        model->log_dt += evaluate_group(model, y);
    }
    if (model->single) // the margin at the perturbed point, or what stands for it
        model->log_dt = -sf_loss_log_slope(model->loss, model->log_dt);
}
