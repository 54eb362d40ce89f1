/* samflow/sweep.h - many experiments over a grid, in parallel, into one result file.
 *
 * A sweep file is an experiment file with a section `sweep:` (axes, observables, refine; doc/sweep.md). A point of
 * the grid is the experiment with the values of the axes put in; its identity is a 128-bit hash of all its resolved
 * settings, of the content of its data file if it has one, and of the version of samflow. The result file is an
 * SQLite database, whose tables doc/sweep.md describes: finished points are in it for good, whatever happens to the
 * process, and are never computed twice.
 */
#ifndef SAMFLOW_SWEEP_H
#define SAMFLOW_SWEEP_H

#include <samflow/experiment.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the grid ------------------------------------------------------------------------------------------ */

typedef struct sf_sweep sf_sweep;

/* Reads a sweep from a file ("-": standard input), or from text (name: what messages call it). overrides: as in
 * sf_experiment_read; they apply to the experiment, not to the section `sweep:`. Every value of every axis is
 * checked (of long axes a part), and nothing is written. Errors: SF_ERR_CONFIG with file, line and column,
 * SF_ERR_DATA, SF_ERR_IO, SF_ERR_MEMORY, SF_ERR_UNAVAILABLE (built without SQLite). */
SF_API
sf_status sf_sweep_read(sf_context *context, const char *path, size_t count, const char *const *overrides,
                        sf_sweep **out);
SF_API
sf_status sf_sweep_parse(sf_context *context, const char *name, const char *text, size_t count,
                         const char *const *overrides, sf_sweep **out);
SF_API
void sf_sweep_destroy(sf_sweep **sweep);

/* Points of the grid as written; refinement adds to them. And how often it halves a cell, at most; 0: not at all. */
SF_API
uint64_t sf_sweep_points(const sf_sweep *sweep);
SF_API
int sf_sweep_levels(const sf_sweep *sweep);

/* ---- running it ---------------------------------------------------------------------------------------- */

typedef struct sf_sweep_options {
    int threads;            /* 0: as many as the machine has (OMP_NUM_THREADS) */
    uint64_t shard, shards; /* part `shard` of `shards`, from 1; 0 and 0: the whole grid */
    bool retry_failed;      /* compute points again that failed before */
    bool rollback_journal;  /* for file systems without shared memory (NFS, Lustre): no write-ahead log */
    const char *from;       /* refine in shards: the merged results of the rounds before; NULL: none */
    double commit_seconds;  /* finished points reach the file at least this often; 0: every second */
    /* Told of each point that fails, by one thread at a time; may be NULL. */
    void (*failed)(uint64_t position, const char *reason, void *user);
    void *user;
} sf_sweep_options;

typedef struct sf_sweep_counts {
    uint64_t points;   /* of the grid (of this shard); grows while a grid is refined */
    uint64_t finished; /* in the file for this grid before the run began */
    uint64_t reused;   /* taken over from other grids of the file */
    uint64_t computed; /* by this run, failures included */
    uint64_t failed;   /* points of the grid that failed, now or before */
    uint64_t pending;  /* plan: to be computed because nothing is known of them */
    uint64_t lacking;  /* plan: to be computed again because an observable was not recorded */
    uint64_t retried;  /* plan: to be computed again because they failed */
    uint64_t awaited;  /* refine in shards: points of others, without which it is not known what comes next */
} sf_sweep_counts;

/* What a run would do; reads the result file if there is one and writes nothing. A grid that is refined: up to the
 * first points whose results decide what comes next. */
SF_API
sf_status sf_sweep_plan(sf_sweep *sweep, const char *path, const sf_sweep_options *options,
                        sf_sweep_counts *counts);
/* Computes what is not in the result file, and adds it. Shards of a grid that is refined work in rounds: each computes
 * its share of the points that follow from what is known, in its own file and in options->from; counts->awaited tells
 * how many others have to be merged before the next round. Points that fail are recorded with their reason and do not
 * stop the rest. SF_ERR_CANCELLED keeps everything finished so far; so does every other error. Errors: SF_ERR_IO
 * (file, disk full, another run is writing), SF_ERR_DATA (not a result file), SF_ERR_MEMORY. The results do not
 * depend on the number of threads. */
SF_API
sf_status sf_sweep_run(sf_sweep *sweep, const char *path, const sf_sweep_options *options,
                       sf_sweep_counts *counts);

/* ---- work handed elsewhere (other processes, other machines) ------------------------------------------- */

/* A session is one writer of a result file that hands out blocks of points and takes their results back as bytes,
 * in any order and from anywhere that holds the same sweep file and version. A block that never comes back is
 * simply not finished. */
typedef struct sf_session sf_session;

SF_API
sf_status sf_session_open(sf_sweep *sweep, const char *path, const sf_sweep_options *options,
                          sf_session **out);
/* At most `most` positions of points to compute; *count = 0: all are handed out. With refine there may be more once the
 * results of the blocks handed out have been stored: that is so if sf_session_waits says so. */
SF_API
sf_status sf_session_next(sf_session *session, size_t most, uint64_t *positions, size_t *count);
SF_API
bool sf_session_waits(const sf_session *session);
/* Points that are still to be handed out, at most; with refine as far as is known. */
SF_API
uint64_t sf_session_left(const sf_session *session);
/* Results of a block, as sf_sweep_compute made them. */
SF_API
sf_status sf_session_store(sf_session *session, size_t size, const void *bytes);
/* Commits and closes, and notes how it went: SF_OK, SF_ERR_CANCELLED, or the error that ended it. The counts may be
 * NULL. Accepts a pointer to NULL. */
SF_API
sf_status sf_session_close(sf_session **session, sf_status outcome, sf_sweep_counts *counts);

/* Computes points; bytes are allocated by the context's allocator and released by sf_sweep_release. */
SF_API
sf_status sf_sweep_compute(sf_sweep *sweep, size_t count, const uint64_t *positions, size_t *size,
                           void **bytes);
SF_API
void sf_sweep_release(sf_sweep *sweep, void **bytes);

/* ---- reading a result file ------------------------------------------------------------------------------ */

typedef enum sf_cell_kind { SF_CELL_NULL, SF_CELL_REAL, SF_CELL_INTEGER, SF_CELL_TEXT } sf_cell_kind;

typedef struct sf_cell {
    sf_cell_kind kind;
    double real; /* also of an integer; NaN otherwise */
    int64_t integer;
    const char *text; /* UTF-8 */
} sf_cell;

typedef struct sf_store sf_store;

/* Opens a result file for reading; a sweep may be writing to it. Errors: SF_ERR_IO, SF_ERR_DATA. */
SF_API
sf_status sf_store_open(sf_context *context, const char *path, sf_store **out);
SF_API
void sf_store_close(sf_store **store);

/* The axes of the grid that was run last. */
typedef struct sf_store_axis {
    const char *name; /* of its column */
    const char *key;  /* of the setting */
    size_t factor;    /* axes of one factor advance together; the grid is the product of the factors */
    size_t count;     /* values as written, before refinement */
    const sf_cell *values;
} sf_store_axis;
SF_API
size_t sf_store_axes(const sf_store *store);
SF_API
const sf_store_axis *sf_store_get_axis(const sf_store *store, size_t index);
/* True if every axis is a factor of its own and nothing is refined: rows fill an array of the axes' counts. */
SF_API
bool sf_store_product(const sf_store *store);
/* How often refinement halves a cell, at most; 0: the grid is as written. */
SF_API
int sf_store_levels(const sf_store *store);
/* The resolved experiment of the first point, as JSON. */
SF_API
const char *sf_store_experiment(const sf_store *store);

typedef enum sf_column_role { SF_COLUMN_BOOKKEEPING, SF_COLUMN_SETTING, SF_COLUMN_OBSERVABLE } sf_column_role;
typedef struct sf_store_column {
    const char *name;
    sf_column_role role;
    sf_cell_kind kind; /* REAL, INTEGER or TEXT; of a setting REAL if all its values are numbers */
} sf_store_column;
/* Columns of the view `result`: position, status, reason, outcome, then settings, then observables. */
SF_API
size_t sf_store_columns(const sf_store *store);
SF_API
const sf_store_column *sf_store_get_column(const sf_store *store, size_t index);

typedef struct sf_cursor sf_cursor;
/* Rows of the last grid in order of position, with these columns (names). predicted_regime and predicted_limit_kind
 * are found by theory where they are not in the file; they are NULL where theory has no answer. Errors: SF_ERR_USAGE (no such column;
 * the message lists them), SF_ERR_IO. */
SF_API
sf_status sf_store_select(sf_store *store, size_t count, const char *const *columns, sf_cursor **out);
/* The next row into cells (count); *more is false past the last one. Texts are valid until the next call. */
SF_API
sf_status sf_cursor_next(sf_cursor *cursor, sf_cell *cells, bool *more);
SF_API
void sf_cursor_close(sf_cursor **cursor);

/* All rows of the last grid at once, for columns in memory. */
SF_API
sf_status sf_store_rows(sf_store *store, uint64_t *rows);
/* Into values[c] (room numbers each) the column columns[c], in order of position; *rows: how many there are. A number that is
 * missing is NaN. A text is the number that it has in sf_store_texts, NaN where there is none; -1 once a column has shown
 * SF_STORE_TEXTS different ones. Errors: those of sf_store_select, and SF_ERR_ARGUMENT if there are more rows than room. */
#define SF_STORE_TEXTS 1024
SF_API
sf_status sf_store_read(sf_store *store, size_t count, const char *const *columns, size_t room,
                        double *const *values, size_t *rows);
/* The texts of column c of the last sf_store_read, in order of appearance; owned by the store, until the next. */
SF_API
const char *const *sf_store_texts(const sf_store *store, size_t c, size_t *count);

typedef struct sf_store_status {
    uint64_t points, done, failed; /* of the last grid (points: known so far where it is refined) */
    bool running;                  /* a process is writing now */
    int64_t process;               /* its number; -1 if none */
    double rate, seconds_left;     /* points a second since it began; NaN if nothing runs */
    double started, updated;       /* seconds since 1970, of the last run */
    const char *state; /* of the last run: running, finished, waiting (for other shards), interrupted, failed,
                          lost */
} sf_store_status;
SF_API
sf_status sf_store_get_status(sf_store *store, sf_store_status *status);

/* Writes the rows of the last grid by the ending of path: .csv, .h5 (dimension scales where the grid is a product
 * and complete, else one dimension `point`). The file appears under its name only when complete. Errors:
 * SF_ERR_USAGE (ending), SF_ERR_IO, SF_ERR_UNAVAILABLE (.parquet; .h5 when built without HDF5). */
SF_API
sf_status sf_store_export(sf_store *store, const char *path);

/* Adds what the files of count shards hold to the result file at path (created if absent). Points in several files
 * are taken once; a finished one comes before a failed one. */
SF_API
sf_status sf_store_merge(sf_context *context, const char *path, size_t count, const char *const *inputs);

#ifdef __cplusplus
}
#endif
#endif
