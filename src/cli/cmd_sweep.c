/* samflow sweep: many experiments over a grid, into one result file; what it would do; how far it is. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/shard.h"

/* ---- reports -------------------------------------------------------------------------------------------- */

typedef struct count_row {
    const char *name;
    uint64_t value;
    const char *why;
} count_row;

static void print_json(const char *state, const count_row *rows, size_t count)
{
    sf_json json = sf_json_make(stdout, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_string(&json, "state", state);
    for (size_t i = 0; i < count; i++)
        sf_json_integer(&json, rows[i].name, (int64_t)rows[i].value);
    sf_json_close_object(&json);
    sf_json_finish(&json);
}

static void print_plan(const sf_cli *cli, bool refined, const sf_sweep_counts *counts)
{
    const count_row rows[] = {
        {"points", counts->points, "in the grid"},
        {"pending", counts->pending, "to run: not computed yet"},
        {"lacking", counts->lacking, "to run again: an observable asked for was not recorded"},
        {"retried", counts->retried, "to run again: they failed, and --retry-failed is given"},
        {"finished", counts->finished, "nothing to do: in the file for this grid"},
        {"reused", counts->reused, "nothing to do: in the file from another grid"},
        {"failed", counts->failed, "of these have failed; --retry-failed tries them again"},
        {"awaited", counts->awaited, "of other shards come first: merge them, then --from the merged file"},
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    if (cli->json) {
        print_json("planned", rows, ROWS);
        return;
    }
    for (size_t i = 0; i < ROWS; i++)
        if (i < 2 || rows[i].value > 0)
            printf("%12llu  %s\n", (unsigned long long)rows[i].value, rows[i].why);
    if (refined && rows[1].value > 0)
        printf("where their results differ, refinement adds more\n");
    printf("nothing was written\n");
}

static void print_result(const sf_cli *cli, const char *state, const sf_sweep_counts *counts)
{
    const count_row rows[] = {{"points", counts->points, NULL}, {"finished", counts->finished, NULL},
                              {"reused", counts->reused, NULL}, {"computed", counts->computed, NULL},
                              {"failed", counts->failed, NULL}, {"awaited", counts->awaited, NULL}};
    if (cli->json)
        print_json(state, rows, sizeof rows / sizeof rows[0]);
    else
        sf_cli_print(stdout,
                     "%s: %llu points, %llu computed, %llu there before, %llu reused, %llu failed: %s\n",
                     state, (unsigned long long)counts->points, (unsigned long long)counts->computed,
                     (unsigned long long)counts->finished, (unsigned long long)counts->reused,
                     (unsigned long long)counts->failed, cli->output);
    if (counts->awaited > 0)
        sf_cli_print(
            stderr,
            "samflow: this round of the refinement is done here; %llu points of other shards decide what "
            "follows: samflow merge ALL.db PART.db..., then the same command with --from ALL.db\n",
            (unsigned long long)counts->awaited);
    if (counts->failed > 0)
        sf_cli_print(
            stderr,
            "samflow: %llu points failed; their reasons: sqlite3 '%s' \"SELECT reason, count(*) FROM "
            "result WHERE status = 'failed' GROUP BY reason\"; --retry-failed tries them again\n",
            (unsigned long long)counts->failed, cli->output);
}

static void print_status_json(const sf_store_status *status)
{
    sf_json json = sf_json_make(stdout, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_string(&json, "state", status->state);
    sf_json_integer(&json, "points", (int64_t)status->points);
    sf_json_integer(&json, "done", (int64_t)status->done);
    sf_json_integer(&json, "failed", (int64_t)status->failed);
    if (status->process >= 0)
        sf_json_integer(&json, "process", status->process);
    else
        sf_json_null(&json, "process");
    sf_json_number(&json, "rate", status->rate);
    sf_json_number(&json, "seconds_left", status->seconds_left);
    sf_json_number(&json, "started", status->started);
    sf_json_number(&json, "updated", status->updated);
    sf_json_close_object(&json);
    sf_json_finish(&json);
}

static void print_status(const sf_store_status *status)
{
    double share = status->points ? 100.0 * (double)status->done / (double)status->points : 0.0;
    printf("%s: %llu of %llu points (%.1f%%), %llu failed\n", status->state, (unsigned long long)status->done,
           (unsigned long long)status->points, share, (unsigned long long)status->failed);
    if (status->running && !isnan(status->rate))
        printf("%.4g points/s, about %.0f s left; process %lld\n", status->rate, ceil(status->seconds_left),
               (long long)status->process);
    if (strcmp(status->state, "lost") == 0)
        printf("its process has ended without a word; the same command goes on from here\n");
    if (strcmp(status->state, "waiting") == 0)
        printf("this round of the refinement is done here; the files of all shards, merged, tell what "
               "follows (--from)\n");
    char when[40];
    time_t updated = (time_t)status->updated;
    struct tm local;
    if (localtime_r(&updated, &local) && strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &local) > 0)
        printf("last change %s\n", when);
}

static int show_status(const sf_cli *cli, const char *path)
{
    sf_store *store;
    sf_store_status progress;
    sf_status status = sf_store_open(cli->context, path, &store);
    if (status == SF_OK)
        status = sf_store_get_status(store, &progress);
    if (status == SF_OK && cli->json)
        print_status_json(&progress);
    else if (status == SF_OK)
        print_status(&progress);
    sf_store_close(&store);
    return status == SF_OK ? 0 : sf_cli_fail(cli, status);
}

/* ---- the command ---------------------------------------------------------------------------------------- */

enum { FAILED_POINTS = 6, SHARD_WAITS = 75 }; // exit codes

enum { DRY_RUN, RETRY_FAILED, THREADS, SHARD, FROM, ROLLBACK_JOURNAL, STATUS };

static void on_failed(uint64_t position, const char *reason, void *user)
{
    char name[24];
    snprintf(name, sizeof name, "%llu", (unsigned long long)position);
    sf_cli_failure_event(user, "point failed", name, reason);
}

static int sweep_it(const sf_cli *cli, sf_sweep *sweep, const sf_sweep_options *options)
{
    sf_sweep_counts counts;
    if (cli->value[DRY_RUN].text) {
        sf_status status = sf_sweep_plan(sweep, cli->output, options, &counts);
        if (status == SF_OK)
            print_plan(cli, sf_sweep_levels(sweep) > 0, &counts);
        return status == SF_OK ? 0 : sf_cli_fail(cli, status);
    }
    sf_status status = sf_sweep_run(sweep, cli->output, options, &counts);
    sf_cli_delivers();
    if (status == SF_OK || status == SF_ERR_CANCELLED)
        print_result(cli,
                     status != SF_OK      ? "interrupted"
                     : counts.awaited > 0 ? "waiting"
                                          : "finished",
                     &counts);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    return counts.awaited > 0 ? SHARD_WAITS : counts.failed > 0 ? FAILED_POINTS : 0;
}

/* What has no use beside what was asked for. */
static int check(const sf_cli *cli)
{
    static const int of_runs[] = {THREADS, ROLLBACK_JOURNAL}, of_shards[] = {FROM};
    int code = -1;
    if (!cli->output && !cli->value[DRY_RUN].text)
        return sf_cli_usage(cli, "expected -o RESULT.db, the file for the results");
    if (cli->value[DRY_RUN].text) {
        code = sf_cli_refuse(cli, 2, of_runs, "has no use beside --dry-run, which computes nothing");
        if (code < 0 && (cli->max_seconds > 0.0 || cli->events_path))
            code = sf_cli_usage(cli, "--%s has no use beside --dry-run, which computes nothing",
                                cli->events_path ? "events" : "max-seconds");
        if (code < 0 && cli->value[RETRY_FAILED].text && !cli->output)
            code = sf_cli_usage(cli, "--retry-failed has no use without -o RESULT.db");
    }
    if (code < 0 && !cli->value[SHARD].text)
        code = sf_cli_refuse(cli, 1, of_shards, "is of shards, expected --shard I/N beside it");
    return code;
}

static int run(sf_cli *cli)
{
    if (cli->value[STATUS].text)
        return show_status(cli, cli->value[STATUS].text);
    sf_sweep_options options = {.threads = (int)cli->value[THREADS].number,
                                .retry_failed = cli->value[RETRY_FAILED].text != NULL,
                                .rollback_journal = cli->value[ROLLBACK_JOURNAL].text != NULL,
                                .from = cli->value[FROM].text,
                                .failed = on_failed,
                                .user = cli};
    int code = check(cli);
    if (code < 0 && cli->value[SHARD].text)
        code = sf_cli_read_shard(cli, cli->value[SHARD].text, &options);
    if (code >= 0)
        return code;
    sf_sweep *sweep;
    sf_status status = sf_sweep_read(cli->context, cli->file, cli->override_count, cli->overrides, &sweep);
    code = status == SF_OK ? sweep_it(cli, sweep, &options) : sf_cli_fail(cli, status);
    sf_sweep_destroy(&sweep);
    return code;
}

static const sf_option options[] = {
    [DRY_RUN] = {"dry-run", NULL, "say what would run and why; write nothing", .type = SF_OPTION_FLAG},
    [RETRY_FAILED] = {"retry-failed", NULL, "compute points again that failed before",
                      .type = SF_OPTION_FLAG},
    [THREADS] = {"threads", "N", "worker threads; all processors if not given", .type = SF_OPTION_COUNT,
                 .low = 1, .high = 4096},
    [SHARD] = {"shard", "I/N",
               "only part I of N, from 1, or auto: the task of an array job; join by samflow merge",
               .type = SF_OPTION_TEXT},
    [FROM] = {"from", "ALL.db", "shards of a refined sweep: the merged results of the rounds before",
              .type = SF_OPTION_INPUT, .choices = ".db"},
    [ROLLBACK_JOURNAL] = {"rollback-journal", NULL,
                          "for file systems of clusters (NFS, Lustre): no write-ahead log",
                          .type = SF_OPTION_FLAG},
    [STATUS] = {"status", "RESULT.db", "how far a sweep is, also while it runs", .type = SF_OPTION_INPUT,
                .choices = ".db", .alone = true},
    {0}};

const sf_command sf_command_sweep = {
    .name = "sweep",
    .arguments = "GRID.yaml -o RESULT.db",
    .summary = "many experiments over a grid, into one result file",
    .text = "Computes every point of the grid that is not in the result file yet, in parallel; the same "
            "command goes on after "
            "any interruption. Points that fail are recorded with their reason and do not stop the rest; the "
            "exit code is then "
            "6. With --shard, part of the grid, in a file of its own; a grid that is refined is computed in "
            "rounds, with the "
            "merged results of the round before in --from, and a shard that waits for others ends with exit "
            "code 75.",
    .example = "samflow sweep phase.yaml -o phase.db --threads 8",
    .options = options,
    .least = 1,
    .most = 1,
    .missing = "expected a sweep file",
    .files = ".yaml|.yml",
    .uses = SF_USES_INPUT | SF_USES_SET | SF_USES_OUTPUT | SF_USES_TIME | SF_USES_EVENTS,
    .output = ".db",
    .run = run,
};
