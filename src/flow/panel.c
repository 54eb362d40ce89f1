#include "flow/panel.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/base.h"

static const double PI = 3.14159265358979323846;

void sf_flow_panel_place(flow_panel *panel, double a, double b, int degree)
{
    panel->a = a;
    panel->b = b;
    panel->degree = degree;
    for (int k = 0; k <= degree; k++)
        panel->s[k] = 0.5 * (a + b) - 0.5 * (b - a) * cos(PI * k / degree);
    panel->s[0] = a;
    panel->s[degree] = b;
}

double sf_flow_panel_fit(flow_panel *panel)
{
    int m = panel->degree;
    for (int i = 0; i <= m; i++) {
        double sum = 0.0;
        for (int k = 0; k <= m; k++) {
            double weight = k == 0 || k == m ? 0.5 : 1.0;
            sum += weight * panel->psi[k] * cos(PI * i * (m - k) / m); // node k lies at -cos(pi k / m)
        }
        panel->coefficient[i] = 2.0 * sum / m * (i == 0 || i == m ? 0.5 : 1.0);
    }
    return fabs(panel->coefficient[m]) + fabs(panel->coefficient[m - 1]);
}

/* ---- from values that are known anyway ----------------------------------------------------------- */

void sf_flow_past_add(flow_past *past, double s, double psi)
{
    int kept = past->count < PAST_MAX ? past->count : PAST_MAX - 1;
    memmove(past->s + 1, past->s, (size_t)kept * sizeof *past->s);
    memmove(past->psi + 1, past->psi, (size_t)kept * sizeof *past->psi);
    past->s[0] = s;
    past->psi[0] = psi;
    past->count = kept + 1;
}

double sf_flow_panel_through(flow_panel *panel, const flow_past *values, double a, double b, double allowed)
{
    double x[PAST_MAX], difference[PAST_MAX], node[PANEL_MAX + 1], product[PANEL_MAX + 1];
    double size = 1.0, best = INFINITY, before = INFINITY;
    sf_flow_panel_place(panel, a, b, PANEL_MAX);
    for (int k = 0; k <= PANEL_MAX; k++) {
        node[k] = (panel->s[k] - a) / (b - a);
        product[k] = 1.0;
        panel->psi[k] = 0.0;
    }
    for (int i = 0; i < values->count; i++) {
        x[i] = (values->s[i] - a) / (b - a);
        difference[i] = values->psi[i];
        size = fmax(size, i < 2 ? fabs(values->psi[i]) : 0.0);
        for (int k = 0; k < i; k++)
            difference[i] = (difference[i] - difference[k]) / (x[i] - x[k]);
        double term = 0.0;
        for (int k = 0; k <= PANEL_MAX; k++) {
            term = fmax(term, fabs(difference[i] * product[k]));
            panel->psi[k] += difference[i] * product[k];
            product[k] *= node[k] - x[i];
        }
        // positions may coincide where a step is one spacing of doubles; fmax passes over NaN
        if (!isfinite(difference[i]) || !isfinite(term))
            return NAN;
        // a term may be small by chance where it passes 0: the one before it must be small too
        double error = fmax(term, 0.01 * before) / (allowed * size);
        before = term;
        best = i > 1 ? fmin(best, error) : best;
        if (best <= 1.0)
            break;
    }
    return best;
}

static double value(const flow_panel *panel, double x)
{
    double next = 0.0, after = 0.0;
    for (int i = panel->degree; i > 0; i--) {
        double here = 2.0 * x * next - after + panel->coefficient[i];
        after = next;
        next = here;
    }
    return x * next - after + panel->coefficient[0];
}

/* A sum of exponentials, in the log domain. */
typedef struct log_sum {
    double reference, sum;
} log_sum;

static void add(log_sum *total, double log_term)
{
    if (log_term > total->reference) {
        total->sum = total->sum * exp(total->reference - log_term) + 1.0;
        total->reference = log_term;
    } else {
        total->sum += exp(log_term - total->reference);
    }
}

/* Gauss-Legendre, 8 points: error below 1e-12 where psi varies by 4. */
static const double GAUSS_NODE[4] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267,
                                     0.9602898564975363};
static const double GAUSS_WEIGHT[4] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745,
                                       0.1012285362903763};

static void integrate(const flow_panel *panel, double x0, double x1, int depth, log_sum *total)
{
    double psi[8], middle = 0.5 * (x0 + x1), half = 0.5 * (x1 - x0);
    double left = value(panel, x0), right = value(panel, x1);
    double low = fmin(left, right), high = fmax(left, right);
    for (int i = 0; i < 8; i++) {
        double x = i < 4 ? GAUSS_NODE[i] : -GAUSS_NODE[i - 4];
        psi[i] = value(panel, middle + half * x);
        low = fmin(low, psi[i]);
        high = fmax(high, psi[i]);
    }
    double log_half = log(half);
    if (high + log_half < total->reference - 60.0)
        return;
    double noise = 16.0 * DBL_EPSILON * fabs(high); // of psi itself, where it is beyond 1e15
    if (high - low > 4.0 + noise && depth < 50) {
        bool rises = right > left; // the larger half first, so that more of the other can be left out
        integrate(panel, rises ? middle : x0, rises ? x1 : middle, depth + 1, total);
        integrate(panel, rises ? x0 : middle, rises ? middle : x1, depth + 1, total);
        return;
    }
    for (int i = 0; i < 8; i++)
        add(total, psi[i] + log(GAUSS_WEIGHT[i % 4]) + log_half);
}

double sf_flow_panel_log_integral(const flow_panel *panel, double s)
{
    double width = panel->b - panel->a, x = s >= panel->b ? 1.0 : 2.0 * (s - panel->a) / width - 1.0;
    if (isnan(panel->coefficient[0]))
        return NAN;
    if (!(s > panel->a))
        return -INFINITY;
    if (x + 1.0 <
        1e-13) // where x has lost s - a: a short stretch of the panel, on which psi is that of its left end
        return panel->psi[0] + log(s - panel->a);
    log_sum total = {-INFINITY, 0.0};
    integrate(panel, -1.0, x, 0, &total);
    return total.reference + log(total.sum) + log(0.5 * width);
}
