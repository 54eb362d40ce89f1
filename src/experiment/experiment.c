/* The experiment as read: what can be asked of it, its start, and its resolved settings as JSON. */
#include "experiment/experiment.h"

#include <string.h>

#include "data/dataset.h"
#include "experiment/shelf.h"

void sf_experiment_destroy(sf_experiment **experiment)
{
    if (!experiment || !*experiment)
        return;
    sf_experiment *dead = *experiment;
    sf_context *context = dead->context;
    sf_network_destroy(&dead->network);
    if (dead->data_number > 0)
        sf_shelf_give_back(dead->shelf, dead->dataset);
    else
        sf_dataset_destroy(&dead->dataset);
    for (int id = 0; id < SF_SETTING_COUNT; id++)
        sf_value_release(context, &dead->values[id]);
    sf_free_aligned(context, dead->start);
    sf_free(context, dead->name);
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
    const sf_value *values = experiment->values;
    sf_method method = (sf_method)values[SF_SET_METHOD].choice; // the choices are in the order of sf_method
    return (sf_perturbation){.method = method,
                             .rho = method == SF_METHOD_GD ? 0.0 : values[SF_SET_RHO].number,
                             .p = method == SF_METHOD_LP ? values[SF_SET_P].number : NAN};
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

static void fill_random(const sf_experiment *experiment, size_t depth, size_t d, double *theta)
{
    double scale = experiment->values[SF_SET_RANDOM_SCALE].number;
    for (size_t l = 0; l < depth; l++) {
        sf_random random = sf_random_make(experiment->values[SF_SET_RANDOM_SEED].integer, l);
        for (size_t j = 0; j < d; j++)
            theta[l * d + j] = scale * sf_random_normal(&random);
    }
}

void sf_experiment_fill_start(const sf_experiment *experiment, double *theta)
{
    size_t depth = (size_t)sf_network_depth(experiment->network),
           d = sf_network_features(experiment->network);
    const sf_value *init = &experiment->values[SF_SET_INIT], *layers = &experiment->values[SF_SET_LAYERS];
    if (experiment->scope & SF_SCOPE_RANDOM) {
        fill_random(experiment, depth, d, theta);
    } else if (layers->set) {
        memcpy(theta, layers->numbers, depth * d * sizeof *theta);
    } else {
        for (size_t l = 0; l < depth; l++)
            for (size_t j = 0; j < d; j++)
                theta[l * d + j] = init->numbers ? init->numbers[j] : init->number;
    }
}

const double *sf_experiment_start(sf_experiment *experiment)
{
    if (!experiment->start) {
        experiment->start = sf_alloc_doubles(experiment->context, sf_network_parameters(experiment->network));
        if (experiment->start)
            sf_experiment_fill_start(experiment, experiment->start);
    }
    return experiment->start;
}

/* ---- the resolved settings ----------------------------------------------------------------------- */

enum { PATH_SIZE = 128 };

/* Length of the part of group that key lies in: "a.b" for the key "a.b.c" and the group "a.b.x" gives 3. */
static size_t shared_group(const char *group, const char *key)
{
    size_t shared = 0;
    for (size_t i = 0; group[i] && group[i] == key[i]; i++)
        if ((group[i + 1] == '.' || group[i + 1] == '\0') && key[i + 1] == '.')
            shared = i + 1;
    return shared;
}

/* Closes and opens objects so that the one that holds key is open; group names what is open. */
static void enter_group(sf_json *json, char *group, const char *key)
{
    size_t shared = shared_group(group, key);
    while (strlen(group) > shared) {
        sf_json_close_object(json);
        char *dot = strrchr(group, '.');
        *(dot ? dot : group) = '\0';
    }
    const char *rest = key + shared + (shared > 0);
    for (const char *dot; (dot = strchr(rest, '.')) != NULL; rest = dot + 1) {
        char name[PATH_SIZE];
        snprintf(name, sizeof name, "%.*s", (int)(dot - rest), rest);
        sf_json_open_object(json, name);
        snprintf(group, PATH_SIZE, "%.*s", (int)(dot - key), key);
    }
}

static void write_choice(sf_json *json, const char *key, const char *choices, int index)
{
    char name[PATH_SIZE];
    for (; index > 0; index--)
        choices += strcspn(choices, "|") + 1;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(choices, "|"), choices);
    sf_json_string(json, key, name);
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

static void write_rows(sf_json *json, const char *key, const sf_value *value)
{
    sf_json_open_array(json, key);
    for (size_t i = 0; i < value->rows; i++)
        sf_json_numbers(json, NULL, value->count, value->numbers + i * value->count);
    sf_json_close_array(json);
}

static void write_value(const sf_experiment *experiment, sf_setting_id id, sf_json *json, const char *key)
{
    const sf_value *value = &experiment->values[id];
    if (id == SF_SET_EXAMPLE && !value->numbers) {
        sf_json_numbers(json, key, experiment->dataset->stored, experiment->dataset->z);
        return;
    }
    if (id == SF_SET_POINTS && !value->numbers) {
        write_points(experiment, json, key);
        return;
    }
    switch (sf_settings[id].type) {
    case SF_TYPE_NUMBER:
        sf_json_number(json, key, value->number);
        break;
    case SF_TYPE_INTEGER:
    case SF_TYPE_SEED:
        sf_json_integer(json, key, (int64_t)value->integer);
        break;
    case SF_TYPE_FLAG:
        sf_json_bool(json, key, value->flag);
        break;
    case SF_TYPE_TEXT:
        sf_json_string(json, key, value->text);
        break;
    case SF_TYPE_CHOICE:
        write_choice(json, key, sf_settings[id].choices, value->choice);
        break;
    case SF_TYPE_ROWS:
        write_rows(json, key, value);
        break;
    case SF_TYPE_SIZES:
        sf_json_numbers(json, key, value->count, value->numbers);
        break;
    case SF_TYPE_NUMBERS:
    case SF_TYPE_INIT:
        if (value->numbers)
            sf_json_numbers(json, key, value->count, value->numbers);
        else
            sf_json_number(json, key, value->number);
        break;
    }
}

void sf_experiment_write(const sf_experiment *experiment, sf_json *json, const char *key)
{
    char group[PATH_SIZE] = "";
    sf_json_open_object(json, key);
    for (int id = 0; id < SF_SETTING_COUNT; id++) {
        if (!experiment->values[id].set)
            continue;
        const char *path = sf_settings[id].key, *dot = strrchr(path, '.');
        enter_group(json, group, path);
        write_value(experiment, (sf_setting_id)id, json, dot ? dot + 1 : path);
    }
    enter_group(json, group, "");
    sf_json_close_object(json);
}
