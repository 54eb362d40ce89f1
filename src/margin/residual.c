/* How far a direction is from satisfying the KKT conditions: the best multipliers, then the residual.
 *
 * With b = beta / (smallest margin) and multipliers on the examples whose margin is within `active` of 1, the multipliers
 * minimize sum_j dist(q_j, D_j)^2, q = Z'lambda, D the subdifferential of the norm at b. Where D_j is a number this is
 * least squares with lambda >= 0. Where b_j = 0 it is a half-line or an interval, and the term is a hinge: (q_j - 1)_+^2 is the
 * least of (q_j - 1 + h)^2 over h >= 0, one more row and column. Hinges are added only for coordinates found outside
 * their interval, until no other is; then those left out contribute nothing.
 */
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "data/dataset.h"
#include "margin/margin.h"

typedef struct kkt {
    sf_context *context;
    const sf_dataset *dataset;
    const sf_margin_options *options;
    size_t n, d;
    long double *b;      // (d) smallest margin 1
    long double *margin; // (n) of b
    bool *zero;          // (d) coordinates that count as 0
    size_t actives, *active;
    size_t targets, *target; // coordinates where D_j is a number
    size_t hinges, *hinge;   // 2j + 1: q_j >= lower end, 2j: q_j <= upper end
    bool *hinged;            // (2d)
    long double *q;          // (d)
    long double *lambda;     // (actives)
} kkt;

static void release(kkt *k)
{
    sf_free(k->context, k->b);
    sf_free(k->context, k->margin);
    sf_free(k->context, k->zero);
    sf_free(k->context, k->active);
    sf_free(k->context, k->target);
    sf_free(k->context, k->hinge);
    sf_free(k->context, k->hinged);
    sf_free(k->context, k->q);
    sf_free(k->context, k->lambda);
}

static sf_status reserve(kkt *k)
{
    k->b = SF_ARRAY(k->context, k->d, long double);
    k->margin = SF_ARRAY(k->context, k->n, long double);
    k->zero = sf_alloc_zero(k->context, k->d, sizeof *k->zero);
    k->active = SF_ARRAY(k->context, k->n, size_t);
    k->target = SF_ARRAY(k->context, k->d, size_t);
    k->hinge = SF_ARRAY(k->context, 2 * k->d, size_t);
    k->hinged = sf_alloc_zero(k->context, 2 * k->d, sizeof *k->hinged);
    k->q = SF_ARRAY(k->context, k->d, long double);
    k->lambda = SF_ARRAY(k->context, k->n, long double);
    return k->b && k->margin && k->zero && k->active && k->target && k->hinge && k->hinged && k->q &&
                   k->lambda
               ? SF_OK
               : SF_ERR_MEMORY;
}

/* z_nj in all d coordinates. */
static long double entry(const kkt *k, size_t n, size_t j)
{
    size_t width = k->dataset->stored;
    double z = k->dataset->z[n * width + j % width];
    return j < width ? z : -z;
}

/* Scales beta to smallest margin 1; false if that is not positive. */
static bool scale(kkt *k, const double *beta)
{
    long double smallest = INFINITY;
    for (size_t n = 0; n < k->n; n++) {
        k->margin[n] = 0.0L;
        for (size_t j = 0; j < k->d; j++)
            k->margin[n] += entry(k, n, j) * beta[j];
        smallest = fminl(smallest, k->margin[n]);
    }
    if (!(smallest > 0.0L))
        return false;
    for (size_t n = 0; n < k->n; n++)
        k->margin[n] /= smallest;
    for (size_t j = 0; j < k->d; j++)
        k->b[j] = beta[j] / smallest;
    return true;
}

static void select_active(kkt *k, double active)
{
    long double largest = 0.0L;
    for (size_t j = 0; j < k->d; j++)
        largest = fmaxl(largest, fabsl(k->b[j]));
    for (size_t n = 0; n < k->n; n++)
        if (k->margin[n] <= 1.0L + active)
            k->active[k->actives++] = n;
    for (size_t j = 0; j < k->d; j++) {
        k->zero[j] = fabsl(k->b[j]) <= active * largest;
        if (!k->zero[j] || (k->options->norm == SF_NORM_L2 && !k->options->nonnegative))
            k->target[k->targets++] = j;
    }
}

/* The number that D_j is for a target, and the ends of the interval for the others. */
static long double goal(const kkt *k, size_t j)
{
    return k->options->norm == SF_NORM_L2 ? k->b[j] : k->b[j] > 0.0L ? 1.0L : -1.0L;
}

static long double upper_end(const kkt *k)
{
    return k->options->norm == SF_NORM_L2 ? 0.0L : 1.0L;
}

static long double lower_end(const kkt *k)
{
    return k->options->nonnegative ? -INFINITY : -1.0L;
}

/* Multipliers for the present hinges, and q. */
static sf_status fit(kkt *k)
{
    size_t rows = k->targets + k->hinges, columns = k->actives + k->hinges;
    long double *a = sf_alloc_zero(k->context, columns, rows * sizeof *a);
    long double *work = SF_ARRAY(k->context, 2 * rows + columns, long double);
    sf_status status = a && work ? SF_OK : SF_ERR_MEMORY;
    if (status == SF_OK) {
        long double *b = work, *residual = work + rows, *x = work + 2 * rows;
        for (size_t r = 0; r < rows; r++) {
            size_t side = r < k->targets ? 0 : k->hinge[r - k->targets] % 2;
            size_t j = r < k->targets ? k->target[r] : k->hinge[r - k->targets] / 2;
            b[r] = r < k->targets ? goal(k, j) : side ? -lower_end(k) : upper_end(k);
            for (size_t i = 0; i < k->actives; i++)
                a[i * rows + r] = side ? -entry(k, k->active[i], j) : entry(k, k->active[i], j);
            if (r >= k->targets)
                a[(k->actives + r - k->targets) * rows + r] = 1.0L;
        }
        status = sf_nnls(k->context, rows, columns, a, b, x, residual);
        memcpy(k->lambda, x, k->actives * sizeof *x);
        memset(k->q, 0, k->d * sizeof *k->q);
        for (size_t i = 0; i < k->actives; i++)
            for (size_t j = 0; j < k->d && x[i] > 0.0L; j++)
                k->q[j] += x[i] * entry(k, k->active[i], j);
    }
    sf_free(k->context, a);
    sf_free(k->context, work);
    return status;
}

/* Adds a hinge for every coordinate outside its interval; returns how many. */
static size_t add_hinges(kkt *k)
{
    size_t before = k->hinges;
    for (size_t j = 0; j < k->d; j++) {
        if (!k->zero[j] || (k->options->norm == SF_NORM_L2 && !k->options->nonnegative))
            continue;
        if (k->q[j] > upper_end(k) && !k->hinged[2 * j]) {
            k->hinged[2 * j] = true;
            k->hinge[k->hinges++] = 2 * j;
        }
        if (k->q[j] < lower_end(k) && !k->hinged[2 * j + 1]) {
            k->hinged[2 * j + 1] = true;
            k->hinge[k->hinges++] = 2 * j + 1;
        }
    }
    return k->hinges - before;
}

static double measure(const kkt *k)
{
    long double off = 0.0L, length = 0.0L, slack = 0.0L, total = 0.0L;
    for (size_t i = 0; i < k->targets; i++) {
        long double gap = k->q[k->target[i]] - goal(k, k->target[i]);
        off += gap * gap;
    }
    for (size_t j = 0; j < k->d; j++) {
        length += k->b[j] * k->b[j];
        if (!k->zero[j] || (k->options->norm == SF_NORM_L2 && !k->options->nonnegative))
            continue;
        long double gap = fmaxl(0.0L, fmaxl(k->q[j] - upper_end(k), lower_end(k) - k->q[j]));
        off += gap * gap;
    }
    for (size_t i = 0; i < k->actives; i++) {
        total += k->lambda[i];
        slack += k->lambda[i] * (k->margin[k->active[i]] - 1.0L);
    }
    off = sqrtl(off);
    if (k->options->norm == SF_NORM_L2)
        off /= sqrtl(length);
    return (double)(total > 0.0L ? off + slack / total : off);
}

sf_status sf_margin_residual_of(sf_context *context, const sf_dataset *dataset,
                                const sf_margin_options *options, const double *beta, double active,
                                double *residual)
{
    if (!context || !dataset || !options || !beta || !residual)
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "a residual needs a data set, options, a direction and a place for it");
    *residual = INFINITY;
    if (options->norm != SF_NORM_L1 && options->norm != SF_NORM_L2)
        return sf_fail(context, SF_ERR_ARGUMENT, "norm is %d, expected 1 or 2", (int)options->norm);
    if (!(active >= 0.0))
        return sf_fail(context, SF_ERR_ARGUMENT, "active is %g, expected a number >= 0", active);
    kkt k = {.context = context,
             .dataset = dataset,
             .options = options,
             .n = sf_dataset_examples(dataset),
             .d = sf_dataset_features(dataset)};
    for (size_t j = 0; options->nonnegative && j < k.d; j++)
        if (beta[j] < 0.0)
            return SF_OK; // outside the feasible set
    sf_status status = reserve(&k);
    if (status == SF_OK && scale(&k, beta)) {
        select_active(&k, active);
        do
            status = fit(&k);
        while (status == SF_OK && add_hinges(&k) > 0);
        if (status == SF_OK)
            *residual = measure(&k);
    }
    release(&k);
    return status;
}
