/* A few data sets, each under the settings it was read with. What nobody has borrowed makes room for what is new, the
 * longest unused first. The lock is held for a few comparisons only. */
#include "experiment/shelf.h"

#include <stdatomic.h>
#include <string.h>

#include "data/dataset.h"

enum { PLACES = 8, CONTENTS = 64 };

typedef struct place {
    sf_hash key;
    sf_dataset *dataset;   // NULL: free
    uint64_t number, used; // used: when it was lent last, on the shelf's clock
    size_t borrowers;
} place;

struct sf_shelf {
    sf_context *context;
    atomic_flag lock;
    uint64_t clock, numbers;
    place places[PLACES];
    struct {
        sf_hash key, content;
    } contents[CONTENTS];
    size_t content_count; // noted so far; the last CONTENTS of them are there
};

static void lock(sf_shelf *shelf)
{
    while (atomic_flag_test_and_set_explicit(&shelf->lock, memory_order_acquire)) {
    }
}

static void unlock(sf_shelf *shelf)
{
    atomic_flag_clear_explicit(&shelf->lock, memory_order_release);
}

sf_status sf_shelf_create(sf_context *context, sf_shelf **out)
{
    *out = SF_NEW(context, sf_shelf);
    if (!*out)
        return SF_ERR_MEMORY;
    **out = (sf_shelf){.context = context};
    atomic_flag_clear(&(*out)->lock);
    return SF_OK;
}

void sf_shelf_destroy(sf_shelf **shelf)
{
    if (!shelf || !*shelf)
        return;
    sf_context *context = (*shelf)->context;
    for (size_t i = 0; i < PLACES; i++) {
        sf_dataset_destroy(&(*shelf)->places[i].dataset);
    }
    sf_free(context, *shelf);
    *shelf = NULL;
}

static place *find(sf_shelf *shelf, sf_hash key)
{
    for (size_t i = 0; i < PLACES; i++)
        if (shelf->places[i].dataset && memcmp(&shelf->places[i].key, &key, sizeof key) == 0)
            return &shelf->places[i];
    return NULL;
}

static sf_dataset *lend(sf_shelf *shelf, place *p, uint64_t *number)
{
    p->borrowers++;
    p->used = ++shelf->clock;
    *number = p->number;
    return p->dataset;
}

sf_dataset *sf_shelf_borrow(sf_shelf *shelf, sf_hash key, uint64_t *number)
{
    lock(shelf);
    place *p = find(shelf, key);
    sf_dataset *dataset = p ? lend(shelf, p, number) : NULL;
    unlock(shelf);
    return dataset;
}

/* A free place, else the one unused for longest; NULL if all are lent. */
static place *place_for(sf_shelf *shelf)
{
    place *best = NULL;
    for (size_t i = 0; i < PLACES; i++) {
        place *p = &shelf->places[i];
        if (p->borrowers == 0 && (!best || (best->dataset && (!p->dataset || p->used < best->used))))
            best = p;
    }
    return best;
}

bool sf_shelf_keep(sf_shelf *shelf, sf_hash key, sf_dataset *dataset, uint64_t *number)
{
    lock(shelf);
    place *p = find(shelf, key) ? NULL : place_for(shelf), old = {0};
    if (p) {
        old = *p;
        *p = (place){.key = key, .dataset = dataset, .number = ++shelf->numbers};
        lend(shelf, p, number);
    }
    unlock(shelf);
    sf_dataset_destroy(&old.dataset);
    if (p)
        dataset->context = shelf->context; // which outlives that of the experiment
    return p != NULL;
}

void sf_shelf_give_back(sf_shelf *shelf, const sf_dataset *dataset)
{
    lock(shelf);
    for (size_t i = 0; i < PLACES; i++)
        if (shelf->places[i].dataset == dataset)
            shelf->places[i].borrowers--;
    unlock(shelf);
}

bool sf_shelf_recall(sf_shelf *shelf, sf_hash key, sf_hash *content)
{
    bool found = false;
    lock(shelf);
    for (size_t i = 0; i < CONTENTS && i < shelf->content_count && !found; i++)
        if (memcmp(&shelf->contents[i].key, &key, sizeof key) == 0) {
            *content = shelf->contents[i].content;
            found = true;
        }
    unlock(shelf);
    return found;
}

void sf_shelf_remember(sf_shelf *shelf, sf_hash key, sf_hash content)
{
    lock(shelf);
    size_t at = shelf->content_count++ % CONTENTS;
    shelf->contents[at].key = key;
    shelf->contents[at].content = content;
    unlock(shelf);
}
