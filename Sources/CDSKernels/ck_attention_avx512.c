// Attention on AVX-512. A prompt is bound by fma, a decode step by reading the cache.
#if defined(__x86_64__)
#include "ck_attention.h"
#include "ck_blocks.h"
#include "ck_tiers.h"
#include <immintrin.h>
#include <math.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl"))),              \
                             apply_to = function)

#include "ck_vector_avx512.h"
#include "ck_vector_common.h"

#define SCORE_ROWS 12
#define VALUE_ROWS 6
#define DECODE_LINES 6
#define NAME(function) function##_avx512
#include "ck_attention_body.h"

#pragma clang attribute pop
#endif
