/* Data sets kept for several experiments (experiment.h). */
#ifndef SF_SHELF_H
#define SF_SHELF_H

#include "experiment/experiment.h"

/* Lends the data set of this key and tells its number; NULL if there is none. */
sf_dataset *sf_shelf_borrow(sf_shelf *shelf, sf_hash key, uint64_t *number);
/* Takes a data set over and lends it. False if there is no place, or if the key is there already: then it stays the
 * caller's. */
bool sf_shelf_keep(sf_shelf *shelf, sf_hash key, sf_dataset *dataset, uint64_t *number);
void sf_shelf_give_back(sf_shelf *shelf, const sf_dataset *dataset);

/* The hash of the content of a file, of those met last, by its name, size and time (key). */
bool sf_shelf_recall(sf_shelf *shelf, sf_hash key, sf_hash *content);
void sf_shelf_remember(sf_shelf *shelf, sf_hash key, sf_hash content);

#endif
