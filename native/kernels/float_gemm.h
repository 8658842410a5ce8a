/*
 * Products of floats: C(i, j) = Σ_l A(i, l)·B(l, j), i along the rows of C.
 *
 * A may be weights of any type. For a block of its i and some l, a thread turns A once into panels of
 * floats and uses them for all columns of B:
 *
 *   panel  [l][16 i]   a load gives neighbouring i of one l; the tail of the last panel is 0
 *
 * B is read where it is when l is its inner axis: a column is a pointer and what lies between two l.
 * When j is its inner axis, its columns would all fall into the same few lines of the cache, so
 * blocks of it are copied into groups of 6 columns: [l][6 j].
 *
 * Each element of C is summed by one thread, over l in chunks that depend on nothing but the form and
 * the type: results are the same for any number of threads.
 */
#ifndef GATUN_FLOAT_GEMM_H
#define GATUN_FLOAT_GEMM_H

#include "isa.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FLOAT_ROWS = 16,   /* of a panel */
    FLOAT_COLUMNS = 6, /* of a tile: 12 accumulators of 8 floats */
    DOT_COLUMNS = 3,   /* columns of B that share one reading of A in dots */
};

/*
 * `count` values of a row of any type, from value `first` on, as floats: groups of 16 that lie
 * `step` floats apart, the last one filled up with 0.
 */
typedef void gatun_floats_fn(int32_t type, const void *row, int64_t first, int count, float *out,
                             int64_t step);

/* Values `first`… of 1 to 16 rows of F32, F16 or BF16 that lie `stride` bytes apart: one panel. */
typedef void gatun_float_panel_fn(int32_t type, const void *a, int64_t stride, int rows,
                                  int64_t first, int count, float *panel);

/*
 * Panels of `rows` rows times up to 6 columns: column j has b[j][l·step]; c[j] points to its results,
 * added to what is there when `add`.
 */
typedef void gatun_float_tile_fn(const float *panels, int rows, int k, const float *const *b,
                                 int64_t step, int columns, float *const *c, bool add);

/* Rows of F32, F16 or BF16 times up to 3 columns, without panels: reads each row once. */
typedef void gatun_float_dots_fn(int32_t type, const void *a, int64_t stride, int64_t rows,
                                 int64_t k, const float *const *b, int columns, float *const *c,
                                 bool add);

/*
 * Products of BF16 (bfloat.c): inputs are rounded to nearest even, two neighbouring l share a word of
 * 32 bits, and sums are F32.
 *
 *   panel  [l/2][16 i][2 l]   B: a column has a word for each two l, `step` words apart
 */
struct gatun_bfloats {
    /* Two rows to n words; odd may be NULL for zeros. */
    void (*pairs)(const float *even, const float *odd, int n, uint32_t *out);
    /* Neighbouring values of one row to (count + 1)/2 words. */
    void (*row)(const float *x, int count, uint32_t *out);
    /* gatun_float_tile_fn with `words` for k. */
    void (*tile)(const uint32_t *panels, int rows, int words, const uint32_t *const *b, int64_t step,
                 int columns, float *const *c, bool add);
};

#endif
