/* Gradients of norms, activations and softmax, one row at a time: see training.h. */
#include "training.h"
#include "vec.h"

#include <float.h>

enum { BLOCK = 1024 }; /* values summed in floats before doubles take over */

/* Σ a·b; b may be NULL for Σ a. */
static double dot(const float *a, const float *b, int64_t n) {
    double sum = 0;
    for (int64_t from = 0; from < n; from += BLOCK) {
        const int64_t end = from + BLOCK < n ? from + BLOCK : n;
        vec sums[2] = {vec_all(0), vec_all(0)};
        int64_t i = from;
        for (; i + 2 * LANES <= end; i += 2 * LANES) {
            for (int j = 0; j < 2; j++) {
                const vec x = vec_load(a + i + j * LANES);
                sums[j] = b ? vec_fma(x, vec_load(b + i + j * LANES), sums[j]) : vec_add(sums[j], x);
            }
        }
        sum += vec_sum(vec_add(sums[0], sums[1]));
        for (; i < end; i++) {
            sum += b ? (double)a[i] * b[i] : a[i];
        }
    }
    return sum;
}

void ISA(gatun_norm_back)(const struct gatun_norm *norm, int64_t n, const float *dy, const float *x,
                          float *dx) {
    const double mean = norm->centred ? dot(x, NULL, n) / n : 0;
    double square, along; /* Σ (x − mean)², Σ dy·(x − mean) */
    const double dy_sum = norm->centred ? dot(dy, NULL, n) : 0;
    if (norm->centred) {
        square = along = 0;
        for (int64_t i = 0; i < n; i++) {
            const double off = x[i] - mean;
            square += off * off;
            along += off * dy[i];
        }
    } else {
        square = dot(x, x, n);
        along = dot(dy, x, n);
    }
    const double variance = square / n + norm->epsilon;
    const float scale = (float)(1 / sqrt(variance));
    const float shift = (float)(dy_sum / n), slope = (float)(along / (n * variance));
    const float centre = (float)mean;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const vec off = vec_sub(vec_load(x + i), vec_all(centre));
        const vec g = vec_sub(vec_load(dy + i), vec_all(shift));
        vec_store(dx + i, vec_mul(vec_all(scale), vec_fma(off, vec_all(-slope), g)));
    }
    for (; i < n; i++) {
        dx[i] = scale * (dy[i] - shift - slope * (x[i] - centre));
    }
}

void ISA(gatun_softmax_back)(float scale, int64_t n, const float *dy, const float *y, float *dx) {
    const float mean = (float)dot(dy, y, n);
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const vec off = vec_sub(vec_load(dy + i), vec_all(mean));
        vec_store(dx + i, vec_mul(vec_mul(vec_all(scale), vec_load(y + i)), off));
    }
    for (; i < n; i++) {
        dx[i] = scale * y[i] * (dy[i] - mean);
    }
}

ALWAYS_INLINE vec sigmoid(vec x) {
    return vec_div(vec_all(1), vec_add(vec_all(1), vec_exp(vec_sub(vec_all(0), x))));
}

/* a where x ≤ limit, else 0. */
ALWAYS_INLINE vec zero_above(vec x, float limit, vec a) {
    return vec_zero_below(vec_sub(vec_all(0), x), -limit, a);
}

typedef struct {
    vec y, slope;
} value;

ALWAYS_INLINE value silu(vec x) {
    const vec s = sigmoid(x), y = vec_mul(x, s);
    return (value){y, vec_fma(y, vec_sub(vec_all(1), s), s)};
}

ALWAYS_INLINE value gelu(vec x) {
    const vec root = vec_all(0.79788456f), cubic = vec_all(0.044715f), half = vec_all(0.5f);
    const vec x2 = vec_mul(x, x);
    const vec t = vec_tanh(vec_mul(vec_mul(root, x), vec_fma(cubic, x2, vec_all(1))));
    const vec h = vec_fma(half, t, half); /* (1 + t) / 2 */
    const vec inner = vec_mul(root, vec_fma(vec_all(3 * 0.044715f), x2, vec_all(1)));
    const vec bend = vec_mul(vec_mul(half, x), vec_sub(vec_all(1), vec_mul(t, t)));
    return (value){vec_mul(x, h), vec_fma(bend, inner, h)};
}

ALWAYS_INLINE value relu(vec x) {
    return (value){vec_max(x, vec_all(0)), vec_zero_below(x, FLT_MIN, vec_all(1))};
}

ALWAYS_INLINE vec slope(const struct gatun_activation *a, vec x) {
    switch (a->function) {
    case GATUN_TANH: {
        const vec t = vec_tanh(x);
        return vec_sub(vec_all(1), vec_mul(t, t));
    }
    case GATUN_RELU: return relu(x).slope;
    case GATUN_SIGMOID: {
        const vec s = sigmoid(x);
        return vec_mul(s, vec_sub(vec_all(1), s));
    }
    case GATUN_GELU: return gelu(x).slope;
    case GATUN_SILU: return silu(x).slope;
    case GATUN_EXP: return vec_exp(x);
    case GATUN_SOFTPLUS: return sigmoid(x);
    default: return vec_zero_below(x, a->low, zero_above(x, a->high, vec_all(1)));
    }
}

void ISA(gatun_activation_back)(const struct gatun_activation *a, int64_t n, const float *dy,
                                const float *x, float *dx) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec_store(dx + i, vec_mul(vec_load(dy + i), slope(a, vec_load(x + i))));
    }
    if (i < n) {
        float values[LANES] = {0};
        memcpy(values, x + i, (size_t)(n - i) * sizeof *x);
        vec_store(values, slope(a, vec_load(values)));
        for (int j = 0; i < n; i++, j++) {
            dx[i] = dy[i] * values[j];
        }
    }
}

typedef struct {
    vec gate, up;
} gradients;

ALWAYS_INLINE gradients gated(int32_t function, vec dy, vec g, vec u) {
    if (function == GATUN_SWIGLU_OAI) {
        const vec x = vec_min(g, vec_all(7));
        const vec y = vec_add(vec_max(vec_min(u, vec_all(7)), vec_all(-7)), vec_all(1));
        const vec s = sigmoid(vec_mul(vec_all(1.702f), x)), act = vec_mul(x, s);
        const vec bend = vec_mul(vec_all(1.702f), vec_mul(act, vec_sub(vec_all(1), s)));
        const vec up = vec_zero_below(u, -7, zero_above(u, 7, vec_mul(dy, act)));
        return (gradients){zero_above(g, 7, vec_mul(vec_mul(dy, y), vec_add(s, bend))), up};
    }
    const value v = function == GATUN_SWIGLU ? silu(g) : function == GATUN_GEGLU ? gelu(g) : relu(g);
    return (gradients){vec_mul(vec_mul(dy, u), v.slope), vec_mul(dy, v.y)};
}

void ISA(gatun_gated_back)(const struct gatun_activation *a, int64_t n, const float *dy,
                           const float *gate, const float *up, float *dgate, float *dup) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const gradients d =
            gated(a->function, vec_load(dy + i), vec_load(gate + i), vec_load(up + i));
        vec_store(dgate + i, d.gate);
        vec_store(dup + i, d.up);
    }
    if (i < n) {
        float values[3][LANES] = {{0}};
        const size_t bytes = (size_t)(n - i) * sizeof(float);
        memcpy(values[0], dy + i, bytes);
        memcpy(values[1], gate + i, bytes);
        memcpy(values[2], up + i, bytes);
        const gradients d =
            gated(a->function, vec_load(values[0]), vec_load(values[1]), vec_load(values[2]));
        vec_store(values[1], d.gate);
        vec_store(values[2], d.up);
        memcpy(dgate + i, values[1], bytes);
        memcpy(dup + i, values[2], bytes);
    }
}

double ISA(gatun_row_log_sum_exp)(const float *x, int64_t n) {
    float largest = -INFINITY;
    int64_t i = 0;
    if (n >= LANES) {
        vec most = vec_all(-INFINITY);
        for (; i + LANES <= n; i += LANES) {
            most = vec_max(most, vec_load(x + i));
        }
        largest = vec_largest(most);
    }
    for (; i < n; i++) {
        largest = x[i] > largest ? x[i] : largest;
    }
    if (!(largest > -INFINITY)) {
        return -INFINITY;
    }
    double sum = 0;
    for (int64_t from = 0; from < n; from += BLOCK) {
        const int64_t end = from + BLOCK < n ? from + BLOCK : n;
        vec part = vec_all(0);
        for (i = from; i + LANES <= end; i += LANES) {
            part = vec_add(part, vec_exp(vec_sub(vec_load(x + i), vec_all(largest))));
        }
        sum += vec_sum(part);
        for (; i < end; i++) {
            sum += expf(x[i] - largest);
        }
    }
    return largest + log(sum);
}

void ISA(gatun_row_softmax)(const float *x, int64_t n, float log_sum, float factor, float *out) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const vec p = vec_exp(vec_sub(vec_load(x + i), vec_all(log_sum)));
        vec_store(out + i, vec_mul(vec_all(factor), p));
    }
    for (; i < n; i++) {
        out[i] = factor * expf(x[i] - log_sum);
    }
}
