// The function tables, and which of them this machine can run.
#include "ck_table.h"
#include "ck_features.h"
#include "ck_reference.h"
#include "ck_repack.h"
#include "ck_tiers.h"

const ck_kernels ck_kernels_reference = {
    .tier = CK_TIER_REFERENCE,
    .activation_format = ck_activation_format_reference,
    .quantize_rows = ck_quantize_rows_reference,
    .gemm = ck_gemm_reference,
    .head_transposed = ck_head_transposed_reference,
    .attention = ck_attention_reference,
    .rms_norm = ck_rms_norm_reference,
    .layer_norm = ck_layer_norm_reference,
    .rope = ck_rope_reference,
    .unary = ck_unary_reference,
    .binary = ck_binary_reference,
    .gated = ck_gated_reference,
    .softmax = ck_softmax_reference,
    .combine = ck_combine_reference,
    .store_rows = ck_store_rows_reference,
    .log_sum_exp = ck_log_sum_exp_reference,
};

#if defined(__x86_64__) || defined(__aarch64__)
static int32_t activation_format(int32_t type) {
    switch (type & (CK_INTERLEAVED - 1)) {
    case CK_Q4_0:
    case CK_Q4_1:
    case CK_Q5_0:
    case CK_Q5_1:
    case CK_Q8_0:
    case CK_IQ4_NL:
    case CK_MXFP4:
        return CK_ACT_Q8_32;
    case CK_Q2_K:
    case CK_Q3_K:
    case CK_Q4_K:
    case CK_Q5_K:
    case CK_Q6_K:
    case CK_IQ4_XS:
        return CK_ACT_Q8_256;
    default:
        return CK_ACT_F32;
    }
}

#define CK_GEMM_ROWS(name)                                                                                             \
    static void gemm_rows_##name(const ck_gemm_args *args, const ck_share *share) {                                    \
        switch (args->weight.type) {                                                                                   \
        case CK_Q4_0:                                                                                                  \
            ck_gemm_tiles(&ck_kind_q4_0_##name, args, share);                                                          \
            break;                                                                                                     \
        case CK_Q4_1:                                                                                                  \
            ck_gemm_tiles(&ck_kind_q4_1_##name, args, share);                                                          \
            break;                                                                                                     \
        case CK_Q5_0:                                                                                                  \
            ck_gemm_tiles(&ck_kind_q5_0_##name, args, share);                                                          \
            break;                                                                                                     \
        case CK_Q5_1:                                                                                                  \
            ck_gemm_tiles(&ck_kind_q5_1_##name, args, share);                                                          \
            break;                                                                                                     \
        case CK_Q8_0:                                                                                                  \
            ck_gemm_tiles(&ck_kind_q8_0_##name, args, share);                                                          \
            break;                                                                                                     \
        case CK_IQ4_NL:                                                                                                \
            ck_gemm_tiles(&ck_kind_iq4_nl_##name, args, share);                                                        \
            break;                                                                                                     \
        case CK_MXFP4:                                                                                                 \
            ck_gemm_tiles(&ck_kind_mxfp4_##name, args, share);                                                         \
            break;                                                                                                     \
        case CK_Q2_K:                                                                                                  \
            ck_gemm_tiles(&ck_kind_q2_k_##name, args, share);                                                          \
            break;                                                                                                     \
        case CK_Q3_K:                                                                                                  \
            ck_gemm_tiles(&ck_kind_q3_k_##name, args, share);                                                          \
            break;                                                                                                     \
        case CK_Q4_K:                                                                                                  \
            ck_gemm_tiles(&ck_kind_q4_k_##name, args, share);                                                          \
            break;                                                                                                     \
        case CK_Q5_K:                                                                                                  \
            ck_gemm_tiles(&ck_kind_q5_k_##name, args, share);                                                          \
            break;                                                                                                     \
        case CK_Q6_K:                                                                                                  \
            ck_gemm_tiles(&ck_kind_q6_k_##name, args, share);                                                          \
            break;                                                                                                     \
        case CK_IQ4_XS:                                                                                                \
            ck_gemm_tiles(&ck_kind_iq4_xs_##name, args, share);                                                        \
            break;                                                                                                     \
        default:                                                                                                       \
            ck_gemm_float_##name(args, share);                                                                         \
            break;                                                                                                     \
        }                                                                                                              \
    }

#define CK_TIER_TABLE(table, name, number)                                                                             \
    static void gemm_##table(const ck_gemm_args *args, const ck_share *share) {                                        \
        if (!gemm_interleaved_##table(args, share)) gemm_rows_##name(args, share);                                     \
    }                                                                                                                  \
    static const ck_kernels kernels_##table = {                                                                        \
        .tier = number,                                                                                                \
        .activation_format = activation_format,                                                                        \
        .quantize_rows = ck_quantize_rows_##name,                                                                      \
        .gemm = gemm_##table,                                                                                          \
        .head_transposed = ck_head_transposed_##name,                                                                  \
        .attention = ck_attention_##name,                                                                              \
        .rms_norm = ck_rms_norm_##name,                                                                                \
        .layer_norm = ck_layer_norm_##name,                                                                            \
        .rope = ck_rope_##name,                                                                                        \
        .unary = ck_unary_##name,                                                                                      \
        .binary = ck_binary_##name,                                                                                    \
        .gated = ck_gated_##name,                                                                                      \
        .softmax = ck_softmax_##name,                                                                                  \
        .combine = ck_combine_##name,                                                                                  \
        .store_rows = ck_store_rows_##name,                                                                            \
        .log_sum_exp = ck_log_sum_exp_##name,                                                                          \
    };

#define CK_INTERLEAVED_TABLE(table, name, floats)                                                                      \
    static int32_t gemm_interleaved_##table(const ck_gemm_args *args, const ck_share *share) {                         \
        switch (args->weight.type - CK_INTERLEAVED) {                                                                  \
        case CK_BF16:                                                                                                  \
            ck_gemm_interleaved_bf16_##floats(args, share);                                                            \
            return 1;                                                                                                  \
        case CK_Q8_0:                                                                                                  \
            ck_gemm_tiles(&ck_kind_interleaved_q8_0_##name, args, share);                                              \
            return 1;                                                                                                  \
        case CK_Q4_0:                                                                                                  \
            ck_gemm_tiles(&ck_kind_interleaved_q4_0_##name, args, share);                                              \
            return 1;                                                                                                  \
        case CK_Q5_0:                                                                                                  \
            ck_gemm_tiles(&ck_kind_interleaved_q5_0_##name, args, share);                                              \
            return 1;                                                                                                  \
        case CK_Q4_K:                                                                                                  \
            ck_gemm_tiles(&ck_kind_interleaved_q4_k_##name, args, share);                                              \
            return 1;                                                                                                  \
        case CK_Q5_K:                                                                                                  \
            ck_gemm_tiles(&ck_kind_interleaved_q5_k_##name, args, share);                                              \
            return 1;                                                                                                  \
        case CK_Q6_K:                                                                                                  \
            ck_gemm_tiles(&ck_kind_interleaved_q6_k_##name, args, share);                                              \
            return 1;                                                                                                  \
        default:                                                                                                       \
            return 0;                                                                                                  \
        }                                                                                                              \
    }

// `table`: the kernels of `name` with interleaved products, integer ones of `integers` and BF16 ones of `floats`.
#define CK_TIER(table, integers, floats, name, number)                                                                 \
    CK_INTERLEAVED_TABLE(table, integers, floats)                                                                      \
    CK_TIER_TABLE(table, name, number)

#if defined(__x86_64__)
CK_GEMM_ROWS(avx2)
CK_GEMM_ROWS(avx512)
CK_TIER(avx2, avx2, avx2, avx2, CK_TIER_AVX2)
CK_TIER(avx512, avx512, avx512, avx512, CK_TIER_AVX512)
CK_TIER(avx512_bf16, avx512, dot_avx512, avx512, CK_TIER_AVX512)
#else
CK_GEMM_ROWS(neon)
CK_TIER(neon, neon, neon, neon, CK_TIER_NEON)
CK_TIER(i8mm, i8mm, neon, neon, CK_TIER_NEON)
#endif
#endif

const ck_kernels *ck_kernels_for(int32_t tier) {
    if (tier == CK_TIER_REFERENCE) return &ck_kernels_reference;
#if defined(__x86_64__)
    uint32_t features = ck_features(), wide = CK_FEATURE_AVX512 | CK_FEATURE_AVX512_VNNI;
    if (tier == CK_TIER_AVX2 && (features & CK_FEATURE_AVX2)) return &kernels_avx2;
    if (tier == CK_TIER_AVX512 && (features & wide) == wide)
        return features & CK_FEATURE_AVX512_BF16 ? &kernels_avx512_bf16 : &kernels_avx512;
#elif defined(__aarch64__)
    uint32_t features = ck_features();
    if (tier == CK_TIER_NEON && (features & CK_FEATURE_DOTPROD))
        return features & CK_FEATURE_I8MM ? &kernels_i8mm : &kernels_neon;
#endif
    return NULL;
}
