/* The simplex method in long double, from a basis that is nearly optimal.
 *
 * A linear programming library works with absolute tolerances in double; its basis may be off by a few exchanges where
 * examples nearly coincide or the margin is small. This finishes the work. A basis has k rows A (margin 1) and k columns J
 * (free coordinates, signs s), M = Z_AJ; M beta = 1, M'lambda = s, q = Z'lambda. It is optimal if
 *
 *   primal: <beta, z_n> >= 1 off A, s_j beta_j >= 0;      dual: lambda >= 0, |q_j| <= 1 off J  (beta >= 0: q_j <= 1).
 *
 * While a primal condition is violated, dual steps: the worst one is made an equality (row n enters A, or column j leaves J) and
 * lambda moves until lambda_i or 1 - |q_j| reaches 0. When only dual conditions are violated, primal steps: the worst one is
 * let go (row leaves A, column enters J), and beta moves until a margin reaches 1 or a coordinate 0. What is below its
 * rounding error is not a violation. Each basis is factored anew: few steps are expected. The empty basis (beta = 0, lambda =
 * 0) satisfies all dual conditions, so that the method also works on its own.
 */
#include "margin/margin.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

static const long double ROUNDING = 64.0L * LDBL_EPSILON;
static const long double SMALL = 1024.0L * LDBL_EPSILON; // of a basic variable relative to the largest
static const long double TIE = 1e-12L;
#define NONE SIZE_MAX

typedef struct simplex {
    const sf_points *points;
    sf_basis *basis;
    sf_lu lu;
    long double *beta, *lambda; // (d), (n)
    long double *margin;        // (n)
    long double *q;             // (d)
    long double *column_rate;   // (d) of q, dual steps
    long double *step;          // (k) change of the basic variables
    long double *right;         // (k)
    bool *in_row, *in_column;   // (n), (d)
} simplex;

/* Which condition is violated most: slot of the basis or example or feature. */
typedef struct violation {
    long double amount;
    size_t slot, outside; // a basic variable, or what is outside the basis; NONE
} violation;

/* What an exchange does to the basis: slots go out, an example or a feature comes in; NONE where nothing does. */
typedef struct exchange {
    size_t row_out, row_in, column_out, column_in;
    double sign; // of column_in
    bool flip;   // column_out stays, with the other sign
} exchange;

static const double *row_of(const simplex *s, size_t n)
{
    return s->points->z + n * s->points->d;
}

/* beta, lambda, margins and q of the basis. */
static sf_status evaluate(simplex *s, bool *regular)
{
    size_t n = s->points->n, d = s->points->d, k = s->basis->k;
    sf_lu_release(&s->lu);
    SF_TRY(sf_lu_create(s->points, s->basis, &s->lu, regular));
    if (!*regular)
        return SF_OK;
    sf_basis_solve(s->points, s->basis, &s->lu, s->beta, s->lambda);
    memset(s->in_row, 0, n * sizeof *s->in_row);
    memset(s->in_column, 0, d * sizeof *s->in_column);
    memset(s->q, 0, d * sizeof *s->q);
    for (size_t i = 0; i < k; i++) {
        s->in_row[s->basis->row[i]] = true;
        s->in_column[s->basis->column[i]] = true;
        sf_add_multiple(d, s->lambda[s->basis->row[i]], row_of(s, s->basis->row[i]), s->q);
    }
    for (size_t i = 0; i < n; i++) {
        s->margin[i] = 0.0L;
        for (size_t m = 0; m < k; m++)
            s->margin[i] += row_of(s, i)[s->basis->column[m]] * s->beta[s->basis->column[m]];
    }
    return SF_OK;
}

static void worse(violation *worst, long double amount, long double tolerance, size_t slot, size_t outside)
{
    if (amount > tolerance && amount > worst->amount)
        *worst = (violation){amount, slot, outside};
}

/* Rounding error of a sum of products with the given terms, one in the basis each. */
static long double row_tolerance(const simplex *s, size_t n)
{
    long double size = 1.0L;
    for (size_t m = 0; m < s->basis->k; m++)
        size += fabsl(row_of(s, n)[s->basis->column[m]] * s->beta[s->basis->column[m]]);
    return ROUNDING * size;
}

static long double column_tolerance(const simplex *s, size_t j)
{
    long double size = 1.0L;
    for (size_t i = 0; i < s->basis->k; i++)
        size += fabsl(row_of(s, s->basis->row[i])[j] * s->lambda[s->basis->row[i]]);
    return ROUNDING * size;
}

/* beta of a free coordinate in units of its feature. */
static long double weight_of(const simplex *s, size_t m)
{
    size_t j = s->basis->column[m];
    return s->beta[j] * s->points->column[j];
}

static violation worst_primal(const simplex *s)
{
    violation worst = {0.0L, NONE, NONE};
    long double largest = 0.0L;
    for (size_t m = 0; m < s->basis->k; m++)
        largest = fmaxl(largest, fabsl(weight_of(s, m)));
    for (size_t m = 0; m < s->basis->k; m++) // relative to the largest share in a margin, as margins are to 1
        worse(&worst, -s->basis->sign[m] * weight_of(s, m) / largest, SMALL, m, NONE);
    for (size_t n = 0; n < s->points->n; n++)
        if (!s->in_row[n] && sf_required(s->points, n) - s->margin[n] > worst.amount)
            worse(&worst, sf_required(s->points, n) - s->margin[n], row_tolerance(s, n), NONE, n);
    return worst;
}

/* lambda of a row of the basis in units of its example. */
static long double force_of(const simplex *s, size_t i)
{
    size_t n = s->basis->row[i];
    return s->lambda[n] * s->points->norm[n];
}

static violation worst_dual(const simplex *s)
{
    violation worst = {0.0L, NONE, NONE};
    long double largest = 0.0L;
    for (size_t i = 0; i < s->basis->k; i++)
        largest = fmaxl(largest, fabsl(force_of(s, i)));
    for (size_t i = 0; i < s->basis->k; i++)
        worse(&worst, -force_of(s, i) / largest, SMALL, i, NONE);
    for (size_t j = 0; j < s->points->d; j++) {
        long double excess = (s->points->nonnegative ? s->q[j] : fabsl(s->q[j])) - 1.0L;
        if (!s->in_column[j] && excess > worst.amount)
            worse(&worst, excess, column_tolerance(s, j), NONE, j);
    }
    return worst;
}

/* The shortest step so far; among steps that tie, the one with the largest rate, which is the safest pivot. */
typedef struct ratio {
    long double step, rate;
    size_t slot, outside;
    bool flip;
} ratio;

static void shorter(ratio *best, long double room, long double rate, size_t slot, size_t outside)
{
    long double step = fmaxl(room, 0.0L) / rate;
    bool first = best->slot == NONE && best->outside == NONE && !best->flip;
    if (first || step < best->step * (1.0L - TIE) || (step <= best->step * (1.0L + TIE) && rate > best->rate))
        *best = (ratio){step, rate, slot, outside, false};
}

/* lambda moves so that the violated primal condition becomes an equality. False if nothing stops it. */
static bool dual_step(simplex *s, violation primal, exchange *change)
{
    const sf_points *points = s->points;
    size_t k = s->basis->k, d = points->d, leaving = primal.slot;
    for (size_t m = 0; m < k; m++)
        s->right[m] = leaving == NONE ? (long double)row_of(s, primal.outside)[s->basis->column[m]]
                      : m == leaving  ? s->basis->sign[m]
                                      : 0.0L;
    sf_lu_solve_transposed(&s->lu, s->right, s->step); // lambda falls at this rate
    memset(s->column_rate, 0, d * sizeof *s->column_rate);
    if (leaving == NONE)
        sf_add_multiple(d, 1.0L, row_of(s, primal.outside), s->column_rate);
    for (size_t i = 0; i < k; i++)
        sf_add_multiple(d, -s->step[i], row_of(s, s->basis->row[i]), s->column_rate);
    ratio best = {INFINITY, 0.0L, NONE, NONE, false};
    long double scale = 0.0L;
    for (size_t i = 0; i < k; i++)
        scale = fmaxl(scale, fabsl(s->step[i]));
    for (size_t i = 0; i < k; i++)
        if (s->step[i] > ROUNDING * scale)
            shorter(&best, s->lambda[s->basis->row[i]], s->step[i], i, NONE);
    for (size_t j = 0; j < d; j++) {
        long double rate = s->column_rate[j];
        if (s->in_column[j] || (points->nonnegative && rate < 0.0L) ||
            !(fabsl(rate) > ROUNDING * points->column[j] * ((leaving == NONE) + scale)))
            continue;
        shorter(&best, rate > 0.0L ? 1.0L - s->q[j] : 1.0L + s->q[j], fabsl(rate), NONE, j);
    }
    if (leaving != NONE && !points->nonnegative && 2.0L < best.step)
        best = (ratio){2.0L, 1.0L, NONE, NONE, true}; // its own q goes from s to -s
    *change = (exchange){best.slot, primal.outside, leaving, best.outside, 0.0, best.flip};
    if (best.outside != NONE)
        change->sign = s->column_rate[best.outside] > 0.0L ? 1.0 : -1.0;
    return best.flip || best.slot != NONE || best.outside != NONE;
}

/* beta moves so that the violated dual condition is let go. False if nothing stops it. */
static bool primal_step(simplex *s, violation dual, exchange *change)
{
    size_t k = s->basis->k, leaving = dual.slot, entering = dual.outside;
    double sign = entering != NONE && s->q[entering] < 0.0L ? -1.0 : 1.0;
    for (size_t i = 0; i < k; i++)
        s->right[i] = leaving == NONE ? -sign * row_of(s, s->basis->row[i])[entering]
                      : i == leaving  ? 1.0L
                                      : 0.0L;
    sf_lu_solve(&s->lu, s->right, s->step);
    long double scale = entering != NONE ? 1.0L : 0.0L;
    for (size_t m = 0; m < k; m++)
        scale = fmaxl(scale, fabsl(s->step[m]));
    ratio best = {INFINITY, 0.0L, NONE, NONE, false};
    for (size_t m = 0; m < k; m++) {
        long double rate = -s->basis->sign[m] * s->step[m];
        if (rate > ROUNDING * scale)
            shorter(&best, s->basis->sign[m] * s->beta[s->basis->column[m]], rate, m, NONE);
    }
    for (size_t n = 0; n < s->points->n; n++) {
        if (s->in_row[n])
            continue;
        long double rate = entering != NONE ? -sign * row_of(s, n)[entering] : 0.0L, size = fabsl(rate);
        for (size_t m = 0; m < k; m++) {
            long double term = row_of(s, n)[s->basis->column[m]] * s->step[m];
            rate -= term;
            size += fabsl(term);
        }
        if (rate > ROUNDING * size)
            shorter(&best, s->margin[n] - sf_required(s->points, n), rate, NONE, n);
    }
    *change = (exchange){leaving, best.outside, best.slot, entering, sign, false};
    return best.slot != NONE || best.outside != NONE;
}

static void apply(sf_basis *basis, exchange change)
{
    if (change.flip) {
        basis->sign[change.column_out] = -basis->sign[change.column_out];
        return;
    }
    size_t last = basis->k - 1;
    bool grows = change.row_out == NONE && change.column_out == NONE;
    bool shrinks = change.row_in == NONE && change.column_in == NONE;
    size_t row = grows ? basis->k : change.row_out, column = grows ? basis->k : change.column_out;
    if (change.row_in != NONE)
        basis->row[row] = change.row_in;
    if (change.column_in != NONE) {
        basis->column[column] = change.column_in;
        basis->sign[column] = change.sign;
    }
    if (shrinks) {
        basis->row[row] = basis->row[last];
        basis->column[column] = basis->column[last];
        basis->sign[column] = basis->sign[last];
    }
    basis->k += grows ? 1 : shrinks ? (size_t)-1 : 0;
}

static sf_status iterate(simplex *s, bool *optimal)
{
    size_t room = s->points->n < s->points->d ? s->points->n : s->points->d, limit = 100 + 10 * room;
    for (size_t count = 0; count < limit; count++) {
        bool regular;
        if (sf_cancelled(s->points->context))
            return sf_fail(s->points->context, SF_ERR_CANCELLED, "interrupted in the simplex method");
        SF_TRY(evaluate(s, &regular));
        if (!regular)
            return SF_OK;
        violation primal = worst_primal(s), dual = worst_dual(s);
        *optimal = primal.amount == 0.0L && dual.amount == 0.0L;
        if (*optimal)
            return SF_OK;
        exchange change;
        bool stopped = primal.amount > 0.0L ? dual_step(s, primal, &change) : primal_step(s, dual, &change);
        if (!stopped)
            return SF_OK;
        bool grows = change.row_out == NONE && change.column_out == NONE && !change.flip;
        if (grows && s->basis->k == room)
            return SF_OK;
        apply(s->basis, change);
    }
    return SF_OK;
}

sf_status sf_basis_improve(const sf_points *points, sf_basis *basis, long double *beta, long double *lambda,
                           bool *optimal)
{
    sf_context *context = points->context;
    size_t n = points->n, d = points->d, room = n < d ? n : d;
    simplex s = {
        .points = points, .basis = basis, .beta = beta, .lambda = lambda, .lu = {.context = context}};
    *optimal = false;
    s.margin = SF_ARRAY(context, n, long double);
    s.q = SF_ARRAY(context, d, long double);
    s.column_rate = SF_ARRAY(context, d, long double);
    s.step = SF_ARRAY(context, room, long double);
    s.right = SF_ARRAY(context, room, long double);
    s.in_row = SF_ARRAY(context, n, bool);
    s.in_column = SF_ARRAY(context, d, bool);
    sf_status status = s.margin && s.q && s.column_rate && s.step && s.right && s.in_row && s.in_column
                           ? iterate(&s, optimal)
                           : SF_ERR_MEMORY;
    sf_free(context, s.margin);
    sf_free(context, s.q);
    sf_free(context, s.column_rate);
    sf_free(context, s.step);
    sf_free(context, s.right);
    sf_free(context, s.in_row);
    sf_free(context, s.in_column);
    sf_lu_release(&s.lu);
    return status;
}
