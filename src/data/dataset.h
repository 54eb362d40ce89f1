/* Private face of the room data/: the stored matrix, for the kernels of network/ and the solvers of margin/.
 */
#ifndef SF_DATA_PRIVATE_H
#define SF_DATA_PRIVATE_H

#include <samflow/data.h>

struct sf_dataset {
    sf_context *context;
    size_t n;      // examples
    size_t stored; // features in storage; d = stored, or 2 * stored if mirrored
    bool mirrored;
    double *z;           // (n, stored) row-major, aligned to 64 bytes: z_nj = y_n x_nj
    int *labels;         // (n)
    double raw_label[2]; // what the file called the labels -1 and +1
    char *label_name[2]; // the same where the file has text for labels, else NULL
};

/* A data set with room for n x d numbers and n labels, not yet filled in. Errors: SF_ERR_MEMORY, also where
 * the matrix would not fit in the memory of the machine. */
sf_status sf_dataset_create(sf_context *context, size_t n, size_t d, sf_dataset **out);

/* Bytes of memory in the machine, SIZE_MAX if unknown. Linux grants more than there is and kills the program
 * when it is used, so that a sparse file with one huge index would end without a message. */
size_t sf_machine_memory(void);

#endif
