/* What the options of a run ask for. */
#ifndef SF_SWEEP_OPTIONS_H
#define SF_SWEEP_OPTIONS_H

#include "sweep/run/sweep.h"

/* Errors: SF_ERR_USAGE. */
sf_status sf_options_check(const sf_sweep *sweep, const sf_sweep_options *options);
/* Whether the number-th point of a list is in the part that the options ask for. */
bool sf_is_mine(const sf_sweep_options *options, uint64_t number);

#endif
