/* Trajectories: the store of samples and events, and what can be asked of it. */
#include "experiment/trajectory.h"

#include <math.h>
#include <string.h>

sf_status sf_trajectory_create_bare(sf_context *context, size_t d, size_t depth, sf_trajectory **out)
{
    sf_trajectory *trajectory = *out = SF_NEW(context, sf_trajectory);
    if (!trajectory)
        return SF_ERR_MEMORY;
    trajectory->context = context;
    trajectory->d = d;
    trajectory->depth = depth;
    return SF_OK;
}

sf_status sf_trajectory_create(const sf_experiment *experiment, sf_trajectory **out)
{
    SF_TRY(sf_trajectory_create_bare(experiment->context, sf_network_features(experiment->network),
                                     (size_t)sf_network_depth(experiment->network), out));
    (*out)->experiment = experiment;
    return SF_OK;
}

static void release_sample(sf_context *context, sf_sample *sample)
{
    sf_free(context, sample->beta);
    sf_free(context, sample->log_abs_beta);
}

void sf_trajectory_clear(sf_trajectory *trajectory)
{
    for (size_t i = 0; i < trajectory->count; i++)
        release_sample(trajectory->context, &trajectory->samples[i]);
    trajectory->count = 0;
}

void sf_trajectory_destroy(sf_trajectory **trajectory)
{
    if (!trajectory || !*trajectory)
        return;
    sf_trajectory *dead = *trajectory;
    sf_trajectory_clear(dead);
    sf_descent_destroy(&dead->descent);
    sf_free_aligned(dead->context, dead->final_layers);
    sf_free(dead->context, dead->experiment_text);
    sf_free(dead->context, dead->samples);
    sf_free(dead->context, dead->events);
    sf_free(dead->context, dead);
    *trajectory = NULL;
}

/* ---- building ------------------------------------------------------------------------------------ */

/* Makes room for one more item in an array that doubles. */
static void *reserve(sf_context *context, void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    size_t wanted = *capacity ? 2 * *capacity : 16;
    void *moved = sf_resize(context, array, wanted, size);
    if (moved)
        *capacity = wanted;
    return moved;
}

sf_status sf_trajectory_append(sf_trajectory *trajectory, double step, double tau, double log_time,
                               sf_sample **out)
{
    sf_context *context = trajectory->context;
    sf_sample *samples =
        reserve(context, trajectory->samples, trajectory->count, &trajectory->capacity, sizeof *samples);
    if (!samples)
        return SF_ERR_MEMORY;
    trajectory->samples = samples;
    double *beta = SF_ARRAY(context, trajectory->d, double);
    if (!beta)
        return SF_ERR_MEMORY;
    *out = &samples[trajectory->count++];
    **out = (sf_sample){.step = step,
                        .tau = tau,
                        .log_time = log_time,
                        .log_loss = NAN,
                        .min_margin = NAN,
                        .applied_norm = NAN,
                        .beta = beta};
    return SF_OK;
}

void sf_trajectory_remove(sf_trajectory *trajectory, size_t index)
{
    release_sample(trajectory->context, &trajectory->samples[index]);
    trajectory->count--;
    memmove(&trajectory->samples[index], &trajectory->samples[index + 1],
            (trajectory->count - index) * sizeof *trajectory->samples);
}

static bool all_normal(size_t d, const double *beta)
{
    size_t normal = 0;
    for (size_t j = 0; j < d; j++)
        normal += isnormal(beta[j]) != 0;
    return normal == d;
}

sf_status sf_trajectory_fill_from_theta(sf_trajectory *trajectory, sf_sample *sample, const double *theta)
{
    sf_network *network = sf_experiment_network(trajectory->experiment);
    size_t d = trajectory->d;
    sf_network_predictor(network, theta, sample->beta);
    sf_network_evaluate(network, sample->beta, &sample->log_loss, &sample->min_margin);
    if (all_normal(d, sample->beta))
        return SF_OK;
    double *logs = sample->log_abs_beta = SF_ARRAY(trajectory->context, d, double);
    if (!logs)
        return SF_ERR_MEMORY;
    for (size_t j = 0; j < d; j++)
        logs[j] = isnormal(sample->beta[j]) ? log(fabs(sample->beta[j])) : 0.0;
    for (size_t l = 0; l < trajectory->depth; l++)
        for (size_t j = 0; j < d; j++)
            if (!isnormal(sample->beta[j]))
                logs[j] += log(fabs(theta[l * d + j]));
    return SF_OK;
}

void sf_trajectory_compact(const sf_trajectory *trajectory, sf_sample *sample)
{
    if (!sample->log_abs_beta || !all_normal(trajectory->d, sample->beta))
        return;
    sf_free(trajectory->context, sample->log_abs_beta);
    sample->log_abs_beta = NULL;
}

sf_status sf_trajectory_append_event(sf_trajectory *trajectory, const sf_event *event)
{
    sf_event *events = reserve(trajectory->context, trajectory->events, trajectory->event_count,
                               &trajectory->event_capacity, sizeof *events);
    if (!events)
        return SF_ERR_MEMORY;
    trajectory->events = events;
    events[trajectory->event_count++] = *event;
    return SF_OK;
}

/* ---- asking -------------------------------------------------------------------------------------- */

const char *sf_run_status_name(sf_run_status status)
{
    static const char *const name[] = {"completed", "collapsed", "diverged", "interrupted"};
    return (size_t)status < sizeof name / sizeof name[0] ? name[status] : NULL;
}

sf_run_status sf_trajectory_status(const sf_trajectory *trajectory)
{
    return trajectory->status;
}

size_t sf_trajectory_features(const sf_trajectory *trajectory)
{
    return trajectory->d;
}

size_t sf_trajectory_records(const sf_trajectory *trajectory)
{
    return trajectory->count;
}

const double *sf_trajectory_log_abs_beta(const sf_trajectory *trajectory, size_t index, double *scratch)
{
    const sf_sample *sample = &trajectory->samples[index];
    if (sample->log_abs_beta)
        return sample->log_abs_beta;
    for (size_t j = 0; j < trajectory->d; j++)
        scratch[j] = log(fabs(sample->beta[j]));
    return scratch;
}

sf_record sf_trajectory_record(const sf_trajectory *trajectory, size_t index)
{
    if (index >= trajectory->count)
        return (sf_record){NAN, NAN, NAN, NAN, NAN, NAN, NULL, NULL};
    sf_sample *sample = &trajectory->samples[index];
    if (!sample->log_abs_beta) {
        double *logs = SF_ARRAY(trajectory->context, trajectory->d, double);
        if (logs)
            sf_trajectory_log_abs_beta(trajectory, index, logs);
        sample->log_abs_beta = logs;
    }
    return (sf_record){.step = sample->step,
                       .tau = sample->tau,
                       .log_time = sample->log_time,
                       .log_loss = sample->log_loss,
                       .min_margin = sample->min_margin,
                       .applied_norm = sample->applied_norm,
                       .beta = sample->beta,
                       .log_abs_beta = sample->log_abs_beta};
}

static void put(double *column, size_t index, double value)
{
    if (column)
        column[index] = value;
}

sf_status sf_trajectory_read_columns(const sf_trajectory *trajectory, const sf_trajectory_columns *columns)
{
    if (!trajectory)
        return SF_ERR_ARGUMENT;
    sf_trajectory_columns to;
    SF_TRY(SF_TAKE(trajectory->context, sf_trajectory_columns, &to, columns));
    size_t d = trajectory->d;
    for (size_t i = 0; i < trajectory->count; i++) {
        const sf_sample *sample = &trajectory->samples[i];
        put(to.step, i, sample->step);
        put(to.tau, i, sample->tau);
        put(to.log_time, i, sample->log_time);
        put(to.log_loss, i, sample->log_loss);
        put(to.min_margin, i, sample->min_margin);
        put(to.applied_norm, i, sample->applied_norm);
        if (to.beta)
            memcpy(to.beta + i * d, sample->beta, d * sizeof *to.beta);
        if (to.log_abs_beta) {
            double *logs = to.log_abs_beta + i * d;
            const double *found = sf_trajectory_log_abs_beta(trajectory, i, logs);
            if (found != logs)
                memcpy(logs, found, d * sizeof *logs);
        }
    }
    return SF_OK;
}

const double *sf_trajectory_final_layers(const sf_trajectory *trajectory)
{
    return trajectory->descent ? sf_descent_theta(trajectory->descent) : trajectory->final_layers;
}

double sf_trajectory_log_excess(const sf_trajectory *trajectory, size_t *minor, size_t *major)
{
    *minor = trajectory->minor;
    *major = trajectory->major;
    return trajectory->minor == trajectory->major ? NAN : sf_excess_log(&trajectory->excess);
}

const sf_event *sf_trajectory_events(const sf_trajectory *trajectory, size_t *count)
{
    *count = trajectory->event_count;
    return trajectory->events;
}
