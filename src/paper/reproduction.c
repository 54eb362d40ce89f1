/* Runs claims side by side. Each has a context of its own and shares nothing, so that what comes out does not
 * depend on the number of threads or on the order. Claims on real data take longest and start first, so that no thread is
 * left with one of them in the end. */
#include "paper/outcome.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct sf_reproduction {
    sf_context *context;
    sf_reproduction_options options;
    char *data_dir;
    size_t count;
    sf_outcome *outcomes; // (count)
    double seconds;
    pthread_mutex_t lock; // guards what follows, and the context's progress
    size_t next, done;    // next: turn
    sf_status status;
};

size_t sf_claim_count(void)
{
    return sf_claim_registry_count;
}

const sf_claim *sf_claim_get(size_t index)
{
    return index < sf_claim_registry_count ? &sf_claim_registry[index].claim : NULL;
}

bool sf_claim_find(const char *id, size_t *index)
{
    for (size_t i = 0; i < sf_claim_registry_count; i++)
        if (strcmp(sf_claim_registry[i].claim.id, id) == 0) {
            *index = i;
            return true;
        }
    return false;
}

static sf_status prepare(sf_reproduction *reproduction, const size_t *claims)
{
    sf_context *context = reproduction->context;
    if (reproduction->options.data_dir) {
        reproduction->data_dir = sf_strdup(context, reproduction->options.data_dir);
        if (!reproduction->data_dir)
            return SF_ERR_MEMORY;
        reproduction->options.data_dir = reproduction->data_dir;
    }
    for (size_t i = 0; i < reproduction->count; i++) {
        if (claims[i] >= sf_claim_registry_count)
            return sf_fail(context, SF_ERR_ARGUMENT, "claim %zu, expected less than %zu", claims[i],
                           sf_claim_registry_count);
        reproduction->outcomes[i].entry = &sf_claim_registry[claims[i]];
        reproduction->outcomes[i].options = &reproduction->options;
        SF_TRY(sf_context_fork(context, &reproduction->outcomes[i].context));
    }
    return SF_OK;
}

sf_status sf_reproduction_create(sf_context *context, size_t count, const size_t *claims,
                                 const sf_reproduction_options *options, sf_reproduction **out)
{
    *out = NULL;
    sf_reproduction *reproduction = SF_NEW(context, sf_reproduction);
    if (!reproduction)
        return SF_ERR_MEMORY;
    reproduction->context = context;
    reproduction->options = *options;
    pthread_mutex_init(&reproduction->lock, NULL);
    reproduction->outcomes = sf_alloc_zero(context, count, sizeof *reproduction->outcomes);
    sf_status status = SF_ERR_MEMORY;
    if (reproduction->outcomes) {
        reproduction->count = count;
        status = prepare(reproduction, claims);
    }
    if (status != SF_OK) {
        sf_reproduction_destroy(&reproduction);
        return status;
    }
    *out = reproduction;
    return SF_OK;
}

void sf_reproduction_destroy(sf_reproduction **reproduction)
{
    if (!reproduction || !*reproduction)
        return;
    sf_context *context = (*reproduction)->context;
    for (size_t i = 0; (*reproduction)->outcomes && i < (*reproduction)->count; i++) {
        sf_outcome *outcome = &(*reproduction)->outcomes[i];
        if (outcome->context)
            sf_outcome_clear(outcome);
        sf_context_destroy(&outcome->context);
    }
    pthread_mutex_destroy(&(*reproduction)->lock);
    sf_free(context, (*reproduction)->outcomes);
    sf_free(context, (*reproduction)->data_dir);
    sf_free(context, *reproduction);
    *reproduction = NULL;
}

/* Takes claims off the list until none is left or one broke off. */
static void *work(void *argument)
{
    sf_reproduction *reproduction = argument;
    pthread_mutex_lock(&reproduction->lock);
    while (reproduction->status == SF_OK && reproduction->next < 2 * reproduction->count) {
        size_t turn = reproduction->next++; // once through those on data, once through the others
        sf_outcome *outcome = &reproduction->outcomes[turn % reproduction->count];
        bool on_data = outcome->entry->claim.needs != SF_NEEDS_NOTHING;
        if (outcome->finished || on_data != (turn < reproduction->count))
            continue;
        sf_progress(reproduction->context, (double)reproduction->done / (double)reproduction->count,
                    outcome->entry->claim.id);
        pthread_mutex_unlock(&reproduction->lock);
        sf_status status = sf_outcome_run(outcome);
        pthread_mutex_lock(&reproduction->lock);
        reproduction->done++;
        if (status != SF_OK && reproduction->status == SF_OK)
            reproduction->status = sf_fail(
                reproduction->context, status, "claim %s: %s", outcome->entry->claim.id,
                status == SF_ERR_MEMORY ? sf_status_message(status) : sf_context_message(outcome->context));
    }
    pthread_mutex_unlock(&reproduction->lock);
    return NULL;
}

sf_status sf_reproduction_run(sf_reproduction *reproduction)
{
    enum { MOST = 64 };
    pthread_t threads[MOST];
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    long wanted =
        reproduction->options.threads > 0 ? reproduction->options.threads : sysconf(_SC_NPROCESSORS_ONLN);
    size_t helpers = wanted < 1 ? 0 : wanted > MOST ? MOST : (size_t)wanted - 1, started = 0;
    if (helpers >= reproduction->count)
        helpers = reproduction->count ? reproduction->count - 1 : 0;
    reproduction->status = SF_OK;
    reproduction->next = reproduction->done = 0;
    while (started < helpers && pthread_create(&threads[started], NULL, work, reproduction) == 0)
        started++; // fewer threads than wanted only take longer
    work(reproduction);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    reproduction->seconds +=
        (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    sf_progress(reproduction->context, 1.0, NULL);
    return reproduction->status;
}

const sf_reproduction_options *sf_reproduction_get_options(const sf_reproduction *reproduction)
{
    return &reproduction->options;
}

size_t sf_reproduction_count(const sf_reproduction *reproduction)
{
    return reproduction->count;
}

double sf_reproduction_seconds(const sf_reproduction *reproduction)
{
    return reproduction->seconds;
}

const sf_outcome *sf_reproduction_outcome(const sf_reproduction *reproduction, size_t index)
{
    return &reproduction->outcomes[index];
}
