// Products with interleaved weights on AVX2. Four products fit a lane only after widening, so what counts is how many
// can be added in 16 bits before: see `Sums in 16 bits`. Sums of a block are exact, and blocks are added in the order
// of the tier's other integer kernels: results are bit for bit the same.
#if defined(__x86_64__)
#include "ck_interleave.h"
#include "ck_repack.h"
#include "ck_tiers.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "ck_transpose_avx2.h"

enum { DIRECT = 4, STEP = 4, TOKENS = 48 };

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define HALVES UNROLL for (int h = 0; h < 2; ++h)
#define EACH_TOKEN UNROLL for (int t = 0; t < tokens; ++t)

typedef struct packed {
    int8_t q[256];
    float scale[8];
    int16_t pairs[16][2];
} packed;

typedef struct panel {
    __m256i q[64][2];
    __m256i scale[16][2];
    __m256i min[4][2];
    __m256 d[8][2], dmin[2];
} panel;

INLINE __m256i word(const uint8_t *p, int w, int h) {
    return _mm256_loadu_si256((const __m256i *)(p + 64 * w + 32 * h));
}
INLINE __m256i masked(__m256i x, int mask) { return _mm256_and_si256(x, _mm256_set1_epi8((char)mask)); }
// Bits of every byte `by` places up, or down if negative.
INLINE __m256i moved(__m256i x, int by) { return by >= 0 ? _mm256_slli_epi16(x, by) : _mm256_srli_epi16(x, -by); }
INLINE __m256 half_floats(const uint8_t *p, int h) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 16 * h)));
}

INLINE __m256i group32(int32_t type, const uint8_t *p, int g, int h) {
    if (type == CK_Q8_0) return word(p, g, h);
    __m256i q = masked(moved(word(p, g % 4 + (type == CK_Q5_0), h), g / 4 * -4), 15);
    return type == CK_Q4_0 ? q : _mm256_or_si256(q, masked(moved(word(p, 0, h), 4 - g), 16));
}

INLINE __m256i group256(int32_t type, const uint8_t *p, int g, int h) {
    if (type == CK_Q6_K) {
        const uint8_t *half = p + 64 * (4 + g / 32 * 24);
        int quarter = g % 32 / 8, i = g % 8;
        __m256i q = masked(moved(word(half, quarter % 2 ? 16 + i : 2 * i, h), quarter / 2 * -4), 15);
        return _mm256_or_si256(q, masked(moved(word(half, 2 * i + 1, h), 4 - 2 * quarter), 48));
    }
    int s = g / 8, i = g % 8;
    __m256i q = masked(moved(word(p, (type == CK_Q5_K ? 12 : 4) + s / 2 * 8 + i, h), s % 2 * -4), 15);
    return type == CK_Q4_K ? q : _mm256_or_si256(q, masked(moved(word(p, 4 + i, h), 4 - s), 16));
}

INLINE __m256i group(int32_t type, const uint8_t *p, int g, int h) {
    return ck_interleaving_of(type).columns == 256
               ? group256(type, p, g, h)
               : group32(type, p + ck_interleaved_block(ck_interleaving_of(type), g / 8), g % 8, h);
}

INLINE void factors256(int32_t type, const uint8_t *p, const uint8_t *halves, panel *w) {
    HALVES {
        if (type == CK_Q6_K) {
            for (int s = 0; s < 16; ++s) {
                __m256i all = word(p, s / 4, h);
                __m256i top = _mm256_sll_epi32(all, _mm_cvtsi32_si128(24 - s % 4 * 8));
                __m256i wide = _mm256_srai_epi32(top, 24);
                w->scale[s][h] = _mm256_blend_epi16(wide, _mm256_slli_epi32(wide, 16), 0xaa);
            }
            w->d[0][h] = half_floats(halves, h);
            continue;
        }
        __m256i a = word(p, 1, h), b = word(p, 2, h), c = word(p, 3, h), scale[2], min[2];
        scale[0] = masked(a, 63);
        min[0] = masked(b, 63);
        scale[1] = _mm256_or_si256(masked(c, 15), masked(moved(a, -2), 48));
        min[1] = _mm256_or_si256(masked(moved(c, -4), 15), masked(moved(b, -2), 48));
        UNROLL
        for (int s = 0; s < 8; ++s) {
            __m256i one = _mm256_and_si256(_mm256_srli_epi32(scale[s / 4], s % 4 * 8), _mm256_set1_epi32(255));
            w->scale[s][h] = _mm256_or_si256(one, _mm256_slli_epi32(one, 16));
        }
        UNROLL
        for (int i = 0; i < 4; ++i) {
            __m256i x = _mm256_srli_epi32(min[i / 2], i % 2 * 16);
            w->min[i][h] = _mm256_or_si256(_mm256_and_si256(x, _mm256_set1_epi32(255)),
                                           _mm256_and_si256(_mm256_slli_epi32(x, 8), _mm256_set1_epi32(255 << 16)));
        }
        __m256i d = word(p, 0, h), low = _mm256_and_si256(d, _mm256_set1_epi32(0xffff)),
                high = _mm256_srli_epi32(d, 16);
        __m256i both = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8);
        w->d[0][h] = _mm256_cvtph_ps(_mm256_castsi256_si128(both));
        w->dmin[h] = _mm256_cvtph_ps(_mm256_extracti128_si256(both, 1));
    }
}

// Chunk `chunk` of a tile.
INLINE const uint8_t *chunk_start(int32_t type, const uint8_t *tile, int64_t chunk) {
    const ck_interleaving layout = ck_interleaving_of(type);
    return tile + ck_interleaved_block(layout, chunk * (256 / layout.columns));
}

INLINE void factors(int32_t type, const uint8_t *tile, int64_t chunk, int blocks, panel *w) {
    const ck_interleaving layout = ck_interleaving_of(type);
    if (layout.columns == 256) {
        factors256(type, chunk_start(type, tile, chunk), tile + ck_interleaved_half(layout, chunk), w);
        return;
    }
    for (int b = 0; b < blocks; ++b) HALVES
    w->d[b][h] = half_floats(tile + ck_interleaved_half(layout, 8 * chunk + b), h);
}

INLINE void multiply256(int32_t type, int direct, const uint8_t *p, const panel *w, const packed *x, int tokens,
                        float *acc) {
    const int subs = type == CK_Q6_K ? 16 : 8, groups = 64 / subs, chain = type == CK_Q4_K ? 8 : 4;
    const int inner = !direct ? 1 : type == CK_Q4_K ? 2 : 8;
    __m256i total[12][2];
    EACH_TOKEN HALVES total[t][h] = _mm256_setzero_si256();
    for (int outer = 0; outer < subs / inner; ++outer) {
        UNROLL
        for (int u = 0; u < inner; ++u) {
            int s = outer * inner + u;
            __m256i part[12][2];
            UNROLL
            for (int i = 0; i < groups; ++i) {
                int g = groups * s + i;
                __m256i q[2];
                HALVES q[h] = !direct           ? w->q[g][h]
                              : type == CK_Q4_K ? masked(moved(word(p, 4 + outer * 8 + i, h), u * -4), 15)
                              : type == CK_Q6_K ? group256(type, p + outer * 24 * 64, groups * u + i, h)
                                                : group256(type, p, groups * u + i, h);
                EACH_TOKEN {
                    __m256i v = broadcast4(x[t].q + 4 * g);
                    HALVES {
                        __m256i products = _mm256_maddubs_epi16(q[h], v);
                        if (i % chain)
                            part[t][h] = _mm256_add_epi16(part[t][h], products);
                        else if (type == CK_Q6_K)
                            part[t][h] = _mm256_add_epi16(broadcast4(x[t].pairs[s]), products);
                        else
                            part[t][h] = products;
                        if (i % chain == chain - 1)
                            total[t][h] = _mm256_add_epi32(total[t][h], _mm256_madd_epi16(part[t][h], w->scale[s][h]));
                    }
                }
            }
        }
    }
    EACH_TOKEN {
        __m256 scale = _mm256_set1_ps(x[t].scale[0]);
        HALVES {
            __m256 sum = _mm256_loadu_ps(acc + 16 * t + 8 * h);
            sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(total[t][h]), _mm256_mul_ps(w->d[0][h], scale), sum);
            if (type != CK_Q6_K) {
                __m256i offset = _mm256_setzero_si256();
                UNROLL
                for (int i = 0; i < 4; ++i)
                    offset = _mm256_add_epi32(offset, _mm256_madd_epi16(w->min[i][h], broadcast4(x[t].pairs[i])));
                sum = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(offset), _mm256_mul_ps(w->dmin[h], scale), sum);
            }
            _mm256_storeu_ps(acc + 16 * t + 8 * h, sum);
        }
    }
}

INLINE void multiply32(int32_t type, int direct, const uint8_t *p, const panel *w, const packed *x, int tokens,
                       int blocks, float *acc) {
    const ck_interleaving layout = ck_interleaving_of(type);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256 sum[12][2];
    EACH_TOKEN HALVES sum[t][h] = _mm256_loadu_ps(acc + 16 * t + 8 * h);
    for (int b = 0; b < blocks; ++b) {
        const uint8_t *block = p + 64 * (layout.words * b + b / 2);
        __m256i part[12][2];
        UNROLL
        for (int i = 0; i < 8; ++i) {
            __m256i q[2];
            HALVES q[h] = direct || type == CK_Q8_0 ? group32(type, block, i, h) : w->q[8 * b + i][h];
            EACH_TOKEN {
                __m256i v = broadcast4(x[t].q + 4 * (8 * b + i));
                HALVES if (type == CK_Q8_0) {
                    __m256i products = _mm256_maddubs_epi16(_mm256_abs_epi8(q[h]), _mm256_sign_epi8(v, q[h]));
                    __m256i wide = _mm256_madd_epi16(products, ones);
                    part[t][h] = i ? _mm256_add_epi32(part[t][h], wide) : wide;
                }
                else {
                    __m256i products = _mm256_maddubs_epi16(q[h], v);
                    part[t][h] = _mm256_add_epi16(i ? part[t][h] : broadcast4(x[t].pairs[b]), products);
                }
            }
        }
        EACH_TOKEN HALVES {
            __m256i dot = type == CK_Q8_0 ? part[t][h] : _mm256_madd_epi16(part[t][h], ones);
            __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(dot), _mm256_set1_ps(x[t].scale[b]));
            sum[t][h] = _mm256_fmadd_ps(scaled, w->d[b][h], sum[t][h]);
        }
    }
    EACH_TOKEN HALVES _mm256_storeu_ps(acc + 16 * t + 8 * h, sum[t][h]);
}

INLINE void multiply(int32_t type, int direct, const uint8_t *p, const panel *w, const packed *x, int tokens,
                     int blocks, float *acc) {
    if (ck_interleaving_of(type).columns == 256)
        multiply256(type, direct, p, w, x, tokens, acc);
    else
        multiply32(type, direct, p, w, x, tokens, blocks, acc);
}

INLINE int blocks_of(int64_t k, int64_t chunk) { return k - 256 * chunk < 256 ? (int)(k / 32 - 8 * chunk) : 8; }

INLINE void direct(int32_t type, const uint8_t *tile, int64_t k, const packed *x, int tokens, float *acc) {
    EACH_TOKEN HALVES _mm256_storeu_ps(acc + 16 * t + 8 * h, _mm256_setzero_ps());
    for (int64_t chunk = 0; 256 * chunk < k; ++chunk, x += tokens) {
        panel w;
        int blocks = blocks_of(k, chunk);
        factors(type, tile, chunk, blocks, &w);
        multiply(type, 1, chunk_start(type, tile, chunk), &w, x, tokens, blocks, acc);
    }
}

INLINE void unpack(int32_t type, const uint8_t *p, int blocks, panel *w) {
    if (type == CK_Q8_0) return;
    const ck_interleaving layout = ck_interleaving_of(type);
    if (layout.columns == 256) {
        UNROLL
        for (int g = 0; g < 64; ++g) HALVES w->q[g][h] = group256(type, p, g, h);
    } else {
        for (int b = 0; b < blocks; ++b) {
            UNROLL
            for (int g = 0; g < 8; ++g) HALVES
            w->q[8 * b + g][h] = group32(type, p + 64 * (layout.words * b + b / 2), g, h);
        }
    }
}

// A chunk of activations for weights that are stored with z added.
INLINE void pack(int32_t type, const uint8_t *act, int64_t k, int64_t chunk, int blocks, packed *x) {
    if (ck_interleaving_of(type).columns == 256) {
        memcpy(x->q, act + 256 * chunk, 256);
        memcpy(x->scale, act + ck_act256_scale(k) + 4 * chunk, 4);
        if (type != CK_Q6_K) {
            memcpy(x->pairs, act + ck_act256_sum32(k) + 16 * chunk, 16);
            return;
        }
    } else {
        memcpy(x->q, act + 256 * chunk, (size_t)blocks * 32);
        memcpy(x->scale, act + ck_act32_scale(k) + 32 * chunk, (size_t)blocks * 4);
        if (type == CK_Q8_0) return;
    }
    const __m256i z = _mm256_set1_epi16(type == CK_Q6_K ? -32 : type == CK_Q5_0 ? -16 : -8);
    for (int b = 0; b < blocks; ++b) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(x->q + 32 * b));
        v = _mm256_mullo_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), v), z);
        v = _mm256_add_epi16(v, _mm256_shuffle_epi32(v, 0x4e));
        v = _mm256_add_epi16(v, _mm256_shuffle_epi32(v, 0xb1));
        __m128i low = _mm256_castsi256_si128(v), high = _mm256_extracti128_si256(v, 1);
        if (type == CK_Q6_K) {
            _mm_storeu_si32(x->pairs[2 * b], low);
            _mm_storeu_si32(x->pairs[2 * b + 1], high);
        } else {
            _mm_storeu_si32(x->pairs[b], _mm_add_epi16(low, high));
        }
    }
}

#define STEPS(type, n)                                                                                                 \
    static __attribute__((noinline)) void direct_##type##_##n(const uint8_t *tile, int64_t k, const packed *x,         \
                                                              float *acc) {                                            \
        direct(CK_##type, tile, k, x, n, acc);                                                                         \
    }                                                                                                                  \
    static __attribute__((noinline)) void step_##type##_##n(const uint8_t *p, const panel *w, const packed *x,         \
                                                            int blocks, float *acc) {                                  \
        multiply(CK_##type, 0, p, w, x, n, blocks, acc);                                                               \
    }

#define KIND(name, type)                                                                                               \
    STEPS(type, 1)                                                                                                     \
    STEPS(type, 2)                                                                                                     \
    STEPS(type, 3)                                                                                                     \
    STEPS(type, 4)                                                                                                     \
    STEPS(type, 5)                                                                                                     \
    STEPS(type, 6)                                                                                                     \
    static void few_##name(const uint8_t *tile, int64_t k, const void *rows, int tokens, float *acc) {                 \
        static void (*const direct[])(const uint8_t *, int64_t, const packed *,                                        \
                                      float *) = {direct_##type##_1, direct_##type##_2, direct_##type##_3,             \
                                                  direct_##type##_4, direct_##type##_5, direct_##type##_6};            \
        static void (*const step[])(const uint8_t *, const panel *, const packed *, int, float *) = {                  \
            step_##type##_1, step_##type##_2, step_##type##_3, step_##type##_4, step_##type##_5, step_##type##_6};     \
        const packed *x = rows;                                                                                        \
        if (tokens <= DIRECT) {                                                                                        \
            direct[tokens - 1](tile, k, x, acc);                                                                       \
            return;                                                                                                    \
        }                                                                                                              \
        memset(acc, 0, (size_t)tokens * 64);                                                                           \
        int passes = (tokens + STEP - 1) / STEP;                                                                       \
        for (int64_t chunk = 0; 256 * chunk < k; ++chunk, x += tokens) {                                               \
            panel w;                                                                                                   \
            int blocks = blocks_of(k, chunk);                                                                          \
            const uint8_t *p = chunk_start(CK_##type, tile, chunk);                                                    \
            factors(CK_##type, tile, chunk, blocks, &w);                                                               \
            unpack(CK_##type, p, blocks, &w);                                                                          \
            for (int pass = 0; pass < passes; ++pass) {                                                                \
                int t = tokens * pass / passes, end = tokens * (pass + 1) / passes;                                    \
                step[end - t - 1](p, &w, x + t, blocks, acc + 16 * t);                                                 \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void pack_##name(const uint8_t *act, int64_t k, int64_t chunk, int blocks, void *out) {                     \
        pack(CK_##type, act, k, chunk, blocks, out);                                                                   \
    }                                                                                                                  \
    const ck_tile_kind ck_kind_interleaved_##name##_avx2 = {                                                           \
        .act_format = CK_##type >= CK_Q4_K ? CK_ACT_Q8_256 : CK_ACT_Q8_32,                                             \
        .tile_tokens = TOKENS,                                                                                         \
        .packed_bytes = sizeof(packed),                                                                                \
        .pack = pack_##name,                                                                                           \
        .few = few_##name,                                                                                             \
        .finish = ck_finish_avx2,                                                                                      \
    };

KIND(q8_0, Q8_0)
KIND(q4_0, Q4_0)
KIND(q5_0, Q5_0)
KIND(q4_k, Q4_K)
KIND(q5_k, Q5_K)
KIND(q6_k, Q6_K)

#pragma clang attribute pop
#endif
