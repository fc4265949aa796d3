// The processors that this thread may run on: system calls that Swift's platform modules do not offer.
#ifndef CK_PROCESSORS_H
#define CK_PROCESSORS_H

#include <stdbool.h>
#include <stdint.h>

#define CK_PROCESSOR_LIMIT 1024

// Processors by number, 0..<CK_PROCESSOR_LIMIT.
typedef struct {
    uint64_t words[CK_PROCESSOR_LIMIT / 64];
} ck_processor_set;

void ck_processor_set_insert(ck_processor_set *set, int32_t processor);
bool ck_processor_set_contains(const ck_processor_set *set, int32_t processor);

// The calling thread's affinity mask; returns 0 on success.
int32_t ck_allowed_processors(ck_processor_set *set);

// Binds the calling thread to `set`; returns 0 on success.
int32_t ck_bind_thread(const ck_processor_set *set);

#endif
