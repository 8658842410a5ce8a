/* gatun_top_k, gatun_argmax and gatun_log_sum_exp against a full sort, over awkward sizes. */
#include "gatun.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state = 42;

static uint32_t next(void) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(state >> 33);
}

static const float *sorting;

static int by_score_then_index(const void *a, const void *b) {
    const int32_t i = *(const int32_t *)a;
    const int32_t j = *(const int32_t *)b;
    if (sorting[i] != sorting[j]) {
        return sorting[i] > sorting[j] ? -1 : 1;
    }
    return i < j ? -1 : i > j;
}

static void check(int ok, const char *what, int32_t n, int32_t k) {
    if (!ok) {
        fprintf(stderr, "%s differs from the reference at n=%d k=%d\n", what, n, k);
        exit(1);
    }
}

static void compare(const float *scores, int32_t n, int32_t k) {
    int32_t *order = malloc((size_t)(n + 1) * sizeof *order);
    int32_t *indices = malloc((size_t)(k + 1) * sizeof *indices);
    float *values = malloc((size_t)(k + 1) * sizeof *values);
    uint64_t *scratch = malloc((size_t)(k + 1) * sizeof *scratch);
    int32_t real = 0;
    for (int32_t i = 0; i < n; i++) {
        if (!isnan(scores[i])) {
            order[real++] = i;
        }
    }
    sorting = scores;
    qsort(order, (size_t)real, sizeof *order, by_score_then_index);
    const int32_t got = gatun_top_k(scores, n, k, indices, values, scratch);
    check(got == (k < real ? k : real), "count", n, k);
    for (int32_t i = 0; i < got; i++) {
        check(indices[i] == order[i] && values[i] == scores[order[i]], "top_k", n, k);
    }
    check(gatun_argmax(scores, n) == (real ? order[0] : -1), "argmax", n, k);
    free(order);
    free(indices);
    free(values);
    free(scratch);
}

static void compare_log_sum_exp(const float *scores, int32_t n) {
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += exp(scores[i]);
    }
    const double got = gatun_log_sum_exp(scores, n);
    check(n == 0 ? got == -INFINITY : fabs(got - log(sum)) < 1e-9, "log_sum_exp", n, 0);
}

int main(void) {
    const int32_t sizes[] = {0, 1, 2, 31, 32, 33, 63, 64, 65, 1000, 4097};
    const int32_t ks[] = {1, 2, 5, 40, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int kind = 0; kind < 4; kind++) {
            /* One float off the allocation: rows of a matrix need not be aligned to a vector. */
            float *memory = malloc((size_t)(sizes[s] + 1) * sizeof *memory);
            float *scores = memory + 1;
            for (int32_t i = 0; i < sizes[s]; i++) {
                const float random = (float)next() / 1e8f - 10;
                scores[i] = kind == 0   ? random
                            : kind == 1 ? (float)(next() % 5) - 2 /* ties, and both zeros */
                            : kind == 2 ? (next() % 3 ? -INFINITY : random)
                                        : (next() % 7 ? random : NAN);
                if (kind == 1 && scores[i] == 0 && next() % 2) {
                    scores[i] = -0.0f;
                }
            }
            for (size_t k = 0; k < sizeof ks / sizeof *ks; k++) {
                compare(scores, sizes[s], ks[k]);
            }
            if (kind < 2) {
                compare_log_sum_exp(scores, sizes[s]);
            }
            free(memory);
        }
    }
    printf("select: all equal to the reference\n");
    return 0;
}
