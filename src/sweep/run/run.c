/* Running a sweep in one process: a pool of workers, each with a context of its own, computes blocks of points. There is
 * no thread that only writes: the session is used by one worker at a time, and a worker that finds it taken leaves its
 * rows in a queue for whoever has it and goes on with the next block, whose positions are kept some blocks ahead. So
 * nobody waits for the file as long as it keeps up. Blocks grow while points are cheap, so that a block takes some ten
 * milliseconds; the rows do not depend on blocks or threads.
 */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/pool.h"
#include "sweep/run/clock.h"
#include "sweep/run/session.h"
#include "sweep/run/worker.h"

enum {
    MOST_BLOCK = 4096,
    AHEAD = 4,
    MOST_QUEUED = 8,
    MESSAGE_SIZE = 2048
}; // AHEAD, MOST_QUEUED: blocks a worker
#define BLOCK_SECONDS  0.02
#define REPORT_SECONDS 0.2

/* Rows on their way into the file. */
typedef struct parcel {
    struct parcel *next;
    sf_rows rows;
    bool commit; // dear to compute: to be kept at once
} parcel;

typedef struct run {
    sf_sweep *sweep;
    sf_pool *pool;
    sf_worker **workers;
    size_t worker_count;
    pthread_mutex_t writing; // guards the session, and what reports need; taken before `lock`
    sf_session *session;
    bool exhausted; // it has no more positions
    double began, reported;
    pthread_mutex_t lock; // guards all below
    sf_status status;     // that ends the run
    char message[MESSAGE_SIZE];
    uint64_t *ahead;           // (room) positions to hand out
    size_t room, first, count; // of them: ahead[first .. first + count)
    parcel *queue, **queue_end, *spare;
    size_t queued;
} run;

/* ---- progress ------------------------------------------------------------------------------------------- */

static void print_duration(double seconds, char *text, size_t size)
{
    if (!(seconds < 1e8))
        snprintf(text, size, "-");
    else if (seconds >= 3600.0)
        snprintf(text, size, "%.0f h %02.0f min", floor(seconds / 3600.0),
                 floor(fmod(seconds, 3600.0) / 60.0));
    else if (seconds >= 60.0)
        snprintf(text, size, "%.0f min %02.0f s", floor(seconds / 60.0), floor(fmod(seconds, 60.0)));
    else
        snprintf(text, size, "%.0f s", seconds);
}

static void report(run *r, bool last)
{
    double now = sf_clock();
    if (!last && now - r->reported < REPORT_SECONDS)
        return;
    r->reported = now;
    const sf_sweep_counts *counts = sf_session_counts(r->session);
    double done = (double)(counts->finished + counts->reused + counts->computed),
           points = (double)counts->points;
    double rate = (double)counts->computed / (now - r->began + 1e-9);
    char note[160], left[40];
    print_duration(rate > 0.0 ? (points - done) / rate : INFINITY, left, sizeof left);
    snprintf(note, sizeof note, "%.0f/%.0f, %.3g/s, %s left%s", done, points, rate, left,
             counts->failed ? ", failures" : "");
    sf_progress(r->sweep->context, last || points == 0.0 ? 1.0 : fmin(done / points, 0.999), note);
}

/* ---- the file ------------------------------------------------------------------------------------------- */

static const char interrupted[] = "interrupted; the same command goes on from here";

/* Keeps the first status that ends the run, with its message. */
static void stop(run *r, sf_status status, const char *message)
{
    if (status == SF_OK)
        return;
    pthread_mutex_lock(&r->lock);
    if (r->status == SF_OK) {
        r->status = status;
        snprintf(r->message, sizeof r->message, "%s", message);
    }
    pthread_mutex_unlock(&r->lock);
}

/* A status of the session; with `writing`. */
static void stop_writing(run *r, sf_status status)
{
    stop(r, status, sf_context_message(r->sweep->context));
}

static sf_status status_of(run *r)
{
    pthread_mutex_lock(&r->lock);
    sf_status status = r->status;
    pthread_mutex_unlock(&r->lock);
    return status;
}

static bool has_room(run *r)
{
    pthread_mutex_lock(&r->lock);
    bool room = r->status == SF_OK && r->count + MOST_BLOCK <= r->room;
    pthread_mutex_unlock(&r->lock);
    return room;
}

static void push(run *r, const uint64_t *positions, size_t count)
{
    pthread_mutex_lock(&r->lock);
    memmove(r->ahead, r->ahead + r->first, r->count * sizeof *r->ahead);
    memcpy(r->ahead + r->count, positions, count * sizeof *positions);
    r->first = 0;
    r->count += count;
    pthread_mutex_unlock(&r->lock);
}

/* Positions for the blocks to come; with `writing`. */
static void top_up(run *r)
{
    uint64_t fetched[MOST_BLOCK];
    size_t count = MOST_BLOCK;
    while (count > 0 && !r->exhausted && has_room(r)) {
        count = 0;
        sf_status status = sf_session_next(r->session, MOST_BLOCK, fetched, &count);
        stop_writing(r, status);
        r->exhausted = status != SF_OK || count == 0;
        push(r, fetched, count);
    }
}

static parcel *next_parcel(run *r)
{
    pthread_mutex_lock(&r->lock);
    parcel *p = r->queue;
    if (p) {
        r->queue = p->next;
        r->queue_end = r->queue ? r->queue_end : &r->queue;
        r->queued--;
    }
    pthread_mutex_unlock(&r->lock);
    return p;
}

static void store_parcel(run *r, parcel *p)
{
    sf_status status = status_of(r);
    bool broken = status != SF_OK && status != SF_ERR_CANCELLED;
    status = broken ? SF_OK : sf_session_store(r->session, p->rows.size, p->rows.bytes);
    if (status == SF_OK && !broken && p->commit)
        status = sf_session_commit(r->session);
    stop_writing(r, status);
    pthread_mutex_lock(&r->lock);
    p->next = r->spare;
    r->spare = p;
    pthread_mutex_unlock(&r->lock);
}

/* With `writing`, which it gives back. */
static void drain(run *r)
{
    top_up(r);
    for (parcel *p; (p = next_parcel(r)); top_up(r))
        store_parcel(r, p);
    report(r, false);
    pthread_mutex_unlock(&r->writing);
}

static bool is_queued(run *r)
{
    pthread_mutex_lock(&r->lock);
    bool queued = r->queue != NULL;
    pthread_mutex_unlock(&r->lock);
    return queued;
}

/* ---- workers -------------------------------------------------------------------------------------------- */

static size_t pop(run *r, size_t size, uint64_t *positions)
{
    if (sf_cancelled(r->sweep->context))
        stop(r, SF_ERR_CANCELLED, interrupted);
    pthread_mutex_lock(&r->lock);
    size_t count = r->status != SF_OK ? 0 : r->count < size ? r->count : size;
    memcpy(positions, r->ahead + r->first, count * sizeof *positions);
    r->first += count;
    r->count -= count;
    pthread_mutex_unlock(&r->lock);
    return count;
}

static size_t take_block(run *r, size_t size, uint64_t *positions)
{
    size_t count = pop(r, size, positions);
    if (count > 0)
        return count;
    pthread_mutex_lock(&r->writing);
    top_up(r);
    pthread_mutex_unlock(&r->writing);
    return pop(r, size, positions);
}

static parcel *new_parcel(run *r, sf_context *context)
{
    pthread_mutex_lock(&r->lock);
    parcel *p = r->spare;
    if (p)
        r->spare = p->next;
    pthread_mutex_unlock(&r->lock);
    p = p ? p : SF_NEW(context, parcel);
    if (p)
        p->rows.context = context; // of the same allocator as all others of the run
    return p;
}

/* Rows that were finished count even if the block was interrupted. Whoever leaves the session looks at the queue once
 * more: another may have found the session taken meanwhile. */
static void hand_in(run *r, parcel *p)
{
    pthread_mutex_lock(&r->lock);
    p->next = NULL;
    *r->queue_end = p;
    r->queue_end = &p->next;
    bool full = ++r->queued > MOST_QUEUED * r->worker_count;
    pthread_mutex_unlock(&r->lock);
    while (full || (is_queued(r) && pthread_mutex_trylock(&r->writing) == 0)) {
        if (full)
            pthread_mutex_lock(&r->writing);
        full = false;
        drain(r);
    }
}

static void work(void *argument, size_t number, int thread)
{
    (void)thread;
    run *r = argument;
    sf_worker *worker = r->workers[number];
    sf_context *context = worker->context;
    uint64_t positions[MOST_BLOCK];
    size_t block = 1, count;
    while ((count = take_block(r, block, positions)) > 0) {
        parcel *p = new_parcel(r, context);
        if (!p) {
            stop(r, SF_ERR_MEMORY, sf_context_message(context));
            break;
        }
        double begin = sf_clock();
        p->rows.size = 0;
        sf_status status = sf_worker_compute(worker, count, positions, &p->rows);
        double seconds = sf_clock() - begin;
        p->commit = seconds > 5.0 * BLOCK_SECONDS;
        stop(r, status, status == SF_ERR_CANCELLED ? interrupted : sf_context_message(context));
        hand_in(r, p);
        if (seconds < BLOCK_SECONDS / 2.0 && block < MOST_BLOCK)
            block *= 2;
        else if (seconds > 2.0 * BLOCK_SECONDS && block > 1)
            block /= 2;
    }
}

static sf_status run_points(run *r)
{
    r->exhausted = false;
    sf_pool_run(r->pool, r->worker_count, work, r);
    pthread_mutex_lock(&r->writing);
    drain(r);
    return r->status == SF_OK ? SF_OK : sf_fail(r->sweep->context, r->status, "%s", r->message);
}

/* Each pass ends with all results stored; with refine, these tell whether there is another. */
static sf_status run_all(run *r)
{
    do
        SF_TRY(run_points(r));
    while (sf_session_waits(r->session));
    return SF_OK;
}

static sf_status create_workers(run *r, int threads)
{
    SF_TRY(sf_pool_create(r->sweep->context, threads, &r->pool));
    size_t count = (size_t)sf_pool_threads(r->pool);
    r->workers = sf_alloc_zero(r->sweep->context, count, sizeof *r->workers);
    r->room = AHEAD * MOST_BLOCK * count;
    r->ahead = SF_ARRAY(r->sweep->context, r->room, uint64_t);
    if (!r->workers || !r->ahead)
        return SF_ERR_MEMORY;
    for (; r->worker_count < count; r->worker_count++)
        SF_TRY(sf_worker_create(r->sweep, r->worker_count, &r->workers[r->worker_count]));
    return SF_OK;
}

static void release(run *r)
{
    sf_context *context = r->sweep->context;
    for (parcel *p = r->spare; p; p = r->spare) {
        r->spare = p->next;
        p->rows.context = context;
        sf_rows_release(&p->rows);
        sf_free(context, p);
    }
    for (size_t i = 0; r->workers && i < r->worker_count; i++)
        sf_worker_destroy(&r->workers[i]);
    sf_free(context, r->workers);
    sf_free(context, r->ahead);
    sf_pool_destroy(&r->pool);
    pthread_mutex_destroy(&r->writing);
    pthread_mutex_destroy(&r->lock);
}

/* ---- the run ------------------------------------------------------------------------------------------ */

sf_status sf_sweep_run(sf_sweep *sweep, const char *path, const sf_sweep_options *options,
                       sf_sweep_counts *counts)
{
    *counts = (sf_sweep_counts){0};
    SF_TRY(sf_options_check(sweep, options));
    run r = {.sweep = sweep, .began = sf_clock()};
    r.queue_end = &r.queue;
    SF_TRY(sf_session_open(sweep, path, options, &r.session));
    pthread_mutex_init(&r.writing, NULL);
    pthread_mutex_init(&r.lock, NULL);
    sf_status status = create_workers(&r, options->threads);
    if (status == SF_OK)
        status = run_all(&r);
    report(&r, true);
    release(&r);
    sf_status closed = sf_session_close(&r.session, status, counts);
    return status == SF_OK ? closed : status;
}
