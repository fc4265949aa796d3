// Products of float activations with interleaved BF16 weights on AVX-512, in full float precision.
//
// A 4-byte word holds two columns of a row, so that a vector is sixteen rows × two columns: a shift and a mask make
// floats of it, and activations are broadcast from memory. Nothing is added across lanes. Even and odd columns are
// summed apart, each in ascending order, and added at the end: one order of additions for every output element,
// whatever the tile.
#if defined(__x86_64__)
#include "ck_repack.h"
#include "ck_tiers.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum {
    TILE = 16,       // rows of a tile
    TILES = 4,       // the most tiles of one pass
    TOKENS = 6,      // the most activation rows of one pass
    BATCH = 96,      // activation rows between two readings of the weights
    AHEAD = 1024,    // bytes from a tile's word to the one fetched with it
    AHEAD_TOKENS = 4 // with fewer rows, fetching is a tenth slower than what the processor does by itself
};

// acc [t][TILES * TILE] = `tiles` tiles of weights · x[t], t < tokens; a tile takes `bytes`.
INLINE void pass(const uint8_t *weights, int64_t bytes, int64_t k, int tiles, int tokens, const float *const *x,
                 float *acc) {
    __m512 even[TILES][TOKENS], odd[TILES][TOKENS];
    UNROLL
    for (int r = 0; r < tiles; ++r) UNROLL
    for (int t = 0; t < tokens; ++t) even[r][t] = odd[r][t] = _mm512_setzero_ps();
    const __m512i high = _mm512_set1_epi32((int32_t)0xffff0000);
    for (int64_t i = 0; i < k; i += 2) {
        UNROLL
        for (int r = 0; r < tiles; ++r) {
            const uint8_t *p = weights + r * bytes + 32 * i;
            if (tokens >= AHEAD_TOKENS) _mm_prefetch((const char *)p + AHEAD, _MM_HINT_T0);
            __m512i word = _mm512_load_si512(p);
            __m512 first = _mm512_castsi512_ps(_mm512_slli_epi32(word, 16));
            __m512 second = _mm512_castsi512_ps(_mm512_and_si512(word, high));
            UNROLL
            for (int t = 0; t < tokens; ++t) {
                even[r][t] = _mm512_fmadd_ps(first, _mm512_set1_ps(x[t][i]), even[r][t]);
                odd[r][t] = _mm512_fmadd_ps(second, _mm512_set1_ps(x[t][i + 1]), odd[r][t]);
            }
        }
    }
    UNROLL
    for (int r = 0; r < tiles; ++r) UNROLL
    for (int t = 0; t < tokens; ++t)
        _mm512_storeu_ps(acc + t * TILES * TILE + r * TILE, _mm512_add_ps(even[r][t], odd[r][t]));
}

#define PASS(tiles, tokens)                                                                                            \
    static __attribute__((noinline)) void pass_##tiles##_##tokens(const uint8_t *weights, int64_t bytes, int64_t k,    \
                                                                  const float *const *x, float *acc) {                 \
        pass(weights, bytes, k, tiles, tokens, x, acc);                                                                \
    }
// Two accumulators per tile and row: 24 of the 32 registers.
PASS(1, 1)
PASS(1, 2)
PASS(1, 3) PASS(1, 4) PASS(1, 5) PASS(1, 6) PASS(2, 1) PASS(2, 2) PASS(2, 3) PASS(2, 4) PASS(2, 5) PASS(2, 6) PASS(4, 1)
    PASS(4, 2) PASS(4, 3)

        typedef void (*pass_function)(const uint8_t *, int64_t, int64_t, const float *const *, float *);
static const pass_function passes[3][TOKENS] = {
    {pass_1_1, pass_1_2, pass_1_3, pass_1_4, pass_1_5, pass_1_6},
    {pass_2_1, pass_2_2, pass_2_3, pass_2_4, pass_2_5, pass_2_6},
    {pass_4_1, pass_4_2, pass_4_3, NULL, NULL, NULL},
};

static const float *input(const ck_gemm_args *a, int64_t i) {
    int64_t source = a->rows_in ? a->rows_in[i] / a->in_divisor : i;
    return (const float *)(a->act + source * a->act_stride);
}

// acc [count][TILES * TILE] = `tiles` <= TILES tiles times work rows first..<first + count.
static void products(const ck_gemm_args *a, const uint8_t *weights, int64_t bytes, int tiles, int64_t first, int count,
                     float *acc) {
    int runs = (count + TOKENS - 1) / TOKENS;
    for (int run = 0; run < runs; ++run) {
        int begin = count * run / runs, tokens = count * (run + 1) / runs - begin;
        const float *x[TOKENS];
        for (int t = 0; t < tokens; ++t) x[t] = input(a, first + begin + t);
        for (int tile = 0; tile < tiles;) {
            int left = tiles - tile, size = left >= 4 && tokens <= 3 ? 2 : left >= 2 ? 1 : 0;
            passes[size][tokens - 1](weights + tile * bytes, bytes, a->weight.k, x,
                                     acc + begin * TILES * TILE + tile * TILE);
            tile += 1 << size;
        }
    }
}

void ck_gemm_interleaved_bf16_avx512(const ck_gemm_args *a, const ck_share *share) {
    int64_t begin, end, bytes = TILE * a->weight.row_bytes;
    ck_split(a->weight.n, TILE, share, &begin, &end);
    float *sums = (float *)share->scratch, *sums_up = sums + BATCH * TILES * TILE;
    int32_t groups = a->groups ? a->groups : 1;
    for (int32_t g = 0; g < groups && begin < end; ++g) {
        int64_t first = a->groups ? a->offsets[g] : 0, last = a->groups ? a->offsets[g + 1] : a->rows;
        const uint8_t *data = a->groups ? a->experts[g] : a->weight.data;
        const uint8_t *up = a->groups && a->experts_up ? a->experts_up[g] : a->up.data;
        for (int64_t i = first; i < last; i += BATCH) {
            int count = last - i < BATCH ? (int)(last - i) : BATCH;
            for (int64_t n = begin; n < end; n += TILES * TILE) {
                int width = end - n < TILES * TILE ? (int)(end - n) : TILES * TILE, tiles = (width + TILE - 1) / TILE;
                products(a, data + n / TILE * bytes, bytes, tiles, i, count, sums);
                if (a->up.n) products(a, up + n / TILE * bytes, bytes, tiles, i, count, sums_up);
                for (int t = 0; t < count; ++t) {
                    int64_t target = a->rows_out ? a->rows_out[i + t] : i + t;
                    const float *second = a->up.n ? sums_up + t * TILES * TILE : NULL;
                    ck_finish_avx512(a, sums + t * TILES * TILE, second, n, width, a->out + target * a->out_stride + n);
                }
            }
        }
    }
}

#pragma clang attribute pop
#endif
