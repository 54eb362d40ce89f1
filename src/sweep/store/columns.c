/* Settings as columns.
 *
 * Every axis of every grid of the file is a column, and so is every other setting in which two grids of the file differ:
 * two rows that agree in all these columns are the same point (of one version of samflow). A column that is new is
 * filled for the points that are there: from the column of the same setting under another name, or with the value
 * that the setting has in all points of the grid that made them.
 */
#include "sweep/store/columns.h"

#include <math.h>
#include <string.h>

/* A data set written out in a sweep file is not spread over columns. */
enum { MOST_DIFFERENCES = 64 };

static sf_status count_rows(sf_database *database, int64_t *count, const char *query, const char *name)
{
    *count = 0;
    return sf_database_integer(database, count, NULL, query, name);
}

sf_status sf_columns_add(sf_database *database, const char *name, const char *key)
{
    int64_t same = 0, taken = 0;
    SF_TRY(sf_database_integer(database, &same, NULL,
                               "SELECT count(*) FROM setting WHERE name = %Q AND key = %Q", name, key));
    if (same > 0)
        return SF_OK;
    SF_TRY(count_rows(database, &taken,
                      "SELECT count(*) FROM pragma_table_info('point') WHERE name = %Q COLLATE NOCASE",
                      name));
    if (taken > 0)
        return sf_fail(database->context, SF_ERR_CONFIG,
                       "'%s' has a column '%s' for something else than %s; give the axis another name",
                       database->path, name, key);
    SF_TRY(sf_database_execute(database, "INSERT INTO setting VALUES(%Q, %Q)", name, key));
    SF_TRY(sf_database_execute(database, "CREATE TEMP TABLE IF NOT EXISTS fresh(name TEXT, key TEXT)"));
    SF_TRY(sf_database_execute(database, "INSERT INTO temp.fresh VALUES(%Q, %Q)", name, key));
    return sf_database_execute(database, "ALTER TABLE main.point ADD COLUMN \"%w\" %s", name,
                               database->schema == 1 ? "" : "ANY");
}

/* A list as JSON. */
static char *list_text(const sf_setting_value *value)
{
    sqlite3_str *text = sqlite3_str_new(NULL);
    char digits[32];
    bool rows = value->type == SF_TYPE_ROWS;
    for (size_t i = 0; i < value->rows * value->count; i++) {
        bool first = i % value->count == 0;
        sqlite3_str_appendf(text, "%s%s%s", i == 0 ? rows ? "[" : "" : ", ", first ? "[" : "",
                            sf_number_text(value->numbers[i], digits));
        if ((i + 1) % value->count == 0)
            sqlite3_str_appendall(text, "]");
    }
    sqlite3_str_appendall(text, rows ? "]" : "");
    return sqlite3_str_finish(text);
}

sf_status sf_columns_cell(sf_context *context, const sf_settings *settings, const char *key, sf_cell *cell,
                          char **text)
{
    sf_setting_value value;
    *cell = (sf_cell){.kind = SF_CELL_NULL, .real = NAN};
    *text = NULL;
    if (!sf_settings_get(settings, key, &value))
        return SF_OK;
    bool exact = value.type != SF_TYPE_SEED || value.integer < UINT64_C(9007199254740992);
    if (!isnan(value.number) && exact) {
        *cell = (sf_cell){.kind = SF_CELL_REAL, .real = value.number};
        return SF_OK;
    }
    char *list = value.numbers ? list_text(&value) : NULL, digits[32];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)value.integer);
    const char *shown = value.numbers                 ? list
                        : value.type == SF_TYPE_SEED  ? digits
                        : value.type == SF_TYPE_FLAG  ? value.flag ? "true" : "false"
                        : value.type == SF_TYPE_SIZES ? "[]"
                                                      : value.text;
    *text = shown ? sf_strdup(context, shown) : NULL;
    for (char *end = *text; end && value.type == SF_TYPE_NAMES && (end = strchr(end, '\n')) != NULL;)
        *end = '|';
    sqlite3_free(list);
    if (!*text)
        return SF_ERR_MEMORY;
    *cell = (sf_cell){.kind = SF_CELL_TEXT, .real = NAN, .text = *text};
    return SF_OK;
}

/* ---- differences ---------------------------------------------------------------------------------------- */

typedef struct comparison {
    sf_database *database;
    int added;
} comparison;

/* A column for a path that two grids differ in, and that is no part of a column's setting. */
static sf_status add_difference(const char *path, void *user)
{
    comparison *c = user;
    int64_t covered = 0;
    if (c->added == MOST_DIFFERENCES)
        return SF_OK;
    SF_TRY(count_rows(
        c->database, &covered,
        "SELECT count(*) FROM setting, (SELECT %Q AS leaf) WHERE substr(leaf, 1, length(key)) = key"
        " AND substr(leaf, length(key) + 1, 1) IN ('', '.', '[')",
        path));
    if (covered > 0)
        return SF_OK;
    c->added++;
    return sf_columns_add(c->database, path, path);
}

/* The settings of a grid, from their JSON; NULL if another version of samflow knows others. */
static sf_status read_settings(sf_database *database, const char *json, sf_settings **settings)
{
    sf_status status = sf_settings_parse(database->context, SF_SETTINGS_RUN, "settings of a grid",
                                         json ? json : "", 0, NULL, settings);
    return status == SF_ERR_CONFIG ? SF_OK : status;
}

static sf_status compare_settings(sf_database *database, const char *a, const char *b)
{
    sf_settings *first = NULL, *second = NULL;
    comparison c = {database, 0};
    sf_status status = read_settings(database, a, &first);
    if (status == SF_OK)
        status = read_settings(database, b, &second);
    if (status == SF_OK && first && second)
        status = sf_settings_diff(first, second, add_difference, &c);
    sf_settings_destroy(&first);
    sf_settings_destroy(&second);
    return status;
}

/* ---- filling -------------------------------------------------------------------------------------------- */

static sf_status fill_constant(sf_database *database, int64_t grid, const sf_settings *settings,
                               const char *name, const char *key)
{
    sf_cell cell;
    char *text;
    sqlite3_stmt *update = NULL;
    SF_TRY(sf_columns_cell(database->context, settings, key, &cell, &text));
    sf_status status = sf_database_prepare(
        database, &update, "UPDATE main.point SET \"%w\" = ?1 WHERE grid = %lld", name, (long long)grid);
    if (status == SF_OK) {
        sf_bind_cell(update, 1, &cell);
        status = sf_database_step(database, update);
    }
    sqlite3_finalize(update);
    sf_free(database->context, text);
    return status;
}

/* The new columns of the points of one grid. */
static sf_status fill_grid(sf_database *database, int64_t grid, const char *json)
{
    sqlite3_stmt *fresh;
    int64_t count = 0;
    sf_settings *settings = NULL;
    SF_TRY(count_rows(database, &count, "SELECT count(*) FROM temp.fresh WHERE name <> %Q", ""));
    if (count == 0)
        return SF_OK;
    SF_TRY(read_settings(database, json, &settings));
    sf_status status = sf_database_prepare(
        database, &fresh,
        "SELECT f.name, f.key, (SELECT a.name FROM axis a WHERE a.grid = %lld AND a.key = f.key)"
        " FROM temp.fresh f",
        (long long)grid);
    int code = SQLITE_DONE;
    while (status == SF_OK && (code = sqlite3_step(fresh)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(fresh, 0);
        const char *axis = (const char *)sqlite3_column_text(fresh, 2);
        if (axis && strcmp(axis, name) != 0)
            status = sf_database_execute(database, "UPDATE main.point SET \"%w\" = \"%w\" WHERE grid = %lld",
                                         name, axis, (long long)grid);
        else if (!axis && settings)
            status =
                fill_constant(database, grid, settings, name, (const char *)sqlite3_column_text(fresh, 1));
    }
    sqlite3_finalize(fresh);
    sf_settings_destroy(&settings);
    return status == SF_OK && code != SQLITE_DONE ? sf_database_fail(database, code, "reading") : status;
}

sf_status sf_columns_reconcile(sf_database *database)
{
    sqlite3_stmt *pairs, *grids;
    SF_TRY(sf_database_execute(database, "CREATE TEMP TABLE IF NOT EXISTS fresh(name TEXT, key TEXT)"));
    SF_TRY(sf_database_prepare(database, &pairs,
                               "SELECT a.settings, b.settings FROM main.grid a, main.grid b WHERE"
                               " a.id = (SELECT min(id) FROM main.grid) AND b.id > a.id"));
    sf_status status = SF_OK;
    int code = SQLITE_DONE;
    while (status == SF_OK && (code = sqlite3_step(pairs)) == SQLITE_ROW)
        status = compare_settings(database, (const char *)sqlite3_column_text(pairs, 0),
                                  (const char *)sqlite3_column_text(pairs, 1));
    sqlite3_finalize(pairs);
    if (status != SF_OK || code != SQLITE_DONE)
        return status != SF_OK ? status : sf_database_fail(database, code, "reading");
    SF_TRY(sf_database_prepare(database, &grids, "SELECT id, settings FROM main.grid"));
    while (status == SF_OK && (code = sqlite3_step(grids)) == SQLITE_ROW)
        status =
            fill_grid(database, sqlite3_column_int64(grids, 0), (const char *)sqlite3_column_text(grids, 1));
    sqlite3_finalize(grids);
    if (status == SF_OK && code != SQLITE_DONE)
        return sf_database_fail(database, code, "reading");
    return status == SF_OK ? sf_database_execute(database, "DELETE FROM temp.fresh") : status;
}
