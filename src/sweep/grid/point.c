/* From a position to settings, without a text in between.
 *
 * The identity of a point is a 128-bit hash of all its resolved settings by their whole names, of the version of samflow
 * and of the content of its data files. A value of an axis changes the hash of its own setting. That is all it changes,
 * unless other settings hang on it (sf_setting_is_linked) or it is no number: then everything is resolved anew.
 */
#include "sweep/grid/point.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- settings of a position ----------------------------------------------------------------------------- */

sf_status sf_point_create(sf_context *context, const sf_grid *grid, const sf_settings *base, sf_point *point)
{
    *point = (sf_point){.context = context, .grid = grid, .whole = true};
    return sf_settings_copy(context, base, &point->settings);
}

void sf_point_release(sf_point *point)
{
    sf_settings_destroy(&point->settings);
}

static sf_status put(sf_point *point, const grid_axis *axis, uint64_t index, bool clear)
{
    static const sf_place nowhere = {NULL, 0, 0}; // the axis has one
    grid_value value = sf_grid_value(point->grid, axis, index);
    if (value.patch)
        return sf_settings_apply(point->settings, axis->key, value.patch);
    if (clear && axis->path.indices == 0)
        sf_settings_clear(point->settings, axis->key);
    return sf_settings_put(point->settings, &axis->path, value.number, nowhere);
}

static void hash_all(sf_point *point)
{
    for (int id = 0; id < SF_SETTING_COUNT; id++)
        if (point->settings->values[id].set)
            point->hash[id] = sf_value_hash((sf_setting_id)id, &point->settings->values[id]);
}

/* Values of the groups that are elsewhere than at the last position; all: of all groups. */
static sf_status put_values(sf_point *point, const uint64_t *index, bool all, bool *linked)
{
    const sf_grid *grid = point->grid;
    for (size_t i = 0; i < grid->axis_count; i++) {
        const grid_axis *axis = &grid->axes[i];
        if (!all && index[axis->group] == point->index[axis->group])
            continue;
        SF_TRY(put(point, axis, index[axis->group], all));
        *linked = *linked || all || sf_setting_is_linked(point->settings, axis->path.id);
        if (!*linked)
            point->hash[axis->path.id] =
                sf_value_hash(axis->path.id, &point->settings->values[axis->path.id]);
    }
    return SF_OK;
}

sf_status sf_point_set(sf_point *point, uint64_t position)
{
    const sf_grid *grid = point->grid;
    uint64_t index[SF_MOST_AXES];
    bool all = point->whole, linked = false;
    sf_grid_indices(grid, position, index);
    for (size_t i = 0; i < grid->axis_count && !all; i++) // a patch may take back what another axis gave
        all = grid->axes[i].patched && index[grid->axes[i].group] != point->index[grid->axes[i].group];
    point->whole = true; // until all is well
    SF_TRY(put_values(point, index, all, &linked));
    if (linked) {
        SF_TRY(sf_settings_resolve(point->settings));
        hash_all(point);
    }
    memcpy(point->index, index, grid->group_count * sizeof *index);
    point->whole = false;
    return SF_OK;
}

/* ---- identities ----------------------------------------------------------------------------------------- */

static sf_hash hash_text(const char *text)
{
    return sf_hash_bytes(text, strlen(text));
}

sf_hash sf_point_identity(const sf_point *point, const sf_hash *content)
{
    sf_hash all[SF_SETTING_COUNT + 3];
    size_t count = 0;
    all[count++] = hash_text(SF_IDENTITY_FORMAT);
    all[count++] = hash_text(sf_version());
    all[count++] = *content;
    for (int id = 0; id < SF_SETTING_COUNT; id++)
        if (point->settings->values[id].set)
            all[count++] = point->hash[id];
    return sf_hash_bytes(all, count * sizeof *all);
}

static sf_hash hash_value(const grid_value *value)
{
    struct sf_assignment *items = value->patch ? value->patch->items : NULL;
    sf_value number = {.set = true, .number = value->number};
    sf_hash pair[2] = {sf_value_hash(SF_SET_RHO, &number)}; // any setting that is a number
    for (size_t i = 0; items && i < value->patch->count; i++) {
        pair[1] = sf_value_hash(items[i].id, &items[i].value);
        pair[0] = sf_hash_bytes(pair, sizeof pair);
    }
    return pair[0];
}

sf_hash sf_point_refused_identity(const sf_grid *grid, uint64_t position, sf_hash first)
{
    sf_hash part[4] = {first, hash_text("refused")};
    uint64_t index[SF_MOST_AXES];
    sf_grid_indices(grid, position, index);
    for (size_t i = 0; i < grid->axis_count; i++) {
        grid_value value = sf_grid_value(grid, &grid->axes[i], index[grid->axes[i].group]);
        part[2] = hash_text(grid->axes[i].key);
        part[3] = hash_value(&value);
        part[0] = sf_hash_bytes(part, sizeof part);
    }
    return part[0];
}

sf_hash sf_grid_identity(const sf_grid *grid, sf_hash first)
{
    sf_hash part[3] = {first};
    for (size_t k = 0; k < grid->axis_count; k++) {
        const grid_axis *axis = &grid->axes[k];
        uint64_t shape[3] = {axis->group, axis->count, (uint64_t)grid->refine.levels};
        part[1] = hash_text(axis->key);
        part[2] = sf_hash_bytes(shape, sizeof shape);
        part[0] = sf_hash_bytes(part, sizeof part);
        for (size_t i = 0; i < axis->count; i++) {
            part[1] = hash_value(&axis->values[i]);
            part[0] = sf_hash_bytes(part, 2 * sizeof *part);
        }
    }
    return part[0];
}

/* ---- duplicates ----------------------------------------------------------------------------------------- */

/* Whether `part` is what `whole` names, or lies in it. */
static bool lies_in(const char *part, const char *whole)
{
    size_t length = strlen(whole);
    return strncmp(part, whole, length) == 0 &&
           strchr(".[", part[length]); // the end of `part` counts as well
}

/* Whether two axes may set the same setting. */
static bool overlap(const grid_axis *a, const grid_axis *b)
{
    return lies_in(a->key, b->key) || lies_in(b->key, a->key);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(sf_hash));
}

/* No two indices of the group give the same values. */
static sf_status group_distinct(const sf_grid *grid, const grid_group *group, bool *distinct)
{
    sf_hash *all = SF_ARRAY(grid->context, group->count, sf_hash);
    if (!all)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < group->count; i++) {
        sf_hash pair[2] = {{{0}}};
        for (size_t k = group->first; k < group->first + group->axes; k++) {
            pair[1] = hash_value(&grid->axes[k].values[i]);
            pair[0] = sf_hash_bytes(pair, sizeof pair);
        }
        all[i] = pair[0];
    }
    qsort(all, group->count, sizeof *all, by_bytes);
    for (size_t i = 1; i < group->count; i++)
        *distinct = *distinct && by_bytes(&all[i - 1], &all[i]) != 0;
    sf_free(grid->context, all);
    return SF_OK;
}

sf_status sf_grid_is_distinct(const sf_grid *grid, bool *distinct)
{
    *distinct = grid->refine.levels == 0;
    for (size_t i = 0; i < grid->axis_count && *distinct; i++) {
        sf_setting_id id = grid->axes[i].path.id;
        *distinct =
            id < SF_SETTING_COUNT && sf_settings_table[id].type != SF_TYPE_TEXT; // 0 and "0" are one text
        for (size_t k = 0; k < i; k++)
            *distinct = *distinct && !overlap(&grid->axes[i], &grid->axes[k]);
    }
    for (size_t g = 0; g < grid->group_count && *distinct; g++)
        SF_TRY(group_distinct(grid, &grid->groups[g], distinct));
    return SF_OK;
}
