// Tiles of a decoded row's scores and values. Included by ck_attention_decode_body.h.

// Lines and keys of a tile of scores: their sums, the keys and a query fit the registers.
enum { DECODE_KEYS = 4 };

// Where the keys of a chunk lie; keys that are missing repeat the first. `ahead` is the next chunk, or the same at the
// end.
typedef struct key_rows {
    const uint8_t *key[CHUNK], *value[CHUNK];
    const struct key_rows *ahead;
} key_rows;

// scores[line][key] of `lines` lines and four keys.
static inline __attribute__((always_inline)) void score_tile(int32_t type, const float *q, const uint8_t *const *keys,
                                                             int dk, int lines, float *scores) {
    vf sum[DECODE_LINES][DECODE_KEYS];
    int width = padded(dk);
#pragma clang loop unroll(full)
    for (int m = 0; m < lines; ++m)
#pragma clang loop unroll(full)
        for (int k = 0; k < DECODE_KEYS; ++k) sum[m][k] = vf_set(0);
    for (int d = 0; d < dk; d += VL) {
        vf key[DECODE_KEYS];
#pragma clang loop unroll(full)
        for (int k = 0; k < DECODE_KEYS; ++k) {
            const uint8_t *p = keys[k] + ck_row_bytes(type, d);
            key[k] = d + VL <= dk ? vf_load_typed(type, p) : vf_load_typed_part(type, p, dk - d);
        }
#pragma clang loop unroll(full)
        for (int m = 0; m < lines; ++m) {
            vf x = vf_load(q + m * width + d);
#pragma clang loop unroll(full)
            for (int k = 0; k < DECODE_KEYS; ++k) sum[m][k] = vf_fma(x, key[k], sum[m][k]);
        }
    }
#pragma clang loop unroll(full)
    for (int m = 0; m < lines; ++m) vf_sum4(sum[m], scores + m * CHUNK);
}

// out[line] += weights[line] · values for `lines` lines, the columns of `vectors` vectors from c on.
static inline __attribute__((always_inline)) void value_tile(int32_t type, const float *weights, const key_rows *rows,
                                                             int count, int c, int vectors, int left, int lines,
                                                             int width, int ahead, float *out) {
    const uint8_t *const *values = rows->value;
    vf sum[DECODE_LINES][4];
#pragma clang loop unroll(full)
    for (int m = 0; m < lines; ++m)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; ++j) sum[m][j] = vf_load(out + m * width + c + j * VL);
    for (int k = 0; k < count; ++k) {
        vf v[4];
        for (int64_t b = 0; b < ck_row_bytes(type, vectors * VL) && ahead; b += 64)
            __builtin_prefetch(rows->ahead->value[k] + ck_row_bytes(type, c) + b, 0, 2);
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; ++j) {
            const uint8_t *p = values[k] + ck_row_bytes(type, c + j * VL);
            v[j] = left >= VL ? vf_load_typed(type, p) : vf_load_typed_part(type, p, left);
        }
#pragma clang loop unroll(full)
        for (int m = 0; m < lines; ++m) {
            vf w = vf_set(weights[m * CHUNK + k]);
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; ++j) sum[m][j] = vf_fma(w, v[j], sum[m][j]);
        }
    }
#pragma clang loop unroll(full)
    for (int m = 0; m < lines; ++m)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; ++j) vf_store(out + m * width + c + j * VL, sum[m][j]);
}

// All scores of a chunk for `lines` lines.
static inline __attribute__((always_inline)) void score_keys(int32_t type, const float *q, const key_rows *rows,
                                                             int count, int dk, int lines, int ahead, float *scores) {
    for (int k = 0; k < count; k += DECODE_KEYS) {
        for (int i = 0; i < DECODE_KEYS && ahead; ++i)
            for (int64_t b = 0; b < ck_row_bytes(type, dk); b += 64)
                __builtin_prefetch(rows->ahead->key[k + i] + b, 0, 2);
        score_tile(type, q, rows->key + k, dk, lines, scores + k);
    }
}

static inline __attribute__((always_inline)) void add_values(int32_t type, const float *weights, const key_rows *rows,
                                                             int count, int dv, int lines, int ahead, float *out) {
    int width = padded(dv), c = 0;
    for (; c + 4 * VL <= dv; c += 4 * VL) value_tile(type, weights, rows, count, c, 4, VL, lines, width, ahead, out);
    for (; c < dv; c += VL) value_tile(type, weights, rows, count, c, 1, dv - c, lines, width, ahead, out);
}

// `body` with the element type and the number of lines known to the compiler.
#define WITH_LINES(type, lines, body)                                                                                  \
    switch (lines) {                                                                                                   \
    case 1: {                                                                                                          \
        enum { N = 1 };                                                                                                \
        body(type);                                                                                                    \
    } break;                                                                                                           \
    case 2: {                                                                                                          \
        enum { N = 2 };                                                                                                \
        body(type);                                                                                                    \
    } break;                                                                                                           \
    case 3: {                                                                                                          \
        enum { N = DECODE_LINES < 3 ? DECODE_LINES : 3 };                                                              \
        body(type);                                                                                                    \
    } break;                                                                                                           \
    case 4: {                                                                                                          \
        enum { N = DECODE_LINES < 4 ? DECODE_LINES : 4 };                                                              \
        body(type);                                                                                                    \
    } break;                                                                                                           \
    case 5: {                                                                                                          \
        enum { N = DECODE_LINES < 5 ? DECODE_LINES : 5 };                                                              \
        body(type);                                                                                                    \
    } break;                                                                                                           \
    default: {                                                                                                         \
        enum { N = DECODE_LINES };                                                                                     \
        body(type);                                                                                                    \
    } break;                                                                                                           \
    }
#define WITH_TYPE(type, lines, body)                                                                                   \
    if (type == CK_F16) {                                                                                              \
        WITH_LINES(CK_F16, lines, body)                                                                                \
    } else if (type == CK_BF16) {                                                                                      \
        WITH_LINES(CK_BF16, lines, body)                                                                               \
    } else {                                                                                                           \
        WITH_LINES(CK_F32, lines, body)                                                                                \
    }
