/* What theory says of a point: beside what was measured, or, in exact mode, as the answer. */
#include <math.h>
#include <samflow/verdict.h>

#include "sweep/run/measured.h"

static sf_status copy_leaders(sf_findings *findings, const sf_prediction *prediction, sf_finding *finding)
{
    size_t count;
    const sf_leader *leader = sf_prediction_dominance(prediction, &count);
    SF_TRY(sf_findings_reserve(findings, count));
    for (size_t i = 0; i < count; i++)
        findings->leaders[i] = (sf_event){.kind = SF_EVENT_DOMINANCE,
                                          .from = i > 0 ? (int64_t)leader[i - 1].index : -1,
                                          .to = (int64_t)leader[i].index,
                                          .step = NAN,
                                          .tau = leader[i].tau,
                                          .log_time = leader[i].log_time,
                                          .log_loss = NAN};
    finding->leaders = count > 0 ? findings->leaders : NULL;
    finding->leader_count = count;
    return SF_OK;
}

static void copy_peak(const sf_prediction *prediction, sf_finding *finding)
{
    const sf_peak *peak = sf_prediction_peak(prediction);
    bool known = peak && !isnan(peak->log_ratio);
    finding->log_peak_ratio = known ? peak->log_ratio : NAN;
    finding->peak_minor = known ? (int64_t)peak->minor : -1;
    finding->peak_major = known ? (int64_t)peak->major : -1;
}

sf_status sf_findings_predict(sf_findings *findings, sf_network *network, const sf_perturbation *perturbation,
                              const double *start, bool exact, sf_finding *finding)
{
    sf_prediction *prediction = NULL;
    SF_TRY(sf_predict(findings->context, network, perturbation, start, &prediction));
    finding->predicted_regime = sf_regime_name(sf_prediction_regime(prediction));
    finding->predicted_limit =
        sf_limit_kind_name(sf_prediction_limit(prediction, &finding->predicted_index, NULL, NULL, NULL));
    finding->critical_scale = sf_prediction_critical_scale(prediction);
    sf_status status = SF_OK;
    if (exact) {
        finding->outcome = finding->outcome ? finding->outcome : "predicted";
        finding->regime = finding->predicted_regime;
        finding->limit = finding->predicted_limit;
        finding->limit_index = finding->predicted_index;
        copy_peak(prediction, finding);
        status = copy_leaders(findings, prediction, finding);
    }
    sf_prediction_destroy(&prediction);
    return status;
}
