/* The figure of a sweep: a map of one column over two others, with theory beside it. */
#ifndef SF_PLOT_SWEEP_H
#define SF_PLOT_SWEEP_H

#include "cli/cli.h"

typedef struct sf_plot_sweep {
    sf_map_options map;
    const char *differences; // CSV file for the cells where theory says otherwise; NULL: none
} sf_plot_sweep;

/* Describes the map of cli->file in the figure, and reports where it differs from theory: on standard error, as JSON
 * with --json, and as CSV. Returns the exit code. */
int sf_cli_plot_sweep(sf_cli *cli, const sf_plot_sweep *options, sf_figure *figure);

#endif
