/* Trajectories as heat maps: the spotlight over feature strength and time, and predictors as images. */
#include "report/kinds.h"

#include <samflow/verdict.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The record whose time is nearest to `time`, on the scale of the axis. */
static size_t nearest_record(const plot_run *run, size_t first, sf_scale scale, double time)
{
    size_t best = first;
    double least = INFINITY;
    for (size_t i = first; i < run->count; i++) {
        double distance = scale == SF_SCALE_LOG ? fabs(log(run->time[i] / time)) : fabs(run->time[i] - time);
        if (distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

/* ---- the spotlight --------------------------------------------------------------------------------------
 *
 * Strengths fall anywhere, cells are a grid: a row of cells shows the largest |beta_j| of the features whose strength lies
 * in it, or, where there is none, the feature of nearest strength. Of mirrored data it is |beta_j - beta_{d/2+j}|. */

enum { ROWS = 60, COLUMNS = 200 };
static const double FLOOR = -3.0; // log10 below the largest that is still told apart

typedef struct ranked {
    double strength;
    size_t feature;
} ranked;

static int by_strength(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->strength != y->strength)
        return x->strength < y->strength ? -1 : 1;
    return (x->feature > y->feature) - (x->feature < y->feature);
}

static bool is_mirrored(const plot_run *run)
{
    return sf_dataset_mirrored(sf_experiment_dataset(run->experiment));
}

/* The features of a run with a signal, weakest first. *used of them: (d) at most. */
static sf_status rank_features(const plot_job *job, const plot_run *run, ranked *order, size_t *used)
{
    const sf_dataset *data = run->experiment ? sf_experiment_dataset(run->experiment) : NULL;
    if (!data || sf_dataset_features(data) != run->d)
        return sf_fail(
            job->context, SF_ERR_DATA,
            "%s: the strengths of its %zu features are not known: the file holds no experiment, or one "
            "with other data",
            run->name, run->d);
    double *strength = SF_ARRAY(job->context, run->d, double);
    if (!strength)
        return SF_ERR_MEMORY;
    sf_dataset_strengths(data, strength);
    *used = 0;
    for (size_t j = 0; j < run->d / (is_mirrored(run) ? 2 : 1); j++)
        if (strength[j] > 0.0)
            order[(*used)++] = (ranked){strength[j], j};
    sf_free(job->context, strength);
    qsort(order, *used, sizeof *order, by_strength);
    if (*used < 2 || !(order[*used - 1].strength > order[0].strength))
        return sf_fail(job->context, SF_ERR_DATA,
                       "%s: all features have one strength, expected different ones", run->name);
    return SF_OK;
}

/* Row r of cells, at strength centre[r], stands for the ranks from[r] up to to[r]. */
typedef struct bands {
    double centre[ROWS];
    size_t from[ROWS], to[ROWS];
} bands;

static void cut_bands(const ranked *order, size_t used, bands *b)
{
    double low = order[0].strength, high = order[used - 1].strength, width = (high - low) / (ROWS - 1);
    size_t at = 0;
    for (size_t r = 0; r < ROWS; r++) {
        b->centre[r] = low + width * (double)r;
        b->from[r] = at;
        while (at < used && order[at].strength < b->centre[r] + 0.5 * width)
            at++;
        if (at == b->from[r]) { // the nearest, above or below
            size_t above = at < used ? at : used - 1, below = at > 0 ? at - 1 : 0;
            bool up = order[above].strength - b->centre[r] < b->centre[r] - order[below].strength;
            b->from[r] = up ? above : below;
        }
        b->to[r] = at > b->from[r] ? at : b->from[r] + 1;
    }
}

static double log_amplitude(const plot_run *run, const sf_record *record, size_t j)
{
    if (!is_mirrored(run))
        return record->log_abs_beta[j];
    return log(fabs(record->beta[j] - record->beta[run->d / 2 + j]));
}

/* One column of cells: log10 of |beta| over the largest at a record. Returns the strength of the largest, NaN if all
 * are 0. */
static double fill_column(const plot_run *run, const bands *b, const ranked *order, const sf_record *record,
                          size_t column, double *cells)
{
    double top = -INFINITY, leader = NAN, row[ROWS];
    for (size_t r = 0; r < ROWS; r++) {
        row[r] = -INFINITY;
        for (size_t k = b->from[r]; k < b->to[r]; k++)
            row[r] = fmax(row[r], log_amplitude(run, record, order[k].feature));
        if (row[r] > top)
            leader = b->centre[r];
        top = fmax(top, row[r]);
    }
    for (size_t r = 0; r < ROWS; r++)
        cells[r * COLUMNS + column] = isfinite(top) ? fmax((row[r] - top) / log(10.0), FLOOR) : NAN;
    return leader;
}

/* The lower end of the colours: what the cells have, but no less than a tenth of a decade, so that colours mean something. */
static double lowest(const double *cells)
{
    double low = -0.1;
    for (size_t i = 0; i < (size_t)ROWS * COLUMNS; i++)
        low = fmin(low, cells[i]); // passes over NaN
    return low;
}

/* The centre of the window that theory predicts, where it does (l2-SAM at depth 2 on one example). */
static sf_status draw_centre(plot_job *job, const plot_run *run, const bands *b)
{
    bool in_tau = strcmp(job->clock, "tau") == 0;
    const sf_perturbation perturbation = sf_experiment_perturbation(run->experiment);
    const double *theta = sf_experiment_initialization(run->experiment);
    if (perturbation.method != SF_METHOD_L2 ||
        sf_dataset_examples(sf_experiment_dataset(run->experiment)) != 1 ||
        (!in_tau && strcmp(job->clock, "log_time") != 0))
        return SF_OK;
    sf_prediction *prediction = NULL;
    size_t count = 0;
    if (!theta)
        return SF_ERR_MEMORY;
    SF_TRY(
        sf_predict(job->context, sf_experiment_network(run->experiment), &perturbation, theta, &prediction));
    const sf_spotlight *path = sf_prediction_spotlight_path(prediction, &count);
    double *x = SF_ARRAY(job->context, 2 * count + 1, double), *y = x + count;
    for (size_t i = 0; x && i < count; i++) {
        x[i] = in_tau ? path[i].tau : path[i].log_time;
        y[i] = path[i].centre >= b->centre[0] && path[i].centre <= b->centre[ROWS - 1] ? path[i].centre : NAN;
    }
    if (x && count > 1)
        sf_figure_series(job->figure, "predicted centre τ/(2B)",
                         (sf_style){.color = SF_COLOR_THEORY, .dash = 1}, count, x, y);
    sf_status status = x ? SF_OK : SF_ERR_MEMORY;
    sf_free(job->context, x);
    sf_prediction_destroy(&prediction);
    return status;
}

static sf_status draw_spotlight(plot_job *job, const plot_run *run, const ranked *order, size_t used,
                                double *cells)
{
    double at[COLUMNS], leader[COLUMNS];
    char title[256];
    bands b;
    size_t first = sf_plot_first_shown(job, run);
    sf_scale scale = sf_plot_time_scale(job);
    double low = run->time[first], high = run->time[run->count - 1];
    cut_bands(order, used, &b);
    for (size_t c = 0; c < COLUMNS; c++) {
        double part = (double)c / (COLUMNS - 1);
        at[c] = scale == SF_SCALE_LOG ? low * exp(part * log(high / low)) : low + part * (high - low);
        sf_record record = sf_trajectory_record(run->trajectory, nearest_record(run, first, scale, at[c]));
        if (!record.log_abs_beta)
            return SF_ERR_MEMORY;
        leader[c] = fill_column(run, &b, order, &record, c, cells);
    }
    sf_figure_panel(job->figure, &(sf_axes){.title = sf_plot_title(job, run, title, sizeof title),
                                            .x_label = sf_plot_time_label(job),
                                            .y_label = "feature strength μ (unit of the data)",
                                            .x_scale = scale,
                                            .x_min = low,
                                            .x_max = high,
                                            .y_min = b.centre[0],
                                            .y_max = b.centre[ROWS - 1],
                                            .z_min = lowest(cells),
                                            .z_max = 0.0,
                                            .key = "below"});
    sf_figure_cells(job->figure, "log_{10} (|β_j| / largest)", SF_PALETTE_SEQUENTIAL, COLUMNS, ROWS, at,
                    b.centre, cells);
    sf_figure_series(job->figure, "leader", (sf_style){.color = SF_COLOR_L2, .width = 2.5}, COLUMNS, at,
                     leader);
    return draw_centre(job, run, &b);
}

sf_status sf_plot_spotlight(plot_job *job)
{
    sf_status status = SF_OK;
    for (size_t i = 0; i < job->count && status == SF_OK; i++) {
        const plot_run *run = &job->runs[i];
        size_t used = 0;
        ranked *order = SF_ARRAY(job->context, run->d, ranked);
        double *cells = SF_ARRAY(job->context, (size_t)ROWS * COLUMNS, double);
        status = order && cells ? rank_features(job, run, order, &used) : SF_ERR_MEMORY;
        if (status == SF_OK)
            status = draw_spotlight(job, run, order, used, cells);
        sf_free(job->context, order);
        sf_free(job->context, cells);
    }
    return status;
}

/* ---- images --------------------------------------------------------------------------------------------- */

static void draw_image(plot_job *job, const plot_run *run, size_t index, double *axis, double *image)
{
    size_t rows = job->options->rows, columns = job->options->columns, pixels = rows * columns;
    char title[320], name[256];
    sf_record record = sf_trajectory_record(run->trajectory, index);
    for (size_t j = 0; j < pixels; j++) { // rows of an image go down
        double value = record.beta[j] - (run->d == 2 * pixels ? record.beta[pixels + j] : 0.0);
        image[(rows - 1 - j / columns) * columns + j % columns] = value;
    }
    const char *clock = strcmp(job->clock, "log_time") == 0 ? "log t"
                        : strcmp(job->clock, "tau") == 0    ? "τ"
                                                            : job->clock;
    snprintf(title, sizeof title, "%s, %s %.4g", sf_plot_title(job, run, name, sizeof name), clock,
             run->time[index]);
    for (size_t i = 0; i < rows || i < columns; i++)
        axis[i] = (double)i;
    sf_figure_panel(job->figure, &(sf_axes){.title = title,
                                            .x_min = -0.5,
                                            .x_max = (double)columns - 0.5,
                                            .y_min = -0.5,
                                            .y_max = (double)rows - 0.5,
                                            .equal = true,
                                            .no_axes = true,
                                            .key = "off"});
    sf_figure_cells(job->figure, NULL, SF_PALETTE_DIVERGING, columns, rows, axis, axis, image);
}

/* The record of panel k: nearest to the moment asked for, or spread evenly over the records. */
static sf_status record_of_panel(const plot_job *job, const plot_run *run, size_t k, size_t panels,
                                 size_t *index)
{
    size_t first = sf_plot_first_shown(job, run);
    if (job->options->moment_count == 0) {
        *index = panels > 1 ? first + (run->count - 1 - first) * k / (panels - 1) : first;
        return SF_OK;
    }
    double moment = job->options->moments[k];
    sf_scale scale = sf_plot_time_scale(job);
    if (!isfinite(moment) || (scale == SF_SCALE_LOG && moment <= 0.0))
        return sf_fail(job->context, SF_ERR_USAGE, "--at %g: expected times on the clock '%s'%s", moment,
                       job->clock, scale == SF_SCALE_LOG ? ", above 0" : "");
    *index = nearest_record(run, first, scale, moment);
    return SF_OK;
}

sf_status sf_plot_images(plot_job *job)
{
    size_t rows = job->options->rows, columns = job->options->columns;
    size_t panels = sf_figure_columns(job->figure), side = rows > columns ? rows : columns;
    for (size_t i = 0; i < job->count; i++)
        if (rows < 2 || columns < 2 || rows > SIZE_MAX / 2 / columns ||
            (job->runs[i].d != rows * columns && job->runs[i].d != 2 * rows * columns))
            return sf_fail(
                job->context, SF_ERR_USAGE,
                "--image %zux%zu: %s has %zu features, expected rows times columns of them (at least 2 "
                "each), or twice as many (mirrored)",
                rows, columns, job->runs[i].name, job->runs[i].d);
    double *axis = SF_ARRAY(job->context, side, double),
           *image = SF_ARRAY(job->context, rows * columns, double);
    sf_status status = axis && image ? SF_OK : SF_ERR_MEMORY;
    for (size_t i = 0; i < job->count; i++)
        for (size_t k = 0; k < panels && status == SF_OK; k++) {
            size_t index = 0;
            status = record_of_panel(job, &job->runs[i], k, panels, &index);
            if (status == SF_OK)
                draw_image(job, &job->runs[i], index, axis, image);
        }
    sf_free(job->context, axis);
    sf_free(job->context, image);
    return status;
}
