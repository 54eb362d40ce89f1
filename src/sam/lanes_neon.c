/* The batched update for this instruction set; compiled with its flags (CMakeLists.txt). */
#include "sam/lanes.inc.h"
