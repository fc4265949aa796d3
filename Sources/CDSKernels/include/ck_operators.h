// Row-wise operators on float activations.
#ifndef CK_OPERATORS_H
#define CK_OPERATORS_H

#include "ck_base.h"

// RMS norm: out = x * rsqrt(mean(x²) + eps) * weight. Layer norm: out = (x - mean) * rsqrt(var + eps) * weight + bias.
// With `residual`, x + residual is normalised and also written to `sum`. Weights may be NULL (ones).
typedef struct ck_norm_args {
    const float *x;        // [rows, x_stride]
    const float *residual; // [rows, residual_stride] or NULL
    float *sum;            // [rows, sum_stride], may be x or residual itself; needed with residual
    float *out;            // [rows, out_stride], may be x
    const float *weight;   // [n] or NULL
    const float *bias;     // [n] or NULL
    int64_t x_stride, residual_stride, sum_stride, out_stride;
    int32_t rows, n;
    float eps;
} ck_norm_args;

enum { CK_ROPE_INTERLEAVED = 0, CK_ROPE_HALF_SPLIT = 1 };

// Rotates `rotary` values from `offset` of every head by position * frequency; the other values are copied.
typedef struct ck_rope_args {
    const float *x;           // [rows, x_stride], head h at h * x_head_stride
    float *out;               // likewise; may be x
    const int32_t *positions; // [rows]
    const float *frequencies; // [rotary / 2] radians per position
    int64_t x_stride, x_head_stride, out_stride, out_head_stride;
    int32_t rows, heads, head_dim, offset, rotary, style;
    float attention_factor; // multiplies cosine and sine
} ck_rope_args;

enum {
    CK_UNARY_COPY = 0,
    CK_UNARY_SILU,
    CK_UNARY_GELU,
    CK_UNARY_GELU_TANH,
    CK_UNARY_SIGMOID,
    CK_UNARY_EXP,
    CK_UNARY_TANH,
    CK_UNARY_RELU,
    CK_UNARY_SQRT,
    CK_UNARY_RSQRT,
    CK_UNARY_NEG,
    CK_UNARY_ABS,
    CK_UNARY_SQUARE,
    CK_UNARY_SOFTPLUS,
    CK_UNARY_LOG,
    CK_UNARY_RECIPROCAL,
};

typedef struct ck_unary_args {
    const float *x; // [rows, x_stride]
    float *out;     // [rows, out_stride], may be x
    int64_t x_stride, out_stride;
    int32_t rows, n, operation;
} ck_unary_args;

enum { CK_BINARY_ADD = 0, CK_BINARY_SUB, CK_BINARY_MUL, CK_BINARY_DIV, CK_BINARY_MAX, CK_BINARY_MIN };

// out[r, i] = a[r, i] op b[r, i]. A stride of 0 broadcasts a row; an element step of 0 broadcasts one value along it.
typedef struct ck_binary_args {
    const float *a, *b;
    float *out; // [rows, out_stride], may be a or b
    int64_t a_stride, b_stride, out_stride;
    int32_t a_step, b_step; // 0 or 1
    int32_t rows, n, operation;
} ck_binary_args;

// out = act(gate) * up.
typedef struct ck_gated_args {
    const float *gate, *up; // [rows, stride]
    float *out;
    int64_t gate_stride, up_stride, out_stride;
    int32_t rows, n, operation; // CK_UNARY_ value of act
} ck_gated_args;

typedef struct ck_softmax_args {
    const float *x;
    float *out; // may be x
    int64_t x_stride, out_stride;
    int32_t rows, n;
    float scale; // multiplies x first
} ck_softmax_args;

// out[t] = base[t] + Σ_j weights[t, j] * y[t * top_k + j], j ascending.
typedef struct ck_combine_args {
    const float *y;       // [rows * top_k, y_stride]
    const float *weights; // [rows, top_k]
    const float *base;    // [rows, base_stride] or NULL
    float *out;           // [rows, out_stride], may be base
    int64_t y_stride, base_stride, out_stride;
    int32_t rows, top_k, n;
} ck_combine_args;

// Converts float rows to F32, F16, BF16 or Q8_0 and writes row r to row slots[r] of `out`; a negative slot is skipped.
typedef struct ck_store_rows_args {
    const float *x; // [rows, x_stride]
    int64_t x_stride;
    uint8_t *out; // [slots, out_row_bytes]
    int64_t out_row_bytes;
    const int32_t *slots; // [rows] or NULL: identity
    int32_t rows, n, type;
} ck_store_rows_args;

// out[i] = row ids[i] of a table in any format, as floats. An id outside 0..<table_rows gives a row of NaN.
typedef struct ck_gather_args {
    const uint8_t *table; // [table_rows, row_bytes]
    int64_t row_bytes;
    const int32_t *ids; // [rows] or NULL: identity
    float *out;         // [rows, out_stride]
    int64_t out_stride;
    const float *scales; // block scales or NULL
    int32_t block_rows, block_columns;
    int32_t type, rows, n, table_rows;
} ck_gather_args;

void ck_gather_rows(const ck_gather_args *args, const ck_share *share);

// Copies float rows: out[out_rows[i]] = x[x_rows[i]] (NULL: i).
typedef struct ck_copy_args {
    const float *x;
    float *out;
    const int32_t *x_rows, *out_rows; // [rows] or NULL
    int64_t x_stride, out_stride;
    int32_t rows, n;
} ck_copy_args;

void ck_copy_rows(const ck_copy_args *args, const ck_share *share);

int64_t ck_argmax(const float *x, int64_t n); // x [n]; lowest index of the greatest value, NaN never wins; -1 if n == 0

// The k greatest of x [n] in falling order (ties: lowest index first) → values [k], ids [k]; returns how many (<= k).
int64_t ck_top_k(const float *x, int64_t n, int64_t k, float *values, int32_t *ids);

#endif
