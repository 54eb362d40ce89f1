/* Lists, ranges and random numbers.
 *
 * The i-th of n values of linspace(a, b) is a + (b - a) i / (n - 1) rounded to 15 significant digits, with exact
 * ends: the same decimal from two ranges is the same double, so overlapping sweeps find each other's points.
 */
#include "sweep/grid/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static sf_status allocate_values(sf_grid *grid, grid_axis *axis, size_t count, sf_place at)
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

/* A list or a mapping on one line, for labels. */
static void write_node(FILE *stream, const sf_node *node)
{
    bool mapping = node->kind == SF_NODE_MAPPING;
    char digits[32];
    double number;
    if (node->kind == SF_NODE_SCALAR) {
        fprintf(stream, sf_node_number(node, &number) ? "%s" : "\"%s\"", node->text);
        return;
    }
    fputs(mapping ? "{" : "[", stream);
    for (size_t i = 0; i < node->count; i++) {
        fputs(i ? ", " : "", stream);
        if (mapping)
            fprintf(stream, "\"%s\": ", node->keys[i]);
        if (node->numbers)
            fputs(sf_number_text(node->numbers[i], digits), stream);
        else
            write_node(stream, node->items[i]);
    }
    fputs(mapping ? "}" : "]", stream);
}

static sf_status make_label(sf_grid *grid, const sf_node *node, const char **label)
{
    char *text = NULL;
    size_t size = 0;
    if (node->kind == SF_NODE_SCALAR)
        return (*label = sf_grid_keep(grid, node->text, strlen(node->text))) ? SF_OK : SF_ERR_MEMORY;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return sf_fail(grid->context, SF_ERR_MEMORY, "out of memory: label of a value");
    write_node(stream, node);
    bool good = fclose(stream) == 0 && (*label = sf_grid_keep(grid, text, strlen(text)));
    free(text);
    return good ? SF_OK : sf_fail(grid->context, SF_ERR_MEMORY, "out of memory: label of a value");
}

/* Uses the node up. */
static sf_status read_value(sf_grid *grid, grid_axis *axis, sf_node *node, grid_value *value)
{
    if (sf_node_number(node, &value->number))
        return SF_OK;
    value->number = NAN;
    if (sf_node_is_null(node))
        return GRID_FAIL(grid, node->place, "axis '%s' holds an empty value", axis->key);
    axis->patched = true;
    SF_TRY(make_label(grid, node, &value->label));
    value->patch = SF_NEW(grid->context, sf_patch);
    if (!value->patch)
        return SF_ERR_MEMORY;
    return sf_patch_create(grid->context, axis->key, node, value->patch);
}

static bool same_value(const grid_value *a, const grid_value *b)
{
    return a->patch && b->patch ? strcmp(a->label, b->label) == 0
                                : !a->patch && !b->patch && a->number == b->number;
}

/* Lists are written by hand, so looking at all pairs is quick; very long ones find their doubles by their hashes. */
enum { HANDWRITTEN = 2000 };

static sf_status read_list(sf_grid *grid, grid_axis *axis, sf_node *list)
{
    SF_TRY(allocate_values(grid, axis, list->count, axis->place));
    for (size_t i = 0; i < axis->count; i++) {
        char digits[32];
        grid_value *value = &axis->values[i];
        if (list->numbers)
            value->number = list->numbers[i];
        else
            SF_TRY(read_value(grid, axis, list->items[i], value));
        for (size_t k = 0; k < i && axis->count <= HANDWRITTEN; k++)
            if (same_value(&axis->values[k], value))
                return GRID_FAIL(grid, list->numbers ? list->place : list->items[i]->place,
                                 "axis '%s' holds %s twice", axis->key,
                                 value->patch ? value->label : sf_number_text(value->number, digits));
    }
    return SF_OK;
}

/* Every number fits the setting. */
static sf_status check_numbers(sf_grid *grid, grid_axis *axis)
{
    const sf_setting_path *path = &axis->path;
    for (size_t i = 0; i < axis->count; i++) {
        sf_value value = {0};
        const sf_place nowhere = {NULL, 0, 0};
        if (axis->values[i].patch)
            continue;
        sf_status status = SF_OK;
        if (path->id == SF_SETTING_COUNT)
            status = sf_setting_unknown(grid->context, axis->key);
        else if (path->indices == 0)
            status = sf_value_from_number(grid->context, path->id, axis->values[i].number, nowhere, &value);
        else
            status = sf_item_check(grid->context, path, axis->values[i].number, nowhere);
        sf_value_release(grid->context, &value);
        if (status != SF_OK)
            return status == SF_ERR_CONFIG ? sf_grid_axis_fail(grid, axis) : status;
    }
    return SF_OK;
}

/* {linspace: [from, to, count]} and {logspace: [from, to, count]}. */
static sf_status read_range(sf_grid *grid, grid_axis *axis, sf_node *range, bool geometric, sf_place at)
{
    const char *what = geometric ? "logspace" : "linspace";
    double number[3];
    bool good = range->kind == SF_NODE_LIST && range->numbers && range->count == 3;
    if (good)
        memcpy(number, range->numbers, sizeof number);
    else
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

static bool number_at(const sf_node *mapping, const char *key, double *number)
{
    const sf_node *node = sf_node_find(mapping, key);
    return node && sf_node_number(node, number);
}

/* {random: {uniform | log_uniform | normal | integer: [a, b], count: n, seed: s}}. Draw i is the i-th of stream 0. */
static sf_status read_random(sf_grid *grid, grid_axis *axis, sf_node *random, sf_place at)
{
    static const char *const law[] = {"uniform", "log_uniform", "normal", "integer", "count", "seed", NULL};
    enum { UNIFORM, LOG_UNIFORM, NORMAL, INTEGER, LAWS };
    if (random->kind != SF_NODE_MAPPING)
        return GRID_FAIL(
            grid, at, "random of axis '%s' expects a mapping such as {uniform: [0, 1], count: 10, seed: 1}",
            axis->key);
    SF_TRY(sf_grid_check_keys(grid, random, "random", law));
    double count = NAN, seed = NAN, a = NAN, b = NAN;
    int kind = -1, kinds = 0;
    for (int i = 0; i < LAWS; i++) {
        sf_node *pair = sf_node_find(random, law[i]);
        if (!pair)
            continue;
        kind = i;
        kinds++;
        if (pair->kind != SF_NODE_LIST || !pair->numbers || pair->count != 2)
            return GRID_FAIL(grid, pair->place, "%s of axis '%s' expects two numbers", law[i], axis->key);
        a = pair->numbers[0];
        b = pair->numbers[1];
    }
    if (kinds != 1)
        return GRID_FAIL(grid, at,
                         "random of axis '%s' expects exactly one of uniform, log_uniform, normal, integer",
                         axis->key);
    if (!number_at(random, "count", &count) || !(count >= 0.0 && count == floor(count)))
        return GRID_FAIL(grid, at, "random of axis '%s' expects count, a whole number >= 1", axis->key);
    if (!number_at(random, "seed", &seed) || !(seed >= 0.0 && seed == floor(seed) && seed < 9e15))
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

static sf_status read_mapping(sf_grid *grid, grid_axis *axis, sf_node *node, sf_place at)
{
    static const char *const keys[] = {"values", "linspace", "logspace", "random", "name", NULL};
    SF_TRY(sf_grid_check_keys(grid, node, "an axis", keys));
    sf_node *kind[4];
    int kinds = 0;
    for (int i = 0; i < 4; i++)
        kinds += (kind[i] = sf_node_find(node, keys[i])) != NULL;
    if (kinds != 1)
        return GRID_FAIL(grid, at, "axis '%s' expects exactly one of values, linspace, logspace, random",
                         axis->key);
    const sf_node *name = sf_node_find(node, "name");
    if (name) {
        if (name->kind != SF_NODE_SCALAR || !*name->text)
            return GRID_FAIL(grid, at, "name of axis '%s' expects a text", axis->key);
        if (!(axis->column = sf_grid_keep(grid, name->text, strlen(name->text))))
            return SF_ERR_MEMORY;
    }
    if (kind[0]) {
        if (kind[0]->kind != SF_NODE_LIST)
            return GRID_FAIL(grid, at, "values of axis '%s' expects a list", axis->key);
        return read_list(grid, axis, kind[0]);
    }
    if (kind[3])
        return read_random(grid, axis, kind[3], at);
    return read_range(grid, axis, kind[1] ? kind[1] : kind[2], kind[2] != NULL, at);
}

sf_status sf_grid_read_values(sf_grid *grid, grid_axis *axis, sf_node *value)
{
    sf_status status;
    if (value->kind == SF_NODE_LIST)
        status = read_list(grid, axis, value);
    else if (value->kind == SF_NODE_MAPPING)
        status = read_mapping(grid, axis, value, axis->place);
    else
        return GRID_FAIL(
            grid, axis->place,
            "axis '%s' expects a list, {linspace: [from, to, count]}, {logspace: ...} or {random: ...}",
            axis->key);
    return status == SF_OK ? check_numbers(grid, axis) : status;
}
