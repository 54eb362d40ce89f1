/* l2-SAM at depth 2 on one example: the order of features in time (Theorem 4.4). */
#include "paper/programs.h"

#include <math.h>

#include "paper/l2.h"
#include "paper/tools.h"

enum { MOST_LEADERS = 512 };

typedef struct order {
    size_t count;
    leader leaders[MOST_LEADERS];
} order;

static size_t leader_at(size_t d, const double *mu, const sf_reduction_point *point)
{
    size_t best = 0;
    for (size_t j = 1; j < d; j++)
        if ((mu[j] - mu[best]) * (point->tau - (mu[j] + mu[best]) * point->b) > 0.0)
            best = j;
    return best;
}

/* Adds the changes of leader between two points of the reduction, each located to the last bits. */
static sf_status refine(sf_reduction *reduction, size_t d, const double *mu, sf_reduction_point low,
                        sf_reduction_point high, order *predicted)
{
    size_t before = leader_at(d, mu, &low), after = leader_at(d, mu, &high);
    while (before != after) {
        sf_reduction_point left = low, right = high;
        for (int i = 0; i < 60 && right.tau - left.tau > 1e-15 * right.tau; i++) {
            sf_reduction_point middle;
            SF_TRY(sf_reduction_at_tau(reduction, 0.5 * (left.tau + right.tau), &middle));
            if (leader_at(d, mu, &middle) == before)
                left = middle;
            else
                right = middle;
        }
        before = leader_at(d, mu, &right);
        if (predicted->count < MOST_LEADERS)
            predicted->leaders[predicted->count++] = (leader){before, right.tau, right.log_time};
        low = right;
    }
    return SF_OK;
}

static sf_status predict_order(sf_outcome *out, size_t d, const double *mu, double rho, double alpha,
                               double log_time, order *predicted)
{
    enum { STEPS = 400 };
    sf_reduction *reduction;
    sf_reduction_point end, point, next;
    SF_TRY(sf_l2_reduction(out, d, mu, rho, alpha, &reduction));
    SF_TRY(sf_reduction_at_log_time(reduction, log_time, &end));
    SF_TRY(sf_reduction_at_tau(reduction, 1e-9 * end.tau, &point));
    *predicted = (order){.count = 1, .leaders = {{leader_at(d, mu, &point), 0.0, -INFINITY}}};
    for (int i = 1; i <= STEPS; i++) {
        SF_TRY(sf_reduction_at_tau(reduction, end.tau * i / STEPS, &next));
        SF_TRY(refine(reduction, d, mu, point, next, predicted));
        point = next;
    }
    return SF_OK;
}

static sf_status measure_order(sf_outcome *out, size_t d, const double *mu, double rho, double alpha,
                               double log_time, order *measured)
{
    double log_beta[L2_FEATURES];
    sf_flow *flow;
    SF_TRY(sf_l2_flow(out, d, mu, rho, alpha, &flow));
    SF_TRY(sf_flow_until(flow, INFINITY, log_time, INFINITY));
    sf_flow_predictor(flow, NULL, log_beta);
    measured->count = sf_leaders_of(flow, sf_index_of_largest(d, log_beta), MOST_LEADERS, measured->leaders);
    return SF_OK;
}

typedef struct time_case {
    size_t d;
    double low, high; // strengths evenly from low to high
    double scale;     // alpha = scale * alpha_c; 0: alpha as given
    double alpha, log_time;
} time_case;

static sf_status check_order(sf_outcome *out, const time_case *c, sf_table *table)
{
    double mu[L2_FEATURES], alpha = c->alpha, tau_error = 0.0, time_error = 0.0;
    size_t mark = sf_claim_mark(out), wrong = 0, back = 0;
    order predicted, measured;
    sf_even_steps(c->d, c->low, c->high, mu);
    if (c->scale > 0.0) {
        SF_TRY(sf_l2_critical_scale(out, c->d, mu, 1.0, &alpha));
        alpha *= c->scale;
    }
    SF_TRY(predict_order(out, c->d, mu, 1.0, alpha, c->log_time, &predicted));
    SF_TRY(measure_order(out, c->d, mu, 1.0, alpha, c->log_time, &measured));
    sf_claim_release(out, mark);
    for (size_t i = 0; i < predicted.count; i++) {
        const leader *p = &predicted.leaders[i], *m = &measured.leaders[i < measured.count ? i : 0];
        wrong += p->index != m->index;
        if (i > 0) {
            back += p->index < p[-1].index;
            tau_error = sf_larger(tau_error, fabs(m->tau / p->tau - 1.0));
            time_error =
                sf_larger(time_error, fabs(m->log_time - p->log_time) / fmax(1.0, fabs(p->log_time)));
        }
        sf_table_number(table, (double)c->d);
        sf_table_number(table, alpha);
        sf_table_number(table, (double)p->index);
        sf_table_number(table, p->tau);
        sf_table_number(table, m->tau);
        sf_table_number(table, p->log_time);
        sf_table_number(table, m->log_time);
    }
    sf_claim_check(out, SF_RELATION_EQUAL, (double)predicted.count, (double)measured.count, 0.0,
                   "d = %zu, α = %.6g: features that lead in turn", c->d, alpha);
    sf_claim_check(out, SF_RELATION_EQUAL, 0.0, (double)wrong, 0.0,
                   "d = %zu, α = %.6g: of them in another order", c->d, alpha);
    sf_claim_check(out, SF_RELATION_AT_MOST, 0.0, tau_error, 1e-8,
                   "d = %zu, α = %.6g: largest relative error of a switch in τ", c->d, alpha);
    sf_claim_check(out, SF_RELATION_AT_MOST, 0.0, time_error, 1e-7,
                   "d = %zu, α = %.6g: largest relative error of a switch in log t", c->d, alpha);
    if (back > 0)
        sf_claim_note(out, SF_NOTE_FINDING,
                      "d = %zu, α = %.6g: the order is not monotone: the lead first goes down to a weaker "
                      "feature (%zu of the changes), then up.",
                      c->d, alpha, back);
    return SF_OK;
}

/* A flow whose features hand over, with the predicted moments, and that of GD from the same initialization. */
typedef struct course_in_time {
    size_t d;
    double alpha, scale; // alpha = scale * alpha_c
    double mu[L2_FEATURES];
    order predicted;
    double end; // log t: past the last hand-over
    flow_path path, gd;
} course_in_time;

static sf_status follow_course(sf_outcome *out, size_t d, double scale, course_in_time *c)
{
    enum { SAMPLES = 150 };
    double critical, at[SAMPLES];
    sf_flow *flow;
    sf_reduction *reduction;
    const sf_leader *leaders;
    size_t count;
    *c = (course_in_time){.d = d, .scale = scale};
    sf_even_steps(d, 1.0, 3.0, c->mu);
    SF_TRY(sf_l2_critical_scale(out, d, c->mu, 1.0, &critical));
    c->alpha = scale * critical;
    SF_TRY(sf_l2_reduction(out, d, c->mu, 1.0, c->alpha, &reduction));
    SF_TRY(sf_reduction_dominance(reduction, &leaders, &count));
    c->end = pow(10.0, ceil(log10(3.0 * leaders[count - 1].log_time)));
    SF_TRY(predict_order(out, d, c->mu, 1.0, c->alpha, c->end, &c->predicted));
    SF_TRY(sf_l2_flow(out, d, c->mu, 1.0, c->alpha, &flow));
    sf_even_ratios(SAMPLES, 0.1, c->end, at);
    SF_TRY(sf_record_path(out, flow, d, CLOCK_LOG_TIME, SAMPLES, at, &c->path));
    SF_TRY(sf_l2_flow(out, d, c->mu, 0.0, c->alpha, &flow)); // rho = 0: GD
    return sf_record_path(out, flow, d, CLOCK_LOG_TIME, SAMPLES, at, &c->gd);
}

/* beta_j of a path, or its share of the whole, against log t, with the predicted hand-overs. */
static sf_status draw_course(sf_outcome *out, sf_figure *figure, const course_in_time *c,
                             const flow_path *path, bool shares)
{
    size_t d = c->d, count = path->count;
    char title[64];
    double *value = sf_claim_doubles(out, count);
    if (!value)
        return SF_ERR_MEMORY;
    snprintf(title, sizeof title, "%s, d = %zu, α = %.4g (%.3g α_c)", path == &c->gd ? "GD" : "ℓ2-SAM", d,
             c->alpha, c->scale);
    sf_figure_panel(figure, &(sf_axes){.title = title,
                                       .x_label = "ln t",
                                       .y_label = shares ? "β_j / Σ β" : "β_j",
                                       .x_scale = SF_SCALE_LOG,
                                       .y_scale = shares ? SF_SCALE_LINEAR : SF_SCALE_LOG,
                                       .x_min = 0.1,
                                       .x_max = c->end,
                                       .y_min = shares ? 0.0 : NAN,
                                       .y_max = !shares ? NAN
                                                : d > 3 ? 0.6
                                                        : 1.0,
                                       .key = d > 3 || shares ? "off" : "top left"});
    for (size_t j = 0; j < d; j++) {
        char label[32];
        for (size_t i = 0; i < count; i++) {
            double sum = 0.0, log_beta = path->log_beta[j * count + i];
            for (size_t m = 0; m < d; m++)
                sum += exp(path->log_beta[m * count + i] - log_beta);
            value[i] = shares ? 1.0 / sum : exp(log_beta);
        }
        snprintf(label, sizeof label, "μ = %.3g", c->mu[j]);
        sf_figure_series(figure, d == 3 ? label : NULL,
                         (sf_style){.color = sf_color_of_strength((double)j / (double)(d - 1)),
                                    .dash = d == 3 ? (int)j : 0,
                                    .width = d == 3 ? 2.5 : 2.0},
                         count, path->log_time, value);
    }
    for (size_t i = 1; path == &c->path && i < c->predicted.count; i++)
        if (c->predicted.leaders[i].log_time > 0.1)
            sf_figure_guide(figure, c->predicted.leaders[i].log_time, NULL);
    return SF_OK;
}

static sf_status draw_order(sf_outcome *out)
{
    course_in_time courses[2];
    sf_figure *figure = sf_claim_figure(
        out, "t44-time", 2,
        "Which feature the predictor relies on in time, L = 2, one example with strengths evenly from 1 "
        "to 3, ρ = 1: β_j of ℓ2-SAM (above), its share of the whole (middle), and the same share with GD "
        "from the same initialization (below), against log t, gold (weak) to navy (strong). Dotted: the "
        "moments at which the exact reduction predicts that the next feature takes the lead; the axis "
        "ends after the last.",
        "With ℓ2-SAM the weaker features hold nearly all of the predictor at first; one after the other "
        "hands over to the next stronger one until the strongest has it, and each predicted moment lies "
        "where two curves cross. With GD the strongest feature has it from the beginning.");
    if (!figure)
        return SF_ERR_MEMORY;
    SF_TRY(follow_course(out, 3, 1.05, &courses[0]));
    SF_TRY(follow_course(out, 10, 1.2, &courses[1]));
    for (int row = 0; row < 3; row++)
        for (size_t k = 0; k < 2; k++)
            SF_TRY(
                draw_course(out, figure, &courses[k], row < 2 ? &courses[k].path : &courses[k].gd, row > 0));
    return SF_OK;
}

/* Amplitude over feature strength against time, with the predicted centre tau / (2 B). */
static sf_status draw_spotlight(sf_outcome *out)
{
    enum { D = 50, SAMPLES = 80 };
    size_t mark = sf_claim_mark(out);
    double mu[D], alpha, at[SAMPLES], centre[SAMPLES];
    double *cells = sf_claim_doubles(out, (size_t)D * SAMPLES);
    flow_path path;
    sf_flow *flow;
    sf_reduction *reduction;
    sf_reduction_point end;
    if (!cells)
        return SF_ERR_MEMORY;
    sf_even_steps(D, 0.5, 3.0, mu);
    SF_TRY(sf_l2_critical_scale(out, D, mu, 1.0, &alpha));
    alpha *= 1.05;
    SF_TRY(sf_l2_reduction(out, D, mu, 1.0, alpha, &reduction));
    SF_TRY(sf_reduction_at_log_time(reduction, 1e12, &end));
    sf_even_steps(SAMPLES, end.tau / SAMPLES, end.tau, at);
    SF_TRY(sf_l2_flow(out, D, mu, 1.0, alpha, &flow));
    SF_TRY(sf_record_path(out, flow, D, CLOCK_TAU, SAMPLES, at, &path));
    double worst = 0.0;
    for (size_t i = 0; i < SAMPLES; i++) {
        sf_reduction_point point;
        double top = -INFINITY;
        SF_TRY(sf_reduction_at_tau(reduction, at[i], &point));
        centre[i] = point.tau / (2.0 * point.b);
        for (size_t j = 0; j < D; j++)
            top = fmax(top, path.log_beta[j * SAMPLES + i]);
        for (size_t j = 0; j < D; j++) {
            cells[j * SAMPLES + i] = fmax((path.log_beta[j * SAMPLES + i] - top) / log(10.0), -2.0);
            // log beta_j = 2 (log alpha + mu_j tau - mu_j^2 B)
            double exact = 2.0 * (log(alpha) + mu[j] * point.tau - mu[j] * mu[j] * point.b);
            worst = sf_larger(worst, fabs(path.log_beta[j * SAMPLES + i] - exact));
        }
        if (centre[i] > 3.0)
            centre[i] = NAN;
    }
    sf_claim_check(out, SF_RELATION_AT_MOST, 0.0, worst, 1e-7,
                   "spotlight, d = %d: largest error of log β_j against the Gaussian window", D);
    sf_figure *figure = sf_claim_figure(
        out, "t44-spotlight", 1,
        "The spotlight: log_{10} of β_j over the largest β, for 50 features of strength 0.5 to 3, against "
        "τ; ℓ2-SAM, L = 2, ρ = 1, α = 1.05 α_c. The bright window moves from weak to strong features. "
        "Dashed: its predicted centre τ / (2B).",
        "A bright band that begins at weak features and moves up to the strongest, with the predicted "
        "centre line in its middle.");
    if (!figure)
        return SF_ERR_MEMORY;
    sf_figure_panel(figure, &(sf_axes){.x_label = "τ",
                                       .y_label = "feature strength μ",
                                       .x_min = 0.0,
                                       .x_max = end.tau,
                                       .y_min = 0.5,
                                       .y_max = 3.0,
                                       .key = "off"});
    sf_figure_cells(figure, "log_{10} (β_j / max β)", SF_PALETTE_SEQUENTIAL, SAMPLES, D, at, mu, cells);
    sf_figure_series(figure, "predicted centre", (sf_style){.color = SF_COLOR_THEORY, .dash = 1}, SAMPLES, at,
                     centre);
    sf_claim_release(out, mark);
    return SF_OK;
}

/* beta at log t = 1e5 by plain integration of the gradients at perturbed points, where they are e^{-1e5}. */
static sf_status check_plainly(sf_outcome *out)
{
    enum { STEPS = 20000 };
    static const double mu[] = {1.0, 2.0}, alpha = 0.6;
    const sf_perturbation perturbation = {.method = SF_METHOD_L2, .rho = 1.0};
    double theta[] = {alpha, alpha, alpha, alpha}, beta[2], exact[2];
    sf_reduction *reduction;
    sf_reduction_point end;
    sf_network *network;
    SF_TRY(sf_l2_reduction(out, 2, mu, 1.0, alpha, &reduction));
    SF_TRY(sf_reduction_at_log_time(reduction, 1e5, &end));
    sf_reduction_predictor(reduction, &end, exact, NULL);
    SF_TRY(sf_claim_example(out, 2, mu, 2, &network));
    for (int i = 0; i < STEPS; i++)
        SF_TRY(sf_runge_kutta_step(network, &perturbation, true, end.tau / STEPS, theta));
    sf_network_predictor(network, theta, beta);
    for (size_t j = 0; j < 2; j++)
        sf_claim_check(out, SF_RELATION_RELATIVE, exact[j], beta[j], 1e-8,
                       "d = 2, α = 0.6: β_%zu at log t = 100,000, by Runge-Kutta on the plain gradients", j);
    return SF_OK;
}

sf_status sf_claim_order_in_time(sf_outcome *out)
{
    static const time_case cases[] = {{2, 1.0, 2.0, 0.0, 0.6, 200.0}, {2, 1.0, 2.0, 0.0, 0.53, 2e6},
                                      {3, 1.0, 3.0, 1.05, 0.0, 1e6},  {3, 1.0, 3.0, 1.3, 0.0, 1e5},
                                      {10, 1.0, 3.0, 1.05, 0.0, 1e5}, {10, 1.0, 3.0, 1.3, 0.0, 1e5},
                                      {100, 1.0, 3.0, 1.1, 0.0, 1e4}};
    static const char *const headings[] = {
        "d", "α", "leading feature", "from τ, predicted", "measured", "from log t, predicted", "measured"};
    sf_table *table =
        sf_claim_table(out, "t44-order",
                       "Leading feature, predicted by the reduction and measured on the flow", 7, headings);
    if (!table)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < (sf_claim_quick(out) ? 4 : sizeof cases / sizeof cases[0]); i++)
        SF_TRY(check_order(out, &cases[i], table));
    SF_TRY(check_plainly(out));
    order measured;
    static const double mu[] = {1.0, 2.0};
    SF_TRY(measure_order(out, 2, mu, 1.0, 0.6, 100.0, &measured));
    sf_claim_check(out, SF_RELATION_RELATIVE, 1.14e23, exp(measured.leaders[1].log_time), 0.005,
                   "d = 2, α = 0.6: the major feature takes over at t");
    SF_TRY(measure_order(out, 2, mu, 1.0, 0.53, 2e6, &measured));
    sf_claim_check(out, SF_RELATION_EQUAL, 1077880.5169, measured.leaders[1].log_time, 0.02,
                   "d = 2, α = 0.53: the major feature takes over at log t");
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "ρ = 1, L = 2, one example (given twice, so that the engine integrates coordinate by coordinate "
        "and not by the reduction that predicts), logistic loss, equal layers α·1; d = 2: μ = (1, 2), α = "
        "0.6 and 0.53; d = 3, 10, 100: strengths evenly from 1 to 3, α = 1.05 to 1.3 times the critical "
        "scale; flows to log t = 200 to 2,000,000.");
    sf_claim_note(
        out, SF_NOTE_CAVEAT,
        "The hand-overs are real but late: t = e^{53} for α = 0.6, and log t above a million for α = "
        "0.53. On every clock a person can wait for, ℓ2-SAM just above the critical scale looks at the "
        "minor features only.");
    sf_claim_note(
        out, SF_NOTE_CAVEAT,
        "Chosen tolerances: 10^{−8} in τ and 10^{−7} in log t, relative, are what the integrator keeps "
        "(its own is 10^{−12} a step) where errors grow by 1 / |α / α_c − 1|, up to 60 times here. The "
        "hand-over at log t = 1,077,880.5169 is compared to ± 0.02, the same 2 × 10^{−8} relative; the "
        "one at t = 1.14e23 to 0.5 %%, half a unit of its last digit given.");
    SF_TRY(draw_order(out));
    return draw_spotlight(out);
}
