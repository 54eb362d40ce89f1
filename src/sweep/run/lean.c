/* Sweeps whose points need no YAML.
 *
 * Reading an experiment takes a tenth of a millisecond, too much for a million points. Where every value of the axes is
 * a number that the resolved settings show again as it is, the settings of a point are those of the first one with
 * these numbers put in: the sweep is `lean`, and identities are cheap. Where start, example, rho, eta and steps follow
 * the same way, points can be computed many at once. Neither is assumed: both are tested against experiments that were
 * read, on a sample of points.
 */
#include "sweep/run/lean.h"

#include <string.h>

#include "sweep/run/clock.h"
#include "sweep/run/resolved.h"
#include "sweep/run/scales.h"
#include "sweep/run/setup.h"
#include "sweep/run/templates.h"

/* ---- which way ------------------------------------------------------------------------------------------ */

static bool any_target(const sf_sweep *sweep, const sf_target *targets, sf_target_kind kind)
{
    for (size_t i = 0; i < sweep->grid->axis_count; i++)
        if (targets[i].kind == kind)
            return true;
    return false;
}

/* Regime and limit of l2-SAM at depth 2 on one example: by the critical scale alone. */
static bool suits_theory(const sf_sweep *sweep)
{
    const sf_network *network = sf_experiment_network(sweep->first);
    return sf_experiment_mode(sweep->first) == SF_MODE_EXACT &&
           (sweep->measure->needs & ~(SF_NEED_REGIME | SF_NEED_LIMIT)) == 0 &&
           sf_experiment_perturbation(sweep->first).method == SF_METHOD_L2 &&
           sf_network_depth(network) == 2 && sf_dataset_examples(sf_experiment_dataset(sweep->first)) == 1;
}

/* All but the clocks of flows. A start of its own for each needs nothing; an example of its own needs N = 1. */
static bool suits_batch(const sf_sweep *sweep, const sf_target *targets)
{
    const sf_dataset *dataset = sf_experiment_dataset(sweep->first);
    bool examples = any_target(sweep, targets, SF_TARGET_EXAMPLE_AT);
    return sf_experiment_mode(sweep->first) == SF_MODE_DISCRETE &&
           (!examples || (sf_dataset_examples(dataset) == 1 && !sf_dataset_mirrored(dataset)));
}

static sf_way way_of(const sf_sweep *sweep, const sf_target *targets)
{
    if (any_target(sweep, targets, SF_TARGET_OTHER))
        return SF_WAY_GENERAL;
    return suits_theory(sweep) ? SF_WAY_THEORY : suits_batch(sweep, targets) ? SF_WAY_BATCH : SF_WAY_GENERAL;
}

/* ---- the test ------------------------------------------------------------------------------------------- */

enum { CHECKED_POINTS = 64, CHECKED_OF_VARIANT = 16 };

sf_hash sf_sweep_lean_hash(const sf_sweep *sweep, const grid_value *values, sf_hash *scratch)
{
    for (size_t i = 0; i < sweep->leaves.count; i++)
        scratch[i] = sweep->leaves.items[i].hash;
    for (size_t i = 0; i < sweep->grid->axis_count; i++) {
        if (sweep->axis_leaf[i] == SIZE_MAX) // fixed in this variant
            continue;
        const sf_leaf *leaf = &sweep->leaves.items[sweep->axis_leaf[i]];
        scratch[sweep->axis_leaf[i]] = sf_leaf_hash(leaf->path_hash, values[i].number, NULL);
    }
    return sf_hash_bytes(scratch, sweep->leaves.count * sizeof *scratch);
}

typedef struct trial {
    sf_sweep *sweep;
    const uint64_t *fixed; // (groups) of a variant; NULL
    grid_value *values;
    sf_hash *scratch;
    sf_setup setup;
    bool lean, follows; // settings, and numbers, are as expected so far
} trial;

static sf_status compare_settings(trial *t, const sf_experiment *experiment)
{
    sf_leaves leaves;
    sf_hash hash = {{0}};
    sf_status status = sf_sweep_leaves(t->sweep, t->sweep->context, experiment, &leaves, NULL);
    if (status == SF_OK)
        status = sf_leaves_hash(&leaves, &hash);
    t->lean = leaves.count == t->sweep->leaves.count;
    if (status == SF_OK && t->lean) {
        sf_hash lean = sf_sweep_lean_hash(t->sweep, t->values, t->scratch);
        t->lean = memcmp(&lean, &hash, sizeof hash) == 0;
    }
    sf_leaves_release(&leaves);
    return status;
}

static sf_status compare_setup(trial *t, const sf_experiment *experiment)
{
    sf_setup read;
    SF_TRY(sf_setup_create(t->sweep->context, experiment, &read));
    sf_setup_put(&t->setup, t->sweep->targets, t->sweep->grid->axis_count, t->values);
    t->follows = t->follows && sf_setup_same(&read, &t->setup);
    sf_setup_release(t->sweep->context, &read);
    return SF_OK;
}

static sf_status compare_point(trial *t, uint64_t position)
{
    sf_experiment *experiment;
    sf_grid_values(t->sweep->grid, position, t->values);
    sf_status status = sf_sweep_experiment(t->sweep, t->sweep->context, t->values, 0, NULL, &experiment);
    if (status == SF_ERR_CONFIG ||
        status == SF_ERR_DATA) { // a point that will fail: the general way says why
        t->lean = false;
        return SF_OK;
    }
    SF_TRY(status);
    status = compare_settings(t, experiment);
    if (status == SF_OK && t->lean)
        status = compare_setup(t, experiment);
    sf_experiment_destroy(&experiment);
    return status;
}

/* Every axis is a number that is a leaf of the resolved settings, or fixed. */
static bool numbers_only(sf_sweep *sweep, const uint64_t *fixed)
{
    for (size_t i = 0; i < sweep->grid->axis_count; i++) {
        const grid_axis *axis = &sweep->grid->axes[i];
        if (fixed[axis->group] != UINT64_MAX) {
            sweep->axis_leaf[i] = SIZE_MAX;
            sweep->targets[i] = (sf_target){.kind = SF_TARGET_END};
            continue;
        }
        size_t leaf = sweep->axis_leaf[i] = sf_leaves_find(&sweep->leaves, axis->key);
        sweep->targets[i] = sf_target_of(axis->key);
        if (leaf == SIZE_MAX || sweep->leaves.items[leaf].text)
            return false;
        for (size_t k = 0; k < axis->count; k++)
            if (axis->values[k].text)
                return false;
    }
    return true;
}

/* The n-th point of the grid as written, or of the variant. */
static uint64_t trial_position(const trial *t, uint64_t n)
{
    const sf_grid *grid = t->sweep->grid;
    return t->fixed ? sf_grid_slice_position(grid, t->fixed, n) : sf_grid_written(grid, n);
}

static sf_status run_trial(trial *t)
{
    const sf_grid *grid = t->sweep->grid;
    uint64_t free[SF_MOST_AXES];
    for (size_t g = 0; g < grid->group_count; g++)
        free[g] = UINT64_MAX;
    uint64_t points = t->fixed ? sf_grid_slice_points(grid, t->fixed) : grid->points;
    uint64_t step = points / (t->fixed ? CHECKED_OF_VARIANT : CHECKED_POINTS) + 1;
    t->lean = t->follows = numbers_only(t->sweep, t->fixed ? t->fixed : free);
    double begin = sf_clock();
    for (uint64_t n = 0; n < points && t->lean && (n < 3 * step || sf_clock() - begin < SF_CHECK_SECONDS);
         n += step)
        SF_TRY(compare_point(t, trial_position(t, n)));
    if (t->lean)
        SF_TRY(compare_point(t, trial_position(t, points - 1)));
    return SF_OK;
}

sf_status sf_sweep_test_lean(sf_sweep *sweep, const uint64_t *fixed, grid_value *values)
{
    sf_context *context = sweep->context;
    trial t = {.sweep = sweep, .fixed = fixed, .values = values};
    sweep->axis_leaf = SF_ARRAY(context, sweep->grid->axis_count, size_t);
    sweep->targets = SF_ARRAY(context, sweep->grid->axis_count, sf_target);
    t.scratch = SF_ARRAY(context, sweep->leaves.count, sf_hash);
    sf_status status = sweep->axis_leaf && sweep->targets && t.scratch
                           ? sf_setup_create(context, sweep->first, &t.setup)
                           : SF_ERR_MEMORY;
    if (status == SF_OK)
        status = run_trial(&t);
    sf_setup_release(context, &t.setup);
    sf_free(context, t.scratch);
    sweep->lean = t.lean;
    sweep->way = t.lean && t.follows ? way_of(sweep, sweep->targets) : SF_WAY_GENERAL;
    return status == SF_OK && sweep->way == SF_WAY_THEORY ? sf_scales_create(sweep, &sweep->scales) : status;
}
