/* Whether a database is a result file of samflow, to the last value that is not a result: asked of every file that is
 * opened, since files pass from hand to hand.
 *
 * Tables are those of database.h, with these columns, none of them computed; nothing runs by itself (no trigger); what names,
 * counts and texts are is of the right type, and texts of grids are documents that the parsers may see. Results are
 * looked at as they are read (store.c). Columns of small tables are asked for as they are declared here:
 *   i whole number, n number, t text, b bytes, ? anything.
 */
#include "sweep/store/check.h"

#include <string.h>

#include "settings/document.h"

typedef struct checked_table {
    const char *name, *columns, *types; // types NULL: too many rows
    const char *place;                  // of a row, as SQL
} checked_table;

static const checked_table tables[] = {
    {"file", "key,value", "tt", "'key ' || key"},
    {"grid", "id,hash,version,name,text,settings,points,levels,created", "ibttttiit", "'row ' || id"},
    {"axis", "grid,number,key,name,factor,count,geometric", "iittiii",
     "'grid ' || grid || ', number ' || number"},
    {"setting", "name,key", "tt", "'row ' || name"},
    {"observed", "id,observables", "it", "'row ' || id"},
    {"point", "id,hash,grid,status,reason,outcome,observed", NULL, NULL},
    {"member", "grid,position,point", NULL, NULL},
    {"session",
     "id,grid,state,started,updated,host,process,threads,shard,build,points,finished,reused,computed,failed",
     "iitnn?????iiiii", "'row ' || id"},
};
enum { TABLES = sizeof tables / sizeof *tables };

static sf_status damaged(sf_database *database, const char *table, const char *what)
{
    return sf_fail(database->context, SF_ERR_DATA,
                   "'%s' is damaged or no result file of samflow: table %s: %s", database->path, table, what);
}

/* The first text of a query into text (size); *found: there is a row, and it is not null. */
static sf_status first_text(sf_database *database, const char *sql, char *text, size_t size, bool *found)
{
    sqlite3_stmt *statement;
    SF_TRY(sf_database_prepare(database, &statement, "%s", sql));
    int code = sqlite3_step(statement);
    const char *value = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    *found = value != NULL;
    snprintf(text, size, "%s", value ? value : "");
    sqlite3_finalize(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SF_OK : sf_database_fail(database, code, "reading");
}

/* A table of its own rows, with the columns in order: all of them, or (point) the first. */
static sf_status check_columns(sf_database *database, const checked_table *table)
{
    char sql[512], found[2048];
    bool any;
    int64_t plain = 0, strange = 0;
    SF_TRY(sf_database_integer(database, &plain, NULL,
                               "SELECT count(*) FROM sqlite_master WHERE name = '%s' AND type = 'table' AND"
                               " sql LIKE 'CREATE TABLE%%'",
                               table->name));
    if (plain != 1)
        return damaged(database, table->name, "missing, or no table");
    SF_TRY(sf_database_integer(database, &strange, NULL,
                               "SELECT count(*) FROM pragma_table_xinfo('%s') WHERE hidden <> 0 OR"
                               " upper(type) NOT IN ('', 'TEXT', 'INTEGER', 'REAL', 'BLOB', 'ANY')",
                               table->name));
    if (strange != 0)
        return damaged(database, table->name, "computed columns, or of unknown type");
    snprintf(
        sql, sizeof sql,
        "SELECT group_concat(name) FROM (SELECT name FROM pragma_table_xinfo('%s') WHERE %s ORDER BY cid)",
        table->name, strcmp(table->name, "point") == 0 ? "cid < 7" : "1");
    SF_TRY(first_text(database, sql, found, sizeof found, &any));
    if (any && strcmp(found, table->columns) == 0)
        return SF_OK;
    snprintf(sql, sizeof sql, "has the columns %.200s, expected %.200s", found, table->columns);
    return damaged(database, table->name, sql);
}

static sf_status check_value(sf_database *database, const checked_table *table, const char *column, char type)
{
    const char *types = type == 'i'   ? "'integer'"
                        : type == 'n' ? "'real', 'integer'"
                        : type == 'b' ? "'blob'"
                                      : "'text'";
    const char *expected = type == 'i'   ? "a whole number"
                           : type == 'n' ? "a number"
                           : type == 'b' ? "bytes"
                                         : "a text";
    char sql[512], found[256];
    bool any;
    snprintf(sql, sizeof sql,
             "SELECT ifnull(%s, 'a row') || ': ''%s'' is ' || typeof(\"%s\") || ', expected %s' FROM %s"
             " WHERE typeof(\"%s\") NOT IN (%s) LIMIT 1",
             table->place, column, column, expected, table->name, column, types);
    SF_TRY(first_text(database, sql, found, sizeof found, &any));
    return any ? damaged(database, table->name, found) : SF_OK;
}

static sf_status check_values(sf_database *database, const checked_table *table)
{
    const char *at = table->columns;
    for (size_t k = 0; table->types && table->types[k]; k++) {
        char column[32];
        size_t length = strcspn(at, ",");
        snprintf(column, sizeof column, "%.*s", (int)length, at);
        at += length + (at[length] == ',');
        if (table->types[k] != '?')
            SF_TRY(check_value(database, table, column, table->types[k]));
    }
    return SF_OK;
}

/* What only makes sense together. */
static sf_status check_relations(sf_database *database)
{
    static const struct {
        const char *table, *sql;
    } relations[] = {
        {"session", "SELECT 'row ' || id || ': there is no grid ' || grid FROM session WHERE grid NOT IN"
                    " (SELECT id FROM grid) LIMIT 1"},
        {"session",
         "SELECT 'row ' || id || ': a count is negative' FROM session WHERE min(points, finished, reused,"
         " computed, failed) < 0 LIMIT 1"},
        {"grid",
         "SELECT 'row ' || id || ': points or levels out of range' FROM grid WHERE points < 0 OR levels < 0"
         " OR levels > 62 OR length(hash) <> 16 LIMIT 1"},
        {"setting",
         "SELECT 'row ' || name || ': table point has no such column' FROM setting WHERE name NOT IN"
         " (SELECT name FROM pragma_table_info('point') WHERE cid >= 7) LIMIT 1"},
        {"observed",
         "SELECT 'row ' || id || ': no JSON list' FROM observed WHERE CASE WHEN json_valid(observables)"
         " THEN json_type(observables) <> 'array' ELSE 1 END LIMIT 1"},
    };
    for (size_t k = 0; k < sizeof relations / sizeof *relations; k++) {
        char found[256];
        bool any;
        SF_TRY(first_text(database, relations[k].sql, found, sizeof found, &any));
        if (any)
            return damaged(database, relations[k].table, found);
    }
    return SF_OK;
}

/* The documents of the grids. */
static sf_status check_texts(sf_database *database)
{
    sqlite3_stmt *rows;
    SF_TRY(sf_database_prepare(database, &rows, "SELECT id, text, settings FROM grid ORDER BY id"));
    sf_status status = SF_OK;
    int code = SQLITE_DONE;
    while (status == SF_OK && (code = sqlite3_step(rows)) == SQLITE_ROW)
        for (int k = 1; k <= 2 && status == SF_OK; k++) {
            const char *text = (const char *)sqlite3_column_text(rows, k);
            status = text ? sf_document_check(database->context, k == 1 ? "text" : "settings", text)
                          : SF_ERR_MEMORY;
            if (status == SF_ERR_CONFIG)
                status =
                    sf_fail_within(database->context, SF_ERR_DATA, "'%s' is damaged: table grid, row %lld",
                                   database->path, sqlite3_column_int64(rows, 0));
        }
    sqlite3_finalize(rows);
    return status == SF_OK && code != SQLITE_DONE ? sf_database_fail(database, code, "reading") : status;
}

sf_status sf_database_check(sf_database *database)
{
    char trigger[256];
    bool any;
    SF_TRY(first_text(
        database,
        "SELECT tbl_name || ' has a trigger, ' || name FROM sqlite_master WHERE type = 'trigger' LIMIT 1",
        trigger, sizeof trigger, &any));
    if (any)
        return damaged(database, trigger, "samflow writes none");
    for (size_t k = 0; k < TABLES; k++)
        SF_TRY(check_columns(database, &tables[k]));
    for (size_t k = 0; k < TABLES; k++)
        SF_TRY(check_values(database, &tables[k]));
    SF_TRY(check_relations(database));
    return check_texts(database);
}

/* Reads every row of a table; false at the first that cannot be read. */
static bool readable(sqlite3 *handle, const char *table, long long *rows)
{
    char sql[128];
    sqlite3_stmt *statement = NULL;
    snprintf(sql, sizeof sql, "SELECT * FROM %s", table);
    int code = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);
    *rows = 0;
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        *rows += code == SQLITE_ROW;
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE;
}

void sf_database_locate(sf_database *database, char *text, size_t size)
{
    snprintf(text, size, "an index or the list of free pages");
    for (size_t k = 0; k < TABLES; k++) {
        long long rows;
        if (!readable(database->handle, tables[k].name, &rows)) {
            snprintf(text, size, "table %s cannot be read after row %lld", tables[k].name, rows);
            return;
        }
    }
}
