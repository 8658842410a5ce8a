/*
 * Quantised blocks to panels of bytes: see int8_gemm.h. block_rows.h says what a block of one row
 * means; here 16 rows are interleaved.
 */
#include "block_rows.h"
#include "ggml_tensor.h"
#include "int8_gemm.h"

/* 8 rows of 32 bytes to 8 vectors of [row][4]: a transposition of 8 × 8 words. */
ALWAYS_INLINE void interleave8(const uint8_t *first, int64_t stride, uint8_t (*out)[PANEL_ROWS][4],
                               int row) {
#if defined(__AVX2__)
    __m256i r[8], t[8];
    for (int i = 0; i < 8; i++) {
        r[i] = _mm256_load_si256((const __m256i *)(first + i * stride));
    }
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        r[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_si256((__m256i *)out[i][row], _mm256_permute2x128_si256(r[i], r[i + 4], 0x20));
        _mm256_storeu_si256((__m256i *)out[i + 4][row],
                            _mm256_permute2x128_si256(r[i], r[i + 4], 0x31));
    }
#elif defined(__ARM_FEATURE_MATMUL_INT8)
    for (int k = 0; k < 8; k += 4) {
        for (int i = 0; i < 8; i += 2) {
            const uint64x2_t a = vreinterpretq_u64_u8(vld1q_u8(first + i * stride + 4 * k));
            const uint64x2_t b = vreinterpretq_u64_u8(vld1q_u8(first + (i + 1) * stride + 4 * k));
            uint8_t *to = (uint8_t *)(out + k) + 4 * WORDS * (row + i);
            vst1q_u8(to, vreinterpretq_u8_u64(vtrn1q_u64(a, b)));
            vst1q_u8(to + WORDS * PANEL_ROWS * 4, vreinterpretq_u8_u64(vtrn2q_u64(a, b)));
        }
    }
#elif defined(__ARM_FEATURE_DOTPROD)
    for (int k = 0; k < 8; k += 4) {
        for (int i = 0; i < 8; i += 4) {
            const uint8_t *from = first + i * stride + 4 * k;
            uint32x4_t r[4], t[4];
            for (int j = 0; j < 4; j++) {
                r[j] = vreinterpretq_u32_u8(vld1q_u8(from + j * stride));
            }
            for (int j = 0; j < 2; j++) {
                t[j] = vtrn1q_u32(r[2 * j], r[2 * j + 1]);
                t[2 + j] = vtrn2q_u32(r[2 * j], r[2 * j + 1]);
            }
            for (int j = 0; j < 2; j++) {
                const uint64x2_t a = vreinterpretq_u64_u32(t[2 * j]);
                const uint64x2_t b = vreinterpretq_u64_u32(t[2 * j + 1]);
                vst1q_u8(out[k + j][row + i], vreinterpretq_u8_u64(vtrn1q_u64(a, b)));
                vst1q_u8(out[k + j + 2][row + i], vreinterpretq_u8_u64(vtrn2q_u64(a, b)));
            }
        }
    }
#else
    for (int k = 0; k < 8; k++) {
        for (int i = 0; i < 8; i++) {
            memcpy(out[k][row + i], first + i * stride + 4 * k, 4);
        }
    }
#endif
}

ALWAYS_INLINE void unpack256(const uint8_t *w, int64_t stride, int rows, int blocks, int bytes,
                             int subs, panel256 *p, row256_fn *unpack) {
    row256 r[PANEL_ROWS];
    memset(r + rows, 0, sizeof *r * (size_t)(PANEL_ROWS - rows));
    for (int b = 0; b < blocks; b++, p++, w += bytes) {
        for (int i = 0; i < rows; i++) {
            unpack(w + i * stride, &r[i]);
        }
        for (int k = 0; k < 64; k += 8) {
            interleave8(r[0].q + 4 * k, sizeof *r, p->q + k, 0);
            interleave8(r[8].q + 4 * k, sizeof *r, p->q + k, 8);
        }
        for (int i = 0; i < PANEL_ROWS; i++) {
            p->d[i] = r[i].d;
            p->dm[i] = r[i].dm;
        }
        for (int s = 0; s < subs; s++) {
            for (int i = 0; i < PANEL_ROWS; i++) {
                p->scale[s][i][0] = p->scale[s][i][1] = r[i].scale[s];
                p->min[s / 2][i][s % 2] = r[i].min[s];
            }
        }
    }
}

ALWAYS_INLINE void unpack32(const uint8_t *w, int64_t stride, int rows, int blocks, int bytes,
                            panel32 *p, row32_fn *unpack) {
    row32 r[PANEL_ROWS];
    memset(r + rows, 0, sizeof *r * (size_t)(PANEL_ROWS - rows));
    for (int b = 0; b < blocks; b++, p++, w += bytes) {
        for (int i = 0; i < rows; i++) {
            unpack(w + i * stride, &r[i]);
        }
        interleave8(r[0].q, sizeof *r, p->q, 0);
        interleave8(r[8].q, sizeof *r, p->q, 8);
        for (int i = 0; i < PANEL_ROWS; i++) {
            p->d[i] = r[i].d;
            p->m[i] = r[i].m;
        }
    }
}

void ISA(gatun_unpack)(int32_t type, const void *w, int64_t stride, int rows, int blocks,
                       void *panel) {
/* Direct calls, so that the compiler can inline each row function into its loop. */
#define CASE256(TYPE, name, subs)                                                                  \
    case TYPE:                                                                                     \
        unpack256(w, stride, rows, blocks, sizeof(block_##name), subs, panel,                      \
                  row_##name);                                                        \
        break;
#define CASE32(TYPE, name)                                                                         \
    case TYPE:                                                                                     \
        unpack32(w, stride, rows, blocks, sizeof(block_##name), panel, row_##name);    \
        break;
    switch (type) {
        CASE256(TYPE_Q2_K, q2_k, 16)
        CASE256(TYPE_Q3_K, q3_k, 16)
        CASE256(TYPE_Q4_K, q4_k, 8)
        CASE256(TYPE_Q5_K, q5_k, 8)
        CASE256(TYPE_Q6_K, q6_k, 16)
        CASE256(TYPE_IQ4_XS, iq4_xs, 8)
        CASE32(TYPE_Q4_0, q4_0)
        CASE32(TYPE_Q4_1, q4_1)
        CASE32(TYPE_Q5_0, q5_0)
        CASE32(TYPE_Q5_1, q5_1)
        CASE32(TYPE_Q8_0, q8_0)
        CASE32(TYPE_IQ4_NL, iq4_nl)
        CASE32(TYPE_MXFP4, mxfp4)
    }
}
