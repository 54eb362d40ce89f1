/* A course of training as read and run. Private to the room experiment/. */
#ifndef SF_TRAINING_PRIVATE_H
#define SF_TRAINING_PRIVATE_H

#include <samflow/training.h>

#include "experiment/experiment.h"

struct sf_course {
    sf_context *context;
    sf_experiment *experiment; // its settings; no data set and no network
    sf_images *images, *test;  // test: NULL without a split
    sf_nn *nn;
    sf_trainer *trainer; // NULL before the run
    sf_run_status status;
    uint64_t restored; // step of the checkpoint it comes from
};

/* Weights, records and settings as HDF5. */
sf_status sf_course_save(const sf_course *course, const char *path);

#endif
