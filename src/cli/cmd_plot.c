/* samflow plot: figures of trajectories (.json, .h5) or of a sweep (.db). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { MOST_FILES = 8, MOST_MOMENTS = 12, STEM_SIZE = 200 };

typedef struct plot_options {
    const char *kind, *clock, *image, *at; // of trajectories
    const char *x, *y, *color;             // of a sweep
    bool keep;
} plot_options;

static double *new_numbers(size_t count)
{
    return calloc(count ? count : 1, sizeof(double));
}

/* "a/b.svg" -> "b", in a buffer. */
static const char *stem_of(const char *path, char *stem, size_t size)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    snprintf(stem, size, "%.*s", (int)(dot ? dot - name : (ptrdiff_t)strlen(name)), name);
    return stem;
}

static bool is_one_of(const char *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return true;
    return false;
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

/* "28x28": rows and columns of an image. */
static bool parse_image(const char *text, size_t *rows, size_t *columns)
{
    char *end, *last;
    unsigned long long r = strtoull(text, &end, 10);
    unsigned long long c = *end == 'x' ? strtoull(end + 1, &last, 10) : 0;
    bool good =
        *end == 'x' && *last == '\0' && last > end + 1 && end > text && text[0] != '-' && end[1] != '-';
    *rows = good && r < 1000000 ? (size_t)r : 0;
    *columns = good && c < 1000000 ? (size_t)c : 0;
    return *rows > 0 && *columns > 0;
}

/* "1,100,2000": moments on the clock. */
static bool parse_moments(const char *text, size_t *count, double *moments)
{
    for (*count = 0; *count < MOST_MOMENTS; text++) {
        char *end;
        moments[*count] = strtod(text, &end);
        if (end == text)
            return false;
        ++*count;
        if (*end == '\0')
            return true;
        if (*end != ',')
            return false;
        text = end;
    }
    return false;
}

/* The kind by its name; image where only --image says so. -1 to go on, else the exit code. */
static int choose_kind(const sf_cli *cli, const plot_options *options, sf_plot_kind *kind)
{
    const char *name, *wanted = options->kind ? options->kind : options->image ? "image" : "time";
    for (size_t k = 0; (name = sf_plot_kind_name(k)) != NULL; k++)
        if (strcmp(wanted, name) == 0) {
            *kind = (sf_plot_kind)k;
            return -1;
        }
    return sf_cli_usage(cli, "plot", "--kind is '%s', expected time, shares, plane, loss, spotlight or image",
                        wanted);
}

static int parse_plot(const sf_cli *cli, const plot_options *options, sf_plot_options *plot, double *moments)
{
    static const char *const clocks[] = {"step", "tau", "log_time", "evaluations"};
    int code = choose_kind(cli, options, &plot->kind);
    if (code >= 0)
        return code;
    if (options->clock && !is_one_of(options->clock, clocks, 4))
        return sf_cli_usage(cli, "plot", "--clock is '%s', expected step, tau, log_time or evaluations",
                            options->clock);
    if (plot->kind == SF_PLOT_IMAGE && !options->image)
        return sf_cli_usage(cli, "plot", "--kind image needs --image ROWSxCOLUMNS");
    if (plot->kind != SF_PLOT_IMAGE && (options->image || options->at))
        return sf_cli_usage(cli, "plot", "--image and --at are for --kind image");
    if (options->image && !parse_image(options->image, &plot->rows, &plot->columns))
        return sf_cli_usage(cli, "plot", "--image is '%s', expected ROWSxCOLUMNS, such as 28x28",
                            options->image);
    if (options->at && !parse_moments(options->at, &plot->moment_count, moments))
        return sf_cli_usage(cli, "plot", "--at is '%s', expected up to %d times with commas between them",
                            options->at, MOST_MOMENTS);
    plot->clock = options->clock;
    plot->moments = moments;
    plot->override_count = cli->override_count;
    plot->overrides = cli->overrides;
    return -1;
}

static int plot_trajectories(sf_cli *cli, const plot_options *options, const char *name,
                             const char *const *files, sf_figure **figure)
{
    sf_trajectory *trajectories[MOST_FILES] = {NULL};
    char stems[MOST_FILES][STEM_SIZE];
    const char *names[MOST_FILES];
    double moments[MOST_MOMENTS];
    sf_plot_options plot = {0};
    size_t count = 0;
    sf_status status = SF_OK;
    int code = parse_plot(cli, options, &plot, moments);
    if (code >= 0)
        return code;
    for (; count < MOST_FILES && files[count] && status == SF_OK; count++) {
        names[count] = stem_of(files[count], stems[count], STEM_SIZE);
        status = sf_trajectory_read(cli->context, files[count], &trajectories[count]);
    }
    if (status == SF_OK)
        status = sf_plot_trajectories(cli->context, name, count, (const sf_trajectory *const *)trajectories,
                                      names, &plot, figure);
    for (size_t i = 0; i < count; i++)
        sf_trajectory_destroy(&trajectories[i]);
    return status == SF_OK ? 0 : sf_cli_fail(cli, status);
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

static bool is_sweep(const char *path)
{
    size_t length = strlen(path);
    return length > 3 && strcmp(path + length - 3, ".db") == 0;
}

/* The figure described, in *figure; the exit code. */
static int describe(sf_cli *cli, const plot_options *plot, const char *const *files, sf_figure **figure)
{
    char name[STEM_SIZE];
    stem_of(cli->output, name, sizeof name);
    if (!is_sweep(cli->file))
        return plot_trajectories(cli, plot, name, files, figure);
    if (files[1])
        return sf_cli_usage(cli, "plot", "one result file at a time, found also %s", files[1]);
    sf_status status = sf_figure_create(cli->context, name, cli->file, cli->file, 1, figure);
    return status == SF_OK ? plot_sweep(cli, plot, *figure) : sf_cli_fail(cli, status);
}

int sf_cmd_plot(sf_cli *cli, int argc, char **argv)
{
    static const sf_command command = {"plot", "TRAJECTORY.json|.h5... | RESULT.db -o FIGURE.svg|.png|.pdf",
                                       "figures of trajectories or of a sweep", sf_cmd_plot};
    plot_options plot = {0};
    const char *files[MOST_FILES + 1] = {NULL};
    const sf_cli_option options[] = {
        {"kind", "KIND", "trajectories: time (default), shares, plane, loss, spotlight or image", &plot.kind,
         NULL},
        {"clock", "CLOCK", "trajectories: step, tau, log_time or evaluations (default: what they have)",
         &plot.clock, NULL},
        {"image", "ROWSxCOLS", "trajectories: the predictor as an image of its features, a pixel each",
         &plot.image, NULL},
        {"at", "T,T,...", "image: when, on the clock (default: 5 records)", &plot.at, NULL},
        {"x", "COLUMN", "sweep: column along x", &plot.x, NULL},
        {"y", "COLUMN", "sweep: column along y", &plot.y, NULL},
        {"color", "COLUMN", "sweep: column shown as colour", &plot.color, NULL},
        {"keep-plots", NULL, "leave gnuplot's script and data beside the figure", NULL, &plot.keep},
    };
    int code = sf_cli_parse(cli, &command, argc, argv, options, sizeof options / sizeof options[0],
                            MOST_FILES, files);
    if (code >= 0)
        return code;
    if (!cli->file || !cli->output)
        return sf_cli_usage(cli, "plot", "expected trajectories or a result file, and -o FIGURE");
    sf_figure *figure = NULL;
    code = describe(cli, &plot, files, &figure);
    sf_status status = code == 0 ? sf_draw(cli->context, figure, cli->output, plot.keep) : SF_OK;
    if (status != SF_OK)
        code = sf_cli_fail(cli, status);
    sf_figure_destroy(&figure);
    return code;
}
