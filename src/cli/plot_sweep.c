/* The figure of a sweep (plot_sweep.h).
 *
 * Rows become cells of the lattice of the distinct x and y. What theory predicts comes with the rows, from the file or
 * found by the store. Its boundary is drawn as a curve where there is a formula for it (the critical scale of l2-SAM at
 * depth 2 on one example, against the scale of the start), else along the edges of cells.
 */
#include "cli/plot_sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 6, TEXT = 64, LINE = 320, MOST_CONDITIONS = 8, MOST_LINES = 12, MOST_LEVELS = 8192 };

static const double none = -1.0; // no class

typedef struct condition {
    char column[TEXT], value[TEXT];
} condition;

typedef struct row {
    double x, y, value, predicted; // value: a number, or the class of a text; predicted: a class or none
} row;

typedef struct sweep_map {
    sf_cli *cli;
    const sf_plot_map *options;
    sf_store *store;
    const char *prediction; // column that theory fills for the colour; NULL: it says nothing about it
    condition conditions[MOST_CONDITIONS];
    size_t condition_count;
    row *rows;
    size_t count, room;
    size_t class_count;
    char classes[MOST_CLASSES][TEXT];
    bool seen[MOST_CLASSES];
    double *x, *y; // levels
    size_t nx, ny;
    double *cells, *predicted; // (ny, nx)
    size_t compared, differing;
} sweep_map;

static double *new_numbers(size_t count)
{
    return calloc(count ? count : 1, sizeof(double));
}

/* Text as it stands: without the marks of formulas that labels understand. */
static const char *plain(const char *text, char *buffer, size_t size)
{
    size_t used = 0;
    for (; *text && used + 2 < size; text++) {
        if (strchr("_^{}@&~", *text))
            buffer[used++] = '\\';
        buffer[used++] = *text;
    }
    buffer[used] = '\0';
    return buffer;
}

static int out_of_memory(void)
{
    fprintf(stderr, "samflow: out of memory\n");
    return 1;
}

/* ---- rows ------------------------------------------------------------------------------------------------- */

/* "a=1,b=gd" into conditions. */
static bool read_conditions(sweep_map *m)
{
    for (const char *at = m->options->where; at && *at;) {
        size_t length = strcspn(at, ","), name = strcspn(at, "=");
        if (m->condition_count == MOST_CONDITIONS || name == 0 || name >= length || name >= TEXT ||
            length - name > TEXT)
            return false;
        condition *c = &m->conditions[m->condition_count++];
        snprintf(c->column, TEXT, "%.*s", (int)name, at);
        snprintf(c->value, TEXT, "%.*s", (int)(length - name - 1), at + name + 1);
        at += length + (at[length] == ',');
    }
    return true;
}

static bool holds(const condition *c, const sf_cell *cell)
{
    if (cell->kind == SF_CELL_TEXT)
        return strcmp(cell->text, c->value) == 0;
    char *end;
    double wanted = strtod(c->value, &end);
    return cell->kind != SF_CELL_NULL && *end == '\0' && cell->real == wanted;
}

static bool class_of(sweep_map *m, const char *text, double *number)
{
    size_t i = 0;
    while (i < m->class_count && strcmp(m->classes[i], text) != 0)
        i++;
    if (i == MOST_CLASSES)
        return false;
    if (i == m->class_count)
        snprintf(m->classes[m->class_count++], TEXT, "%s", text);
    m->seen[i] = true;
    *number = (double)i;
    return true;
}

/* Regimes have the same colours in every map. */
static void reserve_classes(sweep_map *m)
{
    double number;
    const sf_regime order[] = {SF_REGIME_COLLAPSE, SF_REGIME_MINOR_FIRST, SF_REGIME_MAJOR_FIRST};
    for (size_t i = 0; i < 3 && strcmp(m->options->color, "regime") == 0; i++) {
        class_of(m, sf_regime_name(order[i]), &number);
        m->seen[i] = false;
    }
}

static double number_of(const sf_cell *cell)
{
    return cell->kind == SF_CELL_TEXT || cell->kind == SF_CELL_NULL ? NAN : cell->real;
}

/* 0, or the exit code. cells: x, y, colour, [prediction], conditions. */
static int add_row(sweep_map *m, const sf_cell *cells)
{
    size_t first = m->prediction ? 4 : 3;
    for (size_t i = 0; i < m->condition_count; i++)
        if (!holds(&m->conditions[i], &cells[first + i]))
            return 0;
    if (m->count == m->room) {
        size_t room = m->room ? 2 * m->room : 256;
        row *rows = realloc(m->rows, room * sizeof *rows);
        if (!rows)
            return out_of_memory();
        m->rows = rows;
        m->room = room;
    }
    row *r = &m->rows[m->count++];
    *r = (row){number_of(&cells[0]), number_of(&cells[1]), number_of(&cells[2]), none};
    bool fits = cells[2].kind != SF_CELL_TEXT || class_of(m, cells[2].text, &r->value);
    if (fits && m->prediction && cells[3].kind == SF_CELL_TEXT)
        fits = class_of(m, cells[3].text, &r->predicted);
    return fits ? 0
                : sf_cli_usage(m->cli, "plot", "'%s' takes more than %d texts, expected numbers or fewer",
                               m->options->color, MOST_CLASSES);
}

static int read_rows(sweep_map *m)
{
    const char *columns[4 + MOST_CONDITIONS] = {m->options->x, m->options->y, m->options->color};
    size_t count = 3;
    m->prediction = strcmp(m->options->color, "regime") == 0       ? "predicted_regime"
                    : strcmp(m->options->color, "limit_kind") == 0 ? "predicted_limit_kind"
                                                                   : NULL;
    if (m->prediction)
        columns[count++] = m->prediction;
    for (size_t i = 0; i < m->condition_count; i++)
        columns[count++] = m->conditions[i].column;
    reserve_classes(m);
    sf_cursor *cursor = NULL;
    sf_status status = sf_store_select(m->store, count, columns, &cursor);
    bool more = status == SF_OK;
    int code = 0;
    while (more && code == 0) {
        sf_cell cells[4 + MOST_CONDITIONS];
        status = sf_cursor_next(cursor, cells, &more);
        more = more && status == SF_OK;
        if (more)
            code = add_row(m, cells);
    }
    sf_cursor_close(&cursor);
    return status == SF_OK ? code : sf_cli_fail(m->cli, status);
}

/* ---- cells ------------------------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The distinct values of x or y, sorted, into values; returns how many. */
static size_t levels_of(const sweep_map *m, bool of_y, double *values)
{
    size_t count = 0, distinct = 0;
    for (size_t i = 0; i < m->count; i++) {
        double value = of_y ? m->rows[i].y : m->rows[i].x;
        if (isfinite(value))
            values[count++] = value;
    }
    qsort(values, count, sizeof *values, ascending);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || values[i] != values[distinct - 1])
            values[distinct++] = values[i];
    return distinct;
}

/* Even in ratios rather than in differences: a logarithmic axis. */
static sf_scale scale_of(const double *values, size_t count)
{
    if (count < 3 || values[0] <= 0.0)
        return SF_SCALE_LINEAR;
    double first = values[1] - values[0], last = values[count - 1] - values[count - 2];
    return last > 1.5 * first ? SF_SCALE_LOG : SF_SCALE_LINEAR;
}

/* The finest lattice of a refined grid: as many equal steps as the values as written have, halved at every level. */
static size_t fill_lattice(const sweep_map *m, const char *column, double **values, size_t count)
{
    int levels = sf_store_levels(m->store);
    for (size_t i = 0; i < sf_store_axes(m->store) && levels > 0; i++) {
        const sf_store_axis *axis = sf_store_get_axis(m->store, i);
        if (strcmp(axis->name, column) != 0 || axis->count < 2 ||
            axis->count > (size_t)(MOST_LEVELS >> levels))
            continue;
        size_t steps = (axis->count - 1) << levels;
        double *lattice = new_numbers(steps + 1), first = (*values)[0], last = (*values)[count - 1];
        if (!lattice)
            return count;
        bool ratios = first > 0.0 && axis->count > 2 &&
                      fabs(log(axis->values[1].real / axis->values[0].real) -
                           log(axis->values[2].real / axis->values[1].real)) < 1e-6;
        for (size_t k = 0; k <= steps; k++) {
            double share = (double)k / (double)steps;
            lattice[k] = ratios ? first * pow(last / first, share) : first + (last - first) * share;
        }
        free(*values);
        *values = lattice;
        return steps + 1;
    }
    return count;
}

/* The nearest of ascending values. */
static size_t place_of(const double *values, size_t count, double value)
{
    size_t low = 0, high = count - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (values[middle] <= value)
            low = middle;
        else
            high = middle;
    }
    return fabs(values[high] - value) < fabs(values[low] - value) ? high : low;
}

static size_t cell_of(const sweep_map *m, const row *r)
{
    return place_of(m->y, m->ny, r->y) * m->nx + place_of(m->x, m->nx, r->x);
}

/* Cells of a refined grid that were not computed lie among equal ones: they take the value of a neighbour, nearest
 * first. */
static bool fill_gaps(const sweep_map *m, double *cells, double missing)
{
    size_t all = m->nx * m->ny, done = 0, known = 0;
    size_t *queue = malloc(all * sizeof *queue);
    if (!queue)
        return false;
    for (size_t i = 0; i < all; i++)
        if (isnan(missing) ? !isnan(cells[i]) : cells[i] != missing)
            queue[known++] = i;
    while (done < known) {
        size_t i = queue[done++], x = i % m->nx, y = i / m->nx;
        const size_t next[4] = {x > 0 ? i - 1 : i, x + 1 < m->nx ? i + 1 : i, y > 0 ? i - m->nx : i,
                                y + 1 < m->ny ? i + m->nx : i};
        for (int k = 0; k < 4; k++)
            if (isnan(missing) ? isnan(cells[next[k]]) : cells[next[k]] == missing) {
                cells[next[k]] = cells[i];
                queue[known++] = next[k];
            }
    }
    free(queue);
    return true;
}

/* Two rows for one cell: a setting varies that is neither x nor y. */
static int ambiguous(const sweep_map *m, const row *r)
{
    char others[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < sf_store_axes(m->store) && used < sizeof others; i++) {
        const char *name = sf_store_get_axis(m->store, i)->name;
        if (strcmp(name, m->options->x) != 0 && strcmp(name, m->options->y) != 0)
            used += (size_t)snprintf(others + used, sizeof others - used, "%s%s", used ? ", " : "", name);
    }
    return sf_cli_usage(
        m->cli, "plot",
        "several rows have %s = %g and %s = %g; expected --where COLUMN=VALUE to choose among those of: "
        "%s",
        m->options->x, r->x, m->options->y, r->y, *others ? others : "the other settings");
}

static int fill_cells(sweep_map *m)
{
    size_t all = m->nx * m->ny;
    unsigned char *taken = calloc(all, 1);
    m->cells = new_numbers(all);
    m->predicted = new_numbers(all);
    if (!taken || !m->cells || !m->predicted) {
        free(taken);
        return out_of_memory();
    }
    for (size_t i = 0; i < all; i++) {
        m->cells[i] = NAN;
        m->predicted[i] = none;
    }
    int code = 0;
    for (size_t i = 0; i < m->count && code == 0; i++) {
        const row *r = &m->rows[i];
        if (!isfinite(r->x) || !isfinite(r->y))
            continue;
        size_t at = cell_of(m, r);
        if (taken[at])
            code = ambiguous(m, r);
        taken[at] = 1;
        m->cells[at] = r->value;
        m->predicted[at] = r->predicted;
        m->compared += !isnan(r->value) && r->predicted != none;
        m->differing += !isnan(r->value) && r->predicted != none && r->value != r->predicted;
    }
    free(taken);
    if (code == 0 && sf_store_levels(m->store) > 0 &&
        !(fill_gaps(m, m->cells, NAN) && fill_gaps(m, m->predicted, none)))
        code = out_of_memory();
    return code;
}

static bool differs(const row *r)
{
    return isfinite(r->x) && isfinite(r->y) && !isnan(r->value) && r->predicted != none &&
           r->value != r->predicted;
}

/* ---- theory's boundary -------------------------------------------------------------------------------------- */

static const char *key_of(const sweep_map *m, const char *column)
{
    for (size_t i = 0; i < sf_store_axes(m->store); i++)
        if (strcmp(sf_store_get_axis(m->store, i)->name, column) == 0)
            return sf_store_get_axis(m->store, i)->key;
    return column;
}

/* The scales of the start below which the flow collapses, and above which the major feature leads from the start,
 * where the setting `key` has this value. False if theory has none. */
static bool thresholds_at(const sweep_map *m, const char *key, double value, double *collapse, double *major)
{
    sf_context *context = m->cli->context;
    char setting[MOST_CONDITIONS + 1][LINE];
    const char *overrides[MOST_CONDITIONS + 2] = {"network.init=1"};
    size_t item = SIZE_MAX, count = 1;
    if (strncmp(key, "data.example[", 13) == 0)
        item = strtoul(key + 13, NULL, 10);
    else
        snprintf(setting[0], LINE, "%s=%.17g", key, value);
    if (item == SIZE_MAX)
        overrides[count++] = setting[0];
    for (size_t i = 0; i < m->condition_count; i++) {
        snprintf(setting[i + 1], LINE, "%s=%s", key_of(m, m->conditions[i].column), m->conditions[i].value);
        overrides[count++] = setting[i + 1];
    }
    sf_experiment *experiment;
    if (sf_experiment_parse(context, "result file", sf_store_experiment(m->store), item == SIZE_MAX ? 2 : 1,
                            overrides, &experiment) != SF_OK)
        return false;
    const sf_dataset *data = sf_experiment_dataset(experiment);
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    size_t d = sf_dataset_features(data);
    double *mu = new_numbers(d), *ones = new_numbers(d), square = 0.0, first = 0.0, second = 0.0;
    bool known = mu && ones && d > 1 && perturbation.method == SF_METHOD_L2 && perturbation.rho > 0.0 &&
                 sf_network_depth(sf_experiment_network(experiment)) == 2 && sf_dataset_examples(data) == 1 &&
                 (item == SIZE_MAX || (item < d && !sf_dataset_mirrored(data)));
    if (known) {
        sf_dataset_example(data, 0, mu);
        if (item != SIZE_MAX)
            mu[item] = value;
        for (size_t j = 0; j < d; j++) {
            ones[j] = 1.0;
            square += mu[j] * mu[j];
            known = known && mu[j] > 0.0;
            second = fmax(second, fmin(mu[j], first));
            first = fmax(first, mu[j]);
        }
    }
    known = known && sf_critical_factor(context, d, mu, ones, ones, perturbation.rho, collapse) == SF_OK;
    *major = perturbation.rho * (first + second) / sqrt(2.0 * square);
    free(mu);
    free(ones);
    sf_experiment_destroy(&experiment);
    return known;
}

/* Curves over the map, where one axis is the scale of the start. */
static bool draw_curves(const sweep_map *m, sf_style style, sf_figure *figure)
{
    bool upright = strcmp(key_of(m, m->options->y), "network.init") == 0;
    bool lying = strcmp(key_of(m, m->options->x), "network.init") == 0;
    if (upright == lying)
        return false;
    const double *along = upright ? m->x : m->y;
    size_t count = upright ? m->nx : m->ny;
    double *collapse = new_numbers(count), *major = new_numbers(count);
    const char *key = key_of(m, upright ? m->options->x : m->options->y);
    bool known = collapse && major;
    for (size_t i = 0; i < count && known; i++)
        known = thresholds_at(m, key, along[i], &collapse[i], &major[i]);
    if (known) {
        sf_figure_series(figure, "boundary by theory", style, count, upright ? along : collapse,
                         upright ? collapse : along);
        if (strcmp(m->options->color, "limit_kind") != 0) // on both sides of it the limit is the same
            sf_figure_series(figure, NULL, style, count, upright ? along : major, upright ? major : along);
    }
    free(collapse);
    free(major);
    return known;
}

/* Where cell i ends towards cell i + 1. */
static double edge(const double *values, size_t count, sf_scale scale, size_t i)
{
    if (i + 1 >= count)
        return values[count - 1];
    return scale == SF_SCALE_LOG ? sqrt(values[i] * values[i + 1]) : 0.5 * (values[i] + values[i + 1]);
}

/* Along the edges between cells for which theory says different things; 3 numbers a piece. */
static bool draw_edges(const sweep_map *m, sf_style style, sf_figure *figure)
{
    sf_scale xs = scale_of(m->x, m->nx), ys = scale_of(m->y, m->ny);
    size_t most = 6 * m->nx * m->ny, n = 0;
    double *x = new_numbers(most), *y = new_numbers(most);
    for (size_t i = 0; x && y && i < m->nx * m->ny; i++) {
        size_t column = i % m->nx, line = i / m->nx;
        double here = m->predicted[i];
        double left = column > 0 ? edge(m->x, m->nx, xs, column - 1) : m->x[0],
               right = edge(m->x, m->nx, xs, column);
        double low = line > 0 ? edge(m->y, m->ny, ys, line - 1) : m->y[0], high = edge(m->y, m->ny, ys, line);
        if (column + 1 < m->nx && here != none && m->predicted[i + 1] != none &&
            m->predicted[i + 1] != here) {
            const double xx[3] = {right, right, NAN}, yy[3] = {low, high, NAN};
            memcpy(x + n, xx, sizeof xx);
            memcpy(y + n, yy, sizeof yy);
            n += 3;
        }
        if (line + 1 < m->ny && here != none && m->predicted[i + m->nx] != none &&
            m->predicted[i + m->nx] != here) {
            const double xx[3] = {left, right, NAN}, yy[3] = {high, high, NAN};
            memcpy(x + n, xx, sizeof xx);
            memcpy(y + n, yy, sizeof yy);
            n += 3;
        }
    }
    if (n > 0)
        sf_figure_series(figure, "boundary by theory", style, n, x, y);
    bool good = x && y;
    free(x);
    free(y);
    return good;
}

static bool mark_differences(const sweep_map *m, sf_figure *figure)
{
    if (m->differing == 0)
        return true;
    double *x = new_numbers(m->differing), *y = new_numbers(m->differing);
    size_t n = 0;
    for (size_t i = 0; x && y && i < m->count; i++)
        if (differs(&m->rows[i])) {
            x[n] = m->rows[i].x;
            y[n++] = m->rows[i].y;
        }
    char title[TEXT];
    snprintf(title, sizeof title, "differs from theory (%zu)", m->differing);
    sf_figure_series(figure, title, (sf_style){.mark = SF_MARK_POINTS, .color = SF_COLOR_L2, .point = 4}, n,
                     x, y);
    bool good = x && y;
    free(x);
    free(y);
    return good;
}

/* ---- the figure --------------------------------------------------------------------------------------------- */

static void draw_cells(const sweep_map *m, sf_figure *figure)
{
    char x_label[TEXT], y_label[TEXT], color_label[TEXT], class_label[MOST_CLASSES][TEXT];
    const char *names[MOST_CLASSES];
    sf_figure_panel(figure, &(sf_axes){.x_label = plain(m->options->x, x_label, sizeof x_label),
                                       .y_label = plain(m->options->y, y_label, sizeof y_label),
                                       .x_scale = scale_of(m->x, m->nx),
                                       .y_scale = scale_of(m->y, m->ny),
                                       .x_min = m->x[0],
                                       .x_max = m->x[m->nx - 1],
                                       .y_min = m->y[0],
                                       .y_max = m->y[m->ny - 1],
                                       .key = "below"});
    sf_figure_cells(figure, m->class_count ? NULL : plain(m->options->color, color_label, sizeof color_label),
                    m->class_count ? SF_PALETTE_CLASSES : SF_PALETTE_SEQUENTIAL, m->nx, m->ny, m->x, m->y,
                    m->cells);
    for (size_t i = 0; i < m->class_count; i++)
        names[i] = m->seen[i] ? plain(m->classes[i], class_label[i], sizeof class_label[i]) : "";
    if (m->class_count)
        sf_figure_classes(figure, m->class_count, names);
}

static int draw_map(sweep_map *m, sf_figure *figure)
{
    const sf_style theory = {.color = SF_COLOR_THEORY, .dash = 1};
    m->x = new_numbers(m->count);
    m->y = new_numbers(m->count);
    if (!m->x || !m->y)
        return out_of_memory();
    m->nx = levels_of(m, false, m->x);
    m->ny = levels_of(m, true, m->y);
    if (m->nx < 2 || m->ny < 2)
        return sf_cli_usage(
            m->cli, "plot", "'%s' takes %zu values and '%s' %zu%s, expected numbers, at least 2 each",
            m->options->x, m->nx, m->options->y, m->ny, m->options->where ? " under --where" : "");
    m->nx = fill_lattice(m, m->options->x, &m->x, m->nx);
    m->ny = fill_lattice(m, m->options->y, &m->y, m->ny);
    int code = fill_cells(m);
    if (code != 0)
        return code;
    draw_cells(m, figure);
    bool good = draw_curves(m, theory, figure) || !m->prediction || draw_edges(m, theory, figure);
    return good && mark_differences(m, figure) ? 0 : out_of_memory();
}

/* ---- the differences ------------------------------------------------------------------------------------------ */

static const char *class_name(const sweep_map *m, double class)
{
    return class >= 0.0 && class < (double)m->class_count ? m->classes[(size_t) class] : "";
}

static int write_csv(const sweep_map *m)
{
    const char *path = m->options->differences;
    FILE *stream = fopen(path, "w");
    bool good = stream != NULL;
    if (good) {
        fprintf(stream, "\"%s\",\"%s\",%s,%s\n", m->options->x, m->options->y, m->options->color,
                m->prediction);
        for (size_t i = 0; i < m->count; i++)
            if (differs(&m->rows[i]))
                fprintf(stream, "%.17g,%.17g,%s,%s\n", m->rows[i].x, m->rows[i].y,
                        class_name(m, m->rows[i].value), class_name(m, m->rows[i].predicted));
        good = !ferror(stream);
        good = fclose(stream) == 0 && good;
    }
    if (good)
        return 0;
    fprintf(stderr, "samflow: '%s' cannot be written\n", path);
    return 1;
}

static void print_json(const sweep_map *m)
{
    sf_json json = sf_json_make(stdout, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_string(&json, "figure", m->cli->output);
    sf_json_integer(&json, "cells", (int64_t)m->count);
    sf_json_integer(&json, "compared", (int64_t)m->compared);
    sf_json_integer(&json, "differing", (int64_t)m->differing);
    sf_json_open_array(&json, "differences");
    for (size_t i = 0; i < m->count; i++)
        if (differs(&m->rows[i])) {
            sf_json_open_object(&json, NULL);
            sf_json_number(&json, m->options->x, m->rows[i].x);
            sf_json_number(&json, m->options->y, m->rows[i].y);
            sf_json_string(&json, m->options->color, class_name(m, m->rows[i].value));
            sf_json_string(&json, m->prediction, class_name(m, m->rows[i].predicted));
            sf_json_close_object(&json);
        }
    sf_json_close_array(&json);
    sf_json_close_object(&json);
    sf_json_finish(&json);
}

static void print_lines(const sweep_map *m)
{
    if (!m->prediction || m->cli->quiet)
        return;
    if (m->compared == 0) {
        fprintf(stderr, "samflow: theory has no %s for these settings; nothing to compare\n",
                m->options->color);
        return;
    }
    fprintf(stderr, "samflow: %zu of %zu cells differ from theory\n", m->differing, m->compared);
    size_t lines = 0;
    for (size_t i = 0; i < m->count && lines < MOST_LINES; i++)
        if (differs(&m->rows[i])) {
            fprintf(stderr, "  %s = %-12g %s = %-12g measured %s, theory %s\n", m->options->x, m->rows[i].x,
                    m->options->y, m->rows[i].y, class_name(m, m->rows[i].value),
                    class_name(m, m->rows[i].predicted));
            lines++;
        }
    if (m->differing > MOST_LINES)
        fprintf(stderr, "  and %zu more; --differences FILE.csv writes all\n", m->differing - MOST_LINES);
}

static int report(const sweep_map *m)
{
    if (m->options->differences && !m->prediction)
        return sf_cli_usage(m->cli, "plot",
                            "--differences needs --color regime or limit_kind, theory does not tell '%s'",
                            m->options->color);
    if (m->cli->json)
        print_json(m);
    else
        print_lines(m);
    return m->options->differences ? write_csv(m) : 0;
}

int sf_cli_plot_sweep(sf_cli *cli, const sf_plot_map *map, sf_figure *figure)
{
    sweep_map m = {.cli = cli, .options = map};
    if (!map->x || !map->y || !map->color)
        return sf_cli_usage(cli, "plot", "a sweep needs --x, --y and --color, each the name of a column");
    if (!read_conditions(&m))
        return sf_cli_usage(
            cli, "plot", "--where '%s', expected COLUMN=VALUE, or several with commas between", map->where);
    sf_status status = sf_store_open(cli->context, cli->file, &m.store);
    int code = status == SF_OK ? read_rows(&m) : sf_cli_fail(cli, status);
    if (code == 0)
        code = draw_map(&m, figure);
    if (code == 0)
        code = report(&m);
    sf_store_close(&m.store);
    free(m.rows);
    free(m.x);
    free(m.y);
    free(m.cells);
    free(m.predicted);
    return code;
}
