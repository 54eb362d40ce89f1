/* One path, three descriptions: discrete updates, the flow in its original time, and the flow in the rescaled clock
 *   d tau = S(theta_hat) dt.
 * The measurements of the other claims rest on these two: that discrete updates tend to the flow in first order of the
 * step size, and that the rescaled clock changes the speed only. The flow in original time is integrated here once
 * more, by the classical Runge-Kutta method on the plain right-hand side -grad F(theta + eps(theta)). */
#include "paper/programs.h"

#include <math.h>

#include "paper/tools.h"

typedef struct setting {
    const char *name, *label; // in texts; in the legend
    sf_method method;
    double rho;
    int depth;
    size_t examples;
} setting;

static const setting settings[] = {
    {"GD, L = 2, one example", "GD", SF_METHOD_GD, 0.0, 2, 1},
    {"ℓ2-SAM, L = 2, one example", "ℓ2-SAM", SF_METHOD_L2, 1.0, 2, 1},
    {"ℓ2-SAM, L = 3, one example", "ℓ2-SAM, L = 3", SF_METHOD_L2, 0.5, 3, 1},
    {"ℓ2-SAM, L = 2, three examples", "ℓ2-SAM, N = 3", SF_METHOD_L2, 0.3, 2, 3},
    {"unnormalized SAM, L = 2, one example", "unnormalized", SF_METHOD_USAM, 1.0, 2, 1},
    {"ℓ∞-SAM, L = 2, one example", "ℓ∞-SAM", SF_METHOD_LINF, 0.3, 2, 1},
    {"ℓ∞-SAM, L = 3, one example", "ℓ∞-SAM, L = 3", SF_METHOD_LINF, 0.3, 3, 1},
};
enum { SETTINGS = sizeof settings / sizeof settings[0], D = 2 };
static const double examples[] = {1.0, 2.0, 1.5, -0.3, 0.4, 1.1}; // (3, D), separable
static const double END = 2.0;                                    // original time

static sf_status build(sf_outcome *out, const setting *s, sf_network **network, double *theta)
{
    const double alpha[] = {0.6, 0.7};
    const sf_dataset *dataset;
    SF_TRY(sf_claim_points(out, s->examples, D, examples, NULL, &dataset));
    SF_TRY(sf_claim_network(out, dataset, s->depth, network));
    sf_fill_layers(D, s->depth, alpha, theta);
    return SF_OK;
}

static sf_status flow_beta(sf_outcome *out, const setting *s, double *beta)
{
    double theta[3 * D];
    sf_network *network;
    sf_flow *flow;
    SF_TRY(build(out, s, &network, theta));
    SF_TRY(sf_claim_flow(out, network, s->method, s->rho, theta, &flow));
    SF_TRY(sf_flow_until(flow, INFINITY, log(END), INFINITY));
    sf_flow_predictor(flow, beta, NULL);
    return SF_OK;
}

static double relative_difference(const double *a, const double *b)
{
    double difference[D];
    for (size_t j = 0; j < D; j++)
        difference[j] = a[j] - b[j];
    return sf_vector_norm(D, difference) / sf_vector_norm(D, b);
}

/* ---- discrete updates against the flow ------------------------------------------------------------------ */

enum { HALVINGS = 7 };

static sf_status discrete_errors(sf_outcome *out, const setting *s, const double *steps, double *errors)
{
    double theta[3 * D], exact[D], beta[D];
    SF_TRY(flow_beta(out, s, exact));
    for (size_t k = 0; k < HALVINGS; k++) {
        sf_network *network;
        sf_descent *descent;
        SF_TRY(build(out, s, &network, theta));
        SF_TRY(sf_claim_descent(out, network, s->method, s->rho, steps[k], theta, &descent));
        SF_TRY(sf_descent_advance(descent, (uint64_t)llround(END / steps[k])));
        sf_network_predictor(network, sf_descent_theta(descent), beta);
        errors[k] = relative_difference(beta, exact);
    }
    return SF_OK;
}

sf_status sf_claim_discrete_is_flow(sf_outcome *out)
{
    static const char *const headings[] = {"setting", "η", "relative error of β at t = 2"};
    sf_table *table = sf_claim_table(out, "discrete-flow", "Discrete updates against the flow", 3, headings);
    sf_figure *figure =
        sf_claim_figure(out, "discrete-flow", 1,
                        "Distance of the discrete iterate from the flow at t = 2, against the step size "
                        "η; L = 2 and one example unless named. Dashed: first order.",
                        "On log-log axes all methods lie on straight lines of slope one.");
    if (!table || !figure)
        return SF_ERR_MEMORY;
    double steps[HALVINGS], guide[HALVINGS];
    for (size_t k = 0; k < HALVINGS; k++) {
        steps[k] = 0.1 / (double)(1U << k);
        guide[k] = 0.3 * steps[k];
    }
    sf_figure_panel(figure, &(sf_axes){.x_label = "step size η",
                                       .y_label = "relative distance from the flow",
                                       .x_scale = SF_SCALE_LOG,
                                       .y_scale = SF_SCALE_LOG,
                                       .x_min = 1e-3,
                                       .x_max = 0.2,
                                       .y_min = NAN,
                                       .y_max = NAN,
                                       .key = "below"});
    for (size_t i = 0; i < SETTINGS; i++) {
        double errors[HALVINGS] = {0};
        size_t mark = sf_claim_mark(out);
        SF_TRY(discrete_errors(out, &settings[i], steps, errors));
        sf_claim_release(out, mark);
        double order = log2(errors[HALVINGS - 2] / errors[HALVINGS - 1]);
        sf_claim_check(out, SF_RELATION_EQUAL, 1.0, order, 0.03, "%s: order of convergence in η",
                       settings[i].name);
        sf_figure_series(figure, settings[i].label,
                         (sf_style){.mark = SF_MARK_LINE_POINTS,
                                    .color = sf_color_of_method(settings[i].method),
                                    .dash = settings[i].method == SF_METHOD_USAM, // lies over GD
                                    .point = settings[i].depth == 3      ? 2
                                             : settings[i].examples == 1 ? 0
                                                                         : 3},
                         HALVINGS, steps, errors);
        for (size_t k = 0; k < HALVINGS; k++) {
            sf_table_text(table, settings[i].name);
            sf_table_number(table, steps[k]);
            sf_table_number(table, errors[k]);
        }
    }
    sf_figure_series(figure, "∝ η", (sf_style){.color = SF_COLOR_THEORY, .dash = 1}, HALVINGS, steps, guide);
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "μ = (1, 2), or the three examples (1, 2), (1.5, −0.3), (0.4, 1.1), all with label +1; equal "
        "layers (0.6, 0.7); t = 2; η = 0.1 halved %d times.",
        HALVINGS - 1);
    sf_claim_note(
        out, SF_NOTE_CAVEAT,
        "Chosen tolerance: ± 0.03 in the order, measured between the two smallest step sizes, where the "
        "next term of the error still counts.");
    sf_claim_note(
        out, SF_NOTE_CAVEAT,
        "First order holds away from the points where a flow is not smooth. After a collapse the two "
        "differ for good: the flow rests at 0, the discrete update chatters about it.");
    return SF_OK;
}

/* ---- original against rescaled clock -------------------------------------------------------------------- */

sf_status sf_claim_clocks(sf_outcome *out)
{
    enum { STEPS = 4000 };
    for (size_t i = 0; i < SETTINGS; i++) {
        size_t mark = sf_claim_mark(out);
        double theta[3 * D], exact[D], beta[D];
        sf_network *network;
        SF_TRY(flow_beta(out, &settings[i], beta));
        SF_TRY(build(out, &settings[i], &network, theta));
        sf_perturbation perturbation = {.method = settings[i].method, .rho = settings[i].rho};
        for (int k = 0; k < STEPS; k++)
            SF_TRY(sf_runge_kutta_step(network, &perturbation, false, END / STEPS, theta));
        sf_network_predictor(network, theta, exact);
        sf_claim_release(out, mark);
        sf_claim_check(out, SF_RELATION_AT_MOST, 0.0, relative_difference(beta, exact), 1e-9,
                       "%s: distance of the two paths at t = 2, relative", settings[i].name);
    }
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "The rescaled flow, stopped where its log t reaches log 2, against %d steps of the classical "
        "Runge-Kutta method on dθ/dt = −∇F(θ + ε(θ)). Starts and data as in the claim on discrete updates.",
        STEPS);
    return SF_OK;
}

/* ---- the radius ----------------------------------------------------------------------------------------- */

sf_status sf_claim_radius(sf_outcome *out)
{
    static const double mu[] = {1.0, 2.0}, margins[] = {1.0, 10.0, 28.0, 40.0, 100.0, 700.0};
    static const sf_method methods[] = {SF_METHOD_L2, SF_METHOD_LINF};
    static const char *const headings[] = {"margin", "method", "‖ε‖ / ρ",
                                           "‖ε‖ / ρ if 1e-12 were added to the norm"};
    const double rho = 0.1;
    sf_table *table = sf_claim_table(out, "radius", "The applied radius", 4, headings);
    if (!table)
        return SF_ERR_MEMORY;
    for (size_t m = 0; m < sizeof margins / sizeof margins[0]; m++)
        for (size_t k = 0; k < 2; k++) {
            size_t mark = sf_claim_mark(out);
            const double w = sqrt(margins[m] / 3.0);
            const double theta[] = {w, w, w, w};
            const sf_perturbation perturbation = {.method = methods[k], .rho = rho};
            double theta_hat[4], difference[4], gradient[4], log_scale, largest = 0.0;
            sf_network *network;
            sf_descent *descent;
            SF_TRY(sf_claim_example(out, 2, mu, 2, &network));
            sf_perturb(network, &perturbation, theta, theta_hat, NULL);
            for (size_t i = 0; i < 4; i++) {
                difference[i] = theta_hat[i] - theta[i];
                largest = sf_larger(largest, fabs(difference[i]));
            }
            double applied = methods[k] == SF_METHOD_L2 ? sf_vector_norm(4, difference) : largest;
            SF_TRY(sf_claim_descent(out, network, methods[k], rho, 0.1, theta, &descent));
            SF_TRY(sf_descent_advance(descent, 1));
            sf_network_gradient(network, theta, gradient, &log_scale);
            double norm = exp(log_scale) * sf_vector_norm(4, gradient);
            sf_claim_check(out, SF_RELATION_RELATIVE, rho, applied, 1e-12, "%s, margin %g: ‖θ̂ − θ‖",
                           sf_title_of_method(methods[k]), margins[m]);
            sf_claim_check(out, SF_RELATION_RELATIVE, rho, sf_descent_applied_norm(descent), 1e-12,
                           "%s, margin %g: ‖ε‖ in a discrete step", sf_title_of_method(methods[k]),
                           margins[m]);
            sf_table_number(table, margins[m]);
            sf_table_text(table, sf_title_of_method(methods[k]));
            sf_table_number(table, applied / rho);
            sf_table_number(table, methods[k] == SF_METHOD_L2 ? norm / (norm + 1e-12) : NAN);
            sf_claim_release(out, mark);
        }
    sf_claim_note(out, SF_NOTE_SETTING,
                  "μ = (1, 2), L = 2, ρ = %g, equal weights with margins 1 to 700, logistic loss.", rho);
    sf_claim_note(out, SF_NOTE_CAVEAT,
                  "Most implementations divide by ‖g‖ + 1e-12. On separable data ‖g‖ passes 1e-12 at "
                  "margins near 28, and from there such a SAM turns into GD without a word: the last "
                  "column.");
    return SF_OK;
}
