/* What the kernels' tests share: seeded random values, tensors, and running an op as a graph does. */
#ifndef GATUN_CHECK_H
#define GATUN_CHECK_H

#include "gatun.h"
#include "ggml_tensor.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tests with many cases take every CASE_STEP-th where each is slow: with sanitizers, in an emulator. */
#if GATUN_SLOW
enum { CASE_STEP = 7 };
#else
enum { CASE_STEP = 1 };
#endif

static uint64_t random_state = 42;

static inline uint32_t next_random(void) {
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(random_state >> 33);
}

/* Uniform in [−1, 1). */
static inline float random_float(void) { return (float)next_random() * 0x1p-30f - 1; }

static inline void check(int ok, const char *format, ...) {
    if (!ok) {
        va_list args;
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
        exit(1);
    }
}

/* Ends a test as skipped where the machine lacks the instruction set that GATUN_ISA names. */
static inline void need_isa(void) {
    const char *wanted = getenv("GATUN_ISA");
    if (wanted && strcmp(wanted, gatun_isa()) != 0) {
        printf("%s is not here, only %s\n", wanted, gatun_isa());
        exit(77);
    }
}

/* Memory full of a pattern, so that a result never looks right because it was there before. */
static inline void *filled(int64_t bytes) {
    /* Not a byte more, so that AddressSanitizer sees every read behind the end. */
    const size_t size = bytes > 0 ? (size_t)bytes : 1;
#if defined(_WIN32)
    void *p = _aligned_malloc(size, 64);
#else
    void *p = NULL;
    if (posix_memalign(&p, 64, size) != 0) {
        p = NULL;
    }
#endif
    check(p != NULL, "no memory");
    memset(p, 0xa5, size);
    return p;
}

static inline uint8_t *random_bytes(int64_t count) {
    uint8_t *p = filled(count);
    for (int64_t i = 0; i < count; i++) {
        p[i] = (uint8_t)next_random();
    }
    return p;
}

static inline float *random_floats(int64_t count, float scale) {
    float *p = filled(count * (int64_t)sizeof *p);
    for (int64_t i = 0; i < count; i++) {
        p[i] = scale * random_float();
    }
    return p;
}

/* A dense F32 matrix [columns, rows] in GGML's order; other types need nb[1] set. */
static inline struct ggml_tensor matrix(int32_t type, int64_t columns, int64_t rows, void *data) {
    const size_t row = (size_t)columns * sizeof(float);
    return (struct ggml_tensor){.type = type,
                                .ne = {columns, rows, 1, 1},
                                .nb = {sizeof(float), row, row * (size_t)rows, row * (size_t)rows},
                                .data = data};
}

typedef void custom_op(struct ggml_tensor *dst, int ith, int nth, void *userdata);

/* As three threads would, one after another: what they do must not depend on their order. */
static inline void run_op(custom_op *op, struct ggml_tensor *dst, int64_t userdata) {
    for (int ith = 0; ith < 3; ith++) {
        op(dst, ith, 3, (void *)(intptr_t)userdata);
    }
}

#endif
