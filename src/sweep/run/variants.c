#include "sweep/run/variants.h"

#include <string.h>

#include "sweep/run/lean.h"
#include "sweep/run/resolved.h"
#include "sweep/run/scales.h"
#include "sweep/run/setup.h"
#include "sweep/run/templates.h"

static bool is_put(const sf_sweep *sweep, size_t axis)
{
    const grid_axis *a = &sweep->grid->axes[axis];
    for (size_t k = 0; k < a->count; k++)
        if (a->values[k].text)
            return false;
    return sf_target_of(a->key).kind != SF_TARGET_OTHER;
}

/* The groups of axes that cannot be put in as numbers. False if an item of a list is among them. */
static bool find_groups(const sf_sweep *sweep, sf_variants *variants)
{
    const sf_grid *grid = sweep->grid;
    variants->count = 1;
    for (size_t g = 0; g < grid->group_count; g++) {
        bool all = true, items = false;
        for (size_t i = grid->groups[g].first; i < grid->groups[g].first + grid->groups[g].axes; i++) {
            all = all && is_put(sweep, i);
            items = items || strchr(grid->axes[i].key, '[');
        }
        if (all)
            continue;
        if (items || grid->groups[g].count > SF_MOST_VARIANTS / variants->count)
            return false;
        variants->group[variants->group_count++] = g;
        variants->count *= grid->groups[g].count;
    }
    return variants->group_count > 0 && variants->group_count < grid->group_count && grid->refine.levels == 0;
}

static bool is_fixed_group(const sf_variants *variants, size_t group)
{
    for (size_t k = 0; k < variants->group_count; k++)
        if (variants->group[k] == group)
            return true;
    return false;
}

static void fix_indices(const sf_sweep *sweep, const sf_variants *variants, size_t number, uint64_t *fixed)
{
    for (size_t g = 0; g < sweep->grid->group_count; g++)
        fixed[g] = UINT64_MAX;
    for (size_t k = variants->group_count; k-- > 0;) {
        size_t count = sweep->grid->groups[variants->group[k]].count;
        fixed[variants->group[k]] = number % count;
        number /= count;
    }
}

size_t sf_variant_of(const sf_sweep *sweep, uint64_t position)
{
    uint64_t indices[SF_MOST_AXES];
    size_t number = 0;
    sf_grid_indices(sweep->grid, position, indices);
    for (size_t k = 0; k < sweep->variants->group_count; k++) {
        size_t group = sweep->variants->group[k];
        number = number * sweep->grid->groups[group].count + (size_t)indices[group];
    }
    return number;
}

/* ---- one variant ---------------------------------------------------------------------------------------------- */

/* The templates of its free axes, and the others filled in as overrides. */
static sf_status split_templates(const sf_sweep *sweep, const sf_variants *variants, const grid_value *values,
                                 sf_sweep *variant)
{
    sf_context *context = sweep->context;
    variant->overrides =
        sf_alloc_zero(context, sweep->override_count + sweep->grid->axis_count, sizeof(char *));
    variant->templates = sf_alloc_zero(context, sweep->template_count, sizeof(char *));
    if (!variant->overrides || !variant->templates)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < sweep->override_count; i++, variant->override_count++)
        if (!(variant->overrides[i] = sf_strdup(context, sweep->overrides[i])))
            return SF_ERR_MEMORY;
    for (size_t t = 0; t < sweep->template_count; t++) {
        const char *hole = strchr(sweep->templates[t], SF_HOLE);
        size_t axis = (unsigned char)hole[1] - 1u;
        bool fixed = is_fixed_group(variants, sweep->grid->axes[axis].group);
        char *text = fixed ? sf_sweep_fill(context, sweep->templates[t], values)
                           : sf_strdup(context, sweep->templates[t]);
        if (!text)
            return SF_ERR_MEMORY;
        if (fixed)
            variant->overrides[variant->override_count++] = text;
        else
            variant->templates[variant->template_count++] = text;
    }
    return SF_OK;
}

void sf_sweep_release_own(sf_sweep *sweep)
{
    sf_context *context = sweep->context;
    sf_experiment_destroy(&sweep->first);
    sf_leaves_release(&sweep->leaves);
    for (size_t i = 0; i < sweep->template_count; i++)
        sf_free(context, sweep->templates[i]);
    for (size_t i = 0; i < sweep->override_count; i++)
        sf_free(context, sweep->overrides[i]);
    sf_free(context, sweep->templates);
    sf_free(context, sweep->overrides);
    sf_free(context, sweep->settings);
    sf_free(context, sweep->axis_leaf);
    sf_free(context, sweep->targets);
    sf_scales_destroy(context, &sweep->scales);
}

static void destroy_variant(sf_context *context, sf_sweep **variant)
{
    if (*variant)
        sf_sweep_release_own(*variant);
    sf_free(context, *variant);
    *variant = NULL;
}

/* *out is NULL if its points cannot be computed in another way, or if their settings are refused. */
static sf_status create_variant(const sf_sweep *sweep, const sf_variants *variants, size_t number,
                                grid_value *values, sf_sweep **out)
{
    sf_context *context = sweep->context;
    uint64_t fixed[SF_MOST_AXES];
    sf_sweep *v = *out = SF_NEW(context, sf_sweep);
    if (!v)
        return SF_ERR_MEMORY;
    *v = (sf_sweep){.context = context,
                    .grid = sweep->grid,
                    .measure = sweep->measure,
                    .shelf = sweep->shelf,
                    .contents = sweep->contents,
                    .distinct = sweep->distinct};
    fix_indices(sweep, variants, number, fixed);
    sf_grid_values(sweep->grid, sf_grid_slice_position(sweep->grid, fixed, 0), values);
    SF_TRY(split_templates(sweep, variants, values, v));
    sf_status status = sf_sweep_experiment(v, context, values, 0, NULL, &v->first);
    if (status == SF_OK)
        status = sf_sweep_leaves(v, context, v->first, &v->leaves, &v->settings);
    bool same =
        status == SF_OK && sf_dataset_features(sf_experiment_dataset(v->first)) == sweep->measure->features;
    if (same)
        status = sf_sweep_test_lean(v, fixed, values);
    if (status == SF_ERR_MEMORY || status == SF_ERR_CANCELLED)
        return status;
    if (status != SF_OK || !same || v->way == SF_WAY_GENERAL)
        destroy_variant(context, out);
    return SF_OK;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

void sf_variants_destroy(sf_context *context, sf_variants **variants)
{
    if (!*variants)
        return;
    for (size_t i = 0; i < (*variants)->count; i++)
        destroy_variant(context, &(*variants)->items[i]);
    sf_free(context, *variants);
    *variants = NULL;
}

sf_status sf_variants_create(sf_sweep *sweep, grid_value *values, sf_variants **out)
{
    sf_variants all = {0};
    *out = NULL;
    if (sweep->way != SF_WAY_GENERAL || !find_groups(sweep, &all))
        return SF_OK;
    sf_variants *variants = SF_NEW(sweep->context, sf_variants);
    if (!variants)
        return SF_ERR_MEMORY;
    *variants = all;
    sf_status status = SF_OK;
    size_t useful = 0;
    for (size_t i = 0; i < variants->count && status == SF_OK; i++) {
        status = create_variant(sweep, variants, i, values, &variants->items[i]);
        useful += variants->items[i] != NULL;
    }
    if (status != SF_OK || useful == 0)
        sf_variants_destroy(sweep->context, &variants);
    *out = variants;
    return status;
}
