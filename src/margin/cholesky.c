/* A Cholesky factor R'R = M that follows an active set: a row of M is appended by one triangular solve; when
 * an index leaves, the columns to its right move left and Givens rotations clear what then lies below the
 * diagonal. */
#include "margin/margin.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

enum { FIRST_CAPACITY = 32 };

static sf_status reserve(sf_cholesky *cholesky, size_t k)
{
    if (k <= cholesky->capacity)
        return SF_OK;
    size_t from = cholesky->capacity, to = from ? 2 * from : FIRST_CAPACITY;
    if (to > SIZE_MAX / to)
        return sf_fail(cholesky->context, SF_ERR_MEMORY, "an active set of %zu exceeds the address space",
                       to);
    long double *wider = SF_ARRAY(cholesky->context, to * to, long double);
    if (!wider)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < cholesky->k; i++)
        memcpy(wider + i * to, cholesky->factor + i * from, (i + 1) * sizeof *wider);
    sf_free(cholesky->context, cholesky->factor);
    cholesky->factor = wider;
    cholesky->capacity = to;
    return SF_OK;
}

/* R' y = b, in place, for the first k columns. */
static void solve_lower(const sf_cholesky *cholesky, size_t k, long double *b)
{
    for (size_t i = 0; i < k; i++) {
        const long double *column = cholesky->factor + i * cholesky->capacity;
        b[i] = (b[i] - sf_dot_long(i, column, b)) / column[i];
    }
}

sf_status sf_cholesky_append(sf_cholesky *cholesky, const long double *row, bool *independent)
{
    SF_TRY(reserve(cholesky, cholesky->k + 1));
    size_t k = cholesky->k;
    long double *column = cholesky->factor + k * cholesky->capacity;
    memcpy(column, row, k * sizeof *row);
    solve_lower(cholesky, k, column);
    long double rest = row[k] - sf_dot_long(k, column, column);
    *independent = rest > 64.0L * LDBL_EPSILON * (long double)(k + 1) * row[k];
    if (*independent) {
        column[k] = sqrtl(rest);
        cholesky->k++;
    }
    return SF_OK;
}

void sf_cholesky_drop(sf_cholesky *cholesky, size_t index)
{
    size_t stride = cholesky->capacity, k = --cholesky->k;
    for (size_t i = index; i < k; i++)
        memcpy(cholesky->factor + i * stride, cholesky->factor + (i + 1) * stride,
               (i + 2) * sizeof *cholesky->factor);
    for (size_t i = index; i < k; i++) {
        long double *column = cholesky->factor + i * stride;
        long double radius = hypotl(column[i], column[i + 1]);
        long double c = column[i] / radius, s = column[i + 1] / radius;
        column[i] = radius;
        for (size_t m = i + 1; m < k; m++) {
            long double *next = cholesky->factor + m * stride, upper = next[i], lower = next[i + 1];
            next[i] = c * upper + s * lower;
            next[i + 1] = c * lower - s * upper;
        }
    }
}

void sf_cholesky_solve(const sf_cholesky *cholesky, long double *b)
{
    solve_lower(cholesky, cholesky->k, b);
    for (size_t i = cholesky->k; i-- > 0;) {
        const long double *column = cholesky->factor + i * cholesky->capacity;
        b[i] /= column[i];
        for (size_t m = 0; m < i; m++)
            b[m] -= column[m] * b[i];
    }
}

void sf_cholesky_release(sf_cholesky *cholesky)
{
    sf_free(cholesky->context, cholesky->factor);
    cholesky->factor = NULL;
    cholesky->k = cholesky->capacity = 0;
}
