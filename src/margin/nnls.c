/* min ||A x - b||_2 subject to x >= 0 (Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23):
 * columns enter where the gradient says so, and a step towards the free minimizer stops where a variable
 * reaches 0. The normal matrix A'A is factored in long double and the factor follows the active set.
 */
#include "margin/margin.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

typedef struct nnls {
    size_t rows, columns, k;
    const long double *a, *b;
    long double *x, *residual;
    size_t *active;      // (k)
    bool *in, *banned;   // (columns)
    long double *target; // (columns) by slot
    sf_qr qr;
} nnls;

static const long double *column(const nnls *s, size_t i)
{
    return s->a + i * s->rows;
}

static void form_residual(nnls *s)
{
    memcpy(s->residual, s->b, s->rows * sizeof *s->b);
    for (size_t i = 0; i < s->k; i++) {
        const long double *a = column(s, s->active[i]);
        long double x = s->x[s->active[i]];
        for (size_t r = 0; r < s->rows; r++)
            s->residual[r] -= x * a[r];
    }
}

static sf_status enter(nnls *s, size_t i, bool *independent)
{
    SF_TRY(sf_qr_append(&s->qr, column(s, i), independent));
    if (*independent) {
        s->active[s->k++] = i;
        s->in[i] = true;
    }
    return SF_OK;
}

static void leave(nnls *s, size_t slot)
{
    s->in[s->active[slot]] = false;
    s->x[s->active[slot]] = 0.0L;
    memmove(s->active + slot, s->active + slot + 1, (s->k - slot - 1) * sizeof *s->active);
    sf_qr_drop(&s->qr, slot);
    s->k--;
}

static void descend(nnls *s)
{
    for (int whole = 0; s->k && whole < 2;) { // the second whole step refines the first
        // target: R^{-1} Q'(b - A x), the way to the free minimizer
        form_residual(s);
        sf_qr_coefficients(&s->qr, s->residual, s->target);
        sf_qr_solve_upper(&s->qr, s->target);
        size_t block = SIZE_MAX;
        long double step = 1.0L;
        for (size_t m = 0; m < s->k; m++) {
            long double x = s->x[s->active[m]], bound = x > 0.0L ? x / -s->target[m] : 0.0L;
            if (x + s->target[m] <= 0.0L && (block == SIZE_MAX || bound < step)) {
                block = m;
                step = bound;
            }
        }
        for (size_t m = 0; m < s->k; m++) {
            long double moved = s->x[s->active[m]] + step * s->target[m];
            s->x[s->active[m]] = moved > 0.0L ? moved : 0.0L;
        }
        if (block == SIZE_MAX)
            whole++;
        else
            leave(s, block);
    }
    form_residual(s);
}

/* The column of steepest descent, SIZE_MAX if none. */
static size_t steepest(const nnls *s)
{
    size_t best = SIZE_MAX;
    long double slope = 0.0L, length = sqrtl(sf_dot_long(s->rows, s->residual, s->residual));
    for (size_t i = 0; i < s->columns; i++)
        if (!s->in[i] && !s->banned[i]) {
            long double norm = sqrtl(sf_dot_long(s->rows, column(s, i), column(s, i)));
            long double g = norm > 0.0L ? sf_dot_long(s->rows, column(s, i), s->residual) / norm : 0.0L;
            if (g > 64.0L * LDBL_EPSILON * length && g > slope) {
                slope = g;
                best = i;
            }
        }
    return best;
}

static sf_status iterate(sf_context *context, nnls *s)
{
    long double scale = sqrtl(sf_dot_long(s->rows, s->b, s->b)), best = scale;
    size_t limit = 30 * s->columns + 100;
    form_residual(s);
    for (size_t cycle = 0; cycle < limit && best > 64.0L * LDBL_EPSILON * scale; cycle++) {
        size_t i = steepest(s);
        if (i == SIZE_MAX)
            break;
        if (sf_cancelled(context))
            return sf_fail(context, SF_ERR_CANCELLED, "interrupted in a least-squares problem");
        bool independent;
        SF_TRY(enter(s, i, &independent));
        if (independent)
            descend(s);
        long double length = sqrtl(sf_dot_long(s->rows, s->residual, s->residual));
        if (length < best * (1.0L - 4.0L * LDBL_EPSILON)) {
            best = length;
            memset(s->banned, 0, s->columns * sizeof *s->banned);
        } else {
            s->banned[i] = true;
        }
    }
    return SF_OK;
}

sf_status sf_nnls(sf_context *context, size_t rows, size_t columns, const long double *a,
                  const long double *b, long double *x, long double *residual)
{
    nnls s = {.rows = rows, .columns = columns, .a = a, .b = b, .x = x, .residual = residual};
    s.qr = (sf_qr){.context = context, .rows = rows};
    s.active = SF_ARRAY(context, columns, size_t);
    s.in = sf_alloc_zero(context, columns, sizeof *s.in);
    s.banned = sf_alloc_zero(context, columns, sizeof *s.banned);
    s.target = SF_ARRAY(context, columns, long double);
    for (size_t i = 0; i < columns; i++)
        x[i] = 0.0L;
    sf_status status = s.active && s.in && s.banned && s.target ? iterate(context, &s) : SF_ERR_MEMORY;
    sf_free(context, s.active);
    sf_free(context, s.in);
    sf_free(context, s.banned);
    sf_free(context, s.target);
    sf_qr_release(&s.qr);
    return status;
}
