// Products with interleaved BF16 weights on AVX-512. Measured on a Zen 4 core: 114 of 118 GFLOP/s from 64 rows on (77
// in rows), 58 GB/s for one row from the third-level cache (34), memory's 28 GB/s beyond it.
#if defined(__x86_64__)
#include "ck_repack.h"
#include "ck_tiers.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl"))),              \
                             apply_to = function)

#include "ck_vector_avx512.h"

static inline vf first_columns(const void *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(p), 16));
}
static inline vf second_columns(const void *p) {
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi32((int32_t)0xffff0000)));
}
static inline vf fma_first(vf w, const float *x, vf sum) { return vf_fma(w, vf_set(x[0]), sum); }
static inline vf fma_second(vf w, const float *x, vf sum) { return vf_fma(w, vf_set(x[1]), sum); }

#define TOKENS 6
#define NAME(function) function##_avx512
#define ENTRY ck_gemm_interleaved_bf16_avx512
#include "ck_gemm_interleaved_bf16_body.h"

#pragma clang attribute pop
#endif
