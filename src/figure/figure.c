/* Figures as plain data: a list of panels, each a list of layers. All memory comes from the context, and the
 * first failure is kept in the figure, so that a description of twenty calls is checked once. */
#include <samflow/figure.h>

#include <math.h>
#include <string.h>

#include "base/base.h"

typedef struct panel {
    sf_axes axes;
    sf_layer *layers;
    size_t layer_count, layer_room;
    char **classes;
    size_t class_count;
} panel;

struct sf_figure {
    sf_context *context;
    sf_status status;
    char *name, *caption, *alt;
    size_t columns;
    panel *panels;
    size_t panel_count, panel_room;
};

uint32_t sf_color_of_method(sf_method method)
{
    static const uint32_t color[] = {SF_COLOR_GD, SF_COLOR_L2, SF_COLOR_LINF, SF_COLOR_LP, SF_COLOR_USAM};
    return color[method];
}

const char *sf_title_of_method(sf_method method)
{
    static const char *const title[] = {"GD", "ℓ2-SAM", "ℓ∞-SAM", "ℓp-SAM", "unnormalized SAM"};
    return title[method];
}

uint32_t sf_color_of_strength(double strength)
{
    // cividis at 0 (navy) ... 0.85 (gold): Nunez, Anderton, Renslow, PLoS ONE 13 (2018)
    static const double anchor[][3] = {
        {0, 34, 78}, {65, 77, 107}, {124, 123, 120}, {178, 162, 104}, {225, 190, 60}};
    enum { LAST = sizeof anchor / sizeof anchor[0] - 1 };
    double at = (1.0 - (strength >= 0.0 ? fmin(strength, 1.0) : 0.0)) * LAST;
    size_t low = at < LAST ? (size_t)at : LAST - 1;
    uint32_t color = 0;
    for (size_t c = 0; c < 3; c++) {
        double mixed = anchor[low][c] + (at - (double)low) * (anchor[low + 1][c] - anchor[low][c]);
        color = (color << 8) | (uint32_t)lround(mixed);
    }
    return color;
}

/* ---- memory ---------------------------------------------------------------------------------------------
 */

static char *copy_text(sf_figure *figure, const char *text)
{
    if (!text || figure->status != SF_OK)
        return NULL;
    char *copy = sf_strdup(figure->context, text);
    if (!copy)
        figure->status = SF_ERR_MEMORY;
    return copy;
}

static double *copy_numbers(sf_figure *figure, size_t n, const double *values)
{
    if (!values || figure->status != SF_OK)
        return NULL;
    double *copy = SF_ARRAY(figure->context, n, double);
    if (copy)
        memcpy(copy, values, n * sizeof *values);
    else
        figure->status = SF_ERR_MEMORY;
    return copy;
}

/* Makes room for one more element; the array may move. */
static bool grow(sf_figure *figure, void **array, size_t count, size_t *room, size_t size)
{
    if (figure->status != SF_OK)
        return false;
    if (count < *room)
        return true;
    size_t wanted = *room ? 2 * *room : 4;
    void *moved = sf_resize(figure->context, *array, wanted, size);
    if (!moved) {
        figure->status = SF_ERR_MEMORY;
        return false;
    }
    *array = moved;
    *room = wanted;
    return true;
}

sf_status sf_figure_create(sf_context *context, const char *name, const char *caption, const char *alt,
                           size_t columns, sf_figure **out)
{
    *out = NULL;
    if (columns < 1)
        return sf_fail(context, SF_ERR_ARGUMENT, "figure %s has no column of panels, expected at least 1",
                       name);
    sf_figure *figure = SF_NEW(context, sf_figure);
    if (!figure)
        return SF_ERR_MEMORY;
    figure->context = context;
    figure->columns = columns;
    figure->name = copy_text(figure, name);
    figure->caption = copy_text(figure, caption);
    figure->alt = copy_text(figure, alt);
    if (figure->status != SF_OK)
        sf_figure_destroy(&figure);
    *out = figure;
    return figure ? SF_OK : SF_ERR_MEMORY;
}

static void free_panel(sf_context *context, panel *p)
{
    for (size_t i = 0; i < p->layer_count; i++) {
        const double *arrays[] = {p->layers[i].x, p->layers[i].y, p->layers[i].u, p->layers[i].v};
        for (size_t k = 0; k < 4; k++)
            sf_free(context, (void *)arrays[k]);
        sf_free(context, (void *)p->layers[i].title);
    }
    for (size_t i = 0; i < p->class_count; i++)
        sf_free(context, p->classes[i]);
    const char *texts[] = {p->axes.title, p->axes.x_label, p->axes.y_label, p->axes.key};
    for (size_t k = 0; k < 4; k++)
        sf_free(context, (void *)texts[k]);
    sf_free(context, p->classes);
    sf_free(context, p->layers);
}

void sf_figure_destroy(sf_figure **figure)
{
    if (!figure || !*figure)
        return;
    sf_context *context = (*figure)->context;
    for (size_t i = 0; i < (*figure)->panel_count; i++)
        free_panel(context, &(*figure)->panels[i]);
    sf_free(context, (*figure)->panels);
    sf_free(context, (*figure)->name);
    sf_free(context, (*figure)->caption);
    sf_free(context, (*figure)->alt);
    sf_free(context, *figure);
    *figure = NULL;
}

sf_status sf_figure_status(const sf_figure *figure)
{
    return figure->status;
}

/* ---- building -------------------------------------------------------------------------------------------
 */

void sf_figure_panel(sf_figure *figure, const sf_axes *axes)
{
    if (!grow(figure, (void **)&figure->panels, figure->panel_count, &figure->panel_room, sizeof(panel)))
        return;
    panel *p = &figure->panels[figure->panel_count++];
    *p = (panel){.axes = *axes};
    p->axes.title = copy_text(figure, axes->title);
    p->axes.x_label = copy_text(figure, axes->x_label);
    p->axes.y_label = copy_text(figure, axes->y_label);
    p->axes.key = copy_text(figure, axes->key);
}

/* Appends a layer to the last panel, with copies of all it points to. */
static void add_layer(sf_figure *figure, sf_layer layer)
{
    if (figure->status != SF_OK)
        return;
    if (figure->panel_count == 0) {
        figure->status = sf_fail(figure->context, SF_ERR_ARGUMENT,
                                 "figure %s: a layer before the first panel", figure->name);
        return;
    }
    panel *p = &figure->panels[figure->panel_count - 1];
    if (!grow(figure, (void **)&p->layers, p->layer_count, &p->layer_room, sizeof(sf_layer)))
        return;
    bool cells = layer.kind == SF_LAYER_CELLS;
    sf_layer copy = layer;
    copy.title = copy_text(figure, layer.title);
    copy.x = copy_numbers(figure, layer.nx, layer.x);
    copy.y = copy_numbers(figure, cells ? layer.ny : layer.nx, layer.y);
    copy.u = copy_numbers(figure, cells ? layer.nx * layer.ny : layer.nx, layer.u);
    copy.v = copy_numbers(figure, layer.nx, layer.v);
    p->layers[p->layer_count++] = copy;
}

void sf_figure_series(sf_figure *figure, const char *title, sf_style style, size_t n, const double *x,
                      const double *y)
{
    add_layer(figure,
              (sf_layer){.kind = SF_LAYER_SERIES, .title = title, .style = style, .nx = n, .x = x, .y = y});
}

void sf_figure_band(sf_figure *figure, uint32_t color, size_t n, const double *x, const double *low,
                    const double *high)
{
    add_layer(
        figure,
        (sf_layer){.kind = SF_LAYER_BAND, .style = {.color = color}, .nx = n, .x = x, .y = low, .u = high});
}

void sf_figure_vectors(sf_figure *figure, const char *title, uint32_t color, size_t n, const double *x,
                       const double *y, const double *u, const double *v)
{
    add_layer(figure, (sf_layer){.kind = SF_LAYER_VECTORS,
                                 .title = title,
                                 .style = {.color = color},
                                 .nx = n,
                                 .x = x,
                                 .y = y,
                                 .u = u,
                                 .v = v});
}

void sf_figure_cells(sf_figure *figure, const char *label, sf_palette palette, size_t nx, size_t ny,
                     const double *x, const double *y, const double *z)
{
    if (nx < 2 || ny < 2) {
        if (figure->status == SF_OK)
            figure->status = sf_fail(figure->context, SF_ERR_ARGUMENT,
                                     "figure %s: a grid of %zu x %zu cells, expected at least 2 x 2",
                                     figure->name, nx, ny);
        return;
    }
    add_layer(figure, (sf_layer){.kind = SF_LAYER_CELLS,
                                 .title = label,
                                 .palette = palette,
                                 .nx = nx,
                                 .ny = ny,
                                 .x = x,
                                 .y = y,
                                 .u = z});
}

void sf_figure_classes(sf_figure *figure, size_t n, const char *const *names)
{
    if (figure->status != SF_OK || figure->panel_count == 0)
        return;
    panel *p = &figure->panels[figure->panel_count - 1];
    p->classes = sf_alloc_zero(figure->context, n, sizeof *p->classes);
    if (!p->classes) {
        figure->status = SF_ERR_MEMORY;
        return;
    }
    for (size_t i = 0; i < n; i++)
        p->classes[p->class_count++] = copy_text(figure, names[i]);
}

void sf_figure_guide(sf_figure *figure, double x, const char *text)
{
    add_layer(figure, (sf_layer){.kind = SF_LAYER_GUIDE, .title = text, .nx = 1, .x = &x});
}

/* ---- reading --------------------------------------------------------------------------------------------
 */

const char *sf_figure_name(const sf_figure *figure)
{
    return figure->name;
}

const char *sf_figure_caption(const sf_figure *figure)
{
    return figure->caption;
}

const char *sf_figure_alt(const sf_figure *figure)
{
    return figure->alt;
}

size_t sf_figure_columns(const sf_figure *figure)
{
    return figure->columns;
}

size_t sf_figure_panels(const sf_figure *figure)
{
    return figure->panel_count;
}

sf_panel sf_figure_get_panel(const sf_figure *figure, size_t index)
{
    const panel *p = &figure->panels[index];
    return (sf_panel){.axes = p->axes,
                      .layer_count = p->layer_count,
                      .layers = p->layers,
                      .class_count = p->class_count,
                      .classes = (const char *const *)p->classes};
}
