/* The values of an axis, as a sweep file writes them. */
#ifndef SF_SWEEP_GRID_AXIS_H
#define SF_SWEEP_GRID_AXIS_H

#include "sweep/grid/grid_node.h"

/* Reads the value of an axis whose key is known: a list, or a mapping. */
sf_status sf_grid_read_values(sf_grid *grid, grid_axis *axis, struct fy_node *value, grid_place at);

#endif
