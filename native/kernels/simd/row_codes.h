/*
 * Blocks of quantised rows in registers: 32 codes at a time, and the scales that belong to them, in
 * the meaning of block_rows.h. Below it the few vector operations that dot products need.
 */
#ifndef GATUN_ROW_CODES_H
#define GATUN_ROW_CODES_H

#include "block_rows.h"

#if defined(__AVX2__)
typedef __m256i ints;
typedef __m256 floats;
typedef __m256i words; /* 16 of 16 bits */
ALWAYS_INLINE ints ints_zero(void) { return _mm256_setzero_si256(); }
ALWAYS_INLINE ints ints_add(ints a, ints b) { return _mm256_add_epi32(a, b); }
ALWAYS_INLINE floats floats_zero(void) { return _mm256_setzero_ps(); }
ALWAYS_INLINE floats floats_add(floats a, floats b) { return _mm256_add_ps(a, b); }
typedef __m256 floats8;
ALWAYS_INLINE floats8 floats8_all(float x) { return _mm256_set1_ps(x); }
ALWAYS_INLINE floats8 floats8_load(const float *p) { return _mm256_loadu_ps(p); }
ALWAYS_INLINE void floats8_store(float *p, floats8 a) { _mm256_storeu_ps(p, a); }
ALWAYS_INLINE floats8 floats8_mul(floats8 a, floats8 b) { return _mm256_mul_ps(a, b); }
ALWAYS_INLINE floats8 floats8_fma(floats8 a, floats8 b, floats8 c) { return _mm256_fmadd_ps(a, b, c); }
ALWAYS_INLINE floats add_scaled(floats f, ints i, float d) {
    return _mm256_fmadd_ps(_mm256_set1_ps(d), _mm256_cvtepi32_ps(i), f);
}
ALWAYS_INLINE float floats_sum(floats f) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(f), _mm256_extractf128_ps(f, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
/* acc + Σ of neighbours: codes 0…127, or −128…127 where the set multiplies signed bytes. */
ALWAYS_INLINE ints dot(ints acc, bytes32 q, const int8_t *x, bool is_signed) {
    const __m256i a = _mm256_loadu_si256((const __m256i *)x);
#if defined(__AVX512VNNI__)
    (void)is_signed; /* SIGNED_OFFSET has made them unsigned */
    return _mm256_dpbusd_epi32(acc, q, a);
#else
    const __m256i pairs = is_signed
                              ? _mm256_maddubs_epi16(_mm256_abs_epi8(q), _mm256_sign_epi8(a, q))
                              : _mm256_maddubs_epi16(q, a);
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#endif
}
#if defined(__AVX512VNNI__)
/* Two times 32 side by side. */
typedef __m512i ints2;
typedef __m512 floats2;
typedef __m512i words2;
ALWAYS_INLINE ints2 ints2_zero(void) { return _mm512_setzero_si512(); }
ALWAYS_INLINE ints ints2_fold(ints2 a) {
    return _mm256_add_epi32(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
}
ALWAYS_INLINE floats2 floats2_zero(void) { return _mm512_setzero_ps(); }
ALWAYS_INLINE floats floats2_fold(floats2 a) {
    return _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
}
ALWAYS_INLINE __m512i bytes64(bytes32 a, bytes32 b) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
}
ALWAYS_INLINE words2 words2_of(words w) { return _mm512_broadcast_i64x4(w); }
ALWAYS_INLINE ints2 dot2_scaled(ints2 acc, bytes32 q, bytes32 q2, const int8_t *x, words2 s, int j) {
    const __m512i word = bytes64(_mm256_set1_epi16((short)((2 * j) | (2 * j + 1) << 8)),
                                 _mm256_set1_epi16((short)((2 * j + 2) | (2 * j + 3) << 8)));
    const __m512i pairs = _mm512_maddubs_epi16(bytes64(q, q2), _mm512_loadu_si512(x));
    return _mm512_dpwssd_epi32(acc, pairs, _mm512_shuffle_epi8(s, word));
}
ALWAYS_INLINE floats2 add2_scaled(floats2 f, bytes32 q, bytes32 q2, const int8_t *x, bool is_signed,
                                  const float *d) {
    (void)is_signed;
    const __m512i i = _mm512_dpbusd_epi32(_mm512_setzero_si512(), bytes64(q, q2),
                                          _mm512_loadu_si512(x));
    const __m512 scale = _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_broadcast_ss(d)),
                                            _mm256_broadcast_ss(d + 1), 1);
    return _mm512_fmadd_ps(scale, _mm512_cvtepi32_ps(i), f);
}
#endif
/* acc + scale·Σ: the scales of the two halves of the 32 are words j of the two halves of s. */
ALWAYS_INLINE ints dot_scaled(ints acc, bytes32 q, const int8_t *x, words s, int j) {
    const __m256i word = _mm256_set1_epi16((short)((2 * j) | (2 * j + 1) << 8));
    const __m256i scale = _mm256_shuffle_epi8(s, word);
    const __m256i pairs = _mm256_maddubs_epi16(q, _mm256_loadu_si256((const __m256i *)x));
#if defined(__AVX512VNNI__)
    return _mm256_dpwssd_epi32(acc, pairs, scale);
#else
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, scale));
#endif
}
ALWAYS_INLINE ints dot_words(words a, const int16_t *b) {
    return _mm256_madd_epi16(a, _mm256_loadu_si256((const __m256i *)b));
}
ALWAYS_INLINE words words_times32(words a) { return _mm256_slli_epi16(a, 5); }
/* 8 unsigned bytes, the same for both halves. */
ALWAYS_INLINE words words_twice(uint64_t bytes) {
    return _mm256_broadcastsi128_si256(_mm_cvtepu8_epi16(_mm_cvtsi64_si128((long long)bytes)));
}
/* 16 bytes, even ones first. */
ALWAYS_INLINE __m128i even_first(const void *bytes) {
    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)bytes),
                            _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
}
ALWAYS_INLINE words words_signed(const void *bytes) {
    return _mm256_cvtepi8_epi16(even_first(bytes));
}
ALWAYS_INLINE words words_bits(const void *bytes, int right) {
    return _mm256_cvtepu8_epi16(
        _mm_and_si128(_mm_srli_epi16(even_first(bytes), right), _mm_set1_epi8(15)));
}
/* 16 bytes of two codes each to 32: the low ones first. */
ALWAYS_INLINE bytes32 two_nibbles(const uint8_t *qs) {
    const __m128i codes = _mm_loadu_si128((const __m128i *)qs);
    const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(codes),
                                                 _mm_srli_epi16(codes, 4), 1);
    return _mm256_and_si256(both, _mm256_set1_epi8(15));
}
ALWAYS_INLINE bytes32 looked_up(bytes32 q, const uint8_t *table) {
    const __m128i t = _mm_loadu_si128((const __m128i *)table);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(t), q);
}
/* 16 where a bit is set. */
ALWAYS_INLINE bytes32 sixteens(const uint8_t *qh) {
    int32_t bits;
    memcpy(&bits, qh, 4);
    const __m256i byte = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202,
                                            0x0303030303030303);
    const __m256i bit = _mm256_set1_epi64x((int64_t)0x8040201008040201);
    const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(bits), byte);
    const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
    return _mm256_and_si256(set, _mm256_set1_epi8(16));
}
ALWAYS_INLINE bytes32 with_offset(bytes32 q) {
    return SIGNED_OFFSET ? _mm256_xor_si256(q, _mm256_set1_epi8((char)SIGNED_OFFSET)) : q;
}

#else /* NEON */
typedef int32x4_t ints;
typedef float32x4_t floats;
typedef struct {
    int16_t v[16];
} words;
ALWAYS_INLINE ints ints_zero(void) { return vdupq_n_s32(0); }
ALWAYS_INLINE ints ints_add(ints a, ints b) { return vaddq_s32(a, b); }
ALWAYS_INLINE floats floats_zero(void) { return vdupq_n_f32(0); }
ALWAYS_INLINE floats floats_add(floats a, floats b) { return vaddq_f32(a, b); }
typedef float32x4x2_t floats8;
ALWAYS_INLINE floats8 floats8_all(float x) { return (floats8){{vdupq_n_f32(x), vdupq_n_f32(x)}}; }
ALWAYS_INLINE floats8 floats8_load(const float *p) { return vld1q_f32_x2(p); }
ALWAYS_INLINE void floats8_store(float *p, floats8 a) { vst1q_f32_x2(p, a); }
ALWAYS_INLINE floats8 floats8_mul(floats8 a, floats8 b) {
    return (floats8){{vmulq_f32(a.val[0], b.val[0]), vmulq_f32(a.val[1], b.val[1])}};
}
ALWAYS_INLINE floats8 floats8_fma(floats8 a, floats8 b, floats8 c) {
    return (floats8){{vfmaq_f32(c.val[0], a.val[0], b.val[0]), vfmaq_f32(c.val[1], a.val[1], b.val[1])}};
}
ALWAYS_INLINE floats add_scaled(floats f, ints i, float d) {
    return vfmaq_n_f32(f, vcvtq_f32_s32(i), d);
}
ALWAYS_INLINE float floats_sum(floats f) { return vaddvq_f32(f); }
ALWAYS_INLINE ints dot_half(ints acc, uint8x16_t q, const int8_t *x) {
    return vdotq_s32(acc, vreinterpretq_s8_u8(q), vld1q_s8(x));
}
ALWAYS_INLINE ints dot(ints acc, bytes32 q, const int8_t *x, bool is_signed) {
    (void)is_signed;
    return dot_half(dot_half(acc, q.val[0], x), q.val[1], x + 16);
}
ALWAYS_INLINE ints dot_scaled(ints acc, bytes32 q, const int8_t *x, words s, int j) {
    acc = vmlaq_n_s32(acc, dot_half(ints_zero(), q.val[0], x), s.v[j]);
    return vmlaq_n_s32(acc, dot_half(ints_zero(), q.val[1], x + 16), s.v[8 + j]);
}
ALWAYS_INLINE ints dot_words(words a, const int16_t *b) {
    ints sum = ints_zero();
    for (int i = 0; i < 16; i += 4) {
        sum = vmlal_s16(sum, vld1_s16(a.v + i), vld1_s16(b + i));
    }
    return sum;
}
ALWAYS_INLINE words words_times32(words a) {
    for (int i = 0; i < 16; i++) {
        a.v[i] = (int16_t)(32 * a.v[i]);
    }
    return a;
}
ALWAYS_INLINE words words_twice(uint64_t bytes) {
    words w;
    for (int i = 0; i < 8; i++) {
        w.v[i] = w.v[8 + i] = (int16_t)(bytes >> 8 * i & 255);
    }
    return w;
}
ALWAYS_INLINE words words_signed(const void *bytes) {
    words w;
    for (int i = 0; i < 16; i++) {
        w.v[i / 2 + i % 2 * 8] = ((const int8_t *)bytes)[i];
    }
    return w;
}
ALWAYS_INLINE words words_bits(const void *bytes, int right) {
    words w;
    for (int i = 0; i < 16; i++) {
        w.v[i / 2 + i % 2 * 8] = ((const uint8_t *)bytes)[i] >> right & 15;
    }
    return w;
}
ALWAYS_INLINE bytes32 two_nibbles(const uint8_t *qs) {
    const uint8x16_t codes = vld1q_u8(qs);
    return (bytes32){{vandq_u8(codes, vdupq_n_u8(15)), vshrq_n_u8(codes, 4)}};
}
ALWAYS_INLINE bytes32 looked_up(bytes32 q, const uint8_t *table) {
    const uint8x16_t t = vld1q_u8(table);
    return (bytes32){{vqtbl1q_u8(t, q.val[0]), vqtbl1q_u8(t, q.val[1])}};
}
ALWAYS_INLINE bytes32 sixteens(const uint8_t *qh) {
    const uint8x8_t bit = vcreate_u8(0x8040201008040201);
    const uint8x16_t two = vcombine_u8(bit, bit);
    bytes32 r;
    for (int i = 0; i < 2; i++) {
        const uint8x16_t spread = vcombine_u8(vdup_n_u8(qh[2 * i]), vdup_n_u8(qh[2 * i + 1]));
        r.val[i] = vandq_u8(vtstq_u8(spread, two), vdupq_n_u8(16));
    }
    return r;
}
ALWAYS_INLINE bytes32 with_offset(bytes32 q) { return q; }
#endif

#if !defined(__AVX512VNNI__)
/* Two times 32, one after the other. */
typedef struct {
    ints a, b;
} ints2;
typedef struct {
    floats a, b;
} floats2;
typedef words words2;
ALWAYS_INLINE ints2 ints2_zero(void) { return (ints2){ints_zero(), ints_zero()}; }
ALWAYS_INLINE ints ints2_fold(ints2 i) { return ints_add(i.a, i.b); }
ALWAYS_INLINE floats2 floats2_zero(void) { return (floats2){floats_zero(), floats_zero()}; }
ALWAYS_INLINE floats floats2_fold(floats2 f) { return floats_add(f.a, f.b); }
ALWAYS_INLINE words2 words2_of(words w) { return w; }
ALWAYS_INLINE ints2 dot2_scaled(ints2 acc, bytes32 q, bytes32 q2, const int8_t *x, words2 s, int j) {
    return (ints2){dot_scaled(acc.a, q, x, s, j), dot_scaled(acc.b, q2, x + 32, s, j + 1)};
}
ALWAYS_INLINE floats2 add2_scaled(floats2 f, bytes32 q, bytes32 q2, const int8_t *x, bool is_signed,
                                  const float *d) {
    return (floats2){add_scaled(f.a, dot(ints_zero(), q, x, is_signed), d[0]),
                     add_scaled(f.b, dot(ints_zero(), q2, x + 32, is_signed), d[1])};
}
#endif

/* w = d·scale·q − dm·min; halves of the words: even sub-blocks of 16, then odd ones. */
typedef struct {
    words scale, min;
    float d, dm;
} scales256;

/* w = d·q + m of 8 blocks. */
typedef struct {
    floats8 d, m;
} scales32;

/* Halves that lie `bytes` apart; 0 beyond `count`. */
ALWAYS_INLINE floats8 halves(const uint8_t *first, int bytes, int count) {
    uint16_t h[8] = {0};
    for (int i = 0; i < count; i++) {
        memcpy(h + i, first + i * bytes, 2);
    }
#if defined(__AVX2__)
    return _mm256_cvtph_ps(_mm_setr_epi16((short)h[0], (short)h[1], (short)h[2], (short)h[3],
                                          (short)h[4], (short)h[5], (short)h[6], (short)h[7]));
#else
    float out[8];
    for (int i = 0; i < 8; i++) {
        out[i] = float_of_half(h[i]);
    }
    return floats8_load(out);
#endif
}

/* With m = −zero·d. */
ALWAYS_INLINE scales32 scales_around(const void *block, int bytes, int count, float zero) {
    const floats8 d = halves(block, bytes, count);
    return (scales32){d, floats8_mul(d, floats8_all(-zero))};
}

/* With m behind d. */
ALWAYS_INLINE scales32 scales_and_minima(const void *block, int bytes, int count) {
    return (scales32){halves(block, bytes, count),
                      halves((const uint8_t *)block + 2, bytes, count)};
}

ALWAYS_INLINE bytes32 codes_q2_k(const void *block, int j) {
    const block_q2_k *b = block;
    const bytes32 codes = LOAD32(b->qs + j / 4 * 32);
    switch (j % 4) {
    case 0: return RIGHT32(codes, 0, 3);
    case 1: return RIGHT32(codes, 2, 3);
    case 2: return RIGHT32(codes, 4, 3);
    default: return RIGHT32(codes, 6, 3);
    }
}

ALWAYS_INLINE scales256 scales_q2_k(const void *block) {
    const block_q2_k *b = block;
    return (scales256){words_bits(b->scales, 0), words_bits(b->scales, 4), float_of_half(b->d),
                       float_of_half(b->dmin)};
}

ALWAYS_INLINE bytes32 nibbles_of(const uint8_t *qs, int j) {
    const bytes32 codes = LOAD32(qs + j / 2 * 32);
    return j % 2 ? RIGHT32(codes, 4, 15) : RIGHT32(codes, 0, 15);
}

/* Scales and minima of 6 bits in 12 bytes, eight of each, without a way through memory. */
ALWAYS_INLINE scales256 scales_of_6_bits(const uint8_t *packed, uint16_t d, uint16_t dmin) {
    uint32_t a, b, c;
    memcpy(&a, packed, 4);
    memcpy(&b, packed + 4, 4);
    memcpy(&c, packed + 8, 4);
    const uint32_t high_scales = (c & 0x0f0f0f0f) | (a >> 6 & 0x03030303) << 4;
    const uint32_t high_mins = (c >> 4 & 0x0f0f0f0f) | (b >> 6 & 0x03030303) << 4;
    return (scales256){words_twice((a & 0x3f3f3f3f) | (uint64_t)high_scales << 32),
                       words_twice((b & 0x3f3f3f3f) | (uint64_t)high_mins << 32),
                       float_of_half(d), float_of_half(dmin)};
}

ALWAYS_INLINE bytes32 codes_q4_k(const void *block, int j) {
    return nibbles_of(((const block_q4_k *)block)->qs, j);
}

ALWAYS_INLINE scales256 scales_q4_k(const void *block) {
    const block_q4_k *b = block;
    return scales_of_6_bits(b->scales, b->d, b->dmin);
}

ALWAYS_INLINE bytes32 codes_q5_k(const void *block, int j) {
    const block_q5_k *b = block;
    const bytes32 top = LOAD32(b->qh);
    const bytes32 low = nibbles_of(b->qs, j);
    switch (j) {
    case 0: return OR32(low, LEFT32(top, 4, 16));
    case 1: return OR32(low, LEFT32(top, 3, 16));
    case 2: return OR32(low, LEFT32(top, 2, 16));
    case 3: return OR32(low, LEFT32(top, 1, 16));
    case 4: return OR32(low, RIGHT32(top, 0, 16));
    case 5: return OR32(low, RIGHT32(top, 1, 16));
    case 6: return OR32(low, RIGHT32(top, 2, 16));
    default: return OR32(low, RIGHT32(top, 3, 16));
    }
}

ALWAYS_INLINE scales256 scales_q5_k(const void *block) {
    const block_q5_k *b = block;
    return scales_of_6_bits(b->scales, b->d, b->dmin);
}

ALWAYS_INLINE bytes32 codes_q6_k(const void *block, int j) {
    const block_q6_k *b = block;
    const bytes32 low = LOAD32(b->ql + j / 4 * 64 + j % 2 * 32);
    const bytes32 top = LOAD32(b->qh + j / 4 * 32);
    switch (j % 4) {
    case 0: return OR32(RIGHT32(low, 0, 15), LEFT32(top, 4, 48));
    case 1: return OR32(RIGHT32(low, 0, 15), LEFT32(top, 2, 48));
    case 2: return OR32(RIGHT32(low, 4, 15), RIGHT32(top, 0, 48));
    default: return OR32(RIGHT32(low, 4, 15), RIGHT32(top, 2, 48));
    }
}

ALWAYS_INLINE scales256 scales_q6_k(const void *block) {
    const block_q6_k *b = block;
    const words scale = words_signed(b->scales);
    const float d = float_of_half(b->d);
    return (scales256){scale, words_times32(scale), d, d};
}

ALWAYS_INLINE bytes32 codes_q4_0(const void *block) {
    return two_nibbles(((const block_q4_0 *)block)->qs);
}
ALWAYS_INLINE scales32 scales_q4_0(const void *block, int count) {
    return scales_around(block, sizeof(block_q4_0), count, 8);
}

ALWAYS_INLINE bytes32 codes_q4_1(const void *block) {
    return two_nibbles(((const block_q4_1 *)block)->qs);
}
ALWAYS_INLINE scales32 scales_q4_1(const void *block, int count) {
    return scales_and_minima(block, sizeof(block_q4_1), count);
}

ALWAYS_INLINE bytes32 codes_q5_0(const void *block) {
    const block_q5_0 *b = block;
    return OR32(two_nibbles(b->qs), sixteens(b->qh));
}
ALWAYS_INLINE scales32 scales_q5_0(const void *block, int count) {
    return scales_around(block, sizeof(block_q5_0), count, 16);
}

ALWAYS_INLINE bytes32 codes_q5_1(const void *block) {
    const block_q5_1 *b = block;
    return OR32(two_nibbles(b->qs), sixteens(b->qh));
}
ALWAYS_INLINE scales32 scales_q5_1(const void *block, int count) {
    return scales_and_minima(block, sizeof(block_q5_1), count);
}

ALWAYS_INLINE bytes32 codes_q8_0(const void *block) {
    return with_offset(LOAD32((const uint8_t *)((const block_q8_0 *)block)->qs));
}
ALWAYS_INLINE scales32 scales_q8_0(const void *block, int count) {
    return scales_around(block, sizeof(block_q8_0), count, SIGNED_OFFSET);
}

ALWAYS_INLINE bytes32 codes_iq4_nl(const void *block) {
    return looked_up(two_nibbles(((const block_iq4_nl *)block)->qs), iq4_bytes);
}
ALWAYS_INLINE scales32 scales_iq4_nl(const void *block, int count) {
    return scales_around(block, sizeof(block_iq4_nl), count, SIGNED_OFFSET);
}

ALWAYS_INLINE bytes32 codes_mxfp4(const void *block) {
    return looked_up(two_nibbles(((const block_mxfp4 *)block)->qs), mxfp4_bytes);
}
/* Half of 2^(e − 127): the codes are twice the values. */
ALWAYS_INLINE scales32 scales_mxfp4(const void *block, int count) {
    const block_mxfp4 *b = block;
    uint8_t e[8] = {0};
    for (int i = 0; i < count; i++) {
        e[i] = b[i].e;
    }
#if defined(__AVX2__)
    uint64_t all;
    memcpy(&all, e, 8);
    const __m256i wide = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)all));
    const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(wide, _mm256_set1_epi32(1)), 23);
    const __m256i small = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), wide);
    const floats8 d = _mm256_castsi256_ps(
        _mm256_blendv_epi8(small, normal, _mm256_cmpgt_epi32(wide, _mm256_set1_epi32(1))));
#else
    float values[8];
    for (int i = 0; i < 8; i++) {
        values[i] = float_of_e8m0_half(e[i]);
    }
    const floats8 d = floats8_load(values);
#endif
    return (scales32){d, floats8_mul(d, floats8_all(-12))};
}

#endif
