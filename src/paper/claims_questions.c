/* What readers and reviewers of the paper asked, answered by measurement. Where a formula exists, it predicts; where none
 * does, the check says what would have to come out for a "yes". */
#include "paper/programs.h"

#include <math.h>

#include "paper/tools.h"

enum { D = 2, MOST_DEPTH = 4 };

static const double standard[] = {1.0, 2.0};

/* ---- l2-SAM at depth 3 and 4 ---------------------------------------------------------------------------- */

typedef enum course { COLLAPSE, MINOR_FIRST, MAJOR_FIRST } course;

static sf_status course_of(sf_outcome *out, int depth, double alpha, course *result)
{
    size_t mark = claim_mark(out);
    double theta[MOST_DEPTH * D], log_beta[D];
    leader leaders[2];
    sf_network *network;
    sf_flow *flow;
    equal_layers(D, depth, (const double[]){alpha, alpha}, theta);
    SF_TRY(claim_example(out, D, standard, depth, &network));
    SF_TRY(claim_flow(out, network, SF_METHOD_L2, 1.0, theta, &flow));
    SF_TRY(flow_until(flow, 1e4, INFINITY, 3.0 + depth * log(fmax(1.0, alpha))));
    sf_flow_predictor(flow, NULL, log_beta);
    leaders_of(flow, index_of_largest(D, log_beta), 2, leaders);
    *result = sf_flow_get_state(flow) != SF_FLOW_RUNNING && log_beta[0] < 0.0 ? COLLAPSE
              : leaders[0].index == 0                                         ? MINOR_FIRST
                                                                              : MAJOR_FIRST;
    claim_release(out, mark);
    return SF_OK;
}

sf_status claim_deeper(sf_outcome *out)
{
    static const char *const headings[] = {"L", "α", "course"};
    static const char *const names[] = {"collapse", "minor first", "major first"};
    static const double scales[] = {0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0};
    enum { SCALES = sizeof scales / sizeof scales[0] };
    sf_table *table = claim_table(
        out, "deeper", "Courses of ℓ2-SAM over the scale of the start, μ = (1, 2), ρ = 1", 3, headings);
    if (!table)
        return SF_ERR_MEMORY;
    for (int depth = 2; depth <= MOST_DEPTH; depth++) {
        size_t minor = 0, major = 0;
        for (size_t i = 0; i < SCALES; i++) {
            course result;
            SF_TRY(course_of(out, depth, scales[i], &result));
            minor += result == MINOR_FIRST;
            major += result == MAJOR_FIRST;
            sf_table_number(table, depth);
            sf_table_number(table, scales[i]);
            sf_table_text(table, names[result]);
        }
        claim_check(out, SF_RELATION_AT_LEAST, 1.0, (double)minor, 0.0,
                    "L = %d: starts of %d that go minor first", depth, SCALES);
        claim_check(out, SF_RELATION_AT_LEAST, 1.0, (double)major, 0.0,
                    "L = %d: starts of %d that go major first", depth, SCALES);
    }
    claim_note(
        out, SF_NOTE_SETTING,
        "μ = (1, 2), ρ = 1, logistic loss, equal layers α·1, α from 0.2 to 2; which feature leads first.");
    claim_note(out, SF_NOTE_CAVEAT, "No theorem covers depth above 2; this is a measurement.");
    return SF_OK;
}

/* ---- features of nearly equal strength ------------------------------------------------------------------ */

sf_status claim_nearly_equal(sf_outcome *out)
{
    static const double gaps[] = {0.5, 0.1, 0.02};
    static const char *const headings[] = {"μ_2 / μ_1", "α_c / ρ", "major-first scale / ρ",
                                           "switch at log t, α = 0.7"};
    sf_table *table = claim_table(out, "nearly-equal", "Features of nearly equal strength", 4, headings);
    if (!table)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < 3; i++) {
        size_t mark = claim_mark(out);
        const double mu[] = {1.0, 1.0 + gaps[i]}, ones[] = {1.0, 1.0}, twice[] = {mu[0], mu[1], mu[0], mu[1]};
        const double theta[] = {0.7, 0.7, 0.7, 0.7};
        double critical, major = (mu[0] + mu[1]) / (sqrt(2.0) * vector_norm(D, mu));
        const sf_dataset *dataset;
        sf_network *network;
        sf_flow *flow;
        sf_reduction *reduction;
        sf_reduction_point point;
        leader leaders[4] = {{0, NAN, NAN}, {0, NAN, NAN}};
        SF_TRY(sf_critical_factor(claim_context(out), D, mu, ones, ones, 1.0, &critical));
        SF_TRY(claim_points(out, 2, D, twice, NULL, &dataset));
        SF_TRY(claim_network(out, dataset, 2, &network));
        SF_TRY(claim_flow(out, network, SF_METHOD_L2, 1.0, theta, &flow));
        SF_TRY(flow_until(flow, INFINITY, 1e4, INFINITY));
        size_t count = leaders_of(flow, 0, 4, leaders);
        claim_check(out, SF_RELATION_EQUAL, 2.0, (double)count, 0.0,
                    "μ = (1, %g), α = 0.7: features that lead in turn", mu[1]);
        // the switch is where tau / B = mu_1 + mu_2
        SF_TRY(claim_reduction(out, D, mu, theta, theta, 1.0, &reduction));
        SF_TRY(sf_reduction_at_tau(reduction, leaders[1].tau, &point));
        claim_check(out, SF_RELATION_RELATIVE, mu[0] + mu[1], point.tau / point.b, 1e-7,
                    "μ = (1, %g), α = 0.7: τ / B at the measured switch (μ_1 + μ_2)", mu[1]);
        sf_table_number(table, mu[1]);
        sf_table_number(table, critical);
        sf_table_number(table, major);
        sf_table_number(table, leaders[1].log_time);
        claim_release(out, mark);
    }
    claim_note(out, SF_NOTE_SETTING,
               "μ = (1, 1.5), (1, 1.1), (1, 1.02) (given twice, so that the engine does not use the "
               "reduction), ρ = 1, α = "
               "0.7, L = 2; flows to log t = 10,000.");
    claim_note(out, SF_NOTE_FINDING,
               "The window of minor-first scales does not close as the strengths become equal: it tends to "
               "1/2 < α/ρ < "
               "1. What vanishes is the size of the effect, the ratio of the two coordinates.");
    return SF_OK;
}

/* ---- negative and unequal layers ------------------------------------------------------------------------ */

sf_status claim_any_start(sf_outcome *out)
{
    enum { STARTS = 12, FEATURES = 3 };
    static const double mu[FEATURES] = {1.0, 1.7, 2.6};
    const uint64_t seed = 77;
    double worst = 0.0, twice[2 * FEATURES];
    size_t compared = 0, collapsed = 0;
    for (size_t j = 0; j < 2 * (size_t)FEATURES; j++)
        twice[j] = mu[j % FEATURES];
    for (size_t s = 0; s < STARTS; s++) {
        size_t mark = claim_mark(out);
        sf_random random = sf_random_make(seed, s);
        double theta[2 * FEATURES], exact[FEATURES], log_beta[FEATURES];
        const sf_dataset *dataset;
        sf_network *network;
        sf_flow *flow;
        sf_reduction *reduction;
        for (size_t k = 0; k < 2 * (size_t)FEATURES; k++)
            theta[k] = 0.8 * sf_random_normal(&random);
        SF_TRY(claim_points(out, 2, FEATURES, twice, NULL, &dataset));
        SF_TRY(claim_network(out, dataset, 2, &network));
        SF_TRY(claim_flow(out, network, SF_METHOD_L2, 0.5, theta, &flow));
        SF_TRY(claim_reduction(out, FEATURES, mu, theta, theta + FEATURES, 0.5, &reduction));
        for (int i = 1; i <= 8; i++) {
            sf_reduction_point point;
            SF_TRY(sf_reduction_at_tau(reduction, 0.25 * i, &point));
            if (point.collapsed) {
                collapsed++;
                break;
            }
            SF_TRY(flow_until(flow, 0.25 * i, INFINITY, INFINITY));
            sf_reduction_predictor(reduction, &point, exact, NULL);
            sf_flow_predictor(flow, log_beta, NULL);
            for (size_t j = 0; j < FEATURES; j++)
                worst = larger(worst, fabs(log_beta[j] - exact[j]) / vector_norm(FEATURES, exact));
            compared++;
        }
        claim_release(out, mark);
    }
    claim_check(out, SF_RELATION_AT_MOST, 0.0, worst, 1e-7,
                "largest distance of β from the exact reduction, relative");
    claim_check(out, SF_RELATION_AT_LEAST, 40.0, (double)compared, 0.0, "moments compared, over %d starts",
                STARTS);
    claim_note(out, SF_NOTE_SETTING,
               "μ = (1, 1.7, 2.6) (given twice), ρ = 0.5, L = 2; %d starts with every weight of both layers "
               "~ N(0, 0.64), "
               "so of both signs and unequal; τ = 0.25 to 2; seed %llu.",
               STARTS, (unsigned long long)seed);
    claim_note(out, SF_NOTE_FINDING,
               "The window that moves from minor to major features acts on u = w_1 + w_2 and v = w_1 − w_2, "
               "whatever the "
               "signs; unequal layers only change where it begins. Starts that collapsed: %zu.",
               collapsed);
    return SF_OK;
}

/* ---- which rho matter relative to alpha ----------------------------------------------------------------- */

sf_status claim_scaling(sf_outcome *out)
{
    static const double factors[] = {0.1, 10.0};
    const double twice[] = {1.0, 2.0, 1.0, 2.0};
    double reference[D], beta[D];
    for (size_t i = 0; i < 3; i++) {
        size_t mark = claim_mark(out);
        double c = i == 0 ? 1.0 : factors[i - 1], worst = 0.0;
        const double theta[] = {0.6 * c, 0.6 * c, 0.6 * c, 0.6 * c};
        const sf_dataset *dataset;
        sf_network *network;
        sf_flow *flow;
        SF_TRY(claim_points(out, 2, D, twice, NULL, &dataset));
        SF_TRY(claim_network(out, dataset, 2, &network));
        SF_TRY(claim_flow(out, network, SF_METHOD_L2, c, theta, &flow));
        SF_TRY(flow_until(flow, 3.0, INFINITY, INFINITY));
        sf_flow_predictor(flow, beta, NULL);
        for (size_t j = 0; j < D; j++) {
            if (i == 0)
                reference[j] = beta[j];
            worst = larger(worst, fabs(beta[j] / (c * c) / reference[j] - 1.0));
        }
        claim_release(out, mark);
        if (i > 0)
            claim_check(out, SF_RELATION_AT_MOST, 0.0, worst, 1e-8,
                        "α = %g, ρ = %g: β(τ = 3) / c² against that of α = 0.6, ρ = 1, relative", 0.6 * c, c);
    }
    claim_note(out, SF_NOTE_SETTING, "μ = (1, 2) (given twice), L = 2, ℓ2-SAM; α / ρ = 0.6 throughout.");
    claim_note(out, SF_NOTE_FINDING,
               "Only α / ρ decides which feature leads when, in the rescaled clock: on one example the "
               "effect exists for "
               "every ρ > 0, from starts between 0.52 ρ and 0.95 ρ for μ = (1, 2). What ρ does change is the "
               "time t.");
    return SF_OK;
}

/* ---- is it specific to SAM? ----------------------------------------------------------------------------- */

sf_status claim_specific(sf_outcome *out)
{
    enum { SAMPLES = 200 };
    static const double starts[][D] = {{0.3, 0.3}, {0.3, 0.1}, {0.05, 0.01}, {0.6, 0.6}};
    double at[SAMPLES];
    even_steps(SAMPLES, 0.01, 3.0, at);
    for (size_t s = 0; s < 4; s++) {
        size_t mark = claim_mark(out);
        double theta[2 * D], growth = 0.0;
        sf_network *network;
        sf_flow *flow;
        flow_path path;
        equal_layers(D, 2, starts[s], theta);
        SF_TRY(claim_example(out, D, standard, 2, &network));
        SF_TRY(claim_flow(out, network, SF_METHOD_GD, 0.0, theta, &flow));
        SF_TRY(record_path(out, flow, D, CLOCK_TAU, SAMPLES, at, &path));
        double initial = 2.0 * log(starts[s][0] / starts[s][1]);
        for (size_t i = 0; i < SAMPLES; i++)
            growth = larger(growth, exp(path.log_beta[i] - path.log_beta[SAMPLES + i] - initial));
        claim_check(out, SF_RELATION_AT_MOST, 1.0, growth, 1e-9,
                    "GD from α = (%g, %g): largest minor / major, over that of the start", starts[s][0],
                    starts[s][1]);
        claim_release(out, mark);
    }
    double theta[] = {0.6, 0.6, 0.6, 0.6}, growth = 0.0;
    sf_network *network;
    sf_flow *flow;
    flow_path path;
    SF_TRY(claim_example(out, D, standard, 2, &network));
    SF_TRY(claim_flow(out, network, SF_METHOD_L2, 1.0, theta, &flow));
    SF_TRY(record_path(out, flow, D, CLOCK_TAU, SAMPLES, at, &path));
    for (size_t i = 0; i < SAMPLES; i++)
        growth = larger(growth, exp(path.log_beta[i] - path.log_beta[SAMPLES + i]));
    claim_check(out, SF_RELATION_AT_LEAST, 3.7, growth, 0.0, "ℓ2-SAM from α = 0.6, ρ = 1: the same");
    claim_note(out, SF_NOTE_SETTING, "μ = (1, 2), L = 2, equal layers; τ = 0.01 to 3.");
    claim_note(out, SF_NOTE_FINDING,
               "GD can rely on the minor feature first only if it is told to by an unequal start, and then "
               "gives it up "
               "monotonically; ℓ2-SAM amplifies it from an equal start.");
    return SF_OK;
}

/* ---- growth in original time ---------------------------------------------------------------------------- */

sf_status claim_growth(sf_outcome *out)
{
    static const double log_times[] = {1e4, 1e5, 1e6};
    const double twice[] = {1.0, 2.0, 1.0, 2.0}, theta[] = {1.0, 1.0, 1.0, 1.0};
    const sf_dataset *dataset;
    sf_network *network;
    sf_flow *flow, *gd;
    SF_TRY(claim_points(out, 2, D, twice, NULL, &dataset));
    SF_TRY(claim_network(out, dataset, 2, &network));
    SF_TRY(claim_flow(out, network, SF_METHOD_L2, 1.0, theta, &flow));
    SF_TRY(claim_flow(out, network, SF_METHOD_GD, 0.0, theta, &gd));
    for (size_t i = 0; i < 3; i++) {
        double log_loss, margin, gd_loss;
        SF_TRY(flow_until(flow, INFINITY, log_times[i], INFINITY));
        SF_TRY(flow_until(gd, INFINITY, log_times[i], INFINITY));
        sf_flow_evaluate(flow, &log_loss, &margin, NULL);
        sf_flow_evaluate(gd, &gd_loss, NULL, NULL);
        claim_check(out, SF_RELATION_RELATIVE, sqrt(2.0 * 2.0 * margin), -log_loss - log_times[i], 0.05,
                    "log t = %g, ℓ2-SAM: −log F − log t (√2 ρ √(μ_d m))", log_times[i]);
        claim_check(out, SF_RELATION_AT_MOST, 0.02 * log_times[i], fabs(-gd_loss - log_times[i]), 0.0,
                    "log t = %g, GD: |−log F − log t| (F ≈ 1/t)", log_times[i]);
    }
    claim_note(out, SF_NOTE_SETTING,
               "μ = (1, 2) (given twice), ρ = 1, α = 1, L = 2, logistic loss; m is the margin of the "
               "unperturbed point.");
    claim_note(out, SF_NOTE_FINDING,
               "In original time the loss of ℓ2-SAM falls faster than that of GD, F t → 0: the slope it "
               "follows is that of a point "
               "with a smaller margin.");
    return SF_OK;
}
