/* A few threads that wait for numbered tasks. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE // sched_getaffinity
#endif
#include "base/pool.h"

#ifdef SF_HAVE_THREADS

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

enum { SPINS = 4000, SPINS_BEFORE_YIELD = 2000 };

typedef struct sf_worker {
    sf_pool *pool;
    pthread_t thread;
    int number; // 1..threads-1; the caller is 0
} sf_worker;

struct sf_pool {
    sf_context *context;
    int threads;
    sf_worker *workers;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    atomic_uint round;   // counts jobs; a change starts the workers
    atomic_int sleepers; // workers that wait for `wake`
    atomic_int busy;     // workers that have not finished this round
    atomic_size_t next;  // next task, when the share is not fixed
    atomic_bool stop;
    size_t count;
    bool fixed;
    sf_task_fn task;
    void *argument;
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

static void run_share(sf_pool *pool, int number)
{
    if (pool->fixed) {
        size_t threads = (size_t)pool->threads, self = (size_t)number;
        size_t end = (self + 1) * pool->count / threads;
        for (size_t i = self * pool->count / threads; i < end; i++)
            pool->task(pool->argument, i, number);
        return;
    }
    for (size_t i; (i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed)) < pool->count;)
        pool->task(pool->argument, i, number);
}

/* Waits until the round differs from `seen`: spinning first, then asleep. The worker announces that it sleeps
 * before it looks again, and the caller changes the round before it looks for sleepers: one of them sees the
 * other. */
static void wait_for_round(sf_pool *pool, unsigned seen)
{
    for (int spin = 0; spin < SPINS; spin++) {
        if (atomic_load(&pool->round) != seen)
            return;
        relax(spin);
    }
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->round) == seen)
        pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static void start_round(sf_pool *pool)
{
    atomic_fetch_add(&pool->round, 1);
    if (atomic_load(&pool->sleepers) > 0) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->mutex);
    }
}

static void *work(void *argument)
{
    sf_worker *self = argument;
    sf_pool *pool = self->pool;
    for (unsigned seen = 0;; seen++) {
        wait_for_round(pool, seen);
        if (atomic_load(&pool->stop))
            return NULL;
        run_share(pool, self->number);
        atomic_fetch_sub(&pool->busy, 1);
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
    sf_pool *pool = SF_NEW(context, sf_pool);
    sf_worker *workers = SF_ARRAY(context, (size_t)threads, sf_worker);
    if (!pool || !workers) {
        sf_free(context, pool);
        sf_free(context, workers);
        return SF_ERR_MEMORY;
    }
    pool->context = context;
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
    sf_free(context, *pool);
    *pool = NULL;
}

int sf_pool_threads(const sf_pool *pool)
{
    return pool ? pool->threads : 1;
}

void sf_pool_run(sf_pool *pool, size_t count, bool fixed, sf_task_fn task, void *argument)
{
    if (!pool || pool->threads == 1 || count <= 1) {
        for (size_t i = 0; i < count; i++)
            task(argument, i, 0);
        return;
    }
    pool->count = count;
    pool->fixed = fixed;
    pool->task = task;
    pool->argument = argument;
    atomic_store(&pool->next, 0);
    atomic_store(&pool->busy, pool->threads - 1);
    start_round(pool);
    run_share(pool, 0);
    for (int spin = 0; atomic_load(&pool->busy) > 0; spin += spin < SPINS)
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

void sf_pool_run(sf_pool *pool, size_t count, bool fixed, sf_task_fn task, void *argument)
{
    (void)pool;
    (void)fixed;
    for (size_t i = 0; i < count; i++)
        task(argument, i, 0);
}

#endif
