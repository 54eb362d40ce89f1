/* Rows become cells of the lattice of the distinct x and y. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/map.h"

enum { MOST_LEVELS = 8192 };

bool sf_map_differs(const map_row *r)
{
    return isfinite(r->x) && isfinite(r->y) && !isnan(r->value) && r->predicted != MAP_NONE &&
           r->value != r->predicted;
}

/* ---- levels ----------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The distinct values of x or y, sorted, into values; returns how many. */
static size_t levels_of(const sf_plot_map *m, bool of_y, double *values)
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

sf_scale sf_map_scale(const double *values, size_t count)
{
    if (count < 3 || values[0] <= 0.0)
        return SF_SCALE_LINEAR;
    double first = values[1] - values[0], last = values[count - 1] - values[count - 2];
    return last > 1.5 * first ? SF_SCALE_LOG : SF_SCALE_LINEAR;
}

/* The finest lattice of a refined grid: as many equal steps as the values as written have, halved at every level. */
static sf_status fill_lattice(const sf_plot_map *m, const char *column, double **values, size_t *count)
{
    int levels = sf_store_levels(m->store);
    for (size_t i = 0; i < sf_store_axes(m->store) && levels > 0; i++) {
        const sf_store_axis *axis = sf_store_get_axis(m->store, i);
        if (strcmp(axis->name, column) != 0 || axis->count < 2 ||
            axis->count > (size_t)(MOST_LEVELS >> levels))
            continue;
        size_t steps = (axis->count - 1) << levels;
        double *lattice = SF_ARRAY(m->context, steps + 1, double);
        double first = (*values)[0], last = (*values)[*count - 1];
        if (!lattice)
            return SF_ERR_MEMORY;
        bool ratios = first > 0.0 && axis->count > 2 &&
                      fabs(log(axis->values[1].real / axis->values[0].real) -
                           log(axis->values[2].real / axis->values[1].real)) < 1e-6;
        for (size_t k = 0; k <= steps; k++) {
            double share = (double)k / (double)steps;
            lattice[k] = ratios ? first * pow(last / first, share) : first + (last - first) * share;
        }
        sf_free(m->context, *values);
        *values = lattice;
        *count = steps + 1;
        return SF_OK;
    }
    return SF_OK;
}

/* ---- cells ------------------------------------------------------------------------------------------------ */

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

static size_t cell_of(const sf_plot_map *m, const map_row *r)
{
    return place_of(m->y, m->ny, r->y) * m->nx + place_of(m->x, m->nx, r->x);
}

/* Cells of a refined grid that were not computed lie among equal ones: they take the value of a neighbour, nearest
 * first. */
static sf_status fill_gaps(const sf_plot_map *m, double *cells, double missing)
{
    size_t all = m->nx * m->ny, done = 0, known = 0;
    size_t *queue = SF_ARRAY(m->context, all, size_t);
    if (!queue)
        return SF_ERR_MEMORY;
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
    sf_free(m->context, queue);
    return SF_OK;
}

/* Two rows for one cell: a setting varies that is neither x nor y. */
static sf_status ambiguous(const sf_plot_map *m, const map_row *r)
{
    char others[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < sf_store_axes(m->store) && used < sizeof others; i++) {
        const char *name = sf_store_get_axis(m->store, i)->name;
        if (strcmp(name, m->options->x) != 0 && strcmp(name, m->options->y) != 0)
            used += (size_t)snprintf(others + used, sizeof others - used, "%s%s", used ? ", " : "", name);
    }
    return sf_fail(
        m->context, SF_ERR_USAGE,
        "several rows have %s = %g and %s = %g; expected --where COLUMN=VALUE to choose among those of: "
        "%s",
        m->options->x, r->x, m->options->y, r->y, *others ? others : "the other settings");
}

/* Every row into its cell. taken: (cells) of zeros. */
static sf_status place_rows(sf_plot_map *m, unsigned char *taken)
{
    for (size_t i = 0; i < m->count; i++) {
        const map_row *r = &m->rows[i];
        if (!isfinite(r->x) || !isfinite(r->y))
            continue;
        size_t at = cell_of(m, r);
        if (taken[at])
            return ambiguous(m, r);
        taken[at] = 1;
        m->cells[at] = r->value;
        m->predicted[at] = r->predicted;
        m->compared += !isnan(r->value) && r->predicted != MAP_NONE;
        m->differing += sf_map_differs(r);
    }
    return SF_OK;
}

static sf_status find_levels(sf_plot_map *m)
{
    m->x = SF_ARRAY(m->context, m->count, double);
    m->y = SF_ARRAY(m->context, m->count, double);
    if (!m->x || !m->y)
        return SF_ERR_MEMORY;
    m->nx = levels_of(m, false, m->x);
    m->ny = levels_of(m, true, m->y);
    if (m->nx < 2 || m->ny < 2)
        return sf_fail(m->context, SF_ERR_USAGE,
                       "'%s' takes %zu values and '%s' %zu%s, expected numbers, at least 2 each",
                       m->options->x, m->nx, m->options->y, m->ny, m->options->where ? " under --where" : "");
    SF_TRY(fill_lattice(m, m->options->x, &m->x, &m->nx));
    return fill_lattice(m, m->options->y, &m->y, &m->ny);
}

sf_status sf_map_fill_cells(sf_plot_map *m)
{
    SF_TRY(find_levels(m));
    size_t all = m->nx * m->ny;
    m->cells = SF_ARRAY(m->context, all, double);
    m->predicted = SF_ARRAY(m->context, all, double);
    unsigned char *taken = sf_alloc_zero(m->context, all, 1);
    sf_status status = taken && m->cells && m->predicted ? SF_OK : SF_ERR_MEMORY;
    for (size_t i = 0; i < all && status == SF_OK; i++) {
        m->cells[i] = NAN;
        m->predicted[i] = MAP_NONE;
    }
    if (status == SF_OK)
        status = place_rows(m, taken);
    sf_free(m->context, taken);
    if (status != SF_OK || sf_store_levels(m->store) == 0)
        return status;
    SF_TRY(fill_gaps(m, m->cells, NAN));
    return fill_gaps(m, m->predicted, MAP_NONE);
}
