/* Attention's gradients against the formulas in double, with every type and awkward sizes. */
#include "check.h"

#include "half.h"
#include "kernels.h"

typedef struct {
    int64_t d, dv, tokens, cells, heads, groups;
    float scale, softcap;
    int sinks;
    int32_t type; /* of k and v */
} sizes;

static float *values_of(int32_t type, int64_t n, void **raw) {
    float *x = random_floats(n, 1);
    if (type == TYPE_F32) {
        *raw = x;
        return x;
    }
    uint16_t *halves = filled(n * 2);
    for (int64_t i = 0; i < n; i++) {
        halves[i] = type == TYPE_F16 ? half_of_float(x[i]) : (uint16_t)(bits_of_float(x[i]) >> 16);
        x[i] = type == TYPE_F16 ? float_of_half(halves[i]) : float_of_bfloat(halves[i]);
    }
    *raw = halves;
    return x;
}

/* [D, rows, heads] of what lies as [D, heads, rows], as projections give it. */
static struct ggml_tensor heads_of(int32_t type, int64_t d, int64_t rows, int64_t heads, void *data) {
    const size_t size = type == TYPE_F32 ? 4 : 2;
    return (struct ggml_tensor){.type = type,
                                .ne = {d, rows, heads, 1},
                                .nb = {size, size * (size_t)(d * heads), size * (size_t)d,
                                       size * (size_t)(d * heads * rows)},
                                .data = data};
}

static void near(float got, double expected, const char *what, int64_t i) {
    check(fabs(got - expected) <= 2e-5 * (1 + fabs(expected)), "%s: %g instead of %g at %d", what, got,
          expected, (int)i);
}

static void compare(sizes s) {
    void *k_raw, *v_raw;
    float *q = random_floats(s.d * s.heads * s.tokens, 1);
    float *k = values_of(s.type, s.d * s.groups * s.cells, &k_raw);
    float *v = values_of(s.type, s.dv * s.groups * s.cells, &v_raw);
    float *dout = random_floats(s.dv * s.heads * s.tokens, 1);
    float *out = random_floats(s.dv * s.heads * s.tokens, 1);
    float *sinks = random_floats(s.heads, 1);
    uint16_t *mask = filled(s.cells * s.tokens * 2);
    for (int64_t t = 0; t < s.tokens; t++) {
        for (int64_t c = 0; c < s.cells; c++) {
            /* Causal with holes, a bias, and one row that sees nothing. */
            const int open = c <= s.cells - s.tokens + t && (c * 7 + t) % 5 != 0 && t != 2;
            mask[t * s.cells + c] = open ? half_of_float(0.5f * (float)(c % 2)) : 0xfc00;
        }
    }
    double *dq = calloc((size_t)(s.d * s.heads * s.tokens), 8);
    double *dk = calloc((size_t)(s.d * s.groups * s.cells), 8);
    double *dv = calloc((size_t)(s.dv * s.groups * s.cells), 8), *ds = calloc((size_t)s.heads, 8);
    double *p = calloc((size_t)s.cells, 8), *bend = calloc((size_t)s.cells, 8);
    for (int64_t h = 0; h < s.heads; h++) {
        const int64_t g = h / (s.heads / s.groups);
        for (int64_t t = 0; t < s.tokens; t++) {
            const int64_t row = t * s.heads + h;
            double sum = s.sinks ? exp(sinks[h]) : 0;
            for (int64_t c = 0; c < s.cells; c++) {
                double x = 0;
                for (int64_t i = 0; i < s.d; i++) {
                    x += (double)q[row * s.d + i] * k[(c * s.groups + g) * s.d + i];
                }
                x *= s.scale;
                const double capped = s.softcap != 0 ? s.softcap * tanh(x / s.softcap) : x;
                bend[c] = s.softcap != 0 ? 1 - pow(capped / s.softcap, 2) : 1;
                p[c] = mask[t * s.cells + c] == 0xfc00
                           ? 0
                           : exp(capped + float_of_half(mask[t * s.cells + c]));
                sum += p[c];
            }
            double delta = 0;
            for (int64_t i = 0; i < s.dv; i++) {
                double o = 0;
                for (int64_t c = 0; c < s.cells && sum > 0; c++) {
                    o += p[c] / sum * v[(c * s.groups + g) * s.dv + i];
                }
                out[row * s.dv + i] = (float)o;
                delta += o * dout[row * s.dv + i];
            }
            for (int64_t c = 0; c < s.cells && sum > 0; c++) {
                const double share = p[c] / sum;
                double dp = 0;
                for (int64_t i = 0; i < s.dv; i++) {
                    const double g_out = dout[row * s.dv + i];
                    dp += g_out * v[(c * s.groups + g) * s.dv + i];
                    dv[(c * s.groups + g) * s.dv + i] += share * g_out;
                }
                const double dx = share * (dp - delta) * bend[c] * s.scale;
                for (int64_t i = 0; i < s.d; i++) {
                    dq[row * s.d + i] += dx * k[(c * s.groups + g) * s.d + i];
                    dk[(c * s.groups + g) * s.d + i] += dx * q[row * s.d + i];
                }
            }
            ds[h] -= s.sinks ? exp(sinks[h]) / sum * delta : 0;
        }
    }

    struct ggml_tensor tq = heads_of(TYPE_F32, s.d, s.tokens, s.heads, q);
    struct ggml_tensor tk = heads_of(s.type, s.d, s.cells, s.groups, k_raw);
    struct ggml_tensor tv = heads_of(s.type, s.dv, s.cells, s.groups, v_raw);
    struct ggml_tensor tm = matrix(TYPE_F16, s.cells, s.tokens, mask);
    tm.nb[1] = (size_t)s.cells * 2;
    struct ggml_tensor to = {.type = TYPE_F32,
                             .ne = {s.dv, s.heads, s.tokens, 1},
                             .nb = {4, (size_t)s.dv * 4, (size_t)(s.dv * s.heads) * 4, 0},
                             .data = out};
    struct ggml_tensor tg = to, ts = matrix(TYPE_F32, s.heads, 1, sinks);
    tg.data = dout;
    const int64_t rows = s.heads * s.tokens, cells = s.groups * s.cells;
    float *once = NULL;
    for (int threads = 1; threads <= 3; threads += 2) {
        const int64_t scratch = gatun_attention_back_floats(s.d, s.dv, threads);
        const int64_t n1 = rows * (s.d + 2) + scratch;
        const int64_t n2 = cells * (s.d + s.dv) + s.heads + scratch;
        struct ggml_tensor first = matrix(TYPE_F32, n1, 1, filled(n1 * 4));
        struct ggml_tensor second = matrix(TYPE_F32, n2, 1, filled(n2 * 4));
        struct gatun_attention_back params = {
            .scale = s.scale, .softcap = s.softcap, .sinks = s.sinks};
        struct ggml_tensor *src[] = {&tq, &tk, &tv, &tm, &to, &tg, s.sinks ? &ts : NULL};
        memcpy(first.src, src, sizeof src);
        memcpy(second.src, src, sizeof src);
        second.src[4] = &first;
        run_op(gatun_attention_back_queries, &first, (intptr_t)&params);
        run_op(gatun_attention_back_keys, &second, (intptr_t)&params);
        const float *got = first.data, *keys = second.data;
        for (int64_t i = 0; i < rows * s.d; i++) {
            near(got[i], dq[i], "dq", i);
        }
        for (int64_t i = 0; i < cells * s.d; i++) {
            near(keys[i], dk[i], "dk", i);
        }
        for (int64_t i = 0; i < cells * s.dv; i++) {
            near(keys[cells * s.d + i], dv[i], "dv", i);
        }
        for (int64_t i = 0; s.sinks && i < s.heads; i++) {
            near(keys[cells * (s.d + s.dv) + i], ds[i], "sink", i);
        }
        if (once) {
            check(memcmp(once, keys, (size_t)(cells * (s.d + s.dv)) * 4) == 0, "another number of threads");
        }
        free(once);
        once = second.data;
        free(first.data);
    }
    free(once);
    free(q);
    free(k);
    free(v);
    if (s.type != TYPE_F32) {
        free(k_raw);
        free(v_raw);
    }
    free(dout);
    free(out);
    free(sinks);
    free(mask);
    free(dq);
    free(dk);
    free(dv);
    free(ds);
    free(p);
    free(bend);
}

int main(void) {
    need_isa();
    const sizes all[] = {
        {8, 8, 1, 1, 1, 1, 0.5f, 0, 0, TYPE_F32},
        {6, 5, 4, 9, 2, 1, 0.4f, 0, 1, TYPE_F32},
        {16, 16, 65, 130, 4, 2, 0.3f, 0, 0, TYPE_F32},
        {40, 24, 33, 64, 6, 2, 0.2f, 1.5f, 1, TYPE_F16},
        {64, 64, 70, 200, 3, 3, 0.125f, 0, 0, TYPE_BF16},
        {17, 33, 3, 67, 70, 1, 0.2f, 0.8f, 1, TYPE_F32},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        compare(all[i]);
    }
    printf("attention_back: all as near to doubles as they should be\n");
    return 0;
}
