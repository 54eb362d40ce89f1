/* Compiled for this instruction set. */
#include "simd.inc.h"
