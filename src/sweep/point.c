/* One point: its experiment is made, run as asked, and what is found goes into a row.
 *
 * The hash is that of the resolved settings, so it is known only after the experiment has been read, unless the sweep
 * is lean. A point whose settings are refused has no resolved settings; its hash is made of those of the first point
 * with the values of the axes as they are, and a mark.
 */
#include "sweep/variants.h"
#include "sweep/worker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- identity ------------------------------------------------------------------------------------------- */

static sf_status invalid_hash(sf_worker *worker, sf_hash *hash)
{
    const sf_sweep *sweep = worker->sweep;
    sf_leaves leaves = {.context = worker->context};
    sf_status status = SF_OK;
    for (size_t i = 0; i < sweep->leaves.count && status == SF_OK; i++)
        status = sf_leaves_put(&leaves, sweep->leaves.items[i].path, sweep->leaves.items[i].number,
                               sweep->leaves.items[i].text);
    for (size_t i = 0; i < sweep->grid->axis_count && status == SF_OK; i++)
        status = sf_leaves_put(&leaves, sweep->grid->axes[i].key, worker->values[i].number,
                               worker->values[i].text);
    if (status == SF_OK)
        status = sf_leaves_put(&leaves, SF_LEAF_INVALID, 1.0, NULL);
    if (status == SF_OK)
        status = sf_leaves_hash(&leaves, hash);
    sf_leaves_release(&leaves);
    return status;
}

/* Of worker->values; experiment: already made, or NULL. */
static sf_status hash_values(sf_worker *worker, const sf_experiment *experiment, sf_hash *hash)
{
    if (worker->sweep->lean) {
        *hash = sf_sweep_lean_hash(worker->sweep, worker->values, worker->hashes);
        return SF_OK;
    }
    sf_experiment *made = NULL;
    if (!experiment) {
        sf_status refused =
            sf_sweep_experiment(worker->sweep, worker->context, worker->values, 0, NULL, &made);
        if (refused == SF_ERR_MEMORY || refused == SF_ERR_CANCELLED)
            return refused;
        if (refused != SF_OK)
            return invalid_hash(worker, hash);
        experiment = made;
    }
    sf_leaves leaves;
    sf_status status = sf_sweep_leaves(worker->sweep, worker->context, experiment, &leaves, NULL);
    if (status == SF_OK)
        status = sf_leaves_hash(&leaves, hash);
    sf_leaves_release(&leaves);
    sf_experiment_destroy(&made);
    return status;
}

/* The worker that computes a point: its own, or that of its variant. */
static sf_status worker_of(sf_worker *worker, size_t variant, sf_worker **of)
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

sf_status sf_point_hash(sf_sweep *sweep, uint64_t position, sf_hash *hash)
{
    if (!sweep->worker)
        SF_TRY(sf_worker_create(sweep, 0, &sweep->worker));
    sf_worker *worker;
    SF_TRY(worker_of(sweep->worker, sweep->variants ? sf_variant_of(sweep, position) : SIZE_MAX, &worker));
    sf_grid_values(sweep->grid, position, worker->values);
    sf_status status = hash_values(worker, NULL, hash);
    return status == SF_OK ? SF_OK
                           : sf_fail(sweep->context, status, "%s", sf_context_message(worker->context));
}

/* ---- the general way ------------------------------------------------------------------------------------ */

static sf_status run_experiment(sf_worker *worker, sf_experiment *experiment, sf_finding *finding)
{
    sf_trajectory *trajectory = NULL;
    sf_status status = sf_experiment_run(experiment, &trajectory);
    if (status == SF_OK)
        status =
            sf_findings_measure(&worker->findings, worker->sweep->measure, experiment, trajectory, finding);
    sf_trajectory_destroy(&trajectory);
    return status;
}

/* Runs it and asks theory, as far as the observables need. */
static sf_status find_out(sf_worker *worker, sf_experiment *experiment, sf_finding *finding)
{
    unsigned needs = worker->sweep->measure->needs;
    bool exact = sf_experiment_mode(experiment) == SF_MODE_EXACT;
    bool told = needs & (SF_NEED_REGIME | SF_NEED_ORDER | SF_NEED_LIMIT); // by theory in exact mode
    if ((needs & SF_NEED_RUN) || (!exact && told))
        SF_TRY(run_experiment(worker, experiment, finding));
    if ((needs & SF_NEED_THEORY) || (exact && told)) {
        sf_perturbation perturbation = sf_experiment_perturbation(experiment);
        const double *start = sf_experiment_start(experiment);
        if (!start)
            return SF_ERR_MEMORY;
        SF_TRY(sf_findings_predict(&worker->findings, sf_experiment_network(experiment), &perturbation, start,
                                   exact, finding));
    }
    return SF_OK;
}

static sf_status check_features(sf_worker *worker, const sf_experiment *experiment)
{
    size_t d = sf_dataset_features(sf_experiment_dataset(experiment));
    if (d == worker->sweep->measure->features)
        return SF_OK;
    return sf_fail(worker->context, SF_ERR_CONFIG, "the point has %zu features, the first one has %zu", d,
                   worker->sweep->measure->features);
}

/* The override that makes a run record the times of beta, those that it reaches; false if there are none. */
static bool list_times(sf_worker *worker, const sf_experiment *experiment)
{
    const sf_measure *measure = worker->sweep->measure;
    bool discrete = sf_experiment_mode(experiment) == SF_MODE_DISCRETE;
    double end = discrete ? (double)sf_experiment_steps(experiment) : INFINITY;
    size_t listed = 0, used = 0;
    for (size_t i = 0; i < measure->time_count && measure->times[i] <= end; i++, listed++) {
        if (i == 0)
            used = (size_t)snprintf(worker->times, worker->times_room, "record.at.%s=[", measure->clock);
        used += (size_t)snprintf(worker->times + used, worker->times_room - used, "%s%.17g", i ? ", " : "",
                                 measure->times[i]);
    }
    snprintf(worker->times + used, worker->times_room - used, "]");
    return listed > 0;
}

static sf_status investigate(sf_worker *worker, sf_hash *hash, sf_finding *finding)
{
    sf_experiment *experiment = NULL;
    const char *extra[] = {worker->times};
    sf_status status =
        sf_sweep_experiment(worker->sweep, worker->context, worker->values, 0, NULL, &experiment);
    if (status == SF_OK || status == SF_ERR_CONFIG || status == SF_ERR_DATA || status == SF_ERR_ARGUMENT) {
        sf_status refused = status; // its message stays in the context: hashing succeeds or fails for memory
        bool valid = refused == SF_OK || worker->sweep->lean;
        status = valid ? hash_values(worker, experiment, hash) : invalid_hash(worker, hash);
        if (status == SF_OK)
            status = refused;
    }
    if (status == SF_OK)
        status = check_features(worker, experiment);
    if (status == SF_OK && list_times(worker, experiment)) {
        sf_experiment_destroy(&experiment);
        status = sf_sweep_experiment(worker->sweep, worker->context, worker->values, 1, extra, &experiment);
    }
    if (status == SF_OK)
        status = find_out(worker, experiment, finding);
    sf_experiment_destroy(&experiment);
    return status;
}

/* ---- rows ----------------------------------------------------------------------------------------------- */

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

static sf_status append_row(sf_worker *worker, sf_row *row, const sf_finding *finding, sf_rows *rows)
{
    row->cells = worker->cells;
    row->outcome = finding->outcome;
    SF_TRY(fill_cells(worker, finding));
    return sf_rows_append(rows, row, worker->sweep->measure->column_count);
}

sf_status sf_worker_append(sf_worker *worker, uint64_t position, const sf_hash *hash,
                           const sf_finding *finding, sf_rows *rows)
{
    sf_row row = {.position = position, .hash = *hash};
    return append_row(worker, &row, finding, rows);
}

sf_status sf_worker_point(sf_worker *worker, uint64_t position, sf_rows *rows)
{
    sf_finding finding = sf_finding_make();
    sf_row row = {.position = position};
    sf_grid_values(worker->sweep->grid, position, worker->values);
    sf_status status = investigate(worker, &row.hash, &finding);
    if (status == SF_ERR_MEMORY || status == SF_ERR_CANCELLED)
        return status;
    if (status != SF_OK) {
        row.failed = true;
        row.reason = sf_context_message(worker->context);
        finding = sf_finding_make();
    }
    return append_row(worker, &row, &finding, rows);
}

void sf_worker_set(sf_worker *worker, uint64_t position)
{
    const sf_sweep *sweep = worker->sweep;
    sf_grid_values(sweep->grid, position, worker->values);
    sf_setup_put(&worker->setup, sweep->targets, sweep->grid->axis_count, worker->values);
}

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
    size_t begin[SF_MOST_VARIANTS + 1];
    SF_TRY(sort_block(worker, count, positions, begin));
    for (size_t v = 0; v < worker->sweep->variants->count; v++) {
        sf_worker *own;
        size_t part = begin[v + 1] - begin[v];
        if (part == 0)
            continue;
        SF_TRY(worker_of(worker, v, &own));
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
