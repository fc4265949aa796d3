// Tiles of a decoded row's scores and values. Included by ck_attention_decode_body.h.

// Keys of a tile of scores: their sums with DECODE_LINES lines, the keys and a query fit the registers.
enum { DECODE_KEYS = 4 };

// Lines of a tile: as many as fit, evenly.
static inline int tile_lines(int lines) {
    int tiles = (lines + DECODE_LINES - 1) / DECODE_LINES;
    return (lines + tiles - 1) / tiles;
}

// Where the rows of a chunk lie, from the first kv head of an item on; keys that are missing repeat the first. `ahead`
// is the next chunk, or the same at the end.
typedef struct key_rows {
    const uint8_t *key[CHUNK], *value[CHUNK];
    const struct key_rows *ahead;
    int64_t value_bytes; // to fetch, of one kv head
} key_rows;

// Asks the second-level cache for lines of four rows: where bytes at..<at + step of one kv head's keys are read, for
// those of the next chunk, and half a line later for the values of this one. A few at a time, in rows that are read
// whole: bursts are dropped, and so are requests for every second piece.
static inline __attribute__((always_inline)) void fetch_ahead(const key_rows *rows, int k, int64_t head, int64_t at,
                                                              int64_t step) {
    if (at % 64 < step)
        for (int i = 0; i < DECODE_KEYS; ++i) __builtin_prefetch(rows->ahead->key[k + i] + head + at, 0, 2);
    if ((at + 32) % 64 < step && at < rows->value_bytes)
        for (int i = 0; i < DECODE_KEYS; ++i) __builtin_prefetch(rows->value[k + i] + head + at, 0, 2);
}

// scores[line][key] of `lines` lines and the four keys from k on, which begin `head` bytes into their rows. The
// keys' floats go to `floats` [DECODE_KEYS][padded dk] if not NULL.
static inline __attribute__((always_inline)) void score_tile(int32_t type, const float *q, const key_rows *rows, int k,
                                                             int64_t head, int dk, int lines, int fetch, float *floats,
                                                             float *scores) {
    vf sum[DECODE_LINES][DECODE_KEYS];
    int width = padded(dk);
#pragma clang loop unroll(full)
    for (int m = 0; m < lines; ++m)
#pragma clang loop unroll(full)
        for (int j = 0; j < DECODE_KEYS; ++j) sum[m][j] = vf_set(0);
    for (int d = 0; d < dk; d += VL) {
        vf key[DECODE_KEYS];
        if (fetch) fetch_ahead(rows, k, head, ck_row_bytes(type, 32) * d / 32, ck_row_bytes(type, 32) * VL / 32);
#pragma clang loop unroll(full)
        for (int j = 0; j < DECODE_KEYS; ++j) {
            key[j] = load_values(type, rows->key[k + j] + head, d, dk - d);
            if (floats) vf_store(floats + j * width + d, key[j]);
        }
#pragma clang loop unroll(full)
        for (int m = 0; m < lines; ++m) {
            vf x = vf_load(q + m * width + d);
#pragma clang loop unroll(full)
            for (int j = 0; j < DECODE_KEYS; ++j) sum[m][j] = vf_fma(x, key[j], sum[m][j]);
        }
    }
#pragma clang loop unroll(full)
    for (int m = 0; m < lines; ++m) vf_sum4(sum[m], scores + m * CHUNK);
}

// Scores of a chunk for `lines` lines of each of `kv_heads` kv heads, the first of them `per` lines apart.
static inline __attribute__((always_inline)) void score_keys(int32_t type, const float *q, const key_rows *rows,
                                                             int count, int dk, int lines, int kv_heads, int per,
                                                             int fetch, float *scores) {
    for (int k = 0; k < count; k += DECODE_KEYS)
        for (int g = 0; g < kv_heads; ++g)
            score_tile(type, q + g * per * padded(dk), rows, k, ck_row_bytes(type, g * dk), dk, lines, fetch, NULL,
                       scores + g * per * CHUNK + k);
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
