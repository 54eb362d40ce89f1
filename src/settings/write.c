/* Settings as JSON, as single values, as differences, and as a hash.
 *
 * The hash of a setting is H(name, type, value): 128 bits of XXH3, whose values are fixed since xxHash 0.8.0. A number
 * counts as the eight bytes of its double, lowest first, with -0 as 0; a whole number as eight bytes; a choice as its
 * name; a list as its shape and its numbers. The hash of settings is H of those of all that is set, in the order of the
 * table. So one setting that changes costs one small hash and one over 16 bytes a setting.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "settings/settings.h"

const char *sf_number_text(double number, char *buffer)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buffer, 32, "%.*g", digits, number);
        if (strtod(buffer, NULL) == number)
            break;
    }
    return buffer;
}

/* ---- JSON ---------------------------------------------------------------------------------------- */

/* Length of the part of group that key lies in: "a.b" for the key "a.b.c" and the group "a.b.x" gives 3. */
static size_t shared_group(const char *group, const char *key)
{
    size_t shared = 0;
    for (size_t i = 0; group[i] && group[i] == key[i]; i++)
        if ((group[i + 1] == '.' || group[i + 1] == '\0') && key[i + 1] == '.')
            shared = i + 1;
    return shared;
}

/* Closes and opens objects so that the one that holds key is open; group names what is open. */
static void enter_group(sf_json *json, char *group, const char *key)
{
    size_t shared = shared_group(group, key);
    while (strlen(group) > shared) {
        sf_json_close_object(json);
        char *dot = strrchr(group, '.');
        *(dot ? dot : group) = '\0';
    }
    const char *rest = key + shared + (shared > 0);
    for (const char *dot; (dot = strchr(rest, '.')) != NULL; rest = dot + 1) {
        char name[SF_SETTING_PATH_SIZE];
        snprintf(name, sizeof name, "%.*s", (int)(dot - rest), rest);
        sf_json_open_object(json, name);
        snprintf(group, SF_SETTING_PATH_SIZE, "%.*s", (int)(dot - key), key);
    }
}

static void write_rows(sf_json *json, const char *key, const sf_value *value)
{
    sf_json_open_array(json, key);
    for (size_t i = 0; i < value->rows; i++)
        sf_json_numbers(json, NULL, value->count, value->numbers + i * value->count);
    sf_json_close_array(json);
}

static void write_names(sf_json *json, const char *key, const char *text)
{
    char name[1024];
    sf_json_open_array(json, key);
    for (const char *end; text; text = end ? end + 1 : NULL) {
        end = strchr(text, '\n');
        snprintf(name, sizeof name, "%.*s", (int)(end ? end - text : (ptrdiff_t)strlen(text)), text);
        sf_json_string(json, NULL, name);
    }
    sf_json_close_array(json);
}

static void write_value(const sf_settings *settings, sf_setting_id id, sf_json *json, const char *key)
{
    const sf_value *value = &settings->values[id];
    switch (sf_settings_table[id].type) {
    case SF_TYPE_NUMBER:
        sf_json_number(json, key, value->number);
        break;
    case SF_TYPE_INTEGER:
    case SF_TYPE_SEED:
        sf_json_integer(json, key, (int64_t)value->integer);
        break;
    case SF_TYPE_FLAG:
        sf_json_bool(json, key, value->flag);
        break;
    case SF_TYPE_TEXT:
        sf_json_string(json, key, value->text);
        break;
    case SF_TYPE_CHOICE:
        sf_json_string(json, key, sf_settings_table[id].choices[value->choice]);
        break;
    case SF_TYPE_ROWS:
        write_rows(json, key, value);
        break;
    case SF_TYPE_SIZES:
        sf_json_numbers(json, key, value->count, value->numbers);
        break;
    case SF_TYPE_NUMBERS:
    case SF_TYPE_INIT:
    case SF_TYPE_NAMES:
        if (value->text)
            write_names(json, key, value->text);
        else if (value->numbers)
            sf_json_numbers(json, key, value->count, value->numbers);
        else
            sf_json_number(json, key, value->number);
        break;
    }
}

void sf_settings_write_by(const sf_settings *settings, sf_json *json, const char *key,
                          sf_value_write_fn write, const void *user)
{
    char group[SF_SETTING_PATH_SIZE] = "";
    sf_json_open_object(json, key);
    for (int id = 0; id < SF_SETTING_COUNT; id++) {
        if (!settings->values[id].set)
            continue;
        const char *path = sf_settings_table[id].key, *dot = strrchr(path, '.');
        enter_group(json, group, path);
        if (!write || !write(user, (sf_setting_id)id, json, dot ? dot + 1 : path))
            write_value(settings, (sf_setting_id)id, json, dot ? dot + 1 : path);
    }
    enter_group(json, group, "");
    sf_json_close_object(json);
}

void sf_settings_write(const sf_settings *settings, sf_json *json, const char *key)
{
    sf_settings_write_by(settings, json, key, NULL, NULL);
}

/* ---- single values and differences --------------------------------------------------------------- */

bool sf_settings_get(const sf_settings *settings, const char *path, sf_setting_value *out)
{
    sf_setting_path target;
    *out = (sf_setting_value){.number = NAN};
    if (!sf_setting_path_of(path, &target) || !settings->values[target.id].set)
        return false;
    const sf_value *value = &settings->values[target.id];
    const sf_setting *setting = &sf_settings_table[target.id];
    out->type = setting->type;
    out->given = value->given;
    if (target.indices > 0) {
        bool rows = setting->type == SF_TYPE_ROWS;
        size_t row = rows ? target.index[0] : 0, column = target.index[target.indices - 1];
        if (!value->numbers || target.indices != 1 + rows || row >= value->rows || column >= value->count)
            return false;
        out->type = SF_TYPE_NUMBER;
        out->number = value->numbers[row * value->count + column];
        return true;
    }
    bool number = !value->numbers && (setting->type <= SF_TYPE_SEED || setting->type == SF_TYPE_INIT);
    out->number = number ? value->number : NAN;
    out->integer = value->integer;
    out->flag = value->flag;
    out->text = setting->type == SF_TYPE_CHOICE ? setting->choices[value->choice] : value->text;
    out->numbers = value->numbers;
    out->rows = value->rows;
    out->count = value->count;
    return true;
}

static bool same_value(const sf_setting_value *a, const sf_setting_value *b)
{
    bool list = a->numbers || b->numbers;
    if (a->type != b->type || !a->numbers != !b->numbers || a->count != b->count || a->rows != b->rows)
        return false;
    if (a->text && strcmp(a->text, b->text) != 0)
        return false;
    for (size_t i = 0; list && i < a->rows * a->count; i++)
        if (a->numbers[i] != b->numbers[i])
            return false;
    return (a->number == b->number || (isnan(a->number) && isnan(b->number))) && a->integer == b->integer &&
           a->flag == b->flag;
}

/* The items of a list of `a` that `b` has otherwise, or, if it has none: missing only, that `b` lacks. */
static sf_status diff_items(const char *key, const sf_setting_value *value, const sf_settings *b,
                            bool missing, sf_settings_path_fn found, void *user)
{
    char path[SF_SETTING_PATH_SIZE];
    for (size_t i = 0; i < value->rows * value->count; i++) {
        sf_setting_value other;
        if (value->type == SF_TYPE_ROWS)
            snprintf(path, sizeof path, "%s[%zu][%zu]", key, i / value->count, i % value->count);
        else
            snprintf(path, sizeof path, "%s[%zu]", key, i);
        bool there = sf_settings_get(b, path, &other);
        if (there ? !missing && other.number != value->numbers[i] : true)
            SF_TRY(found(path, user));
    }
    return SF_OK;
}

/* What is set in `a` and otherwise in `b`; missing: only what is not set in `b` at all. */
static sf_status diff(const sf_settings *a, const sf_settings *b, bool missing, sf_settings_path_fn found,
                      void *user)
{
    for (int id = 0; id < SF_SETTING_COUNT; id++) {
        const char *key = sf_settings_table[id].key;
        sf_setting_value mine, theirs;
        if (!sf_settings_get(a, key, &mine))
            continue;
        bool there = sf_settings_get(b, key, &theirs);
        if (there && same_value(&mine, &theirs))
            continue;
        if (mine.numbers)
            SF_TRY(diff_items(key, &mine, b, missing, found, user));
        else if (!there || theirs.numbers || !missing)
            SF_TRY(found(key, user));
    }
    return SF_OK;
}

sf_status sf_settings_diff(const sf_settings *a, const sf_settings *b, sf_settings_path_fn found, void *user)
{
    SF_TRY(diff(a, b, false, found, user));
    return diff(b, a, true, found, user);
}

/* ---- the hash ------------------------------------------------------------------------------------ */

static sf_hash canonical(XXH128_hash_t value)
{
    XXH128_canonical_t form;
    XXH128_canonicalFromHash(&form, value);
    sf_hash hash;
    memcpy(hash.bytes, form.digest, sizeof hash.bytes);
    return hash;
}

sf_hash sf_hash_bytes(const void *bytes, size_t size)
{
    return canonical(XXH3_128bits(bytes, size));
}

/* Lowest byte first on every machine. */
static void put_bits(unsigned char *bytes, uint64_t bits)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(bits >> (8 * i));
}

static void put_double(unsigned char *bytes, double number)
{
    double positive = number == 0.0 ? 0.0 : number; // no -0
    uint64_t bits;
    memcpy(&bits, &positive, sizeof bits);
    put_bits(bytes, bits);
}

enum { HASH = sizeof(sf_hash), SOME = 32 };

/* After H(name): the type, the shape, then H over some numbers at a time and what came before. */
static sf_hash hash_list(sf_hash name, const sf_value *value)
{
    unsigned char block[HASH + 8 * SOME];
    size_t total = value->rows * value->count, taken = 0;
    memcpy(block, &name, HASH);
    put_bits(block + HASH, value->rows);
    put_bits(block + HASH + 8, value->count);
    sf_hash hash = sf_hash_bytes(block, HASH + 16);
    while (taken < total) {
        size_t some = total - taken < SOME ? total - taken : SOME;
        memcpy(block, &hash, HASH);
        for (size_t i = 0; i < some; i++)
            put_double(block + HASH + 8 * i, value->numbers[taken + i]);
        hash = sf_hash_bytes(block, HASH + 8 * some);
        taken += some;
    }
    return hash;
}

sf_hash sf_value_hash(sf_setting_id id, const sf_value *value)
{
    const sf_setting *setting = &sf_settings_table[id];
    unsigned char block[2 * HASH + 1];
    sf_hash name = sf_hash_bytes(setting->key, strlen(setting->key)), hash;
    const char *text = setting->type == SF_TYPE_CHOICE ? setting->choices[value->choice] : value->text;
    if (value->numbers || setting->type == SF_TYPE_SIZES)
        return hash_list(name, value);
    memcpy(block, &name, HASH);
    block[HASH] = (unsigned char)('a' + setting->type);
    if (text) {
        hash = sf_hash_bytes(text, strlen(text));
        memcpy(block + HASH + 1, &hash, HASH);
        return sf_hash_bytes(block, sizeof block);
    }
    if (setting->type == SF_TYPE_FLAG)
        put_bits(block + HASH + 1, value->flag);
    else if (setting->type == SF_TYPE_INTEGER || setting->type == SF_TYPE_SEED)
        put_bits(block + HASH + 1, value->integer);
    else
        put_double(block + HASH + 1, value->number);
    return sf_hash_bytes(block, HASH + 9);
}

sf_status sf_settings_hash(const sf_settings *settings, unsigned char hash[16])
{
    sf_hash all[SF_SETTING_COUNT], sum;
    size_t count = 0;
    for (int id = 0; id < SF_SETTING_COUNT; id++)
        if (settings->values[id].set)
            all[count++] = sf_value_hash((sf_setting_id)id, &settings->values[id]);
    sum = sf_hash_bytes(all, count * sizeof *all);
    memcpy(hash, sum.bytes, sizeof sum.bytes);
    return SF_OK;
}
