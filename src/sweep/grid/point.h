/* The settings of a point of a grid, and its identity. */
#ifndef SF_SWEEP_GRID_POINT_H
#define SF_SWEEP_GRID_POINT_H

#include "sweep/grid/grid.h"

/* Changes with what the hash of a point is made of. */
#define SF_IDENTITY_FORMAT "samflow sweep 2"

/* Settings that follow the points of a grid: those of the file with the values of the axes put in. */
typedef struct sf_point {
    sf_context *context;
    const sf_grid *grid;
    sf_settings *settings;          // resolved, unless the last position was refused
    sf_hash hash[SF_SETTING_COUNT]; // of those that are set
    uint64_t index[SF_MOST_AXES];   // of the groups, at the last position
    bool whole;                     // nothing is there that the next position could build on
} sf_point;

/* base: the settings of the file, which are copied; not resolved. Release also after a failure. */
sf_status sf_point_create(sf_context *context, const sf_grid *grid, const sf_settings *base, sf_point *point);
void sf_point_release(sf_point *point);
/* Puts the values of a position in. Values that are numbers, and that no other setting depends on, cost no more than
 * themselves. Errors: SF_ERR_CONFIG (a value out of range, or settings that do not go together), SF_ERR_MEMORY. */
sf_status sf_point_set(sf_point *point, uint64_t position);

/* The identity of the point: H(format, version, content of data files, hashes of all that is set). */
sf_hash sf_point_identity(const sf_point *point, const sf_hash *content);
/* ... of one whose settings were refused at this position: of its axes and their values, and of the grid's first point. */
sf_hash sf_point_refused_identity(const sf_grid *grid, uint64_t position, sf_hash first);

/* H over the axes with their values, and over what the first point is. */
sf_hash sf_grid_identity(const sf_grid *grid, sf_hash first);
/* Whether no two positions have the same settings, by construction. */
sf_status sf_grid_is_distinct(const sf_grid *grid, bool *distinct);

#endif
