/* Taylor steps of order 24 for the scalar equation of the reduction.
 *
 * In local units (strengths divided by the largest active one) let w_i be the weights of the active modes, of
 * sum 1, X and Y the increments of tau and B, and S(x) = n^2 / n_0^2 = sum w_i exp(2 lambda_i X - 2
 * lambda_i^2 Y). Clock tau: X = x, Y' = S^{-1/2} / n_0. Clock B: Y = x, X' = n_0 S^{1/2}. The coefficients
 * follow from E_i' = (2 lambda_i X' - 2 lambda_i^2 Y') E_i          mode by mode, for few modes, or G_i' = 2
 * X' G_{i+1} - 2 Y' G_{i+2},  G_i = sum_j w_j lambda_j^i exp(...)     from moments, for many, and R = S^p, p
 * = -1/2 or 1/2, from S R' = p S' R. The many-mode form costs one exponential and 2 K multiplications a mode
 * and step: n^2 being a sum of exponentials, all its derivatives are weighted power sums. The margin at
 * theta_hat is (1/2) [n_0^2 G_{-1} - 2 n + G_1 / S] times the margin unit and `strength`.
 *
 * The length of a step makes the last two terms of S and R smaller than the rounding error.
 */
#include "theory/taylor.h"

enum { K = SF_TAYLOR_ORDER };

struct sf_series {
    double moment[K + 1][SF_MOMENTS];  // Taylor coefficients of G_{i-1}
    sf_real mode[SF_FEW_MODES][K + 1]; // of E_i, for few modes
    sf_real s[K + 1], r[K + 1], rate[K + 1];
    sf_real ds[K + 1], dr[K + 1];        // s, r (or the reciprocal) times their index
    sf_real inverse[K + 1], mean[K + 1]; // of G_{-1}, G_1
    sf_real reciprocal[K + 1];
    sf_real *power; // (count) work space of the moments
};

sf_status sf_series_create(const sf_modes *modes, sf_series **out)
{
    *out = NULL;
    sf_series *series = SF_NEW(modes->context, sf_series);
    if (!series)
        return SF_ERR_MEMORY;
    series->power = SF_ARRAY(modes->context, modes->count, sf_real);
    if (!series->power) {
        sf_series_destroy(modes, &series);
        return SF_ERR_MEMORY;
    }
    *out = series;
    return SF_OK;
}

void sf_series_destroy(const sf_modes *modes, sf_series **series)
{
    if (!*series)
        return;
    sf_free(modes->context, (*series)->power);
    sf_free(modes->context, *series);
    *series = NULL;
}

sf_real sf_polynomial(const sf_real *c, sf_real x)
{
    sf_real value = c[K];
    for (int k = K; k-- > 0;)
        value = value * x + c[k];
    return value;
}

sf_real sf_polynomial_slope(const sf_real *c, sf_real x)
{
    sf_real value = K * c[K];
    for (int k = K; k-- > 1;)
        value = value * x + k * c[k];
    return value;
}

/* Coefficient k of the product a b; four sums, so that additions do not wait for each other. */
static sf_real convolve(const sf_real *a, const sf_real *b, int k)
{
    sf_real sum[4] = {0};
    int l = 0;
    for (; l + 3 <= k; l += 4) {
        sum[0] += a[l] * b[k - l];
        sum[1] += a[l + 1] * b[k - l - 1];
        sum[2] += a[l + 2] * b[k - l - 2];
        sum[3] += a[l + 3] * b[k - l - 3];
    }
    for (; l <= k; l++)
        sum[0] += a[l] * b[k - l];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Coefficient k >= 1 of r = S^p with S(0) = 1, from k r_k = p sum l s_l r_{k-l} - sum s_l (k-l) r_{k-l}. ds, dr: the
 * coefficients times their index; dr[k] is filled in. */
static sf_real power_term(const sf_real *s, const sf_real *ds, const sf_real *r, sf_real *dr, sf_real p,
                          int k)
{
    dr[k] = 0;
    sf_real term = p * convolve(ds, r, k) - convolve(s, dr, k);
    dr[k] = term;
    return term / k;
}

/* Coefficient k + 1 of E with E' = 2 lambda (X' - lambda Y') E. rate: the series of Y' (clock tau) or X'
 * (clock B); the other derivative is 1. */
static void advance_modes(sf_series *series, const sf_snapshot *snapshot, sf_real strength, bool b_clock,
                          bool descent, int k)
{
    sf_real s = 0, inverse = 0, mean = 0;
    for (size_t i = 0; i < snapshot->active; i++) {
        sf_real lambda = snapshot->lambda[i] / strength, *e = series->mode[i];
        sf_real product = descent ? 0 : convolve(series->rate, e, k);
        sf_real slope = b_clock ? product - lambda * e[k] : e[k] - lambda * product;
        e[k + 1] = 2 * lambda * slope / (k + 1);
        s += e[k + 1];
        inverse += e[k + 1] / lambda;
        mean += e[k + 1] * lambda;
    }
    series->s[k + 1] = s;
    series->inverse[k + 1] = inverse;
    series->mean[k + 1] = mean;
}

static void advance_moments(sf_series *series, bool b_clock, bool descent, int k)
{
    int last = 2 * (K - k - 1) + 2; // highest row still needed at order k + 1 (row i holds the power i - 1)
    double *restrict next = series->moment[k + 1];
    int shift = b_clock ? 1 : 2; // of the row that meets the series
    for (int i = 0; i <= last; i++)
        next[i] = 0.0;
    for (int l = 0; l <= k && !descent; l++) {
        const double *restrict row = series->moment[k - l] + shift;
        double rate = (double)series->rate[l];
        for (int i = 0; i <= last; i++)
            next[i] += rate * row[i];
    }
    const double *restrict plain = series->moment[k] + (3 - shift);
    double factor = 2.0 / (k + 1), sign = b_clock ? -factor : factor;
    for (int i = 0; i <= last; i++)
        next[i] = sign * (plain[i] - next[i]);
    series->inverse[k + 1] = next[0];
    series->s[k + 1] = next[1];
    series->mean[k + 1] = next[2];
}

static void start_modes(sf_series *series, const sf_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->active; i++)
        series->mode[i][0] = snapshot->weight[i];
}

/* Sums in lanes of fixed width, in tiles that stay in the first cache. */
static void start_moments(sf_series *series, const sf_snapshot *snapshot, sf_real strength)
{
    enum { TILE = 64, LANES = 8 };
    double lane[SF_MOMENTS][LANES] = {{0}};
    for (size_t from = 0; from < snapshot->active; from += TILE) {
        size_t n = snapshot->active - from < TILE ? snapshot->active - from : TILE;
        double power[TILE] = {0}, lambda[TILE] = {0};
        for (size_t j = 0; j < n; j++) {
            lambda[j] = (double)(snapshot->lambda[from + j] / strength);
            power[j] = (double)snapshot->weight[from + j] / lambda[j];
        }
        for (int i = 0; i < SF_MOMENTS; i++) {
            double sum[LANES] = {0};
            for (size_t j = 0; j < TILE; j += LANES)
                for (size_t q = 0; q < LANES; q++) {
                    sum[q] += power[j + q];
                    power[j + q] *= lambda[j + q];
                }
            for (size_t q = 0; q < LANES; q++)
                lane[i][q] += sum[q];
        }
    }
    for (int i = 0; i < SF_MOMENTS; i++) {
        double sum = 0.0;
        for (size_t q = 0; q < LANES; q++)
            sum += lane[i][q];
        series->moment[0][i] = sum;
    }
}

/* |c_k| x^k <= tolerance for the last two coefficients. */
static sf_real length(const sf_real *c, sf_real tolerance, sf_real limit)
{
    for (int k = K - 1; k <= K; k++) {
        sf_real size = real_abs(c[k]);
        if (size > 0) {
            sf_real x = exp((double)real_log(tolerance / size) / k);
            limit = x < limit ? x : limit;
        }
    }
    return limit;
}

static void margin_series(sf_series *series, sf_real n0, sf_real scale, bool b_clock, bool descent,
                          sf_step *step)
{
    const sf_real *s = series->s, *r = series->r;
    for (int k = 0; k <= K; k++)
        step->margin[k] = step->plain_margin[k] = scale * n0 * n0 * series->inverse[k] / 2;
    if (descent)
        return;
    sf_real *reciprocal = series->reciprocal;
    reciprocal[0] = 1;
    series->dr[0] = 0;
    for (int k = 1; k <= K; k++)
        reciprocal[k] = power_term(s, series->ds, reciprocal, series->dr, -1, k);
    for (int k = 0; k <= K; k++) {
        sf_real n = b_clock ? r[k] : convolve(s, r, k); // S^{1/2} = S S^{-1/2}
        step->margin[k] =
            scale * (n0 * (n0 * series->inverse[k] - 2 * n) + convolve(series->mean, reciprocal, k)) / 2;
    }
}

void sf_step_build(const sf_modes *modes, sf_series *series, const sf_snapshot *snapshot, sf_real tau,
                   sf_real b, bool backward, bool with_margin, sf_step *step)
{
    sf_real strength = 0;
    for (size_t i = 0; i < snapshot->active; i++) {
        sf_real size = real_abs(snapshot->lambda[i]);
        strength = size > strength ? size : strength;
    }
    sf_real n0 = real_exp(snapshot->log_n) / strength;
    // B is the clock where n is below the strengths that make it up, that is, where most of n shrinks
    bool descent = modes->descent;
    bool b_clock = !descent && n0 * n0 * strength * strength < snapshot->square;
    bool few = snapshot->active <= SF_FEW_MODES;
    series->s[0] = series->r[0] = 1;
    series->ds[0] = series->dr[0] = 0;
    series->inverse[0] = snapshot->inverse * strength;
    series->mean[0] = snapshot->mean / strength;
    if (few)
        start_modes(series, snapshot);
    else
        start_moments(series, snapshot, strength);
    sf_real scale = b_clock ? n0 : 1 / n0, power = b_clock ? (sf_real)0.5 : (sf_real)-0.5;
    series->rate[0] = scale;
    for (int k = 0; k < K; k++) {
        if (few)
            advance_modes(series, snapshot, strength, b_clock, descent, k);
        else
            advance_moments(series, b_clock, descent, k);
        series->ds[k + 1] = (k + 1) * series->s[k + 1];
        series->r[k + 1] = power_term(series->s, series->ds, series->r, series->dr, power, k + 1);
        series->rate[k + 1] = scale * series->r[k + 1];
    }
    sf_real tolerance = REAL_EPSILON / 16, radius = 4;
    radius = length(series->s, tolerance, radius);
    if (!descent)
        radius = length(series->r, tolerance, radius);
    *step = (sf_step){.tau = tau,
                      .b = b,
                      .log_n = snapshot->log_n,
                      .strength = strength,
                      .b_clock = b_clock,
                      .log_time = NAN};
    for (int k = 0; k <= K; k++) {
        step->square[k] = series->s[k];
        step->other[k] = descent || k == 0 ? 0 : series->rate[k - 1] / k;
    }
    if (with_margin)
        margin_series(series, n0, modes->margin_unit * strength, b_clock, descent, step);
    sf_step_cut(step, backward ? -radius : radius);
}

void sf_step_at(const sf_step *step, sf_real x, sf_real *tau, sf_real *b)
{
    sf_real other = sf_polynomial(step->other, x), s = step->strength;
    *tau = step->tau + (step->b_clock ? other : x) / s;
    *b = step->b + (step->b_clock ? x : other) / (s * s);
}

void sf_step_cut(sf_step *step, sf_real radius)
{
    step->radius = radius;
    sf_step_at(step, radius, &step->end_tau, &step->end_b);
}

sf_real sf_step_log_n(const sf_step *step, sf_real x)
{
    return step->log_n + real_log(sf_polynomial(step->square, x)) / 2;
}

void sf_step_settle(const sf_modes *modes, sf_real log_factor, sf_snapshot *snapshot, sf_step *step)
{
    for (int half = 0; half < 400; half++) {
        sf_snapshot_take(modes, log_factor, step->end_tau, step->end_b, snapshot);
        // exponents are differences of terms of this size
        sf_real size = step->strength * (real_abs(step->end_tau) + step->strength * real_abs(step->end_b));
        sf_real miss = snapshot->log_n - sf_step_log_n(step, step->radius);
        if (real_abs(miss) <= REAL_EPSILON * (1000 + 16 * size))
            return;
        sf_step_cut(step, step->radius / 2);
    }
}

/* Solves other(x) = target by Newton's method, kept inside the step; other is monotone. */
static sf_real invert(const sf_step *step, sf_real target)
{
    sf_real low = step->radius < 0 ? step->radius : 0, high = step->radius < 0 ? 0 : step->radius;
    sf_real x = target / step->other[1];
    if (!(x > low && x < high))
        x = (low + high) / 2;
    for (int i = 0; i < 80; i++) {
        sf_real miss = sf_polynomial(step->other, x) - target;
        if (miss > 0)
            high = x;
        else
            low = x;
        sf_real next = x - miss / sf_polynomial_slope(step->other, x);
        if (!(next >= low && next <= high))
            next = (low + high) / 2;
        if (real_abs(next - x) <= 2 * REAL_EPSILON * real_abs(next))
            return next;
        x = next;
    }
    return x;
}

sf_real sf_step_find_tau(const sf_step *step, sf_real tau)
{
    sf_real increment = (tau - step->tau) * step->strength;
    return step->b_clock ? invert(step, increment) : increment;
}

sf_real sf_step_find_b(const sf_step *step, sf_real b)
{
    sf_real increment = (b - step->b) * step->strength * step->strength;
    return step->b_clock ? increment : invert(step, increment);
}
