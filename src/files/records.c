/* Records of fields into a data set: which columns are features, numbers and their decimal mark, labels, missing values. */
#include "files/records.h"

#include <ctype.h>
#include <string.h>

/* ---- records and fields -------------------------------------------------------------------------------- */

void sf_record_clear(sf_context *context, sf_record *r)
{
    sf_free(context, r->text);
    sf_free(context, r->start);
    *r = (sf_record){0};
}

void sf_record_swap(sf_record *a, sf_record *b)
{
    sf_record keep = *a;
    *a = *b;
    *b = keep;
}

sf_status sf_record_add(sf_context *context, sf_record *r, const char *text, size_t length)
{
    if (length >= SIZE_MAX / 2 - r->used)
        return sf_fail(context, SF_ERR_MEMORY, "a record of CSV exceeds the address space");
    if (r->used + length + 1 > r->capacity) {
        size_t capacity = 2 * (r->used + length + 1) + 4096;
        char *moved = sf_resize(context, r->text, capacity, 1);
        if (!moved)
            return SF_ERR_MEMORY;
        r->text = moved;
        r->capacity = capacity;
    }
    if (r->fields + 2 > r->field_capacity) {
        size_t capacity = 2 * r->field_capacity + 256;
        size_t *moved = sf_resize(context, r->start, capacity, sizeof *moved);
        if (!moved)
            return SF_ERR_MEMORY;
        r->start = moved;
        r->field_capacity = capacity;
    }
    memcpy(r->text + r->used, text, length);
    r->text[r->used + length] = '\0';
    r->start[r->fields++] = r->used;
    r->used += length + 1;
    r->start[r->fields] = r->used;
    return SF_OK;
}

const char *sf_field(const sf_record *r, size_t index)
{
    return r->text + r->start[index];
}

size_t sf_field_length(const sf_record *r, size_t index)
{
    return r->start[index + 1] - r->start[index] - 1;
}

/* A number with a decimal comma, which is text to the parser; false if the field is none. */
bool sf_comma_number(const char *text, size_t length, double *value)
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

sf_number_kind sf_field_parse(const sf_records *r, const sf_record *at, size_t index, double *value,
                              bool *comma)
{
    sf_number_kind kind = sf_number_parse(sf_field(at, index), sf_field_length(at, index), value);
    *comma = kind == SF_NUMBER_TEXT && r->delimiter != ',' &&
             sf_comma_number(sf_field(at, index), sf_field_length(at, index), value);
    return *comma ? SF_NUMBER_FINITE : kind;
}

sf_number_kind sf_field_kind(const sf_records *r, const sf_record *at, size_t index)
{
    double value;
    bool comma;
    return sf_field_parse(r, at, index, &value, &comma);
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

bool sf_field_is(const sf_record *r, size_t index, const char *name)
{
    return strcmp(sf_field(r, index), name) == 0;
}

sf_status sf_records_line(sf_records *r, char **line, size_t *length)
{
    SF_TRY(sf_input_line(r->input, line, length));
    if (*line && strlen(*line) != *length)
        return sf_fail(r->context, SF_ERR_DATA, "%s, line %zu, column %zu: a NUL byte, expected text",
                       r->input->path, r->input->line, r->current.fields + 1);
    return SF_OK;
}

/* label as a 0-based number. */
bool sf_column_number(const char *label, size_t *number)
{
    *number = 0;
    for (const char *c = label; *c; c++) {
        if (!isdigit((unsigned char)*c) || *number > SIZE_MAX / 20)
            return false;
        *number = 10 * *number + (size_t)(*c - '0');
    }
    return *label != '\0';
}

bool sf_record_find(const sf_record *names, const char *name, size_t *index)
{
    for (*index = 0; *index < names->fields; (*index)++)
        if (sf_field_is(names, *index, name))
            return true;
    return false;
}

/* ---- messages ------------------------------------------------------------------------------------------ */

/* "line 3, column 5 (name)", 1-based as in an editor; the column counts fields. */
static sf_status fail_at(sf_records *r, const sf_record *at, size_t column, const char *problem)
{
    const char *name = r->header && column < r->first.fields && r->first.fields == r->columns
                           ? sf_field(&r->first, column)
                           : "";
    return sf_fail(r->context, SF_ERR_DATA, "%s, line %zu, column %zu%s%.60s%s: '%.60s' %s", r->input->path,
                   at->line, column + 1, *name ? " (" : "", name, *name ? ")" : "", sf_field(at, column),
                   problem);
}

/* In a file without commas between fields, either all numbers have a decimal comma or none. */
static sf_status note_mark(sf_records *r, const sf_record *at, size_t column, bool comma)
{
    if (comma && !r->comma_line)
        r->comma_line = at->line;
    if (!comma && !r->point_line && memchr(sf_field(at, column), '.', sf_field_length(at, column)))
        r->point_line = at->line;
    if (r->comma_line && r->point_line)
        return fail_at(
            r, at, column,
            comma ? "has a decimal comma, while numbers before have a point; expected one of the two"
                  : "has a decimal point, while numbers before have a comma; expected one of the two");
    return SF_OK;
}

static sf_status number_at(sf_records *r, const sf_record *at, size_t column, double *value)
{
    bool comma;
    switch (sf_field_parse(r, at, column, value, &comma)) {
    case SF_NUMBER_FINITE:
        return r->delimiter == ',' ? SF_OK : note_mark(r, at, column, comma);
    case SF_NUMBER_MISSING:
        return fail_at(r, at, column,
                       "is a missing value, expected a number (data.missing: skip leaves such examples out)");
    case SF_NUMBER_NAN:
        return fail_at(r, at, column, "is not a number (NaN), expected a finite number");
    case SF_NUMBER_INFINITE:
        return fail_at(r, at, column,
                       "is infinite or beyond the range of a double, expected a finite number");
    default:
        return fail_at(r, at, column,
                       looks_numeric(sf_field(at, column))
                           ? "has separators of thousands, expected digits with at most a decimal point"
                           : "is text, expected a number (data.drop leaves a column out)");
    }
}

static sf_status label_at(sf_records *r, const sf_record *at, size_t column, bool *kept)
{
    sf_status status = sf_labels_field(r->labels, sf_field(at, column), sf_field_length(at, column), kept);
    if (status == SF_OK)
        return SF_OK;
    return sf_fail_within(r->context, status, "%s, line %zu, column %zu", r->input->path, at->line,
                          column + 1);
}

sf_status sf_records_no_such_label(sf_records *r)
{
    return sf_fail(
        r->context, SF_ERR_DATA,
        "%s: no %s is called '%s' (the first is '%.60s'), expected a name from the %s or a 0-based number",
        r->input->path, r->spec->transpose ? "row" : "column", r->spec->label,
        r->first.fields > 0 ? sf_field(&r->first, 0) : "",
        r->spec->transpose ? "first column" : "first line");
}

/* ---- which columns ------------------------------------------------------------------------------------- */

/* Whether a list calls a row or column by its name or its number. */
static bool lists(size_t count, const char *const *list, const char *name, size_t number)
{
    for (size_t i = 0; i < count; i++) {
        size_t called;
        if (*name ? strcmp(list[i], name) == 0 : false)
            return true;
        if (sf_column_number(list[i], &called) && called == number)
            return true;
    }
    return false;
}

bool sf_records_mentions(const sf_records *r, const char *name)
{
    const sf_data_file *spec = r->spec;
    return *name && (lists(spec->feature_count, spec->features, name, SIZE_MAX) ||
                     lists(spec->drop_count, spec->drop, name, SIZE_MAX));
}

/* The column that a list calls by name or number. */
static sf_status find_column(sf_records *r, const char *key, const char *called, size_t *column)
{
    size_t number = 0, shift = r->columns - r->first.fields;
    bool named = r->header && sf_record_find(&r->first, called, &number);
    for (size_t i = number + 1; named && i < r->first.fields; i++)
        if (sf_field_is(&r->first, i, called))
            return sf_fail(
                r->context, SF_ERR_DATA,
                "%s, line %zu: columns %zu and %zu are both called '%.60s' (%s), expected the number of one, "
                "from 0",
                r->input->path, r->first.line, number + 1, i + 1, called, key);
    if (named) {
        *column = number + shift;
        return SF_OK;
    }
    if (sf_column_number(called, &number) && number < r->columns - r->named_rows) {
        *column = number + r->named_rows;
        return SF_OK;
    }
    return sf_fail(r->context, SF_ERR_DATA,
                   "%s: %s: no column is called '%.60s'%s, expected a name%s or a number from 0 to %zu",
                   r->input->path, key, called, r->header ? "" : " (the file names none)",
                   r->header ? " from the first line" : "", r->columns - r->named_rows - 1);
}

/* drop: marks what is left out. */
static sf_status mark_dropped(sf_records *r, bool *dropped)
{
    const sf_data_file *spec = r->spec;
    for (size_t i = 0; i < spec->drop_count; i++) {
        size_t column;
        SF_TRY(find_column(r, "drop", spec->drop[i], &column));
        if (column == r->label)
            return sf_fail(r->context, SF_ERR_DATA, "%s: drop: '%.60s' is the column of the labels%s",
                           r->input->path, spec->drop[i],
                           spec->label ? "" : " (the last; label names another)");
        dropped[column] = true;
    }
    return SF_OK;
}

static sf_status choose_features(sf_records *r, bool *dropped, size_t *count)
{
    const sf_data_file *spec = r->spec;
    *count = 0;
    SF_TRY(mark_dropped(r, dropped));
    for (size_t c = r->named_rows; c < r->columns && spec->feature_count == 0; c++)
        if (c != r->label && !dropped[c])
            r->feature[(*count)++] = c;
    for (size_t i = 0; i < spec->feature_count; i++) {
        size_t column;
        SF_TRY(find_column(r, "features", spec->features[i], &column));
        if (column == r->label)
            return sf_fail(r->context, SF_ERR_DATA, "%s: features: '%.60s' is the column of the labels",
                           r->input->path, spec->features[i]);
        for (size_t k = 0; k < *count; k++)
            if (r->feature[k] == column)
                return sf_fail(r->context, SF_ERR_DATA, "%s: features: '%.60s' is there twice",
                               r->input->path, spec->features[i]);
        if (!dropped[column])
            r->feature[(*count)++] = column;
    }
    if (*count == 0)
        return sf_fail(r->context, SF_ERR_DATA, "%s: no feature is left of %zu columns", r->input->path,
                       r->columns);
    return SF_OK;
}

sf_status sf_records_begin(sf_records *r)
{
    size_t width = r->columns - r->named_rows;
    if (r->spec->transpose) {
        r->missing = sf_alloc_zero(r->context, width, sizeof *r->missing);
        if (!r->missing)
            return SF_ERR_MEMORY;
    } else {
        size_t room = r->columns + r->spec->feature_count;
        bool *dropped = sf_alloc_zero(r->context, r->columns, sizeof *dropped);
        r->feature = SF_ARRAY(r->context, room, size_t);
        sf_status status = dropped && r->feature ? choose_features(r, dropped, &width) : SF_ERR_MEMORY;
        sf_free(r->context, dropped);
        SF_TRY(status);
    }
    sf_rows_init(&r->rows, r->context, width);
    return SF_OK;
}

/* ---- taking records in --------------------------------------------------------------------------------- */

/* A field that stands for nothing: a missing value, or NaN, as numpy writes it. */
static bool is_missing(const sf_records *r, const sf_record *at, size_t column)
{
    sf_number_kind kind = sf_field_kind(r, at, column);
    return kind == SF_NUMBER_MISSING || kind == SF_NUMBER_NAN;
}

static bool is_incomplete(const sf_records *r, const sf_record *at)
{
    if (is_missing(r, at, r->label))
        return true;
    for (size_t j = 0; j < r->rows.width; j++)
        if (is_missing(r, at, r->feature[j]))
            return true;
    return false;
}

static sf_status take_example(sf_records *r, const sf_record *at)
{
    bool kept;
    if (r->spec->skip_missing && is_incomplete(r, at)) {
        r->skipped++;
        return SF_OK;
    }
    SF_TRY(label_at(r, at, r->label, &kept));
    if (!kept)
        return SF_OK;
    double *x = sf_rows_add(&r->rows);
    if (!x)
        return SF_ERR_MEMORY;
    for (size_t j = 0; j < r->rows.width; j++)
        SF_TRY(number_at(r, at, r->feature[j], &x[j]));
    return SF_OK;
}

static sf_status take_label_record(sf_records *r, const sf_record *at)
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

static sf_status take_feature(sf_records *r, const sf_record *at)
{
    double *x = sf_rows_add(&r->rows);
    if (!x)
        return SF_ERR_MEMORY;
    for (size_t c = r->named_rows; c < r->columns; c++) {
        size_t example = c - r->named_rows;
        if (r->spec->skip_missing && is_missing(r, at, c)) {
            r->missing[example] = true;
            x[example] = 0.0;
        } else {
            SF_TRY(number_at(r, at, c, &x[example]));
        }
    }
    return SF_OK;
}

static size_t hash_of(const char *text)
{
    size_t hash = 1469598103934665603U; // FNV-1a
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211U;
    return hash;
}

static sf_known *slot_of(const sf_known_set *n, const char *text)
{
    size_t i = hash_of(text) & (n->capacity - 1);
    while (n->slot[i].text && strcmp(n->slot[i].text, text) != 0)
        i = (i + 1) & (n->capacity - 1);
    return &n->slot[i];
}

static sf_status grow(sf_context *context, sf_known_set *n)
{
    sf_known_set moved = {.count = n->count, .capacity = n->capacity ? 2 * n->capacity : 256};
    moved.slot = sf_alloc_zero(context, moved.capacity, sizeof *moved.slot);
    if (!moved.slot)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < n->capacity; i++)
        if (n->slot[i].text)
            *slot_of(&moved, n->slot[i].text) = n->slot[i];
    sf_free(context, n->slot);
    *n = moved;
    return SF_OK;
}

static void names_clear(sf_context *context, sf_known_set *n)
{
    for (size_t i = 0; i < n->capacity; i++)
        sf_free(context, n->slot[i].text);
    sf_free(context, n->slot);
    *n = (sf_known_set){0};
}

/* Texts in the first column were taken for names of the records: each has to be a text that was not there before. */
static sf_status check_name(sf_records *r, const sf_record *at)
{
    if (sf_field_kind(r, at, 0) != SF_NUMBER_TEXT)
        return fail_at(
            r, at, 0,
            "stands in a first column with text in other lines, expected numbers in all of them, or names "
            "of the examples in all of them");
    if (looks_numeric(sf_field(at, 0)))
        return fail_at(r, at, 0, "has separators of thousands, expected digits with at most a decimal point");
    if (2 * (r->names.count + 1) > r->names.capacity)
        SF_TRY(grow(r->context, &r->names));
    sf_known *slot = slot_of(&r->names, sf_field(at, 0));
    if (slot->text) {
        char problem[256];
        snprintf(problem, sizeof problem,
                 "is a text that line %zu has too, so the first column does not name the examples; expected "
                 "numbers (code "
                 "its texts as numbers, or leave the column out by data.drop)",
                 slot->line);
        return fail_at(r, at, 0, problem);
    }
    *slot = (sf_known){sf_strdup(r->context, sf_field(at, 0)), at->line};
    r->names.count++;
    return slot->text ? SF_OK : SF_ERR_MEMORY;
}

/* Transposed: whether features and drop let the row in. */
static bool is_wanted_row(const sf_records *r, const sf_record *at)
{
    const char *name = r->named_rows ? sf_field(at, 0) : "";
    return (r->spec->feature_count == 0 ||
            lists(r->spec->feature_count, r->spec->features, name, r->data_records)) &&
           !lists(r->spec->drop_count, r->spec->drop, name, r->data_records);
}

static bool is_label_record(const sf_records *r, const sf_record *at, bool last)
{
    if (!r->label_known)
        return last;
    return r->label != SIZE_MAX ? r->data_records == r->label : sf_field_is(at, 0, r->spec->label);
}

sf_status sf_records_take(sf_records *r, const sf_record *at, bool last)
{
    if (at->fields != r->columns)
        return sf_fail(r->context, SF_ERR_DATA,
                       "%s, line %zu: %zu fields, expected %zu as in the lines before", r->input->path,
                       at->line, at->fields, r->columns);
    if (r->guessed_names)
        SF_TRY(check_name(r, at));
    sf_status status = !r->spec->transpose            ? take_example(r, at)
                       : is_label_record(r, at, last) ? take_label_record(r, at)
                       : is_wanted_row(r, at)         ? take_feature(r, at)
                                                      : SF_OK;
    r->data_records++;
    return status;
}

/* ---- the data set -------------------------------------------------------------------------------------- */

static sf_status finish_plain(sf_records *r, sf_dataset **out)
{
    SF_TRY(sf_labels_dataset(r->labels, r->input->path, r->rows.width, out));
    sf_rows_move(&r->rows, *out);
    return SF_OK;
}

/* Features become columns; those of the examples left out are passed over. */
static sf_status finish_transposed(sf_records *r, sf_dataset **out)
{
    if (!r->labels_taken) {
        if (r->label == SIZE_MAX)
            return sf_records_no_such_label(r);
        return sf_fail(r->context, SF_ERR_DATA, "%s: no label row %zu, expected a number from 0 to %zu",
                       r->input->path, r->label, r->data_records - 1);
    }
    for (size_t i = 0; i < r->labels->n; i++)
        if (r->missing[i]) {
            r->skipped++;
            sf_labels_drop(r->labels, i);
        }
    size_t d = r->rows.count;
    if (d == 0)
        return sf_fail(r->context, SF_ERR_DATA,
                       "%s: no row of a feature, expected labels and at least one feature", r->input->path);
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

static void describe(const sf_records *r, const sf_dataset *dataset)
{
    sf_data_layout *layout = r->spec->layout;
    size_t of_columns = r->columns - r->named_rows, named = r->label - (r->columns - r->first.fields);
    layout->separator = r->delimiter;
    layout->decimal_comma = r->comma_line > 0;
    layout->header = r->header;
    layout->row_names = r->named_rows;
    layout->examples_missing = r->skipped;
    layout->columns_left_out =
        (r->spec->transpose ? r->data_records : of_columns) - 1 - sf_dataset_features(dataset);
    if (r->spec->transpose)
        snprintf(layout->label, sizeof layout->label, "%.60s",
                 r->spec->label ? r->spec->label : "the last row");
    else if (r->header && named < r->first.fields && *sf_field(&r->first, named))
        snprintf(layout->label, sizeof layout->label, "%.60s", sf_field(&r->first, named));
    else
        snprintf(layout->label, sizeof layout->label, "%zu", r->label - r->named_rows);
}

sf_status sf_records_finish(sf_records *r, sf_dataset **out)
{
    if (r->skipped > 0 && !r->spec->transpose && r->labels->n == 0)
        return sf_fail(r->context, SF_ERR_DATA, "%s: every example has a missing value", r->input->path);
    SF_TRY(r->spec->transpose ? finish_transposed(r, out) : finish_plain(r, out));
    if (r->spec->layout)
        describe(r, *out);
    if (r->guessed_names)
        sf_log(
            r->context, SF_LOG_WARNING,
            "%s: the first column%s%.60s%s is text, different in each line: taken as names of the examples, not as a "
            "feature",
            r->input->path, r->header ? " (" : "", r->header ? sf_field(&r->first, 0) : "",
            r->header ? ")" : "");
    if (r->skipped > 0)
        sf_log(r->context, SF_LOG_WARNING,
               "%s: %zu example%s with missing values left out (missing: skip), %zu kept", r->input->path,
               r->skipped, r->skipped == 1 ? "" : "s", sf_dataset_examples(*out));
    return SF_OK;
}

void sf_records_clear(sf_records *r)
{
    sf_rows_clear(&r->rows);
    names_clear(r->context, &r->names);
    sf_free(r->context, r->feature);
    sf_free(r->context, r->missing);
    sf_record_clear(r->context, &r->first);
    sf_record_clear(r->context, &r->waiting);
    sf_record_clear(r->context, &r->current);
}
