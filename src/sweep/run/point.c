/* One point: its experiment is made, run as asked, and what is found goes into a row.
 *
 * The hash is that of the resolved settings, so it is known only after the experiment has been read, unless the sweep
 * is lean. A point whose settings are refused has no resolved settings; its hash is made of those of the first point
 * with the values of the axes as they are, and a mark.
 */
#include "sweep/run/point.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/run/lean.h"
#include "sweep/run/resolved.h"
#include "sweep/run/templates.h"
#include "sweep/run/variants.h"

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

sf_status sf_point_hash(sf_sweep *sweep, uint64_t position, sf_hash *hash)
{
    if (!sweep->worker)
        SF_TRY(sf_worker_create(sweep, 0, &sweep->worker));
    sf_worker *worker;
    SF_TRY(sf_worker_of(sweep->worker, sweep->variants ? sf_variant_of(sweep, position) : SIZE_MAX, &worker));
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
    return sf_worker_append(worker, &row, &finding, rows);
}
