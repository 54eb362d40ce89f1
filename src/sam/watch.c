#include "sam/watch.h"

#include <math.h>
#include <stdatomic.h>

#include "base/base.h"

/* ---- the largest ratio --------------------------------------------------------------------------------------- */

sf_excess sf_excess_make(void)
{
    return (sf_excess){.log_ratio = -INFINITY};
}

static double product_of(int depth, const double *weights, size_t stride)
{
    double product = weights[0];
    for (int l = 1; l < depth; l++)
        product *= weights[(size_t)l * stride];
    return fabs(product);
}

static double log_product(int depth, const double *weights, size_t stride)
{
    double sum = 0.0;
    for (int l = 0; l < depth; l++)
        sum += log(fabs(weights[(size_t)l * stride]));
    return sum;
}

static bool vanishes(int depth, const double *weights, size_t stride)
{
    bool zero = false;
    for (int l = 0; l < depth; l++)
        zero |= weights[(size_t)l * stride] == 0.0;
    return zero;
}

void sf_excess_see(sf_excess *excess, int depth, const double *minor, const double *major, size_t stride)
{
    double small = product_of(depth, minor, stride), large = product_of(depth, major, stride);
    double ratio = small / large;
    if (small > SF_EXCESS_LEAST && large > SF_EXCESS_LEAST && ratio > SF_EXCESS_LEAST &&
        ratio < SF_EXCESS_GREATEST) {
        if (ratio > excess->ratio)
            *excess = (sf_excess){ratio, small, large, excess->log_ratio};
        return;
    }
    if (vanishes(depth, minor, stride)) // no logarithms for what cannot be the largest
        return;
    double difference = log_product(depth, minor, stride) - log_product(depth, major, stride);
    if (difference > excess->log_ratio)
        excess->log_ratio = difference;
}

double sf_excess_log(const sf_excess *excess)
{
    double plain = excess->ratio > 0.0 ? log(excess->minor) - log(excess->major) : -INFINITY;
    double most = fmax(plain, excess->log_ratio);
    return excess->ratio > 0.0 || most > -INFINITY ? most : NAN;
}

bool sf_extreme_features(size_t d, const double *strength, size_t *minor, size_t *major)
{
    *minor = *major = 0;
    for (size_t j = 1; j < d; j++) {
        if (strength[j] < strength[*minor])
            *minor = j;
        if (strength[j] > strength[*major])
            *major = j;
    }
    return *minor != *major;
}

/* ---- all blocks ---------------------------------------------------------------------------------------------- */

typedef struct lead_list {
    sf_batch_lead *items;
    size_t count, capacity;
} lead_list;

struct sf_watch {
    sf_context *context;
    sf_watch_shape shape;
    sf_watch_kernel kernel; // NULL: every lane is looked at one by one
    double *leader;         // (blocks, lanes)
    double *minor, *major;  // (blocks, lanes), NULL: no ratio
    double *ratio, *ratio_minor, *ratio_major,
        *log_ratio;   // (blocks, lanes) an sf_excess each, field by field
    lead_list *leads; // (count)
    atomic_flag lock; // guards the context, when a list grows
};

static sf_watch_kernel kernel_of(sf_isa isa)
{
    switch (isa) {
#ifdef SF_HAVE_X86_KERNELS
    case SF_ISA_AVX2:
        return sf_watch_kernel_avx2;
    case SF_ISA_AVX512:
        return sf_watch_kernel_avx512;
#endif
#ifdef SF_HAVE_NEON_KERNELS
    case SF_ISA_NEON:
        return sf_watch_kernel_neon;
#endif
    default:
        return NULL;
    }
}

static sf_status allocate(sf_watch *watch, bool ratios)
{
    sf_context *context = watch->context;
    size_t all = watch->shape.blocks * watch->shape.lanes;
    watch->leader = sf_alloc_doubles(context, all);
    watch->leads = sf_alloc_zero(context, watch->shape.count, sizeof *watch->leads);
    if (!watch->leader || !watch->leads)
        return SF_ERR_MEMORY;
    if (!ratios)
        return SF_OK;
    double **array[] = {&watch->minor,       &watch->major,       &watch->ratio,
                        &watch->ratio_minor, &watch->ratio_major, &watch->log_ratio};
    for (size_t k = 0; k < sizeof array / sizeof array[0]; k++)
        if (!(*array[k] = sf_alloc_doubles(context, all)))
            return SF_ERR_MEMORY;
    return SF_OK;
}

static sf_excess excess_of(const sf_watch *watch, size_t at)
{
    return (sf_excess){watch->ratio[at], watch->ratio_minor[at], watch->ratio_major[at],
                       watch->log_ratio[at]};
}

static void keep_excess(sf_watch *watch, size_t at, const sf_excess *excess)
{
    watch->ratio[at] = excess->ratio;
    watch->ratio_minor[at] = excess->minor;
    watch->ratio_major[at] = excess->major;
    watch->log_ratio[at] = excess->log_ratio;
}

sf_status sf_watch_create(sf_context *context, const sf_watch_shape *shape, sf_isa isa, const size_t *minor,
                          const size_t *major, sf_watch **out)
{
    *out = NULL;
    sf_watch *watch = SF_NEW(context, sf_watch);
    if (!watch)
        return SF_ERR_MEMORY;
    *watch = (sf_watch){.context = context, .shape = *shape, .kernel = kernel_of(isa)};
    atomic_flag_clear(&watch->lock);
    if (allocate(watch, minor) != SF_OK) {
        sf_watch_destroy(&watch);
        return SF_ERR_MEMORY;
    }
    sf_excess none = sf_excess_make();
    for (size_t at = 0; at < shape->blocks * shape->lanes; at++) {
        size_t i = at < shape->count ? at : shape->count - 1;
        watch->leader[at] = -1.0;
        if (!minor)
            continue;
        watch->minor[at] = (double)minor[i];
        watch->major[at] = (double)major[i];
        keep_excess(watch, at, &none);
    }
    *out = watch;
    return SF_OK;
}

void sf_watch_destroy(sf_watch **watch)
{
    if (!watch || !*watch)
        return;
    sf_watch *w = *watch;
    sf_context *context = w->context;
    for (size_t i = 0; w->leads && i < w->shape.count; i++)
        sf_free(context, w->leads[i].items);
    sf_free(context, w->leads);
    double *array[] = {w->leader, w->minor, w->major, w->ratio, w->ratio_minor, w->ratio_major, w->log_ratio};
    for (size_t k = 0; k < sizeof array / sizeof array[0]; k++)
        sf_free_aligned(context, array[k]);
    sf_free(context, w);
    *watch = NULL;
}

static bool add_lead(sf_watch *watch, size_t at, const sf_batch_lead *lead)
{
    lead_list *list = &watch->leads[at];
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 4;
        while (atomic_flag_test_and_set_explicit(&watch->lock, memory_order_acquire)) {
        } // threads are optional in the build, and this is rare and short
        sf_batch_lead *items = sf_resize(watch->context, list->items, capacity, sizeof *items);
        atomic_flag_clear_explicit(&watch->lock, memory_order_release);
        if (!items)
            return false;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *lead;
    return true;
}

/* ---- one lane ------------------------------------------------------------------------------------------------ */

typedef struct lane_view {
    const double *weights; // of feature 0: (kept, d, lanes)
    size_t d, lanes, stride;
    int depth;
} lane_view;

static const double *feature_of(const lane_view *lane, size_t j)
{
    return lane->weights + j * lane->lanes;
}

static double level_of(const lane_view *lane, size_t j)
{
    return product_of(lane->depth, feature_of(lane, j), lane->stride);
}

static bool look_for_leader(sf_watch *watch, size_t at, const lane_view *lane, uint64_t step)
{
    double *leader = &watch->leader[at], most = -1.0;
    double lead = *leader < 0.0 ? -1.0 : level_of(lane, (size_t)*leader);
    size_t best = 0;
    bool tie = false;
    for (size_t j = 0; j < lane->d; j++) {
        double level = level_of(lane, j);
        tie = level > most ? false : tie || level == most;
        best = level > most ? j : best;
        most = level > most ? level : most;
    }
    if (!(most > lead))
        return true;
    if (*leader < 0.0) {
        *leader = tie && step == 0 ? -1.0 : (double)best;
        return true;
    }
    sf_batch_lead change = {step, (size_t)*leader, best};
    *leader = (double)best;
    return add_lead(watch, at, &change);
}

static bool look_at_lane(sf_watch *watch, size_t at, const lane_view *lane, uint64_t step)
{
    if (watch->minor) {
        sf_excess excess = excess_of(watch, at);
        sf_excess_see(&excess, lane->depth, feature_of(lane, (size_t)watch->minor[at]),
                      feature_of(lane, (size_t)watch->major[at]), lane->stride);
        keep_excess(watch, at, &excess);
    }
    return look_for_leader(watch, at, lane, step);
}

bool sf_watch_look(sf_watch *watch, size_t block, const double *theta, sf_lane_mask moved, uint64_t step)
{
    const sf_watch_shape *shape = &watch->shape;
    size_t first = block * shape->lanes, rest = shape->count - first;
    if (rest < shape->lanes)
        moved &= ((sf_lane_mask)1 << rest) - 1;
    if (watch->kernel) {
        bool ratios = watch->minor != NULL;
        sf_watched watched = {.d = shape->d,
                              .lanes = shape->lanes,
                              .depth = shape->depth,
                              .kept = shape->kept,
                              .theta = theta,
                              .leader = watch->leader + first,
                              .minor = ratios ? watch->minor + first : NULL,
                              .major = ratios ? watch->major + first : NULL,
                              .ratio = ratios ? watch->ratio + first : NULL,
                              .ratio_minor = ratios ? watch->ratio_minor + first : NULL,
                              .ratio_major = ratios ? watch->ratio_major + first : NULL};
        moved &= watch->kernel(&watched);
    }
    lane_view lane = {.d = shape->d,
                      .lanes = shape->lanes,
                      .stride = shape->kept == 1 ? 0 : shape->d * shape->lanes,
                      .depth = shape->depth};
    bool good = true;
    for (size_t k = 0; moved >> k && k < shape->lanes; k++) {
        lane.weights = theta + k;
        if (moved >> k & 1)
            good &= look_at_lane(watch, first + k, &lane, step);
    }
    return good;
}

const sf_batch_lead *sf_watch_leads(const sf_watch *watch, size_t i, size_t *count)
{
    *count = watch->leads[i].count;
    return watch->leads[i].items;
}

double sf_watch_excess(const sf_watch *watch, size_t i)
{
    if (!watch->minor || watch->minor[i] == watch->major[i])
        return NAN;
    sf_excess excess = excess_of(watch, i);
    return sf_excess_log(&excess);
}
