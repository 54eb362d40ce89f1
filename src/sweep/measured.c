/* From a trajectory to observables.
 *
 * Regime, as measured: collapse if theta reached 0; else minor_first if some feature other than the strongest led at
 * some time of the run; else major_first. Strength is |(1/N) sum_n z_nj| (theory, section 5).
 * Limit, as measured: zero after a collapse; basis j if coordinate j holds 0.999 of sum |beta| at the end; else
 * none: a run of finite length does not show its limit.
 * Peak ratio: the largest |beta_i| / |beta_j| over all records, i the weakest and j the strongest feature (the first of
 * several); its logarithm is kept, since it is without bound close to the critical scale.
 */
#include "sweep/measured.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sf_ranked {
    double strength;
    size_t feature;
};

sf_status sf_findings_create(sf_context *context, size_t features, size_t time_count, sf_findings *findings)
{
    *findings = (sf_findings){.context = context, .features = features, .time_count = time_count};
    findings->strength = SF_ARRAY(context, features, double);
    findings->direction = SF_ARRAY(context, features, double);
    findings->beta =
        time_count <= SIZE_MAX / features ? SF_ARRAY(context, time_count * features, double) : NULL;
    findings->order = SF_ARRAY(context, features, struct sf_ranked);
    return findings->strength && findings->direction && findings->beta && findings->order
               ? sf_findings_reserve(findings, 16)
               : SF_ERR_MEMORY;
}

void sf_findings_release(sf_findings *findings)
{
    if (!findings->context)
        return;
    sf_free(findings->context, findings->strength);
    sf_free(findings->context, findings->direction);
    sf_free(findings->context, findings->beta);
    sf_free(findings->context, findings->order);
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

static int by_strength(const void *a, const void *b)
{
    const struct sf_ranked *x = a, *y = b;
    if (x->strength != y->strength)
        return x->strength < y->strength ? -1 : 1;
    return x->feature < y->feature ? -1 : 1;
}

static void rank_features(sf_findings *findings)
{
    for (size_t j = 0; j < findings->features; j++)
        findings->order[j] = (struct sf_ranked){findings->strength[j], j};
    qsort(findings->order, findings->features, sizeof *findings->order, by_strength);
}

static size_t largest(size_t d, const double *log_abs)
{
    size_t best = 0;
    for (size_t j = 1; j < d; j++)
        if (log_abs[j] > log_abs[best])
            best = j;
    return best;
}

static sf_status list_leaders(sf_findings *findings, const sf_trajectory *trajectory, const double *final_log,
                              sf_finding *finding)
{
    size_t events, count = 0;
    const sf_event *event = sf_trajectory_events(trajectory, &events);
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

static const char *measured_regime(const sf_findings *findings, const sf_finding *finding)
{
    double strongest = findings->order[findings->features - 1].strength;
    if (finding->leader_count == 0)
        return NULL;
    for (size_t i = 0; i < finding->leader_count; i++)
        if (findings->strength[finding->leaders[i].to] < strongest)
            return sf_regime_name(SF_REGIME_MINOR_FIRST);
    return sf_regime_name(SF_REGIME_MAJOR_FIRST);
}

static void peak_of_record(const sf_findings *findings, const double *log_abs, sf_finding *finding)
{
    const struct sf_ranked *order = findings->order;
    size_t major = findings->features - 1;
    while (major > 0 && order[major - 1].strength == order[major].strength)
        major--;
    double ratio = log_abs[order[0].feature] - log_abs[order[major].feature];
    if (major == 0 || isnan(ratio) || ratio <= finding->log_peak_ratio)
        return;
    finding->log_peak_ratio = ratio;
    finding->peak_minor = (int64_t)order[0].feature;
    finding->peak_major = (int64_t)order[major].feature;
}

void sf_findings_direction(sf_findings *findings, const double *beta, const double *log_abs,
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

sf_status sf_findings_measure(sf_findings *findings, const sf_measure *measure, const sf_dataset *dataset,
                              const sf_trajectory *trajectory, sf_finding *finding)
{
    size_t records = sf_trajectory_records(trajectory);
    sf_record last = sf_trajectory_record(trajectory, records - 1);
    if (!last.log_abs_beta)
        return SF_ERR_MEMORY;
    sf_run_status status = sf_trajectory_status(trajectory);
    finding->outcome = sf_run_status_name(status);
    finding->log_loss = last.log_loss;
    finding->log_time = last.log_time;
    finding->tau = last.tau;
    finding->step = last.step;
    finding->min_margin = last.min_margin;
    sf_dataset_strengths(dataset, findings->strength);
    rank_features(findings);
    SF_TRY(list_leaders(findings, trajectory, last.log_abs_beta, finding));
    finding->limit = sf_limit_kind_name(SF_LIMIT_UNKNOWN);
    sf_findings_direction(findings, last.beta, last.log_abs_beta, finding);
    finding->regime = measured_regime(findings, finding);
    if (status == SF_RUN_COLLAPSED) {
        finding->regime = sf_regime_name(SF_REGIME_COLLAPSE);
        finding->limit = sf_limit_kind_name(SF_LIMIT_ZERO);
        finding->limit_index = -1;
    } else if (status == SF_RUN_DIVERGED) {
        finding->regime = NULL;
        finding->limit = sf_limit_kind_name(SF_LIMIT_UNKNOWN);
        finding->limit_index = -1;
    }
    for (size_t i = 0; i < records && (measure->needs & SF_NEED_ORDER); i++) {
        const double *log_abs = sf_trajectory_record(trajectory, i).log_abs_beta;
        if (!log_abs)
            return SF_ERR_MEMORY;
        peak_of_record(findings, log_abs, finding);
    }
    if (measure->clock)
        find_beta(findings, measure, trajectory, finding);
    return SF_OK;
}
