/* The critical factor: start amplitudes times e^gamma lead exactly to a saddle (n at rest, one strength
 * left).
 *
 * dB/d tau = e^{-gamma} / n(tau, B). Forward in time a deviation from the critical trajectory grows at the
 * rate (sum w lambda^2 / sum w) / n, about the mean strength; backward it shrinks at that rate. So the
 * critical trajectory of a given gamma is found to rounding from almost any point far ahead: start where n
 * equals the weakest growing strength, at tau = 60 / (that strength), and go back to tau = 0, losing e^60 of
 * the error. What arrives is B_0(gamma), or, if B comes to 0 first, the tau that is left; the gamma wanted
 * has (tau, B) = (0, 0). B_0 grows with gamma, and gamma is bracketed by theory: with n(0) below the weakest
 * strength everything shrinks, with the growing modes alone above the strongest everything grows. The root is
 * found by Brent's method (1973), and certified by two flows forward.
 */
#include "theory/critical.h"

#include "theory/taylor.h"

enum { MAX_STEPS = 200000, MAX_BACK_STEPS = 2000, MAX_ROOT_STEPS = 100 };

// far from the critical factor the backward trajectory can follow another saddle for long: flows forward come first
static const sf_real NARROW = (sf_real)0.02;
// of the factor, which is wanted as a double; not below what the numbers can tell apart
static const sf_real ROUNDING = REAL_EPSILON < 2e-17L ? (sf_real)1.5e-17 : REAL_EPSILON;

typedef struct solver {
    const sf_modes *modes;
    sf_snapshot snapshot;
    sf_series *series;
} solver;

static sf_status poll(const sf_modes *modes)
{
    if (!sf_cancelled(modes->context))
        return SF_OK;
    return sf_fail(modes->context, SF_ERR_CANCELLED, "interrupted while computing the critical scale");
}

/* The B where n e^gamma = target at a given tau: n falls with B. */
static sf_real b_of_n(solver *s, sf_real gamma, sf_real tau, sf_real log_target)
{
    sf_real b = 0, low = -INFINITY, high = INFINITY, stride = 1;
    for (int i = 0; i < 4000; i++) {
        sf_snapshot_take(s->modes, gamma, tau, b, &s->snapshot);
        sf_real miss = s->snapshot.log_n - log_target;
        if (real_abs(miss) < (sf_real)1e-3)
            break;
        if (miss > 0)
            low = b;
        else
            high = b;
        sf_real next = b + miss / s->snapshot.square; // d log n / dB = -sum w lambda^2 / sum w
        if (!(next > low && next < high)) {
            if (low > -INFINITY && high < INFINITY)
                next = (low + high) / 2;
            else
                next = miss > 0 ? b + stride : b - stride;
            stride *= 2;
        }
        b = next;
    }
    return b;
}

/* At a saddle one mode k is left and n equals its strength; going back, tau and B fall along a straight line,
 * B = tau / lambda + *intercept. Returns for how long, in tau, until another mode comes to count (INFINITY if none
 * will); 0 elsewhere. */
static sf_real resting_span(const solver *s, sf_real gamma, sf_real tau, sf_real *strength,
                            sf_real *intercept)
{
    const sf_modes *modes = s->modes;
    const sf_snapshot *now = &s->snapshot;
    const sf_real *e = now->scratch; // logs of the weights, of all modes
    size_t k = 0, counting = 0;
    for (size_t i = 0; i < now->active; i++)
        if (now->weight[i] > REAL_EPSILON / 16)
            counting++;
    for (size_t i = 1; i < modes->count; i++)
        k = e[i] > e[k] ? i : k;
    sf_real lambda = *strength = modes->lambda[k], rounding = REAL_EPSILON * (64 + 16 * lambda * tau);
    if (counting != 1 || lambda < 0 || real_abs(now->log_n - modes->log_strength[k]) > rounding)
        return 0;
    *intercept = ((modes->log_weight[k] / 2 + gamma) - modes->log_strength[k]) / (lambda * lambda);
    sf_real span = INFINITY;
    for (size_t i = 0; i < modes->count; i++) {
        sf_real other = modes->lambda[i], rate = 2 * other * (other / lambda - 1); // of its rise, going back
        if (rate > 0 && (e[k] - e[i] - modes->cut) / rate < span)
            span = (e[k] - e[i] - modes->cut) / rate;
    }
    return span;
}

/* Where the critical trajectory of gamma comes from: B at tau = 0 if that is positive, otherwise -tau / n at
 * B = 0, which has the same slope; NaN if the way is too long. */
static sf_status start_of(solver *s, sf_real gamma, sf_real *origin)
{
    const sf_modes *modes = s->modes;
    sf_real weakest = modes->lambda[modes->first_growing], tau = 60 / weakest;
    sf_real b = b_of_n(s, gamma, tau, modes->log_strength[modes->first_growing]);
    if (b < 0) { // the weakest would have to grow from below
        *origin = -tau / weakest;
        return SF_OK;
    }
    sf_snapshot_take(modes, gamma, tau, b, &s->snapshot);
    for (int i = 0; i < MAX_BACK_STEPS; i++) {
        SF_TRY(poll(modes));
        sf_real lambda, intercept = 0, rest = resting_span(s, gamma, tau, &lambda, &intercept);
        if (rest >= 2 * tau) {
            *origin = intercept;
            return SF_OK;
        }
        if (rest * lambda > 8) { // short of it, since far ahead exponents have lost their digits
            tau -= (sf_real)0.9 * (rest < tau ? rest : tau);
            b = tau / lambda + intercept;
            sf_snapshot_take(modes, gamma, tau, b, &s->snapshot);
            continue;
        }
        sf_step step;
        sf_step_build(modes, s->series, &s->snapshot, tau, b, true, false, &step);
        bool no_time = step.end_tau <= 0;
        if (no_time)
            sf_step_cut(&step, sf_step_find_tau(&step, 0));
        bool no_b = step.end_b < 0;
        if (no_b)
            sf_step_cut(&step, sf_step_find_b(&step, 0));
        sf_real radius = step.radius;
        sf_step_settle(modes, gamma, &s->snapshot, &step);
        tau = step.end_tau;
        b = step.end_b;
        if ((no_time || no_b) && step.radius == radius) {
            *origin = no_b ? -tau / real_exp(s->snapshot.log_n) : b;
            return SF_OK;
        }
    }
    *origin = NAN;
    return SF_OK;
}

/* Whether the flow of e^gamma grows, forward from the start. */
static sf_status grows(solver *s, sf_real gamma, bool *answer)
{
    const sf_modes *modes = s->modes;
    sf_real tau = 0, b = 0;
    sf_snapshot_take(modes, gamma, tau, b, &s->snapshot);
    for (int i = 0; i < MAX_STEPS; i++) {
        if ((*answer = sf_snapshot_grows(&s->snapshot)) || sf_snapshot_shrinks(modes, &s->snapshot))
            return SF_OK;
        SF_TRY(poll(modes));
        sf_step step;
        sf_step_build(modes, s->series, &s->snapshot, tau, b, false, false, &step);
        sf_step_settle(modes, gamma, &s->snapshot, &step);
        tau = step.end_tau;
        b = step.end_b;
    }
    return sf_fail(modes->context, SF_ERR_NUMERIC, "the fate of the flow is open after %d steps", MAX_STEPS);
}

/* The factors between which theory leaves the fate open. */
static void bracket(solver *s, sf_real *low, sf_real *high)
{
    const sf_modes *modes = s->modes;
    sf_snapshot_take(modes, 0, 0, 0, &s->snapshot);
    *low = modes->log_strength[modes->first_growing] - s->snapshot.log_n;
    *high = INFINITY;
    sf_real log_sum = -INFINITY; // of the weights of the growing modes up to i
    for (size_t i = modes->first_growing; i < modes->count; i++) {
        sf_real w = modes->log_weight[i], top = w > log_sum ? w : log_sum;
        log_sum = top + real_log(real_exp(w - top) + real_exp(log_sum - top));
        sf_real bound = modes->log_strength[i] - log_sum / 2;
        *high = bound < *high ? bound : *high;
    }
}

/* Brent's method for B_0(gamma) = 0; NaN if that could not be followed. */
static sf_status find_root(solver *s, sf_real low, sf_real high, sf_real *root)
{
    sf_real a = low, b = high, fa, fb;
    SF_TRY(start_of(s, a, &fa));
    SF_TRY(start_of(s, b, &fb));
    sf_real c = a, fc = fa, d = b - a, e = d;
    *root = NAN;
    if (isnan(fa) || isnan(fb))
        return SF_OK;
    if (fa * fb > 0) { // theory has the root in between; by rounding it is at one of the ends
        *root = real_abs(fa) < real_abs(fb) ? a : b;
        return SF_OK;
    }
    for (int i = 0; i < MAX_ROOT_STEPS; i++) {
        if ((fb > 0) == (fc > 0)) {
            c = a;
            fc = fa;
            d = e = b - a;
        }
        if (real_abs(fc) < real_abs(fb)) {
            a = b;
            b = c;
            c = a;
            fa = fb;
            fb = fc;
            fc = fa;
        }
        sf_real tolerance = ROUNDING * (1 + real_abs(b)), middle = (c - b) / 2;
        if (real_abs(middle) <= tolerance || fb == 0)
            break;
        if (real_abs(e) < tolerance || real_abs(fa) <= real_abs(fb)) {
            d = e = middle;
        } else {
            sf_real p, q, ratio = fb / fa;
            if (a == c) {
                p = 2 * middle * ratio;
                q = 1 - ratio;
            } else {
                sf_real ac = fa / fc, bc = fb / fc;
                p = ratio * (2 * middle * ac * (ac - bc) - (b - a) * (bc - 1));
                q = (ac - 1) * (bc - 1) * (ratio - 1);
            }
            if (p > 0)
                q = -q;
            p = real_abs(p);
            sf_real bound = 3 * middle * q - real_abs(tolerance * q), other = real_abs(e * q);
            if (2 * p < (bound < other ? bound : other)) {
                e = d;
                d = p / q;
            } else {
                d = e = middle;
            }
        }
        a = b;
        fa = fb;
        b += real_abs(d) > tolerance ? d : middle > 0 ? tolerance : -tolerance;
        SF_TRY(start_of(s, b, &fb));
        if (isnan(fb))
            return SF_OK;
    }
    *root = b;
    return SF_OK;
}

static sf_status solve(solver *s, sf_real *log_factor, bool *certain)
{
    sf_real low, high;
    bracket(s, &low, &high);
    if (!(high - low > 4 * REAL_EPSILON * (1 + real_abs(low)))) {
        *log_factor = (low + high) / 2; // all growing modes have one strength and nothing else moves
        *certain = true;
        return SF_OK;
    }
    bool above, below;
    for (sf_real width = NARROW; isnan(*log_factor); width /= 1024) {
        sf_real rounding = ROUNDING * (1 + real_abs(low));
        while (high - low > (width > rounding ? width : rounding)) {
            sf_real middle = low + (high - low) / 2;
            SF_TRY(grows(s, middle, &above));
            *(above ? &high : &low) = middle;
        }
        if (width > rounding)
            SF_TRY(find_root(s, low, high, log_factor));
        else
            *log_factor = low + (high - low) / 2;
    }
    sf_real margin = 1e4 * REAL_EPSILON * (1 + real_abs(*log_factor));
    SF_TRY(grows(s, *log_factor + margin, &above));
    SF_TRY(grows(s, *log_factor - margin, &below));
    *certain = above && !below;
    return SF_OK;
}

sf_status sf_critical_log_factor(const sf_modes *modes, sf_real *log_factor, bool *certain)
{
    *log_factor = NAN;
    *certain = true;
    if (modes->descent || modes->first_growing == modes->count)
        return SF_OK;
    sf_modes coarse;
    SF_TRY(sf_modes_coarsen(modes, &coarse));
    solver s = {.modes = &coarse};
    sf_status status = sf_snapshot_create(&coarse, &s.snapshot);
    if (status == SF_OK)
        status = sf_series_create(&coarse, &s.series);
    if (status == SF_OK)
        status = solve(&s, log_factor, certain);
    sf_series_destroy(&coarse, &s.series);
    sf_snapshot_release(&coarse, &s.snapshot);
    sf_modes_release(&coarse);
    return status;
}
