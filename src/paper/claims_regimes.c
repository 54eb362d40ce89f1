/* l2-SAM at depth 2 on one example: the order of regimes in scale (Theorem 4.5), of flows and in discrete updates. */
#include "paper/programs.h"

#include <math.h>

#include "paper/l2.h"
#include "paper/tools.h"

static const double MAP_STEP = 0.02; // eta of the discrete runs of the maps

typedef enum course { COLLAPSE, MINOR_FIRST, MAJOR_FIRST } course;

static sf_status course_of(sf_outcome *out, size_t d, const double *mu, double rho, double alpha,
                           course *result)
{
    size_t mark = sf_claim_mark(out);
    double log_beta[L2_FEATURES];
    leader leaders[2];
    sf_flow *flow;
    SF_TRY(sf_l2_flow(out, d, mu, rho, alpha, &flow));
    SF_TRY(sf_flow_until(flow, INFINITY, INFINITY, 4.0 + 2.0 * log(fmax(rho, alpha))));
    sf_flow_predictor(flow, NULL, log_beta);
    sf_leaders_of(flow, sf_index_of_largest(d, log_beta), 2, leaders);
    *result = sf_flow_get_state(flow) == SF_FLOW_COLLAPSED ? COLLAPSE
              : leaders[0].index == d - 1                  ? MAJOR_FIRST
                                                           : MINOR_FIRST;
    sf_claim_release(out, mark);
    return SF_OK;
}

/* Bisection for the scale where courses up to `below` end. */
static sf_status threshold_of(sf_outcome *out, size_t d, const double *mu, double rho, course below,
                              double low, double high, double precision, double *threshold)
{
    while (high - low > precision * high) {
        course middle;
        SF_TRY(course_of(out, d, mu, rho, 0.5 * (low + high), &middle));
        if (middle <= below)
            low = 0.5 * (low + high);
        else
            high = 0.5 * (low + high);
    }
    *threshold = 0.5 * (low + high);
    return SF_OK;
}

/* The two maps: kind 0: alpha / rho against mu_2 / mu_1 at rho = 1; 1: alpha against rho for mu = (1, 2). */
typedef struct regime_map {
    bool against_rho;
    size_t n;
    double *x, *y;            // (n) centres of cells
    double *critical, *major; // (n) predicted, for each x
} regime_map;

static void map_setting(const regime_map *map, size_t i, double *mu, double *rho)
{
    mu[0] = 1.0;
    mu[1] = map->against_rho ? 2.0 : map->x[i];
    *rho = map->against_rho ? map->x[i] : 1.0;
}

static sf_status start_map(sf_outcome *out, bool against_rho, size_t n, regime_map *map)
{
    *map = (regime_map){against_rho,
                        n,
                        sf_claim_doubles(out, n),
                        sf_claim_doubles(out, n),
                        sf_claim_doubles(out, n),
                        sf_claim_doubles(out, n)};
    if (!map->x || !map->y || !map->critical || !map->major)
        return SF_ERR_MEMORY;
    sf_even_steps(n, against_rho ? 0.1 : 1.1, against_rho ? 2.0 : 10.0, map->x);
    sf_even_steps(n, against_rho ? 0.1 : 0.41, against_rho ? 2.0 : 1.19, map->y);
    for (size_t i = 0; i < n; i++) {
        double mu[2], rho;
        map_setting(map, i, mu, &rho);
        SF_TRY(sf_l2_critical_scale(out, 2, mu, rho, &map->critical[i]));
        map->major[i] = sf_l2_major_scale(2, mu, rho);
    }
    return SF_OK;
}

static course expected_course(const regime_map *map, size_t i, double alpha)
{
    return alpha < map->critical[i] ? COLLAPSE : alpha < map->major[i] ? MINOR_FIRST : MAJOR_FIRST;
}

/* Flows from every cell of a coarse map: how many take another course than predicted. */
static sf_status flows_on_map(sf_outcome *out, const regime_map *map, size_t *wrong)
{
    for (size_t i = 0; i < map->n * map->n; i++) {
        double mu[2], rho, alpha = map->y[i / map->n];
        course measured;
        map_setting(map, i % map->n, mu, &rho);
        SF_TRY(course_of(out, 2, mu, rho, alpha, &measured));
        *wrong += measured != expected_course(map, i % map->n, alpha);
    }
    return SF_OK;
}

/* Discrete updates from every cell of a fine map, all at once. The leader is that of the first step; a run that has
 * collapsed is far below the saddle rho^2 / 2 by the end, one that has not is above it. */
static sf_status descents_on_map(sf_outcome *out, const regime_map *map, course *courses)
{
    enum { STEPS = 6000 };
    size_t n = map->n, count = n * n;
    double *theta = sf_claim_doubles(out, 4 * count), *rho = sf_claim_doubles(out, count),
           *example = sf_claim_doubles(out, 2 * count), beta[2];
    if (!theta || !rho || !example)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        map_setting(map, i % n, example + 2 * i, &rho[i]);
        for (size_t k = 0; k < 4; k++)
            theta[4 * i + k] = map->y[i / n];
    }
    sf_network *network;
    sf_batch *batch;
    SF_TRY(sf_claim_example(out, 2, example, 2, &network));
    sf_batch_spec spec = {.size = sizeof(sf_batch_spec),
                          .count = count,
                          .theta = theta,
                          .perturbation = {.method = SF_METHOD_L2},
                          .step = MAP_STEP,
                          .rho = rho,
                          .example = example,
                          .threads = 1};
    SF_TRY(sf_claim_batch(out, network, &spec, &batch));
    SF_TRY(sf_batch_advance(batch, 1));
    for (size_t i = 0; i < count; i++) {
        sf_batch_predictor(batch, i, beta);
        courses[i] = beta[1] > beta[0] ? MAJOR_FIRST : MINOR_FIRST;
    }
    SF_TRY(sf_batch_advance(batch, STEPS - 1));
    for (size_t i = 0; i < count; i++) {
        sf_batch_predictor(batch, i, beta);
        if (fabs(beta[0]) + fabs(beta[1]) < 0.05 * rho[i] * rho[i])
            courses[i] = COLLAPSE;
    }
    return SF_OK;
}

/* Cells of a fine map by the course measured, with the predicted boundaries over them. *far: cells of another course than
 * predicted that are farther from a boundary than `near`, relative; *close: the others. */
static sf_status draw_map(sf_outcome *out, sf_figure *figure, const regime_map *map, double near, size_t *far,
                          size_t *close)
{
    static const char *const classes[] = {"minor first", "major first", "", "", "collapse"};
    size_t n = map->n;
    double *cells = sf_claim_doubles(out, n * n);
    course *courses = (course *)sf_claim_doubles(out, n * n);
    if (!cells || !courses)
        return SF_ERR_MEMORY;
    SF_TRY(descents_on_map(out, map, courses));
    for (size_t i = 0; i < n * n; i++) {
        double alpha = map->y[i / n], critical = map->critical[i % n], major = map->major[i % n];
        if (courses[i] != expected_course(map, i % n, alpha)) {
            bool at_boundary = fabs(alpha / critical - 1.0) <= near || fabs(alpha / major - 1.0) <= near;
            ++*(at_boundary ? close : far);
        }
        cells[i] = courses[i] == COLLAPSE ? 4.0 : courses[i] == MINOR_FIRST ? 0.0 : 1.0;
    }
    sf_figure_panel(figure, &(sf_axes){.title = map->against_rho ? "μ = (1, 2)" : "μ_1 = 1, ρ = 1",
                                       .x_label = map->against_rho ? "radius ρ" : "μ_2 / μ_1",
                                       .y_label = map->against_rho ? "scale of the start α" : "α / ρ",
                                       .x_min = map->x[0],
                                       .x_max = map->x[n - 1],
                                       .y_min = map->y[0],
                                       .y_max = map->y[n - 1],
                                       .key = "below"});
    sf_figure_cells(figure, NULL, SF_PALETTE_CLASSES, n, n, map->x, map->y, cells);
    sf_style style = {.color = SF_COLOR_THEORY, .dash = 1};
    sf_figure_series(figure, "predicted", style, n, map->x, map->critical);
    sf_figure_series(figure, NULL, style, n, map->x, map->major);
    sf_figure_classes(figure, 5, classes);
    return SF_OK;
}

static sf_status check_maps(sf_outcome *out)
{
    const size_t coarse = sf_claim_quick(out) ? 5 : 10, fine = sf_claim_quick(out) ? 60 : 240;
    const double near = 0.005;
    size_t wrong = 0, far = 0, close = 0;
    sf_figure *figure =
        sf_claim_figure(out, "t45-maps", 2,
                        "What ℓ2-SAM does from α·1, L = 2, two features. Every cell is one run of "
                        "discrete updates, coloured by what it did; dashed: the two predicted thresholds. "
                        "Below the lower one β collapses to 0, between them the minor feature leads "
                        "first, above the upper one the major feature leads from the first step. Left: "
                        "over the ratio of strengths. Right: over the radius.",
                        "Three bands: collapse below, minor first between, major first above; the bands "
                        "end where the predicted lines run.");
    if (!figure)
        return SF_ERR_MEMORY;
    for (int kind = 0; kind < 2; kind++) {
        size_t mark = sf_claim_mark(out);
        regime_map map;
        SF_TRY(start_map(out, kind == 1, coarse, &map));
        SF_TRY(flows_on_map(out, &map, &wrong));
        SF_TRY(start_map(out, kind == 1, fine, &map));
        SF_TRY(draw_map(out, figure, &map, near, &far, &close));
        sf_claim_release(out, mark);
    }
    sf_claim_check(out, SF_RELATION_EQUAL, 0.0, (double)wrong, 0.0,
                   "flows from %zu cells of both maps: in another regime than predicted",
                   2 * coarse * coarse);
    sf_claim_check(
        out, SF_RELATION_EQUAL, 0.0, (double)far, 0.0,
        "discrete runs from %zu cells, farther than 0.5 %% from a boundary: in another regime than predicted",
        2 * fine * fine);
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "Maps: %zu × %zu cells each, discrete updates with η = %g to t = 120; the leader is that of the "
        "first step, a run has collapsed if ‖β‖_1 < ρ²/20 at the end (a tenth of the saddle between the "
        "two fates). The same maps by flows, on %zu × %zu cells.",
        fine, fine, MAP_STEP, coarse, coarse);
    sf_claim_note(out, SF_NOTE_CAVEAT,
                  "The maps show discrete updates, whose collapse ends a little below that of the flow "
                  "(by 0.019 η for μ = (1, 2)) and is only seen once a run has left the saddle, so cells "
                  "within 0.5 %% of a boundary are left out of the check: %zu of them lie on the other "
                  "side.",
                  close);
    return SF_OK;
}

sf_status sf_claim_regimes(sf_outcome *out)
{
    static const struct {
        size_t d;
        double mu[3], reference; // alpha_c(mu, 1) to all digits of the contract
    } cases[] = {{2, {1.0, 2.0}, 0.5213212826},
                 {2, {1.0, 3.0}, 0.5416033514},
                 {2, {1.0, 10.0}, 0.605432216},
                 {3, {1.0, 2.0, 3.0}, 0.436426306}};
    static const char *const headings[] = {"μ", "α_c, predicted", "measured", "major-first scale, predicted",
                                           "measured"};
    const size_t count = sf_claim_quick(out) ? 1 : 4;
    const double collapse_error = sf_claim_quick(out) ? 1e-6 : 1e-9;
    sf_table *table =
        sf_claim_table(out, "t45-thresholds", "Thresholds in the scale of the start, ρ = 1", 5, headings);
    if (!table)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const double *mu = cases[i].mu;
        size_t d = cases[i].d;
        double critical, collapse = NAN, upper = NAN, major = sf_l2_major_scale(d, mu, 1.0);
        char name[64];
        snprintf(name, sizeof name, d == 3 ? "(1, %g, %g)" : "(1, %g)", mu[1], mu[2]);
        SF_TRY(sf_l2_critical_scale(out, d, mu, 1.0, &critical));
        SF_TRY(threshold_of(out, d, mu, 1.0, COLLAPSE, 0.9 * critical, 1.1 * critical, 0.1 * collapse_error,
                            &collapse));
        SF_TRY(threshold_of(out, d, mu, 1.0, MINOR_FIRST, 0.9 * major, 1.1 * major, 1e-7, &upper));
        sf_claim_check(out, SF_RELATION_RELATIVE, critical, collapse, collapse_error,
                       "μ = %s: scale where collapse ends", name);
        sf_claim_check(out, SF_RELATION_RELATIVE, major, upper, 1e-5,
                       "μ = %s: scale where major-first begins", name);
        sf_claim_detail(out, SF_RELATION_RELATIVE, cases[i].reference, critical, 2e-9,
                        "μ = %s: predicted α_c against its value in 25 digits", name);
        sf_table_text(table, name);
        sf_table_number(table, critical);
        sf_table_number(table, collapse);
        sf_table_number(table, major);
        sf_table_number(table, upper);
    }
    SF_TRY(check_maps(out));
    sf_claim_note(
        out, SF_NOTE_CAVEAT,
        "Chosen tolerances: 10^{−9} relative for the end of collapse (--quick: 10^{−6}), where bisection "
        "stops; 10^{−5} for the beginning of major-first, because just below it the minor feature leads "
        "by less than the engine resolves and for a moment only, so that the flow sees the change about 2 "
        "× 10^{−6} early.");
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "ρ = 1 (maps: as drawn), L = 2, one example (given twice, so that the engine does not use the "
        "reduction that predicts), logistic loss, equal layers α·1; flows until collapse or log ‖β‖ = 4 + "
        "2 log max(α, ρ); thresholds by bisection.");
    return SF_OK;
}

/* ---- the same in discrete updates ----------------------------------------------------------------------- */

/* What a discrete run from alpha * 1 did: which feature led, first and last, and how far the predictor fell. */
typedef struct discrete_run {
    bool collapsed;
    double first, last; // feature of largest |beta| after the first step, and at the end
    double peak;        // largest |beta_minor| / |beta_major|
} discrete_run;

static sf_status run_discrete(sf_outcome *out, const double *mu, double alpha, double rho, double step,
                              int steps, discrete_run *run)
{
    size_t mark = sf_claim_mark(out);
    const double theta[] = {alpha, alpha, alpha, alpha};
    sf_network *network;
    sf_descent *descent;
    SF_TRY(sf_claim_example(out, 2, mu, 2, &network));
    SF_TRY(sf_claim_descent(out, network, SF_METHOD_L2, rho, step, theta, &descent));
    *run = (discrete_run){.first = NAN, .last = NAN};
    for (int i = 0; i < steps && !run->collapsed; i++) {
        double beta[2];
        SF_TRY(sf_descent_advance(descent, 1));
        sf_network_predictor(network, sf_descent_theta(descent), beta);
        run->last = fabs(beta[1]) > fabs(beta[0]) ? 1.0 : 0.0;
        if (i == 0)
            run->first = run->last;
        run->peak = sf_larger(run->peak, fabs(beta[0]) / fabs(beta[1]));
        // once both weights are far inside what a step can move them, they only chatter about 0
        run->collapsed = fabs(beta[0]) + fabs(beta[1]) < 1e-4 * alpha * alpha;
    }
    sf_claim_release(out, mark);
    return SF_OK;
}

/* The start between low (collapses) and high (does not) where the discrete run stops collapsing. */
static sf_status discrete_threshold(sf_outcome *out, const double *mu, double rho, double step, int steps,
                                    double low, double high, double *threshold)
{
    while (high - low > 1e-6) {
        double middle = 0.5 * (low + high);
        discrete_run run;
        SF_TRY(run_discrete(out, mu, middle, rho, step, steps, &run));
        *(run.collapsed ? &low : &high) = middle;
    }
    *threshold = 0.5 * (low + high);
    return SF_OK;
}

sf_status sf_claim_regimes_discrete(sf_outcome *out)
{
    static const double mu[] = {1.0, 2.0}, steps_of[] = {0.02, 0.01};
    const double rho = 1.0, major = sf_l2_major_scale(2, mu, rho);
    double critical;
    discrete_run run;
    SF_TRY(sf_l2_critical_scale(out, 2, mu, rho, &critical));
    SF_TRY(run_discrete(out, mu, 0.3, rho, 0.01, 20000, &run));
    sf_claim_word(out, sf_words_no_yes, 1, run.collapsed, "α = 0.3 < α_c: collapses to 0");
    SF_TRY(run_discrete(out, mu, 0.6, rho, 0.01, 20000, &run));
    sf_claim_word(out, sf_words_no_yes, 0, run.collapsed, "α = 0.6 > α_c: collapses to 0");
    sf_claim_word(out, sf_words_strength, 0, (double)run.first,
                  "α = 0.6: leading feature after the first step");
    sf_claim_word(out, sf_words_strength, 0, (double)run.last, "α = 0.6: leading feature after 20,000 steps");
    SF_TRY(run_discrete(out, mu, 1.0, rho, 0.01, 20000, &run));
    sf_claim_word(out, sf_words_strength, 1, (double)run.first,
                  "α = 1 > %.4f: leading feature after the first step", major);
    sf_claim_check(out, SF_RELATION_AT_MOST, 1.0, run.peak, 0.0, "α = 1: largest ratio minor / major");
    for (size_t i = 0; i < 2; i++) {
        double threshold = NAN;
        SF_TRY(
            discrete_threshold(out, mu, rho, steps_of[i], (int)(40.0 / steps_of[i]), 0.4, 0.6, &threshold));
        sf_claim_check(out, SF_RELATION_EQUAL, critical - 0.019 * steps_of[i], threshold, 1e-4,
                       "scale where the collapse ends, η = %g (α_c − 0.019 η)", steps_of[i]);
    }
    sf_claim_note(out, SF_NOTE_SETTING,
                  "μ = (1, 2), ρ = 1, logistic loss, equal layers; η = 0.01 and 20,000 steps for the "
                  "regimes, bisection to 1e-6 over runs of t = 40 for the threshold.");
    sf_claim_note(out, SF_NOTE_CAVEAT,
                  "At α = 0.6 the flow hands over to the major feature at t = 1.14e23, so no discrete run "
                  "of any length a person can wait for shows the second half of \"minor first, major "
                  "last\".");
    return SF_OK;
}
