/* A sweep file: the experiment, and the section `sweep:` with the axes of its grid.
 *
 * A grid is a product of groups; the axes of one group are zipped (they advance together). Points are numbered by
 * `position`, the mixed-radix number of the group indices with the last group fastest. With refinement the
 * positions are those of the finest lattice, of which the grid as written holds every 2^levels-th point a side.
 */
#ifndef SF_SWEEP_GRID_H
#define SF_SWEEP_GRID_H

#include "settings/settings.h"

/* A value of an axis: a number, or what anything else sets. */
typedef struct grid_value {
    double number;     // NaN if there is a patch
    sf_patch *patch;   // NULL: a number
    const char *label; // what the store shows of a patch
} grid_value;

typedef struct grid_axis {
    const char *key;      // path of the setting, for example data.example[1]
    sf_setting_path path; // ... what it names; id SF_SETTING_COUNT: a group
    const char *column;   // its name in the store
    size_t group;
    size_t count;
    grid_value *values; // count
    bool patched;       // some value is no number
    bool geometric;     // refinement puts the geometric mean between two values
    sf_place place;     // where the file names it
} grid_axis;

typedef struct grid_group {
    size_t first, axes; // axes[first .. first + axes)
    size_t count;       // values of each
} grid_group;

typedef struct grid_observable {
    const char *name;  // "regime", "beta", ...
    const char *clock; // beta: "tau", "log_time" or "step"; NULL otherwise
    size_t time_count;
    double *times;
    sf_place place;
} grid_observable;

typedef struct grid_refinement {
    int levels;       // 0: none
    const char *by;   // column that has to be alike at the corners of a cell
    double tolerance; // numbers are alike up to this difference
    sf_place place;
} grid_refinement;

typedef struct sf_grid {
    sf_context *context;
    const char *name;      // of the file, for messages
    const char *text;      // the whole file
    sf_settings *settings; // of the file without the section `sweep:`, overrides put in; not resolved
    grid_axis *axes;
    size_t axis_count;
    grid_group *groups;
    size_t group_count;
    grid_observable *observables;
    size_t observable_count;
    grid_refinement refine;
    uint64_t points;          // of the grid as written
    struct text_block *texts; // a list, for all the texts above
} sf_grid;

enum { SF_MOST_AXES = 64 };
enum { SF_GRID_MAX_POINTS = 1000000000, SF_GRID_MAX_LEVELS = 12 };

/* Reads the text of a sweep file, every value of every axis by the type of its setting. overrides: of the experiment.
 * Errors: SF_ERR_CONFIG with name, line and column; SF_ERR_MEMORY. */
sf_status sf_grid_parse(sf_context *context, const char *name, const char *text, size_t count,
                        const char *const *overrides, sf_grid **out);
void sf_grid_destroy(sf_grid **grid);

/* A copy of a text that lives as long as the grid; NULL without memory. */
const char *sf_grid_keep(sf_grid *grid, const char *text, size_t length);

/* Lattice points along a group: count, or (count - 1) 2^levels + 1. */
uint64_t sf_grid_extent(const sf_grid *grid, size_t group);
/* Indices of a position, one a group, and back. */
void sf_grid_indices(const sf_grid *grid, uint64_t position, uint64_t *indices);
uint64_t sf_grid_position(const sf_grid *grid, const uint64_t *indices);
/* Position of the n-th point of the grid as written (0 <= n < points). */
uint64_t sf_grid_written(const sf_grid *grid, uint64_t n);
/* Values of all axes (axis_count) at a position. */
void sf_grid_values(const sf_grid *grid, uint64_t position, grid_value *values);

/* The value of an axis at an index of its group. */
grid_value sf_grid_value(const sf_grid *grid, const grid_axis *axis, uint64_t index);
/* Puts the axis and its place before the message of a failure; SF_ERR_CONFIG. */
sf_status sf_grid_axis_fail(const sf_grid *grid, const grid_axis *axis);

/* SF_ERR_CONFIG with a message that begins with the place. */
#define GRID_FAIL(grid, at, ...)                                                                             \
    (sf_fail((grid)->context, SF_ERR_CONFIG, __VA_ARGS__), sf_fail_at((grid)->context, (at)))

/* Every key of the mapping is among `names` (ended by NULL). */
sf_status sf_grid_check_keys(sf_grid *grid, const sf_node *mapping, const char *what,
                             const char *const *names);

/* Reads the value of an axis whose key is known: a list, or a mapping. Uses nodes up. */
sf_status sf_grid_read_values(sf_grid *grid, grid_axis *axis, sf_node *value);

/* A number rounded to 15 significant digits, so that 0.3 from any range is the same 0.3. */
double sf_grid_round(double value);

#endif
