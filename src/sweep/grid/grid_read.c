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
#include "sweep/grid/grid_axis.h"
#include "sweep/grid/observables.h"

/* ---- axes and groups ------------------------------------------------------------------------------------ */

static sf_status check_new_column(sf_grid *grid, const grid_axis *axis, grid_place at)
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

static sf_status read_axis(sf_grid *grid, struct fy_node_pair *pair, size_t group)
{
    grid_axis *axes = sf_resize(grid->context, grid->axes, grid->axis_count + 1, sizeof *axes);
    if (!axes)
        return SF_ERR_MEMORY;
    grid->axes = axes;
    grid_axis *axis = &axes[grid->axis_count];
    grid_place at = sf_node_place(fy_node_pair_key(pair), (grid_place){0, 0});
    *axis = (grid_axis){.group = group, .line = at.line, .place = at.column};
    const char *key = sf_node_key(pair);
    if (!(axis->key = axis->column = sf_grid_keep(grid, key, strlen(key))))
        return SF_ERR_MEMORY;
    grid->axis_count++;
    if (strncmp(key, "sweep", 5) == 0 && (key[5] == '.' || key[5] == '\0'))
        return GRID_FAIL(grid, at, "a sweep cannot sweep itself; expected a key of the experiment");
    SF_TRY(sf_grid_read_values(grid, axis, fy_node_pair_value(pair), at));
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
            return GRID_FAIL(grid, ((grid_place){grid->axes[i].line, grid->axes[i].place}),
                             "zipped axes must be of one length: '%s' has %zu values, '%s' has %zu",
                             grid->axes[first].key, grid->axes[first].count, grid->axes[i].key,
                             grid->axes[i].count);
    return SF_OK;
}

static sf_status read_zip(sf_grid *grid, struct fy_node *zip, grid_place at)
{
    if (zip && fy_node_is_mapping(zip) && fy_node_mapping_item_count(zip) > 0)
        return read_group(grid, zip, NULL);
    if (!zip || !fy_node_is_sequence(zip) || fy_node_sequence_item_count(zip) == 0)
        return GRID_FAIL(grid, at, "zip expects a mapping of axes, or a list of such mappings");
    void *next = NULL;
    struct fy_node *item;
    while ((item = fy_node_sequence_iterate(zip, &next))) {
        if (!fy_node_is_mapping(item) || fy_node_mapping_item_count(item) == 0)
            return GRID_FAIL(grid, sf_node_place(item, at), "an item of zip expects a mapping of axes");
        SF_TRY(read_group(grid, item, NULL));
    }
    return SF_OK;
}

static sf_status count_points(sf_grid *grid, grid_place at)
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

static sf_status read_axes(sf_grid *grid, struct fy_node *axes, grid_place at)
{
    if (!axes || !fy_node_is_mapping(axes) || fy_node_mapping_item_count(axes) == 0)
        return GRID_FAIL(grid, at, "sweep expects axes, a mapping such as {optimizer.rho: [0.5, 1, 2]}");
    void *next = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(axes, &next))) {
        if (strcmp(sf_node_key(pair), "zip") == 0)
            SF_TRY(read_zip(grid, fy_node_pair_value(pair), sf_node_place(fy_node_pair_key(pair), at)));
        else
            SF_TRY(read_group(grid, NULL, pair));
    }
    return count_points(grid, sf_node_place(axes, at));
}

/* ---- observables and refinement ------------------------------------------------------------------------- */

static sf_status read_times(sf_grid *grid, grid_observable *observable, struct fy_node *value, grid_place at)
{
    static const char *const clock[] = {"tau", "log_time", "step", NULL};
    if (!value || !fy_node_is_mapping(value) || fy_node_mapping_item_count(value) != 1)
        return GRID_FAIL(grid, at,
                         "observable beta expects its times, for example {beta: {tau: [0.5, 1, 2]}}");
    SF_TRY(sf_node_check_keys(grid, value, "beta", clock));
    struct fy_node *list = NULL;
    for (size_t i = 0; clock[i] && !list; i++)
        if ((list = sf_node_member(value, clock[i])))
            observable->clock = clock[i];
    size_t count = list && fy_node_is_sequence(list) ? (size_t)fy_node_sequence_item_count(list) : 0;
    if (count == 0)
        return GRID_FAIL(grid, at, "times of beta expect a list of numbers");
    if (!(observable->times = SF_ARRAY(grid->context, count, double)))
        return SF_ERR_MEMORY;
    observable->time_count = count;
    for (size_t i = 0; i < count; i++) {
        if (!sf_node_number(fy_node_sequence_get_by_index(list, (int)i), &observable->times[i]))
            return GRID_FAIL(grid, at, "times of beta expect a list of numbers");
        if (i > 0 && !(observable->times[i] > observable->times[i - 1]))
            return GRID_FAIL(grid, at, "times of beta must increase: %g follows %g", observable->times[i],
                             observable->times[i - 1]);
    }
    return SF_OK;
}

static sf_status read_observable(sf_grid *grid, struct fy_node *node, grid_place at)
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
        name = sf_node_key(pair);
        value = fy_node_pair_value(pair);
    }
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

static sf_status read_observables(sf_grid *grid, struct fy_node *list, grid_place at)
{
    if (!list)
        return SF_OK;
    if (!fy_node_is_sequence(list) || fy_node_sequence_item_count(list) == 0)
        return GRID_FAIL(grid, sf_node_place(list, at),
                         "observables expects a list such as [regime, limit, final_loss]");
    void *next = NULL;
    struct fy_node *item;
    while ((item = fy_node_sequence_iterate(list, &next)))
        SF_TRY(read_observable(grid, item, sf_node_place(item, at)));
    return SF_OK;
}

static sf_status read_refine(sf_grid *grid, struct fy_node *node, grid_place at)
{
    static const char *const keys[] = {"by", "levels", "tolerance", NULL};
    if (!node)
        return SF_OK;
    at = sf_node_place(node, at);
    if (!fy_node_is_mapping(node))
        return GRID_FAIL(grid, at, "refine expects a mapping such as {by: regime, levels: 4}");
    SF_TRY(sf_node_check_keys(grid, node, "refine", keys));
    size_t length = 0;
    struct fy_node *by = sf_node_member(node, "by");
    const char *text = by ? fy_node_get_scalar(by, &length) : NULL;
    double levels = NAN, tolerance = 0.0;
    if (!text || length == 0)
        return GRID_FAIL(grid, at, "refine expects by, the name of a column such as regime");
    if (!sf_node_number(sf_node_member(node, "levels"), &levels) ||
        !(levels >= 1.0 && levels <= SF_GRID_MAX_LEVELS) || levels != floor(levels))
        return GRID_FAIL(grid, at, "refine expects levels, a whole number from 1 to %d", SF_GRID_MAX_LEVELS);
    if (sf_node_member(node, "tolerance") &&
        (!sf_node_number(sf_node_member(node, "tolerance"), &tolerance) || !(tolerance >= 0.0)))
        return GRID_FAIL(grid, at, "tolerance of refine expects a number >= 0");
    grid->refine =
        (grid_refinement){.levels = (int)levels, .tolerance = tolerance, .line = at.line, .place = at.column};
    if (!(grid->refine.by = sf_grid_keep(grid, text, length)))
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
            if (axis->values[i].text || (i > 0 && !(axis->values[i].number > axis->values[i - 1].number)))
                return GRID_FAIL(grid, at, "refine needs axes of increasing numbers; '%s' is not", axis->key);
    }
    if (!(lattice < 9e18))
        return GRID_FAIL(grid, at, "the finest lattice would have %.3g points; take fewer levels", lattice);
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
    int first = sf_node_mark(fy_node_pair_key(section))->line, last = INT32_MAX, line = 0;
    void *at = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(root, &at))) {
        const struct fy_mark *mark = sf_node_mark(fy_node_pair_key(pair));
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
    grid_place at = sf_node_place(fy_node_pair_key(section), (grid_place){0, 0});
    struct fy_node *sweep = fy_node_pair_value(section);
    if (!sweep || !fy_node_is_mapping(sweep))
        return GRID_FAIL(grid, at, "sweep expects a mapping with axes");
    SF_TRY(sf_node_check_keys(grid, sweep, "sweep", keys));
    SF_TRY(read_axes(grid, sf_node_member(sweep, "axes"), at));
    SF_TRY(read_observables(grid, sf_node_member(sweep, "observables"), at));
    SF_TRY(read_refine(grid, sf_node_member(sweep, "refine"), at));
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

/* What experiment files may be, sweep files may: text in UTF-8, bounded depth, no anchors. Their parser says so, before that of
 * document trees sees anything. */
static sf_status check_document(sf_context *context, const char *name, const char *text)
{
    sf_text copy = {NULL, strlen(text)};
    sf_node *tree = NULL;
    copy.block = sf_alloc(context, copy.length + SF_TEXT_HEADROOM + 1, 1);
    if (!copy.block)
        return SF_ERR_MEMORY;
    memcpy(copy.block + SF_TEXT_HEADROOM, text, copy.length + 1);
    sf_status status = sf_document_parse(context, name, &copy, &tree);
    sf_node_destroy(context, &tree);
    sf_free(context, copy.block);
    return status;
}

sf_status sf_grid_parse(sf_context *context, const char *name, const char *text, sf_grid **out)
{
    *out = NULL;
    SF_TRY(check_document(context, name, text));
    sf_grid *grid = SF_NEW(context, sf_grid);
    if (!grid)
        return SF_ERR_MEMORY;
    grid->context = context;
    sf_status status = SF_ERR_MEMORY;
    struct fy_diag *diag = NULL;
    struct fy_document *document = NULL;
    if (!(grid->name = sf_grid_keep(grid, name, strlen(name))) ||
        !(grid->text = sf_grid_keep(grid, text, strlen(text))))
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
