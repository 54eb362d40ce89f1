#include "sweep/run/worker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/experiment.h"

enum { TEXT_ROOM = 1 << 16 };

/* ---- create and destroy --------------------------------------------------------------------------------- */

static sf_status fill_worker(sf_worker *worker)
{
    const sf_sweep *sweep = worker->sweep;
    const sf_measure *measure = sweep->measure;
    worker->room = TEXT_ROOM;
    worker->cells = SF_ARRAY(worker->context, measure->column_count, sf_cell);
    worker->text = SF_ARRAY(worker->context, worker->room, char);
    worker->predictor = SF_ARRAY(worker->context, measure->features, double);
    if (!worker->cells || !worker->text || !worker->predictor)
        return SF_ERR_MEMORY;
    SF_TRY(sf_findings_create(worker->context, measure->features, measure->time_count, &worker->findings));
    return sf_probe_create(worker->context, sweep->grid, sweep->grid->settings, sweep->cache, &worker->probe);
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
        sf_findings_release(&w->findings);
        sf_probe_release(&w->probe);
        sf_free(w->context, w->sorted);
        sf_free(w->context, w->predictor);
        sf_free(w->context, w->cells);
        sf_free(w->context, w->text);
    }
    sf_context_destroy(&w->context);
    sf_free(w->sweep->context, w);
    *worker = NULL;
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

sf_status sf_worker_append(sf_worker *worker, sf_row *row, const sf_finding *finding, sf_rows *rows)
{
    row->cells = worker->cells;
    row->outcome = finding->outcome;
    SF_TRY(fill_cells(worker, finding));
    return sf_rows_append(rows, row, worker->sweep->measure->column_count);
}

/* ---- identities ----------------------------------------------------------------------------------------- */

static bool ends_all(sf_status status)
{
    return status == SF_ERR_MEMORY || status == SF_ERR_CANCELLED;
}

/* Sets the position; what is refused has an identity all the same. */
static sf_status identify(const sf_sweep *sweep, sf_point *point, uint64_t position, sf_hash *hash)
{
    sf_hash content;
    sf_status status = sf_point_set(point, position);
    if (status == SF_OK)
        status = sf_settings_content(point->settings, sweep->cache, &content);
    *hash = status == SF_OK ? sf_point_identity(point, &content)
                            : sf_point_refused_identity(sweep->grid, position, sweep->origin);
    return status;
}

sf_status sf_sweep_hash(sf_sweep *sweep, uint64_t position, sf_hash *hash)
{
    sf_status status = identify(sweep, &sweep->point, position, hash);
    return ends_all(status) ? status : SF_OK;
}

/* ---- a point by itself ---------------------------------------------------------------------------------- */

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
        const double *start = sf_experiment_initialization(experiment);
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

/* Records at the times of beta, those that the run reaches. */
static sf_status ask_for_times(const sf_measure *measure, sf_settings *settings)
{
    bool discrete = (settings->scope & SF_SCOPE_DISCRETE) != 0;
    double end = discrete ? settings->values[SF_SET_STEPS].number : INFINITY;
    char path[64];
    size_t count = 0;
    while (count < measure->time_count && measure->times[count] <= end)
        count++;
    if (count == 0)
        return SF_OK;
    snprintf(path, sizeof path, "record.at.%s", measure->clock);
    return sf_settings_set_numbers(settings, path, 1, count, measure->times);
}

static sf_status investigate(sf_worker *worker, uint64_t position, sf_hash *hash, sf_finding *finding)
{
    sf_experiment *experiment = NULL;
    sf_settings *settings;
    SF_TRY(identify(worker->sweep, &worker->probe.point, position, hash));
    SF_TRY(sf_settings_copy(worker->context, worker->probe.point.settings, &settings));
    sf_status status = ask_for_times(worker->sweep->measure, settings);
    if (status == SF_OK)
        status = sf_experiment_create(worker->context, settings, worker->sweep->cache, &experiment);
    sf_settings_destroy(&settings);
    if (status == SF_OK)
        status = check_features(worker, experiment);
    if (status == SF_OK)
        status = find_out(worker, experiment, finding);
    sf_experiment_destroy(&experiment);
    return status;
}

sf_status sf_worker_point(sf_worker *worker, uint64_t position, sf_rows *rows)
{
    sf_finding finding = sf_finding_make();
    sf_row row = {.position = position};
    sf_status status = investigate(worker, position, &row.hash, &finding);
    if (ends_all(status))
        return status;
    if (status != SF_OK) {
        row.failed = true;
        row.reason = sf_context_message(worker->context);
        finding = sf_finding_make();
    }
    return sf_worker_append(worker, &row, &finding, rows);
}

/* ---- points by theory alone ----------------------------------------------------------------------------- */

/* The scale of the numbers; that of the point before where the example is the same. *fresh: it was not known. */
static sf_status find_scale(sf_worker *worker, double *scale, bool *fresh)
{
    const sf_numbers *numbers = &worker->probe.numbers;
    size_t size = numbers->features * sizeof *numbers->example;
    *fresh = false;
    if (isnan(worker->scale) || memcmp(worker->predictor, numbers->example, size) != 0) {
        worker->scale = NAN;
        SF_TRY(sf_critical_find(worker->sweep->critical, worker->context, numbers, scale, fresh));
        worker->scale = *scale;
        memcpy(worker->predictor, numbers->example, size);
    }
    *scale = worker->scale;
    return SF_OK;
}

static sf_status theory_point(sf_worker *worker, uint64_t position, sf_rows *rows)
{
    sf_probe *probe = &worker->probe;
    double scale;
    bool fresh;
    sf_status status = sf_probe_move(probe, position);
    bool told = status == SF_OK && sf_critical_decides(&probe->numbers);
    if (told)
        status = find_scale(worker, &scale, &fresh);
    if (ends_all(status))
        return status;
    sf_finding finding = sf_finding_make();
    if (!told || status != SF_OK || !sf_critical_classify(&probe->numbers, scale, &finding))
        return sf_worker_point(worker, position, rows);
    sf_row row = {.position = position, .hash = sf_point_identity(&probe->point, &probe->frame->content)};
    return sf_worker_append(worker, &row, &finding, rows);
}

/* Scales that a block needs, from a place that differs from worker to worker, up to a stretch of known ones: two hardly
 * ever compute the same one, and if they do they get the same number. */
static sf_status prepare_scales(sf_worker *worker, size_t count, const uint64_t *positions)
{
    enum { START_SPREAD = 7, KNOWN = 16 };
    sf_probe *probe = &worker->probe;
    double scale;
    bool fresh;
    size_t first = worker->number * (count / START_SPREAD) * 3, known = 0;
    for (size_t i = 0; i < count && worker->number > 0 && known < KNOWN; i++) {
        if (sf_probe_move(probe, positions[(first + i) % count]) != SF_OK ||
            !sf_critical_decides(&probe->numbers))
            continue;
        sf_status status = find_scale(worker, &scale, &fresh);
        if (ends_all(status))
            return status;
        known = fresh ? 0 : known + 1;
        if (sf_cancelled(worker->context))
            return sf_fail(worker->context, SF_ERR_CANCELLED, "interrupted");
    }
    return SF_OK;
}

sf_status sf_worker_theory(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows)
{
    worker->scale = NAN;
    SF_TRY(prepare_scales(worker, count, positions));
    for (size_t i = 0; i < count; i++) {
        SF_TRY(theory_point(worker, positions[i], rows));
        if (sf_cancelled(worker->context))
            return sf_fail(worker->context, SF_ERR_CANCELLED, "interrupted");
    }
    return SF_OK;
}

/* ---- blocks --------------------------------------------------------------------------------------------- */

typedef enum strategy { ALONE, THEORY, BATCH } strategy;

/* Regime and limit of l2-SAM at depth 2 on one example follow from the critical scale alone; discrete runs go side by
 * side in SIMD lanes. Both for points that share a frame. */
static bool may_share(const sf_worker *worker)
{
    const sf_settings *settings = worker->probe.point.settings;
    bool short_of_runs = (worker->sweep->measure->needs & ~(unsigned)(SF_NEED_REGIME | SF_NEED_LIMIT)) == 0;
    return worker->probe.lanes &&
           ((settings->scope & SF_SCOPE_DISCRETE) || ((settings->scope & SF_SCOPE_EXACT) && short_of_runs));
}

static strategy strategy_of(const sf_worker *worker)
{
    const sf_probe *probe = &worker->probe;
    const sf_experiment *experiment = probe->frame->experiment;
    const sf_network *network = sf_experiment_network(experiment);
    if (!sf_probe_follows(probe) || sf_network_features(network) != worker->sweep->measure->features)
        return ALONE;
    if (sf_experiment_mode(experiment) == SF_MODE_DISCRETE)
        return BATCH;
    return sf_experiment_perturbation(experiment).method == SF_METHOD_L2 && probe->numbers.layers == 2 &&
                   probe->numbers.example
               ? THEORY
               : ALONE;
}

/* Points of one frame. The first that is no experiment is computed by itself, which says why. */
static sf_status compute_frame(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows)
{
    strategy how = ALONE;
    size_t done = 0;
    for (; done < count; done++) {
        sf_status status = sf_point_set(&worker->probe.point, positions[done]);
        if (status == SF_OK && !may_share(worker))
            break;
        if (status == SF_OK)
            status = sf_probe_enter(&worker->probe, positions[done]);
        if (ends_all(status))
            return status;
        if (status == SF_OK) {
            how = strategy_of(worker);
            break;
        }
        SF_TRY(sf_worker_point(worker, positions[done], rows));
    }
    if (how == THEORY)
        return sf_worker_theory(worker, count - done, positions + done, rows);
    if (how == BATCH)
        return sf_worker_batch(worker, count - done, positions + done, rows);
    for (; done < count; done++) {
        if (sf_cancelled(worker->context))
            return sf_fail(worker->context, SF_ERR_CANCELLED, "interrupted");
        SF_TRY(sf_worker_point(worker, positions[done], rows));
    }
    return SF_OK;
}

static int by_frame(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

sf_status sf_worker_compute(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows)
{
    if (count > worker->room_sorted) {
        uint64_t *sorted = sf_resize(worker->context, worker->sorted, 3 * count, sizeof *sorted);
        if (!sorted)
            return SF_ERR_MEMORY;
        worker->sorted = sorted;
        worker->room_sorted = count;
    }
    uint64_t *pair = worker->sorted, *place = worker->sorted + 2 * count;
    for (size_t i = 0; i < count; i++) {
        pair[2 * i] = sf_probe_frame(&worker->probe, positions[i]);
        pair[2 * i + 1] = positions[i];
    }
    bool sorted = true;
    for (size_t i = 1; i < count && sorted; i++)
        sorted = by_frame(pair + 2 * i - 2, pair + 2 * i) <= 0;
    if (!sorted)
        qsort(pair, count, 2 * sizeof *pair, by_frame);
    for (size_t i = 0; i < count; i++)
        place[i] = pair[2 * i + 1];
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && pair[2 * end] == pair[2 * i];)
            end++;
        SF_TRY(compute_frame(worker, end - i, place + i, rows));
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
