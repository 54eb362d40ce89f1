/* samflow plot: figures of a trajectory (.json, .h5) or of a sweep (.db). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { MOST_CURVES = 12 };

typedef struct plot_options {
    const char *kind, *clock, *x, *y, *color;
    bool keep;
} plot_options;

static double *new_numbers(size_t count)
{
    return calloc(count ? count : 1, sizeof(double));
}

/* "a/b.svg" -> "b", in a buffer. */
static void stem_of(const char *path, char *stem, size_t size)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    snprintf(stem, size, "%.*s", (int)(dot ? dot - name : (ptrdiff_t)strlen(name)), name);
}

/* Text as it stands: without the marks of formulas that labels understand. */
static const char *plain(const char *text, char *buffer, size_t size)
{
    size_t used = 0;
    for (; *text && used + 2 < size; text++) {
        if (strchr("_^{}@&~", *text))
            buffer[used++] = '\\';
        buffer[used++] = *text;
    }
    buffer[used] = '\0';
    return buffer;
}

/* ---- trajectories --------------------------------------------------------------------------------------- */

typedef struct curves {
    const sf_trajectory *trajectory;
    size_t count, d;
    const char *clock; // step, tau or log_time
    double *time;      // (count)
    double *value;     // (count) work
    size_t shown;
    size_t feature[MOST_CURVES]; // those of largest |beta| somewhere, in order of their number
} curves;

static double clock_of(const sf_record *record, const char *clock)
{
    return strcmp(clock, "step") == 0  ? record->step
           : strcmp(clock, "tau") == 0 ? record->tau
                                       : record->log_time;
}

/* The clock asked for, or the one that the trajectory has. */
static bool choose_clock(curves *c, const char *wanted)
{
    sf_record last = sf_trajectory_record(c->trajectory, c->count - 1);
    c->clock = wanted ? wanted : !isnan(last.step) ? "step" : !isnan(last.log_time) ? "log_time" : "tau";
    if (isnan(clock_of(&last, c->clock)))
        return false;
    for (size_t i = 0; i < c->count; i++) {
        sf_record record = sf_trajectory_record(c->trajectory, i);
        c->time[i] = clock_of(&record, c->clock);
    }
    return true;
}

static double largest_share(const curves *c, size_t j)
{
    double high = 0.0;
    for (size_t i = 0; i < c->count; i++) {
        sf_record record = sf_trajectory_record(c->trajectory, i);
        double sum = 0.0;
        for (size_t k = 0; k < c->d; k++)
            sum += fabs(record.beta[k]);
        if (sum > 0.0 && fabs(record.beta[j]) / sum > high)
            high = fabs(record.beta[j]) / sum;
    }
    return high;
}

static bool choose_features(curves *c)
{
    double *share = new_numbers(c->d);
    if (!share)
        return false;
    for (size_t j = 0; j < c->d; j++)
        share[j] = c->d <= MOST_CURVES ? 1.0 : largest_share(c, j);
    size_t limit = c->d < MOST_CURVES ? c->d : MOST_CURVES;
    while (c->shown < limit) {
        size_t best = 0;
        for (size_t j = 1; j < c->d; j++)
            if (share[j] > share[best])
                best = j;
        share[best] = -1.0;
        size_t at = c->shown++;
        for (; at > 0 && c->feature[at - 1] > best; at--)
            c->feature[at] = c->feature[at - 1];
        c->feature[at] = best;
    }
    free(share);
    return true;
}

static const char *label_of_clock(const char *clock)
{
    return strcmp(clock, "step") == 0  ? "step"
           : strcmp(clock, "tau") == 0 ? "τ (rescaled time, no unit)"
                                       : "log t (natural logarithm of the original time)";
}

static void open_panel(const curves *c, sf_figure *figure, const char *label, sf_scale scale, double low,
                       double high)
{
    bool steps = strcmp(c->clock, "step") == 0;
    size_t first = 0; // log t begins at minus infinity, and log scales beyond step 0
    while (first + 1 < c->count && !(isfinite(c->time[first]) && (!steps || c->time[first] > 0.0)))
        first++;
    sf_figure_panel(figure, &(sf_axes){.x_label = label_of_clock(c->clock),
                                       .y_label = label,
                                       .x_scale = steps ? SF_SCALE_LOG : SF_SCALE_LINEAR,
                                       .y_scale = scale,
                                       .x_min = c->time[first],
                                       .x_max = c->time[c->count - 1],
                                       .y_min = low,
                                       .y_max = high,
                                       .key = "below"});
}

/* Dominance, collapse, blow-up: a dotted line each. */
static void mark_events(const curves *c, sf_figure *figure)
{
    size_t count;
    const sf_event *events = sf_trajectory_events(c->trajectory, &count);
    for (size_t i = 0; i < count && i < 40; i++) {
        double at = strcmp(c->clock, "step") == 0  ? events[i].step
                    : strcmp(c->clock, "tau") == 0 ? events[i].tau
                                                   : events[i].log_time;
        char text[48], name[32];
        if (events[i].kind == SF_EVENT_DOMINANCE)
            snprintf(text, sizeof text, "β_{%lld} leads", (long long)events[i].to);
        else
            snprintf(text, sizeof text, "%s", plain(sf_event_name(events[i].kind), name, sizeof name));
        if (isfinite(at))
            sf_figure_guide(figure, at, text);
    }
}

static void add_curve(curves *c, sf_figure *figure, size_t rank, bool share)
{
    size_t j = c->feature[rank];
    char title[32];
    for (size_t i = 0; i < c->count; i++) {
        sf_record record = sf_trajectory_record(c->trajectory, i);
        double sum = 1.0;
        for (size_t k = 0; share && k < c->d; k++)
            sum += fabs(record.beta[k]) - (k == 0);
        c->value[i] = fabs(record.beta[j]) / sum;
        if (!share && c->value[i] == 0.0)
            c->value[i] = NAN; // not on a logarithmic axis
    }
    snprintf(title, sizeof title, "β_{%zu}", j);
    sf_figure_series(
        figure, title,
        (sf_style){.color = sf_color_of_strength(c->shown > 1 ? (double)rank / (double)(c->shown - 1) : 1.0),
                   .dash = c->shown <= 4 ? (int)rank : 0},
        c->count, c->time, c->value);
}

static void draw_plane(curves *c, sf_figure *figure)
{
    double *y = c->time; // the clock is not needed here
    for (size_t i = 0; i < c->count; i++) {
        sf_record record = sf_trajectory_record(c->trajectory, i);
        c->value[i] = record.beta[0];
        y[i] = record.beta[1];
    }
    sf_figure_panel(figure, &(sf_axes){.x_label = "β_0",
                                       .y_label = "β_1",
                                       .x_min = NAN,
                                       .x_max = NAN,
                                       .y_min = NAN,
                                       .y_max = NAN,
                                       .key = "off"});
    sf_figure_series(figure, NULL, (sf_style){.color = SF_COLOR_GD, .width = 2.5}, c->count, c->value, y);
    sf_figure_series(figure, NULL, (sf_style){.mark = SF_MARK_POINTS, .color = SF_COLOR_GD}, 1, c->value, y);
}

static void draw_loss(curves *c, sf_figure *figure)
{
    for (size_t i = 0; i < c->count; i++)
        c->value[i] = sf_trajectory_record(c->trajectory, i).log_loss;
    open_panel(c, figure, "log F (natural logarithm of the training loss)", SF_SCALE_LINEAR, NAN, NAN);
    sf_figure_series(figure, "log F", (sf_style){.color = SF_COLOR_GD}, c->count, c->time, c->value);
    mark_events(c, figure);
}

static int draw_curves(const sf_cli *cli, const plot_options *options, curves *c, sf_figure *figure)
{
    const char *kind = options->kind ? options->kind : "time";
    if (!choose_clock(c, options->clock))
        return sf_cli_usage(cli, "plot", "this trajectory has no clock '%s'", c->clock);
    if (strcmp(kind, "plane") == 0 && c->d != 2)
        return sf_cli_usage(cli, "plot", "--kind plane needs 2 features, this trajectory has %zu", c->d);
    if (!choose_features(c))
        return 1;
    if (strcmp(kind, "plane") == 0) {
        draw_plane(c, figure);
    } else if (strcmp(kind, "loss") == 0) {
        draw_loss(c, figure);
    } else {
        bool share = strcmp(kind, "shares") == 0;
        open_panel(c, figure, share ? "|β_j| / ‖β‖_1 (no unit)" : "|β_j|",
                   share ? SF_SCALE_LINEAR : SF_SCALE_LOG, share ? 0.0 : NAN, share ? 1.0 : NAN);
        for (size_t rank = 0; rank < c->shown; rank++)
            add_curve(c, figure, rank, share);
        mark_events(c, figure);
    }
    return 0;
}

static int plot_trajectory(sf_cli *cli, const plot_options *options, sf_figure *figure)
{
    sf_trajectory *trajectory;
    sf_status status = sf_trajectory_read(cli->context, cli->file, &trajectory);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    size_t count = sf_trajectory_records(trajectory);
    curves c = {.trajectory = trajectory,
                .count = count,
                .d = sf_trajectory_features(trajectory),
                .time = new_numbers(count),
                .value = new_numbers(count)};
    int code = 1;
    if (c.time && c.value)
        code = draw_curves(cli, options, &c, figure);
    else
        fprintf(stderr, "samflow: out of memory\n");
    free(c.time);
    free(c.value);
    sf_trajectory_destroy(&trajectory);
    return code;
}

/* ---- sweeps --------------------------------------------------------------------------------------------- */

enum { MOST_CLASSES = 6, CLASS_SIZE = 64 };

typedef struct table {
    size_t count, room;
    double *numbers; // (count, 3): x, y, color
    size_t class_count;
    char classes[MOST_CLASSES][CLASS_SIZE];
} table;

static bool class_of(table *t, const char *text, double *number)
{
    size_t i = 0;
    while (i < t->class_count && strcmp(t->classes[i], text) != 0)
        i++;
    if (i == MOST_CLASSES)
        return false;
    if (i == t->class_count)
        snprintf(t->classes[t->class_count++], CLASS_SIZE, "%s", text);
    *number = (double)i;
    return true;
}

static bool add_row(table *t, const sf_cell *cells)
{
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 256;
        double *moved = realloc(t->numbers, 3 * room * sizeof *moved);
        if (!moved)
            return false;
        t->numbers = moved;
        t->room = room;
    }
    double *row = t->numbers + 3 * t->count++;
    for (size_t k = 0; k < 3; k++)
        row[k] = cells[k].kind == SF_CELL_TEXT || cells[k].kind == SF_CELL_NULL ? NAN : cells[k].real;
    return cells[2].kind != SF_CELL_TEXT || class_of(t, cells[2].text, &row[2]);
}

static sf_status read_table(sf_store *store, const plot_options *options, table *t, bool *fits)
{
    const char *const columns[] = {options->x, options->y, options->color};
    sf_cursor *cursor = NULL;
    sf_status status = sf_store_select(store, 3, columns, &cursor);
    bool more = status == SF_OK;
    *fits = true;
    while (more && *fits) {
        sf_cell cells[3];
        status = sf_cursor_next(cursor, cells, &more);
        more = more && status == SF_OK;
        if (more)
            *fits = add_row(t, cells);
    }
    if (cursor)
        sf_cursor_close(&cursor);
    return status;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The distinct values of a column, sorted, into values; returns how many. */
static size_t levels_of(const table *t, size_t column, double *values)
{
    size_t count = 0, distinct = 0;
    for (size_t i = 0; i < t->count; i++)
        if (isfinite(t->numbers[3 * i + column]))
            values[count++] = t->numbers[3 * i + column];
    qsort(values, count, sizeof *values, ascending);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || values[i] != values[distinct - 1])
            values[distinct++] = values[i];
    return distinct;
}

static size_t position_of(const double *values, size_t count, double value)
{
    size_t at = 0;
    while (at + 1 < count && values[at] < value)
        at++;
    return at;
}

/* Even in ratios rather than in differences: a logarithmic axis. */
static sf_scale scale_of(const double *values, size_t count)
{
    if (count < 3 || values[0] <= 0.0)
        return SF_SCALE_LINEAR;
    double first = values[1] - values[0], last = values[count - 1] - values[count - 2];
    return last > 1.5 * first ? SF_SCALE_LOG : SF_SCALE_LINEAR;
}

static void draw_cells(const plot_options *options, const table *t, const double *x, size_t nx,
                       const double *y, size_t ny, double *cells, sf_figure *figure)
{
    char x_label[CLASS_SIZE], y_label[CLASS_SIZE], color_label[CLASS_SIZE],
        class_label[MOST_CLASSES][CLASS_SIZE];
    const char *names[MOST_CLASSES];
    for (size_t i = 0; i < nx * ny; i++)
        cells[i] = NAN;
    for (size_t i = 0; i < t->count; i++) {
        const double *row = t->numbers + 3 * i;
        if (isfinite(row[0]) && isfinite(row[1]))
            cells[position_of(y, ny, row[1]) * nx + position_of(x, nx, row[0])] = row[2];
    }
    sf_figure_panel(figure, &(sf_axes){.x_label = plain(options->x, x_label, sizeof x_label),
                                       .y_label = plain(options->y, y_label, sizeof y_label),
                                       .x_scale = scale_of(x, nx),
                                       .y_scale = scale_of(y, ny),
                                       .x_min = x[0],
                                       .x_max = x[nx - 1],
                                       .y_min = y[0],
                                       .y_max = y[ny - 1],
                                       .key = t->class_count ? "below" : "off"});
    sf_figure_cells(figure, t->class_count ? NULL : plain(options->color, color_label, sizeof color_label),
                    t->class_count ? SF_PALETTE_CLASSES : SF_PALETTE_SEQUENTIAL, nx, ny, x, y, cells);
    for (size_t i = 0; i < t->class_count; i++)
        names[i] = plain(t->classes[i], class_label[i], sizeof class_label[i]);
    if (t->class_count)
        sf_figure_classes(figure, t->class_count, names);
}

/* The thresholds that theory knows in network.init, for l2-SAM at depth 2 on one example, at one value of the other axis.
 * False where it knows none. */
static bool thresholds_at(sf_context *context, const char *experiment_json, const char *key, double value,
                          double *collapse, double *major)
{
    char setting[256];
    const char *const overrides[] = {"network.init=1", setting};
    snprintf(setting, sizeof setting, "%s=%.17g", key, value);
    sf_experiment *experiment;
    if (sf_experiment_parse(context, "result file", experiment_json, 2, overrides, &experiment) != SF_OK)
        return false;
    const sf_dataset *data = sf_experiment_dataset(experiment);
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    size_t d = sf_dataset_features(data);
    double *mu = new_numbers(d), *ones = new_numbers(d), square = 0.0, first = 0.0, second = 0.0;
    bool known = mu && ones && d > 1 && perturbation.method == SF_METHOD_L2 && perturbation.rho > 0.0 &&
                 sf_network_depth(sf_experiment_network(experiment)) == 2 && sf_dataset_examples(data) == 1;
    if (known) {
        sf_dataset_example(data, 0, mu);
        for (size_t j = 0; j < d; j++) {
            ones[j] = 1.0;
            square += mu[j] * mu[j];
            known = known && mu[j] > 0.0;
            second = fmax(second, fmin(mu[j], first));
            first = fmax(first, mu[j]);
        }
    }
    known = known && sf_critical_factor(context, d, mu, ones, ones, perturbation.rho, collapse) == SF_OK;
    *major = perturbation.rho * (first + second) / sqrt(2.0 * square);
    free(mu);
    free(ones);
    sf_experiment_destroy(&experiment);
    return known;
}

/* Over the cells, where y is the scale of the start and x another axis. */
static void draw_thresholds(sf_cli *cli, const plot_options *options, const char *experiment_json,
                            const double *x, size_t nx, double *collapse, double *major, sf_figure *figure)
{
    if (!experiment_json || strcmp(options->y, "network.init") != 0)
        return;
    for (size_t i = 0; i < nx; i++)
        if (!thresholds_at(cli->context, experiment_json, options->x, x[i], &collapse[i], &major[i]))
            return;
    sf_style style = {.color = SF_COLOR_THEORY, .dash = 1};
    sf_figure_series(figure, "predicted", style, nx, x, collapse);
    sf_figure_series(figure, NULL, style, nx, x, major);
}

static int draw_table(sf_cli *cli, const plot_options *options, const char *experiment_json, const table *t,
                      sf_figure *figure)
{
    double *x = new_numbers(t->count), *y = new_numbers(t->count), *cells = NULL;
    double *collapse = new_numbers(t->count), *major = new_numbers(t->count);
    int code = 1;
    if (x && y && collapse && major) {
        size_t nx = levels_of(t, 0, x), ny = levels_of(t, 1, y);
        cells = new_numbers(nx * ny);
        if (nx < 2 || ny < 2) {
            code = sf_cli_usage(cli, "plot",
                                "'%s' takes %zu values and '%s' %zu, expected numbers, at least 2 each",
                                options->x, nx, options->y, ny);
        } else if (cells) {
            draw_cells(options, t, x, nx, y, ny, cells, figure);
            draw_thresholds(cli, options, experiment_json, x, nx, collapse, major, figure);
            code = 0;
        }
    }
    free(x);
    free(y);
    free(cells);
    free(collapse);
    free(major);
    return code;
}

static int plot_sweep(sf_cli *cli, const plot_options *options, sf_figure *figure)
{
    if (!options->x || !options->y || !options->color)
        return sf_cli_usage(cli, "plot", "a sweep needs --x, --y and --color, each the name of a column");
    sf_store *store = NULL;
    table t = {0};
    bool fits = true;
    sf_status status = sf_store_open(cli->context, cli->file, &store);
    if (status == SF_OK)
        status = read_table(store, options, &t, &fits);
    int code;
    if (status != SF_OK)
        code = sf_cli_fail(cli, status);
    else if (!fits)
        code = sf_cli_usage(cli, "plot", "'%s' takes more than %d texts, expected numbers or fewer",
                            options->color, MOST_CLASSES);
    else
        code = draw_table(cli, options, sf_store_experiment(store), &t, figure);
    free(t.numbers);
    sf_store_close(&store);
    return code;
}

/* ---- the command ---------------------------------------------------------------------------------------- */

static bool is_one_of(const char *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return true;
    return false;
}

int sf_cmd_plot(sf_cli *cli, int argc, char **argv)
{
    static const char *const kinds[] = {"time", "shares", "plane", "loss"}, *const clocks[] = {"step", "tau",
                                                                                               "log_time"};
    static const sf_command command = {"plot", "TRAJECTORY.json|.h5|RESULT.db -o FIGURE.svg|.png|.pdf",
                                       "figures of a trajectory or of a sweep", sf_cmd_plot};
    plot_options plot = {0};
    const sf_cli_option options[] = {
        {"kind", "KIND", "trajectory: time (default), shares, plane or loss", &plot.kind, NULL},
        {"clock", "CLOCK", "trajectory: step, tau or log_time (default: what it has)", &plot.clock, NULL},
        {"x", "COLUMN", "sweep: column along x", &plot.x, NULL},
        {"y", "COLUMN", "sweep: column along y", &plot.y, NULL},
        {"color", "COLUMN", "sweep: column shown as colour", &plot.color, NULL},
        {"keep-plots", NULL, "leave gnuplot's script and data beside the figure", NULL, &plot.keep},
    };
    int code = sf_cli_parse(cli, &command, argc, argv, options, sizeof options / sizeof options[0], 1, NULL);
    if (code >= 0)
        return code;
    if (!cli->file || !cli->output)
        return sf_cli_usage(cli, "plot", "expected a trajectory or a result file, and -o FIGURE");
    if (plot.kind && !is_one_of(plot.kind, kinds, 4))
        return sf_cli_usage(cli, "plot", "--kind is '%s', expected time, shares, plane or loss", plot.kind);
    if (plot.clock && !is_one_of(plot.clock, clocks, 3))
        return sf_cli_usage(cli, "plot", "--clock is '%s', expected step, tau or log_time", plot.clock);
    char stem[200];
    stem_of(cli->output, stem, sizeof stem);
    sf_figure *figure;
    sf_status status = sf_figure_create(cli->context, stem, cli->file, cli->file, 1, &figure);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    size_t length = strlen(cli->file);
    bool sweep = length > 3 && strcmp(cli->file + length - 3, ".db") == 0;
    code = sweep ? plot_sweep(cli, &plot, figure) : plot_trajectory(cli, &plot, figure);
    if (code == 0 && (status = sf_draw(cli->context, figure, cli->output, plot.keep)) != SF_OK)
        code = sf_cli_fail(cli, status);
    sf_figure_destroy(&figure);
    return code;
}
