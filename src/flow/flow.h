/* The state of a flow: what flow.c (its life, what is read from it) and advance.c (its motion) share. */
#ifndef SF_FLOW_FLOW_H
#define SF_FLOW_FLOW_H

#include <samflow/flow.h>

#include <math.h>

#include "flow/integrator.h"
#include "flow/model.h"
#include "flow/panel.h"

/* log |beta| and the signs of beta at one position. */
typedef struct flow_glance {
    double s;
    double *log_beta;  // (d)
    signed char *sign; // (d)
} flow_glance;

enum { FLOW_GLANCES = 5 };

struct sf_flow {
    sf_context *context;
    sf_network *network;
    double tolerance;
    flow_model *model;
    flow_integrator *integrator;
    sf_flow_state state;
    double s, tau, log_time;   // position of the flow
    double *y;                 // (size) the state there
    double step_from, step_to; // the dense output ends here
    flow_panel panel;          // around s
    double panel_log_time;     // log t at panel.a
    flow_past past;            // psi where steps ended, in this mode
    double psi;                // at the next panel's first node, NaN if not known
    double width;              // of the last panel that was resolved, before it was cut
    bool mode_ends;            // at panel.b
    double last_change;        // of the mode
    int stuck;                 // mode changes without progress
    // lead.c
    int64_t leader;                   // largest coordinate of |beta|, -1 before the first step
    double led_from;                  // where the first one was chosen
    bool searched;                    // next_change is known for the panel and the leader
    double next_change;               // where the leader changes next, NaN: not in this panel
    flow_glance glance[FLOW_GLANCES]; // of the interval in hand
    double *ahead, *rate;             // (size) work: a state elsewhere, its rate
    double *beta, *log_beta;          // (d) work
    uint64_t looks, most_work; // evaluations on the dense output; where an advance ends unreached, 0: never
    int64_t *slides;           // (d) work, discontinuous models only
    sf_event *events;
    size_t event_count, event_room;
};

/* Where an advance ends: at the first of these; INFINITY for none. */
typedef struct flow_goal {
    double tau, log_time, log_norm, progress;
} flow_goal;

/* ---- lead.c ---------------------------------------------------------------------------------------------- */

/* The state at s, in a buffer that the next call uses again. */
const double *sf_flow_look(sf_flow *flow, double s);
/* log |beta| at s into log_beta; returns its largest coordinate, the lowest index of those that tie. */
size_t sf_flow_look_at_beta(sf_flow *flow, double s);

/* A function of the position, for root finding: its sign changes where something happens. */
typedef double flow_position_function(sf_flow *flow, double s, double parameter);
/* The position in [a, b] where f changes sign, f(a) < 0 <= f(b): false position with halving (Illinois),
 * guarded by bisection, to the last bits. */
double sf_flow_locate(sf_flow *flow, flow_position_function *f, double parameter, double a, double b);

/* Takes a leader in the panel in hand, if one can be told there. */
void sf_flow_choose_first_leader(sf_flow *flow);
/* The first position in (s, panel.b] where the leader changes, NaN if it does not. */
double sf_flow_next_leader(sf_flow *flow);
/* At that position: the challenger leads. */
void sf_flow_change_leader(sf_flow *flow);

/* ---- advance.c ------------------------------------------------------------------------------------------- */

/* An advance ends, its target not reached, after so many evaluations, those of the integrator and those on the dense
 * output; 0: never. */
void sf_flow_stop_after(sf_flow *flow, uint64_t evaluations);
/* Whether one has ended so. */
bool sf_flow_is_spent(const sf_flow *flow);

/* ---- flow.c ---------------------------------------------------------------------------------------------- */

/* The model's rates, as far as log t stays clear of the end of the doubles (it may be NaN). */
static inline bool flow_rates(flow_model *model, const double *y, double *dy, flow_clocks *clocks)
{
    return model->system->rates(model, y, dy, clocks) && !(fabs(clocks->log_dt) > 1e300);
}

#endif
