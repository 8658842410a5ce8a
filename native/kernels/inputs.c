/*
 * Quantised inputs for the dot products of row_dots.h: of values as they are, or of values that are
 * computed on the way, see inputs.h. Threads share stretches of 256 values, the smallest that lie
 * together in both forms. What a stretch needs of its whole row, the mean square, every thread
 * computes for itself: that is cheaper than waiting for another, and the same on any number of
 * threads.
 */
#include "inputs.h"

#include "gatun.h"
#include "ggml_tensor.h"
#include "kernels.h"
#include "products.h"

#include <math.h>

enum { STRETCH = 256 };

/* What a thread knows while it computes an input. */
typedef struct {
    const struct ggml_tensor *dst;
    const struct gatun_input *how;
    int64_t k;
    int64_t row; /* whose scale that is */
    float scale;
} input;

/* `count` values of a row from one on, either where they are or in `room`. */
typedef const float *values_fn(input *in, int64_t row, int64_t from, int count, float *room);

int64_t gatun_quantized_rows_bytes(int32_t block, int64_t k, int64_t n) {
    return (int64_t)sizeof(packed_header) + n * gatun_row_act_bytes(k, block);
}

/* Row of an F32 tensor [K, N] or [K, U, T], whose rows are dense. */
static const float *row_of(const struct ggml_tensor *x, int64_t row) {
    return (const float *)((const char *)x->data + row % x->ne[1] * (int64_t)x->nb[1] +
                           row / x->ne[1] * (int64_t)x->nb[2]);
}

static int64_t rows_of(const struct ggml_tensor *x) { return x->ne[1] * x->ne[2]; }

static void quantize(packed_header *header, int block, input *in, int ith, int nth,
                     values_fn *values) {
    char *rows = (char *)(header + 1);
    if (ith == 0) {
        reset_counters(header);
    }
    const int64_t row_bytes = gatun_row_act_bytes(in->k, block);
    const int64_t parts = (in->k + STRETCH - 1) / STRETCH;
    const int64_t part_bytes = row_bytes / parts;
    const int64_t all = rows_of(in->dst->src[0]) * parts;
    for (int64_t at = all * ith / nth; at < all * (ith + 1) / nth; at++) {
        const int64_t row = at / parts, from = at % parts * STRETCH;
        const int count = in->k - from < STRETCH ? (int)(in->k - from) : STRETCH;
        ALIGNED(64) float room[STRETCH];
        gatun_kernels()->row_pack(block, values(in, row, from, count, room), count / block,
                                  rows + row * row_bytes + at % parts * part_bytes);
    }
}

static const float *as_they_are(input *in, int64_t row, int64_t from, int count, float *room) {
    (void)count;
    (void)room;
    return row_of(in->dst->src[0], row) + from;
}

/* src[0]: F32 [K, N] or [K, U, T]. userdata: the block, 256 or 32. */
void gatun_quantize_rows(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    input in = {.dst = dst, .k = dst->src[0]->ne[0]};
    quantize(dst->data, (int)(intptr_t)userdata, &in, ith, nth, as_they_are);
}

/* 1 / √(mean square + ε) of a row, computed once while the row stays the same. */
static float scale_of(input *in, int64_t row, const float *x, const float *more) {
    if (in->row != row) {
        const float sum = gatun_kernels()->square_sum(x, more, in->k);
        in->row = row;
        in->scale = 1 / sqrtf(sum / (float)in->k + in->how->epsilon);
    }
    return in->scale;
}

static const float *normed(input *in, int64_t row, int64_t from, int count, float *room) {
    const float *x = row_of(in->dst->src[0], row);
    const float *gain = in->dst->src[1]->data;
    gatun_kernels()->normed(x + from, NULL, gain + from, scale_of(in, row, x, NULL), count, NULL,
                            room);
    return room;
}

/* src[0]: x F32 [K, N] or [K, U, T]; src[1]: gain F32 [K]. userdata: struct gatun_input. */
void gatun_quantize_normed(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    input in = {.dst = dst, .how = userdata, .k = dst->src[0]->ne[0], .row = -1};
    quantize(dst->data, in.how->block, &in, ith, nth, normed);
}

static const float *sum_normed(input *in, int64_t row, int64_t from, int count, float *room) {
    const float *x = row_of(in->dst->src[0], row);
    const float *more = row_of(in->dst->src[1], row);
    const float *gain = in->dst->src[2]->data;
    float *sum = (float *)in->dst->data + row * in->k + from;
    gatun_kernels()->normed(x + from, more + from, gain + from, scale_of(in, row, x, more), count,
                            sum, room);
    return room;
}

/* src[0], src[1]: F32 [K, N] or [K, U, T]; src[2]: gain F32 [K]. userdata: struct gatun_input. */
void gatun_quantize_sum_normed(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    input in = {.dst = dst, .how = userdata, .k = dst->src[0]->ne[0], .row = -1};
    char *behind = (char *)dst->data + rows_of(dst->src[0]) * in.k * (int64_t)sizeof(float);
    quantize((packed_header *)behind, in.how->block, &in, ith, nth, sum_normed);
}

static const float *gated(input *in, int64_t row, int64_t from, int count, float *room) {
    const float *gate = row_of(in->dst->src[0], row);
    const float *up = in->dst->src[1] ? row_of(in->dst->src[1], row) : gate + in->k;
    gatun_kernels()->gated(in->how->glu, gate + from, up + from, count, room);
    return room;
}

/* src[0]: gate, src[1]: up, F32 [K, N] or [K, U, T]; without up, rows of gate are [2K] and hold
 * both. userdata: struct gatun_input. */
void gatun_quantize_gated(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const int64_t width = dst->src[0]->ne[0];
    input in = {.dst = dst, .how = userdata, .k = dst->src[1] ? width : width / 2};
    quantize(dst->data, in.how->block, &in, ith, nth, gated);
}
