/* From a sweep file to a plan: the grid, the experiment of its first point, the check of every axis, and the way in
 * which points are computed. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/run/clock.h"
#include "sweep/run/lean.h"
#include "sweep/run/resolved.h"
#include "sweep/run/templates.h"
#include "sweep/run/variants.h"
#include "sweep/run/worker.h"

/* ---- the check of the axes ------------------------------------------------------------------------------ */

enum { CHECKED_VALUES = 512 };

/* Values of one axis, the others at the first point. Of a range its ends and the one after the first, since
 * settings allow intervals, of all or of whole numbers; of long lists some evenly spread, with both ends. */
static sf_status check_axis(const sf_sweep *sweep, size_t number, grid_value *values)
{
    const grid_axis *axis = &sweep->grid->axes[number];
    size_t most = axis->range ? 3 : CHECKED_VALUES, checked = axis->count < most ? axis->count : most;
    double begin = sf_clock();
    sf_grid_values(sweep->grid, 0, values);
    for (size_t i = 0; i < checked; i++) {
        if (i > 0 && sf_clock() - begin > SF_CHECK_SECONDS)
            i = checked - 1;
        size_t spread = checked < axis->count ? i * (axis->count - 1) / (checked - 1) : i;
        size_t index = axis->range && i == 1 ? 1 : spread;
        const grid_group *group = &sweep->grid->groups[axis->group];
        for (size_t k = 0; k < group->axes; k++) // zipped axes move together
            values[group->first + k] = sweep->grid->axes[group->first + k].values[index];
        sf_experiment *experiment;
        sf_status status = sf_sweep_experiment(sweep, sweep->context, values, 0, NULL, &experiment);
        sf_experiment_destroy(&experiment);
        if (status == SF_ERR_CONFIG || status == SF_ERR_ARGUMENT)
            return sf_sweep_axis_error(sweep, axis);
        SF_TRY(status);
        if (sf_cancelled(sweep->context))
            return sf_fail(sweep->context, SF_ERR_CANCELLED, "interrupted");
    }
    return SF_OK;
}

/* ---- identity of the grid ------------------------------------------------------------------------------- */

/* Whether the setting at `path` is the one that `key` names, or a part of it: a prefix of its name is not enough, since
 * dynamics.step is no part of dynamics.steps. */
static bool is_set_by(const char *path, const char *key)
{
    size_t length = strlen(key);
    return strncmp(path, key, length) == 0 &&
           (path[length] == '\0' || path[length] == '.' || path[length] == '[');
}

/* H over the axes (key, factor, values) and over the leaves that no axis sets. */
static sf_status grid_identity(sf_sweep *sweep)
{
    const sf_grid *grid = sweep->grid;
    sf_leaves all = {.context = sweep->context};
    sf_status status = SF_OK;
    for (size_t i = 0; i < sweep->leaves.count && status == SF_OK; i++) {
        const sf_leaf *leaf = &sweep->leaves.items[i];
        bool swept = false;
        for (size_t k = 0; k < grid->axis_count; k++)
            swept = swept || is_set_by(leaf->path, grid->axes[k].key);
        if (!swept)
            status = sf_leaves_put(&all, leaf->path, leaf->number, leaf->text);
    }
    for (size_t k = 0; k < grid->axis_count && status == SF_OK; k++) {
        const grid_axis *axis = &grid->axes[k];
        sf_hash pair[2] = {{{0}}};
        sf_hash name = sf_hash_bytes(axis->key, strlen(axis->key));
        for (size_t i = 0; i < axis->count; i++) {
            pair[1] = sf_leaf_hash(name, axis->values[i].number, axis->values[i].text);
            pair[0] = sf_hash_bytes(pair, sizeof pair);
        }
        char path[64], digits[33];
        snprintf(path, sizeof path, "axis %03zu of factor %03zu", k, axis->group);
        for (int i = 0; i < 16; i++)
            snprintf(digits + 2 * i, 3, "%02x", pair[0].bytes[i]);
        status = sf_leaves_put(&all, path, NAN, digits);
    }
    if (status == SF_OK)
        status = sf_leaves_put(&all, "levels", grid->refine.levels, NULL);
    if (status == SF_OK)
        status = sf_leaves_hash(&all, &sweep->identity);
    sf_leaves_release(&all);
    return status;
}

/* ---- duplicates ----------------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(sf_hash));
}

/* No two indices of the group give the same values. */
static sf_status group_distinct(const sf_sweep *sweep, const grid_group *group, bool *distinct)
{
    sf_hash *all = SF_ARRAY(sweep->context, group->count, sf_hash);
    if (!all)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < group->count; i++) {
        sf_hash hash = {{0}};
        for (size_t k = group->first; k < group->first + group->axes; k++)
            hash = sf_leaf_hash(hash, sweep->grid->axes[k].values[i].number,
                                sweep->grid->axes[k].values[i].text);
        all[i] = hash;
    }
    qsort(all, group->count, sizeof *all, by_bytes);
    for (size_t i = 1; i < group->count; i++)
        *distinct = *distinct && by_bytes(&all[i - 1], &all[i]) != 0;
    sf_free(sweep->context, all);
    return SF_OK;
}

static sf_status find_duplicates(sf_sweep *sweep)
{
    sweep->distinct = sweep->lean && sweep->grid->refine.levels == 0;
    for (size_t g = 0; g < sweep->grid->group_count && sweep->distinct; g++)
        SF_TRY(group_distinct(sweep, &sweep->grid->groups[g], &sweep->distinct));
    return SF_OK;
}

/* ---- create and destroy --------------------------------------------------------------------------------- */

static sf_status keep_overrides(sf_sweep *sweep, size_t count, const char *const *overrides)
{
    sweep->overrides = sf_alloc_zero(sweep->context, count, sizeof *sweep->overrides);
    if (!sweep->overrides)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(overrides[i], "sweep.", 6) == 0 || strncmp(overrides[i], "sweep=", 6) == 0)
            return sf_fail(sweep->context, SF_ERR_CONFIG,
                           "--set %s: only keys of the experiment can be set; change axes in %s",
                           overrides[i], sweep->grid->name);
        for (size_t k = 0; k < sweep->grid->axis_count; k++) {
            const char *key = sweep->grid->axes[k].key;
            if (strncmp(overrides[i], key, strlen(key)) == 0 && overrides[i][strlen(key)] == '=')
                return sf_fail(sweep->context, SF_ERR_CONFIG, "--set %s: this key is an axis of the sweep",
                               overrides[i]);
        }
        if (!(sweep->overrides[i] = sf_strdup(sweep->context, overrides[i])))
            return SF_ERR_MEMORY;
        sweep->override_count++;
    }
    return SF_OK;
}

static sf_status make_plan(sf_sweep *sweep, const char *name, const char *text, size_t count,
                           const char *const *overrides)
{
    SF_TRY(sf_grid_parse(sweep->context, name, text, &sweep->grid));
    SF_TRY(sf_shelf_create(sweep->context, &sweep->shelf));
    SF_TRY(sf_contents_create(sweep->context, &sweep->contents));
    SF_TRY(keep_overrides(sweep, count, overrides));
    SF_TRY(sf_sweep_make_templates(sweep));
    grid_value *values = SF_ARRAY(sweep->context, sweep->grid->axis_count, grid_value);
    if (!values)
        return SF_ERR_MEMORY;
    sf_status status = SF_OK;
    for (size_t i = 0; i < sweep->grid->axis_count && status == SF_OK; i++)
        status = check_axis(sweep, i, values);
    sf_grid_values(sweep->grid, 0, values);
    if (status == SF_OK)
        status = sf_sweep_experiment(sweep, sweep->context, values, 0, NULL, &sweep->first);
    if (status == SF_OK)
        status = sf_sweep_leaves(sweep, sweep->context, sweep->first, &sweep->leaves, &sweep->settings);
    if (status == SF_OK)
        status = sf_measure_create(sweep->grid, sf_dataset_features(sf_experiment_dataset(sweep->first)),
                                   sf_experiment_mode(sweep->first), &sweep->measure);
    if (status == SF_OK)
        status = sf_sweep_test_lean(sweep, NULL, values);
    if (status == SF_OK)
        status = sf_variants_create(sweep, values, &sweep->variants);
    sf_free(sweep->context, values);
    if (status == SF_OK)
        status = find_duplicates(sweep);
    return status == SF_OK ? grid_identity(sweep) : status;
}

sf_status sf_sweep_parse(sf_context *context, const char *name, const char *text, size_t count,
                         const char *const *overrides, sf_sweep **out)
{
    *out = NULL;
    sf_sweep *sweep = SF_NEW(context, sf_sweep);
    if (!sweep)
        return SF_ERR_MEMORY;
    sweep->context = context;
    sf_status status = make_plan(sweep, name, text, count, overrides);
    if (status != SF_OK)
        sf_sweep_destroy(&sweep);
    *out = sweep;
    return status;
}

sf_status sf_sweep_read(sf_context *context, const char *path, size_t count, const char *const *overrides,
                        sf_sweep **out)
{
    *out = NULL;
    bool standard = strcmp(path, "-") == 0;
    FILE *stream = standard ? stdin : fopen(path, "rb");
    if (!stream)
        return sf_fail(context, SF_ERR_CONFIG, "%s: cannot be opened: %s, expected a sweep file", path,
                       strerror(errno));
    char *text = NULL;
    size_t capacity = 0;
    bool good = getdelim(&text, &capacity, '\0', stream) >= 0; // a text has no 0: this is all of it
    if (!standard)
        fclose(stream);
    sf_status status =
        good ? sf_sweep_parse(context, standard ? "standard input" : path, text, count, overrides, out)
             : sf_fail(context, SF_ERR_CONFIG, "%s: empty or unreadable, expected a sweep file", path);
    free(text);
    return status;
}

void sf_sweep_destroy(sf_sweep **sweep)
{
    if (!sweep || !*sweep)
        return;
    sf_sweep *s = *sweep;
    sf_worker_destroy(&s->worker);
    sf_variants_destroy(s->context, &s->variants);
    sf_measure_destroy(&s->measure);
    sf_sweep_release_own(s);
    sf_shelf_destroy(&s->shelf);
    sf_contents_destroy(s->context, &s->contents);
    sf_grid_destroy(&s->grid);
    sf_free(s->context, s);
    *sweep = NULL;
}

uint64_t sf_sweep_points(const sf_sweep *sweep)
{
    return sweep->grid->points;
}

int sf_sweep_levels(const sf_sweep *sweep)
{
    return sweep->grid->refine.levels;
}
