// 8 × 8 transposition of 4-byte groups. Include inside an avx2 target region.

// x[r] = 32 bytes of row r → x[c] = the c-th 4-byte group of rows 0...7.
static inline __attribute__((always_inline)) void transpose8(__m256i x[8]) {
    __m256i y[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 2) {
        y[i] = _mm256_unpacklo_epi32(x[i], x[i + 1]);
        y[i + 1] = _mm256_unpackhi_epi32(x[i], x[i + 1]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 4) {
        x[i] = _mm256_unpacklo_epi64(y[i], y[i + 2]);
        x[i + 1] = _mm256_unpackhi_epi64(y[i], y[i + 2]);
        x[i + 2] = _mm256_unpacklo_epi64(y[i + 1], y[i + 3]);
        x[i + 3] = _mm256_unpackhi_epi64(y[i + 1], y[i + 3]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; ++i) {
        y[i] = _mm256_permute2x128_si256(x[i], x[i + 4], 0x20);
        y[i + 4] = _mm256_permute2x128_si256(x[i], x[i + 4], 0x31);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; ++i) x[i] = y[i];
}

// The sum of the eight lanes of each of eight vectors, in order.
static inline __attribute__((always_inline)) __m256i sums8(const __m256i z[8]) {
    __m256i a = _mm256_hadd_epi32(_mm256_hadd_epi32(z[0], z[1]), _mm256_hadd_epi32(z[2], z[3]));
    __m256i b = _mm256_hadd_epi32(_mm256_hadd_epi32(z[4], z[5]), _mm256_hadd_epi32(z[6], z[7]));
    return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
}

static inline __m256i broadcast4(const void *p) {
    int32_t word;
    memcpy(&word, p, 4);
    return _mm256_set1_epi32(word);
}

// Σ of four signed products per lane; |w| <= 128, |x| <= 127, so the 16-bit pairs do not saturate.
static inline __attribute__((always_inline)) __m256i dot_signed(__m256i sum, __m256i w, __m256i x) {
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

// Likewise for unsigned w <= 128.
static inline __attribute__((always_inline)) __m256i dot_unsigned(__m256i sum, __m256i w, __m256i x) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), _mm256_set1_epi16(1)));
}
