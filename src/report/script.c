/* A figure as a gnuplot script and its data file.
 *
 * The data file holds one block a layer, separated by two empty lines (gnuplot's `index`), each line a point.
 * The script chooses its terminal by the variable `ending`, so that the user draws it again in any format:
 *     gnuplot -e "ending='pdf'" NAME.gp
 */
#include "report/plot.h"

#include <math.h>
#include <string.h>

enum { PANEL_WIDTH = 460, PANEL_HEIGHT = 350, WIDE = 640, IMAGE = 190, LEGEND = 40 };

static bool is_image(const sf_figure *figure)
{
    return sf_figure_panels(figure) > 0 && sf_figure_get_panel(figure, 0).axes.no_axes;
}

static size_t rows_of(const sf_figure *figure)
{
    size_t columns = sf_figure_columns(figure);
    return (sf_figure_panels(figure) + columns - 1) / columns;
}

static bool is_below(const char *key)
{
    return key && strcmp(key, "below") == 0;
}

void sf_plot_size(const sf_figure *figure, int *width, int *height)
{
    int columns = (int)sf_figure_columns(figure), rows = (int)rows_of(figure);
    int across = is_image(figure) ? IMAGE : columns == 1 ? WIDE : columns == 2 ? PANEL_WIDTH : 380;
    bool square = sf_figure_panels(figure) > 0 && sf_figure_get_panel(figure, 0).axes.equal;
    int down = is_image(figure) ? IMAGE + 20
               : square         ? (columns > 2 ? 400 : 480)
               : columns == 1   ? 400
                                : PANEL_HEIGHT;
    for (size_t p = 0; p < sf_figure_panels(figure); p++)
        if (is_below(sf_figure_get_panel(figure, p).axes.key)) { // room for the legend
            down += columns > 2 ? 2 * LEGEND : LEGEND;
            break;
        }
    *width = columns * across;
    *height = (rows < 1 ? 1 : rows) * down;
}

bool sf_plot_is_pixels(const sf_layer *layer)
{
    enum { FEW = 1000 };
    return layer->kind == SF_LAYER_CELLS &&
           (layer->palette != SF_PALETTE_CLASSES || layer->nx * layer->ny > FEW);
}

static double on_axis(double value, sf_scale scale)
{
    return scale == SF_SCALE_LOG ? log10(value) : value;
}

/* ---- data -------------------------------------------------------------------------------------------- */

static void write_number(FILE *file, double value, const char *end)
{
    if (isfinite(value))
        fprintf(file, "%.10g%s", value, end);
    else
        fprintf(file, "NaN%s", end);
}

/* Half the distance to the neighbours of centre i, below and above, on a linear or logarithmic axis. */
static void edges(const double *x, size_t n, size_t i, sf_scale scale, double *low, double *high)
{
    size_t a = i > 0 ? i - 1 : 0, b = i > 0 ? i : 1, c = i + 1 < n ? i : n - 2, e = c + 1;
    if (scale == SF_SCALE_LOG) {
        *low = x[i] * sqrt(x[a] / x[b]);
        *high = x[i] * sqrt(x[e] / x[c]);
    } else {
        *low = x[i] - 0.5 * (x[b] - x[a]);
        *high = x[i] + 0.5 * (x[e] - x[c]);
    }
}

/* The end of the run of equal cells that begins at column c of row r; c itself if none begins there. */
static size_t run_end(const sf_layer *layer, size_t r, size_t c)
{
    const double *z = layer->u + r * layer->nx;
    size_t end = c;
    if (!isfinite(z[c]) || (c > 0 && z[c - 1] == z[c]))
        return c;
    while (end < layer->nx && z[end] == z[c])
        end++;
    return end;
}

static bool same_run(const sf_layer *layer, size_t r, size_t other, size_t c, size_t end)
{
    return layer->u[r * layer->nx + c] == layer->u[other * layer->nx + c] && run_end(layer, other, c) == end;
}

/* Regions: equal cells of a row, and equal rows of such, are one box. */
static void write_regions(FILE *file, const sf_layer *layer, const sf_axes *axes)
{
    for (size_t r = 0; r < layer->ny; r++)
        for (size_t c = 0; c < layer->nx; c++) {
            size_t end = run_end(layer, r, c), top = r;
            if (end == c || (r > 0 && same_run(layer, r, r - 1, c, end)))
                continue; // none begins here, or it is part of the box below
            while (top + 1 < layer->ny && same_run(layer, r, top + 1, c, end))
                top++;
            double left, right, low, high, inner;
            edges(layer->x, layer->nx, c, axes->x_scale, &left, &inner);
            edges(layer->x, layer->nx, end - 1, axes->x_scale, &inner, &right);
            edges(layer->y, layer->ny, r, axes->y_scale, &low, &inner);
            edges(layer->y, layer->ny, top, axes->y_scale, &inner, &high);
            const double numbers[] = {
                layer->x[c], layer->y[r], left, right, low, high, layer->u[r * layer->nx + c]};
            for (size_t k = 0; k < 7; k++)
                write_number(file, numbers[k], k < 6 ? " " : "\n");
        }
}

/* The centres within the limits: from *first to before *end; at least one. */
static void window_of(const double *x, size_t n, const sf_limits *limits, size_t *first, size_t *end)
{
    *first = 0;
    *end = n;
    while (limits->set && *first + 1 < n && x[*first] < limits->low) // false for NaN
        ++*first;
    while (limits->set && *end > *first + 1 && x[*end - 1] > limits->high)
        --*end;
}

/* An image, in the coordinates of its axes: images know no logarithmic ones. */
static void write_pixels(FILE *file, const sf_layer *layer, const sf_axes *axes, const sf_look *look)
{
    size_t left, right, low, high;
    window_of(layer->x, layer->nx, &look->x, &left, &right);
    window_of(layer->y, layer->ny, &look->y, &low, &high);
    for (size_t r = low; r < high; r++)
        for (size_t c = left; c < right; c++) {
            write_number(file, on_axis(layer->x[c], axes->x_scale), " ");
            write_number(file, on_axis(layer->y[r], axes->y_scale), " ");
            write_number(file, layer->u[r * layer->nx + c], "\n");
        }
}

static void write_layer(FILE *file, const sf_layer *layer, const sf_axes *axes, const sf_look *look)
{
    fprintf(file, "# %s\n", layer->title ? layer->title : "(no title)");
    if (sf_plot_is_pixels(layer)) {
        write_pixels(file, layer, axes, look);
    } else if (layer->kind == SF_LAYER_CELLS) {
        write_regions(file, layer, axes);
    } else if (layer->kind == SF_LAYER_GUIDE) {
        write_number(file, layer->x[0], "\n");
    } else {
        for (size_t i = 0; i < layer->nx; i++) {
            const double *columns[] = {layer->x, layer->y, layer->u, layer->v};
            size_t last = layer->kind == SF_LAYER_VECTORS ? 3 : layer->kind == SF_LAYER_BAND ? 2 : 1;
            for (size_t k = 0; k <= last; k++)
                write_number(file, columns[k][i], k < last ? " " : "\n");
        }
    }
    fprintf(file, "\n\n");
}

static void write_data(FILE *file, const sf_figure *figure, const sf_look *look)
{
    for (size_t p = 0; p < sf_figure_panels(figure); p++) {
        sf_panel panel = sf_figure_get_panel(figure, p);
        for (size_t i = 0; i < panel.layer_count; i++)
            write_layer(file, &panel.layers[i], &panel.axes, look);
    }
}

/* ---- script ------------------------------------------------------------------------------------------ */

static const char *const class_fill[] = {"#fbe9b7", "#d3e3f4", "#d9ead9", "#f6d5c3", "#e4e4e4", "#ead3e3"};
enum { CLASSES = sizeof class_fill / sizeof class_fill[0] };

static void set_text(FILE *file, const char *what, const char *text, const sf_look *look)
{
    if (!text)
        return;
    fprintf(file, "set %s ", what);
    sf_look_write_text(file, text);
    fprintf(file, " tc rgb '#%06x'\n", sf_look_color(look, 0x000000));
}

static void write_range(FILE *file, const char *axis, double low, double high)
{
    fprintf(file, "set %srange [", axis);
    if (isfinite(low))
        fprintf(file, "%.10g", low);
    else
        putc('*', file);
    fputs(":", file);
    if (isfinite(high))
        fprintf(file, "%.10g]\n", high);
    else
        fputs("*]\n", file);
}

/* Largest |z| of a diverging layer, so that 0 is white. */
static double extent(const sf_layer *layer)
{
    double high = 0.0;
    for (size_t i = 0; i < layer->nx * layer->ny; i++)
        if (isfinite(layer->u[i]) && fabs(layer->u[i]) > high)
            high = fabs(layer->u[i]);
    return high > 0.0 ? high : 1.0;
}

static void write_palette(FILE *file, const sf_layer *layer, const sf_axes *axes, const sf_look *look)
{
    if (look->log_color)
        fputs("set logscale cb; set format cb T('10^{%L}', '$10^{%L}$')\n", file);
    switch (layer->palette) {
    case SF_PALETTE_SEQUENTIAL:
        fputs(
            "set palette defined (0 '#00224e', 0.25 '#414d6b', 0.5 '#7c7b78', 0.75 '#b9a86c', 1 '#fde945')\n",
            file);
        if (axes->z_min == 0.0 && axes->z_max == 0.0)
            write_range(file, "cb", NAN, NAN);
        else
            write_range(file, "cb", axes->z_min, axes->z_max);
        break;
    case SF_PALETTE_DIVERGING:
        fputs("set palette defined (-1 '#0072b2', 0 '#ffffff', 1 '#d55e00')\n", file);
        write_range(file, "cb", look->color.set ? look->color.low : -extent(layer),
                    look->color.set ? look->color.high : extent(layer));
        break;
    case SF_PALETTE_CLASSES:
        fputs("set palette defined (", file);
        for (size_t i = 0; i < CLASSES; i++)
            fprintf(file, "%s%zu '%s'", i ? ", " : "", i, class_fill[i]);
        fprintf(file, ")\nset cbrange [0:%d]\n", CLASSES - 1);
        break;
    }
    if (layer->title && layer->palette != SF_PALETTE_CLASSES) {
        fputs("set colorbox\nset rmargin 11\n", file); // gnuplot leaves too little for the label
        set_text(file, "cblabel offset character 1.5,0", layer->title,
                 look); // clear of the numbers beside the bar
    }
}

static void change_axis(bool logarithmic, const sf_limits *limits, sf_scale *scale, double *low, double *high)
{
    if (logarithmic)
        *scale = SF_SCALE_LOG;
    if (limits->set) {
        *low = limits->low;
        *high = limits->high;
    }
    if (*scale == SF_SCALE_LOG && *low <= 0.0)
        *low = NAN;
}

/* Images are drawn whole, also beyond their axes: widens the ranges to the edges of their cells. */
static sf_axes axes_of(const sf_panel *panel, const sf_look *look)
{
    sf_axes axes = panel->axes;
    if (look->x_label)
        axes.x_label = look->x_label;
    if (look->y_label)
        axes.y_label = look->y_label;
    change_axis(look->log_x, &look->x, &axes.x_scale, &axes.x_min, &axes.x_max);
    change_axis(look->log_y, &look->y, &axes.y_scale, &axes.y_min, &axes.y_max);
    if (look->color.set) {
        axes.z_min = look->color.low;
        axes.z_max = look->color.high;
    }
    for (size_t i = 0; i < panel->layer_count; i++) {
        const sf_layer *layer = &panel->layers[i];
        double left, right, low, high, inner;
        if (!sf_plot_is_pixels(layer))
            continue;
        size_t first, end;
        window_of(layer->x, layer->nx, &look->x, &first, &end);
        edges(layer->x, layer->nx, first, axes.x_scale, &left, &inner);
        edges(layer->x, layer->nx, end - 1, axes.x_scale, &inner, &right);
        window_of(layer->y, layer->ny, &look->y, &first, &end);
        edges(layer->y, layer->ny, first, axes.y_scale, &low, &inner);
        edges(layer->y, layer->ny, end - 1, axes.y_scale, &inner, &high);
        axes.x_min = fmin(axes.x_min, left); // fmin and fmax pass over NaN
        axes.x_max = fmax(axes.x_max, right);
        axes.y_min = fmin(axes.y_min, low);
        axes.y_max = fmax(axes.y_max, high);
    }
    return axes;
}

/* The second axes carry images: the same range, linear in what the first are linear or logarithmic in. */
static void write_image_ranges(FILE *file, const sf_axes *axes)
{
    fprintf(file, "set x2range [%.10g:%.10g]\n", on_axis(axes->x_min, axes->x_scale),
            on_axis(axes->x_max, axes->x_scale));
    fprintf(file, "set y2range [%.10g:%.10g]\n", on_axis(axes->y_min, axes->y_scale),
            on_axis(axes->y_max, axes->y_scale));
}

static void write_guide(FILE *file, const sf_layer *guide, const sf_look *look)
{
    fprintf(file,
            "set arrow from first %.10g, graph 0 to first %.10g, graph 1 nohead lc rgb '#%06x' lw 1 dt 3\n",
            guide->x[0], guide->x[0], sf_look_color(look, 0x595959));
    if (!guide->title)
        return;
    fputs("set label ", file);
    sf_look_write_text(file, guide->title);
    fprintf(
        file,
        " at first %.10g, graph 0.03 rotate by 90 left offset character 0.7,0 tc rgb '#%06x' font small\n",
        guide->x[0], sf_look_color(look, 0x404040));
}

static void write_steps(FILE *file, const char *axis, double step)
{
    if (step > 0.0)
        fprintf(file, "set %stics %.10g\n", axis, step);
    else
        fprintf(file, "set %stics autofreq\n", axis);
}

static void write_axes(FILE *file, const sf_panel *panel, const sf_look *look)
{
    const sf_axes axes = axes_of(panel, look);
    fprintf(
        file,
        "\nunset title; unset xlabel; unset ylabel; unset cblabel; unset colorbox; unset logscale\n"
        "unset arrow; unset label; set size noratio; set border 3 lc rgb '#%06x'; set tics nomirror out tc rgb '#%06x'\n"
        "set format '%%g'\n",
        sf_look_color(look, 0x404040), sf_look_color(look, 0x000000));
    if (!axes.no_axes)
        fputs("set rmargin -1\n", file);
    set_text(file, "title", axes.title, look);
    set_text(file, "xlabel", axes.x_label, look);
    set_text(file, "ylabel", axes.y_label, look);
    bool below = is_below(axes.key); // then label and legend keep a distance
    fprintf(file, "set xlabel offset 0,%s\n", below ? "0.4" : "0");
    if (axes.x_scale == SF_SCALE_LOG)
        fputs("set logscale x; set format x T('10^{%L}', '$10^{%L}$')\n", file);
    if (axes.y_scale == SF_SCALE_LOG)
        fputs("set logscale y; set format y T('10^{%L}', '$10^{%L}$')\n", file);
    write_range(file, "x", axes.x_min, axes.x_max);
    write_range(file, "y", axes.y_min, axes.y_max);
    write_steps(file, "x", axes.x_step);
    write_steps(file, "y", axes.y_step);
    if (axes.equal)
        fputs("set size ratio -1\n", file);
    if (axes.no_axes)
        fputs("set border 15 lc rgb '#c8c8c8'; unset tics\n", file);
    if (axes.key && strcmp(axes.key, "off") == 0)
        fputs("unset key\n", file);
    else
        fprintf(file, "set key %s Left reverse samplen 2.5 spacing 1.15 height %s tc rgb '#%06x'\n",
                axes.key ? axes.key : "top right", below ? "0.7" : "0", sf_look_color(look, 0x000000));
    for (size_t i = 0; i < panel->layer_count; i++) {
        const sf_layer *layer = &panel->layers[i];
        if (layer->kind == SF_LAYER_CELLS)
            write_palette(file, layer, &axes, look);
        if (sf_plot_is_pixels(layer))
            write_image_ranges(file, &axes);
        if (layer->kind == SF_LAYER_GUIDE)
            write_guide(file, layer, look);
    }
}

static void write_style(FILE *file, const sf_layer *layer, const sf_look *look)
{
    static const int point_type[] = {7, 6, 5, 9, 2, 13};
    static const char *const dash_type[] = {"solid", "(7,4)", "(2,3)", "(9,3,2,3)"};
    const sf_style *style = &layer->style;
    unsigned color = sf_look_color(look, (unsigned)style->color & 0xffffffU);
    double width = style->width > 0.0 ? style->width : 2.0;
    if (layer->kind == SF_LAYER_VECTORS) {
        fprintf(file, "using 1:2:3:4 with vectors head filled size graph 0.014,22 lw 1 lc rgb '#%06x'",
                color);
        return;
    }
    if (layer->kind == SF_LAYER_BAND) {
        fprintf(file, "using 1:2:3 with filledcurves fs transparent solid 0.2 noborder lc rgb '#%06x'",
                color);
        return;
    }
    fputs("using 1:2 with ", file);
    if (style->mark == SF_MARK_LINE)
        fprintf(file, "lines lw %g dt %s", width, dash_type[style->dash & 3]);
    else if (style->mark == SF_MARK_POINTS)
        fprintf(file, "points pt %d ps 0.8", point_type[(size_t)style->point % 6]);
    else
        fprintf(file, "linespoints lw %g dt %s pt %d ps 0.7", width, dash_type[style->dash & 3],
                point_type[(size_t)style->point % 6]);
    fprintf(file, " lc rgb '#%06x'", color);
}

static void write_panel(FILE *file, const sf_panel *panel, const sf_look *look, size_t first)
{
    write_axes(file, panel, look);
    bool empty = true;
    for (size_t i = 0; i < panel->layer_count; i++) {
        const sf_layer *layer = &panel->layers[i];
        if (layer->kind == SF_LAYER_GUIDE)
            continue;
        fprintf(file, "%sdata index %zu ", empty ? "plot " : ", \\\n     ", first + i);
        empty = false;
        if (sf_plot_is_pixels(layer)) {
            fputs("using 1:2:3 axes x2y2 with image notitle", file);
            continue;
        }
        if (layer->kind == SF_LAYER_CELLS) {
            fputs("using 1:2:3:4:5:6:7 with boxxyerror lc palette lw 0.3 fs solid border notitle", file);
            continue;
        }
        write_style(file, layer, look);
        if (layer->title) {
            fputs(" title ", file);
            sf_look_write_text(file, layer->title);
        } else {
            fputs(" notitle", file);
        }
    }
    for (size_t i = 0; i < panel->class_count; i++) {
        if (!panel->classes[i] || !*panel->classes[i])
            continue;
        fprintf(file, "%skeyentry with boxes fs solid noborder lc rgb '%s' title ",
                empty ? "plot " : ", \\\n     ", class_fill[i % CLASSES]);
        empty = false;
        sf_look_write_text(file, panel->classes[i]);
    }
    fputs(empty ? "set multiplot next\n" : "\n", file);
}

static void write_script(FILE *file, const sf_figure *figure, const sf_look *look)
{
    int width, height;
    sf_plot_size(figure, &width, &height);
    const char *name = sf_figure_name(figure);
    // three panels side by side are shrunk on a page
    int font = sf_figure_columns(figure) > 2 && !is_image(figure) ? 14 : 12;
    fprintf(file,
            "# %s\n# Drawn by samflow; to draw it again: gnuplot -e \"ending='svg'\" %s.gp\n"
            "if (!exists('ending')) ending = 'svg'\n"
            "T(plain, latex) = ending eq 'tex' ? latex : plain\n"
            "folder = ARG0[1:strlen(ARG0)-strlen('%s.gp')]\n",
            sf_figure_caption(figure), name, name);
    sf_look_write_terminals(file, look, (int)sf_figure_columns(figure), width, height, font);
    fprintf(file,
            "set encoding utf8\nset output folder.'%s.'.ending\ndata = folder.'%s.dat'\n"
            "set style fill solid noborder\n%sset multiplot layout %zu,%zu",
            name, name,
            is_image(figure) ? "set lmargin 1; set rmargin 1; set tmargin 2; set bmargin 0.5\n" : "",
            rows_of(figure), sf_figure_columns(figure));
    if (look->title && *look->title) {
        fputs(" title ", file);
        sf_look_write_text(file, look->title);
    }
    putc('\n', file);
    size_t first = 0;
    for (size_t p = 0; p < sf_figure_panels(figure); p++) {
        sf_panel panel = sf_figure_get_panel(figure, p);
        write_panel(file, &panel, look, first);
        first += panel.layer_count;
    }
    fputs("unset multiplot\nunset output\n", file);
}

static sf_status write_file(sf_context *context, const sf_figure *figure, const sf_look *look,
                            const char *directory, const char *ending,
                            void (*write)(FILE *, const sf_figure *, const sf_look *))
{
    char *path = sf_plot_path(context, directory, sf_figure_name(figure), ending);
    if (!path)
        return SF_ERR_MEMORY;
    sf_status status = SF_OK;
    FILE *file = fopen(path, "w");
    if (file) {
        write(file, figure, look);
        bool failed = ferror(file) != 0;
        if (fclose(file) != 0 || failed)
            status = sf_fail(context, SF_ERR_IO, "%s: writing failed", path);
    } else {
        status = sf_fail(context, SF_ERR_IO, "%s: cannot be created", path);
    }
    sf_free(context, path);
    return status;
}

sf_status sf_plot_write(sf_context *context, const sf_figure *figure, const sf_look *look,
                        const char *directory)
{
    SF_TRY(write_file(context, figure, look, directory, ".dat", write_data));
    return write_file(context, figure, look, directory, ".gp", write_script);
}
