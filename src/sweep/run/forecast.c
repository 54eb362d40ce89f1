/* What a run would do: which points of a sweep a result file lacks. Nothing is computed or written. */
#include "sweep/grid/refine.h"
#include "sweep/store/ledger.h"

typedef struct forecast {
    sf_sweep *sweep;
    const sf_sweep_options *options;
    sf_sweep_counts *counts;
    sf_ledger own, from;
} forecast;

/* What is to be done about a point of this run. */
static void count_point(sf_sweep_counts *counts, sf_known known, bool failed)
{
    counts->pending += known == SF_KNOWN_NOT;
    counts->lacking += known == SF_KNOWN_LACKING;
    counts->retried += known == SF_KNOWN_FAILED;
    counts->failed += failed && known == SF_KNOWN_FINISHED;
}

static sf_status count_written(forecast *f)
{
    const sf_sweep *sweep = f->sweep;
    sf_sweep_counts *counts = f->counts;
    if (!f->own.database && f->options->shards < 2) {
        counts->points = counts->pending = sweep->grid->points;
        return SF_OK;
    }
    for (uint64_t n = 0; n < sweep->grid->points; n++) {
        if (!sf_is_mine(f->options, n))
            continue;
        counts->points++;
        if (f->own.done[n / 8] >> (n % 8) & 1u) {
            counts->finished++;
            continue;
        }
        sf_known known;
        int64_t point;
        bool failed;
        SF_TRY(sf_ledger_look(&f->own, n, &known, &point, &failed));
        counts->reused += known == SF_KNOWN_FINISHED;
        count_point(counts, known, failed);
    }
    counts->failed += f->own.failed;
    return SF_OK;
}

/* In the file of this run, else in that of earlier rounds. */
static sf_status look_twice(forecast *f, uint64_t position, sf_ledger **where, sf_known *known,
                            int64_t *point, bool *failed)
{
    *where = &f->own;
    SF_TRY(sf_ledger_look(&f->own, position, known, point, failed));
    if (*known == SF_KNOWN_FINISHED || !f->from.database)
        return SF_OK;
    sf_known other;
    int64_t other_point;
    bool other_failed;
    SF_TRY(sf_ledger_look(&f->from, position, &other, &other_point, &other_failed));
    if (other == SF_KNOWN_FINISHED) {
        *where = &f->from;
        *known = other;
        *point = other_point;
        *failed = other_failed;
    }
    return SF_OK;
}

static sf_status forecast_value(void *argument, uint64_t position, sf_cell *cell)
{
    sf_ledger *where;
    sf_known known;
    int64_t point;
    bool failed;
    SF_TRY(look_twice(argument, position, &where, &known, &point, &failed));
    return sf_ledger_value(where, point, cell);
}

static sf_status count_list(forecast *f, const uint64_t *positions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sf_ledger *where;
        sf_known known;
        int64_t point;
        bool failed;
        SF_TRY(look_twice(f, positions[i], &where, &known, &point, &failed));
        if (!sf_is_mine(f->options, i)) {
            f->counts->awaited += known != SF_KNOWN_FINISHED;
            continue;
        }
        f->counts->points++;
        f->counts->finished += known == SF_KNOWN_FINISHED;
        count_point(f->counts, known, failed);
    }
    return SF_OK;
}

/* List after list, up to the first one that is not complete. */
static sf_status count_refined(forecast *f)
{
    sf_refinement *refinement;
    const uint64_t *positions;
    const sf_sweep_counts *counts = f->counts;
    size_t count;
    sf_status status = sf_refinement_create(f->sweep, &refinement);
    bool complete = true;
    while (status == SF_OK && complete) {
        status = sf_refinement_next(refinement, forecast_value, f, &positions, &count);
        if (status == SF_OK && count == 0)
            break;
        if (status == SF_OK)
            status = count_list(f, positions, count);
        complete = counts->pending + counts->lacking + counts->retried + counts->awaited == 0;
    }
    sf_refinement_destroy(&refinement);
    return status;
}

/* NULL if there is no such file. */
static sf_status open_if_there(sf_context *context, const char *path, sf_database **database)
{
    *database = NULL;
    FILE *there = path ? fopen(path, "rb") : NULL;
    if (!there)
        return SF_OK;
    fclose(there);
    return sf_database_open(context, path, false, false, database);
}

sf_status sf_sweep_plan(sf_sweep *sweep, const char *path, const sf_sweep_options *options,
                        sf_sweep_counts *counts)
{
    *counts = (sf_sweep_counts){0};
    SF_TRY(sf_options_check(sweep, options));
    sf_database *own = NULL, *from = NULL;
    forecast f = {.sweep = sweep, .options = options, .counts = counts};
    sf_status status = open_if_there(sweep->context, path, &own);
    if (status == SF_OK && options->from)
        status = sf_database_open(sweep->context, options->from, false, false, &from);
    if (status == SF_OK)
        status = sf_ledger_open(sweep, own, options->retry_failed, &f.own);
    if (status == SF_OK && from)
        status = sf_ledger_open(sweep, from, options->retry_failed, &f.from);
    if (status == SF_OK)
        status = sf_sweep_levels(sweep) > 0 ? count_refined(&f) : count_written(&f);
    sf_ledger_close(&f.from);
    sf_ledger_close(&f.own);
    sf_database_close(&from);
    sf_database_close(&own);
    return status;
}
