// What the parts of the Q4_K product with interleaved weights cost (AVX-512, twelve activation rows): the kernel as it
// is, and without its parts, in turns, as a share of the peak of the same core.
//
//     clang -O2 -ISources/CDSKernels/include -ISources/CDSKernels Benchmarks/kernel_limits.c \
//         $(ls Sources/CDSKernels/*.c | grep -v gemm_interleaved_avx512) -lm -lpthread -o /tmp/kernel_limits
//     /tmp/kernel_limits [TILES]
//
// TILES of 1536 columns, 14 KB each (60: they stay in the second-level cache). Results without a part are wrong, of
// course; the whole is checked against the kernel's.
#include "ck_gemm_interleaved_avx512.c"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))),   \
                             apply_to = function)

enum { COLUMNS = 1536, BLOCKS = COLUMNS / 256, TOKENS = 12, PASSES = 4, ROUNDS = 60 };

enum {
    SCALES = 1,  // each sub-block's sum times its scale
    MINS = 2,    // the sums of activations times the mins
    UNPACK = 4,  // four bits to bytes
    REQUEST = 8, // prefetching
    ALL = 15
};

// `few256` for Q4_K with only those parts.
INLINE void part_of(int parts, const uint8_t *tile, const ck_packed256 *x, float *acc) {
    const ck_interleaving layout = ck_interleaving_of(CK_Q4_K);
    UNROLL
    for (int t = 0; t < TOKENS; ++t) _mm512_storeu_ps(acc + 16 * t, _mm512_setzero_ps());
    for (int64_t b = 0; b < BLOCKS; ++b, x += TOKENS) {
        const uint8_t *p = tile + ck_interleaved_block(layout, b);
        factors f;
        load_factors(CK_Q4_K, p, tile, &f);
        __m512i total[TOKENS];
        UNROLL
        for (int t = 0; t < TOKENS; ++t) total[t] = _mm512_setzero_si512();
        for (int pair = 0; pair < 4; ++pair) {
            UNROLL
            for (int odd = 0; odd < 2; ++odd) {
                int first = 16 * pair + 8 * odd;
                __m512i part[TOKENS];
                UNROLL
                for (int t = 0; t < TOKENS; ++t) part[t] = parts & SCALES ? _mm512_setzero_si512() : total[t];
                UNROLL
                for (int i = 0; i < 8; ++i) {
                    if (parts & REQUEST)
                        _mm_prefetch((const char *)p + (first + i) * layout.words + AHEAD, _MM_HINT_T0);
                    __m512i w = parts & UNPACK ? group_k4(CK_Q4_K, p, pair, odd, i)
                                               : _mm512_loadu_si512(p + 64 * (4 + 8 * pair + i));
                    UNROLL
                    for (int t = 0; t < TOKENS; ++t)
                        part[t] = _mm512_dpbusd_epi32(part[t], w, broadcast4(x[t].q + 4 * (first + i)));
                }
                __m512i factor = sub_scale(CK_Q4_K, f.scale[pair / 2], 2 * pair + odd);
                UNROLL
                for (int t = 0; t < TOKENS; ++t)
                    total[t] =
                        parts & SCALES ? _mm512_add_epi32(total[t], _mm512_mullo_epi32(part[t], factor)) : part[t];
            }
        }
        UNROLL
        for (int t = 0; t < TOKENS; ++t) {
            __m512 scale = _mm512_set1_ps(x[t].scale), sum = _mm512_loadu_ps(acc + 16 * t);
            sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(total[t]), _mm512_mul_ps(f.d, scale), sum);
            if (parts & MINS) {
                __m512i offset = _mm512_setzero_si512();
                UNROLL
                for (int s = 0; s < 4; ++s)
                    offset = _mm512_dpwssd_epi32(offset, f.min[s], broadcast4(x[t].sum32 + 2 * s));
                sum = _mm512_fnmadd_ps(_mm512_cvtepi32_ps(offset), _mm512_mul_ps(f.dmin, scale), sum);
            }
            _mm512_storeu_ps(acc + 16 * t, sum);
        }
    }
}

typedef void product(const uint8_t *tile, int64_t k, const void *x, float *acc);

#define VARIANT(name, parts)                                                                                           \
    static __attribute__((noinline)) void name(const uint8_t *tile, int64_t k, const void *x, float *acc) {            \
        (void)k;                                                                                                       \
        part_of(parts, tile, x, acc);                                                                                  \
    }
VARIANT(whole, ALL)
VARIANT(no_scales, ALL & ~SCALES)
VARIANT(no_mins, ALL & ~MINS)
VARIANT(no_unpack, ALL & ~UNPACK)
VARIANT(no_request, ALL & ~REQUEST)
VARIANT(products_only, 0)

// As many dot products as the others, from registers.
static __attribute__((noinline)) void peak(const uint8_t *tile, int64_t k, const void *x, float *acc) {
    (void)tile, (void)x, (void)acc;
    __m512i sum[TOKENS], w = _mm512_set1_epi8(3), y = _mm512_set1_epi8(5);
    __asm__("" : "+v"(w), "+v"(y));
    for (int t = 0; t < TOKENS; ++t) sum[t] = w;
    for (int64_t i = 0; i < k / 4; ++i) {
        UNROLL
        for (int t = 0; t < TOKENS; ++t) {
            sum[t] = _mm512_dpbusd_epi32(sum[t], w, y);
            __asm__("" : "+v"(sum[t]));
        }
    }
    for (int t = 0; t < TOKENS; ++t) __asm__ volatile("" ::"v"(sum[t]));
}

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// A pseudorandom byte (xorshift).
static uint8_t random_byte(void) {
    static uint32_t state = 1;
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    return (uint8_t)(state >> 24);
}

int main(int count, char **arguments) {
    const int tiles = count > 1 ? atoi(arguments[1]) : 60;
    if (tiles < 1) {
        fprintf(stderr, "TILES: expected 1 or more, found %s\n", arguments[1]);
        return 2;
    }
    const int64_t bytes = ck_interleaved_bytes(16, BLOCKS * 144);
    uint8_t *weights = aligned_alloc(4096, (size_t)(bytes * tiles / 4096 + 2) * 4096);
    for (int64_t i = 0; i < bytes * tiles; ++i) weights[i] = random_byte();
    // Factors that are numbers: 0.5 and 0.25 in half precision.
    for (int64_t block = 0; block < (int64_t)tiles * BLOCKS; ++block)
        for (int row = 0; row < 16; ++row) memcpy(weights + 64 * 36 * block + 4 * row, "\0\x38\0\x34", 4);
    ck_packed256 *x = aligned_alloc(64, sizeof(ck_packed256) * BLOCKS * TOKENS * PASSES);
    for (int i = 0; i < BLOCKS * TOKENS * PASSES; ++i) {
        memset(&x[i], 0, sizeof x[i]);
        x[i].scale = 0.01f;
        for (int c = 0; c < 256; ++c) {
            x[i].q[c] = (int8_t)(random_byte() % 255 - 127);
            x[i].sum32[c / 32] = (int16_t)(x[i].sum32[c / 32] + x[i].q[c]);
        }
    }
    float acc[16 * TOKENS], expected[16 * TOKENS];
    few256_Q4_K_12(weights, COLUMNS, x, expected);
    whole(weights, COLUMNS, x, acc);
    if (memcmp(acc, expected, sizeof acc)) {
        fprintf(stderr, "the copy and the kernel differ: bring part_of up to date\n");
        return 1;
    }
    const struct {
        const char *name;
        product *run;
    } variants[] = {{"peak", peak},
                    {"the kernel", few256_Q4_K_12},
                    {"its copy here", whole},
                    {"without scales of sub-blocks", no_scales},
                    {"without mins", no_mins},
                    {"without unpacking", no_unpack},
                    {"without prefetching", no_request},
                    {"dot products and one scale per 256", products_only}};
    enum { VARIANTS = sizeof variants / sizeof *variants };
    double best[VARIANTS];
    for (int round = 0; round < ROUNDS; ++round) {
        for (int v = 0; v < VARIANTS; ++v) {
            double begin = seconds();
            for (int tile = 0; tile < tiles; ++tile)
                for (int pass = 0; pass < PASSES; ++pass)
                    variants[v].run(weights + bytes * tile, COLUMNS, x + BLOCKS * TOKENS * pass, acc);
            double time = (seconds() - begin) / (tiles * PASSES);
            if (round == 0 || time < best[v]) best[v] = time;
        }
    }
    for (int v = 0; v < VARIANTS; ++v)
        printf("%-36s %5.0f GOP/s %4.0f %%\n", variants[v].name, 2e-9 * 16 * COLUMNS * TOKENS / best[v],
               100 * best[0] / best[v]);
    return 0;
}

#pragma clang attribute pop
