/* Attention with many rows: vectors run over rows. See attention.h. */
#include "attention_block.h"

#include <float.h>

/* Queries, scaled, as panels [d][PANEL]; rows that do not exist are 0. */
static void transpose_queries(work *w) {
    const struct attention_tile *t = w->tile;
    const int d = t->d;
    for (int row = 0; row < (w->rows + PANEL - 1) / PANEL * PANEL; row++) {
        float *to = w->q + (int64_t)(row / PANEL) * PANEL * d + row % PANEL;
        if (row >= w->rows) {
            for (int i = 0; i < d; i++) {
                to[i * PANEL] = 0;
            }
            continue;
        }
        const float *from = (const float *)(t->q + row / t->tokens * t->q_head +
                                            row % t->tokens * t->q_token);
        for (int i = 0; i < d; i++) {
            to[i * PANEL] = t->scale * from[i];
        }
    }
    w->has_queries = true;
}

/* Mask [cell][token], where the tokens go on from the start after the last, LANES − 1 of them. */
static void transpose_mask(work *w, const block *b, int64_t from, int width) {
    const int tokens = w->tile->tokens;
    for (int token = 0; token < width; token++) {
        const uint16_t *row = mask_row(w->tile, token % tokens) + from;
        for (int i = 0; i < b->cells; i++) {
            w->mask[i * width + token] = float_of_half(row[b->cell[i]]);
        }
    }
}

ALWAYS_INLINE void scores_of(const float *k, const float *q, int d, int cells, int vectors,
                             float *scores) {
    vec s[8][PANEL_VECTORS];
    for (int c = 0; c < cells; c++) {
        for (int v = 0; v < vectors; v++) {
            s[c][v] = vec_all(0);
        }
    }
    for (int i = 0; i < d; i++, q += PANEL) {
        vec x[PANEL_VECTORS];
        for (int v = 0; v < vectors; v++) {
            x[v] = vec_load(q + v * LANES);
        }
        for (int c = 0; c < cells; c++) {
            const vec y = vec_all(k[c * d + i]);
            for (int v = 0; v < vectors; v++) {
                s[c][v] = vec_fma(x[v], y, s[c][v]);
            }
        }
    }
    for (int c = 0; c < cells; c++) {
        for (int v = 0; v < vectors; v++) {
            vec_store(scores + c * PANEL + v * LANES, s[c][v]);
        }
    }
}

static void panel_scores(const float *k, const float *q, int d, int cells, int vectors,
                         float *scores) {
    int c = 0;
    if (vectors == 3) {
        for (; c < cells; c += 4) {
            scores_of(k + c * d, q, d, 4, 3, scores + c * PANEL);
        }
    } else if (vectors == 2) {
        for (; c < cells; c += 4) {
            scores_of(k + c * d, q, d, 4, 2, scores + c * PANEL);
        }
    } else {
        for (; c < cells; c += 8) {
            scores_of(k + c * d, q, d, 8, 1, scores + c * PANEL);
        }
    }
}

/* Scores of a vector of rows to weights. What the rows held so far must be multiplied by the result. */
ALWAYS_INLINE vec softmax(float *scores, int cells, float softcap, const float *mask, int width,
                          float *largest, float *sum) {
    const vec before = vec_load(largest);
    vec top = before;
    for (int c = 0; c < cells; c++) {
        vec s = vec_load(scores + c * PANEL);
        if (softcap > 0) {
            s = vec_mul(vec_all(softcap), vec_tanh(vec_mul(s, vec_all(1 / softcap))));
        }
        if (mask) {
            s = vec_add(s, vec_load(mask + c * width));
        }
        if (softcap > 0 || mask) {
            vec_store(scores + c * PANEL, s);
        }
        top = vec_max(top, s);
    }
    vec_store(largest, top);
    top = vec_max(top, vec_all(-FLT_MAX)); /* −∞ − −∞ is no number */
    const vec correction = vec_exp(vec_sub(before, top));
    vec total = vec_all(0);
    for (int c = 0; c < cells; c++) {
        const vec weight = vec_exp(vec_sub(vec_load(scores + c * PANEL), top));
        vec_store(scores + c * PANEL, weight);
        total = vec_add(total, weight);
    }
    vec_store(sum, vec_fma(vec_load(sum), correction, total));
    return correction;
}

/* Some rows times two vectors of values. */
ALWAYS_INLINE void add_weighted(const float *weights, const float *v, int cells, int rows,
                                const float *correction, float *to, int stride) {
    vec a[12][2];
    for (int r = 0; r < rows; r++) {
        const vec x = vec_all(correction[r]);
        a[r][0] = vec_mul(x, vec_load(to + r * stride));
        a[r][1] = vec_mul(x, vec_load(to + r * stride + LANES));
    }
    for (int c = 0; c < cells; c++, weights += PANEL, v += VALUE_PANEL) {
        const vec v0 = vec_load(v), v1 = vec_load(v + LANES);
        for (int r = 0; r < rows; r++) {
            const vec x = vec_all(weights[r]);
            a[r][0] = vec_fma(x, v0, a[r][0]);
            a[r][1] = vec_fma(x, v1, a[r][1]);
        }
    }
    for (int r = 0; r < rows; r++) {
        vec_store(to + r * stride, a[r][0]);
        vec_store(to + r * stride + LANES, a[r][1]);
    }
}

static void panel_values(const float *weights, const float *v, int cells, int rows,
                         const float *correction, float *to, int stride) {
    int r = 0;
#define ROWS(n)                                                                                    \
    for (; r + n <= rows; r += n) {                                                                \
        add_weighted(weights + r, v, cells, n, correction + r, to + r * stride, stride);           \
    }
    if (VECTOR_REGISTERS == 32) {
        ROWS(12)
    }
    ROWS(6)
    ROWS(4)
    ROWS(2)
    ROWS(1)
#undef ROWS
}

/* V as panels [d][cell][VALUE_PANEL]. */
static void unpack_values(work *w, const char *row, int c) {
    const int dv = w->tile->dv;
    const bool half = w->tile->v_type == TYPE_F16;
    if (!half) {
        to_floats(w->tile->v_type, row, dv, w->row);
    }
    for (int i = 0; i < dv; i += VALUE_PANEL) {
        float *to = w->v + (int64_t)i * ATTENTION_CELLS + c * VALUE_PANEL;
        const int n = dv - i < VALUE_PANEL ? dv - i : VALUE_PANEL;
        if (n < VALUE_PANEL) {
            memset(to, 0, VALUE_PANEL * sizeof *to);
        }
        if (half) {
            to_floats(TYPE_F16, (const uint16_t *)row + i, n, to);
        } else {
            memcpy(to, w->row + i, (size_t)n * sizeof *to);
        }
    }
}

/* Of the next block, the share that falls to rows from..to of `all`. */
static void fetch_next(const work *w, int64_t from, int row, int to_row, int all) {
    const struct attention_tile *t = w->tile;
    int64_t first = from + ATTENTION_CELLS + row * ATTENTION_CELLS / all;
    int64_t last = from + ATTENTION_CELLS + to_row * ATTENTION_CELLS / all;
    last = last < t->to ? last : t->to;
    fetch_rows(t->k, t->k_cell, w->k_bytes, first, last);
    fetch_rows(t->v, t->v_cell, w->v_bytes, first, last);
}

void ISA(gatun_attention_many_rows)(work *w, const block *b, int64_t from) {
    const struct attention_tile *t = w->tile;
    const int cells = b->cells, d = t->d;
    if (!w->has_queries) {
        transpose_queries(w);
    }
    const int width = t->tokens + LANES - 1;
    const bool masked = b->biased || b->pairs < cells * t->tokens;
    if (masked) {
        transpose_mask(w, b, from, width);
    }
    for (int c = 0; c < cells; c++) {
        const int64_t cell = from + b->cell[c];
        to_floats(t->k_type, t->k + cell * t->k_cell, d, w->k + (int64_t)c * d);
        unpack_values(w, t->v + cell * t->v_cell, c);
    }
    const int whole = (cells + 7) / 8 * 8;
    memset(w->k + (int64_t)cells * d, 0, (size_t)((whole - cells) * d) * sizeof *w->k);
    float correction[ATTENTION_ROWS];
    for (int row = 0; row < w->rows; row += PANEL) {
        const int rows = w->rows - row < PANEL ? w->rows - row : PANEL;
        const int vectors = (rows + LANES - 1) / LANES;
        float *scores = w->scores + row * ATTENTION_CELLS;
        panel_scores(w->k, w->q + (int64_t)row * d, d, whole, vectors, scores);
        fetch_next(w, from, row, row + PANEL, w->rows);
        for (int v = 0; v < vectors; v++) {
            const int at = row + v * LANES;
            const float *mask = masked ? w->mask + at % t->tokens : NULL;
            vec_store(correction + at, softmax(scores + v * LANES, cells, t->softcap, mask, width,
                                               w->largest + at, w->sum + at));
        }
    }
    for (int i = 0; i < t->dv; i += VALUE_PANEL) {
        for (int row = 0; row < w->rows; row += PANEL) {
            const int rows = w->rows - row < PANEL ? w->rows - row : PANEL;
            panel_values(w->scores + row * ATTENTION_CELLS, w->v + (int64_t)i * ATTENTION_CELLS,
                         cells, rows, correction + row,
                         w->values + (int64_t)row * w->value_stride + i, w->value_stride);
        }
    }
}
