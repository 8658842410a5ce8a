/* See inputs.h. */
#include "inputs.h"

#include "gatun.h"
#include "vec.h"

ALWAYS_INLINE vec load_sum(const float *x, const float *more, int64_t i) {
    return more ? vec_add(vec_load(x + i), vec_load(more + i)) : vec_load(x + i);
}

float ISA(gatun_square_sum)(const float *x, const float *more, int64_t k) {
    vec sums[INPUT_STEP / LANES];
    for (int j = 0; j < INPUT_STEP / LANES; j++) {
        sums[j] = vec_all(0);
    }
    for (int64_t i = 0; i < k; i += INPUT_STEP) {
        for (int j = 0; j < INPUT_STEP / LANES; j++) {
            const vec v = load_sum(x, more, i + j * LANES);
            sums[j] = vec_fma(v, v, sums[j]);
        }
    }
    vec all = sums[0];
    for (int j = 1; j < INPUT_STEP / LANES; j++) {
        all = vec_add(all, sums[j]);
    }
    return vec_sum(all);
}

void ISA(gatun_normed)(const float *x, const float *more, const float *gain, float scale, int count,
                       float *sum, float *out) {
    for (int i = 0; i < count; i += LANES) {
        const vec v = load_sum(x, more, i);
        if (more) {
            vec_store(sum + i, v);
        }
        vec_store(out + i, vec_mul(vec_mul(v, vec_all(scale)), vec_load(gain + i)));
    }
}

/* x · σ(slope · x) */
ALWAYS_INLINE vec sloped(vec x, vec slope) {
    const vec e = vec_exp(vec_sub(vec_all(0), vec_mul(slope, x)));
    return vec_div(x, vec_add(vec_all(1), e));
}

/* (1 + tanh(u)) / 2 is σ(2u): nearer to exact than with tanh where x is negative. */
ALWAYS_INLINE vec gelu(vec x) {
    const vec cubic = vec_fma(vec_mul(x, x), vec_all(0.044715f), vec_all(1));
    return sloped(x, vec_mul(cubic, vec_all(2 * 0.79788456080286535588f)));
}

ALWAYS_INLINE vec gated(int32_t glu, vec gate, vec up) {
    switch (glu) {
    case GATUN_SWIGLU: return vec_mul(sloped(gate, vec_all(1)), up);
    case GATUN_GEGLU: return vec_mul(gelu(gate), up);
    case GATUN_REGLU: return vec_mul(vec_max(vec_all(0), gate), up);
    default: { /* GATUN_SWIGLU_OAI */
        const vec limited = vec_min(vec_all(7), vec_max(vec_all(-7), up));
        return vec_mul(sloped(vec_min(vec_all(7), gate), vec_all(1.702f)),
                       vec_add(limited, vec_all(1)));
    }
    }
}

#define GATED(glu)                                                                                 \
    case glu:                                                                                      \
        for (int i = 0; i < count; i += LANES) {                                                   \
            vec_store(out + i, gated(glu, vec_load(gate + i), vec_load(up + i)));                  \
        }                                                                                          \
        break;

void ISA(gatun_gated)(int32_t glu, const float *gate, const float *up, int count, float *out) {
    switch (glu) {
        GATED(GATUN_SWIGLU)
        GATED(GATUN_GEGLU)
        GATED(GATUN_REGLU)
        GATED(GATUN_SWIGLU_OAI)
    }
}
