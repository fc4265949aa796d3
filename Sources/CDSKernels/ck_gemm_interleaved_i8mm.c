// Products with interleaved weights on Arm with the matrix-multiply extension.
//
// `smmla` multiplies two rows of eight columns with two others, twice what `sdot` does in one instruction. Its weights
// are two neighbouring words of two rows, so a chunk of a tile is unpacked to bytes in that order, for all of up to 48
// tokens; those are brought together in pairs when they are packed. Fewer than five tokens are left to `sdot`. Sums of
// four tokens and eight rows, and what they are added to, stay in registers, [row][token] in a vector. Integer sums are
// exact and blocks are added in the order of the tier's other kernels: the same bits. Not measured on hardware.
#if defined(__aarch64__)
#include "ck_interleaved_kinds.h"
#include "ck_tiers.h"
#include <arm_neon.h>

#pragma clang attribute push(__attribute__((target("dotprod,i8mm"))), apply_to = function)

#include "ck_interleave_neon.h"

enum {
    STEP = 4,  // the most tokens whose sums are in registers at a time
    LEAST = 5, // tokens from which unpacking is fewer instructions than `sdot` takes more
    ROW_PAIRS = 8
};

// Loads stay where they are, as those of later columns would take the registers of sums.
#define LOADS_STAY __asm__ volatile("" ::: "memory")

#define EACH_PAIR UNROLL for (int t = 0; t < pairs; ++t)
#define EACH_ROWS UNROLL for (int r = 0; r < rows; ++r)

// A chunk of sixteen weight rows, two in a vector.
typedef struct chunk_tile {
    int8_t q[32][ROW_PAIRS][16];          // eight columns each
    int32_t scale[16][ROW_PAIRS][4];      // per sub-block, twice
    uint8_t min[ROW_PAIRS][16];           // of eight sub-blocks
    float d[8][ROW_PAIRS][4], dmin[8][4]; // per block of 32 columns, or one, twice
} chunk_tile;

// Two `chunk_row`s of activations.
typedef struct chunk_pair {
    int8_t q[32][2][8];
    float scale[8][2];
    int32_t start[16][2];
    int8_t sums[2][2][8];
    uint8_t pad[32];
} chunk_pair;

_Static_assert(sizeof(chunk_pair) == 2 * sizeof(chunk_row), "chunk_pair");

static void arrange(void *packed, int tokens) {
    if (tokens < LEAST) return;
    chunk_row *x = packed;
    for (int t = 0; t + 1 < tokens; t += 2) {
        chunk_row rows[2] = {x[t], x[t + 1]};
        chunk_pair *pair = (chunk_pair *)(x + t);
        for (int j = 0; j < 2; ++j) {
            for (int i = 0; i < 32; ++i) memcpy(pair->q[i][j], rows[j].q + 8 * i, 8);
            for (int b = 0; b < 8; ++b) pair->scale[b][j] = rows[j].scale[b];
            for (int s = 0; s < 16; ++s) pair->start[s][j] = rows[j].start[s];
            for (int i = 0; i < 2; ++i) memcpy(pair->sums[i][j], rows[j].sums + 8 * i, 8);
        }
    }
}

// Of a pair at x, or of one token that stands for two: eight columns, the sums of eight sub-blocks, scales, starts.
INLINE int8x16_t twice8(const void *p) { return vreinterpretq_s8_s64(vld1q_dup_s64((const int64_t *)p)); }
INLINE int8x16_t columns(const chunk_row *x, int lone, int i) {
    return lone ? twice8(x->q + 8 * i) : vld1q_s8(((const chunk_pair *)x)->q[i][0]);
}
INLINE int8x16_t sums_of(const chunk_row *x, int lone, int i) {
    return lone ? twice8(x->sums + 8 * i) : vld1q_s8(((const chunk_pair *)x)->sums[i][0]);
}
INLINE float32x4_t scale_of(const chunk_row *x, int lone, int b) {
    return lone ? vdupq_n_f32(x->scale[b]) : vreinterpretq_f32_s8(twice8(((const chunk_pair *)x)->scale[b]));
}
INLINE int32x4_t start_of(const chunk_row *x, int lone, int s) {
    return lone ? vdupq_n_s32(x->start[s]) : vreinterpretq_s32_s8(twice8(((const chunk_pair *)x)->start[s]));
}

// sums[pair][row pair] += a chunk of the tile · x, for blocks of 256 columns.
INLINE void multiply256(int32_t type, const chunk_tile *w, const chunk_row *x, int tokens,
                        float (*sums)[ROW_PAIRS][4]) {
    const int pairs = (tokens + 1) / 2, rows = pairs > 1 ? 4 : 8, subs = type == CK_Q6_K ? 16 : 8, parts = 32 / subs;
    for (int from = 0; from < ROW_PAIRS; from += rows) {
        int32x4_t total[2][ROW_PAIRS];
        EACH_PAIR EACH_ROWS total[t][r] = vdupq_n_s32(0);
        for (int s = 0; s < subs; ++s) {
            int32x4_t part[2][ROW_PAIRS];
            EACH_PAIR {
                int32x4_t start = type == CK_Q6_K ? start_of(x + 2 * t, 2 * t + 1 == tokens, s) : vdupq_n_s32(0);
                EACH_ROWS part[t][r] = start;
            }
            UNROLL
            for (int i = 0; i < parts; ++i) {
                int8x16_t eight[2];
                LOADS_STAY;
                EACH_PAIR eight[t] = columns(x + 2 * t, 2 * t + 1 == tokens, parts * s + i);
                EACH_ROWS {
                    int8x16_t q = vld1q_s8(w->q[parts * s + i][from + r]);
                    EACH_PAIR part[t][r] = vmmlaq_s32(part[t][r], q, eight[t]);
                }
            }
            EACH_ROWS {
                int32x4_t scale = vld1q_s32(w->scale[s][from + r]);
                EACH_PAIR total[t][r] = vmlaq_s32(total[t][r], part[t][r], scale);
            }
        }
        EACH_PAIR {
            const int lone = 2 * t + 1 == tokens;
            float32x4_t scale = scale_of(x + 2 * t, lone, 0);
            EACH_ROWS {
                float *out = sums[t][from + r];
                float32x4_t d = vmulq_f32(vld1q_f32(w->d[0][from + r]), scale);
                float32x4_t sum = vfmaq_f32(vld1q_f32(out), vcvtq_f32_s32(total[t][r]), d);
                if (type != CK_Q6_K) {
                    int8x16_t min = vreinterpretq_s8_u8(vld1q_u8(w->min[from + r]));
                    int32x4_t offset = vmmlaq_s32(vdupq_n_s32(0), min, sums_of(x + 2 * t, lone, 0));
                    offset = vmmlaq_s32(vshlq_n_s32(offset, 7), min, sums_of(x + 2 * t, lone, 1));
                    float32x4_t dmin = vmulq_f32(vld1q_f32(w->dmin[from + r]), scale);
                    sum = vfmsq_f32(sum, vcvtq_f32_s32(offset), dmin);
                }
                vst1q_f32(out, sum);
            }
        }
    }
}

// The same for blocks of 32 columns.
INLINE void multiply32(int32_t type, const chunk_tile *w, const chunk_row *x, int tokens, int blocks,
                       float (*sums)[ROW_PAIRS][4]) {
    const int pairs = (tokens + 1) / 2, rows = pairs > 1 ? 4 : 8;
    for (int from = 0; from < ROW_PAIRS; from += rows) {
        float32x4_t sum[2][ROW_PAIRS];
        EACH_PAIR EACH_ROWS sum[t][r] = vld1q_f32(sums[t][from + r]);
        for (int b = 0; b < blocks; ++b) {
            int32x4_t part[2][ROW_PAIRS];
            EACH_PAIR {
                int32x4_t start = type == CK_Q8_0 ? vdupq_n_s32(0) : start_of(x + 2 * t, 2 * t + 1 == tokens, b);
                EACH_ROWS part[t][r] = start;
            }
            UNROLL
            for (int i = 0; i < 4; ++i) {
                int8x16_t eight[2];
                LOADS_STAY;
                EACH_PAIR eight[t] = columns(x + 2 * t, 2 * t + 1 == tokens, 4 * b + i);
                EACH_ROWS {
                    int8x16_t q = vld1q_s8(w->q[4 * b + i][from + r]);
                    EACH_PAIR part[t][r] = vmmlaq_s32(part[t][r], q, eight[t]);
                }
            }
            EACH_PAIR {
                float32x4_t scale = scale_of(x + 2 * t, 2 * t + 1 == tokens, b);
                EACH_ROWS {
                    float32x4_t scaled = vmulq_f32(vcvtq_f32_s32(part[t][r]), scale);
                    sum[t][r] = vfmaq_f32(sum[t][r], scaled, vld1q_f32(w->d[b][from + r]));
                }
            }
        }
        EACH_PAIR EACH_ROWS vst1q_f32(sums[t][from + r], sum[t][r]);
    }
}

// x of rows 4 v ... as two vectors of two rows: each twice.
INLINE void store_twice(float32x4_t x, float (*out)[4]) {
    vst1q_f32(out[0], vzip1q_f32(x, x));
    vst1q_f32(out[1], vzip2q_f32(x, x));
}

// Words a and b of rows 4 v ... side by side: of the first two rows, of the last two. Bytes are unpacked after that, as
// a word has bits of several groups.
typedef struct two_words {
    uint8x16_t rows[2];
} two_words;
INLINE two_words beside(uint8x16_t a, uint8x16_t b) {
    uint32x4_t first = vreinterpretq_u32_u8(a), second = vreinterpretq_u32_u8(b);
    return (two_words){
        {vreinterpretq_u8_u32(vzip1q_u32(first, second)), vreinterpretq_u8_u32(vzip2q_u32(first, second))}};
}
INLINE two_words words(const uint8_t *p, int a, int b, int v) { return beside(word(p, a, v), word(p, b, v)); }

INLINE void unpack256(int32_t type, const uint8_t *p, const uint8_t *halves, chunk_tile *w) {
    const int subs = type == CK_Q6_K ? 16 : 8;
    for (int v = 0; v < 4; ++v) {
        uint8x16_t scale[4], min[2];
        factor_words(type, p, v, scale, min);
        UNROLL
        for (int s = 0; s < subs; ++s) {
            int32x4_t x = sub_scale(type, scale[s / 4], s);
            vst1q_s32(w->scale[s][2 * v], vzip1q_s32(x, x));
            vst1q_s32(w->scale[s][2 * v + 1], vzip2q_s32(x, x));
        }
        store_twice(scale256(type, p, halves, v), &w->d[0][2 * v]);
        if (type != CK_Q6_K) {
            uint32x4_t low = vreinterpretq_u32_u8(min[0]), high = vreinterpretq_u32_u8(min[1]);
            vst1q_u8(w->min[2 * v], vreinterpretq_u8_u32(vzip1q_u32(low, high)));
            vst1q_u8(w->min[2 * v + 1], vreinterpretq_u8_u32(vzip2q_u32(low, high)));
            store_twice(min256(p, v), &w->dmin[2 * v]);
        }
    }
    const int halves_of = type == CK_Q6_K ? 2 : 1; // of a block, with 4 quarters each; Q4_K and Q5_K: 8 sub-blocks
    for (int n = 0; n < halves_of; ++n)
        for (int v = 0; v < 4; ++v)
            for (int c = 0; c < 8; c += 2) {
                const uint8_t *from = p + 64 * 24 * n;
                two_words q = {0}, high = {0};
                if (type != CK_Q4_K) high = words(from, high256(type, c), high256(type, c + 1), v);
                UNROLL
                for (int i = 0; i < 8 / halves_of; ++i) {
                    const int s = type == CK_Q6_K ? i % 2 * 2 + i / 2 : i; // those of the same words in turn
                    if (i % 2 == 0) q = words(from, word256(type, s, c), word256(type, s, c + 1), v);
                    UNROLL
                    for (int h = 0; h < 2; ++h)
                        vst1q_s8(w->q[16 * n + 4 * s + c / 2][2 * v + h], bytes256(type, q.rows[h], high.rows[h], s));
                }
            }
}

INLINE void unpack32(int32_t type, const uint8_t *p, int blocks, chunk_tile *w) {
    for (int b = 0; b < blocks; ++b)
        for (int v = 0; v < 4; ++v) {
            const uint8_t *from = block32(type, p, b);
            store_twice(scale32(type, p, b, v), &w->d[b][2 * v]);
            two_words q, high = {0};
            if (type == CK_Q5_0) high = beside(word(from, 0, v), vshrq_n_u8(word(from, 0, v), 1));
            UNROLL
            for (int i = 0; i < 4; ++i) {
                const int g = type == CK_Q8_0 ? 2 * i : i % 2 * 4 + i / 2 * 2; // those of the same words in turn
                const int first = type == CK_Q8_0 ? g : g % 4 + (type == CK_Q5_0);
                if (type == CK_Q8_0 || i % 2 == 0) q = words(from, first, first + 1, v);
                UNROLL
                for (int h = 0; h < 2; ++h)
                    vst1q_s8(w->q[4 * b + g / 2][2 * v + h], bytes32(type, q.rows[h], high.rows[h], g));
            }
        }
}

typedef void step(const chunk_tile *w, const chunk_row *x, int blocks, float (*sums)[ROW_PAIRS][4]);

// acc[t] = all columns of the tile · activation row t; x [ceil(k / 256)][tokens], in pairs.
INLINE void few(int32_t type, step *const steps[STEP], const uint8_t *tile, int64_t k, const chunk_row *x, int tokens,
                float *acc) {
    const ck_interleaving layout = ck_interleaving_of(type);
    const int per_chunk = 256 / layout.columns;
    float sums[MOST / 2][ROW_PAIRS][4];
    memset(sums, 0, (size_t)((tokens + 1) / 2) * sizeof sums[0]);
    for (int64_t chunk = 0; chunk * 256 < k; ++chunk, x += tokens) {
        chunk_tile w;
        const uint8_t *p = tile + ck_interleaved_block(layout, chunk * per_chunk);
        const uint8_t *halves = tile + ck_interleaved_half(layout, chunk * per_chunk);
        int blocks = k - chunk * 256 < 256 ? (int)(k / 32 - chunk * 8) : 8;
        if (layout.columns == 256)
            unpack256(type, p, halves, &w);
        else
            unpack32(type, p, blocks, &w);
        for (int t = 0; t < tokens; t += STEP)
            steps[(tokens - t < STEP ? tokens - t : STEP) - 1](&w, x + t, blocks, sums + t / 2);
    }
    for (int t = 0; t < tokens; ++t)
        for (int v = 0; v < 4; ++v) {
            float32x4_t a = vld1q_f32(sums[t / 2][2 * v]), b = vld1q_f32(sums[t / 2][2 * v + 1]);
            vst1q_f32(acc + 16 * t + 4 * v, t % 2 ? vuzp2q_f32(a, b) : vuzp1q_f32(a, b));
        }
}

#define STEP_OF(type, n)                                                                                               \
    static __attribute__((noinline)) void step_##type##_##n(const chunk_tile *w, const chunk_row *x, int blocks,       \
                                                            float(*sums)[ROW_PAIRS][4]) {                              \
        (void)blocks;                                                                                                  \
        if (ck_interleaving_of(CK_##type).columns == 256)                                                              \
            multiply256(CK_##type, w, x, n, sums);                                                                     \
        else                                                                                                           \
            multiply32(CK_##type, w, x, n, blocks, sums);                                                              \
    }

#define KIND(name, width, type)                                                                                        \
    STEP_OF(type, 1)                                                                                                   \
    STEP_OF(type, 2)                                                                                                   \
    STEP_OF(type, 3)                                                                                                   \
    STEP_OF(type, 4)                                                                                                   \
    static void few_##name(const uint8_t *tile, int64_t k, const void *x, int tokens, float *acc) {                    \
        static step *const steps[STEP] = {step_##type##_1, step_##type##_2, step_##type##_3, step_##type##_4};         \
        if (tokens < LEAST)                                                                                            \
            ck_kind_interleaved_##name##_neon.few(tile, k, x, tokens, acc);                                            \
        else                                                                                                           \
            few(CK_##type, steps, tile, k, x, tokens, acc);                                                            \
    }                                                                                                                  \
    static void pack_##name(const uint8_t *act, int64_t k, int64_t chunk, int blocks, void *x) {                       \
        ck_kind_interleaved_##name##_neon.pack(act, k, chunk, blocks, x);                                              \
    }                                                                                                                  \
    const ck_tile_kind ck_kind_interleaved_##name##_i8mm = {                                                           \
        .act_format = width == 32 ? CK_ACT_Q8_32 : CK_ACT_Q8_256,                                                      \
        .tile_tokens = MOST,                                                                                           \
        .packed_bytes = sizeof(chunk_row),                                                                             \
        .pack = pack_##name,                                                                                           \
        .arrange = arrange,                                                                                            \
        .few = few_##name,                                                                                             \
        .finish = ck_finish_neon,                                                                                      \
    };

CK_EACH_INTERLEAVED(KIND)

#pragma clang attribute pop
#endif
