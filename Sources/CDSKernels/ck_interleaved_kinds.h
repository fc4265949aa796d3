// The kinds of interleaved integer products (ck_tiles.h), which every tier offers for the same formats.
#ifndef CK_INTERLEAVED_KINDS_H
#define CK_INTERLEAVED_KINDS_H

#include "ck_tiles.h"

// kind(name, columns of a block, type) for each format.
#define CK_EACH_INTERLEAVED(kind)                                                                                      \
    kind(q8_0, 32, Q8_0) kind(q4_0, 32, Q4_0) kind(q5_0, 32, Q5_0) kind(q4_k, 256, Q4_K) kind(q5_k, 256, Q5_K)         \
        kind(q6_k, 256, Q6_K)

// For tiers with steps of 1...4 activation rows, from words or from panels. Before it: STEP_OF(type, panel, rows)
// defines step_type_panel_rows; few, pack, chunk_row, STEP and MOST.
#define CK_STEPS_OF(type, panel)                                                                                       \
    STEP_OF(type, panel, 1)                                                                                            \
    STEP_OF(type, panel, 2)                                                                                            \
    STEP_OF(type, panel, 3)                                                                                            \
    STEP_OF(type, panel, 4)
#define CK_STEP_NAMES(type, panel)                                                                                     \
    { step_##type##_##panel##_1, step_##type##_##panel##_2, step_##type##_##panel##_3, step_##type##_##panel##_4 }
#define CK_KIND_OF_STEPS(tier, name, width, type)                                                                      \
    CK_STEPS_OF(type, 0)                                                                                               \
    CK_STEPS_OF(type, 1)                                                                                               \
    static void few_##name(const uint8_t *tile, int64_t k, const void *x, int tokens, float *acc) {                    \
        static step *const steps[2][STEP] = {CK_STEP_NAMES(type, 0), CK_STEP_NAMES(type, 1)};                          \
        few(CK_##type, steps, tile, k, x, tokens, acc);                                                                \
    }                                                                                                                  \
    static void pack_##name(const uint8_t *act, int64_t k, int64_t chunk, int blocks, void *x) {                       \
        pack(CK_##type, act, k, chunk, blocks, x);                                                                     \
    }                                                                                                                  \
    const ck_tile_kind ck_kind_interleaved_##name##_##tier = {                                                         \
        .act_format = width == 32 ? CK_ACT_Q8_32 : CK_ACT_Q8_256,                                                      \
        .tile_tokens = MOST,                                                                                           \
        .packed_bytes = sizeof(chunk_row),                                                                             \
        .pack = pack_##name,                                                                                           \
        .few = few_##name,                                                                                             \
        .finish = ck_finish_##tier,                                                                                    \
    };

#endif
