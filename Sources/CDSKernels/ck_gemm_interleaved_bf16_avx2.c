// Products with interleaved BF16 weights on AVX2. Measured on a Zen 4 core: 90 GFLOP/s from two rows on (45 in rows);
// with three rows in a pass the registers do not suffice, and half of that is left.
#if defined(__x86_64__)
#include "ck_repack.h"
#include "ck_tiers.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "ck_vector_avx2.h"

static inline vf first_columns(const void *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_loadu_si256(p), 16));
}
static inline vf second_columns(const void *p) {
    return _mm256_castsi256_ps(_mm256_and_si256(_mm256_loadu_si256(p), _mm256_set1_epi32((int32_t)0xffff0000)));
}
static inline vf fma_first(vf w, const float *x, vf sum) { return vf_fma(w, vf_set(x[0]), sum); }
static inline vf fma_second(vf w, const float *x, vf sum) { return vf_fma(w, vf_set(x[1]), sum); }

#define TOKENS 2
#define NAME(function) function##_avx2
#define ENTRY ck_gemm_interleaved_bf16_avx2
#include "ck_gemm_interleaved_bf16_body.h"

#pragma clang attribute pop
#endif
