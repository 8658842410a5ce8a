/*
 * What one row's block of each quantised type means: integers and the scales that belong to them.
 *   256: w = d·scale·q − dm·min, a scale and a minimum per sub-block;  32: w = d·q + m
 * The panels of the integer products (unpack.c) and the floats of the others (floats.c) come from it.
 *
 * Types with negative codes get an offset that makes every byte 0 or more, which goes into the
 * minimum: w = d·scale·(q − z) = d·scale·q − d·(scale·z). Types that use all 8 bits stay signed,
 * but for VNNI, which needs unsigned bytes.
 */
#ifndef GATUN_BLOCK_ROWS_H
#define GATUN_BLOCK_ROWS_H

#include "blocks.h"
#include "bytes.h"
#include "half.h"
#include "isa.h"

#include <string.h>

#if defined(__AVX512VNNI__)
enum { SIGNED_OFFSET = 128 };
#else
enum { SIGNED_OFFSET = 0 };
#endif

/* One row's block of 256, before interleaving. */
typedef struct {
    ALIGNED(32) uint8_t q[256];
    int16_t scale[16];
    int16_t min[16];
    float d, dm;
} row256;

typedef struct {
    ALIGNED(32) uint8_t q[32];
    float d, m;
} row32;

/* 6-bit scale and minimum of sub-block j in 12 bytes: the packing of Q4_K and Q5_K. */
ALWAYS_INLINE void scale_min(const uint8_t *s, int j, int16_t *scale, int16_t *min) {
    if (j < 4) {
        *scale = s[j] & 63;
        *min = s[j + 4] & 63;
    } else {
        *scale = (int16_t)((s[j + 4] & 15) | (s[j - 4] >> 6) << 4);
        *min = (int16_t)(s[j + 4] >> 4 | (s[j] >> 6) << 4);
    }
}

static void row_q2_k(const void *restrict block, row256 *restrict r) {
    const block_q2_k *restrict b = block;
    for (int half = 0; half < 2; half++) {
        const bytes32 codes = LOAD32(b->qs + 32 * half);
        uint8_t *q = r->q + 128 * half;
        STORE32(q, RIGHT32(codes, 0, 3));
        STORE32(q + 32, RIGHT32(codes, 2, 3));
        STORE32(q + 64, RIGHT32(codes, 4, 3));
        STORE32(q + 96, RIGHT32(codes, 6, 3));
    }
    for (int s = 0; s < 16; s++) {
        r->scale[s] = b->scales[s] & 15;
        r->min[s] = b->scales[s] >> 4;
    }
    r->d = float_of_half(b->d);
    r->dm = float_of_half(b->dmin);
}

static void row_q3_k(const void *restrict block, row256 *restrict r) {
    const block_q3_k *restrict b = block;
    const bytes32 top = LOAD32(b->hmask);
    for (int half = 0; half < 2; half++) {
        const bytes32 codes = LOAD32(b->qs + 32 * half);
        const bytes32 bits = half ? RIGHT32(top, 4, 15) : top;
        uint8_t *q = r->q + 128 * half;
        STORE32(q, OR32(RIGHT32(codes, 0, 3), LEFT32(bits, 2, 4)));
        STORE32(q + 32, OR32(RIGHT32(codes, 2, 3), LEFT32(bits, 1, 4)));
        STORE32(q + 64, OR32(RIGHT32(codes, 4, 3), RIGHT32(bits, 0, 4)));
        STORE32(q + 96, OR32(RIGHT32(codes, 6, 3), RIGHT32(bits, 1, 4)));
    }
    for (int s = 0; s < 16; s++) {
        const int low = s < 8 ? b->scales[s] & 15 : b->scales[s - 8] >> 4;
        const int high = b->scales[8 + s % 4] >> 2 * (s / 4) & 3;
        r->scale[s] = (int16_t)((low | high << 4) - 32);
        r->min[s] = (int16_t)(4 * r->scale[s]);
    }
    r->d = r->dm = float_of_half(b->d);
}

static void row_q4_k(const void *restrict block, row256 *restrict r) {
    const block_q4_k *restrict b = block;
    for (int j = 0; j < 4; j++) {
        const bytes32 codes = LOAD32(b->qs + 32 * j);
        STORE32(r->q + 64 * j, RIGHT32(codes, 0, 15));
        STORE32(r->q + 64 * j + 32, RIGHT32(codes, 4, 15));
    }
    for (int s = 0; s < 8; s++) {
        scale_min(b->scales, s, &r->scale[s], &r->min[s]);
    }
    r->d = float_of_half(b->d);
    r->dm = float_of_half(b->dmin);
}

static void row_q5_k(const void *restrict block, row256 *restrict r) {
    const block_q5_k *restrict b = block;
    const bytes32 top = LOAD32(b->qh);
    const bytes32 fifth[8] = {LEFT32(top, 4, 16),  LEFT32(top, 3, 16),  LEFT32(top, 2, 16),
                              LEFT32(top, 1, 16),  RIGHT32(top, 0, 16), RIGHT32(top, 1, 16),
                              RIGHT32(top, 2, 16), RIGHT32(top, 3, 16)};
    for (int j = 0; j < 4; j++) {
        const bytes32 codes = LOAD32(b->qs + 32 * j);
        STORE32(r->q + 64 * j, OR32(RIGHT32(codes, 0, 15), fifth[2 * j]));
        STORE32(r->q + 64 * j + 32, OR32(RIGHT32(codes, 4, 15), fifth[2 * j + 1]));
    }
    for (int s = 0; s < 8; s++) {
        scale_min(b->scales, s, &r->scale[s], &r->min[s]);
    }
    r->d = float_of_half(b->d);
    r->dm = float_of_half(b->dmin);
}

static void row_q6_k(const void *restrict block, row256 *restrict r) {
    const block_q6_k *restrict b = block;
    for (int half = 0; half < 2; half++) {
        const bytes32 first = LOAD32(b->ql + 64 * half);
        const bytes32 second = LOAD32(b->ql + 64 * half + 32);
        const bytes32 top = LOAD32(b->qh + 32 * half);
        uint8_t *q = r->q + 128 * half;
        STORE32(q, OR32(RIGHT32(first, 0, 15), LEFT32(top, 4, 48)));
        STORE32(q + 32, OR32(RIGHT32(second, 0, 15), LEFT32(top, 2, 48)));
        STORE32(q + 64, OR32(RIGHT32(first, 4, 15), RIGHT32(top, 0, 48)));
        STORE32(q + 96, OR32(RIGHT32(second, 4, 15), RIGHT32(top, 2, 48)));
    }
    for (int s = 0; s < 16; s++) {
        r->scale[s] = b->scales[s];
        r->min[s] = (int16_t)(32 * b->scales[s]);
    }
    r->d = r->dm = float_of_half(b->d);
}

/* 16 nibbles per 32 values, through a table of 16 bytes. */
ALWAYS_INLINE void lookup(const uint8_t *restrict qs, const uint8_t *restrict table,
                          uint8_t *restrict q) {
#if defined(__AVX2__)
    const __m128i t = _mm_loadu_si128((const __m128i *)table);
    const __m128i codes = _mm_loadu_si128((const __m128i *)qs);
    const __m128i low = _mm_set1_epi8(15);
    _mm_storeu_si128((__m128i *)q, _mm_shuffle_epi8(t, _mm_and_si128(codes, low)));
    _mm_storeu_si128((__m128i *)(q + 16),
                     _mm_shuffle_epi8(t, _mm_and_si128(_mm_srli_epi16(codes, 4), low)));
#elif defined(__ARM_FEATURE_DOTPROD)
    const uint8x16_t t = vld1q_u8(table);
    const uint8x16_t codes = vld1q_u8(qs);
    vst1q_u8(q, vqtbl1q_u8(t, vandq_u8(codes, vdupq_n_u8(15))));
    vst1q_u8(q + 16, vqtbl1q_u8(t, vshrq_n_u8(codes, 4)));
#else
    for (int l = 0; l < 16; l++) {
        q[l] = table[qs[l] & 15];
        q[l + 16] = table[qs[l] >> 4];
    }
#endif
}

/* The 16 values with their offset, as bytes. */
#define WITH(offset, a, b, c, d)                                                                   \
    (uint8_t)(a + offset), (uint8_t)(b + offset), (uint8_t)(c + offset), (uint8_t)(d + offset)
static const uint8_t iq4_bytes[16] = {
    WITH(SIGNED_OFFSET, -127, -104, -83, -65), WITH(SIGNED_OFFSET, -49, -35, -22, -10),
    WITH(SIGNED_OFFSET, 1, 13, 25, 38), WITH(SIGNED_OFFSET, 53, 69, 89, 113)};
/* MXFP4: twice the values of a 4-bit float with 2 bits of exponent. */
static const uint8_t mxfp4_bytes[16] = {WITH(12, 0, 1, 2, 3), WITH(12, 4, 6, 8, 12),
                                        WITH(12, 0, -1, -2, -3), WITH(12, -4, -6, -8, -12)};

static void row_iq4_xs(const void *restrict block, row256 *restrict r) {
    const block_iq4_xs *restrict b = block;
    for (int s = 0; s < 8; s++) {
        lookup(b->qs + 16 * s, iq4_bytes, r->q + 32 * s);
        const int low = b->scales_l[s / 2] >> 4 * (s % 2) & 15;
        const int high = b->scales_h >> 2 * s & 3;
        r->scale[s] = (int16_t)((low | high << 4) - 32);
        r->min[s] = (int16_t)(SIGNED_OFFSET * r->scale[s]);
    }
    r->d = r->dm = float_of_half(b->d);
}

/* 16 bytes of two 4-bit codes: the low ones are the first 16 values. */
ALWAYS_INLINE void nibbles(const uint8_t *restrict qs, uint8_t *restrict q) {
#if defined(__AVX2__)
    const __m128i codes = _mm_loadu_si128((const __m128i *)qs);
    const __m128i low = _mm_set1_epi8(15);
    _mm_storeu_si128((__m128i *)q, _mm_and_si128(codes, low));
    _mm_storeu_si128((__m128i *)(q + 16), _mm_and_si128(_mm_srli_epi16(codes, 4), low));
#else
    for (int l = 0; l < 16; l++) {
        q[l] = qs[l] & 15;
        q[l + 16] = qs[l] >> 4;
    }
#endif
}

/* The fifth bits of 32 values lie together. */
ALWAYS_INLINE void fifth_bits(const uint8_t *restrict qh, uint8_t *restrict q) {
    uint32_t bits;
    memcpy(&bits, qh, 4);
#if defined(__AVX2__)
    /* Byte i / 8 of the bits to byte i, then its bit i % 8. */
    const __m256i byte = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202,
                                            0x0303030303030303);
    const __m256i bit = _mm256_set1_epi64x((int64_t)0x8040201008040201);
    const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32((int32_t)bits), byte);
    const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
    const __m256i values = _mm256_load_si256((const __m256i *)q);
    _mm256_store_si256((__m256i *)q,
                       _mm256_or_si256(values, _mm256_and_si256(set, _mm256_set1_epi8(16))));
#elif defined(__ARM_FEATURE_DOTPROD)
    const uint8x8_t bit = vcreate_u8(0x8040201008040201);
    const uint8x16_t two = vcombine_u8(bit, bit);
    for (int i = 0; i < 2; i++) {
        const uint8x16_t spread = vcombine_u8(vdup_n_u8((uint8_t)(bits >> 16 * i)),
                                              vdup_n_u8((uint8_t)(bits >> (16 * i + 8))));
        const uint8x16_t fifth = vandq_u8(vtstq_u8(spread, two), vdupq_n_u8(16));
        vst1q_u8(q + 16 * i, vorrq_u8(vld1q_u8(q + 16 * i), fifth));
    }
#else
    for (int l = 0; l < 32; l++) {
        q[l] = (uint8_t)(q[l] | (bits >> l & 1) << 4);
    }
#endif
}

static void row_q4_0(const void *restrict block, row32 *restrict r) {
    const block_q4_0 *restrict b = block;
    nibbles(b->qs, r->q);
    r->d = float_of_half(b->d);
    r->m = -8 * r->d;
}

static void row_q4_1(const void *restrict block, row32 *restrict r) {
    const block_q4_1 *restrict b = block;
    nibbles(b->qs, r->q);
    r->d = float_of_half(b->d);
    r->m = float_of_half(b->m);
}

static void row_q5_0(const void *restrict block, row32 *restrict r) {
    const block_q5_0 *restrict b = block;
    nibbles(b->qs, r->q);
    fifth_bits(b->qh, r->q);
    r->d = float_of_half(b->d);
    r->m = -16 * r->d;
}

static void row_q5_1(const void *restrict block, row32 *restrict r) {
    const block_q5_1 *restrict b = block;
    nibbles(b->qs, r->q);
    fifth_bits(b->qh, r->q);
    r->d = float_of_half(b->d);
    r->m = float_of_half(b->m);
}

static void row_q8_0(const void *restrict block, row32 *restrict r) {
    const block_q8_0 *restrict b = block;
    for (int l = 0; l < 32; l++) {
        r->q[l] = (uint8_t)(b->qs[l] + SIGNED_OFFSET);
    }
    r->d = float_of_half(b->d);
    r->m = -SIGNED_OFFSET * r->d;
}

static void row_iq4_nl(const void *restrict block, row32 *restrict r) {
    const block_iq4_nl *restrict b = block;
    lookup(b->qs, iq4_bytes, r->q);
    r->d = float_of_half(b->d);
    r->m = -SIGNED_OFFSET * r->d;
}

static void row_mxfp4(const void *restrict block, row32 *restrict r) {
    const block_mxfp4 *restrict b = block;
    lookup(b->qs, mxfp4_bytes, r->q);
    r->d = float_of_e8m0_half(b->e);
    r->m = -12 * r->d;
}

typedef void row256_fn(const void *restrict block, row256 *restrict row);
typedef void row32_fn(const void *restrict block, row32 *restrict row);

#endif
