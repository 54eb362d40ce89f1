/* Regime and limit of l2-SAM, L = 2, N = 1, equal layers alpha * 1, mu > 0, without integrating a point.
 *
 *   collapse      iff alpha < rho alpha_c(mu, 1)                          limit 0
 *   major_first   iff sqrt(2) alpha ||mu|| / rho >= mu_{d-1} + mu_d        limit e_d
 *   minor_first   else                                                   limit e_d
 *
 * (theory, section 3; Theorems 4.4, 4.5). alpha_c depends on mu alone, so a map of alpha/rho against mu needs one
 * critical scale a row. They are computed when first needed, by any worker, and shared; two that compute the same one get
 * the same number.
 */
#include "sweep/run/scales.h"

#include <math.h>
#include <samflow/verdict.h>
#include <stdatomic.h>
#include <string.h>

enum { MOST_SCALES = 1 << 22 };
#define NEAR_CRITICAL 1e-10 // relative distance below which the general way decides

/* ---- one setup ------------------------------------------------------------------------------------------ */

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
    int64_t strongest = -1;
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

sf_status sf_setup_scale(sf_context *context, const sf_setup *setup, const double *ones, double *scale)
{
    return sf_critical_factor(context, setup->features, setup->example, ones, ones, 1.0, scale);
}

/* ---- the shared scales ---------------------------------------------------------------------------------- */

struct sf_scales {
    size_t groups;
    size_t group[SF_MOST_AXES]; // those that set the example
    uint64_t count;
    _Atomic double scale[]; // (count) 0: not known yet
};

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

sf_status sf_scales_find(const sf_sweep *sweep, uint64_t position, sf_context *context, const sf_setup *setup,
                         const double *ones, double *scale)
{
    sf_scales *scales = sweep->scales;
    if (!scales)
        return sf_setup_scale(context, setup, ones, scale);
    _Atomic double *kept = &scales->scale[scale_index(sweep, position)];
    *scale = atomic_load_explicit(kept, memory_order_relaxed);
    if (*scale != 0.0)
        return SF_OK;
    SF_TRY(sf_setup_scale(context, setup, ones, scale));
    atomic_store_explicit(kept, *scale, memory_order_relaxed);
    return SF_OK;
}
