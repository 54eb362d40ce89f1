/* Finds the narrowest storage of a data set and fills it. */
#include "network/pack.h"

#include <math.h>
#include <string.h>

enum {
    BLOCK = 8,
    GREATEST_BYTE = 255,
    GREATEST_RATIO = 16, // of shift to standard deviation: bits that a code counted from 0 may lose
    TILE_BYTES = 20480,  // of the nearest cache
    LEAST_TILE = 64,
    LEAST_TILED_WIDTH = 512,
    MOST_TILED_ROWS = 512
};

/* Above this size a copy of doubles for the sake of aligned rows does not pay: such data come from main
 * memory. */
static const size_t greatest_copy = (size_t)1 << 27;
/* Data of this many bytes are read more often in tiles than by rows, but from the caches. */
static const size_t greatest_tiled = (size_t)3 << 20;

/* k with z = fl(k * factor) and 0 <= k <= 255, or -1. */
static int byte_of(double z, double factor)
{
    double k = round(z / factor);
    return k >= 0.0 && k <= GREATEST_BYTE && k * factor == z ? (int)k : -1;
}

/* Every entry of the row is fl(k * factor); *sign is that of the row. */
static bool row_fits(const double *z, size_t width, double factor, double *sign)
{
    *sign = 1.0;
    for (size_t j = 0; j < width; j++)
        if (z[j] < 0.0) {
            *sign = -1.0;
            break;
        }
    for (size_t j = 0; j < width; j++)
        if (byte_of(z[j], *sign * factor) < 0)
            return false;
    return true;
}

/* The factor common to all rows, 0 if there is none: the greatest entry over some whole number up to 255, or
 * a neighbour of that quotient. The first row with an entry rejects nearly every candidate at once. */
static double common_factor(const sf_dataset *data)
{
    size_t width = data->stored, count = data->n * width;
    double greatest = 0.0;
    for (size_t i = 0; i < count; i++)
        if (fabs(data->z[i]) > greatest)
            greatest = fabs(data->z[i]);
    for (int k = GREATEST_BYTE; k >= 1 && greatest > 0.0; k--)
        for (int side = -1; side <= 1; side++) {
            double factor = greatest / k, sign;
            if (side != 0)
                factor = nextafter(factor, side * INFINITY);
            size_t row = 0;
            while (row < data->n && row_fits(data->z + row * width, width, factor, &sign))
                row++;
            if (row == data->n)
                return factor;
        }
    return 0.0;
}

/* ---- codes --------------------------------------------------------------------------------------- */

/* What turns z into codes; the arrays of the pack are filled from it. */
typedef struct coding {
    const sf_dataset *data;
    const sf_grid *grid; // NULL: no grid
    bool from_zero;  // codes of the grid are the whole numbers of the file, else they count from its origin
    double factor;   // multiples of it as bytes; 0: codes are z
    double *inverse; // (stored) 1 / spacing of the grid, 0 for a constant feature
    double *line;    // (stored, padded to blocks): the codes of a row
} coding;

/* The nearest whole number, |x| < 2^51: what is added leaves no room for a fraction. */
static double nearest(double x)
{
    return x + 0x1.8p52 - 0x1.8p52;
}

/* The codes of a row, feature by feature, into the line. */
static void code_row(const coding *c, const sf_pack *pack, size_t row)
{
    size_t width = c->data->stored;
    const double *z = c->data->z + row * width;
    double *line = c->line, sign = c->data->labels[row];
    if (c->grid)
        for (size_t j = 0; j < width; j++)
            line[j] = nearest(sign * z[j] * c->inverse[j] + c->grid->shift[j]);
    if (c->from_zero)
        for (size_t j = 0; j < width; j++)
            line[j] += c->grid->origin[j];
    if (!c->grid && c->factor != 0.0)
        for (size_t j = 0; j < width; j++)
            line[j] = nearest(z[j] / pack->row[row]);
    if (!c->grid && c->factor == 0.0)
        memcpy(line, z, width * sizeof *line);
}

/* The codes of a row in the columns kept, padded with 0, into the line. */
static void code_columns(const coding *c, const sf_pack *pack, size_t row)
{
    code_row(c, pack, row);
    for (size_t k = 0; k < pack->width && pack->columns; k++)
        c->line[k] = c->line[pack->columns[k]];
    for (size_t k = pack->width; k < pack->stride; k++)
        c->line[k] = 0.0;
}

/* Whether whole numbers as the file has them are bytes and lose few digits when the shift is taken off. */
static bool grid_fits_bytes(const coding *c)
{
    const sf_dataset *data = c->data;
    for (size_t j = 0; j < data->stored; j++)
        if (!(fabs(c->grid->origin[j] * c->grid->spacing[j]) <= GREATEST_RATIO))
            return false;
    for (size_t i = 0; i < data->n; i++) {
        code_row(c, NULL, i);
        for (size_t j = 0; j < data->stored; j++)
            if (!(c->line[j] >= 0.0 && c->line[j] <= GREATEST_BYTE))
                return false;
    }
    return true;
}

static bool fits_floats(const sf_dataset *data)
{
    for (size_t i = 0; i < data->n * data->stored; i++)
        if ((double)(float)data->z[i] != data->z[i])
            return false;
    return true;
}

static sf_pack_type choose_type(coding *c)
{
    if (c->data->grid.origin) {
        c->grid = &c->data->grid;
        c->from_zero = true;
        c->from_zero = grid_fits_bytes(c);
        return c->from_zero ? SF_PACK_BYTES : SF_PACK_FLOATS;
    }
    c->factor = common_factor(c->data);
    return c->factor != 0.0 ? SF_PACK_BYTES : fits_floats(c->data) ? SF_PACK_FLOATS : SF_PACK_DOUBLES;
}

static sf_status fill_rows(sf_context *context, const coding *c, sf_pack *pack)
{
    const sf_dataset *data = c->data;
    if (!c->grid && c->factor == 0.0)
        return SF_OK;
    pack->row = SF_ARRAY(context, data->n, double);
    if (!pack->row)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < data->n; i++) {
        double sign = data->labels[i];
        if (!c->grid)
            row_fits(data->z + i * data->stored, data->stored, c->factor, &sign);
        pack->row[i] = c->grid ? sign : sign * c->factor;
    }
    return SF_OK;
}

/* Shift and scale of the columns kept. */
static sf_status fill_columns(sf_context *context, const coding *c, sf_pack *pack)
{
    if (!c->grid)
        return SF_OK;
    pack->shift = SF_ARRAY(context, pack->stride, double);
    pack->scale = SF_ARRAY(context, pack->stride, double);
    if (!pack->shift || !pack->scale)
        return SF_ERR_MEMORY;
    for (size_t k = 0; k < pack->stride; k++) {
        size_t j = k >= pack->width ? 0 : pack->columns ? pack->columns[k] : k;
        pack->shift[k] = c->grid->shift[j] + (c->from_zero ? c->grid->origin[j] : 0.0);
        pack->scale[k] = k < pack->width ? c->grid->spacing[j] : 0.0;
    }
    return SF_OK;
}

/* ---- columns and blocks -------------------------------------------------------------------------- */

/* Lists the features that are not 0 throughout, if at least a sixteenth are; else all are kept. */
static sf_status find_columns(sf_context *context, const sf_dataset *data, sf_pack *pack)
{
    size_t width = data->stored, kept = 0;
    pack->width = width;
    if (width > UINT32_MAX)
        return SF_OK;
    uint32_t *columns = SF_ARRAY(context, width, uint32_t);
    if (!columns)
        return SF_ERR_MEMORY;
    memset(columns, 0, width * sizeof *columns);
    for (size_t i = 0; i < data->n; i++)
        for (size_t j = 0; j < width; j++)
            columns[j] |= data->z[i * width + j] != 0.0;
    for (size_t j = 0; j < width; j++)
        if (columns[j])
            columns[kept++] = (uint32_t)j;
    if (kept == 0 || width - kept < width / 16 || kept == width) {
        sf_free(context, columns);
        return SF_OK;
    }
    pack->columns = columns;
    pack->width = kept;
    return SF_OK;
}

static bool block_is_zero(const double *block)
{
    for (size_t k = 0; k < BLOCK; k++)
        if (block[k] != 0.0)
            return false;
    return true;
}

/* Lists the blocks that are not 0 throughout, if they are few enough for a list to pay. */
static sf_status find_blocks(sf_context *context, const coding *c, sf_pack *pack, size_t *codes)
{
    size_t across = pack->stride / BLOCK, kept = 0;
    *codes = pack->n * pack->stride;
    for (size_t i = 0; i < pack->n; i++) {
        code_columns(c, pack, i);
        for (size_t b = 0; b < across; b++)
            kept += !block_is_zero(c->line + b * BLOCK);
    }
    if (kept > pack->n * across * 7 / 10 || across > UINT32_MAX)
        return SF_OK;
    pack->blocks = SF_ARRAY(context, kept, uint32_t);
    pack->starts = SF_ARRAY(context, pack->n + 1, size_t);
    if (!pack->blocks || !pack->starts)
        return SF_ERR_MEMORY;
    kept = 0;
    for (size_t i = 0; i < pack->n; i++) {
        code_columns(c, pack, i);
        pack->starts[i] = kept;
        for (size_t b = 0; b < across; b++)
            if (!block_is_zero(c->line + b * BLOCK))
                pack->blocks[kept++] = (uint32_t)b;
    }
    pack->starts[pack->n] = kept;
    *codes = kept * BLOCK;
    return SF_OK;
}

/* ---- the whole ----------------------------------------------------------------------------------- */

static const size_t code_size[] = {sizeof(double), sizeof(float), sizeof(uint8_t)};

/* Decided by the shape alone, so that the bits do not depend on the number of threads. */
static void choose_tile(sf_pack *pack)
{
    size_t row = code_size[pack->type] * pack->n;
    pack->tile = pack->stride;
    if (pack->columns || pack->blocks || pack->width < LEAST_TILED_WIDTH || pack->n > MOST_TILED_ROWS ||
        row * pack->stride > greatest_tiled)
        return;
    for (pack->tile = LEAST_TILE; 2 * pack->tile * row <= TILE_BYTES && pack->tile < SF_PACK_STRIP;)
        pack->tile *= 2;
}

/* Writes count codes at position `at` of the storage. */
static void put(const sf_pack *pack, size_t at, const double *codes, size_t count)
{
    switch (pack->type) {
    case SF_PACK_DOUBLES:
        memcpy((double *)pack->memory + at, codes, count * sizeof *codes);
        break;
    case SF_PACK_FLOATS:
        for (size_t k = 0; k < count; k++)
            ((float *)pack->memory)[at + k] = (float)codes[k];
        break;
    case SF_PACK_BYTES:
        for (size_t k = 0; k < count; k++)
            ((uint8_t *)pack->memory)[at + k] = (uint8_t)codes[k];
        break;
    }
}

static void fill(const coding *c, sf_pack *pack)
{
    for (size_t i = 0; i < pack->n; i++) {
        code_columns(c, pack, i);
        if (pack->blocks)
            for (size_t b = pack->starts[i]; b < pack->starts[i + 1]; b++)
                put(pack, b * BLOCK, c->line + (size_t)pack->blocks[b] * BLOCK, BLOCK);
        else
            for (size_t first = 0; first < pack->stride; first += pack->tile)
                put(pack, sf_pack_at(pack, i, first), c->line + first, sf_pack_tile_columns(pack, first));
    }
}

static void borrow(sf_context *context, const sf_dataset *data, sf_pack *pack)
{
    sf_free(context, pack->columns);
    pack->columns = NULL;
    pack->width = pack->stride = pack->tile = data->stored;
    pack->doubles = data->z;
}

static sf_status prepare_coding(sf_context *context, coding *c)
{
    size_t width = c->data->stored;
    c->line = sf_alloc(context, width + BLOCK, sizeof *c->line);
    if (!c->line)
        return SF_ERR_MEMORY;
    if (!c->data->grid.origin)
        return SF_OK;
    c->inverse = SF_ARRAY(context, width, double);
    if (!c->inverse)
        return SF_ERR_MEMORY;
    for (size_t j = 0; j < width; j++)
        c->inverse[j] = c->data->grid.spacing[j] == 0.0 ? 0.0 : 1.0 / c->data->grid.spacing[j];
    return SF_OK;
}

static sf_status build(sf_context *context, coding *c, sf_pack *pack)
{
    const sf_dataset *data = c->data;
    size_t codes;
    SF_TRY(prepare_coding(context, c));
    pack->type = choose_type(c);
    SF_TRY(fill_rows(context, c, pack));
    SF_TRY(find_columns(context, data, pack));
    pack->stride = (pack->width + BLOCK - 1) / BLOCK * BLOCK;
    SF_TRY(find_blocks(context, c, pack, &codes));
    choose_tile(pack);
    if (pack->type == SF_PACK_DOUBLES && !pack->blocks && pack->tile == pack->stride &&
        ((!pack->columns && pack->stride == data->stored) || codes > greatest_copy / sizeof(double))) {
        borrow(context, data, pack);
        return SF_OK;
    }
    SF_TRY(fill_columns(context, c, pack));
    pack->memory =
        sf_alloc_doubles(context, (codes * code_size[pack->type] + sizeof(double) - 1) / sizeof(double));
    if (!pack->memory)
        return SF_ERR_MEMORY;
    fill(c, pack);
    pack->doubles = pack->memory;
    pack->floats = pack->memory;
    pack->bytes = pack->memory;
    return SF_OK;
}

sf_status sf_pack_create(sf_context *context, const sf_dataset *dataset, sf_pack *pack)
{
    *pack = (sf_pack){.n = dataset->n};
    if (dataset->n == 1) { // read once a pass, whatever its form
        borrow(context, dataset, pack);
        return SF_OK;
    }
    coding c = {.data = dataset};
    sf_status status = build(context, &c, pack);
    sf_free(context, c.line);
    sf_free(context, c.inverse);
    if (status != SF_OK)
        sf_pack_release(context, pack);
    return status;
}

void sf_pack_release(sf_context *context, sf_pack *pack)
{
    sf_free(context, pack->row);
    sf_free(context, pack->shift);
    sf_free(context, pack->scale);
    sf_free(context, pack->columns);
    sf_free(context, pack->blocks);
    sf_free(context, pack->starts);
    sf_free_aligned(context, pack->memory);
    *pack = (sf_pack){0};
}
