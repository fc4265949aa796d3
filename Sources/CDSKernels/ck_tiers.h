// What the tiers' files offer to the tables.
#ifndef CK_TIERS_H
#define CK_TIERS_H

#include "ck_attention.h"
#include "ck_operators.h"
#include "ck_quantize.h"
#include "ck_tiles.h"

#define CK_DECLARE_KINDS(tier)                                                                                         \
    extern const ck_tile_kind ck_kind_q4_0_##tier, ck_kind_q4_1_##tier, ck_kind_q5_0_##tier, ck_kind_q5_1_##tier,      \
        ck_kind_q8_0_##tier, ck_kind_iq4_nl_##tier, ck_kind_mxfp4_##tier, ck_kind_q2_k_##tier, ck_kind_q3_k_##tier,    \
        ck_kind_q4_k_##tier, ck_kind_q5_k_##tier, ck_kind_q6_k_##tier, ck_kind_iq4_xs_##tier;

#define CK_DECLARE_TIER(tier)                                                                                          \
    CK_DECLARE_KINDS(tier)                                                                                             \
    void ck_gemm_float_##tier(const ck_gemm_args *, const ck_share *);                                                 \
    void ck_finish_##tier(const ck_gemm_args *, const float *acc, const float *acc_up, int64_t n, int width,           \
                          float *out);                                                                                 \
    void ck_head_transposed_##tier(const ck_head_transposed_args *, const ck_share *);                                 \
    void ck_quantize_rows_##tier(const ck_quantize_rows_args *, const ck_share *);                                     \
    void ck_attention_##tier(const ck_attention_args *, const ck_share *);                                             \
    void ck_rms_norm_##tier(const ck_norm_args *, const ck_share *);                                                   \
    void ck_layer_norm_##tier(const ck_norm_args *, const ck_share *);                                                 \
    void ck_rope_##tier(const ck_rope_args *, const ck_share *);                                                       \
    void ck_unary_##tier(const ck_unary_args *, const ck_share *);                                                     \
    void ck_binary_##tier(const ck_binary_args *, const ck_share *);                                                   \
    void ck_gated_##tier(const ck_gated_args *, const ck_share *);                                                     \
    void ck_softmax_##tier(const ck_softmax_args *, const ck_share *);                                                 \
    void ck_combine_##tier(const ck_combine_args *, const ck_share *);                                                 \
    void ck_store_rows_##tier(const ck_store_rows_args *, const ck_share *);                                           \
    float ck_log_sum_exp_##tier(const float *x, int64_t n);

#define CK_DECLARE_INTERLEAVED_KINDS(tier)                                                                             \
    extern const ck_tile_kind ck_kind_interleaved_q8_0_##tier, ck_kind_interleaved_q4_0_##tier,                        \
        ck_kind_interleaved_q5_0_##tier, ck_kind_interleaved_q4_k_##tier, ck_kind_interleaved_q5_k_##tier,             \
        ck_kind_interleaved_q6_k_##tier;

#define CK_DECLARE_INTERLEAVED(tier)                                                                                   \
    CK_DECLARE_INTERLEAVED_KINDS(tier)                                                                                 \
    void ck_gemm_interleaved_bf16_##tier(const ck_gemm_args *, const ck_share *);

CK_DECLARE_INTERLEAVED(avx2)
CK_DECLARE_INTERLEAVED(avx512)
void ck_gemm_interleaved_bf16_dot_avx512(const ck_gemm_args *, const ck_share *);
CK_DECLARE_INTERLEAVED(neon)
CK_DECLARE_INTERLEAVED_KINDS(i8mm) // the NEON tier with products of 2 x 8 matrices
CK_DECLARE_TIER(avx2)
CK_DECLARE_TIER(avx512)
CK_DECLARE_TIER(neon)

#endif
