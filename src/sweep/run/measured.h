/* What a trajectory shows: the finding of a point that was integrated. */
#ifndef SF_SWEEP_MEASURED_H
#define SF_SWEEP_MEASURED_H

#include "sweep/grid/observables.h"

/* Space for findings of d features and time_count times. */
typedef struct sf_findings {
    sf_context *context;
    size_t features, time_count;
    double *strength, *direction, *beta; // (d), (d), (time_count, d)
    size_t minor, major;                 // the weakest and the strongest feature; the same if all are alike
    sf_event *leaders;
    size_t leader_capacity;
} sf_findings;

sf_status sf_findings_create(sf_context *context, size_t features, size_t time_count, sf_findings *findings);
void sf_findings_release(sf_findings *findings);
/* Makes room for this many leaders. */
sf_status sf_findings_reserve(sf_findings *findings, size_t leaders);

/* A measured direction is called that of basis vector j if |beta_j| is this share of sum |beta|. */
#define SF_BASIS_SHARE 0.999

/* Finds the weakest and the strongest feature, after the strengths have been filled in. */
void sf_findings_rank(sf_findings *findings);

/* Discrete SAM at L = 2 that has collapsed does not rest at 0 but chatters around it: l2-SAM with
 * |w| = eta sigma rho mu_d / (2 sqrt 2), linf-SAM with at most eta sigma rho mu_d, sigma = -l'(0). True if no weight of
 * theta (2, d) is larger than twice that. The strongest feature is in `findings`. */
bool sf_findings_chatter(const sf_findings *findings, const sf_perturbation *perturbation, double step,
                         sf_loss loss, int depth, const double *theta);

/* How a run ended, and what was seen on the way. */
typedef struct sf_ending {
    sf_run_status status;
    bool collapsed;
    const double *beta, *log_abs; // (d) the predictor at the end
    const sf_event *events;       // changes of the leader, among others
    size_t event_count;
    double log_peak_ratio; // NaN: not known
} sf_ending;

/* Outcome, order, regime, limit, direction and peak; strengths and their extremes are in `findings`. */
sf_status sf_findings_conclude(sf_findings *findings, const sf_ending *ending, sf_finding *finding);

/* Fills the finding from the trajectory of an experiment; times of beta as in the measure. Pointers in the finding are
 * into `findings`. */
sf_status sf_findings_measure(sf_findings *findings, const sf_measure *measure,
                              const sf_experiment *experiment, const sf_trajectory *trajectory,
                              sf_finding *finding);

/* What theory says of a start; exact: it is also the regime, limit, order and peak ratio. After what was measured, if
 * anything was. */
sf_status sf_findings_predict(sf_findings *findings, sf_network *network, const sf_perturbation *perturbation,
                              const double *start, bool exact, sf_finding *finding);

#endif
