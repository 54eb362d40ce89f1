/* The writer of a result file: hands out what is not finished, and stores what comes back.
 *
 * All changes of a moment go into one transaction. It is committed when the last commit lies 25 times as long back as
 * that took, and at least every second (or commit_seconds): committing costs a few percent, and a kill loses at most
 * the points of that time, which are then computed again. A point, its membership and the counts of the session are
 * in one transaction: the file is right at every commit.
 */
#include "sweep/session.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "sweep/clock.h"
#include "sweep/columns.h"
#include "sweep/ledger.h"
#include "sweep/refine.h"

#define COMMIT_SHARE 25.0

typedef struct setting_source {
    size_t axis;  // SIZE_MAX: the same for all points
    sf_cell cell; // ... this
    char *text;
} setting_source;

struct sf_session {
    sf_context *context;
    sf_sweep *sweep;
    sf_database *database;
    sf_ledger ledger;
    sf_sweep_options options;
    int64_t grid, id, observed;
    setting_source *settings;
    size_t setting_count;
    sqlite3_stmt *insert, *update, *link, *progress, *value;
    uint64_t next;             // number of the next written point to consider
    sf_refinement *refinement; // NULL: the grid as written; else its points in lists, one after another
    const uint64_t *list;
    size_t list_count, list_at;
    bool refined;         // no list is left
    uint64_t outstanding; // points handed out whose results are not there yet
    sf_database *from;    // the merged results of earlier rounds, NULL: none
    sf_ledger known;      // ... what they hold
    sf_sweep_counts counts;
    bool open;              // in a transaction
    double committed, cost; // when, and how long the last commit took
    double interval;        // the longest time between two
    sf_cell *cells;         // (observables), of the row being stored
    grid_value *values;     // (axes)
    const char *state;
};

/* ---- setting up: the grid's row, its columns ------------------------------------------------------------ */

static sf_status add_axes(sf_session *session)
{
    sqlite3_stmt *insert;
    const sf_grid *grid = session->sweep->grid;
    SF_TRY(sf_database_prepare(session->database, &insert,
                               "INSERT INTO axis VALUES(%lld, ?1, ?2, ?3, ?4, ?5, ?6)",
                               (long long)session->grid));
    sf_status status = SF_OK;
    for (size_t i = 0; i < grid->axis_count && status == SF_OK; i++) {
        const grid_axis *axis = &grid->axes[i];
        sqlite3_bind_int64(insert, 1, (sqlite3_int64)i);
        sqlite3_bind_text(insert, 2, axis->key, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 3, axis->column, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 4, (sqlite3_int64)axis->group);
        sqlite3_bind_int64(insert, 5, (sqlite3_int64)axis->count);
        sqlite3_bind_int(insert, 6, axis->geometric);
        status = sf_database_step(session->database, insert);
    }
    sqlite3_finalize(insert);
    return status;
}

static sf_status add_grid(sf_session *session)
{
    const sf_sweep *sweep = session->sweep;
    sqlite3_stmt *insert;
    SF_TRY(sf_database_prepare(
        session->database, &insert,
        "INSERT INTO grid(hash, version, name, text, settings, points, levels, created)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ', 'now'))"));
    sqlite3_bind_blob(insert, 1, sweep->identity.bytes, sizeof sweep->identity.bytes, SQLITE_STATIC);
    sqlite3_bind_text(insert, 2, sf_version(), -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 3, sweep->grid->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 4, sweep->grid->text, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 5, sweep->settings, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 6, (sqlite3_int64)sweep->grid->points);
    sqlite3_bind_int(insert, 7, sweep->grid->refine.levels);
    sf_status status = sf_database_step(session->database, insert);
    sqlite3_finalize(insert);
    session->grid = sqlite3_last_insert_rowid(session->database->handle);
    SF_TRY(status);
    return add_axes(session);
}

static sf_status add_observables(sf_session *session)
{
    static const char *const type[] = {"", "REAL", "INTEGER", "TEXT"};
    const sf_measure *measure = session->sweep->measure;
    sqlite3_str *list = sqlite3_str_new(NULL);
    for (size_t i = 0; i < measure->unit_count; i++)
        sqlite3_str_appendf(list, "%s\"%s\"", i ? ", " : "[", measure->units[i]);
    sqlite3_str_appendall(list, "]");
    char *json = sqlite3_str_finish(list);
    if (!json)
        return sf_database_fail(session->database, SQLITE_NOMEM, "writing");
    sf_status status = sf_database_execute(session->database,
                                           "INSERT OR IGNORE INTO observed(observables) VALUES(%Q)", json);
    if (status == SF_OK)
        status = sf_database_integer(session->database, &session->observed, NULL,
                                     "SELECT id FROM observed WHERE observables = %Q", json);
    sqlite3_free(json);
    for (size_t i = 0; i < measure->column_count && status == SF_OK; i++) {
        const sf_measured_column *column = &measure->columns[i];
        int64_t setting = 0;
        status = sf_database_integer(session->database, &setting, NULL,
                                     "SELECT count(*) FROM setting WHERE name = %Q", column->name);
        if (status == SF_OK && setting > 0)
            status = sf_fail(session->context, SF_ERR_CONFIG,
                             "'%s' has a setting in column '%s', the name of an observable",
                             session->database->path, column->name);
        if (status == SF_OK)
            status = sf_database_add_column(session->database, column->name, type[column->kind]);
    }
    return status;
}

/* ---- statements ----------------------------------------------------------------------------------------- */

static sf_status read_settings(sf_session *session)
{
    int64_t count = 0;
    SF_TRY(sf_database_integer(session->database, &count, NULL, "SELECT count(*) FROM setting"));
    session->settings = sf_alloc_zero(session->context, (size_t)count, sizeof *session->settings);
    if (!session->settings)
        return SF_ERR_MEMORY;
    sqlite3_stmt *names;
    SF_TRY(sf_database_prepare(session->database, &names, "SELECT name, key FROM setting ORDER BY name"));
    sf_status status = SF_OK;
    const sf_grid *grid = session->sweep->grid;
    while (status == SF_OK && sqlite3_step(names) == SQLITE_ROW && session->setting_count < (size_t)count) {
        setting_source *source = &session->settings[session->setting_count++];
        const char *key = (const char *)sqlite3_column_text(names, 1);
        source->axis = SIZE_MAX;
        for (size_t i = 0; i < grid->axis_count; i++)
            if (strcmp(grid->axes[i].key, key) == 0)
                source->axis = i;
        if (source->axis == SIZE_MAX)
            status = sf_columns_cell(session->context, session->sweep->settings, key, &source->cell,
                                     &source->text);
    }
    sqlite3_finalize(names);
    return status;
}

/* insert: ?1 hash, ?2 status, ?3 reason, ?4 outcome, ?5 observed, then observables, then settings.
 * update: ?1 number of the point, ?2 .. as before without settings. */
static sf_status prepare_rows(sf_session *session)
{
    const sf_measure *measure = session->sweep->measure;
    sqlite3_str *names = sqlite3_str_new(NULL), *places = sqlite3_str_new(NULL),
                *sets = sqlite3_str_new(NULL);
    for (size_t i = 0; i < measure->column_count; i++) {
        sqlite3_str_appendf(names, ", \"%w\"", measure->columns[i].name);
        sqlite3_str_appendf(places, ", ?%d", (int)i + 6);
        sqlite3_str_appendf(sets, ", \"%w\" = ?%d", measure->columns[i].name, (int)i + 6);
    }
    sqlite3_stmt *settings;
    sf_status status =
        sf_database_prepare(session->database, &settings, "SELECT name FROM setting ORDER BY name");
    for (int k = (int)measure->column_count + 6; status == SF_OK && sqlite3_step(settings) == SQLITE_ROW;
         k++) {
        sqlite3_str_appendf(names, ", \"%w\"", sqlite3_column_text(settings, 0));
        sqlite3_str_appendf(places, ", ?%d", k);
    }
    sqlite3_finalize(settings);
    char *name = sqlite3_str_finish(names), *place = sqlite3_str_finish(places),
         *set = sqlite3_str_finish(sets);
    if (status == SF_OK && (!name || !place || !set))
        status = sf_database_fail(session->database, SQLITE_NOMEM, "writing");
    if (status == SF_OK)
        status = sf_database_prepare(session->database, &session->insert,
                                     "INSERT INTO point(grid, hash, status, reason, outcome, observed%s)"
                                     " VALUES(%lld, ?1, ?2, ?3, ?4, ?5%s)",
                                     name, (long long)session->grid, place);
    if (status == SF_OK)
        status =
            sf_database_prepare(session->database, &session->update,
                                "UPDATE point SET status = ?2, reason = ?3, outcome = ?4, observed = ?5%s"
                                " WHERE id = ?1",
                                set);
    sqlite3_free(name);
    sqlite3_free(place);
    sqlite3_free(set);
    return status;
}

static sf_status prepare_statements(sf_session *session)
{
    SF_TRY(prepare_rows(session));
    SF_TRY(sf_database_prepare(session->database, &session->link,
                               "INSERT OR IGNORE INTO member VALUES(%lld, ?1, ?2)",
                               (long long)session->grid));
    return sf_database_prepare(
        session->database, &session->progress,
        "UPDATE session SET state = ?1, updated = ?2, points = ?3, finished = ?4, reused = ?5,"
        " computed = ?6, failed = ?7 WHERE id = %lld",
        (long long)session->id);
}

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
        (long long)session->grid, host, (long long)getpid(), session->options.threads, "", sf_build_info()));
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

static uint64_t shard_points(const sf_session *session)
{
    uint64_t points = session->sweep->grid->points, shards = session->options.shards;
    return shards < 2 ? points : (points + shards - session->options.shard) / shards;
}

static sf_status set_up(sf_session *session)
{
    session->grid = session->ledger.grid;
    bool known = session->grid >= 0;
    if (!known)
        SF_TRY(add_grid(session));
    for (size_t i = 0; i < session->sweep->grid->axis_count; i++)
        SF_TRY(sf_columns_add(session->database, session->sweep->grid->axes[i].column,
                              session->sweep->grid->axes[i].key));
    SF_TRY(sf_columns_reconcile(session->database));
    SF_TRY(add_observables(session));
    SF_TRY(add_session(session));
    SF_TRY(sf_database_view(session->database));
    SF_TRY(read_settings(session));
    return prepare_statements(session);
}

static sf_status open_from(sf_session *session)
{
    SF_TRY(sf_database_open(session->context, session->options.from, false, false, &session->from));
    return sf_ledger_open(session->sweep, session->from, session->options.retry_failed, &session->known);
}

static sf_status open_session(sf_session *session, const char *path)
{
    const sf_sweep *sweep = session->sweep;
    session->cells = sf_alloc_zero(session->context, sweep->measure->column_count, sizeof *session->cells);
    session->values = sf_alloc_zero(session->context, sweep->grid->axis_count, sizeof *session->values);
    if (!session->cells || !session->values)
        return SF_ERR_MEMORY;
    SF_TRY(sf_database_open(session->context, path, true, session->options.rollback_journal,
                            &session->database));
    SF_TRY(sf_database_execute(session->database, "BEGIN IMMEDIATE"));
    session->open = true;
    SF_TRY(
        sf_ledger_open(session->sweep, session->database, session->options.retry_failed, &session->ledger));
    if (!sweep->distinct || session->ledger.foreign)
        SF_TRY(sf_database_index(session->database));
    SF_TRY(set_up(session));
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

static sf_status value_of(void *argument, uint64_t position, sf_cell *cell);

bool sf_is_mine(const sf_sweep_options *options, uint64_t number)
{
    return options->shards < 2 || number % options->shards == options->shard - 1;
}

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

static sf_status link_member(sf_session *session, uint64_t position, int64_t point, bool *added)
{
    SF_TRY(begin(session));
    sqlite3_bind_int64(session->link, 1, (sqlite3_int64)position);
    sqlite3_bind_int64(session->link, 2, point);
    SF_TRY(sf_database_step(session->database, session->link));
    *added = sqlite3_changes(session->database->handle) > 0;
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
        SF_TRY(link_member(session, position, point, &added));
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

static bool bind_row(sf_session *session, sqlite3_stmt *statement, const sf_row *row, int64_t observed)
{
    sf_cell reason = {.kind = row->reason ? SF_CELL_TEXT : SF_CELL_NULL, .text = row->reason};
    sf_cell outcome = {.kind = row->outcome ? SF_CELL_TEXT : SF_CELL_NULL, .text = row->outcome};
    sf_cell status = {.kind = SF_CELL_TEXT, .text = row->failed ? "failed" : "done"};
    bool good = sf_bind_cell(statement, 2, &status) && sf_bind_cell(statement, 3, &reason) &&
                sf_bind_cell(statement, 4, &outcome) &&
                sqlite3_bind_int64(statement, 5, observed) == SQLITE_OK;
    for (size_t i = 0; i < session->sweep->measure->column_count && good; i++)
        good = sf_bind_cell(statement, (int)i + 6, &row->cells[i]);
    return good;
}

static bool bind_settings(sf_session *session, uint64_t position)
{
    int first = (int)session->sweep->measure->column_count + 6;
    bool good = true;
    sf_grid_values(session->sweep->grid, position, session->values);
    for (size_t i = 0; i < session->setting_count && good; i++) {
        const setting_source *source = &session->settings[i];
        sf_cell cell = source->cell;
        if (source->axis != SIZE_MAX) {
            const grid_value *value = &session->values[source->axis];
            cell = value->text ? (sf_cell){.kind = SF_CELL_TEXT, .text = value->label}
                               : (sf_cell){.kind = SF_CELL_REAL, .real = value->number};
        }
        good = sf_bind_cell(session->insert, first + (int)i, &cell);
    }
    return good;
}

/* The set of observables of a point that had `old` and now has those of this run too. */
static sf_status merged_set(sf_session *session, int64_t old, int64_t *merged)
{
    static const char both[] =
        "(SELECT json_group_array(value) FROM (SELECT value FROM observed o,"
        " json_each(o.observables) WHERE o.id = %lld UNION SELECT value FROM observed o,"
        " json_each(o.observables) WHERE o.id = %lld))";
    char union_of[512];
    snprintf(union_of, sizeof union_of, both, (long long)session->observed, (long long)old);
    SF_TRY(sf_database_execute(session->database, "INSERT OR IGNORE INTO observed(observables) VALUES(%s)",
                               union_of));
    return sf_database_integer(session->database, merged, NULL,
                               "SELECT id FROM observed WHERE observables = %s", union_of);
}

/* A point that is there already gets the new observables and outcome; a failure never replaces a success. */
static sf_status update_point(sf_session *session, const sf_row *row, int64_t point)
{
    int64_t old = 0, merged = session->observed;
    bool done = false;
    SF_TRY(sf_database_integer(session->database, &old, &done,
                               "SELECT observed FROM point WHERE id = %lld AND status = 'done'",
                               (long long)point));
    if (done && row->failed)
        return SF_OK;
    if (done && old != session->observed)
        SF_TRY(merged_set(session, old, &merged));
    sqlite3_bind_int64(session->update, 1, point);
    if (!bind_row(session, session->update, row, merged))
        return sf_database_fail(session->database, SQLITE_NOMEM, "writing");
    return sf_database_step(session->database, session->update);
}

static sf_status insert_point(sf_session *session, const sf_row *row, int64_t *point)
{
    if (sqlite3_bind_blob(session->insert, 1, row->hash.bytes, sizeof row->hash.bytes, SQLITE_STATIC) !=
            SQLITE_OK ||
        !bind_row(session, session->insert, row, session->observed) || !bind_settings(session, row->position))
        return sf_database_fail(session->database, SQLITE_NOMEM, "writing");
    int code = sqlite3_step(session->insert);
    if (code == SQLITE_DONE)
        *point = sqlite3_last_insert_rowid(session->database->handle);
    else if ((code & 0xff) == SQLITE_CONSTRAINT)
        session->ledger.foreign = true; // it is there: look it up
    else
        sf_database_fail(session->database, code, "writing");
    sqlite3_reset(session->insert);
    return code == SQLITE_DONE || (code & 0xff) == SQLITE_CONSTRAINT ? SF_OK : SF_ERR_IO;
}

static sf_status store_row(sf_session *session, const sf_row *row)
{
    int64_t point = 0;
    bool added;
    if (!session->ledger.foreign)
        SF_TRY(insert_point(session, row, &point));
    if (point == 0) {
        sqlite3_stmt *find = session->ledger.by_hash;
        sqlite3_bind_blob(find, 1, row->hash.bytes, sizeof row->hash.bytes, SQLITE_STATIC);
        if (sqlite3_step(find) == SQLITE_ROW)
            point = sqlite3_column_int64(find, 0);
        sqlite3_reset(find);
        if (point != 0)
            SF_TRY(update_point(session, row, point));
        else
            SF_TRY(insert_point(session, row, &point));
    }
    session->counts.computed++;
    session->outstanding -= session->outstanding > 0;
    session->counts.failed += row->failed;
    return link_member(session, row->position, point, &added);
}

static sf_status roll_back(sf_session *session, sf_status status)
{
    if (session->open)
        sqlite3_exec(session->database->handle, "ROLLBACK", NULL, NULL, NULL);
    session->open = false;
    return status;
}

static sf_status store_rows(sf_session *session, size_t size, const void *bytes)
{
    sf_row row = {.cells = session->cells};
    for (size_t at = 0; at < size;) {
        if (!sf_rows_read(bytes, size, &at, &row, session->sweep->measure->column_count))
            return sf_fail(session->context, SF_ERR_INTERNAL, "results of a block are malformed");
        SF_TRY(store_row(session, &row));
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
    session->committed = sf_clock();
    session->cost = session->committed - start;
    return SF_OK;
}

const sf_sweep_counts *sf_session_counts(const sf_session *session)
{
    return &session->counts;
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
    if (counts)
        *counts = s->counts;
    sqlite3_finalize(s->insert);
    sqlite3_finalize(s->update);
    sqlite3_finalize(s->link);
    sqlite3_finalize(s->progress);
    sqlite3_finalize(s->value);
    sf_refinement_destroy(&s->refinement);
    sf_ledger_close(&s->known);
    sf_database_close(&s->from);
    sf_ledger_close(&s->ledger);
    sf_database_close(&s->database);
    for (size_t i = 0; i < s->setting_count; i++)
        sf_free(s->context, s->settings[i].text);
    sf_free(s->context, s->settings);
    sf_free(s->context, s->cells);
    sf_free(s->context, s->values);
    sf_free(s->context, s);
    *session = NULL;
    return status;
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
                                   session->sweep->grid->refine.by, (long long)session->grid));
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
