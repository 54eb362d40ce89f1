/* Figures of trajectories: the kind that is asked for. */
#include "report/kinds.h"

enum { MOST_RUNS = 8 };

const char *sf_plot_kind_name(size_t kind)
{
    static const char *const name[] = {"time", "shares", "plane", "loss", "spotlight", "image"};
    return kind < sizeof name / sizeof name[0] ? name[kind] : NULL;
}

/* Fills the runs. Experiments that cannot be built are left out where only names and colours come from them. */
static sf_status open_runs(plot_job *job, const sf_trajectory *const *trajectories, const char *const *names)
{
    for (size_t i = 0; i < job->count; i++) {
        plot_run *run = &job->runs[i];
        const char *text = sf_trajectory_experiment(trajectories[i]);
        *run = (plot_run){.name = names[i],
                          .trajectory = trajectories[i],
                          .count = sf_trajectory_records(trajectories[i]),
                          .d = sf_trajectory_features(trajectories[i])};
        run->time = SF_ARRAY(job->context, run->count, double);
        if (!run->time)
            return SF_ERR_MEMORY;
        sf_status status =
            text ? sf_experiment_parse(job->context, names[i], text, job->options->override_count,
                                       job->options->overrides, &run->experiment)
                 : SF_OK;
        if (status != SF_OK && (job->options->kind == SF_PLOT_SPOTLIGHT || status == SF_ERR_MEMORY))
            return status;
    }
    return SF_OK;
}

static sf_status draw(plot_job *job)
{
    SF_TRY(sf_plot_choose_clock(job));
    if (job->options->kind != SF_PLOT_PLANE && job->options->kind != SF_PLOT_IMAGE)
        SF_TRY(sf_plot_check_moments(job));
    switch (job->options->kind) {
    case SF_PLOT_TIME:
    case SF_PLOT_SHARES:
        return sf_plot_features(job);
    case SF_PLOT_PLANE:
        return sf_plot_plane(job);
    case SF_PLOT_LOSS:
        return sf_plot_loss(job);
    case SF_PLOT_SPOTLIGHT:
        return sf_plot_spotlight(job);
    case SF_PLOT_IMAGE:
        return sf_plot_images(job);
    }
    return sf_fail(job->context, SF_ERR_ARGUMENT, "unknown kind of figure");
}

/* Panels side by side. */
static size_t columns_of(size_t count, const sf_plot_options *options)
{
    enum { MOMENTS = 5 };
    if (options->kind == SF_PLOT_IMAGE)
        return options->moment_count ? options->moment_count : MOMENTS;
    bool one = options->kind == SF_PLOT_PLANE || options->kind == SF_PLOT_LOSS;
    return one ? 1 : count < 3 ? count : 3;
}

sf_status sf_plot_trajectories(sf_context *context, const char *name, size_t count,
                               const sf_trajectory *const *trajectories, const char *const *names,
                               const sf_plot_options *options, sf_figure **out)
{
    plot_run runs[MOST_RUNS] = {{0}};
    plot_job job = {.context = context, .options = options, .count = count, .runs = runs};
    *out = NULL;
    if (count < 1 || count > MOST_RUNS)
        return sf_fail(context, SF_ERR_USAGE, "%zu trajectories, expected 1 to %d", count, MOST_RUNS);
    sf_status status =
        sf_figure_create(context, name, names[0], names[0], columns_of(count, options), &job.figure);
    if (status == SF_OK)
        status = open_runs(&job, trajectories, names);
    if (status == SF_OK)
        status = draw(&job);
    if (status == SF_OK)
        status = sf_figure_status(job.figure);
    for (size_t i = 0; i < count; i++) {
        sf_experiment_destroy(&runs[i].experiment);
        sf_free(context, runs[i].time);
    }
    if (status != SF_OK)
        sf_figure_destroy(&job.figure);
    *out = job.figure;
    return status;
}
