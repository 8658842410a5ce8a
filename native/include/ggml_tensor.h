/*
 * The part of GGML's tensor that our kernels read, with GGML's own names. The kernels do not link
 * to GGML: they are entered through custom nodes of a graph and get pointers to its tensors. Java
 * compares these offsets with the loaded library's before any kernel runs.
 */
#ifndef GATUN_GGML_TENSOR_H
#define GATUN_GGML_TENSOR_H

#include <stddef.h>
#include <stdint.h>

struct ggml_tensor {
    int32_t type;
    void *buffer;
    int64_t ne[4]; /* lengths, innermost first */
    size_t nb[4];  /* strides in bytes */
    int32_t op;
    int32_t op_params[16];
    int32_t flags;
    struct ggml_tensor *src[10];
    struct ggml_tensor *view_src;
    size_t view_offs;
    void *data;
};

/* GGML's numbers of the element types that some kernel knows. */
enum {
    TYPE_F32 = 0,
    TYPE_F16 = 1,
    TYPE_Q4_0 = 2,
    TYPE_Q4_1 = 3,
    TYPE_Q5_0 = 6,
    TYPE_Q5_1 = 7,
    TYPE_Q8_0 = 8,
    TYPE_Q2_K = 10,
    TYPE_Q3_K = 11,
    TYPE_Q4_K = 12,
    TYPE_Q5_K = 13,
    TYPE_Q6_K = 14,
    TYPE_IQ4_NL = 20,
    TYPE_IQ4_XS = 23,
    TYPE_I32 = 26,
    TYPE_BF16 = 30,
    TYPE_MXFP4 = 39,
};

#endif
