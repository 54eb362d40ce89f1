/* Private face of images in the room data/. */
#ifndef SF_DATA_IMAGES_PRIVATE_H
#define SF_DATA_IMAGES_PRIVATE_H

#include <samflow/images.h>

struct sf_images {
    sf_context *context;
    size_t n, classes;
    sf_image_shape shape;
    float *pixels;     // (n, channels, height, width)
    int *labels;       // (n), 0..classes-1
    uint8_t *regions;  // (n, height, width) of sf_region
    double *raw_label; // (classes)
};

/* Room for n images, not yet filled in but for raw_label k = k. Errors: SF_ERR_MEMORY, also where they would not
 * fit in the memory of the machine. */
SF_LAB_API
sf_status sf_images_create(sf_context *context, size_t n, size_t classes, sf_image_shape shape,
                           sf_images **out);

/* Pixels of one image, over all channels and in one of them. */
SF_LAB_API
size_t sf_image_values(sf_image_shape shape);
SF_LAB_API
size_t sf_image_pixels(sf_image_shape shape);

#endif
