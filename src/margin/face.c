/* Is the solution of the l1 problem unique, and if not, which coordinates can trade?
 *
 * With one optimal lambda, every solution satisfies complementary slackness with it, so the solutions are
 *
 *   { b : b_j = 0 where |q_j| < 1,  sign(q_j) b_j >= 0 where |q_j| = 1,
 *         <b, z_n> = 1 where lambda_n > 0,  <b, z_n> >= 1 elsewhere },        q = Z'lambda,
 *
 * and around the solution beta the ways to move form the cone K = { x in R^E : <x, z_n> = 0 for n in P, x_j
 * q_j >= 0 for j in E with beta_j = 0, <x, z_n> >= 0 for n outside P with margin 1 }, E = {|q_j| = 1}, P =
 * {lambda_n > 0}. beta is unique iff K = {0}.
 *
 * With B an orthonormal basis of the null space of the equations and A the inequalities in that basis, K = {y
 * : A y >= 0}. Minimizing ||A'(1 + v)|| over v >= 0 decides: a minimum of 0 proves that A y = 0 on K
 * (multiply by 1 + v > 0); otherwise y = A'(1 + v) is in K and some inequality is strict there. Repeated for
 * the inequalities never strict so far, this ends with the linear hull of K, {x : equations, and the
 * inequalities that are never strict hold with equality}, and K = {0} iff that is {0}.
 *
 * "= 0" and "= 1" are decided in numbers good to some LDBL_EPSILON. Two cones are tested: one where all that is below TIGHT counts
 * as zero and all that is below LOOSE still counts as a constraint, and one the other way round. The true cone lies between them; if they disagree, the answer is unknown.
 */
#include "margin/margin.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

// above the rounding of data that were computed in double, and above ours
static const long double TIGHT = LDBL_EPSILON < 2e-17L ? 1e-13L : 4096.0L * LDBL_EPSILON;
static const long double LOOSE = 1e-9L;

typedef struct cone {
    const sf_points *points;
    size_t e, *coordinate;       // E
    size_t equations, *equation; // P
    size_t rows, *row;           // examples outside P with margin 1
    size_t signs, *sign_of;      // indices into E of coordinates that may not change sign
    const long double *q;        // (d)
} cone;

typedef struct pair {
    long double *q;     // (d) Z'lambda
    long double *slack; // (n) margin - 1
    long double beta_max, lambda_max;
} pair;

static void release_cone(cone *k)
{
    sf_context *context = k->points->context;
    sf_free(context, k->coordinate);
    sf_free(context, k->equation);
    sf_free(context, k->row);
    sf_free(context, k->sign_of);
}

/* equal: what may be called 0 or 1 in the conditions that widen the cone; constrain: in those that narrow it.
 */
static sf_status make_cone(const sf_points *points, const long double *beta, const long double *lambda,
                           const pair *at, long double equal, long double constrain, cone *k)
{
    sf_context *context = points->context;
    *k = (cone){.points = points, .q = at->q};
    k->coordinate = SF_ARRAY(context, points->d, size_t);
    k->sign_of = SF_ARRAY(context, points->d, size_t);
    k->equation = SF_ARRAY(context, points->n, size_t);
    k->row = SF_ARRAY(context, points->n, size_t);
    if (!k->coordinate || !k->sign_of || !k->equation || !k->row)
        return SF_ERR_MEMORY;
    for (size_t j = 0; j < points->d; j++)
        if (beta[j] != 0.0L || (points->nonnegative ? at->q[j] : fabsl(at->q[j])) >= 1.0L - equal) {
            if (fabsl(beta[j]) <= constrain * at->beta_max)
                k->sign_of[k->signs++] = k->e;
            k->coordinate[k->e++] = j;
        }
    for (size_t n = 0; n < points->n; n++) {
        if (lambda[n] > equal * at->lambda_max)
            k->equation[k->equations++] = n;
        else if (at->slack[n] <= constrain)
            k->row[k->rows++] = n;
    }
    return SF_OK;
}

static long double unit_of(const sf_points *points, size_t j)
{
    return points->column[j] > 0.0 ? points->column[j] : 1.0L;
}

/* Example n over the coordinates E, each in units of its feature (so that no feature is taken for 0 because its numbers are
 * small), scaled to length 1 (0 if it has none). */
static void restricted(const cone *k, size_t n, long double *x)
{
    const double *z = k->points->z + n * k->points->d;
    for (size_t i = 0; i < k->e; i++)
        x[i] = (long double)z[k->coordinate[i]] / unit_of(k->points, k->coordinate[i]);
    long double norm = sqrtl(sf_dot_long(k->e, x, x));
    for (size_t i = 0; norm > 0.0L && i < k->e; i++)
        x[i] /= norm;
}

/* The i-th inequality over E: rows of the data first, then signs. */
static void inequality(const cone *k, size_t i, long double *x)
{
    if (i < k->rows) {
        restricted(k, k->row[i], x);
        return;
    }
    size_t at = k->sign_of[i - k->rows];
    memset(x, 0, k->e * sizeof *x);
    x[at] = k->q[k->coordinate[at]] > 0.0L ? 1.0L : -1.0L;
}

/* The null space of the equations and, if given, of the inequalities that are not free. */
static sf_status null_of(const cone *k, const bool *free_rows, long double tolerance, long double **basis,
                         size_t *dimension)
{
    sf_context *context = k->points->context;
    size_t rows = 0, inequalities = free_rows ? k->rows + k->signs : 0;
    long double *a = sf_alloc(context, k->equations + inequalities, k->e * sizeof *a);
    if (!a)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < k->equations; i++)
        restricted(k, k->equation[i], a + rows++ * k->e);
    for (size_t i = 0; i < inequalities; i++)
        if (!free_rows[i])
            inequality(k, i, a + rows++ * k->e);
    sf_status status = sf_null_space(context, rows, k->e, a, tolerance, basis, dimension);
    sf_free(context, a);
    return status;
}

/* One round: marks the inequalities that are strict at y = A'(1_rest + v); *strict is their number, 0 if none
 * of the rest ever is. a: (inequalities, r) row-major, which is A' by columns. */
static sf_status mark_strict(sf_context *context, size_t inequalities, size_t r, const long double *a,
                             bool *strict, size_t *found, long double *work)
{
    long double *b = work, *residual = work + r, *v = work + 2 * r, length = 0.0L;
    memset(b, 0, r * sizeof *b);
    for (size_t i = 0; i < inequalities; i++)
        for (size_t m = 0; m < r && !strict[i]; m++)
            b[m] -= a[i * r + m];
    for (size_t i = 0; i < inequalities; i++)
        length += strict[i] ? 0.0L : 1.0L;
    SF_TRY(sf_nnls(context, r, inequalities, a, b, v, residual));
    long double norm = sqrtl(sf_dot_long(r, residual, residual));
    *found = 0;
    if (!(norm > TIGHT * length))
        return SF_OK;
    for (size_t i = 0; i < inequalities; i++)
        if (!strict[i] && -sf_dot_long(r, a + i * r, residual) > 1e-10L * norm) {
            strict[i] = true;
            ++*found;
        }
    return SF_OK;
}

/* Finds the inequalities that are strict somewhere on the cone. */
static sf_status find_strict(const cone *k, size_t r, const long double *basis, long double tolerance,
                             bool *strict)
{
    sf_context *context = k->points->context;
    size_t inequalities = k->rows + k->signs;
    long double *a = sf_alloc(context, inequalities, r * sizeof *a);
    long double *work = SF_ARRAY(context, 2 * r + inequalities + k->e, long double);
    sf_status status = a && work ? SF_OK : SF_ERR_MEMORY;
    if (status == SF_OK) {
        long double *x = work + 2 * r + inequalities;
        for (size_t i = 0; i < inequalities; i++) {
            inequality(k, i, x);
            for (size_t m = 0; m < r; m++)
                a[i * r + m] = sf_dot_long(k->e, x, basis + m * k->e);
            if (sqrtl(sf_dot_long(r, a + i * r, a + i * r)) <= tolerance) // follows from the equations
                memset(a + i * r, 0, r * sizeof *a);
        }
        for (size_t found = 1; status == SF_OK && found;)
            status = mark_strict(context, inequalities, r, a, strict, &found, work);
    }
    sf_free(context, a);
    sf_free(context, work);
    return status;
}

/* Marks in face (d) the coordinates that move on the cone, by their sign; *trivial if it is {0}. */
static sf_status explore(const cone *k, long double tolerance, signed char *face, bool *trivial)
{
    sf_context *context = k->points->context;
    long double *basis = NULL;
    size_t r;
    SF_TRY(null_of(k, NULL, tolerance, &basis, &r));
    *trivial = r == 0;
    bool *strict = sf_alloc_zero(context, k->rows + k->signs, sizeof *strict);
    sf_status status = strict ? SF_OK : SF_ERR_MEMORY;
    if (status == SF_OK && !*trivial) {
        status = find_strict(k, r, basis, tolerance, strict);
        sf_free(context, basis);
        basis = NULL;
        if (status == SF_OK)
            status = null_of(k, strict, tolerance, &basis, &r);
    }
    if (status == SF_OK) {
        *trivial = r == 0;
        for (size_t i = 0; i < k->e; i++) {
            long double reach = 0.0L;
            for (size_t m = 0; m < r; m++)
                reach += basis[m * k->e + i] * basis[m * k->e + i];
            if (reach > LOOSE * LOOSE)
                face[k->coordinate[i]] = k->q[k->coordinate[i]] > 0.0L ? 1 : -1;
        }
    }
    sf_free(context, basis);
    sf_free(context, strict);
    return status;
}

static sf_status measure(const sf_points *points, const long double *beta, const long double *lambda,
                         pair *at)
{
    size_t n = points->n, d = points->d;
    at->q = sf_alloc_zero(points->context, d, sizeof *at->q);
    at->slack = SF_ARRAY(points->context, n, long double);
    if (!at->q || !at->slack)
        return SF_ERR_MEMORY;
    for (size_t j = 0; j < d; j++)
        at->beta_max = fmaxl(at->beta_max, fabsl(beta[j]));
    for (size_t i = 0; i < n; i++) {
        at->slack[i] = sf_dot(d, points->z + i * d, beta) - sf_required(points, i);
        at->lambda_max = fmaxl(at->lambda_max, lambda[i]);
        if (lambda[i] != 0.0L)
            sf_add_multiple(d, lambda[i], points->z + i * d, at->q);
    }
    return SF_OK;
}

static sf_status explore_within(const sf_points *points, const long double *beta, const long double *lambda,
                                const pair *at, long double equal, long double constrain, signed char *face,
                                bool *trivial)
{
    cone k = {.points = points};
    sf_status status = make_cone(points, beta, lambda, at, equal, constrain, &k);
    if (status == SF_OK) // a smaller tolerance finds a higher rank, hence a smaller cone
        status = explore(&k, 0.1L * equal, face, trivial);
    release_cone(&k);
    return status;
}

sf_status sf_face_find(const sf_points *points, const long double *beta, const long double *lambda,
                       sf_answer *unique, signed char *face)
{
    pair at = {0};
    bool wide_trivial = false, narrow_trivial = false;
    signed char *scratch = sf_alloc_zero(points->context, points->d, sizeof *scratch);
    sf_status status = scratch ? measure(points, beta, lambda, &at) : SF_ERR_MEMORY;
    memset(face, 0, points->d * sizeof *face);
    if (status == SF_OK)
        status = explore_within(points, beta, lambda, &at, LOOSE, TIGHT, scratch, &wide_trivial);
    if (status == SF_OK && !wide_trivial)
        status = explore_within(points, beta, lambda, &at, TIGHT, LOOSE, face, &narrow_trivial);
    *unique = wide_trivial ? SF_ANSWER_YES : narrow_trivial ? SF_ANSWER_UNKNOWN : SF_ANSWER_NO;
    sf_free(points->context, scratch);
    sf_free(points->context, at.q);
    sf_free(points->context, at.slack);
    return status;
}
