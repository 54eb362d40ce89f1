/* Random problems for comparing the kernels of each instruction set with the plain reference. */
#ifndef SF_TEST_SHAPES_H
#define SF_TEST_SHAPES_H

#include "support.h"

#include "base/isa.h"

typedef enum shape_storage {
    SHAPE_DOUBLES,
    SHAPE_FLOATS,
    SHAPE_BYTES,
    SHAPE_SIGNED_BYTES,
    SHAPE_COUNTS,
    SHAPE_DECIMALS
} shape_storage;

enum { MIRROR = 1, STANDARDIZE = 2 };

typedef struct shape {
    size_t n, d;
    shape_storage storage;
    double density; // share of entries that are not 0; runs of zeros, as in images
    unsigned transforms;
} shape;

static const shape shapes[] = {
    {1, 1, SHAPE_DOUBLES, 1.0, 0},
    {1, 2, SHAPE_DOUBLES, 1.0, 0},
    {1, 13, SHAPE_DOUBLES, 1.0, MIRROR},
    {1, 5000, SHAPE_DOUBLES, 1.0, 0},
    {2, 3, SHAPE_DOUBLES, 1.0, 0},
    {3, 8, SHAPE_DOUBLES, 1.0, MIRROR},
    {7, 17, SHAPE_FLOATS, 1.0, 0},
    {8, 16, SHAPE_DOUBLES, 1.0, 0},
    {10, 50, SHAPE_DOUBLES, 0.3, MIRROR},
    {19, 33, SHAPE_FLOATS, 0.2, MIRROR},
    {40, 129, SHAPE_BYTES, 1.0, 0},
    {41, 130, SHAPE_SIGNED_BYTES, 0.15, 0},
    {72, 1001, SHAPE_DOUBLES, 1.0, MIRROR},
    {72, 1000, SHAPE_FLOATS, 1.0, 0},
    {100, 784, SHAPE_SIGNED_BYTES, 0.2, 0},
    {300, 200, SHAPE_DOUBLES, 0.1, 0},
    {33, 4099, SHAPE_DOUBLES, 1.0, 0},
    {72, 1001, SHAPE_COUNTS, 1.0, MIRROR | STANDARDIZE},
    {9, 700, SHAPE_DECIMALS, 1.0, STANDARDIZE},
    {60, 90, SHAPE_COUNTS, 0.7, STANDARDIZE},
    {100, 784, SHAPE_BYTES, 0.2, STANDARDIZE},
    {200, 600, SHAPE_BYTES, 0.9, MIRROR | STANDARDIZE},
    {40, 50, SHAPE_DECIMALS, 0.5, MIRROR | STANDARDIZE},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static inline double shape_entry(const shape *s, sf_random *random)
{
    switch (s->storage) {
    case SHAPE_FLOATS:
        return (double)(float)sf_random_normal(random);
    case SHAPE_BYTES:
    case SHAPE_SIGNED_BYTES:
        return (double)sf_random_below(random, 256) * 0.00392156862745098;
    case SHAPE_COUNTS: // wide range, far from 0
        return floor(30000.0 + 9000.0 * sf_random_normal(random));
    case SHAPE_DECIMALS:
        return floor(1e3 * (1.0 + sf_random_normal(random))) / 1e3;
    default:
        return sf_random_normal(random);
    }
}

/* A data set of that shape; the caller destroys it. */
static inline sf_dataset *shape_dataset(sf_context *context, const shape *s, uint64_t seed)
{
    sf_random random = sf_random_make(seed, 0);
    double *x = malloc(s->n * s->d * sizeof *x);
    int *labels = malloc(s->n * sizeof *labels);
    bool on = true;
    for (size_t i = 0; i < s->n; i++) {
        labels[i] = s->storage != SHAPE_BYTES && sf_random_below(&random, 2) ? -1 : 1;
        for (size_t j = 0; j < s->d; j++) {
            if (j % 16 == 0)
                on = sf_random_uniform(&random) < s->density;
            x[i * s->d + j] = on ? shape_entry(s, &random) : 0.0;
        }
    }
    sf_dataset *dataset = NULL;
    assert_ok(context, sf_dataset_from_points(context, s->n, s->d, x, labels, &dataset));
    if (s->transforms & STANDARDIZE)
        assert_ok(context, sf_dataset_standardize(dataset));
    if (s->transforms & MIRROR)
        assert_ok(context, sf_dataset_mirror(dataset));
    free(x);
    free(labels);
    return dataset;
}

/* Calls what follows for every instruction set of this machine beside the plain one; SAMFLOW_ISA is set. */
#define FOR_EACH_ISA(isa)                                                                                    \
    for (sf_isa isa = SF_ISA_NEON; isa <= SF_ISA_AVX512; isa++)                                              \
        if (sf_isa_supported(isa) && setenv("SAMFLOW_ISA", sf_isa_name(isa), 1) == 0)

/* The largest |a_i - b_i| over the largest |b_i|; NaN if one is. */
static inline double relative_distance(size_t n, const double *a, const double *b)
{
    double high = 0.0, apart = 0.0;
    for (size_t i = 0; i < n; i++) {
        high = fabs(b[i]) > high ? fabs(b[i]) : high;
        apart = fabs(a[i] - b[i]) <= apart ? apart : fabs(a[i] - b[i]);
    }
    return apart == 0.0 ? 0.0 : apart / high;
}

#endif
