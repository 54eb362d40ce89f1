#include "sweep/run/probe.h"

#include <string.h>

#include "experiment/experiment.h"

/* ---- lanes ---------------------------------------------------------------------------------------------- */

static bool is_lane(const grid_axis *axis)
{
    static const struct {
        sf_setting_id id;
        int indices;
    } lane[] = {
        {SF_SET_INIT, 0},      {SF_SET_INIT, 1},          {SF_SET_LAYERS, 2}, {SF_SET_EXAMPLE, 1},
        {SF_SET_RHO, 0},       {SF_SET_STEP, 0},          {SF_SET_STEPS, 0},  {SF_SET_UNTIL_LOG_TIME, 0},
        {SF_SET_UNTIL_TAU, 0}, {SF_SET_UNTIL_LOG_NORM, 0}};
    bool is = false;
    for (size_t i = 0; i < sizeof lane / sizeof lane[0]; i++)
        is = is || (axis->path.id == lane[i].id && axis->path.indices == lane[i].indices);
    return is && !axis->patched;
}

static void find_lanes(sf_probe *probe)
{
    const sf_grid *grid = probe->grid;
    for (size_t g = 0; g < grid->group_count; g++) {
        const grid_group *group = &grid->groups[g];
        bool lane = true, example = false;
        for (size_t i = group->first; i < group->first + group->axes; i++) {
            lane = lane && is_lane(&grid->axes[i]);
            example = example || grid->axes[i].path.id == SF_SET_EXAMPLE;
        }
        probe->lane[g] = lane;
        probe->lanes = probe->lanes || lane;
        probe->examples = probe->examples || (lane && example);
    }
}

uint64_t sf_probe_frame(const sf_probe *probe, uint64_t position)
{
    uint64_t indices[SF_MOST_AXES], number = 0;
    sf_grid_indices(probe->grid, position, indices);
    for (size_t g = 0; g < probe->grid->group_count; g++)
        if (!probe->lane[g])
            number = number * sf_grid_extent(probe->grid, g) + indices[g];
    return number;
}

bool sf_probe_follows(const sf_probe *probe)
{
    const sf_value *values = probe->point.settings->values;
    bool single = sf_dataset_examples(sf_experiment_dataset(probe->frame->experiment)) == 1;
    return !probe->examples || (single && !values[SF_SET_MIRROR].flag && !values[SF_SET_STANDARDIZE].flag);
}

/* ---- frames --------------------------------------------------------------------------------------------- */

sf_status sf_probe_create(sf_context *context, const sf_grid *grid, const sf_settings *base,
                          sf_data_cache *cache, sf_probe *probe)
{
    *probe = (sf_probe){.context = context, .grid = grid, .cache = cache};
    find_lanes(probe);
    return sf_point_create(context, grid, base, &probe->point);
}

static void release_numbers(sf_probe *probe)
{
    sf_free(probe->context, probe->numbers.theta);
    sf_free(probe->context, probe->numbers.example);
    probe->numbers = (sf_numbers){0};
}

void sf_probe_release(sf_probe *probe)
{
    if (!probe->context)
        return;
    release_numbers(probe);
    for (size_t i = 0; i < SF_MOST_FRAMES; i++)
        sf_experiment_destroy(&probe->frames[i].experiment);
    sf_point_release(&probe->point);
}

/* The frame of this number, else the place of the one that was entered least lately. */
static sf_frame *place_of(sf_probe *probe, uint64_t number)
{
    sf_frame *oldest = &probe->frames[0];
    for (size_t i = 0; i < SF_MOST_FRAMES; i++) {
        sf_frame *frame = &probe->frames[i];
        if (frame->made && frame->number == number)
            return frame;
        if (frame->used < oldest->used)
            oldest = frame;
    }
    sf_experiment_destroy(&oldest->experiment);
    *oldest = (sf_frame){.number = number};
    return oldest;
}

/* The arrays of the numbers, in the shape of the frame. */
static sf_status shape_numbers(sf_probe *probe)
{
    const sf_network *network = sf_experiment_network(probe->frame->experiment);
    const sf_dataset *dataset = sf_experiment_dataset(probe->frame->experiment);
    bool single = sf_dataset_examples(dataset) == 1;
    size_t d = sf_network_features(network), layers = (size_t)sf_network_depth(network);
    sf_numbers *numbers = &probe->numbers;
    if (numbers->features != d || numbers->layers != layers || !numbers->example == single) {
        release_numbers(probe);
        numbers->theta = SF_ARRAY(probe->context, sf_network_parameters(network), double);
        numbers->example = single ? SF_ARRAY(probe->context, d, double) : NULL;
        if (!numbers->theta || (single && !numbers->example))
            return SF_ERR_MEMORY;
        numbers->features = d;
        numbers->layers = layers;
    }
    if (single)
        sf_dataset_example(dataset, 0, numbers->example);
    return SF_OK;
}

static void fill_numbers(sf_probe *probe)
{
    const sf_value *values = probe->point.settings->values;
    sf_numbers *numbers = &probe->numbers;
    sf_settings_fill_initialization(probe->point.settings, numbers->layers, numbers->features,
                                    numbers->theta);
    for (size_t j = 0; probe->examples && numbers->example && j < values[SF_SET_EXAMPLE].count; j++)
        numbers->example[j] = values[SF_SET_EXAMPLE].numbers[j] * values[SF_SET_SCALE].number;
    numbers->rho = sf_settings_perturbation(probe->point.settings).rho;
    numbers->step = values[SF_SET_STEP].number;
    numbers->steps = values[SF_SET_STEPS].integer;
}

sf_status sf_probe_enter(sf_probe *probe, uint64_t position)
{
    const sf_settings *settings = probe->point.settings;
    SF_TRY(sf_point_set(&probe->point, position));
    sf_frame *frame = probe->frame = place_of(probe, sf_probe_frame(probe, position));
    frame->used = ++probe->clock;
    if (!frame->made) {
        SF_TRY(sf_settings_content(settings, probe->cache, &frame->content));
        SF_TRY(sf_experiment_create(probe->context, settings, probe->cache, &frame->experiment));
        frame->made = true;
    }
    SF_TRY(shape_numbers(probe));
    if (sf_probe_follows(probe))
        fill_numbers(probe);
    return SF_OK;
}

sf_status sf_probe_move(sf_probe *probe, uint64_t position)
{
    SF_TRY(sf_point_set(&probe->point, position));
    fill_numbers(probe);
    return SF_OK;
}
