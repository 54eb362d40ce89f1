/* A pass over the data by rows, for the instruction set this is compiled for (base/simd.h).
 *
 * Rows that are not sparse go TOGETHER at a time, so that a load of the weights or of the field serves all of
 * them. Each row has one accumulator of eight lanes, and the field takes its rows one after another, so the
 * grouping changes no bits.
 */
#include "base/simd_exp.h"
#include "network/kernels.h"

/* Rows, or blocks of columns, whose accumulators fit in registers. */
enum { TOGETHER = SF_SIMD_REGISTERS >= 16 ? 8 : 4, ACROSS = TOGETHER };

SF_INLINE vd codes(const sf_pack *pack, sf_pack_type type, size_t at)
{
    switch (type) {
    case SF_PACK_FLOATS:
        return vd_float(pack->floats + at);
    case SF_PACK_BYTES:
        return vd_bytes(pack->bytes + at);
    default:
        return vd_load(pack->doubles + at);
    }
}

enum { LINE = 64, AHEAD = 2048 }; // bytes

/* The lines that hold what follows the codes of `blocks` blocks by AHEAD bytes. */
SF_INLINE void prefetch_codes(const sf_pack *pack, sf_pack_type type, int blocks, size_t at)
{
    const char *p = type == SF_PACK_FLOATS  ? (const char *)(pack->floats + at)
                    : type == SF_PACK_BYTES ? (const char *)(pack->bytes + at)
                                            : (const char *)(pack->doubles + at);
    int size = type == SF_PACK_FLOATS ? sizeof(float) : type == SF_PACK_BYTES ? 1 : sizeof(double);
    for (int b = 0; b < blocks * VD * size; b += LINE)
        SF_PREFETCH(p + AHEAD + b);
}

/* ---- rows that are not sparse -------------------------------------------------------------------- */

/* A tile: where its rows lie, and its columns in whole blocks and the rest. */
typedef struct tile {
    size_t at, next, whole, rest; // code of the first row, codes to the next row
} tile;

SF_INLINE tile tile_of(const sf_pack *pack, size_t first, size_t row)
{
    size_t stride = sf_pack_tile_columns(pack, first),
           columns = pack->width - first < stride ? pack->width - first : stride;
    return (tile){sf_pack_at(pack, row, first), stride, columns / VD * VD, columns % VD};
}

/* The codes beyond the last whole block: rows that are padded hold 0 there; borrowed ones end at the width. */
SF_INLINE vd last_codes(const sf_pack *pack, sf_pack_type type, size_t at, size_t rest)
{
    return type == SF_PACK_DOUBLES ? vd_load_part(pack->doubles + at, rest) : codes(pack, type, at);
}

SF_INLINE void dense_margins(const sf_pack *pack, sf_pack_type type, int rows, const tile *t,
                             const double *weights, double *lanes)
{
    vd sum[TOGETHER];
    SF_UNROLL for (int i = 0; i < rows; i++) sum[i] = vd_load(lanes + i * VD);
    for (size_t j = 0; j < t->whole; j += VD) {
        vd w = vd_load(weights + j);

        SF_UNROLL for (int i = 0; i < rows; i++) sum[i] =
            vd_fma(codes(pack, type, t->at + (size_t)i * t->next + j), w, sum[i]);
    }
    if (t->rest) {
        vd w = vd_load_part(weights + t->whole, t->rest);
        for (int i = 0; i < rows; i++)
            sum[i] =
                vd_fma(last_codes(pack, type, t->at + (size_t)i * t->next + t->whole, t->rest), w, sum[i]);
    }
    SF_UNROLL for (int i = 0; i < rows; i++) vd_store(lanes + i * VD, sum[i]);
}

SF_INLINE void dense_accumulate(const sf_pack *pack, sf_pack_type type, int rows, const tile *t,
                                const double *slope, double *field)
{
    vd s[TOGETHER];
    SF_UNROLL for (int i = 0; i < rows; i++) s[i] = vd_set(slope[i]);
    for (size_t j = 0; j < t->whole; j += VD) {
        vd f = vd_load(field + j);
        SF_UNROLL for (int i = 0; i < rows; i++) f =
            vd_fma(codes(pack, type, t->at + (size_t)i * t->next + j), s[i], f);
        vd_store(field + j, f);
    }
    if (t->rest) {
        vd f = vd_load_part(field + t->whole, t->rest);
        for (int i = 0; i < rows; i++)
            f = vd_fma(last_codes(pack, type, t->at + (size_t)i * t->next + t->whole, t->rest), s[i], f);
        vd_store_part(field + t->whole, t->rest, f);
    }
}

/* ACROSS blocks of columns from column j of the tile, or one: sums over all rows stay in registers. */
SF_INLINE void field_of_blocks(const sf_pack *pack, sf_pack_type type, int across, const tile *t, size_t j,
                               const double *slope, vd *sum)
{
    SF_UNROLL for (int b = 0; b < across; b++) sum[b] = vd_set(0.0);
    size_t at = t->at + j;
    for (size_t i = 0; i < pack->n; i++, at += t->next) {
        vd s = vd_set(slope[i]);
        prefetch_codes(pack, type, across, at);
        __builtin_prefetch((const char *)(pack->floats + at) + 2048);
        __builtin_prefetch((const char *)(pack->floats + at) + 2112);
        SF_UNROLL for (int b = 0; b < across; b++) sum[b] =
            vd_fma(codes(pack, type, at + (size_t)b * VD), s, sum[b]);
    }
}

SF_INLINE void field_of_type(const sf_pack *pack, sf_pack_type type, size_t first, const double *slope,
                             double factor, double total, double *out)
{
    tile t = tile_of(pack, first, 0);
    size_t columns = t.whole + t.rest;
    vd sum[ACROSS];
    for (size_t j = 0, next; j < columns; j = next) {
        bool several = j + ACROSS * VD <= columns;
        next = several ? j + ACROSS * VD : j + VD;
        if (several)
            field_of_blocks(pack, type, ACROSS, &t, j, slope, sum);
        else
            field_of_blocks(pack, type, 1, &t, j, slope, sum);
        for (int b = 0; j < next; b++, j += VD) {
            vd x = vd_mul(sum[b], vd_set(factor));
            if (pack->scale) // padded, as the codes are
                x = vd_mul(vd_fnma(vd_set(total), vd_load(pack->shift + first + j), x),
                           vd_load(pack->scale + first + j));
            vd_store_upto(out + j, columns - j < VD ? columns - j : VD, x);
        }
    }
}

SF_INLINE void margins_of_type(const sf_pack *pack, sf_pack_type type, size_t first, size_t row, size_t count,
                               const double *weights, double *lanes)
{
    tile t = tile_of(pack, first, row);
    size_t i = 0;
    for (; i + TOGETHER <= count; i += TOGETHER, t.at += TOGETHER * t.next)
        dense_margins(pack, type, TOGETHER, &t, weights, lanes + i * VD);
    for (; i < count; i++, t.at += t.next)
        dense_margins(pack, type, 1, &t, weights, lanes + i * VD);
}

SF_INLINE void accumulate_of_type(const sf_pack *pack, sf_pack_type type, size_t first, size_t row,
                                  size_t count, const double *slope, double *field)
{
    tile t = tile_of(pack, first, row);
    size_t i = 0;
    for (; i + TOGETHER <= count; i += TOGETHER, t.at += TOGETHER * t.next)
        dense_accumulate(pack, type, TOGETHER, &t, slope + i, field);
    for (; i < count; i++, t.at += t.next)
        dense_accumulate(pack, type, 1, &t, slope + i, field);
}

/* ---- rows as lists of blocks --------------------------------------------------------------------- */

/* weights and field are padded to whole blocks. Four chains hide the latency of a row's sum. */
SF_INLINE double sparse_margin(const sf_pack *pack, sf_pack_type type, size_t row, const double *weights)
{
    vd sum[4] = {vd_set(0.0), vd_set(0.0), vd_set(0.0), vd_set(0.0)};
    size_t b = pack->starts[row], end = pack->starts[row + 1];
    for (; b + 4 <= end; b += 4)
        for (size_t k = 0; k < 4; k++)
            sum[k] = vd_fma(codes(pack, type, (b + k) * VD),
                            vd_load(weights + (size_t)pack->blocks[b + k] * VD), sum[k]);
    for (; b < end; b++)
        sum[0] = vd_fma(codes(pack, type, b * VD), vd_load(weights + (size_t)pack->blocks[b] * VD), sum[0]);
    return vd_sum(vd_add(vd_add(sum[0], sum[1]), vd_add(sum[2], sum[3])));
}

SF_INLINE void sparse_margins_of_type(const sf_pack *pack, sf_pack_type type, size_t row, size_t count,
                                      const double *weights, double *margin)
{
    for (size_t i = 0; i < count; i++)
        margin[i] = sparse_margin(pack, type, row + i, weights);
}

SF_INLINE void sparse_accumulate_of_type(const sf_pack *pack, sf_pack_type type, size_t row, size_t count,
                                         const double *slope, double *field)
{
    for (size_t i = 0; i < count; i++) {
        vd s = vd_set(slope[i]);
        for (size_t b = pack->starts[row + i], end = pack->starts[row + i + 1]; b < end; b++) {
            double *f = field + (size_t)pack->blocks[b] * VD;
            vd_store(f, vd_fma(codes(pack, type, b * VD), s, vd_load(f)));
        }
    }
}

/* ---- the table: the type of the codes is known when compiling ------------------------------------- */

#define SF_BY_TYPE(call, ...)                                                                                \
    switch (pack->type) {                                                                                    \
    case SF_PACK_DOUBLES:                                                                                    \
        call(pack, SF_PACK_DOUBLES, __VA_ARGS__);                                                            \
        break;                                                                                               \
    case SF_PACK_FLOATS:                                                                                     \
        call(pack, SF_PACK_FLOATS, __VA_ARGS__);                                                             \
        break;                                                                                               \
    case SF_PACK_BYTES:                                                                                      \
        call(pack, SF_PACK_BYTES, __VA_ARGS__);                                                              \
        break;                                                                                               \
    }

static void margins(const sf_pack *pack, size_t first, size_t row, size_t count, const double *weights,
                    double *lanes)
{
    SF_BY_TYPE(margins_of_type, first, row, count, weights, lanes)
}

static void accumulate(const sf_pack *pack, size_t first, size_t row, size_t count, const double *slope,
                       double *field)
{
    SF_BY_TYPE(accumulate_of_type, first, row, count, slope, field)
}

static void field(const sf_pack *pack, size_t first, const double *slope, double factor, double total,
                  double *out)
{
    SF_BY_TYPE(field_of_type, first, slope, factor, total, out)
}

static void sparse_margins(const sf_pack *pack, size_t row, size_t count, const double *weights,
                           double *margin)
{
    SF_BY_TYPE(sparse_margins_of_type, row, count, weights, margin)
}

static void sparse_accumulate(const sf_pack *pack, size_t row, size_t count, const double *slope,
                              double *field)
{
    SF_BY_TYPE(sparse_accumulate_of_type, row, count, slope, field)
}

static void fold(size_t count, const double *lanes, double *margin)
{
    for (size_t i = 0; i < count; i++)
        margin[i] = vd_sum(vd_load(lanes + i * VD));
}

static double weigh(size_t count, const double *weights, const double *shift, const double *scale,
                    double *out)
{
    vd sum = vd_set(0.0);
    for (size_t j = 0; j < count; j += VD) {
        size_t part = count - j < VD ? count - j : VD;
        vd w = vd_mul(vd_load_upto(weights + j, part), vd_load_upto(scale + j, part));
        sum = vd_fma(vd_load_upto(shift + j, part), w, sum);
        vd_store_upto(out + j, part, w);
    }
    return vd_sum(sum);
}

static void combine(size_t groups, size_t width, const double *factor, const double *partial, size_t count,
                    const double *shift, const double *scale, double total, double *out)
{
    for (size_t j = 0; j < count; j += VD) {
        size_t part = count - j < VD ? count - j : VD;
        vd sum = vd_set(0.0);
        for (size_t g = 0; g < groups; g++)
            sum = vd_fma(vd_set(factor[g]), vd_load_upto(partial + g * width + j, part), sum);
        if (scale)
            sum = vd_mul(vd_fnma(vd_set(total), vd_load_upto(shift + j, part), sum),
                         vd_load_upto(scale + j, part));
        vd_store_upto(out + j, part, sum);
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

const sf_network_kernels SF_SIMD(sf_network_kernels) = {
    margins, accumulate, field, sparse_margins, sparse_accumulate, fold, weigh, combine, slopes};
