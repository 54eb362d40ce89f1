/* Reading the experiment of a command. */
#include "cli/cli.h"

int sf_cli_read_experiment(const sf_cli *cli, sf_experiment **experiment)
{
    sf_status status =
        sf_experiment_read(cli->context, cli->file, cli->override_count, cli->overrides, experiment);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    int code = -1;
    for (size_t i = 0; code < 0 && sf_experiment_data_file(*experiment, i); i++)
        code = sf_cli_check_input(cli, sf_experiment_data_file(*experiment, i));
    return code;
}
