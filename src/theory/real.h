/* The working precision of the reduction.
 *
 * Close to the critical scale every rounding error is amplified by 1 / |alpha / alpha_c - 1|, so the one
 * scalar equation is integrated in the 80-bit format where the processor has it (x86: 64 bits of mantissa).
 * Elsewhere it is double: quadruple precision in software would cost a factor of 50.
 */
#ifndef SF_THEORY_REAL_H
#define SF_THEORY_REAL_H

#include <float.h>
#include <math.h>

#if LDBL_MANT_DIG == 64
typedef long double sf_real;
#define REAL_EPSILON LDBL_EPSILON
#define real_exp     expl
#define real_expm1   expm1l
#define real_log     logl
#define real_log1p   log1pl
#define real_sqrt    sqrtl
#define real_pow     powl
#define real_abs     fabsl
#define real_ldexp   ldexpl
#else
typedef double sf_real;
#define REAL_EPSILON DBL_EPSILON
#define real_exp     exp
#define real_expm1   expm1
#define real_log     log
#define real_log1p   log1p
#define real_sqrt    sqrt
#define real_pow     pow
#define real_abs     fabs
#define real_ldexp   ldexp
#endif

#endif
