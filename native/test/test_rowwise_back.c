/* Gradients of norms, activations, softmax and cross-entropy against doubles, over odd widths. */
#include "check.h"

#include "kernels.h"

static void near(float got, double expected, double off, const char *what, int64_t n, int64_t i) {
    check(fabs(got - expected) <= off * (1 + fabs(expected)), "%s: %g instead of %g at %d of %d", what,
          got, expected, (int)i, (int)n);
}

static void norms(int64_t n, int centred) {
    const int64_t rows = 5;
    float *dy = random_floats(n * rows, 1), *x = random_floats(n * rows, 3);
    struct ggml_tensor a = matrix(TYPE_F32, n, rows, dy), b = matrix(TYPE_F32, n, rows, x);
    struct ggml_tensor dst = matrix(TYPE_F32, n, rows, filled(n * rows * 4));
    struct gatun_norm norm = {.epsilon = 1e-3f, .centred = centred};
    dst.src[0] = &a;
    dst.src[1] = &b;
    run_op(gatun_norm_back, &dst, (intptr_t)&norm);
    for (int64_t r = 0; r < rows; r++) {
        const float *xr = x + r * n, *dr = dy + r * n;
        double mean = 0, square = 0, dmean = 0, along = 0;
        for (int64_t i = 0; i < n; i++) {
            mean += centred ? (double)xr[i] / (double)n : 0;
            dmean += centred ? (double)dr[i] / (double)n : 0;
        }
        for (int64_t i = 0; i < n; i++) {
            square += (xr[i] - mean) * (xr[i] - mean) / (double)n;
            along += dr[i] * (xr[i] - mean) / (double)n;
        }
        const double variance = square + norm.epsilon;
        for (int64_t i = 0; i < n; i++) {
            const double expected =
                (dr[i] - dmean - along / variance * (xr[i] - mean)) / sqrt(variance);
            near(((float *)dst.data)[r * n + i], expected, 2e-6, "norm", n, i);
        }
    }
    free(dy);
    free(x);
    free(dst.data);
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double gelu(double x) { return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x))); }

static double act(int32_t function, double x) {
    switch (function) {
    case GATUN_TANH: return tanh(x);
    case GATUN_RELU:
    case GATUN_REGLU: return x > 0 ? x : 0;
    case GATUN_SIGMOID: return sigmoid(x);
    case GATUN_GELU:
    case GATUN_GEGLU: return gelu(x);
    case GATUN_SILU:
    case GATUN_SWIGLU: return x * sigmoid(x);
    case GATUN_EXP: return exp(x);
    case GATUN_SOFTPLUS: return log1p(exp(x));
    case GATUN_CLAMP: return x < -1 ? -1 : x > 2 ? 2 : x;
    default: return fmin(x, 7) * sigmoid(1.702 * fmin(x, 7));
    }
}

static double up_of(int32_t function, double up) {
    return function == GATUN_SWIGLU_OAI ? fmin(fmax(up, -7), 7) + 1 : up;
}

static double slope(int32_t function, double x) {
    const double h = 1e-6;
    return (act(function, x + h) - act(function, x - h)) / (2 * h);
}

static void activations(int32_t function, int64_t n) {
    float *dy = random_floats(n, 2), *x = random_floats(n, 9);
    struct ggml_tensor a = matrix(TYPE_F32, n, 1, dy), b = matrix(TYPE_F32, n, 1, x);
    struct ggml_tensor dst = matrix(TYPE_F32, n, 1, filled(n * 4));
    struct gatun_activation activation = {.function = function, .low = -1, .high = 2};
    dst.src[0] = &a;
    dst.src[1] = &b;
    run_op(gatun_activation_back, &dst, (intptr_t)&activation);
    for (int64_t i = 0; i < n; i++) {
        near(((float *)dst.data)[i], dy[i] * slope(function, x[i]), 1e-5, "activation", function, i);
    }
    free(dy);
    free(x);
    free(dst.data);
}

static void gated(int32_t function, int64_t n, int fused) {
    const int64_t rows = 4;
    float *dy = random_floats(n * rows, 2), *x = random_floats(2 * n * rows, 9);
    struct ggml_tensor a = matrix(TYPE_F32, n, rows, dy);
    struct ggml_tensor gate = matrix(TYPE_F32, fused ? 2 * n : n, rows, x);
    struct ggml_tensor up = matrix(TYPE_F32, n, rows, x + n * rows);
    struct ggml_tensor dst = matrix(TYPE_F32, 2 * n * rows, 1, filled(8 * n * rows));
    struct gatun_activation activation = {.function = function, .fused = fused};
    dst.src[0] = &a;
    dst.src[1] = &gate;
    dst.src[2] = fused ? NULL : &up;
    run_op(gatun_gated_back, &dst, (intptr_t)&activation);
    for (int64_t i = 0; i < n * rows; i++) {
        const int64_t at = fused ? i / n * 2 * n + i % n : i, other = fused ? at + n : n * rows + i;
        const double u = x[other], h = 1e-6;
        const double bend = (up_of(function, u + h) - up_of(function, u - h)) / (2 * h);
        const float *got = dst.data;
        near(got[at], dy[i] * up_of(function, u) * slope(function, x[at]),
             3e-6 * (1 + fabs(dy[i] * u)), "gate", function, i);
        near(got[other], dy[i] * bend * act(function, x[at]), 1e-5, "up", function, i);
    }
    free(dy);
    free(x);
    free(dst.data);
}

static void softmax(int64_t n) {
    float *dy = random_floats(n, 1), *y = random_floats(n, 1);
    struct ggml_tensor a = matrix(TYPE_F32, n, 1, dy), b = matrix(TYPE_F32, n, 1, y);
    struct ggml_tensor dst = matrix(TYPE_F32, n, 1, filled(n * 4));
    struct gatun_softmax scale = {0.3f};
    double mean = 0;
    dst.src[0] = &a;
    dst.src[1] = &b;
    run_op(gatun_softmax_back, &dst, (intptr_t)&scale);
    for (int64_t i = 0; i < n; i++) {
        mean += (double)dy[i] * y[i];
    }
    for (int64_t i = 0; i < n; i++) {
        near(((float *)dst.data)[i], 0.3 * y[i] * (dy[i] - mean), 1e-5, "softmax", n, i);
    }
    free(dy);
    free(y);
    free(dst.data);
}

/* in_place: the gradient is written over the logits. */
static void cross_entropy(int64_t n, int in_place) {
    enum { ROWS = 7 };
    float *x = random_floats(n * ROWS, 12), *copy = random_floats(n * ROWS, 1);
    int32_t labels[ROWS];
    float weights[ROWS], dy[ROWS], losses[ROWS];
    for (int r = 0; r < ROWS; r++) {
        labels[r] = (int32_t)(next_random() % n);
        weights[r] = r % 3 == 1 ? 0 : 0.5f + (float)r;
        dy[r] = 1 - 0.3f * (float)r;
    }
    if (n > 3) {
        x[0] = x[n + 1] = -INFINITY;
        labels[0] = 1;
    }
    x[n + labels[1]] = NAN; /* of weight 0 */
    memcpy(copy, x, (size_t)(n * ROWS) * sizeof *x);
    struct ggml_tensor logits = matrix(TYPE_F32, n, ROWS, x), label = matrix(TYPE_I32, ROWS, 1, labels);
    struct ggml_tensor weight = matrix(TYPE_F32, ROWS, 1, weights), g = matrix(TYPE_F32, ROWS, 1, dy);
    struct ggml_tensor dst = matrix(TYPE_F32, ROWS, 1, losses);
    struct ggml_tensor back = matrix(TYPE_F32, n, ROWS, in_place ? x : filled(n * ROWS * 4));
    dst.src[0] = back.src[0] = &logits;
    dst.src[1] = back.src[1] = &label;
    dst.src[2] = back.src[2] = &weight;
    back.src[3] = &g;
    run_op(gatun_cross_entropy, &dst, 0);
    run_op(gatun_cross_entropy_back, &back, 0);
    for (int r = 0; r < ROWS; r++) {
        const float *row = copy + r * n;
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            sum += exp(row[i]);
        }
        const double expected = weights[r] == 0 ? 0 : weights[r] * (log(sum) - row[labels[r]]);
        near(losses[r], expected, 1e-6, "loss", n, r);
        for (int64_t i = 0; i < n; i++) {
            const double p = weights[r] == 0 ? 0 : exp(row[i]) / sum - (i == labels[r]);
            near(((float *)back.data)[r * n + i], weights[r] * dy[r] * p, 4e-6, "logit", n, i);
        }
    }
    free(x);
    free(copy);
    if (!in_place) {
        free(back.data);
    }
}

int main(void) {
    need_isa();
    const int64_t widths[] = {1, 2, 7, 16, 31, 64, 100, 1025, 3000};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        const int64_t n = widths[w];
        norms(n, 0);
        norms(n, 1);
        softmax(n);
        cross_entropy(n, 0);
        cross_entropy(n, 1);
        for (int32_t f = GATUN_TANH; f <= GATUN_SOFTPLUS; f++) {
            activations(f, n);
        }
        for (int32_t f = GATUN_SWIGLU; f <= GATUN_SWIGLU_OAI; f++) {
            gated(f, n, 0);
            gated(f, n, 1);
        }
    }
    printf("rowwise_back: all as near to doubles as they should be\n");
    return 0;
}
