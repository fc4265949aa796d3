// Tiles of a decoded row's scores and values from a cache of Q8_0. Included by ck_attention_decode_body.h.
//
// A block's values become the floats that they stand for (exactly: eight bits times eleven) and are then used as those
// of any other cache, so results are bit for bit those of a cache of these floats. Converting costs three instructions
// per vector: with more than one tile of lines, the first one leaves the keys' floats to the others, and to the values
// if these are a view of the keys.
//
// Bound by fma, of which the scale adds one to those of the lines. Zen 4, AVX-512, 4096 keys, milliseconds of one
// thread and of two: 12 heads over 2 of 128 0.42, 0.25 (F16: 0.45, 0.28), MLA's 16 heads of 576 and 512 1.55, 0.93
// (F16: 1.47, 0.90).

// scores[line][key] of `lines` lines and four keys. The keys' floats go to `floats` [DECODE_KEYS][padded dk] if not
// NULL.
static inline __attribute__((always_inline)) void score_blocks(const float *q, const uint8_t *const *keys, int dk,
                                                               int lines, float *floats, float *scores) {
    float scales[MAX_HEAD / 32][DECODE_KEYS];
    vf sum[DECODE_LINES][DECODE_KEYS];
    int width = padded(dk);
    for (int b = 0; b < dk / 32; ++b)
        for (int k = 0; k < DECODE_KEYS; ++k) scales[b][k] = vf_block_scale(keys[k] + ck_row_bytes(CK_Q8_0, b * 32));
#pragma clang loop unroll(full)
    for (int m = 0; m < lines; ++m)
#pragma clang loop unroll(full)
        for (int k = 0; k < DECODE_KEYS; ++k) sum[m][k] = vf_set(0);
    for (int b = 0; b < dk / 32; ++b)
#pragma clang loop unroll(full)
        for (int d = b * 32; d < b * 32 + 32; d += VL) {
            vf key[DECODE_KEYS];
#pragma clang loop unroll(full)
            for (int k = 0; k < DECODE_KEYS; ++k) {
                const uint8_t *block = keys[k] + ck_row_bytes(CK_Q8_0, b * 32);
                key[k] = vf_mul(vf_load_int8(block + 2 + d % 32), vf_set(scales[b][k]));
                if (floats) vf_store(floats + k * width + d, key[k]);
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
static inline __attribute__((always_inline)) void value_blocks(const float *weights, const key_rows *rows, int count,
                                                               int c, int vectors, int lines, int width, float *out) {
    vf sum[DECODE_LINES][4];
    int64_t offset = ck_row_bytes(CK_Q8_0, c);
    int first = vectors * VL % 32 == 0 ? 0 : c % 32; // element of the block at `offset`
#pragma clang loop unroll(full)
    for (int m = 0; m < lines; ++m)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; ++j) sum[m][j] = vf_load(out + m * width + c + j * VL);
    for (int k = 0; k < count; ++k) {
        vf v[4];
        for (int b = 0; b < vectors * VL; b += 64) __builtin_prefetch(rows->ahead->value[k] + offset + b, 0, 2);
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; ++j) {
            int i = first + j * VL;
            const uint8_t *block = rows->value[k] + offset + ck_row_bytes(CK_Q8_0, i);
            v[j] = vf_mul(vf_load_int8(block + 2 + i % 32), vf_set(vf_block_scale(block)));
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

static inline __attribute__((always_inline)) void add_blocks(const float *weights, const key_rows *rows, int count,
                                                             int dv, int lines, float *out) {
    int width = padded(dv), c = 0;
    for (; c + 4 * VL <= dv; c += 4 * VL) value_blocks(weights, rows, count, c, 4, lines, width, out);
    for (; c < dv; c += VL) value_blocks(weights, rows, count, c, 1, lines, width, out);
}

// Scores of the first tile of lines from blocks, of others from the floats that it leaves.
static void decode_block_scores(const ck_attention_args *a, const key_rows *rows, int count, int lines,
                                attention_space *sp) {
    int width = padded(a->dk);
    for (int k = 0; k < count; k += DECODE_KEYS) {
        float *floats = lines > DECODE_LINES ? sp->keys + k * width : NULL;
        for (int i = 0; i < DECODE_KEYS; ++i)
            for (int64_t b = 0; b < ck_row_bytes(CK_Q8_0, a->dk); b += 64)
                __builtin_prefetch(rows->ahead->key[k + i] + b, 0, 2);
#define BODY(type) score_blocks(sp->q, rows->key + k, a->dk, N, floats, sp->scores + k)
        WITH_LINES(CK_Q8_0, lines, BODY)
#undef BODY
    }
    key_rows floats;
    for (int k = 0; k < CHUNK; ++k) floats.key[k] = (const uint8_t *)(sp->keys + k * width);
    for (int m = DECODE_LINES; m < lines; m += DECODE_LINES) {
#define BODY(type) score_keys(type, sp->q + m * width, &floats, count, a->dk, N, 0, sp->scores + m * CHUNK)
        WITH_LINES(CK_F32, lines - m, BODY)
#undef BODY
    }
}

// The same for values; those that are a view of the keys are floats already.
static void decode_block_values(const ck_attention_args *a, const key_rows *rows, int count, int lines,
                                attention_space *sp) {
    if (lines <= DECODE_LINES) {
#define BODY(type) add_blocks(sp->scores, rows, count, a->dv, N, sp->out)
        WITH_LINES(CK_Q8_0, lines, BODY)
#undef BODY
        return;
    }
    int width = padded(a->dv), view = a->v == a->k;
    key_rows floats;
    for (int k = 0; k < count; ++k) {
        float *row = view ? sp->keys + k * padded(a->dk) : sp->values + k * width;
        floats.value[k] = (const uint8_t *)row;
        if (view) continue;
        for (int64_t b = 0; b < ck_row_bytes(CK_Q8_0, a->dv); b += 64)
            __builtin_prefetch(rows->ahead->value[k] + b, 0, 2);
        widen_blocks(rows->value[k], a->dv, row);
    }
    for (int m = 0; m < lines; m += DECODE_LINES) {
#define BODY(type) add_values(type, sp->scores + m * CHUNK, &floats, count, a->dv, N, 0, sp->out + m * width)
        WITH_LINES(CK_F32, lines - m, BODY)
#undef BODY
    }
}
