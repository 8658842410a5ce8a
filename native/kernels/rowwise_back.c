/* Gradients that take one row at a time: norms, activations, cross-entropy. */
#include "gatun.h"
#include "ggml_tensor.h"
#include "kernels.h"

#include <math.h>
#include <string.h>

static int64_t rows_of(const struct ggml_tensor *t) { return t->ne[1] * t->ne[2] * t->ne[3]; }

/* Row number `row` of a tensor of the same lengths as `like`, but perhaps a view. */
static float *row_of(const struct ggml_tensor *t, int64_t row) {
    return (float *)((char *)t->data + row % t->ne[1] * (int64_t)t->nb[1] +
                     row / t->ne[1] % t->ne[2] * (int64_t)t->nb[2] +
                     row / t->ne[1] / t->ne[2] * (int64_t)t->nb[3]);
}

void gatun_norm_back(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const int64_t rows = rows_of(dst);
    for (int64_t row = rows * ith / nth; row < rows * (ith + 1) / nth; row++) {
        gatun_kernels()->norm_back(userdata, dst->ne[0], row_of(dst->src[0], row),
                                   row_of(dst->src[1], row), row_of(dst, row));
    }
}

void gatun_softmax_back(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const struct gatun_softmax *softmax = userdata;
    const int64_t rows = rows_of(dst);
    for (int64_t row = rows * ith / nth; row < rows * (ith + 1) / nth; row++) {
        gatun_kernels()->softmax_back(softmax->scale, dst->ne[0], row_of(dst->src[0], row),
                                      row_of(dst->src[1], row), row_of(dst, row));
    }
}

void gatun_activation_back(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const int64_t rows = rows_of(dst);
    for (int64_t row = rows * ith / nth; row < rows * (ith + 1) / nth; row++) {
        gatun_kernels()->activation_back(userdata, dst->ne[0], row_of(dst->src[0], row),
                                         row_of(dst->src[1], row), row_of(dst, row));
    }
}

void gatun_gated_back(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const struct gatun_activation *a = userdata;
    const struct ggml_tensor *dy = dst->src[0], *x = dst->src[1], *up = dst->src[2];
    const int64_t n = dy->ne[0], rows = rows_of(dy);
    float *out = dst->data;
    for (int64_t row = rows * ith / nth; row < rows * (ith + 1) / nth; row++) {
        const float *gate = row_of(x, row);
        float *dgate = a->fused ? out + 2 * n * row : out + n * row;
        gatun_kernels()->gated_back(a, n, row_of(dy, row), gate, a->fused ? gate + n : row_of(up, row),
                                    dgate, a->fused ? dgate + n : dgate + n * rows);
    }
}

void gatun_cross_entropy(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)userdata;
    const struct ggml_tensor *x = dst->src[0];
    const int32_t *labels = dst->src[1]->data;
    const float *weights = dst->src[2]->data;
    float *out = dst->data;
    for (int64_t row = ith; row < x->ne[1]; row += nth) {
        const float *logits = row_of(x, row);
        out[row] = weights[row] == 0 ? 0
                                     : (float)(weights[row] *
                                               (gatun_kernels()->row_log_sum_exp(logits, x->ne[0]) -
                                                logits[labels[row]]));
    }
}

void gatun_cross_entropy_back(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)userdata;
    const struct ggml_tensor *x = dst->src[0];
    const int32_t *labels = dst->src[1]->data;
    const float *weights = dst->src[2]->data, *dy = dst->src[3]->data;
    for (int64_t row = ith; row < x->ne[1]; row += nth) {
        const float *logits = row_of(x, row);
        float *out = row_of(dst, row);
        const float factor = weights[row] * dy[row];
        if (weights[row] == 0) {
            memset(out, 0, (size_t)x->ne[0] * sizeof *out);
            continue;
        }
        const float log_sum = (float)gatun_kernels()->row_log_sum_exp(logits, x->ne[0]);
        gatun_kernels()->row_softmax(logits, x->ne[0], log_sum, factor, out);
        out[labels[row]] -= factor;
    }
}
