/* linf-SAM on one example with equal layers: rho is a gate (Theorem 3.2). */
#include "paper/programs.h"

#include <math.h>

#include "paper/gate.h"
#include "paper/tools.h"

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
    SF_TRY(sf_gate_flow(out, SF_METHOD_LINF, rho, depth, 1, &mu, &alpha, &flow));
    *worst = 0.0;
    for (int i = 1; i <= 10; i++) {
        double beta, tau = end * i / 10.0;
        SF_TRY(sf_flow_until(flow, tau, INFINITY, INFINITY));
        sf_flow_predictor(flow, &beta, NULL);
        *worst =
            sf_larger(*worst, relative_error(beta, pow(sf_gate_weight(depth, mu, rho, alpha, tau), depth)));
    }
    return SF_OK;
}

/* The same for a plain integration that knows nothing of the closed form, at `end`. */
static sf_status follow_plainly(sf_outcome *out, int depth, double rho, double alpha, double end)
{
    enum { STEPS = 4000 };
    static const double mu = 1.0;
    const sf_perturbation perturbation = {.method = SF_METHOD_LINF, .rho = rho};
    double theta[GATE_DEPTH], beta;
    sf_network *network;
    SF_TRY(sf_claim_example(out, 1, &mu, depth, &network));
    sf_fill_layers(1, depth, &alpha, theta);
    for (int i = 0; i < STEPS; i++)
        SF_TRY(sf_runge_kutta_step(network, &perturbation, true, end / STEPS, theta));
    sf_network_predictor(network, theta, &beta);
    sf_claim_check(out, SF_RELATION_RELATIVE, pow(sf_gate_weight(depth, mu, rho, alpha, end), depth), beta,
                   1e-8, "L = %d, α = %g ρ: β at τ = %.4g, by Runge-Kutta on the plain gradients", depth,
                   alpha / rho, end);
    return SF_OK;
}

static sf_status gate_below(sf_outcome *out, int depth, double rho, double alpha)
{
    static const double mu = 1.0;
    double worst, beta, log_beta;
    sf_flow *flow;
    double zero = depth % 2 == 0 ? sf_gate_time_of_zero(depth, mu, rho, alpha) : 1e9;
    SF_TRY(follow_gate(out, depth, rho, alpha, depth % 2 == 0 ? 0.95 * zero : 50.0, &worst));
    sf_claim_check(out, SF_RELATION_AT_MOST, 0.0, worst, 1e-8,
                   "L = %d, α = %g ρ: β against the closed form, relative", depth, alpha / rho);
    SF_TRY(follow_plainly(out, depth, rho, alpha, depth % 2 == 0 ? 0.9 * zero : 2.0));
    SF_TRY(sf_gate_flow(out, SF_METHOD_LINF, rho, depth, 1, &mu, &alpha, &flow));
    SF_TRY(sf_flow_until(flow, 1.1 * zero, INFINITY, INFINITY));
    sf_flow_predictor(flow, &beta, &log_beta);
    if (depth % 2 == 0) {
        sf_claim_check(out, SF_RELATION_RELATIVE, zero,
                       tau_of_event(flow, SF_EVENT_COLLAPSE, SF_EVENT_SLIDING), 1e-8,
                       "L = %d, α = %g ρ: τ at which β reaches 0", depth, alpha / rho);
        sf_claim_check(out, SF_RELATION_EQUAL, 0.0, beta, 0.0, "L = %d, α = %g ρ: β after that", depth,
                       alpha / rho);
    } else {
        sf_claim_check(out, SF_RELATION_RELATIVE, pow(rho, depth), beta, 1e-2,
                       "L = %d, α = %g ρ: β at τ = 1e9 (limit ρ^L)", depth, alpha / rho);
    }
    return SF_OK;
}

static sf_status gate_at(sf_outcome *out, int depth, double rho)
{
    static const double mu = 1.0;
    double beta;
    sf_flow *flow;
    SF_TRY(sf_gate_flow(out, SF_METHOD_LINF, rho, depth, 1, &mu, &rho, &flow));
    SF_TRY(sf_flow_until(flow, 10.0, INFINITY, INFINITY));
    sf_flow_predictor(flow, &beta, NULL);
    sf_claim_check(out, SF_RELATION_RELATIVE, pow(rho, depth), beta, 1e-12,
                   "L = %d, α = ρ: β at τ = 10 (stays at ρ^L)", depth);
    return SF_OK;
}

static sf_status gate_above(sf_outcome *out, int depth, double rho, double alpha)
{
    static const double mu = 1.0;
    double worst, end = depth == 2 ? 20.0 : 0.999 * sf_gate_time_of_infinity(depth, mu, rho, alpha);
    SF_TRY(follow_gate(out, depth, rho, alpha, end, &worst));
    sf_claim_check(out, SF_RELATION_AT_MOST, 0.0, worst, 1e-8,
                   "L = %d, α = %g ρ: β against the closed form, relative", depth, alpha / rho);
    SF_TRY(follow_plainly(out, depth, rho, alpha, depth == 2 ? 3.0 : 0.8 * end));
    if (depth == 2)
        return SF_OK;
    sf_flow *flow;
    SF_TRY(sf_gate_flow(out, SF_METHOD_LINF, rho, depth, 1, &mu, &alpha, &flow));
    SF_TRY(sf_flow_until(flow, 2.0 * end, INFINITY, INFINITY));
    sf_claim_check(out, SF_RELATION_RELATIVE, sf_gate_time_of_infinity(depth, mu, rho, alpha),
                   tau_of_event(flow, SF_EVENT_BLOW_UP, SF_EVENT_BLOW_UP), 1e-8,
                   "L = %d, α = %g ρ: τ at which β is infinite", depth, alpha / rho);
    return SF_OK;
}

/* The gate of the discrete updates: |w| after many steps from below rho, and from above. */
static sf_status discrete_gate(sf_outcome *out, int depth, double rho)
{
    static const double mu[] = {1.0, 1.0, 1.0};
    const double alpha[] = {0.5 * rho, rho, 1.5 * rho}, step = 0.01;
    double theta[GATE_DEPTH * GATE_FEATURES];
    sf_network *network;
    sf_descent *descent;
    SF_TRY(sf_claim_example(out, 3, mu, depth, &network));
    sf_fill_layers(3, depth, alpha, theta);
    SF_TRY(sf_claim_descent(out, network, SF_METHOD_LINF, rho, step, theta, &descent));
    SF_TRY(sf_descent_advance(descent, 100000));
    const double *w = sf_descent_theta(descent);
    if (depth % 2 == 0)
        sf_claim_check(out, SF_RELATION_AT_MOST, 0.5 * step * pow(rho, depth - 1), fabs(w[0]), 1e-12,
                       "L = %d, discrete, η = %g, 100,000 steps from 0.5 ρ: |w|", depth, step);
    else
        sf_claim_check(out, SF_RELATION_AT_LEAST, 0.5 * rho, w[0], 0.0,
                       "L = %d, discrete, η = %g, 100,000 steps from 0.5 ρ: w (towards ρ)", depth, step);
    sf_claim_check(out, SF_RELATION_RELATIVE, rho, w[1], 1e-12, "L = %d, discrete, 100,000 steps from ρ: w",
                   depth);
    sf_claim_check(out, SF_RELATION_AT_LEAST, 1.7 * rho, w[2], 0.0,
                   "L = %d, discrete, 100,000 steps from 1.5 ρ: w (grows)", depth);
    return SF_OK;
}

static sf_status draw_gates(sf_outcome *out, double rho)
{
    enum { SAMPLES = 100, STARTS = 5 };
    static const double starts[STARTS] = {0.3, 0.6, 1.0, 1.2, 1.4};
    sf_figure *figure = sf_claim_figure(
        out, "t32-gates", 2,
        "ℓ∞-SAM, one coordinate with μ = 1 and ρ = 1: the weight w of every layer against τ, measured "
        "from five starts (coloured) over the closed forms (dashed). Starts below ρ end at 0 for even "
        "depth and at ρ for odd depth; starts above ρ grow, for L ≥ 3 to infinity at a finite τ.",
        "Four panels, depth 2 to 5. In each, the start at rho is a horizontal line; those above rise; "
        "those below fall to 0 for depth 2 and 4, and rise towards rho for depth 3 and 5.");
    if (!figure)
        return SF_ERR_MEMORY;
    for (int depth = 2; depth <= 5; depth++) {
        char title[32];
        snprintf(title, sizeof title, "L = %d", depth);
        sf_figure_panel(figure, &(sf_axes){.title = title,
                                           .x_label = "τ",
                                           .y_label = "w / ρ",
                                           .x_min = 0.0,
                                           .x_max = 4.0,
                                           .y_min = 0.0,
                                           .y_max = 3.0,
                                           .key = "off"});
        for (size_t s = 0; s < STARTS; s++) {
            static const double mu = 1.0;
            size_t mark = sf_claim_mark(out);
            double tau[SAMPLES], exact[SAMPLES], w[SAMPLES], alpha = starts[s] * rho;
            double end =
                alpha > rho ? fmin(4.0, 0.999 * sf_gate_time_of_infinity(depth, mu, rho, alpha)) : 4.0;
            sf_flow *flow;
            sf_even_steps(SAMPLES, 0.0, end, tau);
            SF_TRY(sf_gate_flow(out, SF_METHOD_LINF, rho, depth, 1, &mu, &alpha, &flow));
            for (size_t i = 0; i < SAMPLES; i++) {
                double beta = 0.0;
                if (i > 0)
                    SF_TRY(sf_flow_until(flow, tau[i], INFINITY, INFINITY));
                sf_flow_predictor(flow, &beta, NULL);
                w[i] = pow(beta, 1.0 / depth) / rho;
                exact[i] = sf_gate_weight(depth, mu, rho, alpha, tau[i]) / rho;
            }
            sf_figure_series(figure, NULL, (sf_style){.color = SF_COLOR_LINF, .width = 3.0}, SAMPLES, tau, w);
            sf_figure_series(figure, NULL, (sf_style){.color = SF_COLOR_THEORY, .dash = 1, .width = 1.2},
                             SAMPLES, tau, exact);
            sf_claim_release(out, mark);
        }
    }
    return SF_OK;
}

sf_status sf_claim_gates(sf_outcome *out)
{
    const double rho = 1.0;
    for (int depth = 2; depth <= GATE_DEPTH; depth++) {
        size_t mark = sf_claim_mark(out);
        SF_TRY(gate_below(out, depth, rho, 0.5));
        SF_TRY(gate_at(out, depth, rho));
        SF_TRY(gate_above(out, depth, rho, 1.5));
        SF_TRY(discrete_gate(out, depth, rho));
        sf_claim_release(out, mark);
    }
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "ρ = 1, L = 2 to 5. Flows: one coordinate, μ = 1, from 0.5 ρ, ρ and 1.5 ρ. Discrete: those three "
        "at once as three coordinates with μ = 1, η = 0.01, 100,000 steps.");
    sf_claim_note(
        out, SF_NOTE_CAVEAT,
        "The engine of ℓ∞ flows itself uses that coordinates decouple as long as no sign changes; the "
        "plain integration and the discrete updates here do not.");
    sf_claim_note(
        out, SF_NOTE_CAVEAT,
        "At 0 the field of even depth is discontinuous and the flow slides; the discrete update chatters "
        "about 0 instead, within η ρ^{L−1} times the loss derivative (at most 1/2).");
    return draw_gates(out, rho);
}
