/* Private face of the room data/: the stored matrix, for the kernels of network/ and the solvers of margin/. */
#ifndef SF_DATA_PRIVATE_H
#define SF_DATA_PRIVATE_H

#include <samflow/data.h>

struct sf_dataset {
    sf_context *context;
    size_t n;             // examples
    size_t stored;        // features in storage; d = stored, or 2 * stored if mirrored
    bool mirrored;
    double *z;            // (n, stored) row-major, aligned to 64 bytes: z_nj = y_n x_nj
    int *labels;          // (n)
    double raw_label[2];
};

#endif
