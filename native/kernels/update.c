/*
 * What a training step writes: sums of gradients, and parameters.
 *
 * 8-bit moments are blocks of 256 values with one scale, after arXiv 2110.02861. Codes are fourth
 * roots of the share of the largest magnitude, eighth roots for the second moment: some percent of
 * error over five decades of gradients. A code is rounded up or down by chance, as a decay of 0.1 % a
 * step would else be lost in rounding each time; chance is a hash, so that runs repeat. A second
 * moment above 0 never becomes 0, which would make its step huge.
 */
#include "gatun.h"
#include "ggml_tensor.h"
#include "half.h"
#include "kernels.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 256 };

typedef struct {
    float largest;
    uint8_t code[BLOCK];
} moment_block;

static int64_t elements(const struct ggml_tensor *t) {
    return t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3];
}

void gatun_blend(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const struct gatun_blend *blend = userdata;
    const float keep = blend->keep, gain = blend->gain;
    const int64_t n = elements(dst), blocks = (n + BLOCK - 1) / BLOCK;
    const int64_t end = blocks * (ith + 1) / nth * BLOCK;
    float *to = dst->data;
    const float *x = dst->src[1]->data;
    const int64_t from = blocks * ith / nth * BLOCK, count = (end < n ? end : n) - from;
    if (keep == 0) {
        for (int64_t i = from; i < from + count; i++) {
            to[i] = gain * x[i];
        }
        return;
    }
    if (keep != 1) {
        for (int64_t i = from; i < from + count; i++) {
            to[i] *= keep;
        }
    }
    if (count > 0) {
        gatun_kernels()->add_scaled(to + from, x + from, gain, count);
    }
}

void gatun_sum_squares(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)userdata;
    const int64_t n = elements(dst->src[0]);
    for (int64_t part = ith; part < dst->ne[0]; part += nth) {
        const float *x = (const float *)dst->src[0]->data + part * GATUN_SUM_VALUES;
        const int64_t left = n - part * GATUN_SUM_VALUES;
        const int64_t count = left < GATUN_SUM_VALUES ? left : GATUN_SUM_VALUES;
        double sums[8] = {0};
        int64_t i = 0;
        for (; i + 8 <= count; i += 8) {
            for (int c = 0; c < 8; c++) {
                sums[c] += (double)x[i + c] * x[i + c];
            }
        }
        for (; i < count; i++) {
            sums[i % 8] += (double)x[i] * x[i];
        }
        ((float *)dst->data)[part] = (float)(((sums[0] + sums[4]) + (sums[2] + sums[6])) +
                                             ((sums[1] + sums[5]) + (sums[3] + sums[7])));
    }
}

int64_t gatun_moment_bytes(int64_t parameters) {
    return (parameters + BLOCK - 1) / BLOCK * (int64_t)sizeof(moment_block);
}

static float chance(int64_t index, float x) {
    uint32_t h = (uint32_t)index * 0x9e3779b9u ^ bits_of_float(x);
    h = (h ^ h >> 16) * 0x7feb352du;
    h = (h ^ h >> 15) * 0x846ca68bu;
    return (float)((h ^ h >> 16) >> 8) * 0x1p-24f;
}

static float largest_of(const float *x, int n) {
    float largest = 0;
    for (int i = 0; i < n; i++) {
        largest = fmaxf(largest, fabsf(x[i]));
    }
    return largest;
}

static float fourth(float x) { return x * x * (x * x); }

static void read_first(const moment_block *b, int n, float *m) {
    for (int i = 0; i < n; i++) {
        const float code = (float)(int8_t)b->code[i];
        m[i] = copysignf(b->largest * fourth(code / 127), code);
    }
}

static void write_first(moment_block *b, int64_t index, int n, const float *m, const float *g) {
    const float largest = b->largest = largest_of(m, n);
    for (int i = 0; i < n; i++) {
        const float root = largest > 0 ? sqrtf(sqrtf(fabsf(m[i]) / largest)) * 127 : 0;
        const int code = (int)(root + chance(index + i, g[i]));
        b->code[i] = (uint8_t)(int8_t)(m[i] < 0 ? -code : code);
    }
}

static void read_second(const moment_block *b, int n, float *v) {
    for (int i = 0; i < n; i++) {
        const float root = fourth((float)b->code[i] / 255);
        v[i] = b->largest * (root * root);
    }
}

static void write_second(moment_block *b, int64_t index, int n, const float *v, const float *g) {
    const float largest = b->largest = largest_of(v, n);
    for (int i = 0; i < n; i++) {
        const float root = largest > 0 ? sqrtf(sqrtf(sqrtf(v[i] / largest))) * 255 : 0;
        const int code = (int)(root + chance(~(index + i), g[i]));
        b->code[i] = (uint8_t)(code == 0 && v[i] > 0 ? 1 : code);
    }
}

void gatun_update(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const float *settings = dst->src[2]->data;
    const float squares = *(const float *)dst->src[3]->data;
    if (!isfinite(squares)) {
        return;
    }
    struct update_step step = {
        .rule = (int32_t)(intptr_t)userdata,
        .rate = settings[GATUN_LEARNING_RATE],
        .decay = settings[GATUN_LEARNING_RATE] * settings[GATUN_WEIGHT_DECAY],
        .beta1 = settings[GATUN_BETA1],
        .beta2 = settings[GATUN_BETA2],
        .epsilon = settings[GATUN_EPSILON],
        .correction1 = settings[GATUN_CORRECTION1],
        .correction2 = settings[GATUN_CORRECTION2],
        .factor = settings[GATUN_GRAD_SCALE],
    };
    const float norm = sqrtf(squares) * fabsf(step.factor), most = settings[GATUN_NORM_MAX];
    if (most > 0 && norm > most) {
        step.factor *= most / norm;
    }
    const bool bytes = step.rule == GATUN_ADAMW_8BIT;
    const int64_t n = elements(dst), blocks = (n + BLOCK - 1) / BLOCK;
    float *w = dst->data;
    const float *g = dst->src[1]->data;
    for (int64_t block = blocks * ith / nth; block < blocks * (ith + 1) / nth; block++) {
        const int64_t from = block * BLOCK;
        const int count = (int)(n - from < BLOCK ? n - from : BLOCK);
        if (!bytes) {
            float *v = dst->src[5] ? (float *)dst->src[5]->data + from : NULL;
            gatun_kernels()->update(&step, count, w + from, g + from,
                                    (float *)dst->src[4]->data + from, v);
            continue;
        }
        float m[BLOCK], v[BLOCK];
        moment_block *first = (moment_block *)dst->src[4]->data + block;
        moment_block *second = (moment_block *)dst->src[5]->data + block;
        read_first(first, count, m);
        read_second(second, count, v);
        gatun_kernels()->update(&step, count, w + from, g + from, m, v);
        write_first(first, from, count, m, g + from);
        write_second(second, from, count, v, g + from);
    }
}
