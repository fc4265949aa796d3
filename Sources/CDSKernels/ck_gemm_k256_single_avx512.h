// One activation row times super-blocks of 256 columns, row by row: to transpose sixteen rows first would cost more
// than their products. Included by ck_gemm_k256_avx512.c.

// Q4_K, one activation row: 16-bit products of 64 columns at a time, scaled by vpdpwssd.
static void single_q4_k(const ck_tile_rows *rows, const uint8_t *act, float *acc) {
    int64_t k = rows->k;
    const float *act_scale = (const float *)(act + ck_act256_scale(k));
    const __m512i low4 = _mm512_set1_epi8(15);
    // Byte pairs (s, zero) of the eight scales: vector (0, 2) for the low nibbles of 64 bytes, (1, 3) for the high
    // ones.
    const __m512i pick0 = _mm512_inserti64x4(_mm512_set1_epi16((short)0x8000), _mm256_set1_epi16((short)0x8002), 1);
    const __m512i one = _mm512_set1_epi16(1);
    __m512 sum = _mm512_setzero_ps();
    for (int64_t b = 0; b < k / 256; ++b) {
        k4_scales scales = load_k4_scales(rows, 144 * b);
        _Alignas(64) uint8_t by_row[2][16][4];
        _mm512_store_si512(by_row[0], scales.scale[0]);
        _mm512_store_si512(by_row[1], scales.scale[1]);
        const int8_t *x = (const int8_t *)act + 256 * b;
        __m512i a[4]; // columns of sub-blocks (0, 2), (1, 3), (4, 6), (5, 7)
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; ++i) {
            const int8_t *p = x + i / 2 * 128 + i % 2 * 32;
            a[i] = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)p)),
                                      _mm256_loadu_si256((const __m256i *)(p + 64)), 1);
        }
        __m512i z[8];
#pragma clang loop unroll(full)
        for (int j = 0; j < 8; ++j) {
            int r0 = j < 4 ? j : j + 4; // rows r0 and r0 + 4 share a vector
            __m512i row[2];
#pragma clang loop unroll(full)
            for (int h = 0; h < 2; ++h) {
                const uint8_t *p = rows->row[r0 + 4 * h] + 144 * b + 16;
                _mm_prefetch((const char *)(p + rows->ahead), _MM_HINT_T1);
                _mm_prefetch((const char *)(p + rows->ahead + 64), _MM_HINT_T1);
                __m512i sum16 = _mm512_setzero_si512();
#pragma clang loop unroll(full)
                for (int half = 0; half < 2; ++half) {
                    __m512i w = _mm512_loadu_si512(p + 64 * half);
                    int32_t four_scales;
                    memcpy(&four_scales, by_row[half][r0 + 4 * h], 4);
                    __m512i s = _mm512_set1_epi32(four_scales);
                    __m512i low = _mm512_maddubs_epi16(_mm512_and_si512(w, low4), a[2 * half]);
                    __m512i top =
                        _mm512_maddubs_epi16(_mm512_and_si512(_mm512_srli_epi16(w, 4), low4), a[2 * half + 1]);
                    sum16 = _mm512_dpwssd_epi32(sum16, low, _mm512_shuffle_epi8(s, pick0));
                    sum16 = _mm512_dpwssd_epi32(sum16, top, _mm512_shuffle_epi8(s, _mm512_add_epi16(pick0, one)));
                }
                row[h] = sum16;
            }
            // Fold each row to 8 lanes and put the two side by side.
            z[j] = _mm512_add_epi32(_mm512_inserti64x4(row[0], _mm512_castsi512_si256(row[1]), 1),
                                    _mm512_shuffle_i64x2(row[0], row[1], 0xee));
        }
        __m512i offset = _mm512_setzero_si512(), pairs[4];
        min_pairs(&scales, pairs);
        const uint8_t *sums = act + ck_act256_sum32(k) + 16 * b;
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; ++i) offset = _mm512_dpwssd_epi32(offset, pairs[i], broadcast4(sums + 4 * i));
        sum = add_block(sum, row_sums(z), offset, scales.d, scales.dmin, act_scale[b], 0);
    }
    _mm512_storeu_ps(acc, sum);
}

// One row of a Q6_K super-block times 256 activations x (as four vectors) with sums of sixteen: eight partial sums.
static inline __attribute__((always_inline)) __m256i row_q6_k(const uint8_t *p, const __m512i x[4], __m256i sums) {
    const __m512i low4 = _mm512_set1_epi8(15), bits = _mm512_set1_epi8(48);
    const __m512i left = _mm512_inserti64x4(_mm512_set1_epi16(4), _mm256_set1_epi16(2), 1);
    const __m512i right = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(2), 1);
    // Lane l of vector j takes scale 4 * j + l into the high byte of each 16-bit value.
    const __m512i pick =
        _mm512_set_epi64(0x0380038003800380, 0x0380038003800380, 0x0280028002800280, 0x0280028002800280,
                         0x0180018001800180, 0x0180018001800180, 0x0080008000800080, 0x0080008000800080);
    __m128i scales = _mm_loadu_si128((const __m128i *)(p + 192));
    __m512i all = _mm512_broadcast_i32x4(scales), total = _mm512_setzero_si512();
#pragma clang loop unroll(full)
    for (int n = 0; n < 2; ++n) {
        __m512i q = _mm512_loadu_si512(p + 64 * n);
        __m512i h = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(p + 128 + 32 * n)));
        __m512i low = _mm512_or_si512(_mm512_and_si512(q, low4), _mm512_and_si512(_mm512_sllv_epi16(h, left), bits));
        __m512i top = _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi16(q, 4), low4),
                                      _mm512_and_si512(_mm512_srlv_epi16(h, right), bits));
        __m512i first = _mm512_add_epi8(pick, _mm512_set1_epi16((short)(8 * n << 8)));
        __m512i second = _mm512_add_epi8(pick, _mm512_set1_epi16((short)((8 * n + 4) << 8)));
        first = _mm512_srai_epi16(_mm512_shuffle_epi8(all, first), 8);
        second = _mm512_srai_epi16(_mm512_shuffle_epi8(all, second), 8);
        total = _mm512_dpwssd_epi32(total, _mm512_maddubs_epi16(low, x[2 * n]), first);
        total = _mm512_dpwssd_epi32(total, _mm512_maddubs_epi16(top, x[2 * n + 1]), second);
    }
    __m256i folded = _mm256_add_epi32(_mm512_castsi512_si256(total), _mm512_extracti64x4_epi64(total, 1));
    __m256i offset = _mm256_madd_epi16(_mm256_cvtepi8_epi16(scales), sums);
    return _mm256_sub_epi32(folded, _mm256_slli_epi32(offset, 5));
}

static void single_q6_k(const ck_tile_rows *rows, const uint8_t *act, float *acc) {
    int64_t k = rows->k;
    const float *act_scale = (const float *)(act + ck_act256_scale(k));
    __m512 sum = _mm512_setzero_ps();
    for (int64_t b = 0; b < k / 256; ++b) {
        __m512i x[4], z[8];
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; ++i) x[i] = _mm512_loadu_si512(act + 256 * b + 64 * i);
        __m256i sums = _mm256_loadu_si256((const __m256i *)(act + ck_act256_sum16(k) + 32 * b));
#pragma clang loop unroll(full)
        for (int j = 0; j < 8; ++j) {
            int r = j < 4 ? j : j + 4; // rows r and r + 4 share a vector
            const uint8_t *p = rows->row[r] + 210 * b, *q = rows->row[r + 4] + 210 * b;
#pragma clang loop unroll(full)
            for (int line = 0; line < 4; ++line) {
                _mm_prefetch((const char *)(p + rows->ahead + 64 * line), _MM_HINT_T1);
                _mm_prefetch((const char *)(q + rows->ahead + 64 * line), _MM_HINT_T1);
            }
            z[j] = _mm512_inserti64x4(_mm512_castsi256_si512(row_q6_k(p, x, sums)), row_q6_k(q, x, sums), 1);
        }
        __m512 d = load_halves(rows, 210 * b + 208);
        sum = add_block(sum, row_sums(z), _mm512_setzero_si512(), d, d, act_scale[b], 1);
    }
    _mm512_storeu_ps(acc, sum);
}

// Any other format, one activation row: decoded row by row.
static inline __attribute__((always_inline)) void single(int32_t type, int subs, int joined, const ck_tile_rows *rows,
                                                         const uint8_t *act, float *acc) {
    int64_t k = rows->k, size = ck_row_bytes(type, 256);
    const float *act_scale = (const float *)(act + ck_act256_scale(k));
    __m512 sum = _mm512_setzero_ps();
    for (int64_t b = 0; b < k / 256; ++b) {
        _Alignas(64) int32_t totals[16], offsets[16];
        _Alignas(64) float d[16], dmin[16];
        const int8_t *x = (const int8_t *)act + 256 * b;
        const int16_t *sums =
            (const int16_t *)(act + (subs == 16 ? ck_act256_sum16(k) : ck_act256_sum32(k))) + subs * b;
        for (int r = 0; r < 16; ++r) {
            decoded256 block;
            decode256(type, rows->row[r] + size * b, &block);
            __m256i total = _mm256_setzero_si256();
#pragma clang loop unroll(full)
            for (int i = 0; i < 8; ++i) {
                __m256i w = _mm256_loadu_si256((const __m256i *)(block.q + 32 * i));
                if (type == CK_IQ4_XS) w = _mm256_xor_si256(w, _mm256_set1_epi8((char)128));
                __m256i dot =
                    _mm256_dpbusd_epi32(_mm256_setzero_si256(), w, _mm256_loadu_si256((const __m256i *)(x + 32 * i)));
                __m256i scale = subs == 8 ? _mm256_set1_epi32(block.scale[i])
                                          : _mm256_inserti128_si256(_mm256_set1_epi32(block.scale[2 * i]),
                                                                    _mm_set1_epi32(block.scale[2 * i + 1]), 1);
                total = _mm256_add_epi32(total, _mm256_mullo_epi32(dot, scale));
            }
            int32_t offset = 0;
            for (int s = 0; s < subs; ++s)
                offset += sums[s] * (type == CK_IQ4_XS ? 128 * block.scale[s] : block.min[s]);
            __m128i half = _mm_add_epi32(_mm256_castsi256_si128(total), _mm256_extracti128_si256(total, 1));
            half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
            totals[r] = _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1)));
            offsets[r] = offset;
            d[r] = block.d;
            dmin[r] = block.dmin;
        }
        sum = add_block(sum, _mm512_load_si512(totals), _mm512_load_si512(offsets), _mm512_load_ps(d),
                        _mm512_load_ps(dmin), act_scale[b], joined);
    }
    _mm512_storeu_ps(acc, sum);
}

#define SINGLE(name, type, subs, joined)                                                                               \
    static void single_##name(const ck_tile_rows *rows, const uint8_t *act, float *acc) {                              \
        single(type, subs, joined, rows, act, acc);                                                                    \
    }

SINGLE(q5_k, CK_Q5_K, 8, 0)
SINGLE(iq4_xs, CK_IQ4_XS, 8, 1)

#undef SINGLE
