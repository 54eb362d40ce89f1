/* What theory says of the rows of a result file, from their settings. */
#ifndef SF_SWEEP_ORACLE_H
#define SF_SWEEP_ORACLE_H

#include "sweep/store/store.h"

typedef struct sf_oracle sf_oracle;

sf_status sf_oracle_create(const sf_store *store, sf_oracle **out);
void sf_oracle_destroy(sf_oracle **oracle);

/* Of a row with these values of the axes of the store (one an axis, in their order). Static names; NULL where theory
 * has no answer, or where the settings of a row cannot be told from its axes. */
sf_status sf_oracle_ask(sf_oracle *oracle, const sf_cell *values, const char **regime, const char **limit);

#endif
