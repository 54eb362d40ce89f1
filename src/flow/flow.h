/* The state of a flow: what flow.c (its life, what is read from it) and advance.c (its motion) share. */
#ifndef SF_FLOW_FLOW_H
#define SF_FLOW_FLOW_H

#include <samflow/flow.h>

#include <math.h>

#include "flow/integrator.h"
#include "flow/model.h"
#include "flow/panel.h"

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
    size_t top[PANEL_MAX + 1]; // the largest coordinate at every LOOK-th node
    bool mode_ends;            // at panel.b
    double last_change;        // of the mode
    int stuck;                 // mode changes without progress
    int64_t leader;            // largest coordinate of |beta|, -1 before the first step
    double *ahead, *rate;      // (size) work: a state elsewhere, its rate
    double *later;             // (d) work: log |beta| at a node
    double *log_beta;          // (d) work
    int64_t *slides;           // (d) work, discontinuous models only
    sf_event *events;
    size_t event_count, event_room;
};

/* Where an advance ends: at the first of these; INFINITY for none. */
typedef struct flow_goal {
    double tau, log_time, log_norm, progress;
} flow_goal;

/* The model's rates, as far as log t stays clear of the end of the doubles (it may be NaN). */
static inline bool flow_rates(flow_model *model, const double *y, double *dy, flow_clocks *clocks)
{
    return model->system->rates(model, y, dy, clocks) && !(fabs(clocks->log_dt) > 1e300);
}

#endif
