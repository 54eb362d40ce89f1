/* The exact reduction of l2-SAM at L = 2, N = 1: from (mu, w1, w2, rho) to any point of the flow.
 *
 * The trajectory (tau, B) is laid down step by step as far as it is asked for (taylor.c), and the original
 * time is summed along it when a log t is wanted (clock.c). It ends in one of two ways. At a collapse n
 * reaches 0 at a finite tau: once n is below every growing strength each mode shrinks at least like
 * e^{-lambda^2 (B - B_0)}, so what is left of tau is at most sum_i sqrt(w_i) / lambda_i^2, and the end is
 * where that is below rounding. In growth B tends to a limit: dB/dtau = rho / n falls exponentially; the
 * trajectory ends, for a double, where B has stopped changing and log t has left the range; gradient descent without
 * a growing mode ends where every weight has left it.
 */
#include "theory/reduction.h"

#include "theory/clock.h"

#include <string.h>

enum { MAX_STEPS = 1000000 };

static const sf_real LOG_RANGE = 709; // of a double

sf_status sf_reduction_create(sf_context *context, size_t d, const double *mu, const double *w1,
                              const double *w2, double rho, sf_loss loss, sf_reduction **out)
{
    SF_OUT(context, out);
    if (!sf_loss_name(loss))
        return sf_fail(context, SF_ERR_ARGUMENT, "unknown loss %d", (int)loss);
    sf_reduction *r = SF_NEW(context, sf_reduction);
    if (!r)
        return SF_ERR_MEMORY;
    r->context = context;
    r->d = d;
    r->loss = loss;
    r->log_end_time = NAN;
    sf_status status = sf_modes_create(context, d, mu, w1, w2, rho, &r->modes);
    if (status == SF_OK) {
        r->mu = SF_ARRAY(context, d, double);
        r->w1 = SF_ARRAY(context, d, double);
        r->w2 = SF_ARRAY(context, d, double);
        status = r->mu && r->w1 && r->w2 ? sf_snapshot_create(&r->modes, &r->snapshot) : SF_ERR_MEMORY;
    }
    if (status == SF_OK)
        status = sf_series_create(&r->modes, &r->series);
    if (status != SF_OK) {
        sf_reduction_destroy(&r);
        return status;
    }
    memcpy(r->mu, mu, d * sizeof *mu);
    memcpy(r->w1, w1, d * sizeof *w1);
    memcpy(r->w2, w2, d * sizeof *w2);
    sf_snapshot_take(&r->modes, 0, 0, 0, &r->snapshot);
    r->end = r->modes.count == 0 ? SF_END_STILL : SF_END_OPEN;
    *out = r;
    return SF_OK;
}

void sf_reduction_destroy(sf_reduction **reduction)
{
    if (!reduction || !*reduction)
        return;
    sf_reduction *r = *reduction;
    sf_context *context = r->context;
    if (r->modes.context) {
        sf_series_destroy(&r->modes, &r->series);
        sf_snapshot_release(&r->modes, &r->snapshot);
        sf_modes_release(&r->modes);
    }
    sf_free(context, r->steps);
    sf_free(context, r->leaders);
    sf_free(context, r->mu);
    sf_free(context, r->w1);
    sf_free(context, r->w2);
    sf_free(context, r);
    *reduction = NULL;
}

/* Whether what is left of tau before n = 0 is below rounding. */
static bool collapsed(const sf_reduction *r)
{
    const sf_modes *modes = &r->modes;
    if (modes->descent || !sf_snapshot_shrinks(modes, &r->snapshot))
        return false;
    sf_real left = 0;
    for (size_t i = 0; i < modes->count; i++) {
        sf_real lambda = modes->lambda[i];
        sf_real log_w = modes->log_weight[i] + 2 * lambda * (r->tau - lambda * r->b);
        left += real_exp(log_w / 2 - 2 * modes->log_strength[i]);
    }
    return left <= r->tau * REAL_EPSILON / 8;
}

/* Whether B has stopped changing and log t is out of range. */
static bool frozen(const sf_reduction *r)
{
    const sf_snapshot *now = &r->snapshot;
    if (r->modes.descent && r->modes.first_growing == r->modes.count)
        return now->log_n < -LOG_RANGE; // everything shrinks for ever
    if (2 * now->log_n + real_log(r->modes.margin_unit) < LOG_RANGE + 30 || !(now->mean > 0))
        return false;
    if (r->modes.descent)
        return true;
    sf_real n = real_exp(now->log_n), rate = now->mean - now->square / n;
    return rate > 0 && 1 / (n * rate) <= r->b * REAL_EPSILON / 8;
}

/* Brings the snapshot back to the end of the last step. */
static void return_to_end(sf_reduction *r)
{
    if (r->elsewhere)
        sf_snapshot_take(&r->modes, 0, r->tau, r->b, &r->snapshot);
    r->elsewhere = false;
}

sf_status sf_reduction_extend(sf_reduction *r)
{
    if (r->end != SF_END_OPEN)
        return SF_OK;
    return_to_end(r);
    if (r->count == MAX_STEPS)
        return sf_fail(r->context, SF_ERR_NUMERIC, "the reduction takes more than %d steps (tau = %g)",
                       MAX_STEPS, (double)(r->tau / r->modes.unit));
    if (sf_cancelled(r->context))
        return sf_fail(r->context, SF_ERR_CANCELLED, "interrupted while integrating the reduction");
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 32;
        sf_step *steps = sf_resize(r->context, r->steps, capacity, sizeof *steps);
        if (!steps)
            return SF_ERR_MEMORY;
        r->steps = steps;
        r->capacity = capacity;
    }
    sf_step *step = &r->steps[r->count];
    sf_step_build(&r->modes, r->series, &r->snapshot, r->tau, r->b, false, true, step);
    if (r->count == 0)
        step->log_time = -INFINITY;
    sf_step_settle(&r->modes, 0, &r->snapshot, step);
    r->tau = step->end_tau;
    r->b = step->end_b;
    r->count++;
    if (collapsed(r))
        r->end = SF_END_COLLAPSE;
    else if (frozen(r))
        r->end = SF_END_FROZEN;
    return SF_OK;
}

sf_status sf_reduction_cover(sf_reduction *r, sf_real tau)
{
    while (r->end == SF_END_OPEN && r->tau < tau)
        SF_TRY(sf_reduction_extend(r));
    return SF_OK;
}

/* ---- time ---------------------------------------------------------------------------------------- */

static sf_real log_add(sf_real a, sf_real b)
{
    sf_real high = a > b ? a : b, low = a > b ? b : a;
    return low == -INFINITY ? high : high + real_log1p(real_exp(low - high));
}

/* log t' at x of a step, given log t' at `from` <= x in it. */
static sf_real time_within(const sf_reduction *r, const sf_step *step, sf_real from, sf_real log_from,
                           sf_real x)
{
    sf_real tail = sf_clock_tail(step, x);
    // the tail formula holds if what came before is below rounding
    if (tail == tail && step->log_time < tail + real_log(REAL_EPSILON) - 5)
        return tail;
    return log_add(log_from, sf_clock_span(step, r->loss, from, x));
}

sf_real sf_reduction_time_from(sf_reduction *r, size_t k, sf_real x, sf_real from, sf_real log_from)
{
    size_t known = k;
    while (isnan(r->steps[known].log_time))
        known--;
    for (; known < k; known++) {
        const sf_step *step = &r->steps[known];
        r->steps[known + 1].log_time = time_within(r, step, 0, step->log_time, step->radius);
    }
    if (isnan(log_from)) {
        from = 0;
        log_from = r->steps[k].log_time;
    }
    return time_within(r, &r->steps[k], from, log_from, x);
}

sf_real sf_reduction_step_time(sf_reduction *r, size_t k, sf_real x)
{
    return sf_reduction_time_from(r, k, x, 0, NAN);
}

double sf_reduction_log_time(sf_reduction *r, size_t k, sf_real x)
{
    return (double)(sf_reduction_step_time(r, k, x) - real_log((sf_real)r->modes.unit));
}

/* log t' at the end of the last step. */
static sf_real end_time(sf_reduction *r)
{
    if (r->log_end_time != r->log_end_time)
        r->log_end_time = sf_reduction_step_time(r, r->count - 1, r->steps[r->count - 1].radius);
    return r->log_end_time;
}

/* log dt/dtau where the margin at theta_hat is m. */
static sf_real log_speed(sf_loss loss, sf_real m)
{
    if (loss == SF_LOSS_EXPONENTIAL)
        return m;
    return m > 0 ? m + real_log1p(real_exp(-m)) : real_log1p(real_exp(m));
}

/* ---- points -------------------------------------------------------------------------------------- */

/* The contribution of the features that do not move (mu_j = 0) to a margin is 0, so margins come from the
 * modes. */
static void fill(sf_reduction *r, sf_real tau, sf_real b, sf_real log_time, sf_reduction_point *point)
{
    const sf_modes *modes = &r->modes;
    sf_snapshot *now = &r->snapshot;
    sf_real c = modes->unit;
    sf_snapshot_take(modes, 0, tau, b, now);
    sf_real n = real_exp(now->log_n), margin = modes->margin_unit * n * n * now->inverse / 2;
    sf_real perturbed = modes->descent ? margin : margin - modes->margin_unit * (n - now->mean / 2);
    point->tau = (double)(tau / c);
    point->b = modes->descent ? 0.0 : (double)(b / (c * c));
    point->log_n = (double)(now->log_n + real_log(modes->rho * c));
    point->log_time = (double)(log_time - real_log(c));
    point->margin = (double)margin;
    point->margin_perturbed = (double)perturbed;
    point->log_loss = sf_loss_log(r->loss, point->margin);
    point->collapsed = false;
    r->elsewhere = true;
}

/* Nothing moves: theta rests where it is, or at 0 after a collapse. from and log_from: when rest began. */
static void rest(const sf_reduction *r, sf_real tau, sf_real from, sf_real log_from,
                 sf_reduction_point *point)
{
    sf_real c = r->modes.unit, wait = real_log(tau - from) + log_speed(r->loss, 0);
    *point = (sf_reduction_point){.tau = (double)(tau / c),
                                  .b = r->end == SF_END_COLLAPSE ? INFINITY : 0.0,
                                  .log_n = -INFINITY,
                                  .log_time = (double)(log_add(log_from, wait) - real_log(c)),
                                  .log_loss = sf_loss_log(r->loss, 0.0),
                                  .collapsed = r->end == SF_END_COLLAPSE};
}

/* The step that holds a tau of the trajectory. */
static size_t find_step(const sf_reduction *r, sf_real tau)
{
    size_t low = 0, high = r->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (r->steps[middle].tau <= tau)
            low = middle;
        else
            high = middle;
    }
    return low;
}

sf_status sf_reduction_at_tau(sf_reduction *r, double tau, sf_reduction_point *point)
{
    if (!(tau >= 0.0) || !isfinite(tau))
        return sf_fail(r->context, SF_ERR_ARGUMENT, "tau is %g, expected a finite number >= 0", tau);
    sf_real target = tau * (sf_real)r->modes.unit;
    SF_TRY(sf_reduction_cover(r, target));
    if (r->end == SF_END_STILL) {
        rest(r, target, 0, -INFINITY, point);
    } else if (target <= 0) {
        fill(r, 0, 0, -INFINITY, point);
    } else if (target > r->tau && r->end == SF_END_COLLAPSE) {
        rest(r, target, r->tau, end_time(r), point);
    } else if (target > r->tau) {
        sf_real log_time = INFINITY;
        if (r->modes.first_growing == r->modes.count)
            log_time = log_add(end_time(r), real_log(target - r->tau) + log_speed(r->loss, 0));
        fill(r, target, r->b, log_time, point);
    } else {
        size_t k = find_step(r, target);
        const sf_step *step = &r->steps[k];
        sf_real x = sf_step_find_tau(step, target), ignored, b;
        sf_step_at(step, x, &ignored, &b);
        fill(r, target, b, sf_reduction_step_time(r, k, x), point);
    }
    return SF_OK;
}

/* x in step k where log t' is reached; log t' is below the target at the start and above it at the end. */
static sf_real find_time(sf_reduction *r, size_t k, sf_real target)
{
    const sf_step *step = &r->steps[k];
    sf_real low = 0, high = step->radius, x = high / 2;
    for (int i = 0; i < 200 && high - low > 2 * REAL_EPSILON * high; i++) {
        sf_real reached = sf_reduction_step_time(r, k, x);
        if (reached < target)
            low = x;
        else
            high = x;
        // d log t / dx = speed / t
        sf_real dtau = (step->b_clock ? sf_polynomial_slope(step->other, x) : 1) / step->strength;
        sf_real slope = dtau * real_exp(log_speed(r->loss, sf_polynomial(step->margin, x)) - reached);
        sf_real next = x + (target - reached) / slope;
        if (real_abs(next - x) <= 2 * REAL_EPSILON * real_abs(x))
            return x;
        x = next > low && next < high ? next : (low + high) / 2;
    }
    return x;
}

sf_status sf_reduction_at_log_time(sf_reduction *r, double log_time, sf_reduction_point *point)
{
    if (isnan(log_time) || log_time == INFINITY)
        return sf_fail(r->context, SF_ERR_ARGUMENT, "log t is %g, expected a finite number or -infinity",
                       log_time);
    if (log_time == -INFINITY)
        return sf_reduction_at_tau(r, 0.0, point);
    sf_real target = log_time + real_log((sf_real)r->modes.unit), from = 0, log_from = -INFINITY;
    for (size_t k = 0; r->end != SF_END_STILL; k++) {
        if (k == r->count)
            SF_TRY(sf_reduction_extend(r));
        if (k == r->count) { // the trajectory has ended before
            from = r->tau;
            log_from = end_time(r);
            break;
        }
        sf_step *step = &r->steps[k];
        if (sf_reduction_step_time(r, k, step->radius) < target)
            continue;
        sf_real x = find_time(r, k, target), tau, b;
        sf_step_at(step, x, &tau, &b);
        fill(r, tau, b, target, point);
        return SF_OK;
    }
    // at rest t grows in proportion to tau
    sf_real wait = target + (log_from == -INFINITY ? 0 : real_log1p(-real_exp(log_from - target)));
    rest(r, from + real_exp(wait - log_speed(r->loss, 0)), from, log_from, point);
    return SF_OK;
}

/* a + b e^{-x}, x >= 0, from its value at x = 0: no cancellation near the start, and none of a start that is 0. */
static sf_real amplitude_sum(sf_real start, sf_real a, sf_real b, sf_real x)
{
    return x < 1 ? start + b * real_expm1(-x) : a + b * real_exp(-x);
}

/* beta_j = +- (p^2 - q^2) / 4 with p, q = (w_1 +- w_2) e^{+- nu tau - nu^2 B} (the upper sign for mu_j > 0), in factors:
 * e^{2 nu (tau - nu B)} (p_0 + q_0 e^{-2 nu tau}) (p_0 - q_0 e^{-2 nu tau}) / 4, and where p_0 = 0, so that nothing
 * grows, with the power of e^{-2 nu tau} as a logarithm. */
void sf_reduction_predictor(const sf_reduction *r, const sf_reduction_point *point, double *beta,
                            double *log_abs_beta)
{
    for (size_t j = 0; j < r->d; j++) {
        sf_real w1 = r->w1[j], w2 = r->mu[j] < 0.0 ? -(sf_real)r->w2[j] : (sf_real)r->w2[j];
        sf_real nu = fabs(r->mu[j]), value = w1 * w2, log_scale = 0;
        if (nu > 0 && point->collapsed) {
            value = 0;
        } else if (nu > 0) {
            sf_real x = 2 * nu * point->tau, p = w1 + w2, q = w1 - w2;
            log_scale = 2 * nu * (point->tau - nu * point->b);
            if (p == 0) {
                value = -q * q / 4;
                log_scale = -2 * nu * (point->tau + nu * point->b);
            } else {
                value = amplitude_sum(2 * w1, p, q, x) * amplitude_sum(2 * w2, p, -q, x) / 4;
            }
        }
        if (beta)
            beta[j] = (double)((r->mu[j] < 0.0 ? -value : value) * real_exp(log_scale));
        if (log_abs_beta)
            log_abs_beta[j] = (double)(log_scale + real_log(real_abs(value)));
    }
}

/* ---- the fate, ratios -------------------------------------------------------------------------------------- */

sf_status sf_reduction_fate(sf_reduction *r, bool *collapses, double *tau, double *log_time)
{
    *collapses = false;
    *tau = *log_time = INFINITY;
    if (r->modes.descent || r->end == SF_END_STILL)
        return SF_OK;
    return_to_end(r);
    while (r->end == SF_END_OPEN && !sf_snapshot_grows(&r->snapshot))
        SF_TRY(sf_reduction_extend(r));
    *collapses = r->end == SF_END_COLLAPSE;
    if (*collapses) {
        *tau = (double)(r->tau / r->modes.unit);
        *log_time = (double)(end_time(r) - real_log((sf_real)r->modes.unit));
    }
    return SF_OK;
}

static bool equal_layers(const sf_reduction *r, size_t j)
{
    return r->w1[j] != 0.0 && r->w2[j] == (r->mu[j] < 0.0 ? -r->w1[j] : r->w1[j]);
}

/* Fills the peak with what it is at x of a step. */
static void peak_at(sf_reduction *r, size_t k, sf_real x, sf_peak *peak)
{
    sf_real c = r->modes.unit, tau = 0, b = 0;
    if (k < r->count)
        sf_step_at(&r->steps[k], x, &tau, &b);
    sf_real i = fabs(r->mu[peak->minor]) / c, j = fabs(r->mu[peak->major]) / c;
    sf_real start = 2 * real_log(fabs(r->w1[peak->minor]) / (sf_real)fabs(r->w1[peak->major]));
    sf_real log_ratio = start + 2 * (j - i) * ((i + j) * b - tau);
    if (k < r->count && !(log_ratio > peak->log_ratio))
        return;
    peak->log_ratio = (double)log_ratio;
    peak->ratio = (double)real_exp(log_ratio);
    peak->tau = (double)(tau / c);
    peak->log_time = k < r->count && tau > 0 ? sf_reduction_log_time(r, k, x) : -INFINITY;
}

sf_status sf_reduction_peak(sf_reduction *r, size_t minor, size_t major, sf_peak *peak)
{
    *peak = (sf_peak){minor, major, NAN, NAN, NAN, NAN};
    if (minor >= r->d || major >= r->d)
        return sf_fail(r->context, SF_ERR_ARGUMENT, "features %zu and %zu, expected numbers below %zu", minor,
                       major, r->d);
    bool collapses;
    double tau, log_time;
    if (!equal_layers(r, minor) || !equal_layers(r, major))
        return SF_OK;
    SF_TRY(sf_reduction_fate(r, &collapses, &tau, &log_time));
    if (collapses && fabs(r->mu[minor]) < fabs(r->mu[major])) {
        peak->ratio = peak->log_ratio = INFINITY;
        peak->tau = tau;
        peak->log_time = log_time;
        return SF_OK;
    }
    peak_at(r, r->count, 0, peak);
    sf_real target = real_log((fabs(r->mu[minor]) + fabs(r->mu[major])) / (sf_real)r->modes.unit);
    for (size_t k = 0; !r->modes.descent && r->end != SF_END_STILL; k++) {
        if (k == r->count)
            SF_TRY(sf_reduction_extend(r));
        if (k == r->count)
            break;
        const sf_step *step = &r->steps[k];
        sf_real low = 0, high = step->radius;
        bool rises = sf_polynomial_slope(step->square, high) > 0;
        if (!rises || sf_step_log_n(step, high) < target)
            continue;
        if (sf_step_log_n(step, low) < target || sf_polynomial_slope(step->square, low) < 0) {
            for (int i = 0; i < 80 && high - low > REAL_EPSILON * high; i++) {
                sf_real x = (low + high) / 2;
                if (sf_step_log_n(step, x) < target || sf_polynomial_slope(step->square, x) < 0)
                    low = x;
                else
                    high = x;
            }
            peak_at(r, k, high, peak);
        }
        break; // n has no maximum: it rises through the target once
    }
    return SF_OK;
}
