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

/* Refuses what the figure cannot have: SF_ERR_USAGE. */
sf_status sf_look_check(sf_context *context, const sf_figure *figure, const sf_look *look);
/* The colour that stands for this one on the theme's background. */
unsigned sf_look_color(const sf_look *look, unsigned color);
/* The terminal of each ending, chosen when the script runs. width, height: of the figure in pixels at 96 per inch;
 * font: its size there. */
void sf_look_write_terminals(FILE *file, const sf_look *look, int columns, int width, int height, int font);
/* A text in the script: itself, and what LaTeX needs where the drawing is .tex. */
void sf_look_write_text(FILE *file, const char *text);

/* A few cells of regions are drawn as boxes, all others as one image. */
bool sf_plot_is_pixels(const sf_layer *layer);

/* Writes directory/NAME.gp and directory/NAME.dat. */
sf_status sf_plot_write(sf_context *context, const sf_figure *figure, const sf_look *look,
                        const char *directory);

/* Runs gnuplot on directory/NAME.gp, which leaves directory/NAME.ending (svg, png, pdf or tex). */
sf_status sf_plot_with_gnuplot(sf_context *context, const char *directory, const char *name,
                               const char *ending);

#endif
