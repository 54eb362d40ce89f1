/* From values of the axes to an experiment.
 *
 * A value of an axis reaches the experiment as an override, key=value; an item of a list, data.example[1], as an
 * override of the list with the other items as the file has them.
 */
#ifndef SF_SWEEP_TEMPLATES_H
#define SF_SWEEP_TEMPLATES_H

#include "sweep/run/sweep.h"

/* Makes the templates of the axes. Errors: SF_ERR_CONFIG (no such item), SF_ERR_MEMORY. */
sf_status sf_sweep_make_templates(sf_sweep *sweep);
/* The experiment at these values of the axes, more overrides last. */
sf_status sf_sweep_experiment(const sf_sweep *sweep, sf_context *context, const grid_value *values,
                              size_t more, const char *const *extra, sf_experiment **out);
/* A template with the values of the axes in its holes; NULL without memory. */
char *sf_sweep_fill(sf_context *context, const char *template, const grid_value *values);
/* Puts the axis and its place in the file before the message of a failure; SF_ERR_CONFIG. */
sf_status sf_sweep_axis_error(const sf_sweep *sweep, const grid_axis *axis);

#endif
