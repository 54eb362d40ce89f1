/* Theory beside a result file whose sweep did not ask for it.
 *
 * A row is the experiment of the first point with the values of its axes put in: numbers of start, example and rho
 * directly (lean.h), everything else as an override, for which the experiment is read again when one of them changes.
 * Critical scales are kept for each example.
 */
#include "sweep/run/oracle.h"

#include <math.h>
#include <string.h>

#include "sweep/run/measured.h"
#include "sweep/run/scales.h"
#include "sweep/run/setup.h"

enum { LINE = 512 };

typedef struct kept_scale {
    sf_hash example;
    double scale; // NaN: free
} kept_scale;

struct sf_oracle {
    sf_context *context; // a fork: what theory refuses is no message of the reader's
    const sf_store *store;
    sf_target *targets; // (axes)
    grid_value *values; // (axes)
    bool usable;
    char *overrides; // (axes, LINE) in force
    char *wanted;    // (axes, LINE)
    sf_experiment *experiment;
    sf_setup setup;
    sf_findings findings;
    double *ones; // (d)
    kept_scale *kept;
    size_t slots, used;
};

/* ---- the experiment ------------------------------------------------------------------------------------------ */

static bool is_put(const sf_oracle *oracle, size_t axis)
{
    return oracle->targets[axis].kind != SF_TARGET_OTHER;
}

static void release_experiment(sf_oracle *oracle)
{
    sf_setup_release(oracle->context, &oracle->setup);
    sf_findings_release(&oracle->findings);
    sf_free(oracle->context, oracle->ones);
    oracle->ones = NULL;
    sf_experiment_destroy(&oracle->experiment);
}

static sf_status prepare_experiment(sf_oracle *oracle)
{
    size_t d = sf_dataset_features(sf_experiment_dataset(oracle->experiment));
    SF_TRY(sf_setup_create(oracle->context, oracle->experiment, &oracle->setup));
    SF_TRY(sf_findings_create(oracle->context, d, 0, &oracle->findings));
    oracle->ones = SF_ARRAY(oracle->context, d, double);
    if (!oracle->ones)
        return SF_ERR_MEMORY;
    for (size_t j = 0; j < d; j++)
        oracle->ones[j] = 1.0;
    return SF_OK;
}

/* With the overrides in force; none if they are refused. */
static sf_status read_experiment(sf_oracle *oracle)
{
    const char *list[SF_MOST_AXES];
    size_t count = 0;
    release_experiment(oracle);
    for (size_t i = 0; i < oracle->store->axis_count; i++)
        if (!is_put(oracle, i) && oracle->overrides[i * LINE])
            list[count++] = oracle->overrides + i * LINE;
    sf_status status = sf_experiment_parse(oracle->context, "the experiment of the result file",
                                           oracle->store->experiment, count, list, &oracle->experiment);
    if (status == SF_ERR_MEMORY || status == SF_ERR_CANCELLED)
        return status;
    return status == SF_OK ? prepare_experiment(oracle) : SF_OK;
}

/* The overrides of these values; false if one cannot be written. */
static bool write_overrides(sf_oracle *oracle, const sf_cell *values)
{
    for (size_t i = 0; i < oracle->store->axis_count; i++) {
        char *line = oracle->wanted + i * LINE;
        const char *key = oracle->store->axes[i].key;
        if (is_put(oracle, i))
            continue;
        if (strchr(key, '[') || values[i].kind == SF_CELL_NULL)
            return false;
        bool whole = values[i].real == floor(values[i].real) && fabs(values[i].real) < 1e15;
        int length = values[i].kind == SF_CELL_TEXT ? snprintf(line, LINE, "%s=%s", key, values[i].text)
                     : whole                        ? snprintf(line, LINE, "%s=%.0f", key, values[i].real)
                                                    : snprintf(line, LINE, "%s=%.17g", key, values[i].real);
        if (length >= LINE)
            return false;
    }
    return true;
}

static sf_status follow_overrides(sf_oracle *oracle)
{
    size_t size = oracle->store->axis_count * LINE;
    if (oracle->experiment && memcmp(oracle->overrides, oracle->wanted, size) == 0)
        return SF_OK;
    memcpy(oracle->overrides, oracle->wanted, size);
    return read_experiment(oracle);
}

/* ---- create and destroy --------------------------------------------------------------------------------------- */

static sf_target target_of(const sf_store_axis *axis)
{
    for (size_t k = 0; k < axis->count; k++)
        if (axis->values[k].kind == SF_CELL_TEXT)
            return (sf_target){.kind = SF_TARGET_OTHER};
    return sf_target_of(axis->key);
}

/* The first point put in must be the first point read. */
static sf_status test_first(sf_oracle *oracle)
{
    sf_setup read = {0};
    SF_TRY(read_experiment(oracle));
    if (!oracle->experiment)
        return SF_OK;
    SF_TRY(sf_setup_create(oracle->context, oracle->experiment, &read));
    for (size_t i = 0; i < oracle->store->axis_count; i++)
        oracle->values[i] = (grid_value){.number = oracle->store->axes[i].values[0].real};
    sf_setup_put(&oracle->setup, oracle->targets, oracle->store->axis_count, oracle->values);
    oracle->usable = sf_setup_same(&read, &oracle->setup);
    sf_setup_release(oracle->context, &read);
    return SF_OK;
}

static sf_status fill(sf_oracle *oracle)
{
    size_t axes = oracle->store->axis_count;
    oracle->targets = SF_ARRAY(oracle->context, axes, sf_target);
    oracle->values = sf_alloc_zero(oracle->context, axes, sizeof *oracle->values);
    oracle->overrides = sf_alloc_zero(oracle->context, axes, LINE);
    oracle->wanted = sf_alloc_zero(oracle->context, axes, LINE);
    if (!oracle->targets || !oracle->values || !oracle->overrides || !oracle->wanted)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < axes; i++)
        oracle->targets[i] = target_of(&oracle->store->axes[i]);
    return axes <= SF_MOST_AXES ? test_first(oracle) : SF_OK;
}

sf_status sf_oracle_create(const sf_store *store, sf_oracle **out)
{
    *out = NULL;
    sf_oracle *oracle = SF_NEW(store->context, sf_oracle);
    if (!oracle)
        return SF_ERR_MEMORY;
    oracle->store = store;
    sf_status status = sf_context_fork(store->context, &oracle->context);
    if (status == SF_OK)
        status = fill(oracle);
    if (status != SF_OK)
        sf_oracle_destroy(&oracle);
    *out = oracle;
    return status;
}

void sf_oracle_destroy(sf_oracle **oracle)
{
    if (!oracle || !*oracle)
        return;
    sf_oracle *o = *oracle;
    if (o->context) {
        release_experiment(o);
        sf_free(o->context, o->targets);
        sf_free(o->context, o->values);
        sf_free(o->context, o->overrides);
        sf_free(o->context, o->wanted);
        sf_free(o->context, o->kept);
    }
    sf_context_destroy(&o->context);
    sf_free(o->store->context, o);
    *oracle = NULL;
}

/* ---- critical scales ------------------------------------------------------------------------------------------ */

static kept_scale *slot_of(const sf_oracle *oracle, const sf_hash *example)
{
    uint64_t number;
    memcpy(&number, example->bytes, sizeof number);
    size_t slot = (size_t)number & (oracle->slots - 1);
    while (!isnan(oracle->kept[slot].scale) &&
           memcmp(&oracle->kept[slot].example, example, sizeof *example) != 0)
        slot = (slot + 1) & (oracle->slots - 1);
    return &oracle->kept[slot];
}

static sf_status grow(sf_oracle *oracle)
{
    if (2 * (oracle->used + 1) <= oracle->slots)
        return SF_OK;
    size_t before = oracle->slots, slots = before ? 2 * before : 64;
    kept_scale *old = oracle->kept, *kept = SF_ARRAY(oracle->context, slots, kept_scale);
    if (!kept)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < slots; i++)
        kept[i].scale = NAN;
    oracle->kept = kept;
    oracle->slots = slots;
    for (size_t i = 0; i < before; i++)
        if (!isnan(old[i].scale))
            *slot_of(oracle, &old[i].example) = old[i];
    sf_free(oracle->context, old);
    return SF_OK;
}

/* alpha_c(mu, 1) of the setup; NaN if there is none. */
static sf_status scale_of(sf_oracle *oracle, double *scale)
{
    const sf_setup *setup = &oracle->setup;
    sf_hash example = sf_hash_bytes(setup->example, setup->features * sizeof *setup->example);
    SF_TRY(grow(oracle));
    kept_scale *kept = slot_of(oracle, &example);
    *scale = kept->scale;
    if (!isnan(*scale))
        return SF_OK;
    sf_status status = sf_setup_scale(oracle->context, setup, oracle->ones, scale);
    if (status == SF_OK && !isnan(*scale)) {
        *kept = (kept_scale){example, *scale};
        oracle->used++;
    }
    return status;
}

/* ---- answers -------------------------------------------------------------------------------------------------- */

/* Regime and limit by the critical scale alone, where that is enough. */
static sf_status ask_scale(sf_oracle *oracle, sf_finding *finding, bool *told)
{
    sf_perturbation perturbation = sf_experiment_perturbation(oracle->experiment);
    double scale;
    *told = perturbation.method == SF_METHOD_L2 && oracle->setup.layers == 2 && oracle->setup.example &&
            sf_setup_has_scale(&oracle->setup);
    if (!*told)
        return SF_OK;
    sf_status status = scale_of(oracle, &scale);
    if (status == SF_ERR_MEMORY || status == SF_ERR_CANCELLED)
        return status;
    *told = status == SF_OK && sf_setup_classify(&oracle->setup, scale, finding);
    finding->predicted_regime = finding->regime;
    finding->predicted_limit = finding->limit;
    return SF_OK;
}

/* By the network of the experiment, or one over the example of the row. */
static sf_status ask_theory(sf_oracle *oracle, sf_finding *finding)
{
    const sf_setup *setup = &oracle->setup;
    sf_network *network = sf_experiment_network(oracle->experiment), *own = NULL;
    sf_perturbation perturbation = sf_experiment_perturbation(oracle->experiment);
    sf_dataset *dataset = NULL;
    sf_status status = SF_OK;
    perturbation.rho = setup->rho;
    if (setup->example && !sf_dataset_mirrored(sf_experiment_dataset(oracle->experiment))) {
        status = sf_dataset_from_points(oracle->context, 1, setup->features, setup->example, NULL, &dataset);
        if (status == SF_OK)
            status = sf_network_create(oracle->context, dataset, sf_network_depth(network),
                                       sf_network_loss(network), &own);
        network = own;
    }
    if (status == SF_OK)
        status = sf_findings_predict(&oracle->findings, network, &perturbation, setup->theta, false, finding);
    sf_network_destroy(&own);
    sf_dataset_destroy(&dataset);
    return status;
}

sf_status sf_oracle_ask(sf_oracle *oracle, const sf_cell *values, const char **regime, const char **limit)
{
    *regime = *limit = NULL;
    if (!oracle->usable || !write_overrides(oracle, values))
        return SF_OK;
    SF_TRY(follow_overrides(oracle));
    if (!oracle->experiment)
        return SF_OK;
    for (size_t i = 0; i < oracle->store->axis_count; i++)
        oracle->values[i].number = values[i].real;
    sf_setup_put(&oracle->setup, oracle->targets, oracle->store->axis_count, oracle->values);
    sf_finding finding = sf_finding_make();
    bool told;
    sf_status status = ask_scale(oracle, &finding, &told);
    if (status == SF_OK && !told)
        status = ask_theory(oracle, &finding);
    if (status == SF_ERR_MEMORY || status == SF_ERR_CANCELLED)
        return sf_fail(oracle->store->context, status, "%s", sf_context_message(oracle->context));
    if (status == SF_OK) {
        *regime = finding.predicted_regime;
        *limit = finding.predicted_limit;
    }
    return SF_OK;
}
