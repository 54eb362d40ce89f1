/* Private face of the room experiment/: the experiment as read. */
#ifndef SF_EXPERIMENT_PRIVATE_H
#define SF_EXPERIMENT_PRIVATE_H

#include <samflow/experiment.h>

#include "settings/settings.h"

struct sf_experiment {
    sf_context *context;
    sf_settings *settings;
    sf_value *values; // those of the settings
    sf_dataset *dataset;
    sf_data_cache *cache; // where data sets are kept for several experiments; NULL: nowhere
    uint64_t data_number; // of the data set in the cache; 0: it is this experiment's own
    sf_network *network;
    double *start; // (L, d), NULL until asked for
};

/* Fails at the place of a setting. */
#define SF_FAIL_SETTING(experiment, id, ...) SF_FAIL_VALUE((experiment)->settings, id, __VA_ARGS__)

/* An experiment of resolved settings, which it takes over, also on a failure. Nothing is loaded. */
sf_status sf_experiment_of(sf_context *context, sf_settings *settings, sf_experiment **out);

/* Replaces the path of a setting by the file that it means: beside the experiment file, then in $SAMFLOW_DATA. */
sf_status sf_experiment_find_file(sf_experiment *experiment, sf_setting_id id);
/* Of the data set that is part of samflow, NULL if the data come from elsewhere. */
const char *sf_experiment_data_name(const sf_experiment *experiment);

/* Builds data set and network from the resolved settings. Numbers that the data set keeps are released from the
 * values. */
sf_status sf_experiment_load(sf_experiment *experiment);

/* ---- what resolved settings say, before anything is loaded ---- */

/* H over the bytes of the data files, of nothing if there are none; those met last are kept in the cache, as long as
 * size and time stay. Errors: SF_ERR_DATA, SF_ERR_MEMORY. */
sf_status sf_settings_content(const sf_settings *settings, sf_data_cache *cache, sf_hash *content);
/* Examples and features of the data; false if that takes a file to know. */
bool sf_settings_shape(const sf_settings *settings, size_t *n, size_t *d);
/* Whether start and mode fit n examples of d features. Errors: SF_ERR_CONFIG. */
sf_status sf_settings_check_shape(const sf_settings *settings, size_t n, size_t d);
sf_perturbation sf_settings_perturbation(const sf_settings *settings);
/* The start, theta (depth, d). */
void sf_settings_fill_initialization(const sf_settings *settings, size_t depth, size_t d, double *theta);

#endif
