/* Private face of the room experiment/: the experiment as read. */
#ifndef SF_EXPERIMENT_PRIVATE_H
#define SF_EXPERIMENT_PRIVATE_H

#include <samflow/experiment.h>

#include "experiment/settings.h"

struct sf_experiment {
    sf_context *context;
    sf_value values[SF_SETTING_COUNT];
    unsigned scope; // what the experiment is, a set of SF_SCOPE_*
    char *name;     // of the file, for messages
    sf_dataset *dataset;
    sf_network *network;
    double *start; // (L, d), NULL until asked for
};

/* Fails at the place of a setting. */
#define SF_FAIL_SETTING(experiment, id, ...)                                                                 \
    sf_value_fail((experiment)->context, (id), &(experiment)->values[id], __VA_ARGS__)

/* Builds data set and network from the checked values; `source` in data.c. Numbers that the data set keeps
 * are released from the values. */
sf_status sf_experiment_load(sf_experiment *experiment);

#endif
