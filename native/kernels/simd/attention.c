/* Attention over blocks of cells: which way each takes, and what all parts give together. */
#include "attention_block.h"

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
            ISA(gatun_attention_few_rows)(&w, &b, from);
        } else {
            ISA(gatun_attention_many_rows)(&w, &b, from);
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
