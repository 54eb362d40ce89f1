/* From a trajectory to observables.
 *
 * Regime, as measured: collapse if theta reached 0; else minor_first if some feature other than the strongest led at
 * some time of the run; else major_first. Strength is |(1/N) sum_n z_nj| (theory, section 5).
 * Limit, as measured: zero after a collapse; basis j if coordinate j holds 0.999 of sum |beta| at the end; else
 * none: a run of finite length does not show its limit.
 * Peak ratio: the largest |beta_i| / |beta_j| over all records, i the weakest and j the strongest feature (the first of
 * several); its logarithm is kept, since it is without bound close to the critical scale.
 */
#include "sweep/run/measured.h"

#include <math.h>
#include <string.h>

#include "sam/watch.h"
#include "verdict/regime.h"

sf_status sf_findings_create(sf_context *context, size_t features, size_t time_count, sf_findings *findings)
{
    *findings = (sf_findings){.context = context, .features = features, .time_count = time_count};
    findings->strength = SF_ARRAY(context, features, double);
    findings->direction = SF_ARRAY(context, features, double);
    findings->beta =
        time_count <= SIZE_MAX / features ? SF_ARRAY(context, time_count * features, double) : NULL;
    return findings->strength && findings->direction && findings->beta ? sf_findings_reserve(findings, 16)
                                                                       : SF_ERR_MEMORY;
}

void sf_findings_release(sf_findings *findings)
{
    if (!findings->context)
        return;
    sf_free(findings->context, findings->strength);
    sf_free(findings->context, findings->direction);
    sf_free(findings->context, findings->beta);
    sf_free(findings->context, findings->leaders);
    *findings = (sf_findings){0};
}

sf_status sf_findings_reserve(sf_findings *findings, size_t leaders)
{
    if (leaders <= findings->leader_capacity)
        return SF_OK;
    sf_event *grown = sf_resize(findings->context, findings->leaders, leaders, sizeof *grown);
    if (!grown)
        return SF_ERR_MEMORY;
    findings->leaders = grown;
    findings->leader_capacity = leaders;
    return SF_OK;
}

void sf_findings_rank(sf_findings *findings)
{
    sf_extreme_features(findings->features, findings->strength, &findings->minor, &findings->major);
}

static size_t largest(size_t d, const double *log_abs)
{
    size_t best = 0;
    for (size_t j = 1; j < d; j++)
        if (log_abs[j] > log_abs[best])
            best = j;
    return best;
}

/* The leaders of a run with these changes, with the one at its beginning. */
static sf_status list_leaders(sf_findings *findings, const sf_event *event, size_t events,
                              const double *final_log, sf_finding *finding)
{
    size_t count = 0;
    SF_TRY(sf_findings_reserve(findings, events + 1));
    sf_event start = {
        .kind = SF_EVENT_DOMINANCE, .from = -1, .to = -1, .step = NAN, .tau = NAN, .log_time = NAN};
    for (size_t i = 0; i < events; i++) {
        if (event[i].kind != SF_EVENT_DOMINANCE)
            continue;
        if (count == 0 && event[i].from >= 0) {
            findings->leaders[count] = start;
            findings->leaders[count++].to = event[i].from;
        }
        findings->leaders[count++] = event[i];
    }
    size_t last = largest(findings->features, final_log);
    if (count == 0 && final_log[last] > -INFINITY) {
        findings->leaders[count] = start;
        findings->leaders[count++].to = (int64_t)last;
    }
    finding->leaders = findings->leaders;
    finding->leader_count = count;
    return SF_OK;
}

static sf_status measured_regime(const sf_findings *findings, sf_finding *finding)
{
    size_t *leader = SF_ARRAY(findings->context, finding->leader_count, size_t);
    if (!leader)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < finding->leader_count; i++)
        leader[i] = (size_t)finding->leaders[i].to;
    finding->regime = sf_regime_name(
        sf_regime_of_leaders(findings->features, findings->strength, NULL, finding->leader_count, leader));
    sf_free(findings->context, leader);
    return SF_OK;
}

static void take_peak(const sf_findings *findings, double log_ratio, sf_finding *finding)
{
    if (findings->minor == findings->major || isnan(log_ratio) || log_ratio <= finding->log_peak_ratio)
        return;
    finding->log_peak_ratio = log_ratio;
    finding->peak_minor = (int64_t)findings->minor;
    finding->peak_major = (int64_t)findings->major;
}

static void find_direction(sf_findings *findings, const double *beta, const double *log_abs,
                           sf_finding *finding)
{
    size_t d = findings->features;
    double high = log_abs[largest(d, log_abs)], sum = 0.0, square = 0.0;
    if (!(high > -INFINITY))
        return;
    for (size_t j = 0; j < d; j++) {
        findings->direction[j] = copysign(exp(log_abs[j] - high), beta[j]);
        sum += fabs(findings->direction[j]);
        square += findings->direction[j] * findings->direction[j];
    }
    for (size_t j = 0; j < d; j++) {
        if (fabs(findings->direction[j]) >= SF_BASIS_SHARE * sum) {
            finding->limit = sf_limit_kind_name(SF_LIMIT_BASIS);
            finding->limit_index = (int64_t)j;
        }
        findings->direction[j] /= sqrt(square);
    }
    finding->direction = findings->direction;
}

static double record_clock(const sf_record *record, const char *clock)
{
    return strcmp(clock, "tau") == 0    ? record->tau
           : strcmp(clock, "step") == 0 ? record->step
                                        : record->log_time;
}

/* Both the records and the times increase. */
static void find_beta(sf_findings *findings, const sf_measure *measure, const sf_trajectory *trajectory,
                      sf_finding *finding)
{
    size_t d = findings->features, records = sf_trajectory_records(trajectory), at = 0;
    for (size_t k = 0; k < measure->time_count; k++) {
        double *beta = findings->beta + k * d, clock = NAN;
        sf_record record;
        for (; at < records; at++) {
            record = sf_trajectory_record(trajectory, at);
            clock = record_clock(&record, measure->clock);
            if (clock >= measure->times[k])
                break;
        }
        bool there = at < records && clock == measure->times[k];
        for (size_t j = 0; j < d; j++)
            beta[j] = there ? record.beta[j] : NAN;
    }
    finding->beta = findings->beta;
}

bool sf_findings_chatter(const sf_findings *findings, const sf_perturbation *perturbation, double step,
                         sf_loss loss, int depth, const double *theta)
{
    bool normalized = sf_method_is_bounded(perturbation->method);
    double slope = exp(sf_loss_log_slope(loss, 0.0));
    double bound = 2.0 * step * slope * perturbation->rho * findings->strength[findings->major];
    bool small = depth == 2 && normalized && bound > 0.0;
    for (size_t k = 0; small && k < 2 * findings->features; k++)
        small = fabs(theta[k]) <= bound;
    return small;
}

sf_status sf_findings_conclude(sf_findings *findings, const sf_ending *ending, sf_finding *finding)
{
    finding->outcome = sf_run_status_name(ending->status);
    SF_TRY(list_leaders(findings, ending->events, ending->event_count, ending->log_abs, finding));
    finding->limit = sf_limit_kind_name(SF_LIMIT_UNKNOWN);
    find_direction(findings, ending->beta, ending->log_abs, finding);
    SF_TRY(measured_regime(findings, finding));
    take_peak(findings, ending->log_peak_ratio, finding);
    if (ending->collapsed) {
        finding->regime = sf_regime_name(SF_REGIME_COLLAPSE);
        finding->limit = sf_limit_kind_name(SF_LIMIT_ZERO);
        finding->limit_index = -1;
    } else if (ending->status == SF_RUN_DIVERGED) {
        finding->regime = NULL;
        finding->limit = sf_limit_kind_name(SF_LIMIT_UNKNOWN);
        finding->limit_index = -1;
    }
    return SF_OK;
}

/* Of discrete runs over all steps, of others over the records. */
static sf_status find_peak(const sf_findings *findings, const sf_trajectory *trajectory, sf_finding *finding)
{
    size_t minor, major;
    take_peak(findings, sf_trajectory_log_excess(trajectory, &minor, &major), finding);
    if (minor != major)
        return SF_OK;
    for (size_t i = 0; i < sf_trajectory_records(trajectory); i++) {
        const double *log_abs = sf_trajectory_record(trajectory, i).log_abs_beta;
        if (!log_abs)
            return SF_ERR_MEMORY;
        take_peak(findings, log_abs[findings->minor] - log_abs[findings->major], finding);
    }
    return SF_OK;
}

/* A flow that collapsed says so; a discrete run is looked at. */
static bool has_collapsed(const sf_findings *findings, const sf_experiment *experiment,
                          const sf_trajectory *trajectory)
{
    sf_run_status status = sf_trajectory_status(trajectory);
    if (sf_experiment_mode(experiment) != SF_MODE_DISCRETE || status != SF_RUN_COMPLETED)
        return status == SF_RUN_COLLAPSED;
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    const sf_network *network = sf_experiment_network(experiment);
    return sf_findings_chatter(findings, &perturbation, sf_experiment_step_size(experiment),
                               sf_network_loss(network), sf_network_depth(network),
                               sf_trajectory_final_layers(trajectory));
}

sf_status sf_findings_measure(sf_findings *findings, const sf_measure *measure,
                              const sf_experiment *experiment, const sf_trajectory *trajectory,
                              sf_finding *finding)
{
    sf_record last = sf_trajectory_record(trajectory, sf_trajectory_records(trajectory) - 1);
    if (!last.log_abs_beta)
        return SF_ERR_MEMORY;
    finding->log_loss = last.log_loss;
    finding->log_time = last.log_time;
    finding->tau = last.tau;
    finding->step = last.step;
    finding->min_margin = last.min_margin;
    sf_dataset_strengths(sf_experiment_dataset(experiment), findings->strength);
    sf_findings_rank(findings);
    sf_ending ending = {.status = sf_trajectory_status(trajectory),
                        .collapsed = has_collapsed(findings, experiment, trajectory),
                        .beta = last.beta,
                        .log_abs = last.log_abs_beta,
                        .log_peak_ratio = NAN};
    ending.events = sf_trajectory_events(trajectory, &ending.event_count);
    SF_TRY(sf_findings_conclude(findings, &ending, finding));
    if (measure->needs & SF_NEED_ORDER)
        SF_TRY(find_peak(findings, trajectory, finding));
    if (measure->clock)
        find_beta(findings, measure, trajectory, finding);
    return SF_OK;
}
