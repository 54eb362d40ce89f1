/* IDX (LeCun, the MNIST database): big-endian throughout,
 *
 *     byte 0, 1   zero
 *     byte 2      element type: 08 unsigned byte, 09 signed byte, 0B int16, 0C int32, 0D float32, 0E float64
 *     byte 3      number of dimensions k
 *     4 + 4 i     size of dimension i, 32 bits unsigned, i < k
 *     then        the elements, last dimension fastest
 *
 * Examples run along the first dimension; the others together are the features. The labels are a second file
 * of one dimension, or a column of one of two. Sizes are believed only after a look at the size of the file: a header may promise
 * anything.
 */
#include <math.h>
#include <samflow/files.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "files/formats.h"
#include "files/idx.h"

/* Deflate stays below 1032:1. bzip2 makes 46 MB of a block of 40 bytes, and xz stays far below that. */
enum { HIGHEST_GZIP_RATIO = 1040, HIGHEST_RATIO = 1 << 21 };

static uint32_t big32(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* 0 for a type that does not exist. */
static size_t element_bytes(unsigned type)
{
    static const unsigned char bytes[16] = {
        [0x08] = 1, [0x09] = 1, [0x0B] = 2, [0x0C] = 4, [0x0D] = 4, [0x0E] = 8};
    return type < sizeof bytes ? bytes[type] : 0;
}

bool sf_is_idx(const char *bytes, size_t count)
{
    return count >= 4 && bytes[0] == 0 && bytes[1] == 0 && element_bytes((unsigned char)bytes[2]) > 0 &&
           (unsigned char)bytes[3] > 0;
}

static sf_status truncated(const sf_input *input, const char *what, uint64_t have, uint64_t expected)
{
    return sf_fail(input->context, SF_ERR_DATA,
                   "%s: truncated: it ends at byte %llu inside the %s, expected %llu bytes", input->path,
                   (unsigned long long)have, what, (unsigned long long)expected);
}

/* A claim of `expected` bytes of content against the size of the file. */
static sf_status check_size(const sf_input *input, uint64_t expected)
{
    if (input->disk_bytes == 0)
        return SF_OK; // a pipe: the end will tell
    uint64_t ratio = !input->compressed ? 1 : input->packed ? HIGHEST_RATIO : HIGHEST_GZIP_RATIO;
    uint64_t most = input->disk_bytes > UINT64_MAX / ratio ? UINT64_MAX : input->disk_bytes * ratio;
    if (input->compressed && expected > most)
        return sf_fail(
            input->context, SF_ERR_DATA,
            "%s: its sizes promise %llu bytes of content, more than %llu compressed bytes can hold",
            input->path, (unsigned long long)expected, (unsigned long long)input->disk_bytes);
    if (!input->compressed && expected > most)
        return truncated(input, "elements", input->disk_bytes, expected);
    return SF_OK;
}

/* Bytes of the whole file by its sizes, read with the highest byte first or last; UINT64_MAX beyond that. */
static uint64_t promised(const unsigned char *sizes, const sf_idx *h, bool lowest_first)
{
    uint64_t bytes = h->element;
    for (unsigned i = 0; i < h->rank; i++) {
        const unsigned char *b = sizes + 4 * i;
        uint64_t size = lowest_first
                            ? (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0]
                            : big32(b);
        if (size > 0 && bytes > UINT64_MAX / 2 / size)
            return UINT64_MAX;
        bytes *= size;
    }
    return bytes + 4 + 4 * (uint64_t)h->rank;
}

/* Sizes that fit the file only with the lowest byte first are those of another machine. */
static sf_status check_order(const sf_input *input, const unsigned char *sizes, const sf_idx *h)
{
    uint64_t bytes = input->disk_bytes;
    if (input->compressed || bytes == 0 || promised(sizes, h, false) == bytes ||
        promised(sizes, h, true) != bytes)
        return SF_OK;
    return sf_fail(input->context, SF_ERR_DATA,
                   "%s: its sizes (byte 4 on) fit the file only if they are read as little-endian, expected "
                   "big-endian; numpy's .astype('>i4') writes such",
                   input->path);
}

sf_status sf_idx_header(sf_input *input, sf_idx *h)
{
    unsigned char bytes[4 + 4 * 255];
    size_t got;
    SF_TRY(sf_input_bytes(input, bytes, 4, &got));
    if (got == 0)
        return sf_fail(input->context, SF_ERR_DATA, "%s: is empty, expected an IDX file", input->path);
    if (got < 4)
        return truncated(input, "magic number", got, 4);
    *h = (sf_idx){.type = bytes[2],
                  .element = element_bytes(bytes[2]),
                  .rank = bytes[3],
                  .width = 1,
                  .size = {1, 1, 1, 1}};
    if (bytes[0] != 0 || bytes[1] != 0 || h->element == 0 || h->rank == 0)
        return sf_fail(
            input->context, SF_ERR_DATA,
            "%s: wrong magic number %02x %02x %02x %02x at byte 0, expected 00 00, an element type (08, 09, "
            "0b, 0c, 0d or 0e) and a number of dimensions",
            input->path, bytes[0], bytes[1], bytes[2], bytes[3]);
    SF_TRY(sf_input_bytes(input, bytes + 4, 4 * (size_t)h->rank, &got));
    if (got < 4 * (size_t)h->rank)
        return truncated(input, "sizes of the dimensions", 4 + got, 4 + 4 * (uint64_t)h->rank);
    SF_TRY(check_order(input, bytes + 4, h));
    h->n = big32(bytes + 4);
    for (unsigned i = 0; i < h->rank; i++) {
        uint32_t size = big32(bytes + 4 + 4 * i);
        if (size == 0)
            return sf_fail(input->context, SF_ERR_DATA,
                           "%s: dimension %u has size 0 (byte %u), expected at least 1", input->path, i,
                           4 + 4 * i);
        if (i > 0 && h->width > SIZE_MAX / size)
            return sf_fail(input->context, SF_ERR_DATA,
                           "%s: the sizes of the %u dimensions overflow (byte %u)", input->path, h->rank,
                           4 + 4 * i);
        h->width = i > 0 ? h->width * size : 1;
        if (i < SF_IDX_SIZES)
            h->size[i] = size;
    }
    h->start = 4 + 4 * (size_t)h->rank;
    if (h->width > (SIZE_MAX - h->start) / sizeof(double) / h->n)
        return sf_fail(input->context, SF_ERR_DATA,
                       "%s: %zu examples of %zu elements overflow the address space", input->path, h->n,
                       h->width);
    return check_size(input, h->start + (uint64_t)h->n * h->width * h->element);
}

static double element(const unsigned char *b, unsigned type)
{
    switch (type) {
    case 0x08:
        return b[0];
    case 0x09:
        return b[0] < 0x80 ? b[0] : b[0] - 256.0;
    case 0x0B: {
        unsigned bits = (unsigned)b[0] << 8 | b[1];
        return bits < 0x8000u ? bits : bits - 65536.0;
    }
    case 0x0C: {
        uint32_t bits = big32(b);
        return bits < 0x80000000u ? bits : bits - 4294967296.0;
    }
    case 0x0D: {
        uint32_t bits = big32(b);
        float value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    default: {
        uint64_t bits = (uint64_t)big32(b) << 32 | big32(b + 4);
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    }
}

static void convert(const unsigned char *bytes, const sf_idx *h, double *x)
{
    if (h->type == 0x08) // the common case, vectorized
        for (size_t j = 0; j < h->width; j++)
            x[j] = bytes[j];
    else
        for (size_t j = 0; j < h->width; j++)
            x[j] = element(bytes + j * h->element, h->type);
}

sf_status sf_idx_end(sf_input *input)
{
    const char *bytes;
    size_t count;
    uint64_t expected = input->offset;
    SF_TRY(sf_input_peek(input, 1, &bytes, &count));
    if (count > 0)
        return sf_fail(input->context, SF_ERR_DATA,
                       "%s: goes on after byte %llu, where its sizes say it ends", input->path,
                       (unsigned long long)expected);
    return SF_OK;
}

/* A column of labels of two dimensions. */
static sf_status choose_column(const sf_input *input, const char *column, sf_idx *h)
{
    size_t digits = column ? strspn(column, "0123456789") : 0;
    if (column && digits > 0 && digits < 10 && !column[digits])
        h->column = strtoul(column, NULL, 10);
    else
        h->column = h->width;
    if (h->column < h->width)
        return SF_OK;
    return sf_fail(
        input->context, SF_ERR_DATA,
        "%s: has 2 dimensions, %zu x %zu%s%.40s%s; expected the labels in 1, or data.label, a column "
        "from 0 to %zu",
        input->path, h->n, h->width, column ? ", and no column '" : "", column ? column : "",
        column ? "'" : "", h->width - 1);
}

sf_status sf_idx_labels_header(sf_input *input, size_t n, const char *examples, const char *column, sf_idx *h)
{
    SF_TRY(sf_idx_header(input, h));
    if (h->rank > 2)
        return sf_fail(input->context, SF_ERR_DATA, "%s: has %u dimensions, expected the labels in 1",
                       input->path, h->rank);
    if (h->rank == 1 && column)
        return sf_fail(input->context, SF_ERR_ARGUMENT,
                       "%s: label is for CSV, for ARFF, and for labels of 2 dimensions; %s has 1", examples,
                       input->path);
    if (h->rank == 2)
        SF_TRY(choose_column(input, column, h));
    if (h->n != n)
        return sf_fail(input->context, SF_ERR_DATA,
                       "%s: the number of labels is %zu, expected %zu, the number of examples in %s",
                       input->path, h->n, n, examples);
    return SF_OK;
}

sf_status sf_idx_label(sf_input *input, const sf_idx *h, double *value)
{
    unsigned char bytes[8];
    for (size_t j = 0; j < h->width; j++) {
        size_t got;
        uint64_t at = input->offset;
        SF_TRY(sf_input_bytes(input, bytes, h->element, &got));
        if (got < h->element)
            return truncated(input, "labels", at + got, h->start + (uint64_t)h->n * h->width * h->element);
        if (j == h->column)
            *value = element(bytes, h->type);
    }
    return SF_OK;
}

sf_status sf_idx_example(sf_input *input, const sf_idx *h, size_t index, unsigned char *bytes, double *x)
{
    size_t size = h->width * h->element, got;
    uint64_t at = input->offset;
    SF_TRY(sf_input_bytes(input, bytes, size, &got));
    if (got < size)
        return truncated(input, "elements", at + got, h->start + (uint64_t)h->n * size);
    if (!x)
        return SF_OK;
    convert(bytes, h, x);
    for (size_t j = 0; j < h->width && h->type >= 0x0D; j++)
        if (!isfinite(x[j]))
            return sf_fail(input->context, SF_ERR_DATA,
                           "%s, example %zu, feature %zu (byte %llu): %g, expected a finite number",
                           input->path, index, j, (unsigned long long)at + j * h->element, x[j]);
    return SF_OK;
}

/* ---- a data set of two classes ------------------------------------------------------------------------- */

static sf_status read_labels(sf_input *input, size_t n, const sf_data_file *spec, sf_labels *labels)
{
    sf_idx h;
    SF_TRY(sf_idx_labels_header(input, n, spec->path, spec->label, &h));
    for (size_t i = 0; i < n; i++) {
        bool kept;
        double value = NAN;
        uint64_t at = input->offset;
        SF_TRY(sf_idx_label(input, &h, &value));
        sf_status status = sf_labels_number(labels, value, &kept);
        if (status != SF_OK)
            return sf_fail_within(input->context, status, "%s, example %zu (byte %llu)", input->path, i,
                                  (unsigned long long)at);
    }
    return sf_idx_end(input);
}

static sf_status open_labels(sf_input *images, const sf_data_file *spec, size_t n, sf_labels *labels)
{
    if (!spec->labels_path)
        return sf_fail(images->context, SF_ERR_ARGUMENT,
                       "%s: IDX keeps the labels in a file of its own, expected labels_file beside file",
                       spec->path);
    sf_input input;
    sf_status status = sf_input_open(images->context, spec->labels_path, &input);
    if (status == SF_OK)
        status = read_labels(&input, n, spec, labels);
    sf_input_close(&input);
    return status;
}

/* Example `index` into its row z, times its label; bytes is work space. */
static sf_status read_row(sf_input *input, const sf_idx *h, size_t index, int label, unsigned char *bytes,
                          double *z)
{
    SF_TRY(sf_idx_example(input, h, index, bytes, z));
    for (size_t j = 0; label < 0 && j < h->width; j++)
        z[j] = -z[j];
    return SF_OK;
}

static sf_status read_examples(sf_input *input, const sf_idx *h, const sf_labels *labels, sf_dataset *dataset)
{
    unsigned char *bytes = sf_alloc(input->context, h->width, h->element);
    if (!bytes)
        return SF_ERR_MEMORY;
    sf_status status = SF_OK;
    for (size_t i = 0, kept = 0; i < h->n && status == SF_OK; i++) {
        if (labels->kind[i] < 0) {
            status = sf_idx_example(input, h, i, bytes, NULL);
            continue;
        }
        status = read_row(input, h, i, dataset->labels[kept], bytes, dataset->z + kept * h->width);
        kept++;
    }
    sf_free(input->context, bytes);
    return status == SF_OK ? sf_idx_end(input) : status;
}

sf_status sf_read_idx(sf_input *input, const sf_data_file *spec, sf_labels *labels, sf_dataset **out)
{
    sf_idx h;
    SF_TRY(sf_idx_header(input, &h));
    if (h.rank < 2)
        return sf_fail(
            input->context, SF_ERR_DATA,
            "%s: has 1 dimension, expected examples with features in 2 or more (is this the file of labels?)",
            input->path);
    SF_TRY(open_labels(input, spec, h.n, labels));
    SF_TRY(sf_labels_dataset(labels, spec->labels_path, h.width, out));
    sf_status status = read_examples(input, &h, labels, *out);
    if (status != SF_OK)
        sf_dataset_destroy(out);
    return status;
}
