/* The point of smallest norm in the convex hull of the z_n (P. Wolfe, Math. Programming 11, 1976), extended
 * to conv{z_n} + R^d_+ for the problem with beta >= 0.
 *
 *   minimize ||p||_2,  p = sum_n lambda_n z_n + nu,  lambda >= 0, sum_n lambda_n = 1, nu >= 0 (nu = 0 if
 * signs are free)
 *
 * p is optimal iff <z_n, p> >= ||p||^2 for all n, and p >= 0 where nu is allowed. The active set holds
 * examples P with lambda > 0, affinely independent, and (beta >= 0) coordinates C with nu_j > 0, that is p_j
 * = 0. On an active set the minimizer over the affine hull solves, with G = Z_P Z_P' over the coordinates
 * outside C and e = (1, ..., 1),
 *
 *   (G + s^2 e e') v = e,   lambda = v / sum v,
 *
 * since G lambda = mu e there. These are normal equations: with the columns (z_n, s) and A = QR, R v = Q'(0,
 * 1) / s, so the condition number is not squared. QR is updated when an example enters or leaves P, and when
 * a row is set to 0 or put back because its coordinate enters or leaves C. Every step from lambda towards the
 * affine minimizer stops where a multiplier reaches 0. ||p|| falls with every major cycle, so no active set
 * returns. All of this is in long double. Only the search for a violated example is in double first, and is
 * repeated in long double before the method believes that there is none.
 */
#include "margin/margin.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

typedef struct hull {
    const sf_points *points;
    sf_context *context;
    size_t k, capacity; // of P
    size_t *active;     // (k) examples of P
    bool *in;           // (n) whether an example is in P
    bool *banned;  // (n + d) examples and coordinates that entered without progress since ||p|| last fell
    bool *clamped; // (d) coordinates in C, NULL if signs are free
    size_t clamped_count;
    long double *lambda;   // (k)
    long double *target;   // (k) the affine minimizer
    long double *work;     // (k)
    sf_qr qr;              // of the columns (z_n, s), n in P, rows of C set to 0
    long double *column;   // (2d + 2 + capacity) work space of qr
    long double *x;        // (d) sum lambda_n z_n
    long double *p;        // (d) x with the clamped coordinates at 0
    double *p_double;      // (d)
    long double *x_target; // (d)
    long double lift;      // s
    long double norm2;     // ||p||^2
} hull;

static void release(hull *h)
{
    sf_context *context = h->context;
    sf_free(context, h->active);
    sf_free(context, h->in);
    sf_free(context, h->banned);
    sf_free(context, h->clamped);
    sf_free(context, h->lambda);
    sf_free(context, h->target);
    sf_free(context, h->work);
    sf_free(context, h->column);
    sf_qr_release(&h->qr);
    sf_free(context, h->x);
    sf_free(context, h->p_double);
    sf_free(context, h->x_target);
}

static sf_status start(hull *h)
{
    const sf_points *points = h->points;
    size_t n = points->n, d = points->d;
    h->capacity = n < d + 1 ? n : d + 1; // affinely independent points
    h->active = SF_ARRAY(h->context, h->capacity, size_t);
    h->lambda = SF_ARRAY(h->context, h->capacity, long double);
    h->target = SF_ARRAY(h->context, h->capacity, long double);
    h->work = SF_ARRAY(h->context, h->capacity, long double);
    h->in = sf_alloc_zero(h->context, n, sizeof *h->in);
    h->banned = sf_alloc_zero(h->context, n + d, sizeof *h->banned);
    h->x = SF_ARRAY(h->context, d, long double);
    h->x_target = SF_ARRAY(h->context, d, long double);
    h->p_double = SF_ARRAY(h->context, d, double);
    h->column = SF_ARRAY(h->context, 2 * d + 2 + h->capacity, long double);
    if (points->nonnegative)
        h->clamped = sf_alloc_zero(h->context, d, sizeof *h->clamped);
    if (!h->active || !h->lambda || !h->target || !h->work || !h->in || !h->banned || !h->x || !h->x_target ||
        !h->p_double || !h->column || (points->nonnegative && !h->clamped))
        return SF_ERR_MEMORY;
    h->lift = points->largest > 0.0L ? points->largest : 1.0L;
    h->qr = (sf_qr){.context = h->context, .rows = d + 1};
    return SF_OK;
}

static const double *row(const hull *h, size_t n)
{
    return h->points->z + n * h->points->d;
}

/* An example enters P with lambda = 0, unless it is affinely dependent on P to working precision. */
static sf_status enter(hull *h, size_t example, bool *independent)
{
    size_t k = h->k;
    *independent = false;
    if (k == h->capacity)
        return SF_OK;
    const double *z = row(h, example);
    for (size_t j = 0; j < h->points->d; j++)
        h->column[j] = h->clamped && h->clamped[j] ? 0.0L : z[j];
    h->column[h->points->d] = h->lift;
    SF_TRY(sf_qr_append(&h->qr, h->column, independent));
    if (*independent) {
        h->active[k] = example;
        h->in[example] = true;
        h->lambda[k] = 0.0L;
        h->k++;
    }
    return SF_OK;
}

static void leave(hull *h, size_t slot)
{
    size_t k = h->k;
    h->in[h->active[slot]] = false;
    for (size_t i = slot; i + 1 < k; i++) {
        h->active[i] = h->active[i + 1];
        h->lambda[i] = h->lambda[i + 1];
    }
    sf_qr_drop(&h->qr, slot);
    h->k--;
}

/* Coordinate j enters or leaves C. Nothing changes if P would become affinely dependent. */
static void clamp(hull *h, size_t j, bool clamped, bool *regular)
{
    *regular = true;
    if (clamped) {
        sf_qr_remove_row(&h->qr, j, h->column, regular);
    } else {
        for (size_t i = 0; i < h->k; i++)
            h->work[i] = row(h, h->active[i])[j];
        sf_qr_insert_row(&h->qr, j, h->work, h->column);
    }
    if (*regular) {
        h->clamped[j] = clamped;
        h->clamped_count += clamped ? 1 : (size_t)-1;
    }
}

/* sum_i weight_i z_{active i}, (d). */
static void combine(const hull *h, const long double *weight, long double *x)
{
    for (size_t j = 0; j < h->points->d; j++)
        x[j] = 0.0L;
    for (size_t i = 0; i < h->k; i++)
        sf_add_multiple(h->points->d, weight[i], row(h, h->active[i]), x);
}

/* p and its norm where lambda is the affine minimizer. The residual r = (0, 1) - QQ'(0, 1) is orthogonal to
 * the columns (z_n, s), so -(r_1, ..., r_d) is p up to a factor; unlike sum lambda_n z_n it has a small
 * relative error also where ||p|| is far below the length of the examples. */
static void locate(hull *h)
{
    size_t d = h->points->d;
    memset(h->column, 0, (d + 1) * sizeof *h->column);
    h->column[d] = 1.0L;
    sf_qr_residual(&h->qr, h->column);
    long double factor = -h->lift / (1.0L - h->column[d]);
    for (size_t j = 0; j < d; j++)
        h->p[j] = h->clamped && h->clamped[j] ? 0.0L : factor * h->column[j];
    h->norm2 = sf_dot_long(d, h->p, h->p);
}

/* The minimizer over the affine hull of the active set, into target. */
static void affine_minimizer(hull *h)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < h->k; i++)
        h->target[i] = h->qr.q[i * h->qr.rows + h->points->d];
    sf_qr_solve_upper(&h->qr, h->target);
    for (size_t i = 0; i < h->k; i++)
        sum += h->target[i];
    for (size_t i = 0; i < h->k; i++)
        h->target[i] /= sum;
}

typedef struct blocking {
    long double step;  // in [0, 1]
    size_t slot;       // of P, SIZE_MAX if none
    size_t coordinate; // of C, SIZE_MAX if none
} blocking;

/* The longest step from lambda towards target that keeps lambda >= 0 and nu >= 0. */
static blocking longest_step(hull *h)
{
    blocking first = {1.0L, SIZE_MAX, SIZE_MAX};
    for (size_t i = 0; i < h->k; i++)
        if (h->target[i] <= 0.0L) {
            long double step = h->lambda[i] > 0.0L ? h->lambda[i] / (h->lambda[i] - h->target[i]) : 0.0L;
            if (first.slot == SIZE_MAX || step < first.step)
                first = (blocking){step, i, SIZE_MAX};
        }
    if (!h->clamped_count)
        return first;
    combine(h, h->target, h->x_target);
    combine(h, h->lambda, h->x);
    for (size_t j = 0; j < h->points->d; j++)
        if (h->clamped[j] && h->x_target[j] > 0.0L) { // nu_j = -x_j would be negative
            long double step = h->x[j] < 0.0L ? h->x[j] / (h->x[j] - h->x_target[j]) : 0.0L;
            if (step < first.step)
                first = (blocking){step, SIZE_MAX, j};
        }
    return first;
}

/* From lambda to the minimizer of a face, dropping what blocks the way. */
static void descend(hull *h)
{
    for (bool whole = false; !whole;) {
        affine_minimizer(h);
        blocking first = longest_step(h);
        whole = first.slot == SIZE_MAX && first.coordinate == SIZE_MAX;
        for (size_t i = 0; i < h->k; i++) {
            long double moved =
                whole ? h->target[i] : h->lambda[i] + first.step * (h->target[i] - h->lambda[i]);
            h->lambda[i] = moved > 0.0L ? moved : 0.0L;
        }
        bool regular;
        if (first.slot != SIZE_MAX)
            leave(h, first.slot);
        else if (first.coordinate != SIZE_MAX)
            clamp(h, first.coordinate, false, &regular);
    }
}

typedef struct violation {
    long double depth;          // how far p is from satisfying it, in units of length; 0 if none
    size_t example, coordinate; // SIZE_MAX where it is the other
} violation;

static void consider(const hull *h, size_t n, long double product, long double tolerance, violation *worst)
{
    long double norm = h->points->norm[n];
    long double depth = norm > 0.0L ? (h->norm2 - product) / norm : 0.0L;
    if (depth > tolerance && depth > worst->depth)
        *worst = (violation){depth, n, SIZE_MAX};
}

/* The most violated condition. The first search is in double, whose inner products are only good to about
 * 1e-14 ||z|| ||p||; if it finds nothing, the second is in long double. */
static violation most_violated(hull *h)
{
    const sf_points *points = h->points;
    violation worst = {0.0L, SIZE_MAX, SIZE_MAX};
    long double length = sqrtl(h->norm2);
    if (h->clamped)
        for (size_t j = 0; j < points->d; j++)
            if (!h->banned[points->n + j] && h->p[j] < -16.0L * LDBL_EPSILON * length &&
                -h->p[j] > worst.depth)
                worst = (violation){-h->p[j], SIZE_MAX, j};
    for (size_t j = 0; j < points->d; j++)
        h->p_double[j] = (double)h->p[j];
    for (size_t n = 0; n < points->n; n++)
        if (!h->in[n] && !h->banned[n]) {
            const double *z = row(h, n);
            double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0;
            size_t j = 0;
            for (; j + 4 <= points->d; j += 4) {
                s0 += z[j] * h->p_double[j];
                s1 += z[j + 1] * h->p_double[j + 1];
                s2 += z[j + 2] * h->p_double[j + 2];
                s3 += z[j + 3] * h->p_double[j + 3];
            }
            for (; j < points->d; j++)
                s0 += z[j] * h->p_double[j];
            consider(h, n, (s0 + s1) + (s2 + s3), 1e-13L * length, &worst);
        }
    if (worst.depth > 0.0L)
        return worst;
    for (size_t n = 0; n < points->n; n++)
        if (!h->in[n] && !h->banned[n])
            consider(h, n, sf_dot(points->d, row(h, n), h->p), 16.0L * LDBL_EPSILON * length, &worst);
    return worst;
}

/* The shortest example alone; its negative coordinates are clamped where that is allowed. */
static sf_status first_vertex(hull *h)
{
    const sf_points *points = h->points;
    size_t shortest = 0;
    for (size_t i = 1; i < points->n; i++)
        if (points->norm[i] < points->norm[shortest])
            shortest = i;
    if (h->clamped)
        for (size_t j = 0; j < points->d; j++)
            if (row(h, shortest)[j] < 0.0) {
                h->clamped[j] = true;
                h->clamped_count++;
            }
    bool independent;
    SF_TRY(enter(h, shortest, &independent));
    h->lambda[0] = 1.0L;
    locate(h);
    return SF_OK;
}

/* What is violated most enters the active set, and lambda moves to the minimizer of the new face. */
static sf_status major_cycle(hull *h, const violation *worst)
{
    const sf_points *points = h->points;
    size_t mark = worst->example != SIZE_MAX ? worst->example : points->n + worst->coordinate;
    long double before = h->norm2;
    bool regular;
    if (worst->coordinate != SIZE_MAX)
        clamp(h, worst->coordinate, true, &regular);
    else
        SF_TRY(enter(h, worst->example, &regular));
    if (!regular) {
        h->banned[mark] = true;
        return SF_OK;
    }
    descend(h);
    locate(h);
    // ||p||^2 is good to this many units of rounding relative to itself
    long double noise = 4.0L * LDBL_EPSILON * (1.0L + points->largest / sqrtl(h->norm2));
    if (h->norm2 < before * (1.0L - noise))
        memset(h->banned, 0, (points->n + points->d) * sizeof *h->banned);
    else
        h->banned[mark] = true;
    return SF_OK;
}

static sf_status iterate(hull *h)
{
    const sf_points *points = h->points;
    size_t limit = 100 * (points->n + points->d) + 1000;
    for (size_t cycle = 0; cycle < limit; cycle++) {
        if (sf_cancelled(h->context))
            return sf_fail(h->context, SF_ERR_CANCELLED,
                           "interrupted in the search for the smallest-norm point");
        if (sqrtl(h->norm2) <= LDBL_EPSILON * points->largest)
            return SF_OK; // 0 to working precision
        violation worst = most_violated(h);
        if (worst.depth == 0.0L)
            return SF_OK;
        SF_TRY(major_cycle(h, &worst));
    }
    return sf_fail(h->context, SF_ERR_NUMERIC, "the smallest-norm point was not reached in %zu cycles",
                   limit);
}

sf_status sf_hull_nearest(const sf_points *points, long double *lambda, long double *p)
{
    hull h = {.points = points, .context = points->context, .p = p};
    sf_status status = start(&h);
    if (status == SF_OK)
        status = first_vertex(&h);
    if (status == SF_OK)
        status = iterate(&h);
    if (status == SF_OK) {
        for (size_t n = 0; n < points->n; n++)
            lambda[n] = 0.0L;
        for (size_t i = 0; i < h.k; i++)
            lambda[h.active[i]] = h.lambda[i];
        for (size_t j = 0; j < points->d && points->nonnegative; j++)
            p[j] = fmaxl(p[j], 0.0L); // what is below 0 is rounding
    }
    release(&h);
    return status;
}
