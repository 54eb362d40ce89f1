/* Private face of the room report/: trajectories on their way into a figure. */
#ifndef SF_REPORT_RUNS_H
#define SF_REPORT_RUNS_H

#include <samflow/report.h>

#include "base/base.h"

/* One trajectory and what its figures need of it. */
typedef struct plot_run {
    const char *name; // of its file
    const sf_trajectory *trajectory;
    sf_experiment *experiment; // NULL where it is not known or cannot be built here
    size_t count, d;
    double *time; // (count) on the clock of the figure; NaN where a record has none
} plot_run;

/* All of a figure. */
typedef struct plot_job {
    sf_context *context;
    const sf_plot_options *options;
    const char *clock; // name of the clock
    size_t count;
    plot_run *runs; // (count)
    sf_figure *figure;
} plot_job;

/* Chooses the clock asked for, or the first that every trajectory has, and fills the times of the runs. Errors:
 * SF_ERR_USAGE. */
sf_status sf_plot_choose_clock(plot_job *job);
/* An axis of time needs more than one moment on it. Errors: SF_ERR_USAGE. */
sf_status sf_plot_check_moments(const plot_job *job);
/* When an event was, on the clock of the figure; NaN if it is not known. */
double sf_plot_event_time(const plot_job *job, const plot_run *run, const sf_event *event);
/* Steps and gradient evaluations run on a logarithmic axis, and so does log t where it goes far. */
sf_scale sf_plot_time_scale(const plot_job *job);
const char *sf_plot_time_label(const plot_job *job);
/* The first record of a run that its axis can show. */
size_t sf_plot_first_shown(const plot_job *job, const plot_run *run);
/* What legends and titles call a run: its method, or its file where methods are not known or not all different. */
const char *sf_plot_title(const plot_job *job, const plot_run *run, char *buffer, size_t size);
/* The colour of its method; dashes tell runs of one method apart. */
sf_style sf_plot_style(const plot_job *job, const plot_run *run);

#endif
