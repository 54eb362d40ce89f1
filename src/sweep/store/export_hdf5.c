/* Result file -> HDF5.
 *
 * A product grid that is complete becomes arrays with one dimension an axis: each axis is a dataset of its values,
 * attached as a dimension scale under its name, so xarray (engine h5netcdf) and h5py show labelled axes. Anything else
 * (zipped axes, refined or unfinished grids) is a list of points: one dimension `point`, the positions being its scale,
 * and the settings datasets like the rest. Numbers are 64-bit floats (NaN: does not exist), indices 64-bit integers
 * (_FillValue -1), texts UTF-8 of variable length. The attributes of the file: samflow, experiment (JSON).
 */
#include <string.h>

#include "sweep/store/store.h"

#ifdef SAMFLOW_HDF5

#include <hdf5.h>
#include <hdf5_hl.h>
#include <math.h>
#include <stdlib.h>

enum { MOST_DIMENSIONS = 32 };

typedef struct writer {
    sf_store *store;
    hid_t file, text, space;
    int rank;
    hsize_t size[MOST_DIMENSIONS];
    const char *dimension[MOST_DIMENSIONS];
    size_t rows;
    bool product;
} writer;

static sf_status failed(const writer *w, const char *what)
{
    return sf_fail(w->store->context, SF_ERR_IO, "HDF5: %s cannot be written (disk full?)", what);
}

static hid_t type_of(const writer *w, sf_cell_kind kind)
{
    return kind == SF_CELL_TEXT ? w->text : kind == SF_CELL_INTEGER ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
}

static size_t width_of(sf_cell_kind kind)
{
    return kind == SF_CELL_TEXT ? sizeof(char *) : 8;
}

/* One value in the memory layout of its kind. Texts are copied, to be freed. */
static bool put_value(sf_cell_kind kind, const sf_cell *cell, void *to)
{
    if (kind == SF_CELL_TEXT) {
        char number[40] = "";
        if (cell->kind == SF_CELL_REAL || cell->kind == SF_CELL_INTEGER)
            snprintf(number, sizeof number, "%.17g", cell->real);
        char *copy = strdup(cell->kind == SF_CELL_TEXT ? cell->text : number);
        memcpy(to, &copy, sizeof copy);
        return copy != NULL;
    }
    int64_t integer = cell->kind == SF_CELL_INTEGER ? cell->integer : -1;
    double real = cell->kind == SF_CELL_NULL || cell->kind == SF_CELL_TEXT ? NAN : cell->real;
    memcpy(to, kind == SF_CELL_INTEGER ? (const void *)&integer : (const void *)&real, 8);
    return true;
}

static void free_texts(sf_cell_kind kind, char **texts, size_t count)
{
    for (size_t i = 0; kind == SF_CELL_TEXT && i < count; i++) {
        free(texts[i]);
        texts[i] = NULL;
    }
}

/* One column at a time is held in memory. */
static sf_status write_column(writer *w, const sf_store_column *column, char *values)
{
    sf_context *context = w->store->context;
    const char *name[] = {column->name};
    size_t width = width_of(column->kind), count = 0;
    sf_cursor *cursor;
    sf_cell cell;
    bool more = true, good = true;
    SF_TRY(sf_store_select(w->store, 1, name, &cursor));
    sf_status status = SF_OK;
    while (count < w->rows && good && (status = sf_cursor_next(cursor, &cell, &more)) == SF_OK && more)
        good = put_value(column->kind, &cell, values + width * count++);
    sf_cursor_close(&cursor);
    if (status == SF_OK && !good)
        status = sf_fail(context, SF_ERR_MEMORY, "out of memory: column %s", column->name);
    if (status == SF_OK && count < w->rows)
        status = sf_fail(context, SF_ERR_DATA, "'%s' has fewer rows than it had: is it being written?",
                         w->store->database->path);
    if (status == SF_OK && count == w->rows) {
        hid_t data = H5Dcreate2(w->file, column->name, type_of(w, column->kind), w->space, H5P_DEFAULT,
                                H5P_DEFAULT, H5P_DEFAULT);
        if (data < 0 || H5Dwrite(data, type_of(w, column->kind), H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
            status = failed(w, column->name);
        for (int i = 0; i < w->rank && status == SF_OK; i++) {
            hid_t scale = H5Dopen2(w->file, w->dimension[i], H5P_DEFAULT);
            if (scale < 0 || H5DSattach_scale(data, scale, (unsigned)i) < 0)
                status = failed(w, column->name);
            H5Dclose(scale);
        }
        int64_t fill = -1;
        if (status == SF_OK && column->kind == SF_CELL_INTEGER &&
            H5LTset_attribute_long_long(w->file, column->name, "_FillValue", (const long long *)&fill, 1) < 0)
            status = failed(w, column->name);
        H5Dclose(data);
    }
    free_texts(column->kind, (char **)(void *)values, count);
    return status;
}

static sf_status write_scale(writer *w, int dimension, const char *name, sf_cell_kind kind, void *values)
{
    hid_t space = H5Screate_simple(1, &w->size[dimension], NULL);
    hid_t data = H5Dcreate2(w->file, name, type_of(w, kind), space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    bool good = data >= 0 && H5Dwrite(data, type_of(w, kind), H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0 &&
                H5DSset_scale(data, name) >= 0;
    H5Dclose(data);
    H5Sclose(space);
    w->dimension[dimension] = name;
    return good ? SF_OK : failed(w, name);
}

static sf_status write_axis(writer *w, size_t index, char *values)
{
    const sf_store_axis *axis = &w->store->axes[index];
    sf_cell_kind kind = SF_CELL_REAL;
    for (size_t i = 0; i < axis->count; i++)
        if (axis->values[i].kind == SF_CELL_TEXT)
            kind = SF_CELL_TEXT;
    bool good = true;
    size_t count = 0;
    for (; count < axis->count && good; count++)
        good = put_value(kind, &axis->values[count], values + width_of(kind) * count);
    w->size[index] = axis->count;
    sf_status status = good ? write_scale(w, (int)index, axis->name, kind, values)
                            : sf_fail(w->store->context, SF_ERR_MEMORY, "out of memory: axis %s", axis->name);
    free_texts(kind, (char **)(void *)values, count);
    return status;
}

static sf_status write_dimensions(writer *w, char *values)
{
    if (!w->product) {
        w->rank = 1;
        w->size[0] = w->rows;
        int64_t *number = (int64_t *)(void *)values;
        for (size_t i = 0; i < w->rows; i++)
            number[i] = (int64_t)i;
        return write_scale(w, 0, "point", SF_CELL_INTEGER, values);
    }
    w->rank = (int)w->store->axis_count;
    for (size_t i = 0; i < w->store->axis_count; i++)
        SF_TRY(write_axis(w, i, values));
    return SF_OK;
}

static bool is_axis_column(const writer *w, const char *name)
{
    for (size_t i = 0; w->product && i < w->store->axis_count; i++)
        if (strcmp(w->store->axes[i].name, name) == 0)
            return true;
    return false;
}

static sf_status write_file(writer *w, char *values)
{
    sf_store *store = w->store;
    SF_TRY(write_dimensions(w, values));
    w->space = H5Screate_simple(w->rank, w->size, NULL);
    sf_status status = w->space >= 0 ? SF_OK : failed(w, "the shape");
    for (size_t i = 0; i < store->column_count && status == SF_OK; i++) {
        bool skip = is_axis_column(w, store->columns[i].name);
        status = skip ? SF_OK : write_column(w, &store->columns[i], values);
        if (sf_cancelled(store->context))
            status = sf_fail(store->context, SF_ERR_CANCELLED, "interrupted");
    }
    H5Sclose(w->space);
    if (status == SF_OK && (H5LTset_attribute_string(w->file, "/", "samflow", sf_version()) < 0 ||
                            H5LTset_attribute_string(w->file, "/", "experiment", store->experiment) < 0))
        status = failed(w, "an attribute");
    return status;
}

sf_status sf_store_write_hdf5(sf_store *store, const char *path)
{
    writer w = {.store = store};
    uint64_t rows = 0;
    SF_TRY(sf_store_rows(store, &rows));
    w.rows = (size_t)rows;
    w.product = sf_store_product(store) && rows == store->points && store->axis_count <= MOST_DIMENSIONS;
    size_t room = w.rows > 0 ? w.rows : 1;
    for (size_t i = 0; i < store->axis_count; i++)
        room = store->axes[i].count > room ? store->axes[i].count : room;
    char *values = sf_alloc(store->context, room, 8);
    if (!values)
        return SF_ERR_MEMORY;
    H5dont_atexit(); // after a file that could not be closed (disk full), HDF5's clean-up at exit crashes
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); // failures are reported here, not printed
    w.text = H5Tcopy(H5T_C_S1);
    H5Tset_size(w.text, H5T_VARIABLE);
    H5Tset_cset(w.text, H5T_CSET_UTF8);
    w.file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    sf_status status =
        w.file >= 0 ? write_file(&w, values) : sf_fail(store->context, SF_ERR_IO, "cannot be written");
    if (w.file >= 0 && H5Fclose(w.file) < 0 && status == SF_OK)
        status = failed(&w, "the file");
    H5Tclose(w.text);
    sf_free(store->context, values);
    return status;
}

#else

sf_status sf_store_write_hdf5(sf_store *store, const char *path)
{
    return sf_fail(store->context, SF_ERR_UNAVAILABLE,
                   "'%s': this samflow was built without HDF5; .csv works", path);
}

#endif
