/*
 * Words of 4 bytes, one from each of 16 rows (AVX-512) or of 8 (AVX2), side by side in a register: the
 * form in which a panel holds weights. Rows are transposed while they are still packed, and codes are
 * taken apart afterwards, for all rows at once: a panel costs a fraction of what it costs row by row.
 */
#ifndef GATUN_ROW_WORDS_H
#define GATUN_ROW_WORDS_H

#include "isa.h"

#include <string.h>

/* Where the rows are that lie side by side. */
typedef struct {
    const uint8_t *first;
    int64_t stride;
} rows_at;

#if defined(__AVX512VNNI__)
enum { LANES = 16 };
typedef __m512i words;
typedef __m512 word_floats;
#define WORDS_(op) _mm512_##op
#define WORDS_AND(a, b) _mm512_and_si512(a, b)
#define WORDS_OR(a, b) _mm512_or_si512(a, b)
#define WORDS_XOR(a, b) _mm512_xor_si512(a, b)
#define WORDS_STORE(p, v) _mm512_storeu_si512(p, v)
ALWAYS_INLINE words words_all(__m128i lane) { return _mm512_broadcast_i32x4(lane); }
/* 16 bytes of the rows 0, 4, 8 and 12 from p on. */
ALWAYS_INLINE words every_fourth(const uint8_t *p, int64_t four) {
    words v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)p));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(p + four)), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(p + 2 * four)), 2);
    return _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(p + 3 * four)), 3);
}
/* The lower halves of all words as IEEE half precision. */
ALWAYS_INLINE word_floats floats_of_halves(words v) {
    return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v));
}
#else
enum { LANES = 8 };
typedef __m256i words;
typedef __m256 word_floats;
#define WORDS_(op) _mm256_##op
#define WORDS_AND(a, b) _mm256_and_si256(a, b)
#define WORDS_OR(a, b) _mm256_or_si256(a, b)
#define WORDS_XOR(a, b) _mm256_xor_si256(a, b)
#define WORDS_STORE(p, v) _mm256_storeu_si256((__m256i *)(p), v)
ALWAYS_INLINE words words_all(__m128i lane) { return _mm256_broadcastsi128_si256(lane); }
ALWAYS_INLINE words every_fourth(const uint8_t *p, int64_t four) {
    const words v = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)p));
    return _mm256_inserti128_si256(v, _mm_loadu_si128((const __m128i *)(p + four)), 1);
}
ALWAYS_INLINE word_floats floats_of_halves(words v) {
    const words low = _mm256_and_si256(v, _mm256_set1_epi32(0xffff));
    const words packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, low), 0x08);
    return _mm256_cvtph_ps(_mm256_castsi256_si128(packed));
}
#endif

/* 16 bytes of each row, `offset` bytes after its start, as 4 words of all rows. */
ALWAYS_INLINE void four_words(rows_at r, int64_t offset, words out[4]) {
    const uint8_t *p = r.first + offset;
    const words a = every_fourth(p, 4 * r.stride);
    const words b = every_fourth(p + r.stride, 4 * r.stride);
    const words c = every_fourth(p + 2 * r.stride, 4 * r.stride);
    const words d = every_fourth(p + 3 * r.stride, 4 * r.stride);
    const words ab = WORDS_(unpacklo_epi32)(a, b), ab2 = WORDS_(unpackhi_epi32)(a, b);
    const words cd = WORDS_(unpacklo_epi32)(c, d), cd2 = WORDS_(unpackhi_epi32)(c, d);
    out[0] = WORDS_(unpacklo_epi64)(ab, cd);
    out[1] = WORDS_(unpackhi_epi64)(ab, cd);
    out[2] = WORDS_(unpacklo_epi64)(ab2, cd2);
    out[3] = WORDS_(unpackhi_epi64)(ab2, cd2);
}

/* 32 bytes of each row as 8 words. */
ALWAYS_INLINE void eight_words(rows_at r, int64_t offset, words out[8]) {
    four_words(r, offset, out);
    four_words(r, offset + 16, out + 4);
}

/* 4 bytes of each row. */
ALWAYS_INLINE words one_word(rows_at r, int64_t offset) {
    int32_t w[LANES];
    for (int i = 0; i < LANES; i++) {
        memcpy(&w[i], r.first + offset + i * r.stride, 4);
    }
#if defined(__AVX512VNNI__)
    return _mm512_setr_epi32(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11],
                             w[12], w[13], w[14], w[15]);
#else
    return _mm256_setr_epi32(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]);
#endif
}

ALWAYS_INLINE int half_at(const uint8_t *p) {
    uint16_t h;
    memcpy(&h, p, 2);
    return h;
}

/* 16 bits of 8 rows. */
ALWAYS_INLINE __m128i eight_halves(const uint8_t *p, int64_t stride) {
    /* Given as an array, GCC sends them through mask registers. */
#define HALF(v, i) _mm_insert_epi16(v, half_at(p + i * stride), i)
    __m128i v = _mm_cvtsi32_si128(half_at(p));
    v = HALF(v, 1);
    v = HALF(v, 2);
    v = HALF(v, 3);
    __m128i high = _mm_setzero_si128();
    high = HALF(high, 4);
    high = HALF(high, 5);
    high = HALF(high, 6);
    return _mm_or_si128(v, HALF(high, 7));
#undef HALF
}

/* A half of each row as floats. */
ALWAYS_INLINE word_floats halves(rows_at r, int64_t offset) {
    const uint8_t *p = r.first + offset;
    const __m128i first = eight_halves(p, r.stride);
#if defined(__AVX512VNNI__)
    const __m128i second = eight_halves(p + 8 * r.stride, r.stride);
    return _mm512_cvtph_ps(_mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1));
#else
    return _mm256_cvtph_ps(first);
#endif
}

/* (v >> right) & mask, and (v << left) & mask, in each byte. */
#define RIGHT(v, right, mask) WORDS_AND(WORDS_(srli_epi16)(v, right), WORDS_(set1_epi8)(mask))
#define LEFT(v, left, mask) WORDS_AND(WORDS_(slli_epi16)(v, left), WORDS_(set1_epi8)(mask))

/* Byte of a word that is zero, for `pick`. */
enum { ZERO = -128 };

/* The bytes a, b, c and d of every word. */
ALWAYS_INLINE words pick(words v, int a, int b, int c, int d) {
#define FOUR(i) (char)(i + a), (char)(i + b), (char)(i + c), (char)(i + d)
    return WORDS_(shuffle_epi8)(v, words_all(_mm_setr_epi8(FOUR(0), FOUR(4), FOUR(8), FOUR(12))));
#undef FOUR
}

/* 16 bytes, looked up by each byte of v, which is 0 to 15. */
ALWAYS_INLINE words words_lookup(words v, const uint8_t *table) {
    return WORDS_(shuffle_epi8)(words_all(_mm_loadu_si128((const __m128i *)table)), v);
}

#endif
