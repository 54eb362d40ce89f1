/* linf-SAM at depth L >= 2 on one example mu > 0 with equal layers (Theorem 3.2, Corollary 3.5). Coordinates decouple,
 *   d w_j / d tau = mu_j (w_j - rho)^{L-1},
 * so rho is a gate. With g = |alpha_j - rho| and p = L - 2:
 *   alpha_j > rho   L = 2: w_j - rho = g e^{mu_j tau};  L >= 3: (w_j - rho)^{-p} = g^{-p} - p mu_j tau, infinite at tau_j
 *   alpha_j = rho   w_j stays
 *   alpha_j < rho   even L: 0 is reached, at ln(rho/g)/mu_j (L = 2), (g^{-p} - rho^{-p})/(p mu_j) (L >= 4);
 *                   odd L: (rho - w_j)^{-p} = g^{-p} + p mu_j tau, which tends to rho */
#include "paper/programs.h"

#include <math.h>
#include <string.h>

#include "paper/tools.h"

enum { MOST_DEPTH = 5, MOST_FEATURES = 3 };

/* The weight at tau, by the closed forms. */
static double gate_weight(int depth, double mu, double rho, double alpha, double tau)
{
    double gap = alpha - rho, p = depth - 2;
    if (gap == 0.0)
        return rho;
    if (depth == 2)
        return fmax(rho + gap * exp(mu * tau), 0.0);
    double sign = gap > 0.0 ? 1.0 : depth % 2 == 0 ? 1.0 : -1.0;
    double power = pow(fabs(gap), -p) - sign * p * mu * tau;
    if (gap > 0.0)
        return rho + pow(power, -1.0 / p);
    double below = pow(power, -1.0 / p);
    return power > 0.0 && below < rho ? rho - below : 0.0;
}

/* When the weight from alpha < rho reaches 0, even depth. */
static double time_of_zero(int depth, double mu, double rho, double alpha)
{
    double gap = rho - alpha, p = depth - 2;
    return depth == 2 ? log(rho / gap) / mu : (pow(gap, -p) - pow(rho, -p)) / (p * mu);
}

static double time_of_infinity(int depth, double mu, double rho, double alpha)
{
    double p = depth - 2;
    return depth == 2 ? INFINITY : 1.0 / (p * mu * pow(alpha - rho, p));
}

/* A flow from equal layers alpha (d). */
static sf_status start_flow(sf_outcome *out, sf_method method, double rho, int depth, size_t d,
                            const double *mu, const double *alpha, sf_flow **flow)
{
    double theta[MOST_DEPTH * MOST_FEATURES];
    sf_network *network;
    SF_TRY(claim_example(out, d, mu, depth, &network));
    equal_layers(d, depth, alpha, theta);
    return claim_flow(out, network, method, rho, theta, flow);
}

/* ---- Theorem 3.2 ---------------------------------------------------------------------------------------- */

static double tau_of_event(const sf_flow *flow, sf_event_kind kind, sf_event_kind other)
{
    size_t count;
    const sf_event *events = sf_flow_events(flow, &count);
    for (size_t i = 0; i < count; i++)
        if (events[i].kind == kind || events[i].kind == other)
            return events[i].tau;
    return NAN;
}

static double relative_error(double measured, double exact)
{
    return fabs(measured - exact) / fabs(exact);
}

/* The largest relative error of beta = w^L against the closed form, at a few tau up to `end`. */
static sf_status follow_gate(sf_outcome *out, int depth, double rho, double alpha, double end, double *worst)
{
    static const double mu = 1.0;
    sf_flow *flow;
    SF_TRY(start_flow(out, SF_METHOD_LINF, rho, depth, 1, &mu, &alpha, &flow));
    *worst = 0.0;
    for (int i = 1; i <= 10; i++) {
        double beta, tau = end * i / 10.0;
        SF_TRY(flow_until(flow, tau, INFINITY, INFINITY));
        sf_flow_predictor(flow, &beta, NULL);
        *worst = larger(*worst, relative_error(beta, pow(gate_weight(depth, mu, rho, alpha, tau), depth)));
    }
    return SF_OK;
}

/* The same for a plain integration that knows nothing of the closed form, at `end`. */
static sf_status follow_plainly(sf_outcome *out, int depth, double rho, double alpha, double end)
{
    enum { STEPS = 4000 };
    static const double mu = 1.0;
    const sf_perturbation perturbation = {.method = SF_METHOD_LINF, .rho = rho};
    double theta[MOST_DEPTH], beta;
    sf_network *network;
    SF_TRY(claim_example(out, 1, &mu, depth, &network));
    equal_layers(1, depth, &alpha, theta);
    for (int i = 0; i < STEPS; i++)
        SF_TRY(plain_step(network, &perturbation, true, end / STEPS, theta));
    sf_network_predictor(network, theta, &beta);
    claim_check(out, SF_RELATION_RELATIVE, pow(gate_weight(depth, mu, rho, alpha, end), depth), beta, 1e-8,
                "L = %d, α = %g ρ: β at τ = %.4g, by Runge-Kutta on the plain gradients", depth, alpha / rho,
                end);
    return SF_OK;
}

static sf_status gate_below(sf_outcome *out, int depth, double rho, double alpha)
{
    static const double mu = 1.0;
    double worst, beta, log_beta;
    sf_flow *flow;
    double zero = depth % 2 == 0 ? time_of_zero(depth, mu, rho, alpha) : 1e9;
    SF_TRY(follow_gate(out, depth, rho, alpha, depth % 2 == 0 ? 0.95 * zero : 50.0, &worst));
    claim_check(out, SF_RELATION_AT_MOST, 0.0, worst, 1e-8,
                "L = %d, α = %g ρ: β against the closed form, relative", depth, alpha / rho);
    SF_TRY(follow_plainly(out, depth, rho, alpha, depth % 2 == 0 ? 0.9 * zero : 2.0));
    SF_TRY(start_flow(out, SF_METHOD_LINF, rho, depth, 1, &mu, &alpha, &flow));
    SF_TRY(flow_until(flow, 1.1 * zero, INFINITY, INFINITY));
    sf_flow_predictor(flow, &beta, &log_beta);
    if (depth % 2 == 0) {
        claim_check(out, SF_RELATION_RELATIVE, zero, tau_of_event(flow, SF_EVENT_COLLAPSE, SF_EVENT_SLIDING),
                    1e-8, "L = %d, α = %g ρ: τ at which β reaches 0", depth, alpha / rho);
        claim_check(out, SF_RELATION_EQUAL, 0.0, beta, 0.0, "L = %d, α = %g ρ: β after that", depth,
                    alpha / rho);
    } else {
        claim_check(out, SF_RELATION_RELATIVE, pow(rho, depth), beta, 1e-2,
                    "L = %d, α = %g ρ: β at τ = 1e9 (limit ρ^L)", depth, alpha / rho);
    }
    return SF_OK;
}

static sf_status gate_at(sf_outcome *out, int depth, double rho)
{
    static const double mu = 1.0;
    double beta;
    sf_flow *flow;
    SF_TRY(start_flow(out, SF_METHOD_LINF, rho, depth, 1, &mu, &rho, &flow));
    SF_TRY(flow_until(flow, 10.0, INFINITY, INFINITY));
    sf_flow_predictor(flow, &beta, NULL);
    claim_check(out, SF_RELATION_RELATIVE, pow(rho, depth), beta, 1e-12,
                "L = %d, α = ρ: β at τ = 10 (stays at ρ^L)", depth);
    return SF_OK;
}

static sf_status gate_above(sf_outcome *out, int depth, double rho, double alpha)
{
    static const double mu = 1.0;
    double worst, end = depth == 2 ? 20.0 : 0.999 * time_of_infinity(depth, mu, rho, alpha);
    SF_TRY(follow_gate(out, depth, rho, alpha, end, &worst));
    claim_check(out, SF_RELATION_AT_MOST, 0.0, worst, 1e-8,
                "L = %d, α = %g ρ: β against the closed form, relative", depth, alpha / rho);
    SF_TRY(follow_plainly(out, depth, rho, alpha, depth == 2 ? 3.0 : 0.8 * end));
    if (depth == 2)
        return SF_OK;
    sf_flow *flow;
    SF_TRY(start_flow(out, SF_METHOD_LINF, rho, depth, 1, &mu, &alpha, &flow));
    SF_TRY(flow_until(flow, 2.0 * end, INFINITY, INFINITY));
    claim_check(out, SF_RELATION_RELATIVE, time_of_infinity(depth, mu, rho, alpha),
                tau_of_event(flow, SF_EVENT_BLOW_UP, SF_EVENT_BLOW_UP), 1e-8,
                "L = %d, α = %g ρ: τ at which β is infinite", depth, alpha / rho);
    return SF_OK;
}

/* The gate of the discrete updates: |w| after many steps from below rho, and from above. */
static sf_status discrete_gate(sf_outcome *out, int depth, double rho)
{
    static const double mu[] = {1.0, 1.0, 1.0};
    const double alpha[] = {0.5 * rho, rho, 1.5 * rho}, step = 0.01;
    double theta[MOST_DEPTH * MOST_FEATURES];
    sf_network *network;
    sf_descent *descent;
    SF_TRY(claim_example(out, 3, mu, depth, &network));
    equal_layers(3, depth, alpha, theta);
    SF_TRY(claim_descent(out, network, SF_METHOD_LINF, rho, step, theta, &descent));
    SF_TRY(sf_descent_advance(descent, 100000));
    const double *w = sf_descent_theta(descent);
    if (depth % 2 == 0)
        claim_check(out, SF_RELATION_AT_MOST, 0.5 * step * pow(rho, depth - 1), fabs(w[0]), 1e-12,
                    "L = %d, discrete, η = %g, 100,000 steps from 0.5 ρ: |w|", depth, step);
    else
        claim_check(out, SF_RELATION_AT_LEAST, 0.5 * rho, w[0], 0.0,
                    "L = %d, discrete, η = %g, 100,000 steps from 0.5 ρ: w (towards ρ)", depth, step);
    claim_check(out, SF_RELATION_RELATIVE, rho, w[1], 1e-12, "L = %d, discrete, 100,000 steps from ρ: w",
                depth);
    claim_check(out, SF_RELATION_AT_LEAST, 1.7 * rho, w[2], 0.0,
                "L = %d, discrete, 100,000 steps from 1.5 ρ: w (grows)", depth);
    return SF_OK;
}

static sf_status draw_gates(sf_outcome *out, double rho)
{
    enum { SAMPLES = 100, STARTS = 5 };
    static const double starts[STARTS] = {0.3, 0.6, 1.0, 1.2, 1.4};
    sf_figure *figure =
        claim_figure(out, "t32-gates", 2,
                     "ℓ∞-SAM, one coordinate with μ = 1 and ρ = 1: the weight w of every layer against τ, "
                     "measured from five starts (coloured) over the "
                     "closed forms (dashed). Starts below ρ end at 0 for even depth and at ρ for odd depth; "
                     "starts above ρ grow, for L ≥ 3 to infinity at a finite τ.",
                     "Four panels, depth 2 to 5. In each, the start at rho is a horizontal line; those above "
                     "rise; those below fall to 0 for "
                     "depth 2 and 4, and rise towards rho for depth 3 and 5.");
    if (!figure)
        return SF_ERR_MEMORY;
    for (int depth = 2; depth <= 5; depth++) {
        char title[32];
        snprintf(title, sizeof title, "L = %d", depth);
        sf_figure_panel(figure, &(sf_axes){.title = title,
                                           .x_label = "τ (rescaled time, no unit)",
                                           .y_label = "w / ρ",
                                           .x_min = 0.0,
                                           .x_max = 4.0,
                                           .y_min = 0.0,
                                           .y_max = 3.0,
                                           .key = "off"});
        for (size_t s = 0; s < STARTS; s++) {
            static const double mu = 1.0;
            size_t mark = claim_mark(out);
            double tau[SAMPLES], exact[SAMPLES], w[SAMPLES], alpha = starts[s] * rho;
            double end = alpha > rho ? fmin(4.0, 0.999 * time_of_infinity(depth, mu, rho, alpha)) : 4.0;
            sf_flow *flow;
            even_steps(SAMPLES, 0.0, end, tau);
            SF_TRY(start_flow(out, SF_METHOD_LINF, rho, depth, 1, &mu, &alpha, &flow));
            for (size_t i = 0; i < SAMPLES; i++) {
                double beta = 0.0;
                if (i > 0)
                    SF_TRY(flow_until(flow, tau[i], INFINITY, INFINITY));
                sf_flow_predictor(flow, &beta, NULL);
                w[i] = pow(beta, 1.0 / depth) / rho;
                exact[i] = gate_weight(depth, mu, rho, alpha, tau[i]) / rho;
            }
            sf_figure_series(figure, NULL, (sf_style){.color = SF_COLOR_LINF, .width = 3.0}, SAMPLES, tau, w);
            sf_figure_series(figure, NULL, (sf_style){.color = SF_COLOR_THEORY, .dash = 1, .width = 1.2},
                             SAMPLES, tau, exact);
            claim_release(out, mark);
        }
    }
    return SF_OK;
}

sf_status claim_gates(sf_outcome *out)
{
    const double rho = 1.0;
    for (int depth = 2; depth <= MOST_DEPTH; depth++) {
        size_t mark = claim_mark(out);
        SF_TRY(gate_below(out, depth, rho, 0.5));
        SF_TRY(gate_at(out, depth, rho));
        SF_TRY(gate_above(out, depth, rho, 1.5));
        SF_TRY(discrete_gate(out, depth, rho));
        claim_release(out, mark);
    }
    claim_note(
        out, SF_NOTE_SETTING,
        "ρ = 1, L = 2 to 5. Flows: one coordinate, μ = 1, from 0.5 ρ, ρ and 1.5 ρ. Discrete: those three at "
        "once as three coordinates with μ = 1, η = 0.01, 100,000 steps.");
    claim_note(out, SF_NOTE_CAVEAT,
               "The engine of ℓ∞ flows itself uses that coordinates decouple as long as no sign changes; the "
               "plain integration and the "
               "discrete updates here do not.");
    claim_note(
        out, SF_NOTE_CAVEAT,
        "At 0 the field of even depth is discontinuous and the flow slides; the discrete update chatters "
        "about 0 instead, within η ρ^{L−1} times the loss derivative (at most 1/2).");
    return draw_gates(out, rho);
}

/* ---- Corollary 3.5 and its counterpart for GD ----------------------------------------------------------- */

enum { ZERO = -1, FINITE = -2 }; // limits that are no direction e_j

/* argmax of mu_j (alpha_j - rho)^{L-2} over alpha_j > rho. */
static int predicted_limit(int depth, size_t d, const double *mu, const double *alpha, double rho)
{
    int best = depth % 2 == 0 ? ZERO : FINITE;
    double highest = 0.0;
    for (size_t j = 0; j < d; j++) {
        double strength = alpha[j] > rho ? mu[j] * pow(alpha[j] - rho, depth - 2) : 0.0;
        if (strength > highest) {
            highest = strength;
            best = (int)j;
        }
    }
    return best;
}

/* Where the flow goes: the coordinate that holds beta once log ||beta|| = log_norm, with its share of ||beta||_1. */
static sf_status measured_limit(sf_outcome *out, sf_method method, double rho, int depth, size_t d,
                                const double *mu, const double *alpha, double log_norm, int *limit,
                                double *share)
{
    size_t mark = claim_mark(out);
    double beta[MOST_FEATURES], sum = 0.0;
    sf_flow *flow;
    SF_TRY(start_flow(out, method, rho, depth, d, mu, alpha, &flow));
    SF_TRY(flow_until(flow, 1e6, INFINITY, log_norm));
    sf_flow_predictor(flow, beta, NULL);
    sf_flow_state state = sf_flow_get_state(flow);
    claim_release(out, mark);
    for (size_t j = 0; j < d; j++)
        sum += beta[j];
    size_t top = index_of_largest(d, beta);
    *share = beta[top] / sum;
    *limit = (int)top;
    if (state == SF_FLOW_COLLAPSED || sum == 0.0)
        *limit = ZERO;
    else if (sum < 0.5 * exp(log_norm))
        *limit = FINITE;
    return SF_OK;
}

typedef struct grid_result {
    size_t starts, mismatches, reached[MOST_FEATURES], zero;
    double least_share;
} grid_result;

/* All starts whose coordinates are taken from `levels` (three features, mu = (1, 2, 3)). */
static sf_status run_grid(sf_outcome *out, sf_method method, double rho, int depth, size_t levels,
                          const double *level, grid_result *result)
{
    static const double mu[] = {1.0, 2.0, 3.0};
    *result = (grid_result){.least_share = 1.0};
    for (size_t i = 0; i < levels * levels * levels; i++) {
        const double alpha[] = {level[i % levels], level[i / levels % levels], level[i / levels / levels]};
        int limit, expected = predicted_limit(depth, 3, mu, alpha, rho);
        double share;
        SF_TRY(measured_limit(out, method, rho, depth, 3, mu, alpha, 60.0, &limit, &share));
        result->starts++;
        result->mismatches += limit != expected;
        if (limit >= 0) {
            result->reached[limit]++;
            if (!(share >= result->least_share))
                result->least_share = share;
        }
        result->zero += limit == ZERO;
    }
    return SF_OK;
}

/* Where the predicted limit changes in the plane of starts up to 2, mu = (1, 2). At depth 2 the major feature wins wherever
 * it is above rho, at depth 3 where its mu (alpha - rho) is larger. */
static sf_status draw_boundary(sf_figure *figure, int depth, double rho)
{
    const double tie_x[] = {rho, 2.0}, tie_y[] = {rho, depth == 2 ? rho : rho + (2.0 - rho) / 2.0};
    const double gate_x[] = {0.0, rho, NAN, rho, rho}, gate_y[] = {rho, rho, NAN, rho, 0.0};
    sf_style style = {.color = SF_COLOR_THEORY, .dash = 1};
    sf_figure_series(figure, "predicted boundary", style, 2, tie_x, tie_y);
    if (rho > 0.0)
        sf_figure_series(figure, NULL, style, 5, gate_x, gate_y);
    return sf_figure_status(figure);
}

/* Cells of the (alpha_1, alpha_2) plane by limit, d = 2, mu = (1, 2). Classes: 0 zero or finite, 1 e_0, 2 e_1. */
static sf_status draw_limits(sf_outcome *out, const char *name, sf_method method, double rho,
                             const char *caption, const char *alt, const char *const *classes)
{
    static const double mu[] = {1.0, 2.0};
    enum { MOST = 48 };
    const size_t n = claim_quick(out) ? 8 : MOST;
    double scale[MOST], cells[MOST * MOST];
    size_t wrong = 0;
    sf_figure *figure = claim_figure(out, name, 2, caption, alt);
    if (!figure)
        return SF_ERR_MEMORY;
    even_steps(n, 2.0 / (2.0 * (double)n), 2.0 - 2.0 / (2.0 * (double)n), scale);
    for (int depth = 2; depth <= 3; depth++) {
        char title[64];
        snprintf(title, sizeof title, "%s, L = %d", sf_title_of_method(method), depth);
        sf_figure_panel(figure, &(sf_axes){.title = title,
                                           .x_label = "α of the minor feature (μ = 1)",
                                           .y_label = "α of the major feature (μ = 2)",
                                           .x_min = 0.0,
                                           .x_max = 2.0,
                                           .y_min = 0.0,
                                           .y_max = 2.0,
                                           .equal = true,
                                           .key = "below"});
        const double log_norm =
            depth == 2 ? 12.0 : 24.0; // the leader of every cell has changed for the last time
        for (size_t i = 0; i < n * n; i++) {
            const double alpha[] = {scale[i % n], scale[i / n]};
            int limit;
            double share;
            SF_TRY(measured_limit(out, method, rho, depth, 2, mu, alpha, log_norm, &limit, &share));
            wrong += limit != predicted_limit(depth, 2, mu, alpha, rho);
            cells[i] = limit < 0 ? 4.0 : limit;
        }
        sf_figure_cells(figure, NULL, SF_PALETTE_CLASSES, n, n, scale, scale, cells);
        SF_TRY(draw_boundary(figure, depth, rho));
        sf_figure_classes(figure, rho > 0.0 ? 5 : 2, classes);
    }
    claim_check(out, SF_RELATION_EQUAL, 0.0, (double)wrong, 0.0,
                "cells of both maps, %zu × %zu each, whose limit is not the predicted one", n, n);
    claim_note(out, SF_NOTE_SETTING, "Maps: μ = (1, 2), flows to log ‖β‖ = 12 (L = 2) or 24 (L = 3).");
    return SF_OK;
}

sf_status claim_choice_of_limit(sf_outcome *out)
{
    static const double level[] = {0.8, 1.1, 1.35, 1.8}; // no ties in mu_j (alpha_j - 1)
    const size_t levels = claim_quick(out) ? 2 : 4;
    const double rho = 1.0;
    for (int depth = 2; depth <= 4; depth++) {
        grid_result result;
        SF_TRY(run_grid(out, SF_METHOD_LINF, rho, depth, levels, level, &result));
        claim_check(out, SF_RELATION_EQUAL, 0.0, (double)result.mismatches, 0.0,
                    "L = %d: starts of %zu whose limit is not the predicted one", depth, result.starts);
        claim_check(out, SF_RELATION_AT_LEAST, 1.0, result.least_share, 1e-6,
                    "L = %d: least share of e_j in ‖β‖₁ at log ‖β‖ = 60", depth);
        for (size_t j = 0; j < 3; j++)
            claim_check(out, SF_RELATION_AT_LEAST, 1.0, (double)result.reached[j], 0.0,
                        "L = %d: starts that lead to e_%zu", depth, j);
        if (depth % 2 == 0)
            claim_check(out, SF_RELATION_AT_LEAST, 1.0, (double)result.zero, 0.0,
                        "L = %d: starts that lead to 0", depth);
    }
    claim_note(out, SF_NOTE_SETTING,
               "μ = (1, 2, 3), ρ = 1, ℓ∞-SAM, L = 2, 3, 4; all starts with coordinates in {0.8, 1.1, 1.35, "
               "1.8} (--quick: the first two); flows to log ‖β‖ = 60.");
    claim_note(
        out, SF_NOTE_CAVEAT,
        "Chosen tolerance: a share of 1 − 10^{−6} counts as e_j. A limit is not reached at log ‖β‖ = 60: for "
        "L = 2 "
        "the next coordinate falls behind only like a power of the norm, and the least share is then 1 − 3 × "
        "10^{−8}; for L ≥ 3 the others are frozen, and the share is 1 to all digits.");
    claim_note(
        out, SF_NOTE_CAVEAT,
        "For odd L and no coordinate above ρ, β tends to the finite point ρ^L, not to a direction; the "
        "corollary's \"0\" is for even L.");
    static const char *const classes[] = {"to e_0 (minor)", "to e_1 (major)", "", "",
                                          "to 0 (L = 2) or ρ^L (L = 3)"};
    return draw_limits(out, "c35-limits", SF_METHOD_LINF, rho,
                       "Limit of ℓ∞-SAM over the scales of the start, μ = (1, 2), ρ = 1: every cell is one "
                       "flow; dashed: the "
                       "boundaries that Corollary 3.5 predicts.",
                       "For depth 2 the lower left square goes to 0, the lower right to the minor feature, "
                       "all above rho to the "
                       "major one. For depth 3 a slanted line divides the upper right square.",
                       classes);
}

sf_status claim_gd_depth(sf_outcome *out)
{
    static const double level[] = {0.2, 0.5, 0.9, 1.9};
    const size_t levels = claim_quick(out) ? 3 : 4;
    for (int depth = 2; depth <= 4; depth++) {
        grid_result result;
        SF_TRY(run_grid(out, SF_METHOD_GD, 0.0, depth, levels, level, &result));
        claim_check(out, SF_RELATION_EQUAL, 0.0, (double)result.mismatches, 0.0,
                    "L = %d: starts of %zu whose limit is not argmax μ_j α_j^{L−2}", depth, result.starts);
        if (depth == 2)
            claim_check(out, SF_RELATION_EQUAL, (double)result.starts, (double)result.reached[2], 0.0,
                        "L = 2: starts that lead to the major coordinate");
        else
            for (size_t j = 0; j < 3; j++)
                claim_check(out, SF_RELATION_AT_LEAST, 1.0, (double)result.reached[j], 0.0,
                            "L = %d: starts that lead to e_%zu", depth, j);
    }
    claim_note(out, SF_NOTE_SETTING,
               "μ = (1, 2, 3), GD flow, L = 2, 3, 4; all starts with coordinates in {0.2, 0.5, 0.9, 1.9} "
               "(--quick: the first three); flows to log ‖β‖ = 60.");
    static const char *const classes[] = {"to e_0 (minor)", "to e_1 (major)"};
    return draw_limits(out, "gd-limits", SF_METHOD_GD, 0.0,
                       "Limit of GD over the scales of the start, μ = (1, 2). At depth 2 the major feature "
                       "always wins; at depth 3 "
                       "it depends on the start, and the line μ_0 α_0 = μ_1 α_1 divides.",
                       "At depth 2 one colour only; at depth 3 a line of slope one half through the origin "
                       "divides two colours.",
                       classes);
}

/* ---- what the statement leaves unsaid ------------------------------------------------------------------- */

static const double frozen_mu[] = {1.0, 1.0, 2.0}, frozen_alpha[] = {0.4, 1.2, 1.5};

/* The weight of each coordinate up to the first blow-up, and where its own closed form would go on to. */
static sf_status draw_frozen(sf_outcome *out, double rho)
{
    enum { SAMPLES = 120 };
    sf_figure *figure = claim_figure(out, "t32-frozen", 3,
                                     "ℓ∞-SAM at depth 3, 4 and 5, ρ = 1, μ = (1, 1, 2): the weights of three "
                                     "coordinates against τ, from α = 0.4 (gold), 1.2 "
                                     "(grey) and 1.5 (navy). At the dotted line the strongest is infinite "
                                     "and t = ∞: there the others stop. Dashed: where "
                                     "the theorem, read coordinate by coordinate, would take them.",
                                     "Three panels. The navy curve rises to infinity at the dotted line near "
                                     "tau equal to 1; gold and grey end there at "
                                     "finite values, and dashed lines go on from them.");
    if (!figure)
        return SF_ERR_MEMORY;
    for (int depth = 3; depth <= MOST_DEPTH; depth++) {
        char title[32];
        double end = time_of_infinity(depth, frozen_mu[2], rho, frozen_alpha[2]);
        size_t mark = claim_mark(out);
        double at[SAMPLES], w[SAMPLES], beyond[SAMPLES], rest[SAMPLES];
        flow_path path;
        sf_flow *flow;
        snprintf(title, sizeof title, "L = %d", depth);
        sf_figure_panel(figure, &(sf_axes){.title = title,
                                           .x_label = "τ (rescaled time, no unit)",
                                           .y_label = "w / ρ (no unit)",
                                           .x_min = 0.0,
                                           .x_max = 2.0,
                                           .y_min = 0.0,
                                           .y_max = 3.0,
                                           .key = "off"});
        even_steps(SAMPLES, 0.0, 0.9999 * end, at);
        at[0] = 1e-9;
        even_steps(SAMPLES, end, 2.0, beyond);
        SF_TRY(start_flow(out, SF_METHOD_LINF, rho, depth, 3, frozen_mu, frozen_alpha, &flow));
        SF_TRY(record_path(out, flow, 3, CLOCK_TAU, SAMPLES, at, &path));
        for (size_t j = 0; j < 3; j++) {
            uint32_t color = sf_color_of_strength((double)j / 2.0);
            for (size_t i = 0; i < SAMPLES; i++) {
                w[i] = pow(path.beta[j * SAMPLES + i], 1.0 / depth) / rho;
                rest[i] = gate_weight(depth, frozen_mu[j], rho, frozen_alpha[j], beyond[i]) / rho;
            }
            sf_figure_series(figure, NULL, (sf_style){.color = color, .width = 3.0}, SAMPLES, at, w);
            if (j < 2)
                sf_figure_series(figure, NULL, (sf_style){.color = color, .dash = 1, .width = 2.0}, SAMPLES,
                                 beyond, rest);
        }
        sf_figure_guide(figure, end, NULL);
        claim_release(out, mark);
    }
    return SF_OK;
}

sf_status claim_frozen(sf_outcome *out)
{
    static const char *const headings[] = {"L", "coordinate", "β at t = ∞, closed form",
                                           "measured at log ‖β‖ = 65", "limit coordinate by coordinate"};
    const double *mu = frozen_mu, *alpha = frozen_alpha, rho = 1.0;
    sf_table *table =
        claim_table(out, "t32-frozen", "Where coordinates stand when the first one is infinite", 5, headings);
    if (!table)
        return SF_ERR_MEMORY;
    for (int depth = 3; depth <= MOST_DEPTH; depth++) {
        size_t mark = claim_mark(out);
        double beta[3], end = time_of_infinity(depth, mu[2], rho, alpha[2]);
        sf_flow *flow;
        SF_TRY(start_flow(out, SF_METHOD_LINF, rho, depth, 3, mu, alpha, &flow));
        SF_TRY(flow_until(flow, INFINITY, INFINITY, 65.0));
        sf_flow_predictor(flow, beta, NULL);
        double log_time = NAN;
        SF_TRY(start_flow(out, SF_METHOD_LINF, rho, depth, 3, mu, alpha, &flow));
        SF_TRY(flow_until(flow, INFINITY, INFINITY, 20.0));
        log_time = sf_flow_log_time(flow);
        claim_release(out, mark);
        for (size_t j = 0; j < 2; j++) {
            double exact = pow(gate_weight(depth, mu[j], rho, alpha[j], end), depth);
            claim_check(out, SF_RELATION_RELATIVE, exact, beta[j], 1e-8,
                        "L = %d: β of the coordinate with α = %g ρ when the fastest is infinite", depth,
                        alpha[j]);
            sf_table_number(table, depth);
            sf_table_number(table, (double)j);
            sf_table_number(table, exact);
            sf_table_number(table, beta[j]);
            sf_table_text(table, j == 1 ? "infinite" : depth % 2 == 0 ? "0" : "1 (ρ^L)");
        }
        claim_check(out, SF_RELATION_AT_LEAST, 1e6, log_time, 0.0, "L = %d: log t already at log ‖β‖ = 20",
                    depth);
    }
    claim_note(out, SF_NOTE_SETTING,
               "μ = (1, 1, 2), ρ = 1, α = (0.4, 1.2, 1.5), L = 3, 4, 5; flow to log ‖β‖ = 65.");
    claim_note(out, SF_NOTE_CAVEAT,
               "Here the theorem, read coordinate by coordinate, and the flow in original time part ways: t "
               "= ∞ is already the first "
               "blow-up, so a slower coordinate never gets to 0, to ρ^L or to infinity. The limit direction "
               "is not touched by this.");
    return draw_frozen(out, rho);
}

sf_status claim_ties(sf_outcome *out)
{
    static const double mu2[] = {1.0, 2.0, 2.0}, alpha2[] = {1.75, 1.25, 1.5}; // L = 2: a tie in mu
    static const double mu3[] = {1.0, 2.0}, alpha3[] = {1.5, 1.25}; // L = 3: mu_j (alpha_j - 1) = 1/2
    const double rho = 1.0;
    double beta[3];
    sf_flow *flow;
    SF_TRY(start_flow(out, SF_METHOD_LINF, rho, 2, 3, mu2, alpha2, &flow));
    SF_TRY(flow_until(flow, INFINITY, INFINITY, 100.0));
    sf_flow_predictor(flow, beta, NULL);
    claim_check(out, SF_RELATION_RELATIVE, 0.25, beta[1] / beta[2], 1e-8,
                "L = 2, μ = (1, 2, 2): β_1 / β_2 in the limit, ((α_1 − ρ) / (α_2 − ρ))²");
    claim_check(out, SF_RELATION_AT_MOST, 0.0, beta[0] / beta[2], 1e-10,
                "L = 2, μ = (1, 2, 2): β_0 / β_2 in the limit");
    SF_TRY(start_flow(out, SF_METHOD_LINF, rho, 3, 2, mu3, alpha3, &flow));
    SF_TRY(flow_until(flow, INFINITY, INFINITY, 30.0));
    sf_flow_predictor(flow, beta, NULL);
    claim_check(out, SF_RELATION_RELATIVE, 8.0, beta[0] / beta[1], 1e-3,
                "L = 3, μ = (1, 2): β_0 / β_1 in the limit, (μ_1 / μ_0)^{L/(L−2)}");
    claim_note(
        out, SF_NOTE_SETTING,
        "ρ = 1. L = 2: μ = (1, 2, 2), α = (1.75, 1.25, 1.5), to log ‖β‖ = 100. L = 3: μ = (1, 2), α = (1.5, "
        "1.25), so that μ_j (α_j − ρ) = 1/2 for both, to log ‖β‖ = 30.");
    claim_note(
        out, SF_NOTE_CAVEAT,
        "A tie is a coincidence of the start: in floating point it holds only where it holds exactly, and "
        "for L ≥ 3 rounding breaks it in the end.");
    return SF_OK;
}

/* One coordinate, two layers (w_1, w_2), mu = 1: does |beta| grow for ever? */
static sf_status grows_for_ever(sf_outcome *out, double w1, double w2, double rho, bool *grows)
{
    static const double mu = 1.0;
    size_t mark = claim_mark(out);
    const double theta[] = {w1, w2};
    double beta;
    sf_network *network;
    sf_flow *flow;
    SF_TRY(claim_example(out, 1, &mu, 2, &network));
    SF_TRY(claim_flow(out, network, SF_METHOD_LINF, rho, theta, &flow));
    SF_TRY(flow_until(flow, 200.0, INFINITY, 20.0));
    sf_flow_predictor(flow, &beta, NULL);
    *grows = beta > 1e6;
    claim_release(out, mark);
    return SF_OK;
}

sf_status claim_unequal_layers(sf_outcome *out)
{
    enum { MOST = 48 };
    const size_t n = claim_quick(out) ? 10 : MOST;
    const double rho = 1.0;
    double x[MOST], y[MOST], cells[MOST * MOST];
    size_t wrong = 0, growing = 0;
    even_steps(n, 0.1, 5.9, x);
    even_steps(n, -2.93, 2.87, y); // off the boundaries
    for (size_t i = 0; i < n * n; i++) {
        double w1 = x[i % n], w2 = y[i / n], u = w1 + w2, v = w1 - w2;
        bool grows, expected = w2 > 0.0 ? u > 2.0 * rho : fabs(u) * (v + 2.0 * rho) > 8.0 * rho * rho;
        SF_TRY(grows_for_ever(out, w1, w2, rho, &grows));
        wrong += grows != expected;
        growing += grows;
        cells[i] = grows ? 1.0 : 4.0;
    }
    claim_check(out, SF_RELATION_EQUAL, 0.0, (double)wrong, 0.0,
                "starts of %zu where growth and criterion disagree", n * n);
    claim_check(out, SF_RELATION_AT_LEAST, 1.0, (double)growing, 0.0, "starts that grow");
    claim_note(
        out, SF_NOTE_SETTING,
        "One coordinate, μ = 1, ρ = 1, ℓ∞-SAM, L = 2, layers (w_1, w_2) on a grid over (0, 6) × (−3, 3).");
    sf_figure *figure = claim_figure(out, "t32-unequal", 1,
                                     "ℓ∞-SAM from two unequal layers, μ = 1, ρ = 1: which starts grow. "
                                     "Dashed: w_1 + w_2 = 2ρ for w_2 > 0, and u (v + 2ρ) = 8ρ² "
                                     "with u = w_1 + w_2, v = w_1 − w_2 for w_2 < 0.",
                                     "A boundary that falls steeply from (0, 2) to (2, 0) and goes on to the "
                                     "lower right; growth lies to its right.");
    if (!figure)
        return SF_ERR_MEMORY;
    static const char *const classes[] = {"", "grows", "", "", "goes to 0"};
    sf_figure_panel(figure, &(sf_axes){.x_label = "w_1 / ρ",
                                       .y_label = "w_2 / ρ",
                                       .x_min = 0.0,
                                       .x_max = 6.0,
                                       .y_min = -3.0,
                                       .y_max = 3.0,
                                       .equal = true,
                                       .key = "below"});
    sf_figure_cells(figure, NULL, SF_PALETTE_CLASSES, n, n, x, y, cells);
    double line_x[MOST + 1], line_y[MOST + 1];
    line_x[0] = 0.0;
    line_y[0] = 2.0 * rho;
    for (size_t i = 0; i < MOST; i++) {
        // (w1 + w2)(w1 - w2 + 2) = 8 at rho = 1: w2 = 1 - sqrt((w1 + 1)^2 - 8), from w1 = 2 on
        line_x[i + 1] = 2.0 + 3.2 * (double)i / (MOST - 1);
        line_y[i + 1] = 1.0 - sqrt((line_x[i + 1] + 1.0) * (line_x[i + 1] + 1.0) - 8.0);
    }
    sf_figure_series(figure, "predicted boundary", (sf_style){.color = SF_COLOR_THEORY, .dash = 1}, MOST + 1,
                     line_x, line_y);
    double mirror_x[MOST + 1], mirror_y[MOST + 1]; // (w1, w2) and (-w2, -w1) have the same fate
    for (size_t i = 0; i <= MOST; i++) {
        mirror_x[i] = -line_y[i];
        mirror_y[i] = -line_x[i];
    }
    sf_figure_series(figure, NULL, (sf_style){.color = SF_COLOR_THEORY, .dash = 1}, MOST + 1, mirror_x,
                     mirror_y);
    sf_figure_classes(figure, 5, classes);
    return SF_OK;
}
