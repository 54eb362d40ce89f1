/* Images from two IDX files (format: idx.c): (N, H, W) or (N, C, H, W) elements, and N labels.
 *
 * pixel = scale * element, rounded to single precision. The region of a pixel is that of its largest channel:
 * background below the threshold `weak`, weak below `strong`, else strong; the thresholds are on the pixel before
 * it is rounded.
 */
#include <math.h>
#include <samflow/files.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "data/images.h"
#include "files/builtin.h"
#include "files/idx.h"

enum { LEFT_OUT = -1 };

/* What the file of labels says: the class of each example. */
typedef struct classes {
    sf_context *context;
    size_t n, count, kept; // examples, classes, examples that stay
    double *raw;           // (count) labels of the classes
    int *class_of;         // (n) class or LEFT_OUT
} classes;

static void clear(classes *c)
{
    sf_free(c->context, c->raw);
    sf_free(c->context, c->class_of);
}

/* ---- labels -------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The distinct values, ascending. */
static sf_status find_classes(classes *c, const double *value, const char *path)
{
    c->raw = SF_ARRAY(c->context, c->n, double);
    if (!c->raw)
        return SF_ERR_MEMORY;
    memcpy(c->raw, value, c->n * sizeof *value);
    qsort(c->raw, c->n, sizeof *c->raw, ascending);
    for (size_t i = 0; i < c->n; i++)
        if (c->count == 0 || c->raw[i] > c->raw[c->count - 1])
            c->raw[c->count++] = c->raw[i];
    if (c->count < 2)
        return sf_fail(c->context, SF_ERR_DATA, "%s: all %zu labels are %.17g, expected two or more classes",
                       path, c->n, c->raw[0]);
    return SF_OK;
}

static sf_status take_classes(classes *c, const sf_image_file *spec)
{
    c->count = spec->class_count;
    c->raw = SF_ARRAY(c->context, c->count, double);
    if (!c->raw)
        return SF_ERR_MEMORY;
    memcpy(c->raw, spec->classes, c->count * sizeof *c->raw);
    return SF_OK;
}

/* The class of each example. order: (count) classes by ascending label, as work space. */
static void assign(classes *c, const double *value, double (*order)[2])
{
    for (size_t k = 0; k < c->count; k++) {
        order[k][0] = c->raw[k];
        order[k][1] = (double)k;
    }
    qsort(order, c->count, sizeof *order, ascending); // by the first number
    for (size_t i = 0; i < c->n; i++) {
        const double(*found)[2] = bsearch(&value[i], order, c->count, sizeof *order, ascending);
        c->class_of[i] = found ? (int)(*found)[1] : LEFT_OUT;
        c->kept += found != NULL;
    }
}

static sf_status check_members(const classes *c, const char *path)
{
    bool *met = sf_alloc_zero(c->context, c->count, sizeof *met);
    if (!met)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < c->n; i++)
        if (c->class_of[i] >= 0)
            met[c->class_of[i]] = true;
    size_t missing = 0;
    while (missing < c->count && met[missing])
        missing++;
    sf_free(c->context, met);
    if (missing < c->count)
        return sf_fail(c->context, SF_ERR_DATA, "%s: none of the %zu examples has the label %.17g of classes",
                       path, c->n, c->raw[missing]);
    return SF_OK;
}

static sf_status classify(classes *c, const sf_image_file *spec, const double *value)
{
    SF_TRY(spec->classes ? take_classes(c, spec) : find_classes(c, value, spec->labels_path));
    double(*order)[2] = sf_alloc(c->context, c->count, sizeof *order);
    c->class_of = SF_ARRAY(c->context, c->n, int);
    if (order && c->class_of)
        assign(c, value, order);
    sf_free(c->context, order);
    return order && c->class_of ? check_members(c, spec->labels_path) : SF_ERR_MEMORY;
}

/* value: (n) */
static sf_status read_values(sf_input *input, size_t n, const char *examples, double *value)
{
    sf_idx idx;
    SF_TRY(sf_idx_labels_header(input, n, examples, NULL, &idx));
    for (size_t i = 0; i < n; i++) {
        uint64_t at = input->offset;
        SF_TRY(sf_idx_label(input, &idx, &value[i]));
        if (!isfinite(value[i]))
            return sf_fail(input->context, SF_ERR_DATA,
                           "%s, example %zu (byte %llu): the label is %g, expected a finite number",
                           input->path, i, (unsigned long long)at, value[i]);
    }
    return sf_idx_end(input);
}

static sf_status read_labels(sf_context *context, const sf_image_file *spec, size_t n, classes *c)
{
    *c = (classes){.context = context, .n = n};
    double *value = SF_ARRAY(context, n, double);
    if (!value)
        return SF_ERR_MEMORY;
    sf_input input;
    sf_status status = sf_input_open(context, spec->labels_path, &input);
    if (status == SF_OK)
        status = read_values(&input, n, spec->path, value);
    sf_input_close(&input);
    if (status == SF_OK)
        status = classify(c, spec, value);
    sf_free(context, value);
    return status;
}

/* ---- pixels -------------------------------------------------------------------------------------------- */

static sf_region region_of(const sf_image_file *spec, double pixel)
{
    return pixel < spec->weak     ? SF_REGION_BACKGROUND
           : pixel < spec->strong ? SF_REGION_WEAK
                                  : SF_REGION_STRONG;
}

/* The elements x of example `index` of the file become image `at`. */
static sf_status put(sf_images *images, const sf_image_file *spec, size_t index, size_t at, const double *x)
{
    size_t values = sf_image_values(images->shape), pixels = sf_image_pixels(images->shape);
    float *pixel = images->pixels + at * values;
    for (size_t j = 0; j < values; j++) {
        pixel[j] = (float)(spec->scale * x[j]);
        if (!isfinite(pixel[j]))
            return sf_fail(images->context, SF_ERR_DATA,
                           "%s, example %zu, feature %zu: %g times the scale %g leaves single precision",
                           spec->path, index, j, x[j], spec->scale);
    }
    for (size_t p = 0; p < pixels; p++) {
        double largest = x[p];
        for (size_t c = 1; c < images->shape.channels; c++)
            largest = fmax(largest, x[c * pixels + p]);
        images->regions[at * pixels + p] = (uint8_t)region_of(spec, spec->scale * largest);
    }
    return SF_OK;
}

static sf_status read_kept(sf_input *input, const sf_idx *idx, const sf_image_file *spec, const classes *c,
                           unsigned char *bytes, double *x, sf_images *images)
{
    for (size_t i = 0, at = 0; i < idx->n; i++) {
        bool keep = c->class_of[i] >= 0;
        SF_TRY(sf_idx_example(input, idx, i, bytes, keep ? x : NULL));
        if (!keep)
            continue;
        SF_TRY(put(images, spec, i, at, x));
        images->labels[at++] = c->class_of[i];
    }
    return sf_idx_end(input);
}

/* 1, 3 or 4 values a pixel, where more than that would be channels. */
static bool is_channels_last(const sf_idx *idx)
{
    size_t last = idx->size[3];
    return idx->rank == 4 && (last == 1 || last == 3 || last == 4) && idx->size[1] > 4 && idx->size[2] > last;
}

static sf_status read_pixels(sf_input *input, const sf_idx *idx, const sf_image_file *spec, const classes *c,
                             sf_images **out)
{
    const sf_image_shape shape = idx->rank == 3 ? (sf_image_shape){1, idx->size[1], idx->size[2]}
                                                : (sf_image_shape){idx->size[1], idx->size[2], idx->size[3]};
    SF_TRY(sf_images_create(input->context, c->kept, c->count, shape, out));
    memcpy((*out)->raw_label, c->raw, c->count * sizeof *c->raw);
    unsigned char *bytes = sf_alloc(input->context, idx->width, idx->element);
    double *x = SF_ARRAY(input->context, idx->width, double);
    sf_status status = SF_ERR_MEMORY;
    if (bytes && x)
        status = read_kept(input, idx, spec, c, bytes, x, *out);
    sf_free(input->context, bytes);
    sf_free(input->context, x);
    if (status != SF_OK)
        sf_images_destroy(out);
    return status;
}

static sf_status read_images(sf_input *input, const sf_image_file *spec, sf_images **out)
{
    sf_idx idx;
    SF_TRY(sf_idx_header(input, &idx));
    if (is_channels_last(&idx))
        return sf_fail(
            input->context, SF_ERR_DATA,
            "%s: its sizes, %zu x %zu x %zu x %zu, are those of images with the channels last; expected "
            "N x channels x height x width, as numpy.moveaxis(images, 3, 1) gives",
            input->path, idx.n, idx.size[1], idx.size[2], idx.size[3]);
    if (idx.rank != 3 && idx.rank != 4)
        return sf_fail(input->context, SF_ERR_DATA,
                       "%s: has %u dimension%s, expected images in 3 (images, rows, columns) or 4 (with "
                       "channels before rows)",
                       input->path, idx.rank, idx.rank == 1 ? "" : "s");
    classes c;
    sf_status status = read_labels(input->context, spec, idx.n, &c);
    if (status == SF_OK)
        status = read_pixels(input, &idx, spec, &c, out);
    clear(&c);
    return status;
}

/* ---- what is asked for --------------------------------------------------------------------------------- */

static sf_status check_classes(sf_context *context, const sf_image_file *spec)
{
    if (!spec->classes)
        return SF_OK;
    if (spec->class_count < 2)
        return sf_fail(context, SF_ERR_ARGUMENT, "%s: %zu class%s given, expected at least 2", spec->path,
                       spec->class_count, spec->class_count == 1 ? "" : "es");
    for (size_t k = 0; k < spec->class_count; k++) {
        bool fine = isfinite(spec->classes[k]);
        for (size_t j = 0; j < k && fine; j++)
            fine = spec->classes[j] != spec->classes[k];
        if (!fine)
            return sf_fail(context, SF_ERR_ARGUMENT,
                           "%s: entry %zu of classes is %g, expected different numbers", spec->path, k,
                           spec->classes[k]);
    }
    return SF_OK;
}

static sf_status check(sf_context *context, const sf_image_file *spec)
{
    if (!spec->path || !spec->labels_path)
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "images need a file of pixels and a file of labels, expected two paths");
    if (!(spec->scale > 0.0) || !isfinite(spec->scale))
        return sf_fail(context, SF_ERR_ARGUMENT, "%s: scale is %g, expected a number above 0", spec->path,
                       spec->scale);
    if (!(spec->weak > 0.0) || !(spec->strong >= spec->weak) || !isfinite(spec->strong))
        return sf_fail(
            context, SF_ERR_ARGUMENT,
            "%s: the thresholds of weak and strong pixels are %g and %g, expected 0 < weak <= strong",
            spec->path, spec->weak, spec->strong);
    return check_classes(context, spec);
}

sf_status sf_images_read(sf_context *context, const sf_image_file *spec, sf_images **out)
{
    SF_OUT(context, out);
    sf_image_file resolved = *spec;
    const sf_builtin *set = spec->name ? sf_builtin_find(spec->name) : NULL;
    if (spec->name && (!set || spec->path || spec->labels_path))
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "no images called '%s' are part of samflow, or a file is named beside them",
                       spec->name);
    if (set) {
        resolved.path = set->images;
        resolved.labels_path = set->labels;
    }
    spec = &resolved;
    SF_TRY(check(context, spec));
    sf_input input;
    sf_status status = sf_input_open(context, spec->path, &input);
    if (status == SF_OK)
        status = read_images(&input, spec, out);
    sf_input_close(&input);
    return status;
}
