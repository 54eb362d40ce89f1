/* The problem in stored coordinates, in a range where squares neither overflow nor underflow. */
#include "margin/points.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "data/dataset.h"

enum { EXPONENT_RANGE = 200 };

static double largest_entry(const sf_dataset *dataset)
{
    double largest = 0.0;
    for (size_t i = 0; i < dataset->n * dataset->stored; i++)
        largest = fmax(largest, fabs(dataset->z[i]));
    return largest;
}

sf_status sf_points_create(sf_context *context, const sf_dataset *dataset, bool nonnegative,
                           sf_points *points)
{
    size_t n = dataset->n, d = dataset->stored;
    *points = (sf_points){.context = context,
                          .z = dataset->z,
                          .n = n,
                          .d = d,
                          .nonnegative = nonnegative && !dataset->mirrored,
                          .unit = 1.0};
    points->norm = SF_ARRAY(context, n, long double);
    points->column = sf_alloc_zero(context, d, sizeof *points->column);
    if (!points->norm || !points->column)
        return SF_ERR_MEMORY;
    double largest = largest_entry(dataset);
    int exponent = 0;
    frexp(largest, &exponent);
    if (largest > 0.0 && abs(exponent) > EXPONENT_RANGE) {
        points->copy = SF_ARRAY(context, n * d, double);
        if (!points->copy)
            return SF_ERR_MEMORY;
        for (size_t i = 0; i < n * d; i++)
            points->copy[i] = ldexp(dataset->z[i], -exponent);
        points->z = points->copy;
        points->unit = ldexp(1.0, exponent);
    }
    for (size_t i = 0; i < n; i++) {
        points->norm[i] = sqrtl(sf_dot_double(d, points->z + i * d, points->z + i * d));
        points->largest = fmaxl(points->largest, points->norm[i]);
        for (size_t j = 0; j < d; j++)
            points->column[j] = fmax(points->column[j], fabs(points->z[i * d + j]));
    }
    return SF_OK;
}

void sf_points_release(sf_points *points)
{
    sf_free(points->context, points->copy);
    sf_free(points->context, points->norm);
    sf_free(points->context, points->column);
    points->copy = NULL;
    points->norm = NULL;
    points->column = NULL;
}

long double sf_margin_scale(const sf_points *points, size_t n, const long double *beta)
{
    long double share = 0.0L, size = 0.0L;
    for (size_t j = 0; j < points->d; j++)
        if (points->column[j] > 0.0) {
            share = fmaxl(share, fabsl(beta[j]) * points->column[j]);
            size += fabs(points->z[n * points->d + j]) / points->column[j];
        }
    return share * size;
}
