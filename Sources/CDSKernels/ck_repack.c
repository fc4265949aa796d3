// Interleaving of weight rows; bound by memory.
#include "ck_repack.h"
#include "ck_interleave.h"
#include "ck_table.h"
#include <string.h>

int32_t ck_can_interleave(int32_t tier, int32_t type, int64_t k) {
    ck_interleaving layout = ck_interleaving_of(type);
    int32_t offered = tier == CK_TIER_AVX512 || tier == CK_TIER_AVX2 || tier == CK_TIER_NEON;
    return offered && layout.words > 0 && k % layout.columns == 0 && k <= CK_INTERLEAVED_COLUMNS;
}

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)

#include "ck_transpose_avx2.h"

// The high bits of eight Q5_0 blocks: bit 4 * g + l becomes bit g of byte l.
static __m256i spread_q5_0(__m256i value) {
    __m256i bits = _mm256_setzero_si256();
    for (int g = 0; g < 8; ++g) {
        __m256i four = _mm256_and_si256(_mm256_srli_epi32(value, 4 * g), _mm256_set1_epi32(15));
        four = _mm256_and_si256(_mm256_mullo_epi32(four, _mm256_set1_epi32(0x204081)), _mm256_set1_epi32(0x1010101));
        bits = _mm256_or_si256(bits, _mm256_slli_epi32(four, g));
    }
    return bits;
}

// Block b of sixteen rows.
static inline __attribute__((always_inline)) void interleave_block(int32_t type, const uint8_t *const row[16],
                                                                   int64_t b, uint8_t *tile) {
    const ck_interleaving layout = ck_interleaving_of(type);
    uint8_t *words = tile + ck_interleaved_block(layout, b);
#pragma clang loop unroll(full)
    for (int first = 0; first < layout.words; first += 8) {
        int count = layout.words - first < 8 ? layout.words - first : 8;
        int64_t offset = b * layout.bytes + layout.first_word + 4 * first;
        __m256i wanted = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
#pragma clang loop unroll(full)
        for (int h = 0; h < 16; h += 8) {
            __m256i x[8];
#pragma clang loop unroll(full)
            for (int r = 0; r < 8; ++r)
                x[r] = count == 8 ? _mm256_loadu_si256((const __m256i *)(row[h + r] + offset))
                                  : _mm256_maskload_epi32((const int *)(row[h + r] + offset), wanted);
            transpose8(x);
            if (type == CK_Q5_0) x[0] = spread_q5_0(x[0]);
#pragma clang loop unroll(full)
            for (int w = 0; w < count; ++w) {
                uint8_t *out = words + 64 * ck_interleaved_word(type, first + w) + 4 * h;
                _mm256_storeu_si256((__m256i *)out, x[w]);
            }
        }
    }
    uint8_t *halves = tile + ck_interleaved_half(layout, b);
    for (int r = 0; layout.half >= 0 && r < 16; ++r) memcpy(halves + 2 * r, row[r] + b * layout.bytes + layout.half, 2);
}

static inline __attribute__((always_inline)) void interleave_tile(int32_t type, const uint8_t *const row[16], int64_t k,
                                                                  uint8_t *tile) {
    for (int64_t b = 0; b < k / ck_interleaving_of(type).columns; ++b) interleave_block(type, row, b, tile);
}

// The same for weights whose blocks are single words, eight of them at a time.
static void interleave_words(const uint8_t *const row[16], int64_t words, uint8_t *tile) {
    for (int64_t w = 0; w < words; w += 8) {
        int count = words - w < 8 ? (int)(words - w) : 8;
        __m256i wanted = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
        for (int h = 0; h < 16; h += 8) {
            __m256i x[8];
#pragma clang loop unroll(full)
            for (int r = 0; r < 8; ++r) x[r] = _mm256_maskload_epi32((const int *)(row[h + r] + 4 * w), wanted);
            transpose8(x);
            for (int i = 0; i < count; ++i) _mm256_storeu_si256((__m256i *)(tile + 64 * (w + i) + 4 * h), x[i]);
        }
    }
}

#elif defined(__aarch64__)
#include <arm_neon.h>

// The same for four Q5_0 blocks.
static uint32x4_t spread_q5_0(uint32x4_t value) {
    uint32x4_t bits = vdupq_n_u32(0);
    for (int g = 0; g < 8; ++g) {
        uint32x4_t four = vandq_u32(vshlq_u32(value, vdupq_n_s32(-4 * g)), vdupq_n_u32(15));
        four = vandq_u32(vmulq_n_u32(four, 0x204081), vdupq_n_u32(0x1010101));
        bits = vorrq_u32(bits, vshlq_u32(four, vdupq_n_s32(g)));
    }
    return bits;
}

// Words first...first + 3 of the blocks at `offset` of sixteen rows.
static inline __attribute__((always_inline)) void interleave4(int32_t type, const uint8_t *const row[16],
                                                              int64_t offset, int first, uint8_t *words) {
    for (int r = 0; r < 16; r += 4) {
        uint32x4_t x[4];
        for (int i = 0; i < 4; ++i) x[i] = vreinterpretq_u32_u8(vld1q_u8(row[r + i] + offset + 4 * first));
        uint32x4_t a = vzip1q_u32(x[0], x[2]), b = vzip1q_u32(x[1], x[3]);
        uint32x4_t c = vzip2q_u32(x[0], x[2]), d = vzip2q_u32(x[1], x[3]);
        uint32x4_t word[4] = {vzip1q_u32(a, b), vzip2q_u32(a, b), vzip1q_u32(c, d), vzip2q_u32(c, d)};
        for (int w = 0; w < 4; ++w) {
            uint8_t *out = words + 64 * ck_interleaved_word(type, first + w) + 4 * r;
            vst1q_u8(out, vreinterpretq_u8_u32(word[w]));
        }
    }
}

static inline __attribute__((always_inline)) void interleave_tile(int32_t type, const uint8_t *const row[16], int64_t k,
                                                                  uint8_t *tile) {
    const ck_interleaving layout = ck_interleaving_of(type);
    for (int64_t b = 0; b < k / layout.columns; ++b) {
        uint8_t *words = tile + ck_interleaved_block(layout, b);
        int64_t offset = b * layout.bytes + layout.first_word;
        int w = 0;
        for (; w + 4 <= layout.words; w += 4) interleave4(type, row, offset, w, words);
        for (; w < layout.words; ++w)
            for (int r = 0; r < 16; ++r) memcpy(words + 64 * w + 4 * r, row[r] + offset + 4 * w, 4);
        for (int r = 0; type == CK_Q5_0 && r < 16; r += 4) {
            uint32x4_t high = vreinterpretq_u32_u8(vld1q_u8(words + 4 * r));
            vst1q_u8(words + 4 * r, vreinterpretq_u8_u32(spread_q5_0(high)));
        }
        uint8_t *halves = tile + ck_interleaved_half(layout, b);
        for (int r = 0; layout.half >= 0 && r < 16; ++r)
            memcpy(halves + 2 * r, row[r] + b * layout.bytes + layout.half, 2);
    }
}

static void interleave_words(const uint8_t *const row[16], int64_t words, uint8_t *tile) {
    int64_t w = 0;
    for (; w + 4 <= words; w += 4) interleave4(CK_BF16, row, 4 * w, 0, tile + 64 * w);
    for (; w < words; ++w)
        for (int r = 0; r < 16; ++r) memcpy(tile + 64 * w + 4 * r, row[r] + 4 * w, 4);
}
#else
static void interleave_tile(int32_t type, const uint8_t *const row[16], int64_t k, uint8_t *tile) {
    (void)type, (void)row, (void)k, (void)tile; // no tier reads such weights
}
static void interleave_words(const uint8_t *const row[16], int64_t words, uint8_t *tile) {
    (void)row, (void)words, (void)tile;
}
#endif

void ck_interleave(int32_t type, const uint8_t *data, int64_t row_bytes, int64_t n, int64_t k, uint8_t *out,
                   const ck_share *share) {
    int64_t begin, end;
    ck_split((n + 15) / 16, 1, share, &begin, &end);
    for (int64_t tile = begin; tile < end; ++tile) {
        const uint8_t *row[16];
        for (int r = 0; r < 16; ++r) row[r] = data + (tile * 16 + r < n ? tile * 16 + r : n - 1) * row_bytes;
        uint8_t *start = out + tile * 16 * ck_interleaved_row_bytes(row_bytes);
        switch (type) {
        case CK_BF16:
            interleave_words(row, k / 2, start);
            break;
        case CK_Q8_0:
            interleave_tile(CK_Q8_0, row, k, start);
            break;
        case CK_Q4_0:
            interleave_tile(CK_Q4_0, row, k, start);
            break;
        case CK_Q5_0:
            interleave_tile(CK_Q5_0, row, k, start);
            break;
        case CK_Q4_K:
            interleave_tile(CK_Q4_K, row, k, start);
            break;
        case CK_Q5_K:
            interleave_tile(CK_Q5_K, row, k, start);
            break;
        case CK_Q6_K:
            interleave_tile(CK_Q6_K, row, k, start);
            break;
        default:
            break;
        }
    }
}

#if defined(__x86_64__)
#pragma clang attribute pop
#endif
