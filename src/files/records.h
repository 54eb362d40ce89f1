/* Records of fields on their way into a data set, whatever the file looks like that they come from (csv.c, arff.c).
 *
 * Plain: a record is an example, one column the label, the others features. Transposed: a record is a feature (one is the
 * labels), a column an example. The reader of the format says which is which (header, named_rows, columns, label), then
 * sf_records_begin settles which columns are features; the records follow one by one. */
#ifndef SF_FILES_RECORDS_H
#define SF_FILES_RECORDS_H

#include "base/base.h"
#include "files/input.h"
#include "files/labels.h"
#include "files/number.h"
#include "files/rows.h"

typedef struct sf_record {
    char *text; // the fields, each ended by NUL
    size_t used, capacity;
    size_t *start; // (fields + 1) where each begins in text
    size_t fields, field_capacity;
    size_t line; // where the record begins
} sf_record;

/* Texts seen so far, each with its line, in a table of twice their number (linear probing). */
typedef struct sf_known {
    char *text;
    size_t line;
} sf_known;

typedef struct sf_known_set {
    sf_known *slot; // (capacity, a power of 2)
    size_t count, capacity;
} sf_known_set;

typedef struct sf_records {
    sf_input *input;
    const sf_data_file *spec;
    sf_labels *labels;
    sf_context *context;
    sf_status status; // of callbacks, which cannot return it
    sf_record first, waiting, current;
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
    sf_known_set names; // of the records, while guessed
    sf_rows rows;       // plain: examples kept; transposed: features
    size_t *feature;    // plain: (rows.width) columns of the features
    bool *missing;      // transposed: (rows.width) examples with a missing value
    size_t skipped;     // examples left out as values are missing
} sf_records;

void sf_record_clear(sf_context *context, sf_record *record);
void sf_record_swap(sf_record *a, sf_record *b);
/* A field at the end. Errors: SF_ERR_MEMORY. */
sf_status sf_record_add(sf_context *context, sf_record *record, const char *text, size_t length);
const char *sf_field(const sf_record *record, size_t index);
size_t sf_field_length(const sf_record *record, size_t index);
bool sf_field_is(const sf_record *record, size_t index, const char *name);
/* A field as a number; *comma tells whether it has a decimal comma, where commas do not separate. */
sf_number_kind sf_field_parse(const sf_records *r, const sf_record *record, size_t index, double *value,
                              bool *comma);
sf_number_kind sf_field_kind(const sf_records *r, const sf_record *record, size_t index);
bool sf_comma_number(const char *text, size_t length, double *value);

/* The next line; NULL at the end. Errors: SF_ERR_DATA (a NUL byte), and those of sf_input_line. */
sf_status sf_records_line(sf_records *r, char **line, size_t *length);

/* "12" as a 0-based number of a column. */
bool sf_column_number(const char *text, size_t *number);
bool sf_record_find(const sf_record *names, const char *name, size_t *index);
/* Fails for a label that is no row or column. */
sf_status sf_records_no_such_label(sf_records *r);
/* Whether the user's features or drop call a column by this name. */
bool sf_records_mentions(const sf_records *r, const char *name);

/* The layout is known: which columns are features, and room for them. Errors: SF_ERR_DATA, SF_ERR_MEMORY. */
sf_status sf_records_begin(sf_records *r);
/* Takes a record in; last: no other follows. */
sf_status sf_records_take(sf_records *r, const sf_record *record, bool last);
/* The data set of all that was taken in, and a word about what was left out. */
sf_status sf_records_finish(sf_records *r, sf_dataset **out);
void sf_records_clear(sf_records *r);

#endif
