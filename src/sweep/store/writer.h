/* Rows of results into the tables of a result file; transactions are the caller's. */
#ifndef SF_SWEEP_WRITER_H
#define SF_SWEEP_WRITER_H

#include "sweep/run/sweep.h"
#include "sweep/store/database.h"
#include "sweep/store/ledger.h"

/* Rows that one statement inserts, which takes half the time of as many statements. */
enum { SF_WRITER_ROWS = 16 };

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
    size_t width, rows;                         // parameters of a row, rows of an insert of many
    sqlite3_stmt *insert[2], *link[2], *update; // of one row, of many
    sf_cell *cells;                             // (SF_WRITER_ROWS, observables), for rows to be stored
    grid_value *values;                         // (axes)
} sf_writer;

/* Makes the row of the grid, if it is not there, and the columns. Close it also after a failure. */
sf_status sf_writer_open(const sf_sweep *sweep, sf_database *database, sf_ledger *ledger, sf_writer *writer);
void sf_writer_close(sf_writer *writer);

/* Stores rows: new points, or what they add to those that are there; and makes them members of the grid. */
sf_status sf_writer_store(sf_writer *writer, size_t count, const sf_row *rows);
/* Makes a point that is there a member of the grid; *added: it was none. */
sf_status sf_writer_link(sf_writer *writer, uint64_t position, int64_t point, bool *added);

#endif
