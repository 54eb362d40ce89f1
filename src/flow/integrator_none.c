/* Stands in for integrator.c in a build without SUNDIALS. */
#include "flow/integrator.h"

sf_status sf_flow_integrator_create(sf_context *context, const flow_problem *problem, flow_integrator **out)
{
    (void)problem;
    *out = NULL;
    return sf_fail(context, SF_ERR_UNAVAILABLE,
                   "flows need SUNDIALS CVODE, and this build was configured with SAMFLOW_WITH_SUNDIALS=OFF");
}

void sf_flow_integrator_destroy(flow_integrator **integrator)
{
    (void)integrator;
}

sf_status sf_flow_integrator_restart(flow_integrator *integrator, double s, const double *y)
{
    (void)integrator, (void)s, (void)y;
    return SF_ERR_UNAVAILABLE;
}

sf_status sf_flow_integrator_step(flow_integrator *integrator, double *from, double *to)
{
    (void)integrator, (void)from, (void)to;
    return SF_ERR_UNAVAILABLE;
}

void sf_flow_integrator_at(flow_integrator *integrator, double s, double *y)
{
    (void)integrator, (void)s, (void)y;
}

void sf_flow_integrator_work(const flow_integrator *integrator, uint64_t *evaluations, uint64_t *steps)
{
    (void)integrator;
    *evaluations = *steps = 0;
}
