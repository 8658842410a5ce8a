/* 16 rows whose inner axis is summed to a panel: a transposition. See float_gemm.h. */
#include "float_gemm.h"
#include "vec.h"
#include "ggml_tensor.h"

#include <string.h>

ALWAYS_INLINE float load1(int32_t type, const void *row, int64_t i) {
    return type == TYPE_F32   ? ((const float *)row)[i]
           : type == TYPE_F16 ? float_of_half(((const uint16_t *)row)[i])
                              : float_of_bfloat(((const uint16_t *)row)[i]);
}

#if defined(__AVX2__)
enum { SQUARE = 8 };

ALWAYS_INLINE __m256 load8(int32_t type, const void *row, int64_t i) {
    if (type == TYPE_F32) {
        return _mm256_loadu_ps((const float *)row + i);
    }
    const __m128i halves = _mm_loadu_si128((const __m128i *)((const uint16_t *)row + i));
    return type == TYPE_F16
               ? _mm256_cvtph_ps(halves)
               : _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}

/* Values i to i+7 of 8 rows: column by column to out, 16 floats apart. */
ALWAYS_INLINE void square(int32_t type, const char *a, int64_t stride, int64_t i, float *out) {
    __m256 r[8], t[8];
    for (int j = 0; j < 8; j++) {
        r[j] = load8(type, a + j * stride, i);
    }
    for (int j = 0; j < 8; j += 2) {
        t[j] = _mm256_unpacklo_ps(r[j], r[j + 1]);
        t[j + 1] = _mm256_unpackhi_ps(r[j], r[j + 1]);
    }
    for (int j = 0; j < 8; j += 4) {
        r[j] = _mm256_shuffle_ps(t[j], t[j + 2], 0x44);
        r[j + 1] = _mm256_shuffle_ps(t[j], t[j + 2], 0xee);
        r[j + 2] = _mm256_shuffle_ps(t[j + 1], t[j + 3], 0x44);
        r[j + 3] = _mm256_shuffle_ps(t[j + 1], t[j + 3], 0xee);
    }
    for (int j = 0; j < 4; j++) {
        _mm256_storeu_ps(out + j * FLOAT_ROWS, _mm256_permute2f128_ps(r[j], r[j + 4], 0x20));
        _mm256_storeu_ps(out + (j + 4) * FLOAT_ROWS, _mm256_permute2f128_ps(r[j], r[j + 4], 0x31));
    }
}
#elif defined(__ARM_FEATURE_DOTPROD)
enum { SQUARE = 4 };

ALWAYS_INLINE vec load4(int32_t type, const void *row, int64_t i) {
    return type == TYPE_F32   ? vec_load((const float *)row + i)
           : type == TYPE_F16 ? vec_load_half((const uint16_t *)row + i)
                              : vec_load_bfloat((const uint16_t *)row + i);
}

ALWAYS_INLINE float64x2_t pair(float32x4_t v) { return vreinterpretq_f64_f32(v); }
ALWAYS_INLINE float32x4_t quad(float64x2_t v) { return vreinterpretq_f32_f64(v); }

ALWAYS_INLINE void square(int32_t type, const char *a, int64_t stride, int64_t i, float *out) {
    const vec r0 = load4(type, a, i), r1 = load4(type, a + stride, i);
    const vec r2 = load4(type, a + 2 * stride, i), r3 = load4(type, a + 3 * stride, i);
    const vec t0 = vtrn1q_f32(r0, r1), t1 = vtrn2q_f32(r0, r1);
    const vec t2 = vtrn1q_f32(r2, r3), t3 = vtrn2q_f32(r2, r3);
    vec_store(out, quad(vtrn1q_f64(pair(t0), pair(t2))));
    vec_store(out + FLOAT_ROWS, quad(vtrn1q_f64(pair(t1), pair(t3))));
    vec_store(out + 2 * FLOAT_ROWS, quad(vtrn2q_f64(pair(t0), pair(t2))));
    vec_store(out + 3 * FLOAT_ROWS, quad(vtrn2q_f64(pair(t1), pair(t3))));
}
#else
enum { SQUARE = 1 };

ALWAYS_INLINE void square(int32_t type, const char *a, int64_t stride, int64_t i, float *out) {
    (void)stride;
    *out = load1(type, a, i);
}
#endif

ALWAYS_INLINE void panel_of(int32_t type, const char *a, int64_t stride, int rows, int64_t first,
                            int count, float *panel) {
    const int whole = rows == FLOAT_ROWS ? count / SQUARE * SQUARE : 0;
    for (int l = 0; l < whole; l += SQUARE) {
        for (int i = 0; i < FLOAT_ROWS; i += SQUARE) {
            square(type, a + i * stride, stride, first + l, panel + l * FLOAT_ROWS + i);
        }
    }
    for (int l = whole; l < count; l++) {
        for (int i = 0; i < FLOAT_ROWS; i++) {
            panel[l * FLOAT_ROWS + i] = i < rows ? load1(type, a + i * stride, first + l) : 0;
        }
    }
}

void ISA(gatun_float_panel)(int32_t type, const void *a, int64_t stride, int rows, int64_t first,
                            int count, float *panel) {
    switch (type) {
    case TYPE_F32: panel_of(TYPE_F32, a, stride, rows, first, count, panel); break;
    case TYPE_F16: panel_of(TYPE_F16, a, stride, rows, first, count, panel); break;
    case TYPE_BF16: panel_of(TYPE_BF16, a, stride, rows, first, count, panel); break;
    }
}
