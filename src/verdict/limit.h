/* Private face of the room verdict/. */
#ifndef SF_VERDICT_LIMIT_H
#define SF_VERDICT_LIMIT_H

#include <samflow/flow.h>
#include <samflow/verdict.h>

/* What there is to know of a flow at one checkpoint. `clock` is log t, or where the original time does not exist
 * ||beta||, which log t follows up to a factor. */
typedef struct sf_mark {
    double clock, log_time, tau, log_loss, log_norm; // log_norm: log of ||beta|| in the track's norm
    double *direction;                               // (d) beta / ||beta||, 0 if beta is 0
    double *log_beta;                                // (d) log |beta|
} sf_mark;

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
    sf_mark *marks;
    size_t count;
    double change; // between the last two marks
    bool ended;    // at rest, out of work, or the integrator gave up: there will be no further mark
    bool at_zero;  // theta rests at 0, or beta fades away
    bool at_point; // beta no longer moves
    bool lost;     // the integrator gave up or ran out of work
} sf_track;

enum { SF_MARKS = 64 };

sf_status sf_track_create(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                          const double *theta, double flow_tolerance, sf_track *track);
void sf_track_release(sf_track *track);
/* Runs on to the given log t and adds a mark; sets `ended` when there is nowhere to go. */
sf_status sf_track_advance(sf_track *track, double log_time);

/* An answer so far. */
typedef struct sf_verdict {
    sf_limit_kind kind;
    int64_t index;
    double *direction; // (d), filled where the kind has one
    const char *reason;
} sf_verdict;

/* One example: exact facts at the state reached. */
sf_status sf_judge_single(const sf_track *track, const double *mu, sf_verdict *verdict);

/* Whether the start of l2-SAM, L = 2 on one example lies so close to the critical scale that growth and collapse are not
 * told apart. */
sf_status sf_near_critical(const sf_track *track, const double *mu, bool *near);

/* Many examples: the margin problem that the network can express, and whether the flow approaches its solution. */
typedef struct sf_candidate {
    bool separable, unique, constrained; // constrained: not all sign patterns can be reached
    double *direction;                   // (d)
    double slowest; // 1 - max |q_j| off the support: the slowest decay; 1 if there is none
    size_t support; // non-zero coordinates
    int64_t index;  // of the only one
} sf_candidate;
sf_status sf_candidate_find(sf_context *context, const sf_dataset *dataset, int depth, const double *theta,
                            sf_norm norm, sf_candidate *candidate);
void sf_candidate_release(sf_context *context, sf_candidate *candidate);
void sf_judge_many(const sf_track *track, const sf_candidate *candidate, sf_verdict *verdict);

/* Whether all layers of theta (L, d) are equal. */
bool sf_equal_layers(int depth, size_t d, const double *theta);

/* ||x - y|| in a norm; the angle between x and y, by a formula that is accurate near 0. */
double sf_direction_distance(sf_norm norm, size_t d, const double *x, const double *y);
double sf_direction_angle(size_t d, const double *x, const double *y);

#endif
