/* Trajectories from files, as output.c and output_hdf5.c write them. JSON is read as the YAML it is, by the parser of
 * experiment files: a record's list of numbers costs its doubles and nothing else. */
#include <ctype.h>
#include <string.h>

#include "experiment/trajectory.h"

static double number_of(const sf_node *mapping, const char *key)
{
    const sf_node *node = sf_node_find(mapping, key);
    double value;
    return node && node->kind == SF_NODE_SCALAR && sf_yaml_number(node->text, &value) ? value : NAN;
}

/* The numbers of a list of d of them, else NULL. */
static const double *numbers_of(const sf_node *mapping, const char *key, size_t d)
{
    const sf_node *node = sf_node_find(mapping, key);
    return node && node->kind == SF_NODE_LIST && node->numbers && node->count == d ? node->numbers : NULL;
}

static sf_status strange(sf_context *context, const char *path, const char *expected)
{
    return sf_fail(context, SF_ERR_DATA, "%s: not a trajectory of samflow: expected %s", path, expected);
}

static sf_status read_record(sf_trajectory *trajectory, const char *path, const sf_node *record)
{
    sf_sample *sample;
    const double *beta = numbers_of(record, "beta", trajectory->d);
    const double *logs = numbers_of(record, "log_abs_beta", trajectory->d);
    if (!beta)
        return strange(trajectory->context, path, "a list `beta` of the same length in every record");
    SF_TRY(sf_trajectory_append(trajectory, number_of(record, "step"), number_of(record, "tau"),
                                number_of(record, "log_time"), &sample));
    memcpy(sample->beta, beta, trajectory->d * sizeof *beta);
    if (logs) {
        sample->log_abs_beta = SF_ARRAY(trajectory->context, trajectory->d, double);
        if (!sample->log_abs_beta)
            return SF_ERR_MEMORY;
        memcpy(sample->log_abs_beta, logs, trajectory->d * sizeof *logs);
    }
    sample->log_loss = number_of(record, "log_loss");
    sample->min_margin = number_of(record, "min_margin");
    return SF_OK;
}

static int64_t coordinate_of(const sf_node *mapping, const char *key)
{
    double value = number_of(mapping, key);
    return isnan(value) ? -1 : (int64_t)value;
}

static sf_status read_event(sf_trajectory *trajectory, const char *path, const sf_node *node)
{
    const sf_node *kind = node->kind == SF_NODE_MAPPING ? sf_node_find(node, "kind") : NULL;
    for (int k = SF_EVENT_DOMINANCE; kind && kind->text && k <= SF_EVENT_SLIDING; k++)
        if (strcmp(kind->text, sf_event_name((sf_event_kind)k)) == 0) {
            sf_event event = {.kind = (sf_event_kind)k,
                              .from = coordinate_of(node, "from"),
                              .to = coordinate_of(node, "to"),
                              .step = number_of(node, "step"),
                              .tau = number_of(node, "tau"),
                              .log_time = number_of(node, "log_time"),
                              .log_loss = number_of(node, "log_loss")};
            return sf_trajectory_append_event(trajectory, &event);
        }
    return strange(trajectory->context, path, "events of a known `kind`");
}

/* Behind the string that starts at *text. */
static const char *behind_string(const char *text, const char *end)
{
    for (text++; text < end && *text != '"'; text++)
        text += *text == '\\';
    return text < end ? text + 1 : end;
}

/* Keeps the value of the key `experiment` of the outermost mapping as it stands in the text, if it is a mapping. */
static sf_status keep_experiment(sf_trajectory *trajectory, const sf_text *text)
{
    static const char key[] = "\"experiment\"";
    enum { KEY = sizeof key - 1 };
    const char *at = text->block + SF_TEXT_HEADROOM, *end = at + text->length, *start = NULL;
    int depth = 0;
    while (at < end && !(start && depth == 1)) {
        if (*at == '"') {
            const char *name = at;
            at = behind_string(at, end);
            if (depth != 1 || at != name + KEY || memcmp(name, key, KEY) != 0)
                continue;
            while (at < end && (*at == ':' || isspace((unsigned char)*at)))
                at++;
            if (at == end || *at != '{')
                return SF_OK;
            start = at;
        }
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        at++;
    }
    if (!start)
        return SF_OK;
    size_t length = (size_t)(at - start);
    trajectory->experiment_text = SF_ARRAY(trajectory->context, length + 1, char);
    if (!trajectory->experiment_text)
        return SF_ERR_MEMORY;
    memcpy(trajectory->experiment_text, start, length);
    trajectory->experiment_text[length] = '\0';
    return SF_OK;
}

static sf_status read_tree(sf_context *context, const char *path, const sf_node *root, sf_trajectory **out)
{
    const sf_node *records = root && root->kind == SF_NODE_MAPPING ? sf_node_find(root, "trajectory") : NULL;
    const sf_node *events = records ? sf_node_find(root, "events") : NULL;
    if (!records || records->kind != SF_NODE_LIST || records->count == 0 || !records->items)
        return strange(context, path, "a list `trajectory` of records");
    const sf_node *first =
        records->items[0]->kind == SF_NODE_MAPPING ? sf_node_find(records->items[0], "beta") : NULL;
    if (!first || first->kind != SF_NODE_LIST || first->count == 0)
        return strange(context, path, "a list `beta` in every record");
    SF_TRY(sf_trajectory_create_bare(context, first->count, 0, out));
    for (size_t i = 0; i < records->count; i++) {
        if (records->items[i]->kind != SF_NODE_MAPPING)
            return strange(context, path, "records that are mappings");
        SF_TRY(read_record(*out, path, records->items[i]));
    }
    for (size_t i = 0; events && events->items && i < events->count; i++)
        SF_TRY(read_event(*out, path, events->items[i]));
    return SF_OK;
}

static sf_status read_json(sf_context *context, const char *path, sf_trajectory **out)
{
    sf_text text = {NULL, 0};
    sf_node *root = NULL;
    sf_status status = sf_text_read(context, path, "a trajectory", &text);
    if (status == SF_OK)
        status = sf_document_parse(context, path, &text, &root);
    if (status == SF_ERR_CONFIG) // the place is in the message; the file is data here
        status = SF_ERR_DATA;
    if (status == SF_OK)
        status = read_tree(context, path, root, out);
    if (status == SF_OK)
        status = keep_experiment(*out, &text);
    sf_node_destroy(context, &root);
    sf_free(context, text.block);
    return status;
}

sf_status sf_trajectory_read(sf_context *context, const char *path, sf_trajectory **out)
{
    SF_OUT(context, out);
    const char *dot = strrchr(path, '.');
    sf_status status;
    if (dot && strcmp(dot, ".json") == 0)
        status = read_json(context, path, out);
    else if (dot && strcmp(dot, ".h5") == 0)
        status = sf_trajectory_read_hdf5(context, path, out);
    else
        status = sf_fail(context, SF_ERR_USAGE, "%s: a trajectory ends in .json or .h5", path);
    if (status != SF_OK)
        sf_trajectory_destroy(out);
    return status;
}

const char *sf_trajectory_experiment(const sf_trajectory *trajectory)
{
    return trajectory->experiment_text;
}
