/* samflow plot: figures of trajectories (.json, .h5) or of a sweep (.db). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/plot_sweep.h"

enum { MOST_FILES = 8, MOST_MOMENTS = 12, STEM_SIZE = 200 };

typedef struct plot_options {
    const char *kind, *clock, *image, *at; // of trajectories
    sf_plot_sweep sweep;
    bool keep;
} plot_options;

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

/* ---- the command ---------------------------------------------------------------------------------------- */

static bool is_sweep(const char *path)
{
    size_t length = strlen(path);
    return length > 3 && strcmp(path + length - 3, ".db") == 0;
}

/* The figure described, in *figure; the exit code. */
static int describe(sf_cli *cli, const plot_options *plot, const char *const *files, sf_figure **figure)
{
    char name[STEM_SIZE]; // of the figure and gnuplot's files
    stem_of(cli->output, name, sizeof name);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            *c = '-';
    if (!is_sweep(cli->file))
        return plot_trajectories(cli, plot, name, files, figure);
    if (files[1])
        return sf_cli_usage(cli, "plot", "one result file at a time, found also %s", files[1]);
    sf_status status = sf_figure_create(cli->context, name, cli->file, cli->file, 1, figure);
    return status == SF_OK ? sf_cli_plot_sweep(cli, &plot->sweep, *figure) : sf_cli_fail(cli, status);
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
        {"x", "COLUMN", "sweep: column along x", &plot.sweep.map.x, NULL},
        {"y", "COLUMN", "sweep: column along y", &plot.sweep.map.y, NULL},
        {"color", "COLUMN", "sweep: column shown as colour; of regime and limit_kind also what theory says",
         &plot.sweep.map.color, NULL},
        {"where", "COLUMN=VALUE,...", "sweep: only rows with these values", &plot.sweep.map.where, NULL},
        {"differences", "FILE.csv", "sweep: the cells where theory says otherwise", &plot.sweep.differences,
         NULL},
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
