/* samflow data info --images: what a set of labelled images holds, from IDX files or the experiment of samflow train. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/data.h"

/* Pixels of bytes, and those of digits, to [0, 1], and the thresholds that samflow train has by default. */
static const double default_scale = 1.0 / 255.0, builtin_scale = 1.0 / 16.0, weak = 0.1, strong = 0.5;

bool sf_cli_is_builtin(const char *path)
{
    for (size_t i = 0; sf_dataset_builtin(i); i++)
        if (strcmp(sf_dataset_builtin(i), path) == 0)
            return access(path, F_OK) != 0;
    return false;
}

static const char *const regions[] = {"background", "weak", "strong"};

/* "3,5,8" -> numbers; *count 0 for no text. False after a message. */
static bool parse_classes(const sf_cli *cli, const char *text, double **numbers, size_t *count)
{
    size_t room = 1;
    *numbers = NULL;
    *count = 0;
    for (const char *c = text; c && *c; c++)
        room += *c == ',';
    if (!text)
        return true;
    *numbers = calloc(room, sizeof **numbers);
    for (const char *at = text; *numbers && *count < room; at++) {
        char *after;
        errno = 0;
        (*numbers)[(*count)++] = strtod(at, &after);
        if (after == at || errno != 0 || (*after != ',' && *after != '\0')) {
            sf_cli_usage(cli, "--classes is '%s', expected labels as A,B,...", text);
            return false;
        }
        at = after;
        if (*at == '\0')
            return true;
    }
    sf_cli_no_memory(cli);
    return false;
}

static void print_images(const char *name, const sf_images *images)
{
    sf_image_shape shape = sf_images_shape(images);
    sf_images_info info;
    sf_images_describe(images, &info);
    sf_cli_print(
        stdout, "%s\n  images     %zu of %zu x %zu x %zu (channels, rows, columns)\n  classes    %zu:", name,
        sf_images_count(images), shape.channels, shape.height, shape.width, sf_images_classes(images));
    for (size_t k = 0; k < sf_images_classes(images); k++)
        printf("%s %zu of label %.15g", k ? "," : "", sf_images_class_count(images, k),
               sf_images_raw_label(images, k));
    printf("\n  pixels     %.6g to %.6g, mean %.6g\n  regions   ", info.minimum, info.maximum, info.mean);
    for (int r = 0; r < 3; r++)
        printf("%s %s %.4f", r ? "," : "", regions[r], info.region_share[r]);
    printf(" of the pixels\n");
}

static void write_images(sf_json *json, const char *name, const sf_images *images)
{
    sf_image_shape shape = sf_images_shape(images);
    sf_images_info info;
    sf_images_describe(images, &info);
    sf_json_open_object(json, NULL);
    sf_json_string(json, "name", name);
    sf_json_integer(json, "images", (int64_t)sf_images_count(images));
    sf_json_integer(json, "channels", (int64_t)shape.channels);
    sf_json_integer(json, "height", (int64_t)shape.height);
    sf_json_integer(json, "width", (int64_t)shape.width);
    sf_json_open_array(json, "classes");
    for (size_t k = 0; k < sf_images_classes(images); k++) {
        sf_json_open_object(json, NULL);
        sf_json_number(json, "in_file", sf_images_raw_label(images, k));
        sf_json_integer(json, "images", (int64_t)sf_images_class_count(images, k));
        sf_json_close_object(json);
    }
    sf_json_close_array(json);
    sf_json_number(json, "minimum", info.minimum);
    sf_json_number(json, "maximum", info.maximum);
    sf_json_number(json, "mean", info.mean);
    sf_json_open_object(json, "regions");
    for (int r = 0; r < 3; r++)
        sf_json_number(json, regions[r], info.region_share[r]);
    sf_json_close_object(json);
    sf_json_close_object(json);
}

static void show(const sf_cli *cli, sf_json *json, const char *name, const sf_images *images)
{
    write_images(json, name, images);
    if (!cli->json)
        print_images(name, images);
}

int sf_cli_show_image_file(const sf_cli *cli, sf_json *json, const char *path, const char *labels,
                           const char *classes, const double *scale)
{
    double *wanted;
    size_t count;
    if (!parse_classes(cli, classes, &wanted, &count)) {
        free(wanted);
        return sf_status_exit_code(SF_ERR_USAGE);
    }
    bool built_in = sf_cli_is_builtin(path);
    const sf_image_file file = {.name = built_in ? path : NULL,
                                .path = built_in ? NULL : path,
                                .labels_path = labels,
                                .classes = wanted,
                                .class_count = count,
                                .scale = scale      ? *scale
                                         : built_in ? builtin_scale
                                                    : default_scale,
                                .weak = weak,
                                .strong = strong};
    sf_images *images;
    sf_status status = sf_images_read(cli->context, &file, &images);
    if (status == SF_OK)
        show(cli, json, path, images);
    sf_images_destroy(&images);
    free(wanted);
    return status == SF_OK ? 0 : sf_cli_fail(cli, status);
}

int sf_cli_show_training_images(const sf_cli *cli, sf_json *json, const char *path)
{
    sf_training_run *run;
    sf_status status = sf_training_run_read(cli->context, path, cli->override_count, cli->overrides, &run);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    char name[256];
    const sf_images *test = sf_training_run_test_images(run);
    snprintf(name, sizeof name, "%.200s%s", path, test ? ": training images" : "");
    show(cli, json, name, sf_training_run_images(run));
    snprintf(name, sizeof name, "%.200s: test images", path);
    if (test)
        show(cli, json, name, test);
    sf_training_run_destroy(&run);
    return 0;
}
