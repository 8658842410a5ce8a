/*
 * Rotary positions with writes into caches, against the rotation in double; the same bits from any
 * number of threads; and nothing but the cells of this batch is written.
 */
#include "check.h"
#include "half.h"
#include "kernels.h"

enum { CELLS = 11, GAP = 3 };

static void to_floats(const float *x, void *y, int64_t k) { memcpy(y, x, (size_t)k * sizeof *x); }

static void to_halves(const float *x, void *y, int64_t k) {
    for (int64_t i = 0; i < k; i++) {
        ((uint16_t *)y)[i] = half_of_float(x[i]);
    }
}

typedef struct {
    int64_t d, dv, heads, groups, tokens;
    int dims;
    bool neighbours, normed, yarn, factors;
} shape;

/* [d, heads, tokens] with gaps between heads and tokens. */
static struct ggml_tensor heads_with_gaps(int64_t d, int64_t heads, int64_t tokens, float *data) {
    struct ggml_tensor t = matrix(TYPE_F32, d, heads, data);
    t.ne[2] = tokens;
    t.nb[1] = (size_t)(d + GAP) * sizeof(float);
    t.nb[2] = (size_t)heads * t.nb[1] + sizeof(float);
    return t;
}

static const float *head(const struct ggml_tensor *x, int64_t head, int64_t token) {
    return (const float *)((const char *)x->data + (size_t)head * x->nb[1] + (size_t)token * x->nb[2]);
}

static float *random_heads(int64_t d, int64_t heads, int64_t tokens) {
    return random_floats(((d + GAP) * heads + 1) * tokens, 1);
}

static double exact_angle(const shape *s, const struct gatun_rope_angles *a, const float *factors,
                          int32_t position, int pair, double *magnitude) {
    const double factor = factors ? factors[pair] : 1;
    const double plain = position * pow(a->base, -2.0 * pair / s->dims) / factor;
    *magnitude = a->attention_factor;
    if (!s->yarn) {
        return plain * a->scale;
    }
    const double per = s->dims / (2 * log(a->base)), turn = 2 * acos(-1.0);
    const double context = a->original_context / turn;
    const double low = fmax(0, floor(per * log(context / a->beta_fast)));
    const double high = fmin(s->dims - 1, ceil(per * log(context / a->beta_slow)));
    const double part = fmin(1, fmax(0, (pair - low) / fmax(0.001, high - low)));
    const double mix = (1 - part) * a->ext_factor;
    *magnitude *= 1 + 0.1 * log(1 / a->scale);
    return plain * a->scale * (1 - mix) + plain * mix;
}

/* x normalised and turned in double. */
static void exact_head(const shape *s, const struct gatun_rope_angles *a, const float *factors,
                       int32_t position, const float *x, const float *gain, double *out) {
    double squares = 0;
    for (int i = 0; i < s->d; i++) {
        squares += (double)x[i] * x[i];
    }
    const double scale = 1 / sqrt(squares / (double)s->d + 1e-6);
    double v[GATUN_HEAD_MAX];
    for (int i = 0; i < s->d; i++) {
        out[i] = v[i] = s->normed ? x[i] * scale * gain[i] : x[i];
    }
    for (int i = 0; i < s->dims / 2; i++) {
        double magnitude;
        const double angle = exact_angle(s, a, factors, position, i, &magnitude);
        const int first = s->neighbours ? 2 * i : i;
        const int second = s->neighbours ? 2 * i + 1 : i + s->dims / 2;
        out[first] = magnitude * (v[first] * cos(angle) - v[second] * sin(angle));
        out[second] = magnitude * (v[first] * sin(angle) + v[second] * cos(angle));
    }
}

/* GGML's angles are products of floats, so ours are; they move by a few units of the last place. */
static void check_head(const double *exact, const float *got, int64_t d, const char *what) {
    for (int64_t i = 0; i < d; i++) {
        check(fabs(got[i] - exact[i]) <= 5e-4, "%s: value %d of %d is %g, exactly %g", what, (int)i,
              (int)d, (double)got[i], exact[i]);
    }
}

static void compare(shape s) {
    const struct gatun_rope_angles angles = {.dims = s.dims,
                                             .original_context = 512,
                                             .base = 10000,
                                             .scale = s.yarn ? 0.25f : 0.5f,
                                             .ext_factor = s.yarn ? 1 : 0,
                                             .attention_factor = 1.25f,
                                             .beta_fast = 32,
                                             .beta_slow = 1};
    int32_t positions[8];
    int64_t cells[8];
    for (int t = 0; t < s.tokens; t++) {
        positions[t] = (int32_t)(next_random() % 1000);
        cells[t] = (t * 3 + 5) % CELLS;
    }
    float *factors = random_floats(s.dims / 2, 0.4f);
    for (int i = 0; i < s.dims / 2; i++) {
        factors[i] += 1;
    }
    struct ggml_tensor tp = {.ne = {s.tokens, 1, 1, 1}, .data = positions};
    struct ggml_tensor tf = matrix(TYPE_F32, s.dims / 2, 1, factors);
    struct ggml_tensor table = matrix(TYPE_F32, s.dims, s.tokens, filled(s.dims * s.tokens * 4));
    table.src[0] = &tp;
    table.src[1] = s.factors ? &tf : NULL;
    run_op(gatun_rope_table, &table, (int64_t)(intptr_t)&angles);

    float *q = random_heads(s.d, s.heads, s.tokens), *k = random_heads(s.d, s.groups, s.tokens);
    float *v = random_heads(s.dv, s.groups, s.tokens);
    float *q_gain = random_floats(s.d, 2), *k_gain = random_floats(s.d, 2);
    struct ggml_tensor tq = heads_with_gaps(s.d, s.heads, s.tokens, q);
    struct ggml_tensor tk = heads_with_gaps(s.d, s.groups, s.tokens, k);
    struct ggml_tensor tv = heads_with_gaps(s.dv, s.groups, s.tokens, v);
    struct ggml_tensor tqg = matrix(TYPE_F32, s.d, 1, q_gain), tkg = matrix(TYPE_F32, s.d, 1, k_gain);
    struct ggml_tensor tc = {.ne = {s.tokens, 1, 1, 1}, .data = cells};
    const int64_t key_bytes = s.d * s.groups * 4, value_bytes = s.dv * s.groups * 2;
    struct ggml_tensor keys = {.type = TYPE_F32, .nb = {4, (size_t)key_bytes}};
    struct ggml_tensor values = {.type = TYPE_F16, .nb = {2, (size_t)value_bytes}};
    keys.data = filled(key_bytes * CELLS);
    values.data = filled(value_bytes * CELLS);
    struct ggml_tensor dst = {.data = filled(s.d * s.heads * s.tokens * 4),
                              .src = {&tq, &tk, &tv, &table, &tc, &keys, &values}};
    dst.src[7] = s.normed ? &tqg : NULL;
    dst.src[8] = s.normed ? &tkg : NULL;
    const struct gatun_rope_node how = {.dims = s.dims,
                                   .neighbours = s.neighbours,
                                   .epsilon = 1e-6f,
                                   .keys_from_float = to_floats,
                                   .values_from_float = to_halves};
    run_op(gatun_rope, &dst, (int64_t)(intptr_t)&how);

    double exact[GATUN_HEAD_MAX];
    for (int64_t t = 0; t < s.tokens; t++) {
        const float *f = s.factors ? factors : NULL;
        for (int64_t h = 0; h < s.heads; h++) {
            exact_head(&s, &angles, f, positions[t], head(&tq, h, t), q_gain, exact);
            check_head(exact, (float *)dst.data + (t * s.heads + h) * s.d, s.d, "query");
        }
        for (int64_t g = 0; g < s.groups; g++) {
            const int64_t place = cells[t] * s.groups + g;
            exact_head(&s, &angles, f, positions[t], head(&tk, g, t), k_gain, exact);
            check_head(exact, (float *)keys.data + place * s.d, s.d, "key");
            for (int64_t i = 0; i < s.dv; i++) {
                const uint16_t half = ((uint16_t *)values.data)[place * s.dv + i];
                check(half == half_of_float(head(&tv, g, t)[i]), "a value in the cache is another");
            }
        }
    }
    for (int64_t c = 0; c < CELLS; c++) {
        bool written = false;
        for (int64_t t = 0; t < s.tokens; t++) {
            written |= cells[t] == c;
        }
        for (int64_t i = 0; !written && i < key_bytes; i++) {
            check(((uint8_t *)keys.data)[c * key_bytes + i] == 0xa5, "cell %d was written", (int)c);
        }
    }
    struct ggml_tensor alone = dst;
    alone.data = filled(s.d * s.heads * s.tokens * 4);
    gatun_rope(&alone, 0, 1, (void *)(uintptr_t)&how);
    check(memcmp(alone.data, dst.data, (size_t)(s.d * s.heads * s.tokens * 4)) == 0,
          "one thread computes otherwise");
    free(factors), free(table.data), free(q), free(k), free(v), free(q_gain), free(k_gain);
    free(keys.data), free(values.data), free(dst.data), free(alone.data);
}

int main(void) {
    need_isa();
    for (int bits = 0; bits < 16; bits += CASE_STEP) {
        const bool neighbours = bits & 1, normed = bits & 2, yarn = bits & 4, factors = bits & 8;
        compare((shape){64, 64, 4, 2, 1, 64, neighbours, normed, yarn, factors});
        compare((shape){128, 96, 3, 1, 3, 128, neighbours, normed, yarn, factors});
        compare((shape){96, 40, 5, 5, 5, 32, neighbours, normed, yarn, factors});
        compare((shape){80, 80, 6, 2, 2, 42, neighbours, false, yarn, factors});
    }
    compare((shape){GATUN_HEAD_MAX, 8, 1, 1, 2, 2, false, true, false, false});
    printf("rope: %s\n", gatun_isa());
    return 0;
}
