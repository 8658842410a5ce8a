/*
 * Products of floats as one node of a graph: see float_gemm.h for how they are computed. Blocks of C
 * are handed out by a counter in the node's userdata, so that a thread whose core is busy elsewhere
 * holds nobody up.
 */
#include "float_gemm.h"
#include "gatun.h"
#include "ggml_tensor.h"
#include "kernels.h"

#include <stdatomic.h>
#include <string.h>

enum {
    PANEL_FLOATS = 80 * 256, /* of A at a time: stays in the second-level cache, and on the stack */
    B_FLOATS = 48 * 128,     /* of B, where it has to be copied */
    WIDE_ROWS = 256,         /* of quantised weights: a block is 32 or 256 */
    L_CHUNK = 256,           /* a panel's length: 6 columns of it stay in the first-level cache */
    TWO_PANELS = 2 * FLOAT_ROWS,
    FEW_COLUMNS = 12,        /* up to here panels are not worth their making */
};

/* One product of two matrices. */
typedef struct {
    int32_t type, form;
    const char *a, *b;
    char *c;
    int64_t a_row, b_row, c_row; /* strides in bytes */
    int64_t m, n, k;
} product;

static int64_t at_most(int64_t x, int64_t most) { return x < most ? x : most; }
static int64_t groups(int64_t x, int64_t of) { return (x + of - 1) / of; }

bool gatun_gemm_supports(int32_t type) {
    return type == TYPE_F32 || type == TYPE_F16 || type == TYPE_BF16 || gatun_weight_type(type);
}

/* Quantised with i as the inner axis: whole blocks, and enough of a row to be worth going there. */
static bool is_wide(const product *p) {
    return gatun_weight_type(p->type) && !(p->form & GATUN_A_INNER_SUM);
}

/* Whether blocks of B are copied into groups of columns. */
static bool is_copied(const product *p) {
    return !(p->form & (GATUN_B_INNER_SUM | GATUN_B_PACKED));
}

static int64_t chunk_of_l(const product *p) {
    return is_wide(p) ? PANEL_FLOATS / WIDE_ROWS : is_copied(p) ? 128 : L_CHUNK;
}

static bool is_dots(const product *p) {
    return p->n <= FEW_COLUMNS && (p->form & GATUN_MUL_MAT) == GATUN_MUL_MAT &&
           !(p->form & GATUN_B_PACKED) && !gatun_weight_type(p->type);
}

/* Rows i… and values l… of A to panels. */
static void make_panels(const product *p, int64_t i, int rows, int64_t l, int count, float *panels) {
    const struct gatun_kernels *kernels = gatun_kernels();
    if (!(p->form & GATUN_A_INNER_SUM)) {
        for (int at = 0; at < count; at++) {
            kernels->floats(p->type, p->a + (l + at) * p->a_row, i, rows,
                            panels + at * FLOAT_ROWS, (int64_t)count * FLOAT_ROWS);
        }
        return;
    }
    const bool quantised = gatun_weight_type(p->type) != NULL;
    for (int at = 0; at < rows; at += FLOAT_ROWS, panels += (int64_t)count * FLOAT_ROWS) {
        const char *a = p->a + (i + at) * p->a_row;
        const int some = (int)at_most(rows - at, FLOAT_ROWS);
        if (!quantised) {
            kernels->float_panel(p->type, a, p->a_row, some, l, count, panels);
            continue;
        }
        float values[FLOAT_ROWS][L_CHUNK];
        for (int r = 0; r < some; r++) {
            kernels->floats(p->type, a + r * p->a_row, l, count, values[r], FLOAT_ROWS);
        }
        kernels->float_panel(TYPE_F32, values, sizeof *values, some, 0, count, panels);
    }
}

/* Columns j… and values l… of B, whose inner axis is j, to groups of columns. */
static void copy_columns(const product *p, int64_t j, int columns, int64_t l, int count,
                         float *copy) {
    for (int at = 0; at < count; at++) {
        const float *from = (const float *)(p->b + (l + at) * p->b_row) + j;
        float *to = copy + at * FLOAT_COLUMNS;
        int some = 0;
        for (; some + FLOAT_COLUMNS <= columns; some += FLOAT_COLUMNS) {
            memcpy(to, from + some, FLOAT_COLUMNS * sizeof *to);
            to += count * FLOAT_COLUMNS;
        }
        if (some < columns) {
            memcpy(to, from + some, (size_t)(columns - some) * sizeof *to);
        }
    }
}

/* Asks for values from…to of the next columns of B while these are at work. */
static void fetch(const product *p, int64_t j, int64_t end, int64_t from, int64_t to) {
    if (p->form & GATUN_B_PACKED) {
        const float *b = (const float *)(p->b + j / FLOAT_COLUMNS * p->b_row);
        for (int64_t at = FLOAT_COLUMNS * from; j < end && at < FLOAT_COLUMNS * to; at += 16) {
            PREFETCH(b + at);
        }
        return;
    }
    for (const int64_t last = at_most(end, j + FLOAT_COLUMNS); j < last; j++) {
        const float *b = (const float *)(p->b + j * p->b_row);
        for (int64_t at = from; at < to; at += 16) {
            PREFETCH(b + at);
        }
    }
}

static const float *b_at(const product *p, int64_t l, int64_t j) {
    return p->form & GATUN_B_PACKED ? (const float *)(p->b + j / FLOAT_COLUMNS * p->b_row) +
                                          l * FLOAT_COLUMNS + j % FLOAT_COLUMNS
                                    : (const float *)(p->b + j * p->b_row) + l;
}

static float *c_at(const product *p, int64_t i, int64_t j) {
    return (float *)(p->c + j * p->c_row) + i;
}

static void block(const product *p, int64_t i, int rows, int64_t j, int64_t end) {
    const struct gatun_kernels *kernels = gatun_kernels();
    ALIGNED(64) float panels[PANEL_FLOATS];
    ALIGNED(64) float copy[B_FLOATS];
    const int64_t chunk = chunk_of_l(p);
    const int64_t copied = B_FLOATS / chunk / FLOAT_COLUMNS * FLOAT_COLUMNS;
    const bool copies = is_copied(p);
    const int64_t step = p->form & GATUN_B_INNER_SUM && !(p->form & GATUN_B_PACKED) ? 1 : FLOAT_COLUMNS;
    int64_t l = 0;
    do {
        const int count = (int)at_most(p->k - l, chunk);
        const bool add = l > 0 || p->form & GATUN_ACCUMULATE;
        make_panels(p, i, rows, l, count, panels);
        for (int64_t column = j; column < end; column += FLOAT_COLUMNS) {
            const int columns = (int)at_most(end - column, FLOAT_COLUMNS);
            const int64_t in_copy = (column - j) % copied;
            if (copies && in_copy == 0) {
                copy_columns(p, column, (int)at_most(end - column, copied), l, count, copy);
            }
            const float *b[FLOAT_COLUMNS];
            float *c[FLOAT_COLUMNS];
            for (int at = 0; at < columns; at++) {
                b[at] = copies ? copy + in_copy * count + at : b_at(p, l, column + at);
                c[at] = c_at(p, i, column + at);
            }
            for (int row = 0; row < rows; row += TWO_PANELS) {
                const int some = (int)at_most(rows - row, TWO_PANELS);
                if (!copies) {
                    fetch(p, column + FLOAT_COLUMNS, end, l + (int64_t)count * row / rows,
                          l + (int64_t)count * (row + some) / rows);
                }
                kernels->float_tile(panels + (int64_t)row * count, some, count, b, step, columns, c,
                                    add);
                for (int at = 0; at < columns; at++) {
                    c[at] += TWO_PANELS;
                }
            }
        }
        l += count;
    } while (l < p->k);
}

/* Few columns: rows of A as they are. */
static void few(const product *p, int64_t i, int64_t rows) {
    for (int64_t column = 0; column < p->n; column += DOT_COLUMNS) {
        const int columns = (int)at_most(p->n - column, DOT_COLUMNS);
        const float *b[DOT_COLUMNS];
        float *c[DOT_COLUMNS];
        for (int at = 0; at < columns; at++) {
            b[at] = (const float *)(p->b + (column + at) * p->b_row);
            c[at] = c_at(p, i, column + at);
        }
        gatun_kernels()->float_dots(p->type, p->a + i * p->a_row, p->a_row, rows, p->k, b, columns,
                                    c, p->form & GATUN_ACCUMULATE);
    }
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

void gatun_gemm(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)ith;
    struct gatun_gemm_node *node = userdata;
    _Atomic int32_t *next = (_Atomic int32_t *)&node->next;
    _Atomic int32_t *left = (_Atomic int32_t *)&node->left;
    const int operand = node->form & GATUN_IN_PLACE ? 1 : 0;
    const struct ggml_tensor *a = dst->src[operand], *b = dst->src[operand + 1];
    product p = {.type = a->type,
                 .form = node->form,
                 .a_row = (int64_t)a->nb[1],
                 .b_row = (int64_t)b->nb[1],
                 .c_row = (int64_t)dst->nb[1],
                 .m = dst->ne[0],
                 .n = dst->ne[1],
                 .k = node->form & GATUN_A_INNER_SUM ? a->ne[0] : a->ne[1]};

    /* Blocks are as large as the panels allow, but leave every thread several. */
    const bool dots = is_dots(&p);
    const int64_t unit = dots ? 4 : is_wide(&p) ? WIDE_ROWS : FLOAT_ROWS;
    const int64_t products = dst->ne[2] * dst->ne[3];
    const int64_t wanted = nth == 1 ? 1 : groups(4 * nth, products);
    int64_t rows = dots ? 64 : PANEL_FLOATS / chunk_of_l(&p) / unit * unit;
    while (groups(p.m, rows) < wanted && rows > unit) {
        rows = groups(rows / 2, unit) * unit;
        if (rows <= 2 * FLOAT_ROWS) {
            break;
        }
    }
    const int64_t row_blocks = groups(p.m, rows);
    int64_t columns = p.n;
    if (!dots && row_blocks < nth && products < nth) {
        columns = groups(groups(p.n, groups(wanted, row_blocks)), FLOAT_COLUMNS) * FLOAT_COLUMNS;
        columns = at_most(columns < 48 ? 48 : columns, p.n);
    }
    const int64_t column_blocks = columns > 0 ? groups(p.n, columns) : 0;
    const int64_t blocks = row_blocks * column_blocks;

    for (;;) {
        const int64_t item = atomic_fetch_add_explicit(next, 1, memory_order_relaxed);
        if (item >= blocks * products) {
            break;
        }
        const int64_t i2 = item / blocks % dst->ne[2], i3 = item / blocks / dst->ne[2];
        const int64_t i = item % blocks / column_blocks * rows;
        const int64_t j = item % column_blocks * columns;
        p.a = (const char *)a->data + i2 / (dst->ne[2] / a->ne[2]) * (int64_t)a->nb[2] +
              i3 / (dst->ne[3] / a->ne[3]) * (int64_t)a->nb[3];
        p.b = (const char *)b->data + i2 / (dst->ne[2] / b->ne[2]) * (int64_t)b->nb[2] +
              i3 / (dst->ne[3] / b->ne[3]) * (int64_t)b->nb[3];
        p.c = (char *)dst->data + i2 * (int64_t)dst->nb[2] + i3 * (int64_t)dst->nb[3];
        const int64_t some = at_most(p.m - i, rows);
        if (dots) {
            few(&p, i, some);
        } else {
            block(&p, i, (int)some, j, at_most(p.n, j + columns));
        }
    }
    if (atomic_fetch_add_explicit(left, 1, memory_order_acq_rel) == nth - 1) {
        atomic_store_explicit(left, 0, memory_order_relaxed);
        atomic_store_explicit(next, 0, memory_order_relaxed);
    }
}
