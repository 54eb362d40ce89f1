/* samflow merge: the result files of shards into one. */
#include <stdio.h>

#include "cli/cli.h"

typedef struct merged {
    const sf_cli *cli;
    sf_store_status progress;
} merged;

static bool write_json(const void *subject, FILE *stream)
{
    const merged *m = subject;
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_string(&json, "output", m->cli->file);
    sf_json_integer(&json, "files", (int64_t)m->cli->file_count - 1);
    sf_json_integer(&json, "points", (int64_t)m->progress.points);
    sf_json_integer(&json, "done", (int64_t)m->progress.done);
    sf_json_integer(&json, "failed", (int64_t)m->progress.failed);
    sf_json_close_object(&json);
    return sf_json_finish(&json);
}

static int report(const sf_cli *cli)
{
    sf_store *store;
    merged m = {.cli = cli};
    sf_status status = sf_store_open(cli->context, cli->file, &store);
    if (status == SF_OK)
        status = sf_store_get_status(store, &m.progress);
    sf_store_close(&store);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    if (cli->json)
        return sf_cli_print_document(cli, write_json, &m);
    if (!cli->quiet)
        sf_cli_print(stdout, "%zu files: %llu of %llu points, %llu failed: %s\n", cli->file_count - 1,
                     (unsigned long long)m.progress.done, (unsigned long long)m.progress.points,
                     (unsigned long long)m.progress.failed, cli->file);
    return 0;
}

static int run(sf_cli *cli)
{
    sf_status status = sf_store_merge(cli->context, cli->file, cli->file_count - 1, cli->files + 1);
    return status == SF_OK ? report(cli) : sf_cli_fail(cli, status);
}

const sf_command sf_command_merge = {
    .name = "merge",
    .arguments = "OUT.db IN.db...",
    .summary = "put the result files of shards into one",
    .text = "Adds what the result files IN.db hold to OUT.db, which is made if it is not there. Points in "
            "several files are "
            "taken once; a finished one comes before a failed one. The files IN.db are only read.",
    .example = "samflow merge all.db part1.db part2.db",
    .least = 2,
    .most = SF_ANY_NUMBER,
    .written = 1,
    .missing = "expected the output and at least one result file",
    .files = ".db",
    .run = run,
};
