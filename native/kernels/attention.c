/*
 * Attention as one node of a graph: which thread computes which tile, and merging.
 *
 * A tile is some tokens times the heads of one head of K and V. Threads take tiles from a counter,
 * the last tokens first: under a causal mask these see most cells. When there are too few tiles for
 * all threads, as in decoding, the cells of each are split into parts, and whoever finishes the last
 * part of a tile merges them. Counters go back to 0 by themselves, when the last thread leaves.
 */
#include "attention.h"
#include "gatun.h"
#include "ggml_tensor.h"
#include "kernels.h"

#include <stdatomic.h>

enum {
    PARTS_PER_THREAD = 4,
    CELLS_PER_PART = 256, /* fewer are not worth the merging */
};

typedef _Atomic int32_t counter;
_Static_assert(sizeof(counter) == sizeof(int32_t), "counters of gatun_attention_params");

typedef struct {
    int64_t heads, groups;    /* of queries, and of K and V */
    int64_t tile_heads, head_tiles; /* of one group */
    int64_t tile_tokens, token_tiles;
    int64_t tiles;
    int64_t parts, part_cells;
    int64_t result, scratch, part; /* floats */
    int64_t cells;
} plan;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static plan plan_of(int64_t d, int64_t dv, int64_t tokens, int64_t heads, int64_t groups,
                    int64_t cells, int threads) {
    plan p = {.heads = heads, .groups = groups, .cells = cells};
    const int64_t shared = heads / groups;
    p.head_tiles = ceil_div(shared, ATTENTION_ROWS);
    p.tile_heads = ceil_div(shared, p.head_tiles);
    p.token_tiles = ceil_div(tokens, ATTENTION_ROWS / p.tile_heads);
    p.tile_tokens = ceil_div(tokens, p.token_tiles);
    p.tiles = groups * p.head_tiles * p.token_tiles;
    p.parts = 1;
    if (p.tiles < 2 * threads && p.tiles <= GATUN_ATTENTION_TILES) {
        const int64_t wanted = ceil_div((int64_t)PARTS_PER_THREAD * threads, p.tiles);
        const int64_t possible = cells / CELLS_PER_PART;
        p.parts = wanted < possible ? wanted : possible > 1 ? possible : 1;
    }
    if (threads == 1) {
        p.parts = 1;
    }
    p.part_cells = ceil_div(ceil_div(cells, p.parts), ATTENTION_CELLS) * ATTENTION_CELLS;
    p.parts = cells > 0 ? ceil_div(cells, p.part_cells) : 1;
    p.result = ceil_div(dv * heads * tokens, 16) * 16;
    p.scratch = attention_scratch_floats(d, dv);
    p.part = attention_part_floats(p.tile_heads * p.tile_tokens, dv);
    return p;
}

static int64_t part_floats(const plan *p) { return p->parts > 1 ? p->tiles * p->parts * p->part : 0; }

int64_t gatun_attention_floats(int64_t d, int64_t dv, int64_t tokens, int64_t heads, int64_t groups,
                               int64_t cells, int32_t threads) {
    if (d <= 0 || dv <= 0 || d % 8 != 0 || dv % 8 != 0 || tokens <= 0 || groups <= 0 ||
        heads <= 0 || heads % groups != 0 || cells < 0 || threads <= 0) {
        return -1;
    }
    const plan p = plan_of(d, dv, tokens, heads, groups, cells, threads);
    return p.result + part_floats(&p) + threads * p.scratch;
}

/* All cells, or one part of them, of one tile; and its merging, if this was what was missing. */
static void compute(const struct ggml_tensor *dst, const plan *p, struct gatun_attention_params *params,
                    int64_t tile, int64_t part, float *scratch) {
    const struct ggml_tensor *q = dst->src[0], *k = dst->src[1], *v = dst->src[2];
    const struct ggml_tensor *mask = dst->src[3], *sinks = dst->src[4];
    const struct gatun_kernels *kernels = gatun_kernels();
    const int64_t group = tile / (p->head_tiles * p->token_tiles);
    const int64_t shared = p->heads / p->groups;
    const int64_t within = tile / p->token_tiles % p->head_tiles * p->tile_heads;
    const int64_t head = group * shared + within;
    const int64_t token = (p->token_tiles - 1 - tile % p->token_tiles) * p->tile_tokens;
    const int64_t heads = shared - within < p->tile_heads ? shared - within : p->tile_heads;
    const int64_t tokens = q->ne[1] - token < p->tile_tokens ? q->ne[1] - token : p->tile_tokens;
    if (heads <= 0 || tokens <= 0) {
        return;
    }
    const int64_t from = part * p->part_cells;
    const struct attention_tile t = {
        .k_type = k->type,
        .v_type = v->type,
        .d = (int32_t)q->ne[0],
        .dv = (int32_t)v->ne[0],
        .heads = (int32_t)heads,
        .tokens = (int32_t)tokens,
        .scale = params->scale,
        .softcap = params->softcap,
        .q = (const char *)q->data + token * (int64_t)q->nb[1] + head * (int64_t)q->nb[2],
        .q_head = (int64_t)q->nb[2],
        .q_token = (int64_t)q->nb[1],
        .k = (const char *)k->data + group * (int64_t)k->nb[2],
        .v = (const char *)v->data + group * (int64_t)v->nb[2],
        .k_cell = (int64_t)k->nb[1],
        .v_cell = (int64_t)v->nb[1],
        .mask = mask ? mask->data : NULL,
        .mask_token = mask ? (int64_t)mask->nb[1] : 0,
        .first_token = token,
        .mask_tokens = mask ? mask->ne[1] : 1,
        .from = from,
        .to = p->cells - from < p->part_cells ? p->cells : from + p->part_cells,
    };
    float *out = dst->data;
    float *parts = out + p->result + tile * p->parts * p->part;
    float *mine = p->parts > 1 ? parts + part * p->part : scratch;
    kernels->attention(&t, mine,
                       p->parts > 1 ? scratch : scratch + attention_part_floats(ATTENTION_ROWS, t.dv));
    if (p->parts > 1) {
        counter *done = (counter *)&params->parts_done[tile];
        if (atomic_fetch_add_explicit(done, 1, memory_order_acq_rel) + 1 < p->parts) {
            return;
        }
        atomic_store_explicit(done, 0, memory_order_relaxed);
    }
    kernels->attention_finish(&t, p->parts > 1 ? parts : mine, (int)p->parts, p->part,
                              sinks ? (const float *)sinks->data + head : NULL,
                              out + (token * p->heads + head) * t.dv, t.dv, p->heads * t.dv);
}

void gatun_attention(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    struct gatun_attention_params *params = userdata;
    const struct ggml_tensor *q = dst->src[0], *k = dst->src[1], *v = dst->src[2];
    const struct ggml_tensor *mask = dst->src[3];
    const int64_t cells = mask && mask->ne[0] < k->ne[1] ? mask->ne[0] : k->ne[1];
    const int64_t room = dst->ne[0] * dst->ne[1] * dst->ne[2] * dst->ne[3];
    /* A graph may run on more threads than it was built for: those that have no memory leave. */
    int workers = nth;
    plan p;
    for (;; workers--) {
        p = plan_of(q->ne[0], v->ne[0], q->ne[1], q->ne[2], k->ne[2], cells, workers);
        if (workers == 1 || p.result + part_floats(&p) + workers * p.scratch <= room) {
            break;
        }
    }
    counter *next = (counter *)&params->next, *left = (counter *)&params->left;
    if (ith < workers) {
        float *scratch = (float *)dst->data + p.result + part_floats(&p) + ith * p.scratch;
        const int64_t jobs = p.tiles * p.parts;
        for (;;) {
            const int64_t job = atomic_fetch_add_explicit(next, 1, memory_order_relaxed);
            if (job >= jobs) {
                break;
            }
            compute(dst, &p, params, job / p.parts, job % p.parts, scratch);
        }
    }
    if (atomic_fetch_add_explicit(left, 1, memory_order_acq_rel) + 1 == nth) {
        atomic_store_explicit(next, 0, memory_order_relaxed);
        atomic_store_explicit(left, 0, memory_order_relaxed);
    }
}
