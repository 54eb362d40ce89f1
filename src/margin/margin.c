/* Room margin/. */
#include <samflow/margin.h>
