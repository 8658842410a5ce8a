/* Rows of any type to floats, in groups of 16: see float_gemm.h. */
#include "block_rows.h"
#include "float_gemm.h"
#include "vec.h"
#include "ggml_tensor.h"

#include <string.h>

/* 16 bytes to scale·q + offset. The product is exact, so one rounding is all there is. */
ALWAYS_INLINE void scaled(const uint8_t *q, bool is_signed, float scale, float offset, float *out) {
    for (int i = 0; i < FLOAT_ROWS; i += LANES) {
        vec_store(out + i, vec_fma(vec_load_bytes(q + i, is_signed), vec_all(scale), vec_all(offset)));
    }
}

/* `is_signed`: bytes are signed but where block_rows.h makes them unsigned. */
ALWAYS_INLINE void floats256(const uint8_t *row, int64_t first, int count, int bytes, int sub,
                             bool is_signed, float *out, int64_t step, row256_fn *unpack) {
    row256 r;
    int at = (int)(first % 256);
    for (const uint8_t *block = row + first / 256 * bytes; count > 0; block += bytes, at = 0) {
        unpack(block, &r);
        for (; at < 256 && count > 0; at += FLOAT_ROWS, count -= FLOAT_ROWS, out += step) {
            const int s = at / sub;
            scaled(r.q + at, is_signed && SIGNED_OFFSET == 0, r.d * r.scale[s],
                   -(r.dm * r.min[s]), out);
        }
    }
}

ALWAYS_INLINE void floats32(const uint8_t *row, int64_t first, int count, int bytes, bool is_signed,
                            float *out, int64_t step, row32_fn *unpack) {
    row32 r;
    int at = (int)(first % 32);
    for (const uint8_t *block = row + first / 32 * bytes; count > 0; block += bytes, at = 0) {
        unpack(block, &r);
        for (; at < 32 && count > 0; at += FLOAT_ROWS, count -= FLOAT_ROWS, out += step) {
            scaled(r.q + at, is_signed && SIGNED_OFFSET == 0, r.d, r.m, out);
        }
    }
}

ALWAYS_INLINE vec load(int32_t type, const void *values, int64_t i) {
    return type == TYPE_F32   ? vec_load((const float *)values + i)
           : type == TYPE_F16 ? vec_load_half((const uint16_t *)values + i)
                              : vec_load_bfloat((const uint16_t *)values + i);
}

ALWAYS_INLINE float load1(int32_t type, const void *values, int64_t i) {
    return type == TYPE_F32   ? ((const float *)values)[i]
           : type == TYPE_F16 ? float_of_half(((const uint16_t *)values)[i])
                              : float_of_bfloat(((const uint16_t *)values)[i]);
}

ALWAYS_INLINE void plain(int32_t type, const void *row, int64_t first, int count, float *out,
                         int64_t step) {
    for (; count >= FLOAT_ROWS; count -= FLOAT_ROWS, first += FLOAT_ROWS, out += step) {
        for (int i = 0; i < FLOAT_ROWS; i += LANES) {
            vec_store(out + i, load(type, row, first + i));
        }
    }
    for (int i = 0; count > 0 && i < FLOAT_ROWS; i++) {
        out[i] = i < count ? load1(type, row, first + i) : 0;
    }
}

void ISA(gatun_floats)(int32_t type, const void *row, int64_t first, int count, float *out,
                       int64_t step) {
/* Direct calls, so that the compiler can inline each row function into its loop. */
#define CASE256(TYPE, name, sub, is_signed)                                                        \
    case TYPE:                                                                                     \
        floats256(row, first, count, sizeof(block_##name), sub, is_signed, out, step, row_##name); \
        break;
#define CASE32(TYPE, name, is_signed)                                                              \
    case TYPE:                                                                                     \
        floats32(row, first, count, sizeof(block_##name), is_signed, out, step, row_##name);       \
        break;
    switch (type) {
    case TYPE_F32: plain(TYPE_F32, row, first, count, out, step); break;
    case TYPE_F16: plain(TYPE_F16, row, first, count, out, step); break;
    case TYPE_BF16: plain(TYPE_BF16, row, first, count, out, step); break;
        CASE256(TYPE_Q2_K, q2_k, 16, false)
        CASE256(TYPE_Q3_K, q3_k, 16, false)
        CASE256(TYPE_Q4_K, q4_k, 32, false)
        CASE256(TYPE_Q5_K, q5_k, 32, false)
        CASE256(TYPE_Q6_K, q6_k, 16, false)
        CASE256(TYPE_IQ4_XS, iq4_xs, 32, true)
        CASE32(TYPE_Q4_0, q4_0, false)
        CASE32(TYPE_Q4_1, q4_1, false)
        CASE32(TYPE_Q5_0, q5_0, false)
        CASE32(TYPE_Q5_1, q5_1, false)
        CASE32(TYPE_Q8_0, q8_0, true)
        CASE32(TYPE_IQ4_NL, iq4_nl, true)
        CASE32(TYPE_MXFP4, mxfp4, false)
    }
}
