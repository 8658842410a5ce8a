/*
 * Blocks of one product of floats, as every entry point computes them: see float_gemm.h for how. The
 * entry points say where the operands lie, cut C into blocks and give these to threads.
 */
#ifndef GATUN_GEMM_BLOCK_H
#define GATUN_GEMM_BLOCK_H

#include "gatun.h"

#include <stdatomic.h>
#include <stdint.h>

/*
 * Rows of an operand in GGML's order. Those of experts' pairs lie anywhere: pair p is token p / used,
 * and the (p % used)-th of its experts.
 */
typedef struct {
    char *first;
    int64_t stride; /* bytes to the next row; of pairs, to the same token's next */
    int64_t token;  /* of pairs, bytes to the next token */
    const int32_t *pairs; /* which pair each row is; NULL where rows follow each other */
    int32_t used;
} gemm_rows;

/* One product of two matrices: C(i, j) = Σ_l A(i, l)·B(l, j), with m i, n j and k l. */
typedef struct {
    int32_t type, form; /* of A; GATUN_A_INNER_SUM and so on */
    gemm_rows a, b, c;  /* only rows over l of A may be pairs, those of B and C always */
    int64_t m, n, k;
} gemm_product;

/* How large blocks are: rows are along i. */
typedef struct {
    int64_t rows, columns;
} gemm_blocks;

enum {
    PANEL_FLOATS = 80 * 256, /* of A at a time: stays in the second-level cache, and on the stack */
    L_CHUNK = 256,           /* a panel's length: 6 columns of it stay in the first-level cache */
};

static inline char *row_at(const gemm_rows *r, int64_t row) {
    if (!r->pairs) {
        return r->first + row * r->stride;
    }
    const int32_t pair = r->pairs[row];
    return r->first + pair % r->used * r->stride + pair / r->used * r->token;
}

static inline float *c_at(const gemm_product *p, int64_t i, int64_t j) {
    return (float *)row_at(&p->c, j) + i;
}

/* Rows i… and values l… of A to panels of floats. */
void gatun_gemm_panels(const gemm_product *p, int64_t i, int rows, int64_t l, int count, float *panels);

/* Rows i… and columns j to end of C from operands rounded to BF16, l in chunks of at most L_CHUNK. */
void gatun_gemm_bfloats(const gemm_product *p, int64_t i, int rows, int64_t j, int64_t end, int chunk);

/* As large as panels allow, but so that every thread has several of `products` like this one. */
gemm_blocks gatun_gemm_blocks(const gemm_product *p, int64_t products, int nth);

/* Computes rows i… and columns j… of C, as many as gatun_gemm_blocks said or what there is. */
void gatun_gemm_block(const gemm_product *p, int64_t i, int64_t j, gemm_blocks size);

static inline int64_t at_most(int64_t x, int64_t most) { return x < most ? x : most; }
static inline int64_t groups(int64_t x, int64_t of) { return (x + of - 1) / of; }

/* The number of a node's next block, from 0. */
static inline int64_t next_block(struct gatun_gemm_node *node) {
    return atomic_fetch_add_explicit((_Atomic int32_t *)&node->next, 1, memory_order_relaxed);
}

/* The last thread to leave makes the node ready for its next run. */
static inline void leave(struct gatun_gemm_node *node, int nth) {
    _Atomic int32_t *left = (_Atomic int32_t *)&node->left;
    if (atomic_fetch_add_explicit(left, 1, memory_order_acq_rel) == nth - 1) {
        atomic_store_explicit(left, 0, memory_order_relaxed);
        atomic_store_explicit((_Atomic int32_t *)&node->next, 0, memory_order_relaxed);
    }
}

#endif
