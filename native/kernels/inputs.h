/*
 * Inputs of products that are computed while they are quantised: normalised rows, sums that are
 * normalised, and gated activations. The nodes that GGML would have for them are then not needed.
 */
#ifndef GATUN_INPUTS_H
#define GATUN_INPUTS_H

#include <stdint.h>

/* Counts are multiples of this, as the smallest block of a quantised input is. */
enum { INPUT_STEP = 32 };

/* Σ (x + more)², in an order that depends on k alone. more: NULL for none. */
typedef float gatun_square_sum_fn(const float *x, const float *more, int64_t k);

/* out = (x + more) · scale · gain, and sum = x + more. more: NULL for none, then sum is not written. */
typedef void gatun_normed_fn(const float *x, const float *more, const float *gain, float scale,
                             int count, float *sum, float *out);

/* out = act(gate) · up, as the functions of gatun.h are. */
typedef void gatun_gated_fn(int32_t glu, const float *gate, const float *up, int count, float *out);

#endif
