/* Null spaces by Householder reflections with pivoting on the rows of A: after r reflections H_1 ... H_r the
 * rows lie in the span of the first r columns of Q = H_1 ... H_r, so the other columns span the null space.
 */
#include "margin/margin.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

static void reflect(size_t size, const long double *v, long double *x)
{
    long double c = 2.0L * sf_dot_long(size, v, x);
    for (size_t i = 0; i < size; i++)
        x[i] -= c * v[i];
}

static void swap_rows(size_t columns, long double *a, long double *b)
{
    for (size_t i = 0; i < columns; i++) {
        long double swap = a[i];
        a[i] = b[i];
        b[i] = swap;
    }
}

/* Leaves unit vectors v of the reflections I - 2vv' in row s, from column s on; returns the rank. */
static size_t triangularize(size_t rows, size_t columns, long double *a, long double tolerance)
{
    size_t rank = 0;
    for (; rank < rows && rank < columns; rank++) {
        size_t tail = columns - rank, best = rank;
        long double largest = -1.0L;
        for (size_t i = rank; i < rows; i++) {
            const long double *x = a + i * columns + rank;
            long double norm = sqrtl(sf_dot_long(tail, x, x));
            if (norm > largest) {
                largest = norm;
                best = i;
            }
        }
        if (!(largest > tolerance))
            break;
        if (best != rank)
            swap_rows(columns, a + best * columns, a + rank * columns);
        long double *v = a + rank * columns + rank;
        v[0] += copysignl(largest, v[0]);
        long double norm = sqrtl(sf_dot_long(tail, v, v));
        for (size_t i = 0; i < tail; i++)
            v[i] /= norm;
        for (size_t i = rank + 1; i < rows; i++)
            reflect(tail, v, a + i * columns + rank);
    }
    return rank;
}

sf_status sf_null_space(sf_context *context, size_t rows, size_t columns, long double *a,
                        long double tolerance, long double **basis, size_t *dimension)
{
    size_t rank = triangularize(rows, columns, a, tolerance);
    *dimension = columns - rank;
    *basis = sf_alloc_zero(context, *dimension, columns * sizeof **basis);
    if (!*basis)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < *dimension; i++) {
        long double *x = *basis + i * columns;
        x[rank + i] = 1.0L;
        for (size_t s = rank; s-- > 0;)
            reflect(columns - s, a + s * columns + s, x + s);
    }
    return SF_OK;
}
