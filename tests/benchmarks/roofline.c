/*
 * What this machine can do at most, measured: reading memory, and multiply-adds of floats and of
 * bytes. The same on 1 and on all cores given. Compiled for the machine it runs on:
 *   cc -O2 -march=native -o roofline roofline.c -lpthread && ./roofline THREADS
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { BYTES = 1 << 29, LOOPS = 60000000, THREADS_MAX = 256 };

static char *memory;
static int threads;
static volatile uint64_t sink;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *read_memory(void *number) {
    const size_t share = BYTES / (size_t)threads / 64 * 64;
    const uint64_t *p = (const uint64_t *)(memory + share * (size_t)(intptr_t)number);
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (size_t i = 0; i < share / 8; i += 8) {
        a ^= p[i] ^ p[i + 4];
        b ^= p[i + 1] ^ p[i + 5];
        c ^= p[i + 2] ^ p[i + 6];
        d ^= p[i + 3] ^ p[i + 7];
    }
    sink = a ^ b ^ c ^ d;
    return NULL;
}

#if defined(__AVX2__) && defined(__FMA__)
/* Twelve chains hide the latency; the asm keeps the compiler from folding them. */
#define TWELVE(STEP)                                                                               \
    STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7) STEP(8) STEP(9) STEP(10) STEP(11)

static void *fma_floats(void *number) {
    (void)number;
    __m256 a[12], x = _mm256_set1_ps(0.5f), y = _mm256_set1_ps(0.25f);
    for (int i = 0; i < 12; i++) {
        a[i] = x;
    }
    for (long i = 0; i < LOOPS; i++) {
#define STEP(n) __asm__ volatile("vfmadd231ps %1, %2, %0" : "+x"(a[n]) : "x"(x), "x"(y));
        TWELVE(STEP)
#undef STEP
    }
    sink = (uint64_t)_mm256_cvtss_f32(a[0]);
    return NULL;
}

static void *multiply_bytes(void *number) {
    (void)number;
    __m256i a[12], x = _mm256_set1_epi8(3), y = _mm256_set1_epi8(5);
    for (int i = 0; i < 12; i++) {
        a[i] = x;
    }
    for (long i = 0; i < LOOPS; i++) {
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
#define STEP(n) __asm__ volatile("vpdpbusd %1, %2, %0" : "+x"(a[n]) : "x"(x), "x"(y));
#else
        /* A product and a sum, as the kernels need them. */
#define STEP(n)                                                                                    \
    __asm__ volatile("vpmaddubsw %1, %2, %%ymm15\n vpaddw %%ymm15, %0, %0"                         \
                     : "+x"(a[n])                                                                  \
                     : "x"(x), "x"(y)                                                              \
                     : "xmm15");
#endif
        TWELVE(STEP)
#undef STEP
    }
    sink = (uint64_t)_mm256_extract_epi32(a[0], 0);
    return NULL;
}
#endif

static double seconds(void *(*work)(void *)) {
    double best = 1e9;
    for (int run = 0; run < 3; run++) {
        pthread_t others[THREADS_MAX];
        const double start = now();
        for (intptr_t i = 1; i < threads; i++) {
            pthread_create(&others[i], NULL, work, (void *)i);
        }
        work(NULL);
        for (int i = 1; i < threads; i++) {
            pthread_join(others[i], NULL);
        }
        const double took = now() - start;
        best = took < best ? took : best;
    }
    return best;
}

int main(int argc, char **argv) {
    const int all = argc > 1 ? atoi(argv[1]) : 1;
    if (all < 1 || all > THREADS_MAX || !(memory = aligned_alloc(4096, BYTES))) {
        fprintf(stderr, "roofline: threads must be 1..%d, and 512 MiB of memory free\n", THREADS_MAX);
        return 1;
    }
    memset(memory, 1, BYTES);
    for (threads = 1; threads <= all; threads = threads < all && threads * 2 > all ? all : threads * 2) {
        printf("%d threads: read %.1f GB/s", threads, BYTES / seconds(read_memory) / 1e9);
#if defined(__AVX2__) && defined(__FMA__)
        const double steps = (double)threads * LOOPS * 12 / 1e9;
        printf(", F32 %.0f GMAC/s, int8 %.0f GMAC/s", steps * 8 / seconds(fma_floats),
               steps * 32 / seconds(multiply_bytes));
#endif
        printf("\n");
    }
    free(memory);
    return 0;
}
