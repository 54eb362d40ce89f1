/* Private face of the room verdict/. */
#ifndef SF_VERDICT_LIMIT_H
#define SF_VERDICT_LIMIT_H

#include <samflow/flow.h>
#include <samflow/margin.h>
#include <samflow/verdict.h>

#include "verdict/rules.h"

/* What there is to know of a flow at one checkpoint. `clock` is log t, or where the original time does not exist
 * ||beta||, which log t follows up to a factor. */
typedef struct sf_track_mark {
    double clock, log_time, tau, log_loss, log_norm; // log_norm: log of ||beta|| in the track's norm
    double min_margin;
    double *direction; // (d) beta / ||beta||, 0 if beta is 0
    double *log_beta;  // (d) log |beta|
    double *beta;      // (d)
} sf_track_mark;

typedef struct sf_track {
    sf_context *context;
    sf_network *network;
    sf_perturbation perturbation;
    const double *start; // (L, d) theta at time 0
    size_t d;
    int depth;
    sf_norm norm;
    sf_flow *flow;
    double *theta; // (L, d) at the last mark
    sf_track_mark *marks;
    size_t count;
    double change; // between the last two marks
    bool ended;    // at rest, out of work, or the integrator gave up: there will be no further mark
    bool at_rest;  // the flow has ended: collapsed or at rest
    bool lost;     // the integrator gave up; `message` says why
    bool spent;    // out of work
    uint64_t work; // evaluations of the right-hand side after which it is
    char message[200];
} sf_track;

enum { SF_MARKS = 64 };

sf_status sf_track_create(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                          const double *theta, double flow_tolerance, sf_track *track);
void sf_track_release(sf_track *track);
/* Runs on to the given log t and adds a mark; sets `ended` when there is nowhere to go. */
sf_status sf_track_advance(sf_track *track, double log_time);

/* An answer so far. */
typedef struct sf_limit_verdict {
    sf_limit_kind kind;
    sf_evidence evidence;
    int64_t index;
    double *direction; // (d), filled where the kind has one; of a point beta itself
    const char *reason;
} sf_limit_verdict;

/* One example: exact facts at the state reached. */
sf_status sf_judge_single(const sf_track *track, const double *mu, sf_limit_verdict *verdict);

/* Whether the start of l2-SAM, L = 2 on one example lies so close to the critical scale that growth and collapse are not
 * told apart. */
sf_status sf_near_critical(const sf_track *track, const double *mu, bool *near);

/* Many examples: the margin problem that the network can express, and whether the flow approaches its solution. */
typedef struct sf_candidate {
    sf_separability separability; // by the predictors that the layers can express
    bool unique, constrained;     // constrained: not all sign patterns can be reached
    bool *separated;              // (n), if weakly separable
    bool strict;       // every example on the margin has a multiplier > 0, the dual is not degenerate
    double *direction; // (d)
    double slowest;    // 1 - max |q_j| off the support: the slowest decay; 1 if there is none
    size_t support;    // non-zero coordinates
    int64_t index;     // of the only one
} sf_candidate;
sf_status sf_candidate_find(sf_context *context, const sf_dataset *dataset, int depth, const double *theta,
                            sf_norm norm, sf_candidate *candidate);
void sf_candidate_release(sf_context *context, sf_candidate *candidate);
sf_status sf_judge_many(const sf_track *track, const sf_candidate *candidate, sf_limit_verdict *verdict);

/* Whether F no longer changes to first order: every term of the gradient that moves a weight is 0 relative to its parts,
 * or moves a coordinate that falls steadily. */
sf_status sf_is_stationary(const sf_track *track, bool *stationary);
/* Whether a flow of several examples that stands still has a reason to: every coordinate is at 0, on the gate of linf-SAM in
 * two layers, or its terms of the gradient cancel. */
sf_status sf_has_reason_to_rest(const sf_track *track, bool *reason);

/* Whether |beta| falls, or the largest |beta_j| grows, by at least SF_STEADY times the change of log t over each of the last two
 * factors e. */
bool sf_fades(const sf_track *track);

/* (d) the example, if all are the same one, else NULL. */
sf_status sf_single_example(sf_context *context, const sf_dataset *data, double **mu);

/* Whether all layers of theta (L, d) are equal. */
bool sf_equal_layers(int depth, size_t d, const double *theta);

/* ||x - y|| in a norm; the angle between x and y, by a formula that is accurate near 0. */
double sf_direction_distance(sf_norm norm, size_t d, const double *x, const double *y);
double sf_direction_angle(size_t d, const double *x, const double *y);

#endif
