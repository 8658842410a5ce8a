/*
 * Which instruction set this machine gets: asked once, then one pointer. The environment variable
 * GATUN_ISA=generic|avx2|avx512|neon|i8mm asks for a lower one, for tests and for comparing.
 */
#include "gatun.h"
#include "kernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

extern const struct gatun_kernels gatun_kernels_generic;
#if GATUN_X86
extern const struct gatun_kernels gatun_kernels_avx2;
extern const struct gatun_kernels gatun_kernels_avx512;
#elif GATUN_ARM64
extern const struct gatun_kernels gatun_kernels_neon;
extern const struct gatun_kernels gatun_kernels_i8mm;
#endif

#if GATUN_X86
#if defined(_MSC_VER)
#include <intrin.h>
static void cpuid(int leaf, int sub, unsigned out[4]) { __cpuidex((int *)out, leaf, sub); }
static unsigned long long xgetbv(void) { return _xgetbv(0); }
#else
#include <cpuid.h>
static void cpuid(int leaf, int sub, unsigned out[4]) {
    __cpuid_count(leaf, sub, out[0], out[1], out[2], out[3]);
}
static unsigned long long xgetbv(void) {
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (unsigned long long)high << 32 | low;
}
#endif

static int bit(unsigned word, int n) { return (int)(word >> n & 1); }

/* Both the processor and the operating system, which must save the registers, have to agree. */
static const struct gatun_kernels *best(void) {
    unsigned r[4];
    cpuid(0, 0, r);
    if (r[0] < 7) {
        return &gatun_kernels_generic;
    }
    cpuid(1, 0, r);
    const int fma = bit(r[2], 12), osxsave = bit(r[2], 27), f16c = bit(r[2], 29);
    if (!osxsave || !fma || !f16c) {
        return &gatun_kernels_generic;
    }
    const unsigned long long saved = xgetbv();
    cpuid(7, 0, r);
    const int avx2 = bit(r[1], 5) && bit(r[1], 8) && (saved & 6) == 6;
#if GATUN_EMULATE_AVX512 /* in builds of tests only */
    const int avx512 = avx2;
#else
    const int avx512 = bit(r[1], 16) && bit(r[1], 17) && bit(r[1], 30) && bit(r[1], 31) &&
                       bit(r[2], 11) && (saved & 0xe6) == 0xe6;
#endif
    return !avx2 ? &gatun_kernels_generic : avx512 ? &gatun_kernels_avx512 : &gatun_kernels_avx2;
}
#elif GATUN_ARM64
#if defined(__APPLE__)
#include <sys/sysctl.h>
static int feature(const char *name) {
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value;
}
static const struct gatun_kernels *best(void) {
    return feature("hw.optional.arm.FEAT_I8MM")      ? &gatun_kernels_i8mm
           : feature("hw.optional.arm.FEAT_DotProd") ? &gatun_kernels_neon
                                                     : &gatun_kernels_generic;
}
#else
#include <sys/auxv.h>
static const struct gatun_kernels *best(void) {
    const unsigned long caps = getauxval(AT_HWCAP), caps2 = getauxval(AT_HWCAP2);
    const int dotprod = caps >> 20 & 1, half = caps >> 10 & 1, i8mm = caps2 >> 13 & 1;
    return !dotprod || !half ? &gatun_kernels_generic
           : i8mm            ? &gatun_kernels_i8mm
                             : &gatun_kernels_neon;
}
#endif
#else
static const struct gatun_kernels *best(void) { return &gatun_kernels_generic; }
#endif

static const struct gatun_kernels *choose(void) {
    const struct gatun_kernels *all[] = {
        &gatun_kernels_generic,
#if GATUN_X86
        &gatun_kernels_avx2,
        &gatun_kernels_avx512,
#elif GATUN_ARM64
        &gatun_kernels_neon,
        &gatun_kernels_i8mm,
#endif
    };
    const struct gatun_kernels *have = best();
    const char *wanted = getenv("GATUN_ISA");
    for (size_t i = 0; wanted && i < sizeof all / sizeof *all; i++) {
        if (strcmp(all[i]->name, wanted) == 0 && all[i]->level <= have->level) {
            return all[i];
        }
    }
    return have;
}

const struct gatun_kernels *gatun_kernels(void) {
    static _Atomic(const struct gatun_kernels *) chosen;
    const struct gatun_kernels *known = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!known) {
        known = choose(); /* the same answer on every thread */
        atomic_store_explicit(&chosen, known, memory_order_relaxed);
    }
    return known;
}

#if GATUN_X86
static bool has_bfloats(void) {
    unsigned r[4];
    cpuid(7, 0, r);
    if (r[0] < 1) {
        return false;
    }
    cpuid(7, 1, r);
    return bit(r[0], 5);
}
#else
static bool has_bfloats(void) { return false; }
#endif

bool gatun_fast_bfloats(void) { return gatun_kernels()->fast_bfloats && has_bfloats(); }

const struct gatun_bfloats *gatun_bfloats(void) {
    static _Atomic(const struct gatun_bfloats *) chosen;
    const struct gatun_bfloats *known = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!known) {
        known = gatun_fast_bfloats() ? gatun_kernels()->fast_bfloats : gatun_kernels()->bfloats;
        atomic_store_explicit(&chosen, known, memory_order_relaxed);
    }
    return known;
}

const char *gatun_isa(void) { return gatun_kernels()->name; }
int32_t gatun_isa_level(void) { return gatun_kernels()->level; }
