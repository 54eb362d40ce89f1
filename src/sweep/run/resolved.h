/* The resolved settings of an experiment as leaves, with the version and the content of its data file. */
#ifndef SF_SWEEP_RESOLVED_H
#define SF_SWEEP_RESOLVED_H

#include "sweep/run/sweep.h"

/* The leaves that carry the version, the content of a data file, and the mark of a point that is no experiment. */
#define SF_LEAF_VERSION "samflow.version"
#define SF_LEAF_CONTENT "samflow.data_content"
#define SF_LEAF_INVALID "samflow.invalid"

/* Remembers the hashes of the data sets met last. */
sf_status sf_contents_create(sf_context *context, sf_contents **out);
void sf_contents_destroy(sf_context *context, sf_contents **contents);

/* The leaves of an experiment, with version and content; json, its settings as text, may be NULL. Release both, also
 * after a failure. */
sf_status sf_sweep_leaves(const sf_sweep *sweep, sf_context *context, const sf_experiment *experiment,
                          sf_leaves *leaves, char **json);

#endif
