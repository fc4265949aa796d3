// Products with interleaved BF16 weights on Arm Advanced SIMD: per word of sixteen rows four loads, eight shifts or
// masks, and eight `fmla` per activation row, whose columns are taken by lane. Not measured on hardware.
#if defined(__aarch64__)
#include "ck_blocks.h"
#include "ck_repack.h"
#include "ck_tiers.h"
#include <arm_neon.h>

#include "ck_vector_neon.h"

static inline vf first_columns(const void *p) { return vreinterpretq_f32_u32(vshlq_n_u32(vld1q_u32(p), 16)); }
static inline vf second_columns(const void *p) {
    return vreinterpretq_f32_u32(vandq_u32(vld1q_u32(p), vdupq_n_u32(0xffff0000)));
}
static inline vf fma_first(vf w, const float *x, vf sum) { return vfmaq_lane_f32(sum, w, vld1_f32(x), 0); }
static inline vf fma_second(vf w, const float *x, vf sum) { return vfmaq_lane_f32(sum, w, vld1_f32(x), 1); }

#define TOKENS 3
#define NAME(function) function##_neon
#define ENTRY ck_gemm_interleaved_bf16_neon
#include "ck_gemm_interleaved_bf16_body.h"
#endif
