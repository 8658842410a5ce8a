/* What the kernels of training do with one row, or one tile, of floats: see gatun.h. */
#ifndef GATUN_TRAINING_H
#define GATUN_TRAINING_H

#include "gatun.h"

#include <stdbool.h>
#include <stdint.h>

typedef void gatun_norm_back_fn(const struct gatun_norm *norm, int64_t n, const float *dy,
                                const float *x, float *dx);

typedef void gatun_softmax_back_fn(float scale, int64_t n, const float *dy, const float *y, float *dx);

/* Neither may be written over another but dx over dy or x. */
typedef void gatun_activation_back_fn(const struct gatun_activation *a, int64_t n, const float *dy,
                                      const float *x, float *dx);
typedef void gatun_gated_back_fn(const struct gatun_activation *a, int64_t n, const float *dy,
                                 const float *gate, const float *up, float *dgate, float *dup);

/* ln Σ exp(x); −∞ when all are. */
typedef double gatun_row_log_sum_exp_fn(const float *x, int64_t n);

/* out = factor · exp(x − log_sum); out may be x. */
typedef void gatun_row_softmax_fn(const float *x, int64_t n, float log_sum, float factor, float *out);

/* y += factor · x */
typedef void gatun_add_scaled_fn(float *y, const float *x, float factor, int64_t n);

/* How a step changes each parameter, with what is the same for all of them worked out. */
struct update_step {
    int32_t rule;
    float rate, decay; /* decay: learning rate · weight decay */
    float beta1, beta2, epsilon, correction1, correction2;
    float factor; /* of every gradient */
};
typedef void gatun_update_fn(const struct update_step *step, int64_t n, float *w, const float *g,
                             float *m, float *v);

/*
 * Attention's gradients. A tile has up to BACK_ROWS rows, each a query head at a token, and cells come
 * in blocks of BACK_CELLS. All products are those of float_gemm.h:
 *
 *   scores [row][cell]  Σ over d     K·q         once per tile and block, in both nodes
 *   dP     [row][cell]  Σ over dv    V·dO        dS = P · (dP − Σ dO·O)
 *   dq     [row][d]    += Σ cells    K·dS        in the first node, a tile's rows over all cells
 *   dk, dv [cell][d]   += Σ rows     q·dS, dO·P  in the second, a block of cells over all rows
 */
enum { BACK_ROWS = 64, BACK_CELLS = 64 };

struct attention_back {
    int32_t k_type, v_type;
    int32_t d, dv;
    int64_t tokens, cells, heads, groups;
    float scale, softcap;
    const char *q, *k, *v, *mask, *dout, *out; /* strides in bytes; mask may be NULL */
    int64_t q_token, q_head, k_cell, k_head, v_cell, v_head, mask_token;
    int64_t out_token, out_head, dout_token, dout_head;
    const float *sinks;
    float *dq, *log_sums, *deltas;
    float *dk, *dvalues;
};

static inline int64_t back_padded(int64_t d) { return (d + 15) / 16 * 16; }

static inline int64_t back_scratch_floats(int64_t d, int64_t dv) {
    return BACK_CELLS * (2 * back_padded(d) + 2 * back_padded(dv)) + 2 * BACK_ROWS * BACK_CELLS;
}

/* Heads first… of one group and tokens first…: dq, log_sums and deltas of these. */
typedef void gatun_attention_back_queries_fn(const struct attention_back *a, int64_t head, int heads,
                                             int64_t token, int tokens, float *scratch);

/* Cells first… of one group: dk and dvalues of these. */
typedef void gatun_attention_back_keys_fn(const struct attention_back *a, int64_t group, int64_t cell,
                                          int cells, float *scratch);

#endif
