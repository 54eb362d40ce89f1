/* A QR factorization A = QR that follows an active set (Daniel, Gragg, Kaufman, Stewart, Math. Comp. 30,
 * 1976): Q with orthonormal columns, R upper triangular. Columns enter by Gram-Schmidt, orthogonalized twice;
 * everything else is done by rotations. Rows can be taken out of A (set to 0) and put back, which is how a
 * unit vector enters and leaves an active set without a column of its own. In long double, so that errors
 * stay at the condition number of A times LDBL_EPSILON.
 */
#include "margin/margin.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

enum { FIRST_CAPACITY = 16 };
static const long double DEPENDENT =
    92.0L * LDBL_EPSILON; // distance from the span by the length of the column

static sf_status reserve(sf_qr *qr, size_t k)
{
    if (k <= qr->capacity)
        return SF_OK;
    size_t from = qr->capacity, to = from ? 2 * from : FIRST_CAPACITY;
    if (to > SIZE_MAX / to || to > SIZE_MAX / sizeof(long double) / qr->rows)
        return sf_fail(qr->context, SF_ERR_MEMORY, "an active set of %zu exceeds the address space", to);
    long double *q = sf_resize(qr->context, qr->q, to, qr->rows * sizeof *q);
    if (!q)
        return SF_ERR_MEMORY;
    qr->q = q;
    long double *r = SF_ARRAY(qr->context, to * to, long double);
    if (!r)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < qr->k; i++)
        memcpy(r + i * to, qr->r + i * from, (i + 1) * sizeof *r);
    sf_free(qr->context, qr->r);
    qr->r = r;
    qr->capacity = to;
    return SF_OK;
}

static long double *q_column(const sf_qr *qr, size_t i)
{
    return qr->q + i * qr->rows;
}

/* x -= Q Q'x, with the coefficients added to h (k) unless it is NULL. Returns the length of what is left. */
static long double orthogonalize(const sf_qr *qr, size_t k, long double *x, long double *h)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < k; i++) {
            const long double *q = q_column(qr, i);
            long double c = sf_dot_long(qr->rows, q, x);
            for (size_t m = 0; m < qr->rows; m++)
                x[m] -= c * q[m];
            if (h)
                h[i] += c;
        }
    return sqrtl(sf_dot_long(qr->rows, x, x));
}

long double sf_qr_residual(const sf_qr *qr, long double *x)
{
    return orthogonalize(qr, qr->k, x, NULL);
}

sf_status sf_qr_append(sf_qr *qr, const long double *a, bool *independent)
{
    SF_TRY(reserve(qr, qr->k + 1));
    long double *q = q_column(qr, qr->k), *r = qr->r + qr->k * qr->capacity;
    memcpy(q, a, qr->rows * sizeof *q);
    memset(r, 0, qr->k * sizeof *r);
    long double length = sqrtl(sf_dot_long(qr->rows, a, a)), rest = orthogonalize(qr, qr->k, q, r);
    *independent = rest > DEPENDENT * length;
    if (*independent) {
        for (size_t m = 0; m < qr->rows; m++)
            q[m] /= rest;
        r[qr->k++] = rest;
    }
    return SF_OK;
}

typedef struct rotation {
    long double c, s, radius;
} rotation;

/* (c s; -s c) (x, y)' = (radius, 0)' */
static rotation rotation_of(long double x, long double y)
{
    long double radius = hypotl(x, y);
    return radius > 0.0L ? (rotation){x / radius, y / radius, radius} : (rotation){1.0L, 0.0L, 0.0L};
}

static void rotate(size_t n, rotation g, long double *x, long double *y)
{
    for (size_t i = 0; i < n; i++) {
        long double upper = x[i], lower = y[i];
        x[i] = g.c * upper + g.s * lower;
        y[i] = g.c * lower - g.s * upper;
    }
}

void sf_qr_drop(sf_qr *qr, size_t index)
{
    size_t stride = qr->capacity, k = --qr->k;
    for (size_t i = index; i < k; i++)
        memcpy(qr->r + i * stride, qr->r + (i + 1) * stride, (i + 2) * sizeof *qr->r);
    for (size_t i = index; i < k; i++) {
        long double *column = qr->r + i * stride;
        rotation g = rotation_of(column[i], column[i + 1]);
        column[i] = g.radius;
        for (size_t m = i + 1; m < k; m++)
            rotate(1, g, qr->r + m * stride + i, qr->r + m * stride + i + 1);
        rotate(qr->rows, g, q_column(qr, i), q_column(qr, i + 1));
    }
}

/* [Q v] and [R; t] after a rotation of column i with v. */
static void rotate_with(sf_qr *qr, size_t i, rotation g, long double *v, long double *t)
{
    for (size_t m = i; m < qr->k; m++)
        rotate(1, g, qr->r + m * qr->capacity + i, t + m);
    rotate(qr->rows, g, q_column(qr, i), v);
}

void sf_qr_remove_row(sf_qr *qr, size_t row, long double *work, bool *regular)
{
    long double *v = work, *t = work + qr->rows;
    memset(v, 0, qr->rows * sizeof *v);
    memset(t, 0, qr->k * sizeof *t);
    v[row] = 1.0L;
    long double rest = orthogonalize(qr, qr->k, v, NULL);
    *regular = rest > DEPENDENT;
    if (!*regular)
        return;
    for (size_t m = 0; m < qr->rows; m++)
        v[m] /= rest;
    for (size_t i = qr->k; i-- > 0;) { // (v, q_i) at the row -> (radius, 0)
        rotation g = rotation_of(v[row], q_column(qr, i)[row]);
        g.s = -g.s;
        rotate_with(qr, i, g, v, t);
        q_column(qr, i)[row] = 0.0L;
    }
}

void sf_qr_insert_row(sf_qr *qr, size_t row, const long double *a, long double *work)
{
    long double *v = work, *t = work + qr->rows;
    memset(v, 0, qr->rows * sizeof *v);
    memcpy(t, a, qr->k * sizeof *t);
    v[row] = 1.0L;
    for (size_t i = 0; i < qr->k; i++)
        rotate_with(qr, i, rotation_of(qr->r[i * qr->capacity + i], t[i]), v, t);
}

void sf_qr_solve_upper(const sf_qr *qr, long double *b)
{
    for (size_t i = qr->k; i-- > 0;) {
        const long double *column = qr->r + i * qr->capacity;
        b[i] /= column[i];
        for (size_t m = 0; m < i; m++)
            b[m] -= column[m] * b[i];
    }
}

void sf_qr_coefficients(const sf_qr *qr, const long double *b, long double *h)
{
    for (size_t i = 0; i < qr->k; i++)
        h[i] = sf_dot_long(qr->rows, q_column(qr, i), b);
}

void sf_qr_release(sf_qr *qr)
{
    sf_free(qr->context, qr->q);
    sf_free(qr->context, qr->r);
    qr->q = qr->r = NULL;
    qr->k = qr->capacity = 0;
}
