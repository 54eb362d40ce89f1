/* From a sweep file to a plan: the grid, the experiment of its first point, and the check of every axis.
 *
 * A value of an axis reaches the experiment as an override, key=value; an item of a list, data.example[1], as an
 * override of the list with the other items as the file has them.
 */
#include "sweep/plan.h"

#include <errno.h>
#include <libfyaml.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/session.h"
#include "sweep/variants.h"
#include "sweep/worker.h"

/* ---- overrides of the axes ------------------------------------------------------------------------------ */

/* "[1][2]" of a key, or its end. */
static const char *item_path(const char *key)
{
    const char *bracket = strchr(key, '[');
    return bracket ? bracket : key + strlen(key);
}

static bool valid_items(const char *path)
{
    while (*path == '[') {
        size_t digits = strspn(path + 1, "0123456789");
        if (digits == 0 || digits > 9 || path[digits + 1] != ']')
            return false;
        path += digits + 2;
    }
    return *path == '\0';
}

static sf_status axis_error(const sf_sweep *sweep, const grid_axis *axis)
{
    return sf_fail_within(sweep->context, SF_ERR_CONFIG, "%s:%d:%d: axis '%s'", sweep->grid->name, axis->line,
                          axis->place, axis->key);
}

/* The list `key` as JSON: from the last override that sets it, else from the file. Release with free. */
static char *list_text(const sf_sweep *sweep, const char *key)
{
    size_t length = strlen(key);
    const char *text = sweep->grid->experiment;
    char path[256] = "/";
    for (size_t i = 0; i < sweep->override_count; i++)
        if (strncmp(sweep->overrides[i], key, length) == 0 && sweep->overrides[i][length] == '=')
            text = sweep->overrides[i] + length + 1;
    if (text == sweep->grid->experiment) {
        if ((size_t)snprintf(path, sizeof path, "/%s", key) >= sizeof path)
            return NULL;
        for (char *c = path; *c; c++)
            *c = *c == '.' ? '/' : *c;
    }
    struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_RESOLVE_DOCUMENT};
    struct fy_document *document = fy_document_build_from_string(&config, text, (size_t)-1);
    struct fy_node *node = document ? fy_document_root(document) : NULL;
    node = node ? fy_node_by_path(node, path, (size_t)-1, FYNWF_DONT_FOLLOW) : NULL;
    char *json = node && fy_node_is_sequence(node)
                     ? fy_emit_node_to_string(node, FYECF_MODE_JSON_ONELINE | FYECF_WIDTH_INF)
                     : NULL;
    fy_document_destroy(document);
    return json;
}

/* Copies the JSON list, with holes where an axis of the same list has its item; *holes counts them. */
static void punch(const sf_sweep *sweep, const char *list, size_t length, const char *json, char *to,
                  size_t *holes)
{
    char path[64];
    size_t item[8] = {0}, depth = 0;
    for (const char *at = json; *at && *at != '\n';) {
        if (*at == '[') {
            depth = depth < 7 ? depth + 1 : depth;
            item[depth] = 0;
        } else if (*at == ']') {
            depth = depth > 0 ? depth - 1 : 0;
        } else if (*at == ',') {
            item[depth]++;
        } else if (*at != ' ') {
            size_t used = 0, width = strcspn(at, ",] \n");
            for (size_t k = 1; k <= depth; k++)
                used += (size_t)snprintf(path + used, sizeof path - used, "[%zu]", item[k]);
            const char *from = at;
            char hole[3] = {SF_HOLE, 0, 0};
            size_t copied = width;
            for (size_t i = 0; i < sweep->grid->axis_count; i++) {
                const char *key = sweep->grid->axes[i].key;
                if (strncmp(key, list, length) == 0 && strcmp(key + length, path) == 0) {
                    hole[1] = (char)(i + 1);
                    from = hole;
                    copied = 2;
                    ++*holes;
                }
            }
            memcpy(to, from, copied);
            to += copied;
            at += width;
            continue;
        }
        *to++ = *at++;
    }
    *to = '\0';
}

static sf_status add_template(sf_sweep *sweep, const char *key, size_t length, const char *value)
{
    size_t size = length + strlen(value) + 2;
    char *text = sf_alloc(sweep->context, size, 1);
    if (!text)
        return SF_ERR_MEMORY;
    snprintf(text, size, "%.*s=%s", (int)length, key, value);
    sweep->templates[sweep->template_count++] = text;
    return SF_OK;
}

/* The template of a list, made for the first of its axes. */
static sf_status add_list(sf_sweep *sweep, size_t number)
{
    const grid_axis *axis = &sweep->grid->axes[number];
    size_t length = (size_t)(item_path(axis->key) - axis->key), axes = 0, holes = 0;
    char name[256];
    if (!valid_items(axis->key + length) || length == 0 || length >= sizeof name) {
        sf_fail(sweep->context, SF_ERR_CONFIG, "not a key; expected one such as data.example[1]");
        return axis_error(sweep, axis);
    }
    for (size_t i = 0; i < sweep->grid->axis_count; i++) {
        const char *key = sweep->grid->axes[i].key;
        bool same = strncmp(key, axis->key, length) == 0 && key[length] == '[';
        if (same && i < number)
            return SF_OK; // made already
        axes += same;
    }
    snprintf(name, sizeof name, "%.*s", (int)length, axis->key);
    char *json = list_text(sweep, name);
    char *punched = json ? sf_alloc(sweep->context, strlen(json) + 2 * axes + 1, 1) : NULL;
    sf_status status = SF_ERR_CONFIG;
    if (!json) {
        sf_fail(sweep->context, SF_ERR_CONFIG, "the experiment has no list %s", name);
        status = axis_error(sweep, axis);
    } else if (!punched) {
        status = SF_ERR_MEMORY;
    } else {
        punch(sweep, axis->key, length, json, punched, &holes);
        if (holes == axes) {
            status = add_template(sweep, axis->key, length, punched);
        } else {
            sf_fail(sweep->context, SF_ERR_CONFIG, "no such item in the list %s of the experiment", name);
            status = axis_error(sweep, axis);
        }
    }
    free(json);
    sf_free(sweep->context, punched);
    return status;
}

static sf_status make_templates(sf_sweep *sweep)
{
    const sf_grid *grid = sweep->grid;
    if (grid->axis_count > SF_MOST_AXES)
        return sf_fail(sweep->context, SF_ERR_CONFIG, "%s: %zu axes, expected at most %d", grid->name,
                       grid->axis_count, SF_MOST_AXES);
    sweep->templates = sf_alloc_zero(sweep->context, grid->axis_count, sizeof *sweep->templates);
    if (!sweep->templates)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < grid->axis_count; i++) {
        const char *key = grid->axes[i].key;
        const char hole[3] = {SF_HOLE, (char)(i + 1), '\0'};
        if (*item_path(key))
            SF_TRY(add_list(sweep, i));
        else
            SF_TRY(add_template(sweep, key, strlen(key), hole));
    }
    return SF_OK;
}

/* A number as YAML; whole ones without exponent, since seeds and counts are read as digits. */
static int print_value(const grid_value *value, char *to, size_t size)
{
    if (value->text)
        return snprintf(to, size, "%s", value->text);
    bool whole = value->number == floor(value->number) && fabs(value->number) < 1e15;
    return snprintf(to, size, whole ? "%.0f" : "%.17g", value->number);
}

char *sf_sweep_fill(sf_context *context, const char *template, const grid_value *values)
{
    size_t size = strlen(template) + 1, used = 0;
    for (const char *at = template; *at; at++)
        if (*at == SF_HOLE) {
            const grid_value *value = &values[(unsigned char)*++at - 1];
            size += value->text ? strlen(value->text) : 32;
        }
    char *text = sf_alloc(context, size, 1);
    for (const char *at = template; text && *at; at++) {
        if (*at == SF_HOLE)
            used += (size_t)print_value(&values[(unsigned char)*++at - 1], text + used, size - used);
        else
            text[used++] = *at;
    }
    if (text)
        text[used] = '\0';
    return text;
}

sf_status sf_sweep_experiment(const sf_sweep *sweep, sf_context *context, const grid_value *values,
                              size_t more, const char *const *extra, sf_experiment **out)
{
    size_t count = sweep->override_count + sweep->template_count + more, made = 0;
    *out = NULL;
    const char **overrides = SF_ARRAY(context, count, const char *);
    if (!overrides)
        return SF_ERR_MEMORY;
    memcpy(overrides, sweep->overrides, sweep->override_count * sizeof *overrides);
    char **filled = SF_ARRAY(context, sweep->template_count, char *);
    sf_status status = filled ? SF_OK : SF_ERR_MEMORY;
    for (; status == SF_OK && made < sweep->template_count; made++) {
        filled[made] = sf_sweep_fill(context, sweep->templates[made], values);
        if (!filled[made]) {
            status = SF_ERR_MEMORY;
            break;
        }
        overrides[sweep->override_count + made] = filled[made];
    }
    for (size_t i = 0; i < more; i++)
        overrides[sweep->override_count + sweep->template_count + i] = extra[i];
    if (status == SF_OK)
        status = sf_experiment_parse_shared(context, sweep->grid->name, sweep->grid->experiment, count,
                                            overrides, sweep->shelf, out);
    while (filled && made > 0)
        sf_free(context, filled[--made]);
    sf_free(context, filled);
    sf_free(context, overrides);
    return status;
}

/* ---- resolved settings ---------------------------------------------------------------------------------- */

enum { DIGITS = 33, MOST_CONTENTS = 16 };

/* The hashes of the data sets met last, by their number on the shelf. */
struct sf_contents {
    pthread_mutex_t lock;
    size_t next;
    uint64_t number[MOST_CONTENTS]; // 0: none
    char digits[MOST_CONTENTS][DIGITS];
};

static bool recall(sf_contents *contents, uint64_t number, char *digits)
{
    bool found = false;
    pthread_mutex_lock(&contents->lock);
    for (size_t i = 0; i < MOST_CONTENTS && number > 0 && !found; i++)
        if (contents->number[i] == number) {
            memcpy(digits, contents->digits[i], DIGITS);
            found = true;
        }
    pthread_mutex_unlock(&contents->lock);
    return found;
}

static void remember(sf_contents *contents, uint64_t number, const char *digits)
{
    pthread_mutex_lock(&contents->lock);
    size_t place = contents->next++ % MOST_CONTENTS;
    contents->number[place] = number;
    memcpy(contents->digits[place], digits, DIGITS);
    pthread_mutex_unlock(&contents->lock);
}

/* The hash of all signed examples as 32 hexadecimal digits. */
static sf_status hash_content(sf_context *context, const sf_experiment *experiment, char *text)
{
    const sf_dataset *dataset = sf_experiment_dataset(experiment);
    size_t n = sf_dataset_examples(dataset), d = sf_dataset_features(dataset);
    double *row = SF_ARRAY(context, d, double);
    if (!row)
        return SF_ERR_MEMORY;
    sf_hash pair[2] = {{{0}}};
    for (size_t i = 0; i < n; i++) {
        sf_dataset_example(dataset, i, row);
        pair[1] = sf_hash_bytes(row, d * sizeof *row);
        pair[0] = sf_hash_bytes(pair, sizeof pair);
    }
    sf_free(context, row);
    for (int i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", pair[0].bytes[i]);
    return SF_OK;
}

/* Of data that come from a file. */
static sf_status content_leaf(sf_contents *contents, sf_context *context, const sf_experiment *experiment,
                              sf_leaves *leaves)
{
    char digits[DIGITS];
    uint64_t number = sf_experiment_data_number(experiment);
    if (sf_leaves_find(leaves, "data.file") == SIZE_MAX)
        return SF_OK;
    if (!recall(contents, number, digits)) {
        SF_TRY(hash_content(context, experiment, digits));
        remember(contents, number, digits);
    }
    return sf_leaves_put(leaves, SF_LEAF_CONTENT, NAN, digits);
}

static sf_status settings_text(sf_context *context, const sf_experiment *experiment, char **json)
{
    size_t size = 0;
    *json = NULL;
    FILE *stream = open_memstream(json, &size);
    if (!stream)
        return sf_fail(context, SF_ERR_MEMORY, "out of memory: settings of a point");
    sf_json writer = sf_json_make(stream, false);
    sf_experiment_write(experiment, &writer, NULL);
    bool good = sf_json_finish(&writer);
    good = fclose(stream) == 0 && good && *json;
    if (!good) {
        free(*json);
        *json = NULL;
        return sf_fail(context, SF_ERR_MEMORY, "out of memory: settings of a point");
    }
    return SF_OK;
}

sf_status sf_sweep_leaves(const sf_sweep *sweep, sf_context *context, const sf_experiment *experiment,
                          sf_leaves *leaves, char **json)
{
    char *text;
    *leaves = (sf_leaves){0};
    SF_TRY(settings_text(context, experiment, &text));
    sf_status status = sf_leaves_parse(context, text, leaves);
    if (status == SF_OK)
        status = sf_leaves_put(leaves, SF_LEAF_VERSION, NAN, sf_version());
    if (status == SF_OK)
        status = content_leaf(sweep->contents, context, experiment, leaves);
    if (status == SF_OK && json)
        status = (*json = sf_strdup(context, text)) ? SF_OK : SF_ERR_MEMORY;
    free(text);
    return status;
}

/* ---- the check of the axes ------------------------------------------------------------------------------ */

enum { CHECKED_VALUES = 512 };
#define CHECK_SECONDS 2.0 // reading large data takes its time: then the ends of an axis must do

/* Values of one axis, the others at the first point. Of a range its ends and the one after the first, since
 * settings allow intervals, of all or of whole numbers; of long lists some evenly spread, with both ends. */
static sf_status check_axis(const sf_sweep *sweep, size_t number, grid_value *values)
{
    const grid_axis *axis = &sweep->grid->axes[number];
    size_t most = axis->range ? 3 : CHECKED_VALUES, checked = axis->count < most ? axis->count : most;
    double begin = sf_clock();
    sf_grid_values(sweep->grid, 0, values);
    for (size_t i = 0; i < checked; i++) {
        if (i > 0 && sf_clock() - begin > CHECK_SECONDS)
            i = checked - 1;
        size_t spread = checked < axis->count ? i * (axis->count - 1) / (checked - 1) : i;
        size_t index = axis->range && i == 1 ? 1 : spread;
        const grid_group *group = &sweep->grid->groups[axis->group];
        for (size_t k = 0; k < group->axes; k++) // zipped axes move together
            values[group->first + k] = sweep->grid->axes[group->first + k].values[index];
        sf_experiment *experiment;
        sf_status status = sf_sweep_experiment(sweep, sweep->context, values, 0, NULL, &experiment);
        sf_experiment_destroy(&experiment);
        if (status == SF_ERR_CONFIG || status == SF_ERR_ARGUMENT)
            return axis_error(sweep, axis);
        SF_TRY(status);
        if (sf_cancelled(sweep->context))
            return sf_fail(sweep->context, SF_ERR_CANCELLED, "interrupted");
    }
    return SF_OK;
}

/* ---- identity of the grid ------------------------------------------------------------------------------- */

/* H over the axes (key, factor, values) and over the leaves that no axis sets. */
static sf_status grid_identity(sf_sweep *sweep)
{
    const sf_grid *grid = sweep->grid;
    sf_leaves all = {.context = sweep->context};
    sf_status status = SF_OK;
    for (size_t i = 0; i < sweep->leaves.count && status == SF_OK; i++) {
        const sf_leaf *leaf = &sweep->leaves.items[i];
        bool swept = false;
        for (size_t k = 0; k < grid->axis_count; k++)
            swept = swept || strncmp(leaf->path, grid->axes[k].key, strlen(grid->axes[k].key)) == 0;
        if (!swept)
            status = sf_leaves_put(&all, leaf->path, leaf->number, leaf->text);
    }
    for (size_t k = 0; k < grid->axis_count && status == SF_OK; k++) {
        const grid_axis *axis = &grid->axes[k];
        sf_hash pair[2] = {{{0}}};
        sf_hash name = sf_hash_bytes(axis->key, strlen(axis->key));
        for (size_t i = 0; i < axis->count; i++) {
            pair[1] = sf_leaf_hash(name, axis->values[i].number, axis->values[i].text);
            pair[0] = sf_hash_bytes(pair, sizeof pair);
        }
        char path[64], digits[33];
        snprintf(path, sizeof path, "axis %03zu of factor %03zu", k, axis->group);
        for (int i = 0; i < 16; i++)
            snprintf(digits + 2 * i, 3, "%02x", pair[0].bytes[i]);
        status = sf_leaves_put(&all, path, NAN, digits);
    }
    if (status == SF_OK)
        status = sf_leaves_put(&all, "levels", grid->refine.levels, NULL);
    if (status == SF_OK)
        status = sf_leaves_hash(&all, &sweep->identity);
    sf_leaves_release(&all);
    return status;
}

/* ---- duplicates ----------------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(sf_hash));
}

/* No two indices of the group give the same values. */
static sf_status group_distinct(const sf_sweep *sweep, const grid_group *group, bool *distinct)
{
    sf_hash *all = SF_ARRAY(sweep->context, group->count, sf_hash);
    if (!all)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < group->count; i++) {
        sf_hash hash = {{0}};
        for (size_t k = group->first; k < group->first + group->axes; k++)
            hash = sf_leaf_hash(hash, sweep->grid->axes[k].values[i].number,
                                sweep->grid->axes[k].values[i].text);
        all[i] = hash;
    }
    qsort(all, group->count, sizeof *all, by_bytes);
    for (size_t i = 1; i < group->count; i++)
        *distinct = *distinct && by_bytes(&all[i - 1], &all[i]) != 0;
    sf_free(sweep->context, all);
    return SF_OK;
}

static sf_status find_duplicates(sf_sweep *sweep)
{
    sweep->distinct = sweep->lean && sweep->grid->refine.levels == 0;
    for (size_t g = 0; g < sweep->grid->group_count && sweep->distinct; g++)
        SF_TRY(group_distinct(sweep, &sweep->grid->groups[g], &sweep->distinct));
    return SF_OK;
}

/* ---- create and destroy --------------------------------------------------------------------------------- */

static sf_status keep_overrides(sf_sweep *sweep, size_t count, const char *const *overrides)
{
    sweep->overrides = sf_alloc_zero(sweep->context, count, sizeof *sweep->overrides);
    if (!sweep->overrides)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(overrides[i], "sweep.", 6) == 0 || strncmp(overrides[i], "sweep=", 6) == 0)
            return sf_fail(sweep->context, SF_ERR_CONFIG,
                           "--set %s: only keys of the experiment can be set; change axes in %s",
                           overrides[i], sweep->grid->name);
        for (size_t k = 0; k < sweep->grid->axis_count; k++) {
            const char *key = sweep->grid->axes[k].key;
            if (strncmp(overrides[i], key, strlen(key)) == 0 && overrides[i][strlen(key)] == '=')
                return sf_fail(sweep->context, SF_ERR_CONFIG, "--set %s: this key is an axis of the sweep",
                               overrides[i]);
        }
        if (!(sweep->overrides[i] = sf_strdup(sweep->context, overrides[i])))
            return SF_ERR_MEMORY;
        sweep->override_count++;
    }
    return SF_OK;
}

static sf_status create_contents(sf_sweep *sweep)
{
    sweep->contents = SF_NEW(sweep->context, sf_contents);
    if (!sweep->contents)
        return SF_ERR_MEMORY;
    *sweep->contents = (sf_contents){0};
    pthread_mutex_init(&sweep->contents->lock, NULL);
    return SF_OK;
}

static void destroy_contents(sf_sweep *sweep)
{
    if (sweep->contents)
        pthread_mutex_destroy(&sweep->contents->lock);
    sf_free(sweep->context, sweep->contents);
}

static sf_status make_plan(sf_sweep *sweep, const char *name, const char *text, size_t count,
                           const char *const *overrides)
{
    SF_TRY(sf_grid_parse(sweep->context, name, text, &sweep->grid));
    SF_TRY(sf_shelf_create(sweep->context, &sweep->shelf));
    SF_TRY(create_contents(sweep));
    SF_TRY(keep_overrides(sweep, count, overrides));
    SF_TRY(make_templates(sweep));
    grid_value *values = SF_ARRAY(sweep->context, sweep->grid->axis_count, grid_value);
    if (!values)
        return SF_ERR_MEMORY;
    sf_status status = SF_OK;
    for (size_t i = 0; i < sweep->grid->axis_count && status == SF_OK; i++)
        status = check_axis(sweep, i, values);
    sf_grid_values(sweep->grid, 0, values);
    if (status == SF_OK)
        status = sf_sweep_experiment(sweep, sweep->context, values, 0, NULL, &sweep->first);
    if (status == SF_OK)
        status = sf_sweep_leaves(sweep, sweep->context, sweep->first, &sweep->leaves, &sweep->settings);
    if (status == SF_OK)
        status = sf_measure_create(sweep->grid, sf_dataset_features(sf_experiment_dataset(sweep->first)),
                                   sf_experiment_mode(sweep->first), &sweep->measure);
    if (status == SF_OK)
        status = sf_sweep_test_lean(sweep, NULL, values);
    if (status == SF_OK)
        status = sf_variants_create(sweep, values, &sweep->variants);
    sf_free(sweep->context, values);
    if (status == SF_OK)
        status = find_duplicates(sweep);
    return status == SF_OK ? grid_identity(sweep) : status;
}

sf_status sf_sweep_parse(sf_context *context, const char *name, const char *text, size_t count,
                         const char *const *overrides, sf_sweep **out)
{
    *out = NULL;
    sf_sweep *sweep = SF_NEW(context, sf_sweep);
    if (!sweep)
        return SF_ERR_MEMORY;
    sweep->context = context;
    sf_status status = make_plan(sweep, name, text, count, overrides);
    if (status != SF_OK)
        sf_sweep_destroy(&sweep);
    *out = sweep;
    return status;
}

sf_status sf_sweep_read(sf_context *context, const char *path, size_t count, const char *const *overrides,
                        sf_sweep **out)
{
    *out = NULL;
    bool standard = strcmp(path, "-") == 0;
    FILE *stream = standard ? stdin : fopen(path, "rb");
    if (!stream)
        return sf_fail(context, SF_ERR_CONFIG, "%s: cannot be opened: %s, expected a sweep file", path,
                       strerror(errno));
    char *text = NULL;
    size_t capacity = 0;
    bool good = getdelim(&text, &capacity, '\0', stream) >= 0; // a text has no 0: this is all of it
    if (!standard)
        fclose(stream);
    sf_status status =
        good ? sf_sweep_parse(context, standard ? "standard input" : path, text, count, overrides, out)
             : sf_fail(context, SF_ERR_CONFIG, "%s: empty or unreadable, expected a sweep file", path);
    free(text);
    return status;
}

void sf_sweep_destroy(sf_sweep **sweep)
{
    if (!sweep || !*sweep)
        return;
    sf_sweep *s = *sweep;
    sf_worker_destroy(&s->worker);
    sf_variants_destroy(s->context, &s->variants);
    sf_measure_destroy(&s->measure);
    sf_experiment_destroy(&s->first);
    sf_leaves_release(&s->leaves);
    for (size_t i = 0; i < s->template_count; i++)
        sf_free(s->context, s->templates[i]);
    for (size_t i = 0; i < s->override_count; i++)
        sf_free(s->context, s->overrides[i]);
    sf_free(s->context, s->templates);
    sf_free(s->context, s->overrides);
    sf_free(s->context, s->settings);
    sf_free(s->context, s->axis_leaf);
    sf_free(s->context, s->targets);
    sf_scales_destroy(s->context, &s->scales);
    sf_shelf_destroy(&s->shelf);
    destroy_contents(s);
    sf_grid_destroy(&s->grid);
    sf_free(s->context, s);
    *sweep = NULL;
}

uint64_t sf_sweep_points(const sf_sweep *sweep)
{
    return sweep->grid->points;
}

int sf_sweep_levels(const sf_sweep *sweep)
{
    return sweep->grid->refine.levels;
}
