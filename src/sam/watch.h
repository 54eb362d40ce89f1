/* What a batch looks at in every step: which coordinate of |beta| leads, and how far the weakest feature ever exceeds
 * the strongest.
 *
 * The leader is the coordinate of largest |beta|; ties keep the old one. Where several lead at the start together, the
 * first leader is the largest after one step (the lowest index if they stay level). These are the rules of a single run
 * (experiment/run_discrete.c). A kernel compares all lanes at once and names those with something to note; these are
 * then looked at one by one, by the same comparisons, so what is found does not depend on the instruction set.
 */
#ifndef SF_WATCH_H
#define SF_WATCH_H

#include <samflow/batch.h>

#include "base/isa.h"
#include "sam/lanes.h"

/* The largest |beta_minor| / |beta_major| so far. Where both and their ratio lie between these bounds they are compared
 * as they are, elsewhere by logarithms. */
#define SF_EXCESS_LEAST    0x1p-1022
#define SF_EXCESS_GREATEST 0x1p1023
typedef struct sf_excess {
    double ratio, minor, major; // the largest of the first kind, and its parts
    double log_ratio;           // of the second kind; -infinity: none
} sf_excess;

SF_LAB_API
sf_excess sf_excess_make(void);
/* The weights of one feature, layer by layer, `stride` apart. */
SF_LAB_API
void sf_excess_see(sf_excess *excess, int depth, const double *minor, const double *major, size_t stride);
/* Natural logarithm of the largest; NaN if there was none. */
SF_LAB_API
double sf_excess_log(const sf_excess *excess);

/* The features of smallest and of largest strength, the first of each; false if all are alike. */
SF_LAB_API
bool sf_extreme_features(size_t d, const double *strength, size_t *minor, size_t *major);

/* ---- a block of lanes ---------------------------------------------------------------------------------------- */

typedef struct sf_watched {
    size_t d, lanes;
    int depth, kept;      // kept: 1 if all layers are alike, else depth
    const double *theta;  // (kept, d, lanes)
    const double *leader; // (lanes) index, -1: none yet
    const double *minor;  // (lanes) indices; NULL: no ratio
    const double *major;  // (lanes)
    double *ratio;        // (lanes) the sf_excess of each, field by field
    double *ratio_minor;  // (lanes)
    double *ratio_major;  // (lanes)
} sf_watched;

/* Updates the ratios, and names the lanes whose leader is exceeded or that have none, and those whose ratio needs
 * logarithms. */
typedef sf_lane_mask (*sf_watch_kernel)(const sf_watched *watched);

sf_lane_mask sf_watch_kernel_avx2(const sf_watched *watched);
sf_lane_mask sf_watch_kernel_avx512(const sf_watched *watched);
sf_lane_mask sf_watch_kernel_neon(const sf_watched *watched);

/* ---- all blocks of a batch ------------------------------------------------------------------------------------ */

typedef struct sf_watch sf_watch;

typedef struct sf_watch_shape {
    size_t count, blocks, lanes, d;
    int depth, kept;
} sf_watch_shape;

/* minor, major: (count) features, or both NULL. */
sf_status sf_watch_create(sf_context *context, const sf_watch_shape *shape, sf_isa isa, const size_t *minor,
                          const size_t *major, sf_watch **out);
void sf_watch_destroy(sf_watch **watch);
/* Looks at the lanes `moved` of a block, which are at this step. Blocks may be looked at by several threads. False: no
 * memory for another change of the leader. */
bool sf_watch_look(sf_watch *watch, size_t block, const double *theta, sf_lane_mask moved, uint64_t step);

const sf_batch_lead *sf_watch_leads(const sf_watch *watch, size_t i, size_t *count);
double sf_watch_excess(const sf_watch *watch, size_t i);

#endif
