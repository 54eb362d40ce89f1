/* l2-SAM at depth 2 on one example: how far minor features exceed major ones (Proposition 4.7). */
#include "paper/programs.h"

#include <math.h>

#include "paper/l2.h"
#include "paper/tools.h"

/* n = rho (mu_1 + mu_2) once only, on the way up, if the start lies below. */
static sf_status predict_peak(sf_outcome *out, const double *mu, double alpha, sf_reduction_point *peak,
                              double *ratio)
{
    sf_reduction *reduction;
    sf_reduction_point point;
    double low = 0.0, high = 1.0, level = log(mu[0] + mu[1]);
    SF_TRY(sf_l2_reduction(out, 2, mu, 1.0, alpha, &reduction));
    SF_TRY(sf_reduction_at_tau(reduction, high, &point));
    while (point.log_n < level) {
        low = high;
        high *= 2.0;
        SF_TRY(sf_reduction_at_tau(reduction, high, &point));
    }
    for (int i = 0; i < 100 && high - low > 1e-15 * high; i++) {
        double middle = 0.5 * (low + high);
        SF_TRY(sf_reduction_at_tau(reduction, middle, &point));
        if (point.log_n < level)
            low = middle;
        else
            high = middle;
    }
    SF_TRY(sf_reduction_at_tau(reduction, high, peak));
    *ratio = exp(2.0 * (mu[1] - mu[0]) * ((mu[0] + mu[1]) * peak->b - peak->tau));
    return SF_OK;
}

static sf_status measure_peak(sf_outcome *out, const double *mu, double alpha, double around, double *ratio)
{
    enum { SAMPLES = 1000 };
    double at[SAMPLES];
    flow_path path;
    sf_flow *flow;
    SF_TRY(sf_l2_flow(out, 2, mu, 1.0, alpha, &flow));
    sf_even_steps(SAMPLES, 0.2 * around, 2.0 * around, at);
    SF_TRY(sf_record_path(out, flow, 2, CLOCK_TAU, SAMPLES, at, &path));
    *ratio = 0.0;
    for (size_t i = 0; i < SAMPLES; i++)
        *ratio = sf_larger(*ratio, exp(path.log_beta[i] - path.log_beta[SAMPLES + i]));
    return SF_OK;
}

sf_status sf_claim_peak(sf_outcome *out)
{
    static const double mu[] = {1.0, 2.0}, scales[] = {0.54, 0.55, 0.6, 0.7, 0.8};
    static const double reference[] = {755.7, 135.7, 3.794, 1.303, 1.060};
    enum { CURVE = 60 };
    double curve_x[CURVE], curve_y[CURVE], measured[5], ratio, critical;
    sf_reduction_point peak;
    for (size_t i = 0; i < 5; i++) {
        size_t mark = sf_claim_mark(out);
        SF_TRY(predict_peak(out, mu, scales[i], &peak, &ratio));
        SF_TRY(measure_peak(out, mu, scales[i], peak.tau, &measured[i]));
        sf_claim_release(out, mark);
        sf_claim_check(out, SF_RELATION_RELATIVE, ratio, measured[i], 1e-4, "α = %g: largest minor / major",
                       scales[i]);
        sf_claim_detail(out, SF_RELATION_RELATIVE, reference[i], ratio, 5e-4,
                        "α = %g: predicted ratio, against 4 given digits", scales[i]);
    }
    sf_claim_check(out, SF_RELATION_AT_LEAST, 10.0, measured[1], 0.0,
                   "α = 0.55: minor exceeds major more than 10 times");
    SF_TRY(sf_l2_critical_scale(out, 2, mu, 1.0, &critical));
    for (size_t i = 0; i < CURVE; i++) {
        size_t mark = sf_claim_mark(out);
        double alpha = critical * (1.0 + 0.001 * exp(log(700.0) * (double)i / (CURVE - 1)));
        SF_TRY(predict_peak(out, mu, alpha, &peak, &curve_y[i]));
        curve_x[i] = alpha / critical - 1.0;
        sf_claim_release(out, mark);
    }
    double marks_x[5];
    for (size_t i = 0; i < 5; i++)
        marks_x[i] = scales[i] / critical - 1.0;
    sf_claim_note(out, SF_NOTE_CAVEAT,
                  "Chosen tolerance: 10^{−4} relative, because the measured maximum is taken over 1,000 "
                  "moments, which can "
                  "miss the top by about 10^{−5} of it. The reference values have four digits.");
    sf_figure *figure =
        sf_claim_figure(out, "p47-peak", 1,
                        "Largest ratio minor / major on the way, μ = (1, 2), ρ = 1, ℓ2-SAM, L = "
                        "2, against the distance of the start from the critical scale: "
                        "without bound as α → α_c. Line: predicted; discs: measured.",
                        "On log-log axes the ratio rises steeply towards the critical scale, "
                        "from about 1 to more than ten thousand; the discs lie on "
                        "the line.");
    if (!figure)
        return SF_ERR_MEMORY;
    sf_figure_panel(figure, &(sf_axes){.x_label = "α / α_c − 1 (no unit)",
                                       .y_label = "largest β minor / β major",
                                       .x_scale = SF_SCALE_LOG,
                                       .y_scale = SF_SCALE_LOG,
                                       .x_min = 1e-3,
                                       .x_max = 1.0,
                                       .y_min = NAN,
                                       .y_max = NAN});
    sf_figure_series(figure, "predicted", (sf_style){.color = SF_COLOR_THEORY}, CURVE, curve_x, curve_y);
    sf_figure_series(figure, "measured, ℓ2-SAM", (sf_style){.mark = SF_MARK_POINTS, .color = SF_COLOR_L2}, 5,
                     marks_x, measured);
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "μ = (1, 2) (given twice, so that the engine does not use the reduction that predicts), ρ = "
        "1, L = 2, logistic loss, equal layers α·1; the ratio is largest where n = ρ "
        "(μ_1 + μ_2).");
    return SF_OK;
}
