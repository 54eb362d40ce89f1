/* A pass over the data by rows, for the instruction set this is compiled for (base/simd.h).
 *
 * Rows that are not sparse go SF_ROWS at a time, so that a load of the weights or of the field serves all of
 * them. Each row has one accumulator of eight lanes, and the field takes its rows one after another, so the
 * grouping changes no bits.
 */
#include "base/simd_exp.h"
#include "network/kernels.h"

/* Rows whose accumulators fit in registers. */
enum { TOGETHER = SF_SIMD_REGISTERS >= 16 ? 8 : 4 };

SF_INLINE vd entries(const sf_pack *pack, sf_pack_type type, size_t at, vd factor)
{
    switch (type) {
    case SF_PACK_FLOATS:
        return vd_float(pack->floats + at);
    case SF_PACK_BYTES:
        return vd_mul(vd_bytes(pack->bytes + at), factor);
    default:
        return vd_load(pack->doubles + at);
    }
}

SF_INLINE vd row_factor(const sf_pack *pack, sf_pack_type type, size_t row)
{
    return vd_set(type == SF_PACK_BYTES ? pack->factor[row] : 1.0);
}

/* ---- rows that are not sparse -------------------------------------------------------------------- */

SF_INLINE void dense_margins(const sf_pack *pack, sf_pack_type type, int rows, size_t row,
                             const double *weights, double *margin)
{
    vd sum[TOGETHER], factor[TOGETHER];
    size_t at[TOGETHER], whole = pack->width / VD * VD, rest = pack->width - whole;
    for (int i = 0; i < rows; i++) {
        sum[i] = vd_set(0.0);
        factor[i] = row_factor(pack, type, row + (size_t)i);
        at[i] = (row + (size_t)i) * pack->stride;
    }
    for (size_t j = 0; j < whole; j += VD) {
        vd w = vd_load(weights + j);
        for (int i = 0; i < rows; i++)
            sum[i] = vd_fma(entries(pack, type, at[i] + j, factor[i]), w, sum[i]);
    }
    if (rest) {
        vd w = vd_load_part(weights + whole, rest);
        for (int i = 0; i < rows; i++) {
            // rows that are padded hold 0 there; borrowed ones end at the width
            vd z = type == SF_PACK_DOUBLES ? vd_load_part(pack->doubles + at[i] + whole, rest)
                                           : entries(pack, type, at[i] + whole, factor[i]);
            sum[i] = vd_fma(z, w, sum[i]);
        }
    }
    for (int i = 0; i < rows; i++)
        margin[i] = vd_sum(sum[i]);
}

SF_INLINE void dense_accumulate(const sf_pack *pack, sf_pack_type type, int rows, size_t row,
                                const double *slope, double *field)
{
    vd s[TOGETHER], factor[TOGETHER];
    size_t at[TOGETHER], whole = pack->width / VD * VD, rest = pack->width - whole;
    for (int i = 0; i < rows; i++) {
        s[i] = vd_set(slope[i]);
        factor[i] = row_factor(pack, type, row + (size_t)i);
        at[i] = (row + (size_t)i) * pack->stride;
    }
    for (size_t j = 0; j < whole; j += VD) {
        vd f = vd_load(field + j);
        for (int i = 0; i < rows; i++)
            f = vd_fma(entries(pack, type, at[i] + j, factor[i]), s[i], f);
        vd_store(field + j, f);
    }
    if (rest) {
        vd f = vd_load_part(field + whole, rest);
        for (int i = 0; i < rows; i++) {
            vd z = type == SF_PACK_DOUBLES ? vd_load_part(pack->doubles + at[i] + whole, rest)
                                           : entries(pack, type, at[i] + whole, factor[i]);
            f = vd_fma(z, s[i], f);
        }
        vd_store_part(field + whole, rest, f);
    }
}

/* ---- rows as lists of blocks --------------------------------------------------------------------- */

/* weights and field are padded to whole blocks. Four chains hide the latency of a row's sum. */
SF_INLINE double sparse_margin(const sf_pack *pack, sf_pack_type type, size_t row, const double *weights)
{
    vd sum[4] = {vd_set(0.0), vd_set(0.0), vd_set(0.0), vd_set(0.0)}, factor = row_factor(pack, type, row);
    size_t b = pack->starts[row], end = pack->starts[row + 1];
    for (; b + 4 <= end; b += 4)
        for (size_t k = 0; k < 4; k++)
            sum[k] = vd_fma(entries(pack, type, (b + k) * VD, factor),
                            vd_load(weights + (size_t)pack->blocks[b + k] * VD), sum[k]);
    for (; b < end; b++)
        sum[0] = vd_fma(entries(pack, type, b * VD, factor), vd_load(weights + (size_t)pack->blocks[b] * VD),
                        sum[0]);
    return vd_sum(vd_add(vd_add(sum[0], sum[1]), vd_add(sum[2], sum[3])));
}

SF_INLINE void sparse_accumulate(const sf_pack *pack, sf_pack_type type, size_t row, double slope,
                                 double *field)
{
    vd s = vd_set(slope), factor = row_factor(pack, type, row);
    for (size_t b = pack->starts[row], end = pack->starts[row + 1]; b < end; b++) {
        double *f = field + (size_t)pack->blocks[b] * VD;
        vd_store(f, vd_fma(entries(pack, type, b * VD, factor), s, vd_load(f)));
    }
}

/* ---- the table ----------------------------------------------------------------------------------- */

SF_INLINE void margins_of_type(const sf_pack *pack, sf_pack_type type, size_t row, size_t count,
                               const double *weights, double *margin)
{
    size_t i = 0;
    if (pack->blocks)
        for (; i < count; i++)
            margin[i] = sparse_margin(pack, type, row + i, weights);
    for (; i + TOGETHER <= count; i += TOGETHER)
        dense_margins(pack, type, TOGETHER, row + i, weights, margin + i);
    for (; i < count; i++)
        dense_margins(pack, type, 1, row + i, weights, margin + i);
}

SF_INLINE void accumulate_of_type(const sf_pack *pack, sf_pack_type type, size_t row, size_t count,
                                  const double *slope, double *field)
{
    size_t i = 0;
    if (pack->blocks)
        for (; i < count; i++)
            sparse_accumulate(pack, type, row + i, slope[i], field);
    for (; i + TOGETHER <= count; i += TOGETHER)
        dense_accumulate(pack, type, TOGETHER, row + i, slope + i, field);
    for (; i < count; i++)
        dense_accumulate(pack, type, 1, row + i, slope + i, field);
}

static void margins(const sf_pack *pack, size_t row, size_t count, const double *weights, double *margin)
{
    switch (pack->type) {
    case SF_PACK_DOUBLES:
        margins_of_type(pack, SF_PACK_DOUBLES, row, count, weights, margin);
        break;
    case SF_PACK_FLOATS:
        margins_of_type(pack, SF_PACK_FLOATS, row, count, weights, margin);
        break;
    case SF_PACK_BYTES:
        margins_of_type(pack, SF_PACK_BYTES, row, count, weights, margin);
        break;
    }
}

static void accumulate(const sf_pack *pack, size_t row, size_t count, const double *slope, double *field)
{
    switch (pack->type) {
    case SF_PACK_DOUBLES:
        accumulate_of_type(pack, SF_PACK_DOUBLES, row, count, slope, field);
        break;
    case SF_PACK_FLOATS:
        accumulate_of_type(pack, SF_PACK_FLOATS, row, count, slope, field);
        break;
    case SF_PACK_BYTES:
        accumulate_of_type(pack, SF_PACK_BYTES, row, count, slope, field);
        break;
    }
}

static void combine(size_t groups, size_t width, const double *factor, const double *partial, size_t begin,
                    size_t end, double *out)
{
    for (size_t j = begin; j < end; j += VD) {
        size_t count = end - j < VD ? end - j : VD;
        vd sum = vd_set(0.0);
        for (size_t g = 0; g < groups; g++)
            sum = vd_fma(vd_set(factor[g]), vd_load_upto(partial + g * width + j, count), sum);
        vd_store_upto(out + (j - begin), count, sum);
    }
}

static double slopes(sf_loss loss, size_t count, double reference, const double *margin, double *slope)
{
    vd m = vd_sub(vd_load(margin), vd_set(reference)), s;
    if (loss == SF_LOSS_EXPONENTIAL)
        s = vd_exp(vd_sub(vd_set(0.0), m));
    else
        s = vd_div(vd_set(1.0), vd_add(vd_set(exp(-reference)), vd_exp(m)));
    vd_store(slope, s);
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += slope[i];
    return sum;
}

const sf_network_kernels SF_SIMD(sf_network_kernels) = {margins, accumulate, combine, slopes};
