/* Attention over blocks of cells: see attention.h for the two ways and their layouts. */
#include "attention.h"
#include "blocks.h"
#include "ggml_tensor.h"
#include "vec.h"

#include <float.h>
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

static const uint16_t *mask_row(const struct attention_tile *t, int token) {
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
static void fetch_rows(const char *first, int64_t stride, int64_t bytes, int64_t from, int64_t to) {
    for (int64_t c = from; c < to; c++) {
        fetch_row(first + c * stride, bytes);
    }
}

static void scan(const struct attention_tile *t, int64_t from, int cells, block *b) {
    uint16_t seen[ATTENTION_CELLS] = {0};
    uint16_t bias = 0;
    b->cells = b->pairs = 0;
    for (int token = 0; token < t->tokens; token++) {
        int sees = cells;
        if (t->mask) {
            const uint16_t *restrict row = mask_row(t, token) + from;
            uint16_t count = 0;
            for (int c = 0; c < cells; c++) {
                const uint16_t open = (uint16_t)-(row[c] != CLOSED);
                seen[c] |= open;
                bias |= row[c] & open;
                count = (uint16_t)(count - open);
            }
            sees = count;
        }
        b->sees[token] = (uint8_t)sees;
        b->pairs += sees;
    }
    for (int c = 0; c < cells; c++) {
        if (!t->mask || seen[c]) {
            b->cell[b->cells++] = (uint8_t)c;
        }
    }
    b->biased = bias != 0;
}

static int64_t row_bytes(int32_t type, int64_t n) {
    return type == TYPE_F32 ? 4 * n : type == TYPE_Q8_0 ? n / 32 * (int64_t)sizeof(block_q8_0) : 2 * n;
}

/* One row of any type to floats. */
static void to_floats(int32_t type, const void *row, int n, float *restrict to) {
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

/* ---- many rows ---- */

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

static void many_rows(work *w, const block *b, int64_t from) {
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

/* ---- few rows ---- */

ALWAYS_INLINE vec load_row(const void *row, int i, bool half) {
    return half ? vec_load_half((const uint16_t *)row + i) : vec_load((const float *)row + i);
}

ALWAYS_INLINE float value_of(const void *row, int i, bool half) {
    return half ? float_of_half(((const uint16_t *)row)[i]) : ((const float *)row)[i];
}

/*
 * Products of up to 4 queries with all cells, a multiple of 8: up to eight sums at a time. Meanwhile
 * the cells' values come nearer.
 */
ALWAYS_INLINE void dots(const void *const *k, const void *const *v, int64_t v_bytes, int cells, bool half, const float *const *q, int heads,
                        int d, float (*scores)[ATTENTION_CELLS]) {
    const int n = heads == 3 ? 2 : 8 / heads;
    for (int c = 0; c < cells; c += n) {
        vec s[8];
        float sums[8];
        for (int i = 0; i < 8; i++) {
            s[i] = vec_all(0);
        }
        for (int j = 0; j < n; j++) {
            fetch_row(v[c + j], v_bytes);
        }
        int i = 0;
        for (; i + LANES <= d; i += LANES) {
            vec x[4];
            for (int h = 0; h < heads; h++) {
                x[h] = vec_load(q[h] + i);
            }
            for (int j = 0; j < n; j++) {
                const vec y = load_row(k[c + j], i, half);
                for (int h = 0; h < heads; h++) {
                    s[h * n + j] = vec_fma(x[h], y, s[h * n + j]);
                }
            }
        }
        vec_sum8(s, sums);
        for (; i < d; i++) {
            for (int j = 0; j < n; j++) {
                for (int h = 0; h < heads; h++) {
                    sums[h * n + j] += q[h][i] * value_of(k[c + j], i, half);
                }
            }
        }
        for (int h = 0; h < heads; h++) {
            for (int j = 0; j < n; j++) {
                scores[h][c + j] = sums[h * n + j];
            }
        }
    }
}

/* One row's scores to weights, in place; returns what it held so far must be multiplied by. */
static float softmax_row(float *scores, int cells, const struct attention_tile *t, const float *mask,
                         float *largest, float *sum) {
    const int whole = (cells + LANES - 1) / LANES * LANES;
    for (int c = cells; c < whole; c++) {
        scores[c] = 0;
    }
    vec top = vec_all(-INFINITY);
    for (int c = 0; c < whole; c += LANES) {
        vec s = vec_mul(vec_load(scores + c), vec_all(t->scale));
        if (t->softcap > 0) {
            s = vec_mul(vec_all(t->softcap), vec_tanh(vec_mul(s, vec_all(1 / t->softcap))));
        }
        if (mask) {
            s = vec_add(s, vec_load(mask + c));
        }
        vec_store(scores + c, s);
        if (c + LANES > cells) {
            for (int i = cells; i < whole; i++) {
                scores[i] = -INFINITY;
            }
            s = vec_load(scores + c);
        }
        top = vec_max(top, s);
    }
    const float before = *largest;
    float now = vec_largest(top);
    now = now > before ? now : before;
    *largest = now;
    now = now > -FLT_MAX ? now : -FLT_MAX;
    vec total = vec_all(0);
    for (int c = 0; c < whole; c += LANES) {
        const vec weight = vec_exp(vec_sub(vec_load(scores + c), vec_all(now)));
        vec_store(scores + c, weight);
        total = vec_add(total, weight);
    }
    const float correction = before < now ? expf(before - now) : 1;
    *sum = *sum * correction + vec_sum(total);
    return correction;
}

/* `vectors` vectors of values at a time from i on; returns where it stopped. */
ALWAYS_INLINE int add_cells(float (*weights)[ATTENTION_CELLS], const void *const *v, int cells,
                            bool half, float *const *to, int heads, const float *correction, int i,
                            int dv, int vectors) {
    for (; i + vectors * LANES <= dv; i += vectors * LANES) {
        vec a[4][8];
        for (int h = 0; h < heads; h++) {
            for (int j = 0; j < vectors; j++) {
                a[h][j] = vec_mul(vec_all(correction[h]), vec_load(to[h] + i + j * LANES));
            }
        }
        for (int c = 0; c < cells; c++) {
            vec x[4];
            for (int h = 0; h < heads; h++) {
                x[h] = vec_all(weights[h][c]);
            }
            for (int j = 0; j < vectors; j++) {
                const vec y = load_row(v[c], i + j * LANES, half);
                for (int h = 0; h < heads; h++) {
                    a[h][j] = vec_fma(x[h], y, a[h][j]);
                }
            }
        }
        for (int h = 0; h < heads; h++) {
            for (int j = 0; j < vectors; j++) {
                vec_store(to[h] + i + j * LANES, a[h][j]);
            }
        }
    }
    return i;
}

ALWAYS_INLINE void heads_of_token(work *w, const void *const *k, const void *const *v, int cells,
                                  const float *mask, int head, int token, int heads,
                                  bool k_half, bool v_half) {
    const struct attention_tile *t = w->tile;
    const float *q[4];
    float *to[4];
    float scores[4][ATTENTION_CELLS];
    float correction[4];
    for (int h = 0; h < heads; h++) {
        const int row = head + h;
        q[h] = (const float *)(t->q + row * t->q_head + token * t->q_token);
        to[h] = w->values + (int64_t)(row * t->tokens + token) * w->value_stride;
    }
    dots(k, v, head == 0 ? w->v_bytes : 0, (cells + 7) / 8 * 8, k_half, q, heads, t->d, scores);
    for (int h = 0; h < heads; h++) {
        const int row = (head + h) * t->tokens + token;
        correction[h] = softmax_row(scores[h], cells, t, mask, w->largest + row, w->sum + row);
    }
    /* Cells lie far apart, often at a power of two: few at a time, or they push each other out. */
    for (int c = 0; c < cells; c += 16) {
        const int n = cells - c < 16 ? cells - c : 16;
        float some[4][ATTENTION_CELLS];
        for (int h = 0; h < heads; h++) {
            memcpy(some[h], scores[h] + c, 16 * sizeof **some);
        }
        const int64_t last = w->fetch + 16 < w->fetch_to ? w->fetch + 16 : w->fetch_to;
        fetch_rows(t->k, t->k_cell, w->k_bytes, w->fetch, last);
        w->fetch = last;
        int i = add_cells(some, v + c, n, v_half, to, heads, correction, 0, t->dv, 8 / heads);
        i = add_cells(some, v + c, n, v_half, to, heads, correction, i, t->dv, 1);
        for (; i < t->dv; i++) {
            for (int h = 0; h < heads; h++) {
                float a = correction[h] * to[h][i];
                for (int j = 0; j < n; j++) {
                    a += some[h][j] * value_of(v[c + j], i, v_half);
                }
                to[h][i] = a;
            }
        }
        for (int h = 0; h < heads; h++) {
            correction[h] = 1;
        }
    }
}

#define HEADS(n)                                                                                   \
    (w->k_half && w->v_half ? heads_of_token(w, k, v, cells, mask, head, token, n, true, true)     \
     : w->k_half            ? heads_of_token(w, k, v, cells, mask, head, token, n, true, false)    \
     : w->v_half            ? heads_of_token(w, k, v, cells, mask, head, token, n, false, true)    \
                            : heads_of_token(w, k, v, cells, mask, head, token, n, false, false))

static void few_rows(work *w, const block *b, int64_t from) {
    const struct attention_tile *t = w->tile;
    w->k_half = t->k_type == TYPE_F16;
    w->v_half = t->v_type == TYPE_F16;
    w->fetch = from + ATTENTION_CELLS;
    w->fetch_to = w->fetch + ATTENTION_CELLS < t->to ? w->fetch + ATTENTION_CELLS : t->to;
    w->fetch = w->fetch < w->fetch_to ? w->fetch : w->fetch_to;
    const void *all_k[ATTENTION_CELLS], *all_v[ATTENTION_CELLS];
    for (int c = 0; c < b->cells; c++) {
        all_k[c] = t->k + (from + b->cell[c]) * t->k_cell;
        all_v[c] = t->v + (from + b->cell[c]) * t->v_cell;
        if (t->k_type != TYPE_F16 && t->k_type != TYPE_F32) {
            float *to = w->k + (int64_t)c * t->d;
            to_floats(t->k_type, all_k[c], t->d, to);
            all_k[c] = to;
        }
        if (t->v_type != TYPE_F16 && t->v_type != TYPE_F32) {
            float *to = w->v + (int64_t)c * t->dv;
            to_floats(t->v_type, all_v[c], t->dv, to);
            all_v[c] = to;
        }
    }
    for (int token = 0; token < t->tokens; token++) {
        if (!b->sees[token]) {
            continue;
        }
        const void *k[ATTENTION_CELLS], *v[ATTENTION_CELLS];
        float biases[ATTENTION_CELLS] = {0};
        const uint16_t *row = t->mask ? mask_row(t, token) + from : NULL;
        int cells = 0;
        for (int c = 0; c < b->cells; c++) {
            if (!row || row[b->cell[c]] != CLOSED) {
                k[cells] = all_k[c];
                v[cells] = all_v[c];
                biases[cells] = row ? float_of_half(row[b->cell[c]]) : 0;
                cells++;
            }
        }
        for (int c = cells; c % 8 != 0; c++) {
            k[c] = k[0];
            v[c] = v[0];
        }
        const float *mask = b->biased ? biases : NULL;
        for (int head = 0; head < t->heads; head += 4) {
            switch (t->heads - head) {
            case 1: HEADS(1); break;
            case 2: HEADS(2); break;
            case 3: HEADS(3); break;
            default: HEADS(4); break;
            }
        }
    }
}

void ISA(gatun_attention)(const struct attention_tile *t, float *part, float *scratch) {
    const int64_t padded = attention_padded(t->dv);
    work w = {.tile = t, .rows = t->heads * t->tokens};
    w.value_stride = (t->dv + VALUE_PANEL - 1) / VALUE_PANEL * VALUE_PANEL;
    w.k_bytes = row_bytes(t->k_type, t->d);
    w.v_bytes = row_bytes(t->v_type, t->dv);
    w.largest = part + PART_LARGEST;
    w.sum = part + PART_SUM;
    w.values = part + PART_VALUES;
    w.q = scratch;
    w.k = w.q + ATTENTION_ROWS * (int64_t)t->d;
    w.v = w.k + ATTENTION_CELLS * (int64_t)t->d;
    w.scores = w.v + ATTENTION_CELLS * padded;
    w.mask = w.scores + ATTENTION_CELLS * ATTENTION_ROWS;
    w.row = w.mask + ATTENTION_CELLS * (ATTENTION_ROWS + 16);
    for (int i = 0; i < ATTENTION_ROWS; i++) {
        w.largest[i] = -INFINITY;
        w.sum[i] = 0;
    }
    memset(w.values, 0, (size_t)(w.rows * w.value_stride) * sizeof *w.values);
    const int many = (w.rows + LANES - 1) / LANES * LANES;
    for (int64_t from = t->from; from < t->to; from += ATTENTION_CELLS) {
        const int cells = (int)(t->to - from < ATTENTION_CELLS ? t->to - from : ATTENTION_CELLS);
        block b;
        scan(t, from, cells, &b);
        if (b.cells == 0) {
            continue;
        }
        /* In products of one row and one cell; a cell of few rows costs about twice. */
        if (2 * b.pairs * t->heads < b.cells * (many + LANES)) {
            few_rows(&w, &b, from);
        } else {
            many_rows(&w, &b, from);
        }
    }
}

void ISA(gatun_attention_finish)(const struct attention_tile *t, const float *part, int parts,
                                 int64_t stride, const float *sinks, float *out, int64_t out_head,
                                 int64_t out_token) {
    const int value_stride = (t->dv + VALUE_PANEL - 1) / VALUE_PANEL * VALUE_PANEL;
    for (int row = 0; row < t->heads * t->tokens; row++) {
        const int head = row / t->tokens, token = row % t->tokens;
        float *restrict to = out + head * out_head + token * out_token;
        float top = sinks ? sinks[head] : -INFINITY;
        for (int p = 0; p < parts; p++) {
            const float largest = part[p * stride + PART_LARGEST + row];
            top = largest > top ? largest : top;
        }
        if (!(top > -INFINITY)) { /* NaN, which no maximum keeps, is in the sums */
            top = 0;
        }
        float sum = sinks ? expf(sinks[head] - top) : 0;
        for (int p = 0; p < parts; p++) {
            const float *from = part + p * stride;
            sum += from[PART_SUM + row] * expf(from[PART_LARGEST + row] - top);
        }
        const float inverse = sum == 0 ? 0 : 1 / sum;
        for (int p = 0; p < parts; p++) {
            const float weight = inverse * expf(part[p * stride + PART_LARGEST + row] - top);
            const float *restrict from = part + p * stride + PART_VALUES + row * value_stride;
            for (int i = 0; i < t->dv; i++) {
                to[i] = p == 0 ? weight * from[i] : to[i] + weight * from[i];
            }
        }
    }
}
