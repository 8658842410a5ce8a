/* The gradients of attention over tiles of rows and blocks of cells: see training.h. */
#include "float_gemm.h"
#include "ggml_tensor.h"
#include "training.h"
#include "vec.h"

enum {
    CLOSED = 0xfc00, /* −∞ in a mask */
    TWO_PANELS = 2 * FLOAT_ROWS,
};

gatun_float_tile_fn ISA(gatun_float_tile);
gatun_float_panel_fn ISA(gatun_float_panel);
gatun_floats_fn ISA(gatun_floats);

/* One row of a tile. */
typedef struct {
    const float *q, *dout;
    const uint16_t *mask; /* of its token, or NULL */
    float log_sum, delta;
} row;

/* c[j][i] (+)= Σ_l panels(i, l) · b[j][l · step], for all `columns` j. */
static void multiply(const float *panels, int rows, int k, const float *const *b, int64_t step,
                     int columns, float *const *c, bool add) {
    for (int j = 0; j < columns; j += FLOAT_COLUMNS) {
        const int some = columns - j < FLOAT_COLUMNS ? columns - j : FLOAT_COLUMNS;
        float *to[FLOAT_COLUMNS];
        for (int i = 0; i < some; i++) {
            to[i] = c[j + i];
        }
        for (int i = 0; i < rows; i += TWO_PANELS) {
            const int part = rows - i < TWO_PANELS ? rows - i : TWO_PANELS;
            ISA(gatun_float_tile)(panels + (int64_t)i * k, part, k, b + j, step, some, to, add);
            for (int at = 0; at < some; at++) {
                to[at] += TWO_PANELS;
            }
        }
    }
}

/* Cells as rows, to be summed over d. */
static void cell_panels(int32_t type, const char *first, int64_t stride, int cells, int d,
                        float *panels) {
    for (int at = 0; at < cells; at += FLOAT_ROWS) {
        const int some = cells - at < FLOAT_ROWS ? cells - at : FLOAT_ROWS;
        ISA(gatun_float_panel)(type, first + at * stride, stride, some, 0, d, panels + at * d);
    }
}

/* Values as rows, to be summed over cells or tokens. */
static void value_panel(int32_t type, const void *values, int d, int at, int count, float *panels) {
    ISA(gatun_floats)(type, values, 0, d, panels + at * FLOAT_ROWS, (int64_t)count * FLOAT_ROWS);
}

static bool sees(const uint16_t *mask, int64_t cell, int cells) {
    if (!mask) {
        return true;
    }
    uint16_t open = 0;
    for (int c = 0; c < cells; c++) {
        open |= (uint16_t)(mask[cell + c] ^ CLOSED);
    }
    return open != 0;
}

static bool any_sees(const row *rows, int count, int64_t cell, int cells) {
    for (int r = 0; r < count; r++) {
        if (sees(rows[r].mask, cell, cells)) {
            return true;
        }
    }
    return false;
}

/* Raw products to scores with the mask, in place; how they change with the product where asked. */
static void scores(const struct attention_back *a, const row *r, int64_t cell, int cells,
                   float *restrict score, float *restrict slopes) {
    uint16_t mask[BACK_CELLS] = {0};
    if (r->mask) {
        memcpy(mask, r->mask + cell, (size_t)cells * sizeof *mask);
    }
    for (int c = cells; c < BACK_CELLS; c++) {
        mask[c] = CLOSED;
        score[c] = 0;
    }
    for (int c = 0; c < BACK_CELLS; c += LANES) {
        vec s = vec_mul(vec_load(score + c), vec_all(a->scale)), slope = vec_all(a->scale);
        if (a->softcap != 0) {
            const vec t = vec_tanh(vec_mul(s, vec_all(1 / a->softcap)));
            s = vec_mul(t, vec_all(a->softcap));
            slope = vec_mul(slope, vec_sub(vec_all(1), vec_mul(t, t)));
        }
        vec_store(score + c, vec_add(s, vec_load_half(mask + c)));
        if (slopes) {
            vec_store(slopes + c, slope);
        }
    }
}

/* Adds a block of scores to a row's largest and its sum of exponentials. */
static void add_scores(const float *score, float *largest, float *sum) {
    vec most = vec_load(score);
    for (int c = LANES; c < BACK_CELLS; c += LANES) {
        most = vec_max(most, vec_load(score + c));
    }
    const float highest = vec_largest(most);
    if (highest > *largest) {
        *sum *= expf(*largest - highest);
        *largest = highest;
    }
    if (*largest > -INFINITY) {
        vec part = vec_all(0);
        for (int c = 0; c < BACK_CELLS; c += LANES) {
            part = vec_add(part, vec_exp(vec_sub(vec_load(score + c), vec_all(*largest))));
        }
        *sum += vec_sum(part);
    }
}

/* Products to P in place, and dP to dS in place. */
static void gradients(const struct attention_back *a, const row *r, int64_t cell, int cells,
                      float *restrict p, float *restrict dp) {
    float slopes[BACK_CELLS];
    scores(a, r, cell, cells, p, slopes);
    for (int c = 0; c < BACK_CELLS; c += LANES) {
        const vec share = vec_exp(vec_sub(vec_load(p + c), vec_all(r->log_sum)));
        const vec ds = vec_mul(vec_mul(share, vec_sub(vec_load(dp + c), vec_all(r->delta))),
                               vec_load(slopes + c));
        vec_store(p + c, share);
        vec_store(dp + c, ds);
    }
    for (int c = cells; c < BACK_CELLS; c++) {
        p[c] = dp[c] = 0;
    }
}

static row row_of(const struct attention_back *a, int64_t head, int64_t token) {
    return (row){
        .q = (const float *)(a->q + token * a->q_token + head * a->q_head),
        .dout = (const float *)(a->dout + token * a->dout_token + head * a->dout_head),
        .mask = a->mask ? (const uint16_t *)(a->mask + token * a->mask_token) : NULL,
    };
}

static float dot(const float *x, const float *y, int n) {
    vec sum = vec_all(0);
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
        sum = vec_fma(vec_load(x + i), vec_load(y + i), sum);
    }
    float all = vec_sum(sum);
    for (; i < n; i++) {
        all += x[i] * y[i];
    }
    return all;
}

/* ln Σ exp(score) of each row, and Σ dO·O. */
static void statistics(const struct attention_back *a, row *rows, int count, int64_t head, int heads,
                       int64_t token, float *panels, float *score) {
    const int tokens = count / heads;
    const float *q[BACK_ROWS];
    float *s[BACK_ROWS], largest[BACK_ROWS], sum[BACK_ROWS];
    for (int r = 0; r < count; r++) {
        q[r] = rows[r].q;
        s[r] = score + r * BACK_CELLS;
        largest[r] = -INFINITY;
        sum[r] = 0;
    }
    const char *k = a->k + head / (a->heads / a->groups) * a->k_head;
    for (int64_t cell = 0; cell < a->cells; cell += BACK_CELLS) {
        const int cells = (int)(a->cells - cell < BACK_CELLS ? a->cells - cell : BACK_CELLS);
        if (!any_sees(rows, count, cell, cells)) {
            continue;
        }
        cell_panels(a->k_type, k + cell * a->k_cell, a->k_cell, cells, a->d, panels);
        multiply(panels, cells, a->d, q, 1, count, s, false);
        for (int r = 0; r < count; r++) {
            scores(a, &rows[r], cell, cells, s[r], NULL);
            add_scores(s[r], &largest[r], &sum[r]);
        }
    }
    for (int r = 0; r < count; r++) {
        const int64_t h = head + r / tokens, t = token + r % tokens;
        if (a->sinks) {
            const float sink = a->sinks[h];
            const float most = largest[r] > sink ? largest[r] : sink;
            sum[r] = (sum[r] > 0 ? sum[r] * expf(largest[r] - most) : 0) + expf(sink - most);
            largest[r] = most;
        }
        const float *out = (const float *)(a->out + t * a->out_token + h * a->out_head);
        rows[r].log_sum = sum[r] > 0 ? largest[r] + logf(sum[r]) : INFINITY;
        rows[r].delta = dot(rows[r].dout, out, a->dv);
        a->log_sums[h * a->tokens + t] = rows[r].log_sum;
        a->deltas[h * a->tokens + t] = rows[r].delta;
    }
}

void ISA(gatun_attention_back_queries)(const struct attention_back *a, int64_t head, int heads,
                                       int64_t token, int tokens, float *scratch) {
    const int count = heads * tokens;
    float *k_panels = scratch, *v_panels = k_panels + BACK_CELLS * back_padded(a->d);
    float *panels = v_panels + BACK_CELLS * back_padded(a->dv);
    float *p = panels + BACK_CELLS * back_padded(a->d), *dp = p + BACK_ROWS * BACK_CELLS;
    row rows[BACK_ROWS];
    const float *q[BACK_ROWS], *dout[BACK_ROWS], *ds[BACK_ROWS];
    float *score[BACK_ROWS], *dscore[BACK_ROWS], *dq[BACK_ROWS];
    for (int r = 0; r < count; r++) {
        const int64_t h = head + r / tokens, t = token + r % tokens;
        rows[r] = row_of(a, h, t);
        q[r] = rows[r].q;
        dout[r] = rows[r].dout;
        score[r] = p + r * BACK_CELLS;
        ds[r] = dscore[r] = dp + r * BACK_CELLS;
        dq[r] = a->dq + (t * a->heads + h) * a->d;
        memset(dq[r], 0, (size_t)a->d * sizeof *dq[r]);
    }
    statistics(a, rows, count, head, heads, token, k_panels, p);
    const int64_t group = head / (a->heads / a->groups);
    for (int64_t cell = 0; cell < a->cells; cell += BACK_CELLS) {
        const int cells = (int)(a->cells - cell < BACK_CELLS ? a->cells - cell : BACK_CELLS);
        if (!any_sees(rows, count, cell, cells)) {
            continue;
        }
        const char *k = a->k + group * a->k_head + cell * a->k_cell;
        const char *v = a->v + group * a->v_head + cell * a->v_cell;
        cell_panels(a->k_type, k, a->k_cell, cells, a->d, k_panels);
        cell_panels(a->v_type, v, a->v_cell, cells, a->dv, v_panels);
        for (int c = 0; c < cells; c++) {
            value_panel(a->k_type, k + c * a->k_cell, a->d, c, cells, panels);
        }
        multiply(k_panels, cells, a->d, q, 1, count, score, false);
        multiply(v_panels, cells, a->dv, dout, 1, count, dscore, false);
        for (int r = 0; r < count; r++) {
            gradients(a, &rows[r], cell, cells, score[r], dscore[r]);
        }
        multiply(panels, a->d, cells, ds, 1, count, dq, true);
    }
}

void ISA(gatun_attention_back_keys)(const struct attention_back *a, int64_t group, int64_t cell,
                                    int cells, float *scratch) {
    float *k_panels = scratch, *v_panels = k_panels + BACK_CELLS * back_padded(a->d);
    float *q_panels = v_panels + BACK_CELLS * back_padded(a->dv);
    float *dout_panels = q_panels + BACK_ROWS * back_padded(a->d);
    float *p = dout_panels + BACK_ROWS * back_padded(a->dv), *dp = p + BACK_ROWS * BACK_CELLS;
    const char *k = a->k + group * a->k_head + cell * a->k_cell;
    const char *v = a->v + group * a->v_head + cell * a->v_cell;
    cell_panels(a->k_type, k, a->k_cell, cells, a->d, k_panels);
    cell_panels(a->v_type, v, a->v_cell, cells, a->dv, v_panels);
    float *dk[BACK_CELLS], *dv[BACK_CELLS];
    const float *share[BACK_CELLS], *ds[BACK_CELLS];
    for (int c = 0; c < cells; c++) {
        const int64_t at = (cell + c) * a->groups + group;
        dk[c] = a->dk + at * a->d;
        dv[c] = a->dvalues + at * a->dv;
        memset(dk[c], 0, (size_t)a->d * sizeof *dk[c]);
        memset(dv[c], 0, (size_t)a->dv * sizeof *dv[c]);
        share[c] = p + c;
        ds[c] = dp + c;
    }
    const int64_t shared = a->heads / a->groups;
    for (int64_t head = group * shared; head < (group + 1) * shared; head++) {
        for (int64_t token = 0; token < a->tokens; token += BACK_ROWS) {
            const int count = (int)(a->tokens - token < BACK_ROWS ? a->tokens - token : BACK_ROWS);
            row rows[BACK_ROWS];
            const float *q[BACK_ROWS], *dout[BACK_ROWS];
            float *score[BACK_ROWS], *dscore[BACK_ROWS];
            for (int r = 0; r < count; r++) {
                rows[r] = row_of(a, head, token + r);
                rows[r].log_sum = a->log_sums[head * a->tokens + token + r];
                rows[r].delta = a->deltas[head * a->tokens + token + r];
                q[r] = rows[r].q;
                dout[r] = rows[r].dout;
                score[r] = p + r * BACK_CELLS;
                dscore[r] = dp + r * BACK_CELLS;
            }
            if (!any_sees(rows, count, cell, cells)) {
                continue;
            }
            for (int r = 0; r < count; r++) {
                value_panel(TYPE_F32, q[r], a->d, r, count, q_panels);
                value_panel(TYPE_F32, dout[r], a->dv, r, count, dout_panels);
            }
            multiply(k_panels, cells, a->d, q, 1, count, score, false);
            multiply(v_panels, cells, a->dv, dout, 1, count, dscore, false);
            for (int r = 0; r < count; r++) {
                gradients(a, &rows[r], cell, cells, score[r], dscore[r]);
            }
            multiply(dout_panels, a->dv, count, share, BACK_CELLS, cells, dv, true);
            multiply(q_panels, a->d, count, ds, BACK_CELLS, cells, dk, true);
        }
    }
}
