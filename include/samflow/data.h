/* samflow/data.h - data sets: examples x_n with labels y_n in {-1, +1}, kept as signed examples z_n = y_n x_n.
 *
 * Everything that samflow computes depends on the data through z_n alone (theory: margin m_n = <beta, z_n>), so
 * that is what is stored, one row an example. A mirrored data set stands for the examples (z, -z) in 2d
 * coordinates without storing them twice: its feature count is 2d, its storage d.
 */
#ifndef SAMFLOW_DATA_H
#define SAMFLOW_DATA_H

#include <samflow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_dataset sf_dataset;

/* Points in memory. x: n rows of d numbers (n >= 1, d >= 1), copied. labels: n values -1 or +1, or NULL for all
 * +1. Errors: SF_ERR_ARGUMENT (sizes, labels), SF_ERR_DATA (NaN or infinity: names row and column),
 * SF_ERR_MEMORY. */
SF_API
sf_status sf_dataset_from_points(sf_context *context, size_t n, size_t d, const double *x, const int *labels,
                                 sf_dataset **out);

/* Two Gaussian classes: label +1 around +mean, label -1 around -mean, independent coordinates of standard
 * deviation std; 2 * per_class examples, class +1 first. separable: an example with <mean, z> <= 0 is drawn
 * again, so that the mean direction separates. Example n draws from stream n of the seed. */
typedef struct sf_gaussian {
    size_t d;
    const double *mean; /* d numbers */
    double std;         /* > 0 */
    size_t per_class;   /* >= 1 */
    uint64_t seed;
    bool separable;
} sf_gaussian;
SF_API
sf_status sf_dataset_gaussian(sf_context *context, const sf_gaussian *spec, sf_dataset **out);

typedef enum sf_file_format {
    SF_FORMAT_AUTO,
    SF_FORMAT_CSV,
    SF_FORMAT_SVMLIGHT,
    SF_FORMAT_IDX
} sf_file_format;

/* A data set in a file. Any of the formats may be gzipped.
 *
 * CSV (RFC 4180; also with ; or tab where the first line has more of them): the first record is a header if most fields of it that
 * should be features are text, or the label is called by name. The first column holds names of the records, not a feature, if the header leaves it
 * unnamed or the first record has text there (and it is not the label); column numbers do not count it. Labels may be two
 * texts, of which the first in byte order becomes -1.
 * svmlight: "label [qid:k] index:value ... # comment", indices from 1 in ascending order, what is left out is 0.
 * IDX: big-endian, every element type, examples along the first dimension. */
/* Whether the first line of a CSV file names its columns. GUESS: by what stands in it; an error where it can be read both ways. */
typedef enum sf_header { SF_HEADER_GUESS, SF_HEADER_YES, SF_HEADER_NO } sf_header;

typedef struct sf_data_file {
    const char *name; /* of a data set that is part of samflow, with classes and nothing else; NULL: a file */
    const char *path;
    sf_file_format
        format; /* AUTO: by ending (.csv, .tsv, .svm, .libsvm, .svmlight, .idx, *idx*-ubyte, each also with
                                .gz), then by content */
    const char *labels_path; /* IDX: the file of labels; NULL otherwise */
    const char *label; /* CSV: name or 0-based number of the label column (after transpose); NULL: the last */
    bool transpose;    /* CSV: one column an example */
    sf_header header;  /* CSV: whether the first line names the columns */
    bool has_classes;  /* keep only the examples of the two raw labels below */
    double classes[2]; /* the raw label that becomes -1, the raw label that becomes +1 */
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

SF_API
void sf_dataset_destroy(sf_dataset **dataset);

/* In place. standardize: each feature x (not z) to mean 0 and population standard deviation 1, constant features
 * to 0. mirror: features x become (x, -x); at most once, and after the other two. SF_ERR_ARGUMENT if already
 * mirrored or the factor is not finite; SF_ERR_DATA if scaling overflows. */
SF_API
sf_status sf_dataset_scale(sf_dataset *dataset, double factor);
SF_API
sf_status sf_dataset_standardize(sf_dataset *dataset);
/* A feature that is `value` in every example, behind the others: hyperplanes then need not go through the origin. Not after
 * mirroring. SF_ERR_ARGUMENT if the value is 0 or not finite, SF_ERR_MEMORY. */
SF_API
sf_status sf_dataset_append(sf_dataset *dataset, double value);
SF_API
sf_status sf_dataset_mirror(sf_dataset *dataset);

SF_API
size_t sf_dataset_examples(const sf_dataset *dataset); /* N */
SF_API
size_t sf_dataset_features(const sf_dataset *dataset); /* d, twice the stored ones if mirrored */
SF_API
bool sf_dataset_mirrored(const sf_dataset *dataset);
SF_API
const int *sf_dataset_labels(const sf_dataset *dataset); /* N values -1, +1 */
/* Row n of the signed examples in all d features, copied to z (d). */
SF_API
void sf_dataset_example(const sf_dataset *dataset, size_t n, double *z);

/* strength_j = |(1/N) sum_n z_nj|, into d numbers: the gradient at beta = 0 up to a factor. */
SF_API
void sf_dataset_strengths(const sf_dataset *dataset, double *strength);

typedef struct sf_dataset_info {
    size_t examples, features;
    size_t count[2];     /* examples of label -1 and +1 */
    double raw_label[2]; /* what the file called them; -1 and +1 where there is no file */
    const char
        *label_name[2]; /* the same where the file has text for labels (raw_label is then 0 and 1), else NULL;
                                  owned by the data set */
    double minimum, maximum;     /* of the features x */
    size_t zeros;                /* entries that are exactly 0 */
    size_t constant;             /* features that take one value only */
    double strength_quantile[5]; /* minimum, quartiles, maximum of the strengths */
    bool mirrored;
} sf_dataset_info;
SF_API
sf_status sf_dataset_describe(const sf_dataset *dataset, sf_dataset_info *info);

#ifdef __cplusplus
}
#endif
#endif
