/* Trajectories as HDF5, which cannot be instrumented: what is looked for is on this side of the process that runs it. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sf_trajectory *trajectory = NULL;
    fuzz_message(sf_trajectory_read(fuzz_context(), fuzz_file(data, size, "h5"), &trajectory));
    sf_trajectory_destroy(&trajectory);
    return 0;
}
