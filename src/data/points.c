/* Data sets in memory: points with labels, and what can be asked of any data set. */
#include "data/dataset.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

size_t sf_machine_memory(void)
{
#if defined(_SC_PHYS_PAGES) && defined(_SC_PAGESIZE)
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    if (pages > 0 && size > 0 && (size_t)pages <= SIZE_MAX / (size_t)size)
        return (size_t)pages * (size_t)size;
#endif
    return SIZE_MAX;
}

sf_status sf_dataset_create(sf_context *context, size_t n, size_t d, sf_dataset **out)
{
    *out = NULL;
    if (n > SIZE_MAX / sizeof(double) / d)
        return sf_fail(context, SF_ERR_MEMORY, "%zu examples of %zu features exceed the address space", n, d);
    size_t memory = sf_machine_memory();
    if (n * d > memory / sizeof(double))
        return sf_fail(context, SF_ERR_MEMORY,
                       "%zu examples of %zu features take %.1f GB as a matrix, this machine has %.1f GB", n,
                       d, (double)n * (double)d * 8e-9, (double)memory * 1e-9);
    sf_dataset *dataset = SF_NEW(context, sf_dataset);
    if (!dataset)
        return SF_ERR_MEMORY;
    *dataset = (sf_dataset){.context = context, .n = n, .stored = d, .unit = 1.0, .raw_label = {-1.0, 1.0}};
    dataset->z = sf_alloc_doubles(context, n * d);
    dataset->labels = SF_ARRAY(context, n, int);
    if (!dataset->z || !dataset->labels) {
        sf_dataset_destroy(&dataset);
        return SF_ERR_MEMORY;
    }
    *out = dataset;
    return SF_OK;
}

sf_status sf_dataset_from_points(sf_context *context, size_t n, size_t d, const double *x, const int *labels,
                                 sf_dataset **out)
{
    SF_OUT(context, out);
    if (n < 1 || d < 1)
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "a data set of %zu examples with %zu features, expected at least 1", n, d);
    if (!x)
        return sf_fail(context, SF_ERR_ARGUMENT, "the points are NULL");
    sf_dataset *dataset;
    SF_TRY(sf_dataset_create(context, n, d, &dataset));
    for (size_t i = 0; i < n; i++) {
        int label = labels ? labels[i] : 1;
        if (label != -1 && label != 1) {
            sf_dataset_destroy(&dataset);
            return sf_fail(context, SF_ERR_ARGUMENT, "label %zu is %d, expected -1 or 1", i, label);
        }
        dataset->labels[i] = label;
        for (size_t j = 0; j < d; j++) {
            double value = x[i * d + j];
            if (!isfinite(value)) {
                sf_dataset_destroy(&dataset);
                return sf_fail(context, SF_ERR_DATA,
                               "example %zu, feature %zu is %g, expected a finite number", i, j, value);
            }
            dataset->z[i * d + j] = label < 0 ? -value : value;
        }
    }
    *out = dataset;
    return SF_OK;
}

void sf_dataset_destroy(sf_dataset **dataset)
{
    if (!dataset || !*dataset)
        return;
    sf_context *context = (*dataset)->context;
    sf_free_aligned(context, (*dataset)->z);
    sf_free(context, (*dataset)->grid.origin);
    sf_free(context, (*dataset)->labels);
    sf_free(context, (*dataset)->label_name[0]);
    sf_free(context, (*dataset)->label_name[1]);
    sf_free(context, *dataset);
    *dataset = NULL;
}

size_t sf_dataset_examples(const sf_dataset *dataset)
{
    return dataset->n;
}

size_t sf_dataset_features(const sf_dataset *dataset)
{
    return dataset->mirrored ? 2 * dataset->stored : dataset->stored;
}

bool sf_dataset_mirrored(const sf_dataset *dataset)
{
    return dataset->mirrored;
}

const int *sf_dataset_labels(const sf_dataset *dataset)
{
    return dataset->labels;
}

void sf_dataset_example(const sf_dataset *dataset, size_t n, double *z)
{
    size_t width = dataset->stored;
    memcpy(z, dataset->z + n * width, width * sizeof *z);
    if (dataset->mirrored)
        for (size_t j = 0; j < width; j++)
            z[width + j] = -z[j];
}
