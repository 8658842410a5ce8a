/*
 * A block of a product whose operands are rounded to BF16 (arXiv 1905.12322): panels of A are made as
 * for F32 and then rounded, columns of B are rounded block by block. Sums are F32.
 */
#include "gemm_block.h"
#include "kernels.h"

enum {
    COLUMNS = 48,        /* of B at a time: with their words they stay in the first-level cache */
    PAIRS = L_CHUNK / 2, /* of a column */
    TWO_PANELS = 2 * FLOAT_ROWS,
};

/* Panels of floats, one after another, to panels of words. */
static void round_panels(const float *panels, int rows, int count, uint32_t *out) {
    const struct gatun_bfloats *kernels = gatun_bfloats();
    for (int row = 0; row < rows; row += FLOAT_ROWS, panels += (int64_t)count * FLOAT_ROWS) {
        for (int l = 0; l < count; l += 2, out += FLOAT_ROWS) {
            const float *even = panels + (int64_t)l * FLOAT_ROWS;
            kernels->pairs(even, l + 1 < count ? even + FLOAT_ROWS : NULL, FLOAT_ROWS, out);
        }
    }
}

/* Columns j… and values l… of B; where a word of the next l is, this many words on. */
static int64_t round_columns(const gemm_product *p, int64_t j, int columns, int64_t l, int count,
                             uint32_t *out) {
    const struct gatun_bfloats *kernels = gatun_bfloats();
    if (p->form & GATUN_B_INNER_SUM) {
        for (int at = 0; at < columns; at++) {
            kernels->row((const float *)row_at(&p->b, j + at) + l, count, out + at * PAIRS);
        }
        return 1;
    }
    for (int at = 0; at < count; at += 2) {
        const float *even = (const float *)row_at(&p->b, l + at) + j;
        const float *odd = at + 1 < count ? (const float *)row_at(&p->b, l + at + 1) + j : NULL;
        kernels->pairs(even, odd, columns, out + at / 2 * COLUMNS);
    }
    return COLUMNS;
}

void gatun_gemm_bfloats(const gemm_product *p, int64_t i, int rows, int64_t j, int64_t end, int chunk) {
    const struct gatun_bfloats *kernels = gatun_bfloats();
    ALIGNED(64) float panels[PANEL_FLOATS];
    ALIGNED(64) uint32_t rounded[PANEL_FLOATS / 2];
    ALIGNED(64) uint32_t copy[COLUMNS * PAIRS];
    int64_t l = 0;
    do {
        const int count = (int)at_most(p->k - l, chunk), words = (count + 1) / 2;
        const bool add = l > 0 || p->form & GATUN_ACCUMULATE;
        gatun_gemm_panels(p, i, rows, l, count, panels);
        round_panels(panels, rows, count, rounded);
        for (int64_t group = j; group < end; group += COLUMNS) {
            const int in_group = (int)at_most(end - group, COLUMNS);
            const int64_t step = round_columns(p, group, in_group, l, count, copy);
            for (int at = 0; at < in_group; at += FLOAT_COLUMNS) {
                const int columns = (int)at_most(in_group - at, FLOAT_COLUMNS);
                const uint32_t *b[FLOAT_COLUMNS];
                float *c[FLOAT_COLUMNS];
                for (int column = 0; column < columns; column++) {
                    b[column] = copy + (at + column) * (step == 1 ? PAIRS : 1);
                    c[column] = c_at(p, i, group + at + column);
                }
                for (int row = 0; row < rows; row += TWO_PANELS) {
                    const int some = (int)at_most(rows - row, TWO_PANELS);
                    kernels->tile(rounded + (int64_t)row * words, some, words, b, step, columns, c, add);
                    for (int column = 0; column < columns; column++) {
                        c[column] += TWO_PANELS;
                    }
                }
            }
        }
        l += count;
    } while (l < p->k);
}
