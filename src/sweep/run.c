/* Running a sweep in one process: a pool of workers, each with a context of its own, takes blocks of points from the
 * session and gives their rows back. The session is used by one worker at a time, under a lock; there is no thread
 * that only writes. Blocks grow while points are cheap, so that a block takes some ten milliseconds; the rows do not
 * depend on blocks or threads.
 */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/pool.h"
#include "sweep/point.h"
#include "sweep/refine.h"
#include "sweep/session.h"

enum { MOST_BLOCK = 4096 };
#define BLOCK_SECONDS  0.02
#define REPORT_SECONDS 0.2

typedef struct run {
    sf_sweep *sweep;
    sf_session *session;
    sf_pool *pool;
    sf_worker **workers;
    size_t worker_count;
    pthread_mutex_t lock; // guards all below, and the session
    sf_status status;
    double began, reported;
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

/* ---- workers -------------------------------------------------------------------------------------------- */

/* Keeps the first status that ends the run, with its message. */
static void stop(run *r, sf_status status, const char *message)
{
    if (r->status == SF_OK && status != SF_OK) {
        r->status = status;
        if (message)
            sf_fail(r->sweep->context, status, "%s", message);
    }
}

static size_t take_block(run *r, size_t size, uint64_t *positions)
{
    size_t count = 0;
    pthread_mutex_lock(&r->lock);
    if (r->status == SF_OK && sf_cancelled(r->sweep->context))
        stop(r, SF_ERR_CANCELLED, "interrupted; the same command goes on from here");
    if (r->status == SF_OK)
        stop(r, sf_session_next(r->session, size, positions, &count), NULL);
    if (r->status != SF_OK)
        count = 0;
    pthread_mutex_unlock(&r->lock);
    return count;
}

/* Rows that were finished count even if the block was interrupted. */
static void give_back(run *r, sf_worker *worker, const sf_rows *rows, sf_status status, double seconds)
{
    pthread_mutex_lock(&r->lock);
    bool broken = r->status != SF_OK && r->status != SF_ERR_CANCELLED;
    sf_status stored = broken ? SF_OK : sf_session_store(r->session, rows->size, rows->bytes);
    if (stored == SF_OK && !broken && seconds > 5.0 * BLOCK_SECONDS)
        stored = sf_session_commit(r->session); // what was dear to compute is kept at once
    stop(r, stored, NULL);
    stop(r, status,
         status == SF_ERR_CANCELLED ? "interrupted; the same command goes on from here"
                                    : sf_context_message(sf_worker_context(worker)));
    report(r, false);
    pthread_mutex_unlock(&r->lock);
}

static void work(void *argument, size_t number, int thread)
{
    (void)thread;
    run *r = argument;
    sf_worker *worker = r->workers[number];
    sf_rows rows = {.context = sf_worker_context(worker)};
    uint64_t positions[MOST_BLOCK];
    size_t block = 1, count;
    while ((count = take_block(r, block, positions)) > 0) {
        double begin = sf_clock();
        rows.size = 0;
        sf_status status = sf_worker_compute(worker, count, positions, &rows);
        double seconds = sf_clock() - begin;
        give_back(r, worker, &rows, status, seconds);
        if (seconds < BLOCK_SECONDS / 2.0 && block < MOST_BLOCK)
            block *= 2;
        else if (seconds > 2.0 * BLOCK_SECONDS && block > 1)
            block /= 2;
    }
    sf_rows_release(&rows);
}

static sf_status run_points(run *r)
{
    sf_pool_run(r->pool, r->worker_count, work, r);
    return r->status;
}

static sf_status run_refined(run *r)
{
    sf_refinement *refinement;
    SF_TRY(sf_refinement_create(r->sweep, &refinement));
    sf_status status;
    const uint64_t *positions;
    size_t count;
    while ((status = sf_refinement_next(refinement, r->session, &positions, &count)) == SF_OK && count > 0) {
        sf_session_give(r->session, positions, count);
        status = run_points(r);
        if (status != SF_OK)
            break;
    }
    sf_refinement_destroy(&refinement);
    return status;
}

static sf_status create_workers(run *r, int threads)
{
    SF_TRY(sf_pool_create(r->sweep->context, threads, &r->pool));
    size_t count = (size_t)sf_pool_threads(r->pool);
    r->workers = sf_alloc_zero(r->sweep->context, count, sizeof *r->workers);
    if (!r->workers)
        return SF_ERR_MEMORY;
    for (; r->worker_count < count; r->worker_count++)
        SF_TRY(sf_worker_create(r->sweep, r->worker_count, &r->workers[r->worker_count]));
    return SF_OK;
}

/* ---- options -------------------------------------------------------------------------------------------- */

static sf_status check_options(const sf_sweep *sweep, const sf_sweep_options *options)
{
    if (options->threads < 0 || options->threads > 4096)
        return sf_fail(sweep->context, SF_ERR_USAGE, "%d threads, expected 0 (all) to 4096",
                       options->threads);
    if (options->shards > 0 && (options->shard < 1 || options->shard > options->shards))
        return sf_fail(sweep->context, SF_ERR_USAGE, "shard %llu of %llu, expected 1 to %llu",
                       (unsigned long long)options->shard, (unsigned long long)options->shards,
                       (unsigned long long)options->shards);
    if (options->shards > 1 && sweep->grid->refine.levels > 0)
        return sf_fail(
            sweep->context, SF_ERR_USAGE,
            "a sweep with `refine:` cannot be cut into shards: where it refines depends on all points");
    return SF_OK;
}

sf_status sf_sweep_run(sf_sweep *sweep, const char *path, const sf_sweep_options *options,
                       sf_sweep_counts *counts)
{
    *counts = (sf_sweep_counts){0};
    SF_TRY(check_options(sweep, options));
    run r = {.sweep = sweep, .began = sf_clock()};
    SF_TRY(sf_session_open(sweep, path, options, &r.session));
    pthread_mutex_init(&r.lock, NULL);
    sf_status status = create_workers(&r, options->threads);
    if (status == SF_OK)
        status = sweep->grid->refine.levels > 0 ? run_refined(&r) : run_points(&r);
    report(&r, true);
    for (size_t i = 0; r.workers && i < r.worker_count; i++)
        sf_worker_destroy(&r.workers[i]);
    sf_free(sweep->context, r.workers);
    sf_pool_destroy(&r.pool);
    pthread_mutex_destroy(&r.lock);
    sf_status closed = sf_session_close(&r.session, status, counts);
    return status == SF_OK ? closed : status;
}

/* ---- the plan ------------------------------------------------------------------------------------------- */

static sf_status count_points(sf_sweep *sweep, sf_database *database, const sf_sweep_options *options,
                              sf_sweep_counts *counts)
{
    sf_ledger ledger;
    sf_status status = sf_ledger_open(sweep, database, options->retry_failed, &ledger);
    if (!database && options->shards < 2)
        counts->points = counts->pending = sweep->grid->points;
    for (uint64_t n = counts->points; n < sweep->grid->points && status == SF_OK; n++) {
        if (options->shards > 1 && n % options->shards != options->shard - 1)
            continue;
        counts->points++;
        if (ledger.done[n / 8] >> (n % 8) & 1u) {
            counts->finished++;
            continue;
        }
        sf_known known;
        int64_t point;
        bool failed;
        status = sf_ledger_look(&ledger, sf_grid_written(sweep->grid, n), &known, &point, &failed);
        counts->pending += known == SF_KNOWN_NOT;
        counts->reused += known == SF_KNOWN_FINISHED;
        counts->lacking += known == SF_KNOWN_LACKING;
        counts->retried += known == SF_KNOWN_FAILED;
        counts->failed += failed && known == SF_KNOWN_FINISHED;
    }
    counts->failed += ledger.failed;
    sf_ledger_close(&ledger);
    return status;
}

sf_status sf_sweep_plan(sf_sweep *sweep, const char *path, const sf_sweep_options *options,
                        sf_sweep_counts *counts)
{
    *counts = (sf_sweep_counts){0};
    SF_TRY(check_options(sweep, options));
    sf_database *database = NULL;
    FILE *there = path ? fopen(path, "rb") : NULL;
    if (there) {
        fclose(there);
        SF_TRY(sf_database_open(sweep->context, path, false, false, &database));
    }
    sf_status status = count_points(sweep, database, options, counts);
    sf_database_close(&database);
    return status;
}
