/* The flow from checkpoint to checkpoint, a factor e apart in log t, within a bounded amount of work. */
#include "verdict/limit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "flow/flow.h"

/* Evaluations of the right-hand side after which the search ends, unless it is told otherwise. */
static const uint64_t WORK = 500000;
/* And so many times that, those on its dense output counted: a stride may take any amount of them. */
static const uint64_t LOOKS = 2;
/* Progress (the integrator's clock) made at a time between looks at the work done, relative to that made so far. */
static const double STRIDE = 0.25;
/* Where log t does not exist, marks are this far apart in log ||beta||. */
static const double NORM_STEP = 1.0;
static const double NORM_END = 28.0;

bool sf_equal_layers(int depth, size_t d, const double *theta)
{
    for (int l = 1; l < depth; l++)
        if (memcmp(theta, theta + (size_t)l * d, d * sizeof *theta) != 0)
            return false;
    return true;
}

double sf_direction_distance(sf_norm norm, size_t d, const double *x, const double *y)
{
    double sum = 0.0;
    for (size_t j = 0; j < d; j++)
        sum += norm == SF_NORM_L1 ? fabs(x[j] - y[j]) : (x[j] - y[j]) * (x[j] - y[j]);
    return norm == SF_NORM_L1 ? sum : sqrt(sum);
}

double sf_direction_angle(size_t d, const double *x, const double *y)
{
    double a = 0.0, b = 0.0, minus = 0.0, plus = 0.0;
    for (size_t j = 0; j < d; j++) {
        a += x[j] * x[j];
        b += y[j] * y[j];
    }
    a = sqrt(a);
    b = sqrt(b);
    for (size_t j = 0; j < d; j++) { // Kahan: 2 atan(||u - v|| / ||u + v||) of the unit vectors
        double u = x[j] / a, v = y[j] / b;
        minus += (u - v) * (u - v);
        plus += (u + v) * (u + v);
    }
    return 2.0 * atan2(sqrt(minus), sqrt(plus));
}

sf_status sf_track_create(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                          const double *theta, double flow_tolerance, sf_track *track)
{
    size_t d = sf_network_features(network);
    int depth = sf_network_depth(network);
    *track = (sf_track){.context = context,
                        .network = network,
                        .perturbation = *perturbation,
                        .start = theta,
                        .d = d,
                        .depth = depth,
                        .norm = depth == 1 ? SF_NORM_L2 : SF_NORM_L1,
                        .change = NAN,
                        .work = WORK};
    track->theta = SF_ARRAY(context, sf_network_parameters(network), double);
    track->marks = sf_alloc_zero(context, SF_MARKS, sizeof *track->marks);
    if (!track->theta || !track->marks)
        return SF_ERR_MEMORY;
    memcpy(track->theta, theta, sf_network_parameters(network) * sizeof *theta);
    return sf_flow_create(context, network, perturbation, theta, flow_tolerance, &track->flow);
}

void sf_track_release(sf_track *track)
{
    for (size_t i = 0; track->marks && i < track->count; i++) {
        sf_free(track->context, track->marks[i].direction);
        sf_free(track->context, track->marks[i].log_beta);
        sf_free(track->context, track->marks[i].beta);
    }
    sf_free(track->context, track->marks);
    sf_free(track->context, track->theta);
    sf_flow_destroy(&track->flow);
}

/* Direction and norm from log |beta|, which does not overflow. beta only gives the signs. */
static void set_direction(const sf_track *track, sf_track_mark *mark)
{
    double high = -INFINITY, sum = 0.0;
    for (size_t j = 0; j < track->d; j++)
        high = fmax(high, mark->log_beta[j]);
    mark->log_norm = high;
    if (!isfinite(high)) {
        memset(mark->direction, 0, track->d * sizeof *mark->direction);
        return;
    }
    for (size_t j = 0; j < track->d; j++) {
        double size = exp(mark->log_beta[j] - high);
        mark->direction[j] = copysign(size, mark->direction[j]);
        sum += track->norm == SF_NORM_L1 ? size : size * size;
    }
    double length = track->norm == SF_NORM_L1 ? sum : sqrt(sum);
    mark->log_norm = high + log(length);
    for (size_t j = 0; j < track->d; j++)
        mark->direction[j] /= length;
}

static sf_status add_mark(sf_track *track)
{
    sf_track_mark *mark = &track->marks[track->count];
    mark->direction = SF_ARRAY(track->context, track->d, double);
    mark->log_beta = SF_ARRAY(track->context, track->d, double);
    mark->beta = SF_ARRAY(track->context, track->d, double);
    track->count++;
    if (!mark->direction || !mark->log_beta || !mark->beta)
        return SF_ERR_MEMORY;
    sf_flow_theta(track->flow, track->theta);
    sf_flow_predictor(track->flow, mark->direction, mark->log_beta);
    memcpy(mark->beta, mark->direction, track->d * sizeof *mark->beta);
    set_direction(track, mark);
    sf_flow_evaluate(track->flow, &mark->log_loss, &mark->min_margin, NULL);
    mark->log_time = sf_flow_log_time(track->flow);
    mark->tau = sf_flow_tau(track->flow);
    mark->clock = isnan(mark->log_time) ? exp(mark->log_norm) : mark->log_time;
    return SF_OK;
}

/* What the last two marks say. */
static void compare(sf_track *track)
{
    const sf_track_mark *last = &track->marks[track->count - 1];
    sf_flow_state state = sf_flow_get_state(track->flow);
    track->at_rest = state == SF_FLOW_COLLAPSED || state == SF_FLOW_RESTING;
    track->ended = track->ended || state != SF_FLOW_RUNNING;
    if (track->count > 1)
        track->change = sf_direction_distance(track->norm, track->d, last->direction, last[-1].direction);
}

static bool falls(const sf_track_mark *from, const sf_track_mark *to)
{
    return to->log_norm == -INFINITY ||
           to->log_norm - from->log_norm < -SF_STEADY * (to->clock - from->clock);
}

bool sf_fades(const sf_track *track)
{
    if (track->count < 3)
        return false;
    const sf_track_mark *last = &track->marks[track->count - 1];
    return !isnan(last->log_time) && falls(last - 2, last - 1) && falls(last - 1, last);
}

/* Advances in strides; false in *running when the flow has ended on the way. */
static sf_status run(sf_track *track, double log_time, double log_norm)
{
    for (;;) {
        double progress = sf_flow_progress(track->flow);
        sf_flow_target target = {.size = sizeof target,
                                 .stops = SF_STOP_LOG_TIME | SF_STOP_LOG_NORM | SF_STOP_PROGRESS,
                                 .log_time = log_time,
                                 .log_norm = log_norm,
                                 .progress = progress + fmax(1.0, STRIDE * fabs(progress))};
        sf_flow_stop_after(track->flow, LOOKS * track->work);
        sf_status status = sf_flow_advance(track->flow, &target);
        if (status == SF_ERR_NUMERIC) {
            track->ended = track->lost = true;
            snprintf(track->message, sizeof track->message, "%s", sf_context_message(track->context));
            return SF_OK;
        }
        if (status != SF_OK || sf_flow_get_state(track->flow) != SF_FLOW_RUNNING)
            return status;
        if (sf_flow_is_spent(track->flow)) {
            track->ended = track->spent = true;
            return SF_OK;
        }
        if (isnan(sf_flow_log_time(track->flow)) && isinf(log_norm))
            return SF_OK;
        if (sf_flow_progress(track->flow) < target.progress)
            return SF_OK;
        if (sf_flow_get_work(track->flow).evaluations > track->work) {
            track->ended = track->spent = true;
            return SF_OK;
        }
    }
}

static double log_norm_of_flow(const sf_track *track)
{
    return track->count ? track->marks[track->count - 1].log_norm : 0.0;
}

sf_status sf_track_advance(sf_track *track, double log_time)
{
    if (track->count == SF_MARKS) {
        track->ended = true;
        return SF_OK;
    }
    if (!isnan(sf_flow_log_time(track->flow)))
        SF_TRY(run(track, log_time, INFINITY));
    if (!track->ended && isnan(sf_flow_log_time(track->flow)) &&
        sf_flow_get_state(track->flow) == SF_FLOW_RUNNING) {
        double next = log_norm_of_flow(track) + NORM_STEP;
        if (next > NORM_END)
            track->ended = true;
        else
            SF_TRY(run(track, INFINITY, next));
    }
    SF_TRY(add_mark(track));
    compare(track);
    return SF_OK;
}
