/* Flows: creation, and what is read from them. How they move: advance.c. */
#include "flow/flow.h"

#include <math.h>
#include <string.h>

#include "sam/check.h"

const char *sf_event_name(sf_event_kind kind)
{
    static const char *const name[] = {"dominance", "collapse", "blow_up", "sliding"};
    return (size_t)kind < sizeof name / sizeof name[0] ? name[kind] : NULL;
}

/* ---- creation ------------------------------------------------------------------------------------ */

static bool rhs(const double *y, double *dy, void *user)
{
    flow_model *model = ((sf_flow *)user)->model;
    flow_clocks clocks;
    if (!flow_rates(model, y, dy, &clocks))
        return false;
    for (size_t i = 0; i < model->size; i++)
        if (!isfinite(dy[i]))
            return false;
    return true;
}

static bool linearize(const double *y, void *user)
{
    flow_model *model = ((sf_flow *)user)->model;
    return model->system->linearize(model, y);
}

static void tangent(const double *v, double *jv, void *user)
{
    flow_model *model = ((sf_flow *)user)->model;
    model->system->tangent(model, v, jv);
}

static void allowance(const double *y, double *allowed, void *user)
{
    const sf_flow *flow = user;
    flow->model->system->allowance(flow->model, y, flow->tolerance, allowed);
}

static sf_status check(sf_context *context, const sf_network *network, const sf_perturbation *perturbation,
                       const double *theta, double tolerance)
{
    SF_TRY(sf_check_run(context, network, perturbation, theta));
    if (!(tolerance == 0.0 || (tolerance >= 1e-14 && tolerance <= 0.1)))
        return sf_fail(context, SF_ERR_ARGUMENT, "tolerance is %g, expected 0 or 1e-14 to 0.1", tolerance);
    return SF_OK;
}

static sf_status choose_model(sf_flow *flow, const flow_start *start)
{
    static flow_model_maker *const makers[] = {sf_flow_scalar_create, sf_flow_amplitude_create,
                                               sf_flow_gates_create, sf_flow_layers_create,
                                               sf_flow_weights_create};
    for (size_t i = 0; i < sizeof makers / sizeof makers[0] && !flow->model; i++)
        SF_TRY(makers[i](flow->context, start, &flow->model));
    return SF_OK;
}

static sf_status set_up(sf_flow *flow, const flow_start *start)
{
    SF_TRY(choose_model(flow, start));
    flow_model *model = flow->model;
    flow->y = sf_alloc_doubles(flow->context, model->size);
    flow->ahead = sf_alloc_doubles(flow->context, model->size);
    flow->rate = sf_alloc_doubles(flow->context, model->size);
    flow->log_beta = sf_alloc_doubles(flow->context, model->d);
    flow->beta = sf_alloc_doubles(flow->context, model->d);
    if (!flow->y || !flow->ahead || !flow->rate || !flow->log_beta || !flow->beta)
        return SF_ERR_MEMORY;
    for (int g = 0; g < FLOW_GLANCES; g++) {
        flow->glance[g].s = NAN;
        flow->glance[g].log_beta = SF_ARRAY(flow->context, model->d, double);
        flow->glance[g].sign = SF_ARRAY(flow->context, model->d, signed char);
        if (!flow->glance[g].log_beta || !flow->glance[g].sign)
            return SF_ERR_MEMORY;
    }
    if (model->system->change_mode && !(flow->slides = SF_ARRAY(flow->context, model->d, int64_t)))
        return SF_ERR_MEMORY;
    model->system->begin(model, flow->y);
    flow_problem problem = {
        .size = model->size, .stiff = model->stiff, .rhs = rhs, .allowance = allowance, .user = flow};
    if (model->stiff && model->system->tangent) {
        problem.linearize = linearize;
        problem.tangent = tangent;
    }
    SF_TRY(sf_flow_integrator_create(flow->context, &problem, &flow->integrator));
    return sf_flow_integrator_restart(flow->integrator, 0.0, flow->y);
}

sf_status sf_flow_create(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                         const double *theta, double tolerance, sf_flow **out)
{
    SF_OUT(context, out);
    SF_TRY(check(context, network, perturbation, theta, tolerance));
    sf_flow *flow = SF_NEW(context, sf_flow);
    if (!flow)
        return SF_ERR_MEMORY;
    flow->context = context;
    flow->network = network;
    flow->tolerance = tolerance > 0.0 ? tolerance : 1e-12;
    flow->log_time = flow->panel_log_time = -INFINITY;
    flow->leader = -1;
    flow->width = INFINITY;
    flow->psi = NAN;
    sf_status status = set_up(flow, &(flow_start){network, *perturbation, theta});
    if (status != SF_OK) {
        sf_flow_destroy(&flow);
        return status;
    }
    *out = flow;
    return SF_OK;
}

void sf_flow_destroy(sf_flow **flow)
{
    if (!flow || !*flow)
        return;
    sf_flow *it = *flow;
    sf_flow_integrator_destroy(&it->integrator);
    sf_flow_model_destroy(&it->model);
    sf_free_aligned(it->context, it->y);
    sf_free_aligned(it->context, it->ahead);
    sf_free_aligned(it->context, it->rate);
    sf_free_aligned(it->context, it->log_beta);
    sf_free_aligned(it->context, it->beta);
    for (int g = 0; g < FLOW_GLANCES; g++) {
        sf_free(it->context, it->glance[g].log_beta);
        sf_free(it->context, it->glance[g].sign);
    }
    sf_free(it->context, it->slides);
    sf_free(it->context, it->events);
    sf_free(it->context, it);
    *flow = NULL;
}

/* ---- reading ------------------------------------------------------------------------------------- */

sf_flow_state sf_flow_get_state(const sf_flow *flow)
{
    return flow->state;
}

double sf_flow_tau(const sf_flow *flow)
{
    return flow->tau;
}

double sf_flow_log_time(const sf_flow *flow)
{
    return flow->log_time;
}

double sf_flow_progress(const sf_flow *flow)
{
    return flow->s;
}

/* Whether any example has a feature: coordinates without one never move, not even in a collapse. */
static bool is_moved(const sf_flow *flow, size_t j)
{
    const sf_dataset *data = sf_network_dataset(flow->network);
    for (size_t i = 0; i < data->n; i++)
        if (flow_entry(data, i, j) != 0.0)
            return true;
    return false;
}

void sf_flow_theta(const sf_flow *flow, double *theta)
{
    const flow_model *model = flow->model;
    model->system->theta(model, flow->y, theta);
    if (flow->state != SF_FLOW_COLLAPSED || model->system->collapses_elsewhere)
        return;
    for (size_t j = 0; j < model->d; j++)
        for (int l = 0; l < model->depth && is_moved(flow, j); l++)
            theta[(size_t)l * model->d + j] = 0.0;
}

void sf_flow_predictor(const sf_flow *flow, double *beta, double *log_abs_beta)
{
    const flow_model *model = flow->model;
    model->system->predictor(model, flow->y, beta, log_abs_beta);
    for (size_t j = 0; flow->state == SF_FLOW_COLLAPSED && j < model->d; j++) {
        if (!is_moved(flow, j))
            continue;
        if (beta)
            beta[j] = 0.0;
        if (log_abs_beta)
            log_abs_beta[j] = -INFINITY;
    }
}

void sf_flow_evaluate(sf_flow *flow, double *log_loss, double *min_margin, double *applied_norm)
{
    double loss, margin;
    if (log_loss || min_margin) {
        sf_flow_predictor(flow, flow->log_beta, NULL);
        sf_network_evaluate(flow->network, flow->log_beta, &loss, &margin);
        if (log_loss)
            *log_loss = loss;
        if (min_margin)
            *min_margin = margin;
    }
    if (applied_norm)
        *applied_norm =
            flow->state == SF_FLOW_COLLAPSED ? 0.0 : flow->model->system->applied_norm(flow->model, flow->y);
}

const sf_event *sf_flow_events(const sf_flow *flow, size_t *count)
{
    *count = flow->event_count;
    return flow->events;
}

sf_flow_work sf_flow_get_work(const sf_flow *flow)
{
    sf_flow_work work;
    sf_flow_integrator_work(flow->integrator, &work.evaluations, &work.steps);
    return work;
}
