/* The IDX format: header, examples, labels. Each function takes an open input where the one before left it. */
#ifndef SF_FILES_IDX_H
#define SF_FILES_IDX_H

#include "files/input.h"

enum { SF_IDX_SIZES = 4 };

typedef struct sf_idx {
    unsigned type, rank;
    size_t element;            // bytes
    size_t n, width;           // examples, elements in each
    size_t size[SF_IDX_SIZES]; // of the first dimensions; 1 from rank on
    size_t start;              // byte of the first element
    size_t column;             // of labels: the one taken of each example's
} sf_idx;

/* Errors of all: SF_ERR_DATA with file, what and byte. */
sf_status sf_idx_header(sf_input *input, sf_idx *idx);
/* The header of a file of n labels for the examples of another file. column: the number of one, where labels have two
 * dimensions; NULL: not given. Errors: also SF_ERR_ARGUMENT (a column of labels of one dimension). */
sf_status sf_idx_labels_header(sf_input *input, size_t n, const char *examples, const char *column,
                               sf_idx *idx);

/* The next example, number `index`, as x (width; NULL: passed over). bytes: (width * element), work space. */
sf_status sf_idx_example(sf_input *input, const sf_idx *idx, size_t index, unsigned char *bytes, double *x);
sf_status sf_idx_label(sf_input *input, const sf_idx *idx, double *value);

/* Nothing may follow. */
sf_status sf_idx_end(sf_input *input);

#endif
