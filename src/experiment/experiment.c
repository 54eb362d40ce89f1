/* The experiment as read: what can be asked of it, its start, and its resolved settings as JSON. */
#include "experiment/experiment.h"

#include <string.h>

#include "data/dataset.h"
#include "experiment/data_cache.h"

/* ---- create and destroy -------------------------------------------------------------------------- */

sf_status sf_experiment_of(sf_context *context, sf_settings *settings, sf_experiment **out)
{
    sf_experiment *experiment = *out = SF_NEW(context, sf_experiment);
    if (!experiment) {
        sf_settings_destroy(&settings);
        return SF_ERR_MEMORY;
    }
    *experiment = (sf_experiment){.context = context, .settings = settings, .values = settings->values};
    return SF_OK;
}

static sf_status load(sf_context *context, sf_settings *settings, sf_data_cache *cache, sf_experiment **out)
{
    SF_TRY(sf_experiment_of(context, settings, out));
    (*out)->cache = cache;
    sf_status status = sf_experiment_load(*out);
    if (status != SF_OK)
        sf_experiment_destroy(out);
    return status;
}

sf_status sf_experiment_create(sf_context *context, const sf_settings *settings, sf_data_cache *cache,
                               sf_experiment **out)
{
    sf_settings *copy;
    SF_OUT(context, out);
    SF_TRY(sf_settings_copy(context, settings, &copy));
    return load(context, copy, cache, out);
}

sf_status sf_experiment_parse(sf_context *context, const char *name, const char *text, size_t count,
                              const char *const *overrides, sf_experiment **out)
{
    sf_settings *settings;
    SF_OUT(context, out);
    SF_TRY(sf_settings_parse(context, SF_SETTINGS_RUN, name, text, count, overrides, &settings));
    return load(context, settings, NULL, out);
}

sf_status sf_experiment_read(sf_context *context, const char *path, size_t count,
                             const char *const *overrides, sf_experiment **out)
{
    sf_settings *settings;
    SF_OUT(context, out);
    SF_TRY(sf_settings_read(context, SF_SETTINGS_RUN, path, count, overrides, &settings));
    return load(context, settings, NULL, out);
}

void sf_experiment_destroy(sf_experiment **experiment)
{
    if (!experiment || !*experiment)
        return;
    sf_experiment *dead = *experiment;
    sf_context *context = dead->context;
    sf_network_destroy(&dead->network);
    if (dead->data_number > 0)
        sf_data_cache_give_back(dead->cache, dead->dataset);
    else
        sf_dataset_destroy(&dead->dataset);
    sf_settings_destroy(&dead->settings);
    sf_free_aligned(context, dead->start);
    sf_free(context, dead);
    *experiment = NULL;
}

uint64_t sf_experiment_data_number(const sf_experiment *experiment)
{
    return experiment->data_number;
}

sf_dataset *sf_experiment_dataset(const sf_experiment *experiment)
{
    return experiment->dataset;
}

sf_network *sf_experiment_network(const sf_experiment *experiment)
{
    return experiment->network;
}

sf_perturbation sf_experiment_perturbation(const sf_experiment *experiment)
{
    return sf_settings_perturbation(experiment->settings);
}

sf_perturbation sf_settings_perturbation(const sf_settings *settings)
{
    const sf_value *values = settings->values;
    sf_method method = (sf_method)values[SF_SET_METHOD].choice; // the choices are in the order of sf_method
    return (sf_perturbation){.method = method,
                             .rho = sf_method_has_radius(method) ? values[SF_SET_RHO].number : 0.0,
                             .p = sf_method_has_exponent(method) ? values[SF_SET_P].number : NAN};
}

sf_mode sf_experiment_mode(const sf_experiment *experiment)
{
    return (sf_mode)experiment->values[SF_SET_MODE].choice; // the choices are in the order of sf_mode
}

static double number_or(const sf_experiment *experiment, sf_setting_id id, double otherwise)
{
    return experiment->values[id].set ? experiment->values[id].number : otherwise;
}

double sf_experiment_step_size(const sf_experiment *experiment)
{
    return number_or(experiment, SF_SET_STEP, NAN);
}

uint64_t sf_experiment_steps(const sf_experiment *experiment)
{
    return experiment->values[SF_SET_STEPS].integer;
}

double sf_experiment_tolerance(const sf_experiment *experiment)
{
    return number_or(experiment, SF_SET_TOLERANCE, NAN);
}

size_t sf_experiment_samples(const sf_experiment *experiment)
{
    return (size_t)experiment->values[SF_SET_SAMPLES].integer;
}

sf_until sf_experiment_until(const sf_experiment *experiment)
{
    return (sf_until){.log_time = number_or(experiment, SF_SET_UNTIL_LOG_TIME, INFINITY),
                      .tau = number_or(experiment, SF_SET_UNTIL_TAU, INFINITY),
                      .log_norm = number_or(experiment, SF_SET_UNTIL_LOG_NORM, INFINITY),
                      .direction_tolerance = number_or(experiment, SF_SET_UNTIL_DIRECTION, 0.0)};
}

/* ---- the start ----------------------------------------------------------------------------------- */

static void fill_random(const sf_settings *settings, size_t depth, size_t d, double *theta)
{
    double scale = settings->values[SF_SET_RANDOM_SCALE].number;
    for (size_t l = 0; l < depth; l++) {
        sf_random random = sf_random_make(settings->values[SF_SET_RANDOM_SEED].integer, l);
        for (size_t j = 0; j < d; j++)
            theta[l * d + j] = scale * sf_random_normal(&random);
    }
}

void sf_settings_fill_initialization(const sf_settings *settings, size_t depth, size_t d, double *theta)
{
    const sf_value *init = &settings->values[SF_SET_INIT], *layers = &settings->values[SF_SET_LAYERS];
    if (settings->scope & SF_SCOPE_RANDOM) {
        fill_random(settings, depth, d, theta);
    } else if (layers->set) {
        memcpy(theta, layers->numbers, depth * d * sizeof *theta);
    } else {
        for (size_t l = 0; l < depth; l++)
            for (size_t j = 0; j < d; j++)
                theta[l * d + j] = init->numbers ? init->numbers[j] : init->number;
    }
}

void sf_experiment_fill_initialization(const sf_experiment *experiment, double *theta)
{
    sf_settings_fill_initialization(experiment->settings, (size_t)sf_network_depth(experiment->network),
                                    sf_network_features(experiment->network), theta);
}

const double *sf_experiment_initialization(sf_experiment *experiment)
{
    if (!experiment->start) {
        experiment->start = sf_alloc_doubles(experiment->context, sf_network_parameters(experiment->network));
        if (experiment->start)
            sf_experiment_fill_initialization(experiment, experiment->start);
    }
    return experiment->start;
}

const char *sf_experiment_data_file(const sf_experiment *experiment, size_t index)
{
    static const sf_setting_id files[] = {SF_SET_FILE, SF_SET_LABELS_FILE};
    return index < 2 ? experiment->settings->values[files[index]].text : NULL;
}

/* ---- the settings -------------------------------------------------------------------------------- */

const sf_settings *sf_experiment_settings(const sf_experiment *experiment)
{
    return experiment->settings;
}

/* The points as the data set keeps them: x = y z. */
static void write_points(const sf_experiment *experiment, sf_json *json, const char *key)
{
    const sf_dataset *data = experiment->dataset;
    bool pretty = json->pretty;
    sf_json_open_array(json, key);
    json->pretty = false; // number by number, without a line for each
    for (size_t i = 0; i < data->n; i++) {
        sf_json_open_array(json, NULL);
        for (size_t j = 0; j < data->stored; j++)
            sf_json_number(json, NULL, data->labels[i] * data->z[i * data->stored + j]);
        sf_json_close_array(json);
    }
    sf_json_close_array(json);
    json->pretty = pretty;
}

/* What the settings have left to the data set. */
static bool write_data(const void *user, sf_setting_id id, sf_json *json, const char *key)
{
    const sf_experiment *experiment = user;
    if ((id != SF_SET_EXAMPLE && id != SF_SET_POINTS) || experiment->values[id].numbers)
        return false;
    if (id == SF_SET_EXAMPLE)
        sf_json_numbers(json, key, experiment->dataset->stored, experiment->dataset->z);
    else
        write_points(experiment, json, key);
    return true;
}

void sf_experiment_write(const sf_experiment *experiment, sf_json *json, const char *key)
{
    sf_settings_write_by(experiment->settings, json, key, write_data, experiment);
}
