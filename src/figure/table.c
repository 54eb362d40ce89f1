/* Tables as plain data: cells row after row, each a number or a text. */
#include <samflow/figure.h>

#include <math.h>
#include <string.h>

#include "base/base.h"

typedef struct cell {
    char *text; // NULL: a number
    double value;
} cell;

struct sf_table {
    sf_context *context;
    sf_status status;
    char *name, *caption;
    char **headings; // (columns)
    size_t columns;
    cell *cells; // (rows, columns), the last row possibly incomplete
    size_t cell_count, cell_room;
};

sf_status sf_table_create(sf_context *context, const char *name, const char *caption, size_t count,
                          const char *const *columns, sf_table **out)
{
    *out = NULL;
    if (count < 1)
        return sf_fail(context, SF_ERR_ARGUMENT, "table %s has no column, expected at least 1", name);
    sf_table *table = SF_NEW(context, sf_table);
    if (!table)
        return SF_ERR_MEMORY;
    table->context = context;
    table->name = sf_strdup(context, name);
    table->caption = sf_strdup(context, caption);
    table->headings = sf_alloc_zero(context, count, sizeof *table->headings);
    bool complete = table->name && table->caption && table->headings;
    for (size_t i = 0; i < count && complete; i++) {
        table->headings[i] = sf_strdup(context, columns[i]);
        table->columns = i + 1;
        complete = table->headings[i] != NULL;
    }
    if (!complete) {
        sf_table_destroy(&table);
        return SF_ERR_MEMORY;
    }
    *out = table;
    return SF_OK;
}

void sf_table_destroy(sf_table **table)
{
    if (!table || !*table)
        return;
    sf_context *context = (*table)->context;
    for (size_t i = 0; i < (*table)->cell_count; i++)
        sf_free(context, (*table)->cells[i].text);
    for (size_t i = 0; i < (*table)->columns; i++)
        sf_free(context, (*table)->headings[i]);
    sf_free(context, (*table)->cells);
    sf_free(context, (*table)->headings);
    sf_free(context, (*table)->name);
    sf_free(context, (*table)->caption);
    sf_free(context, *table);
    *table = NULL;
}

sf_status sf_table_status(const sf_table *table)
{
    return table->status;
}

static void add_cell(sf_table *table, const char *text, double value)
{
    if (table->status != SF_OK)
        return;
    if (table->cell_count == table->cell_room) {
        size_t wanted = table->cell_room ? 2 * table->cell_room : 16;
        cell *moved = sf_resize(table->context, table->cells, wanted, sizeof *moved);
        if (!moved) {
            table->status = SF_ERR_MEMORY;
            return;
        }
        table->cells = moved;
        table->cell_room = wanted;
    }
    char *copy = text ? sf_strdup(table->context, text) : NULL;
    if (text && !copy) {
        table->status = SF_ERR_MEMORY;
        return;
    }
    table->cells[table->cell_count++] = (cell){copy, value};
}

void sf_table_text(sf_table *table, const char *text)
{
    add_cell(table, text, NAN);
}

void sf_table_number(sf_table *table, double value)
{
    add_cell(table, NULL, value);
}

const char *sf_table_name(const sf_table *table)
{
    return table->name;
}

const char *sf_table_caption(const sf_table *table)
{
    return table->caption;
}

size_t sf_table_columns(const sf_table *table)
{
    return table->columns;
}

size_t sf_table_rows(const sf_table *table)
{
    return table->cell_count / table->columns;
}

const char *sf_table_heading(const sf_table *table, size_t column)
{
    return table->headings[column];
}

const char *sf_table_cell(const sf_table *table, size_t row, size_t column, double *value)
{
    const cell *c = &table->cells[row * table->columns + column];
    *value = c->value;
    return c->text;
}
