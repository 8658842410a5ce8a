/*
 * Products of floats in every form and for every type against sums in double, over odd shapes,
 * strides and batches, through the entry point that a graph uses.
 */
#include "random_weights.h"

/* To BF16 and back: nearest, ties to even. */
static double rounded(double x) {
    const float f = (float)x;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    float r;
    memcpy(&r, &bits, sizeof r);
    return r;
}

/* With GATUN_BFLOATS a result is that of rounded operands, or where these are not worth it the exact one. */
static void compare(int32_t type, int32_t form, int64_t m, int64_t n, int64_t k, int64_t batch,
                    int64_t a_batch, int64_t gap, float scale) {
    const int a_inner = form & GATUN_A_INNER_SUM, b_inner = form & GATUN_B_INNER_SUM;
    const int64_t inner = a_inner ? k : m, outer = a_inner ? m : k;
    const int64_t values = (inner + block_values(type) - 1) / block_values(type) * block_values(type);
    const int64_t a_row = row_bytes(type, values);
    uint8_t *a = filled(a_row * outer * a_batch);
    float *exact_a = filled((values + FLOAT_ROWS) * outer * a_batch * (int64_t)sizeof *exact_a);
    for (int64_t r = 0; r < outer * a_batch; r++) {
        fill(type, a + r * a_row, exact_a + r * values, values, scale);
    }
    struct ggml_tensor ta = matrix(type, inner, outer, a);
    ta.ne[2] = a_batch;
    ta.nb[1] = (size_t)a_row;
    ta.nb[2] = (size_t)(a_row * outer);
    ta.nb[3] = ta.nb[2] * (size_t)a_batch;
    const int64_t b_in = b_inner ? k : n, b_out = b_inner ? n : k;
    float *b = random_floats((b_in + gap) * b_out * batch, scale);
    struct ggml_tensor tb = spaced(b_in, b_out, batch, gap, b);
    float *packed = filled(gatun_packed_row(k) * gatun_packed_rows(n) * batch * (int64_t)sizeof *packed);
    struct ggml_tensor tp = spaced(gatun_packed_row(k), gatun_packed_rows(n), batch, 0, packed);
    tp.src[0] = &tb;
    run_op(gatun_pack_columns, &tp, b_inner);
    const int64_t size = (m + gap) * n * batch;
    float *c = random_floats(size, scale), *before = filled(size * (int64_t)sizeof *c);
    memcpy(before, c, (size_t)size * sizeof *c);
    struct ggml_tensor tc = spaced(m, n, batch, gap, c);
    const int at = form & GATUN_IN_PLACE ? 1 : 0;
    tc.src[0] = &tc;
    tc.src[at] = &ta;
    tc.src[at + 1] = form & GATUN_B_PACKED ? &tp : &tb;
    struct gatun_gemm_node node = {.form = form};
    run_op(gatun_gemm, &tc, (int64_t)(intptr_t)&node);
    check(node.next == 0 && node.left == 0, "the node is not ready for its next run");

    for (int64_t z = 0; z < batch; z++) {
        const int64_t za = z / (batch / a_batch);
        for (int64_t j = 0; j < n; j++) {
            const int64_t row = (z * n + j) * (m + gap);
            for (int64_t i = 0; i < m + gap; i++) {
                if (i >= m) {
                    check(memcmp(&c[row + i], &before[row + i], 4) == 0, "type %d form %d wrote outside", type, form);
                    continue;
                }
                double exact = form & GATUN_ACCUMULATE ? before[row + i] : 0, sum = fabs(exact);
                double coarse = exact;
                for (int64_t l = 0; l < k; l++) {
                    const double x = exact_a[(za * outer + (a_inner ? i : l)) * values + (a_inner ? l : i)];
                    const double y = b[(z * b_out + (b_inner ? j : l)) * (b_in + gap) + (b_inner ? l : j)];
                    exact += x * y;
                    coarse += rounded(x) * rounded(y);
                    sum += fabs(x * y);
                }
                const bool like_coarse = form & GATUN_BFLOATS && fabs(c[row + i] - coarse) <= 1e-6 * sum + 1e-37;
                check(like_coarse || fabs(c[row + i] - exact) <= 1e-6 * sum + 1e-37,
                      "type %d form %d, %d × %d × %d: (%d, %d) is %g, exactly %g", type, form, (int)m,
                      (int)n, (int)k, (int)i, (int)j, (double)c[row + i], exact);
            }
        }
    }

    /* Another number of threads, the same bits. */
    float *again = filled(size * (int64_t)sizeof *c);
    memcpy(again, before, (size_t)size * sizeof *c);
    tc.data = again;
    for (int ith = 0; ith < 17; ith++) {
        gatun_gemm(&tc, ith, 17, &node);
    }
    check(memcmp(again, c, (size_t)size * sizeof *c) == 0, "type %d form %d: 17 threads give other bits", type, form);
    free(a), free(exact_a), free(b), free(c), free(before), free(again), free(packed);
}

/* A shape m, n, k, lengthened so that rows of blocks are whole. */
static void compare_whole(int32_t type, int32_t form, const int64_t *shape, int64_t gap) {
    int64_t m = shape[0], k = shape[2];
    int64_t *inner = form & GATUN_A_INNER_SUM ? &k : &m;
    if (gatun_weight_type(type)) {
        *inner = (*inner + block_values(type) - 1) / block_values(type) * block_values(type);
    }
    compare(type, form, m, shape[1], k, 1, 1, gap, 1);
}

/* A quantised weight by the definition of the integer kernels' panels. */
static double panel_weight(const struct weight_type *t, const void *panel, int k) {
    if (t->block_values == 32) {
        const panel32 *p = (const panel32 *)panel + k / 32;
        const uint8_t byte = p->q[k % 32 / 4][0][k % 4];
        return (double)p->d[0] * (t->is_signed ? (int8_t)byte : byte) + p->m[0];
    }
    const panel256 *p = (const panel256 *)panel + k / 256;
    const int s = k % 256 / t->sub;
    const uint8_t byte = p->q[k % 256 / 4][0][k % 4];
    return (double)p->d[0] * p->scale[s][0][0] * (t->is_signed ? (int8_t)byte : byte) -
           (double)p->dm[0] * p->min[s / 2][0][s % 2];
}

/* Any part of a row is the same as the reference's, but for the sign of a zero. */
static void same_floats(int32_t type) {
    enum { COUNT = 1024 };
    uint8_t row[COUNT * 4];
    float expected[COUNT], got[COUNT + 16];
    fill(type, row, expected, COUNT, 3);
    const struct weight_type *t = gatun_weight_type(type);
    if (t) {
        static panel32 panel[COUNT / 32 * 4];
        gatun_kernels_generic.unpack(type, row, 0, 1, COUNT / t->block_values, panel, &(ahead){0});
        for (int i = 0; i < COUNT; i++) {
            check(expected[i] == (float)panel_weight(t, panel, i), "type %d: value %d", type, i);
        }
    }
    for (int first = 0; first < COUNT; first += FLOAT_ROWS * (1 + (int)(next_random() % 5))) {
        const int count = 1 + (int)(next_random() % (uint32_t)(COUNT - first));
        const int some = gatun_weight_type(type) ? (count + 15) / 16 * 16 : count;
        gatun_kernels()->floats(type, row, first, count, got, FLOAT_ROWS);
        for (int i = 0; i < some; i++) {
            check(got[i] == expected[first + i], "type %d: value %d", type, first + i);
        }
    }
}

int main(void) {
    need_isa();
    static const int64_t shapes[][3] = {{1, 1, 1},   {16, 6, 8},    {17, 7, 9},     {80, 12, 256},
                                        {81, 13, 257}, {5, 3, 300}, {33, 100, 15},  {256, 20, 130},
                                        {300, 49, 96}, {4, 2, 31},  {130, 5, 1024}, {3, 14, 0}};
    for (unsigned t = 0; t < sizeof types / sizeof *types; t++) {
        const int32_t type = types[t];
        check(gatun_gemm_supports(type), "type %d", type);
        same_floats(type);
        for (unsigned s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            /* F32 in every combination; the other types take turns. */
            const unsigned step = (type ? 3 : 1) * CASE_STEP;
            for (int32_t form = (int32_t)(s % step); form < 32; form += (int32_t)step) {
                compare_whole(type, form, shapes[s], s % 3);
            }
        }
        for (unsigned s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            const unsigned step = (type ? 5 : 1) * CASE_STEP;
            for (int32_t form = (int32_t)(s % step); form < 16; form += (int32_t)step) {
                compare_whole(type, form | GATUN_BFLOATS, shapes[s], s % 3);
            }
        }
        const int64_t k = 2 * block_values(type);
        compare(type, GATUN_MUL_MAT, 20, 9, k, 6, 2, 1, 1);
        compare(type, GATUN_MUL_MAT, 20, 19, k, 6, 3, 0, 1);
        compare(type, GATUN_MUL_MAT | GATUN_B_PACKED, 20, 19, k, 6, 3, 0, 1);
        compare(type, GATUN_GRAD_INPUT, block_values(type), 9, 23, 4, 2, 0, 1);
    }
    for (int32_t form = 0; form < 4; form++) {
        compare(TYPE_F32, form, 20, 15, 40, 1, 1, 0, 1e18f);
        compare(TYPE_F32, form, 20, 15, 40, 1, 1, 0, 1e-15f);
        compare(TYPE_F16, form, 20, 15, 40, 1, 1, 0, 65000);
        compare(TYPE_F16, form, 20, 2, 40, 1, 1, 0, 1e-7f);
        compare(TYPE_BF16, form, 20, 2, 40, 1, 1, 0, 1e18f);
    }
    printf("float_gemm: %s%s\n", gatun_isa(), gatun_fast_bfloats() ? ", BF16" : "");
    return 0;
}
