/*
 * Products of floats with expert matrices W [K, M, X], and their gradients. Pairs of a token and one
 * of its experts were sorted by expert (gatun_route), so each expert has one product of its own:
 *
 *   product          y [M, pairs]  = W [K, M] of the expert, x [K, pairs]
 *   gradient of x    dx [K, pairs] = W [K, M], dy [M, pairs]
 *   gradient of W    dW [K, M]     = x [K, pairs], dy [M, pairs]
 *
 * Nothing is gathered for the first two: a column is a pointer, wherever its pair lies. For the third
 * pairs are what is summed, in ascending order. Threads take blocks of all experts from one counter.
 */
#include "gatun.h"
#include "gemm_block.h"
#include "ggml_tensor.h"
#include "route.h"

/* An expert's columns are split among threads, but not so far that panels are made for a few. */
enum { COLUMNS_MIN = 48 };

/* A node's operands, and how its experts' products become blocks. */
typedef struct {
    const struct ggml_tensor *a, *b, *c;
    const route *r;
    int32_t form;
    int64_t used; /* experts per token */
    gemm_blocks size;
} experts_node;

static bool is_grad_weight(int32_t form) { return (form & GATUN_MUL_MAT) == GATUN_GRAD_WEIGHT; }

/* F32 [·, U or 1, T]: the rows of some pairs. */
static gemm_rows rows_of_pairs(const struct ggml_tensor *t, const int32_t *pairs, int64_t used) {
    return (gemm_rows){.first = t->data,
                       .stride = t->ne[1] == 1 ? 0 : (int64_t)t->nb[1],
                       .token = (int64_t)t->nb[2],
                       .pairs = pairs,
                       .used = (int32_t)used};
}

/* [·, ·, X]: the matrix of one expert. */
static gemm_rows rows_of_expert(const struct ggml_tensor *t, int32_t expert) {
    return (gemm_rows){.first = (char *)t->data + expert * (int64_t)t->nb[2],
                       .stride = (int64_t)t->nb[1]};
}

static gemm_product product_of(const experts_node *e, int32_t expert) {
    const int32_t *pairs = pairs_of_expert(e->r, expert);
    const int64_t count = pair_count(e->r, expert);
    gemm_product p = {.type = e->a->type, .form = e->form, .m = e->c->ne[0]};
    p.b = rows_of_pairs(e->b, pairs, e->used);
    if (is_grad_weight(e->form)) {
        p.a = rows_of_pairs(e->a, pairs, e->used);
        p.c = rows_of_expert(e->c, expert);
        p.n = e->c->ne[1];
        p.k = count;
    } else {
        p.a = rows_of_expert(e->a, expert);
        p.c = rows_of_pairs(e->c, pairs, e->used);
        p.n = count;
        p.k = e->form & GATUN_A_INNER_SUM ? e->a->ne[0] : e->a->ne[1];
    }
    return p;
}

/* A gradient of W that nothing is added to stays what it is; otherwise it becomes 0. */
static int64_t column_blocks(const experts_node *e, int32_t expert) {
    const int64_t count = pair_count(e->r, expert);
    if (!is_grad_weight(e->form)) {
        return groups(count, e->size.columns);
    }
    return count == 0 && e->form & GATUN_ACCUMULATE ? 0 : groups(e->c->ne[1], e->size.columns);
}

/* Blocks for a product of average size. */
static gemm_blocks block_size(const experts_node *e, int nth) {
    int64_t pairs = 0, experts = 0;
    int32_t some = 0;
    for (int32_t expert = 0; expert < e->r->experts; expert++) {
        const int64_t count = pair_count(e->r, expert);
        pairs += count;
        experts += count > 0;
        some = count > 0 ? expert : some;
    }
    gemm_product p = product_of(e, some);
    if (is_grad_weight(e->form)) {
        experts = e->form & GATUN_ACCUMULATE ? experts : e->r->experts;
    } else {
        p.n = experts ? groups(pairs, experts) : 0;
    }
    gemm_blocks size = gatun_gemm_blocks(&p, experts ? experts : 1, nth);
    size.columns = size.columns < COLUMNS_MIN ? COLUMNS_MIN : size.columns;
    return size;
}

void gatun_gemm_experts(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)ith;
    struct gatun_gemm_node *node = userdata;
    const int operand = node->form & GATUN_IN_PLACE ? 1 : 0;
    experts_node e = {.a = dst->src[operand],
                      .b = dst->src[operand + 1],
                      .c = dst,
                      .r = dst->src[operand + 2]->data,
                      .form = node->form};
    e.used = is_grad_weight(e.form) ? e.b->ne[1] : dst->ne[1];
    e.size = block_size(&e, nth);
    const int64_t row_blocks = groups(dst->ne[0], e.size.rows);

    int32_t expert = 0;
    int64_t first = 0; /* block of this expert; a thread's blocks only go up */
    for (int64_t next = next_block(node);; next = next_block(node)) {
        for (; expert < e.r->experts; expert++) {
            const int64_t blocks = row_blocks * column_blocks(&e, expert);
            if (next - first < blocks) {
                break;
            }
            first += blocks;
        }
        if (expert == e.r->experts) {
            break;
        }
        const gemm_product p = product_of(&e, expert);
        const int64_t columns = column_blocks(&e, expert);
        gatun_gemm_block(&p, (next - first) / columns * e.size.rows,
                         (next - first) % columns * e.size.columns, e.size);
    }
    leave(node, nth);
}
