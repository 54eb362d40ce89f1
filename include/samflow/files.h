/* samflow/files.h - data sets and images from files. */
#ifndef SAMFLOW_FILES_H
#define SAMFLOW_FILES_H

#include <samflow/data.h>
#include <samflow/images.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- data sets ------------------------------------------------------------------------------------------ */

typedef enum sf_file_format {
    SF_FORMAT_AUTO,
    SF_FORMAT_CSV,
    SF_FORMAT_SVMLIGHT,
    SF_FORMAT_IDX,
    SF_FORMAT_ARFF
} sf_file_format;

/* A data set in a file. Any of the formats may be compressed by gzip, or by bzip2 or xz where the build has their libraries.
 *
 * CSV (RFC 4180; also with ; or tab where the first line has more of them): the first record is a header if most fields of it that
 * should be features are text, or the label is called by name. The first column holds names of the records, not a feature, if the header leaves it
 * unnamed or the first record has text there (and it is not the label); column numbers do not count it. Labels may be two
 * texts, of which the first in byte order becomes -1.
 * svmlight: "label [qid:k] index:value ... # comment", indices from 1 in ascending order, what is left out is 0.
 * ARFF (Weka, OpenML): attributes by name, nominal or numeric, rows dense or sparse; the label is the last attribute, or one
 * named.
 * IDX: big-endian, every element type, examples along the first dimension. */
/* Whether the first line of a CSV file names its columns. GUESS: by what stands in it; an error where it can be read both ways. */
typedef enum sf_header { SF_HEADER_GUESS, SF_HEADER_YES, SF_HEADER_NO } sf_header;

/* What a reader made of a file. */
typedef struct sf_data_layout {
    sf_file_format format;
    char separator;                        /* CSV: of the fields */
    bool decimal_comma, header, row_names; /* CSV */
    char label[64]; /* CSV, ARFF: name of the label column (transposed: row), else its number */
    size_t
        columns_left_out; /* CSV, ARFF: columns that are neither features nor label nor names of the examples */
    size_t examples_left_out; /* of other classes, or with missing values */
    size_t examples_missing;  /* of these, with missing values */
} sf_data_layout;

typedef struct sf_data_file {
    const char *name; /* of a data set that is part of samflow, with classes and nothing else; NULL: a file */
    const char *path;
    sf_file_format
        format; /* AUTO: by ending (.csv, .tsv, .svm, .libsvm, .svmlight, .idx, *idx*-ubyte, each also with
                                .gz), then by content */
    const char *labels_path; /* IDX: the file of labels; NULL otherwise */
    const char *
        label; /* CSV: name or 0-based number of the label column (after transpose); NULL: the last. IDX: number of the column of labels of two dimensions */
    bool transpose;             /* CSV: one column an example */
    sf_header header;           /* CSV: whether the first line names the columns */
    bool has_classes;           /* keep only the examples of the two raw labels below */
    double classes[2];          /* the raw label that becomes -1, the raw label that becomes +1 */
    const char *class_names[2]; /* or as they stand in the file; both or none, without has_classes */
    /* CSV, ARFF: columns (transposed: rows) that are features, in this order, and those that are left out; each by name or
     * 0-based number, counted as for label. None: all */
    size_t feature_count, drop_count;
    const char *const *features, *const *drop;
    sf_data_layout *layout; /* NULL, or where to write what the reader made of the file */
    bool
        skip_missing; /* CSV, ARFF: examples with a missing value are left out, with a warning; else an error */
} sf_data_file;
/* Without classes the file must hold exactly two distinct labels; the smaller becomes -1. Errors: SF_ERR_DATA
 * with file, line and column or byte (malformed, NaN, truncated, wrong magic number, not two classes, unreadable);
 * SF_ERR_ARGUMENT (a member that the format does not use or lacks, equal classes); SF_ERR_MEMORY; SF_ERR_CANCELLED;
 * SF_ERR_UNAVAILABLE (built without SAMFLOW_WITH_FILES). */
SF_API
sf_status sf_dataset_read(sf_context *context, const sf_data_file *spec, sf_dataset **out);

/* Name of the index-th data set that is part of samflow, NULL past the last: "digits", 1,797 images of handwritten digits of
 * 8 x 8 pixels from 0 to 16, ten classes (UCI, CC BY 4.0). */
SF_API
const char *sf_dataset_builtin(size_t index);

/* ---- images ---------------------------------------------------------------------------------------------- */

typedef struct sf_image_file {
    const char *name; /* of images that are part of samflow (sf_dataset_builtin), without paths; else NULL */
    const char *path, *labels_path; /* IDX, plain or gzipped: (N, H, W) or (N, C, H, W), and (N) labels */
    const double *classes; /* raw labels to keep, in the order of the classes 0..K-1; NULL: all, ascending */
    size_t class_count;
    double scale;        /* multiplies each pixel; > 0 */
    double weak, strong; /* thresholds on the scaled pixel (its largest channel), 0 < weak <= strong */
} sf_image_file;

/* Errors: SF_ERR_DATA (malformed, no image of a class, one class only), SF_ERR_ARGUMENT, SF_ERR_MEMORY,
 * SF_ERR_UNAVAILABLE (built without SAMFLOW_WITH_FILES). */
SF_API
sf_status sf_images_read(sf_context *context, const sf_image_file *spec, sf_images **out);

#ifdef __cplusplus
}
#endif
#endif
