/* The values of an axis, as a sweep file writes them. */
#ifndef SF_SWEEP_GRID_AXIS_H
#define SF_SWEEP_GRID_AXIS_H

#include "sweep/grid/grid.h"

/* Every key of the mapping is among `names` (ended by NULL). */
sf_status sf_grid_check_keys(sf_grid *grid, const sf_node *mapping, const char *what,
                             const char *const *names);

/* Reads the value of an axis whose key is known: a list, or a mapping. Uses nodes up. */
sf_status sf_grid_read_values(sf_grid *grid, grid_axis *axis, sf_node *value);

#endif
