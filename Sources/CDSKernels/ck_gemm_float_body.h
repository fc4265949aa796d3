// Products of float activations with F32, F16, BF16 and FP8 weights, in full float precision. Include in a tier's
// target region after its vector header, with ROWS × TOKENS the register tile and NAME the suffix of the entry points.
//
// Lane l of an accumulator holds the columns l, l + VL, ... in ascending order; the lanes are added at the end in one
// fixed order. So every output element has one order of additions, whatever the tile.

// STRIDE spreads the rows of the panel over the cache sets.
enum { COLUMNS = 512, STRIDE = COLUMNS + 16, PANEL_ROWS = 32, BATCH = 96 };

// Weight rows of one tile as they are stored.
typedef struct float_rows {
    const uint8_t *row[PANEL_ROWS];
    const float *scale[PANEL_ROWS]; // block scales of the row or NULL
    int64_t k, ahead;               // columns; bytes to the same columns of the next tile, for prefetching
    int32_t type, block_columns;
} float_rows;

// VL (or n < VL) weights of a row from column i, block scale applied.
static inline __attribute__((always_inline)) vf weights_at(const float_rows *w, int32_t type, int r, int64_t i, int n) {
    const uint8_t *p = w->row[r] + ck_row_bytes(type, i);
    vf value = n == VL ? vf_load_typed(type, p) : vf_load_typed_part(type, p, n);
    if (w->scale[r]) {
        if (w->block_columns % VL == 0) return vf_mul(value, vf_set(w->scale[r][i / w->block_columns]));
        float scale[VL];
        for (int j = 0; j < VL; ++j) scale[j] = j < n ? w->scale[r][(i + j) / w->block_columns] : 0;
        return vf_mul(value, vf_load(scale));
    }
    return value;
}

// Rows first..<first + rows of the tile times `tokens` activation rows, straight from storage: out [token][PANEL_ROWS].
static inline __attribute__((always_inline)) void direct(const float_rows *w, int32_t type, int first, int rows,
                                                         int tokens, const float *const *x, float *out) {
    vf sum[TOKENS][8];
    int64_t i = 0;
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; ++t)
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; ++r) sum[t][r] = vf_set(0);
    for (; i + VL <= w->k; i += VL) {
        vf v[TOKENS];
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; ++t) v[t] = vf_load(x[t] + i);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; ++r) {
            __builtin_prefetch(w->row[first + r] + w->ahead + ck_row_bytes(type, i), 0, 2);
            vf weight = weights_at(w, type, first + r, i, VL);
#pragma clang loop unroll(full)
            for (int t = 0; t < tokens; ++t) sum[t][r] = vf_fma(weight, v[t], sum[t][r]);
        }
    }
    if (i < w->k) {
        int rest = (int)(w->k - i);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; ++r) {
            vf weight = weights_at(w, type, first + r, i, rest);
#pragma clang loop unroll(full)
            for (int t = 0; t < tokens; ++t) sum[t][r] = vf_fma(weight, vf_load_part(x[t] + i, rest), sum[t][r]);
        }
    }
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; ++t)
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; ++r) out[t * PANEL_ROWS + first + r] = vf_sum(sum[t][r]);
}

static inline __attribute__((always_inline)) void direct_typed(const float_rows *w, int32_t type, int tokens,
                                                               const float *const *x, float *out) {
    if (tokens == 1) {
        for (int r = 0; r < PANEL_ROWS; r += 8) direct(w, type, r, 8, 1, x, out);
        return;
    }
    for (int r = 0; r < PANEL_ROWS; r += ROWS) {
        switch (tokens) {
        case 2:
            direct(w, type, r, ROWS, 2, x, out);
            break;
        case 3:
            direct(w, type, r, ROWS, 3, x, out);
            break;
#if TOKENS > 3
        case 4:
            direct(w, type, r, ROWS, 4, x, out);
            break;
        case 5:
            direct(w, type, r, ROWS, 5, x, out);
            break;
        case 6:
            direct(w, type, r, ROWS, 6, x, out);
            break;
#endif
        default:
            break;
        }
    }
}

static void direct_tokens(const float_rows *w, int tokens, const float *const *x, float *out) {
    switch (w->type) {
    case CK_F16:
        direct_typed(w, CK_F16, tokens, x, out);
        break;
    case CK_BF16:
        direct_typed(w, CK_BF16, tokens, x, out);
        break;
    case CK_F8E4M3:
        direct_typed(w, CK_F8E4M3, tokens, x, out);
        break;
    case CK_F8E5M2:
        direct_typed(w, CK_F8E5M2, tokens, x, out);
        break;
    default:
        direct_typed(w, CK_F32, tokens, x, out);
        break;
    }
}

// Columns first..<first + n of a tile's rows as floats: panel [PANEL_ROWS][STRIDE], zeros up to a multiple of VL.
static inline __attribute__((always_inline)) void expand_typed(const float_rows *w, int32_t type, int64_t first, int n,
                                                               float *panel) {
    for (int r = 0; r < PANEL_ROWS; ++r) {
        int i = 0;
        for (; i + VL <= n; i += VL) vf_store(panel + r * STRIDE + i, weights_at(w, type, r, first + i, VL));
        if (i < n) vf_store(panel + r * STRIDE + i, weights_at(w, type, r, first + i, n - i));
    }
}

static void expand(const float_rows *w, int64_t first, int n, float *panel) {
    switch (w->type) {
    case CK_F16:
        expand_typed(w, CK_F16, first, n, panel);
        break;
    case CK_BF16:
        expand_typed(w, CK_BF16, first, n, panel);
        break;
    case CK_F8E4M3:
        expand_typed(w, CK_F8E4M3, first, n, panel);
        break;
    case CK_F8E5M2:
        expand_typed(w, CK_F8E5M2, first, n, panel);
        break;
    default:
        expand_typed(w, CK_F32, first, n, panel);
        break;
    }
}

// acc[token][row] += panel rows · x rows over `steps` vectors; x [token][STRIDE], acc [token][PANEL_ROWS][VL].
static inline __attribute__((always_inline)) void tile(const float *panel, const float *x, int tokens, int steps,
                                                       float *acc) {
    vf sum[TOKENS][ROWS];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; ++t)
#pragma clang loop unroll(full)
        for (int r = 0; r < ROWS; ++r) sum[t][r] = vf_load(acc + (t * PANEL_ROWS + r) * VL);
    for (int i = 0; i < steps; ++i) {
        vf w[ROWS];
#pragma clang loop unroll(full)
        for (int r = 0; r < ROWS; ++r) w[r] = vf_load(panel + r * STRIDE + i * VL);
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; ++t) {
            vf v = vf_load(x + t * STRIDE + i * VL);
#pragma clang loop unroll(full)
            for (int r = 0; r < ROWS; ++r) sum[t][r] = vf_fma(w[r], v, sum[t][r]);
        }
    }
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; ++t)
#pragma clang loop unroll(full)
        for (int r = 0; r < ROWS; ++r) vf_store(acc + (t * PANEL_ROWS + r) * VL, sum[t][r]);
}

static void tile_of(const float *panel, const float *x, int tokens, int steps, float *acc) {
    for (int r = 0; r < PANEL_ROWS; r += ROWS) {
        const float *p = panel + r * STRIDE;
        float *a = acc + r * VL;
        switch (tokens) {
        case 1:
            tile(p, x, 1, steps, a);
            break;
        case 2:
            tile(p, x, 2, steps, a);
            break;
        case 3:
            tile(p, x, 3, steps, a);
            break;
#if TOKENS > 3
        case 4:
            tile(p, x, 4, steps, a);
            break;
        case 5:
            tile(p, x, 5, steps, a);
            break;
        case 6:
            tile(p, x, 6, steps, a);
            break;
#endif
        default:
            break;
        }
    }
}

static const float *input(const ck_gemm_args *a, int64_t i) {
    int64_t source = a->rows_in ? a->rows_in[i] / a->in_divisor : i;
    return (const float *)(a->act + source * a->act_stride);
}

// out [count][PANEL_ROWS] = work rows first..<first + count times a tile of weight rows.
static void products(const ck_gemm_args *a, const float_rows *w, int64_t first, int count, float *space, float *out) {
    int tiles = (count + TOKENS - 1) / TOKENS;
    if (tiles <= 2) { // the second reading comes from the cache
        for (int i = 0; i < tiles; ++i) {
            const float *x[TOKENS];
            int t = count * i / tiles, end = count * (i + 1) / tiles;
            for (int j = t; j < end; ++j) x[j - t] = input(a, first + j);
            direct_tokens(w, end - t, x, out + t * PANEL_ROWS);
        }
        return;
    }
    float *panel = space, *x = panel + PANEL_ROWS * STRIDE, *acc = x + TOKENS * STRIDE;
    memset(acc, 0, (size_t)count * PANEL_ROWS * VL * 4);
    for (int64_t k = 0; k < w->k; k += COLUMNS) {
        int n = w->k - k < COLUMNS ? (int)(w->k - k) : COLUMNS, steps = (n + VL - 1) / VL;
        expand(w, k, n, panel);
        for (int i = 0; i < tiles; ++i) {
            int t = count * i / tiles, end = count * (i + 1) / tiles;
            for (int j = t; j < end; ++j) {
                float *row = x + (j - t) * STRIDE;
                memcpy(row, input(a, first + j) + k, (size_t)n * 4);
                for (int c = n; c < steps * VL; ++c) row[c] = 0;
            }
            tile_of(panel, x, end - t, steps, acc + (int64_t)t * PANEL_ROWS * VL);
        }
    }
    for (int i = 0; i < count * PANEL_ROWS; ++i) out[i] = vf_sum(vf_load(acc + (int64_t)i * VL));
}

static void rows_of(const ck_matrix *m, const uint8_t *data, const float *scales, int64_t n, float_rows *w) {
    int64_t per_row = scales ? (m->k + m->block_columns - 1) / m->block_columns : 0;
    for (int r = 0; r < PANEL_ROWS; ++r) {
        int64_t row = n + r < m->n ? n + r : m->n - 1;
        w->row[r] = data + row * m->row_bytes;
        w->scale[r] = scales ? scales + row / m->block_rows * per_row : NULL;
    }
    w->k = m->k;
    w->ahead = PANEL_ROWS * m->row_bytes;
    w->type = m->type;
    w->block_columns = scales ? m->block_columns : VL;
}

static void group(const ck_gemm_args *a, int32_t g, int64_t begin, int64_t end, float *space) {
    int64_t first = a->groups ? a->offsets[g] : 0, last = a->groups ? a->offsets[g + 1] : a->rows;
    const uint8_t *data = a->groups ? a->experts[g] : a->weight.data;
    const uint8_t *up = a->groups && a->experts_up ? a->experts_up[g] : a->up.data;
    const float *scales = a->groups ? (a->expert_scales ? a->expert_scales[g] : NULL) : a->weight.scales;
    const float *up_scales = a->groups ? (a->expert_up_scales ? a->expert_up_scales[g] : NULL) : a->up.scales;
    float *sums = space + (PANEL_ROWS + TOKENS) * STRIDE + BATCH * PANEL_ROWS * VL,
          *sums_up = sums + BATCH * PANEL_ROWS;
    for (int64_t i = first; i < last; i += BATCH) {
        int count = last - i < BATCH ? (int)(last - i) : BATCH;
        for (int64_t n = begin; n < end; n += PANEL_ROWS) {
            float_rows w;
            rows_of(&a->weight, data, scales, n, &w);
            products(a, &w, i, count, space, sums);
            if (a->up.n) {
                rows_of(&a->up, up, up_scales, n, &w);
                products(a, &w, i, count, space, sums_up);
            }
            int width = end - n < PANEL_ROWS ? (int)(end - n) : PANEL_ROWS;
            for (int t = 0; t < count; ++t) {
                int64_t target = a->rows_out ? a->rows_out[i + t] : i + t;
                const float *second = a->up.n ? sums_up + t * PANEL_ROWS : NULL;
                NAME(ck_finish)(a, sums + t * PANEL_ROWS, second, n, width, a->out + target * a->out_stride + n);
            }
        }
    }
}

void NAME(ck_gemm_float)(const ck_gemm_args *a, const ck_share *share) {
    int64_t begin, end;
    ck_split(a->weight.n, PANEL_ROWS, share, &begin, &end);
    int32_t groups = a->groups ? a->groups : 1;
    for (int32_t g = 0; g < groups && begin < end; ++g) group(a, g, begin, end, (float *)share->scratch);
}

static inline __attribute__((always_inline)) void load_row_typed(int32_t type, const uint8_t *p, float *row,
                                                                 int64_t n) {
    int64_t i = 0;
    for (; i + VL <= n; i += VL) vf_store(row + i, vf_load_typed(type, p + ck_row_bytes(type, i)));
    int rest = (int)(n - i);
    if (rest) vf_store_part(row + i, vf_load_typed_part(type, p + ck_row_bytes(type, i), rest), rest);
}

// A stored row as floats.
static void load_row(int32_t type, const uint8_t *p, float *row, int64_t n) {
    switch (type) {
    case CK_F16:
        load_row_typed(CK_F16, p, row, n);
        break;
    case CK_BF16:
        load_row_typed(CK_BF16, p, row, n);
        break;
    default:
        ck_dequantize_row(type, p, row, n);
    }
}

// out[t, h] = Σ_k x[t, h, k] * weight[h, k]: rows of the stored matrix are scaled and added, k ascending.
void NAME(ck_head_transposed)(const ck_head_transposed_args *a, const ck_share *share) {
    int64_t begin, end, n = a->weight.n;
    ck_split(a->heads, 1, share, &begin, &end);
    float *row = (float *)share->scratch;
    for (int64_t h = begin; h < end; ++h) {
        const uint8_t *data = a->weight.data + h * a->head_bytes;
        for (int64_t t = 0; t < a->rows; ++t)
            memset(a->out + t * a->out_stride + h * a->out_head_stride, 0, (size_t)n * 4);
        for (int64_t k = 0; k < a->weight.k; ++k) {
            load_row(a->weight.type, data + k * a->weight.row_bytes, row, n);
            for (int64_t t = 0; t < a->rows; ++t) {
                vf x = vf_set(a->x[t * a->x_stride + h * a->x_head_stride + k]);
                float *out = a->out + t * a->out_stride + h * a->out_head_stride;
                int64_t i = 0;
                for (; i + VL <= n; i += VL) vf_store(out + i, vf_fma(x, vf_load(row + i), vf_load(out + i)));
                if (i < n) {
                    int rest = (int)(n - i);
                    vf_store_part(out + i, vf_fma(x, vf_load_part(row + i, rest), vf_load_part(out + i, rest)), rest);
                }
            }
        }
    }
}
