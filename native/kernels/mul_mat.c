/*
 * Matrix products of quantised weights as two nodes of a graph: `gatun_quantize` turns activations
 * [K, N] into bytes once, `gatun_mul_mat` multiplies them with one or several weights [K, M].
 * Threads take the next 16 rows from a counter, so that one whose core is busy elsewhere holds nobody
 * up.
 */
#include "gatun.h"
#include "ggml_tensor.h"
#include "kernels.h"
#include "products.h"

int64_t gatun_quantized_bytes(int32_t block, int64_t k, int64_t n) {
    const int64_t groups = (n + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
    return (int64_t)sizeof(packed_header) + groups * gatun_group_bytes(k, block);
}

int32_t gatun_activation_block(int32_t type) {
    const struct weight_type *t = gatun_weight_type(type);
    return t ? t->block_values : 0;
}

/* userdata: the block, 256 or 32. */
void gatun_quantize(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const struct ggml_tensor *x = dst->src[0];
    const int block = (int)(intptr_t)userdata;
    const int64_t k = x->ne[0], n = x->ne[1];
    const int64_t groups = (n + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
    const int64_t blocks = k / block;
    const int64_t bytes = gatun_group_bytes(k, block);
    packed_header *header = dst->data;
    char *packed = (char *)(header + 1);
    if (ith == 0) {
        reset_counters(header);
    }
    const struct gatun_kernels *kernels = gatun_kernels();
    gatun_pack_fn *pack = block == 256 ? kernels->pack256 : kernels->pack32;
    const int64_t from = groups * blocks * ith / nth;
    const int64_t to = groups * blocks * (ith + 1) / nth;
    for (int64_t at = from; at < to;) {
        const int64_t group = at / blocks;
        const int64_t first = at % blocks;
        const int64_t last = to - at < blocks - first ? first + to - at : blocks;
        const int64_t column = group * GROUP_COLUMNS;
        const int columns = n - column < GROUP_COLUMNS ? (int)(n - column) : GROUP_COLUMNS;
        const float *values = (const float *)((const char *)x->data + column * (int64_t)x->nb[1]);
        pack(values, (int64_t)(x->nb[1] / sizeof(float)), columns, first, last,
             packed + group * bytes);
        at += last - first;
    }
}

/* 16 rows of one weight times all columns. */
static void panel_product(const struct ggml_tensor *w, int64_t row, const char *packed, int64_t n,
                          float *c) {
    const struct gatun_kernels *kernels = gatun_kernels();
    const struct weight_type *type = gatun_weight_type(w->type);
    const int64_t k = w->ne[0], m = w->ne[1];
    const int block = type->block_values;
    const int64_t group = gatun_group_bytes(k, block);
    const int rows = m - row < PANEL_ROWS ? (int)(m - row) : PANEL_ROWS;
    gatun_tile_fn *tile = block == 256 ? kernels->tile256 : kernels->tile32;
    ALIGNED(64) char panel[PANEL_BYTES];
    for (int64_t from = 0; from < k; from += K_CHUNK) {
        const int blocks = (int)((k - from < K_CHUNK ? k - from : K_CHUNK) / block);
        const char *source = (const char *)w->data + row * (int64_t)w->nb[1] +
                             from / block * type->block_bytes;
        kernels->unpack(w->type, source, (int64_t)w->nb[1], rows, blocks, panel);
        tile(type, panel, packed + gatun_group_bytes(from, block), group, blocks, rows, (int)n, c + row, m,
             from > 0);
    }
}

/*
 * src[0]: bytes of gatun_quantize; src[1…]: weights. dst: the products one after another, each
 * dense [M, N]. userdata: which of the counters is this product's.
 */
void gatun_mul_mat(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)ith;
    (void)nth;
    packed_header *header = dst->src[0]->data;
    const char *packed = (const char *)(header + 1);
    counter *counter = &header->counters[(int)(intptr_t)userdata];
    const int64_t panels = pieces_of_all(dst, 1, PANEL_ROWS);
    const int64_t n = columns_of_each(dst, 1);
    for (int64_t panel = take(counter); panel < panels; panel = take(counter)) {
        const place at = place_of(dst, 1, PANEL_ROWS, n, panel);
        panel_product(at.w, at.row, packed, n, at.c);
    }
}
