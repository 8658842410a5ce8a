/* The gradients of attention as two nodes of a graph: which thread computes which tile. */
#include "gatun.h"
#include "ggml_tensor.h"
#include "kernels.h"

#include <math.h>
#include <stdatomic.h>

typedef _Atomic int32_t counter;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t gatun_attention_back_floats(int64_t d, int64_t dv, int32_t threads) {
    return threads * back_scratch_floats(d, dv);
}

static struct attention_back operands(const struct ggml_tensor *dst,
                                      const struct gatun_attention_back *params) {
    const struct ggml_tensor *q = dst->src[0], *k = dst->src[1], *v = dst->src[2];
    const struct ggml_tensor *mask = dst->src[3], *dout = dst->src[5];
    return (struct attention_back){
        .k_type = k->type,
        .v_type = v->type,
        .d = (int32_t)q->ne[0],
        .dv = (int32_t)v->ne[0],
        .tokens = q->ne[1],
        .cells = k->ne[1],
        .heads = q->ne[2],
        .groups = k->ne[2],
        .scale = params->scale,
        .softcap = params->softcap,
        .q = q->data,
        .k = k->data,
        .v = v->data,
        .mask = mask->data,
        .dout = dout->data,
        .q_token = (int64_t)q->nb[1],
        .q_head = (int64_t)q->nb[2],
        .k_cell = (int64_t)k->nb[1],
        .k_head = (int64_t)k->nb[2],
        .v_cell = (int64_t)v->nb[1],
        .v_head = (int64_t)v->nb[2],
        .mask_token = (int64_t)mask->nb[1],
        .dout_head = (int64_t)dout->nb[1],
        .dout_token = (int64_t)dout->nb[2],
        .sinks = params->sinks ? dst->src[6]->data : NULL,
    };
}

/* Where thread `ith` works, or NULL when the graph was built for fewer threads. */
static float *scratch_of(const struct ggml_tensor *dst, const struct attention_back *a,
                         int64_t results, int ith) {
    const int64_t each = back_scratch_floats(a->d, a->dv);
    return results + (ith + 1) * each <= dst->ne[0] ? (float *)dst->data + results + ith * each : NULL;
}

static int64_t take(struct gatun_work *work) {
    return atomic_fetch_add_explicit((counter *)&work->next, 1, memory_order_relaxed);
}

static void leave(struct gatun_work *work, int nth) {
    if (atomic_fetch_add_explicit((counter *)&work->left, 1, memory_order_acq_rel) + 1 == nth) {
        atomic_store_explicit((counter *)&work->next, 0, memory_order_relaxed);
        atomic_store_explicit((counter *)&work->left, 0, memory_order_relaxed);
    }
}

void gatun_attention_back_queries(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    struct gatun_attention_back *params = userdata;
    struct attention_back a = operands(dst, params);
    const struct ggml_tensor *out = dst->src[4];
    const int64_t rows = a.tokens * a.heads;
    a.out = out->data;
    a.out_head = (int64_t)out->nb[1];
    a.out_token = (int64_t)out->nb[2];
    a.dq = dst->data;
    a.log_sums = a.dq + rows * a.d;
    a.deltas = a.log_sums + rows;
    float *scratch = scratch_of(dst, &a, rows * (a.d + 2), ith);
    const int64_t shared = a.heads / a.groups;
    const int64_t head_tiles = ceil_div(shared, BACK_ROWS), heads = ceil_div(shared, head_tiles);
    const int64_t token_tiles = ceil_div(a.tokens, BACK_ROWS / heads);
    const int64_t tokens = ceil_div(a.tokens, token_tiles);
    if (scratch) {
        for (int64_t job; (job = take(&params->work)) < a.groups * head_tiles * token_tiles;) {
            /* The last tokens first: under a causal mask these see most cells. */
            const int64_t tile = job / (a.groups * head_tiles), part = job % (a.groups * head_tiles);
            const int64_t within = part % head_tiles * heads;
            const int64_t token = (token_tiles - 1 - tile) * tokens;
            const int64_t some_heads = shared - within < heads ? shared - within : heads;
            const int64_t some = a.tokens - token < tokens ? a.tokens - token : tokens;
            if (some_heads > 0 && some > 0) {
                gatun_kernels()->attention_back_queries(&a, part / head_tiles * shared + within,
                                                        (int)some_heads, token, (int)some, scratch);
            }
        }
    }
    leave(&params->work, nth);
}

/* A sink takes its share of every row and gives nothing. */
static float sink_gradient(const struct attention_back *a, int64_t head) {
    double sum = 0;
    for (int64_t t = 0; t < a->tokens; t++) {
        const int64_t row = head * a->tokens + t;
        sum -= exp((double)a->sinks[head] - a->log_sums[row]) * a->deltas[row];
    }
    return (float)sum;
}

void gatun_attention_back_keys(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    struct gatun_attention_back *params = userdata;
    struct attention_back a = operands(dst, params);
    const int64_t rows = a.tokens * a.heads, cells = a.cells * a.groups;
    a.log_sums = (float *)dst->src[4]->data + rows * a.d;
    a.deltas = a.log_sums + rows;
    a.dk = dst->data;
    a.dvalues = a.dk + cells * a.d;
    float *sinks = a.dvalues + cells * a.dv;
    const int64_t results = cells * (a.d + a.dv) + (params->sinks ? a.heads : 0);
    float *scratch = scratch_of(dst, &a, results, ith);
    const int64_t blocks = ceil_div(a.cells, BACK_CELLS);
    if (scratch) {
        for (int64_t job; (job = take(&params->work)) < blocks * a.groups;) {
            const int64_t cell = job / a.groups * BACK_CELLS;
            const int64_t left = a.cells - cell;
            gatun_kernels()->attention_back_keys(&a, job % a.groups, cell,
                                                 (int)(left < BACK_CELLS ? left : BACK_CELLS), scratch);
        }
    }
    for (int64_t head = ith; params->sinks && head < a.heads; head += nth) {
        sinks[head] = sink_gradient(&a, head);
    }
    leave(&params->work, nth);
}
