/* Theory's boundary on a map: a curve where there is a formula for it (the critical scale of l2-SAM at depth 2 on one
 * example, against the scale of the start), else along the edges of cells. */
#include <math.h>
#include <samflow/theory.h>
#include <stdlib.h>
#include <string.h>

#include "report/map.h"

enum { LINE = 320 };

typedef struct threshold {
    double collapse, major;
} threshold;

/* The setting of an axis; NULL if the column is none. */
static const char *axis_key(const sf_plot_map *m, const char *column)
{
    for (size_t i = 0; i < sf_store_axes(m->store); i++)
        if (strcmp(sf_store_get_axis(m->store, i)->name, column) == 0)
            return sf_store_get_axis(m->store, i)->key;
    return NULL;
}

static const char *key_of(const sf_plot_map *m, const char *column)
{
    const char *key = axis_key(m, column);
    return key ? key : column;
}

/* The experiment of the rows where the setting `key` has this value, with a start of scale 1; of an item of the example
 * (*item, else SIZE_MAX) it has the value of the file. NULL if it is refused. */
static sf_status experiment_at(const sf_plot_map *m, const char *key, double value, size_t *item,
                               sf_experiment **out)
{
    char setting[MAP_CONDITIONS + 1][LINE];
    const char *overrides[MAP_CONDITIONS + 2] = {"network.init=1"};
    size_t count = 1;
    *item = SIZE_MAX;
    if (strncmp(key, "data.example[", 13) == 0)
        *item = strtoul(key + 13, NULL, 10);
    else
        snprintf(setting[0], LINE, "%s=%.17g", key, value);
    if (*item == SIZE_MAX)
        overrides[count++] = setting[0];
    *out = NULL;
    for (size_t i = 0; i < m->condition_count; i++) {
        const char *fixed = axis_key(m, m->conditions[i].column);
        if (!fixed)
            continue;
        if (strchr(fixed, '['))
            return SF_OK; // an item of a list is no override
        snprintf(setting[i + 1], LINE, "%s=%s", fixed, m->conditions[i].value);
        overrides[count++] = setting[i + 1];
    }
    sf_status status =
        sf_experiment_parse(m->context, "result file", sf_store_experiment(m->store), count, overrides, out);
    return status == SF_ERR_MEMORY ? status : SF_OK;
}

/* The scales of the start below which the flow collapses, and above which the major feature leads from the start:
 * rho alpha_c(mu, 1) and rho (mu_{d-1} + mu_d) / (sqrt(2) ||mu||). *known is false if theory has none. work: (2, d). */
static sf_status thresholds_of(sf_context *context, const sf_experiment *experiment, size_t item,
                               double value, double *work, threshold *t, bool *known)
{
    const sf_dataset *data = sf_experiment_dataset(experiment);
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    size_t d = sf_dataset_features(data);
    double *mu = work, *ones = work + d, square = 0.0, first = 0.0, second = 0.0;
    *known = d > 1 && perturbation.method == SF_METHOD_L2 && perturbation.rho > 0.0 &&
             sf_network_depth(sf_experiment_network(experiment)) == 2 && sf_dataset_examples(data) == 1 &&
             (item == SIZE_MAX || (item < d && !sf_dataset_mirrored(data)));
    if (!*known)
        return SF_OK;
    sf_dataset_example(data, 0, mu);
    if (item != SIZE_MAX)
        mu[item] = value;
    for (size_t j = 0; j < d; j++) {
        ones[j] = 1.0;
        square += mu[j] * mu[j];
        *known = *known && mu[j] > 0.0;
        second = fmax(second, fmin(mu[j], first));
        first = fmax(first, mu[j]);
    }
    t->major = perturbation.rho * (first + second) / sqrt(2.0 * square);
    sf_status status =
        *known ? sf_critical_factor(context, d, mu, ones, ones, perturbation.rho, &t->collapse) : SF_OK;
    *known = *known && status == SF_OK;
    return status == SF_ERR_MEMORY ? status : SF_OK;
}

static sf_status thresholds_at(const sf_plot_map *m, const char *key, double value, threshold *t, bool *known)
{
    size_t item;
    sf_experiment *experiment;
    *known = false;
    SF_TRY(experiment_at(m, key, value, &item, &experiment));
    if (!experiment)
        return SF_OK;
    size_t d = sf_dataset_features(sf_experiment_dataset(experiment));
    double *work = SF_ARRAY(m->context, 2 * d, double);
    sf_status status =
        work ? thresholds_of(m->context, experiment, item, value, work, t, known) : SF_ERR_MEMORY;
    sf_free(m->context, work);
    sf_experiment_destroy(&experiment);
    return status;
}

/* Curves over the map, where one axis is the scale of the start; *drawn: theory has them. */
static sf_status draw_curves(const sf_plot_map *m, sf_style style, sf_figure *figure, bool *drawn)
{
    bool upright = strcmp(key_of(m, m->options->y), "network.init") == 0;
    bool lying = strcmp(key_of(m, m->options->x), "network.init") == 0;
    *drawn = upright != lying;
    if (!*drawn)
        return SF_OK;
    const double *along = upright ? m->x : m->y;
    size_t count = upright ? m->nx : m->ny;
    double *collapse = SF_ARRAY(m->context, count, double), *major = SF_ARRAY(m->context, count, double);
    const char *key = key_of(m, upright ? m->options->x : m->options->y);
    sf_status status = collapse && major ? SF_OK : SF_ERR_MEMORY;
    for (size_t i = 0; i < count && *drawn && status == SF_OK; i++) {
        threshold t = {NAN, NAN};
        status = thresholds_at(m, key, along[i], &t, drawn);
        collapse[i] = t.collapse;
        major[i] = t.major;
    }
    if (*drawn && status == SF_OK) {
        sf_figure_series(figure, "boundary by theory", style, count, upright ? along : collapse,
                         upright ? collapse : along);
        if (strcmp(m->options->color, "limit_kind") != 0) // on both sides of it the limit is the same
            sf_figure_series(figure, NULL, style, count, upright ? along : major, upright ? major : along);
    }
    sf_free(m->context, collapse);
    sf_free(m->context, major);
    return status;
}

/* Where cell i ends towards cell i + 1. */
static double edge(const double *values, size_t count, sf_scale scale, size_t i)
{
    if (i + 1 >= count)
        return values[count - 1];
    return scale == SF_SCALE_LOG ? sqrt(values[i] * values[i + 1]) : 0.5 * (values[i] + values[i + 1]);
}

/* Along the edges between cells for which theory says different things; 3 numbers a piece. */
static sf_status draw_edges(const sf_plot_map *m, sf_style style, sf_figure *figure)
{
    sf_scale xs = sf_map_scale(m->x, m->nx), ys = sf_map_scale(m->y, m->ny);
    size_t most = 6 * m->nx * m->ny, n = 0;
    double *x = SF_ARRAY(m->context, most, double), *y = SF_ARRAY(m->context, most, double);
    for (size_t i = 0; x && y && i < m->nx * m->ny; i++) {
        size_t column = i % m->nx, line = i / m->nx;
        double here = m->predicted[i];
        double left = column > 0 ? edge(m->x, m->nx, xs, column - 1) : m->x[0],
               right = edge(m->x, m->nx, xs, column);
        double low = line > 0 ? edge(m->y, m->ny, ys, line - 1) : m->y[0], high = edge(m->y, m->ny, ys, line);
        if (column + 1 < m->nx && here != MAP_NONE && m->predicted[i + 1] != MAP_NONE &&
            m->predicted[i + 1] != here) {
            const double xx[3] = {right, right, NAN}, yy[3] = {low, high, NAN};
            memcpy(x + n, xx, sizeof xx);
            memcpy(y + n, yy, sizeof yy);
            n += 3;
        }
        if (line + 1 < m->ny && here != MAP_NONE && m->predicted[i + m->nx] != MAP_NONE &&
            m->predicted[i + m->nx] != here) {
            const double xx[3] = {left, right, NAN}, yy[3] = {high, high, NAN};
            memcpy(x + n, xx, sizeof xx);
            memcpy(y + n, yy, sizeof yy);
            n += 3;
        }
    }
    if (n > 0)
        sf_figure_series(figure, "boundary by theory", style, n, x, y);
    sf_status status = x && y ? SF_OK : SF_ERR_MEMORY;
    sf_free(m->context, x);
    sf_free(m->context, y);
    return status;
}

sf_status sf_map_draw_boundary(const sf_plot_map *m, sf_figure *figure)
{
    const sf_style style = {.color = SF_COLOR_THEORY, .dash = 1};
    bool drawn;
    SF_TRY(draw_curves(m, style, figure, &drawn));
    return drawn || !m->prediction ? SF_OK : draw_edges(m, style, figure);
}
