#define _GNU_SOURCE // locks of open file descriptions
#include "sweep/store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/store/check.h"

/* ---- the lock ------------------------------------------------------------------------------------------- */

/* Locks of the open file description, where there are such: a lock of the process would be dropped by whoever closes the file
 * in the same process, as asking for the status does. The file holds the number of the process, which such locks do not tell. */
#ifdef F_OFD_SETLK
enum { SET_LOCK = F_OFD_SETLK, GET_LOCK = F_OFD_GETLK };
#else
enum { SET_LOCK = F_SETLK, GET_LOCK = F_GETLK };
#endif

static struct flock whole_file(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

static bool lock_name(const char *path, char *name, size_t size)
{
    return (size_t)snprintf(name, size, "%s-lock", path) < size;
}

static int64_t read_process(int file)
{
    char text[32] = "";
    ssize_t got = pread(file, text, sizeof text - 1, 0);
    long long process = got > 0 ? strtoll(text, NULL, 10) : 0;
    return process > 0 ? process : -1;
}

int64_t sf_database_writer(const char *path)
{
    char name[4096];
    int file =
        lock_name(path, name, sizeof name) ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    if (file < 0)
        return 0;
    struct flock lock = whole_file(F_RDLCK);
    int got = fcntl(file, GET_LOCK, &lock);
    int64_t process = got != 0 ? -1 : lock.l_type == F_UNLCK ? 0 : read_process(file);
    close(file);
    return process;
}

static void write_process(int file)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%lld\n", (long long)getpid());
    if (ftruncate(file, 0) != 0 || pwrite(file, text, (size_t)length, 0) != length)
        return; // a full disk: the lock holds, its owner is not told
}

/* The file may be unlinked between open and lock by a writer that ends; then the lock is one of nothing. */
static sf_status take_lock(sf_database *database)
{
    char name[4096];
    if (!lock_name(database->path, name, sizeof name))
        return sf_fail(database->context, SF_ERR_IO, "'%s': the name is too long", database->path);
    for (;;) {
        int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
        if (file < 0)
            return sf_fail(database->context, SF_ERR_IO, "'%s' cannot be written: %s", name, strerror(errno));
        struct stat mine, there;
        if (fstat(file, &mine) != 0 || !S_ISREG(mine.st_mode) || mine.st_nlink > 1) {
            close(file);
            return sf_fail(database->context, SF_ERR_IO, "'%s' is not a lock file of samflow", name);
        }
        struct flock lock = whole_file(F_WRLCK);
        if (fcntl(file, SET_LOCK, &lock) != 0) {
            int64_t process = read_process(file);
            close(file);
            return sf_fail(
                database->context, SF_ERR_IO,
                "another process (%lld) is writing to '%s'; wait for it, or see samflow sweep --status %s",
                (long long)process, database->path, database->path);
        }
        if (stat(name, &there) == 0 && mine.st_ino == there.st_ino && mine.st_dev == there.st_dev) {
            write_process(file);
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

static sf_status fail_damaged(sf_database *database)
{
    char detail[256], where[128];
    snprintf(detail, sizeof detail, "%s", sqlite3_errmsg(database->handle)); // before it is asked again
    sf_database_locate(database, where, sizeof where);
    return sf_fail(database->context, SF_ERR_DATA, "'%s' is damaged (%s): %s", database->path, detail, where);
}

sf_status sf_database_fail(sf_database *database, int code, const char *what)
{
    const char *detail = sqlite3_errmsg(database->handle);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return sf_fail(database->context, SF_ERR_MEMORY, "out of memory: %s '%s'", what, database->path);
    case SQLITE_INTERRUPT:
        return sf_fail(database->context, SF_ERR_CANCELLED, "interrupted: %s '%s'", what, database->path);
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
        return sf_fail(database->context, SF_ERR_DATA, "'%s' is not a result file of samflow sweep (%s)",
                       database->path, detail);
    case SQLITE_CORRUPT:
        return fail_damaged(database);
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_FORMAT:
        return sf_fail(database->context, SF_ERR_DATA,
                       "%s '%s': %s: not as a result file of samflow should be", what, database->path,
                       detail);
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
    "CREATE TABLE file(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;"
    "INSERT INTO file VALUES('format', 'samflow sweep'), ('schema', '2');"
    "CREATE TABLE grid(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, version TEXT NOT NULL, name TEXT "
    "NOT NULL,"
    " text TEXT NOT NULL, settings TEXT NOT NULL, points INTEGER NOT NULL, levels INTEGER NOT NULL,"
    " created TEXT NOT NULL) STRICT;"
    "CREATE TABLE axis(grid INTEGER NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,"
    " factor INTEGER NOT NULL, count INTEGER NOT NULL, geometric INTEGER NOT NULL, PRIMARY KEY(grid, number))"
    " WITHOUT ROWID, STRICT;"
    "CREATE TABLE setting(name TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID, STRICT;"
    "CREATE TABLE observed(id INTEGER PRIMARY KEY, observables TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE point(id INTEGER PRIMARY KEY, hash BLOB NOT NULL CHECK(length(hash) = 16), grid INTEGER "
    "NOT "
    "NULL,"
    " status TEXT NOT NULL CHECK(status IN ('done', 'failed')), reason TEXT, outcome TEXT, observed INTEGER)"
    " STRICT;"
    "CREATE TABLE member(grid INTEGER NOT NULL, position INTEGER NOT NULL CHECK(position >= 0), point "
    "INTEGER "
    "NOT NULL,"
    " PRIMARY KEY(grid, position)) WITHOUT ROWID, STRICT;"
    "CREATE TABLE session(id INTEGER PRIMARY KEY, grid INTEGER NOT NULL, state TEXT NOT NULL, started REAL "
    "NOT NULL,"
    " updated REAL NOT NULL, host TEXT, process INTEGER, threads INTEGER, shard TEXT, build TEXT,"
    " points INTEGER NOT NULL, finished INTEGER NOT NULL, reused INTEGER NOT NULL, computed INTEGER NOT NULL,"
    " failed INTEGER NOT NULL) STRICT;";

/* A file of unknown origin runs nothing: no triggers, views, virtual tables or functions with effects of its own, and SQLite
 * looks at every cell before it uses it. */
static sf_status distrust(sf_database *database)
{
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    return sf_database_execute(database, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0");
}

static int is_cancelled(void *context)
{
    return sf_cancelled(context);
}

void sf_database_heed(sf_database *database, bool heed)
{
    enum { INSTRUCTIONS = 100000 };
    sqlite3_progress_handler(database->handle, heed ? INSTRUCTIONS : 0, heed ? is_cancelled : NULL,
                             database->context);
}

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
    database->schema = (int)(version >= 1 && version <= SF_DATABASE_SCHEMA ? version : 0);
    if (database->schema == 0)
        return sf_fail(database->context, SF_ERR_DATA,
                       "'%s' has schema %lld; this samflow reads and writes schemas 1 to %d", database->path,
                       (long long)version, SF_DATABASE_SCHEMA);
    return sf_database_check(database);
}

static sf_status set_up(sf_database *database)
{
    sqlite3_busy_timeout(database->handle, 60000);
    SF_TRY(distrust(database));
    sf_status status = check_format(database);
    if (status != SF_OK && status != SF_ERR_UNAVAILABLE)
        return status;
    SF_TRY(sf_database_execute(database, "PRAGMA journal_mode=%s", database->rollback ? "TRUNCATE" : "WAL"));
    SF_TRY(sf_database_execute(database, "PRAGMA synchronous=FULL; PRAGMA cache_size=-262144;"
                                         "PRAGMA wal_autocheckpoint=4096; PRAGMA temp_store=MEMORY"));
    if (status == SF_OK)
        return SF_OK;
    database->schema = SF_DATABASE_SCHEMA;
    return sf_database_execute(database, "BEGIN IMMEDIATE;%sCOMMIT", schema);
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
        sf_database_heed(database, true);
        status = distrust(database);
        if (status == SF_OK)
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

/* ---- the index of hashes ---------------------------------------------------------------------------------- */

/* Of points of one hash the first that is done stays, else the first; the others' positions become its. */
static sf_status drop_twins(sf_database *database)
{
    SF_TRY(sf_database_execute(
        database,
        "CREATE TEMP TABLE twin AS SELECT * FROM (SELECT id, first_value(id) OVER (PARTITION BY hash"
        " ORDER BY status = 'failed', id) AS kept FROM main.point) WHERE id <> kept;"
        "CREATE UNIQUE INDEX temp.twin_id ON twin(id);"
        "UPDATE main.member SET point = (SELECT kept FROM temp.twin WHERE id = point) WHERE point IN"
        " (SELECT id FROM temp.twin);"
        "DELETE FROM main.point WHERE id IN (SELECT id FROM temp.twin)"));
    sf_log(database->context, SF_LOG_WARNING,
           "event=twins file=\"%s\" points=%d message=\"were in the file twice; one of each stays\"",
           database->path, sqlite3_changes(database->handle));
    return sf_database_execute(database, "DROP TABLE temp.twin");
}

sf_status sf_database_index(sf_database *database)
{
    static const char make[] = "CREATE UNIQUE INDEX IF NOT EXISTS main.point_hash ON point(hash)";
    int code = sqlite3_exec(database->handle, make, NULL, NULL, NULL);
    if ((code & 0xff) != SQLITE_CONSTRAINT)
        return code == SQLITE_OK ? SF_OK : sf_database_fail(database, code, "writing");
    SF_TRY(sf_database_execute(database, "SAVEPOINT twins"));
    sf_status status = drop_twins(database);
    if (status == SF_OK)
        status = sf_database_execute(database, make);
    if (status != SF_OK)
        sqlite3_exec(database->handle, "ROLLBACK TO twins", NULL, NULL, NULL);
    sqlite3_exec(database->handle, "RELEASE twins", NULL, NULL, NULL);
    return status;
}

/* ---- columns and the view ------------------------------------------------------------------------------- */

sf_status sf_database_add_column(sf_database *database, const char *name, const char *type)
{
    bool found;
    int64_t one;
    SF_TRY(sf_database_integer(database, &one, &found,
                               "SELECT 1 FROM pragma_table_info('point') WHERE name = %Q", name));
    return found ? SF_OK
                 : sf_database_execute(database, "ALTER TABLE main.point ADD COLUMN \"%w\" %s", name,
                                       *type || database->schema == 1 ? type : "ANY");
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
