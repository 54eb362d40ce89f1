/* From a result file to the rows of a map, with what theory predicts of them: from the file, or found by the store. */
#include <math.h>
#include <samflow/verdict.h>
#include <stdlib.h>
#include <string.h>

#include "report/map.h"

/* "a=1,b=gd" into conditions. */
static bool read_conditions(sf_plot_map *m)
{
    for (const char *at = m->options->where; at && *at;) {
        size_t length = strcspn(at, ","), name = strcspn(at, "=");
        if (m->condition_count == MAP_CONDITIONS || name == 0 || name >= length || name >= MAP_TEXT ||
            length - name > MAP_TEXT)
            return false;
        map_condition *c = &m->conditions[m->condition_count++];
        snprintf(c->column, MAP_TEXT, "%.*s", (int)name, at);
        snprintf(c->value, MAP_TEXT, "%.*s", (int)(length - name - 1), at + name + 1);
        at += length + (at[length] == ',');
    }
    return true;
}

static bool holds(const map_condition *c, const sf_cell *cell)
{
    if (cell->kind == SF_CELL_TEXT)
        return strcmp(cell->text, c->value) == 0;
    char *end;
    double wanted = strtod(c->value, &end);
    return cell->kind != SF_CELL_NULL && *end == '\0' && cell->real == wanted;
}

static bool class_of(sf_plot_map *m, const char *text, double *number)
{
    size_t i = 0;
    while (i < m->class_count && strcmp(m->classes[i], text) != 0)
        i++;
    if (i == MAP_CLASSES)
        return false;
    if (i == m->class_count)
        snprintf(m->classes[m->class_count++], MAP_TEXT, "%s", text);
    m->seen[i] = true;
    *number = (double)i;
    return true;
}

/* Regimes have the same colours in every map. */
static void reserve_classes(sf_plot_map *m)
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

/* cells: x, y, colour, [prediction], conditions. */
static sf_status add_row(sf_plot_map *m, const sf_cell *cells)
{
    size_t first = m->prediction ? 4 : 3;
    for (size_t i = 0; i < m->condition_count; i++)
        if (!holds(&m->conditions[i], &cells[first + i]))
            return SF_OK;
    if (m->count == m->room) {
        size_t room = m->room ? 2 * m->room : 256;
        map_row *rows = sf_resize(m->context, m->rows, room, sizeof *rows);
        if (!rows)
            return SF_ERR_MEMORY;
        m->rows = rows;
        m->room = room;
    }
    map_row *r = &m->rows[m->count++];
    *r = (map_row){number_of(&cells[0]), number_of(&cells[1]), number_of(&cells[2]), MAP_NONE};
    bool fits = cells[2].kind != SF_CELL_TEXT || class_of(m, cells[2].text, &r->value);
    if (fits && m->prediction && cells[3].kind == SF_CELL_TEXT)
        fits = class_of(m, cells[3].text, &r->predicted);
    return fits
               ? SF_OK
               : sf_fail(m->context, SF_ERR_USAGE, "'%s' takes more than %d texts, expected numbers or fewer",
                         m->options->color, MAP_CLASSES);
}

sf_status sf_map_read_rows(sf_plot_map *m)
{
    const char *columns[4 + MAP_CONDITIONS] = {m->options->x, m->options->y, m->options->color};
    size_t count = 3;
    if (!read_conditions(m))
        return sf_fail(m->context, SF_ERR_USAGE,
                       "--where '%s', expected COLUMN=VALUE, or several with commas between",
                       m->options->where);
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
    for (bool more = true; more && status == SF_OK;) {
        sf_cell cells[4 + MAP_CONDITIONS];
        status = sf_cursor_next(cursor, cells, &more);
        if (more && status == SF_OK)
            status = add_row(m, cells);
    }
    sf_cursor_close(&cursor);
    return status;
}
