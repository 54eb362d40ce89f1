/* What a batch looks at in every step, for this instruction set; compiled with its flags (CMakeLists.txt). */
#include "sam/watch.inc.h"
