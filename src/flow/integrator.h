/* The integrator of room flow/: a thin face over SUNDIALS CVODE, the only file that knows it (integrator.c; a
 * build without SUNDIALS takes integrator_none.c).
 *
 * dy/ds = f(y), one internal step at a time, with the polynomial that CVODE keeps over its last step as dense
 * output. Smooth problems take Adams methods (order 1 to 12, fixed-point iteration), stiff ones BDF (order 1
 * to 5, Newton; dense Jacobian up to FLOW_DENSE states, matrix-free GMRES beyond).
 */
#ifndef SF_FLOW_INTEGRATOR_H
#define SF_FLOW_INTEGRATOR_H

#include "base/base.h"

enum { FLOW_DENSE = 400 };

/* dy = f(y). false: y has left the domain (the step is retried with a smaller one). */
typedef bool (*flow_rhs)(const double *y, double *dy, void *user);
/* The error allowed in each component of y. */
typedef void (*flow_allowance)(const double *y, double *allowed, void *user);

/* Prepares the derivative of f at y; false as above. */
typedef bool (*flow_linearize)(const double *y, void *user);
/* jv = f'(y) v */
typedef void (*flow_tangent)(const double *v, double *jv, void *user);

typedef struct flow_problem {
    size_t size;
    bool stiff;
    flow_rhs rhs;
    flow_linearize linearize; // stiff problems; NULL: difference quotients
    flow_tangent tangent;
    flow_allowance allowance;
    void *user;
} flow_problem;

typedef struct flow_integrator flow_integrator;

/* Errors: SF_ERR_MEMORY, SF_ERR_UNAVAILABLE. */
sf_status sf_flow_integrator_create(sf_context *context, const flow_problem *problem, flow_integrator **out);
void sf_flow_integrator_destroy(flow_integrator **integrator);
/* From s with state y (copied), forgetting all history. */
sf_status sf_flow_integrator_restart(flow_integrator *integrator, double s, const double *y);
/* One internal step; afterwards sf_flow_integrator_at answers on [*from, *to]. Errors: SF_ERR_NUMERIC. */
sf_status sf_flow_integrator_step(flow_integrator *integrator, double *from, double *to);
void sf_flow_integrator_at(flow_integrator *integrator, double s, double *y);
void sf_flow_integrator_work(const flow_integrator *integrator, uint64_t *evaluations, uint64_t *steps);

#endif
