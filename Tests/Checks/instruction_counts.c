// Single kernel calls of the AVX2 tier, counted by callgrind (test_instruction_counts.py). Inputs come from a fixed
// seed and lie on pages, so that every run executes the same instructions. Prints "case<TAB>work<TAB>unit" for each.
#include "CDSKernels.h"
#include "ck_blocks.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <valgrind/callgrind.h>

// Executes `call` with the counter running and dumps what it took under the name of the case.
#define COUNT(work, unit, call, ...)                                                                                   \
    do {                                                                                                               \
        char name[80];                                                                                                 \
        snprintf(name, sizeof name, __VA_ARGS__);                                                                      \
        CALLGRIND_START_INSTRUMENTATION;                                                                               \
        call;                                                                                                          \
        CALLGRIND_STOP_INSTRUMENTATION;                                                                                \
        CALLGRIND_DUMP_STATS_AT(name);                                                                                 \
        printf("%s\t%lld\t%s\n", name, (long long)(work), unit);                                                       \
    } while (0)

static const ck_kernels *kernels;
static ck_share share = {.worker = 0, .count = 1, .scratch_bytes = CK_SCRATCH_BYTES};

static uint64_t state = 88172645463325252u;
static uint32_t next_random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

static void *allocate(int64_t bytes) { // zeros
    void *p = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) abort();
    return p;
}

static float *random_floats(int64_t n) { // -1...1
    float *p = allocate(4 * n);
    for (int64_t i = 0; i < n; ++i) p[i] = (float)next_random() / 2147483648.0f - 1;
    return p;
}

static uint8_t *random_rows(int32_t type, int64_t rows, int64_t n) {
    float *x = random_floats(n);
    uint8_t *p = allocate(rows * ck_row_bytes(type, n));
    for (int64_t r = 0; r < rows; ++r) {
        for (int64_t i = 0; i < n; ++i) x[i] = (float)next_random() / 2147483648.0f - 1;
        ck_quantize_row(type, x, p + r * ck_row_bytes(type, n), n);
    }
    return p;
}

// MARK: Products

typedef struct format {
    int32_t type;
    const char *name;
} format;

static const format formats[] = {{CK_Q8_0, "q8_0"}, {CK_Q4_0, "q4_0"}, {CK_Q5_0, "q5_0"}, {CK_Q4_K, "q4_k"},
                                 {CK_Q5_K, "q5_k"}, {CK_Q6_K, "q6_k"}, {CK_BF16, "bf16"}};

// No product looks at the values of weights, so formats that nobody here quantises stay zeros.
static ck_matrix matrix(int32_t type, int32_t n, int32_t k) {
    ck_matrix m = {.row_bytes = ck_row_bytes(type, k), .type = type, .n = n, .k = k};
    m.data = random_rows(type, n, k);
    return m;
}

static ck_matrix interleave(ck_matrix plain) {
    uint8_t *copy = allocate(ck_interleaved_bytes(plain.n, plain.row_bytes));
    ck_interleave(plain.type, plain.data, plain.row_bytes, plain.n, plain.k, copy, &share);
    ck_matrix m = plain;
    m.data = copy;
    m.type += CK_INTERLEAVED;
    m.row_bytes = ck_interleaved_row_bytes(plain.row_bytes);
    return m;
}

static void product(const char *layout, const char *format, const ck_matrix *weight, const ck_matrix *up, int rows) {
    int32_t acts = kernels->activation_format(weight->type);
    int64_t k = weight->k, n = weight->n, stride = ck_activation_row_bytes(acts, k);
    ck_quantize_rows_args quantize = {
        random_floats(rows * k), k, allocate(rows * stride), stride, rows, (int32_t)k, acts};
    kernels->quantize_rows(&quantize, &share);
    ck_gemm_args a = {.weight = *weight,
                      .act = quantize.out,
                      .act_stride = stride,
                      .out = allocate(4 * rows * n),
                      .out_stride = n,
                      .rows = rows,
                      .in_divisor = 1};
    if (up) a.up = *up;
    COUNT(n * k * rows * (up ? 2 : 1), "multiply-add", kernels->gemm(&a, &share), "%s %s %lld x %lld, %d rows%s",
          layout, format, (long long)n, (long long)k, rows, up ? ", gate and up" : "");
}

static void products(void) {
    static const int interleaved_rows[] = {1, 2, 4, 8, 48}, plain_rows[] = {1, 16};
    for (size_t f = 0; f < sizeof formats / sizeof *formats; ++f) {
        ck_matrix plain = matrix(formats[f].type, 96, 1536), interleaved = interleave(plain);
        for (int i = 0; i < 5; ++i) product("interleaved", formats[f].name, &interleaved, NULL, interleaved_rows[i]);
        product("interleaved", formats[f].name, &interleaved, &interleaved, 1);
        for (int i = 0; i < 2; ++i) product("rows", formats[f].name, &plain, NULL, plain_rows[i]);
    }
}

static void head_transposed(void) {
    ck_matrix weight = matrix(CK_BF16, 128, 512); // of every head
    weight.n = 512;
    weight.k = 128;
    ck_head_transposed_args a = {.weight = weight,
                                 .head_bytes = 0,
                                 .x = random_floats(16 * 128),
                                 .x_stride = 16 * 128,
                                 .x_head_stride = 128,
                                 .out = allocate(16 * 512 * 4),
                                 .out_stride = 16 * 512,
                                 .out_head_stride = 512,
                                 .rows = 1,
                                 .heads = 16};
    COUNT(16 * 128 * 512, "multiply-add", kernels->head_transposed(&a, &share), "head transposed bf16 16 x 128 x 512");
}

// MARK: Attention

typedef struct shape {
    const char *name;
    int32_t heads, kv_heads, dk, dv, prompt; // prompt: query rows that fill two tiles
    int latent;                              // values are the first part of keys
} shape;

enum { KEYS = 512, ITEMS = 4 }; // ITEMS: what the engine gives two workers

static void attention(const shape *s, int32_t type, const char *type_name, int decoded) {
    int32_t rows = decoded ? 1 : s->prompt;
    int64_t k_bytes = ck_row_bytes(type, s->kv_heads * s->dk), v_bytes = ck_row_bytes(type, s->kv_heads * s->dv);
    uint8_t *keys = random_rows(type, KEYS, s->kv_heads * s->dk);
    ck_sequence sequence = {.query_count = rows, .context_length = KEYS};
    ck_attention_args a = {.q = random_floats((int64_t)rows * s->heads * s->dk),
                           .q_stride = s->heads * s->dk,
                           .k = keys,
                           .v = s->latent ? keys : random_rows(type, KEYS, s->kv_heads * s->dv),
                           .k_row_bytes = k_bytes,
                           .v_row_bytes = s->latent ? k_bytes : v_bytes,
                           .k_type = type,
                           .v_type = type,
                           .out = allocate((int64_t)rows * s->heads * s->dv * 4),
                           .out_stride = s->heads * s->dv,
                           .sequences = &sequence,
                           .sequence_count = 1,
                           .heads = s->heads,
                           .kv_heads = s->kv_heads,
                           .dk = s->dk,
                           .dv = s->dv,
                           .scale = 0.1f,
                           .ranged_from = decoded ? 0 : 1,
                           .partial_items = decoded ? ITEMS : 0,
                           .partials = allocate(ITEMS * ck_attention_partial(s->dv) * 4),
                           .arrivals = allocate(ITEMS * 4)};
    COUNT((int64_t)rows * s->heads * KEYS * (s->dk + s->dv), "multiply-add", kernels->attention(&a, &share),
          "attention %s %s, %d of %d keys", s->name, type_name, rows, KEYS);
}

static void attentions(void) {
    static const shape shapes[] = {{"12/2 x 128", 12, 2, 128, 128, 10, 0},
                                   {"latent 16 x 512+64", 16, 1, 576, 512, 8, 1}};
    for (int s = 0; s < 2; ++s)
        for (int decoded = 1; decoded >= 0; --decoded) {
            attention(&shapes[s], CK_F16, "f16", decoded);
            attention(&shapes[s], CK_Q8_0, "q8_0", decoded);
        }
}

// MARK: Rows

enum { ROWS = 4, WIDTH = 1536 };

static void operators(void) {
    float *x = random_floats(ROWS * WIDTH), *y = random_floats(ROWS * WIDTH), *out = allocate(ROWS * WIDTH * 4);
    const char *unit = "element";
    ck_norm_args norm = {.x = x,
                         .sum = y,
                         .out = out,
                         .weight = random_floats(WIDTH),
                         .x_stride = WIDTH,
                         .residual_stride = WIDTH,
                         .sum_stride = WIDTH,
                         .out_stride = WIDTH,
                         .rows = ROWS,
                         .n = WIDTH,
                         .eps = 1e-6f};
    COUNT(ROWS * WIDTH, unit, kernels->rms_norm(&norm, &share), "rms norm 4 x 1536");
    norm.residual = y;
    COUNT(ROWS * WIDTH, unit, kernels->rms_norm(&norm, &share), "rms norm 4 x 1536 with residual");

    static const int32_t positions[ROWS] = {0, 1, 100, 4000};
    float *frequencies = random_floats(64);
    for (int style = CK_ROPE_INTERLEAVED; style <= CK_ROPE_HALF_SPLIT; ++style) {
        ck_rope_args rope = {x, out, positions, frequencies, WIDTH, 128, WIDTH, 128, ROWS, 12, 128, 0, 128, style, 1};
        COUNT(ROWS * WIDTH, unit, kernels->rope(&rope, &share), "rope 4 x 12 x 128, %s",
              style == CK_ROPE_INTERLEAVED ? "interleaved" : "half split");
    }
    for (int acts = CK_ACT_Q8_32; acts <= CK_ACT_Q8_256; ++acts) {
        int64_t stride = ck_activation_row_bytes(acts, WIDTH);
        ck_quantize_rows_args quantize = {x, WIDTH, allocate(ROWS * stride), stride, ROWS, WIDTH, acts};
        COUNT(ROWS * WIDTH, unit, kernels->quantize_rows(&quantize, &share), "quantise 4 x 1536, blocks of %d",
              acts == CK_ACT_Q8_32 ? 32 : 256);
    }
    ck_gated_args gated = {x, y, out, WIDTH, WIDTH, WIDTH, ROWS, WIDTH, CK_UNARY_SILU};
    COUNT(ROWS * WIDTH, unit, kernels->gated(&gated, &share), "silu gate 4 x 1536");
    ck_softmax_args softmax = {x, out, WIDTH, WIDTH, ROWS, WIDTH, 1};
    COUNT(ROWS * WIDTH, unit, kernels->softmax(&softmax, &share), "softmax 4 x 1536");
    float sum = 0;
    COUNT(ROWS * WIDTH, unit, sum = kernels->log_sum_exp(x, ROWS * WIDTH), "log-sum-exp 6144");
    if (!(sum > 0)) abort();
    ck_store_rows_args store = {x, WIDTH, allocate(ROWS * WIDTH * 2), WIDTH * 2, NULL, ROWS, WIDTH, CK_F16};
    COUNT(ROWS * WIDTH, unit, kernels->store_rows(&store, &share), "store 4 x 1536 as f16");
    ck_combine_args combine = {.y = x,
                               .weights = y,
                               .out = out,
                               .y_stride = WIDTH / 4,
                               .rows = ROWS,
                               .top_k = 4,
                               .n = WIDTH / 4,
                               .out_stride = WIDTH / 4};
    COUNT(ROWS * WIDTH, "multiply-add", kernels->combine(&combine, &share), "combine 4 x 4 x 384");
}

static void routing(void) {
    int32_t ids[ROWS * 8];
    float weights[ROWS * 8], *logits = random_floats(ROWS * 256), *bias = random_floats(256);
    ck_route_args softmax = {.logits = logits,
                             .logits_stride = 64,
                             .ids = ids,
                             .weights = weights,
                             .rows = ROWS,
                             .experts = 64,
                             .top_k = 6,
                             .scale = 1};
    COUNT(ROWS * 64, "expert", ck_route(&softmax, &share), "route softmax 4 rows, 6 of 64");
    ck_route_args sigmoid = {.logits = logits,
                             .logits_stride = 256,
                             .bias = bias,
                             .ids = ids,
                             .weights = weights,
                             .rows = ROWS,
                             .experts = 256,
                             .top_k = 8,
                             .scoring = CK_SCORE_SIGMOID,
                             .group_score = CK_GROUP_SUM_OF_TOP_2,
                             .group_count = 8,
                             .top_groups = 4,
                             .normalize = 1,
                             .scale = 2.5f};
    COUNT(ROWS * 256, "expert", ck_route(&sigmoid, &share), "route sigmoid 4 rows, 8 of 256 in 4 of 8 groups");
    int32_t offsets[257], sorted[ROWS * 8];
    ck_group_args group = {ids, offsets, sorted, ROWS * 8, 256};
    COUNT(ROWS * 8, "slot", ck_group_by_expert(&group), "group 32 slots by 256 experts");
}

int main(void) {
    kernels = ck_kernels_for(CK_TIER_AVX2);
    if (!kernels) return 3;
    share.scratch = allocate(CK_SCRATCH_BYTES);
    products();
    head_transposed();
    attentions();
    operators();
    routing();
    return 0;
}
