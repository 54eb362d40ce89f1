/* The engine of flows: takes the integrator's steps apart into targets and events.
 *
 * One step of the integrator gives the state as a polynomial on [from, to]. Over it lie panels (panel.h), on
 * whose nodes the clocks, the norm of beta and its largest coordinate are known. A panel never crosses the
 * end of a mode. Within a panel every crossing (of a target, of two coordinates of |beta|) is bracketed by
 * nodes and then located on the dense output to the last bits; so positions do not depend on where the
 * integrator stepped.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "flow/flow.h"

/* A panel is not shortened below this part of its step. */
static const double SHORTEST = 1e-3;
static const double NOISE = 1e3; // of psi in the dense output, over the misfit allowed
/* A blow-up is called where the tau left is this part of the tau passed, or the predictor is about to leave the doubles. */
static const double BLOW_UP_LEFT = 1e-12, LOG_LARGEST = 680.0;
enum { MODE_CHANGES_IN_PLACE = 100 };
/* A whole flow takes some thousand steps; so many mean that it creeps around a singular point. */
enum { MOST_STEPS = 500000 };

/* ---- looking at a position ----------------------------------------------------------------------- */

static double tau_of(const sf_flow *flow, const double *y)
{
    const flow_system *system = flow->model->system;
    return system->tau ? system->tau(flow->model, y) : y[0];
}

static double log_norm(const sf_flow *flow, size_t top)
{
    double high = flow->log_beta[top], sum = 0.0;
    if (isinf(high))
        return high;
    for (size_t j = 0; j < flow->model->d; j++)
        sum += exp(2.0 * (flow->log_beta[j] - high));
    return high + 0.5 * log(sum);
}

static double log_time_at(const sf_flow *flow, double s)
{
    return sf_log_add(flow->panel_log_time, sf_flow_panel_log_integral(&flow->panel, s));
}

static double tau_minus(sf_flow *flow, double s, double tau)
{
    return tau_of(flow, sf_flow_look(flow, s)) - tau;
}

static double log_time_minus(sf_flow *flow, double s, double log_time)
{
    return log_time_at(flow, s) - log_time;
}

static double log_norm_minus(sf_flow *flow, double s, double value)
{
    return log_norm(flow, sf_flow_look_at_beta(flow, s)) - value;
}

/* ---- panels -------------------------------------------------------------------------------------- */

static int degree_of(const sf_flow *flow)
{
    return flow->model->stiff ? 4 : PANEL_MAX; // as the order of the integrator asks for
}

/* Evaluates the nodes; false where the model has no rates (NaN or out of range). */
static bool fill_panel(sf_flow *flow, double a, double b)
{
    flow_panel *panel = &flow->panel;
    sf_flow_panel_place(panel, a, b, degree_of(flow));
    panel->psi[0] = flow->psi;
    for (int k = isnan(flow->psi) ? 0 : 1; k <= panel->degree; k++) {
        flow_clocks clocks;
        flow->looks++;
        const double *y = sf_flow_look(flow, panel->s[k]);
        if (!flow_rates(flow->model, y, flow->rate, &clocks))
            return false;
        panel->psi[k] = clocks.log_dt + clocks.log_pace;
    }
    flow->psi = panel->psi[0];
    return true;
}

static double allowed_misfit(const flow_model *model)
{
    return model->stiff ? 1e-10 : 1e-12; // relative, of psi beyond 1
}

/* What the panel leaves of psi, over what is allowed; NaN: no original time, nothing to resolve. */
static double misfit(sf_flow *flow)
{
    double error = sf_flow_panel_fit(&flow->panel), size = 1.0, allowed = allowed_misfit(flow->model);
    for (int k = 0; k <= flow->panel.degree; k++)
        size = fmax(size, fabs(flow->panel.psi[k]));
    return error / (allowed * size);
}

/* psi at s; NaN where the model has no rates. */
static double psi_at(sf_flow *flow, double s)
{
    flow_clocks clocks;
    return flow_rates(flow->model, sf_flow_look(flow, s), flow->rate, &clocks)
               ? clocks.log_dt + clocks.log_pace
               : NAN;
}

/* One panel over the whole step, from psi at the ends of the steps so far and at the fewest positions within this one that
 * resolve it. Most steps need none, so that the clock costs one evaluation a step. False: the panels have to be
 * shorter. */
static bool panel_of_step(sf_flow *flow)
{
    static const double within[] = {0.5, 0.25, 0.75};
    double from = flow->step_from, to = flow->step_to, allowed = allowed_misfit(flow->model);
    if (flow->s != from || !(to > from))
        return false;
    if (flow->past.count == 0)
        sf_flow_past_add(&flow->past, from, isnan(flow->psi) ? psi_at(flow, from) : flow->psi);
    flow_past values = flow->past;
    sf_flow_past_add(&values, to, psi_at(flow, to));
    double misfit = sf_flow_panel_through(&flow->panel, &values, from, to, allowed);
    for (size_t i = 0; misfit > 1.0 && i < sizeof within / sizeof within[0]; i++) {
        double s = from + within[i] * (to - from);
        sf_flow_past_add(&values, s, psi_at(flow, s));
        misfit = sf_flow_panel_through(&flow->panel, &values, from, to, allowed);
    }
    if (misfit <= 1.0)
        flow->width = to - from;
    return misfit <= 1.0;
}

/* Whether a panel will do: resolved, or left with the noise of the dense output, which no shorter one is without. */
static bool resolved(double error, double error_of_twice_the_width)
{
    return !(error > 1.0) || (error < NOISE && error > 0.7 * error_of_twice_the_width);
}

static bool ends_mode(sf_flow *flow, double s)
{
    return flow->model->system->ends_mode(flow->model, sf_flow_look(flow, s));
}

/* The first position in (a, b] that lies beyond the end of the mode, if b does. */
static double end_of_mode(sf_flow *flow, double a, double b)
{
    for (;;) {
        double middle = 0.5 * (a + b);
        if (!(middle > a && middle < b))
            return b;
        if (ends_mode(flow, middle))
            b = middle;
        else
            a = middle;
    }
}

/* Shortens the panel to where the mode ends. */
static void cut_panel(sf_flow *flow)
{
    flow_panel *panel = &flow->panel;
    for (int k = 1; k <= panel->degree && flow->model->system->ends_mode; k++)
        if (ends_mode(flow, panel->s[k])) {
            fill_panel(flow, panel->a, end_of_mode(flow, panel->s[k - 1], panel->s[k]));
            flow->mode_ends = true;
            return;
        }
}

/* A panel that begins at s, in evaluated nodes: within the dense output, short enough to be resolved. */
static sf_status panel_of_nodes(sf_flow *flow)
{
    flow_panel *panel = &flow->panel;
    double a = flow->s, left = flow->step_to - a, error = INFINITY, before = INFINITY;
    // not below the spacing of doubles at a, where a panel would not move on
    double shortest = fmax(SHORTEST * (flow->step_to - flow->step_from), 4.0 * DBL_EPSILON * fabs(a));
    double width = fmin(left, fmax(shortest, 2.0 * flow->width));
    bool filled;
    while (!(filled = fill_panel(flow, a, width < left ? a + width : flow->step_to)) ||
           !resolved(error = misfit(flow), before)) {
        if (!(width > shortest)) // also where the step itself has no length that is a number
            break;
        if (sf_cancelled(flow->context))
            return sf_fail(flow->context, SF_ERR_CANCELLED, "interrupted at tau = %.17g", flow->tau);
        before = filled ? error : INFINITY;
        width *= 0.5;
    }
    if (!filled) {
        panel->a = panel->b = a; // nothing lies beyond
        return sf_fail(flow->context, SF_ERR_NUMERIC,
                       "beyond tau = %.17g the flow leaves the range of a double", flow->tau);
    }
    flow->width = width;
    return SF_OK;
}

/* The panel that begins at s, in one mode. */
static sf_status next_panel(sf_flow *flow)
{
    flow_panel *panel = &flow->panel;
    if (!panel_of_step(flow))
        SF_TRY(panel_of_nodes(flow));
    cut_panel(flow);
    sf_flow_panel_fit(panel);
    flow->panel_log_time = flow->log_time;
    flow->psi = panel->psi[panel->degree];
    if (panel->b >= flow->step_to)
        sf_flow_past_add(&flow->past, panel->b, flow->psi);
    if (flow->leader < 0)
        sf_flow_choose_first_leader(flow);
    flow->searched = false;
    return SF_OK;
}

/* Goes to a position of the panel. */
static void go_to(sf_flow *flow, double s)
{
    flow->log_time = log_time_at(flow, s);
    flow->s = s;
    sf_flow_integrator_at(flow->integrator, s, flow->y);
    flow->tau = tau_of(flow, flow->y);
}

/* ---- events -------------------------------------------------------------------------------------- */

static double log_loss_here(sf_flow *flow)
{
    double log_loss;
    sf_flow_evaluate(flow, &log_loss, NULL, NULL);
    return log_loss;
}

static sf_status add_event(sf_flow *flow, sf_event_kind kind, int64_t from, int64_t to)
{
    if (flow->event_count == flow->event_room) {
        size_t room = flow->event_room ? 2 * flow->event_room : 8;
        sf_event *events = sf_resize(flow->context, flow->events, room, sizeof *events);
        if (!events)
            return SF_ERR_MEMORY;
        flow->events = events;
        flow->event_room = room;
    }
    flow->events[flow->event_count++] = (sf_event){.kind = kind,
                                                   .from = from,
                                                   .to = to,
                                                   .step = NAN,
                                                   .tau = flow->tau,
                                                   .log_time = flow->log_time,
                                                   .log_loss = log_loss_here(flow)};
    return SF_OK;
}

/* The first position in (s, panel.b] where the leader changes, NaN if it does not. */
static double next_dominance(sf_flow *flow)
{
    if (!flow->searched)
        flow->next_change = sf_flow_next_leader(flow);
    flow->searched = true;
    return flow->next_change;
}

/* At the position that next_dominance found: the challenger leads. */
static sf_status change_leader(sf_flow *flow)
{
    int64_t from = flow->leader;
    sf_flow_change_leader(flow);
    flow->searched = false;
    return add_event(flow, SF_EVENT_DOMINANCE, from, flow->leader);
}

/* ---- the ends of a flow -------------------------------------------------------------------------- */

/* Whether a flow whose predictor is large is about to blow up, and the tau left until then: |beta| ~ left^(-L / (L - 2)). A large
 * predictor alone says nothing: a deep network may start there. */
static bool blows_up(sf_flow *flow, double *left)
{
    const double part = 1e-3; // of the clock's unit
    const flow_model *model = flow->model;
    flow_clocks clocks;
    size_t top = sf_flow_look_at_beta(flow, flow->s);
    double before = flow->log_beta[top], power = (double)model->depth / (model->depth - 2);
    *left = 0.0;
    if (!flow_rates(flow->model, flow->y, flow->rate, &clocks))
        return true;
    for (size_t i = 0; i < model->size; i++)
        flow->ahead[i] = flow->y[i] + part * flow->rate[i];
    model->system->predictor(model, flow->ahead, NULL, flow->log_beta);
    double growth = (flow->log_beta[top] - before) / part;
    if (!(growth > 0.0))
        return false;
    *left = power * exp(clocks.log_pace) / growth;
    return *left <= BLOW_UP_LEFT * flow->tau || before > LOG_LARGEST;
}

static sf_status check_rest(sf_flow *flow)
{
    double remaining = 0.0;
    flow->state = flow->model->system->rest(flow->model, flow->y, &remaining);
    if (flow->state == SF_FLOW_COLLAPSED) {
        flow->tau += remaining;
        return add_event(flow, SF_EVENT_COLLAPSE, -1, -1);
    }
    if (flow->state == SF_FLOW_BLOWN_UP && !blows_up(flow, &remaining))
        flow->state = SF_FLOW_RUNNING;
    if (flow->state == SF_FLOW_BLOWN_UP) {
        flow->tau += remaining;
        flow->log_time = INFINITY;
        return add_event(flow, SF_EVENT_BLOW_UP, -1, (int64_t)sf_flow_look_at_beta(flow, flow->s));
    }
    return SF_OK;
}

/* log dt/dtau where theta rests and eps = 0. */
static double log_dt_at_rest(sf_flow *flow)
{
    flow_clocks clocks;
    // linf-SAM keeps its perturbation at 0 (chatter), the others lose it there
    if (flow->state == SF_FLOW_COLLAPSED && !flow->model->system->ends_mode)
        return -sf_loss_log_slope(sf_network_loss(flow->network), 0.0);
    return flow_rates(flow->model, flow->y, flow->rate, &clocks) ? clocks.log_dt : NAN;
}

/* At rest the clocks run freely: the progress like tau. */
static void advance_at_rest(sf_flow *flow, const flow_goal *goal)
{
    if (flow->state == SF_FLOW_BLOWN_UP)
        return;
    double log_dt = log_dt_at_rest(flow);
    double step = fmin(goal->tau - flow->tau, goal->progress - flow->s);
    if (goal->log_time < INFINITY) {
        // t = t_0 + e^{log_dt} step
        double lack = goal->log_time <= flow->log_time
                          ? -INFINITY
                          : goal->log_time + sf_log1m_exp(flow->log_time - goal->log_time);
        step = fmin(step, exp(lack - log_dt));
    }
    if (isinf(step) && isfinite(goal->log_time) && log_dt < INFINITY) {
        flow->tau = INFINITY; // log t goes on beyond the end of the doubles for tau
        flow->s += 1.0;
        flow->log_time = goal->log_time;
    }
    if (!(step > 0.0) || isinf(step))
        return;
    flow->tau += step;
    flow->s += step;
    flow->log_time = sf_log_add(flow->log_time, log_dt + log(step));
}

/* ---- advancing ----------------------------------------------------------------------------------- */

static bool reached(const sf_flow *flow, const flow_goal *goal)
{
    // where the original time does not exist it is no target
    if (isnan(flow->log_time) && isinf(goal->tau) && isinf(goal->progress) && isinf(goal->log_norm))
        return true;
    return flow->tau >= goal->tau || flow->log_time >= goal->log_time || flow->s >= goal->progress;
}

/* The first target in (s, end]; INFINITY if none. */
static double next_target(sf_flow *flow, const flow_goal *goal, double end)
{
    double first = INFINITY, from = flow->s;
    if (goal->progress <= end)
        first = goal->progress;
    if (goal->tau < INFINITY && tau_of(flow, sf_flow_look(flow, end)) >= goal->tau)
        first = fmin(first, sf_flow_locate(flow, tau_minus, goal->tau, from, end));
    if (goal->log_time < INFINITY && log_time_at(flow, end) >= goal->log_time)
        first = fmin(first, sf_flow_locate(flow, log_time_minus, goal->log_time, from, end));
    if (goal->log_norm < INFINITY && log_norm_minus(flow, end, goal->log_norm) >= 0.0 &&
        log_norm_minus(flow, from, goal->log_norm) < 0.0)
        first = fmin(first, sf_flow_locate(flow, log_norm_minus, goal->log_norm, from, end));
    return first;
}

/* Exactly the target's value, where rounding left a neighbour. */
static void settle(sf_flow *flow, const flow_goal *goal)
{
    if (goal->tau < INFINITY && fabs(flow->tau - goal->tau) <= 1e-14 * fabs(goal->tau))
        flow->tau = goal->tau;
}

static sf_status change_mode(sf_flow *flow)
{
    size_t count = 0;
    flow->stuck = flow->s - flow->last_change > 1e-10 * (1.0 + fabs(flow->s)) ? 0 : flow->stuck + 1;
    flow->last_change = flow->s;
    if (flow->stuck > MODE_CHANGES_IN_PLACE)
        return sf_fail(flow->context, SF_ERR_NUMERIC,
                       "the discontinuous field changes its mode without end at tau = %.17g", flow->tau);
    SF_TRY(flow->model->system->change_mode(flow->model, flow->y, flow->slides, &count));
    for (size_t i = 0; i < count; i++)
        SF_TRY(add_event(flow, SF_EVENT_SLIDING, -1, flow->slides[i]));
    flow->mode_ends = false;
    flow->past.count = 0;
    flow->step_to = flow->s;
    flow->width = INFINITY;
    flow->psi = NAN;
    flow->glance[0].s = NAN; // slopes jump
    return sf_flow_integrator_restart(flow->integrator, flow->s, flow->y);
}

/* One step of the integrator; where it gives up, the message says what it may lie at. */
static sf_status make_step(sf_flow *flow)
{
    sf_status status = sf_flow_get_work(flow).steps <= MOST_STEPS
                           ? sf_flow_integrator_step(flow->integrator, &flow->step_from, &flow->step_to)
                           : sf_fail(flow->context, SF_ERR_NUMERIC,
                                     "the flow creeps around a singular point: at tau = %.17g after %d steps",
                                     flow->tau, MOST_STEPS);
    const sf_perturbation *perturbation = &flow->model->perturbation;
    char reason[300];
    if (status != SF_ERR_NUMERIC || perturbation->method != SF_METHOD_LP || !(perturbation->p > 2.0))
        return status;
    snprintf(reason, sizeof reason, "%s", sf_context_message(flow->context));
    return sf_fail(
        flow->context, SF_ERR_NUMERIC,
        "%s (lp-SAM with p = %g > 2: its perturbation grows like |g_j|^%.3g where a gradient coordinate "
        "passes 0, so the flow is not smooth there)",
        reason, perturbation->p, 1.0 / (perturbation->p - 1.0));
}

/* A new panel at s, after a new step if the last one is used up. */
static sf_status proceed(sf_flow *flow)
{
    if (flow->mode_ends)
        SF_TRY(change_mode(flow));
    if (flow->s >= flow->step_to) {
        SF_TRY(check_rest(flow));
        if (flow->state != SF_FLOW_RUNNING)
            return SF_OK;
        SF_TRY(make_step(flow));
    }
    return next_panel(flow);
}

/* The target as one number for each clock. */
static sf_status read_target(const sf_flow *flow, const sf_flow_target *given, flow_goal *goal)
{
    enum { ALL = SF_STOP_TAU | SF_STOP_LOG_TIME | SF_STOP_LOG_NORM | SF_STOP_PROGRESS };
    sf_flow_target target;
    SF_TRY(SF_TAKE(flow->context, sf_flow_target, &target, given));
    if (target.stops == 0 || (target.stops & ~(unsigned)ALL) != 0)
        return sf_fail(flow->context, SF_ERR_ARGUMENT,
                       "stops is %u: the target of a flow names no clock, or one that is unknown",
                       target.stops);
    *goal = (flow_goal){.tau = target.stops & SF_STOP_TAU ? target.tau : INFINITY,
                        .log_time = target.stops & SF_STOP_LOG_TIME ? target.log_time : INFINITY,
                        .log_norm = target.stops & SF_STOP_LOG_NORM ? target.log_norm : INFINITY,
                        .progress = target.stops & SF_STOP_PROGRESS ? target.progress : INFINITY};
    if (isnan(goal->tau) || isnan(goal->log_time) || isnan(goal->log_norm) || isnan(goal->progress))
        return sf_fail(flow->context, SF_ERR_ARGUMENT, "the target of a flow is not a number");
    return SF_OK;
}

void sf_flow_stop_after(sf_flow *flow, uint64_t evaluations)
{
    flow->most_work = evaluations;
}

bool sf_flow_is_spent(const sf_flow *flow)
{
    return flow->most_work > 0 && sf_flow_get_work(flow).evaluations + flow->looks > flow->most_work;
}

sf_status sf_flow_advance(sf_flow *flow, const sf_flow_target *target)
{
    flow_goal goal = {INFINITY, INFINITY, INFINITY, INFINITY};
    if (!flow)
        return SF_ERR_ARGUMENT;
    SF_TRY(read_target(flow, target, &goal));
    while (flow->state == SF_FLOW_RUNNING && !reached(flow, &goal)) {
        if (flow->s >= flow->panel.b) {
            if (sf_cancelled(flow->context))
                return sf_fail(flow->context, SF_ERR_CANCELLED, "interrupted at tau = %.17g", flow->tau);
            if (sf_flow_is_spent(flow))
                return SF_OK;
            SF_TRY(proceed(flow));
            continue;
        }
        double event = next_dominance(flow), end = isnan(event) ? flow->panel.b : event;
        double stop = next_target(flow, &goal, end);
        go_to(flow, fmin(stop, end));
        if (stop <= end) {
            settle(flow, &goal);
            return SF_OK;
        }
        if (!isnan(event))
            SF_TRY(change_leader(flow));
    }
    if (flow->state != SF_FLOW_RUNNING)
        advance_at_rest(flow, &goal);
    return SF_OK;
}
