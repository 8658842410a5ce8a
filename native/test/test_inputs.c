/*
 * Inputs that are computed while they are quantised: what they hold against values in double, the sum
 * bit for bit, and the same bytes from any number of threads.
 */
#include "check.h"
#include "kernels.h"
#include "products.h"

enum { ROWS_MAX = 6, GAP = 3 };

enum form { NORMED, SUM_NORMED, GATED, GATED_TOGETHER };

static custom_op *const ops[] = {gatun_quantize_normed, gatun_quantize_sum_normed,
                                 gatun_quantize_gated, gatun_quantize_gated};

static double activation(int glu, double x) {
    switch (glu) {
    case GATUN_SWIGLU: return x / (1 + exp(-x));
    case GATUN_GEGLU: /* (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u)) */
        return x / (1 + exp(-2 * sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case GATUN_REGLU: return x > 0 ? x : 0;
    default: return fmin(x, 7) / (1 + exp(-1.702 * fmin(x, 7)));
    }
}

static double exact_gated(int glu, float gate, float up) {
    return activation(glu, gate) * (glu == GATUN_SWIGLU_OAI ? fmin(fmax(up, -7), 7) + 1 : up);
}

/* Rows [k, n / u, u] with gaps between them. */
static struct ggml_tensor rows_with_gaps(int64_t k, int64_t n, int64_t u, float *data) {
    struct ggml_tensor t = matrix(TYPE_F32, k, n / u, data);
    t.nb[1] = (size_t)(k + GAP) * sizeof(float);
    t.ne[2] = u;
    t.nb[2] = t.nb[1] * (size_t)t.ne[1];
    return t;
}

/* What a quantised row holds. */
static float value_at(const char *row, int block, int64_t i) {
    if (block == 256) {
        const row_act256 *a = (const row_act256 *)row + i / 256;
        return a->d * (float)a->q[i % 256];
    }
    const row_act32 *a = (const row_act32 *)row + i / 256;
    return a->d[i / 32 % 8] * (float)a->q[i / 32 % 8][i % 32];
}

/* exact ≈ got but for half a step of the quantisation. */
static void check_row(const double *exact, const char *got, int block, int64_t k, const char *what) {
    for (int64_t b = 0; b < k; b += block) {
        double largest = 0;
        for (int i = 0; i < block; i++) {
            largest = fmax(largest, fabs(exact[b + i]));
        }
        for (int i = 0; i < block; i++) {
            const float value = value_at(got, block, b + i);
            check(fabs(value - exact[b + i]) <= largest * (0.501 / 127 + 1e-5) + 1e-30,
                  "%s, blocks of %d: value %d of %d is %g, exactly %g", what, block, (int)(b + i),
                  (int)k, (double)value, exact[b + i]);
        }
    }
}

static void compare(enum form form, int block, int glu, int64_t k, int64_t n, int64_t u, float scale) {
    const bool both = form == GATED_TOGETHER, summed = form == SUM_NORMED;
    const int64_t width = both ? 2 * k : k;
    float *a = random_floats((width + GAP) * n, scale), *b = random_floats((k + GAP) * n, scale);
    float *gain = random_floats(k, 2);
    struct ggml_tensor ta = rows_with_gaps(width, n, u, a), tb = rows_with_gaps(k, n, u, b);
    struct ggml_tensor tg = matrix(TYPE_F32, k, 1, gain);
    const int64_t sum_bytes = summed ? n * k * (int64_t)sizeof(float) : 0;
    const int64_t bytes = sum_bytes + gatun_quantized_rows_bytes(block, k, n);
    struct ggml_tensor dst = {.ne = {bytes, 1, 1, 1}, .nb = {1}, .data = filled(bytes), .src = {&ta}};
    dst.src[1] = form == NORMED ? &tg : both ? NULL : &tb;
    dst.src[2] = summed ? &tg : NULL;
    const struct gatun_input how = {.block = block, .glu = glu, .epsilon = 1e-6f};
    run_op(ops[form], &dst, (int64_t)(intptr_t)&how);

    struct ggml_tensor alone = dst;
    alone.data = filled(bytes);
    ops[form](&alone, 0, 1, (void *)(uintptr_t)&how);
    check(memcmp(dst.data, alone.data, (size_t)bytes) == 0, "one thread computes otherwise");

    double *exact = filled(k * (int64_t)sizeof *exact);
    for (int64_t row = 0; row < n; row++) {
        const float *x = a + row * (width + GAP), *y = both ? x + k : b + row * (k + GAP);
        const float *sum = (const float *)dst.data + row * k;
        double squares = 0;
        for (int64_t i = 0; i < k; i++) {
            const double v = (double)x[i] + (summed ? y[i] : 0);
            squares += v * v;
            exact[i] = form <= SUM_NORMED ? v * gain[i] : exact_gated(glu, x[i], y[i]);
            if (summed) {
                check(sum[i] == x[i] + y[i], "a sum is %g", (double)sum[i]);
            }
        }
        for (int64_t i = 0; form <= SUM_NORMED && i < k; i++) {
            exact[i] /= sqrt(squares / (double)k + 1e-6);
        }
        const char *quantised = (const char *)dst.data + sum_bytes + sizeof(packed_header);
        check_row(exact, quantised + row * gatun_row_act_bytes(k, block), block, k,
                  form == NORMED ? "normed" : summed ? "sum, normed" : "gated");
    }
    free(a), free(b), free(gain), free(dst.data), free(alone.data), free(exact);
}

/* Before they are quantised: no further from exact than a few units of the last place. */
static void check_values(void) {
    enum { K = 4096 };
    float *a = random_floats(K, 30), *b = random_floats(K, 5), *out = filled(K * sizeof(float));
    for (int glu = GATUN_SWIGLU; glu <= GATUN_SWIGLU_OAI; glu++) {
        gatun_kernels()->gated(glu, a, b, K, out);
        for (int i = 0; i < K; i++) {
            const double exact = exact_gated(glu, a[i], b[i]);
            check(fabs(out[i] - exact) <= 1e-5 * fabs(exact) + 1e-30,
                  "activation %d of %g, %g is %g, exactly %g", glu, (double)a[i], (double)b[i],
                  (double)out[i], exact);
        }
    }
    double squares = 0;
    for (int i = 0; i < K; i++) {
        squares += (double)a[i] * a[i];
    }
    check(fabs(gatun_kernels()->square_sum(a, NULL, K) - squares) <= 1e-6 * squares, "mean square");
    free(a), free(b), free(out);
}

int main(void) {
    need_isa();
    check_values();
    for (int block = 32; block <= 256; block += 224) {
        for (int64_t n = 1; n <= ROWS_MAX; n++) {
            for (int64_t blocks = 1; blocks <= (block == 32 ? 19 : 5); blocks += CASE_STEP) {
                const int64_t k = blocks * block, u = n % 2 == 0 ? 2 : 1;
                compare(NORMED, block, 0, k, n, u, 1);
                compare(SUM_NORMED, block, 0, k, n, u, 1);
                for (int glu = GATUN_SWIGLU; glu <= GATUN_SWIGLU_OAI; glu++) {
                    compare(GATED, block, glu, k, n, u, 4);
                    compare(GATED_TOGETHER, block, glu, k, n, u, 4);
                }
            }
        }
        compare(NORMED, block, 0, 8192, 2, 1, 1e4f);
        compare(SUM_NORMED, block, 0, 8192, 2, 1, 1e-3f);
        compare(SUM_NORMED, block, 0, 256, 2, 1, 0);
        compare(GATED, block, GATUN_SWIGLU, 256, 2, 1, 200);
    }
    printf("inputs: %s\n", gatun_isa());
    return 0;
}
