/* svmlight, also written by libsvm: a line an example,
 *
 *     label [qid:k] index:value index:value ... [# comment]
 *
 * with indices from 1 in ascending order; what is not named is 0, the largest index in the file is d. If an index 0 occurs,
 * the file counts from 0 (as scikit-learn writes by default), which is said. Blank lines and lines of comment are skipped. Kept as pairs until d is known, then made dense.
 */
#include <ctype.h>
#include <math.h>
#include <samflow/files.h>
#include <string.h>

#include "base/base.h"
#include "files/formats.h"
#include "files/number.h"
#include "files/rows.h"

typedef struct sparse {
    sf_input *input;
    sf_labels *labels;
    sf_rows pairs; // (entries, 2): index as it stands, exact up to 2^53, and value
    size_t *start; // (kept + 1) where each example begins in pairs
    size_t capacity;
    size_t features;
    size_t zero_line; // where index 0 occurs first, 0 if nowhere
} sparse;

static const uint64_t highest_index = (uint64_t)1 << 53;

static sf_status fail_at(const sparse *s, const char *line, const char *at, size_t length,
                         const char *expected)
{
    return sf_fail(s->input->context, SF_ERR_DATA, "%s, line %zu, column %zu: '%.*s', expected %s",
                   s->input->path, s->input->line, (size_t)(at - line) + 1, (int)(length < 60 ? length : 60),
                   at, expected);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The next token of the line, NULL at its end or at a comment. */
static const char *next_token(const char **at, size_t *length)
{
    const char *start = *at;
    while (is_blank(*start))
        start++;
    const char *end = start;
    while (*end && *end != '#' && !is_blank(*end))
        end++;
    *at = end;
    *length = (size_t)(end - start);
    return *length > 0 ? start : NULL;
}

static bool parse_index(const char *text, size_t length, uint64_t *index)
{
    *index = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || *index > highest_index)
            return false;
        *index = 10 * *index + (uint64_t)(text[i] - '0');
    }
    return length > 0 && *index <= highest_index;
}

static sf_status take_pair(sparse *s, const char *line, const char *token, size_t length, uint64_t *last,
                           bool kept)
{
    const char *colon = memchr(token, ':', length);
    uint64_t index;
    double value;
    if (!colon)
        return fail_at(s, line, token, length, "index:value");
    if (colon - token == 3 && memcmp(token, "qid", 3) == 0)
        return SF_OK;
    if (!parse_index(token, (size_t)(colon - token), &index))
        return fail_at(s, line, token, length, "an index from 0 to 2^53 before the colon");
    if (index == 0 && !s->zero_line)
        s->zero_line = s->input->line;
    index++; // so that 0 is "none yet"; the count from 1 is taken back at the end
    if (index == *last)
        return fail_at(s, line, token, length, "each index once in a line");
    if (index < *last)
        return fail_at(s, line, token, length, "indices in ascending order");
    *last = index;
    if (sf_number_parse(colon + 1, length - (size_t)(colon + 1 - token), &value) != SF_NUMBER_FINITE)
        return fail_at(s, line, token, length, "a finite number after the colon");
    if (index > s->features)
        s->features = (size_t)index;
    if (!kept || value == 0.0)
        return SF_OK;
    double *pair = sf_rows_add(&s->pairs);
    if (!pair)
        return SF_ERR_MEMORY;
    pair[0] = (double)(index - 1);
    pair[1] = value;
    return SF_OK;
}

static sf_status begin_example(sparse *s)
{
    size_t kept = sf_labels_kept(s->labels);
    if (kept + 1 > s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 1024;
        size_t *moved = sf_resize(s->input->context, s->start, capacity, sizeof *moved);
        if (!moved)
            return SF_ERR_MEMORY;
        s->start = moved;
        s->capacity = capacity;
    }
    s->start[kept] = s->pairs.count;
    return SF_OK;
}

static sf_status take_line(sparse *s, const char *line, size_t length)
{
    if (strlen(line) != length)
        return sf_fail(s->input->context, SF_ERR_DATA, "%s, line %zu, column %zu: a NUL byte, expected text",
                       s->input->path, s->input->line, strlen(line) + 1);
    const char *at = line, *token = next_token(&at, &length);
    if (!token)
        return SF_OK;
    double label;
    bool kept;
    if (sf_number_parse(token, length, &label) != SF_NUMBER_FINITE)
        return fail_at(s, line, token, length, "a finite number as label");
    SF_TRY(begin_example(s));
    sf_status status = sf_labels_number(s->labels, label, &kept);
    if (status != SF_OK)
        return sf_fail_within(s->input->context, status, "%s, line %zu, column %zu", s->input->path,
                              s->input->line, (size_t)(token - line) + 1);
    uint64_t last = 0;
    while ((token = next_token(&at, &length)))
        SF_TRY(take_pair(s, line, token, length, &last, kept));
    return SF_OK;
}

static sf_status take_lines(sparse *s)
{
    for (;;) {
        char *line;
        size_t length;
        SF_TRY(sf_input_line(s->input, &line, &length));
        if (!line)
            return begin_example(s); // closes the last one
        SF_TRY(take_line(s, line, length));
    }
}

static sf_status make_dense(sparse *s, sf_dataset **out)
{
    if (s->labels->n > 0 && s->features == 0)
        return sf_fail(s->input->context, SF_ERR_DATA, "%s: no example has a feature, expected index:value",
                       s->input->path);
    size_t first = s->zero_line ? 0 : 1; // index of the first feature; features is the largest index + 1
    if (s->zero_line)
        sf_log(s->input->context, SF_LOG_WARNING,
               "%s, line %zu: an index 0, so indices are taken to count from 0", s->input->path,
               s->zero_line);
    SF_TRY(sf_labels_dataset(s->labels, s->input->path, s->features - first, out));
    sf_dataset *dataset = *out;
    for (size_t i = 0; i < dataset->n; i++) {
        double *z = dataset->z + i * dataset->stored;
        for (size_t j = 0; j < dataset->stored; j++)
            z[j] = 0.0;
        for (size_t k = s->start[i]; k < s->start[i + 1]; k++) {
            const double *pair = sf_rows_at(&s->pairs, k);
            z[(size_t)pair[0] - first] = dataset->labels[i] * pair[1];
        }
        sf_rows_release_before(&s->pairs, s->start[i + 1]);
    }
    return SF_OK;
}

sf_status sf_read_svmlight(sf_input *input, const sf_data_file *spec, sf_labels *labels, sf_dataset **out)
{
    (void)spec;
    sparse s = {.input = input, .labels = labels};
    sf_rows_init(&s.pairs, input->context, 2);
    sf_status status = take_lines(&s);
    if (status == SF_OK)
        status = make_dense(&s, out);
    sf_rows_clear(&s.pairs);
    sf_free(input->context, s.start);
    return status;
}
