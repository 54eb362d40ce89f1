/* What theory says of the rows of a result file, from their settings. */
#ifndef SF_SWEEP_ORACLE_H
#define SF_SWEEP_ORACLE_H

#include "sweep/grid/grid.h"

typedef struct sf_oracle sf_oracle;

/* Of a grid that outlives the oracle; experiment: the settings of its first point, as JSON. */
sf_status sf_oracle_create(sf_context *context, const sf_grid *grid, const char *experiment, sf_oracle **out);
void sf_oracle_destroy(sf_oracle **oracle);

/* Of the row at this position. Static names; NULL where theory has no answer. */
sf_status sf_oracle_ask(sf_oracle *oracle, uint64_t position, const char **regime, const char **limit);

#endif
