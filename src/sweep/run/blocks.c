#include "sweep/run/blocks.h"

#include "sweep/run/point.h"
#include "sweep/run/variants.h"

static sf_status compute_alike(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows)
{
    if (worker->sweep->way == SF_WAY_THEORY)
        return sf_worker_theory(worker, count, positions, rows);
    if (worker->sweep->way == SF_WAY_BATCH)
        return sf_worker_batch(worker, count, positions, rows);
    for (size_t i = 0; i < count; i++) {
        if (sf_cancelled(worker->context))
            return sf_fail(worker->context, SF_ERR_CANCELLED, "interrupted");
        SF_TRY(sf_worker_point(worker, positions[i], rows));
    }
    return SF_OK;
}

/* The positions of a block variant by variant, in their order. */
static sf_status sort_block(sf_worker *worker, size_t count, const uint64_t *positions, size_t *begin)
{
    const sf_sweep *sweep = worker->sweep;
    if (count > worker->room_sorted) {
        uint64_t *sorted = sf_resize(worker->context, worker->sorted, count, sizeof *sorted);
        if (!sorted)
            return SF_ERR_MEMORY;
        worker->sorted = sorted;
        worker->room_sorted = count;
    }
    size_t at[SF_MOST_VARIANTS] = {0}, sum = 0;
    for (size_t i = 0; i < count; i++)
        at[sf_variant_of(sweep, positions[i])]++;
    for (size_t v = 0; v < sweep->variants->count; v++) {
        size_t of_variant = at[v];
        begin[v] = at[v] = sum;
        sum += of_variant;
    }
    begin[sweep->variants->count] = sum;
    for (size_t i = 0; i < count; i++)
        worker->sorted[at[sf_variant_of(sweep, positions[i])]++] = positions[i];
    return SF_OK;
}

sf_status sf_worker_compute(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows)
{
    if (!worker->sweep->variants)
        return compute_alike(worker, count, positions, rows);
    size_t begin[SF_MOST_VARIANTS + 1] = {0};
    SF_TRY(sort_block(worker, count, positions, begin));
    for (size_t v = 0; v < worker->sweep->variants->count; v++) {
        sf_worker *own;
        size_t part = begin[v + 1] - begin[v];
        if (part == 0)
            continue;
        SF_TRY(sf_worker_of(worker, v, &own));
        sf_status status = compute_alike(own, part, worker->sorted + begin[v], rows);
        if (status != SF_OK)
            return own == worker ? status
                                 : sf_fail(worker->context, status, "%s", sf_context_message(own->context));
    }
    return SF_OK;
}

/* ---- for callers with a transport of their own ---------------------------------------------------------- */

sf_status sf_sweep_compute(sf_sweep *sweep, size_t count, const uint64_t *positions, size_t *size,
                           void **bytes)
{
    *bytes = NULL;
    *size = 0;
    if (!sweep->worker)
        SF_TRY(sf_worker_create(sweep, 0, &sweep->worker));
    sf_rows rows = {.context = sweep->context};
    sf_status status = sf_worker_compute(sweep->worker, count, positions, &rows);
    if (status != SF_OK) {
        sf_rows_release(&rows);
        return sf_fail(sweep->context, status, "%s", sf_context_message(sweep->worker->context));
    }
    *bytes = rows.bytes;
    *size = rows.size;
    return SF_OK;
}

void sf_sweep_release(sf_sweep *sweep, void **bytes)
{
    sf_free(sweep->context, *bytes);
    *bytes = NULL;
}
