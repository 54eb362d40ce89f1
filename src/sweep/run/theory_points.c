/* Regime and limit without integrating a point (scales.h). Workers begin at different ends of the critical scales that
 * are missing, so that two hardly ever compute the same one, and if they do they get the same number. */
#include "sweep/run/blocks.h"
#include "sweep/run/lean.h"
#include "sweep/run/point.h"
#include "sweep/run/scales.h"
#include "sweep/run/worker.h"

enum { START_SPREAD = 7 };

static sf_status find_scale(sf_worker *worker, uint64_t position, double *scale)
{
    return sf_scales_find(worker->sweep, position, worker->context, &worker->setup, worker->ones, scale);
}

static sf_status theory_point(sf_worker *worker, uint64_t position, sf_rows *rows)
{
    double scale;
    sf_worker_set(worker, position);
    if (!sf_setup_has_scale(&worker->setup))
        return sf_worker_point(worker, position, rows);
    sf_status status = find_scale(worker, position, &scale);
    if (status == SF_ERR_MEMORY || status == SF_ERR_CANCELLED)
        return status;
    sf_finding finding = sf_finding_make();
    if (status != SF_OK || !sf_setup_classify(&worker->setup, scale, &finding))
        return sf_worker_point(worker, position, rows);
    sf_row row = {.position = position,
                  .hash = sf_sweep_lean_hash(worker->sweep, worker->values, worker->hashes)};
    return sf_worker_append(worker, &row, &finding, rows);
}

/* Scales that a block needs, from a place that differs from worker to worker. */
static sf_status prepare_scales(sf_worker *worker, size_t count, const uint64_t *positions)
{
    double scale;
    size_t first = worker->number * (count / START_SPREAD) * 3;
    for (size_t i = 0; i < count && worker->sweep->scales; i++) {
        uint64_t position = positions[(first + i) % count];
        sf_worker_set(worker, position);
        if (!sf_setup_has_scale(&worker->setup))
            continue;
        sf_status status = find_scale(worker, position, &scale);
        if (status == SF_ERR_MEMORY || status == SF_ERR_CANCELLED)
            return status;
        if (sf_cancelled(worker->context))
            return sf_fail(worker->context, SF_ERR_CANCELLED, "interrupted");
    }
    return SF_OK;
}

sf_status sf_worker_theory(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows)
{
    SF_TRY(prepare_scales(worker, count, positions));
    for (size_t i = 0; i < count; i++) {
        SF_TRY(theory_point(worker, positions[i], rows));
        if (sf_cancelled(worker->context))
            return sf_fail(worker->context, SF_ERR_CANCELLED, "interrupted");
    }
    return SF_OK;
}
