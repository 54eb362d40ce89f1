/* What several claims share: vectors, paths of flows. */
#ifndef SF_PAPER_TOOLS_H
#define SF_PAPER_TOOLS_H

#include "paper/claim.h"

double sf_vector_norm(size_t n, const double *x);
/* The angle between two vectors in radians, accurate also near 0. NaN if one is 0. */
double sf_vector_angle(size_t n, const double *x, const double *y);
/* The larger of two numbers; NaN if either is. */
double sf_larger(double a, double b);
/* Sorts x. */
double sf_median(size_t n, double *x);
size_t sf_index_of_largest(size_t n, const double *x);

/* theta (L, d) with every layer equal to alpha (d). */
void sf_fill_layers(size_t d, int depth, const double *alpha, double *theta);
/* count numbers from low to high, evenly or in equal ratios. */
void sf_even_steps(size_t count, double low, double high, double *x);
void sf_even_ratios(size_t count, double low, double high, double *x);

/* Runs until one of tau, log t, log norm is reached; INFINITY for those that do not matter. */
sf_status sf_flow_until(sf_flow *flow, double tau, double log_time, double log_norm);

/* One step h of the classical Runge-Kutta method on the plain right-hand side -grad F(theta + eps(theta)), by sf_perturb
 * and sf_network_gradient alone: a flow without the engine of flows, where it is smooth and L * d <= 32. rescaled: h is a
 * step of tau, else of t. SF_ERR_ARGUMENT if theta is too long. */
sf_status sf_runge_kutta_step(sf_network *network, const sf_perturbation *perturbation, bool rescaled,
                              double h, double *theta);

/* Records of a flow. Arrays live in the claim's work space. */
typedef struct flow_path {
    size_t count, d;
    double *tau, *log_time, *log_loss; // (count)
    double *beta, *log_beta;           // (d, count): feature after feature, ready to be drawn
} flow_path;

typedef enum path_clock { CLOCK_TAU, CLOCK_LOG_TIME } path_clock;

/* Advances the flow through `at` (count, increasing) in that clock and records each. */
sf_status sf_record_path(sf_outcome *out, sf_flow *flow, size_t d, path_clock clock, size_t count,
                         const double *at, flow_path *path);

/* The first dominance events of a flow: at most `room` leaders with the moment from which each leads, beginning with
 * the one of the start (tau 0). Returns how many there are. */
typedef struct leader {
    size_t index;
    double tau, log_time;
} leader;
size_t sf_leaders_of(const sf_flow *flow, size_t first, size_t room, leader *leaders);

#endif
