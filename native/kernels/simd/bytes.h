#ifndef GATUN_BYTES_H
#define GATUN_BYTES_H

#include "isa.h"

#include <stdint.h>
#include <string.h>

/*
 * 32 bytes at a time, in the one vocabulary that the row functions need: fields of a few bits, moved
 * to where they belong. Compilers make poor vectors of such loops by themselves.
 */
#if defined(__AVX2__)
typedef __m256i bytes32;
#define LOAD32(p) _mm256_loadu_si256((const __m256i *)(p))
#define STORE32(p, v) _mm256_storeu_si256((__m256i *)(p), v)
#define OR32(a, b) _mm256_or_si256(a, b)
/* (v >> right) & mask, and (v << left) & mask, in each byte */
#define RIGHT32(v, right, mask)                                                                    \
    _mm256_and_si256(_mm256_srli_epi16(v, right), _mm256_set1_epi8(mask))
#define LEFT32(v, left, mask) _mm256_and_si256(_mm256_slli_epi16(v, left), _mm256_set1_epi8(mask))
#elif defined(__ARM_FEATURE_DOTPROD)
typedef uint8x16x2_t bytes32;
#define LOAD32(p) vld1q_u8_x2(p)
#define STORE32(p, v) vst1q_u8_x2(p, v)
ALWAYS_INLINE bytes32 OR32(bytes32 a, bytes32 b) {
    return (bytes32){{vorrq_u8(a.val[0], b.val[0]), vorrq_u8(a.val[1], b.val[1])}};
}
ALWAYS_INLINE bytes32 LEFT32(bytes32 v, int left, uint8_t mask) {
    const int8x16_t by = vdupq_n_s8((int8_t)left);
    const uint8x16_t m = vdupq_n_u8(mask);
    return (bytes32){{vandq_u8(vshlq_u8(v.val[0], by), m), vandq_u8(vshlq_u8(v.val[1], by), m)}};
}
#define RIGHT32(v, right, mask) LEFT32(v, -(right), mask)
#else
typedef struct {
    uint8_t b[32];
} bytes32;
ALWAYS_INLINE bytes32 LOAD32(const uint8_t *p) {
    bytes32 v;
    memcpy(v.b, p, 32);
    return v;
}
ALWAYS_INLINE void STORE32(uint8_t *p, bytes32 v) { memcpy(p, v.b, 32); }
ALWAYS_INLINE bytes32 OR32(bytes32 a, bytes32 b) {
    for (int i = 0; i < 32; i++) {
        a.b[i] |= b.b[i];
    }
    return a;
}
ALWAYS_INLINE bytes32 RIGHT32(bytes32 v, int right, uint8_t mask) {
    for (int i = 0; i < 32; i++) {
        v.b[i] = v.b[i] >> right & mask;
    }
    return v;
}
ALWAYS_INLINE bytes32 LEFT32(bytes32 v, int left, uint8_t mask) {
    for (int i = 0; i < 32; i++) {
        v.b[i] = (uint8_t)(v.b[i] << left) & mask;
    }
    return v;
}
#endif

#endif
