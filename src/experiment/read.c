/* From an experiment file to checked settings: text, overrides, the walk over the table, defaults, and what
 * has to hold between settings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/experiment.h"

/* ---- text of a file ------------------------------------------------------------------------------ */

static sf_status read_stream(sf_context *context, FILE *stream, const char *name, const char *expected,
                             sf_text *text)
{
    size_t capacity = 1 << 16, used = SF_TEXT_HEADROOM;
    text->block = sf_alloc(context, capacity, 1);
    if (!text->block)
        return SF_ERR_MEMORY;
    for (;;) {
        used += fread(text->block + used, 1, capacity - used, stream);
        if (used < capacity)
            break;
        char *grown = capacity <= SIZE_MAX / 2 ? sf_resize(context, text->block, capacity * 2, 1) : NULL;
        if (!grown)
            return SF_ERR_MEMORY;
        text->block = grown;
        capacity *= 2;
    }
    text->length = used - SF_TEXT_HEADROOM;
    if (ferror(stream))
        return sf_fail(context, SF_ERR_CONFIG, "%s: cannot be read: %s, expected %s", name, strerror(errno),
                       expected);
    return SF_OK;
}

sf_status sf_text_read(sf_context *context, const char *path, const char *expected, sf_text *text)
{
    if (strcmp(path, "-") == 0)
        return read_stream(context, stdin, "standard input", expected, text);
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return sf_fail(context, SF_ERR_CONFIG, "%s: cannot be opened: %s, expected %s", path, strerror(errno),
                       expected);
    sf_status status = read_stream(context, stream, path, expected, text);
    fclose(stream);
    return status;
}

static sf_status copy_text(sf_context *context, const char *source, sf_text *text)
{
    text->length = strlen(source);
    text->block = sf_alloc(context, text->length + SF_TEXT_HEADROOM, 1);
    if (!text->block)
        return SF_ERR_MEMORY;
    memcpy(text->block + SF_TEXT_HEADROOM, source, text->length);
    return SF_OK;
}

/* ---- overrides ----------------------------------------------------------------------------------- */

/* Puts value at the path a.b.c below root, making mappings on the way; takes value over (NULL removes the
 * key). */
static sf_status put_at(sf_context *context, sf_node *root, char *path, sf_place place, sf_node *value)
{
    sf_node *mapping = root;
    for (char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        *dot = '\0';
        sf_node *child = sf_node_find(mapping, path);
        if (!child || child->kind != SF_NODE_MAPPING) {
            sf_status status = value ? sf_node_new_mapping(context, place, &child) : SF_OK;
            if (status != SF_OK) {
                sf_node_destroy(context, &value);
                return status;
            }
            if (!value)
                return SF_OK; // nothing there to remove
            status = sf_node_put(context, mapping, path, place, child);
            if (status != SF_OK) {
                sf_node_destroy(context, &value);
                return status;
            }
        }
        mapping = child;
    }
    return sf_node_put(context, mapping, path, place, value);
}

static sf_status apply_override(sf_context *context, sf_node *root, const char *text)
{
    const char *sign = strchr(text, '=');
    if (!sign || sign == text)
        return sf_fail(context, SF_ERR_CONFIG, "--set %s: expected KEY.PATH=VALUE", text);
    if (root->kind != SF_NODE_MAPPING)
        return SF_OK; // the walk will say what is wrong with the file
    char *path = sf_strdup(context, text);
    if (!path)
        return SF_ERR_MEMORY;
    path[sign - text] = '\0';
    sf_node *value = NULL;
    sf_status status = sf_document_parse_value(context, text, sign + 1, &value);
    if (status == SF_OK)
        status = put_at(context, root, path, (sf_place){text, 0, 0}, value);
    sf_free(context, path);
    return status;
}

/* ---- what holds between settings ----------------------------------------------------------------- */

static bool given(const sf_experiment *experiment, sf_setting_id id)
{
    return experiment->values[id].given;
}

static bool any_given(const sf_experiment *experiment, unsigned scope)
{
    for (int id = 0; id < SF_SETTING_COUNT; id++)
        if (experiment->values[id].given && sf_settings[id].scope == scope)
            return true;
    return false;
}

static sf_status no_source(const sf_experiment *experiment, const sf_node *root)
{
    char where[SF_PLACE_SIZE];
    const sf_node *data = sf_node_find(root, "data");
    const char *key = "data",
               *expected = experiment->scope & SF_SCOPE_TRAIN
                               ? "exactly one source: data.file, data.name or data.patches"
                               : "exactly one source: data.example, data.points, data.gaussian, "
                                 "data.file or data.name";
    if (any_given(experiment, SF_SCOPE_GAUSSIAN)) {
        key = "data.gaussian.mean";
        expected = "a list of numbers";
    } else if (any_given(experiment, SF_SCOPE_PATCHES)) {
        key = "data.patches.strong";
        expected = "a number > 0";
    }
    return sf_fail(experiment->context, SF_ERR_CONFIG, "%s: %s: missing, expected %s",
                   sf_place_text(data ? data->place : root->place, where), key, expected);
}

/* Exactly one source of data; sets its bit. */
static sf_status find_source(sf_experiment *experiment, const sf_node *root)
{
    static const struct {
        sf_setting_id id;
        unsigned bit;
    } source[] = {{SF_SET_EXAMPLE, SF_SCOPE_EXAMPLE}, {SF_SET_POINTS, SF_SCOPE_POINTS},
                  {SF_SET_MEAN, SF_SCOPE_GAUSSIAN},   {SF_SET_FILE, SF_SCOPE_FILE},
                  {SF_SET_NAME, SF_SCOPE_NAME},       {SF_SET_PATCH_STRONG, SF_SCOPE_PATCHES}};
    enum { SOURCES = sizeof source / sizeof source[0] };
    int first = -1;
    for (int i = 0; i < SOURCES; i++) {
        if (!given(experiment, source[i].id))
            continue;
        if (first >= 0)
            return SF_FAIL_SETTING(experiment, source[i].id,
                                   "a second source of data beside %s, expected exactly one",
                                   sf_settings[source[first].id].key);
        first = i;
    }
    if (first < 0)
        return no_source(experiment, root);
    experiment->scope |= source[first].bit;
    return SF_OK;
}

/* Exactly one kind of start; sets the bit of a random one. */
static sf_status find_start(sf_experiment *experiment)
{
    bool random = given(experiment, SF_SET_RANDOM_SCALE) || given(experiment, SF_SET_RANDOM_SEED);
    if (random && !given(experiment, SF_SET_RANDOM_SCALE))
        return SF_FAIL_SETTING(experiment, SF_SET_RANDOM_SEED,
                               "network.init.random.scale is missing beside it");
    if (random && given(experiment, SF_SET_LAYERS))
        return SF_FAIL_SETTING(experiment, SF_SET_LAYERS,
                               "a second start beside network.init.random, expected one");
    if (random)
        experiment->scope |= SF_SCOPE_RANDOM;
    return SF_OK;
}

static sf_status check_scopes(const sf_experiment *experiment)
{
    for (int id = 0; id < SF_SETTING_COUNT; id++) {
        unsigned scope = sf_settings[id].scope;
        if (given(experiment, (sf_setting_id)id) &&
            !sf_setting_applies(&sf_settings[id], experiment->scope)) {
            char text[SF_SCOPE_TEXT_SIZE];
            unsigned kinds = sf_setting_kinds(&sf_settings[id]);
            scope = kinds & experiment->scope ? scope & ~(unsigned)SF_SCOPE_KINDS : kinds;
            return SF_FAIL_SETTING(experiment, (sf_setting_id)id,
                                   "does not fit this experiment, expected only with %s",
                                   sf_scope_text(scope, text));
        }
    }
    return SF_OK;
}

static bool default_applies(const sf_experiment *experiment, sf_setting_id id)
{
    if (experiment->values[id].given || !sf_setting_applies(&sf_settings[id], experiment->scope))
        return false;
    if (id == SF_SET_INIT)
        return !given(experiment, SF_SET_LAYERS) && !(experiment->scope & SF_SCOPE_RANDOM);
    if (id == SF_SET_EPOCHS)
        return !given(experiment, SF_SET_TRAIN_STEPS);
    if (experiment->scope & SF_SCOPE_TRAIN) {
        if (id == SF_SET_DEPTH)
            return !(experiment->scope & SF_SCOPE_LAYERED);
        if (id == SF_SET_SCALE)
            return (experiment->scope & SF_SCOPE_STORED) != 0;
        if (id == SF_SET_RHO)
            return false;
    }
    if (id == SF_SET_UNTIL_LOG_TIME)
        return !given(experiment, SF_SET_UNTIL_TAU) && !given(experiment, SF_SET_UNTIL_LOG_NORM) &&
               !given(experiment, SF_SET_UNTIL_DIRECTION);
    return true;
}

static sf_status fill_defaults(sf_experiment *experiment)
{
    for (int i = 0; i < SF_SETTING_COUNT; i++) {
        sf_setting_id id = (sf_setting_id)i;
        if (default_applies(experiment, id))
            SF_TRY(sf_value_from_default(experiment->context, id, &experiment->values[id]));
    }
    return SF_OK;
}

/* Both labels of data.classes are among those of the points. */
static sf_status check_classes(const sf_experiment *experiment, const sf_value *labels)
{
    const sf_value *classes = &experiment->values[SF_SET_CLASSES];
    for (size_t k = 0; k < 2; k++) {
        size_t count = 0;
        for (size_t i = 0; i < labels->count; i++)
            count += labels->numbers[i] == classes->numbers[k];
        if (count == 0)
            return SF_FAIL_SETTING(experiment, SF_SET_CLASSES,
                                   "found %.17g, which none of the %zu points has as its label",
                                   classes->numbers[k], labels->count);
    }
    return SF_OK;
}

static sf_status check_labels(const sf_experiment *experiment)
{
    const sf_value *points = &experiment->values[SF_SET_POINTS], *labels = &experiment->values[SF_SET_LABELS];
    if (!points->given)
        return SF_OK;
    if (!labels->given)
        return SF_FAIL_SETTING(experiment, SF_SET_POINTS,
                               "data.labels is missing beside it, expected a list of %zu labels -1 or 1",
                               points->rows);
    if (labels->count != points->rows)
        return SF_FAIL_SETTING(experiment, SF_SET_LABELS, "found %zu labels, expected %zu as in data.points",
                               labels->count, points->rows);
    if (experiment->values[SF_SET_CLASSES].given)
        return check_classes(experiment, labels);
    for (size_t i = 0; i < labels->count; i++)
        if (fabs(labels->numbers[i]) != 1.0)
            return SF_FAIL_SETTING(
                experiment, SF_SET_LABELS,
                "found %.17g at position %zu, expected -1 or 1 (or data.classes: [A, B] to "
                "name the labels that become -1 and 1)",
                labels->numbers[i], i);
    return SF_OK;
}

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Sorts a list of record times and drops what is there twice. */
static void sort_times(sf_value *value)
{
    if (!value->numbers)
        return;
    qsort(value->numbers, value->count, sizeof *value->numbers, compare_numbers);
    size_t kept = 1;
    for (size_t i = 1; i < value->count; i++)
        if (value->numbers[i] != value->numbers[kept - 1])
            value->numbers[kept++] = value->numbers[i];
    value->count = kept;
}

static sf_status check_record_steps(const sf_experiment *experiment)
{
    const sf_value *at = &experiment->values[SF_SET_AT_STEP];
    double steps = (double)experiment->values[SF_SET_STEPS].integer;
    for (size_t i = 0; at->given && i < at->count; i++)
        if (at->numbers[i] != floor(at->numbers[i]) || at->numbers[i] > steps)
            return SF_FAIL_SETTING(
                experiment, SF_SET_AT_STEP,
                "found %.17g at position %zu, expected a whole number from 0 to dynamics.steps = %.0f",
                at->numbers[i], i, steps);
    return SF_OK;
}

static sf_status check_rest(const sf_experiment *experiment)
{
    const sf_value *values = experiment->values;
    if (values[SF_SET_METHOD].choice == SF_METHOD_LP && !given(experiment, SF_SET_P))
        return SF_FAIL_SETTING(experiment, SF_SET_METHOD,
                               "lp-sam without optimizer.p, expected a number > 1 there");
    const sf_value *classes = &values[SF_SET_CLASSES];
    if (classes->given && (classes->count != 2 || classes->numbers[0] == classes->numbers[1]))
        return SF_FAIL_SETTING(experiment, SF_SET_CLASSES, "found %zu numbers, expected two different labels",
                               classes->count);
    SF_TRY(check_labels(experiment));
    return check_record_steps(experiment);
}

static sf_status check_training(const sf_experiment *experiment)
{
    const sf_value *values = experiment->values;
    if (values[SF_SET_METHOD].choice == SF_METHOD_LP)
        return SF_FAIL_SETTING(
            experiment, SF_SET_METHOD,
            "lp-sam is not there for samflow train, expected gd, l2-sam, linf-sam or usam");
    if (values[SF_SET_METHOD].choice != SF_METHOD_GD && !given(experiment, SF_SET_RHO))
        return SF_FAIL_SETTING(experiment, SF_SET_METHOD,
                               "optimizer.rho is missing beside it, expected a finite number >= 0");
    if (values[SF_SET_ADAPTIVE].flag && values[SF_SET_METHOD].choice != SF_METHOD_L2)
        return SF_FAIL_SETTING(experiment, SF_SET_ADAPTIVE, "expected only with optimizer.method: l2-sam");
    if (given(experiment, SF_SET_EPOCHS) && given(experiment, SF_SET_TRAIN_STEPS))
        return SF_FAIL_SETTING(experiment, SF_SET_TRAIN_STEPS,
                               "a second end beside training.epochs, expected one");
    if (given(experiment, SF_SET_DEPTH) && (experiment->scope & SF_SCOPE_LAYERED))
        return SF_FAIL_SETTING(experiment, SF_SET_DEPTH, "expected only with network.model: diagonal");
    if (given(experiment, SF_SET_SCALE) && (experiment->scope & SF_SCOPE_PATCHES))
        return SF_FAIL_SETTING(experiment, SF_SET_SCALE,
                               "expected only with data.file or data.name; data.patches has amplitudes");
    if ((experiment->scope & SF_SCOPE_FILE) && !given(experiment, SF_SET_LABELS_FILE))
        return SF_FAIL_SETTING(experiment, SF_SET_FILE,
                               "data.labels_file is missing beside it, expected the file of labels");
    if ((experiment->scope & SF_SCOPE_STORED) &&
        !(values[SF_SET_WEAK].number <= values[SF_SET_STRONG].number))
        return SF_FAIL_SETTING(experiment, given(experiment, SF_SET_WEAK) ? SF_SET_WEAK : SF_SET_STRONG,
                               "found data.weak %.17g and data.strong %.17g, expected weak <= strong",
                               values[SF_SET_WEAK].number, values[SF_SET_STRONG].number);
    return SF_OK;
}

static sf_status check_course(sf_experiment *experiment)
{
    static const unsigned model_bit[] = {0, SF_SCOPE_MLP, SF_SCOPE_CNN};
    if (!given(experiment, SF_SET_MODEL))
        SF_TRY(sf_value_from_default(experiment->context, SF_SET_MODEL, &experiment->values[SF_SET_MODEL]));
    experiment->scope |= model_bit[experiment->values[SF_SET_MODEL].choice];
    SF_TRY(check_scopes(experiment));
    SF_TRY(fill_defaults(experiment));
    return check_training(experiment);
}

static sf_status check_run(sf_experiment *experiment)
{
    static const unsigned mode_bit[] = {SF_SCOPE_FLOW, SF_SCOPE_DISCRETE, SF_SCOPE_EXACT};
    SF_TRY(find_start(experiment));
    if (!given(experiment, SF_SET_MODE))
        SF_TRY(sf_value_from_default(experiment->context, SF_SET_MODE, &experiment->values[SF_SET_MODE]));
    experiment->scope |= mode_bit[experiment->values[SF_SET_MODE].choice];
    SF_TRY(check_scopes(experiment));
    SF_TRY(fill_defaults(experiment));
    SF_TRY(check_rest(experiment));
    sort_times(&experiment->values[SF_SET_AT_STEP]);
    sort_times(&experiment->values[SF_SET_AT_TAU]);
    sort_times(&experiment->values[SF_SET_AT_LOG_TIME]);
    return SF_OK;
}

/* A source of the other kind is said to be that before anything is missed. */
static sf_status check(sf_experiment *experiment, const sf_node *root)
{
    SF_TRY(find_source(experiment, root));
    return experiment->scope & SF_SCOPE_TRAIN ? check_course(experiment) : check_run(experiment);
}

/* ---- reading ------------------------------------------------------------------------------------- */

static sf_status read_document(sf_experiment *experiment, sf_node *root, size_t count,
                               const char *const *overrides)
{
    sf_context *context = experiment->context;
    for (size_t i = 0; i < count; i++)
        SF_TRY(apply_override(context, root, overrides[i]));
    SF_TRY(sf_settings_read(context, root, experiment->values));
    return check(experiment, root);
}

/* Parses the text and releases it: the settings hold all that is needed of it. */
static sf_status parse_text(sf_experiment *experiment, sf_text *text, size_t count,
                            const char *const *overrides)
{
    sf_context *context = experiment->context;
    sf_node *root = NULL;
    sf_status status = sf_document_parse(context, experiment->name, text, &root);
    sf_free(context, text->block);
    text->block = NULL;
    if (status == SF_OK)
        status = read_document(experiment, root, count, overrides);
    sf_node_destroy(context, &root);
    return status;
}

static sf_status create(sf_context *context, const char *name, unsigned kind, sf_experiment **out)
{
    *out = SF_NEW(context, sf_experiment);
    if (!*out)
        return SF_ERR_MEMORY;
    (*out)->context = context;
    (*out)->scope = kind;
    (*out)->name = sf_strdup(context, strcmp(name, "-") == 0 ? "standard input" : name);
    return (*out)->name ? SF_OK : SF_ERR_MEMORY;
}

sf_status sf_experiment_settings(sf_context *context, const char *name, const char *source, size_t count,
                                 const char *const *overrides, unsigned kind, sf_experiment **out)
{
    sf_text text = {NULL, 0};
    sf_status status = create(context, name, kind, out);
    if (status == SF_OK)
        status = source ? copy_text(context, source, &text)
                        : sf_text_read(context, name, "an experiment file", &text);
    if (status == SF_OK)
        status = parse_text(*out, &text, count, overrides);
    sf_free(context, text.block);
    if (status != SF_OK)
        sf_experiment_destroy(out);
    return status;
}

static sf_status build(sf_context *context, const char *name, const char *source, size_t count,
                       const char *const *overrides, sf_shelf *shelf, sf_experiment **out)
{
    SF_TRY(sf_experiment_settings(context, name, source, count, overrides, SF_SCOPE_RUN, out));
    (*out)->shelf = shelf;
    sf_status status = sf_experiment_load(*out);
    if (status != SF_OK)
        sf_experiment_destroy(out);
    return status;
}

sf_status sf_experiment_parse(sf_context *context, const char *name, const char *text, size_t count,
                              const char *const *overrides, sf_experiment **out)
{
    return build(context, name, text, count, overrides, NULL, out);
}

sf_status sf_experiment_parse_shared(sf_context *context, const char *name, const char *text, size_t count,
                                     const char *const *overrides, sf_shelf *shelf, sf_experiment **out)
{
    return build(context, name, text, count, overrides, shelf, out);
}

sf_status sf_experiment_read(sf_context *context, const char *path, size_t count,
                             const char *const *overrides, sf_experiment **out)
{
    return build(context, path, NULL, count, overrides, NULL, out);
}
