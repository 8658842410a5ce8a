/*
 * The inner loops of float products: see float_gemm.h.
 *
 * Tiles are 16 rows (AVX-512: 32) × 6 columns. Per l: 2 loads of a panel and 6 broadcasts feed 12
 * multiply-adds, so that the loads hide behind them and the sums of one l do not wait for the last.
 */
#include "float_gemm.h"
#include "vec.h"
#include "ggml_tensor.h"

#include <string.h>

#if defined(__AVX512VNNI__)
enum { PANELS = 2 };
#else
enum { PANELS = 1 };
#endif

enum { PANEL_VECS = FLOAT_ROWS / LANES };

ALWAYS_INLINE void store(const vec *sums, int rows, float *c, bool add) {
    if (rows >= FLOAT_ROWS) {
        for (int v = 0; v < PANEL_VECS; v++) {
            float *to = c + v * LANES;
            vec_store(to, add ? vec_add(vec_load(to), sums[v]) : sums[v]);
        }
        return;
    }
    float values[FLOAT_ROWS];
    for (int v = 0; v < PANEL_VECS; v++) {
        vec_store(values + v * LANES, sums[v]);
    }
    for (int i = 0; i < rows; i++) {
        c[i] = add ? c[i] + values[i] : values[i];
    }
}

ALWAYS_INLINE void tile(const float *a, int panels, int rows, int k, const float *const *b,
                        int64_t step, int columns, float *const *c, int64_t row, bool add) {
    vec sums[FLOAT_COLUMNS][PANELS * PANEL_VECS];
    const float *x[FLOAT_COLUMNS];
    for (int j = 0; j < columns; j++) {
        x[j] = b[j];
        PREFETCH(c[j] + row); /* it is read last, and then at once */
        PREFETCH(c[j] + row + panels * FLOAT_ROWS - 1);
        for (int v = 0; v < panels * PANEL_VECS; v++) {
            sums[j][v] = vec_all(0);
        }
    }
    const float *second = a + (int64_t)k * FLOAT_ROWS;
    int64_t at = 0;
    for (int l = 0; l < k; l++, at += step, a += FLOAT_ROWS, second += FLOAT_ROWS) {
        vec w[PANELS * PANEL_VECS];
        for (int v = 0; v < PANEL_VECS; v++) {
            w[v] = vec_load(a + v * LANES);
            if (panels == 2) {
                w[PANEL_VECS + v] = vec_load(second + v * LANES);
            }
        }
        for (int j = 0; j < columns; j++) {
            const vec value = vec_all(x[j][at]);
            for (int v = 0; v < panels * PANEL_VECS; v++) {
                sums[j][v] = vec_fma(w[v], value, sums[j][v]);
            }
        }
    }
    for (int j = 0; j < columns; j++) {
        store(sums[j], rows, c[j] + row, add);
        if (panels == 2) {
            store(sums[j] + PANEL_VECS, rows - FLOAT_ROWS, c[j] + row + FLOAT_ROWS, add);
        }
    }
}

ALWAYS_INLINE void tiles(const float *panels, int rows, int k, const float *const *b, int64_t step,
                         int columns, float *const *c, bool add) {
    int row = 0;
    for (; PANELS == 2 && rows - row > FLOAT_ROWS; row += 2 * FLOAT_ROWS) {
        tile(panels + (int64_t)row * k, 2, rows - row, k, b, step, columns, c, row, add);
    }
    for (; row < rows; row += FLOAT_ROWS) {
        tile(panels + (int64_t)row * k, 1, rows - row, k, b, step, columns, c, row, add);
    }
}

void ISA(gatun_float_tile)(const float *panels, int rows, int k, const float *const *b,
                           int64_t step, int columns, float *const *c, bool add) {
    switch (columns) {
    case 1: tiles(panels, rows, k, b, step, 1, c, add); break;
    case 2: tiles(panels, rows, k, b, step, 2, c, add); break;
    case 3: tiles(panels, rows, k, b, step, 3, c, add); break;
    case 4: tiles(panels, rows, k, b, step, 4, c, add); break;
    case 5: tiles(panels, rows, k, b, step, 5, c, add); break;
    default: tiles(panels, rows, k, b, step, 6, c, add); break;
    }
}

ALWAYS_INLINE vec load(int32_t type, const void *row, int64_t i) {
    return type == TYPE_F32   ? vec_load((const float *)row + i)
           : type == TYPE_F16 ? vec_load_half((const uint16_t *)row + i)
                              : vec_load_bfloat((const uint16_t *)row + i);
}

ALWAYS_INLINE float load1(int32_t type, const void *row, int64_t i) {
    return type == TYPE_F32   ? ((const float *)row)[i]
           : type == TYPE_F16 ? float_of_half(((const uint16_t *)row)[i])
                              : float_of_bfloat(((const uint16_t *)row)[i]);
}

/* How far ahead short rows are asked for, and long ones at least: prefetchers stop at each page. */
enum { AHEAD = 4096 };

ALWAYS_INLINE void dot_rows(int32_t type, const char *a, int64_t stride, int rows, int64_t k,
                            const float *const *b, int columns, float *const *c, int64_t row,
                            bool add) {
    const int64_t ahead = rows * stride > AHEAD ? rows * stride : AHEAD;
    vec sums[4][DOT_COLUMNS];
    float rest[4][DOT_COLUMNS];
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
            sums[i][j] = vec_all(0);
            rest[i][j] = 0;
        }
    }
    int64_t l = 0;
    for (; l + LANES <= k; l += LANES) {
        vec x[DOT_COLUMNS];
        for (int j = 0; j < columns; j++) {
            x[j] = vec_load(b[j] + l);
        }
        for (int i = 0; i < rows; i++) {
            PREFETCH(a + i * stride + ahead + l * (type == TYPE_F32 ? 4 : 2));
            const vec w = load(type, a + i * stride, l);
            for (int j = 0; j < columns; j++) {
                sums[i][j] = vec_fma(w, x[j], sums[i][j]);
            }
        }
    }
    for (; l < k; l++) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                rest[i][j] += load1(type, a + i * stride, l) * b[j][l];
            }
        }
    }
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
            const float sum = vec_sum(sums[i][j]) + rest[i][j];
            c[j][row + i] = add ? c[j][row + i] + sum : sum;
        }
    }
}

ALWAYS_INLINE void dots(int32_t type, const char *a, int64_t stride, int64_t rows, int64_t k,
                        const float *const *b, int columns, float *const *c, bool add) {
    int64_t row = 0;
    for (; row + 4 <= rows; row += 4) {
        dot_rows(type, a + row * stride, stride, 4, k, b, columns, c, row, add);
    }
    for (; row < rows; row++) {
        dot_rows(type, a + row * stride, stride, 1, k, b, columns, c, row, add);
    }
}

void ISA(gatun_float_dots)(int32_t type, const void *a, int64_t stride, int64_t rows, int64_t k,
                           const float *const *b, int columns, float *const *c, bool add) {
#define TYPE_COLUMNS(TYPE, n)                                                                      \
    if (type == TYPE && columns == n) {                                                            \
        dots(TYPE, a, stride, rows, k, b, n, c, add);                                              \
    }
    TYPE_COLUMNS(TYPE_F32, 1)
    TYPE_COLUMNS(TYPE_F32, 2)
    TYPE_COLUMNS(TYPE_F32, 3)
    TYPE_COLUMNS(TYPE_F16, 1)
    TYPE_COLUMNS(TYPE_F16, 2)
    TYPE_COLUMNS(TYPE_F16, 3)
    TYPE_COLUMNS(TYPE_BF16, 1)
    TYPE_COLUMNS(TYPE_BF16, 2)
    TYPE_COLUMNS(TYPE_BF16, 3)
}
