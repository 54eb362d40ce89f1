/* What has to hold between settings: one source of data, one start, what applies to the experiment at hand; and the
 * defaults, which follow from it. */
#include <samflow/sam.h>
#include <stdlib.h>
#include <string.h>

#include "settings/settings.h"

static bool given(const sf_settings *settings, sf_setting_id id)
{
    return settings->values[id].given;
}

static bool any_given(const sf_settings *settings, unsigned scope)
{
    for (int id = 0; id < SF_SETTING_COUNT; id++)
        if (settings->values[id].given && sf_settings_table[id].scope == scope)
            return true;
    return false;
}

static sf_status no_source(const sf_settings *settings)
{
    const char *key = "data",
               *expected = settings->scope & SF_SCOPE_TRAIN
                               ? "exactly one source: data.file, data.name or data.patches"
                               : "exactly one source: data.example, data.points, data.gaussian, "
                                 "data.file or data.name";
    if (any_given(settings, SF_SCOPE_GAUSSIAN)) {
        key = "data.gaussian.mean";
        expected = "a list of numbers";
    } else if (any_given(settings, SF_SCOPE_PATCHES)) {
        key = "data.patches.strong";
        expected = "a number > 0";
    }
    sf_fail(settings->context, SF_ERR_CONFIG, "%s: missing, expected %s", key, expected);
    return sf_fail_at(settings->context, settings->place);
}

/* Exactly one source of data; sets its bit. */
static sf_status find_source(sf_settings *settings)
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
        if (!given(settings, source[i].id))
            continue;
        if (first >= 0)
            return SF_FAIL_VALUE(settings, source[i].id,
                                 "a second source of data beside %s, expected exactly one",
                                 sf_settings_table[source[first].id].key);
        first = i;
    }
    if (first < 0)
        return no_source(settings);
    settings->scope |= source[first].bit;
    return SF_OK;
}

/* Exactly one kind of start; sets the bit of a random one. */
static sf_status find_start(sf_settings *settings)
{
    bool random = given(settings, SF_SET_RANDOM_SCALE) || given(settings, SF_SET_RANDOM_SEED);
    if (random && !given(settings, SF_SET_RANDOM_SCALE))
        return SF_FAIL_VALUE(settings, SF_SET_RANDOM_SEED, "network.init.random.scale is missing beside it");
    if (random && given(settings, SF_SET_LAYERS))
        return SF_FAIL_VALUE(settings, SF_SET_LAYERS,
                             "a second start beside network.init.random, expected one");
    if (random)
        settings->scope |= SF_SCOPE_RANDOM;
    return SF_OK;
}

static sf_status check_scopes(const sf_settings *settings)
{
    for (int id = 0; id < SF_SETTING_COUNT; id++) {
        unsigned scope = sf_settings_table[id].scope;
        if (given(settings, (sf_setting_id)id) &&
            !sf_setting_applies(&sf_settings_table[id], settings->scope)) {
            char text[SF_SCOPE_TEXT_SIZE];
            unsigned kinds = sf_setting_kinds(&sf_settings_table[id]);
            scope = kinds & settings->scope ? scope & ~(unsigned)SF_SCOPE_KINDS : kinds;
            return SF_FAIL_VALUE(settings, (sf_setting_id)id,
                                 "does not fit this experiment, expected only with %s",
                                 sf_scope_text(scope, text));
        }
    }
    return SF_OK;
}

static bool default_applies(const sf_settings *settings, sf_setting_id id)
{
    if (settings->values[id].given || !sf_setting_applies(&sf_settings_table[id], settings->scope))
        return false;
    if (id == SF_SET_INIT)
        return !given(settings, SF_SET_LAYERS) && !(settings->scope & SF_SCOPE_RANDOM);
    if (id == SF_SET_EPOCHS)
        return !given(settings, SF_SET_TRAIN_STEPS);
    if (settings->scope & SF_SCOPE_TRAIN) {
        if (id == SF_SET_DEPTH)
            return !(settings->scope & SF_SCOPE_LAYERED);
        if (id == SF_SET_SCALE)
            return (settings->scope & SF_SCOPE_STORED) != 0;
        if (id == SF_SET_RHO)
            return false;
    }
    if (id == SF_SET_UNTIL_LOG_TIME)
        return !given(settings, SF_SET_UNTIL_TAU) && !given(settings, SF_SET_UNTIL_LOG_NORM) &&
               !given(settings, SF_SET_UNTIL_DIRECTION);
    return true;
}

static sf_status fill_defaults(sf_settings *settings)
{
    for (int i = 0; i < SF_SETTING_COUNT; i++) {
        sf_setting_id id = (sf_setting_id)i;
        if (default_applies(settings, id))
            SF_TRY(sf_value_from_default(settings->context, id, &settings->values[id]));
    }
    return SF_OK;
}

/* Both labels of data.classes are among those of the points. */
static sf_status check_classes(const sf_settings *settings, const sf_value *labels)
{
    const sf_value *classes = &settings->values[SF_SET_CLASSES];
    for (size_t k = 0; k < 2; k++) {
        size_t count = 0;
        for (size_t i = 0; i < labels->count; i++)
            count += labels->numbers[i] == classes->numbers[k];
        if (count == 0)
            return SF_FAIL_VALUE(settings, SF_SET_CLASSES,
                                 "found %.17g, which none of the %zu points has as its label",
                                 classes->numbers[k], labels->count);
    }
    return SF_OK;
}

static sf_status check_labels(const sf_settings *settings)
{
    const sf_value *points = &settings->values[SF_SET_POINTS], *labels = &settings->values[SF_SET_LABELS];
    if (!points->given)
        return SF_OK;
    if (!labels->given)
        return SF_FAIL_VALUE(settings, SF_SET_POINTS,
                             "data.labels is missing beside it, expected a list of %zu labels -1 or 1",
                             points->rows);
    if (labels->count != points->rows)
        return SF_FAIL_VALUE(settings, SF_SET_LABELS, "found %zu labels, expected %zu as in data.points",
                             labels->count, points->rows);
    if (settings->values[SF_SET_CLASSES].given)
        return check_classes(settings, labels);
    for (size_t i = 0; i < labels->count; i++)
        if (fabs(labels->numbers[i]) != 1.0)
            return SF_FAIL_VALUE(settings, SF_SET_LABELS,
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

static sf_status check_record_steps(const sf_settings *settings)
{
    const sf_value *at = &settings->values[SF_SET_AT_STEP];
    double steps = (double)settings->values[SF_SET_STEPS].integer;
    for (size_t i = 0; at->given && i < at->count; i++)
        if (at->numbers[i] != floor(at->numbers[i]) || at->numbers[i] > steps)
            return SF_FAIL_VALUE(
                settings, SF_SET_AT_STEP,
                "found %.17g at position %zu, expected a whole number from 0 to dynamics.steps = %.0f",
                at->numbers[i], i, steps);
    return SF_OK;
}

static sf_status check_two_classes(const sf_settings *settings)
{
    const sf_value *classes = &settings->values[SF_SET_CLASSES];
    if (!classes->given)
        return SF_OK;
    bool names = classes->text != NULL, same = false;
    const char *second = names ? strchr(classes->text, '\n') : NULL;
    if (classes->count == 2 && names)
        same = strlen(second + 1) == (size_t)(second - classes->text) &&
               memcmp(classes->text, second + 1, strlen(second + 1)) == 0;
    else if (classes->count == 2)
        same = classes->numbers[0] == classes->numbers[1];
    if (classes->count != 2 || same)
        return SF_FAIL_VALUE(settings, SF_SET_CLASSES, "found %zu %s%s, expected two different labels",
                             classes->count, names ? "names" : "numbers", same ? " that are the same" : "");
    if (names && settings->values[SF_SET_POINTS].given)
        return SF_FAIL_VALUE(settings, SF_SET_CLASSES,
                             "found names, expected two of the numbers in data.labels");
    return SF_OK;
}

static sf_status check_rest(const sf_settings *settings)
{
    const sf_value *values = settings->values;
    if (sf_method_has_exponent((sf_method)values[SF_SET_METHOD].choice) && !given(settings, SF_SET_P))
        return SF_FAIL_VALUE(settings, SF_SET_METHOD,
                             "lp-sam without optimizer.p, expected a number > 1 there");
    SF_TRY(check_two_classes(settings));
    SF_TRY(check_labels(settings));
    return check_record_steps(settings);
}

static sf_status check_training_values(const sf_settings *settings)
{
    const sf_value *values = settings->values;
    if (values[SF_SET_METHOD].choice == SF_METHOD_LP)
        return SF_FAIL_VALUE(settings, SF_SET_METHOD,
                             "lp-sam is not there for samflow train, expected gd, l2-sam, linf-sam or usam");
    if (sf_method_has_radius((sf_method)values[SF_SET_METHOD].choice) && !given(settings, SF_SET_RHO))
        return SF_FAIL_VALUE(settings, SF_SET_METHOD,
                             "optimizer.rho is missing beside it, expected a finite number >= 0");
    if (values[SF_SET_ADAPTIVE].flag && values[SF_SET_METHOD].choice != SF_METHOD_L2)
        return SF_FAIL_VALUE(settings, SF_SET_ADAPTIVE, "expected only with optimizer.method: l2-sam");
    if (values[SF_SET_CLASSES].text)
        return SF_FAIL_VALUE(settings, SF_SET_CLASSES,
                             "found names, expected the numbers of classes of images");
    if (given(settings, SF_SET_EPOCHS) && given(settings, SF_SET_TRAIN_STEPS))
        return SF_FAIL_VALUE(settings, SF_SET_TRAIN_STEPS,
                             "a second end beside training.epochs, expected one");
    if (given(settings, SF_SET_DEPTH) && (settings->scope & SF_SCOPE_LAYERED))
        return SF_FAIL_VALUE(settings, SF_SET_DEPTH, "expected only with network.model: diagonal");
    if (given(settings, SF_SET_SCALE) && (settings->scope & SF_SCOPE_PATCHES))
        return SF_FAIL_VALUE(settings, SF_SET_SCALE,
                             "expected only with data.file or data.name; data.patches has amplitudes");
    if ((settings->scope & SF_SCOPE_FILE) && !given(settings, SF_SET_LABELS_FILE))
        return SF_FAIL_VALUE(settings, SF_SET_FILE,
                             "data.labels_file is missing beside it, expected the file of labels");
    if ((settings->scope & SF_SCOPE_STORED) && !(values[SF_SET_WEAK].number <= values[SF_SET_STRONG].number))
        return SF_FAIL_VALUE(settings, given(settings, SF_SET_WEAK) ? SF_SET_WEAK : SF_SET_STRONG,
                             "found data.weak %.17g and data.strong %.17g, expected weak <= strong",
                             values[SF_SET_WEAK].number, values[SF_SET_STRONG].number);
    return SF_OK;
}

static sf_status check_training(sf_settings *settings)
{
    static const unsigned model_bit[] = {0, SF_SCOPE_MLP, SF_SCOPE_CNN};
    if (!given(settings, SF_SET_MODEL))
        SF_TRY(sf_value_from_default(settings->context, SF_SET_MODEL, &settings->values[SF_SET_MODEL]));
    settings->scope |= model_bit[settings->values[SF_SET_MODEL].choice];
    SF_TRY(check_scopes(settings));
    SF_TRY(fill_defaults(settings));
    return check_training_values(settings);
}

static sf_status check_run(sf_settings *settings)
{
    static const unsigned mode_bit[] = {SF_SCOPE_FLOW, SF_SCOPE_DISCRETE, SF_SCOPE_EXACT};
    SF_TRY(find_start(settings));
    if (!given(settings, SF_SET_MODE))
        SF_TRY(sf_value_from_default(settings->context, SF_SET_MODE, &settings->values[SF_SET_MODE]));
    settings->scope |= mode_bit[settings->values[SF_SET_MODE].choice];
    SF_TRY(check_scopes(settings));
    SF_TRY(fill_defaults(settings));
    SF_TRY(check_rest(settings));
    sort_times(&settings->values[SF_SET_AT_STEP]);
    sort_times(&settings->values[SF_SET_AT_TAU]);
    sort_times(&settings->values[SF_SET_AT_LOG_TIME]);
    return SF_OK;
}

/* Forgets what an earlier call filled in. */
static void forget(sf_settings *settings)
{
    settings->scope &= SF_SCOPE_KINDS;
    for (int id = 0; id < SF_SETTING_COUNT; id++)
        if (settings->values[id].set && !settings->values[id].given)
            sf_value_release(settings->context, &settings->values[id]);
}

/* A source of the other kind is said to be that before anything is missed. */
sf_status sf_settings_resolve(sf_settings *settings)
{
    forget(settings);
    SF_TRY(find_source(settings));
    return settings->scope & SF_SCOPE_TRAIN ? check_training(settings) : check_run(settings);
}

bool sf_setting_is_linked(const sf_settings *settings, sf_setting_id id)
{
    switch (id) {
    case SF_SET_MODE:
    case SF_SET_MODEL:
    case SF_SET_METHOD:
    case SF_SET_CLASSES:
    case SF_SET_POINTS:
    case SF_SET_LABELS:
    case SF_SET_AT_STEP:
    case SF_SET_AT_TAU:
    case SF_SET_AT_LOG_TIME:
    case SF_SET_WEAK:
    case SF_SET_STRONG:
        return true;
    case SF_SET_STEPS:
        return settings->values[SF_SET_AT_STEP].set;
    default:
        return false;
    }
}
