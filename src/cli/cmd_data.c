/* samflow data info FILE...: what data sets hold. (samflow data fetch NAME: data_fetch.c) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/data.h"

enum { STRONGEST = 10 };

/* ---- info: what to read -------------------------------------------------------------------------------- */

typedef struct info_options {
    const char *format, *labels, *label, *classes, *scale;
    bool transpose, standardize, mirror, images;
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

static int file_spec(const sf_cli *cli, const char *path, const info_options *options, sf_data_file *spec)
{
    static const struct {
        const char *name;
        sf_file_format format;
    } formats[] = {{"csv", SF_FORMAT_CSV}, {"svmlight", SF_FORMAT_SVMLIGHT}, {"idx", SF_FORMAT_IDX}};
    bool built_in = sf_cli_is_builtin(path);
    *spec = (sf_data_file){.name = built_in ? path : NULL,
                           .path = built_in ? NULL : path,
                           .labels_path = options->labels,
                           .label = options->label,
                           .transpose = options->transpose,
                           .has_classes = options->classes != NULL};
    if (options->format) {
        for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
            if (strcmp(options->format, formats[i].name) == 0)
                spec->format = formats[i].format;
        if (spec->format == SF_FORMAT_AUTO)
            return sf_cli_usage(cli, "data info", "--format is '%s', expected csv, svmlight or idx",
                                options->format);
    }
    const char *at = options->classes;
    if (at && (!parse_double(at, ',', &spec->classes[0], &at) ||
               !parse_double(at + 1, '\0', &spec->classes[1], &at)))
        return sf_cli_usage(cli, "data info", "--classes is '%s', expected two labels as A,B",
                            options->classes);
    return 0;
}

static sf_status transform(sf_dataset *dataset, const info_options *options, double scale)
{
    sf_status status = options->scale ? sf_dataset_scale(dataset, scale) : SF_OK;
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
    size_t count; // of the two above
} summary;

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
    if (!strength) {
        fprintf(stderr, "samflow: out of memory\n");
        return sf_status_exit_code(SF_ERR_MEMORY);
    }
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
            printf(" (in the file: %s)", info->label_name[k]);
        else if (info->raw_label[k] != 2 * k - 1)
            printf(" (in the file: %.15g)", info->raw_label[k]);
    }
    printf(")\n");
}

static void print_summary(const char *name, const summary *s)
{
    const sf_dataset_info *info = &s->info;
    const double *q = info->strength_quantile;
    double entries = (double)info->examples * (double)info->features;
    printf("%s\n  examples   %zu", name, info->examples);
    print_classes(info);
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
}

static void write_summary(sf_json *json, const char *name, const summary *s)
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

static int show(const sf_cli *cli, sf_json *json, const char *name, const sf_dataset *dataset)
{
    summary s;
    int code = summarize(cli, dataset, &s);
    if (code != 0)
        return code;
    write_summary(json, name, &s);
    if (!cli->json)
        print_summary(name, &s);
    return 0;
}

static int show_experiment(const sf_cli *cli, sf_json *json, const char *path)
{
    sf_experiment *experiment;
    sf_status status =
        sf_experiment_read(cli->context, path, cli->override_count, cli->overrides, &experiment);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    int code = show(cli, json, path, sf_experiment_dataset(experiment));
    sf_experiment_destroy(&experiment);
    return code;
}

static int show_file(const sf_cli *cli, sf_json *json, const char *path, const info_options *options)
{
    sf_data_file spec;
    double scale = 1.0;
    const char *end;
    int code = file_spec(cli, path, options, &spec);
    if (code != 0)
        return code;
    if (options->scale && !parse_double(options->scale, '\0', &scale, &end))
        return sf_cli_usage(cli, "data info", "--scale is '%s', expected a number", options->scale);
    sf_dataset *dataset;
    sf_status status = sf_dataset_read(cli->context, &spec, &dataset);
    if (status == SF_OK)
        status = transform(dataset, options, scale);
    code = status == SF_OK ? show(cli, json, path, dataset) : sf_cli_fail(cli, status);
    sf_dataset_destroy(&dataset);
    return code;
}

static bool any_option(const info_options *o)
{
    return o->format || o->labels || o->label || o->classes || o->scale || o->transpose || o->standardize ||
           o->mirror;
}

static int show_images(const sf_cli *cli, sf_json *json, const char *path, const info_options *options)
{
    double scale;
    const char *end;
    if (is_experiment(path))
        return sf_cli_show_course_images(cli, json, path);
    if (options->scale && !parse_double(options->scale, '\0', &scale, &end))
        return sf_cli_usage(cli, "data info", "--scale is '%s', expected a number", options->scale);
    return sf_cli_show_image_file(cli, json, path, options->labels, options->classes,
                                  options->scale ? &scale : NULL);
}

/* The document of all files into a text that is complete, with what could be read, also after a failure. NULL without
 * memory. */
static char *describe_all(const sf_cli *cli, const char **files, int count, const info_options *options,
                          int *code)
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
    for (int i = 0; i < count && *code == 0; i++)
        *code = options->images           ? show_images(cli, &json, files[i], options)
                : is_experiment(files[i]) ? show_experiment(cli, &json, files[i])
                                          : show_file(cli, &json, files[i], options);
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

static int show_all(const sf_cli *cli, const char **files, int count, const info_options *options)
{
    int code = 0;
    char *text = describe_all(cli, files, count, options, &code);
    if (!text) {
        fprintf(stderr, "samflow: out of memory\n");
        return sf_status_exit_code(SF_ERR_MEMORY);
    }
    int written = sf_cli_document(cli, write_text, text);
    free(text);
    return code != 0 ? code : written;
}

static int run_info(sf_cli *cli, int argc, char **argv)
{
    static const sf_command command = {
        "data info", "FILE...",
        "what a data set holds: experiment files (.yaml), data files, or digits, "
        "which is part of samflow",
        NULL};
    info_options o = {0};
    const sf_cli_option options[] = {
        {"format", "FORMAT", "csv, svmlight or idx (default: by ending, then content)", &o.format, NULL},
        {"labels", "FILE", "idx: the file of labels", &o.labels, NULL},
        {"label", "COLUMN", "csv: name or 0-based number of the label (default: last)", &o.label, NULL},
        {"transpose", NULL, "csv: one column an example", NULL, &o.transpose},
        {"classes", "A,B", "labels that become -1 and +1 (images: two or more); others are left out",
         &o.classes, NULL},
        {"images", NULL,
         "as labelled images of any number of classes: IDX, or the experiment of samflow train", NULL,
         &o.images},
        {"scale", "X", "multiply every feature (default 1; images: 1/255, digits 1/16)", &o.scale, NULL},
        {"standardize", NULL, "features to mean 0 and standard deviation 1", NULL, &o.standardize},
        {"mirror", NULL, "features x become x, -x", NULL, &o.mirror}};
    const char **files = calloc((size_t)argc, sizeof *files);
    if (!files) {
        fprintf(stderr, "samflow: out of memory\n");
        return sf_status_exit_code(SF_ERR_MEMORY);
    }
    int code =
        sf_cli_parse(cli, &command, argc, argv, options, sizeof options / sizeof *options, argc, files);
    int count = 0;
    bool experiments = false, data = false, files_on_disk = false;
    for (; code < 0 && count < argc && files[count]; count++) {
        experiments = experiments || is_experiment(files[count]);
        data = data || !is_experiment(files[count]);
        files_on_disk = files_on_disk || !(is_experiment(files[count]) || sf_cli_is_builtin(files[count]));
    }
    if (code < 0 && count == 0)
        code = sf_cli_usage(cli, command.name, "no file given, expected an experiment (.yaml) or data files");
    if (code < 0 && experiments && any_option(&o))
        code = sf_cli_usage(cli, command.name,
                            "options describe data files; an experiment describes its data itself "
                            "(--set data.KEY=VALUE overrides)");
    if (code < 0 && o.images && (o.format || o.label || o.transpose || o.standardize || o.mirror))
        code = sf_cli_usage(cli, command.name, "--images takes --labels, --classes and --scale only");
    if (code < 0 && o.images && files_on_disk && !o.labels)
        code = sf_cli_usage(cli, command.name, "--images without --labels FILE, expected the file of labels");
    if (code < 0)
        code = sf_cli_check_document(cli, command.name);
    if (code < 0 && data && cli->override_count > 0)
        code = sf_cli_usage(cli, command.name, "--set is for experiment files");
    if (code < 0)
        code = show_all(cli, files, count, &o);
    free(files);
    return code;
}

/* ---- data ---------------------------------------------------------------------------------------------- */

int sf_cmd_data(sf_cli *cli, int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "info") == 0)
        return run_info(cli, argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "fetch") == 0)
        return sf_cli_run_fetch(cli, argc - 1, argv + 1);
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("samflow data - what data sets hold, and public ones to download\n\n"
               "usage: samflow data info [OPTIONS] FILE...\n"
               "       samflow data fetch [OPTIONS] NAME\n"
               "       samflow data fetch --list\n\n"
               "samflow data info --help and samflow data fetch --help say more.\n");
        return 0;
    }
    return sf_cli_usage(cli, "data", "expected 'data info FILE...' or 'data fetch NAME'");
}
