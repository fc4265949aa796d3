// Products with interleaved BF16 weights on AVX-512 with BF16 instructions, which multiply the two columns of a word at
// once: activations are rounded to BF16, products and sums are floats.
#if defined(__x86_64__)
#include "ck_repack.h"
#include "ck_tiers.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))),   \
                             apply_to = function)

#include "ck_vector_avx512.h"

#define PARTS 1
typedef uint32_t input; // two columns
typedef __m512i word;

static inline int64_t input_bytes(int64_t k) { return (k * 2 + 63) / 64 * 64; }
static inline const input *input_of(const float *row, int64_t k, void *room) {
    for (int64_t i = 0; i < k; i += VL) {
        int count = k - i < VL ? (int)(k - i) : VL;
        __m256bh pairs = _mm512_cvtneps_pbh(vf_load_part(row + i, count));
        _mm256_storeu_si256((__m256i *)((uint8_t *)room + 2 * i), (__m256i)pairs);
    }
    return room;
}
static inline word word_load(const void *p) { return _mm512_loadu_si512(p); }
static inline void word_fma(word w, const input *x, int64_t i, vf *sum) {
    *sum = _mm512_dpbf16_ps(*sum, (__m512bh)w, (__m512bh)_mm512_set1_epi32((int32_t)x[i / 2]));
}

#define TOKENS 12
#define NAME(function) function##_avx512
#define ENTRY ck_gemm_interleaved_bf16_dot_avx512
#include "ck_gemm_interleaved_bf16_body.h"

#pragma clang attribute pop
#endif
