/* Instruction sets, found at run time. */
#include "base/isa.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"plain", "neon", "avx2", "avx512"};

bool sf_isa_supported(sf_isa isa)
{
    switch (isa) {
    case SF_ISA_PLAIN:
        return true;
#if defined(__x86_64__) && defined(__GNUC__)
    case SF_ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case SF_ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && sf_isa_supported(SF_ISA_AVX2);
#elif defined(__aarch64__) && defined(__ARM_NEON)
    case SF_ISA_NEON:
        return true;
#endif
    default:
        return false;
    }
}

const char *sf_isa_name(sf_isa isa)
{
    return names[isa];
}

sf_isa sf_isa_choose(void)
{
    const char *wanted = getenv("SAMFLOW_ISA");
    for (int isa = SF_ISA_PLAIN; wanted && isa <= SF_ISA_AVX512; isa++)
        if (strcmp(wanted, names[isa]) == 0 && sf_isa_supported((sf_isa)isa))
            return (sf_isa)isa;
    for (int isa = SF_ISA_AVX512; isa > SF_ISA_PLAIN; isa--)
        if (sf_isa_supported((sf_isa)isa))
            return (sf_isa)isa;
    return SF_ISA_PLAIN;
}
