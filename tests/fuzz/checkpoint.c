/* Checkpoints of training; HDF5 runs in a process of its own. */
#include "fuzz.h"

#include "nn/trainer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size, "h5");
    char *settings = NULL;
    uint64_t step;
    sf_status status = sf_checkpoint_settings(fuzz_context(), path, &settings, &step);
    fuzz_message(status);
    sf_free(fuzz_context(), settings);
    if (status != SF_OK)
        return 0;
    sf_training_run *run = NULL;
    fuzz_message(sf_training_run_restore(fuzz_context(), path, 0, NULL, &run));
    sf_training_run_destroy(&run);
    return 0;
}
