/*
 * See row_dots.h. A row's block is unpacked 32 values at a time in registers, and never stored; the
 * scalar reference goes through block_rows.h as the panels do.
 */
#include "row_dots.h"

#include "block_rows.h"
#include "ggml_tensor.h"
#include "int8_gemm.h"
#include "quantize.h"

void ISA(gatun_row_pack)(int block, const float *x, int64_t blocks, void *out) {
    if (block == 256) {
        row_act256 *a = out;
        for (int64_t b = 0; b < blocks; b++, a++, x += 256) {
            a->d = quantize(x, 256, a->q);
            for (int s = 0; s < 16; s++) {
                a->sums[s / 2 + s % 2 * 8] = (int16_t)sum(a->q + 16 * s, 16);
            }
        }
        return;
    }
    row_act32 *a = out;
    for (int64_t b = 0; b < blocks; b++, x += 32) {
        if (b % 8 == 0 && blocks - b < 8) {
            memset(a + b / 8, 0, sizeof *a);
        }
        row_act32 *of = a + b / 8;
        of->d[b % 8] = quantize(x, 32, of->q[b % 8]);
        of->sum[b % 8] = of->d[b % 8] * (float)sum(of->q[b % 8], 32);
    }
}

/* The scalar reference, and what types without codes in registers get. */
static float dot_of_256(const uint8_t *w, int bytes, int subs, bool is_signed, int64_t blocks,
                        const row_act256 *a, row256_fn *unpack) {
    float total = 0;
    for (int64_t b = 0; b < blocks; b++, w += bytes, a++) {
        row256 r;
        unpack(w, &r);
        int32_t sum = 0, low = 0;
        for (int k = 0; k < 256; k++) {
            sum += r.scale[k * subs / 256] * (is_signed ? (int8_t)r.q[k] : r.q[k]) * a->q[k];
        }
        for (int s = 0; s < 16; s++) {
            low += r.min[s * subs / 16] * a->sums[s / 2 + s % 2 * 8];
        }
        total += a->d * (r.d * (float)sum - r.dm * (float)low);
    }
    return total;
}

static float dot_of_32(const uint8_t *w, int bytes, bool is_signed, int64_t blocks,
                       const row_act32 *a, row32_fn *unpack) {
    float total = 0;
    for (int64_t b = 0; b < blocks; b++, w += bytes) {
        row32 r;
        unpack(w, &r);
        int32_t sum = 0;
        for (int k = 0; k < 32; k++) {
            sum += (is_signed ? (int8_t)r.q[k] : r.q[k]) * a[b / 8].q[b % 8][k];
        }
        total += r.d * a[b / 8].d[b % 8] * (float)sum + r.m * a[b / 8].sum[b % 8];
    }
    return total;
}

#define ALL(dot)                                                                                   \
    for (int64_t row = 0; row < rows; row++) {                                                     \
        const uint8_t *from = (const uint8_t *)w + row * row_bytes;                                \
        for (int i = 0; i < columns; i++) {                                                        \
            const void *a = (const char *)x + i * column_bytes;                                    \
            c[i * stride + row] = dot;                                                             \
        }                                                                                          \
    }                                                                                              \
    break;
#define SCALAR256(TYPE, name, subs, is_signed)                                                     \
    case TYPE: ALL(dot_of_256(from, sizeof(block_##name), subs, is_signed, k / 256, a, row_##name))
#define SCALAR32(TYPE, name, is_signed)                                                            \
    case TYPE: ALL(dot_of_32(from, sizeof(block_##name), is_signed, k / 32, a, row_##name))

static void scalar_dots(int32_t type, const void *w, int64_t row_bytes, int64_t rows, int64_t k,
                        const void *x, int64_t column_bytes, int columns, float *c,
                        int64_t stride) {
    switch (type) {
        SCALAR256(TYPE_Q2_K, q2_k, 16, false)
        SCALAR256(TYPE_Q3_K, q3_k, 16, false)
        SCALAR256(TYPE_Q4_K, q4_k, 8, false)
        SCALAR256(TYPE_Q5_K, q5_k, 8, false)
        SCALAR256(TYPE_Q6_K, q6_k, 16, false)
        SCALAR256(TYPE_IQ4_XS, iq4_xs, 8, SIGNED_OFFSET == 0)
        SCALAR32(TYPE_Q4_0, q4_0, false)
        SCALAR32(TYPE_Q4_1, q4_1, false)
        SCALAR32(TYPE_Q5_0, q5_0, false)
        SCALAR32(TYPE_Q5_1, q5_1, false)
        SCALAR32(TYPE_Q8_0, q8_0, SIGNED_OFFSET == 0)
        SCALAR32(TYPE_IQ4_NL, iq4_nl, SIGNED_OFFSET == 0)
        SCALAR32(TYPE_MXFP4, mxfp4, false)
    }
}

#if defined(__AVX2__) || defined(__ARM_FEATURE_DOTPROD)
#include "row_codes.h"

typedef bytes32 codes_fn(const void *block, int j);
typedef scales256 scales_fn(const void *block);

/* How far ahead a row is asked for: the prefetchers of the processor stop at each page. */
enum { AHEAD = 4096 };

/* 64 of the 256 values of a block, from 32·j on. */
ALWAYS_INLINE void part_of_256(ints2 *sum, const uint8_t *w, const char *x, int64_t column_bytes,
                               int columns, codes_fn *codes, words2 scale, int j) {
    const bytes32 first = codes(w, j), second = codes(w, j + 1);
#pragma GCC unroll 3
    for (int i = 0; i < columns; i++) {
        const row_act256 *a = (const row_act256 *)(x + i * column_bytes);
        sum[i] = dot2_scaled(sum[i], first, second, a->q + 32 * j, scale, j);
    }
}

/* One row times `columns` columns, of types with 256 values per block. */
ALWAYS_INLINE void row_of_256(const uint8_t *w, int bytes, int64_t blocks, const char *x,
                              int64_t column_bytes, int columns, float *c, int64_t stride,
                              codes_fn *codes, scales_fn *scales) {
    floats total[DOT_COLUMNS_MAX];
#pragma GCC unroll 3
    for (int i = 0; i < columns; i++) {
        total[i] = floats_zero();
    }
    for (int64_t b = 0; b < blocks; b++, w += bytes, x += sizeof(row_act256)) {
        const scales256 s = scales(w);
        const words2 scale = words2_of(s.scale);
        for (int line = 0; line < bytes; line += 64) {
            PREFETCH(w + AHEAD + line);
        }
        ints2 sum[DOT_COLUMNS_MAX];
#pragma GCC unroll 3
        for (int i = 0; i < columns; i++) {
            sum[i] = ints2_zero();
        }
        part_of_256(sum, w, x, column_bytes, columns, codes, scale, 0);
        part_of_256(sum, w, x, column_bytes, columns, codes, scale, 2);
        part_of_256(sum, w, x, column_bytes, columns, codes, scale, 4);
        part_of_256(sum, w, x, column_bytes, columns, codes, scale, 6);
#pragma GCC unroll 3
        for (int i = 0; i < columns; i++) {
            const row_act256 *a = (const row_act256 *)(x + i * column_bytes);
            total[i] = add_scaled(total[i], ints2_fold(sum[i]), s.d * a->d);
            total[i] = add_scaled(total[i], dot_words(s.min, a->sums), -s.dm * a->d);
        }
    }
    for (int i = 0; i < columns; i++) {
        c[i * stride] = floats_sum(total[i]);
    }
}

typedef bytes32 codes32_fn(const void *block);
typedef scales32 scales32_fn(const void *block, int count);

/* What one column has summed up. */
typedef struct {
    floats2 total;
    floats one; /* of a block without a second one */
    floats8 low;
} sums32;

/* Up to 8 blocks of 32. */
ALWAYS_INLINE sums32 some_of_32(sums32 sums, const uint8_t *w, int bytes, int count,
                                const row_act32 *a, codes32_fn *codes, scales32 s, bool is_signed) {
    ALIGNED(32) float d[8];
    floats8_store(d, floats8_mul(s.d, floats8_load(a->d)));
    sums.low = floats8_fma(s.m, floats8_load(a->sum), sums.low);
#pragma GCC unroll 4
    for (int j = 0; j + 2 <= count; j += 2) {
        sums.total = add2_scaled(sums.total, codes(w + j * bytes), codes(w + (j + 1) * bytes),
                                 a->q[j], is_signed, d + j);
    }
    if (count % 2) {
        const int j = count - 1;
        const ints i = dot(ints_zero(), codes(w + j * bytes), a->q[j], is_signed);
        sums.one = add_scaled(sums.one, i, d[j]);
    }
    return sums;
}

/* The same with 32 values per block. */
ALWAYS_INLINE void row_of_32(const uint8_t *w, int bytes, int64_t blocks, const char *x,
                             int64_t column_bytes, int columns, float *c, int64_t stride,
                             codes32_fn *codes, scales32_fn *scales, bool is_signed) {
    sums32 sums[DOT_COLUMNS_MAX];
#pragma GCC unroll 3
    for (int i = 0; i < columns; i++) {
        sums[i] = (sums32){floats2_zero(), floats_zero(), floats8_all(0)};
    }
    for (; blocks >= 8; blocks -= 8, w += 8 * bytes, x += sizeof(row_act32)) {
        for (int line = 0; line < 8 * bytes; line += 64) {
            PREFETCH(w + AHEAD + line);
        }
        const scales32 s = scales(w, 8);
#pragma GCC unroll 3
        for (int i = 0; i < columns; i++) {
            const row_act32 *a = (const row_act32 *)(x + i * column_bytes);
            sums[i] = some_of_32(sums[i], w, bytes, 8, a, codes, s, is_signed);
        }
    }
    if (blocks > 0) {
        const scales32 s = scales(w, (int)blocks);
        for (int i = 0; i < columns; i++) {
            const row_act32 *a = (const row_act32 *)(x + i * column_bytes);
            sums[i] = some_of_32(sums[i], w, bytes, (int)blocks, a, codes, s, is_signed);
        }
    }
#pragma GCC unroll 3
    for (int i = 0; i < columns; i++) {
        float low[8];
        floats8_store(low, sums[i].low);
        c[i * stride] = floats_sum(floats_add(floats2_fold(sums[i].total), sums[i].one)) +
                        ((low[0] + low[1]) + (low[2] + low[3])) +
                        ((low[4] + low[5]) + (low[6] + low[7]));
    }
}

/* Columns as a constant, so that each count has its registers. */
#define ROWS(FAMILY, bytes, block, ...)                                                            \
    for (int64_t row = 0; row < rows; row++) {                                                     \
        const uint8_t *from = (const uint8_t *)w + row * row_bytes;                                \
        switch (columns) {                                                                         \
        case 1:                                                                                    \
            FAMILY(from, bytes, k / block, x, column_bytes, 1, c + row, stride, __VA_ARGS__);      \
            break;                                                                                 \
        case 2:                                                                                    \
            FAMILY(from, bytes, k / block, x, column_bytes, 2, c + row, stride, __VA_ARGS__);      \
            break;                                                                                 \
        default:                                                                                   \
            FAMILY(from, bytes, k / block, x, column_bytes, 3, c + row, stride, __VA_ARGS__);      \
        }                                                                                          \
    }
#define CASE256(TYPE, name)                                                                        \
    case TYPE:                                                                                     \
        ROWS(row_of_256, sizeof(block_##name), 256, codes_##name, scales_##name)                   \
        return;
#define CASE32(TYPE, name, is_signed)                                                              \
    case TYPE:                                                                                     \
        ROWS(row_of_32, sizeof(block_##name), 32, codes_##name, scales_##name, is_signed)          \
        return;

bool ISA(gatun_row_dots_known)(int32_t type) {
    switch (type) {
    case TYPE_Q2_K:
    case TYPE_Q4_K:
    case TYPE_Q5_K:
    case TYPE_Q6_K:
    case TYPE_Q4_0:
    case TYPE_Q4_1:
    case TYPE_Q5_0:
    case TYPE_Q5_1:
    case TYPE_Q8_0:
    case TYPE_IQ4_NL:
    case TYPE_MXFP4: return true;
    default: return false;
    }
}

void ISA(gatun_row_dots)(int32_t type, const void *w, int64_t row_bytes, int64_t rows, int64_t k,
                         const void *x, int64_t column_bytes, int columns, float *c,
                         int64_t stride) {
    switch (type) {
        CASE256(TYPE_Q2_K, q2_k)
        CASE256(TYPE_Q4_K, q4_k)
        CASE256(TYPE_Q5_K, q5_k)
        CASE256(TYPE_Q6_K, q6_k)
        CASE32(TYPE_Q4_0, q4_0, false)
        CASE32(TYPE_Q4_1, q4_1, false)
        CASE32(TYPE_Q5_0, q5_0, false)
        CASE32(TYPE_Q5_1, q5_1, false)
        CASE32(TYPE_Q8_0, q8_0, true)
        CASE32(TYPE_IQ4_NL, iq4_nl, true)
        CASE32(TYPE_MXFP4, mxfp4, false)
    default: scalar_dots(type, w, row_bytes, rows, k, x, column_bytes, columns, c, stride);
    }
}

#else
bool ISA(gatun_row_dots_known)(int32_t type) { return gatun_weight_type(type) != NULL; }

void ISA(gatun_row_dots)(int32_t type, const void *w, int64_t row_bytes, int64_t rows, int64_t k,
                         const void *x, int64_t column_bytes, int columns, float *c,
                         int64_t stride) {
    scalar_dots(type, w, row_bytes, rows, k, x, column_bytes, columns, c, stride);
}
#endif
