/* The discrete run: T updates, records spread evenly in log step, dominance events at every step.
 *
 * Records: step 0, then S - 1 distinct steps up to T, each the nearest whole number to a geometric sequence
 * that starts again from the last one wherever rounding would repeat it, and the steps of record.at.
 *
 * Dominance: the leader is the coordinate of largest |beta|; ties keep the old one. Where several lead at the
 * start together, the first leader is the largest after one step (the lowest index if they stay level), as in
 * the flow just after time 0. The ratio of the weakest to the strongest feature is watched at every step too
 * (sam/watch.h, which does the same for batches).
 */
#include <string.h>

#include "experiment/trajectory.h"

enum { BLOCK = 512 };

/* The next step to record after `step`, of `left` records that remain, the last at `total`. */
static uint64_t next_sample(uint64_t step, uint64_t total, uint64_t left)
{
    if (left <= 1 || total - step <= left)
        return left <= 1 ? total : step + 1;
    double low = log((double)(step > 0 ? step : 1)), high = log((double)total);
    double target = step == 0 ? 1.0 : exp(low + (high - low) / (double)left);
    uint64_t next = (uint64_t)llround(target);
    return next <= step ? step + 1 : next >= total ? total : next;
}

/* ---- dominance ----------------------------------------------------------------------------------- */

/* beta[first .. first + width) of theta (L, d), at most BLOCK numbers: the watch needs no vector of its own.
 */
static void predictor_block(const sf_trajectory *trajectory, const double *theta, size_t first, size_t width,
                            double *beta)
{
    memcpy(beta, theta + first, width * sizeof *beta);
    for (size_t l = 1; l < trajectory->depth; l++) {
        const double *layer = theta + l * trajectory->d + first;
        for (size_t j = 0; j < width; j++)
            beta[j] *= layer[j];
    }
}

/* The largest |beta|, the first index that has it, and whether others have it too. */
static int64_t largest(const sf_trajectory *trajectory, const double *theta, double *level, bool *tie)
{
    double beta[BLOCK];
    int64_t best = -1;
    *level = -1.0;
    *tie = false;
    for (size_t first = 0; first < trajectory->d; first += BLOCK) {
        size_t width = trajectory->d - first < BLOCK ? trajectory->d - first : BLOCK;
        predictor_block(trajectory, theta, first, width, beta);
        for (size_t j = 0; j < width; j++) {
            *tie = *tie || fabs(beta[j]) == *level;
            if (fabs(beta[j]) > *level) {
                *level = fabs(beta[j]);
                best = (int64_t)(first + j);
                *tie = false;
            }
        }
    }
    return best;
}

static bool is_exceeded(const sf_trajectory *trajectory, const double *theta, double level)
{
    double beta[BLOCK];
    for (size_t first = 0; first < trajectory->d; first += BLOCK) {
        size_t width = trajectory->d - first < BLOCK ? trajectory->d - first : BLOCK;
        predictor_block(trajectory, theta, first, width, beta);
        int exceeded = 0; // an integer "or" is vectorized, a maximum of doubles is not
        for (size_t j = 0; j < width; j++)
            exceeded |= fabs(beta[j]) > level;
        if (exceeded)
            return true;
    }
    return false;
}

/* log F at theta. */
static sf_status log_loss_at(const sf_trajectory *trajectory, const double *theta, double *log_loss)
{
    sf_network *network = sf_experiment_network(trajectory->experiment);
    double *beta = SF_ARRAY(trajectory->context, trajectory->d, double), min_margin;
    if (!beta)
        return SF_ERR_MEMORY;
    sf_network_predictor(network, theta, beta);
    sf_network_evaluate(network, beta, log_loss, &min_margin);
    sf_free(trajectory->context, beta);
    return SF_OK;
}

/* leader: -1 as long as there is none. */
static sf_status watch_leader(int64_t *leader, sf_trajectory *trajectory)
{
    const double *theta = sf_descent_theta(trajectory->descent);
    double level = -1.0, now;
    bool tie;
    if (*leader >= 0) {
        predictor_block(trajectory, theta, (size_t)*leader, 1, &level);
        level = fabs(level);
        if (!is_exceeded(trajectory, theta, level))
            return SF_OK;
    }
    sf_event event = {.kind = SF_EVENT_DOMINANCE,
                      .from = *leader,
                      .to = largest(trajectory, theta, &now, &tie),
                      .step = (double)sf_descent_step(trajectory->descent),
                      .tau = NAN,
                      .log_time = NAN};
    if (*leader < 0) {
        *leader = tie && event.step == 0.0 ? -1 : event.to;
        return SF_OK;
    }
    SF_TRY(log_loss_at(trajectory, theta, &event.log_loss));
    *leader = event.to;
    return sf_trajectory_append_event(trajectory, &event);
}

static sf_status find_extremes(sf_experiment *experiment, sf_trajectory *trajectory)
{
    double *strength = SF_ARRAY(trajectory->context, trajectory->d, double);
    if (!strength)
        return SF_ERR_MEMORY;
    sf_dataset_strengths(sf_experiment_dataset(experiment), strength);
    sf_extreme_features(trajectory->d, strength, &trajectory->minor, &trajectory->major);
    sf_free(trajectory->context, strength);
    trajectory->excess = sf_excess_make();
    return SF_OK;
}

static void watch_ratio(sf_trajectory *trajectory)
{
    const double *theta = sf_descent_theta(trajectory->descent);
    if (trajectory->minor != trajectory->major)
        sf_excess_see(&trajectory->excess, (int)trajectory->depth, theta + trajectory->minor,
                      theta + trajectory->major, trajectory->d);
}

/* ---- the run ------------------------------------------------------------------------------------- */

static sf_status record(sf_trajectory *trajectory)
{
    sf_sample *sample;
    const sf_descent *descent = trajectory->descent;
    SF_TRY(sf_trajectory_append(trajectory, (double)sf_descent_step(descent), NAN, NAN, &sample));
    sample->applied_norm = sf_descent_applied_norm(descent);
    return sf_trajectory_fill_from_theta(trajectory, sample, sf_descent_theta(descent));
}

/* Up to `target`, one step at a time for the events. */
static sf_status advance(sf_trajectory *trajectory, int64_t *leader, uint64_t target, uint64_t total)
{
    sf_descent *descent = trajectory->descent;
    uint64_t pace = total / 1000 + 1;
    while (sf_descent_step(descent) < target) {
        SF_TRY(sf_descent_advance(descent, 1));
        if (sf_descent_diverged(descent))
            return SF_OK;
        SF_TRY(watch_leader(leader, trajectory));
        watch_ratio(trajectory);
        if (sf_descent_step(descent) % pace == 0)
            sf_progress(trajectory->context, (double)sf_descent_step(descent) / (double)total, "steps");
    }
    return SF_OK;
}

/* Whether the last record is not of the present step. */
static bool unrecorded(const sf_trajectory *trajectory)
{
    return trajectory->count == 0 ||
           trajectory->samples[trajectory->count - 1].step != (double)sf_descent_step(trajectory->descent);
}

static sf_status run(sf_experiment *experiment, sf_trajectory *trajectory, int64_t *leader)
{
    const sf_value *at = &experiment->values[SF_SET_AT_STEP];
    uint64_t total = sf_experiment_steps(experiment), samples = sf_experiment_samples(experiment);
    uint64_t left = samples > 1 ? samples - 1 : 1, even = next_sample(0, total, left);
    size_t wanted = 0;
    sf_status status = SF_OK;
    SF_TRY(watch_leader(leader, trajectory));
    watch_ratio(trajectory);
    SF_TRY(record(trajectory));
    while (status == SF_OK && sf_descent_step(trajectory->descent) < total &&
           !sf_descent_diverged(trajectory->descent)) {
        uint64_t step = sf_descent_step(trajectory->descent), target = even;
        while (wanted < at->count && at->numbers[wanted] <= (double)step)
            wanted++;
        if (wanted < at->count && at->numbers[wanted] < (double)target)
            target = (uint64_t)at->numbers[wanted];
        status = advance(trajectory, leader, target, total);
        if (status == SF_OK && target == even && left > 1)
            even = next_sample(target, total, --left);
        if ((status == SF_OK || status == SF_ERR_CANCELLED) && unrecorded(trajectory)) {
            sf_status recorded = record(trajectory);
            status = recorded == SF_OK ? status : recorded;
        }
    }
    if (sf_descent_diverged(trajectory->descent))
        trajectory->status = SF_RUN_DIVERGED;
    return status;
}

/* The descent owns its own copy of the start; the one here is gone before the run. */
static sf_status create_descent(sf_experiment *experiment, sf_descent **out)
{
    sf_context *context = experiment->context;
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    double *start = sf_alloc_doubles(context, sf_network_parameters(experiment->network));
    if (!start)
        return SF_ERR_MEMORY;
    sf_experiment_fill_initialization(experiment, start);
    sf_status status = sf_descent_create(context, experiment->network, &perturbation,
                                         sf_experiment_step_size(experiment), start, out);
    sf_free_aligned(context, start);
    return status;
}

sf_status sf_run_discrete(sf_experiment *experiment, sf_trajectory *trajectory)
{
    SF_TRY(find_extremes(experiment, trajectory));
    SF_TRY(create_descent(experiment, &trajectory->descent));
    int64_t leader = -1;
    return run(experiment, trajectory, &leader);
}
