/* Result files: status, columns, every row, a merge. SQLite cannot be instrumented: what is looked for is on this side. */
#include "fuzz.h"

static void read_rows(sf_store *store)
{
    const char *names[64];
    sf_cell cells[64];
    size_t count = sf_store_columns(store);
    if (count > 64)
        count = 64;
    for (size_t i = 0; i < count; i++)
        names[i] = sf_store_get_column(store, i)->name;
    sf_cursor *cursor = NULL;
    sf_status status = sf_store_select(store, count, names, &cursor);
    bool more = true;
    for (int row = 0; status == SF_OK && more && row < 1000; row++) {
        status = sf_cursor_next(cursor, cells, &more);
        for (size_t i = 0; i < count && status == SF_OK && more; i++)
            fuzz_require(cells[i].kind != SF_CELL_TEXT || strlen(cells[i].text) < SIZE_MAX, "texts end in 0");
    }
    fuzz_message(status);
    sf_cursor_close(&cursor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sf_store *store = NULL;
    sf_store_status about;
    char path[128];
    snprintf(path, sizeof path, "%s", fuzz_file(data, size, "db"));
    sf_status status = sf_store_open(fuzz_context(), path, &store);
    fuzz_message(status);
    if (status == SF_OK) {
        fuzz_message(sf_store_get_status(store, &about));
        read_rows(store);
    }
    sf_store_close(&store);
    return 0;
}
