/* Trajectories as JSON, and the experiment in them. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sf_trajectory *trajectory = NULL;
    fuzz_message(sf_trajectory_read(fuzz_context(), fuzz_file(data, size, "json"), &trajectory));
    sf_trajectory_destroy(&trajectory);
    return 0;
}
