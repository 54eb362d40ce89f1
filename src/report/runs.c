#include "report/runs.h"

#include <math.h>
#include <string.h>

#include "report/labels.h"

/* ---- clocks --------------------------------------------------------------------------------------------- */

/* Gradient evaluations a step. */
static double evaluations_of(const plot_run *run)
{
    if (!run->experiment)
        return NAN;
    return sf_method_has_radius(sf_experiment_perturbation(run->experiment).method) ? 2.0 : 1.0;
}

static double clock_of(const plot_run *run, const char *clock, double step, double tau, double log_time)
{
    return strcmp(clock, "step") == 0          ? step
           : strcmp(clock, "tau") == 0         ? tau
           : strcmp(clock, "evaluations") == 0 ? step * evaluations_of(run)
                                               : log_time;
}

static bool has_clock(const plot_run *run, const char *clock)
{
    sf_record last = sf_trajectory_record(run->trajectory, run->count - 1);
    return !isnan(clock_of(run, clock, last.step, last.tau, last.log_time));
}

sf_status sf_plot_choose_clock(plot_job *job)
{
    static const char *const usual[] = {"step", "log_time", "tau"}, *const heat[] = {"step", "tau",
                                                                                     "log_time"};
    const char *const *order = job->options->kind == SF_PLOT_SPOTLIGHT ? heat : usual;
    const char *lacking = NULL;
    for (size_t k = 0; k < (job->options->clock ? 1 : 3); k++) {
        job->clock = job->options->clock ? job->options->clock : order[k];
        lacking = NULL;
        for (size_t i = 0; i < job->count && !lacking; i++)
            if (!has_clock(&job->runs[i], job->clock))
                lacking = job->runs[i].name;
        if (!lacking)
            break;
    }
    if (lacking)
        return sf_fail(job->context, SF_ERR_USAGE, "%s: this trajectory has no clock '%s'", lacking,
                       job->clock);
    for (size_t i = 0; i < job->count; i++)
        for (size_t k = 0; k < job->runs[i].count; k++) {
            sf_record record = sf_trajectory_record(job->runs[i].trajectory, k);
            job->runs[i].time[k] =
                clock_of(&job->runs[i], job->clock, record.step, record.tau, record.log_time);
        }
    return SF_OK;
}

double sf_plot_event_time(const plot_job *job, const plot_run *run, const sf_event *event)
{
    return clock_of(run, job->clock, event->step, event->tau, event->log_time);
}

static bool is_log_time(const plot_job *job)
{
    return strcmp(job->clock, "log_time") == 0;
}

sf_scale sf_plot_time_scale(const plot_job *job)
{
    if (strcmp(job->clock, "tau") == 0)
        return SF_SCALE_LINEAR;
    return !is_log_time(job) || job->runs[0].time[job->runs[0].count - 1] > 1000.0 ? SF_SCALE_LOG
                                                                                   : SF_SCALE_LINEAR;
}

const char *sf_plot_time_label(const plot_job *job)
{
    return strcmp(job->clock, "step") == 0          ? "step"
           : strcmp(job->clock, "tau") == 0         ? "τ"
           : strcmp(job->clock, "evaluations") == 0 ? "gradient evaluations"
                                                    : "ln t";
}

size_t sf_plot_first_shown(const plot_job *job, const plot_run *run)
{
    // log t begins at minus infinity; logarithmic axes begin beyond 0, and those of log t where it is no longer small
    double low = sf_plot_time_scale(job) == SF_SCALE_LINEAR ? -INFINITY : is_log_time(job) ? 0.1 : 0.0;
    size_t first = 0;
    while (first + 1 < run->count && !(isfinite(run->time[first]) && run->time[first] > low))
        first++;
    return first;
}

sf_status sf_plot_check_moments(const plot_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        const plot_run *run = &job->runs[i];
        if (!(run->time[run->count - 1] > run->time[sf_plot_first_shown(job, run)]))
            return sf_fail(job->context, SF_ERR_USAGE,
                           "%s: one moment that an axis of '%s' can show, expected several", run->name,
                           job->clock);
    }
    return SF_OK;
}

/* ---- names and colours ---------------------------------------------------------------------------------- */

static bool methods_differ(const plot_job *job)
{
    for (size_t i = 0; i < job->count; i++)
        for (size_t k = 0; k <= i; k++)
            if (!job->runs[k].experiment ||
                (k < i && sf_experiment_perturbation(job->runs[i].experiment).method ==
                              sf_experiment_perturbation(job->runs[k].experiment).method))
                return false;
    return true;
}

const char *sf_plot_title(const plot_job *job, const plot_run *run, char *buffer, size_t size)
{
    if (methods_differ(job))
        return sf_title_of_method(sf_experiment_perturbation(run->experiment).method);
    return sf_plot_plain(run->name, buffer, size);
}

sf_style sf_plot_style(const plot_job *job, const plot_run *run)
{
    sf_method method = run->experiment ? sf_experiment_perturbation(run->experiment).method : SF_METHOD_GD;
    sf_style style = {.color = run->experiment ? sf_color_of_method(method) : SF_COLOR_THEORY, .width = 2.5};
    for (const plot_run *other = job->runs; other < run; other++)
        style.dash += !run->experiment || !other->experiment ||
                      sf_experiment_perturbation(other->experiment).method == method;
    return style;
}
