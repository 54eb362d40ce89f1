/* Regime and limit of l2-SAM, L = 2, N = 1, equal layers alpha * 1, mu > 0, without integrating a point.
 *
 *   collapse      iff alpha < rho alpha_c(mu, 1)                          limit 0
 *   major_first   iff sqrt(2) alpha ||mu|| / rho >= mu_{d-1} + mu_d        limit e_d
 *   minor_first   else                                                   limit e_d
 *
 * (theory, section 3; Theorems 4.4, 4.5). alpha_c depends on mu alone, so a map of alpha/rho against mu needs one
 * critical scale a row. They are computed when first needed, by any worker, and shared; workers begin at different ends
 * of what is missing, so that two hardly ever compute the same one, and if they do they get the same number.
 */
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "sweep/worker.h"

enum { MOST_SCALES = 1 << 22, START_SPREAD = 7 };
#define NEAR_CRITICAL 1e-10 // relative distance below which the general way decides

struct sf_scales {
    size_t groups;
    size_t group[SF_MOST_AXES]; // those that set the example
    uint64_t count;
    _Atomic double scale[]; // (count) 0: not known yet
};

/* ---- the shared scales ---------------------------------------------------------------------------------- */

static bool sets_example(const sf_sweep *sweep, size_t group)
{
    const grid_group *g = &sweep->grid->groups[group];
    for (size_t i = g->first; i < g->first + g->axes; i++)
        if (sweep->targets[i].kind == SF_TARGET_EXAMPLE_AT)
            return true;
    return false;
}

sf_status sf_scales_create(sf_sweep *sweep, sf_scales **out)
{
    *out = NULL;
    sf_scales shape = {.count = 1};
    for (size_t g = 0; g < sweep->grid->group_count; g++)
        if (sets_example(sweep, g)) {
            shape.group[shape.groups++] = g;
            if (shape.count <= MOST_SCALES)
                shape.count *= sf_grid_extent(sweep->grid, g);
        }
    if (shape.count > MOST_SCALES)
        return SF_OK;
    sf_scales *scales =
        sf_alloc(sweep->context, 1, sizeof *scales + (size_t)shape.count * sizeof scales->scale[0]);
    if (!scales)
        return SF_ERR_MEMORY;
    memcpy(scales, &shape, sizeof shape);
    for (uint64_t i = 0; i < shape.count; i++)
        atomic_init(&scales->scale[i], 0.0);
    *out = scales;
    return SF_OK;
}

void sf_scales_destroy(sf_context *context, sf_scales **scales)
{
    sf_free(context, *scales);
    *scales = NULL;
}

static uint64_t scale_index(const sf_sweep *sweep, uint64_t position)
{
    uint64_t indices[SF_MOST_AXES], index = 0;
    sf_grid_indices(sweep->grid, position, indices);
    for (size_t k = 0; k < sweep->scales->groups; k++) {
        size_t group = sweep->scales->group[k];
        index = index * sf_grid_extent(sweep->grid, group) + indices[group];
    }
    return index;
}

/* alpha_c(mu, 1) of the setup, NaN if there is none. */
static sf_status compute_scale(sf_worker *worker, double *scale)
{
    const sf_setup *setup = &worker->setup;
    return sf_critical_factor(worker->context, setup->features, setup->example, worker->ones, worker->ones,
                              1.0, scale);
}

static sf_status find_scale(sf_worker *worker, uint64_t position, double *scale)
{
    sf_scales *scales = worker->sweep->scales;
    if (!scales)
        return compute_scale(worker, scale);
    _Atomic double *kept = &scales->scale[scale_index(worker->sweep, position)];
    *scale = atomic_load_explicit(kept, memory_order_relaxed);
    if (*scale != 0.0)
        return SF_OK;
    SF_TRY(compute_scale(worker, scale));
    atomic_store_explicit(kept, *scale, memory_order_relaxed);
    return SF_OK;
}

/* ---- points --------------------------------------------------------------------------------------------- */

/* The formulas above hold for the setup; index of the largest mu, which must be the only one. */
static bool applies(const sf_setup *setup, int64_t *strongest, double *norm, double *top)
{
    double alpha = setup->theta[0], square = 0.0, first = 0.0, second = 0.0;
    bool good = alpha > 0.0 && isfinite(alpha) && setup->rho > 0.0 && setup->features > 1;
    for (size_t k = 1; good && k < setup->layers * setup->features; k++)
        good = setup->theta[k] == alpha;
    for (size_t j = 0; good && j < setup->features; j++) {
        double mu = setup->example[j];
        good = mu > 0.0;
        square += mu * mu;
        if (mu > first) {
            second = first;
            first = mu;
            *strongest = (int64_t)j;
        } else if (mu > second) {
            second = mu;
        }
    }
    *norm = sqrt(square);
    *top = first + second;
    return good && second < first && square > 0.0 && isfinite(square);
}

bool sf_setup_has_scale(const sf_setup *setup)
{
    int64_t strongest;
    double norm, top;
    return applies(setup, &strongest, &norm, &top);
}

bool sf_setup_classify(const sf_setup *setup, double scale, sf_finding *finding)
{
    int64_t strongest;
    double norm, top;
    if (!applies(setup, &strongest, &norm, &top))
        return false;
    double relative = setup->theta[0] / (setup->rho * scale);
    double opening = sqrt(2.0) * setup->theta[0] * norm / setup->rho / top;
    if (!(fabs(relative - 1.0) > NEAR_CRITICAL) || !(fabs(opening - 1.0) > NEAR_CRITICAL))
        return false;
    finding->outcome = "predicted";
    if (relative < 1.0) {
        finding->regime = sf_regime_name(SF_REGIME_COLLAPSE);
        finding->limit = sf_limit_kind_name(SF_LIMIT_ZERO);
        return true;
    }
    finding->regime = sf_regime_name(opening > 1.0 ? SF_REGIME_MAJOR_FIRST : SF_REGIME_MINOR_FIRST);
    finding->limit = sf_limit_kind_name(SF_LIMIT_BASIS);
    finding->limit_index = strongest;
    return true;
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
    sf_hash hash = sf_sweep_lean_hash(worker->sweep, worker->values, worker->hashes);
    return sf_worker_append(worker, position, &hash, &finding, rows);
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
