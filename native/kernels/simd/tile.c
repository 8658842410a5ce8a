/* 16 rows × columns of an integer product: see int8_gemm.h for the layouts and the arithmetic. */
#include "int8_gemm.h"

#include <string.h>

#if !defined(__AVX512VNNI__)
/* Sums to where they belong. */
ALWAYS_INLINE void store(float (*sums)[PANEL_ROWS], int rows, int columns, float *c, int64_t stride,
                         bool add) {
    for (int j = 0; j < columns; j++) {
        float *to = c + j * stride;
        for (int i = 0; i < rows; i++) {
            to[i] = add ? to[i] + sums[j][i] : sums[j][i];
        }
    }
}
#endif

/* tile256 and tile32, for 1 to TILE_COLUMNS columns. */
#if defined(__AVX512VNNI__)
#include "tile_avx512.h"
#elif defined(__AVX2__)
#include "tile_avx2.h"
#elif defined(__ARM_FEATURE_DOTPROD)
#include "tile_neon.h"
#else
#include "tile_scalar.h"
#endif

static int next_columns(int left) { return left < TILE_COLUMNS ? left : TILE_COLUMNS; }

void ISA(gatun_tile256)(const struct weight_type *type, const void *panel, const void *act,
                        int64_t group_bytes, int blocks, int rows, int columns, float *c,
                        int64_t stride, bool add, ahead *next) {
    ahead nothing = {0};
    for (int j = 0; j < columns; j += TILE_COLUMNS) {
        tile256(type, panel, (const char *)act + j / GROUP_COLUMNS * group_bytes, group_bytes, blocks,
                rows, next_columns(columns - j), c + j * stride, stride, add,
                j == 0 ? next : &nothing);
    }
}

void ISA(gatun_tile32)(const struct weight_type *type, const void *panel, const void *act,
                       int64_t group_bytes, int blocks, int rows, int columns, float *c,
                       int64_t stride, bool add, ahead *next) {
    ahead nothing = {0};
    for (int j = 0; j < columns; j += TILE_COLUMNS) {
        tile32(type, panel, (const char *)act + j / GROUP_COLUMNS * group_bytes, group_bytes, blocks,
               rows, next_columns(columns - j), c + j * stride, stride, add,
                j == 0 ? next : &nothing);
    }
}
