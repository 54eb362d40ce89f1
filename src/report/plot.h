/* Private face of the room report/: gnuplot scripts and files. */
#ifndef SF_REPORT_PLOT_H
#define SF_REPORT_PLOT_H

#include <stdio.h>

#include <samflow/report.h>

#include "base/base.h"

/* "a/b" + "c" + ".d" -> "a/b/c.d"; NULL if out of memory. Release with sf_free. */
char *sf_plot_path(sf_context *context, const char *directory, const char *name, const char *ending);
sf_status sf_plot_make_directory(sf_context *context, const char *path);

/* Size of the drawing in pixels at 96 per inch. */
void sf_plot_size(const sf_figure *figure, int *width, int *height);

/* Writes directory/NAME.gp and directory/NAME.dat. */
sf_status sf_plot_write(sf_context *context, const sf_figure *figure, const char *directory);

/* Runs gnuplot on directory/NAME.gp, which leaves directory/NAME.ending (svg, png or pdf). */
sf_status sf_plot_with_gnuplot(sf_context *context, const char *directory, const char *name,
                               const char *ending);

#endif
