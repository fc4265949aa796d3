// Bringing weights into the layout of `ck_gemm` with sixteen rows side by side.
#ifndef CK_REPACK_H
#define CK_REPACK_H

#include "ck_base.h"

// Added to a `ck_type`: sixteen rows interleaved.
enum { CK_INTERLEAVED = 64 };

// The most columns of interleaved weights: an activation row of so many is packed in half of the scratch.
enum { CK_INTERLEAVED_COLUMNS = 256 * 1024 };

// Whether `type` has an interleaved form that products on `tier` use; k columns.
int32_t ck_can_interleave(int32_t tier, int32_t type, int64_t k);

// Bytes of a row of `row_bytes` in an interleaved tile: whole cache lines per tile.
static inline int64_t ck_interleaved_row_bytes(int64_t row_bytes) { return (row_bytes + 3) / 4 * 4; }

// Bytes of n interleaved rows of `row_bytes` bytes.
static inline int64_t ck_interleaved_bytes(int64_t n, int64_t row_bytes) {
    return (n + 15) / 16 * 16 * ck_interleaved_row_bytes(row_bytes);
}

// data [n, row_bytes] of `type` → out [ck_interleaved_bytes(n, row_bytes)]; the workers share the tiles.
void ck_interleave(int32_t type, const uint8_t *data, int64_t row_bytes, int64_t n, int64_t k, uint8_t *out,
                   const ck_share *share);

#endif
