/* Private face of the room report/: the page. */
#ifndef SF_REPORT_HTML_H
#define SF_REPORT_HTML_H

#include "report/plot.h"

/* Writes the page. figures: folder of the drawn SVG files, NULL when there is no gnuplot; drawn: how many of the figures,
 * in the order of the claims, are there (the others were interrupted). */
sf_status sf_html_write(sf_context *context, const sf_reproduction *reproduction, const char *figures,
                        size_t drawn, FILE *file);

#endif
