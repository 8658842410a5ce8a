/*
 * What nodes that share a converted input have in common: the input's memory starts with counters,
 * one per product, from which threads take their next piece of work. The node that converts the
 * input sets them to 0; GGML waits for all threads between nodes.
 */
#ifndef GATUN_PRODUCTS_H
#define GATUN_PRODUCTS_H

#include "gatun.h"
#include "ggml_tensor.h"
#include "int8_gemm.h"

#include <stdatomic.h>
#include <stdint.h>

typedef struct {
    _Atomic int32_t next;
    char apart[60]; /* a cache line each */
} counter;

typedef struct {
    counter counters[GATUN_PRODUCTS];
} packed_header;

static inline void reset_counters(packed_header *header) {
    for (int i = 0; i < GATUN_PRODUCTS; i++) {
        atomic_store_explicit(&header->counters[i].next, 0, memory_order_relaxed);
    }
}

/* Bytes of one row of an input that was converted row by row; it may be a view of any type. */
static inline int64_t input_row_bytes(const struct ggml_tensor *input, int64_t rows) {
    return (input->ne[0] * (int64_t)input->nb[0] - (int64_t)sizeof(packed_header)) / rows;
}

/* The next piece of work, from 0. */
static inline int32_t take(counter *c) {
    return atomic_fetch_add_explicit(&c->next, 1, memory_order_relaxed);
}

/* Rows of all weights of a node: src[first…]. */
static inline int64_t rows_of_all(const struct ggml_tensor *dst, int first) {
    int64_t rows = 0;
    for (int i = first; i < 10 && dst->src[i]; i++) {
        rows += dst->src[i]->ne[1];
    }
    return rows;
}

/* Columns of each product: the results of all weights lie in dst one after another. */
static inline int64_t columns_of_each(const struct ggml_tensor *dst, int first) {
    return dst->ne[0] * dst->ne[1] * dst->ne[2] * dst->ne[3] / rows_of_all(dst, first);
}

static inline int64_t pieces_of(const struct ggml_tensor *w, int64_t rows) {
    return (w->ne[1] + rows - 1) / rows;
}

/* Pieces of so many rows in all weights; none reaches into the next weight. */
static inline int64_t pieces_of_all(const struct ggml_tensor *dst, int first, int64_t rows) {
    int64_t pieces = 0;
    for (int i = first; i < 10 && dst->src[i]; i++) {
        pieces += pieces_of(dst->src[i], rows);
    }
    return pieces;
}

/* Where a piece is: its weight, by number and itself, its first row, and the weight's result. */
typedef struct {
    int number;
    const struct ggml_tensor *w;
    int64_t row;
    float *c;
} place;

static inline place place_of(const struct ggml_tensor *dst, int first, int64_t rows,
                             int64_t columns, int64_t piece) {
    place p = {0, dst->src[first], 0, dst->data};
    while (piece >= pieces_of(p.w, rows)) {
        piece -= pieces_of(p.w, rows);
        p.c += p.w->ne[1] * columns;
        p.w = dst->src[first + ++p.number];
    }
    p.row = piece * rows;
    return p;
}

/* The memory of a panel that will be needed next, to be asked for during `blocks` blocks of another. */
static inline ahead next_panel(const char *first, const struct ggml_tensor *w, int64_t blocks) {
    return (ahead){first, (int)(PANEL_ROWS * (int64_t)w->nb[1] / blocks)};
}

/*
 * Panels that a thread takes at once: neighbours, because threads that write to the same cache lines of
 * the result wait for each other, but few enough that none has to wait long for the last one.
 */
static inline int64_t run_of(int64_t panels, int nth) {
    const int64_t run = panels / (8 * nth);
    return run < 1 ? 1 : run > 8 ? 8 : run;
}

/* Whether a thread may take its next run ahead, or it would hold what another waits for. */
static inline bool plenty_of(int64_t panels, int64_t run, int nth) { return panels >= 4 * nth * run; }

#endif
