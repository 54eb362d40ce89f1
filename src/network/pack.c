/* Finds the narrowest exact storage of a data set and fills it. */
#include "network/pack.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 8, GREATEST_BYTE = 255 };

/* Above this size a copy of doubles for the sake of aligned rows does not pay: such data come from main
 * memory. */
static const size_t greatest_copy = (size_t)1 << 27;

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

static bool fits_floats(const sf_dataset *data)
{
    for (size_t i = 0; i < data->n * data->stored; i++)
        if ((double)(float)data->z[i] != data->z[i])
            return false;
    return true;
}

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

static double entry(const sf_dataset *data, const sf_pack *pack, size_t row, size_t column)
{
    if (column >= pack->width)
        return 0.0;
    return data->z[row * data->stored + (pack->columns ? pack->columns[column] : column)];
}

static bool block_is_zero(const sf_dataset *data, const sf_pack *pack, size_t row, size_t block)
{
    for (size_t j = block * BLOCK; j < (block + 1) * BLOCK; j++)
        if (entry(data, pack, row, j) != 0.0)
            return false;
    return true;
}

/* Writes a block of eight entries at position `at` of the storage. */
static void put_block(const sf_dataset *data, const sf_pack *pack, size_t row, size_t block, size_t at)
{
    for (size_t k = 0; k < BLOCK; k++) {
        double z = entry(data, pack, row, block * BLOCK + k);
        switch (pack->type) {
        case SF_PACK_DOUBLES:
            ((double *)pack->memory)[at + k] = z;
            break;
        case SF_PACK_FLOATS:
            ((float *)pack->memory)[at + k] = (float)z;
            break;
        case SF_PACK_BYTES:
            ((uint8_t *)pack->memory)[at + k] = (uint8_t)byte_of(z, pack->factor[row]);
            break;
        }
    }
}

/* Lists the blocks that are not 0 throughout, if they are few enough for a list to pay. */
static sf_status find_blocks(sf_context *context, const sf_dataset *data, sf_pack *pack, size_t *entries)
{
    size_t across = (pack->width + BLOCK - 1) / BLOCK, kept = 0;
    *entries = pack->n * across * BLOCK;
    for (size_t i = 0; i < pack->n; i++)
        for (size_t b = 0; b < across; b++)
            kept += !block_is_zero(data, pack, i, b);
    if (kept > pack->n * across * 7 / 10 || across > UINT32_MAX)
        return SF_OK;
    pack->blocks = SF_ARRAY(context, kept, uint32_t);
    pack->starts = SF_ARRAY(context, pack->n + 1, size_t);
    if (!pack->blocks || !pack->starts)
        return SF_ERR_MEMORY;
    kept = 0;
    for (size_t i = 0; i < pack->n; i++) {
        pack->starts[i] = kept;
        for (size_t b = 0; b < across; b++)
            if (!block_is_zero(data, pack, i, b))
                pack->blocks[kept++] = (uint32_t)b;
    }
    pack->starts[pack->n] = kept;
    *entries = kept * BLOCK;
    return SF_OK;
}

static void fill(const sf_dataset *data, sf_pack *pack)
{
    size_t across = (pack->width + BLOCK - 1) / BLOCK;
    for (size_t i = 0; i < pack->n; i++)
        if (pack->blocks)
            for (size_t b = pack->starts[i]; b < pack->starts[i + 1]; b++)
                put_block(data, pack, i, pack->blocks[b], b * BLOCK);
        else
            for (size_t b = 0; b < across; b++)
                put_block(data, pack, i, b, i * pack->stride + b * BLOCK);
}

/* The type, and for bytes the factors of the rows. */
static sf_status choose_type(sf_context *context, const sf_dataset *data, sf_pack *pack)
{
    double factor = common_factor(data);
    if (factor == 0.0) {
        pack->type = fits_floats(data) ? SF_PACK_FLOATS : SF_PACK_DOUBLES;
        return SF_OK;
    }
    pack->type = SF_PACK_BYTES;
    pack->factor = SF_ARRAY(context, data->n, double);
    if (!pack->factor)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < data->n; i++) {
        double sign;
        row_fits(data->z + i * data->stored, data->stored, factor, &sign);
        pack->factor[i] = sign * factor;
    }
    return SF_OK;
}

static sf_status build(sf_context *context, const sf_dataset *data, sf_pack *pack)
{
    static const size_t size[] = {sizeof(double), sizeof(float), sizeof(uint8_t)};
    size_t entries;
    if (data->n == 1) { // read once a pass, whatever its form
        pack->type = SF_PACK_DOUBLES;
        pack->width = pack->stride = data->stored;
        pack->doubles = data->z;
        return SF_OK;
    }
    SF_TRY(choose_type(context, data, pack));
    SF_TRY(find_columns(context, data, pack));
    SF_TRY(find_blocks(context, data, pack, &entries));
    pack->stride = (pack->width + BLOCK - 1) / BLOCK * BLOCK;
    bool plain = pack->type == SF_PACK_DOUBLES && !pack->blocks;
    if (plain &&
        ((!pack->columns && pack->stride == data->stored) || entries > greatest_copy / sizeof(double))) {
        sf_free(context, pack->columns);
        pack->columns = NULL;
        pack->width = pack->stride = data->stored;
        pack->doubles = data->z;
        return SF_OK;
    }
    pack->memory =
        sf_alloc_doubles(context, (entries * size[pack->type] + sizeof(double) - 1) / sizeof(double));
    if (!pack->memory)
        return SF_ERR_MEMORY;
    fill(data, pack);
    pack->doubles = pack->memory;
    pack->floats = pack->memory;
    pack->bytes = pack->memory;
    return SF_OK;
}

sf_status sf_pack_create(sf_context *context, const sf_dataset *dataset, sf_pack *pack)
{
    *pack = (sf_pack){.n = dataset->n};
    sf_status status = build(context, dataset, pack);
    if (status != SF_OK)
        sf_pack_release(context, pack);
    return status;
}

void sf_pack_release(sf_context *context, sf_pack *pack)
{
    sf_free(context, pack->factor);
    sf_free(context, pack->columns);
    sf_free(context, pack->blocks);
    sf_free(context, pack->starts);
    sf_free_aligned(context, pack->memory);
    *pack = (sf_pack){0};
}
