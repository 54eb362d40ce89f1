/* The settings: table, conversion of values, the walk over a document, and what is said about errors. */
#include "settings/settings.h"

#include <samflow/settings.h>
#include <stdlib.h>
#include <string.h>

const sf_setting sf_settings[SF_SETTING_COUNT] = {
#define SF_SETTING_ROW(name, key, type, fallback, low, high, low_open, choices, scope, meaning)              \
    {key, SF_TYPE_##type, fallback, low, high, low_open, choices, SF_SCOPE_##scope, meaning},
#define SF_SETTING_EXPAND(...) SF_SETTING_ROW(__VA_ARGS__) // once more: the ranges are macros of three values
    SF_SETTINGS(SF_SETTING_EXPAND)
#undef SF_SETTING_EXPAND
#undef SF_SETTING_ROW
};

static const char *const scope_name[] = {
#define SF_SCOPE_NAME(name, text) text,
    SF_SCOPES(SF_SCOPE_NAME)
#undef SF_SCOPE_NAME
};

const char *sf_scope_text(unsigned scope, char *buffer)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (unsigned bit = 0; bit < sizeof scope_name / sizeof scope_name[0]; bit++)
        if (scope >> bit & 1u) {
            int written = snprintf(buffer + used, SF_SCOPE_TEXT_SIZE - used, "%s%s", used ? " or " : "",
                                   scope_name[bit]);
            used += written > 0 ? (size_t)written : 0;
        }
    return buffer;
}

unsigned sf_setting_kinds(const sf_setting *setting)
{
    unsigned scope = setting->scope, kinds = scope & SF_SCOPE_KINDS;
    if (kinds == 0 && (scope & (unsigned)SF_SCOPE_OF_RUN))
        kinds = SF_SCOPE_RUN;
    if (kinds == 0 && (scope & SF_SCOPE_OF_TRAIN))
        kinds = SF_SCOPE_TRAIN;
    return kinds ? kinds : SF_SCOPE_KINDS;
}

bool sf_setting_applies(const sf_setting *setting, unsigned scope)
{
    unsigned further = setting->scope & ~(unsigned)SF_SCOPE_KINDS;
    return (sf_setting_kinds(setting) & scope) && (!further || (further & scope));
}

/* ---- what was found, what was expected ----------------------------------------------------------- */

enum { PHRASE_SIZE = 256 };

/* "> 0", ">= 1 and <= 1000", "" */
static const char *range_text(const sf_setting *setting, char *buffer)
{
    size_t used = 0;
    buffer[0] = '\0';
    if (isfinite(setting->low))
        used =
            (size_t)snprintf(buffer, PHRASE_SIZE, " %s %.16g", setting->low_open ? ">" : ">=", setting->low);
    if (isfinite(setting->high) && setting->high < 1e12)
        snprintf(buffer + used, PHRASE_SIZE - used, "%s <= %.16g", used ? " and" : "", setting->high);
    return buffer;
}

static const char *expectation(const sf_setting *setting, char *buffer)
{
    char range[PHRASE_SIZE];
    range_text(setting, range);
    switch (setting->type) {
    case SF_TYPE_NUMBER:
        snprintf(buffer, PHRASE_SIZE, "a finite number%s", range);
        break;
    case SF_TYPE_INTEGER:
    case SF_TYPE_SEED:
        snprintf(buffer, PHRASE_SIZE, "a whole number%s", range);
        break;
    case SF_TYPE_FLAG:
        snprintf(buffer, PHRASE_SIZE, "true or false");
        break;
    case SF_TYPE_TEXT:
        snprintf(buffer, PHRASE_SIZE, "a text");
        break;
    case SF_TYPE_CHOICE:
        snprintf(buffer, PHRASE_SIZE, "one of %s", setting->choices);
        break;
    case SF_TYPE_NUMBERS:
        snprintf(buffer, PHRASE_SIZE, "a list of finite numbers%s", range);
        break;
    case SF_TYPE_SIZES:
        snprintf(buffer, PHRASE_SIZE, "a list of whole numbers >= 1");
        break;
    case SF_TYPE_ROWS:
        snprintf(buffer, PHRASE_SIZE, "a list of lists of finite numbers, all of one length");
        break;
    case SF_TYPE_INIT:
        snprintf(
            buffer, PHRASE_SIZE,
            "a finite number, a list of d numbers, {layers: [...]} or {random: {scale: ..., seed: ...}}");
        break;
    }
    return buffer;
}

static bool is_null(const sf_node *node)
{
    return node->kind == SF_NODE_SCALAR && !node->quoted &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

static const char *found(const sf_node *node, char *buffer)
{
    if (is_null(node))
        snprintf(buffer, PHRASE_SIZE, "nothing");
    else if (node->kind == SF_NODE_SCALAR)
        snprintf(buffer, PHRASE_SIZE, "%s'%.100s'", node->quoted ? "the text " : "", node->text);
    else if (node->kind == SF_NODE_MAPPING)
        snprintf(buffer, PHRASE_SIZE, "a mapping");
    else if (node->count == 0)
        snprintf(buffer, PHRASE_SIZE, "an empty list");
    else
        snprintf(buffer, PHRASE_SIZE, node->numbers ? "a list of numbers" : "a list");
    return buffer;
}

static sf_status mismatch(sf_context *context, const sf_setting *setting, const sf_node *node)
{
    char where[SF_PLACE_SIZE], was[PHRASE_SIZE], wanted[PHRASE_SIZE];
    return sf_fail(context, SF_ERR_CONFIG, "%s: %s: found %s, expected %s", sf_place_text(node->place, where),
                   setting->key, found(node, was), expectation(setting, wanted));
}

sf_status sf_value_fail(sf_context *context, sf_setting_id id, const sf_value *value, const char *format, ...)
{
    char where[SF_PLACE_SIZE], what[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (!value->given)
        return sf_fail(context, SF_ERR_CONFIG, "%s (default): %s", sf_settings[id].key, what);
    return sf_fail(context, SF_ERR_CONFIG, "%s: %s: %s", sf_place_text(value->place, where),
                   sf_settings[id].key, what);
}

/* ---- values -------------------------------------------------------------------------------------- */

static bool in_range(const sf_setting *setting, double number)
{
    return isfinite(number) && (setting->low_open ? number > setting->low : number >= setting->low) &&
           number <= setting->high;
}

static bool parse_seed(const char *text, uint64_t *seed)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 19 || text[digits] != '\0')
        return false;
    *seed = strtoull(text, NULL, 10); // 19 digits fit
    return *seed <= INT64_MAX;
}

static bool parse_choice(const char *choices, const char *text, int *index)
{
    size_t length = strlen(text);
    *index = 0;
    for (const char *at = choices; length > 0; (*index)++) {
        size_t width = strcspn(at, "|");
        if (width == length && memcmp(at, text, length) == 0)
            return true;
        if (at[width] == '\0')
            return false;
        at += width + 1;
    }
    return false;
}

static bool scalar_to_value(const sf_setting *setting, sf_node *node, sf_value *value)
{
    if (setting->type == SF_TYPE_TEXT) {
        value->text = node->text;
        node->text = NULL;
        return value->text[0] != '\0';
    }
    if (setting->type == SF_TYPE_CHOICE)
        return parse_choice(setting->choices, node->text, &value->choice);
    if (node->quoted)
        return false;
    switch (setting->type) {
    case SF_TYPE_SEED:
        return parse_seed(node->text, &value->integer);
    case SF_TYPE_FLAG:
        value->flag = strcmp(node->text, "true") == 0;
        return value->flag || strcmp(node->text, "false") == 0;
    case SF_TYPE_INTEGER:
        if (!sf_yaml_number(node->text, &value->number) || !in_range(setting, value->number) ||
            value->number != floor(value->number))
            return false;
        value->integer = (uint64_t)value->number;
        return true;
    default:
        return sf_yaml_number(node->text, &value->number) && in_range(setting, value->number);
    }
}

/* Checks a list of numbers and hands it over to the value. */
static sf_status take_numbers(sf_context *context, const sf_setting *setting, sf_node *node, sf_value *value)
{
    if (node->kind != SF_NODE_LIST || !node->numbers)
        return mismatch(context, setting,
                        node->kind == SF_NODE_LIST && node->count > 0 ? node->items[0] : node);
    if (node->offender)
        return mismatch(context, setting, node->offender);
    for (size_t i = 0; i < node->count; i++)
        if (!in_range(setting, node->numbers[i])) {
            char where[SF_PLACE_SIZE], wanted[PHRASE_SIZE];
            return sf_fail(context, SF_ERR_CONFIG, "%s: %s: found %.17g at position %zu, expected %s",
                           sf_place_text(node->place, where), setting->key, node->numbers[i], i,
                           expectation(setting, wanted));
        }
    value->numbers = node->numbers;
    value->count = node->count;
    value->rows = 1;
    node->numbers = NULL;
    node->count = 0;
    return SF_OK;
}

static sf_status take_sizes(sf_context *context, const sf_setting *setting, sf_node *node, sf_value *value)
{
    if (node->kind == SF_NODE_LIST && node->count == 0)
        return SF_OK;
    SF_TRY(take_numbers(context, setting, node, value));
    for (size_t i = 0; i < value->count; i++)
        if (!(value->numbers[i] >= 1.0 && value->numbers[i] <= 1e9) ||
            value->numbers[i] != floor(value->numbers[i])) {
            char where[SF_PLACE_SIZE], wanted[PHRASE_SIZE];
            return sf_fail(context, SF_ERR_CONFIG, "%s: %s: found %.17g at position %zu, expected %s",
                           sf_place_text(node->place, where), setting->key, value->numbers[i], i,
                           expectation(setting, wanted));
        }
    return SF_OK;
}

static sf_status check_rows(sf_context *context, const sf_setting *setting, const sf_node *node)
{
    if (node->kind != SF_NODE_LIST || node->numbers || node->count == 0)
        return mismatch(context, setting, node);
    for (size_t i = 0; i < node->count; i++) {
        const sf_node *row = node->items[i];
        if (row->kind != SF_NODE_LIST || !row->numbers)
            return mismatch(context, setting,
                            row->kind == SF_NODE_LIST && row->count > 0 ? row->items[0] : row);
        if (row->offender)
            return mismatch(context, setting, row->offender);
        if (row->count != node->items[0]->count) {
            char where[SF_PLACE_SIZE];
            return sf_fail(
                context, SF_ERR_CONFIG, "%s: %s: row %zu has %zu numbers, expected %zu as in row 0",
                sf_place_text(row->place, where), setting->key, i, row->count, node->items[0]->count);
        }
    }
    return SF_OK;
}

static sf_status take_rows(sf_context *context, const sf_setting *setting, sf_node *node, sf_value *value)
{
    SF_TRY(check_rows(context, setting, node));
    size_t width = node->items[0]->count;
    if (node->count > SIZE_MAX / sizeof(double) / width)
        return sf_fail(context, SF_ERR_MEMORY, "%zu lists of %zu numbers exceed the address space",
                       node->count, width);
    value->numbers = SF_ARRAY(context, node->count * width, double);
    if (!value->numbers)
        return SF_ERR_MEMORY;
    value->rows = node->count;
    value->count = width;
    for (size_t i = 0; i < node->count; i++) {
        memcpy(value->numbers + i * width, node->items[i]->numbers, width * sizeof(double));
        sf_free(context, node->items[i]->numbers); // at once: a row can be a million numbers
        node->items[i]->numbers = NULL;
        node->items[i]->count = 0;
    }
    return SF_OK;
}

sf_status sf_value_from_node(sf_context *context, sf_setting_id id, sf_node *node, sf_value *value)
{
    const sf_setting *setting = &sf_settings[id];
    value->place = node->place;
    value->given = value->set = true;
    if (setting->type == SF_TYPE_ROWS)
        return take_rows(context, setting, node, value);
    if (setting->type == SF_TYPE_SIZES)
        return take_sizes(context, setting, node, value);
    if (setting->type == SF_TYPE_NUMBERS || (setting->type == SF_TYPE_INIT && node->kind == SF_NODE_LIST))
        return take_numbers(context, setting, node, value);
    if (node->kind != SF_NODE_SCALAR || is_null(node) || !scalar_to_value(setting, node, value))
        return mismatch(context, setting, node);
    return SF_OK;
}

sf_status sf_value_from_default(sf_context *context, sf_setting_id id, sf_value *value)
{
    if (!sf_settings[id].fallback)
        return SF_OK;
    sf_node *node = NULL;
    SF_TRY(sf_document_parse_value(context, sf_settings[id].key, sf_settings[id].fallback, &node));
    sf_status status = sf_value_from_node(context, id, node, value);
    value->given = false;
    sf_node_destroy(context, &node);
    return status;
}

void sf_value_release(sf_context *context, sf_value *value)
{
    sf_free(context, value->text);
    sf_free(context, value->numbers);
    value->text = NULL;
    value->numbers = NULL;
}

/* ---- the walk ------------------------------------------------------------------------------------ */

enum { PATH_SIZE = 256 };

static sf_setting_id find_setting(const char *path)
{
    int id = 0;
    while (id < SF_SETTING_COUNT && strcmp(sf_settings[id].key, path) != 0)
        id++;
    return (sf_setting_id)id;
}

/* Whether path names a group: some key continues it after a dot. */
static bool is_group(const char *path)
{
    size_t length = strlen(path);
    for (int id = 0; id < SF_SETTING_COUNT; id++)
        if (strncmp(sf_settings[id].key, path, length) == 0 && sf_settings[id].key[length] == '.')
            return true;
    return false;
}

/* Number of single-letter changes from a to b (Levenshtein), both short. */
static size_t distance(const char *a, const char *b)
{
    size_t row[PATH_SIZE], width = strlen(b);
    if (width >= PATH_SIZE)
        return PATH_SIZE;
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 1; j <= width; j++) {
            size_t replace = diagonal + (a[i] != b[j - 1]);
            size_t shorter = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = replace < shorter ? replace : shorter;
        }
    }
    return row[width];
}

static const char *last_part(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

/* The known key or group closest to an unknown one: the same name elsewhere, or few changed letters. "" if
 * none. */
static const char *closest(const char *path, char *buffer)
{
    size_t best = 4;
    buffer[0] = '\0';
    for (int id = 0; id < SF_SETTING_COUNT; id++) {
        char candidate[PATH_SIZE];
        snprintf(candidate, sizeof candidate, "%s", sf_settings[id].key);
        for (;;) { // the key, then its groups
            size_t changes = distance(path, candidate);
            if (strcmp(last_part(path), last_part(candidate)) == 0 && changes > 1)
                changes = 1;
            if (changes < best && changes < strlen(last_part(path))) {
                best = changes;
                snprintf(buffer, PATH_SIZE, "%s", candidate);
            }
            char *dot = strrchr(candidate, '.');
            if (!dot)
                break;
            *dot = '\0';
        }
    }
    return buffer;
}

/* "a, b, c": the keys right below a group ("" for the top). */
static const char *children(const char *group, char *buffer, size_t size)
{
    size_t used = 0, prefix = strlen(group);
    char previous[PATH_SIZE] = "";
    buffer[0] = '\0';
    for (int id = 0; id < SF_SETTING_COUNT; id++) {
        const char *key = sf_settings[id].key;
        if (prefix && (strncmp(key, group, prefix) != 0 || key[prefix] != '.'))
            continue;
        const char *child = key + prefix + (prefix > 0);
        size_t width = strcspn(child, ".");
        if (strncmp(previous, child, width) == 0 && previous[width] == '\0')
            continue;
        snprintf(previous, sizeof previous, "%.*s", (int)width, child);
        int written = snprintf(buffer + used, size - used, "%s%s", used ? ", " : "", previous);
        if (written < 0 || (size_t)written >= size - used)
            break;
        used += (size_t)written;
    }
    return buffer;
}

static sf_status unknown_key(sf_context *context, sf_place place, const char *group, const char *path)
{
    char where[SF_PLACE_SIZE], similar[PATH_SIZE], known[512];
    if (*closest(path, similar))
        return sf_fail(context, SF_ERR_CONFIG, "%s: %.200s: unknown key, did you mean '%s'?",
                       sf_place_text(place, where), path, similar);
    return sf_fail(context, SF_ERR_CONFIG, "%s: %.200s: unknown key, expected one of: %s",
                   sf_place_text(place, where), path, children(group, known, sizeof known));
}

static sf_status read_group(sf_context *context, const char *group, sf_node *mapping, sf_value *values)
{
    for (size_t i = 0; i < mapping->count; i++) {
        char path[PATH_SIZE];
        int length = snprintf(path, sizeof path, "%s%s%s", group, *group ? "." : "", mapping->keys[i]);
        sf_node *node = mapping->items[i];
        sf_setting_id id = find_setting(path);
        bool grouped = is_group(path);
        if (length < 0 || (size_t)length >= sizeof path || strchr(mapping->keys[i], '.') ||
            (id == SF_SETTING_COUNT && !grouped))
            return unknown_key(context, mapping->key_places[i], group, path);
        if (grouped && node->kind == SF_NODE_MAPPING) {
            SF_TRY(read_group(context, path, node, values));
        } else if (id != SF_SETTING_COUNT) {
            SF_TRY(sf_value_from_node(context, id, node, &values[id]));
        } else {
            char where[SF_PLACE_SIZE], was[PHRASE_SIZE], known[512];
            return sf_fail(context, SF_ERR_CONFIG, "%s: %s: found %s, expected a mapping with keys among: %s",
                           sf_place_text(node->place, where), path, found(node, was),
                           children(path, known, sizeof known));
        }
    }
    return SF_OK;
}

sf_status sf_settings_read(sf_context *context, sf_node *root, sf_value *values)
{
    char where[SF_PLACE_SIZE], was[PHRASE_SIZE], known[512];
    if (root->kind != SF_NODE_MAPPING)
        return sf_fail(context, SF_ERR_CONFIG, "%s: found %s, expected a mapping with keys among: %s",
                       sf_place_text(root->place, where), found(root, was),
                       children("", known, sizeof known));
    return read_group(context, "", root, values);
}

/* ---- the table, for readers ---------------------------------------------------------------------- */

size_t sf_settings_count(void)
{
    return SF_SETTING_COUNT;
}

const char *sf_settings_describe(size_t index, sf_setting_info *info)
{
    if (index >= SF_SETTING_COUNT)
        return NULL;
    const sf_setting *setting = &sf_settings[index];
    char expected[PHRASE_SIZE];
    *info =
        (sf_setting_info){.key = setting->key, .fallback = setting->fallback, .meaning = setting->meaning};
    snprintf(info->expected, sizeof info->expected, "%s", expectation(setting, expected));
    sf_scope_text(setting->scope & ~(unsigned)SF_SCOPE_KINDS, info->scope);
    info->run = (sf_setting_kinds(setting) & SF_SCOPE_RUN) != 0;
    info->train = (sf_setting_kinds(setting) & SF_SCOPE_TRAIN) != 0;
    return setting->key;
}
