/* l2-SAM at depth 2 on one example (Theorems 4.4, 4.5, Proposition 4.7).
 *
 * With mu = (mu_1 < mu_2), equal layers alpha and radius rho, all three regimes follow from the exact
 * reduction (theory.h): collapse below alpha_c; minor first above it; major from the start from alpha = rho
 * (mu_1 + mu_2) / (sqrt(2) ||mu||) on. */
#include "paper/programs.h"

#include <math.h>

/* What a discrete run from alpha * 1 did: which feature led, first and last, and how far the predictor fell.
 */
typedef struct discrete_run {
    bool collapsed;
    double first, last; // feature of largest |beta| after the first step, and at the end
    double peak;        // largest |beta_minor| / |beta_major|
} discrete_run;

static sf_status run_discrete(sf_outcome *out, const double *mu, double alpha, double rho, double step,
                              int steps, discrete_run *run)
{
    size_t mark = claim_mark(out);
    const double theta[] = {alpha, alpha, alpha, alpha};
    sf_network *network;
    sf_descent *descent;
    SF_TRY(claim_example(out, 2, mu, 2, &network));
    SF_TRY(claim_descent(out, network, SF_METHOD_L2, rho, step, theta, &descent));
    *run = (discrete_run){.first = NAN, .last = NAN};
    for (int i = 0; i < steps && !run->collapsed; i++) {
        double beta[2];
        SF_TRY(sf_descent_advance(descent, 1));
        sf_network_predictor(network, sf_descent_theta(descent), beta);
        run->last = fabs(beta[1]) > fabs(beta[0]) ? 1.0 : 0.0;
        if (i == 0)
            run->first = run->last;
        run->peak = fmax(run->peak, fabs(beta[0]) / fabs(beta[1]));
        // once both weights are far inside what a step can move them, they only chatter about 0
        run->collapsed = fabs(beta[0]) + fabs(beta[1]) < 1e-4 * alpha * alpha;
    }
    claim_release(out, mark);
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

sf_status claim_regimes_discrete(sf_outcome *out)
{
    static const double mu[] = {1.0, 2.0}, steps_of[] = {0.02, 0.01};
    const double rho = 1.0, critical = 0.5213212826, major = 3.0 / sqrt(10.0);
    discrete_run run;
    SF_TRY(run_discrete(out, mu, 0.3, rho, 0.01, 20000, &run));
    claim_check(out, SF_RELATION_EQUAL, 1.0, run.collapsed, 0.0, "α = 0.3 < α_c: collapses to 0 (1 = yes)");
    SF_TRY(run_discrete(out, mu, 0.6, rho, 0.01, 20000, &run));
    claim_check(out, SF_RELATION_EQUAL, 0.0, run.collapsed, 0.0, "α = 0.6 > α_c: collapses to 0 (1 = yes)");
    claim_check(out, SF_RELATION_EQUAL, 0.0, run.first, 0.0, "α = 0.6: leading feature after the first step");
    claim_check(out, SF_RELATION_EQUAL, 0.0, run.last, 0.0, "α = 0.6: leading feature after 20,000 steps");
    SF_TRY(run_discrete(out, mu, 1.0, rho, 0.01, 20000, &run));
    claim_check(out, SF_RELATION_EQUAL, 1.0, run.first, 0.0,
                "α = 1 > %.4f: leading feature after the first step", major);
    claim_check(out, SF_RELATION_AT_MOST, 1.0, run.peak, 0.0, "α = 1: largest ratio minor / major");
    for (size_t i = 0; i < 2; i++) {
        double threshold = NAN;
        SF_TRY(
            discrete_threshold(out, mu, rho, steps_of[i], (int)(40.0 / steps_of[i]), 0.4, 0.6, &threshold));
        claim_check(out, SF_RELATION_EQUAL, critical - 0.019 * steps_of[i], threshold, 1e-4,
                    "scale where the collapse ends, η = %g (α_c − 0.019 η)", steps_of[i]);
    }
    claim_note(out, SF_NOTE_SETTING,
               "μ = (1, 2), ρ = 1, logistic loss, equal layers; η = 0.01 and 20,000 steps for the "
               "regimes, bisection to 1e-6 over runs of t = 40 for the threshold.");
    claim_note(out, SF_NOTE_CAVEAT,
               "At α = 0.6 the flow hands over to the major feature at t = 1.14e23, so no discrete run of "
               "any length a person can wait for shows the second half of \"minor first, major last\".");
    return SF_OK;
}
