/* What every entry asks of its arguments, in one place: descent, batch, flow, prediction and limit refuse the same things with
 * the same status and the same words. */
#ifndef SF_SAM_CHECK_H
#define SF_SAM_CHECK_H

#include <samflow/sam.h>

/* A network, a perturbation (sf_perturbation_check) and an initialization theta (L*d) of finite numbers; none of them NULL.
 * SF_ERR_ARGUMENT. */
sf_status sf_check_run(sf_context *context, const sf_network *network, const sf_perturbation *perturbation,
                       const double *theta);

/* A step size eta: finite and above 0. SF_ERR_ARGUMENT. */
sf_status sf_check_step(sf_context *context, double step);

#endif
