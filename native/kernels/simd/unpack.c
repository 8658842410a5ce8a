/*
 * Quantised blocks to panels of bytes: see int8_gemm.h. block_rows.h says what a block of one row
 * means; here 16 rows are interleaved, one after another or (panel_words.h) all at once.
 */
#include "block_rows.h"
#include "ggml_tensor.h"
#include "int8_gemm.h"

/* 8 rows of 32 bytes to 8 vectors of [row][4]: a transposition of 8 × 8 words. */
ALWAYS_INLINE void interleave8(const uint8_t *first, int64_t stride, uint8_t (*out)[PANEL_ROWS][4],
                               int row) {
#if defined(__ARM_FEATURE_MATMUL_INT8)
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
                             int subs, panel256 *p, row256_fn *unpack, ahead *next) {
    row256 r[PANEL_ROWS];
    memset(r + rows, 0, sizeof *r * (size_t)(PANEL_ROWS - rows));
    for (int b = 0; b < blocks; b++, p++, w += bytes) {
        ask(next);
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
                            panel32 *p, row32_fn *unpack, ahead *next) {
    row32 r[PANEL_ROWS];
    memset(r + rows, 0, sizeof *r * (size_t)(PANEL_ROWS - rows));
    for (int b = 0; b < blocks; b++, p++, w += bytes) {
        ask(next);
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

#if defined(__AVX2__)
#include "panel_words.h"

/* All rows at once; the rows of a panel that has fewer than 16 go one by one. */
#define WORDS256(TYPE, name)                                                                       \
    case TYPE:                                                                                     \
        for (int b = 0; b < blocks; b++, at.first += sizeof(block_##name)) {                       \
            ask(next);                                                                             \
            for (int row = 0; row < PANEL_ROWS; row += LANES) {                                    \
                words_##name((rows_at){at.first + row * stride, stride}, (panel256 *)panel + b, row); \
            }                                                                                      \
        }                                                                                          \
        return;
#define WORDS32(TYPE, name)                                                                        \
    case TYPE:                                                                                     \
        for (int b = 0; b < blocks; b++, at.first += sizeof(block_##name)) {                       \
            ask(next);                                                                             \
            for (int row = 0; row < PANEL_ROWS; row += LANES) {                                    \
                words_##name((rows_at){at.first + row * stride, stride}, (panel32 *)panel + b, row); \
            }                                                                                      \
        }                                                                                          \
        return;

static void unpack_all_rows(int32_t type, const void *w, int64_t stride, int blocks, void *panel,
                            ahead *next) {
    rows_at at = {w, stride};
    switch (type) {
        WORDS256(TYPE_Q2_K, q2_k)
        WORDS256(TYPE_Q3_K, q3_k)
        WORDS256(TYPE_Q4_K, q4_k)
        WORDS256(TYPE_Q5_K, q5_k)
        WORDS256(TYPE_Q6_K, q6_k)
        WORDS256(TYPE_IQ4_XS, iq4_xs)
        WORDS32(TYPE_Q4_0, q4_0)
        WORDS32(TYPE_Q4_1, q4_1)
        WORDS32(TYPE_Q5_0, q5_0)
        WORDS32(TYPE_Q5_1, q5_1)
        WORDS32(TYPE_Q8_0, q8_0)
        WORDS32(TYPE_IQ4_NL, iq4_nl)
        WORDS32(TYPE_MXFP4, mxfp4)
    }
}
#endif

void ISA(gatun_unpack)(int32_t type, const void *w, int64_t stride, int rows, int blocks,
                       void *panel, ahead *next) {
#if defined(__AVX2__)
    if (rows == PANEL_ROWS) {
        unpack_all_rows(type, w, stride, blocks, panel, next);
        return;
    }
#endif
/* Direct calls, so that the compiler can inline each row function into its loop. */
#define CASE256(TYPE, name, subs)                                                                  \
    case TYPE:                                                                                     \
        unpack256(w, stride, rows, blocks, sizeof(block_##name), subs, panel,                      \
                  row_##name, next);                                                               \
        break;
#define CASE32(TYPE, name)                                                                         \
    case TYPE:                                                                                     \
        unpack32(w, stride, rows, blocks, sizeof(block_##name), panel, row_##name, next); \
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
