/* The critical factor of a start, as a public call. */
#include <samflow/theory.h>

#include "theory/critical.h"

sf_status sf_critical_factor(sf_context *context, size_t d, const double *mu, const double *w1,
                             const double *w2, double rho, double *factor)
{
    sf_modes modes;
    sf_real log_factor = NAN;
    bool certain = true;
    if (!context || !factor)
        return sf_fail(context, SF_ERR_ARGUMENT, "a critical factor needs a context and a place for it");
    *factor = NAN;
    sf_status status = sf_modes_create(context, d, mu, w1, w2, rho, &modes);
    if (status == SF_OK)
        status = sf_critical_log_factor(&modes, &log_factor, &certain);
    if (status == SF_OK && !certain)
        status = sf_fail(context, SF_ERR_NUMERIC, "the critical scale could not be certified");
    if (status == SF_OK)
        *factor = (double)real_exp(log_factor);
    sf_modes_release(&modes);
    return status;
}
