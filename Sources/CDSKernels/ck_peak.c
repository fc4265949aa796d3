// Loops for `deepseek bench --roofline`. Twelve chains hide the latency of one multiply-add (4 cycles, two per cycle);
// the empty assembly keeps the compiler from drawing rounds together.
#include "ck_peak.h"
#include "ck_features.h"
#include "ck_table.h"
#include <string.h>

#define CHAINS 12

static int64_t peak_fp32_reference(int64_t rounds, float *sink) {
    float sum[CHAINS] = {0}, a = 1.0f, b = 1e-9f;
    for (int64_t r = 0; r < rounds; ++r) {
        for (int i = 0; i < CHAINS; ++i) sum[i] = sum[i] * a + b;
        __asm__ volatile("" : : "r"(sum) : "memory");
    }
    for (int i = 0; i < CHAINS; ++i) *sink += sum[i];
    return rounds * CHAINS * 2;
}

static uint64_t read_reference(const uint8_t *data, int64_t bytes) {
    uint64_t words[8] = {0}, line[8];
    for (int64_t i = 0; i < bytes; i += 64) {
        memcpy(line, data + i, 64);
        for (int j = 0; j < 8; ++j) words[j] ^= line[j];
    }
    for (int j = 1; j < 8; ++j) words[0] ^= words[j];
    return words[0];
}

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

static int64_t peak_fp32_avx2(int64_t rounds, float *sink) {
    __m256 sum[CHAINS], a = _mm256_set1_ps(1.0f), b = _mm256_set1_ps(1e-9f);
    for (int i = 0; i < CHAINS; ++i) sum[i] = _mm256_setzero_ps();
    for (int64_t r = 0; r < rounds; ++r)
        for (int i = 0; i < CHAINS; ++i) {
            sum[i] = _mm256_fmadd_ps(a, b, sum[i]);
            __asm__ volatile("" : "+x"(sum[i]));
        }
    for (int i = 1; i < CHAINS; ++i) sum[0] = _mm256_add_ps(sum[0], sum[i]);
    *sink += _mm256_cvtss_f32(sum[0]);
    return rounds * CHAINS * 8 * 2;
}

// As the kernels of this tier do it: multiply-add of pairs to 16 bits, of pairs of those to 32 bits, an addition.
static int64_t peak_int8_avx2(int64_t rounds, float *sink) {
    __m256i sum[CHAINS], a = _mm256_set1_epi8(1), ones = _mm256_set1_epi16(1);
    for (int i = 0; i < CHAINS; ++i) sum[i] = _mm256_setzero_si256();
    for (int64_t r = 0; r < rounds; ++r)
        for (int i = 0; i < CHAINS; ++i) {
            __m256i pairs = _mm256_maddubs_epi16(a, a);
            __asm__ volatile("" : "+x"(pairs));
            sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(pairs, ones));
            __asm__ volatile("" : "+x"(sum[i]));
        }
    for (int i = 1; i < CHAINS; ++i) sum[0] = _mm256_add_epi32(sum[0], sum[i]);
    *sink += (float)_mm256_extract_epi32(sum[0], 0);
    return rounds * CHAINS * 32 * 2;
}

static uint64_t read_avx2(const uint8_t *data, int64_t bytes) {
    __m256i words[4];
    for (int j = 0; j < 4; ++j) words[j] = _mm256_setzero_si256();
    for (int64_t i = 0; i < bytes; i += 128)
        for (int j = 0; j < 4; ++j)
            words[j] = _mm256_xor_si256(words[j], _mm256_loadu_si256((const __m256i *)(data + i + 32 * j)));
    uint64_t all[16], result = 0;
    for (int j = 0; j < 4; ++j) _mm256_storeu_si256((__m256i *)(all + 4 * j), words[j]);
    for (int j = 0; j < 16; ++j) result ^= all[j];
    return result;
}

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512bf16"))),               \
                             apply_to = function)

static int64_t peak_fp32_avx512(int64_t rounds, float *sink) {
    __m512 sum[CHAINS], a = _mm512_set1_ps(1.0f), b = _mm512_set1_ps(1e-9f);
    for (int i = 0; i < CHAINS; ++i) sum[i] = _mm512_setzero_ps();
    for (int64_t r = 0; r < rounds; ++r)
        for (int i = 0; i < CHAINS; ++i) {
            sum[i] = _mm512_fmadd_ps(a, b, sum[i]);
            __asm__ volatile("" : "+v"(sum[i]));
        }
    for (int i = 1; i < CHAINS; ++i) sum[0] = _mm512_add_ps(sum[0], sum[i]);
    *sink += _mm512_cvtss_f32(sum[0]);
    return rounds * CHAINS * 16 * 2;
}

static int64_t peak_bf16_avx512(int64_t rounds, float *sink) {
    if (!(ck_features() & CK_FEATURE_AVX512_BF16)) return 0;
    __m512 sum[CHAINS];
    __m512bh a = (__m512bh)_mm512_set1_epi16(0x3f80);
    for (int i = 0; i < CHAINS; ++i) sum[i] = _mm512_setzero_ps();
    for (int64_t r = 0; r < rounds; ++r)
        for (int i = 0; i < CHAINS; ++i) {
            sum[i] = _mm512_dpbf16_ps(sum[i], a, a);
            __asm__ volatile("" : "+v"(sum[i]));
        }
    for (int i = 1; i < CHAINS; ++i) sum[0] = _mm512_add_ps(sum[0], sum[i]);
    *sink += _mm512_cvtss_f32(sum[0]);
    return rounds * CHAINS * 32 * 2;
}

static int64_t peak_int8_avx512(int64_t rounds, float *sink) {
    __m512i sum[CHAINS], a = _mm512_set1_epi8(1);
    for (int i = 0; i < CHAINS; ++i) sum[i] = _mm512_setzero_si512();
    for (int64_t r = 0; r < rounds; ++r)
        for (int i = 0; i < CHAINS; ++i) {
            sum[i] = _mm512_dpbusd_epi32(sum[i], a, a);
            __asm__ volatile("" : "+v"(sum[i]));
        }
    for (int i = 1; i < CHAINS; ++i) sum[0] = _mm512_add_epi32(sum[0], sum[i]);
    *sink += (float)_mm_cvtsi128_si32(_mm512_castsi512_si128(sum[0]));
    return rounds * CHAINS * 64 * 2;
}

static uint64_t read_avx512(const uint8_t *data, int64_t bytes) {
    __m512i words[8];
    for (int j = 0; j < 8; ++j) words[j] = _mm512_setzero_si512();
    for (int64_t i = 0; i < bytes; i += 512)
        for (int j = 0; j < 8; ++j) words[j] = _mm512_xor_si512(words[j], _mm512_loadu_si512(data + i + 64 * j));
    uint64_t all[64], result = 0;
    for (int j = 0; j < 8; ++j) _mm512_storeu_si512(all + 8 * j, words[j]);
    for (int j = 0; j < 64; ++j) result ^= all[j];
    return result;
}

#pragma clang attribute pop
#elif defined(__aarch64__)
#include <arm_neon.h>

static int64_t peak_fp32_neon(int64_t rounds, float *sink) {
    float32x4_t sum[CHAINS], a = vdupq_n_f32(1.0f), b = vdupq_n_f32(1e-9f);
    for (int i = 0; i < CHAINS; ++i) sum[i] = vdupq_n_f32(0);
    for (int64_t r = 0; r < rounds; ++r)
        for (int i = 0; i < CHAINS; ++i) {
            sum[i] = vfmaq_f32(sum[i], a, b);
            __asm__ volatile("" : "+w"(sum[i]));
        }
    for (int i = 1; i < CHAINS; ++i) sum[0] = vaddq_f32(sum[0], sum[i]);
    *sink += vgetq_lane_f32(sum[0], 0);
    return rounds * CHAINS * 4 * 2;
}

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
static int64_t peak_int8_neon(int64_t rounds, float *sink) {
    int32x4_t sum[CHAINS];
    int8x16_t a = vdupq_n_s8(1);
    for (int i = 0; i < CHAINS; ++i) sum[i] = vdupq_n_s32(0);
    for (int64_t r = 0; r < rounds; ++r)
        for (int i = 0; i < CHAINS; ++i) {
            sum[i] = vdotq_s32(sum[i], a, a);
            __asm__ volatile("" : "+w"(sum[i]));
        }
    for (int i = 1; i < CHAINS; ++i) sum[0] = vaddq_s32(sum[0], sum[i]);
    *sink += (float)vgetq_lane_s32(sum[0], 0);
    return rounds * CHAINS * 16 * 2;
}
#pragma clang attribute pop
#endif

int64_t ck_peak(int32_t tier, int32_t kind, int64_t rounds, float *sink) {
    switch (tier) {
#if defined(__x86_64__)
    case CK_TIER_AVX512:
        if (kind == CK_PEAK_BF16) return peak_bf16_avx512(rounds, sink);
        return kind == CK_PEAK_INT8 ? peak_int8_avx512(rounds, sink) : peak_fp32_avx512(rounds, sink);
    case CK_TIER_AVX2:
        if (kind == CK_PEAK_BF16) return 0;
        return kind == CK_PEAK_INT8 ? peak_int8_avx2(rounds, sink) : peak_fp32_avx2(rounds, sink);
#elif defined(__aarch64__)
    case CK_TIER_NEON:
        if (kind == CK_PEAK_BF16) return 0;
        return kind == CK_PEAK_INT8 ? peak_int8_neon(rounds, sink) : peak_fp32_neon(rounds, sink);
#endif
    default:
        return kind == CK_PEAK_FP32 ? peak_fp32_reference(rounds, sink) : 0;
    }
}

uint64_t ck_read(int32_t tier, const uint8_t *data, int64_t bytes) {
#if defined(__x86_64__)
    if (tier == CK_TIER_AVX512) return read_avx512(data, bytes);
    if (tier == CK_TIER_AVX2) return read_avx2(data, bytes);
#endif
    (void)tier;
    return read_reference(data, bytes);
}
