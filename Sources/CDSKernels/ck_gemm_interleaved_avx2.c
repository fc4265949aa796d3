// Products with interleaved weights on AVX2.
//
// Bound by the ports that multiply and by all vector ports together: `maddubs` and an addition per 32 products. A pair
// of products has 16 bits, and only a sum over several pairs is widened (and multiplied with its scale, in the same
// instruction), so what counts is how many pairs fit:
//     Q4_K          8 of 15 * 127 * 2 each
//     Q5_K          4 of 31 * 127 * 2
//     Q4_0 ... Q6_K whole blocks or sub-blocks, as |w| <= 32 * 16 columns / 4 * 127 once the offset z is taken off;
//                   w + z is multiplied, sums start at -z * Σ x and may wrap on the way
//     Q8_0          1 of 128 * 127 * 2, which is why Q8_0 reaches half of what the others do
// Sums of a block are exact, and blocks are added in the order of the tier's other kernels: the results are the same
// bits.
//
// A few rows unpack a block as they meet it, more rows share a panel of unpacked bytes.
#if defined(__x86_64__)
#include "ck_interleave.h"
#include "ck_repack.h"
#include "ck_tiers.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "ck_transpose_avx2.h"

enum {
    STEP = 4, // the most tokens whose sums are in registers at a time
    MOST = 48 // tokens between two readings of the weights
};

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define HALVES UNROLL for (int h = 0; h < 2; ++h) // rows 8 * h ...
#define EACH_TOKEN UNROLL for (int t = 0; t < tokens; ++t)

// Stop the compiler from adding in another order, and from keeping rare sums in registers: there are sixteen.
#define IN_REGISTER(x) __asm__("" : "+x"(x))
#define IN_MEMORY(x) __asm__("" : "+m"(x))

// A chunk of an activation row.
typedef struct chunk_row {
    int8_t q[256];
    float scale[8];       // per block of 32 columns, or one
    int16_t pairs[16][2]; // where sums start, for columns 0, 1 and 2, 3 of four; Q4_K, Q5_K: sums of 32 columns
} chunk_row;

// A chunk of sixteen weight rows.
typedef struct chunk_tile {
    __m256i q[64][2];         // unpacked bytes, Q8_0: |w|
    __m256i negative[64][2];  // Q8_0: where w < 0
    __m256i correction[8][2]; // Q8_0: the sum of those |w| per block
    __m256i scale[16][2];     // per sub-block, twice in 16 bits
    __m256i min[4][2];        // of two sub-blocks
    __m256 d[8][2], dmin[2];  // per block of 32 columns, or one
} chunk_tile;

INLINE __m256i word(const uint8_t *p, int w, int h) {
    return _mm256_loadu_si256((const __m256i *)(p + 64 * w + 32 * h));
}

INLINE __m256i masked(__m256i x, int mask) { return _mm256_and_si256(x, _mm256_set1_epi8((char)mask)); }

// Bits `by` places up, or down; those of other bytes that come along are to be masked.
INLINE __m256i moved(__m256i x, int by) { return by >= 0 ? _mm256_slli_epi16(x, by) : _mm256_srli_epi16(x, -by); }

INLINE __m256 half_floats(const uint8_t *p, int h) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 16 * h)));
}

// Four columns of eight rows as bytes: group g of the block of 32 columns at `p`.
INLINE __m256i group32(int32_t type, const uint8_t *p, int g, int h) {
    if (type == CK_Q8_0) return word(p, g, h);
    __m256i q = masked(moved(word(p, g % 4 + (type == CK_Q5_0), h), g / 4 * -4), 15);
    return type == CK_Q4_0 ? q : _mm256_or_si256(q, masked(moved(word(p, 0, h), 4 - g), 16));
}

// Group g of the block of 256 columns at `p`.
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

// Bytes a and b of every word of x as 16-bit numbers, in their high halves if `high`.
INLINE __m256i two_bytes(__m256i x, int a, int b, int high) {
    int pattern = high ? 0x00800080 | a << 8 | b << 24 : (int)0x80008000 | a | b << 16;
    __m128i each = _mm_or_si128(_mm_set1_epi32(pattern), _mm_setr_epi32(0, 0x04040404, 0x08080808, 0x0c0c0c0c));
    return _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(each));
}

INLINE void factors256(int32_t type, const uint8_t *p, const uint8_t *halves, int h, chunk_tile *w) {
    if (type == CK_Q6_K) {
        UNROLL
        for (int s = 0; s < 16; ++s)
            w->scale[s][h] = _mm256_srai_epi16(two_bytes(word(p, s / 4, h), s % 4, s % 4, 1), 8);
        w->d[0][h] = half_floats(halves, h);
        return;
    }
    __m256i a = word(p, 1, h), b = word(p, 2, h), c = word(p, 3, h);
    __m256i scale[2] = {masked(a, 63), _mm256_or_si256(masked(c, 15), masked(moved(a, -2), 48))};
    __m256i min[2] = {masked(b, 63), _mm256_or_si256(masked(moved(c, -4), 15), masked(moved(b, -2), 48))};
    UNROLL
    for (int s = 0; s < 8; ++s) w->scale[s][h] = two_bytes(scale[s / 4], s % 4, s % 4, 0);
    UNROLL
    for (int i = 0; i < 4; ++i) w->min[i][h] = two_bytes(min[i / 2], i % 2 * 2, i % 2 * 2 + 1, 0);
    __m256i d = word(p, 0, h), low = _mm256_and_si256(d, _mm256_set1_epi32(0xffff));
    d = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, _mm256_srli_epi32(d, 16)), 0xd8);
    w->d[0][h] = _mm256_cvtph_ps(_mm256_castsi256_si128(d));
    w->dmin[h] = _mm256_cvtph_ps(_mm256_extracti128_si256(d, 1));
}

INLINE void factors(int32_t type, const uint8_t *tile, int64_t chunk, int blocks, chunk_tile *w) {
    const ck_interleaving layout = ck_interleaving_of(type);
    const uint8_t *p = tile + ck_interleaved_block(layout, chunk);
    HALVES {
        if (layout.columns == 256) factors256(type, p, tile + ck_interleaved_half(layout, chunk), h, w);
        for (int b = 0; layout.columns == 32 && b < blocks; ++b)
            w->d[b][h] = half_floats(tile + ck_interleaved_half(layout, 8 * chunk + b), h);
    }
}

// The block of 32 columns `b` of a chunk.
INLINE const uint8_t *block32(int32_t type, const uint8_t *p, int b) {
    return p + 64 * (ck_interleaving_of(type).words * b + b / 2);
}

INLINE void unpack(int32_t type, const uint8_t *p, int blocks, chunk_tile *w) {
    if (ck_interleaving_of(type).columns == 256) {
        UNROLL
        for (int g = 0; g < 64; ++g) HALVES w->q[g][h] = group256(type, p, g, h);
        return;
    }
    for (int b = 0; b < blocks; ++b) {
        __m256i sum[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
        UNROLL
        for (int g = 0; g < 8; ++g) {
            HALVES {
                __m256i q = group32(type, block32(type, p, b), g, h);
                if (type == CK_Q8_0) {
                    __m256i negative = _mm256_cmpgt_epi8(_mm256_setzero_si256(), q);
                    q = _mm256_abs_epi8(q);
                    __m256i pairs = _mm256_maddubs_epi16(_mm256_and_si256(q, negative), _mm256_set1_epi8(1));
                    sum[h] = _mm256_add_epi16(sum[h], pairs);
                    w->negative[8 * b + g][h] = negative;
                }
                w->q[8 * b + g][h] = q;
            }
        }
        if (type == CK_Q8_0) HALVES w->correction[b][h] = _mm256_madd_epi16(sum[h], _mm256_set1_epi16(1));
    }
}

// Part i of eight of what comes next: the activations, and `bytes` of weights at `ahead`.
INLINE void prefetch(const chunk_row *x, int tokens, int i, const uint8_t *ahead, int bytes) {
    if (tokens < 3) return;
    EACH_TOKEN _mm_prefetch((const char *)(x + tokens + t) + 64 * i, _MM_HINT_T0);
    for (int line = 0; line < bytes / 8; line += 64)
        _mm_prefetch((const char *)ahead + bytes / 8 * i + line, _MM_HINT_T0);
}

// acc[t] += a chunk of the tile · x[t], for blocks of 256 columns.
INLINE void multiply256(int32_t type, int panel, const uint8_t *p, const chunk_tile *w, const chunk_row *x, int tokens,
                        const uint8_t *ahead, float *acc) {
    const int subs = type == CK_Q6_K ? 16 : 8, groups = 64 / subs, chain = type == CK_Q4_K ? 8 : 4;
    const int unrolled = panel || type == CK_Q4_K ? 2 : 8; // sub-blocks: as many as take constant shifts
    __m256i total[STEP][2];
    EACH_TOKEN HALVES total[t][h] = _mm256_setzero_si256();
    // The high bits of Q5_K, once in order: the processor does not follow their turns with the low bits (one row: 8
    // GB/s).
    for (int i = 4; type == CK_Q5_K && !panel && i < 12; ++i) _mm_prefetch((const char *)p + 64 * i, _MM_HINT_T0);
    for (int first = 0; first < subs; first += unrolled) {
        const uint8_t *here = type == CK_Q4_K ? p + 64 * 4 * first : type == CK_Q6_K ? p + 64 * 3 * first : p;
        UNROLL
        for (int u = 0; u < unrolled; ++u) {
            int s = first + u;
            if (u % (subs / 8) == 0) prefetch(x, tokens, s / (subs / 8), ahead, 64 * ck_interleaving_of(type).words);
            __m256i part[STEP][2];
            UNROLL
            for (int i = 0; i < groups; ++i) {
                __m256i q[2];
                HALVES q[h] = panel ? w->q[groups * s + i][h] : group256(type, here, groups * u + i, h);
                EACH_TOKEN {
                    __m256i four = broadcast4(x[t].q + 4 * (groups * s + i));
                    HALVES {
                        __m256i products = _mm256_maddubs_epi16(q[h], four);
                        if (i % chain) {
                            part[t][h] = _mm256_add_epi16(part[t][h], products);
                        } else {
                            part[t][h] = products;
                            if (type == CK_Q6_K) part[t][h] = _mm256_add_epi16(products, broadcast4(x[t].pairs[s]));
                        }
                        IN_REGISTER(part[t][h]);
                        if (i % chain == chain - 1) {
                            __m256i scaled = _mm256_madd_epi16(part[t][h], w->scale[s][h]);
                            total[t][h] = _mm256_add_epi32(total[t][h], scaled);
                            if (tokens > 3) IN_MEMORY(total[t][h]);
                        }
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

// sum + the products of four columns of Q8_0. The negative weights of a panel meet -x - 1, hence `correction`.
INLINE __m256i dot_q8_0(__m256i sum, int panel, __m256i q, __m256i negative, __m256i x) {
    if (!panel) return dot_signed(sum, q, x);
    return dot_unsigned(sum, q, _mm256_xor_si256(x, negative));
}

// The same for blocks of 32 columns.
INLINE void multiply32(int32_t type, int panel, const uint8_t *p, const chunk_tile *w, const chunk_row *x, int tokens,
                       int blocks, const uint8_t *ahead, float *acc) {
    const __m256i zero = _mm256_setzero_si256(), ones = _mm256_set1_epi16(1);
    __m256 sum[STEP][2];
    EACH_TOKEN HALVES sum[t][h] = _mm256_loadu_ps(acc + 16 * t + 8 * h);
    for (int b = 0; b < blocks; ++b) {
        prefetch(x, tokens, b, ahead, 64 * (8 * ck_interleaving_of(type).words + 4));
        __m256i part[STEP][2];
        UNROLL
        for (int i = 0; i < 8; ++i) {
            int g = 8 * b + i;
            __m256i q[2];
            HALVES q[h] = panel ? w->q[g][h] : group32(type, block32(type, p, b), i, h);
            EACH_TOKEN {
                __m256i four = broadcast4(x[t].q + 4 * g);
                HALVES {
                    if (type == CK_Q8_0) {
                        __m256i start = i ? part[t][h] : panel ? w->correction[b][h] : zero;
                        part[t][h] = dot_q8_0(start, panel, q[h], panel ? w->negative[g][h] : zero, four);
                    } else {
                        __m256i start = i ? part[t][h] : broadcast4(x[t].pairs[b]);
                        part[t][h] = _mm256_add_epi16(start, _mm256_maddubs_epi16(q[h], four));
                    }
                    IN_REGISTER(part[t][h]);
                }
            }
        }
        EACH_TOKEN HALVES {
            __m256i dot = type == CK_Q8_0 ? part[t][h] : _mm256_madd_epi16(part[t][h], ones);
            __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(dot), _mm256_set1_ps(x[t].scale[b]));
            sum[t][h] = _mm256_fmadd_ps(scaled, w->d[b][h], sum[t][h]);
            if (tokens > 3) IN_MEMORY(sum[t][h]);
        }
    }
    EACH_TOKEN HALVES _mm256_storeu_ps(acc + 16 * t + 8 * h, sum[t][h]);
}

INLINE void pack(int32_t type, const uint8_t *act, int64_t k, int64_t chunk, int blocks, chunk_row *x) {
    memcpy(x->q, act + 256 * chunk, 32 * (size_t)blocks);
    if (type == CK_Q4_K || type == CK_Q5_K) memcpy(x->pairs, act + ck_act256_sum32(k) + 16 * chunk, 16);
    if (ck_interleaving_of(type).columns == 256)
        memcpy(x->scale, act + ck_act256_scale(k) + 4 * chunk, 4);
    else
        memcpy(x->scale, act + ck_act32_scale(k) + 32 * chunk, 4 * (size_t)blocks);
    int z = type == CK_Q4_0 ? 8 : type == CK_Q5_0 ? 16 : type == CK_Q6_K ? 32 : 0;
    for (int b = 0; z && b < blocks; ++b) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(x->q + 32 * b));
        v = _mm256_mullo_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), v), _mm256_set1_epi16((short)-z));
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

typedef void multiply(const uint8_t *p, const chunk_tile *w, const chunk_row *x, int blocks, const uint8_t *ahead,
                      float *acc);

// acc[t] = all columns of the tile · activation row t; x [ceil(k / 256)][tokens].
INLINE void few(int32_t type, multiply *const functions[2][STEP], const uint8_t *tile, int64_t k, const chunk_row *x,
                int tokens, float *acc) {
    const ck_interleaving layout = ck_interleaving_of(type);
    const int per_chunk = 256 / layout.columns,
              panel = tokens >= (type == CK_Q4_0 || type == CK_Q4_K ? 20 : 7); // measured
    const int passes = (tokens + STEP - 1) / STEP;
    memset(acc, 0, (size_t)tokens * 64);
    for (int64_t chunk = 0; chunk * 256 < k; ++chunk, x += tokens) {
        chunk_tile w;
        const uint8_t *p = tile + ck_interleaved_block(layout, chunk * per_chunk);
        const uint8_t *next = tile + ck_interleaved_block(layout, (chunk + 1) * per_chunk);
        int blocks = k - chunk * 256 < 256 ? (int)(k / 32 - chunk * 8) : 8;
        factors(type, tile, chunk, blocks, &w);
        if (panel) unpack(type, p, blocks, &w);
        for (int pass = 0; pass < passes; ++pass) {
            int t = (tokens * pass + passes - 1) / passes, end = (tokens * (pass + 1) + passes - 1) / passes;
            functions[panel][end - t - 1](p, &w, x + t, blocks, pass ? p : next, acc + 16 * t);
        }
    }
}

#define MULTIPLY(width, type, panel, n)                                                                                \
    static __attribute__((noinline)) void multiply_##type##_##panel##_##n(                                             \
        const uint8_t *p, const chunk_tile *w, const chunk_row *x, int blocks, const uint8_t *ahead, float *acc) {     \
        MULTIPLY##width(CK_##type, panel, p, w, x, n, blocks, ahead, acc);                                             \
    }
#define MULTIPLY256(type, panel, p, w, x, n, blocks, ahead, acc)                                                       \
    (void)blocks, multiply256(type, panel, p, w, x, n, ahead, acc)
#define MULTIPLY32(type, panel, p, w, x, n, blocks, ahead, acc) multiply32(type, panel, p, w, x, n, blocks, ahead, acc)
#define EACH(width, type, panel)                                                                                       \
    MULTIPLY(width, type, panel, 1)                                                                                    \
    MULTIPLY(width, type, panel, 2)                                                                                    \
    MULTIPLY(width, type, panel, 3)                                                                                    \
    MULTIPLY(width, type, panel, 4)
#define NAMES(type, panel)                                                                                             \
    {                                                                                                                  \
        multiply_##type##_##panel##_1, multiply_##type##_##panel##_2, multiply_##type##_##panel##_3,                   \
            multiply_##type##_##panel##_4                                                                              \
    }

#define KIND(name, width, type)                                                                                        \
    EACH(width, type, 0)                                                                                               \
    EACH(width, type, 1)                                                                                               \
    static void few_##name(const uint8_t *tile, int64_t k, const void *x, int tokens, float *acc) {                    \
        static multiply *const functions[2][STEP] = {NAMES(type, 0), NAMES(type, 1)};                                  \
        few(CK_##type, functions, tile, k, x, tokens, acc);                                                            \
    }                                                                                                                  \
    static void pack_##name(const uint8_t *act, int64_t k, int64_t chunk, int blocks, void *x) {                       \
        pack(CK_##type, act, k, chunk, blocks, x);                                                                     \
    }                                                                                                                  \
    const ck_tile_kind ck_kind_interleaved_##name##_avx2 = {                                                           \
        .act_format = width == 32 ? CK_ACT_Q8_32 : CK_ACT_Q8_256,                                                      \
        .tile_tokens = MOST,                                                                                           \
        .packed_bytes = sizeof(chunk_row),                                                                             \
        .pack = pack_##name,                                                                                           \
        .few = few_##name,                                                                                             \
        .finish = ck_finish_avx2,                                                                                      \
    };

KIND(q8_0, 32, Q8_0)
KIND(q4_0, 32, Q4_0)
KIND(q5_0, 32, Q5_0)
KIND(q4_k, 256, Q4_K)
KIND(q5_k, 256, Q5_K)
KIND(q6_k, 256, Q6_K)

#pragma clang attribute pop
#endif
