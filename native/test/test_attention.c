/*
 * Attention against sums in double: odd shapes, every type of K and V, masks that are causal, sliding,
 * of several sequences, full of holes or closed, softcap, sinks, extreme values, several threads.
 */
#include "check.h"
#include "half.h"

enum mask_kind { OPEN, CAUSAL, SLIDING, HOLES, SEQUENCES, INTERLEAVED, SOME_CLOSED, CLOSED, BIAS, MASKS };

struct shape {
    int64_t d, dv, tokens, cells, heads, groups;
    int32_t type;
    enum mask_kind mask;
    bool sinks;
    float softcap;
    float k_size, v_size; /* largest element */
};

static struct gatun_attention_params params; /* shared by all runs, as by all nodes of a graph */
static double worst;

static int open_cell(enum mask_kind kind, int64_t t, int64_t c, int64_t tokens, int64_t cells) {
    const int64_t position = cells - tokens + t - cells / 8; /* the last cells are empty */
    switch (kind) {
    case CAUSAL: return c <= position;
    case SLIDING: return c <= position && c > position - 40;
    case HOLES: return next_random() % 3 != 0;
    case SEQUENCES: return c * tokens / cells == t;
    case INTERLEAVED: return c % 3 == t % 3 && c <= position;
    case SOME_CLOSED: return t % 2 && c % 5 < 2;
    case CLOSED: return 0;
    default: return 1;
    }
}

static size_t row_bytes(int32_t type, int64_t n) {
    return (size_t)(type == TYPE_F32 ? 4 * n : type == TYPE_Q8_0 ? n / 32 * 34 : 2 * n);
}

/* Random values of any type; what they are exactly goes to `exact`. */
static void fill(int32_t type, char *to, double *exact, int64_t n, float size) {
    for (int64_t i = 0; i < n; i++) {
        const float x = size * random_float();
        if (type == TYPE_F32) {
            memcpy(to + 4 * i, &x, 4);
            exact[i] = x;
        } else if (type == TYPE_F16) {
            const uint16_t h = half_of_float(x);
            memcpy(to + 2 * i, &h, 2);
            exact[i] = float_of_half(h);
        } else if (type == TYPE_BF16) {
            const uint16_t h = (uint16_t)(bits_of_float(x) >> 16);
            memcpy(to + 2 * i, &h, 2);
            exact[i] = float_of_bfloat(h);
        } else {
            char *block = to + i / 32 * 34;
            const uint16_t d = half_of_float(size / 127);
            memcpy(block, &d, 2);
            block[2 + i % 32] = (char)(int8_t)(127 * x / size);
            exact[i] = (double)float_of_half(d) * (int8_t)block[2 + i % 32];
        }
    }
}

/* [cell][group][n], as a cache has it, seen as [n, cells, groups]; closed cells are full of NaN. */
static struct ggml_tensor cache(const struct shape *s, int64_t n, float size, const uint8_t *used,
                                double *exact) {
    const size_t row = row_bytes(s->type, n);
    char *data = filled((int64_t)row * s->cells * s->groups);
    memset(data, 0xff, row * (size_t)(s->cells * s->groups));
    for (int64_t c = 0; c < s->cells; c++) {
        for (int64_t g = 0; g < s->groups && used[c]; g++) {
            fill(s->type, data + (size_t)(c * s->groups + g) * row, exact + (c * s->groups + g) * n, n,
                 size);
        }
    }
    return (struct ggml_tensor){.type = s->type,
                                .ne = {n, s->cells, s->groups, 1},
                                .nb = {row / (size_t)n, row * (size_t)s->groups, row, 0},
                                .data = data};
}

static void compare(const struct shape *s, int threads, int built_for) {
    const int64_t d = s->d, dv = s->dv, rep = s->heads / s->groups;
    /* q comes as [token][head][d] */
    float *q = random_floats(d * s->tokens * s->heads, 1);
    struct ggml_tensor tq = {.type = TYPE_F32,
                             .ne = {d, s->tokens, s->heads, 1},
                             .nb = {4, (size_t)(4 * d * s->heads), (size_t)(4 * d), 0},
                             .data = q};
    uint16_t *bits = filled(2 * s->cells * s->tokens);
    uint8_t *used = filled(s->cells);
    memset(used, s->mask == OPEN, (size_t)s->cells);
    for (int64_t t = 0; t < s->tokens; t++) {
        for (int64_t c = 0; c < s->cells; c++) {
            const int open = open_cell(s->mask, t, c, s->tokens, s->cells);
            const float bias = s->mask == BIAS ? -8 * (float)(next_random() % 64) / 64 : 0;
            bits[t * s->cells + c] = open ? half_of_float(bias) : 0xfc00;
            used[c] |= (uint8_t)open;
        }
    }
    struct ggml_tensor tm = {.type = TYPE_F16,
                             .ne = {s->cells, s->tokens, 1, 1},
                             .nb = {2, (size_t)(2 * s->cells), 0, 0},
                             .data = bits};
    double *k = calloc((size_t)(s->cells * s->groups * d), sizeof *k);
    double *v = calloc((size_t)(s->cells * s->groups * dv), sizeof *v);
    struct ggml_tensor tk = cache(s, d, s->k_size, used, k), tv = cache(s, dv, s->v_size, used, v);
    float *sinks = random_floats(s->heads, 5);
    struct ggml_tensor ts = matrix(TYPE_F32, s->heads, 1, sinks);
    const int64_t floats =
        gatun_attention_floats(d, dv, s->tokens, s->heads, s->groups, s->cells, built_for);
    float *out = filled(4 * floats);
    struct ggml_tensor to = matrix(TYPE_F32, floats, 1, out);
    to.src[0] = &tq, to.src[1] = &tk, to.src[2] = &tv;
    to.src[3] = s->mask == OPEN ? NULL : &tm;
    to.src[4] = s->sinks ? &ts : NULL;
    params.scale = (float)(1 / sqrt((double)d));
    params.softcap = s->softcap;
    for (int ith = 0; ith < threads; ith++) {
        gatun_attention(&to, ith, threads, &params);
    }
    for (const int32_t *c = &params.next; c < params.parts_done + GATUN_ATTENTION_TILES; c++) {
        check(*c == 0, "a counter is left at %d", *c);
    }

    double *scores = calloc((size_t)s->cells, sizeof *scores);
    double *exact = calloc((size_t)dv, sizeof *exact);
    for (int64_t t = 0; t < s->tokens; t++) {
        for (int64_t h = 0; h < s->heads; h++) {
            const int64_t g = h / rep;
            double top = s->sinks ? sinks[h] : -INFINITY, sum = 0, size = 0, largest = 1;
            for (int64_t c = 0; c < s->cells; c++) {
                const uint16_t bias = bits[t * s->cells + c];
                scores[c] = -INFINITY;
                if (to.src[3] && bias == 0xfc00) {
                    continue;
                }
                double x = 0;
                for (int64_t i = 0; i < d; i++) {
                    x += q[(t * s->heads + h) * d + i] * k[(c * s->groups + g) * d + i];
                }
                x *= params.scale;
                largest = fmax(largest, fabs(x));
                x = s->softcap > 0 ? s->softcap * tanh(x / s->softcap) : x;
                scores[c] = x + (to.src[3] ? float_of_half(bias) : 0);
                top = fmax(top, scores[c]);
            }
            memset(exact, 0, (size_t)dv * sizeof *exact);
            for (int64_t c = 0; c < s->cells; c++) {
                if (scores[c] == -INFINITY) {
                    continue;
                }
                const double weight = exp(scores[c] - top);
                sum += weight;
                for (int64_t i = 0; i < dv; i++) {
                    exact[i] += weight * v[(c * s->groups + g) * dv + i];
                }
            }
            sum += s->sinks ? exp(sinks[h] - top) : 0;
            for (int64_t i = 0; i < dv; i++) {
                const double want = sum == 0 ? 0 : exact[i] / sum;
                const double have = out[(t * s->heads + h) * dv + i];
                size = 2e-6 * s->v_size * fmax(largest, s->softcap > 0 ? s->softcap : 1);
                worst = fmax(worst, fabs(have - want) / s->v_size);
                check(fabs(have - want) <= size,
                      "d %d/%d, %d tokens, %d cells, %d/%d heads, type %d, mask %d, %d threads: token "
                      "%d head %d value %d is %g, exactly %g",
                      (int)d, (int)dv, (int)s->tokens, (int)s->cells, (int)s->heads, (int)s->groups,
                      s->type, (int)s->mask, threads, (int)t, (int)h, (int)i, have, want);
            }
        }
    }
    free(q), free(bits), free(used), free(k), free(v), free(tk.data), free(tv.data), free(sinks);
    free(out), free(scores), free(exact);
}

int main(void) {
    need_isa();
    static const int64_t dims[][2] = {{64, 64}, {80, 80}, {8, 24}, {96, 96}, {128, 128}, {72, 104}, {256, 64}};
    static const int64_t heads[][2] = {{1, 1}, {4, 1}, {3, 3}, {6, 2}, {14, 2}, {16, 2}, {5, 1}};
    static const int64_t tokens[] = {1, 2, 3, 8, 17, 33};
    static const int64_t cells[] = {1, 9, 63, 64, 100, 256, 300};
    for (int i = 0; i < 400 / CASE_STEP; i++) {
        const int64_t *dim = dims[next_random() % 7], *head = heads[next_random() % 7];
        const struct shape s = {.d = dim[0],
                                .dv = dim[1],
                                .tokens = tokens[next_random() % 6],
                                .cells = cells[next_random() % 7],
                                .heads = head[0],
                                .groups = head[1],
                                .type = i % 5 == 0 ? TYPE_F32 : i % 7 == 0 ? TYPE_BF16 : TYPE_F16,
                                .mask = (enum mask_kind)(i % MASKS),
                                .sinks = next_random() % 3 == 0,
                                .softcap = next_random() % 3 == 0 ? 30 : 0,
                                .k_size = 4,
                                .v_size = next_random() % 4 == 0 ? 60000 : 1};
        const int threads = 1 + (int)(next_random() % 5);
        compare(&s, threads, 1 + (int)(next_random() % 5));
    }
    /* split among threads */
    for (int mask = 0; mask < MASKS; mask++) {
        const struct shape s = {64, 64, 1 + mask % 2, 2048, 8, 2, TYPE_F16, (enum mask_kind)mask,
                                mask % 3 == 0, 0, 8, 1};
        compare(&s, 3, 3);
        compare(&s, 7, 4);
    }
    const struct shape some[] = {
        {64, 64, 200, 512, 8, 2, TYPE_F16, CAUSAL, false, 0, 4, 1},
        {128, 128, 100, 256, 1, 1, TYPE_F16, SLIDING, false, 50, 4, 1},
        {64, 64, 40, 256, 4, 2, TYPE_Q8_0, CAUSAL, false, 0, 4, 1},
        {96, 96, 1, 300, 4, 2, TYPE_Q8_0, HOLES, true, 0, 4, 1},
        {576, 512, 3, 256, 128, 1, TYPE_F16, CAUSAL, false, 0, 4, 1},
        {576, 512, 1, 100, 97, 1, TYPE_F16, CAUSAL, true, 0, 4, 1},
        {64, 64, 5, 256, 4, 4, TYPE_F16, CAUSAL, false, 0, 3000, 1}, /* logits beyond what exp takes */
        {64, 64, 1, 256, 4, 4, TYPE_F16, HOLES, true, 0, 3000, 60000},
        {64, 64, 70, 128, 4, 1, TYPE_F16, HOLES, true, 20, 3000, 60000},
    };
    for (unsigned i = 0; i < sizeof some / sizeof *some; i++) {
        compare(&some[i], 1 + (int)i % 3, 2);
    }
    check(gatun_attention_floats(12, 64, 1, 4, 2, 256, 1) < 0, "d 12 is no multiple of 8");
    check(gatun_attention_floats(64, 64, 1, 5, 2, 256, 1) < 0, "5 heads are no multiple of 2");
    printf("attention: %s, largest error %.1e of the largest value\n", gatun_isa(), worst);
    return 0;
}
