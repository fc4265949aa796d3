// CPU capability probe; this file has no target region, so it runs anywhere.
#include "ck_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdatomic.h>

// The register state that the operating system saves (XCR0).
static uint64_t enabled_state(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static uint32_t probe(void) {
    uint32_t a, b, c, d, features = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
    uint32_t fma = c >> 12 & 1, osxsave = c >> 27 & 1, avx = c >> 28 & 1, f16c = c >> 29 & 1;
    if (!osxsave || !avx) return 0;
    uint64_t state = enabled_state();
    if ((state & 0x6) != 0x6 || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0; // XMM, YMM
    uint32_t avx2 = b >> 5 & 1;
    if (avx2 && fma && f16c) features |= CK_FEATURE_AVX2;
    uint32_t f = b >> 16 & 1, dq = b >> 17 & 1, bw = b >> 30 & 1, vl = b >> 31 & 1;
    if ((features & CK_FEATURE_AVX2) && f && dq && bw && vl && (state & 0xe6) == 0xe6) { // opmask, ZMM
        features |= CK_FEATURE_AVX512;
        if (c >> 11 & 1) features |= CK_FEATURE_AVX512_VNNI;
        if (c >> 1 & 1) features |= CK_FEATURE_AVX512_VBMI;
        uint32_t a1, b1, c1, d1;
        if (a >= 1 && __get_cpuid_count(7, 1, &a1, &b1, &c1, &d1) && (a1 >> 5 & 1)) features |= CK_FEATURE_AVX512_BF16;
    }
    return features;
}

// Asked once: `cpuid` leaves a virtual machine, which takes as long as a small product.
uint32_t ck_features(void) {
    static _Atomic uint64_t known; // with a bit above the features' when it is known
    uint64_t features = atomic_load_explicit(&known, memory_order_relaxed);
    if (!features) {
        features = 1ull << 32 | probe();
        atomic_store_explicit(&known, features, memory_order_relaxed);
    }
    return (uint32_t)features;
}
#elif defined(__aarch64__)
#if defined(__linux__)
#include <sys/auxv.h>

uint32_t ck_features(void) {
    unsigned long capabilities = getauxval(AT_HWCAP), more = getauxval(AT_HWCAP2);
    uint32_t features = CK_FEATURE_NEON;
    if (capabilities >> 20 & 1) features |= CK_FEATURE_DOTPROD; // HWCAP_ASIMDDP
    if (more >> 13 & 1) features |= CK_FEATURE_I8MM;            // HWCAP2_I8MM
    return features;
}
#else
#include <stddef.h>
#include <sys/sysctl.h>

uint32_t ck_features(void) {
    uint32_t features = CK_FEATURE_NEON | CK_FEATURE_DOTPROD; // every Apple processor that runs macOS has both
    int i8mm = 0;
    size_t size = sizeof i8mm;
    if (sysctlbyname("hw.optional.arm.FEAT_I8MM", &i8mm, &size, NULL, 0) == 0 && i8mm) features |= CK_FEATURE_I8MM;
    return features;
}
#endif
#else
uint32_t ck_features(void) { return 0; }
#endif
