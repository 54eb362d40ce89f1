/* Modes of the reduction of l2-SAM at L = 2, N = 1 (theory, section 3).
 *
 * With nu = |mu_j|, let p be that one of u = w_1 + w_2, v = w_1 - w_2 which grows (u if mu_j > 0) and q the
 * other: p = p(0) exp(nu tau - nu^2 B),   q = q(0) exp(-nu tau - nu^2 B), so q is a mode of strength -nu, and
 * with one list of signed strengths lambda and start amplitudes a, n^2 = sum w,  w = (lambda^2 a^2 / 2) exp(2
 * lambda tau - 2 lambda^2 B), margin at theta     (1/2) sum w / lambda, margin at theta_hat (1/2) sum (w /
 * lambda) (1 - rho lambda / n)^2. Weights are kept as logarithms. Modes of the same strength add their
 * weights.
 *
 * Many features: the strengths of one bin (1/128 of an octave, cut by the leading bits of the number) see
 * exponentials that differ by exp(delta * (2 tau - 4 lambda B)) with small delta, so the Gauss quadrature of
 * the bin's own weights with eight nodes, exact for polynomials of degree 15 in delta, replaces them to
 * rounding while lambda |tau - 2 lambda B| stays below about 200; the sum of n^2 is by then dominated by the
 * strongest bin alone and log t is of the order e^400. Nodes and weights come from the Stieltjes procedure
 * and the eigenvalues of the Jacobi matrix (Golub and Welsch, 1969).
 */
#include "theory/modes.h"

#include <stdlib.h>
#include <string.h>

enum { NODES = 8, MANTISSA_BITS = 52 };
// bins an octave of strength, as a power of two, and the count from which features are binned
enum { FINE_BITS = 7, FINE_LIMIT = 2048, COARSE_BITS = 4, COARSE_LIMIT = 96 };

typedef struct mode {
    double lambda;
    sf_real weight;
} mode;

static int by_lambda(const void *left, const void *right)
{
    double a = ((const mode *)left)->lambda, b = ((const mode *)right)->lambda;
    return (a > b) - (a < b);
}

/* Sorts and adds up modes of one strength; returns how many are left. */
static size_t merge(size_t count, mode *list)
{
    qsort(list, count, sizeof *list, by_lambda);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && list[kept - 1].lambda == list[i].lambda)
            list[kept - 1].weight += list[i].weight;
        else
            list[kept++] = list[i];
    }
    return kept;
}

/* ---- bins ---------------------------------------------------------------------------------------- */

/* Increases with lambda > 0; one value a bin. Negative strengths are binned by their size, apart. */
static size_t bin_key(double lambda, int bits_kept)
{
    uint64_t bits;
    double size = fabs(lambda);
    memcpy(&bits, &size, sizeof bits);
    return (size_t)(bits >> (MANTISSA_BITS - bits_kept)) << 1 | (lambda < 0.0);
}

/* Eigenvalues of the symmetric tridiagonal matrix (diagonal a, subdiagonal b[0..n-2]) into a, and the squares
 * of the first components of its eigenvectors into z, by the implicit QL algorithm. False if it does not
 * converge. */
static bool tridiagonal(int n, double *a, double *b, double *z)
{
    for (int i = 0; i < n; i++)
        z[i] = i == 0;
    b[n - 1] = 0.0;
    for (int l = 0; l < n; l++) {
        for (int sweep = 0;; sweep++) {
            int m = l;
            while (m < n - 1 && fabs(b[m]) > 1e-17 * (fabs(a[m]) + fabs(a[m + 1])))
                m++;
            if (m == l)
                break;
            if (sweep == 60)
                return false;
            double g = (a[l + 1] - a[l]) / (2.0 * b[l]), r = hypot(g, 1.0);
            g = a[m] - a[l] + b[l] / (g + copysign(r, g));
            double s = 1.0, c = 1.0, p = 0.0;
            for (int i = m - 1; i >= l; i--) {
                double f = s * b[i], h = c * b[i];
                r = hypot(f, g);
                b[i + 1] = r;
                if (r == 0.0) {
                    a[i + 1] -= p;
                    b[m] = 0.0;
                    break;
                }
                s = f / r;
                c = g / r;
                g = a[i + 1] - p;
                r = (a[i] - g) * s + 2.0 * c * h;
                p = s * r;
                a[i + 1] = g + p;
                g = c * r - h;
                f = z[i + 1];
                z[i + 1] = s * z[i] + c * f;
                z[i] = c * z[i] - s * f;
            }
            if (r == 0.0 && m - 1 > l)
                continue;
            a[l] -= p;
            b[l] = g;
            b[m] = 0.0;
        }
    }
    for (int i = 0; i < n; i++)
        z[i] *= z[i];
    return true;
}

/* Replaces count modes of one bin by at most NODES; work: 4 * count doubles. Returns the number of nodes. */
static size_t quadrature(size_t count, const mode *list, double *work, mode *out)
{
    if (count <= NODES) {
        memcpy(out, list, count * sizeof *list);
        return count;
    }
    double *x = work, *w = work + count, *now = work + 2 * count, *before = work + 3 * count;
    double low = list[0].lambda, high = low;
    sf_real total = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, list[i].lambda);
        high = fmax(high, list[i].lambda);
        largest = list[i].weight > largest ? list[i].weight : largest;
        total += list[i].weight;
    }
    double centre = low + 0.5 * (high - low), half = 0.5 * (high - low);
    if (half == 0.0) {
        out[0] = (mode){low, total};
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        x[i] = (list[i].lambda - centre) / half;
        w[i] = (double)(list[i].weight / largest);
        now[i] = 1.0;
        before[i] = 0.0;
    }
    double alpha[NODES], beta[NODES], z[NODES], norm_before = 1.0;
    int n = 0;
    while (n < NODES) {
        double norm = 0.0, moment = 0.0;
        for (size_t i = 0; i < count; i++) {
            double square = w[i] * now[i] * now[i];
            norm += square;
            moment += square * x[i];
        }
        double ratio = n == 0 ? 0.0 : norm / norm_before;
        if (!(norm > 0.0) || (n > 0 && ratio < 1e-26))
            break; // fewer strengths carry weight than there are nodes
        alpha[n] = moment / norm;
        if (n > 0)
            beta[n - 1] = sqrt(ratio);
        for (size_t i = 0; i < count; i++) {
            double next = (x[i] - alpha[n]) * now[i] - ratio * before[i];
            before[i] = now[i];
            now[i] = next;
        }
        norm_before = norm;
        n++;
    }
    if (!tridiagonal(n, alpha, beta, z)) {
        memcpy(out, list, count * sizeof *list);
        return count;
    }
    for (int i = 0; i < n; i++)
        out[i] = (mode){centre + half * alpha[i], total * z[i]};
    return (size_t)n;
}

/* Counting sort into bins, then a quadrature each. The list is replaced by a shorter one. */
static sf_status compress(sf_context *context, int bits, size_t *count, mode *list)
{
    size_t least = SIZE_MAX, most = 0, total = *count;
    for (size_t i = 0; i < total; i++) {
        size_t key = bin_key(list[i].lambda, bits);
        least = key < least ? key : least;
        most = key > most ? key : most;
    }
    size_t bins = most - least + 1, kept = 0, largest = 0;
    size_t *start = sf_alloc_zero(context, bins + 1, sizeof *start);
    mode *sorted = SF_ARRAY(context, total, mode);
    double *work = NULL;
    sf_status status = SF_ERR_MEMORY;
    if (!start || !sorted)
        goto done;
    for (size_t i = 0; i < total; i++)
        start[bin_key(list[i].lambda, bits) - least + 1]++;
    for (size_t b = 0; b < bins; b++) {
        largest = start[b + 1] > largest ? start[b + 1] : largest;
        start[b + 1] += start[b];
    }
    for (size_t i = 0; i < total; i++)
        sorted[start[bin_key(list[i].lambda, bits) - least]++] = list[i];
    if (!(work = SF_ARRAY(context, 4 * largest, double)))
        goto done;
    for (size_t b = 0, from = 0; b < bins; from = start[b++])
        kept += quadrature(start[b] - from, sorted + from, work, list + kept);
    *count = kept;
    status = SF_OK;
done:
    sf_free(context, start);
    sf_free(context, sorted);
    sf_free(context, work);
    return status;
}

/* ---- building ------------------------------------------------------------------------------------ */

static size_t collect(size_t d, const double *mu, const double *w1, const double *w2, sf_real rho,
                      double unit, mode *list)
{
    size_t count = 0;
    for (size_t j = 0; j < d; j++) {
        double nu = fabs(mu[j]) / unit;
        sf_real other = mu[j] > 0.0 ? (sf_real)w2[j] : -(sf_real)w2[j];
        sf_real amplitude[2] = {(sf_real)w1[j] + other, (sf_real)w1[j] - other};
        for (int k = 0; k < 2; k++) {
            sf_real a = nu * (amplitude[k] / rho);
            if (a != 0)
                list[count++] = (mode){k == 0 ? nu : -nu, a * a / 2};
        }
    }
    return count;
}

static sf_status adopt(sf_modes *modes, size_t count, const mode *list)
{
    sf_context *context = modes->context;
    modes->count = count;
    modes->lambda = SF_ARRAY(context, count, sf_real);
    modes->log_strength = SF_ARRAY(context, count, sf_real);
    modes->log_weight = SF_ARRAY(context, count, sf_real);
    if (!modes->lambda || !modes->log_strength || !modes->log_weight) {
        sf_modes_release(modes);
        return SF_ERR_MEMORY;
    }
    modes->first_growing = count;
    for (size_t i = count; i-- > 0;) {
        modes->lambda[i] = list[i].lambda;
        modes->log_strength[i] = real_log(real_abs(modes->lambda[i]));
        modes->log_weight[i] = real_log(list[i].weight);
        if (list[i].lambda > 0.0)
            modes->first_growing = i;
    }
    modes->cut = real_log((sf_real)(count + 1)) - real_log(REAL_EPSILON) + 3;
    return SF_OK;
}

sf_status sf_modes_create(sf_context *context, size_t d, const double *mu, const double *w1, const double *w2,
                          double rho, sf_modes *modes)
{
    *modes =
        (sf_modes){.context = context, .descent = rho == 0.0, .rho = rho == 0.0 ? 1.0 : rho, .unit = 1.0};
    double strongest = 0.0;
    if (d == 0)
        return sf_fail(context, SF_ERR_ARGUMENT, "the reduction needs at least one feature");
    if (!mu || !w1 || !w2)
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "the reduction needs mu, w1 and w2, and one of them is NULL");
    SF_TRY(sf_perturbation_check(context, &(sf_perturbation){.method = SF_METHOD_L2, .rho = rho}));
    for (size_t j = 0; j < d; j++) {
        if (!isfinite(mu[j]) || !isfinite(w1[j]) || !isfinite(w2[j]))
            return sf_fail(context, SF_ERR_ARGUMENT,
                           "feature %zu: mu %g, w1 %g, w2 %g, expected finite numbers", j, mu[j], w1[j],
                           w2[j]);
        strongest = fmax(strongest, fabs(mu[j]));
    }
    if (strongest > 0.0) {
        int exponent;
        frexp(strongest, &exponent);
        modes->unit = ldexp(1.0, exponent);
    }
    modes->margin_unit = modes->rho * modes->rho * modes->unit;
    if (d > SIZE_MAX / 2)
        return sf_fail(context, SF_ERR_MEMORY, "%zu features exceed the address space", d);
    mode *list = SF_ARRAY(context, 2 * d, mode);
    if (!list)
        return SF_ERR_MEMORY;
    size_t count = collect(d, mu, w1, w2, modes->rho, modes->unit, list);
    sf_status status = count > FINE_LIMIT ? compress(context, FINE_BITS, &count, list) : SF_OK;
    if (status == SF_OK)
        status = adopt(modes, merge(count, list), list);
    sf_free(context, list);
    return status;
}

sf_status sf_modes_coarsen(const sf_modes *modes, sf_modes *coarse)
{
    size_t count = modes->count;
    *coarse = *modes;
    coarse->lambda = coarse->log_strength = coarse->log_weight = NULL;
    mode *list = SF_ARRAY(modes->context, count, mode);
    if (!list)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        list[i] = (mode){(double)modes->lambda[i], real_exp(modes->log_weight[i])};
    sf_status status = count > COARSE_LIMIT ? compress(modes->context, COARSE_BITS, &count, list) : SF_OK;
    if (status == SF_OK)
        status = adopt(coarse, merge(count, list), list);
    sf_free(modes->context, list);
    return status;
}

void sf_modes_release(sf_modes *modes)
{
    sf_free(modes->context, modes->lambda);
    sf_free(modes->context, modes->log_strength);
    sf_free(modes->context, modes->log_weight);
    modes->lambda = modes->log_strength = modes->log_weight = NULL;
    modes->count = 0;
}

/* ---- one point ----------------------------------------------------------------------------------- */

sf_status sf_snapshot_create(const sf_modes *modes, sf_snapshot *snapshot)
{
    *snapshot = (sf_snapshot){.log_n = -INFINITY};
    snapshot->lambda = SF_ARRAY(modes->context, modes->count, sf_real);
    snapshot->weight = SF_ARRAY(modes->context, modes->count, sf_real);
    snapshot->scratch = SF_ARRAY(modes->context, modes->count, sf_real);
    if (snapshot->lambda && snapshot->weight && snapshot->scratch)
        return SF_OK;
    sf_snapshot_release(modes, snapshot);
    return SF_ERR_MEMORY;
}

void sf_snapshot_release(const sf_modes *modes, sf_snapshot *snapshot)
{
    sf_free(modes->context, snapshot->lambda);
    sf_free(modes->context, snapshot->weight);
    sf_free(modes->context, snapshot->scratch);
    *snapshot = (sf_snapshot){.log_n = -INFINITY};
}

void sf_snapshot_take(const sf_modes *modes, sf_real log_factor, sf_real tau, sf_real b,
                      sf_snapshot *snapshot)
{
    sf_real *e = snapshot->scratch, high = -INFINITY, high_inverse = -INFINITY, high_mean = -INFINITY;
    for (size_t i = 0; i < modes->count; i++) {
        sf_real lambda = modes->lambda[i], s = modes->log_strength[i];
        e[i] = modes->log_weight[i] + 2 * lambda * (tau - lambda * b);
        high = e[i] > high ? e[i] : high;
        high_inverse = e[i] - s > high_inverse ? e[i] - s : high_inverse;
        high_mean = e[i] + s > high_mean ? e[i] + s : high_mean;
    }
    // a mode stays if it matters for n, for the margin (weight / lambda) or for its perturbation (weight *
    // lambda)
    size_t active = 0;
    bool many = modes->count > SF_FEW_MODES; // then the series are in double, too
    sf_real sum = 0, cut = modes->cut;
    for (size_t i = 0; i < modes->count; i++) {
        sf_real s = modes->log_strength[i];
        if (e[i] < high - cut && e[i] - s < high_inverse - cut && e[i] + s < high_mean - cut)
            continue;
        snapshot->lambda[active] = modes->lambda[i];
        sf_real w = many ? (sf_real)exp((double)(e[i] - high)) : real_exp(e[i] - high);
        sum += snapshot->weight[active++] = w;
    }
    snapshot->active = active;
    snapshot->log_n = active ? log_factor + (high + real_log(sum)) / 2 : -INFINITY;
    sf_real inverse = 0, mean = 0, square = 0;
    for (size_t i = 0; i < active; i++) {
        sf_real w = snapshot->weight[i] /= sum, lambda = snapshot->lambda[i];
        inverse += w / lambda;
        mean += w * lambda;
        square += w * lambda * lambda;
    }
    snapshot->inverse = inverse;
    snapshot->mean = mean;
    snapshot->square = square;
}

bool sf_snapshot_grows(const sf_snapshot *snapshot)
{
    sf_real sum = 0;
    for (size_t i = 0; i < snapshot->active; i++) {
        sf_real lambda = snapshot->lambda[i];
        if (lambda < 0)
            continue;
        sum += snapshot->weight[i];
        if (sum > 0 && real_log(sum) / 2 + snapshot->log_n > real_log(lambda))
            return true;
    }
    return false;
}

bool sf_snapshot_shrinks(const sf_modes *modes, const sf_snapshot *snapshot)
{
    return modes->first_growing == modes->count ||
           (!modes->descent && snapshot->log_n < modes->log_strength[modes->first_growing]);
}
