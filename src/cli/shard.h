/* Which shard of a sweep this process is. */
#ifndef SF_CLI_SHARD_H
#define SF_CLI_SHARD_H

#include "cli/cli.h"

/* "I/N", "auto" or "auto/N" into options->shard and ->shards. `auto` takes them from the array job of the batch system that
 * this process is a task of; where it does not tell how many tasks there are (PBS), auto/N says it. Returns -1, else the exit
 * code after a message. */
int sf_cli_read_shard(const sf_cli *cli, const char *text, sf_sweep_options *options);

#endif
