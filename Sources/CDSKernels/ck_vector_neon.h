// Four floats for the bodies that are shared by tiers (Arm Advanced SIMD).
#include <string.h>

#define VL 4
typedef float32x4_t vf;

static inline vf vf_load(const float *p) { return vld1q_f32(p); }
static inline void vf_store(float *p, vf v) { vst1q_f32(p, v); }
static inline vf vf_set(float x) { return vdupq_n_f32(x); }
static inline vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
static inline vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
static inline vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
static inline vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
static inline vf vf_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); } // b if either is NaN
static inline vf vf_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); } // b if either is NaN
static inline vf vf_sqrt(vf a) { return vsqrtq_f32(a); }
static inline vf vf_abs(vf a) { return vabsq_f32(a); }
static inline vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }  // a * b + c
static inline vf vf_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); } // c - a * b
static inline vf vf_round(vf a) { return vrndnq_f32(a); }

// a * 2^n for integral n in -252...254, in two steps so that subnormal results are right.
static inline vf vf_scale2(vf a, vf n) {
    int32x4_t whole = vcvtnq_s32_f32(n), half = vshrq_n_s32(whole, 1), rest = vsubq_s32(whole, half),
              bias = vdupq_n_s32(127);
    a = vmulq_f32(a, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(half, bias), 23)));
    return vmulq_f32(a, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(rest, bias), 23)));
}

static inline vf vf_load_part(const float *p, int n) { // zeros after n
    float lanes[VL] = {0};
    for (int i = 0; i < n; ++i) lanes[i] = p[i];
    return vld1q_f32(lanes);
}
static inline void vf_store_part(float *p, vf v, int n) {
    float lanes[VL];
    vst1q_f32(lanes, v);
    for (int i = 0; i < n; ++i) p[i] = lanes[i];
}

// Lane sums in one fixed order.
static inline float vf_sum(vf v) {
    float32x2_t half = vadd_f32(vget_low_f32(v), vget_high_f32(v));
    return vget_lane_f32(half, 0) + vget_lane_f32(half, 1);
}
static inline float vf_greatest(vf v) { return vmaxnmvq_f32(v); }

static inline vf vf_load_f16(const void *p) {
    uint16x4_t bits;
    memcpy(&bits, p, 8);
    return vcvt_f32_f16(vreinterpret_f16_u16(bits));
}
static inline vf vf_load_bf16(const void *p) {
    uint16x4_t bits;
    memcpy(&bits, p, 8);
    return vreinterpretq_f32_u32(vshll_n_u16(bits, 16));
}
static inline vf vf_load_int8(const void *p) {
    int8x8_t bytes = {0};
    memcpy(&bytes, p, 4);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(bytes))));
}
static inline float vf_block_scale(const void *block) { // of Q8_0
    ck_half bits;
    memcpy(&bits, block, 2);
    return ck_half_to_float(bits);
}
static inline vf vf_load_e5m2(const void *p) {
    const uint8_t *b = p;
    float lanes[VL] = {ck_e5m2_to_float(b[0]), ck_e5m2_to_float(b[1]), ck_e5m2_to_float(b[2]), ck_e5m2_to_float(b[3])};
    return vld1q_f32(lanes);
}
static inline vf vf_load_e4m3(const void *p) {
    const uint8_t *b = p;
    float lanes[VL] = {ck_e4m3_to_float(b[0]), ck_e4m3_to_float(b[1]), ck_e4m3_to_float(b[2]), ck_e4m3_to_float(b[3])};
    return vld1q_f32(lanes);
}

static inline void vf_store_f16(void *p, vf v) {
    uint16x4_t bits = vreinterpret_u16_f16(vcvt_f16_f32(v));
    memcpy(p, &bits, 8);
}
static inline void vf_store_bf16(void *p, vf v) {
    float lanes[VL];
    vst1q_f32(lanes, v);
    for (int i = 0; i < VL; ++i) {
        uint16_t bits = ck_float_to_bfloat(lanes[i]);
        memcpy((uint8_t *)p + 2 * i, &bits, 2);
    }
}

// Nearest even int8 of VL values in -127...127; returns their sum.
static inline int vf_store_int8(int8_t *p, vf v) {
    int32x4_t q = vcvtnq_s32_f32(v);
    for (int i = 0; i < VL; ++i) p[i] = (int8_t)q[i];
    return vaddvq_s32(q);
}

// out[i] = sum of the lanes of v[i], i < 4; the order of adding is the same for each.
static inline void vf_sum4(const vf v[4], float *out) {
    vst1q_f32(out, vpaddq_f32(vpaddq_f32(v[0], v[1]), vpaddq_f32(v[2], v[3])));
}

// rows [VL][stride] → columns [VL][out_stride].
static inline void vf_transpose(const float *in, int64_t stride, float *out, int64_t out_stride) {
    float32x4x2_t a = vtrnq_f32(vld1q_f32(in), vld1q_f32(in + stride));
    float32x4x2_t b = vtrnq_f32(vld1q_f32(in + 2 * stride), vld1q_f32(in + 3 * stride));
    vst1q_f32(out, vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0])));
    vst1q_f32(out + out_stride, vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1])));
    vst1q_f32(out + 2 * out_stride, vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0])));
    vst1q_f32(out + 3 * out_stride, vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1])));
}
