// Products with weights in super-blocks of 256 columns (Q2_K ... Q6_K, IQ4_XS) on AVX-512 VNNI.
//
// Sub-block sums are scaled and added as integers, so one super-block costs one float operation per output and every
// order of adding inside it is exact. multiply is bound by vpdpbusd (64 per super-block, row tile and token).
// Measured on a busy Zen 4 core: 300 of 470 GOP/s (Q4_K), 255 (Q6_K); one activation row 12-17 GB/s.
#if defined(__x86_64__)
#include "ck_tiers.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))),   \
                             apply_to = function)

#include "ck_decode_x86.h"
#include "ck_transpose_avx512.h"

static inline __m512i broadcast4(const void *p) {
    int32_t word;
    memcpy(&word, p, 4);
    return _mm512_set1_epi32(word);
}

// Adds one super-block: total - offset as one integer when both have the same factor (`joined`), else as two.
static inline __m512 add_block(__m512 sum, __m512i total, __m512i offset, __m512 d, __m512 dmin, float scale,
                               int joined) {
    __m512 x = _mm512_set1_ps(scale);
    if (joined) return _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(total, offset)), _mm512_mul_ps(d, x), sum);
    sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(total), _mm512_mul_ps(d, x), sum);
    return _mm512_fnmadd_ps(_mm512_cvtepi32_ps(offset), _mm512_mul_ps(dmin, x), sum);
}

// subs: sub-blocks per super-block, 8 or 16.
static inline __attribute__((always_inline)) void multiply_tokens(const ck_panel256 *panel, const ck_packed256 *x,
                                                                  int tokens, int subs, int joined, float *acc) {
    __m512i total[12], part[12];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; ++t) total[t] = _mm512_setzero_si512();
    int groups = 64 / subs; // 4-byte groups per sub-block
    for (int s = 0; s < subs; ++s) {
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; ++t) part[t] = _mm512_setzero_si512();
#pragma clang loop unroll(full)
        for (int i = 0; i < groups; ++i) {
            __m512i w = _mm512_loadu_si512(panel->q[groups * s + i]);
#pragma clang loop unroll(full)
            for (int t = 0; t < tokens; ++t)
                part[t] = _mm512_dpbusd_epi32(part[t], w, broadcast4(x[t].q + 4 * (groups * s + i)));
        }
        __m512i scale = _mm512_loadu_si512(panel->scale[s]);
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; ++t) total[t] = _mm512_add_epi32(total[t], _mm512_mullo_epi32(part[t], scale));
    }
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; ++t) part[t] = _mm512_setzero_si512();
    for (int s = 0; s < subs / 2; ++s) {
        __m512i min = _mm512_loadu_si512(panel->min[s]);
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; ++t) {
            const int16_t *sums = subs == 16 ? x[t].sum16 : x[t].sum32;
            part[t] = _mm512_dpwssd_epi32(part[t], min, broadcast4(sums + 2 * s));
        }
    }
    __m512 d = _mm512_loadu_ps(panel->d), dmin = _mm512_loadu_ps(panel->dmin);
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; ++t) {
        __m512 sum = _mm512_loadu_ps(acc + 16 * t);
        _mm512_storeu_ps(acc + 16 * t, add_block(sum, total[t], part[t], d, dmin, x[t].scale, joined));
    }
}

static inline __attribute__((always_inline)) void multiply(const void *panel, const void *packed, int tokens, int subs,
                                                           int joined, float *acc) {
    switch (tokens) {
    case 1:
        multiply_tokens(panel, packed, 1, subs, joined, acc);
        break;
    case 2:
        multiply_tokens(panel, packed, 2, subs, joined, acc);
        break;
    case 3:
        multiply_tokens(panel, packed, 3, subs, joined, acc);
        break;
    case 4:
        multiply_tokens(panel, packed, 4, subs, joined, acc);
        break;
    case 5:
        multiply_tokens(panel, packed, 5, subs, joined, acc);
        break;
    case 6:
        multiply_tokens(panel, packed, 6, subs, joined, acc);
        break;
    case 7:
        multiply_tokens(panel, packed, 7, subs, joined, acc);
        break;
    case 8:
        multiply_tokens(panel, packed, 8, subs, joined, acc);
        break;
    case 9:
        multiply_tokens(panel, packed, 9, subs, joined, acc);
        break;
    case 10:
        multiply_tokens(panel, packed, 10, subs, joined, acc);
        break;
    case 11:
        multiply_tokens(panel, packed, 11, subs, joined, acc);
        break;
    case 12:
        multiply_tokens(panel, packed, 12, subs, joined, acc);
        break;
    default:
        break;
    }
}

static void multiply_8(const void *panel, const void *packed, int tokens, int blocks, float *acc) {
    (void)blocks;
    multiply(panel, packed, tokens, 8, 0, acc);
}

static void multiply_8_joined(const void *panel, const void *packed, int tokens, int blocks, float *acc) {
    (void)blocks;
    multiply(panel, packed, tokens, 8, 1, acc);
}

static void multiply_16(const void *panel, const void *packed, int tokens, int blocks, float *acc) {
    (void)blocks;
    multiply(panel, packed, tokens, 16, 0, acc);
}

static void multiply_16_joined(const void *panel, const void *packed, int tokens, int blocks, float *acc) {
    (void)blocks;
    multiply(panel, packed, tokens, 16, 1, acc);
}

// Row by row through decode256, then transposed.
static inline __attribute__((always_inline)) void unpack_rows(int32_t type, int subs, const ck_tile_rows *rows,
                                                              int64_t chunk, ck_panel256 *panel) {
    decoded256 block[16];
    int64_t size = ck_row_bytes(type, 256);
    for (int r = 0; r < 16; ++r) {
        decode256(type, rows->row[r] + chunk * size, &block[r]);
        for (int s = 0; s < subs; ++s) {
            panel->scale[s][r] = block[r].scale[s];
            panel->min[s / 2][r][s % 2] = type == CK_IQ4_XS ? (int16_t)(128 * block[r].scale[s]) : block[r].min[s];
        }
        panel->d[r] = block[r].d;
        panel->dmin[r] = block[r].dmin;
    }
    const __m512i bias = _mm512_set1_epi8(type == CK_IQ4_XS ? (char)128 : 0);
    for (int part = 0; part < 4; ++part) {
        __m512i x[16];
#pragma clang loop unroll(full)
        for (int r = 0; r < 16; ++r) x[r] = _mm512_xor_si512(_mm512_loadu_si512(block[r].q + 64 * part), bias);
        transpose16(x);
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; ++i) _mm512_storeu_si512(panel->q[16 * part + i], x[i]);
    }
}

// The 4-byte groups of 16 bytes at `offset` of sixteen rows: out[c] = group c of every row.
static inline __attribute__((always_inline)) void transpose_heads(const ck_tile_rows *rows, int64_t offset,
                                                                  __m512i out[4]) {
    __m512i x[4];
#pragma clang loop unroll(full)
    for (int j = 0; j < 4; ++j) { // rows j, 4 + j, 8 + j, 12 + j in the four lanes
        __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(rows->row[j] + offset)));
        v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(rows->row[j + 4] + offset)), 1);
        v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(rows->row[j + 8] + offset)), 2);
        x[j] = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(rows->row[j + 12] + offset)), 3);
    }
    __m512i a = _mm512_unpacklo_epi32(x[0], x[1]), b = _mm512_unpackhi_epi32(x[0], x[1]);
    __m512i c = _mm512_unpacklo_epi32(x[2], x[3]), d = _mm512_unpackhi_epi32(x[2], x[3]);
    out[0] = _mm512_unpacklo_epi64(a, c);
    out[1] = _mm512_unpackhi_epi64(a, c);
    out[2] = _mm512_unpacklo_epi64(b, d);
    out[3] = _mm512_unpackhi_epi64(b, d);
}

// Scales of Q4_K and Q5_K for sixteen rows at once; a lane is a row, its four bytes are four sub-blocks.
typedef struct k4_scales {
    __m512i scale[2], min[2]; // sub-blocks 0-3 and 4-7
    __m512 d, dmin;
} k4_scales;

static inline __attribute__((always_inline)) k4_scales load_k4_scales(const ck_tile_rows *rows, int64_t offset) {
    __m512i h[4];
    transpose_heads(rows, offset, h);
    k4_scales out;
    const __m512i low6 = _mm512_set1_epi32(0x3f3f3f3f), low4 = _mm512_set1_epi32(0x0f0f0f0f),
                  top2 = _mm512_set1_epi32(0x30303030);
    out.scale[0] = _mm512_and_si512(h[1], low6);
    out.min[0] = _mm512_and_si512(h[2], low6);
    out.scale[1] = _mm512_or_si512(_mm512_and_si512(h[3], low4), _mm512_and_si512(_mm512_srli_epi32(h[1], 2), top2));
    out.min[1] = _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi32(h[3], 4), low4),
                                 _mm512_and_si512(_mm512_srli_epi32(h[2], 2), top2));
    out.d = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(h[0]));
    out.dmin = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(h[0], 16)));
    return out;
}

// Mins as 16-bit pairs of sub-blocks (0, 1), (2, 3), (4, 5), (6, 7).
static inline __attribute__((always_inline)) void min_pairs(const k4_scales *s, __m512i pairs[4]) {
    const __m512i first = _mm512_set1_epi32(0xff), second = _mm512_set1_epi32(0xff0000);
    for (int i = 0; i < 2; ++i) {
        __m512i x = s->min[i], y = _mm512_srli_epi32(x, 16);
        pairs[2 * i] = _mm512_or_si512(_mm512_and_si512(x, first), _mm512_and_si512(_mm512_slli_epi32(x, 8), second));
        pairs[2 * i + 1] =
            _mm512_or_si512(_mm512_and_si512(y, first), _mm512_and_si512(_mm512_slli_epi32(y, 8), second));
    }
}

// Q4_K and Q5_K: the packed bytes are transposed first and split into nibbles afterwards.
static inline __attribute__((always_inline)) void unpack_k4(int five, const ck_tile_rows *rows, int64_t chunk,
                                                            ck_panel256 *panel) {
    int64_t base = chunk * (five ? 176 : 144), qs = base + (five ? 48 : 16);
    k4_scales scales = load_k4_scales(rows, base);
    __m512i pairs[4], high[16];
    min_pairs(&scales, pairs);
    for (int s = 0; s < 8; ++s) {
        __m512i value = _mm512_srl_epi32(scales.scale[s / 4], _mm_cvtsi32_si128(s % 4 * 8));
        _mm512_storeu_si512(panel->scale[s], _mm512_and_si512(value, _mm512_set1_epi32(255)));
    }
    for (int i = 0; i < 4; ++i) _mm512_storeu_si512(panel->min[i], pairs[i]);
    _mm512_storeu_ps(panel->d, scales.d);
    _mm512_storeu_ps(panel->dmin, scales.dmin);
    if (five) { // 32 bytes per row: bit s of byte l belongs to sub-block s, column l
        for (int r = 0; r < 16; ++r)
            high[r] = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(rows->row[r] + base + 16)));
        transpose16(high);
    }
    const __m512i low4 = _mm512_set1_epi8(15), bit4 = _mm512_set1_epi8(16);
    for (int half = 0; half < 2; ++half) {
        __m512i x[16];
#pragma clang loop unroll(full)
        for (int r = 0; r < 16; ++r) x[r] = _mm512_loadu_si512(rows->row[r] + qs + 64 * half);
        transpose16(x);
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; ++i) {
            int s = 4 * half + i / 8 * 2; // low nibbles; the high ones belong to s + 1
            __m512i low = _mm512_and_si512(x[i], low4), top = _mm512_and_si512(_mm512_srli_epi16(x[i], 4), low4);
            if (five) {
                __m512i h = high[i % 8];
                __m128i down = _mm_cvtsi32_si128(s), down1 = _mm_cvtsi32_si128(s + 1);
                low = _mm512_or_si512(low, _mm512_and_si512(_mm512_slli_epi16(_mm512_srl_epi16(h, down), 4), bit4));
                top = _mm512_or_si512(top, _mm512_and_si512(_mm512_slli_epi16(_mm512_srl_epi16(h, down1), 4), bit4));
            }
            _mm512_storeu_si512(panel->q[8 * s + i % 8], low);
            _mm512_storeu_si512(panel->q[8 * s + 8 + i % 8], top);
        }
    }
}

// Q6_K likewise: 128 bytes of low nibbles, 64 of high bits, 16 scales.
static void unpack_q6_k(const ck_tile_rows *rows, int64_t chunk, int blocks, void *out) {
    (void)blocks;
    ck_panel256 *panel = out;
    int64_t base = chunk * (int64_t)sizeof(ck_block_q6_k);
    __m512i scales[4], high[16];
    transpose_heads(rows, base + 192, scales);
    for (int s = 0; s < 16; ++s) {
        __m512i value = _mm512_sll_epi32(scales[s / 4], _mm_cvtsi32_si128(24 - s % 4 * 8));
        _mm512_storeu_si512(panel->scale[s], _mm512_srai_epi32(value, 24));
    }
    for (int s = 0; s < 8; ++s) { // pairs of 32 * scale as 16-bit values
        __m512i a = _mm512_loadu_si512(panel->scale[2 * s]), b = _mm512_loadu_si512(panel->scale[2 * s + 1]);
        a = _mm512_and_si512(_mm512_slli_epi32(a, 5), _mm512_set1_epi32(0xffff));
        _mm512_storeu_si512(panel->min[s], _mm512_or_si512(a, _mm512_slli_epi32(b, 21)));
    }
    __m512 d = load_halves(rows, base + 208);
    _mm512_storeu_ps(panel->d, d);
    _mm512_storeu_ps(panel->dmin, d);
#pragma clang loop unroll(full)
    for (int r = 0; r < 16; ++r) high[r] = _mm512_loadu_si512(rows->row[r] + base + 128);
    transpose16(high);
    const __m512i low4 = _mm512_set1_epi8(15), bits = _mm512_set1_epi8(48);
#pragma clang loop unroll(full)
    for (int n = 0; n < 2; ++n) { // 128 columns each
        __m512i x[16];
#pragma clang loop unroll(full)
        for (int r = 0; r < 16; ++r) x[r] = _mm512_loadu_si512(rows->row[r] + base + 64 * n);
        transpose16(x);
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; ++i) {
            __m512i a = x[i], b = x[i + 8], h = high[8 * n + i];
            uint8_t(*q)[16][4] = panel->q + 32 * n + i;
            _mm512_storeu_si512(
                q[0], _mm512_or_si512(_mm512_and_si512(a, low4), _mm512_and_si512(_mm512_slli_epi16(h, 4), bits)));
            _mm512_storeu_si512(
                q[8], _mm512_or_si512(_mm512_and_si512(b, low4), _mm512_and_si512(_mm512_slli_epi16(h, 2), bits)));
            a = _mm512_and_si512(_mm512_srli_epi16(a, 4), low4);
            b = _mm512_and_si512(_mm512_srli_epi16(b, 4), low4);
            _mm512_storeu_si512(q[16], _mm512_or_si512(a, _mm512_and_si512(h, bits)));
            _mm512_storeu_si512(q[24], _mm512_or_si512(b, _mm512_and_si512(_mm512_srli_epi16(h, 2), bits)));
        }
    }
}

static void unpack_q4_k(const ck_tile_rows *rows, int64_t chunk, int blocks, void *panel) {
    (void)blocks;
    unpack_k4(0, rows, chunk, panel);
}

static void unpack_q5_k(const ck_tile_rows *rows, int64_t chunk, int blocks, void *panel) {
    (void)blocks;
    unpack_k4(1, rows, chunk, panel);
}

#include "ck_gemm_k256_single_avx512.h"

#define ROWS(name, type, subs)                                                                                         \
    static void unpack_##name(const ck_tile_rows *rows, int64_t chunk, int blocks, void *panel) {                      \
        (void)blocks;                                                                                                  \
        unpack_rows(type, subs, rows, chunk, panel);                                                                   \
    }

#define KIND(name, multiply_function, single_function)                                                                 \
    const ck_tile_kind ck_kind_##name##_avx512 = {                                                                     \
        .act_format = CK_ACT_Q8_256,                                                                                   \
        .tile_tokens = 12,                                                                                             \
        .panel_bytes = sizeof(ck_panel256),                                                                            \
        .packed_bytes = sizeof(ck_packed256),                                                                          \
        .unpack = unpack_##name,                                                                                       \
        .pack = ck_pack256,                                                                                            \
        .multiply = multiply_function,                                                                                 \
        .single = single_function,                                                                                     \
        .finish = ck_finish_avx512,                                                                                    \
    };

ROWS(q2_k, CK_Q2_K, 16)
ROWS(q3_k, CK_Q3_K, 16)
ROWS(iq4_xs, CK_IQ4_XS, 8)
KIND(q2_k, multiply_16, NULL)
KIND(q3_k, multiply_16_joined, NULL)
KIND(q4_k, multiply_8, single_q4_k)
KIND(q5_k, multiply_8, single_q5_k)
KIND(q6_k, multiply_16_joined, single_q6_k)
KIND(iq4_xs, multiply_8_joined, single_iq4_xs)

#pragma clang attribute pop
#endif
