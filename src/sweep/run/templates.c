#include "sweep/run/templates.h"

#include <libfyaml.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

sf_status sf_sweep_axis_error(const sf_sweep *sweep, const grid_axis *axis)
{
    return sf_fail_within(sweep->context, SF_ERR_CONFIG, "%s:%d:%d: axis '%s'", sweep->grid->name, axis->line,
                          axis->place, axis->key);
}

/* ---- making them ---------------------------------------------------------------------------------------- */

/* "[1][2]" of a key, or its end. */
static const char *item_path(const char *key)
{
    const char *bracket = strchr(key, '[');
    return bracket ? bracket : key + strlen(key);
}

static bool valid_items(const char *path)
{
    while (*path == '[') {
        size_t digits = strspn(path + 1, "0123456789");
        if (digits == 0 || digits > 9 || path[digits + 1] != ']')
            return false;
        path += digits + 2;
    }
    return *path == '\0';
}

/* The list `key` as JSON: from the last override that sets it, else from the file. Release with free. */
static char *list_text(const sf_sweep *sweep, const char *key)
{
    size_t length = strlen(key);
    const char *text = sweep->grid->experiment;
    char path[256] = "/";
    for (size_t i = 0; i < sweep->override_count; i++)
        if (strncmp(sweep->overrides[i], key, length) == 0 && sweep->overrides[i][length] == '=')
            text = sweep->overrides[i] + length + 1;
    if (text == sweep->grid->experiment) {
        if ((size_t)snprintf(path, sizeof path, "/%s", key) >= sizeof path)
            return NULL;
        for (char *c = path; *c; c++)
            *c = *c == '.' ? '/' : *c;
    }
    struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_RESOLVE_DOCUMENT};
    struct fy_document *document = fy_document_build_from_string(&config, text, (size_t)-1);
    struct fy_node *node = document ? fy_document_root(document) : NULL;
    node = node ? fy_node_by_path(node, path, (size_t)-1, FYNWF_DONT_FOLLOW) : NULL;
    char *json = node && fy_node_is_sequence(node)
                     ? fy_emit_node_to_string(node, FYECF_MODE_JSON_ONELINE | FYECF_WIDTH_INF)
                     : NULL;
    fy_document_destroy(document);
    return json;
}

/* Copies the JSON list, with holes where an axis of the same list has its item; *holes counts them. */
static void punch(const sf_sweep *sweep, const char *list, size_t length, const char *json, char *to,
                  size_t *holes)
{
    char path[64];
    size_t item[8] = {0}, depth = 0;
    for (const char *at = json; *at && *at != '\n';) {
        if (*at == '[') {
            depth = depth < 7 ? depth + 1 : depth;
            item[depth] = 0;
        } else if (*at == ']') {
            depth = depth > 0 ? depth - 1 : 0;
        } else if (*at == ',') {
            item[depth]++;
        } else if (*at != ' ') {
            size_t used = 0, width = strcspn(at, ",] \n");
            for (size_t k = 1; k <= depth; k++)
                used += (size_t)snprintf(path + used, sizeof path - used, "[%zu]", item[k]);
            const char *from = at;
            char hole[3] = {SF_HOLE, 0, 0};
            size_t copied = width;
            for (size_t i = 0; i < sweep->grid->axis_count; i++) {
                const char *key = sweep->grid->axes[i].key;
                if (strncmp(key, list, length) == 0 && strcmp(key + length, path) == 0) {
                    hole[1] = (char)(i + 1);
                    from = hole;
                    copied = 2;
                    ++*holes;
                }
            }
            memcpy(to, from, copied);
            to += copied;
            at += width;
            continue;
        }
        *to++ = *at++;
    }
    *to = '\0';
}

static sf_status add_template(sf_sweep *sweep, const char *key, size_t length, const char *value)
{
    size_t size = length + strlen(value) + 2;
    char *text = sf_alloc(sweep->context, size, 1);
    if (!text)
        return SF_ERR_MEMORY;
    snprintf(text, size, "%.*s=%s", (int)length, key, value);
    sweep->templates[sweep->template_count++] = text;
    return SF_OK;
}

/* The template of a list, made for the first of its axes. */
static sf_status add_list(sf_sweep *sweep, size_t number)
{
    const grid_axis *axis = &sweep->grid->axes[number];
    size_t length = (size_t)(item_path(axis->key) - axis->key), axes = 0, holes = 0;
    char name[256];
    if (!valid_items(axis->key + length) || length == 0 || length >= sizeof name) {
        sf_fail(sweep->context, SF_ERR_CONFIG, "not a key; expected one such as data.example[1]");
        return sf_sweep_axis_error(sweep, axis);
    }
    for (size_t i = 0; i < sweep->grid->axis_count; i++) {
        const char *key = sweep->grid->axes[i].key;
        bool same = strncmp(key, axis->key, length) == 0 && key[length] == '[';
        if (same && i < number)
            return SF_OK; // made already
        axes += same;
    }
    snprintf(name, sizeof name, "%.*s", (int)length, axis->key);
    char *json = list_text(sweep, name);
    char *punched = json ? sf_alloc(sweep->context, strlen(json) + 2 * axes + 1, 1) : NULL;
    sf_status status = SF_ERR_CONFIG;
    if (!json) {
        sf_fail(sweep->context, SF_ERR_CONFIG, "the experiment has no list %s", name);
        status = sf_sweep_axis_error(sweep, axis);
    } else if (!punched) {
        status = SF_ERR_MEMORY;
    } else {
        punch(sweep, axis->key, length, json, punched, &holes);
        if (holes == axes) {
            status = add_template(sweep, axis->key, length, punched);
        } else {
            sf_fail(sweep->context, SF_ERR_CONFIG, "no such item in the list %s of the experiment", name);
            status = sf_sweep_axis_error(sweep, axis);
        }
    }
    free(json);
    sf_free(sweep->context, punched);
    return status;
}

sf_status sf_sweep_make_templates(sf_sweep *sweep)
{
    const sf_grid *grid = sweep->grid;
    if (grid->axis_count > SF_MOST_AXES)
        return sf_fail(sweep->context, SF_ERR_CONFIG, "%s: %zu axes, expected at most %d", grid->name,
                       grid->axis_count, SF_MOST_AXES);
    sweep->templates = sf_alloc_zero(sweep->context, grid->axis_count, sizeof *sweep->templates);
    if (!sweep->templates)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < grid->axis_count; i++) {
        const char *key = grid->axes[i].key;
        const char hole[3] = {SF_HOLE, (char)(i + 1), '\0'};
        if (*item_path(key))
            SF_TRY(add_list(sweep, i));
        else
            SF_TRY(add_template(sweep, key, strlen(key), hole));
    }
    return SF_OK;
}

/* ---- filling them --------------------------------------------------------------------------------------- */

/* A number as YAML; whole ones without exponent, since seeds and counts are read as digits. */
static int print_value(const grid_value *value, char *to, size_t size)
{
    if (value->text)
        return snprintf(to, size, "%s", value->text);
    bool whole = value->number == floor(value->number) && fabs(value->number) < 1e15;
    return snprintf(to, size, whole ? "%.0f" : "%.17g", value->number);
}

char *sf_sweep_fill(sf_context *context, const char *template, const grid_value *values)
{
    size_t size = strlen(template) + 1, used = 0;
    for (const char *at = template; *at; at++)
        if (*at == SF_HOLE) {
            const grid_value *value = &values[(unsigned char)*++at - 1];
            size += value->text ? strlen(value->text) : 32;
        }
    char *text = sf_alloc(context, size, 1);
    for (const char *at = template; text && *at; at++) {
        if (*at == SF_HOLE)
            used += (size_t)print_value(&values[(unsigned char)*++at - 1], text + used, size - used);
        else
            text[used++] = *at;
    }
    if (text)
        text[used] = '\0';
    return text;
}

sf_status sf_sweep_experiment(const sf_sweep *sweep, sf_context *context, const grid_value *values,
                              size_t more, const char *const *extra, sf_experiment **out)
{
    size_t count = sweep->override_count + sweep->template_count + more, made = 0;
    *out = NULL;
    const char **overrides = SF_ARRAY(context, count, const char *);
    if (!overrides)
        return SF_ERR_MEMORY;
    memcpy(overrides, sweep->overrides, sweep->override_count * sizeof *overrides);
    char **filled = SF_ARRAY(context, sweep->template_count, char *);
    sf_status status = filled ? SF_OK : SF_ERR_MEMORY;
    for (; status == SF_OK && made < sweep->template_count; made++) {
        filled[made] = sf_sweep_fill(context, sweep->templates[made], values);
        if (!filled[made]) {
            status = SF_ERR_MEMORY;
            break;
        }
        overrides[sweep->override_count + made] = filled[made];
    }
    for (size_t i = 0; i < more; i++)
        overrides[sweep->override_count + sweep->template_count + i] = extra[i];
    sf_settings *settings = NULL;
    if (status == SF_OK)
        status = sf_settings_parse(context, SF_SETTINGS_RUN, sweep->grid->name, sweep->grid->experiment,
                                   count, overrides, &settings);
    if (status == SF_OK)
        status = sf_experiment_create(context, settings, sweep->shelf, out);
    sf_settings_destroy(&settings);
    while (filled && made > 0)
        sf_free(context, filled[--made]);
    sf_free(context, filled);
    sf_free(context, overrides);
    return status;
}
