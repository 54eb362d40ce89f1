/* Stands in for the room in a build without SAMFLOW_WITH_SQLITE: what makes a sweep or opens a result file says so, and
 * the rest is never called with one. */
#include <samflow/sweep.h>

#include "base/base.h"

static sf_status unavailable(sf_context *context)
{
    return sf_fail(context, SF_ERR_UNAVAILABLE,
                   "this samflow was built without SAMFLOW_WITH_SQLITE, which keeps the results of sweeps");
}

sf_status sf_sweep_read(sf_context *context, const char *path, size_t count, const char *const *overrides,
                        sf_sweep **out)
{
    (void)path;
    (void)count;
    (void)overrides;
    *out = NULL;
    return unavailable(context);
}

sf_status sf_sweep_parse(sf_context *context, const char *name, const char *text, size_t count,
                         const char *const *overrides, sf_sweep **out)
{
    (void)name;
    (void)text;
    (void)count;
    (void)overrides;
    *out = NULL;
    return unavailable(context);
}

sf_status sf_store_open(sf_context *context, const char *path, sf_store **out)
{
    (void)path;
    *out = NULL;
    return unavailable(context);
}

sf_status sf_store_merge(sf_context *context, const char *path, size_t count, const char *const *inputs)
{
    (void)path;
    (void)count;
    (void)inputs;
    return unavailable(context);
}

void sf_sweep_destroy(sf_sweep **sweep)
{
    (void)sweep;
}

uint64_t sf_sweep_points(const sf_sweep *sweep)
{
    (void)sweep;
    return 0;
}

int sf_sweep_levels(const sf_sweep *sweep)
{
    (void)sweep;
    return 0;
}

sf_status sf_sweep_plan(sf_sweep *sweep, const char *path, const sf_sweep_options *options,
                        sf_sweep_counts *counts)
{
    (void)sweep;
    (void)path;
    (void)options;
    (void)counts;
    return SF_ERR_UNAVAILABLE;
}

sf_status sf_sweep_run(sf_sweep *sweep, const char *path, const sf_sweep_options *options,
                       sf_sweep_counts *counts)
{
    (void)sweep;
    (void)path;
    (void)options;
    (void)counts;
    return SF_ERR_UNAVAILABLE;
}

sf_status sf_session_open(sf_sweep *sweep, const char *path, const sf_sweep_options *options,
                          sf_session **out)
{
    (void)sweep;
    (void)path;
    (void)options;
    (void)out;
    return SF_ERR_UNAVAILABLE;
}

sf_status sf_session_next(sf_session *session, size_t most, uint64_t *positions, size_t *count)
{
    (void)session;
    (void)most;
    (void)positions;
    (void)count;
    return SF_ERR_UNAVAILABLE;
}

bool sf_session_waits(const sf_session *session)
{
    (void)session;
    return false;
}

uint64_t sf_session_left(const sf_session *session)
{
    (void)session;
    return 0;
}

sf_status sf_session_store(sf_session *session, size_t size, const void *bytes)
{
    (void)session;
    (void)size;
    (void)bytes;
    return SF_ERR_UNAVAILABLE;
}

sf_status sf_session_close(sf_session **session, sf_status outcome, sf_sweep_counts *counts)
{
    (void)session;
    (void)outcome;
    (void)counts;
    return SF_ERR_UNAVAILABLE;
}

sf_status sf_sweep_compute(sf_sweep *sweep, size_t count, const uint64_t *positions, size_t *size,
                           void **bytes)
{
    (void)sweep;
    (void)count;
    (void)positions;
    (void)size;
    (void)bytes;
    return SF_ERR_UNAVAILABLE;
}

void sf_sweep_release(sf_sweep *sweep, void **bytes)
{
    (void)sweep;
    (void)bytes;
}

void sf_store_close(sf_store **store)
{
    (void)store;
}

size_t sf_store_axes(const sf_store *store)
{
    (void)store;
    return 0;
}

const sf_store_axis *sf_store_get_axis(const sf_store *store, size_t index)
{
    (void)store;
    (void)index;
    return NULL;
}

int sf_store_levels(const sf_store *store)
{
    (void)store;
    return 0;
}

bool sf_store_product(const sf_store *store)
{
    (void)store;
    return false;
}

const char *sf_store_experiment(const sf_store *store)
{
    (void)store;
    return NULL;
}

size_t sf_store_columns(const sf_store *store)
{
    (void)store;
    return 0;
}

const sf_store_column *sf_store_get_column(const sf_store *store, size_t index)
{
    (void)store;
    (void)index;
    return NULL;
}

sf_status sf_store_select(sf_store *store, size_t count, const char *const *columns, sf_cursor **out)
{
    (void)store;
    (void)count;
    (void)columns;
    (void)out;
    return SF_ERR_UNAVAILABLE;
}

sf_status sf_cursor_next(sf_cursor *cursor, sf_cell *cells, bool *more)
{
    (void)cursor;
    (void)cells;
    (void)more;
    return SF_ERR_UNAVAILABLE;
}

void sf_cursor_close(sf_cursor **cursor)
{
    (void)cursor;
}

sf_status sf_store_get_status(sf_store *store, sf_store_status *status)
{
    (void)store;
    (void)status;
    return SF_ERR_UNAVAILABLE;
}

sf_status sf_store_export(sf_store *store, const char *path)
{
    (void)store;
    (void)path;
    return SF_ERR_UNAVAILABLE;
}
