// Floats → storage formats, in plain C and in the order of operations of the formats' reference quantisers.
#include "ck_quantize.h"
#include "ck_blocks.h"
#include <math.h>

#pragma STDC FP_CONTRACT OFF

static int clamp(int value, int low, int high) { return value < low ? low : value > high ? high : value; }

// The value of greatest magnitude with its sign (the first of equals).
static float signed_extreme(const float *x) {
    float extreme = x[0];
    for (int i = 1; i < 32; ++i)
        if (fabsf(x[i]) > fabsf(extreme)) extreme = x[i];
    return extreme;
}

static void put_half(uint8_t *dst, float value) {
    ck_half h = ck_float_to_half(value);
    memcpy(dst, &h, 2);
}

// Q4_0 (levels 16) and Q5_0 (levels 32): scale so that the extreme value is the lowest level.
static void quantize_symmetric(const float *x, int levels, uint8_t q[32], float *scale) {
    float d = signed_extreme(x) / (float)-(levels / 2), inverse = d == 0 ? 0 : 1 / d;
    for (int i = 0; i < 32; ++i)
        q[i] = (uint8_t)clamp((int)(x[i] * inverse + ((float)(levels / 2) + 0.5f)), 0, levels - 1);
    *scale = d;
}

// Q4_1 and Q5_1: from the least value in equal steps.
static void quantize_affine(const float *x, int levels, uint8_t q[32], float *scale, float *least) {
    float low = x[0], high = x[0];
    for (int i = 1; i < 32; ++i) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    float d = (high - low) / (float)(levels - 1), inverse = d == 0 ? 0 : 1 / d;
    for (int i = 0; i < 32; ++i) q[i] = (uint8_t)clamp((int)((x[i] - low) * inverse + 0.5f), 0, levels - 1);
    *scale = d;
    *least = low;
}

static void pack_low(const uint8_t q[32], uint8_t *dst) {
    for (int i = 0; i < 16; ++i) dst[i] = (uint8_t)((q[i] & 15) | (q[i + 16] & 15) << 4);
}

static void pack_high(const uint8_t q[32], uint8_t *dst) {
    memset(dst, 0, 4);
    for (int i = 0; i < 32; ++i) dst[i / 8] |= (uint8_t)((q[i] >> 4) << (i % 8));
}

// In forms that compilers vectorise, for rows of a cache are written in each step. Magnitudes are compared as integers,
// where NaN is above all: it makes the scale NaN and with it the block.
static void quantize_q8_0(const float *x, uint8_t *dst) {
    uint32_t greatest = 0;
    for (int i = 0; i < 32; ++i) {
        uint32_t magnitude = ck_float_to_bits(x[i]) & 0x7fffffff;
        greatest = magnitude > greatest ? magnitude : greatest;
    }
    float d = ck_bits_to_float(greatest) / 127, inverse = d == 0 ? 0 : 1 / d;
    put_half(dst, d);
    for (int i = 0; i < 32; ++i) { // to nearest, halves away from zero
        float scaled = x[i] * inverse;
        int whole = scaled >= -128 && scaled <= 128 ? (int)scaled : 0;
        float rest = scaled - (float)whole;
        dst[2 + i] = (uint8_t)(whole + (rest >= 0.5f) - (rest <= -0.5f));
    }
}

static void quantize_block(int32_t type, const float *x, uint8_t *dst) {
    uint8_t q[32];
    float d, m;
    switch (type) {
    case CK_Q4_0:
        quantize_symmetric(x, 16, q, &d);
        put_half(dst, d);
        pack_low(q, dst + 2);
        return;
    case CK_Q5_0:
        quantize_symmetric(x, 32, q, &d);
        put_half(dst, d);
        pack_high(q, dst + 2);
        pack_low(q, dst + 6);
        return;
    case CK_Q4_1:
    case CK_Q5_1:
        quantize_affine(x, type == CK_Q4_1 ? 16 : 32, q, &d, &m);
        put_half(dst, d);
        put_half(dst + 2, m);
        if (type == CK_Q5_1) pack_high(q, dst + 4);
        pack_low(q, dst + (type == CK_Q5_1 ? 8 : 4));
        return;
    default:
        quantize_q8_0(x, dst);
    }
}

// The nearest of the 127 finite magnitudes of an 8-bit float, ties to even; above the greatest: E4M3 saturates to NaN
// as its definition without infinities demands, E5M2 becomes infinity.
static uint8_t quantize_f8(float value, int e4m3) {
    int mantissa = e4m3 ? 3 : 2, bias = e4m3 ? 7 : 15;
    uint32_t bits = ck_float_to_bits(value);
    uint8_t sign = (uint8_t)(bits >> 24 & 0x80);
    float magnitude = fabsf(value);
    if (magnitude != magnitude) return sign | 0x7f;
    if (e4m3 && magnitude > 464) return sign | 0x7f;
    if (!e4m3 && magnitude >= 61440) return sign | 0x7c;
    int exponent;
    frexpf(magnitude, &exponent); // magnitude = f * 2^exponent, f in [0.5, 1)
    int unit = (magnitude == 0 || exponent - 1 < 1 - bias ? 1 - bias : exponent - 1) - mantissa;
    int steps = (int)rintf(ldexpf(magnitude, -unit)); // in units in the last place
    int field = unit + mantissa + bias;               // biased exponent when normal
    return steps < 1 << mantissa ? (uint8_t)(sign | steps)
                                 : (uint8_t)(sign | ((field << mantissa) + (steps - (1 << mantissa))));
}

int32_t ck_quantize_row(int32_t type, const float *src, void *dst, int64_t n) {
    uint8_t *out = dst;
    switch (type) {
    case CK_F32:
        memmove(dst, src, (size_t)n * 4);
        return 1;
    case CK_F16:
    case CK_BF16:
        for (int64_t i = 0; i < n; ++i) {
            uint16_t h = type == CK_F16 ? ck_float_to_half(src[i]) : ck_float_to_bfloat(src[i]);
            memcpy(out + 2 * i, &h, 2);
        }
        return 1;
    case CK_F8E4M3:
    case CK_F8E5M2:
        for (int64_t i = 0; i < n; ++i) out[i] = quantize_f8(src[i], type == CK_F8E4M3);
        return 1;
    case CK_Q4_0:
    case CK_Q4_1:
    case CK_Q5_0:
    case CK_Q5_1:
    case CK_Q8_0: {
        int64_t size = ck_row_bytes(type, 32);
        for (int64_t b = 0; b < n / 32; ++b) quantize_block(type, src + 32 * b, out + size * b);
        return 1;
    }
    default:
        return 0;
    }
}
