/* samflow/report.h - figures drawn by gnuplot, and the report of a reproduction as one HTML page.
 *
 * gnuplot runs as a program, from a script and a data file that the user can keep and restyle.
 */
#ifndef SAMFLOW_REPORT_H
#define SAMFLOW_REPORT_H

#include <samflow/experiment.h>
#include <samflow/figure.h>
#include <samflow/paper.h>
#include <samflow/sweep.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sf_theme {
    SF_THEME_SCREEN, /* as in the report */
    SF_THEME_PAPER,  /* 8.5 cm wide (17 cm with panels side by side), serif letters of 8 points, thin lines */
    SF_THEME_TALK,   /* large letters, thick lines */
    SF_THEME_DARK    /* light on dark */
} sf_theme;

/* "screen", "paper", "talk", "dark"; NULL beyond the last. */
SF_API
const char *sf_theme_name(size_t theme);

typedef struct sf_limits {
    bool set;
    double low, high; /* NaN: found from the data */
} sf_limits;

/* How a figure is drawn where that is not as it describes itself; zeros and NULLs leave everything as it is. */
typedef struct sf_look {
    sf_theme theme;
    const char *title;             /* of the whole figure */
    const char *x_label, *y_label; /* of every panel; "" for none */
    sf_limits x, y, color;         /* of every panel */
    bool log_x, log_y, log_color;
    double width, height; /* of the whole, in cm; 0: as the theme has it, one follows from the other */
    const char *font;     /* family: letters, digits, spaces, hyphens; NULL: as the theme has it */
    double font_size;     /* points; 0: as the theme has it */
} sf_look;

/* Draws a figure; the ending of path chooses the format: .svg, .png, .pdf, or .tex (for LaTeX to include, with the drawing beside it as
 * NAME.pdf; text is set by LaTeX). look may be NULL. keep: also leave the script and the data beside it, as the figure's
 * name with the endings .gp and .dat. The file appears under its name only when complete. Errors: SF_ERR_USAGE (ending; a
 * look that the figure cannot have), SF_ERR_UNAVAILABLE (no gnuplot), SF_ERR_IO, SF_ERR_MEMORY. */
SF_API
sf_status sf_draw(sf_context *context, const sf_figure *figure, const char *path, const sf_look *look,
                  bool keep);

/* ---- figures of trajectories ------------------------------------------------------------------------ */

typedef enum sf_plot_kind {
    SF_PLOT_TIME,   /* |beta_j| against time, one panel a trajectory, with its events */
    SF_PLOT_SHARES, /* the same as parts of the l1 norm */
    SF_PLOT_PLANE, /* beta_1 against beta_0 (d = 2), all trajectories in one panel; of one with equal layers also the
                          vector field of its flow */
    SF_PLOT_LOSS,      /* log F against time, all trajectories in one panel */
    SF_PLOT_SPOTLIGHT, /* |beta_j| as a heat map over feature strength and time, one panel a trajectory */
    SF_PLOT_IMAGE      /* the predictor as an image at some moments, one row of panels a trajectory */
} sf_plot_kind;

/* "time", "shares", "plane", "loss", "spotlight", "image"; NULL beyond the last. */
SF_API
const char *sf_plot_kind_name(size_t kind);

/* Zeros, but for what a kind needs, are defaults. */
typedef struct sf_plot_options {
    sf_plot_kind kind;
    const char
        *clock; /* step, tau, log_time, or evaluations (of the gradient: one a step of GD, two of SAM); NULL:
                             step, or else log_time (spotlight: tau) */
    size_t rows,
        columns; /* image: of pixels, row after row from the top; rows * columns features, or twice as many,
                             mirrored: then beta_j - beta_{d/2+j} is drawn */
    size_t moment_count;
    const double *
        moments; /* image: when, on the clock; the records nearest to them. None: five, spread evenly over the
                              records */
    size_t override_count; /* as in sf_experiment_parse, for experiments whose data are now elsewhere */
    const char *const *overrides;
} sf_plot_options;

/* A figure of one or several trajectories that sf_trajectory_read gave. name: of the figure and its files. names
 * (count): what messages and, where methods do not tell them apart, legends call the trajectories. The strengths that the
 * spotlight is drawn over are those of the data of a trajectory's experiment. Errors: SF_ERR_USAGE (no such clock, shape
 * or moment), SF_ERR_CONFIG and SF_ERR_DATA (spotlight: the experiment cannot be built), SF_ERR_MEMORY. */
SF_API
sf_status sf_plot_trajectories(sf_context *context, const char *name, size_t count,
                               const sf_trajectory *const *trajectories, const char *const *names,
                               const sf_plot_options *options, sf_figure **out);

/* ---- figures of sweeps -------------------------------------------------------------------------------- */

typedef struct sf_map_options {
    const char *x, *y, *color; /* columns of the result file; x and y hold numbers */
    const char *where;         /* of the rows: "COLUMN=VALUE,..."; NULL: all */
} sf_map_options;

/* One column of a result file over two others. Of the columns regime and limit_kind it also holds what theory predicts,
 * from the file or found now. */
typedef struct sf_plot_map sf_plot_map;

/* Store and options must outlive the map. Cells that refinement left out take the value of their neighbours. Errors:
 * SF_ERR_USAGE (no such column or condition, fewer than two x or y, several rows for a cell, more than six different texts),
 * SF_ERR_IO, SF_ERR_MEMORY. */
SF_API
sf_status sf_plot_map_create(sf_context *context, sf_store *store, const sf_map_options *options,
                             sf_plot_map **out);
SF_API
void sf_plot_map_destroy(sf_plot_map **map);

typedef struct sf_map_comparison {
    const char
        *column; /* that theory fills, for example predicted_regime; NULL: it says nothing about the colour */
    size_t cells;     /* rows that were read */
    size_t compared;  /* ... of which measurement and theory are known */
    size_t differing; /* ... and not the same */
} sf_map_comparison;
SF_API
sf_map_comparison sf_plot_map_compare(const sf_plot_map *map);

/* A cell where theory says something else. */
typedef struct sf_map_difference {
    double x, y;
    const char *measured, *predicted; /* owned by the map */
} sf_map_difference;
/* The next one, from *at = 0 on; false past the last. */
SF_API
bool sf_plot_map_next(const sf_plot_map *map, size_t *at, sf_map_difference *difference);

/* A panel with the cells, the boundary that theory draws, and a mark at each difference. Errors: SF_ERR_MEMORY. */
SF_API
sf_status sf_plot_map_draw(const sf_plot_map *map, sf_figure *figure);

/* ---- the report --------------------------------------------------------------------------------------- */

typedef struct sf_report_options {
    const char *directory; /* made if it does not exist */
    bool keep_plots;       /* leave gnuplot's scripts and data in directory/plots */
} sf_report_options;

/* Makes the folder of a report, so that a wrong path is found before anything is run. Errors: SF_ERR_IO, SF_ERR_MEMORY. */
SF_API
sf_status sf_report_prepare(sf_context *context, const char *directory);

/* Writes directory/index.html (one self-contained page), figures/NAME.svg and .png, tables/NAME.csv. Without
 * gnuplot the page has no figures and says so; *drawn tells (may be NULL). Claims that have not finished read "not run"
 * on the page. Errors: SF_ERR_IO, SF_ERR_MEMORY, SF_ERR_CANCELLED (the page is there, with the figures drawn until
 * then). */
SF_API
sf_status sf_report_write(sf_context *context, const sf_reproduction *reproduction,
                          const sf_report_options *options, bool *drawn);

#ifdef __cplusplus
}
#endif
#endif
