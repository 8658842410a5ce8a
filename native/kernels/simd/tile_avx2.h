/*
 * AVX2 has no 4-byte dot product. maddubs multiplies unsigned by signed bytes and adds pairs into 16
 * bits; up to `run` of these add up in 16 bits before one madd widens them, and that madd multiplies
 * with the sub-block's scale at the same time. Bytes with a sign (`is_signed`) would overflow: there
 * the sign moves to the activation, and each product is widened at once.
 */
enum { TILE_COLUMNS = GROUP_COLUMNS };

ALWAYS_INLINE __m256i broadcast4(const void *p) {
    int32_t word;
    memcpy(&word, p, 4);
    return _mm256_set1_epi32(word);
}

/* Σ over `groups` groups of 4, widened to 32 bits by `scale`, for 8 rows and 4 columns. */
ALWAYS_INLINE void widen(const uint8_t (*q)[PANEL_ROWS][4], const int8_t (*x)[GROUP_COLUMNS][4],
                         int groups, int run, bool is_signed, __m256i scale,
                         __m256i total[GROUP_COLUMNS]) {
    for (int from = 0; from < groups; from += run) {
        __m256i part[GROUP_COLUMNS];
        for (int k = from; k < from + run; k++) {
            const __m256i w = _mm256_load_si256((const __m256i *)q[k]);
            const __m256i size = is_signed ? _mm256_abs_epi8(w) : w;
            for (int c = 0; c < GROUP_COLUMNS; c++) {
                __m256i v = broadcast4(x[k][c]);
                v = is_signed ? _mm256_sign_epi8(v, w) : v;
                v = _mm256_maddubs_epi16(size, v);
                part[c] = k == from ? v : _mm256_add_epi16(part[c], v);
            }
        }
        for (int c = 0; c < GROUP_COLUMNS; c++) {
            total[c] = _mm256_add_epi32(total[c], _mm256_madd_epi16(part[c], scale));
        }
    }
}

/* 8 of the panel's rows. */
ALWAYS_INLINE void rows256(const panel256 *p, int row, const act256 *a, int blocks, int sub, int run,
                           bool is_signed, bool has_min, __m256 f[GROUP_COLUMNS], ahead *next) {
    for (int b = 0; b < blocks; b++, p++, a++) {
        if (row == 0) {
            ask(next);
        }
        __m256i total[GROUP_COLUMNS];
        for (int c = 0; c < GROUP_COLUMNS; c++) {
            total[c] = _mm256_setzero_si256();
        }
        const int groups = sub / 4;
        for (int s = 0; s < 256 / sub; s++) {
            const __m256i scale = _mm256_load_si256((const __m256i *)p->scale[s][row]);
            widen((const uint8_t(*)[PANEL_ROWS][4])p->q[groups * s][row], a->q + groups * s, groups,
                  run, is_signed, scale, total);
        }
        const __m256 d = _mm256_load_ps(p->d + row);
        const __m256 dm = _mm256_load_ps(p->dm + row);
        __m256i low[GROUP_COLUMNS];
        for (int c = 0; c < GROUP_COLUMNS; c++) {
            low[c] = _mm256_setzero_si256();
        }
        for (int s = 0; has_min && s < 128 / sub; s++) {
            const __m256i min = _mm256_load_si256((const __m256i *)p->min[s][row]);
            for (int c = 0; c < GROUP_COLUMNS; c++) {
                const void *sums = sub == 16 ? a->sums16[s][c] : a->sums32[s][c];
                low[c] = _mm256_add_epi32(low[c], _mm256_madd_epi16(min, broadcast4(sums)));
            }
        }
        for (int c = 0; c < GROUP_COLUMNS; c++) {
            __m256 value = _mm256_mul_ps(d, _mm256_cvtepi32_ps(total[c]));
            if (has_min) {
                value = _mm256_fnmadd_ps(dm, _mm256_cvtepi32_ps(low[c]), value);
            }
            f[c] = _mm256_fmadd_ps(value, _mm256_broadcast_ss(a->d + c), f[c]);
        }
    }
}

ALWAYS_INLINE void rows32(const panel32 *p, int row, const act32 *a, int blocks, int run,
                          bool is_signed, bool has_min, __m256 f[GROUP_COLUMNS], ahead *next) {
    const __m256i ones = _mm256_set1_epi16(1);
    for (int b = 0; b < blocks; b++, p++, a++) {
        if (row == 0) {
            ask(next);
        }
        __m256i total[GROUP_COLUMNS];
        for (int c = 0; c < GROUP_COLUMNS; c++) {
            total[c] = _mm256_setzero_si256();
        }
        widen((const uint8_t(*)[PANEL_ROWS][4])p->q[0][row], a->q, 8, run, is_signed, ones, total);
        const __m256 d = _mm256_load_ps(p->d + row);
        const __m256 m = _mm256_load_ps(p->m + row);
        for (int c = 0; c < GROUP_COLUMNS; c++) {
            const __m256 scale = _mm256_mul_ps(d, _mm256_broadcast_ss(a->d + c));
            f[c] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(total[c]), scale, f[c]);
            if (has_min) {
                f[c] = _mm256_fmadd_ps(m, _mm256_broadcast_ss(a->sum + c), f[c]);
            }
        }
    }
}

/* Calls 8 rows twice and stores; BODY fills f for the rows from `row` on. */
#define BOTH_HALVES(BODY)                                                                          \
    for (int row = 0; row < rows; row += 8) {                                                      \
        __m256 f[GROUP_COLUMNS] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),  \
                                   _mm256_setzero_ps()};                                           \
        BODY;                                                                                      \
        finish(f, row, rows, columns, c, stride, add);                                             \
    }

ALWAYS_INLINE void finish(const __m256 f[GROUP_COLUMNS], int row, int rows, int columns, float *c,
                          int64_t stride, bool add) {
    if (rows - row >= 8) {
        for (int j = 0; j < columns; j++) {
            float *to = c + j * stride + row;
            _mm256_storeu_ps(to, add ? _mm256_add_ps(_mm256_loadu_ps(to), f[j]) : f[j]);
        }
        return;
    }
    ALIGNED(32) float sums[GROUP_COLUMNS][PANEL_ROWS];
    for (int j = 0; j < columns; j++) {
        _mm256_store_ps(sums[j], f[j]);
    }
    store(sums, rows - row, columns, c + row, stride, add);
}

ALWAYS_INLINE void tile256(const struct weight_type *type, const void *panel, const void *act,
                           int64_t group_bytes, int blocks, int rows, int columns, float *c,
                           int64_t stride, bool add, ahead *next) {
    (void)group_bytes;
    if (type->is_signed) {
        BOTH_HALVES(rows256(panel, row, act, blocks, 32, 1, true, false, f, next))
    } else if (type->sub == 32 && type->run == 8) {
        BOTH_HALVES(rows256(panel, row, act, blocks, 32, 8, false, true, f, next))
    } else if (type->sub == 32) {
        BOTH_HALVES(rows256(panel, row, act, blocks, 32, 4, false, true, f, next))
    } else if (type->run == 4) {
        BOTH_HALVES(rows256(panel, row, act, blocks, 16, 4, false, true, f, next))
    } else {
        BOTH_HALVES(rows256(panel, row, act, blocks, 16, 2, false, true, f, next))
    }
}

ALWAYS_INLINE void tile32(const struct weight_type *type, const void *panel, const void *act,
                          int64_t group_bytes, int blocks, int rows, int columns, float *c,
                          int64_t stride, bool add, ahead *next) {
    (void)group_bytes;
    if (type->is_signed) {
        BOTH_HALVES(rows32(panel, row, act, blocks, 1, true, false, f, next))
    } else if (type->run == 8) {
        BOTH_HALVES(rows32(panel, row, act, blocks, 8, false, true, f, next))
    } else {
        BOTH_HALVES(rows32(panel, row, act, blocks, 4, false, true, f, next))
    }
}
