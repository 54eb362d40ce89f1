/* samflow/images.h - labelled images, for the networks of nn.h.
 *
 * N images of C channels of H x W pixels in single precision, image after image, channel after channel, row after
 * row, with class labels 0..K-1. Beside them, per image, a map of regions of H x W bytes that says what each pixel
 * is: the ground truth against which attributions are weighed. Images from files have the regions of two thresholds
 * on the pixel (theory of the paper, section 5.2, weighs the attribution on the background); images that were drawn
 * know where their patches are.
 */
#ifndef SAMFLOW_IMAGES_H
#define SAMFLOW_IMAGES_H

#include <samflow/data.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_images sf_images;

/* What a pixel is. In files: below the first threshold, between both, at or above the second. In drawn images: none
 * of the patches, the faint patch, the strong patch. */
typedef enum sf_region { SF_REGION_BACKGROUND, SF_REGION_WEAK, SF_REGION_STRONG } sf_region;

/* Controlled images of two classes, one channel: noise everywhere; in class 1 the strong patch adds `strong` at its
 * place and the faint patch adds `faint` at its own; in class 0 both subtract. Each patch alone separates the classes up to the
 * noise and the share of images, `strong_flip` and `faint_flip`, in which that patch carries the other class's sign. The places are
 * the same in all images, or drawn anew for each (jitter: by up to that many pixels in each direction).
 * Image n is of class n mod 2 and draws from stream n of the seed, so that a larger set begins with the smaller one. */
typedef struct sf_patches {
    size_t height, width, patch;    /* image and side of a patch, in pixels; both patches fit side by side */
    double strong, faint;           /* amplitudes, strong > faint > 0 */
    double noise;                   /* standard deviation of the pixel noise, >= 0 */
    double strong_flip, faint_flip; /* shares in [0, 0.5) */
    size_t jitter, per_class;
    uint64_t seed;
} sf_patches;
SF_API
sf_status sf_images_patches(sf_context *context, const sf_patches *spec, sf_images **out);

/* Splits into two, each class in the same proportion, by a permutation drawn from the seed: the second gets
 * round(share * count) images of each class, at least one and not all; 0 < share < 1. Both keep the order, are new;
 * images stays. Errors: SF_ERR_ARGUMENT, SF_ERR_DATA (a class of one image), SF_ERR_MEMORY. */
SF_API
sf_status sf_images_split(const sf_images *images, double share, uint64_t seed, sf_images **first,
                          sf_images **second);

/* A copy in which the pixels of one region have that value, in every channel: what a network makes of the rest
 * alone. Errors: SF_ERR_ARGUMENT (no number), SF_ERR_MEMORY. */
SF_API
sf_status sf_images_erase(const sf_images *images, sf_region region, double value, sf_images **out);

SF_API
void sf_images_destroy(sf_images **images);

typedef struct sf_image_shape {
    size_t channels, height, width;
} sf_image_shape;

SF_API
size_t sf_images_count(const sf_images *images); /* N */
SF_API
size_t sf_images_classes(const sf_images *images); /* K >= 2 */
SF_API
sf_image_shape sf_images_shape(const sf_images *images);
SF_API
const float *sf_images_pixels(const sf_images *images); /* (N, C, H, W) */
SF_API
const int *sf_images_labels(const sf_images *images); /* (N), 0..K-1 */
SF_API
const uint8_t *sf_images_regions(const sf_images *images); /* (N, H, W) of sf_region */
SF_API
double sf_images_raw_label(const sf_images *images, size_t class_index); /* what the file called the class */
SF_API
size_t sf_images_class_count(const sf_images *images, size_t class_index); /* images of the class */

typedef struct sf_images_info {
    double minimum, maximum, mean; /* of the pixels */
    double region_share
        [3]; /* of the pixels on each sf_region: the shares of a map that is the same everywhere */
} sf_images_info;
SF_API
void sf_images_describe(const sf_images *images, sf_images_info *info);

#ifdef __cplusplus
}
#endif
#endif
