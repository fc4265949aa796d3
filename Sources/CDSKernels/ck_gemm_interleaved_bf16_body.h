// Products of float activations with interleaved BF16 weights, in full float precision. Include in a tier's target
// region after its vector header, with NAME the suffix of the entry point, TOKENS the most activation rows of one pass,
// first_columns and second_columns: the VL words at an address as floats, and fma_first and fma_second: w * x[0] + sum
// and w * x[1] + sum.
//
// A 4-byte word holds two columns of a row, so that a vector is VL rows × two columns: a shift and a mask make floats
// of it, and activations are broadcast. Nothing is added across lanes. Even and odd columns are summed
// apart, each in ascending order, and added at the end: one order of additions for every output element, whatever the
// tile.

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum {
    TILE = 16,       // rows of a tile
    PER = TILE / VL, // vectors of a tile
    TILES = 4,       // the most tiles between two readings of the activations
    BATCH = 96,      // activation rows between two readings of the weights
    AHEAD = 1024,    // bytes from a tile's word to the one fetched with it
    AHEAD_TOKENS = 4 // with fewer rows, fetching is a tenth slower than what the processor does by itself
};

// acc [t][TILES * TILE] = `tiles` tiles of weights · x[t], t < tokens; a tile takes `bytes`.
INLINE void pass(const uint8_t *weights, int64_t bytes, int64_t k, int tiles, int tokens, const float *const *x,
                 float *acc) {
    vf even[TILES * PER][TOKENS], odd[TILES * PER][TOKENS];
    UNROLL
    for (int v = 0; v < tiles * PER; ++v) UNROLL
    for (int t = 0; t < tokens; ++t) even[v][t] = odd[v][t] = vf_set(0);
    for (int64_t i = 0; i < k; i += 2) {
        UNROLL
        for (int v = 0; v < tiles * PER; ++v) {
            const uint8_t *p = weights + v / PER * bytes + v % PER * VL * 4 + 32 * i;
            if (tokens >= AHEAD_TOKENS && v % PER == 0) __builtin_prefetch(p + AHEAD, 0, 3);
            vf first = first_columns(p), second = second_columns(p);
            UNROLL
            for (int t = 0; t < tokens; ++t) {
                even[v][t] = fma_first(first, x[t] + i, even[v][t]);
                odd[v][t] = fma_second(second, x[t] + i, odd[v][t]);
            }
        }
    }
    UNROLL
    for (int v = 0; v < tiles * PER; ++v) UNROLL
    for (int t = 0; t < tokens; ++t) vf_store(acc + t * TILES * TILE + v * VL, vf_add(even[v][t], odd[v][t]));
}

#define PASS(tiles, tokens)                                                                                            \
    static __attribute__((noinline)) void pass_##tiles##_##tokens(const uint8_t *weights, int64_t bytes, int64_t k,    \
                                                                  const float *const *x, float *acc) {                 \
        pass(weights, bytes, k, tiles, tokens, x, acc);                                                                \
    }

typedef void (*pass_function)(const uint8_t *, int64_t, int64_t, const float *const *, float *);

// Two accumulators per vector and activation row: 24 of 32 registers, or 8 of 16, where broadcasts need others.
// clang-format off
#if TOKENS == 6
PASS(1, 1) PASS(1, 2) PASS(1, 3) PASS(1, 4) PASS(1, 5) PASS(1, 6)
PASS(2, 1) PASS(2, 2) PASS(2, 3) PASS(2, 4) PASS(2, 5) PASS(2, 6)
PASS(4, 1) PASS(4, 2) PASS(4, 3)
static const pass_function passes[3][TOKENS] = {
    {pass_1_1, pass_1_2, pass_1_3, pass_1_4, pass_1_5, pass_1_6},
    {pass_2_1, pass_2_2, pass_2_3, pass_2_4, pass_2_5, pass_2_6},
    {pass_4_1, pass_4_2, pass_4_3},
};
#elif TOKENS == 3
PASS(1, 1) PASS(1, 2) PASS(1, 3) PASS(2, 1)
static const pass_function passes[3][TOKENS] = {{pass_1_1, pass_1_2, pass_1_3}, {pass_2_1}};
#else
PASS(1, 1) PASS(1, 2) PASS(2, 1)
static const pass_function passes[3][TOKENS] = {{pass_1_1, pass_1_2}, {pass_2_1}};
#endif
// clang-format on

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
            int size = 2;
            while (tile + (1 << size) > tiles || !passes[size][tokens - 1]) --size;
            float *sums = acc + begin * TILES * TILE + tile * TILE;
            passes[size][tokens - 1](weights + tile * bytes, bytes, a->weight.k, x, sums);
            tile += 1 << size;
        }
    }
}

void NAME(ck_gemm_interleaved_bf16)(const ck_gemm_args *a, const ck_share *share) {
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
                    float *out = a->out + target * a->out_stride + n;
                    NAME(ck_finish)(a, sums + t * TILES * TILE, second, n, width, out);
                }
            }
        }
    }
}
