/* The kernels of network/ for this instruction set; compiled with its flags (CMakeLists.txt). */
#include "network/kernels.inc.h"
