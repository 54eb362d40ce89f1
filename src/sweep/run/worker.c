#include "sweep/run/worker.h"

#include "sweep/run/variants.h"

enum { TEXT_ROOM = 1 << 16, NAME_SIZE = 64 };

/* ---- create and destroy --------------------------------------------------------------------------------- */

static sf_status prepare_lean(sf_worker *worker)
{
    const sf_experiment *first = worker->sweep->first;
    size_t d = worker->sweep->measure->features;
    const sf_network *network = sf_experiment_network(first);
    SF_TRY(sf_setup_create(worker->context, first, &worker->setup));
    worker->ones = SF_ARRAY(worker->context, d, double);
    worker->predictor = SF_ARRAY(worker->context, d, double);
    if (!worker->ones || !worker->predictor)
        return SF_ERR_MEMORY;
    for (size_t j = 0; j < d; j++)
        worker->ones[j] = 1.0;
    if (worker->sweep->way != SF_WAY_BATCH)
        return SF_OK;
    return sf_network_create(worker->context, sf_experiment_dataset(first), sf_network_depth(network),
                             sf_network_loss(network), &worker->network);
}

static sf_status fill_worker(sf_worker *worker)
{
    const sf_sweep *sweep = worker->sweep;
    worker->room = TEXT_ROOM;
    worker->values = SF_ARRAY(worker->context, sweep->grid->axis_count, grid_value);
    worker->hashes = SF_ARRAY(worker->context, sweep->leaves.count, sf_hash);
    worker->cells = SF_ARRAY(worker->context, sweep->measure->column_count, sf_cell);
    worker->text = SF_ARRAY(worker->context, worker->room, char);
    if (!worker->values || !worker->hashes || !worker->cells || !worker->text)
        return SF_ERR_MEMORY;
    worker->times_room = NAME_SIZE + 32 * sweep->measure->time_count;
    if (!(worker->times = SF_ARRAY(worker->context, worker->times_room, char)))
        return SF_ERR_MEMORY;
    SF_TRY(sf_findings_create(worker->context, sweep->measure->features, sweep->measure->time_count,
                              &worker->findings));
    if (sweep->variants && !(worker->variants = sf_alloc_zero(worker->context, sweep->variants->count,
                                                              sizeof *worker->variants)))
        return SF_ERR_MEMORY;
    return sweep->way == SF_WAY_GENERAL ? SF_OK : prepare_lean(worker);
}

sf_status sf_worker_create(const sf_sweep *sweep, size_t number, sf_worker **out)
{
    *out = NULL;
    sf_worker *worker = SF_NEW(sweep->context, sf_worker);
    if (!worker)
        return SF_ERR_MEMORY;
    worker->sweep = sweep;
    worker->number = number;
    sf_status status = sf_context_fork(sweep->context, &worker->context);
    if (status == SF_OK)
        status = fill_worker(worker);
    if (status != SF_OK)
        sf_worker_destroy(&worker);
    *out = worker;
    return status;
}

void sf_worker_destroy(sf_worker **worker)
{
    if (!worker || !*worker)
        return;
    sf_worker *w = *worker;
    if (w->context) {
        for (size_t i = 0; w->variants && i < w->sweep->variants->count; i++)
            sf_worker_destroy(&w->variants[i]);
        sf_free(w->context, w->variants);
        sf_free(w->context, w->sorted);
        sf_findings_release(&w->findings);
        sf_setup_release(w->context, &w->setup);
        sf_network_destroy(&w->network);
        sf_free(w->context, w->ones);
        sf_free(w->context, w->predictor);
        sf_free(w->context, w->values);
        sf_free(w->context, w->hashes);
        sf_free(w->context, w->cells);
        sf_free(w->context, w->text);
        sf_free(w->context, w->times);
    }
    sf_context_destroy(&w->context);
    sf_free(w->sweep->context, w);
    *worker = NULL;
}

sf_context *sf_worker_context(sf_worker *worker)
{
    return worker->context;
}

sf_status sf_worker_of(sf_worker *worker, size_t variant, sf_worker **of)
{
    const sf_sweep *sweep = variant == SIZE_MAX ? NULL : worker->sweep->variants->items[variant];
    *of = worker;
    if (!sweep)
        return SF_OK;
    if (!worker->variants[variant])
        SF_TRY(sf_worker_create(sweep, worker->number, &worker->variants[variant]));
    *of = worker->variants[variant];
    return SF_OK;
}

/* ---- a point and its row -------------------------------------------------------------------------------- */

void sf_worker_set(sf_worker *worker, uint64_t position)
{
    const sf_sweep *sweep = worker->sweep;
    sf_grid_values(sweep->grid, position, worker->values);
    sf_setup_put(&worker->setup, sweep->targets, sweep->grid->axis_count, worker->values);
}

/* The cells, with more room for their lists if need be. */
static sf_status fill_cells(sf_worker *worker, const sf_finding *finding)
{
    size_t used = 0;
    while (!sf_measure_cells(worker->sweep->measure, finding, worker->cells, worker->text, worker->room,
                             &used)) {
        char *text = sf_resize(worker->context, worker->text, 4 * worker->room, 1);
        if (!text)
            return SF_ERR_MEMORY;
        worker->text = text;
        worker->room *= 4;
        used = 0;
    }
    return SF_OK;
}

sf_status sf_worker_append(sf_worker *worker, sf_row *row, const sf_finding *finding, sf_rows *rows)
{
    row->cells = worker->cells;
    row->outcome = finding->outcome;
    SF_TRY(fill_cells(worker, finding));
    return sf_rows_append(rows, row, worker->sweep->measure->column_count);
}
