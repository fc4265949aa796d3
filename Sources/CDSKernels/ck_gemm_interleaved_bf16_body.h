// Products with interleaved BF16 weights. Include in a tier's target region after its vector header, with ENTRY the
// function to define, NAME the tier's suffix and TOKENS the most activation rows of one pass. A 4-byte word holds two
// columns of a row, so that a vector is VL rows × two columns, and activations are broadcast from memory. Nothing is
// added across lanes.
//
// In full float precision, with first_columns and second_columns the VL words at an address as floats, and fma_first
// and fma_second: w * x[0] + sum and w * x[1] + sum. Even and odd columns are summed apart, each in ascending order,
// and added at the end. A tier that multiplies words as they are defines PARTS, the sums that make one element, and
//   input      activations as products read them; input_bytes tells the room that a row of them takes, and input_of
//              gives the row, in that room or where it is
//   word       two columns of VL rows; word_load reads them
//   word_fma   adds columns i and i + 1 times the activations to PARTS sums
// Either way there is one order of additions for every output element, whatever the tile.

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

#ifndef PARTS
#define PARTS 2
typedef float input;
typedef struct word {
    vf first, second;
} word;

INLINE int64_t input_bytes(int64_t k) { return 0 * k; }
INLINE const input *input_of(const float *row, int64_t k, void *room) {
    (void)k, (void)room;
    return row;
}
INLINE word word_load(const void *p) { return (word){first_columns(p), second_columns(p)}; }
INLINE void word_fma(word w, const input *x, int64_t i, vf *sums) {
    sums[0] = fma_first(w.first, x + i, sums[0]);
    sums[1] = fma_second(w.second, x + i, sums[1]);
}
#endif

enum {
    TILE = 16,       // rows of a tile
    PER = TILE / VL, // vectors of a tile
    TILES = 8,       // the most tiles between two readings of the activations
    BATCH = 96,      // activation rows between two readings of the weights
    AHEAD = 1024,    // bytes from a tile's word to the one fetched with it
    // With fewer rows in a pass, fetching is a tenth slower than what the processor does by itself.
    AHEAD_TOKENS = PARTS == 1 ? 9 : 4
};

// acc [t][TILES * TILE] = `tiles` tiles of weights · x[t], t < tokens; a tile takes `bytes`.
INLINE void pass(const uint8_t *weights, int64_t bytes, int64_t k, int tiles, int tokens, const input *const *x,
                 float *acc) {
    vf sums[TILES * PER][TOKENS][PARTS];
    UNROLL
    for (int v = 0; v < tiles * PER; ++v) UNROLL
    for (int t = 0; t < tokens; ++t) UNROLL
    for (int part = 0; part < PARTS; ++part) sums[v][t][part] = vf_set(0);
    for (int64_t i = 0; i < k; i += 2) {
        UNROLL
        for (int v = 0; v < tiles * PER; ++v) {
            const uint8_t *p = weights + v / PER * bytes + v % PER * VL * 4 + 32 * i;
            if (tokens >= AHEAD_TOKENS && v % PER == 0) __builtin_prefetch(p + AHEAD, 0, 3);
            word w = word_load(p);
            UNROLL
            for (int t = 0; t < tokens; ++t) word_fma(w, x[t], i, sums[v][t]);
        }
    }
    UNROLL
    for (int v = 0; v < tiles * PER; ++v) UNROLL
    for (int t = 0; t < tokens; ++t) {
        vf sum = PARTS == 1 ? sums[v][t][0] : vf_add(sums[v][t][0], sums[v][t][PARTS - 1]);
        vf_store(acc + t * TILES * TILE + v * VL, sum);
    }
}

#define PASS(tiles, tokens)                                                                                            \
    static __attribute__((noinline)) void pass_##tiles##_##tokens(const uint8_t *weights, int64_t bytes, int64_t k,    \
                                                                  const input *const *x, float *acc) {                 \
        pass(weights, bytes, k, tiles, tokens, x, acc);                                                                \
    }

typedef void (*pass_function)(const uint8_t *, int64_t, int64_t, const input *const *, float *);

// At most 24 sums in 32 registers, or 8 in 16, where broadcasts need others.
// clang-format off
#if TOKENS == 12
PASS(1, 1) PASS(1, 2) PASS(1, 3) PASS(1, 4) PASS(1, 5) PASS(1, 6)
PASS(1, 7) PASS(1, 8) PASS(1, 9) PASS(1, 10) PASS(1, 11) PASS(1, 12)
PASS(2, 1) PASS(2, 2) PASS(2, 3) PASS(2, 4) PASS(2, 5) PASS(2, 6)
PASS(2, 7) PASS(2, 8) PASS(2, 9) PASS(2, 10) PASS(2, 11) PASS(2, 12)
PASS(4, 1) PASS(4, 2) PASS(4, 3) PASS(4, 4) PASS(4, 5) PASS(4, 6)
PASS(8, 1) PASS(8, 2) PASS(8, 3)
static const pass_function passes[4][TOKENS] = {
    {pass_1_1, pass_1_2, pass_1_3, pass_1_4, pass_1_5, pass_1_6,
     pass_1_7, pass_1_8, pass_1_9, pass_1_10, pass_1_11, pass_1_12},
    {pass_2_1, pass_2_2, pass_2_3, pass_2_4, pass_2_5, pass_2_6,
     pass_2_7, pass_2_8, pass_2_9, pass_2_10, pass_2_11, pass_2_12},
    {pass_4_1, pass_4_2, pass_4_3, pass_4_4, pass_4_5, pass_4_6},
    {pass_8_1, pass_8_2, pass_8_3},
};
#elif TOKENS == 6
PASS(1, 1) PASS(1, 2) PASS(1, 3) PASS(1, 4) PASS(1, 5) PASS(1, 6)
PASS(2, 1) PASS(2, 2) PASS(2, 3) PASS(2, 4) PASS(2, 5) PASS(2, 6)
PASS(4, 1) PASS(4, 2) PASS(4, 3)
static const pass_function passes[4][TOKENS] = {
    {pass_1_1, pass_1_2, pass_1_3, pass_1_4, pass_1_5, pass_1_6},
    {pass_2_1, pass_2_2, pass_2_3, pass_2_4, pass_2_5, pass_2_6},
    {pass_4_1, pass_4_2, pass_4_3},
};
#elif TOKENS == 3
PASS(1, 1) PASS(1, 2) PASS(1, 3) PASS(2, 1)
static const pass_function passes[4][TOKENS] = {{pass_1_1, pass_1_2, pass_1_3}, {pass_2_1}};
#else
PASS(1, 1) PASS(1, 2) PASS(2, 1)
static const pass_function passes[4][TOKENS] = {{pass_1_1, pass_1_2}, {pass_2_1}};
#endif
// clang-format on

// acc [count][TILES * TILE] = `tiles` <= TILES tiles times x [count].
static void products(const uint8_t *weights, int64_t bytes, int64_t k, int tiles, const input *const *x, int count,
                     float *acc) {
    int runs = (count + TOKENS - 1) / TOKENS;
    for (int run = 0; run < runs; ++run) {
        int begin = count * run / runs, tokens = count * (run + 1) / runs - begin;
        for (int tile = 0; tile < tiles;) {
            int size = 3;
            while (tile + (1 << size) > tiles || !passes[size][tokens - 1]) --size;
            float *sums = acc + begin * TILES * TILE + tile * TILE;
            passes[size][tokens - 1](weights + tile * bytes, bytes, k, x + begin, sums);
            tile += 1 << size;
        }
    }
}

// A row of inputs, four bytes a column at most, has room beside the sums.
_Static_assert(2 * BATCH * TILES * TILE * 4 + CK_INTERLEAVED_COLUMNS * 2 + 64 <= CK_SCRATCH_BYTES,
               "scratch of products");

static const float *activations(const ck_gemm_args *a, int64_t i) {
    int64_t source = a->rows_in ? a->rows_in[i] / a->in_divisor : i;
    return (const float *)(a->act + source * a->act_stride);
}

void ENTRY(const ck_gemm_args *a, const ck_share *share) {
    int64_t begin, end, bytes = TILE * a->weight.row_bytes;
    ck_split(a->weight.n, TILE, share, &begin, &end);
    float *sums = (float *)share->scratch, *sums_up = sums + BATCH * TILES * TILE;
    uint8_t *room = (uint8_t *)(sums_up + BATCH * TILES * TILE);
    int64_t row_bytes = input_bytes(a->weight.k),
            rows = row_bytes ? (share->scratch + share->scratch_bytes - room) / row_bytes : BATCH;
    int batch = rows < BATCH ? (int)rows : BATCH;
    const input *x[BATCH];
    int32_t groups = a->groups ? a->groups : 1;
    for (int32_t g = 0; g < groups && begin < end; ++g) {
        int64_t first = a->groups ? a->offsets[g] : 0, last = a->groups ? a->offsets[g + 1] : a->rows;
        const uint8_t *data = a->groups ? a->experts[g] : a->weight.data;
        const uint8_t *up = a->groups && a->experts_up ? a->experts_up[g] : a->up.data;
        for (int64_t i = first; i < last; i += batch) {
            int count = last - i < batch ? (int)(last - i) : batch;
            for (int t = 0; t < count; ++t) x[t] = input_of(activations(a, i + t), a->weight.k, room + t * row_bytes);
            for (int64_t n = begin; n < end; n += TILES * TILE) {
                int width = end - n < TILES * TILE ? (int)(end - n) : TILES * TILE, tiles = (width + TILE - 1) / TILE;
                products(data + n / TILE * bytes, bytes, a->weight.k, tiles, x, count, sums);
                if (a->up.n) products(up + n / TILE * bytes, bytes, a->weight.k, tiles, x, count, sums_up);
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
