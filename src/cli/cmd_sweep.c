/* samflow sweep: many experiments over a grid, into one result file; what it would do; how far it is. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

/* ---- options -------------------------------------------------------------------------------------------- */

static bool read_count(const char *text, long most, long *value)
{
    char *end;
    *value = strtol(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && *value <= most;
}

static bool read_shard(const char *text, sf_sweep_options *options)
{
    char *end;
    options->shard = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '/' || end[1] < '0' || end[1] > '9')
        return false;
    options->shards = strtoull(end + 1, &end, 10);
    return *end == '\0' && options->shard >= 1 && options->shard <= options->shards;
}

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
        printf("%s: %llu points, %llu computed, %llu there before, %llu reused, %llu failed: %s\n", state,
               (unsigned long long)counts->points, (unsigned long long)counts->computed,
               (unsigned long long)counts->finished, (unsigned long long)counts->reused,
               (unsigned long long)counts->failed, cli->output);
    if (counts->awaited > 0)
        fprintf(stderr,
                "samflow: this round of the refinement is done here; %llu points of other shards decide what "
                "follows: "
                "samflow merge ALL.db PART.db..., then the same command with --from ALL.db\n",
                (unsigned long long)counts->awaited);
    if (counts->failed > 0)
        fprintf(stderr,
                "samflow: %llu points failed; their reasons: sqlite3 '%s' \"SELECT reason, count(*) FROM "
                "result WHERE "
                "status = 'failed' GROUP BY reason\"; --retry-failed tries them again\n",
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

static int run(const sf_cli *cli, sf_sweep *sweep, const sf_sweep_options *options, bool dry)
{
    sf_sweep_counts counts;
    if (dry) {
        sf_status status = sf_sweep_plan(sweep, cli->output, options, &counts);
        if (status == SF_OK)
            print_plan(cli, sf_sweep_levels(sweep) > 0, &counts);
        return status == SF_OK ? 0 : sf_cli_fail(cli, status);
    }
    signal(SIGXFSZ, SIG_IGN); // a file size limit is a failed write, not a death
    sf_status status = sf_sweep_run(sweep, cli->output, options, &counts);
    if (status == SF_OK || status == SF_ERR_CANCELLED)
        print_result(cli,
                     status != SF_OK      ? "interrupted"
                     : counts.awaited > 0 ? "waiting"
                                          : "finished",
                     &counts);
    return status == SF_OK ? 0 : sf_cli_fail(cli, status);
}

int sf_cmd_sweep(sf_cli *cli, int argc, char **argv)
{
    static const sf_command command = {"sweep", "GRID.yaml -o RESULT.db",
                                       "many experiments over a grid, into one result file", sf_cmd_sweep};
    const char *threads = NULL, *shard = NULL, *status_of = NULL;
    bool dry = false;
    sf_sweep_options options = {0};
    const sf_cli_option option[] = {
        {"dry-run", NULL, "say what would run and why; write nothing", NULL, &dry},
        {"retry-failed", NULL, "compute points again that failed before", NULL, &options.retry_failed},
        {"threads", "N", "worker threads; all processors if not given", &threads, NULL},
        {"shard", "I/N", "only part I of N, from 1; join the files with samflow merge", &shard, NULL},
        {"from", "ALL.db", "shards of a refined sweep: the merged results of the rounds before",
         &options.from, NULL},
        {"rollback-journal", NULL, "for file systems of clusters (NFS, Lustre): no write-ahead log", NULL,
         &options.rollback_journal},
        {"status", "RESULT.db", "how far a sweep is, also while it runs", &status_of, NULL},
    };
    int code = sf_cli_parse(cli, &command, argc, argv, option, sizeof option / sizeof option[0], 1, NULL);
    if (code >= 0)
        return code;
    if (status_of)
        return cli->file ? sf_cli_usage(cli, "sweep", "--status takes no sweep file")
                         : show_status(cli, status_of);
    if (!cli->file)
        return sf_cli_usage(cli, "sweep", "expected a sweep file");
    if (!cli->output && !dry)
        return sf_cli_usage(cli, "sweep", "expected -o RESULT.db, the file for the results");
    long count = 0;
    if (threads && (!read_count(threads, 4096, &count) || count < 1))
        return sf_cli_usage(cli, "sweep", "--threads %s, expected a whole number from 1 to 4096", threads);
    options.threads = (int)count;
    if (shard && !read_shard(shard, &options))
        return sf_cli_usage(cli, "sweep", "--shard %s, expected I/N with 1 <= I <= N, for example 3/16",
                            shard);
    sf_sweep *sweep;
    sf_status status = sf_sweep_read(cli->context, cli->file, cli->override_count, cli->overrides, &sweep);
    code = status == SF_OK ? run(cli, sweep, &options, dry) : sf_cli_fail(cli, status);
    sf_sweep_destroy(&sweep);
    return code;
}
