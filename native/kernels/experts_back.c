/*
 * Gradients of products with experts. A pair of a token and an expert has one gradient and belongs to
 * one expert, so jobs of different experts never write the same place; each unpacks a row of its
 * expert's weights once for all its pairs.
 */
#include "gatun.h"
#include "ggml_tensor.h"
#include "kernels.h"

#include <stdatomic.h>
#include <string.h>

enum { CHUNK = 256 }; /* of the inner axis */

typedef _Atomic int32_t counter;

static int64_t take(struct gatun_work *work) {
    return atomic_fetch_add_explicit((counter *)&work->next, 1, memory_order_relaxed);
}

static void leave(struct gatun_work *work, int nth) {
    if (atomic_fetch_add_explicit((counter *)&work->left, 1, memory_order_acq_rel) + 1 == nth) {
        atomic_store_explicit((counter *)&work->next, 0, memory_order_relaxed);
        atomic_store_explicit((counter *)&work->left, 0, memory_order_relaxed);
    }
}

/* A pair's row of a tensor [n, U or 1, T]. */
static char *pair_row(const struct ggml_tensor *t, int64_t pair, int64_t used) {
    return (char *)t->data + pair % used % t->ne[1] * (int64_t)t->nb[1] +
           pair / used * (int64_t)t->nb[2];
}

void gatun_experts_grad_input(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)ith;
    const struct ggml_tensor *w = dst->src[0], *dy = dst->src[1], *ids = dst->src[2];
    const int64_t in = w->ne[0], used = ids->ne[0], chunks = (in + CHUNK - 1) / CHUNK;
    for (int64_t job; (job = take(userdata)) < chunks * w->ne[2];) {
        const int64_t expert = job / chunks, first = job % chunks * CHUNK;
        const int count = (int)(in - first < CHUNK ? in - first : CHUNK);
        ALIGNED(64) float row[CHUNK];
        for (int64_t o = 0; o < w->ne[1]; o++) {
            bool unpacked = false;
            for (int64_t pair = 0; pair < used * ids->ne[1]; pair++) {
                const int32_t id = *(const int32_t *)((const char *)ids->data + pair / used * (int64_t)ids->nb[1] +
                                                      pair % used * (int64_t)sizeof(int32_t));
                if (id != expert) {
                    continue;
                }
                if (!unpacked) {
                    const char *from = (const char *)w->data + expert * (int64_t)w->nb[2] + o * (int64_t)w->nb[1];
                    gatun_kernels()->floats(w->type, from, first, count, row, FLOAT_ROWS);
                    unpacked = true;
                }
                float *to = (float *)pair_row(dst, pair, used) + first;
                if (o == 0) {
                    memset(to, 0, (size_t)count * sizeof *to);
                }
                gatun_kernels()->add_scaled(to, row, ((const float *)pair_row(dy, pair, used))[o], count);
            }
        }
    }
    leave(userdata, nth);
}

void gatun_experts_grad_weight(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)ith;
    const struct ggml_tensor *x = dst->src[0], *dy = dst->src[1], *ids = dst->src[2];
    const int64_t in = dst->ne[0], out = dst->ne[1], used = ids->ne[0];
    const int64_t chunks = (out + 15) / 16;
    for (int64_t job; (job = take(userdata)) < chunks * dst->ne[2];) {
        const int64_t expert = job / chunks, first = job % chunks * 16;
        const int64_t end = first + 16 < out ? first + 16 : out;
        float *to = (float *)dst->data + (expert * out + first) * in;
        memset(to, 0, (size_t)((end - first) * in) * sizeof *to);
        for (int64_t pair = 0; pair < used * ids->ne[1]; pair++) {
            const int32_t id = *(const int32_t *)((const char *)ids->data + pair / used * (int64_t)ids->nb[1] +
                                                  pair % used * (int64_t)sizeof(int32_t));
            if (id != expert) {
                continue;
            }
            const float *row = (const float *)pair_row(x, pair, used);
            const float *factors = (const float *)pair_row(dy, pair, used);
            for (int64_t o = first; o < end; o++) {
                gatun_kernels()->add_scaled(to + (o - first) * in, row, factors[o], in);
            }
        }
    }
    leave(userdata, nth);
}
