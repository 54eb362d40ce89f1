#include "sweep/grid/grid_node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct fy_mark *sf_node_mark(struct fy_node *node)
{
    while (node && !fy_node_is_scalar(node)) {
        void *at = NULL;
        if (fy_node_is_mapping(node)) {
            struct fy_node_pair *pair = fy_node_mapping_iterate(node, &at);
            node = pair ? fy_node_pair_key(pair) : NULL;
        } else {
            node = fy_node_sequence_iterate(node, &at);
        }
    }
    struct fy_token *token = node ? fy_node_get_scalar_token(node) : NULL;
    return token ? fy_token_start_mark(token) : NULL;
}

grid_place sf_node_place(struct fy_node *node, grid_place fallback)
{
    const struct fy_mark *mark = sf_node_mark(node);
    return mark ? (grid_place){mark->line + 1, mark->column + 1} : fallback;
}

sf_status sf_grid_fail_at(sf_grid *grid, grid_place at)
{
    return sf_fail_within(grid->context, SF_ERR_CONFIG, "%s:%d:%d", grid->name, at.line, at.column);
}

bool sf_node_number(struct fy_node *node, double *value)
{
    const char *text = node && fy_node_is_scalar(node) ? fy_node_get_scalar0(node) : NULL;
    if (!text || !*text || fy_node_get_style(node) != FYNS_PLAIN)
        return false;
    char *end;
    *value = strtod(text, &end);
    return *end == '\0' && isfinite(*value) && strpbrk(text, "xXpP") == NULL;
}

const char *sf_node_key(struct fy_node_pair *pair)
{
    struct fy_node *key = fy_node_pair_key(pair);
    const char *text = key && fy_node_is_scalar(key) ? fy_node_get_scalar0(key) : NULL;
    return text ? text : "";
}

struct fy_node *sf_node_member(struct fy_node *mapping, const char *key)
{
    return fy_node_mapping_lookup_value_by_string(mapping, key, (size_t)-1);
}

sf_status sf_node_check_keys(sf_grid *grid, struct fy_node *mapping, const char *what,
                             const char *const *names)
{
    void *at = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(mapping, &at))) {
        const char *key = sf_node_key(pair);
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (names[i])
            continue;
        char list[256] = "";
        for (i = 0; names[i]; i++)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
        return GRID_FAIL(grid, sf_node_place(fy_node_pair_key(pair), (grid_place){0, 0}),
                         "unknown key '%s' in %s; expected %s", key, what, list);
    }
    return SF_OK;
}
