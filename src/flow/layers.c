/* The flow of linf-SAM for layers of any sizes, any depth, any number of examples: unknowns, clock, creation. Velocities
 * within a mode are those of velocities.c, what happens between modes is in modes.c.
 *
 * Unknowns: w - offset, where offset = rho s pi sign_u is that of the mode, so w_hat near 0 keeps its relative accuracy.
 * The clock: s = c tau for L <= 2; else dtau/ds = 1 / sqrt(floor^2 + r^2), r = ||dw/dtau|| / (||w|| + size).
 */
#include <math.h>
#include <string.h>

#include "flow/layers_state.h"

static const double LOG_INFINITE = 230.0;

/* ---- the table of functions ------------------------------------------------------------------------------ */

static bool rates(flow_model *base, const double *y, double *dy, flow_clocks *clocks)
{
    layers_model *model = (layers_model *)base;
    double speed = 0.0, size = 0.0, pace = 1.0 / base->scale;
    sf_layers_evaluate(model, y);
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
    sf_layers_evaluate(model, y);
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
                                   .ends_mode = sf_layers_ends_mode,
                                   .change_mode = sf_layers_change_mode};

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
    SF_TRY(sf_layers_make_room(model, 0));
    for (size_t j = 0, first = 0; j < model->base.d; first += model->coordinate[j++].count)
        make_units(model, start, j, first);
    for (size_t u = 0; u < model->units; u++)
        size = fmax(size, fabs(model->start[u]));
    if (model->base.depth == 1) // there margins are of size 1 at weights of 1 / scale, whatever the start
        size = fmax(size, 1.0 / model->base.scale);
    model->size = size;
    model->floor = model->base.scale * pow(size, model->base.depth - 2);
    if (!(y = sf_alloc_doubles(model->base.context, model->base.size)))
        return SF_ERR_MEMORY;
    begin(&model->base, y);
    sf_status status = sf_layers_open(model, y);
    memcpy(model->start, y + 1, model->units * sizeof *y);
    sf_free_aligned(model->base.context, y);
    return status;
}

sf_status sf_flow_layers_create(sf_context *context, const flow_start *start, flow_model **out)
{
    *out = NULL;
    if (sf_flow_is_gd(&start->perturbation) || start->perturbation.method != SF_METHOD_LINF)
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
    sf_flow_model_init(&model->base, &LAYERS, context, start, 1 + model->units);
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
