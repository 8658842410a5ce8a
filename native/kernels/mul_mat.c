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

static const char *row_of(const place *at) {
    return (const char *)at->w->data + at->row * (int64_t)at->w->nb[1];
}

/* 16 rows of one weight times all columns; `then` is the place that comes after it. */
static void panel_product(const place *at, const place *then, const char *packed, int64_t n) {
    const struct gatun_kernels *kernels = gatun_kernels();
    const struct ggml_tensor *w = at->w;
    const struct weight_type *type = gatun_weight_type(w->type);
    const int64_t k = w->ne[0], m = w->ne[1];
    const int block = type->block_values;
    const int64_t group = gatun_group_bytes(k, block);
    const int rows = m - at->row < PANEL_ROWS ? (int)(m - at->row) : PANEL_ROWS;
    gatun_tile_fn *tile = block == 256 ? kernels->tile256 : kernels->tile32;
    ahead next = next_panel(row_of(then), then->w, 2 * k / block);
    ALIGNED(64) char panel[PANEL_BYTES];
    for (int64_t from = 0; from < k; from += K_CHUNK) {
        const int blocks = (int)((k - from < K_CHUNK ? k - from : K_CHUNK) / block);
        kernels->unpack(w->type, row_of(at) + from / block * type->block_bytes, (int64_t)w->nb[1],
                        rows, blocks, panel, &next);
        tile(type, panel, packed + gatun_group_bytes(from, block), group, blocks, rows, (int)n,
             at->c + at->row, m, from > 0, &next);
    }
}

/*
 * src[0]: bytes of gatun_quantize; src[1…]: weights. dst: the products one after another, each
 * dense [M, N]. userdata: which of the counters is this product's.
 */
void gatun_mul_mat(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)ith;
    packed_header *header = dst->src[0]->data;
    const char *packed = (const char *)(header + 1);
    counter *counter = &header->counters[(int)(intptr_t)userdata];
    const int64_t panels = pieces_of_all(dst, 1, PANEL_ROWS);
    const int64_t n = columns_of_each(dst, 1);
    const int64_t run = run_of(panels, nth);
    const bool plenty = plenty_of(panels, run, nth);
    for (int64_t first = take(counter) * run; first < panels;) {
        const int64_t next = plenty ? take(counter) * run : panels;
        const int64_t end = first + run < panels ? first + run : panels;
        place at = place_of(dst, 1, PANEL_ROWS, n, first);
        for (int64_t panel = first; panel < end; panel++) {
            const int64_t after = panel + 1 < end ? panel + 1 : next < panels ? next : panel;
            const place then = place_of(dst, 1, PANEL_ROWS, n, after);
            panel_product(&at, &then, packed, n);
            at = then;
        }
        first = plenty ? next : take(counter) * run;
    }
}
