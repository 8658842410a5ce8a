/*
 * What nodes that share a converted input have in common: the input's memory starts with counters,
 * one per product, from which threads take their next piece of work. The node that converts the
 * input sets them to 0; GGML waits for all threads between nodes.
 */
#ifndef GATUN_PRODUCTS_H
#define GATUN_PRODUCTS_H

#include "gatun.h"

#include <stdatomic.h>
#include <stdint.h>

typedef struct {
    _Atomic int32_t next;
    char apart[60]; /* a cache line each */
} counter;

typedef struct {
    counter counters[GATUN_PRODUCTS];
} packed_header;

static inline void reset_counters(packed_header *header) {
    for (int i = 0; i < GATUN_PRODUCTS; i++) {
        atomic_store_explicit(&header->counters[i].next, 0, memory_order_relaxed);
    }
}

/* The next piece of work, from 0. */
static inline int32_t take(counter *c) {
    return atomic_fetch_add_explicit(&c->next, 1, memory_order_relaxed);
}

#endif
