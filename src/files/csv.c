/* CSV (RFC 4180), split into fields by libcsv, one record at a time.
 *
 * Plain: a record is an example, one column the label, the others features. Transposed: a record is a feature
 * (one is the labels), a column an example. In both, the first record may name the columns (the header), and
 * the first column the records; the first two records tell (layout). A record is taken in when the next one
 * is complete, so that the last one, where transposed labels are by default, is known as such.
 *
 * A column is not left out on a guess: texts in the first column are names of the records only where its place in the header is
 * empty or missing, or where no two of them are equal, and every record has one. Where a first line can be read as a header and as
 * data, both readings are named and the key that decides. In files separated by semicolons or tabs numbers may have a decimal comma
 * (then all of them).
 */
#include <csv.h>
#include <ctype.h>
#include <samflow/files.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "files/formats.h"
#include "files/number.h"
#include "files/rows.h"

typedef struct record {
    char *text; // the fields, each ended by NUL
    size_t used, capacity;
    size_t *start; // (fields + 1) where each begins in text
    size_t fields, field_capacity;
    size_t line; // where the record begins
} record;

/* Texts seen so far, each with its line, in a table of twice their number (linear probing). */
typedef struct known {
    char *text;
    size_t line;
} known;

typedef struct known_set {
    known *slot; // (capacity, a power of 2)
    size_t count, capacity;
} known_set;

typedef struct reader {
    sf_input *input;
    const sf_data_file *spec;
    sf_labels *labels;
    sf_context *context;
    sf_status status; // of the callbacks, which cannot return it
    record first, waiting, current;
    size_t records; // complete ones
    bool header, named_rows;
    size_t columns; // fields of a data record, with the name of the record
    size_t label; // column of the label with the name column counted; transposed: number of the label record
    bool label_known; // transposed: false while it is "the last"
    bool labels_taken;
    size_t data_records; // taken in
    char delimiter;      // 0 until it is known
    size_t comma_line,
        point_line;     // where a number first had a decimal comma or a point, 0: nowhere (not with commas)
    bool guessed_names; // the first column is names only if its texts bear that out
    known_set names;    // of the records, while guessed
    sf_rows rows;       // plain: examples kept; transposed: features
} reader;

/* ---- records ------------------------------------------------------------------------------------------- */

static void record_clear(sf_context *context, record *r)
{
    sf_free(context, r->text);
    sf_free(context, r->start);
    *r = (record){0};
}

static void record_swap(record *a, record *b)
{
    record keep = *a;
    *a = *b;
    *b = keep;
}

static sf_status record_add(sf_context *context, record *r, const char *text, size_t length)
{
    if (length >= SIZE_MAX / 2 - r->used)
        return sf_fail(context, SF_ERR_MEMORY, "a record of CSV exceeds the address space");
    if (r->used + length + 1 > r->capacity) {
        size_t capacity = 2 * (r->used + length + 1) + 4096;
        char *sf_larger = sf_resize(context, r->text, capacity, 1);
        if (!sf_larger)
            return SF_ERR_MEMORY;
        r->text = sf_larger;
        r->capacity = capacity;
    }
    if (r->fields + 2 > r->field_capacity) {
        size_t capacity = 2 * r->field_capacity + 256;
        size_t *sf_larger = sf_resize(context, r->start, capacity, sizeof *sf_larger);
        if (!sf_larger)
            return SF_ERR_MEMORY;
        r->start = sf_larger;
        r->field_capacity = capacity;
    }
    memcpy(r->text + r->used, text, length);
    r->text[r->used + length] = '\0';
    r->start[r->fields++] = r->used;
    r->used += length + 1;
    r->start[r->fields] = r->used;
    return SF_OK;
}

static const char *field(const record *r, size_t index)
{
    return r->text + r->start[index];
}

static size_t field_length(const record *r, size_t index)
{
    return r->start[index + 1] - r->start[index] - 1;
}

/* A number with a decimal comma, which is text to the parser; false if the field is none. */
static bool comma_number(const char *text, size_t length, double *value)
{
    enum { LONGEST = 64 };
    char copy[LONGEST];
    const char *comma = memchr(text, ',', length);
    if (!comma || length >= LONGEST || memchr(text, '.', length))
        return false;
    memcpy(copy, text, length);
    copy[comma - text] = '.';
    return sf_number_parse(copy, length, value) == SF_NUMBER_FINITE;
}

static sf_number_kind parse(const reader *r, const record *at, size_t index, double *value, bool *comma)
{
    sf_number_kind kind = sf_number_parse(field(at, index), field_length(at, index), value);
    *comma = kind == SF_NUMBER_TEXT && r->delimiter != ',' &&
             comma_number(field(at, index), field_length(at, index), value);
    return *comma ? SF_NUMBER_FINITE : kind;
}

static sf_number_kind field_kind(const reader *r, const record *at, size_t index)
{
    double value;
    bool comma;
    return parse(r, at, index, &value, &comma);
}

/* Text that a person would read as a number: 1,234.5 or 2 000 or 1'000. */
static bool looks_numeric(const char *text)
{
    size_t digits = 0;
    text += *text == '+' || *text == '-';
    if (!isdigit((unsigned char)*text))
        return false;
    for (; *text; text++) {
        digits += isdigit((unsigned char)*text) != 0;
        if (!isdigit((unsigned char)*text) && !strchr(",.' ", *text))
            return false;
    }
    return digits > 0;
}

static bool field_is(const record *r, size_t index, const char *name)
{
    return strcmp(field(r, index), name) == 0;
}

/* ---- messages ------------------------------------------------------------------------------------------ */

/* "line 3, column 5 (name)", 1-based as in an editor; the column counts fields. */
static sf_status fail_at(reader *r, const record *at, size_t column, const char *problem)
{
    const char *name = r->header && column < r->first.fields && r->first.fields == r->columns
                           ? field(&r->first, column)
                           : "";
    return sf_fail(r->context, SF_ERR_DATA, "%s, line %zu, column %zu%s%.60s%s: '%.60s' %s", r->input->path,
                   at->line, column + 1, *name ? " (" : "", name, *name ? ")" : "", field(at, column),
                   problem);
}

/* In a file without commas between fields, either all numbers have a decimal comma or none. */
static sf_status note_mark(reader *r, const record *at, size_t column, bool comma)
{
    if (comma && !r->comma_line)
        r->comma_line = at->line;
    if (!comma && !r->point_line && memchr(field(at, column), '.', field_length(at, column)))
        r->point_line = at->line;
    if (r->comma_line && r->point_line)
        return fail_at(
            r, at, column,
            comma ? "has a decimal comma, while numbers before have a point; expected one of the two"
                  : "has a decimal point, while numbers before have a comma; expected one of the two");
    return SF_OK;
}

static sf_status number_at(reader *r, const record *at, size_t column, double *value)
{
    bool comma;
    switch (parse(r, at, column, value, &comma)) {
    case SF_NUMBER_FINITE:
        return r->delimiter == ',' ? SF_OK : note_mark(r, at, column, comma);
    case SF_NUMBER_MISSING:
        return fail_at(r, at, column, "is a missing value, expected a number");
    case SF_NUMBER_NAN:
        return fail_at(r, at, column, "is not a number (NaN), expected a finite number");
    case SF_NUMBER_INFINITE:
        return fail_at(r, at, column,
                       "is infinite or beyond the range of a double, expected a finite number");
    default:
        return fail_at(r, at, column,
                       looks_numeric(field(at, column))
                           ? "has separators of thousands, expected digits with at most a decimal point"
                           : "is text, expected a number");
    }
}

static sf_status label_at(reader *r, const record *at, size_t column, bool *kept)
{
    sf_status status = sf_labels_field(r->labels, field(at, column), field_length(at, column), kept);
    if (status == SF_OK)
        return SF_OK;
    return sf_fail_within(r->context, status, "%s, line %zu, column %zu", r->input->path, at->line,
                          column + 1);
}

/* ---- layout -------------------------------------------------------------------------------------------- */

/* label as a 0-based number. */
static bool label_number(const char *label, size_t *number)
{
    *number = 0;
    for (const char *c = label; *c; c++) {
        if (!isdigit((unsigned char)*c) || *number > SIZE_MAX / 20)
            return false;
        *number = 10 * *number + (size_t)(*c - '0');
    }
    return *label != '\0';
}

static bool find_name(const record *names, const char *name, size_t *index)
{
    for (*index = 0; *index < names->fields; (*index)++)
        if (field_is(names, *index, name))
            return true;
    return false;
}

/* True if most fields from `from` on, but for `except`, are text. */
static bool mostly_text(const reader *r, const record *at, size_t from, size_t except)
{
    size_t text = 0, all = 0;
    for (size_t i = from; i < at->fields; i++)
        if (i != except) {
            all++;
            text += field_kind(r, at, i) == SF_NUMBER_TEXT;
        }
    return 2 * text > all;
}

/* Names of the columns without one for the column of row names, as R writes them. */
static bool is_short_header(const reader *r, const record *first, const record *second)
{
    return first->fields + 1 == second->fields && mostly_text(r, first, 0, SIZE_MAX);
}

/* A name that reads as a number names a column only in a record that is a header for other reasons: it could be a value. */
static bool is_header_name(const reader *r, const record *first, const char *name, size_t *index)
{
    double value;
    return find_name(first, name, index) && (sf_number_parse(name, strlen(name), &value) == SF_NUMBER_TEXT ||
                                             mostly_text(r, first, 0, *index));
}

/* Plain: where the label is; index is its place among the names, number what the caller gave. */
static sf_status find_label_column(reader *r, bool by_name, size_t index, bool by_number, size_t number)
{
    size_t features_and_label = r->columns - r->named_rows;
    if (features_and_label < 2)
        return sf_fail(
            r->context, SF_ERR_DATA,
            "%s, line %zu: %zu column%s, expected at least one feature and the label, separated by commas",
            r->input->path, r->first.line, features_and_label, features_and_label == 1 ? "" : "s");
    if (by_name) {
        r->label = index + (r->first.fields < r->columns);
    } else if (by_number) {
        if (number >= features_and_label)
            return sf_fail(r->context, SF_ERR_DATA,
                           "%s: no label column %zu, expected a number from 0 to %zu", r->input->path, number,
                           features_and_label - 1);
        r->label = number + r->named_rows;
    } else {
        r->label = r->columns - 1;
    }
    return SF_OK;
}

static sf_status no_such_name(reader *r)
{
    return sf_fail(
        r->context, SF_ERR_DATA,
        "%s: no %s is called '%s' (the first is '%.60s'), expected a name from the %s or a 0-based number",
        r->input->path, r->spec->transpose ? "row" : "column", r->spec->label,
        r->first.fields > 0 ? field(&r->first, 0) : "", r->spec->transpose ? "first column" : "first line");
}

/* 0, 1, 2, ... or 1, 2, 3, ...: what pandas and R write above columns without names, or an example. */
static bool counts_up(const reader *r, const record *at)
{
    double first, value;
    bool comma;
    if (at->fields < 3 || parse(r, at, 0, &first, &comma) != SF_NUMBER_FINITE ||
        (first != 0.0 && first != 1.0))
        return false;
    for (size_t i = 1; i < at->fields; i++)
        if (parse(r, at, i, &value, &comma) != SF_NUMBER_FINITE || value != first + (double)i)
            return false;
    return true;
}

/* "150,4,setosa,versicolor": examples, features and names of classes, as scikit-learn writes them, or names. */
static bool is_counts_line(const reader *r, const record *at)
{
    double value;
    bool comma;
    for (size_t i = 0; i < at->fields; i++) {
        bool number = parse(r, at, i, &value, &comma) == SF_NUMBER_FINITE;
        if (i < 2 ? !number || value < 1.0 || value != (double)(size_t)value : number)
            return false;
    }
    return at->fields > 2;
}

static sf_status both_readings(reader *r, const char *one, const char *other)
{
    return sf_fail(
        r->context, SF_ERR_DATA,
        "%s, line %zu: '%.60s, %.60s, %.60s, ...' may be %s or %s; data.header: true says that it names the "
        "columns, false that it does not%s",
        r->input->path, r->first.line, field(&r->first, 0), field(&r->first, 1), field(&r->first, 2), one,
        other, one[0] == 'c' ? " (a line of counts has to be removed)" : "");
}

/* Whether the first record names the columns, by what stands in it and in the second. */
static bool guess_header(const reader *r, const record *second, bool by_name, size_t label)
{
    const record *first = &r->first;
    bool label_named = second != first && label < first->fields && first->fields == second->fields &&
                       field_kind(r, first, label) == SF_NUMBER_TEXT &&
                       field_kind(r, second, label) == SF_NUMBER_FINITE;
    return by_name || label_named || mostly_text(r, first, *field(first, 0) == '\0', label);
}

/* From the first record and the second (the first again if there is no other). */
static sf_status plain_layout(reader *r, const record *second)
{
    const record *first = &r->first;
    size_t index = 0, number = 0;
    bool by_number = r->spec->label && label_number(r->spec->label, &number) && number < first->fields;
    bool by_name = r->spec->label && !by_number && is_header_name(r, first, r->spec->label, &index);
    by_number = by_number || (!by_name && r->spec->label && label_number(r->spec->label, &number));
    if (r->spec->label && !by_name && !by_number)
        return no_such_name(r);
    for (size_t i = index + 1; by_name && i < first->fields; i++)
        if (field_is(first, i, r->spec->label))
            return sf_fail(
                r->context, SF_ERR_DATA,
                "%s, line %zu: columns %zu and %zu are both called '%.60s', expected the number of the label "
                "column, from 0",
                r->input->path, first->line, index, i, r->spec->label);
    bool short_header = is_short_header(r, first, second) && r->spec->header != SF_HEADER_NO;
    r->columns = first->fields + short_header;
    bool label_first = (by_name && index == 0 && !short_header) || (by_number && number == 0);
    size_t except = by_name ? index : by_number ? number : first->fields - 1;
    if (r->spec->header == SF_HEADER_GUESS && is_counts_line(r, first))
        return both_readings(r, "counts (examples, features, names of classes)", "names of columns");
    if (r->spec->header == SF_HEADER_GUESS && !short_header && !by_name && second != first &&
        counts_up(r, first))
        return both_readings(r, "numbers of columns", "an example");
    r->header = short_header || (r->spec->header == SF_HEADER_GUESS ? guess_header(r, second, by_name, except)
                                                                    : r->spec->header == SF_HEADER_YES);
    bool text_first = !label_first && second->fields > 1 && field_kind(r, second, 0) == SF_NUMBER_TEXT;
    bool unnamed = short_header || (r->header && !label_first && *field(first, 0) == '\0');
    r->named_rows = unnamed || text_first;
    r->guessed_names = r->named_rows && !unnamed;
    return find_label_column(r, by_name, index, by_number, number);
}

static sf_status transposed_layout(reader *r, const record *second)
{
    const record *first = &r->first;
    size_t number = 0;
    bool first_is_label = r->spec->label && field_is(first, 0, r->spec->label);
    bool by_number = r->spec->label && !first_is_label && label_number(r->spec->label, &number);
    bool short_header = is_short_header(r, first, second) && r->spec->header != SF_HEADER_NO;
    r->columns = first->fields + short_header;
    r->named_rows =
        short_header || *field(first, 0) == '\0' || first_is_label ||
        (second->fields > 1 && field_kind(r, second, 0) == SF_NUMBER_TEXT && (second != first || !by_number));
    bool text = mostly_text(r, first, r->named_rows && !short_header, SIZE_MAX);
    r->header = !first_is_label &&
                (short_header || (r->spec->header == SF_HEADER_GUESS
                                      ? *field(first, 0) == '\0' || (text && !(by_number && number == 0))
                                      : r->spec->header == SF_HEADER_YES));
    r->label_known = r->spec->label != NULL;
    r->label = by_number ? number : SIZE_MAX; // SIZE_MAX: by name, or the last
    if (r->columns - r->named_rows < 1)
        return sf_fail(r->context, SF_ERR_DATA, "%s, line %zu: no column of an example", r->input->path,
                       first->line);
    if (r->spec->label && !by_number && !r->named_rows)
        return no_such_name(r);
    return SF_OK;
}

/* ---- taking records in --------------------------------------------------------------------------------- */

static sf_status take_example(reader *r, const record *at)
{
    bool kept;
    SF_TRY(label_at(r, at, r->label, &kept));
    if (!kept)
        return SF_OK;
    double *x = sf_rows_add(&r->rows);
    if (!x)
        return SF_ERR_MEMORY;
    for (size_t c = r->named_rows, j = 0; c < r->columns; c++)
        if (c != r->label)
            SF_TRY(number_at(r, at, c, &x[j++]));
    return SF_OK;
}

static sf_status take_label_record(reader *r, const record *at)
{
    if (r->labels_taken)
        return sf_fail(r->context, SF_ERR_DATA,
                       "%s, line %zu: a second row called '%s', expected one row of labels", r->input->path,
                       at->line, r->spec->label);
    r->labels_taken = true;
    for (size_t c = r->named_rows; c < r->columns; c++) {
        bool kept;
        SF_TRY(label_at(r, at, c, &kept));
    }
    return SF_OK;
}

static sf_status take_feature(reader *r, const record *at)
{
    double *x = sf_rows_add(&r->rows);
    if (!x)
        return SF_ERR_MEMORY;
    for (size_t c = r->named_rows; c < r->columns; c++)
        SF_TRY(number_at(r, at, c, &x[c - r->named_rows]));
    return SF_OK;
}

static size_t hash_of(const char *text)
{
    size_t hash = 1469598103934665603U; // FNV-1a
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211U;
    return hash;
}

static known *slot_of(const known_set *n, const char *text)
{
    size_t i = hash_of(text) & (n->capacity - 1);
    while (n->slot[i].text && strcmp(n->slot[i].text, text) != 0)
        i = (i + 1) & (n->capacity - 1);
    return &n->slot[i];
}

static sf_status grow(sf_context *context, known_set *n)
{
    known_set sf_larger = {.count = n->count, .capacity = n->capacity ? 2 * n->capacity : 256};
    sf_larger.slot = sf_alloc_zero(context, sf_larger.capacity, sizeof *sf_larger.slot);
    if (!sf_larger.slot)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < n->capacity; i++)
        if (n->slot[i].text)
            *slot_of(&sf_larger, n->slot[i].text) = n->slot[i];
    sf_free(context, n->slot);
    *n = sf_larger;
    return SF_OK;
}

static void names_clear(sf_context *context, known_set *n)
{
    for (size_t i = 0; i < n->capacity; i++)
        sf_free(context, n->slot[i].text);
    sf_free(context, n->slot);
    *n = (known_set){0};
}

/* Texts in the first column were taken for names of the records: each has to be a text that was not there before. */
static sf_status check_name(reader *r, const record *at)
{
    if (field_kind(r, at, 0) != SF_NUMBER_TEXT)
        return fail_at(
            r, at, 0,
            "stands in a first column with text in other lines, expected numbers in all of them, or names "
            "of the examples in all of them");
    if (looks_numeric(field(at, 0)))
        return fail_at(r, at, 0, "has separators of thousands, expected digits with at most a decimal point");
    if (2 * (r->names.count + 1) > r->names.capacity)
        SF_TRY(grow(r->context, &r->names));
    known *slot = slot_of(&r->names, field(at, 0));
    if (slot->text) {
        char problem[256];
        snprintf(problem, sizeof problem,
                 "is a text that line %zu has too, so the first column does not name the examples; expected "
                 "numbers (code "
                 "its texts as numbers, or remove the column)",
                 slot->line);
        return fail_at(r, at, 0, problem);
    }
    *slot = (known){sf_strdup(r->context, field(at, 0)), at->line};
    r->names.count++;
    return slot->text ? SF_OK : SF_ERR_MEMORY;
}

static bool is_label_record(const reader *r, const record *at, bool last)
{
    if (!r->label_known)
        return last;
    return r->label != SIZE_MAX ? r->data_records == r->label : field_is(at, 0, r->spec->label);
}

static sf_status take(reader *r, const record *at, bool last)
{
    if (at->fields != r->columns)
        return sf_fail(r->context, SF_ERR_DATA,
                       "%s, line %zu: %zu fields, expected %zu as in the lines before", r->input->path,
                       at->line, at->fields, r->columns);
    if (r->guessed_names)
        SF_TRY(check_name(r, at));
    sf_status status = !r->spec->transpose            ? take_example(r, at)
                       : is_label_record(r, at, last) ? take_label_record(r, at)
                                                      : take_feature(r, at);
    r->data_records++;
    return status;
}

static sf_status begin_data(reader *r, const record *second, bool last)
{
    SF_TRY(r->spec->transpose ? transposed_layout(r, second) : plain_layout(r, second));
    sf_rows_init(&r->rows, r->context,
                 r->spec->transpose ? r->columns - r->named_rows : r->columns - r->named_rows - 1);
    return r->header ? SF_OK : take(r, &r->first, last);
}

/* The record in `current` is complete; the one in `waiting` is not the last. */
static sf_status next_record(reader *r)
{
    r->records++;
    if (r->records == 1) {
        record_swap(&r->first, &r->current);
    } else {
        SF_TRY(r->records == 2 ? begin_data(r, &r->current, false) : take(r, &r->waiting, false));
        record_swap(&r->waiting, &r->current);
    }
    r->current.used = r->current.fields = 0;
    return SF_OK;
}

static sf_status last_record(reader *r)
{
    if (r->records == 0)
        return sf_fail(r->context, SF_ERR_DATA, "%s: holds nothing but blank lines, expected a data set",
                       r->input->path);
    return r->records == 1 ? begin_data(r, &r->first, true) : take(r, &r->waiting, true);
}

/* ---- libcsv -------------------------------------------------------------------------------------------- */

static void on_field(void *text, size_t length, void *user)
{
    reader *r = user;
    if (r->status != SF_OK)
        return;
    if (r->current.fields == 0)
        r->current.line = r->input->line;
    r->status = record_add(r->context, &r->current, text, length);
}

static void on_record(int terminator, void *user)
{
    (void)terminator;
    reader *r = user;
    if (r->status == SF_OK)
        r->status = next_record(r);
}

static sf_status parse_failure(reader *r, struct csv_parser *parser)
{
    if (csv_error(parser) == CSV_ENOMEM || csv_error(parser) == CSV_ETOOBIG)
        return sf_fail(r->context, SF_ERR_MEMORY, "%s, line %zu: out of memory for a field", r->input->path,
                       r->input->line);
    return sf_fail(
        r->context, SF_ERR_DATA,
        "%s, line %zu: misplaced quote in column %zu, expected quotes around a whole field, doubled inside",
        r->input->path, r->input->line, r->current.fields + 1);
}

/* Whether a line cut at semicolons gives more than one field, each with at most one comma and that in a number. */
static bool is_semicolon_line(const char *line)
{
    size_t fields = 0;
    for (;;) {
        size_t length = strcspn(line, ";\r");
        double value;
        if (memchr(line, ',', length) && !comma_number(line, length, &value))
            return false;
        fields++;
        if (line[length] != ';')
            return fields > 1;
        line += length + 1;
    }
}

/* The most frequent of comma, semicolon and tab in the first line, the comma if they tie; commas within numbers do not count. */
static char delimiter_of(const char *line)
{
    static const char candidates[] = {',', ';', '\t'};
    size_t count[3] = {0}, best = 0;
    if (is_semicolon_line(line))
        return ';';
    for (; *line; line++)
        for (size_t k = 0; k < 3; k++)
            count[k] += *line == candidates[k];
    for (size_t k = 1; k < 3; k++)
        if (count[k] > count[best])
            best = k;
    return candidates[best];
}

/* "sep=;", by which a file tells Excel what separates its fields. */
static bool is_separator_line(const char *line, char *delimiter)
{
    size_t length = strcspn(line, "\r");
    bool quoted = length > 1 && line[0] == '"' && line[length - 1] == '"';
    if (quoted) {
        line++;
        length -= 2;
    }
    if (length != 5 || strncasecmp(line, "sep=", 4) != 0)
        return false;
    *delimiter = line[4];
    return true;
}

static sf_status parse_lines(reader *r, struct csv_parser *parser)
{
    for (;;) {
        char *line;
        size_t length;
        SF_TRY(sf_input_line(r->input, &line, &length));
        if (!line)
            break;
        if (strlen(line) != length)
            return sf_fail(r->context, SF_ERR_DATA, "%s, line %zu, column %zu: a NUL byte, expected text",
                           r->input->path, r->input->line, r->current.fields + 1);
        if (r->input->line == 1 && is_separator_line(line, &r->delimiter)) {
            csv_set_delim(parser, (unsigned char)r->delimiter);
            continue;
        }
        if (!r->delimiter && line[strspn(line, " \t\r")]) {
            r->delimiter = delimiter_of(line);
            csv_set_delim(parser, (unsigned char)r->delimiter);
        }
        if (csv_parse(parser, line, length, on_field, on_record, r) != length ||
            csv_parse(parser, "\n", 1, on_field, on_record, r) != 1)
            return parse_failure(r, parser);
        SF_TRY(r->status);
    }
    if (csv_fini(parser, on_field, on_record, r) != 0)
        return sf_fail(r->context, SF_ERR_DATA, "%s: ends inside a quoted field, expected a closing quote",
                       r->input->path);
    SF_TRY(r->status);
    return last_record(r);
}

/* ---- the data set -------------------------------------------------------------------------------------- */

static sf_status finish_plain(reader *r, sf_dataset **out)
{
    SF_TRY(sf_labels_dataset(r->labels, r->input->path, r->rows.width, out));
    sf_rows_move(&r->rows, *out);
    return SF_OK;
}

/* Features become columns; those of the examples left out are passed over. */
static sf_status finish_transposed(reader *r, sf_dataset **out)
{
    if (!r->labels_taken) {
        if (r->label == SIZE_MAX)
            return no_such_name(r);
        return sf_fail(r->context, SF_ERR_DATA, "%s: no label row %zu, expected a number from 0 to %zu",
                       r->input->path, r->label, r->data_records - 1);
    }
    size_t d = r->rows.count;
    if (d == 0)
        return sf_fail(r->context, SF_ERR_DATA, "%s: one row only, expected labels and at least one feature",
                       r->input->path);
    SF_TRY(sf_labels_dataset(r->labels, r->input->path, d, out));
    sf_dataset *dataset = *out;
    for (size_t j = 0; j < d; j++) {
        const double *x = sf_rows_at(&r->rows, j);
        for (size_t i = 0, kept = 0; i < r->labels->n; i++)
            if (r->labels->kind[i] >= 0) {
                dataset->z[kept * d + j] = dataset->labels[kept] * x[i];
                kept++;
            }
        sf_rows_release_before(&r->rows, j + 1);
    }
    return SF_OK;
}

sf_status sf_read_csv(sf_input *input, const sf_data_file *spec, sf_labels *labels, sf_dataset **out)
{
    reader r = {.input = input, .spec = spec, .labels = labels, .context = input->context};
    r.rows.context = input->context;
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return sf_fail(input->context, SF_ERR_INTERNAL, "%s: the CSV parser did not start", input->path);
    sf_status status = parse_lines(&r, &parser);
    if (status == SF_OK)
        status = spec->transpose ? finish_transposed(&r, out) : finish_plain(&r, out);
    csv_free(&parser);
    if (status == SF_OK && r.guessed_names)
        sf_log(input->context, SF_LOG_WARNING,
               "%s: the first column%s%.60s%s is text, different in each line: taken as names of the "
               "examples, not as a "
               "feature",
               input->path, r.header ? " (" : "", r.header ? field(&r.first, 0) : "", r.header ? ")" : "");
    sf_rows_clear(&r.rows);
    names_clear(input->context, &r.names);
    record_clear(input->context, &r.first);
    record_clear(input->context, &r.waiting);
    record_clear(input->context, &r.current);
    return status;
}
