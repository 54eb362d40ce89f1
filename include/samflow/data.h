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
    double minimum, maximum; /* of the features x */
    size_t zeros;            /* entries that are exactly 0 */
    size_t constant;         /* features that take one value only */
    size_t duplicates; /* features equal to one before them in every example; constant ones not counted */
    size_t counting;   /* features that count the examples: whole numbers that ascend by 1, as ids do */
    double
        spread; /* largest standard deviation of a feature over the smallest that is not 0; NaN if none is */
    double strength_quantile[5]; /* minimum, quartiles, maximum of the strengths */
    bool mirrored;
} sf_dataset_info;
SF_API
sf_status sf_dataset_describe(const sf_dataset *dataset, sf_dataset_info *info);

#ifdef __cplusplus
}
#endif
#endif
