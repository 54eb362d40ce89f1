/* The l2-max-margin problem on data whose features differ widely in size.
 *
 *   minimize ||beta||^2 / 2  subject to  <z_n, beta> >= 1;   dual: maximize sum lambda_n - ||Z'lambda||^2 / 2, lambda >= 0
 *
 * by active sets on the dual (as Lawson and Hanson's for least squares): on a set P, beta is the vector of smallest norm
 * with Z_P beta = 1 and Z_P Z_P' lambda = 1. With A = Z_P' (d, k) and A Pi = QR,
 *
 *   R'y = Pi'1,  beta = Q y,  R (Pi'lambda) = y.
 *
 * When features differ by 1e18, rounding relative to the length of an example (hull.c) loses the small ones. Householder
 * reflections with columns pivoted and, at each step, the row of the largest entry brought to the top have errors that are small
 * relative to each row of A, which is each feature (Powell and Reid 1969; Cox and Higham, SIAM J. Matrix Anal. 19,
 * 1998). The factors are made anew for each set, which is slow; this is for data on which hull.c has failed.
 */
#include "margin/margin.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

static const long double ROUNDING = 256.0L * LDBL_EPSILON;

typedef struct wide {
    const sf_points *points;
    size_t n, d, k;
    size_t *active;      // (k) examples of P
    size_t *slot;        // (k) column i of A Pi is example active[slot[i]]
    size_t *feature;     // (d) row i of A is this feature
    long double *a;      // (k, d) columns of A Pi, then R and the reflections
    long double *factor; // (k) 2 / ||v||^2
    long double *corner; // (k) diagonal of R
    long double *y;      // (d)
    long double *target; // (k) lambda of the set
    long double *beta;   // (d)
    long double *lambda; // (n)
    bool *banned;        // (n) in the span of P
    long double *size;   // (n) of each example in units of its features
} wide;

static void swap(long double *a, long double *b)
{
    long double t = *a;
    *a = *b;
    *b = t;
}

static void swap_index(size_t *a, size_t *b)
{
    size_t t = *a;
    *a = *b;
    *b = t;
}

/* The column with the longest rest, and in it the row with the largest entry, go to place c. */
static long double pivot(wide *w, size_t c)
{
    size_t best = c, top = c;
    long double longest = -1.0L;
    for (size_t i = c; i < w->k; i++) {
        long double length = sf_dot_long(w->d - c, w->a + i * w->d + c, w->a + i * w->d + c);
        if (length > longest) {
            longest = length;
            best = i;
        }
    }
    if (best != c) {
        swap_index(&w->slot[best], &w->slot[c]);
        for (size_t j = 0; j < w->d; j++)
            swap(&w->a[best * w->d + j], &w->a[c * w->d + j]);
    }
    for (size_t j = c; j < w->d; j++)
        if (fabsl(w->a[c * w->d + j]) > fabsl(w->a[c * w->d + top]))
            top = j;
    if (top != c) {
        swap_index(&w->feature[top], &w->feature[c]);
        for (size_t i = 0; i < w->k; i++)
            swap(&w->a[i * w->d + top], &w->a[i * w->d + c]);
    }
    return sqrtl(longest);
}

static void reflect(const wide *w, size_t c, long double *x)
{
    const long double *v = w->a + c * w->d;
    long double dot = w->factor[c] * sf_dot_long(w->d - c, v + c, x + c);
    for (size_t j = c; j < w->d; j++)
        x[j] -= dot * v[j];
}

/* Factors Z_P'; *regular is false if its columns are dependent to working precision. */
static void factor(wide *w, bool *regular)
{
    size_t d = w->d;
    for (size_t j = 0; j < d; j++)
        w->feature[j] = j;
    for (size_t i = 0; i < w->k; i++) {
        w->slot[i] = i;
        for (size_t j = 0; j < d; j++)
            w->a[i * d + j] = w->points->z[w->active[i] * d + j];
    }
    *regular = w->k <= d;
    for (size_t c = 0; c < w->k && *regular; c++) {
        long double length = pivot(w, c), *v = w->a + c * d;
        long double unit = w->points->column[w->feature[c]] * w->size[w->active[w->slot[c]]];
        *regular = length > ROUNDING * unit;
        if (!*regular)
            return;
        w->corner[c] = v[c] > 0.0L ? -length : length;
        v[c] -= w->corner[c];
        w->factor[c] = 2.0L / sf_dot_long(d - c, v + c, v + c);
        for (size_t i = c + 1; i < w->k; i++)
            reflect(w, c, w->a + i * d);
    }
}

/* beta and the multipliers of the set. */
static void solve(wide *w)
{
    size_t d = w->d, k = w->k;
    memset(w->y, 0, d * sizeof *w->y);
    for (size_t c = 0; c < k; c++) { // R'y = 1
        long double rest = 1.0L;
        for (size_t i = 0; i < c; i++)
            rest -= w->a[c * d + i] * w->y[i];
        w->y[c] = rest / w->corner[c];
    }
    long double *x = w->target;
    for (size_t c = k; c-- > 0;) { // R x = y, x by place
        long double rest = w->y[c];
        for (size_t i = c + 1; i < k; i++)
            rest -= w->a[i * d + c] * x[i];
        x[c] = rest / w->corner[c];
    }
    for (size_t c = k; c-- > 0;)
        reflect(w, c, w->y);
    for (size_t j = 0; j < d; j++)
        w->beta[w->feature[j]] = w->y[j];
}

/* Moves lambda to the solution of the set, dropping what would become negative. */
static void descend(wide *w, bool *regular)
{
    for (bool whole = false; !whole;) {
        factor(w, regular);
        if (!*regular)
            return;
        solve(w);
        long double step = 1.0L;
        size_t blocking = SIZE_MAX;
        for (size_t c = 0; c < w->k; c++) {
            long double from = w->lambda[w->active[w->slot[c]]], to = w->target[c];
            long double reach = from > 0.0L ? from / (from - to) : 0.0L;
            if (to <= 0.0L && (blocking == SIZE_MAX || reach < step)) {
                step = reach;
                blocking = w->slot[c];
            }
        }
        whole = blocking == SIZE_MAX;
        for (size_t c = 0; c < w->k; c++) {
            long double *x = &w->lambda[w->active[w->slot[c]]];
            *x = whole ? w->target[c] : fmaxl(*x + step * (w->target[c] - *x), 0.0L);
        }
        if (!whole) {
            w->lambda[w->active[blocking]] = 0.0L;
            w->active[blocking] = w->active[--w->k];
            whole = w->k == 0;
        }
    }
}

/* The example with the smallest margin below 1 by more than rounding; SIZE_MAX if there is none. */
static size_t most_violated(const wide *w)
{
    size_t worst = SIZE_MAX;
    long double lowest = 1.0L;
    for (size_t n = 0; n < w->n; n++) {
        long double sum = 0.0L, size = 1.0L;
        for (size_t j = 0; j < w->d; j++) {
            long double product = w->points->z[n * w->d + j] * w->beta[j];
            sum += product;
            size += fabsl(product);
        }
        if (!w->banned[n] && w->lambda[n] == 0.0L && sum < lowest && sum < 1.0L - ROUNDING * size) {
            lowest = sum;
            worst = n;
        }
    }
    return worst;
}

/* Whether an example lies in the span of P, whose factors are at hand; its coefficients go to target, by place. */
static bool depends(wide *w, size_t example)
{
    long double *x = w->y, *r = w->target;
    if (w->k == 0) // nothing is factored yet
        return false;
    for (size_t j = 0; j < w->d; j++)
        x[j] = w->points->z[example * w->d + w->feature[j]];
    for (size_t c = 0; c < w->k; c++)
        reflect(w, c, x);
    for (size_t j = w->k; j < w->d; j++)
        if (fabsl(x[j]) > ROUNDING * w->points->column[w->feature[j]] * w->size[example])
            return false;
    for (size_t c = w->k; c-- > 0;) {
        long double rest = x[c];
        for (size_t i = c + 1; i < w->k; i++)
            rest -= w->a[i * w->d + c] * r[i];
        r[c] = rest / w->corner[c];
    }
    return true;
}

/* A violated example that is a combination of P takes the place of one of P: lambda moves so that beta stays where it is,
 * until a multiplier of P is 0. False if none falls: not separable. */
static bool exchange(wide *w, size_t entering)
{
    long double step = INFINITY;
    size_t blocking = SIZE_MAX;
    for (size_t c = 0; c < w->k; c++) {
        long double from = w->lambda[w->active[w->slot[c]]], rate = w->target[c];
        if (rate > 0.0L && from / rate < step) {
            step = from / rate;
            blocking = w->slot[c];
        }
    }
    if (blocking == SIZE_MAX)
        return false;
    for (size_t c = 0; c < w->k; c++) {
        long double *x = &w->lambda[w->active[w->slot[c]]];
        *x = fmaxl(*x - step * w->target[c], 0.0L);
    }
    w->lambda[w->active[blocking]] = 0.0L;
    w->lambda[entering] = step;
    w->active[blocking] = entering;
    return true;
}

static sf_status iterate(wide *w, bool *solved)
{
    sf_context *context = w->points->context;
    size_t limit = 20 * (w->n + w->d) + 100;
    for (size_t cycle = 0; cycle < limit; cycle++) {
        if (sf_cancelled(context))
            return sf_fail(context, SF_ERR_CANCELLED,
                           "interrupted in the search for the max-margin direction");
        size_t entering = most_violated(w);
        *solved = entering == SIZE_MAX;
        if (*solved)
            return SF_OK;
        bool regular;
        if (!depends(w, entering))
            w->active[w->k++] = entering;
        else if (!exchange(w, entering))
            return SF_OK;
        descend(w, &regular);
        if (!regular)
            return SF_OK;
        if (w->lambda[entering] == 0.0L) // entered and left again: rounding
            w->banned[entering] = true;
    }
    return SF_OK;
}

sf_status sf_wide_solve(const sf_points *points, long double *beta, long double *lambda, bool *solved)
{
    sf_context *context = points->context;
    size_t n = points->n, d = points->d, room = n < d ? n : d;
    wide w = {.points = points, .n = n, .d = d, .beta = beta, .lambda = lambda};
    *solved = false;
    w.active = SF_ARRAY(context, room, size_t);
    w.slot = SF_ARRAY(context, room, size_t);
    w.feature = SF_ARRAY(context, d, size_t);
    w.a = sf_alloc(context, room, d * sizeof *w.a);
    w.factor = SF_ARRAY(context, room, long double);
    w.corner = SF_ARRAY(context, room, long double);
    w.y = SF_ARRAY(context, d, long double);
    w.target = SF_ARRAY(context, room, long double);
    w.banned = sf_alloc_zero(context, n, sizeof *w.banned);
    w.size = sf_alloc_zero(context, n, sizeof *w.size);
    for (size_t i = 0; w.size && i < n * d; i++)
        if (points->column[i % d] > 0.0)
            w.size[i / d] += fabs(points->z[i]) / points->column[i % d];
    memset(beta, 0, d * sizeof *beta);
    memset(lambda, 0, n * sizeof *lambda);
    sf_status status = w.active && w.slot && w.feature && w.a && w.factor && w.corner && w.y && w.target &&
                               w.banned && w.size
                           ? iterate(&w, solved)
                           : SF_ERR_MEMORY;
    sf_free(context, w.active);
    sf_free(context, w.slot);
    sf_free(context, w.feature);
    sf_free(context, w.a);
    sf_free(context, w.factor);
    sf_free(context, w.corner);
    sf_free(context, w.y);
    sf_free(context, w.target);
    sf_free(context, w.banned);
    sf_free(context, w.size);
    return status;
}
