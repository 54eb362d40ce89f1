/* What the theory says beyond the theorems of the paper, on one example.
 *
 * T4.2-ONE. l2-SAM at depth 2, growth: n grows exponentially in tau, so B(infinity) = int rho/n dtau is finite. Once the
 * strongest feature carries n, dn/dtau = mu_d (n - rho mu_d), and what is left of B is
 *   B(infinity) - B = -log(1 - rho mu_d / n) / mu_d^2.
 * With tau/B -> infinity every ratio log(beta_j/beta_d) = 2 (mu_j - mu_d) (tau - (mu_j + mu_d) B) -> -infinity.
 *
 * X-LINF-TIME. linf-SAM at depth L, one growing coordinate: w = rho + (M/mu)^{1/L} with M the margin at the perturbed point,
 * and log t = M - log(dM/dtau) + o(1), dM/dtau = L mu^2 (w - rho)^{2L-2}, -log F = mu w^L + o(1). To leading order
 *   -log F - log t = L rho mu^{1/L} (log t)^{1 - 1/L}. */
#include "paper/programs.h"

#include <math.h>

#include "paper/gate.h"
#include "paper/l2.h"
#include "paper/tools.h"

/* ---- T4.2-ONE ------------------------------------------------------------------------------------------ */

enum { ONE_MOST = 6, ONE_CASES = 12 };

typedef struct one_case {
    size_t d;
    double mu[ONE_MOST], rho, factor, alpha; // alpha = factor * alpha_c
} one_case;

typedef struct one_end {
    double tau, b, n, log_ratio; // log_ratio: of the second strongest feature to the strongest
} one_end;

static sf_status draw_case(sf_outcome *out, size_t index, one_case *c)
{
    sf_random random = sf_random_make(421, index);
    *c = (one_case){.alpha = NAN};
    c->d = 2 + (size_t)sf_random_below(&random, ONE_MOST - 1);
    c->mu[0] = 0.5 + 0.5 * sf_random_uniform(&random);
    for (size_t j = 1; j < c->d; j++)
        c->mu[j] = c->mu[j - 1] + 0.2 + 0.5 * sf_random_uniform(&random);
    c->rho = exp(log(0.2) + log(10.0) * sf_random_uniform(&random));
    c->factor = 1.2 + sf_random_uniform(&random);
    SF_TRY(sf_l2_critical_scale(out, c->d, c->mu, c->rho, &c->alpha));
    c->alpha *= c->factor;
    return SF_OK;
}

/* B and n where the flow stands, from its weights alone. */
static sf_status measure_end(sf_outcome *out, const one_case *c, double log_time, one_end *end)
{
    double log_beta[L2_FEATURES];
    sf_flow *flow;
    SF_TRY(sf_l2_flow(out, c->d, c->mu, c->rho, c->alpha, &flow));
    SF_TRY(sf_flow_until(flow, INFINITY, log_time, INFINITY));
    sf_flow_predictor(flow, NULL, log_beta);
    const double strongest = c->mu[c->d - 1];
    double square = 0.0; // n^2 = 2 sum mu_j^2 beta_j
    for (size_t j = 0; j < c->d; j++)
        square += 2.0 * c->mu[j] * c->mu[j] * exp(log_beta[j]);
    end->tau = sf_flow_tau(flow);
    end->b = (log(c->alpha) + strongest * end->tau - 0.5 * log_beta[c->d - 1]) / (strongest * strongest);
    end->n = sqrt(square);
    end->log_ratio = log_beta[c->d - 2] - log_beta[c->d - 1];
    return SF_OK;
}

sf_status sf_claim_one_example(sf_outcome *out)
{
    static const char *const headings[] = {"d",
                                           "ρ",
                                           "α / α_c",
                                           "B at log t = 10⁶ and what is left",
                                           "B(∞), predicted",
                                           "τ / B",
                                           "log(β_{d−1}/β_d)"};
    const size_t cases = sf_claim_quick(out) ? 4 : ONE_CASES;
    double worst = 0.0, worst_ratio = 0.0, worst_growth = 0.0;
    sf_table *table = sf_claim_table(out, "t42-one", "B tends to a finite number", 7, headings);
    if (!table)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < cases; i++) {
        size_t mark = sf_claim_mark(out);
        one_case c;
        one_end early, late;
        sf_reduction *reduction;
        sf_reduction_point far;
        SF_TRY(draw_case(out, i, &c));
        SF_TRY(measure_end(out, &c, 1e3, &early));
        SF_TRY(measure_end(out, &c, 1e6, &late));
        SF_TRY(sf_l2_reduction(out, c.d, c.mu, c.rho, c.alpha, &reduction));
        SF_TRY(sf_reduction_at_tau(reduction, 8.0 * late.tau, &far));
        sf_claim_release(out, mark);
        const double strongest = c.mu[c.d - 1], second = c.mu[c.d - 2];
        const double whole = late.b - log1p(-c.rho * strongest / late.n) / (strongest * strongest);
        const double ratio = 2.0 * (second - strongest) * (late.tau - (second + strongest) * late.b);
        worst = sf_larger(worst, fabs(whole / far.b - 1.0));
        worst_ratio = sf_larger(worst_ratio, fabs(late.log_ratio - ratio) / fmax(1.0, fabs(ratio)));
        worst_growth = sf_larger(worst_growth, (early.tau / early.b) / (late.tau / late.b));
        const double row[] = {(double)c.d, c.rho, c.factor, whole, far.b, late.tau / late.b, late.log_ratio};
        for (size_t k = 0; k < sizeof row / sizeof row[0]; k++)
            sf_table_number(table, row[k]);
    }
    sf_claim_check(out, SF_RELATION_AT_MOST, 0.0, worst, 1e-3,
                   "%zu random examples: largest relative error of B(∞), from the flow at log t = 1,000,000",
                   cases);
    sf_claim_check(out, SF_RELATION_AT_MOST, 0.0, worst_ratio, 1e-7,
                   "largest relative error of log(β_{d−1}/β_d) = 2 (μ_{d−1} − μ_d) (τ − (μ_{d−1} + μ_d) B)");
    sf_claim_check(out, SF_RELATION_AT_MOST, 1.0, worst_growth, 0.0,
                   "largest part of τ/B at log t = 1,000,000 that was there at log t = 1,000");
    sf_claim_note(out, SF_NOTE_SETTING,
                  "One example (given twice, so that the engine integrates coordinate by coordinate and "
                  "not by the reduction that predicts) with %d to %d features of random strengths, ρ from "
                  "0.2 to 2, equal layers of 1.2 to 2.2 times the critical scale, L = 2; seed 421, one "
                  "stream per example. B is read off the strongest weight, B(∞) is the reduction at eight "
                  "times the τ.",
                  2, ONE_MOST);
    sf_claim_note(out, SF_NOTE_CAVEAT,
                  "Chosen tolerance: 10^{−3}, because the part of B that is left at log t = 1,000,000 is "
                  "computed as if the strongest feature carried n alone. That τ/B grows without bound "
                  "follows from B(∞) being finite; it is not itself within reach of a run.");
    return SF_OK;
}

/* ---- X-LINF-TIME --------------------------------------------------------------------------------------- */

enum { LINF_TIMES = 13 };

/* -log F - log t of one coordinate at log t, by the asymptotic form: M by Newton's method on M - log(dM/dtau) = log t. */
static double lead_of_linf(int depth, double mu, double rho, double log_time)
{
    const double power = (2.0 * depth - 2.0) / depth;
    double perturbed = log_time;
    for (int i = 0; i < 60; i++) {
        double slope = log(depth * mu * mu) + power * log(perturbed / mu);
        perturbed -= (perturbed - slope - log_time) / (1.0 - power / perturbed);
    }
    return mu * pow(rho + pow(perturbed / mu, 1.0 / depth), depth) - log_time;
}

static double leading_term(int depth, double mu, double rho, double log_time)
{
    return depth * rho * pow(mu, 1.0 / depth) * pow(log_time, 1.0 - 1.0 / depth);
}

sf_status sf_claim_linf_time(sf_outcome *out)
{
    static const double mu = 2.0, alpha = 1.5, rho = 1.0;
    double at[LINF_TIMES], measured[LINF_TIMES], leading[LINF_TIMES];
    sf_figure *figure = sf_claim_figure(
        out, "linf-time", 1,
        "How far the loss of ℓ∞-SAM is ahead of 1/t: −log F − log t against log t, one coordinate with μ "
        "= 2, from α = 1.5, ρ = 1, at depths 2, 3 and 4. Dashed: the leading term L ρ μ^{1/L} (log "
        "t)^{1−1/L}.",
        "On log-log axes three rising lines, steeper at greater depth, each close to its dashed "
        "prediction and closer to the right.");
    if (!figure)
        return SF_ERR_MEMORY;
    sf_figure_panel(figure, &(sf_axes){.x_label = "ln t",
                                       .y_label = "−log F − log t",
                                       .x_scale = SF_SCALE_LOG,
                                       .y_scale = SF_SCALE_LOG,
                                       .x_min = 100.0,
                                       .x_max = 1e8,
                                       .y_min = NAN,
                                       .y_max = NAN,
                                       .key = "top left"});
    sf_even_ratios(LINF_TIMES, 100.0, 1e8, at);
    for (int depth = 2; depth <= 4; depth++) {
        char title[32];
        double error = 0.0, gap[2] = {NAN, NAN};
        size_t mark = sf_claim_mark(out);
        sf_flow *flow;
        SF_TRY(sf_gate_flow(out, SF_METHOD_LINF, rho, depth, 1, &mu, &alpha, &flow));
        for (size_t i = 0; i < LINF_TIMES; i++) {
            double log_loss;
            SF_TRY(sf_flow_until(flow, INFINITY, at[i], INFINITY));
            sf_flow_evaluate(flow, &log_loss, NULL, NULL);
            measured[i] = -log_loss - at[i];
            leading[i] = leading_term(depth, mu, rho, at[i]);
            if (at[i] > 9.9e3)
                error = sf_larger(error, fabs(measured[i] / lead_of_linf(depth, mu, rho, at[i]) - 1.0));
        }
        sf_claim_release(out, mark);
        gap[0] = fabs(measured[6] / leading[6] - 1.0); // log t = 1e5
        gap[1] = fabs(measured[LINF_TIMES - 1] / leading[LINF_TIMES - 1] - 1.0);
        sf_claim_check(out, SF_RELATION_RELATIVE, leading[9], measured[9], 0.05,
                       "L = %d, log t = 3,162,278: −log F − log t, against the leading term", depth);
        sf_claim_check(out, SF_RELATION_AT_MOST, 0.5, gap[1] / gap[0], 0.0,
                       "L = %d: relative distance from the leading term at log t = 10⁸, over that at 10⁵",
                       depth);
        sf_claim_check(out, SF_RELATION_AT_MOST, 0.0, error, 1e-4,
                       "L = %d: largest relative error of the whole asymptotic form from log t = 10⁴ on",
                       depth);
        snprintf(title, sizeof title, "L = %d", depth);
        sf_figure_series(figure, title,
                         (sf_style){.color = sf_color_of_strength((depth - 2) / 2.0), .width = 3.0},
                         LINF_TIMES, at, measured);
        sf_figure_series(figure, depth == 2 ? "leading term" : NULL,
                         (sf_style){.color = SF_COLOR_THEORY, .dash = 1, .width = 1.5}, LINF_TIMES, at,
                         leading);
    }
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "One coordinate, μ = 2, ρ = 1, α = 1.5, logistic loss, flow of ℓ∞-SAM at L = 2, 3, 4, to log t = 10⁸.");
    sf_claim_note(out, SF_NOTE_FINDING,
                  "Like ℓ2-SAM, ℓ∞-SAM descends faster in original time than GD, whose −log F − log t is "
                  "a logarithm of the margin; the deeper the network, the faster.");
    sf_claim_note(out, SF_NOTE_CAVEAT,
                  "The leading term is reached slowly: at log t = 10⁶ it is still off by some percent. "
                  "The whole asymptotic form keeps w = ρ + (M/μ)^{1/L} and log t = M − log(dM/dτ), with M "
                  "the margin at the perturbed point.");
    return SF_OK;
}
