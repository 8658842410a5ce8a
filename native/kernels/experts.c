/*
 * Products with expert matrices W [K, M, X]: each pair of a token and one of its experts is a column
 * of that expert's product.
 *
 * Many columns per expert (prompts): `gatun_route` sorts the pairs by expert, once per layer;
 * `gatun_quantize_experts` packs the activations in that order, so that the columns of an expert are
 * neighbours; `gatun_mul_mat_experts` then does for each expert what gatun_mul_mat does, and writes
 * each column where its pair belongs. Few columns (decoding): `gatun_dot_experts` reads the rows of
 * the chosen experts directly.
 */
#include "gatun.h"
#include "ggml_tensor.h"
#include "kernels.h"
#include "products.h"
#include "route.h"

#include <string.h>

/* Every expert may have a group that is not full. */
static int64_t groups_max(int64_t experts, int64_t pairs) {
    const int64_t used = pairs < experts ? pairs : experts;
    return pairs / GROUP_COLUMNS + used;
}

int64_t gatun_route_bytes(int64_t experts, int64_t pairs) {
    return (int64_t)sizeof(route) +
           groups_max(experts, pairs) * GROUP_COLUMNS * (int64_t)sizeof(int32_t);
}

static int32_t expert_of(const struct ggml_tensor *ids, int64_t pair, int32_t experts) {
    const int64_t u = pair % ids->ne[0], t = pair / ids->ne[0];
    const int32_t e = *(const int32_t *)((const char *)ids->data + u * (int64_t)ids->nb[0] +
                                         t * (int64_t)ids->nb[1]);
    return e >= 0 && e < experts ? e : 0; /* a router of NaNs must not lead out of the weights */
}

/* src[0]: ids I32 [U, T]. userdata: X. Cheap, so one thread does it. */
void gatun_route(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)nth;
    if (ith != 0) {
        return;
    }
    const struct ggml_tensor *ids = dst->src[0];
    const int64_t pairs = ids->ne[0] * ids->ne[1];
    route *r = dst->data;
    r->experts = (int32_t)(intptr_t)userdata;
    int32_t count[GATUN_EXPERTS_MAX] = {0};
    for (int64_t p = 0; p < pairs; p++) {
        count[expert_of(ids, p, r->experts)]++;
    }
    int32_t next[GATUN_EXPERTS_MAX];
    r->groups = 0;
    for (int32_t e = 0; e < r->experts; e++) {
        r->first_group[e] = r->groups;
        next[e] = r->groups * GROUP_COLUMNS;
        r->groups += (count[e] + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
    }
    r->first_group[r->experts] = r->groups;
    int32_t *sorted = (int32_t *)(r + 1);
    memset(sorted, 0xff, (size_t)r->groups * GROUP_COLUMNS * sizeof *sorted);
    for (int64_t p = 0; p < pairs; p++) {
        sorted[next[expert_of(ids, p, r->experts)]++] = (int32_t)p;
    }
}

int64_t gatun_quantized_experts_bytes(int32_t block, int64_t k, int64_t experts, int64_t pairs) {
    return (int64_t)sizeof(packed_header) + groups_max(experts, pairs) * gatun_group_bytes(k, block);
}

/* Columns of one group; they need not be neighbours, so they are brought together first. */
static int gather(const struct ggml_tensor *x, const int32_t *pairs, int64_t used, int64_t from,
                  int count, float *out) {
    int columns = 0;
    for (; columns < GROUP_COLUMNS && pairs[columns] >= 0; columns++) {
        const int64_t u = pairs[columns] % used, t = pairs[columns] / used;
        const char *column = (const char *)x->data + t * (int64_t)x->nb[2] +
                             (x->ne[1] == 1 ? 0 : u * (int64_t)x->nb[1]);
        memcpy(out + columns * count, (const float *)column + from, (size_t)count * sizeof(float));
    }
    return columns;
}

/* src[0]: x F32 [K, U or 1, T]; src[1]: the route; src[2]: ids. userdata: the block, 256 or 32. */
void gatun_quantize_experts(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    const struct ggml_tensor *x = dst->src[0];
    const route *r = dst->src[1]->data;
    const int64_t used = dst->src[2]->ne[0];
    const int block = (int)(intptr_t)userdata;
    const int64_t blocks = x->ne[0] / block;
    const int64_t bytes = gatun_group_bytes(x->ne[0], block);
    packed_header *header = dst->data;
    char *packed = (char *)(header + 1);
    if (ith == 0) {
        reset_counters(header);
    }
    const struct gatun_kernels *kernels = gatun_kernels();
    gatun_pack_fn *pack = block == 256 ? kernels->pack256 : kernels->pack32;
    for (int64_t g = r->groups * (int64_t)ith / nth; g < r->groups * (int64_t)(ith + 1) / nth; g++) {
        for (int64_t b = 0; b < blocks; b++) {
            ALIGNED(64) float values[GROUP_COLUMNS * 256];
            const int columns =
                gather(x, pairs_of(r) + g * GROUP_COLUMNS, used, b * block, block, values);
            pack(values, block, columns, 0, 1, packed + g * bytes + gatun_group_bytes(b * block, block));
        }
    }
}

enum { GROUPS_AT_ONCE = 2 };

/* 16 rows of one expert's weight. */
typedef struct {
    int32_t expert;
    place at;
} expert_place;

static const char *row_of(const expert_place *p) {
    return (const char *)p->at.w->data + p->expert * (int64_t)p->at.w->nb[2] +
           p->at.row * (int64_t)p->at.w->nb[1];
}

/*
 * 16 rows of one expert times its columns; only its last group may have fewer than 4. `then` is the
 * place that comes after it.
 */
static void panel_product(const expert_place *p, const expert_place *then, const route *r,
                          const char *packed) {
    const struct gatun_kernels *kernels = gatun_kernels();
    const struct ggml_tensor *w = p->at.w;
    const struct weight_type *type = gatun_weight_type(w->type);
    const int64_t k = w->ne[0], m = w->ne[1], row = p->at.row;
    const int block = type->block_values;
    const int64_t bytes = gatun_group_bytes(k, block);
    const int rows = m - row < PANEL_ROWS ? (int)(m - row) : PANEL_ROWS;
    gatun_tile_fn *tile = block == 256 ? kernels->tile256 : kernels->tile32;
    ahead next = next_panel(row_of(then), then->at.w, 2 * k / block), nothing = {0};
    ALIGNED(64) char panel[PANEL_BYTES];
    for (int64_t from = 0; from < k; from += K_CHUNK) {
        const int blocks = (int)((k - from < K_CHUNK ? k - from : K_CHUNK) / block);
        kernels->unpack(w->type, row_of(p) + from / block * type->block_bytes, (int64_t)w->nb[1],
                        rows, blocks, panel, &next);
        const int32_t first = r->first_group[p->expert], end = r->first_group[p->expert + 1];
        for (int32_t g = first; g < end; g += GROUPS_AT_ONCE) {
            const int groups = end - g < GROUPS_AT_ONCE ? end - g : GROUPS_AT_ONCE;
            ALIGNED(64) float sums[GROUPS_AT_ONCE * GROUP_COLUMNS][PANEL_ROWS];
            tile(type, panel, packed + g * bytes + gatun_group_bytes(from, block), bytes, blocks,
                 PANEL_ROWS, groups * GROUP_COLUMNS, sums[0], PANEL_ROWS, false,
                 g == first ? &next : &nothing);
            const int32_t *pairs = pairs_of(r) + (int64_t)g * GROUP_COLUMNS;
            for (int j = 0; j < groups * GROUP_COLUMNS && pairs[j] >= 0; j++) {
                float *to = p->at.c + pairs[j] * m + row;
                for (int i = 0; i < rows; i++) {
                    to[i] = from > 0 ? to[i] + sums[j][i] : sums[j][i];
                }
            }
        }
    }
}

/* Panels of one expert, from first to end; none when the work is done. */
typedef struct {
    int32_t expert;
    int64_t first, end;
} panel_run;

/* The next panels of an expert that somebody chose: at most `most` of the `panels` it has. */
static panel_run take_chosen(counter *c, const route *r, int64_t panels, int64_t most) {
    const int64_t runs = (panels + most - 1) / most;
    for (int64_t next = take(c); next < runs * r->experts; next = take(c)) {
        const int32_t expert = (int32_t)(next / runs);
        if (r->first_group[expert] < r->first_group[expert + 1]) {
            const int64_t first = next % runs * most, end = first + most;
            return (panel_run){expert, first, end < panels ? end : panels};
        }
    }
    return (panel_run){0};
}

static int64_t chosen_experts(const route *r) {
    int64_t chosen = 0;
    for (int32_t e = 0; e < r->experts; e++) {
        chosen += r->first_group[e] < r->first_group[e + 1];
    }
    return chosen;
}

/*
 * src[0]: of gatun_quantize_experts; src[1]: the route; src[2…]: weights [K, M, X]. dst: the products
 * one after another, each dense [M, U, T]. userdata: the number of this product.
 */
void gatun_mul_mat_experts(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)ith;
    packed_header *header = dst->src[0]->data;
    const char *packed = (const char *)(header + 1);
    counter *counter = &header->counters[(int)(intptr_t)userdata];
    const route *r = dst->src[1]->data;
    const int64_t panels = pieces_of_all(dst, 2, PANEL_ROWS);
    const int64_t pairs = columns_of_each(dst, 2);
    const int64_t all = panels * chosen_experts(r), most = run_of(all, nth);
    const bool plenty = plenty_of(all, most, nth);
    panel_run run = take_chosen(counter, r, panels, most);
    while (run.first < run.end) {
        const panel_run next = plenty ? take_chosen(counter, r, panels, most) : (panel_run){0};
        expert_place p = {run.expert, place_of(dst, 2, PANEL_ROWS, pairs, run.first)};
        for (int64_t panel = run.first; panel < run.end; panel++) {
            const bool last = panel + 1 == run.end;
            expert_place then = p;
            if (!last) {
                then.at = place_of(dst, 2, PANEL_ROWS, pairs, panel + 1);
            } else if (next.first < next.end) {
                then = (expert_place){next.expert, place_of(dst, 2, PANEL_ROWS, pairs, next.first)};
            }
            panel_product(&p, &then, r, packed);
            p = then;
        }
        run = plenty ? next : take_chosen(counter, r, panels, most);
    }
}

enum { ROWS_AT_ONCE = 128 };

/*
 * src[0]: of gatun_convert_rows or gatun_quantize_rows with x as [K, U·T or T]; src[1]: ids; src[2…]: weights.
 * userdata: struct gatun_dot_product, whose `rows` says how many rows x has.
 */
void gatun_dot_experts(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)ith;
    (void)nth;
    const struct gatun_dot_product *product = userdata;
    packed_header *header = dst->src[0]->data;
    const char *input = (const char *)(header + 1);
    counter *counter = &header->counters[product->number];
    const struct ggml_tensor *ids = dst->src[1];
    const int64_t pairs = ids->ne[0] * ids->ne[1];
    const int64_t input_bytes = input_row_bytes(dst->src[0], product->rows);
    const int64_t pieces = pieces_of_all(dst, 2, ROWS_AT_ONCE);
    for (int64_t next = take(counter); next < pairs * pieces; next = take(counter)) {
        const int64_t pair = next / pieces;
        const place at = place_of(dst, 2, ROWS_AT_ONCE, pairs, next % pieces);
        const int64_t m = at.w->ne[1];
        const char *rows = (const char *)at.w->data +
                           expert_of(ids, pair, (int32_t)at.w->ne[2]) * (int64_t)at.w->nb[2];
        const char *x = input + (product->rows == pairs ? pair : pair / ids->ne[0]) * input_bytes;
        const int64_t end = at.row + ROWS_AT_ONCE < m ? at.row + ROWS_AT_ONCE : m;
        if (!product->dot[at.number]) {
            gatun_kernels()->row_dots(at.w->type, rows + at.row * (int64_t)at.w->nb[1],
                                      (int64_t)at.w->nb[1], end - at.row, at.w->ne[0], x,
                                      input_bytes, 1, at.c + pair * m + at.row, m);
            continue;
        }
        for (int64_t row = at.row; row < end; row++) {
            product->dot[at.number]((int)at.w->ne[0], at.c + pair * m + row, 0,
                                    rows + row * (int64_t)at.w->nb[1], 0, x, 0, 1);
        }
    }
}
