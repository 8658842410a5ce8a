/*
 * Products with few columns, as decoding has them: each row of the weights is read once, straight
 * from the file. The input is converted once for all products that share it, several weights are one
 * node with one barrier, and threads take rows from a counter. The dot products are those of
 * row_dots.h, or GGML's own for types that it lacks.
 */
#include "gatun.h"
#include "ggml_tensor.h"
#include "kernels.h"
#include "products.h"

#include <stdbool.h>

/* Pieces per thread: long stretches of memory for the prefetcher, and still something to give away
 * when one thread is held up. */
enum { PIECES = 4, ROWS_MIN = 16 };

/* userdata: struct gatun_row_type. src[0]: F32 [K, N] or, for experts, [K, U, T]. */
void gatun_convert_rows(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const struct gatun_row_type *type = userdata;
    const struct ggml_tensor *x = dst->src[0];
    packed_header *header = dst->data;
    char *rows = (char *)(header + 1);
    if (ith == 0) {
        reset_counters(header);
    }
    const int64_t blocks = x->ne[0] / type->block;
    const int64_t row_bytes = blocks * type->block_bytes;
    const int64_t from = x->ne[1] * x->ne[2] * blocks * ith / nth;
    const int64_t to = x->ne[1] * x->ne[2] * blocks * (ith + 1) / nth;
    for (int64_t at = from; at < to;) {
        const int64_t row = at / blocks;
        const int64_t first = at % blocks;
        const int64_t last = to - at < blocks - first ? first + to - at : blocks;
        const float *values =
            (const float *)((const char *)x->data + row % x->ne[1] * (int64_t)x->nb[1] +
                            row / x->ne[1] * (int64_t)x->nb[2]);
        type->from_float(values + first * type->block,
                         rows + row * row_bytes + first * type->block_bytes,
                         (last - first) * type->block);
        at += last - first;
    }
}

int64_t gatun_converted_bytes(const struct gatun_row_type *type, int64_t k, int64_t n) {
    return (int64_t)sizeof(packed_header) + n * (k / type->block) * type->block_bytes;
}

int32_t gatun_row_dots_block(int32_t type) {
    return gatun_kernels()->row_dots_known(type) ? gatun_weight_type(type)->block_values : 0;
}

/* Rows from…to of one weight with all columns, by our own kernel. */
static void own_rows(const struct ggml_tensor *w, int64_t from, int64_t to, const char *input,
                     int64_t input_bytes, int64_t n, float *c) {
    const char *rows = (const char *)w->data + from * (int64_t)w->nb[1];
    for (int64_t j = 0; j < n; j += DOT_COLUMNS_MAX) {
        const int columns = n - j < DOT_COLUMNS_MAX ? (int)(n - j) : DOT_COLUMNS_MAX;
        gatun_kernels()->row_dots(w->type, rows, (int64_t)w->nb[1], to - from, w->ne[0],
                                  input + j * input_bytes, input_bytes, columns,
                                  c + j * w->ne[1] + from, w->ne[1]);
    }
}

/* src[0]: what gatun_convert_rows or gatun_quantize_rows made; src[1…]: weights. userdata: struct gatun_dot_product. */
void gatun_dot_rows(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)ith;
    const struct gatun_dot_product *product = userdata;
    packed_header *header = dst->src[0]->data;
    const char *input = (const char *)(header + 1);
    counter *counter = &header->counters[product->number];
    const int64_t all_rows = rows_of_all(dst, 1);
    const int64_t n = columns_of_each(dst, 1);
    const int64_t input_bytes = input_row_bytes(dst->src[0], product->rows);
    const int64_t share = all_rows / (PIECES * nth);
    const int64_t rows = share > ROWS_MIN ? share : ROWS_MIN;
    for (;;) {
        int64_t row = (int64_t)take(counter) * rows;
        if (row >= all_rows) {
            return;
        }
        int64_t end = row + rows < all_rows ? row + rows : all_rows;
        float *c = dst->data;
        const struct ggml_tensor *w = dst->src[1];
        for (int i = 1; row < end;) {
            const int64_t m = w->ne[1];
            if (row >= m) { /* the next weight */
                row -= m;
                end -= m;
                c += m * n;
                w = dst->src[++i];
                continue;
            }
            const int64_t last = end < m ? end : m;
            if (!product->dot[i - 1]) {
                own_rows(w, row, last, input, input_bytes, n, c);
                row = last;
            }
            for (; row < last; row++) {
                const char *values = (const char *)w->data + row * (int64_t)w->nb[1];
                for (int64_t j = 0; j < n; j++) {
                    product->dot[i - 1]((int)w->ne[0], c + j * m + row, 0, values, 0,
                                        input + j * input_bytes, 0, 1);
                }
            }
        }
    }
}
