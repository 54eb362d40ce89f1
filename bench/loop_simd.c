/* With all that the compiler can do for this machine (CMakeLists.txt). */
#define LOOP_NAME bench_run_loop_simd
#include "loops.inc.h"
