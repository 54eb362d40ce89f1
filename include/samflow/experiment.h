/* samflow/experiment.h - from an experiment file to a run, its trajectory and its events.
 *
 * An experiment file (YAML; the keys are those of sf_settings in doc/experiment.md, all from one table) names
 * data, network, optimizer, loss, dynamics and record. Reading resolves every default, loads the data and
 * builds the network; running it gives a trajectory, which is written as JSON, CSV or HDF5.
 */
#ifndef SAMFLOW_EXPERIMENT_H
#define SAMFLOW_EXPERIMENT_H

#include <samflow/flow.h>
#include <samflow/json.h>
#include <samflow/settings.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- experiments --------------------------------------------------------------------------------- */

typedef struct sf_experiment sf_experiment;

/* Reads an experiment from a file ("-": standard input), or from text (name: what messages call it, and the
 * file whose folder relative paths start from). overrides: count strings "key.path=value" (the value is YAML;
 * nothing after the sign removes the key), applied before checking. Relative paths of data files are taken
 * from the folder of the experiment file, then from $SAMFLOW_DATA. Errors: SF_ERR_CONFIG with file, line, key
 * and what was expected; SF_ERR_DATA; SF_ERR_IO; SF_ERR_MEMORY. */
SF_API
sf_status sf_experiment_read(sf_context *context, const char *path, size_t count,
                             const char *const *overrides, sf_experiment **out);
SF_API
sf_status sf_experiment_parse(sf_context *context, const char *name, const char *text, size_t count,
                              const char *const *overrides, sf_experiment **out);
SF_API
void sf_experiment_destroy(sf_experiment **experiment);

/* A few data sets kept in memory for many experiments: those read from files with the same settings of data, as long as
 * size and time of the files stay. Experiments borrow them; the cache must outlive them, and so must its context. Usable
 * by several threads. Errors: SF_ERR_MEMORY. */
typedef struct sf_data_cache sf_data_cache;
SF_API
sf_status sf_data_cache_create(sf_context *context, sf_data_cache **out);
SF_API
void sf_data_cache_destroy(sf_data_cache **cache);
/* An experiment of settings that are resolved (samflow/settings.h), which are copied; data from the cache, which may be
 * NULL. Errors: as above. */
SF_API
sf_status sf_experiment_create(sf_context *context, const sf_settings *settings, sf_data_cache *cache,
                               sf_experiment **out);
/* The settings of an experiment, with the files that its paths mean. Numbers that the data set holds are left to it. */
SF_API
const sf_settings *sf_experiment_settings(const sf_experiment *experiment);
/* The number that a data set in the cache has, another for each that was read; 0 if the experiment has its own. */
SF_API
uint64_t sf_experiment_data_number(const sf_experiment *experiment);

/* The files that its data came from, with the folder in which they were found: index 0, 1; NULL past the last. */
SF_API
const char *sf_experiment_data_file(const sf_experiment *experiment, size_t index);

typedef enum sf_mode { SF_MODE_FLOW, SF_MODE_DISCRETE, SF_MODE_EXACT } sf_mode;

SF_API
sf_dataset *sf_experiment_dataset(const sf_experiment *experiment); /* owned by the experiment */
SF_API
sf_network *sf_experiment_network(const sf_experiment *experiment); /* owned by the experiment */
SF_API
sf_perturbation sf_experiment_perturbation(const sf_experiment *experiment);
SF_API
sf_mode sf_experiment_mode(const sf_experiment *experiment);
SF_API
double sf_experiment_step_size(const sf_experiment *experiment); /* eta; NaN unless discrete */
SF_API
uint64_t sf_experiment_steps(const sf_experiment *experiment); /* 0 unless discrete */
SF_API
double sf_experiment_tolerance(const sf_experiment *experiment); /* of the integrator; NaN unless flow */
SF_API
size_t sf_experiment_samples(const sf_experiment *experiment); /* record.samples */

/* Where a flow ends: the first of these; INFINITY (direction_tolerance: 0) for those that were not asked for.
 */
typedef struct sf_until {
    double log_time, tau, log_norm, direction_tolerance;
} sf_until;
SF_API
sf_until sf_experiment_until(const sf_experiment *experiment);

/* theta (L*d) at time 0. The first form fills memory of the caller; the second keeps a copy in the
 * experiment, made at the first call, and returns NULL if there is no memory for it. */
SF_API
void sf_experiment_fill_initialization(const sf_experiment *experiment, double *theta);
SF_API
const double *sf_experiment_initialization(sf_experiment *experiment);

/* Every setting with every default, as the value of key (NULL inside arrays or at the top). It reads back, as
 * an experiment file, to the same experiment. */
SF_API
void sf_experiment_write(const sf_experiment *experiment, sf_json *json, const char *key);

/* ---- runs ---------------------------------------------------------------------------------------- */

typedef struct sf_trajectory sf_trajectory;

typedef enum sf_run_status {
    SF_RUN_COMPLETED,
    SF_RUN_COLLAPSED,
    SF_RUN_DIVERGED,
    SF_RUN_INTERRUPTED
} sf_run_status;

/* One record. NaN where a clock does not exist in the mode. beta and log_abs_beta: (d), owned by the
 * trajectory; log_abs_beta is computed when first asked for, and NULL if there is no memory for it. */
typedef struct sf_record {
    double step, tau, log_time, log_loss, min_margin, applied_norm;
    const double *beta, *log_abs_beta;
} sf_record;

/* Runs; the experiment must outlive the trajectory. *out is set also when the run diverges (SF_OK, status
 * diverged), is interrupted (SF_ERR_CANCELLED) or the integrator fails (SF_ERR_NUMERIC): it then holds what
 * was computed. NULL only for other errors. */
SF_API
sf_status sf_experiment_run(sf_experiment *experiment, sf_trajectory **out);
SF_API
void sf_trajectory_destroy(sf_trajectory **trajectory);

SF_API
sf_run_status sf_trajectory_status(const sf_trajectory *trajectory);
SF_API
size_t sf_trajectory_features(const sf_trajectory *trajectory); /* d */
SF_API
size_t sf_trajectory_records(const sf_trajectory *trajectory);
/* Numbers NaN and arrays NULL if there is no such record. */
SF_API
sf_record sf_trajectory_record(const sf_trajectory *trajectory, size_t index);
/* All records in one call, into arrays of the caller: one number a record, or (records, d) for beta and log_abs_beta. Arrays that
 * are NULL are left out. SF_ERR_ARGUMENT: no size. */
typedef struct sf_trajectory_columns {
    size_t size; /* sizeof(sf_trajectory_columns) */
    double *step, *tau, *log_time, *log_loss, *min_margin, *applied_norm, *beta, *log_abs_beta;
} sf_trajectory_columns;
SF_API
sf_status sf_trajectory_read_columns(const sf_trajectory *trajectory, const sf_trajectory_columns *columns);
SF_API
const double *sf_trajectory_final_layers(const sf_trajectory *trajectory); /* (L*d) */
/* Discrete runs: natural logarithm of the largest |beta_minor| / |beta_major| over all steps, of the feature of smallest
 * strength (sf_dataset_strengths) and that of largest. NaN for other modes, and where all strengths are alike. */
SF_API
double sf_trajectory_log_excess(const sf_trajectory *trajectory, size_t *minor, size_t *major);
SF_API
const sf_event *sf_trajectory_events(const sf_trajectory *trajectory, size_t *count);

/* Whether a trajectory could be written to path, to be asked before computing: known ending, folder there and
 * writable. Errors: SF_ERR_USAGE, SF_ERR_IO, SF_ERR_UNAVAILABLE (built without HDF5). */
SF_API
sf_status sf_trajectory_check_output(sf_context *context, const char *path);
/* Writes by the ending of path: .json, .csv (one row a record), .h5. The file appears under its name only
 * when complete. Errors: those above. */
SF_API
sf_status sf_trajectory_write(const sf_trajectory *trajectory, const char *path);
/* The JSON document of `samflow simulate`, to a stream. */
SF_API
sf_status sf_trajectory_write_json(const sf_trajectory *trajectory, FILE *stream);
/* "completed", "collapsed", "diverged", "interrupted" */
SF_API
const char *sf_run_status_name(sf_run_status status);

/* Reads a trajectory that samflow wrote, by its ending: .json or .h5. What was recorded and the events come back, its
 * experiment as text only, so it cannot be written again. Errors: SF_ERR_USAGE (ending), SF_ERR_DATA (not a trajectory of
 * samflow: names what is missing), SF_ERR_IO, SF_ERR_MEMORY, SF_ERR_UNAVAILABLE (built without HDF5). */
SF_API
sf_status sf_trajectory_read(sf_context *context, const char *path, sf_trajectory **out);
/* The experiment of a trajectory that was read, as JSON for sf_experiment_parse; NULL if the file holds none, or if the
 * trajectory was run. Owned by the trajectory. */
SF_API
const char *sf_trajectory_experiment(const sf_trajectory *trajectory);

#ifdef __cplusplus
}
#endif
#endif
