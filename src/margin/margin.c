/* Max-margin classifiers: which solver, and what its answer is worth.
 *
 * Hyperplanes go through the origin. What the first solver calls inseparable is asked again by partition.c, which does not
 * mind features of very different sizes and finds the examples that can be separated when not all can; the solvers then get
 * the problem with margins >= 0 for the others.
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
    sf_separability separability;
    bool *separated;      // (n), if weakly separable
    bool directed;        // direction is that of the separated examples
    long double smallest; // value before it was rounded
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
/* A margin of a balanced example that counts as 0, relative to the size of its terms. */
static const long double BALANCED = 1e-13L;

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

/* Whether every margin of the direction is positive beyond doubt, and those of balanced examples are 0 to within rounding; the
 * smallest positive one goes to *smallest. c: the direction in stored coordinates, of any length. */
static bool separates(const sf_dataset *dataset, const sf_points *points, const double *beta,
                      const long double *c, long double *smallest)
{
    bool proved = true;
    *smallest = INFINITY;
    for (size_t n = 0; n < dataset->n; n++) {
        if (points->balanced && points->balanced[n]) {
            long double margin = sf_dot(points->d, points->z + n * points->d, c);
            proved = proved && fabsl(margin) <= BALANCED * sf_margin_scale(points, n, c);
            continue;
        }
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

/* The largest share of its terms by which Z'lambda misses the subdifferential in a coordinate: how much the entries of one
 * feature would have to change for the conditions to hold exactly. work: (stored) Z'lambda. */
static double backward_residual(const sf_dataset *dataset, const sf_margin_options *options,
                                const double *beta, const double *lambda, long double smallest,
                                const long double *work)
{
    long double worst = 0.0L;
    size_t width = dataset->stored;
    for (size_t j = 0; j < width * (dataset->mirrored ? 2 : 1); j++) {
        long double size = 0.0L, q = j < width ? work[j] : -work[j - width];
        for (size_t n = 0; n < dataset->n; n++)
            size += fabsl((long double)lambda[n] * dataset->z[n * width + j % width]);
        long double gap = distance(options, q, beta[j] / smallest);
        worst = gap > 0.0L ? fmaxl(worst, gap / size) : worst;
    }
    return (double)worst;
}

/* The residual of the KKT conditions at beta (d) and lambda (n); smallest: its smallest margin. work:
 * (stored). Where multipliers as doubles cannot do better than ACCEPTED_KKT, it is relative to what they are made of. */
static double kkt_residual(const sf_dataset *dataset, const sf_points *points,
                           const sf_margin_options *options, const double *beta, const double *lambda,
                           long double smallest, long double *work)
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
            slack += fabs(lambda[n]) *
                     fabsl(margin_of(dataset, n, beta, NULL) / smallest - sf_required(points, n));
    }
    if (off > ACCEPTED_KKT)
        off = backward_residual(dataset, options, beta, lambda, smallest, work);
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
        margin->unique = SF_ANSWER_NO;
    if (margin->unique == SF_ANSWER_YES)
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
static sf_status prove(sf_margin *margin, const sf_dataset *dataset, const sf_points *points,
                       const sf_margin_options *options, const solution *s, bool *proved)
{
    long double smallest, power = options->norm == SF_NORM_L1 ? 1.0L : 2.0L;
    set_direction(margin, dataset, options, s->beta);
    *proved = separates(dataset, points, margin->direction, s->beta, &smallest);
    if (!*proved)
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
    margin->smallest = smallest;
    margin->value = (double)smallest;
    margin->separability = SF_SEPARABLE;
    margin->directed = true;
    return SF_OK;
}

/* The same, and the direction is that of the largest margin: the KKT conditions hold as well as doubles can. */
static sf_status accept(sf_margin *margin, const sf_dataset *dataset, const sf_points *points,
                        const sf_margin_options *options, const solution *s, bool *accepted)
{
    SF_TRY(prove(margin, dataset, points, options, s, accepted));
    if (!*accepted)
        return SF_OK;
    long double *work = SF_ARRAY(margin->context, dataset->stored, long double);
    if (!work)
        return SF_ERR_MEMORY;
    margin->kkt_residual = kkt_residual(dataset, points, options, margin->direction, margin->multipliers,
                                        margin->smallest, work);
    sf_free(margin->context, work);
    double ratio = (double)(points->largest * points->unit / margin->smallest);
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
    margin->separability = SF_INSEPARABLE;
    margin->directed = false;
    *refused = residual <= CERTIFIED * points->largest * points->unit;
    return SF_OK;
}

static sf_status undecided(sf_margin *margin, bool separable)
{
    if (separable)
        return sf_fail(
            margin->context, SF_ERR_NUMERIC,
            "%zu examples with %zu features are separable, but their max-margin direction could not be "
            "computed to working precision; bring the features to similar sizes",
            margin->n, margin->d);
    return sf_fail(
        margin->context, SF_ERR_NUMERIC,
        "neither a separating direction nor a certificate that there is none could be verified for %zu "
        "examples with %zu features by a hyperplane through the origin: to within rounding the data are not "
        "separable",
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

static sf_status solve_l1_once(sf_margin *margin, const sf_dataset *dataset, const sf_points *points,
                               const sf_margin_options *options, double guess, solution *s, bool *accepted)
{
    *accepted = false;
    SF_TRY(sf_l1_solve(points, guess, s->beta, s->lambda, accepted));
    if (*accepted)
        SF_TRY(accept(margin, dataset, points, options, s, accepted));
    return SF_OK;
}

/* ---- when the first solver found no separating direction ------------------------------------------------ */

/* The nearest point in the complement of the balanced examples' span, whose l2 problem is the weakly separable one. */
static sf_status solve_projected(sf_margin *margin, const sf_dataset *dataset, const sf_points *points,
                                 const sf_margin_options *options, const sf_partition *partition, solution *s,
                                 bool *accepted)
{
    sf_context *context = margin->context;
    size_t n = points->n, d = points->d, rests = 0;
    sf_qr span = {.context = context, .rows = d};
    double *rows = SF_ARRAY(context, n * d, double);
    long double *x = SF_ARRAY(context, d, long double), *lambda = SF_ARRAY(context, n, long double);
    sf_points rest = {.context = context, .z = rows, .d = d, .unit = points->unit};
    rest.norm = SF_ARRAY(context, n, long double);
    sf_status status = rows && x && lambda && rest.norm ? SF_OK : SF_ERR_MEMORY;
    for (size_t i = 0; i < partition->rank && status == SF_OK; i++) {
        bool independent;
        for (size_t j = 0; j < d; j++)
            x[j] = points->z[partition->basis[i] * d + j];
        status = sf_qr_append(&span, x, &independent);
    }
    for (size_t i = 0; i < n && status == SF_OK; i++)
        if (!partition->balanced[i]) {
            for (size_t j = 0; j < d; j++)
                x[j] = points->z[i * d + j];
            rest.norm[rests] = sf_qr_residual(&span, x);
            rest.largest = fmaxl(rest.largest, rest.norm[rests]);
            for (size_t j = 0; j < d; j++)
                rows[rests * d + j] = (double)x[j];
            rests++;
        }
    rest.n = rests;
    if (status == SF_OK)
        status = sf_hull_nearest(&rest, lambda, s->beta);
    if (status == SF_OK) {
        sf_qr_residual(&span, s->beta); // the rows were rounded
        long double norm2 = sf_dot_long(d, s->beta, s->beta);
        for (size_t j = 0; j < d; j++)
            s->beta[j] /= norm2;
        for (size_t i = 0, r = 0; i < n; i++)
            s->lambda[i] = partition->balanced[i] ? 0.0L : lambda[r++] / norm2;
        status = prove(margin, dataset, points, options, s, accepted);
    }
    // multipliers of balanced examples may have any sign, so the residual is what is left across their span
    if (status == SF_OK && *accepted) {
        long double off = 0.0L, length = 0.0L;
        memset(x, 0, d * sizeof *x);
        for (size_t i = 0; i < n; i++)
            sf_add_multiple(d, s->lambda[i], points->z + i * d, x);
        for (size_t j = 0; j < d; j++)
            x[j] -= s->beta[j];
        sf_qr_residual(&span, x);
        for (size_t j = 0; j < d; j++) {
            off += x[j] * x[j];
            length += s->beta[j] * s->beta[j];
        }
        margin->kkt_residual = (double)sqrtl(off / length);
        *accepted = margin->kkt_residual <= ACCEPTED_KKT;
    }
    sf_qr_release(&span);
    sf_free(context, rows);
    sf_free(context, x);
    sf_free(context, lambda);
    sf_free(context, rest.norm);
    return status;
}

/* The l1 margin of the direction that the partition rests on: a first guess at the largest. */
static double guess_of(const sf_points *points, const sf_partition *partition)
{
    long double smallest = INFINITY, norm = 0.0L;
    for (size_t j = 0; j < points->d; j++)
        norm += fabsl(partition->beta[j]);
    for (size_t n = 0; n < points->n; n++)
        if (!partition->balanced[n])
            smallest = fminl(smallest, sf_dot(points->d, points->z + n * points->d, partition->beta));
    return (double)(smallest / norm);
}

/* Weakly separable: the split, its certificate, and the max-margin direction of what can be separated. */
static sf_status settle_weakly(sf_margin *margin, const sf_dataset *dataset, sf_points *points,
                               const sf_margin_options *options, const sf_partition *partition, solution *s)
{
    bool refused, accepted = false;
    for (size_t n = 0; n < margin->n; n++)
        s->lambda[n] = partition->balanced[n] ? partition->lambda[n] : 0.0L;
    SF_TRY(refuse(margin, dataset, points, options, s->lambda, &refused));
    margin->separated = SF_ARRAY(margin->context, margin->n, bool);
    if (!margin->separated)
        return SF_ERR_MEMORY;
    for (size_t n = 0; n < margin->n; n++)
        margin->separated[n] = !partition->balanced[n];
    points->balanced = partition->balanced;
    if (options->norm == SF_NORM_L1)
        SF_TRY(solve_l1_once(margin, dataset, points, options, guess_of(points, partition), s, &accepted));
    else if (!points->nonnegative)
        SF_TRY(solve_projected(margin, dataset, points, options, partition, s, &accepted));
    margin->directed = accepted;
    margin->separability = SF_WEAKLY_SEPARABLE;
    if (accepted && options->norm == SF_NORM_L1)
        SF_TRY(sf_face_find(points, s->beta, s->lambda, &margin->unique, s->face));
    else if (accepted)
        margin->unique = SF_ANSWER_YES;
    return accepted ? set_face(margin, dataset, options, s) : SF_OK;
}

/* Separable for certain, but lost by a solver that measures against the longest example. */
static sf_status settle_separable(sf_margin *margin, const sf_dataset *dataset, const sf_points *points,
                                  const sf_margin_options *options, const sf_partition *partition,
                                  solution *s, bool *accepted)
{
    if (options->norm == SF_NORM_L2 && !points->nonnegative) {
        SF_TRY(sf_wide_solve(points, s->beta, s->lambda, accepted));
        return *accepted ? accept(margin, dataset, points, options, s, accepted) : SF_OK;
    }
    if (options->norm == SF_NORM_L2)
        return SF_OK;
    return solve_l1_once(margin, dataset, points, options, guess_of(points, partition), s, accepted);
}

/* What partition.c says where the first solver refused (its certificate is in the margin) or could not decide. */
static sf_status settle(sf_margin *margin, const sf_dataset *dataset, sf_points *points,
                        const sf_margin_options *options, solution *s, bool refused, bool *separable)
{
    sf_partition partition;
    bool accepted = false;
    *separable = false;
    sf_status status = sf_partition_create(points, &partition);
    if (status == SF_OK && partition.kind == SF_SEPARABLE) {
        if (partition.decided)
            status = settle_separable(margin, dataset, points, options, &partition, s, &accepted);
        *separable = accepted;
        if (status == SF_OK && !accepted)
            status = undecided(margin, partition.decided);
    } else if (status == SF_OK && partition.kind == SF_WEAKLY_SEPARABLE) {
        status = settle_weakly(margin, dataset, points, options, &partition, s);
    } else if (status == SF_OK && !refused) {
        for (size_t n = 0; n < margin->n; n++)
            s->lambda[n] = partition.lambda[n];
        status = refuse(margin, dataset, points, options, s->lambda, &accepted);
    }
    points->balanced = NULL;
    sf_partition_release(margin->context, &partition);
    return status;
}

static sf_status solve_l2(sf_margin *margin, const sf_dataset *dataset, sf_points *points,
                          const sf_margin_options *options, solution *s)
{
    bool decided;
    SF_TRY(solve_hull(margin, dataset, points, options, s, &decided));
    bool separable = decided && margin->separability == SF_SEPARABLE;
    if (!separable)
        SF_TRY(settle(margin, dataset, points, options, s, decided, &separable));
    else if (margin->value <= DOUBTFUL * points->largest * points->unit && !points->nonnegative) {
        // a margin far below the longest example may owe its digits to rounding
        bool accepted;
        SF_TRY(settle_separable(margin, dataset, points, options, NULL, s, &accepted));
        if (!accepted)
            SF_TRY(solve_hull(margin, dataset, points, options, s, &decided));
    }
    if (!separable)
        return SF_OK;
    margin->unique = SF_ANSWER_YES;
    return set_face(margin, dataset, options, s);
}

static sf_status solve_l1(sf_margin *margin, const sf_dataset *dataset, sf_points *points,
                          const sf_margin_options *options, solution *s)
{
    bool accepted, decided;
    SF_TRY(solve_l1_once(margin, dataset, points, options, 0.0, s, &accepted));
    if (!accepted || margin->value <= DOUBTFUL * points->largest * points->unit) {
        // not separable, or with a margin below the tolerances of the linear programme
        SF_TRY(solve_hull(margin, dataset, points, options, s, &decided));
        accepted = decided && margin->separability == SF_SEPARABLE;
        double guess = margin->value / points->unit;
        if (accepted)
            SF_TRY(solve_l1_once(margin, dataset, points, options, guess, s, &accepted));
        if (!accepted) {
            bool refused = decided && margin->separability == SF_INSEPARABLE;
            SF_TRY(settle(margin, dataset, points, options, s, refused, &accepted));
        }
    }
    if (!accepted)
        return SF_OK;
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
                          .unique = SF_ANSWER_UNKNOWN};
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
    SF_OUT(context, out);
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
    sf_free(context, (*margin)->separated);
    sf_free(context, *margin);
    *margin = NULL;
}

bool sf_margin_separable(const sf_margin *margin)
{
    return margin->separability == SF_SEPARABLE;
}

sf_separability sf_margin_separability(const sf_margin *margin)
{
    return margin->separability;
}

const bool *sf_margin_separated(const sf_margin *margin)
{
    return margin->separability == SF_WEAKLY_SEPARABLE ? margin->separated : NULL;
}

double sf_margin_value(const sf_margin *margin)
{
    return margin->directed ? margin->value : NAN;
}

const double *sf_margin_direction(const sf_margin *margin)
{
    return margin->directed ? margin->direction : NULL;
}

const double *sf_margin_multipliers(const sf_margin *margin)
{
    return margin->directed ? margin->multipliers : NULL;
}

double sf_margin_kkt_residual(const sf_margin *margin)
{
    return margin->directed ? margin->kkt_residual : NAN;
}

sf_answer sf_margin_unique(const sf_margin *margin)
{
    return margin->directed ? margin->unique : SF_ANSWER_UNKNOWN;
}

const size_t *sf_margin_face(const sf_margin *margin, size_t *count)
{
    *count = margin->directed ? margin->face_count : 0;
    return margin->face;
}

const double *sf_margin_certificate(const sf_margin *margin)
{
    return sf_margin_separable(margin) ? NULL : margin->certificate;
}

double sf_margin_certificate_residual(const sf_margin *margin)
{
    return sf_margin_separable(margin) ? NAN : margin->certificate_residual;
}
