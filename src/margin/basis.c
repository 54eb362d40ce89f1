/* Basic solutions of the l1 problem in long double.
 *
 * At a vertex, margins <beta, z_n> = 1 hold on k rows and k coordinates are free: with the k x k matrix
 * M = (z_nj), rows n and columns j of the basis, and the signs s of beta there,
 *
 *   M beta = 1,   M' lambda = s.
 *
 * M = P'LU with partial pivoting; both systems share the factor, and one step of refinement follows.
 */
#include "margin/margin.h"

#include <math.h>

#include "base/base.h"

typedef struct factor {
    size_t k;
    long double *lu; // (k, k) row-major, rows permuted
    size_t *row;     // (k) row i of lu is row row[i] of M
} factor;

static bool eliminate(factor *f)
{
    size_t k = f->k;
    long double largest = 0.0L;
    for (size_t i = 0; i < k * k; i++)
        largest = fabsl(f->lu[i]) > largest ? fabsl(f->lu[i]) : largest;
    for (size_t c = 0; c < k; c++) {
        size_t pivot = c;
        for (size_t i = c + 1; i < k; i++)
            if (fabsl(f->lu[i * k + c]) > fabsl(f->lu[pivot * k + c]))
                pivot = i;
        if (!(fabsl(f->lu[pivot * k + c]) > (long double)k * LDBL_EPSILON * largest))
            return false;
        if (pivot != c) {
            size_t row = f->row[c];
            f->row[c] = f->row[pivot];
            f->row[pivot] = row;
            for (size_t m = 0; m < k; m++) {
                long double swap = f->lu[c * k + m];
                f->lu[c * k + m] = f->lu[pivot * k + m];
                f->lu[pivot * k + m] = swap;
            }
        }
        const long double *top = f->lu + c * k;
        for (size_t i = c + 1; i < k; i++) {
            long double *low = f->lu + i * k, l = low[c] /= top[c];
            if (l != 0.0L)
                for (size_t m = c + 1; m < k; m++)
                    low[m] -= l * top[m];
        }
    }
    return true;
}

/* M x = b; x and b (k) must not overlap. */
static void solve(const factor *f, const long double *b, long double *x)
{
    size_t k = f->k;
    for (size_t i = 0; i < k; i++)
        x[i] = b[f->row[i]] - sf_dot_long(i, f->lu + i * k, x);
    for (size_t i = k; i-- > 0;)
        x[i] = (x[i] - sf_dot_long(k - i - 1, f->lu + i * k + i + 1, x + i + 1)) / f->lu[i * k + i];
}

/* M' y = c; work (k). */
static void solve_transposed(const factor *f, const long double *c, long double *work, long double *y)
{
    size_t k = f->k;
    for (size_t i = 0; i < k; i++)
        work[i] = c[i];
    for (size_t i = 0; i < k; i++) {
        work[i] /= f->lu[i * k + i];
        for (size_t m = i + 1; m < k; m++)
            work[m] -= f->lu[i * k + m] * work[i];
    }
    for (size_t i = k; i-- > 0;)
        for (size_t m = 0; m < i; m++)
            work[m] -= f->lu[i * k + m] * work[i];
    for (size_t i = 0; i < k; i++)
        y[f->row[i]] = work[i];
}

static void solve_refined(const sf_points *points, const sf_basis *basis, const factor *f, long double *work,
                          long double *beta, long double *lambda)
{
    size_t k = f->k, d = points->d;
    long double *right = work, *change = work + k, *scratch = work + 2 * k;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < k; i++) {
            const double *z = points->z + basis->row[i] * d;
            right[i] = 1.0L;
            for (size_t m = 0; m < k; m++)
                right[i] -= z[basis->column[m]] * beta[basis->column[m]];
        }
        solve(f, right, change);
        for (size_t m = 0; m < k; m++)
            beta[basis->column[m]] += change[m];
        for (size_t m = 0; m < k; m++)
            right[m] = basis->sign[m];
        for (size_t i = 0; i < k; i++) {
            const double *z = points->z + basis->row[i] * d;
            for (size_t m = 0; m < k; m++)
                right[m] -= z[basis->column[m]] * lambda[basis->row[i]];
        }
        solve_transposed(f, right, scratch, change);
        for (size_t i = 0; i < k; i++)
            lambda[basis->row[i]] += change[i];
    }
}

sf_status sf_basis_solve(const sf_points *points, const sf_basis *basis, long double *beta,
                         long double *lambda, bool *regular)
{
    sf_context *context = points->context;
    size_t k = basis->k, d = points->d;
    for (size_t j = 0; j < d; j++)
        beta[j] = 0.0L;
    for (size_t n = 0; n < points->n; n++)
        lambda[n] = 0.0L;
    factor f = {.k = k};
    f.lu = sf_alloc(context, k, k * sizeof *f.lu);
    f.row = SF_ARRAY(context, k, size_t);
    long double *work = SF_ARRAY(context, 3 * k, long double);
    sf_status status = f.lu && f.row && work ? SF_OK : SF_ERR_MEMORY;
    if (status == SF_OK) {
        for (size_t i = 0; i < k; i++) {
            f.row[i] = i;
            for (size_t m = 0; m < k; m++)
                f.lu[i * k + m] = points->z[basis->row[i] * d + basis->column[m]];
        }
        *regular = eliminate(&f);
        if (*regular)
            solve_refined(points, basis, &f, work, beta, lambda);
    }
    sf_free(context, f.lu);
    sf_free(context, f.row);
    sf_free(context, work);
    return status;
}
