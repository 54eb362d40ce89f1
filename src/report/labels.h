/* Private face of the room report/: texts as labels of gnuplot. */
#ifndef SF_REPORT_LABELS_H
#define SF_REPORT_LABELS_H

#include <stddef.h>

/* Text as it stands: without the marks of formulas that labels understand. Cut to size; returns buffer. */
const char *sf_plot_plain(const char *text, char *buffer, size_t size);

#endif
