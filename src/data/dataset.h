/* Private face of the room data/: the stored matrix, for the kernels of network/ and the solvers of margin/.
 */
#ifndef SF_DATA_PRIVATE_H
#define SF_DATA_PRIVATE_H

#include <samflow/data.h>

/* Features on a grid: x_nj = (k_nj - shift_j) * spacing_j with whole k_nj, |k_nj| <= 2^24, counted from whole number
 * `origin` of the file; spacing 0 for a constant feature. Standardized counts, pixels and decimals are such, and storage
 * that keeps k instead of x is half the size or less (network/pack.h). The mean of k is within 1/2 of 0, so that
 * k - shift loses no digits. Arrays of `stored` numbers in one block that starts at origin. */
typedef struct sf_grid {
    double *origin, *shift, *spacing;
} sf_grid;

struct sf_dataset {
    sf_context *context;
    size_t n;      // examples
    size_t stored; // features in storage; d = stored, or 2 * stored if mirrored
    bool mirrored;
    double *z;           // (n, stored) row-major, aligned to 64 bytes: z_nj = y_n x_nj
    int *labels;         // (n)
    double unit;         // product of the scales applied so far: x = unit * (number in the file)
    sf_grid grid;        // of standardized features; origin NULL where there is none
    double raw_label[2]; // what the file called the labels -1 and +1
    char *label_name[2]; // the same where the file has text for labels, else NULL
};

/* A data set with room for n x d numbers and n labels, not yet filled in. Errors: SF_ERR_MEMORY, also where
 * the matrix would not fit in the memory of the machine. */
SF_LAB_API
sf_status sf_dataset_create(sf_context *context, size_t n, size_t d, sf_dataset **out);

/* Bytes of memory in the machine, SIZE_MAX if unknown. Linux grants more than there is and kills the program
 * when it is used, so that a sparse file with one huge index would end without a message. */
size_t sf_machine_memory(void);

#endif
