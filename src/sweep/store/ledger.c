/* What a result file knows of the points of a sweep.
 *
 * Members of the same grid that are finished are read once into a bitmap by position, one sequential scan; every
 * other point is looked up by its hash, which finds what other grids of the file have computed. */
#include "sweep/store/ledger.h"

#include <math.h>
#include <string.h>

#include "sweep/run/worker.h"

/* True if the JSON list of observables holds all units of the measure. Units hold no quotes. */
static bool covers(const sf_measure *measure, const char *list)
{
    for (size_t i = 0; i < measure->unit_count; i++) {
        char quoted[128];
        snprintf(quoted, sizeof quoted, "\"%s\"", measure->units[i]);
        if (!strstr(list, quoted))
            return false;
    }
    return true;
}

static sf_status find_covering(sf_ledger *ledger)
{
    sqlite3_stmt *sets;
    SF_TRY(sf_database_prepare(ledger->database, &sets, "SELECT id, observables FROM observed ORDER BY id"));
    sqlite3_str *list = sqlite3_str_new(NULL);
    int code;
    while ((code = sqlite3_step(sets)) == SQLITE_ROW)
        if (covers(ledger->sweep->measure, (const char *)sqlite3_column_text(sets, 1)))
            sqlite3_str_appendf(list, "%s%lld", sqlite3_str_length(list) ? "," : "",
                                sqlite3_column_int64(sets, 0));
    sqlite3_finalize(sets);
    if (sqlite3_str_length(list) == 0)
        sqlite3_str_appendall(list, "-1");
    ledger->covering = sqlite3_str_finish(list);
    if (code != SQLITE_DONE)
        return sf_database_fail(ledger->database, code, "reading");
    return ledger->covering ? SF_OK : sf_database_fail(ledger->database, SQLITE_NOMEM, "reading");
}

static sf_status read_members(sf_ledger *ledger)
{
    const sf_sweep *sweep = ledger->sweep;
    ledger->done = sf_alloc_zero(sweep->context, (size_t)(sweep->grid->points / 8 + 1), 1);
    if (!ledger->done)
        return SF_ERR_MEMORY;
    if (ledger->grid < 0 || sweep->grid->refine.levels > 0) // a refined grid asks point by point
        return SF_OK;
    sqlite3_stmt *members;
    SF_TRY(sf_database_prepare(
        ledger->database, &members,
        "SELECT m.position, p.status = 'failed' FROM member m JOIN point p ON p.id = m.point"
        " WHERE m.grid = %lld AND (p.status = 'done' AND p.observed IN (%s) OR"
        " p.status = 'failed' AND %d)",
        (long long)ledger->grid, ledger->covering, !ledger->retry_failed));
    int code;
    while ((code = sqlite3_step(members)) == SQLITE_ROW) {
        uint64_t position = (uint64_t)sqlite3_column_int64(members, 0);
        if (position >= sweep->grid->points)
            continue;
        ledger->done[position / 8] |= (unsigned char)(1u << (position % 8));
        ledger->members++;
        ledger->failed += sqlite3_column_int(members, 1) != 0;
    }
    sqlite3_finalize(members);
    return code == SQLITE_DONE ? SF_OK : sf_database_fail(ledger->database, code, "reading");
}

/* A reader that needs the index and finds none makes one for itself. */
static sf_status prepare_lookup(sf_ledger *ledger)
{
    sf_database *database = ledger->database;
    int64_t index = 0;
    SF_TRY(sf_database_integer(database, &index, NULL,
                               "SELECT count(*) FROM sqlite_master WHERE name = 'point_hash'"));
    bool own = index == 0 && ledger->foreign && database->lock < 0;
    if (own)
        SF_TRY(sf_database_execute(
            database, "CREATE TEMP TABLE known AS SELECT hash, id, status, observed FROM main.point;"
                      "CREATE INDEX temp.known_hash ON known(hash)"));
    return sf_database_prepare(database, &ledger->by_hash,
                               "SELECT id, status = 'failed', observed FROM %s WHERE hash = ?1",
                               own ? "temp.known" : "main.point");
}

static sf_status open_ledger(sf_ledger *ledger)
{
    if (!ledger->database) {
        ledger->done =
            sf_alloc_zero(ledger->sweep->context, (size_t)(ledger->sweep->grid->points / 8 + 1), 1);
        return ledger->done ? SF_OK : SF_ERR_MEMORY;
    }
    sqlite3_stmt *grid;
    SF_TRY(sf_database_prepare(ledger->database, &grid, "SELECT id FROM grid WHERE hash = ?1"));
    sqlite3_bind_blob(grid, 1, ledger->sweep->identity.bytes, sizeof ledger->sweep->identity.bytes,
                      SQLITE_STATIC);
    int code = sqlite3_step(grid);
    if (code == SQLITE_ROW)
        ledger->grid = sqlite3_column_int64(grid, 0);
    sqlite3_finalize(grid);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return sf_database_fail(ledger->database, code, "reading");
    SF_TRY(find_covering(ledger));
    SF_TRY(read_members(ledger));
    int64_t points = 0;
    SF_TRY(sf_database_integer(ledger->database, &points, NULL, "SELECT count(*) FROM point"));
    ledger->foreign = (uint64_t)points > ledger->members;
    return prepare_lookup(ledger);
}

sf_status sf_ledger_open(sf_sweep *sweep, sf_database *database, bool retry_failed, sf_ledger *ledger)
{
    *ledger = (sf_ledger){.sweep = sweep, .database = database, .retry_failed = retry_failed, .grid = -1};
    return open_ledger(ledger);
}

void sf_ledger_close(sf_ledger *ledger)
{
    sqlite3_finalize(ledger->by_hash);
    sqlite3_finalize(ledger->value);
    sqlite3_free(ledger->covering);
    if (ledger->sweep)
        sf_free(ledger->sweep->context, ledger->done);
    *ledger = (sf_ledger){0};
}

static bool in_list(const char *list, int64_t number)
{
    char text[32];
    size_t length = (size_t)snprintf(text, sizeof text, "%lld", (long long)number);
    for (const char *at = list; at && (at = strstr(at, text)); at++)
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

sf_status sf_ledger_look(sf_ledger *ledger, uint64_t position, sf_known *known, int64_t *point, bool *failed)
{
    *known = SF_KNOWN_NOT;
    *point = 0;
    *failed = false;
    if (!ledger->database || !ledger->foreign)
        return SF_OK;
    sf_hash hash;
    SF_TRY(sf_sweep_hash(ledger->sweep, position, &hash));
    sqlite3_stmt *statement = ledger->by_hash;
    sqlite3_bind_blob(statement, 1, hash.bytes, sizeof hash.bytes, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *point = sqlite3_column_int64(statement, 0);
        *failed = sqlite3_column_int(statement, 1) != 0;
        bool complete = in_list(ledger->covering, sqlite3_column_int64(statement, 2));
        if (*failed)
            *known = ledger->retry_failed ? SF_KNOWN_FAILED : SF_KNOWN_FINISHED;
        else
            *known = complete ? SF_KNOWN_FINISHED : SF_KNOWN_LACKING;
    }
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SF_OK
                                                     : sf_database_fail(ledger->database, code, "reading");
}

sf_status sf_ledger_value(sf_ledger *ledger, int64_t point, sf_cell *cell)
{
    if (!ledger->value)
        SF_TRY(sf_database_prepare(ledger->database, &ledger->value,
                                   "SELECT \"%w\" FROM main.point WHERE id = ?1 AND status = 'done'",
                                   ledger->sweep->grid->refine.by));
    sqlite3_reset(ledger->value);
    sqlite3_bind_int64(ledger->value, 1, point);
    int code = sqlite3_step(ledger->value);
    *cell = (sf_cell){.kind = SF_CELL_NULL, .real = NAN};
    if (code == SQLITE_ROW)
        *cell = sf_column_cell(ledger->value, 0);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SF_OK
                                                     : sf_database_fail(ledger->database, code, "reading");
}
