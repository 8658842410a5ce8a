/* Repeating and its gradient, the sum of what was repeated. */
#include "gatun.h"
#include "ggml_tensor.h"

#include <string.h>

enum { COLUMNS = 64 }; /* whose sums are kept together */

/* Sums of `columns` elements of one row of dst, from `first` on. */
static void sum_columns(const struct ggml_tensor *dst, const struct ggml_tensor *x, int64_t i1,
                        int64_t i2, int64_t i3, int64_t first, int columns, float *to) {
    double sums[COLUMNS] = {0};
    for (int64_t r3 = i3; r3 < x->ne[3]; r3 += dst->ne[3]) {
        for (int64_t r2 = i2; r2 < x->ne[2]; r2 += dst->ne[2]) {
            for (int64_t r1 = i1; r1 < x->ne[1]; r1 += dst->ne[1]) {
                const float *row = (const float *)((const char *)x->data + r1 * (int64_t)x->nb[1] +
                                                   r2 * (int64_t)x->nb[2] + r3 * (int64_t)x->nb[3]);
                for (int64_t r0 = first; r0 < x->ne[0]; r0 += dst->ne[0]) {
                    for (int c = 0; c < columns; c++) {
                        sums[c] += row[r0 + c];
                    }
                }
            }
        }
    }
    for (int c = 0; c < columns; c++) {
        to[c] = (float)sums[c];
    }
}

/* The sum of whole rows: eight sums at a time, as one would wait for itself. */
static float sum_rows(const struct ggml_tensor *dst, const struct ggml_tensor *x, int64_t i1,
                      int64_t i2, int64_t i3) {
    double sums[8] = {0};
    for (int64_t r3 = i3; r3 < x->ne[3]; r3 += dst->ne[3]) {
        for (int64_t r2 = i2; r2 < x->ne[2]; r2 += dst->ne[2]) {
            for (int64_t r1 = i1; r1 < x->ne[1]; r1 += dst->ne[1]) {
                const float *row = (const float *)((const char *)x->data + r1 * (int64_t)x->nb[1] +
                                                   r2 * (int64_t)x->nb[2] + r3 * (int64_t)x->nb[3]);
                int64_t i = 0;
                for (; i + 8 <= x->ne[0]; i += 8) {
                    for (int c = 0; c < 8; c++) {
                        sums[c] += row[i + c];
                    }
                }
                for (; i < x->ne[0]; i++) {
                    sums[i % 8] += row[i];
                }
            }
        }
    }
    return (float)(((sums[0] + sums[4]) + (sums[2] + sums[6])) +
                   ((sums[1] + sums[5]) + (sums[3] + sums[7])));
}

void gatun_sum_to(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)userdata;
    const struct ggml_tensor *x = dst->src[0];
    const int64_t chunks = (dst->ne[0] + COLUMNS - 1) / COLUMNS;
    const int64_t jobs = chunks * dst->ne[1] * dst->ne[2] * dst->ne[3];
    for (int64_t job = jobs * ith / nth; job < jobs * (ith + 1) / nth; job++) {
        const int64_t row = job / chunks, first = job % chunks * COLUMNS;
        const int64_t i1 = row % dst->ne[1], i2 = row / dst->ne[1] % dst->ne[2];
        const int64_t i3 = row / dst->ne[1] / dst->ne[2];
        float *to = (float *)dst->data + row * dst->ne[0] + first;
        if (dst->ne[0] == 1) {
            *to = sum_rows(dst, x, i1, i2, i3);
        } else {
            const int64_t left = dst->ne[0] - first;
            sum_columns(dst, x, i1, i2, i3, first, (int)(left < COLUMNS ? left : COLUMNS), to);
        }
    }
}

void gatun_repeat(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)userdata;
    const struct ggml_tensor *x = dst->src[0];
    const int64_t rows = dst->ne[1] * dst->ne[2] * dst->ne[3];
    for (int64_t row = rows * ith / nth; row < rows * (ith + 1) / nth; row++) {
        const int64_t i1 = row % dst->ne[1] % x->ne[1], i2 = row / dst->ne[1] % dst->ne[2] % x->ne[2];
        const int64_t i3 = row / dst->ne[1] / dst->ne[2] % x->ne[3];
        const float *from = (const float *)x->data + ((i3 * x->ne[2] + i2) * x->ne[1] + i1) * x->ne[0];
        float *to = (float *)dst->data + row * dst->ne[0];
        if (x->ne[0] == 1) {
            for (int64_t i = 0; i < dst->ne[0]; i++) {
                to[i] = *from;
            }
        } else {
            for (int64_t i = 0; i < dst->ne[0]; i += x->ne[0]) {
                memcpy(to + i, from, (size_t)x->ne[0] * sizeof *to);
            }
        }
    }
}
