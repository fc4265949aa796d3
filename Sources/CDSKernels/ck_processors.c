#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#endif
#include "ck_processors.h"

void ck_processor_set_insert(ck_processor_set *set, int32_t processor) {
    if (processor < 0 || processor >= CK_PROCESSOR_LIMIT) return;
    set->words[processor / 64] |= UINT64_C(1) << (processor % 64);
}

bool ck_processor_set_contains(const ck_processor_set *set, int32_t processor) {
    if (processor < 0 || processor >= CK_PROCESSOR_LIMIT) return false;
    return set->words[processor / 64] >> (processor % 64) & 1;
}

#if defined(__linux__)
_Static_assert(sizeof(cpu_set_t) == sizeof(ck_processor_set), "a bit for each processor");

int32_t ck_allowed_processors(ck_processor_set *set) {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    if (sched_getaffinity(0, sizeof mask, &mask) != 0) return -1;
    *set = (ck_processor_set){{0}};
    for (int32_t i = 0; i < CK_PROCESSOR_LIMIT; ++i) {
        if (CPU_ISSET(i, &mask)) ck_processor_set_insert(set, i);
    }
    return 0;
}

int32_t ck_bind_thread(const ck_processor_set *set) {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    for (int32_t i = 0; i < CK_PROCESSOR_LIMIT; ++i) {
        if (ck_processor_set_contains(set, i)) CPU_SET(i, &mask);
    }
    return sched_setaffinity(0, sizeof mask, &mask);
}
#else
int32_t ck_allowed_processors(ck_processor_set *set) {
    (void)set;
    return -1;
}

int32_t ck_bind_thread(const ck_processor_set *set) {
    (void)set;
    return -1;
}
#endif
