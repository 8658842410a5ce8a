/* 8-bit moments keep what they should, and steps are the same for any split among threads. */
#include "check.h"

#include "kernels.h"

static void steps(int32_t rule, int64_t n, int nth, const float *w0, const float *g, float *w) {
    float settings[GATUN_SETTINGS] = {0};
    settings[GATUN_LEARNING_RATE] = 0.01f;
    settings[GATUN_BETA1] = 0.9f;
    settings[GATUN_BETA2] = 0.99f;
    settings[GATUN_EPSILON] = 1e-8f;
    settings[GATUN_WEIGHT_DECAY] = 0.1f;
    settings[GATUN_GRAD_SCALE] = 0.5f;
    settings[GATUN_NORM_MAX] = 1;
    const int64_t bytes = rule == GATUN_ADAMW_8BIT ? gatun_moment_bytes(n) : n * 4;
    void *m = calloc(1, (size_t)bytes), *v = calloc(1, (size_t)bytes);
    float squares = 0;
    for (int64_t i = 0; i < n; i++) {
        squares += g[i] * g[i];
    }
    memcpy(w, w0, (size_t)n * 4);
    struct ggml_tensor dst = matrix(TYPE_F32, n, 1, w), tg = matrix(TYPE_F32, n, 1, (void *)g);
    struct ggml_tensor ts = matrix(TYPE_F32, GATUN_SETTINGS, 1, settings);
    struct ggml_tensor tq = matrix(TYPE_F32, 1, 1, &squares), tm = matrix(24, bytes, 1, m);
    struct ggml_tensor tv = matrix(24, bytes, 1, v);
    dst.src[0] = &dst;
    dst.src[1] = &tg;
    dst.src[2] = &ts;
    dst.src[3] = &tq;
    dst.src[4] = &tm;
    dst.src[5] = rule >= GATUN_ADAMW ? &tv : NULL;
    for (int step = 1; step <= 5; step++) {
        settings[GATUN_CORRECTION1] = (float)(1 / (1 - pow(0.9, step)));
        settings[GATUN_CORRECTION2] = (float)(1 / (1 - pow(0.99, step)));
        for (int ith = nth - 1; ith >= 0; ith--) {
            gatun_update(&dst, ith, nth, (void *)(intptr_t)rule);
        }
    }
    free(m);
    free(v);
}

int main(void) {
    need_isa();
    const int64_t sizes[] = {1, 255, 256, 257, 3001};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const int64_t n = sizes[s];
        float *w0 = random_floats(n, 1), *g = random_floats(n, 1);
        float *one = filled(n * 4), *three = filled(n * 4), *exact = filled(n * 4);
        for (int32_t rule = GATUN_SGD; rule <= GATUN_ADAMW_8BIT; rule++) {
            steps(rule, n, 1, w0, g, one);
            steps(rule, n, 3, w0, g, three);
            check(memcmp(one, three, (size_t)n * 4) == 0, "rule %d depends on threads", rule);
        }
        /* A gradient that does not change moves each parameter by the rate, whatever its size. */
        steps(GATUN_ADAMW, n, 1, w0, g, exact);
        double off = 0;
        for (int64_t i = 0; i < n; i++) {
            off += (one[i] - exact[i]) * (one[i] - exact[i]) / (double)n;
        }
        check(sqrt(off) < 0.05 * 0.06, "8 bits are off by %g on average of %d", sqrt(off), (int)n);
        free(w0);
        free(g);
        free(one);
        free(three);
        free(exact);
    }
    printf("update: the same for all threads, and 8 bits near to 32\n");
    return 0;
}
