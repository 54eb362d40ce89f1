/* samflow/flow.h - the continuous dynamics d theta/dt = -grad F(theta + eps(theta)).
 *
 * Integrated in the rescaled clock d tau = S dt, S = (1/N) sum_n s_n at the perturbed point:
 *   d w_l / d tau = (sum_n p_n z_n) * prod_{k != l} w_hat_k,
 * which never divides by something that underflows; the original time is carried as log t. Clocks:
 *   tau       the rescaled time (for depth >= 3 it ends at a finite blow-up, which is t = infinity)
 *   log_time  log t, from -infinity; NaN where the original time does not exist (two unequal layers that slide
 *             at 0 together)
 *   progress  the integrator's own clock, a smooth increasing function of tau that stays finite work per unit
 *             at blow-up and collapse; "evenly in the flow's progress" means even in it
 * Events are located by root finding, not sampled. The leader of coordinates that start level is the one that is ahead
 * right afterwards, without an event; among those that stay level for ever it is the one of lowest index, and only
 * a coordinate that gets ahead takes over.
 *
 * linf-SAM is discontinuous where a gradient coordinate or a weight is 0. Its flow is Filippov's solution (src/flow/modes.c):
 * any depth to 64, layers of any sizes, any number of examples, held at up to 10 surfaces at once (one example: in
 * each coordinate). Where several surfaces are held the solution is not unique; the one is taken in which discrete updates
 * chatter independently between the sides. Two layers of one coordinate held at 0 (beta_j = 0): what becomes of the other layers
 * of that coordinate and of the original time depends on the phases of the two, so log_time is NaN from there.
 */
#ifndef SAMFLOW_FLOW_H
#define SAMFLOW_FLOW_H

#include <samflow/sam.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sf_event_kind {
    SF_EVENT_DOMINANCE, /* another coordinate of |beta| is now the largest: from -> to */
    SF_EVENT_COLLAPSE, /* beta = 0 and the gradient vanish: theta has reached 0, or a point where two layers of every
                           coordinate are 0 (depth >= 3), and rests there */
    SF_EVENT_BLOW_UP, /* depth >= 3: tau has reached its end, coordinate `to` is infinite */
    SF_EVENT_SLIDING  /* coordinate `to` has reached a surface of the discontinuous field and stays on it */
} sf_event_kind;

/* "dominance", "collapse", "blow_up", "sliding" */
SF_API
const char *sf_event_name(sf_event_kind kind);

typedef struct sf_event {
    sf_event_kind kind;
    int64_t from, to; /* coordinates, -1 where there is none */
    double step;      /* discrete runs; NaN in flows */
    double tau, log_time, log_loss;
} sf_event;

typedef struct sf_flow sf_flow;

/* A flow over a borrowed network from theta (L*d, copied). tolerance: relative accuracy asked of the integrator,
 * 0 for the default 1e-12. Errors: SF_ERR_ARGUMENT, SF_ERR_MEMORY, SF_ERR_UNAVAILABLE (built without SUNDIALS, or
 * linf-SAM with more than 64 layers), SF_ERR_NUMERIC (linf-SAM from a start on a surface with no way on). */
SF_API
sf_status sf_flow_create(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                         const double *theta, double tolerance, sf_flow **out);
SF_API
void sf_flow_destroy(sf_flow **flow);

/* What may end an advance. */
typedef enum sf_flow_stop {
    SF_STOP_TAU = 1,
    SF_STOP_LOG_TIME = 2,
    SF_STOP_LOG_NORM = 4, /* log ||beta||_2 reaches it from below */
    SF_STOP_PROGRESS = 8
} sf_flow_stop;

/* Where to stop: at the first of those named in stops (SF_STOP_TAU | ...); the other members are not read, so a target of
 * zeros is no target. INFINITY is never reached, values in the past stop at once. log_time alone is no target once the original
 * time has ceased to exist: the flow then stays where it is. */
typedef struct sf_flow_target {
    size_t size;    /* sizeof(sf_flow_target) */
    unsigned stops; /* of sf_flow_stop, at least one */
    double tau, log_time, log_norm, progress;
} sf_flow_target;

typedef enum sf_flow_state {
    SF_FLOW_RUNNING, /* stopped at the target */
    SF_FLOW_COLLAPSED, /* beta = 0 and the gradient vanish: the state no longer changes, tau and log t may be advanced freely */
    SF_FLOW_BLOWN_UP, /* tau_max reached; log t = infinity lies beyond */
    SF_FLOW_RESTING   /* another point of rest (for example rho^L) reached to working precision */
} sf_flow_state;

/* Integrates until the target. SF_ERR_ARGUMENT (no target, or NaN in one); SF_ERR_NUMERIC if the integrator gives up, log t leaves the range of a double or a case
 * of linf-SAM is not covered (the message names it); SF_ERR_CANCELLED. The state reached stays readable. */
SF_API
sf_status sf_flow_advance(sf_flow *flow, const sf_flow_target *target);

SF_API
sf_flow_state sf_flow_get_state(const sf_flow *flow);
SF_API
double sf_flow_tau(const sf_flow *flow);
SF_API
double sf_flow_log_time(const sf_flow *flow);
SF_API
double sf_flow_progress(const sf_flow *flow);
/* Into theta (L*d): weights that underflow are 0 there but not in the logs below. */
SF_API
void sf_flow_theta(const sf_flow *flow, double *theta);
/* beta and log |beta| (d each, either may be NULL); exact in the log domain even where beta underflows. */
SF_API
void sf_flow_predictor(const sf_flow *flow, double *beta, double *log_abs_beta);
/* log F, the smallest margin, and ||eps|| in force; each pointer may be NULL. */
SF_API
void sf_flow_evaluate(sf_flow *flow, double *log_loss, double *min_margin, double *applied_norm);

/* The events so far, in order; owned by the flow, valid until the next advance. */
SF_API
const sf_event *sf_flow_events(const sf_flow *flow, size_t *count);

/* Work counts: evaluations of the right-hand side, integrator steps. */
typedef struct sf_flow_work {
    uint64_t evaluations, steps;
} sf_flow_work;
SF_API
sf_flow_work sf_flow_get_work(const sf_flow *flow);

#ifdef __cplusplus
}
#endif
#endif
