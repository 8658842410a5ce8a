/*
 * Products of floats as one node of a graph: see float_gemm.h for how they are computed. Blocks of C
 * are handed out by a counter in the node's userdata, so that a thread whose core is busy elsewhere
 * holds nobody up.
 */
#include "float_gemm.h"
#include "gatun.h"
#include "gemm_block.h"
#include "ggml_tensor.h"
#include "kernels.h"

bool gatun_gemm_supports(int32_t type) {
    return type == TYPE_F32 || type == TYPE_F16 || type == TYPE_BF16 || gatun_weight_type(type);
}

int64_t gatun_packed_row(int64_t l) { return l * FLOAT_COLUMNS; }
int64_t gatun_packed_rows(int64_t j) { return groups(j, FLOAT_COLUMNS); }

void gatun_pack_columns(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const struct ggml_tensor *b = dst->src[0];
    const bool inner_sum = (intptr_t)userdata & GATUN_B_INNER_SUM;
    const int64_t n = inner_sum ? b->ne[1] : b->ne[0], k = inner_sum ? b->ne[0] : b->ne[1];
    const int64_t all = dst->ne[1] * dst->ne[2] * dst->ne[3];
    const int64_t l_step = inner_sum ? 1 : (int64_t)(b->nb[1] / sizeof(float));
    const int64_t j_step = inner_sum ? (int64_t)(b->nb[1] / sizeof(float)) : 1;
    for (int64_t group = all * ith / nth; group < all * (ith + 1) / nth; group++) {
        const int64_t i2 = group / dst->ne[1] % dst->ne[2], i3 = group / dst->ne[1] / dst->ne[2];
        const int64_t j = group % dst->ne[1] * FLOAT_COLUMNS;
        const float *from = (const float *)((const char *)b->data + i2 * (int64_t)b->nb[2] +
                                            i3 * (int64_t)b->nb[3]) + j * j_step;
        float *to = (float *)((char *)dst->data + group % dst->ne[1] * (int64_t)dst->nb[1] +
                              i2 * (int64_t)dst->nb[2] + i3 * (int64_t)dst->nb[3]);
        const int columns = (int)at_most(n - j, FLOAT_COLUMNS);
        for (int64_t l = 0; l < k; l++, from += l_step, to += FLOAT_COLUMNS) {
            if (columns == FLOAT_COLUMNS) {
                for (int at = 0; at < FLOAT_COLUMNS; at++) {
                    to[at] = from[at * j_step];
                }
            } else {
                for (int at = 0; at < FLOAT_COLUMNS; at++) {
                    to[at] = at < columns ? from[at * j_step] : 0;
                }
            }
        }
    }
}

static gemm_rows rows_of(const struct ggml_tensor *t) {
    return (gemm_rows){.first = t->data, .stride = (int64_t)t->nb[1]};
}

/* The matrix of an operand that C's matrix i2, i3 is made of. */
static char *matrix_at(const struct ggml_tensor *t, const struct ggml_tensor *c, int64_t i2, int64_t i3) {
    return (char *)t->data + i2 / (c->ne[2] / t->ne[2]) * (int64_t)t->nb[2] +
           i3 / (c->ne[3] / t->ne[3]) * (int64_t)t->nb[3];
}

void gatun_gemm(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)ith;
    struct gatun_gemm_node *node = userdata;
    const int operand = node->form & GATUN_IN_PLACE ? 1 : 0;
    const struct ggml_tensor *a = dst->src[operand], *b = dst->src[operand + 1];
    gemm_product p = {.type = a->type,
                      .form = node->form,
                      .a = rows_of(a),
                      .b = rows_of(b),
                      .c = rows_of(dst),
                      .m = dst->ne[0],
                      .n = dst->ne[1],
                      .k = node->form & GATUN_A_INNER_SUM ? a->ne[0] : a->ne[1]};
    const int64_t products = dst->ne[2] * dst->ne[3];
    const gemm_blocks size = gatun_gemm_blocks(&p, products, nth);
    const int64_t column_blocks = size.columns > 0 ? groups(p.n, size.columns) : 0;
    const int64_t blocks = groups(p.m, size.rows) * column_blocks;
    for (int64_t next = next_block(node); next < blocks * products; next = next_block(node)) {
        const int64_t i2 = next / blocks % dst->ne[2], i3 = next / blocks / dst->ne[2];
        p.a.first = matrix_at(a, dst, i2, i3);
        p.b.first = matrix_at(b, dst, i2, i3);
        p.c.first = matrix_at(dst, dst, i2, i3);
        gatun_gemm_block(&p, next % blocks / column_blocks * size.rows,
                         next % column_blocks * size.columns, size);
    }
    leave(node, nth);
}
