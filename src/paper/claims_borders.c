/* linf-SAM on one example: what Theorem 3.2 leaves unsaid, beyond the first blow-up, at ties, and with unequal layers. */
#include "paper/programs.h"

#include <math.h>
#include <string.h>

#include "paper/gate.h"
#include "paper/tools.h"

static const double frozen_mu[] = {1.0, 1.0, 2.0}, frozen_alpha[] = {0.4, 1.2, 1.5};

/* The weight of each coordinate up to the first blow-up, and where its own closed form would go on to. */
static sf_status draw_frozen(sf_outcome *out, double rho)
{
    enum { SAMPLES = 120 };
    sf_figure *figure =
        sf_claim_figure(out, "t32-frozen", 3,
                        "ℓ∞-SAM at depth 3, 4 and 5, ρ = 1, μ = (1, 1, 2): the weights of three "
                        "coordinates against τ, from α = 0.4 (gold), 1.2 (grey) and 1.5 (navy). At the "
                        "dotted line the strongest is infinite and t = ∞: there the others stop. Dashed: "
                        "where the theorem, read coordinate by coordinate, would take them.",
                        "Three panels. The navy curve rises to infinity at the dotted line near tau equal "
                        "to 1; gold and grey end there at finite values, and dashed lines go on from them.");
    if (!figure)
        return SF_ERR_MEMORY;
    for (int depth = 3; depth <= GATE_DEPTH; depth++) {
        char title[32];
        double end = sf_gate_time_of_infinity(depth, frozen_mu[2], rho, frozen_alpha[2]);
        size_t mark = sf_claim_mark(out);
        double at[SAMPLES], w[SAMPLES], beyond[SAMPLES], rest[SAMPLES];
        flow_path path;
        sf_flow *flow;
        snprintf(title, sizeof title, "L = %d", depth);
        sf_figure_panel(figure, &(sf_axes){.title = title,
                                           .x_label = "τ",
                                           .y_label = "w / ρ",
                                           .x_min = 0.0,
                                           .x_max = 2.0,
                                           .y_min = 0.0,
                                           .y_max = 3.0,
                                           .key = "off"});
        sf_even_steps(SAMPLES, 0.0, 0.9999 * end, at);
        at[0] = 1e-9;
        sf_even_steps(SAMPLES, end, 2.0, beyond);
        SF_TRY(sf_gate_flow(out, SF_METHOD_LINF, rho, depth, 3, frozen_mu, frozen_alpha, &flow));
        SF_TRY(sf_record_path(out, flow, 3, CLOCK_TAU, SAMPLES, at, &path));
        for (size_t j = 0; j < 3; j++) {
            uint32_t color = sf_color_of_strength((double)j / 2.0);
            for (size_t i = 0; i < SAMPLES; i++) {
                w[i] = pow(path.beta[j * SAMPLES + i], 1.0 / depth) / rho;
                rest[i] = sf_gate_weight(depth, frozen_mu[j], rho, frozen_alpha[j], beyond[i]) / rho;
            }
            sf_figure_series(figure, NULL, (sf_style){.color = color, .width = 3.0}, SAMPLES, at, w);
            if (j < 2)
                sf_figure_series(figure, NULL, (sf_style){.color = color, .dash = 1, .width = 2.0}, SAMPLES,
                                 beyond, rest);
        }
        sf_figure_guide(figure, end, NULL);
        sf_claim_release(out, mark);
    }
    return SF_OK;
}

sf_status sf_claim_frozen(sf_outcome *out)
{
    static const char *const headings[] = {"L", "coordinate", "β at t = ∞, closed form",
                                           "measured at log ‖β‖ = 65", "limit coordinate by coordinate"};
    const double *mu = frozen_mu, *alpha = frozen_alpha, rho = 1.0;
    sf_table *table = sf_claim_table(out, "t32-frozen",
                                     "Where coordinates stand when the first one is infinite", 5, headings);
    if (!table)
        return SF_ERR_MEMORY;
    for (int depth = 3; depth <= GATE_DEPTH; depth++) {
        size_t mark = sf_claim_mark(out);
        double beta[3], end = sf_gate_time_of_infinity(depth, mu[2], rho, alpha[2]);
        sf_flow *flow;
        SF_TRY(sf_gate_flow(out, SF_METHOD_LINF, rho, depth, 3, mu, alpha, &flow));
        SF_TRY(sf_flow_until(flow, INFINITY, INFINITY, 65.0));
        sf_flow_predictor(flow, beta, NULL);
        double log_time = NAN;
        SF_TRY(sf_gate_flow(out, SF_METHOD_LINF, rho, depth, 3, mu, alpha, &flow));
        SF_TRY(sf_flow_until(flow, INFINITY, INFINITY, 20.0));
        log_time = sf_flow_log_time(flow);
        sf_claim_release(out, mark);
        for (size_t j = 0; j < 2; j++) {
            double exact = pow(sf_gate_weight(depth, mu[j], rho, alpha[j], end), depth);
            sf_claim_check(out, SF_RELATION_RELATIVE, exact, beta[j], 1e-8,
                           "L = %d: β of the coordinate with α = %g ρ when the fastest is infinite", depth,
                           alpha[j]);
            sf_table_number(table, depth);
            sf_table_number(table, (double)j);
            sf_table_number(table, exact);
            sf_table_number(table, beta[j]);
            sf_table_text(table, j == 1 ? "infinite" : depth % 2 == 0 ? "0" : "1 (ρ^L)");
        }
        sf_claim_check(out, SF_RELATION_AT_LEAST, 1e6, log_time, 0.0, "L = %d: log t already at log ‖β‖ = 20",
                       depth);
    }
    sf_claim_note(out, SF_NOTE_SETTING,
                  "μ = (1, 1, 2), ρ = 1, α = (0.4, 1.2, 1.5), L = 3, 4, 5; flow to log ‖β‖ = 65.");
    sf_claim_note(
        out, SF_NOTE_CAVEAT,
        "Here the theorem, read coordinate by coordinate, and the flow in original time part ways: t = ∞ "
        "is already the first blow-up, so a slower coordinate never gets to 0, to ρ^L or to infinity. The "
        "limit direction is not touched by this.");
    return draw_frozen(out, rho);
}

sf_status sf_claim_ties(sf_outcome *out)
{
    static const double mu2[] = {1.0, 2.0, 2.0}, alpha2[] = {1.75, 1.25, 1.5}; // L = 2: a tie in mu
    static const double mu3[] = {1.0, 2.0}, alpha3[] = {1.5, 1.25}; // L = 3: mu_j (alpha_j - 1) = 1/2
    const double rho = 1.0;
    double beta[3];
    sf_flow *flow;
    SF_TRY(sf_gate_flow(out, SF_METHOD_LINF, rho, 2, 3, mu2, alpha2, &flow));
    SF_TRY(sf_flow_until(flow, INFINITY, INFINITY, 100.0));
    sf_flow_predictor(flow, beta, NULL);
    sf_claim_check(out, SF_RELATION_RELATIVE, 0.25, beta[1] / beta[2], 1e-8,
                   "L = 2, μ = (1, 2, 2): β_1 / β_2 in the limit, ((α_1 − ρ) / (α_2 − ρ))²");
    sf_claim_check(out, SF_RELATION_AT_MOST, 0.0, beta[0] / beta[2], 1e-10,
                   "L = 2, μ = (1, 2, 2): β_0 / β_2 in the limit");
    SF_TRY(sf_gate_flow(out, SF_METHOD_LINF, rho, 3, 2, mu3, alpha3, &flow));
    SF_TRY(sf_flow_until(flow, INFINITY, INFINITY, 30.0));
    sf_flow_predictor(flow, beta, NULL);
    sf_claim_check(out, SF_RELATION_RELATIVE, 8.0, beta[0] / beta[1], 1e-3,
                   "L = 3, μ = (1, 2): β_0 / β_1 in the limit, (μ_1 / μ_0)^{L/(L−2)}");
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "ρ = 1. L = 2: μ = (1, 2, 2), α = (1.75, 1.25, 1.5), to log ‖β‖ = 100. L = 3: μ = (1, 2), α = "
        "(1.5, 1.25), so that μ_j (α_j − ρ) = 1/2 for both, to log ‖β‖ = 30.");
    sf_claim_note(
        out, SF_NOTE_CAVEAT,
        "A tie is a coincidence of the start: in floating point it holds only where it holds exactly, and "
        "for L ≥ 3 rounding breaks it in the end.");
    return SF_OK;
}

/* One coordinate, two layers (w_1, w_2), mu = 1: does |beta| grow for ever? */
static sf_status grows_for_ever(sf_outcome *out, double w1, double w2, double rho, bool *grows)
{
    static const double mu = 1.0;
    size_t mark = sf_claim_mark(out);
    const double theta[] = {w1, w2};
    double beta;
    sf_network *network;
    sf_flow *flow;
    SF_TRY(sf_claim_example(out, 1, &mu, 2, &network));
    SF_TRY(sf_claim_flow(out, network, SF_METHOD_LINF, rho, theta, &flow));
    SF_TRY(sf_flow_until(flow, 200.0, INFINITY, 20.0));
    sf_flow_predictor(flow, &beta, NULL);
    *grows = beta > 1e6;
    sf_claim_release(out, mark);
    return SF_OK;
}

sf_status sf_claim_unequal_layers(sf_outcome *out)
{
    enum { MOST = 48 };
    const size_t n = sf_claim_quick(out) ? 10 : MOST;
    const double rho = 1.0;
    double x[MOST], y[MOST], cells[MOST * MOST];
    size_t wrong = 0, growing = 0;
    sf_even_steps(n, 0.1, 5.9, x);
    sf_even_steps(n, -2.93, 2.87, y); // off the boundaries
    for (size_t i = 0; i < n * n; i++) {
        double w1 = x[i % n], w2 = y[i / n], u = w1 + w2, v = w1 - w2;
        bool grows, expected = w2 > 0.0 ? u > 2.0 * rho : fabs(u) * (v + 2.0 * rho) > 8.0 * rho * rho;
        SF_TRY(grows_for_ever(out, w1, w2, rho, &grows));
        wrong += grows != expected;
        growing += grows;
        cells[i] = grows ? 1.0 : 4.0;
    }
    sf_claim_check(out, SF_RELATION_EQUAL, 0.0, (double)wrong, 0.0,
                   "starts of %zu where growth and criterion disagree", n * n);
    sf_claim_check(out, SF_RELATION_AT_LEAST, 1.0, (double)growing, 0.0, "starts that grow");
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "One coordinate, μ = 1, ρ = 1, ℓ∞-SAM, L = 2, layers (w_1, w_2) on a grid over (0, 6) × (−3, 3).");
    sf_figure *figure =
        sf_claim_figure(out, "t32-unequal", 1,
                        "ℓ∞-SAM from two unequal layers, μ = 1, ρ = 1: which starts grow. Dashed: w_1 + "
                        "w_2 = 2ρ for w_2 > 0, and u (v + 2ρ) = 8ρ² with u = w_1 + w_2, v = w_1 − w_2 for "
                        "w_2 < 0.",
                        "A boundary that falls steeply from (0, 2) to (2, 0) and goes on to the lower "
                        "right; growth lies to its right.");
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
