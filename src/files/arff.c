/* ARFF, the format of Weka and of OpenML:
 *   % comment
 *   @relation NAME
 *   @attribute NAME numeric|real|integer|string|date [FORMAT]|{VALUE, VALUE, ...}
 *   @data
 *   VALUE, VALUE, ...        or, sparse, {INDEX VALUE, INDEX VALUE, ...} with indices from 0 in ascending order
 * Names and values may be quoted by ' or ", with \ before a quote inside; ? is a missing value. What a sparse row leaves out is 0,
 * or of a nominal attribute its first value. Keywords in any case.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "files/formats.h"
#include "files/records.h"

typedef struct attributes {
    char **blank; // (count) what a sparse row means by leaving it out; NULL: 0
    size_t count, capacity;
} attributes;

static sf_status fail_line(const sf_records *r, const char *problem, const char *text)
{
    return sf_fail(r->context, SF_ERR_DATA, "%s, line %zu: %s, found '%.60s'", r->input->path, r->input->line,
                   problem, text);
}

static char *skip_blanks(char *at)
{
    return at + strspn(at, " \t\r");
}

/* The name or value at *at, in place; *at is moved behind it. ends: what ends it if it is not quoted. NULL: a quote is missing. */
static char *take_word(char **at, const char *ends)
{
    char *from = skip_blanks(*at), quote = *from;
    if (quote != '\'' && quote != '"') {
        char *end = from + strcspn(from, ends), *last = end;
        while (last > from && isspace((unsigned char)last[-1]))
            last--;
        memmove(*at, from,
                (size_t)(last - from)); // room for the NUL: a blank or the end is there, or one is made
        char *word = *at;
        *at = end;
        if (last == end && word + (last - from) == end)
            return word; // the caller looks at *end before it ends the word
        word[last - from] = '\0';
        return word;
    }
    char *out = from, *in = from + 1;
    for (; *in && *in != quote; in++) {
        if (*in == '\\' && in[1])
            in++;
        *out++ = *in;
    }
    if (*in != quote)
        return NULL;
    *at = in + 1;
    *out = '\0';
    return from;
}

static sf_status add_attribute(sf_records *r, attributes *a, const char *name, const char *first_value)
{
    if (a->count == a->capacity) {
        size_t capacity = a->capacity ? 2 * a->capacity : 64;
        char **moved = sf_resize(r->context, a->blank, capacity, sizeof *moved);
        if (!moved)
            return SF_ERR_MEMORY;
        a->blank = moved;
        a->capacity = capacity;
    }
    a->blank[a->count] = first_value ? sf_strdup(r->context, first_value) : NULL;
    if (first_value && !a->blank[a->count])
        return SF_ERR_MEMORY;
    a->count++;
    return sf_record_add(r->context, &r->first, name, strlen(name));
}

/* "@attribute NAME TYPE" from NAME on. */
static sf_status take_attribute(sf_records *r, attributes *a, char *at)
{
    char after = '\0';
    char *name = take_word(&at, " \t\r"), *type = name ? at : NULL;
    if (!name)
        return fail_line(r, "a name without its second quote, expected @attribute NAME TYPE", at);
    after = *type;
    if (after)
        *type++ = '\0'; // the word may end where the blank was
    type = skip_blanks(type);
    if (*name == '\0' || *type == '\0')
        return fail_line(r, "expected @attribute NAME TYPE", name);
    static const char *const types[] = {"numeric", "real", "integer", "string", "date"};
    size_t length = strcspn(type, " \t\r");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strlen(types[i]) == length && strncasecmp(type, types[i], length) == 0)
            return add_attribute(r, a, name, NULL);
    if (*type != '{')
        return fail_line(r, "expected the type numeric, real, integer, string, date or {values}", type);
    char *values = type + 1, *value = take_word(&values, ",}");
    if (!value || !strchr(",} \t", *values) || *values == '\0')
        return fail_line(r, "expected values of a nominal attribute between braces", type);
    *values = '\0';
    return add_attribute(r, a, name, value);
}

static bool is_keyword(const char *line, const char *word)
{
    size_t length = strlen(word);
    return strncasecmp(line, word, length) == 0 &&
           (line[length] == '\0' || isspace((unsigned char)line[length]));
}

static sf_status take_dense(sf_records *r, char *at)
{
    for (;;) {
        char *word = take_word(&at, ",");
        if (!word)
            return fail_line(r, "a value without its second quote", at);
        at = skip_blanks(at);
        char end = *at;
        if (end != ',' && end != '\0')
            return fail_line(r, "expected a comma after a value", at);
        *at = '\0';
        SF_TRY(sf_record_add(r->context, &r->current, word, strlen(word)));
        if (end == '\0')
            return SF_OK;
        at++;
    }
}

static sf_status add_blanks(sf_records *r, const attributes *a, size_t until)
{
    while (r->current.fields < until) {
        const char *blank = a->blank[r->current.fields] ? a->blank[r->current.fields] : "0";
        SF_TRY(sf_record_add(r->context, &r->current, blank, strlen(blank)));
    }
    return SF_OK;
}

/* "{1 5.1, 3 yes}" from behind the brace. */
static sf_status take_sparse(sf_records *r, const attributes *a, char *at)
{
    at = skip_blanks(at);
    while (*at != '}') {
        size_t digits = strspn(at, "0123456789"), index = 0;
        for (size_t i = 0; i < digits && index <= a->count; i++)
            index = 10 * index + (size_t)(at[i] - '0');
        if (digits == 0 || index < r->current.fields || index >= a->count ||
            !isspace((unsigned char)at[digits]))
            return fail_line(r, "expected INDEX VALUE, with indices from 0 that ascend and name an attribute",
                             at);
        at += digits;
        char *word = take_word(&at, ",}");
        if (!word)
            return fail_line(r, "a value without its second quote", at);
        at = skip_blanks(at);
        char end = *at;
        if (end != ',' && end != '}')
            return fail_line(r, "expected a comma or a brace after a value", at);
        *at = '\0';
        SF_TRY(add_blanks(r, a, index));
        SF_TRY(sf_record_add(r->context, &r->current, word, strlen(word)));
        if (end == '}')
            break;
        at = skip_blanks(at + 1);
    }
    return add_blanks(r, a, a->count);
}

static sf_status begin(sf_records *r, const attributes *a)
{
    const char *label = r->spec->label;
    if (a->count < 2)
        return sf_fail(r->context, SF_ERR_DATA,
                       "%s, line %zu: %zu attribute%s before @data, expected features and a label",
                       r->input->path, r->input->line, a->count, a->count == 1 ? "" : "s");
    r->columns = a->count;
    r->header = true;
    r->first.line = 1;
    r->label = a->count - 1;
    if (label && !sf_record_find(&r->first, label, &r->label) &&
        (!sf_column_number(label, &r->label) || r->label >= a->count))
        return sf_fail(r->context, SF_ERR_DATA,
                       "%s: no attribute is called '%.60s', expected a name or a number from 0 to %zu",
                       r->input->path, label, a->count - 1);
    return sf_records_begin(r);
}

static sf_status take_line(sf_records *r, attributes *a, bool *data, char *line)
{
    line = skip_blanks(line);
    line[strcspn(line, "\r")] = '\0';
    if (*line == '\0' || *line == '%')
        return SF_OK;
    if (!*data) {
        if (is_keyword(line, "@relation"))
            return SF_OK;
        if (is_keyword(line, "@attribute"))
            return take_attribute(r, a, line + strlen("@attribute"));
        *data = is_keyword(line, "@data");
        return *data ? begin(r, a) : fail_line(r, "expected @relation, @attribute or @data", line);
    }
    r->current.used = r->current.fields = 0;
    r->current.line = r->input->line;
    SF_TRY(*line == '{' ? take_sparse(r, a, line + 1) : take_dense(r, line));
    return sf_records_take(r, &r->current, false);
}

static sf_status read_lines(sf_records *r, attributes *a)
{
    bool data = false;
    for (;;) {
        char *line;
        size_t length;
        SF_TRY(sf_records_line(r, &line, &length));
        if (!line)
            break;
        SF_TRY(take_line(r, a, &data, line));
    }
    return data ? SF_OK
                : sf_fail(r->context, SF_ERR_DATA, "%s: ends before @data, expected ARFF", r->input->path);
}

sf_status sf_read_arff(sf_input *input, const sf_data_file *spec, sf_labels *labels, sf_dataset **out)
{
    sf_records r = {
        .input = input, .spec = spec, .labels = labels, .context = input->context, .delimiter = ','};
    attributes a = {0};
    r.rows.context = input->context;
    sf_status status = read_lines(&r, &a);
    if (status == SF_OK)
        status = sf_records_finish(&r, out);
    for (size_t i = 0; i < a.count; i++)
        sf_free(input->context, a.blank[i]);
    sf_free(input->context, a.blank);
    sf_records_clear(&r);
    return status;
}
