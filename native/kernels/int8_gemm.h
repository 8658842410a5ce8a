/*
 * Quantised weights times activations, as integers.
 *
 * C [M, N] = W [K, M]ᵀ · X [K, N]. W stays in the file as it is. For 16 rows of W at a time and some
 * of K, a thread unpacks the weights once into a panel of bytes, laid out as the dot product
 * instructions want them, and uses the panel for all columns of X. X was quantised once before, in
 * groups of 4 columns, and is shared by all products with the same input (q, k and v; gate and up).
 *
 *   panel       [K/4][16 rows][4]  bytes      a load gives 4 consecutive k of 8 or 16 rows
 *   activations [K/4][4 columns][4]  bytes    a 4-byte broadcast gives 4 consecutive k of one column
 *
 * i8mm multiplies 8 k at a time: only there it is [K/8][16 rows][8] and [K/8][4 columns][8].
 *
 * Two families, by what one float scale covers:
 *   256: super-blocks of 256 with integer scales for sub-blocks of 16 or 32 (Q2_K … Q6_K, IQ4_XS)
 *        w = d·scale·q − dm·min, with x = dx·qx:
 *        Σ w·x = dx·(d·Σ scale·Σ q·qx − dm·Σ min·Σ qx), all inner sums in exact integers
 *   32:  blocks of 32 with one float scale (Q4_0 … Q8_0, IQ4_NL, MXFP4):  w = d·q + m
 *        Σ w·x = dx·d·Σ q·qx + m·dx·Σ qx
 *
 * The quantised activations are those of GGML's own path (Q8_K and Q8_0) but for scales kept in F32
 * and never −128, so the error against exact arithmetic is no larger than GGML's.
 */
#ifndef GATUN_INT8_GEMM_H
#define GATUN_INT8_GEMM_H

#include "isa.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PANEL_ROWS = 16,
    GROUP_COLUMNS = 4,
    K_CHUNK = 1024, /* k that one panel holds: it stays in the first-level cache */
};

/* Words of 4 k that lie side by side. Panels and activations never leave their instruction set. */
#if defined(__ARM_FEATURE_MATMUL_INT8)
enum { WORDS = 2 };
#else
enum { WORDS = 1 };
#endif

typedef struct {
    uint8_t q[64][PANEL_ROWS][4];
    int16_t scale[16][PANEL_ROWS][2]; /* per sub-block, twice, as a pair for 16-bit products */
    int16_t min[8][PANEL_ROWS][2];    /* per sub-block, two neighbours side by side */
    float d[PANEL_ROWS];
    float dm[PANEL_ROWS];
} panel256;

typedef struct {
    uint8_t q[8][PANEL_ROWS][4];
    float d[PANEL_ROWS];
    float m[PANEL_ROWS];
} panel32;

typedef struct {
    int8_t q[64][GROUP_COLUMNS][4];
    int16_t sums16[8][GROUP_COLUMNS][2]; /* Σ of 16 neighbours, two such sums side by side */
    int16_t sums32[4][GROUP_COLUMNS][2]; /* Σ of 32 neighbours */
    float d[GROUP_COLUMNS];
} act256;

typedef struct {
    int8_t q[8][GROUP_COLUMNS][4];
    float d[GROUP_COLUMNS];
    float sum[GROUP_COLUMNS]; /* d·Σ q */
} act32;

/* Room for a panel of K_CHUNK. */
enum {
    PANEL_BYTES = K_CHUNK / 256 * sizeof(panel256) > K_CHUNK / 32 * sizeof(panel32)
                      ? K_CHUNK / 256 * sizeof(panel256)
                      : K_CHUNK / 32 * sizeof(panel32),
};

/* Bytes of a group of columns of K activations in blocks of 256 or 32. */
static inline int64_t gatun_group_bytes(int64_t k, int block) {
    return block == 256 ? k / 256 * (int64_t)sizeof(act256) : k / 32 * (int64_t)sizeof(act32);
}

/* How one type's weights look once unpacked. */
struct weight_type {
    int16_t block_values; /* 256 or 32: the family */
    int16_t block_bytes;
    int8_t sub;  /* sub-block that has a scale of its own */
    int8_t run;  /* products of 4 that a 16-bit lane can add up before it could overflow */
    bool is_signed; /* bytes are −127..127 rather than 0..63 */
    bool has_min;
};

/* NULL for a type that has no kernel here. */
const struct weight_type *gatun_weight_type(int32_t ggml_type);

/*
 * Quantises columns of 256 or 32 neighbours: blocks from..to of one group of columns.
 * x: first of `columns` ≤ 4 columns, `stride` floats apart; missing columns become zero.
 */
typedef void gatun_pack_fn(const float *x, int64_t stride, int columns, int64_t from, int64_t to,
                           void *out);

/*
 * Memory that is needed next, asked for bit by bit while something else is computed: processors'
 * own prefetchers do not follow 16 rows at once, and asked for all at once it would stop the loads.
 */
typedef struct {
    const char *at;
    int step; /* bytes per block that is computed */
} ahead;

ALWAYS_INLINE void ask(ahead *next) {
    for (int i = 0; i < next->step; i += 64) {
        PREFETCH(next->at + i);
    }
    next->at += next->step;
}

/*
 * Unpacks `blocks` blocks of `rows` ≤ 16 rows that lie `stride` bytes apart. Missing rows are what
 * they may be.
 */
typedef void gatun_unpack_fn(int32_t type, const void *w, int64_t stride, int rows, int blocks,
                             void *panel, ahead *next);

/*
 * 16 rows times any number of columns over `blocks` blocks; the columns' groups lie `group_bytes`
 * apart. c[column·stride + row] gets the sums, added to what is there when `add`. Only `rows` and
 * `columns` of them are stored.
 */
typedef void gatun_tile_fn(const struct weight_type *type, const void *panel, const void *act,
                           int64_t group_bytes, int blocks, int rows, int columns, float *c,
                           int64_t stride, bool add, ahead *next);

#endif
