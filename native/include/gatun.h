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
#define GATUN_ABI_VERSION 6
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

/* The instruction set that the kernels use here: generic, avx2, avx512, neon or i8mm. */
GATUN_API const char *gatun_isa(void);

/* 0 for generic, which is the reference and slower than GGML; more is better. */
GATUN_API int32_t gatun_isa_level(void);

/*
 * Kernels that are nodes of a GGML graph: functions for ggml_custom_4d. All threads of the graph
 * call them with their number and how many they are; operands are dst->src.
 */
struct ggml_tensor;

/* Where our copy of ggml_tensor has type, ne, nb, op_params, src and data (field 0 to 5); else −1. */
GATUN_API int64_t gatun_tensor_offset(int32_t field);

/* How many products can share one quantised input. */
#define GATUN_PRODUCTS 16

/* 256 or 32: over how many values one scale of the activations goes for weights of a GGML type; 0
 * when the integer kernels do not know the type. */
GATUN_API int32_t gatun_activation_block(int32_t type);

/* Bytes that gatun_quantize writes for activations [k, n] in blocks of 256 or 32. */
GATUN_API int64_t gatun_quantized_bytes(int32_t block, int64_t k, int64_t n);

/* Activations F32 [K, N] (src[0], dense rows) to bytes (dst, I8). userdata: the block, 256 or 32. */
GATUN_API void gatun_quantize(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/*
 * Products of weights [K, M] (src[1…]) with what gatun_quantize made (src[0]), F32, each dense
 * [M, N], one after another in dst. userdata: the number of this product among those that share the
 * input, 0 to GATUN_PRODUCTS − 1.
 */
GATUN_API void gatun_mul_mat(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* How GGML keeps activations for its dot products with weights of one type. */
struct gatun_row_type {
    void (*from_float)(const float *x, void *y, int64_t k);
    int64_t block;       /* values that are converted together */
    int64_t block_bytes; /* their size once converted */
};

/* Bytes that gatun_convert_rows writes for activations [k, n]. */
GATUN_API int64_t gatun_converted_bytes(const struct gatun_row_type *type, int64_t k, int64_t n);

/* Activations F32 [K, N] (src[0]) as GGML's dot products take them (dst, I8 of one row).
 * userdata: struct gatun_row_type. */
GATUN_API void gatun_convert_rows(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* 256 or 32: over how many values one scale of the activations goes for the dot products of our own
 * that this instruction set has for weights of a GGML type; 0 where GGML's are to be used. */
GATUN_API int32_t gatun_row_dots_block(int32_t type);

/* Bytes that gatun_quantize_rows writes for activations [k, n]. */
GATUN_API int64_t gatun_quantized_rows_bytes(int32_t block, int64_t k, int64_t n);

/* Activations F32 [K, N] (src[0]) for dot products of our own (dst, I8 of one row). userdata: the
 * block, 256 or 32. */
GATUN_API void gatun_quantize_rows(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* How an input is computed while it is quantised. */
struct gatun_input {
    int32_t block; /* 256 or 32 */
    int32_t glu;   /* GATUN_SWIGLU and the like, below */
    float epsilon;
};

/*
 * What gatun_quantize_rows makes of values that are computed on the way, so that they need no nodes
 * of their own. Operands are F32 [K, N] or [K, U, T] with dense rows, a gain is [K].
 * userdata: struct gatun_input.
 */

/* x / √(mean(x²) + ε) · gain: src[0] is x, src[1] the gain. */
GATUN_API void gatun_quantize_normed(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* The same of x = src[0] + src[1]; src[2] is the gain. dst, F32, starts with the sum, dense. */
GATUN_API void gatun_quantize_sum_normed(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* src[0] is gate and src[1] up; or src[0] alone [2K, …] has both in each row. */
GATUN_API void gatun_quantize_gated(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/*
 * dst F32 [M, T], dense: Σ_u x[·, u, t] · weight[u, t]. src[0]: x F32 [M, U, T] with dense rows;
 * src[1]: weights F32 [1, U, T].
 */
GATUN_API void gatun_weighted_sum(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* One product of gatun_dot_rows. */
struct gatun_dot_product {
    int64_t number; /* among those that share the input, 0 to GATUN_PRODUCTS − 1 */
    int64_t rows;   /* of the input */
    void (*dot[8])(int n, float *s, size_t bs, const void *x, size_t bx, const void *y, size_t by,
                   int nrc); /* GGML's for each weight; NULL for our own */
};

/* gatun_mul_mat for few columns: src[0] is of gatun_convert_rows, or of gatun_quantize_rows for dot
 * products of our own. Each row of the weights is read once. userdata: struct gatun_dot_product. */
GATUN_API void gatun_dot_rows(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/*
 * Products with expert matrices [K, M, X], whose columns are pairs of a token and one of its experts:
 * ids I32 [U, T] name the experts. See experts.c.
 */
#define GATUN_EXPERTS_MAX 1024

/* Bytes that gatun_route writes. */
GATUN_API int64_t gatun_route_bytes(int64_t experts, int64_t pairs);

/* Pairs sorted by expert (dst, I8): src[0] is ids, userdata X. */
GATUN_API void gatun_route(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* Bytes that gatun_quantize_experts writes. */
GATUN_API int64_t gatun_quantized_experts_bytes(int32_t block, int64_t k, int64_t experts,
                                                int64_t pairs);

/* gatun_quantize for each pair: src[0] x F32 [K, U or 1, T], src[1] the route, src[2] ids. */
GATUN_API void gatun_quantize_experts(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* Products with src[2…]: src[0] is of gatun_quantize_experts, src[1] the route; dst: one after
 * another [M, U, T]. userdata: the number of this product. */
GATUN_API void gatun_mul_mat_experts(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* The same with dot products: src[0] is of gatun_convert_rows or gatun_quantize_rows, src[1] ids.
 * userdata: struct gatun_dot_product. */
GATUN_API void gatun_dot_experts(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* Tiles of attention that may be split among threads; see gatun_attention_params. */
#define GATUN_ATTENTION_TILES 128

/*
 * What attention takes besides its operands. The caller sets the first two and zeroes the rest once;
 * afterwards they belong to the kernels. All nodes of a graph may share one, as they run one after
 * another; graphs that run at the same time may not.
 */
struct gatun_attention_params {
    float scale;
    float softcap; /* logits = softcap · tanh(scale · q·k / softcap); 0: none */
    int32_t next, left;
    int32_t parts_done[GATUN_ATTENTION_TILES];
};

/*
 * How many F32 the result of gatun_attention has: its dense [dv, heads, tokens], then what up to
 * `threads` threads work in. More threads may run it; those beyond have nothing to do. d and dv are
 * multiples of 8, heads one of groups; -1 for what cannot be.
 */
GATUN_API int64_t gatun_attention_floats(int64_t d, int64_t dv, int64_t tokens, int64_t heads,
                                         int64_t groups, int64_t cells, int32_t threads);

/*
 * softmax(scale · q·k + mask) · v. src[0]: q F32 [D, T, H]; src[1], src[2]: k [D, S, G], v [DV, S, G],
 * each F32, F16, BF16 or Q8_0; src[3]: mask F16 [S, T], or NULL; src[4]: one more logit per head,
 * F32 [H], that takes its share and gives nothing, or NULL. All may be views, whose innermost
 * elements lie side by side. Cells that the mask closes (-inf) to a whole tile are never read, and a
 * row that sees no cell becomes 0. A mask with fewer rows starts again; cells that it lacks are closed.
 * dst: F32, dense [DV, H, T] first, of gatun_attention_floats in all. userdata: gatun_attention_params.
 */
GATUN_API void gatun_attention(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* The angles of rotary positions; see RopeParameters in Java for what each is. */
struct gatun_rope_angles {
    int32_t dims;
    int32_t original_context;
    float base, scale, ext_factor, attention_factor, beta_fast, beta_slow;
};

/* The cosines and then the sines of all pairs, for each token: dst F32 [dims, T]. src[0]: positions
 * I32 [T]; src[1]: frequency factors F32 [dims/2 or more], or NULL. userdata: gatun_rope_angles. */
GATUN_API void gatun_rope_table(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* Values of a head at most. */
#define GATUN_HEAD_MAX 1024

/* What gatun_rope takes besides its operands. */
struct gatun_rope_node {
    int32_t dims;
    bool neighbours; /* pairs are (2i, 2i + 1), else (i, i + dims/2) */
    float epsilon;   /* of the norms before */
    void (*keys_from_float)(const float *x, void *y, int64_t k); /* GGML's for the caches' types */
    void (*values_from_float)(const float *x, void *y, int64_t k);
};

/*
 * Queries turned (dst, F32, dense [D, H, T]), keys turned and written into their cache, and values
 * written into theirs. src[0…2]: q [D, H, T], k [D, G, T], v [DV, G, T], F32 with dense heads; src[3]: of
 * gatun_rope_table; src[4]: cells I64 [T]; src[5], src[6]: caches [D·G, S] and [DV·G, S], whose heads
 * are whole blocks of their types; src[7], src[8]: gains [D] of norms of q and k before they are
 * turned, D a multiple of 32 then, or NULL. userdata: struct gatun_rope_node.
 */
GATUN_API void gatun_rope(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/*
 * Products of floats, for training and for weights that are not quantised:
 * C(i, j) = Σ_l A(i, l)·B(l, j). C is dst: F32, i its inner axis, its rows may be a view's. A has any
 * type that gatun_gemm_supports, B is F32; rows of both may have any stride. The outer axes of A and
 * B are broadcast over those of C as ggml_mul_mat does.
 */
enum {
    GATUN_A_INNER_SUM = 1, /* A is [l, i] in GGML's order, else [i, l] */
    GATUN_B_INNER_SUM = 2, /* B is [l, j], else [j, l] */
    GATUN_ACCUMULATE = 4,  /* adds to what C holds */
    GATUN_IN_PLACE = 8,    /* ggml_custom_inplace: src[0] is C, and A and B are src[1] and src[2] */
    GATUN_B_PACKED = 16,   /* B comes from gatun_pack_columns */
    GATUN_BFLOATS = 32,    /* A and B are rounded to BF16; sums stay F32. Not with GATUN_B_PACKED; products */
                           /* of few rows or columns, which memory limits, stay exact */

    GATUN_MUL_MAT = GATUN_A_INNER_SUM | GATUN_B_INNER_SUM, /* Wᵀ·X: W [k, m], X [k, n] → [m, n] */
    GATUN_GRAD_INPUT = GATUN_B_INNER_SUM,                  /* W·dY: W [k, m], dY [m, n] → [k, n] */
    GATUN_GRAD_WEIGHT = 0,                                 /* X·dYᵀ: X [k, n], dY [m, n] → [k, m] */
};

/*
 * The userdata of one node: all 0 but `form` before the first run. It belongs to that node of one
 * graph alone. Threads take blocks of C from `next`; the last one to leave makes it 0 again.
 */
struct gatun_gemm_node {
    int32_t form; /* the flags above */
    char apart[60];
    int32_t next;
    int32_t left;
    char apart_too[56];
};

/* Whether A may have a GGML type: F32, F16, BF16 and whatever gatun_mul_mat multiplies. */
GATUN_API bool gatun_gemm_supports(int32_t type);

/* Whether this processor multiplies BF16 faster than F32; GATUN_BFLOATS gives about the same elsewhere. */
GATUN_API bool gatun_fast_bfloats(void);

/*
 * Optional, for more than a few columns: lays B (src[0], F32) out as the products read it, for all
 * products that share it. dst: F32 [gatun_packed_row(l), gatun_packed_rows(j)] and B's outer axes.
 * userdata: 0 or GATUN_B_INNER_SUM.
 */
GATUN_API int64_t gatun_packed_row(int64_t l);
GATUN_API int64_t gatun_packed_rows(int64_t j);
GATUN_API void gatun_pack_columns(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* src[0]: A, src[1]: B. userdata: struct gatun_gemm_node. */
GATUN_API void gatun_gemm(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/*
 * The same with matrices of experts [·, ·, X], for pairs of a token and one of its U experts; also for
 * batches whose rows have adapters of their own, which are experts then. userdata: struct
 * gatun_gemm_node; its form says which product:
 *
 *   form               src[0]                        src[1]           dst
 *   GATUN_MUL_MAT      W [K, M, X] of any type       x [K, U or 1, T] y [M, U, T]
 *   GATUN_GRAD_INPUT   W [K, M, X] of any type       dy [M, U, T]     dx [K, U, T]
 *   GATUN_GRAD_WEIGHT  x F32 [K, U or 1, T]          dy [M, U, T]     dW [K, M, X]
 *
 * src[2] is what gatun_route made of ids I32 [U, T] and X. Any type means those that
 * gatun_gemm_supports; everything else is F32. Elements of the inner axis lie side by side, other axes
 * may have any stride. dx is per pair: where x was [K, 1, T], its gradient is the sum over U. Experts
 * without pairs get a dW of 0. With GATUN_ACCUMULATE | GATUN_IN_PLACE, dst is a view of src[0] that
 * results are added to, the operands are src[1…3], and experts without pairs stay untouched.
 * GATUN_B_PACKED does not apply.
 */
GATUN_API void gatun_gemm_experts(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/*
 * Kernels of training. Values are F32; what a comment calls dense is dense, else rows are. Sums go
 * over the same elements in the same order for any number of threads.
 */

/* dst, dense: sums of the elements of src[0] that repeating dst would make from one of its own. */
GATUN_API void gatun_sum_to(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* dst, dense: src[0], dense, repeated a whole number of times along each axis. */
GATUN_API void gatun_repeat(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* dst, dense [E, V]: zeros plus the rows src[0] [E, T] at the ids src[1] I32 [T], dense; outer axes
 * go along. Ids outside the table are left out. */
GATUN_API void gatun_scatter_rows(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* dst, dense: zeros plus src[0] at the place of a window. userdata: struct gatun_window. */
struct gatun_window {
    int64_t stride[3]; /* bytes from one row, matrix, cube to the next */
    int64_t offset;    /* bytes */
};
GATUN_API void gatun_scatter_view(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* Gradient of x / √(mean(x²) + ε), or of the same of x − mean(x). src[0]: of the result; src[1]: x. */
struct gatun_norm {
    float epsilon;
    int32_t centred;
};
GATUN_API void gatun_norm_back(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* Gradient of softmax(scale · x). src[0]: of the result; src[1]: the result. GGML's own may be computed
 * over its second operand, which it still needs. userdata: struct gatun_softmax. */
struct gatun_softmax {
    float scale;
};
GATUN_API void gatun_softmax_back(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/*
 * dst, dense: src[0], with a share of its elements 0 and the others as much larger; also the gradient of
 * that. src[1]: a key I32 [2]. The choice depends on key, place and the number of the element alone.
 * userdata: struct gatun_dropout.
 */
struct gatun_dropout {
    float rate; /* [0, 1) */
    int32_t place;
};
GATUN_API void gatun_dropout(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* Functions whose gradients are known. The last four have two operands: act(gate) · up. */
enum {
    GATUN_TANH,
    GATUN_RELU,
    GATUN_SIGMOID,
    GATUN_GELU, /* the tanh form */
    GATUN_SILU,
    GATUN_CLAMP,
    GATUN_EXP,
    GATUN_SOFTPLUS,
    GATUN_SWIGLU,     /* gate · σ(gate) */
    GATUN_GEGLU,      /* GELU(gate), the form with tanh */
    GATUN_REGLU,      /* max(gate, 0) */
    GATUN_SWIGLU_OAI, /* min(gate, 7) · σ(1.702 · gate), and up is clamp(up, ±7) + 1 */
};
struct gatun_activation {
    int32_t function;
    int32_t fused;   /* gate and up are the halves of each row of src[1] */
    float low, high; /* of GATUN_CLAMP */
};

/* dst: src[0] · f′(src[1]). userdata: struct gatun_activation. */
GATUN_API void gatun_activation_back(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* src[0]: gradient of the result [F, T]; src[1], src[2]: gate, up. dst, dense: theirs, [F, T] after
 * [F, T], or [2F, T] where they are fused. userdata: struct gatun_activation. */
GATUN_API void gatun_gated_back(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* dst [N]: −ln softmax(src[0] [V, N])[label] · weight. src[1]: labels I32 [N]; src[2]: weights [N].
 * Rows of weight 0 are not read. */
GATUN_API void gatun_cross_entropy(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* dst [V, N], which may be src[0]: gradient of the logits; src[3] [N]: of the losses. */
GATUN_API void gatun_cross_entropy_back(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* Counters of a kernel whose threads take work as they get to it: all 0 before the first run. */
struct gatun_work {
    int32_t next, left;
};

/*
 * The gradients of attention, in two nodes of which the second needs the first: scores are computed
 * again tile by tile and never held. src[0…2]: q, k, v; src[3]: mask as gatun_attention takes them,
 * but k and v are F32, F16 or BF16, and D and DV are any.
 */
struct gatun_attention_back {
    float scale, softcap;
    int32_t sinks; /* whether there are */
    struct gatun_work work;
};

/* Floats of memory that `threads` threads work in, behind each result. */
GATUN_API int64_t gatun_attention_back_floats(int64_t d, int64_t dv, int32_t threads);

/* src[4]: result of attention [DV, H, T]; src[5]: its gradient; src[6]: sinks. dst: the gradient of
 * q, [D, H, T]; ln Σ exp(score) [T, H]; Σ result · its gradient [T, H]. */
GATUN_API void gatun_attention_back_queries(struct ggml_tensor *dst, int ith, int nth,
                                            void *userdata);

/* src[4]: what gatun_attention_back_queries made; src[5]: the gradient of attention's result; src[6]:
 * sinks. dst: the gradient of k, [D, G, S]; of v, [DV, G, S]; of the sinks, [H]. */
GATUN_API void gatun_attention_back_keys(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* Nodes that write into what src[0] is, too: ggml_custom_inplace. All operands are dense. */

/* src[0] = keep · src[0] + gain · src[1]. What it holds is not read when keep is 0. */
struct gatun_blend {
    float keep, gain;
};
GATUN_API void gatun_blend(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* How many values go into one sum of gatun_sum_squares. */
#define GATUN_SUM_VALUES 16384

/* dst: Σ x² of each GATUN_SUM_VALUES values of src[0], dense. */
GATUN_API void gatun_sum_squares(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* What the operand `settings` of gatun_update holds. */
enum {
    GATUN_LEARNING_RATE,
    GATUN_BETA1,
    GATUN_BETA2,
    GATUN_EPSILON,
    GATUN_WEIGHT_DECAY,
    GATUN_CORRECTION1, /* 1 / (1 − β₁ᵗ) */
    GATUN_CORRECTION2, /* 1 / (1 − β₂ᵗ) */
    GATUN_GRAD_SCALE,  /* every gradient is multiplied with this first */
    GATUN_NORM_MAX,    /* of all gradients together, once scaled; 0: any */
    GATUN_SETTINGS,
};

/* Rules of gatun_update; weight decay is apart from the gradient in all of them. */
enum { GATUN_SGD, GATUN_LION, GATUN_ADAMW, GATUN_ADAMW_8BIT };

/* Bytes of one 8-bit moment of so many parameters; zeros are moments of 0. */
GATUN_API int64_t gatun_moment_bytes(int64_t parameters);

/*
 * One step of an optimiser. src[0]: parameters; src[1]: gradient; src[2]: settings, F32; src[3]: Σ g²
 * over all gradients, [1]: when it is not finite nothing changes; src[4], src[5]: moments, F32 or
 * bytes, the second one only for ADAMW. userdata: the rule.
 */
GATUN_API void gatun_update(struct ggml_tensor *dst, int ith, int nth, void *userdata);

#endif
