/*
 * Integer products with experts: the route against its definition, packed activations against each
 * column packed alone, products of every type against sums in double. Odd shapes, strides, several
 * weights in one node, experts without pairs, ids that lead nowhere.
 */
#include "random_routes.h"
#include "random_weights.h"
#include "products.h"
#include "route.h"

/* The pairs of each expert in ascending order, and nothing but these. */
static void check_route(const route *r, int64_t x, int64_t pairs, const int64_t *experts) {
    check(r->experts == x, "the route knows %d experts of %d", (int)r->experts, (int)x);
    int64_t seen = 0;
    for (int32_t e = 0; e < x; e++) {
        const int64_t count = pair_count(r, e);
        const int64_t room = (int64_t)(r->first_group[e + 1] - r->first_group[e]) * GROUP_COLUMNS;
        check(room - count >= 0 && room - count < GROUP_COLUMNS, "expert %d: %d pairs in %d places",
              e, (int)count, (int)room);
        for (int64_t i = 0, pair = 0; pair < pairs; pair++) {
            if (experts[pair] == e) {
                check(i < count && pairs_of_expert(r, e)[i] == pair, "expert %d lacks pair %d", e, (int)pair);
                i++;
                seen++;
            }
        }
    }
    check(seen == pairs && r->groups == r->first_group[x], "the route has other pairs");
    check((const char *)(pairs_of(r) + r->groups * GROUP_COLUMNS) <=
              (const char *)r + gatun_route_bytes(x, pairs), "the route is longer than it said");
}

static const float *column_of(const struct ggml_tensor *x, int64_t pair, int64_t used) {
    const int64_t u = x->ne[1] == 1 ? 0 : pair % used;
    return (const float *)((const char *)x->data + (size_t)u * x->nb[1] + (size_t)(pair / used) * x->nb[2]);
}

/* Each group has the bytes of its columns packed by themselves. */
static void check_packed(const struct ggml_tensor *x, const route *r, int64_t used, int block,
                         const packed_header *packed) {
    const struct gatun_kernels *k = gatun_kernels();
    const int64_t length = x->ne[0], bytes = gatun_group_bytes(length, block);
    float *values = filled(GROUP_COLUMNS * length * (int64_t)sizeof *values);
    char *expected = filled(bytes);
    for (int64_t g = 0; g < r->groups; g++) {
        int columns = 0;
        for (; columns < GROUP_COLUMNS && pairs_of(r)[g * GROUP_COLUMNS + columns] >= 0; columns++) {
            memcpy(values + columns * length,
                   column_of(x, pairs_of(r)[g * GROUP_COLUMNS + columns], used), (size_t)length * 4);
        }
        (block == 256 ? k->pack256 : k->pack32)(values, length, columns, 0, length / block, expected);
        check(memcmp(expected, (const char *)(packed + 1) + g * bytes, (size_t)bytes) == 0,
              "group %d of blocks of %d was packed otherwise", (int)g, block);
    }
    free(values), free(expected);
}

enum { WEIGHTS = 3 };

/* Several weights [K, M, X] of one family and their products. */
static void compare(int32_t type, int32_t other, int64_t k, int64_t x, int64_t used, int64_t tokens,
                    bool shared, int favourite, float scale, int64_t widest) {
    const int block = gatun_activation_block(type);
    const int64_t pairs = used * tokens;
    const int64_t widths[WEIGHTS] = {1 + next_random() % (uint32_t)widest, 16, 1 + next_random() % 20};
    int64_t *experts = filled(pairs * (int64_t)sizeof *experts);
    struct ggml_tensor ids = random_ids(used, tokens, x, favourite, experts);
    const int64_t gap = next_random() % 4, each = shared ? 1 : used;
    float *values = random_floats((k + gap) * each * tokens, scale);
    values[next_random() % (uint32_t)k] = 1000 * scale; /* an outlier */
    struct ggml_tensor tx = spaced(k, each, tokens, gap, values);

    struct ggml_tensor tr = {.data = filled(gatun_route_bytes(x, pairs)), .src = {&ids}};
    run_op(gatun_route, &tr, x);
    check_route(tr.data, x, pairs, experts);
    struct ggml_tensor tq = {.data = filled(gatun_quantized_experts_bytes(block, k, x, pairs)),
                             .src = {&tx, &tr, &ids}};
    run_op(gatun_quantize_experts, &tq, block);
    check_packed(&tx, tr.data, used, block, tq.data);

    struct ggml_tensor w[WEIGHTS];
    int64_t rows = 0;
    for (int i = 0; i < WEIGHTS; i++) {
        const int32_t t = i == 1 ? other : type;
        w[i] = matrix(t, k, widths[i], random_blocks(t, k / block * widths[i] * x, scale));
        w[i].ne[2] = x;
        w[i].nb[1] = (size_t)row_bytes(t, k);
        w[i].nb[2] = w[i].nb[1] * (size_t)widths[i];
        rows += widths[i];
    }
    float *c = filled(rows * pairs * (int64_t)sizeof *c);
    struct ggml_tensor tc = matrix(TYPE_F32, rows * pairs, 1, c);
    tc.src[0] = &tq;
    tc.src[1] = &tr;
    for (int i = 0; i < WEIGHTS; i++) {
        tc.src[2 + i] = &w[i];
    }
    run_op(gatun_mul_mat_experts, &tc, GATUN_PRODUCTS - 1);

    /* One thread takes neighbouring panels at once, many take one each: the same bits. */
    float *again = filled(rows * pairs * (int64_t)sizeof *again);
    tc.data = again;
    for (int threads = 1; threads < 50; threads += 40) {
        run_op(gatun_quantize_experts, &tq, block);
        memset(again, 0xa5, (size_t)(rows * pairs) * sizeof *again);
        for (int ith = 0; ith < threads; ith++) {
            gatun_mul_mat_experts(&tc, ith, threads, NULL);
        }
        check(memcmp(again, c, (size_t)(rows * pairs) * sizeof *c) == 0, "type %d: %d threads give other bits",
              type, threads);
    }

    float *exact = filled((k + FLOAT_ROWS) * (int64_t)sizeof *exact);
    const float *result = c;
    for (int i = 0; i < WEIGHTS; result += widths[i++] * pairs) {
        for (int64_t at = 0; at < widths[i] * pairs; at++) {
            const int64_t row = at % widths[i], pair = at / widths[i];
            const char *from = (const char *)w[i].data + (size_t)experts[pair] * w[i].nb[2] +
                               (size_t)row * w[i].nb[1];
            gatun_kernels_generic.floats(w[i].type, from, 0, (int)k, exact, FLOAT_ROWS);
            const float *column = column_of(&tx, pair, used);
            double sum = 0, squares = 0, weights = 0, largest = 0;
            for (int64_t l = 0; l < k; l++) {
                const double product = (double)exact[l] * column[l];
                sum += product;
                squares += product * product;
                weights += (double)exact[l] * exact[l];
                largest = fmax(largest, fabs(column[l]));
            }
            /* Rounding of activations to 1/127 of the largest in their block. */
            const double bound = 4 * sqrt(weights) * largest / 127 + 1e-4 * sqrt(squares) + 1e-20;
            check(fabs(result[at] - sum) <= bound, "type %d, K %d, pair %d, row %d is %g, exactly %g",
                  w[i].type, (int)k, (int)pair, (int)row, (double)result[at], sum);
        }
        free(w[i].data);
    }
    free(experts), free(ids.data), free(values), free(tr.data), free(tq.data), free(c), free(again), free(exact);
}

int main(void) {
    need_isa();
    int cases = 0;
    for (unsigned i = FLOAT_TYPES; i < sizeof types / sizeof *types; i++) {
        const int64_t block = gatun_activation_block(types[i]);
        /* Weights that share an input are of one family, not of one type. */
        const int32_t other = block == 256 ? TYPE_Q4_K : TYPE_Q8_0;
        const int64_t shapes[][4] = {{block, 1, 1, 1},      {3 * block, 5, 2, 9}, {1024 + block, 4, 3, 7},
                                     {2 * block, 40, 3, 5}, {block, 7, 4, 33},    {2048, 2, 1, 13}};
        for (unsigned s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            if (cases++ % CASE_STEP == 0) {
                const int64_t *n = shapes[s];
                compare(types[i], other, n[0], n[1], n[2], n[3], s % 2, (int)(s * 45 % 100), 1, 40);
            }
        }
        compare(types[i], other, block, 3, 2, 5, true, 0, 1e-3f, 700);
        compare(types[i], other, block, 3, 2, 5, false, 100, 0, 40);
    }
    compare(TYPE_Q8_0, TYPE_Q4_0, 32, GATUN_EXPERTS_MAX, 8, 3, true, 0, 1, 40);
    printf("experts: %s\n", gatun_isa());
    return 0;
}
