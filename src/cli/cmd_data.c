/* samflow data info FILE...: what data sets hold. (samflow data fetch NAME: data_fetch.c) */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cli/data.h"

enum { STRONGEST = 10 };

static const char *const format_name[] = {[SF_FORMAT_AUTO] = "auto",
                                          [SF_FORMAT_CSV] = "csv",
                                          [SF_FORMAT_SVMLIGHT] = "svmlight",
                                          [SF_FORMAT_IDX] = "idx",
                                          [SF_FORMAT_ARFF] = "arff"};

/* ---- info: what to read -------------------------------------------------------------------------------- */

typedef struct info_options {
    const char *format, *labels, *label, *classes, *features, *drop;
    const double *scale; // NULL: not given
    bool transpose, standardize, mirror, images, skip_missing;
} info_options;

static bool is_experiment(const char *path)
{
    size_t length = strlen(path);
    return strcmp(path, "-") == 0 || (length > 5 && strcasecmp(path + length - 5, ".yaml") == 0) ||
           (length > 4 && strcasecmp(path + length - 4, ".yml") == 0);
}

static bool parse_double(const char *text, char stop, double *value, const char **end)
{
    char *after;
    errno = 0;
    *value = strtod(text, &after);
    *end = after;
    return after > text && *after == stop && errno == 0;
}

/* "A,B,C" cut at the commas, in a copy. */
enum { NAMES = 256 };
typedef struct names {
    size_t count;
    const char *name[NAMES];
    char *text;
} names;

static int split(const sf_cli *cli, const char *option, const char *text, names *list)
{
    *list = (names){0};
    if (!text)
        return 0;
    list->text = strdup(text);
    if (!list->text)
        return sf_cli_no_memory(cli);
    for (char *at = list->text; at;) {
        char *comma = strchr(at, ',');
        if (comma)
            *comma = '\0';
        if (*at == '\0' || list->count == NAMES)
            return sf_cli_usage(
                cli, "--%s is '%s', expected names or numbers with commas between them, at most %d", option,
                text, NAMES);
        list->name[list->count++] = at;
        at = comma ? comma + 1 : NULL;
    }
    return 0;
}

static int choose_classes(const sf_cli *cli, const char *text, const names *classes, sf_data_file *spec)
{
    const char *end;
    if (!text)
        return 0;
    if (classes->count != 2)
        return sf_cli_usage(cli, "--classes is '%s', expected two labels as A,B", text);
    spec->has_classes = parse_double(classes->name[0], '\0', &spec->classes[0], &end) &&
                        parse_double(classes->name[1], '\0', &spec->classes[1], &end);
    for (size_t k = 0; k < 2 && !spec->has_classes; k++)
        spec->class_names[k] = classes->name[k];
    return 0;
}

static void file_spec(const char *path, const info_options *options, sf_data_file *spec)
{
    bool built_in = sf_cli_is_builtin(path);
    *spec = (sf_data_file){.name = built_in ? path : NULL,
                           .path = built_in ? NULL : path,
                           .labels_path = options->labels,
                           .label = options->label,
                           .transpose = options->transpose,
                           .skip_missing = options->skip_missing};
    for (int f = SF_FORMAT_AUTO; options->format && f <= SF_FORMAT_ARFF; f++)
        if (strcmp(options->format, format_name[f]) == 0)
            spec->format = (sf_file_format)f;
}

static sf_status transform(sf_dataset *dataset, const info_options *options)
{
    sf_status status = options->scale ? sf_dataset_scale(dataset, *options->scale) : SF_OK;
    if (status == SF_OK && options->standardize)
        status = sf_dataset_standardize(dataset);
    if (status == SF_OK && options->mirror)
        status = sf_dataset_mirror(dataset);
    return status;
}

/* ---- info: what to say --------------------------------------------------------------------------------- */

typedef struct summary {
    sf_dataset_info info;
    size_t strongest[STRONGEST]; // features by falling strength
    double strength[STRONGEST];
    size_t count;          // of the two above
    const char *separable; // "separable", ..., or why it was not asked
    double seconds;        // that took; NaN if it was not asked
} summary;

/* Whether a hyperplane separates the classes is found by a linear programme or a quadratic one: not for large sets here. */
static const double MOST_ENTRIES = 2e6;

static int separate(const sf_cli *cli, const sf_dataset *dataset, summary *s)
{
    static const char *const answer[] = {"not separable", "weakly separable", "separable"};
    const sf_margin_options options = {.norm = SF_NORM_L2};
    s->seconds = NAN;
    s->separable = "not asked of so many numbers (samflow margin tells)";
    if ((double)s->info.examples * (double)s->info.features > MOST_ENTRIES)
        return 0;
    sf_margin *margin = NULL;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    sf_status status = sf_margin_solve(cli->context, dataset, &options, &margin);
    clock_gettime(CLOCK_MONOTONIC, &after);
    s->seconds = (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
    s->separable = status == SF_OK ? answer[sf_margin_separability(margin)] : "not known to within rounding";
    sf_margin_destroy(&margin);
    return status == SF_OK || status == SF_ERR_NUMERIC ? 0 : sf_cli_fail(cli, status);
}

static const char *separator_name(char separator)
{
    return separator == '\t' ? "tab" : separator == ';' ? "semicolon" : separator == ',' ? "comma" : "other";
}

static void print_layout(const sf_data_layout *layout)
{
    bool csv = layout->format == SF_FORMAT_CSV;
    if (!csv && layout->format != SF_FORMAT_ARFF)
        return;
    sf_cli_print(stdout, "  read as    %s", csv ? "CSV" : "ARFF");
    if (csv)
        printf(", separated by %s, decimal %s, %s header, %s names of examples",
               separator_name(layout->separator), layout->decimal_comma ? "comma" : "point",
               layout->header ? "a" : "no", layout->row_names ? "the first column has" : "no");
    sf_cli_print(stdout, "; label: %s", layout->label);
    if (layout->columns_left_out)
        printf("; %zu columns left out", layout->columns_left_out);
    if (layout->examples_left_out)
        printf("; %zu examples left out (%zu with missing values)", layout->examples_left_out,
               layout->examples_missing);
    printf("\n");
}

static void write_layout(sf_json *json, const sf_data_layout *layout)
{
    bool csv = layout->format == SF_FORMAT_CSV;
    sf_json_open_object(json, "read_as");
    sf_json_string(json, "format", format_name[layout->format]);
    if (csv) {
        sf_json_string(json, "separator", separator_name(layout->separator));
        sf_json_bool(json, "decimal_comma", layout->decimal_comma);
        sf_json_bool(json, "header", layout->header);
        sf_json_bool(json, "row_names", layout->row_names);
    }
    if (csv || layout->format == SF_FORMAT_ARFF) {
        sf_json_string(json, "label", layout->label);
        sf_json_integer(json, "columns_left_out", (int64_t)layout->columns_left_out);
        sf_json_integer(json, "examples_missing", (int64_t)layout->examples_missing);
    }
    sf_json_integer(json, "examples_left_out", (int64_t)layout->examples_left_out);
    sf_json_close_object(json);
}

/* What a person may want to do about the data. */
static void print_advice(const summary *s)
{
    const sf_dataset_info *info = &s->info;
    if (info->counting)
        printf("  note       %zu feature%s count%s the examples, as ids do: data.drop leaves a column out\n",
               info->counting, info->counting == 1 ? "" : "s", info->counting == 1 ? "s" : "");
    if (info->duplicates)
        printf("  note       %zu feature%s equal to another\n", info->duplicates,
               info->duplicates == 1 ? " is" : "s are");
    if (info->spread > 1e3)
        printf(
            "  note       scales of the features differ by a factor of %.3g: data.standardize: true makes them "
            "equal\n",
            info->spread);
}

static void find_strongest(const double *strength, size_t d, summary *s)
{
    s->count = 0;
    for (size_t j = 0; j < d; j++) {
        size_t at = s->count;
        while (at > 0 && strength[j] > s->strength[at - 1])
            at--;
        if (at == STRONGEST)
            continue;
        size_t last = s->count < STRONGEST ? s->count++ : STRONGEST - 1;
        for (size_t k = last; k > at; k--) {
            s->strength[k] = s->strength[k - 1];
            s->strongest[k] = s->strongest[k - 1];
        }
        s->strength[at] = strength[j];
        s->strongest[at] = j;
    }
}

static int summarize(const sf_cli *cli, const sf_dataset *dataset, summary *s)
{
    sf_status status = sf_dataset_describe(dataset, &s->info);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    double *strength = calloc(s->info.features, sizeof *strength);
    if (!strength)
        return sf_cli_no_memory(cli);
    sf_dataset_strengths(dataset, strength);
    // a mirrored feature is as strong as the one it mirrors
    find_strongest(strength, s->info.mirrored ? s->info.features / 2 : s->info.features, s);
    free(strength);
    return 0;
}

static void print_classes(const sf_dataset_info *info)
{
    for (int k = 0; k < 2; k++) {
        printf("%s%zu of label %+d", k ? ", " : " (", info->count[k], 2 * k - 1);
        if (info->label_name[k])
            sf_cli_print(stdout, " (in the file: %s)", info->label_name[k]);
        else if (info->raw_label[k] != 2 * k - 1)
            printf(" (in the file: %.15g)", info->raw_label[k]);
    }
    printf(")\n");
}

static void print_summary(const char *name, const summary *s, const sf_data_layout *layout)
{
    const sf_dataset_info *info = &s->info;
    const double *q = info->strength_quantile;
    double entries = (double)info->examples * (double)info->features;
    sf_cli_print(stdout, "%s\n  examples   %zu", name, info->examples);
    print_classes(info);
    if (layout)
        print_layout(layout);
    printf("  features   %zu (%zu constant%s)\n", info->features, info->constant,
           info->mirrored ? "; mirrored: x, then -x" : "");
    printf("  values     %.6g to %.6g, %zu zeros (%.3g %%)\n", info->minimum, info->maximum, info->zeros,
           100.0 * (double)info->zeros / entries);
    printf("  strengths  |mean of y x| by feature: minimum %.6g, quartiles %.6g %.6g %.6g, maximum %.6g\n",
           q[0], q[1], q[2], q[3], q[4]);
    printf("  strongest  ");
    for (size_t k = 0; k < s->count; k++)
        printf("%s%zu: %.6g", k ? ", " : "", s->strongest[k], s->strength[k]);
    printf("\n");
    printf("  classes    %s", s->separable);
    if (isnan(s->seconds))
        printf("\n");
    else
        printf(" by a hyperplane through the origin (%.1f s)\n", s->seconds);
    print_advice(s);
}

static void write_summary(sf_json *json, const char *name, const summary *s, const sf_data_layout *layout)
{
    static const char *const quantile[] = {"minimum", "lower_quartile", "median", "upper_quartile",
                                           "maximum"};
    const sf_dataset_info *info = &s->info;
    sf_json_open_object(json, NULL);
    sf_json_string(json, "name", name);
    sf_json_integer(json, "examples", (int64_t)info->examples);
    sf_json_integer(json, "features", (int64_t)info->features);
    sf_json_bool(json, "mirrored", info->mirrored);
    sf_json_open_array(json, "classes");
    for (int k = 0; k < 2; k++) {
        sf_json_open_object(json, NULL);
        sf_json_integer(json, "label", 2 * k - 1);
        if (info->label_name[k])
            sf_json_string(json, "in_file", info->label_name[k]);
        else
            sf_json_number(json, "in_file", info->raw_label[k]);
        sf_json_integer(json, "examples", (int64_t)info->count[k]);
        sf_json_close_object(json);
    }
    sf_json_close_array(json);
    sf_json_number(json, "minimum", info->minimum);
    sf_json_number(json, "maximum", info->maximum);
    sf_json_integer(json, "zeros", (int64_t)info->zeros);
    sf_json_integer(json, "constant_features", (int64_t)info->constant);
    sf_json_integer(json, "duplicate_features", (int64_t)info->duplicates);
    sf_json_integer(json, "counting_features", (int64_t)info->counting);
    sf_json_number(json, "scale_spread", info->spread);
    sf_json_string(json, "separable", isnan(s->seconds) ? NULL : s->separable);
    if (layout)
        write_layout(json, layout);
    sf_json_open_object(json, "strengths");
    for (int k = 0; k < 5; k++)
        sf_json_number(json, quantile[k], info->strength_quantile[k]);
    sf_json_close_object(json);
    sf_json_open_array(json, "strongest");
    for (size_t k = 0; k < s->count; k++) {
        sf_json_open_object(json, NULL);
        sf_json_integer(json, "feature", (int64_t)s->strongest[k]);
        sf_json_number(json, "strength", s->strength[k]);
        sf_json_close_object(json);
    }
    sf_json_close_array(json);
    sf_json_close_object(json);
}

/* ---- info ---------------------------------------------------------------------------------------------- */

static int show(const sf_cli *cli, sf_json *json, const char *name, const sf_dataset *dataset,
                const sf_data_layout *layout)
{
    summary s;
    int code = summarize(cli, dataset, &s);
    if (code != 0)
        return code;
    code = separate(cli, dataset, &s);
    if (code != 0)
        return code;
    write_summary(json, name, &s, layout);
    if (!cli->json)
        print_summary(name, &s, layout);
    return 0;
}

static int show_experiment(const sf_cli *cli, sf_json *json, const char *path)
{
    sf_experiment *experiment;
    sf_status status =
        sf_experiment_read(cli->context, path, cli->override_count, cli->overrides, &experiment);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    int code = show(cli, json, path, sf_experiment_dataset(experiment), NULL);
    sf_experiment_destroy(&experiment);
    return code;
}

static int read_and_show(const sf_cli *cli, sf_json *json, const char *path, const info_options *options,
                         const sf_data_file *spec, const sf_data_layout *layout)
{
    sf_dataset *dataset;
    sf_status status = sf_dataset_read(cli->context, spec, &dataset);
    if (status == SF_OK)
        status = transform(dataset, options);
    int code = status == SF_OK ? show(cli, json, path, dataset, layout) : sf_cli_fail(cli, status);
    sf_dataset_destroy(&dataset);
    return code;
}

static int show_file(const sf_cli *cli, sf_json *json, const char *path, const info_options *options)
{
    sf_data_file spec;
    sf_data_layout layout = {0};
    names classes, features, drop;
    file_spec(path, options, &spec);
    int code = split(cli, "classes", options->classes, &classes);
    int split_code = split(cli, "features", options->features, &features);
    code = code ? code : split_code;
    split_code = split(cli, "drop", options->drop, &drop);
    code = code ? code : split_code;
    code = code ? code : choose_classes(cli, options->classes, &classes, &spec);
    if (code == 0) {
        spec.feature_count = features.count;
        spec.features = features.name;
        spec.drop_count = drop.count;
        spec.drop = drop.name;
        spec.layout = &layout;
        code = read_and_show(cli, json, path, options, &spec, &layout);
    }
    free(classes.text);
    free(features.text);
    free(drop.text);
    return code;
}

static int show_images(const sf_cli *cli, sf_json *json, const char *path, const info_options *options)
{
    if (is_experiment(path))
        return sf_cli_show_training_images(cli, json, path);
    return sf_cli_show_image_file(cli, json, path, options->labels, options->classes, options->scale);
}

/* The document of all files into a text that is complete, with what could be read, also after a failure. NULL without
 * memory. */
static char *describe_all(const sf_cli *cli, const info_options *options, int *code)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_open_array(&json, "data");
    for (size_t i = 0; i < cli->file_count && *code == 0; i++)
        *code = options->images                ? show_images(cli, &json, cli->files[i], options)
                : is_experiment(cli->files[i]) ? show_experiment(cli, &json, cli->files[i])
                                               : show_file(cli, &json, cli->files[i], options);
    sf_json_close_array(&json);
    sf_json_close_object(&json);
    sf_json_finish(&json);
    if (fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static bool write_text(const void *text, FILE *stream)
{
    return fputs(text, stream) >= 0;
}

static int show_all(const sf_cli *cli, const info_options *options)
{
    int code = 0;
    char *text = describe_all(cli, options, &code);
    if (!text)
        return sf_cli_no_memory(cli);
    int written = sf_cli_document(cli, write_text, text);
    free(text);
    return code != 0 ? code : written;
}

enum {
    FORMAT,
    LABELS,
    LABEL,
    TRANSPOSE,
    CLASSES,
    IMAGES,
    SCALE,
    STANDARDIZE,
    MIRROR,
    FEATURES,
    DROP,
    MISSING
};

static int run_info(sf_cli *cli)
{
    const sf_cli_value *value = cli->value;
    const info_options o = {.format = value[FORMAT].text,
                            .labels = value[LABELS].text,
                            .label = value[LABEL].text,
                            .classes = value[CLASSES].text,
                            .features = value[FEATURES].text,
                            .drop = value[DROP].text,
                            .skip_missing = value[MISSING].text && strcmp(value[MISSING].text, "skip") == 0,
                            .scale = value[SCALE].text ? &value[SCALE].number : NULL,
                            .transpose = value[TRANSPOSE].text != NULL,
                            .standardize = value[STANDARDIZE].text != NULL,
                            .mirror = value[MIRROR].text != NULL,
                            .images = value[IMAGES].text != NULL};
    static const int of_files[] = {FORMAT,      LABELS, LABEL,    TRANSPOSE, CLASSES, SCALE,
                                   STANDARDIZE, MIRROR, FEATURES, DROP,      MISSING},
                     not_of_images[] = {FORMAT, LABEL,    TRANSPOSE, STANDARDIZE,
                                        MIRROR, FEATURES, DROP,      MISSING};
    bool experiments = false, data = false, files_on_disk = false;
    for (size_t i = 0; i < cli->file_count; i++) {
        experiments = experiments || is_experiment(cli->files[i]);
        data = data || !is_experiment(cli->files[i]);
        files_on_disk = files_on_disk || !(is_experiment(cli->files[i]) || sf_cli_is_builtin(cli->files[i]));
    }
    int code = -1;
    if (experiments)
        code = sf_cli_refuse(
            cli, sizeof of_files / sizeof *of_files, of_files,
            "describes a data file; an experiment describes its data itself (--set data.KEY=VALUE "
            "overrides)");
    if (code < 0 && o.images)
        code = sf_cli_refuse(cli, sizeof not_of_images / sizeof *not_of_images, not_of_images,
                             "has no use beside --images, which takes --labels, --classes and --scale only");
    if (code < 0 && o.images && files_on_disk && !o.labels)
        code = sf_cli_usage(cli, "--images without --labels FILE, expected the file of labels");
    if (code < 0 && data && cli->override_count > 0)
        code = sf_cli_usage(cli, "--set is for experiment files");
    return code < 0 ? show_all(cli, &o) : code;
}

static const sf_option info_option[] = {
    [FORMAT] = {"format", "FORMAT", "csv, svmlight, arff or idx (default: by ending, then content)",
                .type = SF_OPTION_CHOICE, .choices = "csv|svmlight|arff|idx"},
    [LABELS] = {"labels", "FILE", "idx: the file of labels", .type = SF_OPTION_INPUT},
    [LABEL] = {"label", "COLUMN", "csv, arff: name or 0-based number of the label (default: last)",
               .type = SF_OPTION_TEXT},
    [TRANSPOSE] = {"transpose", NULL, "csv: one column an example", .type = SF_OPTION_FLAG},
    [CLASSES] = {"classes", "A,B", "labels that become -1 and +1 (images: two or more); others are left out",
                 .type = SF_OPTION_TEXT},
    [IMAGES] = {"images", NULL,
                "as labelled images of any number of classes: IDX, or the experiment of samflow train",
                .type = SF_OPTION_FLAG},
    [SCALE] = {"scale", "X", "multiply every feature (default 1; images: 1/255, digits 1/16)",
               .type = SF_OPTION_NUMBER, .low = -1.7e308, .high = 1.7e308},
    [STANDARDIZE] = {"standardize", NULL, "features to mean 0 and standard deviation 1",
                     .type = SF_OPTION_FLAG},
    [MIRROR] = {"mirror", NULL, "features x become x, -x", .type = SF_OPTION_FLAG},
    [FEATURES] = {"features", "A,B,...",
                  "csv, arff: columns that are features, by name or number (default: all)",
                  .type = SF_OPTION_TEXT},
    [DROP] = {"drop", "A,B,...", "csv, arff: columns to leave out", .type = SF_OPTION_TEXT},
    [MISSING] = {"missing", "WHAT",
                 "csv, arff: error (default), or skip: leave out examples with missing values",
                 .type = SF_OPTION_CHOICE, .choices = "error|skip"},
    {0}};

const sf_command sf_command_data_info = {
    .name = "data info",
    .arguments = "FILE...",
    .summary =
        "what a data set holds: experiment files (.yaml), data files, or digits, which is part of samflow",
    .text = "Examples, classes, values and the strengths of the features, of the data of an experiment or of "
            "data files (CSV, "
            "svmlight, IDX). With --images, labelled images as samflow train reads them.",
    .example = "samflow data info measurements.csv --label outcome",
    .options = info_option,
    .least = 1,
    .most = SF_ANY_NUMBER,
    .missing = "no file given, expected an experiment (.yaml) or data files",
    .files = "",
    .uses = SF_USES_INPUT | SF_USES_BUILTIN | SF_USES_SET | SF_USES_OUTPUT,
    .output = ".json",
    .run = run_info,
};
