/* samflow/report.h - figures drawn by gnuplot, and the report of a reproduction as one HTML page.
 *
 * gnuplot runs as a program, from a script and a data file that the user can keep and restyle.
 */
#ifndef SAMFLOW_REPORT_H
#define SAMFLOW_REPORT_H

#include <samflow/figure.h>
#include <samflow/paper.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Draws a figure; the ending of path chooses the format: .svg, .png or .pdf. keep: also leave the script and
 * the data beside it, as path with the endings .gp and .dat. The file appears under its name only when
 * complete. Errors: SF_ERR_USAGE (ending), SF_ERR_UNAVAILABLE (no gnuplot), SF_ERR_IO, SF_ERR_MEMORY. */
SF_API
sf_status sf_draw(sf_context *context, const sf_figure *figure, const char *path, bool keep);

typedef struct sf_report_options {
    const char *directory; /* made if it does not exist */
    bool keep_plots;       /* leave gnuplot's scripts and data in directory/plots */
} sf_report_options;

/* Makes the folder of a report, so that a wrong path is found before anything is run. Errors: SF_ERR_IO, SF_ERR_MEMORY. */
SF_API
sf_status sf_report_prepare(sf_context *context, const char *directory);

/* Writes directory/index.html (one self-contained page), figures/NAME.svg and .png, tables/NAME.csv. Without
 * gnuplot the page has no figures and says so; *drawn tells (may be NULL). Errors: SF_ERR_IO, SF_ERR_MEMORY,
 * SF_ERR_CANCELLED. */
SF_API
sf_status sf_report_write(sf_context *context, const sf_reproduction *reproduction,
                          const sf_report_options *options, bool *drawn);

#ifdef __cplusplus
}
#endif
#endif
