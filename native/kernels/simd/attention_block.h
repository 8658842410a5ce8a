/*
 * What the two ways of attention share: a block of cells, where everything is while it is computed,
 * and rows of the cache as floats. See attention.h for the ways and their layouts.
 */
#ifndef GATUN_ATTENTION_BLOCK_H
#define GATUN_ATTENTION_BLOCK_H

#include "attention.h"
#include "blocks.h"
#include "ggml_tensor.h"
#include "vec.h"

#include <string.h>

enum {
    PANEL_VECTORS = 3,
    PANEL = PANEL_VECTORS * LANES, /* rows whose scores lie side by side */
    VALUE_PANEL = 2 * LANES,       /* values of V that lie side by side */
    CLOSED = 0xfc00,               /* −∞ in a mask */
};

/* What the mask says about a block of cells. */
typedef struct {
    int cells;                      /* those that some row sees */
    int pairs;                      /* of a token and a cell that it sees */
    bool biased;                    /* some of these have a bias */
    uint8_t cell[ATTENTION_CELLS];  /* which they are */
    uint8_t sees[ATTENTION_ROWS];   /* how many of them each token sees */
} block;

/* Where everything is while one block is computed. */
typedef struct {
    const struct attention_tile *tile;
    int rows;
    int value_stride; /* of a row of results */
    bool has_queries; /* the transposed ones */
    float *largest, *sum, *values;
    float *q, *k, *v, *scores, *mask, *row;
    int64_t k_bytes, v_bytes; /* of a row in the cache */
    int64_t fetch, fetch_to;  /* rows of K that few_rows asks for */
    bool k_half, v_half; /* rows of few_rows are halves, else floats */
} work;

static inline const uint16_t *mask_row(const struct attention_tile *t, int token) {
    return (const uint16_t *)(t->mask +
                              (t->first_token + token) % t->mask_tokens * t->mask_token);
}

ALWAYS_INLINE void fetch_row(const char *row, int64_t bytes) {
    for (int64_t i = 0; i < bytes; i += 64) {
        PREFETCH(row + i);
    }
}

/*
 * Rows of one head lie far apart, as all heads of a cell lie side by side: no hardware sees a pattern
 * in that. So some rows of the next block are asked for in good time.
 */
static inline void fetch_rows(const char *first, int64_t stride, int64_t bytes, int64_t from,
                              int64_t to) {
    for (int64_t c = from; c < to; c++) {
        fetch_row(first + c * stride, bytes);
    }
}

/* One row of any type to floats. */
static inline void to_floats(int32_t type, const void *row, int n, float *restrict to) {
    if (type == TYPE_F16) {
        const uint16_t *from = row;
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            vec_store(to + i, vec_load_half(from + i));
        }
        for (; i < n; i++) {
            to[i] = float_of_half(from[i]);
        }
    } else if (type == TYPE_BF16) {
        const uint16_t *restrict from = row;
        for (int i = 0; i < n; i++) {
            to[i] = float_of_bfloat(from[i]);
        }
    } else if (type == TYPE_Q8_0) {
        const block_q8_0 *restrict from = row;
        for (int b = 0; b < n / 32; b++) {
            const float d = float_of_half(from[b].d);
            for (int i = 0; i < 32; i++) {
                to[32 * b + i] = d * (float)from[b].qs[i];
            }
        }
    } else {
        memcpy(to, row, (size_t)n * sizeof *to);
    }
}

/* Adds the cells of a block, which starts at cell `from`, to what is known of the rows. */
typedef void attention_way_fn(work *w, const block *b, int64_t from);
attention_way_fn ISA(gatun_attention_many_rows), ISA(gatun_attention_few_rows);

#endif
