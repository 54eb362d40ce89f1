/* Eight doubles at once, on AVX-512 (one register), AVX2 with FMA (two) and NEON (four).
 *
 * A kernel is written once against this header and compiled once for each instruction set (kernel_avx2.c,
 * kernel_avx512.c, kernel_neon.c of a room). Eight lanes everywhere, the same order in every horizontal sum
 * and a fused multiply-add everywhere: all three give the same bits. SF_SIMD_REGISTERS says how many vd fit
 * in registers, for blocking.
 *
 * NaN: vd_min and vd_max return their second argument when either is NaN.
 */
#ifndef SF_SIMD_H
#define SF_SIMD_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SF_INLINE static inline __attribute__((always_inline))

/* Asks for the cache line at p, which may lie beyond the array. */
#define SF_PREFETCH(p) __builtin_prefetch(p)

/* Before a loop over an array of vd, which stays in registers only if the loop is unrolled. */
#if defined(__clang__)
#define SF_UNROLL _Pragma("clang loop unroll(full)")
#else
#define SF_UNROLL _Pragma("GCC unroll 16")
#endif

enum { VD = 8 }; // lanes

#if defined(__AVX512F__) && defined(__AVX512DQ__)

#include <immintrin.h>

#define SF_SIMD_NAME avx512
enum { SF_SIMD_REGISTERS = 32 };

typedef __m512d vd;
typedef __mmask8 vm;

SF_INLINE vd vd_load(const double *p)
{
    return _mm512_loadu_pd(p);
}
SF_INLINE vd vd_load_part(const double *p, size_t n)
{
    return _mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1u), p);
}
SF_INLINE void vd_store(double *p, vd a)
{
    _mm512_storeu_pd(p, a);
}
SF_INLINE void vd_store_part(double *p, size_t n, vd a)
{
    _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1u), a);
}
SF_INLINE vd vd_float(const float *p)
{
    return _mm512_cvtps_pd(_mm256_loadu_ps(p));
}
SF_INLINE vd vd_bytes(const uint8_t *p)
{
    return _mm512_cvtepi32_pd(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)p)));
}
SF_INLINE vd vd_set(double x)
{
    return _mm512_set1_pd(x);
}
SF_INLINE vd vd_add(vd a, vd b)
{
    return _mm512_add_pd(a, b);
}
SF_INLINE vd vd_sub(vd a, vd b)
{
    return _mm512_sub_pd(a, b);
}
SF_INLINE vd vd_mul(vd a, vd b)
{
    return _mm512_mul_pd(a, b);
}
SF_INLINE vd vd_div(vd a, vd b)
{
    return _mm512_div_pd(a, b);
}
SF_INLINE vd vd_sqrt(vd a)
{
    return _mm512_sqrt_pd(a);
}
SF_INLINE vd vd_min(vd a, vd b)
{
    return _mm512_min_pd(a, b);
}
SF_INLINE vd vd_max(vd a, vd b)
{
    return _mm512_max_pd(a, b);
}
SF_INLINE vd vd_fma(vd a, vd b, vd c)
{
    return _mm512_fmadd_pd(a, b, c);
}
SF_INLINE vd vd_fnma(vd a, vd b, vd c)
{
    return _mm512_fnmadd_pd(a, b, c);
}
SF_INLINE vd vd_abs(vd a)
{
    return _mm512_abs_pd(a);
}
SF_INLINE vd vd_round(vd a)
{
    return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
SF_INLINE vm vm_less(vd a, vd b)
{
    return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
}
SF_INLINE vm vm_and(vm a, vm b)
{
    return (vm)(a & b);
}
SF_INLINE unsigned vm_bits(vm a)
{
    return a;
}
/* a where the mask is set, else b. */
SF_INLINE vd vd_select(vm m, vd a, vd b)
{
    return _mm512_mask_blend_pd(m, b, a);
}
/* a * 2^n for whole n in [-2000, 2000]. */
SF_INLINE vd vd_scale(vd a, vd n)
{
    return _mm512_scalef_pd(a, n);
}
SF_INLINE double vd_sum(vd a)
{
    __m256d h = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
    __m128d q = _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(q) + _mm_cvtsd_f64(_mm_unpackhi_pd(q, q));
}

#elif defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>

#define SF_SIMD_NAME avx2
enum { SF_SIMD_REGISTERS = 8 };

typedef struct {
    __m256d a, b;
} vd;
typedef struct {
    __m256d a, b;
} vm;

SF_INLINE vd vd_make(__m256d a, __m256d b)
{
    return (vd){a, b};
}
SF_INLINE vd vd_load(const double *p)
{
    return vd_make(_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4));
}
SF_INLINE void vd_store(double *p, vd x)
{
    _mm256_storeu_pd(p, x.a);
    _mm256_storeu_pd(p + 4, x.b);
}
SF_INLINE vd vd_load_part(const double *p, size_t n)
{
    double full[8] = {0};
    memcpy(full, p, n * sizeof *p);
    return vd_load(full);
}
SF_INLINE void vd_store_part(double *p, size_t n, vd x)
{
    double full[8];
    vd_store(full, x);
    memcpy(p, full, n * sizeof *p);
}
SF_INLINE vd vd_float(const float *p)
{
    return vd_make(_mm256_cvtps_pd(_mm_loadu_ps(p)), _mm256_cvtps_pd(_mm_loadu_ps(p + 4)));
}
SF_INLINE vd vd_bytes(const uint8_t *p)
{
    __m256i i = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)p));
    return vd_make(_mm256_cvtepi32_pd(_mm256_castsi256_si128(i)),
                   _mm256_cvtepi32_pd(_mm256_extracti128_si256(i, 1)));
}
SF_INLINE vd vd_set(double x)
{
    return vd_make(_mm256_set1_pd(x), _mm256_set1_pd(x));
}
#define SF_VD_1(name, op)                                                                                    \
    SF_INLINE vd name(vd x)                                                                                  \
    {                                                                                                        \
        return vd_make(op(x.a), op(x.b));                                                                    \
    }
#define SF_VD_2(name, op)                                                                                    \
    SF_INLINE vd name(vd x, vd y)                                                                            \
    {                                                                                                        \
        return vd_make(op(x.a, y.a), op(x.b, y.b));                                                          \
    }
#define SF_VD_3(name, op)                                                                                    \
    SF_INLINE vd name(vd x, vd y, vd z)                                                                      \
    {                                                                                                        \
        return vd_make(op(x.a, y.a, z.a), op(x.b, y.b, z.b));                                                \
    }
SF_VD_2(vd_add, _mm256_add_pd)
SF_VD_2(vd_sub, _mm256_sub_pd)
SF_VD_2(vd_mul, _mm256_mul_pd)
SF_VD_2(vd_div, _mm256_div_pd)
SF_VD_1(vd_sqrt, _mm256_sqrt_pd)
SF_VD_2(vd_min, _mm256_min_pd)
SF_VD_2(vd_max, _mm256_max_pd)
SF_VD_3(vd_fma, _mm256_fmadd_pd)
SF_VD_3(vd_fnma, _mm256_fnmadd_pd)
#undef SF_VD_1
#undef SF_VD_2
#undef SF_VD_3
SF_INLINE vd vd_abs(vd x)
{
    __m256d sign = _mm256_set1_pd(-0.0);
    return vd_make(_mm256_andnot_pd(sign, x.a), _mm256_andnot_pd(sign, x.b));
}
SF_INLINE vd vd_round(vd x)
{
    return vd_make(_mm256_round_pd(x.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
                   _mm256_round_pd(x.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
SF_INLINE vm vm_less(vd x, vd y)
{
    return (vm){_mm256_cmp_pd(x.a, y.a, _CMP_LT_OQ), _mm256_cmp_pd(x.b, y.b, _CMP_LT_OQ)};
}
SF_INLINE vm vm_and(vm x, vm y)
{
    return (vm){_mm256_and_pd(x.a, y.a), _mm256_and_pd(x.b, y.b)};
}
SF_INLINE unsigned vm_bits(vm x)
{
    return (unsigned)_mm256_movemask_pd(x.a) | (unsigned)_mm256_movemask_pd(x.b) << 4;
}
SF_INLINE vd vd_select(vm m, vd x, vd y)
{
    return vd_make(_mm256_blendv_pd(y.a, x.a, m.a), _mm256_blendv_pd(y.b, x.b, m.b));
}
SF_INLINE __m256d vd_power_of_two(__m128i n) // n in [-1022, 1023]
{
    return _mm256_castsi256_pd(
        _mm256_slli_epi64(_mm256_cvtepi32_epi64(_mm_add_epi32(n, _mm_set1_epi32(1023))), 52));
}
SF_INLINE __m256d vd_scale_half(__m256d x, __m256d n)
{
    __m128i whole = _mm256_cvtpd_epi32(n), half = _mm_srai_epi32(whole, 1);
    return _mm256_mul_pd(_mm256_mul_pd(x, vd_power_of_two(half)),
                         vd_power_of_two(_mm_sub_epi32(whole, half)));
}
SF_INLINE vd vd_scale(vd x, vd n)
{
    return vd_make(vd_scale_half(x.a, n.a), vd_scale_half(x.b, n.b));
}
SF_INLINE double vd_sum(vd x)
{
    __m256d h = _mm256_add_pd(x.a, x.b);
    __m128d q = _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(q) + _mm_cvtsd_f64(_mm_unpackhi_pd(q, q));
}

#elif defined(__aarch64__) && defined(__ARM_NEON)

#include <arm_neon.h>

#define SF_SIMD_NAME neon
enum { SF_SIMD_REGISTERS = 8 };

typedef struct {
    float64x2_t a, b, c, d;
} vd;
typedef struct {
    uint64x2_t a, b, c, d;
} vm;

#define SF_FOUR(op, x)                                                                                       \
    {                                                                                                        \
        op(x.a), op(x.b), op(x.c), op(x.d)                                                                   \
    }
#define SF_FOUR_2(op, x, y)                                                                                  \
    {                                                                                                        \
        op(x.a, y.a), op(x.b, y.b), op(x.c, y.c), op(x.d, y.d)                                               \
    }
#define SF_FOUR_3(op, x, y, z)                                                                               \
    {                                                                                                        \
        op(x.a, y.a, z.a), op(x.b, y.b, z.b), op(x.c, y.c, z.c), op(x.d, y.d, z.d)                           \
    }
#define SF_VD_1(name, op)                                                                                    \
    SF_INLINE vd name(vd x)                                                                                  \
    {                                                                                                        \
        return (vd)SF_FOUR(op, x);                                                                           \
    }
#define SF_VD_2(name, op)                                                                                    \
    SF_INLINE vd name(vd x, vd y)                                                                            \
    {                                                                                                        \
        return (vd)SF_FOUR_2(op, x, y);                                                                      \
    }
SF_VD_2(vd_add, vaddq_f64)
SF_VD_2(vd_sub, vsubq_f64)
SF_VD_2(vd_mul, vmulq_f64)
SF_VD_2(vd_div, vdivq_f64)
SF_VD_1(vd_sqrt, vsqrtq_f64)
SF_VD_1(vd_abs, vabsq_f64)
SF_VD_1(vd_round, vrndnq_f64)
#undef SF_VD_1
#undef SF_VD_2

SF_INLINE vd vd_load(const double *p)
{
    return (vd){vld1q_f64(p), vld1q_f64(p + 2), vld1q_f64(p + 4), vld1q_f64(p + 6)};
}
SF_INLINE void vd_store(double *p, vd x)
{
    vst1q_f64(p, x.a);
    vst1q_f64(p + 2, x.b);
    vst1q_f64(p + 4, x.c);
    vst1q_f64(p + 6, x.d);
}
SF_INLINE vd vd_load_part(const double *p, size_t n)
{
    double full[8] = {0};
    memcpy(full, p, n * sizeof *p);
    return vd_load(full);
}
SF_INLINE void vd_store_part(double *p, size_t n, vd x)
{
    double full[8];
    vd_store(full, x);
    memcpy(p, full, n * sizeof *p);
}
SF_INLINE vd vd_float(const float *p)
{
    return (vd){vcvt_f64_f32(vld1_f32(p)), vcvt_f64_f32(vld1_f32(p + 2)), vcvt_f64_f32(vld1_f32(p + 4)),
                vcvt_f64_f32(vld1_f32(p + 6))};
}
SF_INLINE vd vd_bytes(const uint8_t *p)
{
    uint16x8_t h = vmovl_u8(vld1_u8(p));
    uint32x4_t low = vmovl_u16(vget_low_u16(h)), high = vmovl_u16(vget_high_u16(h));
    return (vd){vcvtq_f64_u64(vmovl_u32(vget_low_u32(low))), vcvtq_f64_u64(vmovl_u32(vget_high_u32(low))),
                vcvtq_f64_u64(vmovl_u32(vget_low_u32(high))), vcvtq_f64_u64(vmovl_u32(vget_high_u32(high)))};
}
SF_INLINE vd vd_set(double x)
{
    float64x2_t two = vdupq_n_f64(x);
    return (vd){two, two, two, two};
}
SF_INLINE vd vd_fma(vd x, vd y, vd z)
{
    return (vd)SF_FOUR_3(vfmaq_f64, z, x, y);
}
SF_INLINE vd vd_fnma(vd x, vd y, vd z)
{
    return (vd)SF_FOUR_3(vfmsq_f64, z, x, y);
}
SF_INLINE vm vm_less(vd x, vd y)
{
    return (vm)SF_FOUR_2(vcltq_f64, x, y);
}
SF_INLINE vm vm_and(vm x, vm y)
{
    return (vm)SF_FOUR_2(vandq_u64, x, y);
}
SF_INLINE vd vd_select(vm m, vd x, vd y)
{
    return (vd)SF_FOUR_3(vbslq_f64, m, x, y);
}
SF_INLINE vd vd_min(vd x, vd y)
{
    return vd_select(vm_less(x, y), x, y);
}
SF_INLINE vd vd_max(vd x, vd y)
{
    return vd_select(vm_less(y, x), x, y);
}
SF_INLINE unsigned vd_bits_of(uint64x2_t m)
{
    return (unsigned)(vgetq_lane_u64(m, 0) & 1) | (unsigned)(vgetq_lane_u64(m, 1) & 1) << 1;
}
SF_INLINE unsigned vm_bits(vm m)
{
    return vd_bits_of(m.a) | vd_bits_of(m.b) << 2 | vd_bits_of(m.c) << 4 | vd_bits_of(m.d) << 6;
}
SF_INLINE float64x2_t vd_power_of_two(int64x2_t n)
{
    return vreinterpretq_f64_s64(vshlq_n_s64(vaddq_s64(n, vdupq_n_s64(1023)), 52));
}
SF_INLINE float64x2_t vd_scale_two(float64x2_t x, float64x2_t n)
{
    int64x2_t whole = vcvtnq_s64_f64(n), half = vshrq_n_s64(whole, 1);
    return vmulq_f64(vmulq_f64(x, vd_power_of_two(half)), vd_power_of_two(vsubq_s64(whole, half)));
}
SF_INLINE vd vd_scale(vd x, vd n)
{
    return (vd)SF_FOUR_2(vd_scale_two, x, n);
}
SF_INLINE double vd_sum(vd x)
{
    float64x2_t q = vaddq_f64(vaddq_f64(x.a, x.c), vaddq_f64(x.b, x.d));
    return vgetq_lane_f64(q, 0) + vgetq_lane_f64(q, 1);
}
#undef SF_FOUR
#undef SF_FOUR_2
#undef SF_FOUR_3

#else
#error "base/simd.h needs AVX-512F and DQ, AVX2 with FMA, or NEON on aarch64"
#endif

/* The first count <= VD numbers; the rest is 0, or left as it is. */
SF_INLINE vd vd_load_upto(const double *p, size_t count)
{
    return count == VD ? vd_load(p) : vd_load_part(p, count);
}

SF_INLINE void vd_store_upto(double *p, size_t count, vd x)
{
    if (count == VD)
        vd_store(p, x);
    else
        vd_store_part(p, count, x);
}

/* name_avx2, name_avx512, name_neon. */
#define SF_SIMD_PASTE_(name, isa) name##_##isa
#define SF_SIMD_PASTE(name, isa)  SF_SIMD_PASTE_(name, isa)
#define SF_SIMD(name)             SF_SIMD_PASTE(name, SF_SIMD_NAME)

#endif
