/* Plain C at -O2. */
#define LOOP_NAME bench_run_loop_plain
#include "loops.inc.h"
