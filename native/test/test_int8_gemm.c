/*
 * Integer products of every type against a scalar product in double, over odd shapes and extreme
 * values, through the same entry points that a graph uses.
 */
#include "random_weights.h"

/* Weights of a panel as doubles, by its definition. */
static double panel_weight(const struct weight_type *t, const void *panel, int row, int k) {
    if (t->block_values == 256) {
        const panel256 *p = (const panel256 *)panel + k / 256;
        const int s = k % 256 / t->sub;
        const uint8_t byte = p->q[k % 256 / 4][row][k % 4];
        const int q = t->is_signed ? (int8_t)byte : byte;
        return (double)p->d[row] * p->scale[s][row][0] * q -
               (double)p->dm[row] * p->min[s / 2][row][s % 2];
    }
    const panel32 *p = (const panel32 *)panel + k / 32;
    const uint8_t byte = p->q[k % 32 / 4][row][k % 4];
    return (double)p->d[row] * (t->is_signed ? (int8_t)byte : byte) + p->m[row];
}

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
    void *packed = filled(gatun_quantized_bytes(t->block_values, k, n));
    struct ggml_tensor tq = {.data = packed, .src = {&tx}};
    run_op(gatun_quantize, &tq, gatun_activation_block(type));
    float *c = filled(m * n * (int64_t)sizeof *c);
    struct ggml_tensor tc = matrix(TYPE_F32, m, n, c);
    tc.src[0] = &tq;
    tc.src[1] = &tw;
    run_op(gatun_mul_mat, &tc, 3);

    char *panel = filled(k / t->block_values * (int64_t)sizeof(panel256));
    for (int64_t i = 0; i < m; i++) {
        gatun_kernels_generic.unpack(type, w + i * row, row, 1,
                                     (int)(k / t->block_values), panel, &(ahead){0});
        for (int64_t j = 0; j < n; j++) {
            double exact = 0, size = 0;
            for (int64_t l = 0; l < k; l++) {
                const double product = panel_weight(t, panel, 0, (int)l) * x[j * k + l];
                exact += product;
                size += product * product;
            }
            /* Rounding of activations to 1/127 of the largest in their block. */
            double largest = 0;
            double weights = 0;
            for (int64_t l = 0; l < k; l++) {
                largest = fmax(largest, fabs(x[j * k + l]));
                const double v = panel_weight(t, panel, 0, (int)l);
                weights += v * v;
            }
            const double bound = 4 * sqrt(weights) * largest / 127 + 1e-4 * sqrt(size) + 1e-20;
            check(fabs(c[j * m + i] - exact) <= bound, "type %d, [%d, %d] × %d: row %d column %d is %g, exactly %g",
                  type, (int)k, (int)m, (int)n, (int)i, (int)j, (double)c[j * m + i], exact);
        }
    }
    free(w), free(x), free(packed), free(c), free(panel);
}

/* One thread takes neighbouring panels, several one each: the same bits. */
static void runs_of_panels(int32_t type) {
    enum { M = 16 * 19 + 3, N = 5 };
    const struct weight_type *t = gatun_weight_type(type);
    const int64_t k = t->block_values;
    uint8_t *w = random_blocks(type, M * k / t->block_values, 1);
    float *x = random_floats(k * N, 1);
    struct ggml_tensor tw = matrix(type, k, M, w), tx = matrix(TYPE_F32, k, N, x);
    tw.nb[1] = (size_t)row_bytes(type, k);
    struct ggml_tensor tq = {.data = filled(gatun_quantized_bytes(t->block_values, k, N)), .src = {&tx}};
    float *c[2];
    for (int many = 0; many < 2; many++) {
        run_op(gatun_quantize, &tq, gatun_activation_block(type));
        c[many] = filled(M * N * (int64_t)sizeof **c);
        struct ggml_tensor tc = matrix(TYPE_F32, M, N, c[many]);
        tc.src[0] = &tq;
        tc.src[1] = &tw;
        const int threads = many ? 40 : 1;
        for (int ith = 0; ith < threads; ith++) {
            gatun_mul_mat(&tc, ith, threads, NULL);
        }
    }
    check(memcmp(c[0], c[1], M * N * sizeof **c) == 0, "type %d: runs of panels give other bits", type);
    free(w), free(x), free(tq.data), free(c[0]), free(c[1]);
}

/* The sets differ in nothing but the order of float sums. */
static void same_as_generic(int32_t type) {
    const struct weight_type *t = gatun_weight_type(type);
    const struct gatun_kernels *mine = gatun_kernels(), *reference = &gatun_kernels_generic;
    enum { K = 1024, COLUMNS = 2 * GROUP_COLUMNS + 1 };
    const int blocks = K / t->block_values;
    uint8_t *w = random_bytes((int64_t)PANEL_ROWS * blocks * t->block_bytes);
    for (int b = 0; b < PANEL_ROWS * blocks; b++) {
        set_scales(type, w + b * t->block_bytes, 0.01f);
    }
    float *x = random_floats(K * COLUMNS, 1);
    const int64_t group_bytes = gatun_group_bytes(K, t->block_values);
    static const int some_rows[] = {1, 7, 8, 9, PANEL_ROWS};
    for (unsigned r = 0; r < sizeof some_rows / sizeof *some_rows; r++) {
        const int rows = some_rows[r];
        for (int columns = 1; columns <= COLUMNS; columns++) {
            float c[2][COLUMNS][PANEL_ROWS];
            for (int i = 0; i < 2; i++) {
                const struct gatun_kernels *k = i ? reference : mine;
                char *act = filled((COLUMNS + GROUP_COLUMNS - 1) / GROUP_COLUMNS * group_bytes);
                void *panel = filled(blocks * (int64_t)sizeof(panel256));
                ahead next = {(const char *)w, t->block_bytes};
                for (int j = 0; j < columns; j += GROUP_COLUMNS) {
                    (t->block_values == 256 ? k->pack256 : k->pack32)(
                        x + j * K, K, columns - j < GROUP_COLUMNS ? columns - j : GROUP_COLUMNS, 0,
                        blocks, act + j / GROUP_COLUMNS * group_bytes);
                }
                k->unpack(type, w, blocks * t->block_bytes, rows, blocks, panel, &next);
                for (int j = 0; j < COLUMNS * PANEL_ROWS; j++) {
                    c[i][j / PANEL_ROWS][j % PANEL_ROWS] = 7;
                }
                (t->block_values == 256 ? k->tile256 : k->tile32)(
                    t, panel, act, group_bytes, blocks, rows, columns, c[i][0], PANEL_ROWS, true,
                    &next);
                free(act), free(panel);
            }
            for (int j = 0; j < COLUMNS * PANEL_ROWS; j++) {
                const float a = c[0][j / PANEL_ROWS][j % PANEL_ROWS];
                const float b = c[1][j / PANEL_ROWS][j % PANEL_ROWS];
                check(fabsf(a - b) <= 2e-5f * (1 + fabsf(b)),
                      "type %d, %d rows, %d columns: %s gives %g, generic %g", type, rows, columns,
                      mine->name, (double)a, (double)b);
            }
        }
    }
    free(w), free(x);
}

int main(void) {
    need_isa();
    for (unsigned i = FLOAT_TYPES; i < sizeof types / sizeof *types; i++) {
        const int64_t block = gatun_weight_type(types[i])->block_values;
        const int64_t shapes[][3] = {{block, 1, 1},      {block, 16, 4},        {3 * block, 17, 5},
                                     {5 * block, 33, 9}, {1024 + block, 20, 3}, {2048, 7, 2}};
        for (unsigned s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            compare(types[i], shapes[s][0], shapes[s][1], shapes[s][2], 1);
        }
        compare(types[i], block, 5, 4, 1e-3f);
        compare(types[i], block, 5, 4, 0);
        same_as_generic(types[i]);
        runs_of_panels(types[i]);
    }
    printf("int8_gemm: %s\n", gatun_isa());
    return 0;
}
