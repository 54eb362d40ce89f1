/* Sixteen floats at once, beside the eight doubles of base/simd.h: on AVX-512 (one register), AVX2 with FMA (two) and NEON
 * (four), with a fused multiply-add everywhere, so that all three give the same bits. */
#ifndef SF_SIMD_FLOAT_H
#define SF_SIMD_FLOAT_H

#include "base/simd.h"

enum { VF = 16 }; // lanes

#if defined(__AVX512F__) && defined(__AVX512DQ__)

typedef __m512 vf;

SF_INLINE vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
SF_INLINE void vf_store(float *p, vf x)
{
    _mm512_storeu_ps(p, x);
}
SF_INLINE vf vf_set(float x)
{
    return _mm512_set1_ps(x);
}
/* x * y + z */
SF_INLINE vf vf_fma(vf x, vf y, vf z)
{
    return _mm512_fmadd_ps(x, y, z);
}

#elif defined(__AVX2__) && defined(__FMA__)

typedef struct {
    __m256 a, b;
} vf;

SF_INLINE vf vf_load(const float *p)
{
    return (vf){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
SF_INLINE void vf_store(float *p, vf x)
{
    _mm256_storeu_ps(p, x.a);
    _mm256_storeu_ps(p + 8, x.b);
}
SF_INLINE vf vf_set(float x)
{
    __m256 eight = _mm256_set1_ps(x);
    return (vf){eight, eight};
}
/* x * y + z */
SF_INLINE vf vf_fma(vf x, vf y, vf z)
{
    return (vf){_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}

#else

typedef struct {
    float32x4_t a, b, c, d;
} vf;

SF_INLINE vf vf_load(const float *p)
{
    return (vf){vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
}
SF_INLINE void vf_store(float *p, vf x)
{
    vst1q_f32(p, x.a);
    vst1q_f32(p + 4, x.b);
    vst1q_f32(p + 8, x.c);
    vst1q_f32(p + 12, x.d);
}
SF_INLINE vf vf_set(float x)
{
    float32x4_t four = vdupq_n_f32(x);
    return (vf){four, four, four, four};
}
/* x * y + z */
SF_INLINE vf vf_fma(vf x, vf y, vf z)
{
    return (vf){vfmaq_f32(z.a, x.a, y.a), vfmaq_f32(z.b, x.b, y.b), vfmaq_f32(z.c, x.c, y.c),
                vfmaq_f32(z.d, x.d, y.d)};
}

#endif

/* The first count <= VF numbers; the rest is 0, or left as it is. */
SF_INLINE vf vf_load_upto(const float *p, size_t count)
{
    float full[VF] = {0};
    if (count == VF)
        return vf_load(p);
    memcpy(full, p, count * sizeof *p);
    return vf_load(full);
}
SF_INLINE void vf_store_upto(float *p, size_t count, vf x)
{
    float full[VF];
    if (count == VF) {
        vf_store(p, x);
        return;
    }
    vf_store(full, x);
    memcpy(p, full, count * sizeof *p);
}

#endif
