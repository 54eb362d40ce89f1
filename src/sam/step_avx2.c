/* The fused passes of the update for this instruction set; compiled with its flags (CMakeLists.txt). */
#include "sam/step.inc.h"
