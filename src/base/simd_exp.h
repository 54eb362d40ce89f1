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

#endif
