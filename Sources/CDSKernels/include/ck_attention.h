// Causal attention over paged or contiguous key and value rows.
#ifndef CK_ATTENTION_H
#define CK_ATTENTION_H

#include "ck_base.h"

// One sequence of a ragged batch: query rows query_start..<query_start + query_count are its last positions.
typedef struct ck_sequence {
    int32_t query_start, query_count;
    int32_t context_length; // key rows, including those of the queries themselves
    int32_t key_start;      // first key row when blocks is NULL
    const int32_t *blocks;  // [ceil(context_length / block_size)] or NULL: contiguous keys
} ck_sequence;

// Query row i of a sequence sees keys 0...context_length - query_count + i, and with window > 0 the last `window` of
// them. Keys are visited in chunks of fixed size from key 0, so results do not depend on the batch or on how a prompt
// was cut.
//
// Sequences from `ranged_from` on are decoded: their keys are cut into at most CK_ATTENTION_RANGES ranges, whose
// results are merged in order. The ranges follow from the context's length alone, so it does not change a bit whether
// one worker computes them or several, which happens where there are at most `partial_items` groups of lines.
enum { CK_ATTENTION_RANGES = 16, CK_ATTENTION_LINES = 16 };

// Floats of one item's partial results: greatest score and sum of weights of each line, then its values.
static inline int64_t ck_attention_partial(int64_t dv) {
    return (int64_t)CK_ATTENTION_RANGES * CK_ATTENTION_LINES * ((dv + 15) / 16 * 16 + 2);
}

typedef struct ck_attention_args {
    const float *q; // [rows, q_stride], head h at h * dk
    int64_t q_stride;
    const uint8_t *k, *v; // key row of slot s at k + s * k_row_bytes, kv head g at g * dk elements
    int64_t k_row_bytes, v_row_bytes;
    int32_t k_type, v_type; // F32, F16, BF16 or Q8_0, whose blocks lie inside a head
    float *out;             // [rows, out_stride], head h at h * dv
    int64_t out_stride;
    const ck_sequence *sequences; // [sequence_count]
    int32_t sequence_count;
    int32_t heads, kv_heads, dk, dv, block_size, window;
    float scale;
    int32_t ranged_from;
    int32_t partial_items;
    float *partials;   // [partial_items, ck_attention_partial(dv)]
    int32_t *arrivals; // [partial_items] zeros, before and after
} ck_attention_args;

#endif
