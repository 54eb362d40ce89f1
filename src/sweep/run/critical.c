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
#include "sweep/run/critical.h"

#include <math.h>
#include <pthread.h>
#include <samflow/theory.h>
#include <samflow/verdict.h>
#include <string.h>

#include "settings/settings.h"

enum { MOST_SCALES = 1 << 22 };
#define NEAR_CRITICAL 1e-10 // relative distance below which the general way decides

/* ---- one run -------------------------------------------------------------------------------------------- */

/* The formulas above hold; index of the largest mu, which must be the only one. */
static bool applies(const sf_numbers *numbers, int64_t *strongest, double *norm, double *top)
{
    double alpha = numbers->theta[0], square = 0.0, first = 0.0, second = 0.0;
    bool good = alpha > 0.0 && isfinite(alpha) && numbers->rho > 0.0 && numbers->features > 1;
    for (size_t k = 1; good && k < numbers->layers * numbers->features; k++)
        good = numbers->theta[k] == alpha;
    for (size_t j = 0; good && j < numbers->features; j++) {
        double mu = numbers->example[j];
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

bool sf_critical_decides(const sf_numbers *numbers)
{
    int64_t strongest;
    double norm, top;
    return applies(numbers, &strongest, &norm, &top);
}

bool sf_critical_classify(const sf_numbers *numbers, double scale, sf_finding *finding)
{
    int64_t strongest = -1;
    double norm, top;
    if (!applies(numbers, &strongest, &norm, &top))
        return false;
    double relative = numbers->theta[0] / (numbers->rho * scale);
    double opening = sqrt(2.0) * numbers->theta[0] * norm / numbers->rho / top;
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

/* ---- the scales known ----------------------------------------------------------------------------------- */

typedef struct known_scale {
    sf_hash example;
    double scale; // NaN: free
} known_scale;

struct sf_critical {
    sf_context *context;
    pthread_mutex_t lock;
    known_scale *table; // open addressing
    size_t slots, used;
};

sf_status sf_critical_create(sf_context *context, sf_critical **out)
{
    sf_critical *critical = *out = SF_NEW(context, sf_critical);
    if (!critical)
        return SF_ERR_MEMORY;
    *critical = (sf_critical){.context = context};
    pthread_mutex_init(&critical->lock, NULL);
    return SF_OK;
}

void sf_critical_destroy(sf_critical **critical)
{
    if (!*critical)
        return;
    pthread_mutex_destroy(&(*critical)->lock);
    sf_free((*critical)->context, (*critical)->table);
    sf_free((*critical)->context, *critical);
    *critical = NULL;
}

static known_scale *slot_of(const sf_critical *critical, const sf_hash *example)
{
    uint64_t number;
    memcpy(&number, example->bytes, sizeof number);
    size_t slot = (size_t)number & (critical->slots - 1);
    while (!isnan(critical->table[slot].scale) &&
           memcmp(&critical->table[slot].example, example, sizeof *example) != 0)
        slot = (slot + 1) & (critical->slots - 1);
    return &critical->table[slot];
}

/* Room for one more; what finds none is not kept. */
static bool grow(sf_critical *critical)
{
    if (2 * (critical->used + 1) <= critical->slots)
        return true;
    size_t before = critical->slots, slots = before ? 2 * before : 64;
    known_scale *old = critical->table,
                *table = slots <= MOST_SCALES ? SF_ARRAY(critical->context, slots, known_scale) : NULL;
    if (!table)
        return false;
    for (size_t i = 0; i < slots; i++)
        table[i].scale = NAN;
    critical->table = table;
    critical->slots = slots;
    for (size_t i = 0; i < before; i++)
        if (!isnan(old[i].scale))
            *slot_of(critical, &old[i].example) = old[i];
    sf_free(critical->context, old);
    return true;
}

static sf_status compute(sf_context *context, const sf_numbers *numbers, double *scale)
{
    double *ones = SF_ARRAY(context, numbers->features, double);
    if (!ones)
        return SF_ERR_MEMORY;
    for (size_t j = 0; j < numbers->features; j++)
        ones[j] = 1.0;
    sf_status status =
        sf_critical_factor(context, numbers->features, numbers->example, ones, ones, 1.0, scale);
    sf_free(context, ones);
    return status;
}

sf_status sf_critical_find(sf_critical *critical, sf_context *context, const sf_numbers *numbers,
                           double *scale, bool *fresh)
{
    sf_hash example = sf_hash_bytes(numbers->example, numbers->features * sizeof *numbers->example);
    pthread_mutex_lock(&critical->lock);
    *scale = critical->slots > 0 ? slot_of(critical, &example)->scale : NAN;
    pthread_mutex_unlock(&critical->lock);
    *fresh = isnan(*scale);
    if (!*fresh)
        return SF_OK;
    SF_TRY(compute(context, numbers, scale));
    pthread_mutex_lock(&critical->lock);
    if (!isnan(*scale) && grow(critical)) {
        known_scale *slot = slot_of(critical, &example);
        critical->used += isnan(slot->scale);
        *slot = (known_scale){example, *scale};
    }
    pthread_mutex_unlock(&critical->lock);
    return SF_OK;
}
