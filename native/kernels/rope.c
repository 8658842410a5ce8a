/*
 * See rope.h. Threads share heads: those of queries, then of keys, then of values, for each token.
 *
 * @source arXiv 2104.09864, 2309.00071; the arithmetic of angles follows ggml 0.23.0, so that a cache
 * written by either means the same.
 */
#include "rope.h"

#include "gatun.h"
#include "ggml_tensor.h"
#include "kernels.h"

#include <math.h>
#include <string.h>

/* The dimension whose angle makes `turns` turns over the original context. */
static float dimension_of(const struct gatun_rope_angles *a, float turns) {
    const float turn = turns * 2 * 3.14159265358979323846f;
    return (float)a->dims * logf((float)a->original_context / turn) / (2 * logf(a->base));
}

/* How much of YaRN's extrapolation a pair takes: 1 below `low`, 0 above `high`. */
static float ramp(float low, float high, int64_t pair) {
    const float y = ((float)pair - low) / fmaxf(0.001f, high - low);
    return 1 - fminf(1, fmaxf(0, y));
}

/* src[0]: positions I32 [T]; src[1]: factors F32 [dims/2 or more], or NULL. dst: F32 [dims, T].
 * userdata: struct gatun_rope_angles. */
void gatun_rope_table(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const struct gatun_rope_angles *a = userdata;
    const int32_t *positions = dst->src[0]->data;
    const float *factors = dst->src[1] ? dst->src[1]->data : NULL;
    const int64_t pairs = a->dims / 2, all = pairs * dst->ne[1];
    const float step = powf(a->base, -2.0f / (float)a->dims);
    const float low = fmaxf(0, floorf(dimension_of(a, a->beta_fast)));
    const float high = fminf((float)(a->dims - 1), ceilf(dimension_of(a, a->beta_slow)));
    const bool yarn = a->ext_factor != 0;
    const float magnitude =
        a->attention_factor * (yarn ? 1 + 0.1f * logf(1 / a->scale) : 1);
    const int64_t from = all * ith / nth, to = all * (ith + 1) / nth;
    for (int64_t token = from / pairs; token * pairs < to; token++) {
        float *cosines = (float *)dst->data + token * a->dims;
        float theta = (float)positions[token];
        for (int64_t i = 0; i < pairs; i++, theta *= step) {
            if (token * pairs + i < from || token * pairs + i >= to) {
                continue; /* another thread's, but theta is a product of all steps */
            }
            const float extrapolated = factors ? theta / factors[i] : theta;
            float angle = a->scale * extrapolated;
            if (yarn) {
                const float mix = ramp(low, high, i) * a->ext_factor;
                angle = angle * (1 - mix) + extrapolated * mix;
            }
            cosines[i] = cosf(angle) * magnitude;
            cosines[pairs + i] = sinf(angle) * magnitude;
        }
    }
}

/* What a node works with; k and v have the same numbers of heads and tokens. */
typedef struct {
    const struct gatun_rope_node *how;
    const struct ggml_tensor *q, *k, *v, *table, *keys, *values;
    const int64_t *cells;
    const float *q_gain, *k_gain;
    float *out;
} node;

static const float *head_of(const struct ggml_tensor *x, int64_t head, int64_t token) {
    return (const float *)((const char *)x->data + head * (int64_t)x->nb[1] +
                           token * (int64_t)x->nb[2]);
}

/* x turned, after it was normalised where there is a gain. */
static void turn(const node *n, const float *x, const float *gain, int64_t d, int64_t token,
                 float *out) {
    const int dims = n->how->dims;
    ALIGNED(64) float room[GATUN_HEAD_MAX];
    if (gain) {
        const float mean = gatun_kernels()->square_sum(x, NULL, d) / (float)d;
        gatun_kernels()->normed(x, NULL, gain, 1 / sqrtf(mean + n->how->epsilon), (int)d, NULL, room);
        x = room;
    }
    const float *table = (const float *)n->table->data + token * n->table->ne[0];
    gatun_kernels()->turn(x, table, dims, n->how->neighbours, out);
    memcpy(out + dims, x + dims, (size_t)(d - dims) * sizeof(float));
}

/* Where a head of d values lies in its cell. */
static char *place_in(const struct ggml_tensor *cache, int64_t heads, int64_t head, int64_t cell) {
    const int64_t cell_bytes = (int64_t)cache->nb[1];
    return (char *)cache->data + cell * cell_bytes + head * (cell_bytes / heads);
}

static void compute_head(const node *n, int64_t head, int64_t token) {
    const int64_t heads = n->q->ne[1], groups = n->k->ne[1], d = n->q->ne[0];
    if (head < heads) {
        turn(n, head_of(n->q, head, token), n->q_gain, d, token, n->out + (token * heads + head) * d);
        return;
    }
    head -= heads;
    if (head < groups) {
        ALIGNED(64) float turned[GATUN_HEAD_MAX];
        turn(n, head_of(n->k, head, token), n->k_gain, d, token, turned);
        n->how->keys_from_float(turned, place_in(n->keys, groups, head, n->cells[token]), d);
        return;
    }
    head -= groups;
    n->how->values_from_float(head_of(n->v, head, token),
                              place_in(n->values, groups, head, n->cells[token]), n->v->ne[0]);
}

void gatun_rope(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const struct ggml_tensor *const *src = (const struct ggml_tensor *const *)dst->src;
    const node n = {.how = userdata,
                    .q = src[0],
                    .k = src[1],
                    .v = src[2],
                    .table = src[3],
                    .keys = src[5],
                    .values = src[6],
                    .cells = src[4]->data,
                    .q_gain = src[7] ? src[7]->data : NULL,
                    .k_gain = src[8] ? src[8]->data : NULL,
                    .out = dst->data};
    const int64_t each = n.q->ne[1] + 2 * n.k->ne[1], all = each * n.q->ne[2];
    for (int64_t at = all * ith / nth; at < all * (ith + 1) / nth; at++) {
        compute_head(&n, at % each, at / each);
    }
}
