/* The reader of a result file, and its parts that write other files. */
#ifndef SF_SWEEP_STORE_H
#define SF_SWEEP_STORE_H

#include "sweep/grid/grid.h"
#include "sweep/store/database.h"

typedef struct sf_text_list sf_text_list;

struct sf_store {
    sf_context *context;
    sf_database *database;
    int64_t grid;
    uint64_t points;
    int levels;
    char *experiment;
    sf_grid *written; // the sweep file that was run last
    sf_store_axis *axes;
    size_t axis_count;
    sf_store_column *columns;
    size_t column_count;
    sf_text_list *texts; // of the columns read last, text_lists of them
    size_t text_lists;
};

/* Before others are read, and before the store is closed. */
void sf_store_forget_texts(sf_store *store);

sf_status sf_store_write_csv(sf_store *store, const char *path);
sf_status sf_store_write_hdf5(sf_store *store, const char *path);

#endif
