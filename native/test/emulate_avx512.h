/*
 * The AVX-512 that the kernels use, lane by lane in plain C, so that their AVX-512 build can be tested
 * on machines without it: -DGATUN_EMULATE_AVX512=ON includes this before every file of that set. Each
 * definition follows the operation in Intel's Intrinsics Guide. What is missing here fails to compile.
 */
#ifndef GATUN_EMULATE_AVX512_H
#define GATUN_EMULATE_AVX512_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define __AVX512F__ 1
#define __AVX512BW__ 1
#define __AVX512DQ__ 1
#define __AVX512VL__ 1
#define __AVX512VNNI__ 1

typedef union {
    float f[16];
    int32_t i[16];
    int16_t h[32];
    int8_t b[64];
    uint8_t u[64];
} lanes;

/* The compiler's own types and names give way. */
#define __m512 lanes
#define __m512i lanes

/* Calls, not copies everywhere: with sanitizers those take compilers minutes. */
#define EMULATION __attribute__((noinline, unused))

/* EMULATED(name, parameters, what each of 16 lanes n of r becomes) */
#define EMULATED(name, parameters, lane)                                                           \
    static EMULATION lanes emulated_##name parameters {                                               \
        lanes r;                                                                                   \
        for (int n = 0; n < 16; n++) {                                                             \
            lane;                                                                                  \
        }                                                                                          \
        return r;                                                                                  \
    }

EMULATED(set1_ps, (float x), r.f[n] = x)
EMULATED(set1_epi32, (int32_t x), r.i[n] = x)
EMULATED(add_ps, (lanes a, lanes b), r.f[n] = a.f[n] + b.f[n])
EMULATED(sub_ps, (lanes a, lanes b), r.f[n] = a.f[n] - b.f[n])
EMULATED(mul_ps, (lanes a, lanes b), r.f[n] = a.f[n] * b.f[n])
EMULATED(div_ps, (lanes a, lanes b), r.f[n] = a.f[n] / b.f[n])
EMULATED(fmadd_ps, (lanes a, lanes b, lanes c), r.f[n] = fmaf(a.f[n], b.f[n], c.f[n]))
EMULATED(fnmadd_ps, (lanes a, lanes b, lanes c), r.f[n] = fmaf(-a.f[n], b.f[n], c.f[n]))
/* The second operand where either is NaN. */
EMULATED(max_ps, (lanes a, lanes b), r.f[n] = a.f[n] > b.f[n] ? a.f[n] : b.f[n])
EMULATED(min_ps, (lanes a, lanes b), r.f[n] = a.f[n] < b.f[n] ? a.f[n] : b.f[n])
EMULATED(roundscale_ps, (lanes a, int how), r.f[n] = how == 8 ? nearbyintf(a.f[n]) : NAN)

/* Sums wrap around. */
EMULATED(add_epi32, (lanes a, lanes b), r.i[n] = (int32_t)((uint32_t)a.i[n] + (uint32_t)b.i[n]))
EMULATED(mullo_epi32, (lanes a, lanes b), r.i[n] = (int32_t)((uint32_t)a.i[n] * (uint32_t)b.i[n]))
EMULATED(slli_epi32, (lanes a, int by), r.i[n] = (int32_t)((uint32_t)a.i[n] << by))
EMULATED(srai_epi32, (lanes a, int by), r.i[n] = a.i[n] >> by)
EMULATED(dpbusd_epi32, (lanes sum, lanes a, lanes b),
         uint32_t s = (uint32_t)sum.i[n];
         for (int j = 4 * n; j < 4 * n + 4; j++) s += (uint32_t)(a.u[j] * b.b[j]);
         r.i[n] = (int32_t)s)
EMULATED(dpwssd_epi32, (lanes sum, lanes a, lanes b),
         r.i[n] = (int32_t)((uint32_t)sum.i[n] + (uint32_t)(a.h[2 * n] * b.h[2 * n]) +
                            (uint32_t)(a.h[2 * n + 1] * b.h[2 * n + 1])))

/* Out of range and NaN give the smallest integer. */
EMULATED(cvtps_epi32, (lanes a),
         const float x = nearbyintf(a.f[n]);
         r.i[n] = x >= -0x1p31f && x < 0x1p31f ? (int32_t)x : INT32_MIN)
EMULATED(cvtepi32_ps, (lanes a), r.f[n] = (float)a.i[n])
EMULATED(cvtepi8_epi32, (__m128i a), int8_t x[16]; memcpy(x, &a, 16); r.i[n] = x[n])
EMULATED(cvtepu8_epi32, (__m128i a), uint8_t x[16]; memcpy(x, &a, 16); r.i[n] = x[n])
EMULATED(cvtepu16_epi32, (__m256i a), uint16_t x[16]; memcpy(x, &a, 32); r.i[n] = x[n])
EMULATED(cvtph_ps, (__m256i a), uint16_t x[16]; memcpy(x, &a, 32); r.f[n] = _cvtsh_ss(x[n]))

EMULATED(maskz_mov_ps, (__mmask16 m, lanes a), r.f[n] = m >> n & 1 ? a.f[n] : 0)
EMULATED(maskz_loadu_ps, (__mmask16 m, const float *p), r.f[n] = m >> n & 1 ? p[n] : 0)

static EMULATION lanes emulated_loadu(const void *p) {
    lanes r;
    memcpy(&r, p, sizeof r);
    return r;
}

static EMULATION void emulated_storeu(void *p, lanes a) { memcpy(p, &a, sizeof a); }

static EMULATION void emulated_mask_storeu_ps(float *p, __mmask16 m, lanes a) {
    for (int n = 0; n < 16; n++) {
        if (m >> n & 1) {
            p[n] = a.f[n];
        }
    }
}

static EMULATION __mmask16 emulated_cmp_ps_mask(lanes a, lanes b, int how) {
    __mmask16 m = 0;
    if (how != _CMP_NLT_UQ) {
        abort();
    }
    for (int n = 0; n < 16; n++) {
        m = (__mmask16)(m | !(a.f[n] < b.f[n]) << n);
    }
    return m;
}

/* Halves onto each other, as compilers do it. */
static EMULATION float emulated_reduce_add_ps(lanes a) {
    for (int half = 8; half > 0; half /= 2) {
        for (int n = 0; n < half; n++) {
            a.f[n] += a.f[n + half];
        }
    }
    return a.f[0];
}

static EMULATION float emulated_reduce_max_ps(lanes a) {
    float largest = a.f[0];
    for (int n = 1; n < 16; n++) {
        largest = a.f[n] > largest ? a.f[n] : largest;
    }
    return largest;
}

#undef EMULATED

/* Of 16-bit pairs, saturated; bytes from the same 16 of a. */
static EMULATION lanes emulated_maddubs_epi16(lanes a, lanes b) {
    lanes r;
    for (int n = 0; n < 32; n++) {
        const int sum = a.u[2 * n] * b.b[2 * n] + a.u[2 * n + 1] * b.b[2 * n + 1];
        r.h[n] = (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
    }
    return r;
}

static EMULATION lanes emulated_shuffle_epi8(lanes a, lanes by) {
    lanes r;
    for (int n = 0; n < 64; n++) {
        r.u[n] = by.u[n] & 0x80 ? 0 : a.u[n / 16 * 16 + (by.u[n] & 15)];
    }
    return r;
}

/* EMULATED_OF(count, name, parameters, what each lane n of r becomes) */
#define EMULATED_OF(count, name, parameters, lane)                                                 \
    static EMULATION lanes emulated_##name parameters {                                            \
        lanes r;                                                                                   \
        for (int n = 0; n < count; n++) {                                                          \
            lane;                                                                                  \
        }                                                                                          \
        return r;                                                                                  \
    }

EMULATED_OF(16, and, (lanes a, lanes b), r.i[n] = a.i[n] & b.i[n])
EMULATED_OF(16, or, (lanes a, lanes b), r.i[n] = a.i[n] | b.i[n])
EMULATED_OF(16, xor, (lanes a, lanes b), r.i[n] = a.i[n] ^ b.i[n])
EMULATED_OF(16, sub_epi32, (lanes a, lanes b), r.i[n] = (int32_t)((uint32_t)a.i[n] - (uint32_t)b.i[n]))
EMULATED_OF(16, srli_epi32, (lanes a, int by), r.i[n] = (int32_t)((uint32_t)a.i[n] >> by))
EMULATED_OF(32, srli_epi16, (lanes a, int by), r.h[n] = (int16_t)((uint16_t)a.h[n] >> by))
EMULATED_OF(32, slli_epi16, (lanes a, int by), r.h[n] = (int16_t)((uint16_t)a.h[n] << by))
EMULATED_OF(32, srai_epi16, (lanes a, int by), r.h[n] = (int16_t)(a.h[n] >> by))
EMULATED_OF(32, mullo_epi16, (lanes a, lanes b), r.h[n] = (int16_t)(a.h[n] * b.h[n]))
EMULATED_OF(32, set1_epi16, (int x), r.h[n] = (int16_t)x)
EMULATED_OF(64, set1_epi8, (int x), r.b[n] = (int8_t)x)
EMULATED_OF(64, sub_epi8, (lanes a, lanes b), r.u[n] = (uint8_t)(a.u[n] - b.u[n]))
EMULATED_OF(64, maskz_set1_epi8, (uint64_t m, int x), r.b[n] = m >> n & 1 ? (int8_t)x : 0)
/* In each 128 bits: words of a and b in turns, and pairs of words. */
EMULATED_OF(16, unpacklo_epi32, (lanes a, lanes b), r.i[n] = (n % 2 ? b : a).i[n / 4 * 4 + n % 4 / 2])
EMULATED_OF(16, unpackhi_epi32, (lanes a, lanes b), r.i[n] = (n % 2 ? b : a).i[n / 4 * 4 + 2 + n % 4 / 2])
EMULATED_OF(16, unpacklo_epi64, (lanes a, lanes b), r.i[n] = (n % 4 / 2 ? b : a).i[n / 4 * 4 + n % 2])
EMULATED_OF(16, unpackhi_epi64, (lanes a, lanes b), r.i[n] = (n % 4 / 2 ? b : a).i[n / 4 * 4 + 2 + n % 2])
#undef EMULATED_OF

static EMULATION uint64_t emulated_test_epi8_mask(lanes a, lanes b) {
    uint64_t m = 0;
    for (int n = 0; n < 64; n++) {
        m |= (uint64_t)((a.u[n] & b.u[n]) != 0) << n;
    }
    return m;
}

static EMULATION lanes emulated_inserti32x4(lanes a, __m128i b, int at) {
    memcpy((char *)&a + 16 * at, &b, 16);
    return a;
}

static EMULATION lanes emulated_broadcast_i32x4(__m128i a) {
    lanes r;
    for (int at = 0; at < 4; at++) {
        memcpy((char *)&r + 16 * at, &a, 16);
    }
    return r;
}

static EMULATION lanes emulated_castsi128_si512(__m128i a) {
    lanes r;
    memset(&r, 0, sizeof r);
    memcpy(&r, &a, 16);
    return r;
}

static EMULATION __m256i emulated_cvtepi32_epi16(lanes a) {
    int16_t low[16];
    for (int n = 0; n < 16; n++) {
        low[n] = a.h[2 * n];
    }
    __m256i r;
    memcpy(&r, low, sizeof r);
    return r;
}

/* Halves of 256 bits: what the compiler leaves undefined is 0 here. */
static EMULATION lanes emulated_low(const void *half) {
    lanes r;
    memset(&r, 0, sizeof r);
    memcpy(&r, half, 32);
    return r;
}

static EMULATION lanes emulated_with_high(lanes a, const void *half) {
    memcpy((char *)&a + 32, half, 32);
    return a;
}

static EMULATION __m256i emulated_half(lanes a, int which) {
    __m256i r;
    memcpy(&r, (const char *)&a + 32 * which, 32);
    return r;
}

static inline lanes emulated_castsi256_si512(__m256i a) { return emulated_low(&a); }
static inline lanes emulated_castps256_ps512(__m256 a) { return emulated_low(&a); }
static inline lanes emulated_inserti64x4(lanes a, __m256i b, int at) {
    return at == 1 ? emulated_with_high(a, &b) : (abort(), a);
}
static inline lanes emulated_insertf32x8(lanes a, __m256 b, int at) {
    return at == 1 ? emulated_with_high(a, &b) : (abort(), a);
}
static inline lanes emulated_broadcast_i64x4(__m256i a) {
    return emulated_with_high(emulated_low(&a), &a);
}
static inline __m256i emulated_dpbusd256(__m256i sum, __m256i a, __m256i b) {
    return emulated_half(
        emulated_dpbusd_epi32(emulated_low(&sum), emulated_low(&a), emulated_low(&b)), 0);
}
static inline __m256i emulated_dpwssd256(__m256i sum, __m256i a, __m256i b) {
    return emulated_half(
        emulated_dpwssd_epi32(emulated_low(&sum), emulated_low(&a), emulated_low(&b)), 0);
}

#define _mm512_setzero_ps() emulated_set1_ps(0)
#define _mm512_setzero_si512() emulated_set1_epi32(0)
#define _mm512_set1_ps emulated_set1_ps
#define _mm512_set1_epi32 emulated_set1_epi32
#define _mm512_castsi512_ps(a) (a)
#define _mm512_castps_si512(a) (a)
#define _mm512_loadu_ps emulated_loadu
#define _mm512_loadu_si512 emulated_loadu
#define _mm512_storeu_ps emulated_storeu
#define _mm512_storeu_si512 emulated_storeu
#define _mm512_mask_storeu_ps emulated_mask_storeu_ps
#define _mm512_maskz_loadu_ps emulated_maskz_loadu_ps
#define _mm512_maskz_mov_ps emulated_maskz_mov_ps
#define _mm512_add_ps emulated_add_ps
#define _mm512_sub_ps emulated_sub_ps
#define _mm512_mul_ps emulated_mul_ps
#define _mm512_div_ps emulated_div_ps
#define _mm512_fmadd_ps emulated_fmadd_ps
#define _mm512_fnmadd_ps emulated_fnmadd_ps
#define _mm512_max_ps emulated_max_ps
#define _mm512_min_ps emulated_min_ps
#define _mm512_reduce_add_ps emulated_reduce_add_ps
#define _mm512_reduce_max_ps emulated_reduce_max_ps
#define _mm512_add_epi32 emulated_add_epi32
#define _mm512_mullo_epi32 emulated_mullo_epi32
#define _mm512_slli_epi32 emulated_slli_epi32
#define _mm512_srai_epi32 emulated_srai_epi32
#define _mm512_dpbusd_epi32 emulated_dpbusd_epi32
#define _mm512_dpwssd_epi32 emulated_dpwssd_epi32
#define _mm512_cvtps_epi32 emulated_cvtps_epi32
#define _mm512_cvtepi32_ps emulated_cvtepi32_ps
#define _mm512_cvtepi8_epi32 emulated_cvtepi8_epi32
#define _mm512_cvtepu8_epi32 emulated_cvtepu8_epi32
#define _mm512_cvtepu16_epi32 emulated_cvtepu16_epi32
#define _mm512_cvtph_ps emulated_cvtph_ps
#define _mm512_roundscale_ps emulated_roundscale_ps
#define _mm512_cmp_ps_mask emulated_cmp_ps_mask
#define _mm512_and_si512 emulated_and
#define _mm512_or_si512 emulated_or
#define _mm512_xor_si512 emulated_xor
#define _mm512_sub_epi32 emulated_sub_epi32
#define _mm512_sub_epi8 emulated_sub_epi8
#define _mm512_srli_epi32 emulated_srli_epi32
#define _mm512_srli_epi16 emulated_srli_epi16
#define _mm512_slli_epi16 emulated_slli_epi16
#define _mm512_srai_epi16 emulated_srai_epi16
#define _mm512_mullo_epi16 emulated_mullo_epi16
#define _mm512_set1_epi16 emulated_set1_epi16
#define _mm512_set1_epi8 emulated_set1_epi8
#undef _mm512_setr_epi32 /* a macro of the compiler's */
#define _mm512_setr_epi32(...) emulated_loadu((const int32_t[16]){__VA_ARGS__})
#define _mm512_maskz_set1_epi8 emulated_maskz_set1_epi8
#define _mm512_test_epi8_mask emulated_test_epi8_mask
#define _mm512_unpacklo_epi32 emulated_unpacklo_epi32
#define _mm512_unpackhi_epi32 emulated_unpackhi_epi32
#define _mm512_unpacklo_epi64 emulated_unpacklo_epi64
#define _mm512_unpackhi_epi64 emulated_unpackhi_epi64
#define _mm512_inserti32x4 emulated_inserti32x4
#define _mm512_broadcast_i32x4 emulated_broadcast_i32x4
#define _mm512_castsi128_si512 emulated_castsi128_si512
#define _mm512_cvtepi32_epi16 emulated_cvtepi32_epi16
#define _mm512_maddubs_epi16 emulated_maddubs_epi16
#define _mm512_shuffle_epi8 emulated_shuffle_epi8
#define _mm512_castsi256_si512 emulated_castsi256_si512
#define _mm512_castps256_ps512 emulated_castps256_ps512
#define _mm512_castsi512_si256(a) emulated_half(a, 0)
#define _mm512_castps512_ps256(a) _mm256_castsi256_ps(emulated_half(a, 0))
#define _mm512_extracti64x4_epi64 emulated_half
#define _mm512_extractf32x8_ps(a, at) _mm256_castsi256_ps(emulated_half(a, at))
#define _mm512_inserti64x4 emulated_inserti64x4
#define _mm512_insertf32x8 emulated_insertf32x8
#define _mm512_broadcast_i64x4 emulated_broadcast_i64x4
#undef _mm256_dpbusd_epi32
#undef _mm256_dpwssd_epi32
#define _mm256_dpbusd_epi32 emulated_dpbusd256
#define _mm256_dpwssd_epi32 emulated_dpwssd256

#endif
