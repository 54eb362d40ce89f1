/* samflow/figure.h - figures and tables as plain data: series of numbers, labels, styles. Nothing is drawn
 * here: what computes (paper/, the commands) describes a figure, what draws (report/) turns it into SVG, PNG
 * or PDF.
 *
 * Building one needs no check after every call: the first failure (memory, sizes) is kept and
 * sf_figure_status and sf_table_status return it. Every array and text is copied. Labels are UTF-8.
 *
 * Colours are 0xRRGGBB. The named ones are the same in every figure of the project: methods take the colours
 * of Okabe and Ito (distinguishable with any colour vision), features run from gold (weak) to navy (strong).
 */
#ifndef SAMFLOW_FIGURE_H
#define SAMFLOW_FIGURE_H

#include <samflow/sam.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SF_COLOR_THEORY = 0x000000, /* predictions: black */
    SF_COLOR_GD = 0x0072B2,     /* blue */
    SF_COLOR_L2 = 0xD55E00,     /* vermillion */
    SF_COLOR_LINF = 0x009E73,   /* bluish green */
    SF_COLOR_USAM = 0xCC79A7,   /* reddish purple */
    SF_COLOR_LP = 0xE69F00,     /* orange */
    SF_COLOR_NEUTRAL = 0x8C8C8C /* grey: guides, vector fields */
};

SF_API
uint32_t sf_color_of_method(sf_method method);
/* The name of a method in figures and tables: "ℓ2-SAM". */
SF_API
const char *sf_title_of_method(sf_method method);

/* The colour of a feature of relative strength 0 (weakest) to 1 (strongest): gold, grey, navy (the scale
 * cividis, which also reads in grey print: weak is light, strong is dark). */
SF_API
uint32_t sf_color_of_strength(double strength);

typedef enum sf_mark { SF_MARK_LINE, SF_MARK_POINTS, SF_MARK_LINE_POINTS } sf_mark;

typedef struct sf_style {
    sf_mark mark;
    uint32_t color;
    double width; /* of lines, in points; 0: the default 2 */
    int dash;     /* 0 solid, 1 dashed, 2 dotted, 3 dash-dot */
    int point;    /* 0 disc, 1 circle, 2 square, 3 triangle, 4 cross, 5 diamond */
} sf_style;

typedef enum sf_scale { SF_SCALE_LINEAR, SF_SCALE_LOG } sf_scale;

typedef enum sf_palette {
    SF_PALETTE_SEQUENTIAL, /* cividis: navy (low) to gold (high) */
    SF_PALETTE_DIVERGING,  /* blue, white, vermillion; symmetric about 0 */
    SF_PALETTE_CLASSES     /* values 0, 1, 2, ...: the pale fills of regions, named by sf_figure_classes */
} sf_palette;

/* One pair of axes. NaN range ends are found from the data. */
typedef struct sf_axes {
    const char *title, *x_label,
        *y_label; /* labels name the unit, or say "no unit" where that is not plain */
    sf_scale x_scale, y_scale;
    double x_min, x_max, y_min, y_max;
    double z_min, z_max;   /* ends of SF_PALETTE_SEQUENTIAL; both 0: found from the cells */
    double x_step, y_step; /* between marks on a linear axis; 0: found from the range */
    bool equal;            /* one unit of x as long as one of y */
    bool no_axes;          /* an image: no ticks, no frame labels */
    const char
        *key; /* where the legend stands: "top left", "bottom right", ...; NULL: top right; "off": none */
} sf_axes;

typedef struct sf_figure sf_figure;

/* name: base name of files ([a-z0-9-]). alt: what one sees, for those who do not see it. caption: what it
 * shows. columns: panels side by side (>= 1). Errors: SF_ERR_ARGUMENT, SF_ERR_MEMORY. */
SF_API
sf_status sf_figure_create(sf_context *context, const char *name, const char *caption, const char *alt,
                           size_t columns, sf_figure **out);
SF_API
void sf_figure_destroy(sf_figure **figure);
SF_API
sf_status sf_figure_status(const sf_figure *figure);

/* Adds a panel; what follows is drawn into it, later over earlier. */
SF_API
void sf_figure_panel(sf_figure *figure, const sf_axes *axes);
/* title: entry of the legend, NULL for none. A NaN interrupts a line. */
SF_API
void sf_figure_series(sf_figure *figure, const char *title, sf_style style, size_t n, const double *x,
                      const double *y);
/* The band between low and high, pale: an interval about a series, drawn before it. NaN: no band there. */
SF_API
void sf_figure_band(sf_figure *figure, uint32_t color, size_t n, const double *x, const double *low,
                    const double *high);
/* Arrows from (x, y) by (u, v). */
SF_API
void sf_figure_vectors(sf_figure *figure, const char *title, uint32_t color, size_t n, const double *x,
                       const double *y, const double *u, const double *v);
/* Cells of a regular grid: x (nx) and y (ny) are centres (equally spaced in the axis' scale), z (ny, nx). NaN
 * cells stay white. label: of the colour bar, NULL for none. */
SF_API
void sf_figure_cells(sf_figure *figure, const char *label, sf_palette palette, size_t nx, size_t ny,
                     const double *x, const double *y, const double *z);
/* Names of the classes 0, 1, ... of SF_PALETTE_CLASSES in the panel's legend; "" for those that do not occur. */
SF_API
void sf_figure_classes(sf_figure *figure, size_t n, const char *const *names);
/* A vertical guide at x, with a text at its top (NULL: none). */
SF_API
void sf_figure_guide(sf_figure *figure, double x, const char *text);

/* ---- reading, for what draws --------------------------------------------------------------------- */

typedef enum sf_layer_kind {
    SF_LAYER_SERIES,
    SF_LAYER_BAND,
    SF_LAYER_VECTORS,
    SF_LAYER_CELLS,
    SF_LAYER_GUIDE
} sf_layer_kind;

typedef struct sf_layer {
    sf_layer_kind kind;
    const char *title; /* legend entry, label of the colour bar, or text of the guide; may be NULL */
    sf_style style;
    sf_palette palette;
    size_t nx, ny;               /* series and vectors: nx numbers in each array */
    const double *x, *y, *u, *v; /* band: from y to u; cells: u is z */
} sf_layer;

typedef struct sf_panel {
    sf_axes axes;
    size_t layer_count, class_count;
    const sf_layer *layers;
    const char *const *classes;
} sf_panel;

SF_API
const char *sf_figure_name(const sf_figure *figure);
SF_API
const char *sf_figure_caption(const sf_figure *figure);
SF_API
const char *sf_figure_alt(const sf_figure *figure);
SF_API
size_t sf_figure_columns(const sf_figure *figure);
SF_API
size_t sf_figure_panels(const sf_figure *figure);
SF_API
sf_panel sf_figure_get_panel(const sf_figure *figure, size_t index);

/* ---- tables -------------------------------------------------------------------------------------- */

typedef struct sf_table sf_table;

/* Errors: SF_ERR_ARGUMENT (no columns), SF_ERR_MEMORY. columns: count headings, with units. */
SF_API
sf_status sf_table_create(sf_context *context, const char *name, const char *caption, size_t count,
                          const char *const *columns, sf_table **out);
SF_API
void sf_table_destroy(sf_table **table);
SF_API
sf_status sf_table_status(const sf_table *table);

/* Cells are added row after row. Numbers keep 17 digits in files and are shown with 6. NaN: an empty cell. */
SF_API
void sf_table_text(sf_table *table, const char *text);
SF_API
void sf_table_number(sf_table *table, double value);

SF_API
const char *sf_table_name(const sf_table *table);
SF_API
const char *sf_table_caption(const sf_table *table);
SF_API
size_t sf_table_columns(const sf_table *table);
SF_API
size_t sf_table_rows(const sf_table *table); /* complete ones */
SF_API
const char *sf_table_heading(const sf_table *table, size_t column);
/* The cell as text, or NULL if it is a number, then in *value. */
SF_API
const char *sf_table_cell(const sf_table *table, size_t row, size_t column, double *value);

#ifdef __cplusplus
}
#endif
#endif
