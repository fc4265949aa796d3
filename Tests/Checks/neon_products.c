// Products with interleaved weights on the NEON tier: bit for bit those of rows (BF16: the same for any number of
// rows), and near those of the definition. Prints the sub-tier and every difference; fails if there is one.
#include "ck_blocks.h"
#include "ck_features.h"
#include "ck_interleave.h"
#include "ck_reference.h"
#include "ck_repack.h"
#include "ck_table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int failures, compared;

static uint64_t state = 88172645463325252u;
static uint32_t next_random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}
static float uniform(void) { return (float)next_random() / 2147483648.0f - 1; } // -1...1

// Bytes that end where a page begins that must not be touched; kept until the program ends.
static void *allocate(int64_t bytes) {
    int64_t page = sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
    uint8_t *p = mmap(NULL, (size_t)(whole + page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + whole, (size_t)page, PROT_NONE) != 0) abort();
    memset(p, 0xff, (size_t)whole);
    return p + whole - bytes;
}

// Random bits, with factors that give finite numbers.
static uint8_t *random_weights(int32_t type, int64_t n, int64_t k) {
    int64_t bytes = n * ck_row_bytes(type, k);
    uint8_t *p = allocate(bytes);
    for (int64_t i = 0; i < bytes; ++i) p[i] = (uint8_t)next_random();
    if (type == CK_BF16)
        for (int64_t i = 0; i < n * k; ++i) {
            uint16_t bits = ck_float_to_bfloat(uniform());
            memcpy(p + 2 * i, &bits, 2);
        }
    int64_t block = type == CK_Q6_K ? 210 : ck_row_bytes(type, 256) / (type < CK_Q2_K ? 8 : 1);
    int two = type == CK_Q4_K || type == CK_Q5_K;
    for (int64_t b = 0; type != CK_BF16 && b < bytes / block; ++b)
        for (int i = 0; i <= two; ++i) {
            ck_half half = ck_float_to_half(0.02f * uniform());
            memcpy(p + b * block + (type == CK_Q6_K ? 208 : 2 * i), &half, 2);
        }
    return p;
}

typedef struct problem {
    const ck_kernels *kernels;
    ck_matrix plain, up, interleaved, interleaved_up;
    const uint8_t *act;
    int64_t act_stride;
    uint8_t *scratch;
} problem;

static void multiply(const problem *p, int interleaved, int up, int rows, int workers, float *out) {
    ck_gemm_args a = {.weight = interleaved ? p->interleaved : p->plain,
                      .act = p->act,
                      .act_stride = p->act_stride,
                      .out = out,
                      .out_stride = p->plain.n,
                      .rows = rows,
                      .in_divisor = 1};
    if (up) a.up = interleaved ? p->interleaved_up : p->up;
    for (int w = 0; w < workers; ++w) {
        ck_share share = {w, workers, p->scratch, CK_SCRATCH_BYTES};
        p->kernels->gemm(&a, &share);
    }
}

static ck_matrix interleave(ck_matrix plain) {
    uint8_t *copy = allocate(ck_interleaved_bytes(plain.n, plain.row_bytes));
    for (int w = 0; w < 3; ++w) {
        ck_share share = {w, 3, NULL, 0};
        ck_interleave(plain.type, plain.data, plain.row_bytes, plain.n, plain.k, copy, &share);
    }
    ck_matrix m = plain;
    m.data = copy;
    m.type += CK_INTERLEAVED;
    m.row_bytes = ck_interleaved_row_bytes(plain.row_bytes);
    return m;
}

static void fail(const char *what, const problem *p, int rows, int64_t i, float found, float wanted) {
    if (++failures <= 20)
        printf("type %d, %lld x %lld, %d rows: %s: element %lld is %a, expected %a\n", (int)p->plain.type,
               (long long)p->plain.n, (long long)p->plain.k, rows, what, (long long)i, (double)found, (double)wanted);
}

static void same_bits(const char *what, const problem *p, int rows, const float *found, const float *wanted) {
    compared += rows * (int)p->plain.n;
    for (int64_t i = 0; i < rows * (int64_t)p->plain.n; ++i)
        if (memcmp(found + i, wanted + i, 4) != 0) fail(what, p, rows, i, found[i], wanted[i]);
}

// Against the definition, eight standard deviations of rounding activations to int8, or float rounding.
static void near_definition(const problem *p, const float *x, int rows, const float *found) {
    int64_t n = p->plain.n, k = p->plain.k;
    float *wanted = allocate(rows * n * 4), *w = allocate(k * 4);
    ck_gemm_args a = {.weight = p->plain,
                      .act = (const uint8_t *)x,
                      .act_stride = k * 4,
                      .out = wanted,
                      .out_stride = n,
                      .rows = rows,
                      .in_divisor = 1};
    ck_share share = {0, 1, p->scratch, CK_SCRATCH_BYTES};
    ck_gemm_reference(&a, &share);
    for (int64_t r = 0; r < n; ++r) {
        ck_dequantize_row(p->plain.type, p->plain.data + r * p->plain.row_bytes, w, k);
        for (int64_t t = 0; t < rows; ++t) {
            double squares = 0, absolute = 0, most = 0;
            for (int64_t i = 0; i < k; ++i) {
                squares += (double)w[i] * w[i];
                absolute += fabs((double)w[i] * x[t * k + i]);
                most = fmax(most, fabs((double)x[t * k + i]));
            }
            double bound = p->plain.type == CK_BF16 ? 0 : 8 * sqrt(squares / 12) * most / 127;
            float value = found[t * n + r], expected = wanted[t * n + r];
            if (!(fabs((double)value - expected) <= bound + 1e-5 * absolute))
                fail("definition", p, rows, t * n + r, value, expected);
        }
    }
}

enum { ROWS = 49 };

static void check(const ck_kernels *kernels, int32_t type, int64_t n, int64_t k, int wide) {
    static const int counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 13, 48, ROWS};
    if (!ck_can_interleave(CK_TIER_NEON, type, k)) {
        printf("type %d, %lld columns: not offered\n", (int)type, (long long)k);
        ++failures;
        return;
    }
    problem p = {.kernels = kernels, .scratch = allocate(CK_SCRATCH_BYTES)};
    p.plain = (ck_matrix){.data = random_weights(type, n, k),
                          .row_bytes = ck_row_bytes(type, k),
                          .type = type,
                          .n = (int32_t)n,
                          .k = (int32_t)k};
    p.up = p.plain;
    p.up.data = random_weights(type, n, k);
    p.interleaved = interleave(p.plain);
    p.interleaved_up = interleave(p.up);

    float *x = allocate(ROWS * k * 4), *all = allocate(ROWS * n * 4), *out = allocate(ROWS * n * 4),
          *rows_out = allocate(ROWS * n * 4);
    for (int64_t i = 0; i < ROWS * k; ++i) x[i] = i < k ? 1 : i < 2 * k ? -1 : uniform(); // the greatest sums first
    int32_t format = kernels->activation_format(type);
    p.act_stride = ck_activation_row_bytes(format, k);
    uint8_t *act = allocate(ROWS * p.act_stride);
    ck_quantize_rows_args quantize = {x, k, act, p.act_stride, ROWS, (int32_t)k, format};
    ck_share share = {0, 1, p.scratch, CK_SCRATCH_BYTES};
    kernels->quantize_rows(&quantize, &share);
    p.act = act;

    multiply(&p, 1, 0, ROWS, 3, all);
    for (size_t c = wide ? 9 : 0; c < sizeof counts / sizeof *counts; ++c) {
        multiply(&p, 1, 0, counts[c], 1, out);
        same_bits("batch", &p, counts[c], out, all);
        if (type != CK_BF16) {
            multiply(&p, 0, 0, counts[c], 1, rows_out);
            same_bits("rows", &p, counts[c], out, rows_out);
        }
    }
    if (!wide) {
        near_definition(&p, x, 5, all);
        multiply(&p, 1, 1, 7, 1, out);
        multiply(&p, type != CK_BF16 ? 0 : 1, 1, type != CK_BF16 ? 7 : ROWS, 2, rows_out);
        same_bits("gate and up", &p, 7, out, rows_out);
    }
}

int main(void) {
    static const int32_t types[] = {CK_Q4_0, CK_Q5_0, CK_Q8_0, CK_Q4_K, CK_Q5_K, CK_Q6_K, CK_BF16};
    const ck_kernels *kernels = ck_kernels_for(CK_TIER_NEON);
    printf("%s\n", ck_features() & CK_FEATURE_I8MM ? "i8mm" : ck_features() & CK_FEATURE_DOTPROD ? "dotprod" : "none");
    if (!kernels) return 2;
    for (size_t i = 0; i < sizeof types / sizeof *types; ++i) {
        int64_t step = ck_interleaving_of(types[i]).columns;
        check(kernels, types[i], 16, step, 0);
        check(kernels, types[i], 37, step == 256 ? 768 : 352, 0); // blocks of odd number, a chunk that is not full
        check(kernels, types[i], 70, step == 256 ? 512 : 544, 0);
    }
    check(kernels, CK_Q4_K, 17, 40960, 1); // rows that do not fit the scratch at once
    check(kernels, CK_Q8_0, 17, 40960, 1);
    printf("%d compared, %d different\n", compared, failures);
    return failures != 0;
}
