/* Figures of trajectories: |beta_j| and shares against time, losses. Methods keep their colours, features theirs, as in
 * the report. The plane of beta is in plane.c, heat maps and images are in cells.c. */
#include "report/trajectory.h"

#include <math.h>
#include <string.h>

enum { MOST_CURVES = 12, MOST_RUNS = 8, MOST_GUIDES = 40 };

const char *sf_plot_kind_name(size_t kind)
{
    static const char *const name[] = {"time", "shares", "plane", "loss", "spotlight", "image"};
    return kind < sizeof name / sizeof name[0] ? name[kind] : NULL;
}

/* ---- clocks --------------------------------------------------------------------------------------------- */

/* Gradient evaluations a step. */
static double evaluations_of(const plot_run *run)
{
    if (!run->experiment)
        return NAN;
    return sf_experiment_perturbation(run->experiment).method == SF_METHOD_GD ? 1.0 : 2.0;
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

/* The clock asked for, or the first that every trajectory has. */
static sf_status choose_clock(plot_job *job)
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

/* An axis of time needs more than one moment on it. */
static sf_status check_moments(const plot_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        const plot_run *run = &job->runs[i];
        if (!(run->time[run->count - 1] > run->time[plot_first_shown(job, run)]))
            return sf_fail(job->context, SF_ERR_USAGE,
                           "%s: one moment that an axis of '%s' can show, expected several", run->name,
                           job->clock);
    }
    return SF_OK;
}

static bool is_log_time(const plot_job *job)
{
    return strcmp(job->clock, "log_time") == 0;
}

sf_scale plot_time_scale(const plot_job *job)
{
    if (strcmp(job->clock, "tau") == 0)
        return SF_SCALE_LINEAR;
    return !is_log_time(job) || job->runs[0].time[job->runs[0].count - 1] > 1000.0 ? SF_SCALE_LOG
                                                                                   : SF_SCALE_LINEAR;
}

const char *plot_time_label(const plot_job *job)
{
    return strcmp(job->clock, "step") == 0          ? "step"
           : strcmp(job->clock, "tau") == 0         ? "τ (rescaled time, no unit)"
           : strcmp(job->clock, "evaluations") == 0 ? "gradient evaluations"
                                                    : "log t (natural logarithm of the original time)";
}

size_t plot_first_shown(const plot_job *job, const plot_run *run)
{
    // log t begins at minus infinity; logarithmic axes begin beyond 0, and those of log t where it is no longer small
    double low = plot_time_scale(job) == SF_SCALE_LINEAR ? -INFINITY : is_log_time(job) ? 0.1 : 0.0;
    size_t first = 0;
    while (first + 1 < run->count && !(isfinite(run->time[first]) && run->time[first] > low))
        first++;
    return first;
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

const char *plot_title(const plot_job *job, const plot_run *run, char *buffer, size_t size)
{
    if (methods_differ(job))
        return sf_title_of_method(sf_experiment_perturbation(run->experiment).method);
    size_t used = 0; // without the marks of formulas that labels understand
    for (const char *text = run->name; *text && used + 2 < size; text++) {
        if (strchr("_^{}@&~", *text))
            buffer[used++] = '\\';
        buffer[used++] = *text;
    }
    buffer[used] = '\0';
    return buffer;
}

/* The colour of its method; dashes tell runs of one method apart. */
sf_style plot_style(const plot_job *job, const plot_run *run)
{
    sf_method method = run->experiment ? sf_experiment_perturbation(run->experiment).method : SF_METHOD_GD;
    sf_style style = {.color = run->experiment ? sf_color_of_method(method) : SF_COLOR_THEORY, .width = 2.5};
    for (const plot_run *other = job->runs; other < run; other++)
        style.dash += !run->experiment || !other->experiment ||
                      sf_experiment_perturbation(other->experiment).method == method;
    return style;
}

/* ---- panels --------------------------------------------------------------------------------------------- */

static void open_panel(const plot_job *job, const plot_run *run, const char *title, const char *label,
                       sf_scale scale, double low, double high)
{
    size_t first = plot_first_shown(job, run);
    double end = run->time[run->count - 1];
    for (size_t i = 0; !title && i < job->count; i++) // a panel of all
        end = fmax(end, job->runs[i].time[job->runs[i].count - 1]);
    sf_figure_panel(job->figure, &(sf_axes){.title = title,
                                            .x_label = plot_time_label(job),
                                            .y_label = label,
                                            .x_scale = plot_time_scale(job),
                                            .y_scale = scale,
                                            .x_min = run->time[first],
                                            .x_max = end,
                                            .y_min = low,
                                            .y_max = high,
                                            .key = "below"});
}

/* Dominance, collapse, blow-up, sliding: a dotted line each. */
static void mark_events(const plot_job *job, const plot_run *run)
{
    size_t count;
    const sf_event *events = sf_trajectory_events(run->trajectory, &count);
    double first = run->time[plot_first_shown(job, run)];
    for (size_t i = 0; i < count && i < MOST_GUIDES; i++) {
        double at = clock_of(run, job->clock, events[i].step, events[i].tau, events[i].log_time);
        char text[48];
        if (events[i].kind == SF_EVENT_DOMINANCE)
            snprintf(text, sizeof text, "β_{%lld} leads", (long long)events[i].to);
        else
            snprintf(text, sizeof text, "%s",
                     events[i].kind == SF_EVENT_BLOW_UP ? "blow-up" : sf_event_name(events[i].kind));
        if (isfinite(at) && at >= first)
            sf_figure_guide(job->figure, at, text);
    }
}

static double size_of(size_t d, const double *beta)
{
    double sum = 0.0;
    for (size_t j = 0; j < d; j++)
        sum += fabs(beta[j]);
    return sum;
}

/* The features that are drawn: all, or those of largest share somewhere, in order of their number. */
static sf_status choose_features(const plot_job *job, const plot_run *run, size_t *features, size_t *shown)
{
    double *share = sf_alloc_zero(job->context, run->d, sizeof *share);
    if (!share)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < run->count; i++) {
        const double *beta = sf_trajectory_record(run->trajectory, i).beta;
        double sum = size_of(run->d, beta);
        for (size_t j = 0; j < run->d && sum > 0.0; j++)
            share[j] = fmax(share[j], fabs(beta[j]) / sum);
    }
    for (*shown = 0; *shown < run->d && *shown < MOST_CURVES; ++*shown) {
        size_t best = 0, at = *shown;
        for (size_t j = 1; j < run->d; j++)
            if (share[j] > share[best])
                best = j;
        share[best] = -1.0;
        for (; at > 0 && features[at - 1] > best; at--)
            features[at] = features[at - 1];
        features[at] = best;
    }
    sf_free(job->context, share);
    return SF_OK;
}

static void add_feature(const plot_job *job, const plot_run *run, size_t j, size_t rank, size_t shown,
                        double *value)
{
    bool share = job->options->kind == SF_PLOT_SHARES;
    char title[32];
    for (size_t i = 0; i < run->count; i++) {
        const double *beta = sf_trajectory_record(run->trajectory, i).beta;
        value[i] = fabs(beta[j]) / (share ? size_of(run->d, beta) : 1.0);
        if (!share && value[i] == 0.0)
            value[i] = NAN; // not on a logarithmic axis
    }
    snprintf(title, sizeof title, "β_{%zu}", j);
    sf_figure_series(
        job->figure, title,
        (sf_style){.color = sf_color_of_strength(shown > 1 ? (double)rank / (double)(shown - 1) : 1.0),
                   .dash = shown <= 4 ? (int)rank : 0,
                   .width = 2.5},
        run->count, run->time, value);
}

static sf_status plot_features(plot_job *job)
{
    bool share = job->options->kind == SF_PLOT_SHARES;
    for (size_t i = 0; i < job->count; i++) {
        const plot_run *run = &job->runs[i];
        size_t features[MOST_CURVES], shown;
        char title[256];
        SF_TRY(choose_features(job, run, features, &shown));
        double *value = SF_ARRAY(job->context, run->count, double);
        if (!value)
            return SF_ERR_MEMORY;
        open_panel(job, run, plot_title(job, run, title, sizeof title),
                   share ? "|β_j| / ‖β‖_1 (no unit)" : "|β_j| (no unit)",
                   share ? SF_SCALE_LINEAR : SF_SCALE_LOG, share ? 0.0 : NAN, share ? 1.0 : NAN);
        for (size_t rank = 0; rank < shown; rank++)
            add_feature(job, run, features[rank], rank, shown, value);
        mark_events(job, run);
        sf_free(job->context, value);
    }
    return SF_OK;
}

static sf_status plot_loss(plot_job *job)
{
    char title[256];
    open_panel(job, &job->runs[0], NULL, "log F (F: training loss)", SF_SCALE_LINEAR, NAN, NAN);
    for (size_t i = 0; i < job->count; i++) {
        const plot_run *run = &job->runs[i];
        double *value = SF_ARRAY(job->context, run->count, double);
        if (!value)
            return SF_ERR_MEMORY;
        for (size_t k = 0; k < run->count; k++)
            value[k] = sf_trajectory_record(run->trajectory, k).log_loss;
        sf_figure_series(job->figure, plot_title(job, run, title, sizeof title), plot_style(job, run),
                         run->count, run->time, value);
        sf_free(job->context, value);
    }
    if (job->count == 1)
        mark_events(job, &job->runs[0]);
    return SF_OK;
}

/* ---- the figure ----------------------------------------------------------------------------------------- */

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
    SF_TRY(choose_clock(job));
    if (job->options->kind != SF_PLOT_PLANE && job->options->kind != SF_PLOT_IMAGE)
        SF_TRY(check_moments(job));
    switch (job->options->kind) {
    case SF_PLOT_TIME:
    case SF_PLOT_SHARES:
        return plot_features(job);
    case SF_PLOT_PLANE:
        return plot_plane(job);
    case SF_PLOT_LOSS:
        return plot_loss(job);
    case SF_PLOT_SPOTLIGHT:
        return plot_spotlight(job);
    case SF_PLOT_IMAGE:
        return plot_images(job);
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
