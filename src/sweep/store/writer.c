#include "sweep/store/writer.h"

#include <string.h>

#include "sweep/store/columns.h"

/* ---- setting up: the grid's row, its columns ------------------------------------------------------------ */

static sf_status add_axes(sf_writer *writer)
{
    sqlite3_stmt *insert;
    const sf_grid *grid = writer->sweep->grid;
    SF_TRY(sf_database_prepare(writer->database, &insert,
                               "INSERT INTO axis VALUES(%lld, ?1, ?2, ?3, ?4, ?5, ?6)",
                               (long long)writer->grid));
    sf_status status = SF_OK;
    for (size_t i = 0; i < grid->axis_count && status == SF_OK; i++) {
        const grid_axis *axis = &grid->axes[i];
        sqlite3_bind_int64(insert, 1, (sqlite3_int64)i);
        sqlite3_bind_text(insert, 2, axis->key, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 3, axis->column, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 4, (sqlite3_int64)axis->group);
        sqlite3_bind_int64(insert, 5, (sqlite3_int64)axis->count);
        sqlite3_bind_int(insert, 6, axis->geometric);
        status = sf_database_step(writer->database, insert);
    }
    sqlite3_finalize(insert);
    return status;
}

static sf_status add_grid(sf_writer *writer)
{
    const sf_sweep *sweep = writer->sweep;
    sqlite3_stmt *insert;
    SF_TRY(sf_database_prepare(
        writer->database, &insert,
        "INSERT INTO grid(hash, version, name, text, settings, points, levels, created)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ', 'now'))"));
    sqlite3_bind_blob(insert, 1, sweep->identity.bytes, sizeof sweep->identity.bytes, SQLITE_STATIC);
    sqlite3_bind_text(insert, 2, sf_version(), -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 3, sweep->grid->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 4, sweep->grid->text, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 5, sweep->settings, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 6, (sqlite3_int64)sweep->grid->points);
    sqlite3_bind_int(insert, 7, sweep->grid->refine.levels);
    sf_status status = sf_database_step(writer->database, insert);
    sqlite3_finalize(insert);
    writer->grid = sqlite3_last_insert_rowid(writer->database->handle);
    SF_TRY(status);
    return add_axes(writer);
}

static sf_status add_observables(sf_writer *writer)
{
    static const char *const type[] = {"", "REAL", "INTEGER", "TEXT"};
    const sf_measure *measure = writer->sweep->measure;
    sqlite3_str *list = sqlite3_str_new(NULL);
    for (size_t i = 0; i < measure->unit_count; i++)
        sqlite3_str_appendf(list, "%s\"%s\"", i ? ", " : "[", measure->units[i]);
    sqlite3_str_appendall(list, "]");
    char *json = sqlite3_str_finish(list);
    if (!json)
        return sf_database_fail(writer->database, SQLITE_NOMEM, "writing");
    sf_status status =
        sf_database_execute(writer->database, "INSERT OR IGNORE INTO observed(observables) VALUES(%Q)", json);
    if (status == SF_OK)
        status = sf_database_integer(writer->database, &writer->observed, NULL,
                                     "SELECT id FROM observed WHERE observables = %Q", json);
    sqlite3_free(json);
    for (size_t i = 0; i < measure->column_count && status == SF_OK; i++) {
        const sf_measured_column *column = &measure->columns[i];
        int64_t setting = 0;
        status = sf_database_integer(writer->database, &setting, NULL,
                                     "SELECT count(*) FROM setting WHERE name = %Q", column->name);
        if (status == SF_OK && setting > 0)
            status = sf_fail(writer->context, SF_ERR_CONFIG,
                             "'%s' has a setting in column '%s', the name of an observable",
                             writer->database->path, column->name);
        if (status == SF_OK)
            status = sf_database_add_column(writer->database, column->name, type[column->kind]);
    }
    return status;
}

/* ---- statements ----------------------------------------------------------------------------------------- */

static sf_status read_settings(sf_writer *writer)
{
    int64_t count = 0;
    SF_TRY(sf_database_integer(writer->database, &count, NULL, "SELECT count(*) FROM setting"));
    writer->settings = sf_alloc_zero(writer->context, (size_t)count, sizeof *writer->settings);
    if (!writer->settings)
        return SF_ERR_MEMORY;
    sqlite3_stmt *names;
    SF_TRY(sf_database_prepare(writer->database, &names, "SELECT name, key FROM setting ORDER BY name"));
    sf_status status = SF_OK;
    const sf_grid *grid = writer->sweep->grid;
    while (status == SF_OK && sqlite3_step(names) == SQLITE_ROW && writer->setting_count < (size_t)count) {
        setting_source *source = &writer->settings[writer->setting_count++];
        const char *key = (const char *)sqlite3_column_text(names, 1);
        source->axis = SIZE_MAX;
        for (size_t i = 0; i < grid->axis_count; i++)
            if (strcmp(grid->axes[i].key, key) == 0)
                source->axis = i;
        if (source->axis == SIZE_MAX)
            status = sf_columns_cell(writer->context, sf_experiment_settings(writer->sweep->first), key,
                                     &source->cell, &source->text);
    }
    sqlite3_finalize(names);
    return status;
}

/* Inserts that many rows: of each hash, status, reason, outcome, observed, then observables, then settings. */
static sf_status prepare_insert(sf_writer *writer, size_t rows, const char *names, sqlite3_stmt **insert)
{
    sqlite3_str *places = sqlite3_str_new(NULL);
    for (size_t row = 0; row < rows; row++) {
        sqlite3_str_appendf(places, "%s(%lld", row ? ", " : "", (long long)writer->grid);
        for (size_t i = 0; i < writer->width; i++)
            sqlite3_str_appendall(places, ", ?");
        sqlite3_str_appendall(places, ")");
    }
    char *place = sqlite3_str_finish(places);
    sf_status status =
        place
            ? sf_database_prepare(
                  writer->database, insert,
                  "INSERT INTO point(grid, hash, status, reason, outcome, observed%s) VALUES%s", names, place)
            : sf_database_fail(writer->database, SQLITE_NOMEM, "writing");
    sqlite3_free(place);
    return status;
}

/* Links that many: of each position and point. */
static sf_status prepare_link(sf_writer *writer, size_t rows, sqlite3_stmt **link)
{
    char places[SF_WRITER_ROWS * 32] = "";
    for (size_t row = 0, used = 0; row < rows; row++)
        used += (size_t)snprintf(places + used, sizeof places - used, "%s(%lld, ?, ?)", row ? ", " : "",
                                 (long long)writer->grid);
    return sf_database_prepare(writer->database, link, "INSERT OR IGNORE INTO member VALUES%s", places);
}

/* update: ?1 number of the point, ?2 .. as of an insert without hash and settings. */
static sf_status prepare_rows(sf_writer *writer)
{
    const sf_measure *measure = writer->sweep->measure;
    sqlite3_str *names = sqlite3_str_new(NULL), *sets = sqlite3_str_new(NULL);
    for (size_t i = 0; i < measure->column_count; i++) {
        sqlite3_str_appendf(names, ", \"%w\"", measure->columns[i].name);
        sqlite3_str_appendf(sets, ", \"%w\" = ?%d", measure->columns[i].name, (int)i + 6);
    }
    sqlite3_stmt *settings;
    sf_status status =
        sf_database_prepare(writer->database, &settings, "SELECT name FROM setting ORDER BY name");
    writer->width = 5 + measure->column_count;
    for (; status == SF_OK && sqlite3_step(settings) == SQLITE_ROW; writer->width++)
        sqlite3_str_appendf(names, ", \"%w\"", sqlite3_column_text(settings, 0));
    sqlite3_finalize(settings);
    int most = sqlite3_limit(writer->database->handle, SQLITE_LIMIT_VARIABLE_NUMBER, -1);
    writer->rows = SF_WRITER_ROWS * writer->width <= (size_t)most ? SF_WRITER_ROWS : 1;
    char *name = sqlite3_str_finish(names), *set = sqlite3_str_finish(sets);
    if (status == SF_OK && (!name || !set))
        status = sf_database_fail(writer->database, SQLITE_NOMEM, "writing");
    for (int many = 0; many < 2 && status == SF_OK; many++) {
        status = prepare_insert(writer, many ? writer->rows : 1, name, &writer->insert[many]);
        if (status == SF_OK)
            status = prepare_link(writer, many ? writer->rows : 1, &writer->link[many]);
    }
    if (status == SF_OK)
        status =
            sf_database_prepare(writer->database, &writer->update,
                                "UPDATE point SET status = ?2, reason = ?3, outcome = ?4, observed = ?5%s"
                                " WHERE id = ?1",
                                set);
    sqlite3_free(name);
    sqlite3_free(set);
    return status;
}

sf_status sf_writer_open(const sf_sweep *sweep, sf_database *database, sf_ledger *ledger, sf_writer *writer)
{
    *writer = (sf_writer){.context = sweep->context,
                          .sweep = sweep,
                          .database = database,
                          .ledger = ledger,
                          .grid = ledger->grid};
    writer->cells =
        sf_alloc_zero(sweep->context, SF_WRITER_ROWS * sweep->measure->column_count, sizeof *writer->cells);
    writer->values = sf_alloc_zero(sweep->context, sweep->grid->axis_count, sizeof *writer->values);
    if (!writer->cells || !writer->values)
        return SF_ERR_MEMORY;
    if (writer->grid < 0)
        SF_TRY(add_grid(writer));
    for (size_t i = 0; i < sweep->grid->axis_count; i++)
        SF_TRY(sf_columns_add(database, sweep->grid->axes[i].column, sweep->grid->axes[i].key));
    SF_TRY(sf_columns_reconcile(database));
    SF_TRY(add_observables(writer));
    SF_TRY(sf_database_view(database));
    SF_TRY(read_settings(writer));
    return prepare_rows(writer);
}

void sf_writer_close(sf_writer *writer)
{
    if (!writer->context)
        return;
    for (int many = 0; many < 2; many++) {
        sqlite3_finalize(writer->insert[many]);
        sqlite3_finalize(writer->link[many]);
    }
    sqlite3_finalize(writer->update);
    for (size_t i = 0; i < writer->setting_count; i++)
        sf_free(writer->context, writer->settings[i].text);
    sf_free(writer->context, writer->settings);
    sf_free(writer->context, writer->cells);
    sf_free(writer->context, writer->values);
    *writer = (sf_writer){0};
}

/* ---- storing -------------------------------------------------------------------------------------------- */

/* Status to observables, from parameter `at` on. */
static bool bind_row(sf_writer *writer, sqlite3_stmt *statement, int at, const sf_row *row, int64_t observed)
{
    sf_cell reason = {.kind = row->reason ? SF_CELL_TEXT : SF_CELL_NULL, .text = row->reason};
    sf_cell outcome = {.kind = row->outcome ? SF_CELL_TEXT : SF_CELL_NULL, .text = row->outcome};
    sf_cell status = {.kind = SF_CELL_TEXT, .text = row->failed ? "failed" : "done"};
    bool good = sf_bind_cell(statement, at, &status) && sf_bind_cell(statement, at + 1, &reason) &&
                sf_bind_cell(statement, at + 2, &outcome) &&
                sqlite3_bind_int64(statement, at + 3, observed) == SQLITE_OK;
    for (size_t i = 0; i < writer->sweep->measure->column_count && good; i++)
        good = sf_bind_cell(statement, at + 4 + (int)i, &row->cells[i]);
    return good;
}

static bool bind_settings(sf_writer *writer, sqlite3_stmt *statement, int at, uint64_t position)
{
    bool good = true;
    sf_grid_values(writer->sweep->grid, position, writer->values);
    for (size_t i = 0; i < writer->setting_count && good; i++) {
        const setting_source *source = &writer->settings[i];
        sf_cell cell = source->cell;
        if (source->axis != SIZE_MAX) {
            const grid_value *value = &writer->values[source->axis];
            cell = value->patch ? (sf_cell){.kind = SF_CELL_TEXT, .text = value->label}
                                : (sf_cell){.kind = SF_CELL_REAL, .real = value->number};
        }
        good = sf_bind_cell(statement, at + (int)i, &cell);
    }
    return good;
}

/* The set of observables of a point that had `old` and now has those of this run too. */
static sf_status merged_set(sf_writer *writer, int64_t old, int64_t *merged)
{
    static const char both[] =
        "(SELECT json_group_array(value) FROM (SELECT value FROM observed o,"
        " json_each(o.observables) WHERE o.id = %lld UNION SELECT value FROM observed o,"
        " json_each(o.observables) WHERE o.id = %lld))";
    char union_of[512];
    snprintf(union_of, sizeof union_of, both, (long long)writer->observed, (long long)old);
    SF_TRY(sf_database_execute(writer->database, "INSERT OR IGNORE INTO observed(observables) VALUES(%s)",
                               union_of));
    return sf_database_integer(writer->database, merged, NULL,
                               "SELECT id FROM observed WHERE observables = %s", union_of);
}

/* A point that is there already gets the new observables and outcome; a failure never replaces a success. */
static sf_status update_point(sf_writer *writer, const sf_row *row, int64_t point)
{
    int64_t old = 0, merged = writer->observed;
    bool done = false;
    SF_TRY(sf_database_integer(writer->database, &old, &done,
                               "SELECT observed FROM point WHERE id = %lld AND status = 'done'",
                               (long long)point));
    if (done && row->failed)
        return SF_OK;
    if (done && old != writer->observed)
        SF_TRY(merged_set(writer, old, &merged));
    sqlite3_bind_int64(writer->update, 1, point);
    if (!bind_row(writer, writer->update, 2, row, merged))
        return sf_database_fail(writer->database, SQLITE_NOMEM, "writing");
    return sf_database_step(writer->database, writer->update);
}

/* Of one row, or of writer->rows of them, which get numbers one after another. Where a hash is there already nothing is
 * inserted, and *first is 0. */
static sf_status insert_points(sf_writer *writer, size_t count, const sf_row *rows, int64_t *first)
{
    sqlite3_stmt *insert = writer->insert[count > 1];
    bool good = true;
    for (size_t n = 0; n < count && good; n++) {
        int at = 1 + (int)(n * writer->width);
        good = sqlite3_bind_blob(insert, at, rows[n].hash.bytes, sizeof rows[n].hash.bytes, SQLITE_STATIC) ==
                   SQLITE_OK &&
               bind_row(writer, insert, at + 1, &rows[n], writer->observed) &&
               bind_settings(writer, insert, at + 5 + (int)writer->sweep->measure->column_count,
                             rows[n].position);
    }
    if (!good)
        return sf_database_fail(writer->database, SQLITE_NOMEM, "writing");
    int code = sqlite3_step(insert);
    bool done = code == SQLITE_DONE;
    *first = done ? sqlite3_last_insert_rowid(writer->database->handle) - (int64_t)count + 1 : 0;
    bool twice = !done && sqlite3_extended_errcode(writer->database->handle) == SQLITE_CONSTRAINT_UNIQUE;
    sf_status status = done || twice ? SF_OK : sf_database_fail(writer->database, code, "writing");
    sqlite3_reset(insert);
    return status;
}

/* Of one row, or of writer->rows of them; *added: the number of new members. */
static sf_status link_points(sf_writer *writer, size_t count, const sf_row *rows, int64_t first,
                             size_t *added)
{
    sqlite3_stmt *link = writer->link[count > 1];
    for (size_t n = 0; n < count; n++) {
        sqlite3_bind_int64(link, 1 + 2 * (int)n, (sqlite3_int64)rows[n].position);
        sqlite3_bind_int64(link, 2 + 2 * (int)n, first + (int64_t)n);
    }
    SF_TRY(sf_database_step(writer->database, link));
    *added = (size_t)sqlite3_changes(writer->database->handle);
    return SF_OK;
}

sf_status sf_writer_link(sf_writer *writer, uint64_t position, int64_t point, bool *added)
{
    size_t count;
    sf_row row = {.position = position};
    SF_TRY(link_points(writer, 1, &row, point, &count));
    *added = count > 0;
    return SF_OK;
}

/* Rows of which the file should know nothing. If it does (two positions are one point, a rank that was thought lost has
 * answered, another process writes that should not), by a hash or by a position, *stored is false and none is stored. */
static sf_status store_new(sf_writer *writer, size_t count, const sf_row *rows, bool *stored)
{
    int64_t first = 0;
    size_t added = 0;
    SF_TRY(insert_points(writer, count, rows, &first));
    if (first != 0)
        SF_TRY(link_points(writer, count, rows, first, &added));
    *stored = added == count;
    if (*stored)
        return SF_OK;
    if (first != 0) // new numbers are the highest
        SF_TRY(sf_database_execute(writer->database,
                                   "DELETE FROM member WHERE point >= %lld;"
                                   "DELETE FROM point WHERE id >= %lld",
                                   (long long)first, (long long)first));
    writer->ledger->foreign = true;
    return sf_database_index(writer->database);
}

static sf_status store_by_hash(sf_writer *writer, const sf_row *row)
{
    int64_t point = 0;
    bool added;
    sqlite3_stmt *find = writer->ledger->by_hash;
    sqlite3_bind_blob(find, 1, row->hash.bytes, sizeof row->hash.bytes, SQLITE_STATIC);
    int code = sqlite3_step(find);
    if (code == SQLITE_ROW)
        point = sqlite3_column_int64(find, 0);
    sqlite3_reset(find);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return sf_database_fail(writer->database, code, "reading");
    if (point != 0)
        SF_TRY(update_point(writer, row, point));
    else
        SF_TRY(insert_points(writer, 1, row, &point));
    return sf_writer_link(writer, row->position, point, &added);
}

sf_status sf_writer_store(sf_writer *writer, size_t count, const sf_row *rows)
{
    for (size_t at = 0, step; at < count; at += step) {
        bool stored = false;
        step = count - at >= writer->rows ? writer->rows : 1;
        if (!writer->ledger->foreign)
            SF_TRY(store_new(writer, step, rows + at, &stored));
        for (size_t n = 0; n < step && !stored; n++)
            SF_TRY(store_by_hash(writer, &rows[at + n]));
    }
    return SF_OK;
}
