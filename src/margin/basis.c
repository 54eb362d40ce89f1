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

static bool eliminate(sf_lu *f)
{
    size_t k = f->k;
    for (size_t c = 0; c < k; c++) {
        // singular is a question of each column by itself: a feature of another unit changes nothing
        long double largest = f->work[c];
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

sf_status sf_lu_create(const sf_points *points, const sf_basis *basis, sf_lu *lu, bool *regular)
{
    sf_context *context = points->context;
    size_t k = basis->k;
    *lu = (sf_lu){.context = context, .k = k};
    lu->lu = sf_alloc(context, k, k * sizeof *lu->lu);
    lu->row = SF_ARRAY(context, k, size_t);
    lu->work = SF_ARRAY(context, 4 * k, long double);
    if (!lu->lu || !lu->row || !lu->work)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < k; i++) {
        lu->row[i] = i;
        for (size_t m = 0; m < k; m++)
            lu->lu[i * k + m] = points->z[basis->row[i] * points->d + basis->column[m]];
    }
    for (size_t m = 0; m < k; m++) {
        lu->work[m] = 0.0L;
        for (size_t i = 0; i < k; i++)
            lu->work[m] = fmaxl(lu->work[m], fabsl(lu->lu[i * k + m]));
    }
    *regular = eliminate(lu);
    return SF_OK;
}

void sf_lu_release(sf_lu *lu)
{
    sf_free(lu->context, lu->lu);
    sf_free(lu->context, lu->row);
    sf_free(lu->context, lu->work);
    lu->lu = lu->work = NULL;
    lu->row = NULL;
}

void sf_lu_solve(const sf_lu *f, const long double *b, long double *x)
{
    size_t k = f->k;
    for (size_t i = 0; i < k; i++)
        x[i] = b[f->row[i]] - sf_dot_long(i, f->lu + i * k, x);
    for (size_t i = k; i-- > 0;)
        x[i] = (x[i] - sf_dot_long(k - i - 1, f->lu + i * k + i + 1, x + i + 1)) / f->lu[i * k + i];
}

void sf_lu_solve_transposed(const sf_lu *f, const long double *c, long double *y)
{
    size_t k = f->k;
    long double *work = f->work;
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

void sf_basis_solve(const sf_points *points, const sf_basis *basis, const sf_lu *lu, long double *beta,
                    long double *lambda)
{
    size_t k = lu->k, d = points->d;
    long double *right = lu->work + k, *change = lu->work + 2 * k;
    for (size_t j = 0; j < d; j++)
        beta[j] = 0.0L;
    for (size_t n = 0; n < points->n; n++)
        lambda[n] = 0.0L;
    for (int pass = 0; pass < 2; pass++) { // the second refines the first
        for (size_t i = 0; i < k; i++) {
            const double *z = points->z + basis->row[i] * d;
            right[i] = sf_required(points, basis->row[i]);
            for (size_t m = 0; m < k; m++)
                right[i] -= z[basis->column[m]] * beta[basis->column[m]];
        }
        sf_lu_solve(lu, right, change);
        for (size_t m = 0; m < k; m++)
            beta[basis->column[m]] += change[m];
        for (size_t m = 0; m < k; m++)
            right[m] = basis->sign[m];
        for (size_t i = 0; i < k; i++) {
            const double *z = points->z + basis->row[i] * d;
            for (size_t m = 0; m < k; m++)
                right[m] -= z[basis->column[m]] * lambda[basis->row[i]];
        }
        sf_lu_solve_transposed(lu, right, change);
        for (size_t i = 0; i < k; i++)
            lambda[basis->row[i]] += change[i];
    }
}
