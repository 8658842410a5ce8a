/*
 * One block of a product of floats: panels of A are made once and meet all columns of the block. See
 * float_gemm.h for the layouts.
 */
#include "gemm_block.h"
#include "ggml_tensor.h"
#include "kernels.h"

#include <string.h>

enum {
    B_FLOATS = 48 * 128,     /* of B, where it has to be copied */
    WIDE_ROWS = 256,         /* of quantised weights: a block is 32 or 256 */
    TWO_PANELS = 2 * FLOAT_ROWS,
    FEW_COLUMNS = 12,        /* up to here panels are not worth their making */
    FEW_ROWS = 8,            /* up to here they would be half empty */
    DOT_VALUES = 64 * 512,   /* of A in a block of dots, or 64 rows if they are long */
    DOT_MIN = 64,            /* sums of fewer values cost less in panels than to add up, */
                             /* unless so few columns use a panel: low-rank changes of one row */
};

/* Quantised with i as the inner axis: whole blocks, and enough of a row to be worth going there. */
static bool is_wide(const gemm_product *p) {
    return gatun_weight_type(p->type) && !(p->form & GATUN_A_INNER_SUM);
}

/* Whether blocks of B are copied into groups of columns. */
static bool is_copied(const gemm_product *p) {
    return !(p->form & (GATUN_B_INNER_SUM | GATUN_B_PACKED));
}

static int64_t chunk_of_l(const gemm_product *p) {
    return is_wide(p) ? PANEL_FLOATS / WIDE_ROWS
           : is_copied(p) && !(p->form & GATUN_BFLOATS) ? 128 : L_CHUNK;
}

/* Whether rows of A are better multiplied as they are. */
static bool is_dots(const gemm_product *p) {
    return (p->n <= FEW_COLUMNS || p->m <= FEW_ROWS) &&
           (p->k >= DOT_MIN || p->n <= DOT_COLUMNS) &&
           (p->form & GATUN_MUL_MAT) == GATUN_MUL_MAT && !(p->form & GATUN_B_PACKED) &&
           !gatun_weight_type(p->type);
}

void gatun_gemm_panels(const gemm_product *p, int64_t i, int rows, int64_t l, int count, float *panels) {
    const struct gatun_kernels *kernels = gatun_kernels();
    if (!(p->form & GATUN_A_INNER_SUM)) {
        for (int at = 0; at < count; at++) {
            kernels->floats(p->type, row_at(&p->a, l + at), i, rows, panels + at * FLOAT_ROWS,
                            (int64_t)count * FLOAT_ROWS);
        }
        return;
    }
    const bool quantised = gatun_weight_type(p->type) != NULL;
    for (int at = 0; at < rows; at += FLOAT_ROWS, panels += (int64_t)count * FLOAT_ROWS) {
        const char *a = row_at(&p->a, i + at);
        const int some = (int)at_most(rows - at, FLOAT_ROWS);
        if (!quantised) {
            kernels->float_panel(p->type, a, p->a.stride, some, l, count, panels);
            continue;
        }
        float values[FLOAT_ROWS][L_CHUNK];
        for (int r = 0; r < some; r++) {
            kernels->floats(p->type, a + r * p->a.stride, l, count, values[r], FLOAT_ROWS);
        }
        kernels->float_panel(TYPE_F32, values, sizeof *values, some, 0, count, panels);
    }
}

/* Columns j… and values l… of B, whose inner axis is j, to groups of columns. */
static void copy_columns(const gemm_product *p, int64_t j, int columns, int64_t l, int count,
                         float *copy) {
    for (int at = 0; at < count; at++) {
        const float *from = (const float *)row_at(&p->b, l + at) + j;
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
static void fetch(const gemm_product *p, int64_t j, int64_t end, int64_t from, int64_t to) {
    if (p->form & GATUN_B_PACKED) {
        const float *b = (const float *)row_at(&p->b, j / FLOAT_COLUMNS);
        for (int64_t at = FLOAT_COLUMNS * from; j < end && at < FLOAT_COLUMNS * to; at += 16) {
            PREFETCH(b + at);
        }
        return;
    }
    for (const int64_t last = at_most(end, j + FLOAT_COLUMNS); j < last; j++) {
        const float *b = (const float *)row_at(&p->b, j);
        for (int64_t at = from; at < to; at += 16) {
            PREFETCH(b + at);
        }
    }
}

static const float *b_at(const gemm_product *p, int64_t l, int64_t j) {
    return p->form & GATUN_B_PACKED ? (const float *)row_at(&p->b, j / FLOAT_COLUMNS) +
                                          l * FLOAT_COLUMNS + j % FLOAT_COLUMNS
                                    : (const float *)row_at(&p->b, j) + l;
}

static void panels_times(const gemm_product *p, int64_t i, int rows, int64_t j, int64_t end) {
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
        gatun_gemm_panels(p, i, rows, l, count, panels);
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

static void dots(const gemm_product *p, int64_t i, int64_t rows, int64_t j, int64_t end) {
    for (int64_t column = j; column < end; column += DOT_COLUMNS) {
        const int columns = (int)at_most(end - column, DOT_COLUMNS);
        const float *b[DOT_COLUMNS];
        float *c[DOT_COLUMNS];
        for (int at = 0; at < columns; at++) {
            b[at] = (const float *)row_at(&p->b, column + at);
            c[at] = c_at(p, i, column + at);
        }
        gatun_kernels()->float_dots(p->type, row_at(&p->a, i), p->a.stride, rows, p->k, b, columns, c,
                                    p->form & GATUN_ACCUMULATE);
    }
}

void gatun_gemm_block(const gemm_product *p, int64_t i, int64_t j, gemm_blocks size) {
    const int64_t rows = at_most(p->m - i, size.rows), end = at_most(p->n, j + size.columns);
    if (is_dots(p)) {
        dots(p, i, rows, j, end);
        return;
    }
    /* Experts share a size of blocks, so it may be one that was chosen for dots. */
    const int64_t most = PANEL_FLOATS / chunk_of_l(p) / FLOAT_ROWS * FLOAT_ROWS;
    for (int64_t at = 0; at < rows; at += most) {
        const int some = (int)at_most(rows - at, most);
        if (p->form & GATUN_BFLOATS) {
            gatun_gemm_bfloats(p, i + at, some, j, end, (int)chunk_of_l(p));
        } else {
            panels_times(p, i + at, some, j, end);
        }
    }
}

gemm_blocks gatun_gemm_blocks(const gemm_product *p, int64_t products, int nth) {
    const bool dots = is_dots(p);
    const int64_t unit = dots ? 4 : is_wide(p) ? WIDE_ROWS : FLOAT_ROWS;
    const int64_t wanted = nth == 1 ? 1 : groups(4 * nth, products);
    int64_t rows = dots ? (p->k < DOT_VALUES / 64 ? DOT_VALUES / p->k : 64) : PANEL_FLOATS / chunk_of_l(p) / unit * unit;
    while (groups(p->m, rows) < wanted && rows > unit) {
        rows = groups(rows / 2, unit) * unit;
        if (rows <= 2 * FLOAT_ROWS) {
            break;
        }
    }
    const int64_t row_blocks = groups(p->m, rows);
    int64_t columns = p->n;
    if (row_blocks < nth && products < nth) {
        columns = groups(groups(p->n, groups(wanted, row_blocks)), FLOAT_COLUMNS) * FLOAT_COLUMNS;
        columns = at_most(columns < 48 ? 48 : columns, p->n);
    }
    return (gemm_blocks){rows, columns};
}
