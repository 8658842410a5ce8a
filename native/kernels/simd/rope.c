/* See rope.h. Plain loops that each set's compiler vectorises. */
#include "rope.h"

#include "isa.h"

void ISA(gatun_turn)(const float *restrict x, const float *restrict table, int dims,
                     bool neighbours, float *restrict out) {
    const int half = dims / 2;
    const float *cosine = table, *sine = table + half;
    if (neighbours) {
        for (int i = 0; i < half; i++) {
            out[2 * i] = x[2 * i] * cosine[i] - x[2 * i + 1] * sine[i];
            out[2 * i + 1] = x[2 * i] * sine[i] + x[2 * i + 1] * cosine[i];
        }
        return;
    }
    for (int i = 0; i < half; i++) {
        out[i] = x[i] * cosine[i] - x[i + half] * sine[i];
        out[i + half] = x[i] * sine[i] + x[i + half] * cosine[i];
    }
}
