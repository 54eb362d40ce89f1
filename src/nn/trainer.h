/* A run of training, as the trainer and its checkpoints see it. */
#ifndef SF_NN_TRAINER_H
#define SF_NN_TRAINER_H

#include "nn/network.h"

struct sf_trainer {
    sf_context *context;
    sf_nn *nn;
    const sf_images *images;
    sf_training spec;
    sf_training_state state;
    size_t position;  // images of this epoch that have been used
    bool stopped;     // loss or weights left the finite numbers
    size_t *order;    // (N) of this epoch
    size_t ordered;   // epoch that `order` is of, plus 1; 0: none yet
    float *gradient;  // (P)
    float *theta_hat; // (P) perturbed, then the next theta
    float *total;     // (P) sum over shards; NULL without shards
    float *velocity;  // (P); NULL without momentum
    double *partial;  // work space
    sf_training_record *record;
    size_t records, records_room;
};

/* Makes room for so many records. */
sf_status sf_trainer_reserve_records(sf_trainer *trainer, size_t count);

/* What a checkpoint says of the run that wrote it: its settings as text (released by the caller with sf_free) and its step.
 * Errors: SF_ERR_DATA (no checkpoint), SF_ERR_IO, SF_ERR_MEMORY, SF_ERR_UNAVAILABLE (built without HDF5). */
sf_status sf_checkpoint_settings(sf_context *context, const char *path, char **settings, uint64_t *step);

#endif
