/* From mode to mode of velocities.c: what happens where a surface of the discontinuous field is reached (Filippov).
 *
 * A unit of even multiplicity reaches w = 0: beyond it nothing but its own sign has changed, and the field leads back. It
 * stays at 0, its layers in phase, with the same w_hat^m on both sides, for as long as they lead back.
 *
 * A unit of odd multiplicity reaches w = 0, or a gradient G_j reaches 0: if both sides lead back it slides, else it
 * crosses. One example, sides w > 0 and w < 0, x_k = |w_k| of the other layers: on the side from which 0 can be
 * reached dw/dtau has the sign of prod (x_k - rho), on the other one that of prod (x_k + rho); so it slides iff an odd number
 * of the others lies below rho (L = 2: iff the other one does), and then those below rho shrink and those above grow.
 *
 * Where several surfaces are reached at once, or can no longer be held together, every one of them slides or takes one of its
 * sides; of the consistent choices the one is taken in which most slide. Consistent: the mean signs lie in [-1, 1], and
 * what takes a side moves away from the surface on it. A surface is left when its mean sign passes +-1, to that side.
 */
#include <math.h>
#include <string.h>

#include "flow/layers_state.h"

/* The sign of a weight that has just left 0 is known down to this part of the size of the weights. */
static const double CONTACT = 1e-14;
/* A mean sign this close to +-1 counts as beyond where the mode has ended: the weights there differ in their last bits. */
static const double ROUNDING = 1e-10;

/* What a surface does. */
enum { SLIDES = 0, PLUS = 1, MINUS = 2, CHOICES = 3 };

static bool is_odd(const layers_unit *unit)
{
    return unit->m % 2 != 0;
}

static bool passed_zero(const layers_model *model, const double *y, size_t u)
{
    const layers_unit *unit = &model->unit[u];
    return model->base.depth > 1 && model->coordinate[unit->j].s != 0 && !unit->slides &&
           unit->sign * layers_weight(model, y, u) < -unit->slack;
}

/* Whether G_j lies beyond what the location of the surface left there; uses field. */
static bool passed_field(const layers_model *model, size_t j)
{
    const layers_coordinate *c = &model->coordinate[j];
    double lead = c->s != 0 ? c->s * model->field[j] : -fabs(model->field[j]);
    return !c->slides && !c->rests && lead < -fmax(c->slack, 1e-12 * model->base.scale);
}

/* A unit of even multiplicity at 0 that the field no longer leads back there; uses mean. */
static bool is_released(const layers_model *model, size_t u)
{
    const layers_unit *unit = &model->unit[u];
    return unit->slides && !is_odd(unit) && unit->sign * model->mean[u] > 0.0;
}

bool sf_layers_ends_mode(flow_model *base, const double *y)
{
    layers_model *model = (layers_model *)base;
    for (size_t u = 0; u < model->units; u++)
        if (passed_zero(model, y, u))
            return true;
    if (model->sliding + model->held > 0) {
        sf_layers_evaluate(model, y);
        for (size_t u = 0; u < model->units && model->held > 0; u++)
            if (is_released(model, u))
                return true;
        if (!model->kept)
            return true;
    }
    if (model->single)
        return false;
    sf_layers_field_here(model, y, NULL);
    for (size_t j = 0; j < base->d; j++)
        if (passed_field(model, j))
            return true;
    return false;
}

static void count_surfaces(layers_model *model)
{
    model->sliding = model->held = 0;
    for (size_t j = 0; j < model->base.d; j++)
        model->sliding += model->coordinate[j].slides;
    for (size_t u = 0; u < model->units; u++)
        if (model->unit[u].slides)
            *(is_odd(&model->unit[u]) ? &model->sliding : &model->held) += 1;
}

/* ---- which way on -------------------------------------------------------------------------------------------- */

static void set_choice(layers_model *model, const layers_place *place, int choice)
{
    signed char sign = choice == MINUS ? -1 : 1;
    if (place->unit == NO_UNIT) {
        layers_coordinate *c = &model->coordinate[place->j];
        c->slides = choice == SLIDES;
        c->s = sign;
    } else {
        model->unit[place->unit].slides = choice == SLIDES;
        model->unit[place->unit].sign = sign;
    }
}

static void set_slack(layers_model *model, const layers_place *place, double drift)
{
    if (place->unit == NO_UNIT)
        model->coordinate[place->j].slack = 2.0 * fabs(drift); // its gradient grows like the square of time
    else
        model->unit[place->unit].slack = CONTACT * model->size;
}

/* The mean speed of a surface over the sides of those that slide. */
static double mean_speed(const layers_model *model, const layers_place *place)
{
    double speed = 0.0;
    for (size_t v = 0; v < sides_count(&model->sides); v++)
        speed += sf_sides_weight(&model->sides, v) * sf_layers_speed(model, place, v);
    return speed;
}

/* The surfaces that n places are, and what is chosen for each. */
typedef struct layers_meeting {
    size_t n;
    layers_place met[SIDES_MOST];
    int choice[SIDES_MOST];
} layers_meeting;

/* Whether the choice leads where it says. */
static bool is_consistent(layers_model *model, const double *y, const layers_meeting *it)
{
    flow_sides *sides = &model->sides;
    sides->k = 0;
    for (size_t i = 0; i < it->n; i++) {
        set_choice(model, &it->met[i], it->choice[i]);
        if (it->choice[i] == SLIDES)
            model->place[sides->k++] = it->met[i];
    }
    sf_layers_prepare(model, y);
    if (!sf_sides_solve_inside(sides) || (sides->k == 1 && !(sides->speed[1][0] < sides->speed[0][0])))
        return false; // a single surface must attract
    for (size_t i = 0; i < it->n; i++) {
        double speed = it->choice[i] == SLIDES ? 0.0 : mean_speed(model, &it->met[i]);
        if ((it->choice[i] == PLUS && !(speed > 0.0)) || (it->choice[i] == MINUS && !(speed < 0.0)))
            return false;
    }
    return true;
}

/* The choice number `mode` of CHOICES^n; how many slide. */
static size_t decode(layers_meeting *it, size_t mode)
{
    size_t sliding = 0;
    for (size_t i = 0; i < it->n; i++, mode /= CHOICES) {
        it->choice[i] = (int)(mode % CHOICES);
        sliding += it->choice[i] == SLIDES;
    }
    return sliding;
}

static sf_status settle(layers_model *model, const double *y, layers_meeting *it)
{
    size_t modes = 1;
    double drift[SIDES_MOST] = {0.0};
    SF_TRY(sf_layers_make_room(model, it->n));
    for (size_t i = 0; i < it->n; i++, modes *= CHOICES) {
        it->met[i].row = i;
        if (it->met[i].unit == NO_UNIT)
            drift[i] = sf_layers_slope(model, y, it->met[i].j, i);
    }
    for (size_t sliding = it->n + 1; sliding-- > 0;)
        for (size_t mode = 0; mode < modes; mode++) {
            if (decode(it, mode) != sliding || !is_consistent(model, y, it))
                continue;
            sf_layers_keep_signs(model);
            for (size_t i = 0; i < it->n; i++)
                set_slack(model, &it->met[i], drift[i]);
            count_surfaces(model);
            return SF_OK;
        }
    return sf_fail(
        model->base.context, SF_ERR_NUMERIC,
        "linf-SAM flow at tau = %.17g: %s of feature %zu has reached 0, and no way on was found that is "
        "consistent with the sides",
        y[0], it->met[it->n - 1].unit == NO_UNIT ? "the gradient" : "a weight", it->met[it->n - 1].j);
}

/* The surfaces of the group in hand. */
static layers_meeting meeting_of(const layers_model *model)
{
    layers_meeting it = {.n = model->sides.k};
    memcpy(it.met, model->place, it.n * sizeof *it.met);
    return it;
}

/* A surface is reached: begins to slide (then *slides is true) or crosses. */
static sf_status meet(layers_model *model, const double *y, size_t j, size_t unit, bool *slides)
{
    sf_layers_gather(model, j);
    layers_meeting it = meeting_of(model);
    if (it.n == SIDES_MOST)
        return sf_fail(
            model->base.context, SF_ERR_NUMERIC,
            "linf-SAM flow at tau = %.17g: more than %d surfaces of the field would be held at once", y[0],
            SIDES_MOST);
    it.met[it.n++] = (layers_place){j, unit, 0};
    SF_TRY(settle(model, y, &it));
    *slides = unit == NO_UNIT ? model->coordinate[j].slides : model->unit[unit].slides;
    return SF_OK;
}

/* Surfaces of the group of coordinate j that can no longer be held are left. */
static sf_status leave(layers_model *model, const double *y, size_t j)
{
    for (sf_layers_gather(model, j); model->sides.k > 0; sf_layers_gather(model, j)) {
        size_t worst = 0;
        sf_layers_prepare(model, y);
        if (!sf_sides_solve(&model->sides)) {
            layers_meeting it = meeting_of(model);
            return settle(model, y, &it);
        }
        sf_layers_keep_signs(model);
        if (sf_sides_largest(&model->sides, &worst) <= 1.0 - ROUNDING)
            break;
        layers_place place = model->place[worst];
        set_choice(model, &place, model->sides.a[worst] > 0.0 ? PLUS : MINUS);
        set_slack(model, &place, model->sides.pull[worst] / model->base.scale);
        count_surfaces(model);
    }
    return SF_OK;
}

/* ---- changes of mode ------------------------------------------------------------------------------------------ */

/* The unknowns become the weights themselves; saved keeps what they were. */
static void lift(layers_model *model, double *y)
{
    for (size_t u = 0; u < model->units; u++) {
        model->saved[u] = y[1 + u];
        model->saved[model->units + u] = model->unit[u].offset;
        y[1 + u] = layers_weight(model, y, u);
        model->unit[u].offset = 0.0;
    }
}

/* Whether the offsets of a coordinate depend on the side of a surface that is held. */
static bool has_sides(const layers_model *model, const layers_coordinate *c)
{
    bool sides = c->slides;
    for (size_t u = c->first; u < c->first + c->count; u++)
        sides |= model->unit[u].slides && is_odd(&model->unit[u]);
    return sides;
}

/* And back, with the offsets of the mode; what is as it was keeps its bits. */
static void lower(layers_model *model, double *y)
{
    for (size_t u = 0; u < model->units; u++) {
        layers_unit *unit = &model->unit[u];
        double before = model->saved[model->units + u], w = y[1 + u];
        bool free = !unit->slides && !has_sides(model, &model->coordinate[unit->j]);
        unit->offset = free ? sf_layers_shift(model, u) : 0.0;
        y[1 + u] =
            unit->offset == before && w == model->saved[u] + before ? model->saved[u] : w - unit->offset;
    }
}

typedef struct layers_slides {
    int64_t *coordinate;
    size_t count, room;
} layers_slides;

static void add_slide(layers_slides *slides, size_t j)
{
    if (slides->count < slides->room)
        slides->coordinate[slides->count++] = (int64_t)j;
}

static sf_status pass_zeros(layers_model *model, double *y, layers_slides *slides)
{
    for (size_t u = 0; u < model->units; u++) {
        layers_unit *unit = &model->unit[u];
        bool begins = true;
        if (!passed_zero(model, y, u))
            continue;
        y[1 + u] = 0.0;
        if (is_odd(unit))
            SF_TRY(meet(model, y, unit->j, u, &begins));
        else
            unit->slides = true;
        if (begins)
            add_slide(slides, unit->j);
    }
    count_surfaces(model);
    return SF_OK;
}

static void release(layers_model *model, const double *y)
{
    if (model->held > 0)
        sf_layers_evaluate(model, y);
    for (size_t u = 0; u < model->units && model->held > 0; u++)
        if (is_released(model, u)) {
            model->unit[u].slides = false;
            model->unit[u].slack = CONTACT * model->size;
        }
    count_surfaces(model);
}

static sf_status pass_fields(layers_model *model, const double *y, layers_slides *slides)
{
    sf_layers_field_here(model, y, NULL);
    for (size_t j = 0; j < model->base.d; j++) {
        bool begins = false;
        if (!passed_field(model, j))
            continue;
        SF_TRY(meet(model, y, j, NO_UNIT, &begins));
        if (begins)
            add_slide(slides, j);
        sf_layers_field_here(model, y, NULL);
    }
    return SF_OK;
}

sf_status sf_layers_change_mode(flow_model *base, double *y, int64_t *slides, size_t *count)
{
    layers_model *model = (layers_model *)base;
    layers_slides begun = {slides, 0, base->d};
    lift(model, y);
    sf_status status = pass_zeros(model, y, &begun);
    for (size_t j = 0; j < (model->single ? base->d : 1) && status == SF_OK && model->sliding > 0; j++)
        status = leave(model, y, j);
    if (status == SF_OK)
        release(model, y);
    if (status == SF_OK && !model->single)
        status = pass_fields(model, y, &begun);
    lower(model, y);
    *count = begun.count;
    return status;
}

/* ---- the start ------------------------------------------------------------------------------------------------ */

static int zero_layers(const layers_model *model, const double *y, const layers_coordinate *c)
{
    int zeros = 0;
    for (size_t u = c->first; u < c->first + c->count; u++)
        zeros += y[1 + u] == 0.0 ? model->unit[u].m : 0;
    return zeros;
}

/* Where two layers are at 0 the gradient of all is 0, and with it the perturbation. A single layer at 0 takes the side to
 * which it moves, or slides. */
static sf_status open_coordinate(layers_model *model, const double *y, size_t j)
{
    layers_coordinate *c = &model->coordinate[j];
    bool slides;
    int zeros = model->base.depth > 1 ? zero_layers(model, y, c) : 0;
    c->rests = zeros > 1;
    if (c->rests)
        c->s = 0;
    for (size_t u = c->first; u < c->first + c->count && zeros == 1 && c->s != 0; u++)
        if (y[1 + u] == 0.0)
            return meet(model, y, j, u, &slides);
    return SF_OK;
}

sf_status sf_layers_open(layers_model *model, double *y)
{
    lift(model, y);
    sf_layers_field_here(model, y, NULL);
    for (size_t j = 0; j < model->base.d; j++)
        model->coordinate[j].s = (signed char)((model->field[j] > 0.0) - (model->field[j] < 0.0));
    for (size_t j = 0; j < model->base.d; j++)
        SF_TRY(open_coordinate(model, y, j));
    lower(model, y);
    return SF_OK;
}
