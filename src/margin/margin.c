/* Max-margin classifiers: which solver, and what its answer is worth.
 *
 * The solvers see the points in stored coordinates (points.c). For mirrored data (z, -z) the solution c there
 * without sign constraint becomes (c+, c-), where c = c+ - c-: optimal for l1, and for l2 over beta >= 0; for
 * l2 with free signs it is (c, -c) / 2.
 *
 * Neither answer is taken on trust. "Not separable" rests on lambda >= 0, sum 1, with ||sum lambda_n z_n|| below 1e-14 of the
 * longest example: changing the data by that much, which is what writing them as doubles may do, makes 0 a point of
 * the hull. Otherwise "separable" rests on margins > 0 of the direction in double, recomputed from the data in long
 * double and larger than the bound on the rounding error of that computation: a proof. If neither can be had, there is
 * no answer. Both norms ask the same question of the same nearest point, so they agree.
 */
#include <samflow/margin.h>

#include <math.h>
#include <string.h>

#include "base/base.h"
#include "data/dataset.h"
#include "margin/points.h"

struct sf_margin {
    sf_context *context;
    size_t n, d;
    bool separable;
    double value, kkt_residual, certificate_residual;
    double *direction;   // (d)
    double *multipliers; // (n)
    double *certificate; // (n)
    sf_answer unique;
    size_t *face, face_count;
};

/* A residual of a certificate that counts as 0, relative to the longest example. */
static const long double CERTIFIED = 1e-14L;
/* An l1 margin (at most the l2 margin) relative to the longest example below which separability is asked of the hull. */
static const long double DOUBTFUL = 1e-10L;
/* Multipliers and direction are doubles, so the residual cannot be better than about the rounding error of
 * Z'lambda, which is DBL_EPSILON times the ratio of the longest example to the margin. */
static const double ACCEPTED_KKT = 1e-9;
static const double ROUNDINGS = 16.0;

typedef struct solution {
    long double *beta;   // (stored) smallest margin 1 or any other length
    long double *lambda; // (n)
    signed char *face;   // (stored) sign of what can trade, 0 elsewhere
} solution;

static void release_solution(sf_context *context, solution *s)
{
    sf_free(context, s->beta);
    sf_free(context, s->lambda);
    sf_free(context, s->face);
}

static sf_status create_solution(const sf_points *points, solution *s)
{
    s->beta = SF_ARRAY(points->context, points->d, long double);
    s->lambda = SF_ARRAY(points->context, points->n, long double);
    s->face = sf_alloc_zero(points->context, points->d, sizeof *s->face);
    return s->beta && s->lambda && s->face ? SF_OK : SF_ERR_MEMORY;
}

/* ---- checks from the raw data -------------------------------------------------------------------------- */

/* The margin of example n, and a bound on its rounding error in *bound (may be NULL). */
static long double margin_of(const sf_dataset *dataset, size_t n, const double *beta, long double *bound)
{
    const double *z = dataset->z + n * dataset->stored;
    long double sum = 0.0L, size = 0.0L;
    for (size_t j = 0; j < dataset->stored; j++) {
        long double product = (long double)z[j] * beta[j];
        if (dataset->mirrored)
            product -= (long double)z[j] * beta[dataset->stored + j];
        sum += product;
        size += fabsl(product);
    }
    if (bound)
        *bound = (long double)(dataset->stored + 4) * LDBL_EPSILON * size;
    return sum;
}

/* Whether every margin of beta (d) is positive beyond doubt; the smallest goes to *smallest. */
static bool separates(const sf_dataset *dataset, const double *beta, long double *smallest)
{
    bool proved = true;
    *smallest = INFINITY;
    for (size_t n = 0; n < dataset->n; n++) {
        long double bound, margin = margin_of(dataset, n, beta, &bound);
        *smallest = fminl(*smallest, margin);
        proved = proved && margin > bound;
    }
    return proved;
}

/* Z'lambda over the stored features. */
static void combine(const sf_dataset *dataset, const double *lambda, long double *q)
{
    for (size_t j = 0; j < dataset->stored; j++)
        q[j] = 0.0L;
    for (size_t n = 0; n < dataset->n; n++)
        if (lambda[n] != 0.0)
            sf_add_multiple(dataset->stored, lambda[n], dataset->z + n * dataset->stored, q);
}

/* How far q_j is from the subdifferential of the norm at b_j; in the l2 problem that of ||b||^2 / 2. */
static long double distance(const sf_margin_options *options, long double q, long double b)
{
    long double off = options->norm == SF_NORM_L2 ? b : b > 0.0L ? 1.0L : b < 0.0L ? -1.0L : q;
    if (b == 0.0L && options->nonnegative)
        return fmaxl(0.0L, options->norm == SF_NORM_L2 ? q : q - 1.0L);
    if (b == 0.0L && options->norm == SF_NORM_L1)
        return fmaxl(0.0L, fabsl(q) - 1.0L);
    return fabsl(q - off);
}

/* The residual of the KKT conditions at beta (d) and lambda (n); smallest: its smallest margin. work:
 * (stored). */
static double kkt_residual(const sf_dataset *dataset, const sf_margin_options *options, const double *beta,
                           const double *lambda, long double smallest, long double *work)
{
    size_t width = dataset->stored;
    long double off = 0.0L, length = 0.0L, slack = 0.0L, total = 0.0L;
    combine(dataset, lambda, work);
    for (size_t j = 0; j < width * (dataset->mirrored ? 2 : 1); j++) {
        long double b = beta[j] / smallest, q = j < width ? work[j] : -work[j - width];
        long double gap = distance(options, q, b);
        off += gap * gap;
        length += b * b;
    }
    off = sqrtl(off);
    if (options->norm == SF_NORM_L2)
        off /= sqrtl(length);
    for (size_t n = 0; n < dataset->n; n++) {
        total += fabs(lambda[n]);
        if (lambda[n] < 0.0)
            slack += fabs(lambda[n]);
        if (lambda[n] != 0.0)
            slack += fabs(lambda[n]) * (margin_of(dataset, n, beta, NULL) / smallest - 1.0L);
    }
    return (double)(off + slack / total);
}

/* ---- answers ------------------------------------------------------------------------------------------- */

/* The direction of norm 1 in all d coordinates, from c in the stored ones. */
static void set_direction(sf_margin *margin, const sf_dataset *dataset, const sf_margin_options *options,
                          const long double *c)
{
    size_t width = dataset->stored;
    long double norm = 0.0L;
    for (size_t j = 0; j < width; j++)
        norm += options->norm == SF_NORM_L1 ? fabsl(c[j]) : c[j] * c[j];
    if (options->norm == SF_NORM_L2)
        norm = sqrtl(norm);
    bool halves = dataset->mirrored && options->norm == SF_NORM_L2 && !options->nonnegative;
    for (size_t j = 0; j < width; j++) {
        long double unit = c[j] / norm;
        if (halves) {
            margin->direction[j] = (double)(unit / sqrtl(2.0L));
            margin->direction[width + j] = -margin->direction[j];
        } else {
            margin->direction[j] = dataset->mirrored && unit < 0.0L ? 0.0 : (double)unit;
            if (dataset->mirrored)
                margin->direction[width + j] = unit < 0.0L ? (double)-unit : 0.0;
        }
    }
}

static sf_status set_face(sf_margin *margin, const sf_dataset *dataset, const sf_margin_options *options,
                          const solution *s)
{
    size_t width = dataset->stored;
    // without sign constraint c_j may be shared by the pair (j, width + j) at no cost
    bool split = dataset->mirrored && !options->nonnegative && options->norm == SF_NORM_L1;
    margin->face = SF_ARRAY(margin->context, margin->d, size_t);
    if (!margin->face)
        return SF_ERR_MEMORY;
    if (split)
        margin->unique = SF_NO;
    if (margin->unique == SF_YES)
        return SF_OK;
    for (size_t j = 0; j < margin->d; j++) {
        int sign = s->face[j % width];
        bool carries = split ? sign != 0 || s->beta[j % width] != 0.0L
                             : sign != 0 && (!dataset->mirrored || (sign > 0) == (j < width));
        if (carries)
            margin->face[margin->face_count++] = j;
    }
    return SF_OK;
}

/* Fills the answer "separable" from beta and lambda, smallest margin about 1, if that can be proved. */
static sf_status accept(sf_margin *margin, const sf_dataset *dataset, const sf_points *points,
                        const sf_margin_options *options, const solution *s, bool *accepted)
{
    long double smallest, power = options->norm == SF_NORM_L1 ? 1.0L : 2.0L;
    set_direction(margin, dataset, options, s->beta);
    *accepted = separates(dataset, margin->direction, &smallest);
    if (!*accepted)
        return SF_OK;
    bool halves = dataset->mirrored && options->norm == SF_NORM_L2 && !options->nonnegative;
    double total = 0.0;
    for (size_t n = 0; n < margin->n; n++) {
        margin->multipliers[n] = (double)(s->lambda[n] / powl(points->unit, power) / (halves ? 2.0L : 1.0L));
        total += margin->multipliers[n];
    }
    if (!(total >= DBL_MIN && total <= DBL_MAX))
        return sf_fail(margin->context, SF_ERR_NUMERIC,
                       "the margin %g has multipliers outside the range of a double; scale the data",
                       (double)smallest);
    long double *work = SF_ARRAY(margin->context, dataset->stored, long double);
    if (!work)
        return SF_ERR_MEMORY;
    margin->kkt_residual =
        kkt_residual(dataset, options, margin->direction, margin->multipliers, smallest, work);
    sf_free(margin->context, work);
    margin->value = (double)smallest;
    margin->separable = true;
    double ratio = (double)(points->largest * points->unit / smallest);
    *accepted = margin->kkt_residual <= ACCEPTED_KKT + ROUNDINGS * DBL_EPSILON * ratio;
    return SF_OK;
}

/* Fills the answer "not separable" from lambda (n) if its residual is at the level of rounding. */
static sf_status refuse(sf_margin *margin, const sf_dataset *dataset, const sf_points *points,
                        const sf_margin_options *options, const long double *lambda, bool *refused)
{
    long double sum = 0.0L, residual = 0.0L;
    for (size_t n = 0; n < margin->n; n++)
        sum += lambda[n];
    for (size_t n = 0; n < margin->n; n++)
        margin->certificate[n] = (double)(lambda[n] / sum);
    long double *q = SF_ARRAY(margin->context, dataset->stored, long double);
    if (!q)
        return SF_ERR_MEMORY;
    combine(dataset, margin->certificate, q);
    for (size_t j = 0; j < dataset->stored; j++) {
        long double gap = options->nonnegative && !dataset->mirrored ? fmaxl(0.0L, q[j]) : q[j];
        residual += gap * gap;
    }
    sf_free(margin->context, q);
    residual = sqrtl(dataset->mirrored ? 2.0L * residual : residual);
    margin->certificate_residual = (double)residual;
    margin->separable = false;
    *refused = residual <= CERTIFIED * points->largest * points->unit;
    return SF_OK;
}

static sf_status undecided(sf_margin *margin)
{
    return sf_fail(
        margin->context, SF_ERR_NUMERIC,
        "neither a separating direction nor a certificate that there is none could be verified for %zu "
        "examples with %zu features: the margin is at the level of rounding",
        margin->n, margin->d);
}

/* The nearest point p of the hull. beta = p / ||p||^2 has smallest margin 1, lambda / ||p||^2 are its
 * multipliers. */
static sf_status solve_hull(sf_margin *margin, const sf_dataset *dataset, const sf_points *points,
                            const sf_margin_options *options, solution *s, bool *decided)
{
    bool refused;
    SF_TRY(sf_hull_nearest(points, s->lambda, s->beta));
    SF_TRY(refuse(margin, dataset, points, options, s->lambda, &refused));
    *decided = refused;
    if (refused)
        return SF_OK;
    long double norm2 = sf_dot_long(points->d, s->beta, s->beta);
    if (!(norm2 > 0.0L))
        return SF_OK;
    for (size_t j = 0; j < points->d; j++)
        s->beta[j] /= norm2;
    for (size_t n = 0; n < points->n; n++)
        s->lambda[n] /= norm2;
    sf_margin_options l2 = {SF_NORM_L2, options->nonnegative};
    return accept(margin, dataset, points, &l2, s, decided);
}

static sf_status solve_l2(sf_margin *margin, const sf_dataset *dataset, const sf_points *points,
                          const sf_margin_options *options, solution *s)
{
    bool decided;
    SF_TRY(solve_hull(margin, dataset, points, options, s, &decided));
    if (!decided)
        return undecided(margin);
    margin->unique = SF_YES;
    return set_face(margin, dataset, options, s);
}

static sf_status solve_l1_once(sf_margin *margin, const sf_dataset *dataset, const sf_points *points,
                               const sf_margin_options *options, double guess, solution *s, bool *accepted)
{
    *accepted = false;
    SF_TRY(sf_l1_solve(points, guess, s->beta, s->lambda, accepted));
    if (*accepted)
        SF_TRY(accept(margin, dataset, points, options, s, accepted));
    return SF_OK;
}

static sf_status solve_l1(sf_margin *margin, const sf_dataset *dataset, const sf_points *points,
                          const sf_margin_options *options, solution *s)
{
    bool accepted, decided;
    SF_TRY(solve_l1_once(margin, dataset, points, options, 0.0, s, &accepted));
    if (!accepted || margin->value <= DOUBTFUL * points->largest * points->unit) {
        // not separable, or with a margin below the tolerances of the linear programme
        SF_TRY(solve_hull(margin, dataset, points, options, s, &decided));
        if (!decided)
            return undecided(margin);
        if (!margin->separable)
            return SF_OK;
        double guess = margin->value / points->unit;
        SF_TRY(solve_l1_once(margin, dataset, points, options, guess, s, &accepted));
        if (!accepted)
            return undecided(margin);
    }
    SF_TRY(sf_face_find(points, s->beta, s->lambda, &margin->unique, s->face));
    return set_face(margin, dataset, options, s);
}

static sf_status check_options(sf_context *context, const sf_dataset *dataset,
                               const sf_margin_options *options)
{
    if (!dataset || !options)
        return sf_fail(context, SF_ERR_ARGUMENT, "a max-margin problem needs a data set and options");
    if (options->norm != SF_NORM_L1 && options->norm != SF_NORM_L2)
        return sf_fail(context, SF_ERR_ARGUMENT, "norm is %d, expected 1 or 2", (int)options->norm);
    return SF_OK;
}

static sf_status create_margin(sf_context *context, const sf_dataset *dataset, sf_margin **out)
{
    sf_margin *margin = SF_NEW(context, sf_margin);
    if (!margin)
        return SF_ERR_MEMORY;
    *margin = (sf_margin){.context = context,
                          .n = dataset->n,
                          .d = sf_dataset_features(dataset),
                          .value = NAN,
                          .kkt_residual = NAN,
                          .certificate_residual = NAN,
                          .unique = SF_UNKNOWN};
    margin->direction = SF_ARRAY(context, margin->d, double);
    margin->multipliers = SF_ARRAY(context, margin->n, double);
    margin->certificate = SF_ARRAY(context, margin->n, double);
    if (!margin->direction || !margin->multipliers || !margin->certificate) {
        sf_margin_destroy(&margin);
        return SF_ERR_MEMORY;
    }
    *out = margin;
    return SF_OK;
}

sf_status sf_margin_solve(sf_context *context, const sf_dataset *dataset, const sf_margin_options *options,
                          sf_margin **out)
{
    *out = NULL;
    SF_TRY(check_options(context, dataset, options));
    sf_margin *margin = NULL;
    SF_TRY(create_margin(context, dataset, &margin));
    sf_points points;
    solution s = {0};
    sf_status status = sf_points_create(context, dataset, options->nonnegative, &points);
    if (status == SF_OK)
        status = create_solution(&points, &s);
    if (status == SF_OK)
        status = options->norm == SF_NORM_L1 ? solve_l1(margin, dataset, &points, options, &s)
                                             : solve_l2(margin, dataset, &points, options, &s);
    release_solution(context, &s);
    sf_points_release(&points);
    if (status != SF_OK) {
        sf_margin_destroy(&margin);
        return status;
    }
    *out = margin;
    return SF_OK;
}

void sf_margin_destroy(sf_margin **margin)
{
    if (!margin || !*margin)
        return;
    sf_context *context = (*margin)->context;
    sf_free(context, (*margin)->direction);
    sf_free(context, (*margin)->multipliers);
    sf_free(context, (*margin)->certificate);
    sf_free(context, (*margin)->face);
    sf_free(context, *margin);
    *margin = NULL;
}

bool sf_margin_separable(const sf_margin *margin)
{
    return margin->separable;
}

double sf_margin_value(const sf_margin *margin)
{
    return margin->separable ? margin->value : NAN;
}

const double *sf_margin_direction(const sf_margin *margin)
{
    return margin->separable ? margin->direction : NULL;
}

const double *sf_margin_multipliers(const sf_margin *margin)
{
    return margin->separable ? margin->multipliers : NULL;
}

double sf_margin_kkt_residual(const sf_margin *margin)
{
    return margin->separable ? margin->kkt_residual : NAN;
}

sf_answer sf_margin_unique(const sf_margin *margin)
{
    return margin->separable ? margin->unique : SF_UNKNOWN;
}

const size_t *sf_margin_face(const sf_margin *margin, size_t *count)
{
    *count = margin->separable ? margin->face_count : 0;
    return margin->face;
}

const double *sf_margin_certificate(const sf_margin *margin)
{
    return margin->separable ? NULL : margin->certificate;
}

double sf_margin_certificate_residual(const sf_margin *margin)
{
    return margin->separable ? NAN : margin->certificate_residual;
}
