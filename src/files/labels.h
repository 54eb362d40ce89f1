/* The labels of a file as they come, example by example: at most two kinds are kept. */
#ifndef SF_FILES_LABELS_H
#define SF_FILES_LABELS_H

#include "data/dataset.h"
#include <samflow/files.h>

typedef struct sf_labels {
    sf_context *context;
    bool has_classes; // the two values are given, other examples are left out
    bool has_names;   // the same by name
    bool text;        // labels are names, not values
    double value[2];
    char *name[2];
    size_t distinct; // kinds met so far (2 with has_classes)
    size_t count[2]; // examples of each kind
    char *others[4]; // the first other names that were left out: for messages
    size_t other_count;
    signed char *kind; // (n) 0 or 1, -1: left out
    size_t n, capacity;
} sf_labels;

/* Errors: SF_ERR_ARGUMENT if the classes of the file's description are no two numbers. */
sf_status sf_labels_init(sf_labels *labels, sf_context *context, const sf_data_file *spec);
void sf_labels_clear(sf_labels *labels);

/* The label of the next example; *kept tells whether the example stays. SF_ERR_DATA, with a message that says
 * what was expected but not where, if it is a third kind, not a number among numbers, or NaN. */
sf_status sf_labels_number(sf_labels *labels, double value, bool *kept);
sf_status sf_labels_text(sf_labels *labels, const char *text, size_t length, bool *kept);
/* A number or a name, whichever the text is. */
sf_status sf_labels_field(sf_labels *labels, const char *text, size_t length, bool *kept);

/* Leaves an example out after all. */
void sf_labels_drop(sf_labels *labels, size_t index);

/* All examples are in: a data set for those kept, with its labels and room for (kept, d) numbers. SF_ERR_DATA
 * if two kinds were not met, unless there is but one example. */
sf_status sf_labels_dataset(const sf_labels *labels, const char *path, size_t d, sf_dataset **out);

/* How many examples stay. */
size_t sf_labels_kept(const sf_labels *labels);

#endif
