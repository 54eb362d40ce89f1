/* linf-SAM on one example with equal layers: which limit the start chooses (Corollary 3.5), and its counterpart for GD. */
#include "paper/programs.h"

#include <math.h>

#include "paper/gate.h"
#include "paper/tools.h"

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
    size_t mark = sf_claim_mark(out);
    double beta[GATE_FEATURES], sum = 0.0;
    sf_flow *flow;
    SF_TRY(sf_gate_flow(out, method, rho, depth, d, mu, alpha, &flow));
    SF_TRY(sf_flow_until(flow, 1e6, INFINITY, log_norm));
    sf_flow_predictor(flow, beta, NULL);
    sf_flow_state state = sf_flow_get_state(flow);
    sf_claim_release(out, mark);
    for (size_t j = 0; j < d; j++)
        sum += beta[j];
    size_t top = sf_index_of_largest(d, beta);
    *share = beta[top] / sum;
    *limit = (int)top;
    if (state == SF_FLOW_COLLAPSED || sum == 0.0)
        *limit = ZERO;
    else if (sum < 0.5 * exp(log_norm))
        *limit = FINITE;
    return SF_OK;
}

typedef struct grid_result {
    size_t starts, mismatches, reached[GATE_FEATURES], zero;
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

/* The part of the square (0, 2)^2 of starts from which the minor feature wins, mu = (1, 2): the area below the boundary, to
 * the right of rho. */
static double share_of_minor(int depth, double rho)
{
    double side = 2.0 - rho;
    return (side * rho + (depth == 2 ? 0.0 : 0.5 * side * side / 2.0)) / 4.0;
}

/* Cells of the (alpha_1, alpha_2) plane by limit, d = 2, mu = (1, 2). Classes: 0 zero or finite, 1 e_0, 2 e_1. */
static sf_status draw_limits(sf_outcome *out, const char *name, sf_method method, double rho,
                             const char *caption, const char *alt, const char *const *classes)
{
    static const double mu[] = {1.0, 2.0};
    enum { MOST = 48 };
    const size_t n = sf_claim_quick(out) ? 8 : MOST;
    double scale[MOST], cells[MOST * MOST];
    size_t wrong = 0;
    sf_figure *figure = sf_claim_figure(out, name, 2, caption, alt);
    if (!figure)
        return SF_ERR_MEMORY;
    sf_even_steps(n, 2.0 / (2.0 * (double)n), 2.0 - 2.0 / (2.0 * (double)n), scale);
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
        size_t minor = 0;
        const double log_norm =
            depth == 2 ? 12.0 : 24.0; // the leader of every cell has changed for the last time
        for (size_t i = 0; i < n * n; i++) {
            const double alpha[] = {scale[i % n], scale[i / n]};
            int limit;
            double share;
            SF_TRY(measured_limit(out, method, rho, depth, 2, mu, alpha, log_norm, &limit, &share));
            wrong += limit != predicted_limit(depth, 2, mu, alpha, rho);
            cells[i] = limit < 0 ? 4.0 : limit;
            minor += limit == 0;
        }
        // a cell in which the boundary runs is counted whole: by at most half a cell for each of the n columns
        sf_claim_check(out, SF_RELATION_EQUAL, share_of_minor(depth, rho), (double)minor / (double)(n * n),
                       0.5 / (double)n,
                       "L = %d: share of the initializations in (0, 2)² that end in the minor feature",
                       depth);
        sf_figure_cells(figure, NULL, SF_PALETTE_CLASSES, n, n, scale, scale, cells);
        SF_TRY(draw_boundary(figure, depth, rho));
        sf_figure_classes(figure, rho > 0.0 ? 5 : 2, classes);
    }
    sf_claim_check(out, SF_RELATION_EQUAL, 0.0, (double)wrong, 0.0,
                   "cells of both maps, %zu × %zu each, whose limit is not the predicted one", n, n);
    sf_claim_note(out, SF_NOTE_SETTING, "Maps: μ = (1, 2), flows to log ‖β‖ = 12 (L = 2) or 24 (L = 3).");
    return SF_OK;
}

sf_status sf_claim_choice_of_limit(sf_outcome *out)
{
    static const double level[] = {0.8, 1.1, 1.35, 1.8}; // no ties in mu_j (alpha_j - 1)
    const size_t levels = sf_claim_quick(out) ? 2 : 4;
    const double rho = 1.0;
    for (int depth = 2; depth <= 4; depth++) {
        grid_result result;
        SF_TRY(run_grid(out, SF_METHOD_LINF, rho, depth, levels, level, &result));
        sf_claim_check(out, SF_RELATION_EQUAL, 0.0, (double)result.mismatches, 0.0,
                       "L = %d: starts of %zu whose limit is not the predicted one", depth, result.starts);
        sf_claim_check(out, SF_RELATION_AT_LEAST, 1.0, result.least_share, 1e-6,
                       "L = %d: least share of e_j in ‖β‖₁ at log ‖β‖ = 60", depth);
        for (size_t j = 0; j < 3; j++)
            sf_claim_check(out, SF_RELATION_AT_LEAST, 1.0, (double)result.reached[j], 0.0,
                           "L = %d: starts that lead to e_%zu", depth, j);
        if (depth % 2 == 0)
            sf_claim_check(out, SF_RELATION_AT_LEAST, 1.0, (double)result.zero, 0.0,
                           "L = %d: starts that lead to 0", depth);
    }
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "μ = (1, 2, 3), ρ = 1, ℓ∞-SAM, L = 2, 3, 4; all starts with coordinates in {0.8, 1.1, 1.35, 1.8} "
        "(--quick: the first two); flows to log ‖β‖ = 60.");
    sf_claim_note(
        out, SF_NOTE_CAVEAT,
        "Chosen tolerance: a share of 1 − 10^{−6} counts as e_j. A limit is not reached at log ‖β‖ = 60: "
        "for L = 2 the next coordinate falls behind only like a power of the norm, and the least share is "
        "then 1 − 3 × 10^{−8}; for L ≥ 3 the others are frozen, and the share is 1 to all digits.");
    sf_claim_note(
        out, SF_NOTE_CAVEAT,
        "For odd L and no coordinate above ρ, β tends to the finite point ρ^L, not to a direction; the "
        "corollary's \"0\" is for even L.");
    static const char *const classes[] = {"to e_0 (minor)", "to e_1 (major)", "", "",
                                          "to 0 (L = 2) or ρ^L (L = 3)"};
    return draw_limits(out, "c35-limits", SF_METHOD_LINF, rho,
                       "Limit of ℓ∞-SAM over the scales of the start, μ = (1, 2), ρ = 1: every cell is "
                       "one flow; dashed: the boundaries that Corollary 3.5 predicts.",
                       "For depth 2 the lower left square goes to 0, the lower right to the minor "
                       "feature, all above rho to the major one. For depth 3 a slanted line divides the "
                       "upper right square.",
                       classes);
}

sf_status sf_claim_gd_depth(sf_outcome *out)
{
    static const double level[] = {0.2, 0.5, 0.9, 1.9};
    const size_t levels = sf_claim_quick(out) ? 3 : 4;
    for (int depth = 2; depth <= 4; depth++) {
        grid_result result;
        SF_TRY(run_grid(out, SF_METHOD_GD, 0.0, depth, levels, level, &result));
        sf_claim_check(out, SF_RELATION_EQUAL, 0.0, (double)result.mismatches, 0.0,
                       "L = %d: starts of %zu whose limit is not argmax μ_j α_j^{L−2}", depth, result.starts);
        if (depth == 2)
            sf_claim_check(out, SF_RELATION_EQUAL, (double)result.starts, (double)result.reached[2], 0.0,
                           "L = 2: starts that lead to the major coordinate");
        else
            for (size_t j = 0; j < 3; j++)
                sf_claim_check(out, SF_RELATION_AT_LEAST, 1.0, (double)result.reached[j], 0.0,
                               "L = %d: starts that lead to e_%zu", depth, j);
    }
    sf_claim_note(out, SF_NOTE_SETTING,
                  "μ = (1, 2, 3), GD flow, L = 2, 3, 4; all starts with coordinates in {0.2, 0.5, 0.9, "
                  "1.9} (--quick: the first three); flows to log ‖β‖ = 60.");
    static const char *const classes[] = {"to e_0 (minor)", "to e_1 (major)"};
    return draw_limits(out, "gd-limits", SF_METHOD_GD, 0.0,
                       "Limit of GD over the scales of the start, μ = (1, 2). At depth 2 the major "
                       "feature always wins; at depth 3 it depends on the start, and the line μ_0 α_0 = "
                       "μ_1 α_1 divides.",
                       "At depth 2 one colour only; at depth 3 a line of slope one half through the "
                       "origin divides two colours.",
                       classes);
}
