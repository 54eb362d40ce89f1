/* Columns of a result file into memory of the caller, all rows in one call; texts become numbers of a list. */
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "sweep/store/store.h"

struct sf_text_list {
    char *text[SF_STORE_TEXTS];
    size_t count, last; // last: found last, where neighbours are often alike
};

void sf_store_forget_texts(sf_store *store)
{
    for (size_t c = 0; c < store->text_lists; c++)
        for (size_t i = 0; i < store->texts[c].count; i++)
            sf_free(store->context, store->texts[c].text[i]);
    sf_free(store->context, store->texts);
    store->texts = NULL;
    store->text_lists = 0;
}

static sf_status number_of_text(sf_context *context, sf_text_list *list, const char *text, double *number)
{
    for (size_t k = 0; k < list->count; k++) {
        size_t i = (list->last + k) % list->count;
        if (strcmp(list->text[i], text) == 0) {
            list->last = i;
            *number = (double)i;
            return SF_OK;
        }
    }
    *number = -1.0;
    if (list->count == SF_STORE_TEXTS)
        return SF_OK;
    if (!(list->text[list->count] = sf_strdup(context, text)))
        return SF_ERR_MEMORY;
    list->last = list->count++;
    *number = (double)list->last;
    return SF_OK;
}

static sf_status take_row(sf_store *store, const sf_cell *cells, double *const *values, size_t row)
{
    for (size_t c = 0; c < store->text_lists; c++) {
        if (cells[c].kind != SF_CELL_TEXT)
            values[c][row] = cells[c].real;
        else
            SF_TRY(number_of_text(store->context, &store->texts[c], cells[c].text, &values[c][row]));
    }
    return SF_OK;
}

static sf_status read_rows(sf_store *store, sf_cursor *cursor, sf_cell *cells, size_t room,
                           double *const *values, size_t *rows)
{
    bool more;
    for (;; (*rows)++) {
        SF_TRY(sf_cursor_next(cursor, cells, &more));
        if (!more)
            return SF_OK;
        if (*rows == room)
            return sf_fail(store->context, SF_ERR_ARGUMENT,
                           "there are more rows than the %zu that there is room for", room);
        SF_TRY(take_row(store, cells, values, *rows));
        if (*rows % 4096 == 0 && sf_cancelled(store->context))
            return sf_fail(store->context, SF_ERR_CANCELLED, "interrupted after %zu rows", *rows);
    }
}

sf_status sf_store_read(sf_store *store, size_t count, const char *const *columns, size_t room,
                        double *const *values, size_t *rows)
{
    if (!store || !rows || (count > 0 && (!columns || !values)))
        return sf_fail(store ? store->context : NULL, SF_ERR_ARGUMENT, "columns, values and rows are needed");
    *rows = 0;
    sf_store_forget_texts(store);
    sf_cursor *cursor;
    SF_TRY(sf_store_select(store, count, columns, &cursor));
    sf_cell *cells = SF_ARRAY(store->context, count, sf_cell);
    store->texts = sf_alloc_zero(store->context, count, sizeof *store->texts);
    store->text_lists = store->texts ? count : 0;
    sf_status status =
        cells && store->texts ? read_rows(store, cursor, cells, room, values, rows) : SF_ERR_MEMORY;
    sf_free(store->context, cells);
    sf_cursor_close(&cursor);
    return status;
}

const char *const *sf_store_texts(const sf_store *store, size_t c, size_t *count)
{
    *count = c < store->text_lists ? store->texts[c].count : 0;
    return *count > 0 ? (const char *const *)store->texts[c].text : NULL;
}
