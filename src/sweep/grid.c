/* Reading of the section `sweep:` and numbering of the points.
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
 *
 * The i-th of n values of linspace(a, b) is a + (b - a) i / (n - 1) rounded to 15 significant digits, with exact
 * ends: the same decimal from two ranges is the same double, so overlapping sweeps find each other's points.
 */
#include "sweep/grid.h"

#include <libfyaml.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/observables.h"

/* Texts live as long as the grid, in a list of blocks. */
struct text_block {
    struct text_block *next;
    char text[];
};

static const char *keep(sf_grid *grid, const char *text, size_t length)
{
    struct text_block *block = sf_alloc(grid->context, sizeof *block + length + 1, 1);
    if (!block)
        return NULL;
    memcpy(block->text, text, length);
    block->text[length] = '\0';
    block->next = grid->texts;
    grid->texts = block;
    return block->text;
}

/* ---- positions and errors ------------------------------------------------------------------------------- */

/* First mark inside a node: lines and columns from 0. NULL for empty collections. */
static const struct fy_mark *node_mark(struct fy_node *node)
{
    while (node && !fy_node_is_scalar(node)) {
        void *at = NULL;
        if (fy_node_is_mapping(node)) {
            struct fy_node_pair *pair = fy_node_mapping_iterate(node, &at);
            node = pair ? fy_node_pair_key(pair) : NULL;
        } else {
            node = fy_node_sequence_iterate(node, &at);
        }
    }
    struct fy_token *token = node ? fy_node_get_scalar_token(node) : NULL;
    return token ? fy_token_start_mark(token) : NULL;
}

typedef struct place {
    int line, column; // from 1; 0: unknown
} place;

static place place_of(struct fy_node *node, place fallback)
{
    const struct fy_mark *mark = node_mark(node);
    return mark ? (place){mark->line + 1, mark->column + 1} : fallback;
}

#define FAIL(grid, at, ...) (sf_fail((grid)->context, SF_ERR_CONFIG, __VA_ARGS__), fail_at(grid, at))

static sf_status fail_at(sf_grid *grid, place at)
{
    return sf_fail_within(grid->context, SF_ERR_CONFIG, "%s:%d:%d", grid->name, at.line, at.column);
}

/* ---- small readers -------------------------------------------------------------------------------------- */

static bool read_number(struct fy_node *node, double *value)
{
    const char *text = node && fy_node_is_scalar(node) ? fy_node_get_scalar0(node) : NULL;
    if (!text || !*text || fy_node_get_style(node) != FYNS_PLAIN)
        return false;
    char *end;
    *value = strtod(text, &end);
    return *end == '\0' && isfinite(*value) && strpbrk(text, "xXpP") == NULL;
}

static const char *key_text(struct fy_node_pair *pair)
{
    struct fy_node *key = fy_node_pair_key(pair);
    const char *text = key && fy_node_is_scalar(key) ? fy_node_get_scalar0(key) : NULL;
    return text ? text : "";
}

static struct fy_node *member(struct fy_node *mapping, const char *key)
{
    return fy_node_mapping_lookup_value_by_string(mapping, key, (size_t)-1);
}

/* Every key of the mapping is among `names` (ended by NULL). */
static sf_status check_keys(sf_grid *grid, struct fy_node *mapping, const char *what,
                            const char *const *names)
{
    void *at = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(mapping, &at))) {
        const char *key = key_text(pair);
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (names[i])
            continue;
        char list[256] = "";
        for (i = 0; names[i]; i++)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
        return FAIL(grid, place_of(fy_node_pair_key(pair), (place){0, 0}),
                    "unknown key '%s' in %s; expected %s", key, what, list);
    }
    return SF_OK;
}

double sf_grid_round(double value)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.15g", value);
    return strtod(digits, NULL);
}

/* ---- values of an axis ---------------------------------------------------------------------------------- */

static sf_status allocate_values(sf_grid *grid, grid_axis *axis, size_t count, place at)
{
    if (count == 0)
        return FAIL(grid, at, "axis '%s' is empty; expected at least one value", axis->key);
    if (count > SF_GRID_MAX_POINTS)
        return FAIL(grid, at, "axis '%s' has %zu values; at most %d points make a sweep", axis->key, count,
                    SF_GRID_MAX_POINTS);
    axis->values = sf_alloc_zero(grid->context, count, sizeof *axis->values);
    if (!axis->values)
        return SF_ERR_MEMORY;
    axis->count = count;
    return SF_OK;
}

static sf_status read_value(sf_grid *grid, grid_axis *axis, struct fy_node *node, grid_value *value, place at)
{
    if (read_number(node, &value->number))
        return SF_OK;
    value->number = NAN;
    if (!node || fy_node_is_null(node))
        return FAIL(grid, at, "axis '%s' holds an empty value", axis->key);
    char *json = fy_emit_node_to_string(node, FYECF_MODE_JSON_ONELINE | FYECF_WIDTH_INF);
    if (!json)
        return sf_fail(grid->context, SF_ERR_MEMORY, "out of memory: axis '%s'", axis->key);
    size_t length = strlen(json);
    while (length > 0 && json[length - 1] == '\n')
        length--;
    value->text = keep(grid, json, length);
    free(json);
    const char *scalar = fy_node_is_scalar(node) ? fy_node_get_scalar0(node) : NULL;
    value->label = scalar ? keep(grid, scalar, strlen(scalar)) : value->text;
    return value->text && value->label ? SF_OK : SF_ERR_MEMORY;
}

static bool same_value(const grid_value *a, const grid_value *b)
{
    return a->text && b->text ? strcmp(a->text, b->text) == 0
                              : !a->text && !b->text && a->number == b->number;
}

/* Lists are written by hand, so looking at all pairs is quick; very long ones find their doubles by their hashes. */
enum { HANDWRITTEN = 2000 };

static sf_status read_list(sf_grid *grid, grid_axis *axis, struct fy_node *list, place at)
{
    SF_TRY(allocate_values(grid, axis, (size_t)fy_node_sequence_item_count(list), at));
    void *next = NULL;
    for (size_t i = 0; i < axis->count; i++) {
        struct fy_node *item = fy_node_sequence_iterate(list, &next);
        SF_TRY(read_value(grid, axis, item, &axis->values[i], place_of(item, at)));
        for (size_t k = 0; k < i && axis->count <= HANDWRITTEN; k++)
            if (same_value(&axis->values[k], &axis->values[i]))
                return FAIL(grid, place_of(item, at), "axis '%s' holds %s twice", axis->key,
                            fy_node_is_scalar(item) ? fy_node_get_scalar0(item) : axis->values[i].text);
    }
    return SF_OK;
}

/* {linspace: [from, to, count]} and {logspace: [from, to, count]}. */
static sf_status read_range(sf_grid *grid, grid_axis *axis, struct fy_node *range, bool geometric, place at)
{
    const char *what = geometric ? "logspace" : "linspace";
    double number[3];
    bool good = range && fy_node_is_sequence(range) && fy_node_sequence_item_count(range) == 3;
    for (int i = 0; i < 3 && good; i++)
        good = read_number(fy_node_sequence_get_by_index(range, i), &number[i]);
    if (!good)
        return FAIL(grid, at, "%s of axis '%s' expects three numbers: [from, to, count]", what, axis->key);
    double from = number[0], to = number[1], count = number[2];
    if (!(count >= 0.0 && count == floor(count)))
        return FAIL(grid, at, "%s of axis '%s': count is %g, expected a whole number >= 1", what, axis->key,
                    count);
    if (geometric && !(from * to > 0.0))
        return FAIL(grid, at, "logspace of axis '%s' runs from %g to %g; expected two numbers of one sign",
                    axis->key, from, to);
    if (count > 1.0 && from == to)
        return FAIL(grid, at, "%s of axis '%s': %g values from %g to %g are all alike", what, axis->key,
                    count, from, to);
    size_t n = count <= (double)SIZE_MAX / 2.0 ? (size_t)count : SIZE_MAX;
    SF_TRY(allocate_values(grid, axis, n, at));
    axis->range = true;
    axis->geometric = geometric;
    for (size_t i = 0; i < n; i++) {
        double part = n > 1 ? (double)i / (double)(n - 1) : 0.0;
        double value = geometric ? from * exp(log(to / from) * part)
                                 : from + (n > 1 ? (to - from) * (double)i / (double)(n - 1) : 0.0);
        bool end = i == 0 || i == n - 1;
        axis->values[i].number = i == 0 ? from : i == n - 1 ? to : sf_grid_round(value);
        if (!end && axis->values[i].number == axis->values[i - 1].number)
            return FAIL(grid, at, "%s of axis '%s' is finer than 15 digits tell apart", what, axis->key);
    }
    return SF_OK;
}

/* {random: {uniform | log_uniform | normal | integer: [a, b], count: n, seed: s}}. Draw i is the i-th of stream 0. */
static sf_status read_random(sf_grid *grid, grid_axis *axis, struct fy_node *random, place at)
{
    static const char *const law[] = {"uniform", "log_uniform", "normal", "integer", "count", "seed", NULL};
    enum { UNIFORM, LOG_UNIFORM, NORMAL, INTEGER, LAWS };
    if (!random || !fy_node_is_mapping(random))
        return FAIL(grid, at,
                    "random of axis '%s' expects a mapping such as {uniform: [0, 1], count: 10, seed: 1}",
                    axis->key);
    SF_TRY(check_keys(grid, random, "random", law));
    double count = NAN, seed = NAN, a = NAN, b = NAN;
    int kind = -1, kinds = 0;
    for (int i = 0; i < LAWS; i++) {
        struct fy_node *pair = member(random, law[i]);
        if (!pair)
            continue;
        kind = i;
        kinds++;
        if (!fy_node_is_sequence(pair) || fy_node_sequence_item_count(pair) != 2 ||
            !read_number(fy_node_sequence_get_by_index(pair, 0), &a) ||
            !read_number(fy_node_sequence_get_by_index(pair, 1), &b))
            return FAIL(grid, place_of(pair, at), "%s of axis '%s' expects two numbers", law[i], axis->key);
    }
    if (kinds != 1)
        return FAIL(grid, at,
                    "random of axis '%s' expects exactly one of uniform, log_uniform, normal, integer",
                    axis->key);
    if (!read_number(member(random, "count"), &count) || !(count >= 0.0 && count == floor(count)))
        return FAIL(grid, at, "random of axis '%s' expects count, a whole number >= 1", axis->key);
    if (!read_number(member(random, "seed"), &seed) || !(seed >= 0.0 && seed == floor(seed) && seed < 9e15))
        return FAIL(grid, at, "random of axis '%s' expects seed, a whole number >= 0", axis->key);
    bool good = kind == NORMAL ? b > 0.0 : kind == LOG_UNIFORM ? a > 0.0 && b > a : b > a;
    if (!good || (kind == INTEGER && (a != floor(a) || b != floor(b) || fabs(a) > 9e15 || fabs(b) > 9e15)))
        return FAIL(grid, at, "random of axis '%s': %s: [%g, %g] is no range", axis->key, law[kind], a, b);
    SF_TRY(allocate_values(grid, axis, count < 1e18 ? (size_t)count : SIZE_MAX, at));
    sf_random generator = sf_random_make((uint64_t)seed, 0);
    for (size_t i = 0; i < axis->count; i++) {
        double *value = &axis->values[i].number;
        if (kind == NORMAL)
            *value = a + b * sf_random_normal(&generator);
        else if (kind == INTEGER)
            *value = a + (double)sf_random_below(&generator, (uint64_t)(b - a) + 1);
        else if (kind == UNIFORM)
            *value = a + (b - a) * sf_random_uniform(&generator);
        else
            *value = a * exp(log(b / a) * sf_random_uniform(&generator));
    }
    return SF_OK;
}

static sf_status read_axis_mapping(sf_grid *grid, grid_axis *axis, struct fy_node *node, place at)
{
    static const char *const keys[] = {"values", "linspace", "logspace", "random", "name", NULL};
    SF_TRY(check_keys(grid, node, "an axis", keys));
    struct fy_node *kind[4];
    int kinds = 0;
    for (int i = 0; i < 4; i++)
        kinds += (kind[i] = member(node, keys[i])) != NULL;
    if (kinds != 1)
        return FAIL(grid, at, "axis '%s' expects exactly one of values, linspace, logspace, random",
                    axis->key);
    struct fy_node *name = member(node, "name");
    if (name) {
        size_t length;
        const char *text = fy_node_get_scalar(name, &length);
        if (!text || length == 0)
            return FAIL(grid, at, "name of axis '%s' expects a text", axis->key);
        if (!(axis->column = keep(grid, text, length)))
            return SF_ERR_MEMORY;
    }
    if (kind[0]) {
        if (!fy_node_is_sequence(kind[0]))
            return FAIL(grid, at, "values of axis '%s' expects a list", axis->key);
        return read_list(grid, axis, kind[0], at);
    }
    if (kind[3])
        return read_random(grid, axis, kind[3], at);
    return read_range(grid, axis, kind[1] ? kind[1] : kind[2], kind[2] != NULL, at);
}

/* ---- axes and groups ------------------------------------------------------------------------------------ */

static sf_status check_new_column(sf_grid *grid, const grid_axis *axis, place at)
{
    static const char *const taken[] = {"id",      "hash",   "status",  "reason",   "outcome",
                                        "version", "source", "columns", "position", NULL};
    for (size_t i = 0; taken[i]; i++)
        if (strcmp(taken[i], axis->column) == 0)
            return FAIL(grid, at, "an axis cannot be named '%s': the store has a column of this name",
                        axis->column);
    for (const grid_axis *other = grid->axes; other < axis; other++) {
        if (strcmp(other->key, axis->key) == 0)
            return FAIL(grid, at, "axis '%s' appears twice", axis->key);
        if (strcmp(other->column, axis->column) == 0)
            return FAIL(grid, at, "axes '%s' and '%s' have the same name '%s'", other->key, axis->key,
                        axis->column);
    }
    return SF_OK;
}

static sf_status read_axis(sf_grid *grid, struct fy_node_pair *pair, size_t group)
{
    grid_axis *axes = sf_resize(grid->context, grid->axes, grid->axis_count + 1, sizeof *axes);
    if (!axes)
        return SF_ERR_MEMORY;
    grid->axes = axes;
    grid_axis *axis = &axes[grid->axis_count];
    place at = place_of(fy_node_pair_key(pair), (place){0, 0});
    *axis = (grid_axis){.group = group, .line = at.line, .place = at.column};
    const char *key = key_text(pair);
    if (!(axis->key = axis->column = keep(grid, key, strlen(key))))
        return SF_ERR_MEMORY;
    grid->axis_count++;
    if (strncmp(key, "sweep", 5) == 0 && (key[5] == '.' || key[5] == '\0'))
        return FAIL(grid, at, "a sweep cannot sweep itself; expected a key of the experiment");
    struct fy_node *value = fy_node_pair_value(pair);
    if (value && fy_node_is_sequence(value))
        SF_TRY(read_list(grid, axis, value, at));
    else if (value && fy_node_is_mapping(value))
        SF_TRY(read_axis_mapping(grid, axis, value, at));
    else
        return FAIL(
            grid, at,
            "axis '%s' expects a list, {linspace: [from, to, count]}, {logspace: ...} or {random: ...}",
            axis->key);
    return check_new_column(grid, axis, at);
}

static sf_status read_group(sf_grid *grid, struct fy_node *mapping, struct fy_node_pair *single)
{
    grid_group *groups = sf_resize(grid->context, grid->groups, grid->group_count + 1, sizeof *groups);
    if (!groups)
        return SF_ERR_MEMORY;
    grid->groups = groups;
    size_t index = grid->group_count++, first = grid->axis_count;
    groups[index] = (grid_group){.first = first};
    if (single) {
        SF_TRY(read_axis(grid, single, index));
    } else {
        void *at = NULL;
        struct fy_node_pair *pair;
        while ((pair = fy_node_mapping_iterate(mapping, &at)))
            SF_TRY(read_axis(grid, pair, index));
    }
    grid->groups[index].axes = grid->axis_count - first;
    grid->groups[index].count = grid->axes[first].count;
    for (size_t i = first + 1; i < grid->axis_count; i++)
        if (grid->axes[i].count != grid->axes[first].count)
            return FAIL(grid, ((place){grid->axes[i].line, grid->axes[i].place}),
                        "zipped axes must be of one length: '%s' has %zu values, '%s' has %zu",
                        grid->axes[first].key, grid->axes[first].count, grid->axes[i].key,
                        grid->axes[i].count);
    return SF_OK;
}

static sf_status read_zip(sf_grid *grid, struct fy_node *zip, place at)
{
    if (zip && fy_node_is_mapping(zip) && fy_node_mapping_item_count(zip) > 0)
        return read_group(grid, zip, NULL);
    if (!zip || !fy_node_is_sequence(zip) || fy_node_sequence_item_count(zip) == 0)
        return FAIL(grid, at, "zip expects a mapping of axes, or a list of such mappings");
    void *next = NULL;
    struct fy_node *item;
    while ((item = fy_node_sequence_iterate(zip, &next))) {
        if (!fy_node_is_mapping(item) || fy_node_mapping_item_count(item) == 0)
            return FAIL(grid, place_of(item, at), "an item of zip expects a mapping of axes");
        SF_TRY(read_group(grid, item, NULL));
    }
    return SF_OK;
}

static sf_status count_points(sf_grid *grid, place at)
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
    return FAIL(
        grid, at,
        "the grid has %.15g points (%s); at most %d make a sweep. Take fewer values an axis, let `refine:` "
        "put points where something changes, or draw at random (`zip:` of `random:` axes)",
        count, factors, SF_GRID_MAX_POINTS);
}

static sf_status read_axes(sf_grid *grid, struct fy_node *axes, place at)
{
    if (!axes || !fy_node_is_mapping(axes) || fy_node_mapping_item_count(axes) == 0)
        return FAIL(grid, at, "sweep expects axes, a mapping such as {optimizer.rho: [0.5, 1, 2]}");
    void *next = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(axes, &next))) {
        if (strcmp(key_text(pair), "zip") == 0)
            SF_TRY(read_zip(grid, fy_node_pair_value(pair), place_of(fy_node_pair_key(pair), at)));
        else
            SF_TRY(read_group(grid, NULL, pair));
    }
    return count_points(grid, place_of(axes, at));
}

/* ---- observables and refinement ------------------------------------------------------------------------- */

static sf_status read_times(sf_grid *grid, grid_observable *observable, struct fy_node *value, place at)
{
    static const char *const clock[] = {"tau", "log_time", "step", NULL};
    if (!value || !fy_node_is_mapping(value) || fy_node_mapping_item_count(value) != 1)
        return FAIL(grid, at, "observable beta expects its times, for example {beta: {tau: [0.5, 1, 2]}}");
    SF_TRY(check_keys(grid, value, "beta", clock));
    struct fy_node *list = NULL;
    for (size_t i = 0; clock[i] && !list; i++)
        if ((list = member(value, clock[i])))
            observable->clock = clock[i];
    size_t count = list && fy_node_is_sequence(list) ? (size_t)fy_node_sequence_item_count(list) : 0;
    if (count == 0)
        return FAIL(grid, at, "times of beta expect a list of numbers");
    if (!(observable->times = SF_ARRAY(grid->context, count, double)))
        return SF_ERR_MEMORY;
    observable->time_count = count;
    for (size_t i = 0; i < count; i++) {
        if (!read_number(fy_node_sequence_get_by_index(list, (int)i), &observable->times[i]))
            return FAIL(grid, at, "times of beta expect a list of numbers");
        if (i > 0 && !(observable->times[i] > observable->times[i - 1]))
            return FAIL(grid, at, "times of beta must increase: %g follows %g", observable->times[i],
                        observable->times[i - 1]);
    }
    return SF_OK;
}

static sf_status read_observable(sf_grid *grid, struct fy_node *node, place at)
{
    grid_observable *all =
        sf_resize(grid->context, grid->observables, grid->observable_count + 1, sizeof *all);
    if (!all)
        return SF_ERR_MEMORY;
    grid->observables = all;
    grid_observable *observable = &all[grid->observable_count++];
    *observable = (grid_observable){.line = at.line, .place = at.column};
    struct fy_node *value = NULL;
    const char *name = NULL;
    if (fy_node_is_scalar(node)) {
        name = fy_node_get_scalar0(node);
    } else if (fy_node_is_mapping(node) && fy_node_mapping_item_count(node) == 1) {
        struct fy_node_pair *pair = fy_node_mapping_get_by_index(node, 0);
        name = key_text(pair);
        value = fy_node_pair_value(pair);
    }
    if (!name || !(observable->name = sf_observable_known(name))) {
        char list[512];
        sf_observable_list(list, sizeof list);
        return FAIL(grid, at, "unknown observable '%s'; expected some of %s", name ? name : "", list);
    }
    for (size_t i = 0; i + 1 < grid->observable_count; i++)
        if (strcmp(all[i].name, observable->name) == 0)
            return FAIL(grid, at, "observable '%s' appears twice", observable->name);
    if (strcmp(observable->name, "beta") == 0)
        return read_times(grid, observable, value, at);
    if (value)
        return FAIL(grid, at, "observable '%s' takes no options", observable->name);
    return SF_OK;
}

static sf_status read_observables(sf_grid *grid, struct fy_node *list, place at)
{
    if (!list)
        return SF_OK;
    if (!fy_node_is_sequence(list) || fy_node_sequence_item_count(list) == 0)
        return FAIL(grid, place_of(list, at),
                    "observables expects a list such as [regime, limit, final_loss]");
    void *next = NULL;
    struct fy_node *item;
    while ((item = fy_node_sequence_iterate(list, &next)))
        SF_TRY(read_observable(grid, item, place_of(item, at)));
    return SF_OK;
}

static sf_status read_refine(sf_grid *grid, struct fy_node *node, place at)
{
    static const char *const keys[] = {"by", "levels", "tolerance", NULL};
    if (!node)
        return SF_OK;
    at = place_of(node, at);
    if (!fy_node_is_mapping(node))
        return FAIL(grid, at, "refine expects a mapping such as {by: regime, levels: 4}");
    SF_TRY(check_keys(grid, node, "refine", keys));
    size_t length = 0;
    struct fy_node *by = member(node, "by");
    const char *text = by ? fy_node_get_scalar(by, &length) : NULL;
    double levels = NAN, tolerance = 0.0;
    if (!text || length == 0)
        return FAIL(grid, at, "refine expects by, the name of a column such as regime");
    if (!read_number(member(node, "levels"), &levels) || !(levels >= 1.0 && levels <= SF_GRID_MAX_LEVELS) ||
        levels != floor(levels))
        return FAIL(grid, at, "refine expects levels, a whole number from 1 to %d", SF_GRID_MAX_LEVELS);
    if (member(node, "tolerance") &&
        (!read_number(member(node, "tolerance"), &tolerance) || !(tolerance >= 0.0)))
        return FAIL(grid, at, "tolerance of refine expects a number >= 0");
    grid->refine =
        (grid_refinement){.levels = (int)levels, .tolerance = tolerance, .line = at.line, .place = at.column};
    if (!(grid->refine.by = keep(grid, text, length)))
        return SF_ERR_MEMORY;
    double lattice = 1.0;
    for (size_t g = 0; g < grid->group_count; g++) {
        const grid_axis *axis = &grid->axes[grid->groups[g].first];
        lattice *= (double)sf_grid_extent(grid, g);
        if (grid->groups[g].axes != 1 || grid->groups[g].count < 2)
            return FAIL(grid, at, "refine needs axes of two values or more that are not zipped; '%s' is not",
                        axis->key);
        for (size_t i = 0; i < axis->count; i++)
            if (axis->values[i].text || (i > 0 && !(axis->values[i].number > axis->values[i - 1].number)))
                return FAIL(grid, at, "refine needs axes of increasing numbers; '%s' is not", axis->key);
    }
    if (!(lattice < 9e18))
        return FAIL(grid, at, "the finest lattice would have %.3g points; take fewer levels", lattice);
    return SF_OK;
}

/* ---- the file ------------------------------------------------------------------------------------------- */

/* Blanks the lines of the section, so that line numbers of the rest stay what they are. A section inside a flow
 * mapping is taken out of the document instead, which is then written anew. */
static sf_status cut_section(sf_grid *grid, struct fy_document *document, struct fy_node *root,
                             struct fy_node_pair *section)
{
    if (fy_node_get_style(root) == FYNS_FLOW) {
        struct fy_node *key = fy_node_pair_key(section);
        fy_node_free(fy_node_mapping_remove_by_key(root, key));
        char *text = fy_emit_document_to_string(document, FYECF_MODE_FLOW_ONELINE | FYECF_WIDTH_INF);
        grid->experiment = text ? sf_strdup(grid->context, text) : NULL;
        free(text);
        return grid->experiment ? SF_OK : SF_ERR_MEMORY;
    }
    if (!(grid->experiment = sf_strdup(grid->context, grid->text)))
        return SF_ERR_MEMORY;
    int first = node_mark(fy_node_pair_key(section))->line, last = INT32_MAX, line = 0;
    void *at = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(root, &at))) {
        const struct fy_mark *mark = node_mark(fy_node_pair_key(pair));
        if (mark && mark->line > first && mark->line < last)
            last = mark->line;
    }
    char *to = grid->experiment;
    for (const char *from = grid->text; *from; from++) {
        bool inside = line >= first && line < last;
        if (!inside || *from == '\n')
            *to++ = *from;
        line += *from == '\n';
    }
    *to = '\0';
    return SF_OK;
}

static sf_status read_document(sf_grid *grid, struct fy_document *document)
{
    static const char *const keys[] = {"axes", "observables", "refine", NULL};
    struct fy_node *root = fy_document_root(document);
    struct fy_node_pair *section = NULL;
    if (root && fy_node_is_mapping(root))
        section = fy_node_mapping_lookup_pair_by_string(root, "sweep", (size_t)-1);
    if (!section)
        return sf_fail(
            grid->context, SF_ERR_CONFIG,
            "%s: no section `sweep:`; expected one such as sweep: {axes: {optimizer.rho: [0.5, 1, 2]}}",
            grid->name);
    place at = place_of(fy_node_pair_key(section), (place){0, 0});
    struct fy_node *sweep = fy_node_pair_value(section);
    if (!sweep || !fy_node_is_mapping(sweep))
        return FAIL(grid, at, "sweep expects a mapping with axes");
    SF_TRY(check_keys(grid, sweep, "sweep", keys));
    SF_TRY(read_axes(grid, member(sweep, "axes"), at));
    SF_TRY(read_observables(grid, member(sweep, "observables"), at));
    SF_TRY(read_refine(grid, member(sweep, "refine"), at));
    return cut_section(grid, document, root, section);
}

static sf_status report_syntax(sf_grid *grid, struct fy_diag *diag)
{
    void *at = NULL;
    struct fy_diag_error *error = fy_diag_errors_iterate(diag, &at);
    if (!error)
        return sf_fail(grid->context, SF_ERR_CONFIG, "%s: not a YAML document", grid->name);
    return sf_fail(grid->context, SF_ERR_CONFIG, "%s:%d:%d: %s", grid->name, error->line, error->column,
                   error->msg);
}

sf_status sf_grid_parse(sf_context *context, const char *name, const char *text, sf_grid **out)
{
    *out = NULL;
    sf_grid *grid = SF_NEW(context, sf_grid);
    if (!grid)
        return SF_ERR_MEMORY;
    grid->context = context;
    sf_status status = SF_ERR_MEMORY;
    struct fy_diag *diag = NULL;
    struct fy_document *document = NULL;
    if (!(grid->name = keep(grid, name, strlen(name))) || !(grid->text = keep(grid, text, strlen(text))))
        goto done;
    diag = fy_diag_create(NULL);
    if (!diag) {
        sf_fail(context, SF_ERR_MEMORY, "out of memory: YAML");
        goto done;
    }
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_RESOLVE_DOCUMENT,
                                  .diag = diag};
    document = fy_document_build_from_string(&config, grid->text, (size_t)-1);
    status = document ? read_document(grid, document) : report_syntax(grid, diag);
done:
    fy_document_destroy(document);
    if (diag)
        fy_diag_destroy(diag);
    if (status != SF_OK)
        sf_grid_destroy(&grid);
    *out = grid;
    return status;
}

void sf_grid_destroy(sf_grid **grid)
{
    if (!grid || !*grid)
        return;
    sf_context *context = (*grid)->context;
    for (size_t i = 0; i < (*grid)->axis_count; i++)
        sf_free(context, (*grid)->axes[i].values);
    for (size_t i = 0; i < (*grid)->observable_count; i++)
        sf_free(context, (*grid)->observables[i].times);
    while ((*grid)->texts) {
        struct text_block *next = (*grid)->texts->next;
        sf_free(context, (*grid)->texts);
        (*grid)->texts = next;
    }
    sf_free(context, (*grid)->axes);
    sf_free(context, (*grid)->groups);
    sf_free(context, (*grid)->observables);
    sf_free(context, (*grid)->experiment);
    sf_free(context, *grid);
    *grid = NULL;
}

/* ---- numbering ------------------------------------------------------------------------------------------ */

uint64_t sf_grid_extent(const sf_grid *grid, size_t group)
{
    uint64_t count = grid->groups[group].count;
    return ((count - 1) << grid->refine.levels) + 1;
}

void sf_grid_indices(const sf_grid *grid, uint64_t position, uint64_t *indices)
{
    for (size_t g = grid->group_count; g-- > 0;) {
        uint64_t extent = sf_grid_extent(grid, g);
        indices[g] = position % extent;
        position /= extent;
    }
}

uint64_t sf_grid_position(const sf_grid *grid, const uint64_t *indices)
{
    uint64_t position = 0;
    for (size_t g = 0; g < grid->group_count; g++)
        position = position * sf_grid_extent(grid, g) + indices[g];
    return position;
}

uint64_t sf_grid_written(const sf_grid *grid, uint64_t n)
{
    if (grid->refine.levels == 0)
        return n;
    uint64_t position = 0, stride = 1;
    for (size_t g = grid->group_count; g-- > 0;) {
        position += ((n % grid->groups[g].count) << grid->refine.levels) * stride;
        n /= grid->groups[g].count;
        stride *= sf_grid_extent(grid, g);
    }
    return position;
}

static grid_value value_at(const sf_grid *grid, const grid_axis *axis, uint64_t index)
{
    uint64_t cell = index >> grid->refine.levels, within = index - (cell << grid->refine.levels);
    if (within == 0)
        return axis->values[cell];
    double a = axis->values[cell].number, b = axis->values[cell + 1].number;
    double part = (double)within / (double)(UINT64_C(1) << grid->refine.levels);
    double value = axis->geometric ? a * exp(log(b / a) * part) : a + (b - a) * part;
    return (grid_value){.number = sf_grid_round(value)};
}

void sf_grid_values(const sf_grid *grid, uint64_t position, grid_value *values)
{
    for (size_t g = grid->group_count; g-- > 0;) {
        uint64_t extent = sf_grid_extent(grid, g), index = position % extent;
        position /= extent;
        for (size_t i = 0; i < grid->groups[g].axes; i++) {
            const grid_axis *axis = &grid->axes[grid->groups[g].first + i];
            values[grid->groups[g].first + i] = value_at(grid, axis, index);
        }
    }
}

uint64_t sf_grid_slice_points(const sf_grid *grid, const uint64_t *fixed)
{
    uint64_t points = 1;
    for (size_t g = 0; g < grid->group_count; g++)
        points *= fixed[g] == UINT64_MAX ? grid->groups[g].count : 1;
    return points;
}

uint64_t sf_grid_slice_position(const sf_grid *grid, const uint64_t *fixed, uint64_t n)
{
    uint64_t indices[SF_MOST_AXES];
    for (size_t g = grid->group_count; g-- > 0;) {
        indices[g] = fixed[g];
        if (fixed[g] != UINT64_MAX)
            continue;
        indices[g] = n % grid->groups[g].count;
        n /= grid->groups[g].count;
    }
    return sf_grid_position(grid, indices);
}
