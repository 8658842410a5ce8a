/* IEEE half precision, bfloat16 and E8M0 to single precision, in portable C. */
#ifndef GATUN_HALF_H
#define GATUN_HALF_H

#include <stdint.h>
#include <string.h>
#if defined(__F16C__)
#include <immintrin.h>
#endif

static inline float float_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t bits_of_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of_half(uint16_t h) {
#if defined(__F16C__)
    return _cvtsh_ss(h);
#elif defined(__aarch64__)
    __fp16 x;
    memcpy(&x, &h, sizeof x);
    return x;
#else
    /* Subnormal halves become exact by a subtraction; the rest by moving the exponent. */
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    const uint32_t twice = (uint32_t)h << 17;
    if (twice >> 27 == 0) {
        const float small = float_of_bits(twice >> 17 | 126u << 23) - 0.5f;
        return float_of_bits(sign | bits_of_float(small));
    }
    const float normal = float_of_bits((twice >> 4) + (0xe0u << 23)) * 0x1.0p-112f;
    return float_of_bits(sign | bits_of_float(normal));
#endif
}

static inline uint16_t half_of_float(float x) {
#if defined(__F16C__)
    return (uint16_t)_cvtss_sh(x, 0);
#elif defined(__aarch64__)
    const __fp16 h = (__fp16)x;
    uint16_t bits;
    memcpy(&bits, &h, sizeof bits);
    return bits;
#else
    /* Rounds to nearest even by adding a number that pushes the lost bits out. */
    const uint32_t bits = bits_of_float(x);
    const uint32_t twice = bits + bits;
    uint32_t bias = twice & 0xff000000u;
    if (bias < 0x71000000u) {
        bias = 0x71000000u;
    }
    float base = (float_of_bits(bits & 0x7fffffffu) * 0x1.0p+112f) * 0x1.0p-110f;
    base = float_of_bits((bias >> 1) + 0x07800000u) + base;
    const uint32_t rounded = bits_of_float(base);
    const uint32_t nonsign = ((rounded >> 13) & 0x7c00u) + (rounded & 0x0fffu);
    return (uint16_t)((bits >> 16 & 0x8000u) | (twice > 0xff000000u ? 0x7e00u : nonsign));
#endif
}

static inline float float_of_bfloat(uint16_t b) { return float_of_bits((uint32_t)b << 16); }

/* 2^(e-127)/2: MXFP4's table holds doubled values, so its scale is halved. */
static inline float float_of_e8m0_half(uint8_t e) {
    return float_of_bits(e < 2 ? 0x00200000u << e : (uint32_t)(e - 1) << 23);
}

#endif
