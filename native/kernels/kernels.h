/*
 * The kernels of one instruction set. Every function here exists once per set (see isa.h); the
 * entry points in the files above simd/ split the work among threads and call them.
 */
#ifndef GATUN_KERNELS_H
#define GATUN_KERNELS_H

#include "attention.h"
#include "float_gemm.h"
#include "inputs.h"
#include "int8_gemm.h"
#include "rope.h"
#include "row_dots.h"
#include "training.h"

struct gatun_kernels {
    const char *name;
    int level; /* 0 is the scalar reference */

    /* int8_gemm.h */
    gatun_pack_fn *pack256;
    gatun_pack_fn *pack32;
    gatun_unpack_fn *unpack;
    gatun_tile_fn *tile256;
    gatun_tile_fn *tile32;

    /* row_dots.h */
    gatun_row_pack_fn *row_pack;
    gatun_row_dots_fn *row_dots;
    gatun_row_dots_known_fn *row_dots_known;

    /* inputs.h */
    gatun_square_sum_fn *square_sum;
    gatun_normed_fn *normed;
    gatun_gated_fn *gated;

    /* rope.h */
    gatun_turn_fn *turn;

    /* attention.h */
    gatun_attention_fn *attention;
    gatun_attention_finish_fn *attention_finish;
    /* float_gemm.h */
    gatun_floats_fn *floats;
    gatun_float_panel_fn *float_panel;
    gatun_float_tile_fn *float_tile;
    gatun_float_dots_fn *float_dots;
    const struct gatun_bfloats *bfloats;
    const struct gatun_bfloats *fast_bfloats; /* for processors with AVX512-BF16; NULL in other sets */

    /* training.h */
    gatun_norm_back_fn *norm_back;
    gatun_softmax_back_fn *softmax_back;
    gatun_activation_back_fn *activation_back;
    gatun_gated_back_fn *gated_back;
    gatun_row_log_sum_exp_fn *row_log_sum_exp;
    gatun_row_softmax_fn *row_softmax;
    gatun_add_scaled_fn *add_scaled;
    gatun_update_fn *update;
    gatun_attention_back_queries_fn *attention_back_queries;
    gatun_attention_back_keys_fn *attention_back_keys;
};

/* The best set that this machine has, or the one that the environment variable GATUN_ISA names. */
const struct gatun_kernels *gatun_kernels(void);

/* Its products of BF16, with the processor's own instructions where there are any. */
const struct gatun_bfloats *gatun_bfloats(void);

#endif
