/* Activations to bytes in groups of columns: see int8_gemm.h. */
#include "int8_gemm.h"
#include "quantize.h"

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
