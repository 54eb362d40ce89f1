/* Rows of results into the tables of a result file; transactions are the caller's. */
#ifndef SF_SWEEP_WRITER_H
#define SF_SWEEP_WRITER_H

#include "sweep/run/sweep.h"
#include "sweep/store/database.h"
#include "sweep/store/ledger.h"

/* Where the value of a column of settings comes from. */
typedef struct setting_source {
    size_t axis;  // SIZE_MAX: the same for all points
    sf_cell cell; // ... this
    char *text;
} setting_source;

typedef struct sf_writer {
    sf_context *context;
    const sf_sweep *sweep;
    sf_database *database; // borrowed
    sf_ledger *ledger;     // borrowed: of the same file
    int64_t grid;          // number of the grid in the file
    int64_t observed;      // ... of the set of observables
    setting_source *settings;
    size_t setting_count;
    sqlite3_stmt *insert, *update, *link;
    sf_cell *cells;     // (observables), of the row being stored
    grid_value *values; // (axes)
} sf_writer;

/* Makes the row of the grid, if it is not there, and the columns. Close it also after a failure. */
sf_status sf_writer_open(const sf_sweep *sweep, sf_database *database, sf_ledger *ledger, sf_writer *writer);
void sf_writer_close(sf_writer *writer);

/* Stores a row: a new point, or what it adds to one that is there; and makes it a member of the grid. */
sf_status sf_writer_store(sf_writer *writer, const sf_row *row);
/* Makes a point that is there a member of the grid; *added: it was none. */
sf_status sf_writer_link(sf_writer *writer, uint64_t position, int64_t point, bool *added);

#endif
