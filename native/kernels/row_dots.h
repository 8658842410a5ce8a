/*
 * Quantised weights times few activations, as decoding has them: every row of the weights is read
 * once, straight from the file, and multiplied with up to DOT_COLUMNS_MAX columns. The arithmetic is
 * that of int8_gemm.h; only the activations lie differently, column after column.
 */
#ifndef GATUN_ROW_DOTS_H
#define GATUN_ROW_DOTS_H

#include <stdbool.h>
#include <stdint.h>

enum { DOT_COLUMNS_MAX = 3 };

/* 256 activations x = d·q. The sums of 16 neighbours lie in two halves, even ones first: so do the
 * scales that they are multiplied with. */
typedef struct {
    int8_t q[256];
    int16_t sums[16];
    float d;
} row_act256;

/* 8 times 32 activations x = d·q, and Σ x; blocks that a column lacks are 0. */
typedef struct {
    int8_t q[8][32];
    float d[8], sum[8];
} row_act32;

static inline int64_t gatun_row_act_bytes(int64_t k, int block) {
    return block == 256 ? k / 256 * (int64_t)sizeof(row_act256)
                        : (k + 255) / 256 * (int64_t)sizeof(row_act32);
}

/* Blocks of `block` neighbours of one column, from the first block of x and of out on. */
typedef void gatun_row_pack_fn(int block, const float *x, int64_t blocks, void *out);

/* Whether the instruction set has a kernel for a type that is worth more than GGML's. */
typedef bool gatun_row_dots_known_fn(int32_t type);

/* c[column·stride + row] = Σ_k w·x for `rows` rows that lie `row_bytes` apart, and `columns` ≤
 * DOT_COLUMNS_MAX columns that lie `column_bytes` apart. */
typedef void gatun_row_dots_fn(int32_t type, const void *w, int64_t row_bytes, int64_t rows,
                               int64_t k, const void *x, int64_t column_bytes, int columns,
                               float *c, int64_t stride);

#endif
