/*
 * Dropout whose choice is a function of a key, a place and the number of the element: the backward pass
 * and a second forward pass make it again instead of keeping it, on any number of threads.
 */
#include "gatun.h"
#include "ggml_tensor.h"

/* Bits that look independent for neighbouring x (Wellons' lowbias32). */
static inline uint32_t mixed(uint32_t x) {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    return x ^ (x >> 16);
}

void gatun_dropout(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const struct gatun_dropout *dropout = userdata;
    const struct ggml_tensor *x = dst->src[0];
    const int32_t *key = dst->src[1]->data;
    const uint32_t first = mixed((uint32_t)key[0] ^ mixed((uint32_t)dropout->place));
    const uint32_t second = mixed((uint32_t)key[1] ^ first);
    /* rate < 1, and 2³² times that is exact in doubles */
    const uint32_t below = (uint32_t)((double)dropout->rate * 4294967296.0);
    const float gain = 1.0f / (1.0f - dropout->rate);
    const int64_t n = dst->ne[0], rows = dst->ne[1] * dst->ne[2] * dst->ne[3];
    for (int64_t row = rows * ith / nth; row < rows * (ith + 1) / nth; row++) {
        const float *in = (const float *)((const char *)x->data + row % x->ne[1] * (int64_t)x->nb[1] +
                                          row / x->ne[1] % x->ne[2] * (int64_t)x->nb[2] +
                                          row / x->ne[1] / x->ne[2] * (int64_t)x->nb[3]);
        float *out = (float *)dst->data + row * n;
        const uint32_t number = (uint32_t)(row * n);
        for (int64_t i = 0; i < n; i++) {
            const uint32_t bits = mixed(mixed(number + (uint32_t)i + first) + second);
            out[i] = bits < below ? 0.0f : in[i] * gain;
        }
    }
}
