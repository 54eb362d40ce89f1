/* The table of settings: what is there, names and groups, the walk over a document, what is said of unknown keys. */
#include "settings/settings.h"
#include "settings/hints.h"

#include <stdlib.h>
#include <string.h>

const sf_setting sf_settings_table[SF_SETTING_COUNT] = {
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

/* ---- the walk ------------------------------------------------------------------------------------ */

sf_setting_id sf_setting_find(const char *path)
{
    int id = 0;
    while (id < SF_SETTING_COUNT && strcmp(sf_settings_table[id].key, path) != 0)
        id++;
    return (sf_setting_id)id;
}

/* Whether path names a group: some key continues it after a dot. */
static bool is_group(const char *path)
{
    size_t length = strlen(path);
    for (int id = 0; id < SF_SETTING_COUNT; id++)
        if (strncmp(sf_settings_table[id].key, path, length) == 0 && sf_settings_table[id].key[length] == '.')
            return true;
    return false;
}

/* Number of single-letter changes from a to b (Levenshtein), both short. */
static size_t distance(const char *a, const char *b)
{
    size_t row[SF_SETTING_PATH_SIZE], width = strlen(b);
    if (width >= SF_SETTING_PATH_SIZE)
        return SF_SETTING_PATH_SIZE;
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
        char candidate[SF_SETTING_PATH_SIZE];
        snprintf(candidate, sizeof candidate, "%s", sf_settings_table[id].key);
        for (;;) { // the key, then its groups
            size_t changes = distance(path, candidate);
            if (strcmp(last_part(path), last_part(candidate)) == 0 && changes > 1)
                changes = 1;
            if (changes < best && changes < strlen(last_part(path))) {
                best = changes;
                snprintf(buffer, SF_SETTING_PATH_SIZE, "%s", candidate);
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
    char previous[SF_SETTING_PATH_SIZE] = "";
    buffer[0] = '\0';
    for (int id = 0; id < SF_SETTING_COUNT; id++) {
        const char *key = sf_settings_table[id].key;
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

/* group: the longest part of the path that names one. */
static sf_status unknown_key(sf_context *context, const char *group, const char *path)
{
    char similar[SF_SETTING_PATH_SIZE], known[512];
    const char *last = last_part(path), *train = NULL, *meant = sf_setting_hint(path, &train);
    if (sf_setting_find(path) != SF_SETTING_COUNT)
        return sf_fail(context, SF_ERR_CONFIG,
                       "%.200s: unknown key: a dot does not nest, expected '%.*s: {%s: ...}'", path,
                       (int)(last - path - 1), path, last);
    if (meant)
        return sf_fail(context, SF_ERR_CONFIG, "%.200s: unknown key, did you mean '%s'%s%s%s?", path, meant,
                       train ? " (samflow train: '" : "", train ? train : "", train ? "')" : "");
    if (*closest(path, similar))
        return sf_fail(context, SF_ERR_CONFIG, "%.200s: unknown key, did you mean '%s'?", path, similar);
    return sf_fail(context, SF_ERR_CONFIG, "%.200s: unknown key, expected one of: %s", path,
                   children(group, known, sizeof known));
}

sf_status sf_setting_unknown(sf_context *context, const char *path)
{
    char group[SF_SETTING_PATH_SIZE], known[512];
    snprintf(group, sizeof group, "%.*s", (int)strcspn(path, "["), path);
    if (is_group(group) && sf_setting_find(group) == SF_SETTING_COUNT)
        return sf_fail(context, SF_ERR_CONFIG,
                       "%s: a group of settings, expected a mapping with keys among: %s", path,
                       children(group, known, sizeof known));
    do {
        char *dot = strrchr(group, '.');
        *(dot ? dot : group) = '\0';
    } while (*group && !is_group(group));
    return unknown_key(context, group, path);
}

static sf_status no_mapping(sf_context *context, const char *path, const sf_node *node)
{
    char where[SF_PLACE_SIZE], was[SF_PHRASE_SIZE], known[512];
    return sf_fail(context, SF_ERR_CONFIG, "%s: %s%sfound %s, expected a mapping with keys among: %s",
                   sf_place_text(node->place, where), path, *path ? ": " : "", sf_node_found(node, was),
                   children(path, known, sizeof known));
}

static sf_status walk_group(sf_context *context, const char *group, sf_node *mapping, sf_value *values)
{
    for (size_t i = 0; i < mapping->count; i++) {
        char path[SF_SETTING_PATH_SIZE];
        int length = snprintf(path, sizeof path, "%s%s%s", group, *group ? "." : "", mapping->keys[i]);
        if (length < 0 || (size_t)length >= sizeof path || strchr(mapping->keys[i], '.') ||
            (sf_setting_find(path) == SF_SETTING_COUNT && !is_group(path))) {
            unknown_key(context, group, path);
            return sf_fail_at(context, mapping->key_places[i]);
        }
        SF_TRY(sf_settings_walk(context, path, mapping->items[i], values));
    }
    return SF_OK;
}

sf_status sf_settings_walk(sf_context *context, const char *path, sf_node *node, sf_value *values)
{
    sf_setting_id id = sf_setting_find(path);
    bool grouped = !*path || is_group(path);
    if (id == SF_SETTING_COUNT && !grouped)
        return sf_setting_unknown(context, path);
    if (grouped && node->kind == SF_NODE_MAPPING)
        return walk_group(context, path, node, values);
    return id == SF_SETTING_COUNT ? no_mapping(context, path, node)
                                  : sf_value_from_node(context, id, node, &values[id]);
}

bool sf_setting_path_of(const char *path, sf_setting_path *target)
{
    char key[SF_SETTING_PATH_SIZE];
    size_t length = strcspn(path, "[");
    *target = (sf_setting_path){.id = SF_SETTING_COUNT};
    if (length >= sizeof key)
        return false;
    memcpy(key, path, length);
    key[length] = '\0';
    target->id = sf_setting_find(key);
    const char *at = path + length;
    while (*at == '[' && target->indices < 2) {
        size_t digits = strspn(at + 1, "0123456789");
        if (digits == 0 || digits > 9 || at[digits + 1] != ']')
            return false;
        target->index[target->indices++] = strtoull(at + 1, NULL, 10);
        at += digits + 2;
    }
    return target->id != SF_SETTING_COUNT && *at == '\0';
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
    const sf_setting *setting = &sf_settings_table[index];
    char expected[SF_PHRASE_SIZE];
    *info = (sf_setting_info){.key = setting->key,
                              .fallback = setting->fallback,
                              .meaning = setting->meaning,
                              .type = setting->type,
                              .low = setting->low,
                              .high = setting->high,
                              .low_open = setting->low_open,
                              .choices = setting->choices};
    snprintf(info->expected, sizeof info->expected, "%s", sf_setting_expectation(setting, expected));
    sf_scope_text(setting->scope & ~(unsigned)SF_SCOPE_KINDS, info->scope);
    info->run = (sf_setting_kinds(setting) & SF_SCOPE_RUN) != 0;
    info->train = (sf_setting_kinds(setting) & SF_SCOPE_TRAIN) != 0;
    return setting->key;
}
