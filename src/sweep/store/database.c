#include "sweep/store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the lock ------------------------------------------------------------------------------------------- */

static struct flock whole_file(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

static bool lock_name(const char *path, char *name, size_t size)
{
    return (size_t)snprintf(name, size, "%s-lock", path) < size;
}

int64_t sf_database_writer(const char *path)
{
    char name[4096];
    int file = lock_name(path, name, sizeof name) ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    struct flock lock = whole_file(F_RDLCK);
    int got = fcntl(file, F_GETLK, &lock);
    close(file);
    return got != 0 ? -1 : lock.l_type == F_UNLCK ? 0 : (int64_t)lock.l_pid;
}

/* The file may be unlinked between open and lock by a writer that ends; then the lock is one of nothing. */
static sf_status take_lock(sf_database *database)
{
    char name[4096];
    if (!lock_name(database->path, name, sizeof name))
        return sf_fail(database->context, SF_ERR_IO, "'%s': the name is too long", database->path);
    for (;;) {
        int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (file < 0)
            return sf_fail(database->context, SF_ERR_IO, "'%s' cannot be written: %s", name, strerror(errno));
        struct flock lock = whole_file(F_WRLCK);
        if (fcntl(file, F_SETLK, &lock) != 0) {
            close(file);
            return sf_fail(
                database->context, SF_ERR_IO,
                "another process (%lld) is writing to '%s'; wait for it, or see samflow sweep --status %s",
                (long long)sf_database_writer(database->path), database->path, database->path);
        }
        struct stat mine, there;
        if (fstat(file, &mine) == 0 && stat(name, &there) == 0 && mine.st_ino == there.st_ino &&
            mine.st_dev == there.st_dev) {
            database->lock = file;
            return SF_OK;
        }
        close(file);
    }
}

static void release_lock(sf_database *database)
{
    char name[4096];
    if (database->lock < 0)
        return;
    if (lock_name(database->path, name, sizeof name))
        unlink(name);
    close(database->lock);
    database->lock = -1;
}

/* ---- statements ----------------------------------------------------------------------------------------- */

sf_status sf_database_fail(sf_database *database, int code, const char *what)
{
    const char *detail = sqlite3_errmsg(database->handle);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return sf_fail(database->context, SF_ERR_MEMORY, "out of memory: %s '%s'", what, database->path);
    case SQLITE_FULL:
        return sf_fail(
            database->context, SF_ERR_IO,
            "%s '%s': no space left (%s). Free some and run the same command again; what is in the file is "
            "kept",
            what, database->path, detail);
    case SQLITE_IOERR:
        return sf_fail(
            database->context, SF_ERR_IO,
            "%s '%s': %s (disk full or a file size limit?). Run the same command again once this is mended; "
            "what is in the file is kept",
            what, database->path, detail);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return sf_fail(database->context, SF_ERR_DATA, "'%s' is not a result file of samflow sweep (%s)",
                       database->path, detail);
    case SQLITE_BUSY:
        return sf_fail(database->context, SF_ERR_IO, "%s '%s': another program holds it open for writing",
                       what, database->path);
    default:
        return sf_fail(database->context, SF_ERR_IO, "%s '%s': %s", what, database->path, detail);
    }
}

static sf_status format_sql(sf_database *database, const char *format, va_list arguments, char **sql)
{
    *sql = sqlite3_vmprintf(format, arguments);
    return *sql ? SF_OK : sf_fail(database->context, SF_ERR_MEMORY, "out of memory: SQL statement");
}

sf_status sf_database_execute(sf_database *database, const char *format, ...)
{
    char *sql;
    va_list arguments;
    va_start(arguments, format);
    sf_status status = format_sql(database, format, arguments, &sql);
    va_end(arguments);
    SF_TRY(status);
    int code = sqlite3_exec(database->handle, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    return code == SQLITE_OK ? SF_OK : sf_database_fail(database, code, "writing");
}

static sf_status prepare(sf_database *database, sqlite3_stmt **statement, const char *format,
                         va_list arguments)
{
    char *sql;
    *statement = NULL;
    SF_TRY(format_sql(database, format, arguments, &sql));
    int code = sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    sqlite3_free(sql);
    return code == SQLITE_OK ? SF_OK : sf_database_fail(database, code, "reading");
}

sf_status sf_database_prepare(sf_database *database, sqlite3_stmt **statement, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sf_status status = prepare(database, statement, format, arguments);
    va_end(arguments);
    return status;
}

sf_status sf_database_step(sf_database *database, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SF_OK : sf_database_fail(database, code, "writing");
}

sf_status sf_database_integer(sf_database *database, int64_t *value, bool *found, const char *format, ...)
{
    sqlite3_stmt *statement;
    va_list arguments;
    va_start(arguments, format);
    sf_status status = prepare(database, &statement, format, arguments);
    va_end(arguments);
    SF_TRY(status);
    int code = sqlite3_step(statement);
    bool any = code == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL;
    if (any)
        *value = sqlite3_column_int64(statement, 0);
    if (found)
        *found = any;
    sqlite3_finalize(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SF_OK : sf_database_fail(database, code, "reading");
}

bool sf_bind_cell(sqlite3_stmt *statement, int index, const sf_cell *cell)
{
    switch (cell->kind) {
    case SF_CELL_REAL:
        return sqlite3_bind_double(statement, index, cell->real) == SQLITE_OK;
    case SF_CELL_INTEGER:
        return sqlite3_bind_int64(statement, index, cell->integer) == SQLITE_OK;
    case SF_CELL_TEXT:
        return sqlite3_bind_text(statement, index, cell->text, -1, SQLITE_STATIC) == SQLITE_OK;
    default:
        return sqlite3_bind_null(statement, index) == SQLITE_OK;
    }
}

sf_cell sf_column_cell(sqlite3_stmt *statement, int column)
{
    sf_cell cell = {.kind = SF_CELL_NULL, .real = NAN};
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_FLOAT:
        cell = (sf_cell){.kind = SF_CELL_REAL, .real = sqlite3_column_double(statement, column)};
        break;
    case SQLITE_INTEGER:
        cell.kind = SF_CELL_INTEGER;
        cell.integer = sqlite3_column_int64(statement, column);
        cell.real = (double)cell.integer;
        break;
    case SQLITE_TEXT:
        cell.kind = SF_CELL_TEXT;
        cell.text = (const char *)sqlite3_column_text(statement, column);
        break;
    default:
        break;
    }
    return cell;
}

/* ---- open and close ------------------------------------------------------------------------------------- */

static const char schema[] =
    "CREATE TABLE file(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "INSERT INTO file VALUES('format', 'samflow sweep'), ('schema', '1');"
    "CREATE TABLE grid(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, version TEXT NOT NULL, name TEXT "
    "NOT NULL,"
    " text TEXT NOT NULL, settings TEXT NOT NULL, points INTEGER NOT NULL, levels INTEGER NOT NULL,"
    " created TEXT NOT NULL);"
    "CREATE TABLE axis(grid INTEGER NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,"
    " factor INTEGER NOT NULL, count INTEGER NOT NULL, geometric INTEGER NOT NULL, PRIMARY KEY(grid, number))"
    " WITHOUT ROWID;"
    "CREATE TABLE setting(name TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE observed(id INTEGER PRIMARY KEY, observables TEXT NOT NULL UNIQUE);"
    "CREATE TABLE point(id INTEGER PRIMARY KEY, hash BLOB NOT NULL, grid INTEGER NOT NULL, status "
    "TEXT NOT NULL,"
    " reason TEXT, outcome TEXT, observed INTEGER);"
    "CREATE TABLE member(grid INTEGER NOT NULL, position INTEGER NOT NULL, point INTEGER NOT NULL,"
    " PRIMARY KEY(grid, position)) WITHOUT ROWID;"
    "CREATE TABLE session(id INTEGER PRIMARY KEY, grid INTEGER NOT NULL, state TEXT NOT NULL, started REAL "
    "NOT NULL,"
    " updated REAL NOT NULL, host TEXT, process INTEGER, threads INTEGER, shard TEXT, build TEXT,"
    " points INTEGER NOT NULL, finished INTEGER NOT NULL, reused INTEGER NOT NULL, computed INTEGER NOT NULL,"
    " failed INTEGER NOT NULL);";

static sf_status check_format(sf_database *database)
{
    int64_t version = 0, tables = 0;
    SF_TRY(sf_database_integer(database, &tables, NULL, "SELECT count(*) FROM sqlite_master"));
    if (tables == 0)
        return SF_ERR_UNAVAILABLE; // an empty file: not yet made
    SF_TRY(sf_database_integer(
        database, &version, NULL,
        "SELECT count(*) FROM sqlite_master WHERE name IN ('file', 'grid', 'member', 'point')"));
    if (version == 4)
        SF_TRY(sf_database_integer(database, &version, NULL, "SELECT value FROM file WHERE key = 'schema'"));
    else
        return sf_fail(database->context, SF_ERR_DATA,
                       "'%s' is an SQLite database, but not a result file of samflow", database->path);
    if (version != SF_DATABASE_SCHEMA)
        return sf_fail(database->context, SF_ERR_DATA,
                       "'%s' has schema %lld; this samflow reads and writes schema %d", database->path,
                       (long long)version, SF_DATABASE_SCHEMA);
    return SF_OK;
}

static sf_status set_up(sf_database *database)
{
    sqlite3_busy_timeout(database->handle, 60000);
    sf_status status = check_format(database);
    if (status != SF_OK && status != SF_ERR_UNAVAILABLE)
        return status;
    SF_TRY(sf_database_execute(database, "PRAGMA journal_mode=%s", database->rollback ? "TRUNCATE" : "WAL"));
    SF_TRY(sf_database_execute(database, "PRAGMA synchronous=FULL; PRAGMA cache_size=-262144;"
                                         "PRAGMA wal_autocheckpoint=4096; PRAGMA temp_store=MEMORY"));
    if (status == SF_ERR_UNAVAILABLE)
        SF_TRY(sf_database_execute(database, "BEGIN IMMEDIATE;%sCOMMIT", schema));
    return SF_OK;
}

sf_status sf_database_open(sf_context *context, const char *path, bool write, bool rollback,
                           sf_database **out)
{
    *out = NULL;
    sf_database *database = SF_NEW(context, sf_database);
    if (!database)
        return SF_ERR_MEMORY;
    *database = (sf_database){.context = context, .lock = -1, .rollback = rollback};
    sf_status status = SF_ERR_MEMORY;
    if ((database->path = sf_strdup(context, path))) {
        status = write ? take_lock(database) : SF_OK;
        int flags = write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
        flags |= strncmp(path, "file:", 5) == 0 ? 0 : SQLITE_OPEN_URI; // for what is attached
        int code = status == SF_OK
                       ? sqlite3_open_v2(path, &database->handle, flags | SQLITE_OPEN_NOMUTEX, NULL)
                       : SQLITE_OK;
        if (code != SQLITE_OK)
            status = sf_fail(context, SF_ERR_IO, "'%s' cannot be opened: %s", path,
                             access(path, F_OK) != 0 && errno == ENOENT && !write ? "no such file"
                                                                                  : sqlite3_errstr(code));
    }
    if (status == SF_OK && write)
        status = set_up(database);
    if (status == SF_OK && !write) {
        sqlite3_busy_timeout(database->handle, 60000);
        status = check_format(database);
        if (status == SF_ERR_UNAVAILABLE)
            status = sf_fail(context, SF_ERR_DATA, "'%s' is empty, not a result file of samflow sweep", path);
    }
    if (status != SF_OK)
        sf_database_close(&database);
    *out = database;
    return status;
}

void sf_database_close(sf_database **database)
{
    if (!database || !*database)
        return;
    if ((*database)->handle && (*database)->lock >= 0 && !(*database)->rollback)
        sqlite3_exec((*database)->handle, "PRAGMA journal_mode=DELETE", NULL, NULL,
                     NULL); // fails while others read
    sqlite3_close((*database)->handle);
    release_lock(*database);
    sf_free((*database)->context, (*database)->path);
    sf_free((*database)->context, *database);
    *database = NULL;
}

sf_status sf_database_index(sf_database *database)
{
    return sf_database_execute(database, "CREATE UNIQUE INDEX IF NOT EXISTS main.point_hash ON point(hash)");
}

/* ---- columns and the view ------------------------------------------------------------------------------- */

sf_status sf_database_add_column(sf_database *database, const char *name, const char *type)
{
    bool found;
    int64_t one;
    SF_TRY(sf_database_integer(database, &one, &found,
                               "SELECT 1 FROM pragma_table_info('point') WHERE name = %Q", name));
    return found ? SF_OK
                 : sf_database_execute(database, "ALTER TABLE point ADD COLUMN \"%w\" %s", name, type);
}

sf_status sf_database_view(sf_database *database)
{
    sqlite3_stmt *columns;
    SF_TRY(sf_database_prepare(database, &columns,
                               "SELECT name FROM pragma_table_info('point') WHERE cid >= 7 ORDER BY"
                               " name NOT IN (SELECT name FROM setting), cid"));
    sqlite3_str *sql = sqlite3_str_new(database->handle);
    sqlite3_str_appendall(
        sql,
        "DROP VIEW IF EXISTS main.result; CREATE VIEW main.result AS SELECT m.position, p.status, p.reason,"
        " p.outcome");
    int code;
    while ((code = sqlite3_step(columns)) == SQLITE_ROW)
        sqlite3_str_appendf(sql, ", p.\"%w\"", sqlite3_column_text(columns, 0));
    sqlite3_finalize(columns);
    sqlite3_str_appendall(sql, " FROM member m JOIN point p ON p.id = m.point WHERE m.grid ="
                               " (SELECT grid FROM session ORDER BY id DESC LIMIT 1) ORDER BY m.position");
    char *text = sqlite3_str_finish(sql);
    if (code != SQLITE_DONE || !text) {
        sqlite3_free(text);
        return sf_database_fail(database, code == SQLITE_DONE ? SQLITE_NOMEM : code, "reading");
    }
    code = sqlite3_exec(database->handle, text, NULL, NULL, NULL);
    sqlite3_free(text);
    return code == SQLITE_OK ? SF_OK : sf_database_fail(database, code, "writing");
}
