/* Room experiment/. */
#include <samflow/experiment.h>
