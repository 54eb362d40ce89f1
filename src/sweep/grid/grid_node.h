/* Nodes of a sweep file: where they are, and what they hold. */
#ifndef SF_SWEEP_GRID_NODE_H
#define SF_SWEEP_GRID_NODE_H

#include <libfyaml.h>

#include "sweep/grid/grid.h"

typedef struct grid_place {
    int line, column; // from 1; 0: unknown
} grid_place;

/* First mark inside a node: lines and columns from 0. NULL for empty collections. */
const struct fy_mark *sf_node_mark(struct fy_node *node);
grid_place sf_node_place(struct fy_node *node, grid_place fallback);

/* SF_ERR_CONFIG with a message that begins with the place. */
#define GRID_FAIL(grid, at, ...)                                                                             \
    (sf_fail((grid)->context, SF_ERR_CONFIG, __VA_ARGS__), sf_grid_fail_at(grid, at))
sf_status sf_grid_fail_at(sf_grid *grid, grid_place at);

/* A finite decimal number that is not quoted. */
bool sf_node_number(struct fy_node *node, double *value);
/* The key of a pair, "" if it is no text. */
const char *sf_node_key(struct fy_node_pair *pair);
/* NULL if there is none. */
struct fy_node *sf_node_member(struct fy_node *mapping, const char *key);
/* Every key of the mapping is among `names` (ended by NULL). */
sf_status sf_node_check_keys(sf_grid *grid, struct fy_node *mapping, const char *what,
                             const char *const *names);

#endif
