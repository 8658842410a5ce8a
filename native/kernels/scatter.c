/*
 * Gradients of what only moves values: they are added where the values came from. Each thread owns a
 * part of the result and looks at all of the gradient, so the sums need no order among threads.
 */
#include "gatun.h"
#include "ggml_tensor.h"
#include "kernels.h"

#include <string.h>

void gatun_scatter_rows(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)userdata;
    const struct ggml_tensor *rows = dst->src[0], *ids = dst->src[1];
    const int64_t width = dst->ne[0], table = dst->ne[1];
    const int64_t from = table * ith / nth, to = table * (ith + 1) / nth;
    for (int64_t outer = 0; outer < dst->ne[2] * dst->ne[3]; outer++) {
        const int64_t i2 = outer % dst->ne[2], i3 = outer / dst->ne[2];
        float *out = (float *)dst->data + outer * table * width;
        memset(out + from * width, 0, (size_t)((to - from) * width) * sizeof *out);
        const int32_t *id = (const int32_t *)ids->data + outer * ids->ne[0];
        for (int64_t i = 0; i < ids->ne[0]; i++) {
            if (id[i] >= from && id[i] < to) {
                const char *row = (const char *)rows->data + i * (int64_t)rows->nb[1] +
                                  i2 * (int64_t)rows->nb[2] + i3 * (int64_t)rows->nb[3];
                gatun_kernels()->add_scaled(out + id[i] * width, (const float *)row, 1, width);
            }
        }
    }
}

void gatun_scatter_view(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const struct gatun_window *window = userdata;
    const struct ggml_tensor *x = dst->src[0];
    const int64_t all = dst->ne[0] * dst->ne[1] * dst->ne[2] * dst->ne[3];
    const int64_t from = all * ith / nth, to = all * (ith + 1) / nth;
    float *out = dst->data;
    memset(out + from, 0, (size_t)(to - from) * sizeof *out);
    for (int64_t row = 0; row < x->ne[1] * x->ne[2] * x->ne[3]; row++) {
        const int64_t i1 = row % x->ne[1], i2 = row / x->ne[1] % x->ne[2];
        const int64_t i3 = row / x->ne[1] / x->ne[2];
        const int64_t at = (window->offset + i1 * window->stride[0] + i2 * window->stride[1] +
                            i3 * window->stride[2]) / (int64_t)sizeof(float);
        const float *values = (const float *)((const char *)x->data + i1 * (int64_t)x->nb[1] +
                                              i2 * (int64_t)x->nb[2] + i3 * (int64_t)x->nb[3]);
        const int64_t first = at < from ? from : at;
        const int64_t last = at + x->ne[0] > to ? to : at + x->ne[0];
        if (first < last) {
            gatun_kernels()->add_scaled(out + first, values + (first - at), 1, last - first);
        }
    }
}
