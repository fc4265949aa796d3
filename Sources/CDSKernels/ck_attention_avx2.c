// Attention on AVX2. A prompt is bound by fma, a decode step by reading the cache.
#if defined(__x86_64__)
#include "ck_attention.h"
#include "ck_blocks.h"
#include "ck_tiers.h"
#include <immintrin.h>
#include <math.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "ck_vector_avx2.h"
#include "ck_vector_common.h"

#define SCORE_ROWS 3
#define VALUE_ROWS 3
#define DECODE_LINES 2
#define NAME(function) function##_avx2
#include "ck_attention_body.h"

#pragma clang attribute pop
#endif
