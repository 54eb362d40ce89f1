/* Private face of the room report/: the map of a sweep on its way into a figure. */
#ifndef SF_REPORT_MAP_H
#define SF_REPORT_MAP_H

#include <samflow/report.h>

#include "base/base.h"

enum { MAP_CLASSES = 6, MAP_CONDITIONS = 8, MAP_TEXT = 64 };

#define MAP_NONE (-1.0) // no class

/* A row counts only if the column has the value. */
typedef struct map_condition {
    char column[MAP_TEXT], value[MAP_TEXT];
} map_condition;

typedef struct map_row {
    double x, y, value, predicted; // value: a number, or the class of a text; predicted: a class or MAP_NONE
} map_row;

struct sf_plot_map {
    sf_context *context;
    const sf_map_options *options;
    sf_store *store;        // borrowed
    const char *prediction; // column that theory fills for the colour; NULL: it says nothing about it
    map_condition conditions[MAP_CONDITIONS];
    size_t condition_count;
    map_row *rows;
    size_t count, room;
    size_t class_count;
    char classes[MAP_CLASSES][MAP_TEXT];
    bool seen[MAP_CLASSES];
    double *x, *y; // levels
    size_t nx, ny;
    double *cells, *predicted; // (ny, nx)
    size_t compared, differing;
};

/* Reads the rows that fulfil the conditions. Errors: SF_ERR_USAGE, SF_ERR_IO, SF_ERR_MEMORY. */
sf_status sf_map_read_rows(sf_plot_map *map);

/* Makes cells of the rows and compares them with theory. Errors: SF_ERR_USAGE, SF_ERR_MEMORY. */
sf_status sf_map_fill_cells(sf_plot_map *map);
/* Logarithmic if the values are even in ratios rather than in differences. */
sf_scale sf_map_scale(const double *values, size_t count);
/* Whether theory says something else of the row than was measured. */
bool sf_map_differs(const map_row *row);

/* Theory's boundary into the figure. Errors: SF_ERR_MEMORY. */
sf_status sf_map_draw_boundary(const sf_plot_map *map, sf_figure *figure);

#endif
