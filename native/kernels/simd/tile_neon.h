/*
 * arm64: 8 rows × 4 columns at a time, 8 registers of sums. Panel bytes are signed for every type: those
 * of unsigned types are 63 at most.
 *
 * With int8 matrix products (i8mm) a register holds the sums of 2 rows × 2 columns, and panels and
 * activations hold 8 k of a row or column side by side (WORDS in int8_gemm.h); else it holds those of
 * 4 rows of one column.
 */
enum { TILE_COLUMNS = GROUP_COLUMNS };

typedef struct {
    int32x4_t v[8];
} sums8x4;

ALWAYS_INLINE sums8x4 zero(void) {
    sums8x4 z;
    for (int i = 0; i < 8; i++) {
        z.v[i] = vdupq_n_s32(0);
    }
    return z;
}

#define ALL_COLUMNS(M) M(0) M(1) M(2) M(3)

/* Three functions that know how sums lie: q is the panel's first word of the 8 rows. */
#if defined(__ARM_FEATURE_MATMUL_INT8)

ALWAYS_INLINE sums8x4 dot(const uint8_t *q, const int8_t *x, int groups) {
    sums8x4 sum = zero();
    for (int k = 0; k < groups; k += WORDS) {
        const int8x16_t x01 = vld1q_s8(x), x23 = vld1q_s8(x + 16);
        for (int i = 0; i < 4; i++) {
            const int8x16_t w = vreinterpretq_s8_u8(vld1q_u8(q + 16 * i));
            sum.v[i] = vmmlaq_s32(sum.v[i], w, x01);
            sum.v[4 + i] = vmmlaq_s32(sum.v[4 + i], w, x23);
        }
        q += WORDS * PANEL_ROWS * 4;
        x += WORDS * GROUP_COLUMNS * 4;
    }
    return sum;
}

/* The panel has each scale twice, as 2 rows × 2 columns need it. */
ALWAYS_INLINE void add_scaled(sums8x4 *total, sums8x4 part, const int16_t (*scale)[2]) {
    for (int i = 0; i < 4; i++) {
        const int32x4_t s = vmovl_s16(vld1_s16(scale[2 * i]));
        total->v[i] = vmlaq_s32(total->v[i], part.v[i], s);
        total->v[4 + i] = vmlaq_s32(total->v[4 + i], part.v[4 + i], s);
    }
}

/* To 4 rows of one column each. */
ALWAYS_INLINE sums8x4 by_column(sums8x4 s) {
    sums8x4 to;
    for (int pair = 0; pair < 2; pair++) {
        for (int half = 0; half < 2; half++) {
            const int32x4_t a = s.v[4 * pair + 2 * half], b = s.v[4 * pair + 2 * half + 1];
            to.v[4 * pair + half] = vuzp1q_s32(a, b);
            to.v[4 * pair + 2 + half] = vuzp2q_s32(a, b);
        }
    }
    return to;
}

#else

ALWAYS_INLINE sums8x4 dot(const uint8_t *q, const int8_t *x, int groups) {
    sums8x4 sum = zero();
    for (int k = 0; k < groups; k++) {
        const int8x16_t columns = vld1q_s8(x);
        const int8x16_t w0 = vreinterpretq_s8_u8(vld1q_u8(q));
        const int8x16_t w1 = vreinterpretq_s8_u8(vld1q_u8(q + 16));
#define COLUMN(c)                                                                                  \
    sum.v[2 * c] = vdotq_laneq_s32(sum.v[2 * c], w0, columns, c);                                  \
    sum.v[2 * c + 1] = vdotq_laneq_s32(sum.v[2 * c + 1], w1, columns, c);
        ALL_COLUMNS(COLUMN)
#undef COLUMN
        q += PANEL_ROWS * 4;
        x += GROUP_COLUMNS * 4;
    }
    return sum;
}

ALWAYS_INLINE void add_scaled(sums8x4 *total, sums8x4 part, const int16_t (*scale)[2]) {
    for (int half = 0; half < 2; half++) {
        const int16x8_t twice = vld1q_s16(scale[4 * half]);
        const int32x4_t s = vshrq_n_s32(vreinterpretq_s32_s16(twice), 16);
        for (int c = 0; c < GROUP_COLUMNS; c++) {
            total->v[2 * c + half] = vmlaq_s32(total->v[2 * c + half], part.v[2 * c + half], s);
        }
    }
}

ALWAYS_INLINE sums8x4 by_column(sums8x4 s) { return s; }

#endif

/* Adds Σ min·Σ qx of two neighbouring sub-blocks: sums holds both of each column. */
ALWAYS_INLINE void add_minimums(sums8x4 *low, const int16_t (*min)[2], const int16_t (*sums)[2]) {
    const int16x8x2_t m = vld2q_s16(min[0]);
    const int16x8_t x = vld1q_s16(sums[0]);
#define COLUMN(c)                                                                                  \
    low->v[2 * c] = vmlal_laneq_s16(low->v[2 * c], vget_low_s16(m.val[0]), x, 2 * c);              \
    low->v[2 * c] = vmlal_laneq_s16(low->v[2 * c], vget_low_s16(m.val[1]), x, 2 * c + 1);          \
    low->v[2 * c + 1] = vmlal_high_laneq_s16(low->v[2 * c + 1], m.val[0], x, 2 * c);               \
    low->v[2 * c + 1] = vmlal_high_laneq_s16(low->v[2 * c + 1], m.val[1], x, 2 * c + 1);
    ALL_COLUMNS(COLUMN)
#undef COLUMN
}

ALWAYS_INLINE void rows256(const panel256 *p, int row, const act256 *a, int blocks, int sub,
                           bool has_min, float32x4_t f[8], ahead *next) {
    const int groups = sub / 4;
    for (int b = 0; b < blocks; b++, p++, a++) {
        if (row == 0) {
            ask(next);
        }
        sums8x4 total = zero();
        for (int s = 0; s < 256 / sub; s++) {
            const sums8x4 part =
                dot((const uint8_t *)(p->q + groups * s) + 4 * WORDS * row, (const int8_t *)(a->q + groups * s), groups);
            add_scaled(&total, part, p->scale[s] + row);
        }
        total = by_column(total);
        sums8x4 low = zero();
        for (int s = 0; has_min && s < 128 / sub; s++) {
            add_minimums(&low, p->min[s] + row, sub == 16 ? a->sums16[s] : a->sums32[s]);
        }
        for (int i = 0; i < 8; i++) {
            const float32x4_t d = vld1q_f32(p->d + row + 4 * (i % 2));
            float32x4_t value = vmulq_f32(d, vcvtq_f32_s32(total.v[i]));
            if (has_min) {
                const float32x4_t dm = vld1q_f32(p->dm + row + 4 * (i % 2));
                value = vfmsq_f32(value, dm, vcvtq_f32_s32(low.v[i]));
            }
            f[i] = vfmaq_n_f32(f[i], value, a->d[i / 2]);
        }
    }
}

ALWAYS_INLINE void rows32(const panel32 *p, int row, const act32 *a, int blocks, bool has_min,
                          float32x4_t f[8], ahead *next) {
    for (int b = 0; b < blocks; b++, p++, a++) {
        if (row == 0) {
            ask(next);
        }
        const sums8x4 total = by_column(dot((const uint8_t *)p->q + 4 * WORDS * row, (const int8_t *)a->q, 8));
        for (int i = 0; i < 8; i++) {
            const float32x4_t d = vld1q_f32(p->d + row + 4 * (i % 2));
            f[i] = vfmaq_f32(f[i], vcvtq_f32_s32(total.v[i]), vmulq_n_f32(d, a->d[i / 2]));
            if (has_min) {
                f[i] = vfmaq_n_f32(f[i], vld1q_f32(p->m + row + 4 * (i % 2)), a->sum[i / 2]);
            }
        }
    }
}

/* Calls 8 rows twice and stores; BODY fills f for the rows from `row` on. */
#define BOTH_HALVES(BODY)                                                                          \
    for (int row = 0; row < rows; row += 8) {                                                      \
        float32x4_t f[8];                                                                          \
        for (int i = 0; i < 8; i++) {                                                              \
            f[i] = vdupq_n_f32(0);                                                                 \
        }                                                                                          \
        BODY;                                                                                      \
        finish(f, rows - row, columns, c + row, stride, add);                                      \
    }

ALWAYS_INLINE void finish(const float32x4_t f[8], int rows, int columns, float *c, int64_t stride,
                          bool add) {
    if (rows >= 8) {
        for (int i = 0; i < 2 * columns; i++) {
            float *to = c + i / 2 * stride + 4 * (i % 2);
            vst1q_f32(to, add ? vaddq_f32(vld1q_f32(to), f[i]) : f[i]);
        }
        return;
    }
    float sums[GROUP_COLUMNS][PANEL_ROWS];
    for (int i = 0; i < 8; i++) {
        vst1q_f32(sums[i / 2] + 4 * (i % 2), f[i]);
    }
    store(sums, rows, columns, c, stride, add);
}

ALWAYS_INLINE void tile256(const struct weight_type *type, const void *panel, const void *act,
                           int64_t group_bytes, int blocks, int rows, int columns, float *c,
                           int64_t stride, bool add, ahead *next) {
    (void)group_bytes;
    if (!type->has_min) {
        BOTH_HALVES(rows256(panel, row, act, blocks, 32, false, f, next))
    } else if (type->sub == 32) {
        BOTH_HALVES(rows256(panel, row, act, blocks, 32, true, f, next))
    } else {
        BOTH_HALVES(rows256(panel, row, act, blocks, 16, true, f, next))
    }
}

ALWAYS_INLINE void tile32(const struct weight_type *type, const void *panel, const void *act,
                          int64_t group_bytes, int blocks, int rows, int columns, float *c,
                          int64_t stride, bool add, ahead *next) {
    (void)group_bytes;
    if (type->has_min) {
        BOTH_HALVES(rows32(panel, row, act, blocks, true, f, next))
    } else {
        BOTH_HALVES(rows32(panel, row, act, blocks, false, f, next))
    }
}
