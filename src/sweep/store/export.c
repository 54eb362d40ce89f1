/* Result file -> CSV or HDF5, by the ending; written beside the target and renamed when complete. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "sweep/store/store.h"

static bool ends_with(const char *path, const char *ending)
{
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcasecmp(path + length - tail, ending) == 0;
}

static sf_status choose(sf_store *store, const char *path, sf_status (**write)(sf_store *, const char *))
{
    if (ends_with(path, ".csv"))
        *write = sf_store_write_csv;
    else if (ends_with(path, ".h5") || ends_with(path, ".hdf5"))
        *write = sf_store_write_hdf5;
    else if (ends_with(path, ".parquet"))
        return sf_fail(store->context, SF_ERR_UNAVAILABLE,
                       "samflow writes no Parquet. DuckDB does, from the CSV: samflow export %s -o TABLE.csv "
                       "&& duckdb -c \"COPY"
                       " (FROM 'TABLE.csv') TO '%s'\"",
                       store->database->path, path);
    else
        return sf_fail(store->context, SF_ERR_USAGE, "'%s' has no known ending; expected .csv or .h5", path);
    return SF_OK;
}

typedef struct export_job {
    sf_store *store;
    sf_status (*write)(sf_store *, const char *);
} export_job;

static sf_status run_job(const char *path, void *subject)
{
    const export_job *job = subject;
    return job->write(job->store, path);
}

sf_status sf_store_export(sf_store *store, const char *path)
{
    export_job job = {.store = store};
    SF_TRY(choose(store, path, &job.write));
    return sf_write_whole(store->context, path, run_job, &job);
}

/* ---- CSV (RFC 4180; numbers with 17 digits; what does not exist is empty) --------------------------------- */

static void write_text(FILE *stream, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

static void write_cell(FILE *stream, const sf_cell *cell)
{
    if (cell->kind == SF_CELL_REAL)
        fprintf(stream, "%.17g", cell->real);
    else if (cell->kind == SF_CELL_INTEGER)
        fprintf(stream, "%lld", (long long)cell->integer);
    else if (cell->kind == SF_CELL_TEXT)
        write_text(stream, cell->text);
}

static sf_status write_rows(sf_store *store, FILE *stream, const char **names, sf_cell *cells)
{
    sf_cursor *cursor;
    for (size_t i = 0; i < store->column_count; i++) {
        names[i] = store->columns[i].name;
        fputs(i ? "," : "", stream);
        write_text(stream, names[i]);
    }
    fputc('\n', stream);
    SF_TRY(sf_store_select(store, store->column_count, names, &cursor));
    sf_status status;
    bool more;
    while ((status = sf_cursor_next(cursor, cells, &more)) == SF_OK && more) {
        for (size_t i = 0; i < store->column_count; i++) {
            if (i > 0)
                fputc(',', stream);
            write_cell(stream, &cells[i]);
        }
        fputc('\n', stream);
        if (sf_cancelled(store->context)) {
            status = sf_fail(store->context, SF_ERR_CANCELLED, "interrupted");
            break;
        }
    }
    sf_cursor_close(&cursor);
    return status;
}

sf_status sf_store_write_csv(sf_store *store, const char *path)
{
    FILE *stream = fopen(path, "wb");
    if (!stream)
        return sf_fail(store->context, SF_ERR_IO, "cannot be written: %s", strerror(errno));
    const char **names = SF_ARRAY(store->context, store->column_count, const char *);
    sf_cell *cells = SF_ARRAY(store->context, store->column_count, sf_cell);
    sf_status status = names && cells ? write_rows(store, stream, names, cells) : SF_ERR_MEMORY;
    sf_free(store->context, names);
    sf_free(store->context, cells);
    bool bad = ferror(stream) != 0;
    bad = fclose(stream) != 0 || bad;
    if (status == SF_OK && bad)
        return sf_fail(store->context, SF_ERR_IO, "cannot be written: %s", strerror(errno));
    return status;
}
