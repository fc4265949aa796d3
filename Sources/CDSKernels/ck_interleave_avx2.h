// Interleaved weights → bytes and factors, for eight rows at a time. Include inside an avx2/f16c target region.
#include "ck_interleave.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define HALVES UNROLL for (int h = 0; h < 2; ++h) // rows 8 * h ...
#define EACH_TOKEN UNROLL for (int t = 0; t < tokens; ++t)

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
