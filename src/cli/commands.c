/* The table of commands; adding one is a line here and a file cmd_NAME.c. */
#include "cli/cli.h"

#define SF_COMMANDS(X)                                                                                       \
    X(simulate)                                                                                              \
    X(predict)                                                                                               \
    X(sweep)                                                                                                 \
    X(export)                                                                                                \
    X(merge)                                                                                                 \
    X(limit)                                                                                                 \
    X(margin)                                                                                                \
    X(train)                                                                                                 \
    X(attribute)                                                                                             \
    X(data_info)                                                                                             \
    X(data_fetch)                                                                                            \
    X(bench)                                                                                                 \
    X(plot)                                                                                                  \
    X(reproduce)                                                                                             \
    X(help)

#define SF_COMMAND_DECLARED(name) extern const sf_command sf_command_##name;
SF_COMMANDS(SF_COMMAND_DECLARED)

const sf_command *const sf_commands[] = {
#define SF_COMMAND_LISTED(name) &sf_command_##name,
    SF_COMMANDS(SF_COMMAND_LISTED)};
const size_t sf_command_count = sizeof sf_commands / sizeof sf_commands[0];
