/* The table of commands; adding one is a line here and a file cmd_NAME.c. */
#include "cli/cli.h"

const sf_command sf_commands[] = {
    {NULL, NULL, NULL, NULL}, // placeholder of the first commit
};
const size_t sf_command_count = 0;
