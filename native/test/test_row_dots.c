/*
 * Dot products of quantised rows against a product in double and against the scalar reference, for
 * every type, through the entry points that a graph uses.
 */
#include "random_weights.h"

enum { COLUMNS_MAX = 2 * DOT_COLUMNS_MAX + 1 };

static void compare(int32_t type, int64_t k, int64_t m, int64_t n, float scale) {
    const struct weight_type *t = gatun_weight_type(type);
    const int64_t row = row_bytes(type, k);
    uint8_t *w = random_blocks(type, m * k / t->block_values, scale);
    float *x = random_floats(k * n, scale);
    if (k * n > 300) {
        x[next_random() % (uint32_t)(k * n)] = scale * 1000; /* an outlier */
    }
    struct ggml_tensor tw = matrix(type, k, m, w);
    tw.nb[1] = (size_t)row;
    struct ggml_tensor tx = matrix(TYPE_F32, k, n, x);
    const int64_t bytes = gatun_quantized_rows_bytes(t->block_values, k, n);
    struct ggml_tensor tq = {.ne = {bytes, 1, 1, 1}, .nb = {1}, .data = filled(bytes), .src = {&tx}};
    run_op(gatun_quantize_rows, &tq, t->block_values);
    float *c = filled(m * n * (int64_t)sizeof *c);
    struct ggml_tensor tc = matrix(TYPE_F32, m, n, c);
    tc.src[0] = &tq;
    tc.src[1] = &tw;
    struct gatun_dot_product product = {.number = 3, .rows = n};
    run_op(gatun_dot_rows, &tc, (int64_t)(intptr_t)&product);

    float *weights = filled(k * (int64_t)sizeof *weights);
    const int64_t column = gatun_row_act_bytes(k, t->block_values);
    const char *packed = (const char *)tq.data + (bytes - n * column);
    for (int64_t i = 0; i < m; i++) {
        for (int64_t l = 0; l < k; l += FLOAT_ROWS) {
            gatun_kernels_generic.floats(type, w + i * row, l, FLOAT_ROWS, weights + l, FLOAT_ROWS);
        }
        for (int64_t j = 0; j < n; j++) {
            double exact = 0, size = 0, largest = 0, length = 0;
            for (int64_t l = 0; l < k; l++) {
                const double product_l = (double)weights[l] * x[j * k + l];
                exact += product_l;
                size += product_l * product_l;
                length += (double)weights[l] * weights[l];
                largest = fmax(largest, fabs(x[j * k + l]));
            }
            /* Rounding of activations to 1/127 of the largest in their block. */
            const double bound = 4 * sqrt(length) * largest / 127 + 1e-4 * sqrt(size) + 1e-20;
            check(fabs(c[j * m + i] - exact) <= bound,
                  "type %d, [%d, %d] × %d: row %d column %d is %g, exactly %g", type, (int)k, (int)m,
                  (int)n, (int)i, (int)j, (double)c[j * m + i], exact);
            float reference;
            gatun_kernels_generic.row_dots(type, w + i * row, row, 1, k, packed + j * column, column,
                                           1, &reference, 1);
            check(fabs((double)c[j * m + i] - reference) <= 1e-5 * sqrt(size) * 20 + 1e-20,
                  "type %d, %d values: %g where the reference gives %g", type, (int)k,
                  (double)c[j * m + i], (double)reference);
        }
    }
    free(w), free(x), free(tq.data), free(c), free(weights);
}

int main(void) {
    need_isa();
    for (unsigned i = FLOAT_TYPES; i < sizeof types / sizeof *types; i++) {
        const int64_t block = gatun_weight_type(types[i])->block_values;
        for (int n = 1; n <= COLUMNS_MAX; n++) {
            /* Blocks of 32 lie in eights: every rest of eight, before and after whole ones. */
            for (int64_t blocks = 1; blocks <= (block == 32 ? 19 : 4); blocks += CASE_STEP) {
                compare(types[i], blocks * block, 1 + next_random() % 40, n, 1);
            }
        }
        compare(types[i], 2048, 33, 3, 1e-3f);
        compare(types[i], block, 5, 2, 0);
    }
    printf("row_dots: %s\n", gatun_isa());
    return 0;
}
