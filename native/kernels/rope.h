/*
 * Rotary positions: queries and keys are turned, and keys and values go into the KV cache, in one
 * node. Angles are those of all layers alike, so a table has their cosines and sines.
 */
#ifndef GATUN_ROPE_H
#define GATUN_ROPE_H

#include <stdbool.h>

/* Turns dims values by a table of dims/2 cosines and then as many sines: pairs are (i, i + dims/2),
 * or (2i, 2i + 1) when `neighbours`. out may not be x. */
typedef void gatun_turn_fn(const float *x, const float *table, int dims, bool neighbours, float *out);

#endif
