/* Stands in for the room in a build without SAMFLOW_WITH_SQLITE: what makes a sweep or opens a result file says so, and
 * the rest is never called with one. */
#include <samflow/sweep.h>

#include "base/base.h"

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif

static sf_status unavailable(sf_context *context)
{
    return sf_fail(context, SF_ERR_UNAVAILABLE,
                   "this samflow was built without SAMFLOW_WITH_SQLITE, which keeps the results of sweeps");
}

sf_status sf_sweep_read(sf_context *context, const char *path, size_t count, const char *const *overrides,
                        sf_sweep **out)
{
    *out = NULL;
    return unavailable(context);
}

sf_status sf_sweep_parse(sf_context *context, const char *name, const char *text, size_t count,
                         const char *const *overrides, sf_sweep **out)
{
    *out = NULL;
    return unavailable(context);
}

sf_status sf_store_open(sf_context *context, const char *path, sf_store **out)
{
    *out = NULL;
    return unavailable(context);
}

sf_status sf_store_merge(sf_context *context, const char *path, size_t count, const char *const *inputs)
{
    return unavailable(context);
}

/* ---- never called ---- */

#define NEVER(type, value, name, ...)                                                                        \
    type name(__VA_ARGS__)                                                                                   \
    {                                                                                                        \
        return value;                                                                                        \
    }

NEVER(uint64_t, 0, sf_sweep_points, const sf_sweep *sweep)
NEVER(int, 0, sf_sweep_levels, const sf_sweep *sweep)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_sweep_plan, sf_sweep *sweep, const char *path,
      const sf_sweep_options *options, sf_sweep_counts *counts)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_sweep_run, sf_sweep *sweep, const char *path,
      const sf_sweep_options *options, sf_sweep_counts *counts)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_session_open, sf_sweep *sweep, const char *path,
      const sf_sweep_options *options, sf_session **out)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_session_next, sf_session *session, size_t most, uint64_t *positions,
      size_t *count)
NEVER(bool, false, sf_session_waits, const sf_session *session)
NEVER(uint64_t, 0, sf_session_left, const sf_session *session)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_session_store, sf_session *session, size_t size, const void *bytes)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_session_close, sf_session **session, sf_status outcome,
      sf_sweep_counts *counts)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_sweep_compute, sf_sweep *sweep, size_t count,
      const uint64_t *positions, size_t *size, void **bytes)
NEVER(size_t, 0, sf_store_axes, const sf_store *store)
NEVER(const sf_store_axis *, NULL, sf_store_get_axis, const sf_store *store, size_t index)
NEVER(int, 0, sf_store_levels, const sf_store *store)
NEVER(bool, false, sf_store_product, const sf_store *store)
NEVER(const char *, NULL, sf_store_experiment, const sf_store *store)
NEVER(size_t, 0, sf_store_columns, const sf_store *store)
NEVER(const sf_store_column *, NULL, sf_store_get_column, const sf_store *store, size_t index)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_store_select, sf_store *store, size_t count,
      const char *const *columns, sf_cursor **out)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_cursor_next, sf_cursor *cursor, sf_cell *cells, bool *more)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_store_rows, sf_store *store, uint64_t *rows)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_store_read, sf_store *store, size_t count, const char *const *columns,
      size_t room, double *const *values, size_t *rows)
NEVER(const char *const *, NULL, sf_store_texts, const sf_store *store, size_t c, size_t *count)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_store_get_status, sf_store *store, sf_store_status *status)
NEVER(sf_status, SF_ERR_UNAVAILABLE, sf_store_export, sf_store *store, const char *path)

void sf_sweep_destroy(sf_sweep **sweep)
{
}

void sf_sweep_release(sf_sweep *sweep, void **bytes)
{
}

void sf_store_close(sf_store **store)
{
}

void sf_cursor_close(sf_cursor **cursor)
{
}
