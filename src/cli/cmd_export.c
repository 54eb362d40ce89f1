/* samflow export: the rows of a result file as CSV or HDF5. */
#include <stdio.h>

#include "cli/cli.h"

int sf_cmd_export(sf_cli *cli, int argc, char **argv)
{
    static const sf_command command = {"export", "RESULT.db -o FILE.csv | FILE.h5",
                                       "write the results of a sweep as CSV or HDF5", sf_cmd_export};
    int code = sf_cli_parse(cli, &command, argc, argv, NULL, 0, 1, NULL);
    if (code >= 0)
        return code;
    if (!cli->file)
        return sf_cli_usage(cli, "export", "expected a result file of samflow sweep");
    if (!cli->output)
        return sf_cli_usage(cli, "export", "expected -o FILE.csv or -o FILE.h5");
    sf_store *store;
    sf_status status = sf_store_open(cli->context, cli->file, &store);
    if (status == SF_OK)
        status = sf_store_export(store, cli->output);
    sf_store_close(&store);
    return status == SF_OK ? 0 : sf_cli_fail(cli, status);
}
