/* The sum of product.h for the instruction set this is compiled for: tiles of rows and columns whose sums stay in
 * registers. */
#include "base/simd_float.h"
#include "nn/product.h"

/* Rows and vectors of a tile. */
enum { TALL = 6, WIDE = SF_SIMD_REGISTERS >= 16 ? 2 : 1 };
_Static_assert((int)VF == (int)SF_PRODUCT_LANES, "what may be read beyond the columns");

SF_INLINE void tile(const sf_product *p, int rows, int wide, size_t rest, const float *a, const float *b,
                    float *out)
{
    vf sum[TALL][WIDE];
    SF_UNROLL for (int i = 0; i < rows; i++)
    {
        SF_UNROLL for (int v = 0; v < wide; v++) sum[i][v] =
            vf_load_upto(out + (size_t)i * p->out_row + v * VF, v + 1 < wide ? VF : rest);
    }
    for (size_t s = 0; s < p->outer; s++) {
        const float *x = a + s * p->a_outer, *y = b + s * p->b_outer;
        for (size_t r = 0; r < p->inner; r++, x += p->a_inner, y += p->b_inner) {
            vf column[WIDE];
            SF_UNROLL for (int v = 0; v < wide; v++) column[v] = vf_load(y + v * VF);
            SF_UNROLL for (int i = 0; i < rows; i++)
            {
                vf factor = vf_set(x[(size_t)i * p->a_row]);
                SF_UNROLL for (int v = 0; v < wide; v++) sum[i][v] = vf_fma(factor, column[v], sum[i][v]);
            }
        }
    }
    SF_UNROLL for (int i = 0; i < rows; i++)
    {
        SF_UNROLL for (int v = 0; v < wide; v++)
            vf_store_upto(out + (size_t)i * p->out_row + v * VF, v + 1 < wide ? VF : rest, sum[i][v]);
    }
}

/* All rows of a line. */
SF_INLINE void line(const sf_product *p, int wide, size_t rest, const float *a, const float *b, float *out)
{
    size_t m = 0;
    for (; m + TALL <= p->rows; m += TALL)
        tile(p, TALL, wide, rest, a + m * p->a_row, b, out + m * p->out_row);
    a += m * p->a_row;
    out += m * p->out_row;
    switch (p->rows - m) {
    case 5:
        tile(p, 5, wide, rest, a, b, out);
        break;
    case 4:
        tile(p, 4, wide, rest, a, b, out);
        break;
    case 3:
        tile(p, 3, wide, rest, a, b, out);
        break;
    case 2:
        tile(p, 2, wide, rest, a, b, out);
        break;
    case 1:
        tile(p, 1, wide, rest, a, b, out);
        break;
    default:
        break;
    }
}

void SF_SIMD(sf_product)(const sf_product *p)
{
    size_t first = 0;
    while (first < p->columns) {
        size_t left = p->columns - first;
        int wide = left > VF && WIDE > 1 ? WIDE : 1;
        size_t taken = left < (size_t)wide * VF ? left : (size_t)wide * VF,
               rest = taken - (size_t)(wide - 1) * VF;
        for (size_t l = 0; l < p->lines; l++) {
            const float *a = p->a + l * p->a_line, *b = p->b + first;
            float *out = p->out + l * p->out_line + first;
            if (wide == WIDE)
                line(p, WIDE, rest, a, b, out);
            else
                line(p, 1, rest, a, b, out);
        }
        first += taken;
    }
}
