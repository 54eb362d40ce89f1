/* The original time: t = integral of (1 + e^M) d tau (logistic) or of e^M d tau (exponential), M the margin
 * at theta_hat, in the log domain.
 *
 * On a step M is a polynomial of the clock x. The interval is cut where M turns, and each piece is summed
 * from its higher end downwards in panels over which M changes by at most 4, by Gauss's rule with twelve
 * nodes (relative error below 1e-19), until the rest is below rounding.
 *
 * Where M is large and rising, integration by parts gives the asymptotic series
 *     t = e^M (f_0 + f_1 + ...),  f_0 = 1 / M',  f_{k+1} = -f_k' / M',
 * whose terms fall like k! / M^k: it replaces panels once twelve terms reach rounding.
 */
#include "theory/clock.h"

enum { NODES = 12, PIECES = 8, TERMS = 12 };

static const sf_real half_node[NODES / 2] = {
    0.125233408511468915472441369463853130L, 0.367831498998180193752691536643717561L,
    0.587317954286617447296702418940534280L, 0.769902674194304687036893833212818076L,
    0.904117256370474856678465866119096193L, 0.981560634246719250690549090149280823L};
static const sf_real half_weight[NODES / 2] = {
    0.249147045813402785000562436042951211L, 0.233492536538354808760849898924878056L,
    0.203167426723065921749064455809798377L, 0.160078328543346226334652529543359072L,
    0.106939325995318430960254718193996224L, 0.047175336386511827194615961485017060L};

static sf_real log_add(sf_real a, sf_real b)
{
    sf_real high = a > b ? a : b, low = a > b ? b : a;
    return low == -INFINITY ? high : high + real_log1p(real_exp(low - high));
}

/* dt'/dx at x, relative to e^reference: dt/dtau times dtau/dx. floor: the 1 of 1 + e^M, 0 with the exponential loss. */
static sf_real speed(const sf_step *step, sf_real floor, sf_real reference, sf_real x)
{
    sf_real dtau = (step->b_clock ? sf_polynomial_slope(step->other, x) : 1) / step->strength;
    sf_real e = real_exp(sf_polynomial(step->margin, x) - reference);
    return dtau * (e + floor);
}

static sf_real panel(const sf_step *step, sf_real floor, sf_real reference, sf_real from, sf_real to)
{
    sf_real middle = (from + to) / 2, half = (to - from) / 2, sum = 0;
    for (int i = 0; i < NODES / 2; i++)
        sum += half_weight[i] * (speed(step, floor, reference, middle - half * half_node[i]) +
                                 speed(step, floor, reference, middle + half * half_node[i]));
    return sum * real_abs(half);
}

/* Between a and b, over which M is monotone. */
static sf_real monotone(const sf_step *step, sf_loss loss, sf_real a, sf_real b)
{
    sf_real high = sf_polynomial(step->margin, a), low = sf_polynomial(step->margin, b);
    sf_real x = a, end = b;
    if (low > high) {
        high = low;
        x = b;
        end = a;
    }
    sf_real reference = loss == SF_LOSS_LOGISTIC && high < 0 ? 0 : high, sum = 0, here = high;
    // with the logistic loss dt >= dtau: the integrand has a floor below M = 0
    sf_real floor = loss == SF_LOSS_LOGISTIC ? real_exp(-reference) : 0;
    while (x != end) {
        sf_real next = end;
        for (int i = 0; i < 60; i++) {
            sf_real there = sf_polynomial(step->margin, next);
            if (real_abs(there - here) <= 4 || (loss == SF_LOSS_LOGISTIC && here < -50 && there < -50))
                break;
            sf_real part = 3 / real_abs(there - here); // a first guess, halved until it serves
            next = x + (next - x) * (i == 0 && part < (sf_real)0.5 ? part : (sf_real)0.5);
        }
        sf_real part = panel(step, floor, reference, x, next);
        sum += part;
        here = sf_polynomial(step->margin, next);
        x = next;
        if (part <= sum * REAL_EPSILON * (sf_real)0.01 && (loss == SF_LOSS_EXPONENTIAL || here > 60))
            break;
    }
    return reference + real_log(sum);
}

sf_real sf_clock_span(const sf_step *step, sf_loss loss, sf_real from, sf_real to)
{
    sf_real total = -INFINITY, start = from;
    bool rising = sf_polynomial_slope(step->margin, from) >= 0;
    int pieces = (to - from) * PIECES > step->radius ? PIECES : 1;
    if (!(to > from))
        return total;
    for (int i = 1; i <= pieces; i++) {
        sf_real x = i == pieces ? to : from + (to - from) * i / pieces;
        bool now = sf_polynomial_slope(step->margin, x) >= 0;
        if (now != rising && i < pieces) {
            // M turns in between: cut at this sampling point and at the last one
            sf_real before = from + (to - from) * (i - 1) / pieces;
            if (before > start)
                total = log_add(total, monotone(step, loss, start, before));
            total = log_add(total, monotone(step, loss, before, x));
            start = x;
            rising = now;
        } else if (i == pieces) {
            total = log_add(total, monotone(step, loss, start, to));
        }
    }
    return total;
}

sf_real sf_clock_tail(const sf_step *step, sf_real x)
{
    if (step->b_clock)
        return NAN;
    // Taylor coefficients of M about x, up to order TERMS + 1
    sf_real shifted[SF_TAYLOR_ORDER + 1];
    sf_real m = sf_polynomial(step->margin, x);
    if (!(m > 150) || !(sf_polynomial_slope(step->margin, x) > 0))
        return NAN;
    for (int k = 0; k <= SF_TAYLOR_ORDER; k++)
        shifted[k] = step->margin[k];
    // term k is about k! / m^k of the first
    int terms = m > 1e7L ? 4 : m > 1e4L ? 6 : m > 1e3L ? 8 : TERMS;
    for (int i = 0; i <= terms; i++)
        for (int k = SF_TAYLOR_ORDER; k-- > i;)
            shifted[k] += x * shifted[k + 1];
    sf_real v[TERMS], f[TERMS]; // series of 1 / M' and of f_k
    sf_real slope = shifted[1];
    for (int k = 0; k < terms; k++) {
        sf_real sum = k == 0;
        for (int l = 1; l <= k; l++)
            sum -= (l + 1) * shifted[l + 1] * v[k - l];
        f[k] = v[k] = sum / slope;
    }
    sf_real total = 1, first = v[0];
    for (int term = 1; term < terms; term++) {
        for (int k = 0; k < terms - term; k++) {
            sf_real sum = 0;
            for (int l = 0; l <= k; l++)
                sum += v[l] * (k - l + 1) * f[k - l + 1];
            shifted[k] = -sum;
        }
        for (int k = 0; k < terms - term; k++)
            f[k] = shifted[k];
        sf_real size = f[0] / first;
        total += size;
        if (real_abs(size) < REAL_EPSILON)
            // the unit of x is 1 / strength
            return m + real_log(first * total) - real_log(step->strength);
    }
    return NAN;
}
