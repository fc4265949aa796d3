// Interleaved weights → bytes and factors, for four rows (a vector) at a time. Include inside a dotprod target region.
#include "ck_interleave.h"
#include "ck_tiers.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

// A chunk of an activation row. A pair of rows is brought together by `arrange` of the i8mm kernels.
typedef struct chunk_row {
    int8_t q[256];
    float scale[8];    // per block of 32 columns, or one
    int32_t start[16]; // where sums of a block or sub-block start: -z * Σ x for weights that are stored as w + z
    int8_t sums[16];   // Q4_K, Q5_K: Σ x of 32 columns is 128 * sums[s] + sums[8 + s]
    uint8_t pad[16];
} chunk_row;

_Static_assert(sizeof(chunk_row) == 384, "chunk_row");

enum { MOST = 48 }; // tokens between two readings of the weights

INLINE uint8x16_t word(const uint8_t *p, int w, int v) { return vld1q_u8(p + 64 * w + 16 * v); }

INLINE uint8x16_t masked(uint8x16_t x, int mask) { return vandq_u8(x, vdupq_n_u8((uint8_t)mask)); }

// Bits `by` places up, or down.
INLINE uint8x16_t moved(uint8x16_t x, int by) { return vshlq_u8(x, vdupq_n_s8((int8_t)by)); }

// low with the bits of `mask` from high.
INLINE uint8x16_t joined(uint8x16_t low, uint8x16_t high, int mask) {
    return vbslq_u8(vdupq_n_u8((uint8_t)mask), high, low);
}

// Bit `bit` of high over the low or the high four bits of q.
INLINE int8x16_t five_bits(uint8x16_t q, int upper, uint8x16_t high, int bit) {
    if (!upper) return vreinterpretq_s8_u8(masked(vsliq_n_u8(q, moved(high, -bit), 4), 31));
    return vreinterpretq_s8_u8(vsraq_n_u8(masked(moved(high, 4 - bit), 16), q, 4));
}

// The block of 32 columns b of a chunk, and its scales.
INLINE const uint8_t *block32(int32_t type, const uint8_t *p, int b) {
    return p + 64 * (ck_interleaving_of(type).words * b + b / 2);
}
INLINE float32x4_t scale32(int32_t type, const uint8_t *p, int b, int v) {
    float16_t half[4];
    memcpy(half, block32(type, p, b / 2 * 2) - 64 + 32 * (b % 2) + 8 * v, 8);
    return vcvt_f32_f16(vld1_f16(half));
}

// Four columns of four rows as bytes, Q4_0 and Q5_0: w + z, from the word that holds group g and the high bits.
INLINE int8x16_t bytes32(int32_t type, uint8x16_t q, uint8x16_t high, int g) {
    if (type == CK_Q8_0) return vreinterpretq_s8_u8(q);
    if (type == CK_Q5_0) return five_bits(q, g / 4, high, g);
    return vreinterpretq_s8_u8(g / 4 ? vshrq_n_u8(q, 4) : masked(q, 15));
}

// Group g of the block of 32 columns at `p`.
INLINE int8x16_t group32(int32_t type, const uint8_t *p, int g, int v) {
    if (type == CK_Q8_0) return bytes32(type, word(p, g, v), vdupq_n_u8(0), g);
    return bytes32(type, word(p, g % 4 + (type == CK_Q5_0), v), word(p, 0, v), g);
}

// The same for sub-block s of Q4_K and Q5_K, and for Q6_K (w + 32), whose s is a quarter of a half of the columns.
INLINE int8x16_t bytes256(int32_t type, uint8x16_t q, uint8x16_t high, int s) {
    if (type == CK_Q6_K) {
        if (s % 2) high = vshrq_n_u8(high, 2);
        if (s < 2) return vreinterpretq_s8_u8(masked(vsliq_n_u8(q, high, 4), 63));
        q = vsriq_n_u8(high, q, 4);
        return vreinterpretq_s8_u8(s == 2 ? masked(q, 63) : q);
    }
    if (type == CK_Q5_K) return five_bits(q, s % 2, high, s);
    return vreinterpretq_s8_u8(s % 2 ? vshrq_n_u8(q, 4) : masked(q, 15));
}

// Where group c of eight of them is, and its high bits: words of a block, Q6_K: of a half of one.
INLINE int word256(int32_t type, int s, int c) {
    if (type == CK_Q6_K) return 4 + (s % 2 ? 16 + c : 2 * c);
    return (type == CK_Q5_K ? 12 : 4) + s / 2 * 8 + c;
}
INLINE int high256(int32_t type, int c) { return 4 + (type == CK_Q6_K ? 2 * c + 1 : c); }

// Group i of sub-block s of the block of 256 columns at `p`; Q6_K: of one of the eight sub-blocks of a half at `p`.
INLINE int8x16_t group256(int32_t type, const uint8_t *p, int s, int i, int v) {
    const int c = type == CK_Q6_K ? s % 2 * 4 + i : i;
    if (type == CK_Q6_K) s /= 2;
    uint8x16_t high = type == CK_Q4_K ? vdupq_n_u8(0) : word(p, high256(type, c), v);
    return bytes256(type, word(p, word256(type, s, c), v), high, s);
}

// The scales and mins of sub-blocks as bytes: words of four sub-blocks; Q6_K: scales only.
INLINE void factor_words(int32_t type, const uint8_t *p, int v, uint8x16_t scale[4], uint8x16_t min[2]) {
    if (type == CK_Q6_K) {
        UNROLL
        for (int i = 0; i < 4; ++i) scale[i] = word(p, i, v);
        return;
    }
    uint8x16_t a = word(p, 1, v), b = word(p, 2, v), c = word(p, 3, v);
    scale[0] = masked(a, 63);
    scale[1] = joined(masked(c, 15), vshrq_n_u8(a, 2), 48);
    min[0] = masked(b, 63);
    min[1] = joined(vshrq_n_u8(c, 4), vshrq_n_u8(b, 2), 48);
}

// The scale of sub-block s, from the word that holds it.
INLINE int32x4_t sub_scale(int32_t type, uint8x16_t word, int s) {
    if (type == CK_Q6_K) {
        int32x4_t top = vshlq_s32(vreinterpretq_s32_u8(word), vdupq_n_s32(24 - s % 4 * 8));
        return vshrq_n_s32(top, 24);
    }
    uint32x4_t low = vshlq_u32(vreinterpretq_u32_u8(word), vdupq_n_s32(s % 4 * -8));
    return vreinterpretq_s32_u32(vandq_u32(low, vdupq_n_u32(255)));
}

// The half-precision factors of a block of 256 columns.
INLINE float32x4_t scale256(int32_t type, const uint8_t *p, const uint8_t *halves, int v) {
    if (type != CK_Q6_K) return vcvt_f32_f16(vreinterpret_f16_u16(vmovn_u32(vreinterpretq_u32_u8(word(p, 0, v)))));
    float16_t half[4];
    memcpy(half, halves + 8 * v, 8);
    return vcvt_f32_f16(vld1_f16(half));
}
INLINE float32x4_t min256(const uint8_t *p, int v) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vshrn_n_u32(vreinterpretq_u32_u8(word(p, 0, v)), 16)));
}
