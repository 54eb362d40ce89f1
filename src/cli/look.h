/* Options that say how a figure is drawn: titles, limits, sizes, themes. */
#ifndef SF_CLI_LOOK_H
#define SF_CLI_LOOK_H

#include "cli/cli.h"

/* Ten entries of a command's table of options, from index `first` on, in the order that sf_cli_look expects. */
#define SF_CLI_LOOK_OPTIONS(first)                                                                           \
    [first] = {"title", "TEXT", "title of the whole figure", .type = SF_OPTION_TEXT},                        \
    [(first) + 1] = {"xlabel", "TEXT", "label of the horizontal axes", .type = SF_OPTION_TEXT},              \
    [(first) + 2] = {"ylabel", "TEXT", "label of the vertical axes", .type = SF_OPTION_TEXT},                \
    [(first) + 3] = {"xlim", "LOW,HIGH", "ends of the horizontal axes; an empty one is found from the data", \
                     .type = SF_OPTION_TEXT},                                                                \
    [(first) + 4] = {"ylim", "LOW,HIGH", "ends of the vertical axes", .type = SF_OPTION_TEXT},               \
    [(first) + 5] = {"clim", "LOW,HIGH", "ends of the colour scale", .type = SF_OPTION_TEXT},                \
    [(first) + 6] = {"log", "x,y,c", "logarithmic axes and colours", .type = SF_OPTION_TEXT},                \
    [(first) + 7] = {"size", "W,H",                                                                          \
                     "of the whole figure: 8.5cm,6cm; also mm, in, pt; the height may be left out",          \
                     .type = SF_OPTION_TEXT},                                                                \
    [(first) + 8] = {"font", "FAMILY,POINTS", "letters, such as Helvetica,9", .type = SF_OPTION_TEXT},       \
    [(first) + 9] = {"style", "STYLE", "screen (default), paper, talk or dark", .type = SF_OPTION_CHOICE,    \
                     .choices = "screen|paper|talk|dark"}

/* The look that the ten values, title first, describe. -1, or the exit code of a usage error that has been said. The look
 * points into the values. */
int sf_cli_look(sf_cli *cli, const sf_cli_value *values, sf_look *look);

#endif
