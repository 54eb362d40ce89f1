/* A trajectory under construction. Private to the room experiment/. */
#ifndef SF_TRAJECTORY_H
#define SF_TRAJECTORY_H

#include "experiment/experiment.h"
#include "sam/watch.h"

/* log|beta| is stored only where it says more than beta does: where a coordinate has left the normal doubles.
 */
typedef struct sf_sample {
    double step, tau, log_time, log_loss, min_margin, applied_norm;
    double *beta;         // (d)
    double *log_abs_beta; // (d), or NULL: log of |beta|
    int64_t place;        // flows, while running: index on the grid of progress, -1 for times asked for
    double progress;      // flows: where on that clock
} sf_sample;

struct sf_trajectory {
    sf_context *context;
    const sf_experiment *experiment; // borrowed; NULL if read from a file
    char *experiment_text;           // JSON, if read from a file that holds it
    size_t d, depth;
    sf_run_status status;
    sf_sample *samples;
    size_t count, capacity;
    sf_event *events;
    size_t event_count, event_capacity;
    sf_descent *descent;  // discrete: holds the final layers
    sf_excess excess;     // discrete: of the weakest feature over the strongest
    size_t minor, major;  // ... these; the same if there is none
    double *final_layers; // (L, d), flows
};

sf_status sf_trajectory_create(const sf_experiment *experiment, sf_trajectory **out);
/* One without an experiment, as read from a file. */
sf_status sf_trajectory_create_bare(sf_context *context, size_t d, size_t depth, sf_trajectory **out);
/* Reads what output_hdf5.c writes. */
sf_status sf_trajectory_read_hdf5(sf_context *context, const char *path, sf_trajectory **out);

/* Appends a sample with its clocks, evaluations NaN; beta is allocated, not filled. */
sf_status sf_trajectory_append(sf_trajectory *trajectory, double step, double tau, double log_time,
                               sf_sample **out);
/* Removes all samples, or the one at index. */
void sf_trajectory_clear(sf_trajectory *trajectory);
void sf_trajectory_remove(sf_trajectory *trajectory, size_t index);
/* Fills beta and what follows from it, from theta (L, d). */
sf_status sf_trajectory_fill_from_theta(sf_trajectory *trajectory, sf_sample *sample, const double *theta);
/* Drops log|beta| of a sample where beta says the same. */
void sf_trajectory_compact(const sf_trajectory *trajectory, sf_sample *sample);

sf_status sf_trajectory_append_event(sf_trajectory *trajectory, const sf_event *event);

/* log|beta| of the sample at index: stored, or computed into scratch (d). */
const double *sf_trajectory_log_abs_beta(const sf_trajectory *trajectory, size_t index, double *scratch);

/* The runs, one a mode: they fill the trajectory and set its status. */
sf_status sf_run_discrete(sf_experiment *experiment, sf_trajectory *trajectory);
sf_status sf_run_flow(sf_experiment *experiment, sf_trajectory *trajectory);
sf_status sf_run_exact(sf_experiment *experiment, sf_trajectory *trajectory);

/* To a path that is not the final one. */
sf_status sf_write_hdf5(const sf_trajectory *trajectory, const char *path);

#endif
