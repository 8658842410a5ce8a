/* Attention with few rows: vectors run over the values of a row. See attention.h. */
#include "attention_block.h"

#include <float.h>

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
ALWAYS_INLINE void dots(const void *const *k, const void *const *v, int64_t v_bytes, int cells,
                        bool half, const float *const *q, int heads, int d,
                        float (*scores)[ATTENTION_CELLS]) {
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

void ISA(gatun_attention_few_rows)(work *w, const block *b, int64_t from) {
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
