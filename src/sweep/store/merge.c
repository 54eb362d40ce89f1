/* Several result files into one. Each input is attached and taken over in one transaction: the output holds all of it
 * or nothing. Points are the same if their hashes are; grids likewise; numbers of points, grids and sets of observables
 * are those of the output. */
#include <string.h>
#include <sys/stat.h>

#include "sweep/store/columns.h"
#include "sweep/store/store.h"

static sf_status copy_columns(sf_database *database)
{
    sqlite3_stmt *names;
    SF_TRY(sf_database_prepare(database, &names,
                               "SELECT s.name, s.key FROM pragma_table_info('point', 'input') t"
                               " JOIN input.setting s ON s.name = t.name ORDER BY t.cid"));
    sf_status status = SF_OK;
    while (status == SF_OK && sqlite3_step(names) == SQLITE_ROW)
        status = sf_columns_add(database, (const char *)sqlite3_column_text(names, 0),
                                (const char *)sqlite3_column_text(names, 1));
    sqlite3_finalize(names);
    SF_TRY(status);
    SF_TRY(sf_database_prepare(
        database, &names,
        "SELECT name, type FROM pragma_table_info('point', 'input') WHERE cid >= 7 AND name NOT IN"
        " (SELECT name FROM input.setting)"));
    while (status == SF_OK && sqlite3_step(names) == SQLITE_ROW)
        status = sf_database_add_column(database, (const char *)sqlite3_column_text(names, 0),
                                        (const char *)sqlite3_column_text(names, 1));
    sqlite3_finalize(names);
    return status;
}

/* The columns of the input beyond the first seven: as a list, with a prefix, and as assignments. */
static sf_status list_columns(sf_database *database, char **list, char **update)
{
    sqlite3_stmt *names;
    SF_TRY(sf_database_prepare(database, &names,
                               "SELECT name FROM pragma_table_info('point', 'input') WHERE cid >= 7"));
    sqlite3_str *a = sqlite3_str_new(NULL), *b = sqlite3_str_new(NULL);
    while (sqlite3_step(names) == SQLITE_ROW) {
        const unsigned char *name = sqlite3_column_text(names, 0);
        sqlite3_str_appendf(a, ", \"%w\"", name);
        sqlite3_str_appendf(b, ", \"%w\" = ifnull(i.\"%w\", point.\"%w\")", name, name, name);
    }
    sqlite3_finalize(names);
    *list = sqlite3_str_finish(a);
    *update = sqlite3_str_finish(b);
    return SF_OK; // no column at all gives NULL, printed as nothing
}

static sf_status copy_tables(sf_database *database)
{
    return sf_database_execute(
        database,
        "INSERT OR IGNORE INTO main.observed(observables) SELECT observables FROM input.observed ORDER BY id;"
        "CREATE TEMP TABLE axes_wanted AS SELECT i.id AS old FROM input.grid i WHERE i.hash NOT IN (SELECT "
        "hash FROM"
        " main.grid);"
        "INSERT OR IGNORE INTO main.grid(hash, version, name, text, settings, points, levels, created)"
        " SELECT hash, version, name, text, settings, points, levels, created FROM input.grid ORDER BY id;"
        "INSERT INTO main.axis SELECT g.id, a.number, a.key, a.name, a.factor, a.count, a.geometric FROM "
        "input.axis a"
        " JOIN axes_wanted w ON w.old = a.grid JOIN input.grid i ON i.id = a.grid JOIN main.grid g ON g.hash "
        "= i.hash;"
        "DROP TABLE axes_wanted");
}

/* Sets of observables that points of both files would have together. */
static sf_status unite_sets(sf_database *database)
{
    return sf_database_execute(
        database,
        "CREATE TEMP TABLE both AS SELECT DISTINCT p.observed AS mine, i.observed AS theirs, NULL AS united "
        "FROM main.point p"
        " JOIN input.point i ON i.hash = p.hash WHERE p.status = 'done' AND i.status = 'done';"
        "UPDATE temp.both SET united = (SELECT json_group_array(value) FROM (SELECT value FROM main.observed "
        "o,"
        " json_each(o.observables) WHERE o.id = mine UNION SELECT value FROM input.observed o,"
        " json_each(o.observables) WHERE o.id = theirs));"
        "UPDATE temp.both SET united = (SELECT observables FROM main.observed WHERE id = mine) WHERE"
        " (SELECT count(*) FROM json_each(united)) = (SELECT count(*) FROM main.observed o,"
        " json_each(o.observables) WHERE o.id = mine);"
        "INSERT OR IGNORE INTO main.observed(observables) SELECT united FROM temp.both");
}

static sf_status copy_points(sf_database *database, const char *list, const char *update)
{
    static const char set_of[] =
        "(SELECT o.id FROM main.observed o JOIN input.observed x ON x.observables = o.observables"
        " WHERE x.id = i.observed)";
    static const char grid_of[] =
        "(SELECT g.id FROM main.grid g JOIN input.grid x ON x.hash = g.hash WHERE x.id = i.grid)";
    SF_TRY(unite_sets(database));
    SF_TRY(
        sf_database_execute(database,
                            "UPDATE main.point SET status = i.status, reason = i.reason, outcome = i.outcome,"
                            " observed = %s%s FROM input.point i WHERE i.hash = point.hash AND"
                            " point.status = 'failed' AND i.status = 'done'",
                            set_of, update));
    SF_TRY(sf_database_execute(
        database,
        "UPDATE main.point SET observed = (SELECT o.id FROM temp.both b JOIN main.observed o ON"
        " o.observables = b.united WHERE b.mine = point.observed AND b.theirs = i.observed)%s"
        " FROM input.point i WHERE i.hash = point.hash AND point.status = 'done' AND"
        " i.status = 'done'",
        update));
    SF_TRY(sf_database_execute(
        database,
        "INSERT OR IGNORE INTO main.point(hash, grid, status, reason, outcome, observed%s)"
        " SELECT hash, %s, status, reason, outcome, %s%s FROM input.point i ORDER BY id",
        list, grid_of, set_of, list));
    return sf_database_execute(
        database, "DROP TABLE temp.both;"
                  "INSERT OR IGNORE INTO main.member SELECT g.id, m.position, p.id FROM input.member m"
                  " JOIN input.grid x ON x.id = m.grid JOIN main.grid g ON g.hash = x.hash"
                  " JOIN input.point q ON q.id = m.point JOIN main.point p ON p.hash = q.hash");
}

/* One session for the merge, of the grid that the input ran last. */
static sf_status note_session(sf_database *database)
{
    return sf_database_execute(
        database,
        "INSERT INTO main.session(grid, state, started, updated, host, process, threads, shard, build, "
        "points, finished,"
        " reused, computed, failed) SELECT g.id, CASE WHEN g.levels > 0 THEN s.state WHEN g.points ="
        " (SELECT count(*) FROM main.member m WHERE m.grid = g.id) THEN 'finished' ELSE 'interrupted' END, "
        "s.started, s.updated, s.host, "
        "s.process,"
        " s.threads, 'merge', s.build, max(g.points, (SELECT count(*) FROM main.member m WHERE m.grid = "
        "g.id)),"
        " (SELECT count(*) FROM main.member m WHERE m.grid = g.id), 0, 0, (SELECT count(*) FROM main.member "
        "m JOIN"
        " main.point p ON p.id = m.point WHERE m.grid = g.id AND p.status = 'failed') FROM input.session s"
        " JOIN input.grid x ON x.id = s.grid JOIN main.grid g ON g.hash = x.hash ORDER BY s.id DESC LIMIT 1");
}

static sf_status take_over(sf_database *database)
{
    char *list = NULL, *update = NULL;
    sf_status status = copy_columns(database);
    if (status == SF_OK)
        status = copy_tables(database);
    if (status == SF_OK)
        status = list_columns(database, &list, &update);
    if (status == SF_OK)
        status = copy_points(database, list ? list : "", update ? update : "");
    if (status == SF_OK)
        status = note_session(database);
    if (status == SF_OK)
        status = sf_columns_reconcile(database);
    if (status == SF_OK)
        status = sf_database_view(database);
    sqlite3_free(list);
    sqlite3_free(update);
    return status;
}

/* Read-only, by a URI: whatever a statement says, the input stays as it is. */
static sf_status attach(sf_database *database, const char *input)
{
    sqlite3_str *uri = sqlite3_str_new(NULL);
    sqlite3_str_appendall(uri, "file:");
    for (const char *c = input; *c; c++)
        sqlite3_str_appendf(uri, strchr("%?#", *c) ? "%%%02X" : "%c", (unsigned char)*c);
    sqlite3_str_appendall(uri, "?mode=ro");
    char *text = sqlite3_str_finish(uri);
    sf_status status = text ? sf_database_execute(database, "ATTACH %Q AS input", text)
                            : sf_database_fail(database, SQLITE_NOMEM, "reading");
    sqlite3_free(text);
    return status;
}

static sf_status merge_one(sf_database *database, const char *input)
{
    SF_TRY(attach(database, input));
    sf_status status = sf_database_execute(database, "BEGIN IMMEDIATE");
    if (status == SF_OK) {
        status = take_over(database);
        if (status == SF_OK)
            status = sf_database_execute(database, "COMMIT");
        else
            sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
    }
    sqlite3_exec(database->handle, "DETACH input", NULL, NULL, NULL);
    return status;
}

/* By name, or the same file by another name. */
static bool same_file(const char *a, const char *b)
{
    struct stat one, two;
    return strcmp(a, b) == 0 ||
           (stat(a, &one) == 0 && stat(b, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino);
}

sf_status sf_store_merge(sf_context *context, const char *path, size_t count, const char *const *inputs)
{
    sf_database *database;
    for (size_t i = 0; i < count; i++) { // all are result files, before anything is written
        if (same_file(inputs[i], path))
            return sf_fail(context, SF_ERR_USAGE, "'%s' is both output and input", path);
        SF_TRY(sf_database_open(context, inputs[i], false, false, &database));
        sf_database_close(&database);
    }
    SF_TRY(sf_database_open(context, path, true, false, &database));
    sf_status status = sf_database_index(database);
    for (size_t i = 0; i < count && status == SF_OK; i++) {
        sf_progress(context, (double)i / (double)count, inputs[i]);
        sf_database_heed(database, true);
        status = merge_one(database, inputs[i]);
        sf_database_heed(database, false);
        if (status == SF_ERR_CANCELLED || (status == SF_OK && sf_cancelled(context)))
            status = sf_fail(context, SF_ERR_CANCELLED,
                             "interrupted after %zu of %zu files; the same command goes on",
                             i + (status == SF_OK), count);
    }
    sf_progress(context, 1.0, NULL);
    sf_database_close(&database);
    return status;
}
