/* The exact run: one example, two layers, GD or l2-SAM, through the scalar reduction (theory/). The state at any
 * moment follows directly, so there is nothing to integrate along: the end is found first, then the records.
 *
 *   u_j = u_j(0) exp(mu_j tau - mu_j^2 B), v_j = v_j(0) exp(-mu_j tau - mu_j^2 B), w_1 = (u + v) / 2,
 *   w_2 = (u - v) / 2. Records are spread evenly in tau.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <samflow/verdict.h>

#include "experiment/trajectory.h"

typedef struct sf_exact_run {
    sf_experiment *experiment;
    sf_trajectory *trajectory;
    sf_reduction *reduction;
    sf_reduction_point end; // of the records spread evenly; the moment of the collapse, if there is one
    sf_reduction_point *points;
    size_t count;
    sf_leader *leaders;
    size_t leader_count;
} sf_exact_run;

/* ---- set up --------------------------------------------------------------------------------------------- */

/* Which feature leads when, as theory finds it. First of all, since it takes the memory of a reduction of its own. */
static sf_status find_leaders(sf_exact_run *run)
{
    sf_experiment *experiment = run->experiment;
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    double *start = sf_alloc_doubles(experiment->context, 2 * run->trajectory->d);
    if (!start)
        return SF_ERR_MEMORY;
    sf_experiment_fill_initialization(experiment, start);
    sf_prediction *prediction = NULL;
    sf_status status =
        sf_predict(experiment->context, experiment->network, &perturbation, start, &prediction);
    sf_free_aligned(experiment->context, start);
    if (status == SF_OK) {
        const sf_leader *leaders = sf_prediction_dominance(prediction, &run->leader_count);
        run->leaders = SF_ARRAY(experiment->context, run->leader_count, sf_leader);
        status = run->leaders ? SF_OK : SF_ERR_MEMORY;
        if (run->leaders && run->leader_count > 0)
            memcpy(run->leaders, leaders, run->leader_count * sizeof *leaders);
    }
    sf_prediction_destroy(&prediction);
    return status;
}

static sf_status create_reduction(sf_exact_run *run)
{
    sf_experiment *experiment = run->experiment;
    sf_context *context = experiment->context;
    size_t d = run->trajectory->d;
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    double *mu = sf_alloc_doubles(context, d), *start = sf_alloc_doubles(context, 2 * d);
    sf_status status = mu && start ? SF_OK : SF_ERR_MEMORY;
    if (status == SF_OK) {
        sf_dataset_example(experiment->dataset, 0, mu);
        sf_experiment_fill_initialization(experiment, start);
        status = sf_reduction_create(context, d, mu, start, start + d, perturbation.rho,
                                     sf_network_loss(experiment->network), &run->reduction);
    }
    sf_free_aligned(context, mu);
    sf_free_aligned(context, start);
    return status;
}

/* The moment of the collapse, known to lie before tau: where the state turns, to the last bit of tau. */
static sf_status find_collapse(sf_exact_run *run, double tau)
{
    double low = 0.0, high = tau;
    SF_TRY(sf_reduction_at_tau(run->reduction, high, &run->end));
    for (int i = 0; i < 2000; i++) {
        double middle = 0.5 * (low + high);
        if (!(middle > low && middle < high))
            break;
        sf_reduction_point point;
        SF_TRY(sf_reduction_at_tau(run->reduction, middle, &point));
        if (point.collapsed) {
            high = middle;
            run->end = point;
        } else {
            low = middle;
        }
    }
    return SF_OK;
}

static sf_status find_end(sf_exact_run *run)
{
    sf_until until = sf_experiment_until(run->experiment);
    run->end = (sf_reduction_point){.tau = INFINITY};
    if (until.log_time < INFINITY)
        SF_TRY(sf_reduction_at_log_time(run->reduction, until.log_time, &run->end));
    if (until.tau < run->end.tau)
        SF_TRY(sf_reduction_at_tau(run->reduction, until.tau, &run->end));
    if (!run->end.collapsed)
        return SF_OK;
    run->trajectory->status = SF_RUN_COLLAPSED;
    return find_collapse(run, run->end.tau);
}

/* ---- records -------------------------------------------------------------------------------------------- */

static int compare_points(const void *left, const void *right)
{
    double a = ((const sf_reduction_point *)left)->tau, b = ((const sf_reduction_point *)right)->tau;
    return (a > b) - (a < b);
}

/* The points asked for, up to the end of the run (after a collapse: the end asked for). */
static sf_status ask_points(sf_exact_run *run)
{
    sf_until until = sf_experiment_until(run->experiment);
    const sf_value *tau = &run->experiment->values[SF_SET_AT_TAU];
    const sf_value *log_time = &run->experiment->values[SF_SET_AT_LOG_TIME];
    for (size_t i = 0; i < tau->count + log_time->count; i++) {
        sf_reduction_point *point = &run->points[run->count];
        if (i < tau->count)
            SF_TRY(sf_reduction_at_tau(run->reduction, tau->numbers[i], point));
        else
            SF_TRY(sf_reduction_at_log_time(run->reduction, log_time->numbers[i - tau->count], point));
        bool within = run->end.collapsed ? point->tau <= until.tau && point->log_time <= until.log_time
                                         : point->tau <= run->end.tau;
        run->count += within;
    }
    return SF_OK;
}

static sf_status place_points(sf_exact_run *run)
{
    size_t samples = sf_experiment_samples(run->experiment);
    size_t asked =
        run->experiment->values[SF_SET_AT_TAU].count + run->experiment->values[SF_SET_AT_LOG_TIME].count;
    samples = samples > 2 ? samples : 2;
    run->points = SF_ARRAY(run->experiment->context, samples + asked, sf_reduction_point);
    if (!run->points)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i + 1 < samples; i++)
        SF_TRY(sf_reduction_at_tau(run->reduction, run->end.tau * (double)i / (double)(samples - 1),
                                   &run->points[run->count++]));
    run->points[run->count++] = run->end;
    SF_TRY(ask_points(run));
    qsort(run->points, run->count, sizeof *run->points, compare_points);
    return SF_OK;
}

static sf_status record(sf_exact_run *run, const sf_reduction_point *point)
{
    sf_trajectory *trajectory = run->trajectory;
    sf_sample *sample;
    SF_TRY(sf_trajectory_append(trajectory, NAN, point->tau, point->log_time, &sample));
    sample->log_abs_beta = SF_ARRAY(trajectory->context, trajectory->d, double);
    if (!sample->log_abs_beta)
        return SF_ERR_MEMORY;
    sf_reduction_predictor(run->reduction, point, sample->beta, sample->log_abs_beta);
    sample->log_loss = point->log_loss;
    sample->min_margin = point->margin;
    sample->applied_norm = point->collapsed ? 0.0 : sf_experiment_perturbation(run->experiment).rho;
    sf_trajectory_compact(trajectory, sample);
    return SF_OK;
}

static sf_status make_records(sf_exact_run *run)
{
    SF_TRY(place_points(run));
    for (size_t i = 0; i < run->count; i++) {
        if (i > 0 && run->points[i].tau == run->points[i - 1].tau)
            continue;
        if (sf_cancelled(run->experiment->context))
            return sf_fail(run->experiment->context, SF_ERR_CANCELLED, "interrupted after %zu records", i);
        SF_TRY(record(run, &run->points[i]));
        sf_progress(run->experiment->context, (double)(i + 1) / (double)run->count, "records");
    }
    return SF_OK;
}

/* ---- the end -------------------------------------------------------------------------------------------- */

/* What is 0 stays 0, also where the factor is beyond a double. */
static double carry(double amplitude, double exponent)
{
    return amplitude == 0.0 ? 0.0 : copysign(exp(log(fabs(amplitude)) + exponent), amplitude);
}

/* w_1, w_2 (d each) at a point, from the start that they hold. */
static void carry_layers(const double *mu, const sf_reduction_point *point, size_t d, double *layers)
{
    for (size_t j = 0; j < d; j++) {
        double u = layers[j] + layers[d + j], v = layers[j] - layers[d + j];
        if (mu[j] == 0.0) // it does not move, not even in a collapse
            continue;
        double shrink = mu[j] * mu[j] * point->b;
        u = point->collapsed ? 0.0 : carry(u, mu[j] * point->tau - shrink);
        v = point->collapsed ? 0.0 : carry(v, -mu[j] * point->tau - shrink);
        layers[j] = 0.5 * (u + v);
        layers[d + j] = 0.5 * (u - v);
    }
}

static sf_status keep_last_state(sf_exact_run *run)
{
    sf_trajectory *trajectory = run->trajectory;
    sf_context *context = trajectory->context;
    size_t d = trajectory->d;
    double *mu = sf_alloc_doubles(context, d);
    trajectory->final_layers = sf_alloc_doubles(context, 2 * d);
    sf_status status = mu && trajectory->final_layers ? SF_OK : SF_ERR_MEMORY;
    if (status == SF_OK) {
        sf_dataset_example(run->experiment->dataset, 0, mu);
        sf_experiment_fill_initialization(run->experiment, trajectory->final_layers);
        carry_layers(mu, &run->points[trajectory->count > 0 ? run->count - 1 : 0], d,
                     trajectory->final_layers);
    }
    sf_free_aligned(context, mu);
    return status;
}

static sf_status add_events(const sf_exact_run *run)
{
    for (size_t i = 1; i < run->leader_count && run->leaders[i].tau <= run->end.tau; i++) {
        const sf_leader *leader = &run->leaders[i];
        sf_event event = {.kind = SF_EVENT_DOMINANCE,
                          .from = (int64_t)leader[-1].index,
                          .to = (int64_t)leader->index,
                          .step = NAN,
                          .tau = leader->tau,
                          .log_time = leader->log_time,
                          .log_loss = leader->log_loss};
        if (isnan(event.log_loss)) { // beyond the range of log t
            sf_reduction_point point;
            SF_TRY(sf_reduction_at_tau(run->reduction, leader->tau, &point));
            event.log_loss = point.log_loss;
        }
        SF_TRY(sf_trajectory_append_event(run->trajectory, &event));
    }
    if (!run->end.collapsed)
        return SF_OK;
    sf_event event = {.kind = SF_EVENT_COLLAPSE,
                      .from = -1,
                      .to = -1,
                      .step = NAN,
                      .tau = run->end.tau,
                      .log_time = run->end.log_time,
                      .log_loss = run->end.log_loss};
    return sf_trajectory_append_event(run->trajectory, &event);
}

static sf_status run_all(sf_exact_run *run)
{
    SF_TRY(find_leaders(run));
    SF_TRY(create_reduction(run));
    SF_TRY(find_end(run));
    sf_status status = make_records(run);
    if (status != SF_OK && status != SF_ERR_CANCELLED)
        return status;
    SF_TRY(add_events(run));
    SF_TRY(keep_last_state(run));
    return status;
}

sf_status sf_run_exact(sf_experiment *experiment, sf_trajectory *trajectory)
{
    sf_exact_run run = {.experiment = experiment, .trajectory = trajectory};
    sf_status status = run_all(&run);
    sf_reduction_destroy(&run.reduction);
    sf_free(experiment->context, run.points);
    sf_free(experiment->context, run.leaders);
    return status;
}
