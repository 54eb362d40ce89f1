/* Which instruction set the kernels use: the best that this processor has, or a lesser one named by the
 * environment variable SAMFLOW_ISA (plain, avx2, avx512, neon), for tests and comparisons. */
#ifndef SF_ISA_H
#define SF_ISA_H

#include <stdbool.h>

#include <samflow/export.h>

typedef enum sf_isa { SF_ISA_PLAIN, SF_ISA_NEON, SF_ISA_AVX2, SF_ISA_AVX512 } sf_isa;

bool sf_isa_supported(sf_isa isa);
const char *sf_isa_name(sf_isa isa);
/* What an object created now shall use. A name in SAMFLOW_ISA that is unknown or not supported counts as
 * absent. */
SF_LAB_API
sf_isa sf_isa_choose(void);

#endif
