/* A data set from a file: which format it has, and the reader for it. */
#include <locale.h>
#include <samflow/files.h>
#include <string.h>
#include <strings.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

#include "base/base.h"
#include "files/builtin.h"
#include "files/formats.h"

static bool ends_with(const char *name, size_t length, const char *ending)
{
    size_t size = strlen(ending);
    return length >= size && strncasecmp(name + length - size, ending, size) == 0;
}

static sf_file_format format_by_name(const char *path)
{
    static const struct {
        const char *ending;
        sf_file_format format;
    } endings[] = {{".csv", SF_FORMAT_CSV},           {".tsv", SF_FORMAT_CSV},
                   {".svm", SF_FORMAT_SVMLIGHT},      {".libsvm", SF_FORMAT_SVMLIGHT},
                   {".svmlight", SF_FORMAT_SVMLIGHT}, {".idx", SF_FORMAT_IDX},
                   {".arff", SF_FORMAT_ARFF}};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t length = strlen(name);
    static const char *const packed[] = {".gz", ".bz2", ".xz"};
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
        if (ends_with(name, length, packed[i])) {
            length -= strlen(packed[i]);
            break;
        }
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(name, length, endings[i].ending))
            return endings[i].format;
    const char *idx = strstr(name, "idx");
    return idx && ends_with(name, length, "-ubyte") ? SF_FORMAT_IDX : SF_FORMAT_AUTO;
}

/* By the first bytes: the magic number of IDX; @relation or @attribute of ARFF; else the first line that is not blank or comment, which in
 * svmlight has a colon in its second word, and in CSV a separator. */
static sf_file_format format_by_content(const char *bytes, size_t count)
{
    if (sf_is_idx(bytes, count))
        return SF_FORMAT_IDX;
    const char *at = bytes, *end = bytes + count;
    while (at < end && (strchr(" \t\r\n", *at) || *at == '#' || *at == '%')) {
        if (*at == '#' || *at == '%')
            while (at < end && *at != '\n')
                at++;
        else
            at++;
    }
    const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    size_t length = (size_t)((stop ? stop : end) - at);
    if ((length > 9 && strncasecmp(at, "@relation", 9) == 0) ||
        (length > 10 && strncasecmp(at, "@attribute", 10) == 0))
        return SF_FORMAT_ARFF;
    const char *blank = at;
    while (blank < at + length && *blank != ' ' && *blank != '\t')
        blank++;
    const char *second = blank;
    while (second < at + length && (*second == ' ' || *second == '\t'))
        second++;
    const char *word_end = second;
    while (word_end < at + length && *word_end != ' ' && *word_end != '\t')
        word_end++;
    if (memchr(second, ':', (size_t)(word_end - second)))
        return SF_FORMAT_SVMLIGHT;
    if (memchr(at, ',', length) || memchr(at, ';', length) || memchr(at, '\t', length))
        return SF_FORMAT_CSV;
    return SF_FORMAT_AUTO;
}

/* Members that the format has no use for would be ignored silently; an error says so. */
static sf_status check_members(sf_context *context, const sf_data_file *spec, sf_file_format format)
{
    static const char *const called[] = {[SF_FORMAT_CSV] = "CSV",
                                         [SF_FORMAT_SVMLIGHT] = "svmlight",
                                         [SF_FORMAT_IDX] = "IDX",
                                         [SF_FORMAT_ARFF] = "ARFF"};
    bool csv = format == SF_FORMAT_CSV, columns = csv || format == SF_FORMAT_ARFF;
    const struct {
        const char *member;
        bool there, used;
        const char *of;
    } members[] = {{"label", spec->label != NULL, columns || format == SF_FORMAT_IDX, "CSV, ARFF and IDX"},
                   {"features", spec->feature_count > 0, columns, "CSV and ARFF"},
                   {"drop", spec->drop_count > 0, columns, "CSV and ARFF"},
                   {"missing", spec->skip_missing, columns, "CSV and ARFF"},
                   {"transpose", spec->transpose, csv, "CSV"},
                   {"header", spec->header != SF_HEADER_GUESS, csv, "CSV"},
                   {"labels_file", spec->labels_path != NULL, format == SF_FORMAT_IDX, "IDX"}};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (members[i].there && !members[i].used)
            return sf_fail(context, SF_ERR_ARGUMENT, "%s: %s is for %s files, this is %s", spec->path,
                           members[i].member, members[i].of, called[format]);
    return SF_OK;
}

static sf_status dispatch(sf_input *input, const sf_data_file *spec, sf_dataset **out)
{
    const char *bytes;
    size_t count;
    SF_TRY(sf_input_peek(input, 4096, &bytes, &count));
    if (count == 0)
        return sf_fail(input->context, SF_ERR_DATA, "%s: is empty, expected a data set", input->path);
    sf_file_format format = spec->format;
    if (format == SF_FORMAT_AUTO)
        format = format_by_name(input->path);
    if (format == SF_FORMAT_AUTO)
        format = format_by_content(bytes, count);
    if (format == SF_FORMAT_AUTO)
        return sf_fail(
            input->context, SF_ERR_DATA,
            "%s: format not recognized by name or content, expected CSV, svmlight, ARFF or IDX (format names it)",
            input->path);
    SF_TRY(check_members(input->context, spec, format));
    sf_labels labels;
    SF_TRY(sf_labels_init(&labels, input->context, spec));
    sf_status status = format == SF_FORMAT_CSV    ? sf_read_csv(input, spec, &labels, out)
                       : format == SF_FORMAT_ARFF ? sf_read_arff(input, spec, &labels, out)
                       : format == SF_FORMAT_IDX  ? sf_read_idx(input, spec, &labels, out)
                                                  : sf_read_svmlight(input, spec, &labels, out);
    if (status == SF_OK && spec->layout) {
        spec->layout->format = format;
        spec->layout->examples_left_out =
            labels.n - sf_labels_kept(&labels) + spec->layout->examples_missing * (spec->transpose ? 0 : 1);
    }
    sf_labels_clear(&labels);
    return status;
}

/* A name becomes the two files that stand for it. */
static sf_status resolve_name(sf_context *context, sf_data_file *spec)
{
    const sf_builtin *set = sf_builtin_find(spec->name);
    if (!set)
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "no data set called '%s' is part of samflow, expected digits", spec->name);
    if (spec->path || spec->labels_path || spec->label || spec->transpose || spec->format != SF_FORMAT_AUTO)
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "%s is part of samflow, expected no file, labels_file, format, label or transpose "
                       "beside its name",
                       spec->name);
    spec->path = set->images;
    spec->labels_path = set->labels;
    spec->format = SF_FORMAT_IDX;
    return SF_OK;
}

sf_status sf_dataset_read(sf_context *context, const sf_data_file *spec, sf_dataset **out)
{
    SF_OUT(context, out);
    sf_data_file resolved = *spec;
    if (spec->name)
        SF_TRY(resolve_name(context, &resolved));
    spec = &resolved;
    if (!spec->path)
        return sf_fail(context, SF_ERR_ARGUMENT, "a data file needs a path");
    // numbers have a point whatever the locale of the program
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0)
        return sf_fail(context, SF_ERR_MEMORY, "%s: out of memory", spec->path);
    locale_t before = uselocale(plain);
    sf_input input;
    sf_status status = sf_input_open(context, spec->path, &input);
    if (status == SF_OK)
        status = dispatch(&input, spec, out);
    sf_input_close(&input);
    uselocale(before);
    freelocale(plain);
    return status;
}
