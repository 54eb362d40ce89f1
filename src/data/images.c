/* Labelled images in memory: what can be asked of them, splitting, erasing regions. */
#include "data/images.h"

#include <math.h>
#include <string.h>

#include "base/base.h"
#include "data/dataset.h"

size_t sf_image_pixels(sf_image_shape shape)
{
    return shape.height * shape.width;
}

size_t sf_image_values(sf_image_shape shape)
{
    return shape.channels * sf_image_pixels(shape);
}

/* Bytes of one image with its regions and label; 0 if they exceed the address space. */
static size_t image_bytes(sf_image_shape shape)
{
    size_t most = SIZE_MAX / (2 * sizeof(float) + sizeof(int));
    if (shape.height > most / shape.width || shape.channels > most / (shape.height * shape.width))
        return 0;
    return sf_image_values(shape) * sizeof(float) + sf_image_pixels(shape) + sizeof(int);
}

sf_status sf_images_create(sf_context *context, size_t n, size_t classes, sf_image_shape shape,
                           sf_images **out)
{
    *out = NULL;
    size_t bytes = image_bytes(shape), memory = sf_machine_memory();
    if (bytes == 0 || n > SIZE_MAX / bytes)
        return sf_fail(context, SF_ERR_MEMORY, "%zu images of %zu x %zu x %zu exceed the address space", n,
                       shape.channels, shape.height, shape.width);
    if (n * bytes > memory)
        return sf_fail(context, SF_ERR_MEMORY,
                       "%zu images of %zu x %zu x %zu take %.1f GB, this machine has %.1f GB", n,
                       shape.channels, shape.height, shape.width, (double)n * (double)bytes * 1e-9,
                       (double)memory * 1e-9);
    sf_images *images = SF_NEW(context, sf_images);
    if (!images)
        return SF_ERR_MEMORY;
    *images = (sf_images){.context = context, .n = n, .classes = classes, .shape = shape};
    images->pixels = SF_ARRAY(context, n * sf_image_values(shape), float);
    images->labels = SF_ARRAY(context, n, int);
    images->regions = SF_ARRAY(context, n * sf_image_pixels(shape), uint8_t);
    images->raw_label = SF_ARRAY(context, classes, double);
    if (!images->pixels || !images->labels || !images->regions || !images->raw_label) {
        sf_images_destroy(&images);
        return SF_ERR_MEMORY;
    }
    for (size_t k = 0; k < classes; k++)
        images->raw_label[k] = (double)k;
    *out = images;
    return SF_OK;
}

void sf_images_destroy(sf_images **images)
{
    if (!images || !*images)
        return;
    sf_context *context = (*images)->context;
    sf_free(context, (*images)->pixels);
    sf_free(context, (*images)->labels);
    sf_free(context, (*images)->regions);
    sf_free(context, (*images)->raw_label);
    sf_free(context, *images);
    *images = NULL;
}

size_t sf_images_count(const sf_images *images)
{
    return images->n;
}

size_t sf_images_classes(const sf_images *images)
{
    return images->classes;
}

sf_image_shape sf_images_shape(const sf_images *images)
{
    return images->shape;
}

const float *sf_images_pixels(const sf_images *images)
{
    return images->pixels;
}

const int *sf_images_labels(const sf_images *images)
{
    return images->labels;
}

const uint8_t *sf_images_regions(const sf_images *images)
{
    return images->regions;
}

double sf_images_raw_label(const sf_images *images, size_t class_index)
{
    return class_index < images->classes ? images->raw_label[class_index] : NAN;
}

/* ---- subsets ------------------------------------------------------------------------------------------- */

static void copy_image(const sf_images *from, size_t i, sf_images *to, size_t j)
{
    size_t values = sf_image_values(from->shape), pixels = sf_image_pixels(from->shape);
    memcpy(to->pixels + j * values, from->pixels + i * values, values * sizeof *to->pixels);
    memcpy(to->regions + j * pixels, from->regions + i * pixels, pixels);
    to->labels[j] = from->labels[i];
}

/* The images with chosen[i] == which, in their order. */
static sf_status subset(const sf_images *images, const bool *chosen, bool which, sf_images **out)
{
    *out = NULL;
    size_t count = 0;
    for (size_t i = 0; i < images->n; i++)
        count += chosen[i] == which;
    SF_TRY(sf_images_create(images->context, count, images->classes, images->shape, out));
    memcpy((*out)->raw_label, images->raw_label, images->classes * sizeof *images->raw_label);
    for (size_t i = 0, j = 0; i < images->n; i++)
        if (chosen[i] == which)
            copy_image(images, i, *out, j++);
    return SF_OK;
}

/* Marks round(share * count) images of one class, at least one and not all. member: (n) work space. The first
 * steps of Fisher's and Yates's shuffle, drawn from stream `class_index` of the seed. */
static sf_status choose(const sf_images *images, size_t class_index, double share, uint64_t seed,
                        size_t *member, bool *chosen)
{
    size_t count = 0;
    for (size_t i = 0; i < images->n; i++)
        if ((size_t)images->labels[i] == class_index)
            member[count++] = i;
    if (count < 2)
        return sf_fail(images->context, SF_ERR_DATA,
                       "class %zu (label %g) has %zu image%s, expected at least 2 to split", class_index,
                       images->raw_label[class_index], count, count == 1 ? "" : "s");
    size_t wanted = (size_t)fmin(fmax(round(share * (double)count), 1.0), (double)count - 1.0);
    sf_random random = sf_random_make(seed, class_index);
    for (size_t i = 0; i < wanted; i++) {
        size_t k = i + (size_t)sf_random_below(&random, count - i), picked = member[k];
        member[k] = member[i];
        chosen[picked] = true;
    }
    return SF_OK;
}

static sf_status split(const sf_images *images, double share, uint64_t seed, size_t *member, bool *chosen,
                       sf_images **first, sf_images **second)
{
    for (size_t k = 0; k < images->classes; k++)
        SF_TRY(choose(images, k, share, seed, member, chosen));
    SF_TRY(subset(images, chosen, false, first));
    sf_status status = subset(images, chosen, true, second);
    if (status != SF_OK)
        sf_images_destroy(first);
    return status;
}

sf_status sf_images_split(const sf_images *images, double share, uint64_t seed, sf_images **first,
                          sf_images **second)
{
    sf_context *context = images->context;
    *first = *second = NULL;
    if (!(share > 0.0 && share < 1.0))
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "the share of the second part is %g, expected a number between 0 and 1", share);
    size_t *member = SF_ARRAY(context, images->n, size_t);
    bool *chosen = sf_alloc_zero(context, images->n, sizeof *chosen);
    sf_status status = SF_ERR_MEMORY;
    if (member && chosen)
        status = split(images, share, seed, member, chosen, first, second);
    sf_free(context, member);
    sf_free(context, chosen);
    return status;
}

sf_status sf_images_erase(const sf_images *images, sf_region region, double value, sf_images **out)
{
    *out = NULL;
    if (!isfinite((float)value))
        return sf_fail(images->context, SF_ERR_ARGUMENT,
                       "the value for erased pixels is %g, expected a number", value);
    bool *all = sf_alloc_zero(images->context, images->n, sizeof *all);
    if (!all)
        return SF_ERR_MEMORY;
    sf_status status = subset(images, all, false, out);
    sf_free(images->context, all);
    SF_TRY(status);
    size_t pixels = sf_image_pixels(images->shape), channels = images->shape.channels;
    for (size_t plane = 0; plane < images->n * channels; plane++)
        for (size_t p = 0; p < pixels; p++)
            if (images->regions[plane / channels * pixels + p] == region)
                (*out)->pixels[plane * pixels + p] = (float)value;
    return SF_OK;
}

/* ---- what they hold ------------------------------------------------------------------------------------ */

void sf_images_describe(const sf_images *images, sf_images_info *info)
{
    size_t values = images->n * sf_image_values(images->shape),
           pixels = images->n * sf_image_pixels(images->shape);
    double count[3] = {0.0, 0.0, 0.0};
    *info = (sf_images_info){.minimum = images->pixels[0], .maximum = images->pixels[0]};
    for (size_t i = 0; i < values; i++) {
        double x = images->pixels[i];
        info->minimum = fmin(info->minimum, x);
        info->maximum = fmax(info->maximum, x);
        info->mean += x / (double)values;
    }
    for (size_t p = 0; p < pixels; p++)
        count[images->regions[p]] += 1.0;
    for (int r = 0; r < 3; r++)
        info->region_share[r] = count[r] / (double)pixels;
}

size_t sf_images_class_count(const sf_images *images, size_t class_index)
{
    size_t count = 0;
    for (size_t i = 0; i < images->n; i++)
        count += (size_t)images->labels[i] == class_index;
    return count;
}
