/*
 * The C interface of libgatun, Gatun's own kernels. Plain C11, no link to GGML.
 *
 * Every function is thread-safe unless it says otherwise, never allocates, never blocks, and
 * leaves the memory it is given to its caller.
 */
#ifndef GATUN_H
#define GATUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define GATUN_API __declspec(dllexport)
#else
#define GATUN_API __attribute__((visibility("default")))
#endif

/* Grows with every incompatible change of this header; Java compares it at load. */
#define GATUN_ABI_VERSION 1
GATUN_API int32_t gatun_abi_version(void);

/*
 * GGML's abort callback without an upcall: `flag` points to one byte that Java sets to stop the
 * running compute. GGML asks after every node.
 */
GATUN_API bool gatun_abort_requested(void *flag);

/*
 * The k largest of n scores, best first; equal scores in ascending order of index. Writes k
 * indices and k values. Returns how many were written: fewer than k when n < k or when scores are
 * NaN, which are never selected. `scratch` holds k entries of 8 bytes.
 */
GATUN_API int32_t gatun_top_k(const float *scores, int32_t n, int32_t k, int32_t *indices,
                              float *values, uint64_t *scratch);

/* Index of the largest score, the lowest one among equals; -1 when every score is NaN or n is 0. */
GATUN_API int32_t gatun_argmax(const float *scores, int32_t n);

/* log(sum(exp(scores))), computed in double around the maximum; -inf when n is 0. */
GATUN_API double gatun_log_sum_exp(const float *scores, int32_t n);

#endif
