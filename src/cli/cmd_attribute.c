/* samflow attribute CHECKPOINT.h5...: what trained networks look at. Shares of Grad-CAM and of the input gradient on the
 * regions of the images, for each checkpoint and over all of them; maps of single images as a figure or as JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { MOST_SHOWN = 64, SHOWN = 6 };

static const double confidence = 0.95;

static const char *const method_names[] = {"grad-cam", "input-gradient"};

typedef struct attribute_options {
    const char *layer, *method;
    size_t shown; // images whose maps are written
} attribute_options;

/* One method on one checkpoint. */
typedef struct row {
    const char *checkpoint, *backend;
    uint64_t step;
    sf_attribution method;
    char layer[32]; // "" for the input gradient
    bool tested;    // on images that the training did not see
    sf_attribution_summary summary;
    size_t count, height, width, classes; // count: of images whose maps are kept
    float *map, *image;                   // (count, height, width); image: the first channel
    double *raw_label;                    // (count) as the file calls them
    sf_shares *shares;                    // (count) of each map
} row;

typedef struct work {
    const sf_cli *cli;
    const attribute_options *options;
    row *rows;
    size_t count, methods; // rows are checkpoint after checkpoint, `methods` of each
} work;

static void release(work *w)
{
    for (size_t i = 0; w->rows && i < w->count; i++) {
        free(w->rows[i].map);
        free(w->rows[i].image);
        free(w->rows[i].raw_label);
        free(w->rows[i].shares);
    }
    free(w->rows);
}

/* ---- what is asked for ---------------------------------------------------------------------------------- */

/* The methods of this network: those asked for, else all it has. Returns how many, 0 after a message. */
static size_t choose_methods(const work *w, const char *checkpoint, sf_nn *nn, sf_attribution *methods)
{
    const char *wanted = w->options->method;
    bool cam = sf_nn_layers(nn) > 0;
    if (!cam && (w->options->layer || (wanted && strcmp(wanted, method_names[0]) == 0))) {
        sf_cli_usage(w->cli,
                     "'%s' is of a network without convolutions, which Grad-CAM needs; expected --method "
                     "input-gradient",
                     checkpoint);
        return 0;
    }
    size_t count = 0;
    if (cam && (!wanted || strcmp(wanted, method_names[0]) == 0))
        methods[count++] = SF_ATTRIBUTION_GRAD_CAM;
    if (!wanted || strcmp(wanted, method_names[1]) == 0)
        methods[count++] = SF_ATTRIBUTION_INPUT_GRADIENT;
    return count;
}

/* The layer by name, the last one if none is named; false after a message. */
static bool choose_layer(const work *w, const char *checkpoint, const sf_nn *nn, size_t *layer)
{
    const char *wanted = w->options->layer;
    size_t count = sf_nn_layers(nn);
    *layer = count ? count - 1 : 0;
    if (!wanted)
        return true;
    for (size_t i = 0; i < count; i++)
        if (strcmp(sf_nn_layer_name(nn, i), wanted) == 0) {
            *layer = i;
            return true;
        }
    char names[256] = "";
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", sf_nn_layer_name(nn, i));
    }
    sf_cli_usage(w->cli, "'%s' has no layer '%s', expected one of: %s", checkpoint, wanted, names);
    return false;
}

/* ---- attribution ---------------------------------------------------------------------------------------- */

/* Keeps the first images with their maps. */
static bool keep_maps(row *r, const sf_images *images, const float *maps, size_t wanted)
{
    sf_image_shape shape = sf_images_shape(images);
    size_t pixels = shape.height * shape.width;
    r->count = wanted < sf_images_count(images) ? wanted : sf_images_count(images);
    if (r->count == 0)
        return true;
    r->height = shape.height;
    r->width = shape.width;
    r->map = malloc(r->count * pixels * sizeof *r->map);
    r->image = malloc(r->count * pixels * sizeof *r->image);
    r->raw_label = malloc(r->count * sizeof *r->raw_label);
    r->shares = malloc(r->count * sizeof *r->shares);
    if (!r->map || !r->image || !r->raw_label || !r->shares)
        return false;
    memcpy(r->map, maps, r->count * pixels * sizeof *maps);
    for (size_t i = 0; i < r->count; i++) {
        memcpy(r->image + i * pixels, sf_images_pixels(images) + i * shape.channels * pixels,
               pixels * sizeof *r->image);
        r->raw_label[i] = sf_images_raw_label(images, (size_t)sf_images_labels(images)[i]);
        r->shares[i] = sf_map_shares(pixels, maps + i * pixels, sf_images_regions(images) + i * pixels);
    }
    return true;
}

/* All images of a CSV, the first few of other files. */
static size_t images_kept(const work *w, size_t count)
{
    const char *dot = w->cli->output ? strrchr(w->cli->output, '.') : NULL;
    if (!dot)
        return 0;
    return strcmp(dot, ".csv") == 0 || w->options->shown > count ? count : w->options->shown;
}

static int attribute_row(const work *w, sf_training_run *run, row *r, size_t layer)
{
    const sf_images *images = sf_training_run_test_images(run);
    r->tested = images != NULL;
    images = images ? images : sf_training_run_images(run);
    sf_nn *nn = sf_training_run_network(run);
    sf_image_shape shape = sf_images_shape(images);
    r->classes = sf_images_classes(images);
    if (r->method == SF_ATTRIBUTION_GRAD_CAM)
        snprintf(r->layer, sizeof r->layer, "%s", sf_nn_layer_name(nn, layer));
    float *maps = malloc(sf_images_count(images) * shape.height * shape.width * sizeof *maps);
    if (!maps)
        return sf_cli_no_memory(w->cli);
    sf_status status = sf_nn_attribute(nn, r->method, layer, images, maps, &r->summary);
    int code = status == SF_OK ? 0 : sf_cli_fail(w->cli, status);
    if (code == 0 && !keep_maps(r, images, maps, images_kept(w, sf_images_count(images))))
        code = sf_cli_no_memory(w->cli);
    free(maps);
    return code;
}

/* The rows of one checkpoint. */
static int attribute_run(work *w, const char *checkpoint, sf_training_run *run)
{
    sf_attribution methods[2];
    sf_nn *nn = sf_training_run_network(run);
    size_t layer, count = choose_methods(w, checkpoint, nn, methods);
    if (count == 0 || !choose_layer(w, checkpoint, nn, &layer))
        return sf_status_exit_code(SF_ERR_USAGE);
    if (w->count > 0 && count != w->methods)
        return sf_cli_usage(w->cli,
                            "'%s' and '%s' are not both of networks with convolutions; expected --method "
                            "input-gradient for such a comparison",
                            w->rows[0].checkpoint, checkpoint);
    w->methods = count;
    int code = 0;
    for (size_t k = 0; k < count && code == 0; k++) {
        row *r = &w->rows[w->count++];
        *r = (row){.checkpoint = checkpoint,
                   .backend = sf_nn_backend_name(nn),
                   .step = sf_training_run_restored_step(run),
                   .method = methods[k]};
        code = attribute_row(w, run, r, layer);
    }
    return code;
}

static int attribute_all(work *w, const char *const *files, size_t count)
{
    w->rows = calloc(2 * count + 1, sizeof *w->rows);
    if (!w->rows)
        return sf_cli_no_memory(w->cli);
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        sf_training_run *run;
        sf_status status = sf_training_run_restore(w->cli->context, files[i], w->cli->override_count,
                                                   w->cli->overrides, &run);
        code = status == SF_OK ? attribute_run(w, files[i], run) : sf_cli_fail(w->cli, status);
        if (status == SF_OK)
            sf_training_run_destroy(&run);
    }
    return code;
}

/* ---- over all checkpoints ------------------------------------------------------------------------------- */

static double share_of(const row *r, bool positive, int region)
{
    const sf_shares *s = positive ? &r->summary.positive : &r->summary.shares;
    return region == SF_REGION_BACKGROUND ? s->background : region == SF_REGION_WEAK ? s->weak : s->strong;
}

/* Mean and interval of a share over the checkpoints, for the k-th method. */
static sf_interval over_checkpoints(const work *w, size_t k, bool positive, int region)
{
    size_t count = w->count / w->methods;
    double *x = malloc((count + 1) * sizeof *x);
    sf_interval interval = {NAN, NAN};
    if (!x)
        return interval;
    for (size_t i = 0; i < count; i++)
        x[i] = share_of(&w->rows[i * w->methods + k], positive, region);
    interval = sf_mean_interval(count, x, confidence);
    free(x);
    return interval;
}

/* ---- terminal ------------------------------------------------------------------------------------------- */

static int longest_name(const work *w)
{
    int width = 10;
    for (size_t i = 0; i < w->count; i++)
        width = (int)strlen(w->rows[i].checkpoint) > width ? (int)strlen(w->rows[i].checkpoint) : width;
    return width;
}

static void print_table(const work *w)
{
    int width = longest_name(w);
    printf("%-*s %8s  %-15s %-6s %7s  %10s %8s %8s  %7s\n", width, "checkpoint", "step", "method", "layer",
           "images", "background", "weak", "strong", "empty");
    for (size_t i = 0; i < w->count; i++) {
        const row *r = &w->rows[i];
        sf_cli_print(stdout, "%-*s %8llu  %-15s %-6s %7zu  %10.4f %8.4f %8.4f  %7zu\n", width, r->checkpoint,
                     (unsigned long long)r->step, method_names[r->method], *r->layer ? r->layer : "-",
                     r->summary.images, r->summary.shares.background, r->summary.shares.weak,
                     r->summary.shares.strong, r->summary.empty);
    }
    for (size_t k = 0; k < w->methods && w->count > w->methods; k++) {
        printf("%-*s %8s  %-15s %-6s %7s  ", width, "mean", "", method_names[w->rows[k].method],
               *w->rows[k].layer ? w->rows[k].layer : "-", "");
        static const int digits[] = {10, 8, 8};
        for (int region = 0; region < 3; region++)
            printf("%*.4f%s", digits[region], over_checkpoints(w, k, false, region).mean,
                   region < 2 ? " " : "\n");
        printf("%-*s %8s  %-15s %-6s %7s  ", width, "+- (95 %)", "", "", "", "");
        for (int region = 0; region < 3; region++)
            printf("%*.4f%s", digits[region], over_checkpoints(w, k, false, region).half_width,
                   region < 2 ? " " : "\n");
    }
    printf("Shares of |map| on %s, mean over images; empty: images whose map has no positive part.\n",
           w->rows[0].tested ? "test images" : "the training images (data.split was not set)");
}

/* ---- JSON ----------------------------------------------------------------------------------------------- */

static void write_shares(sf_json *json, const char *key, const sf_shares *s)
{
    sf_json_open_object(json, key);
    sf_json_number(json, "background", s->background);
    sf_json_number(json, "weak", s->weak);
    sf_json_number(json, "strong", s->strong);
    sf_json_close_object(json);
}

static void write_map(sf_json *json, const row *r, size_t i)
{
    sf_json_open_object(json, NULL);
    sf_json_integer(json, "image", (int64_t)i);
    sf_json_number(json, "label", r->raw_label[i]);
    write_shares(json, "shares", &r->shares[i]);
    sf_json_open_array(json, "map");
    for (size_t y = 0; y < r->height; y++) {
        sf_json_open_array(json, NULL);
        for (size_t x = 0; x < r->width; x++)
            sf_json_number(json, NULL, r->map[(i * r->height + y) * r->width + x]);
        sf_json_close_array(json);
    }
    sf_json_close_array(json);
    sf_json_close_object(json);
}

static void write_row(sf_json *json, const row *r)
{
    sf_json_open_object(json, NULL);
    sf_json_string(json, "checkpoint", r->checkpoint);
    sf_json_integer(json, "step", (int64_t)r->step);
    sf_json_string(json, "method", method_names[r->method]);
    if (*r->layer)
        sf_json_string(json, "layer", r->layer);
    else
        sf_json_null(json, "layer");
    sf_json_string(json, "backend", r->backend);
    sf_json_string(json, "set", r->tested ? "test" : "training");
    sf_json_integer(json, "images", (int64_t)r->summary.images);
    sf_json_integer(json, "zero", (int64_t)r->summary.zero);
    sf_json_integer(json, "empty", (int64_t)r->summary.empty);
    write_shares(json, "shares", &r->summary.shares);
    write_shares(json, "positive", &r->summary.positive);
    sf_json_open_array(json, "maps");
    for (size_t i = 0; i < r->count; i++)
        write_map(json, r, i);
    sf_json_close_array(json);
    sf_json_close_object(json);
}

static void write_means(sf_json *json, const work *w)
{
    static const char *const regions[] = {"background", "weak", "strong"};
    sf_json_open_array(json, "means");
    for (size_t k = 0; k < w->methods; k++) {
        sf_json_open_object(json, NULL);
        sf_json_string(json, "method", method_names[w->rows[k].method]);
        sf_json_integer(json, "checkpoints", (int64_t)(w->count / w->methods));
        sf_json_number(json, "level", confidence);
        for (int positive = 0; positive < 2; positive++) {
            sf_json_open_object(json, positive ? "positive" : "shares");
            for (int region = 0; region < 3; region++) {
                sf_interval i = over_checkpoints(w, k, positive, region);
                sf_json_open_object(json, regions[region]);
                sf_json_number(json, "mean", i.mean);
                sf_json_number(json, "half_width", i.half_width);
                sf_json_close_object(json);
            }
            sf_json_close_object(json);
        }
        sf_json_close_object(json);
    }
    sf_json_close_array(json);
}

static bool write_json(const void *subject, FILE *stream)
{
    const work *w = subject;
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_open_array(&json, "attributions");
    for (size_t i = 0; i < w->count; i++)
        write_row(&json, &w->rows[i]);
    sf_json_close_array(&json);
    write_means(&json, w);
    sf_json_close_object(&json);
    return sf_json_finish(&json);
}

/* ---- CSV ------------------------------------------------------------------------------------------------ */

static void write_number(FILE *stream, double value)
{
    if (isnan(value))
        fputc(',', stream);
    else
        fprintf(stream, ",%.17g", value);
}

/* A row for every image. */
static bool write_csv(const void *subject, FILE *stream)
{
    const work *w = subject;
    fputs("checkpoint,step,method,layer,image,label,background,weak,strong\n", stream);
    for (size_t k = 0; k < w->count; k++)
        for (size_t i = 0; i < w->rows[k].count; i++) {
            const row *r = &w->rows[k];
            sf_cli_csv_text(stream, r->checkpoint);
            fprintf(stream, ",%llu,%s,%s,%zu", (unsigned long long)r->step, method_names[r->method], r->layer,
                    i);
            write_number(stream, r->raw_label[i]);
            write_number(stream, r->shares[i].background);
            write_number(stream, r->shares[i].weak);
            write_number(stream, r->shares[i].strong);
            fputc('\n', stream);
        }
    return !ferror(stream);
}

/* ---- figure --------------------------------------------------------------------------------------------- */

/* numbers: (w + h + h w), work space. */
static void add_image(sf_figure *figure, const row *r, size_t i, const char *title, sf_palette palette,
                      const float *pixels, double *numbers)
{
    size_t h = r->height, w = r->width;
    double *x = numbers, *y = numbers + w, *z = numbers + w + h;
    for (size_t j = 0; j < w; j++)
        x[j] = (double)j;
    for (size_t j = 0; j < h; j++)
        y[j] = (double)j;
    for (size_t row_index = 0; row_index < h; row_index++) // rows of an image go down
        for (size_t j = 0; j < w; j++)
            z[(h - 1 - row_index) * w + j] = pixels[(i * h + row_index) * w + j];
    sf_figure_panel(figure, &(sf_axes){.title = title,
                                       .x_min = -0.5,
                                       .x_max = (double)w - 0.5,
                                       .y_min = -0.5,
                                       .y_max = (double)h - 0.5,
                                       .equal = true,
                                       .no_axes = true,
                                       .key = "off"});
    sf_figure_cells(figure, NULL, palette, w, h, x, y, z);
}

/* A column for each image: itself, and a row below for each map. */
static sf_status describe_maps(const work *w, sf_figure **figure)
{
    const row *first = &w->rows[0];
    sf_status status = sf_figure_create(
        w->cli->context, "attributions",
        "Attribution: red speaks for the class of the image, blue against it; each map has its own scale",
        "Images, and below each the maps of what the networks look at", first->count, figure);
    size_t room = 1;
    for (size_t k = 0; k < w->count; k++) {
        const row *r = &w->rows[k];
        size_t wanted = r->height + r->width + r->height * r->width;
        room = wanted > room ? wanted : room;
    }
    double *numbers = calloc(room, sizeof *numbers);
    if (status != SF_OK || !numbers) {
        free(numbers);
        return status == SF_OK ? SF_ERR_MEMORY : status;
    }
    for (size_t i = 0; i < first->count; i++) {
        char title[64];
        snprintf(title, sizeof title, "label %g", first->raw_label[i]);
        add_image(*figure, first, i, title, SF_PALETTE_SEQUENTIAL, first->image, numbers);
    }
    for (size_t k = 0; k < w->count; k++)
        for (size_t i = 0; i < w->rows[k].count; i++) {
            const row *r = &w->rows[k];
            char title[64];
            snprintf(title, sizeof title, "%s, step %llu",
                     r->method == SF_ATTRIBUTION_GRAD_CAM ? r->layer : "gradient",
                     (unsigned long long)r->step);
            add_image(*figure, r, i, title, SF_PALETTE_DIVERGING, r->map, numbers);
        }
    free(numbers);
    return sf_figure_status(*figure);
}

static int draw(const work *w)
{
    sf_figure *figure = NULL;
    sf_status status = describe_maps(w, &figure);
    if (status == SF_OK)
        status = sf_draw(w->cli->context, figure, w->cli->output, NULL, false);
    sf_figure_destroy(&figure);
    return status == SF_OK ? 0 : sf_cli_fail(w->cli, status);
}

/* ---- the command ---------------------------------------------------------------------------------------- */

static bool is_figure(const char *path)
{
    return sf_cli_ends_with(path, ".png") || sf_cli_ends_with(path, ".svg") || sf_cli_ends_with(path, ".pdf");
}

static int hand_over(const work *w)
{
    const char *output = w->cli->output;
    int code = 0;
    if (output && is_figure(output)) {
        code = draw(w);
        sf_cli_delivers();
    } else if (output) {
        sf_cli_delivers();
        code =
            sf_cli_write_file(w->cli, output, sf_cli_ends_with(output, ".csv") ? write_csv : write_json, w);
    }
    if (code == 0 && w->cli->json)
        code = sf_cli_print_document(w->cli, write_json, w);
    else if (code == 0)
        print_table(w);
    return code;
}

enum { LAYER, METHOD, IMAGES };

static int check(const sf_cli *cli, const attribute_options *o)
{
    if (o->layer && o->method && strcmp(o->method, method_names[1]) == 0)
        return sf_cli_usage(cli, "--layer is of Grad-CAM, expected no --method input-gradient");
    if (cli->value[IMAGES].text && (!cli->output || sf_cli_ends_with(cli->output, ".csv")))
        return sf_cli_usage(cli, "--images says how many maps go into -o FILE.json or a figure, %s",
                            cli->output ? "a CSV has a row of every image" : "expected such a file");
    return -1;
}

static int run(sf_cli *cli)
{
    const attribute_options o = {
        .layer = cli->value[LAYER].text,
        .method = cli->value[METHOD].text,
        .shown = cli->value[IMAGES].text ? (size_t)cli->value[IMAGES].number : SHOWN,
    };
    int code = check(cli, &o);
    if (code < 0) {
        work w = {.cli = cli, .options = &o};
        code = attribute_all(&w, cli->files, cli->file_count);
        if (code == 0)
            code = hand_over(&w);
        release(&w);
    }
    return code;
}

static const sf_option options[] = {
    [LAYER] = {"layer", "NAME", "convolution that Grad-CAM weighs (default: the last)",
               .type = SF_OPTION_TEXT},
    [METHOD] = {"method", "METHOD",
                "grad-cam or input-gradient (default: both, where there are convolutions)",
                .type = SF_OPTION_CHOICE, .choices = "grad-cam|input-gradient"},
    [IMAGES] = {"images", "N", "images whose maps go into -o FILE.json or a figure (default 6)",
                .type = SF_OPTION_COUNT, .low = 1, .high = MOST_SHOWN},
    {0}};

const sf_command sf_command_attribute = {
    .name = "attribute",
    .arguments = "CHECKPOINT.h5...",
    .summary = "what trained networks look at",
    .text = "Shares of Grad-CAM and of the input gradient on background, weak and strong pixels, for "
            "checkpoints of samflow "
            "train, with intervals over several of them; maps of single images as JSON or as a figure.",
    .example = "samflow attribute seed1.h5 seed2.h5 -o maps.svg",
    .options = options,
    .least = 1,
    .most = SF_ANY_NUMBER,
    .missing = "no checkpoint given, expected files of samflow train --checkpoint",
    .files = ".h5",
    .uses = SF_USES_SET | SF_USES_OUTPUT,
    .output = ".json|.csv|.png|.svg|.pdf",
    .run = run,
};
