/* The flow's run: where it ends, which states are recorded.
 *
 * The flow is advanced from one stop to the next: the end (dynamics.until), the times asked for (record.at),
 * a grid of the flow's progress clock, and, if a direction tolerance is set, log t = e^{k/4}, where the
 * direction is compared with that a factor e earlier.
 *
 * Records evenly in progress, though its end is not known: the grid starts fine and doubles its spacing
 * whenever it holds more than 16 S records (every other one goes); from those at the end the S nearest to an
 * even spacing stay. Where 16 S records are too much memory, or the run was too short for the finest grid,
 * this first pass only finds the end (and is what is kept if the run is interrupted), and a second one makes
 * exactly the S records.
 */
#include <string.h>

#include "experiment/trajectory.h"

static const double FINEST_SPACING = 0x1p-14;
enum { OVERSAMPLING = 16, SCOUT_NUMBERS = 4000000, DIRECTIONS = 4 };

typedef struct sf_flow_run {
    sf_experiment *experiment;
    sf_trajectory *trajectory;
    sf_flow *flow;
    sf_until until;
    size_t next_tau, next_log_time; // of record.at
    double spacing;                 // of the grid
    int64_t next_place;             // on the grid
    int64_t last_place;             // of the grid in a second pass; INT64_MAX in the first
    size_t on_grid, capacity;       // records on the grid, and how many of them are too many
    double *direction[DIRECTIONS];  // beta / ||beta||_1 at the last checks, a ring; NULL until made
    double *direction_now;          // (d)
    int64_t check;                  // next check of the direction is at log t = e^{check / DIRECTIONS}
    double end;                     // progress at the last record where the flow still moved
    bool collapsed;                 // and the moment is recorded
    bool evaluates;                 // records of the grid at once; else those that stay, in the end
} sf_flow_run;

/* ---- records ------------------------------------------------------------------------------------- */

/* The value asked for, where the flow stopped at it up to rounding. */
static double settled(double value, double target)
{
    return isfinite(target) && fabs(value - target) <= 1e-13 * fabs(target) ? target : value;
}

/* Two stops that differ by rounding only are one record: that of the time asked for (place -1), if it is one. */
static bool is_recorded(const sf_flow_run *run, int64_t place, double tau)
{
    const sf_trajectory *trajectory = run->trajectory;
    double progress = sf_flow_progress(run->flow);
    if (trajectory->count == 0)
        return false;
    sf_sample *last = &trajectory->samples[trajectory->count - 1];
    if (!(fabs(progress - last->progress) <= 1e-13 * progress))
        return false;
    if (place < 0) {
        last->tau = tau;
        last->place = -1;
    }
    return true;
}

static sf_status append(sf_flow_run *run, int64_t place, double tau, double log_time)
{
    sf_trajectory *trajectory = run->trajectory;
    sf_sample *sample;
    SF_TRY(sf_trajectory_append(trajectory, NAN, tau, log_time, &sample));
    sample->place = place;
    sample->progress = sf_flow_progress(run->flow);
    sample->log_abs_beta = SF_ARRAY(trajectory->context, trajectory->d, double);
    if (!sample->log_abs_beta)
        return SF_ERR_MEMORY;
    sf_flow_predictor(run->flow, sample->beta, sample->log_abs_beta);
    if (place < 0 || run->evaluates)
        sf_flow_evaluate(run->flow, &sample->log_loss, &sample->min_margin, &sample->applied_norm);
    sf_trajectory_compact(trajectory, sample);
    return SF_OK;
}

static sf_status record(sf_flow_run *run, int64_t place, double tau, double log_time)
{
    return is_recorded(run, place, tau) ? SF_OK : append(run, place, tau, log_time);
}

static sf_status record_here(sf_flow_run *run, int64_t place)
{
    return record(run, place, sf_flow_tau(run->flow), sf_flow_log_time(run->flow));
}

/* Every other record of the grid goes; the spacing doubles. */
static void coarsen(sf_flow_run *run)
{
    sf_trajectory *trajectory = run->trajectory;
    run->on_grid = 0;
    for (size_t i = trajectory->count; i-- > 0;) {
        int64_t *place = &trajectory->samples[i].place;
        if (*place > 0 && *place % 2 != 0)
            sf_trajectory_remove(trajectory, i);
        else if (*place >= 0)
            *place /= 2;
    }
    for (size_t i = 0; i < trajectory->count; i++)
        run->on_grid += trajectory->samples[i].place >= 0;
    run->next_place = (run->next_place + 1) / 2;
    run->spacing *= 2.0;
}

/* ---- the direction ------------------------------------------------------------------------------- */

/* beta / ||beta||_1 into run->direction_now, from logarithms: beta may have left the doubles. */
static sf_status find_direction(sf_flow_run *run)
{
    size_t d = run->trajectory->d;
    double *logs = SF_ARRAY(run->trajectory->context, d, double);
    if (!logs)
        return SF_ERR_MEMORY;
    sf_flow_predictor(run->flow, run->direction_now, logs);
    double norm = sf_log_sum_exp(d, logs);
    for (size_t j = 0; j < d; j++)
        run->direction_now[j] = copysign(exp(logs[j] - norm), run->direction_now[j]);
    sf_free(run->trajectory->context, logs);
    return SF_OK;
}

/* At log t = e^{k/4}, k >= 0: whether the direction has changed less than the tolerance since e^{k/4 - 1}. */
static sf_status check_direction(sf_flow_run *run, bool *done)
{
    size_t d = run->trajectory->d;
    double **slot = &run->direction[run->check % DIRECTIONS], change = 0.0;
    SF_TRY(find_direction(run));
    if (run->check >= DIRECTIONS) {
        for (size_t j = 0; j < d; j++)
            change += fabs(run->direction_now[j] - (*slot)[j]);
        *done = change < run->until.direction_tolerance;
    } else if (!*slot) {
        *slot = SF_ARRAY(run->trajectory->context, d, double);
        if (!*slot)
            return SF_ERR_MEMORY;
    }
    memcpy(*slot, run->direction_now, d * sizeof **slot);
    run->check++;
    return SF_OK;
}

/* ---- from stop to stop --------------------------------------------------------------------------- */

static double next_asked(const sf_flow_run *run, sf_setting_id id, size_t next)
{
    const sf_value *at = &run->experiment->values[id];
    return at->set && next < at->count ? at->numbers[next] : INFINITY;
}

static double next_check(const sf_flow_run *run)
{
    return run->until.direction_tolerance > 0.0 ? exp((double)run->check / DIRECTIONS) : INFINITY;
}

static double next_on_grid(const sf_flow_run *run)
{
    return run->next_place <= run->last_place ? (double)run->next_place * run->spacing : INFINITY;
}

static sf_flow_target next_stop(const sf_flow_run *run)
{
    bool running = sf_flow_get_state(run->flow) == SF_FLOW_RUNNING;
    double log_time = fmin(run->until.log_time, next_asked(run, SF_SET_AT_LOG_TIME, run->next_log_time));
    return (sf_flow_target){.size = sizeof(sf_flow_target),
                            .stops = SF_STOP_TAU | SF_STOP_LOG_TIME | SF_STOP_LOG_NORM | SF_STOP_PROGRESS,
                            .tau = fmin(run->until.tau, next_asked(run, SF_SET_AT_TAU, run->next_tau)),
                            .log_time = running ? fmin(log_time, next_check(run)) : log_time,
                            .log_norm = running ? run->until.log_norm : INFINITY,
                            .progress = running ? next_on_grid(run) : INFINITY};
}

static bool something_asked(const sf_flow_run *run)
{
    return next_asked(run, SF_SET_AT_TAU, run->next_tau) < INFINITY ||
           next_asked(run, SF_SET_AT_LOG_TIME, run->next_log_time) < INFINITY;
}

/* Whether a flow that does not run any more has nothing left to show. At rest away from 0 it goes on to the
 * end. */
static bool is_over(const sf_flow_run *run)
{
    switch (sf_flow_get_state(run->flow)) {
    case SF_FLOW_RUNNING:
        return false;
    case SF_FLOW_BLOWN_UP:
        return true;
    case SF_FLOW_COLLAPSED:
        return !something_asked(run);
    default:
        return !something_asked(run) && run->until.tau == INFINITY && run->until.log_time == INFINITY;
    }
}

/* The moment of the collapse, though the flow may have rested on beyond it. */
static sf_status record_collapse(sf_flow_run *run)
{
    size_t count;
    const sf_event *event = sf_flow_events(run->flow, &count);
    while (count > 1 && event[count - 1].kind != SF_EVENT_COLLAPSE)
        count--;
    run->collapsed = true;
    SF_TRY(append(run, -1, event[count - 1].tau, event[count - 1].log_time));
    run->trajectory->samples[run->trajectory->count - 1].progress = NAN; // no stop is the same as this
    return SF_OK;
}

/* INFINITY stands for no time at all, which is never reached. */
static bool is_reached(double asked, double now)
{
    return isfinite(asked) && asked <= now;
}

/* Counts off the times asked for that are reached; whether there were any. */
static bool take_asked(sf_flow_run *run, double tau, double log_time)
{
    size_t before = run->next_tau + run->next_log_time;
    while (is_reached(next_asked(run, SF_SET_AT_TAU, run->next_tau), tau))
        run->next_tau++;
    while (is_reached(next_asked(run, SF_SET_AT_LOG_TIME, run->next_log_time), log_time))
        run->next_log_time++;
    return run->next_tau + run->next_log_time > before;
}

/* Whether beta differs between the last two records. A flow can come to rest without being at rest: where it only
 * approaches its limit, nothing more is to be seen however long it goes on. */
static bool has_moved(const sf_trajectory *trajectory)
{
    if (trajectory->count < 2)
        return true;
    const double *now = trajectory->samples[trajectory->count - 1].beta;
    const double *before = trajectory->samples[trajectory->count - 2].beta;
    for (size_t j = 0; j < trajectory->d; j++)
        if (!(fabs(now[j] - before[j]) <= 1e-12 * fabs(now[j])))
            return true;
    return false;
}

/* The records due where the flow has stopped; *done where the end is reached. */
static sf_status take_stop(sf_flow_run *run, const sf_flow_target *target, bool *done)
{
    sf_flow_state state = sf_flow_get_state(run->flow);
    if (state == SF_FLOW_BLOWN_UP) {
        *done = true;
        return SF_OK;
    }
    if (state == SF_FLOW_COLLAPSED && !run->collapsed)
        SF_TRY(record_collapse(run));
    double tau = settled(sf_flow_tau(run->flow), target->tau);
    double log_time = settled(sf_flow_log_time(run->flow), target->log_time);
    bool asked = take_asked(run, tau, log_time),
         grid = is_reached(target->progress, sf_flow_progress(run->flow));
    bool check = state == SF_FLOW_RUNNING && is_reached(next_check(run), log_time);
    if (asked || (grid && state == SF_FLOW_RUNNING)) {
        SF_TRY(record(run, asked ? -1 : run->next_place, tau, log_time));
        if (state == SF_FLOW_RUNNING && has_moved(run->trajectory))
            run->end = sf_flow_progress(run->flow);
    }
    run->on_grid += grid && !asked;
    run->next_place += grid;
    if (check)
        SF_TRY(check_direction(run, done));
    bool ended = is_reached(run->until.tau, tau) || is_reached(run->until.log_time, log_time);
    // a running flow that stopped for none of these has reached the norm
    *done = *done || ended || is_over(run) || (state == SF_FLOW_RUNNING && !asked && !grid && !check);
    return SF_OK;
}

static void show_progress(const sf_flow_run *run)
{
    double fraction = NAN, log_time = sf_flow_log_time(run->flow);
    if (run->until.tau < INFINITY)
        fraction = sf_flow_tau(run->flow) / run->until.tau;
    else if (run->until.log_time < INFINITY && run->until.log_time > 0.0)
        fraction = fmin(1.0, log1p(fmax(0.0, log_time)) / log1p(run->until.log_time));
    char note[64];
    snprintf(note, sizeof note, "tau %.4g, log t %.4g", sf_flow_tau(run->flow), log_time);
    sf_progress(run->trajectory->context, fraction, note);
}

static bool starts_at_the_end(const sf_flow_run *run)
{
    const sf_sample *start = &run->trajectory->samples[0];
    double high = 0.0, sum = 0.0;
    for (size_t j = 0; j < run->trajectory->d; j++)
        high = fmax(high, fabs(start->beta[j]));
    for (size_t j = 0; j < run->trajectory->d && high > 0.0; j++)
        sum += (start->beta[j] / high) * (start->beta[j] / high);
    return log(high) + 0.5 * log(sum) >= run->until.log_norm;
}

static sf_status advance(sf_flow_run *run)
{
    bool done = starts_at_the_end(run);
    while (!done) {
        sf_flow_target target = next_stop(run);
        if (sf_cancelled(run->experiment->context))
            return sf_fail(run->experiment->context, SF_ERR_CANCELLED, "interrupted at tau = %.17g",
                           sf_flow_tau(run->flow));
        SF_TRY(sf_flow_advance(run->flow, &target));
        SF_TRY(take_stop(run, &target, &done));
        if (run->on_grid > run->capacity)
            coarsen(run);
        show_progress(run);
    }
    return SF_OK;
}

/* ---- passes -------------------------------------------------------------------------------------- */

/* The last state is a record too, also after a failure of the integrator or an interruption. */
static sf_status record_last(sf_flow_run *run)
{
    if (run->collapsed) {
        run->trajectory->samples[run->trajectory->count - 1].place = -1;
        return SF_OK;
    }
    return record(run, -1, settled(sf_flow_tau(run->flow), run->until.tau),
                  settled(sf_flow_log_time(run->flow), run->until.log_time));
}

/* Whether a pass over the data is nothing beside the rest of a stop. */
static bool is_cheap(const sf_experiment *experiment)
{
    enum { CHEAP_NUMBERS = 20000 };
    return sf_dataset_examples(experiment->dataset) * sf_dataset_features(experiment->dataset) <=
           CHEAP_NUMBERS;
}

/* From the start to the end, with a grid of this spacing and these places. */
static sf_status make_pass(sf_flow_run *run, double spacing, int64_t last_place, size_t capacity)
{
    sf_experiment *experiment = run->experiment;
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    sf_trajectory_clear(run->trajectory);
    sf_flow_destroy(&run->flow);
    run->next_tau = run->next_log_time = 0;
    run->spacing = spacing;
    run->last_place = last_place;
    run->evaluates = last_place < INT64_MAX || is_cheap(experiment);
    run->capacity = capacity;
    run->next_place = run->on_grid = 1;
    run->check = 0;
    run->collapsed = false;
    run->end = 0.0;
    double *start = sf_alloc_doubles(experiment->context, sf_network_parameters(experiment->network));
    if (!start)
        return SF_ERR_MEMORY;
    sf_experiment_fill_initialization(experiment, start);
    sf_status status = sf_flow_create(experiment->context, experiment->network, &perturbation, start,
                                      sf_experiment_tolerance(experiment), &run->flow);
    sf_free_aligned(experiment->context, start);
    if (status != SF_OK)
        return status;
    take_asked(run, 0.0, -INFINITY);
    SF_TRY(record_here(run, 0));
    status = advance(run);
    if (status == SF_OK || status == SF_ERR_CANCELLED || status == SF_ERR_NUMERIC)
        SF_TRY(record_last(run));
    return status;
}

/* Of a fine grid, the records nearest to an even spacing: `samples` with the last. */
static void thin(sf_flow_run *run, uint64_t samples)
{
    sf_trajectory *trajectory = run->trajectory;
    double ratio = run->end / run->spacing / (double)(samples - 1);
    for (size_t i = trajectory->count; i-- > 0;) {
        double place = (double)trajectory->samples[i].place, k = round(place / ratio);
        if (place >= 0.0 && (round(k * ratio) != place || k > (double)(samples - 2)))
            sf_trajectory_remove(trajectory, i);
    }
}

static sf_status make_records(sf_flow_run *run)
{
    uint64_t samples = sf_experiment_samples(run->experiment);
    samples = samples > 2 ? samples : 2;
    size_t affordable = SCOUT_NUMBERS / run->trajectory->d;
    size_t capacity = OVERSAMPLING * samples < affordable ? OVERSAMPLING * samples : affordable;
    bool scout = capacity < OVERSAMPLING * samples;
    if (samples == 2)
        return make_pass(run, INFINITY, 0, 2);
    sf_status status =
        make_pass(run, FINEST_SPACING, INT64_MAX, capacity > OVERSAMPLING ? capacity : OVERSAMPLING);
    if (run->end == 0.0 && run->flow)
        run->end = sf_flow_progress(run->flow); // shorter than the finest grid
    bool too_coarse = scout || run->end < (double)(samples - 1) * run->spacing;
    if (status == SF_OK && too_coarse)
        return make_pass(run, run->end / (double)(samples - 1), (int64_t)samples - 2, SIZE_MAX);
    if (!too_coarse)
        thin(run, samples);
    return status;
}

static sf_status copy_events(const sf_flow_run *run)
{
    size_t count;
    const sf_event *events = sf_flow_events(run->flow, &count);
    for (size_t i = 0; i < count; i++)
        SF_TRY(sf_trajectory_append_event(run->trajectory, &events[i]));
    return SF_OK;
}

/* What the records of the grid still lack; the perturbation in force then is not known any more. */
static void evaluate_rest(const sf_flow_run *run)
{
    sf_network *network = sf_experiment_network(run->experiment);
    for (size_t i = 0; i < run->trajectory->count; i++) {
        sf_sample *sample = &run->trajectory->samples[i];
        if (isnan(sample->log_loss))
            sf_network_evaluate(network, sample->beta, &sample->log_loss, &sample->min_margin);
    }
}

static sf_status keep_last_state(sf_flow_run *run)
{
    sf_trajectory *trajectory = run->trajectory;
    evaluate_rest(run);
    trajectory->final_layers = sf_alloc_doubles(trajectory->context, trajectory->depth * trajectory->d);
    if (!trajectory->final_layers)
        return SF_ERR_MEMORY;
    sf_flow_theta(run->flow, trajectory->final_layers);
    if (sf_flow_get_state(run->flow) == SF_FLOW_COLLAPSED)
        trajectory->status = SF_RUN_COLLAPSED;
    return copy_events(run);
}

sf_status sf_run_flow(sf_experiment *experiment, sf_trajectory *trajectory)
{
    sf_flow_run run = {
        .experiment = experiment, .trajectory = trajectory, .until = sf_experiment_until(experiment)};
    run.direction_now =
        SF_ARRAY(experiment->context, run.until.direction_tolerance > 0.0 ? trajectory->d : 0, double);
    sf_status status = run.direction_now ? make_records(&run) : SF_ERR_MEMORY;
    if (status == SF_OK || ((status == SF_ERR_CANCELLED || status == SF_ERR_NUMERIC) && run.flow)) {
        sf_status kept = keep_last_state(&run);
        status = kept == SF_OK ? status : kept;
    }
    for (size_t i = 0; i < DIRECTIONS; i++)
        sf_free(experiment->context, run.direction[i]);
    sf_free(experiment->context, run.direction_now);
    sf_flow_destroy(&run.flow);
    return status;
}
