/* Reading of the section `sweep:`.
 *
 *   sweep:
 *     axes:                                   # a product; the last one varies fastest
 *       network.init: {linspace: [0.4, 1, 7]}         # from, to, count
 *       data.example[1]: {logspace: [1.1, 10, 50]}    # from, to, count; the values themselves, not exponents
 *       optimizer.method: [gd, l2-sam]
 *       zip:                                          # one mapping or a list of them: these advance together
 *         optimizer.rho: {random: {uniform: [0.5, 2], count: 100, seed: 1}}
 *         dynamics.step: {random: {log_uniform: [1e-3, 1e-1], count: 100, seed: 2}}
 *     observables: [regime, limit, {beta: {tau: [0.5, 1]}}]
 *     refine: {by: regime, levels: 4}
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "settings/document.h"
#include "sweep/grid/grid.h"
#include "sweep/grid/observables.h"

/* ---- axes and groups ------------------------------------------------------------------------------------ */

static sf_status check_new_column(sf_grid *grid, const grid_axis *axis, sf_place at)
{
    static const char *const taken[] = {"id",      "hash",   "status",  "reason",   "outcome",
                                        "version", "source", "columns", "position", NULL};
    for (size_t i = 0; taken[i]; i++)
        if (strcasecmp(taken[i], axis->column) == 0)
            return GRID_FAIL(grid, at, "an axis cannot be named '%s': the store has a column of this name",
                             axis->column);
    for (const grid_axis *other = grid->axes; other < axis; other++) {
        if (strcmp(other->key, axis->key) == 0)
            return GRID_FAIL(grid, at, "axis '%s' appears twice", axis->key);
        if (strcasecmp(other->column, axis->column) == 0)
            return GRID_FAIL(grid, at, "axes '%s' and '%s' have the same name '%s'%s", other->key, axis->key,
                             axis->column,
                             strcmp(other->column, axis->column) == 0 ? "" : ", but for capital letters");
    }
    return SF_OK;
}

static sf_status read_axis(sf_grid *grid, const char *key, sf_place at, sf_node *value, size_t group)
{
    grid_axis *axes = sf_resize(grid->context, grid->axes, grid->axis_count + 1, sizeof *axes);
    if (!axes)
        return SF_ERR_MEMORY;
    grid->axes = axes;
    grid_axis *axis = &axes[grid->axis_count];
    *axis = (grid_axis){.group = group, .place = at};
    if (!(axis->key = axis->column = sf_grid_keep(grid, key, strlen(key))))
        return SF_ERR_MEMORY;
    grid->axis_count++;
    if (grid->axis_count > SF_MOST_AXES)
        return GRID_FAIL(grid, at, "more than %d axes", SF_MOST_AXES);
    if (strncmp(key, "sweep", 5) == 0 && (key[5] == '.' || key[5] == '\0'))
        return GRID_FAIL(grid, at, "a sweep cannot sweep itself; expected a key of the experiment");
    if (!sf_setting_path_of(key, &axis->path) && (axis->path.id != SF_SETTING_COUNT || strchr(key, '['))) {
        sf_fail(grid->context, SF_ERR_CONFIG, "not a key; expected one such as data.example[1]");
        return sf_grid_axis_fail(grid, axis);
    }
    SF_TRY(sf_grid_read_values(grid, axis, value));
    return check_new_column(grid, axis, at);
}

/* Axes that advance together: those of a mapping, or one alone. */
static sf_status read_group(sf_grid *grid, sf_node *mapping, size_t from, size_t to)
{
    grid_group *groups = sf_resize(grid->context, grid->groups, grid->group_count + 1, sizeof *groups);
    if (!groups)
        return SF_ERR_MEMORY;
    grid->groups = groups;
    size_t index = grid->group_count++, first = grid->axis_count;
    groups[index] = (grid_group){.first = first};
    for (size_t i = from; i < to; i++)
        SF_TRY(read_axis(grid, mapping->keys[i], mapping->key_places[i], mapping->items[i], index));
    grid->groups[index].axes = grid->axis_count - first;
    grid->groups[index].count = grid->axes[first].count;
    for (size_t i = first + 1; i < grid->axis_count; i++)
        if (grid->axes[i].count != grid->axes[first].count)
            return GRID_FAIL(grid, grid->axes[i].place,
                             "zipped axes must be of one length: '%s' has %zu values, '%s' has %zu",
                             grid->axes[first].key, grid->axes[first].count, grid->axes[i].key,
                             grid->axes[i].count);
    return SF_OK;
}

static sf_status read_zip(sf_grid *grid, sf_node *zip, sf_place at)
{
    if (zip->kind == SF_NODE_MAPPING && zip->count > 0)
        return read_group(grid, zip, 0, zip->count);
    if (zip->kind != SF_NODE_LIST || zip->numbers || zip->count == 0)
        return GRID_FAIL(grid, at, "zip expects a mapping of axes, or a list of such mappings");
    for (size_t i = 0; i < zip->count; i++) {
        sf_node *item = zip->items[i];
        if (item->kind != SF_NODE_MAPPING || item->count == 0)
            return GRID_FAIL(grid, item->place, "an item of zip expects a mapping of axes");
        SF_TRY(read_group(grid, item, 0, item->count));
    }
    return SF_OK;
}

static sf_status count_points(sf_grid *grid, sf_place at)
{
    double count = 1.0;
    for (size_t g = 0; g < grid->group_count; g++)
        count *= (double)grid->groups[g].count;
    if (count <= SF_GRID_MAX_POINTS) {
        grid->points = (uint64_t)count;
        return SF_OK;
    }
    char factors[256] = "";
    for (size_t g = 0; g < grid->group_count; g++)
        snprintf(factors + strlen(factors), sizeof factors - strlen(factors), "%s%zu", g ? " x " : "",
                 grid->groups[g].count);
    return GRID_FAIL(
        grid, at,
        "the grid has %.15g points (%s); at most %d make a sweep. Take fewer values an axis, let `refine:` "
        "put points where something changes, or draw at random (`zip:` of `random:` axes)",
        count, factors, SF_GRID_MAX_POINTS);
}

static sf_status read_axes(sf_grid *grid, sf_node *axes, sf_place at)
{
    if (!axes || axes->kind != SF_NODE_MAPPING || axes->count == 0)
        return GRID_FAIL(grid, at, "sweep expects axes, a mapping such as {optimizer.rho: [0.5, 1, 2]}");
    for (size_t i = 0; i < axes->count; i++)
        if (strcmp(axes->keys[i], "zip") == 0)
            SF_TRY(read_zip(grid, axes->items[i], axes->key_places[i]));
        else
            SF_TRY(read_group(grid, axes, i, i + 1));
    return count_points(grid, axes->key_places[0]);
}

/* ---- observables and refinement ------------------------------------------------------------------------- */

static sf_status read_times(sf_grid *grid, grid_observable *observable, sf_node *value, sf_place at)
{
    static const char *const clock[] = {"tau", "log_time", "step", NULL};
    if (!value || value->kind != SF_NODE_MAPPING || value->count != 1)
        return GRID_FAIL(grid, at,
                         "observable beta expects its times, for example {beta: {tau: [0.5, 1, 2]}}");
    SF_TRY(sf_grid_check_keys(grid, value, "beta", clock));
    for (size_t i = 0; clock[i]; i++)
        if (strcmp(clock[i], value->keys[0]) == 0)
            observable->clock = clock[i];
    sf_node *list = value->items[0];
    if (list->kind != SF_NODE_LIST || !list->numbers)
        return GRID_FAIL(grid, at, "times of beta expect a list of numbers");
    observable->times = list->numbers;
    observable->time_count = list->count;
    list->numbers = NULL;
    list->count = 0;
    for (size_t i = 1; i < observable->time_count; i++)
        if (!(observable->times[i] > observable->times[i - 1]))
            return GRID_FAIL(grid, at, "times of beta must increase: %g follows %g", observable->times[i],
                             observable->times[i - 1]);
    return SF_OK;
}

static sf_status read_observable(sf_grid *grid, sf_node *node)
{
    grid_observable *all =
        sf_resize(grid->context, grid->observables, grid->observable_count + 1, sizeof *all);
    if (!all)
        return SF_ERR_MEMORY;
    grid->observables = all;
    sf_place at = node->place;
    grid_observable *observable = &all[grid->observable_count++];
    *observable = (grid_observable){.place = at};
    bool pair = node->kind == SF_NODE_MAPPING && node->count == 1;
    const char *name = pair ? node->keys[0] : node->kind == SF_NODE_SCALAR ? node->text : NULL;
    sf_node *value = pair ? node->items[0] : NULL;
    if (!name || !(observable->name = sf_observable_known(name))) {
        char list[512];
        sf_observable_list(list, sizeof list);
        return GRID_FAIL(grid, at, "unknown observable '%s'; expected some of %s", name ? name : "", list);
    }
    for (size_t i = 0; i + 1 < grid->observable_count; i++)
        if (strcmp(all[i].name, observable->name) == 0)
            return GRID_FAIL(grid, at, "observable '%s' appears twice", observable->name);
    if (strcmp(observable->name, "beta") == 0)
        return read_times(grid, observable, value, at);
    if (value)
        return GRID_FAIL(grid, at, "observable '%s' takes no options", observable->name);
    return SF_OK;
}

static sf_status read_observables(sf_grid *grid, sf_node *list)
{
    if (!list)
        return SF_OK;
    if (list->kind != SF_NODE_LIST || list->numbers || list->count == 0)
        return GRID_FAIL(grid, list->place, "observables expects a list such as [regime, limit, final_loss]");
    for (size_t i = 0; i < list->count; i++)
        SF_TRY(read_observable(grid, list->items[i]));
    return SF_OK;
}

static bool number_at(const sf_node *mapping, const char *key, double *number)
{
    const sf_node *node = sf_node_find(mapping, key);
    return node && sf_node_number(node, number);
}

static sf_status read_refine(sf_grid *grid, const sf_node *node)
{
    static const char *const keys[] = {"by", "levels", "tolerance", NULL};
    if (!node)
        return SF_OK;
    sf_place at = node->place;
    if (node->kind != SF_NODE_MAPPING)
        return GRID_FAIL(grid, at, "refine expects a mapping such as {by: regime, levels: 4}");
    SF_TRY(sf_grid_check_keys(grid, node, "refine", keys));
    const sf_node *by = sf_node_find(node, "by");
    double levels = NAN, tolerance = 0.0;
    if (!by || by->kind != SF_NODE_SCALAR || !*by->text)
        return GRID_FAIL(grid, at, "refine expects by, the name of a column such as regime");
    if (!number_at(node, "levels", &levels) || !(levels >= 1.0 && levels <= SF_GRID_MAX_LEVELS) ||
        levels != floor(levels))
        return GRID_FAIL(grid, at, "refine expects levels, a whole number from 1 to %d", SF_GRID_MAX_LEVELS);
    if (sf_node_find(node, "tolerance") && (!number_at(node, "tolerance", &tolerance) || !(tolerance >= 0.0)))
        return GRID_FAIL(grid, at, "tolerance of refine expects a number >= 0");
    grid->refine = (grid_refinement){.levels = (int)levels, .tolerance = tolerance, .place = at};
    if (!(grid->refine.by = sf_grid_keep(grid, by->text, strlen(by->text))))
        return SF_ERR_MEMORY;
    double lattice = 1.0;
    for (size_t g = 0; g < grid->group_count; g++) {
        const grid_axis *axis = &grid->axes[grid->groups[g].first];
        lattice *= (double)sf_grid_extent(grid, g);
        if (grid->groups[g].axes != 1 || grid->groups[g].count < 2)
            return GRID_FAIL(grid, at,
                             "refine needs axes of two values or more that are not zipped; '%s' is not",
                             axis->key);
        for (size_t i = 0; i < axis->count; i++)
            if (axis->values[i].patch || (i > 0 && !(axis->values[i].number > axis->values[i - 1].number)))
                return GRID_FAIL(grid, at, "refine needs axes of increasing numbers; '%s' is not", axis->key);
    }
    if (!(lattice < 9e18))
        return GRID_FAIL(grid, at, "the finest lattice would have %.3g points; take fewer levels", lattice);
    return SF_OK;
}

/* ---- the file ------------------------------------------------------------------------------------------- */

sf_status sf_grid_check_keys(sf_grid *grid, const sf_node *mapping, const char *what,
                             const char *const *names)
{
    for (size_t k = 0; k < mapping->count; k++) {
        size_t i = 0;
        while (names[i] && strcmp(names[i], mapping->keys[k]) != 0)
            i++;
        if (names[i])
            continue;
        char list[256] = "";
        for (i = 0; names[i]; i++)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
        return GRID_FAIL(grid, mapping->key_places[k], "unknown key '%s' in %s; expected %s",
                         mapping->keys[k], what, list);
    }
    return SF_OK;
}

static sf_status read_section(sf_grid *grid, sf_node *sweep, sf_place at)
{
    static const char *const keys[] = {"axes", "observables", "refine", NULL};
    if (sweep->kind != SF_NODE_MAPPING)
        return GRID_FAIL(grid, at, "sweep expects a mapping with axes");
    SF_TRY(sf_grid_check_keys(grid, sweep, "sweep", keys));
    SF_TRY(read_axes(grid, sf_node_find(sweep, "axes"), at));
    SF_TRY(read_observables(grid, sf_node_find(sweep, "observables")));
    return read_refine(grid, sf_node_find(sweep, "refine"));
}

static sf_status check_overrides(sf_grid *grid, size_t count, const char *const *overrides)
{
    for (size_t i = 0; i < count; i++) {
        if (strncmp(overrides[i], "sweep.", 6) == 0 || strncmp(overrides[i], "sweep=", 6) == 0)
            return sf_fail(grid->context, SF_ERR_CONFIG,
                           "--set %s: only keys of the experiment can be set; change axes in %s",
                           overrides[i], grid->name);
        for (size_t k = 0; k < grid->axis_count; k++) {
            size_t length = strlen(grid->axes[k].key);
            if (strncmp(overrides[i], grid->axes[k].key, length) == 0 && overrides[i][length] == '=')
                return sf_fail(grid->context, SF_ERR_CONFIG, "--set %s: this key is an axis of the sweep",
                               overrides[i]);
        }
    }
    return SF_OK;
}

/* Takes the section out of the document; the rest is the experiment. */
static sf_status read_document(sf_grid *grid, sf_node *root, size_t count, const char *const *overrides)
{
    size_t at = 0;
    while (root->kind == SF_NODE_MAPPING && at < root->count && strcmp(root->keys[at], "sweep") != 0)
        at++;
    if (root->kind != SF_NODE_MAPPING || at == root->count)
        return sf_fail(
            grid->context, SF_ERR_CONFIG,
            "%s: no section `sweep:`; expected one such as sweep: {axes: {optimizer.rho: [0.5, 1, 2]}}",
            grid->name);
    SF_TRY(read_section(grid, root->items[at], root->key_places[at]));
    SF_TRY(sf_node_put(grid->context, root, "sweep", root->place, NULL));
    SF_TRY(check_overrides(grid, count, overrides));
    SF_TRY(sf_settings_create(grid->context, SF_SETTINGS_RUN, grid->name, &grid->settings));
    return sf_settings_fill(grid->settings, root, count, overrides);
}

static sf_status parse(sf_grid *grid, const char *name, const char *text, size_t count,
                       const char *const *overrides)
{
    sf_text block = {NULL, 0};
    sf_node *root = NULL;
    if (!(grid->name = sf_grid_keep(grid, name, strlen(name))) ||
        !(grid->text = sf_grid_keep(grid, text, strlen(text))))
        return SF_ERR_MEMORY;
    sf_status status = sf_text_copy(grid->context, text, &block);
    if (status == SF_OK)
        status = sf_document_parse(grid->context, grid->name, &block, &root);
    sf_free(grid->context, block.block);
    if (status == SF_OK)
        status = read_document(grid, root, count, overrides);
    sf_node_destroy(grid->context, &root);
    return status;
}

sf_status sf_grid_parse(sf_context *context, const char *name, const char *text, size_t count,
                        const char *const *overrides, sf_grid **out)
{
    sf_grid *grid = *out = SF_NEW(context, sf_grid);
    if (!grid)
        return SF_ERR_MEMORY;
    grid->context = context;
    sf_status status = parse(grid, name, text, count, overrides);
    if (status != SF_OK)
        sf_grid_destroy(out);
    return status;
}
