/* Data set and network of an experiment, from its checked settings. */
#define _XOPEN_SOURCE 700 // realpath

#include <samflow/files.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiment/data_cache.h"

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

/* The file that a setting means, as an absolute path to be released. */
static sf_status find_file(const sf_settings *settings, sf_setting_id id, char **path)
{
    sf_context *context = settings->context;
    const char *text = settings->values[id].text, *name = settings->name ? settings->name : "";
    const char *folders[] = {name, getenv("SAMFLOW_DATA")};
    size_t lengths[] = {folder_length(name), folders[1] ? strlen(folders[1]) : 0};
    bool absolute = text[0] == '/';
    *path = NULL;
    for (size_t i = 0; i < (absolute ? 1 : 2); i++) {
        if (i == 1 && lengths[i] == 0)
            continue;
        char *candidate = join(context, folders[i], absolute ? 0 : lengths[i], text);
        if (!candidate)
            return SF_ERR_MEMORY;
        char *real = access(candidate, F_OK) == 0 ? realpath(candidate, NULL) : NULL;
        sf_free(context, candidate);
        if (!real)
            continue;
        *path = sf_strdup(context, real);
        free(real);
        return *path ? SF_OK : SF_ERR_MEMORY;
    }
    SF_FAIL_VALUE(settings, id, "'%s' does not exist%s%s, expected a data file", text,
                  absolute ? "" : ", neither from the folder of the experiment file nor from $SAMFLOW_DATA",
                  absolute || lengths[1] ? "" : " (not set)");
    return SF_ERR_DATA;
}

sf_status sf_experiment_find_file(sf_experiment *experiment, sf_setting_id id)
{
    char *path;
    SF_TRY(find_file(experiment->settings, id, &path));
    sf_free(experiment->context, experiment->values[id].text);
    experiment->values[id].text = path;
    return SF_OK;
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

/* Name, size and time of a file. */
static sf_hash hash_state(const char *path)
{
    struct stat info = {0};
    sf_hash name = sf_hash_bytes(path, strlen(path)), pair[2];
    if (stat(path, &info) != 0)
        return name;
    int64_t state[] = {(int64_t)info.st_size, (int64_t)info.st_mtim.tv_sec, (int64_t)info.st_mtim.tv_nsec,
                       (int64_t)info.st_ino};
    pair[0] = name;
    pair[1] = sf_hash_bytes(state, sizeof state);
    return sf_hash_bytes(pair, sizeof pair);
}

static sf_header header_of(const sf_value *value)
{
    return !value->set ? SF_HEADER_GUESS : value->flag ? SF_HEADER_YES : SF_HEADER_NO;
}

/* All that the data set follows from: every setting of data, and the state of the files. */
static sf_hash data_key(const sf_experiment *experiment)
{
    const sf_value *values = experiment->values;
    sf_hash pair[2] = {{{0}}};
    for (int id = 0; id < SF_SETTING_COUNT; id++) {
        if (!values[id].set || strncmp(sf_settings_table[id].key, "data.", 5) != 0)
            continue;
        pair[1] = sf_value_hash((sf_setting_id)id, &values[id]);
        pair[0] = sf_hash_bytes(pair, sizeof pair);
        if (id == SF_SET_FILE || id == SF_SET_LABELS_FILE) {
            pair[1] = hash_state(values[id].text);
            pair[0] = sf_hash_bytes(pair, sizeof pair);
        }
    }
    return pair[0];
}

/* H over the bytes of a file, a block at a time. */
static sf_status hash_file(const sf_settings *settings, sf_setting_id id, const char *path, sf_hash *content)
{
    enum { BLOCK = 1 << 20 };
    FILE *stream = fopen(path, "rb");
    unsigned char *block = SF_ARRAY(settings->context, BLOCK + sizeof *content, unsigned char);
    bool good = stream && block;
    size_t size = BLOCK;
    *content = (sf_hash){{0}};
    while (good && size == BLOCK) {
        memcpy(block, content, sizeof *content);
        size = fread(block + sizeof *content, 1, BLOCK, stream);
        *content = sf_hash_bytes(block, sizeof *content + size);
        good = !ferror(stream);
    }
    bool lacking = stream && !block;
    if (stream)
        fclose(stream);
    sf_free(settings->context, block);
    if (good || lacking)
        return good ? SF_OK : SF_ERR_MEMORY;
    SF_FAIL_VALUE(settings, id, "'%s' cannot be read", path);
    return SF_ERR_DATA;
}

static sf_status content_of(const sf_settings *settings, sf_setting_id id, sf_data_cache *cache,
                            sf_hash *content)
{
    char *path;
    SF_TRY(find_file(settings, id, &path));
    sf_hash key = hash_state(path);
    sf_status status = SF_OK;
    if (!sf_data_cache_recall(cache, key, content)) {
        status = hash_file(settings, id, path, content);
        if (status == SF_OK)
            sf_data_cache_remember(cache, key, *content);
    }
    sf_free(settings->context, path);
    return status;
}

sf_status sf_settings_content(const sf_settings *settings, sf_data_cache *cache, sf_hash *content)
{
    sf_hash pair[2] = {{{0}}, {{0}}};
    if (settings->scope & SF_SCOPE_FILE)
        SF_TRY(content_of(settings, SF_SET_FILE, cache, &pair[0]));
    if ((settings->scope & SF_SCOPE_FILE) && settings->values[SF_SET_LABELS_FILE].set)
        SF_TRY(content_of(settings, SF_SET_LABELS_FILE, cache, &pair[1]));
    *content = sf_hash_bytes(pair, sizeof pair);
    return SF_OK;
}

/* The items of a list of names or numbers, as texts. */
typedef struct name_list {
    size_t count;
    const char *const *name; // (count), in the block
    void *block;
} name_list;

static sf_status split_names(sf_context *context, const sf_value *value, name_list *list)
{
    enum { DIGITS = 32 };
    *list = (name_list){.count = value->set ? value->count : 0};
    if (list->count == 0)
        return SF_OK;
    size_t texts = value->text ? strlen(value->text) + 1 : DIGITS * list->count;
    char *block = sf_alloc(context, list->count * sizeof(char *) + texts, 1);
    if (!block)
        return SF_ERR_MEMORY;
    char **name = (char **)(void *)block, *text = block + list->count * sizeof(char *);
    if (value->text)
        memcpy(text, value->text, texts);
    for (size_t i = 0; i < list->count; i++) {
        name[i] = text;
        if (value->text) {
            text += strcspn(text, "\n");
            *text++ = '\0';
        } else {
            sf_number_text(value->numbers[i], text);
            text += DIGITS;
        }
    }
    list->block = block;
    list->name = (const char *const *)name;
    return SF_OK;
}

static sf_status load_file(sf_experiment *experiment)
{
    static const sf_file_format format[] = {SF_FORMAT_CSV, SF_FORMAT_SVMLIGHT, SF_FORMAT_IDX, SF_FORMAT_ARFF};
    const sf_value *values = experiment->values;
    sf_data_file spec = {.name = sf_experiment_data_name(experiment),
                         .path = values[SF_SET_FILE].text,
                         .format = values[SF_SET_FORMAT].set ? format[values[SF_SET_FORMAT].choice]
                                                             : SF_FORMAT_AUTO,
                         .labels_path = values[SF_SET_LABELS_FILE].text,
                         .label = values[SF_SET_LABEL].text,
                         .transpose = values[SF_SET_TRANSPOSE].flag,
                         .header = header_of(&values[SF_SET_HEADER]),
                         .has_classes = values[SF_SET_CLASSES].numbers != NULL,
                         .skip_missing = values[SF_SET_MISSING].set && values[SF_SET_MISSING].choice == 1};
    name_list classes = {0}, features = {0}, drop = {0};
    if (spec.has_classes)
        memcpy(spec.classes, values[SF_SET_CLASSES].numbers, sizeof spec.classes);
    sf_status status = split_names(experiment->context, &values[SF_SET_CLASSES], &classes);
    if (status == SF_OK)
        status = split_names(experiment->context, &values[SF_SET_FEATURES], &features);
    if (status == SF_OK)
        status = split_names(experiment->context, &values[SF_SET_DROP], &drop);
    if (status == SF_OK) {
        for (size_t k = 0; k < 2 && !spec.has_classes && classes.count == 2; k++)
            spec.class_names[k] = classes.name[k];
        spec.feature_count = features.count;
        spec.features = features.name;
        spec.drop_count = drop.count;
        spec.drop = drop.name;
        status = sf_dataset_read(experiment->context, &spec, &experiment->dataset);
    }
    sf_free(experiment->context, classes.block);
    sf_free(experiment->context, features.block);
    sf_free(experiment->context, drop.block);
    return status;
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
    if (values[SF_SET_INTERCEPT].set) {
        if (values[SF_SET_INTERCEPT].number == 0.0)
            return SF_FAIL_SETTING(experiment, SF_SET_INTERCEPT,
                                   "found 0, expected the value of a constant feature");
        SF_TRY(sf_dataset_append(experiment->dataset, values[SF_SET_INTERCEPT].number));
    }
    if (values[SF_SET_MIRROR].flag)
        SF_TRY(sf_dataset_mirror(experiment->dataset));
    return SF_OK;
}

/* ---- the network --------------------------------------------------------------------------------- */

static sf_status check_start(const sf_settings *settings, size_t d, bool mirrored)
{
    const sf_value *init = &settings->values[SF_SET_INIT], *layers = &settings->values[SF_SET_LAYERS];
    uint64_t depth = settings->values[SF_SET_DEPTH].integer;
    const char *twice = mirrored ? " (twice those of the data: data.mirror)" : "";
    if (!layers->set && init->numbers && init->count != d)
        return SF_FAIL_VALUE(settings, SF_SET_INIT,
                             "found a list of %zu numbers, expected %zu, one a feature%s", init->count, d,
                             twice);
    if (layers->set && layers->rows != depth)
        return SF_FAIL_VALUE(settings, SF_SET_LAYERS, "found %zu lists, expected %llu, one a layer",
                             layers->rows, (unsigned long long)depth);
    if (layers->set && layers->count != d)
        return SF_FAIL_VALUE(settings, SF_SET_LAYERS,
                             "found lists of %zu numbers, expected %zu, one a feature%s", layers->count, d,
                             twice);
    return SF_OK;
}

static sf_status check_exact(const sf_settings *settings, size_t examples)
{
    if (!(settings->scope & SF_SCOPE_EXACT))
        return SF_OK;
    int method = settings->values[SF_SET_METHOD].choice;
    uint64_t depth = settings->values[SF_SET_DEPTH].integer;
    if (examples != 1 || depth != 2 || (method != SF_METHOD_GD && method != SF_METHOD_L2))
        return SF_FAIL_VALUE(
            settings, SF_SET_MODE,
            "exact needs one example, depth 2 and method gd or l2-sam; found %zu, %llu and %s", examples,
            (unsigned long long)depth, sf_method_name((sf_method)method));
    return SF_OK;
}

sf_status sf_settings_check_shape(const sf_settings *settings, size_t n, size_t d)
{
    SF_TRY(check_start(settings, d, settings->values[SF_SET_MIRROR].flag));
    return check_exact(settings, n);
}

bool sf_settings_shape(const sf_settings *settings, size_t *n, size_t *d)
{
    const sf_value *values = settings->values, *labels = &values[SF_SET_LABELS],
                   *classes = &values[SF_SET_CLASSES];
    if (settings->scope & SF_SCOPE_EXAMPLE) {
        *n = 1;
        *d = values[SF_SET_EXAMPLE].count;
    } else if (settings->scope & SF_SCOPE_POINTS) {
        *n = 0;
        *d = values[SF_SET_POINTS].count;
        for (size_t i = 0; i < labels->count; i++)
            *n += !classes->set || labels->numbers[i] == classes->numbers[0] ||
                  labels->numbers[i] == classes->numbers[1];
    } else if (settings->scope & SF_SCOPE_GAUSSIAN) {
        *n = 2 * (size_t)values[SF_SET_PER_CLASS].integer;
        *d = values[SF_SET_MEAN].count;
    } else {
        return false;
    }
    *d *= values[SF_SET_MIRROR].flag ? 2 : 1;
    return true;
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

/* Files are read once for all experiments that share a cache. */
static sf_status load_shared(sf_experiment *experiment)
{
    sf_data_cache *cache = experiment->cache;
    if (experiment->settings->scope & SF_SCOPE_FILE)
        SF_TRY(find_files(experiment));
    if (!cache)
        return load_and_transform(experiment);
    sf_hash key = data_key(experiment);
    experiment->dataset = sf_data_cache_borrow(cache, key, &experiment->data_number);
    if (experiment->dataset)
        return SF_OK;
    SF_TRY(load_and_transform(experiment));
    sf_data_cache_keep(cache, key, experiment->dataset, &experiment->data_number);
    return SF_OK;
}

sf_status sf_experiment_load(sf_experiment *experiment)
{
    const sf_value *values = experiment->values;
    SF_TRY(experiment->settings->scope & SF_SCOPE_STORED ? load_shared(experiment)
                                                         : load_and_transform(experiment));
    SF_TRY(sf_settings_check_shape(experiment->settings, sf_dataset_examples(experiment->dataset),
                                   sf_dataset_features(experiment->dataset)));
    return sf_network_create(experiment->context, experiment->dataset, (int)values[SF_SET_DEPTH].integer,
                             (sf_loss)values[SF_SET_LOSS].choice, &experiment->network);
}
