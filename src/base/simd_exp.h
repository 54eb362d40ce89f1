/* e^x of eight doubles, inlined into the kernels.
 *
 * x = n log 2 + r with n whole and |r| <= log(2)/2; log 2 is split so that n times its first part is exact.
 * e^r = 1 + r + r^2 q(r), q of degree 9 through the Chebyshev nodes of the interval (relative error 1.7e-17),
 * then times 2^n with one rounding. Within 2 ulp; subnormal results, 0 and infinity come out as they should;
 * NaN stays.
 */
#ifndef SF_SIMD_EXP_H
#define SF_SIMD_EXP_H

#include "base/simd.h"

SF_INLINE vd vd_exp(vd x)
{
    // vd_min and vd_max hand NaN, as second argument, through
    x = vd_max(vd_set(-746.0), vd_min(vd_set(710.0), x));
    vd n = vd_round(vd_mul(x, vd_set(0x1.71547652b82fep+0)));
    vd r = vd_fnma(n, vd_set(0x1.62e42fefa2000p-1), x);
    r = vd_fnma(n, vd_set(0x1.9ef35793c7673p-41), r);
    // Estrin's scheme: short chains, so that few vectors in flight fill the pipes
    vd r2 = vd_mul(r, r), r4 = vd_mul(r2, r2);
    vd q01 = vd_fma(r, vd_set(0x1.5555555555556p-3), vd_set(0x1.0000000000001p-1));
    vd q23 = vd_fma(r, vd_set(0x1.11111111109b5p-7), vd_set(0x1.5555555553d68p-5));
    vd q45 = vd_fma(r, vd_set(0x1.a01a01a7c2efep-13), vd_set(0x1.6c16c17889ef1p-10));
    vd q67 = vd_fma(r, vd_set(0x1.71de0db2f6b19p-19), vd_set(0x1.a019b9149a41cp-16));
    vd q89 = vd_fma(r, vd_set(0x1.af389ecfc4b9cp-26), vd_set(0x1.28917c89a43a7p-22));
    vd q03 = vd_fma(r2, q23, q01), q47 = vd_fma(r2, q67, q45);
    vd q = vd_fma(r4, vd_fma(r4, q89, q47), q03);
    return vd_scale(vd_add(vd_set(1.0), vd_fma(r2, q, r)), n);
}

/* e^x where -700 <= x <= 700 (or NaN), for kernels that are bound by arithmetic: within 2 ulp as well.
 * 1/x and 1/sqrt(x) for normal numbers, within 2 ulp. */
#if defined(__AVX512F__)

/* Of up to four at once, stage by stage: one after another they would fill the queues of the processor with operations
 * that wait. x = k log(2)/16 + r with |r| <= log(2)/32: 2^(k mod 16 / 16) comes from a table in two registers, e^r from a
 * polynomial of degree 6 (relative error 3e-17), 2^(k div 16) is added to the exponent. k is read from the last
 * bits of x * 16 / log 2 + 1.5 * 2^52. */
SF_INLINE void vd_exp_bounded_several(int count, vd *x)
{
    const vd magic = vd_set(0x1.8p52);
    const vd low = _mm512_setr_pd(0x1p+0, 0x1.0b5586cf9890fp+0, 0x1.172b83c7d517bp+0, 0x1.2387a6e756238p+0,
                                  0x1.306fe0a31b715p+0, 0x1.3dea64c123422p+0, 0x1.4bfdad5362a27p+0,
                                  0x1.5ab07dd485429p+0);
    const vd high = _mm512_setr_pd(0x1.6a09e667f3bcdp+0, 0x1.7a11473eb0187p+0, 0x1.8ace5422aa0dbp+0,
                                   0x1.9c49182a3f090p+0, 0x1.ae89f995ad3adp+0, 0x1.c199bdd85529cp+0,
                                   0x1.d5818dcfba487p+0, 0x1.ea4afa2a490dap+0);
    vd shifted[4], k[4], r[4], q[4], r2[4], root[4];
    SF_UNROLL for (int u = 0; u < count; u++) shifted[u] = vd_fma(x[u], vd_set(0x1.71547652b82fep+4), magic);
    SF_UNROLL for (int u = 0; u < count; u++) k[u] = vd_sub(shifted[u], magic);
    SF_UNROLL for (int u = 0; u < count; u++) r[u] = vd_fnma(k[u], vd_set(0x1.62e42fefa0000p-5), x[u]);
    SF_UNROLL for (int u = 0; u < count; u++) r[u] = vd_fnma(k[u], vd_set(0x1.cf79abc9e3b3ap-44), r[u]);
    SF_UNROLL for (int u = 0; u < count; u++)
    {
        q[u] = vd_fma(r[u], vd_set(0x1.6c17bb51f236dp-10), vd_set(0x1.11120af701debp-7));
        r2[u] = vd_mul(r[u], r[u]);
    }
    SF_UNROLL for (int u = 0; u < count; u++) q[u] = vd_fma(r[u], q[u], vd_set(0x1.55555555194d2p-5));
    SF_UNROLL for (int u = 0; u < count; u++) q[u] = vd_fma(r[u], q[u], vd_set(0x1.55555554dd44dp-3));
    SF_UNROLL for (int u = 0; u < count; u++) q[u] = vd_fma(r[u], q[u], vd_set(0.5));
    SF_UNROLL for (int u = 0; u < count; u++)
    {
        root[u] = _mm512_permutex2var_pd(low, _mm512_castpd_si512(shifted[u]), high);
        q[u] = vd_fma(r2[u], q[u], r[u]);
    }
    SF_UNROLL for (int u = 0; u < count; u++)
    {
        vd p = vd_fma(root[u], q[u], root[u]);
        __m512i power = _mm512_slli_epi64(
            _mm512_andnot_si512(_mm512_set1_epi64(15), _mm512_castpd_si512(shifted[u])), 48);
        x[u] = _mm512_castsi512_pd(_mm512_add_epi64(_mm512_castpd_si512(p), power));
    }
}

SF_INLINE vd vd_exp_bounded(vd x)
{
    vd_exp_bounded_several(1, &x);
    return x;
}

/* From 14 bits to all by one step of fourth order: e = 1 - x y, y (1 + e)(1 + e^2). */
SF_INLINE vd vd_recip(vd x)
{
    vd y = _mm512_rcp14_pd(x), e = vd_fnma(x, y, vd_set(1.0));
    return vd_fma(vd_fma(y, e, y), vd_mul(e, e), vd_fma(y, e, y));
}

/* e = 1 - x y^2, y (1 - e)^(-1/2) = y (1 + e/2 + 3/8 e^2 + 5/16 e^3). */
SF_INLINE vd vd_rsqrt(vd x)
{
    vd y = _mm512_rsqrt14_pd(x), e = vd_fnma(vd_mul(x, y), y, vd_set(1.0));
    vd q = vd_fma(e, vd_fma(e, vd_set(0.3125), vd_set(0.375)), vd_set(0.5));
    return vd_fma(vd_mul(y, e), q, y);
}

#else

SF_INLINE vd vd_exp_bounded(vd x)
{
    return vd_exp(x);
}

SF_INLINE void vd_exp_bounded_several(int count, vd *x)
{
    for (int u = 0; u < count; u++)
        x[u] = vd_exp(x[u]);
}

SF_INLINE vd vd_recip(vd x)
{
    return vd_div(vd_set(1.0), x);
}

SF_INLINE vd vd_rsqrt(vd x)
{
    return vd_div(vd_set(1.0), vd_sqrt(x));
}

#endif

#endif
