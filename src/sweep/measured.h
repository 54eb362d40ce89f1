/* What a trajectory shows: the finding of a point that was integrated. */
#ifndef SF_SWEEP_MEASURED_H
#define SF_SWEEP_MEASURED_H

#include "sweep/observables.h"

/* Space for findings of d features and time_count times. */
typedef struct sf_findings {
    sf_context *context;
    size_t features, time_count;
    double *strength, *direction, *beta; // (d), (d), (time_count, d)
    struct sf_ranked *order;             // (d) features by increasing strength
    sf_event *leaders;
    size_t leader_capacity;
} sf_findings;

sf_status sf_findings_create(sf_context *context, size_t features, size_t time_count, sf_findings *findings);
void sf_findings_release(sf_findings *findings);
/* Makes room for this many leaders. */
sf_status sf_findings_reserve(sf_findings *findings, size_t leaders);

/* A measured direction is called that of basis vector j if |beta_j| is this share of sum |beta|. */
#define SF_BASIS_SHARE 0.999

/* Direction of a predictor, and the basis vector that it is, if it is one. */
void sf_findings_direction(sf_findings *findings, const double *beta, const double *log_abs,
                           sf_finding *finding);

/* Fills the finding from a trajectory over a data set; times of beta as in the measure. Pointers in the finding are
 * into `findings`. */
sf_status sf_findings_measure(sf_findings *findings, const sf_measure *measure, const sf_dataset *dataset,
                              const sf_trajectory *trajectory, sf_finding *finding);

/* What theory says of the experiment; in exact mode it is also the regime, limit, order and peak ratio. After
 * sf_findings_measure, if that is called at all. */
sf_status sf_findings_predict(sf_findings *findings, sf_experiment *experiment, sf_finding *finding);

#endif
