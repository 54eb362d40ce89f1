/* samflow/batch.h - many trajectories of the discrete update at once.
 *
 * A batch takes the same network, data and method from many starts, each with its own rho, step size and, if wanted,
 * its own single example. Trajectories lie side by side in SIMD lanes; blocks of them go to threads. A trajectory has
 * the same bits whatever the other trajectories, the number of threads and the pieces in which it is advanced, and
 * agrees with sf_descent to rounding (1e-12 where neither is chaotic). One that leaves the finite numbers stays at its
 * last finite point and disturbs no other.
 */
#ifndef SAMFLOW_BATCH_H
#define SAMFLOW_BATCH_H

#include <samflow/sam.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_batch sf_batch;

/* What to run. Pointers are borrowed during creation only. */
typedef struct sf_batch_spec {
    size_t size;                  /* sizeof(sf_batch_spec) */
    size_t count;                 /* trajectories, >= 1 */
    const double *theta;          /* (count, L*d): their starts */
    sf_perturbation perturbation; /* method, p, and rho where rho below is NULL */
    double step;                  /* eta > 0, where steps below is NULL */
    const double *rho;            /* (count) or NULL */
    const double *steps;          /* (count): eta of each, or NULL */
    const double
        *example; /* (count, d): the signed example z_1 of each, in place of the data of a network with
                                     N = 1 that is not mirrored; or NULL */
    int threads;  /* >= 1, or 0: as many as processors */
} sf_batch_spec;

/* The network is borrowed and must outlive the batch. Errors: SF_ERR_ARGUMENT (ranges as in sf_descent_create, with
 * the index of the trajectory), SF_ERR_MEMORY. */
SF_API
sf_status sf_batch_create(sf_context *context, const sf_network *network, const sf_batch_spec *spec,
                          sf_batch **out);
SF_API
void sf_batch_destroy(sf_batch **batch);

/* Takes that many steps with every trajectory that has not diverged. SF_ERR_CANCELLED: between two steps, all
 * trajectories at the same one (sf_batch_step). SF_ERR_MEMORY: for what is watched; the batch cannot go on. */
SF_API
sf_status sf_batch_advance(sf_batch *batch, uint64_t steps);

/* From now on every step is watched: which coordinate of |beta| leads (ties keep the old one; where several lead at the
 * start together the first leader is that after one step), and, if minor and major are given, (count) features of each
 * trajectory, how far |beta_minor| / |beta_major| goes (none where they are the same feature). The present step counts.
 * Once, before the batch advances. Errors: SF_ERR_ARGUMENT, SF_ERR_MEMORY. */
SF_API
sf_status sf_batch_watch(sf_batch *batch, const size_t *minor, const size_t *major);

/* From this step on another coordinate leads. */
typedef struct sf_batch_lead {
    uint64_t step;
    size_t from, to;
} sf_batch_lead;

/* The changes of the leader of trajectory i so far, in order, owned by the batch; NULL if nothing is watched. */
SF_API
const sf_batch_lead *sf_batch_leads(const sf_batch *batch, size_t i, size_t *count);
/* Natural logarithm of the largest |beta_minor| / |beta_major| of trajectory i so far; NaN if there is none. */
SF_API
double sf_batch_log_excess(const sf_batch *batch, size_t i);

SF_API
size_t sf_batch_count(const sf_batch *batch);
SF_API
uint64_t sf_batch_step(const sf_batch *batch); /* steps of a trajectory that has not diverged */
/* Trajectory i: whether it diverged, the steps it took, theta (L*d) and beta (d), copied out. No such trajectory: false, 0, NaN
 * and no leads, and SF_ERR_ARGUMENT with nothing copied. */
SF_API
bool sf_batch_diverged(const sf_batch *batch, size_t i);
SF_API
uint64_t sf_batch_steps(const sf_batch *batch, size_t i);
SF_API
sf_status sf_batch_theta(const sf_batch *batch, size_t i, double *theta);
SF_API
sf_status sf_batch_predictor(const sf_batch *batch, size_t i, double *beta);

/* "avx512", "avx2", "neon" or "plain": what the batch runs on. Static string. */
SF_API
const char *sf_batch_isa(const sf_batch *batch);

#ifdef __cplusplus
}
#endif
#endif
