/* Compiled for this instruction set. */
#include "rates.inc.h"
