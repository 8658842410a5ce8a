/*
 * AVX-512 with VNNI: all 16 rows in one register, and dpbusd is the 4-byte dot product. It takes 4 to
 * 5 cycles, so two groups of columns keep 8 of them under way. Its weights are unsigned for every
 * type: unpack.c adds 128 to those that had a sign.
 */
enum { TILE_COLUMNS = 2 * GROUP_COLUMNS };

ALWAYS_INLINE __m512i broadcast4(const void *p) {
    int32_t word;
    memcpy(&word, p, 4);
    return _mm512_set1_epi32(word);
}

/* Column c of the two groups a and a + group_bytes. */
#define OF(field, c) ((c) < GROUP_COLUMNS ? a0->field[(c) % GROUP_COLUMNS]                         \
                                          : a1->field[(c) % GROUP_COLUMNS])

ALWAYS_INLINE void rows256(const panel256 *p, const act256 *a0, int64_t group_bytes, int blocks,
                           int sub, int columns, __m512 f[TILE_COLUMNS], ahead *next) {
    const act256 *a1 = (const act256 *)((const char *)a0 + group_bytes);
    const int groups = sub / 4;
    for (int b = 0; b < blocks; b++, p++, a0++, a1++) {
        ask(next);
        __m512i total[TILE_COLUMNS];
        for (int c = 0; c < columns; c++) {
            total[c] = _mm512_setzero_si512();
        }
        for (int s = 0; s < 256 / sub; s++) {
            __m512i part[TILE_COLUMNS];
            for (int c = 0; c < columns; c++) {
                part[c] = _mm512_setzero_si512();
            }
            for (int k = 0; k < groups; k++) {
                const __m512i w = _mm512_loadu_si512(p->q[groups * s + k]);
                for (int c = 0; c < columns; c++) {
                    part[c] = _mm512_dpbusd_epi32(part[c], w, broadcast4(OF(q[groups * s + k], c)));
                }
            }
            const __m512i scale = _mm512_srai_epi32(_mm512_loadu_si512(p->scale[s]), 16);
            for (int c = 0; c < columns; c++) {
                total[c] = _mm512_add_epi32(total[c], _mm512_mullo_epi32(part[c], scale));
            }
        }
        __m512i low[TILE_COLUMNS];
        for (int c = 0; c < columns; c++) {
            low[c] = _mm512_setzero_si512();
        }
        for (int s = 0; s < 128 / sub; s++) {
            const __m512i min = _mm512_loadu_si512(p->min[s]);
            for (int c = 0; c < columns; c++) {
                const void *sums = sub == 16 ? OF(sums16[s], c) : OF(sums32[s], c);
                low[c] = _mm512_dpwssd_epi32(low[c], min, broadcast4(sums));
            }
        }
        const __m512 d = _mm512_loadu_ps(p->d);
        const __m512 dm = _mm512_loadu_ps(p->dm);
        for (int c = 0; c < columns; c++) {
            const __m512 value = _mm512_fnmadd_ps(dm, _mm512_cvtepi32_ps(low[c]),
                                                  _mm512_mul_ps(d, _mm512_cvtepi32_ps(total[c])));
            f[c] = _mm512_fmadd_ps(value, _mm512_set1_ps(OF(d, c)), f[c]);
        }
    }
}

ALWAYS_INLINE void rows32(const panel32 *p, const act32 *a0, int64_t group_bytes, int blocks,
                          int columns, __m512 f[TILE_COLUMNS], ahead *next) {
    const act32 *a1 = (const act32 *)((const char *)a0 + group_bytes);
    for (int b = 0; b < blocks; b++, p++, a0++, a1++) {
        ask(next);
        __m512i part[TILE_COLUMNS];
        for (int c = 0; c < columns; c++) {
            part[c] = _mm512_setzero_si512();
        }
        for (int k = 0; k < 8; k++) {
            const __m512i w = _mm512_loadu_si512(p->q[k]);
            for (int c = 0; c < columns; c++) {
                part[c] = _mm512_dpbusd_epi32(part[c], w, broadcast4(OF(q[k], c)));
            }
        }
        const __m512 d = _mm512_loadu_ps(p->d);
        const __m512 m = _mm512_loadu_ps(p->m);
        for (int c = 0; c < columns; c++) {
            const __m512 scale = _mm512_mul_ps(d, _mm512_set1_ps(OF(d, c)));
            f[c] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(part[c]), scale, f[c]);
            f[c] = _mm512_fmadd_ps(m, _mm512_set1_ps(OF(sum, c)), f[c]);
        }
    }
}

#undef OF

ALWAYS_INLINE void finish(const __m512 f[TILE_COLUMNS], int rows, int columns, float *c,
                          int64_t stride, bool add) {
    const __mmask16 mask = (__mmask16)((1u << rows) - 1);
    for (int j = 0; j < columns; j++) {
        float *to = c + j * stride;
        const __m512 old = add ? _mm512_maskz_loadu_ps(mask, to) : _mm512_setzero_ps();
        _mm512_mask_storeu_ps(to, mask, _mm512_add_ps(old, f[j]));
    }
}

ALWAYS_INLINE void tile256(const struct weight_type *type, const void *panel, const void *act,
                           int64_t group_bytes, int blocks, int rows, int columns, float *c,
                           int64_t stride, bool add, ahead *next) {
    __m512 f[TILE_COLUMNS];
    for (int j = 0; j < TILE_COLUMNS; j++) {
        f[j] = _mm512_setzero_ps();
    }
    if (columns <= GROUP_COLUMNS) {
        if (type->sub == 16) {
            rows256(panel, act, 0, blocks, 16, GROUP_COLUMNS, f, next);
        } else {
            rows256(panel, act, 0, blocks, 32, GROUP_COLUMNS, f, next);
        }
    } else if (type->sub == 16) {
        rows256(panel, act, group_bytes, blocks, 16, TILE_COLUMNS, f, next);
    } else {
        rows256(panel, act, group_bytes, blocks, 32, TILE_COLUMNS, f, next);
    }
    finish(f, rows, columns, c, stride, add);
}

ALWAYS_INLINE void tile32(const struct weight_type *type, const void *panel, const void *act,
                          int64_t group_bytes, int blocks, int rows, int columns, float *c,
                          int64_t stride, bool add, ahead *next) {
    (void)type;
    __m512 f[TILE_COLUMNS];
    for (int j = 0; j < TILE_COLUMNS; j++) {
        f[j] = _mm512_setzero_ps();
    }
    if (columns <= GROUP_COLUMNS) {
        rows32(panel, act, 0, blocks, GROUP_COLUMNS, f, next);
    } else {
        rows32(panel, act, group_bytes, blocks, TILE_COLUMNS, f, next);
    }
    finish(f, rows, columns, c, stride, add);
}
