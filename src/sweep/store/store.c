/* Reading a result file: the grid that was run last, its axes and rows, and how far a run is. */
#include "sweep/store/store.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "sweep/grid/grid.h"
#include "sweep/run/oracle.h"

struct sf_cursor {
    sf_store *store;
    sqlite3_stmt *rows;
    size_t count;
    size_t regime, limit; // places of what theory has to say, SIZE_MAX: not asked
    sf_oracle *oracle;
};

/* ---- axes and columns ----------------------------------------------------------------------------------- */

/* Names and keys are the grid's. */
static sf_status read_axes(sf_store *store)
{
    const sf_grid *grid = store->written;
    store->axes = sf_alloc_zero(store->context, grid->axis_count, sizeof *store->axes);
    if (!store->axes)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < grid->axis_count; i++) {
        const grid_axis *from = &grid->axes[i];
        sf_cell *values = sf_alloc_zero(store->context, from->count, sizeof *values);
        if (!values)
            return SF_ERR_MEMORY;
        store->axes[i] = (sf_store_axis){.name = from->column,
                                         .key = from->key,
                                         .factor = from->group,
                                         .count = from->count,
                                         .values = values};
        store->axis_count++;
        for (size_t k = 0; k < from->count; k++)
            values[k] = (sf_cell){.kind = from->values[k].patch ? SF_CELL_TEXT : SF_CELL_REAL,
                                  .real = from->values[k].number,
                                  .text = from->values[k].label};
    }
    return SF_OK;
}

static sf_status read_grid(sf_store *store)
{
    sqlite3_stmt *row;
    SF_TRY(sf_database_prepare(store->database, &row,
                               "SELECT id, name, text, settings, points, levels FROM grid WHERE id ="
                               " (SELECT grid FROM session ORDER BY id DESC LIMIT 1)"));
    int code = sqlite3_step(row);
    sf_status status = SF_OK;
    if (code != SQLITE_ROW) {
        status = code == SQLITE_DONE
                     ? sf_fail(store->context, SF_ERR_DATA, "'%s' holds no sweep yet", store->database->path)
                     : sf_database_fail(store->database, code, "reading");
    } else {
        store->grid = sqlite3_column_int64(row, 0);
        store->points = (uint64_t)sqlite3_column_int64(row, 4);
        store->levels = sqlite3_column_int(row, 5);
        store->experiment = sf_strdup(store->context, (const char *)sqlite3_column_text(row, 3));
        status = store->experiment
                     ? sf_grid_parse(store->context, (const char *)sqlite3_column_text(row, 1),
                                     (const char *)sqlite3_column_text(row, 2), 0, NULL, &store->written)
                     : SF_ERR_MEMORY;
        if (status == SF_OK && store->levels == 0 && store->written->points != store->points)
            status = sf_fail(store->context, SF_ERR_CONFIG, "%llu points, but the axes make %llu",
                             (unsigned long long)store->points, (unsigned long long)store->written->points);
        if (status == SF_ERR_CONFIG)
            status = sf_fail_within(store->context, SF_ERR_DATA, "'%s' is damaged: table grid, row %lld",
                                    store->database->path, (long long)store->grid);
        if (status == SF_OK)
            status = read_axes(store);
    }
    sqlite3_finalize(row);
    return status;
}

static sf_cell_kind declared_kind(const char *type)
{
    return strcmp(type, "REAL") == 0      ? SF_CELL_REAL
           : strcmp(type, "INTEGER") == 0 ? SF_CELL_INTEGER
                                          : SF_CELL_TEXT;
}

/* A setting holds numbers unless one of its values is a text. */
static sf_status setting_kind(sf_store *store, const char *name, sf_cell_kind *kind)
{
    int64_t text = 0;
    SF_TRY(sf_database_integer(store->database, &text, NULL,
                               "SELECT EXISTS(SELECT 1 FROM point WHERE typeof(\"%w\") = 'text')", name));
    *kind = text ? SF_CELL_TEXT : SF_CELL_REAL;
    return SF_OK;
}

static sf_status read_columns(sf_store *store)
{
    sqlite3_stmt *names;
    SF_TRY(sf_database_prepare(
        store->database, &names,
        // as the view has them, which is not asked: anything may be planted there
        "SELECT 'position', 'INTEGER', 0, -4 AS place, 0 AS cid UNION ALL"
        " SELECT name, type, 0, cid - 6, cid FROM pragma_table_info('point') WHERE cid IN (3, 4, 5)"
        " UNION ALL SELECT name, type, name IN (SELECT name FROM setting), 4 + (name NOT IN"
        " (SELECT name FROM setting)), cid FROM pragma_table_info('point') WHERE cid >= 7"
        " ORDER BY 4, 5"));
    sf_status status = SF_OK;
    int code = SQLITE_DONE;
    while (status == SF_OK && (code = sqlite3_step(names)) == SQLITE_ROW) {
        sf_store_column *columns =
            sf_resize(store->context, store->columns, store->column_count + 1, sizeof *columns);
        if (!columns) {
            status = SF_ERR_MEMORY;
            break;
        }
        store->columns = columns;
        sf_store_column *column = &columns[store->column_count++];
        *column =
            (sf_store_column){.name = sf_strdup(store->context, (const char *)sqlite3_column_text(names, 0)),
                              .role = SF_COLUMN_OBSERVABLE,
                              .kind = declared_kind((const char *)sqlite3_column_text(names, 1))};
        if (!column->name) {
            status = SF_ERR_MEMORY;
        } else if (sqlite3_column_int(names, 3) < 0) {
            column->role = SF_COLUMN_BOOKKEEPING;
            column->kind = sqlite3_column_int(names, 3) == -4 ? SF_CELL_INTEGER : SF_CELL_TEXT;
        } else if (sqlite3_column_int(names, 2)) {
            column->role = SF_COLUMN_SETTING;
            status = setting_kind(store, column->name, &column->kind);
        }
    }
    sqlite3_finalize(names);
    if (status == SF_OK && code != SQLITE_DONE)
        return sf_database_fail(store->database, code, "reading");
    return status;
}

sf_status sf_store_open(sf_context *context, const char *path, sf_store **out)
{
    *out = NULL;
    sf_store *store = SF_NEW(context, sf_store);
    if (!store)
        return SF_ERR_MEMORY;
    store->context = context;
    sf_status status = sf_database_open(context, path, false, false, &store->database);
    if (status == SF_OK)
        status = read_grid(store);
    if (status == SF_OK)
        status = read_columns(store);
    if (status == SF_OK && store->column_count < 4)
        status =
            sf_fail(context, SF_ERR_DATA,
                    "'%s' lacks its view `result`; samflow sweep GRID.yaml -o %s makes it again", path, path);
    if (status != SF_OK)
        sf_store_close(&store);
    *out = store;
    return status;
}

void sf_store_close(sf_store **store)
{
    if (!store || !*store)
        return;
    sf_store *s = *store;
    for (size_t i = 0; i < s->axis_count; i++)
        sf_free(s->context, (void *)(uintptr_t)s->axes[i].values);
    sf_grid_destroy(&s->written);
    for (size_t i = 0; i < s->column_count; i++)
        sf_free(s->context, (void *)(uintptr_t)s->columns[i].name);
    sf_free(s->context, s->axes);
    sf_free(s->context, s->columns);
    sf_free(s->context, s->experiment);
    sf_store_forget_texts(s);
    sf_database_close(&s->database);
    sf_free(s->context, s);
    *store = NULL;
}

size_t sf_store_axes(const sf_store *store)
{
    return store->axis_count;
}

const sf_store_axis *sf_store_get_axis(const sf_store *store, size_t index)
{
    return index < store->axis_count ? &store->axes[index] : NULL;
}

bool sf_store_product(const sf_store *store)
{
    for (size_t i = 0; i < store->axis_count; i++)
        if (store->axes[i].factor != i)
            return false;
    return store->levels == 0;
}

int sf_store_levels(const sf_store *store)
{
    return store->levels;
}

const char *sf_store_experiment(const sf_store *store)
{
    return store->experiment;
}

size_t sf_store_columns(const sf_store *store)
{
    return store->column_count;
}

const sf_store_column *sf_store_get_column(const sf_store *store, size_t index)
{
    return index < store->column_count ? &store->columns[index] : NULL;
}

sf_status sf_store_rows(sf_store *store, uint64_t *rows)
{
    int64_t count = 0;
    SF_TRY(sf_database_integer(store->database, &count, NULL, "SELECT count(*) FROM member WHERE grid = %lld",
                               (long long)store->grid));
    *rows = (uint64_t)count;
    return SF_OK;
}

/* ---- rows ----------------------------------------------------------------------------------------------- */

static bool has_column(const sf_store *store, const char *name)
{
    for (size_t i = 0; i < store->column_count; i++)
        if (strcmp(store->columns[i].name, name) == 0)
            return true;
    return false;
}

static sf_status no_column(const sf_store *store, const char *name)
{
    char list[1024] = "";
    size_t used = 0;
    const char **names = SF_ARRAY(store->context, store->column_count, const char *);
    if (!names)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < store->column_count; i++) {
        names[i] = store->columns[i].name;
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    }
    const char *nearest = sf_nearest_name(name, store->column_count, names);
    sf_status status =
        nearest ? sf_fail(store->context, SF_ERR_USAGE, "'%s' has no column '%s', did you mean '%s'?",
                          store->database->path, name, nearest)
                : sf_fail(store->context, SF_ERR_USAGE, "'%s' has no column '%s'; it has %s",
                          store->database->path, name, list);
    sf_free(store->context, names);
    return status;
}

/* What is not in the file and theory can tell. */
static sf_status ask_oracle(sf_cursor *cursor, size_t count, const char *const *columns)
{
    cursor->regime = cursor->limit = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        if (has_column(cursor->store, columns[i]))
            continue;
        if (strcmp(columns[i], "predicted_regime") == 0)
            cursor->regime = i;
        else if (strcmp(columns[i], "predicted_limit_kind") == 0)
            cursor->limit = i;
        else
            return no_column(cursor->store, columns[i]);
    }
    if (cursor->regime == SIZE_MAX && cursor->limit == SIZE_MAX)
        return SF_OK;
    return sf_oracle_create(cursor->store->context, cursor->store->written, cursor->store->experiment,
                            &cursor->oracle);
}

/* The columns, then the position if theory needs it. */
static char *list_columns(const sf_cursor *cursor, const char *const *columns)
{
    sqlite3_str *names = sqlite3_str_new(NULL);
    for (size_t i = 0; i < cursor->count; i++)
        if (i == cursor->regime || i == cursor->limit)
            sqlite3_str_appendf(names, "%sNULL", i ? ", " : "");
        else
            sqlite3_str_appendf(names, "%s\"%w\"", i ? ", " : "", columns[i]);
    if (cursor->oracle)
        sqlite3_str_appendall(names, ", m.position");
    return sqlite3_str_finish(names);
}

static sf_status prepare_rows(sf_cursor *cursor, size_t count, const char *const *columns)
{
    SF_TRY(ask_oracle(cursor, count, columns));
    cursor->count = count;
    char *list = list_columns(cursor, columns);
    if (!list && count > 0)
        return sf_database_fail(cursor->store->database, SQLITE_NOMEM, "reading");
    sf_status status = // this grid, even if another one is run meanwhile
        sf_database_prepare(
            cursor->store->database, &cursor->rows,
            "SELECT %s%sm.position, p.status FROM member m LEFT JOIN point p ON p.id = m.point"
            " WHERE m.grid = %lld ORDER BY m.position",
            list ? list : "", list ? ", " : "", (long long)cursor->store->grid);
    sqlite3_free(list);
    return status;
}

sf_status sf_store_select(sf_store *store, size_t count, const char *const *columns, sf_cursor **out)
{
    *out = NULL;
    sf_cursor *cursor = SF_NEW(store->context, sf_cursor);
    if (!cursor)
        return SF_ERR_MEMORY;
    cursor->store = store;
    sf_status status = prepare_rows(cursor, count, columns);
    if (status != SF_OK)
        sf_cursor_close(&cursor);
    *out = cursor;
    return status;
}

static sf_cell name_cell(const char *name)
{
    return (sf_cell){.kind = name ? SF_CELL_TEXT : SF_CELL_NULL, .real = NAN, .text = name};
}

static sf_status predict_row(sf_cursor *cursor, sf_cell *cells)
{
    const char *regime, *limit;
    uint64_t position = (uint64_t)sqlite3_column_int64(cursor->rows, (int)cursor->count);
    SF_TRY(sf_oracle_ask(cursor->oracle, position, &regime, &limit));
    if (cursor->regime != SIZE_MAX)
        cells[cursor->regime] = name_cell(regime);
    if (cursor->limit != SIZE_MAX)
        cells[cursor->limit] = name_cell(limit);
    return SF_OK;
}

/* A row that is one: its point is there, and no cell holds bytes. */
static sf_status check_row(const sf_cursor *cursor)
{
    int last = sqlite3_column_count(cursor->rows) - 1;
    for (int i = 0; i < last - 1; i++)
        if (sqlite3_column_type(cursor->rows, i) == SQLITE_BLOB)
            return sf_fail(
                cursor->store->context, SF_ERR_DATA,
                "'%s' is damaged: table point, position %lld: '%s' holds bytes, expected a number or a text",
                cursor->store->database->path, sqlite3_column_int64(cursor->rows, last - 1),
                sqlite3_column_name(cursor->rows, i));
    const char *status = (const char *)sqlite3_column_text(cursor->rows, last);
    if (status && (strcmp(status, "done") == 0 || strcmp(status, "failed") == 0))
        return SF_OK;
    return sf_fail(cursor->store->context, SF_ERR_DATA,
                   "'%s' is damaged: table member, position %lld: its point is missing or has no status",
                   cursor->store->database->path, sqlite3_column_int64(cursor->rows, last - 1));
}

sf_status sf_cursor_next(sf_cursor *cursor, sf_cell *cells, bool *more)
{
    int code = sqlite3_step(cursor->rows);
    *more = code == SQLITE_ROW;
    if (*more)
        SF_TRY(check_row(cursor));
    for (size_t i = 0; i < cursor->count && *more; i++)
        cells[i] = sf_column_cell(cursor->rows, (int)i);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return sf_database_fail(cursor->store->database, code, "reading");
    return *more && cursor->oracle ? predict_row(cursor, cells) : SF_OK;
}

void sf_cursor_close(sf_cursor **cursor)
{
    if (!cursor || !*cursor)
        return;
    sqlite3_finalize((*cursor)->rows);
    sf_oracle_destroy(&(*cursor)->oracle);
    sf_free((*cursor)->store->context, *cursor);
    *cursor = NULL;
}

/* ---- status --------------------------------------------------------------------------------------------- */

static const char *state_name(const char *text, bool running)
{
    static const char *const known[] = {"finished", "waiting", "interrupted", "failed"};
    for (int i = 0; i < 4; i++)
        if (strcmp(text, known[i]) == 0)
            return known[i];
    return running ? "running" : "lost";
}

sf_status sf_store_get_status(sf_store *store, sf_store_status *status)
{
    *status = (sf_store_status){.rate = NAN, .seconds_left = NAN};
    sqlite3_stmt *row;
    SF_TRY(sf_database_prepare(
        store->database, &row,
        "SELECT state, started, updated, points, finished, reused, computed, failed FROM session"
        " ORDER BY id DESC LIMIT 1"));
    int code = sqlite3_step(row);
    if (code == SQLITE_ROW) {
        int64_t writer = sf_database_writer(store->database->path);
        status->running = writer != 0 && strcmp((const char *)sqlite3_column_text(row, 0), "running") == 0;
        status->process = status->running ? writer : -1;
        status->state = state_name((const char *)sqlite3_column_text(row, 0), status->running);
        status->started = sqlite3_column_double(row, 1);
        status->updated = sqlite3_column_double(row, 2);
        status->points = (uint64_t)sqlite3_column_int64(row, 3);
        status->failed = (uint64_t)sqlite3_column_int64(row, 7);
        uint64_t computed = (uint64_t)sqlite3_column_int64(row, 6);
        status->done = (uint64_t)(sqlite3_column_int64(row, 4) + sqlite3_column_int64(row, 5)) + computed;
        double seconds = status->updated - status->started;
        if (status->running && seconds > 0.0 && computed > 0) {
            status->rate = (double)computed / seconds;
            status->seconds_left = (double)(status->points - status->done) / status->rate;
        }
    }
    sqlite3_finalize(row);
    if (code == SQLITE_DONE)
        return sf_fail(store->context, SF_ERR_DATA, "'%s' holds no sweep: its run ended before it began",
                       store->database->path);
    return code == SQLITE_ROW ? SF_OK : sf_database_fail(store->database, code, "reading");
}
