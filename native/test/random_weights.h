/* Random weights of every type that our products know, and what they are exactly. */
#ifndef GATUN_RANDOM_WEIGHTS_H
#define GATUN_RANDOM_WEIGHTS_H

#include "check.h"
#include "half.h"
#include "kernels.h"

/* The first FLOAT_TYPES are not quantised. */
enum { FLOAT_TYPES = 3 };
static const int32_t types[] = {TYPE_F32,    TYPE_F16,  TYPE_BF16, TYPE_Q2_K, TYPE_Q3_K, TYPE_Q4_K,
                                TYPE_Q5_K,   TYPE_Q6_K, TYPE_IQ4_XS, TYPE_Q4_0, TYPE_Q4_1,
                                TYPE_Q5_0,   TYPE_Q5_1, TYPE_Q8_0, TYPE_IQ4_NL, TYPE_MXFP4};
extern const struct gatun_kernels gatun_kernels_generic;

static inline int64_t block_values(int32_t type) {
    const struct weight_type *t = gatun_weight_type(type);
    return t ? t->block_values : 1;
}

static inline int64_t row_bytes(int32_t type, int64_t values) {
    const struct weight_type *t = gatun_weight_type(type);
    return t ? values / t->block_values * t->block_bytes : values * (type == TYPE_F32 ? 4 : 2);
}

/* Random values of a type, and the same as floats by the scalar reference. */
static inline void fill(int32_t type, uint8_t *row, float *floats, int64_t count, float scale) {
    const struct weight_type *t = gatun_weight_type(type);
    for (int64_t i = 0; !t && i < count; i++) {
        const float x = scale * random_float();
        const uint16_t half = type == TYPE_F16 ? half_of_float(x) : (uint16_t)(bits_of_float(x) >> 16);
        memcpy(row + i * (type == TYPE_F32 ? 4 : 2), type == TYPE_F32 ? (const void *)&x : &half,
               type == TYPE_F32 ? 4 : 2);
        floats[i] = type == TYPE_F32 ? x : type == TYPE_F16 ? float_of_half(half) : float_of_bfloat(half);
    }
    if (!t) {
        return;
    }
    /* Small bytes everywhere keep the halves among them finite. */
    for (int64_t i = 0; i < row_bytes(type, count); i++) {
        row[i] = (uint8_t)(next_random() & 0x3f);
        if (type == TYPE_MXFP4 && i % t->block_bytes == 0) {
            row[i] = (uint8_t)(110 + next_random() % 20);
        }
    }
    for (int64_t i = 0; i < count; i += FLOAT_ROWS) {
        gatun_kernels_generic.floats(type, row, i, FLOAT_ROWS, floats + i, FLOAT_ROWS);
    }
}

/* Where a block's float scales are; the other bytes may have any value. */
static inline void set_scales(int32_t type, uint8_t *block, float scale) {
    const uint16_t d = half_of_float(scale), m = half_of_float(scale * 0.7f);
    switch (type) {
    case TYPE_Q2_K: memcpy(block + 80, &d, 2), memcpy(block + 82, &m, 2); break;
    case TYPE_Q3_K: memcpy(block + 108, &d, 2); break;
    case TYPE_Q6_K: memcpy(block + 208, &d, 2); break;
    case TYPE_Q4_K:
    case TYPE_Q5_K:
    case TYPE_Q4_1:
    case TYPE_Q5_1: memcpy(block, &d, 2), memcpy(block + 2, &m, 2); break;
    case TYPE_MXFP4: block[0] = (uint8_t)(110 + next_random() % 20); break;
    default: memcpy(block, &d, 2); break;
    }
}

/* Quantised blocks of random bytes whose values are some tens of `scale` at most. */
static inline uint8_t *random_blocks(int32_t type, int64_t count, float scale) {
    const int64_t bytes = gatun_weight_type(type)->block_bytes;
    uint8_t *blocks = random_bytes(bytes * count);
    for (int64_t b = 0; b < count; b++) {
        set_scales(type, blocks + b * bytes, scale * (0.5f + (float)(next_random() % 100) / 100));
    }
    return blocks;
}

/* F32 [inner, outer, batch] with `gap` floats between rows, which must stay what they are. */
static inline struct ggml_tensor spaced(int64_t inner, int64_t outer, int64_t batch, int64_t gap, float *data) {
    struct ggml_tensor t = matrix(TYPE_F32, inner, outer, data);
    t.ne[2] = batch;
    t.nb[1] = (size_t)(inner + gap) * sizeof(float);
    t.nb[2] = t.nb[1] * (size_t)outer;
    t.nb[3] = t.nb[2] * (size_t)batch;
    return t;
}

#endif
