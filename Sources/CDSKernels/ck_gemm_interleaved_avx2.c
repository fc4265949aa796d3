// Products with interleaved weights on AVX2, 512 rows at 250 GOP/s (Q4_K) and 140 (Q8_0) on a Zen 4 core.
//
// Bound by the vector ports: per 32 products one `maddubs`, which adds two products in 16 bits, and one addition. Only
// sums of several such pairs are widened and multiplied with their scale, by one instruction. What fits 16 bits:
//     Q4_K              a sub-block: 16 products of 15 * 127
//     Q5_K              half of one: 8 of 31 * 127
//     Q4_0, Q5_0, Q6_K  a block or sub-block of w: 16 of 8 or 16 * 127, or 8 of 32 * 127. The bytes are w + z; sums
//                       start at -z * Σ x, so they may wrap on the way, but end right.
//     Q8_0              2 of 128 * 127. Pairs are widened one by one; this is why Q8_0 is slower.
// Sums of a block are exact, and blocks are added in the order of the tier's other kernels: the same bits.
//
// A few rows unpack the weights in registers, more rows share a panel of unpacked bytes.
#if defined(__x86_64__)
#include "ck_interleaved_kinds.h"
#include "ck_tiers.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "ck_interleave_avx2.h"
#include "ck_transpose_avx2.h"

enum {
    STEP = 4, // the most tokens whose sums are in registers at a time
    MOST = 48 // tokens between two readings of the weights
};

// Stop the compiler from adding in another order, and from keeping rare sums in registers: there are sixteen.
#define IN_REGISTER(x) __asm__("" : "+x"(x))
#define IN_MEMORY(x) __asm__("" : "+m"(x))

// A chunk of an activation row.
typedef struct chunk_row {
    int8_t q[256];
    float scale[8];       // per block of 32 columns, or one
    int16_t pairs[16][2]; // where sums start, for columns 0, 1 and 2, 3 of four; Q4_K, Q5_K: sums of 32 columns
} chunk_row;

// Part i of eight of what comes next: the activations, and `bytes` of weights at `ahead`.
INLINE void prefetch(const chunk_row *x, int tokens, int i, const uint8_t *ahead, int bytes) {
    if (tokens < 3) return;
    EACH_TOKEN _mm_prefetch((const char *)(x + tokens + t) + 64 * i, _MM_HINT_T0);
    for (int line = 0; line < bytes / 8; line += 64)
        _mm_prefetch((const char *)ahead + bytes / 8 * i + line, _MM_HINT_T0);
}

// acc[t] += a chunk of the tile · x[t], for blocks of 256 columns.
INLINE void multiply256(int32_t type, int panel, const uint8_t *p, const chunk_tile *w, const chunk_row *x, int tokens,
                        const uint8_t *ahead, float *acc) {
    const int subs = type == CK_Q6_K ? 16 : 8, groups = 64 / subs, chain = type == CK_Q4_K ? 8 : 4;
    const int unrolled = panel || type == CK_Q4_K ? 2 : 8; // sub-blocks: as many as take constant shifts
    __m256i total[STEP][2];
    EACH_TOKEN HALVES total[t][h] = _mm256_setzero_si256();
    // The high bits once in order: read in turns with the low bits they came at 8 GB/s instead of 26 (one row).
    for (int i = 4; type == CK_Q5_K && !panel && i < 12; ++i) _mm_prefetch((const char *)p + 64 * i, _MM_HINT_T0);
    for (int first = 0; first < subs; first += unrolled) {
        const uint8_t *here = type == CK_Q4_K ? p + 64 * 4 * first : type == CK_Q6_K ? p + 64 * 3 * first : p;
        UNROLL
        for (int u = 0; u < unrolled; ++u) {
            int s = first + u;
            if (u % (subs / 8) == 0) prefetch(x, tokens, s / (subs / 8), ahead, 64 * ck_interleaving_of(type).words);
            __m256i part[STEP][2];
            UNROLL
            for (int i = 0; i < groups; ++i) {
                __m256i q[2];
                HALVES q[h] = panel ? w->q[groups * s + i][h] : group256(type, here, groups * u + i, h);
                EACH_TOKEN {
                    __m256i four = broadcast4(x[t].q + 4 * (groups * s + i));
                    HALVES {
                        __m256i products = _mm256_maddubs_epi16(q[h], four);
                        if (i % chain) {
                            part[t][h] = _mm256_add_epi16(part[t][h], products);
                        } else {
                            part[t][h] = products;
                            if (type == CK_Q6_K) part[t][h] = _mm256_add_epi16(products, broadcast4(x[t].pairs[s]));
                        }
                        IN_REGISTER(part[t][h]);
                        if (i % chain == chain - 1) {
                            __m256i scaled = _mm256_madd_epi16(part[t][h], w->scale[s][h]);
                            total[t][h] = _mm256_add_epi32(total[t][h], scaled);
                            if (tokens > 3) IN_MEMORY(total[t][h]);
                        }
                    }
                }
            }
        }
    }
    EACH_TOKEN {
        __m256 scale = _mm256_set1_ps(x[t].scale[0]);
        HALVES {
            __m256 sum = _mm256_loadu_ps(acc + 16 * t + 8 * h);
            sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(total[t][h]), _mm256_mul_ps(w->d[0][h], scale), sum);
            if (type != CK_Q6_K) {
                __m256i offset = _mm256_setzero_si256();
                UNROLL
                for (int i = 0; i < 4; ++i)
                    offset = _mm256_add_epi32(offset, _mm256_madd_epi16(w->min[i][h], broadcast4(x[t].pairs[i])));
                sum = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(offset), _mm256_mul_ps(w->dmin[h], scale), sum);
            }
            _mm256_storeu_ps(acc + 16 * t + 8 * h, sum);
        }
    }
}

// sum + the products of four columns of Q8_0. The negative weights of a panel meet -x - 1, hence `correction`.
INLINE __m256i dot_q8_0(__m256i sum, int panel, __m256i q, __m256i negative, __m256i x) {
    if (!panel) return dot_signed(sum, q, x);
    return dot_unsigned(sum, q, _mm256_xor_si256(x, negative));
}

// The same for blocks of 32 columns.
INLINE void multiply32(int32_t type, int panel, const uint8_t *p, const chunk_tile *w, const chunk_row *x, int tokens,
                       int blocks, const uint8_t *ahead, float *acc) {
    const __m256i zero = _mm256_setzero_si256(), ones = _mm256_set1_epi16(1);
    __m256 sum[STEP][2];
    EACH_TOKEN HALVES sum[t][h] = _mm256_loadu_ps(acc + 16 * t + 8 * h);
    for (int b = 0; b < blocks; ++b) {
        prefetch(x, tokens, b, ahead, 64 * (8 * ck_interleaving_of(type).words + 4));
        __m256i part[STEP][2];
        UNROLL
        for (int i = 0; i < 8; ++i) {
            int g = 8 * b + i;
            __m256i q[2];
            HALVES q[h] = panel ? w->q[g][h] : group32(type, block32(type, p, b), i, h);
            EACH_TOKEN {
                __m256i four = broadcast4(x[t].q + 4 * g);
                HALVES {
                    if (type == CK_Q8_0) {
                        __m256i start = i ? part[t][h] : panel ? w->correction[b][h] : zero;
                        part[t][h] = dot_q8_0(start, panel, q[h], panel ? w->negative[g][h] : zero, four);
                    } else {
                        __m256i start = i ? part[t][h] : broadcast4(x[t].pairs[b]);
                        part[t][h] = _mm256_add_epi16(start, _mm256_maddubs_epi16(q[h], four));
                    }
                    IN_REGISTER(part[t][h]);
                }
            }
        }
        EACH_TOKEN HALVES {
            __m256i dot = type == CK_Q8_0 ? part[t][h] : _mm256_madd_epi16(part[t][h], ones);
            __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(dot), _mm256_set1_ps(x[t].scale[b]));
            sum[t][h] = _mm256_fmadd_ps(scaled, w->d[b][h], sum[t][h]);
            if (tokens > 3) IN_MEMORY(sum[t][h]);
        }
    }
    EACH_TOKEN HALVES _mm256_storeu_ps(acc + 16 * t + 8 * h, sum[t][h]);
}

INLINE void pack(int32_t type, const uint8_t *act, int64_t k, int64_t chunk, int blocks, chunk_row *x) {
    memcpy(x->q, act + 256 * chunk, 32 * (size_t)blocks);
    if (type == CK_Q4_K || type == CK_Q5_K) memcpy(x->pairs, act + ck_act256_sum32(k) + 16 * chunk, 16);
    if (ck_interleaving_of(type).columns == 256)
        memcpy(x->scale, act + ck_act256_scale(k) + 4 * chunk, 4);
    else
        memcpy(x->scale, act + ck_act32_scale(k) + 32 * chunk, 4 * (size_t)blocks);
    int z = type == CK_Q4_0 ? 8 : type == CK_Q5_0 ? 16 : type == CK_Q6_K ? 32 : 0;
    for (int b = 0; z && b < blocks; ++b) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(x->q + 32 * b));
        v = _mm256_mullo_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), v), _mm256_set1_epi16((short)-z));
        v = _mm256_add_epi16(v, _mm256_shuffle_epi32(v, 0x4e));
        v = _mm256_add_epi16(v, _mm256_shuffle_epi32(v, 0xb1));
        __m128i low = _mm256_castsi256_si128(v), high = _mm256_extracti128_si256(v, 1);
        if (type == CK_Q6_K) {
            _mm_storeu_si32(x->pairs[2 * b], low);
            _mm_storeu_si32(x->pairs[2 * b + 1], high);
        } else {
            _mm_storeu_si32(x->pairs[b], _mm_add_epi16(low, high));
        }
    }
}

typedef void step(const uint8_t *p, const chunk_tile *w, const chunk_row *x, int blocks, const uint8_t *ahead,
                  float *acc);

// acc[t] = all columns of the tile · activation row t; x [ceil(k / 256)][tokens].
INLINE void few(int32_t type, step *const steps[2][STEP], const uint8_t *tile, int64_t k, const chunk_row *x,
                int tokens, float *acc) {
    const ck_interleaving layout = ck_interleaving_of(type);
    const int per_chunk = 256 / layout.columns;
    const int panel =
        tokens >= (type == CK_Q4_0 || type == CK_Q4_K ? 20 : 7); // where unpacking once is measured to pay
    const int passes = (tokens + STEP - 1) / STEP;
    memset(acc, 0, (size_t)tokens * 64);
    for (int64_t chunk = 0; chunk * 256 < k; ++chunk, x += tokens) {
        chunk_tile w;
        const uint8_t *p = tile + ck_interleaved_block(layout, chunk * per_chunk);
        const uint8_t *next = tile + ck_interleaved_block(layout, (chunk + 1) * per_chunk);
        int blocks = k - chunk * 256 < 256 ? (int)(k / 32 - chunk * 8) : 8;
        factors(type, tile, chunk, blocks, &w);
        if (panel) unpack(type, p, blocks, &w);
        for (int pass = 0; pass < passes; ++pass) {
            int t = (tokens * pass + passes - 1) / passes, end = (tokens * (pass + 1) + passes - 1) / passes;
            steps[panel][end - t - 1](p, &w, x + t, blocks, pass ? p : next, acc + 16 * t);
        }
    }
}

#define STEP_OF(type, panel, n)                                                                                        \
    static __attribute__((noinline)) void step_##type##_##panel##_##n(                                                 \
        const uint8_t *p, const chunk_tile *w, const chunk_row *x, int blocks, const uint8_t *ahead, float *acc) {     \
        if (ck_interleaving_of(CK_##type).columns == 256)                                                              \
            multiply256(CK_##type, panel, p, w, x, n, ahead, acc);                                                     \
        else                                                                                                           \
            multiply32(CK_##type, panel, p, w, x, n, blocks, ahead, acc);                                              \
    }

#define KIND(name, width, type) CK_KIND_OF_STEPS(avx2, name, width, type)
CK_EACH_INTERLEAVED(KIND)

#pragma clang attribute pop
#endif
