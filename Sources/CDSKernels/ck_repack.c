// Interleaving of weight rows; bound by memory.
#include "ck_repack.h"
#include "ck_interleave.h"
#include "ck_table.h"
#include <string.h>

int32_t ck_can_interleave(int32_t tier, int32_t type, int64_t k) {
    ck_interleaving layout = ck_interleaving_of(type);
    int32_t offered = tier == CK_TIER_AVX512 || tier == CK_TIER_AVX2;
    return offered && layout.words > 0 && k % layout.columns == 0 && k <= CK_INTERLEAVED_COLUMNS;
}

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw"))), apply_to = function)

#include "ck_transpose_avx512.h"

// The high bits of sixteen Q5_0 blocks: bit 4 * g + l becomes bit g of byte l.
static __m512i spread_q5_0(__m512i value) {
    __m512i bits = _mm512_setzero_si512();
    for (unsigned g = 0; g < 8; ++g) {
        __m512i four =
            _mm512_and_si512(_mm512_srl_epi32(value, _mm_cvtsi32_si128((int)(4 * g))), _mm512_set1_epi32(15));
        four = _mm512_and_si512(_mm512_mullo_epi32(four, _mm512_set1_epi32(0x204081)), _mm512_set1_epi32(0x1010101));
        bits = _mm512_or_si512(bits, _mm512_sll_epi32(four, _mm_cvtsi32_si128((int)g)));
    }
    return bits;
}

// Block b of sixteen rows.
static void interleave_block(int32_t type, ck_interleaving layout, const uint8_t *const row[16], int64_t b,
                             uint8_t *tile) {
    uint8_t *words = tile + ck_interleaved_block(layout, b);
    for (int first = 0; first < layout.words; first += 16) {
        int count = layout.words - first < 16 ? layout.words - first : 16;
        int64_t offset = b * layout.bytes + layout.first_word + 4 * first;
        __m512i x[16];
#pragma clang loop unroll(full)
        for (int r = 0; r < 16; ++r) x[r] = _mm512_maskz_loadu_epi32((__mmask16)((1u << count) - 1), row[r] + offset);
        transpose16(x);
        if (type == CK_Q5_0) x[0] = spread_q5_0(x[0]);
        for (int w = 0; w < count; ++w) _mm512_storeu_si512(words + 64 * ck_interleaved_word(type, first + w), x[w]);
    }
    uint8_t *halves = tile + ck_interleaved_half(layout, b);
    for (int r = 0; layout.half >= 0 && r < 16; ++r) memcpy(halves + 2 * r, row[r] + b * layout.bytes + layout.half, 2);
}

void ck_interleave(int32_t type, const uint8_t *data, int64_t row_bytes, int64_t n, int64_t k, uint8_t *out,
                   const ck_share *share) {
    ck_interleaving layout = ck_interleaving_of(type);
    int64_t begin, end;
    ck_split((n + 15) / 16, 1, share, &begin, &end);
    for (int64_t tile = begin; tile < end; ++tile) {
        const uint8_t *row[16];
        for (int r = 0; r < 16; ++r) row[r] = data + (tile * 16 + r < n ? tile * 16 + r : n - 1) * row_bytes;
        uint8_t *start = out + tile * 16 * ck_interleaved_row_bytes(row_bytes);
        for (int64_t b = 0; b < k / layout.columns; ++b) interleave_block(type, layout, row, b, start);
    }
}

#pragma clang attribute pop
#else
void ck_interleave(int32_t type, const uint8_t *data, int64_t row_bytes, int64_t n, int64_t k, uint8_t *out,
                   const ck_share *share) {
    (void)type, (void)data, (void)row_bytes, (void)n, (void)k, (void)out, (void)share; // no tier reads such weights
}
#endif
