// Products with interleaved weights on AVX-512 VNNI. Nothing is transposed, so a few activation rows cost what their
// dot products cost, and one row what reading the weights costs. Sums are added in the order of the other integer
// kernels: results are bit for bit the same.
#if defined(__x86_64__)
#include "ck_interleave.h"
#include "ck_interleaved_kinds.h"
#include "ck_repack.h"
#include "ck_tiers.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))),   \
                             apply_to = function)

// The processor's own prefetching serves a few rows best; where arithmetic takes longer than reading, it comes too late
// at page borders. Measured on Zen 4, one core, 8 rows: Q4_K 9.7 -> 11.6 GB/s, Q6_K 11.4 -> 13.2; 1-4 rows lose a
// tenth.
enum { AHEAD_TOKENS = 6, AHEAD = 3072 };

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

INLINE __m512i broadcast4(const void *p) {
    int32_t word;
    memcpy(&word, p, 4);
    return _mm512_set1_epi32(word);
}

INLINE __m512 halves(const uint8_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }

// Four columns of sixteen rows as unsigned bytes: group g of the words at `p`.
INLINE __m512i group32(int32_t type, const uint8_t *p, int g) {
    if (type == CK_Q8_0) return _mm512_xor_si512(_mm512_loadu_si512(p + 64 * g), _mm512_set1_epi8((char)128));
    __m512i q = _mm512_loadu_si512(p + 64 * (g % 4 + (type == CK_Q5_0)));
    if (g / 4) q = _mm512_srli_epi16(q, 4);
    q = _mm512_and_si512(q, _mm512_set1_epi8(15));
    if (type == CK_Q4_0) return _mm512_add_epi8(q, _mm512_set1_epi8(120));
    __m512i high = _mm512_and_si512(_mm512_srli_epi16(_mm512_loadu_si512(p), (unsigned)g), _mm512_set1_epi8(1));
    return _mm512_add_epi8(_mm512_or_si512(q, _mm512_slli_epi16(high, 4)), _mm512_set1_epi8(112));
}

// Q4_K and Q5_K: group i of sub-block 2 * pair + odd.
INLINE __m512i group_k4(int32_t type, const uint8_t *p, int pair, int odd, int i) {
    __m512i q = _mm512_loadu_si512(p + 64 * ((type == CK_Q5_K ? 12 : 4) + 8 * pair + i));
    if (odd) q = _mm512_srli_epi16(q, 4);
    q = _mm512_and_si512(q, _mm512_set1_epi8(15));
    if (type == CK_Q4_K) return q;
    // Bit s of byte l belongs to sub-block s, column l.
    __m512i high = _mm512_srl_epi16(_mm512_loadu_si512(p + 64 * (4 + i)), _mm_cvtsi32_si128(2 * pair + odd));
    return _mm512_or_si512(q, _mm512_slli_epi16(_mm512_and_si512(high, _mm512_set1_epi8(1)), 4));
}

// Q6_K: group i of quarter `quarter` of half n of the columns.
INLINE __m512i group_q6_k(const uint8_t *p, int n, int quarter, int i) {
    const uint8_t *half = p + 64 * (4 + 24 * n);
    __m512i q = _mm512_loadu_si512(half + 64 * (quarter % 2 ? 16 + i : 2 * i));
    __m512i high = _mm512_loadu_si512(half + 64 * (2 * i + 1));
    if (quarter / 2) q = _mm512_srli_epi16(q, 4);
    high = quarter == 0   ? _mm512_slli_epi16(high, 4)
           : quarter == 1 ? _mm512_slli_epi16(high, 2)
           : quarter == 2 ? high
                          : _mm512_srli_epi16(high, 2);
    return _mm512_or_si512(_mm512_and_si512(q, _mm512_set1_epi8(15)), _mm512_and_si512(high, _mm512_set1_epi8(48)));
}

// The factors of a super-block, a lane per row.
typedef struct factors {
    __m512i scale[4]; // four bytes, those of sub-blocks 4 i ... 4 i + 3
    __m512i min[8];   // pairs of 16-bit mins of neighbouring sub-blocks
    __m512 d, dmin;
} factors;

INLINE void load_factors(int32_t type, const uint8_t *p, const uint8_t *half, factors *f) {
    if (type == CK_Q6_K) {
        UNROLL
        for (int i = 0; i < 4; ++i) f->scale[i] = _mm512_loadu_si512(p + 64 * i);
        UNROLL
        for (int s = 0; s < 8; ++s) { // 32 * scale of sub-blocks 2 s and 2 s + 1
            __m512i pair = _mm512_srli_epi32(f->scale[s / 2], (unsigned)(s % 2 * 16));
            __m512i even = _mm512_srai_epi32(_mm512_slli_epi32(pair, 24), 19);
            __m512i odd = _mm512_slli_epi32(_mm512_srai_epi32(_mm512_slli_epi32(pair, 16), 24), 21);
            f->min[s] = _mm512_or_si512(_mm512_and_si512(even, _mm512_set1_epi32(0xffff)), odd);
        }
        f->d = f->dmin = halves(half);
        return;
    }
    __m512i h[4];
    UNROLL
    for (int i = 0; i < 4; ++i) h[i] = _mm512_loadu_si512(p + 64 * i);
    const __m512i low6 = _mm512_set1_epi32(0x3f3f3f3f), low4 = _mm512_set1_epi32(0x0f0f0f0f),
                  top2 = _mm512_set1_epi32(0x30303030);
    __m512i min[2];
    f->scale[0] = _mm512_and_si512(h[1], low6);
    min[0] = _mm512_and_si512(h[2], low6);
    f->scale[1] = _mm512_or_si512(_mm512_and_si512(h[3], low4), _mm512_and_si512(_mm512_srli_epi32(h[1], 2), top2));
    min[1] = _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi32(h[3], 4), low4),
                             _mm512_and_si512(_mm512_srli_epi32(h[2], 2), top2));
    const __m512i first = _mm512_set1_epi32(0xff), second = _mm512_set1_epi32(0xff0000);
    UNROLL
    for (int i = 0; i < 4; ++i) {
        __m512i x = i % 2 ? _mm512_srli_epi32(min[i / 2], 16) : min[i / 2];
        f->min[i] = _mm512_or_si512(_mm512_and_si512(x, first), _mm512_and_si512(_mm512_slli_epi32(x, 8), second));
    }
    f->d = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(h[0]));
    f->dmin = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(h[0], 16)));
}

// The scale of sub-block s, which is byte s % 4 of `word`.
INLINE __m512i sub_scale(int32_t type, __m512i word, int s) {
    if (type == CK_Q6_K) return _mm512_srai_epi32(_mm512_sll_epi32(word, _mm_cvtsi32_si128(24 - s % 4 * 8)), 24);
    return _mm512_and_si512(_mm512_srl_epi32(word, _mm_cvtsi32_si128(s % 4 * 8)), _mm512_set1_epi32(255));
}

// total[t] += scale * Σ of one sub-block of `groups` groups w from column 4 * first on.
#define SUB_BLOCK(groups, first, weights, scale)                                                                       \
    {                                                                                                                  \
        __m512i part[12];                                                                                              \
        UNROLL                                                                                                         \
        for (int t = 0; t < tokens; ++t) part[t] = _mm512_setzero_si512();                                             \
        UNROLL                                                                                                         \
        for (int i = 0; i < (groups); ++i) {                                                                           \
            if (tokens >= AHEAD_TOKENS)                                                                                \
                _mm_prefetch((const char *)p + ((first) + i) * layout.words + AHEAD, _MM_HINT_T0);                     \
            __m512i w = weights;                                                                                       \
            UNROLL                                                                                                     \
            for (int t = 0; t < tokens; ++t)                                                                           \
                part[t] = _mm512_dpbusd_epi32(part[t], w, broadcast4(x[t].q + 4 * ((first) + i)));                     \
        }                                                                                                              \
        __m512i factor = scale;                                                                                        \
        UNROLL                                                                                                         \
        for (int t = 0; t < tokens; ++t) total[t] = _mm512_add_epi32(total[t], _mm512_mullo_epi32(part[t], factor));   \
    }

// acc[t] = all columns of the tile · activation row t, for super-blocks of 256 columns; x [k / 256][tokens].
INLINE void few256(int32_t type, const uint8_t *tile, int64_t k, const ck_packed256 *x, int tokens, float *acc) {
    const ck_interleaving layout = ck_interleaving_of(type);
    const int subs = type == CK_Q6_K ? 16 : 8;
    UNROLL
    for (int t = 0; t < tokens; ++t) _mm512_storeu_ps(acc + 16 * t, _mm512_setzero_ps());
    for (int64_t b = 0; b < k / 256; ++b, x += tokens) {
        const uint8_t *p = tile + ck_interleaved_block(layout, b);
        factors f;
        load_factors(type, p, tile + ck_interleaved_half(layout, b), &f);
        __m512i total[12];
        UNROLL
        for (int t = 0; t < tokens; ++t) total[t] = _mm512_setzero_si512();
        if (type == CK_Q6_K) {
            for (int n = 0; n < 2; ++n) {
                UNROLL
                for (int s = 0; s < 8; ++s)
                    SUB_BLOCK(4, 32 * n + 4 * s, group_q6_k(p, n, s / 2, s % 2 * 4 + i),
                              sub_scale(type, f.scale[2 * n + s / 4], s))
            }
        } else {
            for (int pair = 0; pair < 4; ++pair) {
                SUB_BLOCK(8, 16 * pair, group_k4(type, p, pair, 0, i), sub_scale(type, f.scale[pair / 2], 2 * pair))
                SUB_BLOCK(8, 16 * pair + 8, group_k4(type, p, pair, 1, i),
                          sub_scale(type, f.scale[pair / 2], 2 * pair + 1))
            }
        }
        UNROLL
        for (int t = 0; t < tokens; ++t) {
            const int16_t *sums = subs == 16 ? x[t].sum16 : x[t].sum32;
            __m512i offset = _mm512_setzero_si512();
            UNROLL
            for (int s = 0; s < subs / 2; ++s) offset = _mm512_dpwssd_epi32(offset, f.min[s], broadcast4(sums + 2 * s));
            __m512 scale = _mm512_set1_ps(x[t].scale), sum = _mm512_loadu_ps(acc + 16 * t);
            if (type == CK_Q6_K) {
                __m512 both = _mm512_cvtepi32_ps(_mm512_sub_epi32(total[t], offset));
                sum = _mm512_fmadd_ps(both, _mm512_mul_ps(f.d, scale), sum);
            } else {
                sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(total[t]), _mm512_mul_ps(f.d, scale), sum);
                sum = _mm512_fnmadd_ps(_mm512_cvtepi32_ps(offset), _mm512_mul_ps(f.dmin, scale), sum);
            }
            _mm512_storeu_ps(acc + 16 * t, sum);
        }
    }
}

// The same for blocks of 32 columns; x [ceil(k / 256)][tokens].
INLINE void few32(int32_t type, const uint8_t *tile, int64_t k, const ck_packed32 *x, int tokens, float *acc) {
    const ck_interleaving layout = ck_interleaving_of(type);
    __m512 sum[12];
    UNROLL
    for (int t = 0; t < tokens; ++t) sum[t] = _mm512_setzero_ps();
    for (int64_t chunk = 0; chunk < k / 32; chunk += 8, x += tokens) {
        int blocks = k / 32 - chunk < 8 ? (int)(k / 32 - chunk) : 8;
        for (int b = 0; b < blocks; ++b) {
            const uint8_t *p = tile + ck_interleaved_block(layout, chunk + b);
            __m512i dot[12];
            UNROLL
            for (int t = 0; t < tokens; ++t) dot[t] = _mm512_set1_epi32(x[t].bias128[b]);
            UNROLL
            for (int i = 0; i < 8; ++i) {
                if (tokens >= AHEAD_TOKENS)
                    _mm_prefetch((const char *)p + 64 * (i % layout.words) + AHEAD, _MM_HINT_T0);
                __m512i w = group32(type, p, i);
                UNROLL
                for (int t = 0; t < tokens; ++t)
                    dot[t] = _mm512_dpbusd_epi32(dot[t], w, broadcast4(x[t].q + 32 * b + 4 * i));
            }
            __m512 scale = halves(tile + ck_interleaved_half(layout, chunk + b));
            UNROLL
            for (int t = 0; t < tokens; ++t) {
                __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(dot[t]), _mm512_set1_ps(x[t].scale[b]));
                sum[t] = _mm512_fmadd_ps(scaled, scale, sum[t]);
            }
        }
    }
    UNROLL
    for (int t = 0; t < tokens; ++t) _mm512_storeu_ps(acc + 16 * t, sum[t]);
}

#define TOKENS(width, type, n)                                                                                         \
    static __attribute__((noinline)) void few##width##_##type##_##n(const uint8_t *tile, int64_t k, const void *x,     \
                                                                    float *acc) {                                      \
        few##width(CK_##type, tile, k, x, n, acc);                                                                     \
    }
#define CASE(width, type, n)                                                                                           \
    case n:                                                                                                            \
        few##width##_##type##_##n(tile, k, x, acc);                                                                    \
        break;
#define EACH(macro, width, type)                                                                                       \
    macro(width, type, 1) macro(width, type, 2) macro(width, type, 3) macro(width, type, 4) macro(width, type, 5)      \
        macro(width, type, 6) macro(width, type, 7) macro(width, type, 8) macro(width, type, 9) macro(width, type, 10) \
            macro(width, type, 11) macro(width, type, 12)

#define KIND(name, width, type)                                                                                        \
    EACH(TOKENS, width, type)                                                                                          \
    static void few_##name(const uint8_t *tile, int64_t k, const void *x, int tokens, float *acc) {                    \
        switch (tokens) {                                                                                              \
            EACH(CASE, width, type)                                                                                    \
        default:                                                                                                       \
            break;                                                                                                     \
        }                                                                                                              \
    }                                                                                                                  \
    const ck_tile_kind ck_kind_interleaved_##name##_avx512 = {                                                         \
        .act_format = width == 32 ? CK_ACT_Q8_32 : CK_ACT_Q8_256,                                                      \
        .tile_tokens = 12,                                                                                             \
        .packed_bytes = sizeof(ck_packed##width),                                                                      \
        .pack = ck_pack##width,                                                                                        \
        .few = few_##name,                                                                                             \
        .finish = ck_finish_avx512,                                                                                    \
    };

CK_EACH_INTERLEAVED(KIND)

#pragma clang attribute pop
#endif
