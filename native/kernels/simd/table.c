/* The table of one instruction set. */
#include "isa.h"
#include "kernels.h"

#if defined(__AVX512VNNI__)
enum { LEVEL = 2 };
#elif defined(__AVX2__)
enum { LEVEL = 1 };
#elif defined(__ARM_FEATURE_MATMUL_INT8)
enum { LEVEL = 2 };
#elif defined(__ARM_FEATURE_DOTPROD)
enum { LEVEL = 1 };
#else
enum { LEVEL = 0 };
#endif

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

gatun_pack_fn ISA(gatun_pack256), ISA(gatun_pack32);
gatun_unpack_fn ISA(gatun_unpack);
gatun_tile_fn ISA(gatun_tile256), ISA(gatun_tile32);
gatun_row_pack_fn ISA(gatun_row_pack);
gatun_row_dots_fn ISA(gatun_row_dots);
gatun_row_dots_known_fn ISA(gatun_row_dots_known);
gatun_square_sum_fn ISA(gatun_square_sum);
gatun_normed_fn ISA(gatun_normed);
gatun_gated_fn ISA(gatun_gated);
gatun_turn_fn ISA(gatun_turn);
gatun_attention_fn ISA(gatun_attention);
gatun_attention_finish_fn ISA(gatun_attention_finish);
gatun_floats_fn ISA(gatun_floats);
gatun_float_panel_fn ISA(gatun_float_panel);
gatun_float_tile_fn ISA(gatun_float_tile);
gatun_float_dots_fn ISA(gatun_float_dots);
extern const struct gatun_bfloats ISA(gatun_bfloats);
#if defined(GATUN_FAST_BFLOATS)
extern const struct gatun_bfloats ISA(gatun_fast_bfloats);
#endif
gatun_norm_back_fn ISA(gatun_norm_back);
gatun_softmax_back_fn ISA(gatun_softmax_back);
gatun_activation_back_fn ISA(gatun_activation_back);
gatun_gated_back_fn ISA(gatun_gated_back);
gatun_row_log_sum_exp_fn ISA(gatun_row_log_sum_exp);
gatun_row_softmax_fn ISA(gatun_row_softmax);
gatun_add_scaled_fn ISA(gatun_add_scaled);
gatun_update_fn ISA(gatun_update);
gatun_attention_back_queries_fn ISA(gatun_attention_back_queries);
gatun_attention_back_keys_fn ISA(gatun_attention_back_keys);

const struct gatun_kernels ISA(gatun_kernels) = {
    .name = TEXT(GATUN_ISA),
    .level = LEVEL,
    .pack256 = ISA(gatun_pack256),
    .pack32 = ISA(gatun_pack32),
    .unpack = ISA(gatun_unpack),
    .tile256 = ISA(gatun_tile256),
    .tile32 = ISA(gatun_tile32),
    .row_pack = ISA(gatun_row_pack),
    .row_dots = ISA(gatun_row_dots),
    .row_dots_known = ISA(gatun_row_dots_known),
    .square_sum = ISA(gatun_square_sum),
    .normed = ISA(gatun_normed),
    .gated = ISA(gatun_gated),
    .turn = ISA(gatun_turn),
    .attention = ISA(gatun_attention),
    .attention_finish = ISA(gatun_attention_finish),
    .floats = ISA(gatun_floats),
    .float_panel = ISA(gatun_float_panel),
    .float_tile = ISA(gatun_float_tile),
    .float_dots = ISA(gatun_float_dots),
    .bfloats = &ISA(gatun_bfloats),
#if defined(GATUN_FAST_BFLOATS)
    .fast_bfloats = &ISA(gatun_fast_bfloats),
#endif
    .norm_back = ISA(gatun_norm_back),
    .softmax_back = ISA(gatun_softmax_back),
    .activation_back = ISA(gatun_activation_back),
    .gated_back = ISA(gatun_gated_back),
    .row_log_sum_exp = ISA(gatun_row_log_sum_exp),
    .row_softmax = ISA(gatun_row_softmax),
    .add_scaled = ISA(gatun_add_scaled),
    .update = ISA(gatun_update),
    .attention_back_queries = ISA(gatun_attention_back_queries),
    .attention_back_keys = ISA(gatun_attention_back_keys),
};
