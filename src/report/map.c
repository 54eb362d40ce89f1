/* The map of a sweep: one column over two others, with theory beside it. */
#include "report/map.h"

#include <math.h>
#include <stdio.h>

#include "report/labels.h"

sf_status sf_plot_map_create(sf_context *context, sf_store *store, const sf_map_options *options,
                             sf_plot_map **out)
{
    *out = NULL;
    sf_plot_map *map = SF_NEW(context, sf_plot_map);
    if (!map)
        return SF_ERR_MEMORY;
    *map = (sf_plot_map){.context = context, .options = options, .store = store};
    sf_status status = sf_map_read_rows(map);
    if (status == SF_OK)
        status = sf_map_fill_cells(map);
    if (status != SF_OK)
        sf_plot_map_destroy(&map);
    *out = map;
    return status;
}

void sf_plot_map_destroy(sf_plot_map **map)
{
    if (!map || !*map)
        return;
    sf_context *context = (*map)->context;
    sf_free(context, (*map)->rows);
    sf_free(context, (*map)->x);
    sf_free(context, (*map)->y);
    sf_free(context, (*map)->cells);
    sf_free(context, (*map)->predicted);
    sf_free(context, *map);
    *map = NULL;
}

/* ---- what theory says ------------------------------------------------------------------------------------- */

static const char *class_name(const sf_plot_map *m, double class)
{
    return class >= 0.0 && class < (double)m->class_count ? m->classes[(size_t) class] : "";
}

sf_map_comparison sf_plot_map_compare(const sf_plot_map *map)
{
    return (sf_map_comparison){.column = map->prediction,
                               .cells = map->count,
                               .compared = map->compared,
                               .differing = map->differing};
}

bool sf_plot_map_next(const sf_plot_map *map, size_t *at, sf_map_difference *difference)
{
    while (*at < map->count) {
        const map_row *row = &map->rows[(*at)++];
        if (!sf_map_differs(row))
            continue;
        *difference = (sf_map_difference){.x = row->x,
                                          .y = row->y,
                                          .measured = class_name(map, row->value),
                                          .predicted = class_name(map, row->predicted)};
        return true;
    }
    return false;
}

/* ---- the figure --------------------------------------------------------------------------------------------- */

static sf_status mark_differences(const sf_plot_map *m, sf_figure *figure)
{
    if (m->differing == 0)
        return SF_OK;
    double *x = SF_ARRAY(m->context, m->differing, double), *y = SF_ARRAY(m->context, m->differing, double);
    size_t n = 0;
    for (size_t i = 0; x && y && i < m->count; i++)
        if (sf_map_differs(&m->rows[i])) {
            x[n] = m->rows[i].x;
            y[n++] = m->rows[i].y;
        }
    char title[MAP_TEXT];
    snprintf(title, sizeof title, "differs from theory (%zu)", m->differing);
    if (n > 0)
        sf_figure_series(figure, title, (sf_style){.mark = SF_MARK_POINTS, .color = SF_COLOR_L2, .point = 4},
                         n, x, y);
    sf_status status = x && y ? SF_OK : SF_ERR_MEMORY;
    sf_free(m->context, x);
    sf_free(m->context, y);
    return status;
}

static void draw_cells(const sf_plot_map *m, sf_figure *figure)
{
    char x_label[MAP_TEXT], y_label[MAP_TEXT], color_label[MAP_TEXT], class_label[MAP_CLASSES][MAP_TEXT];
    const char *names[MAP_CLASSES];
    sf_figure_panel(figure, &(sf_axes){.x_label = sf_plot_plain(m->options->x, x_label, sizeof x_label),
                                       .y_label = sf_plot_plain(m->options->y, y_label, sizeof y_label),
                                       .x_scale = sf_map_scale(m->x, m->nx),
                                       .y_scale = sf_map_scale(m->y, m->ny),
                                       .x_min = m->x[0],
                                       .x_max = m->x[m->nx - 1],
                                       .y_min = m->y[0],
                                       .y_max = m->y[m->ny - 1],
                                       .key = "below"});
    sf_figure_cells(
        figure, m->class_count ? NULL : sf_plot_plain(m->options->color, color_label, sizeof color_label),
        m->class_count ? SF_PALETTE_CLASSES : SF_PALETTE_SEQUENTIAL, m->nx, m->ny, m->x, m->y, m->cells);
    for (size_t i = 0; i < m->class_count; i++)
        names[i] = m->seen[i] ? sf_plot_plain(m->classes[i], class_label[i], sizeof class_label[i]) : "";
    if (m->class_count)
        sf_figure_classes(figure, m->class_count, names);
}

sf_status sf_plot_map_draw(const sf_plot_map *map, sf_figure *figure)
{
    draw_cells(map, figure);
    SF_TRY(sf_map_draw_boundary(map, figure));
    SF_TRY(mark_differences(map, figure));
    return sf_figure_status(figure);
}
