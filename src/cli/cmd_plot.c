/* samflow plot: figures of trajectories (.json, .h5) or of a sweep (.db). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/look.h"
#include "cli/plot_sweep.h"

enum { MOST_FILES = 8, MOST_MOMENTS = 12, STEM_SIZE = 200 };

typedef struct plot_options {
    const char *kind, *clock, *image, *at; // of trajectories
    sf_plot_sweep sweep;
} plot_options;

/* "a/b.svg" -> "b", in a buffer. */
static const char *stem_of(const char *path, char *stem, size_t size)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    snprintf(stem, size, "%.*s", (int)(dot ? dot - name : (ptrdiff_t)strlen(name)), name);
    return stem;
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
    return sf_cli_usage(cli, "--kind is '%s', which this build does not draw", wanted);
}

static int parse_plot(const sf_cli *cli, const plot_options *options, sf_plot_options *plot, double *moments)
{
    int code = choose_kind(cli, options, &plot->kind);
    if (code >= 0)
        return code;
    if (plot->kind == SF_PLOT_IMAGE && !options->image)
        return sf_cli_usage(cli, "--kind image needs --image ROWSxCOLUMNS");
    if (plot->kind != SF_PLOT_IMAGE && (options->image || options->at))
        return sf_cli_usage(cli, "--image and --at are for --kind image");
    if (plot->kind != SF_PLOT_SPOTLIGHT && cli->override_count > 0)
        return sf_cli_usage(cli,
                            "--set says where the data of the experiment are now, for --kind spotlight only");
    if (options->image && !parse_image(options->image, &plot->rows, &plot->columns))
        return sf_cli_usage(cli, "--image is '%s', expected ROWSxCOLUMNS, such as 28x28", options->image);
    if (options->at && !parse_moments(options->at, &plot->moment_count, moments))
        return sf_cli_usage(cli, "--at is '%s', expected up to %d times with commas between them",
                            options->at, MOST_MOMENTS);
    plot->clock = options->clock;
    plot->moments = moments;
    plot->override_count = cli->override_count;
    plot->overrides = cli->overrides;
    return -1;
}

static int plot_trajectories(sf_cli *cli, const plot_options *options, const char *name, sf_figure **figure)
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
    for (; count < cli->file_count && status == SF_OK; count++) {
        names[count] = stem_of(cli->files[count], stems[count], STEM_SIZE);
        status = sf_trajectory_read(cli->context, cli->files[count], &trajectories[count]);
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

enum { KIND, CLOCK, IMAGE, AT, X, Y, COLOR, WHERE, DIFFERENCES, KEEP_PLOTS, TITLE };

/* The figure described, in *figure; the exit code. */
static int describe(sf_cli *cli, const plot_options *plot, sf_figure **figure)
{
    static const int of_trajectories[] = {KIND, CLOCK, IMAGE, AT},
                     of_sweeps[] = {X, Y, COLOR, WHERE, DIFFERENCES};
    char name[STEM_SIZE]; // of the figure and gnuplot's files
    stem_of(cli->output, name, sizeof name);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            *c = '-';
    if (!is_sweep(cli->file)) {
        int code =
            sf_cli_refuse(cli, 5, of_sweeps, "is for result files of sweeps (.db), this is a trajectory");
        return code < 0 ? plot_trajectories(cli, plot, name, figure) : code;
    }
    int code =
        sf_cli_refuse(cli, 4, of_trajectories, "is for trajectories, this is the result file of a sweep");
    if (code >= 0)
        return code;
    if (cli->override_count > 0)
        return sf_cli_usage(cli, "--set is for trajectories, this is the result file of a sweep");
    if (cli->file_count > 1)
        return sf_cli_usage(cli, "one result file at a time, found also %s", cli->files[1]);
    sf_status status = sf_figure_create(cli->context, name, cli->file, cli->file, 1, figure);
    return status == SF_OK ? sf_cli_plot_sweep(cli, &plot->sweep, *figure) : sf_cli_fail(cli, status);
}

static bool write_json(const void *subject, FILE *stream)
{
    const sf_cli *cli = subject;
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_string(&json, "figure", cli->output);
    sf_json_open_array(&json, "trajectories");
    for (size_t i = 0; i < cli->file_count; i++)
        sf_json_string(&json, NULL, cli->files[i]);
    sf_json_close_array(&json);
    sf_json_close_object(&json);
    return sf_json_finish(&json);
}

static int run(sf_cli *cli)
{
    const sf_cli_value *value = cli->value;
    const plot_options plot = {.kind = value[KIND].text,
                               .clock = value[CLOCK].text,
                               .image = value[IMAGE].text,
                               .at = value[AT].text,
                               .sweep = {{value[X].text, value[Y].text, value[COLOR].text, value[WHERE].text},
                                         value[DIFFERENCES].text}};
    if (!cli->output)
        return sf_cli_usage(cli, "expected -o FIGURE.svg, .png, .pdf or .tex");
    sf_look look = {0};
    int refused = sf_cli_look(cli, &value[TITLE], &look);
    if (refused >= 0)
        return refused;
    sf_figure *figure = NULL;
    int code = describe(cli, &plot, &figure);
    sf_status status =
        code == 0 ? sf_draw(cli->context, figure, cli->output, &look, value[KEEP_PLOTS].text != NULL) : SF_OK;
    if (status != SF_OK)
        code = sf_cli_fail(cli, status);
    else if (code == 0 && cli->json && !is_sweep(cli->file))
        code = sf_cli_print_document(cli, write_json, cli);
    sf_figure_destroy(&figure);
    return code;
}

static const sf_option options[] = {
    [KIND] = {"kind", "KIND", "trajectories: time (default), shares, plane, loss, spotlight or image",
              .type = SF_OPTION_CHOICE, .choices = "time|shares|plane|loss|spotlight|image"},
    [CLOCK] = {"clock", "CLOCK", "trajectories: step, tau, log_time or evaluations (default: what they have)",
               .type = SF_OPTION_CHOICE, .choices = "step|tau|log_time|evaluations"},
    [IMAGE] = {"image", "ROWSxCOLS", "trajectories: the predictor as an image of its features, a pixel each",
               .type = SF_OPTION_TEXT},
    [AT] = {"at", "T,T,...", "image: when, on the clock (default: 5 records)", .type = SF_OPTION_TEXT},
    [X] = {"x", "COLUMN", "sweep: column along x", .type = SF_OPTION_TEXT},
    [Y] = {"y", "COLUMN", "sweep: column along y", .type = SF_OPTION_TEXT},
    [COLOR] = {"color", "COLUMN",
               "sweep: column shown as colour; of regime and limit_kind also what theory says",
               .type = SF_OPTION_TEXT},
    [WHERE] = {"where", "COLUMN=VALUE,...", "sweep: only rows with these values", .type = SF_OPTION_TEXT},
    [DIFFERENCES] = {"differences", "FILE.csv", "sweep: the cells where theory says otherwise",
                     .type = SF_OPTION_OUTPUT, .choices = ".csv"},
    [KEEP_PLOTS] = {"keep-plots", NULL, "leave gnuplot's script and data beside the figure",
                    .type = SF_OPTION_FLAG},
    SF_CLI_LOOK_OPTIONS(TITLE),
    {0}};

const sf_command sf_command_plot = {
    .name = "plot",
    .arguments = "TRAJECTORY.json|.h5... | RESULT.db -o FIGURE.svg|.png|.pdf|.tex",
    .summary = "figures of trajectories or of a sweep",
    .text = "Of trajectories: features, shares, losses, the plane, the spotlight over feature strength, the "
            "predictor as images. "
            "Of a sweep: one column over two others, with the boundaries that theory predicts and the cells "
            "where theory and "
            "measurement differ.",
    .example = "samflow plot phase.db --x network.init --y optimizer.rho --color regime -o phase.svg",
    .options = options,
    .least = 1,
    .most = MOST_FILES,
    .missing = "expected trajectories or a result file, and -o FIGURE",
    .files = ".json|.h5|.db",
    .uses = SF_USES_SET | SF_USES_OUTPUT,
    .output = ".svg|.png|.pdf|.tex",
    .run = run,
};
