/* samflow merge: the result files of shards into one. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

static int report(const sf_cli *cli, int files)
{
    sf_store *store;
    sf_store_status progress;
    sf_status status = sf_store_open(cli->context, cli->file, &store);
    if (status == SF_OK)
        status = sf_store_get_status(store, &progress);
    sf_store_close(&store);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    if (!cli->quiet)
        printf("%d files: %llu of %llu points, %llu failed: %s\n", files, (unsigned long long)progress.done,
               (unsigned long long)progress.points, (unsigned long long)progress.failed, cli->file);
    return 0;
}

int sf_cmd_merge(sf_cli *cli, int argc, char **argv)
{
    static const sf_command command = {"merge", "OUT.db IN.db...", "put the result files of shards into one",
                                       sf_cmd_merge};
    const char **files = calloc((size_t)argc + 1, sizeof *files);
    if (!files) {
        fprintf(stderr, "samflow: out of memory\n");
        return 1;
    }
    int count = 0, code = sf_cli_parse(cli, &command, argc, argv, NULL, 0, argc, files);
    while (count < argc && files[count])
        count++;
    if (code < 0 && count < 2)
        code = sf_cli_usage(cli, "merge", "expected the output and at least one result file");
    if (code < 0) {
        sf_status status = sf_store_merge(cli->context, files[0], (size_t)count - 1, files + 1);
        code = status == SF_OK ? report(cli, count - 1) : sf_cli_fail(cli, status);
    }
    free(files);
    return code;
}
