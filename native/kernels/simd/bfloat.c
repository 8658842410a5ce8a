/*
 * Rounding to BF16 and products of it: see float_gemm.h. Plain C that compilers vectorise, and for
 * processors with AVX512-BF16 their own instructions, which take subnormal numbers for 0.
 */
#include "float_gemm.h"
#include "half.h"

/* To nearest, ties to even; what is not a number stays so. */
ALWAYS_INLINE uint32_t round_to_bfloat(float x) {
    const uint32_t bits = bits_of_float(x);
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : rounded;
}

static void pairs(const float *even, const float *odd, int n, uint32_t *out) {
    if (!odd) {
        for (int i = 0; i < n; i++) {
            out[i] = round_to_bfloat(even[i]);
        }
        return;
    }
    for (int i = 0; i < n; i++) {
        out[i] = round_to_bfloat(even[i]) | round_to_bfloat(odd[i]) << 16;
    }
}

static void row(const float *x, int count, uint32_t *out) {
    for (int i = 0; i + 1 < count; i += 2) {
        out[i / 2] = round_to_bfloat(x[i]) | round_to_bfloat(x[i + 1]) << 16;
    }
    if (count % 2) {
        out[count / 2] = round_to_bfloat(x[count - 1]);
    }
}

static void tile(const uint32_t *panels, int rows, int words, const uint32_t *const *b, int64_t step,
                 int columns, float *const *c, bool add) {
    for (int row = 0; row < rows; row += FLOAT_ROWS, panels += (int64_t)words * FLOAT_ROWS) {
        for (int j = 0; j < columns; j++) {
            float sums[FLOAT_ROWS] = {0};
            for (int l = 0; l < words; l++) {
                const uint32_t x = b[j][l * step];
                const float even = float_of_bits(x << 16), odd = float_of_bits(x & 0xffff0000);
                for (int i = 0; i < FLOAT_ROWS; i++) {
                    const uint32_t w = panels[l * FLOAT_ROWS + i];
                    sums[i] += float_of_bits(w << 16) * even + float_of_bits(w & 0xffff0000) * odd;
                }
            }
            for (int i = 0; i < FLOAT_ROWS && row + i < rows; i++) {
                c[j][row + i] = add ? c[j][row + i] + sums[i] : sums[i];
            }
        }
    }
}

const struct gatun_bfloats ISA(gatun_bfloats) = {pairs, row, tile};

#if defined(GATUN_FAST_BFLOATS)
#define FAST __attribute__((target("avx512bf16")))

/* 16 floats as BF16 in the low half of each word. */
ALWAYS_INLINE FAST __m512i halves(__m512 x) {
    return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x));
}

static FAST void fast_pairs(const float *even, const float *odd, int n, uint32_t *out) {
    for (int i = 0; i < n; i += 16) {
        const __mmask16 mask = (__mmask16)(n - i >= 16 ? 0xffff : (1u << (n - i)) - 1);
        __m512i words = halves(_mm512_maskz_loadu_ps(mask, even + i));
        if (odd) {
            const __m512i high = halves(_mm512_maskz_loadu_ps(mask, odd + i));
            words = _mm512_or_si512(words, _mm512_slli_epi32(high, 16));
        }
        _mm512_mask_storeu_epi32(out + i, mask, words);
    }
}

static FAST void fast_row(const float *x, int count, uint32_t *out) {
    int i = 0;
    for (; i + 32 <= count; i += 32) {
        const __m512bh both = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i));
        _mm512_storeu_si512(out + i / 2, (__m512i)both);
    }
    row(x + i, count - i, out + i / 2);
}

ALWAYS_INLINE FAST void fast_tile_of(const uint32_t *a, int panels, int rows, int words,
                                     const uint32_t *const *b, int64_t step, int columns,
                                     float *const *c, bool add) {
    __m512 sums[FLOAT_COLUMNS][2];
    for (int j = 0; j < columns; j++) {
        PREFETCH(c[j]);
        PREFETCH(c[j] + panels * FLOAT_ROWS - 1);
        sums[j][0] = sums[j][1] = _mm512_setzero_ps();
    }
    const uint32_t *second = a + (int64_t)words * FLOAT_ROWS;
    int64_t at = 0;
    for (int l = 0; l < words; l++, at += step, a += FLOAT_ROWS, second += FLOAT_ROWS) {
        const __m512bh w0 = (__m512bh)_mm512_loadu_si512(a);
        const __m512bh w1 = panels == 2 ? (__m512bh)_mm512_loadu_si512(second) : w0;
        for (int j = 0; j < columns; j++) {
            const __m512bh x = (__m512bh)_mm512_set1_epi32((int)b[j][at]);
            sums[j][0] = _mm512_dpbf16_ps(sums[j][0], w0, x);
            if (panels == 2) {
                sums[j][1] = _mm512_dpbf16_ps(sums[j][1], w1, x);
            }
        }
    }
    for (int j = 0; j < columns; j++) {
        for (int panel = 0; panel < panels; panel++) {
            const int left = rows - panel * FLOAT_ROWS;
            const __mmask16 mask = (__mmask16)(left >= FLOAT_ROWS ? 0xffff : (1u << left) - 1);
            float *to = c[j] + panel * FLOAT_ROWS;
            const __m512 before = add ? _mm512_maskz_loadu_ps(mask, to) : _mm512_setzero_ps();
            _mm512_mask_storeu_ps(to, mask, _mm512_add_ps(before, sums[j][panel]));
        }
    }
}

/* At most two panels, as gemm_bfloats.c gives them. */
static FAST void fast_tile(const uint32_t *panels, int rows, int words, const uint32_t *const *b,
                           int64_t step, int columns, float *const *c, bool add) {
#define TILE(n)                                                                                    \
    case n:                                                                                        \
        if (rows > FLOAT_ROWS) {                                                                   \
            fast_tile_of(panels, 2, rows, words, b, step, n, c, add);                              \
        } else {                                                                                   \
            fast_tile_of(panels, 1, rows, words, b, step, n, c, add);                              \
        }                                                                                          \
        break;
    switch (columns) {
        TILE(1)
        TILE(2)
        TILE(3)
        TILE(4)
        TILE(5)
        TILE(6)
    default: break;
    }
}

const struct gatun_bfloats ISA(gatun_fast_bfloats) = {fast_pairs, fast_row, fast_tile};
#endif
