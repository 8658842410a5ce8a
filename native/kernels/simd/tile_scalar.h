enum { TILE_COLUMNS = GROUP_COLUMNS };

/* The definition, in scalar code. Bytes are read with the sign that the type gives them. */
ALWAYS_INLINE int dot4(const uint8_t *w, const int8_t *x, bool is_signed) {
    int sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += (is_signed ? (int8_t)w[i] : w[i]) * x[i];
    }
    return sum;
}

ALWAYS_INLINE void tile256(const struct weight_type *type, const void *panel, const void *act,
                           int64_t group_bytes, int blocks, int rows, int columns, float *c,
                           int64_t stride, bool add, ahead *next) {
    (void)group_bytes;
    float sums[GROUP_COLUMNS][PANEL_ROWS] = {{0}};
    const int groups = type->sub / 4;
    for (int b = 0; b < blocks; b++) {
        ask(next);
        const panel256 *p = (const panel256 *)panel + b;
        const act256 *a = (const act256 *)act + b;
        for (int j = 0; j < columns; j++) {
            for (int i = 0; i < rows; i++) {
                int total = 0;
                int low = 0;
                for (int s = 0; s < 256 / type->sub; s++) {
                    int part = 0;
                    for (int k = groups * s; k < groups * (s + 1); k++) {
                        part += dot4(p->q[k][i], a->q[k][j], type->is_signed);
                    }
                    const int sum = type->sub == 16 ? a->sums16[s / 2][j][s % 2]
                                                    : a->sums32[s / 2][j][s % 2];
                    total += part * p->scale[s][i][0];
                    low += p->min[s / 2][i][s % 2] * sum;
                }
                sums[j][i] += a->d[j] * (p->d[i] * (float)total - p->dm[i] * (float)low);
            }
        }
    }
    store(sums, rows, columns, c, stride, add);
}

ALWAYS_INLINE void tile32(const struct weight_type *type, const void *panel, const void *act,
                          int64_t group_bytes, int blocks, int rows, int columns, float *c,
                          int64_t stride, bool add, ahead *next) {
    (void)group_bytes;
    float sums[GROUP_COLUMNS][PANEL_ROWS] = {{0}};
    for (int b = 0; b < blocks; b++) {
        ask(next);
        const panel32 *p = (const panel32 *)panel + b;
        const act32 *a = (const act32 *)act + b;
        for (int j = 0; j < columns; j++) {
            for (int i = 0; i < rows; i++) {
                int part = 0;
                for (int k = 0; k < 8; k++) {
                    part += dot4(p->q[k][i], a->q[k][j], type->is_signed);
                }
                sums[j][i] += p->d[i] * a->d[j] * (float)part + p->m[i] * a->sum[j];
            }
        }
    }
    store(sums, rows, columns, c, stride, add);
}
