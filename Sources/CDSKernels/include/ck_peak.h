// What a processor can do at most: loops of nothing but the instruction that limits a kernel, and reads of memory.
#ifndef CK_PEAK_H
#define CK_PEAK_H

#include <stdint.h>

enum { CK_PEAK_FP32 = 0, CK_PEAK_BF16 = 1, CK_PEAK_INT8 = 2 };

// Runs `rounds` rounds of independent multiply-adds of `kind` on the registers of `tier` (a `CK_TIER_` value that this
// machine can run). Returns the operations done, a multiplication and an addition being two, or 0 if the processor has
// no instruction for them. `sink` receives a value that depends on every result.
int64_t ck_peak(int32_t tier, int32_t kind, int64_t rounds, float *sink);

// Reads `bytes` (a multiple of 512) once; returns the exclusive or of all words.
uint64_t ck_read(int32_t tier, const uint8_t *data, int64_t bytes);

#endif
