/* samflow export: the rows of a result file as CSV or HDF5. */
#include <stdio.h>

#include "cli/cli.h"

typedef struct exported {
    const sf_cli *cli;
    uint64_t rows;
    size_t columns;
} exported;

static bool write_json(const void *subject, FILE *stream)
{
    const exported *e = subject;
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_string(&json, "output", e->cli->output);
    sf_json_integer(&json, "points", (int64_t)e->rows);
    sf_json_integer(&json, "columns", (int64_t)e->columns);
    sf_json_close_object(&json);
    return sf_json_finish(&json);
}

static int run(sf_cli *cli)
{
    if (!cli->output)
        return sf_cli_usage(cli, "expected -o FILE.csv or -o FILE.h5");
    sf_store *store;
    sf_store_status progress = {0};
    sf_status status = sf_store_open(cli->context, cli->file, &store);
    if (status == SF_OK)
        status = sf_store_export(store, cli->output);
    if (status == SF_OK && cli->json)
        status = sf_store_get_status(store, &progress);
    int code = status != SF_OK ? sf_cli_fail(cli, status)
               : cli->json     ? sf_cli_print_document(cli, write_json,
                                                       &(exported){cli, progress.done, sf_store_columns(store)})
                               : 0;
    sf_store_close(&store);
    return code;
}

const sf_command sf_command_export = {
    .name = "export",
    .arguments = "RESULT.db -o FILE.csv|.h5",
    .summary = "write the results of a sweep as CSV or HDF5",
    .text = "Writes the rows of the last grid of a result file: as CSV, a row a point; as HDF5, arrays with "
            "the axes of the "
            "grid as dimensions where it is a complete product, else with one dimension. The result file is "
            "only read.",
    .example = "samflow export phase.db -o phase.csv",
    .least = 1,
    .most = 1,
    .missing = "expected a result file of samflow sweep",
    .files = ".db",
    .uses = SF_USES_OUTPUT,
    .output = ".csv|.h5",
    .run = run,
};
