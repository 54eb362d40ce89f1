/* The vector functions of one instruction set, for the test. */
#ifndef SF_TEST_SIMD_H
#define SF_TEST_SIMD_H

enum { SIMD_EXP, SIMD_EXP_BOUNDED, SIMD_RECIP, SIMD_RSQRT };

typedef struct simd_functions {
    void (*apply)(int function, const double *x, double *y); /* eight numbers */
} simd_functions;

extern const simd_functions simd_functions_avx2, simd_functions_avx512, simd_functions_neon;

#endif
