/* The sum of product.h as plain loops, and the choice of its kernel. */
#include "nn/product.h"

enum { LANES = SF_PRODUCT_LANES };

/* One row of up to LANES columns. */
static void plain_row(const sf_product *p, const float *a, const float *b, size_t columns, float *out)
{
    float sum[LANES] = {0.0f};
    for (size_t j = 0; j < columns; j++)
        sum[j] = out[j];
    for (size_t s = 0; s < p->outer; s++)
        for (size_t r = 0; r < p->inner; r++) {
            float x = a[s * p->a_outer + r * p->a_inner];
            const float *row = b + s * p->b_outer + r * p->b_inner;
            for (size_t j = 0; j < LANES; j++) // what is beyond the columns is not kept
                sum[j] += x * row[j];
        }
    for (size_t j = 0; j < columns; j++)
        out[j] = sum[j];
}

void sf_product_plain(const sf_product *p)
{
    for (size_t first = 0; first < p->columns; first += LANES)
        for (size_t l = 0; l < p->lines; l++)
            for (size_t m = 0; m < p->rows; m++)
                plain_row(p, p->a + l * p->a_line + m * p->a_row, p->b + first,
                          p->columns - first < LANES ? p->columns - first : LANES,
                          p->out + l * p->out_line + m * p->out_row + first);
}

sf_product_fn sf_product_of(sf_isa isa)
{
    switch (isa) {
#if defined(SF_HAVE_X86_KERNELS)
    case SF_ISA_AVX2:
        return sf_product_avx2;
    case SF_ISA_AVX512:
        return sf_product_avx512;
#elif defined(SF_HAVE_NEON_KERNELS)
    case SF_ISA_NEON:
        return sf_product_neon;
#endif
    default:
        return sf_product_plain;
    }
}
