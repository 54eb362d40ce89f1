/* A training run as read and run. Private to the room experiment/. */
#ifndef SF_TRAINING_PRIVATE_H
#define SF_TRAINING_PRIVATE_H

#include <samflow/training.h>

#include "experiment/experiment.h"

struct sf_training_run {
    sf_context *context;
    sf_experiment *experiment; // its settings; no data set and no network
    sf_images *images, *test;  // test: NULL without a split
    sf_nn *nn;
    sf_trainer *trainer; // NULL before it starts
    sf_run_status status;
    uint64_t restored; // step of the checkpoint it comes from
};

/* Weights, records and settings as HDF5. */
sf_status sf_training_run_save(const sf_training_run *run, const char *path);

#endif
