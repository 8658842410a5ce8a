/* Which pairs of a token and one of its experts each expert gets: what gatun_route writes. */
#ifndef GATUN_ROUTE_H
#define GATUN_ROUTE_H

#include "gatun.h"
#include "int8_gemm.h"

#include <stdint.h>

/* After this header: the pairs in groups of GROUP_COLUMNS, −1 where a group has fewer. */
typedef struct {
    int32_t experts;
    int32_t groups;
    int32_t first_group[GATUN_EXPERTS_MAX + 1];
} route;

static inline const int32_t *pairs_of(const route *r) { return (const int32_t *)(r + 1); }

/* The pairs of one expert, in ascending order. */
static inline const int32_t *pairs_of_expert(const route *r, int32_t expert) {
    return pairs_of(r) + (int64_t)r->first_group[expert] * GROUP_COLUMNS;
}

/* How many these are: only the last group may have fewer than GROUP_COLUMNS. */
static inline int64_t pair_count(const route *r, int32_t expert) {
    const int64_t first = (int64_t)r->first_group[expert] * GROUP_COLUMNS;
    int64_t end = (int64_t)r->first_group[expert + 1] * GROUP_COLUMNS;
    while (end > first && pairs_of(r)[end - 1] < 0) {
        end--;
    }
    return end - first;
}

#endif
