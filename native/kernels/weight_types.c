/* The types whose weights the integer kernels know. */
#include "blocks.h"
#include "ggml_tensor.h"
#include "int8_gemm.h"

#include <stddef.h>

const struct weight_type *gatun_weight_type(int32_t type) {
    /* A 16-bit lane holds 32767: run · 2 · largest byte · 127 must stay below. */
    static const struct weight_type q4_0 = {32, sizeof(block_q4_0), 32, 8, false, true};
    static const struct weight_type q4_1 = {32, sizeof(block_q4_1), 32, 8, false, true};
    static const struct weight_type q5_0 = {32, sizeof(block_q5_0), 32, 4, false, true};
    static const struct weight_type q5_1 = {32, sizeof(block_q5_1), 32, 4, false, true};
    static const struct weight_type q8_0 = {32, sizeof(block_q8_0), 32, 1, true, false};
    static const struct weight_type iq4_nl = {32, sizeof(block_iq4_nl), 32, 1, true, false};
    static const struct weight_type mxfp4 = {32, sizeof(block_mxfp4), 32, 4, false, true};
    static const struct weight_type q2_k = {256, sizeof(block_q2_k), 16, 4, false, true};
    static const struct weight_type q3_k = {256, sizeof(block_q3_k), 16, 4, false, true};
    static const struct weight_type q4_k = {256, sizeof(block_q4_k), 32, 8, false, true};
    static const struct weight_type q5_k = {256, sizeof(block_q5_k), 32, 4, false, true};
    static const struct weight_type q6_k = {256, sizeof(block_q6_k), 16, 2, false, true};
    static const struct weight_type iq4_xs = {256, sizeof(block_iq4_xs), 32, 1, true, false};
    switch (type) {
    case TYPE_Q4_0: return &q4_0;
    case TYPE_Q4_1: return &q4_1;
    case TYPE_Q5_0: return &q5_0;
    case TYPE_Q5_1: return &q5_1;
    case TYPE_Q8_0: return &q8_0;
    case TYPE_IQ4_NL: return &iq4_nl;
    case TYPE_MXFP4: return &mxfp4;
    case TYPE_Q2_K: return &q2_k;
    case TYPE_Q3_K: return &q3_k;
    case TYPE_Q4_K: return &q4_k;
    case TYPE_Q5_K: return &q5_k;
    case TYPE_Q6_K: return &q6_k;
    case TYPE_IQ4_XS: return &iq4_xs;
    default: return NULL;
    }
}
