/* Data sets kept for several experiments (experiment.h). */
#ifndef SF_SHELF_H
#define SF_SHELF_H

#include "experiment/experiment.h"

/* Lends the data set of this key and tells its number; NULL if there is none. */
sf_dataset *sf_shelf_borrow(sf_shelf *shelf, const char *key, uint64_t *number);
/* Takes a data set over and lends it. False if there is no place or no memory, or if the key is there already: then it
 * stays the caller's. */
bool sf_shelf_keep(sf_shelf *shelf, const char *key, sf_dataset *dataset, uint64_t *number);
void sf_shelf_give_back(sf_shelf *shelf, const sf_dataset *dataset);

#endif
