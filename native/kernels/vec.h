/*
 * Vectors of floats, as wide as the instruction set that a file of simd/ is compiled for: 16, 8, 4
 * or, for the scalar reference, 1. Loads and stores need no alignment.
 */
#ifndef GATUN_VEC_H
#define GATUN_VEC_H

#include "half.h"
#include "isa.h"

#include <math.h>
#include <string.h>

#if defined(__AVX512VNNI__)

typedef __m512 vec;
enum { LANES = 16, VECTOR_REGISTERS = 32 };
ALWAYS_INLINE vec vec_all(float x) { return _mm512_set1_ps(x); }
ALWAYS_INLINE vec vec_load(const float *p) { return _mm512_loadu_ps(p); }
ALWAYS_INLINE void vec_store(float *p, vec a) { _mm512_storeu_ps(p, a); }
ALWAYS_INLINE vec vec_load_half(const uint16_t *p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
ALWAYS_INLINE vec vec_load_bfloat(const uint16_t *p) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
ALWAYS_INLINE vec vec_load_bytes(const uint8_t *p, int is_signed) {
    const __m128i q = _mm_loadu_si128((const __m128i *)p);
    return _mm512_cvtepi32_ps(is_signed ? _mm512_cvtepi8_epi32(q) : _mm512_cvtepu8_epi32(q));
}
ALWAYS_INLINE vec vec_add(vec a, vec b) { return _mm512_add_ps(a, b); }
ALWAYS_INLINE vec vec_sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
ALWAYS_INLINE vec vec_mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
ALWAYS_INLINE vec vec_div(vec a, vec b) { return _mm512_div_ps(a, b); }
ALWAYS_INLINE vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
ALWAYS_INLINE vec vec_min(vec a, vec b) { return _mm512_min_ps(a, b); }
ALWAYS_INLINE vec vec_max(vec a, vec b) { return _mm512_max_ps(a, b); }
ALWAYS_INLINE vec vec_round(vec a) { return _mm512_roundscale_ps(a, 8); }
ALWAYS_INLINE vec vec_power_of_2(vec n) {
    const __m512i e = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(e, 23));
}
ALWAYS_INLINE vec vec_zero_below(vec x, float limit, vec a) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, vec_all(limit), _CMP_NLT_UQ), a);
}
ALWAYS_INLINE float vec_sum(vec a) { return _mm512_reduce_add_ps(a); }
ALWAYS_INLINE float vec_largest(vec a) { return _mm512_reduce_max_ps(a); }

#elif defined(__AVX2__)

typedef __m256 vec;
enum { LANES = 8, VECTOR_REGISTERS = 16 };
ALWAYS_INLINE vec vec_all(float x) { return _mm256_set1_ps(x); }
ALWAYS_INLINE vec vec_load(const float *p) { return _mm256_loadu_ps(p); }
ALWAYS_INLINE void vec_store(float *p, vec a) { _mm256_storeu_ps(p, a); }
ALWAYS_INLINE vec vec_load_half(const uint16_t *p) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}
ALWAYS_INLINE vec vec_load_bfloat(const uint16_t *p) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
ALWAYS_INLINE vec vec_load_bytes(const uint8_t *p, int is_signed) {
    const __m128i q = _mm_loadl_epi64((const __m128i *)p);
    return _mm256_cvtepi32_ps(is_signed ? _mm256_cvtepi8_epi32(q) : _mm256_cvtepu8_epi32(q));
}
ALWAYS_INLINE vec vec_add(vec a, vec b) { return _mm256_add_ps(a, b); }
ALWAYS_INLINE vec vec_sub(vec a, vec b) { return _mm256_sub_ps(a, b); }
ALWAYS_INLINE vec vec_mul(vec a, vec b) { return _mm256_mul_ps(a, b); }
ALWAYS_INLINE vec vec_div(vec a, vec b) { return _mm256_div_ps(a, b); }
ALWAYS_INLINE vec vec_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
ALWAYS_INLINE vec vec_min(vec a, vec b) { return _mm256_min_ps(a, b); }
ALWAYS_INLINE vec vec_max(vec a, vec b) { return _mm256_max_ps(a, b); }
ALWAYS_INLINE vec vec_round(vec a) { return _mm256_round_ps(a, 8); }
ALWAYS_INLINE vec vec_power_of_2(vec n) {
    const __m256i e = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(e, 23));
}
ALWAYS_INLINE vec vec_zero_below(vec x, float limit, vec a) {
    return _mm256_and_ps(_mm256_cmp_ps(x, vec_all(limit), _CMP_NLT_UQ), a);
}
ALWAYS_INLINE float vec_sum(vec a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
ALWAYS_INLINE float vec_largest(vec a) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

#elif defined(__ARM_FEATURE_DOTPROD)

typedef float32x4_t vec;
enum { LANES = 4, VECTOR_REGISTERS = 32 };
ALWAYS_INLINE vec vec_all(float x) { return vdupq_n_f32(x); }
ALWAYS_INLINE vec vec_load(const float *p) { return vld1q_f32(p); }
ALWAYS_INLINE void vec_store(float *p, vec a) { vst1q_f32(p, a); }
ALWAYS_INLINE vec vec_load_half(const uint16_t *p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}
ALWAYS_INLINE vec vec_load_bfloat(const uint16_t *p) {
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
}
ALWAYS_INLINE vec vec_load_bytes(const uint8_t *p, int is_signed) {
    uint32_t word;
    memcpy(&word, p, 4);
    const uint8x8_t q = vcreate_u8(word);
    return is_signed ? vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(q)))))
                     : vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(q))));
}
ALWAYS_INLINE vec vec_add(vec a, vec b) { return vaddq_f32(a, b); }
ALWAYS_INLINE vec vec_sub(vec a, vec b) { return vsubq_f32(a, b); }
ALWAYS_INLINE vec vec_mul(vec a, vec b) { return vmulq_f32(a, b); }
ALWAYS_INLINE vec vec_div(vec a, vec b) { return vdivq_f32(a, b); }
ALWAYS_INLINE vec vec_fma(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
ALWAYS_INLINE vec vec_min(vec a, vec b) { return vminq_f32(a, b); }
ALWAYS_INLINE vec vec_max(vec a, vec b) { return vmaxq_f32(a, b); }
ALWAYS_INLINE vec vec_round(vec a) { return vrndnq_f32(a); }
ALWAYS_INLINE vec vec_power_of_2(vec n) {
    const int32x4_t e = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));
    return vreinterpretq_f32_s32(vshlq_n_s32(e, 23));
}
ALWAYS_INLINE vec vec_zero_below(vec x, float limit, vec a) {
    const uint32x4_t below = vcltq_f32(x, vdupq_n_f32(limit));
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(a), below));
}
ALWAYS_INLINE float vec_sum(vec a) { return vaddvq_f32(a); }
ALWAYS_INLINE float vec_largest(vec a) { return vmaxvq_f32(a); }

#else

typedef float vec;
enum { LANES = 1, VECTOR_REGISTERS = 16 };
ALWAYS_INLINE vec vec_all(float x) { return x; }
ALWAYS_INLINE vec vec_load(const float *p) { return *p; }
ALWAYS_INLINE void vec_store(float *p, vec a) { *p = a; }
ALWAYS_INLINE vec vec_load_half(const uint16_t *p) { return float_of_half(*p); }
ALWAYS_INLINE vec vec_load_bfloat(const uint16_t *p) { return float_of_bfloat(*p); }
ALWAYS_INLINE vec vec_load_bytes(const uint8_t *p, int is_signed) {
    return (float)(is_signed ? (int8_t)*p : *p);
}
ALWAYS_INLINE vec vec_add(vec a, vec b) { return a + b; }
ALWAYS_INLINE vec vec_sub(vec a, vec b) { return a - b; }
ALWAYS_INLINE vec vec_mul(vec a, vec b) { return a * b; }
ALWAYS_INLINE vec vec_div(vec a, vec b) { return a / b; }
ALWAYS_INLINE vec vec_fma(vec a, vec b, vec c) { return a * b + c; }
ALWAYS_INLINE vec vec_min(vec a, vec b) { return a < b ? a : b; }
ALWAYS_INLINE vec vec_max(vec a, vec b) { return a > b ? a : b; }
ALWAYS_INLINE vec vec_round(vec a) { return rintf(a); }
ALWAYS_INLINE vec vec_power_of_2(vec n) { return float_of_bits((uint32_t)((int)n + 127) << 23); }
ALWAYS_INLINE vec vec_zero_below(vec x, float limit, vec a) { return x < limit ? 0 : a; }
ALWAYS_INLINE float vec_sum(vec a) { return a; }
ALWAYS_INLINE float vec_largest(vec a) { return a; }

#endif

/* 2ⁿ·eʳ with x = n·ln 2 + r. Within 1.1 ulp; 0 below −87.33 (−∞ too), ∞ from 88.38 on. */
ALWAYS_INLINE vec vec_exp(vec x) {
    const vec inside = vec_min(vec_all(89), vec_max(vec_all(-88), x));
    const vec n = vec_round(vec_mul(inside, vec_all(1.44269504f)));
    vec r = vec_fma(n, vec_all(-0.693359375f), inside);
    r = vec_fma(n, vec_all(2.12194440e-4f), r);
    vec p = vec_all(1.9875691500e-4f);
    p = vec_fma(p, r, vec_all(1.3981999507e-3f));
    p = vec_fma(p, r, vec_all(8.3334519073e-3f));
    p = vec_fma(p, r, vec_all(4.1665795894e-2f));
    p = vec_fma(p, r, vec_all(1.6666665459e-1f));
    p = vec_fma(p, r, vec_all(0.5f));
    p = vec_add(vec_fma(p, vec_mul(r, r), r), vec_all(1));
    return vec_zero_below(x, -87.33f, vec_mul(p, vec_power_of_2(n)));
}

/* Within 1.2e-7, absolute. */
ALWAYS_INLINE vec vec_tanh(vec x) {
    const vec limited = vec_min(vec_all(20), vec_max(vec_all(-20), x));
    const vec e = vec_exp(vec_add(limited, limited));
    return vec_sub(vec_all(1), vec_div(vec_all(2), vec_add(e, vec_all(1))));
}

/* The sums of 8 vectors. */
ALWAYS_INLINE void vec_sum8(const vec a[8], float sums[8]) {
#if defined(__AVX2__) && !defined(__AVX512VNNI__)
    const __m256 s0 = _mm256_hadd_ps(_mm256_hadd_ps(a[0], a[1]), _mm256_hadd_ps(a[2], a[3]));
    const __m256 s1 = _mm256_hadd_ps(_mm256_hadd_ps(a[4], a[5]), _mm256_hadd_ps(a[6], a[7]));
    _mm256_storeu_ps(sums, _mm256_add_ps(_mm256_permute2f128_ps(s0, s1, 0x20),
                                         _mm256_permute2f128_ps(s0, s1, 0x31)));
#else
    for (int i = 0; i < 8; i++) {
        sums[i] = vec_sum(a[i]);
    }
#endif
}

#endif
