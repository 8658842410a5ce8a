/*
 * Products of few columns, with and without experts. The dot products are given, so results must have
 * their bits: what is tested is which row meets which column, and where the result goes.
 */
#include "random_routes.h"
#include "products.h"

/* Activations as GGML keeps them for F32 weights. */
static void as_floats(const float *x, void *y, int64_t k) { memcpy(y, x, (size_t)k * sizeof *x); }

static void dot_floats(int n, float *s, size_t bs, const void *x, size_t bx, const void *y, size_t by,
                       int nrc) {
    (void)bs, (void)bx, (void)by, (void)nrc;
    float sum = 0;
    for (int i = 0; i < n; i++) {
        sum += ((const float *)x)[i] * ((const float *)y)[i];
    }
    *s = sum;
}

/* And in blocks of 32 with one scale, like Q8_0. */
typedef struct {
    float d;
    int8_t q[32];
} bytes32;

static void as_bytes(const float *x, void *y, int64_t k) {
    bytes32 *b = y;
    for (int64_t at = 0; at < k; at += 32, b++) {
        float largest = 0;
        for (int i = 0; i < 32; i++) {
            largest = fmaxf(largest, fabsf(x[at + i]));
        }
        b->d = largest / 127;
        for (int i = 0; i < 32; i++) {
            b->q[i] = b->d > 0 ? (int8_t)(x[at + i] / largest * 127) : 0;
        }
    }
}

static void dot_bytes(int n, float *s, size_t bs, const void *x, size_t bx, const void *y, size_t by,
                      int nrc) {
    (void)bs, (void)bx, (void)by, (void)nrc;
    float sum = 0;
    for (int b = 0; b < n / 32; b++) {
        const bytes32 *w = (const bytes32 *)x + b, *v = (const bytes32 *)y + b;
        int whole = 0;
        for (int i = 0; i < 32; i++) {
            whole += w->q[i] * v->q[i];
        }
        sum += w->d * v->d * (float)whole;
    }
    *s = sum;
}

typedef void dot_fn(int, float *, size_t, const void *, size_t, const void *, size_t, int);

/* A type of activations and the weights that take it. */
static const struct gatun_row_type row_types[] = {{as_floats, 1, sizeof(float)},
                                                  {as_bytes, 32, sizeof(bytes32)}};
static dot_fn *const dots[] = {dot_floats, dot_bytes};

static int64_t bytes_of(int way, int64_t k) { return k / row_types[way].block * row_types[way].block_bytes; }

/* Rows [k, m, x] in the form of the activations, with room between rows and between matrices. */
static struct ggml_tensor random_matrix(int way, int64_t k, int64_t m, int64_t x, float scale) {
    const int64_t row = bytes_of(way, k) + 8, matrix_bytes = row * m + 24;
    char *data = filled(matrix_bytes * x);
    for (int64_t i = 0; i < m * x; i++) {
        float *values = random_floats(k, scale);
        row_types[way].from_float(values, data + i / m * matrix_bytes + i % m * row, k);
        free(values);
    }
    struct ggml_tensor t = matrix(0, k, m, data);
    t.ne[2] = x;
    t.nb[1] = (size_t)row;
    t.nb[2] = (size_t)matrix_bytes;
    return t;
}

/* F32 [k, n, t] with room between rows; some values are extreme. */
static struct ggml_tensor random_input(int64_t k, int64_t n, int64_t t, float scale) {
    const int64_t row = k + next_random() % 5;
    struct ggml_tensor x = matrix(TYPE_F32, k, n, random_floats(row * n * t, scale));
    x.ne[2] = t;
    x.nb[1] = (size_t)row * sizeof(float);
    x.nb[2] = x.nb[1] * (size_t)n;
    ((float *)x.data)[next_random() % (uint32_t)k] = next_random() % 3 ? 0 : 1e30f;
    return x;
}

enum { WEIGHTS = 8 };

static void check_result(const float *got, const char *w, const void *column, int way, int64_t k,
                         const char *what) {
    float expected;
    dots[way]((int)k, &expected, 0, w, 0, column, 0, 1);
    check(memcmp(got, &expected, sizeof expected) == 0, "%s: %g where a dot product is %g", what,
          (double)*got, (double)expected);
}

/* The converted rows, each as it would be by itself. */
static struct ggml_tensor converted(int way, struct ggml_tensor *x, char **rows) {
    const struct gatun_row_type *type = &row_types[way];
    const int64_t k = x->ne[0], n = x->ne[1] * x->ne[2], bytes = gatun_converted_bytes(type, k, n);
    struct ggml_tensor t = {.ne = {bytes, 1, 1, 1}, .nb = {1}, .data = filled(bytes), .src = {x}};
    run_op(gatun_convert_rows, &t, (int64_t)(intptr_t)type);
    *rows = filled(n * bytes_of(way, k));
    for (int64_t i = 0; i < n; i++) {
        const char *from = (const char *)x->data + (size_t)(i % x->ne[1]) * x->nb[1] +
                           (size_t)(i / x->ne[1]) * x->nb[2];
        type->from_float((const float *)from, *rows + i * bytes_of(way, k), k);
    }
    check(memcmp(*rows, (char *)t.data + sizeof(packed_header), (size_t)(n * bytes_of(way, k))) == 0,
          "rows of %d values were converted otherwise", (int)k);
    return t;
}

static void run_with(custom_op *op, struct ggml_tensor *c, struct ggml_tensor *input,
                     const struct gatun_dot_product *product, int threads) {
    reset_counters(input->data);
    for (int ith = 0; ith < threads; ith++) {
        op(c, ith, threads, (void *)(uintptr_t)product);
    }
}

/* `count` weights and their products with n columns. */
static void without_experts(int way, int64_t k, int64_t n, int count, int threads, float scale) {
    struct ggml_tensor x = random_input(k, n, 1, scale), w[WEIGHTS], c = {0};
    char *columns;
    struct ggml_tensor input = converted(way, &x, &columns);
    struct gatun_dot_product product = {.number = next_random() % GATUN_PRODUCTS, .rows = n};
    int64_t rows = 0;
    for (int i = 0; i < count; i++) {
        w[i] = random_matrix(way, k, 1 + next_random() % (i % 3 ? 9 : 200), 1, scale);
        product.dot[i] = dots[way];
        rows += w[i].ne[1];
        c.src[1 + i] = &w[i];
    }
    c.src[0] = &input;
    c.ne[0] = rows * n;
    c.ne[1] = c.ne[2] = c.ne[3] = 1;
    float *result = c.data = filled(rows * n * (int64_t)sizeof *result);
    run_with(gatun_dot_rows, &c, &input, &product, threads);
    for (int i = 0; i < count; i++) {
        for (int64_t j = 0; j < n; j++) {
            for (int64_t row = 0; row < w[i].ne[1]; row++) {
                check_result(result++, (const char *)w[i].data + (size_t)row * w[i].nb[1],
                             columns + j * bytes_of(way, k), way, k, "rows");
            }
        }
        free(w[i].data);
    }
    free(x.data), free(columns), free(input.data), free(c.data);
}

/* The same with experts: a column for each pair, or one for all pairs of a token. */
static void with_experts(int way, int64_t k, int64_t experts, int64_t used, int64_t tokens,
                         bool shared, int count) {
    const int64_t pairs = used * tokens;
    struct ggml_tensor x = random_input(k, shared ? 1 : used, tokens, 1), w[WEIGHTS], c = {0};
    int64_t *expert = filled(pairs * (int64_t)sizeof *expert);
    struct ggml_tensor ids = random_ids(used, tokens, experts, 30, expert);
    char *columns;
    struct ggml_tensor input = converted(way, &x, &columns);
    struct gatun_dot_product product = {.number = next_random() % GATUN_PRODUCTS,
                                        .rows = shared ? tokens : pairs};
    int64_t rows = 0;
    for (int i = 0; i < count; i++) {
        w[i] = random_matrix(way, k, 1 + next_random() % (i % 3 ? 9 : 300), experts, 1);
        product.dot[i] = dots[way];
        rows += w[i].ne[1];
        c.src[2 + i] = &w[i];
    }
    c.src[0] = &input;
    c.src[1] = &ids;
    c.ne[0] = rows * pairs;
    c.ne[1] = c.ne[2] = c.ne[3] = 1;
    float *result = c.data = filled(rows * pairs * (int64_t)sizeof *result);
    run_with(gatun_dot_experts, &c, &input, &product, 3);
    for (int i = 0; i < count; i++) {
        for (int64_t pair = 0; pair < pairs; pair++) {
            for (int64_t row = 0; row < w[i].ne[1]; row++) {
                const char *weights = (const char *)w[i].data + (size_t)expert[pair] * w[i].nb[2] +
                                      (size_t)row * w[i].nb[1];
                const int64_t column = shared ? pair / used : pair;
                check_result(result++, weights, columns + column * bytes_of(way, k), way, k, "experts");
            }
        }
        free(w[i].data);
    }
    free(x.data), free(expert), free(ids.data), free(columns), free(input.data), free(c.data);
}

int main(void) {
    need_isa();
    static const int threads[] = {1, 3, 17};
    for (int i = 0; i < 140; i += CASE_STEP) {
        const int way = i % 2;
        const int64_t k = row_types[way].block * (1 + next_random() % (way ? 9 : 100));
        const float scale = i % 7 == 0 ? 1e18f : i % 7 == 1 ? 1e-20f : 1;
        without_experts(way, k, 1 + next_random() % 5, 1 + i % WEIGHTS, threads[i % 3], scale);
        with_experts(way, k, 1 + next_random() % 9, 1 + next_random() % 4, 1 + next_random() % 7,
                     i % 4 < 2, 1 + i % WEIGHTS);
    }
    with_experts(0, 5, GATUN_EXPERTS_MAX, 8, 2, true, 2);
    printf("dot_rows: %s\n", gatun_isa());
    return 0;
}
