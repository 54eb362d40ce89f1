/* The result file: an SQLite database with one writer at a time.
 *
 *   file(key, value)                 format, schema
 *   grid(id, hash, version, name, text, settings, points, levels, created)     one row a grid that was run
 *   axis(grid, number, key, name, factor, count, geometric)
 *   setting(name, key)               columns of `point` that hold settings
 *   observed(id, observables)        sets of observables, as JSON lists
 *   point(id, hash, grid, status, reason, outcome, observed, <settings>, <observables>)
 *   member(grid, position, point)    which points a grid consists of
 *   session(id, grid, ...)           one row a run
 *   result                           a view: the points of the grid that was run last, by position
 *
 * Safety: points reach the file in transactions, in write-ahead-log mode with synchronous=FULL (or with a rollback
 * journal where the file system has no shared memory). What is committed survives a kill at any moment and a power
 * cut; what is not is computed again. No point is there twice, whoever writes: a unique index of the hashes (point_hash)
 * sees to that. Keys in random order cost as much as all the rest, so a file whose only points are those of one grid that
 * are distinct by construction has the index from the end of its first complete run on; until then the hash is a function
 * of the position, which the primary key of `member` keeps unique (writer.c). A second grid, a merge, or a position that
 * comes twice make the index at once. The writer holds a lock on FILE-lock, which the system releases when the process dies.
 *
 * Files of strangers: each is checked when it is opened (check.h); tables are STRICT (schema 2; schema 1 was not).
 */
#ifndef SF_SWEEP_DATABASE_H
#define SF_SWEEP_DATABASE_H

#include <sqlite3.h>

#include "sweep/store/rows.h"

enum { SF_DATABASE_SCHEMA = 2 };

typedef struct sf_database {
    sf_context *context;
    sqlite3 *handle;
    char *path;
    int lock; // descriptor of FILE-lock, -1: none
    bool rollback;
    int schema; // of the file
} sf_database;

/* Opens for writing (created if absent) or for reading. Errors: SF_ERR_IO, SF_ERR_DATA (not a result file). */
sf_status sf_database_open(sf_context *context, const char *path, bool write, bool rollback,
                           sf_database **out);
/* Leaves one plain file behind when the last user of a writable database closes it. */
void sf_database_close(sf_database **database);

/* Number of the process that writes to path, 0: none, -1: not known. */
int64_t sf_database_writer(const char *path);

/* Runs statements without results; prepares one; turns a code of SQLite into a status with a message. */
sf_status sf_database_execute(sf_database *database, const char *format, ...);
sf_status sf_database_prepare(sf_database *database, sqlite3_stmt **statement, const char *format, ...);
sf_status sf_database_fail(sf_database *database, int code, const char *what);
/* Steps a statement that yields no rows, and resets it. */
sf_status sf_database_step(sf_database *database, sqlite3_stmt *statement);
/* First column of the first row; *found is false if there is none. */
sf_status sf_database_integer(sf_database *database, int64_t *value, bool *found, const char *format, ...);

bool sf_bind_cell(sqlite3_stmt *statement, int index, const sf_cell *cell);
sf_cell sf_column_cell(sqlite3_stmt *statement, int column);

/* From now on statements end with SF_ERR_CANCELLED once the context is told to stop; so from the start where it is only read. */
void sf_database_heed(sf_database *database, bool heed);

/* Makes the unique index of the hashes if it is not there. Of points that are there twice (a file whose lock was lost), one
 * stays. */
sf_status sf_database_index(sf_database *database);
/* Adds a column to `point` if it is not there. kind: INTEGER, REAL or TEXT; of settings no type is declared. */
sf_status sf_database_add_column(sf_database *database, const char *name, const char *type);
/* (Re)creates the view `result`. */
sf_status sf_database_view(sf_database *database);

#endif
