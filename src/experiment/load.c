/* Data set and network of an experiment, from its checked settings. */
#define _XOPEN_SOURCE 700 // realpath

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiment/shelf.h"

/* ---- data files ---------------------------------------------------------------------------------- */

/* folder/path, or path alone if folder is empty; released by the caller. */
static char *join(sf_context *context, const char *folder, size_t folder_length, const char *path)
{
    size_t size = folder_length + strlen(path) + 2;
    char *joined = sf_alloc(context, size, 1);
    if (joined)
        snprintf(joined, size, "%.*s%s%s", (int)folder_length, folder, folder_length ? "/" : "", path);
    return joined;
}

static size_t folder_length(const char *name)
{
    const char *slash = strrchr(name, '/');
    return !slash ? 0 : slash == name ? 1 : (size_t)(slash - name);
}

sf_status sf_experiment_find_file(sf_experiment *experiment, sf_setting_id id)
{
    sf_context *context = experiment->context;
    sf_value *value = &experiment->values[id];
    const char *folders[] = {experiment->settings->name, getenv("SAMFLOW_DATA")};
    size_t lengths[] = {folder_length(experiment->settings->name), folders[1] ? strlen(folders[1]) : 0};
    bool absolute = value->text[0] == '/';
    for (size_t i = 0; i < (absolute ? 1 : 2); i++) {
        if (i == 1 && lengths[i] == 0)
            continue;
        char *candidate = join(context, folders[i], absolute ? 0 : lengths[i], value->text);
        if (!candidate)
            return SF_ERR_MEMORY;
        char *real = access(candidate, F_OK) == 0 ? realpath(candidate, NULL) : NULL;
        sf_free(context, candidate);
        if (!real)
            continue;
        char *copy = sf_strdup(context, real);
        free(real);
        if (!copy)
            return SF_ERR_MEMORY;
        sf_free(context, value->text);
        value->text = copy;
        return SF_OK;
    }
    SF_FAIL_SETTING(experiment, id, "'%s' does not exist%s%s, expected a data file", value->text,
                    absolute ? "" : ", neither from the folder of the experiment file nor from $SAMFLOW_DATA",
                    absolute || lengths[1] ? "" : " (not set)");
    return SF_ERR_DATA;
}

const char *sf_experiment_data_name(const sf_experiment *experiment)
{
    return experiment->settings->scope & SF_SCOPE_NAME
               ? sf_dataset_builtin((size_t)experiment->values[SF_SET_NAME].choice)
               : NULL;
}

static sf_status find_files(sf_experiment *experiment)
{
    SF_TRY(sf_experiment_find_file(experiment, SF_SET_FILE));
    if (experiment->values[SF_SET_LABELS_FILE].set)
        SF_TRY(sf_experiment_find_file(experiment, SF_SET_LABELS_FILE));
    return SF_OK;
}

static void write_file(FILE *stream, const char *path)
{
    struct stat info = {0};
    if (path && stat(path, &info) == 0)
        fprintf(stream, "%s %lld %lld.%09ld\n", path, (long long)info.st_size, (long long)info.st_mtim.tv_sec,
                info.st_mtim.tv_nsec);
    else
        fputs(path ? path : "-\n", stream);
}

/* All that the data set follows from, as a text; released with free. NULL without memory. */
static char *data_key(const sf_experiment *experiment)
{
    const sf_value *values = experiment->values, *classes = &values[SF_SET_CLASSES];
    char *key = NULL;
    size_t size;
    FILE *stream = open_memstream(&key, &size);
    if (!stream)
        return NULL;
    fprintf(stream, "%d ", values[SF_SET_NAME].set ? values[SF_SET_NAME].choice : -1);
    write_file(stream, values[SF_SET_FILE].text);
    write_file(stream, values[SF_SET_LABELS_FILE].text);
    fprintf(stream, "%d %s\n%d %d %d %.17g", values[SF_SET_FORMAT].set ? values[SF_SET_FORMAT].choice : -1,
            values[SF_SET_LABEL].text ? values[SF_SET_LABEL].text : "", values[SF_SET_TRANSPOSE].flag,
            values[SF_SET_STANDARDIZE].flag, values[SF_SET_MIRROR].flag, values[SF_SET_SCALE].number);
    for (size_t i = 0; classes->set && i < classes->count; i++)
        fprintf(stream, " %.17g", classes->numbers[i]);
    if (fclose(stream) != 0) {
        free(key);
        return NULL;
    }
    return key;
}

static sf_status load_file(sf_experiment *experiment)
{
    static const sf_file_format format[] = {SF_FORMAT_CSV, SF_FORMAT_SVMLIGHT, SF_FORMAT_IDX};
    const sf_value *values = experiment->values;
    sf_data_file spec = {.name = sf_experiment_data_name(experiment),
                         .path = values[SF_SET_FILE].text,
                         .format = values[SF_SET_FORMAT].set ? format[values[SF_SET_FORMAT].choice]
                                                             : SF_FORMAT_AUTO,
                         .labels_path = values[SF_SET_LABELS_FILE].text,
                         .label = values[SF_SET_LABEL].text,
                         .transpose = values[SF_SET_TRANSPOSE].flag,
                         .has_classes = values[SF_SET_CLASSES].set};
    if (spec.has_classes)
        memcpy(spec.classes, values[SF_SET_CLASSES].numbers, sizeof spec.classes);
    return sf_dataset_read(experiment->context, &spec, &experiment->dataset);
}

/* ---- data in the experiment file ----------------------------------------------------------------- */

/* The data set holds its own copy of the numbers; the settings keep theirs only if a transformation will make
 * the two differ. */
static void release_points(sf_experiment *experiment, sf_setting_id id)
{
    const sf_value *values = experiment->values;
    if (values[SF_SET_SCALE].number == 1.0 && !values[SF_SET_STANDARDIZE].flag) {
        sf_free(experiment->context, experiment->values[id].numbers);
        experiment->values[id].numbers = NULL;
    }
}

static sf_status load_example(sf_experiment *experiment)
{
    const sf_value *example = &experiment->values[SF_SET_EXAMPLE];
    SF_TRY(sf_dataset_from_points(experiment->context, 1, example->count, example->numbers, NULL,
                                  &experiment->dataset));
    release_points(experiment, SF_SET_EXAMPLE);
    return SF_OK;
}

/* Leaves the points whose labels are among data.classes, with labels -1 and 1, as if they had been given so. */
static void apply_classes(sf_experiment *experiment)
{
    sf_value *points = &experiment->values[SF_SET_POINTS], *labels = &experiment->values[SF_SET_LABELS];
    sf_value *classes = &experiment->values[SF_SET_CLASSES];
    size_t kept = 0, d = points->count;
    for (size_t i = 0; i < labels->count && classes->set; i++) {
        if (labels->numbers[i] != classes->numbers[0] && labels->numbers[i] != classes->numbers[1])
            continue;
        memmove(points->numbers + kept * d, points->numbers + i * d, d * sizeof *points->numbers);
        labels->numbers[kept++] = labels->numbers[i] == classes->numbers[0] ? -1.0 : 1.0;
    }
    if (classes->set)
        points->rows = labels->count = kept;
    classes->set = classes->given = false;
}

static sf_status load_points(sf_experiment *experiment)
{
    apply_classes(experiment);
    const sf_value *points = &experiment->values[SF_SET_POINTS], *given = &experiment->values[SF_SET_LABELS];
    int *labels = SF_ARRAY(experiment->context, given->count, int);
    if (!labels)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < given->count; i++)
        labels[i] = given->numbers[i] < 0.0 ? -1 : 1;
    sf_status status = sf_dataset_from_points(experiment->context, points->rows, points->count,
                                              points->numbers, labels, &experiment->dataset);
    sf_free(experiment->context, labels);
    if (status == SF_OK)
        release_points(experiment, SF_SET_POINTS);
    return status;
}

static sf_status load_gaussian(sf_experiment *experiment)
{
    const sf_value *values = experiment->values;
    sf_gaussian spec = {.d = values[SF_SET_MEAN].count,
                        .mean = values[SF_SET_MEAN].numbers,
                        .std = values[SF_SET_STD].number,
                        .per_class = (size_t)values[SF_SET_PER_CLASS].integer,
                        .seed = values[SF_SET_DATA_SEED].integer,
                        .separable = values[SF_SET_SEPARABLE].flag};
    size_t zeros = 0;
    while (zeros < spec.d && spec.mean[zeros] == 0.0)
        zeros++;
    if (spec.separable && zeros == spec.d)
        return SF_FAIL_SETTING(experiment, SF_SET_MEAN,
                               "found only zeros, expected a direction that separates the classes "
                               "(data.gaussian.separable)");
    return sf_dataset_gaussian(experiment->context, &spec, &experiment->dataset);
}

static sf_status transform(const sf_experiment *experiment)
{
    const sf_value *values = experiment->values;
    if (values[SF_SET_SCALE].number != 1.0)
        SF_TRY(sf_dataset_scale(experiment->dataset, values[SF_SET_SCALE].number));
    if (values[SF_SET_STANDARDIZE].flag)
        SF_TRY(sf_dataset_standardize(experiment->dataset));
    if (values[SF_SET_MIRROR].flag)
        SF_TRY(sf_dataset_mirror(experiment->dataset));
    return SF_OK;
}

/* ---- the network --------------------------------------------------------------------------------- */

static sf_status check_start(const sf_experiment *experiment, size_t d)
{
    const sf_value *init = &experiment->values[SF_SET_INIT], *layers = &experiment->values[SF_SET_LAYERS];
    uint64_t depth = experiment->values[SF_SET_DEPTH].integer;
    const char *mirrored =
        sf_dataset_mirrored(experiment->dataset) ? " (twice those of the data: data.mirror)" : "";
    if (!layers->set && init->numbers && init->count != d)
        return SF_FAIL_SETTING(experiment, SF_SET_INIT,
                               "found a list of %zu numbers, expected %zu, one a feature%s", init->count, d,
                               mirrored);
    if (layers->set && layers->rows != depth)
        return SF_FAIL_SETTING(experiment, SF_SET_LAYERS, "found %zu lists, expected %llu, one a layer",
                               layers->rows, (unsigned long long)depth);
    if (layers->set && layers->count != d)
        return SF_FAIL_SETTING(experiment, SF_SET_LAYERS,
                               "found lists of %zu numbers, expected %zu, one a feature%s", layers->count, d,
                               mirrored);
    return SF_OK;
}

static sf_status check_exact(const sf_experiment *experiment)
{
    if (!(experiment->settings->scope & SF_SCOPE_EXACT))
        return SF_OK;
    int method = experiment->values[SF_SET_METHOD].choice;
    size_t examples = sf_dataset_examples(experiment->dataset);
    uint64_t depth = experiment->values[SF_SET_DEPTH].integer;
    if (examples != 1 || depth != 2 || (method != SF_METHOD_GD && method != SF_METHOD_L2))
        return SF_FAIL_SETTING(
            experiment, SF_SET_MODE,
            "exact needs one example, depth 2 and method gd or l2-sam; found %zu, %llu and %s", examples,
            (unsigned long long)depth, sf_method_name((sf_method)method));
    return SF_OK;
}

static sf_status load_data(sf_experiment *experiment)
{
    if (experiment->settings->scope & SF_SCOPE_EXAMPLE)
        return load_example(experiment);
    if (experiment->settings->scope & SF_SCOPE_POINTS)
        return load_points(experiment);
    if (experiment->settings->scope & SF_SCOPE_GAUSSIAN)
        return load_gaussian(experiment);
    return load_file(experiment);
}

static sf_status load_and_transform(sf_experiment *experiment)
{
    SF_TRY(load_data(experiment));
    return transform(experiment);
}

/* Files are read once for all experiments that share a shelf. */
static sf_status load_shared(sf_experiment *experiment)
{
    if (experiment->settings->scope & SF_SCOPE_FILE)
        SF_TRY(find_files(experiment));
    char *key = experiment->shelf ? data_key(experiment) : NULL;
    if (key)
        experiment->dataset = sf_shelf_borrow(experiment->shelf, key, &experiment->data_number);
    sf_status status = experiment->dataset ? SF_OK : load_and_transform(experiment);
    if (status == SF_OK && key && experiment->data_number == 0)
        sf_shelf_keep(experiment->shelf, key, experiment->dataset, &experiment->data_number);
    free(key);
    return status;
}

sf_status sf_experiment_load(sf_experiment *experiment)
{
    const sf_value *values = experiment->values;
    SF_TRY(experiment->settings->scope & SF_SCOPE_STORED ? load_shared(experiment)
                                                         : load_and_transform(experiment));
    SF_TRY(check_start(experiment, sf_dataset_features(experiment->dataset)));
    SF_TRY(check_exact(experiment));
    return sf_network_create(experiment->context, experiment->dataset, (int)values[SF_SET_DEPTH].integer,
                             (sf_loss)values[SF_SET_LOSS].choice, &experiment->network);
}
