// Products with interleaved weights on Arm with the dot-product extension.
//
// `sdot` multiplies four columns of four rows with four columns of an activation row, taken by lane: 64 of them per row
// of activations and block of 256 columns. Sums of up to eight vectors, and what they are added to, stay in registers:
// one or two tokens times sixteen rows, or three or four times eight, for which a tile is read twice (the second time
// from the first-level cache). Weights are stored as unsigned w + z; sums start at -z * Σ x. A few rows unpack
// weights in registers, more rows share a panel of unpacked bytes. Integer sums are exact and blocks are added in the
// order of the tier's other kernels: the same bits. Not measured on hardware.
#if defined(__aarch64__)
#include "ck_interleaved_kinds.h"
#include "ck_tiers.h"
#include <arm_neon.h>

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#include "ck_interleave_neon.h"

enum {
    STEP = 4, // the most tokens whose sums are in registers at a time
    ROW = sizeof(chunk_row)
};

// Loads stay where they are: the words of later groups would take the registers of sums, as would words that hold
// several groups, if kept for the next one.
#define LOADS_STAY __asm__ volatile("" ::: "memory")
#define ADDED(x) __asm__ volatile("" : "+w"(x)) // before the next loads: a sum of a sub-block frees its register

#define EACH_TOKEN UNROLL for (int t = 0; t < tokens; ++t)
#define EACH_VECTOR UNROLL for (int v = 0; v < vectors; ++v)

// A chunk of sixteen weight rows.
typedef struct chunk_tile {
    int8_t q[64][4][16];     // unpacked bytes
    int32_t scale[16][4][4]; // per sub-block
    uint8_t min[2][4][16];   // bytes of four sub-blocks each
} chunk_tile;

INLINE int32x4_t dot(int32x4_t sum, int8x16_t w, int8x16_t x, int lane) {
    return lane == 0   ? vdotq_laneq_s32(sum, w, x, 0)
           : lane == 1 ? vdotq_laneq_s32(sum, w, x, 1)
           : lane == 2 ? vdotq_laneq_s32(sum, w, x, 2)
                       : vdotq_laneq_s32(sum, w, x, 3);
}

// acc[t] += a chunk of the tile · x[t], for blocks of 256 columns.
INLINE void multiply256(int32_t type, int panel, const uint8_t *p, const uint8_t *halves, const chunk_tile *w,
                        const chunk_row *x, int tokens, float *acc) {
    const int vectors = tokens > (type == CK_Q4_K ? 2 : 1) ? 2 : 4; // with what unpacking needs, 32 registers at most
    const int subs = type == CK_Q6_K ? 16 : 8, groups = 64 / subs;
    // Sub-blocks: as many as take constant shifts, or two of different shifts.
    const int constant = type == CK_Q6_K || (type == CK_Q5_K && tokens > 1), unrolled = panel ? 1 : constant ? 8 : 2;
    for (int from = 0; from < 4; from += vectors) {
        int32x4_t total[STEP][4];
        EACH_TOKEN EACH_VECTOR total[t][v] = vdupq_n_s32(0);
        for (int first = 0; first < subs; first += unrolled) {
            const uint8_t *words = p + (type == CK_Q6_K ? 64 * 3 * first : 0) + 16 * from;
            const int8_t *unpacked = w->q[groups * first][from], *rows = x->q + 4 * groups * first;
            const int32_t *scales = w->scale[first][from], *starts = x->start + first;
            UNROLL
            for (int u = 0; u < unrolled; ++u) {
                const int s = type == CK_Q6_K ? u : first + u;
                int32x4_t part[STEP][4];
                int8x16_t columns[STEP];
                EACH_TOKEN {
                    const int32_t *start = starts + ROW / 4 * t + u;
                    EACH_VECTOR part[t][v] = vdupq_n_s32(type == CK_Q6_K ? *start : 0);
                }
                UNROLL
                for (int i = 0; i < groups; ++i) {
                    const int g = groups * u + i;
                    int8x16_t q[4];
                    LOADS_STAY;
                    EACH_VECTOR q[v] = panel ? vld1q_s8(unpacked + 64 * g + 16 * v) : group256(type, words, s, i, v);
                    EACH_TOKEN {
                        if (i % 4 == 0) columns[t] = vld1q_s8(rows + ROW * t + 4 * g);
                        EACH_VECTOR part[t][v] = dot(part[t][v], q[v], columns[t], i % 4);
                    }
                }
                EACH_VECTOR {
                    int32x4_t scale = vld1q_s32(scales + 16 * u + 4 * v);
                    EACH_TOKEN {
                        total[t][v] = vmlaq_s32(total[t][v], part[t][v], scale);
                        if (constant) ADDED(total[t][v]);
                    }
                }
            }
        }
        EACH_TOKEN EACH_VECTOR {
            float *out = acc + 16 * t + 4 * (from + v);
            float32x4_t d = vmulq_n_f32(scale256(type, p, halves, from + v), x[t].scale[0]);
            float32x4_t sum = vfmaq_f32(vld1q_f32(out), vcvtq_f32_s32(total[t][v]), d);
            if (type != CK_Q6_K) {
                int8x16_t low = vreinterpretq_s8_u8(vld1q_u8(w->min[0][from + v])),
                          high = vreinterpretq_s8_u8(vld1q_u8(w->min[1][from + v])), sums = vld1q_s8(x[t].sums);
                int32x4_t offset = dot(dot(vdupq_n_s32(0), low, sums, 0), high, sums, 1);
                offset = dot(dot(vshlq_n_s32(offset, 7), low, sums, 2), high, sums, 3);
                float32x4_t dmin = vmulq_n_f32(min256(p, from + v), x[t].scale[0]);
                sum = vfmsq_f32(sum, vcvtq_f32_s32(offset), dmin);
            }
            vst1q_f32(out, sum);
        }
    }
}

// The same for blocks of 32 columns.
INLINE void multiply32(int32_t type, int panel, const uint8_t *p, const chunk_tile *w, const chunk_row *x, int tokens,
                       int blocks, float *acc) {
    const int vectors = tokens > 2 ? 2 : 4;
    for (int from = 0; from < 4; from += vectors) {
        float32x4_t sum[STEP][4];
        EACH_TOKEN EACH_VECTOR sum[t][v] = vld1q_f32(acc + 16 * t + 4 * (from + v));
        for (int b = 0; b < blocks; ++b) {
            const uint8_t *words = block32(type, p, b) + 16 * from;
            const int8_t *unpacked = w->q[8 * b][from], *rows = x->q + 32 * b;
            int32x4_t part[STEP][4];
            int8x16_t columns[STEP];
            EACH_TOKEN {
                int32x4_t start = vdupq_n_s32(type == CK_Q8_0 ? 0 : x[t].start[b]);
                EACH_VECTOR part[t][v] = start;
            }
            UNROLL
            for (int i = 0; i < 8; ++i) {
                int8x16_t q[4];
                LOADS_STAY;
                EACH_VECTOR q[v] = panel ? vld1q_s8(unpacked + 64 * i + 16 * v) : group32(type, words, i, v);
                EACH_TOKEN {
                    if (i % 4 == 0) columns[t] = vld1q_s8(rows + ROW * t + 4 * i);
                    EACH_VECTOR part[t][v] = dot(part[t][v], q[v], columns[t], i % 4);
                }
            }
            EACH_VECTOR {
                float32x4_t d = scale32(type, p, b, from + v);
                EACH_TOKEN {
                    float32x4_t scaled = vmulq_n_f32(vcvtq_f32_s32(part[t][v]), x[t].scale[b]);
                    sum[t][v] = vfmaq_f32(sum[t][v], scaled, d);
                }
            }
        }
        EACH_TOKEN EACH_VECTOR vst1q_f32(acc + 16 * t + 4 * (from + v), sum[t][v]);
    }
}

INLINE void pack(int32_t type, const uint8_t *act, int64_t k, int64_t chunk, int blocks, chunk_row *x) {
    memcpy(x->q, act + 256 * chunk, 32 * (size_t)blocks);
    if (ck_interleaving_of(type).columns == 32) {
        memcpy(x->scale, act + ck_act32_scale(k) + 32 * chunk, 4 * (size_t)blocks);
        int32_t bias[8]; // -128 * Σ x
        memcpy(bias, act + ck_act32_bias128(k) + 32 * chunk, 4 * (size_t)blocks);
        for (int b = 0; type != CK_Q8_0 && b < blocks; ++b) x->start[b] = bias[b] / (type == CK_Q4_0 ? 16 : 8);
        return;
    }
    memcpy(x->scale, act + ck_act256_scale(k) + 4 * chunk, 4);
    int16_t sums[16];
    memcpy(sums, act + (type == CK_Q6_K ? ck_act256_sum16(k) + 32 * chunk : ck_act256_sum32(k) + 16 * chunk),
           type == CK_Q6_K ? 32 : 16);
    for (int s = 0; type == CK_Q6_K && s < 16; ++s) x->start[s] = -32 * sums[s];
    for (int s = 0; type != CK_Q6_K && s < 8; ++s) {
        x->sums[s] = (int8_t)(sums[s] >> 7);
        x->sums[8 + s] = sums[s] & 127;
    }
}

// The factors of a block of 256 columns.
INLINE void factors(int32_t type, const uint8_t *p, chunk_tile *w) {
    const int subs = type == CK_Q6_K ? 16 : 8;
    for (int v = 0; v < 4; ++v) {
        uint8x16_t scale[4], min[2];
        factor_words(type, p, v, scale, min);
        UNROLL
        for (int s = 0; s < subs; ++s) vst1q_s32(w->scale[s][v], sub_scale(type, scale[s / 4], s));
        UNROLL
        for (int i = 0; type != CK_Q6_K && i < 2; ++i) vst1q_u8(w->min[i][v], min[i]);
    }
}

INLINE void unpack(int32_t type, const uint8_t *p, int blocks, chunk_tile *w) {
    const int wide = ck_interleaving_of(type).columns == 256, unrolled = wide ? type == CK_Q6_K ? 8 : 2 : 1;
    const int groups = type == CK_Q6_K ? 4 : 8, subs = type == CK_Q6_K ? 16 : blocks;
    for (int first = 0; first < subs; first += unrolled)
        for (int v = 0; v < 4; ++v) {
            UNROLL
            for (int u = 0; u < unrolled; ++u) UNROLL
            for (int i = 0; i < groups; ++i) {
                int8x16_t q = !wide             ? group32(type, block32(type, p, first), i, v)
                              : type == CK_Q6_K ? group256(type, p + 64 * 3 * first, u, i, v)
                                                : group256(type, p, first + u, i, v);
                vst1q_s8(w->q[groups * (first + u) + i][v], q);
            }
        }
}

typedef void step(const uint8_t *p, const uint8_t *halves, const chunk_tile *w, const chunk_row *x, int blocks,
                  float *acc);

// acc[t] = all columns of the tile · activation row t; x [ceil(k / 256)][tokens].
INLINE void few(int32_t type, step *const steps[2][STEP], const uint8_t *tile, int64_t k, const chunk_row *x,
                int tokens, float *acc) {
    const ck_interleaving layout = ck_interleaving_of(type);
    const int per_chunk = 256 / layout.columns, passes = (tokens + STEP - 1) / STEP;
    // Unpacking once takes a store per vector besides, and saves one instruction (Q4) or two to three per pass.
    const int panel = type != CK_Q8_0 && passes > (type == CK_Q4_0 || type == CK_Q4_K ? 2 : 1);
    memset(acc, 0, (size_t)tokens * 64);
    for (int64_t chunk = 0; chunk * 256 < k; ++chunk, x += tokens) {
        chunk_tile w;
        const uint8_t *p = tile + ck_interleaved_block(layout, chunk * per_chunk);
        const uint8_t *halves = tile + ck_interleaved_half(layout, chunk * per_chunk);
        int blocks = k - chunk * 256 < 256 ? (int)(k / 32 - chunk * 8) : 8;
        if (layout.columns == 256) factors(type, p, &w);
        if (panel) unpack(type, p, blocks, &w);
        for (int pass = 0; pass < passes; ++pass) {
            int t = (tokens * pass + passes - 1) / passes, end = (tokens * (pass + 1) + passes - 1) / passes;
            steps[panel][end - t - 1](p, halves, &w, x + t, blocks, acc + 16 * t);
        }
    }
}

#define STEP_OF(type, panel, n)                                                                                        \
    static __attribute__((noinline)) void step_##type##_##panel##_##n(                                                 \
        const uint8_t *p, const uint8_t *halves, const chunk_tile *w, const chunk_row *x, int blocks, float *acc) {    \
        if (ck_interleaving_of(CK_##type).columns == 256)                                                              \
            multiply256(CK_##type, panel, p, halves, w, x, n, acc);                                                    \
        else                                                                                                           \
            multiply32(CK_##type, panel, p, w, x, n, blocks, acc);                                                     \
    }

#define KIND(name, width, type) CK_KIND_OF_STEPS(neon, name, width, type)
CK_EACH_INTERLEAVED(KIND)

#pragma clang attribute pop
#endif
