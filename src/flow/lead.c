/* Who leads, and where the lead changes hands: the largest coordinate of |beta| along the dense output.
 *
 * A step of the integrator may be long beside the time for which a coordinate leads: the step resolves the unknowns, and log |beta|
 * is any function of them, with poles where a coordinate passes 0. So the search goes along the step in intervals of
 * its own. Of an interval [a, b] it knows log |beta_j| and its slope at both ends and the value in the middle, that is a
 * polynomial of degree 4 for the lead of every coordinate over the leader; how far the middle lies from the cubic of the ends
 * is taken for its error. The interval is quiet if no such polynomial rises above 0, error and all; it holds one change if
 * those that lead at b rise through 0 once and the others stay below; else it is halved. Coordinates that pass 0 themselves are
 * compared by their ratio to the leader, which is smooth there, and where it is the leader that passes 0 the interval ends
 * right before. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "flow/flow.h"

/* |beta_i| = |beta_j| to this difference of logarithms is a tie: the leader stays. */
static const double TIE = 1e-11;
/* A lead between two looks that would be smaller than this is rounding, of slopes too. */
static const double FAINT = 1e-10;
/* Coordinates level until this clock value are level for ever (the clock's unit is that of the dynamics). */
static const double PARTED = 1e-3;
/* The part of an interval over which slopes are taken. */
static const double ASIDE = 1.0 / 64.0;
/* Intervals are not halved below this part of a panel, and a panel has at most so many of them. */
static const double LEAST = 1e-7;
enum { MOST_INTERVALS = 400, SAMPLES = 16 };
enum { LOCATE_STEPS = 5000 /* halvings down to any positive double, and false positions between */ };

/* ---- looking at a position ------------------------------------------------------------------------------- */

const double *sf_flow_look(sf_flow *flow, double s)
{
    sf_flow_integrator_at(flow->integrator, s, flow->ahead);
    return flow->ahead;
}

size_t sf_flow_look_at_beta(sf_flow *flow, double s)
{
    const flow_model *model = flow->model;
    model->system->predictor(model, sf_flow_look(flow, s), NULL, flow->log_beta);
    size_t top = 0;
    for (size_t j = 1; j < model->d; j++)
        if (flow->log_beta[j] > flow->log_beta[top])
            top = j;
    return top;
}

double sf_flow_locate(sf_flow *flow, flow_position_function *f, double parameter, double a, double b)
{
    double fa = f(flow, a, parameter), fb = f(flow, b, parameter);
    if (!(fa < 0.0))
        return a;
    for (int i = 0; i < LOCATE_STEPS && b - a > 2.0 * DBL_EPSILON * fabs(b); i++) {
        double s = isfinite(fa) && i % 4 != 3 ? a + (b - a) * (fa / (fa - fb)) : 0.5 * (a + b);
        if (!(s > a && s < b))
            s = 0.5 * (a + b);
        if (!(s > a && s < b))
            break;
        double value = f(flow, s, parameter);
        if (value == 0.0)
            return s;
        if (value < 0.0) {
            a = s;
            fa = value;
            fb *= 0.5;
        } else {
            b = s;
            fb = value;
            fa *= 0.5;
        }
    }
    return b;
}

/* work: a state and the predictor there */
static void glance(sf_flow *flow, double s, flow_glance *it)
{
    const flow_model *model = flow->model;
    model->system->predictor(model, sf_flow_look(flow, s), flow->beta, it->log_beta);
    for (size_t j = 0; j < model->d; j++)
        it->sign[j] = it->log_beta[j] == -INFINITY ? 0 : signbit(flow->beta[j]) ? -1 : 1;
    it->s = s;
    flow->looks++;
}

/* Coordinates that start level have no leader yet: the one that is ahead as soon as a difference can be told,
 * the lowest index of those that never part. */
void sf_flow_choose_first_leader(sf_flow *flow)
{
    size_t top = sf_flow_look_at_beta(flow, flow->panel.s[1]), level = 0;
    double high = flow->log_beta[top];
    for (size_t j = flow->model->d; j-- > 0;)
        if (flow->log_beta[j] >= high - TIE) {
            top = j;
            level++;
        }
    if (level == 1 || flow->panel.b >= PARTED)
        flow->leader = (int64_t)top;
    flow->led_from = flow->panel.s[1];
}

/* ---- the lead of a coordinate over an interval ------------------------------------------------------------ */

/* Positions of the glances in flow->glance. */
enum { A, A_ASIDE, MIDDLE, B_ASIDE, B };

/* How coordinate j compares with the leader over an interval: a polynomial in x from 0 to 1. */
typedef struct lead_curve {
    bool ratio;                    // of beta_j / beta_leader, against 1; else log of its size, against 0
    double a, slope_a, b, slope_b; // at the ends
    double bulge;                  // how far the middle lies from the cubic
    bool known;                    // false: nothing can be said
} lead_curve;

static double lead_at(const sf_flow *flow, int g, size_t j)
{
    const double *log_beta = flow->glance[g].log_beta;
    return log_beta[j] == -INFINITY ? -INFINITY : log_beta[j] - log_beta[flow->leader];
}

static bool changes_sign(const sf_flow *flow, size_t j)
{
    for (int g = A; g <= B; g++)
        if (flow->glance[g].sign[j] == 0 || flow->glance[g].sign[j] != flow->glance[A].sign[j])
            return true;
    return false;
}

static lead_curve curve_of(const sf_flow *flow, size_t j)
{
    double value[FLOW_GLANCES];
    lead_curve c = {.ratio = changes_sign(flow, j)};
    for (int g = A; g <= B; g++) {
        value[g] = lead_at(flow, g, j);
        if (c.ratio)
            value[g] = copysign(exp(value[g]), flow->glance[g].sign[j]);
    }
    double part_a = flow->glance[A_ASIDE].s - flow->glance[A].s,
           part_b = flow->glance[B].s - flow->glance[B_ASIDE].s;
    double length = flow->glance[B].s - flow->glance[A].s;
    c.a = value[A];
    c.b = value[B];
    c.slope_a = (value[A_ASIDE] - value[A]) * (length / part_a);
    c.slope_b = (value[B] - value[B_ASIDE]) * (length / part_b);
    c.bulge = value[MIDDLE] - (0.5 * (c.a + c.b) + 0.125 * (c.slope_a - c.slope_b));
    c.known =
        isfinite(c.a) && isfinite(c.b) && isfinite(c.slope_a) && isfinite(c.slope_b) && isfinite(c.bulge);
    return c;
}

static double curve_at(const lead_curve *c, double x)
{
    double y = 1.0 - x, cubic = c->a * y * y * (1.0 + 2.0 * x) + c->b * x * x * (3.0 - 2.0 * x) +
                                x * y * (c->slope_a * y - c->slope_b * x);
    return cubic + 16.0 * c->bulge * (x * y) * (x * y);
}

/* How far the curve lies above the level of the leader; the error counts upwards. */
static double above(const lead_curve *c, double x)
{
    double value = curve_at(c, x), y = 1.0 - x, error = 4.0 * fabs(c->bulge) * x * y;
    return c->ratio ? fabs(value) + error - 1.0 : value + error;
}

typedef enum lead_kind { QUIET, RISES_ONCE, OPEN } lead_kind;

static lead_kind kind_of(const sf_flow *flow, size_t j)
{
    double first = lead_at(flow, A, j), last = lead_at(flow, B, j), middle = lead_at(flow, MIDDLE, j);
    if (first == -INFINITY && last == -INFINITY && middle == -INFINITY)
        return QUIET;
    lead_curve c = curve_of(flow, j);
    if (!c.known)
        return OPEN;
    double high = fmax(first, fmax(middle, last));
    bool leads = last > TIE;
    if (!c.ratio && !leads &&
        high + 0.15 * (fmax(0.0, c.slope_a) + fmax(0.0, -c.slope_b)) + 2.0 * fabs(c.bulge) < 0.0)
        return QUIET; // a bound of all that follows
    double most = -INFINITY;
    int turns = 0;
    bool over = false;
    for (int k = 1; k < SAMPLES; k++) {
        double value = above(&c, (double)k / SAMPLES);
        most = fmax(most, value);
        turns += (value > FAINT) != over;
        over = value > FAINT;
    }
    if (!leads)
        return most <= FAINT && middle <= TIE ? QUIET : OPEN;
    turns += !over;
    return turns == 1 && (c.ratio || 4.0 * fabs(c.bulge) <= 0.5 * (last - first)) ? RISES_ONCE : OPEN;
}

/* What an interval holds. */
static lead_kind kind_of_interval(const sf_flow *flow)
{
    lead_kind kind = QUIET;
    for (size_t j = 0; j < flow->model->d && kind != OPEN; j++) {
        lead_kind of_j = (int64_t)j == flow->leader ? QUIET : kind_of(flow, j);
        kind = of_j > kind ? of_j : kind;
    }
    return kind;
}

/* ---- the search ------------------------------------------------------------------------------------------- */

/* The coordinate that challenges the leader most at s, of those that lead it at B: others, which may be level with the
 * leader for ever, do not count. */
static size_t best_challenger(sf_flow *flow, double s)
{
    size_t best = (size_t)flow->leader;
    sf_flow_look_at_beta(flow, s);
    for (size_t j = 0; j < flow->model->d; j++)
        if (lead_at(flow, B, j) > TIE &&
            (best == (size_t)flow->leader || flow->log_beta[j] > flow->log_beta[best]))
            best = j;
    return best;
}

static double lead_lost(sf_flow *flow, double s, double unused)
{
    (void)unused;
    size_t best = best_challenger(flow, s);
    return flow->log_beta[best] - flow->log_beta[flow->leader];
}

/* beta of the leader, times the sign that it has at A. */
static double leader_before_zero(sf_flow *flow, double s)
{
    flow->model->system->predictor(flow->model, sf_flow_look(flow, s), flow->beta, NULL);
    return flow->glance[A].sign[flow->leader] * flow->beta[flow->leader];
}

/* The last position in [a, b] at which the leader has not changed its sign, where it has at b. */
static double before_zero(sf_flow *flow, double a, double b)
{
    for (;;) {
        double middle = 0.5 * (a + b);
        if (!(middle > a && middle < b))
            return a;
        if (leader_before_zero(flow, middle) > 0.0)
            a = middle;
        else
            b = middle;
    }
}

static void swap(flow_glance *a, flow_glance *b)
{
    flow_glance kept = *a;
    *a = *b;
    *b = kept;
}

/* The glances of [A, b]; those that are at hand are taken. */
static void look_over(sf_flow *flow, double b)
{
    flow_glance *g = flow->glance;
    double a = g[A].s, aside = ASIDE * (b - a), left = fabs(g[A_ASIDE].s - a);
    if (!(left > 0.0 && left <= 4.0 * aside))
        glance(flow, a + aside, &g[A_ASIDE]);
    if (g[MIDDLE].s == b)
        swap(&g[MIDDLE], &g[B]);
    else
        glance(flow, b, &g[B]);
    glance(flow, a + 0.5 * (b - a), &g[MIDDLE]);
    glance(flow, b - aside, &g[B_ASIDE]);
}

/* The end of the interval is the beginning of the next. */
static void move_on(sf_flow *flow)
{
    swap(&flow->glance[A], &flow->glance[B]);
    swap(&flow->glance[A_ASIDE], &flow->glance[B_ASIDE]);
}

/* What there was to see from other steps is out of date where the field has jumped. */
static void look_anew(sf_flow *flow, double s)
{
    for (int g = A; g <= B; g++)
        flow->glance[g].s = NAN;
    glance(flow, s, &flow->glance[A]);
}

double sf_flow_next_leader(sf_flow *flow)
{
    double from = fmax(flow->s, flow->led_from), end = flow->panel.b, width = end - from;
    double least = fmax(LEAST * width, 16.0 * DBL_EPSILON * fabs(end));
    if (flow->leader < 0 || flow->model->d == 1)
        return NAN;
    if (flow->glance[A].s != from)
        look_anew(flow, from);
    for (int i = 0; flow->glance[A].s < end; i++) {
        double a = flow->glance[A].s, b = width < end - a ? a + width : end;
        bool last = width <= least || i > MOST_INTERVALS;
        look_over(flow, b);
        if (flow->glance[A].sign[flow->leader] * flow->glance[B].sign[flow->leader] < 0) {
            double zero = before_zero(flow, a, b);
            b = zero > a ? zero : fmin(end, a + least);
            last = last || !(zero > a);
            look_over(flow, b);
        }
        lead_kind kind = kind_of_interval(flow);
        if (kind == RISES_ONCE || (last && best_challenger(flow, b) != (size_t)flow->leader))
            return sf_flow_locate(flow, lead_lost, 0.0, a, b);
        if (kind == OPEN && !last) {
            width = 0.5 * (b - a);
            continue;
        }
        move_on(flow);
        width *= 2.0;
    }
    return NAN;
}

void sf_flow_change_leader(sf_flow *flow)
{
    flow->leader = (int64_t)best_challenger(flow, flow->s);
}
