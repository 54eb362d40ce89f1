/* samflow/training.h - from an experiment file to a training run, its records and its files.
 *
 * The file (keys: samflow train --settings, from the same table as those of experiment.h) names images, network,
 * optimizer and how long to train. Reading resolves every default, loads or draws the images, splits them and builds the
 * network at its start; running it trains, records, and keeps checkpoints.
 */
#ifndef SAMFLOW_TRAINING_H
#define SAMFLOW_TRAINING_H

#include <samflow/experiment.h>
#include <samflow/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_training_run sf_training_run;

/* As sf_experiment_read and sf_experiment_parse. Errors: SF_ERR_CONFIG with file, line, key and what was expected;
 * SF_ERR_DATA; SF_ERR_IO; SF_ERR_MEMORY; SF_ERR_UNAVAILABLE (built without files, or without the backend asked for). */
SF_API
sf_status sf_training_run_read(sf_context *context, const char *path, size_t count,
                               const char *const *overrides, sf_training_run **out);
SF_API
sf_status sf_training_run_parse(sf_context *context, const char *name, const char *text, size_t count,
                                const char *const *overrides, sf_training_run **out);
/* Of settings of kind SF_SETTINGS_TRAINING that are resolved, which are copied. */
SF_API
sf_status sf_training_run_create(sf_context *context, const sf_settings *settings, sf_training_run **out);
/* The training run that a checkpoint is of: its settings, images and network, with the parameters kept there. To be looked at; it is
 * sf_training_run_options that goes on with a run. Overrides change the settings (where the data are, say). Errors: those of
 * sf_training_run_read and sf_nn_load. */
SF_API
sf_status sf_training_run_restore(sf_context *context, const char *checkpoint, size_t count,
                                  const char *const *overrides, sf_training_run **out);
SF_API
uint64_t sf_training_run_restored_step(const sf_training_run *run); /* of the checkpoint; 0 for other runs */
SF_API
void sf_training_run_destroy(sf_training_run **run);

/* As sf_experiment_data_file. */
SF_API
const char *sf_training_run_data_file(const sf_training_run *run, size_t index);

/* Owned by the training run. The images to test on are NULL without data.split. */
SF_API
const sf_images *sf_training_run_images(const sf_training_run *run);
SF_API
const sf_images *sf_training_run_test_images(const sf_training_run *run);
SF_API
sf_nn *sf_training_run_network(const sf_training_run *run);

SF_API
sf_training sf_training_run_spec(const sf_training_run *run);
SF_API
uint64_t
sf_training_run_steps(const sf_training_run *run); /* training.steps, or what training.epochs comes to */

/* Every setting with every default, as the value of key (NULL inside arrays or at the top). */
SF_API
void sf_training_run_write_settings(const sf_training_run *run, sf_json *json, const char *key);

/* Called after each record, with the network as it is then; another status than SF_OK ends the run. */
typedef sf_status (*sf_training_run_record_fn)(sf_training_run *run, const sf_training_record *record,
                                               void *user);

typedef struct sf_training_run_options {
    const char
        *checkpoint; /* file to keep, every training.checkpoint_every steps and at the end; NULL: none */
    bool resume;     /* go on from the checkpoint if it is there */
    sf_training_run_record_fn
        at_record; /* may be NULL; not called for records that a checkpoint brought along */
    void *user;
} sf_training_run_options;

/* Trains; once for each training run. A run that diverges is SF_OK with status diverged, an interrupted one SF_ERR_CANCELLED; what
 * was recorded stays in both. Other errors: those of sf_trainer_advance, sf_trainer_load and sf_trainer_save. */
SF_API
sf_status sf_training_run_execute(sf_training_run *run, const sf_training_run_options *options);
SF_API
sf_run_status sf_training_run_status(const sf_training_run *run);
SF_API
const sf_training_record *sf_training_run_records(const sf_training_run *run, size_t *count);

/* Whether the training run could be written to path: known ending, folder there and writable. Errors as for
 * sf_trajectory_check_output. */
SF_API
sf_status sf_training_run_check_output(sf_context *context, const char *path);
/* The same for a checkpoint (.h5). */
SF_API
sf_status sf_training_run_check_checkpoint(sf_context *context, const char *path);
/* Writes by the ending of path: .json, .csv (one row a record), .h5. The file appears under its name only when complete. */
SF_API
sf_status sf_training_run_write(const sf_training_run *run, const char *path);
/* The JSON document of `samflow train`, to a stream. */
SF_API
sf_status sf_training_run_write_json(const sf_training_run *run, FILE *stream);

#ifdef __cplusplus
}
#endif
#endif
