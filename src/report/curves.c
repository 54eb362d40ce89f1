/* Curves against time: |beta_j| and shares, losses. Methods keep their colours, features theirs, as in the report. */
#include <math.h>

#include "report/kinds.h"

enum { MOST_CURVES = 12, MOST_GUIDES = 40 };

static void open_panel(const plot_job *job, const plot_run *run, const char *title, const char *label,
                       sf_scale scale, double low, double high)
{
    size_t first = sf_plot_first_shown(job, run);
    double end = run->time[run->count - 1];
    for (size_t i = 0; !title && i < job->count; i++) // a panel of all
        end = fmax(end, job->runs[i].time[job->runs[i].count - 1]);
    sf_figure_panel(job->figure, &(sf_axes){.title = title,
                                            .x_label = sf_plot_time_label(job),
                                            .y_label = label,
                                            .x_scale = sf_plot_time_scale(job),
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
    double first = run->time[sf_plot_first_shown(job, run)];
    for (size_t i = 0; i < count && i < MOST_GUIDES; i++) {
        double at = sf_plot_event_time(job, run, &events[i]);
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

sf_status sf_plot_features(plot_job *job)
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
        open_panel(job, run, sf_plot_title(job, run, title, sizeof title), share ? "|β_j| / ‖β‖_1" : "|β_j|",
                   share ? SF_SCALE_LINEAR : SF_SCALE_LOG, share ? 0.0 : NAN, share ? 1.0 : NAN);
        for (size_t rank = 0; rank < shown; rank++)
            add_feature(job, run, features[rank], rank, shown, value);
        mark_events(job, run);
        sf_free(job->context, value);
    }
    return SF_OK;
}

sf_status sf_plot_loss(plot_job *job)
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
        sf_figure_series(job->figure, sf_plot_title(job, run, title, sizeof title), sf_plot_style(job, run),
                         run->count, run->time, value);
        sf_free(job->context, value);
    }
    if (job->count == 1)
        mark_events(job, &job->runs[0]);
    return SF_OK;
}
