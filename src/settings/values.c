/* Values of settings: from YAML, numbers and defaults, and what is said about errors. */
#include <stdlib.h>
#include <string.h>

#include "settings/settings.h"

/* ---- what was found, what was expected ----------------------------------------------------------- */

/* "> 0", ">= 1 and <= 1000", "" */
#define MUCH 1e12

static const char *range_text(const sf_setting *setting, char *buffer)
{
    size_t used = 0;
    buffer[0] = '\0';
    if (isfinite(setting->low))
        used = (size_t)snprintf(buffer, SF_PHRASE_SIZE, " %s %.16g",
                                setting->low_open ? ">" : ">=", setting->low);
    if (isfinite(setting->high) && setting->high < MUCH)
        snprintf(buffer + used, SF_PHRASE_SIZE - used, "%s <= %.16g", used ? " and" : "", setting->high);
    return buffer;
}

static void join_choices(const sf_setting *setting, char *buffer)
{
    size_t used = (size_t)snprintf(buffer, SF_PHRASE_SIZE, "one of ");
    for (size_t i = 0; setting->choices[i] && used < SF_PHRASE_SIZE; i++)
        used +=
            (size_t)snprintf(buffer + used, SF_PHRASE_SIZE - used, "%s%s", i ? "|" : "", setting->choices[i]);
}

const char *sf_setting_expectation(const sf_setting *setting, char *buffer)
{
    char range[SF_PHRASE_SIZE];
    range_text(setting, range);
    switch (setting->type) {
    case SF_TYPE_NUMBER:
        snprintf(buffer, SF_PHRASE_SIZE, "a finite number%s", range);
        break;
    case SF_TYPE_INTEGER:
    case SF_TYPE_SEED:
        snprintf(buffer, SF_PHRASE_SIZE, "a whole number%s", range);
        break;
    case SF_TYPE_FLAG:
        snprintf(buffer, SF_PHRASE_SIZE, "true or false");
        break;
    case SF_TYPE_TEXT:
        snprintf(buffer, SF_PHRASE_SIZE, "a text");
        break;
    case SF_TYPE_CHOICE:
        join_choices(setting, buffer);
        break;
    case SF_TYPE_NUMBERS:
        snprintf(buffer, SF_PHRASE_SIZE, "a list of finite numbers%s", range);
        break;
    case SF_TYPE_SIZES:
        snprintf(buffer, SF_PHRASE_SIZE, "a list of whole numbers >= 1");
        break;
    case SF_TYPE_ROWS:
        snprintf(buffer, SF_PHRASE_SIZE, "a list of lists of finite numbers, all of one length");
        break;
    case SF_TYPE_NAMES:
        snprintf(buffer, SF_PHRASE_SIZE, "a list of names or of numbers");
        break;
    case SF_TYPE_INIT:
        snprintf(
            buffer, SF_PHRASE_SIZE,
            "a finite number, a list of d numbers, {layers: [...]} or {random: {scale: ..., seed: ...}}");
        break;
    }
    return buffer;
}

bool sf_node_is_null(const sf_node *node)
{
    return node->kind == SF_NODE_SCALAR && !node->quoted &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

const char *sf_node_found(const sf_node *node, char *buffer)
{
    if (sf_node_is_null(node))
        snprintf(buffer, SF_PHRASE_SIZE, "nothing");
    else if (node->kind == SF_NODE_SCALAR)
        snprintf(buffer, SF_PHRASE_SIZE, "%s'%.100s'", node->quoted ? "the text " : "", node->text);
    else if (node->kind == SF_NODE_MAPPING)
        snprintf(buffer, SF_PHRASE_SIZE, "a mapping");
    else if (node->count == 0)
        snprintf(buffer, SF_PHRASE_SIZE, "an empty list");
    else
        snprintf(buffer, SF_PHRASE_SIZE, node->numbers ? "a list of numbers" : "a list");
    return buffer;
}

static sf_status mismatch(sf_context *context, const sf_setting *setting, const sf_node *node)
{
    char where[SF_PLACE_SIZE], was[SF_PHRASE_SIZE], wanted[SF_PHRASE_SIZE];
    double number;
    char more[40] = ""; // what the expectation leaves out, unless it is the matter
    if (isfinite(setting->high) && setting->high >= MUCH && sf_node_number(node, &number) &&
        number > setting->high)
        snprintf(more, sizeof more, " and <= %.16g", setting->high);
    if (setting->type == SF_TYPE_TEXT && node->kind == SF_NODE_SCALAR)
        snprintf(more, sizeof more, " that is not empty");
    return sf_fail(context, SF_ERR_CONFIG, "%s: %s: found %s, expected %s%s",
                   sf_place_text(node->place, where), setting->key, sf_node_found(node, was),
                   sf_setting_expectation(setting, wanted), more);
}

sf_status sf_value_fail(sf_context *context, sf_setting_id id, const sf_value *value, const char *format, ...)
{
    char what[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (!value->given)
        return sf_fail(context, SF_ERR_CONFIG, "%s (default): %s", sf_settings_table[id].key, what);
    sf_fail(context, SF_ERR_CONFIG, "%s: %s", sf_settings_table[id].key, what);
    return sf_fail_at(context, value->place);
}

/* ---- values -------------------------------------------------------------------------------------- */

bool sf_setting_in_range(const sf_setting *setting, double number)
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

static bool parse_choice(const sf_setting *setting, const char *text, int *index)
{
    for (*index = 0; setting->choices[*index]; ++*index)
        if (strcmp(setting->choices[*index], text) == 0)
            return true;
    return false;
}

/* All types of one scalar but texts. */
static bool parse_scalar(const sf_setting *setting, const char *text, bool quoted, sf_value *value)
{
    if (setting->type == SF_TYPE_CHOICE)
        return parse_choice(setting, text, &value->choice);
    if (quoted)
        return false;
    switch (setting->type) {
    case SF_TYPE_SEED:
        value->number = strtod(text, NULL);
        return parse_seed(text, &value->integer);
    case SF_TYPE_FLAG:
        value->flag = strcmp(text, "true") == 0;
        return value->flag || strcmp(text, "false") == 0;
    case SF_TYPE_INTEGER:
        if (!sf_yaml_number(text, &value->number) || !sf_setting_in_range(setting, value->number) ||
            value->number != floor(value->number))
            return false;
        value->integer = (uint64_t)value->number;
        return true;
    default:
        return sf_yaml_number(text, &value->number) && sf_setting_in_range(setting, value->number);
    }
}

static bool scalar_to_value(const sf_setting *setting, sf_node *node, sf_value *value)
{
    if (setting->type != SF_TYPE_TEXT)
        return parse_scalar(setting, node->text, node->quoted, value);
    if (node->text[0] == '\0')
        return false;
    value->text = node->text;
    node->text = NULL;
    return true;
}

/* What keeps a node from being a list of numbers: the first item that is none, else the node itself. */
static const sf_node *offender(const sf_node *node)
{
    double number;
    for (size_t i = 0; node->kind == SF_NODE_LIST && i < node->count; i++)
        if (!sf_node_number(node->items[i], &number))
            return node->items[i];
    return node;
}

/* Checks a list of numbers and hands it over to the value. */
static sf_status take_numbers(sf_context *context, const sf_setting *setting, sf_node *node, sf_value *value)
{
    if (node->kind != SF_NODE_LIST || !node->numbers)
        return mismatch(context, setting, offender(node));
    for (size_t i = 0; i < node->count; i++)
        if (!sf_setting_in_range(setting, node->numbers[i])) {
            char where[SF_PLACE_SIZE], wanted[SF_PHRASE_SIZE];
            return sf_fail(context, SF_ERR_CONFIG, "%s: %s: found %.17g at position %zu, expected %s",
                           sf_place_text(node->place, where), setting->key, node->numbers[i], i,
                           sf_setting_expectation(setting, wanted));
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
            char where[SF_PLACE_SIZE], wanted[SF_PHRASE_SIZE];
            return sf_fail(context, SF_ERR_CONFIG, "%s: %s: found %.17g at position %zu, expected %s",
                           sf_place_text(node->place, where), setting->key, value->numbers[i], i,
                           sf_setting_expectation(setting, wanted));
        }
    return SF_OK;
}

/* A list of texts, or one text: joined, one a line. */
static sf_status take_names(sf_context *context, const sf_setting *setting, sf_node *node, sf_value *value)
{
    sf_node *const one[] = {node}, *const *items = node->kind == SF_NODE_LIST ? node->items : one;
    size_t count = node->kind == SF_NODE_LIST ? node->count : 1, length = 0;
    if (node->kind == SF_NODE_LIST && node->numbers)
        return take_numbers(context, setting, node, value);
    for (size_t i = 0; i < count; i++) {
        const char *text =
            items[i]->kind == SF_NODE_SCALAR && !sf_node_is_null(items[i]) ? items[i]->text : "";
        if (*text == '\0' || strchr(text, '\n') || strlen(text) > 1000)
            return mismatch(context, setting, items[i]);
        length += strlen(text) + 1;
    }
    if (count == 0)
        return mismatch(context, setting, node);
    value->text = sf_alloc(context, length, 1);
    if (!value->text)
        return SF_ERR_MEMORY;
    char *end = value->text;
    for (size_t i = 0; i < count; i++)
        end += sprintf(end, "%s%s", i ? "\n" : "", items[i]->text);
    value->count = count;
    return SF_OK;
}

static sf_status check_rows(sf_context *context, const sf_setting *setting, const sf_node *node)
{
    if (node->kind != SF_NODE_LIST || node->numbers || node->count == 0)
        return mismatch(context, setting, node);
    for (size_t i = 0; i < node->count; i++) {
        const sf_node *row = node->items[i];
        if (row->kind != SF_NODE_LIST || !row->numbers)
            return mismatch(context, setting, offender(row));
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
    const sf_setting *setting = &sf_settings_table[id];
    value->place = node->place;
    value->given = value->set = true;
    if (setting->type == SF_TYPE_ROWS)
        return take_rows(context, setting, node, value);
    if (setting->type == SF_TYPE_SIZES)
        return take_sizes(context, setting, node, value);
    if (setting->type == SF_TYPE_NAMES)
        return take_names(context, setting, node, value);
    if (setting->type == SF_TYPE_NUMBERS || (setting->type == SF_TYPE_INIT && node->kind == SF_NODE_LIST))
        return take_numbers(context, setting, node, value);
    if (node->kind != SF_NODE_SCALAR || sf_node_is_null(node) || !scalar_to_value(setting, node, value))
        return mismatch(context, setting, node);
    return SF_OK;
}

static sf_status fail_number(sf_context *context, const sf_setting *setting, double number, sf_place place)
{
    char digits[32], wanted[SF_PHRASE_SIZE];
    sf_fail(context, SF_ERR_CONFIG, "%s: found %s, expected %s", setting->key, sf_number_text(number, digits),
            sf_setting_expectation(setting, wanted));
    return sf_fail_at(context, place);
}

sf_status sf_value_from_number(sf_context *context, sf_setting_id id, double number, sf_place place,
                               sf_value *value)
{
    const sf_setting *setting = &sf_settings_table[id];
    bool whole = number == floor(number) && fabs(number) < 9007199254740992.0, good = false;
    char digits[32];
    value->place = place;
    value->given = value->set = true;
    value->number = number;
    switch (setting->type) {
    case SF_TYPE_NUMBER:
    case SF_TYPE_INIT:
        good = sf_setting_in_range(setting, number);
        break;
    case SF_TYPE_INTEGER:
        whole = number == floor(number);
        good = whole && sf_setting_in_range(setting, number);
        value->integer = good ? (uint64_t)number : 0;
        break;
    case SF_TYPE_SEED:
        good = whole && number >= 0.0;
        value->integer = good ? (uint64_t)number : 0;
        break;
    case SF_TYPE_TEXT:
        value->text = sf_strdup(context, sf_number_text(number, digits));
        return value->text ? SF_OK : SF_ERR_MEMORY;
    default:
        break;
    }
    return good ? SF_OK : fail_number(context, setting, number, place);
}

/* Of lists: "[16, 32]". */
static sf_status parse_list(sf_context *context, const char *text, sf_value *value)
{
    value->numbers = SF_ARRAY(context, strlen(text), double);
    if (!value->numbers)
        return SF_ERR_MEMORY;
    value->rows = 1;
    for (char *end; *text != ']' && *text; text = end) {
        value->numbers[value->count++] = strtod(text + 1, &end);
        end += strspn(end, " ");
    }
    return SF_OK;
}

sf_status sf_value_from_default(sf_context *context, sf_setting_id id, sf_value *value)
{
    const sf_setting *setting = &sf_settings_table[id];
    if (!setting->fallback)
        return SF_OK;
    value->set = true;
    if (setting->type == SF_TYPE_SIZES)
        return parse_list(context, setting->fallback, value);
    return parse_scalar(setting, setting->fallback, false, value)
               ? SF_OK
               : sf_fail(context, SF_ERR_INTERNAL, "%s: the default is no value", setting->key);
}

sf_status sf_value_copy(sf_context *context, const sf_value *from, sf_value *to)
{
    sf_value_release(context, to);
    sf_value copy = *from;
    size_t count = from->rows * from->count;
    copy.text = from->text ? sf_strdup(context, from->text) : NULL;
    copy.numbers = from->numbers ? SF_ARRAY(context, count, double) : NULL;
    bool good = !copy.text == !from->text && !copy.numbers == !from->numbers;
    if (good && from->numbers)
        memcpy(copy.numbers, from->numbers, count * sizeof(double));
    if (good)
        *to = copy;
    else
        sf_value_release(context, &copy);
    return good ? SF_OK : SF_ERR_MEMORY;
}

void sf_value_release(sf_context *context, sf_value *value)
{
    sf_free(context, value->text);
    sf_free(context, value->numbers);
    *value = (sf_value){0};
}
