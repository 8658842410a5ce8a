/* Blocks of activations to bytes. Plain loops that each set's compiler vectorises. */
#ifndef GATUN_QUANTIZE_H
#define GATUN_QUANTIZE_H

#include "isa.h"

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

#endif
