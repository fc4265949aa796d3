// Weights with sixteen rows side by side, so that a product needs no transposition.
//
// A tile is sixteen rows, its blocks one after the other, so that a product reads it from front to back. A block is its
// 4-byte words, each for rows 0...15 in 64 bytes, in the order in which products touch them. If blocks have a
// half-precision number that no word holds, 64 bytes before every other block hold the numbers of two blocks. A tile
// takes sixteen rows of `ck_interleaved_row_bytes`; the last one repeats the last row.
#ifndef CK_INTERLEAVE_H
#define CK_INTERLEAVE_H

#include "ck_blocks.h"

typedef struct ck_interleaving {
    int32_t columns, bytes;    // of a block of one row
    int32_t first_word, words; // where the words begin in it, and how many there are
    int32_t half;              // where the number is that stands apart, or -1
} ck_interleaving;

// How a type is laid out; no words: not offered.
static inline ck_interleaving ck_interleaving_of(int32_t type) {
    switch (type) {
    case CK_Q8_0:
        return (ck_interleaving){32, 34, 2, 8, 0};
    case CK_Q4_0:
        return (ck_interleaving){32, 18, 2, 4, 0};
    case CK_Q5_0:
        return (ck_interleaving){32, 22, 2, 5, 0};
    case CK_Q4_K:
        return (ck_interleaving){256, 144, 0, 36, -1};
    case CK_Q5_K:
        return (ck_interleaving){256, 176, 0, 44, -1};
    case CK_Q6_K:
        return (ck_interleaving){256, 210, 0, 52, 208};
    case CK_BF16:
        return (ck_interleaving){2, 4, 0, 1, -1};
    default:
        return (ck_interleaving){0, 0, 0, 0, -1};
    }
}

// Where word w of a block goes. Q6_K: the scales first, then for each half of the columns the low and the high bits
// that belong together in turn, and the other low bits.
static inline int32_t ck_interleaved_word(int32_t type, int32_t w) {
    if (type != CK_Q6_K) return w;
    if (w >= 48) return w - 48;
    if (w >= 32) return 4 + (w - 32) / 8 * 24 + (w - 32) % 8 * 2 + 1;
    return 4 + w / 16 * 24 + (w % 16 < 8 ? w % 16 * 2 : 8 + w % 16);
}

// Block b of a tile.
static inline int64_t ck_interleaved_block(ck_interleaving layout, int64_t b) {
    return 64 * (layout.words * b + (layout.half < 0 ? 0 : b / 2 + 1));
}

// The half-precision numbers of block b.
static inline int64_t ck_interleaved_half(ck_interleaving layout, int64_t b) {
    return ck_interleaved_block(layout, b / 2 * 2) - 64 + 32 * (b % 2);
}

#endif
