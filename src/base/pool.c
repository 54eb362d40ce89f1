/* A few threads that wait for numbered tasks. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE // sched_getaffinity
#endif
#include "base/pool.h"

#ifdef SF_HAVE_THREADS

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum {
    SPINS = 4000,
    SPINS_BEFORE_YIELD = 2000,
    ROUND = 1 << 17,  // the state counts rounds above this bit,
    OPEN = 1 << 16,   // tells whether workers may still join the round,
    JOINED = OPEN - 1 // and how many are in it
};

/* The tasks that a thread takes first; the others help when theirs are done. */
typedef struct sf_share {
    _Alignas(64) atomic_size_t next;
    size_t begin, end;
} sf_share;

typedef struct sf_worker {
    sf_pool *pool;
    pthread_t thread;
    int number; // 1..threads-1; the caller is 0
} sf_worker;

struct sf_pool {
    sf_context *context;
    int threads;
    sf_worker *workers;
    sf_share *shares;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    _Alignas(64) atomic_uint_least64_t state;
    atomic_int sleepers; // workers that wait for `wake`
    atomic_bool stop;
    sf_task_fn task;
    void *argument;
    bool backward;
};

static void relax(int spin)
{
    if (spin >= SPINS_BEFORE_YIELD)
        sched_yield();
#if defined(__x86_64__)
    else
        __builtin_ia32_pause();
#endif
}

/* Its own share first, which keeps data in its cache from round to round; then what others have not begun, so that
 * nobody waits for a thread that has no processor. */
static void run_shares(sf_pool *pool, int number)
{
    for (int k = 0; k < pool->threads; k++) {
        sf_share *share = &pool->shares[(number + k) % pool->threads];
        for (size_t i; (i = atomic_fetch_add_explicit(&share->next, 1, memory_order_relaxed)) < share->end;)
            pool->task(pool->argument, pool->backward ? share->begin + share->end - 1 - i : i, number);
    }
}

/* Waits until the round of the state is not `seen`: spinning first, then asleep. The worker announces that it sleeps
 * before it looks again, and the caller changes the state before it looks for sleepers: one of them sees the other. */
static uint64_t wait_for_round(sf_pool *pool, uint64_t seen)
{
    for (int spin = 0; spin < SPINS; spin++) {
        uint64_t state = atomic_load(&pool->state);
        if (state / ROUND != seen)
            return state;
        relax(spin);
    }
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->state) / ROUND == seen)
        pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
    return atomic_load(&pool->state);
}

static void start_round(sf_pool *pool)
{
    uint64_t round = atomic_load(&pool->state) / ROUND + 1;
    atomic_store(&pool->state, round * ROUND + OPEN);
    if (atomic_load(&pool->sleepers) > 0) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->mutex);
    }
}

/* Joins the round of `state` unless the caller has closed it meanwhile. */
static bool join_round(sf_pool *pool, uint64_t state)
{
    uint64_t round = state / ROUND;
    while ((state & OPEN) && state / ROUND == round)
        if (atomic_compare_exchange_weak(&pool->state, &state, state + 1))
            return true;
    return false;
}

static void *work(void *argument)
{
    sf_worker *self = argument;
    sf_pool *pool = self->pool;
    for (uint64_t seen = 0;;) {
        uint64_t state = wait_for_round(pool, seen);
        seen = state / ROUND;
        if (atomic_load(&pool->stop))
            return NULL;
        if (join_round(pool, state)) {
            run_shares(pool, self->number);
            atomic_fetch_sub(&pool->state, 1);
        }
    }
}

int sf_pool_processors(void)
{
#if defined(__linux__)
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 0)
        return CPU_COUNT(&allowed);
#endif
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

sf_status sf_pool_create(sf_context *context, int threads, sf_pool **out)
{
    *out = NULL;
    if (threads == 0)
        threads = sf_pool_processors();
    if (threads < 0)
        return sf_fail(context, SF_ERR_ARGUMENT, "%d threads, expected 0 (all processors) or more", threads);
    if (threads == 1)
        return SF_OK;
    // aligned, so that threads do not share cache lines by accident
    sf_pool *pool = (void *)sf_alloc_doubles(context, sizeof(sf_pool) / sizeof(double) + 1);
    sf_share *shares = (void *)sf_alloc_doubles(context, (size_t)threads * sizeof(sf_share) / sizeof(double));
    sf_worker *workers = SF_ARRAY(context, (size_t)threads, sf_worker);
    if (!pool || !shares || !workers) {
        sf_free_aligned(context, pool);
        sf_free_aligned(context, shares);
        sf_free(context, workers);
        return SF_ERR_MEMORY;
    }
    memset(pool, 0, sizeof *pool);
    memset(shares, 0, (size_t)threads * sizeof *shares);
    pool->context = context;
    pool->shares = shares;
    pool->workers = workers;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pool->threads = 1;
    for (int i = 1; i < threads; i++) {
        workers[i] = (sf_worker){.pool = pool, .number = i};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            break;
        pool->threads++;
    }
    *out = pool;
    return SF_OK;
}

void sf_pool_destroy(sf_pool **pool)
{
    if (!pool || !*pool)
        return;
    atomic_store(&(*pool)->stop, true);
    start_round(*pool);
    for (int i = 1; i < (*pool)->threads; i++)
        pthread_join((*pool)->workers[i].thread, NULL);
    pthread_cond_destroy(&(*pool)->wake);
    pthread_mutex_destroy(&(*pool)->mutex);
    sf_context *context = (*pool)->context;
    sf_free(context, (*pool)->workers);
    sf_free_aligned(context, (*pool)->shares);
    sf_free_aligned(context, *pool);
    *pool = NULL;
}

int sf_pool_threads(const sf_pool *pool)
{
    return pool ? pool->threads : 1;
}

void sf_pool_run_order(sf_pool *pool, size_t count, bool backward, sf_task_fn task, void *argument)
{
    if (!pool || pool->threads == 1 || count <= 1) {
        for (size_t i = 0; i < count; i++)
            task(argument, backward ? count - 1 - i : i, 0);
        return;
    }
    size_t threads = (size_t)pool->threads;
    for (size_t k = 0; k < threads; k++) {
        atomic_store_explicit(&pool->shares[k].next, k * count / threads, memory_order_relaxed);
        pool->shares[k].begin = k * count / threads;
        pool->shares[k].end = (k + 1) * count / threads;
    }
    pool->task = task;
    pool->backward = backward;
    pool->argument = argument;
    start_round(pool);
    run_shares(pool, 0);
    atomic_fetch_and(&pool->state, ~(uint64_t)OPEN); // whoever has not come by now need not come
    for (int spin = 0; (atomic_load(&pool->state) & JOINED) != 0; spin += spin < SPINS)
        relax(spin);
}

#else

struct sf_pool {
    int threads;
};

int sf_pool_processors(void)
{
    return 1;
}

sf_status sf_pool_create(sf_context *context, int threads, sf_pool **out)
{
    *out = NULL;
    if (threads < 0)
        return sf_fail(context, SF_ERR_ARGUMENT, "%d threads, expected 0 (all processors) or more", threads);
    return SF_OK;
}

void sf_pool_destroy(sf_pool **pool)
{
    *pool = NULL;
}

int sf_pool_threads(const sf_pool *pool)
{
    (void)pool;
    return 1;
}

void sf_pool_run_order(sf_pool *pool, size_t count, bool backward, sf_task_fn task, void *argument)
{
    (void)pool;
    for (size_t i = 0; i < count; i++)
        task(argument, backward ? count - 1 - i : i, 0);
}

#endif

void sf_pool_run(sf_pool *pool, size_t count, sf_task_fn task, void *argument)
{
    sf_pool_run_order(pool, count, false, task, argument);
}
