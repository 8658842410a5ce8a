/*
 * Choosing among the scores of a vocabulary: the k largest, the largest, and the normaliser of
 * their softmax. One pass over memory each; a vocabulary of 150 000 F32 scores is 0.6 MB.
 *
 * gatun_top_k keeps a heap of the k best keys. A score becomes a 64-bit key that orders first by
 * value and then by ascending index, so equal scores have one defined order and a comparison is one
 * integer compare. Almost every score fails against the heap's smallest entry, so the scan compares
 * blocks of scores with that threshold and looks closer only where one passes.
 */
#include "gatun.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 32 };

/* Maps a float to an unsigned integer with the same order; NaN must be excluded before. */
static inline uint32_t ordered(float x) {
    uint32_t bits;
    x += 0.0f; /* -0 and +0 are equal scores: give them one key. */
    memcpy(&bits, &x, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static inline float unordered(uint32_t key) {
    const uint32_t bits = key & 0x80000000u ? key & 0x7fffffffu : ~key;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint64_t key_of(float score, int32_t index) {
    return (uint64_t)ordered(score) << 32 | (uint32_t)~index;
}

/* Restores the order of a heap whose smallest key is on top, from position `at` downwards. */
static void sift_down(uint64_t *heap, int32_t size, int32_t at) {
    const uint64_t key = heap[at];
    for (;;) {
        int32_t child = 2 * at + 1;
        if (child >= size) {
            break;
        }
        if (child + 1 < size && heap[child + 1] < heap[child]) {
            child++;
        }
        if (heap[child] >= key) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = key;
}

int32_t gatun_top_k(const float *scores, int32_t n, int32_t k, int32_t *indices, float *values,
                    uint64_t *scratch) {
    if (k > n) {
        k = n;
    }
    if (k <= 0) {
        return 0;
    }
    int32_t size = 0;
    int32_t i = 0;
    while (i < n && size < k) {
        if (!isnan(scores[i])) {
            scratch[size++] = key_of(scores[i], i);
        }
        i++;
    }
    for (int32_t at = size / 2 - 1; at >= 0; at--) {
        sift_down(scratch, size, at);
    }
    if (i < n) {
        float threshold = unordered((uint32_t)(scratch[0] >> 32));
        for (; i + BLOCK <= n; i += BLOCK) {
            int32_t passing = 0; /* NaN fails the comparison and is left out here */
            for (int32_t j = 0; j < BLOCK; j++) {
                passing += scores[i + j] > threshold;
            }
            if (passing == 0) {
                continue;
            }
            for (int32_t j = 0; j < BLOCK; j++) {
                if (scores[i + j] > threshold) {
                    scratch[0] = key_of(scores[i + j], i + j);
                    sift_down(scratch, size, 0);
                    threshold = unordered((uint32_t)(scratch[0] >> 32));
                }
            }
        }
        for (; i < n; i++) {
            if (scores[i] > threshold) {
                scratch[0] = key_of(scores[i], i);
                sift_down(scratch, size, 0);
                threshold = unordered((uint32_t)(scratch[0] >> 32));
            }
        }
    }
    for (int32_t left = size; left > 0; left--) {
        const uint64_t smallest = scratch[0];
        indices[left - 1] = (int32_t)~(uint32_t)smallest;
        values[left - 1] = scores[indices[left - 1]];
        scratch[0] = scratch[left - 1];
        if (left > 1) {
            sift_down(scratch, left - 1, 0);
        }
    }
    return size;
}

int32_t gatun_argmax(const float *scores, int32_t n) {
    float best = -INFINITY;
    int32_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        for (int32_t j = 0; j < BLOCK; j++) {
            best = scores[i + j] > best ? scores[i + j] : best;
        }
    }
    for (; i < n; i++) {
        best = scores[i] > best ? scores[i] : best;
    }
    for (i = 0; i < n; i++) {
        if (scores[i] == best) {
            return i;
        }
    }
    return -1;
}

double gatun_log_sum_exp(const float *scores, int32_t n) {
    float largest = -INFINITY;
    for (int32_t i = 0; i < n; i++) {
        largest = scores[i] > largest ? scores[i] : largest;
    }
    if (!(largest > -INFINITY) || largest == INFINITY) {
        return largest;
    }
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += exp((double)scores[i] - largest);
    }
    return largest + log(sum);
}
