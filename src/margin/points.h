/* From a data set to the problem that the solvers of margin/ see. */
#ifndef SF_MARGIN_POINTS_H
#define SF_MARGIN_POINTS_H

#include "margin/margin.h"

/* Borrows the data set's storage unless it has to be scaled. Release also after a failure. */
sf_status sf_points_create(sf_context *context, const sf_dataset *dataset, bool nonnegative,
                           sf_points *points);
void sf_points_release(sf_points *points);

#endif
