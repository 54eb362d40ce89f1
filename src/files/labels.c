/* Two kinds of labels, numbered as they are met; which of them is -1 is settled at the end (the smaller
 * value, the first name in byte order), or given by `classes`. A file of one example needs but one.
 */
#include "files/labels.h"
#include <samflow/files.h>

#include <math.h>
#include <string.h>

#include "base/base.h"
#include "files/number.h"

static sf_status init_names(sf_labels *labels, const sf_data_file *spec)
{
    const char *const *names = spec->class_names;
    if (!names[0] || !names[1] || spec->has_classes || strcmp(names[0], names[1]) == 0)
        return sf_fail(labels->context, SF_ERR_ARGUMENT,
                       "%s: expected two different names of classes, or two numbers", spec->path);
    labels->has_names = labels->text = true;
    for (size_t k = 0; k < 2; k++)
        if (!(labels->name[k] = sf_strdup(labels->context, names[k])))
            return SF_ERR_MEMORY;
    labels->distinct = 2;
    return SF_OK;
}

sf_status sf_labels_init(sf_labels *labels, sf_context *context, const sf_data_file *spec)
{
    *labels = (sf_labels){.context = context, .has_classes = spec->has_classes};
    if (spec->class_names[0] || spec->class_names[1])
        return init_names(labels, spec);
    if (!spec->has_classes)
        return SF_OK;
    if (!isfinite(spec->classes[0]) || !isfinite(spec->classes[1]) || spec->classes[0] == spec->classes[1])
        return sf_fail(context, SF_ERR_ARGUMENT, "%s: classes are [%g, %g], expected two different numbers",
                       spec->path, spec->classes[0], spec->classes[1]);
    labels->value[0] = spec->classes[0];
    labels->value[1] = spec->classes[1];
    labels->distinct = 2;
    return SF_OK;
}

void sf_labels_clear(sf_labels *labels)
{
    sf_free(labels->context, labels->name[0]);
    sf_free(labels->context, labels->name[1]);
    sf_free(labels->context, labels->kind);
    for (size_t i = 0; i < labels->other_count; i++)
        sf_free(labels->context, labels->others[i]);
    labels->other_count = 0;
    labels->name[0] = labels->name[1] = NULL;
    labels->kind = NULL;
}

size_t sf_labels_kept(const sf_labels *labels)
{
    return labels->count[0] + labels->count[1];
}

static sf_status add(sf_labels *labels, int kind, bool *kept)
{
    if (labels->n == labels->capacity) {
        size_t capacity = labels->capacity ? 2 * labels->capacity : 1024;
        signed char *moved = sf_resize(labels->context, labels->kind, capacity, 1);
        if (!moved)
            return SF_ERR_MEMORY;
        labels->kind = moved;
        labels->capacity = capacity;
    }
    labels->kind[labels->n++] = (signed char)kind;
    *kept = kind >= 0;
    if (kind >= 0)
        labels->count[kind]++;
    return SF_OK;
}

static sf_status mixed(sf_labels *labels, const char *what)
{
    return sf_fail(labels->context, SF_ERR_DATA,
                   "the label is %s while the ones before are not, expected all numbers or all names", what);
}

/* A label that is left out, remembered for a message. */
static sf_status leave_out(sf_labels *labels, const char *text, size_t length, bool *kept)
{
    const size_t room = sizeof labels->others / sizeof *labels->others;
    bool known = labels->other_count == room;
    for (size_t i = 0; i < labels->other_count && !known; i++)
        known = strncmp(labels->others[i], text, length) == 0 && labels->others[i][length] == '\0';
    if (!known) {
        char *copy = sf_alloc(labels->context, length + 1, 1);
        if (!copy)
            return SF_ERR_MEMORY;
        memcpy(copy, text, length);
        copy[length] = '\0';
        labels->others[labels->other_count++] = copy;
    }
    return add(labels, -1, kept);
}

/* A number where classes are called by name: "1" calls it too. */
static sf_status number_among_names(sf_labels *labels, double value, bool *kept)
{
    char text[32];
    double named;
    for (size_t k = 0; k < 2; k++)
        if (sf_number_parse(labels->name[k], strlen(labels->name[k]), &named) == SF_NUMBER_FINITE &&
            named == value)
            return add(labels, (int)k, kept);
    snprintf(text, sizeof text, "%.15g", value);
    return leave_out(labels, text, strlen(text), kept);
}

sf_status sf_labels_number(sf_labels *labels, double value, bool *kept)
{
    *kept = false;
    if (!isfinite(value))
        return sf_fail(labels->context, SF_ERR_DATA, "the label is %g, expected a finite number", value);
    if (labels->has_names)
        return number_among_names(labels, value, kept);
    if (labels->text)
        return mixed(labels, "a number");
    for (size_t k = 0; k < labels->distinct; k++)
        if (labels->value[k] == value)
            return add(labels, (int)k, kept);
    if (labels->has_classes)
        return add(labels, -1, kept);
    if (labels->distinct == 2)
        return sf_fail(
            labels->context, SF_ERR_DATA,
            "the label is %.17g, the third one after %.17g and %.17g; expected two, or classes: [A, B] to "
            "name the two to keep",
            value, labels->value[0], labels->value[1]);
    labels->value[labels->distinct] = value;
    return add(labels, (int)labels->distinct++, kept);
}

static bool same(const char *name, const char *text, size_t length)
{
    return strncmp(name, text, length) == 0 && name[length] == '\0';
}

sf_status sf_labels_text(sf_labels *labels, const char *text, size_t length, bool *kept)
{
    *kept = false;
    if (labels->has_classes)
        return sf_fail(labels->context, SF_ERR_DATA,
                       "the label is '%.*s', expected a number, as classes calls the labels by number",
                       (int)(length < 60 ? length : 60), text);
    if (!labels->text && labels->distinct > 0)
        return mixed(labels, "no number");
    labels->text = true;
    for (size_t k = 0; k < labels->distinct; k++)
        if (same(labels->name[k], text, length))
            return add(labels, (int)k, kept);
    if (labels->has_names)
        return leave_out(labels, text, length, kept);
    if (labels->distinct == 2)
        return sf_fail(labels->context, SF_ERR_DATA,
                       "the label is '%.*s', the third one after '%.60s' and '%.60s'; "
                       "expected two, or classes: [A, B] to name the two to keep",
                       (int)(length < 60 ? length : 60), text, labels->name[0], labels->name[1]);
    char *name = sf_alloc(labels->context, length + 1, 1);
    if (!name)
        return SF_ERR_MEMORY;
    memcpy(name, text, length);
    name[length] = '\0';
    labels->name[labels->distinct] = name;
    return add(labels, (int)labels->distinct++, kept);
}

sf_status sf_labels_field(sf_labels *labels, const char *text, size_t length, bool *kept)
{
    double value;
    *kept = false;
    switch (sf_number_parse(text, length, &value)) {
    case SF_NUMBER_FINITE:
        return sf_labels_number(labels, value, kept);
    case SF_NUMBER_TEXT:
        return sf_labels_text(labels, text, length, kept);
    default:
        return sf_fail(labels->context, SF_ERR_DATA, "the label is '%.*s', expected a number or a name",
                       (int)(length < 60 ? length : 60), text);
    }
}

static sf_status no_such_class(const sf_labels *labels, const char *path, int kind)
{
    char there[320] = "";
    size_t used = 0;
    for (size_t i = 0; i < labels->other_count; i++)
        used += (size_t)snprintf(there + used, sizeof there - used, "%s'%.60s'", i ? ", " : "",
                                 labels->others[i]);
    return sf_fail(labels->context, SF_ERR_DATA,
                   "%s: none of the %zu examples has the label '%.60s' of classes%s%s", path, labels->n,
                   labels->name[kind], used ? "; there are " : "", there);
}

void sf_labels_drop(sf_labels *labels, size_t index)
{
    if (labels->kind[index] >= 0)
        labels->count[labels->kind[index]]--;
    labels->kind[index] = -1;
}

static sf_status check_two(const sf_labels *labels, const char *path)
{
    if (labels->n == 0)
        return sf_fail(labels->context, SF_ERR_DATA, "%s: holds no example", path);
    for (int k = 0; k < 2 && labels->has_classes; k++)
        if (labels->count[k] == 0)
            return sf_fail(labels->context, SF_ERR_DATA,
                           "%s: none of the %zu examples has the label %.17g of classes", path, labels->n,
                           labels->value[k]);
    for (int k = 0; k < 2 && labels->has_names; k++)
        if (labels->count[k] == 0)
            return no_such_class(labels, path, k);
    if (labels->distinct == 2 || labels->n == 1)
        return SF_OK;
    if (labels->text)
        return sf_fail(labels->context, SF_ERR_DATA,
                       "%s: all %zu labels are '%s', expected two different ones", path, labels->n,
                       labels->name[0]);
    return sf_fail(labels->context, SF_ERR_DATA, "%s: all %zu labels are %.17g, expected two different ones",
                   path, labels->n, labels->value[0]);
}

/* Which kind is the label -1. One example alone has it if its label is a number <= 0, as in {-1, 1} and {0, 1}. */
static int negative_kind(const sf_labels *labels)
{
    if (labels->has_classes || labels->has_names)
        return 0;
    if (labels->distinct == 1)
        return !labels->text && labels->value[0] <= 0.0 ? 0 : 1;
    if (labels->text)
        return strcmp(labels->name[0], labels->name[1]) < 0 ? 0 : 1;
    return labels->value[0] < labels->value[1] ? 0 : 1;
}

sf_status sf_labels_dataset(const sf_labels *labels, const char *path, size_t d, sf_dataset **out)
{
    *out = NULL;
    SF_TRY(check_two(labels, path));
    sf_dataset *dataset;
    sf_status status = sf_dataset_create(labels->context, sf_labels_kept(labels), d, &dataset);
    if (status != SF_OK)
        return sf_fail_within(labels->context, status, "%s", path);
    int negative = negative_kind(labels);
    for (int k = 0; k < 2; k++) {
        int kind = k == 0 ? negative : 1 - negative;
        if ((size_t)kind >= labels->distinct)
            continue;
        dataset->raw_label[k] = labels->text ? k : labels->value[kind];
        if (labels->text && !(dataset->label_name[k] = sf_strdup(labels->context, labels->name[kind]))) {
            sf_dataset_destroy(&dataset);
            return SF_ERR_MEMORY;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < labels->n; i++)
        if (labels->kind[i] >= 0)
            dataset->labels[kept++] = labels->kind[i] == negative ? -1 : 1;
    *out = dataset;
    return SF_OK;
}
