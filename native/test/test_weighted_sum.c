/* Weighted sums of experts' results against sums in double, over odd shapes and strides. */
#include "random_weights.h"

static void compare(int64_t length, int64_t used, int64_t tokens, int64_t gap) {
    const int64_t row = length + gap;
    float *x = random_floats(row * used * tokens, 1), *weights = random_floats(used * tokens, 1);
    struct ggml_tensor tx = matrix(TYPE_F32, length, used, x);
    tx.ne[2] = tokens;
    tx.nb[1] = (size_t)row * sizeof *x;
    tx.nb[2] = (size_t)used * tx.nb[1];
    struct ggml_tensor tw = matrix(TYPE_F32, 1, used, weights);
    tw.ne[2] = tokens;
    tw.nb[2] = (size_t)used * sizeof *weights;
    float *sums = filled(length * tokens * (int64_t)sizeof *sums);
    struct ggml_tensor dst = matrix(TYPE_F32, length, tokens, sums);
    dst.src[0] = &tx;
    dst.src[1] = &tw;
    run_op(gatun_weighted_sum, &dst, 0);
    for (int64_t t = 0; t < tokens; t++) {
        for (int64_t i = 0; i < length; i++) {
            double exact = 0, size = 0;
            for (int64_t u = 0; u < used; u++) {
                const double term = (double)x[(t * used + u) * row + i] * weights[t * used + u];
                exact += term;
                size += fabs(term);
            }
            check(fabs(sums[t * length + i] - exact) <= 1e-6 * size, "[%d, %d, %d]: %d of token %d is %g, exactly %g",
                  (int)length, (int)used, (int)tokens, (int)i, (int)t, (double)sums[t * length + i], exact);
        }
    }
    free(x), free(weights), free(sums);
}

int main(void) {
    need_isa();
    compare(1, 1, 1, 0);
    compare(255, 2, 3, 1);
    compare(256, 8, 1, 0);
    compare(1030, 5, 2, 7);
    compare(64, 10, 33, 0);
    printf("weighted_sum: %s\n", gatun_isa());
    return 0;
}
