/* A few data sets, each under the settings it was read with. What nobody has borrowed makes room for what is new, the
 * longest unused first. The lock is held for a few comparisons only. */
#include "experiment/data_cache.h"

#include <stdatomic.h>
#include <string.h>

#include "data/dataset.h"

enum { PLACES = 8, CONTENTS = 64 };

typedef struct place {
    sf_hash key;
    sf_dataset *dataset;   // NULL: free
    uint64_t number, used; // used: when it was lent last, in the cache's clock
    size_t borrowers;
} place;

struct sf_data_cache {
    sf_context *context;
    atomic_flag lock;
    uint64_t clock, numbers;
    place places[PLACES];
    struct {
        sf_hash key, content;
    } contents[CONTENTS];
    size_t content_count; // noted so far; the last CONTENTS of them are there
};

static void lock(sf_data_cache *cache)
{
    while (atomic_flag_test_and_set_explicit(&cache->lock, memory_order_acquire)) {
    }
}

static void unlock(sf_data_cache *cache)
{
    atomic_flag_clear_explicit(&cache->lock, memory_order_release);
}

sf_status sf_data_cache_create(sf_context *context, sf_data_cache **out)
{
    *out = SF_NEW(context, sf_data_cache);
    if (!*out)
        return SF_ERR_MEMORY;
    **out = (sf_data_cache){.context = context};
    atomic_flag_clear(&(*out)->lock);
    return SF_OK;
}

void sf_data_cache_destroy(sf_data_cache **cache)
{
    if (!cache || !*cache)
        return;
    sf_context *context = (*cache)->context;
    for (size_t i = 0; i < PLACES; i++) {
        sf_dataset_destroy(&(*cache)->places[i].dataset);
    }
    sf_free(context, *cache);
    *cache = NULL;
}

static place *find(sf_data_cache *cache, sf_hash key)
{
    for (size_t i = 0; i < PLACES; i++)
        if (cache->places[i].dataset && memcmp(&cache->places[i].key, &key, sizeof key) == 0)
            return &cache->places[i];
    return NULL;
}

static sf_dataset *lend(sf_data_cache *cache, place *p, uint64_t *number)
{
    p->borrowers++;
    p->used = ++cache->clock;
    *number = p->number;
    return p->dataset;
}

sf_dataset *sf_data_cache_borrow(sf_data_cache *cache, sf_hash key, uint64_t *number)
{
    lock(cache);
    place *p = find(cache, key);
    sf_dataset *dataset = p ? lend(cache, p, number) : NULL;
    unlock(cache);
    return dataset;
}

/* A free place, else the one unused for longest; NULL if all are lent. */
static place *place_for(sf_data_cache *cache)
{
    place *best = NULL;
    for (size_t i = 0; i < PLACES; i++) {
        place *p = &cache->places[i];
        if (p->borrowers == 0 && (!best || (best->dataset && (!p->dataset || p->used < best->used))))
            best = p;
    }
    return best;
}

bool sf_data_cache_keep(sf_data_cache *cache, sf_hash key, sf_dataset *dataset, uint64_t *number)
{
    lock(cache);
    place *p = find(cache, key) ? NULL : place_for(cache), old = {0};
    if (p) {
        old = *p;
        *p = (place){.key = key, .dataset = dataset, .number = ++cache->numbers};
        lend(cache, p, number);
    }
    unlock(cache);
    sf_dataset_destroy(&old.dataset);
    if (p)
        dataset->context = cache->context; // which outlives that of the experiment
    return p != NULL;
}

void sf_data_cache_give_back(sf_data_cache *cache, const sf_dataset *dataset)
{
    lock(cache);
    for (size_t i = 0; i < PLACES; i++)
        if (cache->places[i].dataset == dataset)
            cache->places[i].borrowers--;
    unlock(cache);
}

bool sf_data_cache_recall(sf_data_cache *cache, sf_hash key, sf_hash *content)
{
    bool found = false;
    lock(cache);
    for (size_t i = 0; i < CONTENTS && i < cache->content_count && !found; i++)
        if (memcmp(&cache->contents[i].key, &key, sizeof key) == 0) {
            *content = cache->contents[i].content;
            found = true;
        }
    unlock(cache);
    return found;
}

void sf_data_cache_remember(sf_data_cache *cache, sf_hash key, sf_hash content)
{
    lock(cache);
    size_t at = cache->content_count++ % CONTENTS;
    cache->contents[at].key = key;
    cache->contents[at].content = content;
    unlock(cache);
}
