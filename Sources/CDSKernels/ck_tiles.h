// The tile scheme of all integer matrix products.
//
// Sixteen weight rows × 256 columns are unpacked once into a panel of bytes, four consecutive columns of one row side
// by side, and multiplied with tiles of a few tokens; the lanes of an accumulator are the sixteen rows. Products inside
// a block are exact integers; blocks are added in float, in ascending order, one accumulator per output element. So the
// result does not depend on how tokens and rows are grouped.
#ifndef CK_TILES_H
#define CK_TILES_H

#include "ck_activations.h"
#include "ck_gemm.h"

enum { CK_TILE_ROWS = 16, CK_CHUNK = 256 };

// 32-column blocks: x ≈ scale * w (+ min). Bytes are w + 128 for VNNI, w for the other tiers.
typedef struct ck_panel32 {
    uint8_t q[64][16][4]; // [column / 4][row][column % 4]
    float scale[8][16];   // [block][row]
    float min[8][16];     // formats with a min only
} ck_panel32;

// 256-column super-blocks: x ≈ d * scale[s] * u - dmin * min[s], s = sub-block of 32 or 16 columns.
typedef struct ck_panel256 {
    uint8_t q[64][16][4];  // unsigned u (signed codes for formats of the signed kind)
    int32_t scale[16][16]; // [sub-block][row]
    int16_t min[8][16][2]; // [sub-block / 2][row][sub-block % 2]
    float d[16], dmin[16]; // [row]
} ck_panel256;

// The part of an activation row that meets one chunk.
typedef struct ck_packed32 {
    int8_t q[256];
    float scale[8], scaled_sum[8];
    int32_t bias128[8];
    uint8_t pad[32];
} ck_packed32;

typedef struct ck_packed256 {
    int8_t q[256];
    float scale;
    int16_t sum16[16], sum32[8];
    uint8_t pad[12];
} ck_packed256;

_Static_assert(sizeof(ck_packed32) == 384, "packed32");
_Static_assert(sizeof(ck_packed256) == 320, "packed256");

// Sixteen rows of one weight matrix; rows after the last repeat it.
typedef struct ck_tile_rows {
    const uint8_t *row[16];
    int64_t k;
    int64_t ahead; // bytes to the same columns of the next tile, for prefetching
} ck_tile_rows;

// How one weight format is multiplied on one tier.
typedef struct ck_tile_kind {
    int32_t act_format;
    int32_t tile_tokens; // the most tokens of one `multiply`
    int32_t panel_bytes, packed_bytes;
    // Columns 256 * chunk ... + 32 * blocks of sixteen rows → panel.
    void (*unpack)(const ck_tile_rows *rows, int64_t chunk, int blocks, void *panel);
    // The same columns of an activation row → packed.
    void (*pack)(const uint8_t *act, int64_t k, int64_t chunk, int blocks, void *packed);
    // The packed rows of a pass of `few`, in place, into another order; may be NULL.
    void (*arrange)(void *packed, int tokens);
    // acc[t][row] += panel · packed[t], t < tokens.
    void (*multiply)(const void *panel, const void *packed, int tokens, int blocks, float *acc);
    // acc[row] = all columns of sixteen rows · act, the same sums as above without a panel; may be NULL.
    void (*single)(const ck_tile_rows *rows, const uint8_t *act, float *acc);
    // Interleaved weights, which take `pack` and `finish` besides: acc[t][row] = all columns of a tile · packed rows
    // [chunk][t], t < tokens <= tile_tokens.
    void (*few)(const uint8_t *tile, int64_t k, const void *packed, int tokens, float *acc);
    // Finished sums of weight rows n..<n + width → out.
    void (*finish)(const ck_gemm_args *args, const float *acc, const float *acc_up, int64_t n, int width, float *out);
} ck_tile_kind;

// The whole of `gemm` over one kind.
void ck_gemm_tiles(const ck_tile_kind *kind, const ck_gemm_args *args, const ck_share *share);

static inline void ck_pack32(const uint8_t *act, int64_t k, int64_t chunk, int blocks, void *packed) {
    ck_packed32 *p = packed;
    if (blocks == 8) {
        __builtin_memcpy(p->q, act + 256 * chunk, 256);
        __builtin_memcpy(p->scale, act + ck_act32_scale(k) + 32 * chunk, 32);
        __builtin_memcpy(p->scaled_sum, act + ck_act32_scaled_sum(k) + 32 * chunk, 32);
        __builtin_memcpy(p->bias128, act + ck_act32_bias128(k) + 32 * chunk, 32);
        return;
    }
    __builtin_memcpy(p->q, act + 256 * chunk, (size_t)blocks * 32);
    __builtin_memcpy(p->scale, act + ck_act32_scale(k) + 32 * chunk, (size_t)blocks * 4);
    __builtin_memcpy(p->scaled_sum, act + ck_act32_scaled_sum(k) + 32 * chunk, (size_t)blocks * 4);
    __builtin_memcpy(p->bias128, act + ck_act32_bias128(k) + 32 * chunk, (size_t)blocks * 4);
}

static inline void ck_pack256(const uint8_t *act, int64_t k, int64_t chunk, int blocks, void *packed) {
    ck_packed256 *p = packed;
    (void)blocks;
    __builtin_memcpy(p->q, act + 256 * chunk, 256);
    __builtin_memcpy(&p->scale, act + ck_act256_scale(k) + 4 * chunk, 4);
    __builtin_memcpy(p->sum16, act + ck_act256_sum16(k) + 32 * chunk, 32);
    __builtin_memcpy(p->sum32, act + ck_act256_sum32(k) + 16 * chunk, 16);
}

#endif
