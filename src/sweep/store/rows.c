#include "sweep/store/rows.h"

#include <math.h>
#include <string.h>

static sf_status reserve(sf_rows *rows, size_t more)
{
    if (rows->capacity - rows->size >= more)
        return SF_OK;
    size_t capacity = 2 * rows->capacity + more;
    unsigned char *bytes = sf_resize(rows->context, rows->bytes, capacity, 1);
    if (!bytes)
        return SF_ERR_MEMORY;
    rows->bytes = bytes;
    rows->capacity = capacity;
    return SF_OK;
}

static void put(sf_rows *rows, const void *bytes, size_t size)
{
    memcpy(rows->bytes + rows->size, bytes, size);
    rows->size += size;
}

static sf_cell text_cell(const char *text)
{
    return (sf_cell){.kind = text ? SF_CELL_TEXT : SF_CELL_NULL, .text = text};
}

static size_t cell_size(const sf_cell *cell)
{
    return cell->kind == SF_CELL_NULL ? 1 : cell->kind == SF_CELL_TEXT ? 5 + strlen(cell->text) + 1 : 9;
}

static void put_cell(sf_rows *rows, const sf_cell *cell)
{
    unsigned char kind = (unsigned char)cell->kind;
    put(rows, &kind, 1);
    if (cell->kind == SF_CELL_REAL) {
        put(rows, &cell->real, 8);
    } else if (cell->kind == SF_CELL_INTEGER) {
        put(rows, &cell->integer, 8);
    } else if (cell->kind == SF_CELL_TEXT) {
        uint32_t length = (uint32_t)strlen(cell->text) + 1;
        put(rows, &length, 4);
        put(rows, cell->text, length);
    }
}

sf_status sf_rows_append(sf_rows *rows, const sf_row *row, size_t cells)
{
    sf_cell reason = text_cell(row->reason), outcome = text_cell(row->outcome);
    size_t size = 8 + sizeof row->hash + 1 + cell_size(&reason) + cell_size(&outcome);
    for (size_t i = 0; i < cells; i++)
        size += cell_size(&row->cells[i]);
    SF_TRY(reserve(rows, size));
    unsigned char failed = row->failed;
    put(rows, &row->position, 8);
    put(rows, row->hash.bytes, sizeof row->hash);
    put(rows, &failed, 1);
    put_cell(rows, &reason);
    put_cell(rows, &outcome);
    for (size_t i = 0; i < cells; i++)
        put_cell(rows, &row->cells[i]);
    return SF_OK;
}

void sf_rows_release(sf_rows *rows)
{
    if (rows->context)
        sf_free(rows->context, rows->bytes);
    rows->bytes = NULL;
    rows->size = rows->capacity = 0;
}

static bool get(const unsigned char *bytes, size_t size, size_t *at, void *to, size_t count)
{
    if (size - *at < count)
        return false;
    memcpy(to, bytes + *at, count);
    *at += count;
    return true;
}

static bool get_cell(const unsigned char *bytes, size_t size, size_t *at, sf_cell *cell)
{
    unsigned char kind;
    *cell = (sf_cell){.real = NAN};
    if (!get(bytes, size, at, &kind, 1) || kind > SF_CELL_TEXT)
        return false;
    cell->kind = (sf_cell_kind)kind;
    if (cell->kind == SF_CELL_REAL)
        return get(bytes, size, at, &cell->real, 8);
    if (cell->kind == SF_CELL_INTEGER) {
        bool good = get(bytes, size, at, &cell->integer, 8);
        cell->real = (double)cell->integer;
        return good;
    }
    if (cell->kind == SF_CELL_NULL)
        return true;
    uint32_t length;
    if (!get(bytes, size, at, &length, 4) || length == 0 || size - *at < length ||
        bytes[*at + length - 1] != '\0')
        return false;
    cell->text = (const char *)bytes + *at;
    *at += length;
    return true;
}

bool sf_rows_read(const unsigned char *bytes, size_t size, size_t *at, sf_row *row, size_t cells)
{
    unsigned char failed;
    sf_cell reason, outcome;
    if (!get(bytes, size, at, &row->position, 8) ||
        !get(bytes, size, at, row->hash.bytes, sizeof row->hash) || !get(bytes, size, at, &failed, 1) ||
        !get_cell(bytes, size, at, &reason) || !get_cell(bytes, size, at, &outcome))
        return false;
    row->failed = failed != 0;
    row->reason = reason.text;
    row->outcome = outcome.text;
    for (size_t i = 0; i < cells; i++)
        if (!get_cell(bytes, size, at, &row->cells[i]))
            return false;
    return true;
}
