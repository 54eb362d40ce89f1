/* What makes minor features come first: the normalization of the perturbation. With eps = rho g / ||g|| the radius stays
 * as the gradient dies; with eps = rho g (unnormalized SAM) the perturbation dies with it, and so does the effect. */
#include "paper/programs.h"

#include <math.h>

#include "paper/tools.h"

enum { SAMPLES = 400 };

typedef struct comparison {
    bool collapsed;
    double peak;       // largest minor / major
    double takes_over; // log t from which the major feature leads; -infinity: from the start
} comparison;

/* From alpha * 1 on mu = (1, 2), L = 2, rho = 1, to log ||beta|| = 12. */
static sf_status compare_method(sf_outcome *out, sf_method method, double alpha, comparison *result,
                                flow_path *path)
{
    static const double mu[] = {1.0, 2.0};
    const double theta[] = {alpha, alpha, alpha, alpha};
    double at[SAMPLES];
    sf_network *network;
    sf_flow *flow, *again;
    leader leaders[8];
    SF_TRY(sf_claim_example(out, 2, mu, 2, &network));
    SF_TRY(sf_claim_flow(out, network, method, 1.0, theta, &flow));
    SF_TRY(sf_flow_until(flow, INFINITY, INFINITY, 12.0));
    *result =
        (comparison){.collapsed = sf_flow_get_state(flow) == SF_FLOW_COLLAPSED, .takes_over = -INFINITY};
    size_t count = sf_leaders_of(flow, 1, 8, leaders);
    if (leaders[count - 1].index == 1)
        result->takes_over = leaders[count - 1].log_time;
    SF_TRY(sf_claim_flow(out, network, method, 1.0, theta, &again));
    // a collapse ends the path just before its last moment
    sf_even_steps(SAMPLES, 0.0, sf_flow_tau(flow) * (result->collapsed ? 0.9999 : 1.0), at);
    at[0] = at[1] * 1e-3;
    SF_TRY(sf_record_path(out, again, 2, CLOCK_TAU, SAMPLES, at, path));
    for (size_t i = 0; i < SAMPLES; i++)
        result->peak = sf_larger(result->peak, exp(path->log_beta[i] - path->log_beta[SAMPLES + i]));
    return SF_OK;
}

sf_status sf_claim_mechanism(sf_outcome *out)
{
    static const double scales[] = {0.3, 0.53, 0.54, 0.55, 0.6, 0.7};
    static const sf_method methods[] = {SF_METHOD_L2, SF_METHOD_USAM, SF_METHOD_GD};
    static const char *const headings[] = {"α", "method", "collapses", "largest minor / major",
                                           "log t from which the major feature leads"};
    enum { SCALES = sizeof scales / sizeof scales[0] };
    sf_table *table = sf_claim_table(out, "mechanism", "With and without normalization", 5, headings);
    sf_figure *figure = sf_claim_figure(
        out, "mechanism", 2,
        "Weight of the minor feature over that of the major one, for μ = (1, 2), ρ = 1, from α·1: "
        "normalized, unnormalized, and without perturbation. Above 1 the minor feature leads.",
        "l2-SAM rises to ratios of hundreds and stays there for very long; the other two fall from 1 at "
        "once, or nearly so.");
    if (!table || !figure)
        return SF_ERR_MEMORY;
    double worst_free = 0.0;
    for (size_t s = 0; s < SCALES; s++) {
        bool drawn = scales[s] == 0.54 || scales[s] == 0.6;
        if (drawn) {
            char title[64];
            snprintf(title, sizeof title, "α = %g", scales[s]);
            sf_figure_panel(figure, &(sf_axes){.title = title,
                                               .x_label = "ln t",
                                               .y_label = "β minor / β major",
                                               .y_scale = SF_SCALE_LOG,
                                               .x_min = -3.0,
                                               .x_max = 60.0,
                                               .y_min = 1e-3,
                                               .y_max = 2e3,
                                               .key = "bottom left"});
        }
        for (size_t m = 0; m < 3; m++) {
            size_t mark = sf_claim_mark(out);
            comparison result;
            flow_path path;
            SF_TRY(compare_method(out, methods[m], scales[s], &result, &path));
            double ratio[SAMPLES];
            for (size_t i = 0; i < SAMPLES; i++)
                ratio[i] = exp(path.log_beta[i] - path.log_beta[SAMPLES + i]);
            if (drawn)
                sf_figure_series(figure, sf_title_of_method(methods[m]),
                                 (sf_style){.color = sf_color_of_method(methods[m])}, SAMPLES, path.log_time,
                                 ratio);
            sf_table_number(table, scales[s]);
            sf_table_text(table, sf_title_of_method(methods[m]));
            sf_table_text(table, result.collapsed ? "yes" : "no");
            sf_table_number(table, result.collapsed ? NAN : result.peak);
            sf_table_number(table, result.collapsed ? NAN : result.takes_over);
            if (methods[m] == SF_METHOD_USAM) {
                sf_claim_word(out, sf_words_no_yes, 0, result.collapsed, "unnormalized, α = %g: collapses",
                              scales[s]);
                sf_claim_check(out, SF_RELATION_AT_MOST, 2.0, result.takes_over, 0.0,
                               "unnormalized, α = %g: log t from which the major feature leads", scales[s]);
                if (scales[s] > 0.5)
                    worst_free = sf_larger(worst_free, result.peak);
            }
            if (methods[m] == SF_METHOD_L2 && scales[s] == 0.54)
                sf_claim_check(out, SF_RELATION_RELATIVE, 755.7, result.peak, 0.01,
                               "normalized, α = 0.54: largest minor / major");
            if (methods[m] == SF_METHOD_L2 && scales[s] == 0.3)
                sf_claim_word(out, sf_words_no_yes, 1, result.collapsed, "normalized, α = 0.3: collapses");
            sf_claim_release(out, mark);
        }
    }
    sf_claim_check(out, SF_RELATION_AT_MOST, 1.0, worst_free, 1e-9,
                   "unnormalized, α from 0.53 to 0.7: largest minor / major");
    sf_claim_note(out, SF_NOTE_SETTING,
                  "μ = (1, 2), L = 2, ρ = 1, logistic loss, equal layers α·1; flows to log ‖β‖ = 12.");
    sf_claim_note(
        out, SF_NOTE_CAVEAT,
        "Chosen tolerances: 1 %% for the largest ratio, which is taken over 400 moments; \"from the "
        "start\" allows unnormalized SAM until log t = 2.");
    sf_claim_note(
        out, SF_NOTE_FINDING,
        "Unnormalized SAM from a small start (α = 0.3) does let the minor feature lead for a while, until "
        "log t = 1.3: as long as the loss derivative exceeds 1 / (ρ (μ_1 + μ_2)). What normalization adds "
        "is that the effect lasts, without bound.");
    return SF_OK;
}
