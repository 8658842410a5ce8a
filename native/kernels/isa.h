/*
 * One source, several instruction sets. CMake compiles every file of simd/ once per set that the
 * target may have, with GATUN_ISA naming it; ISA(f) is then f_generic, f_avx2, f_avx512 or f_neon.
 * The generic build is the scalar reference. `gatun_kernels()` picks one table at first use.
 */
#ifndef GATUN_ISA_H
#define GATUN_ISA_H

#include <stdint.h>

#define GATUN_JOIN_(name, isa) name##_##isa
#define GATUN_JOIN(name, isa) GATUN_JOIN_(name, isa)
#define ISA(name) GATUN_JOIN(name, GATUN_ISA)

#if defined(__AVX2__) || (defined(__AVX512F__) && defined(__AVX512VNNI__))
#include <immintrin.h>
#elif defined(__ARM_FEATURE_DOTPROD)
#include <arm_neon.h>
#endif

/* Compilers for which one function can have an instruction that its file's set lacks. */
#if defined(__AVX512VNNI__) && defined(__GNUC__) && !defined(GATUN_EMULATE_AVX512_H)
#define GATUN_FAST_BFLOATS 1
#endif

#if defined(_MSC_VER)
#define ALWAYS_INLINE static __forceinline
#define ALIGNED(n) __declspec(align(n))
#define PREFETCH(p) ((void)(p))
#else
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define ALIGNED(n) __attribute__((aligned(n)))
#define PREFETCH(p) __builtin_prefetch(p, 0, 2) /* to the second-level cache */
#endif

#endif
