/* Random choices of experts for tests of products with experts. */
#ifndef GATUN_RANDOM_ROUTES_H
#define GATUN_RANDOM_ROUTES_H

#include "check.h"

/*
 * Ids I32 [U, T] in rows with room between them; `favourite` percent of the pairs go to one expert.
 * Some ids lead nowhere, which means expert 0. experts: what each pair gets.
 */
static inline struct ggml_tensor random_ids(int64_t u, int64_t t, int64_t x, int favourite,
                                            int64_t *experts) {
    const int64_t row = u + 3;
    int32_t *ids = filled(row * t * (int64_t)sizeof *ids);
    const int64_t most = next_random() % (uint32_t)x;
    for (int64_t p = 0; p < u * t; p++) {
        const bool is_most = next_random() % 100 < (uint32_t)favourite;
        experts[p] = is_most ? most : next_random() % (uint32_t)x;
        const int32_t nowhere[] = {-1, INT32_MIN, INT32_MAX, (int32_t)x};
        const bool outside = experts[p] == 0 && next_random() % 3 == 0;
        ids[p / u * row + p % u] = outside ? nowhere[next_random() % 4] : (int32_t)experts[p];
    }
    struct ggml_tensor tensor = matrix(TYPE_I32, u, t, ids);
    tensor.nb[1] = (size_t)row * sizeof *ids;
    return tensor;
}

#endif
