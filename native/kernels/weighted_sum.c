/*
 * What each token's experts gave, summed by the router's weights: one node instead of a product and
 * a sum for every expert, which would read and write everything again.
 */
#include "gatun.h"
#include "ggml_tensor.h"
#include "kernels.h"

#include <string.h>

enum { STRETCH = 256 }; /* of a row: what one thread takes at once when tokens are few */

void gatun_weighted_sum(struct ggml_tensor *dst, int ith, int nth, void *userdata) {
    (void)userdata;
    const struct ggml_tensor *x = dst->src[0], *weights = dst->src[1];
    const int64_t length = dst->ne[0], used = x->ne[1];
    const int64_t parts = (length + STRETCH - 1) / STRETCH;
    const int64_t all = dst->ne[1] * parts;
    for (int64_t at = all * ith / nth; at < all * (ith + 1) / nth; at++) {
        const int64_t token = at / parts, from = at % parts * STRETCH;
        const int64_t count = length - from < STRETCH ? length - from : STRETCH;
        float *sum = (float *)((char *)dst->data + token * (int64_t)dst->nb[1]) + from;
        memset(sum, 0, (size_t)count * sizeof *sum);
        for (int64_t u = 0; u < used; u++) {
            const char *row = (const char *)x->data + token * (int64_t)x->nb[2] + u * (int64_t)x->nb[1];
            const char *weight = (const char *)weights->data + token * (int64_t)weights->nb[2] +
                                 u * (int64_t)weights->nb[1];
            gatun_kernels()->add_scaled(sum, (const float *)row + from, *(const float *)weight, count);
        }
    }
}
