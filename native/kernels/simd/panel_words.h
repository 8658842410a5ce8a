/*
 * Blocks of quantised types to panels, all rows at once: what each block means is said in block_rows.h,
 * where the same is done row by row. `at` is the panel's row of the first lane.
 */
#ifndef GATUN_PANEL_WORDS_H
#define GATUN_PANEL_WORDS_H

#include "block_rows.h"
#include "int8_gemm.h"
#include "row_words.h"

#include <stddef.h>

/* Scale of sub-block s twice in a pair of 16 bits: byte s % 4 of `bytes`, which is 0 or more. */
ALWAYS_INLINE void store_scales(panel256 *p, int at, int s, words bytes) {
    WORDS_STORE(p->scale[s][at], pick(bytes, 0, ZERO, 0, ZERO));
    WORDS_STORE(p->scale[s + 1][at], pick(bytes, 1, ZERO, 1, ZERO));
    WORDS_STORE(p->scale[s + 2][at], pick(bytes, 2, ZERO, 2, ZERO));
    WORDS_STORE(p->scale[s + 3][at], pick(bytes, 3, ZERO, 3, ZERO));
}

ALWAYS_INLINE void store_mins(panel256 *p, int at, int s, words bytes) {
    WORDS_STORE(p->min[s / 2][at], pick(bytes, 0, ZERO, 1, ZERO));
    WORDS_STORE(p->min[s / 2 + 1][at], pick(bytes, 2, ZERO, 3, ZERO));
}

/* The same for bytes with a sign; minima are the scales times 2^shift. */
ALWAYS_INLINE void store_signed_scales(panel256 *p, int at, int s, words bytes, int shift) {
    WORDS_STORE(p->scale[s][at], WORDS_(srai_epi16)(pick(bytes, ZERO, 0, ZERO, 0), 8));
    WORDS_STORE(p->scale[s + 1][at], WORDS_(srai_epi16)(pick(bytes, ZERO, 1, ZERO, 1), 8));
    WORDS_STORE(p->scale[s + 2][at], WORDS_(srai_epi16)(pick(bytes, ZERO, 2, ZERO, 2), 8));
    WORDS_STORE(p->scale[s + 3][at], WORDS_(srai_epi16)(pick(bytes, ZERO, 3, ZERO, 3), 8));
    WORDS_STORE(p->min[s / 2][at], WORDS_(srai_epi16)(pick(bytes, ZERO, 0, ZERO, 1), 8 - shift));
    WORDS_STORE(p->min[s / 2 + 1][at], WORDS_(srai_epi16)(pick(bytes, ZERO, 2, ZERO, 3), 8 - shift));
}

ALWAYS_INLINE void store_d(panel256 *p, int at, word_floats d, word_floats dm) {
    WORDS_(storeu_ps)(p->d + at, d);
    WORDS_(storeu_ps)(p->dm + at, dm);
}

static void words_q2_k(rows_at r, panel256 *p, int at) {
    for (int half = 0; half < 2; half++) {
        words codes[8];
        eight_words(r, offsetof(block_q2_k, qs) + 32 * half, codes);
        for (int k = 0; k < 8; k++) {
            WORDS_STORE(p->q[32 * half + k][at], RIGHT(codes[k], 0, 3));
            WORDS_STORE(p->q[32 * half + 8 + k][at], RIGHT(codes[k], 2, 3));
            WORDS_STORE(p->q[32 * half + 16 + k][at], RIGHT(codes[k], 4, 3));
            WORDS_STORE(p->q[32 * half + 24 + k][at], RIGHT(codes[k], 6, 3));
        }
    }
    words scales[4];
    four_words(r, offsetof(block_q2_k, scales), scales);
    for (int i = 0; i < 4; i++) {
        store_scales(p, at, 4 * i, RIGHT(scales[i], 0, 15));
        store_mins(p, at, 4 * i, RIGHT(scales[i], 4, 15));
    }
    store_d(p, at, halves(r, offsetof(block_q2_k, d)), halves(r, offsetof(block_q2_k, dmin)));
}

static void words_q3_k(rows_at r, panel256 *p, int at) {
    words top[8];
    eight_words(r, offsetof(block_q3_k, hmask), top);
    for (int half = 0; half < 2; half++) {
        words codes[8];
        eight_words(r, offsetof(block_q3_k, qs) + 32 * half, codes);
        for (int k = 0; k < 8; k++) {
            const words bits = half ? RIGHT(top[k], 4, 15) : top[k];
            uint8_t (*q)[PANEL_ROWS][4] = p->q + 32 * half + k;
            WORDS_STORE(q[0][at], WORDS_OR(RIGHT(codes[k], 0, 3), LEFT(bits, 2, 4)));
            WORDS_STORE(q[8][at], WORDS_OR(RIGHT(codes[k], 2, 3), LEFT(bits, 1, 4)));
            WORDS_STORE(q[16][at], WORDS_OR(RIGHT(codes[k], 4, 3), RIGHT(bits, 0, 4)));
            WORDS_STORE(q[24][at], WORDS_OR(RIGHT(codes[k], 6, 3), RIGHT(bits, 1, 4)));
        }
    }
    /* The 12 bytes of scales and d are the block's end: read from 2 bytes before them. */
    words tail[4], packed[3];
    four_words(r, offsetof(block_q3_k, scales) - 2, tail);
    for (int i = 0; i < 3; i++) {
        packed[i] = WORDS_OR(WORDS_(srli_epi32)(tail[i], 16), WORDS_(slli_epi32)(tail[i + 1], 16));
    }
    const words offset = WORDS_(set1_epi8)(32);
#define SCALES(i, low, from)                                                                       \
    store_signed_scales(p, at, 4 * i,                                                              \
                        WORDS_(sub_epi8)(WORDS_OR(low, LEFT(RIGHT(packed[2], from, 3), 4, 48)),    \
                                         offset), 2)
    SCALES(0, RIGHT(packed[0], 0, 15), 0);
    SCALES(1, RIGHT(packed[1], 0, 15), 2);
    SCALES(2, RIGHT(packed[0], 4, 15), 4);
    SCALES(3, RIGHT(packed[1], 4, 15), 6);
#undef SCALES
    const word_floats d = floats_of_halves(WORDS_(srli_epi32)(tail[3], 16));
    store_d(p, at, d, d);
}

/* Halves d and dmin, and 12 bytes with scales and minima of 6 bits: Q4_K and Q5_K begin with them. */
ALWAYS_INLINE void store_k_header(rows_at r, panel256 *p, int at) {
    words h[4];
    four_words(r, 0, h);
    store_scales(p, at, 0, RIGHT(h[1], 0, 63));
    store_scales(p, at, 4, WORDS_OR(RIGHT(h[3], 0, 15), RIGHT(h[1], 2, 48)));
    store_mins(p, at, 0, RIGHT(h[2], 0, 63));
    store_mins(p, at, 4, WORDS_OR(RIGHT(h[3], 4, 15), RIGHT(h[2], 2, 48)));
    store_d(p, at, floats_of_halves(h[0]), floats_of_halves(WORDS_(srli_epi32)(h[0], 16)));
}

static void words_q4_k(rows_at r, panel256 *p, int at) {
    for (int j = 0; j < 4; j++) {
        words codes[8];
        eight_words(r, offsetof(block_q4_k, qs) + 32 * j, codes);
        for (int k = 0; k < 8; k++) {
            WORDS_STORE(p->q[16 * j + k][at], RIGHT(codes[k], 0, 15));
            WORDS_STORE(p->q[16 * j + 8 + k][at], RIGHT(codes[k], 4, 15));
        }
    }
    store_k_header(r, p, at);
}

static void words_q5_k(rows_at r, panel256 *p, int at) {
    words top[8];
    eight_words(r, offsetof(block_q5_k, qh), top);
#define CODES(j, fifth, sixth)                                                                     \
    do {                                                                                           \
        words codes[8];                                                                            \
        eight_words(r, offsetof(block_q5_k, qs) + 32 * j, codes);                                  \
        for (int k = 0; k < 8; k++) {                                                              \
            WORDS_STORE(p->q[16 * j + k][at], WORDS_OR(RIGHT(codes[k], 0, 15), fifth));            \
            WORDS_STORE(p->q[16 * j + 8 + k][at], WORDS_OR(RIGHT(codes[k], 4, 15), sixth));        \
        }                                                                                          \
    } while (0)
    CODES(0, LEFT(top[k], 4, 16), LEFT(top[k], 3, 16));
    CODES(1, LEFT(top[k], 2, 16), LEFT(top[k], 1, 16));
    CODES(2, RIGHT(top[k], 0, 16), RIGHT(top[k], 1, 16));
    CODES(3, RIGHT(top[k], 2, 16), RIGHT(top[k], 3, 16));
#undef CODES
    store_k_header(r, p, at);
}

static void words_q6_k(rows_at r, panel256 *p, int at) {
    for (int half = 0; half < 2; half++) {
        words first[8], second[8], top[8];
        eight_words(r, offsetof(block_q6_k, ql) + 64 * half, first);
        eight_words(r, offsetof(block_q6_k, ql) + 64 * half + 32, second);
        eight_words(r, offsetof(block_q6_k, qh) + 32 * half, top);
        for (int k = 0; k < 8; k++) {
            uint8_t (*q)[PANEL_ROWS][4] = p->q + 32 * half + k;
            WORDS_STORE(q[0][at], WORDS_OR(RIGHT(first[k], 0, 15), LEFT(top[k], 4, 48)));
            WORDS_STORE(q[8][at], WORDS_OR(RIGHT(second[k], 0, 15), LEFT(top[k], 2, 48)));
            WORDS_STORE(q[16][at], WORDS_OR(RIGHT(first[k], 4, 15), RIGHT(top[k], 0, 48)));
            WORDS_STORE(q[24][at], WORDS_OR(RIGHT(second[k], 4, 15), RIGHT(top[k], 2, 48)));
        }
    }
    words scales[4];
    four_words(r, offsetof(block_q6_k, scales), scales);
    for (int i = 0; i < 4; i++) {
        store_signed_scales(p, at, 4 * i, scales[i], 5);
    }
    const word_floats d = halves(r, offsetof(block_q6_k, d));
    store_d(p, at, d, d);
}

static void words_iq4_xs(rows_at r, panel256 *p, int at) {
    for (int s = 0; s < 8; s++) {
        words codes[4];
        four_words(r, offsetof(block_iq4_xs, qs) + 16 * s, codes);
        for (int k = 0; k < 4; k++) {
            WORDS_STORE(p->q[8 * s + k][at], words_lookup(RIGHT(codes[k], 0, 15), iq4_bytes));
            WORDS_STORE(p->q[8 * s + 4 + k][at], words_lookup(RIGHT(codes[k], 4, 15), iq4_bytes));
        }
    }
    words h[4];
    four_words(r, 0, h);
    const words high = WORDS_(srli_epi32)(h[0], 16);
    for (int s = 0; s < 8; s += 2) {
        words scale[2];
        for (int i = 0; i < 2; i++) {
            const words low4 = WORDS_AND(WORDS_(srli_epi32)(h[1], 4 * (s + i)), WORDS_(set1_epi32)(15));
            const words high2 = WORDS_AND(WORDS_(srli_epi32)(high, 2 * (s + i)), WORDS_(set1_epi32)(3));
            scale[i] = WORDS_(sub_epi32)(WORDS_OR(low4, WORDS_(slli_epi32)(high2, 4)),
                                         WORDS_(set1_epi32)(32));
            WORDS_STORE(p->scale[s + i][at], pick(scale[i], 0, 1, 0, 1));
        }
        const words both = WORDS_OR(WORDS_AND(scale[0], WORDS_(set1_epi32)(0xffff)),
                                    WORDS_(slli_epi32)(scale[1], 16));
        WORDS_STORE(p->min[s / 2][at],
                    WORDS_(mullo_epi16)(both, WORDS_(set1_epi16)(SIGNED_OFFSET)));
    }
    const word_floats d = floats_of_halves(h[0]);
    store_d(p, at, d, d);
}

/* w = d·q + m with one m for every value of d. */
ALWAYS_INLINE void store_around(panel32 *p, int at, word_floats d, int zero) {
    WORDS_(storeu_ps)(p->d + at, d);
    WORDS_(storeu_ps)(p->m + at, WORDS_(mul_ps)(d, WORDS_(set1_ps)((float)-zero)));
}

ALWAYS_INLINE void store_with_min(panel32 *p, int at, words d_and_m) {
    WORDS_(storeu_ps)(p->d + at, floats_of_halves(d_and_m));
    WORDS_(storeu_ps)(p->m + at, floats_of_halves(WORDS_(srli_epi32)(d_and_m, 16)));
}

/* 16 bytes of two 4-bit codes: the low ones are the first 16 values. */
ALWAYS_INLINE void word_nibbles(rows_at r, int64_t offset, words q[8]) {
    words codes[4];
    four_words(r, offset, codes);
    for (int k = 0; k < 4; k++) {
        q[k] = RIGHT(codes[k], 0, 15);
        q[4 + k] = RIGHT(codes[k], 4, 15);
    }
}

/* Adds 16 where the bit of a value is set; the bits of 32 values are one word. */
ALWAYS_INLINE void word_fifths(words bits, words q[8]) {
    for (int k = 0; k < 8; k++) {
        const words byte = pick(bits, k / 2, k / 2, k / 2, k / 2);
        const words bit = WORDS_(set1_epi32)(k % 2 ? (int)0x80402010 : 0x08040201);
#if defined(__AVX512VNNI__)
        q[k] = _mm512_or_si512(q[k], _mm512_maskz_set1_epi8(_mm512_test_epi8_mask(byte, bit), 16));
#else
        const words set = _mm256_cmpeq_epi8(_mm256_and_si256(byte, bit), bit);
        q[k] = _mm256_or_si256(q[k], _mm256_and_si256(set, _mm256_set1_epi8(16)));
#endif
    }
}

ALWAYS_INLINE void store_words(panel32 *p, int at, const words q[8]) {
    for (int k = 0; k < 8; k++) {
        WORDS_STORE(p->q[k][at], q[k]);
    }
}

static void words_q4_0(rows_at r, panel32 *p, int at) {
    words q[8];
    word_nibbles(r, offsetof(block_q4_0, qs), q);
    store_words(p, at, q);
    store_around(p, at, halves(r, 0), 8);
}

static void words_q4_1(rows_at r, panel32 *p, int at) {
    words q[8];
    word_nibbles(r, offsetof(block_q4_1, qs), q);
    store_words(p, at, q);
    store_with_min(p, at, one_word(r, 0));
}

static void words_q5_0(rows_at r, panel32 *p, int at) {
    words q[8];
    word_nibbles(r, offsetof(block_q5_0, qs), q);
    word_fifths(one_word(r, offsetof(block_q5_0, qh)), q);
    store_words(p, at, q);
    store_around(p, at, halves(r, 0), 16);
}

static void words_q5_1(rows_at r, panel32 *p, int at) {
    words q[8];
    word_nibbles(r, offsetof(block_q5_1, qs), q);
    word_fifths(one_word(r, offsetof(block_q5_1, qh)), q);
    store_words(p, at, q);
    store_with_min(p, at, one_word(r, 0));
}

static void words_q8_0(rows_at r, panel32 *p, int at) {
    words q[8];
    eight_words(r, offsetof(block_q8_0, qs), q);
    for (int k = 0; k < 8; k++) {
        q[k] = WORDS_XOR(q[k], WORDS_(set1_epi8)((char)SIGNED_OFFSET));
    }
    store_words(p, at, q);
    store_around(p, at, halves(r, 0), SIGNED_OFFSET);
}

ALWAYS_INLINE void store_looked_up(rows_at r, int64_t offset, const uint8_t *table, panel32 *p, int at) {
    words q[8];
    word_nibbles(r, offset, q);
    for (int k = 0; k < 8; k++) {
        q[k] = words_lookup(q[k], table);
    }
    store_words(p, at, q);
}

static void words_iq4_nl(rows_at r, panel32 *p, int at) {
    store_looked_up(r, offsetof(block_iq4_nl, qs), iq4_bytes, p, at);
    store_around(p, at, halves(r, 0), SIGNED_OFFSET);
}

static void words_mxfp4(rows_at r, panel32 *p, int at) {
    store_looked_up(r, offsetof(block_mxfp4, qs), mxfp4_bytes, p, at);
    for (int i = 0; i < LANES; i++) {
        p->d[at + i] = float_of_e8m0_half(r.first[i * r.stride]);
        p->m[at + i] = -12 * p->d[at + i];
    }
}

typedef void words256_fn(rows_at r, panel256 *p, int at);
typedef void words32_fn(rows_at r, panel32 *p, int at);

#endif
