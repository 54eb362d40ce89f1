/* A flow with all that it hangs on, for tests. */
#ifndef SF_TEST_FLOW_RIG_H
#define SF_TEST_FLOW_RIG_H

#include "support.h"

enum { RIG_MAX = 64, RIG_WEIGHTS = 1024 };

typedef struct rig {
    sf_context *context;
    sf_dataset *dataset;
    sf_network *network;
    sf_flow *flow;
    size_t d;
    int depth;
    double beta[RIG_MAX], log_beta[RIG_MAX], theta[RIG_WEIGHTS];
} rig;

/* A flow on n signed examples z (n, d) from theta (depth, d). */
static inline rig rig_open(sf_context *context, size_t n, size_t d, const double *z, int depth, sf_loss loss,
                           sf_perturbation perturbation, const double *theta)
{
    rig r = {.context = context, .d = d, .depth = depth};
    assert_ok(context, sf_dataset_from_points(context, n, d, z, NULL, &r.dataset));
    assert_ok(context, sf_network_create(context, r.dataset, depth, loss, &r.network));
    assert_ok(context, sf_flow_create(context, r.network, &perturbation, theta, 0.0, &r.flow));
    return r;
}

static inline void rig_close(rig *r)
{
    sf_flow_destroy(&r->flow);
    sf_network_destroy(&r->network);
    sf_dataset_destroy(&r->dataset);
    sf_context_destroy(&r->context);
}

static inline sf_flow_target rig_target(double tau, double log_time)
{
    return (sf_flow_target){.size = sizeof(sf_flow_target),
                            .stops = SF_STOP_TAU | SF_STOP_LOG_TIME,
                            .tau = tau,
                            .log_time = log_time};
}

/* Reads beta, log |beta| and theta at the position reached. */
static inline void rig_read(rig *r)
{
    sf_flow_predictor(r->flow, r->beta, r->log_beta);
    sf_flow_theta(r->flow, r->theta);
}

static inline void rig_to_tau(rig *r, double tau)
{
    sf_flow_target target = rig_target(tau, INFINITY);
    assert_ok(r->context, sf_flow_advance(r->flow, &target));
    rig_read(r);
}

static inline void rig_to_log_time(rig *r, double log_time)
{
    sf_flow_target target = rig_target(INFINITY, log_time);
    assert_ok(r->context, sf_flow_advance(r->flow, &target));
    assert_relative(sf_flow_log_time(r->flow), log_time, 1e-12);
    rig_read(r);
}

/* The first event of a kind from index on; NULL if there is none. */
static inline const sf_event *rig_event(const rig *r, sf_event_kind kind, size_t from)
{
    size_t count;
    const sf_event *events = sf_flow_events(r->flow, &count);
    for (size_t i = from; i < count; i++)
        if (events[i].kind == kind)
            return &events[i];
    return NULL;
}

#endif
