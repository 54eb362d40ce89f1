/* Data sets kept for several experiments (experiment.h). */
#ifndef SF_DATA_CACHE_H
#define SF_DATA_CACHE_H

#include "experiment/experiment.h"

/* Lends the data set of this key and tells its number; NULL if there is none. */
sf_dataset *sf_data_cache_borrow(sf_data_cache *cache, sf_hash key, uint64_t *number);
/* Takes a data set over and lends it. False if there is no place, or if the key is there already: then it stays the
 * caller's. */
bool sf_data_cache_keep(sf_data_cache *cache, sf_hash key, sf_dataset *dataset, uint64_t *number);
void sf_data_cache_give_back(sf_data_cache *cache, const sf_dataset *dataset);

/* The hash of the content of a file, of those met last, by its name, size and time (key). */
bool sf_data_cache_recall(sf_data_cache *cache, sf_hash key, sf_hash *content);
void sf_data_cache_remember(sf_data_cache *cache, sf_hash key, sf_hash content);

#endif
