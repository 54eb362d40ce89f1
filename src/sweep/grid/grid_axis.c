/* Lists, ranges and random numbers.
 *
 * The i-th of n values of linspace(a, b) is a + (b - a) i / (n - 1) rounded to 15 significant digits, with exact
 * ends: the same decimal from two ranges is the same double, so overlapping sweeps find each other's points.
 */
#include "sweep/grid/grid_axis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static sf_status allocate_values(sf_grid *grid, grid_axis *axis, size_t count, grid_place at)
{
    if (count == 0)
        return GRID_FAIL(grid, at, "axis '%s' is empty; expected at least one value", axis->key);
    if (count > SF_GRID_MAX_POINTS)
        return GRID_FAIL(grid, at, "axis '%s' has %zu values; at most %d points make a sweep", axis->key,
                         count, SF_GRID_MAX_POINTS);
    axis->values = sf_alloc_zero(grid->context, count, sizeof *axis->values);
    if (!axis->values)
        return SF_ERR_MEMORY;
    axis->count = count;
    return SF_OK;
}

static sf_status read_value(sf_grid *grid, grid_axis *axis, struct fy_node *node, grid_value *value,
                            grid_place at)
{
    if (sf_node_number(node, &value->number))
        return SF_OK;
    value->number = NAN;
    if (!node || fy_node_is_null(node))
        return GRID_FAIL(grid, at, "axis '%s' holds an empty value", axis->key);
    char *json = fy_emit_node_to_string(node, FYECF_MODE_JSON_ONELINE | FYECF_WIDTH_INF);
    if (!json)
        return sf_fail(grid->context, SF_ERR_MEMORY, "out of memory: axis '%s'", axis->key);
    size_t length = strlen(json);
    while (length > 0 && json[length - 1] == '\n')
        length--;
    value->text = sf_grid_keep(grid, json, length);
    free(json);
    const char *scalar = fy_node_is_scalar(node) ? fy_node_get_scalar0(node) : NULL;
    value->label = scalar ? sf_grid_keep(grid, scalar, strlen(scalar)) : value->text;
    return value->text && value->label ? SF_OK : SF_ERR_MEMORY;
}

static bool same_value(const grid_value *a, const grid_value *b)
{
    return a->text && b->text ? strcmp(a->text, b->text) == 0
                              : !a->text && !b->text && a->number == b->number;
}

/* Lists are written by hand, so looking at all pairs is quick; very long ones find their doubles by their hashes. */
enum { HANDWRITTEN = 2000 };

static sf_status read_list(sf_grid *grid, grid_axis *axis, struct fy_node *list, grid_place at)
{
    SF_TRY(allocate_values(grid, axis, (size_t)fy_node_sequence_item_count(list), at));
    void *next = NULL;
    for (size_t i = 0; i < axis->count; i++) {
        struct fy_node *item = fy_node_sequence_iterate(list, &next);
        SF_TRY(read_value(grid, axis, item, &axis->values[i], sf_node_place(item, at)));
        for (size_t k = 0; k < i && axis->count <= HANDWRITTEN; k++)
            if (same_value(&axis->values[k], &axis->values[i]))
                return GRID_FAIL(grid, sf_node_place(item, at), "axis '%s' holds %s twice", axis->key,
                                 fy_node_is_scalar(item) ? fy_node_get_scalar0(item) : axis->values[i].text);
    }
    return SF_OK;
}

/* {linspace: [from, to, count]} and {logspace: [from, to, count]}. */
static sf_status read_range(sf_grid *grid, grid_axis *axis, struct fy_node *range, bool geometric,
                            grid_place at)
{
    const char *what = geometric ? "logspace" : "linspace";
    double number[3];
    bool good = range && fy_node_is_sequence(range) && fy_node_sequence_item_count(range) == 3;
    for (int i = 0; i < 3 && good; i++)
        good = sf_node_number(fy_node_sequence_get_by_index(range, i), &number[i]);
    if (!good)
        return GRID_FAIL(grid, at, "%s of axis '%s' expects three numbers: [from, to, count]", what,
                         axis->key);
    double from = number[0], to = number[1], count = number[2];
    if (!(count >= 0.0 && count == floor(count)))
        return GRID_FAIL(grid, at, "%s of axis '%s': count is %g, expected a whole number >= 1", what,
                         axis->key, count);
    if (geometric && !(from * to > 0.0))
        return GRID_FAIL(grid, at,
                         "logspace of axis '%s' runs from %g to %g; expected two numbers of one sign",
                         axis->key, from, to);
    if (count > 1.0 && from == to)
        return GRID_FAIL(grid, at, "%s of axis '%s': %g values from %g to %g are all alike", what, axis->key,
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
            return GRID_FAIL(grid, at, "%s of axis '%s' is finer than 15 digits tell apart", what, axis->key);
    }
    return SF_OK;
}

/* {random: {uniform | log_uniform | normal | integer: [a, b], count: n, seed: s}}. Draw i is the i-th of stream 0. */
static sf_status read_random(sf_grid *grid, grid_axis *axis, struct fy_node *random, grid_place at)
{
    static const char *const law[] = {"uniform", "log_uniform", "normal", "integer", "count", "seed", NULL};
    enum { UNIFORM, LOG_UNIFORM, NORMAL, INTEGER, LAWS };
    if (!random || !fy_node_is_mapping(random))
        return GRID_FAIL(
            grid, at, "random of axis '%s' expects a mapping such as {uniform: [0, 1], count: 10, seed: 1}",
            axis->key);
    SF_TRY(sf_node_check_keys(grid, random, "random", law));
    double count = NAN, seed = NAN, a = NAN, b = NAN;
    int kind = -1, kinds = 0;
    for (int i = 0; i < LAWS; i++) {
        struct fy_node *pair = sf_node_member(random, law[i]);
        if (!pair)
            continue;
        kind = i;
        kinds++;
        if (!fy_node_is_sequence(pair) || fy_node_sequence_item_count(pair) != 2 ||
            !sf_node_number(fy_node_sequence_get_by_index(pair, 0), &a) ||
            !sf_node_number(fy_node_sequence_get_by_index(pair, 1), &b))
            return GRID_FAIL(grid, sf_node_place(pair, at), "%s of axis '%s' expects two numbers", law[i],
                             axis->key);
    }
    if (kinds != 1)
        return GRID_FAIL(grid, at,
                         "random of axis '%s' expects exactly one of uniform, log_uniform, normal, integer",
                         axis->key);
    if (!sf_node_number(sf_node_member(random, "count"), &count) || !(count >= 0.0 && count == floor(count)))
        return GRID_FAIL(grid, at, "random of axis '%s' expects count, a whole number >= 1", axis->key);
    if (!sf_node_number(sf_node_member(random, "seed"), &seed) ||
        !(seed >= 0.0 && seed == floor(seed) && seed < 9e15))
        return GRID_FAIL(grid, at, "random of axis '%s' expects seed, a whole number >= 0", axis->key);
    bool good = kind == NORMAL ? b > 0.0 : kind == LOG_UNIFORM ? a > 0.0 && b > a : b > a;
    if (!good || (kind == INTEGER && (a != floor(a) || b != floor(b) || fabs(a) > 9e15 || fabs(b) > 9e15)))
        return GRID_FAIL(grid, at, "random of axis '%s': %s: [%g, %g] is no range", axis->key, law[kind], a,
                         b);
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

static sf_status read_mapping(sf_grid *grid, grid_axis *axis, struct fy_node *node, grid_place at)
{
    static const char *const keys[] = {"values", "linspace", "logspace", "random", "name", NULL};
    SF_TRY(sf_node_check_keys(grid, node, "an axis", keys));
    struct fy_node *kind[4];
    int kinds = 0;
    for (int i = 0; i < 4; i++)
        kinds += (kind[i] = sf_node_member(node, keys[i])) != NULL;
    if (kinds != 1)
        return GRID_FAIL(grid, at, "axis '%s' expects exactly one of values, linspace, logspace, random",
                         axis->key);
    struct fy_node *name = sf_node_member(node, "name");
    if (name) {
        size_t length;
        const char *text = fy_node_get_scalar(name, &length);
        if (!text || length == 0)
            return GRID_FAIL(grid, at, "name of axis '%s' expects a text", axis->key);
        if (!(axis->column = sf_grid_keep(grid, text, length)))
            return SF_ERR_MEMORY;
    }
    if (kind[0]) {
        if (!fy_node_is_sequence(kind[0]))
            return GRID_FAIL(grid, at, "values of axis '%s' expects a list", axis->key);
        return read_list(grid, axis, kind[0], at);
    }
    if (kind[3])
        return read_random(grid, axis, kind[3], at);
    return read_range(grid, axis, kind[1] ? kind[1] : kind[2], kind[2] != NULL, at);
}

sf_status sf_grid_read_values(sf_grid *grid, grid_axis *axis, struct fy_node *value, grid_place at)
{
    if (value && fy_node_is_sequence(value))
        return read_list(grid, axis, value, at);
    if (value && fy_node_is_mapping(value))
        return read_mapping(grid, axis, value, at);
    return GRID_FAIL(
        grid, at, "axis '%s' expects a list, {linspace: [from, to, count]}, {logspace: ...} or {random: ...}",
        axis->key);
}
