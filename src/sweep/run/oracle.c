/* Theory beside a result file whose sweep did not ask for it.
 *
 * The settings of a row are those of the first point with the values of its position put in, as when it was computed.
 * Critical scales are kept for each example.
 */
#include "sweep/run/oracle.h"

#include "sweep/run/measured.h"
#include "sweep/run/probe.h"

struct sf_oracle {
    sf_context *context; // a fork: what theory refuses is no message of the reader's
    sf_context *parent;
    sf_data_cache *cache;
    sf_critical *critical;
    sf_settings *settings; // NULL: none that can be read
    sf_probe probe;
    sf_findings findings;
};

static sf_status fill(sf_oracle *oracle, const sf_grid *grid, const char *experiment)
{
    SF_TRY(sf_data_cache_create(oracle->context, &oracle->cache));
    SF_TRY(sf_critical_create(oracle->context, &oracle->critical));
    sf_status status =
        sf_settings_parse(oracle->context, SF_SETTINGS_RUN, "the experiment of the result file", experiment,
                          0, NULL, &oracle->settings);
    if (status == SF_OK)
        return sf_probe_create(oracle->context, grid, oracle->settings, oracle->cache, &oracle->probe);
    return status == SF_ERR_MEMORY ? status : SF_OK;
}

sf_status sf_oracle_create(sf_context *context, const sf_grid *grid, const char *experiment, sf_oracle **out)
{
    sf_oracle *oracle = *out = SF_NEW(context, sf_oracle);
    if (!oracle)
        return SF_ERR_MEMORY;
    oracle->parent = context;
    sf_status status = sf_context_fork(context, &oracle->context);
    if (status == SF_OK)
        status = fill(oracle, grid, experiment);
    if (status != SF_OK)
        sf_oracle_destroy(out);
    return status;
}

void sf_oracle_destroy(sf_oracle **oracle)
{
    if (!oracle || !*oracle)
        return;
    sf_oracle *o = *oracle;
    if (o->context) {
        sf_findings_release(&o->findings);
        sf_probe_release(&o->probe);
        sf_settings_destroy(&o->settings);
        sf_critical_destroy(&o->critical);
        sf_data_cache_destroy(&o->cache);
    }
    sf_context_destroy(&o->context);
    sf_free(o->parent, o);
    *oracle = NULL;
}

/* Regime and limit by the critical scale alone, where that is enough. */
static sf_status ask_scale(sf_oracle *oracle, sf_finding *finding, bool *told)
{
    const sf_numbers *numbers = &oracle->probe.numbers;
    sf_perturbation perturbation = sf_experiment_perturbation(oracle->probe.frame->experiment);
    double scale;
    bool fresh;
    *told = perturbation.method == SF_METHOD_L2 && numbers->layers == 2 && numbers->example &&
            sf_probe_follows(&oracle->probe) && sf_critical_decides(numbers);
    if (!*told)
        return SF_OK;
    sf_status status = sf_critical_find(oracle->critical, oracle->context, numbers, &scale, &fresh);
    if (status == SF_ERR_MEMORY || status == SF_ERR_CANCELLED)
        return status;
    *told = status == SF_OK && sf_critical_classify(numbers, scale, finding);
    finding->predicted_regime = finding->regime;
    finding->predicted_limit = finding->limit;
    return SF_OK;
}

/* By an experiment of the row. */
static sf_status ask_theory(sf_oracle *oracle, sf_finding *finding)
{
    sf_experiment *experiment;
    SF_TRY(sf_experiment_create(oracle->context, oracle->probe.point.settings, oracle->cache, &experiment));
    size_t d = sf_dataset_features(sf_experiment_dataset(experiment));
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    const double *start = sf_experiment_initialization(experiment);
    sf_status status = start ? SF_OK : SF_ERR_MEMORY;
    if (status == SF_OK && oracle->findings.features != d) {
        sf_findings_release(&oracle->findings);
        status = sf_findings_create(oracle->context, d, 0, &oracle->findings);
    }
    if (status == SF_OK)
        status = sf_findings_predict(&oracle->findings, sf_experiment_network(experiment), &perturbation,
                                     start, false, finding);
    sf_experiment_destroy(&experiment);
    return status;
}

sf_status sf_oracle_ask(sf_oracle *oracle, uint64_t position, const char **regime, const char **limit)
{
    *regime = *limit = NULL;
    if (!oracle->settings)
        return SF_OK;
    sf_finding finding = sf_finding_make();
    bool told = false;
    sf_status status = sf_probe_enter(&oracle->probe, position);
    if (status == SF_OK)
        status = ask_scale(oracle, &finding, &told);
    if (status == SF_OK && !told)
        status = ask_theory(oracle, &finding);
    if (status == SF_ERR_MEMORY || status == SF_ERR_CANCELLED)
        return sf_fail(oracle->parent, status, "%s", sf_context_message(oracle->context));
    if (status == SF_OK) {
        *regime = finding.predicted_regime;
        *limit = finding.predicted_limit;
    }
    return SF_OK;
}
