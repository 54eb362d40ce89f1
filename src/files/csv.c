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
#include <math.h>
#include <samflow/files.h>
#include <string.h>
#include <strings.h>

#include "files/formats.h"
#include "files/records.h"

/* ---- layout -------------------------------------------------------------------------------------------- */

/* True if most fields from `from` on, but for `except`, are text. */
static bool mostly_text(const sf_records *r, const sf_record *at, size_t from, size_t except)
{
    size_t text = 0, all = 0;
    for (size_t i = from; i < at->fields; i++)
        if (i != except) {
            all++;
            text += sf_field_kind(r, at, i) == SF_NUMBER_TEXT;
        }
    return 2 * text > all;
}

/* Names of the columns without one for the column of row names, as R writes them. */
static bool is_short_header(const sf_records *r, const sf_record *first, const sf_record *second)
{
    return first->fields + 1 == second->fields && mostly_text(r, first, 0, SIZE_MAX);
}

/* A name that reads as a number names a column only in a record that is a header for other reasons: it could be a value. */
static bool is_header_name(const sf_records *r, const sf_record *first, const char *name, size_t *index)
{
    double value;
    return sf_record_find(first, name, index) &&
           (sf_number_parse(name, strlen(name), &value) == SF_NUMBER_TEXT ||
            mostly_text(r, first, 0, *index));
}

/* Plain: where the label is; index is its place among the names, number what the caller gave. */
static sf_status find_label_column(sf_records *r, bool by_name, size_t index, bool by_number, size_t number)
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

/* 0, 1, 2, ... or 1, 2, 3, ...: what pandas and R write above columns without names, or an example. */
static bool counts_up(const sf_records *r, const sf_record *at)
{
    double first, value;
    bool comma;
    if (at->fields < 3 || sf_field_parse(r, at, 0, &first, &comma) != SF_NUMBER_FINITE ||
        (first != 0.0 && first != 1.0))
        return false;
    for (size_t i = 1; i < at->fields; i++)
        if (sf_field_parse(r, at, i, &value, &comma) != SF_NUMBER_FINITE || value != first + (double)i)
            return false;
    return true;
}

/* "150,4,setosa,versicolor": examples, features and names of classes, as scikit-learn writes them, or names. */
static bool is_counts_line(const sf_records *r, const sf_record *at)
{
    double value;
    bool comma;
    for (size_t i = 0; i < at->fields; i++) {
        bool number = sf_field_parse(r, at, i, &value, &comma) == SF_NUMBER_FINITE;
        if (i < 2 ? !number || value < 1.0 || value > 1e15 || value != floor(value) : number)
            return false;
    }
    return at->fields > 2;
}

static sf_status both_readings(sf_records *r, const char *one, const char *other)
{
    return sf_fail(
        r->context, SF_ERR_DATA,
        "%s, line %zu: '%.60s, %.60s, %.60s, ...' may be %s or %s; data.header: true says that it names the "
        "columns, false that it does not%s",
        r->input->path, r->first.line, sf_field(&r->first, 0), sf_field(&r->first, 1), sf_field(&r->first, 2),
        one, other, one[0] == 'c' ? " (a line of counts has to be removed)" : "");
}

/* Whether the first record names the columns, by what stands in it and in the second. */
static bool guess_header(const sf_records *r, const sf_record *second, bool by_name, size_t label)
{
    const sf_record *first = &r->first;
    bool label_named = second != first && label < first->fields && first->fields == second->fields &&
                       sf_field_kind(r, first, label) == SF_NUMBER_TEXT &&
                       sf_field_kind(r, second, label) == SF_NUMBER_FINITE;
    return by_name || label_named || mostly_text(r, first, *sf_field(first, 0) == '\0', label);
}

/* From the first record and the second (the first again if there is no other). */
static sf_status plain_layout(sf_records *r, const sf_record *second)
{
    const sf_record *first = &r->first;
    size_t index = 0, number = 0;
    bool by_number = r->spec->label && sf_column_number(r->spec->label, &number) && number < first->fields;
    bool by_name = r->spec->label && !by_number && is_header_name(r, first, r->spec->label, &index);
    by_number = by_number || (!by_name && r->spec->label && sf_column_number(r->spec->label, &number));
    if (r->spec->label && !by_name && !by_number)
        return sf_records_no_such_label(r);
    for (size_t i = index + 1; by_name && i < first->fields; i++)
        if (sf_field_is(first, i, r->spec->label))
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
    bool text_first = !label_first && second->fields > 1 && sf_field_kind(r, second, 0) == SF_NUMBER_TEXT;
    bool unnamed = short_header || (r->header && !label_first && *sf_field(first, 0) == '\0');
    bool mentioned = r->header && !short_header && sf_records_mentions(r, sf_field(first, 0));
    r->named_rows = unnamed || (text_first && !mentioned);
    r->guessed_names = r->named_rows && !unnamed;
    return find_label_column(r, by_name, index, by_number, number);
}

static sf_status transposed_layout(sf_records *r, const sf_record *second)
{
    const sf_record *first = &r->first;
    size_t number = 0;
    bool first_is_label = r->spec->label && sf_field_is(first, 0, r->spec->label);
    bool by_number = r->spec->label && !first_is_label && sf_column_number(r->spec->label, &number);
    bool short_header = is_short_header(r, first, second) && r->spec->header != SF_HEADER_NO;
    r->columns = first->fields + short_header;
    r->named_rows = short_header || *sf_field(first, 0) == '\0' || first_is_label ||
                    (second->fields > 1 && sf_field_kind(r, second, 0) == SF_NUMBER_TEXT &&
                     (second != first || !by_number));
    bool text = mostly_text(r, first, r->named_rows && !short_header, SIZE_MAX);
    r->header = !first_is_label &&
                (short_header || (r->spec->header == SF_HEADER_GUESS
                                      ? *sf_field(first, 0) == '\0' || (text && !(by_number && number == 0))
                                      : r->spec->header == SF_HEADER_YES));
    r->label_known = r->spec->label != NULL;
    r->label = by_number ? number : SIZE_MAX; // SIZE_MAX: by name, or the last
    if (r->columns - r->named_rows < 1)
        return sf_fail(r->context, SF_ERR_DATA, "%s, line %zu: no column of an example", r->input->path,
                       first->line);
    if (r->spec->label && !by_number && !r->named_rows)
        return sf_records_no_such_label(r);
    return SF_OK;
}

static sf_status begin_data(sf_records *r, const sf_record *second, bool last)
{
    SF_TRY(r->spec->transpose ? transposed_layout(r, second) : plain_layout(r, second));
    SF_TRY(sf_records_begin(r));
    return r->header ? SF_OK : sf_records_take(r, &r->first, last);
}

/* The record in `current` is complete; the one in `waiting` is not the last. */
static sf_status next_record(sf_records *r)
{
    r->records++;
    if (r->records == 1) {
        sf_record_swap(&r->first, &r->current);
    } else {
        SF_TRY(r->records == 2 ? begin_data(r, &r->current, false) : sf_records_take(r, &r->waiting, false));
        sf_record_swap(&r->waiting, &r->current);
    }
    r->current.used = r->current.fields = 0;
    return SF_OK;
}

static sf_status last_record(sf_records *r)
{
    if (r->records == 0)
        return sf_fail(r->context, SF_ERR_DATA, "%s: holds nothing but blank lines, expected a data set",
                       r->input->path);
    return r->records == 1 ? begin_data(r, &r->first, true) : sf_records_take(r, &r->waiting, true);
}

/* ---- libcsv -------------------------------------------------------------------------------------------- */

static void on_field(void *text, size_t length, void *user)
{
    sf_records *r = user;
    if (r->status != SF_OK)
        return;
    if (r->current.fields == 0)
        r->current.line = r->input->line;
    r->status = sf_record_add(r->context, &r->current, text, length);
}

static void on_record(int terminator, void *user)
{
    (void)terminator;
    sf_records *r = user;
    if (r->status == SF_OK)
        r->status = next_record(r);
}

static sf_status parse_failure(sf_records *r, struct csv_parser *parser)
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
        if (memchr(line, ',', length) && !sf_comma_number(line, length, &value))
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

static sf_status parse_lines(sf_records *r, struct csv_parser *parser)
{
    for (;;) {
        char *line;
        size_t length;
        SF_TRY(sf_records_line(r, &line, &length));
        if (!line)
            break;
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

sf_status sf_read_csv(sf_input *input, const sf_data_file *spec, sf_labels *labels, sf_dataset **out)
{
    sf_records r = {.input = input, .spec = spec, .labels = labels, .context = input->context};
    r.rows.context = input->context;
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return sf_fail(input->context, SF_ERR_INTERNAL, "%s: the CSV parser did not start", input->path);
    sf_status status = parse_lines(&r, &parser);
    if (status == SF_OK)
        status = sf_records_finish(&r, out);
    csv_free(&parser);
    sf_records_clear(&r);
    return status;
}
