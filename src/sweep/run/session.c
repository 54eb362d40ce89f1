/* A run of a sweep with its result file: hands out what is not finished, and stores what comes back.
 *
 * All changes of a moment go into one transaction. It is committed when the last commit lies 25 times as long back as
 * that took, and at least every second (or commit_seconds): committing costs a few percent, and a kill loses at most
 * the points of that time, which are then computed again. A point, its membership and the counts of the session are
 * in one transaction: the file is right at every commit.
 */
#include "sweep/run/session.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "sweep/grid/refine.h"
#include "sweep/run/clock.h"
#include "sweep/store/writer.h"

#define COMMIT_SHARE 25.0

struct sf_session {
    sf_context *context;
    sf_sweep *sweep;
    sf_database *database;
    sf_ledger ledger;
    sf_sweep_options options;
    sf_writer writer;
    int64_t id; // its number in the file
    sqlite3_stmt *progress, *value;
    uint64_t next;             // number of the next written point to consider
    sf_refinement *refinement; // NULL: the grid as written; else its points in lists, one after another
    const uint64_t *list;
    size_t list_count, list_at;
    bool refined;                 // no list is left
    uint64_t outstanding;         // points handed out whose results are not there yet
    sf_database *from;            // the merged results of earlier rounds, NULL: none
    sf_ledger known;              // ... what they hold
    sf_sweep_counts counts, kept; // now, and as committed
    bool open;                    // in a transaction
    double committed, cost;       // when, and how long the last commit took
    double interval;              // the longest time between two
    const char *state;
};

/* ---- beginning ------------------------------------------------------------------------------------------ */

static sf_status add_session(sf_session *session)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    sqlite3_stmt *insert;
    SF_TRY(sf_database_prepare(
        session->database, &insert,
        "INSERT INTO session(grid, state, started, updated, host, process, threads, shard, build,"
        " points, finished, reused, computed, failed) VALUES(%lld, 'running', ?1, ?1, %Q, %lld,"
        " %d, %Q, %Q, 0, 0, 0, 0, 0)",
        (long long)session->writer.grid, host, (long long)getpid(), session->options.threads, "",
        sf_build_info()));
    sqlite3_bind_double(insert, 1, sf_calendar());
    sf_status status = sf_database_step(session->database, insert);
    sqlite3_finalize(insert);
    session->id = sqlite3_last_insert_rowid(session->database->handle);
    if (status == SF_OK && session->options.shards > 1)
        status =
            sf_database_execute(session->database, "UPDATE session SET shard = '%llu/%llu' WHERE id = %lld",
                                (unsigned long long)session->options.shard,
                                (unsigned long long)session->options.shards, (long long)session->id);
    return status;
}

static sf_status prepare_progress(sf_session *session)
{
    return sf_database_prepare(
        session->database, &session->progress,
        "UPDATE session SET state = ?1, updated = ?2, points = ?3, finished = ?4, reused = ?5,"
        " computed = ?6, failed = ?7 WHERE id = %lld",
        (long long)session->id);
}

static uint64_t shard_points(const sf_session *session)
{
    uint64_t points = session->sweep->grid->points, shards = session->options.shards;
    return shards < 2 ? points : (points + shards - session->options.shard) / shards;
}

static sf_status open_from(sf_session *session)
{
    SF_TRY(sf_database_open(session->context, session->options.from, false, false, &session->from));
    return sf_ledger_open(session->sweep, session->from, session->options.retry_failed, &session->known);
}

/* Files of a samflow that made identities in another way: their points stay, and are not found. */
static sf_status note_identity(sf_session *session)
{
    sf_database *database = session->database;
    int64_t same = 0, points = 0;
    SF_TRY(sf_database_integer(database, &same, NULL,
                               "SELECT count(*) FROM file WHERE key = 'identity' AND value = %Q",
                               SF_IDENTITY_FORMAT));
    SF_TRY(sf_database_integer(database, &points, NULL, "SELECT count(*) FROM point"));
    if (same > 0)
        return SF_OK;
    if (points > 0)
        sf_log(session->context, SF_LOG_WARNING,
               "event=identity file=\"%s\" points=%lld message=\"written by another version of samflow: "
               "these points "
               "are kept, and computed anew where this sweep needs them\"",
               database->path, (long long)points);
    return sf_database_execute(database, "INSERT OR REPLACE INTO file VALUES('identity', %Q)",
                               SF_IDENTITY_FORMAT);
}

static sf_status open_session(sf_session *session, const char *path)
{
    const sf_sweep *sweep = session->sweep;
    SF_TRY(sf_database_open(session->context, path, true, session->options.rollback_journal,
                            &session->database));
    SF_TRY(sf_database_execute(session->database, "BEGIN IMMEDIATE"));
    session->open = true;
    SF_TRY(note_identity(session));
    SF_TRY(
        sf_ledger_open(session->sweep, session->database, session->options.retry_failed, &session->ledger));
    if (!sweep->distinct || session->ledger.foreign)
        SF_TRY(sf_database_index(session->database));
    SF_TRY(sf_writer_open(sweep, session->database, &session->ledger, &session->writer));
    SF_TRY(add_session(session));
    SF_TRY(prepare_progress(session));
    session->counts.failed = session->ledger.failed;
    session->counts.points = sweep->grid->refine.levels > 0 ? 0 : shard_points(session);
    if (sweep->grid->refine.levels > 0)
        SF_TRY(sf_refinement_create(session->sweep, &session->refinement));
    if (session->options.from && session->refinement)
        SF_TRY(open_from(session));
    return sf_session_commit(session);
}

sf_status sf_session_open(sf_sweep *sweep, const char *path, const sf_sweep_options *options,
                          sf_session **out)
{
    *out = NULL;
    sf_session *session = SF_NEW(sweep->context, sf_session);
    if (!session)
        return SF_ERR_MEMORY;
    *session =
        (sf_session){.context = sweep->context, .sweep = sweep, .options = *options, .state = "running"};
    session->interval = options->commit_seconds > 0.0 ? options->commit_seconds : 1.0;
    sf_status status = open_session(session, path);
    if (status != SF_OK) {
        if (session->open)
            sqlite3_exec(session->database->handle, "ROLLBACK", NULL, NULL, NULL);
        session->open = false;
        sf_session_close(&session, status, NULL);
    }
    *out = session;
    return status;
}

/* ---- handing out ---------------------------------------------------------------------------------------- */

/* The next number of the grid as written that this run is responsible for and that is no finished member. */
static bool next_written(sf_session *session, uint64_t *position)
{
    while (session->next < session->sweep->grid->points) {
        uint64_t n = session->next++;
        if (!sf_is_mine(&session->options, n))
            continue;
        if (!(session->ledger.done[n / 8] >> (n % 8) & 1u)) {
            *position = n;
            return true;
        }
        session->counts.finished++;
    }
    return false;
}

static sf_status is_known(sf_ledger *ledger, uint64_t position, bool *is)
{
    sf_known known;
    int64_t point;
    bool failed;
    SF_TRY(sf_ledger_look(ledger, position, &known, &point, &failed));
    *is = known == SF_KNOWN_FINISHED;
    return SF_OK;
}

/* Of the lists of refinement, those of this shard. What neither this file nor that of the earlier rounds holds of the
 * other shards' points is awaited. */
static sf_status next_of_list(sf_session *session, uint64_t *position, bool *found)
{
    for (*found = false; !*found && session->list_at < session->list_count;) {
        uint64_t number = session->list_at++;
        bool known = false;
        *position = session->list[number];
        if (session->from)
            SF_TRY(is_known(&session->known, *position, &known));
        if (!known && !sf_is_mine(&session->options, number)) {
            SF_TRY(is_known(&session->ledger, *position, &known));
            session->counts.awaited += !known;
            continue;
        }
        session->counts.points += !known;
        *found = !known;
    }
    return SF_OK;
}

bool sf_session_waits(const sf_session *session)
{
    return session->refinement && !session->refined && session->counts.awaited == 0;
}

/* Of a member; else of a point of the earlier rounds. */
static sf_status value_of(void *argument, uint64_t position, sf_cell *cell)
{
    sf_session *session = argument;
    if (!session->value)
        SF_TRY(sf_database_prepare(session->database, &session->value,
                                   "SELECT p.\"%w\", p.status = 'done' FROM member m JOIN point p ON p.id = "
                                   "m.point WHERE m.grid = %lld AND"
                                   " m.position = ?1",
                                   session->sweep->grid->refine.by, (long long)session->writer.grid));
    sqlite3_reset(session->value);
    sqlite3_bind_int64(session->value, 1, (sqlite3_int64)position);
    int code = sqlite3_step(session->value);
    *cell = (sf_cell){.kind = SF_CELL_NULL, .real = NAN};
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return sf_database_fail(session->database, code, "reading");
    if (code == SQLITE_ROW && sqlite3_column_int(session->value, 1))
        *cell = sf_column_cell(session->value, 0);
    if (code == SQLITE_ROW || !session->from)
        return SF_OK;
    sf_known known;
    int64_t point;
    bool failed;
    SF_TRY(sf_ledger_look(&session->known, position, &known, &point, &failed));
    return sf_ledger_value(&session->known, point, cell);
}

static sf_status next_refined(sf_session *session, uint64_t *position, bool *found)
{
    SF_TRY(next_of_list(session, position, found));
    while (!*found && sf_session_waits(session) && session->outstanding == 0) {
        SF_TRY(
            sf_refinement_next(session->refinement, value_of, session, &session->list, &session->list_count));
        session->list_at = 0;
        session->refined = session->list_count == 0;
        SF_TRY(next_of_list(session, position, found));
    }
    return SF_OK;
}

/* The next position that this run is responsible for. */
static sf_status next_position(sf_session *session, uint64_t *position, bool *found)
{
    if (session->refinement)
        return next_refined(session, position, found);
    *found = next_written(session, position);
    return SF_OK;
}

uint64_t sf_session_left(const sf_session *session)
{
    return session->refinement ? session->list_count - session->list_at
                               : session->sweep->grid->points - session->next;
}

static sf_status begin(sf_session *session)
{
    if (session->open)
        return SF_OK;
    SF_TRY(sf_database_execute(session->database, "BEGIN IMMEDIATE"));
    session->open = true;
    return SF_OK;
}

sf_status sf_session_next(sf_session *session, size_t most, uint64_t *positions, size_t *count)
{
    *count = 0;
    while (*count < most) {
        uint64_t position;
        sf_known known;
        int64_t point;
        bool found, failed, added;
        SF_TRY(next_position(session, &position, &found));
        if (!found)
            break;
        SF_TRY(sf_ledger_look(&session->ledger, position, &known, &point, &failed));
        if (known != SF_KNOWN_FINISHED) {
            positions[(*count)++] = position;
            session->outstanding++;
            continue;
        }
        SF_TRY(begin(session));
        SF_TRY(sf_writer_link(&session->writer, position, point, &added));
        session->counts.failed += failed;
        if (added)
            session->counts.reused++;
        else
            session->counts.finished++;
        if (sf_cancelled(session->context))
            return sf_fail(session->context, SF_ERR_CANCELLED, "interrupted");
    }
    return SF_OK;
}

/* ---- storing -------------------------------------------------------------------------------------------- */

/* What was counted since the last commit is not in the file. */
static sf_status roll_back(sf_session *session, sf_status status)
{
    if (session->open)
        sqlite3_exec(session->database->handle, "ROLLBACK", NULL, NULL, NULL);
    session->open = false;
    session->counts = session->kept;
    return status;
}

static sf_status store_rows(sf_session *session, size_t size, const void *bytes)
{
    sf_row rows[SF_WRITER_ROWS];
    size_t columns = session->sweep->measure->column_count, count;
    for (size_t at = 0; at < size;) {
        for (count = 0; count < SF_WRITER_ROWS && at < size; count++) {
            rows[count].cells = session->writer.cells + count * columns;
            if (!sf_rows_read(bytes, size, &at, &rows[count], columns))
                return sf_fail(session->context, SF_ERR_INTERNAL, "results of a block are malformed");
        }
        SF_TRY(sf_writer_store(&session->writer, count, rows));
        for (size_t n = 0; n < count; n++) {
            session->counts.computed++;
            session->outstanding -= session->outstanding > 0;
            session->counts.failed += rows[n].failed;
            if (rows[n].failed && session->options.failed)
                session->options.failed(rows[n].position, rows[n].reason, session->options.user);
        }
    }
    return SF_OK;
}

/* A block is stored as a whole or not at all; those before it are not touched. */
sf_status sf_session_store(sf_session *session, size_t size, const void *bytes)
{
    sf_sweep_counts before = session->counts;
    SF_TRY(begin(session));
    SF_TRY(sf_database_execute(session->database, "SAVEPOINT block"));
    sf_status status = store_rows(session, size, bytes);
    if (status != SF_OK) {
        session->counts = before;
        int code = sqlite3_exec(session->database->handle, "ROLLBACK TO block", NULL, NULL, NULL);
        return code == SQLITE_OK ? status : roll_back(session, status); // SQLite may have rolled back all
    }
    SF_TRY(sf_database_execute(session->database, "RELEASE block"));
    double wait = fmin(session->interval, COMMIT_SHARE * session->cost);
    return sf_clock() - session->committed >= wait ? sf_session_commit(session) : SF_OK;
}

sf_status sf_session_commit(sf_session *session)
{
    double start = sf_clock();
    SF_TRY(begin(session));
    if (session->value)
        sqlite3_reset(session->value); // a read in progress would keep the log from being checkpointed
    const sf_sweep_counts *counts = &session->counts;
    if (session->progress) {
        const uint64_t number[] = {counts->points, counts->finished, counts->reused, counts->computed,
                                   counts->failed};
        sqlite3_bind_text(session->progress, 1, session->state, -1, SQLITE_STATIC);
        sqlite3_bind_double(session->progress, 2, sf_calendar());
        for (int i = 0; i < 5; i++)
            sqlite3_bind_int64(session->progress, 3 + i, (sqlite3_int64)number[i]);
        sf_status status = sf_database_step(session->database, session->progress);
        if (status != SF_OK)
            return roll_back(session, status);
    }
    int code = sqlite3_exec(session->database->handle, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return roll_back(session, sf_database_fail(session->database, code, "writing"));
    session->open = false;
    session->kept = session->counts;
    session->committed = sf_clock();
    session->cost = session->committed - start;
    return SF_OK;
}

const sf_sweep_counts *sf_session_counts(const sf_session *session)
{
    return &session->counts;
}

/* All is there; who stops it here gets the index with the next run. Sorting by pieces that fit a cache of the processor takes
 * half the time, for which SQLite needs temporary files. */
static sf_status make_index(sf_session *session)
{
    sf_database_heed(session->database, true);
    SF_TRY(sf_database_execute(session->database, "PRAGMA temp_store=FILE; PRAGMA cache_size=-2000"));
    sf_status status = sf_database_index(session->database);
    if (status == SF_ERR_IO && !sf_cancelled(session->context)) { // no place for them
        SF_TRY(sf_database_execute(session->database, "PRAGMA temp_store=MEMORY"));
        status = sf_database_index(session->database);
    }
    sf_database_heed(session->database, false);
    return sf_cancelled(session->context) ? SF_OK : status;
}

sf_status sf_session_close(sf_session **session, sf_status outcome, sf_sweep_counts *counts)
{
    if (!session || !*session)
        return SF_OK;
    sf_session *s = *session;
    sf_status status = SF_OK;
    s->state = outcome == SF_ERR_CANCELLED ? "interrupted"
               : outcome != SF_OK          ? "failed"
               : s->counts.awaited > 0     ? "waiting"
                                           : "finished";
    if (s->progress) // it was opened
        status = sf_session_commit(s);
    if (s->progress && status == SF_OK && outcome == SF_OK)
        status = make_index(s);
    if (counts)
        *counts = s->counts;
    sf_writer_close(&s->writer);
    sqlite3_finalize(s->progress);
    sqlite3_finalize(s->value);
    sf_refinement_destroy(&s->refinement);
    sf_ledger_close(&s->known);
    sf_database_close(&s->from);
    sf_ledger_close(&s->ledger);
    sf_database_close(&s->database);
    sf_free(s->context, s);
    *session = NULL;
    return status;
}
