/*
 * Products of floats with expert matrices and their gradients, for every type, against sums in
 * double: odd shapes, strides, experts without pairs, ids that lead nowhere.
 */
#include "random_routes.h"
#include "random_weights.h"

/* What one case is made of; letters as in gatun.h. */
typedef struct {
    int32_t type, form;
    int64_t k, m, x, u, t;
    bool shared;    /* x is [K, 1, T] */
    int64_t gap;    /* floats between rows */
    int favourite;  /* percent of the pairs that go to one expert */
    float scale;
} shape;

static const char *name_of(int32_t form) {
    return (form & GATUN_MUL_MAT) == GATUN_MUL_MAT      ? "product"
           : (form & GATUN_MUL_MAT) == GATUN_GRAD_INPUT ? "gradient of x"
                                                        : "gradient of W";
}

/* W [K, M, X] and the same exactly, in rows of the same length. */
static struct ggml_tensor random_experts(const shape *s, float **exact) {
    const int64_t row = row_bytes(s->type, s->k), rows = s->m * s->x;
    uint8_t *w = filled(row * rows);
    *exact = filled((s->k * rows + FLOAT_ROWS) * (int64_t)sizeof **exact);
    for (int64_t r = 0; r < rows; r++) {
        fill(s->type, w + r * row, *exact + r * s->k, s->k, s->scale);
    }
    struct ggml_tensor t = matrix(s->type, s->k, s->m, w);
    t.ne[2] = s->x;
    t.nb[1] = (size_t)row;
    t.nb[2] = (size_t)(row * s->m);
    return t;
}

/* One element of a result, and the sum of what it is made of without signs. */
typedef struct {
    double value, size;
} exactly;

static exactly plus(exactly e, double x) { return (exactly){e.value + x, e.size + fabs(x)}; }

static float at(const struct ggml_tensor *t, int64_t i, int64_t j, int64_t z) {
    const size_t row = t->ne[1] == 1 ? 0 : (size_t)j * t->nb[1];
    return *(const float *)((const char *)t->data + (size_t)i * 4 + row + (size_t)z * t->nb[2]);
}

/* Element i of row j of matrix z of the result. `w`: exact weights; `rows`: x or dy; `dy`: dy or NULL. */
static exactly expected(const shape *s, const float *w, const struct ggml_tensor *rows,
                        const struct ggml_tensor *dy, const int64_t *experts, int64_t i, int64_t j,
                        int64_t z) {
    exactly e = {0, 0};
    if (dy) {
        for (int64_t p = 0; p < s->u * s->t; p++) {
            if (experts[p] == z) {
                e = plus(e, (double)at(rows, i, p % s->u, p / s->u) * at(dy, j, p % s->u, p / s->u));
            }
        }
        return e;
    }
    const float *matrix = w + experts[z * s->u + j] * s->m * s->k;
    const bool product = (s->form & GATUN_MUL_MAT) == GATUN_MUL_MAT;
    for (int64_t l = 0; l < (product ? s->k : s->m); l++) {
        e = plus(e, (double)matrix[product ? i * s->k + l : l * s->k + i] * at(rows, l, j, z));
    }
    return e;
}

/*
 * A thread that comes when `taken` blocks are taken computes the others: what it leaves alone is what
 * there was, and the rest has the same bits.
 */
static void comes_late(struct ggml_tensor *c, const float *before, const float *whole, int64_t size,
                       struct gatun_gemm_node *node) {
    for (int32_t taken = 1; taken < 40; taken = 3 * taken + 1) {
        float *some = filled(size * (int64_t)sizeof *some);
        memcpy(some, before, (size_t)size * sizeof *some);
        c->data = some;
        node->next = taken;
        gatun_gemm_experts(c, 0, 7, node);
        for (int64_t i = 0; i < size; i++) {
            check(memcmp(some + i, before + i, 4) == 0 || memcmp(some + i, whole + i, 4) == 0,
                  "a thread that came late wrote something else");
        }
        node->next = node->left = 0;
        free(some);
    }
}

static void compare(shape s) {
    const bool weight = (s.form & GATUN_MUL_MAT) == GATUN_GRAD_WEIGHT;
    const bool product = (s.form & GATUN_MUL_MAT) == GATUN_MUL_MAT;
    int64_t *experts = filled(s.u * s.t * (int64_t)sizeof *experts);
    struct ggml_tensor ids = random_ids(s.u, s.t, s.x, s.favourite, experts);
    void *route = filled(gatun_route_bytes(s.x, s.u * s.t));
    struct ggml_tensor tr = {.data = route, .src = {&ids}};
    run_op(gatun_route, &tr, s.x);

    float *w = NULL;
    struct ggml_tensor a = {0}, dy = {0};
    const bool has_x = weight || product;
    const int64_t length = has_x ? s.k : s.m, each = has_x && s.shared ? 1 : s.u;
    struct ggml_tensor rows =
        spaced(length, each, s.t, s.gap, random_floats((length + s.gap) * each * s.t, s.scale));
    if (weight) {
        dy = spaced(s.m, s.u, s.t, 2 * s.gap, random_floats((s.m + 2 * s.gap) * s.u * s.t, s.scale));
    } else {
        a = random_experts(&s, &w);
    }

    const int64_t inner = product ? s.m : s.k, outer = weight ? s.m : s.u, depth = weight ? s.x : s.t;
    const int64_t size = (inner + s.gap) * outer * depth;
    float *c = random_floats(size, s.scale), *before = filled(size * (int64_t)sizeof *c);
    memcpy(before, c, (size_t)size * sizeof *c);
    struct ggml_tensor tc = spaced(inner, outer, depth, s.gap, c);
    struct ggml_tensor tb = tc;
    tb.data = before;
    const int first = s.form & GATUN_IN_PLACE ? 1 : 0;
    tc.src[0] = &tc;
    tc.src[first] = weight ? &rows : &a;
    tc.src[first + 1] = weight ? &dy : &rows;
    tc.src[first + 2] = &tr;
    struct gatun_gemm_node node = {.form = s.form};
    run_op(gatun_gemm_experts, &tc, (int64_t)(intptr_t)&node);
    check(node.next == 0 && node.left == 0, "the node is not ready for its next run");

    for (int64_t z = 0; z < depth; z++) {
        bool used = false;
        for (int64_t p = 0; p < s.u * s.t; p++) {
            used |= experts[p] == z;
        }
        for (int64_t j = 0; j < outer; j++) {
            for (int64_t i = 0; i < inner + s.gap; i++) {
                const float got = at(&tc, i, j, z), was = at(&tb, i, j, z);
                if (i >= inner || (weight && !used && s.form & GATUN_ACCUMULATE)) {
                    check(memcmp(&got, &was, 4) == 0, "type %d, %s: wrote outside", s.type, name_of(s.form));
                    continue;
                }
                exactly e = expected(&s, w, &rows, weight ? &dy : NULL, experts, i, j, z);
                e = s.form & GATUN_ACCUMULATE ? plus(e, was) : e;
                check(fabs(got - e.value) <= 1e-6 * e.size + 1e-37,
                      "type %d, %s of [%d, %d, %d], %d × %d pairs: (%d, %d, %d) is %g, exactly %g",
                      s.type, name_of(s.form), (int)s.k, (int)s.m, (int)s.x, (int)s.u, (int)s.t,
                      (int)i, (int)j, (int)z, (double)got, e.value);
            }
        }
    }

    /* Another number of threads, the same bits. */
    float *again = filled(size * (int64_t)sizeof *c);
    memcpy(again, before, (size_t)size * sizeof *c);
    tc.data = again;
    for (int ith = 0; ith < 17; ith++) {
        gatun_gemm_experts(&tc, ith, 17, &node);
    }
    check(memcmp(again, c, (size_t)size * sizeof *c) == 0, "type %d, %s: 17 threads give other bits",
          s.type, name_of(s.form));
    comes_late(&tc, before, c, size, &node);
    free(experts), free(ids.data), free(route), free(w), free(a.data), free(rows.data), free(dy.data);
    free(c), free(before), free(again);
}

static int64_t up_to(int64_t most) { return 1 + next_random() % (uint32_t)most; }

int main(void) {
    need_isa();
    enum { ADD = GATUN_ACCUMULATE | GATUN_IN_PLACE };
    static const int32_t forms[] = {GATUN_MUL_MAT,     GATUN_MUL_MAT | ADD,    GATUN_GRAD_INPUT,
                                    GATUN_GRAD_WEIGHT, GATUN_GRAD_INPUT | ADD, GATUN_GRAD_WEIGHT | ADD};
    int cases = 0;
    for (unsigned n = 0; n < sizeof types / sizeof *types; n++) {
        const int64_t block = block_values(types[n]);
        for (unsigned f = 0; f < sizeof forms / sizeof *forms; f++) {
            /* The gradient of W knows no type but F32. */
            const int32_t type = (forms[f] & GATUN_MUL_MAT) == GATUN_GRAD_WEIGHT ? TYPE_F32 : types[n];
            for (int i = 0; i < 9; i++) {
                shape s = {type, forms[f], up_to(70), up_to(70), up_to(9), up_to(4), up_to(40),
                           i % 2, i % 3, i % 3 * 45, 1};
                if (type != TYPE_F32 || i % 3 == 0) {
                    s.k = block * up_to(block == 1 ? 300 : block == 32 ? 9 : 2);
                }
                s.t = i == 3 ? 1 : i == 4 ? 150 : s.t;
                s.x = i == 5 ? 60 : s.x;
                if (cases++ % CASE_STEP == 0) {
                    compare(s);
                }
            }
        }
    }
    /* Adapters: narrow one way or the other. */
    for (int64_t rank = 4; rank <= 64; rank *= 2) {
        for (unsigned f = 0; f < sizeof forms / sizeof *forms; f++) {
            const int64_t tokens = up_to(90);
            if (cases++ % CASE_STEP == 0) {
                compare((shape){TYPE_F32, forms[f], 333, rank, 5, 1, tokens, true, 0, 20, 1});
                compare((shape){TYPE_F16, forms[f] & GATUN_B_INNER_SUM ? forms[f] : GATUN_MUL_MAT,
                                rank, 200, 5, 1, tokens, false, 0, 20, 1});
            }
        }
    }
    for (unsigned f = 0; f < sizeof forms / sizeof *forms; f++) {
        compare((shape){TYPE_F32, forms[f], 70, 20, 3, 2, 30, false, 1, 50, 1e18f});
        compare((shape){TYPE_F32, forms[f], 70, 20, 3, 2, 30, true, 0, 50, 1e-15f});
    }
    /* Few columns on average, but many of one expert: blocks for dots that get panels. */
    compare((shape){TYPE_F32, GATUN_MUL_MAT, 2100, 16, 8, 1, 17, true, 0, 0, 1});
    compare((shape){TYPE_F16, GATUN_MUL_MAT, 700, 64, 8, 1, 40, true, 0, 0, 1});
    compare((shape){TYPE_F32, GATUN_GRAD_WEIGHT, 16, 8, GATUN_EXPERTS_MAX, 1, 5, true, 0, 0, 1});
    compare((shape){TYPE_F32, GATUN_MUL_MAT, 16, 8, GATUN_EXPERTS_MAX, 2, 5, true, 0, 0, 1});
    printf("gemm_experts: %s\n", gatun_isa());
    return 0;
}
