/*
 * Attention of some query heads that share one head of K and V, over some cells, without ever
 * holding all scores: the largest score, the sum of exponentials and the weighted sum of V of every
 * row are corrected as cells come in.
 *
 * Rows of a tile are head · tokens + token. Cells come in blocks of ATTENTION_CELLS, of which those
 * that the mask closes to every row are dropped before anything of K or V is read. There are two
 * ways to take a block:
 *
 *   many rows  Vectors run over rows. Queries were transposed once; K and V turn into floats once
 *              for all rows, and need no transposition:
 *                scores [cell][row]  = Σ over d      K [cell][d] · q [d][row]
 *                result [row][d]    += Σ over cells  weight [cell][row] · V [cell][d]
 *              and maxima, exponentials and sums over cells are plain vertical operations.
 *   few rows   Vectors run over d. For each token only the cells that it sees are read, straight
 *              from the cache, each once for up to four heads.
 */
#ifndef GATUN_ATTENTION_H
#define GATUN_ATTENTION_H

#include "isa.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ATTENTION_ROWS = 96, /* a multiple of three vectors of every instruction set */
    ATTENTION_CELLS = 64,
};

/* Strides are in bytes. Elements of one row of q, k and v lie side by side. */
struct attention_tile {
    int32_t k_type, v_type;
    int32_t d, dv; /* multiples of 8 */
    int32_t heads, tokens; /* heads · tokens ≤ ATTENTION_ROWS */
    float scale, softcap;
    const char *q; /* F32 */
    int64_t q_head, q_token;
    const char *k, *v;
    int64_t k_cell, v_cell;
    const char *mask; /* F16, or NULL: every cell is open */
    int64_t mask_token;
    int64_t first_token, mask_tokens; /* the row of token t is (first_token + t) % mask_tokens */
    int64_t from, to; /* cells */
};

/* What is known of the rows after some cells: floats, in this order. */
enum { PART_LARGEST = 0, PART_SUM = ATTENTION_ROWS, PART_VALUES = 2 * ATTENTION_ROWS };

/* A row of values has room for two whole vectors at its end. */
static inline int64_t attention_padded(int64_t dv) { return (dv + 31) / 32 * 32; }

static inline int64_t attention_part_floats(int64_t rows, int64_t dv) {
    return PART_VALUES + rows * attention_padded(dv);
}

/* What one thread works in. */
static inline int64_t attention_scratch_floats(int64_t d, int64_t dv) {
    return ATTENTION_ROWS * d +                         /* q */
           ATTENTION_CELLS * (d + attention_padded(dv)) + /* k, v */
           ATTENTION_CELLS * ATTENTION_ROWS +           /* scores */
           ATTENTION_CELLS * (ATTENTION_ROWS + 16) +    /* mask */
           attention_padded(dv) +                       /* a row of v */
           attention_part_floats(ATTENTION_ROWS, dv);
}

/* All cells of the tile into `part`, which it sets up first. */
typedef void gatun_attention_fn(const struct attention_tile *tile, float *part, float *scratch);

/*
 * Merges `parts` parts, `stride` floats apart, of a tile and writes its rows. sinks: one more logit
 * per head, which takes its share and gives nothing; or NULL. Rows that saw no cell become 0.
 */
typedef void gatun_attention_finish_fn(const struct attention_tile *tile, const float *part,
                                       int parts, int64_t stride, const float *sinks, float *out,
                                       int64_t out_head, int64_t out_token);

#endif
