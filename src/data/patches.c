/* Controlled images: ground truth for which feature a network uses.
 *
 * Image n has label c_n = n mod 2 and sign y_n = 2 c_n - 1. With u_1, u_2 uniform on (0, 1), shifts d uniform on
 * {-jitter, ..., jitter} and g standard normal, all from stream n of the seed and in this order,
 *
 *     sign of the strong patch  a = -y_n if u_1 < strong_flip, else y_n;  of the faint one  b likewise with u_2
 *     places                    centre of the left and of the right half, each shifted by its own (d_row, d_column)
 *     pixel                     noise g + strong a [in the strong patch] + faint b [in the faint patch]
 *
 * The draws are the same whatever the amplitudes, so that sets that differ in these alone share their noise.
 */
#include <math.h>

#include "base/base.h"
#include "data/images.h"

/* Names a member outside its range, or NULL. */
static const char *out_of_range(const sf_patches *s)
{
    if (!(s->faint > 0.0 && isfinite(s->strong)))
        return "the amplitudes, expected finite numbers above 0";
    if (!(s->strong > s->faint))
        return "the strong amplitude, expected more than the faint one";
    if (!(s->noise >= 0.0 && isfinite(s->noise)))
        return "the noise, expected a number of at least 0";
    if (!(s->strong_flip >= 0.0 && s->strong_flip < 0.5) || !(s->faint_flip >= 0.0 && s->faint_flip < 0.5))
        return "a share of flipped patches, expected at least 0 and less than 0.5";
    if (s->patch < 1)
        return "the side of the patches, expected at least 1";
    if (s->per_class < 1 || s->per_class > SIZE_MAX / 2)
        return "the number of images of a class, expected at least 1";
    return NULL;
}

static sf_status check(sf_context *context, const sf_patches *s)
{
    const char *wrong = out_of_range(s);
    if (wrong)
        return sf_fail(context, SF_ERR_ARGUMENT, "images with patches: %s", wrong);
    size_t half = s->width / 2;
    // rounded down, the gaps around a centred patch are (half - patch) / 2
    if (s->patch > s->height || s->patch > half || s->jitter > (s->height - s->patch) / 2 ||
        s->jitter > (half - s->patch) / 2)
        return sf_fail(
            context, SF_ERR_ARGUMENT,
            "images with patches: two patches of side %zu that move by up to %zu pixels do not fit "
            "side by side in %zu x %zu, expected height >= patch + 2 jitter and width >= twice that",
            s->patch, s->jitter, s->height, s->width);
    return SF_OK;
}

/* First row or column of a patch in a span of `room` pixels from `start` on. */
static size_t place(const sf_patches *s, size_t start, size_t room, sf_random *random)
{
    size_t shift = (size_t)sf_random_below(random, 2 * (uint64_t)s->jitter + 1);
    return start + (room - s->patch) / 2 + shift - s->jitter;
}

static void mark(const sf_patches *s, size_t row, size_t column, sf_region region, uint8_t *regions)
{
    for (size_t i = 0; i < s->patch; i++)
        for (size_t j = 0; j < s->patch; j++)
            regions[(row + i) * s->width + column + j] = (uint8_t)region;
}

static void draw(const sf_patches *s, size_t n, float *pixels, uint8_t *regions)
{
    sf_random random = sf_random_make(s->seed, n);
    size_t count = s->height * s->width;
    double y = n % 2 ? 1.0 : -1.0, a = sf_random_uniform(&random) < s->strong_flip ? -y : y,
           b = sf_random_uniform(&random) < s->faint_flip ? -y : y;
    const double level[] = {
        [SF_REGION_BACKGROUND] = 0.0, [SF_REGION_WEAK] = s->faint * b, [SF_REGION_STRONG] = s->strong * a};
    for (size_t p = 0; p < count; p++)
        regions[p] = SF_REGION_BACKGROUND;
    for (int right = 0; right < 2; right++) {
        size_t row = place(s, 0, s->height, &random);
        size_t column = place(s, right ? s->width - s->width / 2 : 0, s->width / 2, &random);
        mark(s, row, column, right ? SF_REGION_WEAK : SF_REGION_STRONG, regions);
    }
    for (size_t p = 0; p < count; p++)
        pixels[p] = (float)(s->noise * sf_random_normal(&random) + level[regions[p]]);
}

sf_status sf_images_patches(sf_context *context, const sf_patches *spec, sf_images **out)
{
    SF_OUT(context, out);
    SF_TRY(check(context, spec));
    const sf_image_shape shape = {1, spec->height, spec->width};
    sf_images *images;
    SF_TRY(sf_images_create(context, 2 * spec->per_class, 2, shape, &images));
    size_t count = sf_image_pixels(shape);
    for (size_t n = 0; n < images->n; n++) {
        images->labels[n] = (int)(n % 2);
        draw(spec, n, images->pixels + n * count, images->regions + n * count);
        for (size_t p = 0; p < count; p++)
            if (!isfinite(images->pixels[n * count + p])) {
                sf_images_destroy(&images);
                return sf_fail(
                    context, SF_ERR_ARGUMENT,
                    "images with patches: a pixel leaves single precision, expected a smaller noise "
                    "or amplitude than %g and %g",
                    spec->noise, spec->strong);
            }
    }
    *out = images;
    return SF_OK;
}
