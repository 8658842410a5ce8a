/* Dropout: the wanted share of zeros, another choice for each key and place, the same for a view. */
#include "check.h"

#include "kernels.h"

enum { N = 37, ROWS = 400 };

static struct ggml_tensor floats(int64_t width, int64_t rows, int64_t stride, float *data) {
    struct ggml_tensor t = matrix(TYPE_F32, width, rows, data);
    t.nb[1] = (size_t)stride * sizeof(float);
    t.nb[2] = t.nb[3] = t.nb[1] * (size_t)rows;
    return t;
}

static void dropped(struct ggml_tensor *x, int32_t a, int32_t b, int32_t place, float rate, float *out) {
    int32_t key[2] = {a, b};
    struct ggml_tensor keys = matrix(TYPE_I32, 2, 1, key), dst = floats(N, ROWS, N, out);
    struct gatun_dropout dropout = {.rate = rate, .place = place};
    dst.src[0] = x;
    dst.src[1] = &keys;
    run_op(gatun_dropout, &dst, (intptr_t)&dropout);
}

static double shared(const float *one, const float *other) {
    int same = 0;
    for (int i = 0; i < N * ROWS; i++) {
        same += (one[i] == 0) == (other[i] == 0);
    }
    return (double)same / (N * ROWS);
}

int main(void) {
    float *wide = random_floats(50 * ROWS, 1);
    for (int i = 0; i < 50 * ROWS; i++) {
        wide[i] += wide[i] < 0 ? -0.1f : 0.1f;
    }
    struct ggml_tensor view = floats(N, ROWS, 50, wide);
    float *out = filled(N * ROWS * 4), *other = filled(N * ROWS * 4);
    const float rates[] = {0.05f, 0.25f, 0.5f, 0.9f};
    for (int r = 0; r < 4; r++) {
        const float rate = rates[r];
        dropped(&view, 7, 9, 3, rate, out);
        int zeros = 0;
        for (int i = 0; i < N * ROWS; i++) {
            const float expected = wide[i / N * 50 + i % N] * (1.0f / (1.0f - rate));
            zeros += out[i] == 0;
            check(out[i] == 0 || out[i] == expected, "dropout at %d", i);
        }
        const double share = (double)zeros / (N * ROWS);
        check(fabs(share - rate) < 0.02, "share %f", share);
        const double chance = rate * rate + (1 - rate) * (1 - rate);
        dropped(&view, 8, 9, 3, rate, other);
        check(fabs(shared(out, other) - chance) < 0.02, "another first key");
        dropped(&view, 7, 10, 3, rate, other);
        check(fabs(shared(out, other) - chance) < 0.02, "another second key");
        dropped(&view, 7, 9, -4, rate, other);
        check(fabs(shared(out, other) - chance) < 0.02, "another place");
        dropped(&view, 7, 9, 3, rate, other);
        check(shared(out, other) == 1, "the same again");
    }
    free(wide);
    free(out);
    free(other);
    printf("dropout: shares and choices as they should be\n");
    return 0;
}
