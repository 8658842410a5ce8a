/* Sums over repeats, scattered rows and windows against plain loops. */
#include "check.h"

#include "kernels.h"

static struct ggml_tensor dense(const int64_t ne[4], float *data) {
    struct ggml_tensor t = {.type = TYPE_F32, .ne = {ne[0], ne[1], ne[2], ne[3]}, .data = data};
    t.nb[0] = sizeof(float);
    for (int i = 1; i < 4; i++) {
        t.nb[i] = t.nb[i - 1] * (size_t)ne[i - 1];
    }
    return t;
}

static int64_t count(const int64_t ne[4]) { return ne[0] * ne[1] * ne[2] * ne[3]; }

static float *at(const struct ggml_tensor *t, int64_t i0, int64_t i1, int64_t i2, int64_t i3) {
    return (float *)((char *)t->data + i0 * 4 + i1 * (int64_t)t->nb[1] + i2 * (int64_t)t->nb[2] +
                     i3 * (int64_t)t->nb[3]);
}

static void repeats(const int64_t small[4], const int64_t times[4]) {
    int64_t large[4];
    for (int i = 0; i < 4; i++) {
        large[i] = small[i] * times[i];
    }
    float *x = random_floats(count(large), 1);
    struct ggml_tensor src = dense(large, x), dst = dense(small, filled(count(small) * 4));
    dst.src[0] = &src;
    run_op(gatun_sum_to, &dst, 0);
    double *sums = calloc((size_t)count(small), sizeof *sums);
    for (int64_t i = 0; i < count(large); i++) {
        const int64_t i0 = i % large[0] % small[0], i1 = i / large[0] % large[1] % small[1];
        const int64_t i2 = i / large[0] / large[1] % large[2] % small[2];
        const int64_t i3 = i / large[0] / large[1] / large[2] % small[3];
        sums[((i3 * small[2] + i2) * small[1] + i1) * small[0] + i0] += x[i];
    }
    for (int64_t i = 0; i < count(small); i++) {
        check(fabs(((float *)dst.data)[i] - sums[i]) < 1e-6 * (1 + fabs(sums[i])), "sum_to at %d", (int)i);
    }
    struct ggml_tensor again = dense(large, x);
    again.src[0] = &dst;
    run_op(gatun_repeat, &again, 0);
    for (int64_t i = 0; i < count(large); i++) {
        const int64_t i0 = i % large[0] % small[0], i1 = i / large[0] % large[1] % small[1];
        const int64_t i2 = i / large[0] / large[1] % large[2] % small[2];
        const int64_t i3 = i / large[0] / large[1] / large[2] % small[3];
        check(x[i] == *at(&dst, i0, i1, i2, i3), "repeat at %d", (int)i);
    }
    free(x);
    free(sums);
    free(dst.data);
}

static void rows(int64_t width, int64_t table, int64_t taken) {
    const int64_t ne[4] = {width, taken, 2, 1}, out[4] = {width, table, 2, 1};
    float *x = random_floats(count(ne), 1);
    int32_t *ids = filled(taken * 2 * 4);
    for (int64_t i = 0; i < 2 * taken; i++) {
        ids[i] = (int32_t)(next_random() % table);
    }
    struct ggml_tensor src = dense(ne, x), id = matrix(TYPE_I32, taken, 2, ids);
    struct ggml_tensor dst = dense(out, filled(count(out) * 4));
    dst.src[0] = &src;
    dst.src[1] = &id;
    run_op(gatun_scatter_rows, &dst, 0);
    for (int64_t m = 0; m < 2; m++) {
        for (int64_t i = 0; i < taken; i++) {
            for (int64_t c = 0; c < width; c++) {
                *at(&dst, c, ids[m * taken + i], m, 0) -= *at(&src, c, i, m, 0);
            }
        }
    }
    for (int64_t i = 0; i < count(out); i++) {
        check(fabsf(((float *)dst.data)[i]) < 1e-5f, "scatter_rows at %d", (int)i);
    }
    free(x);
    free(ids);
    free(dst.data);
}

static void windows(void) {
    const int64_t ne[4] = {5, 3, 2, 1}, out[4] = {11, 7, 1, 1};
    float *x = random_floats(count(ne), 1);
    struct ggml_tensor src = dense(ne, x), dst = dense(out, filled(count(out) * 4));
    struct gatun_window window = {.stride = {44, 8, 0}, .offset = 12}; /* matrices overlap */
    dst.src[0] = &src;
    run_op(gatun_scatter_view, &dst, (intptr_t)&window);
    for (int64_t i = 0; i < count(ne); i++) {
        ((float *)dst.data)[3 + i % 5 + i / 5 % 3 * 11 + i / 15 * 2] -= x[i];
    }
    for (int64_t i = 0; i < count(out); i++) {
        check(fabsf(((float *)dst.data)[i]) < 1e-6f, "scatter_view at %d", (int)i);
    }
    free(x);
    free(dst.data);
}

int main(void) {
    need_isa();
    const int64_t lengths[][8] = {
        {7, 1, 1, 1, 1, 5, 1, 1},   {1, 1, 1, 1, 37, 3, 2, 2},  {130, 1, 1, 1, 1, 9, 2, 1},
        {2, 3, 1, 2, 3, 2, 4, 1},   {1, 3, 2, 1, 9, 1, 1, 2},   {65, 2, 1, 1, 2, 1, 3, 1},
        {1, 1, 1, 1, 1, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        repeats(lengths[i], lengths[i] + 4);
    }
    rows(1, 1, 3);
    rows(37, 5, 9);
    rows(64, 100, 4);
    windows();
    printf("moves_back: all equal to plain loops\n");
    return 0;
}
