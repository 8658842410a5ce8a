/* Steps of optimisers, a plain loop each: see training.h. */
#include "isa.h"
#include "training.h"

#include <math.h>
#include "vec.h"

void ISA(gatun_add_scaled)(float *y, const float *x, float factor, int64_t n) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec_store(y + i, vec_fma(vec_all(factor), vec_load(x + i), vec_load(y + i)));
    }
    for (; i < n; i++) {
        y[i] = fmaf(factor, x[i], y[i]);
    }
}

/* arXiv 1711.05101, algorithm 2. */
static void adamw(const struct update_step *s, int64_t n, float *restrict w, const float *restrict g,
                  float *restrict m, float *restrict v) {
    const struct update_step step = *s;
    for (int64_t i = 0; i < n; i++) {
        const float grad = step.factor * g[i];
        const float first = step.beta1 * m[i] + (1 - step.beta1) * grad;
        const float second = step.beta2 * v[i] + (1 - step.beta2) * grad * grad;
        m[i] = first;
        v[i] = second;
        const float root = sqrtf(second * step.correction2) + step.epsilon;
        w[i] -= step.decay * w[i] + step.rate * (first * step.correction1) / root;
    }
}

/* arXiv 2302.06675, algorithm 2. */
static void lion(const struct update_step *s, int64_t n, float *restrict w, const float *restrict g,
                 float *restrict m) {
    const struct update_step step = *s;
    for (int64_t i = 0; i < n; i++) {
        const float grad = step.factor * g[i];
        const float mixed = step.beta1 * m[i] + (1 - step.beta1) * grad;
        const float sign = (float)((mixed > 0) - (mixed < 0));
        m[i] = step.beta2 * m[i] + (1 - step.beta2) * grad;
        w[i] -= step.decay * w[i] + step.rate * sign;
    }
}

static void sgd(const struct update_step *s, int64_t n, float *restrict w, const float *restrict g,
                float *restrict m) {
    const struct update_step step = *s;
    for (int64_t i = 0; i < n; i++) {
        m[i] = step.beta1 * m[i] + step.factor * g[i];
        w[i] -= step.decay * w[i] + step.rate * m[i];
    }
}

void ISA(gatun_update)(const struct update_step *step, int64_t n, float *w, const float *g, float *m,
                       float *v) {
    switch (step->rule) {
    case GATUN_SGD: sgd(step, n, w, g, m); break;
    case GATUN_LION: lion(step, n, w, g, m); break;
    default: adamw(step, n, w, g, m, v); break;
    }
}
