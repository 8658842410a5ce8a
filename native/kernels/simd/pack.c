/* Activations to bytes: see int8_gemm.h. Plain loops that each set's compiler vectorises. */
#include "int8_gemm.h"

#include <math.h>
#include <string.h>

/* One block of n values to −127..127; returns the scale. A block with NaN or ∞ gives a NaN scale. */
ALWAYS_INLINE float quantize(const float *restrict x, int n, int8_t *restrict q) {
    float largest = 0;
    float poison = 0;
    for (int i = 0; i < n; i++) {
        const float a = fabsf(x[i]);
        largest = a > largest ? a : largest;
        poison += x[i] * 0.0f;
    }
    if (largest < 1e-30f && poison == 0) { /* also what is too small to divide by */
        memset(q, 0, (size_t)n);
        return 0;
    }
    if (poison != 0 || !(largest <= 3.4e38f)) {
        memset(q, 0, (size_t)n);
        return NAN;
    }
    const float inverse = 127.0f / largest;
    for (int i = 0; i < n; i++) {
        q[i] = (int8_t)(int32_t)(x[i] * inverse + (x[i] < 0 ? -0.5f : 0.5f));
    }
    return largest / 127.0f;
}

ALWAYS_INLINE int sum(const int8_t *restrict q, int n) {
    int s = 0;
    for (int i = 0; i < n; i++) {
        s += q[i];
    }
    return s;
}

/* Where word k of column c belongs, for the first of WORDS words. */
ALWAYS_INLINE void *place(int8_t (*q)[GROUP_COLUMNS][4], int k, int c) {
    return (int8_t *)q + 4 * (k * GROUP_COLUMNS + c * WORDS);
}

void ISA(gatun_pack256)(const float *x, int64_t stride, int columns, int64_t from, int64_t to,
                        void *out) {
    act256 *act = out;
    for (int64_t b = from; b < to; b++) {
        act256 *a = &act[b];
        if (columns < GROUP_COLUMNS) {
            memset(a, 0, sizeof *a);
        }
        for (int c = 0; c < columns; c++) {
            ALIGNED(64) int8_t q[256];
            a->d[c] = quantize(x + c * stride + 256 * b, 256, q);
            for (int k = 0; k < 64; k += WORDS) {
                memcpy(place(a->q, k, c), q + 4 * k, WORDS * 4);
            }
            for (int s = 0; s < 16; s++) {
                a->sums16[s / 2][c][s % 2] = (int16_t)sum(q + 16 * s, 16);
            }
            for (int s = 0; s < 8; s++) {
                a->sums32[s / 2][c][s % 2] =
                    (int16_t)(a->sums16[s][c][0] + a->sums16[s][c][1]);
            }
        }
    }
}

void ISA(gatun_pack32)(const float *x, int64_t stride, int columns, int64_t from, int64_t to,
                       void *out) {
    act32 *act = out;
    for (int64_t b = from; b < to; b++) {
        act32 *a = &act[b];
        if (columns < GROUP_COLUMNS) {
            memset(a, 0, sizeof *a);
        }
        for (int c = 0; c < columns; c++) {
            ALIGNED(32) int8_t q[32];
            a->d[c] = quantize(x + c * stride + 32 * b, 32, q);
            for (int k = 0; k < 8; k += WORDS) {
                memcpy(place(a->q, k, c), q + 4 * k, WORDS * 4);
            }
            a->sum[c] = a->d[c] * (float)sum(q, 32);
        }
    }
}
