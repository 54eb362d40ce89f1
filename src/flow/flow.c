/* Room flow/. */
#include <samflow/flow.h>
