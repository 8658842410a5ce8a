/* One vector of floats of each instruction set. The generic one is a single float. */
#ifndef GATUN_FLOAT_VEC_H
#define GATUN_FLOAT_VEC_H

#include "half.h"
#include "isa.h"

#if defined(__AVX512VNNI__)
typedef __m512 vec;
enum { LANES = 16 };
ALWAYS_INLINE vec v_set1(float x) { return _mm512_set1_ps(x); }
ALWAYS_INLINE vec v_load(const float *p) { return _mm512_loadu_ps(p); }
ALWAYS_INLINE void v_store(float *p, vec v) { _mm512_storeu_ps(p, v); }
ALWAYS_INLINE vec v_add(vec a, vec b) { return _mm512_add_ps(a, b); }
ALWAYS_INLINE vec v_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
ALWAYS_INLINE float v_sum(vec v) { return _mm512_reduce_add_ps(v); }
ALWAYS_INLINE vec v_load_half(const uint16_t *p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
ALWAYS_INLINE vec v_load_bfloat(const uint16_t *p) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
ALWAYS_INLINE vec v_load_bytes(const uint8_t *p, int is_signed) {
    const __m128i q = _mm_loadu_si128((const __m128i *)p);
    return _mm512_cvtepi32_ps(is_signed ? _mm512_cvtepi8_epi32(q) : _mm512_cvtepu8_epi32(q));
}
#elif defined(__AVX2__)
typedef __m256 vec;
enum { LANES = 8 };
ALWAYS_INLINE vec v_set1(float x) { return _mm256_set1_ps(x); }
ALWAYS_INLINE vec v_load(const float *p) { return _mm256_loadu_ps(p); }
ALWAYS_INLINE void v_store(float *p, vec v) { _mm256_storeu_ps(p, v); }
ALWAYS_INLINE vec v_add(vec a, vec b) { return _mm256_add_ps(a, b); }
ALWAYS_INLINE vec v_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
ALWAYS_INLINE float v_sum(vec v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
ALWAYS_INLINE vec v_load_half(const uint16_t *p) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}
ALWAYS_INLINE vec v_load_bfloat(const uint16_t *p) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
ALWAYS_INLINE vec v_load_bytes(const uint8_t *p, int is_signed) {
    const __m128i q = _mm_loadl_epi64((const __m128i *)p);
    return _mm256_cvtepi32_ps(is_signed ? _mm256_cvtepi8_epi32(q) : _mm256_cvtepu8_epi32(q));
}
#elif defined(__ARM_FEATURE_DOTPROD)
typedef float32x4_t vec;
enum { LANES = 4 };
ALWAYS_INLINE vec v_set1(float x) { return vdupq_n_f32(x); }
ALWAYS_INLINE vec v_load(const float *p) { return vld1q_f32(p); }
ALWAYS_INLINE void v_store(float *p, vec v) { vst1q_f32(p, v); }
ALWAYS_INLINE vec v_add(vec a, vec b) { return vaddq_f32(a, b); }
ALWAYS_INLINE vec v_fma(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
ALWAYS_INLINE float v_sum(vec v) { return vaddvq_f32(v); }
ALWAYS_INLINE vec v_load_half(const uint16_t *p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}
ALWAYS_INLINE vec v_load_bfloat(const uint16_t *p) {
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
}
ALWAYS_INLINE vec v_load_bytes(const uint8_t *p, int is_signed) {
    uint32_t word;
    memcpy(&word, p, 4);
    const uint8x8_t q = vcreate_u8(word);
    return is_signed ? vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(q)))))
                     : vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(q))));
}
#else
typedef float vec;
enum { LANES = 1 };
ALWAYS_INLINE vec v_set1(float x) { return x; }
ALWAYS_INLINE vec v_load(const float *p) { return *p; }
ALWAYS_INLINE void v_store(float *p, vec v) { *p = v; }
ALWAYS_INLINE vec v_add(vec a, vec b) { return a + b; }
ALWAYS_INLINE vec v_fma(vec a, vec b, vec c) { return a * b + c; }
ALWAYS_INLINE float v_sum(vec v) { return v; }
ALWAYS_INLINE vec v_load_half(const uint16_t *p) { return float_of_half(*p); }
ALWAYS_INLINE vec v_load_bfloat(const uint16_t *p) { return float_of_bfloat(*p); }
ALWAYS_INLINE vec v_load_bytes(const uint8_t *p, int is_signed) {
    return (float)(is_signed ? (int8_t)*p : *p);
}
#endif

#endif
