/* The vector functions of base/simd_exp.h against long double, in units in the last place of the result. */
#include "base/simd_exp.h"
#include "simd.h"

static void apply(int function, const double *x, double *y)
{
    vd v = vd_load(x);
    switch (function) {
    case SIMD_EXP:
        v = vd_exp(v);
        break;
    case SIMD_EXP_BOUNDED:
        v = vd_exp_bounded(v);
        break;
    case SIMD_RECIP:
        v = vd_recip(v);
        break;
    default:
        v = vd_rsqrt(v);
    }
    vd_store(y, v);
}

const simd_functions SF_SIMD(simd_functions) = {apply};
