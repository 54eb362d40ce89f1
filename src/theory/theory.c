/* Room theory/. */
#include <samflow/theory.h>
