/* From a sweep file to a plan: the grid, the check of every value of every axis, the experiment of the first point, and
 * what the grid is. */
#include <stdlib.h>
#include <string.h>

#include "experiment/experiment.h"
#include "sweep/run/worker.h"

/* ---- the check of the axes ------------------------------------------------------------------------------ */

static bool sets_data(const sf_grid *grid, const grid_group *group)
{
    bool data = false;
    for (size_t i = group->first; i < group->first + group->axes; i++)
        data = data || strncmp(grid->axes[i].key, "data", 4) == 0;
    return data;
}

/* Settings, shapes and data files of the position set last. */
static sf_status check_point(sf_sweep *sweep, bool other_data, sf_hash *content)
{
    const sf_settings *settings = sweep->point.settings;
    const sf_dataset *first = sf_experiment_dataset(sweep->first);
    size_t n, d;
    bool known = sf_settings_shape(settings, &n, &d);
    if (!known && !other_data) {
        n = sf_dataset_examples(first);
        d = sf_dataset_features(first);
    }
    if (known || !other_data)
        SF_TRY(sf_settings_check_shape(settings, n, d));
    return other_data ? sf_settings_content(settings, sweep->cache, content) : SF_OK;
}

/* Every value of a group, the others at the first point. The contents of data files add to what the grid is. */
static sf_status check_group(sf_sweep *sweep, size_t number, sf_hash *sum)
{
    const sf_grid *grid = sweep->grid;
    const grid_group *group = &grid->groups[number];
    bool data = sets_data(grid, group);
    uint64_t indices[SF_MOST_AXES] = {0};
    for (size_t i = 0; i < group->count; i++) {
        sf_hash pair[2] = {*sum, {{0}}};
        indices[number] = (uint64_t)i << grid->refine.levels;
        sf_status status = sf_point_set(&sweep->point, sf_grid_position(grid, indices));
        if (status == SF_OK)
            status = check_point(sweep, data, &pair[1]);
        if (status == SF_ERR_CONFIG || status == SF_ERR_ARGUMENT)
            return sf_grid_axis_fail(grid, &grid->axes[group->first]);
        SF_TRY(status);
        if (data)
            *sum = sf_hash_bytes(pair, sizeof pair);
        if (sf_cancelled(sweep->context))
            return sf_fail(sweep->context, SF_ERR_CANCELLED, "interrupted");
    }
    return SF_OK;
}

/* Whether the settings of the file go together without the axes: then it is these that a first point is refused for. */
static bool resolves_alone(const sf_sweep *sweep)
{
    sf_settings *settings = NULL;
    bool good = sf_settings_copy(sweep->context, sweep->grid->settings, &settings) == SF_OK &&
                sf_settings_resolve(settings) == SF_OK;
    sf_settings_destroy(&settings);
    return good;
}

/* ---- the experiment of the first point ------------------------------------------------------------------ */

static sf_status write_settings(sf_sweep *sweep)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return sf_fail(sweep->context, SF_ERR_MEMORY, "out of memory: settings of the first point");
    sf_json writer = sf_json_make(stream, false);
    sf_experiment_write(sweep->first, &writer, NULL);
    bool good = sf_json_finish(&writer);
    good = fclose(stream) == 0 && good && text;
    sweep->settings = good ? sf_strdup(sweep->context, text) : NULL;
    free(text);
    return sweep->settings ? SF_OK : sf_fail(sweep->context, SF_ERR_MEMORY, "out of memory: settings");
}

static sf_status make_first(sf_sweep *sweep)
{
    sf_hash content;
    const sf_grid *grid = sweep->grid;
    bool alone = resolves_alone(sweep);
    sf_status status = sf_point_set(&sweep->point, 0);
    if (status == SF_OK)
        status = sf_settings_content(sweep->point.settings, sweep->cache, &content);
    if (status == SF_OK)
        status = sf_experiment_create(sweep->context, sweep->point.settings, sweep->cache, &sweep->first);
    if (status == SF_ERR_CONFIG && alone)
        return grid->axis_count == 1 ? sf_grid_axis_fail(grid, &grid->axes[0])
                                     : sf_fail_within(sweep->context, status,
                                                      "%s: at the first value of every axis", grid->name);
    SF_TRY(status);
    sweep->origin = sf_point_identity(&sweep->point, &content);
    return write_settings(sweep);
}

/* ---- create and destroy --------------------------------------------------------------------------------- */

static sf_status make_plan(sf_sweep *sweep, const char *name, const char *text, size_t count,
                           const char *const *overrides)
{
    SF_TRY(sf_grid_parse(sweep->context, name, text, count, overrides, &sweep->grid));
    SF_TRY(sf_data_cache_create(sweep->context, &sweep->cache));
    SF_TRY(sf_critical_create(sweep->context, &sweep->critical));
    SF_TRY(sf_point_create(sweep->context, sweep->grid, sweep->grid->settings, &sweep->point));
    SF_TRY(make_first(sweep));
    SF_TRY(sf_measure_create(sweep->grid, sf_dataset_features(sf_experiment_dataset(sweep->first)),
                             sf_experiment_mode(sweep->first), &sweep->measure));
    sf_hash sum = sweep->origin;
    for (size_t g = 0; g < sweep->grid->group_count; g++)
        SF_TRY(check_group(sweep, g, &sum));
    SF_TRY(sf_grid_is_distinct(sweep->grid, &sweep->distinct));
    sweep->identity = sf_grid_identity(sweep->grid, sum);
    return SF_OK;
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
    sf_text text = {NULL, 0};
    char *copy = NULL;
    *out = NULL;
    sf_status status = sf_text_read(context, path, "a sweep file", &text);
    const char *start = text.block ? text.block + SF_TEXT_HEADROOM : "";
    if (status == SF_OK && memchr(start, '\0', text.length))
        status =
            sf_fail(context, SF_ERR_CONFIG, "%s: a text with a zero character, expected a sweep file", path);
    if (status == SF_OK && !(copy = sf_alloc(context, text.length + 1, 1)))
        status = SF_ERR_MEMORY;
    if (status == SF_OK) {
        memcpy(copy, start, text.length);
        copy[text.length] = '\0';
        const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
        status = sf_sweep_parse(context, name, copy, count, overrides, out);
    }
    sf_free(context, copy);
    sf_free(context, text.block);
    return status;
}

void sf_sweep_destroy(sf_sweep **sweep)
{
    if (!sweep || !*sweep)
        return;
    sf_sweep *s = *sweep;
    sf_worker_destroy(&s->worker);
    sf_measure_destroy(&s->measure);
    sf_experiment_destroy(&s->first);
    sf_free(s->context, s->settings);
    sf_point_release(&s->point);
    sf_critical_destroy(&s->critical);
    sf_data_cache_destroy(&s->cache);
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

/* ---- options -------------------------------------------------------------------------------------------- */

sf_status sf_options_check(const sf_sweep *sweep, const sf_sweep_options *options)
{
    if (options->threads < 0 || options->threads > 4096)
        return sf_fail(sweep->context, SF_ERR_USAGE, "%d threads, expected 0 (all) to 4096",
                       options->threads);
    if (options->shards > 0 && (options->shard < 1 || options->shard > options->shards))
        return sf_fail(sweep->context, SF_ERR_USAGE, "shard %llu of %llu, expected 1 to %llu",
                       (unsigned long long)options->shard, (unsigned long long)options->shards,
                       (unsigned long long)options->shards);
    if (options->from && sweep->grid->refine.levels == 0)
        return sf_fail(sweep->context, SF_ERR_USAGE,
                       "only a sweep with `refine:` goes on from the results of other shards");
    return SF_OK;
}

bool sf_is_mine(const sf_sweep_options *options, uint64_t number)
{
    return options->shards < 2 || number % options->shards == options->shard - 1;
}
