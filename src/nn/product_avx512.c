/* The sum of product.h for this instruction set; compiled with its flags (CMakeLists.txt). */
#include "nn/product.inc.h"
