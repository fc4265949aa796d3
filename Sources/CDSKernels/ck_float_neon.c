// Float products, row operators and attention on Arm Advanced SIMD: the shared bodies with four lanes.
#if defined(__aarch64__)
#include "ck_activations.h"
#include "ck_blocks.h"
#include "ck_reference.h"
#include "ck_tiers.h"
#include <arm_neon.h>
#include <math.h>

#include "ck_vector_neon.h"

#include "ck_vector_common.h" // after the tier's vectors, which clang-format would sort behind it

#define ROWS 4
#define TOKENS 3
#define SCORE_ROWS 3
#define VALUE_ROWS 3
#define DECODE_LINES 4
#define NAME(function) function##_neon
#include "ck_attention_body.h"
#include "ck_gemm_float_body.h"
#include "ck_operators_body.h"
#endif
