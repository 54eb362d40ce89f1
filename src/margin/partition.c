/* What can be separated at all: every example, some of them, or none.
 *
 * For every data set there is exactly one split of the examples into a balanced part S and a separated part W with
 *
 *   lambda > 0 on S, lambda = 0 on W, sum lambda_n z_n = 0,      beta: <beta, z_n> = 0 on S, > 0 on W
 *
 * (strict complementarity of the linear system; Goldman and Tucker 1956). S empty: separable. W empty: not separable. Else
 * weakly separable: gradient descent then converges across the span of S and diverges like log t along the W part (Ji and
 * Telgarsky, COLT 2019).
 *
 * S is found in rounds. The nearest point p of the hull of the z_n is 0 to within rounding, or beta = p separates. In the first case
 * its lambda > 0 are balanced, every beta in question is orthogonal to their span, and the rest is projected onto the
 * complement and asked again. Each round raises the dimension of the span.
 *
 * Neither the split nor the sign of a margin changes when an example or a feature is multiplied by a positive number, so
 * all of this is done with every row and every column scaled by a power of two (without rounding) so that entries are about 1. "0 to within
 * rounding" then means below 1e-14 of what stands in each row and each column.
 *
 * beta is checked against the data: margins on W above their rounding error, on S below 1e-12 of their terms. With beta >= 0
 * the projection is not the whole story (the balanced part also forces coordinates to 0); what passes the check is right,
 * and what does not is left undecided.
 */
#include "margin/margin.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "margin/points.h"

enum { SWEEPS = 12 };
static const long double ZERO_HULL = 1e-14L; // length of p that counts as 0
static const long double IN_SPAN =
    1e-12L; // distance from the span of S, of a row of length 1, that counts as 0
static const long double CARRIES = 1e-12L; // share of lambda that counts as positive

typedef struct split {
    sf_context *context;
    const sf_points *points;
    size_t n, d;
    int *row, *column; // (n), (d) exponents: entry (i, j) times 2^(row_i + column_j) is about 1
    double *z;         // (n, d) scaled
    bool *fixed;       // (d) coordinates that have to be 0 (beta >= 0 only)
    size_t rank;
    size_t *basis;       // (rank) the examples that span it
    long double *span;   // (rank, d) orthonormal
    long double *x;      // (d)
    size_t rests, *rest; // examples not yet known to be balanced
    double *rows;        // (n, d) the rest, projected, each of length 1
    long double *lambda; // (n) of rows
    long double *p;      // (d)
} split;

static void release(split *s)
{
    sf_free(s->context, s->row);
    sf_free(s->context, s->column);
    sf_free(s->context, s->z);
    sf_free(s->context, s->fixed);
    sf_free(s->context, s->span);
    sf_free(s->context, s->x);
    sf_free(s->context, s->rest);
    sf_free(s->context, s->rows);
    sf_free(s->context, s->lambda);
    sf_free(s->context, s->p);
}

static sf_status reserve(split *s)
{
    size_t n = s->n, d = s->d;
    s->row = sf_alloc_zero(s->context, n, sizeof *s->row);
    s->column = sf_alloc_zero(s->context, d, sizeof *s->column);
    s->z = SF_ARRAY(s->context, n * d, double);
    s->fixed = sf_alloc_zero(s->context, d, sizeof *s->fixed);
    s->span = sf_alloc(s->context, n < d ? n : d, d * sizeof *s->span);
    s->x = SF_ARRAY(s->context, d, long double);
    s->rest = SF_ARRAY(s->context, n, size_t);
    s->rows = SF_ARRAY(s->context, n * d, double);
    s->lambda = SF_ARRAY(s->context, n, long double);
    s->p = SF_ARRAY(s->context, d, long double);
    return s->row && s->column && s->z && s->fixed && s->span && s->x && s->rest && s->rows && s->lambda &&
                   s->p
               ? SF_OK
               : SF_ERR_MEMORY;
}

/* ---- scaling ------------------------------------------------------------------------------------------- */

/* Mean exponent of the entries of a row or a column under the present scaling, rounded; 0 if it has none. */
static int mean_exponent(const split *s, size_t start, size_t stride, size_t count, const int *other)
{
    double sum = 0.0, entries = 0.0;
    for (size_t i = 0; i < count; i++) {
        double z = s->points->z[start + i * stride];
        if (z != 0.0) {
            sum += ilogb(z) + other[i];
            entries += 1.0;
        }
    }
    return entries > 0.0 ? (int)lround(sum / entries) : 0;
}

/* Geometric means by turns (Curtis and Reid 1972, by Gauss-Seidel): entries near 1 are found again in rows and columns that
 * were multiplied by anything. */
static void equilibrate(split *s)
{
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (size_t j = 0; j < s->d; j++)
            s->column[j] = -mean_exponent(s, j, s->d, s->n, s->row);
        for (size_t i = 0; i < s->n; i++)
            s->row[i] = -mean_exponent(s, i * s->d, 1, s->d, s->column);
    }
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->d; j++)
            s->z[i * s->d + j] = ldexp(s->points->z[i * s->d + j], s->row[i] + s->column[j]);
}

/* ---- the span of the balanced examples ------------------------------------------------------------------ */

/* Row i of the scaled data without its part in the span, into x; returns its length relative to that of the row. */
static long double project(split *s, size_t i)
{
    const double *z = s->z + i * s->d;
    long double whole = 0.0L;
    for (size_t j = 0; j < s->d; j++) {
        s->x[j] = s->fixed[j] ? 0.0L : z[j];
        whole += (long double)z[j] * z[j];
    }
    for (int pass = 0; pass < 2; pass++)
        for (size_t r = 0; r < s->rank; r++) {
            const long double *e = s->span + r * s->d;
            long double c = sf_dot_long(s->d, e, s->x);
            for (size_t j = 0; j < s->d; j++)
                s->x[j] -= c * e[j];
        }
    return whole > 0.0L ? sqrtl(sf_dot_long(s->d, s->x, s->x) / whole) : 0.0L;
}

/* Adds the row to the span, unless it lies in it. */
static void widen(split *s, size_t i)
{
    if (s->rank == (s->n < s->d ? s->n : s->d) || !(project(s, i) > IN_SPAN))
        return;
    long double length = sqrtl(sf_dot_long(s->d, s->x, s->x));
    long double *e = s->span + s->rank * s->d;
    for (size_t j = 0; j < s->d; j++)
        e[j] = s->x[j] / length;
    s->basis[s->rank++] = i;
}

/* Projects the rest; what lies in the span is balanced too. */
static void refresh(split *s, bool *balanced)
{
    size_t kept = 0;
    for (size_t r = 0; r < s->rests; r++) {
        size_t i = s->rest[r];
        if (balanced[i] || !(project(s, i) > IN_SPAN)) {
            balanced[i] = true;
            continue;
        }
        long double length = sqrtl(sf_dot_long(s->d, s->x, s->x));
        for (size_t j = 0; j < s->d; j++)
            s->rows[kept * s->d + j] = (double)(s->x[j] / length);
        s->rest[kept++] = i;
    }
    s->rests = kept;
}

/* ---- rounds -------------------------------------------------------------------------------------------- */

/* The nearest point of the hull of the rest, p (d), with lambda (rests). */
static sf_status nearest(split *s, long double *length)
{
    sf_points points = {.context = s->context,
                        .z = s->rows,
                        .n = s->rests,
                        .d = s->d,
                        .nonnegative = s->points->nonnegative,
                        .unit = 1.0,
                        .largest = 1.0L};
    points.norm = SF_ARRAY(s->context, s->rests, long double);
    if (!points.norm)
        return SF_ERR_MEMORY;
    for (size_t r = 0; r < s->rests; r++)
        points.norm[r] = 1.0L;
    sf_status status = sf_hull_nearest(&points, s->lambda, s->p);
    *length = sqrtl(sf_dot_long(s->d, s->p, s->p));
    sf_free(s->context, points.norm);
    return status;
}

/* The first certificate in the units of the data, (n), sum 1: the rows were scaled, so lambda is scaled back. */
static void set_certificate(const split *s, double *lambda)
{
    long double sum = 0.0L;
    int largest = INT_MIN;
    for (size_t r = 0; r < s->rests; r++)
        if (s->row[s->rest[r]] > largest && s->lambda[r] > 0.0L)
            largest = s->row[s->rest[r]];
    for (int pass = 0; pass < 2; pass++)
        for (size_t r = 0; r < s->rests; r++) {
            const double *z = s->z + s->rest[r] * s->d;
            long double unit = ldexpl(s->lambda[r], s->row[s->rest[r]] - largest) /
                               sqrtl(sf_dot_double(s->d, z, z)); // the hull saw rows of length 1
            if (pass == 0)
                sum += unit;
            else
                lambda[s->rest[r]] = (double)(unit / sum);
        }
}

/* Marks what lambda carries as balanced. With beta >= 0, coordinates that it pulls below 0 have to be 0. */
static void mark_balanced(split *s, bool *balanced)
{
    long double largest = 0.0L;
    for (size_t r = 0; r < s->rests; r++)
        largest = fmaxl(largest, s->lambda[r]);
    memset(s->x, 0, s->d * sizeof *s->x);
    for (size_t r = 0; r < s->rests; r++)
        if (s->lambda[r] > CARRIES * largest) {
            balanced[s->rest[r]] = true;
            sf_add_multiple(s->d, s->lambda[r], s->rows + r * s->d, s->x);
        }
    for (size_t j = 0; j < s->d && s->points->nonnegative; j++)
        if (s->x[j] < -CARRIES)
            s->fixed[j] = true;
    for (size_t r = 0; r < s->rests; r++)
        if (balanced[s->rest[r]])
            widen(s, s->rest[r]);
}

/* p in the coordinates of the data. */
static void set_beta(split *s, long double *beta)
{
    // once more orthogonal to the balanced examples: the projected rows were rounded to double
    for (int pass = 0; pass < 2; pass++)
        for (size_t r = 0; r < s->rank; r++) {
            const long double *e = s->span + r * s->d;
            long double c = sf_dot_long(s->d, e, s->p);
            for (size_t j = 0; j < s->d; j++)
                s->p[j] -= c * e[j];
        }
    int largest = INT_MIN;
    for (size_t j = 0; j < s->d; j++)
        if (s->p[j] != 0.0L && s->column[j] > largest)
            largest = s->column[j];
    for (size_t j = 0; j < s->d; j++)
        beta[j] = s->p[j] == 0.0L || s->fixed[j] ? 0.0L : ldexpl(s->p[j], s->column[j] - largest);
}

/* Whether beta does what the split says, in the data as they are. */
static bool holds(const split *s, const sf_partition *partition)
{
    for (size_t j = 0; j < s->d; j++)
        if (s->points->nonnegative && partition->beta[j] < 0.0L)
            return false;
    for (size_t i = 0; i < s->n; i++) {
        long double sum = 0.0L, size = 0.0L;
        for (size_t j = 0; j < s->d; j++) {
            long double product = s->points->z[i * s->d + j] * partition->beta[j];
            sum += product;
            size += fabsl(product);
        }
        if (partition->balanced[i] ? !(fabsl(sum) <= IN_SPAN * sf_margin_scale(s->points, i, partition->beta))
                                   : !(sum > (long double)(s->d + 4) * LDBL_EPSILON * size))
            return false;
    }
    return true;
}

/* An example that is 0 is balanced by itself. Returns whether there is one. */
static bool take_zeros(const split *s, sf_partition *partition)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->points->norm[i] == 0.0L) {
            partition->lambda[i] = 1.0;
            return true;
        }
    return false;
}

static sf_status search(split *s, sf_partition *partition)
{
    bool first = !take_zeros(s, partition);
    for (;;) {
        refresh(s, partition->balanced);
        if (s->rests == 0) {
            partition->kind = SF_INSEPARABLE;
            partition->decided = true;
            return SF_OK;
        }
        long double length;
        SF_TRY(nearest(s, &length));
        if (length > ZERO_HULL)
            break;
        if (first)
            set_certificate(s, partition->lambda);
        first = false;
        mark_balanced(s, partition->balanced);
    }
    set_beta(s, partition->beta);
    partition->separated = s->rests;
    partition->kind = first ? SF_SEPARABLE : SF_WEAKLY_SEPARABLE;
    partition->decided = holds(s, partition);
    if (!partition->decided && !first) { // the certificate stands, the rest is not known
        partition->kind = SF_INSEPARABLE;
        partition->separated = 0;
    }
    return SF_OK;
}

sf_status sf_partition_create(const sf_points *points, sf_partition *partition)
{
    sf_context *context = points->context;
    split s = {.context = context, .points = points, .n = points->n, .d = points->d, .rests = points->n};
    *partition = (sf_partition){.kind = SF_INSEPARABLE};
    partition->balanced = sf_alloc_zero(context, points->n, sizeof *partition->balanced);
    partition->beta = sf_alloc_zero(context, points->d, sizeof *partition->beta);
    partition->lambda = sf_alloc_zero(context, points->n, sizeof *partition->lambda);
    partition->basis = SF_ARRAY(context, points->n, size_t);
    s.basis = partition->basis;
    sf_status status = partition->balanced && partition->beta && partition->lambda && partition->basis
                           ? reserve(&s)
                           : SF_ERR_MEMORY;
    if (status == SF_OK) {
        for (size_t i = 0; i < s.n; i++)
            s.rest[i] = i;
        equilibrate(&s);
        status = search(&s, partition);
        partition->rank = s.rank;
    }
    release(&s);
    return status;
}

void sf_partition_release(sf_context *context, sf_partition *partition)
{
    sf_free(context, partition->balanced);
    sf_free(context, partition->beta);
    sf_free(context, partition->lambda);
    sf_free(context, partition->basis);
    *partition = (sf_partition){0};
}
