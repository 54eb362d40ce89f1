/* Settings as an object: made from a file, text or calls, changed, copied, asked.
 *
 * Places in messages point to the name of the file or to an override; both belong to the object, as a caller's may go. */
#include "settings/settings.h"

#include <errno.h>
#include <string.h>

/* ---- create, copy, destroy ----------------------------------------------------------------------- */

sf_status sf_settings_create(sf_context *context, sf_settings_kind kind, const char *name, sf_settings **out)
{
    sf_settings *settings = *out = SF_NEW(context, sf_settings);
    if (!settings)
        return SF_ERR_MEMORY;
    settings->context = context;
    settings->scope = kind == SF_SETTINGS_TRAINING ? SF_SCOPE_TRAIN : SF_SCOPE_RUN;
    if (!name)
        return SF_OK;
    settings->name = sf_strdup(context, strcmp(name, "-") == 0 ? "standard input" : name);
    if (!settings->name)
        sf_settings_destroy(out);
    return *out ? SF_OK : SF_ERR_MEMORY;
}

void sf_settings_destroy(sf_settings **settings)
{
    if (!settings || !*settings)
        return;
    sf_settings *dead = *settings;
    for (int id = 0; id < SF_SETTING_COUNT; id++)
        sf_value_release(dead->context, &dead->values[id]);
    for (size_t i = 0; i < dead->text_count; i++)
        sf_free(dead->context, dead->texts[i]);
    sf_free(dead->context, dead->texts);
    sf_free(dead->context, dead->name);
    sf_free(dead->context, dead);
    *settings = NULL;
}

static sf_status add_text(sf_settings *settings, const char *text)
{
    settings->texts[settings->text_count] = sf_strdup(settings->context, text);
    return settings->texts[settings->text_count++] ? SF_OK : SF_ERR_MEMORY;
}

static sf_status make_texts(sf_settings *settings, size_t count, const char *const *texts)
{
    settings->texts = count ? sf_alloc_zero(settings->context, count, sizeof *settings->texts) : NULL;
    if (count && !settings->texts)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        SF_TRY(add_text(settings, texts[i]));
    return SF_OK;
}

/* A place of `from` in its copy. */
static void move_place(const sf_settings *from, const sf_settings *to, sf_place *place)
{
    if (place->source == from->name)
        place->source = to->name;
    for (size_t i = 0; i < from->text_count; i++)
        if (place->source == from->texts[i])
            place->source = to->texts[i];
}

static sf_status copy_all(const sf_settings *from, sf_settings *to)
{
    SF_TRY(make_texts(to, from->text_count, (const char *const *)from->texts));
    to->place = from->place;
    to->scope = from->scope;
    move_place(from, to, &to->place);
    for (int id = 0; id < SF_SETTING_COUNT; id++) {
        if (!from->values[id].set)
            continue;
        SF_TRY(sf_value_copy(to->context, &from->values[id], &to->values[id]));
        move_place(from, to, &to->values[id].place);
    }
    return SF_OK;
}

sf_status sf_settings_copy(sf_context *context, const sf_settings *settings, sf_settings **out)
{
    SF_TRY(sf_settings_create(context, SF_SETTINGS_RUN, settings->name, out));
    sf_status status = copy_all(settings, *out);
    if (status != SF_OK)
        sf_settings_destroy(out);
    return status;
}

/* ---- overrides ----------------------------------------------------------------------------------- */

/* Puts value at the path a.b.c below root, making mappings on the way; takes value over (NULL removes the
 * key). */
static sf_status put_at(sf_context *context, sf_node *root, char *path, sf_place place, sf_node *value)
{
    sf_node *mapping = root;
    for (char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        *dot = '\0';
        sf_node *child = sf_node_find(mapping, path);
        if (!child || child->kind != SF_NODE_MAPPING) {
            sf_status status = value ? sf_node_new_mapping(context, place, &child) : SF_OK;
            if (status == SF_OK && !value)
                return SF_OK; // nothing there to remove
            if (status == SF_OK)
                status = sf_node_put(context, mapping, path, place, child);
            if (status != SF_OK) {
                sf_node_destroy(context, &value);
                return status;
            }
        }
        mapping = child;
    }
    return sf_node_put(context, mapping, path, place, value);
}

static sf_status apply_override(sf_context *context, sf_node *root, const char *text)
{
    const char *sign = strchr(text, '=');
    if (!sign || sign == text)
        return sf_fail(context, SF_ERR_CONFIG, "--set %s: expected KEY.PATH=VALUE", text);
    if (root->kind != SF_NODE_MAPPING)
        return SF_OK; // the walk will say what is wrong with the file
    char *path = sf_strdup(context, text);
    if (!path)
        return SF_ERR_MEMORY;
    path[sign - text] = '\0';
    sf_node *value = NULL;
    sf_status status = sf_document_parse_value(context, text, sign + 1, &value);
    if (status == SF_OK)
        status = put_at(context, root, path, (sf_place){text, 0, 0}, value);
    sf_free(context, path);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------- */

sf_status sf_settings_fill(sf_settings *settings, sf_node *root, size_t count, const char *const *overrides)
{
    SF_TRY(make_texts(settings, count, overrides));
    for (size_t i = 0; i < count; i++)
        SF_TRY(apply_override(settings->context, root, settings->texts[i]));
    SF_TRY(sf_settings_walk(settings->context, "", root, settings->values));
    const sf_node *data = sf_node_find(root, "data");
    settings->place = data ? data->place : root->place;
    return SF_OK;
}

/* Parses the text and releases it: the settings hold all that is needed of it. */
static sf_status parse_text(sf_settings *settings, sf_text *text, size_t count, const char *const *overrides)
{
    sf_node *root = NULL;
    sf_status status = sf_document_parse(settings->context, settings->name, text, &root);
    sf_free(settings->context, text->block);
    text->block = NULL;
    if (status == SF_OK)
        status = sf_settings_fill(settings, root, count, overrides);
    sf_node_destroy(settings->context, &root);
    return status;
}

static sf_status build(sf_context *context, sf_settings_kind kind, const char *name, const char *source,
                       size_t count, const char *const *overrides, sf_settings **out)
{
    sf_text text = {NULL, 0};
    sf_status status = sf_settings_create(context, kind, name, out);
    if (status == SF_OK)
        status = source ? sf_text_copy(context, source, &text)
                        : sf_text_read(context, name, "an experiment file", &text);
    if (status == SF_OK)
        status = parse_text(*out, &text, count, overrides);
    sf_free(context, text.block);
    if (status == SF_OK)
        status = sf_settings_resolve(*out);
    if (status != SF_OK)
        sf_settings_destroy(out);
    return status;
}

sf_status sf_settings_read(sf_context *context, sf_settings_kind kind, const char *path, size_t count,
                           const char *const *overrides, sf_settings **out)
{
    return build(context, kind, path, NULL, count, overrides, out);
}

sf_status sf_settings_parse(sf_context *context, sf_settings_kind kind, const char *name, const char *text,
                            size_t count, const char *const *overrides, sf_settings **out)
{
    return build(context, kind, name, text, count, overrides, out);
}

/* ---- changes ------------------------------------------------------------------------------------- */

/* Whether `path` is `key`, or a group that it is in. */
static bool is_within(const char *key, const char *path)
{
    size_t length = strlen(path);
    return strncmp(key, path, length) == 0 && (key[length] == '\0' || key[length] == '.');
}

void sf_settings_clear(sf_settings *settings, const char *path)
{
    for (int id = 0; id < SF_SETTING_COUNT; id++) {
        const char *key = sf_settings_table[id].key;
        if (settings->values[id].set && (is_within(key, path) || is_within(path, key)))
            sf_value_release(settings->context, &settings->values[id]);
    }
}

sf_status sf_item_check(sf_context *context, const sf_setting_path *path, double number, sf_place place)
{
    const sf_setting *setting = &sf_settings_table[path->id];
    bool whole = number >= 1.0 && number <= 1e9 && number == floor(number);
    char digits[32], wanted[SF_PHRASE_SIZE];
    if (sf_setting_in_range(setting, number) && (setting->type != SF_TYPE_SIZES || whole))
        return SF_OK;
    sf_fail(context, SF_ERR_CONFIG, "%s: found %s at position %zu, expected %s", setting->key,
            sf_number_text(number, digits), path->index[path->indices - 1],
            sf_setting_expectation(setting, wanted));
    return sf_fail_at(context, place);
}

static sf_status put_item(sf_settings *settings, const sf_setting_path *path, double number, sf_place place)
{
    sf_value *value = &settings->values[path->id];
    const sf_setting *setting = &sf_settings_table[path->id];
    bool rows = setting->type == SF_TYPE_ROWS;
    size_t row = rows ? path->index[0] : 0, column = path->index[path->indices - 1];
    if (!value->numbers || path->indices != 1 + rows || row >= value->rows || column >= value->count) {
        sf_fail(settings->context, SF_ERR_CONFIG,
                value->numbers ? "no such item in the list %s of the experiment"
                               : "the experiment has no list %s",
                setting->key);
        return sf_fail_at(settings->context, place);
    }
    SF_TRY(sf_item_check(settings->context, path, number, place));
    value->numbers[row * value->count + column] = number;
    return SF_OK;
}

sf_status sf_settings_put(sf_settings *settings, const sf_setting_path *target, double number, sf_place place)
{
    if (target->indices > 0)
        return put_item(settings, target, number, place);
    sf_value *value = &settings->values[target->id];
    if (value->text || value->numbers)
        sf_value_release(settings->context, value);
    sf_status status = sf_value_from_number(settings->context, target->id, number, place, value);
    if (status != SF_OK)
        sf_value_release(settings->context, value);
    return status;
}

sf_status sf_patch_create(sf_context *context, const char *path, sf_node *node, sf_patch *patch)
{
    *patch = (sf_patch){0};
    sf_value *values = sf_alloc_zero(context, SF_SETTING_COUNT, sizeof *values);
    if (!values)
        return SF_ERR_MEMORY;
    sf_status status = sf_settings_walk(context, path, node, values);
    for (int id = 0; id < SF_SETTING_COUNT; id++)
        patch->count += values[id].given;
    patch->items = status == SF_OK ? sf_alloc_zero(context, patch->count, sizeof *patch->items) : NULL;
    if (status == SF_OK && !patch->items)
        status = SF_ERR_MEMORY;
    for (int id = 0, k = 0; id < SF_SETTING_COUNT; id++)
        if (status == SF_OK && values[id].given)
            patch->items[k++] = (struct sf_assignment){(sf_setting_id)id, values[id]};
        else
            sf_value_release(context, &values[id]);
    sf_free(context, values);
    return status;
}

void sf_patch_release(sf_context *context, sf_patch *patch)
{
    for (size_t i = 0; patch->items && i < patch->count; i++)
        sf_value_release(context, &patch->items[i].value);
    sf_free(context, patch->items);
    *patch = (sf_patch){0};
}

sf_status sf_settings_apply(sf_settings *settings, const char *path, const sf_patch *patch)
{
    sf_settings_clear(settings, path);
    for (size_t i = 0; i < patch->count; i++)
        SF_TRY(
            sf_value_copy(settings->context, &patch->items[i].value, &settings->values[patch->items[i].id]));
    return SF_OK;
}

/* ---- values set by a caller ---------------------------------------------------------------------- */

static const sf_place nowhere = {NULL, 0, 0};

/* The setting of a path, of one of these types; cleared unless it is an item. */
static sf_status aim(sf_settings *settings, const char *path, unsigned types, sf_setting_path *target)
{
    char wanted[SF_PHRASE_SIZE];
    if (!sf_setting_path_of(path, target))
        return sf_setting_unknown(settings->context, path);
    const sf_setting *setting = &sf_settings_table[target->id];
    if (!(types >> setting->type & 1u))
        return sf_fail(settings->context, SF_ERR_CONFIG, "%s: a value of another type, expected %s", path,
                       sf_setting_expectation(setting, wanted));
    return SF_OK;
}

/* Takes a value over, made by a conversion with this status. */
static sf_status take(sf_settings *settings, const char *path, const sf_setting_path *target,
                      sf_status status, sf_value *value)
{
    if (status == SF_OK) {
        sf_settings_clear(settings, path);
        settings->values[target->id] = *value;
    } else {
        sf_value_release(settings->context, value);
    }
    return status;
}

sf_status sf_settings_set_number(sf_settings *settings, const char *path, double number)
{
    sf_setting_path target;
    sf_value value = {0};
    SF_TRY(aim(settings, path, ~0u, &target));
    if (target.indices > 0)
        return sf_settings_put(settings, &target, number, nowhere);
    sf_status status = sf_value_from_number(settings->context, target.id, number, nowhere, &value);
    return take(settings, path, &target, status, &value);
}

sf_status sf_settings_set_integer(sf_settings *settings, const char *path, uint64_t number)
{
    sf_setting_path target;
    SF_TRY(aim(settings, path, ~0u, &target));
    if (sf_settings_table[target.id].type != SF_TYPE_SEED || target.indices > 0)
        return sf_settings_set_number(settings, path, (double)number);
    sf_value value = {.given = true, .set = true, .number = (double)number, .integer = number};
    sf_status status = number <= INT64_MAX ? SF_OK
                                           : sf_fail(settings->context, SF_ERR_CONFIG,
                                                     "%s: expected a whole number below 2^63", path);
    return take(settings, path, &target, status, &value);
}

sf_status sf_settings_set_flag(sf_settings *settings, const char *path, bool flag)
{
    sf_setting_path target;
    sf_value value = {.given = true, .set = true, .flag = flag};
    SF_TRY(aim(settings, path, 1u << SF_TYPE_FLAG, &target));
    return take(settings, path, &target, SF_OK, &value);
}

/* A text or a list goes the way of a node: one conversion for files and callers. */
static sf_status set_node(sf_settings *settings, const char *path, const sf_setting_path *target,
                          sf_node *node)
{
    sf_value value = {0};
    sf_status status = target->indices > 0 ? sf_setting_unknown(settings->context, path)
                                           : sf_value_from_node(settings->context, target->id, node, &value);
    return take(settings, path, target, status, &value);
}

sf_status sf_settings_set_text(sf_settings *settings, const char *path, const char *text)
{
    sf_setting_path target;
    SF_TRY(aim(settings, path, 1u << SF_TYPE_TEXT | 1u << SF_TYPE_CHOICE, &target));
    sf_node node = {.kind = SF_NODE_SCALAR, .quoted = true, .text = sf_strdup(settings->context, text)};
    sf_status status = node.text ? set_node(settings, path, &target, &node) : SF_ERR_MEMORY;
    sf_free(settings->context, node.text);
    return status;
}

sf_status sf_settings_set_numbers(sf_settings *settings, const char *path, size_t rows, size_t count,
                                  const double *numbers)
{
    sf_setting_path target;
    SF_TRY(aim(settings, path,
               1u << SF_TYPE_NUMBERS | 1u << SF_TYPE_SIZES | 1u << SF_TYPE_ROWS | 1u << SF_TYPE_INIT |
                   1u << SF_TYPE_NAMES,
               &target));
    bool matrix = sf_settings_table[target.id].type == SF_TYPE_ROWS;
    if ((!matrix && rows != 1) || rows == 0 || count > SIZE_MAX / sizeof(double) / rows)
        return sf_fail(settings->context, SF_ERR_CONFIG, "%s: %zu rows of %zu numbers, expected %s", path,
                       rows, count, matrix ? "at least one row" : "one row");
    sf_value value = {.given = true, .set = true, .rows = rows, .count = count};
    sf_node node = {.kind = SF_NODE_LIST, .count = rows * count};
    node.numbers = SF_ARRAY(settings->context, rows * count, double);
    if (!node.numbers)
        return SF_ERR_MEMORY;
    memcpy(node.numbers, numbers, rows * count * sizeof *numbers);
    for (size_t i = 0; i < rows * count; i++)
        if (!isfinite(numbers[i])) {
            sf_free(settings->context, node.numbers);
            return sf_fail(settings->context, SF_ERR_CONFIG,
                           "%s: found %g at position %zu, expected finite numbers", path, numbers[i], i);
        }
    if (matrix && count > 0) {
        value.numbers = node.numbers;
        return take(settings, path, &target, SF_OK, &value);
    }
    sf_status status = set_node(settings, path, &target, &node);
    sf_free(settings->context, node.numbers);
    return status;
}

sf_status sf_settings_set_names(sf_settings *settings, const char *path, size_t count,
                                const char *const *names)
{
    sf_setting_path target;
    SF_TRY(aim(settings, path, 1u << SF_TYPE_NAMES, &target));
    sf_node **items = SF_ARRAY(settings->context, count, sf_node *);
    sf_node *nodes = SF_ARRAY(settings->context, count, sf_node);
    sf_status status = items && nodes ? SF_OK : SF_ERR_MEMORY;
    for (size_t i = 0; i < count && status == SF_OK; i++) {
        nodes[i] = (sf_node){.kind = SF_NODE_SCALAR, .quoted = true, .text = (char *)names[i]};
        items[i] = &nodes[i];
    }
    sf_node list = {.kind = SF_NODE_LIST, .count = count, .items = items};
    if (status == SF_OK)
        status = set_node(settings, path, &target, &list);
    sf_free(settings->context, items);
    sf_free(settings->context, nodes);
    return status;
}

sf_status sf_settings_unset(sf_settings *settings, const char *path)
{
    sf_settings_clear(settings, path);
    return SF_OK;
}
